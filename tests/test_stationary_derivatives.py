"""Derivatives of stationary points against those of the exact root, and one compilation for a batch."""

import functools

import chex
import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from strategies import (
    MODELS,
    axis_of,
    exact,
    root_near,
)

import ascentfail as af
from ascentfail import stationary

EPS = np.finfo(float).eps
NONE, MINIMUM = int(af.StationaryKind.NONE), int(af.StationaryKind.MINIMUM)
solve = jax.jit(af.stationary_point, static_argnames="which")
FIELD_OF = {
    "retain_in_plane": "retain",
    "forget_in_plane": "forget",
    "retain_on_axis": "retain",
    "forget_on_axis": "forget",
}
DIFFERENTIATED = [
    af.CrossCorrelated(0.5, 40.0, 5.0, 100.0, 40.0, 1e-1),
    af.CrossCorrelated(0.0, 40.0, 0.0, 100.0, 40.0, 1.0),
    af.CrossCorrelated(0.0, 40.0, 5.0, 100.0, 40.0, 1.0),
    af.CrossCorrelated(1.0, 40.0, 8.0, 100.0, 40.0, 0.1),
    af.CrossCorrelated(0.7, 0.0, 1.0, 100.0, 40.0, 1.0),
    af.CrossCorrelated(0.5, 40.0, 8.0, 100.0, 40.0, 1e-2, "logistic"),
    af.CrossCorrelated(0.9, 0.0, 30.0, 100.0, 40.0, 1e-2, "logistic"),
    af.SemiOrthogonal(40.0, 8.0, 100.0, 40.0, 1e-2),
    af.SemiOrthogonal(40.0, 0.0, 100.0, 40.0, 1e-2, "logistic"),
    af.SemiOrthogonal(40.0, 30.0, 100.0, 40.0, 1e-2, "logistic"),
    af.SemiOrthogonal(40.0, 16.0, 100.0, 40.0, 1e-2, "logistic"),  # alpha = phi: c_DA = 0
    af.SemiOrthogonal(0.0, 0.0, 100.0, 40.0, 1e-2, "logistic"),
    af.SemiOrthogonal(0.0, 0.0, 100.0, 40.0, 1e-2),
]


@functools.partial(jax.jit, static_argnames="which")
def two_derivatives(problem, which):
    """First and second derivatives of the weights in every field."""

    def first(p):
        value = jax.jacfwd(lambda p: af.stationary_point(p, which).weights)(p)
        return value, value

    second, value = jax.jacfwd(first, has_aux=True)(problem)
    return value, second


@pytest.mark.parametrize(
    "problem",
    DIFFERENTIATED,
    ids=lambda p: f"{type(p).__name__}-{'-'.join(map(str, jax.tree.leaves(p)))}",
)
def test_gradients_in_every_field_are_those_of_the_exact_root(problem):
    """Central differences in 50 digits with step 1e-15, whose own error is 1e-30, beyond the ends of a range where need be."""
    step = mpmath.mpf(10) ** -15
    for which in MODELS:
        point = solve(problem, which)
        assert point.kind == MINIMUM
        first, second = two_derivatives(problem, which)
        chex.assert_tree_all_finite(second)
        with mpmath.workdps(50):
            for name in vars(problem):
                if name == "loss":
                    continue
                ends = []
                for sign in (1, -1):
                    p = exact(problem)
                    field = FIELD_OF.get(name, name)
                    setattr(p, field, getattr(p, field) + sign * step)
                    ends.append(root_near(p, which, point.weights))
                expected = [float((a - b) / (2 * step)) for a, b in zip(*ends, strict=True)]
                # rounding of the solution, 1e-15, times the second derivatives
                slack = 1e-13 * max(
                    1.0, float(np.max(np.abs(jax.tree.leaves(getattr(second, name))[0])))
                )
                got = np.atleast_1d(getattr(first, name))
                np.testing.assert_allclose(
                    got, expected, rtol=1e-9, atol=slack, err_msg=f"{which} {name}"
                )


@pytest.mark.parametrize("rest", [0.0, 1e-14, 1e-12])
@pytest.mark.parametrize("b", [1e3, 1e5, 1e6])
def test_derivatives_keep_their_digits_where_large_pulls_nearly_cancel(b, rest):
    """d(s_1, S)/d(beta, gamma) at q = 1 - rest against a root in 60 digits; a d - b c by itself would lose b^2 roundings."""
    q, gamma = 1 - rest, b - 3.0
    numbers = jnp.array([b, gamma])

    def pulls(v):
        return jnp.stack(stationary.from_pulls(v[0], v[1], q, -1))

    got, start = jax.jacfwd(pulls)(numbers), [float(v) for v in pulls(numbers)]
    with mpmath.workdps(60):
        q, b, gamma = (mpmath.mpf(float(v)) for v in (q, *numbers))

        def equations(u, v):
            return [u - b * mpmath.exp(-u + q * v), v - gamma * mpmath.exp(-q * u + v)]

        s1, size = mpmath.findroot(equations, (start[0], -start[1]), tol=1e-80, verify=False)
        jacobian = mpmath.matrix([[1 + s1, -q * s1], [q * size, 1 - size]])
        expected = mpmath.inverse(jacobian) * mpmath.matrix([[s1 / b, 0], [0, size / gamma]])
        expected = np.array(expected.tolist(), float) * [[1], [-1]]
    np.testing.assert_allclose(got, expected, rtol=256 * EPS * float(b))


