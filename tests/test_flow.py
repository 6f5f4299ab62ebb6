"""Gradient flows beside closed forms and SciPy: stiff ones, at rest, at kinks, into singularities; derivatives in both modes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

import ascentfail as af
from ascentfail.dynamics import flow_kinks, flow_steps
from ascentfail.numerics.loops import while_loop

PLANE = af.CrossCorrelated(
    epsilon=0.8,
    retain_in_plane=40.0,
    forget_in_plane=8.0,
    retain_total=100.0,
    forget_total=40.0,
    ridge=0.1,
)


def nothing(w):
    return 0.0 * sum(jnp.sum(leaf) for leaf in jax.tree.leaves(w))


def descent(loss, start, times, **how):
    start = (
        start
        if isinstance(start, dict) or isinstance(start, jax.Array)
        else jnp.asarray(start, float)
    )
    return af.gradient_flow(
        af.Losses(loss, nothing), start, times, mode="descent", oracle=start, **how
    )


def reached(run):
    return run.diverged_at == -1 and run.unresolved_at == -1


# --- stiff flows and flows at rest --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", [1e4, 1e8])
def test_a_flow_that_has_come_to_rest_is_not_called_diverged(end):
    p = af.SemiOrthogonal(40.0, 8.0, 100.0, 40.0, 1e-3)
    run = af.gradient_flow(p, "original", [0.0, end])
    assert reached(run)
    np.testing.assert_allclose(run.weights[-1], af.closed_form.descent_ascent(p), rtol=1e-10)
    np.testing.assert_allclose(run.weights[-1], 3.929743269, rtol=1e-9)


def test_the_plane_after_a_long_time():
    run = af.gradient_flow(PLANE, "original", [0.0, 1e7])
    assert reached(run)
    np.testing.assert_allclose(
        run.weights[-1], af.stationary_point(PLANE, "descent_ascent").weights, rtol=1e-9
    )


def test_the_toy_network_after_a_long_time():
    t = af.ToyLandscape()
    run = af.gradient_flow(t, "original", [0.0, 1e5], mode="descent")
    assert reached(run)
    ends = np.asarray(af.landscape.stationary_points(t, "oracle").parameters)
    assert np.min(np.linalg.norm(ends - np.asarray(run.weights[-1]), axis=1)) < 1e-8


def test_two_curvatures_a_million_apart():
    run = descent(lambda w: (1e6 * w[0] ** 2 + w[1] ** 2) / 2, [1.0, 1.0], [0.0, 1e-6, 0.5, 1.0])
    assert reached(run)
    np.testing.assert_allclose(run.weights[:, 1], np.exp([0.0, -1e-6, -0.5, -1.0]), rtol=1e-9)
    np.testing.assert_allclose(run.weights[:, 0], [1.0, np.exp(-1), 0.0, 0.0], atol=1e-9)


def least_squares(x, y, end):
    """Mean squared error of a linear model along its flow from 0: the matrix exponential by eigenvalues, and Radau."""
    values, q = np.linalg.eigh(2 * x.T @ x / len(x))
    pull = 2 * x.T @ y / len(x)
    exact = q @ (-np.expm1(-values * end) / values * (q.T @ pull))
    peer = solve_ivp(
        lambda _, w: pull - 2 * x.T @ (x @ w) / len(x),
        (0, end),
        np.zeros(x.shape[1]),
        "Radau",
        rtol=1e-9,
        atol=1e-11,
        jac=lambda _, w: -2 * x.T @ x / len(x),
    )
    return exact, peer.y[:, -1]


def check_least_squares(x, y):
    run = descent(
        lambda w: jnp.mean((jnp.asarray(x) @ w - jnp.asarray(y)) ** 2),
        np.zeros(x.shape[1]),
        [0.0, 1.0],
    )
    assert reached(run)
    exact, peer = least_squares(x, y, 1.0)
    np.testing.assert_allclose(run.weights[-1], exact, atol=1e-9)
    np.testing.assert_allclose(run.weights[-1], peer, atol=1e-6)
    return run.retain_loss[-1]


def test_raw_features_of_many_sizes():
    rng = np.random.default_rng(0)
    sizes = np.array([1e3, 1e2, 20.0, 10.0, 1.0, 0.1, 0.05, 0.003])
    x = sizes * (1 + 0.3 * rng.normal(size=(200, 1)) + 0.2 * rng.normal(size=(200, 8)))
    check_least_squares(x, np.sign(rng.normal(size=200)))


def test_raw_breast_cancer():
    data = pytest.importorskip("sklearn.datasets").load_breast_cancer()
    loss = check_least_squares(data.data[:500], 2.0 * data.target[:500] - 1)
    np.testing.assert_allclose(loss, 0.3978, atol=5e-5)


def test_a_stiff_logistic_regression_beside_scipy():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(40, 3)) * [300.0, 1.0, 0.01], np.sign(rng.normal(size=40))
    times = [0.0, 0.1, 3.0]
    run = descent(
        lambda w: jnp.mean(jnp.logaddexp(0.0, -jnp.asarray(y) * (jnp.asarray(x) @ w))),
        [0.01, 1.0, 1.0],
        times,
    )

    def velocity(_, w):
        return x.T @ (y / (1 + np.exp(np.clip(y * (x @ w), -700, 700)))) / len(x)

    peer = solve_ivp(velocity, (0, 3), [0.01, 1.0, 1.0], "Radau", times, rtol=1e-10, atol=1e-12)
    assert reached(run)
    np.testing.assert_allclose(run.weights, peer.y.T, atol=1e-8)


def test_the_implicit_step_has_order_eight_and_damps():
    def state(step):
        one = jnp.ones(())
        none = jnp.int32(0)
        return flow_steps.State(
            one, -one, one, jnp.asarray(step), none, none, jnp.array(True), one, jnp.array(False)
        )

    def error(step):
        loose = flow_steps.Tolerance(0.9, 0.9)
        return abs(
            float(flow_steps.implicit(lambda w: -(w**3), state(step), loose).w)
            - (1 + 2 * step) ** -0.5
        )

    assert 2**7 < error(0.25) / error(0.125) < 2**10  # of one step, on its way to 2^9
    fast = state(1.0)._replace(velocity=-1e9 * jnp.ones(()))
    far = flow_steps.implicit(lambda w: -1e9 * w, fast, flow_steps.Tolerance(0.9, 0.9))
    assert abs(float(far.w)) < 1e-8


def test_a_model_too_large_for_the_implicit_step_comes_to_rest_too():
    size = 300
    run = descent(lambda w: jnp.sum((w - 1.0) ** 2), np.zeros(size), [0.0, 1e6])
    assert reached(run)
    np.testing.assert_allclose(run.weights[-1], np.ones(size), atol=1e-9)


def test_a_flow_that_is_not_resolved_says_so_and_does_not_call_it_diverged():
    size = 300  # too many for the implicit step, and an oscillation of the field that explicit steps cannot follow for long
    run = descent(
        lambda w: jnp.sum(w[0]) * 1.0 + jnp.sum(1e9 * w[1:] ** 2),
        np.ones(size),
        [0.0, 1e-9, 1e3, 2e3],
    )
    assert run.diverged_at == -1 and run.unresolved_at == 2
    assert bool(jnp.all(jnp.isfinite(run.weights)))
    np.testing.assert_array_equal(run.weights[2], run.weights[3])


def test_a_singularity_in_finite_time_is_a_divergence():
    p = af.SemiOrthogonal(40.0, 39.0, 100.0, 40.0, 1e-3)
    run = af.gradient_flow(p, "original", [0.0, 10.0, 1e4])
    assert run.diverged_at == 2 and run.unresolved_at == -1
    run = descent(lambda w: -jnp.exp(w), 0.0, [0.0, 0.5, 2.0])  # dw/dt = exp(w): w = -ln(1 - t)
    assert run.diverged_at == 2 and run.unresolved_at == -1
    np.testing.assert_allclose(run.weights[1], np.log(2), rtol=1e-9)


# --- kinks --------------------------------------------------------------------------------------------------------------------


SHAPES = {  # name: (a velocity, whether it is smooth)
    "a polynomial": (lambda w: w**3 - jnp.exp(-w) * jnp.tanh(w), True),
    "a logistic function": (jax.nn.sigmoid, True),
    "a chosen row": (lambda w: jnp.arange(3.0)[jnp.array([2, 0])] * w, True),
    "size": (jnp.abs, False),
    "the larger": (lambda w: jnp.maximum(w, 0), False),
    "relu": (jax.nn.relu, False),
    "one of two by sign": (lambda w: jnp.where(w > 0, w, 3 * w), False),
    "a whole number of it": (lambda w: w.astype(int).astype(float) * w, False),
    "rounded in a loop": (
        lambda w: jax.lax.fori_loop(0, 2, lambda _, v: jnp.floor(v) + v, w),
        False,
    ),
}


@pytest.mark.parametrize("name", SHAPES)
def test_only_what_is_known_to_be_smooth_counts_as_smooth(name):
    velocity, smooth = SHAPES[name]
    assert flow_kinks.is_smooth(jax.make_jaxpr(velocity)(jnp.ones(2))) is smooth


def test_a_flow_rests_in_a_kink():
    run = descent(jnp.abs, 1.0, [0.0, 0.5, 1.5, 1e6])
    assert reached(run)
    np.testing.assert_allclose(run.weights, [1.0, 0.5, 0.0, 0.0], atol=1e-10)


def test_a_flow_slides_along_a_kink():
    # |x| + y^2 / 2 + x (1 - y) / 2: on x = 0 the velocity is the shortest combination of the two sides, which has no part along x
    run = descent(lambda w: jnp.abs(w[0]) + w[1] ** 2 / 2, [0.5, 2.0], [0.0, 0.25, 0.5, 1.0, 3.0])
    assert reached(run)
    np.testing.assert_allclose(run.weights[:, 0], [0.5, 0.25, 0.0, 0.0, 0.0], atol=1e-9)
    np.testing.assert_allclose(
        run.weights[:, 1], 2 * np.exp([0.0, -0.25, -0.5, -1.0, -3.0]), rtol=1e-9
    )


def test_a_flow_leaves_a_kink_when_one_side_lets_go():
    # |x| + x (y - 2) with dy/dt = 1: it slides while |y - 2| < 1, and from y = 3 on x falls
    def loss(w):
        return jnp.abs(w[0]) + w[0] * (w[1] - 2.0) - w[1]

    run = descent(loss, [0.0, 2.0], [0.0, 0.5, 1.0, 1.25])

    def beside(t):  # x after it let go at about t = 1: dx/dt = 1 - (y - 2), dy/dt = 1 - x
        peer = solve_ivp(
            lambda _, w: [1 - (w[1] - 2), 1 - w[0]], (1, t), [0.0, 3.0], rtol=1e-12, atol=1e-14
        )
        return peer.y[:, -1]

    assert reached(run)
    np.testing.assert_allclose(run.weights[:3], [[0, 2], [0, 2.5], [0, 3]], atol=1e-9)
    np.testing.assert_allclose(run.weights[3], beside(1.25), atol=1e-8)


def test_a_flow_crosses_a_kink_and_its_derivative_knows_when():
    # slope 1 above 0 and 3 below
    def end(x):
        loss = lambda w: jnp.where(w > 0, w, 3 * w)  # noqa: E731
        return descent(loss, x, [0.0, 1.0]).weights[-1]

    value, slope = jax.value_and_grad(end)(0.25)
    np.testing.assert_allclose(value, -2.25, atol=1e-9)
    np.testing.assert_allclose(slope, 3.0, rtol=1e-9)


@pytest.mark.slow
def test_a_flow_across_a_kink_has_that_derivative_in_forward_mode_too():
    def end(x):
        return descent(lambda w: jnp.where(w > 0, w, 3 * w), x, [0.0, 1.0]).weights[-1]

    np.testing.assert_allclose(jax.jacfwd(end)(0.25), 3.0, rtol=1e-9)


@pytest.mark.slow
def test_a_corner_of_two_kinks():
    run = descent(
        lambda w: jnp.abs(w[0]) + 2 * jnp.abs(w[1] - w[0]) + (w[2] - 1) ** 2 / 2,
        [1.0, 2.0, 0.0],
        [0.0, 5.0, 1e5],
    )
    assert reached(run)
    np.testing.assert_allclose(run.weights[1:], [[0, 0, 1 - np.exp(-5)], [0, 0, 1]], atol=1e-9)


def network(seed, units=4, samples=12):
    keys = jax.random.split(jax.random.key(seed), 4)
    x = jax.random.normal(keys[0], (samples, 2))
    y = jnp.sign(x[:, 0] * x[:, 1])
    start = {
        "in": jax.random.normal(keys[1], (2, units)),
        "bias": 0.1 * jax.random.normal(keys[2], (units,)),
        "out": jax.random.normal(keys[3], (units,)) / units,
    }
    return (x, y), start


def squares(w, data):
    x, y = data
    return jnp.mean((jax.nn.relu(x @ w["in"] + w["bias"][None, :]) @ w["out"] - y) ** 2)


@pytest.mark.parametrize("rtol", [1e-8, 1e-6])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_network_of_rectifiers_follows_one_flow_at_all_tolerances(seed, rtol):
    data, start = network(seed)
    problem = af.Losses(squares, lambda w, data: nothing(w), data=(data, data))
    how = {"times": [0.0, 1.0, 5.0, 20.0], "mode": "descent", "oracle": start}
    fine, coarse = (
        af.gradient_flow(problem, start, rtol=r, atol=r / 100, **how) for r in (1e-10, rtol)
    )
    assert reached(fine) and reached(coarse)
    assert np.all(np.diff(fine.retain_loss) < 0)
    for a, b in zip(jax.tree.leaves(fine.weights), jax.tree.leaves(coarse.weights), strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=30 * rtol)


# --- derivatives --------------------------------------------------------------------------------------------------------------


def both_modes(end, *x, steps=(1e-5, 1e-5)):
    """The gradient in reverse mode, after a look at forward mode and finite differences."""
    reverse, forward = (
        mode(end, argnums=tuple(range(len(x))))(*x) for mode in (jax.grad, jax.jacfwd)
    )
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-7, atol=1e-9), reverse, forward
    )
    for i, (dot, step) in enumerate(zip(reverse, steps, strict=False)):
        near = [end(*x[:i], x[i] + s * jnp.ones_like(x[i]), *x[i + 1 :]) for s in (step, -step)]
        np.testing.assert_allclose(
            jnp.sum(dot), (near[0] - near[1]) / (2 * step), rtol=1e-5, atol=1e-7
        )
    return reverse


def test_derivatives_of_a_flow_in_reverse():
    def end(epsilon, start):
        p = af.CrossCorrelated(
            epsilon=epsilon,
            retain_in_plane=40.0,
            forget_in_plane=8.0,
            retain_total=100.0,
            forget_total=40.0,
            ridge=0.1,
        )
        return jnp.sum(af.gradient_flow(p, start, [0.0, 0.5, 1.0]).weights[1:] ** 2)

    both_modes(end, 0.3, jnp.array([0.5, 1.0]))


@pytest.mark.slow
def test_derivatives_of_a_stiff_flow_in_reverse():
    def end(curvature, start):
        loss = lambda w, c: c * w[0] ** 2 / 2 + w[0] ** 2 * w[1] ** 2 / 4 + (w[1] - w[0]) ** 2 / 2  # noqa: E731
        p = af.Losses(loss, lambda w, c: nothing(w), data=(curvature, curvature))
        return jnp.sum(
            af.gradient_flow(p, start, [0.0, 1.0], mode="descent", oracle=start).weights[-1]
        )

    both_modes(
        end, 1e4, jnp.array([1.0, 2.0]), steps=(10.0, 1e-5)
    )  # of the curvature a longer one, or the difference is noise
    np.testing.assert_allclose(
        jax.grad(end, 1)(1e4, jnp.array([1.0, 2.0]))[1], np.exp(-1), rtol=1e-3
    )


def test_derivatives_with_respect_to_what_a_loss_has_captured():
    def end(target):
        return descent(lambda w: (w - target) ** 2 / 2, 0.0, [0.0, 1.0]).weights[-1]

    np.testing.assert_allclose(both_modes(end, 2.0)[0], 1 - np.exp(-1), rtol=1e-9)


@pytest.mark.slow
def test_second_derivatives_in_forward_mode_and_a_sentence_in_reverse():
    def end(x):
        return descent(lambda w: w**3 / 3, x, [0.0, 1.0]).weights[-1]  # w = x / (1 + x t)

    np.testing.assert_allclose(jax.jacfwd(jax.jacfwd(end))(1.0), -2 / 8, rtol=1e-7)
    with pytest.raises(TypeError, match="take both in forward mode"):
        jax.jacfwd(jax.grad(end))(1.0)


def test_a_loop_in_reverse():
    def last(scale, x):
        return while_loop(
            lambda c, s: s[0] < 5,
            lambda c, s: (s[0] + 1, jnp.sin(c * s[1])),
            scale,
            (jnp.int32(0), x),
            5,
        )[1]

    def unrolled(scale, x):
        for _ in range(5):
            x = jnp.sin(scale * x)
        return x

    np.testing.assert_allclose(
        jax.grad(last, (0, 1))(1.3, 0.4), jax.grad(unrolled, (0, 1))(1.3, 0.4), rtol=1e-12
    )


# --- arguments ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"rtol": None}, "rtol"),
        ({"rtol": "low"}, "rtol"),
        ({"rtol": [1e-6, 1e-8]}, "rtol"),
        ({"rtol": 1e-6 + 0j}, "rtol"),
        ({"atol": None}, "atol"),
        ({"atol": np.nan}, "atol"),
        ({"atol": True}, "atol"),
        ({"times": None}, "times"),
        ({"times": [0.0, 1j]}, "times"),
        ({"times": ["0", "1"]}, "times"),
        ({"times": [0.0, [1.0]]}, "times"),
        ({"times": {"a": 1}}, "times"),
        ({"mode": None}, "mode"),
        ({"mode": ["descent"]}, "mode"),
        ({"ridge_in_ascent": 1}, "ridge"),
        ({"start": [1j, 0.0]}, "start"),
        ({"start": None}, "start"),
        ({"problem": None}, "problem"),
        ({"oracle": [1j, 0]}, "oracle"),
        ({"test_level": "low"}, "test_level"),
        ({"test_level": [1.0]}, "test_level"),
        ({"retain_worsens": None}, "retain_worsens"),
        ({"budget": 0.5}, "budget"),
        ({"budget": "all"}, "budget"),
        ({"ascent_weight": -1.0}, "ascent_weight"),
        ({"ascent_weight": "much"}, "ascent_weight"),
        ({"metrics": 3}, "metrics"),
    ],
)
def test_wrong_types_of_the_flow_s_arguments_get_a_sentence(changes, named):
    arguments = {"problem": PLANE, "start": [0.0, 0.0], "times": [0.0, 1.0]} | changes
    with pytest.raises(ValueError, match=f"^{named}"):
        af.gradient_flow(**arguments)
