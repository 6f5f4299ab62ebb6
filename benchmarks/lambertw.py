"""Time the Lambert W module beside SciPy and beside one pass of the logarithm, and measure its error.

Run ``python benchmarks/lambertw.py``; it prints a Markdown table.  Every round runs each function once, in turn, so
that a busy moment of the machine falls on all of them; the table holds medians, and the fastest round beside them.
"""

from __future__ import annotations

import importlib
import os
import time
from collections.abc import Callable
from functools import partial
from typing import Any

os.environ.setdefault("JAX_ENABLE_X64", "1")

import jax
import jax.numpy as jnp
import mpmath as mp
import numpy as np

from ascentfail.numerics.special import lambertw, lambertw_exp

COUNT = 2_000_000
SCIPY_COUNT = 200_000  # SciPy is linear in the count; its time is scaled up
ROUNDS = 21
SCIPY = "scipy.special.lambertw"
CHECKED = 2_000  # elements of each array compared with mpmath


def arguments(dtype: type) -> dict[str, np.ndarray]:
    """Arguments spread over the decades and down to the branch point, a third of them near -1/e."""
    rng = np.random.default_rng(0)
    decades = 300 if dtype is np.float64 else 37
    point = dtype(-1 / np.e)
    third = COUNT // 3
    near = point + 10 ** rng.uniform(-12 if dtype is np.float64 else -6, -0.5, third)
    small = -(10 ** rng.uniform(-decades, -0.44, COUNT - 2 * third))
    both = np.concatenate([near, small])
    upper = np.concatenate([both, 10 ** rng.uniform(-decades, decades, third)])
    lower = np.concatenate([both, -(10 ** rng.uniform(-3, -0.44, third))])
    exponents = np.concatenate(
        [rng.uniform(-80, 80, COUNT - third), 10 ** rng.uniform(0, decades, third)]
    )
    found = {"upper": upper, "lower": lower, "exp": exponents, "log": np.abs(upper)}
    shuffled = {name: rng.permutation(z).astype(dtype) for name, z in found.items()}
    return {
        name: z if name in ("exp", "log") else np.maximum(z, point) for name, z in shuffled.items()
    }


def exact(name: str, z: float) -> mp.mpf:
    """The value by mpmath, with 60 digits."""
    x = mp.mpf(z)
    if name != "exp":
        return mp.re(mp.lambertw(x, -1 if name == "lower" else 0))
    if x < 1e4:
        return mp.re(mp.lambertw(mp.exp(x)))
    w = x - mp.log(x)
    for _ in range(20):
        w = x - mp.log(w)
    return w


def worst_ulp(got: np.ndarray, z: np.ndarray, name: str) -> float:
    """The largest error of the results, in units of the last place."""
    worst = 0.0
    for value, x in zip(got, z, strict=True):
        # The float nearest to -1/e is -1/e by convention, and its value -1.
        want = (
            mp.mpf(-1) if name != "exp" and x == x.dtype.type(-1 / np.e) else exact(name, float(x))
        )
        error = float(
            abs(mp.mpf(float(value)) - want) / float(np.spacing(np.abs(got.dtype.type(want))))
        )
        worst = error if not error <= worst else worst
    return worst


