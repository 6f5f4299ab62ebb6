r"""Iterations: what descent, ascent and descent-ascent do step by step, and where one should have stopped.

With retain mean r, forget mean f and ridge lam a step eta is

    descent        w - eta (grad r + lam w)
    ascent         w + eta (grad f - lam w)
    simultaneous   w - eta (grad r - grad f + lam w)
    alternating    both half-steps in turn, each with its own ridge

when the ascent decays the weights like the descent does (`ridge_in_ascent="decay"`); with "ascended" the ridge is part of the
objective that is ascended, and its sign turns in every ascent (half-)step. A run looks at every iterate, the start included: how
far it is from the oracle, the best stop in hindsight, and the stops that a rule fixed in advance would have chosen.
"""

from __future__ import annotations

import functools
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.core import Tracer

from ascentfail import objectives
from ascentfail.errors import invalid
from ascentfail.loops import tied
from ascentfail.objectives import Objective
from ascentfail.problems import _check_key
from ascentfail.watch import DIVERGED, Run, Tally, empty_tally, finish, look, rules_of, squared_norm, tally, where

Mode = Literal["simultaneous", "alternating", "ascent", "descent"]
Order = Literal["retain-first", "forget-first"]
RidgeInAscent = Literal["decay", "ascended"]
MODES = ("simultaneous", "alternating", "ascent", "descent")


# --- one step -----------------------------------------------------------------------------------------------------------------


class _Method(NamedTuple):
    """What an iteration is, all static: `optimizer` turns directions into updates, `batch` is None for full gradients."""

    mode: Mode
    order: Order
    ridge_in_ascent: RidgeInAscent
    optimizer: optax.GradientTransformation | None
    batch: int | None
    steps: int
    path: bool


def half_steps(mode: Mode, order: Order) -> tuple[tuple[str, ...], ...]:
    """The half-steps of a step: which terms each one follows at once.

    Args:
        mode: "simultaneous", "alternating", "ascent" or "descent".
        order: of the half-steps of "alternating", "retain-first" or "forget-first".

    Returns:
        One tuple a half-step, of "retain", "forget" or both.

    Never raises.

    Paper: App. D.3.
    """
    if mode == "descent":
        return (("retain",),)
    if mode == "ascent":
        return (("forget",),)
    if mode == "simultaneous":
        return (("retain", "forget"),)
    halves = (("retain",), ("forget",))
    return halves if order == "retain-first" else halves[::-1]


def direction(objective: Objective, w: Any, terms: tuple[str, ...], ridge_in_ascent: RidgeInAscent, key: Any = None) -> Any:
    """The direction that a (half-)step descends: g = s_R grad r + s_F grad f + s lam w.

        s_R = 1 and s_F = -1 for the terms named, else 0;   s = 1 for "decay", s_R + s_F for "ascended"

    Args:
        objective: see `objectives.Objective`.
        w: pytree of finite weights, as the objective splits them.
        terms: "retain", "forget" or both.
        ridge_in_ascent: "decay" or "ascended".
        key: typed key of the sampled batch, None for full gradients.

    Returns:
        A direction of the structure of w. Never raises.

    Paper: Sec. 5.1.1, App. D.3.
    """
    signs = {"retain": 1.0, "forget": -1.0}

    def descended(w: Any) -> jax.Array:
        means = dict(zip(signs, objective.means(w, key), strict=True))
        return functools.reduce(jnp.add, [signs[term] * means[term] for term in terms])

    turns = sum(signs[term] for term in terms) if ridge_in_ascent == "ascended" else 1.0
    return jax.tree.map(lambda g, r: g + turns * r, jax.grad(descended)(w), objective.ridge_gradient(w))


class _Carry(NamedTuple):
    weights: Any
    states: tuple[Any, ...]  # of the optimizer, one a half-step
    diverged_at: jax.Array
    tally: Tally  # of the iterates before these weights


