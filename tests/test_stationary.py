"""Stationary points against independent roots, direct minimisation over samples, and brute-force scans for existence."""

import functools
import itertools

import chex
import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from scipy.special import lambertw as scipy_lambertw
from strategies import (
    LOSSES,
    MODELS,
    axis_of,
    axis_problems,
    exact,
    gradient,
    minimise_samples,
    plane_problems,
    root_near,
    sample_objective,
    whole_axis_problems,
    whole_plane_problems,
)

import ascentfail as af
from ascentfail import stationary
from ascentfail.line import closed_form
from ascentfail.numerics import loops
from ascentfail.numerics.arithmetic import MPMATH
from ascentfail.plane import equations as plane_equations

EPS = np.finfo(float).eps
NONE, MINIMUM = int(af.StationaryKind.NONE), int(af.StationaryKind.MINIMUM)
solve = jax.jit(af.stationary_point, static_argnames="which")


@functools.partial(jax.jit, static_argnames="which")
def solve_many(problems, which):
    return jax.vmap(lambda p: af.stationary_point(p, which))(problems)


@functools.partial(jax.jit, static_argnames="which")
def derivatives(problem, weights, which):
    """Gradient and Hessian of the loss as written, over the ridge."""

    def objective(w):
        return af.loss(problem, w, which)

    return jax.grad(objective)(weights) / problem.ridge, jax.hessian(objective)(
        weights
    ) / problem.ridge


@functools.partial(jax.jit, static_argnames="loss")
def build_many(epsilon, alpha, phi, b, loss="exponential"):
    """Problems with the given arrays of ratios, as one batched pytree."""
    return jax.vmap(
        lambda e, a, f, b: af.CrossCorrelated.from_ratios(epsilon=e, alpha=a, phi=f, b=b, loss=loss)
    )(epsilon, alpha, phi, b)  # fmt: skip


def nth(problems, i):
    """One scalar problem out of a batch."""
    return jax.tree.map(lambda v: float(v[i]), problems)


def random_ratios(n, seed, b=(-2, 4), epsilon=(0.0, 1.0), pressure=(-2, 0.3), phi=(-2, 0.5)):
    rng = np.random.default_rng(seed)
    phi = 10 ** rng.uniform(*phi, n)
    return (
        rng.uniform(*epsilon, n),
        10 ** rng.uniform(*pressure, n) * phi,
        phi,
        10 ** rng.uniform(*b, n),
    )


def pull_sizes(problem, which, margins):
    """Sizes of the terms that balance the weights at a point: the retain and the forget pull, in units of the ridge."""
    x, y = (
        np.asarray(margins)
        if isinstance(problem, af.CrossCorrelated)
        else (np.asarray(margins), np.asarray(margins))
    )

    def force(m):
        return np.exp(-m) if problem.loss == "exponential" else np.exp(-np.logaddexp(0, m))

    share = 1 + np.asarray(problem.phi) if which == "original" else 1
    forget = (
        np.asarray(problem.forget_b)
        / {"original": share, "oracle": np.inf, "descent_ascent": problem.phi}[which]
    )
    return 2 * np.max(np.asarray(problem.b) / share * force(x)) + 2 * np.max(forget * force(y))


def check_point(problem, which, point):
    """A result says what it must: NaN throughout where it is NONE, else a stationary point that is a minimum."""
    plane = isinstance(problem, af.CrossCorrelated)
    shape = (2,) if plane else np.shape(problem.retain_on_axis)
    chex.assert_shape([point.weights, point.margins], shape)
    chex.assert_shape([point.kind, point.residual, point.converged], ())
    assert point.kind.dtype == jnp.int32 and point.converged.dtype == bool
    if point.kind == NONE:
        assert which == "descent_ascent" and problem.loss == "exponential"
        assert (
            not point.converged and np.isnan(point.weights).all() and np.isnan(point.margins).all()
        )
        return
    assert point.kind == MINIMUM and point.converged
    slope, bend = derivatives(problem, point.weights, which)
    # the rounding of each term, and of the exponent in it
    size = (1 + np.max(np.abs(point.margins)) + np.max(np.abs(point.weights))) * (
        1 + pull_sizes(problem, which, point.margins)
    )
    assert np.max(np.abs(slope)) <= 64 * EPS * size
    assert point.residual <= 64 * EPS * size
    bend = bend if plane else np.diag(np.diag(np.atleast_2d(bend)))
    assert np.min(np.linalg.eigvalsh(bend)) > -64 * np.sqrt(EPS) * size


