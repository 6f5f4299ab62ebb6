r"""Beyond the paper: the alternating map without a ridge, and with a small one, under the logistic loss.

At its fixed points e^w = (1 - e^{-s})/(e^t - 1) both half-steps move w by d = s + t, with s = ln(alpha/phi) and t > 0. The
multiplier is 1 + 2 D sinh(t/2) - D^2, D = d sinh(s/2)/sinh(d/2). For t -> 0, where w is large, D -> s: the exponential loss.
"""

from __future__ import annotations

from ascentfail.claims.claim import Axis, Claim, Domain, Kind, Modulus, Point
from ascentfail.claims.registry import register
from ascentfail.line import steps as steps_1d
from ascentfail.numerics.arithmetic import Arithmetic, Scalar
from ascentfail.numerics.sample_losses import LOGISTIC
from ascentfail.theory.beyond.beyond_07_alternating import SMALL_EXPONENT
from ascentfail.theory.proof_steps import steps

EXCESS, BEYOND = Axis("excess", 1e-2, 5.0, "log"), Axis("beyond", 1e-3, 10.0, "log")
WORDS = "s = ln(alpha/phi) in [0.01, 5] and a descent half-step of s + t at the fixed point, t in [1e-3, 10]"
BALANCE = Domain((EXCESS, BEYOND), words=WORDS)


def balanced(p: Point, xp: Arithmetic) -> tuple[Scalar, Scalar]:
    """(e^w, eta rho) of the fixed point whose half-steps undo each other over a distance s + t."""
    at = (1 - xp.exp(-p.excess)) / (xp.exp(p.beyond) - 1)
    return at, (p.excess + p.beyond) * (1 + at)


def _returns(p: Point, xp: Arithmetic) -> Scalar:
    """What a step takes off w: eta (kappa l(u) - rho l(w)) with its sign reversed, u = w + eta rho l(w)."""
    at, strength = balanced(p, xp)
    down = strength / (1 + at)
    return down - strength * xp.exp(p.excess) / (1 + at * xp.exp(down))


register(
    Claim(
        id="beyond-8.7.fixed-point",
        statement="Without a ridge and with the logistic loss, the alternating map has for every alpha > phi and t > 0 the fixed "
        "point e^w = (1 - phi/alpha)/(e^t - 1), at the step eta rho = (ln(alpha/phi) + t)(1 + e^w).",
        source="ours: beyond-7.fixed-point with the logistic loss",
        kind=Kind.EQUALITY,
        domain=BALANCE,
        margin=_returns,
        note="With the exponential loss both half-steps move by ln(alpha/phi), whatever the "
        "step; here by more. Every fixed point is "
        "one of these: 1 + e^{w+d} = (alpha/phi)(1 + e^w) needs d > ln(alpha/phi).",
    )
)


def sinh_half(x: Scalar, xp: Arithmetic) -> Scalar:
    """sinh(x/2)."""
    return (xp.exp(x / 2) - xp.exp(-x / 2)) / 2


def multiplier(p: Point, xp: Arithmetic) -> Scalar:
    """(1 - d l(-w))(1 + d l(-u)), d the move of a half-step."""
    at, _ = balanced(p, xp)
    d = p.excess + p.beyond
    return (1 - d * at / (1 + at)) * (1 + d * at * xp.exp(d) / (1 + at * xp.exp(d)))


def spread(p: Point, xp: Arithmetic) -> tuple[Scalar, Scalar]:
    """(D, sinh(t/2))."""
    d = p.excess + p.beyond
    return d * sinh_half(p.excess, xp) / sinh_half(d, xp), sinh_half(p.beyond, xp)


def _in_spread(p: Point, xp: Arithmetic) -> Scalar:
    """1 + 2 D sinh(t/2) - D^2."""
    big, sinh = spread(p, xp)
    return 1 + 2 * big * sinh - big**2


register(
    Claim(
        id="beyond-8.7.multiplier",
        statement="The multiplier of that fixed point is 1 + 2 D sinh(t/2) - D^2, D = (s + t) sinh(s/2)/sinh((s + t)/2) and s = "
        "ln(alpha/phi).",
        source="ours: beyond-7.multiplier with the logistic loss",
        kind=Kind.EQUALITY,
        domain=BALANCE,
        margin=lambda p, xp: multiplier(p, xp) - _in_spread(p, xp),
        note="For t -> 0 it is the exponential loss's 1 - s^2. The derivative of the two half-steps is written out; the tests "
        "differentiate the map itself.",
    )
)


def _inside(p: Point, xp: Arithmetic) -> Scalar:
    """(D - 2h)(2 + 2 h D - D^2), h = sinh(t/2): > 0 where 2h < D < h + sqrt(2 + h^2), as both cannot fail."""
    big, sinh = spread(p, xp)
    return (big - 2 * sinh) * (2 + 2 * big * sinh - big**2)


