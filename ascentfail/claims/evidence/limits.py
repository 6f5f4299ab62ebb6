"""Does a limit's modulus vanish? The margin alone cannot tell: 1 minus a distance below 1 is positive and shows no limit."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import mpmath
from mpmath import mp

from ascentfail.claims.claim import Axis, Claim
from ascentfail.claims.evidence.formula import read
from ascentfail.numerics.arithmetic import MPMATH

_POWERS = (
    0,
    1,
    4,
    16,
    64,
    256,
    1024,
    4096,
)  # of ten, by which the limit is approached beyond the end of its axis
_SMALL = 1e-2  # the last modulus over the first


def why_not(claim: Claim, rows: Iterable[Mapping[str, float]]) -> str:
    """Why nothing shows that the modulus of a limit vanishes; an empty text where it is seen to.

    The modulus is followed far beyond the end of its axis, at several values of the other coordinates: it has to fall all the
    way, to a hundredth or less, and to be no less than the margin, since a distance is not negative.

    Args:
        claim: a LIMIT.
        rows: points of the domain, from which the other coordinates are taken.

    Returns:
        A sentence, or "".

    Raises:
        ClaimError: the claim's own functions raise.
    """
    if claim.modulus is None:
        return "no modulus is stated, so nothing shows that it vanishes; give the claim modulus=Modulus(value, axis, towards)"
    for row in rows:
        values = list(_moduli(claim, row))
        if any(later > earlier for earlier, later in zip(values, values[1:], strict=False)):
            return f"the modulus does not fall as {claim.modulus.axis} goes to {claim.modulus.towards:g}"
        if len(values) < 2 or not 0 <= values[-1] <= _SMALL * values[0]:
            return f"the modulus does not vanish as {claim.modulus.axis} goes to {claim.modulus.towards:g}"
        if not _distance(claim, row) >= 0:
            return "the margin is above the modulus: the distance would be negative"
    return ""


def _moduli(claim: Claim, row: Mapping[str, float]) -> Iterator[Any]:
    """The modulus on the way to the limit, where it is defined."""
    assert claim.modulus is not None
    formula = read(claim)
    assert formula.modulus is not None
    with mpmath.workdps(30):
        others = {axis.name: mp.mpf(row[axis.name]) for axis in claim.domain.axes}
        (along,) = (axis for axis in claim.domain.axes if axis.name == claim.modulus.axis)
        for coordinate in _ends(along, claim.modulus.towards):
            try:
                value = formula.at({**others, along.name: coordinate}, MPMATH)[formula.modulus]
            except (ZeroDivisionError, OverflowError):
                continue
            if mp.isfinite(value):
                yield value


def _distance(claim: Claim, row: Mapping[str, float]) -> Any:
    """Modulus minus margin at a point of the domain; rounding below a hundred digits counts as zero."""
    formula = read(claim)
    assert formula.modulus is not None and formula.margin is not None
    with mpmath.workdps(100):
        at = formula.at({axis.name: mp.mpf(row[axis.name]) for axis in claim.domain.axes}, MPMATH)
        modulus, margin = at[formula.modulus], at[formula.margin]
        return modulus - margin + abs(modulus) * mp.mpf(10) ** -80


def _ends(axis: Axis, towards: float) -> Iterator[Any]:
    """The end of the axis, and numbers ever nearer to the limit beyond it."""
    for power in _POWERS:
        if towards == math.inf:
            yield mp.mpf(axis.high) * mp.mpf(10) ** power
        else:
            yield mp.mpf(axis.low if axis.low > 0 else axis.high) / mp.mpf(10) ** power
