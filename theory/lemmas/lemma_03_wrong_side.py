r"""Lemma 3: on which side of the original does descent-ascent end, and is it farther from the oracle?

W is increasing, so the order of the three weights is the order of c_DA, c_D, c_R. For alpha <= phi, c_D <= c_R, and
c_DA <= c_D iff alpha (1 + 2 phi) >= phi^2.
"""

from __future__ import annotations

from ascentfail import closed_form
from ascentfail.arithmetic import Arithmetic, Scalar
from ascentfail.theory import steps
from ascentfail.theory.claim import Axis, Claim, Domain, Kind, Point
from ascentfail.theory.domains import LINE_WITH_DA, PHI, B, alpha_from_ratio, exists_on_axis
from ascentfail.theory.registry import register


def _weights(p: Point, xp: Arithmetic) -> tuple[Scalar, Scalar, Scalar]:
    """(w_D, w_R, w_DA), the last at its local minimum W_0."""
    return closed_form.original(p, xp=xp), closed_form.oracle(p, xp=xp), closed_form.descent_ascent(p, 0, xp=xp)


def same_side(p: Point, xp: Arithmetic) -> Scalar:
    """(w_DA - w_D)(w_D - w_R): positive where descent-ascent moves the original away from the oracle."""
    original, oracle, unlearned = _weights(p, xp)
    return (unlearned - original) * (original - oracle)


def same_side_by_coefficients(p: Point, xp: Arithmetic) -> Scalar:
    """The sign of `same_side`, by monotonicity of W: (c_DA - c_D)(c_D - c_R) up to positive factors."""
    return (p.alpha * (1 + 2 * p.phi) - p.phi * p.phi) * (p.phi - p.alpha)


def extra_distance(p: Point, xp: Arithmetic) -> Scalar:
    """|w_DA - w_R| - |w_D - w_R|."""
    original, oracle, unlearned = _weights(p, xp)
    return xp.abs(unlearned - oracle) - xp.abs(original - oracle)


_BY_ORDER = "W is increasing, so the product has the sign of (c_DA - c_D)(c_D - c_R)"

_REACH = steps.inequality(
    "reach", "w_R + b (alpha-phi)/phi >= w_R (alpha-phi)/((1+w_R)(1+phi)), b = w_R e^{w_R}: e^w (1+w)(1+phi) >= phi",
    {"w": (0.0, 30.0), "phi": (0.0, 1e3)},
    lambda p, xp: p.w, lambda p, xp: xp.exp(p.w) * (1 + p.w) * (1 + p.phi) - p.phi,
)
FARTHER = (*steps.ORDER_1D, steps.UNLEARNED_BELOW_ORACLE, steps.W_KEEPS_SIGN, steps.EXPONENTIAL_ABOVE, _REACH)
FARTHER_WORDS = (
    "for alpha <= phi by the order of c_DA, c_D <= c_R. For alpha > phi: w_DA = c_DA e^{-w_DA} <= c_DA = -b "
    "(alpha-phi)/phi <= 0, and "
    "W lies below its tangent at b because v (e^d - 1 - d) + d (e^d - 1) >= 0, so w_D - w_R <= w_R (alpha-phi)/((1+w_R)(1+phi))"
)


def from_threshold(p: Point) -> Scalar:
    """>= 0 where alpha >= phi^2/(1 + 2 phi), without a division."""
    return p.alpha * (1 + 2 * p.phi) - p.phi * p.phi


def _between(p: Point, xp: Arithmetic) -> Point:
    """Chart: `place` in [0, 1] runs from phi^2/(1 + 2 phi) to phi."""
    low = closed_form.wrong_way_alpha(p.phi)
    return Point(phi=p.phi, b=p.b, alpha=low + p.place * (p.phi - low))


WRONG_WAY = Domain(
    (PHI, B, Axis("place", 0.0, 1.0)),
    _between,
    lambda p, xp: (from_threshold(p), p.phi - p.alpha),
    "phi^2/(1 + 2 phi) <= alpha <= phi, phi in [0.01, 3], b in [0.01, 1e4]",
)

