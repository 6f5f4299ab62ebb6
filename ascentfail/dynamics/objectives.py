r"""What an iteration moves on: the mean losses of retain and forget set, the ridge, and the oracle, for any problem."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from ascentfail import stationary
from ascentfail.core.errors import invalid
from ascentfail.line import closed_form
from ascentfail.numerics.arithmetic import JAX
from ascentfail.problems import losses, own
from ascentfail.problems.own import Losses
from ascentfail.problems.paper import CrossCorrelated, SemiOrthogonal
from ascentfail.toy import network as toy
from ascentfail.toy import points as toy_points
from ascentfail.toy.network import ToyLandscape


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


def of(problem: Any, start: Any, key: Any = None) -> Objective:
    """The objective of a problem.

    Args:
        problem: SemiOrthogonal, CrossCorrelated, ToyLandscape or Losses.
        start: the weights that a run starts from; the leaves that stay keep its values.
        key: of the run, for `Losses` without data that are called with one; None without.

    Returns:
        Objective. The two weights of the plane are two leaves, so that a batch of problems is two contiguous arrays.
    """
    if isinstance(problem, Losses):
        moving, means = own.parts(start, problem.fixed), own.caller(problem, key)
        return _objective(problem, 1, lambda w, batch: means(moving.join(w), batch), moving.split, moving.join)
    problem = _in_type_of(start, problem)
    toy_ridge = 2 if isinstance(problem, ToyLandscape) else 1  # ridge (a^2 + b^2), without the half

    def mean_losses(w: Any, batch: Any) -> tuple[jax.Array, jax.Array]:
        drawn = problem if batch is None else _in_type_of(start, batch)
        if isinstance(drawn, ToyLandscape):
            return toy.mean_losses(drawn, w)
        return losses.means_at(drawn, *losses.margins(drawn, w))

    if isinstance(problem, CrossCorrelated):
        plane = _objective(problem, 1, mean_losses, lambda weights: (weights[0], weights[1]), lambda w: jnp.stack(w, axis=-1))
        return plane._replace(admits=lambda w: _admits(problem, w))
    line = _objective(problem, toy_ridge, mean_losses, lambda weights: weights, lambda w: w)
    return line._replace(admits=lambda w: _admits(problem, w))


def _in_type_of(weights: Any, problem: Any) -> Any:
    """The problem with numbers of the weights' type: a float32 problem is iterated on in the precision of its start."""
    return jax.tree.map(lambda number: jnp.asarray(number).astype(weights.dtype), problem)


def _admits(problem: Any, w: Any) -> Any:
    """Whether the losses of one of the paper's problems are finite: only the exponential ones overflow, at one margin."""
    loss = getattr(problem, "loss", None)
    if loss is None or loss.bounded:
        return True
    margins = losses.margins(problem, w)
    # a thousandth inside, so that no rounding of the exponential decides
    least = 1e-3 - float(np.log(float(jnp.finfo(margins[0].dtype).max)))
    return jnp.all(jnp.minimum(*margins) >= least)


def _objective(problem: Any, ridges: int, means: Any, split: Any, join: Any) -> Objective:
    def ridge_gradient(w: Any) -> Any:
        return jax.tree.map(lambda leaf: ridges * jnp.asarray(problem.ridge).astype(leaf.dtype) * leaf, w)

    def ridge(w: Any) -> jax.Array:
        return ridges / 2 * problem.ridge * squared_norm(w)

    return Objective(means, ridge, ridge_gradient, split, join)


def squared_norm(w: Any) -> jax.Array:
    """The sum of the squares of all leaves, in the widest of their types and float32 at least: a float16 ends at 255^2."""
    leaves = jax.tree.leaves(w)
    dtype = own.widest(*leaves, np.float32(0))
    return functools.reduce(jnp.add, [jnp.sum(jnp.square(leaf.astype(dtype))) for leaf in leaves])


def start_and_oracle(problem: Any, start: Any, oracle: Any, key: Any = None, batch_size: int | None = None) -> tuple[Any, Any]:
    """The start and the oracle's weights as arrays of the problem's shape.

    Args:
        problem: as in `of`.
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
    if isinstance(problem, Losses):
        start, oracle = own.weights_of(problem, start, oracle)
        own.check_calls(problem, start, oracle, key, batch_size)
        return start, oracle
    if not isinstance(problem, SemiOrthogonal | CrossCorrelated | ToyLandscape):
        raise invalid("problem", problem, "SemiOrthogonal, CrossCorrelated, ToyLandscape or ascentfail.Losses")
    target = "oracle" if oracle is None else oracle
    weights = {"start": _weights(problem, "start", start), "oracle": _weights(problem, "oracle", target)}
    for name, given in (("start", start), ("oracle", target)):
        if not isinstance(given, str) and not own.is_finite(_means(problem, weights[name])):
            raise invalid(name, given, "weights at which both mean losses are finite numbers")
    dtype = own.widest(*weights.values())
    return weights["start"].astype(dtype), weights["oracle"].astype(dtype)


@jax.jit
def _means(problem: Any, weights: jax.Array) -> jax.Array:
    objective = of(problem, weights)
    return jnp.stack(objective.means(objective.split(weights), None))


def _model(problem: Any, name: str, which: str) -> jax.Array:
    """A model's weights; the toy network's are its global minimum."""
    if which not in ("original", "oracle"):
        raise invalid(name, which, "weights, 'original' or 'oracle'")
    if isinstance(problem, ToyLandscape):
        return jnp.asarray(toy_points.stationary_points(problem, "original" if which == "original" else "oracle").parameters[0])
    return _linear_model(problem, which)


@functools.partial(jax.jit, static_argnames="which")
def _linear_model(problem: Any, which: Any) -> jax.Array:
    if isinstance(problem, SemiOrthogonal):
        return jnp.broadcast_to(problem.loss.weight(closed_form.coefficient(problem, which), JAX), problem.axes)
    return stationary.stationary_point(problem, which).weights


def _weights(problem: Any, name: str, value: Any) -> jax.Array:
    if isinstance(value, str):
        return _model(problem, name, value)
    shape = (2,) if isinstance(problem, ToyLandscape) else losses.weight_shape(problem)
    takes = f"finite real weights of shape {shape}"
    try:
        array = jnp.asarray(value)
        array = array if jnp.issubdtype(array.dtype, jnp.complexfloating) else array.astype(float)
    except (TypeError, ValueError) as error:
        raise invalid(name, value, takes) from error
    if array.shape != shape or jnp.issubdtype(array.dtype, jnp.complexfloating) or not own.is_finite(array):
        raise invalid(name, value, takes)
    return array
