"""The judge: many digits, two precisions, raw numbers, and no word of whoever found the point."""

import ast
import inspect
import math

import pytest
from mpmath import mp

from ascentfail.claims.evidence import recheck as judge
from ascentfail.numerics.arithmetic import MPMATH
from ascentfail.theory import Axis, Claim, Domain, Kind, get, recheck

X = Axis("x", 0.0, 1.0)


def planted(margin, kind=Kind.BOUND, where=None, axes=(X,), **rest):
    return Claim(
        "planted",
        "planted",
        "tests",
        kind,
        Domain(axes, where=where, words="planted"),
        margin,
        **rest,
    )


def test_it_imports_nothing_that_searches():
    imported = set()
    for node in ast.walk(ast.parse(inspect.getsource(judge))):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(node.module or "")
    allowed = (
        "__future__",
        "ascentfail.numerics.arithmetic",
        "ascentfail.claims.claim",
        "ascentfail.claims.evidence.formula",
        "collections",
        "dataclasses",
        "fractions",
        "math",
        "mpmath",
        "typing",
    )
    strangers = {name for name in imported if not name.startswith(allowed)}
    assert not {
        name
        for name in strangers
        if "evidence" in name or name.split(".")[0] in ("jax", "numpy", "optax", "flint")
    }


def test_fifty_digits_by_default():
    found = recheck(planted(lambda p, xp: -1 - p.x), {"x": 0.25})
    assert (found.inside, found.digits, found.violated) == (True, 50, True)
    assert judge.DIGITS == 50
    assert judge.confirm(planted(lambda p, xp: -1 - p.x), {"x": 0.25}).digits == 50


@pytest.mark.parametrize("digits", [10, 50, 80, 200])
def test_the_digits_asked_for_are_the_digits_given(digits):
    found = recheck(planted(lambda p, xp: -xp.exp(p.x)), {"x": 0.25}, digits)
    assert found.digits == digits and found.violated
    with mp.workdps(digits + 20):
        assert abs(found.margin + mp.exp(mp.mpf(0.25))) < mp.mpf(10) ** (2 - digits)


def test_floats_are_taken_at_their_exact_binary_value():
    tenth = planted(lambda p, xp: xp.number(1) / 10 - p.x)  # the float 0.1 is 5.55e-18 above 1/10
    assert recheck(tenth, {"x": 0.1}).violated
    assert not recheck(planted(lambda p, xp: p.x - xp.number(1) / 10), {"x": 0.1}).violated


def test_the_precision_of_the_caller_neither_matters_nor_moves():
    claim = planted(
        lambda p, xp: xp.exp(p.x) - xp.exp(xp.number(1) / 4) - xp.number(1) / mp.mpf(10) ** 30
    )
    before = mp.dps
    with mp.workdps(5):
        assert recheck(claim, {"x": 0.25}).violated
        assert mp.dps == 5
    assert mp.dps == before


def test_points_outside_the_side_conditions_are_refused():
    claim = planted(lambda p, xp: -1 - p.x, where=lambda p, xp: (p.x - xp.number(1) / 2, 1 - p.x))
    outside, inside, edge = (recheck(claim, {"x": x}) for x in (0.25, 0.75, 0.5))
    assert (outside.inside, outside.violated) == (False, False)
    assert inside.violated and edge.violated
    assert not recheck(claim, {"x": math.nextafter(0.5, 0)}).inside  # by one unit in the last place
    assert judge.confirm(claim, {"x": 0.25}) is None


def test_an_undefined_side_condition_is_outside():
    claim = planted(lambda p, xp: -1 - p.x, where=lambda p, xp: (xp.lambertw(-p.x, 0) + 1,))
    assert not recheck(claim, {"x": 0.9}).inside
    assert recheck(claim, {"x": 0.1}).violated


def test_nan_refutes_nothing():
    found = recheck(planted(lambda p, xp: xp.lambertw(-p.x, 0) - 5), {"x": 0.9})
    assert (found.digits, found.violated) == (0, False) and mp.isnan(found.margin)
    assert not recheck(planted(lambda p, xp: -1 - p.x), {"x": math.nan}).violated


@pytest.mark.parametrize("kind", [Kind.BOUND, Kind.EQUALITY, Kind.ORDERING])
def test_a_margin_that_depends_on_the_precision_refutes_nothing(kind):
    flips = planted(lambda p, xp: mp.mpf(-1) if mp.dps < 120 else mp.mpf(1), kind)
    drifts = planted(lambda p, xp: -1 - (mp.mpf(10) ** -20 if mp.dps > 120 else 0), kind)
    vanishes = planted(lambda p, xp: -(mp.mpf(10) ** -5) if mp.dps < 120 else mp.zero, kind)
    appears = planted(lambda p, xp: mp.zero if mp.dps < 120 else mp.mpf(-1), kind)
    for claim in (flips, drifts, vanishes, appears):
        found = recheck(claim, {"x": 0.5})
        assert not found.violated and found.digits < 50
        assert judge.confirm(claim, {"x": 0.5}) is None
    assert recheck(drifts, {"x": 0.5}).digits == 20


