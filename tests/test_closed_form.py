"""Every closed form against something that does not know it: the loss summed over samples, its derivatives, many digits."""

import functools

import chex
import jax
import mpmath
import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from strategies import (
    MODELS,
    axis_of,
    axis_problems,
    exact,
    gradient,
    minimise_samples,
    plane_problems,
    ratio_points,
    ratios,
    real,
    root_near,
    sample_objective,
    scale,
    set_weights,
    whole_axis_problems,
    whole_plane_problems,
)  # fmt: skip

import ascentfail as af
from ascentfail.line import closed_form
from ascentfail.numerics.arithmetic import JAX, MPMATH
from ascentfail.plane import bounds as plane_bounds
from ascentfail.plane import equations as plane_equations

BRANCH_POINT = -np.exp(-1)
DIGITS = 50
AXIS_BOUNDS = ("existence_alpha", "displacement_bound")


@functools.partial(jax.jit, static_argnames=("which", "branch"))
def axis_solution(problem, which, branch=0):
    if which == "descent_ascent":
        return closed_form.descent_ascent(problem, branch)
    return getattr(closed_form, which)(problem)


@functools.partial(jax.jit, static_argnames="which")
def slope(problem, weights, which):
    """Gradient of the loss as written, over the ridge."""
    return jax.grad(lambda w: af.loss(problem, w, which))(weights) / problem.ridge


@functools.partial(jax.jit, static_argnames="which")
def bend(problem, weights, which):
    """Hessian of the loss as written, over the ridge; a number on one coordinate."""
    return jax.hessian(lambda w: af.loss(problem, w, which))(weights) / problem.ridge


def axis_pull(p, which):
    """c = (retain weight * count + forget weight * count)/ridge, from the definition of the objective in mpmath."""
    retain_weight, forget_weight = set_weights(p, which)
    return (retain_weight * p.retain + forget_weight * p.forget) / p.ridge


def on_each_axis(problem):
    """The scalar problems of a problem with several axes."""
    if np.ndim(problem.retain_on_axis) == 0:
        return [problem]
    return [axis_of(problem, j) for j in range(len(problem.retain_on_axis))]


# --- one coordinate --------------------------------------------------------------------------------------------------------


@given(axis_problems())
def test_axis_solutions_are_stationary_points_of_the_loss(problem):
    """By automatic differentiation of af.loss, and NaN exactly where c < -1/e."""
    for which in MODELS:
        w = axis_solution(problem, which)
        assert w.shape == np.shape(problem.retain_on_axis)
        c = [float(axis_pull(exact(p), which)) for p in on_each_axis(problem)]
        exists = np.array(c) >= BRANCH_POINT
        clear = np.abs(np.array(c) - BRANCH_POINT) > 1e-9
        np.testing.assert_array_equal(np.isfinite(np.atleast_1d(w))[clear], exists[clear])
        if np.all(np.isfinite(w)):
            # rounding of c e^{-w}, whose exponent carries |w| roundings, and of the two terms of c
            size = (1 + np.abs(w)) ** 2 * (
                1 + np.atleast_1d(problem.b + problem.forget_b).max() * np.exp(-np.min(w))
            )
            np.testing.assert_array_less(
                np.abs(slope(problem, w, which)), 64 * np.finfo(float).eps * np.max(size)
            )


@given(axis_problems(shapes=((),)))
def test_axis_solutions_have_the_digits_of_an_independent_root(problem):
    p = exact(problem)
    with mpmath.workdps(DIGITS):
        for which in MODELS:
            c = axis_pull(p, which)
            # where c is all rounding, W_{-1} of it says nothing
            branches = (0, -1) if BRANCH_POINT < c < -1e-9 * p.b else (0,)
            if c < BRANCH_POINT * (1 - 1e-9):
                assert np.isnan(axis_solution(problem, which))
                assert mpmath.isnan(closed_form.descent_ascent(p, xp=MPMATH))
                continue
            if which != "oracle" and abs(c - BRANCH_POINT) < 1e-3:
                continue  # the branch point, where the digits of c are halved; tests/test_special.py
            for branch in branches:
                w = float(axis_solution(problem, which, branch))
                (root,) = root_near(p, which, w)
                assert abs(gradient(p, [root], which)[0]) < mpmath.mpf(10) ** -40
                # descent-ascent subtracts |F_j|/|F| from |R_j|/|R|: that cancellation acts on c before W is computed
                cancelled = (p.b + p.forget_b / p.phi) * abs(mpmath.exp(-root) / (1 + root))
                assert abs(w - root) <= 8 * np.finfo(float).eps * (abs(root) + cancelled)
                name, keywords = (
                    (which, {"branch": branch}) if which == "descent_ascent" else (which, {})
                )
                precise = getattr(closed_form, name)(p, **keywords, xp=MPMATH)
                assert abs(precise - root) <= mpmath.mpf(10) ** -40 * (1 + abs(root) + cancelled)


