r"""Beyond the paper: what the first step is. At a stationary point of L_D the forget gradient is the retain gradient reversed.

With |D| grad L_D = 0, grad f = -(|R|/|F|) grad r - (|D|/|F|) lam w for any differentiable loss and any data. Hence
-grad L_DA(w_D) = -(|D|/|F|) G_R - lam w with G_R = grad r + lam w: descent on the oracle's own objective, and a shrinkage that
comes from the ridge.
"""

from __future__ import annotations

from ascentfail.claims.claim import Axis, Claim, Domain, Kind, Point
from ascentfail.claims.registry import register
from ascentfail.line import steps as steps_1d
from ascentfail.numerics.arithmetic import Arithmetic, Scalar
from ascentfail.plane import equations as plane_equations
from ascentfail.theory.proof_steps.charts import BY_MARGINS, beyond_one

_GRADIENTS = Domain(
    (
        Axis("r", -1e3, 1e3),
        Axis("w", -1e2, 1e2),
        Axis("lam", 1e-3, 1e3, "log"),
        Axis("phi", 1e-2, 1e2, "log"),
    ),
    words="any gradient of the retain mean (component r) and any weight (component w), lam in [1e-3, 1e3], phi = |F|/|R| in "
    "[0.01, 100]",
)


def _forget(p: Point) -> Scalar:
    """The forget mean's gradient at a stationary point of L_D: |R| r + |F| f + |D| lam w = 0."""
    return -(p.r + (1 + p.phi) * p.lam * p.w) / p.phi


register(
    Claim(
        id="beyond-1.identity",
        statement="At a stationary point of L_D, -grad L_DA(w_D) = -(|D|/|F|) G_R(w_D) - "
        "lam w_D, for any differentiable loss and "
        "data.",
        source="ours",
        kind=Kind.EQUALITY,
        domain=_GRADIENTS,
        margin=lambda p, xp: (
            -(p.r - _forget(p) + p.lam * p.w)
            + (1 + p.phi) / p.phi * (p.r + p.lam * p.w)
            + p.lam * p.w
        ),
        note="Component by component; the tests take gradients of a network and of both "
        "linear losses by automatic differentiation.",
    )
)

register(
    Claim(
        id="beyond-1.ascended-ridge",
        statement="With the ridge treated alike in both terms, -(grad r - grad f) = -(|D|/|F|) G_R(w_D): the shrinkage is gone.",
        source="ours",
        kind=Kind.EQUALITY,
        domain=_GRADIENTS,
        margin=lambda p, xp: -(p.r - _forget(p)) + (1 + p.phi) / p.phi * (p.r + p.lam * p.w),
    )
)

register(
    Claim(
        id="beyond-1.ascent",
        statement="Pure ascent on the ridged forget loss: +grad (f + lam/2 |w|^2)(w_D) = -(|R|/|F|) G_R(w_D).",
        source="ours",
        kind=Kind.EQUALITY,
        domain=_GRADIENTS,
        margin=lambda p, xp: _forget(p) + p.lam * p.w + (p.r + p.lam * p.w) / p.phi,
    )
)


def _approach(p: Point, xp: Arithmetic) -> Scalar:
    """<G_R(w_D), w_D - w_R>/lam - |w_D - w_R|^2, which strong convexity of L_R makes >= 0, from the weights in the plane."""
    w, w_oracle = (
        plane_equations.weights(p.u, p.v, p.epsilon),
        plane_equations.weights(p.big_x, 0, p.epsilon),
    )
    pull = p.b * steps_1d.slope(plane_equations.margins(p.u, p.v, p.q)[0], p.loss, xp)
    gradient = (w[0] - pull, w[1] - p.epsilon * pull)
    apart = (w[0] - w_oracle[0], w[1] - w_oracle[1])
    return gradient[0] * apart[0] + gradient[1] * apart[1] - apart[0] ** 2 - apart[1] ** 2


HELPS = register(
    Claim(
        id="beyond-1.first-step-helps",
        statement="With the ridge treated alike, a small enough first step strictly reduces |w - w_R| unless w_D = w_R: "
        "<G_R(w_D), w_D - w_R> >= lam |w_D - w_R|^2.",
        source="ours",
        kind=Kind.ORDERING,
        domain=BY_MARGINS,
        margin=_approach,
        factors=(
            lambda p, xp: p.b * steps_1d.slope(p.big_x, p.loss, xp),
            lambda p, xp: p.lag * beyond_one(p.lag, p.big_x - p.lag, p.loss, xp),
        ),
        note="The margin is b (l(x_D) - l(X))(X - x_D): the retain mean's gradient is monotone along (1, eps).",
    )
)
