"""Three questions that are often taken for one, and the regions of alpha in which each is answered yes.

(a) Does descent-ascent end farther from the oracle than the original is? Shown by the fill, with an answer of its own
where it has no minimum and runs to infinity. (b) Does its first step lead away? Shown by the hatch. (c) Is no later
point of its path closer? On one coordinate the gradient flow never turns, so this is (b) with its two edges. First
row: one coordinate; other rows: the plane. Of the claims asserted all hold but `lemma-3.farthest`, which the region
of closer ends refutes.

Paper: Lemma 3 and Figure 4; claims beyond-3.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from ascentfail.core.precision import require_x64
from ascentfail.figures.drawing import regions, style
from ascentfail.line import closed_form
from ascentfail.numerics.arithmetic import JAX
from ascentfail.plane import equations as plane_equations
from ascentfail.plane.comparisons import (
    extra_squared_distance,
    first_step_criterion,
    first_step_in_plane,
)
from ascentfail.theory import Point
from ascentfail.theory.domains import exists_in_plane, exists_on_axis, plane_margins
from ascentfail.theory.paper.lemma_03_wrong_side import extra_distance, from_threshold

NAME = "regions"
CLAIMS = (
    "lemma-3.farthest",
    "lemma-3.farthest.repaired",
    "beyond-3.farther-1d",
    "beyond-3.first-step-1d",
    "beyond-3.first-step-2d",
    "beyond-5.threshold",
    "beyond-6.farther",
)
PARAMETERS: dict[str, Any] = {
    "b": [0.1, 1.0, 10.0],
    "phi": [0.3, 1.0],
    "phi_axis": [0.01, 3.0],
    "epsilon": [0.005, 0.995],
    "count": 181,  # of the horizontal axes
    "ratio": [0.01, 6.0],  # alpha / phi
    "ratio_count": 240,
}


def closest_on_line(p: Any) -> Any:
    """Distance to the oracle at the closest point of the flow on one coordinate, less that of the original: at most 0.

    The flow is monotone: it covers the interval from w_D to w_DA, or down to -infinity where w_DA does not exist.
    """
    start, oracle, end = (
        closed_form.original(p),
        closed_form.oracle(p),
        closed_form.descent_ascent(p),
    )
    end = jnp.where(jnp.isnan(end), -jnp.inf, end)
    closest = jnp.clip(oracle, jnp.minimum(start, end), jnp.maximum(start, end))
    return jnp.abs(closest - oracle) - jnp.abs(start - oracle)


def cell(b: Any, phi: Any, epsilon: Any, phi_on_line: Any, ratio: Any) -> dict[str, Any]:
    """The signed answers at one point of the plane and at one of the line."""
    line = Point(phi=phi_on_line, b=b, alpha=ratio * phi_on_line)
    plane = Point(phi=phi, b=b, epsilon=epsilon, alpha=ratio * phi)
    x, y = plane_margins(plane, "original", JAX)
    x_oracle, y_oracle = plane_equations.oracle(plane)
    x_unlearned, y_unlearned = plane_margins(plane, "descent_ascent", JAX)
    gaps = jnp.stack([x_oracle - x, y_oracle - y, x - x_unlearned, y - y_unlearned])
    away = closed_form.first_step(line) * (closed_form.original(line) - closed_form.oracle(line))
    return {
        "line_farther": extra_distance(line, JAX),
        "line_away": away,
        "line_stays": closest_on_line(line),
        "line_threshold": from_threshold(line),
        "line_exists": exists_on_axis(line, JAX),
        "plane_farther": extra_squared_distance(plane, JAX),
        "plane_away": first_step_criterion(plane, JAX),
        "plane_away_by_gradient": first_step_in_plane(plane, JAX),
        "plane_exists": exists_in_plane(plane, JAX),
        "plane_ordered": jnp.min(gaps),
    }


@jax.jit
def grid(b: Any, phi: Any, epsilon: Any, phi_on_line: Any, ratio: Any) -> dict[str, Any]:
    """Every panel (b, phi: paired), every horizontal place, every alpha in one program: (panels, count, ratio_count)."""
    along = jax.vmap(cell, in_axes=(None, None, None, None, 0))
    across = jax.vmap(along, in_axes=(None, None, 0, 0, None))
    return jax.vmap(across, in_axes=(0, 0, None, None, None))(b, phi, epsilon, phi_on_line, ratio)


def data(
    b: Sequence[float],
    phi: Sequence[float],
    phi_axis: Sequence[float],
    epsilon: Sequence[float],
    count: int,
    ratio: Sequence[float],
    ratio_count: int,
) -> dict[str, np.ndarray]:
    """The answers on the line and in the plane, after the claims were checked in every cell of the grid.

    Args:
        b: values > 0 of |R_j|/(ridge |R|), one a column.
        phi: values > 0 of |F|/|R| in the plane, one a row.
        phi_axis: first and last |F|/|R| > 0 on one coordinate.
        epsilon: first and last correlation strength in the plane, in (0, 1).
        count: points of the two horizontal axes, >= 2.
        ratio: first and last alpha/phi > 0.
        ratio_count: how many, >= 2, in geometric progression.

    Returns:
        "b", "phi", "phi_axis", "epsilon", "ratio": the axes.
        line_* (b, phi_axis, ratio) and plane_* (phi, b, epsilon, ratio): farther, positive where the end point is
        farther from the oracle than the original (NaN: no minimum), and away, positive where the first step leads away.
        line_stays: whether no later point is closer.
        line_threshold (phi_axis,): phi/(1 + 2 phi). line_existence (b,) and plane_existence (b, epsilon): the alpha/phi
        from which there is no minimum.

    Raises:
        AssertionError: a claim is contradicted in some cell.
        PrecisionError: JAX computes in float32.

    Paper: Lemma 3 and Figure 4; claims beyond-3.
    """
    require_x64(NAME)
    epsilons, phi_line = (
        np.linspace(epsilon[0], epsilon[1], count),
        np.geomspace(phi_axis[0], phi_axis[1], count),
    )
    ratios = np.geomspace(ratio[0], ratio[1], ratio_count)
    phis, bs = (
        v.ravel() for v in np.meshgrid(np.asarray(phi, float), np.asarray(b, float), indexing="ij")
    )
    found = {
        key: np.asarray(value) for key, value in grid(bs, phis, epsilons, phi_line, ratios).items()
    }
    _check_line(found, ratios)
    _check_plane(found)
    shape = (len(phi), len(b), count, ratio_count)
    line = {
        key: value[: len(b)] for key, value in found.items() if key.startswith("line_")
    }  # the same for every row of phi
    plane = {key: value.reshape(shape) for key, value in found.items() if key.startswith("plane_")}
    return {
        "b": np.asarray(b, float),
        "phi": np.asarray(phi, float),
        "phi_axis": phi_line,
        "epsilon": epsilons,
        "ratio": ratios,
        "line_threshold": np.asarray(closed_form.wrong_way_alpha(phi_line)) / phi_line,
        "line_existence": style.first_crossing(
            -line["line_exists"][:, 0], ratios
        ),  # linear in alpha: exact
        "line_farther": line["line_farther"],
        "line_away": line["line_away"],
        "line_stays": line["line_stays"] >= 0,
        "plane_existence": ratios[0]
        * np.exp(plane["plane_exists"][0, :, :, 0]),  # the same for every phi
        "plane_farther": plane["plane_farther"],
        "plane_away": plane["plane_away"],
    }


_ROUNDING = 1e-12


def _same_sign(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Whether two margins agree in sign; not judged within rounding of zero."""
    return (a * b > 0) | (np.abs(a) < _ROUNDING) | (np.abs(b) < _ROUNDING)


