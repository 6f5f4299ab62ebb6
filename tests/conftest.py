"""Entry point of the tests: float64 once, no implicit broadcasting of ranks, Hypothesis profiles, few programs at a time."""

import os
from pathlib import Path

import hypothesis
import jax
import matplotlib
import pytest

import ascentfail as af
from ascentfail import figures

matplotlib.use("agg")
af.enable_x64()
jax.config.update("jax_numpy_rank_promotion", "raise")

hypothesis.settings.register_profile("dev", max_examples=50, deadline=None)
hypothesis.settings.register_profile("ci", max_examples=100, deadline=None, derandomize=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "dev")


@pytest.fixture(scope="session")
def arrays():
    """The data of every figure, as drawn."""
    return {name: module.data(**module.PARAMETERS) for name, module in figures.figures().items()}


_MAPPINGS = Path("/proc/self/maps")  # on Linux only
_MANY = 16_000  # mappings of memory; Linux allows a process 65,530, and beyond that jaxlib's compiler crashes


@pytest.fixture(autouse=True, scope="module")
def _few_programs():
    """Drops JAX's compiled programs, each some mappings, between two files once there are many."""
    yield
    if _MAPPINGS.exists() and _MAPPINGS.read_bytes().count(b"\n") > _MANY:
        jax.clear_caches()