def test_reverse_mode_gives_what_forward_mode_gives():
    for loss, which in (("exponential", "descent_ascent"), ("logistic", "original")):
        problem = af.CrossCorrelated(0.5, 40.0, 5.0, 100.0, 40.0, 1e-1, loss)
        reverse = jax.jacrev(lambda p, which=which: af.stationary_point(p, which).weights)(problem)
        chex.assert_trees_all_close(reverse, two_derivatives(problem, which)[0], rtol=1e-12)


def test_gradients_on_several_axes_are_diagonal():
    problem = af.SemiOrthogonal(
        np.array([4.0, 3.0]), np.array([1.0, 0.5]), 10.0, 5.0, 0.1, "logistic"
    )
    jacobian = jax.jacrev(lambda p: af.stationary_point(p, "descent_ascent").weights)(problem)
    for j in range(2):
        one = jax.grad(lambda p: af.stationary_point(p, "descent_ascent").weights)(
            axis_of(problem, j)
        )
        np.testing.assert_allclose(
            jacobian.retain_on_axis[j], np.eye(2)[j] * one.retain_on_axis, rtol=1e-12
        )
        np.testing.assert_allclose(jacobian.ridge[j], one.ridge, rtol=1e-12)


def test_second_derivatives_are_the_differences_of_first_ones():
    problem = af.CrossCorrelated(0.5, 40.0, 5.0, 100.0, 40.0, 1e-1)
    for which in MODELS:
        _, second = two_derivatives(problem, which)
        for name in ("epsilon", "ridge", "forget_in_plane"):
            h = 1e-5 * max(1e-2, getattr(problem, name))
            ends = [
                two_derivatives(jax.tree.unflatten(jax.tree.structure(problem), [
                    value + sign * h * (field == name) for field, value in vars(problem).items() if field != "loss"
                ]), which)[0]
                for sign in (1, -1)
            ]  # fmt: skip
            for other in ("epsilon", "ridge"):
                expected = (getattr(ends[0], other) - getattr(ends[1], other)) / (2 * h)
                got = getattr(getattr(second, other), name)
                np.testing.assert_allclose(
                    got, expected, rtol=1e-5, atol=1e-6 * (1 + np.max(np.abs(got)))
                )


@pytest.mark.parametrize("which", MODELS)
def test_one_compilation_serves_a_whole_grid(which):
    """jit(vmap) over epsilon x alpha x phi x b: traced once, kinds as int32, and the same as one by one."""
    axes = (
        np.linspace(0, 1, 5),
        np.geomspace(0.01, 2, 4),
        np.geomspace(0.1, 2, 3),
        np.geomspace(1e-2, 1e4, 6),
    )
    grid = np.meshgrid(*axes, indexing="ij")

    @jax.jit
    @chex.assert_max_traces(n=1)
    def run(epsilon, alpha, phi, b):
        def one(epsilon, alpha, phi, b):
            return af.stationary_point(
                af.CrossCorrelated.from_ratios(epsilon=epsilon, alpha=alpha, phi=phi, b=b), which
            )

        for _ in axes:
            one = jax.vmap(one)
        return one(epsilon, alpha, phi, b)

    chex.clear_trace_counter()
    points = run(*grid)
    run(grid[0], 1.1 * grid[1], *grid[2:])
    chex.assert_shape(points.weights, (5, 4, 3, 6, 2))
    chex.assert_shape([points.kind, points.residual, points.converged], (5, 4, 3, 6))
    assert points.kind.dtype == jnp.int32
    if which == "descent_ascent":
        assert set(np.unique(points.kind)) == {NONE, MINIMUM}
    for index in [(0, 0, 0, 0), (2, 1, 1, 3), (4, 3, 2, 5), (3, 2, 0, 4)]:
        epsilon, alpha, phi, b = (float(axis[index]) for axis in grid)
        single = solve(
            af.CrossCorrelated.from_ratios(epsilon=epsilon, alpha=alpha, phi=phi, b=b), which
        )
        assert single.kind == points.kind[index]
        np.testing.assert_allclose(points.weights[index], single.weights, rtol=1e-10, atol=1e-10)
