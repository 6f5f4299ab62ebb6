"""Iterations and flows: beside plain NumPy loops, closed forms, an ODE solver of its own, and their own promises."""

import dataclasses
import functools

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

import ascentfail as af
from ascentfail.claims.claim import Point
from ascentfail.line import closed_form
from ascentfail.line import steps as steps_1d
from ascentfail.numerics.arithmetic import JAX, MPMATH
from ascentfail.problems import losses
from ascentfail.toy import landscape

PLANE = af.CrossCorrelated(
    epsilon=0.5,
    retain_in_plane=40.0,
    forget_in_plane=8.0,
    retain_total=100.0,
    forget_total=40.0,
    ridge=1e-1,
)
SAFE = af.CrossCorrelated(
    epsilon=0.5,
    retain_in_plane=40.0,
    forget_in_plane=2.0,
    retain_total=100.0,
    forget_total=40.0,
    ridge=1e-1,
)
AXES = af.SemiOrthogonal(
    retain_on_axis=jnp.array([30.0, 20.0, 5.0]),
    forget_on_axis=jnp.array([4.0, 0.0, 1.0]),
    retain_total=100.0,
    forget_total=40.0,
    ridge=5e-2,
)
OWN = af.Losses(lambda w: jnp.sum(w**2), lambda w: jnp.sum(w))
MODES = ("simultaneous", "alternating", "ascent", "descent")


def slope(m, loss):
    return np.exp(-m) if loss == "exponential" else 1 / (1 + np.exp(m))


def gradients(p, w):
    """The gradients of both means as the paper sums them, by hand."""
    if isinstance(p, af.CrossCorrelated):
        r, f = np.array([1, float(p.epsilon)]), np.array([float(p.epsilon), 1])
        retain = -p.retain_in_plane / p.retain_total * slope(w @ r, p.loss) * r
        return retain, -p.forget_in_plane / p.forget_total * slope(w @ f, p.loss) * f
    return (
        -np.asarray(p.retain_on_axis) / p.retain_total * slope(w, p.loss),
        -np.asarray(p.forget_on_axis) / p.forget_total * slope(w, p.loss),
    )


def by_hand(p, w, eta, mode, order="retain-first", ascended=False):
    """One step, written out."""
    down = lambda w: w - eta * (gradients(p, w)[0] + p.ridge * w)  # noqa: E731
    up = lambda w: w + eta * (gradients(p, w)[1] + (p.ridge if ascended else -p.ridge) * w)  # noqa: E731
    if mode == "descent":
        return down(w)
    if mode == "ascent":
        return up(w)
    if mode == "simultaneous":
        retain, forget = gradients(p, w)
        return w - eta * (retain - forget + (0 if ascended else p.ridge) * w)
    return up(down(w)) if order == "retain-first" else down(up(w))


@pytest.mark.parametrize(
    ("mode", "order"),
    [*((mode, "retain-first") for mode in MODES), ("alternating", "forget-first")],
)
@pytest.mark.parametrize("ridge", ["decay", "ascended"])
@pytest.mark.parametrize(
    ("problem", "loss"), [(PLANE, "exponential"), (AXES, "logistic")], ids=["plane", "axes"]
)
def test_steps_by_hand(problem, loss, mode, order, ridge):
    problem = dataclasses.replace(problem, loss=loss)
    start = np.array([0.7, -0.2, 0.4])[: 2 if isinstance(problem, af.CrossCorrelated) else 3]
    run = af.descent_ascent(
        problem, start, steps=8, step_size=0.3, mode=mode, order=order, ridge_in_ascent=ridge
    )
    w, oracle = start, np.asarray(af.stationary_point(problem, "oracle").weights)
    for k in range(9):
        np.testing.assert_allclose(run.weights[k], w, rtol=1e-12, atol=1e-13)
        np.testing.assert_allclose(
            run.distance_to_oracle[k], np.linalg.norm(w - oracle), rtol=1e-11
        )
        w = by_hand(problem, w, 0.3, mode, order, ridge == "ascended")
    distances = np.asarray(run.distance_to_oracle)
    assert int(run.best_stop) == distances.argmin() and run.best_distance == distances.min()
    assert run.beats_doing_nothing == (distances.min() < distances[0])
    assert run.diverged_at == -1


