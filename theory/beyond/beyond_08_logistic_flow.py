r"""Beyond the paper: where the flow of descent-ascent ends in the plane under the logistic loss.

The pulls are bounded, so every flow ends in a stationary point, of which there may be several. They lie on the curve where
s_1' = 0, s_2 = -S, ordered in (x, s_2) and in (s_1, -y). On that curve s_2' has the sign of the balance g(S), which is positive
between the first two: a start on the first one's side of the second, in either order, is carried to the first, of smallest S.
"""

from __future__ import annotations

from ascentfail.claims.claim import Axis, Claim, Domain, Kind, Point
from ascentfail.claims.registry import register
from ascentfail.line import steps as steps_1d
from ascentfail.numerics.arithmetic import Arithmetic, Scalar
from ascentfail.numerics.sample_losses import LOGISTIC
from ascentfail.plane import equations as plane_equations
from ascentfail.theory.beyond.beyond_05_flow import (
    GAPS,
    KEEPS_ORDER,
    KEEPS_ORDER_WORDS,
    LOGARITHM,
    SAME_STRENGTHS,
    minimum_s_side,
)
from ascentfail.theory.domains import EPSILON, PHI
from ascentfail.theory.proof_steps import steps

_SLOPE_OF_BALANCE = steps.identity(
    "slope-of-logistic-balance",
    "with A' = A/(1 + e^{-x}), B' = B/(1 + e^{-y}): (1+A') dg/d ln S = (1+A')(1 + B' (q^2 A'/(1+A') "
    "- 1)) is (1+A')(1-B') + q^2 A' B', the determinant of the Hessian over lam, and 1 + A' - B' (1 + (1-q^2) A')",
    {"a": (0.0, 1e3), "b": (0.0, 1e3), "q": (0.0, 1.0)},
    lambda p, xp: (
        (
            (1 + p.a) * (1 + p.b * (p.q**2 * p.a / (1 + p.a) - 1))
            - (1 + p.a) * (1 - p.b)
            - p.q**2 * p.a * p.b
        )
        ** 2
        + ((1 + p.a) * (1 - p.b) + p.q**2 * p.a * p.b - 1 - p.a + p.b * (1 + (1 - p.q**2) * p.a))
        ** 2
    ),
)
_CHAIN = steps.identity(
    "logistic-chain",
    "d/A + k sx d for d = c (1+A')/(sy (1 + k A')), A' = sx A, is c (sx/sy)(1 + 1/A')",
    {"a": (1e-3, 30.0), "sx": (0.5, 1.0), "sy": (0.5, 1.0), "k": (0.0, 1.0), "c": (1.0, 2.0)},
    lambda p, xp: (
        p.c * (1 + p.sx * p.a) / (p.sy * (1 + p.k * p.sx * p.a)) * (1 / p.a + p.k * p.sx)
        - p.c * p.sx / p.sy * (1 + 1 / (p.sx * p.a))
    ),
)
_SECANT = steps.inequality(
    "softplus-secant",
    "d/dx of c - s (x - z) + f(x), s = f' = 1/(1 + e^{-x}), is -s (1-s)(x - z) <= 0 for x >= z, whatever the "
    "size of x - z, and f' >= 0",
    {"s": (0.0, 1.0), "gap": (0.0, 30.0)},
    lambda p, xp: p.s * (1 - p.s) * p.gap,
    lambda p, xp: p.s,
)
_ENDS = (
    steps.inequality(
        "concave-in-e",
        "E(e) = 1 - (m-1) e - m e^{-c (1+e)} is concave: m c^2 e^{-c (1+e)} >= 0",
        {"m": (1.0, 4.0), "c": (1.0, 2.0), "e": (0.0, 1.0)},
        lambda p, xp: p.m * p.c**2 * xp.exp(-p.c * (1 + p.e)),
    ),
    LOGARITHM,
    steps.inequality(
        "root-beyond-log",
        "x/(1 + e^{-x}) rises for x >= 0, with slope s (1 + (1-s) x), and ln(2m-1) <= 2 for m <= 4, so that "
        "ln(2m-1)(2m-1)/(2m) <= (2m-1)/m = c",
        {"m": (1.0, 4.0), "s": (0.0, 1.0), "x": (0.0, 30.0)},
        lambda p, xp: 2 - xp.log(2 * p.m - 1),
        lambda p, xp: p.s * (1 + (1 - p.s) * p.x),
    ),
)
ALONG_CURVE = (steps.SLOPES_ALONG, steps.ALONG_ORIGINALS, _SLOPE_OF_BALANCE)
NOT_BOTH_BELOW = (
    GAPS,
    SAME_STRENGTHS,
    steps.MARGIN_ORDER,
    _CHAIN,
    steps.EXPONENTIAL_BELOW,
    _SECANT,
    *_ENDS,
)
_NOT_BOTH_BELOW_WORDS = (
    "x_D <= x_s and y_D <= y_s together would mean d >= q t and q d >= t, so x_s - x_D = d - q t >= k d, k = 1-q^2; V >= phi "
    "B/m with m = 1+phi, so d >= t >= c B, c = 2 - 1/m, where B' >= (1+A')/(1 + k A'). With f = ln(1 + e^x) and its slopes s at "
    "x_s, sy at y_s <= x_s: d/A + k s d > c, so ln m = ln(A/U) + f(x_s) - f(x_D) > max(0, c - s (x_s - x_D)) + f(x_s) - f(x_D). "
    "In x_s that is least where s (x_s - x_D) = c, that is x_s = x_D + c (1+e) with e = e^{-x_s}: then 1 + e^{x_s} < m (1 + "
    "e^{x_D}), E(e) < 0. But E is concave, E(0) >= 0 as ln m <= c, and at the largest e, that of x_D = 0, where x_s s = c and so "
    "e <= 1/(2m-1), E = 1 - (2m-1) e >= 0. So x_D > x_s, and V > -B; or y_D > y_s and U < A, as d >= q t"
)
REACHES = (*KEEPS_ORDER, *ALONG_CURVE, *NOT_BOTH_BELOW)
REACHES_WORDS = (
    f"{KEEPS_ORDER_WORDS}. 0 < l < 1 keeps s_1 in [0, beta] and s_2 in [-gamma, V], and a bounded gradient flow whose stationary "
    "points are isolated (zeros of an analytic g) ends in one. Along s_1 = beta l(x), s_2 = -S, where s_1' = 0 and s_2' = S - "
    "gamma l(y) has the sign of g, s_1 and -x and -y rise with S (the slopes along the originals, A' for U). So all stationary "
    "points lie below the first one in (x, s_2) and above it in (s_1, -y), and between the first and a second g > 0: from there "
    "the flow goes to the first, monotonically in both orders, and so does what lies beyond it. At the second point, and at a "
    f"first one where g only touches 0, dg/d ln S <= 0, where {_NOT_BOTH_BELOW_WORDS}: the start is on the first one's side"
)


