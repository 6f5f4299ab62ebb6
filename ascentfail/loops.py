"""What a compiled loop starts from, so that it also runs on a batch that is split over devices."""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp


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
