"""Enclosures: whatever is exact lies in them, and what is undefined proves nothing."""

import itertools
import math
import random

import flint
import mpmath
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpmath import mp

from ascentfail.claims import checker
from ascentfail.claims.checker import UNIT, operate, part
from ascentfail.claims.claim import Point
from ascentfail.claims.evidence.certificate import axes_of, statement_of
from ascentfail.claims.evidence.formula import read
from ascentfail.numerics.arithmetic import MPMATH
from ascentfail.theory import Axis, Claim, Domain, Kind

DIGITS = 120
INF = float("inf")


def interval(low, high):
    return flint.arb(low), flint.arb(high)


def jet(low, high, axis=None):
    return interval(low, high), {} if axis is None else {axis: UNIT}


def apply(operation, *jets):
    return operate(operation, list(jets), {})


def exact(end):
    """An end point as an mpf, exactly."""
    if not end.is_finite():
        return mp.nan if end.is_nan() else mp.inf if end > 0 else -mp.inf
    mantissa, exponent = end.man_exp()
    return mp.ldexp(mp.mpf(int(mantissa)), int(exponent))


def contains(enclosure, value):
    """Whether an interval contains a value known to nearly DIGITS digits; an undefined one contains anything."""
    if enclosure is None:
        return True
    slack = abs(value) * mp.mpf(10) ** -(DIGITS - 20)
    return exact(enclosure[0]) - slack <= value <= exact(enclosure[1]) + slack


def slope(found, axis=0):
    """The enclosure of a partial derivative; what a jet does not mention is zero."""
    return found[1].get(axis, interval(0, 0))


def ends(enclosure):
    return float(enclosure[0]), float(enclosure[1])


# --- one function at a time: values and derivatives, independently in mpmath -----------------------------------------


def w_prime(branch):
    def derivative(z):
        w = mp.re(mp.lambertw(z, branch))
        return mp.exp(-w) / (1 + w)

    return derivative


def w_exp(y):
    return MPMATH.lambertw_exp(y)


def w_exp_prime(y):
    return w_exp(y) / (1 + w_exp(y))


def logistic_prime(c):
    w = MPMATH.logisticw(c)
    return 1 / (1 + (1 + w) * mp.exp(w))


EDGE = -math.exp(-1)
W0, W1 = (lambda z: mp.re(mp.lambertw(z))), (lambda z: mp.re(mp.lambertw(z, -1)))
UNARY = {  # name: (operation, exact, exact derivative, range of the argument)
    "exp": (("exp", 0), mp.exp, mp.exp, (-200.0, 200.0)),
    "log": (("log", 0), mp.log, lambda x: 1 / x, (1e-300, 1e300)),
    "sqrt": (("sqrt", 0), mp.sqrt, lambda x: 1 / (2 * mp.sqrt(x)), (1e-300, 1e300)),
    "abs": (("abs", 0), abs, mp.sign, (-3.0, 3.0)),
    "neg": (("neg", 0), lambda x: -x, lambda x: -mp.one, (-3.0, 3.0)),
    "softplus": (
        ("softplus", 0),
        lambda x: mp.log1p(mp.exp(x)),
        lambda x: 1 / (1 + mp.exp(-x)),
        (-300.0, 300.0),
    ),
    "sigmoid": (
        ("sigmoid", 0),
        lambda x: 1 / (1 + mp.exp(-x)),
        lambda x: 1 / (2 + 2 * mp.cosh(x)),
        (-300.0, 300.0),
    ),
    "lambertw": (("lambertw", 0, 0), W0, w_prime(0), (EDGE + 1e-16, 1e300)),
    "lambertw near 0": (("lambertw", 0, 0), W0, w_prime(0), (-1e-9, 1e-9)),
    "lambertw near -1/e": (("lambertw", 0, 0), W0, w_prime(0), (EDGE + 1e-16, EDGE + 1e-9)),
    "lower branch": (("lambertw", 0, -1), W1, w_prime(-1), (EDGE + 1e-16, -1e-12)),
    "lower branch near -1/e": (("lambertw", 0, -1), W1, w_prime(-1), (EDGE + 1e-16, EDGE + 1e-9)),
    "lambertw_exp": (("lambertw_exp", 0), w_exp, w_exp_prime, (-600.0, 600.0)),
    "lambertw_exp huge": (("lambertw_exp", 0), w_exp, w_exp_prime, (90.0, 1e17)),
    "logisticw": (("logisticw", 0), MPMATH.logisticw, logistic_prime, (-50.0, 1e6)),
    "logisticw tiny": (("logisticw", 0), MPMATH.logisticw, logistic_prime, (1e-300, 1e-9)),
    "logisticw huge": (("logisticw", 0), MPMATH.logisticw, logistic_prime, (1e6, 1e300)),
    "square": (("power", 0, 2), lambda x: x**2, lambda x: 2 * x, (-5.0, 5.0)),
    "cube": (("power", 0, 3), lambda x: x**3, lambda x: 3 * x**2, (-5.0, 5.0)),
    "fourth power": (("power", 0, 4), lambda x: x**4, lambda x: 4 * x**3, (-5.0, 5.0)),
    "power one": (("power", 0, 1), lambda x: x, lambda x: mp.one, (-5.0, 5.0)),
    "power nought": (("power", 0, 0), lambda x: mp.one, lambda x: mp.zero, (-5.0, 5.0)),
}


