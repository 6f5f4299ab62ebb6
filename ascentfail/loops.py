"""What a compiled loop starts from, so that it also runs on a batch that is split over devices."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np


def tied(carry: Any, inputs: Any) -> Any:
    """The carry of a loop, unchanged, but as a function of all that the loop reads.

        carry where any input equals itself, carry elsewhere

    Under `jax.shard_map` the type of a value says over which axes of the mesh it varies. A carry that begins as a constant and
    becomes a function of a sharded input would change its type after the first step, which JAX refuses. Worse, the gradient
    of a sharded loss at weights that do not vary is summed over the devices: tie the weights first.

    Args:
        carry: a pytree, what the loop starts from.
        inputs: a pytree of arrays, all that the loop reads; closures cannot be seen, so give what was computed from them.

    Returns:
        The carry.

    Source: ours.
    """
    same = functools.reduce(jnp.logical_or, [jnp.any(jnp.equal(leaf, leaf)) for leaf in jax.tree.leaves(inputs)])
    return jax.tree.map(lambda leaf: jnp.where(same, leaf, leaf), carry)


def while_loop(cond: Callable[..., Any], body: Callable[..., Any], consts: Any, init: Any, most: int | None) -> Any:
    """`jax.lax.while_loop` whose functions take what they read as an argument, and which can be differentiated in reverse.

    In reverse mode the loop runs again and stores the state before each turn; then the turns are differentiated from the last
    to the first. Loops in a loop store their turns one inner loop at a time, so that a run of many turns needs memory for
    about twice the root of their number.

    Args:
        cond: (consts, state) -> scalar boolean, a function that closes over no traced value.
        body: (consts, state) -> state, a function that closes over no traced value.
        consts: pytree, all that they read.
        init: pytree, what the loop starts from.
        most: number of turns >= 1 that are never exceeded; None: a plain loop, for forward mode and no derivative at all.

    Returns:
        The last state. Never raises.

    Ours.
    """
    if most is None:
        return jax.lax.while_loop(functools.partial(cond, consts), functools.partial(body, consts), init)
    return _replayed(cond, body, most, consts, init)


@functools.partial(jax.custom_vjp, nondiff_argnums=(0, 1, 2))
def _replayed(cond: Callable[..., Any], body: Callable[..., Any], most: int, consts: Any, init: Any) -> Any:
    return jax.lax.while_loop(functools.partial(cond, consts), functools.partial(body, consts), init)


def _forward(cond: Callable[..., Any], body: Callable[..., Any], most: int, consts: Any, init: Any) -> tuple[Any, Any]:
    return _replayed(cond, body, most, consts, init), (consts, init)


def _backward(cond: Callable[..., Any], body: Callable[..., Any], most: int, saved: Any, cotangent: Any) -> tuple[Any, Any]:
    consts, init = saved
    memory = jax.tree.map(lambda leaf: jnp.zeros((most, *jnp.shape(leaf)), jnp.result_type(leaf)), init)

    def store(carry: Any) -> Any:
        count, state, memory = carry
        return count + 1, body(consts, state), jax.tree.map(lambda room, leaf: room.at[count].set(leaf), memory, state)

    count, _, memory = jax.lax.while_loop(lambda c: cond(consts, c[1]), store, (jnp.int32(0), init, memory))
    fixed, moving = split_floats(consts)
    total = jax.tree.map(jnp.zeros_like, moving)
    rest, way = split_floats(init)[0], split_floats(cotangent)[1]

    def turn(carry: Any) -> Any:
        count, way, total = carry
        others, state = split_floats(jax.tree.map(lambda room: room[count - 1], memory))

        def moved(moving: Any, state: Any) -> Any:
            return split_floats(body(join_floats(fixed, moving), join_floats(others, state)))[1]

        more, way = jax.vjp(moved, moving, state)[1](way)
        return count - 1, way, jax.tree.map(jnp.add, total, more)

    _, way, total = jax.lax.while_loop(lambda c: c[0] > 0, turn, (count, way, total))
    return _cotangent(fixed, total), _cotangent(rest, way)


_replayed.defvjp(_forward, _backward)


def split_floats(tree: Any) -> tuple[Any, list[Any]]:
    """A pytree as what cannot be differentiated and what can.

    Args:
        tree: a pytree of arrays.

    Returns:
        others: the structure and the leaves that are no floats, None in place of the floats.
        floats: the list of the floating leaves. Never raises.

    Ours.
    """
    leaves, structure = jax.tree.flatten(tree)
    is_float = [jnp.issubdtype(jnp.result_type(leaf), jnp.floating) for leaf in leaves]
    others = [None if f else leaf for f, leaf in zip(is_float, leaves, strict=True)]
    return (structure, others), [leaf for f, leaf in zip(is_float, leaves, strict=True) if f]


def join_floats(others: Any, floats: list[Any]) -> Any:
    """The way back from `split_floats`.

    Args:
        others: as `split_floats` returns it, a pytree.
        floats: as many floating leaves, arrays of any shape.

    Returns:
        The pytree. Never raises.

    Ours.
    """
    structure, leaves = others
    rest = iter(floats)
    return jax.tree.unflatten(structure, [next(rest) if leaf is None else leaf for leaf in leaves])


def _cotangent(others: Any, floats: list[Any]) -> Any:
    """A cotangent from those of the floats; what cannot be differentiated has one of JAX's empty type."""
    structure, leaves = others
    empty = [None if leaf is None else np.zeros(jnp.shape(leaf), jax.dtypes.float0) for leaf in leaves]
    return join_floats((structure, empty), floats)
