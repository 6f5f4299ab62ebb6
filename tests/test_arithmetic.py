"""Every closed form in four arithmetics: JAX, mpmath, Arb balls and SymPy agree, and a missing extra says how to get it."""

import copy
import inspect
import sys

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from hypothesis import example, given, settings
from strategies import ratio_points, ratios, real, scale

from ascentfail.core.errors import MissingExtraError
from ascentfail.line import closed_form
from ascentfail.numerics import arithmetic
from ascentfail.numerics.arithmetic import JAX, MPMATH
from ascentfail.numerics.sample_losses import LOSSES
from ascentfail.plane import bounds as plane_bounds
from ascentfail.plane import equations as plane_equations

# One entry a public function: (p, xp) -> tuple of numbers. Where a formula takes more than ratios, ratios stand in for them: the
# arithmetics must agree at every argument, not only at the meaningful ones.
ON_THE_LINE = {
    "coefficient": lambda p, xp: tuple(
        closed_form.coefficient(p, m) for m in ("original", "oracle", "descent_ascent")
    ),
    "original": lambda p, xp: (closed_form.original(p, xp=xp),),
    "oracle": lambda p, xp: (closed_form.oracle(p, xp=xp),),
    "descent_ascent": lambda p, xp: (closed_form.descent_ascent(p, xp=xp),),
    "curvature": lambda p, xp: (closed_form.curvature(p.b),),
    "with_ridges": lambda p, xp: (closed_form.with_ridges(p, 2, xp=xp),),
    "first_step": lambda p, xp: (closed_form.first_step(p, xp=xp),),
    "wrong_way_alpha": lambda p, xp: (closed_form.wrong_way_alpha(p.phi),),
    "existence_alpha": lambda p, xp: (closed_form.existence_alpha(p, xp=xp),),
    "displacement_bound": lambda p, xp: (closed_form.displacement_bound(p, xp=xp),),
}
IN_THE_PLANE = {
    "cosine": lambda p, xp: (plane_equations.cosine(p),),
    "one_minus_cosine": lambda p, xp: (plane_equations.one_minus_cosine(p),),
    "retain_strength": lambda p, xp: tuple(
        plane_equations.retain_strength(p, m) for m in ("original", "oracle")
    ),
    "pulls": lambda p, xp: (
        plane_equations.pulls(p, "original") + plane_equations.pulls(p, "descent_ascent")
    ),
    "margins": lambda p, xp: plane_equations.margins(p.b, p.phi, p.epsilon),
    "weights": lambda p, xp: plane_equations.weights(p.b, p.phi, p.epsilon),
    "oracle": lambda p, xp: plane_equations.oracle(p, xp=xp),
    "retain_pull": lambda p, xp: (plane_equations.retain_pull(-p.alpha, p.b, p.epsilon, xp=xp),),
    "flatness": lambda p, xp: tuple(
        plane_equations.flatness(p.b, loss=loss, xp=xp) for loss in LOSSES
    ),
    "balance": lambda p, xp: tuple(
        plane_equations.balance(p.alpha, p.b, p.phi, p.epsilon, sign, xp=xp) for sign in (1, -1)
    ),
    "alpha_of_original": lambda p, xp: (plane_equations.alpha_of_original(p.alpha, p, xp=xp),),
    "alpha_of_descent_ascent": lambda p, xp: (
        plane_equations.alpha_of_descent_ascent(p.alpha, p, xp=xp),
    ),
    "fold_equation": lambda p, xp: (plane_equations.fold_equation(p.alpha, p.b, p.epsilon, xp=xp),),
    "fold_ascent_pull": lambda p, xp: (plane_equations.fold_ascent_pull(p.b, p.epsilon),),
    "log_existence_alpha": lambda p, xp: (plane_equations.log_existence_alpha(p.alpha, p, xp=xp),),
    "squared_distance_to_oracle": lambda p, xp: (
        plane_equations.squared_distance_to_oracle(p.phi, p.alpha, p, xp=xp),
    ),
}
BOUNDS = {
    "original_bounds": lambda p, xp: plane_bounds.original_bounds(p, xp=xp),
    "descent_ascent_bounds": lambda p, xp: plane_bounds.descent_ascent_bounds(p, xp=xp),
    "lower_alphas": lambda p, xp: plane_bounds.lower_alphas(p),
    "upper_alphas": lambda p, xp: plane_bounds.upper_alphas(p, xp=xp),
    "ordering_alphas": lambda p, xp: plane_bounds.ordering_alphas(p, xp=xp),
    "sufficient_alpha": lambda p, xp: (plane_bounds.sufficient_alpha(p),),
    "duplicate_limit": lambda p, xp: tuple(
        plane_bounds.duplicate_limit(p.b, p.alpha, m, xp=xp)
        for m in ("original", "oracle", "descent_ascent")
    ),
}
TABLES = {closed_form: ON_THE_LINE, plane_equations: IN_THE_PLANE, plane_bounds: BOUNDS}
FORMULAS = {
    f"{module.__name__}.{name}": formula
    for module, table in TABLES.items()
    for name, formula in table.items()
}
POINTS = [
    {"epsilon": 0.5, "alpha": 0.2, "phi": 0.4, "b": 0.4},
    {"epsilon": 0.9375, "alpha": 0.01, "phi": 0.125, "b": 40.0},
    {"epsilon": 0.03, "alpha": 0.7, "phi": 0.75, "b": 3.0},
    {"epsilon": 0.7, "alpha": 0.4, "phi": 1.9, "b": 2000.0},
]


