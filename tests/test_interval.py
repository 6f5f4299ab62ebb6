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

from ascentfail.arithmetic import MPMATH
from ascentfail.theory import Axis, Claim, Domain, Kind
from ascentfail.theory.claim import Point
from ascentfail.theory.evidence.certificate import axis_box, proves
from ascentfail.theory.evidence.interval import Interval, Jet, jets

XP = jets()
DIGITS = 120
INF = float("inf")
ONE, ZERO = Interval.of(1), Interval.of(0)


def interval(low, high):
    return Interval(flint.arb(low), flint.arb(high))


def exact(end):
    """An end point as an mpf, exactly."""
    if not end.is_finite():
        return mp.nan if end.is_nan() else mp.inf if end > 0 else -mp.inf
    mantissa, exponent = end.man_exp()
    return mp.ldexp(mp.mpf(int(mantissa)), int(exponent))


def contains(enclosure, value):
    """Whether an interval contains a value known to nearly DIGITS digits; an undefined one contains anything."""
    if not enclosure.defined():
        return True
    slack = abs(value) * mp.mpf(10) ** -(DIGITS - 20)
    return exact(enclosure.low) - slack <= value <= exact(enclosure.high) + slack


def ends(enclosure):
    return float(enclosure.low), float(enclosure.high)


# --- one function at a time: values and derivatives, independently in mpmath -----------------------------------------


def w_prime(branch):
    def slope(z):
        w = mp.re(mp.lambertw(z, branch))
        return mp.exp(-w) / (1 + w)

    return slope


def w_exp(y):
    return MPMATH.lambertw_exp(y)


EDGE = -math.exp(-1)
UNARY = {  # name: (function of jets, exact, exact derivative, range of the argument)
    "exp": (XP.exp, mp.exp, mp.exp, (-200.0, 200.0)),
    "log": (XP.log, mp.log, lambda x: 1 / x, (1e-300, 1e300)),
    "sqrt": (XP.sqrt, mp.sqrt, lambda x: 1 / (2 * mp.sqrt(x)), (1e-300, 1e300)),
    "abs": (XP.abs, abs, mp.sign, (-3.0, 3.0)),
    "softplus": (XP.softplus, lambda x: mp.log1p(mp.exp(x)), lambda x: 1 / (1 + mp.exp(-x)), (-300.0, 300.0)),
    "sigmoid": (XP.sigmoid, lambda x: 1 / (1 + mp.exp(-x)), lambda x: 1 / (2 + 2 * mp.cosh(x)), (-300.0, 300.0)),
    "lambertw": (XP.lambertw, lambda z: mp.re(mp.lambertw(z)), w_prime(0), (EDGE + 1e-16, 1e300)),
    "lambertw near 0": (XP.lambertw, lambda z: mp.re(mp.lambertw(z)), w_prime(0), (-1e-9, 1e-9)),
    "lambertw near -1/e": (XP.lambertw, lambda z: mp.re(mp.lambertw(z)), w_prime(0), (EDGE + 1e-16, EDGE + 1e-9)),
    "lower branch": (
        lambda z: XP.lambertw(z, -1),
        lambda z: mp.re(mp.lambertw(z, -1)),
        w_prime(-1),
        (EDGE + 1e-16, -1e-12),
    ),
    "lower branch near -1/e": (
        lambda z: XP.lambertw(z, -1),
        lambda z: mp.re(mp.lambertw(z, -1)),
        w_prime(-1),
        (EDGE + 1e-16, EDGE + 1e-9),
    ),
    "lambertw_exp": (XP.lambertw_exp, w_exp, lambda y: w_exp(y) / (1 + w_exp(y)), (-600.0, 600.0)),
    "lambertw_exp huge": (XP.lambertw_exp, w_exp, lambda y: w_exp(y) / (1 + w_exp(y)), (90.0, 1e17)),
    "logisticw": (
        XP.logisticw, MPMATH.logisticw, lambda c: (lambda w: 1 / (1 + (1 + w) * mp.exp(w)))(MPMATH.logisticw(c)), (-50.0, 1e6)
    ),
    "square": (lambda x: x**2, lambda x: x**2, lambda x: 2 * x, (-5.0, 5.0)),
    "cube": (lambda x: x**3, lambda x: x**3, lambda x: 3 * x**2, (-5.0, 5.0)),
    "product with itself": (lambda x: x * x, lambda x: x**2, lambda x: 2 * x, (-5.0, 5.0)),
    "power one": (lambda x: x**1, lambda x: x, lambda x: mp.one, (-5.0, 5.0)),
    "power nought": (lambda x: x**0, lambda x: mp.one, lambda x: mp.zero, (-5.0, 5.0)),
    "reciprocal": (lambda x: 1 / x, lambda x: 1 / x, lambda x: -1 / x**2, (-5.0, 5.0)),
}


