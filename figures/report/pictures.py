"""Where a claim holds: its margin on a plane through its box, first as arrays, then as a small inline SVG.

The plane passes through the counterexample where there is one, otherwise through the middle of the box (or through the
closest point, where the middle lies outside the domain). It is spanned by the two axes along which the picture varies
most. A cell counts as violated only where a re-check in many digits stands behind the sign that floats show.
"""

from __future__ import annotations

import enum
import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any, NamedTuple

import numpy as np

from ascentfail.claims.claim import Axis, Claim, Kind
from ascentfail.claims.evidence import sample
from ascentfail.claims.evidence.recheck import recheck
from ascentfail.core.precision import require_x64

CELLS = 48
_TRIES = (
    4  # cells that look worst and may turn out to be rounding before all of them count as rounding
)
_ROUNDING = (
    1e-12  # of the largest margin on the plane: below it the choice of the axes does not look
)
_ENOUGH = 0.15  # share of a plane through the middle that must lie in the domain for the picture to be taken there
_TIGHT = (1e-1, 1e-3)  # margins below these shares of the largest one are drawn paler
GREEK = {
    "alpha": "α",
    "beta": "β",
    "gamma": "γ",
    "epsilon": "ε",
    "phi": "φ",
    "kappa": "κ",
    "rho": "ρ",
    "eta": "η",
}


class Cell(enum.IntEnum):
    """What is known at the middle of a cell."""

    OUTSIDE = 0  # a side condition fails
    UNKNOWN = 1  # the margin is NaN
    VIOLATED = 2
    HOLDS = 3  # for a claim with an exclusion bound: not excluded


@dataclass(frozen=True)
class Plane:
    """A claim on a plane through its box.

    Attributes:
        axes: the axes across and up; one only where the box has no second.
        fixed: the other coordinates of the box.
        cells: (rows, columns) int8 of `Cell`, the lowest row first.
        slack: (rows, columns) margin over the largest on the plane, NaN where the claim does not hold or has no margin.
        mark: the counterexample's or closest point's place in fractions of the axes, None where the plane misses it.
        refuted: whether the mark is a counterexample.
        bound: whether an exclusion bound was evaluated instead of the margin.
    """

    axes: tuple[Axis, ...]
    fixed: dict[str, float]
    cells: np.ndarray
    slack: np.ndarray
    mark: tuple[float, ...] | None
    refuted: bool
    bound: bool

    def box(self, row: int, column: int) -> dict[str, float]:
        """Coordinates of the middle of a cell, in the axes of the box."""
        places = ((column + 0.5) / self.cells.shape[1], (row + 0.5) / self.cells.shape[0])
        return {
            **self.fixed,
            **{axis.name: float(axis.at(u)) for axis, u in zip(self.axes, places, strict=False)},
        }


class _Floats(NamedTuple):
    """A plane in floats: fractions of the axes (points, axes), and inside, margin, exclusion (points,)."""

    unit: np.ndarray
    inside: np.ndarray
    margin: np.ndarray
    exclusion: np.ndarray


def fraction(axis: Axis, value: float) -> float:
    """Inverse of `Axis.at`: the middle of the fractions that give this value."""
    low, high = axis.low, axis.high
    if axis.scale == "integer":
        return (value - int(low) + 0.5) / (int(high) - int(low) + 1)
    if low == high:
        return 0.5
    if axis.scale == "log":
        low, high, value = np.log(low), np.log(high), np.log(value) if value > 0 else -np.inf
    return float(np.clip((value - low) / (high - low), 0.0, 1.0))


def _place(claim: Claim, point: Mapping[str, float] | None) -> np.ndarray | None:
    """A point in fractions of the axes, None where it does not say all coordinates of the box."""
    axes = claim.domain.axes
    if not point or not all(
        axis.name in point and axis.contains(point[axis.name]) for axis in axes
    ):
        return None
    return np.array([fraction(axis, point[axis.name]) for axis in axes])


