r"""Stationary points in the plane where no closed form exists, in JAX.

With (1 + eps^2) w = s_1 (1, eps) + s_2 (eps, 1) the two stationarity equations of the plane are

    s_1 = beta l(x),   |s_2| = gamma l(y),   x = s_1 + q s_2,   y = q s_1 + s_2,     l(m) = e^{-m} or 1/(1 + e^m),

and for a given size S = |s_2| the first one is solved by a Lambert W (exponential loss) or a monotone scalar equation. What is
left is one equation g(ln S) = 0 in one unknown, increasing for the original; for descent-ascent under the exponential loss it
is unimodal, so that its maximum (the fold) decides whether a minimum exists. The Newton iterations below have a fixed count,
are kept in a bracket, and work one problem at a time: batching is the caller's `vmap`. Derivatives come from the implicit
function theorem.
"""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp

from ascentfail import closed_form
from ascentfail.losses import Loss
from ascentfail.special import lambertw, lambertw_exp

# Measured over b 1e-2..1e4, phi 1e-2..3, alpha/phi 1e-2..2, epsilon 0..1: the counts that bring every residual to rounding.
_NEWTON_STEPS = {"exponential": 14, "logistic": 36}
_FOLD_STEPS = 24
_INNER_STEPS = 12


def _psi(m: Any, loss: Loss) -> Any:
    """-ln l(m): one loss, two shapes, m or softplus(m)."""
    return m if loss == "exponential" else jax.nn.softplus(m)


def psi_slope(m: Any, loss: Loss) -> Any:
    """psi'(m) = -l'(m)/l(m), with psi = -ln l."""
    return jnp.ones_like(m) if loss == "exponential" else jax.nn.sigmoid(m)


def force(m: Any, loss: Loss) -> Any:
    """l(m), minus the derivative of the loss of one sample."""
    return jnp.exp(-m) if loss == "exponential" else jax.nn.sigmoid(-m)


def _retain_pull(log_beta: Any, shift: Any, loss: Loss) -> Any:
    """s_1 > 0 with ln s_1 + psi(s_1 + shift) = ln beta."""
    if loss == "exponential":
        return lambertw_exp(log_beta - shift)
    # softplus(m) >= max(m, 0) bounds the root from above, and Newton on a convex increasing function stays above it
    u = jnp.minimum(log_beta, log_beta - shift - lambertw_exp(log_beta - shift))  # ln W(e^y) = y - W(e^y)

    def step(_: Any, u: Any) -> Any:
        s = jnp.exp(u)
        value = u + jax.nn.softplus(s + shift) - log_beta
        return u - value / (1 + jax.nn.sigmoid(s + shift) * s)

    return jnp.exp(jax.lax.fori_loop(0, _INNER_STEPS, step, u))


def _margins(s1: Any, s2: Any, q: Any, rest: Any) -> tuple[Any, Any]:
    """Margins (x, y); where two large pulls nearly cancel, the products with q would round each margin its own way."""
    opposed, both = (s2 < 0) & (q > 0.5), s1 + s2
    x, y = closed_form.plane_margins(s1, s2, q)
    return jnp.where(opposed, both - rest * s2, x), jnp.where(opposed, both - rest * s1, y)


def _balance(v: Any, log_beta: Any, log_gamma: Any, q: Any, rest: Any, sign: int, loss: Loss) -> tuple[Any, Any, Any]:
    """g(ln S), its derivative and its rounding; for the exponential loss g is `closed_form.balance`."""
    size = jnp.exp(v)
    s1 = _retain_pull(log_beta, sign * q * size, loss)
    x, y = _margins(s1, sign * size, q, rest)
    terms = s1 + size
    if sign < 0:  # by the first equation psi(x) is also ln(beta/s_1), in which large pulls do not cancel
        log_s1 = jnp.log(s1)
        psi_x = log_beta - log_s1
        bend = jnp.ones_like(v) if loss == "exponential" else -jnp.expm1(-psi_x)
        sharp = (jnp.abs(log_beta) + jnp.abs(log_s1)) / bend
        better = (bend > 0) & (sharp < terms)
        sharp_x = psi_x + jnp.log(jnp.where(better, bend, 1))
        x = jnp.where(better, sharp_x, x)
        y = jnp.where(better, sharp_x - rest * (s1 + size), y)
        terms = jnp.where(better, sharp + rest * (s1 + size), terms)
    a, c = psi_slope(x, loss) * s1, psi_slope(y, loss) * size
    rounding = jnp.finfo(v.dtype).eps * (jnp.abs(v) + jnp.abs(log_gamma) + psi_slope(y, loss) * terms)
    return v + _psi(y, loss) - log_gamma, 1 + sign * c * (1 + rest * (1 + q) * a) / (1 + a), rounding


