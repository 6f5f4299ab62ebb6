"""The alternating map under the logistic loss, beside the map itself: differentiated, iterated, its fixed points counted."""

import dataclasses

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from mpmath import mp

import ascentfail as af
from ascentfail.claims.evidence.certify import certify
from ascentfail.numerics.arithmetic import JAX, MPMATH
from ascentfail.numerics.sample_losses import LOGISTIC
from ascentfail.theory import Point, check, get
from ascentfail.theory.beyond import beyond_08_logistic_least_step as least_step
from ascentfail.theory.beyond import beyond_08_logistic_second_order as second_order
from ascentfail.theory.beyond import beyond_08_logistic_unridged as unridged

NEW = (
    "second-order",
    "remainder",
    "least-step",
    "small-ridge",
    "stability.repaired",
    "no-simultaneous",
)
SLOW = "stability.repaired"


def after(w, step, excess, ridge=0.0, exp=jnp.exp):
    """One alternating step from the loss as written; eta rho = step, eta kappa = step e^excess, eta lam = ridge."""
    u = w + step / (1 + exp(w)) - ridge * w
    return u - step * exp(excess) / (1 + exp(u)) - ridge * u


@pytest.mark.parametrize(
    ("phi", "b", "beyond"), [(0.05, 0.1, 1e-6), (0.4, 4.0, 0.3), (3.0, 1e3, 10.0)]
)
def test_where_the_exponential_loss_has_no_stationary_point_the_logistic_one_has_one(
    phi, b, beyond
):
    """By the package's own solver, by signs on a grid, and by iterating; the claim's margin is that of its two ends."""
    claim = get("beyond-8.7.no-simultaneous")
    at = claim.domain.chart(Point(phi=phi, b=b, beyond=beyond, part=1.0), MPMATH)
    ratios = {"alpha": float(at.alpha), "phi": phi, "b": b}
    point = af.stationary_point(
        af.SemiOrthogonal.from_ratios(**ratios, loss="logistic"), "descent_ascent"
    )
    assert point.converged and float(point.residual) < 1e-12
    assert not af.stationary_point(
        af.SemiOrthogonal.from_ratios(**ratios), "descent_ascent"
    ).converged
    c = b * (1 - ratios["alpha"] / phi)
    w = np.linspace(c, 0, 10_001)
    drift = c / (1 + np.exp(w)) - w
    turns = np.flatnonzero((drift[1:] > 0) != (drift[:-1] > 0))
    assert len(turns) == 1 and w[turns[0]] <= float(point.weights) <= w[turns[0] + 1]
    slope = 1 + (1 + c) * np.exp(c)
    np.testing.assert_allclose(
        float(claim.margin(at, MPMATH)), min(drift[0], -drift[-1], slope), rtol=1e-9
    )
    np.testing.assert_allclose(float(at.c), c, rtol=1e-9)


@pytest.mark.parametrize(
    "name", [*(n for n in NEW if n != SLOW), pytest.param(SLOW, marks=pytest.mark.slow)]
)
def test_proved(name):
    claim = get(f"beyond-8.7.{name}")
    found = certify(claim)
    assert found is not None and found.complete
    assert check(claim, samples=1024).status == "holds"


# --- past the leading order -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("w", [-2.0, 0.4, 6.0])
def test_the_second_order_by_the_library_s_steps_and_by_derivatives(w):
    """The claim's remainder is what `descent_ascent` leaves; its second derivative in eta is the stated second order."""
    ridge, rho, kappa = 0.2, 0.7, 0.4
    p = af.SemiOrthogonal(70.0, 40.0, 100.0, 100.0, ridge, loss="logistic")
    ends = {}
    for mode, strength, step in (("alternating", ridge, 0.9), ("simultaneous", 2 * ridge, 0.9)):
        one = dataclasses.replace(p, ridge=strength)
        ends[mode] = float(
            af.descent_ascent(one, w, steps=1, step_size=step, mode=mode).weights[-1]
        )
    at = Point(w=w, eta=0.9, lam=ridge, rho=rho, kappa=kappa)
    slope = 1 / (1 + np.exp(w))
    second = (ridge - kappa * slope * (1 - slope)) * (ridge * w - rho * slope)
    gap = ends["alternating"] - ends["simultaneous"]
    np.testing.assert_allclose(gap, 0.81 * second + second_order._secant(at, JAX), atol=1e-14)
    np.testing.assert_allclose(second_order._after(at, JAX), gap - 0.81 * second, atol=1e-14)

    def step(eta):
        return after(w, eta * rho, jnp.log(kappa / rho), eta * ridge)

    np.testing.assert_allclose(jax.grad(jax.grad(step))(0.0), 2 * second, rtol=1e-10)