# --- what every result must satisfy ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", LOSSES)
def test_points_in_the_plane_are_minima_of_the_loss_or_said_to_be_none(loss):
    @given(plane_problems(loss))
    def check(problem):
        for which in MODELS:
            point = solve(problem, which)
            check_point(problem, which, point)
            w, eps = np.asarray(point.weights), problem.epsilon
            expected = np.array([w[0] + eps * w[1], eps * w[0] + w[1]])
            np.testing.assert_allclose(
                point.margins, expected, rtol=0, atol=8 * EPS * np.max(np.abs(w))
            )

    check()


@pytest.mark.parametrize("loss", LOSSES)
def test_points_on_axes_are_minima_of_the_loss_or_said_to_be_none(loss):
    @given(axis_problems(loss))
    def check(problem):
        for which in MODELS:
            point = solve(problem, which)
            check_point(problem, which, point)
            np.testing.assert_array_equal(point.margins, point.weights)
            if loss == "exponential" and point.kind != NONE:
                name = {
                    "descent_ascent": closed_form.descent_ascent,
                    "original": closed_form.original,
                }
                w = name.get(which, closed_form.oracle)(problem)
                rounding = 1e-14 * (1 + pull_sizes(problem, which, w)) / np.abs(1 + w)
                assert np.all(np.abs(point.weights - w) <= rounding)

    check()


def softest(problem, which, point):
    """Smallest eigenvalue of the Hessian over the ridge."""
    return np.min(np.linalg.eigvalsh(np.atleast_2d(derivatives(problem, point.weights, which)[1])))


def check_digits(problem, which, point):
    """Agreement with an independent root of the raw gradient in 50 digits, up to the conditioning of the equations."""
    p = exact(problem)
    with mpmath.workdps(50):
        root = root_near(p, which, point.weights)
        assert max(abs(v) for v in gradient(p, root, which)) < mpmath.mpf(10) ** -35
    got, root = np.atleast_1d(point.weights), np.array([float(v) for v in root])
    # a relative change of eps in the counts moves the gradient by eps times its terms, and the root by that over the Hessian
    size = (1 + np.max(np.abs(got))) * (1 + pull_sizes(problem, which, point.margins))
    assert np.max(np.abs(got - root)) <= 64 * EPS * size / softest(problem, which, point)


@pytest.mark.parametrize("loss", LOSSES)
def test_points_agree_with_an_independent_root_in_fifty_digits(loss):
    @given(plane_problems(loss), axis_problems(loss, shapes=((),)))
    @settings(max_examples=25)
    def check(plane, axis):
        for problem, which in itertools.product((plane, axis), MODELS):
            point = solve(problem, which)
            if point.kind != NONE and softest(problem, which, point) > 1e-5:
                check_digits(problem, which, point)

    check()


@pytest.mark.parametrize("loss", LOSSES)
def test_points_are_what_direct_minimisation_over_samples_finds(loss):
    @given(whole_plane_problems(loss), whole_axis_problems(loss))
    @settings(max_examples=30)
    def check(plane, axis):
        for problem, which in itertools.product((plane, axis), MODELS):
            point = solve(problem, which)
            if point.kind == NONE:
                continue
            w = np.atleast_1d(point.weights)
            _, slope, bend = sample_objective(problem, which)(w)
            # the objective is a sum over rows: its rounding grows with the terms that cancel in it
            assert np.max(np.abs(slope)) < 1e-12 * (1 + np.max(np.abs(bend)))
            smallest = np.min(np.linalg.eigvalsh(bend)) / float(problem.ridge)
            assert smallest > -1e-6
            if smallest > 1e-2:  # next to a fold a minimiser stops early
                np.testing.assert_allclose(
                    w, minimise_samples(problem, which), rtol=1e-6, atol=1e-6
                )

    check()


