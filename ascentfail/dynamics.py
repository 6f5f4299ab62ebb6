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
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.core import Tracer

from ascentfail import batches as _batches
from ascentfail import objectives, programs
from ascentfail.errors import invalid
from ascentfail.loops import tied
from ascentfail.objectives import Objective, squared_norm
from ascentfail.own import Losses
from ascentfail.problems import _check_key
from ascentfail.watch import DIVERGED, Mark, Metrics, Run, Tally, empty_tally, finish, is_fine, look, rules_of, tally, where

Mode = Literal["simultaneous", "alternating", "ascent", "descent"]
Order = Literal["retain-first", "forget-first"]
RidgeInAscent = Literal["decay", "ascended"]
MODES = ("simultaneous", "alternating", "ascent", "descent")


# --- one step -----------------------------------------------------------------------------------------------------------------


class _Method(NamedTuple):
    """What an iteration is, all static: `batch` is None for full gradients."""

    mode: Mode
    order: Order
    ridge_in_ascent: RidgeInAscent
    batch: int | None
    batches: _batches.How
    steps: int
    path: bool


class _Sizes(NamedTuple):
    """Sizes of a step: of the descent, of the ascent, and the weight of the ascent; None where nothing was said."""

    step: Any
    ascent_step: Any
    ascent_weight: Any


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


def direction(
    objective: Objective, w: Any, terms: tuple[str, ...], ridge_in_ascent: RidgeInAscent, batch: Any = None, ascent_weight: Any = None,
) -> Any:
    """The direction that a (half-)step descends: g = s_R grad r + s_F grad f + s lam w.

        s_R = 1 and s_F = -kappa for the terms named, else 0;   s = 1 for "decay", s_R + s_F for "ascended"

    Args:
        objective: see `objectives.Objective`.
        w: pytree of finite weights, as the objective splits them.
        terms: "retain", "forget" or both.
        ridge_in_ascent: "decay" or "ascended".
        batch: a pytree that the objective takes for a batch, None for full gradients.
        ascent_weight: scalar kappa >= 0, None for 1.

    Returns:
        A direction of the structure of w. Never raises.

    Paper: Sec. 5.1.1, App. D.3.
    """
    descended, turns = _descended(objective, terms, ridge_in_ascent, batch, ascent_weight)
    return _with_ridge(jax.grad(descended)(w), turns, objective.ridge_gradient(w))


def _descended(objective: Objective, terms: Any, ridge_in_ascent: Any, batch: Any, ascent_weight: Any) -> tuple[Any, Any]:
    """What a (half-)step descends without the ridge, a function of w, and the factor of the ridge."""
    signs = {"retain": 1.0, "forget": -1.0 if ascent_weight is None else -ascent_weight}

    def descended(w: Any) -> jax.Array:
        means = dict(zip(signs, objective.means(w, batch), strict=True))
        return functools.reduce(jnp.add, [_like(signs[term], means[term]) * means[term] for term in terms])

    return descended, sum(signs[term] for term in terms) if ridge_in_ascent == "ascended" else 1.0


def _like(number: Any, array: jax.Array) -> Any:
    """A number in the type of an array, so that the array keeps it."""
    return number if isinstance(number, float) else jnp.asarray(number).astype(array.dtype)


def _with_ridge(way: Any, turns: Any, ridge: Any) -> Any:
    return jax.tree.map(lambda g, r: g + _like(turns, r) * r, way, ridge)


def _plain(objective: Objective, w: Any, terms: tuple[str, ...], method: _Method, sizes: _Sizes, batch: Any) -> Any:
    """The weights after a plain (half-)step."""
    step, weight = sizes.step, sizes.ascent_weight
    if sizes.ascent_step is not None:
        if terms == ("forget",):
            step = sizes.ascent_step
        elif "forget" in terms:  # one step of the descent's size, in which the ascent weighs as much as its own size says
            weight = sizes.ascent_step / sizes.step * (1.0 if weight is None else weight)
    way = direction(objective, w, terms, method.ridge_in_ascent, batch, weight)
    return jax.tree.map(lambda leaf, d: leaf - _like(step, leaf) * d, w, way)


