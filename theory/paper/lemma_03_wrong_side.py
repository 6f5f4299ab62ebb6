r"""Lemma 3: on which side of the original does descent-ascent end, and is it farther from the oracle?

W is increasing, so the order of the three weights is the order of c_DA, c_D, c_R. For alpha <= phi, c_D <= c_R, and
c_DA <= c_D iff alpha (1 + 2 phi) >= phi^2. Where boxes enclose a margin, the points are listed by the weights themselves, see
`proof_steps.by_weights`: w_R - w_D and w_D - w_DA are coordinates of either sign, and a side condition that the margin vanishes
at is in the margin, too, as "the condition fails, or else".
"""

from __future__ import annotations

from ascentfail.claims.claim import Axis, Claim, Domain, Kind, Point
from ascentfail.claims.registry import register
from ascentfail.line import closed_form
from ascentfail.numerics.arithmetic import Arithmetic, Scalar
from ascentfail.theory.domains import LINE_WITH_DA, PHI, B, alpha_from_ratio, exists_on_axis
from ascentfail.theory.proof_steps import by_weights, steps


def _differences(p: Point, xp: Arithmetic) -> tuple[Scalar, Scalar]:
    """(w_R - w_D, w_D - w_DA), the last at its local minimum W_0; coordinates where the chart lists the weights."""
    if by_weights.listed(p):
        return p.oracle_above, p.unlearned_below
    original = closed_form.original(p, loss=p.loss, xp=xp)
    return closed_form.oracle(
        p, loss=p.loss, xp=xp
    ) - original, original - closed_form.descent_ascent(p, 0, loss=p.loss, xp=xp)


def same_side(p: Point, xp: Arithmetic) -> Scalar:
    """(w_DA - w_D)(w_D - w_R): positive where descent-ascent moves the original away from the oracle."""
    above, below = _differences(p, xp)
    return below * above


def extra_distance(p: Point, xp: Arithmetic) -> Scalar:
    """|w_DA - w_R| - |w_D - w_R|."""
    above, below = _differences(p, xp)
    return xp.abs(above + below) - xp.abs(above)


_BY_ORDER = "W is increasing, so the product has the sign of (c_DA - c_D)(c_D - c_R)"


def from_threshold(p: Point) -> Scalar:
    """>= 0 where alpha >= phi^2/(1 + 2 phi), without a division."""
    return p.alpha * (1 + 2 * p.phi) - p.phi * p.phi


def _from_threshold_to_phi(p: Point, xp: Arithmetic) -> Point:
    """Chart: `place` in [0, 1] runs from phi^2/(1 + 2 phi) to phi."""
    low = closed_form.wrong_way_alpha(p.phi)
    return Point(phi=p.phi, b=p.b, alpha=low + p.place * (p.phi - low))