# --- kinds -----------------------------------------------------------------------------------------------------------------


def test_kinds_have_the_promised_numbers():
    assert {kind.name: int(kind) for kind in af.StationaryKind} == {
        "NONE": 0,
        "MINIMUM": 1,
        "SADDLE": 2,
        "MAXIMUM": 3,
    }


def test_an_axis_has_no_minimum_below_the_branch_point():
    """c_DA = b - forget_b/phi against -1/e, from both sides."""
    for c, kind in (
        (-1 / np.e * (1 + 1e-6), NONE),
        (-1 / np.e * (1 - 1e-6), MINIMUM),
        (-5.0, NONE),
        (0.0, MINIMUM),
    ):
        problem = af.SemiOrthogonal.from_ratios(alpha=0.5 * (1 - c), phi=0.5, b=1.0)
        point = af.stationary_point(problem, "descent_ascent")
        assert int(point.kind) == kind, c
        check_point(problem, "descent_ascent", point)


def test_several_axes_have_a_minimum_where_every_axis_has_one():
    both = af.SemiOrthogonal(np.array([4.0, 4.0]), np.array([1.0, 0.5]), 10.0, 5.0, 0.1)
    one = af.SemiOrthogonal(np.array([4.0, 0.0]), np.array([1.0, 4.0]), 10.0, 5.0, 0.1)
    assert af.stationary_point(both, "descent_ascent").kind == MINIMUM
    assert af.stationary_point(axis_of(one, 0), "descent_ascent").kind == MINIMUM
    point = af.stationary_point(one, "descent_ascent")
    check_point(one, "descent_ascent", point)
    assert point.kind == NONE


def test_one_count_for_several_axes_is_spread_over_them():
    mixed = af.SemiOrthogonal(4.0, np.array([1.0, 0.5]), 10.0, 5.0, 0.1)
    full = af.SemiOrthogonal(np.array([4.0, 4.0]), np.array([1.0, 0.5]), 10.0, 5.0, 0.1)
    for which in MODELS:
        np.testing.assert_array_equal(
            af.stationary_point(mixed, which).weights * np.ones(2),
            af.stationary_point(full, which).weights,
        )


@pytest.mark.parametrize("side", [1e-3, 1e-6, 1e-10])
@pytest.mark.parametrize(
    ("epsilon", "b", "phi"),
    [(0.5, 3.0, 0.5), (0.1, 100.0, 2.0), (0.9, 20.0, 0.1), (0.95, 5e3, 0.7)],
)
def test_next_to_the_fold_a_minimum_exists_below_and_none_above(epsilon, b, phi, side):
    with mpmath.workdps(40):
        p = exact(af.CrossCorrelated.from_ratios(epsilon=epsilon, alpha=phi, phi=phi, b=b))
        alpha = float(mpmath.exp(stationary.log_existence_alpha(p, xp=MPMATH)))
    below, above = (
        af.CrossCorrelated.from_ratios(
            epsilon=epsilon, alpha=alpha * (1 + sign * side), phi=phi, b=b
        )
        for sign in (-1, 1)
    )
    assert solve(above, "descent_ascent").kind == NONE
    point = solve(below, "descent_ascent")
    check_point(below, "descent_ascent", point)
    assert point.kind == MINIMUM
    slope, bend = derivatives(below, point.weights, "descent_ascent")
    if (
        side > 1e-8
    ):  # closer, the smallest eigenvalue, of the size of the root of the distance, drowns in rounding
        assert np.min(np.linalg.eigvalsh(bend)) > 0
        check_digits(below, "descent_ascent", point)
    # the saddle, on the other side of the fold, has a larger forget pull
    q = float(plane_equations.cosine(below))
    s2 = float(point.margins[1] - q * point.margins[0]) / (1 - q * q)
    fold_pull = float(
        stationary.fold(plane_equations.retain_strength(below, "descent_ascent"), q)[1]
    )
    assert -s2 < fold_pull * (1 + 1e-6)


