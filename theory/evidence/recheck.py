r"""The short, separate judge: recomputes a claim at one point in many digits, from raw numbers.

Nothing that searched for the point is trusted. The coordinates of the box are plain floats, exact as written; chart, side
conditions and margin are evaluated twice in mpmath, with 100 and with 450 digits, and count only as far as the two agree. A
value that follows the precision down is an exact zero; one that agrees with itself is what it is, however small.

Ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import mpmath
from mpmath import mp

from ascentfail.arithmetic import MPMATH
from ascentfail.errors import invalid
from ascentfail.theory.claim import Claim, ClaimError, Kind, Point
from ascentfail.theory.verdict import Counterexample

DIGITS = 50


@dataclass(frozen=True)
class Recheck:
    """What many digits say about one point.

    Attributes:
        margin: what decides: the exclusion bound where the claim has one, else the margin; NaN where undefined or outside.
        own: the margin itself, NaN for an existence claim at a point without inner values.
        inside: whether the point lies in the box and satisfies the side conditions.
        digits: significant digits on which the two precisions agree (an exact zero agrees to all).
        violated: whether the claim is refuted here.
        point: box and chart coordinates as floats.
    """

    margin: Any
    own: Any
    inside: bool
    digits: int
    violated: bool
    point: dict[str, float]


def recheck(claim: Claim, point: Mapping[str, float], digits: int = DIGITS) -> Recheck:
    """Re-derives the margin of a claim at a point to `digits` significant digits.

    Args:
        claim: the claim.
        point: at least the coordinates of the claim's box, finite floats; of an existence claim with the inner ones, too, the
            margin at these inner values is looked at.
        digits: significant digits asked for, >= 1.

    Returns:
        Recheck; `violated` is True only where the point is in the domain and the violation stands at both precisions.

    Raises:
        ValueError: a coordinate of the box is missing.
        ClaimError: the claim's own functions raise or return no number.
    """
    names = [axis.name for axis in claim.domain.axes]
    missing = [name for name in names if name not in point]
    if missing:
        raise invalid("point", dict(point), f"every coordinate of the box of {claim.id!r}: {', '.join(missing)} missing")
    if claim.cases is not None:
        return _recheck_case(claim, point, digits)
    with mpmath.workdps(2 * digits):
        first = _evaluate(claim, point)
    with mpmath.workdps(2 * digits + 350):
        second = _evaluate(claim, point)
        decided = [settle(a, b, digits) for a, b in zip(first.values, second.values, strict=True)]
    margin, exclusion = decided[0][0], decided[1][0] if claim.exclusion else None
    has_own = all(axis.name in point for axis in claim.inner)  # an existence without inner values: the bound decides alone
    agreed = min(([decided[0][1]] if has_own else []) + ([decided[1][1]] if claim.exclusion else []))
    inside = first.inside and second.inside
    violated = inside and agreed >= digits and _breaks(claim, margin, exclusion)
    return Recheck(margin if exclusion is None else exclusion, margin, inside, agreed, violated, second.point)


def _recheck_case(claim: Claim, point: Mapping[str, float], digits: int) -> Recheck:
    """As `recheck`, for a claim decided case by case: its own second route, at two precisions that must agree."""
    assert claim.cases is not None
    case = int(point["case"])
    inside = claim.domain.axes[0].contains(point["case"]) and case < len(claim.cases.points)
    if not inside:
        return Recheck(mp.nan, mp.nan, False, 0, False, dict(point))
    known, values = claim.cases.points[case], []
    for more in (2 * digits, 2 * digits + 50):
        with mpmath.workdps(more):
            try:
                values.append(mp.mpf(claim.cases.exact(known, more)))
            except ClaimError:
                raise
            except Exception as error:
                raise ClaimError(f"claim {claim.id!r} cannot be re-derived in the case {known}: {error!r}") from error
            margin, agreed = settle(values[0], values[-1], digits)
    return Recheck(margin, margin, True, agreed, agreed >= digits and _breaks(claim, margin, None), dict(known))


def _breaks(claim: Claim, margin: Any, exclusion: Any) -> bool:
    """Whether these exact values refute the claim; with an exclusion bound both must."""
    if mp.isnan(margin) and (claim.kind is not Kind.EXISTENCE or claim.cases is not None):
        return False
    if claim.kind is Kind.EQUALITY:
        return bool(margin != 0)
    if exclusion is not None and not exclusion < 0:
        return False
    if mp.isnan(margin):  # an existence without inner values: the bound speaks for all of them
        return exclusion is not None
    return bool(margin <= 0) if claim.strict else bool(margin < 0)


def confirm(claim: Claim, point: Mapping[str, float], digits: int = DIGITS) -> Counterexample | None:
    """The counterexample at this point, or None where many digits do not confirm it."""
    found = recheck(claim, point, digits)
    if not found.violated:
        return None
    return Counterexample(found.point, float(found.margin), digits, claim.exclusion_words)


@dataclass(frozen=True)
class _Values:
    inside: bool
    values: tuple[Any, Any]
    point: dict[str, float]


def _evaluate(claim: Claim, point: Mapping[str, float]) -> _Values:
    """Side conditions, margin and exclusion at the working precision."""
    exact = {axis.name: mp.mpf(point[axis.name]) for axis in claim.domain.axes}
    inner = {axis.name: mp.mpf(point[axis.name]) for axis in claim.inner if axis.name in point}
    inside = all(axis.contains(exact[axis.name]) for axis in claim.domain.axes)
    try:
        p = claim.domain.chart(Point(**exact), MPMATH)
        sides = claim.domain.where(p, MPMATH) if claim.domain.where else ()
        inside = inside and all(_real(side) >= 0 for side in sides)  # NaN compares False: undefined is outside
        at = p.replace(**inner)
        margin = _real(claim.margin(at, MPMATH)) if inside and len(inner) == len(claim.inner) else mp.nan
        exclusion = _real(claim.exclusion(p, MPMATH)) if inside and claim.exclusion else mp.nan
        plain = {name: float(_real(value)) for name, value in {**exact, **p.values(), **inner}.items()}
    except ZeroDivisionError:
        return _Values(inside, (mp.nan, mp.nan), dict(point))
    except ClaimError:
        raise
    except Exception as error:
        raise ClaimError(f"claim {claim.id!r} cannot be evaluated in mpmath at {dict(point)}: {error!r}") from error
    return _Values(inside, (margin, exclusion), plain)


def _real(value: Any) -> Any:
    """The value as an mpf; a complex one is undefined."""
    return mp.nan if isinstance(value, mpmath.mpc) else mp.mpf(value)


def settle(first: Any, second: Any, digits: int) -> tuple[Any, int]:
    """The value on which the two precisions agree, and to how many digits."""
    if mp.isnan(first) or mp.isnan(second):
        return mp.nan, 0
    if first == second:
        return second, digits
    if mp.isinf(first) or mp.isinf(second):
        return mp.nan, 0
    gap = abs(first - second)
    if second != 0 and gap <= abs(second) * mp.mpf(10) ** -digits:
        return second, digits
    if max(abs(first), abs(second) * mp.mpf(10) ** 300) < mp.mpf(10) ** (20 - 2 * digits):
        return mp.zero, digits  # it follows the precision down: rounding around zero
    return second, max(0, int(-mp.log10(gap / max(abs(first), abs(second)))))
