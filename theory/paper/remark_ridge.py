r"""Remark on the ridge: does changing it move minimisers only towards or away from the origin?

From grad + lam w = 0, H dw/dlam = -w: radial only where w is an eigenvector of the Hessian. In the plane w is a mixture of
(1, eps) and (eps, 1) in the ratio of the pulls, t = ln(V/U), and ln alpha = t + (1-q)(V - U): the ratio changes unless alpha = 1.
"""

from __future__ import annotations

from ascentfail import stationary
from ascentfail.claims.claim import Axis, Claim, Domain, Kind, Point
from ascentfail.claims.registry import register
from ascentfail.line import closed_form
from ascentfail.numerics.arithmetic import Arithmetic, Scalar
from ascentfail.plane import equations as plane_equations
from ascentfail.theory.domains import PHI, PLANE, B, alpha_from_ratio
from ascentfail.theory.proof_steps import steps


def turn(p: Point, which: closed_form.Model, xp: Arithmetic) -> Scalar:
    """w(lam) x w(lam/factor), positive where less ridge turns the minimiser from the first axis towards the second."""
    less = p.replace(b=p.b * p.factor)
    (a, b), (c, d) = (
        plane_equations.weights(*stationary.plane(at, which, xp=xp), p.epsilon) for at in (p, less)
    )
    return a * d - b * c


_RIDGES = Domain(
    (*PLANE.axes, Axis("factor", 1.1, 100.0, "log")),
    alpha_from_ratio,
    words=f"ridge lam and lam/factor, factor in [1.1, 100], at fixed counts; {PLANE.words}",
)
_CROSS = steps.identity(
    "cross-product",
    "w x w' = (s_1 s_2' - s_2 s_1')(1 - eps^2)/(1 + eps^2)^2",
    {
        "s1": (0.0, 30.0),
        "s2": (0.0, 30.0),
        "t1": (0.0, 30.0),
        "t2": (0.0, 30.0),
        "epsilon": (0.0, 1.0),
    },
    lambda p, xp: (
        _crossed(
            plane_equations.weights(p.s1, p.s2, p.epsilon),
            plane_equations.weights(p.t1, p.t2, p.epsilon),
        )
        - (p.s1 * p.t2 - p.s2 * p.t1) * (1 - p.epsilon**2) / (1 + p.epsilon**2) ** 2
    ),
)


def _crossed(first: tuple[Scalar, Scalar], second: tuple[Scalar, Scalar]) -> Scalar:
    return first[0] * second[1] - first[1] * second[0]


register(
    Claim(
        id="ridge-radial",
        statement="Changing the ridge moves minimisers (of the linear problems and of the "
        "toy) only towards or away from the origin.",
        source="Sec. 5.2, remark on the ridge",
        kind=Kind.EQUALITY,
        domain=_RIDGES,
        margin=lambda p, xp: turn(p, "original", xp),
        note="Read in the plane for the original; one problem whose minimiser turns is enough.",
        repaired=Claim(
            id="ridge-radial.repaired",
            statement="It holds where all samples that pull lie along one direction: on one "
            "coordinate, for the oracle in the plane.",
            source="ours",
            kind=Kind.EQUALITY,
            domain=_RIDGES,
            margin=lambda p, xp: turn(p, "oracle", xp),
        ),
    )
)

_TURNING = Domain(
    (Axis("epsilon", 0.0, 0.999), PHI, B, Axis("ratio", 1e-4, 2.0, "log"), _RIDGES.axes[-1]),
    alpha_from_ratio,
    lambda p, xp: (10**12 * (1 - p.alpha) ** 2 - 1,),
    "ridge lam and lam/factor, factor in [1.1, 100], at fixed counts; epsilon in [0, 0.999], phi in [0.01, 3], b in [0.01, 1e4], "
    "alpha/phi in [1e-4, 2], alpha not within 1e-6 of 1",
)

register(
    Claim(
        id="ridge-radial.turns",
        statement="In the plane, eps < 1, less ridge turns the original towards the "
        "diagonal: (1 - alpha) w(lam) x w(lam') > 0 for "
        "lam' < lam and alpha > 0 other than 1. So the original moves radially only where alpha is 0 or 1, or eps = 1.",
        source="ours",
        kind=Kind.ORDERING,
        domain=_TURNING,
        margin=lambda p, xp: (1 - p.alpha) * turn(p, "original", xp),
        strict=True,
        proof=(_CROSS, steps.ALPHA_OF_PULLS, steps.ALPHA_AND_ORDER, steps.W_INCREASES),
        proof_words="w x w' has the sign of t' - t for eps < 1. Let alpha > 1, so t > 0 "
        "(alpha < 1: exchange the two sets). Were t' "
        ">= t, then V' - U' <= V - U, that is U' (e^{t'} - 1) <= U (e^t - 1), so U' <= U "
        "and V' <= V, so beta' = U' e^{U' + qV'} <= "
        "beta: but less ridge is more beta. So t' < t",
        note="With alpha = 0, alpha = 1 or eps = 1 the samples that pull, or their sum, have one direction at every ridge.",
    )
)