def brute_force_log_threshold(epsilon, phi, b):
    """ln[(phi/beta) exp(max h)], h(B) = ln B + q W(beta e^{qB}) - B, by golden section in ln B; and the size of its terms."""
    q, beta = 2 * epsilon / (1 + epsilon**2), b * (1 + epsilon**2)

    def height(log_pull):
        target = np.log(beta) + q * np.exp(log_pull)
        a = np.where(target > 1, target, np.exp(np.minimum(target, 1)))
        for _ in range(
            60
        ):  # Newton on ln A + A = target, which is concave increasing: from above it overshoots once
            a = np.maximum(a - (np.log(a) + a - target) * a / (1 + a), 1e-300)
        return log_pull + q * a - np.exp(log_pull), a

    lower, upper, ratio = np.zeros_like(q), -np.log1p(-q * q), (np.sqrt(5) - 1) / 2
    for _ in range(70):
        left, right = upper - ratio * (upper - lower), lower + ratio * (upper - lower)
        rising = height(left)[0] < height(right)[0]
        lower, upper = np.where(rising, left, lower), np.where(rising, upper, right)
    top, a = height((lower + upper) / 2)
    return np.log(phi / beta) + top, 1 + a + np.exp(upper)


# Where the Newton iteration for the fold once left a root that it had already found.
FOLDS = [
    (0.9703764025460558, 2918.5926062584513, 2.602482874634062, 0.8563263642001925),
    (0.9570698364409053, 12665.526066922494, 0.008874020439785857, 0.11725305183679427),
    (0.9931064898756754, 741150.2014854912, 0.6021807384164437, 0.03272552005076546),
    (0.9899990881392531, 234817.2534125457, 0.21481754748812174, 0.6379243019632886),
    (0.993136475746797, 198133.69619302306, 4.225787011439391, 0.222291856375275),
]


@pytest.mark.parametrize(
    ("epsilon", "b"), [((0.0, 0.95), (-2, 4)), ((0.9, 1 - 1e-6), (-2, 4)), ((0.0, 0.999), (-6, 8))]
)
def test_existence_is_decided_as_by_a_brute_force_scan(epsilon, b):
    """20,000 problems a box: the threshold itself, and a minimum exactly below it."""
    point_epsilon, alpha, phi, point_b = random_ratios(20_000, 1, b, epsilon)
    seen = np.array(FOLDS)
    point_epsilon[: len(seen)], point_b[: len(seen)], phi[: len(seen)] = (
        seen[:, 0],
        seen[:, 1],
        seen[:, 2],
    )
    alpha[: len(seen)] = seen[:, 3] * seen[:, 2]
    expected, size = brute_force_log_threshold(point_epsilon, phi, point_b)
    problems = build_many(point_epsilon, alpha, phi, point_b)
    got = jax.jit(jax.vmap(stationary.log_existence_alpha))(problems)
    wrong = np.abs(got - expected) > 256 * EPS * size
    assert not wrong.any(), (wrong.sum(), [v[wrong][:3] for v in (point_epsilon, point_b, phi)])
    points = solve_many(problems, "descent_ascent")
    clear = np.abs(np.log(alpha) - expected) > 256 * EPS * size
    np.testing.assert_array_equal(
        np.asarray(points.kind)[clear], np.where(np.log(alpha) < expected, MINIMUM, NONE)[clear]
    )
    np.testing.assert_array_equal(points.converged, np.asarray(points.kind) == MINIMUM)