@pytest.mark.parametrize("loss", ["exponential", "logistic"])
def test_long_runs_end_at_the_stationary_points(loss):
    plane = af.CrossCorrelated(0.5, 40.0, 2.0, 100.0, 40.0, 1e-1, loss=loss)
    axes = af.SemiOrthogonal(AXES.retain_on_axis, AXES.forget_on_axis, 100.0, 40.0, 5e-2, loss=loss)
    for problem in (plane, axes):
        for mode, which in (("descent", "oracle"), ("simultaneous", "descent_ascent")):
            run = af.descent_ascent(problem, "original", steps=4000, step_size=0.5, mode=mode)
            np.testing.assert_allclose(
                run.weights[-1], af.stationary_point(problem, which).weights, atol=1e-10
            )


def test_alternating_ends_at_its_own_fixed_point():
    p = af.SemiOrthogonal(40.0, 10.0, 100.0, 40.0, 1e-2)
    w = np.asarray(
        af.descent_ascent(p, "original", steps=20_000, step_size=0.05, mode="alternating").weights[
            -1
        ]
    )
    again = steps_1d.alternating(jnp.asarray(w), p, 0.05 * 1e-2, xp=JAX)
    np.testing.assert_allclose(again, w, rtol=1e-13)
    assert abs(w - float(closed_form.with_ridges(p, 2))) < 0.05


