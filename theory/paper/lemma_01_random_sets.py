r"""Lemma 1 for independent data, for a finite test set, and for a fixed model: is the forget accuracy near the test accuracy?

Hoeffding's lemma, ln E e^{t(X-p)} <= t^2/8 for X in {0, 1} of mean p, carries every version: the exponent of n independent
answers is n (t^2/8 - t e), least at t = 4 e, where it is -2 n e^2. Tails are exact sums, and e is always an attainable deviation.
"""

from __future__ import annotations

from ascentfail import random_sets
from ascentfail.claims.claim import Axis, Claim, Domain, Kind, Point
from ascentfail.claims.registry import register
from ascentfail.numerics.arithmetic import Arithmetic, Scalar
from ascentfail.theory.proof_steps import tails

MOST, MOST_PAIRED = 40, 16  # largest set whose tail is summed here; the proofs have no such limit
_CHANCE = Axis("p", 0.0, 1.0)


def independent_tail(p: Point, xp: Arithmetic) -> Scalar:
    """P(|Acc_F - p| >= |j/n - p|) for n independent answers."""
    return random_sets.binomial_tail(p.j, p.n, p.p, most=MOST, xp=xp)


def independent_bound(p: Point, xp: Arithmetic) -> Scalar:
    """2 exp(-2 n e^2) with n e = j - n p."""
    return random_sets.hoeffding_bound((p.j - p.n * p.p) ** 2 / p.n, xp=xp)


def two_sample_margin(p: Point, xp: Arithmetic, both: bool) -> Scalar:
    """A bound minus P(|Acc_T - Acc_F| >= |j/n - i/m|): 2 exp(-2 n e^2), or with n m/(n + m) in place of n."""
    gap = p.j * p.m - p.i * p.n
    squared = gap * gap / (p.n * p.m) ** 2
    exponent = squared * p.n * (p.m / (p.n + p.m) if both else 1)
    tail = random_sets.two_sample_tail(gap, p.n, p.m, p.p, most=MOST_PAIRED, xp=xp)
    return random_sets.hoeffding_bound(exponent, xp=xp) - tail


def drawn_exponent(p: Point) -> Scalar:
    """What n e^2 is, with e = j/n - K/N."""
    return (p.j * p.total - p.n * p.right) ** 2 / (p.n * p.total * p.total)


def drawn_tail(p: Point, xp: Arithmetic) -> Scalar:
    """P(|Acc_F - K/N| >= |j/n - K/N|) for F drawn without replacement."""
    return random_sets.hypergeometric_tail(p.j, p.n, p.right, p.total, most=MOST, xp=xp)


INDEPENDENT_SETS = Domain(
    (Axis("n", 1, MOST, "integer"), Axis("j", 0, MOST, "integer"), _CHANCE),
    where=lambda p, xp: (p.n - p.j,),
    words=f"|F| = n <= {MOST}, e = |j/n - p| attainable, p in [0, 1]",
)
TWO_SETS = Domain(
    (
        Axis("n", 1, MOST_PAIRED, "integer"),
        Axis("m", 1, MOST_PAIRED, "integer"),
        Axis("j", 0, MOST_PAIRED, "integer"),
        Axis("i", 0, MOST_PAIRED, "integer"),
        _CHANCE,
    ),
    where=lambda p, xp: (p.n - p.j, p.m - p.i),
    words=f"|F| = n and |T| = m <= {MOST_PAIRED}, e = |j/n - i/m| attainable, p in [0, 1]",
)
DRAWN_SETS = Domain(
    (
        Axis("total", 1, MOST, "integer"),
        Axis("n", 1, MOST, "integer"),
        Axis("right", 0, MOST, "integer"),
        Axis("j", 0, MOST, "integer"),
    ),
    where=lambda p, xp: (p.total - p.n, p.total - p.right, p.n - p.j),
    words=f"|F| = n <= N <= {MOST}, K of N answers right, e = |j/n - K/N| attainable",
)

register(
    Claim(
        id="lemma-1.population",
        statement="P(|Acc_T - Acc_F| >= e) <= 2 exp(-2 |F| e^2) for i.i.d. data, F chosen "
        "blindly, the oracle a function of R and "
        "Acc_T its population accuracy p.",
        source="Lemma 1, App. C",
        kind=Kind.PROBABILITY,
        domain=INDEPENDENT_SETS,
        margin=lambda p, xp: independent_bound(p, xp) - independent_tail(p, xp),
        proof=tails.INDEPENDENT,
        proof_words=f"given R the answers on F are independent and right with chance p; {tails.INDEPENDENT_WORDS}",
        note="Sampled for the sizes of its domain; the proof is for every size.",
    )
)

# What both samples give; `beyond-9.two-sample` states it in its own right.
TWO_SAMPLE = Claim(
    id="lemma-1.finite-test.repaired",
    statement="P(|Acc_T - Acc_F| >= e) <= 2 exp(-2 e^2 |F| |T|/(|F| + |T|)).",
    source="ours",
    kind=Kind.PROBABILITY,
    domain=TWO_SETS,
    margin=lambda p, xp: two_sample_margin(p, xp, both=True),
    proof=tails.PAIRED,
    proof_words=tails.PAIRED_WORDS,
)

register(
    Claim(
        id="lemma-1.finite-test",
        statement="P(|Acc_T - Acc_F| >= e) <= 2 exp(-2 |F| e^2) also with Acc_T measured on "
        "a finite test set, for every |T| >= 1.",
        source="Lemma 1, as it is used",
        kind=Kind.PROBABILITY,
        domain=TWO_SETS,
        margin=lambda p, xp: two_sample_margin(p, xp, both=False),
        repaired=TWO_SAMPLE,
    )
)

register(
    Claim(
        id="lemma-1.fixed-model",
        statement="P(|Acc_T - Acc_F| >= e) <= 2 exp(-2 |F| e^2) for F drawn without "
        "replacement from a finite set, a model that does "
        "not depend on F, and Acc_T its accuracy on the whole set.",
        source="Lemma 1, for a fixed model",
        kind=Kind.PROBABILITY,
        domain=DRAWN_SETS,
        margin=lambda p, xp: (
            random_sets.hoeffding_bound(drawn_exponent(p), xp=xp) - drawn_tail(p, xp)
        ),
        proof=tails.WITHOUT_REPLACEMENT,
        proof_words=tails.WITHOUT_REPLACEMENT_WORDS,
        note="Sampled for the sizes of its domain; the proof is for every size.",
    )
)