@pytest.mark.parametrize("module", TABLES)
def test_the_table_has_every_formula(module):
    public = {
        name for name, value in inspect.getmembers(module, inspect.isfunction)
        if value.__module__ == module.__name__ and not name.startswith("_")
    }  # fmt: skip
    assert public == set(TABLES[module])


def as_ball(value, ball):
    """An mpf as an exact Arb number (or NaN)."""
    if not mpmath.isfinite(value):
        return ball("nan")
    return ball(int(value.man if value >= 0 else -value.man)) * ball(2) ** int(value.exp)


@pytest.mark.parametrize("name", FORMULAS)
@given(ratio_points())
@example(
    {"epsilon": 0.5, "alpha": 0.5 + 1e-9, "phi": 0.5, "b": 1e5}
)  # the two terms of c_DA cancel
@settings(max_examples=25)
def test_jax_agrees_with_mpmath(name, point):
    formula = FORMULAS[name]
    got = [float(value) for value in formula(ratios(point, np.float64), JAX)]
    with mpmath.workdps(50):
        exact = formula(ratios(point), MPMATH)
    # c_DA = b - b alpha/phi carries the rounding of its two terms, whatever is left of them; W(c) that times 1/(1 + W)
    rounding = 64 * np.finfo(float).eps * (1 + point["b"] * (1 + point["alpha"] / point["phi"]))
    for a, b in zip(got, exact, strict=True):
        if mpmath.isnan(b) or abs(b + 1) < 1e-3:  # next to the branch point rounding decides
            assert np.isnan(a) or abs(a + 1) < 1e-2
        else:
            np.testing.assert_allclose(
                a, float(b), rtol=1e-12, atol=rounding / float(1 + b) if -1 < b < 0 else rounding
            )


@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize("point", POINTS)
def test_balls_enclose_what_mpmath_computes(name, point):
    xp = arithmetic.arb()
    ball = pytest.importorskip("flint").arb
    with mpmath.workdps(50):
        exact = FORMULAS[name](ratios(point), MPMATH)
    for enclosure, value in zip(FORMULAS[name](ratios(point, xp.number), xp), exact, strict=True):
        if mpmath.isnan(value):
            assert enclosure.is_nan()
            continue
        # the mpmath value itself is exact only to its last digit
        assert enclosure.overlaps(as_ball(value, ball) * ball(1, 1e-45))
        assert enclosure.rad() <= 1e-10 * (1 + abs(enclosure.mid()))


@pytest.mark.parametrize("name", FORMULAS)
def test_balls_around_a_box_enclose_every_point_of_it(name):
    xp = arithmetic.arb()
    ball = pytest.importorskip("flint").arb
    for point in POINTS[:2]:
        box = {key: xp.number(value) * ball(1, 1e-3) for key, value in point.items()}
        enclosures = FORMULAS[name](ratios(box, lambda value: value), xp)
        rng = np.random.default_rng(0)
        for _ in range(4):
            inside = {
                key: value * (1 + rng.choice([-1e-3, 1e-3, 3e-4])) for key, value in point.items()
            }
            with mpmath.workdps(50):
                exact = FORMULAS[name](ratios(inside), MPMATH)
            for enclosure, value in zip(enclosures, exact, strict=True):
                # corners of the box are rounded floats: the widest they can stick out is one ulp of a coordinate
                assert enclosure.is_nan() or enclosure.overlaps(
                    as_ball(value, ball) * ball(1, 1e-12)
                )


