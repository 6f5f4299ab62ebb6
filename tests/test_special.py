"""The Lambert W module against mpmath: values in ulp, derivatives, special values, and the stored start."""

import importlib.util
import sys
from pathlib import Path

import chex
import jax
import jax.numpy as jnp
import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ascentfail.numerics import special
from ascentfail.numerics.special import lambertw, lambertw_exp

DIGITS = 60
MAX_ULP = 4
DTYPES = (np.float64, np.float32)
FLOATS = (jnp.bfloat16, jnp.float16, jnp.float32, jnp.float64)
DECADES = {np.float64: 300, np.float32: 37}
POINT = {dtype: -dtype(1 / np.e) for dtype in DTYPES}  # the float nearest to -1/e

w0 = jax.jit(lambertw)
w1 = jax.jit(lambda z: lambertw(z, -1))
w0_exp = jax.jit(lambertw_exp)
JITTED = {0: w0, -1: w1}


def exact(z, branch=0):
    with mp.workdps(DIGITS):
        return mp.re(mp.lambertw(mp.mpf(float(z)), branch))


def exact_exp(y):
    with mp.workdps(DIGITS):
        y = mp.mpf(float(y))
        if y < 1e4:
            return mp.re(mp.lambertw(mp.exp(y)))
        w = y - mp.log(y)
        for _ in range(20):  # contracts by 1/y < 1e-4 each time
            w = y - mp.log(w)
        return w


def worst_ulp(got, arguments, oracle):
    got, arguments = np.asarray(got), np.asarray(arguments)
    assert got.dtype == arguments.dtype and got.shape == arguments.shape
    worst = 0.0
    with mp.workdps(DIGITS):
        for value, argument in zip(got, arguments, strict=True):
            want = oracle(argument)
            ulp = float(np.spacing(np.abs(got.dtype.type(want))))
            error = float(abs(mp.mpf(float(value)) - want) / ulp)
            assert error == error, f"NaN at {argument!r}"
            worst = max(worst, error)
    return worst


def floats(values, dtype, branch=0):
    """The values as an array of the dtype, without those that rounding took off the branch's domain."""
    z = np.asarray(values).astype(dtype)
    return z[(z >= POINT[dtype]) & ((branch == 0) | (z < 0))]


def from_p(p):
    return (np.asarray(p) ** 2 / 2 - 1) / np.e


@pytest.mark.parametrize("branch", [0, -1])
def test_ten_thousand_points_within_1e_12_of_the_branch_point(branch):
    rng = np.random.default_rng(0)
    first = POINT[np.float64] + np.arange(2000) * 2.0**-54  # every one of the first floats
    close = POINT[np.float64] + rng.uniform(0, 1e-12, 4000)
    spread = POINT[np.float64] + 10 ** rng.uniform(-16.5, -12, 4000)
    z = np.concatenate([first, close, spread])
    assert z.size == 10_000 and z.max() + 1 / np.e <= 1e-12
    assert worst_ulp(JITTED[branch](z), z, lambda x: exact(x, branch)) <= MAX_ULP


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("branch", [0, -1])
def test_whole_domain(branch, dtype):
    rng = np.random.default_rng(1)
    decades = DECADES[dtype]
    parts = [
        -(10 ** np.linspace(-decades, np.log10(1 / np.e), 1001)),
        from_p(rng.uniform(0, np.sqrt(2), 1500)),
        from_p(rng.uniform(0.5, 0.9, 1500)),  # both sides of where the series hands over
        [-np.finfo(dtype).tiny],
    ]
    if branch == 0:
        parts += [
            10 ** np.linspace(-decades, decades, 1501),
            rng.uniform(0, 10, 500),
            [np.finfo(dtype).max],
        ]
    z = floats(np.concatenate(parts), dtype, branch)
    assert worst_ulp(JITTED[branch](z), z, lambda x: exact(x, branch)) <= MAX_ULP


@pytest.mark.parametrize("dtype", DTYPES)
def test_exp_on_every_scale(dtype):
    rng = np.random.default_rng(2)
    lowest = np.log(np.finfo(dtype).tiny) + 1
    top = np.log10(np.finfo(dtype).max)
    parts = [rng.uniform(lowest, 0, 800), rng.uniform(-12, 3, 1200), 10 ** rng.uniform(-300, 0, 100),
             10 ** np.linspace(0, top * 0.999, 1200), 10 ** rng.uniform(11, 13, 200)]  # fmt: skip
    y = np.concatenate(parts).astype(dtype)
    assert worst_ulp(w0_exp(y), y, exact_exp) <= MAX_ULP


