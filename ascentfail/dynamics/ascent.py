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
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.core import Tracer

from ascentfail.core.errors import invalid
from ascentfail.core.explained import check_key
from ascentfail.dynamics.directions import (
    MODES,
    Mode,
    Order,
    RidgeInAscent,
    Sizes,
    direction,
    half_steps,
)
from ascentfail.dynamics.iterate import Method, iterate
from ascentfail.dynamics.stopping import Metrics, Run
from ascentfail.numerics import programs
from ascentfail.problems.protocol import start_and_oracle

__all__ = [
    "check_choice",
    "check_metrics",
    "descent_ascent",
    "direction",
    "half_steps",
    "levels_of",
]

# The paper's problems with plain steps hold no function of the user's: one program for each method, kept by JAX.
_compiled = jax.jit(iterate, static_argnames="method")


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
    stop_weights: bool = True,
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
        stop_weights: whether a summary keeps the weights at the best stop and at each rule's; a path has them in any case. For
            thousands of small problems at once they are half of the work.

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
    if not isinstance(stop_weights, bool):
        raise invalid("stop_weights", stop_weights, "True or False")
    sizes = _sizes(step_size, ascent_step_size, ascent_weight, optimizer)
    if batch_size is not None:
        batch_size = _whole("batch_size", batch_size, 1)
        if key is None:
            raise invalid("key", key, "a typed key, jax.random.key(seed), when batch_size is given")
    if key is not None:
        check_key(key)
    levels = levels_of(steps, test_level, retain_worsens, budget)
    start, oracle = start_and_oracle(problem, start, oracle, key, batch_size)
    problem.check_batches(batch_size, batches)
    check_metrics(metrics, start)
    if batch_size is None and not problem.holds_functions:
        key = None
    method = Method(
        mode, order, ridge_in_ascent, batch_size, batches, steps, record == "path", stop_weights
    )
    given = problem, start, sizes, oracle, levels, key
    if optimizer is None and not metrics and not problem.holds_functions:
        return _compiled(*given, method=method)
    return programs.run(
        functools.partial(iterate, method=method, optimizer=optimizer, metrics=metrics), *given
    )


def check_choice(name: str, value: Any, choices: tuple[str, ...]) -> None:
    """Refuses a value that is not one of the choices.

    Args:
        name: of the argument, for the message.
        value: any object, refused unless it is one of `choices`.
        choices: what it takes.

    Raises:
        ValueError: the value is none of them.
    """
    if not isinstance(value, str) or value not in choices:
        raise invalid(name, value, " or ".join(repr(x) for x in choices))


def _whole(name: str, value: Any, low: int, high: int | None = None) -> int:
    takes = f"a whole number >= {low}" + ("" if high is None else f" and <= {high}")
    if (
        isinstance(value, bool)
        or not isinstance(value, int | np.integer)
        or value < low
        or (high is not None and value > high)
    ):
        raise invalid(name, value, takes)
    return int(value)


def levels_of(
    steps: int, test_level: Any, retain_worsens: Any, budget: int | None
) -> dict[str, Any]:
    """The levels of the stopping rules, checked.

    Args:
        steps: number of steps, >= 0.
        test_level: any scalar, the forget loss at which the first rule stops; None: never.
        retain_worsens: scalar >= 0, the fraction by which the retain loss may grow.
        budget: step at which the fourth rule stops, 0 to steps; None: the last.

    Returns:
        "test_level" (inf for None), "retain_worsens" and "budget", scalars; the last step is no budget, None.

    Raises:
        ValueError: a level is out of its range.
    """
    budget = steps if budget is None else _whole("budget", budget, 0, steps)
    if test_level is not None:
        _check_scalar("test_level", test_level, "a real number, or None", lambda x: x == x)
    _check_scalar("retain_worsens", retain_worsens, "a number >= 0", lambda x: x >= 0)
    return {
        "test_level": jnp.asarray(jnp.inf if test_level is None else test_level, float),
        "retain_worsens": jnp.asarray(retain_worsens, float),
        "budget": None if budget == steps else jnp.int32(budget),
    }


def check_metrics(metrics: Any, weights: Any) -> None:
    """Refuses metrics that are no functions of the weights.

    Args:
        metrics: a dict, each value a function of the weights; or None.
        weights: the pytree that they are called on, once.

    Raises:
        ValueError: no dict with words as keys, or a function that fails on the weights or returns no array.
    """
    if metrics is None:
        return
    if not isinstance(metrics, Mapping) or not all(
        isinstance(k, str) and callable(f) for k, f in metrics.items()
    ):
        raise invalid("metrics", metrics, "a dict of functions of the weights")
    for name, measure in metrics.items():
        try:
            jax.eval_shape(
                lambda w, measure=measure: jax.tree.map(jnp.asarray, measure(w)), weights
            )
        except Exception as error:
            said = f"{type(error).__name__}: {error}".splitlines()[0]
            takes = f"a function of the weights, written with jax.numpy, that returns an array; here {said}"
            raise invalid(f"metrics[{name!r}]", measure, takes) from error


def _sizes(step_size: Any, ascent_step_size: Any, ascent_weight: Any, optimizer: Any) -> Sizes:
    """The sizes of a step, checked."""
    takes = "a finite number > 0"
    if optimizer is not None:
        for name, value in (("step_size", step_size), ("ascent_step_size", ascent_step_size)):
            if value is not None:
                raise invalid(
                    name, value, "None when an optimizer is given, which has a step size of its own"
                )
        if not isinstance(optimizer, optax.GradientTransformation):
            raise invalid(
                "optimizer",
                optimizer,
                "an optax gradient transformation, for instance optax.adam(1e-2)",
            )
    else:
        _check_scalar(
            "step_size",
            step_size,
            f"{takes}, or an optimizer instead",
            lambda x: np.isfinite(x) and x > 0,
        )
    if ascent_step_size is not None:
        _check_scalar(
            "ascent_step_size", ascent_step_size, takes, lambda x: np.isfinite(x) and x > 0
        )
    if ascent_weight is not None:
        _check_scalar(
            "ascent_weight",
            ascent_weight,
            "a finite number >= 0",
            lambda x: np.isfinite(x) and x >= 0,
        )
    return Sizes(step_size, ascent_step_size, ascent_weight)


def _check_scalar(name: str, value: Any, takes: str, holds: Callable[[Any], Any]) -> None:
    """Refuses what is no real scalar, or one that is known and not in range."""
    number = isinstance(
        value, int | float | np.ndarray | np.generic | jax.Array
    ) and not isinstance(value, bool)
    if not number or np.shape(value) != () or not _is_real(jnp.result_type(value)):
        raise invalid(name, value, takes)
    if not isinstance(value, Tracer) and not holds(np.asarray(value, float)):
        raise invalid(name, value, takes)


def _is_real(kind: Any) -> bool:
    return jnp.issubdtype(kind, jnp.integer) or jnp.issubdtype(kind, jnp.floating)