SIDES = steps.identity(
    "sides-of-multiplier",
    "m = 1 + 2 D h - D^2: 1 - m = D (D - 2h) and 1 + m = (h + r - D)(D + r - h) + 2 - (r^2 - h^2)",
    {"big": (0.0, 30.0), "h": (0.0, 100.0), "r": (0.0, 100.0)},
    lambda p, xp: (
        lambda m: (
            (1 - m - p.big * (p.big - 2 * p.h)) ** 2
            + (1 + m - (p.h + p.r - p.big) * (p.big + p.r - p.h) - 2 + p.r**2 - p.h**2) ** 2
        )
    )(1 + 2 * p.big * p.h - p.big**2),
)
register(
    Claim(
        id="beyond-8.7.stability",
        statement="With the logistic loss, too, the fixed point is stable where alpha/phi < e^{sqrt 2}, and not stable beyond.",
        source="ours: beyond-7.stability with the logistic loss",
        kind=Kind.ORDERING,
        domain=BALANCE,
        margin=lambda p, xp: (xp.sqrt(xp.number(2)) - p.excess) * (1 - xp.abs(multiplier(p, xp))),
        note="Both halves fail: the lower of a step's two fixed points "
        "(beyond-8.7.least-step) is never stable, and the upper one is "
        "also for larger alpha/phi where the step is small enough.",
        repaired=Claim(
            id="beyond-8.7.stability.repaired",
            statement="Its multiplier m lies inside (-1, 1) exactly where 2h < D < h + "
            "sqrt(2 + h^2), h = sinh(t/2) and D that of "
            "beyond-8.7.multiplier: 1 - m^2 = D (D - 2h)(2 + 2 h D - D^2), whose last two factors are not both negative.",
            source="ours",
            kind=Kind.ORDERING,
            domain=BALANCE,
            margin=lambda p, xp: _inside(p, xp) * (1 - multiplier(p, xp) ** 2),
            factors=(lambda p, xp: spread(p, xp)[0], lambda p, xp: _inside(p, xp) ** 2),
            note="For t -> 0 it is 0 < s < sqrt 2. D falls with t, so below e^{sqrt 2} only the first bound can fail.",
        ),
    )
)


def _at_most(p: Point, xp: Arithmetic) -> Scalar:
    """The bound 3 h (1 + |w*| + d)(1 + d), which vanishes with h = eta lam."""
    return 3 * p.step * p.size * (1 + p.move)


def _with_ridge(p: Point, xp: Arithmetic) -> Point:
    """Chart: start at w*, move d = s + t, h = part 0.1/size with size = 1 + |w*| + d, and the ratios of eta rho and alpha/phi."""
    at, strength = balanced(p, xp)
    start, move = xp.log(at), p.excess + p.beyond
    size = 1 + xp.abs(start) + move
    step = p.part / (10 * size)
    return p.replace(
        start=start,
        move=move,
        size=size,
        step=step,
        b=strength / step,
        forget_b=xp.exp(p.excess) * strength / step,
        phi=xp.number(1),
    )


register(
    Claim(
        id="beyond-8.7.small-ridge",
        statement="With the logistic loss, for eta lam -> 0 the fixed point tends to w* where its multiplier is not 1: one step "
        "from w* moves it by at most 3 h (1 + |w*| + d)(1 + d), d = s + t, h = eta lam <= 0.1/(1 + |w*| + d).",
        source="ours: beyond-7.small-ridge with the logistic loss",
        kind=Kind.LIMIT,
        domain=Domain(
            (EXCESS, BEYOND, Axis("part", 1e-6, 1.0, "log")),
            _with_ridge,
            words=f"{WORDS}, h = part 0.1/(1 + |w*| + s + t)",
        ),
        margin=lambda p, xp: (
            _at_most(p, xp)
            - xp.abs(steps_1d.alternating(p.start, p, p.step, loss=LOGISTIC, xp=xp) - p.start)
        ),
        modulus=Modulus(lambda p, xp: _at_most(p, xp), "part", 0),
        proof=(
            SMALL_EXPONENT,
            steps.inequality(
                "logistic-ratio",
                "1 <= l(u - v)/l(u) = (1 + e^u)/(1 + e^{u-v}) <= e^v for v >= 0: the differences from both are e^u "
                "(1 - e^{-v}) and e^v - 1 over 1 + e^{u-v}",
                {"u": (-30.0, 30.0), "v": (0.0, 1.0)},
                lambda p, xp: xp.exp(p.u) * (1 - xp.exp(-p.v)),
                lambda p, xp: xp.exp(p.v) - 1,
            ),
        ),
        proof_words="u = w* + d - h w* and the ascent takes off d r + h u with r = l(u)/l(w* + d), |r - 1| <= e^{h |w*|} - 1: "
        "together -h w* - d (r - 1) - h (w* + d - h w*), at most h |w*| (1 + 1.1 d) + h (|w*| + d) + h |w*|/10. A step's move "
        "at w* - delta and at w* + delta tends likewise to that without a ridge, whose "
        "signs there differ as the multiplier is not "
        "1: so a fixed point lies between (intermediate values)",
    )
)
