r"""Beyond the paper: three questions that are often taken for one.

(a) Does descent-ascent end farther from the oracle than the original is? (b) Does its first step lead away? (c) Is no later point
of its path closer? On one coordinate the flow is monotone, so (c) is (b) or a start at the oracle. In the plane, with the pulls
(U, V) of the original, -grad L_DA(w_D)/lam has pulls (phi U, -V (1 + 2 phi)/phi), which gives (b) in closed form.
"""

from __future__ import annotations

import dataclasses

from ascentfail import stationary
from ascentfail.claims.claim import Claim, Kind, Point
from ascentfail.claims.registry import register
from ascentfail.line import steps as steps_1d
from ascentfail.numerics.arithmetic import Arithmetic, Scalar
from ascentfail.plane import equations as plane_equations
from ascentfail.theory.domains import PLANE
from ascentfail.theory.paper.lemma_03_wrong_side import FARTHEST
from ascentfail.theory.proof_steps.charts import BY_WEIGHTS

assert FARTHEST.repaired is not None  # the same statement, beside the paper's
FARTHER_1D = register(dataclasses.replace(
    FARTHEST.repaired,
    id="beyond-3.farther-1d",
    statement="One coordinate: |w_DA - w_R| > |w_D - w_R| iff alpha > phi^2/(1 + 2 phi), wherever w_DA = W_0(c_DA) exists.",
    source="ours: (a)",
    note="The statement of lemma-3.farthest.repaired, among the three questions.",
))


def _step_away(p: Point, xp: Arithmetic) -> Scalar:
    """-L_DA'(w_D)(w_D - w_R)/lam: positive where the first step leads away from the oracle."""
    step = steps_1d.simultaneous(p.original, p, xp.number(1), loss=p.loss, xp=xp) - p.original
    return step * (p.original - p.oracle)


FIRST_STEP_1D = register(Claim(
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
))


def first_step_in_plane(p: Point, xp: Arithmetic) -> Scalar:
    """<-grad L_DA(w_D), w_D - w_R>/lam from the gradient in weight coordinates, sample by sample."""
    s1, s2 = stationary.plane(p, "original", loss=p.loss, xp=xp)
    x, y = plane_equations.margins(s1, s2, plane_equations.cosine(p))
    w = plane_equations.weights(s1, s2, p.epsilon)
    w_oracle = plane_equations.weights(plane_equations.oracle(p, loss=p.loss, xp=xp)[0], 0, p.epsilon)
    retain, forget = p.b * steps_1d.slope(x, p.loss, xp), p.b * p.alpha / p.phi * steps_1d.slope(y, p.loss, xp)
    step = (retain - p.epsilon * forget - w[0], p.epsilon * retain - forget - w[1])
    return step[0] * (w[0] - w_oracle[0]) + step[1] * (w[1] - w_oracle[1])


def first_step_criterion(p: Point, xp: Arithmetic) -> Scalar:
    """Product phi U (x_D - x_R) - (1 + 2 phi) V (y_D - y_R)/phi, over 1 + eps^2: the same product in closed form."""
    s1, s2 = stationary.plane(p, "original", loss=p.loss, xp=xp)
    x, y = plane_equations.margins(s1, s2, plane_equations.cosine(p))
    x_oracle, y_oracle = plane_equations.oracle(p, loss=p.loss, xp=xp)
    away = p.phi * s1 * (x - x_oracle) - (1 + 2 * p.phi) / p.phi * s2 * (y - y_oracle)
    return away / (1 + p.epsilon * p.epsilon)


FIRST_STEP_2D = register(Claim(
    id="beyond-3.first-step-2d",
    statement="Plane: the first step leads away from the oracle iff phi^2 U (x_D - x_R) > (1 + 2 phi) V (y_D - y_R), with (U, V) "
    "the pulls of the original.",
    source="ours: (b)",
    kind=Kind.EQUALITY,
    domain=PLANE,
    margin=lambda p, xp: first_step_in_plane(p, xp) - first_step_criterion(p, xp),
    note="The margin is the difference of the inner product itself and the closed form whose sign is stated.",
))


def extra_squared_distance(p: Point, xp: Arithmetic) -> Scalar:
    """(1 + eps^2)(|w_DA - w_R|^2 - |w_D - w_R|^2), at the minimum of descent-ascent."""
    unlearned, original = (stationary.plane(p, which, loss=p.loss, xp=xp) for which in ("descent_ascent", "original"))
    squared = plane_equations.squared_distance_to_oracle
    return squared(*unlearned, p, loss=p.loss, xp=xp) - squared(*original, p, loss=p.loss, xp=xp)