@pytest.mark.parametrize("bits", [53, 212])
@pytest.mark.parametrize("name", UNARY)
@given(data=st.data())
def test_functions_enclose_values_and_slopes(name, bits, data):
    function, value, slope, (low, high) = UNARY[name]
    numbers = st.floats(low, high)
    a, b = sorted((data.draw(numbers), data.draw(numbers)))
    x = a + (b - a) * data.draw(st.floats(0, 1))
    x = min(max(x, a), b)
    with flint.ctx.workprec(bits), mpmath.workdps(DIGITS):
        plain = function(interval(a, b))
        jet = function(Jet(interval(a, b), (ONE, ZERO)))
        assert plain.defined() == jet.value.defined()
        for at in {a, b, x}:
            if at == 0 and name in ("abs", "reciprocal"):
                continue
            assert contains(jet.value, value(mp.mpf(at))) and contains(plain, value(mp.mpf(at)))
            assert contains(jet.slope[0], slope(mp.mpf(at)))
        assert ends(jet.slope[1]) == (0.0, 0.0)


def test_precision_narrows_the_enclosures():
    def width(bits):
        with flint.ctx.workprec(bits):
            found = XP.lambertw(Interval.of(2))
            return exact(found.high) - exact(found.low)

    with mpmath.workdps(DIGITS):
        assert 0 < width(212) < mp.mpf(2) ** -200 < width(53) < mp.mpf(2) ** -50


def test_exact_ends_stay_exact():
    assert ends(XP.exp(interval(0, 1)))[0] == 1.0 and XP.exp(interval(0, 1)).low == 1
    assert (XP.exp(interval(0, 1)) - 1).at_least_zero() and not (XP.exp(interval(0, 1)) - 1).above_zero()
    assert XP.lambertw(ZERO).low == 0 and XP.lambertw(ZERO).high == 0
    assert (interval(-1, 2) ** 2).low == 0 and XP.sqrt(interval(0, 4)).low == 0


# --- two arguments, constants on both sides --------------------------------------------------------------------------

BINARY = {
    "+": (lambda a, b: a + b, lambda a, b: (1, 1)),
    "-": (lambda a, b: a - b, lambda a, b: (1, -1)),
    "*": (lambda a, b: a * b, lambda a, b: (b, a)),
    "/": (lambda a, b: a / b, lambda a, b: (1 / b, -a / b**2)),
    "min": (lambda a, b: XP.minimum(a, b) if lifted(a, b) else min(a, b), lambda a, b: (a < b, b < a)),
    "max": (lambda a, b: XP.maximum(a, b) if lifted(a, b) else max(a, b), lambda a, b: (a > b, b > a)),
}


def lifted(*values):
    return any(isinstance(value, Interval | Jet) for value in values)


finite = st.one_of(st.floats(-8, 8), st.integers(-3, 3).map(float))
proper = st.lists(finite, min_size=2, max_size=2, unique=True).map(sorted)


@pytest.mark.parametrize("bits", [53, 212])
@pytest.mark.parametrize("name", BINARY)
@given(corners=st.tuples(finite, finite, finite, finite), place=st.tuples(st.floats(0, 1), st.floats(0, 1)))
def test_binary_operations_enclose_values_and_slopes(name, bits, corners, place):
    operation, slopes = BINARY[name]
    (a, b), (c, d) = sorted(corners[:2]), sorted(corners[2:])
    points = itertools.product(
        (a, b, min(max(a + (b - a) * place[0], a), b)), (c, d, min(max(c + (d - c) * place[1], c), d))
    )
    with flint.ctx.workprec(bits), mpmath.workdps(DIGITS):
        found = operation(Jet(interval(a, b), (ONE, ZERO)), Jet(interval(c, d), (ZERO, ONE)))
        plain = operation(interval(a, b), interval(c, d))
        assert plain.defined() == found.value.defined() == (name != "/" or not c <= 0 <= d)
        for x, y in points:
            if plain.defined() and not (name in ("min", "max") and x == y):
                value = operation(mp.mpf(x), mp.mpf(y))
                assert contains(found.value, value) and contains(plain, value)
                for mine, true in zip(found.slope, slopes(mp.mpf(x), mp.mpf(y)), strict=True):
                    assert contains(mine, mp.mpf(true))


