r"""The stationary weight under the logistic loss: the inverse of w -> w (1 + e^w), which is increasing on the whole line.

Stationarity on one coordinate is w = c/(1 + e^w); where the exponential loss has W(c), with two branches and an end at -1/e, the
logistic loss has one solution for every real c.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike
from mpmath import mp

from ascentfail.core.explained import no_number
from ascentfail.numerics.special import lambertw, lambertw_exp

_PULL_STEPS = 12
_STEPS = 8  # Newton steps that bring every start below to rounding, float64; one more would change nothing
LEAST_SLOPE = 0.86  # below 1 - e^{-2}, the least slope of w (1 + e^w), which it has at w = -2


@jax.custom_jvp
def _solve(c: jax.Array) -> jax.Array:
    d = jnp.abs(c)
    up = jnp.minimum(
        d / 2, lambertw(d)
    )  # w (1 + e^w) is at least 2 w and w e^w: Newton comes down from here
    down = -d / (1 + jnp.exp(-d * 3 / 4))
    w = jnp.where(c >= 0, up, down)

    def step(_: Any, w: jax.Array) -> jax.Array:
        e = jnp.exp(w)
        return w - (w * (1 + e) - c) / (1 + (1 + w) * e)

    w = jax.lax.fori_loop(0, _STEPS, step, w)
    return jnp.where(jnp.isinf(c), c, w)


@_solve.defjvp
def _solve_jvp(
    primals: tuple[jax.Array], tangents: tuple[jax.Array]
) -> tuple[jax.Array, jax.Array]:
    w = _solve(*primals)
    return w, tangents[0] / (1 + (1 + w) * jnp.exp(w))


def logisticw(c: ArrayLike) -> jax.Array:
    r"""The real w with w (1 + e^w) = c.

    Args:
        c: real, any shape and any value.

    Returns:
        w, of c's shape, increasing in c, differentiable to every order; infinite where c is, NaN where c is NaN.

    Raises:
        TypeError: c is not real.

    Ours: stationarity of ridge logistic regression on one coordinate, w = c/(1 + e^w).
    """
    if no_number(c) or jnp.iscomplexobj(c):
        raise TypeError(f"c = {c!r}: takes real numbers")
    value = jnp.asarray(c)
    if not jnp.issubdtype(value.dtype, jnp.floating):
        value = value.astype(jnp.result_type(float))
    return _solve(value)


def logisticw_mpmath(c: Any) -> Any:
    """The same at mpmath's working precision, by bisection and Newton from a bracket that contains the root."""
    c = mp.mpf(c)
    if not mp.isfinite(c) or c == 0:
        return c
    low, high = (mp.zero, c / 2) if c > 0 else (c, c / 2)
    with mp.extradps(10):
        w = min(high, mp.re(mp.lambertw(c))) if c > 0 else high
        while (
            True
        ):  # Newton from above on c > 0; on c < 0 a step that leaves the bracket is a bisection
            value = w * (1 + mp.exp(w)) - c
            low, high = (w, high) if value < 0 else (low, w)
            new = w - value / (1 + (1 + w) * mp.exp(w))
            if not low <= new <= high:
                new = (low + high) / 2
            if abs(new - w) <= abs(new) * mp.eps * 8:
                break
            w = new
    return +new


def pull_and_log(log_beta: Any, shift: Any) -> tuple[Any, Any]:
    """The s > 0 with s = beta/(1 + e^{s + shift}) in JAX, and its logarithm."""
    # softplus(m) >= max(m, 0) bounds the root from above, and Newton on a convex increasing function stays above it
    u = jnp.minimum(
        log_beta, log_beta - shift - lambertw_exp(log_beta - shift)
    )  # ln W(e^y) = y - W(e^y)

    def step(_: Any, u: Any) -> Any:
        s = jnp.exp(u)
        value = u + jax.nn.softplus(s + shift) - log_beta
        return u - value / (1 + jax.nn.sigmoid(s + shift) * s)

    s = jnp.exp(jax.lax.fori_loop(0, _PULL_STEPS, step, u))
    return s, jnp.log(s)


def pull_mpmath(log_beta: Any, shift: Any) -> Any:
    """The s > 0 with s = beta/(1 + e^{s + shift}), at mpmath's working precision.

    In u = ln s the equation u + softplus(e^u + shift) = ln beta is convex and increasing: Newton comes down from a start above.
    """
    with mp.extradps(10):
        bound = log_beta - shift  # softplus(m) >= m, so s e^s <= beta e^{-shift}
        u = min(log_beta, mp.log(mp.lambertw(mp.exp(bound)).real) if bound < 100 else mp.log(bound))
        while True:
            m = mp.exp(u) + shift
            step = (u + max(m, mp.zero) + mp.log1p(mp.exp(-abs(m))) - log_beta) / (
                1 + mp.exp(u) / (1 + mp.exp(-m))
            )
            u -= step
            if not abs(step) > (1 + abs(u)) * mp.eps * 8:
                break
        s = mp.exp(u)
    return +s


def logisticw_ball(c: Any) -> Any:
    """The same for an exact ball of python-flint: Newton, then a radius from the residual over the least slope."""
    w, last = c.lambertw() if c > 0 else c / 2, None
    while True:
        new = (w - (w * (1 + w.exp()) - c) / (1 + (1 + w) * w.exp())).mid()
        move = abs(new - w)
        if last is not None and not move < last:  # rounding has the last word
            break
        w, last = new, move
    return type(c)(new, (abs(new * (1 + new.exp()) - c) / LEAST_SLOPE).upper())
