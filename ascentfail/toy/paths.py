r"""Where the toy network's parameters go: gradient flow, basins of attraction, fine-tuning on the retain set.

Gradient flow is stepped with the flow of the quadratic model at the current point, which is exact where the loss is quadratic and
has no trouble with its stiffness (the curvatures differ by a factor of thousands):

    theta + h phi(-h H)(-g),   phi(x) = (e^x - 1)/x;    error about h |g(theta') - g - H (theta' - theta)|/3

`flow.gradient_flow` integrates any problem up to given times, by explicit steps that stiffness keeps short. Here thousands of
starts run until they rest, whenever that is, and these steps, for which a Hessian of two parameters is cheap, cost a quarter;
the tests hold both to the same path. Where a proof is asked for, `toy.verified_flow` follows the flow instead.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from ascentfail.core.errors import invalid
from ascentfail.core.explained import check_key, explained, reals
from ascentfail.core.models import Model
from ascentfail.core.precision import require_x64
from ascentfail.numerics.loops import depend_on
from ascentfail.toy import network as toy
from ascentfail.toy.network import Terms, ToyLandscape
from ascentfail.toy.points import concrete, stationary_points

_TOLERANCE = 1e-6  # of one step of the flow
_ROUGH = 1e-5  # where only the end matters
_STILL = 1e-7  # |gradient| at which the flow has arrived, in units of the ridge
_LONGEST = 4000  # steps of the flow
_NEAR = 1e-2  # of a minimum: its own basin, as far as a settled point is concerned
_CHUNK = 4096


class _State(NamedTuple):
    theta: jax.Array
    time: jax.Array
    step: jax.Array
    slope: jax.Array
    steps: jax.Array


def _gradient(p: Terms, theta: Any) -> tuple[jax.Array, Any]:
    _, slope, bend = toy.expansion(p, theta)
    return jnp.stack(slope), bend


def _drift(g: Any, bend: Any, h: Any) -> Any:
    """-h phi(-h H) g for the symmetric H = (aa, ab, bb)."""
    aa, ab, bb = bend
    mean, half = (aa + bb) / 2, (aa - bb) / 2
    spread = jnp.sqrt(half * half + ab * ab)
    safe = jnp.maximum(spread, 1e-12)

    def phi(rate: Any) -> Any:
        x = -h * jnp.where(jnp.abs(h * rate) < 1e-8, 1e-8 / jnp.maximum(h, 1e-300), rate)
        return jnp.expm1(jnp.minimum(x, 50.0)) / x

    high, low = phi(mean + safe), phi(mean - safe)
    even, odd = (high + low) / 2, (high - low) / (2 * safe)
    along = jnp.stack([half * g[0] + ab * g[1], ab * g[0] - half * g[1]])
    return -h * (even * g + odd * along)


def _step(p: Terms, s: _State, tolerance: float = _TOLERANCE) -> _State:
    """One step of the flow, taken if its error is within the tolerance; the next one is as long as the error allows."""
    g, bend = _gradient(p, s.theta)
    move = _drift(g, bend, s.step)
    after, _ = _gradient(p, s.theta + move)
    aa, ab, bb = bend
    rest = after - g - jnp.stack([aa * move[0] + ab * move[1], ab * move[0] + bb * move[1]])
    error = s.step * jnp.linalg.norm(rest) / 3
    good = (error <= tolerance) & (jnp.linalg.norm(move) <= 0.5)
    factor = jnp.clip(0.9 * jnp.cbrt(tolerance / jnp.maximum(error, 1e-300)), 0.2, 4.0)
    factor = jnp.where(good, factor, jnp.minimum(factor, 0.5))
    theta = jnp.where(good, s.theta + move, s.theta)
    time = s.time + jnp.where(good, s.step, 0.0)
    slope = jnp.where(good, jnp.linalg.norm(after), jnp.linalg.norm(g))
    return _State(theta, time, jnp.clip(s.step * factor, 1e-12, 1e6), slope, s.steps + 1)


def _begin(p: Terms, theta: Any) -> _State:
    g, _ = _gradient(p, theta)
    return _State(
        theta, jnp.zeros(()), jnp.full((), 1e-3), jnp.linalg.norm(g), jnp.zeros((), jnp.int32)
    )


def _flow_end(p: Terms, theta: Any) -> jax.Array:
    """Where gradient flow from theta comes to rest."""

    def moving(s: _State) -> Any:
        return (s.slope > _STILL * p.ridge) & (s.steps < _LONGEST)

    return jax.lax.while_loop(moving, lambda s: _step(p, s, _ROUGH), _begin(p, theta)).theta


@jax.jit
def _flow_ends(p: Terms, starts: jax.Array) -> jax.Array:
    return jax.lax.map(lambda theta: _flow_end(p, theta), starts, batch_size=_CHUNK)


@explained
def flow(
    t: ToyLandscape, theta: Any, which: Model, steps: int = 1000
) -> tuple[np.ndarray, np.ndarray]:
    """The path of gradient flow d theta/dt = -grad L from a point.

    Args:
        t: the landscape.
        theta: (2,) finite start (a, b).
        which: "original", "oracle" or "descent_ascent".
        steps: >= 1, of the integrator; the path ends earlier where it has come to rest.

    Returns:
        path (k, 2), the start first; times (k,). Each step errs by at most about 1e-6.

    Raises:
        ValueError: unknown model, a start of another shape, or no number of steps.
        PrecisionError: JAX computes in float32.

    Paper: Sec. 5.2, Fig. 5.
    """
    require_x64("landscape.flow")
    if isinstance(steps, bool) or not isinstance(steps, int | np.integer) or steps < 1:
        raise invalid("steps", steps, "a whole number >= 1")
    p = concrete(t, which)
    path, times, slope = (np.asarray(v) for v in _walk(p, _start(theta), int(steps)))
    rest = np.flatnonzero(slope <= _STILL * float(p.ridge))
    last = int(rest[0]) + 1 if len(rest) else len(path)
    moved = np.r_[True, np.diff(times[:last]) > 0]  # rejected steps leave the point where it was
    return path[:last][moved], times[:last][moved]


@functools.partial(jax.jit, static_argnums=2)
def _walk(p: Terms, start: Any, steps: int) -> tuple[jax.Array, jax.Array, jax.Array]:
    def body(s: _State, _: Any) -> tuple[_State, Any]:
        return _step(p, s), (s.theta, s.time, s.slope)

    return jax.lax.scan(body, _begin(p, start), None, steps)[1]


def _start(theta: Any) -> jax.Array:
    theta = jnp.asarray(reals("theta", theta, "two finite parameters (a, b)"))
    if theta.shape != (2,) or not np.isfinite(np.asarray(theta)).all():
        raise invalid("theta", theta, "two finite parameters (a, b)")
    return theta


@explained
def settle(t: ToyLandscape, points: Any, which: Model) -> np.ndarray:
    """Which minimum gradient flow reaches from each point, the limit of d theta/dt = -grad L.

    Args:
        t: the landscape.
        points: (n, 2) finite starts (a, b).
        which: "original", "oracle" or "descent_ascent".

    Returns:
        (n,) int, the place of the minimum in `stationary_points(t, which).minima()`; -1 where it does not come near one (starts
        on the border between two basins, or not finite).

    Raises:
        ValueError: unknown model, or points of another shape.
        PrecisionError: JAX computes in float32.

    Paper: Sec. 5.2.
    """
    require_x64("landscape.settle")
    points = np.asarray(reals("points", points, "an array of shape (n, 2)"))
    if points.ndim != 2 or points.shape[1] != 2:
        raise invalid("points", points, "an array of shape (n, 2)")
    p, minima = concrete(t, which), stationary_points(t, which).minima().parameters
    finite = np.isfinite(points).all(1)
    half = np.array(toy.reach(p))
    # gradient flow from outside the box of `toy.reach` enters it: start on its edge instead of at 1e8
    ends = np.asarray(
        _flow_ends(
            p, jnp.asarray(np.where(finite[:, None], np.clip(points, -50 * half, 50 * half), 0.0))
        )
    )
    gap = np.abs(ends[:, None] - minima[None]).max(-1)
    return np.where(finite & (gap.min(1) < _NEAR), gap.argmin(1), -1)


@explained
def basins(t: ToyLandscape, which: Model, a: Sequence[float], b: Sequence[float]) -> np.ndarray:
    """Basins of attraction of gradient descent with small steps (gradient flow, d theta/dt = -grad L) on a grid.

    Args:
        t: the landscape.
        which: "original", "oracle" or "descent_ascent".
        a: (k,) finite values of the first parameter.
        b: (l,) finite values of the second.

    Returns:
        (k, l) int, the place of the minimum reached in `stationary_points(t, which).minima()`; -1 where undecided.

    Raises:
        ValueError: unknown model, or axes that are not lists of numbers.
        PrecisionError: JAX computes in float32.

    Paper: Sec. 5.2, Fig. 5.
    """
    axes = [
        np.asarray(reals(name, v, "a list of finite numbers"))
        for name, v in zip("ab", (a, b), strict=True)
    ]
    for name, axis in zip("ab", axes, strict=True):
        if axis.ndim != 1 or not np.isfinite(axis).all():
            raise invalid(name, axis, "a list of finite numbers")
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), -1)
    return settle(t, grid.reshape(-1, 2), which).reshape(grid.shape[:2])


@jax.jit
def _descend(p: Terms, start: Any, step_sizes: Any) -> Any:
    def body(theta: Any, eta: Any) -> tuple[Any, None]:
        return theta - eta * _gradient(p, theta)[0], None

    return jax.lax.scan(body, depend_on(start, (p, step_sizes)), step_sizes)[0]


@jax.jit
def _descend_by_samples(p: Terms, start: Any, step_sizes: Any, key: Any) -> Any:
    """One sample a step, drawn as often as it occurs; its gradient, times the number of samples, is right on average."""
    total = jnp.sum(p.weight)

    def body(theta: Any, now: Any) -> tuple[Any, None]:
        eta, one = now
        drawn = jax.random.choice(one, 4, p=p.weight / total)
        return theta - eta * _gradient(
            p._replace(weight=total * jax.nn.one_hot(drawn, 4, dtype=theta.dtype)), theta
        )[0], None

    start = depend_on(start, (p, step_sizes, key))
    return jax.lax.scan(body, start, (step_sizes, jax.random.split(key, len(step_sizes))))[0]


@explained
def fine_tune(
    t: ToyLandscape, theta: Any, step_sizes: Any, key: Any = None, which: Model = "oracle"
) -> jax.Array:
    """Gradient descent on the retain loss with a given schedule.

        theta <- theta - step_size grad L_R(theta);   with a key, the gradient of one sample drawn at random, times their number

    Args:
        t: the landscape, concrete or traced.
        theta: (2,) any start (a, b).
        step_sizes: (n,) positive numbers, one for each step; a burst is a schedule that begins with a few larger ones.
        key: typed key, jax.random.key(seed), for single-sample noise; None for the full gradient.
        which: "original", "oracle" or "descent_ascent"; with a key its weights must be >= 0.

    Returns:
        (2,) parameters after the last step; not finite where the iteration diverged. `settle` says in whose basin they lie.

    Raises:
        ValueError: unknown model, start or schedule of another shape, or no typed key.

    Paper: Sec. 5.2.
    """
    theta = jnp.asarray(reals("theta", theta, "two parameters (a, b)"))
    step_sizes = jnp.asarray(reals("step_sizes", step_sizes, "a list of one or more step sizes"))
    if theta.shape != (2,):
        raise invalid("theta", theta, "two parameters (a, b)")
    if step_sizes.ndim != 1 or not len(step_sizes):
        raise invalid("step_sizes", step_sizes, "a list of one or more step sizes")
    p = Terms(*(jnp.asarray(v, float) for v in toy.terms(t, which)))
    if key is None:
        return _descend(p, theta, step_sizes)
    check_key(key)
    return _descend_by_samples(p, theta, step_sizes, key)
