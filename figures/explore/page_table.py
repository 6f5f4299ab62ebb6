"""Every position of an explorer's sliders as a table that a page only has to look up.

A frame is one panel list and one sentence; its traces share most of what they hold with other frames, so styles, arrays,
layouts and sentences are stored once each and named by their place. Numbers are rounded, and lines thinned, to what a pixel
needs.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ascentfail.figures.drawing.scene import Scene
from ascentfail.figures.drawing.scene_plotly import plotly
from ascentfail.figures.explore.explorers import Explorer

_ACROSS = 700  # pixels: no panel is shown wider
_STEP = 0.2  # of a pixel, to which coordinates are rounded
_OFF = 0.3  # of a pixel, by which a thinned line may be off
_PASSES = 4

Figure = dict[str, Any]


class _Table:
    """Plain data stored once each."""

    def __init__(self) -> None:
        self.items: list[Any] = []
        self._places: dict[str, int] = {}

    def place(self, item: Any) -> int:
        """The place of an item, added if it is new."""
        text = json.dumps(item, allow_nan=False, ensure_ascii=False)
        if text not in self._places:
            self._places[text] = len(self.items)
            self.items.append(item)
        return self._places[text]


def table(explorer: Explorer, done: Callable[[str], object] = lambda name: None) -> dict[str, Any]:
    """All frames of an explorer.

    Args:
        explorer: whose sliders to move.
        done: called with the explorer's name after each frame, for a progress bar.

    Returns:
        Plain data: "sliders" (name, label, words, values as text, start); "styles", "arrays", "layouts", "words"; "frames", in
        the order of `Explorer.places`, each [place in words, panel, ...] with a panel [place in layouts, style, x, y, style, x,
        y, ...], x and y being places in arrays. `figures_of` puts one together again.

    Raises:
        PrecisionError: JAX computes in float32.
    """
    styles, arrays, layouts, words, frames = _Table(), _Table(), _Table(), _Table(), []
    for values in explorer.places():
        scene = explorer.scene(**values)
        frame: list[Any] = [words.place(scene.words)]
        for figure in figures(scene):
            panel = [layouts.place(figure["layout"])]
            for trace in figure["data"]:
                rest = {key: value for key, value in trace.items() if key not in "xy"}
                panel += [styles.place(rest), arrays.place(trace["x"]), arrays.place(trace["y"])]
            frame.append(panel)
        frames.append(frame)
        done(explorer.name)
    sliders = [
        {
            "name": one.name,
            "label": one.label,
            "words": one.words,
            "values": [f"{v:g}" for v in one.values],
            "start": one.start,
        }
        for one in explorer.sliders
    ]
    return {
        "sliders": sliders,
        "styles": styles.items,
        "arrays": arrays.items,
        "layouts": layouts.items,
        "words": words.items,
        "frames": frames,
    }


def figures_of(found: dict[str, Any], place: int) -> tuple[list[Figure], str]:
    """The panels and the sentence of one frame of a table, put together as the page does it."""
    word, *panels = found["frames"][place]
    shown = []
    for panel in panels:
        triples = zip(panel[1::3], panel[2::3], panel[3::3], strict=True)
        data = [
            {**found["styles"][s], "x": found["arrays"][x], "y": found["arrays"][y]}
            for s, x, y in triples
        ]
        shown.append({"data": data, "layout": found["layouts"][panel[0]]})
    return shown, found["words"][word]


def figures(scene: Scene) -> list[Figure]:
    """Each panel of a scene as a plotly figure of its own, thinned and rounded to what a pixel needs."""
    shown = [plotly(Scene((panel,), scene.words)) for panel in scene.panels]
    for figure in shown:
        figure["layout"]["showlegend"] = False  # the page has one of its own, which wraps
        for trace in figure["data"]:
            _lighten(trace, figure["layout"])
    return shown


def _lighten(trace: dict[str, Any], layout: dict[str, Any]) -> None:
    """Thins a line and rounds the coordinates of a trace, in place."""
    axes = [layout["xaxis"], layout["yaxis"]]
    places = [np.array(trace[key], float) for key in "xy"]
    logs = [axis["type"] == "log" for axis in axes]
    if trace["mode"] == "lines":
        pixels = [
            (np.log10(np.maximum(place, 1e-300)) if log else place)
            / (np.ptp(axis["range"]) / _ACROSS)
            for place, log, axis in zip(places, logs, axes, strict=True)
        ]
        kept = kept_points(np.stack(pixels, -1))
        places = [place[kept] for place in places]
    for key, place, log, axis in zip("xy", places, logs, axes, strict=True):
        digits = 4 if log else math.ceil(-math.log10(np.ptp(axis["range"]) / _ACROSS * _STEP))
        trace[key] = [
            None if math.isnan(v) else float(f"{v:.{digits}g}") if log else _short(v, digits)
            for v in place.tolist()
        ]


def _short(value: float, digits: int) -> float | int:
    rounded = round(value, digits)
    return int(rounded) if rounded == int(rounded) else rounded


def kept_points(line: np.ndarray) -> np.ndarray:
    """Which points of a line to keep so that it is nowhere off by more than a third of a pixel.

    Args:
        line: (n, 2) places in pixels, NaN where it breaks.

    Returns:
        Indices of the points kept, the ends and the breaks among them.
    """
    kept = np.arange(len(line))
    for _ in range(
        _PASSES
    ):  # every other point goes where its neighbours' chord passes it by closely
        before, now, after = line[kept[:-2:2]], line[kept[1:-1:2]], line[kept[2::2]]
        before = before[: len(after)]
        now = now[: len(after)]
        chord = after - before
        length = np.hypot(*chord.T)
        gap = now - before
        along = (gap * chord).sum(-1) / np.maximum(length, 1e-12)
        aside = np.abs(gap[:, 0] * chord[:, 1] - gap[:, 1] * chord[:, 0]) / np.maximum(
            length, 1e-12
        )
        close = (aside < _OFF / _PASSES) & (along >= 0) & (along <= length) & (length > 0)
        kept = np.delete(kept, 1 + 2 * np.flatnonzero(close))
    return kept
