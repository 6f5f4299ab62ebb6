"""In the plane: does the first step lead away from the oracle, and does descent-ascent end farther off than it began?"""

from __future__ import annotations

from typing import Any

from ascentfail.line import steps as steps_1d
from ascentfail.numerics.arithmetic import Arithmetic, Scalar
from ascentfail.plane import equations as plane_equations
from ascentfail.plane import stationary_points as stationary


def first_step_in_plane(p: Any, xp: Arithmetic) -> Scalar:
    """<-grad L_DA(w_D), w_D - w_R>/lam from the gradient in weight coordinates, sample by sample."""
    s1, s2 = stationary.plane(p, "original", loss=p.loss, xp=xp)
    x, y = plane_equations.margins(s1, s2, plane_equations.cosine(p))
    w = plane_equations.weights(s1, s2, p.epsilon)
    w_oracle = plane_equations.weights(
        plane_equations.oracle(p, loss=p.loss, xp=xp)[0], 0, p.epsilon
    )
    retain, forget = (
        p.b * steps_1d.slope(x, p.loss, xp),
        p.b * p.alpha / p.phi * steps_1d.slope(y, p.loss, xp),
    )
    step = (retain - p.epsilon * forget - w[0], p.epsilon * retain - forget - w[1])
    return step[0] * (w[0] - w_oracle[0]) + step[1] * (w[1] - w_oracle[1])


def first_step_criterion(p: Any, xp: Arithmetic) -> Scalar:
    """Product phi U (x_D - x_R) - (1 + 2 phi) V (y_D - y_R)/phi, over 1 + eps^2: the same product in closed form."""
    s1, s2 = stationary.plane(p, "original", loss=p.loss, xp=xp)
    x, y = plane_equations.margins(s1, s2, plane_equations.cosine(p))
    x_oracle, y_oracle = plane_equations.oracle(p, loss=p.loss, xp=xp)
    away = p.phi * s1 * (x - x_oracle) - (1 + 2 * p.phi) / p.phi * s2 * (y - y_oracle)
    return away / (1 + p.epsilon * p.epsilon)


def extra_squared_distance(p: Any, xp: Arithmetic) -> Scalar:
    """(1 + eps^2)(|w_DA - w_R|^2 - |w_D - w_R|^2), at the minimum of descent-ascent."""
    unlearned, original = (
        stationary.plane(p, which, loss=p.loss, xp=xp) for which in ("descent_ascent", "original")
    )
    squared = plane_equations.squared_distance_to_oracle
    return squared(*unlearned, p, loss=p.loss, xp=xp) - squared(*original, p, loss=p.loss, xp=xp)
