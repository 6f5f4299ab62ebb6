r"""Beyond the paper: the exact ordering in the plane.

Along the curve V -> (U(V), V) of originals both margins increase with V, hence with alpha, so each order turns at one alpha.
"""

from __future__ import annotations

from ascentfail.claims.claim import Axis, Claim, Domain, Kind, Point
from ascentfail.claims.registry import register
from ascentfail.numerics.arithmetic import Arithmetic, Scalar
from ascentfail.plane import equations as plane_equations
from ascentfail.theory.domains import PHI, PLANE_WITH_DA
from ascentfail.theory.proof_steps.charts import (
    COSINE,
    by_cosine,
    by_margins,
    epsilon_in_range,
    in_ranges,
)

_WORDS = "alpha in [1e-3, 10], epsilon in [0.05, 0.95], phi in [0.01, 3], b in [0.01, 1e4]"


def _in_ranges(p: Point, v: Scalar, y: Scalar, xp: Arithmetic) -> tuple[Scalar, ...]:
    """The ranges, those of alpha = V e^y/beta_D without a division; y >= 0 where V is."""
    size = p.b * (1 + p.epsilon**2) * xp.exp(-xp.maximum(y, xp.number(0)))
    whole = v * (1 + p.phi)
    return *epsilon_in_range(p), 100 * p.b - 1, 10**4 - p.b, 1000 * whole - size, 10 * size - whole


def _short(p: Point, xp: Arithmetic) -> Scalar:
    """1 - 16^{-place}: in [-15, 15/16], and 0 where `place` is."""
    return 1 - xp.exp(-p.place * xp.log(xp.number(16)))


_PLACE = Axis("place", -1.0, 1.0)


def _turns(lag: Scalar, later: Scalar, turn: Scalar, drop: Scalar, xp: Arithmetic) -> Scalar:
    """The product lag (V* e^{y* - y} - V), of the sign of lag (alpha* - alpha): later = y* - y, turn = V* and drop = V* - V."""
    return lag * (turn * (xp.exp(later) - 1) + drop)


def _turns_at_first(p: Point, xp: Arithmetic) -> Scalar:
    """With the first threshold x_D = X, U* = X/(1+phi), V* = phi X/(q (1+phi)), where U = U* e^{X - x_D}."""
    more = p.big_x / (1 + p.phi) * (xp.exp(p.lag) - 1)
    later, turn = (p.lag + (1 - p.q**2) * more) / p.q, p.phi * p.big_x / (p.q * (1 + p.phi))
    return _turns(p.lag, later, turn, (p.lag + more) / p.q, xp)


register(
    Claim(
        id="beyond-4.x-threshold",
        statement="x_R >= x_D iff alpha <= (phi/q) exp(-X (1-q)(q-phi)/(q (1+phi))).",
        source="ours",
        kind=Kind.ORDERING,
        domain=Domain(
            (COSINE, PHI, Axis("big_x", 4e-3, 8.0, "log"), _PLACE),
            lambda p, xp: by_margins(by_cosine(p.replace(short=_short(p, xp)), xp), xp),
            lambda p, xp: _in_ranges(p, p.v, p.q * p.u + p.v, xp),
            _WORDS,
        ),
        margin=_turns_at_first,
        note="The margin is (x_R - x_D)(V* e^{y* - y} - V), where alpha/alpha* = (V/V*) e^{y - y*}, alpha* the threshold.",
    )
)


def _from_second(p: Point, xp: Arithmetic) -> Point:
    """Chart: X, and the second threshold's U* = X (1 - part), V* = q X part; then the original with U = U* e^rise.

    Rise is X (1 - 16^{-place}). There U* e^{(1-q^2) U*} = beta_D e^{-q^2 X} gives phi; U e^x is the same at both, so q (V* - V) =
    rise + U - U*, and y* = q X.
    """
    p, q, rest, rise = by_cosine(p, xp), p.q, 1 - p.q**2, p.big_x * _short(p, xp)
    u_turn = p.big_x * (1 - p.part)
    phi = xp.exp(rest * p.big_x * p.part) / (1 - p.part) - 1
    more = u_turn * (xp.exp(rise) - 1)
    turn, drop, lag = (
        q * p.big_x * p.part,
        (rise + more) / q,
        (rise + rest * more) / q,
    )  # V*, V* - V, y* - y
    v, y, beta = turn - drop, q * p.big_x - lag, p.big_x * xp.exp(p.big_x)
    alpha = v * xp.exp(y) * (1 + phi) / beta
    return p.replace(
        phi=phi, turn=turn, drop=drop, lag=lag, v=v, y=y, b=beta / (1 + p.epsilon**2), alpha=alpha
    )


