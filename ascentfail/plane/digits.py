"""The stationary points of the plane in any number of digits: a bracketed root of `plane.equations.balance`, or a climb to it.

Under the exponential loss the balance has one change of sign between two known ends; under the logistic loss it may have three
roots, so the one that is asked for is approached from an end that lies before it, and no step can pass it.
"""

from __future__ import annotations

from typing import Any

import mpmath
from mpmath import mp

from ascentfail.numerics.arithmetic import MPMATH
from ascentfail.numerics.sample_losses import Loss
from ascentfail.plane import equations as plane_equations

_FEW_DIGITS = 25  # of a root under the logistic loss, which is then sharpened


def solve(beta: Any, gamma: Any, q: Any, sign: int, loss: Loss) -> tuple[Any, Any]:
    """The signed (s_1, s_2) with s_1 = beta l(x), s_2 = sign gamma l(y), at the working precision of mpmath.

    Args:
        beta: strength of the retain samples, >= 0, scalar.
        gamma: strength of the forget samples, >= 0, scalar.
        q: cosine, 0 <= q <= 1, scalar.
        sign: +1 for the original, -1 for descent-ascent.
        loss: of one sample.

    Returns:
        (s_1, s_2), the minimum with the smallest |s_2|; NaN where descent-ascent has none. Never raises on numbers.

    Ours: a reduction of App. I.
    """
    q, beta, gamma = mp.mpf(q), mp.mpf(beta), mp.mpf(gamma)
    with mpmath.extradps(
        10
    ):  # the logarithms of tiny pulls are large, and their rounding is relative to that
        if loss.bounded and gamma != 0:  # its pulls are iterations themselves
            with mpmath.workdps(_FEW_DIGITS):
                rough = _pulls(q, beta, gamma, sign, loss)
            s1, s2 = _sharpen(rough, q, beta, gamma, sign, loss)
        else:
            s1, s2 = _pulls(q, beta, gamma, sign, loss)
    return +s1, +s2


def _pulls(q: Any, beta: Any, gamma: Any, sign: int, loss: Loss) -> tuple[Any, Any]:
    if gamma == 0:
        return loss.weight(beta, MPMATH), mp.zero
    # in ln S, since the root itself may be smaller than every tolerance
    if loss.bounded:
        size = mp.exp(_climb(beta, gamma, q, sign, loss))
        return plane_equations.retain_pull(sign * size, beta, q, loss=loss, xp=MPMATH), sign * size
    if sign > 0:
        alone = MPMATH.lambertw(gamma, 0)
        upper = mp.log(alone)
        lower = mp.log(gamma) - q * MPMATH.lambertw(beta, 0) - alone
    else:
        a, size = fold(beta, q)
        upper = mp.log(size)
        if upper + q * a - size <= mp.log(gamma):
            return mp.nan, mp.nan
        lower = mp.log(gamma) - q * a

    def balance(v: Any) -> Any:
        return plane_equations.balance(mp.exp(v), beta, gamma, q, sign, loss=loss, xp=MPMATH)

    size = mp.exp(_bracketed(balance, lower, upper))
    return plane_equations.retain_pull(sign * size, beta, q, loss=loss, xp=MPMATH), sign * size


def _sharpen(
    rough: tuple[Any, Any], q: Any, beta: Any, gamma: Any, sign: int, loss: Loss
) -> tuple[Any, Any]:
    """Newton on both equations in (ln s_1, ln S) from a root in few digits; NaN where it does not settle."""
    u, v = mp.log(rough[0]), mp.log(abs(rough[1]))
    for _ in range(mp.dps):
        s1, size = mp.exp(u), mp.exp(v)
        x, y = plane_equations.margins(s1, sign * size, q)
        r1, r2 = (
            u + loss.flatness(x, MPMATH) - mp.log(beta),
            v + loss.flatness(y, MPMATH) - mp.log(gamma),
        )
        dx, dy = loss.flatness_slope(x, MPMATH), loss.flatness_slope(y, MPMATH)
        a, b, c, d = 1 + dx * s1, sign * dx * q * size, dy * q * s1, 1 + sign * dy * size
        du, dv = (d * r1 - b * r2) / (a * d - b * c), (a * r2 - c * r1) / (a * d - b * c)
        u, v = u - du, v - dv
        # next to a fold the steps end at eps over the determinant: seven of the ten guard digits of `solve` may go there
        if abs(du) + abs(dv) <= 10**7 * mp.eps * (1 + abs(u) + abs(v)):
            return mp.exp(u), sign * mp.exp(v)
    return mp.nan, mp.nan


