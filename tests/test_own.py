"""Losses of one's own: what they are called with, on which data, in which types; nothing is silently wrong."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import ascentfail as af

KEY = jax.random.key(0)
TWO = {"start": [1.0, 2.0], "oracle": [0.0, 0.0], "steps": 3, "step_size": 0.1}
HALF = af.SemiOrthogonal(4.0, 40.0, 100.0, 40.0, 1e-3)


def zero(w, *_):
    return 0.0 * jnp.sum(w)


def go(losses, **how):
    return af.descent_ascent(losses, **(TWO | {"mode": "descent", "record": "summary"} | how))


# --- always what the functions hold now --------------------------------------------------------------------------------------


class Model:
    """A loss with data of its own."""

    def __init__(self, x):
        self.x = x

    def retain(self, w):
        return jnp.mean((w - self.x) ** 2)


def test_no_data_are_stale():
    x = jnp.array([1.0, 3.0])
    losses, model = af.Losses(lambda w: jnp.mean((w - x) ** 2), zero), Model(x)
    bound = af.Losses(model.retain, zero)
    how = {"start": 0.0, "oracle": 5.0, "steps": 200}
    for values, end in ((x, 2.0), (x + 10, 12.0), (np.array([21.0, 23.0]), 22.0)):
        x = model.x = values
        for each in (losses, bound, af.Losses(losses.retain, zero)):
            run = go(each, **how)
            np.testing.assert_allclose([run.weights, run.retain_loss], [end, 1.0], rtol=1e-12)
        flow = af.gradient_flow(losses, 0.0, [0.0, 1.0], oracle=5.0, mode="descent")
        np.testing.assert_allclose(flow.weights[-1], end * (1 - np.exp(-2)), rtol=1e-9)


def test_a_batch_of_data_sets_is_a_vmap_and_derivatives_go_through_data():
    mean = lambda w, x: jnp.mean((w - x) ** 2)  # noqa: E731
    sets = jnp.array([[1.0, 3.0], [11.0, 13.0]])

    def end(x, ridge=0.0):
        return go(
            af.Losses(mean, zero, ridge, data=(x, x)), start=0.0, oracle=5.0, steps=200
        ).weights

    np.testing.assert_allclose(jax.vmap(end)(sets), [2.0, 12.0], rtol=1e-12)
    many = jax.vmap(lambda x: af.Losses(mean, zero, data=(x, x)))(sets)
    ends = jax.vmap(lambda one: go(one, start=0.0, oracle=5.0, steps=200).weights)(many)
    np.testing.assert_allclose(ends, [2.0, 12.0], rtol=1e-12)
    np.testing.assert_allclose(jax.grad(end)(sets[0]), [0.5, 0.5], rtol=1e-12)
    axes = jax.tree.map(lambda _: 0, many)
    assert axes.data == (0, 0) and jax.tree.structure(axes) == jax.tree.structure(many)


def test_equal_losses():
    x = jnp.arange(3.0)
    assert (
        af.Losses(zero, zero, data=(x, x))
        == af.Losses(zero, zero, data=(x, x))
        != af.Losses(zero, zero, data=(x, x + 1))
    )
    assert (
        hash(af.Losses(zero, zero, data=(x, x))) == hash(af.Losses(zero, zero))
        and af.Losses(zero, zero) != 3
    )


# --- keys and batches ----------------------------------------------------------------------------------------------------------


def draws(w, key):
    return jnp.sum((w - jax.random.normal(key, w.shape)) ** 2)


def test_a_key_is_passed_on_and_new_in_every_step():
    run = go(af.Losses(draws, draws), key=KEY, record="path")
    w, seen = np.array([1.0, 2.0]), []
    for k in range(1, 4):
        now = jax.random.split(jax.random.fold_in(KEY, k))[1]
        seen.append(np.asarray(jax.random.normal(now, (2,))))
        w = w - 0.1 * 2 * (w - seen[-1])
        np.testing.assert_allclose(run.weights[k], w, rtol=1e-12)
    assert not np.allclose(seen[0], seen[1])
    np.testing.assert_allclose(run.retain_loss[-1], draws(jnp.asarray(w), KEY), rtol=1e-12)
    optional = go(
        af.Losses(lambda w, key=None: jnp.sum(w**2) if key is None else draws(w, key), zero),
        key=KEY,
    )
    np.testing.assert_allclose(optional.weights, w, rtol=1e-12)
    np.testing.assert_allclose(optional.retain_loss, np.sum(w**2), rtol=1e-12)


@pytest.mark.parametrize(
    ("losses", "how", "named"),
    [
        (af.Losses(draws, zero), {}, "retain"),
        (af.Losses(zero, lambda w: w.sum()), {"key": KEY}, "forget"),
        (af.Losses(zero, zero), {"key": KEY, "batch_size": 2}, "batch_size"),
        (af.Losses(zero, zero, data=(jnp.ones(3), jnp.ones(3))), {"key": KEY}, "batch_size"),
        (af.Losses(zero, zero, data=(jnp.ones(3), 1.0)), {"key": KEY, "batch_size": 2}, "data"),
        (af.Losses(zero, zero, data=((jnp.ones(3), jnp.ones(2)), jnp.ones(3))), {"key": KEY, "batch_size": 2}, "data"),
        (af.Losses(zero, zero, data=(jnp.ones(3), jnp.ones(3))), {"key": KEY, "batch_size": 4, "batches": "epoch"}, "batch_size"),
        (af.Losses(zero, zero), {"batches": "epoch"}, "batches"),
        (af.Losses(zero, zero), {"batches": "shuffled"}, "batches"),
        (af.Losses(zero, lambda w, x: w.sum(), data=(1.0, [1.0])), {"start": {"a": [1.0]}, "oracle": {"a": [1.0]}}, "retain"),
        (af.Losses(lambda w: w.sum(), zero), {"start": np.array([1j, 0])}, "start"),
        (af.Losses(lambda w: w.sum(), zero), {"oracle": [1j, 0.0]}, "oracle"),
        (af.Losses(lambda w: w.sum(), zero, fixed=("bias",)), {}, "fixed"),
        (af.Losses(lambda w: w.sum(), zero, fixed=("",)), {}, "start"),
        (af.Losses(lambda w: w.sum(), lambda w: jnp.log(w.sum())), {"oracle": [-1.0, 0.0]}, r"forget\(oracle\)"),
        (HALF, {"start": 0.0, "oracle": -800.0}, "oracle"),
        (HALF, {"start": 1j, "oracle": None}, "start"),
        (HALF, {"start": 0.0, "oracle": None, "ascent_weight": -1.0}, "ascent_weight"),
        (HALF, {"start": 0.0, "oracle": None, "ascent_step_size": 0.0}, "ascent_step_size"),
        (HALF, {"start": 0.0, "oracle": None, "metrics": {"norm": 3}}, "metrics"),
        (HALF, {"start": 0.0, "oracle": None, "metrics": {"norm": lambda w: np.exp(w).item()}}, r"metrics\['norm'\]"),
        (HALF, {"start": 0.0, "oracle": None, "mode": np.array(["descent"])}, "mode"),
        *((HALF, {"start": 0.0, "oracle": None, name: bad}, name)
          for name in ("test_level", "retain_worsens", "step_size", "ascent_weight")
          for bad in ("high", jnp.ones(3), True, 1j, float("nan"))),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_a_sentence(losses, how, named):
    with pytest.raises(ValueError, match=rf"^{named} = [^\n]* takes [^\n]*$"):
        go(losses, **how)


@pytest.mark.parametrize(
    "data", [3.0, (1.0,), (jnp.ones(3), None), ("all", jnp.ones(3)), (jnp.ones(3), {"x": object()})]
)
def test_data_are_a_pair_of_arrays(data):
    with pytest.raises(
        ValueError,
        match=r"^data = .*takes \(part of retain, part of forget\), two pytrees of arrays$",
    ):
        af.Losses(zero, zero, data=data)


# --- types and leaves that stay ----------------------------------------------------------------------------------------------

TREE = {
    "w": jnp.ones(3, jnp.float32), "b": jnp.ones((), jnp.bfloat16), "p": 2.0, "n": np.arange(2), "key": jax.random.key(1),
    "off": None, "statistics": {"mean": jnp.full(2, 7.0)},
}  # fmt: skip


def total(w):
    assert (w["w"].dtype, w["b"].dtype, w["p"].dtype, w["n"].dtype) == (
        jnp.float32,
        jnp.bfloat16,
        float,
        int,
    )
    return (
        jnp.sum(w["w"] ** 2)
        + w["b"].astype(jnp.float32)
        + w["statistics"]["mean"][0].astype(jnp.float32)
    )


@pytest.mark.parametrize("record", ["path", "summary"])
@pytest.mark.parametrize("optimizer", [None, optax.adam(0.1)])
def test_leaves_keep_their_types_and_what_is_fixed_stays(record, optimizer):
    oracle = TREE | {"w": jnp.zeros(3), "statistics": {"mean": jnp.zeros(2)}, "n": np.array([5, 6])}
    losses = af.Losses(total, lambda w: jnp.sum(w["w"]), ridge=0.5, fixed=("statistics",))
    how = (
        {"step_size": jnp.asarray(0.1)}
        if optimizer is None
        else {"step_size": None, "optimizer": optimizer}
    )
    with jax.numpy_dtype_promotion(
        "strict" if optimizer is None else "standard"
    ):  # optax promotes by itself
        run = go(losses, start=TREE, oracle=oracle, record=record, **how)
    lead = (4,) if record == "path" else ()
    for weights, shape in (
        (run.weights, lead),
        (run.best_weights, ()),
        (run.stops.retain_worsens.weights, ()),
    ):
        assert (
            weights["w"].dtype == jnp.float32
            and weights["w"].shape == (*shape, 3)
            and weights["b"].dtype == jnp.bfloat16
        )
        np.testing.assert_array_equal(weights["n"], np.broadcast_to([0, 1], (*shape, 2)))
        np.testing.assert_array_equal(weights["statistics"]["mean"], np.full((*shape, 2), 7.0))
        assert weights["off"] is None and weights["key"].shape == shape
    if optimizer is None:
        w, b, p = (1 - 0.1 * 2.5) ** 3, run.weights["b"], 2 * (1 - 0.05) ** 3
        np.testing.assert_allclose(np.ravel(run.weights["w"])[-1], w, rtol=1e-6)
        np.testing.assert_allclose(np.ravel(run.weights["p"])[-1], p, rtol=1e-12)
        away = np.sqrt(3 * w**2 + (np.float64(np.ravel(b)[-1]) - 1) ** 2 + (p - 2) ** 2)
        np.testing.assert_allclose(np.ravel(run.distance_to_oracle)[-1], away, rtol=1e-6)


def test_half_precision_is_not_divergence_and_whole_arrays_are_floats():
    run = go(
        af.Losses(lambda w: jnp.mean(w), zero),
        start=jnp.full(3, 300, jnp.float16),
        oracle=np.zeros(3),
    )
    assert (
        run.diverged_at == -1
        and run.weights.dtype == jnp.float16
        and run.distance_to_oracle.dtype == jnp.float32
    )
    assert go(af.Losses(lambda w: jnp.mean(w), zero), start=np.array([1, 2])).weights.dtype == float


# --- losses that are no finite numbers, or constants ---------------------------------------------------------------------------


@pytest.mark.parametrize("record", ["path", "summary"])
def test_losses_that_are_not_finite_diverge_and_never_enter_the_path(record):
    run = af.descent_ascent(
        HALF, "original", steps=400, step_size=1.0, mode="ascent", record=record
    )
    at, last = int(run.diverged_at), np.ravel(run.weights)[-1]
    assert at == 69 and np.all(np.isfinite(run.forget_loss)) and -709 < last < 0
    assert (
        run.stops.budget.weights == last
        and run.stops.budget.distance == np.ravel(run.distance_to_oracle)[-1]
    )
    # the logarithm of w - 1 ends at w = 1, and steps of -2 from 4 reach 0 in the second
    wall = af.Losses(lambda w: 2 * w, lambda w: jnp.log(w - 1), ridge=0.0)
    run = go(
        wall,
        start=4.0,
        oracle=1.5,
        step_size=1.0,
        steps=5,
        test_level=-50.0,
        budget=3,
        record=record,
    )
    assert (
        run.diverged_at == 2
        and np.ravel(run.weights)[-1] == 2
        and np.ravel(run.forget_loss)[-1] == 0
    )
    assert (
        run.best_stop == 1
        and run.best_weights == 2
        and run.stops.budget.weights == 2
        and run.stops.budget.distance == 0.5
    )
    up = af.Losses(lambda w: jnp.where(w > 3, jnp.inf, w), lambda w: jnp.where(w > 3, jnp.inf, w))
    run = go(
        up,
        start=0.0,
        oracle=2.5,
        step_size=1.0,
        steps=6,
        mode="ascent",
        record=record,
        retain_worsens=9.0,
    )
    assert (
        run.diverged_at == 4
        and run.stops.retain_worsens.fired
        and run.stops.retain_worsens.step == 1
    )
    assert not af.descent_ascent(
        up, 0.0, oracle=2.5, step_size=1.0, steps=6, mode="ascent", record=record, test_level=3.5
    ).stops.test_level.fired


def test_traced_starts_of_the_paper_s_problems_at_which_losses_overflow_are_fields():
    p = af.SemiOrthogonal(40.0, 8.0, 100.0, 40.0, 0.1)
    run = jax.vmap(lambda start: af.descent_ascent(p, start, step_size=0.1, steps=2))(
        jnp.array([2.0, -1e3])
    )
    np.testing.assert_array_equal(run.diverged_at, [-1, 0])


def test_traced_losses_that_are_not_finite_are_fields():
    def run(at, oracle):
        return go(af.Losses(lambda w: jnp.log(w), lambda w: jnp.log(w)), start=at, oracle=oracle)

    bad = jax.jit(run)(-1.0, 2.0)
    assert bad.diverged_at == 0 and bad.weights == -1 and bad.oracle_finite
    lost = jax.jit(run)(2.0, -1.0)
    assert lost.diverged_at == -1 and not lost.oracle_finite and not lost.stops.oracle_level.fired


def test_worse_is_worse_for_negative_losses_too():
    run = go(
        af.Losses(lambda w: jnp.sum(w) - 10, zero), start=[0.0, 0.0], mode="ascent", step_size=0.01
    )
    assert not run.stops.retain_worsens.fired
    up = af.Losses(lambda w: w - 10, lambda w: w)
    run = go(up, start=0.0, oracle=5.0, mode="ascent", step_size=0.4, steps=6)
    assert (
        run.stops.retain_worsens.step == 3 and run.stops.retain_worsens.fired
    )  # -8.8 is above -10 + 0.1 * 10


def test_constant_losses():
    for mode, end in (
        ("descent", [1.0, 2.0]),
        ("simultaneous", [1.3, 2.3]),
        ("alternating", [1.3, 2.3]),
    ):
        np.testing.assert_allclose(
            go(af.Losses(lambda w: 0.0, jnp.sum), mode=mode).weights, end, rtol=1e-12
        )
    run = go(af.Losses(jnp.sum, lambda w: np.float64(1)), mode="simultaneous")
    np.testing.assert_allclose(run.weights, [0.7, 1.7], rtol=1e-12)
