"""The claims about steps and flows, beside the steps and flows themselves."""

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from mpmath import mp

import ascentfail as af
from ascentfail import stationary
from ascentfail.line import closed_form
from ascentfail.line import steps as steps_1d
from ascentfail.numerics.arithmetic import JAX, MPMATH
from ascentfail.numerics.sample_losses import EXPONENTIAL, LOSSES
from ascentfail.plane import equations as plane_equations
from ascentfail.plane.comparisons import first_step_criterion
from ascentfail.theory import Point, check, get
from ascentfail.theory.beyond import (
    beyond_01_first_step,
    beyond_03_paths,
    beyond_05_flow,
    beyond_08_logistic_steps,
    beyond_08_logistic_unridged,
)
from ascentfail.theory.paper import (
    corollary_01_few_steps,
    dependence_causes,
    first_steps,
    iterative,
)


def point_of(claim_id):
    """The counterexample of a claim, as a point with every coordinate."""
    found = check(get(claim_id), samples=4096).counterexample
    assert found is not None
    return Point(**found.point)


# --- the set-up: many axes, one of them with all of F -----------------------------------------------------------------------


@pytest.mark.parametrize(("loss", "prefix"), [("exponential", ""), ("logistic", "beyond-8.")])
@pytest.mark.parametrize("share", [0.2, 0.7])
def test_in_the_set_up_the_flow_comes_closer_on_every_axis(loss, prefix, share):
    """first-step.setup and early-stop.setup with whole weight vectors, by the flow itself."""
    others = 5
    retain = np.concatenate([[share], np.full(others, (1 - share) / others)]) * 300
    forget = np.zeros(others + 1)
    forget[0] = 60
    p = af.SemiOrthogonal(retain, forget, 300.0, 60.0, 0.02, loss=loss)
    run = af.gradient_flow(p, "original", np.linspace(0, 8, 81))
    assert run.diverged_at == -1 and bool(run.beats_doing_nothing)
    assert run.distance_to_oracle[1] < run.distance_to_oracle[0]
    oracle, path = np.asarray(af.stationary_point(p, "oracle").weights), np.asarray(run.weights)
    assert np.all(np.abs(path[1] - oracle) < np.abs(path[0] - oracle))
    crossed = path[:, 0] - oracle[0]
    assert crossed[0] > 0 and crossed.min() <= 0  # it passes the oracle on the axis of F
    point = first_steps._setup(
        Point(phi=0.2, b=share / 0.02, share=share, others=float(others), rest=1.0), JAX
    )
    claim = get(f"{prefix}first-step.setup")
    velocity = (
        np.asarray(jax.grad(lambda w: -af.loss(p, w, "descent_ascent"))(jnp.asarray(path[0])))
        / 0.02
    )
    np.testing.assert_allclose(claim.margin(point, JAX), velocity @ (path[0] - oracle), rtol=1e-9)


def test_a_step_of_any_size_leads_away_between_the_thresholds():
    for step in (1e-3, 1.0, 50.0):
        p = af.SemiOrthogonal.from_ratios(alpha=0.3, phi=0.5, b=20.0)
        run = af.descent_ascent(p, "original", steps=1, step_size=step / float(p.ridge))
        assert run.distance_to_oracle[1] > run.distance_to_oracle[0] and run.best_stop == 0
        low, original = closed_form.wrong_way_alpha(0.5), float(closed_form.original(p))
        lead = (float(closed_form.oracle(p)) - original) * (1 + original) / (2 * original)
        box = Point(original=original, lead=lead, place=(0.3 - low) / (0.5 - low), step=step)
        point = first_steps._listed(box, EXPONENTIAL, JAX)
        np.testing.assert_allclose([point.alpha, point.phi, point.b], [0.3, 0.5, 20.0], rtol=1e-12)
        gained = run.distance_to_oracle[1] - run.distance_to_oracle[0]
        np.testing.assert_allclose(first_steps._gain(point, EXPONENTIAL, JAX), gained, rtol=1e-10)


def test_where_lemma_5_s_proof_fails_the_flow_stops():
    at = point_of("lemma-5.proof")
    p = af.SemiOrthogonal.from_ratios(alpha=at.alpha, phi=at.phi, b=at.b)
    run = af.gradient_flow(p, "original", [0.0, 2000.0 / float(p.ridge)])
    np.testing.assert_allclose(run.weights[-1], closed_form.descent_ascent(p), atol=1e-3)
    assert run.diverged_at == -1