def plane(claim: Claim, entry: Mapping[str, Any], cells: int = CELLS) -> Plane:
    """Evaluates a claim on the plane that shows most of it.

    Args:
        claim: the claim.
        entry: its verdict as plain data; only its counterexample and its closest point are read.
        cells: cells a side.

    Returns:
        Plane.

    Raises:
        PrecisionError: float64 is off.
        ClaimError: the claim's own functions raise or return the wrong shape.
    """
    require_x64("a picture of where a claim holds")
    axes = claim.domain.axes
    refuted = bool(entry["counterexample"])
    through = _place(
        claim, entry["counterexample"]["point"] if refuted else entry["evidence"]["worst_point"]
    )
    middle = np.full(len(axes), 0.5)
    anchors = (
        [through]
        if refuted and through is not None
        else [middle, *([] if through is None else [through])]
    )
    pairs = list(itertools.combinations(range(len(axes)), 2)) or [(0,)]
    planes = [(anchor, pair) for anchor in anchors for pair in pairs]
    batches = _evaluate(claim, [_grid(anchor, pair, cells) for anchor, pair in planes])
    through_the_middle = [k for k in range(len(pairs)) if batches[k].inside.mean() > _ENOUGH]
    chosen = max(
        through_the_middle or range(len(planes)),
        key=lambda k: _interest(claim, planes[k][1], batches[k]),
    )
    anchor, pair = planes[chosen]
    status, slack = _status(claim, batches[chosen])
    return Plane(
        axes=tuple(axes[i] for i in pair),
        fixed={
            axis.name: float(axis.at(anchor[i])) for i, axis in enumerate(axes) if i not in pair
        },
        cells=status.reshape(-1, cells),
        slack=slack.reshape(-1, cells),
        mark=tuple(float(anchor[i]) for i in pair) if anchor is through else None,
        refuted=refuted,
        bound=claim.exclusion is not None,
    )


def _grid(anchor: np.ndarray, pair: tuple[int, ...], cells: int) -> np.ndarray:
    """Fractions of the axes at every cell of one plane, row by row."""
    middles = (np.arange(cells) + 0.5) / cells
    up, across = np.meshgrid(middles if len(pair) == 2 else middles[:1], middles, indexing="ij")
    unit = np.tile(anchor, (up.size, 1))
    for i, places in zip(pair, (across, up), strict=False):
        unit[:, i] = places.ravel()
    return unit


def _evaluate(claim: Claim, grids: list[np.ndarray]) -> list[_Floats]:
    """Floats on every plane, as many points at a time as sampling takes: what it compiled is used again."""
    unit, axes = np.concatenate(grids), len(claim.domain.axes)
    step = sample.SAMPLES // 128 if claim.kind is Kind.EXISTENCE else sample.SAMPLES
    step += 2**axes if axes <= 8 else 0
    padded = np.pad(unit, ((0, -len(unit) % step), (0, 0)), "edge")
    batches = [
        sample.evaluate(claim, padded[start : start + step])
        for start in range(0, len(padded), step)
    ]
    parts = zip(*((batch.inside, batch.margin, batch.exclusion) for batch in batches), strict=True)
    columns = (np.split(np.concatenate(part)[: len(unit)], len(grids)) for part in parts)
    return [_Floats(*values) for values in zip(grids, *columns, strict=True)]


def _value(claim: Claim, batch: _Floats) -> np.ndarray:
    return batch.margin if claim.exclusion is None else batch.exclusion


def _interest(claim: Claim, pair: tuple[int, ...], batch: _Floats) -> float:
    """How much a plane shows of the domain: both signs first, then the spread of the margin; few steps show little."""
    value = _value(claim, batch)
    seen = value[batch.inside & np.isfinite(value)]
    if not seen.size:
        return 0.0
    size = np.abs(seen) / max(float(np.abs(seen).max()), 1e-300)
    broken = size > _ROUNDING if claim.kind is Kind.EQUALITY else (seen < 0) & (size > _ROUNDING)
    bands = np.digitize(size, sorted(_TIGHT))
    axes = (claim.domain.axes[i] for i in pair)
    coarse = min(axis.high - axis.low if axis.scale == "integer" else np.inf for axis in axes) < 8
    shown = 0.1 + 4 * _entropy(broken.astype(int)) + _entropy(bands)
    return (0.3 if coarse else 1.0) * seen.size / value.size * shown


