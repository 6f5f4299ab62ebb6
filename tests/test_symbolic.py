"""Proofs of identities: what is true is proved, a flipped sign never is, and no attempt hangs."""

import dataclasses
import importlib
import sys
import time

import identities
import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mp

from ascentfail import stationary
from ascentfail.claims import checker
from ascentfail.claims.claim import ClaimError
from ascentfail.claims.evidence import symbolic
from ascentfail.core.errors import MissingExtraError
from ascentfail.line import closed_form
from ascentfail.line import steps as steps_1d
from ascentfail.numerics.arithmetic import JAX
from ascentfail.numerics.sample_losses import LOGISTIC
from ascentfail.plane import bounds as plane_bounds
from ascentfail.plane import equations as plane_equations
from ascentfail.theory import Axis, Claim, Domain, Kind, claims, get
from ascentfail.theory.beyond import (
    beyond_02_displacement,
    beyond_07_alternating,
    beyond_08_logistic_second_order,
    beyond_08_logistic_unridged,
)
from ascentfail.theory.paper.lemma_02_closed_forms import residual

PROVED = (
    "lemma-2.one-coordinate",
    "lemma-2.second-branch",
    "lemma-2.assumptions.repaired",
    "lemma-6",
    "ridge-radial.repaired",
    "beyond-1.identity",
    "beyond-1.ascended-ridge",
    "beyond-1.ascent",
    "beyond-2.quadratic-means",
    "beyond-2.quadratic-sums",
    "beyond-3.first-step-2d",
    "beyond-6.identity",
    "beyond-7.fixed-point",
    "beyond-7.multiplier",
    "beyond-8.3.first-step-2d",
    "beyond-8.7.fixed-point",
    "beyond-8.7.multiplier",
    "beyond-7.second-order",
    "beyond-8.7.second-order",
)


def planted(margin, *, axes=("u", "v"), kind=Kind.EQUALITY, low=0.1, **more):
    box = tuple(Axis(name, low, 2.0) for name in axes)
    return Claim("planted", "", "test", kind, Domain(box), margin, **more)


@pytest.mark.parametrize("claim_id", PROVED)
def test_proves_the_identities_of_the_registry(claim_id):
    evidence = symbolic.prove(get(claim_id))
    assert evidence is not None and evidence.level == "symbolic"


def test_proves_nothing_else_of_the_registry():
    for claim in claims():
        for one in claim.family():
            assert one.id in PROVED or symbolic.prove(one) is None, one.id


# --- planted sign flips ----------------------------------------------------------------------------------------------------


def two_models(p, xp):
    w, c = closed_form.original(p, xp=xp), closed_form.coefficient(p, "original")
    return xp.abs(residual(closed_form.oracle(p, xp=xp), p.b, 1, xp)) + xp.abs(
        residual(w, c, -1, xp)
    )


def first_step(p, xp, sign=-1):
    slope = (lambda m: xp.sigmoid(-m)) if p.loss == "logistic" else (lambda m: xp.exp(-m))
    s1, s2 = stationary.plane(p, "original", loss=p.loss, xp=xp)
    q = plane_equations.cosine(p)
    x, y = plane_equations.margins(s1, s2, q)
    w, big = (
        plane_equations.weights(s1, s2, p.epsilon),
        plane_equations.oracle(p, loss=p.loss, xp=xp)[0],
    )
    oracle = plane_equations.weights(big, 0, p.epsilon)
    retain, forget = p.b * slope(x), p.b * p.alpha / p.phi * slope(y)
    step = (retain + sign * p.epsilon * forget - w[0], p.epsilon * retain + sign * forget - w[1])
    away = p.phi * s1 * (x - big) - (1 + 2 * p.phi) / p.phi * s2 * (y - q * big)
    return step[0] * (w[0] - oracle[0]) + step[1] * (w[1] - oracle[1]) - away / (1 + p.epsilon**2)


