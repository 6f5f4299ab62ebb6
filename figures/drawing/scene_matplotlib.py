"""Draws a scene with matplotlib."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import FancyArrowPatch, Rectangle
from matplotlib.ticker import NullLocator

from ascentfail.figures.drawing import style
from ascentfail.figures.drawing.mark_styles import NOTHING, ROLES, Role
from ascentfail.figures.drawing.scene import (
    Arrow,
    Band,
    Field,
    Layer,
    Line,
    Panel,
    Points,
    Scene,
    decades,
)


def draw(scene: Scene, figure: Figure) -> None:
    """Draws the panels of a scene on a figure, side by side, with one legend below; what was on it goes.

    Axes that a former scene of as many panels left are used again, and margins are fixed: making axes and measuring text for a
    layout would take longer than all the rest.

    Args:
        scene: what to draw; its words are left to the caller.
        figure: where to, 6 to 9 inches wide for two panels.
    """
    with style.look():
        count = len(scene.panels)
        if len(figure.axes) != count or not all(isinstance(ax, Axes) for ax in figure.axes):
            figure.clear()
            figure.set_layout_engine(None)  # the default, which is none
            figure.subplots(1, count)
        for ax, panel in zip(figure.axes, scene.panels, strict=True):
            _panel(ax, panel)
        _legend(figure, scene)


def _legend(figure: Figure, scene: Scene) -> None:
    """Marks and words on a grid below the axes, of what is to be seen; matplotlib's legend takes as long as all the rest."""
    for artist in [*figure.artists, *figure.texts]:
        artist.remove()
    entries: dict[str, Layer | None] = {}
    for panel in scene.panels:
        for layer in panel.layers:
            if layer.label and not entries.get(layer.label):
                entries[layer.label] = layer if _visible(layer) else None
    rows = -(
        -len(entries) // _COLUMNS
    )  # also for what this scene does not show, so that moving a slider moves no axes
    wide, high = figure.get_size_inches()
    margins = {
        "left": 0.55 / wide,
        "right": 1 - 0.1 / wide,
        "top": 1 - 0.25 / high,
        "bottom": (0.5 + _ROW * rows) / high,
    }
    figure.subplots_adjust(**margins, wspace=0.22)
    for k, (label, layer) in enumerate((label, layer) for label, layer in entries.items() if layer):
        x, y = (
            (0.3 + k // rows * (wide - 0.3) / _COLUMNS) / wide,
            _ROW * (rows - 0.5 - k % rows) / high,
        )
        figure.add_artist(_handle(layer, (x, y), (0.3 / wide, 0.1 / high)))
        figure.text(x + 0.38 / wide, y, label, fontsize=7, va="center_baseline")


_ROW = 0.17  # inches
_COLUMNS = 3


def _visible(layer: Layer) -> bool:
    """Whether there is anything to see of it."""
    if isinstance(layer, Band):
        return bool((layer.high > layer.low).any())
    if isinstance(layer, Field):
        return bool(layer.levels) or bool((layer.z > 0).any())
    return bool((np.isfinite(layer.x) & np.isfinite(layer.y)).any())


def _panel(ax: Axes, panel: Panel) -> None:
    """Axes and layers of one panel."""
    for artist in [*ax.lines, *ax.patches, *ax.collections]:
        artist.remove()
    scales = {
        "xscale": "log" if panel.x_log else "linear",
        "yscale": "log" if panel.y_log else "linear",
    }
    now = {"xscale": ax.get_xscale(), "yscale": ax.get_yscale()}
    ax.set(**{key: value for key, value in scales.items() if now[key] != value})
    ax.set(
        title=panel.title,
        xlabel=panel.x_label,
        ylabel=panel.y_label,
        xlim=panel.x_range,
        ylim=panel.y_range,
    )
    for axis, log, ends in (
        (ax.xaxis, panel.x_log, panel.x_range),
        (ax.yaxis, panel.y_log, panel.y_range),
    ):
        if log:
            axis.set_ticks(marks := decades(ends), [f"{mark:g}" for mark in marks])
            axis.set_minor_locator(NullLocator())
    ax.set_aspect("equal" if panel.equal else "auto")
    ax.set_facecolor(ROLES[panel.ground].colour if panel.ground else "white")
    for order, layer in enumerate(panel.layers):
        if _visible(layer):
            _layer(ax, layer, 2 + order / 100)


def _layer(ax: Axes, layer: Layer, order: float) -> None:
    """One layer; the later ones above the earlier ones."""
    role = ROLES[layer.role]
    if isinstance(layer, Points):
        ax.plot(layer.x, layer.y, **_mark(role), zorder=order + 1, clip_on=True)
    elif isinstance(layer, Line):
        ax.plot(layer.x, layer.y, **_stroke(role), zorder=order)
    elif isinstance(layer, Arrow):
        ends = tuple(zip(layer.x, layer.y, strict=True))
        head: dict[str, Any] = {
            "arrowstyle": "-|>",
            "mutation_scale": 10,
            "shrinkA": 0,
            "shrinkB": 0,
            "zorder": order,
        }
        ax.add_patch(FancyArrowPatch(*ends, color=role.colour, linewidth=role.width, **head))
    elif isinstance(layer, Band):
        ax.fill_between(layer.x, layer.low, layer.high, **_paint(role), zorder=order)
    else:
        _field(ax, layer, role, order)


def _field(ax: Axes, layer: Field, role: Role, order: float) -> None:
    """Contour lines, or the area where the values are positive."""
    if layer.levels:
        stroke: dict[str, Any] = {
            "colors": role.colour,
            "linewidths": role.width,
            "linestyles": "solid",
            "zorder": order,
        }
        with warnings.catch_warnings():
            warnings.filterwarnings(
                "ignore", "No contour levels were found"
            )  # all levels outside: nothing to draw
            ax.contour(layer.x, layer.y, layer.z, levels=layer.levels, **stroke)
        return
    drawn = ax.contourf(
        layer.x,
        layer.y,
        layer.z,
        levels=[0, np.inf],
        colors=role.colour,
        hatches=[role.hatch or None],
        zorder=order,
    )
    drawn.set_edgecolor(role.hatch_colour)
    drawn.set_linewidth(0)


def _stroke(role: Role) -> dict[str, Any]:
    dash = (
        (0, tuple(length / role.width for length in role.dash)) if role.dash else "solid"
    )  # matplotlib counts in widths
    return {"color": role.colour, "linewidth": role.width, "linestyle": dash}


def _mark(role: Role) -> dict[str, Any]:
    rim = {"markeredgecolor": role.edge, "markeredgewidth": role.rim}
    return {
        "linestyle": "none",
        "marker": role.marker,
        "markersize": role.size,
        "markerfacecolor": role.colour,
    } | rim


def _paint(role: Role) -> dict[str, Any]:
    return {
        "facecolor": role.colour,
        "edgecolor": role.hatch_colour,
        "hatch": role.hatch or None,
        "linewidth": 0,
    }


def _handle(layer: Layer, at: tuple[float, float], size: tuple[float, float]) -> Artist:
    """The layer's mark, its left end in the middle at that place of the figure."""
    role, (x, y), (wide, high) = ROLES[layer.role], at, size
    if isinstance(layer, Points):
        return Line2D([x + wide / 2], [y], **_mark(role))
    if isinstance(layer, Band) or (isinstance(layer, Field) and not layer.levels):
        look = _paint(role)
        look["linewidth"] = 0.6 if role.colour == NOTHING else 0  # a hatch by itself wants a rim
        return Rectangle((x, y - high / 2), wide, high, **look)
    return Line2D([x, x + wide], [y, y], **_stroke(role))
