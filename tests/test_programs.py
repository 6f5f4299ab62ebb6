"""Programs of a user's functions: always of what they hold now, compiled once, and nothing of them kept."""

import gc
import os
import subprocess
import sys
import weakref

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import ascentfail as af
from ascentfail.numerics import programs


@pytest.fixture
def compiled():
    """Counts what is compiled."""
    programs.clear()
    before, counts = programs.count(), []
    yield lambda: counts.append(programs.count() - before) or counts[-1]
    programs.clear()


def squared(target):
    return lambda w: jnp.mean((w - target) ** 2)


def test_captured_arrays_are_arguments_and_the_second_run_compiles_nothing(compiled):
    for k in range(4):
        data, more = jax.random.normal(jax.random.key(k), (500,)), np.arange(300.0) + k
        value = programs.run(
            lambda w, data=data, more=more: squared(data)(w) + squared(more)(w), 1.0
        )
        np.testing.assert_allclose(
            value, np.mean((1 - np.asarray(data)) ** 2) + np.mean((1 - more) ** 2), rtol=1e-12
        )
    assert compiled() == 1
    assert programs.run(lambda w: w + 2.0, 1.0) == 3 and programs.run(lambda w: w + 3.0, 1.0) == 4
    assert programs.run(lambda w: w + 3.0, jnp.float32(1.0)).dtype == jnp.float32
    assert compiled() == 4


def test_what_is_captured_may_be_traced():
    values = jnp.array([1.0, 2.0])
    plus = lambda a: programs.run(lambda w: w * a**2, 3.0)  # noqa: E731
    np.testing.assert_array_equal(jax.vmap(plus)(values), [3.0, 12.0])
    np.testing.assert_array_equal(jax.jit(jax.vmap(plus))(values), [3.0, 12.0])
    assert jax.grad(plus)(2.0) == 12
    assert jax.grad(lambda w: programs.run(lambda w: w**2, w))(3.0) == 6


def test_callbacks_are_not_kept(compiled):
    box = [1.0]

    def called(w):
        return w + jax.pure_callback(
            lambda: np.float64(box[0]), jax.ShapeDtypeStruct((), np.float64)
        )

    assert programs.run(called, 1.0) == 2
    box = [5.0]
    assert programs.run(called, 1.0) == 6
    assert compiled() == 0


def test_the_store_is_bounded_and_holds_no_function(compiled):
    alive = []
    for k in range(40):
        data = jax.random.normal(jax.random.key(k), (9,))
        loss = squared(data)
        alive += [weakref.ref(loss), weakref.ref(data)]
        programs.run(lambda w, loss=loss, k=k: loss(w) + k, 1.0)
    del data, loss
    gc.collect()
    assert len(programs._programs) == 32 and compiled() == 40
    assert sum(ref() is not None for ref in alive) <= 2


GROWTH = """
import gc
import jax
jax.config.update("jax_enable_x64", True)
import jax.numpy as jnp
import numpy as np
import optax
import ascentfail as af
from ascentfail.numerics import programs

def resident():
    gc.collect()
    return int(open("/proc/self/statm").read().split()[1]) * 4096 / 1e6

def run(k):
    x, y = np.random.default_rng(k).normal(size=(2, 100_000))
    how = {"step_size": 0.1} if k % 2 else {"optimizer": optax.adam(0.1)}
    closures = af.Losses(lambda w: jnp.mean((w - x) ** 2), lambda w: jnp.mean((w - y) ** 2))
    data = af.Losses(lambda w, x: jnp.mean((w - x) ** 2), lambda w, y: jnp.mean((w - y) ** 2), data=(x, y))
    for losses in (closures, data):
        end = af.descent_ascent(losses, 1.0, oracle=0.0, steps=3, record="summary", mode="descent", **how)
        flow = af.gradient_flow(losses, 1.0, [0.0, 0.3], oracle=0.0, mode="descent")
    if k % 2:
        w = 1.0
        for _ in range(3):
            w -= 0.1 * 2 * np.mean(w - x)
        np.testing.assert_allclose(end.weights, w, rtol=1e-9)
    np.testing.assert_allclose(flow.weights[-1], np.mean(x) + (1 - np.mean(x)) * np.exp(-0.6), rtol=1e-8)

for k in range(10):
    run(k)
first, compiled = resident(), programs.count()
for k in range(10, MANY):
    run(k)
print(resident() - first, programs.count() - compiled, programs.count())
"""


@pytest.mark.skipif(
    not os.path.exists("/proc/self/statm"), reason="reads the resident memory of Linux"
)
def test_fresh_closures_data_and_optimizers_leave_nothing_behind():
    """Of 1.6 MB each, twice: 20 such runs would be 64 MB."""
    script = GROWTH.replace("MANY", "30")
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-3000:]
    grown, new, programs_in_all = (float(word) for word in done.stdout.split())
    assert grown < 50 and new == 0 and programs_in_all == 6


def test_a_second_data_set_of_the_same_shape_compiles_nothing(compiled):
    def end(k):
        x, y = jax.random.normal(jax.random.key(k), (2, 30, 3))
        losses = af.Losses(
            lambda w, x: jnp.mean((x @ w - 1) ** 2),
            lambda w, y: jnp.mean((y @ w) ** 2),
            data=(x, y),
        )
        run = af.descent_ascent(
            losses, jnp.zeros(3), oracle=jnp.ones(3), steps=1, step_size=0.5, mode="descent"
        )
        np.testing.assert_allclose(run.weights[1], np.asarray(x).mean(0), rtol=1e-12)

    end(0)
    assert compiled() == 1
    end(1)
    end(2)
    assert compiled() == 1


def test_an_optimizer_made_anew_compiles_nothing(compiled):
    plane = af.CrossCorrelated(0.5, 40.0, 8.0, 100.0, 40.0, 0.1)
    ends = [
        af.descent_ascent(plane, [0.0, 0.0], steps=5, optimizer=optax.adam(0.1)).weights[-1]
        for _ in range(3)
    ]
    assert compiled() == 1
    np.testing.assert_array_equal(ends[0], ends[2])
    other = af.descent_ascent(plane, [0.0, 0.0], steps=5, optimizer=optax.adam(0.2)).weights[-1]
    assert compiled() == 2 and jnp.any(other != ends[0])