@pytest.mark.parametrize("loss", ["exponential", "logistic"])
@pytest.mark.parametrize("mode", ["simultaneous", "alternating"])
@pytest.mark.parametrize("order", ["retain-first", "forget-first"])
@settings(max_examples=20)
@example(ratio=1.0, b=32.0, phi=1.0, h=0.5, w=0.0)
@given(
    ratio=st.floats(0.01, 2),
    b=st.floats(0.1, 50),
    phi=st.floats(0.05, 3),
    h=st.floats(1e-3, 0.5),
    w=st.floats(-1, 4),
)
def test_the_step_in_any_arithmetic_is_the_step_of_the_loss(loss, mode, order, ratio, b, phi, h, w):
    p = af.SemiOrthogonal.from_ratios(alpha=ratio * phi, phi=phi, b=b, loss=loss)
    ridge = float(p.ridge)
    run = af.descent_ascent(p, w, steps=1, step_size=h / ridge, mode=mode, order=order)
    point = Point(alpha=ratio * phi, b=b, phi=phi)
    if mode == "simultaneous":
        steps = [steps_1d.simultaneous(w, point, h, loss=loss, xp=xp) for xp in (JAX, MPMATH)]
    else:
        steps = [
            steps_1d.alternating(w, point, h, order=order, loss=loss, xp=xp) for xp in (JAX, MPMATH)
        ]
    for after in steps:
        if abs(after) > 1e8:  # one step is enough to diverge
            assert run.diverged_at == 1 and run.weights[1] == w
        else:
            np.testing.assert_allclose(run.weights[1], float(after), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("problem", [SAFE, AXES], ids=["plane", "axes"])
def test_the_flow_beside_another_solver(problem, mode):
    times = np.linspace(0, 8, 9)
    run = af.gradient_flow(problem, "original", times, mode=mode)

    def velocity(_, w):
        retain, forget = gradients(problem, w)
        terms = {
            "descent": (1, 0, 1),
            "ascent": (0, 1, 1),
            "simultaneous": (1, 1, 1),
            "alternating": (1, 1, 2),
        }[mode]
        return -(terms[0] * retain - terms[1] * forget + terms[2] * problem.ridge * w)

    peer = solve_ivp(
        velocity, (0, 8), np.asarray(run.weights[0]), "DOP853", times, rtol=1e-12, atol=1e-14
    )
    np.testing.assert_allclose(run.weights, peer.y.T, atol=1e-8)
    assert run.diverged_at == -1


def test_small_steps_follow_the_flow():
    times = np.linspace(0, 4, 5)
    flow = af.gradient_flow(SAFE, "original", times)
    gaps = []
    for n in (400, 800):
        run = af.descent_ascent(SAFE, "original", steps=n, step_size=4 / n)
        gaps.append(np.abs(np.asarray(run.weights)[:: n // 4] - np.asarray(flow.weights)).max())
    assert 1.9 < gaps[0] / gaps[1] < 2.1  # first order


def test_the_flow_that_runs_into_a_singularity_says_when():
    p = af.SemiOrthogonal(40.0, 39.0, 100.0, 40.0, 1e-3)  # c_DA < -1/e
    assert jnp.isnan(closed_form.descent_ascent(p))
    run = af.gradient_flow(p, "original", [0.0, 10.0, 50.0, 1e4, 2e4])
    assert run.diverged_at == 3 and bool(jnp.all(jnp.isfinite(run.weights)))
    assert run.weights[3] == run.weights[4]
    alive = af.gradient_flow(p, "original", [0.0, 10.0, 50.0])
    np.testing.assert_array_equal(alive.weights, run.weights[:3])


def test_divergence_is_a_field_and_never_nan():
    p = af.SemiOrthogonal(40.0, 39.0, 100.0, 40.0, 1e-3)
    run = af.descent_ascent(p, "original", steps=400, step_size=5.0)
    at = int(run.diverged_at)
    assert 0 < at < 400
    assert bool(jnp.all(jnp.isfinite(run.weights))) and bool(
        jnp.all(jnp.isfinite(run.distance_to_oracle))
    )
    assert np.unique(run.weights[at - 1 :]).size == 1 and run.weights[at - 2] != run.weights[at - 1]
    far = by_hand(p, np.asarray(run.weights[at - 1]), 5.0, "simultaneous")
    assert not abs(far) <= 1e8
    assert (
        af.descent_ascent(p, "original", steps=400, step_size=5.0, mode="alternating").diverged_at
        == -1
    )


@pytest.mark.parametrize("mode", MODES)
def test_summary_is_the_path_summed_up(mode):
    whole = af.descent_ascent(PLANE, "original", steps=120, step_size=0.4, mode=mode)
    short = af.descent_ascent(
        PLANE, "original", steps=120, step_size=0.4, mode=mode, record="summary"
    )
    for name in (
        "best_stop",
        "best_distance",
        "best_weights",
        "beats_doing_nothing",
        "diverged_at",
        "stops",
    ):
        chex.assert_trees_all_equal(getattr(whole, name), getattr(short, name))
    np.testing.assert_array_equal(short.weights, whole.weights[-1])
    np.testing.assert_array_equal(whole.best_weights, whole.weights[int(whole.best_stop)])
    less = af.descent_ascent(
        PLANE, "original", steps=120, step_size=0.4, mode=mode, record="summary", stop_weights=False
    )
    assert less.best_weights is None and less.stops.budget.weights is None
    same = [stop._replace(weights=None) for stop in short.stops]
    chex.assert_trees_all_equal(list(less.stops), same)
    assert short.distance_to_oracle == whole.distance_to_oracle[-1] and whole.weights.shape == (
        121,
        2,
    )


def test_rules_fixed_in_advance():
    run = af.descent_ascent(
        PLANE, "original", steps=60, step_size=0.2, test_level=0.93, retain_worsens=0.05, budget=7
    )
    forget, retain, distance = (
        np.asarray(x) for x in (run.forget_loss, run.retain_loss, run.distance_to_oracle)
    )
    oracle_forget = af.descent_ascent(PLANE, "oracle", steps=0, step_size=1.0).forget_loss[0]
    wanted = {
        "test_level": forget >= 0.93,
        "oracle_level": forget >= oracle_forget,
        "retain_worsens": retain > 1.05 * retain[0],
        "budget": np.arange(61) >= 7,
    }
    for name, fires in wanted.items():
        stop = getattr(run.stops, name)
        assert bool(stop.fired) == fires.any()
        assert int(stop.step) == (fires.argmax() if fires.any() else 60), name
        assert stop.distance == distance[int(stop.step)]
        np.testing.assert_array_equal(stop.weights, run.weights[int(stop.step)])
        assert bool(stop.beats_doing_nothing) == (distance[int(stop.step)] < distance[0])
    assert not af.descent_ascent(PLANE, "original", steps=5, step_size=0.2).stops.test_level.fired


def test_an_optimizer_of_plain_steps_is_plain_steps():
    plain = af.descent_ascent(PLANE, "original", steps=30, step_size=0.1, mode="alternating")
    same = af.descent_ascent(
        PLANE, "original", steps=30, optimizer=optax.sgd(0.1), mode="alternating"
    )
    np.testing.assert_allclose(plain.weights, same.weights, rtol=1e-14)
    adam = af.descent_ascent(
        SAFE, "original", steps=3000, optimizer=optax.adam(1e-2), mode="descent"
    )
    np.testing.assert_allclose(
        adam.weights[-1], af.stationary_point(SAFE, "oracle").weights, atol=1e-6
    )


def test_batches_are_unbiased_and_seeded():
    run = functools.partial(
        af.descent_ascent, AXES, "original", steps=1, step_size=0.5, batch_size=16
    )
    full = af.descent_ascent(AXES, "original", steps=1, step_size=0.5).weights[1]
    many = jax.vmap(lambda k: run(key=k).weights[1])(jax.random.split(jax.random.key(0), 4000))
    spread = np.asarray(many).std(axis=0) / np.sqrt(4000)
    assert np.all(np.abs(np.asarray(many).mean(axis=0) - np.asarray(full)) < 5 * spread + 1e-12)
    assert np.all(spread[[0, 2]] > 0)
    chex.assert_trees_all_equal(run(key=jax.random.key(3)), run(key=jax.random.key(3)))
    assert np.any(
        np.asarray(run(key=jax.random.key(3)).weights[1] != run(key=jax.random.key(4)).weights[1])
    )


def test_losses_of_one_s_own_and_pytrees():
    own = af.Losses(
        retain=lambda w: 0.4 * jnp.exp(-w["a"] - 0.5 * w["b"]) + 0.6,
        forget=lambda w: 0.2 * jnp.exp(-0.5 * w["a"] - w["b"]) + 0.8,
        ridge=0.1,
    )
    tree = lambda w: {"a": w[0], "b": w[1]}  # noqa: E731
    start, oracle = (af.stationary_point(PLANE, which).weights for which in ("original", "oracle"))
    run = af.descent_ascent(own, tree(start), steps=25, step_size=0.2, oracle=tree(oracle))
    same = af.descent_ascent(PLANE, "original", steps=25, step_size=0.2)
    np.testing.assert_allclose(
        jnp.stack([run.weights["a"], run.weights["b"]], 1), same.weights, rtol=1e-13
    )
    plain = lambda run: [  # noqa: E731
        np.asarray(leaf) for leaf in jax.tree.leaves(run._replace(weights=0, best_weights=0))
    ]
    stops = [
        stop._replace(weights=jnp.stack([stop.weights["a"], stop.weights["b"]]))
        for stop in run.stops
    ]
    chex.assert_trees_all_close(plain(run._replace(stops=stops)), plain(same), rtol=1e-12)
    np.testing.assert_allclose(
        jnp.stack([run.best_weights["a"], run.best_weights["b"]]), same.best_weights, rtol=1e-12
    )


def test_the_first_step_identity_on_a_network():
    """beyond-1 for any differentiable loss: -grad L_DA(w_D) = -(|D|/|F|) G_R(w_D) - lam w_D."""
    key = jax.random.key(1)
    x, y = jax.random.normal(key, (30, 3)), jnp.sign(jax.random.normal(jax.random.key(2), (30,)))
    lam, forget = 0.05, jnp.arange(30) < 8

    def mean(w, chosen):
        out = jnp.tanh(x @ w[:12].reshape(3, 4)) @ w[12:]
        return jnp.sum(jnp.where(chosen, jax.nn.softplus(-y * out), 0.0)) / jnp.sum(
            chosen, dtype=float
        )

    def on_all(w):
        return mean(w, jnp.ones(30, bool)) + lam / 2 * w @ w

    w = 0.3 * jax.random.normal(jax.random.key(3), (16,))
    for _ in range(60):  # Newton, damped, to an exact stationary point
        hessian = jax.hessian(on_all)(w) + 1e-3 * jnp.eye(16)
        w = w - jnp.linalg.solve(hessian, jax.grad(on_all)(w))
    assert jnp.linalg.norm(jax.grad(on_all)(w)) < 1e-12
    retain, unlearn = (
        jax.grad(lambda w: mean(w, ~forget))(w),
        jax.grad(lambda w: mean(w, forget))(w),
    )
    left, right = -(retain - unlearn + lam * w), -30 / 8 * (retain + lam * w) - lam * w
    np.testing.assert_allclose(left, right, atol=1e-11)
    np.testing.assert_allclose(unlearn + lam * w, -22 / 8 * (retain + lam * w), atol=1e-11)


def test_one_compilation_over_a_sweep_and_gradients():
    @jax.jit
    @jax.vmap
    @functools.partial(chex.assert_max_traces, n=1)
    def f(p):
        return af.descent_ascent(
            p, jnp.zeros(2), steps=50, step_size=0.2, record="summary"
        ).best_distance

    for low in (0.1, 0.3):
        sweep = jax.vmap(lambda e: af.CrossCorrelated(e, 40.0, 8.0, 100.0, 40.0, 0.1))(
            jnp.linspace(low, 0.9, 7)
        )
        assert f(sweep).shape == (7,) and bool(jnp.all(jnp.isfinite(f(sweep))))

    def end(ridge):
        p = af.SemiOrthogonal(40.0, 10.0, 100.0, 40.0, ridge)
        return af.descent_ascent(p, jnp.asarray(0.0), steps=3000, step_size=1.0).weights[-1]

    def closed(ridge):
        return closed_form.descent_ascent(af.SemiOrthogonal(40.0, 10.0, 100.0, 40.0, ridge))

    np.testing.assert_allclose(jax.grad(end)(0.05), jax.grad(closed)(0.05), rtol=1e-8)


@pytest.mark.parametrize(
    "reduction", ["mean", *(pytest.param(r, marks=pytest.mark.slow) for r in ("sum", "half-sum"))]
)
def test_the_toy_network_s_flow_ends_in_a_stationary_point(reduction):
    t = af.ToyLandscape(reduction=reduction, output="symmetric", slope=1.0, ascent_ratio=0.7)
    flow = af.gradient_flow(t, "original", [0.0, 500.0], mode="simultaneous")
    gaps = landscape.stationary_points(t, "descent_ascent").parameters - np.asarray(
        flow.weights[-1]
    )
    assert np.abs(gaps).max(1).min() < 1e-7


@pytest.mark.parametrize(
    "reduction", ["mean", *(pytest.param(r, marks=pytest.mark.slow) for r in ("sum", "half-sum"))]
)
def test_the_toy_network_s_steps_are_those_of_its_losses(reduction):
    t = af.ToyLandscape(reduction=reduction, output="symmetric", slope=1.0, ascent_ratio=0.7)
    start = jnp.array([0.3, -0.4])
    for mode, which in (("simultaneous", "descent_ascent"), ("descent", "oracle")):
        run = af.descent_ascent(t, start, steps=3, step_size=0.02, mode=mode)
        w = start
        for k in range(4):
            np.testing.assert_allclose(run.weights[k], w, rtol=1e-13)
            w = w - 0.02 * jax.grad(lambda w, which=which: landscape.loss(t, w, which))(w)
    original, oracle = (
        landscape.stationary_points(t, which).parameters[0] for which in ("original", "oracle")
    )
    run = af.descent_ascent(
        t, "original", steps=1, step_size=0.01, batch_size=3, key=jax.random.key(0)
    )
    np.testing.assert_allclose(run.weights[0], original)
    np.testing.assert_allclose(run.distance_to_oracle[0], np.linalg.norm(original - oracle))


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"step_size": 0.0}, "step_size"),
        ({"step_size": -1.0}, "step_size"),
        ({"step_size": float("nan")}, "step_size"),
        ({"step_size": None}, "step_size"),
        ({"step_size": "fast"}, "step_size"),
        ({"steps": -1}, "steps"),
        ({"steps": 2.5}, "steps"),
        ({"steps": True}, "steps"),
        ({"mode": "both"}, "mode"),
        ({"order": "random"}, "order"),
        ({"ridge_in_ascent": "none"}, "ridge_in_ascent"),
        ({"record": "all"}, "record"),
        ({"start": [1.0]}, "start"),
        ({"start": "unlearned"}, "start"),
        ({"start": [jnp.nan, 0.0]}, "start"),
        ({"batch_size": 0}, "batch_size"),
        ({"batch_size": 4}, "key"),
        ({"budget": 11}, "budget"),
        ({"retain_worsens": -0.1}, "retain_worsens"),
        ({"oracle": [0.0, 0.0, 0.0]}, "oracle"),
        ({"problem": "mine"}, "problem"),
        ({"optimizer": optax.sgd(0.1)}, "step_size"),
        ({"optimizer": 0.1, "step_size": None}, "optimizer"),
        ({"problem": af.Losses(lambda w: w, lambda w: w.sum()), "oracle": [0.0, 0.0]}, "retain"),
        ({"problem": af.Losses(lambda w: w.sum(), lambda w: w.sum() / 0)}, "oracle"),
        (
            {
                "problem": af.Losses(lambda w: w.sum(), lambda w: jnp.log(w.sum())),
                "oracle": [0.0, 0.0],
            },
            "forget",
        ),
        ({"problem": OWN, "oracle": [jnp.nan, 0.0]}, "oracle"),
        ({"problem": OWN, "oracle": [0.0, jnp.inf]}, "oracle"),
        ({"problem": OWN, "start": {"w": [[jnp.nan]]}, "oracle": {"w": [[0.0]]}}, "start"),
        ({"key": 0, "batch_size": 4}, "key"),
        ({"key": jax.random.PRNGKey(0), "batch_size": 4}, "key"),
        ({"key": 0}, "key"),
        ({"key": jax.random.split(jax.random.key(0)), "batch_size": 4}, "key"),
    ],
)
def test_bad_input_names_the_argument(changes, named):
    arguments = {"problem": PLANE, "start": [0.0, 0.0], "steps": 10, "step_size": 0.1} | changes
    with pytest.raises(ValueError, match=f"^{named}"):
        af.descent_ascent(**arguments)


