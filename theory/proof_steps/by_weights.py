r"""The line, listed by its weights: charts in which no solution is implicit, so that boxes can enclose what compares them.

A solution w of w = c l(w), l = e^{-w} or 1/(1 + e^w), has c = w/l(w): one weight for each coefficient, so that the weights
(w_D, w_R, w_DA) are coordinates as good as (b, phi, alpha). Differences of weights are coordinates of either sign; no order of
the weights is built in. From w_D, w_R - w_D and w_D - w_DA follow

    b = c_R,    phi/(1 + phi) = (c_R - c_D)/c_DA,    alpha = phi (1 - c_DA/b).

Differences of coefficients are written so that they vanish exactly where those of the weights do, and have their sign.
"""

from __future__ import annotations

from ascentfail.claims.claim import Axis, Point
from ascentfail.numerics.arithmetic import Arithmetic, Scalar
from ascentfail.numerics.sample_losses import Loss

ORIGINAL = Axis("original", 1e-3, 8.0, "log")  # w_D of the reference box, under either loss
ORACLE = Axis("oracle", 4e-3, 8.0, "log")  # w_R


def coefficient_of(w: Scalar, loss: Loss, xp: Arithmetic) -> Scalar:
    """The c of which w is a solution, w e^w or w (1 + e^w)."""
    return w * loss.inverse_force(w, xp)


def rise(w: Scalar, step: Scalar, loss: Loss, xp: Arithmetic) -> Scalar:
    """How much the coefficient changes where the weight goes from w >= 0 to w + step; each term has the sign of the step."""
    growth = w * xp.exp(w) * (xp.exp(step) - 1) + step * xp.exp(w + step)
    return loss.with_offset(growth, step)


def rise_times_step(w: Scalar, step: Scalar, loss: Loss, xp: Arithmetic) -> Scalar:
    """`rise` times the step, whose signs agree: |e^x - 1||x| stands for (e^x - 1) x, with max(., 0) for intervals' sake."""
    agreed = xp.maximum(xp.abs(xp.exp(step) - 1), xp.number(0)) * xp.maximum(
        xp.abs(step), xp.number(0)
    )
    growth = w * xp.exp(w) * agreed + step**2 * xp.exp(w + step)
    return loss.with_offset(growth, step**2)


def longer(length: Scalar, more: Scalar, xp: Arithmetic) -> Scalar:
    """|length + more| - |length|, as the larger of two smaller ones, so that nothing cancels."""
    return xp.maximum(xp.minimum(more, more + 2 * length), xp.minimum(-more, -more - 2 * length))


def compared(original: Scalar, above: Scalar, below: Scalar, loss: Loss, xp: Arithmetic) -> Point:
    """The point of the line with w_D, w_R = w_D + above and w_DA = w_D - below: ratios, differences, and coefficients."""
    c_unlearned, c_above = (
        coefficient_of(original - below, loss, xp),
        rise(original, above, loss, xp),
    )
    return _point(coefficient_of(original + above, loss, xp), c_unlearned, c_above).replace(
        original=original,
        oracle_above=above,
        unlearned_below=below,
        c_unlearned_below=-rise(original, -below, loss, xp),
    )


def compared_from_oracle(
    oracle: Scalar, above: Scalar, unlearned: Scalar, loss: Loss, xp: Arithmetic
) -> Point:
    """The same from w_R, with w_D = w_R - above and w_DA itself; without c_D - c_DA."""
    point = _point(
        coefficient_of(oracle, loss, xp),
        coefficient_of(unlearned, loss, xp),
        -rise(oracle, -above, loss, xp),
    )
    original = oracle - above
    return point.replace(
        oracle=oracle,
        unlearned=unlearned,
        original=original,
        oracle_above=above,
        unlearned_below=original - unlearned,
    )


def _point(b: Scalar, c_unlearned: Scalar, c_above: Scalar) -> Point:
    phi = c_above / (c_unlearned - c_above)
    return Point(
        b=b,
        phi=phi,
        alpha=phi * (1 - c_unlearned / b),
        c_unlearned=c_unlearned,
        c_oracle_above=c_above,
    )


def listed(p: Point) -> bool:
    """Whether the weights are coordinates of the point, by `compared`."""
    return getattr(p, "unlearned_below", None) is not None


def or_else(margin: Scalar, failing: tuple[Scalar, ...], xp: Arithmetic) -> Scalar:
    """The margin of an implication: >= 0 where a condition fails (its expression here is >= 0), or the margin is."""
    for expression in failing:
        margin = xp.maximum(margin, expression)
    return margin


def in_reference_box(p: Point, least: int, most: int) -> tuple[Scalar, ...]:
    """Where b in [0.01, 10^4], phi in [0.01, 3] and least/100 <= alpha/phi <= most, without a division."""
    share = (
        p.c_unlearned
    )  # phi/(1 + phi) = (c_R - c_D)/c_DA; at alpha = phi, where both vanish, every phi is meant
    return (
        100 * p.b - 1,
        10**4 - p.b,
        (101 * p.c_oracle_above - share) * share,
        (3 * share - 4 * p.c_oracle_above) * share,
        (100 - least) * p.b - 100 * p.c_unlearned,
        p.c_unlearned + (most - 1) * p.b,
    )
