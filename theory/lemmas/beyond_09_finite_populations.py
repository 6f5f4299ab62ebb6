r"""Beyond the paper: random forget sets when the test set, or the population itself, is finite.

Serfling: the martingale of `lemma-1.fixed-model` has factors (N-n)/(N-k), k = 1..n, and the sum of their squares is at most
n (1 - (n-1)/N), because 1/j^2 <= ((m+1)/m)(1/j - 1/(j+1)) for j >= m telescopes.
"""

from __future__ import annotations

from ascentfail import random_sets
from ascentfail.arithmetic import Arithmetic, Scalar
from ascentfail.theory import steps
from ascentfail.theory.claim import Claim, Kind, Point
from ascentfail.theory.lemmas.lemma_01_random_sets import (
    DRAWN_SETS,
    PAIRED,
    PAIRED_WORDS,
    TWO_SETS,
    WITHOUT_REPLACEMENT,
    drawn_exponent,
    drawn_tail,
    two_sample_margin,
)
from ascentfail.theory.registry import register

_SIZES = {"m": (1.0, 1e3), "d": (0.0, 1e3)}
_TELESCOPE = (
    steps.identity(
        "one-term", "((m+1)/m)(1/j - 1/(j+1)) - 1/j^2 = (j-m)/(m j^2 (j+1)) >= 0, j = m + d", _SIZES,
        lambda p, xp: _one_term(p, p.m + p.d) - p.d / (p.m * (p.m + p.d) ** 2 * (p.m + p.d + 1)),
    ),
    steps.identity(
        "all-terms", "((m+1)/m)(1/(m+1) - 1/(M+1)) = (M-m)/(m (M+1)), M = m + d", _SIZES,
        lambda p, xp: (p.m + 1) / p.m * (1 / (p.m + 1) - 1 / (p.m + p.d + 1)) - p.d / (p.m * (p.m + p.d + 1)),
    ),
    steps.identity(
        "serfling-sum", "1 + (N-n)^2 (M-m)/(m (M+1)) = n (1 - (n-1)/N) with m = N-n, M = N-1, so M - m = n-1",
        {"m": (1.0, 1e3), "n": (1.0, 1e3)},
        lambda p, xp: 1 + p.m * p.m * (p.n - 1) / (p.m * (p.m + p.n)) - p.n * (1 - (p.n - 1) / (p.m + p.n)),
    ),
    steps.identity(
        "best-serfling-exponent", "t e n - t^2 v/8 = 2 n^2 e^2/v at t = 4 n e/v, v = n (1 - (n-1)/N)",
        {"n": (1.0, 1e3), "v": (1.0, 1e3), "e": (0.0, 1.0)},
        lambda p, xp: 4 * p.n * p.e / p.v * p.e * p.n - (4 * p.n * p.e / p.v) ** 2 * p.v / 8 - 2 * (p.n * p.e) ** 2 / p.v,
    ),
)


def _one_term(p: Point, j: Scalar) -> Scalar:
    return (p.m + 1) / p.m * (1 / j - 1 / (j + 1)) - 1 / j**2


def serfling_bound(p: Point, xp: Arithmetic) -> Scalar:
    """2 exp(-2 n e^2/(1 - (n-1)/N)) with e = j/n - K/N."""
    return random_sets.hoeffding_bound(drawn_exponent(p) * p.total / (p.total - p.n + 1), xp=xp)


register(Claim(
    id="beyond-9.two-sample",
    statement="P(|Acc_T - Acc_F| >= e) <= 2 exp(-2 e^2 |F| |T|/(|F| + |T|)) for independent F and T and a model of neither.",
    source="ours, theory section 3 item 9",
    kind=Kind.PROBABILITY,
    domain=TWO_SETS,
    margin=lambda p, xp: two_sample_margin(p, xp, both=True),
    proof=PAIRED,
    proof_words=PAIRED_WORDS,
    note="Sampled for the sizes of its domain; the proof is for every size.",
))

register(Claim(
    id="beyond-9.serfling",
    statement="P(|Acc_D - Acc_F| >= e) <= 2 exp(-2 |F| e^2/(1 - (|F|-1)/N)) for F drawn without replacement from N and a model that "
    "does not depend on F.",
    source="Serfling (1974); theory section 3 item 9",
    kind=Kind.PROBABILITY,
    domain=DRAWN_SETS,
    margin=lambda p, xp: serfling_bound(p, xp) - drawn_tail(p, xp),
    proof=(*WITHOUT_REPLACEMENT, *_TELESCOPE),
    proof_words="the exponent is t^2/8 times the sum of ((N-n)/(N-k))^2, whose last term is 1 and whose others telescope; for n = N "
    "the count is certain",
    note="Sampled for the sizes of its domain; the proof is for every size.",
))
