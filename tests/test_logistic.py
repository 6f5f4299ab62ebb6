"""The inverse of w (1 + e^w): beside mpmath's root finder, its own equation, and enclosures that contain it."""

from types import SimpleNamespace

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from mpmath import mp

import ascentfail as af
from ascentfail.line import closed_form
from ascentfail.numerics.arithmetic import JAX, MPMATH, arb
from ascentfail.numerics.logistic_root import LEAST_SLOPE, logisticw, pull_mpmath
from ascentfail.plane import equations as plane_equations

POINTS = np.concatenate(
    [[0.0], *(s * np.geomspace(1e-12, 1e12, 60) for s in (1.0, -1.0)), np.linspace(-12, 12, 97)]
)


def by_mpmath(c):
    if c == 0:
        return mp.zero
    start = mp.lambertw(c).real if c > 0 else mp.mpf(c) / (1 + mp.exp(c * 0.75))
    return mp.findroot(lambda w: w * (1 + mp.exp(w)) - c, start)


@pytest.mark.parametrize("c", POINTS)
def test_agrees_with_a_root_finder(c):
    with mpmath.workdps(40):
        want = by_mpmath(mp.mpf(float(c)))
        many = MPMATH.logisticw(float(c))
        assert abs(many - want) <= abs(want) * mp.mpf(10) ** -37
        assert abs(float(logisticw(float(c))) - float(want)) <= 4e-16 * abs(float(want))
        ball = arb().logisticw(float(c))
        assert ball.lower() <= many <= ball.upper() if c else True


def test_jax_in_float32_and_at_the_ends():
    c = jnp.asarray(POINTS[np.abs(POINTS) < 1e9], jnp.float32)
    assert logisticw(c).dtype == jnp.float32
    np.testing.assert_allclose(logisticw(c), logisticw(c.astype(jnp.float64)), rtol=4e-7)
    np.testing.assert_array_equal(logisticw(jnp.array([jnp.inf, -jnp.inf])), [jnp.inf, -jnp.inf])
    assert jnp.isnan(logisticw(jnp.nan)) and logisticw(3).dtype == jnp.float64
    with pytest.raises(TypeError, match="real"):
        logisticw(1j)


def test_derivatives_are_those_of_the_inverse():
    for c in (-30.0, -1.0, 0.0, 2.0, 1e4):
        w = logisticw(c)
        slope = 1 / (1 + (1 + w) * jnp.exp(w))
        np.testing.assert_allclose(jax.grad(logisticw)(c), slope, rtol=1e-14)
        np.testing.assert_allclose(
            jax.grad(jax.grad(logisticw))(c), -(slope**3) * (2 + w) * jnp.exp(w), rtol=1e-12
        )


def test_the_least_slope_is_a_bound():
    w = np.linspace(-20, 5, 10_001)
    assert (1 + (1 + w) * np.exp(w)).min() > LEAST_SLOPE


def test_boxes_are_enclosed():
    ball = arb().number(1).union(arb().number(2))
    low, high = MPMATH.logisticw(1), MPMATH.logisticw(2)
    image = arb().logisticw(ball)
    assert image.lower() <= low and image.upper() >= high


def test_closed_forms_under_the_logistic_loss():
    ratios = SimpleNamespace(b=3.0, forget_b=6.0, phi=1.0)
    for xp in (JAX, MPMATH):
        assert closed_form.oracle(ratios, loss="logistic", xp=xp) == xp.logisticw(3.0)
        assert closed_form.original(ratios, loss="logistic", xp=xp) == xp.logisticw(4.5)
        assert closed_form.descent_ascent(ratios, loss="logistic", xp=xp) == xp.logisticw(-3.0)
    with pytest.raises(ValueError, match="branch"):
        closed_form.descent_ascent(ratios, -1, loss="logistic")


def test_a_problem_is_not_solved_under_another_loss():
    line, plane = (kind.from_ratios(alpha=0.5, phi=1.0, b=3.0, **more) for kind, more in (
        (af.SemiOrthogonal, {}), (af.CrossCorrelated, {"epsilon": 0.5})))  # fmt: skip
    with pytest.raises(ValueError, match=r"^loss = 'exponential'.*'logistic'"):
        closed_form.oracle(line, loss="logistic")
    with pytest.raises(ValueError, match=r"^loss = 'exponential'.*'logistic'"):
        plane_equations.oracle(plane, loss="logistic")
    with pytest.raises(
        ValueError, match=r"^loss = 'hinge': loss takes 'exponential' or 'logistic'"
    ):
        plane_equations.oracle(plane, loss="hinge")


def test_under_the_logistic_loss_what_has_no_counterpart_is_refused():
    with pytest.raises(ValueError, match="^xp = .*jax under the logistic loss.*stationary.plane"):
        plane_equations.retain_pull(0.5, 2.0, 0.3, loss="logistic")


@pytest.mark.parametrize("log_beta", [-90.0, 0.0, 9.0])
@pytest.mark.parametrize("shift", [-500.0, -3.0, 0.0, 40.0])
def test_the_pull_under_a_shift(log_beta, shift):
    with mpmath.workdps(40):
        s = pull_mpmath(mp.mpf(log_beta), mp.mpf(shift))
        assert abs(s * (1 + mp.exp(s + shift)) / mp.exp(log_beta) - 1) < mp.mpf(10) ** -36
