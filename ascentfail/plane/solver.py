r"""Stationary points in the plane where no closed form exists, in JAX.

With (1 + eps^2) w = s_1 (1, eps) + s_2 (eps, 1) the two stationarity equations of the plane are

    s_1 = beta l(x),   |s_2| = gamma l(y),   x = s_1 + q s_2,   y = q s_1 + s_2,     l(m) = e^{-m} or 1/(1 + e^m),

and for a given size S = |s_2| the first one is solved by a Lambert W (exponential loss) or a monotone scalar equation. What is
left is one equation g(ln S) = 0 in one unknown, increasing for the original; for descent-ascent under the exponential loss it
is unimodal, so that its maximum (the fold) decides whether a minimum exists. The iterations below are kept in a bracket, have a
greatest count, and work one problem at a time: batching is the caller's `vmap`. Derivatives come from the implicit function
theorem.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from ascentfail.numerics.arithmetic import JAX
from ascentfail.numerics.loops import depend_on, in_chunks
from ascentfail.numerics.sample_losses import Loss
from ascentfail.numerics.special import lambertw_exp_and_log, log_lambertw_exp_start
from ascentfail.plane import equations as plane_equations
from ascentfail.plane import fold as plane_fold


def _margins(s1: Any, s2: Any, q: Any, rest: Any) -> tuple[Any, Any]:
    """Margins (x, y); where two large pulls nearly cancel, the products with q would round each margin its own way."""
    opposed, both = (s2 < 0) & (q > 0.5), s1 + s2
    x, y = plane_equations.margins(s1, s2, q)
    return jnp.where(opposed, both - rest * s2, x), jnp.where(opposed, both - rest * s1, y)


class _Balance(NamedTuple):
    """g at ln S, its first two derivatives there (the second only for the exponential loss, else 0), and its rounding."""

    value: Any
    slope: Any
    bend: Any
    rounding: Any


def _balance(
    v: Any, log_beta: Any, log_gamma: Any, q: Any, rest: Any, sign: int, loss: Loss
) -> _Balance:
    """g(v), v = ln S; for the exponential loss g is `plane.equations.balance`."""
    size = jnp.exp(v)
    s1, log_s1 = loss.pull_and_log(log_beta, sign * q * size)
    x, y = _margins(s1, sign * size, q, rest)
    terms = s1 + size
    if (
        sign < 0
    ):  # by the first equation psi(x) is also ln(beta/s_1), in which large pulls do not cancel
        psi_x = log_beta - log_s1
        share = loss.slope_at_flatness(psi_x)
        sharp = (jnp.abs(log_beta) + jnp.abs(log_s1)) / share
        better = (share > 0) & (sharp < terms)
        sharp_x = loss.margin_at_flatness(psi_x, jnp.where(better, share, 1))
        x = jnp.where(better, sharp_x, x)
        y = jnp.where(better, sharp_x - rest * terms, y)
        terms = jnp.where(better, sharp + rest * terms, terms)
    a, c = loss.flatness_slope(x, JAX) * s1, loss.flatness_slope(y, JAX) * size
    over = 1 / (1 + a)
    change = sign * c * (1 + rest * (1 + q) * a) * over
    bend = (
        change + q * q * q * size * size * s1 * over * over * over
        if loss.straight
        else jnp.zeros_like(v)
    )
    rounding = jnp.finfo(v.dtype).eps * (
        jnp.abs(v) + jnp.abs(log_gamma) + loss.flatness_slope(y, JAX) * terms
    )
    return _Balance(v + loss.flatness(y, JAX) - log_gamma, 1 + change, bend, rounding)


def _bracket(
    log_beta: Any, log_gamma: Any, q: Any, rest: Any, sign: int, loss: Loss
) -> tuple[Any, Any, Any, Any]:
    """Bracket (lower, upper) of ln S, a start, and whether the root exists."""
    if sign > 0:
        alone = lambertw_exp_and_log(log_gamma)[1]  # S <= gamma e^{-S} where y >= S
        upper = jnp.minimum(alone, log_gamma) if loss.bounded else alone
        s1, _ = loss.pull_and_log(log_beta, jnp.zeros_like(q))
        lower = log_gamma - loss.flatness(q * s1 + jnp.exp(upper), JAX)
        start = (
            upper
            if loss.bounded
            else jnp.clip(_start_of_original(upper, log_beta, log_gamma, q), lower, upper)
        )
        return lower, upper, start, jnp.array(True)
    if loss.bounded:
        s1, _ = loss.pull_and_log(log_beta, -q * jnp.exp(log_gamma))
        lower = log_gamma - loss.flatness(q * s1, JAX)
        return lower, log_gamma, lower, jnp.array(True)
    a, size = plane_fold.fold(log_beta, q, rest, 1e-3)  # B to 1e-9 or so: g is flat there
    upper = jnp.log(size)
    top = _balance(
        upper, log_beta, log_gamma, q, rest, sign, loss
    )  # a minimum exists iff the maximum is positive
    height, tiny = jnp.maximum(top.value, 0), jnp.finfo(q.dtype).tiny
    # t = ln(S/B) solves e^t - 1 - t = height/bend next to the fold, and is -height - shift far from it, where S is small
    sharp = 1 / jnp.maximum(-top.bend, jnp.finfo(q.dtype).eps) - 1
    shift = jnp.maximum(size - 1 - q * (a - jnp.exp(log_lambertw_exp_start(log_beta))), tiny)
    depth = height * (1 + sharp / (1 + height * sharp / shift))
    r = jnp.sqrt(
        2 * depth
    )  # the rational function has the first three terms of -t at 0, and the first two at infinity
    near = upper - r * (1 + r * (5 / 8 + r * (11 / 48 + r / 16))) / (1 + r * (11 / 24 + r / 8))
    lower = (
        log_gamma - q * a - 1e-3 * (1 + q * a)
    )  # A grows with S; and a little lower, for the rounding
    return lower, upper, jnp.maximum(near, lower), top.value > 0


def _start_of_original(above: Any, log_beta: Any, log_gamma: Any, q: Any) -> Any:
    """A start ln S to about 1e-3, by a fixed-point and a Newton step with W to 1e-3: one step of the loop is left, not four."""
    s1 = jnp.exp(log_lambertw_exp_start(log_beta - q * jnp.exp(above)))
    v = log_lambertw_exp_start(log_gamma - q * s1)
    size = jnp.exp(v)
    s1 = jnp.exp(log_lambertw_exp_start(log_beta - q * size))
    return v - (v + size + q * s1 - log_gamma) / (1 + size * (1 - q * q * s1 / (1 + s1)))


@functools.partial(jax.custom_jvp, nondiff_argnums=(4, 5))
def solve_plane(q: Any, rest: Any, beta: Any, gamma: Any, sign: int, loss: Loss) -> tuple[Any, Any]:
    r"""The pulls (s_1, S) with s_1 = beta l(s_1 + sign q S) and S = gamma l(q s_1 + sign S).

    Args:
        q: cosine, 0 to 1.
        rest: 1 - q with every digit, which q itself has lost next to 1; a change of it counts as one of q only.
        beta: pull of the retain samples, >= 0.
        gamma: pull of the forget samples, >= 0.
        sign: +1 for the original, -1 for descent-ascent.
        loss: of one sample.

    Returns:
        (s_1, S), both >= 0; for descent-ascent the solution with the smallest S, which is its local minimum. NaN where none
        exists. Differentiable to every order.

    Source: our reduction of the stationarity equations of App. I.
    """
    dtype = jnp.result_type(q, beta, gamma, float)
    arrays = jnp.broadcast_arrays(*(jnp.asarray(value, dtype) for value in (q, rest, beta, gamma)))
    return _solver(sign, loss)(*arrays)


@functools.cache
def _solver(sign: int, loss: Loss) -> Callable[..., tuple[Any, Any]]:
    return in_chunks(functools.partial(_solve, sign=sign, loss=loss))


def _solve(q: Any, rest: Any, beta: Any, gamma: Any, *, sign: int, loss: Loss) -> tuple[Any, Any]:
    """The pulls of `solve_plane`, element by element, of arrays of one shape and type."""
    dtype = q.dtype
    tiny = jnp.finfo(
        dtype
    ).tiny  # stands for 0 in the logarithm, and gives a pull below every rounding error
    log_beta, log_gamma = jnp.log(jnp.maximum(beta, tiny)), jnp.log(jnp.maximum(gamma, tiny))
    lower, upper, start, exists = _bracket(log_beta, log_gamma, q, rest, sign, loss)

    def step(state: Any) -> Any:
        v, lower, upper, done = state
        value, slope, bend, rounding = _balance(v, log_beta, log_gamma, q, rest, sign, loss)
        lower, upper = jnp.where(value < 0, v, lower), jnp.where(value >= 0, v, upper)
        # the root of the parabola that touches g in v, like which g has two roots next to the fold; Newton where it has none
        square = slope * slope - 2 * value * bend
        both = slope + (
            jnp.where(square > 0, jnp.sqrt(jnp.maximum(square, 0)), slope)
            if loss.straight
            else slope
        )
        move = -2 * value / jnp.where(both == 0, 1, both)
        inside = (v + move >= lower) & (v + move <= upper)
        settled = (
            jnp.abs(value) <= 4 * rounding
        )  # the sign is rounding, and a bisection would leave the root again
        # with the bend, what is left after a move is its third power, and after `_polish` the square of that over the slope
        left = jnp.abs(move) ** 3 if loss.straight else jnp.inf
        enough = left <= jnp.maximum(rounding, jnp.sqrt(rounding * jnp.maximum(square, 0)) / 8)
        moved = jnp.where(inside, v + move, (lower + upper) / 2)
        return jnp.where(done | settled, v, moved), lower, upper, done | settled | (inside & enough)

    state = depend_on(
        (start, lower, upper, jnp.broadcast_to(~exists, jnp.shape(start))), (q, rest, beta, gamma)
    )
    v, _, _, _ = plane_fold.repeat(step, state, loss.steps)
    size = jnp.exp(v)
    s1, _ = loss.pull_and_log(log_beta, sign * q * size)
    # A loop, because the compiler would fuse unrolled steps into whatever reads the result, and evaluate each again for every
    # use: 1,000 times slower for one of four.
    given = q, rest, beta, gamma, sign, loss
    s1, size = jax.lax.fori_loop(
        0, loss.polish, lambda _, at: _polish(at[0], at[1], *given), (s1, size)
    )
    none = jnp.where(exists, jnp.zeros_like(q), jnp.nan)
    return s1 + none, size + none


def _polish(
    s1: Any, size: Any, q: Any, rest: Any, beta: Any, gamma: Any, sign: int, loss: Loss
) -> tuple[Any, Any]:  # fmt: skip
    """One Newton step on the two equations themselves, which ln S resolves only to |ln S| roundings."""
    x, y = _margins(s1, sign * size, q, rest)
    pull_x, pull_y = beta * loss.force(x, JAX), gamma * loss.force(y, JAX)
    bends = pull_x * loss.flatness_slope(x, JAX), pull_y * loss.flatness_slope(y, JAX)
    d1, d2, determinant = _linear(*bends, q, rest, sign, s1 - pull_x, size - pull_y)
    # the step has a rounding of eps (s_1 + S)/determinant, by which next to a fold it could leap to the other side
    safe = determinant > 16 * jnp.sqrt(jnp.finfo(s1.dtype).eps * (1 + s1 + size))
    good = safe & (s1 - d1 >= 0) & (size - d2 >= 0)
    return jnp.where(good, s1 - d1, s1), jnp.where(good, size - d2, size)


def _linear(
    dx: Any, dy: Any, q: Any, rest: Any, sign: int, r1: Any, r2: Any
) -> tuple[Any, Any, Any]:
    """(d_1, d_2) with d_1 + dx (d_1 +- q d_2) = r_1 and d_2 + dy (q d_1 +- d_2) = r_2, and the determinant.

    Next to q = 1, where dx and dy may both be large, the products of Cramer's rule cancel; their difference is written out here,
    and the margins' part of the solution comes first.
    """
    square = rest * (1 + q)
    determinant = 1 + (dx + sign * dy) + sign * square * dx * dy
    safe = jnp.where(determinant == 0, 1, determinant)
    x = ((1 + sign * square * dy) * r1 + sign * q * r2) / safe
    y = (q * r1 + sign * (1 + square * dx) * r2) / safe
    return r1 - dx * x, r2 - dy * y, determinant


@solve_plane.defjvp
def _solve_plane_jvp(sign: int, loss: Loss, primals: Any, tangents: Any) -> Any:
    q, rest, beta, gamma = primals
    dq, _, dbeta, dgamma = tangents
    s1, size = solve_plane(q, rest, beta, gamma, sign, loss)
    x, y = _margins(s1, sign * size, q, rest)
    slope_x, slope_y = loss.force(x, JAX), loss.force(y, JAX)
    dx, dy = (
        beta * slope_x * loss.flatness_slope(x, JAX),
        gamma * slope_y * loss.flatness_slope(y, JAX),
    )
    r1, r2 = slope_x * dbeta - dx * sign * size * dq, slope_y * dgamma - dy * s1 * dq
    d1, d2, _ = _linear(dx, dy, q, rest, sign, r1, r2)
    return (s1, size), (d1, d2)
