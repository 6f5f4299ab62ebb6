"""From a claim to a verdict."""

from __future__ import annotations

from typing import get_args

from ascentfail.errors import invalid
from ascentfail.theory.claim import Claim, Level, Verdict
from ascentfail.theory.evidence import sample

LEVELS: tuple[Level, ...] = ("sampled",)


def check(claim: Claim, level: Level = "sampled", *, samples: int = sample.SAMPLES, seed: int = 0) -> Verdict:
    """Gathers evidence for a claim, and for its repaired statement.

    Args:
        claim: from the registry, or your own.
        level: the strongest evidence to ask for; weaker levels are gathered on the way.
        samples: points to sample, >= 1.
        seed: of the quasi-random points.

    Returns:
        Verdict, with the level of its evidence.

    Raises:
        ValueError: unknown level, or fewer than one sample.
        PrecisionError: float64 is off.
        ClaimError: the claim's own functions raise or return the wrong shape.
    """
    if level not in LEVELS:
        raise invalid("level", level, " or ".join(repr(x) for x in LEVELS))
    if samples < 1:
        raise invalid("samples", samples, "an integer >= 1")
    found = sample.sample(claim, samples, seed)
    return Verdict(
        id=claim.id,
        statement=claim.statement,
        source=claim.source,
        kind=claim.kind,
        status=found.status,
        evidence=found.evidence,
        counterexample=found.counterexample,
        repaired=check(claim.repaired, level, samples=samples, seed=seed) if claim.repaired else None,
        domain=claim.domain.words,
    )


assert set(LEVELS) <= set(get_args(Level))
