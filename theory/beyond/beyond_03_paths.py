r"""Beyond the paper: what the first step in the plane says about the path after it, and about its end.

A first step away from the oracle lowers both x and s_2, and the flow keeps that order: it lowers them as long as it exists. So
descent-ascent ends farther than it began. On its way it may come closer all the same: while the forget pull falls from V to
zero, its part (1 - q^2) s_2^2 of the distance falls, too.
"""

from __future__ import annotations

from ascentfail import stationary
from ascentfail.claims.claim import Axis, Claim, Domain, Kind, Point
from ascentfail.claims.registry import register
from ascentfail.line import steps as steps_1d
from ascentfail.numerics.arithmetic import Arithmetic, Scalar
from ascentfail.plane import equations as plane_equations
from ascentfail.plane.comparisons import extra_squared_distance, first_step_criterion
from ascentfail.theory.beyond.beyond_05_flow import (
    KEEPS_ORDER,
    KEEPS_ORDER_WORDS,
    REACHES,
    REACHES_WORDS,
)
from ascentfail.theory.domains import PLANE, exists_in_plane
from ascentfail.theory.proof_steps import steps

_POSITIVE = {
    "u": (1e-3, 30.0),
    "v": (1e-3, 30.0),
    "big_x": (1e-3, 30.0),
    "phi": (1e-3, 1e3),
    "q": (0.0, 1.0),
}


def criterion(u: Scalar, v: Scalar, p: Point, xp: Arithmetic) -> Scalar:
    """phi^2 U (x_D - x_R) - (1 + 2 phi) V (y_D - y_R) from the pulls (U, V): positive where the first step leads away."""
    x, y = plane_equations.margins(u, v, plane_equations.cosine(p))
    x_oracle, y_oracle = plane_equations.oracle(p, loss=p.loss, xp=xp)
    return p.phi**2 * u * (x - x_oracle) - (1 + 2 * p.phi) * v * (y - y_oracle)


def _in_gaps(p: Point) -> Scalar:
    """The criterion minus what it is in G = x_D - X."""
    x, y = plane_equations.margins(p.u, p.v, p.q)
    turned = p.phi**2 * p.u - p.q * (1 + 2 * p.phi) * p.v
    away = p.phi**2 * p.u * (x - p.big_x) - (1 + 2 * p.phi) * p.v * (y - p.q * p.big_x)
    return away - (x - p.big_x) * turned + (1 + 2 * p.phi) * (1 - p.q**2) * p.v**2


BOTH_FALL = (
    steps.identity(
        "criterion-in-gaps",
        "with G = x_D - X, phi^2 U G - (1+2phi) V (y_D - q X) = G (phi^2 U - q (1+2phi) V) - (1+2phi) "
        "(1-q^2) V^2",
        _POSITIVE,
        lambda p, xp: _in_gaps(p),
    ),
    steps.identity(
        "never-beyond-the-oracle",
        "with U = X/(1+phi) - r and q V = X + G - U: phi^2 U - q (1+2phi) V = -phi (1+phi) U - "
        "(1+2phi) (G + (1+phi) r)",
        {"big_x": (1e-3, 30.0), "gap": (0.0, 30.0), "r": (0.0, 30.0), "phi": (1e-3, 1e3)},
        lambda p, xp: (
            lambda u: (
                p.phi**2 * u
                - (1 + 2 * p.phi) * (p.big_x + p.gap - u)
                + p.phi * (1 + p.phi) * u
                + (1 + 2 * p.phi) * (p.gap + (1 + p.phi) * p.r)
            )
        )(p.big_x / (1 + p.phi) - p.r),
    ),
    steps.identity(
        "velocity-at-original",
        "beta l(x_D) = (1+phi) U and gamma l(y_D) = (1+phi) V/phi: s_1' = phi U, s_2' = -(1+2phi) V/phi "
        "and phi x' = phi^2 U - q (1+2phi) V",
        {"u": (0.0, 30.0), "v": (0.0, 30.0), "phi": (1e-3, 1e3), "q": (0.0, 1.0)},
        lambda p, xp: (
            lambda s1, s2: p.phi * (s1 + p.q * s2) - p.phi**2 * p.u + p.q * (1 + 2 * p.phi) * p.v
        )((1 + p.phi) * p.u - p.u, -(1 + p.phi) * p.v / p.phi - p.v),
    ),
    steps.EXPONENTIAL_ABOVE,
)
BOTH_FALL_WORDS = (
    "(1+phi) U = X l(x_D)/l(X), so x_D >= X would mean U <= X/(1+phi), phi^2 U <= q (1+2phi) V and a criterion < 0: where it is "
    ">= 0, G < 0 and so phi^2 U < q (1+2phi) V, that is x' < 0 at the start, as s_2' is"
)
FOR_EVER = (*BOTH_FALL, *KEEPS_ORDER)
FOR_EVER_WORDS = (
    f"{BOTH_FALL_WORDS}; {KEEPS_ORDER_WORDS}, and a flow that starts by lowering both "
    "lowers both as long as it exists"
)


