"""Beyond the paper: where descent-ascent has two minima under the logistic loss, it ends in the one that need not be the lower.

The minimum of the smaller forget pull is the exponential loss's, in the other the forget samples are far on the wrong side, where
the logistic loss grows like -y and the ridge holds it. Only the first is reached from the original (beyond-8.5.flow).
"""

from __future__ import annotations

import dataclasses

from ascentfail import plane_equations, stationary
from ascentfail.arithmetic import Arithmetic, Scalar, under_logistic_loss
from ascentfail.theory import steps
from ascentfail.theory.claim import Axis, Claim, Domain, Kind, Point
from ascentfail.theory.domains import EPSILON
from ascentfail.theory.lemmas.beyond_08_logistic_flow import ALONG_CURVE, SADDLES, falling, from_retain_margin
from ascentfail.theory.registry import register


def height(p: Point, s1: Scalar, s2: Scalar, xp: Arithmetic) -> Scalar:
    """L_DA/lam at given pulls, b f(-x) - (b alpha/phi) f(-y) + |w|^2/2 with f(m) = ln(1 + e^m)."""
    x, y = plane_equations.margins(s1, s2, plane_equations.cosine(p))
    first, second = plane_equations.weights(s1, s2, p.epsilon)
    return p.b * xp.softplus(-x) - p.forget_b / p.phi * xp.softplus(-y) + (first * first + second * second) / 2


def _higher(p: Point, xp: Arithmetic) -> Scalar:
    """The loss at the point listed, less that where the flow from the original ends."""
    end = stationary.plane(p, "descent_ascent", xp=under_logistic_loss(xp))
    return height(p, p.retain_pull, -p.ascent_pull, xp) - height(p, *end, xp)


_APART = dataclasses.replace(
    SADDLES, where=lambda p, xp: (falling(p, xp) - xp.number(1) / 10,),
    words=f"{SADDLES.words}, a determinant of the Hessian over lam <= -1/10",
)


def _rise(p: Point) -> Scalar:
    """-<(0, r), (q A'/(1+A'), -1)> in the metric of the pulls, less r (1 + (1-q^2) A')/(1+A')."""
    first = p.q * p.a / (1 + p.a)
    return -(p.q * p.r * first - p.r) - p.r * (1 + (1 - p.q**2) * p.a) / (1 + p.a)


register(Claim(
    id="beyond-8.5.lowest",
    statement="With the logistic loss the minimum at which descent-ascent from w_D ends is the lowest one of its loss.",
    source="ours",
    kind=Kind.ORDERING,
    domain=Domain(
        (EPSILON, Axis("retain_margin", 0.0, 10.0), Axis("ascent_pull", 1e-2, 1e4, "log")),
        lambda p, xp: from_retain_margin(p.replace(phi=xp.number(1)), xp),
        lambda p, xp: (-falling(p, xp), 10**4 - p.b, 2 * p.phi - p.alpha),
        "every minimum with retain margin in [0, 10] and forget pull in [0.01, 1e4], epsilon in [0.05, 0.95], b <= 1e4, "
        "alpha/phi <= 2; the minima depend on phi through alpha/phi only",
    ),
    margin=_higher,
    note="Where there are two minima the other one is often lower: what keeps descent-ascent from it is its start.",
    repaired=Claim(
        id="beyond-8.5.lowest.repaired",
        statement="It is lower than the saddle that parts it from the other minimum.",
        source="ours",
        kind=Kind.ORDERING,
        domain=_APART,
        margin=_higher,
        proof=(*ALONG_CURVE, steps.identity(
            "loss-along-curve", "where s_1' = 0 and s_2 = -S moves at r = s_2': (1+eps^2) dL/dS = r (1 + (1-q^2) A')/(1+A'), "
            "with the metric of |w|^2 in the pulls",
            {"a": (0.0, 1e3), "r": (-1e3, 1e3), "q": (0.0, 1.0)}, lambda p, xp: _rise(p),
        )),
        proof_words="along s_1 = beta l(x), s_2 = -S the loss changes with the sign of s_2' = S - gamma l(y), that of g(S), "
        "which is positive between the first stationary point and the second",
        note="So is every saddle; next to the fold, where they meet, the difference is too small to be looked at.",
    ),
))
