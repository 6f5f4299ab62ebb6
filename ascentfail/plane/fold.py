"""The fold of descent-ascent in the plane, where its minimum and its saddle meet (exponential loss), in JAX."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from ascentfail.numerics.loops import depend_on
from ascentfail.numerics.special import log_lambertw_exp_start

_STEPS = 16  # 8 were the most that any of 60,000 problems needed over b 1e-6..1e8 and 1 - epsilon 0, 1e-14..1


@jax.custom_batching.custom_vmap
def _everywhere(done: Any) -> Any:
    """Whether every problem of the batch is done. The loop asks this one question, so that it need not freeze those that are."""
    return jnp.all(done)


@_everywhere.def_vmap
def _everywhere_in_batch(axis_size: int, in_batched: Any, done: Any) -> tuple[Any, bool]:
    del axis_size, in_batched
    return _everywhere(jnp.all(done)), False


def repeat(step: Callable[[Any], Any], state: Any, limit: int) -> Any:
    """The state after steps until its last entry, `done`, holds everywhere, and `limit` at most.

    A batch under `jax.vmap` leaves the loop when the last of its problems is done, so a step must keep what is done.
    """

    def again(carry: Any) -> Any:
        return (carry[0] < limit) & ~_everywhere(carry[1][-1])

    return jax.lax.while_loop(again, lambda carry: (carry[0] + 1, step(carry[1])), (0, state))[1]


def fold(log_beta: Any, q: Any, rest: Any, reach: float) -> tuple[Any, Any]:
    """(A, B) where minimum and saddle of descent-ascent meet, by Halley steps in ln A until the last is below `reach`."""
    square = rest * (1 + q)  # 1 - q^2
    # A lies between W(beta e^q) and both e beta and W(beta e^{q/(1 - q^2)}), since 1 <= B <= 1/(1 - q^2)
    lower = log_lambertw_exp_start(log_beta + q)
    far = jnp.where(
        square > 0, log_lambertw_exp_start(log_beta + q / jnp.where(square > 0, square, 1)), jnp.inf
    )
    start = (lower + jnp.maximum(lower, jnp.minimum(1 + log_beta, far))) / 2

    def step(state: Any) -> Any:
        u, done = state
        a = jnp.exp(u)
        r = 1 / (1 + square * a)
        # `plane.equations.fold_equation`; A - q B as one fraction, since next to q = 1 the two are large and nearly the same
        value = u - log_beta + (a * (rest + square * a) - q) * r
        rise = a * _fold_slope(a, q, rest)
        newton = value / (1 + rise)
        move = newton / (
            1 - newton * (rise + 2 * q * q * q * square * a * a * r * r * r) / (2 + 2 * rise)
        )
        return jnp.where(done, u, u - move), done | ~(jnp.abs(move) > reach)

    u, _ = repeat(
        step, depend_on((start, jnp.zeros_like(start, bool)), (log_beta, q, rest)), _STEPS
    )
    a = jnp.exp(u)
    return a, (1 + a) / (1 + square * a)


def _fold_slope(a: Any, q: Any, rest: Any) -> Any:
    """1 - q^3/(1 + (1 - q^2) A)^2 as a sum of terms >= 0, of which next to q = 1 only the last digits are left."""
    square = rest * (1 + q)
    r = 1 / (1 + square * a)
    return square * a * r * (1 + r) + r * r * rest * (1 + q + q * q)


@jax.custom_jvp
def fold_point(log_beta: Any, q: Any, rest: Any) -> tuple[Any, Any]:
    """(A, B) where minimum and saddle of descent-ascent meet.

    Args:
        log_beta: logarithm of the pull of the retain samples.
        q: cosine, 0 to 1.
        rest: 1 - q with every digit; a change of it counts as one of q only.

    Returns:
        (A, B), the root of `plane.equations.fold_equation`, for the exponential loss. Differentiable to every order.

    Source: beyond the paper.
    """
    log_beta, q, rest = jnp.broadcast_arrays(
        *(jnp.asarray(x, jnp.result_type(log_beta, q, float)) for x in (log_beta, q, rest))
    )
    return fold(
        log_beta, q, rest, float(jnp.finfo(q.dtype).eps) ** (1 / 3)
    )  # the step triples the digits


@fold_point.defjvp
def _fold_point_jvp(primals: Any, tangents: Any) -> Any:
    (_, q, rest), (dlog_beta, dq, _) = primals, tangents
    a, b = fold_point(*primals)
    r = 1 / (1 + rest * (1 + q) * a)
    by_q = 2 * q * a * b * r  # dB/dq for given A; dB/dA is (q r)^2
    da = a * (dlog_beta + (b + q * by_q) * dq) / (1 + a * _fold_slope(a, q, rest))
    return (a, b), (da, (q * r) ** 2 * da + by_q * dq)
