"""Loops over a batch: what a compiled loop starts from when the batch is split over devices, and large batches in chunks."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

_ROWS = 64  # pieces of a large batch that are walked side by side; a batch that is split over 2, 4, ... 64 devices stays split
_COLUMNS = 256  # elements of each piece in one chunk: 16,384 problems, whose numbers fit the cache, and which two cores share
CHUNK = _ROWS * _COLUMNS


def depend_on(carry: Any, inputs: Any) -> Any:
    """The carry of a loop with its values unchanged, made to depend on everything that the loop reads.

        depend_on(carry, inputs) = carry, by a choice between carry and carry that looks at the inputs

    Under `jax.shard_map` the type of a value says over which axes of the mesh it varies. A carry that begins as a constant and
    becomes a function of a sharded input would change its type after the first step, which JAX refuses. Worse, the gradient
    of a sharded loss at weights that do not vary is summed over the devices, so apply this to the weights first.

    Args:
        carry: a pytree, what the loop starts from.
        inputs: a pytree of arrays, all that the loop reads; closures cannot be seen, so give what was computed from them.

    Returns:
        The carry.
    """
    same = functools.reduce(
        jnp.logical_or, [jnp.any(jnp.equal(leaf, leaf)) for leaf in jax.tree.leaves(inputs)]
    )
    return jax.tree.map(lambda leaf: jnp.where(same, leaf, leaf), carry)


def in_chunks(function: Callable[..., Any]) -> Callable[..., Any]:
    """An elementwise function that walks a large array, or a large batch under `jax.vmap`, in chunks that fit the cache.

    A function with loops passes over its arrays many times, and leaves a loop when the last of its elements is done: a million
    elements at once wait for memory and for the slowest. It has no derivative in reverse: give the caller a `jax.custom_jvp`.

    Args:
        function: of arrays of one shape, to a pytree of arrays of that shape; element by element.

    Returns:
        The function, of the same arguments; any number of `jax.vmap` around it makes its arrays longer, and no loop around it.
    """

    @jax.custom_batching.custom_vmap
    def run(*arrays: Any) -> Any:
        return whole(*arrays)

    @jax.jit  # without an outer one, every call would compile its loops again
    def whole(*arrays: Any) -> Any:
        shape = arrays[0].shape
        if math.prod(shape) <= 2 * CHUNK:
            return function(*arrays)
        rows, back = _rows(shape)
        chunks = jax.lax.map(lambda chunk: function(*chunk), tuple(rows(array) for array in arrays))
        return jax.tree.map(back, chunks)

    @run.def_vmap
    def _batch(axis_size: int, in_batched: Any, *arrays: Any) -> tuple[Any, Any]:
        full = [
            a if b else jnp.broadcast_to(a, (axis_size, *a.shape))
            for a, b in zip(arrays, in_batched, strict=True)
        ]
        out = run(*full)
        return out, jax.tree.map(lambda _: True, out)

    return run


def _rows(shape: tuple[int, ...]) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
    """From an array of the shape to (chunks, rows, columns), the last elements repeated to fill it, and back."""
    size = math.prod(shape)
    length = -(-size // _ROWS)
    chunks = -(-length // _COLUMNS)
    columns = -(-length // chunks)

    def there(array: Any) -> Any:
        flat = jnp.pad(array.reshape(size), (0, _ROWS * length - size), mode="edge")
        wide = jnp.pad(
            flat.reshape(_ROWS, length), ((0, 0), (0, chunks * columns - length)), mode="edge"
        )
        return jnp.swapaxes(wide.reshape(_ROWS, chunks, columns), 0, 1)

    def back(array: Any) -> Any:
        wide = jnp.swapaxes(array, 0, 1).reshape(_ROWS, chunks * columns)
        return wide[:, :length].reshape(_ROWS * length)[:size].reshape(shape)

    return there, back


def while_loop(
    cond: Callable[..., Any], body: Callable[..., Any], consts: Any, init: Any, most: int | None
) -> Any:
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
    """
    if most is None:
        return jax.lax.while_loop(
            functools.partial(cond, consts), functools.partial(body, consts), init
        )
    return _replayed(cond, body, most, consts, init)


@functools.partial(jax.custom_vjp, nondiff_argnums=(0, 1, 2))
def _replayed(
    cond: Callable[..., Any], body: Callable[..., Any], most: int, consts: Any, init: Any
) -> Any:
    return jax.lax.while_loop(
        functools.partial(cond, consts), functools.partial(body, consts), init
    )


def _forward(
    cond: Callable[..., Any], body: Callable[..., Any], most: int, consts: Any, init: Any
) -> tuple[Any, Any]:
    return _replayed(cond, body, most, consts, init), (consts, init)


def _backward(
    cond: Callable[..., Any], body: Callable[..., Any], most: int, saved: Any, cotangent: Any
) -> tuple[Any, Any]:
    consts, init = saved
    memory = jax.tree.map(
        lambda leaf: jnp.zeros((most, *jnp.shape(leaf)), jnp.result_type(leaf)), init
    )

    def store(carry: Any) -> Any:
        count, state, memory = carry
        return (
            count + 1,
            body(consts, state),
            jax.tree.map(lambda room, leaf: room.at[count].set(leaf), memory, state),
        )

    count, _, memory = jax.lax.while_loop(
        lambda c: cond(consts, c[1]), store, (jnp.int32(0), init, memory)
    )
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
    """
    structure, leaves = others
    rest = iter(floats)
    return jax.tree.unflatten(structure, [next(rest) if leaf is None else leaf for leaf in leaves])


def _cotangent(others: Any, floats: list[Any]) -> Any:
    """A cotangent from those of the floats; what cannot be differentiated has one of JAX's empty type."""
    structure, leaves = others
    empty = [
        None if leaf is None else np.zeros(jnp.shape(leaf), jax.dtypes.float0) for leaf in leaves
    ]
    return join_floats((structure, empty), floats)
