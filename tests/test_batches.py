"""Batches: by epoch every sample comes once in each, whatever the size, for rows and for counts."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ascentfail as af

KEY = jax.random.key(0)


def taken(source, count):
    """Successive batches of a source, as a run draws them."""

    def one(memory, k):
        batch, memory = source.draw(jax.random.fold_in(KEY, k), memory)
        return memory, batch

    return jax.lax.scan(one, source.first, jnp.arange(1, count + 1))[1]


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_rows_of_an_epoch_are_all_rows_once(size):
    data = (np.arange(7), {"x": np.arange(5), "y": 10 * np.arange(5)})
    losses = af.Losses(jnp.sum, jnp.sum, data=data)
    retain, forget = taken(losses.batches(size, "epoch", KEY), 35)
    np.testing.assert_array_equal(forget["y"], 10 * forget["x"])
    for rows, length in ((retain, 7), (forget["x"], 5)):
        epochs = np.asarray(rows).ravel()[: 5 * length].reshape(5, length)
        np.testing.assert_array_equal(
            np.sort(epochs), np.broadcast_to(np.arange(length), (5, length))
        )
        assert len({tuple(epoch) for epoch in epochs}) > 1


@pytest.mark.parametrize(
    ("problem", "retain", "forget"),
    [
        (
            af.SemiOrthogonal(np.array([3.0, 2.0]), np.array([1.0, 0.0]), 6.0, 3.0, 0.1),
            "retain_on_axis",
            "forget_on_axis",
        ),
        (af.CrossCorrelated(0.5, 4.0, 2.0, 6.0, 3.0, 0.1), "retain_in_plane", "forget_in_plane"),
        (af.SemiOrthogonal(2.5, 1.0, 6.0, 3.0, 0.1), "retain_on_axis", "forget_on_axis"),
    ],
)
def test_counts_of_an_epoch_are_the_counts(problem, retain, forget):
    drawn = taken(
        problem.batches(3, "epoch", KEY), 12
    )  # retain epochs of 2 batches, forget epochs of one
    for name, length in ((retain, 2), (forget, 1)):
        found = np.asarray(getattr(drawn, name))
        epochs = found.reshape(12 // length, length, *found.shape[1:]).mean(axis=1)
        if np.all(getattr(problem, name) == np.round(getattr(problem, name))):
            np.testing.assert_allclose(
                epochs, np.broadcast_to(getattr(problem, name), epochs.shape), rtol=1e-12
            )
        assert np.all(found >= 0) and np.all(np.isfinite(found))
    assert len(np.unique(np.asarray(getattr(drawn, retain)).reshape(12, -1)[:, 0])) > 1


def test_the_toy_network_s_epochs():
    toy = af.ToyLandscape()
    drawn = taken(toy.batches(4, "epoch", KEY), 6)  # twelve retain samples are three batches
    kept = np.asarray(drawn.multiplicities - drawn.forget).reshape(2, 3, 4).mean(axis=1)
    np.testing.assert_allclose(
        kept, np.broadcast_to(np.subtract(toy.multiplicities, toy.forget), (2, 4)), rtol=1e-12
    )


def test_alternating_half_steps_take_one_batch_of_each_set_a_step():
    """Linear losses add up the rows: after an epoch the weights have moved by their mean, whatever the order."""
    x, y = jax.random.normal(KEY, (6, 2)), jax.random.normal(jax.random.key(1), (3, 2))
    losses = af.Losses(lambda w, x: jnp.mean(x @ w), lambda w, y: jnp.mean(y @ w), data=(x, y))
    for mode in ("simultaneous", "alternating"):
        how = {"batch_size": 3, "batches": "epoch", "key": jax.random.key(5)}
        run = af.descent_ascent(
            losses, jnp.zeros(2), oracle=jnp.ones(2), steps=4, step_size=0.5, mode=mode, **how
        )
        moved = -0.5 * 4 * (np.asarray(x).mean(0) - np.asarray(y).mean(0))
        np.testing.assert_allclose(run.weights[-1], moved, rtol=1e-12)
        assert not np.allclose(run.weights[1], moved / 4)
    rows = af.descent_ascent(
        losses, jnp.zeros(2), oracle=jnp.ones(2), steps=4, step_size=0.5, batch_size=3, key=KEY
    )
    assert not np.allclose(rows.weights[-1], moved)
