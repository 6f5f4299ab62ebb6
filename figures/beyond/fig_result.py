"""The result in one picture: where descent-ascent ends, whether to stop it early, and what holds of the printed theory.

Left, one coordinate: descent-ascent ends closer to the oracle, farther from it or nowhere, and where its first step leads away.
Middle, the plane: the distance to the oracle along the gradient flow, a curve for each correlation strength; the dot is the best
stop. Right: the recorded verdicts. Of the claims asserted `lemma-3.main` is refuted: under alpha = phi some ends are closer.

Paper: Lemma 3, Sec. 5.1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from ascentfail.claims import record
from ascentfail.core.precision import require_x64
from ascentfail.figures.beyond import fig_paths
from ascentfail.figures.drawing import regions, style
from ascentfail.figures.report.summary import of_paper
from ascentfail.line import closed_form
from ascentfail.numerics.arithmetic import JAX
from ascentfail.theory import Point, Verdict, claims
from ascentfail.theory.paper.lemma_03_wrong_side import extra_distance

NAME = "result"
CLAIMS = (
    "lemma-3.main",
    "lemma-3.main.repaired",
    "lemma-5.proof.repaired",
    "beyond-3.farther-1d",
    "beyond-3.first-step-1d",
)
PARAMETERS: dict[str, Any] = {
    "b": 1.0,
    "phi_axis": [0.01, 3.0],
    "ratio": [0.01, 4.0],  # alpha / phi
    "count": 121,
    "until": 1.5,  # time of the flow over the ridge
    "paths": fig_paths.PARAMETERS,
}
ROWS = ("of the paper", "repaired", "ours, beyond")
VERDICTS = ("proved", "argued", "not broken", "refuted", "open")
_ROUNDING = 1e-12


@jax.jit
def grid(b: Any, phi: Any, ratio: Any) -> dict[str, Any]:
    """The answers on one coordinate, signed: (phi, ratio)."""

    def cell(phi: Any, ratio: Any) -> dict[str, Any]:
        p = Point(phi=phi, b=b, alpha=ratio * phi)
        away = closed_form.first_step(p) * (closed_form.original(p) - closed_form.oracle(p))
        return {
            "farther": extra_distance(p, JAX),
            "away": away,
            "threshold": ratio * phi - closed_form.wrong_way_alpha(phi),
        }

    return jax.vmap(jax.vmap(cell, in_axes=(None, 0)), in_axes=(0, None))(phi, ratio)


def data(
    b: float,
    phi_axis: Sequence[float],
    ratio: Sequence[float],
    count: int,
    until: float,
    paths: Mapping[str, Any],
) -> dict[str, np.ndarray]:
    """What the three panels show, after the claims were checked in every cell.

    Args:
        b: |R_j|/(ridge |R|) > 0 on the left.
        phi_axis: first and last |F|/|R| > 0 there.
        ratio: first and last alpha/phi > 0 there.
        count: points of each axis there, >= 2.
        until: last time > 0 that the middle shows, over the ridge.
        paths: plain data, the parameters of the figure "paths", of which the middle shows the distances.

    Returns:
        "phi" (count,), "ratio" (2,): axes of the left; threshold (count,): the alpha/phi below which ends are closer; existence:
        the one from which there is none. "epsilon" (n,), "times" (k,), distance (n, k): over the start's, best (n,): index of the
        best stop. verdicts (3, 5): recorded claims by `ROWS` and `VERDICTS`.

    Raises:
        AssertionError: a claim is contradicted, or the record is not of the claims registered.
        PrecisionError: JAX computes in float32.
    """
    require_x64(NAME)
    phi, ratios = (np.geomspace(ends[0], ends[1], count) for ends in (phi_axis, ratio))
    existence = 1 + 1 / (np.e * b)
    found = {
        key: np.asarray(value)
        for key, value in grid(b, jnp.asarray(phi), jnp.asarray(ratios)).items()
    }
    _check(found, ratios, existence)
    run = fig_paths.data(**paths)
    shown = run["times"] <= until
    style.confirm(run["best"] < shown.sum(), "the best stops are in the part that is shown")
    return {
        "phi": phi,
        "ratio": np.asarray(ratio, float),
        "threshold": np.asarray(closed_form.wrong_way_alpha(phi)) / phi,
        "existence": np.asarray(existence),
        "epsilon": run["epsilon"],
        "times": run["times"][shown],
        "distance": run["distance"][:, shown] / run["distance"][:, :1],
        "best": run["best"],
        "verdicts": verdicts(),
    }


def _check(found: dict[str, np.ndarray], ratios: np.ndarray, existence: float) -> None:
    """The claims on one coordinate, cell by cell; within rounding of zero a sign is not judged."""
    farther, away, threshold = found["farther"], found["away"], found["threshold"]
    ends = np.isfinite(farther)
    style.confirm(
        ends == (ratios <= existence), "descent-ascent ends exactly up to alpha = phi (1 + 1/(e b))"
    )
    same = (
        (farther * threshold > 0) | (np.abs(farther) < _ROUNDING) | (np.abs(threshold) < _ROUNDING)
    )
    style.confirm(~ends | same, "farther exactly above phi^2/(1 + 2 phi)")
    between = (threshold > 0) & (ratios < 1)
    style.confirm(
        ((away > 0) == between) | (np.abs(away) < _ROUNDING),
        "the first step leads away exactly between the two",
    )
    style.confirm((farther < 0).any(), "some end is closer: lemma-3.main fails")


def verdicts() -> np.ndarray:
    """Counts of the recorded verdicts, (3, 5) by `ROWS` and `VERDICTS`.

    Raises:
        AssertionError: the record is not of the claims registered.
    """
    entries = record.load()
    style.confirm(
        [e["id"] for e in entries] == [c.id for c in claims()],
        "the record is of the claims registered",
    )
    counts = np.zeros((len(ROWS), len(VERDICTS)), int)
    for entry in entries:
        verdict = Verdict.from_json(entry)
        counts[0 if of_paper(entry) else 2, _column(verdict)] += 1
        while verdict.repaired is not None:
            verdict = verdict.repaired
            counts[1, _column(verdict)] += 1
    return counts


def _column(verdict: Verdict) -> int:
    if verdict.status == "holds":
        return 0 if verdict.proved else 1 if verdict.evidence.grade == "argued" else 2
    return 3 if verdict.status == "fails" else 4


def draw(data: dict[str, np.ndarray]) -> Figure:
    """Three panels: the ends on one coordinate, the distances along the paths, the verdicts.

    Args:
        data: what `data` returns.

    Returns:
        The figure. Never raises on such data.
    """
    with style.look():
        figure = style.figure(style.FULL_WIDTH, 2.7)
        left, middle, right = figure.subplots(1, 3, width_ratios=(1, 1, 1.05))
        _ends(left, data)
        _distances(middle, data)
        _bars(right, data)
    return figure


def _ends(ax: Axes, data: dict[str, np.ndarray]) -> None:
    """Where descent-ascent ends on one coordinate."""
    phi, threshold, ones = data["phi"], data["threshold"], np.ones_like(data["phi"])
    ax.fill_between(phi, threshold, data["existence"] * ones, **regions.FARTHER)
    ax.fill_between(phi, data["existence"] * ones, 2 * data["ratio"][-1] * ones, **regions.NONE)
    ax.fill_between(phi, threshold, ones, **regions.AWAY)
    for edge in (threshold, ones):
        ax.plot(phi, edge, **regions.STRONG_EDGE)
    ax.set(xscale="log", xlim=(phi[0], phi[-1]))
    regions.axes(ax, data["ratio"], "φ = |F| / |R|")
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.set(ylabel="α / φ", title="One coordinate:\nwhere does descent-ascent end?")
    boxed = {"facecolor": "white", "edgecolor": "none", "boxstyle": "square,pad=0.2"}
    for y, words in (
        (0.9, "nowhere: runs to infinity"),
        (0.66, "farther from the oracle,\nfirst step already away"),
    ):
        ax.text(0.04, y, words, transform=ax.transAxes, fontsize=7, va="center", bbox=boxed)
    ax.text(
        0.97,
        0.1,
        "closer to the oracle",
        transform=ax.transAxes,
        fontsize=7,
        ha="right",
        va="center",
    )


_DASHES = ("solid", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)))


def _distances(ax: Axes, data: dict[str, np.ndarray]) -> None:
    """The distance to the oracle along each path, and its best stop."""
    times, colours = data["times"], (style.GREEN, style.BLUE, style.PURPLE, style.VERMILLION)
    ax.axhline(1, color=style.BLACK, linewidth=0.7)
    for i, epsilon in enumerate(data["epsilon"]):
        look = {"color": colours[i % 4], "linestyle": _DASHES[i % 4]}
        distance, best = data["distance"][i], data["best"][i]
        ax.plot(times, distance, **look, label=f"ε = {epsilon:g}")
        ax.plot(
            times[best],
            distance[best],
            marker="o",
            markersize=4,
            color=colours[i % 4],
            clip_on=False,
            zorder=5,
        )
    ax.set(
        xlim=(0, times[-1]),
        ylim=(0, 2),
        xlabel="time × ridge",
        ylabel="distance to the oracle\nover the original's",
    )
    ax.xaxis.set_major_locator(MaxNLocator(3))
    ax.yaxis.set_major_locator(MaxNLocator(4))
    ax.set_title("Two correlated directions:\nhow much does the best stop (dot) gain?")
    ax.legend(loc="lower right", handlelength=2.4)


_LOOKS: tuple[dict[str, Any], ...] = (
    {"color": style.BLUE}, {"color": style.SKY}, {"color": style.SKY, "hatch": "////"}, {"color": style.FARTHER},
    {"color": "#D0D0D0"},
)  # fmt: skip


def _bars(ax: Axes, data: dict[str, np.ndarray]) -> None:
    """How many statements hold, row by row."""
    counts = data["verdicts"]
    starts = np.cumsum(counts, axis=1) - counts
    for j, (word, look) in enumerate(zip(VERDICTS, _LOOKS, strict=True)):
        if not counts[:, j].any():
            continue
        ax.barh(ROWS, counts[:, j], left=starts[:, j], height=0.6, label=word, **look)
        for i in range(len(ROWS)):
            if not counts[i, j]:
                continue
            narrow = counts[i, j] < 8 and counts[i, j + 1 :].sum() == 0  # then beside the bar
            place = starts[i, j] + counts[i, j] + 0.7 if narrow else starts[i, j] + counts[i, j] / 2
            ink = style.BLACK if narrow or j else "white"
            ax.text(
                place,
                i,
                f"{counts[i, j]}",
                ha="left" if narrow else "center",
                va="center",
                fontsize=7,
                color=ink,
            )
    ax.set(
        title="Verdicts on the statements:\nwhat holds?",
        xlabel="statements",
        ylim=(len(ROWS) - 0.5, -1.5),
    )
    ax.margins(x=0.08)
    ax.tick_params(axis="y", length=0)
    ax.legend(loc="upper center", ncols=2, handlelength=1, columnspacing=1, borderaxespad=0.2)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
