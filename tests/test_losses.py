"""The objectives against sums over samples, one by one, and the samples themselves."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from strategies import LOSSES, MODELS, sample_objective, whole_axis_problems, whole_plane_problems

import ascentfail as af


@functools.partial(jax.jit, static_argnames="which")
def derivatives(problem, weights, which):
    """Value, gradient and Hessian of af.loss in the weights."""

    def objective(w):
        return af.loss(problem, w, which)

    return objective(weights), jax.grad(objective)(weights), jax.hessian(objective)(weights)


def check_objective(problem, weights):
    """Value, gradient and Hessian of af.loss against the sums over every listed sample."""
    shaped = (
        jnp.asarray(weights).reshape(np.shape(problem.retain_on_axis))
        if hasattr(problem, "retain_on_axis")
        else weights
    )
    scale = 1 + np.exp(2 * np.max(np.abs(weights)))
    for which in MODELS:
        expected = sample_objective(problem, which)(weights)
        for got, want in zip(derivatives(problem, shaped, which), expected, strict=True):
            np.testing.assert_allclose(
                np.reshape(got, np.shape(want)), want, rtol=1e-13, atol=1e-14 * scale
            )


@pytest.mark.parametrize("loss", LOSSES)
def test_objective_on_axes_is_the_sum_over_samples(loss):
    @given(whole_axis_problems(loss))
    def check(problem):
        check_objective(problem, np.array([0.7, -1.3])[: max(1, np.size(problem.retain_on_axis))])

    check()


@pytest.mark.parametrize("loss", LOSSES)
def test_objective_in_the_plane_is_the_sum_over_samples(loss):
    @given(whole_plane_problems(loss))
    def check(problem):
        check_objective(problem, np.array([0.7, -1.3]))

    check()


@pytest.mark.parametrize("loss", LOSSES)
def test_constant_terms_are_those_of_the_paper(loss):
    """At w = 0 every sample costs loss(0), also those outside the group: L_D = L_R = loss(0) and L_DA = 0."""
    at_zero = 1.0 if loss == "exponential" else np.log(2)
    problem = af.CrossCorrelated(0.5, 4.0, 1.0, 10.0, 7.0, 0.1, loss)
    values = [af.loss(problem, jnp.zeros(2), which) for which in MODELS]
    np.testing.assert_allclose(values, [at_zero, at_zero, 0], atol=1e-15)


def test_one_count_for_several_axes_means_that_many_on_each():
    """A scalar count beside an (axes,) one is spread as in af.samples."""
    mixed = af.SemiOrthogonal(3, np.array([1, 2]), 8, 4, 0.1)
    weights = np.array([0.3, -0.4])
    for which in MODELS:
        np.testing.assert_allclose(
            af.loss(mixed, weights, which), sample_objective(mixed, which)(weights)[0], rtol=1e-14
        )


@pytest.mark.parametrize("which", ["Original", "unlearned", "", None, 0])
def test_unknown_models_are_refused_everywhere(which):
    axis, plane = (
        af.SemiOrthogonal(3.0, 1.0, 8.0, 4.0, 0.1),
        af.CrossCorrelated(0.5, 3.0, 1.0, 8.0, 4.0, 0.1),
    )
    calls = [
        lambda: af.loss(axis, 0.0, which), lambda: af.stationary_point(plane, which), lambda: af.stationary_point(axis, which),
        lambda: af.closed_form.coefficient(axis, which), lambda: af.plane_equations.pulls(plane, which),
        lambda: af.plane_bounds.duplicate_limit(1.0, 0.5, which), lambda: af.stationary.plane(plane, which),
    ]  # fmt: skip
    for call in calls:
        with pytest.raises(ValueError, match="^which = .*'original', 'oracle', 'descent_ascent'"):
            call()


@pytest.mark.parametrize("weights", [0.0, np.zeros(1), np.zeros(3), np.zeros((2, 1))])
def test_weights_of_the_wrong_shape_are_refused(weights):
    with pytest.raises(ValueError, match=r"^weights = .*weights takes shape \(2,\)"):
        af.loss(af.CrossCorrelated(0.5, 3.0, 1.0, 8.0, 4.0, 0.1), weights, "oracle")
    with pytest.raises(ValueError, match=r"^weights = .*weights takes shape \(4,\)"):
        af.loss(af.SemiOrthogonal(np.ones(4), np.ones(4), 8.0, 4.0, 0.1), weights, "oracle")


def test_the_loss_does_not_overflow_where_the_logistic_loss_is_finite():
    problem = af.CrossCorrelated(0.5, 3.0, 1.0, 8.0, 4.0, 0.1, "logistic")
    assert np.isfinite(af.loss(problem, jnp.array([-1e4, 1e4]), "descent_ascent"))


# --- samples ---------------------------------------------------------------------------------------------------------------


@given(whole_plane_problems())
def test_samples_of_the_plane(problem):
    inputs, is_forget = af.samples(problem)
    eps = float(problem.epsilon)
    assert (
        inputs.shape == (int(problem.retain_total + problem.forget_total), 2)
        and is_forget.dtype == bool
    )
    assert (
        is_forget.sum() == problem.forget_total and not is_forget[: int(problem.retain_total)].any()
    )
    for forget, row, count, total in (
        (False, [1, eps], problem.retain_in_plane, problem.retain_total),
        (True, [eps, 1], problem.forget_in_plane, problem.forget_total),
    ):
        rows = inputs[is_forget == forget]
        assert np.sum(np.all(rows == row, axis=1)) == count
        assert np.sum(np.all(rows == 0, axis=1)) == total - count


@given(whole_axis_problems())
def test_samples_of_axes(problem):
    inputs, is_forget = af.samples(problem)
    axes = max(1, np.size(problem.retain_on_axis))
    assert inputs.shape == (int(problem.retain_total + problem.forget_total), axes)
    np.testing.assert_array_equal(inputs[~is_forget].sum(0), np.atleast_1d(problem.retain_on_axis))
    np.testing.assert_array_equal(inputs[is_forget].sum(0), np.atleast_1d(problem.forget_on_axis))
    assert set(np.unique(inputs)) <= {0.0, 1.0} and inputs.sum(1).max(initial=0) <= 1


def test_samples_need_whole_counts_that_fit():
    with pytest.raises(ValueError, match=r"^retain_in_plane = 3\.5: .*whole number"):
        af.samples(af.CrossCorrelated(0.5, 3.5, 1.0, 8.0, 4.0, 0.1))
    with pytest.raises(ValueError, match="^forget_total = 4.5: .*whole number"):
        af.samples(af.CrossCorrelated(0.5, 3.0, 1.0, 8.0, 4.5, 0.1))
    with pytest.raises(ValueError, match="^forget_on_axis = .*sum to at most forget_total = 4"):
        af.samples(af.SemiOrthogonal(np.array([1, 1]), np.array([3, 2]), 8, 4, 0.1))


@pytest.mark.parametrize(
    ("dtype", "every"),
    [
        (jnp.float32, False),
        pytest.param(jnp.float32, True, marks=pytest.mark.slow),
        (jnp.float64, True),
    ],
)
@pytest.mark.parametrize("loss", LOSSES)
def test_a_problem_of_one_type_stays_in_it_under_strict_promotion(loss, dtype, every):
    """Loss, stationary points, steps and flow, on an axis, on several and in the plane."""
    several = af.SemiOrthogonal([4.0, 3.0], [1.0, 0.5], 10.0, 5.0, 0.1, loss)
    for problem in (
        af.SemiOrthogonal(40.0, 8.0, 100.0, 40.0, 1e-1, loss),
        several,
        af.CrossCorrelated(*PLANE, loss),
    ):
        problem = jax.tree.map(lambda v: jnp.asarray(v, dtype), problem)
        with jax.numpy_dtype_promotion("strict"):
            for which in MODELS:
                point = af.stationary_point(problem, which)
                value = af.loss(problem, point.weights, which)
                assert (point.kind == 1) and point.weights.dtype == value.dtype == dtype
            # all other tests iterate on problems of float64, under strict promotion too
            if dtype == jnp.float64 or not (
                every or (loss == "logistic") == isinstance(problem, af.CrossCorrelated)
            ):
                continue
            start = jnp.zeros_like(point.weights)  # steps and flow go on in the default float
            runs = [
                af.descent_ascent(problem, start, step_size=0.1, steps=3),
                af.gradient_flow(problem, start, np.array([0.0, 0.1])),
                af.descent_ascent(
                    problem, start, step_size=0.1, steps=3, batch_size=2, key=jax.random.key(0)
                ),
                af.descent_ascent(
                    problem,
                    start,
                    step_size=0.1,
                    steps=3,
                    batch_size=2,
                    key=jax.random.key(0),
                    batches="epoch",
                ),
            ]
            assert all(
                np.all(np.isfinite(run.weights)) and run.weights.dtype == float for run in runs
            )
            run = af.descent_ascent(problem, "original", step_size=0.1, steps=3)
            assert np.all(np.isfinite(run.weights)) and run.weights.dtype == dtype


PLANE = (0.5, 40.0, 2.0, 100.0, 40.0, 1.0)


def test_the_objective_of_the_original_keeps_its_digits_where_nearly_all_data_is_forgotten():
    p = af.CrossCorrelated(0.0, 10**0.5, 0.0, 10**0.5, 1e4, 1e-3, loss="logistic")
    w = af.stationary_point(p, "original").weights
    slope = jax.grad(lambda w: af.loss(p, w, "original"))(w) / p.ridge
    assert np.max(np.abs(slope)) <= 4 * np.finfo(float).eps