def distance(p, xp, sign=-1):
    s1, s2 = stationary.plane(p, "original", xp=xp)
    w, big = plane_equations.weights(s1, s2, p.epsilon), plane_equations.oracle(p, xp=xp)[0]
    oracle, q = plane_equations.weights(big, 0, p.epsilon), plane_equations.cosine(p)
    squared = (w[0] - oracle[0]) ** 2 + (w[1] - oracle[1]) ** 2
    gap = plane_equations.margins(s1, s2, q)[0] - big
    return (1 + p.epsilon**2) * squared - gap**2 - (1 + sign * q * q) * s2**2


def oracle_equation(x, y, p, xp):
    return y + 2 * p.epsilon * p.b * xp.exp(-x)


def displacement(p, means):
    """theta_R - theta_D plus, not minus, the influence formula, one component."""
    one = beyond_02_displacement
    big_a, big_b, ridge = (p.a11, p.a12, p.a22), (p.b11, p.b12, p.b22), (p.ridge, 0, p.ridge)
    share, whole = (p.phi, 1 + p.phi) if means else (1, 1)
    original = one._solve(
        one._sum(one._sum(big_a, share, big_b), whole, ridge),
        one._sum((p.a1, p.a2), share, (p.c1, p.c2)),
    )
    slope = one._sum(one._times(big_b, original), -1, (p.c1, p.c2))
    retain = one._sum(big_a, 1, ridge)
    step = one._solve(retain, one._sum(slope, p.ridge, original) if means else slope)
    return one._solve(retain, (p.a1, p.a2))[0] - original[0] + share * step[0]


def ridge_turn(p, xp):
    (a, b), (c, d) = (
        plane_equations.weights(*stationary.plane(at, "oracle", xp=xp), p.epsilon)
        for at in (p, p.replace(b=p.b * p.factor))
    )
    return a * d + b * c


def unridged_move(p, xp):
    w = xp.log(p.h_retain / p.excess)
    return steps_1d.unridged_step(w, p.h_retain, p.excess, xp)[1] + w


def logistic_return(p, xp):
    at, strength = beyond_08_logistic_unridged.balanced(p, xp)
    down = strength / (1 + at)
    return down + strength * xp.exp(p.excess) / (1 + at * xp.exp(down))


def logistic_multiplier(p, xp):
    big, sinh = beyond_08_logistic_unridged.spread(p, xp)
    return beyond_08_logistic_unridged.multiplier(p, xp) - (1 - 2 * big * sinh - big**2)


def second_order(p, xp, loss):
    """With the sign of the remainder flipped."""
    if loss == "logistic":
        return beyond_08_logistic_second_order._after(
            p, xp
        ) + beyond_08_logistic_second_order._secant(p, xp)
    remainder = p.eta * p.kappa * xp.exp(-p.w) * beyond_07_alternating._beyond_linear(p, xp)
    return beyond_07_alternating.after_second_order(p, xp) - remainder


def forget(p):
    return -(p.r + (1 + p.phi) * p.lam * p.w) / p.phi


FLIPS = {
    "ridge-radial.repaired": ridge_turn,
    "beyond-1.identity": lambda p, xp: (
        -(p.r - forget(p) + p.lam * p.w) + (1 + p.phi) / p.phi * (p.r + p.lam * p.w) - p.lam * p.w
    ),
    "beyond-1.ascended-ridge": lambda p, xp: (
        -(p.r + forget(p)) + (1 + p.phi) / p.phi * (p.r + p.lam * p.w)
    ),
    "beyond-1.ascent": lambda p, xp: forget(p) - p.lam * p.w + (p.r + p.lam * p.w) / p.phi,
    "beyond-2.quadratic-means": lambda p, xp: displacement(p, True),
    "beyond-2.quadratic-sums": lambda p, xp: displacement(p, False),
    "beyond-7.fixed-point": unridged_move,
    "beyond-7.multiplier": lambda p, xp: (
        beyond_07_alternating._multiplier(p, xp) - (1 + p.excess**2)
    ),
    "beyond-8.3.first-step-2d": lambda p, xp: first_step(p.replace(loss=LOGISTIC), xp, sign=1),
    "beyond-8.7.fixed-point": logistic_return,
    "beyond-8.7.multiplier": logistic_multiplier,
    "beyond-7.second-order": lambda p, xp: second_order(p, xp, "exponential"),
    "beyond-8.7.second-order": lambda p, xp: second_order(p, xp, "logistic"),
    "lemma-2.one-coordinate": two_models,
    "lemma-2.second-branch": lambda p, xp: residual(
        closed_form.descent_ascent(p, -1, xp=xp),
        -closed_form.coefficient(p, "descent_ascent"),
        1,
        xp,
    ),
    "lemma-2.assumptions.repaired": lambda p, xp: residual(
        xp.lambertw(p.width * closed_form.coefficient(p, "original"), 0) / p.width,
        closed_form.coefficient(p, "original"),
        -p.width,
        xp,
    ),
    "lemma-6": lambda p, xp: oracle_equation(*plane_equations.oracle(p, xp=xp), p, xp),
    "beyond-3.first-step-2d": lambda p, xp: first_step(p, xp, sign=1),
    "beyond-6.identity": lambda p, xp: distance(p, xp, sign=1),
}


