"""Figure 4: the window of alpha against the correlation strength, as printed and exact.

Printed: from the larger lower bound of Lemma 9 to the smaller upper bound of Lemma 10, alpha <= 1. Exact: every alpha
at which the oracle's margins are at least the original's, and those of descent-ascent's minimum at most. Small
multiples over |F|/|R| and b. Of the claims asserted all hold but `figure-4.exists`: its refutation is what the
picture shows, panels whose printed window is empty at every epsilon while the exact one is open.

Paper: Figure 4, App. I.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from ascentfail import stationary
from ascentfail.core.precision import require_x64
from ascentfail.figures.drawing import style
from ascentfail.numerics.arithmetic import JAX
from ascentfail.plane import bounds as plane_bounds
from ascentfail.plane import equations as plane_equations
from ascentfail.plane.window import lower_edge, no_window, upper_edge
from ascentfail.theory import Point
from ascentfail.theory.domains import at_stationary, plane_margins

NAME = "fig04-window"
CLAIMS = (
    "lemma-9",
    "lemma-10",
    "figure-4.exists",
    "beyond-4.x-threshold",
    "beyond-4.y-threshold",
    "beyond-4.second-implies-first",
    "beyond-4.x-implies-y",
    "beyond-4.sufficient",
    "beyond-5.threshold",
)
PARAMETERS: dict[str, Any] = {
    "phi": [0.1, 0.3, 1.0],
    "b": [0.1, 1.0, 10.0, 100.0],
    "epsilon": [0.005, 0.995],
    "epsilon_count": 199,
    "ratio": [0.009, 6.0],  # alpha / phi
    "ratio_count": 240,
}


def column(phi: Any, b: Any, epsilon: Any, ratio: Any, part: Any) -> dict[str, Any]:
    """At one (phi, b, epsilon): the bounds and thresholds in alpha, and the orders along alpha = ratio * phi."""
    at = Point(phi=phi, b=b, epsilon=epsilon)
    x_threshold, y_threshold = plane_bounds.ordering_alphas(at)

    def orders(one: Any) -> tuple[Any, ...]:
        p = at.replace(alpha=one * phi)
        x, y = plane_margins(p, "original", JAX)
        x_oracle, y_oracle = plane_equations.oracle(p)
        x_unlearned, y_unlearned = plane_margins(p, "descent_ascent", JAX)
        return x_oracle - x, y_oracle - y, x - x_unlearned, y - y_unlearned

    def along_minima(part: Any) -> tuple[Any, Any]:
        """Its ln alpha and x_D - x_DA, at the minimum whose forget pull is that part of the fold's: it misses no narrow tip."""
        exact, x_unlearned, _ = at_stationary(at.replace(ascent_pull=part * fold_pull), JAX)
        return jnp.log(exact.alpha), plane_margins(exact, "original", JAX)[0] - x_unlearned

    _, fold_pull = stationary.fold(
        plane_equations.retain_strength(at, "descent_ascent"), plane_equations.cosine(at)
    )
    log_alpha, gap = jax.vmap(along_minima)(part)
    gaps = jax.vmap(orders)(ratio)
    names = ("oracle_x_gap", "oracle_y_gap", "ascent_x_gap", "ascent_y_gap")
    return dict(zip(names, gaps, strict=True)) | {
        "printed_lower": lower_edge(at, JAX),
        "printed_upper": upper_edge(at, JAX),
        "sufficient": plane_bounds.sufficient_alpha(at),
        "x_threshold": x_threshold,
        "y_threshold": y_threshold,
        "minima_log_alpha": log_alpha,
        "minima_x_gap": gap,
        "existence": jnp.exp(stationary.log_existence_alpha(at)),
    }


@jax.jit
def grid(phi: Any, b: Any, epsilon: Any, ratio: Any, part: Any) -> dict[str, Any]:
    """Every panel (phi, b: paired), every epsilon, every alpha in one program: (panels, epsilon) or (panels, epsilon, n)."""
    along = jax.vmap(column, in_axes=(None, None, 0, None, None))
    return jax.vmap(along, in_axes=(0, 0, None, None, None))(phi, b, epsilon, ratio, part)


