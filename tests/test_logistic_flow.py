"""Where descent-ascent ends in the plane under the logistic loss: the library's flow and losses beside the claims about them."""

import dataclasses

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from mpmath import mp

import ascentfail as af
from ascentfail import stationary
from ascentfail.claims.evidence.certify import certify
from ascentfail.numerics.arithmetic import JAX, MPMATH
from ascentfail.numerics.sample_losses import LOGISTIC
from ascentfail.plane import equations as plane_equations
from ascentfail.theory import Point, check, get
from ascentfail.theory.beyond import (
    beyond_05_flow,
    beyond_08_logistic_flow,
    beyond_08_logistic_two_minima,
)

FLOW, LOWEST = get("beyond-8.5.flow"), get("beyond-8.5.lowest")
# (epsilon, phi, x_s, B) of saddles: x_D above x_s, and below it with y_D above y_s
SADDLES = (
    (0.3, 0.1, 5.0, 3.0),
    (0.6, 2.0, 3.0, 12.0),
    (0.9, 1.0, 1.0, 60.0),
    (0.4, 3.0, 5.0, 5.0),
    (0.6, 3.0, 5.0, 12.0),
)
solve = jax.jit(af.stationary_point, static_argnums=1)
velocity = jax.jit(lambda p, w: -jax.grad(lambda w: af.loss(p, w, "descent_ascent"))(w) / p.ridge)
curvature = jax.jit(
    lambda p, w: jax.hessian(lambda w: af.loss(p, w, "descent_ascent"))(w) / p.ridge
)


def at_saddle(eps, phi, margin, pull):
    at = FLOW.domain.chart(Point(epsilon=eps, phi=phi, retain_margin=margin, ascent_pull=pull), JAX)
    return at, af.CrossCorrelated.from_ratios(
        epsilon=eps, alpha=at.alpha, phi=phi, b=at.b, loss="logistic"
    )


def weights(s1, s2, eps):
    return jnp.stack(plane_equations.weights(jnp.asarray(s1), jnp.asarray(s2), eps))


@pytest.mark.parametrize("saddle", SADDLES)
def test_the_flow_from_the_original_ends_at_the_minimum_of_the_smaller_forget_pull(saddle):
    eps, phi, margin, pull = saddle
    at, problem = at_saddle(*saddle)
    w = weights(at.retain_pull, -pull, eps)
    scale = float(at.b * (1 + at.alpha / phi))
    np.testing.assert_allclose(
        velocity(problem, w) / scale, 0, atol=1e-12
    )  # the chart's point is stationary
    hessian = curvature(problem, w)
    np.testing.assert_allclose(
        beyond_08_logistic_flow.falling(at, JAX), -jnp.linalg.det(hessian), rtol=1e-6
    )
    assert jnp.linalg.det(hessian) < 0
    minimum, original = solve(problem, "descent_ascent"), solve(problem, "original")
    x, y = original.margins
    _, y_saddle = plane_equations.margins(at.retain_pull, -pull, plane_equations.cosine(at))
    u, v = stationary.plane(at.replace(loss=LOGISTIC), "original", loss=LOGISTIC)
    side = max(min(x - margin, v + pull), min(at.retain_pull - u, y - y_saddle))
    np.testing.assert_allclose(FLOW.margin(at, JAX), side, rtol=1e-9)
    assert side > 0 and minimum.margins[0] > margin and minimum.margins[1] > y_saddle
    end = af.gradient_flow(problem, "original", [0.0, 300.0 / float(problem.ridge)])
    np.testing.assert_allclose(end.weights[-1], minimum.weights, atol=1e-6)


def test_the_saddles_above_have_starts_on_both_sides_in_x():
    above = [bool(solve(at_saddle(*s)[1], "original").margins[0] >= s[2]) for s in SADDLES]
    assert set(above) == {True, False}


def test_another_start_is_carried_to_the_other_minimum():
    """So the start matters: from beyond the saddle the flow ends at the larger forget pull."""
    eps, phi, _, pull = SADDLES[1]
    at, problem = at_saddle(*SADDLES[1])
    start = weights(at.retain_pull * 1.1, -1.2 * pull, eps)
    end = af.gradient_flow(problem, start, [0.0, 300.0 / float(problem.ridge)]).weights[-1]
    minimum = solve(problem, "descent_ascent").weights
    np.testing.assert_allclose(velocity(problem, end) / float(at.b), 0, atol=1e-6)
    assert (
        jnp.linalg.eigvalsh(curvature(problem, end)).min() > 0
        and jnp.linalg.norm(end - minimum) > 1
    )
    losses = [float(af.loss(problem, w, "descent_ascent") / problem.ridge) for w in (minimum, end)]
    s1, s2 = np.linalg.solve(np.array([[1, eps], [eps, 1]]) / (1 + eps**2), np.asarray(end))
    point = at.replace(ascent_pull=-s2, retain_pull=s1)
    np.testing.assert_allclose(LOWEST.margin(point, JAX), losses[1] - losses[0], rtol=1e-8)