@pytest.mark.parametrize("bits", [53, 212])
@pytest.mark.parametrize("name", UNARY)
@given(data=st.data())
def test_functions_enclose_values_and_slopes(name, bits, data):
    operation, value, derivative, (low, high) = UNARY[name]
    numbers = st.floats(low, high)
    a, b = sorted((data.draw(numbers), data.draw(numbers)))
    x = min(max(a + (b - a) * data.draw(st.floats(0, 1)), a), b)
    with flint.ctx.workprec(bits), mpmath.workdps(DIGITS):
        plain, found = apply(operation, jet(a, b)), apply(operation, jet(a, b, 0))
        assert (plain is None) == (found is None)
        for at in {a, b, x} if found else ():
            assert contains(found[0], value(mp.mpf(at))) and contains(plain[0], value(mp.mpf(at)))
            assert (at == 0 and name == "abs") or contains(slope(found), derivative(mp.mpf(at)))
        assert found is None or (set(found[1]) <= {0} and not plain[1])
        tight = apply(
            operation, jet(x, x, 0)
        )  # a point is enclosed to nearly the digits that there are
        if tight and name != "abs" and "branch" not in name and "-1/e" not in name:
            at, loss = value(mp.mpf(x)), 1 + abs(mp.log(abs(mp.mpf(x)) or 1))
            assert exact(tight[0][1]) - exact(tight[0][0]) <= abs(at) * mp.mpf(2) ** (12 - bits) * (
                loss + abs(mp.mpf(x))
            ) + (mp.mpf(2) ** (12 - bits) if name.startswith("lambertw") else 0)


def test_precision_narrows_the_enclosures():
    def width(bits):
        with flint.ctx.workprec(bits):
            found = apply(("lambertw", 0, 0), jet(2, 2))[0]
            return exact(found[1]) - exact(found[0])

    with mpmath.workdps(DIGITS):
        assert 0 < width(212) < mp.mpf(2) ** -200 < width(53) < mp.mpf(2) ** -50


def test_exact_ends_stay_exact():
    assert apply(("exp", 0), jet(0, 1))[0][0] == 1
    assert apply(("sub", 0, 1), apply(("exp", 0), jet(0, 1)), jet(1, 1))[0][0] == 0
    for operation in (("lambertw", 0, 0), ("logisticw", 0)):
        assert ends(apply(operation, jet(0, 0))[0]) == (0.0, 0.0)
    assert (
        apply(("power", 0, 2), jet(-1, 2))[0][0] == 0 and apply(("sqrt", 0), jet(0, 4))[0][0] == 0
    )
    assert ends(apply(("abs", 0), jet(-1, 2))[0]) == (0.0, 2.0)


# --- two arguments ---------------------------------------------------------------------------------------------------

BINARY = {
    "add": (lambda a, b: a + b, lambda a, b: (1, 1)),
    "sub": (lambda a, b: a - b, lambda a, b: (1, -1)),
    "mul": (lambda a, b: a * b, lambda a, b: (b, a)),
    "div": (lambda a, b: a / b, lambda a, b: (1 / b, -a / b**2)),
    "minimum": (min, lambda a, b: (a < b, b < a)),
    "maximum": (max, lambda a, b: (a > b, b > a)),
}
finite = st.one_of(st.floats(-8, 8), st.integers(-3, 3).map(float))
proper = st.lists(finite, min_size=2, max_size=2, unique=True).map(sorted)


