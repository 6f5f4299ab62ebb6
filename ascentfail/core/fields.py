"""What frozen dataclasses of numbers and arrays share: equality by value, and being the axes of a batch."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import numpy as np
from jax.core import Tracer


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
    return isinstance(value, bool | int | float | np.generic | np.ndarray | jax.Array) and not isinstance(value, Tracer)


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
    return any(v is None for v in values) and all(v is None or (type(v) is int and v == 0) for v in values)
