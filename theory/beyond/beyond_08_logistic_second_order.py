r"""Beyond the paper: the alternating map past the leading order under the logistic loss.

What the second order leaves is known exactly, as with the exponential loss; besides, it is bounded by a constant times t^2, t the
descent half-step, however large that is: the slope l = 1/(1 + e^w) bends by at most 1/(6 sqrt 3).
"""

from __future__ import annotations

from ascentfail.claims.claim import Claim, Kind, Point
from ascentfail.claims.registry import register
from ascentfail.line import steps as steps_1d
from ascentfail.numerics.arithmetic import Arithmetic, Scalar
from ascentfail.numerics.sample_losses import LOGISTIC
from ascentfail.theory.beyond.beyond_07_alternating import SECOND_ORDER, after_second_order, drift
from ascentfail.theory.proof_steps import steps


def _after(p: Point, xp: Arithmetic) -> Scalar:
    return after_second_order(p.replace(loss=LOGISTIC), xp)


def _secant(p: Point, xp: Arithmetic) -> Scalar:
    """What the second order leaves: -eta kappa (l(w - t) - l(w) - t l (1-l)), in l and t alone."""
    slope, t = steps_1d.slope(p.w, LOGISTIC, xp), drift(p.replace(loss=LOGISTIC), xp)
    growth = xp.exp(t) - 1
    return -p.eta * p.kappa * slope * (1 - slope) * (growth / (1 + slope * growth) - t)


register(
    Claim(
        id="beyond-8.7.second-order",
        statement="With the logistic loss alternating - simultaneous with ridge 2 lam = "
        "eta^2 (lam - kappa l (1-l))(lam w - rho l) - "
        "eta kappa l (1-l) ((e^t - 1)/(1 + l (e^t - 1)) - t), l = 1/(1 + e^w) and t = eta (lam w - rho l).",
        source="ours: beyond-7.second-order with the logistic loss",
        kind=Kind.EQUALITY,
        domain=SECOND_ORDER.domain,
        margin=lambda p, xp: _after(p, xp) - _secant(p, xp),
        note="As an identity it needs no step: it is the secant of l at w - t and w.",
    )
)

register(
    Claim(
        id="beyond-8.7.remainder",
        statement="With the logistic loss the last term of that is at most eta kappa "
        "t^2/(12 sqrt 3), whatever the step: O(eta^3).",
        source="ours",
        kind=Kind.BOUND,
        domain=SECOND_ORDER.domain,
        margin=lambda p, xp: (
            p.eta
            * p.kappa
            * drift(p.replace(loss=LOGISTIC), xp) ** 2
            / (12 * xp.sqrt(xp.number(3)))
            - xp.abs(_after(p, xp))
        ),
        proof=(
            steps.identity(
                "logistic-second-slope",
                "l'' = l (1-l)(1-2l) is v (1-v^2)/4 with v = 1-2l, and 2/(3 sqrt 3) - v (1-v^2) = (r-1)^2 "
                "(r+2)/(3 sqrt 3) with v = r/sqrt 3: here times 3 sqrt 3",
                {"r": (0.0, 2.0)},
                lambda p, xp: 2 - p.r * (3 - p.r**2) - (p.r - 1) ** 2 * (p.r + 2),
            ),
        ),
        proof_words="Taylor: |l(w - t) - l(w) - t l (1-l)| <= t^2/2 max |l''|, and |l''| <= 1/(6 sqrt 3)",
        note="The exponential loss has no such constant: its slope grows as w falls.",
    )
)