def test_the_flow_in_the_plane_reaches_the_minimum_iff_it_exists():
    rng = np.random.default_rng(5)
    seen = {True: 0, False: 0}
    for _ in range(24):
        eps, phi = rng.uniform(0.05, 0.95), rng.uniform(0.05, 2)
        b, ratio = 10 ** rng.uniform(-1, 2), 10 ** rng.uniform(-1, 0.2)
        p = af.CrossCorrelated.from_ratios(epsilon=eps, alpha=ratio * phi, phi=phi, b=b)
        end = af.gradient_flow(p, "original", [0.0, 1e3 / float(p.ridge)])
        point = af.stationary_point(p, "descent_ascent")
        exists = bool(point.converged)
        seen[exists] += 1
        assert (int(end.diverged_at) == -1) == exists
        if exists:
            np.testing.assert_allclose(end.weights[-1], point.weights, atol=1e-6)
    assert min(seen.values()) > 3


solve = jax.jit(af.stationary_point, static_argnums=1)
SADDLES = ((0.05, 3.0, 1e4, 1.1), (0.3, 2.5, 1e4, 1.6), (0.5, 1.0, 20.0, 2.5), (0.8, 0.5, 5.0, 6.0))


def test_a_start_on_either_side_of_the_saddle_is_carried_to_the_minimum():
    """beyond-5.flow: next to the fold, where minimum and saddle nearly meet, and with x_D above x_s as well as below it."""
    seen, claim = set(), get("beyond-5.flow")

    @jax.jit
    def ask(at):
        p = claim.domain.chart(at, JAX)
        q, strength = (
            plane_equations.cosine(p),
            plane_equations.retain_strength(p, "descent_ascent"),
        )
        retain = plane_equations.retain_pull(-p.ascent_pull, strength, q)
        _, *saddle = beyond_05_flow.at_stationary(p, JAX)
        return (
            p.alpha,
            claim.domain.where(p, JAX)[0],
            claim.margin(p, JAX),
            (retain, -p.ascent_pull),
            saddle,
        )

    for eps, phi, b, pull in SADDLES:
        alpha, beyond, margin, pulls, (x_saddle, y_saddle) = ask(
            Point(epsilon=eps, phi=phi, b=b, ascent_pull=pull)
        )
        assert beyond >= 0 and margin > 0
        problem = af.CrossCorrelated.from_ratios(epsilon=eps, alpha=alpha, phi=phi, b=b)
        saddle = jnp.stack(plane_equations.weights(*pulls, eps))
        slope = jax.grad(lambda w, q=problem: af.loss(q, w, "descent_ascent"))(saddle)
        np.testing.assert_allclose(
            slope / problem.ridge, 0, atol=1e-9
        )  # the chart's alpha makes it stationary
        start = solve(problem, "original").margins
        seen.add(bool(start[0] >= x_saddle))
        assert start[0] >= x_saddle or start[1] >= y_saddle
        end = af.gradient_flow(problem, "original", [0.0, 300.0 / float(problem.ridge)])
        np.testing.assert_allclose(
            end.weights[-1], solve(problem, "descent_ascent").weights, atol=1e-6
        )
    assert seen == {True, False}


TO_X_AND_S2 = lambda eps: np.array(  # noqa: E731
    [[1, -eps / (1 - eps**2) * (1 + eps**2)], [eps, (1 + eps**2) / (1 - eps**2)]]
)


@pytest.mark.parametrize("loss", LOSSES)
def test_a_first_step_away_lowers_x_and_the_forget_pull(loss):
    xp, at = JAX, dict(epsilon=0.9, phi=1.2, b=400.0, alpha=0.6)
    p = af.CrossCorrelated.from_ratios(**at, loss=loss)
    w, oracle = (np.asarray(solve(p, m).weights) for m in ("original", "oracle"))
    velocity = -np.asarray(
        jax.grad(lambda w: af.loss(p, w, "descent_ascent"))(jnp.asarray(w))
    ) / float(p.ridge)
    away, rates = velocity @ (w - oracle), -velocity @ TO_X_AND_S2(0.9)
    both = jax.jit(lambda p: (first_step_criterion(p, xp), beyond_03_paths.velocities(p, xp)))
    got = both(Point(loss=loss, **at))
    np.testing.assert_allclose(got, [away, rates.min()], rtol=1e-8)
    assert away > 0 and rates.min() > 0


