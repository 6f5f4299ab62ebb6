r"""Appendix J: one retain sample (1, eps) and one forget sample (eps, 1) with the same label, as eps -> 1.

With losses as sums, rho and kappa are the weights of the two samples over the ridge. At eps = 1 both margins equal
S = w_1 + w_2 and S = 2 (rho +- kappa) e^{-S}. Before, with g = 1 - eps, k = (1 + eps)/2 = 1 - g/2 and d = (x - y)/2,

    m = (x + y)/2 = k S,    m e^m = 2 k^2 (rho e^{-d} + sign kappa e^d),    d = g^2 (s_1 - s_2)/(2 (1 + eps^2)),

so S e^{kS} differs from c = 2 (rho + sign kappa) by a factor k and by d, which is of second order. Below T = 1 + rho + kappa and
w = W(c).
"""

from __future__ import annotations

from typing import Any

from ascentfail import stationary
from ascentfail.claims.claim import Axis, Claim, Domain, Kind, Modulus, Point
from ascentfail.claims.registry import register
from ascentfail.line import closed_form
from ascentfail.numerics.arithmetic import Arithmetic, Scalar
from ascentfail.plane import bounds as plane_bounds
from ascentfail.plane import equations as plane_equations
from ascentfail.theory.beyond.beyond_05_existence import UNIMODAL
from ascentfail.theory.proof_steps import steps


def _sum_of_weights(p: Point, which: closed_form.Model, xp: Arithmetic) -> Scalar:
    """w_1 + w_2 = (x + y)/(1 + eps) of a model at eps = 1 - gap."""
    epsilon = 1 - p.gap
    size, q = 1 + epsilon * epsilon, 2 * epsilon / (1 + epsilon * epsilon)
    if which == "oracle":
        x = xp.lambertw(p.rho * size, 0)
        return (x + q * x) / (1 + epsilon)
    sign = -1 if which == "descent_ascent" else 1
    s1, s2 = stationary.from_pulls(p.rho * size, p.kappa * size, q, sign, xp=xp)
    x, y = plane_equations.margins(s1, s2, q)
    return (x + y) / (1 + epsilon)


def bound(p: Point, which: closed_form.Model, xp: Arithmetic) -> Scalar:
    """(1 - eps) (1 + rho + kappa)^2/(1 + S(1))^2."""
    limit = plane_bounds.duplicate_limit(p.rho, p.kappa, which, xp=xp)
    return p.gap * (1 + p.rho + p.kappa) ** 2 / (1 + limit) ** 2


def modulus(p: Point, which: closed_form.Model, xp: Arithmetic) -> Scalar:
    """Modulus minus distance: |S(eps) - S(1)| <= (1 - eps) (1 + rho + kappa)^2/(1 + S(1))^2."""
    limit = plane_bounds.duplicate_limit(p.rho, p.kappa, which, xp=xp)
    return bound(p, which, xp) - xp.abs(_sum_of_weights(p, which, xp) - limit)


_GAP = {"g": (0.0, 0.5)}


def _sum_and_difference(p: Point, xp: Arithmetic) -> Scalar:
    """Both differences at once: (x + y)/2 - 2 k^2 (s_1 + s_2)/size and (x - y)/2 - g^2 (s_1 - s_2)/(2 size), squared."""
    size, twice_k = 1 + p.epsilon**2, 1 + p.epsilon
    x, y = plane_equations.margins(p.s1, p.s2, plane_equations.cosine(p))
    total = (x + y) / 2 - twice_k**2 * (p.s1 + p.s2) / (2 * size)
    apart = (x - y) / 2 - (1 - p.epsilon) ** 2 * (p.s1 - p.s2) / (2 * size)
    return total * total + apart * apart


def _weights(p: Point, xp: Arithmetic) -> Scalar:
    """W_1 + w_2 - (x + y)/(1 + eps)."""
    x, y = plane_equations.margins(p.s1, p.s2, plane_equations.cosine(p))
    return sum(plane_equations.weights(p.s1, p.s2, p.epsilon)) - (x + y) / (1 + p.epsilon)


