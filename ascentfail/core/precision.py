"""The precision policy: float64 is switched on by entry points, never at import."""

from __future__ import annotations

import jax

from ascentfail.core.errors import PrecisionError


def enable_x64() -> None:
    """Switches JAX to float64 for the whole process.

    The command line, the tests and the notebook call this once at their start. It sets the flag `jax_enable_x64`, which every
    supported JAX has, while the context managers of the same name moved between versions.
    """
    jax.config.update("jax_enable_x64", True)


def require_x64(what: str) -> None:
    """Raises PrecisionError, naming the cure, when JAX computes in float32."""
    if not jax.config.read("jax_enable_x64"):
        raise PrecisionError(what)