def test_on_the_curve_of_the_first_equation_the_flow_has_the_sign_of_the_balance():
    with mpmath.workdps(40):
        xp, given = MPMATH, {"loss": LOGISTIC, "xp": MPMATH}
        q, beta, gamma = mp.mpf("0.8"), mp.mpf(900), mp.mpf(60)
        first = -stationary.from_pulls(beta, gamma, q, -1, **given)[1]
        signs, slopes = [], []
        for size in [first * mp.mpf(10) ** (mp.mpf(i) / 4) for i in range(-4, 8)]:
            s1 = plane_equations.retain_pull(-size, beta, q, **given)
            x, y = plane_equations.margins(s1, -size, q)
            assert abs(beta * xp.sigmoid(-x) - s1) < mp.mpf(10) ** -30
            balance = plane_equations.balance(size, beta, gamma, q, -1, **given)
            signs.append((size - gamma * xp.sigmoid(-y)) * balance >= -(mp.mpf(10) ** -30))
            g = lambda v: plane_equations.balance(mp.exp(v), beta, gamma, q, -1, **given)  # noqa: E731
            a, b = s1 * xp.sigmoid(x), size * xp.sigmoid(y)
            slopes.append(
                abs(mp.diff(g, mp.log(size)) * (1 + a) - ((1 + a) * (1 - b) + q * q * a * b))
            )
        assert all(signs) and max(slopes) < mp.mpf(10) ** -10


def test_the_bound_that_ends_the_proof_by_brute_force():
    """max(0, c - s (x - z)) + f(x) - f(z) >= ln m on a grid of x >= z >= 0 for m <= 4, and no longer for m = 4.5."""
    z, gap = np.meshgrid(np.linspace(0, 12, 401), np.linspace(0, 6, 1201))
    x = z + gap
    for m, holds in ((1.0, True), (2.0, True), (3.0, True), (4.0, True), (4.5, False)):
        least = np.min(
            np.maximum(0, 2 - 1 / m - gap / (1 + np.exp(-x)))
            + np.logaddexp(0, x)
            - np.logaddexp(0, z)
        )
        assert (least >= np.log(m)) == holds, m


@pytest.mark.parametrize(
    "claim_id", ["beyond-8.5.flow", "beyond-8.3.step-implies-end", "beyond-8.5.lowest.repaired"]
)
def test_proved_on_the_whole_domain(claim_id):
    found = certify(get(claim_id))
    assert found is not None and found.complete


def test_a_wrong_step_proves_nothing():
    """Each step in turn with its difference off by a millionth, or its range too wide."""
    for i, step in enumerate(beyond_08_logistic_flow.REACHES):
        if str(step.kind) == "equality":
            name = step.domain.axes[0].name
            wrong = dataclasses.replace(
                step, margin=lambda p, xp, s=step, n=name: s.margin(p, xp) + getattr(p, n) / 10**6
            )
        elif step.id == "step.root-beyond-log":
            axes = tuple(
                dataclasses.replace(a, high=4.3) if a.name == "m" else a for a in step.domain.axes
            )
            wrong = dataclasses.replace(step, domain=dataclasses.replace(step.domain, axes=axes))
        else:
            continue
        proof = beyond_08_logistic_flow.REACHES[:i] + (wrong,)
        found = certify(dataclasses.replace(FLOW, proof=proof), 2000, 2.0)
        assert found is None or found.evidence.grade != "argued", step.id


def test_the_exponential_claim_measures_the_same_side():
    at = Point(epsilon=0.3, phi=0.5, b=40.0, ascent_pull=3.0)
    exact, x_saddle, y_saddle = beyond_05_flow.at_stationary(at, JAX)
    x, y = stationary_margins(exact)
    u, v = stationary.plane(exact, "original")
    beta = plane_equations.retain_strength(at, "descent_ascent")
    a = plane_equations.retain_pull(-at.ascent_pull, beta, plane_equations.cosine(at))
    wanted = max(min(x - x_saddle, v + 3.0), min(a - u, y - y_saddle))
    np.testing.assert_allclose(get("beyond-5.flow").margin(at, JAX), wanted, rtol=1e-12)


def stationary_margins(at):
    return plane_equations.margins(*stationary.plane(at, "original"), plane_equations.cosine(at))


# --- the lower minimum ----------------------------------------------------------------------------------------------------------


def test_the_height_is_the_library_s_loss():
    at, problem = at_saddle(*SADDLES[2])
    there = {
        pulls: (
            beyond_08_logistic_two_minima.height(at, *pulls, JAX),
            af.loss(problem, weights(*pulls, at.epsilon), "descent_ascent") / problem.ridge,
        )
        for pulls in ((0.0, 0.0), (1.0, -2.0), (40.0, -30.0), (3.0, 0.5))
    }
    for height, loss in there.values():  # up to a constant: samples outside of the plane
        np.testing.assert_allclose(
            height - there[0.0, 0.0][0], loss - there[0.0, 0.0][1], rtol=1e-9, atol=1e-11
        )
    points = (
        weights(at.retain_pull, -at.ascent_pull, at.epsilon),
        solve(problem, "descent_ascent").weights,
    )
    saddle, minimum = (af.loss(problem, w, "descent_ascent") for w in points)
    rise = saddle - minimum
    np.testing.assert_allclose(LOWEST.repaired.margin(at, JAX), rise / problem.ridge, rtol=1e-8)
    assert rise > 0