_PART = (COSINE, Axis("big_x", 4e-3, 8.0, "log"), Axis("part", 5e-4, 0.8, "log"))

register(
    Claim(
        id="beyond-4.y-threshold",
        statement="y_R >= y_D iff alpha <= q (X-U) e^{qX}/beta_D with U = W((1-q^2) beta_D e^{-q^2 X})/(1-q^2).",
        source="ours",
        kind=Kind.ORDERING,
        domain=Domain(
            (*_PART, _PLACE),
            _from_second,
            lambda p, xp: (*_in_ranges(p, p.v, p.y, xp), 100 * p.phi - 1, 3 - p.phi),
            _WORDS,
        ),
        margin=lambda p, xp: _turns(p.lag, p.lag, p.turn, p.drop, xp),
        note="The margin is (y_R - y_D)(V* e^{y* - y} - V), where alpha/alpha* = (V/V*) e^{y - y*}, alpha* the threshold.",
    )
)


def _second_below_first(p: Point, xp: Arithmetic) -> Scalar:
    """Logarithm of the first threshold over the second, with m = phi/(1+phi) = part + (1 - part)(1 - e^{-(1-q^2) X part}).

    It is ln(m/part) - 2 ln q + (1-q^2) X m/q, three terms that are >= 0.
    """
    rest = 1 - p.q**2
    over = (1 - p.part) * (1 - xp.exp(-rest * p.big_x * p.part))
    return xp.log(1 + over / p.part) - 2 * xp.log(p.q) + rest * p.big_x * (p.part + over) / p.q


register(
    Claim(
        id="beyond-4.second-implies-first",
        statement="y_R >= y_D implies x_R >= x_D: the second threshold is at most the first.",
        source="ours",
        kind=Kind.BOUND,
        domain=Domain(
            _PART,
            lambda p, xp: _from_second(p.replace(place=0 * p.part), xp),
            lambda p, xp: (
                *epsilon_in_range(p),
                100 * p.b - 1,
                10**4 - p.b,
                100 * p.phi - 1,
                3 - p.phi,
            ),
            "epsilon in [0.05, 0.95], phi in [0.01, 3], b in [0.01, 1e4]",
        ),
        margin=_second_below_first,
    )
)


def _from_x_gap(p: Point, xp: Arithmetic) -> Point:
    """Chart: an original and a stationary point of descent-ascent of one problem, by U and gap = x_D - x_DA = 20 part^3.

    A = (1+phi) U e^gap; V + B = (gap + A - U)/q; and V/B = phi/(1+phi) e^{y_DA - y_D} parts the sum.
    """
    p, q, gap = by_cosine(p, xp), p.q, 20 * p.part**3
    more = p.u * (p.phi + (1 + p.phi) * (xp.exp(gap) - 1))  # A - U
    y_gap = (gap + (1 - q**2) * more) / q
    share = xp.sigmoid(xp.log(p.phi / (1 + p.phi)) - y_gap)
    v = (gap + more) / q * share
    x, y = plane_equations.margins(p.u, v, q)
    size = (1 + p.phi) * p.u * xp.exp(x)
    a, b = p.u + more, (gap + more) / q * (1 - share)
    alpha = v * xp.exp(y) * (1 + p.phi) / size
    return p.replace(
        gap=gap, y_gap=y_gap, v=v, pull_a=a, pull_b=b, b=size / (1 + p.epsilon**2), alpha=alpha
    )


def _is_minimum(p: Point) -> Scalar:
    """The determinant of the Hessian over lam at (A, -B), 1 + A - B (1 + (1-q^2) A)."""
    return 1 + p.pull_a - p.pull_b * (1 + (1 - p.q**2) * p.pull_a)


register(
    Claim(
        id="beyond-4.x-implies-y",
        statement="x_DA <= x_D implies y_DA <= y_D.",
        source="ours",
        kind=Kind.ORDERING,
        domain=Domain(
            (COSINE, PHI, Axis("u", 1e-3, 8.0, "log"), Axis("part", 0.0, 1.0)),
            _from_x_gap,
            lambda p, xp: (*epsilon_in_range(p), *in_ranges(p, xp), _is_minimum(p)),
            "where a minimum exists and x_DA <= x_D; " + PLANE_WITH_DA.words,
        ),
        margin=lambda p, xp: p.y_gap,
        note="y_D - y_DA = ((x_D - x_DA) + (1 - q^2)(A - U))/q, with A = (1+phi) U e^{x_D - x_DA} >= U.",
    )
)