@pytest.mark.parametrize("constant", [3, -2, 0.1, Interval.of(5), 10**30])
@pytest.mark.parametrize("name", BINARY)
def test_constants_on_both_sides(name, constant):
    operation, slopes = BINARY[name]
    jet = Jet(interval(0.25, 0.5), (ONE, ZERO))
    with mpmath.workdps(DIGITS):
        plain = exact(constant.low) if isinstance(constant, Interval) else mp.mpf(constant)
        for x in (mp.mpf(0.25), mp.mpf(0.375), mp.mpf(0.5)):
            for found, value, slope in (
                (operation(jet, constant), operation(x, plain), slopes(x, plain)[0]),
                (operation(constant, jet), operation(plain, x), slopes(plain, x)[1]),
            ):
                assert (
                    found.value.defined() and contains(found.value, value) and contains(found.slope[0], mp.mpf(slope))
                )
                assert ends(found.slope[1]) == (0.0, 0.0)
            both = operation(interval(0.25, 0.5), constant)
            assert contains(both, operation(x, plain))


def test_floats_are_their_binary_value():
    assert ends(Interval.of(0.1)) == (0.1, 0.1) and exact(Interval.of(0.1).low) == mp.mpf(0.1)
    assert contains(Interval.of(10**40), mp.mpf(10**40))


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
    outer, left, right = rng.choice(BINARIES), expression(rng, depth - 1), expression(rng, depth - 1)
    return lambda p, xp: outer(left(p, xp), right(p, xp), xp)


def true_value(formula, u, v):
    """The value in many digits, NaN where it is undefined."""
    try:
        value = formula(Point(u=mp.mpf(u), v=mp.mpf(v)), MPMATH)
    except (ZeroDivisionError, TypeError, ValueError):  # a complex number met on the way
        return mp.nan
    return mp.nan if isinstance(value, mpmath.mpc) else mp.mpf(value)


@pytest.mark.parametrize("seed", range(150))
def test_random_expressions_enclose_values_and_difference_quotients(seed):
    """Along an axis every difference quotient lies in the slope, also across kinks: that is what the faces rest on."""
    rng = random.Random(seed)
    formula = expression(rng, 4)
    (a, b), (c, d) = sorted((rng.uniform(-2, 2), rng.uniform(-2, 2))), sorted((rng.uniform(-2, 2), rng.uniform(-2, 2)))
    shrink = rng.choice([1, 0.1, 1e-3])
    b, d = a + shrink * (b - a), c + shrink * (d - c)
    jet = formula(Point(u=Jet(interval(a, b), (ONE, ZERO)), v=Jet(interval(c, d), (ZERO, ONE))), XP)
    if not isinstance(jet, Jet):
        jet = Jet(jet, (ZERO, ZERO))
    with mpmath.workdps(DIGITS):
        for _ in range(8):
            u, v, w = rng.choice([a, b, rng.uniform(a, b)]), rng.choice([c, d, rng.uniform(c, d)]), rng.uniform(a, b)
            first, second = true_value(formula, u, v), true_value(formula, w, v)
            third = true_value(formula, u, z := rng.uniform(c, d))
            if mp.isnan(first):
                assert not jet.value.defined()
            elif mp.isfinite(first):
                assert contains(jet.value, first)
            if u != w and mp.isfinite(first) and mp.isfinite(second):
                assert contains(jet.slope[0], (second - first) / (mp.mpf(w) - u))
            if v != z and mp.isfinite(first) and mp.isfinite(third):
                assert contains(jet.slope[1], (third - first) / (mp.mpf(z) - v))


def towards(axes, target, halvings):
    """The boxes of a bisection that keeps a target, from the whole domain down."""
    box = [(0, 0)] * len(axes)
    yield tuple(box)
    for i in range(halvings):
        axis, (k, n) = axes[i % len(axes)], box[i % len(axes)]
        halves = [side for side in (0, 1) if holds_point(axis_box(axis, 2 * k + side, n + 1), target[i % len(axes)])]
        assert halves, "neighbouring boxes leave a gap"
        box[i % len(axes)] = (2 * k + halves[-1], n + 1)
        yield tuple(box)