def test_exp_underflows_to_zero_and_never_overflows():
    y = np.array([-np.inf, -1e308, -1e300, -1e4, -800.0, np.inf, np.nan])
    got = np.asarray(w0_exp(y))
    np.testing.assert_array_equal(got, [0, 0, 0, 0, 0, np.inf, np.nan])
    slope = np.asarray(jax.vmap(jax.grad(lambertw_exp))(y))
    np.testing.assert_array_equal(slope, [0, 0, 0, 0, 0, 1, np.nan])


@settings(deadline=None, max_examples=150)
@given(st.floats(min_value=-1.0, max_value=700.0), st.booleans())
def test_inverts_w_exp_w(w, lower):
    # From w to z = w e^w and back.  z is rounded, which moves W by u |w / (1 + w)| relative: that is the allowance.
    w = -2 - w if lower else w
    with mp.workdps(DIGITS):
        z = float(mp.mpf(w) * mp.exp(mp.mpf(w)))
    if abs(z) < np.finfo(float).tiny or z < POINT[np.float64] or 1 + w == 0:
        return
    got = float(w1(z) if lower else w0(z))
    with mp.workdps(DIGITS):
        back = mp.mpf(got) * mp.exp(mp.mpf(got))
        residual = abs(back / mp.mpf(z) - 1)
    assert (
        residual
        <= MAX_ULP * np.finfo(float).eps * max(abs(1 + got), np.finfo(float).eps)
        + np.finfo(float).eps
    )


@pytest.mark.parametrize("dtype", DTYPES)
def test_both_sides_of_the_branch_point(dtype):
    point = POINT[dtype]
    with mp.workdps(DIGITS):
        assert mp.mpf(float(point)) < -1 / mp.e
    below = np.array([np.nextafter(point, dtype(-1)), point * dtype(1.001), -1, -np.inf], dtype)
    above = np.nextafter(point, dtype(0))
    for branch, f in JITTED.items():
        assert float(f(point)) == -1
        assert np.isnan(f(below)).all()
        assert (float(f(above)) > -1) == (branch == 0) and float(f(above)) != -1
        slope = float(jax.grad(f)(point))
        assert slope == (np.inf if branch == 0 else -np.inf)


@pytest.mark.parametrize("dtype", DTYPES)
def test_special_values(dtype):
    z = np.array([0.0, -0.0, np.inf, np.nan], dtype)
    got = np.asarray(w0(z))
    np.testing.assert_array_equal(got, z)
    np.testing.assert_array_equal(np.signbit(got[:2]), [False, True])
    np.testing.assert_array_equal(w1(z), np.array([-np.inf, -np.inf, np.nan, np.nan], dtype))
    assert np.isnan(w1(np.array([np.finfo(dtype).tiny, 1, 1e30], dtype))).all()
    subnormal = np.finfo(dtype).tiny / dtype(4)
    assert float(w0(subnormal)) in (0.0, float(subnormal))
    assert float(w1(-subnormal)) == -np.inf


def test_shapes_and_dtypes():
    assert lambertw(1).dtype == jnp.result_type(float) and lambertw_exp(1).dtype == jnp.result_type(
        float
    )
    assert lambertw(jnp.ones((2, 0, 3))).shape == (2, 0, 3)
    for half in (jnp.float16, jnp.bfloat16):
        z = jnp.linspace(-0.36, 9, 50).astype(half)
        assert lambertw(z).dtype == half and lambertw_exp(z).dtype == half
        np.testing.assert_array_equal(lambertw(z), lambertw(z.astype(jnp.float32)).astype(half))
    with pytest.raises(ValueError, match="z must be real.*complex"):
        lambertw(1j)


@pytest.mark.parametrize("dtype", [*FLOATS, jnp.int8, jnp.int32, jnp.uint8, jnp.bool_])
def test_every_type_under_strict_promotion(dtype):
    """W(1) = 0.567..., in the precision of the argument; integers in the default float."""
    kind = dtype if jnp.issubdtype(dtype, jnp.floating) else jnp.result_type(float)
    with jax.numpy_dtype_promotion("strict"):
        for got, want in (
            (lambertw(jnp.ones((), dtype)), 0.5671432904097838),
            (lambertw_exp(jnp.ones((), dtype)), 1.0),
        ):
            assert got.dtype == kind and abs(float(got) - want) <= float(jnp.finfo(kind).eps)


@pytest.mark.parametrize("dtype", FLOATS)
def test_the_float_nearest_to_the_branch_point_of_every_type(dtype):
    point = jnp.asarray(-1 / np.e, dtype)
    below = jnp.asarray(float(point) - float(jnp.finfo(dtype).eps), dtype)
    for branch, sign in ((0, 1), (-1, -1)):
        assert float(lambertw(point, branch)) == -1 and np.isnan(float(lambertw(below, branch)))
        assert float(jax.grad(lambertw)(point, branch)) == sign * np.inf


