"""Entry point of the tests: float64, no implicit promotion of ranks or types, Hypothesis profiles, few programs at a time."""

import collections.abc
import contextlib
import os
import tempfile
from pathlib import Path

import hypothesis

# Workers and the commands that tests start find here what one of them has compiled; read when JAX is imported.
if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
    _compiled = tempfile.TemporaryDirectory(prefix="compiled-")
    os.environ["JAX_COMPILATION_CACHE_DIR"] = _compiled.name
    os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0.1"

import jax
import matplotlib
import numpy as np
import pytest

import ascentfail as af
from ascentfail import figures

try:
    import fcntl
except ImportError:  # Windows: the workers share nothing
    fcntl = None

matplotlib.use("agg")
af.enable_x64()
jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_numpy_dtype_promotion", "strict")

hypothesis.settings.register_profile("dev", max_examples=50, deadline=None)
hypothesis.settings.register_profile("ci", max_examples=100, deadline=None, derandomize=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "dev")


class _Arrays(collections.abc.Mapping):
    """The data of every figure, as drawn: each is computed when a test first asks for it, by one worker for all."""

    def __init__(self, folder):
        self.folder, self.known = folder, {}

    def __iter__(self):
        return iter(figures.figures())

    def __len__(self):
        return len(figures.figures())

    def __getitem__(self, name):
        if name not in self.known:
            with self.alone(name):
                self.known[name] = self.stored(name)
        return self.known[name]

    def stored(self, name):
        file = self.folder / f"{name}.npz"
        if not file.exists():
            module = figures.figures()[name]
            np.savez(file, **module.data(**module.PARAMETERS))
        with np.load(file, allow_pickle=False) as saved:
            return dict(saved)

    @contextlib.contextmanager
    def alone(self, name):
        with (self.folder / f"{name}.lock").open("w") as lock:
            if fcntl:
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield


@pytest.fixture(scope="session")
def arrays(tmp_path_factory):
    """The data of every figure, as drawn."""
    folder = tmp_path_factory.getbasetemp()
    if fcntl and "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    return _Arrays(folder)


_MAPPINGS = Path("/proc/self/maps")  # on Linux only
_MANY = 16_000  # mappings of memory; Linux allows a process 65,530, and beyond that jaxlib's compiler crashes


@pytest.fixture(autouse=True, scope="module")
def _few_programs():
    """Drops JAX's compiled programs, each some mappings, between two files once there are many."""
    yield
    if _MAPPINGS.exists() and _MAPPINGS.read_bytes().count(b"\n") > _MANY:
        jax.clear_caches()
