r"""The loop of an iteration, and what it remembers of the iterates that it passes."""

from __future__ import annotations

import math
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp

from ascentfail import batches, objectives
from ascentfail.directions import Mode, Order, RidgeInAscent, Sizes, half_steps, optimized, plain
from ascentfail.loops import tied
from ascentfail.objectives import Objective, squared_norm
from ascentfail.watch import DIVERGED, Mark, Metrics, Rules, Run, Tally, empty_tally, finish, is_fine, look, rules_of, tally, where


class Method(NamedTuple):
    """What an iteration is, all static.

    Attributes:
        mode, order, ridge_in_ascent: as in `descent_ascent`.
        batch: samples of each set, None for full gradients.
        how: batches are drawn.
        steps: number of steps.
        record: "path"; or a summary, whose few weights are "carried" from step to step, or "replayed" after the last step from
            the nearest of the weights that were stored now and then. Carrying costs a step the more the smaller the problem is.
    """

    mode: Mode
    order: Order
    ridge_in_ascent: RidgeInAscent
    batch: int | None
    how: batches.How
    steps: int
    record: Literal["path", "carried", "replayed"]


class _Carry(NamedTuple):
    weights: Any  # not yet looked at
    kept: Any  # the last weights whose losses are finite, with what was seen in them if the path is kept; () when replayed
    states: tuple[Any, ...]  # of the optimizer, one a half-step
    memory: Any  # of the batches
    diverged_at: jax.Array
    tally: Tally  # of the iterates before these weights


class _Loop(NamedTuple):
    """What all steps of a run share."""

    objective: Objective
    target: Any
    rules: Rules
    source: batches.Batches
    sizes: Sizes
    key: Any
    method: Method
    optimizer: Any
    metrics: Metrics | None


def _advance(loop: _Loop, w: Any, states: Any, memory: Any, index: jax.Array) -> tuple[Any, Any, Any]:
    """Weights, optimizer's states and batches' memory after the step at an index."""
    method, after, batch = loop.method, [], None
    key = None if loop.key is None else jax.random.fold_in(loop.key, index)
    if key is not None and method.how == "epoch":  # one batch of each set a step, so an alternating step takes one of each as well
        batch, memory = loop.source.draw(key, memory)
    for terms, state in zip(half_steps(method.mode, method.order), states, strict=True):
        if key is not None and method.how != "epoch":
            key, now = jax.random.split(key)
            batch, memory = loop.source.draw(now, memory)
        if loop.optimizer is None:
            w = plain(loop.objective, w, terms, method.ridge_in_ascent, loop.sizes, batch)
        else:
            how = terms, method.ridge_in_ascent, loop.sizes.ascent_weight, batch
            w, state = optimized(loop.optimizer, loop.objective, w, state, *how)
        after.append(state)
    return w, tuple(after), memory


def _judge(loop: _Loop, carry: _Carry, index: jax.Array) -> _Carry:
    """The carry once its weights, those of the iterate at an index, have been looked at.

    Weights whose losses are not finite give way to those before them.
    """
    record, w = loop.method.record, carry.weights
    seen = look(loop.objective, w, loop.target, loop.metrics if record == "path" else None)
    known = tally(carry.tally, seen, index, loop.rules, w if record == "carried" else None)
    fine = is_fine(seen)
    diverged_at = jnp.where(fine | (carry.diverged_at >= 0), carry.diverged_at, index)
    if record == "replayed":
        return carry._replace(diverged_at=diverged_at, tally=known)
    kept = where(fine, (w, seen) if record == "path" else w, carry.kept)
    return carry._replace(weights=kept[0] if record == "path" else kept, kept=kept, diverged_at=diverged_at, tally=known)


# A step looks at the weights that it starts from, so that looking and the first direction share their exponentials and neither is
# carried to the next step: a batch of problems is bound by the memory that a step reads and writes.
def _step(loop: _Loop, carry: _Carry, index: jax.Array) -> tuple[_Carry, Any]:
    """One step, of which those beyond the last do nothing, and what the path keeps of the iterate before it."""
    known = _judge(loop, carry, index - 1)
    moved, states, memory = _advance(loop, carry.weights, carry.states, carry.memory, index)
    gone = known.diverged_at >= 0
    bad = ~(squared_norm(moved) <= DIVERGED**2)  # NaN is bad as well
    if loop.method.record == "replayed":
        gone = gone | (index > loop.method.steps)
    diverged_at = jnp.where(bad & ~gone, index, known.diverged_at)
    after = known._replace(weights=where(gone | bad, known.weights, moved), states=states, memory=memory, diverged_at=diverged_at)
    return after, known.kept if loop.method.record == "path" else None