def _raises(w):
    raise KeyError("bias")


@pytest.mark.parametrize("name", ["retain", "forget"])
@pytest.mark.parametrize(
    ("loss", "cause", "said"),
    [
        (
            lambda w: np.mean(np.exp(w)),
            jax.errors.TracerArrayConversionError,
            "TracerArrayConversionError: ",
        ),
        (
            lambda w: w.sum() if w[0] > 0 else 0.0,
            jax.errors.TracerBoolConversionError,
            "TracerBoolConversionError: ",
        ),
        (_raises, KeyError, "KeyError: 'bias'"),
    ],
    ids=["numpy", "branches", "raises"],
)
def test_a_loss_of_one_s_own_that_fails_is_named_and_its_own_words_are_kept(
    name, loss, cause, said
):
    own = af.Losses(**{"retain": jnp.sum, "forget": jnp.sum, name: loss})
    with pytest.raises(
        ValueError, match=f"^{name} = .*written with jax.numpy.* one number; here {said}"
    ) as caught:
        af.descent_ascent(own, [0.0, 0.0], steps=1, step_size=0.1, oracle=[0.0, 0.0])
    assert isinstance(caught.value.__cause__, cause) and "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["retain", "forget"])
@pytest.mark.parametrize(
    ("loss", "got"),
    [
        (lambda w: None, "None"),
        (lambda w: (w.sum(), w), r"\(Array.*"),
        (lambda w: w, r"Array\(.*"),
        (lambda w: 3, "3"),
        (lambda w: jnp.sum(w) / 0, r"Array\(nan.*"),
        (lambda w: "low", "'low'"),
    ],
    ids=["none", "pair", "vector", "int", "nan", "text"],
)
def test_a_loss_of_one_s_own_returns_one_finite_number(name, loss, got):
    own = af.Losses(**{"retain": jnp.sum, "forget": jnp.sum, name: loss})
    with pytest.raises(
        ValueError,
        match=rf"^{name}\(start\) = {got}: .*one finite real number, such as jnp.mean of the losses$",
    ):
        af.descent_ascent(own, [0.0, 0.0], steps=1, step_size=0.1, oracle=[0.0, 0.0])


