r"""Beyond the paper: random forget sets when the test set, or the population itself, is finite.

Serfling: the martingale of `lemma-1.fixed-model` has factors (N-n)/(N-k), k = 1..n, and the sum of their squares is at most
n (1 - (n-1)/N), because 1/j^2 <= ((m+1)/m)(1/j - 1/(j+1)) for j >= m telescopes.
"""

from __future__ import annotations

import dataclasses

from ascentfail import random_sets
from ascentfail.claims.claim import Claim, Kind, Point
from ascentfail.claims.registry import register
from ascentfail.numerics.arithmetic import Arithmetic, Scalar
from ascentfail.theory.paper.lemma_01_random_sets import (
    DRAWN_SETS,
    TWO_SAMPLE,
    drawn_exponent,
    drawn_tail,
)
from ascentfail.theory.proof_steps import tails


def serfling_bound(p: Point, xp: Arithmetic) -> Scalar:
    """2 exp(-2 n e^2/(1 - (n-1)/N)) with e = j/n - K/N."""
    return random_sets.hoeffding_bound(drawn_exponent(p) * p.total / (p.total - p.n + 1), xp=xp)


register(
    dataclasses.replace(
        TWO_SAMPLE,
        id="beyond-9.two-sample",
        statement=f"{TWO_SAMPLE.statement[:-1]} for independent F and T and a model of neither.",
        source="ours",
        note="Sampled for the sizes of its domain; the proof is for every size.",
    )
)

register(
    Claim(
        id="beyond-9.serfling",
        statement="P(|Acc_D - Acc_F| >= e) <= 2 exp(-2 |F| e^2/(1 - (|F|-1)/N)) for F drawn "
        "without replacement from N and a model "
        "that does not depend on F.",
        source="ours: Serfling (1974) on a forget set",
        kind=Kind.PROBABILITY,
        domain=DRAWN_SETS,
        margin=lambda p, xp: serfling_bound(p, xp) - drawn_tail(p, xp),
        proof=(*tails.WITHOUT_REPLACEMENT, *tails.TELESCOPE),
        proof_words="the exponent is t^2/8 times the sum of ((N-n)/(N-k))^2, whose last "
        "term is 1 and whose others telescope; for "
        "n = N the count is certain",
        note="Sampled for the sizes of its domain; the proof is for every size.",
    )
)