# --- the ends of the ranges ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("epsilon", [0.0, 0.5, 1.0])
@pytest.mark.parametrize(
    ("retain", "forget"), [(0.0, 0.0), (0.0, 0.01), (0.0, 40.0), (40.0, 0.0), (100.0, 40.0)]
)
def test_counts_of_zero_and_full_counts_in_the_plane(retain, forget, epsilon, loss):
    problem = af.CrossCorrelated(epsilon, retain, forget, 100.0, 40.0, 1e-3, loss)
    for which in MODELS:
        point = solve(problem, which)
        check_point(problem, which, point)
        if point.kind != NONE:
            check_digits(problem, which, point)
    if (
        loss == "exponential" and retain == 0
    ):  # alone, the forget samples need forget_b (1 + eps^2)/phi <= 1/e
        few = forget / 40.0 / 1e-3 * (1 + epsilon**2) <= 1 / np.e
        assert (solve(problem, "descent_ascent").kind == MINIMUM) == few


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(
    ("retain", "forget"),
    [(0.0, 0.0), (0.0, 0.001), (0.0, 40.0), (40.0, 0.0), (100.0, 40.0), (40.0, 16.0)],
)
def test_counts_of_zero_and_full_counts_on_an_axis(retain, forget, loss):
    problem = af.SemiOrthogonal(retain, forget, 100.0, 40.0, 1e-2, loss)
    for which in MODELS:
        point = solve(problem, which)
        check_point(problem, which, point)
        if point.kind != NONE:
            check_digits(problem, which, point)
    c = (retain / 100.0 - forget / 40.0) / 1e-2
    assert (solve(problem, "descent_ascent").kind == NONE) == (
        loss == "exponential" and c < -1 / np.e
    )


@pytest.mark.parametrize("loss", LOSSES)
def test_without_correlation_the_plane_is_two_axes(loss):
    @given(plane_problems(loss))
    @settings(max_examples=25)
    def check(problem):
        totals = (problem.retain_total, problem.forget_total, problem.ridge, loss)
        plane = af.CrossCorrelated(0.0, problem.retain_in_plane, problem.forget_in_plane, *totals)
        first = af.SemiOrthogonal(problem.retain_in_plane, 0.0, *totals)
        second = af.SemiOrthogonal(0.0, problem.forget_in_plane, *totals)
        for which in MODELS:
            point, axes = solve(plane, which), [solve(axis, which) for axis in (first, second)]
            assert point.kind == min(axis.kind for axis in axes)
            if point.kind != NONE and np.min(point.weights) > -0.999:
                np.testing.assert_allclose(
                    point.weights, [axis.weights for axis in axes], rtol=1e-11, atol=1e-12
                )

    check()


@given(plane_problems())
@settings(max_examples=25)
def test_identical_samples_share_one_margin(problem):
    """epsilon = 1: x = y = W of twice the axis coefficient."""
    same = af.CrossCorrelated(
        1.0,
        problem.retain_in_plane,
        problem.forget_in_plane,
        problem.retain_total,
        problem.forget_total,
        problem.ridge,
    )
    for which in MODELS:
        point, c = solve(same, which), 2 * float(closed_form.coefficient(same, which))
        size = 2 * float(same.b + same.forget_b / same.phi)
        if abs(c + 1 / np.e) < 1e-3 + 1e-10 * size:
            continue
        assert (point.kind == NONE) == (c < -1 / np.e)
        if point.kind != NONE:
            expected = scipy_lambertw(c).real
            tolerance = 64 * EPS * (1 + size) * np.exp(-expected) / (1 + expected)
            np.testing.assert_allclose(
                point.margins, [expected, expected], rtol=1e-13, atol=tolerance
            )


@pytest.mark.parametrize("b", [1e2, 1e4, 1e5, 1e6, 1e8])
def test_duplicates_with_a_small_ridge_keep_their_digits(b):
    """epsilon = 1 where two pulls of size b nearly cancel: the margin is W(c) up to the rounding of the counts, b roundings."""
    for excess in (0.0, 1.0, 10.0, 100.0):
        problem = af.CrossCorrelated(1.0, 1.0, 1 - excess / b, 1.0, 1.0, 1 / b)
        c = 2 * (b - float(problem.forget_in_plane) * b)
        point, expected = solve(problem, "descent_ascent"), scipy_lambertw(c).real
        assert point.kind == MINIMUM and point.converged
        np.testing.assert_allclose(point.margins, [expected, expected], atol=256 * EPS * b)