def test_whole_numbers_are_weights_too():
    ints, floats = (
        af.descent_ascent(PLANE, start, steps=2, step_size=0.1).weights
        for start in ([1, 0], [1.0, 0.0])
    )
    np.testing.assert_array_equal(ints, floats)
    run = af.descent_ascent(OWN, [1, 2], steps=2, step_size=0.1, oracle=np.array([0, 0]))
    assert run.weights.dtype == float and bool(jnp.all(jnp.isfinite(run.distance_to_oracle)))


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"times": [0.0]}, "times"),
        ({"times": [0.0, 0.0]}, "times"),
        ({"times": "long"}, "times"),
        ({"rtol": 0.0}, "rtol"),
        ({"atol": 2.0}, "atol"),
        ({"mode": "up"}, "mode"),
        ({"times": [0.0, jnp.inf]}, "times"),
    ],
)
def test_bad_input_of_the_flow(changes, named):
    arguments = {"problem": PLANE, "start": [0.0, 0.0], "times": [0.0, 1.0]} | changes
    with pytest.raises(ValueError, match=f"^{named}"):
        af.gradient_flow(**arguments)


@pytest.mark.parametrize(
    "fields", [{"retain": 3}, {"forget": None}, {"ridge": -1.0}, {"ridge": "weak"}]
)
def test_bad_losses(fields):
    with pytest.raises(ValueError, match=f"^{next(iter(fields))}"):
        af.Losses(**({"retain": jnp.sum, "forget": jnp.sum} | fields))