def test_an_identity_that_leaves_only_rounding_is_zero():
    claim = planted(lambda p, xp: xp.exp(xp.log(p.x)) - p.x, Kind.EQUALITY)
    found = recheck(claim, {"x": 0.3})
    assert (found.margin, found.digits, found.violated) == (0, 50, False)


@pytest.mark.parametrize(
    ("margin", "kind", "strict", "violated"),
    [
        (0, Kind.BOUND, False, False),
        (0, Kind.BOUND, True, True),
        (0, Kind.EQUALITY, False, False),
        (1, Kind.EQUALITY, False, True),
        (-1, Kind.EQUALITY, False, True),
        (1, Kind.BOUND, True, False),
        (-1, Kind.BOUND, False, True),
        (-1, Kind.LIMIT, False, True),
        (-1, Kind.PROBABILITY, False, True),
    ],
)
def test_what_counts_as_a_violation(margin, kind, strict, violated):
    claim = planted(lambda p, xp: margin + 0 * p.x, kind, strict=strict)
    assert recheck(claim, {"x": 0.5}).violated is violated


@pytest.mark.parametrize("strict", [False, True])
def test_rounding_is_no_exact_zero(strict):
    # zero, and about 1e-101 in the arithmetic of the re-check: no digits tell it from what is positive and very small
    claim = planted(lambda p, xp: xp.exp(p.x) * xp.exp(2 * p.x) - xp.exp(3 * p.x), strict=strict)
    found = recheck(claim, {"x": 0.7})
    assert found.margin == 0 and found.vanishing and not found.violated


def test_a_true_strict_margin_is_settled_however_small():
    claim = planted(lambda p, xp: xp.log(1 + xp.exp(2000 + p.x)) - 2000 - p.x, strict=True)
    found = recheck(claim, {"x": 0.5})
    assert (
        0 < found.margin < mp.mpf(10) ** -800
        and not found.vanishing
        and found.digits == 50
        and not found.violated
    )
    beyond = planted(lambda p, xp: xp.log(1 + xp.exp(20000 + p.x)) - 20000 - p.x, strict=True)
    assert recheck(beyond, {"x": 0.5}).vanishing and not recheck(beyond, {"x": 0.5}).violated


EXACT = {  # name: (margin at x = 1/4, whether it is exactly zero)
    "a difference": (lambda p, xp: p.x - xp.number(1) / 4, True),
    "one and the same": (lambda p, xp: xp.exp(p.x) - xp.exp(p.x), True),
    "zero times anything": (lambda p, xp: (4 * p.x - 1) * xp.exp(p.x), True),
    "a root": (lambda p, xp: xp.sqrt(p.x) - xp.number(1) / 2, True),
    "a root as a power": (lambda p, xp: p.x**0.5 - xp.number(1) / 2, True),
    "a root that is none": (
        lambda p, xp: xp.sqrt(2 * p.x) * xp.sqrt(2 * p.x) - xp.number(1) / 2,
        False,
    ),
    "a logarithm": (lambda p, xp: xp.log(4 * p.x), True),
    "an exponential": (lambda p, xp: xp.exp(4 * p.x - 1) - 1, True),
    "W": (lambda p, xp: xp.lambertw(4 * p.x - 1), True),
    "a power": (lambda p, xp: p.x**2 - xp.number(1) / 16, True),
    "a product": (lambda p, xp: (p.x + p.x) * p.x - xp.number(1) / 8, True),
    "a high power": (lambda p, xp: (4 * p.x) ** 999 - 1, True),
    "a power too high to be written out": (
        lambda p, xp: (3 * p.x + xp.number(1) / 4) ** 1000 - 1,
        False,
    ),
    "a root of a fraction without one": (
        lambda p, xp: xp.sqrt(3 * p.x) * xp.sqrt(xp.number(12)) - 3,
        False,
    ),
    "a quotient": (lambda p, xp: 1 / p.x - 4, True),
    "the least": (lambda p, xp: xp.minimum(p.x - xp.number(1) / 4, p.x), True),
    "the largest": (lambda p, xp: xp.maximum(p.x - xp.number(1) / 4, -p.x), True),
    "a size": (lambda p, xp: xp.abs(1 - 4 * p.x), True),
    "a step": (lambda p, xp: 1 - xp.indicator(p.x), True),
    "a decimal": (lambda p, xp: 0.1 * p.x - p.x / 10, True),
    "e^x e^-x": (lambda p, xp: xp.exp(p.x) * xp.exp(-p.x) - 1, False),
}


