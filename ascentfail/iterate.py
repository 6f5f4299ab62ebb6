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
from ascentfail.watch import (
    DIVERGED,
    Mark,
    Metrics,
    Rules,
    Run,
    Seen,
    Tally,
    empty_tally,
    finish,
    is_fine,
    look,
    nothing,
    rules_of,
    tally,
    where,
)


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


def _judge(loop: _Loop, carry: _Carry, index: jax.Array) -> tuple[_Carry, Seen]:
    """The carry once its weights, those of the iterate at an index, have been looked at, and what was seen.

    Weights whose losses are not finite give way to those before them, unless these are replayed at the end.
    """
    record, w = loop.method.record, carry.weights
    seen = look(loop.objective, w, loop.target, loop.metrics if record == "path" else None)
    carry = carry._replace(tally=tally(carry.tally, seen, index, loop.rules, w if record == "carried" else None))
    if record == "replayed":
        return carry, seen
    fine = is_fine(seen)
    diverged_at = jnp.where(fine | (carry.diverged_at >= 0), carry.diverged_at, index)
    kept = where(fine, (w, seen) if record == "path" else w, carry.kept)
    return carry._replace(weights=kept[0] if record == "path" else kept, kept=kept, diverged_at=diverged_at), seen


# A step looks at the weights that it starts from, so that looking and the first direction share their exponentials and neither is
# carried to the next step: a batch of problems is bound by the memory that a step reads and writes.
def _step(loop: _Loop, carry: _Carry, index: jax.Array) -> tuple[_Carry, Any]:
    """One step, and what the path keeps of the iterate before it."""
    known, seen = _judge(loop, carry, index - 1)
    moved, states, memory = _advance(loop, carry.weights, carry.states, carry.memory, index)
    gone, size = known.diverged_at >= 0, squared_norm(moved)
    if loop.method.record == "replayed":  # losses that are not finite end the run a step late; steps beyond the last do nothing
        gone, size = gone | (index > loop.method.steps), size + nothing(seen)
    bad = ~(size <= DIVERGED**2)  # NaN is bad as well
    diverged_at = jnp.where(bad & ~gone, index, known.diverged_at)
    after = known._replace(weights=where(gone | bad, known.weights, moved), states=states, memory=memory, diverged_at=diverged_at)
    return after, known.kept if loop.method.record == "path" else None


def _replay(loop: _Loop, first: Any, every: int, step: jax.Array, states: Any) -> Any:
    """The weights after a step, from those at the beginning of its piece."""

    def again(now: Any, index: jax.Array) -> tuple[Any, None]:
        w, _, memory = _advance(loop, now[0], states, now[1], index)
        return where(index <= step, (w, memory), now), None

    (w, _), _ = jax.lax.scan(again, first, step // every * every + jnp.arange(1, every, dtype=jnp.int32))
    return w


def _sought(carry: _Carry) -> tuple[jax.Array, ...]:
    """The steps whose weights are wanted at the end, as far as they are known: of the best, of the rules, of a divergence."""
    return carry.tally.best.step, *(mark.step for mark in carry.tally.rules), carry.diverged_at


def _replayed(loop: _Loop, carry: _Carry) -> _Carry:
    """The end of a run, and its tally with weights, by steps in pieces: the first weights of those that matter are kept."""
    steps = loop.method.steps
    every = max(1, math.isqrt(steps // 15))  # short pieces are replayed soon, long ones cost the run little
    pieces = -(-steps // every)
    index = jnp.arange(1, pieces * every + 1, dtype=jnp.int32).reshape(pieces, every)

    def piece(known: tuple[_Carry, Any, Any], index: jax.Array) -> tuple[tuple[_Carry, Any, Any], None]:
        carry, before, firsts = known
        now = carry.weights, carry.memory
        after = jax.lax.scan(lambda c, i: _step(loop, c, i), carry, index)[0]
        changed = [a != b for a, b in zip(_sought(carry), _sought(after), strict=True)]
        firsts = [where(new, now, first) for new, first in zip(changed, firsts, strict=True)]
        # the step after losses that are not finite is the one that notices, so the last good weights may lie a piece before
        early = changed[-1] & (after.diverged_at == index[0])
        return (after, now, [*firsts[:-1], where(early, before, firsts[-1])]), None

    first = carry.weights, carry.memory
    (end, begun, firsts), _ = jax.lax.scan(piece, (carry, first, [first] * len(_sought(carry))), index)
    firsts[-1] = where(end.diverged_at < 0, begun, firsts[-1])
    end, seen = _judge(loop, end, jnp.int32(steps))
    fine, marks = is_fine(seen), (end.tally.best, *end.tally.rules)
    diverged_at = jnp.where(fine, end.diverged_at, jnp.where(end.diverged_at >= 0, end.diverged_at - 1, steps))
    # what is wanted lies before a divergence, so every step of the replay is one that the run took
    wanted = jnp.maximum(jnp.stack([*_sought(end)[:-1], diverged_at - 1]), 0)
    begins = jax.tree.map(lambda *leaves: jnp.stack(leaves), *firsts)
    found = jax.vmap(lambda first, step: _replay(loop, first, every, step, carry.states))(begins, wanted)
    *weights, before = (jax.tree.map(lambda leaf, i=i: leaf[i], found) for i in range(len(wanted)))
    best, *rules = (mark._replace(weights=w) for mark, w in zip(marks, weights, strict=True))
    # the iterate at the end is looked at last of all: a mark of it has no piece of its own
    best, *rules = (mark._replace(weights=where(mark.step == steps, end.weights, mark.weights)) for mark in (best, *rules))
    known = end.tally._replace(best=best, rules=tuple(rules))
    return end._replace(weights=where(fine, end.weights, before), diverged_at=diverged_at, tally=known)


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
        end, path = _replayed(loop, carry), None
    else:
        end, path = jax.lax.scan(lambda c, i: _step(loop, c, i), carry, jnp.arange(1, method.steps + 1, dtype=jnp.int32))
        end, _ = _judge(loop, end, jnp.int32(method.steps))
    last = look(objective, end.weights, target, metrics)
    shown = (end.weights, last)
    if method.record == "path":
        shown = jax.tree.map(lambda before, final: jnp.concatenate([before, final[None]]), path, end.kept)
    mark = Mark(jnp.int32(method.steps), last.distance, end.weights)
    return finish(objective, *shown, end.tally, end.diverged_at, mark, is_fine(at_oracle))
