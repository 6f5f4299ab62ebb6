r"""The small facts that bounds on the tails of random sets are made of: Hoeffding's lemma, and what is summed in its exponent."""

from __future__ import annotations

from ascentfail.claims.claim import Point
from ascentfail.numerics.arithmetic import Arithmetic, Scalar
from ascentfail.theory.proof_steps import steps


def _curvature(p: Point, xp: Arithmetic) -> Scalar:
    slope = p.p * xp.exp(p.t)  # u' = u''
    u = 1 - p.p + slope
    return (u * slope - slope**2) / u**2 - slope / u * (1 - slope / u)


def _paired_exponent(t: Scalar, p: Point) -> Scalar:
    return t * p.e - t * t * (1 / p.n + 1 / p.m) / 8


def _drawn(p: Point, left: Scalar) -> Scalar:
    return p.x - p.a + (p.n - p.k) * ((left * p.a - p.x) / (left - 1) - p.a)


def _one_term(p: Point, j: Scalar) -> Scalar:
    return (p.m + 1) / p.m * (1 / j - 1 / (j + 1)) - 1 / j**2


def _moved(p: Point, total: Scalar) -> Scalar:
    return p.c * (1 / p.n - 1 / total) + p.c2 / total


HOEFFDING = (
    steps.identity(
        "curvature",
        "psi(t) = ln u - p t with u = 1 - p + p e^t has psi'' = (u u'' - u'^2)/u^2 = s (1 - s), s = p e^t/u",
        {"p": (0.0, 1.0), "t": (-30.0, 30.0)},
        lambda p, xp: _curvature(p, xp),
    ),
    steps.identity(
        "quarter",
        "1/4 - s (1 - s) is the square of 1/2 - s",
        {"s": (0.0, 1.0)},
        lambda p, xp: xp.number(1) / 4 - p.s * (1 - p.s) - (xp.number(1) / 2 - p.s) ** 2,
    ),
)
_CHERNOFF = steps.identity(
    "best-exponent",
    "n (t e - t^2/8) = 2 n e^2 at t = 4 e",
    {"n": (1.0, 1e6), "e": (0.0, 1.0)},
    lambda p, xp: p.n * (4 * p.e * p.e - (4 * p.e) ** 2 / 8) - 2 * p.n * p.e**2,
)
INDEPENDENT = (*HOEFFDING, _CHERNOFF)
_LEMMA_WORDS = "psi(0) = psi'(0) = 0 and psi'' = s(1-s) <= 1/4 give E e^{t(X-p)} <= e^{t^2/8}"
INDEPENDENT_WORDS = (
    f"{_LEMMA_WORDS}; independent answers multiply, Markov at t = 4e bounds each side by e^{{-2 n e^2}}, "
    "and there are two sides"
)
PAIRED = (
    *HOEFFDING,
    steps.identity(
        "best-paired-exponent",
        "t e - t^2 (1/n + 1/m)/8 = 2 e^2 n m/(n + m) at t = 4 e n m/(n + m)",
        {"n": (1.0, 1e6), "m": (1.0, 1e6), "e": (0.0, 1.0)},
        lambda p, xp: (
            _paired_exponent(4 * p.e * p.n * p.m / (p.n + p.m), p)
            - 2 * p.e**2 * p.n * p.m / (p.n + p.m)
        ),
    ),
)
PAIRED_WORDS = (
    f"{_LEMMA_WORDS}; Acc_T - Acc_F is a sum of |F| + |T| independent centred terms, each over |F| or over |T|, so t^2/8 becomes "
    "t^2 (1/|F| + 1/|T|)/8"
)
WITHOUT_REPLACEMENT = (
    *INDEPENDENT,
    steps.identity(
        "martingale",
        "a draw x from the r = N-k+1 left, a share a of them right, moves the expected count of right ones among n by "
        "(x - a) + (n-k)((r a - x)/(r-1) - a) = (x - a)(N-n)/(N-k)",
        {
            "total": (50.0, 100.0),
            "n": (20.0, 40.0),
            "k": (1.0, 20.0),
            "x": (0.0, 1.0),
            "a": (0.0, 1.0),
        },
        lambda p, xp: (
            _drawn(p, p.total - p.k + 1) - (p.x - p.a) * (p.total - p.n) / (p.total - p.k)
        ),
    ),
    steps.inequality(
        "shrinking",
        "with m = N-n >= 1 and d = n-k >= 0: 1 - (N-n)/(N-k) = d/(m+d) >= 0",
        {"m": (1.0, 1e6), "d": (0.0, 1e6)},
        lambda p, xp: p.d / (p.m + p.d),
    ),
)
WITHOUT_REPLACEMENT_WORDS = (
    "the expected count of right answers given the draws so far is a martingale; Hoeffding's lemma holds for each draw given the "
    "earlier ones, its factor (N-n)/(N-k) is at most 1, so the exponent is at most that of independent draws; for n = N the "
    "count is certain"
)
_SIZES = {"m": (1.0, 1e3), "d": (0.0, 1e3)}
TELESCOPE = (
    steps.identity(
        "one-term",
        "((m+1)/m)(1/j - 1/(j+1)) - 1/j^2 = (j-m)/(m j^2 (j+1)) >= 0, j = m + d",
        _SIZES,
        lambda p, xp: _one_term(p, p.m + p.d) - p.d / (p.m * (p.m + p.d) ** 2 * (p.m + p.d + 1)),
    ),
    steps.identity(
        "all-terms",
        "((m+1)/m)(1/(m+1) - 1/(M+1)) = (M-m)/(m (M+1)), M = m + d",
        _SIZES,
        lambda p, xp: (
            (p.m + 1) / p.m * (1 / (p.m + 1) - 1 / (p.m + p.d + 1)) - p.d / (p.m * (p.m + p.d + 1))
        ),
    ),
    steps.identity(
        "serfling-sum",
        "1 + (N-n)^2 (M-m)/(m (M+1)) = n (1 - (n-1)/N) with m = N-n, M = N-1, so M - m = n-1",
        {"m": (1.0, 1e3), "n": (1.0, 1e3)},
        lambda p, xp: (
            1 + p.m * p.m * (p.n - 1) / (p.m * (p.m + p.n)) - p.n * (1 - (p.n - 1) / (p.m + p.n))
        ),
    ),
    steps.identity(
        "best-serfling-exponent",
        "t e n - t^2 v/8 = 2 n^2 e^2/v at t = 4 n e/v, v = n (1 - (n-1)/N)",
        {"n": (1.0, 1e3), "v": (1.0, 1e3), "e": (0.0, 1.0)},
        lambda p, xp: (
            4 * p.n * p.e / p.v * p.e * p.n
            - (4 * p.n * p.e / p.v) ** 2 * p.v / 8
            - 2 * (p.n * p.e) ** 2 / p.v
        ),
    ),
)
MOVED = steps.identity(
    "moved",
    "c changed answers on F and c' elsewhere move Acc_F - Acc_D by at most c (1/n - 1/N) + c'/N, which is (c + c')/n "
    "less (c n + c' d)/(n N) with N = n + d",
    {"n": (1.0, 1e3), "d": (0.0, 1e3), "c": (0.0, 1e3), "c2": (0.0, 1e3)},
    lambda p, xp: (
        (p.c + p.c2) / p.n - _moved(p, p.n + p.d) - (p.c * p.n + p.c2 * p.d) / (p.n * (p.n + p.d))
    ),
)