def _optimized(
    optimizer: Any, objective: Objective, w: Any, state: Any, terms: tuple[str, ...], method: _Method, weight: Any, batch: Any
) -> tuple[Any, Any]:
    """The weights after a (half-)step of an optimizer, and its state; it is given value, gradient and function if it takes them."""
    descended, turns = _descended(objective, terms, method.ridge_in_ascent, batch, weight)

    def function(w: Any) -> jax.Array:
        value = descended(w)
        return value + (turns * objective.ridge(w)).astype(value.dtype)

    value, way = jax.value_and_grad(descended)(w)
    way = _with_ridge(way, turns, objective.ridge_gradient(w))
    extra = {}
    if isinstance(optimizer, optax.GradientTransformationExtraArgs):
        value = value + (turns * objective.ridge(w)).astype(value.dtype)
        extra = {"value": value, "grad": way, "value_fn": function}
    try:
        updates, after = optimizer.update(way, state, w, **extra)
        moved = optax.apply_updates(w, updates)
        after = jax.tree.map(lambda new, old: jnp.asarray(new).astype(jnp.asarray(old).dtype), after, state)
    except Exception as error:
        said = f"{type(error).__name__}: {error}".splitlines()[0]
        raise invalid("optimizer", optimizer, f"an optax transformation, given value, grad and value_fn at most; here {said}") from error
    return moved, after


class _Carry(NamedTuple):
    weights: Any  # not yet looked at
    kept: Any  # the last iterate whose losses are finite: its weights, and what was seen in them if the path is kept
    states: tuple[Any, ...]  # of the optimizer, one a half-step
    memory: Any  # of the batches
    diverged_at: jax.Array
    tally: Tally  # of the iterates before these weights


def _iterate(
    problem: Any, start: Any, sizes: _Sizes, oracle: Any, levels: dict[str, Any], key: Any, *, method: _Method, optimizer: Any = None,
    metrics: Metrics | None = None,
) -> Run:
    objective = objectives.of(problem, start, key)
    w, target = objective.split(start), objective.split(oracle)
    halves = half_steps(method.mode, method.order)
    source = _batches.of(problem, method.batch, method.batches, key)
    seen, at_oracle = look(objective, w, target, metrics), look(objective, target, target)
    rules = rules_of(seen, at_oracle, levels)
    epoch = method.batches == "epoch"

    def advance(w: Any, states: tuple[Any, ...], memory: Any, key: Any) -> tuple[Any, tuple[Any, ...], Any]:
        after, batch = [], None
        if epoch:  # one batch of each set a step, so that an alternating step takes one of each as well
            batch, memory = source.draw(key, memory)
        for terms, state in zip(halves, states, strict=True):
            if key is not None and not epoch:
                key, now = jax.random.split(key)
                batch, memory = source.draw(now, memory)
            if optimizer is None:
                w = _plain(objective, w, terms, method, sizes, batch)
            else:
                w, state = _optimized(optimizer, objective, w, state, terms, method, sizes.ascent_weight, batch)
            after.append(state)
        return w, tuple(after), memory

    def judged(carry: _Carry, index: jax.Array) -> tuple[Any, Any, jax.Array, Tally]:
        """The iterate at an index as the run keeps it, what is kept of it, the first step that diverged, the tally."""
        w = carry.weights
        seen = look(objective, w, target, metrics if method.path else None)
        known = tally(carry.tally, seen, index, rules, None if method.path else w)
        fine = is_fine(seen)
        kept = where(fine, (w, seen) if method.path else w, carry.kept)
        return kept[0] if method.path else kept, kept, jnp.where(fine | (carry.diverged_at >= 0), carry.diverged_at, index), known

    # A step looks at the weights that it starts from, so that looking and the first direction share their exponentials and
    # neither is carried to the next step: a batch of problems is bound by the memory that a step reads and writes.
    def step(carry: _Carry, index: jax.Array) -> tuple[_Carry, Any]:
        w, kept, diverged_at, known = judged(carry, index - 1)
        now = None if key is None else jax.random.fold_in(key, index)
        moved, states, memory = advance(carry.weights, carry.states, carry.memory, now)
        gone = diverged_at >= 0
        bad = ~(squared_norm(moved) <= DIVERGED**2)  # NaN is bad as well
        diverged_at = jnp.where(bad & ~gone, index, diverged_at)
        after = _Carry(where(gone | bad, w, moved), kept, states, memory, diverged_at, known)
        return after, kept if method.path else None

    states = tuple(optimizer.init(w) if optimizer else () for _ in halves)
    first = empty_tally(seen, rules, None if method.path else w)
    carry = _Carry(w, (w, seen) if method.path else w, states, source.first, jnp.int32(-1), first)
    carry = tied(carry, (problem, seen, rules, sizes, key))
    end, path = jax.lax.scan(step, carry, jnp.arange(1, method.steps + 1, dtype=jnp.int32))
    w, kept, diverged_at, known = judged(end, jnp.int32(method.steps))
    last = look(objective, w, target, metrics)
    shown = (w, last)
    if method.path:
        shown = jax.tree.map(lambda before, final: jnp.concatenate([before, final[None]]), path, kept)
    mark = Mark(jnp.int32(method.steps), last.distance, w)
    return finish(objective, *shown, known, diverged_at, mark, is_fine(at_oracle))


