"""A scene as a plotly figure in plain dicts and lists; plotly itself is not needed to make one.

Areas and contour lines are traced here, by what matplotlib traces them with, so that both front ends show the same outlines and a
browser only joins points.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from contourpy import FillType, LineType, contour_generator

from ascentfail.figures.drawing.mark_styles import NOTHING, ROLES, Role
from ascentfail.figures.drawing.scene import Arrow, Band, Layer, Line, Panel, Points, Scene, decades

_SYMBOLS = {
    "o": "circle",
    "*": "star",
    "X": "x",
    "v": "triangle-down",
    "D": "diamond",
    "P": "cross",
    "s": "square",
}
_SYMBOLS["x"] = "x-thin"
_PATTERNS = {"......": ".", "//////": "/"}
_PIXELS = 4 / 3  # a point, 1/72 inch, in CSS pixels
_GAP = 0.13  # between panels, as a part of the width


def plotly(scene: Scene) -> dict[str, Any]:
    """The panels of a scene side by side, as plotly reads a figure.

    Args:
        scene: what to draw; its words are left to the caller.

    Returns:
        {"data": traces, "layout": layout} of numbers, text, lists and dicts; None where a line breaks. Sizes are left to the
        page. A layer with nothing to see keeps its place in "data", and in the legend, as a trace whose one point is None, so
        that a slider moves no legend.
    """
    count, layout = len(scene.panels), _layout()
    data: list[dict[str, Any]] = []
    named: set[str] = set()
    width = (1 - _GAP * (count - 1)) / count
    for k, panel in enumerate(scene.panels):
        number = str(k + 1) if k else ""
        layout |= _axes(panel, number, [k * (width + _GAP), k * (width + _GAP) + width])
        layout["annotations"].append(_title(panel, number))
        for layer in panel.layers:
            trace = _trace(layer) | {"xaxis": f"x{number}", "yaxis": f"y{number}"}
            if layer.label:
                trace |= {"name": layer.label, "legendgroup": layer.label}
            data.append(trace | {"showlegend": bool(layer.label) and layer.label not in named})
            named.add(layer.label)
    return {"data": data, "layout": layout}


def _layout() -> dict[str, Any]:
    return {
        "showlegend": True,
        "legend": {
            "orientation": "h",
            "x": 0,
            "y": -0.2,
            "yanchor": "top",
            "itemclick": False,
            "itemdoubleclick": False,
        },
        "font": {"size": 12, "color": "#222222"},
        "paper_bgcolor": "white",
        "plot_bgcolor": "white",
        "margin": {"l": 55, "r": 12, "t": 30, "b": 45},
        "hovermode": "closest",
        "dragmode": False,
        "annotations": [],
    }


def _axes(panel: Panel, number: str, domain: list[float]) -> dict[str, Any]:
    """Both axes of one panel."""
    frame: dict[str, Any] = {
        "showgrid": False,
        "zeroline": False,
        "mirror": True,
        "showline": True,
        "linecolor": "#444444",
    }
    look = frame | {"ticks": "outside", "ticklen": 4, "fixedrange": True}
    x = (
        look
        | _scale(panel.x_range, panel.x_log)
        | {"title": {"text": panel.x_label, "standoff": 6}, "anchor": f"y{number}"}
    )
    y = (
        look
        | _scale(panel.y_range, panel.y_log)
        | {"title": {"text": panel.y_label, "standoff": 6}, "anchor": f"x{number}"}
    )
    x["domain"] = domain
    if panel.equal:
        y |= {"scaleanchor": f"x{number}", "constrain": "domain"}
        x |= {"constrain": "domain"}
    return {f"xaxis{number}": x, f"yaxis{number}": y}


def _scale(ends: tuple[float, float], log: bool) -> dict[str, Any]:
    if not log:
        return {"type": "linear", "range": list(ends)}
    marks = decades(ends)
    return {
        "type": "log",
        "range": [float(np.log10(end)) for end in ends],
        "tickvals": marks,
        "ticktext": [f"{mark:g}" for mark in marks],
    }


def _title(panel: Panel, number: str) -> dict[str, Any]:
    place: dict[str, Any] = {
        "xref": f"x{number} domain",
        "yref": f"y{number} domain",
        "x": 0.5,
        "y": 1.02,
        "yanchor": "bottom",
    }
    return place | {"text": panel.title, "showarrow": False, "font": {"size": 13}}


def _trace(layer: Layer) -> dict[str, Any]:
    """One layer as a trace; every kind is a scatter."""
    role = ROLES[layer.role]
    if isinstance(layer, Points):
        marker: dict[str, Any] = {
            "symbol": _SYMBOLS[role.marker],
            "size": _pixels(role.size),
            "color": _colour(role.colour),
        }
        marker["line"] = {"color": role.edge, "width": _pixels(role.rim)}
        hover = {"hovertemplate": "%{fullData.name}<br>(%{x:.3g}, %{y:.3g})<extra></extra>"}
        return (
            _scatter(layer.x, layer.y)
            | {"mode": "markers", "marker": marker, "cliponaxis": True}
            | hover
        )
    if isinstance(layer, Line):
        return _scatter(layer.x, layer.y) | {
            "mode": "lines",
            "line": _stroke(role),
            "hoverinfo": "skip",
        }
    if isinstance(layer, Arrow):
        head: dict[str, Any] = {
            "symbol": "arrow",
            "angleref": "previous",
            "size": [0, 14],
            "color": role.colour,
            "opacity": 1,
        }
        head["line"] = {"width": 0}
        return _scatter(layer.x, layer.y) | {
            "mode": "lines+markers",
            "line": _stroke(role),
            "marker": head,
            "hoverinfo": "skip",
        }
    if isinstance(layer, Band):
        return _area(*_band(layer), role)
    lines = contour_generator(
        layer.x,
        layer.y,
        layer.z,
        line_type=LineType.ChunkCombinedNan,
        fill_type=FillType.OuterOffset,
    )
    if layer.levels:
        found = [
            points
            for level in layer.levels
            for points in lines.lines(level)[0]
            if points is not None
        ]
        return _scatter(*_joined(found)) | {
            "mode": "lines",
            "line": _stroke(role),
            "hoverinfo": "skip",
        }
    return _area(*_joined(_rings(*lines.filled(0, np.inf))), role)


def _rings(points: Sequence[Any], offsets: Sequence[Any]) -> list[np.ndarray]:
    """Outlines and holes, one array each; holes run the other way round."""
    return [
        own[a:b]
        for own, at in zip(points, offsets, strict=True)
        for a, b in zip(at[:-1], at[1:], strict=True)
    ]


def _joined(parts: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Several lines as one, with a NaN between them."""
    if not parts:
        return np.empty(0), np.empty(0)
    gap = np.full((1, 2), np.nan)
    both = np.concatenate([piece for part in parts for piece in (part, gap)][:-1])
    return both[:, 0], both[:, 1]


