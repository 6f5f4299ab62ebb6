r"""Beyond the paper: the plane under the logistic loss.

The stationary points solve s_1 = beta/(1 + e^x), |s_2| = gamma/(1 + e^y). Descent-ascent is bounded below and has a minimum for
every alpha; where it has two, its end point here is the one with the smaller forget pull, which the exponential loss continues.
"""

from __future__ import annotations

import dataclasses

from ascentfail import plane_equations, stationary
from ascentfail.arithmetic import Arithmetic, Scalar, under_logistic_loss
from ascentfail.theory import steps
from ascentfail.theory.claim import Axis, Claim, Domain, Kind, Point
from ascentfail.theory.domains import PLANE
from ascentfail.theory.lemmas.beyond_01_first_step import GRADIENT_DIFFERENCE, HELPS, HELPS_WORDS
from ascentfail.theory.lemmas.beyond_03_paths import (
    AWAY,
    BOTH_FALL,
    BOTH_FALL_WORDS,
    ENDS_FARTHER_WORDS,
    FOR_EVER,
    FOR_EVER_WORDS,
    STEP_IMPLIES_END,
    STEP_IMPLIES_PATH,
)
from ascentfail.theory.lemmas.beyond_03_regions import FIRST_STEP_1D, FIRST_STEP_2D
from ascentfail.theory.lemmas.beyond_08_logistic import again
from ascentfail.theory.lemmas.beyond_08_logistic_flow import REACHES, REACHES_WORDS
from ascentfail.theory.lemmas.dependence_causes import FARTHER_WITH_DEPENDENCE
from ascentfail.theory.lemmas.first_steps import ORDER, ORDER_WORDS
from ascentfail.theory.registry import register

_MONOTONE = steps.inequality(
    "logistic-slope-monotone", "(x - y)(l(y) - l(x)) >= 0 for l = 1/(1 + e^m): for x = y + d, d >= 0, l(y) - l(x) = l(y) l(x) "
    "e^y (e^d - 1)",
    {"d": (0.0, 60.0), "y": (-30.0, 30.0)}, lambda p, xp: p.d, lambda p, xp: xp.exp(p.d) - 1,
)

register(again(HELPS, proof=(_MONOTONE, GRADIENT_DIFFERENCE), words=HELPS_WORDS, note="The same with the logistic loss."))
register(again(
    FIRST_STEP_1D, proof=(*ORDER, steps.FIRST_STEP), words=f"{ORDER_WORDS}; w_D = c_D l(w_D), so the first step is (c_DA - c_D) "
    "l(w_D)",
    note="The same with the logistic loss: the same region.",
))
register(again(FIRST_STEP_2D, note="The same with the logistic loss, U and V its own pulls."))
register(again(
    STEP_IMPLIES_END, AWAY, (*BOTH_FALL, *REACHES, steps.X_GAP_AND_Y_GAP),
    f"{BOTH_FALL_WORDS}. {REACHES_WORDS}. {ENDS_FARTHER_WORDS}",
    "The same with the logistic loss, at the minimum of the smaller forget pull, where there are two.",
))
_PATH = again(STEP_IMPLIES_PATH, note="The same with the logistic loss: it fails there, too, in the same place.")
register(dataclasses.replace(_PATH, repaired=_PATH.repaired and dataclasses.replace(
    _PATH.repaired, proof=FOR_EVER, proof_words=FOR_EVER_WORDS, note="The same with the logistic loss.",
)))


def _residual(p: Point, xp: Arithmetic) -> Scalar:
    """|s_1 - beta l(x)| + |S - gamma l(y)| at the point found."""
    logistic, q = under_logistic_loss(xp), plane_equations.cosine(p)
    (beta, gamma), (s1, s2) = plane_equations.pulls(p, "descent_ascent"), stationary.plane(p, "descent_ascent", xp=logistic)
    x, y = plane_equations.margins(s1, s2, q)
    return xp.abs(s1 - beta * xp.sigmoid(-x)) + xp.abs(s2 + gamma * xp.sigmoid(-y))


# That the margin is zero by the equations that define the point would assume the point; existence is what has to be proved.
_LINEAR = steps.inequality(
    "logistic-loss-grows-linearly", "0 <= ln(1 + t) <= 1 for t = e^{-|m|}, so that ln(1 + e^{-m}) = max(-m, 0) + ln(1 + t) <= "
    "|m| + 1", {"t": (0.0, 1.0)}, lambda p, xp: 1 - xp.log(1 + p.t), lambda p, xp: xp.log(1 + p.t),
)

register(Claim(
    id="beyond-8.dependence-causes.exists",
    statement="With the logistic loss descent-ascent has a stationary point for every eps and alpha, so no dependence ends its "
    "range.",
    source="ours: dependence-causes.exists with the logistic loss",
    kind=Kind.EQUALITY,
    domain=Domain(
        (Axis("epsilon", 0.0, 1.0), *PLANE.axes[1:]), PLANE.chart,
        words="epsilon in [0, 1], phi in [0.01, 3], b in [0.01, 1e4], alpha/phi in [0.01, 2]",
    ),
    margin=_residual,
    proof=(_LINEAR,),
    proof_words="the retain part of L_DA is >= 0 and the forget part >= -gamma (|y| + 1) in units of the ridge (step), with |y| "
    "at most a multiple of |w|; so L_DA/lam >= |w|^2/2 - gamma (|y| + 1) grows without bound in every direction, and a "
    "continuous function that does has a minimum, where its gradient is zero",
))
_EVERYWHERE = FARTHER_WITH_DEPENDENCE.domain.words.replace(", a minimum at both", "")
register(again(
    FARTHER_WITH_DEPENDENCE, dataclasses.replace(FARTHER_WITH_DEPENDENCE.domain, where=None, words=_EVERYWHERE),
    note="The same with the logistic loss.",
))