@given(whole_axis_problems())
@settings(max_examples=30)
def test_axis_solutions_are_what_direct_minimisation_over_samples_finds(problem):
    for which in MODELS:
        w = np.atleast_1d(axis_solution(problem, which))
        if np.isnan(w).any() or np.min(w) < -0.9:  # at w = -1 minimum and maximum merge
            assert which == "descent_ascent"
            continue
        found = minimise_samples(problem, which)
        np.testing.assert_allclose(w, found, rtol=1e-8, atol=1e-8)
        _, gradient_at, hessian_at = sample_objective(problem, which)(w)
        assert np.max(np.abs(gradient_at)) < 1e-11 and np.min(np.linalg.eigvalsh(hessian_at)) > 0


@given(scale(-3, 3), scale(-2, 0.5), real(-0.36, -1e-3))
def test_the_two_solutions_of_descent_ascent_are_minimum_and_maximum(b, phi, c):
    """With c in (-1/e, 0): W_0 above -1 with positive, W_{-1} below -1 with negative curvature 1 + w."""
    problem = af.SemiOrthogonal.from_ratios(alpha=phi * (1 - c / b), phi=phi, b=b)
    upper, lower = (axis_solution(problem, "descent_ascent", branch) for branch in (0, -1))
    assert lower < -1 < upper < 0
    for w in (upper, lower):
        curvature = closed_form.curvature(w)
        np.testing.assert_allclose(
            curvature, bend(problem, w, "descent_ascent"), rtol=1e-6, atol=1e-6
        )
        assert (curvature > 0) == (w == upper)


@given(axis_problems(shapes=((),)))
def test_first_step_is_minus_the_gradient_of_descent_ascent_at_the_original(problem):
    w = axis_solution(problem, "original")
    direction = closed_form.first_step(problem)
    size = 1 + (float(problem.b) + float(problem.forget_b / problem.phi)) * np.exp(-float(w))
    np.testing.assert_allclose(
        direction,
        -slope(problem, w, "descent_ascent"),
        rtol=1e-12,
        atol=1e-13 * size * (1 + w) ** 2,
    )
    p = exact(problem)
    with mpmath.workdps(DIGITS):
        (root,) = root_near(p, "original", w)
        expected = -gradient(p, [root], "descent_ascent")[0]
        assert abs(closed_form.first_step(p, xp=MPMATH) - expected) < mpmath.mpf(10) ** -30 * (
            1 + abs(expected)
        )


@given(scale(-2, 1), scale(-3, 4))
def test_at_the_wrong_way_alpha_descent_ascent_ends_at_the_original(phi, b):
    with mpmath.workdps(DIGITS):
        point = {"epsilon": 0.0, "phi": phi, "b": b}
        alpha = closed_form.wrong_way_alpha(mpmath.mpf(phi))

        def gap(alpha):
            p = ratios({**point, "alpha": alpha})
            return closed_form.descent_ascent(p, xp=MPMATH) - closed_form.original(p, xp=MPMATH)

        assert abs(gap(alpha)) < mpmath.mpf(10) ** -45 * (1 + b)
        assert gap(alpha * mpmath.mpf("0.999")) > 0 > gap(alpha * mpmath.mpf("1.001"))


@given(scale(-2, 1), scale(-3, 4))
def test_at_the_existence_alpha_the_two_solutions_of_descent_ascent_meet(phi, b):
    with mpmath.workdps(DIGITS):
        point = {"epsilon": 0.0, "phi": phi, "b": b}
        alpha = closed_form.existence_alpha(ratios({**point, "alpha": mpmath.mpf(1)}), xp=MPMATH)
        below, above = (
            ratios({**point, "alpha": alpha * (1 + mpmath.mpf(sign) / 10**20)}) for sign in (-1, 1)
        )
        near = mpmath.sqrt(20 * (1 + b)) / mpmath.mpf(10) ** 10  # W is a square root next to -1/e
        assert all(
            abs(closed_form.descent_ascent(below, branch, xp=MPMATH) + 1) < near
            for branch in (0, -1)
        )
        assert mpmath.isnan(closed_form.descent_ascent(above, xp=MPMATH))