def _check_line(found: dict[str, np.ndarray], ratios: np.ndarray) -> None:
    """The claims on one coordinate, cell by cell."""
    farther, away, threshold = (found[f"line_{key}"] for key in ("farther", "away", "threshold"))
    exists = np.isfinite(farther)
    style.confirm(
        exists == (found["line_exists"] >= 0), "a solution exists exactly for c_DA >= -1/e"
    )
    style.confirm(
        ~exists | _same_sign(farther, threshold), "(a) farther exactly above phi^2/(1 + 2 phi)"
    )
    style.confirm(
        _same_sign(away, threshold * (1 - ratios)),
        "(b) first step away exactly between the threshold and phi",
    )
    between = (threshold >= 0) & (ratios <= 1)
    judged = (np.abs(threshold) > _ROUNDING) & (np.abs(ratios - 1) > _ROUNDING)
    style.confirm(
        ((found["line_stays"] >= 0) == between) | ~judged,
        "(c) no later point closer exactly between them",
    )
    style.confirm(
        (farther < 0).any(axis=(1, 2)), "some end point is closer: lemma-3.farthest fails"
    )


def _check_plane(found: dict[str, np.ndarray]) -> None:
    """The claims in the plane, cell by cell."""
    farther, away, exists = (found[f"plane_{key}"] for key in ("farther", "away", "exists"))
    style.confirm(
        (np.isfinite(farther) == (exists > 0)) | (np.abs(exists) < _ROUNDING),
        "a minimum exists exactly below the threshold",
    )
    style.confirm(
        _same_sign(away, found["plane_away_by_gradient"]),
        "(b) the closed form and the inner product agree",
    )
    ordered = found["plane_ordered"] > _ROUNDING
    style.confirm(~ordered | (farther > 0), "where both orders hold descent-ascent is farther")