_UP_TO_PHI = Domain(
    (PHI, B, Axis("ratio", 0.01, 1.0)),
    alpha_from_ratio,
    lambda p, xp: (p.phi - p.alpha,),
    "0 < alpha <= phi, phi in [0.01, 3], b in [0.01, 1e4]",
)
WRONG_WAY = Domain(
    (PHI, B, Axis("place", 0.0, 1.0)),
    _from_threshold_to_phi,
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

MAIN = register(
    Claim(
        id="lemma-3.main",
        statement="(w_DA - w_D)(w_D - w_R) >= 0 for all alpha <= phi.",
        source="Lemma 3, main text",
        kind=Kind.ORDERING,
        domain=_UP_TO_PHI,
        margin=same_side,
        repaired=Claim(
            id="lemma-3.main.repaired",
            statement="For alpha <= phi, (w_DA - w_D)(w_D - w_R) >= 0 if and only if alpha >= phi^2/(1 + 2 phi).",
            source="ours",
            kind=Kind.ORDERING,
            domain=_UP_TO_PHI,
            margin=lambda p, xp: same_side(p, xp) * from_threshold(p),
            proof=steps.ORDER_1D,
            proof_words=_BY_ORDER,
        ),
    )
)

register(APPENDIX)


def _setup_chart(p: Point, xp: Arithmetic) -> Point:
    return Point(phi=p.phi, b=p.b, alpha=p.phi / p.share)


SETUP = Domain(
    (PHI, B, Axis("share", 0.01, 1.0, "log")),
    _setup_chart,
    lambda p, xp: (exists_on_axis(p, xp), p.alpha - p.phi),
    "|F_j| = |F|, so alpha = phi/share >= phi with share = |R_j|/|R|; c_DA >= -1/e",
)


def _listed_by_end(p: Point, xp: Arithmetic) -> Point:
    """Chart: w_R, w_R - w_D = lead/((1 + w_R) e^{w_R}), and w_DA itself."""
    return by_weights.compared_from_oracle(
        p.oracle, p.lead * xp.exp(-p.oracle) / (1 + p.oracle), p.unlearned, p.loss, xp
    )


def _between(p: Point, xp: Arithmetic) -> Scalar:
    """The least of w_D - w_R, w_R and -w_DA, where alpha >= phi."""
    if by_weights.listed(p):
        margin = xp.minimum(-p.oracle_above, xp.minimum(p.oracle, -p.unlearned))
        return by_weights.or_else(margin, (p.c_unlearned, p.c_oracle_above), xp)
    above, below = _differences(p, xp)
    original = closed_form.original(p, loss=p.loss, xp=xp)
    return xp.minimum(-above, xp.minimum(original + above, below - original))


IN_SETUP = register(
    Claim(
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
            domain=Domain(
                (by_weights.ORACLE, Axis("lead", -0.5, 0.5), Axis("unlearned", -1.0, 1.0)),
                _listed_by_end,
                lambda p, xp: (*by_weights.in_reference_box(p, 1, 100), -p.c_unlearned),
                f"{SETUP.words}; phi in [0.01, 3], b in [0.01, 1e4], share in [0.01, 1], listed by w_R, w_R - w_D and w_DA",
            ),
            margin=_between,
        ),
    )
)


def _listed_by_oracle(p: Point, xp: Arithmetic) -> Point:
    """Chart: w_R, 100 ln(w_D/w_R), and w_R - w_DA = (1 + w_R) behind/100, so that w_DA >= -1."""
    growth, behind = xp.exp(p.s / 100), (1 + p.oracle) * p.behind / 100
    ahead = p.oracle * (growth - 1)
    point = by_weights.compared_from_oracle(p.oracle, -ahead, p.oracle - behind, p.loss, xp)
    return point.replace(original=p.oracle * growth, ahead=ahead, end_behind=behind)


def _farther(p: Point, xp: Arithmetic) -> Scalar:
    """(|w_DA - w_R|^2 - |w_D - w_R|^2)(c_D - c_DA), which has the sign of alpha - phi^2/(1 + 2 phi) in its second factor.

    The first factor is (w_D - w_DA)(2 w_R - w_D - w_DA). Outside the domain, where c_DA > 0.99 b or alpha > phi > 3, it may be
    of any sign.
    """
    if not by_weights.listed(p):
        return extra_distance(p, xp) * from_threshold(p)
    margin = by_weights.rise_times_step(p.original, -p.ahead - p.end_behind, p.loss, xp) * (
        p.end_behind - p.ahead
    )
    c_beyond = by_weights.rise(p.oracle, -p.end_behind, p.loss, xp)  # c_DA - c_R
    large_phi = xp.minimum(3 * (p.b + c_beyond) - 4 * p.c_oracle_above, p.ahead)
    return by_weights.or_else(margin, (p.b + 100 * c_beyond, large_phi), xp)


FARTHEST = register(
    Claim(
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
            domain=Domain(
                (Axis("s", -150.0, 150.0), Axis("behind", -100.0, 100.0), by_weights.ORACLE),
                _listed_by_oracle,
                lambda p, xp: by_weights.in_reference_box(p, 1, 2),
                f"{LINE_WITH_DA.words}, listed by w_R, ln(w_D/w_R) and w_R - w_DA",
            ),
            margin=_farther,
        ),
    )
)
