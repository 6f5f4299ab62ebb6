"""From a claim to a verdict."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from ascentfail.claims.claim import Claim, Level
from ascentfail.claims.evidence import cases, sample, search
from ascentfail.claims.evidence.formula import FormulaError
from ascentfail.claims.evidence.recheck import recheck
from ascentfail.claims.evidence.sample import Sampled
from ascentfail.claims.verdict import PROOFS, Evidence, Status, Verdict, percent
from ascentfail.core.errors import MissingExtraError, invalid
from ascentfail.numerics.arithmetic import arb, symbolic

if TYPE_CHECKING:
    from ascentfail.claims.evidence.certify import Certified

LEVELS: tuple[Level, ...] = ("sampled", "searched", "certified")


def check(
    claim: Claim, level: Level = "sampled", *, samples: int = sample.SAMPLES, seed: int = 0
) -> Verdict:
    """Gathers evidence for a claim, and for its repaired statement.

    Weaker levels are gathered on the way, and a confirmed counterexample ends the matter. At level "certified" a claim holds only
    when it is proved on the whole of its domain, or argued by steps that a machine checked; `evidence.grade` says which. What
    stays undecided makes it open, with the fraction and the weaker evidence said.

    Args:
        claim: from the registry, or your own.
        level: "sampled", "searched" or "certified".
        samples: points to sample, >= 1.
        seed: any int >= 0, of the quasi-random points.

    Returns:
        Verdict, with the level and the grade of its evidence.

    Raises:
        ValueError: no Claim, unknown level, or fewer than one sample.
        PrecisionError: float64 is off.
        MissingExtraError: level "certified" without the extra of that name.
        ClaimError: the claim's own functions raise or return the wrong shape.
    """
    return certified_check(claim, level, samples=samples, seed=seed)[0]


def certified_check(
    claim: Claim, level: Level = "certified", *, samples: int = sample.SAMPLES, seed: int = 0
) -> tuple[Verdict, dict[str, dict]]:
    """As `check`, with the certificates found on the way, by claim id."""
    if not isinstance(claim, Claim):
        raise invalid("claim", claim, 'a Claim; get it with get("lemma-3.main")')
    if level not in LEVELS:
        raise invalid("level", level, " or ".join(repr(x) for x in LEVELS))
    if samples < 1:
        raise invalid("samples", samples, "an integer >= 1")
    certificates: dict[str, dict] = {}
    found = _gather(claim, level, samples, seed, certificates)
    repaired = None
    if claim.repaired:
        repaired, more = certified_check(claim.repaired, level, samples=samples, seed=seed)
        certificates |= more
    verdict = Verdict(
        id=claim.id,
        statement=claim.statement,
        source=claim.source,
        kind=claim.kind,
        status=found.status,
        evidence=found.evidence,
        counterexample=found.counterexample,
        repaired=repaired,
        domain=claim.domain.words,
    )
    return verdict, certificates


def _gather(
    claim: Claim, level: Level, samples: int, seed: int, certificates: dict[str, dict]
) -> Sampled:
    """Evidence in the order that costs least: a proof spares the search, a counterexample spares both."""
    if level == "certified":
        arb()  # a missing extra is said before the work
        symbolic()
    if claim.cases is not None:
        return cases.decide(claim, level)
    try:
        found = sample.sample(claim, samples, seed)
    except FormulaError as error:  # floats alone refute and prove nothing
        return Sampled("open", Evidence("sampled", words=str(error)))
    if level == "searched" and found.status != "fails":
        found = search.search(claim, samples=samples, seed=seed, weaker=found)
    elif level == "certified" and found.status != "fails":
        found = _certified(claim, found, samples, seed, certificates)
    return _graded(claim, found) if found.status == "fails" else found


def _graded(claim: Claim, found: Sampled) -> Sampled:
    """A refutation with its grade: words that exclude a whole range are an argument, a margin enclosed at its point is a box."""
    assert found.counterexample is not None
    if claim.exclusion is not None:
        return dataclasses.replace(
            found, evidence=dataclasses.replace(found.evidence, grade="argued")
        )
    try:
        from ascentfail.claims.evidence.certify import point_refutes
    except MissingExtraError:  # many digits confirmed it all the same
        return found
    point = found.counterexample.point
    grade = "boxes" if point_refutes(claim, point) or _exactly_zero(claim, point) else None
    return dataclasses.replace(
        found, evidence=dataclasses.replace(found.evidence, grade=grade or found.evidence.grade)
    )


def _exactly_zero(claim: Claim, point: dict[str, float]) -> bool:
    """Whether fractions show that a strict margin is zero at a point of a box without side conditions."""
    return claim.strict and claim.domain.where is None and recheck(claim, point).margin == 0


def _certified(
    claim: Claim, weaker: Sampled, samples: int, seed: int, certificates: dict[str, dict]
) -> Sampled:
    """The verdict at level "certified": holds only where proved or argued, vacuous only where every box is excluded."""
    from ascentfail.claims.evidence.certify import certify, excluded

    if weaker.status == "vacuous":
        if excluded(claim):
            return Sampled(
                "vacuous",
                Evidence("certified", words="a side condition excludes every box", grade="boxes"),
            )
        return _open(weaker, "no point of the domain was found, and boxes do not exclude all of it")
    found = certify(claim)
    if (
        found is not None and found.evidence.grade not in PROOFS
    ):  # that the steps imply the claim is words: it is attacked
        weaker = search.search(
            claim, starts=48, steps=60, generations=1, samples=samples, seed=seed, weaker=weaker
        )
        if weaker.status == "fails":
            return weaker
    if found is not None:
        certificates[claim.id] = found.certificate
        if settled := _settled(found, weaker):
            return settled
    tried = search.search(claim, samples=samples, seed=seed, weaker=weaker)
    if tried.status == "fails":
        return tried
    if found is None:
        return _open(tried, "boxes and identities cannot speak about it")
    part = percent(found.evidence.certified_fraction or 0.0)
    return _open(
        tried,
        f"{part} of the box is decided, {found.evidence.undecided} boxes are not",
        found.evidence,
    )


def _settled(found: Certified, weaker: Sampled) -> Sampled | None:
    """The verdict that certification alone settles, with the closest call of the weaker evidence."""
    if found.counterexample:
        at = found.counterexample
        evidence = dataclasses.replace(
            found.evidence, worst_margin=at.margin, worst_point=at.point, grade="searched"
        )
        return Sampled("fails", evidence, at)
    if found.vacuous:
        return Sampled("vacuous", found.evidence)
    if not (found.complete and weaker.status == "holds"):
        return None
    worst = {
        "worst_margin": weaker.evidence.worst_margin,
        "worst_point": weaker.evidence.worst_point,
    }
    return Sampled("holds", dataclasses.replace(found.evidence, **worst))


def _open(weaker: Sampled, why: str, evidence: Evidence | None = None) -> Sampled:
    """Open, with the weaker evidence in words."""
    said = f"{weaker.status} as far as {weaker.evidence.level} ({weaker.evidence.samples:,} points)"
    base = dataclasses.replace(
        evidence or weaker.evidence,
        worst_margin=weaker.evidence.worst_margin,
        worst_point=weaker.evidence.worst_point,
        grade=weaker.evidence.grade,
    )
    status: Status = "open"
    return Sampled(
        status,
        dataclasses.replace(
            base, words="; ".join(w for w in (why, said, weaker.evidence.words) if w)
        ),
    )