APPENDIX = Claim(
    id="lemma-3.appendix",
    statement="(w_DA - w_D)(w_D - w_R) >= 0 for phi^2/(1 + 2 phi) <= alpha <= phi.",
    source="Lemma 3, App. F",
    kind=Kind.ORDERING,
    domain=WRONG_WAY,
    margin=same_side,
    proof=steps.ORDER_1D,
    proof_words=_BY_ORDER,
)

MAIN = register(Claim(
    id="lemma-3.main",
    statement="(w_DA - w_D)(w_D - w_R) >= 0 for all alpha <= phi.",
    source="Lemma 3, main text",
    kind=Kind.ORDERING,
    domain=Domain(
        (PHI, B, Axis("ratio", 0.01, 1.0)),
        alpha_from_ratio,
        lambda p, xp: (p.phi - p.alpha,),
        "0 < alpha <= phi, phi in [0.01, 3], b in [0.01, 1e4]",
    ),
    margin=same_side,
    repaired=Claim(
        id="lemma-3.main.repaired",
        statement="For alpha <= phi, (w_DA - w_D)(w_D - w_R) >= 0 if and only if alpha >= phi^2/(1 + 2 phi).",
        source="ours",
        kind=Kind.ORDERING,
        domain=Domain(
            (PHI, B, Axis("ratio", 0.01, 1.0)),
            alpha_from_ratio,
            lambda p, xp: (p.phi - p.alpha,),
            "0 < alpha <= phi, phi in [0.01, 3], b in [0.01, 1e4]",
        ),
        margin=lambda p, xp: same_side(p, xp) * from_threshold(p),
        proof=steps.ORDER_1D,
        proof_words=_BY_ORDER,
    ),
))

register(APPENDIX)


def _setup_chart(p: Point, xp: Arithmetic) -> Point:
    return Point(phi=p.phi, b=p.b, alpha=p.phi / p.share)


SETUP = Domain(
    (PHI, B, Axis("share", 0.01, 1.0, "log")),
    _setup_chart,
    lambda p, xp: (exists_on_axis(p, xp), p.alpha - p.phi),
    "|F_j| = |F|, so alpha = phi/share >= phi with share = |R_j|/|R|; c_DA >= -1/e",
)

IN_SETUP = register(Claim(
    id="lemma-3.setup",
    statement="With all of F in one group, (w_DA - w_D)(w_D - w_R) > 0 for every |R_j| <= |R|, |F|, lam with a w_DA.",
    source="Lemma 3 in the set-up of Sec. 5.1.1",
    kind=Kind.ORDERING,
    domain=SETUP,
    margin=same_side,
    strict=True,
    note="In this set-up alpha = phi |R|/|R_j| >= phi, outside the range of the appendix version.",
    repaired=Claim(
        id="lemma-3.setup.repaired",
        statement="In that set-up the product is <= 0: w_DA <= 0 <= w_R <= w_D, the oracle lies between the two.",
        source="ours",
        kind=Kind.ORDERING,
        domain=SETUP,
        margin=lambda p, xp: -same_side(p, xp),
        proof=steps.ORDER_1D,
        proof_words=_BY_ORDER,
    ),
))

_ABOVE = Domain(
    (PHI, B, Axis("ratio", 0.01, 2.0, "log")),
    alpha_from_ratio,
    lambda p, xp: (from_threshold(p), exists_on_axis(p, xp)),
    "alpha >= phi^2/(1 + 2 phi) and c_DA >= -1/e, phi in [0.01, 3], b in [0.01, 1e4], alpha/phi in [0.01, 2]",
)

FARTHEST = register(Claim(
    id="lemma-3.farthest",
    statement="Descent-ascent's end point, wherever it exists, is at least as far from the oracle as the original.",
    source="main text after Lemma 3",
    kind=Kind.ORDERING,
    domain=LINE_WITH_DA,
    margin=extra_distance,
    note="End point: the local minimum W_0(c_DA).",
    repaired=Claim(
        id="lemma-3.farthest.repaired",
        statement="It is so exactly where alpha >= phi^2/(1 + 2 phi); below that it is closer to the oracle.",
        source="ours",
        kind=Kind.ORDERING,
        domain=_ABOVE,
        margin=extra_distance,
        proof=FARTHER,
        proof_words=FARTHER_WORDS,
    ),
))