@given(axis_problems(shapes=((),)))
def test_displacement_bound_is_the_log_ratio_of_the_two_coefficients(problem):
    """W + ln W = ln c: the bound of Lemma 4 is |(w_D + ln w_D) - (w_R + ln w_R)|, at every ridge."""
    assume(problem.retain_on_axis > 0)
    p = exact(problem)
    with mpmath.workdps(DIGITS):
        logs = [
            w + mpmath.log(w)
            for w in (mpmath.lambertw(axis_pull(p, m)).real for m in ("original", "oracle"))
        ]
        expected = abs(logs[0] - logs[1])
        assert abs(closed_form.displacement_bound(p, xp=MPMATH) - expected) < mpmath.mpf(
            10
        ) ** -40 * (1 + expected)
    got = closed_form.displacement_bound(problem)
    np.testing.assert_allclose(got, float(expected), rtol=1e-13, atol=1e-15)
    assert abs(axis_solution(problem, "original") - axis_solution(problem, "oracle")) <= got + 1e-14


def test_axis_solutions_at_the_ends_of_the_ranges():
    none = af.SemiOrthogonal(0.0, 0.0, 10.0, 5.0, 0.1)
    for which in MODELS:
        assert axis_solution(none, which) == 0
    tie = af.SemiOrthogonal(
        4.0, 2.0, 10.0, 5.0, 0.1
    )  # alpha = phi: c_DA = 0, where W_{-1} is no solution
    np.testing.assert_allclose(axis_solution(tie, "descent_ascent"), 0, atol=1e-15)
    assert np.isnan(axis_solution(af.SemiOrthogonal(0.0, 5.0, 10.0, 5.0, 0.1), "descent_ascent"))
    several = af.SemiOrthogonal(np.array([4.0, 0.0]), np.array([0.0, 5.0]), 10.0, 5.0, 0.1)
    w = axis_solution(several, "descent_ascent")
    np.testing.assert_allclose(w[0] * np.exp(w[0]), 4.0, rtol=1e-14)
    assert np.isnan(w[1])  # axis by axis


@pytest.mark.parametrize("branch", [1, -2, 0.5, None, "0"])
def test_branches_other_than_the_two_real_ones_are_refused(branch):
    with pytest.raises(ValueError, match="^branch = .*branch takes 0 or -1"):
        closed_form.descent_ascent(af.SemiOrthogonal(4.0, 2.0, 10.0, 5.0, 0.1), branch)


def test_closed_forms_refuse_the_logistic_loss_and_name_the_cure():
    problem = af.SemiOrthogonal(4.0, 2.0, 10.0, 5.0, 0.1, "logistic")
    for name in ("original", "oracle", "descent_ascent", "first_step"):
        with pytest.raises(ValueError, match="^loss = 'logistic'.*stationary_point"):
            getattr(closed_form, name)(problem)


@pytest.mark.parametrize(
    "name", ["original", "oracle", "descent_ascent", "with_ridges", "first_step", *AXIS_BOUNDS]
)
@pytest.mark.parametrize(
    "p", [af.CrossCorrelated(0.5, 4.0, 2.0, 10.0, 5.0, 0.1), {"b": 1.0}], ids=["plane", "dict"]
)
def test_closed_forms_of_one_coordinate_refuse_the_plane_and_name_the_cure(name, p):
    """A problem of the plane has every ratio that they read: silence would be a wrong number."""
    more = (2,) if name == "with_ridges" else ()
    with pytest.raises(
        ValueError,
        match=f"^p = '{type(p).__name__}': .*one coordinate.*ascentfail.stationary_point",
    ):
        getattr(closed_form, name)(p, *more)


def test_solutions_in_the_plane_refuse_the_logistic_loss_too():
    """Lemma 6 and the pulls of the plane are those of the exponential loss; silence would be a wrong number."""
    plane = af.CrossCorrelated(0.5, 4.0, 2.0, 10.0, 5.0, 0.1, "logistic")
    with pytest.raises(ValueError, match="^loss = 'logistic'.*stationary_point"):
        plane_equations.oracle(plane)
    for which in MODELS:
        with pytest.raises(ValueError, match="^loss = 'logistic'.*stationary_point"):
            af.stationary.plane(plane, which)


# --- the plane: coordinates and strengths ----------------------------------------------------------------------------------