def from_retain_margin(p: Point, xp: Arithmetic) -> Point:
    """Chart: the b and alpha for which s_1 = x + q B, s_2 = -B is stationary, at a retain margin x and a forget pull B."""
    q = plane_equations.cosine(p)
    a = p.retain_margin + q * p.ascent_pull
    x, y = plane_equations.margins(a, -p.ascent_pull, q)
    beta, gamma = (
        a / steps_1d.slope(x, LOGISTIC, xp),
        p.ascent_pull / steps_1d.slope(y, LOGISTIC, xp),
    )
    return p.replace(
        b=beta / (1 + p.epsilon * p.epsilon), alpha=p.phi * gamma / beta, retain_pull=a
    )


def falling(p: Point, xp: Arithmetic) -> Scalar:
    """-(1+A') dg/d ln S, minus the determinant of the Hessian over lam: >= 0 at a saddle."""
    q = plane_equations.cosine(p)
    x, y = plane_equations.margins(p.retain_pull, -p.ascent_pull, q)
    a, b = p.retain_pull * xp.sigmoid(x), p.ascent_pull * xp.sigmoid(y)
    return b * (1 + (1 - q * q) * a) - 1 - a


SADDLES = Domain(
    (EPSILON, PHI, Axis("retain_margin", 0.0, 10.0), Axis("ascent_pull", 1.0, 1e4, "log")),
    from_retain_margin,
    lambda p, xp: (falling(p, xp),),
    "every saddle with retain margin in [0, 10] and forget pull in [1, 1e4], epsilon in [0.05, 0.95], phi in [0.01, 3]",
)

register(
    Claim(
        id="beyond-8.5.flow",
        statement="With the logistic loss gradient flow from w_D always converges, and "
        "where there are two minima it is to the one "
        "with the smaller forget pull: at the saddle x_D >= x_s, or U <= A_s and y_D >= y_s, in an order that the flow keeps.",
        source="ours: beyond-5.flow with the logistic loss",
        kind=Kind.ORDERING,
        domain=SADDLES,
        margin=lambda p, xp: minimum_s_side(
            p.replace(loss=LOGISTIC), p.retain_pull, p.ascent_pull, xp
        ),
        proof=REACHES,
        proof_words=REACHES_WORDS,
        note="The margin is the position of the start; the tests follow the flow itself. "
        "Every saddle has a forget pull >= 1, and "
        "one with a retain margin < 0 is below x_D > 0. The proof ends at phi = (e^2 - 1)/2 = 3.19.",
    )
)