def fold_point(log_beta: Any, q: Any, rest: Any) -> tuple[Any, Any]:
    """(A, B) where minimum and saddle of descent-ascent meet (exponential loss)."""
    square = rest * (1 + q)  # 1 - q^2
    # A lies between W(beta e^q) and both e beta and W(beta e^{q/(1 - q^2)}), since 1 <= B <= 1/(1 - q^2)
    far = jnp.where(square > 0, lambertw_exp(log_beta + q / jnp.where(square > 0, square, 1)), jnp.inf)
    lower = lambertw_exp(log_beta + q)
    upper = jnp.maximum(lower, jnp.minimum(jnp.exp(1 + log_beta), far))

    def step(_: Any, carry: Any) -> Any:
        a, lower, upper = carry
        grown = a * (rest + square * a)
        # `closed_form.fold_equation`; A - q B as one fraction, since next to q = 1 the two are large and nearly the same
        value = jnp.log(a) - log_beta + (grown - q) / (1 + square * a)
        terms = jnp.abs(jnp.log(a)) + jnp.abs(log_beta) + (grown + q) / (1 + square * a)
        slope = 1 / a + _fold_slope(a, q, rest)
        lower, upper = jnp.where(value < 0, a, lower), jnp.where(value >= 0, a, upper)
        newton = a - value / slope
        inside = (newton >= lower) & (newton <= upper)
        # at the root the sign of the value is rounding, the bracket ends there, and a bisection would leave the root again
        settled = jnp.abs(value) <= 4 * jnp.finfo(a.dtype).eps * terms
        return jnp.where(settled, a, jnp.where(inside, newton, (lower + upper) / 2)), lower, upper

    a, _, _ = jax.lax.fori_loop(0, _FOLD_STEPS, step, (jnp.sqrt(lower * upper), lower, upper))
    return a, (1 + a) / (1 + square * a)


def _fold_slope(a: Any, q: Any, rest: Any) -> Any:
    """1 - q^3/(1 + (1 - q^2) A)^2 as a sum of terms >= 0, of which next to q = 1 only the last digits are left."""
    square = rest * (1 + q)
    r = 1 / (1 + square * a)
    return square * a * r * (1 + r) + r * r * rest * (1 + q + q * q)


def _bracket(log_beta: Any, log_gamma: Any, q: Any, rest: Any, sign: int, loss: Loss) -> tuple[Any, Any, Any, Any]:
    """Bracket (lower, upper) of ln S, a start, and whether the root exists."""
    alone = log_gamma - lambertw_exp(log_gamma)  # ln W(gamma): S <= gamma e^{-S} where y >= S
    if sign > 0:
        upper = alone if loss == "exponential" else jnp.minimum(alone, log_gamma)
        s1 = _retain_pull(log_beta, jnp.zeros_like(q), loss)
        lower = log_gamma - _psi(q * s1 + jnp.exp(upper), loss)
        return lower, upper, upper, jnp.array(True)
    if loss == "logistic":
        s1 = _retain_pull(log_beta, -q * jnp.exp(log_gamma), loss)
        lower = log_gamma - jax.nn.softplus(q * s1)
        return lower, log_gamma, lower, jnp.array(True)
    a, size = fold_point(log_beta, q, rest)
    upper = jnp.log(size)
    height, _, _ = _balance(upper, log_beta, log_gamma, q, rest, sign, loss)  # a minimum exists iff the maximum is positive
    bend = (1 + a * _fold_slope(a, q, rest)) / (1 + a)  # -g'' at the fold in ln S, 1 - q^3 B^2 A/(1 + A)^3
    lower = log_gamma - q * lambertw_exp(log_beta + q * size)
    # exact at q = 1 with large pulls; elsewhere, as the root of twice height/bend, the first term next to the fold
    near = upper - 1 - lambertw((jnp.maximum(height, 0) / bend - 1) * jnp.exp(-1.0).astype(q.dtype))
    return lower, upper, jnp.where(height < 1, jnp.maximum(near, lower), lower), height > 0


