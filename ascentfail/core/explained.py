"""A sentence instead of a raw error where a public function is given a wrong kind of thing.

Nothing is looked at before the function fails, so that a formula costs in every arithmetic what its operations cost. The words
come from the function's docstring.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from ascentfail.core.errors import invalid

_F = TypeVar("_F", bound=Callable[..., Any])
_RAW = (AttributeError, LookupError, ArithmeticError, TypeError, ValueError)


def explained(function: _F) -> _F:
    """The function, whose raw errors become a ValueError that names the argument at fault and what it takes.

    Args:
        function: with a docstring that says under "Args:" what each argument is.

    Returns:
        The function. An error that no argument explains is raised as it is.
    """

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except _RAW as error:
            sentence = _sentence(function, args, kwargs, error)
            if sentence is None:
                raise
            raise sentence from error

    return call  # pyright: ignore[reportReturnType]


def reals(name: str, value: Any, takes: str) -> Any:
    """A value as an array of the default float: of NumPy, or of JAX where the value is.

    Args:
        name: of the argument.
        value: what was given for it, any number or array of numbers.
        takes: what the argument takes, for the error.

    Returns:
        Array of any shape.

    Raises:
        ValueError: the value is complex, whose imaginary part would be dropped, None, which would be NaN, or no number.
    """
    if no_number(value):
        raise invalid(name, value, takes)
    on_device = any(isinstance(leaf, jax.Array) for leaf in jax.tree.leaves(value))
    return jnp.asarray(value, float) if on_device else np.asarray(value, float)


def check_key(key: Any) -> None:
    """Refuses what is no single typed key; an old-style one is an array of numbers like any other."""
    if (
        not isinstance(key, jax.Array)
        or not jnp.issubdtype(key.dtype, jax.dtypes.prng_key)
        or key.shape != ()
    ):
        raise invalid("key", key, "one typed key, jax.random.key(seed)")


def _sentence(function: Any, args: Any, kwargs: Any, error: Exception) -> ValueError | None:
    signature = inspect.signature(function)
    try:
        given = signature.bind(*args, **kwargs).arguments
    except TypeError:  # an argument is missing, or there is no such argument: Python's own words
        return None
    if isinstance(error, ValueError) and re.split(r"\W", str(error), maxsplit=1)[0] in given:
        return None
    for name, value in given.items():
        parameter = signature.parameters[name]
        if value is not parameter.default and _wrong(
            function, name, value, str(parameter.annotation), error
        ):
            return invalid(name, value, _takes(function, name))
    shapes = {
        name: np.shape(value)
        for name, value in given.items()
        if isinstance(value, np.ndarray | jax.Array)
    }
    try:
        np.broadcast_shapes(*shapes.values())
    except ValueError:
        return invalid(" and ".join(shapes), shapes, "shapes that broadcast together")
    return None


def _wrong(function: Any, name: str, value: Any, annotation: str, error: Exception) -> bool:
    """Whether a value cannot be what its argument's annotation says."""
    if name == "key":
        return not isinstance(value, jax.Array) or not jnp.issubdtype(
            value.dtype, jax.dtypes.prng_key
        )
    if isinstance(value, Tracer):
        return annotation == "int"
    if annotation == "Arithmetic":
        return not isinstance(value, function.__globals__[annotation])
    if annotation == "int":
        return isinstance(value, bool) or not isinstance(value, int | np.integer)
    if annotation.startswith(("Callable", "Rule")):
        return not callable(value)
    if annotation in ("str", "Loss", "Loss | LossName", "Model"):
        return not isinstance(value, str)
    if isinstance(error, AttributeError) and error.obj is value:
        return True
    return no_number(value)


def no_number(value: Any) -> bool:
    """Whether a value is None, text, complex, random keys, or a list of such, so that no array of real numbers holds it."""
    if (
        value is None
        or type(value) is object
        or isinstance(value, str | bytes | complex | dict | set)
    ):
        return True
    if isinstance(value, jax.Array):  # traced too
        return not any(
            jnp.issubdtype(value.dtype, kind) for kind in (jnp.floating, jnp.integer, jnp.bool_)
        )
    if hasattr(value, "_fields"):  # a NamedTuple of numbers
        return False
    if isinstance(value, list | tuple | np.ndarray):
        if any(isinstance(leaf, Tracer) for leaf in jax.tree.leaves(value)):
            return False
        try:
            kind = np.asarray(value).dtype.kind
        except (TypeError, ValueError):  # a ragged list, or random keys
            return True
        return kind in "USOc"
    return False


def _takes(function: Any, name: str) -> str:
    """What an argument is, from the docstring; the first sentence of it."""
    text = inspect.cleandoc(function.__doc__ or "")
    found = re.search(
        rf"^ +(?:\w+, )*{name}(?:, \w+)*: (.*?)(?=\n {{0,4}}\S|\n\n|\Z)", text, re.M | re.S
    )
    words = " ".join(found[1].split()) if found else "a real number, or an array of them"
    return re.split(r"(?<=\w)\. ", words, maxsplit=1)[0].rstrip(".")
