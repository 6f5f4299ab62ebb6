r"""Lemma 1 for one data set: only F is random, and the oracle is retrained on what remains.

Counterexamples are small training sets with an actual learning rule, every forget set tried; a count by formula is the second
route. A table answers what it stored and False elsewhere, so of D with all labels True it gets every retained point right and no
forgotten one. One nearest neighbour on a circle of alternating labels answers a forgotten point by the other label, as a rule.
"""

from __future__ import annotations

import functools
import itertools
from collections import Counter
from fractions import Fraction
from typing import Any

import mpmath
from mpmath import mp

from ascentfail import random_sets
from ascentfail.claims.claim import Cases, Claim, Domain, Kind, Level, by_cases
from ascentfail.claims.registry import register
from ascentfail.numerics.arithmetic import MPMATH
from ascentfail.theory.paper.lemma_01_random_sets import (
    DRAWN_SETS,
    MOST,
    drawn_exponent,
    drawn_tail,
)
from ascentfail.theory.proof_steps import tails

TABLE, CIRCLE = 0.0, 1.0
_RETRAINED = tuple(
    {"rule": rule, "total": total, "forget": forget, "right": 0.0}
    for rule, sizes in (
        (TABLE, ((12.0, 4.0), (12.0, 6.0))),
        (CIRCLE, ((12.0, 4.0), (12.0, 5.0), (14.0, 6.0))),
    )
    for total, forget in sizes
)


def _sizes(point: dict[str, float]) -> tuple[int, int]:
    return int(point["total"]), int(point["forget"])


def _deviation(point: dict[str, float]) -> Fraction:
    """|Acc_T - Acc_F| where `right` forgotten points, and all retained ones, are answered rightly."""
    total, forget = _sizes(point)
    right = int(point["right"])
    return abs(Fraction(total - forget + right, total) - Fraction(right, forget))


def excess(forget: int, deviation: Fraction, probability: Fraction) -> Any:
    """2 exp(-2 |F| e^2) - P at the working precision of mpmath."""
    exact = deviation**2 * forget
    exponent = mp.mpf(exact.numerator) / exact.denominator
    return (
        random_sets.hoeffding_bound(exponent, xp=MPMATH)
        - mp.mpf(probability.numerator) / probability.denominator
    )


@functools.cache
def _tried(rule: float, total: int, forget: int, deviation: Fraction) -> Fraction:
    """The probability, by retraining on what remains for every forget set."""
    if rule == TABLE:
        return random_sets.enumerated_tail(random_sets.table, [True] * total, forget, deviation)
    labels = [i % 2 == 0 for i in range(total)]
    return random_sets.enumerated_tail(random_sets.nearest_on_circle, labels, forget, deviation)


def circle_counts(total: int, forget: int) -> Counter[int]:
    """How many forget sets of a circle have so many right answers on F, from the runs that F falls into.

    In a run of L forgotten points the i-th has a retained neighbour at distance min(i, L+1-i), of its own label iff that is even.
    With y marking right answers, rotations count (total/retained) times [x^F] (sum_L x^L y^{right(L)})^retained.
    """
    retained = total - forget
    runs = [
        (size, sum(min(i, size + 1 - i) % 2 == 0 for i in range(1, size + 1)))
        for size in range(forget + 1)
    ]
    ways: Counter[tuple[int, int]] = Counter({(0, 0): 1})
    for _ in range(retained):
        longer: Counter[tuple[int, int]] = Counter()
        for ((used, right), count), (size, more) in itertools.product(ways.items(), runs):
            if used + size <= forget:
                longer[used + size, right + more] += count
        ways = longer
    return Counter(
        {
            right: count * total // retained
            for (used, right), count in ways.items()
            if used == forget
        }
    )


def _counted(point: dict[str, float]) -> Fraction:
    """The probability, by formula: the second route."""
    total, forget = _sizes(point)
    counts = Counter({0: 1}) if point["rule"] == TABLE else circle_counts(total, forget)
    far = sum(
        n
        for right, n in counts.items()
        if _deviation({**point, "right": right}) >= _deviation(point)
    )
    return Fraction(far, sum(counts.values()))


def _retrained(point: dict[str, float], level: Level) -> tuple[float, float]:
    deviation = _deviation(point)
    value = excess(_sizes(point)[1], deviation, _tried(point["rule"], *_sizes(point), deviation))
    return float(value), float(value)


def _retrained_exact(point: dict[str, float], digits: int) -> Any:
    with mpmath.workdps(digits):
        return excess(_sizes(point)[1], _deviation(point), _counted(point))


_RETRAINED_CASES = Cases(
    _RETRAINED,
    _retrained,
    _retrained_exact,
    bound="rule 0 is a table with default False, all labels True; rule 1 is one nearest neighbour on a circle of alternating "
    "labels; the population is uniform over D, every forget set was tried, and one case is enough",
)
register(
    Claim(
        id="lemma-1.fixed-data",
        statement="P(|Acc_T - Acc_F| >= e) <= 2 exp(-2 |F| e^2) with D fixed and only F "
        "random, the oracle retrained on D minus F, "
        "for every D and every learning rule; Acc_T on the population.",
        source="Lemma 1, read for one data set",
        kind=Kind.PROBABILITY,
        domain=_RETRAINED_CASES.domain("five constructed pairs of data set and learning rule"),
        margin=by_cases,
        cases=_RETRAINED_CASES,
        note="The population is uniform over the points of D, so D represents it perfectly; "
        "e is the deviation with no right answer "
        "on F.",
        repaired=Claim(
            id="lemma-1.fixed-data.repaired",
            statement="If for every F the oracle's answers on D differ from those of one model, chosen without F, at at most s "
            "points, then P(|Acc_D - Acc_F| >= e) <= 2 exp(-2 |F| (e - s/|F|)^2) for e >= s/|F|.",
            source="ours",
            kind=Kind.PROBABILITY,
            domain=Domain(
                DRAWN_SETS.axes,
                where=DRAWN_SETS.where,
                words=f"|F| = n <= N <= {MOST}, K of N answers of the model chosen without "
                f"F right, e - s/n = |j/n - K/N| attainable",
            ),
            margin=lambda p, xp: (
                random_sets.hoeffding_bound(drawn_exponent(p), xp=xp) - drawn_tail(p, xp)
            ),
            proof=(*tails.WITHOUT_REPLACEMENT, tails.MOVED),
            proof_words="within s/|F| of the deviation of the model chosen without F, whose tail at e - s/|F| is that of "
            f"lemma-1.fixed-model: {tails.WITHOUT_REPLACEMENT_WORDS}",
            note="Sampled is the tail of the model chosen without F, which bounds the oracle's.",
        ),
    )
)
