r"""Lemma 1 for independent data, for a finite test set, and for a fixed model: is the forget accuracy near the test accuracy?

Hoeffding's lemma, ln E e^{t(X-p)} <= t^2/8 for X in {0, 1} of mean p, carries every version: the exponent of n independent
answers is n (t^2/8 - t e), least at t = 4 e, where it is -2 n e^2. Tails are exact sums, and e is always an attainable deviation.
"""

from __future__ import annotations

from ascentfail import random_sets
from ascentfail.arithmetic import Arithmetic, Scalar
from ascentfail.theory import steps
from ascentfail.theory.claim import Axis, Claim, Domain, Kind, Point
from ascentfail.theory.registry import register

MOST, MOST_PAIRED = 40, 16  # largest set whose tail is summed here; the proofs have no such limit
_CHANCE = Axis("p", 0.0, 1.0)

HOEFFDING = (
    steps.identity(
        "curvature", "psi(t) = ln u - p t with u = 1 - p + p e^t has psi'' = (u u'' - u'^2)/u^2 = s (1 - s), s = p e^t/u",
        {"p": (0.0, 1.0), "t": (-30.0, 30.0)}, lambda p, xp: _curvature(p, xp),
    ),
    steps.identity(
        "quarter", "1/4 - s (1 - s) is the square of 1/2 - s", {"s": (0.0, 1.0)},
        lambda p, xp: xp.number(1) / 4 - p.s * (1 - p.s) - (xp.number(1) / 2 - p.s) ** 2,
    ),
)
_CHERNOFF = steps.identity(
    "best-exponent", "n (t e - t^2/8) = 2 n e^2 at t = 4 e", {"n": (1.0, 1e6), "e": (0.0, 1.0)},
    lambda p, xp: p.n * (4 * p.e * p.e - (4 * p.e) ** 2 / 8) - 2 * p.n * p.e**2,
)
INDEPENDENT = (*HOEFFDING, _CHERNOFF)
_LEMMA_WORDS = "psi(0) = psi'(0) = 0 and psi'' = s(1-s) <= 1/4 give E e^{t(X-p)} <= e^{t^2/8}"
INDEPENDENT_WORDS = (
    f"{_LEMMA_WORDS}; independent answers multiply, Markov at t = 4e bounds each side by e^{{-2 n e^2}}, and there are two sides"
)
PAIRED = (*HOEFFDING, steps.identity(
    "best-paired-exponent", "t e - t^2 (1/n + 1/m)/8 = 2 e^2 n m/(n + m) at t = 4 e n m/(n + m)",
    {"n": (1.0, 1e6), "m": (1.0, 1e6), "e": (0.0, 1.0)},
    lambda p, xp: _paired_exponent(4 * p.e * p.n * p.m / (p.n + p.m), p) - 2 * p.e**2 * p.n * p.m / (p.n + p.m),
))
PAIRED_WORDS = (
    f"{_LEMMA_WORDS}; Acc_T - Acc_F is a sum of |F| + |T| independent centred terms, each over |F| or over |T|, so t^2/8 becomes "
    "t^2 (1/|F| + 1/|T|)/8"
)
WITHOUT_REPLACEMENT = (*INDEPENDENT, steps.identity(
    "martingale",
    "a draw x from the r = N-k+1 left, a share a of them right, moves the expected count of right ones among n by "
    "(x - a) + (n-k)((r a - x)/(r-1) - a) = (x - a)(N-n)/(N-k)",
    {"total": (50.0, 100.0), "n": (20.0, 40.0), "k": (1.0, 20.0), "x": (0.0, 1.0), "a": (0.0, 1.0)},
    lambda p, xp: _drawn(p, p.total - p.k + 1) - (p.x - p.a) * (p.total - p.n) / (p.total - p.k),
), steps.inequality(
    "shrinking", "(N-n)/(N-k) <= 1 for k <= n < N: with m = N-n, d = n-k it is 1 - d/(m+d)", {"m": (1.0, 1e6), "d": (0.0, 1e6)},
    lambda p, xp: p.d / (p.m + p.d),
))
WITHOUT_REPLACEMENT_WORDS = (
    "the expected count of right answers given the draws so far is a martingale; Hoeffding's lemma holds for each draw given the "
    "earlier ones, its factor (N-n)/(N-k) is at most 1, so the exponent is at most that of independent draws; for n = N the count "
    "is certain"
)