def test_an_array_of_branches():
    z, branch = jnp.array([-0.3, -0.1, 0.0, -1.0]), np.array([[0], [-1]])
    want = np.stack([lambertw(z), lambertw(z, -1)])
    np.testing.assert_array_equal(lambertw(z, branch), want)
    np.testing.assert_array_equal(lambertw(z, branch.tolist()), want)
    np.testing.assert_array_equal(jax.jit(lambertw)(z, branch), want)
    np.testing.assert_array_equal(
        jax.vmap(lambertw, (None, 0))(z, branch[:, 0].astype(np.int8)), want
    )
    assert (
        lambertw(-0.2, np.int64(-1)) == lambertw(-0.2, -1)
        and lambertw(jnp.float32(-0.2), branch).dtype == np.float32
    )
    np.testing.assert_array_equal(jax.jit(lambertw)(z[:2], jnp.array([1, -2])), [np.nan, np.nan])
    assert float(jax.jit(lambertw)(0.5, jnp.uint8(0))) == float(lambertw(0.5))
    assert np.isnan(jax.jit(lambertw)(-0.2, jnp.uint8(255)))


@pytest.mark.parametrize("branch", [0, -1])
def test_derivatives_with_a_traced_branch(branch):
    """To third order, forwards and backwards, also where the other branch has no derivative."""
    one, many = (lambda z: lambertw(z, branch)), (lambda z, k: lambertw(z, k))
    points = np.array([-0.3, -1e-3, -1e-60] + ([0.0, 2.0, 1e200] if branch == 0 else []))
    for order in range(1, 4):
        one, many = jax.grad(one), (jax.grad if order % 2 else jax.jacfwd)(many)
        got = jax.jit(jax.vmap(many))(points, jnp.full(points.shape, branch))
        np.testing.assert_allclose(got, jax.vmap(one)(points), rtol=1e-12)


NO_BRANCHES = [
    [0, 1],
    [0.0, -1.0],
    np.array(["a"]),
    np.array([True]),
    [[0], [0, -1]],
    object(),
    1j,
    [],
    b"0",
]


@pytest.mark.parametrize("branch", NO_BRANCHES)
def test_arrays_that_are_no_branches_are_refused(branch):
    with pytest.raises(ValueError, match=r"branch must be .* 0 .* -1 .* got"):
        lambertw(0.5, branch)


def test_branches_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"branch must have a shape that broadcasts with z"):
        lambertw(jnp.ones(3), [0, -1])


@pytest.mark.parametrize(
    "z", ["1", b"1", None, object(), ["a"], [[0.1], [0.1, 0.2]], {}, np.array([1j])]
)
def test_what_is_no_real_number_is_refused(z):
    for function, name in ((lambertw, "z"), (lambertw_exp, "y")):
        with pytest.raises(ValueError, match=f"^{name} must be real"):
            function(z)


@pytest.mark.parametrize("branch", [1, -2, 0.0, "0", None, True, np.inf])
def test_other_branches_are_refused(branch):
    with pytest.raises(ValueError, match=r"branch must be .* 0 .* -1 .* got"):
        lambertw(0.5, branch)


def slope_and_bend(z, branch):
    with mp.workdps(DIGITS):
        w = exact(z, branch)
        slope = mp.exp(-w) / (1 + w)
        return w, slope, -slope * slope * (w + 2) / (1 + w)


@pytest.mark.parametrize("branch", [0, -1])
def test_first_and_second_derivatives(branch):
    z = [-(10.0**k) for k in range(-150, 0, 7)] + list(from_p(np.geomspace(1e-5, 1.3, 30)))
    if branch == 0:
        z += [0.0, -0.0, 0.3, 1.0, 1.1, np.e] + [10.0**k for k in range(-150, 151, 7)]
    z = np.array(z)
    f = lambda x: lambertw(x, branch)  # noqa: E731
    slopes = jax.jit(jax.vmap(jax.grad(f)))(z)
    bends = {
        "reverse": jax.jit(jax.vmap(jax.grad(jax.grad(f))))(z),
        "hessian": jax.jit(jax.vmap(jax.hessian(f)))(z),
        "forward": jax.jit(jax.vmap(jax.jacfwd(jax.jacfwd(f))))(z),
    }
    for k, x in enumerate(z):
        w, slope, bend = slope_and_bend(x, branch)
        # W itself is known to 4 ulp, and 1/(1 + w) turns that into this much.
        relative = MAX_ULP * np.finfo(float).eps * (2 + float(abs(w / (1 + w))))
        assert abs(float(slopes[k]) / slope - 1) <= relative, x
        for name, values in bends.items():
            assert abs(float(values[k]) / bend - 1) <= 4 * relative, (name, x)


