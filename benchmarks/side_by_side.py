"""What the benchmarks share: interleaved rounds of several calls, and the Markdown table of their times."""

from __future__ import annotations

import importlib
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np


def optional(name: str) -> Any:
    """The module, or None where it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def seconds(call: Callable[[], Any]) -> float:
    """Wall-clock time of one call."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def divide(x: jax.Array) -> jax.Array:
    """The array divided between all devices; what is compiled for it runs on all of them."""
    mesh = jax.make_mesh(
        (len(jax.devices()),), ("problems",), axis_types=(jax.sharding.AxisType.Auto,)
    )
    return jax.device_put(
        x, jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec("problems"))
    )


def versions(*names: str) -> str:
    """The versions of the modules that are installed, and of Python."""
    found = {name: optional(name) for name in names}
    shown = [f"{name} {module.__version__}" for name, module in found.items() if module is not None]
    return ", ".join([f"Python {platform.python_version()}", *shown])


def processor() -> str:
    """What the machine computes with."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return f"{os.cpu_count()} cores, {names[0] if names else platform.processor() or platform.machine()}"


class Table:
    """Calls to be timed, by label: each with what its time is multiplied by, and what it does."""

    def __init__(self, rounds: int) -> None:
        """Starts empty."""
        self.rounds = rounds
        self.rows: dict[str, tuple[Callable[[], Any] | None, float, str]] = {}

    def add(
        self, label: str, call: Callable[[], Any] | None, note: str, scale: float = 1.0
    ) -> None:
        """Enters a call; None is a peer that is not installed."""
        self.rows[label] = (call, scale, note)

    def show(self) -> None:
        """Runs the calls in interleaved rounds and prints their times beside those of the first row."""
        calls = {
            label: (call, scale)
            for label, (call, scale, _) in self.rows.items()
            if call is not None
        }
        for call, _ in calls.values():
            call()
        times: dict[str, list[float]] = {label: [] for label in calls}
        for _ in range(self.rounds):
            for label, (call, scale) in calls.items():
                times[label].append(seconds(call) * scale)
        first = times[next(iter(self.rows))]
        print(
            "| | median s | fastest s | median, ascentfail = 1 | fastest, ascentfail = 1 | what is timed |"
        )
        print("|---|---|---|---|---|---|")
        for label, (call, _, note) in self.rows.items():
            if call is None:
                print(f"| {label} | not installed | | | | |")
                continue
            median, fastest = float(np.median(times[label])), min(times[label])
            ratios = f"{median / float(np.median(first)):.2f} | {fastest / min(first):.2f}"
            print(f"| {label} | {median:.3g} | {fastest:.3g} | {ratios} | {note} |")
