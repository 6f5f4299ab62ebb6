"""Stationary points where no closed form exists: what kind they are, whether they exist, and with how many digits.

A point in the plane is a pair of pulls (s_1, s_2): by `plane_solver` in JAX, by a bracketed root of `closed_form.balance` in
mpmath, which shares no iteration with the first.
"""

from __future__ import annotations

import enum
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import mpmath
from mpmath import mp

from ascentfail import closed_form, plane_fold, plane_solver
from ascentfail.arithmetic import JAX, MPMATH, Arithmetic, Scalar
from ascentfail.errors import invalid
from ascentfail.losses import Loss, Model, Problem, check_model, require_exponential
from ascentfail.problems import CrossCorrelated, SemiOrthogonal
from ascentfail.special import lambertw

_FEW_DIGITS = 25  # of a root in mpmath that is then sharpened


class StationaryKind(enum.IntEnum):
    """What a stationary point is: MINIMUM, SADDLE or MAXIMUM; NONE where there is none.

    Result fields hold int32 of it.

    Ours.
    """

    NONE = 0
    MINIMUM = 1
    SADDLE = 2
    MAXIMUM = 3


class StationaryPoint(NamedTuple):
    """A stationary point of one of the three objectives.

    Attributes:
        weights: (2,) in the plane; scalar or (axes,) for SemiOrthogonal. NaN where kind is NONE.
        margins: (2,) margins (x, y) of a retain and of a forget sample; equal to the weights for SemiOrthogonal.
        kind: int32 of StationaryKind.
        residual: scalar >= 0, largest |component of the stationarity equation| over the ridge; NaN where kind is NONE.
        converged: scalar boolean, whether the residual is at the level of rounding.

    Paper: Sec. 5.1, App. D and I.
    """

    weights: jax.Array
    margins: jax.Array
    kind: jax.Array
    residual: jax.Array
    converged: jax.Array


# --- the plane in any arithmetic -------------------------------------------------------------------------------------------


def plane(p: Any, which: Model, *, xp: Arithmetic = JAX) -> tuple[Scalar, Scalar]:
    r"""The signed pulls (s_1, s_2) of a model in the plane, in JAX or mpmath, for the loss of the arithmetic.

        s_1 = beta e^{-x},   |s_2| = gamma e^{-y},   (beta, gamma) = `closed_form.pulls`

    Args:
        p: problem or ratios with b >= 0, forget_b >= 0, phi > 0, 0 <= epsilon <= 1; scalars.
        which: "original", "oracle" or "descent_ascent".
        xp: JAX, or mpmath at the working precision of the caller, or one of them `under_logistic_loss`. The mpmath route
            brackets the root of `closed_form.balance`, or climbs to it, and shares no iteration with the JAX route.

    Returns:
        (s_1, s_2); NaN where descent-ascent has no minimum. Margins: `closed_form.plane_margins`.

    Raises:
        ValueError: unknown model, or another arithmetic.

    Ours: a reduction of App. I.
    """
    check_model(which)
    require_exponential(p)
    q, (beta, gamma) = closed_form.cosine(p), closed_form.pulls(p, which)
    if which == "oracle":
        return xp.lambertw(beta, 0), 0 * beta
    if xp.name == JAX.name:
        sign = -1 if which == "descent_ascent" else 1
        s1, size = plane_solver.solve_plane(q, closed_form.one_minus_cosine(p), beta, gamma, sign, xp.loss)
        return s1, sign * size
    return from_pulls(beta, gamma, q, -1 if which == "descent_ascent" else 1, xp=xp)


def from_pulls(beta: Scalar, gamma: Scalar, q: Scalar, sign: int, *, xp: Arithmetic = JAX) -> tuple[Scalar, Scalar]:
    """The signed (s_1, s_2) with s_1 = beta l(x), s_2 = sign gamma l(y), in JAX or mpmath.

    Args:
        beta: strength of the retain samples, >= 0, scalar.
        gamma: strength of the forget samples, >= 0, scalar.
        q: cosine, 0 <= q <= 1, scalar.
        sign: +1 for the original, -1 for descent-ascent.
        xp: JAX or mpmath, or one of them `under_logistic_loss`.

    Returns:
        (s_1, s_2), the minimum with the smallest |s_2|; NaN where descent-ascent has none.

    Raises:
        ValueError: another arithmetic.

    Ours: a reduction of App. I.
    """
    if xp.name == JAX.name:
        s1, size = plane_solver.solve_plane(q, 1 - q, beta, gamma, sign, xp.loss)
        return s1, sign * size
    if xp.implicit is not None:
        return xp.implicit(beta, gamma, q, sign, xp.loss)
    if xp.name != MPMATH.name:
        raise invalid("xp", xp.name, "the JAX or the mpmath arithmetic")
    q, beta, gamma = mp.mpf(q), mp.mpf(beta), mp.mpf(gamma)
    with mpmath.extradps(10):  # the logarithms of tiny pulls are large, and their rounding is relative to that
        if xp.loss == "logistic" and gamma != 0:  # its pulls are iterations themselves
            with mpmath.workdps(_FEW_DIGITS):
                rough = _plane_mpmath(q, beta, gamma, sign, xp)
            s1, s2 = _sharpen(rough, q, beta, gamma, sign, xp)
        else:
            s1, s2 = _plane_mpmath(q, beta, gamma, sign, xp)
    return +s1, +s2