def test_the_constant_of_the_remainder_is_the_best():
    """Near the steepest bend of the slope the bound is reached to within a thousandth."""
    with mpmath.workdps(40):
        w = mp.log((1 + 1 / mp.sqrt(3)) / (1 - 1 / mp.sqrt(3)))
        at = Point(w=w, eta=mp.mpf("1e-3"), lam=mp.mpf(1), rho=mp.mpf(1) / 2, kappa=mp.mpf(1))
        t = second_order.drift(at.replace(loss=LOGISTIC), MPMATH)
        bound = at.eta * at.kappa * t**2 / (12 * mp.sqrt(3))
        assert 0.999 < abs(second_order._after(at, MPMATH)) / bound < 1


# --- without a ridge ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("excess", "beyond"), [(0.1, 0.05), (0.6, 0.7), (1.4, 0.01), (3.0, 2.0), (0.3, 6.0)]
)
def test_the_multiplier_is_the_derivative_of_the_map(excess, beyond):
    p = Point(excess=excess, beyond=beyond)
    at, step = unridged.balanced(p, JAX)
    big, sinh = unridged.spread(p, JAX)
    np.testing.assert_allclose(after(jnp.log(at), step, excess), jnp.log(at), atol=1e-11)
    np.testing.assert_allclose(
        jax.grad(after)(jnp.log(at), step, excess), 1 + 2 * big * sinh - big**2, rtol=1e-8
    )
    np.testing.assert_allclose(sinh, np.sinh(beyond / 2), rtol=1e-12)
    with mpmath.workdps(60):
        p = Point(excess=mp.mpf(excess), beyond=mp.mpf(beyond))
        at, step = unridged.balanced(p, MPMATH)
        slope = mp.diff(lambda w: after(w, step, p.excess, exp=mp.exp), mp.log(at))
        big, sinh = unridged.spread(p, MPMATH)
        assert abs(slope - (1 + 2 * big * sinh - big**2)) < mp.mpf(10) ** -25 * (1 + abs(slope))


def test_far_above_zero_it_is_the_exponential_loss_s():
    big, sinh = unridged.spread(Point(excess=1.2, beyond=1e-7), JAX)
    np.testing.assert_allclose(1 + 2 * big * sinh - big**2, 1 - 1.2**2, atol=1e-6)


def fixed_points(step, excess):
    """All fixed points by signs on a grid and bisection, of the map itself."""
    move = lambda w: after(w, step, excess, exp=np.exp) - w  # noqa: E731
    grid = np.linspace(-60, 30, 90_001)
    values = move(grid)
    found = []
    for i in np.nonzero(np.sign(values[1:]) * np.sign(values[:-1]) < 0)[0]:
        low, high = grid[i], grid[i + 1]
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if move(middle) * move(low) > 0 else (low, middle)
        found.append(low)
    return found


def lowest(excess):
    """(t, eta rho) of the least step, by a golden section of its own."""
    a, b, g = 1e-3, 10.0, (np.sqrt(5) - 1) / 2
    height = lambda t: (excess + t) * (1 - np.exp(-excess - t)) / (1 - np.exp(-t))  # noqa: E731
    for _ in range(90):
        low, high = b - g * (b - a), a + g * (b - a)
        a, b = (a, high) if height(low) < height(high) else (low, b)
    return (a + b) / 2, height((a + b) / 2)