@pytest.mark.parametrize("bits", [53, 212])
@pytest.mark.parametrize("name", BINARY)
@given(
    corners=st.tuples(finite, finite, finite, finite),
    place=st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
def test_binary_operations_enclose_values_and_slopes(name, bits, corners, place):
    operation, slopes = BINARY[name]
    (a, b), (c, d) = sorted(corners[:2]), sorted(corners[2:])
    points = itertools.product(
        (a, b, min(max(a + (b - a) * place[0], a), b)),
        (c, d, min(max(c + (d - c) * place[1], c), d)),
    )
    with flint.ctx.workprec(bits), mpmath.workdps(DIGITS):
        found = apply((name, 0, 1), jet(a, b, 0), jet(c, d, 1))
        plain = apply((name, 0, 1), jet(a, b), jet(c, d))
        assert (plain is None) == (found is None) == (name == "div" and c <= 0 <= d)
        for x, y in points if found else ():
            if not (name in ("minimum", "maximum") and x == y):
                value = operation(mp.mpf(x), mp.mpf(y))
                assert contains(found[0], value) and contains(plain[0], value)
                for i, true in enumerate(slopes(mp.mpf(x), mp.mpf(y))):
                    assert contains(slope(found, i), mp.mpf(true))


@given(corners=proper, place=st.floats(0, 1))
def test_a_product_with_itself_is_a_square(corners, place):
    one = jet(*corners, 0)
    found, x = (
        apply(("mul", 0, 0), one, one),
        mp.mpf(min(corners[0] + (corners[1] - corners[0]) * place, corners[1])),
    )
    with mpmath.workdps(DIGITS):
        assert contains(found[0], x * x) and contains(slope(found), 2 * x) and found[0][0] >= 0


def test_numbers_are_exact_fractions():
    with mpmath.workdps(DIGITS):
        for text in ("1/10", "-7/3", "1" + "0" * 40, "1/" + "3" * 90):
            whole, _, over = text.partition("/")
            for bits in (53, 212):
                with flint.ctx.workprec(bits):
                    assert contains(
                        checker.constant(text, bits), mp.mpf(int(whole)) / int(over or 1)
                    )
    assert checker.constant("1/10", 53)[0] < checker.constant("1/10", 53)[1]
    assert checker.constant("1/8", 53)[0] == checker.constant("1/8", 53)[1] == flint.arb(0.125)


# --- stationary points of the plane ----------------------------------------------------------------------------------


def solved(beta, gamma, q, loss):
    """Both pulls of sign 1, by Newton's method in many digits on the logarithms."""

    def ell(m):
        return -mp.log1p(mp.exp(m)) if loss == "logistic" else -m

    def equations(u, v):
        s, t = mp.exp(u), mp.exp(v)
        return u - mp.log(beta) - ell(s + q * t), v - mp.log(gamma) - ell(q * s + t)

    near = [mp.log(mp.re(mp.lambertw(strength)) / 2) for strength in (beta, gamma)]
    found = mp.findroot(equations, near, tol=1e-60, maxsteps=200)
    return mp.exp(found[0]), mp.exp(found[1])


@pytest.mark.parametrize("loss", ["exponential", "logistic"])
@pytest.mark.parametrize("seed", range(12))
def test_stationary_points_and_their_slopes_are_enclosed(loss, seed):
    rng = random.Random(seed)
    corners = [
        *((rng.uniform(0.05, 5), rng.uniform(0, 0.2)) for _ in range(2)),
        (rng.uniform(0, 0.9), 0.1),
    ]
    with mpmath.workdps(60):
        jets = [jet(low, low + width, i) for i, (low, width) in enumerate(corners)]
        found = [apply(("plane", which, 0, 1, 2, 1, loss), *jets) for which in (0, 1)]
        for _ in range(3):
            at = [mp.mpf(low + width * rng.random()) for low, width in corners]
            pulls, h = solved(*at, loss), mp.mpf(10) ** -20
            for which in (0, 1):
                assert contains(found[which][0], pulls[which])
            for i in range(3):
                moved = solved(*(value + h * (i == j) for j, value in enumerate(at)), loss)
                for which in (0, 1):
                    low, high = slope(found[which], i)
                    assert (
                        exact(low) - 1e-12
                        <= (moved[which] - pulls[which]) / h
                        <= exact(high) + 1e-12
                    )
        tight = apply(("plane", 0, 0, 1, 2, 1, loss), *(jet(low, low) for low, _ in corners))[0]
        assert exact(tight[1]) - exact(tight[0]) < 1e-6


def test_a_stationary_point_that_may_not_exist_is_undefined():
    strengths = jet(1, 2), jet(1, 2), jet(0.5, 0.5)
    assert apply(("plane", 0, 0, 1, 2, -1, "exponential"), *strengths) is None
    assert apply(("plane", 0, 0, 1, 2, 1, "exponential"), jet(-1, 2), *strengths[1:]) is None
    assert apply(("plane", 1, 0, 1, 2, 1, "logistic"), *strengths[:2], jet(-0.5, 0.5)) is None
    assert apply(("fold", 0, 0, 1), *strengths[:2]) is None
    for which, (low, high) in enumerate(
        ((0.0, 2.0), (-2.0, 0.0))
    ):  # of the logistic loss there is one, between these ends
        value, slopes = apply(
            ("plane", which, 0, 1, 2, -1, "logistic"), jet(1, 2, 0), *strengths[1:]
        )
        assert ends(value) == (low, high) and slopes == {0: None}


# --- whole expressions -----------------------------------------------------------------------------------------------

UNARIES = [
    lambda x, xp: xp.exp(x / 4),
    lambda x, xp: xp.softplus(x),
    lambda x, xp: xp.sigmoid(x),
    lambda x, xp: xp.abs(x),
    lambda x, xp: xp.lambertw_exp(x),
    lambda x, xp: xp.sqrt(1 + x**2),
    lambda x, xp: xp.log(xp.abs(x) + 0.5),
    lambda x, xp: xp.lambertw(xp.abs(x), 0),
    lambda x, xp: xp.lambertw(x, 0),
    lambda x, xp: -x,
    lambda x, xp: x**3 / 8,
    lambda x, xp: xp.lambertw(-1 / (3 + x**2), -1),
    lambda x, xp: xp.log(x),
    lambda x, xp: xp.sqrt(x),
]
BINARIES = [
    lambda a, b, xp: a + b,
    lambda a, b, xp: a - b,
    lambda a, b, xp: a * b,
    lambda a, b, xp: a / (1 + b * b),
    lambda a, b, xp: a / b,
    lambda a, b, xp: xp.minimum(a, b),
    lambda a, b, xp: xp.maximum(a, b),
]
NAMES = ("u", "v")


def expression(rng, depth):
    """A random formula in u and v, in any arithmetic."""
    if depth == 0 or rng.random() < 0.1:
        kind = rng.random()
        if kind < 0.2:
            constant = rng.choice([1, -2, 0.3, 0.5])
            return lambda p, xp: xp.number(constant)
        name = rng.choice(NAMES)
        return lambda p, xp: getattr(p, name)
    if rng.random() < 0.45:
        outer, inner = rng.choice(UNARIES), expression(rng, depth - 1)
        return lambda p, xp: outer(inner(p, xp), xp)
    outer, left, right = (
        rng.choice(BINARIES),
        expression(rng, depth - 1),
        expression(rng, depth - 1),
    )
    return lambda p, xp: outer(left(p, xp), right(p, xp), xp)


def true_value(formula, u, v):
    """The value in many digits, NaN where it is undefined."""
    try:
        value = formula(Point(u=mp.mpf(u), v=mp.mpf(v)), MPMATH)
    except (ZeroDivisionError, TypeError, ValueError):  # a complex number met on the way
        return mp.nan
    return mp.nan if isinstance(value, mpmath.mpc) else mp.mpf(value)


SYMBOLS = [Axis("u", -1.0, 1.0), Axis("v", -1.0, 1.0)]


def as_claim(formula, axes=SYMBOLS, where=None, **more):
    return Claim("c", "", "test", Kind.BOUND, Domain(tuple(axes), where=where), formula, **more)


def statement(claim):
    return statement_of(claim, read(claim))


@pytest.mark.parametrize("seed", range(150))
def test_random_expressions_enclose_values_and_difference_quotients(seed):
    """Along an axis every difference quotient lies in the slope, also across kinks: that is what the faces rest on."""
    rng = random.Random(seed)
    formula = expression(rng, 4)
    (a, b), (c, d) = (
        sorted((rng.uniform(-2, 2), rng.uniform(-2, 2))),
        sorted((rng.uniform(-2, 2), rng.uniform(-2, 2))),
    )
    shrink = rng.choice([1, 0.1, 1e-3])
    b, d = a + shrink * (b - a), c + shrink * (d - c)
    judge = statement(as_claim(formula))
    found = judge.jets([interval(a, b), interval(c, d)])[0][judge.margin]
    with mpmath.workdps(DIGITS):
        for _ in range(8):
            u, v, w = (
                rng.choice([a, b, rng.uniform(a, b)]),
                rng.choice([c, d, rng.uniform(c, d)]),
                rng.uniform(a, b),
            )
            first, second = true_value(formula, u, v), true_value(formula, w, v)
            third = true_value(formula, u, z := rng.uniform(c, d))
            if mp.isnan(first):
                assert found is None
            elif mp.isfinite(first) and found:
                assert contains(found[0], first)
            if found and u != w and mp.isfinite(first) and mp.isfinite(second):
                assert contains(slope(found, 0), (second - first) / (mp.mpf(w) - u))
            if found and v != z and mp.isfinite(first) and mp.isfinite(third):
                assert contains(slope(found, 1), (third - first) / (mp.mpf(z) - v))


def towards(axes, target, halvings):
    """The boxes of a bisection that keeps a target, from the whole domain down."""
    box = [(0, 0)] * len(axes)
    yield tuple(box)
    for i in range(halvings):
        axis, (k, n) = axes[i % len(axes)], box[i % len(axes)]
        halves = [
            side
            for side in (0, 1)
            if holds_point(part(axis, 2 * k + side, n + 1), target[i % len(axes)])
        ]
        assert halves, "neighbouring boxes leave a gap"
        box[i % len(axes)] = (2 * k + halves[-1], n + 1)
        yield tuple(box)


def holds_point(own, value):
    return own[0] <= value <= own[1]


def letter(claim, box):
    judge = statement(claim)
    parts = judge.parts(box)
    return judge.letter(parts, judge.jets(parts))


@pytest.mark.parametrize("seed", range(120))
def test_no_box_around_a_violation_is_proved_and_none_around_a_feasible_point_is_dropped(seed):
    """The faces of monotone expressions, the kinks, the undefined slopes: against a point where the truth is known."""
    rng = random.Random(1000 + seed)
    formula = expression(rng, 3)
    axes = (
        (Axis("u", 0.25, 2.0, "log"), Axis("v", -1.0, 1.5))
        if seed % 2
        else (Axis("u", -1.0, 1.0), Axis("v", -1.0, 1.5))
    )
    target = [rng.choice([axis.low, axis.high, rng.uniform(axis.low, axis.high)]) for axis in axes]
    with mpmath.workdps(DIGITS):
        at = true_value(formula, *target)
    known = mp.isfinite(at)
    level = float(at) if known else 0.0
    hair = 1e-9 * max(1.0, abs(level))

    def below(p, xp):
        return formula(p, xp) - level - hair

    def above(p, xp):
        return formula(p, xp) - level + hair

    margin = as_claim(below, axes)
    tie = as_claim(lambda p, xp: formula(p, xp) - level, axes, strict=True)
    side = as_claim(lambda p, xp: p.u + 9, axes, where=lambda p, xp: (above(p, xp),))
    for box in towards(axes_of(margin), target, 24):
        assert letter(margin, box) == "U", (
            "a box with a violation, or with an undefined margin, is proved"
        )
        if known:
            assert letter(side, box) == "P"
            if at < level:
                assert letter(tie, box) == "U"


@pytest.mark.parametrize("seed", range(40))
def test_minima_products_and_quotients_are_proved_only_where_they_are_positive(seed):
    """What is looked at part by part, against points where the whole is negative."""
    rng = random.Random(2000 + seed)
    first, second = expression(rng, 2), expression(rng, 2)
    wholes = {
        "minimum": lambda p, xp: xp.minimum(first(p, xp), second(p, xp)),
        "product": lambda p, xp: first(p, xp) * second(p, xp),
        "quotient": lambda p, xp: first(p, xp) / (second(p, xp) + 0 * p.u),
    }
    for formula in wholes.values():
        claim, strict = as_claim(formula), as_claim(formula, strict=True)
        for _ in range(20):
            target = [rng.choice([-1.0, 1.0, 0.0, rng.uniform(-1, 1)]) for _ in SYMBOLS]
            with mpmath.workdps(DIGITS):
                at = true_value(formula, *target)
            for box in towards(axes_of(claim), target, 8):
                if mp.isnan(at) or at < 0:
                    assert letter(claim, box) == "U"
                if mp.isnan(at) or at <= 0:
                    assert letter(strict, box) == "U"


# --- side conditions -------------------------------------------------------------------------------------------------


def test_what_uses_a_side_condition_is_enclosed_where_it_holds():
    """sqrt(1 - u^2 - v^2) on a disc, and W(c) with c >= -1/e, are defined although no box sees it by itself."""
    disc = as_claim(
        lambda p, xp: xp.sqrt(1 - p.u**2 - p.v**2), where=lambda p, xp: (1 - p.u**2 - p.v**2,)
    )
    assert letter(disc, ((0, 0), (0, 0))) == "P"
    assert letter(as_claim(disc.margin), ((0, 0), (0, 0))) == "U"

    def edge(p, xp):
        return (1 + xp.exp(xp.number(1)) * p.u,)

    def beyond(p, xp):
        return (1.01 + xp.exp(xp.number(1)) * p.u,)

    for branch, where, right in ((0, edge, "P"), (-1, edge, "U"), (0, None, "U"), (0, beyond, "U")):
        claim = as_claim(lambda p, xp, branch=branch: 1 + xp.lambertw(p.u, branch), where=where)
        assert letter(claim, ((0, 0), (0, 0))) == right
    lower = as_claim(
        lambda p, xp: -1 - xp.lambertw(p.u, -1), (Axis("u", -1.0, -0.125), SYMBOLS[1]), where=edge
    )
    assert letter(lower, ((0, 0), (0, 0))) == "P"
    assert (
        letter(
            as_claim(lambda p, xp: 1e-9 - 1 - xp.lambertw(p.u, -1), lower.domain.axes, edge),
            ((0, 0), (0, 0)),
        )
        == "P"
    )
    assert (
        letter(
            as_claim(lambda p, xp: -1.001 - xp.lambertw(p.u, -1), lower.domain.axes, edge),
            ((0, 0), (0, 0)),
        )
        == "U"
    )


def test_a_clipped_condition_says_nothing_of_slopes():
    """s = u - v >= 0 is clipped where it is used: a margin that is monotone only beyond the clip is not moved to a face."""
    claim = as_claim(lambda p, xp: (p.u - p.v) - 0.5, where=lambda p, xp: (p.u - p.v,))
    judge = statement(claim)
    known, sides = judge.jets([interval(-1, 1), interval(-1, 1)])
    (side,) = judge.sides
    assert ends(known[side][0]) == (0.0, 2.0) and known[side][1] == {0: None, 1: None}
    assert ends(sides[side][0]) == (-2.0, 2.0) and ends(sides[side][1][0]) == (1.0, 1.0)
    assert letter(claim, ((0, 0), (0, 0))) == "U"


# --- what is undefined -----------------------------------------------------------------------------------------------

HALF_OPEN = {
    "division by an interval with 0 inside": (("div", 0, 1), jet(1, 1), jet(-1, 1)),
    "division by an interval from 0": (("div", 0, 1), jet(1, 1), jet(0, 1)),
    "division by 0": (("div", 0, 1), jet(1, 1), jet(0, 0)),
    "0/0": (("div", 0, 1), jet(0, 0), jet(0, 0)),
    "logarithm of negative numbers": (("log", 0), jet(-2, -1)),
    "logarithm across 0": (("log", 0), jet(-1, 1)),
    "logarithm from 0": (("log", 0), jet(0, 1)),
    "square root across 0": (("sqrt", 0), jet(-1, 1)),
    "W_0 across -1/e": (("lambertw", 0, 0), jet(-0.5, -0.1)),
    "W_{-1} across -1/e": (("lambertw", 0, -1), jet(-0.5, -0.1)),
    "W_{-1} across 0": (("lambertw", 0, -1), jet(-0.1, 0.1)),
    "W_{-1} up to 0": (("lambertw", 0, -1), jet(-0.1, 0)),
    "infinity minus infinity": (("sub", 0, 1), jet(INF, INF), jet(INF, INF)),
}


@pytest.mark.parametrize("name", HALF_OPEN)
def test_what_is_undefined_is_none(name):
    operation, *jets = HALF_OPEN[name]
    assert apply(operation, *jets) is None


def undefined(p, xp):
    return xp.log(p.u)  # half of the box has none


WRAPPED = {  # nothing that is done to an undefined value may drop it
    "plus": lambda x, xp: x + 1, "minus": lambda x, xp: 1 - x, "product": lambda x, xp: 2 * x, "quotient": lambda x, xp: 1 / x,
    "times 0": lambda x, xp: 0 * x + 1, "0 over it": lambda x, xp: 1 + xp.number(0) / x, "power 0": lambda x, xp: x**0,
    "power 2": lambda x, xp: x**2, "power 4": lambda x, xp: x**4, "minus itself": lambda x, xp: 1 + x - x,
    "minimum": lambda x, xp: xp.minimum(x, xp.number(1)) + 99, "maximum": lambda x, xp: xp.maximum(xp.number(1), x),
    "abs": lambda x, xp: xp.abs(x), "exp": lambda x, xp: xp.exp(x), "indicator": lambda x, xp: 1 + xp.indicator(x),
    "sigmoid": lambda x, xp: xp.sigmoid(x), "softplus": lambda x, xp: xp.softplus(x), "sqrt": lambda x, xp: xp.sqrt(x * x),
    "lambertw_exp": lambda x, xp: xp.lambertw_exp(x), "logisticw": lambda x, xp: xp.logisticw(x * x),
    "lambertw": lambda x, xp: xp.lambertw(x * x, 0),
    "both sides of a minimum": lambda x, xp: xp.minimum(x**2, x**2 + 1),
}  # fmt: skip


@pytest.mark.parametrize("name", WRAPPED)
def test_what_is_undefined_proves_nothing(name):
    claim = as_claim(lambda p, xp: WRAPPED[name](undefined(p, xp), xp))
    judge = statement(claim)
    for box in (((0, 0), (0, 0)), ((0, 1), (0, 0))):
        known, _ = judge.jets(judge.parts(box))
        assert known[judge.margin] is None and letter(claim, box) == "U"
    inside = as_claim(
        lambda p, xp: p.v + 9, where=lambda p, xp: (-1 - WRAPPED[name](undefined(p, xp), xp) ** 2,)
    )
    assert letter(inside, ((0, 1), (0, 0))) == "P"  # the undefined condition excludes nothing


def test_an_undefined_slope_is_no_monotone_one():
    found = apply(("sqrt", 0), jet(0, 1, 0))
    assert found and slope(found) is None
    assert (
        statement(as_claim(lambda p, xp: p.u)).face(
            [interval(0, 1), interval(0, 1)], found[1], True
        )
        is None
    )


@pytest.mark.parametrize(
    ("low", "high", "found", "flat"),
    [
        (0.0, 1.0, (1.0, 1.0), True),
        (-2.0, -1.0, (0.0, 0.0), True),
        (-1.0, 1.0, (0.0, 1.0), False),
        (-1.0, 0.0, (0.0, 1.0), False),
    ],
)
def test_an_indicator_is_flat_only_where_it_is_decided(low, high, found, flat):
    value, slopes = apply(("indicator", 0), jet(low, high, 0))
    assert ends(value) == ends(apply(("indicator", 0), jet(low, high))[0]) == found
    assert slopes == ({} if flat else {0: None})


def test_unbounded_is_not_undefined():
    whole = (-flint.arb("inf"), flint.arb("inf")), {}
    assert ends(apply(("exp", 0), whole)[0]) == (0.0, INF)
    assert ends(apply(("sigmoid", 0), whole)[0]) == (0.0, 1.0) and ends(
        apply(("softplus", 0), whole)[0]
    ) == (0.0, INF)
    assert ends(apply(("mul", 0, 1), jet(0, 1), whole)[0]) == (-INF, INF)
    assert ends(apply(("mul", 0, 1), jet(0, 0), whole)[0]) == (0.0, 0.0)
    assert ends(apply(("div", 0, 1), jet(1, 1), jet(1, INF))[0]) == (0.0, 1.0)
    assert ends(apply(("power", 0, 2), whole)[0]) == (0.0, INF)
    for name in ("lambertw_exp", "logisticw"):
        assert ends(apply((name, 0), jet(0, INF))[0])[1] == INF
    huge = apply(("exp", 0), jet(1e300, 1e300))
    assert huge is None or huge[0][0] > 0 or not huge[0][0] >= 0


@given(first=proper, second=proper)
def test_kinks_have_the_hull_of_both_slopes(first, second):
    (a, b), (c, d) = first, second
    x, y = jet(a, b, 0), jet(c, d, 1)
    low, high = apply(("minimum", 0, 1), x, y), apply(("maximum", 0, 1), x, y)
    if b > c and d > a:  # either may win
        assert all(ends(slope(found, i)) == (0.0, 1.0) for found in (low, high) for i in (0, 1))
    assert ends(low[0]) == (min(a, c), min(b, d)) and ends(high[0]) == (max(a, c), max(b, d))
    flat = apply(("abs", 0), jet(a, b, 0))
    assert (
        ends(slope(flat)) == ((-1.0 if a < 0 else 1.0), (1.0 if b > 0 else -1.0))
        or a == 0
        or b == 0
    )
    assert (
        contains(flat[0], mp.mpf(abs(a))) and contains(flat[0], mp.mpf(abs(b))) and flat[0][0] >= 0
    )


# --- boxes of an axis ------------------------------------------------------------------------------------------------

AXES = [
    Axis("x", 1e-2, 1e4, "log"),
    Axis("x", 1e-9, 1.0, "log"),
    Axis("x", 0.1, 0.3),
    Axis("x", -1.0, 1.0),
    Axis("x", 0.7, 0.7),
    Axis("x", 0.7, 0.7, "log"),
    Axis("x", 1.0, math.nextafter(1.0, 2)),
    Axis("x", 1, 4),
    Axis("x", 1e-3, 1e300, "log"),
]


def plain(axis):
    return [axis.name, axis.low, axis.high, axis.scale]


@pytest.mark.parametrize("bits", [53, 212])
@pytest.mark.parametrize("axis", AXES, ids=str)
def test_boxes_cover_their_axis(axis, bits):
    rng = random.Random(0)
    with flint.ctx.workprec(bits):
        for n in (0, 1, 5):
            parts = [part(plain(axis), k, n) for k in range(2**n)]
            assert parts[0][0] == axis.low and parts[-1][1] == axis.high
            assert all(left[1] >= right[0] for left, right in itertools.pairwise(parts))
            for _ in range(50):
                value = float(axis.at(rng.random()))
                assert any(holds_point(own, value) for own in parts)
        for n in (30, 60):  # deep down, next to the ends and inside
            for k in (0, 2**n // 3, 2**n - 2):
                assert part(plain(axis), k, n)[1] >= part(plain(axis), k + 1, n)[0]


@pytest.mark.parametrize("axis", AXES, ids=str)
def test_boxes_are_rounded_outwards(axis):
    with mpmath.workdps(DIGITS):
        low, high = mp.mpf(axis.low), mp.mpf(axis.high)
        for k, n in ((1, 2), (5, 3), (12345, 20)):
            own = part(plain(axis), k, n)
            for step, end, outwards in ((k, own[0], 1), (k + 1, own[1], -1)):
                share = mp.mpf(step) / 2**n
                true = (
                    low * (high / low) ** share
                    if axis.scale == "log"
                    else low + share * (high - low)
                )
                assert outwards * (exact(end) - true) <= abs(true) * mp.mpf(10) ** -100


@pytest.mark.parametrize(
    ("low", "high"), [(0, 0), (1, 4), (-3, 3), (0, 6), (50, 100), (-1000, 10**9)]
)
def test_an_integer_is_in_exactly_one_box(low, high):
    rng = random.Random(1)
    for n in (0, 1, 2, 3, 7):
        parts = [
            own for k in range(2**n) if (own := part(["n", low, high, "integer"], k, n)) is not None
        ]
        assert parts[0][0] == low and parts[-1][1] == high
        assert all(
            left[1] + 1 == right[0] and left[0] <= left[1]
            for left, right in itertools.pairwise(parts)
        )
    for value in [
        low,
        high,
        *(rng.randint(low, high) for _ in range(20)),
    ]:  # down to the integer itself
        box = [(0, 0)]
        while (own := part(["n", low, high, "integer"], *box[0]))[0] != own[1]:
            halves = checker.halves(box, 0)
            (box,) = [
                half
                for half in halves
                if (x := part(["n", low, high, "integer"], *half[0])) and holds_point(x, value)
            ]
        assert own[0] == value
