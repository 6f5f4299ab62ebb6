r"""What an iteration moves on: the mean losses of retain and forget set, the ridge, and the oracle, for any problem."""

from __future__ import annotations

import dataclasses
import functools
import numbers
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from ascentfail import closed_form, losses, stationary
from ascentfail.errors import invalid
from ascentfail.problems import CrossCorrelated, SemiOrthogonal


@dataclasses.dataclass(frozen=True)
class Losses:
    """A model of your own for `descent_ascent`: two mean losses and a ridge.

    Args:
        retain: weights -> mean loss of the retain set, a differentiable scalar; (weights, key) -> the same on a batch when it is
            used with a key.
        forget: the same for the forget set.
        ridge: lam >= 0 of ridge/2 |w|^2.

    Raises:
        ValueError: a loss is not callable, or the ridge is negative or no number.

    Paper: Sec. 5.1.
    """

    retain: Callable[..., Any]
    forget: Callable[..., Any]
    ridge: float = 0.0

    def __post_init__(self) -> None:
        """Checks the fields."""
        for name in ("retain", "forget"):
            if not callable(getattr(self, name)):
                raise invalid(name, getattr(self, name), "a function of the weights that returns a scalar")
        if isinstance(self.ridge, jax.core.Tracer):
            return
        if not np.isscalar(self.ridge) or isinstance(self.ridge, str) or not self.ridge >= 0:
            raise invalid("ridge", self.ridge, "a real number >= 0")


jax.tree_util.register_dataclass(Losses, data_fields=("ridge",), meta_fields=("retain", "forget"))


class Objective(NamedTuple):
    """An objective on the leaves of the weights, which an iteration moves one by one.

    Attributes:
        means: (w, key or None) -> (retain mean, forget mean), on all samples or on a drawn batch.
        ridge_gradient: w -> gradient of the ridge term.
        split: weights -> w, a pytree. join: the way back.
    """

    means: Callable[[Any, Any], tuple[jax.Array, jax.Array]]
    ridge_gradient: Callable[[Any], Any]
    split: Callable[[Any], Any]
    join: Callable[[Any], Any]


def of(problem: Any, batch: int | None) -> Objective:
    """The objective of a problem.

    Args:
        problem: SemiOrthogonal, CrossCorrelated or Losses.
        batch: samples drawn from each set when a key is given.

    Returns:
        Objective. The two weights of the plane are two leaves, so that a batch of problems is two contiguous arrays.
    """
    plane = isinstance(problem, CrossCorrelated)

    def means(w: Any, key: Any) -> tuple[jax.Array, jax.Array]:
        if isinstance(problem, Losses):
            extra = () if key is None else (key,)
            return problem.retain(w, *extra), problem.forget(w, *extra)
        drawn = problem if key is None or batch is None else _drawn(problem, key, batch)
        return losses.means_at(drawn, *losses.margins(problem, w))

    return Objective(
        means,
        lambda w: jax.tree.map(lambda leaf: problem.ridge * leaf, w),
        (lambda weights: (weights[0], weights[1])) if plane else (lambda weights: weights),
        (lambda w: jnp.stack(w, axis=-1)) if plane else (lambda w: w),
    )


def _drawn(problem: Any, key: Any, batch: int) -> Any:
    """The problem with its counts replaced by those of a batch drawn with replacement, scaled to the whole."""
    place = "on_axis" if isinstance(problem, SemiOrthogonal) else "in_plane"
    names = (f"retain_{place}", f"forget_{place}")
    changes = {}
    for name, total, now in zip(names, (problem.retain_total, problem.forget_total), jax.random.split(key), strict=True):
        shape = losses.weight_shape(problem) if isinstance(problem, SemiOrthogonal) else ()
        counts = jnp.atleast_1d(jnp.broadcast_to(getattr(problem, name), shape))
        ends = jnp.cumsum(counts / total)  # a draw beyond the last end is a sample of another group
        drawn = jnp.searchsorted(ends, jax.random.uniform(now, (batch,), ends.dtype), side="right")
        hits = jnp.sum(drawn[:, None] == jnp.arange(len(ends))[None, :], axis=0) / batch * total
        changes[name] = hits.reshape(shape)
    fields = {f.name: getattr(problem, f.name) for f in dataclasses.fields(problem)} | changes
    return type(problem)(**fields)


def start_and_oracle(problem: Any, start: Any, oracle: Any) -> tuple[Any, Any]:
    """The start and the oracle's weights as arrays of the problem's shape.

    Raises:
        ValueError: unknown problem, wrong shapes, no oracle, or a loss that is no finite scalar at the start.
    """
    if isinstance(problem, Losses):
        return _own(problem, start, oracle)
    if not isinstance(problem, SemiOrthogonal | CrossCorrelated):
        raise invalid("problem", problem, "SemiOrthogonal, CrossCorrelated or ascentfail.Losses")
    return tuple(  # type: ignore
        _weights(problem, name, _model(problem, value) if isinstance(value, str) else value)
        for name, value in (("start", start), ("oracle", "oracle" if oracle is None else oracle))
    )


@functools.partial(jax.jit, static_argnames="which")
def _model(problem: Any, which: str) -> jax.Array:
    if which not in ("original", "oracle"):
        raise invalid("start", which, "weights, 'original' or 'oracle'")
    if isinstance(problem, SemiOrthogonal) and problem.loss == "exponential":
        model = closed_form.original if which == "original" else closed_form.oracle
        return jnp.broadcast_to(model(problem), problem.axes)
    return stationary.stationary_point(problem, which).weights


def _weights(problem: Any, name: str, value: Any) -> jax.Array:
    shape = losses.weight_shape(problem)
    takes = f"finite real weights of shape {shape}"
    try:
        array = jnp.asarray(value, float)
    except (TypeError, ValueError) as error:
        raise invalid(name, value, takes) from error
    if array.shape != shape or not _finite(array):
        raise invalid(name, value, takes)
    return array


def _finite(value: Any) -> bool:
    return isinstance(value, jax.core.Tracer) or bool(np.all(np.isfinite(np.asarray(value))))


def _tree(name: str, value: Any) -> Any:
    """A pytree of floats; a list or tuple of numbers is one array, as everywhere else."""
    plain = isinstance(value, list | tuple) and all(isinstance(x, numbers.Real) for x in value)
    try:
        return jax.tree.map(lambda x: jnp.asarray(x, float), np.asarray(value) if plain else value)
    except (TypeError, ValueError) as error:
        raise invalid(name, value, "weights, a pytree of real numbers") from error


def _own(problem: Losses, start: Any, oracle: Any) -> tuple[Any, Any]:
    if oracle is None:
        raise invalid("oracle", None, "the weights of a model trained on the retain set alone, for losses of your own")
    start, oracle = _tree("start", start), _tree("oracle", oracle)
    shapes, known = (jax.tree.map(jnp.shape, tree) for tree in (start, oracle))
    if jax.tree.structure(start) != jax.tree.structure(oracle) or shapes != known:
        raise invalid("oracle", known, f"weights of the start's structure and shapes, {shapes}")
    for name in ("retain", "forget"):
        value = jnp.asarray(getattr(problem, name)(start))
        if value.shape != () or not jnp.issubdtype(value.dtype, jnp.floating) or not _finite(value):
            raise invalid(name, value, "a finite real scalar at the start")
    return start, oracle
