"""The charts that list problems by their solutions, beside the solvers; what rewritten margins are, beside their first forms."""

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from mpmath import mp

import ascentfail as af
from ascentfail import stationary
from ascentfail.claims.evidence.certify import certify
from ascentfail.line import steps as steps_1d
from ascentfail.numerics.arithmetic import JAX, MPMATH
from ascentfail.numerics.sample_losses import LOGISTIC, LOSSES
from ascentfail.plane import bounds as plane_bounds
from ascentfail.plane import equations as plane_equations
from ascentfail.theory import Point, check, get
from ascentfail.theory.beyond import beyond_05_existence, beyond_05_flow
from ascentfail.theory.proof_steps import steps

BOXED = (
    "beyond-1.first-step-helps",
    "beyond-3.first-step-1d",
    "beyond-4.x-threshold",
    "beyond-4.y-threshold",
    "beyond-4.second-implies-first",
    "beyond-4.x-implies-y",
    "beyond-5.unbounded",
    "beyond-5.minimum-and-saddle",
    "beyond-5.one-maximum",
    "beyond-7.stability",
    "beyond-7.no-simultaneous",
    "beyond-8.1.first-step-helps",
    "beyond-8.3.first-step-1d",
    "beyond-8.lemma-4",
    "beyond-8.lemma-5",
    "beyond-8.7.no-simultaneous",
    "beyond-8.dependence-causes.exists",
)


@pytest.mark.parametrize("claim_id", BOXED)
def test_the_margin_itself_is_enclosed(claim_id):
    found = certify(get(claim_id))
    assert found is not None and found.complete and found.evidence.grade == "boxes"


def inside(claim_id, count, seed=0):
    """Points of a claim's domain, after its chart."""
    claim = get(claim_id)
    rng = np.random.default_rng(seed)
    at = {axis.name: jnp.asarray(axis.at(rng.random(4096))) for axis in claim.domain.axes}

    @jax.jit
    @jax.vmap
    def chart(values):
        p = claim.domain.chart(Point(**values), JAX)
        return p.values(), jnp.stack(
            [jnp.asarray(side, float) for side in claim.domain.where(p, JAX)]
        )

    points, sides = chart(at)
    keep = np.flatnonzero(np.all(np.asarray(sides) >= 0, axis=1))[:count]
    assert len(keep) == count
    return [
        Point(**{name: float(np.broadcast_to(value, (4096,))[i]) for name, value in points.items()})
        for i in keep
    ]


@pytest.mark.parametrize("loss", LOSSES)
def test_listed_by_weights(loss):
    prefix = "beyond-3" if loss == "exponential" else "beyond-8.3"
    for p in inside(f"{prefix}.first-step-1d", 5):
        problem = af.SemiOrthogonal.from_ratios(alpha=p.alpha, phi=p.phi, b=p.b, loss=loss)
        for which, weight in (("original", p.original), ("oracle", p.oracle)):
            np.testing.assert_allclose(
                af.stationary_point(problem, which).weights, weight, rtol=1e-9
            )
        np.testing.assert_allclose(p.more, (p.alpha - p.phi) / (1 + p.phi), rtol=1e-9, atol=1e-14)
        np.testing.assert_allclose(
            p.above, (p.alpha * (1 + 2 * p.phi) - p.phi**2) / (1 + p.phi), rtol=1e-9, atol=1e-14
        )
        leads_away = p.phi**2 / (1 + 2 * p.phi) < p.alpha < p.phi
        step = steps_1d.simultaneous(p.original, p, 1.0, loss=loss, xp=JAX) - p.original
        assert (step * (p.original - p.oracle) > 0) == leads_away


@pytest.mark.parametrize(
    "claim_id", ["beyond-1.first-step-helps", "beyond-8.1.first-step-helps", "beyond-4.x-threshold"]
)
def test_listed_by_margins(claim_id):
    for p in inside(claim_id, 5):
        ratios = {name: getattr(p, name) for name in ("epsilon", "alpha", "phi", "b")}
        problem = af.CrossCorrelated.from_ratios(
            **ratios, loss="logistic" if "beyond-8" in claim_id else "exponential"
        )
        original, oracle = (
            af.stationary_point(problem, which).margins for which in ("original", "oracle")
        )
        np.testing.assert_allclose(original, plane_equations.margins(p.u, p.v, p.q), rtol=1e-7)
        np.testing.assert_allclose(oracle[0], p.big_x, rtol=1e-9)


