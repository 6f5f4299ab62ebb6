r"""Beyond the paper: the alternating map past the leading order, and where the simultaneous method has nowhere to go.

The O(eta^2) term is eta^2 (lam - kappa e^{-w})(lam w - rho e^{-w}) (retain first). Without a ridge the map has a fixed point for
every alpha > phi: both half-steps undo each other where eta rho e^{-w} = ln(alpha/phi).
"""

from __future__ import annotations

from ascentfail.claims.claim import Axis, Claim, Domain, Kind, Modulus, Point
from ascentfail.claims.registry import register
from ascentfail.line import closed_form
from ascentfail.line import steps as steps_1d
from ascentfail.line.steps import unridged_step
from ascentfail.numerics.arithmetic import Arithmetic, Scalar
from ascentfail.theory.proof_steps import steps

_STRENGTHS = (
    Axis("h_retain", 1e-3, 10.0, "log"),
    Axis("excess", 1e-3, 10.0, "log"),
)  # eta rho, and ln(alpha/phi)


def _ridged(p: Point) -> Point:
    """Ratios with kappa and rho in units of the ridge."""
    return Point(b=p.rho / p.lam, forget_b=p.kappa / p.lam, phi=1)


def _by_slope(p: Point, xp: Arithmetic) -> Point:
    """Chart: w = -ln of e^{-w}, so that no exponential stands in an exponent."""
    return p.replace(w=-xp.log(p.slope))


SECOND_ORDER = register(
    Claim(
        id="beyond-7.second-order",
        statement="alternating - simultaneous with ridge 2 lam = eta^2 (lam - kappa "
        "e^{-w})(lam w - rho e^{-w}) - eta kappa e^{-w} "
        "(e^t - 1 - t), t = eta (lam w - rho e^{-w}): the last term is O(eta^3).",
        source="ours",
        kind=Kind.EQUALITY,
        domain=Domain(
            (
                Axis("slope", 4e-5, 21.0, "log"),
                Axis("eta", 1e-3, 1.0, "log"),
                Axis("lam", 1e-3, 1.0, "log"),
                Axis("rho", 0.01, 1.0),
                Axis("kappa", 0.01, 1.0),
            ),
            _by_slope,
            lambda p, xp: (p.w + 3, 10 - p.w),
            "w in [-3, 10], eta and lam in [1e-3, 1], rho and kappa in [0.01, 1]",
        ),
        margin=lambda p, xp: (
            after_second_order(p, xp) + p.eta * p.kappa * xp.exp(-p.w) * _beyond_linear(p, xp)
        ),
    )
)


def drift(p: Point, xp: Arithmetic) -> Scalar:
    """What the descent half-step takes off w, t = eta (lam w - rho l(w))."""
    return p.eta * (p.lam * p.w - p.rho * steps_1d.slope(p.w, p.loss, xp))


def after_second_order(p: Point, xp: Arithmetic) -> Scalar:
    """What alternating - simultaneous with ridge 2 lam has beyond its second order, eta t (lam - kappa |l'(w)|)."""
    h, point, slope = p.eta * p.lam, _ridged(p), steps_1d.slope(p.w, p.loss, xp)
    after = steps_1d.alternating(p.w, point, h, loss=p.loss, xp=xp)
    bend = p.loss.bend(slope)
    gap = after - steps_1d.simultaneous(p.w, point, h, ridges=2, loss=p.loss, xp=xp)
    return gap - p.eta * (p.lam - p.kappa * bend) * drift(p, xp)


def _beyond_linear(p: Point, xp: Arithmetic) -> Scalar:
    """e^t - 1 - t."""
    t = drift(p, xp)
    return xp.exp(t) - 1 - t


register(
    Claim(
        id="beyond-7.fixed-point",
        statement="Without a ridge, w* = ln(eta rho/ln(alpha/phi)) is a fixed point of the "
        "alternating map for every alpha > phi.",
        source="ours",
        kind=Kind.EQUALITY,
        domain=Domain(_STRENGTHS, words="eta rho in [1e-3, 10], ln(alpha/phi) in [1e-3, 10]"),
        margin=lambda p, xp: (lambda w: unridged_step(w, p.h_retain, p.excess, xp)[1] - w)(
            xp.log(p.h_retain / p.excess)
        ),
    )
)

register(
    Claim(
        id="beyond-7.multiplier",
        statement="The multiplier of the fixed point w* is 1 - ln(alpha/phi)^2.",
        source="ours",
        kind=Kind.EQUALITY,
        domain=Domain(_STRENGTHS, words="eta rho in [1e-3, 10], ln(alpha/phi) in [1e-3, 10]"),
        margin=lambda p, xp: _multiplier(p, xp) - (1 - p.excess**2),
        note="The derivative of the two half-steps is written out; the tests differentiate the map itself.",
    )
)


def _multiplier(p: Point, xp: Arithmetic) -> Scalar:
    w = xp.log(p.h_retain / p.excess)
    u, _ = unridged_step(w, p.h_retain, p.excess, xp)
    return (1 - p.h_retain * xp.exp(-w)) * (1 + p.h_retain * xp.exp(p.excess) * xp.exp(-u))