@pytest.mark.parametrize("claim_id", PROVED)
def test_a_flipped_sign_is_not_proved(claim_id):
    claim = get(claim_id)
    assert symbolic.prove(dataclasses.replace(claim, margin=FLIPS[claim_id])) is None


@pytest.mark.parametrize(
    ("claim_id", "margin"),
    [
        ("beyond-3.first-step-2d", first_step),
        ("beyond-6.identity", distance),
        ("beyond-8.3.first-step-2d", lambda p, xp: first_step(p.replace(loss=LOGISTIC), xp)),
    ],
)
def test_the_unflipped_copies_are_proved(claim_id, margin):
    assert symbolic.prove(dataclasses.replace(get(claim_id), margin=margin)) is not None


@pytest.mark.parametrize("claim_id", PROVED)
def test_a_hair_is_not_proved(claim_id):
    claim = get(claim_id)
    off = dataclasses.replace(
        claim, margin=lambda p, xp: claim.margin(p, xp) + next(iter(p.values().values())) / 10**30
    )
    assert symbolic.prove(off) is None
    none = dataclasses.replace(
        claim, margin=lambda p, xp: claim.margin(p, xp) + 0 * next(iter(p.values().values()))
    )
    assert symbolic.prove(none) is not None  # so it is the hair that is refused


@pytest.mark.parametrize("which", ["original", "descent_ascent"])
def test_stationary_points_are_bound_to_their_own_equations(which):
    def equation(p, xp, model):
        s1, s2 = stationary.plane(p, which, xp=xp)
        x, y = plane_equations.margins(s1, s2, plane_equations.cosine(p))
        beta, gamma = plane_equations.pulls(p, model)
        return xp.abs(s1 - beta * xp.exp(-x)) + xp.abs(s2 * s2 - (gamma * xp.exp(-y)) ** 2)

    claim = get("beyond-6.identity")
    for model in ("original", "descent_ascent"):
        proof = symbolic.prove(
            dataclasses.replace(claim, margin=lambda p, xp, m=model: equation(p, xp, m))
        )
        assert (proof is not None) == (model == which)


# --- the procedure ---------------------------------------------------------------------------------------------------------