def _plane_mpmath(q: Any, beta: Any, gamma: Any, sign: int, xp: Arithmetic) -> tuple[Any, Any]:
    if gamma == 0:
        return xp.lambertw(beta, 0), mp.zero
    # in ln S, since the root itself may be smaller than every tolerance
    if xp.loss == "logistic":
        size = mp.exp(_climb(beta, gamma, q, sign, xp))
        return closed_form.retain_pull(sign * size, beta, q, xp=xp), sign * size
    if sign > 0:
        alone = MPMATH.lambertw(gamma, 0)
        upper = mp.log(alone)
        lower = mp.log(gamma) - q * MPMATH.lambertw(beta, 0) - alone
    else:
        a, size = _fold_mpmath(beta, q)
        upper = mp.log(size)
        if upper + q * a - size <= mp.log(gamma):
            return mp.nan, mp.nan
        lower = mp.log(gamma) - q * a
    size = mp.exp(_bracketed(lambda v: closed_form.balance(mp.exp(v), beta, gamma, q, sign, xp=xp), lower, upper))
    return closed_form.retain_pull(sign * size, beta, q, xp=xp), sign * size


def _sharpen(rough: tuple[Any, Any], q: Any, beta: Any, gamma: Any, sign: int, xp: Arithmetic) -> tuple[Any, Any]:
    """Newton on both equations in (ln s_1, ln S) from a root in few digits; NaN where it does not settle."""
    u, v = mp.log(rough[0]), mp.log(abs(rough[1]))
    for _ in range(mp.dps):
        s1, size = mp.exp(u), mp.exp(v)
        x, y = closed_form.plane_margins(s1, sign * size, q)
        r1, r2 = u + xp.softplus(x) - mp.log(beta), v + xp.softplus(y) - mp.log(gamma)
        dx, dy = xp.sigmoid(x), xp.sigmoid(y)
        a, b, c, d = 1 + dx * s1, sign * dx * q * size, dy * q * s1, 1 + sign * dy * size
        du, dv = (d * r1 - b * r2) / (a * d - b * c), (a * r2 - c * r1) / (a * d - b * c)
        u, v = u - du, v - dv
        # next to a fold the steps end at eps over the determinant: seven of the caller's ten guard digits may go there
        if abs(du) + abs(dv) <= 10**7 * mp.eps * (1 + abs(u) + abs(v)):
            return mp.exp(u), sign * mp.exp(v)
    return mp.nan, mp.nan


def _climb(beta: Any, gamma: Any, q: Any, sign: int, xp: Arithmetic) -> Any:
    """A root ln S of the balance under the logistic loss: the only one (sign = +1), the smallest of one or three (sign = -1).

    From an end that lies before it, by steps -g/m that cannot pass it, m an upper bound of the slope
    g' = 1 + sign S l(-y) (1 - q^2 a/(1+a)), a = s_1 l(-x), on the stretch of the step. Along S, s_1 falls and both margins rise
    for the original, s_1 rises and both fall for descent-ascent.
    """

    def state(v: Any) -> tuple[Any, ...]:
        s1 = closed_form.retain_pull(sign * mp.exp(v), beta, q, xp=xp)
        return s1, *(xp.sigmoid(m) for m in closed_form.plane_margins(s1, sign * mp.exp(v), q))

    def slope(size: Any, pull: Any, near: Any, y: Any) -> Any:
        return 1 + sign * size * y * (1 - q * q * pull * near / (1 + pull * near))

    highest = mp.log(gamma)  # S = gamma l(y) <= gamma
    far_pull = closed_form.retain_pull(min(sign, 0) * gamma, beta, q, xp=xp)  # the largest that s_1 can be
    v, end = highest - xp.softplus(q * far_pull), highest
    if sign > 0:
        end = highest - xp.softplus(q * far_pull + gamma)
        v = highest
    reach = mp.mpf(2)  # how far to look, in units of g: about 2/g', found on the way
    for _ in range(100 * mp.dps):
        size = mp.exp(v)
        value = closed_form.balance(size, beta, gamma, q, sign, xp=xp)
        if sign * value <= 0:  # by rounding
            return v
        s1, x, y = state(v)
        far = v - reach * value
        far = max(far, end) if sign > 0 else min(far, end)
        s1_far, x_far, y_far = state(far)
        steepest = slope(size, s1, x_far, y) if sign > 0 else slope(size, s1_far, x, y_far)
        step = -value / steepest if steepest > 0 else far - v
        if abs(step) >= abs(far - v):
            step, reach = far - v, 4 * reach
        elif abs(4 * step) < abs(far - v):
            reach = reach / 2
        v = v + step
        if abs(step) <= 4 * mp.eps * (1 + abs(v)):
            return v
    return mp.nan