@given(whole_plane_problems())
def test_cosine_is_the_angle_between_the_listed_samples(problem):
    retain, forget = np.array([1, problem.epsilon]), np.array([problem.epsilon, 1])
    expected = retain @ forget / (np.linalg.norm(retain) * np.linalg.norm(forget))
    np.testing.assert_allclose(plane_equations.cosine(problem), expected, rtol=1e-14)


@given(real(0, 1), real(-5, 5), real(-5, 5))
def test_weights_and_margins_belong_together(epsilon, s1, s2):
    w1, w2 = plane_equations.weights(s1, s2, epsilon)
    x, y = plane_equations.margins(s1, s2, 2 * epsilon / (1 + epsilon**2))
    np.testing.assert_allclose([x, y], [w1 + epsilon * w2, epsilon * w1 + w2], atol=1e-14)
    # s_1, s_2 are the coordinates along the two samples
    np.testing.assert_allclose(
        np.array([w1, w2]) * (1 + epsilon**2), [s1 + s2 * epsilon, s1 * epsilon + s2], atol=1e-14
    )


@given(plane_problems(), real(-1, 3), real(-1, 3))
def test_pulls_are_the_strengths_in_the_gradient_of_the_loss(problem, w1, w2):
    """grad/ridge = w - [beta e^{-x} (1, eps) +- gamma e^{-y} (eps, 1)]/(1 + eps^2), at any weights."""
    eps, w = problem.epsilon, np.array([w1, w2])
    rows, margins = np.array([[1, eps], [eps, 1]]), np.array([w1 + eps * w2, eps * w1 + w2])
    for which, sign in zip(MODELS, (1, 1, -1), strict=True):
        beta, gamma = plane_equations.pulls(problem, which)
        assert beta >= 0 and gamma >= 0 and beta == plane_equations.retain_strength(problem, which)
        pull = np.array([beta, sign * gamma]) * np.exp(-margins)
        expected = w - pull @ rows / (1 + eps**2)
        np.testing.assert_allclose(
            slope(problem, w, which), expected, rtol=1e-12, atol=1e-13 * (1 + np.abs(pull).max())
        )


@given(plane_problems())
def test_plane_oracle_is_stationary_and_has_the_digits_of_an_independent_root(problem):
    assume(problem.retain_in_plane > 0)
    x, y = plane_equations.oracle(problem)
    p = exact(problem)
    with mpmath.workdps(DIGITS):
        weights = plane_equations.weights(x, 0.0, problem.epsilon)
        root = root_near(p, "oracle", weights)
        margins = (root[0] + p.epsilon * root[1], p.epsilon * root[0] + root[1])
        precise = plane_equations.oracle(p, xp=MPMATH)
        for got, high, expected in zip((x, y), precise, margins, strict=True):
            np.testing.assert_allclose(got, float(expected), rtol=1e-14, atol=1e-300)
            assert abs(high - expected) < mpmath.mpf(10) ** -40 * (1 + expected)


@given(whole_plane_problems())
@settings(max_examples=20)
def test_plane_oracle_is_what_direct_minimisation_over_samples_finds(problem):
    w = minimise_samples(problem, "oracle")
    eps = problem.epsilon
    np.testing.assert_allclose(
        plane_equations.oracle(problem),
        [w[0] + eps * w[1], eps * w[0] + w[1]],
        rtol=1e-8,
        atol=1e-9,
    )


@given(real(-20, 20), scale(-6, 8), real(0, 1))
def test_retain_pull_solves_the_first_equation(s2, beta, q):
    s1 = plane_equations.retain_pull(s2, beta, q)
    np.testing.assert_allclose(
        np.log(s1) + s1 + q * s2, np.log(beta), rtol=1e-13, atol=1e-13 * (1 + abs(q * s2))
    )


@given(scale(-2, 1.3), scale(-3, 5), scale(-3, 5), real(0, 1), st.sampled_from([1, -1]))
def test_balance_is_the_second_equation_once_the_first_is_solved(size, beta, gamma, q, sign):
    """g = ln(S/(gamma e^{-y})) with s_1 from an independent root of s_1 = beta e^{-s_1 - sign q S}."""
    with mpmath.workdps(30):
        size_, q_ = mpmath.mpf(size), mpmath.mpf(q)
        log_s1 = mpmath.findroot(
            lambda u: u + mpmath.exp(u) + sign * q_ * size_ - mpmath.log(beta),
            (-300, 40),
            "anderson",
        )
        y = q_ * mpmath.exp(log_s1) + sign * size_
        expected = float(mpmath.log(size_ / gamma) + y)
    scale_ = 1 + abs(float(y)) + size
    np.testing.assert_allclose(
        plane_equations.balance(size, beta, gamma, q, sign),
        expected,
        rtol=1e-12,
        atol=1e-13 * scale_,
    )


