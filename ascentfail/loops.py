"""Loops over a batch: what a compiled loop starts from when the batch is split over devices, and large batches in chunks."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

_ROWS = 64  # pieces of a large batch that are walked side by side; a batch that is split over 2, 4, ... 64 devices stays split
_COLUMNS = 256  # elements of each piece in one chunk: 16,384 problems, whose numbers fit the cache, and which two cores share
CHUNK = _ROWS * _COLUMNS


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


def in_chunks(function: Callable[..., Any]) -> Callable[..., Any]:
    """An elementwise function that walks a large array, or a large batch under `jax.vmap`, in chunks that fit the cache.

    A function with loops passes over its arrays many times, and leaves a loop when the last of its elements is done: a million
    elements at once wait for memory and for the slowest. It has no derivative in reverse: give the caller a `jax.custom_jvp`.

    Args:
        function: of arrays of one shape, to a pytree of arrays of that shape; element by element.

    Returns:
        The function, of the same arguments; any number of `jax.vmap` around it makes its arrays longer, and no loop around it.

    Source: ours.
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
        full = [a if b else jnp.broadcast_to(a, (axis_size, *a.shape)) for a, b in zip(arrays, in_batched, strict=True)]
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
        wide = jnp.pad(flat.reshape(_ROWS, length), ((0, 0), (0, chunks * columns - length)), mode="edge")
        return jnp.swapaxes(wide.reshape(_ROWS, chunks, columns), 0, 1)

    def back(array: Any) -> Any:
        wide = jnp.swapaxes(array, 0, 1).reshape(_ROWS, chunks * columns)
        return wide[:, :length].reshape(_ROWS * length)[:size].reshape(shape)

    return there, back
