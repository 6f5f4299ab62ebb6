"""One picture as plain data, which matplotlib (`scene_matplotlib`) and plotly (`scene_plotly`) both draw.

A scene has panels, a panel has layers, a layer has numbers and a role; what a role looks like is said once, in `mark_styles`.
Nothing is computed here, so that what a scene shows can be compared number by number with what the package says.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class _Places:
    """Something that stands at points.

    Args:
        x: (n,) places.
        y: (n,) places.
        role: key of `mark_styles.ROLES`.
        label: words of the legend; none without.
    """

    x: np.ndarray
    y: np.ndarray
    role: str
    label: str = ""


class Line(_Places):
    """A line through points; NaN breaks it."""


class Points(_Places):
    """Marks at points; none where a coordinate is NaN."""


class Arrow(_Places):
    """An arrow from the first to the second of two points; none where a coordinate is NaN."""


@dataclass(frozen=True, eq=False)
class Band:
    """The area between two curves.

    Args:
        x: (n,) places, increasing.
        low: (n,) lower edge.
        high: (n,) upper edge.
        role: key of `mark_styles.ROLES`.
        label: words of the legend; none without.
    """

    x: np.ndarray
    low: np.ndarray
    high: np.ndarray
    role: str
    label: str = ""


@dataclass(frozen=True, eq=False)
class Field:
    """Values on a mesh: the area where they are positive, or, with levels, the lines on which they have those.

    Args:
        x: (n,) places, increasing.
        y: (m,) places, increasing.
        z: (m, n) finite values.
        role: key of `mark_styles.ROLES`.
        label: words of the legend; none without.
        levels: values of the contour lines, increasing; empty for the area where z > 0.
    """

    x: np.ndarray
    y: np.ndarray
    z: np.ndarray
    role: str
    label: str = ""
    levels: tuple[float, ...] = ()


Layer = Line | Points | Arrow | Band | Field


@dataclass(frozen=True, eq=False)
class Panel:
    """One pair of axes.

    Args:
        title: above it.
        x_label: below it.
        y_label: to its left.
        layers: drawn in this order, the first one undermost.
        x_range: ends of the horizontal axis.
        y_range: ends of the vertical axis.
        x_log: whether the horizontal axis is logarithmic.
        y_log: whether the vertical axis is.
        equal: whether one unit is as long on both axes.
        ground: role of the background; white without.
    """

    title: str
    x_label: str
    y_label: str
    layers: tuple[Layer, ...]
    x_range: tuple[float, float]
    y_range: tuple[float, float]
    x_log: bool = False
    y_log: bool = False
    equal: bool = False
    ground: str = ""

    def layer(self, role: str) -> Layer:
        """The first layer of that role.

        Raises:
            KeyError: the panel has none.
        """
        for layer in self.layers:
            if layer.role == role:
                return layer
        raise KeyError(
            f"no layer with role {role!r}, only {', '.join(dict.fromkeys(one.role for one in self.layers))}"
        )


@dataclass(frozen=True, eq=False)
class Scene:
    """One picture.

    Args:
        panels: side by side.
        words: what is seen, in one to four sentences with numbers.
    """

    panels: tuple[Panel, ...]
    words: str


def one(x: float, y: float) -> tuple[np.ndarray, np.ndarray]:
    """The coordinates of one point, as a layer takes them."""
    return np.array([x], float), np.array([y], float)


def along(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The two columns of (n, 2) points, as a layer takes them."""
    return points[:, 0], points[:, 1]


def decades(ends: tuple[float, float]) -> list[float]:
    """Where a logarithmic axis has its ticks: the powers of ten between its ends, and 2 and 5 times them where they are few."""
    powers = range(math.floor(math.log10(ends[0])), math.ceil(math.log10(ends[1])) + 1)
    steps = (1, 2, 5) if ends[1] < 300 * ends[0] else (1,)
    marks = [float(f"{step}e{power}") for power in powers for step in steps]
    return [mark for mark in marks if ends[0] <= mark <= ends[1]]
