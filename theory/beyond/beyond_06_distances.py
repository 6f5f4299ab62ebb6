r"""Beyond the paper: distances in the plane.

(1 + eps^2)|w - w_R|^2 = (x - X)^2 + (1 - q^2) s_2^2. So where both margins of descent-ascent fall short of the original's and
those of the oracle's, its minimum is strictly farther from the oracle.
"""

from __future__ import annotations

from ascentfail import stationary
from ascentfail.claims.claim import Claim, Domain, Kind, Point
from ascentfail.claims.registry import register
from ascentfail.numerics.arithmetic import Arithmetic, Scalar
from ascentfail.plane import equations as plane_equations
from ascentfail.plane.comparisons import extra_squared_distance
from ascentfail.theory.domains import PLANE, PLANE_WITH_DA, exists_in_plane, plane_margins
from ascentfail.theory.proof_steps import steps


def _identity(p: Point, xp: Arithmetic) -> Scalar:
    s1, s2 = stationary.plane(p, "original", xp=xp)
    w = plane_equations.weights(s1, s2, p.epsilon)
    oracle = plane_equations.weights(plane_equations.oracle(p, xp=xp)[0], 0, p.epsilon)
    squared = (w[0] - oracle[0]) ** 2 + (w[1] - oracle[1]) ** 2
    return (1 + p.epsilon**2) * squared - plane_equations.squared_distance_to_oracle(
        s1, s2, p, xp=xp
    )


register(
    Claim(
        id="beyond-6.identity",
        statement="(1 + eps^2)|w - w_R|^2 = (x - X)^2 + (1 - q^2) s_2^2 for the original.",
        source="ours",
        kind=Kind.EQUALITY,
        domain=PLANE,
        margin=_identity,
        note="The identity is one of coordinates, stated at the original for want of a point; symbolically it holds anywhere.",
    )
)


def _ordered(p: Point, xp: Arithmetic) -> tuple[Scalar, ...]:
    x, y = plane_margins(p, "original", xp)
    x_oracle, y_oracle = plane_equations.oracle(p, xp=xp)
    x_unlearned, y_unlearned = plane_margins(p, "descent_ascent", xp)
    return exists_in_plane(p, xp), x - x_unlearned, x_oracle - x, y - y_unlearned, y_oracle - y


register(
    Claim(
        id="beyond-6.farther",
        statement="Where x_DA <= x_D <= x_R and y_DA <= y_D <= y_R, descent-ascent's "
        "minimum is strictly farther from the oracle.",
        source="ours",
        kind=Kind.ORDERING,
        domain=Domain(
            PLANE_WITH_DA.axes,
            PLANE_WITH_DA.chart,
            _ordered,
            "where a minimum exists and both orders hold; " + PLANE_WITH_DA.words,
        ),
        margin=extra_squared_distance,
        strict=True,
        proof=(
            steps.identity(
                "pull-ratio",
                "B/V = (1+phi)/phi e^{y_D - y_DA}, from B = (beta alpha/phi) e^{-y_DA} and V = alpha "
                "beta/(1+phi) e^{-y_D}",
                {
                    "beta": (1e-3, 1e3),
                    "alpha": (1e-3, 1e3),
                    "phi": (1e-3, 1e3),
                    "y": (-30.0, 30.0),
                    "z": (-30.0, 30.0),
                },
                lambda p, xp: (
                    p.beta * p.alpha / p.phi * xp.exp(-p.z)
                    - (1 + p.phi)
                    / p.phi
                    * xp.exp(p.y - p.z)
                    * (p.alpha * p.beta / (1 + p.phi) * xp.exp(-p.y))
                ),
            ),
            steps.EXPONENTIAL_ABOVE,
        ),
        proof_words="(x_DA - X)^2 >= (x_D - X)^2 since x_DA <= x_D <= X; y_DA <= y_D gives B >= (1+phi)/phi V > V; and 1 - "
        "q^2 > 0 for eps < 1",
    )
)
