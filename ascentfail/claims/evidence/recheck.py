r"""The short, separate judge: recomputes a claim at one point in many digits, from raw numbers.

Nothing that searched for the point is trusted. The coordinates of the box are plain floats, exact as written; side conditions and
margin, read off as one expression, are evaluated in mpmath with 100 and with 450 digits, and count only as far as the two agree.
A value that follows the precision down is looked at with more digits; if it still does, it is zero or too small to tell, and only
exact arithmetic on fractions may say that it is zero.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import mpmath
from mpmath import mp

from ascentfail.claims.claim import Claim, ClaimError, Kind
from ascentfail.claims.evidence.formula import Formula, arguments, read
from ascentfail.claims.verdict import Counterexample
from ascentfail.core.errors import invalid
from ascentfail.numerics.arithmetic import MPMATH

DIGITS = 50
_MORE = (1000, 4000)  # digits at which a value is looked at again that vanished at 450
_SOLVED = ("plane", "fold")  # operations that are too slow for that many


@dataclass(frozen=True)
class Recheck:
    """What many digits say about one point.

    Attributes:
        margin: what decides: the exclusion bound where the claim has one, else the margin; NaN where undefined or outside.
        own: the margin itself, NaN for an existence claim at a point without inner values.
        inside: whether the point lies in the box and satisfies the side conditions.
        digits: significant digits on which the two precisions agree (a zero agrees to all).
        violated: whether the claim is refuted here.
        point: box and chart coordinates as floats.
        vanishing: whether the margin is zero to all digits looked at, though nothing shows that it is exactly zero.
    """

    margin: Any
    own: Any
    inside: bool
    digits: int
    violated: bool
    point: dict[str, float]
    vanishing: bool = False


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
        raise invalid(
            "point",
            dict(point),
            f"every coordinate of the box of {claim.id!r}: {', '.join(missing)} missing",
        )
    if claim.cases is not None:
        return _recheck_case(claim, point, digits)
    first, second = _evaluate(claim, point, 2 * digits), _evaluate(claim, point, 2 * digits + 350)
    inside = first.inside and second.inside
    own, bound = (_settled(claim, point, i, first, second, digits) for i in (0, 1))
    has_own = all(
        axis.name in point for axis in claim.inner
    )  # an existence without inner values: the bound decides alone
    agreed = min(([own.digits] if has_own else []) + ([bound.digits] if claim.exclusion else []))
    settled = agreed >= digits and not own.vanishing and not bound.vanishing
    violated = (
        inside and settled and _breaks(claim, own.value, bound.value if claim.exclusion else None)
    )
    decides = bound if claim.exclusion else own
    return Recheck(
        decides.value, own.value, inside, agreed, violated, second.point, inside and own.vanishing
    )


def _settled(
    claim: Claim,
    point: Mapping[str, float],
    which: int,
    first: _Values,
    second: _Values,
    digits: int,
) -> Settled:
    """The margin (0) or the exclusion bound (1) at a point, settled with as many digits as it takes."""
    found = settle(first.values[which], second.values[which], digits)
    formula = read(claim)
    place = (formula.margin, formula.exclusion)[which]
    if not found.vanishing or place is None:
        return found
    if _exact(formula, place, point) == 0:
        return Settled(mp.zero, digits)
    if claim.kind is Kind.EQUALITY or any(
        formula.operations[i][0] in _SOLVED for i in formula.needed([place])
    ):
        return found  # that a residual vanishes to 450 digits refutes nothing
    for more in _MORE if claim.strict else _MORE[:1]:
        further = _evaluate(claim, point, more)
        if not further.inside:  # on the edge of the domain, where rounding decides
            break
        found, second = settle(second.values[which], further.values[which], digits), further
        if not found.vanishing:
            break
    return found


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
                raise ClaimError(
                    f"claim {claim.id!r} cannot be re-derived in the case {known}: {error!r}"
                ) from error
    found = settle(values[0], values[1], digits)
    if (
        found.vanishing and values[0] == values[1] == 0
    ):  # the second route counts: its zero is one of whole numbers
        found = Settled(mp.zero, digits)
    violated = found.digits >= digits and not found.vanishing and _breaks(claim, found.value, None)
    return Recheck(
        found.value, found.value, True, found.digits, violated, dict(known), found.vanishing
    )


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


def confirm(
    claim: Claim, point: Mapping[str, float], digits: int = DIGITS
) -> Counterexample | None:
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


def _evaluate(claim: Claim, point: Mapping[str, float], digits: int) -> _Values:
    """Side conditions, margin and exclusion with so many digits."""
    with mpmath.workdps(digits):
        formula = read(claim)
        exact = {axis.name: mp.mpf(point[axis.name]) for axis in claim.domain.axes}
        inner = {axis.name: mp.mpf(point[axis.name]) for axis in claim.inner if axis.name in point}
        inside = all(axis.contains(exact[axis.name]) for axis in claim.domain.axes)
        known = {**exact, **inner}
        try:
            at = formula.at(known, MPMATH)
            charted = {name: at[place] for name, place in formula.point}
            inside = inside and all(
                _real(at[side]) >= 0 for side in formula.sides
            )  # NaN compares False: undefined is outside
            asked = (formula.margin if len(inner) == len(claim.inner) else None, formula.exclusion)
            values = [
                _real(at[place]) if inside and place is not None else mp.nan for place in asked
            ]
            plain = {
                name: float(_real(value)) for name, value in {**exact, **charted, **inner}.items()
            }
        except ZeroDivisionError:
            return _Values(inside, (mp.nan, mp.nan), dict(point))
        except ClaimError:
            raise
        except Exception as error:
            raise ClaimError(
                f"claim {claim.id!r} cannot be evaluated in mpmath at {dict(point)}: {error!r}"
            ) from error
        return _Values(inside, (values[0], values[1]), plain)


def _real(value: Any) -> Any:
    """The value as an mpf; a complex one is undefined."""
    return mp.nan if isinstance(value, mpmath.mpc) else mp.mpf(value)


@dataclass(frozen=True)
class Settled:
    """What two precisions agree on.

    Attributes:
        value: on which they agree; NaN where they do not, or where it is undefined.
        digits: significant digits to which they agree.
        vanishing: whether it follows the precision down, so that it is zero or smaller than any digit looked at.
    """

    value: Any
    digits: int
    vanishing: bool = False


def settle(first: Any, second: Any, digits: int) -> Settled:
    """What a lower and a higher precision agree on."""
    with mpmath.workdps(digits + 20):
        if not (mp.isfinite(first) and mp.isfinite(second)):
            same = first == second  # an infinity on which both agree
            return Settled(second if same else mp.nan, digits if same else 0)
        gap, size = abs(first - second), max(abs(first), abs(second))
        if second != 0 and gap <= abs(second) * mp.mpf(10) ** -digits:
            return Settled(second, digits)
        if max(abs(first), abs(second) * mp.mpf(10) ** 300) < mp.mpf(10) ** (20 - 2 * digits):
            return Settled(mp.zero, digits, vanishing=True)
        return Settled(second, max(0, int(-mp.log10(gap / size))))


def _exact(formula: Formula, wanted: int, point: Mapping[str, float]) -> Fraction | None:
    """The exact value of an operation where it is a fraction that whole-number arithmetic finds, else None.

    A difference of one and the same operation is zero, and so is zero times anything: that both are defined is known, since many
    digits found a finite margin.
    """
    known: dict[int, Fraction | None] = {}
    for place in formula.needed([wanted]):
        operation = formula.operations[place]
        known[place] = _exact_step(operation, [known[i] for i in arguments(operation)], point)
    return known[wanted]


_AT: dict[str, tuple[int, int]] = {
    "exp": (0, 1),
    "log": (1, 0),
    "lambertw": (0, 0),
    "logisticw": (0, 0),
}  # f(x) = y, both exact


def _exact_step(
    operation: tuple[Any, ...], given: list[Fraction | None], point: Mapping[str, float]
) -> Fraction | None:
    name = operation[0]
    if name == "axis":
        return Fraction(point[operation[1]])
    if name == "number":
        return Fraction(operation[1])
    if name == "sub" and operation[1] == operation[2]:
        return Fraction(0)
    if name == "mul" and 0 in given:
        return Fraction(0)
    if None in given:
        return None
    numbers = [value for value in given if value is not None]
    if name in _AT:
        return (
            Fraction(_AT[name][1])
            if numbers[0] == _AT[name][0] and operation[2:] in ((), (0,))
            else None
        )
    if name == "sqrt":
        roots = math.isqrt(max(numbers[0].numerator, 0)), math.isqrt(numbers[0].denominator)
        return (
            Fraction(*roots)
            if roots[0] ** 2 == numbers[0].numerator and roots[1] ** 2 == numbers[0].denominator
            else None
        )
    return (
        _EXACT[name](*numbers, *operation[2:])
        if name == "power"
        else _EXACT[name](*numbers)
        if name in _EXACT
        else None
    )


_EXACT: dict[str, Any] = {
    "add": lambda a, b: a + b, "sub": lambda a, b: a - b, "mul": lambda a, b: a * b, "neg": lambda a: -a,
    "div": lambda a, b: a / b if b else None, "power": lambda a, n: a**n if n < 1000 else None, "abs": abs,
    "minimum": min, "maximum": max, "indicator": lambda a: Fraction(int(a >= 0)),
}  # fmt: skip