_compiled = jax.jit(_iterate, static_argnames="method")


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
    ascent_weight: Any = None,
    ascent_step_size: Any = None,
    batches: Literal["with replacement", "epoch"] = "with replacement",
    metrics: Metrics | None = None,
) -> Run:
    r"""Runs descent, ascent or descent-ascent from a start, and says where it should have stopped.

        w_{k+1} = w_k - eta (grad r - kappa grad f + lam w_k)   (simultaneous, "decay"; the module lists the others)

    Args:
        problem: SemiOrthogonal, CrossCorrelated, ToyLandscape, or `Losses` of your own.
        start: finite weights to start from, a pytree of the problem's shape. Arrays of floats keep their type, Python's numbers
            take the default float, other leaves stay as they are; "original" or "oracle" for those models.
        steps: number of steps >= 0; an alternating step is both half-steps.
        step_size: scalar eta > 0, unless an optimizer is given.
        mode: "simultaneous", "alternating", "ascent" or "descent".
        order: of the half-steps of "alternating", "retain-first" or "forget-first".
        ridge_in_ascent: "decay" or "ascended", see the module.
        optimizer: an optax transformation instead of plain steps; each half-step keeps a state of its own, and one that takes the
            value, its gradient or the function (a line search) is given what the half-step descends.
        record: "path" or "summary", see `Run`.
        batch_size: >= 1 samples drawn from each set in every (half-)step; None for all. `Losses` need data for it.
        key: of the batches, a typed key, jax.random.key(seed); needed with batch_size. `Losses` without data are called with it.
        oracle: finite weights of the start's shape that count as the oracle; None: the problem's own, `Losses` need them.
        test_level: any scalar, the forget loss at which the first rule stops; None: that rule never fires.
        retain_worsens: scalar >= 0, the fraction by which the retain loss may grow before the third rule stops.
        budget: step at which the fourth rule stops, 0 to steps; None: the last.
        ascent_weight: scalar kappa >= 0, weight of the forget loss where it is ascended; None: 1.
        ascent_step_size: scalar > 0, step of what is ascended, in simultaneous steps of the forget gradient; None: step_size.
        batches: "with replacement", or "epoch": without it, every sample once in each epoch, a batch of each set a step.
        metrics: dict of functions of the weights, each returning an array of any shape, looked at along the path.

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
    check_choice("batches", batches, ("with replacement", "epoch"))
    steps = _whole("steps", steps, 0)
    sizes = _sizes(step_size, ascent_step_size, ascent_weight, optimizer)
    if batch_size is not None:
        batch_size = _whole("batch_size", batch_size, 1)
        if key is None:
            raise invalid("key", key, "a typed key, jax.random.key(seed), when batch_size is given")
    if key is not None:
        _check_key(key)
    levels = levels_of(steps, test_level, retain_worsens, budget)
    start, oracle = objectives.start_and_oracle(problem, start, oracle, key, batch_size)
    _batches.check(problem, batch_size, batches)
    check_metrics(metrics, start)
    if batch_size is None and not isinstance(problem, Losses):
        key = None
    method = _Method(mode, order, ridge_in_ascent, batch_size, batches, steps, record == "path")
    given = problem, start, sizes, oracle, levels, key
    if optimizer is None and not metrics and not isinstance(problem, Losses):
        return _compiled(*given, method=method)
    return programs.run(functools.partial(_iterate, method=method, optimizer=optimizer, metrics=metrics), *given)


def check_choice(name: str, value: Any, choices: tuple[str, ...]) -> None:
    """Refuses a value that is not one of the choices.

    Args:
        name: of the argument, for the message.
        value: any object.
        choices: what it takes.

    Raises:
        ValueError: the value is none of them.

    Ours.
    """
    if not isinstance(value, str) or value not in choices:
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
    if test_level is not None:
        _check_scalar("test_level", test_level, "a real number, or None", lambda x: x == x)
    _check_scalar("retain_worsens", retain_worsens, "a number >= 0", lambda x: x >= 0)
    return {
        "test_level": jnp.asarray(jnp.inf if test_level is None else test_level, float),
        "retain_worsens": jnp.asarray(retain_worsens, float),
        "budget": jnp.int32(budget),
    }


def check_metrics(metrics: Any, weights: Any) -> None:
    """Refuses metrics that are no functions of the weights.

    Args:
        metrics: a dict of functions, or None.
        weights: the pytree that they are called on, once.

    Raises:
        ValueError: no dict with words as keys, or a function that fails on the weights or returns no array.

    Ours.
    """
    if metrics is None:
        return
    if not isinstance(metrics, Mapping) or not all(isinstance(k, str) and callable(f) for k, f in metrics.items()):
        raise invalid("metrics", metrics, "a dict of functions of the weights")
    for name, measure in metrics.items():
        try:
            jax.eval_shape(lambda w, measure=measure: jax.tree.map(jnp.asarray, measure(w)), weights)
        except Exception as error:
            said = f"{type(error).__name__}: {error}".splitlines()[0]
            takes = f"a function of the weights, written with jax.numpy, that returns an array; here {said}"
            raise invalid(f"metrics[{name!r}]", measure, takes) from error


def _sizes(step_size: Any, ascent_step_size: Any, ascent_weight: Any, optimizer: Any) -> _Sizes:
    """The sizes of a step, checked."""
    takes = "a finite number > 0"
    if optimizer is not None:
        for name, value in (("step_size", step_size), ("ascent_step_size", ascent_step_size)):
            if value is not None:
                raise invalid(name, value, "None when an optimizer is given, which has a step size of its own")
        if not isinstance(optimizer, optax.GradientTransformation):
            raise invalid("optimizer", optimizer, "an optax gradient transformation, for instance optax.adam(1e-2)")
    else:
        _check_scalar("step_size", step_size, f"{takes}, or an optimizer instead", lambda x: np.isfinite(x) and x > 0)
    if ascent_step_size is not None:
        _check_scalar("ascent_step_size", ascent_step_size, takes, lambda x: np.isfinite(x) and x > 0)
    if ascent_weight is not None:
        _check_scalar("ascent_weight", ascent_weight, "a finite number >= 0", lambda x: np.isfinite(x) and x >= 0)
    return _Sizes(step_size, ascent_step_size, ascent_weight)


def _check_scalar(name: str, value: Any, takes: str, holds: Callable[[Any], Any]) -> None:
    """Refuses what is no real scalar, or one that is known and not in range."""
    kind = None if value is None or isinstance(value, bool | str | bytes) else getattr(value, "dtype", None) or np.asarray(value).dtype
    real = kind is not None and (jnp.issubdtype(kind, jnp.integer) or jnp.issubdtype(kind, jnp.floating))
    if not real or np.shape(value) != () or not (isinstance(value, Tracer) or holds(np.asarray(value, float))):
        raise invalid(name, value, takes)