IDENTITIES = {
    "constants": lambda p, xp: xp.exp(xp.number(1)) * xp.exp(p.u - 1) - xp.exp(p.u),
    "exponents": lambda p, xp: (
        xp.exp(2 * p.u / (1 + p.v)) * xp.exp(2 * p.u * p.v / (1 + p.v)) - xp.exp(p.u) ** 2
    ),
    "logarithms": lambda p, xp: xp.log(p.u * xp.exp(p.v) / p.v) - xp.log(p.u) - p.v + xp.log(p.v),
    "exponential of a logarithm": lambda p, xp: xp.exp(xp.log(p.u) + p.v) - p.u * xp.exp(p.v),
    "W of an exponential": lambda p, xp: (
        xp.lambertw_exp(p.u + xp.log(p.u)) - p.u - (xp.lambertw(p.u * xp.exp(p.u), 0) - p.u)
    ),
    "nested W": lambda p, xp: (
        xp.lambertw(p.u * xp.exp(-xp.lambertw(p.v, 0)), 0)
        * xp.exp(xp.lambertw(p.u * xp.exp(-xp.lambertw(p.v, 0)), 0))
        * p.v
        - p.u * xp.lambertw(p.v, 0)
    ),
    "two ways to write c": lambda p, xp: (
        xp.lambertw(p.u * (1 + p.v), 0) - xp.lambertw(p.u + p.u * p.v, 0)
    ),
    "magnitude of nothing": lambda p, xp: xp.abs(
        xp.abs(p.u - p.u * (1 + p.v) / (1 + p.v)) + (p.u - 1) * p.v - p.u * p.v + p.v
    ),
    "a chart": lambda p, xp: p.u / p.v - 1 / (p.v / p.u),
}
NONE = {
    "branches": lambda p, xp: xp.lambertw(-p.u / 10, 0) - xp.lambertw(-p.u / 10, -1),
    "wrong W": lambda p, xp: xp.lambertw(p.u, 0) * xp.exp(-xp.lambertw(p.u, 0)) - p.u,
    "magnitudes": lambda p, xp: xp.abs(p.u) - xp.abs(p.v),
    "wrong exponents": lambda p, xp: xp.exp(p.u * p.v) - xp.exp(p.u) * xp.exp(p.v),
    "zero over zero": lambda p, xp: (p.u - p.u) / (p.v - p.v),
    "undefined": lambda p, xp: xp.log(p.u - p.u),
    "rounded constants": lambda p, xp: (0.1 + 0.2) * p.u - 0.3 * p.u,
    "a minimum": lambda p, xp: xp.minimum(p.u, p.u) - p.u,
    "a comparison": lambda p, xp: 0 * p.u if p.u > p.v else p.u - p.u,
    "roots": lambda p, xp: xp.sqrt(p.u - p.v) ** 2 - (p.v - p.u),
}


@pytest.mark.parametrize("name", IDENTITIES)
def test_proves(name):
    assert symbolic.prove(planted(IDENTITIES[name])) is not None


def test_the_words_count_the_defining_equations():
    def ends(unknowns):
        def inverse(p, xp):
            return sum(xp.lambertw(x) * xp.exp(xp.lambertw(x)) - x for x in (p.u, p.v)[:unknowns])

        zero = lambda p, xp: 0 * p.u  # noqa: E731
        return symbolic.prove(planted(inverse if unknowns else zero)).words

    said = "the margin is identically zero"
    assert [ends(n) for n in range(3)] == [
        said,
        f"{said}, by 1 defining equation",
        f"{said}, by 2 defining equations",
    ]


@pytest.mark.parametrize("name", NONE)
def test_does_not_prove(name):
    assert symbolic.prove(planted(NONE[name])) is None


def test_a_missing_coordinate_is_said():
    with pytest.raises(ClaimError, match="planted.*nothing"):
        symbolic.prove(planted(lambda p, xp: p.nothing - p.nothing))


def test_only_equalities():
    assert symbolic.prove(planted(lambda p, xp: p.u - p.u, kind=Kind.BOUND)) is None
    assert symbolic.prove(planted(lambda p, xp: p.u - p.u, exclusion=lambda p, xp: p.u)) is None


def test_signs_come_from_the_ranges():
    logarithms = IDENTITIES["logarithms"]
    assert symbolic.prove(planted(logarithms, low=-1.0)) is None
    assert symbolic.coordinate(Axis("n", 1, 4, "integer")).is_integer
    assert symbolic.coordinate(Axis("u", 0.0, 1.0)).is_positive is None


def test_division_by_what_may_vanish_is_not_used():  # u (v - 1)(v - 2) = w e^w gives u only where v is neither 1 nor 2
    unknowns = symbolic.Unknowns()
    u, v = sympy.symbols("u v", positive=True)
    w = unknowns.lambertw(u * (v - 1) * (v - 2), 0)
    assert checker.solvable(w, [equation for _, equation in unknowns.equations]) is None
    assert checker.solvable(w, [u * (v + 1) * (v + 2) - w]) is not None