def _band(layer: Band) -> tuple[np.ndarray, np.ndarray]:
    """The outline of a band; empty where it has no height anywhere."""
    if not (layer.high > layer.low).any():
        return np.empty(0), np.empty(0)
    high = np.maximum(layer.high, layer.low)
    return np.r_[layer.x, layer.x[::-1]], np.r_[layer.low, high[::-1]]


def _area(x: np.ndarray, y: np.ndarray, role: Role) -> dict[str, Any]:
    look: dict[str, Any] = {
        "fill": "toself",
        "fillcolor": _colour(role.colour),
        "line": {"width": 0},
    }
    if role.hatch:
        background = "rgba(0,0,0,0)" if role.colour == NOTHING else role.colour
        look["fillpattern"] = {
            "shape": _PATTERNS[role.hatch],
            "fgcolor": role.hatch_colour,
            "bgcolor": background,
            "size": 6,
            "solidity": 0.2,
        }
    return _scatter(x, y) | {"mode": "lines", "hoverinfo": "skip"} | look


def _scatter(x: np.ndarray, y: np.ndarray) -> dict[str, Any]:
    """Coordinates as lists; None where one of the two is not finite, and a single None where none is."""
    shown = np.isfinite(x) & np.isfinite(y)
    if not shown.any():
        return {"type": "scatter", "x": [None], "y": [None]}
    pairs = {"x": x, "y": y}
    return {"type": "scatter"} | {
        key: [float(value) if fine else None for value, fine in zip(values, shown, strict=True)]
        for key, values in pairs.items()
    }


def _stroke(role: Role) -> dict[str, Any]:
    dash = ",".join(f"{_pixels(length)}px" for length in role.dash) or "solid"
    return {"color": role.colour, "width": _pixels(role.width), "dash": dash}


def _pixels(points: float) -> float:
    return round(points * _PIXELS, 2)


def _colour(colour: str) -> str:
    return "rgba(0,0,0,0)" if colour == NOTHING else colour
