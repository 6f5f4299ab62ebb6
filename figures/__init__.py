"""The figures: each file asserts numerically what its picture claims, then draws it.

`figures()` finds them, `make(name, folder)` writes picture, plotted data and sidecar. A figure is any module of
`paper` or `beyond` with NAME (a word for the command line), CLAIMS (ids of the statements asserted), PARAMETERS (plain numbers),
`data(**PARAMETERS)` (arrays, pure) and `draw(data)` (a matplotlib Figure, no mathematics).

Ours: each figure names its own source.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib
import os
import pkgutil
import sys
from pathlib import Path
from types import ModuleType

_ROOMS = ("paper", "beyond")  # the folders of figures
_PARTS = ("NAME", "CLAIMS", "PARAMETERS", "data", "draw")


def __getattr__(name: str) -> ModuleType:
    """`style`, which a figure of your own is written with; loaded on first use, as it imports matplotlib (PEP 562)."""
    if name == "style":
        return importlib.import_module("ascentfail.figures.drawing.style")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


@functools.cache
def figures() -> dict[str, ModuleType]:
    """Every figure module by name, sorted; imports them (and JAX) on the first call.

    Raises:
        ValueError: two modules have one name.
    """
    _import_matplotlib()
    found: dict[str, ModuleType] = {}
    for info in pkgutil.walk_packages(__path__, f"{__name__}."):
        if info.name.split(".")[-2] not in _ROOMS:
            continue
        module = importlib.import_module(info.name)
        if not all(hasattr(module, part) for part in _PARTS):
            continue
        if module.NAME in found:
            raise ValueError(
                f"figures {found[module.NAME].__name__} and {module.__name__} are both named {module.NAME!r}"
            )
        found[module.NAME] = module
    return dict(sorted(found.items()))


def _import_matplotlib() -> None:
    """Also where MPLBACKEND names a backend that is not installed: none is used here. Another, as in a notebook, stays set."""
    if "matplotlib" in sys.modules:
        return
    wanted = os.environ.pop("MPLBACKEND", "")
    try:
        matplotlib = importlib.import_module("matplotlib")
    finally:
        if wanted:
            os.environ["MPLBACKEND"] = wanted
    if wanted:
        with contextlib.suppress(ValueError):
            matplotlib.rcParams["backend"] = wanted


def source(name: str) -> str:
    """SHA-256 of the sources that draw a figure: its module and those of this room that it uses.

    A picture whose sidecar has another sum was drawn by other sources and must be drawn again.

    Args:
        name: one of `figures()`.

    Returns:
        64 hexadecimal digits.

    Raises:
        KeyError: no such figure.
    """
    files = sorted(str(module.__file__) for module in _used(figures()[name]))
    return hashlib.sha256(b"".join(Path(file).read_bytes() for file in files)).hexdigest()


def _used(module: ModuleType) -> set[ModuleType]:
    """A module of this room and those of the room that it imports, and these, and so on."""
    used = [
        part
        for part in vars(module).values()
        if isinstance(part, ModuleType) and part.__name__.startswith(f"{__name__}.")
    ]
    return {module}.union(*map(_used, used))


def make(name: str, out_dir: str | Path, format: str = "png") -> list[Path]:
    """Computes, checks and draws one figure, and writes `<name>.npz`, `<name>.json` and `<name>.<format>`.

    Args:
        name: one of `figures()`.
        out_dir: folder, created where missing.
        format: "png", "pdf" or "svg".

    Returns:
        The paths written.

    Raises:
        KeyError: no such figure; the message suggests the nearest names.
        ValueError: another format.
        AssertionError: the computed data contradict what the picture claims; nothing is written.
        PrecisionError: JAX computes in float32.
        OSError: the folder cannot be written; nothing half-written stays behind.
    """
    from ascentfail.claims.registry import suggest

    known = figures()
    from ascentfail.figures.drawing import style

    if name not in known:
        raise KeyError(suggest("figure", name, list(known)))
    style.check_format(format)
    module = known[name]
    data = module.data(**module.PARAMETERS)
    with style.look():
        figure = module.draw(data)
    about = {
        "parameters": module.PARAMETERS,
        "claims": list(module.CLAIMS),
        "seeds": getattr(module, "SEEDS", None),
        "source": source(name),
    }
    return style.save(name, data, figure, Path(out_dir), format, about)