def _fold_mpmath(beta: Any, q: Any) -> tuple[Any, Any]:
    """(A, B) of `closed_form.fold_equation` at the working precision of mpmath."""
    lower, upper = mp.log(MPMATH.lambertw(beta * mp.exp(q), 0)), 1 + mp.log(beta)
    log_a = _bracketed(lambda u: closed_form.fold_equation(u, beta, q, xp=MPMATH), lower, upper)
    a = mp.exp(log_a)
    return a, closed_form.fold_ascent_pull(a, q)


def _bracketed(function: Any, lower: Any, upper: Any) -> Any:
    """Root of a function with a change of sign between two ends that may themselves be the root."""
    guard = mpmath.mpf(10) ** -mp.dps * (1 + max(abs(lower), abs(upper)))  # the rounding of the ends themselves
    with mpmath.extradps(10):
        f_lower, f_upper = function(lower), function(upper)
        if abs(f_lower) < guard:
            return +lower
        if abs(f_upper) < guard:
            return +upper
        root = mp.findroot(function, (lower, upper), solver="illinois", tol=guard**2, maxsteps=500)
    return +root


def log_existence_alpha(p: Any, *, xp: Arithmetic = JAX) -> Scalar:
    """Logarithm of the alpha below which descent-ascent has a minimum, ln (phi/beta) + max_B h(B).

    Args:
        p: problem or ratios with b > 0, phi > 0, 0 <= epsilon <= 1; scalars.
        xp: JAX or mpmath.

    Returns:
        ln alpha; the minimum and a saddle exist strictly below it (for epsilon < 1).

    Raises:
        ValueError: another arithmetic.

    Ours.
    """
    q, beta = closed_form.cosine(p), closed_form.retain_strength(p, "descent_ascent")
    # alpha(B) along the curve A = W(beta e^{qB}) is flat at the fold, so B's rounding does not matter there
    return xp.log(closed_form.alpha_of_descent_ascent(fold(beta, q, xp=xp)[1], p, xp=xp))


def fold(beta: Scalar, q: Scalar, *, xp: Arithmetic = JAX) -> tuple[Scalar, Scalar]:
    """The pulls (A, B) where minimum and saddle of descent-ascent meet, h'(B) = 0, in JAX or mpmath.

    Args:
        beta: strength of the retain samples, > 0, scalar.
        q: cosine, 0 <= q <= 1, scalar.
        xp: JAX or mpmath.

    Returns:
        (A, B), the root of `closed_form.fold_equation`.

    Raises:
        ValueError: another arithmetic.

    Ours.
    """
    if xp is JAX:
        q = jnp.asarray(q)
        return plane_fold.fold_point(jnp.log(beta), q, 1 - q)
    if xp is not MPMATH:
        raise invalid("xp", xp.name, "the JAX or the mpmath arithmetic")
    return _fold_mpmath(mp.mpf(beta), mp.mpf(q))


# --- the public face -------------------------------------------------------------------------------------------------------


def _axis(c: Any, loss: Loss) -> Any:
    """Solution of w = c l(w) on one coordinate; NaN where none exists."""
    if loss == "exponential":
        return lambertw(c, 0)
    zero = jnp.zeros_like(c)  # one coordinate is the plane with q = 0 and only one of the two pulls
    # a maximum would halve the slope at c = 0
    up, _ = plane_solver.solve_plane(zero, zero + 1, jnp.where(c >= 0, c, 0), zero, 1, loss)
    _, down = plane_solver.solve_plane(zero, zero + 1, zero, jnp.where(c < 0, -c, 0), -1, loss)
    return jnp.where(c >= 0, up, -down)