def test_derivatives_at_zero():
    # W_0 = z - z^2 + (3/2) z^3 - (8/3) z^4 + ...: the n-th derivative at 0 is (-n)^(n-1).
    f = lambertw
    for order in range(1, 6):
        f = jax.grad(f)
        assert abs(float(f(0.0)) / (-order) ** (order - 1) - 1) <= 4 * order * np.finfo(float).eps


@pytest.mark.parametrize("branch", [0, -1])
def test_third_derivative_against_mpmath(branch):
    f = jax.jit(jax.grad(jax.grad(jax.grad(lambda x: lambertw(x, branch)))))
    for z in (-0.3, -0.1, -0.01) + ((0.5, 20.0) if branch == 0 else ()):
        with mp.workdps(DIGITS):
            want = mp.re(mp.diff(lambda x: mp.re(mp.lambertw(x, branch)), mp.mpf(z), 3))
            steep = float(abs(1 / (1 + exact(z, branch))))
        assert abs(float(f(z)) / want - 1) <= 16 * MAX_ULP * np.finfo(float).eps * (1 + steep)


def test_derivatives_of_exp():
    y = np.array([-700.0, -50, -10, -1, 0, 1, 1.5, 40, 1e4, 1e11, 1e13, 1e150, 1e308])
    slopes = jax.jit(jax.vmap(jax.grad(lambertw_exp)))(y)
    bends = jax.jit(jax.vmap(jax.hessian(lambertw_exp)))(y)
    for k, x in enumerate(y):
        w = exact_exp(x)
        relative = 4 * MAX_ULP * np.finfo(float).eps
        assert abs(float(slopes[k]) * (1 + w) / w - 1) <= relative
        want = w / (1 + w) ** 3
        # Where w^-2 is not a normal number any more, zero is the answer.
        assert abs(float(bends[k]) - want) <= relative * want + np.finfo(float).tiny


def test_gradient_under_jit_and_vmap_agrees_and_never_is_nan():
    z = np.concatenate([from_p(np.geomspace(1e-7, 1.41, 40)), [0.0, 1e-300, 1e300]])
    batched = jax.jit(jax.vmap(jax.value_and_grad(lambertw)))(z)
    assert np.isfinite(batched).all()
    single = np.array([jax.value_and_grad(lambertw)(x) for x in z]).T
    np.testing.assert_allclose(batched, single, rtol=MAX_ULP * np.finfo(float).eps)
    primal, tangent = jax.jvp(lambertw, (z,), (np.ones_like(z),))
    np.testing.assert_allclose((primal, tangent), batched, rtol=MAX_ULP * np.finfo(float).eps)
    (cotangent,) = jax.vjp(lambertw, z)[1](np.ones_like(z))
    np.testing.assert_allclose(cotangent, tangent, rtol=MAX_ULP * np.finfo(float).eps)


def test_no_loop_in_the_program():
    for f in (*JITTED.values(), lambertw_exp, jax.grad(lambertw)):
        text = str(jax.make_jaxpr(f)(0.5))
        assert "while" not in text and "scan" not in text and "cond" not in text


def test_one_trace_serves_every_value():
    f = jax.jit(
        chex.assert_max_traces(lambda z: (lambertw(z), lambertw(z, -1), lambertw_exp(z)), n=1)
    )
    for z in (-0.3, 0.0, 5.0, np.nan):
        f(np.full(3, z))


def load_fits():
    path = Path(__file__).parents[1] / "benchmarks" / "lambertw_coefficients.py"
    spec = importlib.util.spec_from_file_location("lambertw_coefficients", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look the module up
    spec.loader.exec_module(module)
    return module


COEFFICIENTS = load_fits()


@pytest.mark.parametrize("fit", COEFFICIENTS.FITS, ids=lambda fit: fit.name)
def test_stored_coefficients_start_well_enough(fit):
    with mp.workdps(COEFFICIENTS.DIGITS):
        top = [mp.mpf(c) for c in getattr(special, f"_{fit.name}_P")]
        bottom = [mp.mpf(c) for c in getattr(special, f"_{fit.name}_Q", (1.0,))]
        assert (len(top) - 1, len(bottom) - 1) == fit.degrees
        for x in COEFFICIENTS.grid(fit, 61):
            value = COEFFICIENTS.horner(top, x) / COEFFICIENTS.horner(bottom, x)
            assert abs(value - fit.exact(x)) <= 2 * fit.allowed(x), x
    assert (special._NEAR0, special._NEAR1) == (COEFFICIENTS.NEAR0, COEFFICIENTS.NEAR1)
    assert special._EXP_HUGE == COEFFICIENTS.HUGE