def gradient_of_ratios(point, alpha, s1, s2, which):
    """Raw gradient in mpmath at the weights with pulls (s_1, s_2), of a problem with the given ratios and alpha."""
    p = ratios(point)
    p.retain_total, p.ridge, p.loss = mpmath.mpf(1), mpmath.mpf(1), "exponential"
    p.forget_total, p.retain, p.forget = p.phi, p.b, alpha * p.b
    size = 1 + p.epsilon**2
    weights = [(s1 + p.epsilon * s2) / size, (p.epsilon * s1 + s2) / size]
    return max(abs(v) for v in gradient(p, weights, which)) / (1 + abs(s1) + abs(s2))


@given(ratio_points(epsilon=(0, 1)), scale(-2, 1))
def test_the_alpha_of_a_pull_makes_it_stationary(point, pull):
    """At alpha(V) the original, at alpha(B) descent-ascent has s_2 = V, s_2 = -B: zero gradient of the loss as written."""
    with mpmath.workdps(DIGITS):
        p, pull = ratios(point), mpmath.mpf(pull)
        q = 2 * p.epsilon / (1 + p.epsilon**2)
        beta = p.b * (1 + p.epsilon**2)
        u = mpmath.lambertw(beta / (1 + p.phi) * mpmath.exp(-q * pull)).real
        alpha = plane_equations.alpha_of_original(pull, p, xp=MPMATH)
        assert gradient_of_ratios(point, alpha, u, pull, "original") < mpmath.mpf(10) ** -40
        a = MPMATH.lambertw_exp(mpmath.log(beta) + q * pull)
        alpha = plane_equations.alpha_of_descent_ascent(pull, p, xp=MPMATH)
        assert gradient_of_ratios(point, alpha, a, -pull, "descent_ascent") < mpmath.mpf(10) ** -40


@given(plane_problems(), real(-4, 4), real(-4, 4))
def test_squared_distance_to_the_oracle_is_that_of_the_weights(problem, s1, s2):
    eps = problem.epsilon
    assume(problem.retain_in_plane > 0)
    oracle = minimiser = np.array(
        plane_equations.weights(plane_equations.oracle(problem)[0], 0.0, eps)
    )
    np.testing.assert_allclose(
        slope(problem, minimiser, "oracle"), 0, atol=1e-12 * (1 + np.abs(oracle).max()) ** 2
    )
    gap = np.array(plane_equations.weights(s1, s2, eps)) - oracle
    expected = (1 + eps**2) * gap @ gap
    np.testing.assert_allclose(
        plane_equations.squared_distance_to_oracle(s1, s2, problem),
        expected,
        rtol=1e-10,
        atol=1e-12,
    )


# --- the plane: the fold ---------------------------------------------------------------------------------------------------


def height(b_pull, p):
    """h(B) = ln B + q W(beta e^{qB}) - B, in mpmath."""
    q = 2 * p.epsilon / (1 + p.epsilon**2)
    return (
        mpmath.log(b_pull)
        + q * mpmath.lambertw(p.b * (1 + p.epsilon**2) * mpmath.exp(q * b_pull)).real
        - b_pull
    )


