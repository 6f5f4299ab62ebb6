"""What frozen dataclasses of numbers and arrays share.

They are pytrees whose fields are checked when a user constructs them, equal by value, or the axes of a batch.
"""

from __future__ import annotations

import dataclasses
from dataclasses import field
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from ascentfail.core.errors import invalid

Real = Any  # a float, or an array of floats of any shape; a batch is the caller's vmap


_P = TypeVar("_P")


def _fields_of(p: Any) -> tuple[dataclasses.Field[Any], ...]:
    return dataclasses.fields(p)


class ByValue:
    """Equality and hash of a frozen dataclass whose fields may be arrays; 1.0 and an array of it are the same."""

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return all(_same(getattr(self, f.name), getattr(other, f.name)) for f in _fields_of(self))

    def __hash__(self) -> int:
        return hash((type(self), *(_content(getattr(self, f.name)) for f in _fields_of(self))))


def _is_number(value: Any) -> bool:
    return isinstance(
        value, bool | int | float | np.generic | np.ndarray | jax.Array
    ) and not isinstance(value, Tracer)


def _same(a: Any, b: Any) -> bool:
    if _is_number(a) and _is_number(b):
        return np.array_equal(np.asarray(a), np.asarray(b))
    return a is b or bool(np.all(a == b))  # of traced values: the error of JAX, which cannot know


def _content(value: Any) -> Any:
    if not _is_number(value):
        return value
    array = np.asarray(value, float) + 0.0  # -0.0 equals 0.0
    return array.shape, array.tobytes()


def is_axes(p: Any) -> bool:
    """Whether a problem's fields are axes for `jax.vmap`, `None` and 0 with at least one `None`, which no problem has."""
    values = [getattr(p, f.name) for f in _fields_of(p) if not f.metadata.get("static")]
    return any(v is None for v in values) and all(
        v is None or (type(v) is int and v == 0) for v in values
    )


def static(default: Any) -> Any:
    """A field that is no leaf: part of the structure of the pytree, with a default."""
    return field(default=default, metadata={"static": True})


def register_pytree(cls: type[_P]) -> type[_P]:
    """Registers a frozen dataclass as a pytree whose unflattening skips `__post_init__`."""
    leaves = tuple(f.name for f in _fields_of(cls) if not f.metadata.get("static"))
    kept = tuple(f.name for f in _fields_of(cls) if f.metadata.get("static"))

    def flatten_with_keys(p: Any) -> tuple[list[tuple[Any, Any]], tuple[Any, ...]]:
        children = [(jax.tree_util.GetAttrKey(name), getattr(p, name)) for name in leaves]
        return children, tuple(getattr(p, name) for name in kept)

    def unflatten(aux: tuple[Any, ...], children: Any) -> Any:
        p = object.__new__(cls)
        for name, value in zip((*leaves, *kept), (*children, *aux), strict=True):
            object.__setattr__(p, name, value)
        return p

    jax.tree_util.register_pytree_with_keys(cls, flatten_with_keys, unflatten)
    return cls


def checked_number(name: str, value: Any, takes: str) -> Any:
    """The value as a float or a floating array; tracers pass untouched."""
    if isinstance(value, Tracer):
        if not jnp.issubdtype(value.dtype, jnp.floating) and not jnp.issubdtype(
            value.dtype, jnp.integer
        ):
            raise invalid(name, value, takes)
        return value
    if value is None:
        raise invalid(
            name,
            value,
            f"{takes}; None only where every other field is None or 0, as `in_axes` of `jax.vmap`",
        )
    if isinstance(value, bool | str | bytes):
        raise invalid(name, value, takes)
    try:
        array = np.asarray(value)
    except (TypeError, ValueError) as error:
        raise invalid(name, value, takes) from error
    if array.dtype.kind not in "iuf" and not jnp.issubdtype(array.dtype, jnp.floating):
        raise invalid(name, value, takes)
    if array.dtype.kind in "iu":
        value = float(array) if array.ndim == 0 else array.astype(float)
    elif isinstance(value, list | tuple):
        value = array  # a list would be one leaf for each number
    if not np.all(np.isfinite(np.asarray(value, dtype=float))):
        raise invalid(name, value, takes)
    return value


def require(name: str, value: Any, holds: Any, takes: str) -> None:
    """Raises unless the condition holds; a condition on traced values is not checked."""
    if not isinstance(holds, Tracer) and not np.all(np.asarray(holds)):
        raise invalid(name, value, takes)


def plain_array(value: Any) -> Any:
    """The value as an array without touching the device when it is concrete."""
    return value if isinstance(value, Tracer) else np.asarray(value)