def data(
    phi: Sequence[float],
    b: Sequence[float],
    epsilon: Sequence[float],
    epsilon_count: int,
    ratio: Sequence[float],
    ratio_count: int,
) -> dict[str, np.ndarray]:
    """The curves of every panel, after the claims were checked in every cell of the grid.

    Args:
        phi: values > 0 of |F|/|R|, one a row.
        b: values > 0 of |R_ij|/(ridge |R|), one a column.
        epsilon: first and last correlation strength, in (0, 1).
        epsilon_count: how many, >= 1, evenly spaced.
        ratio: first and last alpha/phi, > 0.
        ratio_count: how many, >= 2, in geometric progression.

    Returns:
        "phi", "b", "epsilon", "ratio": the axes; printed_lower, printed_upper, exact_lower, exact_upper, existence
        (phi, b, epsilon): in alpha, NaN where there is none; printed_open, exact_open (phi, b): fraction of the
        epsilons with an alpha inside; excluded (phi, b): the exclusion bound of `figure-4.exists`, negative where no
        epsilon at all helps.

    Raises:
        AssertionError: a claim is contradicted in some cell.
        PrecisionError: JAX computes in float32.

    Paper: Figure 4, App. I.
    """
    require_x64(NAME)
    parts = np.geomspace(1e-4, 1, ratio_count)
    epsilons, ratios = (
        np.linspace(epsilon[0], epsilon[1], epsilon_count),
        np.geomspace(ratio[0], ratio[1], ratio_count),
    )
    phis, bs = (
        v.ravel() for v in np.meshgrid(np.asarray(phi, float), np.asarray(b, float), indexing="ij")
    )
    found = {
        key: np.asarray(value) for key, value in grid(phis, bs, epsilons, ratios, parts).items()
    }
    alpha = phis[:, None, None] * ratios
    _check(found, alpha)

    exact_upper = np.minimum(found["y_threshold"], found["existence"])
    exact_lower = np.exp(style.first_crossing(found["minima_x_gap"], found["minima_log_alpha"]))
    agree = (found["ascent_x_gap"] >= 0) == (
        alpha >= np.nan_to_num(exact_lower, nan=np.inf)[..., None]
    )
    near = np.abs(alpha / exact_lower[..., None] - 1) < 1e-3  # the edge is interpolated
    style.confirm(
        agree | near | np.isnan(found["ascent_x_gap"]), "x_DA <= x_D exactly above one alpha"
    )
    printed_open = found["printed_lower"] <= found["printed_upper"]
    with np.errstate(invalid="ignore"):
        exact_open = exact_lower <= exact_upper
        starts_inside = exact_lower <= found["printed_lower"] * (1 + 1e-3)
    style.confirm(starts_inside | ~printed_open, "the printed window starts inside the exact one")
    style.confirm(
        found["printed_upper"] <= found["y_threshold"] * (1 + 1e-12), "and ends inside it"
    )
    excluded = np.array(
        [float(no_window(Point(phi=f, b=v), JAX)) for f, v in zip(phis, bs, strict=True)]
    )
    style.confirm(
        ~printed_open[excluded < 0], "no printed window where the exclusion bound is negative"
    )
    style.confirm(excluded.min() < 0, "some panel refutes figure-4.exists")
    style.confirm(exact_open.any(-1), "the exact window is open in every panel")
    shape = (len(phi), len(b))
    return {
        "phi": np.asarray(phi, float),
        "b": np.asarray(b, float),
        "epsilon": epsilons,
        "ratio": ratios,
        "printed_lower": found["printed_lower"].reshape(*shape, -1),
        "printed_upper": found["printed_upper"].reshape(*shape, -1),
        "exact_lower": exact_lower.reshape(*shape, -1),
        "exact_upper": exact_upper.reshape(*shape, -1),
        "existence": found["existence"].reshape(*shape, -1),
        "printed_open": printed_open.mean(-1).reshape(shape),
        "exact_open": exact_open.mean(-1).reshape(shape),
        "excluded": excluded.reshape(shape),
    }


def _check(found: dict[str, np.ndarray], alpha: np.ndarray) -> None:
    """The claims, cell by cell; where a margin is within rounding of zero its sign is not judged."""
    edge = {key: value[..., None] for key, value in found.items() if value.ndim == 2}
    oracle_x, oracle_y, ascent_x, ascent_y = (
        found[key] for key in ("oracle_x_gap", "oracle_y_gap", "ascent_x_gap", "ascent_y_gap")
    )
    rounding = 1e-12
    exists = np.isfinite(ascent_x)

    def clear(margin: np.ndarray) -> np.ndarray:
        return np.abs(margin) > rounding

    style.confirm(
        (exists == (alpha < edge["existence"]))
        | (np.abs(alpha / edge["existence"] - 1) < rounding),
        "a minimum exists exactly below the threshold",
    )
    for key, gap in (("x_threshold", oracle_x), ("y_threshold", oracle_y)):
        style.confirm(((gap > 0) == (alpha < edge[key])) | ~clear(gap), f"the order turns at {key}")
    style.confirm(
        edge["y_threshold"] <= edge["x_threshold"] * (1 + rounding),
        "the second threshold is at most the first",
    )
    with np.errstate(invalid="ignore"):
        style.confirm(
            ~(exists & (ascent_x >= 0)) | (ascent_y >= -rounding), "x_DA <= x_D implies y_DA <= y_D"
        )
        style.confirm(
            ~(exists & (alpha >= edge["sufficient"])) | (ascent_x >= -rounding),
            "the sufficient alpha is sufficient",
        )
        lemma_9 = exists & (alpha >= edge["printed_lower"]) & (alpha <= 1)
        style.confirm(~lemma_9 | ((ascent_x >= -rounding) & (ascent_y >= -rounding)), "Lemma 9")
    lemma_10 = alpha <= edge["printed_upper"]
    style.confirm(~lemma_10 | ((oracle_x >= -rounding) & (oracle_y >= -rounding)), "Lemma 10")