def _entropy(codes: np.ndarray) -> float:
    shares = np.bincount(codes) / codes.size
    return float(-(shares[shares > 0] * np.log(shares[shares > 0])).sum())


def _status(claim: Claim, batch: _Floats) -> tuple[np.ndarray, np.ndarray]:
    """`Cell` and slack at every point of one plane."""
    value = _value(claim, batch)
    status = np.where(
        batch.inside, np.where(np.isnan(value), Cell.UNKNOWN, Cell.HOLDS), Cell.OUTSIDE
    ).astype(np.int8)
    status[_confirmed(claim, batch)] = Cell.VIOLATED
    if claim.kind is Kind.EQUALITY or claim.exclusion is not None:
        return status, np.full(len(value), np.nan)
    holds = status == Cell.HOLDS
    largest = max(float(value[holds].max()), 1e-300) if holds.any() else 1.0
    return status, np.where(holds, np.clip(value / largest, 0.0, 1.0), np.nan)


def _confirmed(claim: Claim, batch: _Floats) -> np.ndarray:
    """The cells that floats see violated, down to the smallest violation that many digits confirm (by bisection)."""
    suspicion = np.where(
        batch.inside, sample.suspicions(claim, batch.margin, batch.exclusion), -np.inf
    )
    order = np.argsort(-suspicion, kind="stable")
    order = order[suspicion[order] > 0]

    def violated(k: int) -> bool:
        place = zip(claim.domain.axes, batch.unit[order[k]], strict=True)
        return recheck(claim, {axis.name: float(axis.at(u)) for axis, u in place}).violated

    first = next((k for k in range(min(_TRIES, len(order))) if violated(k)), None)
    if first is None:
        return order[:0]
    low, high = first, len(order)
    while high - low > 1:
        between = (low + high) // 2
        low, high = (between, high) if violated(between) else (low, between)
    return order[first:high]


# --- drawing ----------------------------------------------------------------------------------------------------------

_SIDE, _PAD, _EDGE = 240, 22, 8  # of the drawing; left and below it; above it and to its right
_NAMES = {
    Cell.OUTSIDE: "outside",
    Cell.UNKNOWN: "unknown",
    Cell.VIOLATED: "violated",
    Cell.HOLDS: "holds",
}
PATTERNS = (
    '<svg width="0" height="0" aria-hidden="true" class="patterns"><defs>'
    '<pattern id="hatch" width="1.6" height="1.6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect class="ground" width="1.6" height="1.6"/><rect class="ink" width=".4" height="1.6"/></pattern>'
    '<pattern id="dots" width="1.5" height="1.5" patternUnits="userSpaceOnUse">'
    '<rect class="ground" width="1.5" height="1.5"/><circle class="ink" cx=".75" cy=".75" r=".17"/></pattern>'
    '<pattern id="cross" width="1.2" height="1.2" patternUnits="userSpaceOnUse">'
    '<rect class="ground" width="1.2" height="1.2"/><path class="ink" d="M0 0h1.2v.2H0zM0 0h.2v1.2H0z"/></pattern>'
    "</defs></svg>"
)


def classes(plane: Plane) -> np.ndarray:
    """(rows, columns) looks of the cells: `Cell` in words, and "tight" or "tighter" where the margin is small."""
    looks = np.array([_NAMES[cell] for cell in Cell])[plane.cells].astype("U8")
    looks[plane.slack < _TIGHT[0]] = "tight"
    looks[plane.slack < _TIGHT[1]] = "tighter"
    return looks