def holds_point(part, value):
    return part.low <= value <= part.high


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

    margin = Claim("m", "", "test", Kind.BOUND, Domain(axes), below)
    tie = Claim("t", "", "test", Kind.BOUND, Domain(axes), lambda p, xp: formula(p, xp) - level, strict=True)
    side = Claim("s", "", "test", Kind.BOUND, Domain(axes, where=lambda p, xp: (above(p, xp),)), lambda p, xp: p.u + 9)
    for box in towards(axes, target, 24):
        assert proves(margin, box) == "U", "a box with a violation, or with an undefined margin, is proved"
        if known:
            assert proves(side, box) == "P"
            if at <= level:
                assert proves(tie, box) == "U"


# --- what is undefined -----------------------------------------------------------------------------------------------

NAN = Interval.nan()
UNDEFINED = {
    "division by an interval with 0 inside": lambda: ONE / interval(-1, 1),
    "division by an interval from 0": lambda: ONE / interval(0, 1),
    "division by 0": lambda: ONE / ZERO,
    "0/0": lambda: ZERO / ZERO,
    "logarithm of negative numbers": lambda: XP.log(interval(-2, -1)),
    "logarithm across 0": lambda: XP.log(interval(-1, 1)),
    "minus a logarithm across 0": lambda: -XP.log(interval(-1, 0.5)),
    "square root across 0": lambda: XP.sqrt(interval(-1, 1)),
    "W_0 across -1/e": lambda: XP.lambertw(interval(-0.5, -0.1)),
    "minus W_0 across -1/e": lambda: -XP.lambertw(interval(-0.5, -0.1)),
    "W_{-1} across -1/e": lambda: XP.lambertw(interval(-0.5, -0.1), -1),
    "10 + W_{-1} across -1/e": lambda: 10 + XP.lambertw(interval(-0.5, -0.1), -1),
    "W_{-1} across 0": lambda: XP.lambertw(interval(-0.1, 0.1), -1),
    "square of NaN": lambda: NAN**2,
    "fourth power of W_0 across -1/e": lambda: XP.lambertw(interval(-0.5, 5)) ** 4,
    "square root squared": lambda: XP.sqrt(interval(-1, 1)) ** 2,
    "0 times NaN": lambda: 0 * NAN,
    "NaN times 0": lambda: NAN * interval(0, 0),
    "NaN times positive": lambda: interval(1, 2) * NAN,
    "NaN in a minimum": lambda: XP.minimum(ONE, NAN),
    "NaN in a maximum": lambda: XP.maximum(NAN, ONE),
    "half a NaN": lambda: Interval(flint.arb(1), flint.arb("nan")),
    "the other half": lambda: -Interval(flint.arb("nan"), flint.arb(-1)),
    "infinity minus infinity": lambda: (
        Interval(-flint.arb("inf"), flint.arb("inf")) * 0 + (interval(1, 2) / interval(0, 1))
    ),
    "a NaN constant": lambda: Interval.of(float("nan")),
    "an infinite constant": lambda: 0 * Interval.of(INF),
    **{f"{name} of NaN": lambda name=name: UNARY[name][0](NAN) for name in UNARY if name != "power nought"},
}


@pytest.mark.parametrize("name", UNDEFINED)
def test_what_is_undefined_proves_nothing(name):
    found = UNDEFINED[name]()
    assert not found.defined()
    for said in (found.at_least_zero, found.above_zero, found.below_zero, found.at_most_zero):
        assert not said()


def test_an_undefined_slope_is_no_monotone_one():
    for jet in (
        XP.sqrt(Jet(interval(0, 1), (ONE,))),
        XP.lambertw(Jet(interval(-0.3679, 1), (ONE,))),
        XP.log(Jet(interval(0, 1), (ONE,))),
    ):
        assert not jet.slope[0].at_least_zero() and not jet.slope[0].at_most_zero()