@pytest.mark.parametrize(
    ("epsilon", "b", "phi"),
    [(0.3, 0.05, 0.1), (0.5, 4.0, 0.5), (0.05, 100.0, 1.0), (0.9, 30.0, 2.0), (0.97, 3000.0, 0.3)],
)
def test_the_fold_is_the_highest_point_of_a_brute_force_scan(epsilon, b, phi):
    """Existence threshold (phi/beta) exp(max h): a scan of h over six orders of magnitude, refined by golden section."""
    with mpmath.workdps(40):
        p = ratios({"epsilon": epsilon, "alpha": 1.0, "phi": phi, "b": b})
        grid = [mpmath.mpf(10) ** (mpmath.mpf(k) / 40) for k in range(-80, 161)]
        values = [height(x, p) for x in grid]
        k = max(range(len(grid)), key=values.__getitem__)
        rises = [later > earlier for earlier, later in zip(values[:-1], values[1:], strict=True)]
        assert (
            rises == sorted(rises, reverse=True) and 0 < k < len(grid) - 1
        )  # up, then down: one maximum
        lower, upper, ratio = grid[k - 1], grid[k + 1], (mpmath.sqrt(5) - 1) / 2
        for _ in range(110):
            left, right = upper - ratio * (upper - lower), lower + ratio * (upper - lower)
            if height(left, p) < height(right, p):
                lower = left
            else:
                upper = right
        top = (lower + upper) / 2
        q, beta = 2 * p.epsilon / (1 + p.epsilon**2), b * (1 + p.epsilon**2)
        a = mpmath.lambertw(beta * mpmath.exp(q * top)).real
        # golden section finds the place of a maximum to half the digits, and its height to all of them
        assert abs(plane_equations.fold_ascent_pull(a, q) - top) < mpmath.mpf(10) ** -17 * top
        assert abs(plane_equations.fold_equation(mpmath.log(a), beta, q, xp=MPMATH)) < mpmath.mpf(
            10
        ) ** -16 * (1 + a)
        expected = mpmath.log(p.phi / beta) + height(top, p)
        assert (
            abs(plane_equations.log_existence_alpha(a, p, xp=MPMATH) - expected)
            < mpmath.mpf(10) ** -16
        )
        assert abs(af.stationary.log_existence_alpha(p, xp=MPMATH) - expected) < mpmath.mpf(
            10
        ) ** -32 * (1 + a)
        log_alpha = float(expected)
    numbers = ratios({"epsilon": epsilon, "alpha": 1.0, "phi": phi, "b": b}, np.float64)
    np.testing.assert_allclose(
        af.stationary.log_existence_alpha(numbers),
        log_alpha,
        rtol=1e-12,
        atol=1e-12 * (1 + float(a)),
    )


@given(scale(-3, 3), scale(-3, 3), real(0, 1))
def test_fold_equation_increases_and_is_the_slope_of_the_height(a, b, q):
    """k' > 0, and k = 0 is h' = 0: with A e^A = beta e^{qB}, h'(B) = 1/B + q^2 A/(1 + A) - 1 vanishes at B(A)."""
    pull = plane_equations.fold_ascent_pull(a, q)
    np.testing.assert_allclose(1 / pull + q * q * a / (1 + a), 1, rtol=1e-12)
    with mpmath.workdps(30):
        # at beta = A e^{A - qB} the equation holds by construction
        beta = a * mpmath.exp(mpmath.mpf(a) - mpmath.mpf(q) * mpmath.mpf(float(pull)))
        assert abs(plane_equations.fold_equation(mpmath.log(a), beta, q, xp=MPMATH)) < 1e-13 * (
            1 + a + q * float(pull)
        )
    assert jax.grad(plane_equations.fold_equation)(np.log(a), b, q) > 0


# --- the plane: bounds and thresholds --------------------------------------------------------------------------------------


@given(ratio_points())
@example({"epsilon": 0.5, "alpha": 0.2, "phi": 0.5, "b": 3.0})
def test_bounds_are_the_printed_ones(point):
    """Lemmas 7 to 10 as printed, once more, in alpha and beta_D and with mpmath's own W."""
    with mpmath.workdps(DIGITS):
        p = ratios(point)
        q, beta, phi, alpha = (
            2 * p.epsilon / (1 + p.epsilon**2),
            p.b * (1 + p.epsilon**2),
            p.phi,
            p.alpha,
        )
        beta_d = beta / (1 + phi)

        def w(z):
            return mpmath.lambertw(z).real if z >= -mpmath.exp(-1) else mpmath.nan

        z = (w(beta) - w(beta_d)) / q
        printed = {
            "original_bounds": (
                w(beta_d * (1 + q * alpha)), w(beta_d) + q * w(alpha * beta_d), w(alpha * beta_d), w(beta_d * (q + alpha)),
            ),
            "descent_ascent_bounds": (w(beta * (1 - q * alpha / phi)), w(beta * (q - alpha / phi))),
            "lower_alphas": (phi**2 / (q * (1 + 2 * phi)), q * phi * (1 + phi) / (1 + 2 * phi)),
            "upper_alphas": (z * mpmath.exp(z) / beta_d, q * ((1 + phi) * mpmath.exp(-(1 - q) * w(beta)) - 1)),
        }  # fmt: skip
        for name, expected in printed.items():
            keywords = {} if name == "lower_alphas" else {"xp": MPMATH}
            for got, want in zip(getattr(plane_bounds, name)(p, **keywords), expected, strict=True):
                assert mpmath.isnan(got) == mpmath.isnan(want)
                if not mpmath.isnan(want):
                    assert abs(got - want) < mpmath.mpf(10) ** -30 * (1 + abs(want))
        assert plane_bounds.sufficient_alpha(p) == printed["lower_alphas"][0]


