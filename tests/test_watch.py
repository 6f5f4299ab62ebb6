"""Stopping rules and the best stop beside a plain loop, with ties, levels met exactly and losses that are not finite."""

from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ascentfail.dynamics import stopping
from ascentfail.dynamics.stopping import Mark, Rules, Seen

STEPS, RUNS = 7, 400
PLAIN = SimpleNamespace(join=lambda w: w)
LEVELS = {
    "test_level": jnp.asarray(2.0),
    "retain_worsens": jnp.asarray(0.5),
    "budget": jnp.int32(4),
}


def fields(seed):
    """Distances and losses from few values, so that ties and levels met exactly are common; some losses are not finite."""
    rng = np.random.default_rng(seed)
    distance = rng.integers(0, 4, (RUNS, STEPS)).astype(float)
    retain, forget = rng.choice([-2.0, -1.0, 0.0, 1.0, 1.5, 2.0, 3.0], (2, RUNS, STEPS))
    for loss in (retain, forget):
        loss[rng.random((RUNS, STEPS)) < 0.05] = rng.choice([np.inf, -np.inf, np.nan])
    weights = rng.normal(size=(RUNS, STEPS, 2))
    oracle_forget = rng.choice([0.0, 1.0, 1.5, np.nan], RUNS)
    budget = rng.integers(0, STEPS + 2, RUNS).astype(np.int32)
    return distance, retain, forget, weights, oracle_forget, budget


def run_of(distance, retain, forget, weights, oracle_forget, budget, kept):
    """What `ascentfail.dynamics.stopping` makes of a path, with the weights from the path or kept in the tally."""
    seen = Seen(distance, retain, forget, {})
    at = lambda k: jax.tree.map(lambda leaf: leaf[k], seen)  # noqa: E731
    rules = stopping.rules_of(at(0), Seen(0.0, 0.0, oracle_forget, {}), LEVELS | {"budget": budget})
    tally = stopping.empty_tally(at(0), rules, weights[0] if kept else None)
    for k in range(STEPS):
        tally = stopping.tally(
            tally, at(k), jnp.int32(k), rules, weights[k] if kept else None, stopping.is_fine(at(k))
        )
    bad = ~(jnp.isfinite(retain) & jnp.isfinite(forget))
    diverged_at = jnp.where(jnp.any(bad), jnp.argmax(bad), -1).astype(jnp.int32)
    last = Mark(jnp.int32(STEPS - 1), distance[-1], weights[-1])
    shown, looks = (weights[-1], at(-1)) if kept else (weights, seen)
    return stopping.finish(
        PLAIN, shown, looks, tally, diverged_at, last, jnp.isfinite(oracle_forget), path=not kept
    )


def by_hand(distance, retain, forget, weights, oracle_forget, budget):
    """The same by a loop: {name: (step, distance, fired, beats, weights)}."""
    fine = np.isfinite(retain) & np.isfinite(forget)
    end = STEPS if fine.all() else int(np.argmin(fine))  # the first iterate that counts as diverged
    best = 0
    for k in range(STEPS):
        if fine[k] and distance[k] < distance[best]:
            best = k
    fires = {
        "test_level": [loss >= 2.0 for loss in forget],
        "oracle_level": [loss >= oracle_forget for loss in forget],
        "retain_worsens": [loss > retain[0] + 0.5 * abs(retain[0]) for loss in retain],
    }
    found = {"best": (best, distance[best], None, distance[best] < distance[0], weights[best])}
    for name, fire in fires.items():
        before = [k for k in range(end) if fire[k]]
        at = before[0] if before else STEPS - 1
        found[name] = (at, distance[at], bool(before), distance[at] < distance[0], weights[at])
    fired = budget < STEPS
    at = budget if budget < end else STEPS - 1
    found["budget"] = (
        budget if fired else STEPS - 1,
        distance[at],
        fired,
        distance[at] < distance[0],
        weights[at],
    )
    return found