@pytest.mark.parametrize("gap", [1e-2, 1e-4, 1e-6, 1e-9, 1e-12])
@pytest.mark.parametrize("loss", LOSSES)
def test_near_duplicates_with_a_small_ridge_keep_their_digits(loss, gap):
    """Next to epsilon = 1, where q has lost 1 - epsilon and two pulls of size b nearly cancel."""
    for b, ratio in itertools.product((1e4, 1e6, 1e8), (0.5, 1 - 1e-4, 1.0)):
        problem = af.CrossCorrelated(1 - gap, 1.0, ratio, 1.0, 1.0, 1 / b, loss)
        point = solve(problem, "descent_ascent")
        if point.kind != NONE:
            check_point(problem, "descent_ascent", point)
            if softest(problem, "descent_ascent", point) > 1e-3:
                check_digits(problem, "descent_ascent", point)


# Where rounding decided the sign next to the fold, and the bisection left the root.
LEFT_ROOTS = [
    (0.5237068550338809, 1.031188056625166, 0.16939040743894968, 1.7206063875528055e-17),
    (0.5240800579325628, 1.3025309570918004, 0.39585673399356236, 3.636421274064701e-17),
    (0.22293411849434952, 21.657475140219294, 0.9411978359182855, 1.364457309923189e-16),
    (0.3036369309950989, 6.552479941735349, 0.01429129704755155, 4.935661685557021e-16),
    (0.9725369375486936, 0.38066607719452067, 0.1874499944908074, 3.555615441668971e-16),
]


@pytest.mark.parametrize(("b", "gap"), [((-2, 4), (-4, 0)), ((-6, 8), (-14, -1))])
def test_minima_next_to_the_fold_converge(b, gap):
    """20,000 problems a box, 1e-17 to 0.1 below the threshold: a minimum to all its digits, never the saddle beside it."""
    rng = np.random.default_rng(0)
    epsilon, _, phi, point_b = random_ratios(20_000, 1, b)
    epsilon, side = 1 - 10 ** rng.uniform(*gap, 20_000), 10 ** rng.uniform(-17, -1, 20_000)
    for column, values in zip((epsilon, point_b, phi, side), np.transpose(LEFT_ROOTS), strict=True):
        column[: len(values)] = values
    log_threshold = jax.jit(jax.vmap(stationary.log_existence_alpha))(
        build_many(epsilon, phi, phi, point_b)
    )
    points = solve_many(
        build_many(epsilon, np.exp(log_threshold) * (1 - side), phi, point_b), "descent_ascent"
    )
    assert np.mean(points.kind == MINIMUM) > 0.85  # at the smallest distances rounding decides
    assert set(np.unique(points.kind)) == {NONE, MINIMUM}
    np.testing.assert_array_equal(points.converged, np.asarray(points.kind) == MINIMUM)


@pytest.mark.parametrize("loss", LOSSES)
def test_extreme_ratios_converge(loss):
    """b from 1e-6 to 1e8, epsilon down to 0 and up to 1, alpha/phi from 1e-4 to 10."""
    epsilon = [0.0, 1e-12, 1e-3, 0.3, 0.8, 0.99, 1 - 1e-6, 1 - 1e-12, 1.0]
    grid = itertools.product(
        epsilon, np.geomspace(1e-4, 10, 11), [1e-3, 0.3, 10.0], np.geomspace(1e-6, 1e8, 15)
    )
    epsilon, pressure, phi, b = np.array(list(grid)).T
    problems = jax.tree.map(np.asarray, build_many(epsilon, pressure * phi, phi, b, loss))
    for which in MODELS:
        points = jax.tree.map(np.asarray, solve_many(problems, which))
        kind = points.kind
        np.testing.assert_array_equal(points.converged, kind == MINIMUM)
        pulls = 2 * np.abs(points.weights).max(axis=1) + 2 * b * (1 + pressure)
        rounding = 256 * EPS * (1 + np.abs(points.margins).sum(axis=1)) * (1 + pulls)
        assert np.all(
            points.residual[points.converged] <= rounding[points.converged]
        )  # else the word would mean nothing
        assert set(np.unique(kind)) <= {NONE, MINIMUM}
        np.testing.assert_array_equal(np.isnan(points.weights).any(axis=1), kind == NONE)
        if loss == "logistic" or which != "descent_ascent":
            assert np.all(kind == MINIMUM)
        for i in np.random.default_rng(0).choice(np.flatnonzero(kind == MINIMUM), 6, replace=False):
            problem, point = nth(problems, i), jax.tree.map(lambda v, i=i: v[i], points)
            check_point(problem, which, point)