@pytest.mark.parametrize(("which", "axis"), [(0, "x"), (1, "y")])
def test_the_orders_turn_at_the_exact_thresholds(which, axis):
    claim, signs = get(f"beyond-4.{axis}-threshold"), set()
    for p in inside(claim.id, 60)[:: 1 if which else 5]:
        threshold = float(plane_bounds.ordering_alphas(p)[which])
        margins = (
            plane_equations.margins(*stationary.plane(p, "original"), p.q)[which],
            plane_equations.oracle(p)[which],
        )
        gap = float(margins[1] - margins[0])
        assert (gap > 0) == (p.alpha < threshold) and float(claim.margin(p, JAX)) > 0
        np.testing.assert_allclose(p.lag, gap, rtol=1e-6, atol=1e-9)
        signs.add(gap > 0)
    assert len(signs) == 2  # both sides of the threshold were met
    for p in inside("beyond-4.second-implies-first", 5):
        first, second = plane_bounds.ordering_alphas(p)
        np.testing.assert_allclose(
            get("beyond-4.second-implies-first").margin(p, JAX), np.log(first / second), rtol=1e-6
        )


def test_listed_by_the_gap_of_the_retain_margins():
    for p in inside("beyond-4.x-implies-y", 5):
        problem = af.CrossCorrelated.from_ratios(
            **{name: getattr(p, name) for name in ("epsilon", "alpha", "phi", "b")}
        )
        original, end = (
            np.asarray(af.stationary_point(problem, w).margins)
            for w in ("original", "descent_ascent")
        )
        np.testing.assert_allclose(original - end, [p.gap, p.y_gap], rtol=1e-5, atol=1e-9)


# --- existence in the plane ------------------------------------------------------------------------------------------


def test_the_rise_to_the_fold_is_the_slope_of_h_and_stays_below_its_bound():
    """h by its definition in 50 digits: its derivative, its bound, and two solutions below the maximum, none above."""
    with mpmath.workdps(50):
        for p in inside("beyond-5.one-maximum", 4):
            q, beta = mp.mpf(p.q), mp.mpf(p.b) * (1 + mp.mpf(p.epsilon) ** 2)
            pull = lambda b, q=q, beta=beta: MPMATH.lambertw_exp(mp.log(beta) + q * b)  # noqa: E731
            h = lambda b, q=q, pull=pull: mp.log(b) + q * pull(b) - b  # noqa: E731
            b, fold = mp.mpf(p.ascent_pull), stationary.fold(beta, q, xp=MPMATH)
            assert abs(fold[0] / p.a_fold - 1) < 1e-9 and abs(pull(b) / p.a - 1) < 1e-6
            rise = b * (1 + pull(b)) * mp.diff(h, b) * mp.mpf(p.rise)
            assert abs(beyond_05_existence._past_fold(p) + mp.mpf(p.rise) ** 2 - rise) < 1e-6 * (
                1 + abs(rise)
            )
            bound = mp.log(b) + q * (1 + mp.log(1 + beta)) - (1 - q * q) * b
            assert (
                h(b) <= bound
                and abs((bound - h(b)) / q - mp.log1p(beyond_05_existence._below_bound(p, MPMATH)))
                < 1e-6
            )
            level = h(fold[1]) - 1
            grid = [fold[1] * mp.mpf(1.05) ** i for i in range(-600, 200)]
            above = [h(x) > level for x in grid]
            assert (
                not above[0]
                and not above[-1]
                and sum(x != y for x, y in zip(above, above[1:], strict=False)) == 2
            )


def test_the_loss_falls_below_every_line_along_the_escape():
    for p in inside("beyond-5.unbounded", 4):
        problem = af.CrossCorrelated.from_ratios(
            epsilon=p.epsilon, alpha=p.ratio * 0.5, phi=0.5, b=p.b, ridge=0.5 / p.b
        )
        eps = p.epsilon
        w = jnp.asarray([eps, -1.0]) * p.reach / (1 - eps**2)  # x = 0 and y = -t
        assert (
            abs(float(w[0] + eps * w[1])) < 1e-9 * p.reach
            and abs(float(eps * w[0] + w[1]) + p.reach) < 1e-9 * p.reach
        )
        end, origin = (
            float(af.loss(problem, at, "descent_ascent")) * 2 * p.b for at in (w, jnp.zeros(2))
        )
        away = float(beyond_05_existence._along_escape(p, JAX))
        np.testing.assert_allclose(end - (origin - p.b * (1 - p.ratio)), away, rtol=1e-6)
        assert away <= -p.reach


# --- steps whose words their expressions show --------------------------------------------------------------------------


