r"""One step of an iteration: which terms it follows, in which direction, and how far."""

from __future__ import annotations

import functools
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import optax

from ascentfail.core.errors import invalid
from ascentfail.problems.protocol import Objective

Mode = Literal["simultaneous", "alternating", "ascent", "descent"]
Order = Literal["retain-first", "forget-first"]
RidgeInAscent = Literal["decay", "ascended"]
MODES = ("simultaneous", "alternating", "ascent", "descent")


class Sizes(NamedTuple):
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
    objective: Objective,
    w: Any,
    terms: tuple[str, ...],
    ridge_in_ascent: RidgeInAscent,
    batch: Any = None,
    ascent_weight: Any = None,
) -> Any:
    """The direction that a (half-)step descends: g = s_R grad r + s_F grad f + s lam w.

        s_R = 1 and s_F = -kappa for the terms named, else 0;   s = 1 for "decay", s_R + s_F for "ascended"

    Args:
        objective: see `protocol.Objective`.
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


def _descended(
    objective: Objective, terms: Any, ridge_in_ascent: Any, batch: Any, ascent_weight: Any
) -> tuple[Any, Any]:
    """What a (half-)step descends without the ridge, a function of w, and the factor of the ridge."""
    signs = {"retain": 1.0, "forget": -1.0 if ascent_weight is None else -ascent_weight}

    def descended(w: Any) -> jax.Array:
        means = dict(zip(signs, objective.means(w, batch), strict=True))
        return functools.reduce(
            jnp.add, [_like(signs[term], means[term]) * means[term] for term in terms]
        )

    return descended, sum(signs[term] for term in terms) if ridge_in_ascent == "ascended" else 1.0


def _like(number: Any, array: jax.Array) -> Any:
    """A number in the type of an array, so that the array keeps it."""
    return number if isinstance(number, float) else jnp.asarray(number).astype(array.dtype)


def _with_ridge(way: Any, turns: Any, ridge: Any) -> Any:
    return jax.tree.map(lambda g, r: g + _like(turns, r) * r, way, ridge)


def plain(
    objective: Objective,
    w: Any,
    terms: tuple[str, ...],
    ridge_in_ascent: RidgeInAscent,
    sizes: Sizes,
    batch: Any,
) -> Any:
    """The weights after a plain (half-)step."""
    step, weight = sizes.step, sizes.ascent_weight
    if sizes.ascent_step is not None:
        if terms == ("forget",):
            step = sizes.ascent_step
        elif (
            "forget" in terms
        ):  # one step of the descent's size, in which the ascent weighs as much as its own size says
            weight = sizes.ascent_step / sizes.step * (1.0 if weight is None else weight)
    way = direction(objective, w, terms, ridge_in_ascent, batch, weight)
    return jax.tree.map(lambda leaf, d: leaf - _like(step, leaf) * d, w, way)


def optimized(
    optimizer: Any,
    objective: Objective,
    w: Any,
    state: Any,
    terms: tuple[str, ...],
    ridge_in_ascent: RidgeInAscent,
    ascent_weight: Any,
    batch: Any,
) -> tuple[Any, Any]:
    """The weights after a (half-)step of an optimizer, and its state; it is given value, gradient and function if it takes them.

    Raises:
        ValueError: the optimizer wants anything else, or its state changes its shape.
    """
    descended, turns = _descended(objective, terms, ridge_in_ascent, batch, ascent_weight)

    def with_ridge(value: jax.Array, w: Any) -> jax.Array:
        return value + (turns * objective.ridge(w)).astype(value.dtype)

    value, way = jax.value_and_grad(descended)(w)
    way = _with_ridge(way, turns, objective.ridge_gradient(w))
    extra: dict[str, Any] = {}
    if isinstance(optimizer, optax.GradientTransformationExtraArgs):
        extra = {
            "value": with_ridge(value, w),
            "grad": way,
            "value_fn": lambda w: with_ridge(descended(w), w),
        }
    try:
        with jax.numpy_dtype_promotion(
            "standard"
        ):  # optax counts steps in int32 and multiplies floats by them
            updates, after = optimizer.update(way, state, w, **extra)
            moved = optax.apply_updates(w, updates)
        after = jax.tree.map(
            lambda new, old: jnp.asarray(new).astype(jnp.asarray(old).dtype), after, state
        )
    except Exception as error:
        said = f"{type(error).__name__}: {error}".splitlines()[0]
        takes = f"an optax transformation that needs value, grad and value_fn at most; here {said}"
        raise invalid("optimizer", optimizer, takes) from error
    return moved, after