def velocities(p: Point, xp: Arithmetic) -> Scalar:
    """The smaller of -x' and -s_2' at the original, over the ridge, from the slopes of the loss."""
    q, (beta, gamma) = plane_equations.cosine(p), plane_equations.pulls(p, "descent_ascent")
    s1, s2 = stationary.plane(p, "original", loss=p.loss, xp=xp)
    x, y = plane_equations.margins(s1, s2, q)
    retain, forget = (
        beta * steps_1d.slope(x, p.loss, xp) - s1,
        gamma * steps_1d.slope(y, p.loss, xp) + s2,
    )
    return xp.minimum(q * forget - retain, forget)


ENDS_FARTHER_WORDS = (
    "A flow that starts by lowering x and s_2 keeps lowering them, so x_DA <= x_D < X; then y_D - y_DA = q (x_D - x_DA) + (1-q^2)"
    "(V+B) >= 0 and B = (1+phi)/phi V l(y_DA)/l(y_D) > V: both parts of the squared distance (x - X)^2 + (1-q^2) s_2^2 have grown"
)
AWAY = Domain(
    PLANE.axes,
    PLANE.chart,
    lambda p, xp: (first_step_criterion(p, xp),),
    f"{PLANE.words}, the first step leads away",
)
STEP_IMPLIES_END = register(
    Claim(
        id="beyond-3.step-implies-end",
        statement="Plane: where the first step leads away from the oracle, descent-ascent "
        "ends farther from it, if it has a minimum.",
        source="ours: (b) implies (a)",
        kind=Kind.ORDERING,
        domain=Domain(
            PLANE.axes,
            PLANE.chart,
            lambda p, xp: (exists_in_plane(p, xp), first_step_criterion(p, xp)),
            f"{PLANE.words}, a minimum exists and the first step leads away",
        ),
        margin=extra_squared_distance,
        proof=(*BOTH_FALL, *REACHES, steps.X_GAP_AND_Y_GAP),
        proof_words=f"{BOTH_FALL_WORDS}. {REACHES_WORDS}. {ENDS_FARTHER_WORDS}",
        note="The converse fails widely; that no later point of the path is closer does not follow: beyond-3.step-implies-path.",
    )
)

# --- the path ------------------------------------------------------------------------------------------------------------------

_STEPS, _STEP = 32, 100  # steps looked at, and 1/(eta lam)


def _from_turn(p: Point, xp: Arithmetic) -> Point:
    """Chart: the pulls (U, V) of the original with q (1+2phi) V = turn phi^2 U, and the alpha that they belong to.

    U = beta_D l(x_D) with x_D = (1 + q c) U, c = V/U, so (1 + q c) U = W((1 + q c) beta_D).
    """
    q, beta = plane_equations.cosine(p), plane_equations.retain_strength(p, "original")
    c = (1 + p.excess) * p.phi**2 / (q * (1 + 2 * p.phi))
    u = p.loss.weight((1 + q * c) * beta, xp) / (1 + q * c)
    y = plane_equations.margins(u, c * u, q)[1]
    return p.replace(u=u, v=c * u, alpha=c * u / (beta * steps_1d.slope(y, p.loss, xp)))


def closest(p: Point, xp: Arithmetic) -> Scalar:
    """Least |w_k - w_R|^2/|w_D - w_R|^2 - 1 over simultaneous steps k = 1, 2, ... from w_D, in the pulls."""
    q, (beta, gamma) = plane_equations.cosine(p), plane_equations.pulls(p, "descent_ascent")
    s1, s2 = p.u, p.v
    start, least = plane_equations.squared_distance_to_oracle(s1, s2, p, loss=p.loss, xp=xp), None
    for _ in range(_STEPS):
        x, y = plane_equations.margins(s1, s2, q)
        s1 = s1 + (beta * steps_1d.slope(x, p.loss, xp) - s1) / _STEP
        s2 = s2 - (gamma * steps_1d.slope(y, p.loss, xp) + s2) / _STEP
        gain = plane_equations.squared_distance_to_oracle(s1, s2, p, loss=p.loss, xp=xp) / start - 1
        least = gain if least is None else xp.minimum(least, gain)
    return least


STEP_IMPLIES_PATH = register(
    Claim(
        id="beyond-3.step-implies-path",
        statement="Plane: where the first step leads away from the oracle, none of 32 simultaneous steps of eta lam = 1/100 ends "
        "closer to it than the start.",
        source="ours: (b) implies (c)",
        kind=Kind.ORDERING,
        domain=Domain(
            (
                Axis("epsilon", 0.5, 0.99),
                Axis("phi", 0.1, 3.0, "log"),
                Axis("b", 1.0, 1e6, "log"),
                Axis("excess", 1e-2, 1.0, "log"),
            ),
            _from_turn,
            lambda p, xp: (criterion(p.u, p.v, p, xp),),
            "epsilon in [0.5, 0.99], phi in [0.1, 3], b in [1, 1e6], alpha where q (1+2phi) V/(phi^2 U) - 1 is in [0.01, 1], and "
            "the first step leads away",
        ),
        margin=closest,
        note="The margin is relative and of squared distances. The violations lie next to "
        "the boundary of the condition, at strong "
        "correlation.",
        repaired=Claim(
            id="beyond-3.step-implies-path.repaired",
            statement="Plane: where the first step leads away, the flow lowers the retain "
            "margin x and the forget pull s_2 at its "
            "start, and then as long as it exists.",
            source="ours",
            kind=Kind.ORDERING,
            domain=AWAY,
            margin=velocities,
            proof=FOR_EVER,
            proof_words=FOR_EVER_WORDS,
        ),
    )
)
