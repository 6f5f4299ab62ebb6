r"""Charts that list problems by their solutions, so that no margin needs a solver: W is written as c = w / l(w), read backwards.

One coordinate is listed by the oracle's weight and the ratio of the original's to it. The plane is listed by the oracle's retain
margin X and the part of it by which the original's falls short: x_D = X (1 - short), hence U = beta_D l(x_D), and V from x_D =
U + q V. Every problem of the domain has one such point, and the side conditions leave out the points of no problem of it.
"""

from __future__ import annotations

from ascentfail.claims.claim import Axis, Domain, Point
from ascentfail.line import steps as steps_1d
from ascentfail.numerics.arithmetic import Arithmetic, Scalar
from ascentfail.numerics.sample_losses import Loss
from ascentfail.plane import equations as plane_equations
from ascentfail.theory.domains import PHI

_RANGES = "phi in [0.01, 3], b in [0.01, 1e4], alpha/phi in [0.01, 2]"


def beyond_one(gap: Scalar, start: Scalar, loss: Loss, xp: Arithmetic) -> Scalar:
    """l(start)/l(start + gap) - 1 without cancellation: e^gap - 1, or l(-start) of it under the logistic loss."""
    return loss.growth(start, xp.exp(gap) - 1, xp)


def by_weights(p: Point, xp: Arithmetic) -> Point:
    """Chart: w_D = growth w_R, and the b and alpha for which they are the weights, under the loss of the point.

    Without cancellation: `more` = c_D/c_R - 1 = (alpha - phi)/(1 + phi), `above` = (alpha (1 + 2 phi) - phi^2)/(1 + phi).
    """
    gap = p.oracle * (p.growth - 1)
    share = beyond_one(gap, p.oracle, p.loss, xp)
    more = (p.growth - 1) * (1 + share) + share
    b = p.oracle / steps_1d.slope(p.oracle, p.loss, xp)
    above = p.phi + (1 + 2 * p.phi) * more
    return p.replace(
        original=p.growth * p.oracle,
        gap=gap,
        more=more,
        above=above,
        b=b,
        alpha=p.phi + (1 + p.phi) * more,
    )


def in_ranges(p: Point, xp: Arithmetic) -> tuple[Scalar, ...]:
    """Side conditions: b in [0.01, 1e4] and alpha/phi in [0.01, 2]."""
    return 100 * p.b - 1, 10**4 - p.b, 100 * p.alpha - p.phi, 2 * p.phi - p.alpha


BY_WEIGHTS = Domain(
    (PHI, Axis("oracle", 4e-3, 7.5, "log"), Axis("growth", 0.25, 1.75)),
    by_weights,
    in_ranges,
    _RANGES,
)


def by_cosine(p: Point, xp: Arithmetic) -> Point:
    """The point with epsilon = q/(1 + sqrt(1 - q^2)), so that 1 - q^2 is as narrow as the box."""
    return p.replace(epsilon=p.q / (1 + xp.sqrt(1 - p.q * p.q)))


COSINE = Axis(
    "q", 0.09, 0.999
)  # wider than that of epsilon in [0.05, 0.95], which `epsilon_in_range` cuts out


def epsilon_in_range(p: Point) -> tuple[Scalar, ...]:
    """Side conditions: epsilon in [0.05, 0.95]."""
    return 20 * p.epsilon - 1, 19 - 20 * p.epsilon


def by_margins(p: Point, xp: Arithmetic) -> Point:
    """Chart: X and x_D = X (1 - short) under the loss of the point, with the pulls (U, V) and the alpha they belong to."""
    size, lag = p.big_x / steps_1d.slope(p.big_x, p.loss, xp), p.short * p.big_x
    x = p.big_x - lag
    u = size / (1 + p.phi) * steps_1d.slope(x, p.loss, xp)
    v = (x - u) / p.q
    y = plane_equations.margins(u, v, p.q)[1]
    alpha = v * (1 + p.phi) / (size * steps_1d.slope(y, p.loss, xp))
    return p.replace(lag=lag, u=u, v=v, b=size / (1 + p.epsilon * p.epsilon), alpha=alpha)


BY_MARGINS = Domain(
    (Axis("epsilon", 0.05, 0.95), PHI, Axis("big_x", 4e-3, 8.0, "log"), Axis("short", -1.0, 1.0)),
    lambda p, xp: by_margins(p.replace(q=plane_equations.cosine(p)), xp),
    in_ranges,
    f"epsilon in [0.05, 0.95], {_RANGES}",
)
