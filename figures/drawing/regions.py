"""How the figures that map questions over alpha/phi show the answers: fills, hatch, axes, legend."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, NullFormatter

from ascentfail.figures.drawing import style

CLOSER: dict[str, Any] = {"facecolor": style.CLOSER, "edgecolor": "none"}
FARTHER: dict[str, Any] = {"facecolor": style.FARTHER, "edgecolor": "none"}
NONE: dict[str, Any] = {
    "facecolor": style.NO_MINIMUM,
    "edgecolor": "white",
    "hatch": "......",
    "linewidth": 0,
}
AWAY: dict[str, Any] = {
    "facecolor": "none",
    "edgecolor": style.BLACK,
    "hatch": "//////",
    "linewidth": 0,
}
AWAY_BOXED: dict[str, Any] = AWAY | {"linewidth": 1.2}
EDGE: dict[str, Any] = {"color": style.INK, "linewidth": 0.6}
STRONG_EDGE: dict[str, Any] = {"color": style.BLACK, "linewidth": 1.2}


def axes(ax: Axes, ratio: np.ndarray, label: str) -> None:
    """Axes on which alpha/phi runs upwards (log) over a ground that stands for closer ends."""
    ax.set(yscale="log", ylim=(ratio[0], ratio[-1]), xlabel=label)
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.set_facecolor(style.CLOSER)


def answers(
    ax: Axes,
    across: np.ndarray,
    ratio: np.ndarray,
    existence: np.ndarray,
    farther: np.ndarray,
    away: np.ndarray,
) -> None:
    """The answers to (a) and (b) on a mesh, their edges the zero lines of the signed answers.

    Args:
        ax: axes to draw on.
        across: (n,) horizontal places.
        ratio: (m,) alpha/phi.
        existence: (n,) the alpha/phi from which there is no minimum.
        farther: (n, m) positive where the end point is farther than the original; NaN without a minimum.
        away: (n, m) positive where the first step leads away.
    """
    farther, away = farther.T, away.T
    level = np.where(
        np.isnan(farther), np.nanmax(np.abs(farther)), farther
    )  # what lies beyond is painted over next
    ax.contourf(across, ratio, level, levels=[0, np.inf], colors=[style.FARTHER])
    ax.fill_between(across, existence, 2 * ratio[-1], **NONE)
    hatch = ax.contourf(across, ratio, away, levels=[0, np.inf], colors="none", hatches=["//////"])
    hatch.set_edgecolor(style.BLACK)
    hatch.set_linewidth(0)
    ax.contour(across, ratio, level, levels=[0], colors=style.INK, linewidths=0.6)
    ax.plot(across, existence, **EDGE)
    ax.contour(across, ratio, away, levels=[0], colors=style.BLACK, linewidths=1.2)
    ax.set(xlim=(across[0], across[-1]))


def legend(away: str) -> list[Patch]:
    """The four patches; `away` says what the hatch means."""
    return [
        Patch(**CLOSER, label="ends closer to the oracle than the original is"),
        Patch(**FARTHER, label="(a) ends farther from the oracle"),
        Patch(**NONE, label="(a) infinitely far: no minimum, runs to infinity"),
        Patch(**AWAY_BOXED, label=away),
    ]
