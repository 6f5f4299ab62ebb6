r"""Lemma 2: on one coordinate the three solutions are Lambert-W values.

Stationarity in units of the ridge is w = c e^{-w}, so w = W(c). A block in which every sample has k entries equal to one couples
its coordinates: w_j = c e^{-k w_j}, so w_j = W(k c)/k.
"""

from __future__ import annotations

from ascentfail.claims.claim import Axis, Claim, Domain, Kind, Point
from ascentfail.claims.registry import register
from ascentfail.line import closed_form
from ascentfail.numerics.arithmetic import Arithmetic, Scalar
from ascentfail.theory.domains import LINE_WITH_DA, PHI, B


def residual(w: Scalar, c: Scalar, width: Scalar, xp: Arithmetic) -> Scalar:
    """Stationarity of a coordinate in a block of `width` coordinates that all share their samples."""
    return w - c * xp.exp(-width * w)


def _three_models(p: Point, xp: Arithmetic) -> Scalar:
    models = ("original", "oracle", "descent_ascent")
    solutions = (
        closed_form.original(p, xp=xp),
        closed_form.oracle(p, xp=xp),
        closed_form.descent_ascent(p, 0, xp=xp),
    )
    return sum(
        xp.abs(residual(w, closed_form.coefficient(p, m), 1, xp))
        for m, w in zip(models, solutions, strict=True)
    )


def _second_branch(p: Point, xp: Arithmetic) -> Scalar:
    return residual(
        closed_form.descent_ascent(p, -1, xp=xp),
        closed_form.coefficient(p, "descent_ascent"),
        1,
        xp,
    )


def _two_solutions(p: Point, xp: Arithmetic) -> Point:
    """Chart c_DA = -depth/e."""
    c = -p.depth * xp.exp(-xp.number(1))
    return Point(phi=p.phi, b=p.b, alpha=p.phi * (1 - c / p.b), c_unlearned=c)


TWO_SOLUTIONS = Domain(
    (PHI, B, Axis("depth", 0.01, 0.99)),
    _two_solutions,
    lambda p, xp: (
        1 + xp.exp(xp.number(1)) * closed_form.coefficient(p, "descent_ascent"),
        p.alpha - p.phi,
    ),
    "alpha > phi with -0.99/e <= c_DA <= -0.01/e, phi in [0.01, 3], b in [0.01, 1e4]",
)


def _second_derivatives(p: Point, xp: Arithmetic) -> tuple[Scalar, Scalar]:
    """Second derivative over the ridge at W_0(c_DA) and at W_{-1}(c_DA)."""
    return closed_form.curvature(xp.lambertw(p.c_unlearned, 0)), closed_form.curvature(
        xp.lambertw(p.c_unlearned, -1)
    )


register(
    Claim(
        id="lemma-2.one-coordinate",
        statement="With one non-zero coordinate a sample, w_D = W(c_D), w_R = W(c_R), w_DA = W(c_DA) are stationary.",
        source="Lemma 2, Sec. 5.1.1",
        kind=Kind.EQUALITY,
        domain=LINE_WITH_DA,
        margin=_three_models,
        note="Sum of the three |residuals| w - c e^{-w}, with W_0 for descent-ascent.",
    )
)

register(
    Claim(
        id="lemma-2.second-branch",
        statement="For -1/e <= c_DA < 0, W_{-1}(c_DA) is stationary for descent-ascent as well.",
        source="App. F; an id of ours",
        kind=Kind.EQUALITY,
        domain=TWO_SOLUTIONS,
        margin=_second_branch,
    )
)

_BLOCK = Domain(
    (PHI, B, Axis("ratio", 0.01, 1.0, "log"), Axis("width", 1, 4, "integer")),
    lambda p, xp: Point(phi=p.phi, b=p.b, alpha=p.ratio * p.phi, width=p.width),
    words="blocks of 1 to 4 coordinates shared by all their samples, alpha <= phi",
)

register(
    Claim(
        id="lemma-2.assumptions",
        statement="The closed forms w_j = W(c) hold under Assumptions 1 and 2 as written, where a block may span coordinates.",
        source="Lemma 2 with Assumptions 1 and 2",
        kind=Kind.EQUALITY,
        domain=_BLOCK,
        margin=lambda p, xp: residual(
            closed_form.original(p, xp=xp), closed_form.coefficient(p, "original"), p.width, xp
        ),
        note="The residual is that of the original in a block whose samples have `width` entries equal to one. L_D is strictly "
        "convex, so a point that is not stationary is not the solution.",
        repaired=Claim(
            id="lemma-2.assumptions.repaired",
            statement="In a block whose samples all have k entries equal to one, w_j = W(k c)/k; k = 1 gives the printed form.",
            source="ours",
            kind=Kind.EQUALITY,
            domain=_BLOCK,
            margin=lambda p, xp: residual(
                xp.lambertw(p.width * closed_form.coefficient(p, "original"), 0) / p.width,
                closed_form.coefficient(p, "original"),
                p.width,
                xp,
            ),
        ),
    )
)

register(
    Claim(
        id="lemma-2.extrema",
        statement="With two real solutions, W_0 is a local maximum and W_{-1} a local minimum of the descent-ascent loss.",
        source="App. F",
        kind=Kind.ORDERING,
        domain=TWO_SOLUTIONS,
        margin=lambda p, xp: xp.minimum(
            -_second_derivatives(p, xp)[0], _second_derivatives(p, xp)[1]
        ),
        repaired=Claim(
            id="lemma-2.extrema.repaired",
            statement="W_0 is the local minimum and W_{-1} the local maximum: the second derivative is lam (1 + w).",
            source="ours",
            kind=Kind.ORDERING,
            domain=TWO_SOLUTIONS,
            margin=lambda p, xp: xp.minimum(
                _second_derivatives(p, xp)[0], -_second_derivatives(p, xp)[1]
            ),
            strict=True,
        ),
    )
)