def test_a_lower_minimum_that_the_flow_does_not_reach():
    found = check(LOWEST, samples=4096).counterexample
    at = Point(**found.point)
    problem = af.CrossCorrelated.from_ratios(
        epsilon=at.epsilon, alpha=at.alpha, phi=at.phi, b=at.b, loss="logistic"
    )
    other, end = (
        weights(at.retain_pull, -at.ascent_pull, at.epsilon),
        solve(problem, "descent_ascent").weights,
    )
    assert jnp.linalg.eigvalsh(curvature(problem, other)).min() > 0
    lower = (
        af.loss(problem, other, "descent_ascent") - af.loss(problem, end, "descent_ascent")
    ) / problem.ridge
    np.testing.assert_allclose(lower, found.margin, rtol=1e-6)
    flow = af.gradient_flow(problem, "original", [0.0, 300.0 / float(problem.ridge)])
    np.testing.assert_allclose(flow.weights[-1], end, atol=1e-6)
    assert found.margin < 0


# --- next to the fold ---------------------------------------------------------------------------------------------------------


def test_next_to_a_fold_the_digits_are_there():
    """Determinant of the Hessian 0.004 ridge^2: the last Newton steps are far above the rounding, but the root is known."""
    (q, beta, gamma), found = (0.9001339291193392, 139771.99088789817, 8030.675000377817), []
    for digits in (50, 80):
        with mpmath.workdps(digits):
            found.append(stationary.from_pulls(beta, gamma, q, -1, loss=LOGISTIC, xp=MPMATH))
    with mpmath.workdps(80):
        (s1, s2), (first, second) = found
        assert max(abs(s1 / first - 1), abs(s2 / second - 1)) < mp.mpf(10) ** -49
        x, y = plane_equations.margins(first, second, q)
        assert (
            abs(first * (1 + mp.exp(x)) / beta - 1) + abs(second * (1 + mp.exp(y)) / gamma + 1)
            < mp.mpf(10) ** -76
        )


@pytest.mark.parametrize(
    ("q", "beta", "size"), [(0.66, 1000.0, 8.0), (0.9, 40.0, 3.0), (0.3, 2e4, 12.0)]
)
def test_slopes_along_the_curve_by_many_digits(q, beta, size):
    """psi = -dy/dS and psi' of the proof that the balance has at most three zeros, by differences of the curve itself."""

    def margins(s):
        s1 = mpmath.findroot(
            lambda v: v * (1 + mpmath.exp(v - q * s)) - beta,
            mpmath.lambertw(beta * mpmath.exp(q * s)).real,
        )
        return s1, s1 - q * s, q * s1 - s

    with mpmath.workdps(40):
        s1, x, y = margins(mpmath.mpf(size))
        a, t, e = s1 / (1 + mpmath.exp(-x)), mpmath.tanh(x / 2), mpmath.exp(-y)
        psi, bent, share = beyond_08_logistic_two_minima._turning(
            Point(a=a, t=t, e=e, q=mpmath.mpf(q))
        )
        assert abs(psi + mpmath.diff(lambda s: margins(s)[2], size)) < 1e-12
        assert abs(bent + mpmath.diff(lambda s: margins(s)[2], size, 2)) < 1e-9
        first, second = (mpmath.diff(lambda s: margins(s)[2], size, k) for k in (1, 2))
        assert abs(share - second / first**2) < 1e-9  # q^3 rho t is -psi'/psi^2


def test_the_slope_of_the_balance_turns_at_most_twice():
    """2,000 random curves: G = S psi - 1 - e^{-y} goes from - to + at most once, and back at most once."""
    rng = np.random.default_rng(5)
    size = np.geomspace(1e-3, 3e4, 1500)
    turns = 0
    for q, beta in zip(rng.uniform(0.02, 0.999, 2000), 10 ** rng.uniform(-2, 6, 2000), strict=True):
        low, high = np.zeros_like(size), np.full_like(size, beta)
        for _ in range(60):
            middle = (low + high) / 2
            below = middle * (1 + np.exp(np.minimum(middle - q * size, 600.0))) < beta
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        x, y = low - q * size, q * low - size
        a = low / (1 + np.exp(-np.clip(x, -700, 700)))
        value = size * (1 + (1 - q * q) * a) / (1 + a) - 1 - np.exp(np.minimum(-y, 700.0))
        signs = np.sign(value)
        changes = np.flatnonzero(signs[1:] != signs[:-1])
        assert signs[0] < 0 and len(changes) in (0, 2)
        turns += len(changes) == 2
    assert 100 < turns < 1900
