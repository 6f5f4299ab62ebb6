"""Figure 5: the toy network's three losses, in the literal reading and in each reading that the scan singles out.

Contours of the losses of original, oracle and descent-ascent; their stationary points, marked by kind and by the point that is
classified wrongly there; the borders between the decision patterns; for the oracle the basins of attraction of gradient descent;
for descent-ascent the path of gradient flow from the original's global minimum. Above each row: the reading and what it supports.

Paper: Figure 5, Sec. 5.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from ascentfail.core.models import MODELS, Model
from ascentfail.core.precision import require_x64
from ascentfail.figures.drawing import style
from ascentfail.plane.stationary_points import StationaryKind
from ascentfail.theory import toy_interpretations
from ascentfail.theory.toy_interpretations import FOURTH, THIRD
from ascentfail.toy import landscape
from ascentfail.toy import network as toy
from ascentfail.toy.network import Terms, ToyLandscape
from ascentfail.toy.points import concrete

NAME = "fig05-landscape"
CLAIMS = ("toy-minima.literal", "toy-minima.some-reading", "toy-path", "toy-trap.small-step")
PARAMETERS: dict[str, Any] = {
    "a": [-1.0, 5.6],
    "b": [-2.9, 1.0],
    "cells": [133, 101],
    "basin_cells": [100, 75],
}
_MOST = 6  # stationary points a panel
_LEGS = 120  # corners of a path, as drawn


@jax.jit
def grid(p: Terms, a: Any, b: Any) -> Any:
    """The loss at every (b, a) of a grid."""
    return jax.vmap(lambda y: jax.vmap(lambda x: toy.expansion(p, (x, y))[0])(a))(b)


def _wrong(found: landscape.StationaryPoints) -> np.ndarray:
    """3 or 4 where that point alone is wrong, else 0."""
    return np.where(found.alone_wrong(THIRD), 3, np.where(found.alone_wrong(FOURTH), 4, 0))


def thin(path: np.ndarray) -> np.ndarray:
    """The path with `_LEGS` corners, evenly spaced along it."""
    length = np.r_[0, np.cumsum(np.hypot(*np.diff(path, axis=0).T))]
    even = np.linspace(0, length[-1], _LEGS)
    return np.stack([np.interp(even, length, path[:, k]) for k in (0, 1)], -1)


def data(
    a: Sequence[float], b: Sequence[float], cells: Sequence[int], basin_cells: Sequence[int]
) -> dict[str, np.ndarray]:
    """The three losses in every reading drawn, after the claims were checked in them.

    Args:
        a: first and last value of the first parameter, finite.
        b: the same of the second, finite.
        cells: how many of each for the losses, >= 2.
        basin_cells: how many of each for the basins, >= 2.

    Returns:
        "a", "b", "basin_a", "basin_b": the axes; reading (r,): words; margin (r,) of toy-minima; supports (r, 3): whether the
        reading shows minima, path and trap (not at the oracle's global minimum); loss (r, 3, b, a); points (r, 3, n, 2), kind
        and wrong (r, 3, n): stationary points by loss, NaN, 0 and 0 where there are fewer; basins (r, b, a): wrong point (3, 4,
        0) at the oracle's minimum that gradient flow reaches; path (r, corners, 2); trap (r, 2): where gradient flow on L_R leads
        from its end.

    Raises:
        AssertionError: a claim is contradicted, or a marked point is not where the grid says.
        PrecisionError: JAX computes in float32.

    Paper: Figure 5, Sec. 5.2.
    """
    require_x64(NAME)
    axes = [np.linspace(ends[0], ends[1], count) for ends, count in zip((a, b), cells, strict=True)]
    coarse = [
        np.linspace(ends[0], ends[1], count)
        for ends, count in zip((a, b), basin_cells, strict=True)
    ]
    supporting = toy_interpretations.supporting()
    points = (toy_interpretations.LITERAL, *supporting)
    rows = [_row(toy_interpretations.landscape_of(point), axes, coarse) for point in points]
    stacked = {key: np.array([row[key] for row in rows]) for key in rows[0]}
    style.confirm(
        stacked["supports"][1:].all(),
        "a reading that the scan singles out shows minima, path and trap",
    )
    style.confirm(
        not stacked["supports"][0, 0], "the literal reading does not show the printed minima"
    )
    style.confirm(len(supporting) > 0, "some reading supports the print")
    return {
        "a": axes[0],
        "b": axes[1],
        "basin_a": coarse[0],
        "basin_b": coarse[1],
        "reading": np.array([toy_interpretations.words_of(point) for point in points]),
        **stacked,
    }


def _row(t: ToyLandscape, axes: list[np.ndarray], coarse: list[np.ndarray]) -> dict[str, Any]:
    """Everything drawn for one reading."""
    found = {which: landscape.stationary_points(t, which) for which in MODELS}
    minima = {which: found[which].minima() for which in MODELS}
    losses = np.array([np.asarray(grid(concrete(t, which), *axes)) for which in MODELS])
    for value, which in zip(losses, MODELS, strict=True):
        _check(value, found[which], axes)
    path, _ = landscape.flow(t, minima["original"].parameters[0], "descent_ascent")
    after, _ = landscape.flow(t, path[-1], "oracle")
    ends = [_at(minima["descent_ascent"], path[-1]), _at(minima["oracle"], after[-1])]
    local = (
        np.abs(after[-1] - minima["oracle"].parameters[0]).max() > 1e-3
    )  # what is lowest anyway is no trap
    reached = landscape.basins(t, "oracle", coarse[0].tolist(), coarse[1].tolist()).T
    own = landscape.settle(t, minima["oracle"].parameters, "oracle")
    style.confirm(own == np.arange(len(own)), "a minimum lies in its own basin")
    margin = toy_interpretations.support(t, "sampled")[0]
    kinds, wrong, places = (
        np.zeros((3, _MOST), int),
        np.zeros((3, _MOST), int),
        np.full((3, _MOST, 2), np.nan),
    )
    for i, which in enumerate(MODELS):
        n = len(found[which])
        kinds[i, :n], wrong[i, :n], places[i, :n] = (
            found[which].kind,
            _wrong(found[which]),
            found[which].parameters,
        )
    return {
        "margin": margin,
        "supports": np.array([margin > 0, ends[0] == 4, ends[1] == 4 and local]),
        "loss": losses,
        "points": places,
        "kind": kinds,
        "wrong": wrong,
        "basins": np.where(reached >= 0, _wrong(minima["oracle"])[reached], -1),
        "path": thin(path),
        "trap": after[-1],
    }


def _at(minima: landscape.StationaryPoints, end: np.ndarray) -> int:
    """The wrong point of the minimum at which a path ended, 0 for another pattern."""
    gap = np.abs(minima.parameters - end).max(1)
    style.confirm(gap.min() < 1e-3, "a path ends at a minimum")
    return int(_wrong(minima)[gap.argmin()])


def _check(value: np.ndarray, found: landscape.StationaryPoints, axes: list[np.ndarray]) -> None:
    """The marked minima are those that the grid of losses shows."""
    middle = value[1:-1, 1:-1]
    moves = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if i or j]
    around = [
        value[1 + i : value.shape[0] - 1 + i, 1 + j : value.shape[1] - 1 + j] for i, j in moves
    ]
    low = np.argwhere(np.all([middle < other for other in around], axis=0)) + 1
    seen = np.array([[axes[0][j], axes[1][i]] for i, j in low])
    minima, cell = found.minima().parameters, np.array([axis[1] - axis[0] for axis in axes])
    inside = np.all(
        [(minima[:, k] > axis[1]) & (minima[:, k] < axis[-2]) for k, axis in enumerate(axes)],
        axis=0,
    )
    style.confirm(value.min() >= found.loss[0] - 1e-12, "no cell lies below the global minimum")
    style.confirm(inside.all(), "every minimum is in the window")
    gaps = np.abs(seen[:, None] - minima[None]) / cell
    # a valley that runs across the cells may look like a minimum a few cells away from the one in it
    style.confirm(gaps.max(-1).min(1) < 12, "every minimum of the grid is near a marked one")


_FILL: dict[int, dict[str, Any]] = {
    3: {"facecolor": style.PATTERNS[3]},
    4: {"facecolor": style.PATTERNS[4]},
    0: {"facecolor": "#FFFFFF"},
}
_MARK: dict[int, dict[str, Any]] = {
    3: {"marker": "o", "color": style.BLUE, "markersize": 5.5},
    4: {"marker": "s", "color": style.VERMILLION, "markersize": 5.5},
    0: {"marker": "D", "color": style.INK, "markersize": 4.5},
}
_MINIMA = {
    3: "minimum, x = 3 alone wrong",
    4: "minimum, x = 4 alone wrong",
    0: "minimum, other pattern",
}
_PATH: dict[str, Any] = {"color": style.BLACK, "linewidth": 1.6, "linestyle": (0, (3, 1))}
_NAMES: dict[Model, str] = {
    "original": "original",
    "oracle": "oracle, basins of gradient descent",
    "descent_ascent": "descent-ascent, path from the original",
}
_CLAIMED = ("toy-minima", "toy-path", "toy-trap.small-step")


def draw(data: dict[str, np.ndarray]) -> Figure:
    """A row for each reading, a column for each of the three losses.

    Args:
        data: what `data` returns.

    Returns:
        The figure. Never raises on such data.
    """
    with style.look():
        rows = len(data["reading"])
        figure = style.figure(style.FULL_WIDTH, 1.85 * rows + 1.0)
        parts = figure.subfigures(rows, 1, squeeze=False)[:, 0]
        for r, part in enumerate(parts):
            panels = part.subplots(1, 3, sharex=True, sharey=True)
            for i, which in enumerate(MODELS):
                _panel(panels[i], data, r, i)
                if r == 0:
                    panels[i].set_title(_NAMES[which], fontsize=7.5)
                if r == rows - 1:
                    panels[i].set_xlabel("a")
            panels[0].set_ylabel("b")
            part.suptitle(_heading(data, r), x=0.01, ha="left", fontsize=7.5, fontweight="bold")
        figure.legend(
            handles=_legend(data),
            loc="outside lower center",
            ncols=3,
            columnspacing=1.5,
            handlelength=2.2,
        )
    return figure


def _heading(data: dict[str, np.ndarray], r: int) -> str:
    shown = [word for word, holds in zip(_CLAIMED, data["supports"][r], strict=True) if holds]
    lacking = [word for word, holds in zip(_CLAIMED, data["supports"][r], strict=True) if not holds]
    says = f"supports {', '.join(shown) or 'nothing that is printed'}" + (
        f"; not {', '.join(lacking)}" if lacking else ""
    )
    title = "Literal: " if r == 0 else ""
    return f"{title}{data['reading'][r]} (margin {data['margin'][r]:.2g})\n{says}"


def _panel(ax: Axes, data: dict[str, np.ndarray], r: int, i: int) -> None:
    """One loss in one reading."""
    a, b = data["a"], data["b"]
    ax.set(xlim=(a[0], a[-1]), ylim=(b[0], b[-1]))
    if MODELS[i] == "oracle":
        levels, where = data["basins"][r], (data["basin_a"], data["basin_b"])
    else:
        theta = np.stack(np.meshgrid(a, b), -1)
        good = landscape.correct(theta)
        alone = [(good == (np.arange(4) != k)).all(-1) for k in (THIRD, FOURTH)]
        levels, where = np.where(alone[0], 3, np.where(alone[1], 4, 0)), (a, b)
    for code in (3, 4):
        if (levels == code).any() and not (levels == code).all():
            ax.contourf(
                *where,
                (levels == code).astype(float),
                levels=[0.5, 1.5],
                colors=[_FILL[code]["facecolor"]],
                zorder=1,
            )
        elif (levels == code).all():
            ax.set_facecolor(_FILL[code]["facecolor"])
    value = data["loss"][r, i]
    heights = (
        value.min() + (np.quantile(value, 0.9) - value.min()) * np.linspace(0.02, 1, 11) ** 1.6
    )
    ax.contour(a, b, value, levels=heights, colors="#777777", linewidths=0.5, zorder=2)
    for x in toy.INPUTS:  # the borders of the decision patterns
        ax.plot(
            a,
            -(1 + a * x) / x**2,
            color=style.INK,
            linewidth=0.7,
            linestyle=(0, (1, 1.5)),
            zorder=3,
        )
    if MODELS[i] == "descent_ascent":
        ax.plot(*data["path"][r].T, zorder=4, **_PATH)
        ax.plot(
            *data["path"][r, 0],
            marker="*",
            markersize=8,
            color=style.BLACK,
            zorder=5,
            linestyle="none",
        )
    first = True
    for place, kind, wrong in zip(
        data["points"][r, i], data["kind"][r, i], data["wrong"][r, i], strict=True
    ):
        if kind == StationaryKind.SADDLE:
            ax.plot(
                *place,
                marker="x",
                color=style.INK,
                markersize=4.5,
                markeredgewidth=1.1,
                linestyle="none",
                zorder=8,
            )
        elif kind == StationaryKind.MINIMUM:
            mark = dict(_MARK[int(wrong)])
            colour = mark.pop("color")
            ax.plot(
                *place,
                linestyle="none",
                markerfacecolor=colour if first else "white",
                markeredgecolor=style.BLACK,
                markeredgewidth=1.0,
                zorder=7,
                **mark,
            )
            first = False


def _legend(data: dict[str, np.ndarray]) -> list[Line2D | Patch]:
    """Marks and words of what is to be seen."""

    def dot(wrong: int, words: str) -> Line2D:
        mark = dict(_MARK[wrong])
        colour = mark.pop("color")
        return Line2D(
            [],
            [],
            linestyle="none",
            markerfacecolor=colour,
            markeredgecolor=style.BLACK,
            markeredgewidth=1.0,
            label=words,
            **mark,
        )

    shown = set(data["wrong"][data["kind"] == StationaryKind.MINIMUM].tolist())
    return [
        *(dot(wrong, words) for wrong, words in _MINIMA.items() if wrong in shown),
        Patch(
            facecolor=_FILL[3]["facecolor"],
            edgecolor=style.GREY,
            label="x = 3 alone wrong (pattern, basin)",
        ),
        Patch(
            facecolor=_FILL[4]["facecolor"],
            edgecolor=style.GREY,
            label="x = 4 alone wrong (pattern, basin)",
        ),
        Line2D(
            [], [], linestyle="none", marker="x", color=style.INK, markersize=4.5, label="saddle"
        ),
        Line2D(
            [],
            [],
            linestyle="none",
            marker="s",
            markerfacecolor="white",
            markeredgecolor=style.INK,
            markersize=5,
            label="hollow: local, filled: global",
        ),
        Line2D(
            [],
            [],
            color=style.INK,
            linewidth=0.7,
            linestyle=(0, (1, 1.5)),
            label="a point changes class",
        ),
        Line2D([], [], marker="*", markersize=7, label="path, and its start", **_PATH),
    ]
