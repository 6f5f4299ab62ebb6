r"""Does a change of the ridge move minimisers only towards or away from the origin?

Where the gradient of data and ridge penalty vanishes, d theta/d ridge is a negative multiple of H^{-1} theta: it points to the
origin exactly where theta is an eigenvector of the Hessian. Along one coordinate, or where one pull acts alone, it is.
"""

from __future__ import annotations

from typing import Any

import mpmath

from ascentfail import closed_form, stationary, toy
from ascentfail.arithmetic import MPMATH, Arithmetic, Scalar
from ascentfail.losses import MODELS, Model
from ascentfail.theory.claim import Axis, Cases, Claim, Domain, Kind, Level, Point, by_cases
from ascentfail.theory.domains import EPSILON, B
from ascentfail.theory.readings import LITERAL, NAMED, Reading, exact_minima, landscape_of
from ascentfail.theory.registry import register
from ascentfail.toy_points import concrete

_DIGITS = 30  # for the list; the second look takes more


def _plane(point: Reading, which: Model) -> tuple[Any, ...]:
    """Weights and Hessian over the ridge: I + (s_1 r r^T + s_2 f f^T)/(1 + eps^2), r = (1, eps), f = (eps, 1)."""
    p = Point(**{name: mpmath.mpf(point[name]) for name in ("epsilon", "alpha", "phi", "b")})
    s1, s2 = stationary.plane(p, which, xp=MPMATH)
    size, eps = 1 + p.epsilon**2, p.epsilon
    hessian = (1 + (s1 + s2 * eps**2) / size, eps * (s1 + s2) / size, 1 + (s1 * eps**2 + s2) / size)
    return closed_form.plane_weights(s1, s2, eps), hessian


def _sideways(theta: Any, hessian: Any) -> Any:
    """|sin| of the angle between theta and its motion H^{-1} theta."""
    aa, ab, bb = hessian
    move = (bb * theta[0] - ab * theta[1], aa * theta[1] - ab * theta[0])  # times the determinant
    across = theta[0] * move[1] - theta[1] * move[0]
    return abs(across) / mpmath.sqrt((theta[0] ** 2 + theta[1] ** 2) * (move[0] ** 2 + move[1] ** 2))


def _exact(point: Reading, digits: int) -> Any:
    with mpmath.workdps(digits):
        which: Model = MODELS[int(point["model"])]
        if "alpha" in point:
            return -_sideways(*_plane(point, which))
        p = concrete(landscape_of(point), which)
        theta = exact_minima(p, digits)[0][0]
        return -_sideways(theta, toy.expansion(p, theta, xp=MPMATH)[2])


def _margin(point: Reading, level: Level) -> tuple[float, float]:
    value = float(_exact(point, _DIGITS))
    return value, value


_PLANES: tuple[Reading, ...] = (
    {"epsilon": 0.5, "alpha": 0.5, "phi": 1.0, "b": 1.0}, {"epsilon": 0.5, "alpha": 0.2, "phi": 1.0, "b": 10.0},
)
_POINTS = tuple({**where, "model": float(m)} for where in (LITERAL, NAMED, *_PLANES) for m in range(3))
_CASES = Cases(_POINTS, _margin, _exact, "every")


def _turned(p: Point, xp: Arithmetic) -> Scalar:
    """Cross product of the oracle's weights at two ridges, from its margins (x, q x)."""
    one, other = (closed_form.plane_oracle(Point(b=b, epsilon=p.epsilon), xp=xp) for b in (p.b, p.b * p.factor))
    return one[0] * other[1] - one[1] * other[0]


register(Claim(
    id="ridge-radial",
    statement="Changing the ridge moves minimisers (of the linear problems and of the toy) only towards or away from the origin.",
    source="Sec. 5.2",
    kind=Kind.ORDERING,
    domain=_CASES.domain("the global minimum of each toy loss in two readings, and the minimum of each loss in the plane, twice"),
    margin=by_cases,
    cases=_CASES,
    note="The margin is minus |sin| of the angle between the minimiser and its derivative in the ridge.",
    repaired=Claim(
        id="ridge-radial.repaired",
        statement="It does for the oracle in the plane, whose weights W(beta)(1, eps)/(1 + eps^2) keep their direction.",
        source="ours",
        kind=Kind.EQUALITY,
        domain=Domain((EPSILON, B, Axis("factor", 0.1, 10.0, "log")),
                      words="epsilon in [0.05, 0.95], b in [0.01, 1e4], and the ridge changed by a factor of 0.1 to 10"),
        margin=_turned,
    ),
))
