r"""The short, separate judge: recomputes a claim at one point in many digits, from raw numbers.

Nothing that searched for the point is trusted. The coordinates are plain floats, exact as written; side conditions and margin are
evaluated twice in mpmath, at two working precisions, and count only as far as the two agree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import mpmath
from mpmath import mp

from ascentfail.arithmetic import MPMATH
from ascentfail.theory.claim import Claim, Counterexample, Kind, Point

DIGITS = 50


@dataclass(frozen=True)
class Recheck:
    """What many digits say about one point.

    Attributes:
        margin: the margin, or the exclusion bound where the claim has one.
        inside: whether the point satisfies the side conditions.
        digits: significant digits on which the two precisions agree (an exact zero agrees to all).
        violated: whether the claim is refuted here.
    """

    margin: Any
    inside: bool
    digits: int
    violated: bool


def recheck(claim: Claim, point: Mapping[str, float], digits: int = DIGITS) -> Recheck:
    """Re-derives the margin of a claim at a point to `digits` significant digits.

    Args:
        claim: the claim.
        point: coordinates as floats.
        digits: significant digits asked for.

    Returns:
        Recheck; `violated` is True only where the point is in the domain and the violation stands at both precisions.
    """
    with mpmath.workdps(2 * digits):
        inside, first = _evaluate(claim, point)
    with mpmath.workdps(2 * digits + 40):
        inside_again, second = _evaluate(claim, point)
        nought = mp.mpf(10) ** -digits  # below this a value of order one is an exact zero
        agreed = _agreement(first, second, digits, nought)
        margin = mp.zero if abs(second) < nought else second
    inside = inside and inside_again
    if mp.isnan(margin) or agreed < digits:
        return Recheck(margin, inside, agreed, False)
    if claim.exclusion is None and claim.kind is Kind.EQUALITY:
        broken = margin != 0
    else:
        broken = margin <= 0 if claim.strict and claim.exclusion is None else margin < 0
    return Recheck(margin, inside, agreed, inside and bool(broken))


def confirm(claim: Claim, point: Mapping[str, float], digits: int = DIGITS) -> Counterexample | None:
    """The counterexample at this point, or None where many digits do not confirm it."""
    found = recheck(claim, point, digits)
    if not found.violated:
        return None
    return Counterexample(dict(point), float(found.margin), found.digits, claim.exclusion_words)


def _evaluate(claim: Claim, point: Mapping[str, float]) -> tuple[bool, Any]:
    p = Point(**{name: mp.mpf(value) for name, value in point.items()})
    sides = claim.domain.where(p, MPMATH) if claim.domain.where else ()
    inside = all(bool(side >= 0) for side in sides)  # NaN compares False: undefined is outside
    bound = claim.exclusion or claim.margin
    return inside, mp.mpf(bound(p, MPMATH)) if inside else mp.nan


def _agreement(first: Any, second: Any, digits: int, nought: Any) -> int:
    if mp.isnan(first) or mp.isnan(second):
        return 0
    if abs(second) < nought:
        return digits if abs(first) < nought else 0
    gap = abs(first - second) / abs(second)
    return digits if gap <= mp.mpf(10) ** -digits else max(0, int(-mp.log10(gap)))