LEAVES = st.sampled_from(
    [
        "u",
        "v",
        "1",
        "2",
        "exp(u)",
        "exp(-v)",
        "exp(u*v)",
        "1/(1 + u)",
        "log(u)",
        "log(u*v)",
        "log(v)",
    ]
)
TREES = st.recursive(
    LEAVES,
    lambda part: st.tuples(part, st.sampled_from("+-*"), part).map(
        lambda t: f"({t[0]} {t[1]} {t[2]})"
    ),
    max_leaves=5,
)


@given(TREES, TREES)
@settings(max_examples=60)
def test_what_vanishes_is_zero_in_numbers(first, second):
    u, v = sympy.symbols("u v", positive=True)
    a, b = (sympy.sympify(text, {"u": u, "v": v}, evaluate=False) for text in (first, second))
    zero = sympy.expand((a + b) ** 2) - (a * a + 2 * a * b + b * b)
    assert seen(zero) is not False
    for difference in (a - b, a * b - a, sympy.exp(a) - sympy.exp(b)):
        at = sympy.N(difference.subs({u: sympy.Rational(7, 5), v: sympy.Rational(3, 11)}), 40)
        assert not seen(difference) or abs(at) < 1e-25


def seen(expression):
    try:
        return symbolic.vanishes(expression)
    except symbolic.TooLargeError:
        return None


NAMES = tuple("abcdefgh")


def power(p, xp):
    total = sum(p.values().values())
    return (total + 1) ** 60 - (total + 2) ** 60 + xp.exp(total)


def many(p, xp):
    return sum(xp.lambertw(p.a * k + p.b, 0) for k in range(1, 400))


def fraction(p, xp):  # a tree of 2^320 leaves
    value = p.a
    for name in NAMES * 40:
        value = 1 / (value + p.values()[name] ** 3 + value**2)
    return value - p.a


def tower(p, xp):
    value = p.a
    for name in NAMES * 40:
        value = 1 / (value + p.values()[name] ** 3 + xp.exp(value))
    return value - p.a


@pytest.mark.parametrize("margin", [power, many, fraction, tower])
def test_large_attempts_end(margin):
    start = time.monotonic()
    assert symbolic.prove(planted(margin, axes=NAMES)) is None
    assert time.monotonic() - start < 5


# --- identities that stand alone -------------------------------------------------------------------------------------------


def test_every_closed_form_is_stationary():
    found = identities.stationarity()
    assert len(found) == 13
    assert all(value == 0 for value in found.values()), found


@pytest.mark.parametrize(
    ("module", "name", "wrong", "broken"),
    [
        (closed_form, "coefficient", lambda p, which: -p.b, "original"),
        (
            plane_equations,
            "cosine",
            lambda p: 2 * p.epsilon / (1 - p.epsilon**2),
            "original in the plane, 1",
        ),
        (
            plane_equations,
            "weights",
            lambda s1, s2, e: ((s1 - e * s2) / (1 + e * e), s2),
            "descent_ascent in the plane, 2",
        ),
        (
            plane_bounds,
            "duplicate_limit",
            lambda r, k, which, xp: xp.lambertw(r + k, 0),
            "oracle at epsilon = 1",
        ),
    ],
)
def test_a_wrong_closed_form_is_not_stationary(monkeypatch, module, name, wrong, broken):
    monkeypatch.setattr(module, name, wrong)
    assert identities.stationarity()[broken] != 0


def test_two_half_steps():
    w, (rho, kappa, lam) = (
        sympy.Symbol("w", real=True),
        sympy.symbols("rho kappa lam", positive=True),
    )
    pull, push = rho * sympy.exp(-w), kappa * sympy.exp(-w)
    start, first, second, third = identities.alternating_expansion()
    assert start == w
    assert symbolic.vanishes(first - (pull - push - 2 * lam * w))  # simultaneous with ridge 2 lam
    assert symbolic.vanishes(second - (lam - push) * (lam * w - pull))
    assert symbolic.vanishes(third + push * (lam * w - pull) ** 2 / 2)
    assert not symbolic.vanishes(second + (lam - push) * (lam * w - pull))
    _, first, second, third = identities.alternating_expansion("forget-first")
    assert symbolic.vanishes(first - (pull - push - 2 * lam * w))
    assert symbolic.vanishes(second - (lam + pull) * (lam * w + push))
    assert symbolic.vanishes(third - pull * (lam * w + push) ** 2 / 2)
    with pytest.raises(ValueError, match="order = 'both'"):
        identities.alternating_expansion("both")


