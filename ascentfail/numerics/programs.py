r"""Running a function that holds a user's functions: traced anew on every call, compiled once, and nothing of the user's kept.

JAX keeps what `jax.jit` has compiled under the function's identity. A function that reads data from around it then answers with
the data of its first call, and every function that ever ran stays alive. Here the function is traced on every call, the arrays
that it has captured become arguments, and a program that was compiled before is found by its text, which says all that it does.
"""

from __future__ import annotations

import collections
import hashlib
import re
import threading
from collections.abc import Callable
from typing import Any

import jax
from jax.core import Tracer
from jax.extend.core import ClosedJaxpr, jaxpr_as_fun

_MOST = 32  # compiled programs that are kept, the last used ones
_programs: collections.OrderedDict[Any, Any] = collections.OrderedDict()
_compiled_so_far = 0
_lock = threading.Lock()
# What a text names by an address or a number of this process, so that equal texts need not be equal programs.
_NOT_IN_THE_TEXT = re.compile(r"callback|stablehlo\.(send|recv|infeed|outfeed)")


def run(function: Callable[..., Any], *arrays: Any) -> Any:
    """The value of a function of pytrees of arrays, compiled.

    Args:
        function: traced anew on every call; it may read anything, and nothing of what it reads is kept.
        arrays: pytrees of arrays and numbers. Where one is a tracer, or the function has captured one, the function becomes a
            part of the program around it.

    Returns:
        function(*arrays). Raises what the function raises.
    """
    leaves, tree = jax.tree.flatten(arrays)

    def flat(*leaves: Any) -> Any:
        return function(*jax.tree.unflatten(tree, leaves))

    traceable = jax.jit(flat)
    if any(isinstance(leaf, Tracer) for leaf in leaves):
        return traceable(*leaves)
    traced = traceable.trace(*leaves)
    captured = traced.jaxpr.consts
    # captured tracers are constants, or inputs beside our own
    if len(traced.jaxpr.in_avals) != len(leaves) or any(
        isinstance(value, Tracer) for value in captured
    ):
        return traceable(*leaves)
    out = jax.tree.structure(traced.out_info)
    return jax.tree.unflatten(out, _compiled(traced.jaxpr, captured, leaves)(captured, *leaves))


def count() -> int:
    """How many programs were compiled and kept in this process so far, one that was dropped and compiled again twice."""
    return _compiled_so_far


def clear() -> None:
    """Drops all compiled programs."""
    with _lock:
        _programs.clear()


def _compiled(traced: Any, captured: list[Any], leaves: list[Any]) -> Callable[..., Any]:
    """The compiled program of (captured, *leaves), from the store where it is there."""

    def program(captured: list[Any], *leaves: Any) -> Any:
        return jaxpr_as_fun(ClosedJaxpr(traced.jaxpr, captured))(*leaves)

    lowered = jax.jit(program, keep_unused=True).lower(captured, *leaves)
    text = lowered.as_text()
    if not _says_all(text, len(captured) + len(leaves)):
        return lowered.compile()
    places = tuple(getattr(value, "sharding", None) for value in (*captured, *leaves))
    types = str(traced.in_avals), str(traced.out_avals)
    usual = tuple(jax.device_put(0.0).devices())  # where numbers go that lie nowhere yet
    key = hashlib.sha256(text.encode()).digest(), places, types, len(captured), usual
    with _lock:
        if key in _programs:
            _programs.move_to_end(key)
            return _programs[key]
    compiled = lowered.compile()
    with _lock:
        global _compiled_so_far
        _compiled_so_far += 1
        _programs[key] = compiled
        while len(_programs) > _MOST:
            _programs.popitem(last=False)
    return compiled


def _says_all(text: str, inputs: int) -> bool:
    """Whether a program's text says all that it does: no call to the host, one device, no input beside those we give it."""
    main = text[text.index("@main(") :].split("\n", 1)[0]
    own = len(set(re.findall(r"%arg\d+(?=:)", main))) == inputs
    return own and "num_partitions = 1 :" in text and not _NOT_IN_THE_TEXT.search(text)