@pytest.mark.parametrize("name", EXACT)
def test_only_fractions_say_that_a_margin_is_exactly_zero(name):
    margin, exact = EXACT[name]
    found = recheck(planted(margin, strict=True), {"x": 0.25})
    assert found.margin == 0 and found.vanishing is not exact and found.violated is exact


def test_an_exclusion_is_what_decides_where_there_is_one():
    claim = planted(
        lambda p, xp: -2 - p.x, Kind.LIMIT, exclusion=lambda p, xp: p.x - xp.number(1) / 2
    )
    assert recheck(claim, {"x": 0.25}).violated and not recheck(claim, {"x": 0.75}).violated
    assert float(recheck(claim, {"x": 0.25}).margin) == -0.25
    existence = planted(
        lambda p, xp: p.z - 5,
        Kind.EXISTENCE,
        inner=(Axis("z", 0.0, 1.0),),
        exclusion=lambda p, xp: -4 + 0 * p.x,
    )
    assert recheck(existence, {"x": 0.5}).violated  # the inner variable is not needed


def test_a_counterexample_says_what_it_excludes():
    claim = planted(
        lambda p, xp: -2 - p.x,
        Kind.LIMIT,
        exclusion=lambda p, xp: -1 - p.x,
        exclusion_words="all later terms",
    )
    found = judge.confirm(claim, {"x": 0.5})
    assert found.bound == "all later terms" and found.to_json()["bound"] == "all later terms"
    assert "bound" not in judge.confirm(planted(lambda p, xp: -1 - p.x), {"x": 0.5}).to_json()


def test_it_solves_the_implicit_points_by_its_own_route():
    point = {"epsilon": 0.5, "phi": 0.1, "b": 100.0, "alpha": 2.0}
    found = recheck(get("lemma-12.wlog"), point)
    assert found.violated and found.digits == 50
    assert not recheck(get("lemma-12.wlog"), {**point, "alpha": 0.5}).violated


# --- found by trying ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("claim", "point"),
    [
        (planted(lambda p, xp: -p.x, axes=(Axis("x", -2.0, -1.0),)), {"x": 5.0}),
        (planted(lambda p, xp: 3 - p.n, axes=(Axis("n", 0, 3, "integer"),)), {"n": 3.5}),
        (get("lemma-12"), {"epsilon": 0.5, "phi": 0.1, "retain_pull": 0.5, "t": 1.5}),
    ],
    ids=["box", "integers", "lemma-12-past-alpha-1"],
)
def test_points_outside_the_box_are_refused(claim, point):
    assert not recheck(claim, point).violated


def test_minimum_and_maximum_keep_nan():
    for function in (MPMATH.minimum, MPMATH.maximum):
        assert mp.isnan(function(mp.mpf(-1), mp.nan)) and mp.isnan(function(mp.nan, mp.mpf(-1)))


def test_no_counterexample_where_a_part_of_the_margin_is_undefined():
    assert not recheck(get("lemma-2.extrema"), {"phi": 0.06, "b": 10000.0, "depth": 0.0}).violated


def test_an_infinity_refutes_and_a_pole_does_not():
    found = recheck(planted(lambda p, xp: xp.log(p.x)), {"x": 0.0})
    assert found.violated and found.margin == -mp.inf and found.digits == 50
    found = recheck(planted(lambda p, xp: 1 - 1 / p.x), {"x": 0.0})
    assert not found.violated and mp.isnan(found.margin) and found.digits == 0


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.EXISTENCE])
def test_where_a_margin_is_undefined_it_refutes_nothing(kind):
    bound = {} if kind is Kind.EQUALITY else {"exclusion": lambda p, xp: -1 - p.x}
    found = recheck(planted(lambda p, xp: xp.log(-1 - p.x), kind, **bound), {"x": 0.5})
    assert found.margin == -1.5 if bound else mp.isnan(found.margin)
    assert not found.violated


@pytest.mark.parametrize("place", ["margin", "side condition"])
def test_a_complex_value_is_undefined(place):
    def root(p, xp):
        return xp.sqrt(p.x - 1)

    claim = (
        planted(root)
        if place == "margin"
        else planted(lambda p, xp: -1 - p.x, where=lambda p, xp: (root(p, xp),))
    )
    assert not recheck(claim, {"x": 0.5}).violated
