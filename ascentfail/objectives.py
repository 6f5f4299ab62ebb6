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
from jax.core import Tracer

from ascentfail import closed_form, losses, stationary, toy, toy_points
from ascentfail.errors import invalid
from ascentfail.problems import CrossCorrelated, SemiOrthogonal, _number
from ascentfail.toy import ToyLandscape


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
        if isinstance(self.ridge, Tracer):
            return
        if not isinstance(self.ridge, numbers.Real) or not self.ridge >= 0:
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
    ridges = 2 if isinstance(problem, ToyLandscape) else 1  # ridge (a^2 + b^2), without the half

    def means(w: Any, key: Any) -> tuple[jax.Array, jax.Array]:
        if isinstance(problem, Losses):
            extra = () if key is None else (key,)
            return problem.retain(w, *extra), problem.forget(w, *extra)
        drawn = problem if key is None or batch is None else _drawn(problem, key, batch)
        if isinstance(drawn, ToyLandscape):
            return toy.mean_losses(drawn, w)
        return losses.means_at(drawn, *losses.margins(drawn, w))

    return Objective(
        means,
        lambda w: jax.tree.map(lambda leaf: ridges * problem.ridge * leaf, w),
        (lambda weights: (weights[0], weights[1])) if plane else (lambda weights: weights),
        (lambda w: jnp.stack(w, axis=-1)) if plane else (lambda w: w),
    )


def _hits(key: Any, counts: Any, total: Any, batch: int) -> Any:
    """Counts of a batch drawn with replacement from `total` samples, scaled to the whole; what is left lies in other groups."""
    ends = jnp.cumsum(counts / total)
    drawn = jnp.searchsorted(ends, jax.random.uniform(key, (batch,), ends.dtype), side="right")
    return jnp.sum(drawn[:, None] == jnp.arange(len(ends))[None, :], axis=0) / batch * total


def _drawn(problem: Any, key: Any, batch: int) -> Any:
    """The problem with its counts replaced by those of a batch of retain and of forget samples."""
    keys = jax.random.split(key)
    if isinstance(problem, ToyLandscape):
        sets = jnp.asarray(problem.multiplicities - problem.forget), jnp.asarray(problem.forget)
        retain, forget = (_hits(now, counts, jnp.sum(counts), batch) for now, counts in zip(keys, sets, strict=True))
        return dataclasses.replace(problem, multiplicities=retain + forget, forget=forget)
    place, shape = ("on_axis", problem.axes) if isinstance(problem, SemiOrthogonal) else ("in_plane", ())
    changes = {}
    for name, total, now in zip(("retain", "forget"), (problem.retain_total, problem.forget_total), keys, strict=True):
        counts = jnp.atleast_1d(jnp.broadcast_to(getattr(problem, f"{name}_{place}"), shape))
        changes[f"{name}_{place}"] = _hits(now, counts, total, batch).reshape(shape)
    return dataclasses.replace(problem, **changes)


def start_and_oracle(problem: Any, start: Any, oracle: Any) -> tuple[Any, Any]:
    """The start and the oracle's weights as arrays of the problem's shape.

    Raises:
        ValueError: unknown problem, wrong shapes, weights that are not finite, no oracle, or a loss that fails or is no finite
            scalar at the start.
    """
    if isinstance(problem, Losses):
        return _own(problem, start, oracle)
    if not isinstance(problem, SemiOrthogonal | CrossCorrelated | ToyLandscape):
        raise invalid("problem", problem, "SemiOrthogonal, CrossCorrelated, ToyLandscape or ascentfail.Losses")
    target = "oracle" if oracle is None else oracle
    return _weights(problem, "start", start), _weights(problem, "oracle", target)


def _model(problem: Any, name: str, which: str) -> jax.Array:
    """A model's weights; the toy network's are its global minimum."""
    if which not in ("original", "oracle"):
        raise invalid(name, which, "weights, 'original' or 'oracle'")
    if isinstance(problem, ToyLandscape):
        return jnp.asarray(toy_points.stationary_points(problem, "original" if which == "original" else "oracle").parameters[0])
    return _linear_model(problem, which)


@functools.partial(jax.jit, static_argnames="which")
def _linear_model(problem: Any, which: Any) -> jax.Array:
    if isinstance(problem, SemiOrthogonal) and problem.loss == "exponential":
        model = closed_form.original if which == "original" else closed_form.oracle
        return jnp.broadcast_to(model(problem), problem.axes)
    return stationary.stationary_point(problem, which).weights


def _weights(problem: Any, name: str, value: Any) -> jax.Array:
    if isinstance(value, str):
        return _model(problem, name, value)
    shape = (2,) if isinstance(problem, ToyLandscape) else losses.weight_shape(problem)
    takes = f"finite real weights of shape {shape}"
    try:
        array = jnp.asarray(value, float)
    except (TypeError, ValueError) as error:
        raise invalid(name, value, takes) from error
    if array.shape != shape or not _finite(array):
        raise invalid(name, value, takes)
    return array


def _finite(value: Any) -> bool:
    return isinstance(value, Tracer) or bool(np.all(np.isfinite(np.asarray(value))))


def _tree(name: str, value: Any) -> Any:
    """A pytree of finite floats; a list or tuple of numbers is one array, as everywhere else."""
    takes = "weights, a pytree of finite real numbers"
    plain = isinstance(value, list | tuple) and all(isinstance(x, numbers.Real) for x in value)
    try:
        tree = jax.tree.map(lambda x: jnp.asarray(x, float), np.asarray(value) if plain else value)
    except (TypeError, ValueError) as error:
        raise invalid(name, value, takes) from error
    if not all(_finite(leaf) for leaf in jax.tree.leaves(tree)):
        raise invalid(name, value, takes)
    return tree


def _own(problem: Losses, start: Any, oracle: Any) -> tuple[Any, Any]:
    if oracle is None:
        raise invalid("oracle", None, "the weights of a model trained on the retain set alone, for losses of your own")
    start, oracle = _tree("start", start), _tree("oracle", oracle)
    shapes, known = (jax.tree.map(jnp.shape, tree) for tree in (start, oracle))
    if jax.tree.structure(start) != jax.tree.structure(oracle) or shapes != known:
        raise invalid("oracle", known, f"weights of the start's structure and shapes, {shapes}")
    for name in ("retain", "forget"):
        _check_loss(name, getattr(problem, name), start)
    return start, oracle


def _check_loss(name: str, loss: Callable[..., Any], start: Any) -> None:
    """Calls a loss of the user's once on the start and once on tracers, where one written with NumPy fails."""

    def traced(w: Any) -> None:
        loss(w)

    try:
        value = loss(start)
        jax.eval_shape(traced, start)
    except Exception as error:
        said = f"{type(error).__name__}: {error}".splitlines()[0]
        takes = f"a function of the weights, written with jax.numpy, that returns one number; here {said}"
        raise invalid(name, loss, takes) from error
    what, takes = f"{name}(start)", "one finite real number, such as jnp.mean of the losses"
    _number(what, value, takes)
    if np.shape(value) != () or not jnp.issubdtype(jnp.result_type(value), jnp.floating):
        raise invalid(what, value, takes)