@functools.partial(jax.jit, static_argnames=("method",))
def _iterate(problem: Any, start: Any, step_size: Any, oracle: Any, levels: dict[str, Any], key: Any, method: _Method) -> Run:
    objective = objectives.of(problem, method.batch)
    w, target = objective.split(start), objective.split(oracle)
    halves = half_steps(method.mode, method.order)
    seen = look(objective, w, target)
    rules = rules_of(objective, target, seen, levels)

    def advance(w: Any, states: tuple[Any, ...], key: Any) -> tuple[Any, tuple[Any, ...]]:
        after = []
        for terms, state in zip(halves, states, strict=True):
            key, now = (None, None) if key is None else jax.random.split(key)
            way = direction(objective, w, terms, method.ridge_in_ascent, now)
            if method.optimizer is None:
                w = jax.tree.map(lambda leaf, d: leaf - step_size * d, w, way)
            else:
                updates, state = method.optimizer.update(way, state, w)
                w = optax.apply_updates(w, updates)
            after.append(state)
        return w, tuple(after)

    # A step looks at the weights that it starts from, so that looking and the first direction share their exponentials and
    # neither is carried to the next step: a batch of problems is bound by the memory that a step reads and writes.
    def step(carry: _Carry, index: jax.Array) -> tuple[_Carry, Any]:
        w, seen = carry.weights, look(objective, carry.weights, target)
        known = tally(carry.tally, seen, index - 1, rules)
        now = None if method.batch is None else jax.random.fold_in(key, index)
        moved, states = advance(w, carry.states, now)
        gone = carry.diverged_at >= 0
        bad = ~(squared_norm(moved) <= DIVERGED**2)  # NaN is bad as well
        diverged_at = jnp.where(bad & ~gone, index, carry.diverged_at)
        return _Carry(where(gone | bad, w, moved), states, diverged_at, known), (w, seen) if method.path else None

    states = tuple(method.optimizer.init(w) if method.optimizer else () for _ in halves)
    carry = tied(_Carry(w, states, jnp.int32(-1), empty_tally(seen, rules)), (problem, seen, rules, step_size, key))
    end, path = jax.lax.scan(step, carry, jnp.arange(1, method.steps + 1, dtype=jnp.int32))
    last = look(objective, end.weights, target)
    known = tally(end.tally, last, jnp.int32(method.steps), rules)
    shown, looks = end.weights, last
    if method.path:
        shown, looks = jax.tree.map(lambda before, final: jnp.concatenate([before, final[None]]), path, (shown, looks))
    return finish(objective, shown, looks, known, end.diverged_at, last, method.steps)


# --- the public entry -----------------------------------------------------------------------------------------------------------


def descent_ascent(
    problem: Any,
    start: Any,
    *,
    steps: int,
    step_size: Any = None,
    mode: Mode = "simultaneous",
    order: Order = "retain-first",
    ridge_in_ascent: RidgeInAscent = "decay",
    optimizer: optax.GradientTransformation | None = None,
    record: Literal["path", "summary"] = "path",
    batch_size: int | None = None,
    key: jax.Array | None = None,
    oracle: Any = None,
    test_level: Any = None,
    retain_worsens: Any = 0.1,
    budget: int | None = None,
) -> Run:
    r"""Runs descent, ascent or descent-ascent from a start, and says where it should have stopped.

        w_{k+1} = w_k - eta (grad r - grad f + lam w_k)   (simultaneous, ridge_in_ascent="decay"; the module lists the others)

    Args:
        problem: SemiOrthogonal, CrossCorrelated, ToyLandscape, or `Losses` of your own.
        start: finite weights to start from, a pytree of ints or floats of the problem's shape, iterated as floats; "original" or
            "oracle" for those models.
        steps: number of steps >= 0; an alternating step is both half-steps.
        step_size: scalar eta > 0, unless an optimizer is given.
        mode: "simultaneous", "alternating", "ascent" or "descent".
        order: of the half-steps of "alternating", "retain-first" or "forget-first".
        ridge_in_ascent: "decay" or "ascended", see the module.
        optimizer: an optax transformation instead of plain steps; each half-step keeps a state of its own.
        record: "path" or "summary", see `Run`.
        batch_size: >= 1 samples drawn, with replacement, from each set in every (half-)step; None for all.
        key: of the batches, a typed key, jax.random.key(seed); needed with batch_size.
        oracle: finite weights of the start's shape that count as the oracle; None: the problem's own, `Losses` need them.
        test_level: any scalar, the forget loss at which the first rule stops; None: that rule never fires.
        retain_worsens: scalar >= 0, the fraction by which the retain loss may grow before the third rule stops.
        budget: step at which the fourth rule stops, 0 to steps; None: the last.

    Returns:
        Run. Trouble is a field, `diverged_at`, never NaN in the path.

    Raises:
        ValueError: an argument is out of range, of the wrong shape, or missing; a loss of your own fails or is no
            finite scalar at the start.

    Paper: Sec. 5.1.1, App. D.3.
    """
    check_choice("mode", mode, MODES)
    check_choice("order", order, ("retain-first", "forget-first"))
    check_choice("ridge_in_ascent", ridge_in_ascent, ("decay", "ascended"))
    check_choice("record", record, ("path", "summary"))
    steps = _whole("steps", steps, 0)
    _check_step(step_size, optimizer)
    if batch_size is not None:
        batch_size = _whole("batch_size", batch_size, 1)
        if key is None:
            raise invalid("key", key, "a typed key, jax.random.key(seed), when batch_size is given")
    if key is not None:
        _check_key(key)
    levels = levels_of(steps, test_level, retain_worsens, budget)
    start, oracle = objectives.start_and_oracle(problem, start, oracle)
    method = _Method(mode, order, ridge_in_ascent, optimizer, batch_size, steps, record == "path")
    return _iterate(problem, start, step_size, oracle, levels, key, method)


