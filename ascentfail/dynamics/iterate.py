r"""The loop of an iteration, and what it remembers of the iterates that it passes."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from ascentfail.dynamics.directions import (
    Mode,
    Order,
    RidgeInAscent,
    Sizes,
    half_steps,
    optimized,
    plain,
)
from ascentfail.dynamics.stopping import (
    DIVERGED,
    Mark,
    Metrics,
    Rules,
    Run,
    Tally,
    empty_tally,
    finish,
    is_fine,
    look,
    rules_of,
    tally,
    where,
)
from ascentfail.numerics.loops import depend_on
from ascentfail.problems import batches
from ascentfail.problems.protocol import Objective, squared_norm


class Method(NamedTuple):
    """What an iteration is, all static.

    Attributes:
        mode, order, ridge_in_ascent: as in `descent_ascent`.
        batch: samples of each set, None for full gradients.
        how: batches are drawn.
        steps: number of steps.
        path: whether every iterate is kept.
        stop_weights: whether the weights at the stops are kept when the path is not.
    """

    mode: Mode
    order: Order
    ridge_in_ascent: RidgeInAscent
    batch: int | None
    how: batches.How
    steps: int
    path: bool
    stop_weights: bool


class _Carry(NamedTuple):
    weights: Any  # not yet looked at
    kept: Any  # the last weights whose losses are finite, with what was seen in them if the path is kept; see `_judge`
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


def _advance(
    loop: _Loop, w: Any, states: Any, memory: Any, index: jax.Array
) -> tuple[Any, Any, Any]:
    """Weights, optimizer's states and batches' memory after the step at an index."""
    method, after, batch = loop.method, [], None
    key = None if loop.key is None else jax.random.fold_in(loop.key, index)
    if (
        key is not None and method.how == "epoch"
    ):  # one batch of each set a step, also where the half-steps alternate
        batch, memory = loop.source.draw(key, memory)
    for terms, state in zip(half_steps(method.mode, method.order), states, strict=True):
        if key is not None and method.how != "epoch":
            key, now = jax.random.split(key)
            batch, memory = loop.source.draw(now, memory)
        if loop.optimizer is None:
            w = plain(loop.objective, w, terms, method.ridge_in_ascent, loop.sizes, batch)
        else:
            weight = loop.sizes.ascent_weight
            w, state = optimized(
                loop.optimizer,
                loop.objective,
                w,
                state,
                terms,
                method.ridge_in_ascent,
                weight,
                batch,
            )
        after.append(state)
    return w, tuple(after), memory


def _judge(loop: _Loop, carry: _Carry, index: jax.Array) -> tuple[_Carry, Any]:
    """The carry once its weights, those of the iterate at an index, have been looked at, and what the path keeps of it.

    Weights whose losses are not finite give way to those before them. Where the objective knows such weights beforehand they
    are never stepped to, and a batch of problems need not read and write the weights before.
    """
    method, w = loop.method, carry.weights
    seen = look(loop.objective, w, loop.target, loop.metrics if method.path else None)
    known = (
        carry.tally,
        seen,
        index,
        loop.rules,
        None if method.path or not method.stop_weights else w,
    )
    if loop.objective.admits is not None:
        return carry._replace(tally=tally(*known)), (w, seen) if method.path else None
    fine = is_fine(seen)
    diverged_at = jnp.where(fine | (carry.diverged_at >= 0), carry.diverged_at, index)
    kept = where(fine, (w, seen) if method.path else w, carry.kept)
    w = kept[0] if method.path else kept
    after = _Carry(w, kept, carry.states, carry.memory, diverged_at, tally(*known, fine))
    return after, kept if method.path else None


# A step looks at the weights that it starts from, so that looking and the first direction share their exponentials and neither is
# carried to the next step: a batch of problems is bound by the memory that a step reads and writes.
def _step(loop: _Loop, carry: _Carry, index: jax.Array) -> tuple[_Carry, Any]:
    """One step, and what the path keeps of the iterate before it."""
    known, shown = _judge(loop, carry, index - 1)
    moved, states, memory = _advance(loop, carry.weights, carry.states, carry.memory, index)
    gone = known.diverged_at >= 0
    bad = ~(squared_norm(moved) <= DIVERGED**2)  # NaN is bad as well
    if loop.objective.admits is not None:
        bad = bad | jnp.logical_not(loop.objective.admits(moved))
    diverged_at = jnp.where(bad & ~gone, index, known.diverged_at)
    after = known._replace(
        weights=where(gone | bad, known.weights, moved),
        states=states,
        memory=memory,
        diverged_at=diverged_at,
    )
    return after, shown


def iterate(
    problem: Any,
    start: Any,
    sizes: Sizes,
    oracle: Any,
    levels: dict[str, Any],
    key: Any,
    *,
    method: Method,
    optimizer: Any = None,
    metrics: Metrics | None = None,
) -> Run:
    """The run of a checked call of `descent_ascent`.

    Args:
        problem: any Problem.
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
    objective = problem.objective(start, key)
    w, target = objective.split(start), objective.split(oracle)
    source = problem.batches(method.batch, method.how, key)
    seen, at_oracle = look(objective, w, target, metrics), look(objective, target, target)
    rules = rules_of(seen, at_oracle, levels)
    loop = _Loop(objective, target, rules, source, sizes, key, method, optimizer, metrics)
    states = tuple(
        optimizer.init(w) if optimizer else () for _ in half_steps(method.mode, method.order)
    )
    first = empty_tally(seen, rules, None if method.path or not method.stop_weights else w)
    kept = () if objective.admits is not None else (w, seen) if method.path else w
    # losses of the start that are not finite: refused where they are known
    diverged_at = jnp.where(is_fine(seen), jnp.int32(-1), 0)
    carry = depend_on(
        _Carry(w, kept, states, source.first, diverged_at, first),
        (problem, seen, rules, sizes, key),
    )
    end, path = jax.lax.scan(
        lambda c, i: _step(loop, c, i), carry, jnp.arange(1, method.steps + 1, dtype=jnp.int32)
    )
    end, final = _judge(loop, end, jnp.int32(method.steps))
    last = look(objective, end.weights, target, metrics)
    shown, looks = end.weights, last
    if method.path:
        shown, looks = jax.tree.map(
            lambda before, new: jnp.concatenate([before, new[None]]), path, final
        )
    mark = Mark(jnp.int32(method.steps), last.distance, end.weights)
    return finish(
        objective,
        shown,
        looks,
        end.tally,
        end.diverged_at,
        mark,
        is_fine(at_oracle),
        path=method.path,
    )
