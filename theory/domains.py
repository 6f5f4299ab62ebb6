r"""The boxes that several claims share, and the side conditions with a name.

The reference box is b in [1e-2, 1e4], phi in [1e-2, 3], alpha/phi in [1e-2, 2] (log axes) and epsilon in [0.05, 0.95].
"""

from __future__ import annotations

from ascentfail import stationary
from ascentfail.claims.claim import Axis, Domain, Point
from ascentfail.line import closed_form
from ascentfail.numerics.arithmetic import Arithmetic, Scalar
from ascentfail.plane import equations as plane_equations

PHI = Axis("phi", 1e-2, 3.0, "log")
B = Axis("b", 1e-2, 1e4, "log")
RATIO = Axis("ratio", 1e-2, 2.0, "log")  # alpha / phi
EPSILON = Axis("epsilon", 0.05, 0.95)
ALPHA = Axis("alpha", 1e-3, 10.0, "log")
STEP = Axis("step", 1e-6, 1e3, "log")  # step size times ridge, eta lam
ASCENT_PULL = Axis("ascent_pull", 1e-3, 1e2, "log")  # B = -s_2 of a descent-ascent stationary point


def alpha_from_ratio(p: Point, xp: Arithmetic) -> Point:
    """Chart alpha = ratio * phi; the other coordinates pass through."""
    values = p.values()
    return Point(loss=p.loss, alpha=values.pop("ratio") * p.phi, **values)


def exists_on_axis(p: Point, xp: Arithmetic) -> Scalar:
    """>= 0 where descent-ascent has a solution on one coordinate, c_DA >= -1/e."""
    return 1 + xp.exp(xp.number(1)) * closed_form.coefficient(p, "descent_ascent")


def exists_in_plane(p: Point, xp: Arithmetic) -> Scalar:
    """>= 0 where descent-ascent has a minimum in the plane (at 0 it has just merged with the saddle)."""
    return stationary.log_existence_alpha(p, xp=xp) - xp.log(p.alpha)


LINE = Domain(
    (PHI, B, RATIO),
    alpha_from_ratio,
    words="phi in [0.01, 3], b in [0.01, 1e4], alpha/phi in [0.01, 2]",
)
LINE_WITH_DA = Domain(
    (PHI, B, RATIO),
    alpha_from_ratio,
    lambda p, xp: (exists_on_axis(p, xp),),
    "phi in [0.01, 3], b in [0.01, 1e4], alpha/phi in [0.01, 2], c_DA >= -1/e",
)
PLANE = Domain(
    (EPSILON, PHI, B, RATIO),
    alpha_from_ratio,
    words="epsilon in [0.05, 0.95], phi in [0.01, 3], b in [0.01, 1e4], alpha/phi in [0.01, 2]",
)
PLANE_WITH_DA = Domain(
    (EPSILON, PHI, B, RATIO),
    alpha_from_ratio,
    lambda p, xp: (exists_in_plane(p, xp),),
    "epsilon in [0.05, 0.95], phi in [0.01, 3], b in [0.01, 1e4], alpha/phi in [0.01, 2], a minimum exists",
)


def _alpha_from_ascent_pull(p: Point, xp: Arithmetic) -> Point:
    return p.replace(alpha=plane_equations.alpha_of_descent_ascent(p.ascent_pull, p, xp=xp))


# Every stationary point of descent-ascent, minimum or saddle, is one value of its forget pull: nothing is implicit.
PLANE_STATIONARY = Domain(
    (EPSILON, PHI, B, ASCENT_PULL),
    _alpha_from_ascent_pull,
    words="every descent-ascent stationary point with forget pull B in [1e-3, 100], "
    "epsilon in [0.05, 0.95], phi in [0.01, 3], b in [0.01, 1e4]",
)


def at_stationary(p: Point, xp: Arithmetic) -> tuple[Point, Scalar, Scalar]:
    """At a point of `PLANE_STATIONARY`: the point with its exact alpha, and the margins (x_DA, y_DA)."""
    q, beta = plane_equations.cosine(p), plane_equations.retain_strength(p, "descent_ascent")
    a = plane_equations.retain_pull(-p.ascent_pull, beta, q, xp=xp)
    exact = p.replace(alpha=plane_equations.alpha_of_descent_ascent(p.ascent_pull, p, xp=xp))
    return exact, *plane_equations.margins(a, -p.ascent_pull, q)


def plane_margins(p: Point, which: closed_form.Model, xp: Arithmetic) -> tuple[Scalar, Scalar]:
    """Margins (x, y) of a model in the plane."""
    return plane_equations.margins(*stationary.plane(p, which, xp=xp), plane_equations.cosine(p))
