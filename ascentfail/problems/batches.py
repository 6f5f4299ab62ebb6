r"""Batches of samples: drawn with replacement, or epoch by epoch so that every sample comes once in each.

A batch of rows of data is a pair of parts. A batch of one of the paper's problems, where samples are counts of equal ones, is
the problem with the counts of the batch, scaled to the whole.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from ascentfail.core.errors import invalid

How = Literal["with replacement", "epoch"]


class Batches(NamedTuple):
    """A source of batches.

    Attributes:
        first: what it remembers before the first batch, a pytree of arrays.
        draw: (key, memory) -> (batch for `problem.Objective.means`, memory after it).
    """

    first: Any
    draw: Callable[[Any, Any], tuple[Any, Any]]


def check_size(size: int | None, how: How) -> None:
    """Refuses epochs without a size."""
    if how == "epoch" and size is None:
        raise invalid(
            "batches", how, "'with replacement' unless batch_size says how many samples a batch has"
        )


# --- rows of data --------------------------------------------------------------------------------------------------------------


def of_rows(data: Any, size: int | None, how: How, key: Any) -> Batches:
    """Batches of rows of data, a pair of parts; without data the key is the batch.

    Args:
        data: pair of parts, or None.
        size: rows of each part in a batch, >= 1.
        how: "with replacement" or "epoch".
        key: of the run, typed.

    Returns:
        Batches. Never raises.
    """
    if data is None:
        return Batches((), lambda key, memory: (key, memory))
    if how == "epoch":
        return _rows(data, size, key)
    return Batches((), lambda key, memory: (_any_rows(data, size, key), memory))


def check_rows(data: Any, size: int, how: How) -> None:
    """Refuses a size that the data do not have.

    Raises:
        ValueError: parts without rows, or of arrays of several lengths; more rows in a batch than in an epoch.
    """
    for part in data:
        lengths = {np.shape(leaf)[:1] for leaf in jax.tree.leaves(part)}
        if len(lengths) != 1 or () in lengths or (0,) in lengths:
            raise invalid(
                "data",
                data,
                "parts whose arrays all have the samples as first axis, with batch_size",
            )
        if how == "epoch" and size > (length := lengths.pop()[0]):
            raise invalid(
                "batch_size", size, f"at most the {length} samples of a set when batches = 'epoch'"
            )


def _length(part: Any) -> int:
    return np.shape(jax.tree.leaves(part)[0])[0]


def _take(part: Any, rows: jax.Array) -> Any:
    return jax.tree.map(lambda leaf: jnp.asarray(leaf)[rows], part)


def _any_rows(data: Any, size: Any, key: Any) -> Any:
    keys = jax.random.split(key)
    return tuple(
        _take(part, jax.random.randint(k, (size,), 0, _length(part)))
        for part, k in zip(data, keys, strict=True)
    )


def _rows(data: Any, size: Any, key: Any) -> Batches:
    """Rows by epoch: each set has the order of its epoch and of the next one, and the place in it where the next batch begins.

    A batch may end one epoch and begin the next, so that every sample comes once in each, whatever the size.
    """
    keys = jax.random.split(jax.random.fold_in(key, 0))  # steps count from 1
    first = tuple(_first_order(_length(part), k) for part, k in zip(data, keys, strict=True))

    def draw(key: Any, memory: Any) -> tuple[Any, Any]:
        rows = [jax.lax.dynamic_slice(order, (place,), (size,)) for order, place in memory]
        keys = jax.random.split(key)
        after = tuple(
            _ahead(order, place, size, k) for (order, place), k in zip(memory, keys, strict=True)
        )
        return tuple(_take(part, row) for part, row in zip(data, rows, strict=True)), after

    return Batches(first, draw)


def _first_order(length: int, key: Any) -> tuple[jax.Array, jax.Array]:
    orders = [
        jax.random.permutation(k, jnp.arange(length, dtype=jnp.int32))
        for k in jax.random.split(key)
    ]
    return jnp.concatenate(orders), jnp.int32(0)


def _ahead(order: jax.Array, place: jax.Array, size: int, key: Any) -> tuple[jax.Array, jax.Array]:
    length, place = len(order) // 2, place + size

    def turn() -> tuple[jax.Array, jax.Array]:
        new = jax.random.permutation(key, jnp.arange(length, dtype=jnp.int32))
        return jnp.concatenate([order[length:], new]), place - length

    return jax.lax.cond(place >= length, turn, lambda: (order, place))


# --- counts of equal samples ---------------------------------------------------------------------------------------------------


class Set(NamedTuple):
    """One of the two sets.

    Attributes:
        counts: (groups,) samples in each group, real numbers >= 0.
        total: scalar > 0, samples in all; what is left lies in other groups.
    """

    counts: Any
    total: Any


def of_counts(
    sets: tuple[Set, Set], with_counts: Callable[[Any, Any], Any], size: int | None, how: How
) -> Batches:
    """Batches of counts of equal samples.

    Args:
        sets: of the problem.
        with_counts: (retain, forget) -> the problem with these counts.
        size: samples of each set in a batch >= 1; None for all samples.
        how: "with replacement" or "epoch".

    Returns:
        Batches. Never raises.
    """
    if size is None:
        return Batches((), lambda key, memory: (None, memory))
    if how == "epoch":
        return _counted(sets, with_counts, size)

    def draw(key: Any, memory: Any) -> tuple[Any, Any]:
        keys = jax.random.split(key)
        return with_counts(
            *(_hits(k, found, size) for k, found in zip(keys, sets, strict=True))
        ), memory

    return Batches((), draw)


def _hits(key: Any, found: Set, size: int) -> jax.Array:
    """Counts of a batch drawn with replacement, scaled to the whole."""
    ends = jnp.cumsum(found.counts / found.total)
    drawn = jnp.searchsorted(ends, jax.random.uniform(key, (size,), ends.dtype), side="right")
    groups = jnp.arange(len(ends), dtype=drawn.dtype)
    return jnp.sum(drawn[:, None] == groups[None, :], axis=0, dtype=ends.dtype) / size * found.total


def _counted(sets: tuple[Set, Set], with_counts: Callable[[Any, Any], Any], size: int) -> Batches:
    """Counts by epoch: each set remembers what is left of its epoch in each group, the samples of other groups last."""
    whole = tuple(
        jnp.append(found.counts, jnp.maximum(found.total - jnp.sum(found.counts), 0))
        for found in sets
    )

    def draw(key: Any, memory: Any) -> tuple[Any, Any]:
        keys = jax.random.split(key)
        each = zip(keys, memory, whole, strict=True)
        after, taken = zip(
            *(_take_counts(k, left, full, size) for k, left, full in each), strict=True
        )
        scaled = [
            hits[:-1] / jnp.sum(hits) * found.total for hits, found in zip(taken, sets, strict=True)
        ]
        return with_counts(*scaled), after

    return Batches(whole, draw)


def _take_counts(
    key: Any, left: jax.Array, full: jax.Array, size: int
) -> tuple[jax.Array, jax.Array]:
    """One sample after the other from what is left of the epoch, and of the next one when nothing is.

    Counts may be any real numbers: the part of a sample that is left at the end counts as that part.
    """

    def one(left: jax.Array, chance: jax.Array) -> tuple[jax.Array, jax.Array]:
        left = jnp.where(jnp.sum(left) > 0, left, full)
        ends = jnp.cumsum(left)
        group = jnp.searchsorted(ends, chance * ends[-1], side="right")
        taken = jnp.where(
            jnp.arange(len(left), dtype=group.dtype) == group, jnp.minimum(left, 1), 0
        )
        return left - taken, taken

    left, taken = jax.lax.scan(one, left, jax.random.uniform(key, (size,), left.dtype))
    return left, jnp.sum(taken, axis=0)
