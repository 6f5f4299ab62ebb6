r"""Beyond the paper: the flow of descent-ascent in the plane, and where it ends when it starts at the original.

In the pulls it is s_1' = beta l(x) - s_1, s_2' = -gamma l(y) - s_2. Written in (x, s_2), or in (s_1, -y), each component's rate
grows with the other component: the flow keeps both orders. Minimum and saddle are ordered in both, the minimum above the saddle
in the first and below it in the second, so a start on the minimum's side of the saddle in either order is carried to the minimum.
"""

from __future__ import annotations

from ascentfail import stationary
from ascentfail.claims.claim import Axis, Claim, Domain, Kind, Point
from ascentfail.claims.registry import register
from ascentfail.numerics.arithmetic import Arithmetic, Scalar
from ascentfail.plane import equations as plane_equations
from ascentfail.theory.beyond.beyond_05_existence import (
    UNIMODAL,
    UNIMODAL_WORDS,
    before_fold,
    pulls_of_point,
)
from ascentfail.theory.domains import EPSILON, PHI, PLANE_STATIONARY, B, at_stationary
from ascentfail.theory.proof_steps import steps

_PULLS = {
    "u": (1e-3, 30.0),
    "v": (1e-3, 30.0),
    "a": (1e-3, 30.0),
    "b": (1e-3, 30.0),
    "q": (0.0, 1.0),
}
_RATIO = (1e-3, 1e3)


def _velocity(p: Point) -> tuple[Scalar, Scalar]:
    """(s_1', s_2') with the slopes l_x and l_y of the loss as numbers of their own."""
    size = 1 + p.eps * p.eps
    return p.b * size * p.l_x - p.s1, -p.b * p.ratio * size * p.l_y - p.s2


def _in_weights(p: Point, i: int) -> Scalar:
    """A component of -grad L_DA/lam, sample by sample, minus that of the velocity of the pulls."""
    retain, forget = ((1, p.eps), (p.eps, 1))
    w = plane_equations.weights(p.s1, p.s2, p.eps)
    gradient = p.b * p.l_x * retain[i] - p.b * p.ratio * p.l_y * forget[i] - w[i]
    return gradient - plane_equations.weights(*_velocity(p), p.eps)[i]


def _off_diagonal(p: Point) -> Scalar:
    """Each of the four changes for a change d of the other coordinate, less its rate times d, squared and added."""
    k, d = 1 - p.q**2, p.d

    def force(margin: Scalar) -> Scalar:
        """The loss's force where the margin has changed by that much: l - m times it."""
        return p.l - p.m * margin

    def first(x: Scalar, s1: Scalar) -> Scalar:
        return p.beta * force(x) - s1

    def second(y: Scalar, s2: Scalar) -> Scalar:
        return -p.gamma * force(y) - s2

    # (x, s_2): s_1 = x - q s_2, y = q x + k s_2; (s_1, -y): s_2 = y - q s_1, x = k s_1 + q y
    def x_rate(x: Scalar, s2: Scalar) -> Scalar:
        return first(x, p.s + x - p.q * s2) + p.q * second(p.q * x + k * s2, p.s + s2)

    def y_rate(s1: Scalar, y: Scalar) -> Scalar:
        return p.q * first(k * s1 + p.q * y, p.s + s1) + second(y, p.s + y - p.q * s1)

    return (
        (x_rate(0, d) - x_rate(0, 0) - p.q * k * p.gamma * p.m * d) ** 2
        + (second(p.q * d, p.s) - second(0, p.s) - p.q * p.gamma * p.m * d) ** 2
        + (first(-p.q * d, p.s) - first(0, p.s) - p.q * p.beta * p.m * d) ** 2
        + (y_rate(0, 0) - y_rate(d, 0) - p.q * k * p.beta * p.m * d) ** 2
    )


