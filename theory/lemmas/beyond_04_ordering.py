r"""Beyond the paper: the exact ordering in the plane.

Along the curve V -> (U(V), V) of originals both margins increase with V, hence with alpha, so each order turns at one alpha.
"""

from __future__ import annotations

from ascentfail import plane_bounds, plane_equations
from ascentfail.arithmetic import Arithmetic, Scalar
from ascentfail.theory import steps
from ascentfail.theory.claim import Claim, Domain, Kind, Point
from ascentfail.theory.domains import (
    ALPHA,
    EPSILON,
    PHI,
    PLANE_WITH_DA,
    B,
    exists_in_plane,
    plane_margins,
)
from ascentfail.theory.registry import register

_PLANE = Domain(
    (EPSILON, PHI, B, ALPHA),
    words="alpha in [1e-3, 10], epsilon in [0.05, 0.95], phi in [0.01, 3], b in [0.01, 1e4]",
)


_ALONG = (steps.ALONG_ORIGINALS, steps.SLOPES_ALONG)
_AT = {"big_x": (1e-3, 30.0), "phi": (1e-3, 1e3), "q": (1e-3, 1.0)}


def _at_first(p: Point) -> tuple[Scalar, Scalar]:
    """(U, V) of the original with x_D = X."""
    return p.big_x / (1 + p.phi), p.phi * p.big_x / (p.q * (1 + p.phi))


_FIRST_THRESHOLD = steps.identity(
    "first-threshold", "ln V + y - ln beta_D at U = X/(1+phi), V = phi X/(q(1+phi)), beta = X e^X is the logarithm of "
    "the threshold", _AT,
    lambda p, xp: xp.log(_at_first(p)[1]) + plane_equations.margins(*_at_first(p), p.q)[1]
    - (xp.log(p.big_x) + p.big_x - xp.log(1 + p.phi))
    - (xp.log(p.phi) - xp.log(p.q) - p.big_x * (1 - p.q) * (p.q - p.phi) / (p.q * (1 + p.phi))),
)
_SECOND_THRESHOLD = steps.identity(
    "second-threshold", "at V = q (X - U), y = q U + V = q X and x = U + q V = q^2 X + (1 - q^2) U",
    {"big_x": (1e-3, 30.0), "s1": (0.0, 30.0), "q": (1e-3, 1.0)},
    lambda p, xp: (plane_equations.margins(p.s1, p.q * (p.big_x - p.s1), p.q)[1] - p.q * p.big_x) ** 2
    + (plane_equations.margins(p.s1, p.q * (p.big_x - p.s1), p.q)[0] - p.q**2 * p.big_x - (1 - p.q**2) * p.s1) ** 2,
)
_GAP_AT_FIRST = steps.identity(
    "gap-at-first", "y - q X = phi X (1 - q^2)/(q (1+phi)) where x_D = X", _AT,
    lambda p, xp: plane_equations.margins(*_at_first(p), p.q)[1] - p.q * p.big_x
    - p.phi * p.big_x * (1 - p.q**2) / (p.q * (1 + p.phi)),
)


def _turns(which: int, p: Point, xp: Arithmetic) -> Scalar:
    """(alpha* - alpha)(m_R - m_D) for the margin x (which = 0) or y (which = 1)."""
    threshold = plane_bounds.ordering_alphas(p, xp=xp)[which]
    gap = plane_equations.oracle(p, xp=xp)[which] - plane_margins(p, "original", xp)[which]
    return (threshold - p.alpha) * gap


register(Claim(
    id="beyond-4.x-threshold",
    statement="x_R >= x_D iff alpha <= (phi/q) exp(-X (1-q)(q-phi)/(q (1+phi))).",
    source="ours",
    kind=Kind.ORDERING,
    domain=_PLANE,
    margin=lambda p, xp: _turns(0, p, xp),
    proof=(*_ALONG, _FIRST_THRESHOLD),
    proof_words="x_D and alpha increase together along V, and x_D = X at U = X/(1+phi), V = phi X/(q (1+phi)), where "
        "alpha is the threshold",
))
register(Claim(
    id="beyond-4.y-threshold",
    statement="y_R >= y_D iff alpha <= q (X-U) e^{qX}/beta_D with U = W((1-q^2) beta_D e^{-q^2 X})/(1-q^2).",
    source="ours",
    kind=Kind.ORDERING,
    domain=_PLANE,
    margin=lambda p, xp: _turns(1, p, xp),
    proof=(*_ALONG, _SECOND_THRESHOLD),
    proof_words="y_D and alpha increase together along V, and y_D = q X at V = q (X - U) with U e^{(1-q^2) U} = beta_D "
        "e^{-q^2 X}",
))


def _second_below_first(p: Point, xp: Arithmetic) -> Scalar:
    first, second = plane_bounds.ordering_alphas(p, xp=xp)
    return xp.log(first) - xp.log(second)


register(Claim(
    id="beyond-4.second-implies-first",
    statement="y_R >= y_D implies x_R >= x_D: the second threshold is at most the first.",
    source="ours",
    kind=Kind.BOUND,
    domain=Domain((EPSILON, PHI, B), words="epsilon in [0.05, 0.95], phi in [0.01, 3], b in [0.01, 1e4]"),
    margin=_second_below_first,
    proof=(*_ALONG, _GAP_AT_FIRST),
    proof_words="at the first threshold y_D - q X = phi X (1 - q^2)/(q (1+phi)) >= 0, and y_D increases with alpha",
))


def _gaps(p: Point, xp: Arithmetic) -> tuple[Scalar, Scalar]:
    """(x_D - x_DA, y_D - y_DA) at the minimum of descent-ascent."""
    x, y = plane_margins(p, "original", xp)
    x_unlearned, y_unlearned = plane_margins(p, "descent_ascent", xp)
    return x - x_unlearned, y - y_unlearned


register(Claim(
    id="beyond-4.x-implies-y",
    statement="x_DA <= x_D implies y_DA <= y_D.",
    source="ours",
    kind=Kind.ORDERING,
    domain=Domain(
        PLANE_WITH_DA.axes,
        PLANE_WITH_DA.chart,
        lambda p, xp: (exists_in_plane(p, xp), _gaps(p, xp)[0]),
        "where a minimum exists and x_DA <= x_D; " + PLANE_WITH_DA.words,
    ),
    margin=lambda p, xp: _gaps(p, xp)[1],
    proof=(steps.X_GAP_AND_Y_GAP,),
    proof_words="y_D - y_DA = q (x_D - x_DA) + (1 - q^2)(V + B), and V, B >= 0",
))