register(
    Claim(
        id="beyond-7.stability",
        statement="The fixed point is stable exactly where alpha/phi < e^{sqrt 2}: its "
        "multiplier m lies inside (-1, 1) where s = "
        "ln(alpha/phi) is below sqrt 2, at -1 where it is sqrt 2, and outside beyond, as 1 - m^2 has the sign of 2 - s^2.",
        source="ours",
        kind=Kind.ORDERING,
        domain=Domain(_STRENGTHS, words="eta rho in [1e-3, 10], ln(alpha/phi) in [1e-3, 10]"),
        margin=lambda p, xp: (2 - p.excess**2) * (1 - _multiplier(p, xp) ** 2),
        factors=(lambda p, xp: p.excess**2, lambda p, xp: (2 - p.excess**2) ** 2),
        note="The multiplier is that of the two half-steps at w*; the margin is the product "
        "of the factors. Beyond e^{sqrt 2} the "
        "multiplier passes -1: the period doubles.",
    )
)

SMALL_EXPONENT = steps.inequality(
    "small-ridge",
    "with |t| <= 0.1: |e^t - 1| <= 1.1 |t|, as 1 + t + t^2 - e^t has value and slope 0 at 0 and second "
    "derivative 2 - e^t >= 0 on [0, 0.1], and 1 - e^{-t} <= t",
    {"t": (0.0, 0.1)},
    lambda p, xp: 2 - xp.exp(p.t),
    lambda p, xp: xp.exp(-p.t) - 1 + p.t,
)

register(
    Claim(
        id="beyond-7.small-ridge",
        statement="For eta lam -> 0 the fixed point tends to w*: one step from w* moves it "
        "by at most 3 h (1 + |w*| + s)(1 + s), h = "
        "eta lam <= 0.1/(1 + |w*| + s).",
        source="ours",
        kind=Kind.LIMIT,
        domain=Domain(
            (*_STRENGTHS, Axis("part", 1e-6, 1.0, "log")),
            lambda p, xp: _with_ridge(p, xp),
            words="eta rho in [1e-3, 10], s = ln(alpha/phi) in [1e-3, 10], h = part 0.1/(1 + |w*| + s)",
        ),
        margin=lambda p, xp: (
            _at_most(p, xp) - xp.abs(steps_1d.alternating(p.start, p, p.step, xp=xp) - p.start)
        ),
        modulus=Modulus(lambda p, xp: _at_most(p, xp), "part", 0),
        proof=(SMALL_EXPONENT,),
        proof_words="u = w* + s - h w*, so e^{-u} = e^{-w*-s} e^{h w*} and the ascent takes "
        "off s e^{h w*} + h u: together -h w* - s "
        "(e^{h w*} - 1) - h (w* + s - h w*), at most h |w*| (1 + 1.1 s) + h (|w*| + s) + h |w*|/10. A step's move at w* - delta "
        "and at w* + delta tends likewise to that without a ridge, whose signs there differ "
        "as the multiplier 1 - s^2 is not 1: so a "
        "fixed point lies between (intermediate values)",
    )
)


def _at_most(p: Point, xp: Arithmetic) -> Scalar:
    """The bound 3 h (1 + |w*| + s)(1 + s), which vanishes with h = eta lam."""
    return 3 * p.step * p.size * (1 + p.excess)


def _with_ridge(p: Point, xp: Arithmetic) -> Point:
    """Chart: start at w*, h = part 0.1/size with size = 1 + |w*| + s, and the ratios that give eta rho and alpha/phi."""
    start = xp.log(p.h_retain / p.excess)
    size = 1 + xp.abs(start) + p.excess
    step = p.part / (10 * size)
    return p.replace(
        start=start,
        size=size,
        step=step,
        b=p.h_retain / step,
        forget_b=xp.exp(p.excess) * p.h_retain / step,
        phi=xp.number(1),
    )


NO_SIMULTANEOUS = register(
    Claim(
        id="beyond-7.no-simultaneous",
        statement="For alpha > phi (1 + 1/(e b)) the simultaneous method with ridge lam has no stationary point: c_DA < -1/e.",
        source="ours",
        kind=Kind.ORDERING,
        domain=Domain(
            (
                Axis("phi", 1e-2, 3.0, "log"),
                Axis("b", 1e-2, 1e4, "log"),
                Axis("beyond", 1e-6, 10.0, "log"),
            ),
            lambda p, xp: p.replace(
                alpha=p.phi * (1 + (1 + p.beyond) / (xp.exp(xp.number(1)) * p.b))
            ),
            words="alpha/phi - 1 = (1 + t)/(e b) with t in [1e-6, 10], phi in [0.01, 3], b in [0.01, 1e4]",
        ),
        margin=lambda p, xp: (
            -1 - xp.exp(xp.number(1)) * closed_form.coefficient(p, "descent_ascent")
        ),
        strict=True,
        factors=(lambda p, xp: p.beyond,),
        note="The margin is t. The least value of w e^w, which a stationary point has to make c_DA, is -1/e, at w = -1.",
    )
)
