r"""Gradient flow: the limit of an iteration for small steps, integrated with a stated tolerance."""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from ascentfail import objectives
from ascentfail.dynamics import MODES, Mode, RidgeInAscent, check_choice, direction, half_steps, levels_of
from ascentfail.errors import invalid
from ascentfail.flow_path import Inputs, Plan, follow
from ascentfail.flow_steps import LOST, STUCK, Tolerance
from ascentfail.loops import tied
from ascentfail.watch import Run, Seen, Tally, finish, first_tally, look, rules_of, tally

_DENSE = 256  # weights up to which the derivative of the field is formed for stiff flows


@functools.partial(jax.jit, static_argnames=("mode", "ridge_in_ascent", "quick"))
def _integrate(
    problem: Any, start: Any, oracle: Any, times: jax.Array, levels: dict[str, Any], rtol: Any, atol: Any, mode: Mode,
    ridge_in_ascent: RidgeInAscent, quick: bool,
) -> tuple[Run, Any]:
    objective = objectives.of(problem, None)
    w, target = objective.split(start), objective.split(oracle)
    halves = half_steps(mode, "retain-first")

    def field(problem: Any, w: Any) -> Any:
        objective = objectives.of(problem, None)
        ways = [direction(objective, w, terms, ridge_in_ascent) for terms in halves]
        return jax.tree.map(lambda *leaves: -functools.reduce(jnp.add, leaves), *ways)

    flow = Plan(field, isinstance(problem, objectives.Losses), sum(jnp.size(x) for x in jax.tree.leaves(w)) <= _DENSE, quick)
    inputs = Inputs(problem, Tolerance(rtol, atol))
    seen = look(objective, w, target)
    rules = rules_of(objective, target, seen, levels)
    gaps = jnp.diff(times).astype(seen.distance.dtype)
    path, status = follow(flow, inputs, w, gaps)

    def until(known: Tally, at: Any) -> tuple[Tally, Seen]:
        index, w = at
        now = look(objective, w, target)
        return tally(known, now, index, rules), now

    index = jnp.arange(1, len(times), dtype=jnp.int32)
    known, looks = jax.lax.scan(until, tied(first_tally(seen, rules), (inputs, seen, rules, path)), (index, path))
    last = jax.tree.map(lambda leaf: leaf[-1], looks)
    shown, looks = jax.tree.map(lambda first, rest: jnp.concatenate([first[None], rest]), (w, seen), (path, looks))
    diverged_at, unresolved_at = (jnp.where(jnp.any(status == s), jnp.argmax(status == s) + 1, -1) for s in (LOST, STUCK))
    run = finish(objective, shown, looks, known, diverged_at.astype(jnp.int32), last, len(times) - 1)
    return run, unresolved_at.astype(jnp.int32)


def _times(times: Any) -> np.ndarray:
    takes = "two or more finite, increasing times in one dimension"
    try:
        known = np.asarray(times)
        known = known.astype(float) if known.dtype.kind in "iuf" else None
    except (TypeError, ValueError) as error:
        raise invalid("times", times, takes) from error
    if known is None or known.ndim != 1 or len(known) < 2 or not np.all(np.isfinite(known)) or not np.all(np.diff(known) > 0):
        raise invalid("times", times, takes)
    return known


def _check_tolerance(name: str, value: Any) -> None:
    takes = "a number between 0 and 1"
    array = value if isinstance(value, Tracer) else np.asarray(value)
    if np.shape(array) != () or not jnp.issubdtype(array.dtype, jnp.floating):
        raise invalid(name, value, takes)
    if not isinstance(value, Tracer) and not 0 < value < 1:
        raise invalid(name, value, takes)


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
    known = _times(times)
    for name, value in (("rtol", rtol), ("atol", atol)):
        _check_tolerance(name, value)
    levels = levels_of(len(known) - 1, test_level, retain_worsens, budget)
    start, oracle = objectives.start_and_oracle(problem, start, oracle)
    given = problem, start, oracle, jnp.asarray(known), levels, rtol, atol
    if not any(isinstance(leaf, Tracer) for leaf in jax.tree.leaves(given)):
        run, unresolved_at = _integrate(*given, mode, ridge_in_ascent, True)
        if not isinstance(unresolved_at, Tracer) and unresolved_at < 0:
            return run
    return _integrate(*given, mode, ridge_in_ascent, False)[0]
