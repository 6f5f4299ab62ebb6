r"""The path of a gradient flow: which step is taken when, where the work ends, and the derivatives of the path in both modes."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from ascentfail.dynamics.flow_kinks import meet, no_kinks, slide
from ascentfail.dynamics.flow_steps import (
    LOST,
    RUNNING,
    STUCK,
    State,
    Tolerance,
    allowed,
    explicit,
    implicit,
    largest,
    settled,
)
from ascentfail.dynamics.stopping import where
from ascentfail.numerics.loops import depend_on, join_floats, split_floats, while_loop
from ascentfail.problems.protocol import squared_norm

_TRIES = 300  # steps tried in a block, after which it is decided anew which step to take
_SHORT = 1e4  # a step that moves no weight by so many of the errors allowed and still fails may have met a jump
_BEND = 0.3  # times sqrt(rtol): the part of a weight that such a step moves at most; up to a jump the path is taken as straight
_QUICK = 1000  # steps tried between two times before anything but the explicit step is compiled
_BLOCKS = 400  # blocks between two times, after which the flow counts as not resolved


class Plan(NamedTuple):
    """What is fixed when a flow is compiled.

    Attributes:
        field: (consts, w) -> velocity, a function.
        kinks: boolean, whether the field may jump.
        dense: boolean, whether the derivative of the field is small enough to be formed.
        quick: boolean, whether only the explicit step is there; what is not done with 1000 of them between two times is STUCK.
        most: (blocks, tries) >= 1, of a path that is differentiated in reverse, shape (2,); None: of any other.
    """

    field: Callable[[Any, Any], Any]
    kinks: bool
    dense: bool
    quick: bool = False
    most: tuple[int, int] | None = None


class Inputs(NamedTuple):
    """All that an integration reads, a pytree.

    Attributes:
        consts: pytree, what the field reads.
        tolerance: see `Tolerance`.
    """

    consts: Any
    tolerance: Tolerance


def _sliding(state: State) -> Any:
    return False if state.kinks is None else jnp.any(state.kinks.on)


def _going(state: State) -> jax.Array:
    return (state.left > 0) & (state.status == RUNNING)


def _in_block(state: State) -> jax.Array:
    return _going(state) & ~state.hit & (state.tries < _TRIES)


def _begun(state: State, tolerance: Tolerance) -> State:
    """A new block: no tries yet, and the step below which a failure means a jump."""
    if state.kinks is None:
        return state._replace(tries=jnp.zeros_like(state.tries))
    rate = jax.lax.stop_gradient(largest(state.velocity, allowed(tolerance, state.w)))
    short = jnp.minimum(_SHORT, _BEND / jnp.sqrt(jnp.asarray(tolerance.rtol))).astype(rate.dtype)
    limit = short * state.kinks.doubt.astype(rate.dtype) / jnp.where(rate > 0, rate, jnp.inf)
    return state._replace(tries=jnp.zeros_like(state.tries), limit=limit.astype(state.limit.dtype))


def _decided(
    field: Callable[[Any], Any], dense: bool, before: State, state: State, tolerance: Tolerance
) -> State:
    """After a block: whether the flow has run into a singularity, rests for good, or is stiff."""
    speed, old = squared_norm(state.velocity), squared_norm(before.velocity)
    # a whole block in which the clock stood still while the velocity grew
    lost = (state.left == before.left) & (state.tries >= _TRIES) & (speed > old) & ~state.hit
    state = state._replace(status=jnp.where(lost, LOST, state.status))
    if state.kinks is not None:
        sure = jnp.where(
            state.tries >= _TRIES, jnp.minimum(10 * state.kinks.doubt, 1.0), state.kinks.doubt
        )
        state = state._replace(kinks=state.kinks._replace(doubt=sure))
    full = _going(state) & (state.tries >= _TRIES)
    if not dense:
        # what slides along kinks is left to its steps
        return jax.lax.cond(
            full & jnp.logical_not(_sliding(state)),
            lambda s: settled(field, s, tolerance),
            lambda s: s,
            state,
        )
    # an implicit step is tried at least once in a block that could not end: it finds out whether the flow is stiff
    return state._replace(stiff=state.stiff | full)


def _block(plan: Plan, inputs: Inputs, carry: tuple[jax.Array, State]) -> tuple[jax.Array, State]:
    """At most 300 steps of each kind, and what is decided after them."""
    count, before = carry
    tries = None if plan.most is None else plan.most[1]

    def run(wanted: Callable[[State], Any], step: Callable[..., State], state: State) -> State:
        def turn(inputs: Inputs, s: State) -> State:
            return step(functools.partial(plan.field, inputs.consts), s, inputs.tolerance)

        return while_loop(lambda _, s: _in_block(s) & wanted(s), turn, inputs, state, tries)

    rolled = functools.partial(explicit, rolled=True)
    first = (
        explicit if tries is None else rolled
    )  # what is differentiated in reverse is compiled several times
    state = run(
        lambda s: jnp.logical_not(s.stiff | _sliding(s)), first, _begun(before, inputs.tolerance)
    )
    field = functools.partial(plan.field, inputs.consts)
    if plan.dense:
        state = state._replace(tries=jnp.where(state.stiff, 0, state.tries))
        state = run(lambda s: s.stiff & jnp.logical_not(_sliding(s)), implicit, state)
        state = state._replace(velocity=where(_sliding(state), state.velocity, field(state.w)))
    if plan.kinks:
        state = run(lambda s: _sliding(s) & ~s.stiff, functools.partial(slide, rolled), state)
        if plan.dense:
            state = run(lambda s: _sliding(s) & s.stiff, functools.partial(slide, implicit), state)
    state = _decided(field, plan.dense, before, state, inputs.tolerance)
    if plan.kinks:
        state = jax.lax.cond(
            state.hit, lambda s: meet(field, s, inputs.tolerance), lambda s: s, state
        )
        state = state if plan.dense else state._replace(stiff=before.stiff)
    stuck = _going(state) & (count + 1 >= _BLOCKS)
    return count + 1, state._replace(status=jnp.where(stuck, STUCK, state.status))


def _quick(plan: Plan, inputs: Inputs, carry: tuple[jax.Array, State]) -> tuple[jax.Array, State]:
    """All that a short flow needs, which compiles fast."""
    count, state = carry
    tried = explicit(functools.partial(plan.field, inputs.consts), state, inputs.tolerance)
    stuck = _going(tried) & (count + 1 >= _QUICK)
    return count + 1, tried._replace(status=jnp.where(stuck, STUCK, tried.status))


def _begin(plan: Plan, inputs: Inputs, w: Any, dtype: Any) -> State:
    w = depend_on(w, inputs)
    velocity = plan.field(inputs.consts, w)
    # a first step that moves the weights by a ten-thousandth, and grows from there
    step = (
        1e-4
        * (1 + jnp.sqrt(squared_norm(w)))
        / jnp.maximum(jnp.sqrt(squared_norm(velocity)), 1e-12)
    )
    zero, never = jnp.zeros((), dtype), jnp.array(False)
    step = jax.lax.stop_gradient(jnp.asarray(step, dtype))
    kinks = no_kinks(w) if plan.kinks and not plan.quick else None
    return State(
        w, velocity, zero, step, jnp.int32(0), jnp.int32(RUNNING), never, zero, never, kinks
    )


def _follow(plan: Plan, inputs: Inputs, w: Any, gaps: jax.Array) -> tuple[Any, jax.Array]:
    blocks = None if plan.most is None else plan.most[0]

    def until(state: State, gap: jax.Array) -> tuple[State, Any]:
        carry = depend_on((jnp.int32(0), state._replace(left=gap)), (inputs, gaps))
        body = functools.partial(_quick if plan.quick else _block, plan)
        state = while_loop(lambda _, c: _going(c[1]), body, inputs, carry, blocks)[1]
        return state, (state.w, state.status)

    state = depend_on(_begin(plan, inputs, w, gaps.dtype), (inputs, gaps))
    return jax.lax.scan(until, state, gaps)[1]


@functools.partial(jax.custom_jvp, nondiff_argnums=(0,))
def follow(plan: Plan, inputs: Inputs, w: Any, gaps: jax.Array) -> tuple[Any, jax.Array]:
    """The weights at the times, and the status of the integration there.

    Differentiable in both modes. Forward mode differentiates the loops as they run. Reverse mode runs them again, stores the
    states between blocks of steps and, block by block, those between steps, and differentiates the steps from the last to the
    first; nothing is stored unless such a derivative is asked for. Both are the derivative of the steps taken, with their sizes
    held fixed. Reverse mode of reverse mode is refused; forward mode of forward mode works.

    Args:
        plan: see `Plan`.
        inputs: see `Inputs`.
        w: pytree of finite weights, the start.
        gaps: (n,) times > 0 between one look and the next.

    Returns:
        path: w with a leading axis (n,); the last weights reached are repeated where the flow did not go on.
        status: (n,) int32, RUNNING = 0 where the time was reached, LOST or STUCK. Never raises.
    """
    return _follow(plan, inputs, w, gaps)


@follow.defjvp
def _(plan: Plan, primals: Any, tangents: Any) -> tuple[Any, Any]:
    path, status = follow(plan, *primals)
    others, floats = split_floats(primals)
    leaves = jax.tree.leaves(tangents)
    is_float = [leaf is None for leaf in others[1]]
    dots = [dot for f, dot in zip(is_float, leaves, strict=True) if f]
    moved = _linear(plan, others, floats, dots)
    return (path, status), (moved, jnp.zeros(status.shape, jax.dtypes.float0))


def _tangent(plan: Plan, others: Any, floats: Any, dots: Any) -> Any:
    """The derivative of the path along dots, by forward mode through the loops."""
    return jax.jvp(lambda f: _follow(plan, *join_floats(others, f))[0], (floats,), (dots,))[1]


def _linear(plan: Plan, others: Any, floats: Any, dots: Any) -> Any:
    """`_tangent` as a linear map that JAX can transpose.

    JAX has one public operation whose transpose is given by hand, the linear solve. The map L stands in it as part of the
    inverse of ((1, 0), (-L, 1)), which is ((1, 0), (L, 1)); only the two solves are ever called, not the matrix.
    """

    @jax.custom_jvp
    def linear(floats: Any, dots: Any) -> Any:
        floats = _once(floats)

        def solve(_: Any, b: Any) -> Any:
            return b[0], jax.tree.map(jnp.add, b[1], _tangent(plan, others, floats, b[0]))

        def transposed(_: Any, b: Any) -> Any:
            again = plan._replace(most=(_BLOCKS, _TRIES))
            back = jax.vjp(lambda f: _follow(again, *join_floats(others, f))[0], floats)[1](b[1])[0]
            return jax.tree.map(jnp.add, b[0], back), b[1]

        path = jax.eval_shape(functools.partial(_tangent, plan, others), floats, dots)
        # every part must be a function of the tangents, or JAX does not transpose the solve
        none = functools.reduce(
            jnp.add, [0.0 * jnp.sum(dot).astype(dots[-1].dtype) for dot in dots]
        )
        zeros = jax.tree.map(
            lambda leaf: jnp.zeros(leaf.shape, leaf.dtype) + none.astype(leaf.dtype), path
        )
        dots = [dot + none.astype(dot.dtype) for dot in dots]
        return jax.lax.custom_linear_solve(lambda x: x, (dots, zeros), solve, transposed)[1]

    def rule(primals: Any, tangents: Any) -> Any:
        second = jax.jvp(
            lambda f: _tangent(plan, others, f, primals[1]), primals[:1], tangents[:1]
        )[1]
        return linear(*primals), jax.tree.map(jnp.add, linear(primals[0], tangents[1]), second)

    linear.defjvp(rule)
    return linear(floats, dots)


@jax.custom_jvp
def _once(floats: Any) -> Any:
    return floats


@_once.defjvp
def _(primals: Any, tangents: Any) -> Any:
    raise TypeError(
        "gradient_flow: no derivative of a derivative in reverse mode; take both in forward mode, jax.jacfwd"
    )
