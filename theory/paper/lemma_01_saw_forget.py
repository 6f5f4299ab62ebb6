r"""Lemma 1 for a model that was trained on F too: it knows F by heart, and the population not at all.

Labels are fair coins, so that every model has population accuracy 1/2; one nearest neighbour answers each point it was trained on
by that point's own label. What holds is uniform convergence: a union bound over the candidates that training chooses from.
"""

from __future__ import annotations

import functools
import itertools
from fractions import Fraction
from typing import Any

import mpmath

from ascentfail import random_sets
from ascentfail.claims.claim import Axis, Cases, Claim, Domain, Kind, Level, Point, by_cases
from ascentfail.claims.registry import register
from ascentfail.numerics.arithmetic import Arithmetic, Scalar
from ascentfail.theory.paper.lemma_01_random_sets import (
    INDEPENDENT_SETS,
    independent_bound,
    independent_tail,
)
from ascentfail.theory.paper.lemma_01_retrained import excess
from ascentfail.theory.proof_steps import tails

_HALF = Fraction(1, 2)
_TRAINED = (
    {"total": 8.0, "forget": 3.0},
    {"total": 8.0, "forget": 4.0},
    {"total": 8.0, "forget": 5.0},
)


@functools.cache
def _memorised(total: int, forget: int) -> Fraction:
    """P(|1/2 - Acc_F| >= 1/2) over all coin labels and all forget sets, one nearest neighbour trained on all of D."""
    far = tried = 0
    for labels in itertools.product((False, True), repeat=total):
        answers = random_sets.nearest_on_circle(range(total), labels)
        for chosen in itertools.combinations(range(total), forget):
            right = Fraction(sum(answers[i] == labels[i] for i in chosen), forget)
            far, tried = far + (abs(_HALF - right) >= _HALF), tried + 1
    return Fraction(far, tried)


def _trained(point: dict[str, float], level: Level) -> tuple[float, float]:
    value = excess(
        int(point["forget"]), _HALF, _memorised(int(point["total"]), int(point["forget"]))
    )
    return float(value), float(value)


def _trained_exact(point: dict[str, float], digits: int) -> Any:
    with mpmath.workdps(digits):
        return excess(
            int(point["forget"]), _HALF, Fraction(1)
        )  # each point of D is its own nearest neighbour: Acc_F = 1


_TRAINED_CASES = Cases(
    _TRAINED,
    _trained,
    _trained_exact,
    bound="labels are fair coins, so any model has population accuracy 1/2, and one nearest neighbour trained on F too has Acc_F "
    "= 1; every labelling and forget set was tried, and one case is enough",
)


def _chosen(p: Point, xp: Arithmetic) -> Scalar:
    """M 2 exp(-2 n e^2) minus the largest chance that one of M candidates deviates, min(1, M P) by the union bound."""
    return p.models * independent_bound(p, xp) - xp.minimum(
        xp.number(1), p.models * independent_tail(p, xp)
    )


register(
    Claim(
        id="lemma-1.saw-forget",
        statement="P(|Acc_T - Acc_F| >= e) <= 2 exp(-2 |F| e^2) for every model that was "
        "trained on F too; Acc_T on the population.",
        source="Lemma 1, read for the original and for unlearned models",
        kind=Kind.PROBABILITY,
        domain=_TRAINED_CASES.domain(
            "eight points with coin labels, one nearest neighbour trained on all of them"
        ),
        margin=by_cases,
        cases=_TRAINED_CASES,
        repaired=Claim(
            id="lemma-1.saw-forget.repaired",
            statement="For a model picked, F seen, among M candidates that were fixed before: P(|Acc_T - Acc_F| >= e) <= "
            "2 M exp(-2 |F| e^2).",
            source="ours",
            kind=Kind.PROBABILITY,
            domain=Domain(
                (*INDEPENDENT_SETS.axes, Axis("models", 1, 1000, "integer")),
                where=INDEPENDENT_SETS.where,
                words=f"M <= 1000 candidates of one population accuracy p; {INDEPENDENT_SETS.words}",
            ),
            margin=_chosen,
            proof=tails.INDEPENDENT,
            proof_words="each candidate has its tail below 2 exp(-2 |F| e^2), and their chances add up at most; "
            f"{tails.INDEPENDENT_WORDS}",
        ),
    )
)