@pytest.mark.parametrize("excess", [0.2, 1.0, 2.5])
def test_two_fixed_points_above_the_least_step_and_none_below(excess):
    t, least = lowest(excess)
    p = Point(excess=excess, beyond=t)
    np.testing.assert_allclose(unridged.multiplier(p, JAX), 1, atol=1e-6)
    np.testing.assert_allclose(jnp.exp(least_step._log_step(excess, t, JAX)), least, rtol=1e-12)
    assert fixed_points(0.999 * least, excess) == []
    lower, upper = fixed_points(1.05 * least, excess)
    slopes = [float(jax.grad(after)(w, 1.05 * least, excess)) for w in (lower, upper)]
    assert slopes[0] > 1 > slopes[1] > -1  # also beyond e^{sqrt 2}, next to the least step
    w = upper
    for _ in range(3000):
        w = after(w, 0.9 * least, excess, exp=np.exp)
    assert w < upper - 50  # with a smaller step it falls for ever


@pytest.mark.parametrize(
    ("excess", "factor", "stable"),
    [
        (1.3, 1.5, True),
        (1.3, 100.0, True),
        (1.8, 1.1, True),
        (1.8, 100.0, False),
    ],
)
def test_the_upper_fixed_point_is_stable_below_root_two_and_for_small_steps_beyond(
    excess, factor, stable
):
    step = factor * lowest(excess)[1]
    upper = fixed_points(step, excess)[-1]
    at = Point(excess=excess, beyond=float(jnp.log1p((1 - jnp.exp(-excess)) * jnp.exp(-upper))))
    assert (unridged._inside(at, JAX) > 0) == stable
    w = upper + 1e-5
    for _ in range(4000):
        w = after(w, step, excess, exp=np.exp)
    assert (abs(w - upper) < 1e-6) == stable


# --- with a small ridge ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("excess", "beyond"), [(0.4, 0.1), (1.2, 0.02), (2.0, 1.5)])
def test_the_fixed_point_with_a_small_ridge_tends_to_the_one_without(excess, beyond):
    at, step = unridged.balanced(Point(excess=excess, beyond=beyond), JAX)
    start, gaps = jnp.log(at), []
    for part in (1e-2, 1e-4, 1e-6):
        p = unridged._with_ridge(Point(excess=excess, beyond=beyond, part=part), JAX)
        np.testing.assert_allclose(
            [p.start, 10 * p.step * (1 + abs(start) + excess + beyond)], [start, part], rtol=1e-12
        )
        moved = abs(after(start, step, excess, p.step) - start)
        margin = get("beyond-8.7.small-ridge").margin(p, JAX)
        np.testing.assert_allclose(
            margin, 3 * p.step * (1 + abs(start) + p.move) * (1 + p.move) - moved, rtol=1e-9
        )
        w = start
        for _ in range(40):
            w = w - (after(w, step, excess, p.step) - w) / (
                jax.grad(after)(w, step, excess, p.step) - 1
            )
        np.testing.assert_allclose(after(w, step, excess, p.step), w, atol=1e-12)
        gaps.append(float(abs(w - start) / p.step))
    assert max(gaps) < 2 * min(gaps) + 1e-9  # the gap is of first order in the ridge


# --- the proofs can fail --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("remainder", 0),
        ("least-step", 1),
        ("least-step", 2),
    ],
)
def test_an_identity_with_a_term_too_many_proves_nothing(name, index):
    claim = get(f"beyond-8.7.{name}")
    proof = list(claim.proof)
    step = proof[index]
    axis = step.domain.axes[0].name
    proof[index] = dataclasses.replace(
        step, margin=lambda p, xp: step.margin(p, xp) + getattr(p, axis) / 10**6
    )
    found = certify(dataclasses.replace(claim, proof=tuple(proof)))
    assert found is None or not found.complete