_PRINTED_LOWER: dict[str, Any] = {
    "color": style.VERMILLION,
    "linestyle": (0, (4, 1.5)),
    "linewidth": 1.3,
}
_PRINTED_UPPER: dict[str, Any] = {
    "color": style.BLACK,
    "linestyle": (0, (1, 1.2)),
    "linewidth": 1.5,
}
_EXACT: dict[str, Any] = {"color": style.BLUE, "linestyle": "-", "linewidth": 1.1}
_EXACT_FILL: dict[str, Any] = {"facecolor": "#B9DDF3", "edgecolor": "none"}
_PRINTED_FILL: dict[str, Any] = {
    "facecolor": style.ORANGE,
    "edgecolor": style.INK,
    "hatch": "//////",
    "linewidth": 0,
}
_NONE_FILL: dict[str, Any] = {
    "facecolor": "#D9D9D9",
    "edgecolor": "#7A7A7A",
    "hatch": "......",
    "linewidth": 0,
}


def draw(data: dict[str, np.ndarray]) -> Figure:
    """Small multiples: a row for each |F|/|R|, a column for each b, alpha (log) against the correlation strength.

    Args:
        data: what `data` returns.

    Returns:
        The figure. Never raises on such data.
    """
    with style.look():
        figure = style.figure(style.FULL_WIDTH, 5.9)
        rows, columns = len(data["phi"]), len(data["b"])
        axes = figure.subplots(rows, columns, sharex=True, sharey="row", squeeze=False)
        for i in range(rows):
            for j in range(columns):
                _panel(axes[i, j], data, i, j)
        for i, phi in enumerate(data["phi"]):
            axes[i, 0].set_ylabel(f"|F| / |R| = {phi:g}\n\nforget ratio α")
        figure.supxlabel(
            "correlation strength ε between retain and forget samples\n"
            "Percentages: share of the ε axis on which the window is open.  b: pull of the retain samples over the ridge",
            fontsize=8,
        )
        figure.legend(
            handles=_legend(),
            loc="outside upper center",
            ncols=2,
            columnspacing=1.5,
            handlelength=2.6,
        )
    return figure


def _panel(ax: Axes, data: dict[str, np.ndarray], i: int, j: int) -> None:
    """One (phi, b)."""
    epsilon, phi = data["epsilon"], float(data["phi"][i])
    bottom, top = phi * float(data["ratio"][0]), phi * float(data["ratio"][-1])
    curves = ("printed_lower", "printed_upper", "exact_lower", "exact_upper", "existence")
    lower, upper, exact_lower, exact_upper, existence = (data[key][i, j] for key in curves)
    ax.set(xlim=(epsilon[0], epsilon[-1]), ylim=(bottom, top), yscale="log")
    ax.fill_between(epsilon, existence, 10 * top, zorder=1, **_NONE_FILL)
    ax.fill_between(
        epsilon, exact_lower, exact_upper, where=exact_upper > exact_lower, zorder=2, **_EXACT_FILL
    )
    ax.fill_between(
        epsilon, lower, upper, where=upper > lower, interpolate=True, zorder=3, **_PRINTED_FILL
    )
    inside = exact_lower <= exact_upper
    for edge in (exact_lower, exact_upper):
        ax.plot(epsilon, np.where(inside, edge, np.nan), zorder=4, **_EXACT)
    ax.plot(epsilon, lower, zorder=5, **_PRINTED_LOWER)
    ax.plot(epsilon, np.where(upper > 0, upper, np.nan), zorder=5, **_PRINTED_UPPER)
    ax.set_xticks([0.2, 0.4, 0.6, 0.8])
    ax.yaxis.set_major_locator(LogLocator(numticks=5))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.yaxis.set_minor_formatter(NullFormatter())
    words = f"printed {data['printed_open'][i, j]:.0%}, exact {data['exact_open'][i, j]:.0%}"
    ax.set_title(words, fontsize=7)
    if i == 0:
        ax.annotate(
            f"b = {data['b'][j]:g}",
            (0.5, 1),
            (0, 15),
            "axes fraction",
            "offset points",
            ha="center",
            va="bottom",
        )


def _legend() -> list[Line2D | Patch]:
    return [
        Patch(**_PRINTED_FILL, label="printed window (Lemmas 9 and 10)"),
        Patch(
            **_EXACT_FILL, label="exact window: oracle ≥ original ≥ descent-ascent, both margins"
        ),
        Patch(**_NONE_FILL, label="descent-ascent has no minimum"),
        Line2D([], [], label="edges of the exact window", **_EXACT),
        Line2D([], [], label="printed lower bound (Lemma 9)", **_PRINTED_LOWER),
        Line2D([], [], label="printed upper bound (Lemma 10, α ≤ 1)", **_PRINTED_UPPER),
    ]
