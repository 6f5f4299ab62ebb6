"""The printed window of alpha in the plane, between the bounds of Lemmas 9 and 10."""

from __future__ import annotations

from typing import Any

from ascentfail.numerics.arithmetic import Arithmetic, Scalar
from ascentfail.plane import bounds as plane_bounds


def lower_edge(p: Any, xp: Arithmetic) -> Scalar:
    """The larger of the two lower bounds of Lemma 9."""
    return xp.maximum(*plane_bounds.lower_alphas(p))


def upper_edge(p: Any, xp: Arithmetic) -> Scalar:
    """The smallest of the two upper bounds of Lemma 10 and alpha <= 1."""
    return xp.minimum(xp.minimum(*plane_bounds.upper_alphas(p, xp=xp)), xp.number(1))


def no_window(p: Any, xp: Arithmetic) -> Scalar:
    """Upper bound on the window over every epsilon: negative values leave none.

    The second upper bound is positive only for (1-q) X < ln(1+phi), and X >= W(b), so q >= q_0 = 1 - ln(1+phi)/W(b). There
    Z <= ln(1+phi)/q_0 and beta_D >= b/(1+phi). The lower bounds are at least phi^2/(1+2phi) and q_0 phi(1+phi)/(1+2phi).
    """
    reach = xp.log(1 + p.phi)
    q_0 = 1 - reach / xp.lambertw(p.b, 0)
    low = p.phi / (1 + 2 * p.phi)
    by_one = 1 - p.phi * low  # alpha <= 1, whatever b
    z = reach / xp.maximum(q_0, xp.number(1) / 10**6)
    by_bounds = z * xp.exp(z) * (1 + p.phi) / p.b - xp.maximum(p.phi, q_0 * (1 + p.phi)) * low
    # with q_0 <= 0 every q is possible and the second bound says nothing; a large z then makes it positive by itself
    return xp.minimum(by_one, by_bounds)