def test_the_first_step_is_that_of_the_coefficients_only_at_the_original():
    found = certify(steps.FIRST_STEP)
    assert found is not None and found.complete
    with mpmath.workdps(30):
        at = Point(w=mp.mpf(1), alpha=mp.mpf(2), phi=mp.mpf(3))
        assert abs(steps.FIRST_STEP.margin(at, MPMATH)) < 1e-50
        away = at.replace(b=mp.mpf(1), forget_b=mp.mpf(2))  # w = 1 is not the original of these
        force = mp.exp(-at.w)
        assert (
            abs(
                (away.b - away.forget_b / at.phi) * force
                - at.w
                - (1 - mp.mpf(2) / 3 - mp.mpf(3) / 4) * force
            )
            > 0.1
        )


def test_weights_far_below_zero_are_in_the_range_of_the_step_that_orders_them():
    low = min(axis.low for axis in steps.LOGISTIC_INCREASES.domain.axes)
    assert low <= float(JAX.logisticw(-1e6))  # c_DA of lemma-5.proof's largest excess
    assert certify(steps.LOGISTIC_INCREASES).complete


@pytest.mark.parametrize(
    "step",
    [
        *beyond_05_flow.KEEPS_ORDER,
        beyond_05_flow.SAME_STRENGTHS,
        steps.SLOPES_ALONG,
        steps.RETAIN_PULL_LAGS,
    ],
    ids=lambda step: step.id,
)
def test_steps_are_shown(step):
    assert certify(step).complete


def test_the_off_diagonal_rates_are_those_of_the_flow():
    """By automatic differentiation of the velocity in (x, s_2) and in (s_1, -y), exponential loss."""
    q, beta, gamma = 0.6, 3.0, 0.7

    def velocity(s):
        x, y = plane_equations.margins(s[0], s[1], q)
        return jnp.stack([beta * jnp.exp(-x) - s[0], -gamma * jnp.exp(-y) - s[1]])

    for to, back in (
        (
            lambda s: jnp.stack([s[0] + q * s[1], s[1]]),
            lambda z: jnp.stack([z[0] - q * z[1], z[1]]),
        ),
        (
            lambda s: jnp.stack([s[0], -q * s[0] - s[1]]),
            lambda z: jnp.stack([z[0], -z[1] - q * z[0]]),
        ),
    ):
        start = to(jnp.asarray([1.3, -0.4]))
        rates = jax.jacobian(
            lambda z, to=to, back=back: jax.jvp(to, (back(z),), (velocity(back(z)),))[1]
        )(start)
        x, y = plane_equations.margins(1.3, -0.4, q)
        first = bool(jnp.allclose(to(jnp.asarray([1.0, 0.0]))[1], 0.0))
        pull, push = (gamma * jnp.exp(-y), True) if first else (beta * jnp.exp(-x), False)
        wanted = (q * (1 - q * q) * pull, q * pull) if push else (q * pull, q * (1 - q * q) * pull)
        np.testing.assert_allclose([rates[0, 1], rates[1, 0]], wanted, rtol=1e-12)


# --- margins that touch the map, and existence without the point ---------------------------------------------------------


def test_the_margin_of_stability_is_that_of_the_map_s_own_derivative():
    claim = get("beyond-7.stability")
    for h, excess in ((0.1, 0.5), (2.0, 1.4), (0.01, 1.5), (1.0, 3.0)):
        after = lambda w, h=h, excess=excess: steps_1d.unridged_step(w, h, excess, JAX)[1]  # noqa: E731
        multiplier = jax.grad(after)(jnp.log(h / excess))
        wanted = (2 - excess**2) * (1 - multiplier**2)
        np.testing.assert_allclose(
            claim.margin(Point(h_retain=h, excess=excess), JAX), wanted, rtol=1e-9
        )
        assert (abs(multiplier) < 1) == (excess < np.sqrt(2))


def test_the_signs_on_the_rectangle_enclose_the_stationary_point():
    claim = get("beyond-8.dependence-causes.exists")
    for eps, ratio in ((0.0, 0.5), (0.6, 2.0), (1.0, 1.5)):
        p = claim.domain.chart(
            Point(epsilon=eps, phi=0.5, b=30.0, ratio=ratio, along_retain=0.5, along_forget=0.5),
            JAX,
        )
        assert float(claim.margin(p, JAX)) > 0
        s1, s2 = stationary.plane(p.replace(loss=LOGISTIC), "descent_ascent", loss=LOGISTIC)
        assert 0 <= float(s1) <= float(p.beta) and 0 <= -float(s2) <= float(p.gamma)
    assert check(claim, samples=1024).status == "holds"
