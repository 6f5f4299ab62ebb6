r"""Beyond the paper: the plane under the logistic loss.

The stationary points solve s_1 = beta/(1 + e^x), |s_2| = gamma/(1 + e^y). Descent-ascent is bounded below and has a minimum for
every alpha; where it has two, its end point here is the one with the smaller forget pull, which the exponential loss continues.
"""

from __future__ import annotations

import dataclasses

from ascentfail.claims.claim import Axis, Claim, Domain, Kind, Point
from ascentfail.claims.registry import register
from ascentfail.line import steps as steps_1d
from ascentfail.numerics.arithmetic import Arithmetic, Scalar
from ascentfail.numerics.sample_losses import LOGISTIC
from ascentfail.plane import equations as plane_equations
from ascentfail.theory.beyond.beyond_01_first_step import HELPS
from ascentfail.theory.beyond.beyond_03_paths import (
    AWAY,
    BOTH_FALL,
    BOTH_FALL_WORDS,
    ENDS_FARTHER_WORDS,
    FOR_EVER,
    FOR_EVER_WORDS,
    STEP_IMPLIES_END,
    STEP_IMPLIES_PATH,
)
from ascentfail.theory.beyond.beyond_03_regions import FIRST_STEP_1D, FIRST_STEP_2D
from ascentfail.theory.beyond.beyond_08_logistic import again
from ascentfail.theory.beyond.beyond_08_logistic_flow import REACHES, REACHES_WORDS
from ascentfail.theory.domains import PLANE
from ascentfail.theory.paper.dependence_causes import FARTHER_WITH_DEPENDENCE
from ascentfail.theory.proof_steps import steps

register(again(HELPS, note="The same with the logistic loss.", factors=True))
register(
    again(FIRST_STEP_1D, note="The same with the logistic loss: the same region.", factors=True)
)
register(again(FIRST_STEP_2D, note="The same with the logistic loss, U and V its own pulls."))
register(
    again(
        STEP_IMPLIES_END,
        AWAY,
        (*BOTH_FALL, *REACHES, steps.X_GAP_AND_Y_GAP),
        f"{BOTH_FALL_WORDS}. {REACHES_WORDS}. {ENDS_FARTHER_WORDS}",
        "The same with the logistic loss, at the minimum of the smaller forget pull, where there are two.",
    )
)
_PATH = again(
    STEP_IMPLIES_PATH,
    note="The same with the logistic loss: it fails there, too, in the same place.",
)
register(
    dataclasses.replace(
        _PATH,
        repaired=_PATH.repaired
        and dataclasses.replace(
            _PATH.repaired,
            proof=FOR_EVER,
            proof_words=FOR_EVER_WORDS,
            note="The same with the logistic loss.",
        ),
    )
)


def _rectangle(p: Point, xp: Arithmetic) -> Point:
    """Chart: alpha, and pulls (s_1, S) anywhere in the rectangle [0, beta] x [0, gamma]."""
    p = PLANE.chart(p, xp)
    beta, gamma = plane_equations.pulls(p, "descent_ascent")
    return p.replace(beta=beta, gamma=gamma, s1=p.along_retain * beta, size=p.along_forget * gamma)


def _signs_on_faces(p: Point, xp: Arithmetic) -> Scalar:
    """The least of what s_1 - beta l(x) and S - gamma l(y) have of the right sign on the two faces across their own axis."""
    q = plane_equations.cosine(p)

    def margins(s1: Scalar, size: Scalar) -> tuple[Scalar, Scalar]:
        return plane_equations.margins(s1, -size, q)

    def force(margin: Scalar) -> Scalar:
        return steps_1d.slope(margin, LOGISTIC, xp)  # l(m), and 1 - l(m) = l(-m)

    retain = xp.minimum(force(margins(0 * p.s1, p.size)[0]), force(-margins(p.beta, p.size)[0]))
    forget = xp.minimum(force(margins(p.s1, 0 * p.size)[1]), force(-margins(p.s1, p.gamma)[1]))
    return xp.minimum(p.beta * retain, p.gamma * forget)


register(
    Claim(
        id="beyond-8.dependence-causes.exists",
        statement="With the logistic loss descent-ascent has a stationary point for every "
        "eps and alpha, so no dependence ends its "
        "range: on the rectangle of pulls 0 <= s_1 <= beta, 0 <= S <= gamma, s_1 - beta "
        "l(x) is <= 0 where s_1 = 0 and >= 0 where "
        "s_1 = beta, and S - gamma l(y) is <= 0 where S = 0 and >= 0 where S = gamma: so "
        "both vanish somewhere (Poincare, Miranda).",
        source="ours: dependence-causes.exists with the logistic loss",
        kind=Kind.BOUND,
        domain=Domain(
            (
                Axis("epsilon", 0.0, 1.0),
                *PLANE.axes[1:],
                Axis("along_retain", 0.0, 1.0),
                Axis("along_forget", 0.0, 1.0),
            ),
            _rectangle,
            words="epsilon in [0, 1], phi in [0.01, 3], b in [0.01, 1e4], alpha/phi in "
            "[0.01, 2]; s_1 in [0, beta], S in [0, gamma]",
        ),
        margin=_signs_on_faces,
        note="The margin is the least of the four signs, over the whole of each face; no stationary point is assumed.",
    )
)
_EVERYWHERE = FARTHER_WITH_DEPENDENCE.domain.words.replace(", a minimum at both", "")
register(
    again(
        FARTHER_WITH_DEPENDENCE,
        dataclasses.replace(FARTHER_WITH_DEPENDENCE.domain, where=None, words=_EVERYWHERE),
        note="The same with the logistic loss.",
    )
)