@pytest.mark.parametrize("loss", LOSSES)
def test_a_path_that_starts_away_and_comes_closer(loss):
    """beyond-3.step-implies-path and its repaired statement, by the library's own steps and flow on the loss as written."""
    xp = JAX
    claim = get(
        "beyond-3.step-implies-path" if loss == "exponential" else "beyond-8.3.step-implies-path"
    )
    at = claim.domain.chart(Point(epsilon=0.92, phi=2.2, b=6.3e5, excess=0.11), JAX).replace(
        loss=loss
    )
    p = af.CrossCorrelated.from_ratios(
        epsilon=at.epsilon, alpha=at.alpha, phi=at.phi, b=at.b, loss=loss
    )
    original, oracle = (solve(p, m).weights for m in ("original", "oracle"))
    np.testing.assert_allclose(plane_equations.weights(at.u, at.v, at.epsilon), original, rtol=1e-9)
    away = (
        -jax.grad(lambda w: af.loss(p, w, "descent_ascent"))(original)
        @ (original - oracle)
        / p.ridge
    )
    np.testing.assert_allclose(
        beyond_03_paths.criterion(at.u, at.v, at, xp) / at.phi / (1 + at.epsilon**2),
        away,
        rtol=1e-6,
    )
    assert away > 0
    run = af.descent_ascent(p, "original", steps=32, step_size=0.01 / float(p.ridge))
    least = float(np.min(run.distance_to_oracle[1:] / run.distance_to_oracle[0]) ** 2 - 1)
    np.testing.assert_allclose(
        jax.jit(lambda at: beyond_03_paths.closest(at, xp))(at), least, rtol=1e-7
    )
    assert least < -0.1
    if loss == "exponential":
        flow = af.gradient_flow(
            p, "original", np.concatenate([[0, 1e-4], np.linspace(0.01, 0.32, 32)]) / float(p.ridge)
        )
        ratios = np.asarray(flow.distance_to_oracle / flow.distance_to_oracle[0])
        assert ratios[1] > 1 and ratios.min() < 0.95
        assert np.all(np.diff(np.asarray(flow.weights) @ TO_X_AND_S2(0.92), axis=0) < 0)


# --- few steps ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("side", [-1.0, 0.3, 1.0])
@pytest.mark.parametrize("count", [1, 4])
def test_few_stable_steps_stay_near(count, side):
    p = corollary_01_few_steps._tail(
        Point(phi=0.8, stage=10.0, side=side, stable=0.95, steps=float(count)), JAX
    )
    problem = af.SemiOrthogonal.from_ratios(alpha=float(p.alpha), phi=0.8, b=float(p.b))
    original = float(closed_form.original(problem))
    run = af.descent_ascent(
        problem, "original", steps=count, step_size=2 * 0.95 / (1 + original) / float(problem.ridge)
    )
    margin = float(corollary_01_few_steps._moved(p, EXPONENTIAL, JAX))
    np.testing.assert_allclose(run.distance_to_oracle[-1] - (3 * count + 1), margin, rtol=1e-6)
    assert margin < float(corollary_01_few_steps._largest(p, JAX)) < 0
    moved = np.abs(np.diff(np.asarray(run.weights)))
    ratio = abs(
        float(closed_form.coefficient(p, "descent_ascent") / closed_form.coefficient(p, "original"))
    )
    assert moved.max() <= 2 + 2 * ratio * np.exp(3 * count)  # the bound that `_largest` adds up


# --- the alternating map ------------------------------------------------------------------------------------------------------


def test_the_multiplier_is_the_derivative_of_the_map():
    for h, excess in ((0.1, 0.5), (2.0, 1.4), (0.01, 3.0)):
        fixed = jnp.log(h / excess)
        after = lambda w, h=h, excess=excess: steps_1d.unridged_step(w, h, excess, JAX)[1]  # noqa: E731
        np.testing.assert_allclose(after(fixed), fixed, atol=1e-13)
        np.testing.assert_allclose(jax.grad(after)(fixed), 1 - excess**2, rtol=1e-10)


@pytest.mark.parametrize(("excess", "period"), [(0.5, 1), (1.3, 1), (1.5, 2)])
def test_stable_below_root_two_and_period_two_beyond(excess, period):
    w = jnp.log(0.1 / excess) + 0.01
    path = jax.lax.scan(
        lambda w, _: (steps_1d.unridged_step(w, 0.1, excess, JAX)[1],) * 2, w, None, 4000
    )[1]
    tail = np.asarray(path[-8:])
    np.testing.assert_allclose(tail[period:], tail[:-period], atol=1e-9)
    assert period == 1 or abs(tail[1] - tail[0]) > 0.1


