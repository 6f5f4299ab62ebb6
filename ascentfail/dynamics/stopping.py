r"""Looking at a path: how far each iterate is from the oracle, the best stop in hindsight, the stops of rules fixed in advance.

Everything is kept as a tally that one more iterate updates, so that a path need not be stored to be judged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from ascentfail.problems import own
from ascentfail.problems.protocol import Objective, squared_norm

DIVERGED = 1e8  # |w| beyond which a run counts as diverged


class Stop(NamedTuple):
    """Where a stopping rule fixed in advance stops.

    Attributes:
        step: int32 index of the iterate; the last one where the rule never fires.
        distance: its distance to the oracle.
        fired: whether the rule fired.
        beats_doing_nothing: whether that distance is smaller than the start's.
        weights: pytree of the weights there, or None.
    """

    step: jax.Array
    distance: jax.Array
    fired: jax.Array
    beats_doing_nothing: jax.Array
    weights: Any


class Stops(NamedTuple):
    """One `Stop` a rule.

    Attributes:
        test_level: the forget loss reaches `test_level`, the loss on data the model has not seen; never fires without one.
        oracle_level: the forget loss reaches the oracle's.
        retain_worsens: the retain loss exceeds the start's by worsens times its absolute value.
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
            divergence the last weights before it are repeated.
        distance_to_oracle: (steps+1,) Euclidean distances >= 0, or the last one.
        retain_loss, forget_loss: (steps+1,) finite mean losses without the ridge, or the last ones.
        best_stop: scalar int32 >= 0, index of the smallest distance, 0 for doing nothing.
        best_distance: scalar >= 0, that distance.
        beats_doing_nothing: scalar boolean, best_distance < distance of the start.
        diverged_at: scalar int32 >= -1, first step whose weights or losses are not finite or that has |w| > 1e8; -1: never; 0:
            the losses of the start are not finite, which is refused where they are known.
        stops: what rules fixed in advance would have picked, one `Stop` each, with the weights there.
        best_weights: pytree of the weights at the best stop; None, as those of each `Stop`, without `stop_weights`.
        unresolved_at: scalar int32 >= -1, first time of a flow that its integration did not reach; -1: never, and in iterations.
        oracle_finite: scalar boolean, whether the losses at the oracle are finite; where not, its rule never fires.
        metrics: dict of what the functions given as `metrics` returned, each an array (steps+1, ...), or the last value.
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
    best_weights: Any
    unresolved_at: jax.Array
    oracle_finite: jax.Array
    metrics: dict[str, Any]


Metrics = Mapping[str, Callable[[Any], Any]]  # functions of the weights


class Seen(NamedTuple):
    """What is looked at in one iterate."""

    distance: jax.Array
    retain: jax.Array
    forget: jax.Array
    metrics: dict[str, Any]


class Rules(NamedTuple):
    """The levels at which the rules of `Stops` fire: forget loss, forget loss, retain loss, step; no step means the last."""

    test_level: jax.Array
    oracle_level: jax.Array
    retain_level: jax.Array
    budget: jax.Array | None


class Mark(NamedTuple):
    """An iterate to remember: its step, -1 for none yet, its distance, and its weights unless the path is kept."""

    step: jax.Array
    distance: jax.Array
    weights: Any = None


class Tally(NamedTuple):
    """What is remembered of the iterates so far.

    Attributes:
        start: the start's distance.
        best: the best iterate.
        rules: where each rule that looks at a loss has fired.
        budget: the step fixed in advance, and the iterate there once it has been seen; None if it is the last.
    """

    start: jax.Array
    best: Mark
    rules: tuple[Mark, ...]
    budget: Mark | None


def empty_tally(seen: Seen, rules: Rules, w: Any = None) -> Tally:
    """The tally before the start has been counted; with the start's weights it remembers weights too."""
    never = Mark(jnp.int32(-1), -jnp.ones_like(seen.distance), w)
    budget = None if rules.budget is None else never._replace(step=rules.budget)
    return Tally(seen.distance, Mark(jnp.int32(0), seen.distance, w), (never,) * 3, budget)


def first_tally(seen: Seen, rules: Rules) -> Tally:
    """The tally of a start whose path is kept."""
    return tally(empty_tally(seen, rules), seen, jnp.int32(0), rules)


def tally(
    so_far: Tally, seen: Seen, step: jax.Array, rules: Rules, w: Any = None, fine: Any = True
) -> Tally:
    """The tally after one more iterate.

    One whose losses are not finite, not `fine`, is never the best; where it makes a rule fire, `finish` takes that back.
    """
    fires = (
        seen.forget >= rules.test_level,
        seen.forget >= rules.oracle_level,
        seen.retain > rules.retain_level,
    )
    now = Mark(step, seen.distance, w)

    def first(fire: jax.Array, known: Mark) -> Mark:
        # step and distance each by its own sign, so that neither has to be kept for the other
        early = fire & (known.step < 0)
        distance = jnp.where(fire & (known.distance < 0), seen.distance, known.distance)
        return Mark(jnp.where(early, step, known.step), distance, where(early, w, known.weights))

    rules_now = tuple(first(fire, known) for fire, known in zip(fires, so_far.rules, strict=True))
    best = where((seen.distance < so_far.best.distance) & fine, now, so_far.best)
    # the budget's step is known beforehand: nothing is read or written for it in any other step of a batch of problems
    spent = so_far.budget
    if spent is not None:
        spent = where(step == spent.step, now._replace(step=spent.step), spent)
    return Tally(so_far.start, best, rules_now, spent)


