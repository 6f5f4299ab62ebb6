r"""Gradient flow: the limit of an iteration for small steps, integrated with a stated tolerance."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from ascentfail import objectives
from ascentfail.dynamics import MODES, Mode, RidgeInAscent, check_choice, direction, half_steps, levels_of
from ascentfail.errors import invalid
from ascentfail.loops import tied
from ascentfail.objectives import squared_norm
from ascentfail.watch import DIVERGED, Mark, Run, finish, first_tally, is_fine, look, rules_of, tally, where

# Dormand and Prince's pair of orders 5 and 4: stages, weights of the fifth order, and its difference from the fourth.
_STAGES = (
    (1 / 5,),
    (3 / 40, 9 / 40),
    (44 / 45, -56 / 15, 32 / 9),
    (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
    (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
    (35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84),
)
_ERROR = (71 / 57600, 0.0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40)
_MOST_STEPS = 100_000  # a flow that wants more between two times counts as diverged: it runs into a singularity


class _State(NamedTuple):
    """An integration under way: weights, their velocity, the time left, the next step, steps taken, whether it diverged."""

    w: Any
    velocity: Any
    left: jax.Array
    step: jax.Array
    tries: jax.Array
    bad: jax.Array


def _combine(w: Any, step: Any, weights: tuple[float, ...], slopes: list[Any]) -> Any:
    """The weights moved by step times the weighted sum of the slopes."""
    used = [(c, slope) for c, slope in zip(weights, slopes, strict=False) if c]

    def move(leaf: Any, *ks: Any) -> Any:
        return leaf + step * sum(c * k for (c, _), k in zip(used, ks, strict=True))

    return jax.tree.map(move, w, *(slope for _, slope in used))


def _advance(field: Any, state: _State, rtol: Any, atol: Any) -> _State:
    """One trial step, accepted where its error is within the tolerance."""
    step = jnp.minimum(state.step, state.left)
    slopes = [state.velocity]
    new = state.w
    for row in _STAGES:
        new = _combine(state.w, step, row, slopes)
        slopes.append(field(new))
    error = _combine(jax.tree.map(jnp.zeros_like, new), step, _ERROR, slopes)
    allowed = jax.tree.map(lambda a, b: atol + rtol * jnp.maximum(jnp.abs(a), jnp.abs(b)), state.w, new)
    ratios = [jnp.max(jnp.abs(e) / s) for e, s in zip(jax.tree.leaves(error), jax.tree.leaves(allowed), strict=True)]
    size = functools.reduce(jnp.maximum, ratios)
    good = size <= 1  # NaN is not
    factor = jnp.where(size > 0, 0.9 * size**-0.2, 5.0)
    factor = jnp.where(jnp.isfinite(size), jnp.clip(factor, 0.2, 5.0), 0.2)
    w = where(good, new, state.w)
    lost = ~(squared_norm(w) <= DIVERGED**2) | (state.tries >= _MOST_STEPS) | (step <= 0)
    kept = jnp.where(good & (step < state.step), jnp.maximum(state.step, step * factor), step * factor)
    return _State(
        where(lost, state.w, w), where(good & ~lost, slopes[-1], state.velocity), jnp.where(good, state.left - step, state.left),
        kept, state.tries + 1, lost,
    )


@functools.partial(jax.jit, static_argnames=("mode", "ridge_in_ascent"))
def _integrate(
    problem: Any, start: Any, oracle: Any, times: jax.Array, levels: dict[str, Any], rtol: Any, atol: Any, mode: Mode,
    ridge_in_ascent: RidgeInAscent,
) -> Run:
    objective = objectives.of(problem, start)
    w, target = objective.split(start), objective.split(oracle)
    halves = half_steps(mode, "retain-first")

    def field(w: Any) -> Any:
        ways = [direction(objective, w, terms, ridge_in_ascent) for terms in halves]
        return jax.tree.map(lambda *leaves: -functools.reduce(jnp.add, leaves), *ways)

    seen = look(objective, w, target)
    at_oracle = look(objective, target, target)
    rules = rules_of(seen, at_oracle, levels)
    inputs = problem, seen, rules, times, rtol, atol
    w = tied(w, inputs)
    velocity = field(w)
    # a first step that moves the weights by a ten-thousandth, and grows from there
    step = 1e-4 * (1 + jnp.sqrt(squared_norm(w))) / jnp.maximum(jnp.sqrt(squared_norm(velocity)), 1e-12)

    def until(carry: Any, at: Any) -> Any:
        state, diverged_at, known, now = carry
        index, gap = at
        state = tied(state._replace(left=gap, tries=jnp.int32(0)), inputs)
        state = jax.lax.while_loop(
            lambda s: (s.left > 0) & ~s.bad, lambda s: _advance(field, s, rtol, atol), state
        )
        diverged_at = jnp.where(state.bad & (diverged_at < 0), index, diverged_at)
        now = look(objective, state.w, target)
        known = tally(known, now, index, rules)
        return (state, diverged_at, known, now), (state.w, now)

    dtype = seen.distance.dtype
    state = _State(w, velocity, jnp.zeros((), dtype), jnp.asarray(step, dtype), jnp.int32(0), jnp.array(False))
    gaps = jnp.diff(times).astype(dtype)
    index = jnp.arange(1, len(times), dtype=jnp.int32)
    carry = tied((state, jnp.int32(-1), first_tally(seen, rules), seen), inputs)
    (state, diverged_at, known, last), path = jax.lax.scan(until, carry, (index, gaps))
    shown, looks = jax.tree.map(lambda first, rest: jnp.concatenate([first[None], rest]), (w, seen), path)
    end = Mark(jnp.int32(len(times) - 1), last.distance, state.w)
    return finish(objective, shown, looks, known, diverged_at, end, is_fine(at_oracle))


def gradient_flow(
    problem: Any,
    start: Any,
    times: Any,
    *,
    mode: Mode = "simultaneous",
    ridge_in_ascent: RidgeInAscent = "decay",
    rtol: float = 1e-10,
    atol: float = 1e-12,
    oracle: Any = None,
    test_level: Any = None,
    retain_worsens: Any = 0.1,
    budget: int | None = None,
) -> Run:
    r"""The flow that an iteration follows as its step goes to zero, looked at at given times.

        dw/dt = -(grad r - grad f + lam w)   (simultaneous; alternating: the sum of its half-steps, so with 2 lam w)

    Args:
        problem: as in `descent_ascent`.
        start: as in `descent_ascent`.
        times: (n,) increasing times, the first one that of the start; one step of `descent_ascent` takes time step_size.
        mode: as in `descent_ascent`.
        ridge_in_ascent: as in `descent_ascent`.
        rtol: in (0, 1), error allowed in a step relative to each weight, of the adaptive Dormand-Prince pair 5(4).
        atol: in (0, 1), error allowed beside it.
        oracle: as in `descent_ascent`.
        test_level: as in `descent_ascent`.
        retain_worsens: as in `descent_ascent`.
        budget: index of the time at which the fourth rule stops, 0 to n - 1; None: the last.

    Returns:
        Run over the times. A flow that runs into a singularity in finite time (exponential loss without a minimum) has
        diverged_at the first time that it does not reach.

    Raises:
        ValueError: an argument is out of range or of the wrong shape; a loss of your own fails or is no finite scalar at the
            start.

    Paper: Sec. 5.1.1, App. D.3.
    """
    check_choice("mode", mode, MODES)
    check_choice("ridge_in_ascent", ridge_in_ascent, ("decay", "ascended"))
    takes = "two or more finite, increasing times in one dimension"
    try:
        known = np.asarray(times, float)
    except (TypeError, ValueError) as error:
        raise invalid("times", times, takes) from error
    if known.ndim != 1 or len(known) < 2 or not np.all(np.isfinite(known)) or not np.all(np.diff(known) > 0):
        raise invalid("times", times, takes)
    for name, value in (("rtol", rtol), ("atol", atol)):
        if not 0 < value < 1:
            raise invalid(name, value, "a number between 0 and 1")
    levels = levels_of(len(known) - 1, test_level, retain_worsens, budget)
    start, oracle = objectives.start_and_oracle(problem, start, oracle)
    return _integrate(problem, start, oracle, jnp.asarray(known), levels, rtol, atol, mode, ridge_in_ascent)
