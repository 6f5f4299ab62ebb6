r"""What a problem says of itself, so that iterations, flows, stopping rules and stationary points need not know its kind.

`Problem` is all that an iteration asks. `Counted` answers it for problems whose samples are counts of equal ones, by the few
things in which those differ; `own.Losses` answers for itself.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from ascentfail.core.errors import invalid
from ascentfail.problems import batches
from ascentfail.problems.batches import Batches, How, Set


class Objective(NamedTuple):
    """An objective on the leaves of the weights, which an iteration moves one by one.

    Attributes:
        means: (w, batch) -> (retain mean, forget mean), on all samples where the batch is None, see `batches`.
        ridge: w -> ridge term, a scalar. ridge_gradient: its gradient.
        split: weights -> w, a pytree of the leaves that move. join: the way back, also for a path of them.
        admits: w -> whether the losses are finite there, where that is known without them; else None.
    """

    means: Callable[[Any, Any], tuple[jax.Array, jax.Array]]
    ridge: Callable[[Any], jax.Array]
    ridge_gradient: Callable[[Any], Any]
    split: Callable[[Any], Any]
    join: Callable[[Any], Any]
    admits: Callable[[Any], Any] | None = None


@runtime_checkable
class Problem(Protocol):
    """What an iteration or a flow asks of a problem.

    Attributes:
        holds_functions: whether it holds functions of the user's, of which no compiled program may be kept.
    """

    holds_functions: ClassVar[bool]

    def objective(self, start: Any, key: Any = None) -> Objective:
        """The objective; leaves that do not move keep the start's values. The key is the run's, None without."""
        ...

    def start_and_oracle(
        self, start: Any, oracle: Any, key: Any = None, batch_size: int | None = None
    ) -> tuple[Any, Any]:
        """Start and oracle, weights or a model's name, as arrays of its shape; ValueError of what is not."""
        ...

    def batches(self, size: int | None, how: How, key: Any) -> Batches:
        """The source of its batches."""
        ...

    def check_batches(self, size: int | None, how: How) -> None:
        """Refuses a size that it does not have samples for."""
        ...


@runtime_checkable
class Linear(Problem, Protocol):
    """One of the paper's two linear problems, which has margins, samples and stationary points besides."""

    def margins(self, w: Any) -> tuple[Any, Any]:
        """Margins <w, y x> of the retain and of the forget samples, per axis or in the plane."""
        ...

    def sample_rows(self) -> tuple[tuple[str, np.ndarray], tuple[str, np.ndarray]]:
        """For the retain and the forget set the name of its counts, and a row y x for each count."""
        ...

    def stationary_point(self, which: Any) -> Any:
        """The `stationary.StationaryPoint` of a model."""
        ...


class Counted:
    """A problem whose samples are counts of equal ones.

    A kind of problem says by these what it is; `ridges` is how often it has the ridge/2 |w|^2.
    """

    holds_functions: ClassVar[bool] = False
    ridges: ClassVar[int] = 1
    ridge: Any

    @property
    def weight_shape(self) -> tuple[int, ...]:
        """Shape of the weights."""
        raise NotImplementedError

    def _means(self, w: Any) -> tuple[jax.Array, jax.Array]:
        """Mean losses of retain and forget at the leaves w."""
        raise NotImplementedError

    def _split(self, weights: Any) -> Any:
        """The leaves of the weights, one array."""
        return weights

    def _join(self, w: Any) -> Any:
        """The way back, also for a path."""
        return w

    def _admits(self, w: Any) -> Any:
        """Whether the losses are finite at w."""
        return True

    def _model(self, which: str) -> jax.Array:
        """Weights of the original or of the oracle."""
        raise NotImplementedError

    def _sets(self) -> tuple[Set, Set]:
        """Counts of the retain and of the forget set."""
        raise NotImplementedError

    def _with(self, retain: jax.Array, forget: jax.Array) -> Any:
        """The problem with other counts."""
        raise NotImplementedError

    def objective(self, start: Any, key: Any = None) -> Objective:
        """The objective in the type of the start, on counts; never raises.

        Args:
            start: finite weights that a run starts from, an array of the problem's shape.
            key: of the run, a typed key; not used.

        Returns:
            Objective. The two weights of the plane are two leaves, so that a batch of problems is two contiguous arrays.
        """
        problem = _in_type_of(start, self)

        def means(w: Any, batch: Any) -> tuple[jax.Array, jax.Array]:
            return (problem if batch is None else _in_type_of(start, batch))._means(w)

        return objective_of(problem.ridge, self.ridges, means, self._split, self._join)._replace(
            admits=problem._admits
        )

    def start_and_oracle(
        self, start: Any, oracle: Any, key: Any = None, batch_size: int | None = None
    ) -> tuple[Any, Any]:
        """The start and the oracle's weights as arrays of the problem's shape, of one type.

        Args:
            start: finite weights, an array, or the name of a model.
            oracle: the same, any such array, None for the problem's own.
            key: of the run, a typed key; not used.
            batch_size: number of samples drawn from each set, >= 1; not used.

        Returns:
            (start, oracle), where a name = that model's weights.

        Raises:
            ValueError: wrong shapes, weights that are not finite, or at which a mean loss is not.
        """
        target = "oracle" if oracle is None else oracle
        weights = {
            "start": _weights(self, "start", start),
            "oracle": _weights(self, "oracle", target),
        }
        for name, given in (("start", start), ("oracle", target)):
            if not isinstance(given, str) and not is_finite(_means_at(self, weights[name])):
                raise invalid(name, given, "weights at which both mean losses are finite numbers")
        dtype = widest(*weights.values())
        return weights["start"].astype(dtype), weights["oracle"].astype(dtype)

    def batches(self, size: int | None, how: How, key: Any) -> Batches:
        """The source of batches, which are problems with the counts of the batch; never raises.

        Args:
            size: number of samples of each set in a batch >= 1; None for all samples.
            how: "with replacement" or "epoch".
            key: of the run, a typed key.

        Returns:
            Batches.
        """
        return batches.of_counts(self._sets(), self._with, size, how)

    def check_batches(self, size: int | None, how: How) -> None:
        """Refuses epochs without a size.

        Args:
            size: number of samples of each set in a batch >= 1, or None.
            how: "with replacement" or "epoch".

        Raises:
            ValueError: how is "epoch" and size is None.
        """
        batches.check_size(size, how)