def is_fine(seen: Seen) -> jax.Array:
    """Whether the losses of an iterate are finite; what is not counts as diverged."""
    return jnp.isfinite(seen.retain) & jnp.isfinite(seen.forget)


def where(condition: jax.Array, new: Any, old: Any) -> Any:
    """Leaf by leaf, new where the condition holds and old elsewhere."""
    return jax.tree.map(lambda a, b: jnp.where(condition, a, b), new, old)


def look(objective: Objective, w: Any, target: Any, metrics: Metrics | None = None) -> Seen:
    """What a run sees in an iterate, in the widest floating type of weights and losses."""
    retain, forget = objective.means(w, None)
    away = squared_norm(jax.tree.map(jnp.subtract, w, target))
    dtype = own.widest(away, retain)
    own_numbers = {
        name: jax.tree.map(jnp.asarray, measure(objective.join(w)))
        for name, measure in (metrics or {}).items()
    }
    return Seen(
        jnp.sqrt(away.astype(dtype)), retain.astype(dtype), forget.astype(dtype), own_numbers
    )


def rules_of(at_start: Seen, at_oracle: Seen, levels: dict[str, Any]) -> Rules:
    """The rules' levels, from what is seen at start and oracle, in their type."""
    dtype = at_start.retain.dtype
    worse = at_start.retain + levels["retain_worsens"].astype(dtype) * jnp.abs(at_start.retain)
    return Rules(levels["test_level"].astype(dtype), at_oracle.forget, worse, levels["budget"])


def _stops(end: Tally, budget: Mark, last: Mark, diverged_at: jax.Array) -> Stops:
    """The stops of a finished run; a rule that never fired runs to the end, and after a divergence nothing moves."""

    def stop(mark: Mark, reached: jax.Array, of_a_loss: bool) -> Stop:
        before = reached & ((diverged_at < 0) | (mark.step < diverged_at))
        # after a divergence only the budget can run out; what a loss that is not finite has reached does not count
        fired = before if of_a_loss else reached
        distance = jnp.where(before, mark.distance, last.distance)
        step = jnp.where(fired, mark.step, last.step)
        weights = None if mark.weights is None else where(before, mark.weights, last.weights)
        return Stop(step, distance, fired, distance < end.start, weights)

    test_level, oracle_level, retain_worsens = (
        stop(mark, mark.step >= 0, True) for mark in end.rules
    )
    return Stops(
        test_level, oracle_level, retain_worsens, stop(budget, budget.step <= last.step, False)
    )


def finish(
    objective: Objective,
    shown: Any,
    looks: Seen,
    end: Tally,
    diverged_at: jax.Array,
    last: Mark,
    oracle_finite: jax.Array,
    unresolved_at: Any = -1,
    path: bool = True,
) -> Run:
    """The result of a run.

    Args:
        objective: of the problem.
        shown: the path of weights, as the objective splits them, or the last ones.
        looks: what was seen in them.
        end: the tally of all iterates.
        diverged_at: scalar int32 >= -1.
        last: the last iterate: its step, distance and weights.
        oracle_finite: scalar boolean.
        unresolved_at: scalar int32 >= -1, of a flow.
        path: whether it is the path that is shown; where not, the weights at stops are those of the tally, None for none.

    Returns:
        Run. Never raises.
    """

    def remembered(mark: Mark) -> Mark:
        if mark.weights is not None or not path:
            return mark
        return mark._replace(
            weights=jax.tree.map(lambda leaf: leaf[jnp.maximum(mark.step, 0)], shown)
        )

    def joined(w: Any) -> Any:
        return None if w is None else objective.join(w)

    budget = end.budget or last._replace(weights=None if end.best.weights is None else last.weights)
    end = Tally(end.start, remembered(end.best), tuple(map(remembered, end.rules)), None)
    budget = remembered(budget)
    stops = _stops(end, budget, last, diverged_at)
    stops = Stops(*(stop._replace(weights=joined(stop.weights)) for stop in stops))
    return Run(
        objective.join(shown),
        looks.distance,
        looks.retain,
        looks.forget,
        end.best.step,
        end.best.distance,
        end.best.distance < end.start,
        diverged_at,
        stops,
        joined(end.best.weights),
        jnp.asarray(unresolved_at, jnp.int32),
        oracle_finite,
        looks.metrics,
    )