@given(ratio_points())
def test_threshold_alphas_are_where_the_bounds_meet(point):
    """What the thresholds of Lemmas 9 and 10 are for: there a bound on one model equals a bound on the other."""
    with mpmath.workdps(DIGITS):

        def at(alpha):
            p = ratios({**point, "alpha": alpha})
            return plane_bounds.original_bounds(p, xp=MPMATH), plane_bounds.descent_ascent_bounds(
                p, xp=MPMATH
            )

        p = ratios(point)
        x, y = plane_equations.oracle(p, xp=MPMATH)
        small = mpmath.mpf(10) ** -35 * (1 + p.b)
        first, second = plane_bounds.lower_alphas(p)
        original, ascent = at(first)
        assert abs(original[0] - ascent[0]) < small
        original, ascent = at(second)
        assert abs(original[2] - ascent[1]) < small
        first, second = plane_bounds.upper_alphas(p, xp=MPMATH)
        assert abs(at(first)[0][1] - x) < small
        if second > 0:
            assert abs(at(second)[0][3] - y) < small


@given(ratio_points(epsilon=(0.05, 0.95), b=(-2, 3)))
def test_ordering_alphas_are_where_the_margins_of_original_and_oracle_meet(point):
    """At the first exact threshold x_D = x_R, at the second y_D = y_R: zero gradient at weights with that margin."""
    with mpmath.workdps(DIGITS):
        p = ratios(point)
        q, beta = 2 * p.epsilon / (1 + p.epsilon**2), p.b * (1 + p.epsilon**2)
        big_x = mpmath.lambertw(beta).real
        first, second = plane_bounds.ordering_alphas(p, xp=MPMATH)
        # x = X: s_1 = beta_D e^{-X} = X/(1 + phi) and s_2 = (X - s_1)/q
        s1 = big_x / (1 + p.phi)
        assert (
            gradient_of_ratios(point, first, s1, (big_x - s1) / q, "original")
            < mpmath.mpf(10) ** -35
        )
        # y = q X: s_2 = q (X - U) where U = beta_D e^{-U - q s_2}
        u = mpmath.findroot(
            lambda u: u - beta / (1 + p.phi) * mpmath.exp(-u - q * q * (big_x - u)), big_x / 2
        )
        assert (
            gradient_of_ratios(point, second, u, q * (big_x - u), "original")
            < mpmath.mpf(10) ** -35
        )
        assert second <= first * (1 + mpmath.mpf(10) ** -40)


def test_ordering_alphas_tend_to_phi_at_identical_samples():
    """U -> beta_D e^{-X} = X/(1 + phi): the second is X phi/(1 + phi) e^X/beta_D = phi, approached but 0/0 at epsilon = 1."""
    for phi, b in ((0.25, 0.01), (1.0, 3.0), (2.5, 1e4)):
        with mpmath.workdps(DIGITS):
            p = ratios({"epsilon": 1 - mpmath.mpf(10) ** -15, "alpha": 1.0, "phi": phi, "b": b})
            for value in plane_bounds.ordering_alphas(p, xp=MPMATH):
                assert abs(value / phi - 1) < 1e-13
        first, second = plane_bounds.ordering_alphas(
            ratios({"epsilon": 1.0, "alpha": 1.0, "phi": phi, "b": b}, np.float64)
        )
        np.testing.assert_allclose(first, phi, rtol=1e-14)
        assert np.isnan(second)


# --- near-duplicates -------------------------------------------------------------------------------------------------------


@given(scale(-2, 3), scale(-2, 3))
def test_duplicate_limits_are_the_solutions_near_epsilon_one(rho, kappa):
    """Sums instead of means: w = rho e^{-x} (1, eps) +- kappa e^{-y} (eps, 1), solved at eps = 1 - 1e-12."""
    forget = {"original": kappa, "oracle": 0.0, "descent_ascent": -kappa}
    for which in MODELS:
        c = 2 * (rho + forget[which])
        limit = plane_bounds.duplicate_limit(rho, kappa, which)
        if c < BRANCH_POINT:
            assert np.isnan(limit)
            continue
        if c < -0.36:
            continue
        with mpmath.workdps(40):
            eps = 1 - mpmath.mpf(10) ** -20

            def equations(w1, w2, which=which, eps=eps):
                pull, push = (
                    rho * mpmath.exp(-w1 - eps * w2),
                    forget[which] * mpmath.exp(-eps * w1 - w2),
                )
                return [w1 - pull - eps * push, w2 - eps * pull - push]

            root = mpmath.findroot(
                equations, (float(limit) / 2, float(limit) / 2), tol=1e-30, verify=False
            )
            assert abs(max(equations(*root), key=abs)) < 1e-25
            np.testing.assert_allclose(
                limit, float(root[0] + root[1]), rtol=1e-12, atol=1e-13 * (rho + kappa)
            )