def _replay(loop: _Loop, stored: Any, every: int, step: jax.Array, states: Any) -> Any:
    """The weights after a step, from those stored at every so many."""
    place = step // every
    first = jax.tree.map(lambda leaf: leaf[place], stored)

    def again(now: Any, index: jax.Array) -> tuple[Any, None]:
        w, _, memory = _advance(loop, now[0], states, now[1], index)
        return where(index <= step, (w, memory), now), None

    (w, _), _ = jax.lax.scan(again, first, place * every + jnp.arange(1, every + 1, dtype=jnp.int32))
    return w


def _replayed(loop: _Loop, carry: _Carry) -> tuple[_Carry, Any]:
    """The end of a run, and its tally with weights, by steps in pieces of which each one's first weights are stored."""
    steps = loop.method.steps
    every = max(1, math.isqrt(steps // 6))  # as many steps for the six replays as for the pieces
    pieces = -(-steps // every)
    index = jnp.arange(1, pieces * every + 1, dtype=jnp.int32).reshape(pieces, every)

    def piece(carry: _Carry, index: jax.Array) -> tuple[_Carry, Any]:
        return jax.lax.scan(lambda c, i: _step(loop, c, i), carry, index)[0], (carry.weights, carry.memory)

    end, stored = jax.lax.scan(piece, carry, index)
    stored = jax.tree.map(lambda path, last: jnp.concatenate([path, last[None]]), stored, (end.weights, end.memory))
    end = _judge(loop, end, jnp.int32(steps))
    marks = (end.tally.best, *end.tally.rules)
    wanted = jnp.stack([jnp.maximum(at, 0) for at in (*(mark.step for mark in marks), end.diverged_at - 1)])
    # what is wanted lies before a divergence, so every step of the replay is one that the run took
    found = jax.vmap(lambda step: _replay(loop, stored, every, step, carry.states))(wanted)
    weights = [jax.tree.map(lambda leaf, i=i: leaf[i], found) for i in range(len(marks) + 1)]
    best, *rules = (mark._replace(weights=w) for mark, w in zip(marks, weights[:-1], strict=True))
    fine = is_fine(look(loop.objective, end.weights, loop.target))
    return end._replace(weights=where(fine, end.weights, weights[-1]), tally=end.tally._replace(best=best, rules=tuple(rules))), None


def iterate(
    problem: Any, start: Any, sizes: Sizes, oracle: Any, levels: dict[str, Any], key: Any, *, method: Method, optimizer: Any = None,
    metrics: Metrics | None = None,
) -> Run:
    """The run of a checked call of `descent_ascent`.

    Args:
        problem: as in `objectives.of`.
        start: weights, a pytree of arrays.
        sizes: of a step.
        oracle: weights like the start.
        levels: of the rules, see `dynamics.levels_of`.
        key: typed key, None without.
        method: all that is static.
        optimizer: an optax transformation, None for plain steps.
        metrics: dict of functions of the weights, or None.

    Returns:
        Run. Never raises.
    """
    objective = objectives.of(problem, start, key)
    w, target = objective.split(start), objective.split(oracle)
    source = batches.of(problem, method.batch, method.how, key)
    seen, at_oracle = look(objective, w, target, metrics), look(objective, target, target)
    rules = rules_of(seen, at_oracle, levels)
    loop = _Loop(objective, target, rules, source, sizes, key, method, optimizer, metrics)
    states = tuple(optimizer.init(w) if optimizer else () for _ in half_steps(method.mode, method.order))
    first = empty_tally(seen, rules, w if method.record == "carried" else None)
    kept = {"path": (w, seen), "carried": w, "replayed": ()}[method.record]
    carry = tied(_Carry(w, kept, states, source.first, jnp.int32(-1), first), (problem, seen, rules, sizes, key))
    if method.record == "replayed" and method.steps:
        end, path = _replayed(loop, carry)
    else:
        end, path = jax.lax.scan(lambda c, i: _step(loop, c, i), carry, jnp.arange(1, method.steps + 1, dtype=jnp.int32))
        end = _judge(loop, end, jnp.int32(method.steps))
    last = look(objective, end.weights, target, metrics)
    shown = (end.weights, last)
    if method.record == "path":
        shown = jax.tree.map(lambda before, final: jnp.concatenate([before, final[None]]), path, end.kept)
    mark = Mark(jnp.int32(method.steps), last.distance, end.weights)
    return finish(objective, *shown, end.tally, end.diverged_at, mark, is_fine(at_oracle))
