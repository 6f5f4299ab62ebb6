"""The plane in many digits against the raw equations, against every root by signs on a grid, and against JAX."""

import functools
import itertools

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from hypothesis import example, given, settings
from strategies import (
    MODELS,
    exact,
    gradient,
    plane_problems,
)

import ascentfail as af
from ascentfail import stationary
from ascentfail.numerics.arithmetic import MPMATH
from ascentfail.plane import equations as plane_equations


@given(plane_problems())
@example(
    af.CrossCorrelated(1.0, 1.0, 1.0, 1.0, 1.0, 1e-5)
)  # a bracket of 5e5, in which Anderson's method stalled
@settings(max_examples=10)
def test_the_many_digit_route_solves_the_raw_equations(problem):
    """stationary.plane in mpmath, and in JAX, against the gradient as written."""
    p = exact(problem)
    if p.retain == 0:
        return
    for which in MODELS:
        with mpmath.workdps(40):
            s1, s2 = stationary.plane(p, which, xp=MPMATH)
            if not mpmath.isnan(s1):
                weights = plane_equations.weights(s1, s2, p.epsilon)
                assert (
                    max(abs(v) for v in gradient(p, weights, which))
                    < mpmath.mpf(10) ** -30 * (1 + abs(s1) + abs(s2)) ** 2
                )
        j1, j2 = stationary.plane(problem, which)
        if which == "descent_ascent":
            log_threshold = float(stationary.log_existence_alpha(problem))
            if abs(float(jnp.log(problem.alpha)) - log_threshold) < 1e-6:
                continue
        assert bool(np.isnan(j1)) == mpmath.isnan(s1)
        if not np.isnan(j1):
            size = 1 + abs(float(s1)) + abs(float(s2))
            np.testing.assert_allclose(
                [j1, j2], [float(s1), float(s2)], rtol=1e-7, atol=1e-9 * size
            )


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("q", [0.0, 0.3, 0.9, 1.0])
def test_the_many_digit_route_takes_pulls_of_any_size(q, sign):
    """Forget pulls down to 1e-300, where the root itself is smaller than every tolerance: relative digits all the same."""
    for digits, beta, gamma in itertools.product(
        (30, 50), (1e-300, 1e-12, 1.0, 1e4), (1e-300, 1e-186, 1e-40, 1e-12, 0.1)
    ):
        with mpmath.workdps(digits):
            s1, s2 = stationary.from_pulls(
                mpmath.mpf(beta), mpmath.mpf(gamma), mpmath.mpf(q), sign, xp=MPMATH
            )
            first, second = (
                s1 / beta * mpmath.exp(s1 + q * s2),
                s2 / gamma * mpmath.exp(q * s1 + s2),
            )
            assert max(abs(first - 1), abs(second - sign)) < mpmath.mpf(10) ** (2 - digits), (
                beta,
                gamma,
            )


def logistic_roots(q, beta, gamma):
    """Every forget pull S of descent-ascent under the logistic loss, by signs on a grid and bisection, in floats."""

    def balance(size):
        u = np.full_like(size, np.log(beta))
        for _ in range(100):  # the retain pull, by a contraction of its own
            s = np.exp(u)
            u -= 0.5 * (u + np.logaddexp(0, s - q * size) - np.log(beta)) / (1 + s / 2)
        return np.log(size) + np.logaddexp(0, q * np.exp(u) - size) - np.log(gamma)

    grid = np.geomspace(gamma * 1e-3, gamma, 801)
    value = balance(grid)
    turns = np.flatnonzero((value[1:] >= 0) != (value[:-1] >= 0))
    low, high = grid[turns], grid[turns + 1]
    for _ in range(60):
        middle = np.sqrt(low * high)
        same = (balance(middle) >= 0) == (value[turns] >= 0)
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    return low


@functools.partial(jax.jit, static_argnums=3)
def logistic_pulls(beta, gamma, q, sign):
    return stationary.from_pulls(beta, gamma, q, sign, loss="logistic")


@pytest.mark.parametrize(
    ("q", "beta", "gamma", "count"),
    [
        (0.66, 1000.0, 12.4, 3),
        (0.85, 700.0, 37.0, 3),
        (0.5, 20000.0, 16.0, 3),
        (0.66, 1000.0, 5.0, 1),
        (0.3, 2.0, 9.0, 1),
    ],
)
def test_under_the_logistic_loss_the_smallest_forget_pull_is_found(q, beta, gamma, count):
    roots = logistic_roots(q, beta, gamma)
    assert len(roots) == count
    with mpmath.workdps(50):
        s1, s2 = stationary.from_pulls(beta, gamma, q, -1, loss="logistic", xp=MPMATH)
        x, y = s1 + q * s2, q * s1 + s2
        assert (
            max(abs(s1 * (1 + mpmath.exp(x)) / beta - 1), abs(s2 * (1 + mpmath.exp(y)) / gamma + 1))
            < mpmath.mpf(10) ** -47
        )
    np.testing.assert_allclose(float(-s2), roots[0], rtol=1e-9)
    np.testing.assert_allclose(
        logistic_pulls(beta, gamma, q, -1), [float(s1), float(s2)], rtol=1e-10
    )


@pytest.mark.parametrize("sign", [1, -1])
def test_many_digits_under_the_logistic_loss(sign):
    """Relative digits of pulls of any size, at two precisions, and JAX beside them."""
    cases = itertools.product((30,), (0.0, 0.9, 1.0), (1e-12, 1e4), (1e-40, 1e4))
    for digits, q, beta, gamma in [(200, 0.7, 300.0, 20.0), *cases]:
        with mpmath.workdps(digits):
            s1, s2 = stationary.from_pulls(beta, gamma, q, sign, loss="logistic", xp=MPMATH)
            x, y = s1 + q * s2, q * s1 + s2
            first, second = s1 / beta * (1 + mpmath.exp(x)), s2 / gamma * (1 + mpmath.exp(y))
            # a margin of size m has m roundings, and its exponential as many
            allowed = mpmath.mpf(10) ** (3 - digits) * (1 + abs(x) + abs(y))
            assert max(abs(first - 1), abs(second - sign)) < allowed, (q, beta, gamma)
        np.testing.assert_allclose(
            logistic_pulls(beta, gamma, q, sign), [float(s1), float(s2)], rtol=1e-8, atol=1e-30
        )