# --- derivatives, batches --------------------------------------------------------------------------------------------------

GRID_AXIS = ("retain_on_axis", "forget_on_axis", "retain_total", "forget_total", "ridge")


@pytest.mark.parametrize(
    ("retain", "forget", "branches"),
    [(40.0, 8.0, (0,)), (40.0, 0.0, (0,)), (1.0, 0.4002, (0, -1)), (0.0, 0.0, (0,))],
)
def test_gradients_of_axis_solutions_in_every_field_are_those_of_the_exact_root(
    retain, forget, branches
):
    """Central differences in 50 digits, step 1e-15: their own error is 1e-30, so only JAX's rounding is seen."""
    problem = af.SemiOrthogonal(retain, forget, 100.0, 40.0, 1e-3)
    step = mpmath.mpf(10) ** -15
    for which in MODELS:
        for branch in branches if which == "descent_ascent" else (0,):
            got = jax.grad(lambda p, which=which, branch=branch: axis_solution(p, which, branch))(
                problem
            )
            second = jax.hessian(
                lambda p, which=which, branch=branch: axis_solution(p, which, branch)
            )(problem)
            chex.assert_tree_all_finite((got, second))
            start = axis_solution(problem, which, branch)
            with mpmath.workdps(DIGITS):
                for name, field in zip(
                    GRID_AXIS,
                    ("retain", "forget", "retain_total", "forget_total", "ridge"),
                    strict=True,
                ):
                    ends = []
                    for sign in (1, -1):
                        p = exact(problem)
                        setattr(p, field, getattr(p, field) + sign * step)
                        ends += root_near(p, which, start)
                    expected = float((ends[0] - ends[1]) / (2 * step))
                    # W' = e^{-w}/(1 + w) inherits the rounding of c, 1e-16 (b + forget_b/phi)/(1 + w) at most
                    np.testing.assert_allclose(
                        getattr(got, name),
                        expected,
                        rtol=1e-9,
                        atol=1e-12,
                        err_msg=f"{which} {name}",
                    )


def test_one_compilation_serves_a_whole_grid():
    """Closed forms over an alpha x phi x b grid: traced once, and the same as point by point."""
    shape = (5, 4, 6)
    alpha, phi, b = np.meshgrid(
        np.geomspace(0.01, 2, 5), np.geomspace(0.1, 2, 4), np.geomspace(1e-3, 1e4, 6), indexing="ij"
    )

    @jax.jit
    @chex.assert_max_traces(n=1)
    def solve(alpha, phi, b):
        def one(alpha, phi, b):
            p = af.SemiOrthogonal.from_ratios(alpha=alpha, phi=phi, b=b)
            return (
                closed_form.original(p),
                closed_form.oracle(p),
                closed_form.descent_ascent(p),
                closed_form.first_step(p),
            )

        for _ in shape:
            one = jax.vmap(one)
        return one(alpha, phi, b)

    chex.clear_trace_counter()
    got = solve(alpha, phi, b)
    solve(1.1 * alpha, phi, b)
    chex.assert_shape(got, shape)
    for index in [(0, 0, 0), (4, 0, 5), (2, 3, 1)]:
        p = af.SemiOrthogonal.from_ratios(alpha=alpha[index], phi=phi[index], b=b[index])
        one = (
            closed_form.original(p),
            closed_form.oracle(p),
            closed_form.descent_ascent(p),
            closed_form.first_step(p),
        )
        np.testing.assert_allclose([v[index] for v in got], one, rtol=1e-12, atol=1e-12)


def test_the_arithmetic_is_given_by_name_and_all_else_as_one_likes():
    p = af.SemiOrthogonal(40.0, 8.0, 100.0, 40.0, 1e-3)
    assert closed_form.with_ridges(p=p, ridges=2) == closed_form.with_ridges(p, 2)
    with pytest.raises(TypeError, match="positional"):
        closed_form.with_ridges(p, 2, JAX)
