r"""Lemma 4: how far the original is from the oracle.

d W(c)/d ln c = W/(1 + W) < 1, so |w_D - w_R| < |ln(c_D/c_R)| = |ln((1 + alpha)/(1 + phi))|. The points are listed by w_R and
s = ln(w_D/w_R) of either sign, so that nothing is implicit: ln(c_D/c_R) = s + w_D - w_R.
"""

from __future__ import annotations

from ascentfail.claims.claim import Axis, Claim, Domain, Kind, Point
from ascentfail.claims.registry import register
from ascentfail.line import closed_form
from ascentfail.numerics.arithmetic import Arithmetic, Scalar
from ascentfail.theory.domains import ALPHA, PHI
from ascentfail.theory.proof_steps import by_weights, steps


def displacement(p: Point, xp: Arithmetic) -> Scalar:
    """|w_D - w_R|."""
    return xp.abs(
        closed_form.original(p, loss=p.loss, xp=xp) - closed_form.oracle(p, loss=p.loss, xp=xp)
    )


def _listed(p: Point, xp: Arithmetic) -> Point:
    """Chart: b of w_R, and alpha of w_D = w_R e^s, from (1 + alpha)/(1 + phi) = c_D/c_R."""
    log_ratio = p.loss.log_rise(p.oracle, p.s, xp)
    return Point(
        phi=p.phi,
        b=by_weights.coefficient_of(p.oracle, p.loss, xp),
        alpha=(1 + p.phi) * xp.exp(log_ratio) - 1,
        displacement=p.oracle * (xp.exp(p.s) - 1),
        excess=p.loss.log_excess(p.oracle, p.s, xp),
    )


_WIDE = Domain(
    (PHI, Axis("oracle", 4e-7, 12.0, "log"), Axis("s", -2.5, 2.5)),
    _listed,
    lambda p, xp: (10**6 * p.b - 1, 10**6 - p.b, 1000 * p.alpha - 1, 10 - p.alpha),
    "alpha in [1e-3, 10], phi in [0.01, 3], b in [1e-6, 1e6], listed by phi, w_R and s = ln(w_D/w_R)",
)

BY_LOGARITHM = (
    steps.W_INCREASES,
    steps.LOG_OF_W,
    steps.LOG_OF_RATIO,
    steps.identity(
        "coefficient-ratio",
        "c_D (1 + phi) = c_R (1 + alpha)",
        {"b": (1e-3, 1e3), "alpha": (1e-3, 1e3), "phi": (1e-3, 1e3)},
        lambda p, xp: (
            closed_form.coefficient(p, "original") * (1 + p.phi)
            - closed_form.coefficient(p, "oracle") * (1 + p.alpha)
        ),
    ),
)

LEMMA_4 = Claim(
    id="lemma-4",
    statement="|w_D - w_R| <= |ln((1 + alpha)|R|/|D|)| for all lam > 0 and alpha > 0.",
    source="Lemma 4",
    kind=Kind.BOUND,
    domain=_WIDE,
    margin=lambda p, xp: by_weights.longer(p.displacement, p.excess, xp),
)
register(LEMMA_4)

LEMMA_4_PROOF = register(
    Claim(
        id="lemma-4.proof",
        statement="|w_D - w_R| <= ln(alpha) for alpha >= phi, and <= -ln(alpha) for alpha <= phi.",
        source="Lemma 4, last step of the proof",
        kind=Kind.BOUND,
        domain=Domain(
            (PHI, Axis("b", 1e-6, 1e6, "log"), ALPHA, Axis("side", 0, 1, "integer")),
            where=lambda p, xp: ((2 * p.side - 1) * (p.alpha - p.phi),),
            words="alpha in [1e-3, 10], phi in [0.01, 3], b in [1e-6, 1e6]; side 1: alpha >= phi, side 0: alpha <= phi",
        ),
        margin=lambda p, xp: (2 * p.side - 1) * xp.log(p.alpha) - displacement(p, xp),
        repaired=Claim(
            id="lemma-4.proof.repaired",
            statement="The step with ln((1 + alpha)/(1 + phi)) for alpha >= phi and its negative for alpha <= phi.",
            source="ours",
            kind=Kind.BOUND,
            domain=_WIDE,
            margin=LEMMA_4.margin,
        ),
    )
)