@pytest.mark.parametrize("eta", [1e-2, 1e-5, 1e-8])
def test_the_gap_of_the_fixed_point_does_not_vanish_with_the_step(eta):
    with mpmath.workdps(60):
        at = {"eta": eta, "share": 0.5, "c": 1, "k": 1e-4}
        p = iterative._nearly_balanced(
            Point(**{name: mp.mpf(value) for name, value in at.items()}), MPMATH
        )
        move = lambda w: (steps_1d.alternating(w, p, p.step, xp=MPMATH) - w) / p.step  # noqa: E731
        fixed, minimiser = iterative._fixed_point(p, MPMATH), mp.lambertw(1).real
        root = mp.findroot(move, (minimiser + 1, 12), solver="anderson", tol=1e-30)
        assert abs(fixed - root) < 1e-20 and p.alpha < 1 and fixed - minimiser > 1
        assert iterative._excluded(p, MPMATH) < 0
        assert abs(closed_form.with_ridges(p, 2, xp=MPMATH) - minimiser) < 1e-40
        least = min(move(minimiser + 1 - mp.mpf(i) / 20) for i in range(80))
        assert least > 0  # no fixed point up to one beyond the minimiser
        assert least * p.step / (p.eta * p.share) ** 2 >= -iterative._excluded(p, MPMATH)


def test_alternating_iterates_stay_inside_their_bounds_where_simultaneous_ones_diverge():
    p = af.SemiOrthogonal.from_ratios(alpha=3.0, phi=1.0, b=20.0, ridge=1e-2)
    step = 0.2 / float(p.ridge)
    modes = ("alternating", "simultaneous")
    runs = {
        mode: af.descent_ascent(p, "original", steps=3000, step_size=step, mode=mode)
        for mode in modes
    }
    low, high = iterative._bounds(
        Point(alpha=3.0, phi=1.0, b=20.0, step=0.2), closed_form.original(p), JAX
    )
    weights = np.asarray(runs["alternating"].weights)
    assert (
        runs["alternating"].diverged_at == -1
        and weights.min() >= float(low)
        and weights.max() <= float(high)
    )
    assert runs["simultaneous"].diverged_at > 0


# --- dependence -----------------------------------------------------------------------------------------------------------------


def test_the_range_of_alpha_by_solving():
    for eps, b in ((0.3, 1.0), (0.8, 1.0), (0.3, 0.01), (0.8, 0.01)):
        bound = float(jnp.exp(dependence_causes._range(Point(phi=1.0, b=b), eps, JAX)))
        for factor, exists in ((0.999, True), (1.001, False)):
            p = af.CrossCorrelated.from_ratios(epsilon=eps, alpha=bound * factor, phi=1.0, b=b)
            assert bool(af.stationary_point(p, "descent_ascent").converged) == exists


def test_the_degradation_from_the_weights():
    at = dict(phi=0.5, b=40.0, alpha=0.01)
    for eps in (0.1, 0.9):
        p = af.CrossCorrelated.from_ratios(epsilon=eps, **at)
        end, start, oracle = (
            np.asarray(af.stationary_point(p, m).weights)
            for m in ("descent_ascent", "original", "oracle")
        )
        wanted = np.log(np.linalg.norm(end - oracle) / np.linalg.norm(start - oracle))
        np.testing.assert_allclose(
            dependence_causes._degradation(Point(**at), eps, JAX), wanted, rtol=1e-8
        )


def test_strong_convexity_from_the_loss_itself():
    p = af.CrossCorrelated.from_ratios(epsilon=0.4, alpha=0.2, phi=0.5, b=5.0, ridge=0.1)
    original, oracle = (af.stationary_point(p, m).weights for m in ("original", "oracle"))
    gradient = jax.grad(lambda w: af.loss(p, w, "oracle"))(original) / p.ridge
    apart = original - oracle
    wanted = gradient @ apart - apart @ apart
    big_x, x = (
        float(plane_equations.oracle(p)[0]),
        float(af.stationary_point(p, "original").margins[0]),
    )
    at = get("beyond-1.first-step-helps").domain.chart(
        Point(epsilon=0.4, phi=0.5, big_x=big_x, short=1 - x / big_x), JAX
    )
    np.testing.assert_allclose(
        [at.b, at.alpha], [5.0, 0.2], rtol=1e-9
    )  # the chart lists this very problem
    got = beyond_01_first_step._approach(at, JAX)
    np.testing.assert_allclose(got, wanted, rtol=1e-9)


