"""One look for every figure, and the one way to write it.

Colours are Okabe and Ito's, listed here because matplotlib 3.10 has no style of that name; every pair that shares a
panel also differs in grey, by lightness, hatch or dashes. Figures are `matplotlib.figure.Figure` objects: pyplot and
its backends are never touched.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from cycler import cycler
from matplotlib.figure import Figure

from ascentfail.core.errors import invalid
from ascentfail.core.files import git_revision, versions, write_atomic, write_json

COLUMN_WIDTH = 3.3  # inches, one column of a two-column page
FULL_WIDTH = 6.9  # inches, both columns
FORMATS = ("png", "pdf", "svg")

BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
YELLOW, BLUE, VERMILLION, PURPLE = "#F0E442", "#0072B2", "#D55E00", "#CC79A7"
GREY, INK = "#999999", "#333333"
CYCLE = (BLUE, VERMILLION, GREEN, ORANGE, PURPLE, SKY, BLACK)
MARKERS = ("o", "s", "^", "D", "v", "P", "X")

# The regions of alpha that several figures share: lightness 0.9, 0.7, 0.4 in grey, and only the last is dotted.
CLOSER, FARTHER, NO_MINIMUM = "#D6ECF8", "#EDA63A", "#6E6E6E"
# Where one point alone is wrong in the toy network, by the point.
PATTERNS = {3: "#CBE6F6", 4: "#F0B75A"}

RC: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "figure.titlesize": 9,
    "mathtext.fontset": "dejavusans",
    "axes.linewidth": 0.6,
    "axes.prop_cycle": cycler(color=CYCLE),
    "lines.linewidth": 1.2,
    "hatch.linewidth": 0.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "ytick.minor.size": 1.5,
    "xtick.minor.size": 1.5,
    "axes.titlepad": 4,
    "axes.labelpad": 2,
    "legend.frameon": False,
    "savefig.dpi": 300,
    "pdf.fonttype": 42,
    "svg.hashsalt": "ascentfail",
}


@contextlib.contextmanager
def look() -> Iterator[None]:
    """Matplotlib's own defaults with `RC` on top, whatever the user's settings; they are restored on leaving."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()  # leaves the backend as it is
        settings: Any = matplotlib.rcParams
        settings.update(RC)
        yield


def figure(width: float = COLUMN_WIDTH, height: float = 2.5) -> Figure:
    """An empty figure, laid out so that nothing overlaps.

    Args:
        width: inches, > 0; `COLUMN_WIDTH` or `FULL_WIDTH`.
        height: inches, > 0.

    Returns:
        The figure.

    Raises:
        ValueError: a side that is negative or not finite.
    """
    return Figure(figsize=(width, height), layout="constrained")


def check_format(format: str) -> None:
    """Refuses a picture format that `save` cannot write.

    Args:
        format: "png", "pdf" or "svg".

    Raises:
        ValueError: another format.
    """
    if format not in FORMATS:
        raise invalid("format", format, ", ".join(repr(f) for f in FORMATS))


def picture(drawn: Figure, format: str) -> bytes:
    """The figure as a file's content, without dates, so that equal figures are equal bytes.

    Args:
        drawn: the figure.
        format: "png", "pdf" or "svg".

    Returns:
        The bytes of the file.

    Raises:
        KeyError: another format.
    """
    undated = {
        "png": {"Software": None},
        "pdf": {"CreationDate": None, "Producer": None},
        "svg": {"Date": None},
    }
    buffer = io.BytesIO()
    with look():
        drawn.savefig(buffer, format=format, metadata=undated[format])
    return buffer.getvalue()


def packed(data: Mapping[str, np.ndarray]) -> bytes:
    """The arrays as a compressed .npz without pickles.

    Args:
        data: arrays of any shape, of numbers, booleans or text, by name.

    Returns:
        The bytes of the file.

    Raises:
        ValueError: an array holds Python objects.
    """
    for name, array in data.items():
        if np.asarray(array).dtype.hasobject:
            raise invalid(name, array, "an array of numbers, booleans or text")
    buffer = io.BytesIO()
    arrays: Any = dict(data)
    np.savez_compressed(
        buffer, **arrays
    )  # NumPy 2.1 would save allow_pickle=False as an array of that name
    return buffer.getvalue()


def save(
    name: str,
    data: Mapping[str, np.ndarray],
    figure: Figure,
    out_dir: Path,
    format: str = "png",
    about: Mapping[str, Any] | None = None,
) -> list[Path]:
    """Writes `<name>.npz`, `<name>.json` and `<name>.<format>`, each whole or not at all, the picture last.

    Args:
        name: stem of the files.
        data: plotted arrays of any shape, no objects.
        figure: what to draw.
        out_dir: folder, created where missing.
        format: "png", "pdf" or "svg".
        about: plain data, what the sidecar says beside versions and revision: "parameters", "claims", "seeds" (None: no chance).

    Returns:
        The three paths, in the order written; the sidecar has the SHA-256 of the other two.

    Raises:
        ValueError: another format, an array of objects, or something in `about` that JSON cannot say.
        OSError: the folder cannot be written or the disk is full; nothing half-written stays behind.
    """
    check_format(format)
    arrays, drawn = (
        packed(data),
        picture(figure, format),
    )  # whatever can fail without a disk fails before the first write
    sidecar = {
        "figure": name,
        "format": format,
        "parameters": {},
        "seeds": None,
        "claims": [],
        **(about or {}),
        "arrays": {key: list(np.shape(value)) for key, value in data.items()},
        "sha256": {
            "npz": hashlib.sha256(arrays).hexdigest(),
            format: hashlib.sha256(drawn).hexdigest(),
        },
        "versions": versions(),
        "git_revision": git_revision(),
    }
    paths = [out_dir / f"{name}.npz", out_dir / f"{name}.json", out_dir / f"{name}.{format}"]
    write_atomic(paths[0], arrays)
    write_json(paths[1], sidecar)
    write_atomic(paths[2], drawn)
    return paths


def confirm(holds: Any, words: str) -> None:
    """Stops a figure whose data contradict what it says.

    Args:
        holds: array of booleans, one a cell.
        words: what should hold in every cell.

    Raises:
        AssertionError: some cell contradicts; the message counts them.
    """
    holds = np.asarray(holds)
    if not holds.all():
        raise AssertionError(
            f"{words}: contradicted in {int((~holds).sum())} of {holds.size} cells"
        )


def first_crossing(level: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Where each row of `level` first turns from negative to positive, by linear interpolation; NaN where it does not.

        low + (high - low) before/(before - after), over the first step with before < 0 <= after

    Args:
        level: (..., n) any values; NaN never counts as a turn.
        positions: (n,) or (..., n) finite, where they were taken.

    Returns:
        (...) positions of the turns.
    """
    turns = (level[..., :-1] < 0) & (level[..., 1:] >= 0)
    at = turns.argmax(-1)[..., None]
    positions = np.broadcast_to(positions, level.shape)

    def pair(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.take_along_axis(values, at, -1)[..., 0], np.take_along_axis(values, at + 1, -1)[
            ..., 0
        ]

    (before, after), (low, high) = pair(level), pair(positions)
    with np.errstate(invalid="ignore", divide="ignore"):
        place = low + (high - low) * before / (before - after)
    return np.where(turns.any(-1), place, np.nan)
