r"""Evidence by enumeration: a claim about finitely many cases is decided case by case.

A case whose margin has a sign in its enclosure is decided. Whatever decides, for the claim or against it, is derived again by the
claim's own second route, at two precisions that must agree, and has to lie in the enclosure: an enclosure that is called rigorous
and is not is found out. For "every case" that holds, and for "some case" that fails, it is every case of the list.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from ascentfail.claims.claim import Cases, Claim, ClaimError, Level
from ascentfail.claims.evidence.recheck import DIGITS, recheck
from ascentfail.claims.evidence.sample import Sampled
from ascentfail.claims.verdict import Counterexample, Evidence
from ascentfail.core.precision import require_x64


def decide(claim: Claim, level: Level) -> Sampled:
    """Decides a claim that has `cases`.

    Args:
        claim: the claim.
        level: "certified" asks for rigorous enclosures.

    Returns:
        Sampled: "fails" with a confirmed counterexample, "holds", or "open" where undecided cases leave it so, or where the
        second route does not agree. The level of the evidence is "certified", and its grade "cases", only for rigorous enclosures
        that decide.

    Raises:
        PrecisionError: float64 is off.
        ClaimError: the claim's own functions raise, or return no enclosure.
    """
    require_x64("deciding a claim case by case")
    cases = claim.cases
    assert cases is not None
    if not cases.points:
        return Sampled("open", Evidence("sampled", 0, words=cases.unmeasured))
    ends = [_enclosure(claim, point, level) for point in cases.points]
    said = [_allowed(claim, low, high) for low, high in ends]
    proof = level == "certified" and cases.rigorous
    words = f"{said.count(True)} of {len(said)} cases hold" + (
        f", {said.count(None)} undecided" if None in said else ""
    )
    every = cases.quantifier == "every"
    worst = _extreme(ends, largest=not every)
    low = ends[worst][0]
    evidence = Evidence(
        "certified" if proof else "sampled",
        len(said),
        low if math.isfinite(low) else None,
        cases.points[worst],
        1.0 if proof else None,
        0 if proof else None,
        words,
        grade="cases" if proof else None,
    )
    broken = False in said if every else all(value is False for value in said)
    if broken:
        refuting = sorted(
            (i for i, value in enumerate(said) if value is False), key=lambda i: i != worst
        )
        found = _refute(claim, cases, refuting[:1] if every else refuting, worst)
        return (
            Sampled("fails", evidence, found)
            if found
            else _open(evidence, "the second route does not agree")
        )
    if not (all(said) if every else True in said):
        return _open(evidence, "undecided cases")
    if level != "certified":
        return Sampled("holds", evidence)
    deciding = range(len(said)) if every else [worst]
    doubtful = [i for i in deciding if not _agrees(claim, cases.points[i], ends[i])]
    if doubtful:
        return _open(evidence, f"the second route does not agree in case {doubtful[0]}")
    return Sampled("holds", evidence) if proof else _open(evidence, "no proof")


def _agrees(claim: Claim, point: dict[str, float], ends: tuple[float, float]) -> bool:
    """Whether the second route finds a margin that the claim allows, inside the enclosure of the first."""
    found = recheck(claim, point)
    if found.vanishing or found.digits < DIGITS:
        return False
    allowed = (
        _allowed(claim, float(found.margin), float(found.margin))
        if found.margin
        else not claim.strict
    )
    return bool(allowed) and ends[0] <= found.margin <= ends[1]


def _open(evidence: Evidence, why: str) -> Sampled:
    words = f"{evidence.words}; {why}"
    return Sampled(
        "open",
        Evidence(
            "sampled", evidence.samples, evidence.worst_margin, evidence.worst_point, words=words
        ),
    )


def _enclosure(claim: Claim, point: dict[str, float], level: Level) -> tuple[float, float]:
    assert claim.cases is not None
    try:
        low, high = claim.cases.margin(point, level)
        return float(low), float(high)
    except ClaimError:
        raise
    except Exception as error:
        raise ClaimError(
            f"claim {claim.id!r}: its margin raised {error!r} in the case {point}"
        ) from error


def _allowed(claim: Claim, low: float, high: float) -> bool | None:
    """Whether the claim allows a margin in [low, high]; None where that depends on where it lies."""
    if math.isnan(low) or math.isnan(high):
        return None
    if low > 0 or (low >= 0 and not claim.strict):
        return True
    return False if high < 0 or (high <= 0 and claim.strict) else None


def _extreme(ends: Iterable[tuple[float, float]], largest: bool) -> int:
    """The case that decides: the largest margin for "some", the smallest for "every"; NaN decides nothing."""
    values = [
        low if not math.isnan(low) else (-math.inf if largest else math.inf) for low, _ in ends
    ]
    return values.index(max(values) if largest else min(values))


def _refute(claim: Claim, cases: Cases, which: list[int], worst: int) -> Counterexample | None:
    """The counterexample, where the second route confirms each of the cases in many digits."""
    found = {i: recheck(claim, cases.points[i]) for i in which}
    if not all(again.violated for again in found.values()):
        return None
    pick = worst if worst in found else which[0]
    return Counterexample(dict(cases.points[pick]), float(found[pick].margin), DIGITS, cases.bound)