def check_choice(name: str, value: Any, choices: tuple[str, ...]) -> None:
    """Refuses a value that is not one of the choices.

    Args:
        name: of the argument, for the message.
        value: any object, `value in choices` decides.
        choices: what it takes.

    Raises:
        ValueError: the value is none of them.

    Ours.
    """
    if value not in choices:
        raise invalid(name, value, " or ".join(repr(x) for x in choices))


def _whole(name: str, value: Any, low: int, high: int | None = None) -> int:
    takes = f"a whole number >= {low}" + ("" if high is None else f" and <= {high}")
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < low or (high is not None and value > high):
        raise invalid(name, value, takes)
    return int(value)


def levels_of(steps: int, test_level: Any, retain_worsens: Any, budget: int | None) -> dict[str, Any]:
    """The levels of the stopping rules, checked.

    Args:
        steps: number of steps, >= 0.
        test_level: any scalar, the forget loss at which the first rule stops; None: never.
        retain_worsens: scalar >= 0, the fraction by which the retain loss may grow.
        budget: step at which the fourth rule stops, 0 to steps; None: the last.

    Returns:
        "test_level" (inf for None), "retain_worsens" and "budget", scalars.

    Raises:
        ValueError: a level is out of its range.

    Ours.
    """
    budget = steps if budget is None else _whole("budget", budget, 0, steps)
    if not isinstance(retain_worsens, Tracer) and not np.all(np.asarray(retain_worsens) >= 0):
        raise invalid("retain_worsens", retain_worsens, "a number >= 0")
    return {
        "test_level": jnp.asarray(jnp.inf if test_level is None else test_level),
        "retain_worsens": jnp.asarray(retain_worsens),
        "budget": jnp.int32(budget),
    }


def _check_step(step_size: Any, optimizer: Any) -> None:
    if optimizer is not None:
        if step_size is not None:
            raise invalid("step_size", step_size, "None when an optimizer is given, which has a step size of its own")
        if not isinstance(optimizer, optax.GradientTransformation):
            raise invalid("optimizer", optimizer, "an optax gradient transformation, for instance optax.adam(1e-2)")
        return
    takes = "a finite number > 0, or an optimizer instead"
    if step_size is None:
        raise invalid("step_size", step_size, takes)
    if not isinstance(step_size, Tracer):
        value = np.asarray(step_size)
        if value.dtype.kind not in "iuf" or value.shape != () or not np.isfinite(value) or not value > 0:
            raise invalid("step_size", step_size, takes)