def start_and_oracle(
    problem: Any, start: Any, oracle: Any, key: Any = None, batch_size: int | None = None
) -> tuple[Any, Any]:
    """The start and the oracle's weights as arrays of the problem's shape.

    Args:
        problem: any Problem.
        start: weights, or the name of a model for the paper's problems.
        oracle: the same, None for the problem's own.
        key: of the run, None without.
        batch_size: samples drawn from each set, None without.

    Returns:
        (start, oracle).

    Raises:
        ValueError: unknown problem, wrong shapes, weights that are not finite, no oracle, a loss that fails or is no finite
            scalar at start or oracle, or one that cannot be called with the key or on the batches that are asked for.
    """
    if not isinstance(problem, Problem):
        raise invalid(
            "problem", problem, "SemiOrthogonal, CrossCorrelated, ToyLandscape or ascentfail.Losses"
        )
    return problem.start_and_oracle(start, oracle, key, batch_size)


def _in_type_of(weights: Any, problem: Any) -> Any:
    """The problem with numbers of the weights' type: a float32 problem is iterated on in the precision of its start."""
    return jax.tree.map(lambda number: jnp.asarray(number).astype(weights.dtype), problem)


def objective_of(ridge: Any, ridges: int, means: Any, split: Any, join: Any) -> Objective:
    """The objective with ridges/2 ridge |w|^2."""

    def ridge_gradient(w: Any) -> Any:
        return jax.tree.map(lambda leaf: ridges * jnp.asarray(ridge).astype(leaf.dtype) * leaf, w)

    def ridge_term(w: Any) -> jax.Array:
        return ridges / 2 * ridge * squared_norm(w)

    return Objective(means, ridge_term, ridge_gradient, split, join)


def squared_norm(w: Any) -> jax.Array:
    """The sum of the squares of all leaves, in the widest of their types and float32 at least: a float16 ends at 255^2."""
    leaves = jax.tree.leaves(w)
    dtype = widest(*leaves, np.float32(0))
    return functools.reduce(jnp.add, [jnp.sum(jnp.square(leaf.astype(dtype))) for leaf in leaves])


def widest(*values: Any) -> Any:
    """The floating type that holds all of these arrays' types, also where JAX is told to promote none by itself."""
    with jax.numpy_dtype_promotion("standard"):
        return functools.reduce(jnp.promote_types, (value.dtype for value in values))


def is_finite(value: Any) -> bool:
    """Whether an array has finite numbers only; a tracer and what holds no floats count as such."""
    if isinstance(value, Tracer) or not jnp.issubdtype(value.dtype, jnp.inexact):
        return True
    return bool(jnp.all(jnp.isfinite(value)))


@jax.jit
def _means_at(problem: Any, weights: jax.Array) -> jax.Array:
    objective = problem.objective(weights)
    return jnp.stack(objective.means(objective.split(weights), None))


def _weights(problem: Counted, name: str, value: Any) -> jax.Array:
    if isinstance(value, str):
        if value not in ("original", "oracle"):
            raise invalid(name, value, "weights, 'original' or 'oracle'")
        return problem._model(value)
    takes = f"finite real weights of shape {problem.weight_shape}"
    try:
        array = jnp.asarray(value)
        array = array if jnp.issubdtype(array.dtype, jnp.complexfloating) else array.astype(float)
    except (TypeError, ValueError) as error:
        raise invalid(name, value, takes) from error
    if (
        array.shape != problem.weight_shape
        or jnp.issubdtype(array.dtype, jnp.complexfloating)
        or not is_finite(array)
    ):
        raise invalid(name, value, takes)
    return array