@pytest.mark.parametrize("order", ["retain-first", "forget-first"])
def test_the_expansion_meets_the_map_to_fourth_order(order):
    values = {"w": 0.75, "rho": 0.375, "kappa": 0.875, "lam": 0.0625}
    w, rho, kappa, lam = (mp.mpf(value) for value in values.values())
    with mpmath.workdps(40):
        exact = {name: sympy.Rational(str(value)) for name, value in values.items()}
        terms = [
            t.subs({s: exact[s.name] for s in t.free_symbols}).evalf(40)
            for t in identities.alternating_expansion(order)
        ]
        terms, rest = [mp.mpf(str(t)) for t in terms], []
        for eta in (mp.mpf("1e-3"), mp.mpf("1e-4")):
            u = w
            for pull in (rho, -kappa) if order == "retain-first" else (-kappa, rho):
                u += eta * (pull * mp.exp(-u) - lam * u)
            rest.append(u - sum(t * eta**k for k, t in enumerate(terms)))
    assert abs(rest[0] / rest[1]) == pytest.approx(1e4, rel=1e-2)


def test_first_step_identity():
    assert identities.first_step() == {"descent_ascent": 0, "ridge treated alike": 0, "ascent": 0}


@pytest.mark.parametrize("losses", ["means", "sums"])
@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_oracle_displacement_of_quadratic_losses(dimension, losses):
    assert identities.oracle_displacement(dimension, losses) == sympy.zeros(dimension, 1)


def test_oracle_displacement_in_numbers():  # what the symbols mean, on least squares
    rng = np.random.default_rng(0)
    x, y, lam, kept = rng.normal(size=(30, 4)), rng.normal(size=30), 0.3, 22

    def fit(rows):
        return np.linalg.solve(
            x[rows].T @ x[rows] / len(rows) + lam * np.eye(4), x[rows].T @ y[rows] / len(rows)
        )

    retain, forget = np.arange(kept), np.arange(kept, 30)
    original = fit(np.arange(30))
    hessian = x[retain].T @ x[retain] / kept + lam * np.eye(4)
    slope = x[forget].T @ (x[forget] @ original - y[forget]) / len(forget)
    moved = len(forget) / kept * np.linalg.solve(hessian, slope + lam * original)
    np.testing.assert_allclose(fit(retain) - original, moved, rtol=1e-10)


def test_bad_input():
    with pytest.raises(ValueError, match="dimension = 4"):
        identities.oracle_displacement(4)
    with pytest.raises(ValueError, match="losses = 'max'"):
        identities.oracle_displacement(1, "max")


def test_distance_identity():
    assert identities.distance_identity() == 0


def test_thresholds():
    found = identities.thresholds()
    p = identities._positive("phi epsilon")
    in_x, in_y = plane_bounds.lower_alphas(p)
    assert symbolic.vanishes(found["line"] - closed_form.wrong_way_alpha(p.phi))
    assert symbolic.vanishes(found["in x"] - in_x) and symbolic.vanishes(found["in y"] - in_y)
    assert not symbolic.vanishes(found["in x"] - in_y)


def test_ordering_thresholds(monkeypatch):
    assert identities.ordering() == {"x": 0, "y": 0, "y, pull": 0}

    def flipped(p, *, xp=JAX):
        first, second = right(p, xp=xp)
        return p.phi * p.phi / first, -second

    right = plane_bounds.ordering_alphas
    monkeypatch.setattr(plane_bounds, "ordering_alphas", flipped)
    found = identities.ordering()
    assert found["x"] != 0 and found["y"] != 0


def test_without_sympy(monkeypatch):
    monkeypatch.setitem(sys.modules, "sympy", None)
    monkeypatch.delitem(sys.modules, "ascentfail.claims.evidence.symbolic")
    with pytest.raises(MissingExtraError, match=r"ascentfail\[certify\]"):
        importlib.import_module("ascentfail.claims.evidence.symbolic")