def _climb(beta: Any, gamma: Any, q: Any, sign: int, loss: Loss) -> Any:
    """A root ln S of the balance under the logistic loss: the only one (sign = +1), the smallest of one or three (sign = -1).

    From an end that lies before it, by steps -g/m that cannot pass it, m an upper bound of the slope
    g' = 1 + sign S l(-y) (1 - q^2 a/(1+a)), a = s_1 l(-x), on the stretch of the step. Along S, s_1 falls and both margins rise
    for the original, s_1 rises and both fall for descent-ascent.
    """

    def state(v: Any) -> tuple[Any, ...]:
        s1 = plane_equations.retain_pull(sign * mp.exp(v), beta, q, loss=loss, xp=MPMATH)
        return s1, *(
            loss.flatness_slope(m, MPMATH) for m in plane_equations.margins(s1, sign * mp.exp(v), q)
        )

    def slope(size: Any, pull: Any, near: Any, y: Any) -> Any:
        return 1 + sign * size * y * (1 - q * q * pull * near / (1 + pull * near))

    highest = mp.log(gamma)  # S = gamma l(y) <= gamma
    far_pull = plane_equations.retain_pull(
        min(sign, 0) * gamma, beta, q, loss=loss, xp=MPMATH
    )  # the largest that s_1 can be
    v, end = highest - loss.flatness(q * far_pull, MPMATH), highest
    if sign > 0:
        end = highest - loss.flatness(q * far_pull + gamma, MPMATH)
        v = highest
    reach = mp.mpf(2)  # how far to look, in units of g: about 2/g', found on the way
    for _ in range(100 * mp.dps):
        size = mp.exp(v)
        value = plane_equations.balance(size, beta, gamma, q, sign, loss=loss, xp=MPMATH)
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


def fold(beta: Any, q: Any) -> tuple[Any, Any]:
    """(A, B) where minimum and saddle of descent-ascent meet, at the working precision of mpmath.

    Args:
        beta: strength of the retain samples, > 0, scalar.
        q: cosine, 0 <= q <= 1, scalar.

    Returns:
        (A, B), the root of `plane.equations.fold_equation`.

    Ours: as `plane.equations.fold_equation`.
    """
    beta, q = mp.mpf(beta), mp.mpf(q)
    lower, upper = mp.log(MPMATH.lambertw(beta * mp.exp(q), 0)), 1 + mp.log(beta)
    log_a = _bracketed(lambda u: plane_equations.fold_equation(u, beta, q, xp=MPMATH), lower, upper)
    a = mp.exp(log_a)
    return a, plane_equations.fold_ascent_pull(a, q)


def _bracketed(function: Any, lower: Any, upper: Any) -> Any:
    """Root of a function with a change of sign between two ends that may themselves be the root."""
    guard = mpmath.mpf(10) ** -mp.dps * (
        1 + max(abs(lower), abs(upper))
    )  # the rounding of the ends themselves
    with mpmath.extradps(10):
        f_lower, f_upper = function(lower), function(upper)
        if abs(f_lower) < guard:
            return +lower
        if abs(f_upper) < guard:
            return +upper
        root = mp.findroot(function, (lower, upper), solver="illinois", tol=guard**2, maxsteps=500)
    return +root