def seconds(call: Callable[[], Any]) -> float:
    """Wall-clock time of one call."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


class Table:
    """The calls to be timed, by label, with what their time is multiplied by and the error measured beforehand."""

    def __init__(self) -> None:
        """Start empty."""
        self.calls: dict[str, tuple[Callable[[], Any], float]] = {}
        self.ulp: dict[str, float] = {}
        self.compiles: list[str] = []

    def add_jax(
        self, label: str, function: Callable[..., jax.Array], host: np.ndarray, name: str
    ) -> None:
        """Enter a jitted function, and its compile time and that of its gradient."""
        device = jnp.asarray(host)
        compiled, gradient = jax.jit(function), jax.jit(jax.vmap(jax.grad(function)))
        self.calls[label] = (lambda: jax.block_until_ready(compiled(device)), 1.0)
        if name != "log":
            value_in = seconds(lambda: jax.jit(function).lower(device).compile())
            gradient_in = seconds(lambda: gradient.lower(device).compile())
            self.compiles.append(f"{label}: {value_in:.2f} s, gradient {gradient_in:.2f} s")
            self.ulp[label] = worst_ulp(
                np.asarray(compiled(device))[:CHECKED], host[:CHECKED], name
            )

    def add_scipy(
        self, label: str, function: Callable[..., Any], z: np.ndarray, branch: int, name: str
    ) -> None:
        """Enter SciPy on a shorter array."""
        short = z[:SCIPY_COUNT]
        self.calls[label] = (lambda: function(short, branch), COUNT / SCIPY_COUNT)
        self.ulp[label] = worst_ulp(np.real(function(z[:CHECKED], branch)), z[:CHECKED], name)

    def times(self) -> dict[str, list[float]]:
        """Run everything once, then in interleaved rounds."""
        for call, _ in self.calls.values():
            call()
        found: dict[str, list[float]] = {label: [] for label in self.calls}
        for _ in range(ROUNDS):
            for label, (call, scale) in self.calls.items():
                found[label].append(seconds(call) * scale)
        return found

    def show(self) -> None:
        """Print the rows; a peer that was not there is named."""
        times = self.times()
        median = {label: float(np.median(values)) for label, values in times.items()}
        print(
            "| function | median ms | fastest ms | times faster than SciPy | jnp.log passes | max ulp |"
        )
        print("|---|---|---|---|---|---|")
        for label, value in median.items():
            log = median[f"jnp.log(z), {'float32' if 'float32' in label else 'float64'}"]
            peer = median.get(f"{SCIPY}, k={-1 if '-1' in label else 0}")
            faster = "SciPy missing" if peer is None else f"{peer / value:.1f}"
            error = f"{self.ulp[label]:.3g}" if label in self.ulp else ""
            fastest = min(times[label]) * 1e3
            print(
                f"| {label} | {value * 1e3:.2f} | {fastest:.2f} | {faster} | {value / log:.2f} | {error} |"
            )
        if not any(SCIPY in label for label in median):
            print(f"| {SCIPY} | not installed: missing from this table | | | | |")
        print("\nCompile times: " + "; ".join(self.compiles) + ".")


def main() -> None:
    """Time everything in one interleaved run, and print the table."""
    mp.mp.dps = 60
    try:
        peer = importlib.import_module("scipy.special").lambertw
    except ImportError:
        peer = None
    table = Table()
    functions = {"upper": ("lambertw(z)", lambertw), "lower": ("lambertw(z, -1)", partial(lambertw, branch=-1)),
                 "exp": ("lambertw_exp(y)", lambertw_exp), "log": ("jnp.log(z)", jnp.log)}  # fmt: skip
    for dtype in (np.float64, np.float32):
        host = arguments(dtype)
        for name, (title, function) in functions.items():
            table.add_jax(f"{title}, {dtype.__name__}", function, host[name], name)
        if dtype is np.float64 and peer is not None:
            table.add_scipy(f"{SCIPY}, k=0", peer, host["upper"], 0, "upper")
            table.add_scipy(f"{SCIPY}, k=-1", peer, host["lower"], -1, "lower")
    print(f"{COUNT:,} values; {ROUNDS} interleaved rounds; JAX {jax.__version__} on {jax.devices()[0].device_kind}, "
          f"{os.cpu_count()} cores.  SciPy is timed on {SCIPY_COUNT:,} values and scaled.")  # fmt: skip
    print("SciPy is compared on the same branch (k=0 for lambertw_exp) and in float64.  The error is the largest of "
          f"{CHECKED:,} of the values, against mpmath.\n")  # fmt: skip
    table.show()


if __name__ == "__main__":
    main()
