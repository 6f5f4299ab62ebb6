"""Beyond the paper: where descent-ascent has two minima under the logistic loss, it ends in the one that need not be the lower.

The minimum of the smaller forget pull is the exponential loss's, in the other the forget samples are far on the wrong side, where
the logistic loss grows like -y and the ridge holds it. Only the first is reached from the original (beyond-8.5.flow).
"""

from __future__ import annotations

import dataclasses

from ascentfail import stationary
from ascentfail.claims.claim import Axis, Claim, Domain, Kind, Point
from ascentfail.claims.registry import register
from ascentfail.numerics.arithmetic import Arithmetic, Scalar
from ascentfail.numerics.sample_losses import LOGISTIC
from ascentfail.plane import equations as plane_equations
from ascentfail.theory.beyond.beyond_08_logistic_flow import (
    REACHES,
    SADDLES,
    falling,
    from_retain_margin,
)
from ascentfail.theory.domains import EPSILON
from ascentfail.theory.proof_steps import steps


def height(p: Point, s1: Scalar, s2: Scalar, xp: Arithmetic) -> Scalar:
    """L_DA/lam at given pulls, b f(-x) - (b alpha/phi) f(-y) + |w|^2/2 with f(m) = ln(1 + e^m)."""
    x, y = plane_equations.margins(s1, s2, plane_equations.cosine(p))
    first, second = plane_equations.weights(s1, s2, p.epsilon)
    return (
        p.b * xp.softplus(-x)
        - p.forget_b / p.phi * xp.softplus(-y)
        + (first * first + second * second) / 2
    )


def _higher(p: Point, xp: Arithmetic) -> Scalar:
    """The loss at the point listed, less that where the flow from the original ends."""
    end = stationary.plane(p.replace(loss=LOGISTIC), "descent_ascent", loss=LOGISTIC, xp=xp)
    return height(p, p.retain_pull, -p.ascent_pull, xp) - height(p, *end, xp)


_APART = dataclasses.replace(
    SADDLES,
    where=lambda p, xp: (falling(p, xp) - xp.number(1) / 10,),
    words=f"{SADDLES.words}, a determinant of the Hessian over lam <= -1/10",
)


def _turning(p: Point) -> tuple[Scalar, Scalar, Scalar]:
    """-dy/dS = psi along the curve, psi' with dA'/dS = q A' t/(1+A'), and q^3 rho t."""
    k = (1 - p.q**2) * p.a
    psi, slope = (1 + k) / (1 + p.a), ((1 - p.q**2) * (1 + p.a) - 1 - k) / (1 + p.a) ** 2
    return psi, slope * p.q * p.a * p.t / (1 + p.a), p.q**3 * p.a * p.t / ((1 + p.a) * (1 + k) ** 2)


def _turn(p: Point) -> Scalar:
    psi, bent, share = _turning(p)
    size = (1 + p.e) / psi
    return psi * (1 - p.e) + size * bent - psi * (1 + p.e) * ((1 - p.e) / (1 + p.e) - share)


AT_MOST_THREE = (
    steps.identity(
        "turn-of-balance",
        "with t = tanh(x/2), e = e^{-y}, K = (1-q^2) A', psi = (1+K)/(1+A') and S = (1+e)/psi: psi (1-e) + S "
        "psi' is psi (1+e) ((1-e)/(1+e) - q^3 rho t), rho = A'/((1+A') (1+K)^2)",
        {"a": (1e-3, 1e3), "e": (1e-3, 1e3), "t": (-1.0, 1.0), "q": (0.0, 1.0)},
        lambda p, xp: _turn(p),
    ),
    steps.inequality(
        "ratio-falls",
        "(1+K)^3 - t^2/(1+K) - (1-t^2) - 4 t^2 K/(1+K) is linear in t^2: K (3 + 3K + K^2) at t = 0, and K^2 (6 + "
        "4K + K^2)/(1+K) at t = 1, whatever the size of K",
        {"k": (0.0, 1e3)},
        lambda p, xp: p.k * (3 + 3 * p.k + p.k**2),
        lambda p, xp: p.k**2 * (6 + 4 * p.k + p.k**2),
    ),
)
AT_MOST_THREE_WORDS = (
    "g has at most three zeros: dg/dS has the sign of -G, G = S psi - 1 - e^{-y}, negative for S -> 0, and at a zero of G its "
    "slope has the sign of tanh(y/2) - q^3 rho t. x and y fall with S and y < x, q^3 rho < 1: for y <= 0 that is negative. For "
    "y > 0 let R = tanh(y/2)/(rho t): (1+A') d ln R/dS = -(1+K)/sinh y + q/sinh x + q t (2K/(1+K) - 1/(1+A')), which is "
    "negative where R = q^3, as tanh(y/2) <= t/(1+K)^2 there and so (1+K)/sinh y >= ((1+K)^3 - t^2/(1+K))/(2t) (step). So the "
    "slope turns from + to - once, and G crosses 0 at most once upwards and then once downwards"
)


def _rise(p: Point) -> Scalar:
    """-<(0, r), (q A'/(1+A'), -1)> in the metric of the pulls, less r (1 + (1-q^2) A')/(1+A')."""
    first = p.q * p.a / (1 + p.a)
    return -(p.q * p.r * first - p.r) - p.r * (1 + (1 - p.q**2) * p.a) / (1 + p.a)


register(
    Claim(
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
            proof=(
                *REACHES,
                *AT_MOST_THREE,
                steps.identity(
                    "loss-along-curve",
                    "where s_1' = 0 and s_2 = -S moves at r = s_2': (1+eps^2) dL/dS = r (1 + (1-q^2) A')/(1+A'), "
                    "with the metric of |w|^2 in the pulls",
                    {"a": (0.0, 1e3), "r": (-1e3, 1e3), "q": (0.0, 1.0)},
                    lambda p, xp: _rise(p),
                ),
            ),
            proof_words=f"{AT_MOST_THREE_WORDS}: so a saddle, where g falls, is the second zero, and the flow ends at the first "
            "(beyond-8.5.flow). Along s_1 = beta l(x), s_2 = -S the loss changes with the sign of s_2' = S - gamma l(y), that of "
            "g(S), which is positive between the first and the second",
            note="Next to the fold, where they meet, the difference is too small to be looked at.",
        ),
    )
)