def test_existence_threshold_is_the_fold():
    assert stationary.log_existence_alpha(Point(epsilon=0.0, b=1.0, phi=1.0)) == pytest.approx(
        -1.0
    )  # b alpha/phi = 1/e


# --- the alternating map under the logistic loss ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("excess", "beyond", "stable"),
    [(0.6, 0.01, True), (1.3, 0.01, True), (1.5, 0.01, False), (0.6, 5.0, False)],
)
def test_stability_without_a_ridge_under_the_logistic_loss(excess, beyond, stable):
    p = Point(excess=excess, beyond=beyond)
    at, strength = beyond_08_logistic_unridged.balanced(p, JAX)
    ridgeless = Point(
        b=strength, forget_b=strength * jnp.exp(excess), phi=1.0
    )  # steps of h times these, h -> 0, have no ridge

    @jax.jit
    def after(w):
        u = w + ridgeless.b * steps_1d.slope(w, "logistic", JAX)
        return u - ridgeless.forget_b * steps_1d.slope(u, "logistic", JAX)

    fixed = jnp.log(at)
    np.testing.assert_allclose(after(fixed), fixed, atol=1e-11)
    multiplier = jax.grad(after)(fixed)
    np.testing.assert_allclose(
        beyond_08_logistic_unridged.multiplier(p, JAX), multiplier, rtol=1e-9
    )
    assert (abs(multiplier) < 1) == stable
    w = fixed + 1e-4
    for _ in range(200):
        w = after(w)
    assert (abs(w - fixed) < 1e-4) == stable


def test_the_gap_of_the_fixed_point_under_the_logistic_loss():
    with mpmath.workdps(60):
        at = {"eta": 1e-5, "share": 0.5, "c": 1, "k": 1e-4}
        p = iterative._nearly_balanced(
            Point(**{name: mp.mpf(value) for name, value in at.items()}), MPMATH
        )
        move = lambda w: (  # noqa: E731
            (steps_1d.alternating(w, p, p.step, loss="logistic", xp=MPMATH) - w) / p.step
        )
        fixed, minimiser = beyond_08_logistic_steps._fixed_point(p, MPMATH), MPMATH.logisticw(1)
        root = mp.findroot(move, (minimiser + 1, 12), solver="anderson", tol=1e-30)
        assert abs(fixed - root) < 1e-20 and fixed - minimiser > 1
        excluded = beyond_08_logistic_steps._excluded(p, MPMATH)
        least = min(move((minimiser + 1) * mp.mpf(i) / 40) for i in range(41))
        assert excluded < 0 and least * p.step / (p.eta * p.share) ** 2 >= -excluded
        assert min(move(-(mp.mpf(10) ** (mp.mpf(i) / 10 - 9))) for i in range(110)) > 0


def test_logistic_iterates_stay_within_their_bound_and_differ_at_second_order():
    p = af.SemiOrthogonal.from_ratios(alpha=3.0, phi=1.0, b=20.0, ridge=1e-2, loss="logistic")
    run = af.descent_ascent(
        p, "original", steps=300, step_size=0.9 / float(p.ridge), mode="alternating"
    )
    assert run.diverged_at == -1 and np.max(np.abs(run.weights)) <= 60.0  # kappa = alpha b/phi
    margin = beyond_08_logistic_steps._stays(Point(alpha=3.0, phi=1.0, b=20.0, step=0.9), JAX)
    np.testing.assert_allclose(margin, 60 - np.max(np.abs(run.weights[:9])), rtol=1e-9)
    one = Point(alpha=3.0, phi=1.0, b=20.0, step=0.9, w=run.weights[0])
    drift = one.w - 20 * steps_1d.slope(one.w, "logistic", JAX)
    both = run.weights[0] + 0.9 * (-40 * steps_1d.slope(one.w, "logistic", JAX) - 2 * one.w)
    assert (
        beyond_08_logistic_steps._second_order(one, JAX)
        <= 0.81 * abs(drift) * 16 - abs(run.weights[1] - both) + 1e-9
    )
    assert beyond_08_logistic_steps._second_order(one, JAX) > 0