@pytest.mark.parametrize("ridge", ["decay", "ascended"])
@pytest.mark.parametrize("problem", [PLANE, AXES], ids=["plane", "axes"])
def test_a_weight_and_a_step_of_the_ascent_by_hand(problem, ridge):
    kappa, eta, up, lam = 0.3, 0.2, 0.05, problem.ridge
    start = np.array([0.7, -0.2, 0.4])[: 2 if isinstance(problem, af.CrossCorrelated) else 3]
    sign = lam if ridge == "ascended" else -lam  # of the ridge in an ascent, for weights of 1
    how = {
        "steps": 1,
        "step_size": eta,
        "ascent_weight": kappa,
        "ascent_step_size": up,
        "ridge_in_ascent": ridge,
    }
    run = {mode: af.descent_ascent(problem, start, mode=mode, **how).weights[1] for mode in MODES}
    retain, forget = gradients(problem, start)
    scale = kappa if ridge == "ascended" else 1
    down = start - eta * (retain + lam * start)
    np.testing.assert_allclose(run["descent"], down, rtol=1e-12)
    np.testing.assert_allclose(
        run["ascent"], start + up * (kappa * forget + scale * sign * start), rtol=1e-12
    )
    after = down + up * (kappa * gradients(problem, down)[1] + scale * sign * down)
    np.testing.assert_allclose(run["alternating"], after, rtol=1e-12)
    both = down + up * kappa * (forget + (lam * start if ridge == "ascended" else 0))
    np.testing.assert_allclose(run["simultaneous"], both, rtol=1e-12)