KEEPS_ORDER = (
    steps.identity(
        "flow-of-pulls",
        "-grad L_DA/lam = b l(x) (1, eps) - (b alpha/phi) l(y) (eps, 1) - w has the pulls s_1' = beta l(x) - "
        "s_1 and s_2' = -gamma l(y) - s_2",
        {
            "b": _RATIO,
            "ratio": _RATIO,
            "eps": (0.0, 1.0),
            "s1": (-30.0, 30.0),
            "s2": (-30.0, 30.0),
            "l_x": (0.0, 1e3),
            "l_y": (0.0, 1e3),
        },
        lambda p, xp: _in_weights(p, 0) ** 2 + _in_weights(p, 1) ** 2,
    ),
    steps.identity(
        "mixed-coordinates",
        "y = q x + (1-q^2) s_2 and x = (1-q^2) s_1 + q y",
        {"u": (-30.0, 30.0), "v": (-30.0, 30.0), "q": (0.0, 1.0)},
        lambda p, xp: (
            lambda x, y: (
                (y - p.q * x - (1 - p.q**2) * p.v) ** 2 + (x - (1 - p.q**2) * p.u - p.q * y) ** 2
            )
        )(*plane_equations.margins(p.u, p.v, p.q)),
    ),
    steps.identity(
        "off-diagonal",
        "with l at y + d less by m d (m = -l'): x' = s_1' + q s_2' in (x, s_2) changes with s_2 at the rate q "
        "(1-q^2) gamma m(y), and s_2' with x at q gamma m(y); s_1' in (s_1, -y) changes with -y at q beta m(x), and -y' with s_1 "
        "at q (1-q^2) beta m(x)",
        {
            "d": (-1.0, 1.0),
            "q": (0.0, 1.0),
            "beta": _RATIO,
            "gamma": _RATIO,
            "m": (0.0, 1e3),
            "l": (0.0, 1e3),
            "s": (-30.0, 30.0),
        },
        lambda p, xp: _off_diagonal(p),
    ),
    steps.inequality(
        "cooperative",
        "those rates are products of numbers >= 0, whose size does not matter",
        {"q": (0.0, 1.0), "strength": (0.0, 1e5), "m": (0.0, 1e3)},
        lambda p, xp: p.q * (1 - p.q**2) * p.strength * p.m,
        lambda p, xp: p.q * p.strength * p.m,
    ),
)
KEEPS_ORDER_WORDS = (
    "off the diagonal all slopes in (x, s_2), and in (s_1, -y), are >= 0, so the flow keeps the order of two points in either "
    "pair (Mueller and Kamke)"
)
GAPS = steps.identity(
    "gaps-to-saddle",
    "with d = A - U and t = V + B: x_s - x_D = d - q t and y_s - y_D = q d - t",
    _PULLS,
    lambda p, xp: (
        (
            plane_equations.margins(p.a, -p.b, p.q)[0]
            - plane_equations.margins(p.u, p.v, p.q)[0]
            - (p.a - p.u)
            + p.q * (p.v + p.b)
        )
        ** 2
        + (
            plane_equations.margins(p.a, -p.b, p.q)[1]
            - plane_equations.margins(p.u, p.v, p.q)[1]
            - p.q * (p.a - p.u)
            + p.v
            + p.b
        )
        ** 2
    ),
)


def _strengths(p: Point) -> Scalar:
    """What A/l(x) and B/l(y) at a stationary point, and U/l(x) and V/l(y) at the original, are by the samples' numbers."""
    (beta, gamma), (beta_original, gamma_original) = (
        plane_equations.pulls(p, which) for which in ("descent_ascent", "original")
    )
    return (beta - (1 + p.phi) * beta_original) ** 2 + (
        p.phi * gamma - (1 + p.phi) * gamma_original
    ) ** 2


