r"""Beyond the paper: under the logistic loss and without a ridge a step of the alternating map has two fixed points or none.

The step of a fixed point is eta rho = d (1 - e^{-d})/(1 - e^{-t}), d = s + t. It is large for small t, where w is large, and for
large t, where w is far below 0 and the slope of the loss is flat; in between it has one least value.
"""

from __future__ import annotations

from ascentfail.claims.claim import Axis, Claim, Domain, Kind, Point
from ascentfail.claims.registry import register
from ascentfail.numerics.arithmetic import Arithmetic, Scalar
from ascentfail.theory.beyond.beyond_08_logistic_unridged import (
    BEYOND,
    EXCESS,
    SIDES,
    WORDS,
    balanced,
    multiplier,
    sinh_half,
)
from ascentfail.theory.proof_steps import steps

_TURN = (
    steps.identity(
        "slope-of-step",
        "with d = s + t: d ln(eta rho)/dt = 1/d + 1/(e^d - 1) - 1/(e^t - 1) is (2 sinh(t/2) sinh(d/2) - d "
        "sinh(s/2))/(2 d sinh(t/2) sinh(d/2))",
        {"s": (1e-3, 30.0), "t": (1e-3, 30.0)},
        lambda p, xp: (
            lambda d, a, b, c: (
                (1 / d + 1 / (xp.exp(d) - 1) - 1 / (xp.exp(p.t) - 1)) * 2 * d * b * c
                - 2 * b * c
                + d * a
            )
        )(p.s + p.t, *(sinh_half(x, xp) for x in (p.s, p.t, p.s + p.t))),
    ),
    steps.identity(
        "product-of-sinh",
        "2 sinh(t/2) sinh((s+t)/2) = cosh(s/2 + t) - cosh(s/2), here with 4 times both",
        {"s": (1e-3, 30.0), "t": (1e-3, 30.0)},
        lambda p, xp: (
            8 * sinh_half(p.t, xp) * sinh_half(p.s + p.t, xp)
            - 2
            * (xp.exp(p.s / 2 + p.t) + xp.exp(-p.s / 2 - p.t) - xp.exp(p.s / 2) - xp.exp(-p.s / 2))
        ),
    ),
    steps.inequality(
        "sinh-increases",
        "2 (sinh(a + t) - sinh a) = (e^t - 1)(e^a + e^{-a-t}) >= 0",
        {"t": (0.0, 30.0), "a": (0.0, 30.0)},
        lambda p, xp: xp.exp(p.t) - 1,
        lambda p, xp: xp.exp(p.a) + xp.exp(-p.a - p.t),
    ),
)


def _log_step(excess: Scalar, beyond: Scalar, xp: Arithmetic) -> Scalar:
    """ln(eta rho) of the fixed point with that s and t."""
    return xp.log(balanced(Point(excess=excess, beyond=beyond), xp)[1])


register(
    Claim(
        id="beyond-8.7.least-step",
        statement="For every alpha > phi the step eta rho of the fixed point falls with t "
        "to one least value, where the multiplier "
        "is 1, and rises beyond: smaller steps have no fixed point, larger ones two, and "
        "the multiplier is below 1 at the larger w.",
        source="ours",
        kind=Kind.ORDERING,
        domain=Domain(
            (EXCESS, BEYOND, Axis("other", 1e-3, 10.0, "log")),
            where=lambda p, xp: ((multiplier(p, xp) - 1) * (p.other - p.beyond),),
            words=f"{WORDS}, and another t on the side of larger multipliers where it is above 1, of smaller ones where below",
        ),
        margin=lambda p, xp: _log_step(p.excess, p.other, xp) - _log_step(p.excess, p.beyond, xp),
        proof=(SIDES, *_TURN),
        proof_words="the slope of ln(eta rho) has the sign of 2 sinh(t/2) - D, as has the multiplier less 1: that of K(t) = "
        "cosh(s/2 + t) - cosh(s/2) - (s + t) sinh(s/2). K(0) < 0 and K' = sinh(s/2 + t) - "
        "sinh(s/2) rises from 0 without bound, so K "
        "changes its sign once. eta rho = d (1 - e^{-d})/(1 - e^{-t}) grows without bound "
        "for t -> 0 and for t -> infinity, and w "
        "falls with t",
        note="With the exponential loss every step has one fixed point. Here iterates with a smaller step fall for ever.",
    )
)
