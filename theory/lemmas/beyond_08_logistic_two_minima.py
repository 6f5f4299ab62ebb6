"""Beyond the paper: where descent-ascent has two minima under the logistic loss, it ends in the one that need not be the lower.

The minimum of the smaller forget pull is the exponential loss's, in the other the forget samples are far on the wrong side, where
the logistic loss grows like -y and the ridge holds it. Only the first is reached from the original (beyond-8.5.flow).
"""

from __future__ import annotations

from ascentfail import closed_form, stationary
from ascentfail.arithmetic import Arithmetic, Scalar, under_logistic_loss
from ascentfail.theory.claim import Axis, Claim, Domain, Kind, Point
from ascentfail.theory.domains import EPSILON
from ascentfail.theory.lemmas.beyond_08_logistic_flow import falling, from_retain_margin
from ascentfail.theory.registry import register


def height(p: Point, s1: Scalar, s2: Scalar, xp: Arithmetic) -> Scalar:
    """L_DA/lam at given pulls, b f(-x) - (b alpha/phi) f(-y) + |w|^2/2 with f(m) = ln(1 + e^m)."""
    x, y = closed_form.plane_margins(s1, s2, closed_form.cosine(p))
    first, second = closed_form.plane_weights(s1, s2, p.epsilon)
    return p.b * xp.softplus(-x) - p.forget_b / p.phi * xp.softplus(-y) + (first * first + second * second) / 2


def _higher(p: Point, xp: Arithmetic) -> Scalar:
    """The loss at the point listed, less that where the flow from the original ends."""
    end = stationary.plane(p, "descent_ascent", xp=under_logistic_loss(xp))
    return height(p, p.retain_pull, -p.ascent_pull, xp) - height(p, *end, xp)


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
))