def outline(mask: np.ndarray) -> str:
    """SVG path of the true cells as few rectangles: runs along rows, merged with equal runs below."""
    rectangles: list[list[int]] = []  # column, row, width, height
    open_runs: dict[tuple[int, int], list[int]] = {}
    for row, line in enumerate(mask):
        edges = np.flatnonzero(np.diff(np.concatenate([[0], line.astype(np.int8), [0]])))
        runs = {}
        for start, stop in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
            found = open_runs.get((start, stop - start)) or [start, row, stop - start, 0]
            found[3] += 1
            runs[start, stop - start] = found
            if found[3] == 1:
                rectangles.append(found)
        open_runs = runs
    return "".join(f"M{x} {y}h{w}v{h}h-{w}z" for x, y, w, h in rectangles)


def svg(name: str, plane: Plane) -> str:
    """The picture: an inline SVG that takes its colours from the page's style sheet.

    Args:
        name: id of the claim, for the title and for ids inside the page.
        plane: what to draw.
    """
    looks = classes(plane)[::-1]  # SVG counts rows from the top
    rows, columns = looks.shape
    height = _SIDE if rows > 1 else 40
    drawn = [
        f'<path class="{look}" d="{outline(looks == look)}"/>' for look in np.unique(looks).tolist()
    ]
    scale = f"translate({_PAD} {_EDGE}) scale({_SIDE / columns:g} {height / rows:g})"
    texts = _axis_text(plane.axes[0], f"translate({_PAD} {_EDGE + height + 15})", _SIDE)
    if len(plane.axes) == 2:
        texts += _axis_text(
            plane.axes[1], f"translate({_PAD - 7} {_EDGE + height}) rotate(-90)", height
        )
    key = escape(name, quote=True)
    return (
        f'<svg class="plane" viewBox="0 0 {_PAD + _SIDE + _EDGE} {_EDGE + height + _PAD}" role="img" '
        f'aria-labelledby="{key}.t {key}.d">'
        f'<title id="{key}.t">Where {key} holds</title><desc id="{key}.d">{escape(described(plane))}</desc>'
        f'<g transform="{scale}" shape-rendering="crispEdges">{"".join(drawn)}</g>'
        f'<rect class="frame" x="{_PAD}" y="{_EDGE}" width="{_SIDE}" height="{height}"/>'
        f"{texts}{_mark(plane, height)}</svg>"
    )


def short(value: float) -> str:
    """A number in four figures, 1e4 rather than 1e+04."""
    return re.sub(r"e([+-])0*", lambda found: "e" + found[1].strip("+"), f"{value:.4g}")


def _axis_text(axis: Axis, transform: str, length: int) -> str:
    scale = "" if axis.scale == "linear" else f" ({axis.scale})"
    name = escape(GREEK.get(axis.name, axis.name))
    return (
        f'<g transform="{transform}"><text>{short(axis.low)}</text><text x="{length / 2:g}" text-anchor="middle">'
        f'<tspan class="name">{name}</tspan>{scale}</text>'
        f'<text x="{length}" text-anchor="end">{short(axis.high)}</text></g>'
    )


def _mark(plane: Plane, height: int) -> str:
    if plane.mark is None:
        return ""
    across, up = plane.mark if len(plane.mark) == 2 else (*plane.mark, 0.5)
    place = f'transform="translate({_PAD + across * _SIDE:.1f} {_EDGE + (1 - up) * height:.1f})"'
    shape = "M-5-5 5 5M-5 5 5-5" if plane.refuted else "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0"
    return f'<g {place}><path class="halo" d="{shape}"/><path class="mark" d="{shape}"/></g>'


def described(plane: Plane) -> str:
    """The picture in words, for those who cannot see it."""
    ranges = [
        f"{axis.name} from {short(axis.low)} to {short(axis.high)} ({axis.scale})"
        for axis in plane.axes
    ]
    shares = {word: float(np.mean(plane.cells == cell)) for cell, word in _NAMES.items()}
    shares["not excluded" if plane.bound else "holds"] = shares.pop("holds")
    counted = ", ".join(f"{word} {100 * share:.3g} %" for word, share in shares.items() if share)
    return f"{' across, '.join(ranges)}{' up' if len(ranges) == 2 else ''}. Share of the cells: {counted}."