@functools.partial(jax.custom_jvp, nondiff_argnums=(4, 5))
def solve_plane(q: Any, rest: Any, beta: Any, gamma: Any, sign: int, loss: Loss) -> tuple[Any, Any]:
    r"""The pulls (s_1, S) with s_1 = beta l(s_1 + sign q S) and S = gamma l(q s_1 + sign S).

    Args:
        q: cosine, 0 to 1.
        rest: 1 - q with every digit, which q itself has lost next to 1; a change of it counts as one of q only.
        beta: pull of the retain samples, >= 0.
        gamma: pull of the forget samples, >= 0.
        sign: +1 for the original, -1 for descent-ascent.
        loss: "exponential" or "logistic".

    Returns:
        (s_1, S), both >= 0; for descent-ascent the solution with the smallest S, which is its local minimum. NaN where none
        exists. Differentiable to every order.

    Source: our reduction of the stationarity equations of App. I.
    """
    dtype = jnp.result_type(q, beta, gamma, float)
    q, rest, beta, gamma = (jnp.asarray(value, dtype) for value in (q, rest, beta, gamma))
    tiny = jnp.finfo(dtype).tiny  # stands for 0 in the logarithm, and gives a pull below every rounding error
    log_beta, log_gamma = jnp.log(jnp.maximum(beta, tiny)), jnp.log(jnp.maximum(gamma, tiny))
    lower, upper, start, exists = _bracket(log_beta, log_gamma, q, rest, sign, loss)

    def step(_: Any, carry: Any) -> Any:
        v, lower, upper = carry
        value, slope, rounding = _balance(v, log_beta, log_gamma, q, rest, sign, loss)
        lower, upper = jnp.where(value < 0, v, lower), jnp.where(value >= 0, v, upper)
        newton = v - value / jnp.where(slope == 0, 1, slope)
        inside = (newton >= lower) & (newton <= upper)
        moved = jnp.where(inside, newton, (lower + upper) / 2)
        return jnp.where(jnp.abs(value) <= 4 * rounding, v, moved), lower, upper  # as in `fold_point`

    v, _, _ = jax.lax.fori_loop(0, _NEWTON_STEPS[loss], step, (start, lower, upper))
    size = jnp.exp(v)
    s1 = _retain_pull(log_beta, sign * q * size, loss)
    # Next to the fold of the exponential loss a second step would follow the rounding. A loop, because the compiler would fuse
    # unrolled steps into whatever reads the result, and evaluate each again for every use: 1,000 times slower for one of four.
    polish = 1 if loss == "exponential" else 4
    s1, size = jax.lax.fori_loop(0, polish, lambda _, at: _polish(at[0], at[1], q, rest, beta, gamma, sign, loss), (s1, size))
    none = jnp.where(exists, jnp.zeros_like(q), jnp.nan)
    return s1 + none, size + none


def _polish(
    s1: Any, size: Any, q: Any, rest: Any, beta: Any, gamma: Any, sign: int, loss: Loss
) -> tuple[Any, Any]:  # fmt: skip
    """One Newton step on the two equations themselves, which ln S resolves only to |ln S| roundings."""
    x, y = _margins(s1, sign * size, q, rest)
    pull_x, pull_y = beta * force(x, loss), gamma * force(y, loss)
    bends = pull_x * psi_slope(x, loss), pull_y * psi_slope(y, loss)
    d1, d2, determinant = _linear(*bends, q, rest, sign, s1 - pull_x, size - pull_y)
    # the step has a rounding of eps (s_1 + S)/determinant, by which next to a fold it could leap to the other side
    safe = determinant > 16 * jnp.sqrt(jnp.finfo(s1.dtype).eps * (1 + s1 + size))
    good = safe & (s1 - d1 >= 0) & (size - d2 >= 0)
    return jnp.where(good, s1 - d1, s1), jnp.where(good, size - d2, size)


def _linear(dx: Any, dy: Any, q: Any, rest: Any, sign: int, r1: Any, r2: Any) -> tuple[Any, Any, Any]:
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
    slope_x, slope_y = force(x, loss), force(y, loss)
    dx, dy = beta * slope_x * psi_slope(x, loss), gamma * slope_y * psi_slope(y, loss)
    r1, r2 = slope_x * dbeta - dx * sign * size * dq, slope_y * dgamma - dy * s1 * dq
    d1, d2, _ = _linear(dx, dy, q, rest, sign, r1, r2)
    return (s1, size), (d1, d2)