@pytest.mark.parametrize("name", FORMULAS)
def test_symbols_evaluate_to_what_mpmath_computes(name):
    pytest.importorskip("sympy")
    xp = arithmetic.symbolic()
    for point in POINTS[:2]:
        with mpmath.workdps(50):
            exact = FORMULAS[name](ratios(point), MPMATH)
            symbolic = [
                mpmath.mpmathify(value.evalf(50))
                for value in FORMULAS[name](ratios(point, xp.number), xp)
            ]
            for a, b in zip(symbolic, exact, strict=True):
                if not mpmath.isnan(b):  # off the real branch SymPy answers with a complex number
                    assert abs(a - b) <= mpmath.mpf(10) ** -40 * (1 + abs(b))


# --- the namespaces themselves ---------------------------------------------------------------------------------------------

FUNCTIONS = ("exp", "log", "sqrt", "abs", "softplus", "sigmoid", "lambertw_exp")


def namespaces():
    return [JAX, MPMATH, arithmetic.arb(), arithmetic.symbolic()]


def as_float(value, xp) -> float:
    return float(value.evalf(30)) if xp.name == "sympy" else float(value)


@pytest.mark.parametrize("x", [1e-3, 0.7, 3.0, 40.0, 150.0])
def test_elementary_functions_mean_the_same_everywhere(x):
    pytest.importorskip("flint"), pytest.importorskip("sympy")
    expected = {
        "exp": np.exp(x), "log": np.log(x), "sqrt": np.sqrt(x), "abs": x, "softplus": np.logaddexp(0, x),
        "sigmoid": 1 / (1 + np.exp(-x)),
    }  # fmt: skip
    for xp in namespaces():
        for name, value in expected.items():
            np.testing.assert_allclose(
                as_float(getattr(xp, name)(xp.number(x)), xp), value, rtol=1e-14
            )
        for name in ("softplus", "sigmoid", "abs"):
            value = {"softplus": np.log1p(np.exp(-x)), "sigmoid": 1 / (1 + np.exp(x)), "abs": x}[
                name
            ]
            # SymPy evaluates ln(1 + 1e-66) as ln 1
            np.testing.assert_allclose(
                as_float(getattr(xp, name)(-xp.number(x)), xp), value, rtol=1e-13, atol=1e-60
            )
        w = as_float(xp.lambertw_exp(xp.number(x)), xp)
        np.testing.assert_allclose(w + np.log(w), x, rtol=1e-14, atol=1e-15)
        for branch in (0, -1):
            w = as_float(xp.lambertw(-xp.number(0.3125), branch), xp)
            np.testing.assert_allclose(w * np.exp(w), -0.3125, rtol=1e-14)
            assert (w > -1) == (branch == 0)
        assert as_float(xp.minimum(xp.number(x), xp.number(2.0)), xp) == min(x, 2.0)
        assert as_float(xp.maximum(xp.number(x), xp.number(2.0)), xp) == max(x, 2.0)


@pytest.mark.parametrize(
    ("x", "expected"), [(-3.0, 0.0), (-1e-300, 0.0), (0.0, 1.0), (1e-300, 1.0), (2.0, 1.0)]
)
def test_the_indicator_of_what_is_not_negative(x, expected):
    pytest.importorskip("flint"), pytest.importorskip("sympy")
    for xp in namespaces():
        assert as_float(xp.indicator(xp.number(x)), xp) == expected, xp.name


def test_an_undecided_indicator_is_between_none_and_one():
    ball = pytest.importorskip("flint").arb
    known = arithmetic.arb().indicator(ball(0, 0.5))
    assert known.contains(0) and known.contains(1) and known.rad() < 0.51
    assert np.isnan(JAX.indicator(np.nan)) and mpmath.isnan(MPMATH.indicator(mpmath.nan))
    assert arithmetic.arb().indicator(ball("nan")).is_nan()
    assert jax.grad(JAX.indicator)(0.0) == 0 == jax.grad(JAX.indicator)(-2.0)


def test_numbers_keep_the_exact_value_of_a_float():
    pytest.importorskip("flint"), pytest.importorskip("sympy")
    with mpmath.workdps(60):
        assert MPMATH.number(0.1) * 2**55 == 0.1 * 2**55 == int(0.1 * 2**55)
    assert arithmetic.arb().number(0.1) == 0.1 and arithmetic.arb().number(0.1).is_exact()
    assert arithmetic.symbolic().number(0.1) * 2**55 == int(0.1 * 2**55)
    assert JAX.number(0.1).dtype == jnp.float64 and JAX.number(0.1) == 0.1
    for xp in namespaces():
        assert as_float(xp.number(3), xp) == 3.0 and as_float(xp.number("0.5"), xp) == 0.5


