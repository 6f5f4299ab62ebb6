r"""Looking at a path: how far each iterate is from the oracle, the best stop in hindsight, the stops of rules fixed in advance.

Everything is kept as a tally that one more iterate updates, so that a path need not be stored to be judged.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from ascentfail.objectives import Objective

DIVERGED = 1e8  # |w| beyond which a run counts as diverged


class Stop(NamedTuple):
    """Where a stopping rule fixed in advance stops.

    Attributes:
        step: int32 index of the iterate; the last one where the rule never fires.
        distance: its distance to the oracle.
        fired: whether the rule fired.
        beats_doing_nothing: whether that distance is smaller than the start's.
    """

    step: jax.Array
    distance: jax.Array
    fired: jax.Array
    beats_doing_nothing: jax.Array


class Stops(NamedTuple):
    """One `Stop` a rule.

    Attributes:
        test_level: the forget loss reaches `test_level`, the loss on data the model has not seen; never fires without one.
        oracle_level: the forget loss reaches the oracle's.
        retain_worsens: the retain loss exceeds (1 + worsens) times the start's.
        budget: a number of steps fixed in advance.
    """

    test_level: Stop
    oracle_level: Stop
    retain_worsens: Stop
    budget: Stop


class Run(NamedTuple):
    """An iteration, or a flow, and what a reader asks of it.

    Attributes:
        weights: (steps+1, ...) the path of finite weights, start included; with record="summary" the last weights alone. After a
            divergence the last finite weights are repeated.
        distance_to_oracle: (steps+1,) Euclidean distances >= 0, or the last one.
        retain_loss, forget_loss: (steps+1,) finite mean losses without the ridge, or the last ones.
        best_stop: scalar int32 >= 0, index of the smallest distance, 0 for doing nothing.
        best_distance: scalar >= 0, that distance.
        beats_doing_nothing: scalar boolean, best_distance < distance of the start.
        diverged_at: scalar int32 >= -1, first step that is not finite or has |w| > 1e8; -1: never.
        stops: what rules fixed in advance would have picked.

    Ours.
    """

    weights: Any
    distance_to_oracle: jax.Array
    retain_loss: jax.Array
    forget_loss: jax.Array
    best_stop: jax.Array
    best_distance: jax.Array
    beats_doing_nothing: jax.Array
    diverged_at: jax.Array
    stops: Stops


class Seen(NamedTuple):
    """What is looked at in one iterate."""

    distance: jax.Array
    retain: jax.Array
    forget: jax.Array


class Rules(NamedTuple):
    """The levels at which the rules of `Stops` fire: forget loss, forget loss, retain loss, step."""

    test_level: jax.Array
    oracle_level: jax.Array
    retain_level: jax.Array
    budget: jax.Array


class Tally(NamedTuple):
    """What is remembered of the iterates so far: the start, the best, and (step, distance) where each rule has fired."""

    start: jax.Array
    best: tuple[jax.Array, jax.Array]
    rules: tuple[tuple[jax.Array, jax.Array], ...]  # step -1 while it has not fired


def empty_tally(seen: Seen, rules: Rules) -> Tally:
    """The tally before the start has been counted."""
    never = (jnp.int32(-1), -jnp.ones_like(seen.distance))
    return Tally(seen.distance, (jnp.int32(0), seen.distance), (never,) * len(rules))


def first_tally(seen: Seen, rules: Rules) -> Tally:
    """The tally of a start."""
    return tally(empty_tally(seen, rules), seen, jnp.int32(0), rules)


def tally(so_far: Tally, seen: Seen, step: jax.Array, rules: Rules) -> Tally:
    """The tally after one more iterate."""
    fires = (
        seen.forget >= rules.test_level,
        seen.forget >= rules.oracle_level,
        seen.retain > rules.retain_level,
        step >= rules.budget,
    )
    now = (step, seen.distance)

    def first(fire: jax.Array, known: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        # each leaf by its own sign, so that neither has to be kept for the other
        return jnp.where(fire & (known[0] < 0), now[0], known[0]), jnp.where(fire & (known[1] < 0), now[1], known[1])

    rules_now = tuple(first(fire, known) for fire, known in zip(fires, so_far.rules, strict=True))
    return Tally(so_far.start, where(seen.distance < so_far.best[1], now, so_far.best), rules_now)


def where(condition: jax.Array, new: Any, old: Any) -> Any:
    """Leaf by leaf, new where the condition holds and old elsewhere."""
    return jax.tree.map(lambda a, b: jnp.where(condition, a, b), new, old)


def stops_of(end: Tally, last: jax.Array, last_step: int) -> Stops:
    """The stops of a finished run; a rule that never fired runs to the end."""

    def stop(step: jax.Array, distance: jax.Array) -> Stop:
        fired = step >= 0
        distance = jnp.where(fired, distance, last)
        return Stop(jnp.where(fired, step, last_step), distance, fired, distance < end.start)

    return Stops(*(stop(*known) for known in end.rules))


def look(objective: Objective, w: Any, target: Any) -> Seen:
    """What a run sees in an iterate."""
    return Seen(jnp.sqrt(squared_norm(jax.tree.map(jnp.subtract, w, target))), *objective.means(w, None))


def squared_norm(w: Any) -> jax.Array:
    """The sum of the squares of all leaves."""
    return functools.reduce(jnp.add, [jnp.sum(leaf * leaf) for leaf in jax.tree.leaves(w)])


def rules_of(objective: Objective, target: Any, seen: Seen, levels: dict[str, Any]) -> Rules:
    """The rules' levels, from the oracle and the start."""
    worse = (1 + levels["retain_worsens"]) * seen.retain
    return Rules(levels["test_level"], objective.means(target, None)[1], worse, levels["budget"])


def finish(objective: Objective, w: Any, seen: Seen, end: Tally, diverged_at: jax.Array, last: Seen, steps: int) -> Run:
    """The result of a run from what it shows and what it remembers."""
    best_step, best_distance = end.best
    return Run(
        objective.join(w), seen.distance, seen.retain, seen.forget, best_step, best_distance, best_distance < end.start,
        diverged_at, stops_of(end, last.distance, steps),
    )