def stationary_point(problem: Problem, which: Model) -> StationaryPoint:
    r"""The minimum of one of the three objectives, or the word that there is none.

        grad L_which(w)/ridge = w - beta l(x) (1, eps)/(1 + eps^2) - (+-) gamma l(y) (eps, 1)/(1 + eps^2) = 0

    Args:
        problem: SemiOrthogonal (scalar or (axes,)) or CrossCorrelated, exponential or logistic loss.
        which: "original", "oracle" or "descent_ascent". For descent-ascent this is the local minimum, never the saddle; where
            the logistic loss has two minima, the one that the exponential loss continues (smallest forget pull).

    Returns:
        StationaryPoint. Where descent-ascent has no minimum: kind NONE, converged False, weights and margins NaN. With several
        axes the point exists where it exists on every axis.

    Raises:
        ValueError: unknown model.

    Paper: Sec. 5.1, App. D and I.
    """
    check_model(which)
    if isinstance(problem, SemiOrthogonal):
        weights, residual, scale, determinant, trace = _solve_axes(problem, which)
        points = weights
    elif isinstance(problem, CrossCorrelated):
        weights, points, residual, scale, determinant, trace = _solve_cross(problem, which)
    else:
        raise invalid("problem", type(problem).__name__, "a SemiOrthogonal or a CrossCorrelated")
    exists = jnp.all(jnp.isfinite(weights))
    nan = jnp.where(exists, jnp.zeros_like(weights), jnp.nan)
    converged = exists & (residual <= 256 * jnp.finfo(residual.dtype).eps * scale)
    kind = jnp.where(exists, _kind(determinant, trace), int(StationaryKind.NONE)).astype(jnp.int32)
    return StationaryPoint(weights + nan, points + nan, kind, residual, converged)


def _kind(determinant: Any, trace: Any) -> Any:
    """Kind from the Hessian over the ridge; a determinant of zero within rounding is the fold, approached as a minimum."""
    zero = -jnp.sqrt(jnp.finfo(determinant.dtype).eps)
    curved = jnp.where(trace > 0, int(StationaryKind.MINIMUM), int(StationaryKind.MAXIMUM))
    return jnp.where(determinant < zero, int(StationaryKind.SADDLE), curved)


def _solve_axes(p: SemiOrthogonal, which: Model) -> tuple[Any, Any, Any, Any, Any]:
    c = jnp.asarray(closed_form.coefficient(p, which))
    w = _axis(c, p.loss)
    # rounding of the two terms, and of the exponent of the second
    scale = jnp.max((1 + jnp.abs(w)) ** 2)
    lowest = jnp.min(1 + w * plane_solver.psi_slope(w, p.loss))  # the Hessian is diagonal: its least entry decides
    return w, jnp.max(jnp.abs(w - c * plane_solver.force(w, p.loss))), scale, lowest, lowest


def _solve_cross(p: CrossCorrelated, which: Model) -> tuple[Any, Any, Any, Any, Any, Any]:
    q, (beta, gamma) = closed_form.cosine(p), closed_form.pulls(p, which)
    sign = -1 if which == "descent_ascent" else 1
    rest = closed_form.one_minus_cosine(p)
    s1, size = plane_solver.solve_plane(q, rest, beta, gamma, sign, p.loss)
    weights = jnp.stack(closed_form.plane_weights(s1, sign * size, p.epsilon))
    x, y = weights[0] + p.epsilon * weights[1], p.epsilon * weights[0] + weights[1]
    pull_x, pull_y = beta * plane_solver.force(x, p.loss), gamma * plane_solver.force(y, p.loss)
    pull = jnp.stack(closed_form.plane_weights(pull_x, sign * pull_y, p.epsilon))
    scale = (1 + jnp.abs(x) + jnp.abs(y)) * (1 + s1 + size)
    # Hessian/ridge = I + (a r r^T + c f f^T)/(1 + eps^2) with |r|^2 = |f|^2 = 1 + eps^2 and <r, f> = q (1 + eps^2)
    a, c = s1 * plane_solver.psi_slope(x, p.loss), sign * size * plane_solver.psi_slope(y, p.loss)
    determinant, trace = 1 + (a + c) + a * c * rest * (1 + q), 2 + a + c
    return weights, jnp.stack([x, y]), jnp.max(jnp.abs(weights - pull)), scale, determinant, trace