def test_off_its_domain_a_branch_is_nan_in_numbers_and_in_balls():
    flint = pytest.importorskip("flint")
    for z, branch in ((-0.5, 0), (-0.5, -1), (0.5, -1)):
        assert np.isnan(JAX.lambertw(z, branch)) and mpmath.isnan(MPMATH.lambertw(z, branch))
        assert arithmetic.arb().lambertw(flint.arb(z), branch).is_nan()
    assert (
        not arithmetic.arb().lambertw(flint.arb(-0.3, 0.1), 0).is_finite()
    )  # the ball reaches below -1/e


@given(real(-200.0, 400.0), scale(-3, 2.5))
def test_balls_enclose_the_functions_at_both_ends_and_are_finite(middle, radius):
    """Wide balls too: the functions are defined everywhere, so an enclosure without information would lose proofs."""
    ball = pytest.importorskip("flint").arb
    xp, wide = arithmetic.arb(), ball(middle, radius)
    for name in ("lambertw_exp", "softplus", "sigmoid"):
        enclosure = getattr(xp, name)(wide)
        assert enclosure.is_finite(), name
        for x in (middle, middle - 0.99 * radius, middle + 0.99 * radius):
            with mpmath.workdps(50):
                value = as_ball(getattr(MPMATH, name)(x), ball)
            assert enclosure.contains(value) or enclosure.overlaps(value * ball(1, 1e-14)), name


@given(real(-500.0, 1e6))
def test_many_digit_lambert_of_an_exponential_solves_its_equation(y):
    with mpmath.workdps(50):
        w = MPMATH.lambertw_exp(y)
        assert abs(w + mpmath.log(w) - y) <= mpmath.mpf(10) ** -47 * (1 + abs(mpmath.mpf(y)))


def test_jax_formulas_are_traceable():
    """Every formula under jit, vmap and forward differentiation: no branch in Python depends on a number."""
    points = {key: jnp.array([point[key] for point in POINTS]) for key in POINTS[0]}

    def values(point):
        return {
            name: jnp.stack(formula(ratios(point, JAX.number), JAX))
            for name, formula in FORMULAS.items()
        }

    batched, slopes = jax.jit(jax.vmap(lambda point: (values(point), jax.jacfwd(values)(point))))(
        points
    )
    for name, batch in batched.items():
        eager = [
            [float(v) for v in FORMULAS[name](ratios(point, np.float64), JAX)] for point in POINTS
        ]
        np.testing.assert_allclose(batch, eager, rtol=1e-12, err_msg=name)
        exists = ~np.isnan(batch)
        assert all(np.all(np.isfinite(slope[exists])) for slope in slopes[name].values()), name


def test_what_an_arithmetic_lacks_is_said_with_what_it_offers():
    for xp in (JAX, MPMATH):
        words = (
            "^an Arithmetic has no 'sin', only name, number, exp, .*, indicator, .*implicit_fold$"
        )
        with pytest.raises(AttributeError, match=words):
            xp.sin  # noqa: B018
        assert not hasattr(xp, "_hidden") and copy.copy(xp) == xp


def test_an_arithmetic_is_short_in_print():
    assert repr(JAX) == "Arithmetic('jax')" and repr(MPMATH) == "Arithmetic('mpmath')"
    assert str(inspect.signature(closed_form.descent_ascent)).endswith(
        "xp: 'Arithmetic' = Arithmetic('jax')) -> 'Scalar'"
    )


# --- a missing extra -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("namespace", "module", "package"),
    [("arb", "flint", "python-flint"), ("symbolic", "sympy", "sympy")],
)
def test_a_missing_extra_names_itself_and_the_cure(monkeypatch, namespace, module, package):
    load = getattr(arithmetic, namespace)
    load.cache_clear()
    monkeypatch.setitem(sys.modules, module, None)
    try:
        with pytest.raises(
            MissingExtraError,
            match=rf"needs {package}; install it with: pip install 'ascentfail\[certify\]'",
        ):
            load()
        with pytest.raises(
            ImportError
        ) as error:  # a failure is not cached, and it is an ImportError for who catches those
            load()
        assert error.value.extra == "certify"
    finally:
        monkeypatch.undo()
        load.cache_clear()
    pytest.importorskip(module)
    assert load() is load()