_PULLS = {"s1": (0.0, 1e4), "s2": (-1e4, 1e4), "epsilon": (0.5, 1.0)}
_REDUCED = (
    steps.identity("sum-of-weights", "S = w_1 + w_2 = (x + y)/(1 + eps)", _PULLS, _weights),
    steps.identity(
        "sum-and-difference",
        "(x + y)/2 = 2 k^2 (s_1 + s_2)/(1 + eps^2), (x - y)/2 = g^2 (s_1 - s_2)/(2 (1 + eps^2))",
        _PULLS,
        _sum_and_difference,
    ),
)
_MODULUS = steps.inequality(
    "modulus",
    "w (1 + w)^2 <= (1 + c/2)^2 with c = w e^w, so g w is within the modulus; T >= 1 + |c|/2",
    {"w": (0.0, 10.0)},
    lambda p, xp: (1 + p.w * xp.exp(p.w) / 2) ** 2 - p.w * (1 + p.w) ** 2,
)
_SQUEEZE = steps.identity(
    "squeeze",
    "with k = 1 - g/2: (4k^2 - g^2)(1 + g) - 4k = 2g (1 - 2g) and 4k - 4k^2 - g^2 = 2g (1 - g)",
    _GAP,
    lambda p, xp: (
        (
            (4 * (1 - p.g / 2) ** 2 - p.g**2) * (1 + p.g)
            - 4 * (1 - p.g / 2)
            - 2 * p.g * (1 - 2 * p.g)
        )
        ** 2
        + (4 * (1 - p.g / 2) - 4 * (1 - p.g / 2) ** 2 - p.g**2 - 2 * p.g * (1 - p.g)) ** 2
    ),
)
_SQUEEZE_SIGN = steps.inequality(
    "squeeze-sign",
    "2g (1 - 2g) >= 0 and 2g (1 - g) >= 0 for 0 <= g <= 1/2",
    _GAP,
    lambda p, xp: 2 * p.g,
    lambda p, xp: 1 - 2 * p.g,
    lambda p, xp: 1 - p.g,
)

_BOTH_WORDS = (
    "original and oracle: |s_1 - s_2| <= s_1 + s_2 gives |d| <= delta m with delta = g^2/(4k^2), so (1-delta) k S + ln S <= ln "
    "k + w + ln w <= (1+delta) k S + ln S. S > (1+g) w would break the first, as (1-delta) k (1+g) >= 1 and ln k <= 0, S < "
    "(1-g) w the second, as (1+delta) k <= 1 and 1-g <= k: |S - w| <= g w, within the modulus"
)


def _tangent(w: Any, xp: Arithmetic) -> Any:
    """(1 - (1+w)/20) e^{w - (1+w)^2/20}, a lower bound on (1 + z) e^z/(1 + w) for z from w - (1+w)^2/20 to w."""
    return (1 - (1 + w) / 20) * xp.exp(w - (1 + w) ** 2 / 20)


def _far(p: Point, xp: Arithmetic) -> Scalar:
    """The tangent's gain minus the two losses, over g/(1+w), for w >= 1/10 at the smallest T."""
    least = 1 + p.w * xp.exp(p.w) / 2
    spread = xp.exp((1 + p.w) ** 8 / (400 * least**3))
    return least**2 * _tangent(p.w, xp) - (1 + p.w) * (
        p.w * xp.exp(p.w) / 2 + spread * (1 + p.w) ** 4 / 10
    )


def _near(p: Point, xp: Arithmetic) -> Scalar:
    """The same for w <= 1/10, where T >= 1 and e^{-m} <= e."""
    e = xp.exp(xp.number(1))
    spread = xp.exp(e * (1 + p.w) ** 8 / 400)
    return _tangent(p.w, xp) - (1 + p.w) * (xp.number(3) / 50 + e * spread * (1 + p.w) ** 4 / 10)