def test_a_weightless_ascent_is_descent_also_with_an_optimizer():
    how = {"steps": 20, "optimizer": optax.adam(0.1)}
    both, down = (
        af.descent_ascent(PLANE, "original", mode=m, ascent_weight=0.0, **how)
        for m in ("simultaneous", "descent")
    )
    np.testing.assert_allclose(both.weights, down.weights, rtol=1e-12)


@pytest.mark.parametrize(
    "optimizer", [optax.lbfgs(), optax.polyak_sgd(), optax.chain(optax.sgd(0.5), optax.contrib.reduce_on_plateau())],
    ids=["lbfgs", "polyak", "plateau"],
)  # fmt: skip
def test_optimizers_that_need_the_value(optimizer):
    def objective(w):
        retain, _ = losses.mean_losses(SAFE, w)
        return retain + SAFE.ridge / 2 * w @ w

    w = jnp.zeros(2)
    state, steps = optimizer.init(w), []
    for _ in range(4):
        value, grad = jax.value_and_grad(objective)(w)
        with jax.numpy_dtype_promotion("standard"):  # as optax needs it
            updates, state = optimizer.update(
                grad, state, w, value=value, grad=grad, value_fn=objective
            )
        w = optax.apply_updates(w, updates)
        steps.append(w)
    run = af.descent_ascent(SAFE, [0.0, 0.0], steps=4, optimizer=optimizer, mode="descent")
    np.testing.assert_allclose(run.weights[1:], steps, rtol=1e-9)


def test_an_optimizer_that_needs_more_is_refused():
    def update(updates, state, params=None, *, hessian, **extra):
        return updates, state

    with pytest.raises(
        ValueError, match=r"^optimizer = .* needs value, grad and value_fn at most; here TypeError"
    ):
        odd = optax.GradientTransformationExtraArgs(lambda w: (), update)
        af.descent_ascent(PLANE, "original", steps=1, optimizer=odd)


@pytest.mark.parametrize("record", ["path", "summary"])
def test_metrics_of_one_s_own_along_the_path(record):
    metrics = {"norm": lambda w: jnp.sqrt(jnp.sum(w**2)), "both": lambda w: {"twice": 2 * w}}
    run = af.descent_ascent(
        PLANE, "original", steps=5, step_size=0.2, metrics=metrics, record=record
    )
    np.testing.assert_allclose(
        run.metrics["norm"], np.linalg.norm(run.weights, axis=-1), rtol=1e-14
    )
    np.testing.assert_allclose(run.metrics["both"]["twice"], 2 * run.weights, rtol=1e-14)
    assert af.descent_ascent(PLANE, "original", steps=5, step_size=0.2).metrics == {}
