r"""Single steps of a gradient flow: an explicit one for flows that are not stiff, an implicit one for those that are."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from ascentfail.dynamics.stopping import DIVERGED, where
from ascentfail.numerics.loops import depend_on
from ascentfail.problems.protocol import squared_norm, widest

RUNNING, LOST, STUCK = 0, 1, 2  # status of an integration; LOST: diverged, STUCK: not resolved

# Dormand and Prince's pair of orders 5 and 4: stages, weights of the fifth order, and its difference from the fourth.
_STAGES = (
    (1 / 5,),
    (3 / 40, 9 / 40),
    (44 / 45, -56 / 15, 32 / 9),
    (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
    (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
    (35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84),
)
_ERROR = (71 / 57600, 0.0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40)

_ROWS = 8  # of the extrapolation: its order


class State(NamedTuple):
    """An integration under way.

    Attributes:
        w: pytree of finite weights.
        velocity: the field there.
        left: scalar >= 0, the time left.
        step: scalar > 0, the step that is tried next.
        tries: int32 >= 0, steps tried in this block.
        status: int32, RUNNING, LOST or STUCK.
        stiff: boolean, whether the implicit step is in use.
        limit: scalar >= 0; a step below it that fails has met a jump of the field.
        hit: boolean, whether one has.
        kinks: see `dynamics.flow_kinks.Kinks`, None for a smooth field.
    """

    w: Any
    velocity: Any
    left: jax.Array
    step: jax.Array
    tries: jax.Array
    status: jax.Array
    stiff: jax.Array
    limit: jax.Array
    hit: jax.Array
    kinks: Any = None


class Tolerance(NamedTuple):
    """The error allowed in a step, atol + rtol |weight|; rtol not below a few units in the last place of the weight.

    Attributes:
        rtol: scalar in (0, 1).
        atol: scalar in (0, 1).
    """

    rtol: Any
    atol: Any


def allowed(tolerance: Tolerance, *ws: Any) -> Any:
    """The error allowed in each weight, atol + rtol max |w|.

    Args:
        tolerance: see `Tolerance`.
        ws: pytrees of finite weights, one or more of one structure.

    Returns:
        A pytree of that structure. Never raises.
    """

    def one(*leaves: Any) -> jax.Array:
        size = functools.reduce(jnp.maximum, [jnp.abs(leaf) for leaf in leaves])
        rtol, atol = (jnp.asarray(t).astype(size.dtype) for t in tolerance)
        return atol + jnp.maximum(rtol, 8 * jnp.finfo(size.dtype).eps) * size

    return jax.tree.map(one, *ws)


def largest(tree: Any, unit: Any) -> jax.Array:
    """The largest |tree| / unit over all entries.

    Args:
        tree: pytree of finite floats.
        unit: pytree of its structure, > 0.

    Returns:
        A scalar >= 0, NaN where an entry is.
    """
    ratios = [
        jnp.max(jnp.abs(a) / b)
        for a, b in zip(jax.tree.leaves(tree), jax.tree.leaves(unit), strict=True)
    ]
    dtype = widest(*ratios, np.float32(0))
    return functools.reduce(jnp.maximum, [ratio.astype(dtype) for ratio in ratios])


def flat(w: Any) -> tuple[jax.Array, Callable[[jax.Array], Any]]:
    """The weights as one vector of their widest type, float32 at least, and the way back.

    Args:
        w: pytree of n finite weights.

    Returns:
        x: (n,) array with x = all entries of w. back: function, the inverse. Never raises.
    """
    leaves, tree = jax.tree.flatten(w)
    dtype = widest(*leaves, np.float32(0))
    x = jnp.concatenate([jnp.ravel(leaf).astype(dtype) for leaf in leaves])
    ends = np.cumsum([leaf.size for leaf in leaves])[:-1]

    def back(x: jax.Array) -> Any:
        parts = zip(jnp.split(x, ends), leaves, strict=True)
        return jax.tree.unflatten(
            tree, [part.reshape(leaf.shape).astype(leaf.dtype) for part, leaf in parts]
        )

    return x, back


def _combine(w: Any, step: Any, weights: tuple[float, ...], slopes: list[Any]) -> Any:
    """The weights moved by step times the weighted sum of the slopes."""
    used = [(c, slope) for c, slope in zip(weights, slopes, strict=False) if c]

    def move(leaf: Any, *ks: Any) -> Any:
        return leaf + step.astype(leaf.dtype) * sum(
            c * k for (c, _), k in zip(used, ks, strict=True)
        )

    return jax.tree.map(move, w, *(slope for _, slope in used))


def explicit(
    field: Callable[[Any], Any], state: State, tolerance: Tolerance, rolled: bool = False
) -> State:
    """One trial step of Dormand and Prince, accepted where its error is within the tolerance.

    Args:
        field: w -> velocity, a function of the weights.
        state: see `State`.
        tolerance: see `Tolerance`.
        rolled: boolean, whether the stages are a loop, which compiles faster and runs slower.

    Returns:
        The State after it. Never raises.
    """
    step = jax.lax.stop_gradient(jnp.minimum(state.step, state.left))
    if rolled:
        return _judged(state, step, *_rolled(field, state, step), 5, tolerance)
    slopes = [state.velocity]
    new = state.w
    for row in _STAGES:
        new = _combine(state.w, step, row, slopes)
        slopes.append(field(new))
    error = _combine(jax.tree.map(jnp.zeros_like, new), step, _ERROR, slopes)
    return _judged(state, step, new, slopes[-1], error, 5, tolerance)


def _rolled(field: Callable[[Any], Any], state: State, step: jax.Array) -> tuple[Any, Any, Any]:
    """The new weights, the velocity there and the error, with the stages in a loop."""
    x, back = flat(state.w)
    step = step.astype(x.dtype)
    table = np.zeros((6, 7))
    for row, weights in zip(table, _STAGES, strict=True):
        row[: len(weights)] = weights

    def stage(slopes: jax.Array, at: Any) -> tuple[jax.Array, jax.Array]:
        index, weights = at
        new = x + step * (weights @ slopes)
        return slopes.at[index].set(flat(field(back(new)))[0]), new

    first = jnp.zeros((7, x.size), x.dtype).at[0].set(flat(state.velocity)[0])
    slopes, news = jax.lax.scan(stage, first, (jnp.arange(1, 7), jnp.asarray(table, x.dtype)))
    return back(news[-1]), back(slopes[-1]), back(step * (jnp.asarray(_ERROR, x.dtype) @ slopes))


def jacobian(field: Callable[[Any], Any], w: Any) -> jax.Array:
    """The dense derivative of a field, by columns.

    Args:
        field: w -> velocity, a function of the weights.
        w: pytree of n finite weights.

    Returns:
        J = d field / d w, an array of shape (n, n). Never raises.
    """
    x, back = flat(w)
    return jax.jacfwd(lambda x: flat(field(back(x)))[0])(x)


def _extrapolation() -> tuple[np.ndarray, np.ndarray]:
    """How the rows of 1, 2, ... substeps combine: the result, and its difference from the one without the first row."""

    def weights(counts: list[int]) -> list[float]:
        return [float(np.prod([n / (n - m) for m in counts if m != n])) for n in counts]

    counts = list(range(1, _ROWS + 1))
    full = np.array(weights(counts))
    return full, full - np.array([0.0, *weights(counts[1:])])


def implicit(field: Callable[[Any], Any], state: State, tolerance: Tolerance) -> State:
    r"""One trial step of the linearly implicit Euler method, extrapolated over 1, 2, ..., 8 substeps; for stiff flows.

        w_{i+1} = w_i + (1 - h J)^{-1} h field(w_i),   J the derivative of the field at the start of the step

    The method is of order 8, damps what decays fast at any step, and needs no table of coefficients. It costs n directional
    derivatives of the field, so it is for models of a few hundred weights.

    Args:
        field: w -> velocity, a function of the weights.
        state: see `State`.
        tolerance: see `Tolerance`.

    Returns:
        The State after it, with the velocity of before; `stiff` where the explicit step would still be short. Never raises.

    Source: Deuflhard, Order and stepsize control in extrapolation methods; Hairer and Wanner, Solving ODEs II, IV.9.
    """
    step = jax.lax.stop_gradient(jnp.minimum(state.step, state.left))
    x, back = flat(state.w)
    size, dtype = x.size, x.dtype
    slope = jacobian(field, state.w)
    substeps = step.astype(dtype) / jnp.arange(1, _ROWS + 1, dtype=dtype)
    solves = jnp.linalg.inv(
        jnp.eye(size, dtype=dtype)[None] - substeps[:, None, None] * slope[None]
    )

    def velocity(moved: jax.Array) -> jax.Array:
        return flat(field(back(x + moved)))[0]

    def substep(moved: jax.Array, index: jax.Array) -> tuple[jax.Array, None]:
        way = substeps[:, None] * jax.vmap(velocity)(moved)
        after = moved + jnp.einsum("kij,kj->ki", solves, way)
        return jnp.where((index < jnp.arange(1, _ROWS + 1))[:, None], after, moved), None

    moved, _ = jax.lax.scan(
        substep, jnp.zeros((_ROWS, size), dtype) + 0 * x[None], jnp.arange(_ROWS)
    )
    result, difference = (jnp.asarray(c, dtype) @ moved for c in _extrapolation())
    new = back(x + result)
    tried = _judged(state, step, new, state.velocity, back(difference), _ROWS, tolerance)
    steep = jax.lax.stop_gradient(jnp.sqrt(jnp.sum(slope * slope)))
    return tried._replace(stiff=tried.step.astype(dtype) * steep > 0.5)


def settled(field: Callable[[Any], Any], state: State, tolerance: Tolerance) -> State:
    r"""The end of a flow that rests: where one implicit step over all the time left moves no weight beyond the error allowed.

        d = (1 - h J)^{-1} h field(w) by conjugate gradients, h the time left;   w + d, h = 0 where |d| <= 10 (atol + rtol |w|)

    The flow goes on where the gradients do not converge in 100 iterations, or find a direction in which it grows. For models too
    large for the implicit step: explicit ones tremble about the point of rest, so that their velocity does not say it.

    Args:
        field: w -> velocity, a function of the weights.
        state: see `State`.
        tolerance: see `Tolerance`.

    Returns:
        The State after it. Never raises.

    Source: Hestenes and Stiefel, Methods of conjugate gradients for solving linear systems.
    """
    x, back = flat(state.w)
    time = jax.lax.stop_gradient(state.left).astype(x.dtype)

    def velocity(y: jax.Array) -> jax.Array:
        return flat(field(back(y)))[0]

    def operator(way: jax.Array) -> jax.Array:
        return way - time * jax.jvp(velocity, (x,), (way,))[1]

    def solve(operator: Callable[[Any], Any], right: jax.Array) -> jax.Array:
        size = jnp.sum(right * right)

        def iterate(carry: Any) -> Any:
            count, found, rest, way, square, _ = carry
            image = operator(way)
            curvature = jnp.sum(way * image)
            length = square / jnp.where(curvature > 0, curvature, 1.0)
            rest, found = rest - length * image, found + length * way
            now = jnp.sum(rest * rest)
            return count + 1, found, rest, rest + now / square * way, now, curvature

        def on(carry: Any) -> jax.Array:
            return (carry[0] < 100) & (carry[4] > 1e-6 * size) & (carry[5] > 0)

        first = depend_on(
            (jnp.int32(0), jnp.zeros_like(right), right, right, size, jnp.ones_like(size)),
            (right, time),
        )
        end = jax.lax.while_loop(on, iterate, first)
        return jnp.where((end[4] <= 1e-6 * size) & (end[5] > 0), end[1], jnp.inf)

    moved = jax.lax.custom_linear_solve(
        operator, time * flat(state.velocity)[0], solve, solve, symmetric=True
    )
    still = largest(jax.lax.stop_gradient(moved), flat(allowed(tolerance, state.w))[0]) <= 10
    w = back(x + jnp.where(still, moved, 0.0))
    return state._replace(
        w=w, velocity=where(still, field(w), state.velocity), left=jnp.where(still, 0.0, state.left)
    )


def _judged(
    state: State, step: Any, new: Any, velocity: Any, error: Any, order: int, tolerance: Tolerance
) -> State:
    """The state after a trial step: moved where its error is within the tolerance, with the step to try next."""
    size = jax.lax.stop_gradient(largest(error, allowed(tolerance, state.w, new))).astype(
        state.step.dtype
    )
    good = size <= 1  # NaN is not
    factor = jnp.where(size > 0, 0.9 * jnp.where(size > 0, size, 1.0) ** (-1 / order), 5.0)
    factor = jnp.where(jnp.isfinite(size), jnp.clip(factor, 0.2, 5.0), 0.2)
    w = where(good, new, state.w)
    lost = ~(squared_norm(w) <= DIVERGED**2) | (step <= 0)
    kept = jnp.where(
        good & (step < state.step), jnp.maximum(state.step, step * factor), step * factor
    )
    return state._replace(
        w=where(lost, state.w, w),
        velocity=where(good & ~lost, velocity, state.velocity),
        left=jnp.where(good, state.left - step, state.left),
        step=jax.lax.stop_gradient(kept),
        tries=state.tries + 1,
        status=jnp.where(lost, LOST, state.status),
        hit=~good & jnp.isfinite(size) & (step < state.limit),
    )
