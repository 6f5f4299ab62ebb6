r"""Gradient flow: the limit of an iteration for small steps, integrated with a stated tolerance."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jax.extend.core import ClosedJaxpr, jaxpr_as_fun

from ascentfail.core.errors import invalid
from ascentfail.dynamics.ascent import check_choice, check_metrics, levels_of
from ascentfail.dynamics.directions import MODES, Mode, RidgeInAscent, direction, half_steps
from ascentfail.dynamics.flow_kinks import is_smooth
from ascentfail.dynamics.flow_path import Inputs, Plan, follow
from ascentfail.dynamics.flow_steps import LOST, STUCK, Tolerance
from ascentfail.dynamics.stopping import (
    Mark,
    Metrics,
    Run,
    finish,
    first_tally,
    is_fine,
    look,
    rules_of,
    tally,
    where,
)
from ascentfail.numerics import programs
from ascentfail.numerics.loops import depend_on
from ascentfail.problems.protocol import start_and_oracle

_DENSE = 256  # weights up to which the derivative of the field is formed for stiff flows


def _integrate(
    problem: Any,
    start: Any,
    oracle: Any,
    times: jax.Array,
    levels: dict[str, Any],
    tolerance: Tolerance,
    ascent_weight: Any,
    *,
    mode: Mode,
    ridge_in_ascent: RidgeInAscent,
    quick: bool,
    metrics: Metrics | None = None,
) -> Run:
    objective = problem.objective(start)
    w, target = objective.split(start), objective.split(oracle)
    seen, at_oracle = look(objective, w, target, metrics), look(objective, target, target)
    rules = rules_of(seen, at_oracle, levels)
    gaps = jnp.diff(times).astype(seen.distance.dtype)
    field, consts, smooth = _field(problem, start, ascent_weight, w, mode, ridge_in_ascent)
    small = sum(jnp.size(leaf) for leaf in jax.tree.leaves(w)) <= _DENSE
    inputs = Inputs(consts, tolerance)
    path, status = follow(Plan(field, not smooth, small, quick), inputs, w, gaps)

    def until(carry: Any, at: Any) -> tuple[Any, Any]:
        known, kept, diverged_at = carry
        index, w, status = at
        now = look(objective, w, target, metrics)
        fine = is_fine(now)
        diverged_at = jnp.where((diverged_at < 0) & (~fine | (status == LOST)), index, diverged_at)
        kept = where(fine & ((diverged_at < 0) | (status == LOST)), (w, now), kept)
        return (tally(known, kept[1], index, rules), kept, diverged_at), kept

    index = jnp.arange(1, len(times), dtype=jnp.int32)
    carry = depend_on(
        (first_tally(seen, rules), (w, seen), jnp.int32(-1)), (inputs, seen, rules, path)
    )
    (known, last, diverged_at), shown = jax.lax.scan(until, carry, (index, path, status))
    weights, looks = jax.tree.map(
        lambda first, rest: jnp.concatenate([first[None], rest]), (w, seen), shown
    )
    unresolved_at = jnp.where(jnp.any(status == STUCK), jnp.argmax(status == STUCK) + 1, -1)
    mark = Mark(jnp.int32(len(times) - 1), last[1].distance, last[0])
    return finish(
        objective, weights, looks, known, diverged_at, mark, is_fine(at_oracle), unresolved_at
    )


_compiled = jax.jit(_integrate, static_argnames=("mode", "ridge_in_ascent", "quick"))


def _field(
    problem: Any, start: Any, ascent_weight: Any, w: Any, mode: Mode, ridge_in_ascent: RidgeInAscent
) -> tuple[Any, Any, bool]:
    """The velocity as a function of (consts, w) that reads nothing else, the consts, and whether the velocity is smooth.

    The consts hold what a loss has captured too, so that a flow can be differentiated by it.
    """
    given = problem, start, ascent_weight

    def velocity(given: Any, w: Any) -> Any:
        problem, start, ascent_weight = given
        objective = problem.objective(start)
        halves = half_steps(mode, "retain-first")
        ways = [
            direction(objective, w, terms, ridge_in_ascent, None, ascent_weight) for terms in halves
        ]
        return jax.tree.map(lambda *leaves: -functools.reduce(jnp.add, leaves), *ways)

    captured = jax.make_jaxpr(velocity)(given, w).consts
    # weights of a batch split over devices vary with all that moves them, and the program must be that of such weights
    traced = jax.make_jaxpr(velocity)(given, depend_on(w, (given, captured)))

    def field(consts: Any, w: Any) -> Any:
        given, captured = consts
        out = jaxpr_as_fun(ClosedJaxpr(traced.jaxpr, captured))(*jax.tree.leaves((given, w)))
        return jax.tree.unflatten(jax.tree.structure(w), out)

    smooth = not problem.holds_functions or is_smooth(traced.jaxpr)
    return field, (given, list(traced.consts)), smooth


def _times(times: Any) -> np.ndarray:
    takes = "two or more finite, increasing times in one dimension"
    try:
        known = np.asarray(times)
        known = known.astype(float) if known.dtype.kind in "iuf" else None
    except (TypeError, ValueError) as error:
        raise invalid("times", times, takes) from error
    if (
        known is None
        or known.ndim != 1
        or len(known) < 2
        or not np.all(np.isfinite(known))
        or not np.all(np.diff(known) > 0)
    ):
        raise invalid("times", times, takes)
    return known


def _check_number(name: str, value: Any, takes: str, holds: Callable[[Any], Any]) -> None:
    array = value if isinstance(value, Tracer) else np.asarray(value)
    real = jnp.issubdtype(array.dtype, jnp.floating) or jnp.issubdtype(array.dtype, jnp.integer)
    if np.shape(array) != () or not real or not (isinstance(value, Tracer) or holds(array)):
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
    ascent_weight: Any = None,
    metrics: Metrics | None = None,
) -> Run:
    r"""The flow that an iteration follows as its step goes to zero, looked at at given times.

        dw/dt = -(grad r - grad f + lam w)   (simultaneous; alternating: the sum of its half-steps, so with 2 lam w)

    Args:
        problem: as in `descent_ascent`.
        start: as in `descent_ascent`.
        times: (n,) increasing times, the first one that of the start; one step of `descent_ascent` takes time step_size.
        mode: as in `descent_ascent`.
        ridge_in_ascent: as in `descent_ascent`.
        rtol: in (0, 1), error allowed in a step relative to each weight, not taken below 8 units in the last place.
        atol: in (0, 1), error allowed beside it.
        oracle: as in `descent_ascent`.
        test_level: as in `descent_ascent`.
        retain_worsens: as in `descent_ascent`.
        budget: index of the time at which the fourth rule stops, 0 to n - 1; None: the last.
        ascent_weight: as in `descent_ascent`.
        metrics: as in `descent_ascent`.

    Returns:
        Run over the times. A flow that runs into a singularity in finite time (exponential loss without a minimum) has
        diverged_at the first time that it does not reach; one that could not be resolved with 120,000 steps of a kind between
        two times has unresolved_at the first time that it does not reach. Differentiable in forward and in reverse mode.

    Stiff flows of up to 256 weights are taken over by an implicit method of order 8. At a kink of a loss of your own the flow
    crosses, slides or rests, see `dynamics.flow_kinks`; its error there is not held to rtol: the tests allow three networks of
    rectifiers 30 rtol, and other networks have been seen farther off, or not resolved, which unresolved_at says.

    Raises:
        ValueError: an argument is out of range or of the wrong shape; a loss of your own fails or is no finite scalar at the
            start.

    Paper: Sec. 5.1.1, App. D.3.
    """
    check_choice("mode", mode, MODES)
    check_choice("ridge_in_ascent", ridge_in_ascent, ("decay", "ascended"))
    known = _times(times)
    for name, value in (("rtol", rtol), ("atol", atol)):
        _check_number(name, value, "a number between 0 and 1", lambda x: 0 < x < 1)
    if ascent_weight is not None:
        _check_number(
            "ascent_weight",
            ascent_weight,
            "a finite number >= 0, or None",
            lambda x: 0 <= x < np.inf,
        )
    levels = levels_of(len(known) - 1, test_level, retain_worsens, budget)
    start, oracle = start_and_oracle(problem, start, oracle)
    check_metrics(metrics, start)
    given = problem, start, oracle, jnp.asarray(known), levels, Tolerance(rtol, atol), ascent_weight

    def run(quick: bool) -> Run:
        how = {"mode": mode, "ridge_in_ascent": ridge_in_ascent, "quick": quick}
        if not metrics and not problem.holds_functions:
            return _compiled(*given, **how)
        return programs.run(functools.partial(_integrate, metrics=metrics, **how), *given)

    if not any(isinstance(leaf, Tracer) for leaf in jax.tree.leaves(given)):
        short = run(True)
        if not isinstance(short.unresolved_at, Tracer) and short.unresolved_at < 0:
            return short
    return run(False)