def test_float32_gives_float32_and_most_of_its_digits():
    problems = build_many(*random_ratios(2000, 3, b=(-2, 3)))
    single = jax.tree.map(jnp.float32, problems)
    double = jax.tree.map(
        jnp.float64, single
    )  # the rounded problem, so that only the arithmetic differs
    threshold = jax.vmap(stationary.log_existence_alpha)(double)
    for which in MODELS:
        got, expected = solve_many(single, which), solve_many(double, which)
        chex.assert_type([got.weights, got.margins, got.residual], jnp.float32)
        assert got.kind.dtype == jnp.int32
        np.testing.assert_array_equal(got.converged, np.asarray(got.kind) == MINIMUM)
        # next to the fold, where the smallest eigenvalue of the Hessian vanishes, digits halve and at last rounding decides
        clear = (
            np.ones(2000, bool)
            if which != "descent_ascent"
            else np.abs(np.log(double.alpha) - threshold) > 0.02
        )
        assert clear.sum() > 1500
        np.testing.assert_array_equal(np.asarray(got.kind)[clear], np.asarray(expected.kind)[clear])
        np.testing.assert_allclose(
            np.asarray(got.margins)[clear],
            np.asarray(expected.margins)[clear],
            rtol=1e-3,
            atol=1e-4,
        )


