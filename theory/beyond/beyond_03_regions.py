r"""Beyond the paper: three questions that are often taken for one.

(a) Does descent-ascent end farther from the oracle than the original is? (b) Does its first step lead away? (c) Is no later point
of its path closer? On one coordinate the flow is monotone, so (c) is (b) or a start at the oracle. In the plane, with the pulls
(U, V) of the original, -grad L_DA(w_D)/lam has pulls (phi U, -V (1 + 2 phi)/phi), which gives (b) in closed form.
"""

from __future__ import annotations

import dataclasses

from ascentfail.claims.claim import Claim, Kind, Point
from ascentfail.claims.registry import register
from ascentfail.line import steps as steps_1d
from ascentfail.numerics.arithmetic import Arithmetic, Scalar
from ascentfail.plane.comparisons import first_step_criterion, first_step_in_plane
from ascentfail.theory.domains import PLANE
from ascentfail.theory.paper.lemma_03_wrong_side import FARTHEST
from ascentfail.theory.proof_steps.charts import BY_WEIGHTS

assert FARTHEST.repaired is not None  # the same statement, beside the paper's
FARTHER_1D = register(
    dataclasses.replace(
        FARTHEST.repaired,
        id="beyond-3.farther-1d",
        statement="One coordinate: |w_DA - w_R| > |w_D - w_R| iff alpha > phi^2/(1 + 2 phi), wherever w_DA = W_0(c_DA) exists.",
        source="ours: (a)",
        note="The statement of lemma-3.farthest.repaired, among the three questions.",
    )
)


def _step_away(p: Point, xp: Arithmetic) -> Scalar:
    """-L_DA'(w_D)(w_D - w_R)/lam: positive where the first step leads away from the oracle."""
    step = steps_1d.simultaneous(p.original, p, xp.number(1), loss=p.loss, xp=xp) - p.original
    return step * (p.original - p.oracle)


FIRST_STEP_1D = register(
    Claim(
        id="beyond-3.first-step-1d",
        statement="One coordinate: the first descent-ascent step leads away from the oracle iff phi^2/(1+2phi) < alpha < phi.",
        source="ours: (b)",
        kind=Kind.ORDERING,
        domain=BY_WEIGHTS,
        margin=lambda p, xp: -_step_away(p, xp) * p.above * p.more,
        factors=(
            lambda p, xp: p.b * steps_1d.slope(p.original, p.loss, xp) / p.phi,
            lambda p, xp: p.above**2,
            lambda p, xp: p.gap * p.more,
        ),
        note="`above` and `more` have the signs of alpha - phi^2/(1+2phi) and of alpha - phi. The flow on one coordinate never "
        "turns, so (c), no later point closer, holds on the closed interval.",
    )
)


FIRST_STEP_2D = register(
    Claim(
        id="beyond-3.first-step-2d",
        statement="Plane: the first step leads away from the oracle iff phi^2 U (x_D - x_R) "
        "> (1 + 2 phi) V (y_D - y_R), with (U, V) "
        "the pulls of the original.",
        source="ours: (b)",
        kind=Kind.EQUALITY,
        domain=PLANE,
        margin=lambda p, xp: first_step_in_plane(p, xp) - first_step_criterion(p, xp),
        note="The margin is the difference of the inner product itself and the closed form whose sign is stated.",
    )
)
