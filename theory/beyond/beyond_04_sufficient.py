r"""Beyond the paper: from phi^2/(q (1 + 2 phi)) on, no stationary point of descent-ascent has a larger x than the original.

The two margins meet only below that alpha, and every stationary point can be carried, its alpha rising all the way, to one with
x_DA <= 0: hold its forget pull and let beta fall. So nothing is asked of alpha <= 1 or of minimum and saddle.
"""

from __future__ import annotations

from ascentfail.claims.claim import Axis, Claim, Domain, Kind, Point
from ascentfail.claims.registry import register
from ascentfail.numerics.arithmetic import Arithmetic, Scalar
from ascentfail.plane import bounds as plane_bounds
from ascentfail.theory.domains import PLANE_STATIONARY, at_stationary, plane_margins
from ascentfail.theory.proof_steps import steps


def _forget_pulls(p: Point) -> tuple[Scalar, Scalar]:
    """(V, B) of the original and of descent-ascent where x_DA = x_D, given U and E = e^{y_D - y_DA}."""
    v = p.phi**2 * p.u / (p.q * (p.phi + (1 + p.phi) * p.e))
    return v, (1 + p.phi) * p.e * v / p.phi


_FORGET_RATIO = steps.identity(
    "forget-ratio",
    "V = alpha beta e^{-y_D}/(1+phi) and B = (alpha/phi) beta e^{-y_DA} give phi B = (1+phi) e^{y_D - y_DA} V",
    {
        "alpha": (1e-3, 1e3),
        "beta": (1e-3, 1e3),
        "phi": (1e-3, 1e3),
        "y": (-30.0, 30.0),
        "z": (-30.0, 30.0),
    },
    lambda p, xp: (
        p.phi * (p.alpha / p.phi * p.beta * xp.exp(-p.z))
        - (1 + p.phi) * xp.exp(p.y - p.z) * (p.alpha * p.beta / (1 + p.phi) * xp.exp(-p.y))
    ),
)
_CROSSING = steps.identity(
    "crossing",
    "that and q (V + B) = phi U have the solution V = phi^2 U/(q (phi + (1+phi) E)), and no other",
    {"u": (1e-3, 30.0), "phi": (1e-3, 1e3), "q": (1e-3, 1.0), "e": (1.0, 1e3)},
    lambda p, xp: p.q * sum(_forget_pulls(p)) - p.phi * p.u,
)
_GAP_OF_EXPONENTIALS = steps.identity(
    "gap-of-exponentials",
    "phi + (1+phi) e^{2s} - (1+2phi) e^s = (e^s - 1)((1+phi) e^s - phi), here over e^{2s}",
    {"s": (0.0, 300.0), "phi": (0.0, 1e3)},
    lambda p, xp: (
        p.phi * xp.exp(-2 * p.s)
        + 1
        + p.phi
        - (1 + 2 * p.phi) * xp.exp(-p.s)
        - (1 - xp.exp(-p.s)) * (1 + p.phi - p.phi * xp.exp(-p.s))
    ),
)
_GAP_IS_POSITIVE = steps.inequality(
    "gap-is-positive",
    "both factors are >= 0 for s >= 0, so phi + (1+phi) e^{2s} >= (1+2phi) e^s",
    {"s": (0.0, 300.0), "phi": (0.0, 1e3)},
    lambda p, xp: xp.exp(p.s) - 1,
    lambda p, xp: (1 + p.phi) * (xp.exp(p.s) - 1) + 1,
)


def _x_gap(p: Point, xp: Arithmetic) -> Scalar:
    exact, x, _ = at_stationary(p, xp)
    return plane_margins(exact, "original", xp)[0] - x


register(
    Claim(
        id="beyond-4.sufficient",
        statement="alpha >= phi^2/(q (1 + 2 phi)) gives x_DA <= x_D at every stationary point, also for alpha > 1.",
        source="ours",
        kind=Kind.ORDERING,
        domain=Domain(
            (Axis("epsilon", 0.05, 1.0), *PLANE_STATIONARY.axes[1:]),
            PLANE_STATIONARY.chart,
            lambda p, xp: (p.alpha - plane_bounds.sufficient_alpha(p),),
            "every stationary point with forget pull B in [1e-3, 100] and alpha from the bound on; epsilon in [0.05, 1]",
        ),
        margin=_x_gap,
        proof=(
            steps.X_GAP_AND_Y_GAP,
            _FORGET_RATIO,
            _CROSSING,
            steps.ALPHA_OF_PULLS,
            _GAP_OF_EXPONENTIALS,
            _GAP_IS_POSITIVE,
            steps.EXPONENTIAL_ABOVE,
            steps.RETAIN_PULL_LAGS,
        ),
        proof_words="where x_DA = x_D, A = (1+phi) U, so q (V+B) = phi U and ln E = y_D - y_DA = (1-q^2)(V+B) >= 0; then "
        "alpha q (phi + (1+phi) E) = phi^2 e^s with s = (1-q)(V-U). If s <= 0, E >= 1 >= "
        "e^s; if s > 0, E >= e^{2s}, since phi B = "
        "(1+phi) E V makes B >= V and (1+q)(V+B) >= 2V; both ways alpha q (1+2phi) <= phi^2. Now hold q, phi and B and let beta "
        "fall: alpha rises strictly, so beyond a start with alpha >= the bound the margins do not meet; and once beta <= q B, "
        "x_DA <= 0 < x_D, since x_DA > 0 would mean A = beta e^{-x_DA} < q B < A. So x_DA < x_D on the way, and <= at the "
        "start",
    )
)