def _curvature(p: Point, xp: Arithmetic) -> Scalar:
    slope = p.p * xp.exp(p.t)  # u' = u''
    u = 1 - p.p + slope
    return (u * slope - slope**2) / u**2 - slope / u * (1 - slope / u)


def _paired_exponent(t: Scalar, p: Point) -> Scalar:
    return t * p.e - t * t * (1 / p.n + 1 / p.m) / 8


def _drawn(p: Point, left: Scalar) -> Scalar:
    return p.x - p.a + (p.n - p.k) * ((left * p.a - p.x) / (left - 1) - p.a)


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
    """n e^2 with e = j/n - K/N."""
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
        Axis("n", 1, MOST_PAIRED, "integer"), Axis("m", 1, MOST_PAIRED, "integer"), Axis("j", 0, MOST_PAIRED, "integer"),
        Axis("i", 0, MOST_PAIRED, "integer"), _CHANCE,
    ),
    where=lambda p, xp: (p.n - p.j, p.m - p.i),
    words=f"|F| = n and |T| = m <= {MOST_PAIRED}, e = |j/n - i/m| attainable, p in [0, 1]",
)
DRAWN_SETS = Domain(
    (
        Axis("total", 1, MOST, "integer"), Axis("n", 1, MOST, "integer"), Axis("right", 0, MOST, "integer"),
        Axis("j", 0, MOST, "integer"),
    ),
    where=lambda p, xp: (p.total - p.n, p.total - p.right, p.n - p.j),
    words=f"|F| = n <= N <= {MOST}, K of N answers right, e = |j/n - K/N| attainable",
)

register(Claim(
    id="lemma-1.population",
    statement="P(|Acc_T - Acc_F| >= e) <= 2 exp(-2 |F| e^2) for i.i.d. data, F chosen blindly, the oracle a function of R and Acc_T "
    "its population accuracy p.",
    source="Lemma 1, App. C",
    kind=Kind.PROBABILITY,
    domain=INDEPENDENT_SETS,
    margin=lambda p, xp: independent_bound(p, xp) - independent_tail(p, xp),
    proof=INDEPENDENT,
    proof_words=f"given R the answers on F are independent and right with chance p; {INDEPENDENT_WORDS}",
    note="Sampled for the sizes of its domain; the proof is for every size.",
))

register(Claim(
    id="lemma-1.finite-test",
    statement="The same with Acc_T measured on a finite test set T of independent samples, for every |T| >= 1.",
    source="Lemma 1, as it is used",
    kind=Kind.PROBABILITY,
    domain=TWO_SETS,
    margin=lambda p, xp: two_sample_margin(p, xp, both=False),
    repaired=Claim(
        id="lemma-1.finite-test.repaired",
        statement="P(|Acc_T - Acc_F| >= e) <= 2 exp(-2 e^2 |F| |T|/(|F| + |T|)).",
        source="ours",
        kind=Kind.PROBABILITY,
        domain=TWO_SETS,
        margin=lambda p, xp: two_sample_margin(p, xp, both=True),
        proof=PAIRED,
        proof_words=PAIRED_WORDS,
    ),
))

register(Claim(
    id="lemma-1.fixed-model",
    statement="The same for F drawn without replacement from a finite set, a model that does not depend on F, and Acc_T its "
    "accuracy on the whole set.",
    source="Lemma 1, for a fixed model",
    kind=Kind.PROBABILITY,
    domain=DRAWN_SETS,
    margin=lambda p, xp: random_sets.hoeffding_bound(drawn_exponent(p), xp=xp) - drawn_tail(p, xp),
    proof=WITHOUT_REPLACEMENT,
    proof_words=WITHOUT_REPLACEMENT_WORDS,
    note="Sampled for the sizes of its domain; the proof is for every size.",
))