_AWAY = (
    "(b) first step leads away from the oracle\n(one coordinate: also (c) no later point is closer)"
)


def draw(data: dict[str, np.ndarray]) -> Figure:
    """Rows: one coordinate, then the plane for each |F|/|R|; columns: b. Upwards: alpha over |F|/|R| (log).

    Args:
        data: what `data` returns.

    Returns:
        The figure. Never raises on such data.
    """
    with style.look():
        figure = style.figure(style.FULL_WIDTH, 6.4)
        rows, columns = 1 + len(data["phi"]), len(data["b"])
        axes = figure.subplots(rows, columns, sharey=True, squeeze=False)
        for j, b in enumerate(data["b"]):
            _line_panel(axes[0, j], data, j)
            axes[0, j].set_title(f"b = {b:g}")
            for i in range(rows - 1):
                _plane_panel(axes[1 + i, j], data, i, j)
        axes[0, 0].text(
            0.96,
            0.05,
            "α < φ² / (1 + 2φ),\nφ = |F| / |R|",
            transform=axes[0, 0].transAxes,
            fontsize=7,
            ha="right",
        )
        axes[0, 0].set_ylabel("one coordinate\n\nα / (|F| / |R|)")
        for i, phi in enumerate(data["phi"]):
            axes[1 + i, 0].set_ylabel(f"plane, |F| / |R| = {phi:g}\n\nα / (|F| / |R|)")
        figure.supxlabel(
            "α: forget over retain samples of the group.  b: pull of the group's retain samples over the ridge",
            fontsize=8,
        )
        figure.legend(
            handles=regions.legend(_AWAY),
            loc="outside upper center",
            ncols=2,
            columnspacing=1.5,
            handlelength=2.6,
        )
    return figure


def _line_panel(ax: Axes, data: dict[str, np.ndarray], j: int) -> None:
    """One coordinate, one b: every edge is a closed form."""
    phi, threshold = data["phi_axis"], data["line_threshold"]
    existence, top = (
        np.full_like(phi, data["line_existence"][j]),
        np.full_like(phi, 2 * data["ratio"][-1]),
    )
    ax.fill_between(phi, threshold, existence, **regions.FARTHER)
    ax.fill_between(phi, existence, top, **regions.NONE)
    ax.fill_between(phi, threshold, np.ones_like(phi), **regions.AWAY)
    ax.plot(phi, existence, **regions.EDGE)
    for edge in (threshold, np.ones_like(phi)):
        ax.plot(phi, edge, **regions.STRONG_EDGE)
    ax.set(xscale="log", xlim=(phi[0], phi[-1]))
    regions.axes(ax, data["ratio"], "|F| / |R|")
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def _plane_panel(ax: Axes, data: dict[str, np.ndarray], i: int, j: int) -> None:
    """The plane, one (phi, b)."""
    farther, away = data["plane_farther"][i, j], data["plane_away"][i, j]
    regions.answers(ax, data["epsilon"], data["ratio"], data["plane_existence"][j], farther, away)
    ax.set_xticks([0.2, 0.4, 0.6, 0.8])
    regions.axes(ax, data["ratio"], "correlation strength ε")
