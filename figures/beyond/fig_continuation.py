"""The toy network's retain loss as one multiplicity varies: where minima appear, exchange order and vanish.

The loss of every stationary point of L_R, in the reading that the scan singles out, against the number of copies at x = 4 (two of
them forgotten) and at x = 3, varied continuously. A minimum appears or vanishes where it meets the saddle. Every marked point is
checked against stationary points that are proved complete on both sides of it.

Paper: Sec. 5.2, Fig. 5; its multiplicities are varied by us.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ascentfail.core.precision import require_x64
from ascentfail.figures.drawing import style
from ascentfail.plane.stationary_points import StationaryKind
from ascentfail.theory.toy_interpretations import FOURTH, NAMED, THIRD, landscape_of, singled_out
from ascentfail.toy import landscape
from ascentfail.toy import network as toy
from ascentfail.toy.network import ToyLandscape

NAME = "continuation"
CLAIMS = ("toy-minima.some-reading",)
PARAMETERS: dict[str, Any] = {"copies_at_4": [2.0, 12.0], "copies_at_3": [0.0, 4.5], "count": 61}
_KINDS = ("appears", "exchange", "vanishes")
_SADDLE = 2  # of the three branches; the first two are the minima where as printed x = 3 and x = 4 alone is wrong
_NEAR = 1e-3  # beside an event, where the points are proved


def _with(t: ToyLandscape, index: int, copies: float) -> ToyLandscape:
    counts = np.array(t.multiplicities, float)
    counts[index] = copies
    return dataclasses.replace(t, multiplicities=counts)


def data(
    copies_at_4: tuple[float, float], copies_at_3: tuple[float, float], count: int
) -> dict[str, np.ndarray]:
    """Losses of the stationary points and the events, after each was checked.

    Args:
        copies_at_4: first and last number of copies of the point x = 4, both > 2.
        copies_at_3: of the point x = 3, both > 0.
        count: how many values, >= 2.

    Returns:
        A row for each of the two points: copies (2, n): the values, folds included; loss (2, n, 3): of the minima where as
        printed x = 3 and x = 4 alone is wrong and of the saddle, NaN where there is none; event_copies, event_loss (2, 3): where
        a minimum appears, the lowest changes, a minimum vanishes; printed (2,): the printed copies.

    Raises:
        AssertionError: an event is not where the proved stationary points say, or a claim is contradicted.
        PrecisionError: JAX computes in float32.

    Paper: Sec. 5.2, Fig. 5.
    """
    require_x64(NAME)
    style.confirm(singled_out(), "the scan singles out this reading")
    t = landscape_of(NAMED)
    rows = [
        _row(t, index, np.linspace(*ends, count))
        for index, ends in ((FOURTH, copies_at_4), (THIRD, copies_at_3))
    ]
    stacked = {key: np.array([row[key] for row in rows]) for key in rows[0]}
    return {
        **stacked,
        "printed": np.array([np.asarray(t.multiplicities)[index] for index in (FOURTH, THIRD)]),
    }


def _row(t: ToyLandscape, index: int, values: np.ndarray) -> dict[str, np.ndarray]:
    """One multiplicity varied on L_R."""
    events = landscape.continuation(t, "oracle", index, values.tolist(), tolerance=1e-9).events
    style.confirm(
        [event.what for event in events] == list(_KINDS),
        "a minimum appears, the lowest changes, a minimum vanishes",
    )
    at = np.array([event.value for event in events])
    marked = np.array(
        [float(landscape.loss(_with(t, index, e.value), e.parameters, "oracle")) for e in events]
    )
    for event, value in zip(events, marked, strict=True):
        _check(t, index, event, value)
    beside = (at[:, None] + np.array([-1e-2, -1e-3, 1e-3, 1e-2])).ravel()
    copies = np.unique(
        np.concatenate([values, beside[(beside > values[0]) & (beside < values[-1])]])
    )
    loss = _branches(t, index, copies)
    for k in (0, 2):  # where it meets the saddle the minimum's curve ends at the event itself
        side = loss[copies < at[k]][-1] if k == 0 else loss[copies > at[k]][0]
        ends = np.full((1, 3), marked[k])
        ends[0, int(np.isfinite(side[:_SADDLE]).argmax())] = np.nan
        copies, loss = np.append(copies, at[k]), np.concatenate([loss, ends])
        order = np.argsort(copies)
        copies, loss = copies[order], loss[order]
    for branch in (0, 1):  # the minimum that stays has no value of its own at an event
        known = np.isfinite(loss[:, branch])
        inner = ~known & np.isin(copies, at)
        loss[inner, branch] = np.interp(copies[inner], copies[known], loss[known, branch])
    printed = landscape.stationary_points(t, "oracle", certified=True)
    style.confirm(
        printed.minima().alone_wrong(THIRD)[0],
        "as printed the oracle's lowest minimum has x_3 alone wrong",
    )
    style.confirm(
        printed.minima().alone_wrong(FOURTH)[1:].any(),
        "as printed another minimum has x_4 alone wrong",
    )
    inside = (
        np.interp(np.asarray(t.multiplicities)[index], copies, loss[:, 0]),
        np.nanmin(printed.loss),
    )
    style.confirm(
        abs(inside[0] - inside[1]) < 0.02, "the curves pass through the printed landscape"
    )
    return {"copies": copies, "loss": loss, "event_copies": at, "event_loss": marked}


def _branches(t: ToyLandscape, index: int, copies: np.ndarray) -> np.ndarray:
    """Losses (n, 3) of the two minima, each followed from value to value, and of the saddle; NaN for what is not there."""
    found = [landscape.stationary_points(_with(t, index, float(m)), "oracle") for m in copies]
    loss, last = np.full((len(copies), 3), np.nan), np.full((_SADDLE, 2), np.nan)
    for row, points in zip(loss, found, strict=True):
        minima, saddles = points.minima(), points.kind == int(StationaryKind.SADDLE)
        row[_SADDLE] = points.loss[saddles][0] if saddles.any() else np.nan
        gaps = np.nan_to_num(
            np.abs(minima.parameters[:, None] - last).max(-1), nan=10.0
        )  # of what is not there yet
        straight = len(minima) < _SADDLE or gaps[0, 0] + gaps[1, 1] <= gaps[0, 1] + gaps[1, 0]
        places = [int(gaps[0].argmin())] if len(minima) == 1 else [0, 1] if straight else [1, 0]
        row[places], last[:] = minima.loss, np.nan
        last[places] = minima.parameters
    printed = landscape.stationary_points(t, "oracle").minima()
    near = loss[np.abs(copies - np.asarray(t.multiplicities)[index]).argmin()]
    third = float(printed.loss[printed.alone_wrong(THIRD)][0])
    return loss if abs(near[0] - third) < abs(near[1] - third) else loss[:, [1, 0, _SADDLE]]


def _check(t: ToyLandscape, index: int, event: landscape.Event, value: float) -> None:
    """An event against the proved stationary points on both sides of it."""
    sides = [_with(t, index, event.value + side) for side in (-_NEAR, _NEAR)]
    before, after = (
        landscape.stationary_points(side, "oracle", certified=True).minima() for side in sides
    )
    here = _with(t, index, event.value)
    style.confirm(
        np.abs(landscape.gradient(here, event.parameters, "oracle")) < 1e-4,
        "an event is at a stationary point",
    )
    if event.what == "exchange":
        style.confirm(
            before.alone_wrong(THIRD)[0] != after.alone_wrong(THIRD)[0],
            "the lowest minimum changes its pattern",
        )
        both = landscape.stationary_points(here, "oracle").minima()
        style.confirm(
            np.abs(both.loss - value) < 1e-6,
            "where the order changes both minima have the same loss",
        )
        return
    counts = (len(before), len(after))
    style.confirm(
        counts == ((1, 2) if event.what == "appears" else (2, 1)), f"a minimum {event.what}"
    )
    bend = np.linalg.eigvalsh(np.asarray(landscape.hessian(here, event.parameters, "oracle")))
    style.confirm(
        np.abs(bend[0]) < 1e-2 * bend[1], "a minimum that meets the saddle is flat in one direction"
    )


_LINES: tuple[dict[str, Any], ...] = (
    {"color": style.BLUE, "linewidth": 1.6, "label": "minimum: x = 3 alone wrong as printed"},
    {
        "color": style.VERMILLION,
        "linewidth": 1.6,
        "linestyle": (0, (5, 1.5)),
        "label": "minimum: x = 4 alone wrong as printed",
    },
    {"color": style.INK, "linewidth": 1.0, "linestyle": (0, (1, 1.2)), "label": "saddle"},
)
_MARKS: tuple[dict[str, Any], ...] = (
    {"marker": "o", "markerfacecolor": "white", "label": "a minimum appears"},
    {"marker": "D", "markerfacecolor": style.YELLOW, "label": "the lowest changes"},
    {"marker": "s", "markerfacecolor": style.BLACK, "label": "a minimum vanishes"},
)
_MARK: dict[str, Any] = {
    "linestyle": "none",
    "markeredgecolor": style.BLACK,
    "markeredgewidth": 0.9,
    "markersize": 5,
    "zorder": 5,
}
_POINTS = tuple(toy.INPUTS[index] for index in (FOURTH, THIRD))


def draw(data: dict[str, np.ndarray]) -> Figure:
    """A panel for each of the two multiplicities.

    Args:
        data: what `data` returns.

    Returns:
        The figure. Never raises on such data.
    """
    with style.look():
        figure = style.figure(style.FULL_WIDTH, 3.0)
        panels = figure.subplots(1, 2)
        for row, ax in enumerate(panels):
            _panel(ax, data, row)
        panels[0].set_ylabel("loss $L_R$ of a stationary point")
        handles = [Line2D([], [], **line) for line in _LINES] + [
            Line2D([], [], **_MARK, **mark) for mark in _MARKS
        ]
        handles.append(Line2D([], [], color=style.GREY, linewidth=0.8, label="as printed"))
        figure.legend(
            handles=handles,
            loc="outside lower center",
            ncols=4,
            columnspacing=1.4,
            handlelength=2.4,
        )
    return figure


def _panel(ax: Axes, data: dict[str, np.ndarray], row: int) -> None:
    copies, loss = data["copies"][row], data["loss"][row]
    for branch, line in enumerate(_LINES):
        ax.plot(copies, loss[:, branch], **line)
    for k, mark in enumerate(_MARKS):
        ax.plot(data["event_copies"][row, k], data["event_loss"][row, k], **_MARK, **mark)
    ax.axvline(float(data["printed"][row]), color=style.GREY, linewidth=0.8, zorder=0)
    ax.set(
        xlim=(copies[0], copies[-1]),
        xlabel=f"copies at x = {_POINTS[row]}" + (", two of them forgotten" if row == 0 else ""),
    )