SAME_STRENGTHS = steps.identity(
    "same-strengths",
    "A = beta l(x_s), B = gamma l(y_s), U = beta_D l(x_D) and V = gamma_D l(y_D) have beta = (1+phi) beta_D "
    "and phi gamma = (1+phi) gamma_D: so A/l(x_s) = (1+phi) U/l(x_D) and phi B/l(y_s) = (1+phi) V/l(y_D)",
    {"b": _RATIO, "alpha": _RATIO, "phi": _RATIO, "epsilon": (0.0, 1.0)},
    lambda p, xp: _strengths(p),
)
_CHAIN = steps.identity(
    "chain",
    "d/A + (1-q^2) d = d (1 + (1-q^2) A)/A, which for d = (1+A)(1+2phi)/((1+phi)(1 + (1-q^2) A)) is (1 + 1/A)(2 - "
    "1/(1+phi))",
    {"a": (1e-3, 30.0), "phi": (0.0, 1e3), "q": (0.0, 1.0)},
    lambda p, xp: (
        lambda k: (
            (1 + p.a) * (1 + 2 * p.phi) / ((1 + p.phi) * (1 + k * p.a)) * (1 / p.a + k)
            - (1 + 1 / p.a) * (2 - 1 / (1 + p.phi))
        )
    )(1 - p.q**2),
)
LOGARITHM = steps.inequality(
    "log-up-to-six",
    "ln m <= 2 - 1/m for 1 <= m <= 6",
    {"m": (1.0, 6.0)},
    lambda p, xp: 2 - 1 / p.m - xp.log(p.m),
)
NOT_BOTH_BELOW = (*UNIMODAL, GAPS, SAME_STRENGTHS, _CHAIN, LOGARITHM, steps.EXPONENTIAL_BELOW)
_NOT_BOTH_BELOW_WORDS = (
    "x_D < x_s and y_D < y_s together would mean q d > t and d > q t, so d - q t > (1-q^2) d; V > phi B/(1+phi), so d > t > "
    "B (1+2phi)/(1+phi) with B >= (1+A)/(1 + (1-q^2) A) beyond the fold; then ln(1+phi) = ln(A/U) + d - q t > d/A + (1-q^2) d > "
    "2 - 1/(1+phi), which is false for phi <= 5. If x_D >= x_s, the start is above the saddle in (x, s_2), as V > -B; else y_D "
    ">= y_s and U < A - q t < A: it is below the saddle in (s_1, -y)"
)
REACHES = (*KEEPS_ORDER, *NOT_BOTH_BELOW)
REACHES_WORDS = (
    f"{KEEPS_ORDER_WORDS}. {UNIMODAL_WORDS}. Along the stationary points A and -x, -y rise with B, so the minimum is above the "
    f"saddle in (x, s_2) and below it in (s_1, -y). {_NOT_BOTH_BELOW_WORDS}. Either way the orbit is bounded (s_1 >= 0, s_2 <= "
    "V, l falls) and stays, strictly, on that side, where the flow leaves the saddle along its positive direction; the only "
    "other stationary point there is the minimum. Without a stationary point a gradient flow is unbounded"
)


def minimum_s_side(p: Point, a: Scalar, b: Scalar, xp: Arithmetic) -> Scalar:
    """>= 0 where the original lies above the stationary point of pulls (A, -B) in (x, s_2), or below it in (s_1, -y)."""
    q = plane_equations.cosine(p)
    u, v = stationary.plane(p, "original", loss=p.loss, xp=xp)
    (x, y), (x_saddle, y_saddle) = (
        plane_equations.margins(u, v, q),
        plane_equations.margins(a, -b, q),
    )
    return xp.maximum(xp.minimum(x - x_saddle, v + b), xp.minimum(a - u, y - y_saddle))


def _margin(p: Point, xp: Arithmetic) -> Scalar:
    _, a, b = pulls_of_point(p, xp)
    return minimum_s_side(at_stationary(p, xp)[0], a, b, xp)


register(
    Claim(
        id="beyond-5.flow",
        statement="Gradient flow from w_D reaches the minimum of descent-ascent iff it "
        "exists: the original lies on the minimum's "
        "side of the saddle, x_D >= x_s, or U <= A_s and y_D >= y_s, in an order that the flow keeps.",
        source="ours",
        kind=Kind.ORDERING,
        domain=Domain(
            (EPSILON, PHI, B, Axis("ascent_pull", 1.0, 1e2, "log")),
            PLANE_STATIONARY.chart,
            lambda p, xp: (-before_fold(p, xp),),
            "every saddle with forget pull B in [1, 100] (at the fold B >= 1), epsilon in [0.05, 0.95], phi in [0.01, 3], b in "
            "[0.01, 1e4]",
        ),
        margin=_margin,
        proof=REACHES,
        proof_words=REACHES_WORDS,
        note="The margin is the position of the start; the tests follow the flow itself. "
        "The proof ends at phi = 5; with forget sets "
        "tens of times the retain set some starts lie on neither side, which decides nothing about them.",
    )
)
