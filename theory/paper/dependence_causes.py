r"""Is it the dependence that makes descent-ascent fail? The plane, with the correlation strength as the only thing that moves."""

from __future__ import annotations

from ascentfail import stationary
from ascentfail.claims.claim import Axis, Claim, Domain, Kind, Point
from ascentfail.claims.registry import register
from ascentfail.numerics.arithmetic import Arithmetic, Scalar
from ascentfail.plane import equations as plane_equations
from ascentfail.theory.domains import PHI, RATIO, B, alpha_from_ratio, exists_in_plane

_LESS, _MORE = Axis("less", 0.0, 1.0), Axis("more", 0.0, 1.0)


def _stronger(p: Point, xp: Arithmetic) -> Point:
    """Chart: the stronger correlation lies a part `more` of the way from `less` to 1."""
    return p.replace(stronger=p.less + p.more * (1 - p.less))


def _up_to_095(p: Point, xp: Arithmetic) -> Point:
    """Chart: as `_stronger`, towards 0.95."""
    return p.replace(stronger=p.less + p.more * (xp.number(19) / 20 - p.less))


def _at(p: Point, epsilon: Scalar) -> Point:
    return p.replace(epsilon=epsilon)


def _range(p: Point, epsilon: Scalar, xp: Arithmetic) -> Scalar:
    """Logarithm of the largest alpha with a stationary point."""
    return stationary.log_existence_alpha(_at(p, epsilon), xp=xp)


register(
    Claim(
        id="dependence-causes.exists",
        statement="For all b and phi: the larger eps, the smaller the range of alpha for which descent-ascent has a stationary "
        "point.",
        source="Sec. 5.1.2, in the reading that dependence causes the failure",
        kind=Kind.ORDERING,
        domain=Domain(
            (_LESS, _MORE, PHI, B),
            _stronger,
            words="0 <= eps < eps' <= 1, phi in [0.01, 3], b in [0.01, 1e4]",
        ),
        margin=lambda p, xp: _range(p, p.less, xp) - _range(p, p.stronger, xp),
        note="The margin is the difference of the logarithms of the exact thresholds of beyond-5.threshold.",
        repaired=Claim(
            id="dependence-causes.exists.repaired",
            statement="For b >= 1 and up to eps = 0.95 it is the other way: the larger eps, the larger that range.",
            source="ours",
            kind=Kind.ORDERING,
            domain=Domain(
                (Axis("less", 0.0, 0.95), _MORE, PHI, Axis("b", 1.0, 1e4, "log")),
                _up_to_095,
                words="0 <= eps < eps' <= 0.95, phi in [0.01, 3], b in [1, 1e4]",
            ),
            margin=lambda p, xp: _range(p, p.stronger, xp) - _range(p, p.less, xp),
            note="Elsewhere neither order holds: at b = 0.1 the range grows up to eps = "
            "0.15 only, at b = 1 up to 0.985; at b = 10 "
            "up to 0.9998.",
        ),
    )
)


def _degradation(p: Point, epsilon: Scalar, xp: Arithmetic) -> Scalar:
    """Logarithm of |w_DA - w_R|/|w_D - w_R|."""
    p = _at(p, epsilon)
    unlearned, original = (
        stationary.plane(p, which, loss=p.loss, xp=xp) for which in ("descent_ascent", "original")
    )
    squared = plane_equations.squared_distance_to_oracle
    return (
        xp.log(squared(*unlearned, p, loss=p.loss, xp=xp))
        - xp.log(squared(*original, p, loss=p.loss, xp=xp))
    ) / 2


def _both_exist(p: Point, xp: Arithmetic) -> tuple[Scalar, ...]:
    return exists_in_plane(_at(p, p.less), xp), exists_in_plane(_at(p, p.stronger), xp)


FARTHER_WITH_DEPENDENCE = register(
    Claim(
        id="dependence-causes.farther",
        statement="For all b, phi, alpha: |w_DA - w_R|/|w_D - w_R| does not decrease with eps while both minima exist.",
        source="Sec. 5.1.2, in the reading that dependence causes the failure",
        kind=Kind.ORDERING,
        domain=Domain(
            (Axis("less", 0.05, 0.95), _MORE, PHI, B, RATIO),
            lambda p, xp: alpha_from_ratio(_up_to_095(p, xp), xp),
            _both_exist,
            "0.05 <= eps < eps' <= 0.95, phi in [0.01, 3], b in [0.01, 1e4], alpha/phi in [0.01, 2], a minimum at both",
        ),
        margin=lambda p, xp: _degradation(p, p.stronger, xp) - _degradation(p, p.less, xp),
        note="The margin is the difference of the logarithms of the two ratios.",
    )
)