UNLEARNED = (
    *_REDUCED,
    _MODULUS,
    steps.W_INCREASES,
    steps.EXPONENTIAL_ABOVE,
    steps.EXPONENTIAL_BELOW,
    steps.RETAIN_PULL_LAGS,
    *UNIMODAL,
    steps.inequality(
        "convex",
        "z e^z is convex for z >= -1, so it lies above its tangents: its second derivative is (2 + z) e^z",
        {"z": (-1.0, 30.0)},
        lambda p, xp: 2 + p.z,
        lambda p, xp: xp.exp(p.z),
    ),
    steps.inequality(
        "tangent-far",
        "for w >= 1/10, T = 1 + w e^w/2 and D = (1+w)^8/(400 T^3): w >= (1+w)^2/20, and T^2 (1 - (1+w)/20) e^{w - "
        "(1+w)^2/20} >= (1+w)(w e^w/2 + e^D (1+w)^4/10)",
        {"w": (0.1, 10.0)},
        _far,
        lambda p, xp: p.w - (1 + p.w) ** 2 / 20,
    ),
    steps.inequality(
        "tangent-near",
        "for w <= 1/10 and D = e (1+w)^8/400: w e^w/2 <= 3/50, and (1 - (1+w)/20) e^{w - (1+w)^2/20} >= "
        "(1+w)(3/50 + e^{1+D} (1+w)^4/10)",
        {"w": (-1.0, 0.1)},
        _near,
        lambda p, xp: xp.number(3) / 50 - p.w * xp.exp(p.w) / 2,
    ),
)
UNLEARNED_WORDS = (
    "descent-ascent (kappa = 0 is the oracle): the domain has g T^2 <= (1+w)^4/20 and g <= 1/2. Above: d >= 0, so m e^m <= k^2 "
    "c and S <= W(k^2 c)/k; for c >= 0 that is <= w/k <= w + g w, for c < 0 it is <= W(k^2 c) <= w + g |w|/(1+w) by the tangent "
    "at w, all within the modulus. Below: put S_1 = w - h, h = g T^2/(1+w)^2 <= (1+w)^2/20, so S_1 > -1, and take the point "
    "with m = k S_1 on the curve A e^A = beta e^{qB}. If d > 0 there, d <= g^2 T e^n with n = max(-m, 0) <= 1 (and n = 0 for w "
    ">= 1/10), so 2 (rho e^{-d} - kappa e^d) falls short of c by at most 2 T d e^d <= g e^{n+d} (1+w)^4/10, and d <= "
    "(1+w)^8 e^n/(400 T^3) <= D; d <= 0 only helps. The last two steps, at the smallest T = 1 + max(c, 0)/2 (a larger one "
    "helps), say that h (1 + S_1) e^{S_1} covers this and (1-k) c, so S_1 e^{k S_1} <= S_1 e^{S_1} <= c - h (1 + S_1) e^{S_1} "
    "gives m e^m <= 2 k^2 (rho e^{-d} - kappa e^d), that is B e^y >= kappa (1 + eps^2): ln B + y is at or above its level at the "
    "stationary points. It tends to -infinity as B -> 0, so the first stationary point, which is the minimum, has at most this "
    "B, and S, which falls as B rises, is there at least S_1"
)


def _weights_chart(p: Point, xp: Arithmetic) -> Point:
    """Chart kappa = place (rho + 1/(2e)): from 0 up to the edge of existence."""
    kappa = p.place * (p.rho + 1 / (2 * xp.exp(xp.number(1))))
    limit = plane_bounds.duplicate_limit(p.rho, kappa, "descent_ascent", xp=xp)
    reach = (1 + limit) ** 4 / (
        20 * (1 + p.rho + kappa) ** 2
    )  # next to -1/e the limit sets in later
    return Point(rho=p.rho, kappa=kappa, gap=p.nearness * xp.minimum(reach, xp.number(1) / 2))


register(
    Claim(
        id="appendix-j.limits",
        statement="As eps -> 1, w_1 + w_2 of original, oracle and descent-ascent (its local minimum) tend to W(2(rho+kappa)), "
        "W(2 rho) and W(2(rho-kappa)), for rho, kappa >= 0 and 2(rho-kappa) > -1/e.",
        source="App. J, losses as sums; the values are ours",
        kind=Kind.LIMIT,
        domain=Domain(
            (
                Axis("rho", 1e-3, 1e3, "log"),
                Axis("place", 0.0, 0.99),
                Axis("nearness", 1e-9, 1.0, "log"),
            ),
            _weights_chart,
            lambda p, xp: (1 + 2 * xp.exp(xp.number(1)) * (p.rho - p.kappa), p.kappa),
            "rho in [1e-3, 1e3], 0 <= kappa <= 0.99 (rho + 1/(2e)), and eps close to 1",
        ),
        margin=lambda p, xp: xp.minimum(
            modulus(p, "descent_ascent", xp),
            xp.minimum(modulus(p, "original", xp), modulus(p, "oracle", xp)),
        ),
        modulus=Modulus(
            lambda p, xp: xp.maximum(
                bound(p, "descent_ascent", xp),
                xp.maximum(bound(p, "original", xp), bound(p, "oracle", xp)),
            ),
            "nearness",
            0.0,
        ),
        proof=(_SQUEEZE, _SQUEEZE_SIGN, *UNLEARNED),
        proof_words=_BOTH_WORDS + "; " + UNLEARNED_WORDS,
        note="gap = 1 - eps; the modulus (1-eps)(1+rho+kappa)^2/(1+W)^2 tends to 0 for every admissible rho, kappa.",
    )
)
