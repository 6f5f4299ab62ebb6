"""What follows from what: does descent-ascent end farther, start away, and never come closer to the oracle?

In the plane, over alpha/phi and b (above) and over the correlation strength (below): (a) the end point is farther than the
original, fill; (b) the first step leads away, hatch; (c) no later point of the path is closer, which is followed in small
steps. By definition (c) gives (b), and in every cell (b) gives (a). Neither turns round: in most cells of (a) the path comes
closer before it leaves, so that stopping early helps, and where pull b and correlation are strong a thin region is left (black)
in which the first step leads away, the end is farther, and yet a later point is closer. `counts` has the numbers. Every claim
asserted holds.

Paper: Sec. 5.1.2; claims beyond-3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import LogLocator, MaxNLocator

from ascentfail.core.precision import require_x64
from ascentfail.dynamics.ascent import descent_ascent
from ascentfail.figures.drawing import regions, style
from ascentfail.numerics.arithmetic import JAX
from ascentfail.plane.comparisons import (
    extra_squared_distance,
    first_step_criterion,
    first_step_in_plane,
)
from ascentfail.problems.paper import CrossCorrelated
from ascentfail.theory import Point
from ascentfail.theory.domains import exists_in_plane

NAME = "questions"
CLAIMS = ("beyond-3.first-step-2d", "beyond-5.threshold", "beyond-6.identity")
PARAMETERS: dict[str, Any] = {
    "phi": 1.0,
    "epsilon": [0.5, 0.8, 0.9],  # of the upper row
    "b_axis": [0.1, 1e5],
    "b": [1.0, 100.0, 1e5],  # of the lower row
    "epsilon_axis": [0.02, 0.99],
    "ratio": [0.05, 3.0],  # alpha / phi
    "zoom": {"epsilon_axis": [0.84, 0.99], "ratio": [0.3, 0.52]},  # of the last panel
    "count": 97,  # of the horizontal axes
    "ratio_count": 145,
}
_RIDGE = 1e-6  # scales time alone
_STEPS = 1500
# Step sizes over the ridge: they grow by 2 % a step, which is small on every time scale, up to where the path is smooth.
_SMALL = optax.sgd(lambda step: jnp.minimum(1e-7 * 1.02**step, 2e-3) / _RIDGE)


def cell(epsilon: Any, phi: Any, b: Any, ratio: Any) -> dict[str, Any]:
    """The answers at one point: signed for (a) and (b), and how much closer than the start the path comes."""
    p = Point(phi=phi, b=b, epsilon=epsilon, alpha=ratio * phi)
    problem = CrossCorrelated.from_ratios(
        epsilon=epsilon, alpha=ratio * phi, phi=phi, b=b, ridge=_RIDGE
    )
    start = descent_ascent(problem, "original", steps=0, step_size=1.0, record="summary")
    run = descent_ascent(problem, "original", steps=_STEPS, optimizer=_SMALL, record="summary")
    return {
        "farther": extra_squared_distance(p, JAX),
        "away": first_step_criterion(p, JAX),
        "away_by_gradient": first_step_in_plane(p, JAX),
        "exists": exists_in_plane(p, JAX),
        "comes_closer": run.beats_doing_nothing,
        "gain": 1 - run.best_distance / start.best_distance,
    }


@jax.jit
def grid(epsilon: Any, phi: Any, b: Any, ratio: Any) -> dict[str, Any]:
    """One panel: every column (epsilon, b: paired), every alpha/phi: (columns, ratios). All panels share the program."""
    return jax.vmap(jax.vmap(cell, in_axes=(None, None, None, 0)), in_axes=(0, None, 0, None))(
        epsilon, phi, b, ratio
    )


def data(
    phi: float,
    epsilon: Sequence[float],
    b_axis: Sequence[float],
    b: Sequence[float],
    epsilon_axis: Sequence[float],
    ratio: Sequence[float],
    zoom: Mapping[str, Sequence[float]],
    count: int,
    ratio_count: int,
) -> dict[str, np.ndarray]:
    """The answers over both pairs of axes, after the claims and the implications were checked in every cell.

    Args:
        phi: |F|/|R| > 0.
        epsilon: correlation strengths in (0, 1) of the upper row, one a panel.
        b_axis: first and last |R_ij|/(ridge |R|) > 0 of its horizontal axes, geometric.
        b: values > 0 of |R_ij|/(ridge |R|) of the lower row, one a panel, as many as of epsilon.
        epsilon_axis: first and last correlation strength of its horizontal axes, in (0, 1).
        ratio: first and last alpha/phi > 0, geometric.
        zoom: `epsilon_axis` and `ratio` of the last panel of the lower row.
        count: points of the horizontal axes, >= 2.
        ratio_count: points of the vertical axes, >= 2.

    Returns:
        "epsilon", "b": as given. With one row of panels (0: over b, 1: over epsilon) and one panel, (2, panels, ...): across
        (count,) and ratio (ratio_count,), its axes; existence (count,), the alpha/phi from which there is no minimum; and
        (count, ratio_count) farther, positive where the end is farther (NaN: no minimum); away, positive where the first step
        leads away; returns, positive where it does and yet a later point is closer by 1e-9; stays, whether no later point is
        closer; gain, by which part of the start's distance the path comes closer. Counts of cells (2, panels): cells, a, b_yes,
        c, a_not_b, b_not_c, b_not_a, c_not_b.

    Raises:
        AssertionError: a claim or an implication is contradicted in some cell.
        PrecisionError: JAX computes in float32.

    Paper: Sec. 5.1.2; claims beyond-3.
    """
    require_x64(NAME)
    style.confirm(len(epsilon) == len(b), "as many panels above as below")
    one, axis = np.ones(count), np.linspace(epsilon_axis[0], epsilon_axis[1], count)
    panels = [(e * one, np.geomspace(b_axis[0], b_axis[1], count)) for e in epsilon] + [
        (axis, v * one) for v in b
    ]
    panels[-1] = (
        np.linspace(zoom["epsilon_axis"][0], zoom["epsilon_axis"][1], count),
        panels[-1][1],
    )
    ratios = [
        np.geomspace(ends[0], ends[1], ratio_count)
        for ends in [ratio] * (len(panels) - 1) + [zoom["ratio"]]
    ]
    found = [grid(e, float(phi), v, r) for (e, v), r in zip(panels, ratios, strict=True)]
    stacked = {key: np.stack([np.asarray(one[key]) for one in found]) for key in found[0]}
    _check(stacked)
    existence = np.exp(stacked.pop("exists")[..., 0]) * np.stack(ratios)[:, :1]
    across = np.stack([e if i >= len(b) else v for i, (e, v) in enumerate(panels)])
    shown = (
        stacked
        | counts(stacked)
        | {"across": across, "ratio": np.stack(ratios), "existence": existence}
    )
    shown["returns"] = np.minimum(
        shown["away"], np.where(shown.pop("comes_closer"), shown["gain"], 0) - _CLEARLY
    )
    shown["stays"] = _stays(stacked)
    shown.pop("away_by_gradient")
    rows = {key: value.reshape(2, len(b), *value.shape[1:]) for key, value in shown.items()}
    return {"epsilon": np.asarray(epsilon, float), "b": np.asarray(b, float)} | rows


_ROUNDING, _CLEARLY = 1e-12, 1e-9


def _stays(found: dict[str, np.ndarray]) -> np.ndarray:
    """(c): no step was closer, and neither is the end that the steps may not have reached."""
    return ~found["comes_closer"] & ~(found["farther"] < 0)


def counts(found: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """In how many cells of each panel the questions are answered yes, and where one answer does not give another.

    Args:
        found: what `grid` returns, panels first. Within rounding of zero (b) counts as whatever an implication wants.

    Returns:
        Counts (panels,): cells, a, b_yes, c, and a_not_b, b_not_c, b_not_a, c_not_b.
    """
    a, b, c = ~(found["farther"] <= 0), found["away"] > _ROUNDING, _stays(found)
    not_b, left = found["away"] < -_ROUNDING, found["gain"] > _CLEARLY
    cells = {
        "cells": np.ones_like(a),
        "a": a,
        "b_yes": b,
        "c": c,
        "a_not_b": a & not_b,
        "b_not_c": b & ~c & left,
        "b_not_a": b & ~a,
        "c_not_b": c & not_b,
    }
    return {key: value.sum((-2, -1)) for key, value in cells.items()}


def _check(found: dict[str, np.ndarray]) -> None:
    """The claims cell by cell, and the implications; within rounding of zero a sign is not judged."""
    farther, away, number = found["farther"], found["away"], counts(found)
    style.confirm(
        np.isnan(farther) == (found["exists"] <= 0), "a minimum exists exactly below the threshold"
    )
    agree = (away * found["away_by_gradient"] > 0) | (np.abs(away) < _ROUNDING)
    style.confirm(agree, "(b) the closed form and the inner product agree")
    style.confirm(number["b_not_a"] == 0, "(b) gives (a)")
    style.confirm(number["c_not_b"] == 0, "(c) gives (b)")
    style.confirm(number["a_not_b"].sum() > 0, "(a) does not give (b)")
    style.confirm(number["b_not_c"].sum() > 0, "(b) does not give (c)")


_RETURNS: dict[str, Any] = {"facecolor": style.BLACK, "edgecolor": style.BLACK, "linewidth": 0}


def draw(data: dict[str, np.ndarray]) -> Figure:
    """Above: across b, a panel for each epsilon; below: across epsilon, a panel for each b. Upwards: alpha/phi (log).

    Args:
        data: what `data` returns.

    Returns:
        The figure. Never raises on such data.
    """
    with style.look():
        figure = style.figure(style.FULL_WIDTH, 5.2)
        axes = figure.subplots(2, len(data["b"]), squeeze=False)
        for (i, j), ax in np.ndenumerate(axes):
            _panel(ax, {key: value[i, j] for key, value in data.items() if value.ndim > 1}, "bε"[i])
            ax.set_title((f"ε = {data['epsilon'][j]:g}", f"b = {data['b'][j]:,.0f}")[i])
            if j and (i, j) != (1, len(data["b"]) - 1):
                ax.tick_params(labelleft=False)
        for ax in axes[0]:
            ax.set_xscale("log")
            ax.xaxis.set_major_locator(LogLocator(100))
        for row in axes:
            row[0].set_ylabel("α / φ")
        _enlarged(axes[1, -1], f"b = {data['b'][-1]:,.0f}, enlarged")
        figure.supxlabel(
            "ε: correlation strength.  b: pull of the retain samples over the ridge", fontsize=8
        )
        away = "(b) first step leads away, (c) no later point is closer"
        handles = [
            *regions.legend(away),
            Patch(**_RETURNS, label="(b) without (c): away at first, closer later"),
        ]
        figure.legend(
            handles=handles,
            loc="outside upper center",
            ncols=2,
            columnspacing=1.5,
            handlelength=2.6,
        )
    return figure


def _panel(ax: Axes, panel: dict[str, np.ndarray], label: str) -> None:
    """The answers of one panel."""
    regions.answers(
        ax, *(panel[key] for key in ("across", "ratio", "existence", "farther", "away"))
    )
    if (panel["returns"] > 0).any():
        ax.contourf(
            panel["across"],
            panel["ratio"],
            panel["returns"].T,
            levels=[0, np.inf],
            colors=[style.BLACK],
        )
    regions.axes(ax, panel["ratio"], label)


def _enlarged(ax: Axes, title: str) -> None:
    """Linear axes for a panel of less than a decade."""
    ax.set(yscale="linear", title=title)
    ax.xaxis.set_major_locator(MaxNLocator(4))
    ax.yaxis.set_major_locator(MaxNLocator(5))