def test_with_the_logistic_loss_the_smallest_forget_pull_is_found():
    """A scan over S of g(S) = ln S + softplus(y) - ln gamma, s_1 by bisection: the first zero, where g rises."""
    n, cells = 400, 1500
    epsilon, alpha, phi, b = random_ratios(n, 5, b=(-2, 3), pressure=(-2, 1))
    epsilon[: n // 4] = 1 - (1 - epsilon[: n // 4]) / 20  # several minima need strong correlation
    problems = build_many(epsilon, alpha, phi, b, "logistic")
    q, beta, gamma = (
        2 * epsilon / (1 + epsilon**2),
        b * (1 + epsilon**2),
        alpha * b * (1 + epsilon**2) / phi,
    )
    log_s = (
        np.log(gamma)[:, None]
        - np.linspace(1, 0, cells) * (3 + np.log1p(np.minimum(gamma, 1e3)) + 20)[:, None]
    )
    lower, upper = (
        np.full_like(log_s, -60.0),
        np.broadcast_to(np.log(beta)[:, None], log_s.shape).copy(),
    )
    shift = q[:, None] * np.exp(log_s)
    for _ in range(60):
        middle = (lower + upper) / 2
        low = middle + np.logaddexp(0, np.exp(middle) - shift) < np.log(beta)[:, None]
        lower, upper = np.where(low, middle, lower), np.where(low, upper, middle)
    g = log_s + np.logaddexp(0, q[:, None] * np.exp(lower) - np.exp(log_s)) - np.log(gamma)[:, None]
    crossings = (g[:, :-1] < 0) & (g[:, 1:] >= 0)
    assert (
        np.all(crossings.any(axis=1)) and np.sum(crossings.sum(axis=1) > 1) > 3
    )  # some problems have two minima
    first = crossings.argmax(axis=1)
    points = solve_many(problems, "descent_ascent")
    x, y = np.asarray(points.margins).T
    pull = gamma / (1 + np.exp(y))
    rows = np.arange(n)
    cell = log_s[:, 1] - log_s[:, 0]
    inside = (np.log(pull) >= log_s[rows, first] - cell - 1e-9) & (
        np.log(pull) <= log_s[rows, first + 1] + cell + 1e-9
    )
    assert inside.all(), [v[~inside][:4] for v in (epsilon, alpha, phi, b)]
    assert np.all(np.asarray(points.kind) == MINIMUM)


def test_other_objects_than_the_two_problems_are_refused():
    with pytest.raises(ValueError, match="^problem = .*SemiOrthogonal or a CrossCorrelated"):
        af.stationary_point(1.0, "oracle")
    with pytest.raises(ValueError, match="^xp = .*JAX or the mpmath arithmetic"):
        p = af.CrossCorrelated(0.5, 4.0, 2.0, 10.0, 5.0, 0.1)
        stationary.plane(p, "original", xp=af.arithmetic.symbolic())


# --- large batches run in chunks -------------------------------------------------------------------------------------------

CHUNKED = 2 * loops.CHUNK + 77  # more than runs at once, and no multiple of anything


def a_batch(loss, size=CHUNKED):
    rng = np.random.default_rng(0)
    epsilon, b, phi = (
        rng.uniform(0, 1, size),
        10 ** rng.uniform(-1, 3, size),
        10 ** rng.uniform(-1, 0, size),
    )
    alpha = phi * rng.uniform(0.01, 2, size)
    return af.CrossCorrelated.from_ratios(
        epsilon=epsilon, alpha=alpha, phi=phi, b=b, ridge=1e-4, loss=loss
    )


@pytest.mark.parametrize("which", ["original", "descent_ascent"])
@pytest.mark.parametrize("loss", LOSSES)
def test_a_large_batch_is_what_its_parts_are(which, loss):
    batch = jax.tree.map(lambda x: jnp.broadcast_to(jnp.asarray(x), CHUNKED), a_batch(loss))
    point = functools.partial(af.stationary_point, which=which)
    whole = jax.jit(jax.vmap(point))(batch)
    text = str(jax.make_jaxpr(jax.vmap(point))(batch))
    assert f"f64[{CHUNKED}]" in text and "scan[" in text  # in chunks
    for part in (
        slice(0, 50),
        slice(loops.CHUNK - 25, loops.CHUNK + 25),
        slice(CHUNKED - 50, CHUNKED),
    ):
        few = jax.jit(jax.vmap(point))(jax.tree.map(lambda x, part=part: x[part], batch))
        for got, want in zip(whole, few, strict=True):
            np.testing.assert_allclose(got[part], want, rtol=1e-13, atol=1e-13)


def test_a_large_batch_nested_or_one_field_only_has_derivatives():
    """vmap in vmap, vmap of grad, grad of vmap, a second derivative, and a batch of which one field varies."""
    rows = CHUNKED // 60
    epsilon = jnp.linspace(0.1, 0.9, rows * 60).reshape(rows, 60)

    def first(e):
        return af.stationary_point(
            af.CrossCorrelated(e, 40.0, 8.0, 100.0, 40.0, 1e-1), "original"
        ).weights[0]

    flat = jax.jit(jax.vmap(jax.grad(jax.grad(first))))(epsilon.ravel()[:40])
    nested = jax.jit(jax.vmap(jax.vmap(jax.grad(jax.grad(first)))))(epsilon)
    np.testing.assert_allclose(nested.ravel()[:40], flat, rtol=1e-10)
    outside = jax.jit(jax.grad(lambda e: jnp.sum(jax.vmap(jax.vmap(first))(e))))(epsilon)
    inside = jax.jit(jax.vmap(jax.vmap(jax.jacfwd(first))))(epsilon)
    np.testing.assert_allclose(outside, inside, rtol=1e-12)
    middle = np.asarray(epsilon[0, 30]) + 1e-6 * np.array([-1.0, 1.0])
    np.testing.assert_allclose(
        inside[0, 30], np.diff([float(first(e)) for e in middle])[0] / 2e-6, rtol=1e-7
    )