@pytest.mark.parametrize("kept", [False, True])
def test_stops_and_best_stop_are_those_of_a_loop(kept):
    drawn = fields(int(kept))
    runs = jax.device_get(
        jax.jit(jax.vmap(lambda *given: run_of(*given, kept)))(*map(jnp.asarray, drawn))
    )
    for i in range(RUNS):
        run, wanted = (
            jax.tree.map(lambda leaf, i=i: leaf[i], runs),
            by_hand(*(field[i] for field in drawn)),
        )
        step, distance, _, beats, weights = wanted.pop("best")
        assert (run.best_stop, run.best_distance, run.beats_doing_nothing) == (
            step,
            distance,
            beats,
        )
        np.testing.assert_array_equal(run.best_weights, weights)
        assert set(wanted) == set(run.stops._fields)
        for name, (step, distance, fired, beats, weights) in wanted.items():
            stop = getattr(run.stops, name)
            assert (stop.step, stop.distance, stop.fired, stop.beats_doing_nothing) == (
                step,
                distance,
                fired,
                beats,
            ), name
            np.testing.assert_array_equal(stop.weights, weights)
        assert run.oracle_finite == np.isfinite(drawn[4][i])


def test_a_run_says_what_it_was_given():
    given = fields(2)
    path = run_of(*(jnp.asarray(field[0]) for field in given), False)
    for name, field in zip(
        ("distance_to_oracle", "retain_loss", "forget_loss", "weights"), given, strict=False
    ):
        np.testing.assert_array_equal(getattr(path, name), field[0])
    assert path.unresolved_at == -1 and path.unresolved_at.dtype == jnp.int32
    short = run_of(*(jnp.asarray(field[0]) for field in given), True)
    np.testing.assert_array_equal(short.weights, given[3][0, -1])
    assert short.distance_to_oracle == given[0][0, -1]


def test_weights_are_left_out_where_none_are_kept():
    seen, rules = (
        Seen(*map(jnp.asarray, (1.0, 1.0, 1.0)), {}),
        Rules(*map(jnp.asarray, (2.0, 2.0, 2.0, 9))),
    )
    tally = stopping.first_tally(seen, rules)
    last = Mark(jnp.int32(0), jnp.asarray(1.0), None)
    run = stopping.finish(
        PLAIN, jnp.zeros(2), seen, tally, jnp.int32(-1), last, True, 3, path=False
    )
    assert (
        run.best_weights is None
        and all(stop.weights is None for stop in run.stops)
        and run.unresolved_at == 3
    )
    whole = stopping.finish(
        PLAIN,
        jnp.zeros((1, 2)),
        seen,
        tally,
        jnp.int32(-1),
        last._replace(weights=jnp.zeros(2)),
        True,
    )
    np.testing.assert_array_equal(whole.best_weights, jnp.zeros(2))  # a path is the default


@pytest.mark.parametrize(("loss", "level"), [(2.0, 2.2), (-10.0, -9.0), (0.0, 0.0)])
def test_worse_is_more_of_the_absolute_value(loss, level):
    at = Seen(jnp.asarray(1.0), jnp.asarray(loss), jnp.asarray(3.0), {})
    rules = stopping.rules_of(
        at, at._replace(forget=jnp.asarray(7.0)), LEVELS | {"retain_worsens": jnp.asarray(0.1)}
    )
    np.testing.assert_allclose(rules, (2.0, 7.0, level, 4), rtol=1e-15)
    assert rules.retain_level.dtype == at.retain.dtype


def test_a_look_measures_every_leaf_in_a_wide_type():
    means = lambda w, batch: (jnp.float16(1.0), jnp.float16(2.0))  # noqa: E731
    objective = SimpleNamespace(means=means, join=lambda w: jnp.concatenate([w["a"], w["b"]]))
    w = {"a": jnp.full(1, 300.0, jnp.float16), "b": jnp.array([3.0, 0.0], jnp.float16)}
    target = {"a": jnp.zeros(1, jnp.float16), "b": jnp.array([3.0, 400.0], jnp.float16)}
    seen = stopping.look(objective, w, target, {"largest": lambda w: jnp.max(w)})
    assert (
        seen.distance == 500
        and seen.distance.dtype == seen.retain.dtype == seen.forget.dtype == jnp.float32
    )
    assert (seen.retain, seen.forget, seen.metrics["largest"]) == (1, 2, 300)


@pytest.mark.parametrize(
    ("retain", "forget", "fine"),
    [(1, 1, True), (np.inf, 1, False), (1, np.nan, False), (-np.inf, 0, False)],
)
def test_both_losses_must_be_finite(retain, forget, fine):
    assert (
        stopping.is_fine(Seen(0.0, jnp.asarray(float(retain)), jnp.asarray(float(forget)), {}))
        == fine
    )