@pytest.mark.parametrize(
    ("low", "high", "found", "flat"),
    [
        (0.0, 1.0, (1.0, 1.0), True), (-2.0, -1.0, (0.0, 0.0), True),
        (-1.0, 1.0, (0.0, 1.0), False), (-1.0, 0.0, (0.0, 1.0), False),
    ],
)
def test_an_indicator_is_flat_only_where_it_is_decided(low, high, found, flat):
    jet = XP.indicator(Jet(interval(low, high), (ONE, ZERO)))
    assert ends(jet.value) == ends(XP.indicator(interval(low, high))) == found
    assert all(slope.defined() == flat for slope in jet.slope)


def test_unbounded_is_not_undefined():
    whole = Interval(-flint.arb("inf"), flint.arb("inf"))
    assert (
        ends(XP.exp(whole)) == (0.0, INF)
        and ends(XP.sigmoid(whole)) == (0.0, 1.0)
        and ends(XP.softplus(whole)) == (0.0, INF)
    )
    assert ends(interval(0, 1) * whole) == (-INF, INF) and ends(interval(0, 0) * whole) == (0.0, 0.0)
    assert ends(ONE / Interval(ONE.low, flint.arb("inf"))) == (0.0, 1.0)
    assert ends(whole**2) == (0.0, INF) and not whole.at_least_zero() and not (whole - whole).above_zero()
    assert XP.exp(Interval.of(1e300)).low > 0 or not XP.exp(Interval.of(1e300)).above_zero()


def test_negative_fractional_and_foreign_powers_are_refused():
    for value in (interval(1, 2), Jet(interval(1, 2), (ONE,))):
        for exponent in (-1, 0.5, 2.0):
            with pytest.raises(TypeError):
                value**exponent


def test_intervals_are_not_compared_silently():
    """`p.u == 0.5` in a margin would be False on every box that contains 0.5."""
    for value in (interval(0, 1), Jet(interval(0, 1), (ONE,))):
        for said in (lambda v: v == 0.5, lambda v: v != 0.5, lambda v: v < 0.5, lambda v: v >= 0.5, bool):
            with pytest.raises(TypeError):
                said(value)


@given(first=proper, second=proper)
def test_kinks_have_the_hull_of_both_slopes(first, second):
    (a, b), (c, d) = first, second
    x, y = Jet(interval(a, b), (ONE, ZERO)), Jet(interval(c, d), (ZERO, ONE))
    low, high = XP.minimum(x, y), XP.maximum(x, y)
    if b > c and d > a:  # either may win
        assert all(ends(s) == (0.0, 1.0) for s in (*low.slope, *high.slope))
    assert ends(low.value) == (min(a, c), min(b, d)) and ends(high.value) == (max(a, c), max(b, d))
    flat = XP.abs(Jet(interval(a, b), (ONE,)))
    assert ends(flat.slope[0]) == ((-1.0 if a < 0 else 1.0), (1.0 if b > 0 else -1.0)) or a == 0 or b == 0
    assert contains(flat.value, mp.mpf(abs(a))) and contains(flat.value, mp.mpf(abs(b)))


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


@pytest.mark.parametrize("bits", [53, 212])
@pytest.mark.parametrize("axis", AXES, ids=str)
def test_boxes_cover_their_axis(axis, bits):
    rng = random.Random(0)
    with flint.ctx.workprec(bits):
        for n in (0, 1, 5):
            parts = [axis_box(axis, k, n) for k in range(2**n)]
            assert parts[0].low == axis.low and parts[-1].high == axis.high
            assert all(left.high >= right.low for left, right in itertools.pairwise(parts))
            for _ in range(50):
                value = float(axis.at(rng.random()))
                assert any(holds_point(part, value) for part in parts)
        for n in (30, 60):  # deep down, next to the ends and inside
            for k in (0, 2**n // 3, 2**n - 2):
                assert axis_box(axis, k, n).high >= axis_box(axis, k + 1, n).low


@pytest.mark.parametrize("axis", AXES, ids=str)
def test_boxes_are_rounded_outwards(axis):
    with mpmath.workdps(DIGITS):
        low, high = mp.mpf(axis.low), mp.mpf(axis.high)
        for k, n in ((1, 2), (5, 3), (12345, 20)):
            part = axis_box(axis, k, n)
            for step, end, outwards in ((k, part.low, 1), (k + 1, part.high, -1)):
                share = mp.mpf(step) / 2**n
                true = low * (high / low) ** share if axis.scale == "log" else low + share * (high - low)
                assert outwards * (exact(end) - true) <= abs(true) * mp.mpf(10) ** -100
