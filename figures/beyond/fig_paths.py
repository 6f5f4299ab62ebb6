"""Paths of descent-ascent in the plane, and where each one should have stopped, for several correlation strengths.

Above: the gradient flow from the original, with the oracle, descent-ascent's minimum where there is one, the point of the
path closest to the oracle (the best stop in hindsight) and the stop of a rule fixed in advance, forget loss as high as the
oracle's. Below: the distance to the oracle along it. The stronger the correlation, the less the best stop gains. Of the claims
asserted `dependence-causes.exists` is refuted: a minimum comes into being as the samples correlate.

Paper: Sec. 5.1.2; claims beyond-3 and beyond-5.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from ascentfail import stationary
from ascentfail.core.precision import require_x64
from ascentfail.dynamics.flow import gradient_flow
from ascentfail.figures.drawing import style
from ascentfail.numerics.arithmetic import JAX
from ascentfail.plane import equations as plane_equations
from ascentfail.plane.comparisons import first_step_criterion
from ascentfail.problems import losses
from ascentfail.problems.paper import CrossCorrelated
from ascentfail.theory import Point
from ascentfail.theory.domains import exists_in_plane

NAME = "paths"
CLAIMS = (
    "dependence-causes.exists",
    "lemma-6",
    "beyond-3.first-step-2d",
    "beyond-5.threshold",
    "beyond-6.identity",
)
PARAMETERS: dict[str, Any] = {
    "epsilon": [0.0, 0.3, 0.6, 0.9],
    "phi": 1.0,
    "b": 1.0,
    "ratio": 0.8,  # alpha / phi
    "times": [1e-3, 400.0],  # over the ridge
    "count": 500,
    "mesh": 61,
}
_RIDGE = 0.01  # scales time alone


def problem(epsilon: Any, phi: Any, b: Any, ratio: Any) -> CrossCorrelated:
    """The problem with those ratios."""
    return CrossCorrelated.from_ratios(
        epsilon=epsilon, alpha=ratio * phi, phi=phi, b=b, ridge=_RIDGE
    )


@functools.partial(jax.jit, static_argnames=("times",))
def grid(epsilon: Any, phi: Any, b: Any, ratio: Any, times: tuple[float, ...]) -> dict[str, Any]:
    """Every epsilon in one program: the models, the run at the given times over the ridge, and the closed forms to check it."""

    def one(epsilon: Any) -> dict[str, Any]:
        p, point = (
            problem(epsilon, phi, b, ratio),
            Point(epsilon=epsilon, alpha=ratio * phi, phi=phi, b=b),
        )
        unlearned = stationary.stationary_point(p, "descent_ascent")
        run = gradient_flow(p, "original", np.asarray(times) / _RIDGE)
        x_oracle, y_oracle = plane_equations.oracle(p)
        squared = plane_equations.squared_distance_to_oracle(*stationary.plane(p, "original"), p)
        return {
            "original": stationary.stationary_point(p, "original").weights,
            "oracle": jnp.stack(plane_equations.weights(x_oracle, 0, epsilon)),
            "minimum": unlearned.weights,
            "exists": exists_in_plane(point, JAX),
            "away": first_step_criterion(point, JAX),
            "start_distance": jnp.sqrt(squared / (1 + epsilon * epsilon)),
            "forget_margin": run.weights[:, 0] * epsilon + run.weights[:, 1] - y_oracle,
            "path": run.weights,
            "distance": run.distance_to_oracle,
            "best": run.best_stop,
            "rule": run.stops.oracle_level.step,
            "diverged": run.diverged_at,
        }

    return jax.vmap(one)(epsilon)


@jax.jit
def landscape(epsilon: Any, phi: Any, b: Any, ratio: Any, w1: Any, w2: Any) -> Any:
    """L_R over a mesh for every epsilon: w1, w2 (n, mesh) give (n, mesh of w2, mesh of w1)."""

    def one(epsilon: Any, w1: Any, w2: Any) -> Any:
        p = problem(epsilon, phi, b, ratio)
        return jax.vmap(
            lambda v: jax.vmap(lambda u: losses.loss(p, jnp.stack([u, v]), "oracle"))(w1)
        )(w2)

    return jax.vmap(one)(epsilon, w1, w2)


def data(
    epsilon: Sequence[float],
    phi: float,
    b: float,
    ratio: float,
    times: Sequence[float],
    count: int,
    mesh: int,
) -> dict[str, np.ndarray]:
    """The models, the paths and their stops, after they were checked against closed forms.

    Args:
        epsilon: correlation strengths in [0, 1), one a panel, increasing.
        phi: |F|/|R| > 0.
        b: |R_ij|/(ridge |R|) > 0.
        ratio: alpha/phi > 0.
        times: first and last time after the start, > 0, over the ridge.
        count: how many, >= 2, in geometric progression.
        mesh: points of each axis, >= 2, at which L_R is taken.

    Returns:
        "epsilon", "times" (count + 1,): the start included; original, oracle, minimum (n, 2): minimum NaN where there is none;
        path (n, times, 2), distance (n, times): repeat the last finite point after a divergence; best, rule, diverged (n,):
        indices of times, diverged -1 for never; gain, rule_gain (n,): by which part of the start's distance the best stop and
        the rule's are closer; end (n,): distance of the end over the start's, inf where there is no minimum;
        away (n,): positive where the first step leads away; window (n, 2, 2): (axis, end) of a square that shows what matters;
        arrows (n, 2): indices of times at which to show the direction; w1, w2 (n, mesh), loss (n, mesh, mesh): L_R.

    Raises:
        AssertionError: a path contradicts a closed form or a claim.
        PrecisionError: JAX computes in float32.

    Paper: Sec. 5.1.2; claims beyond-3 and beyond-5.
    """
    require_x64(NAME)
    epsilons, at = (
        np.asarray(epsilon, float),
        np.concatenate([[0.0], np.geomspace(times[0], times[1], count)]),
    )
    found = {
        key: np.asarray(value)
        for key, value in grid(epsilons, phi, b, ratio, tuple(at.tolist())).items()
    }
    _check(found)
    window, arrows = _window(found)
    w1, w2 = (np.linspace(window[:, axis, 0], window[:, axis, 1], mesh, axis=-1) for axis in (0, 1))
    kept = ("original", "oracle", "minimum", "path", "distance", "best", "rule", "diverged", "away")
    return {key: found[key] for key in kept} | {
        "epsilon": epsilons,
        "times": at,
        "gain": 1 - found["distance"].min(-1) / found["start_distance"],
        "rule_gain": 1
        - found["distance"][np.arange(len(epsilons)), found["rule"]] / found["start_distance"],
        "end": np.where(
            found["exists"] > 0, found["distance"][:, -1] / found["start_distance"], np.inf
        ),
        "window": window,
        "arrows": arrows,
        "w1": w1,
        "w2": w2,
        "loss": np.asarray(landscape(epsilons, phi, b, ratio, w1, w2)),
    }


def _check(found: dict[str, np.ndarray]) -> None:
    """Ends, distances, stops and the claims, panel by panel."""
    path, oracle, best, rule = (found[key] for key in ("path", "oracle", "best", "rule"))
    exists, rows = found["exists"] > 0, np.arange(len(best))
    gap = np.abs(path[:, -1] - found["minimum"]).max(-1)
    style.confirm(
        exists == (found["diverged"] < 0), "the flow stays finite exactly where there is a minimum"
    )
    style.confirm(~exists | (gap < 1e-8), "and ends there")
    distance = np.linalg.norm(path - oracle[:, None], axis=-1)
    style.confirm(
        np.abs(distance - found["distance"]) < 1e-12 * (1 + distance),
        "distances are those to the closed-form oracle",
    )
    style.confirm(
        np.abs(distance[:, 0] - found["start_distance"]) < 1e-12,
        "that of the start is the closed form",
    )
    style.confirm(best == distance.argmin(-1), "the best stop is the closest point of the path")
    finite = (found["diverged"][:, None] < 0) | (
        np.arange(path.shape[1]) < found["diverged"][:, None]
    )
    passed = (found["forget_margin"] <= 0) & finite
    style.confirm(
        passed.any(-1) & (rule == passed.argmax(-1)),
        "the rule stops where y first falls to the oracle's",
    )
    style.confirm(
        (found["away"] > 0) == (distance[:, 1] > distance[:, 0]),
        "the first step leads away where the criterion says",
    )
    style.confirm(
        np.diff(distance[rows, best] / distance[:, 0]) > 0,
        "the best stop gains less as the correlation grows",
    )
    style.confirm(
        (np.diff(exists.astype(int)) > 0).any(),
        "a minimum appears with epsilon: dependence-causes.exists fails",
    )


def _window(found: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """A square round models and path as far as it is of interest, and where on the path within it to show the direction."""
    far = np.fmax(
        found["distance"][:, 0], np.linalg.norm(found["minimum"] - found["oracle"], axis=-1)
    )
    shown = found["distance"] <= 1.05 * far[:, None]
    windows, arrows = [], []
    for i, inside in enumerate(shown):
        points = np.vstack([found["path"][i][inside], found["oracle"][i][None]])
        middle, half = (points.max(0) + points.min(0)) / 2, 0.66 * np.ptp(points, axis=0).max()
        windows.append(np.stack([middle - half, middle + half], axis=-1))
        length = np.cumsum(np.linalg.norm(np.diff(found["path"][i][inside], axis=0), axis=-1))
        arrows.append(
            np.flatnonzero(inside)[np.searchsorted(length, (0.3 * length[-1], 0.75 * length[-1]))]
        )
    return np.stack(windows), np.stack(arrows)


_CURVE: dict[str, Any] = {"color": style.INK, "linewidth": 1.2, "zorder": 3}
_MARKS: dict[str, dict[str, Any]] = {
    "original": {"marker": "o", "color": style.BLACK, "markersize": 5, "zorder": 5},
    "oracle": {
        "marker": "*",
        "color": style.ORANGE,
        "markeredgecolor": style.BLACK,
        "markeredgewidth": 0.6,
        "markersize": 9,
        "zorder": 6,
    },
    "best": {
        "marker": "D",
        "color": style.GREEN,
        "markeredgecolor": style.BLACK,
        "markeredgewidth": 0.6,
        "markersize": 5,
        "zorder": 7,
    },
    "rule": {
        "marker": "s",
        "markerfacecolor": "none",
        "markeredgecolor": style.VERMILLION,
        "markeredgewidth": 1.3,
        "markersize": 8,
        "zorder": 8,
    },
    "minimum": {
        "marker": "X",
        "color": style.BLUE,
        "markeredgecolor": style.BLACK,
        "markeredgewidth": 0.5,
        "markersize": 6,
        "zorder": 5,
    },
}
_NOTHING: dict[str, Any] = {"color": style.BLACK, "linewidth": 0.7, "linestyle": (0, (4, 2))}
_WORDS = {
    "original": "original",
    "oracle": "oracle",
    "best": "best stop in hindsight",
    "rule": "rule: forget loss reaches the oracle's",
    "minimum": "minimum of descent-ascent",
}


def draw(data: dict[str, np.ndarray]) -> Figure:
    """A column for each epsilon: the plane above, the distance to the oracle against time below.

    Args:
        data: what `data` returns.

    Returns:
        The figure. Never raises on such data.
    """
    with style.look():
        figure = style.figure(style.FULL_WIDTH, 4.0)
        axes = figure.subplots(2, len(data["epsilon"]), squeeze=False)
        for i in range(len(data["epsilon"])):
            _plane(axes[0, i], data, i)
            _along(axes[1, i], data, i)
        axes[0, 0].set_ylabel("weight $w_2$")
        axes[1, 0].set_ylabel("distance to the oracle\nover the original's")
        figure.supxlabel("time of the gradient flow × ridge", fontsize=8)
        handles = [
            Line2D([], [], linestyle="none", label=_WORDS[key], **mark)
            for key, mark in _MARKS.items()
        ]
        handles.append(Line2D([], [], label="doing nothing", **_NOTHING))
        handles.insert(3, Line2D([], [], label="path of descent-ascent", **_CURVE))
        figure.legend(handles=handles, loc="outside upper center", ncols=4, columnspacing=1.2)
    return figure


def _plane(ax: Axes, data: dict[str, np.ndarray], i: int) -> None:
    """Models, path and stops of one epsilon, over contours of L_R."""
    path, gain = data["path"][i], float(data["gain"][i])
    ax.contour(
        data["w1"][i], data["w2"][i], data["loss"][i], levels=9, colors="#BDBDBD", linewidths=0.5
    )
    ax.plot(*path.T, **_CURVE)
    for k in data["arrows"][i]:
        ax.annotate(
            "",
            path[k + 1],
            path[k],
            arrowprops={"arrowstyle": "-|>", "color": style.INK, "shrinkA": 0, "shrinkB": 0},
        )
    stops = {key: path[data[key][i]] for key in ("best", "rule")}
    for key, mark in _MARKS.items():
        ax.plot(
            *(stops[key] if key in stops else data[key][i]), linestyle="none", clip_on=False, **mark
        )
    ax.set(
        xlim=data["window"][i, 0], ylim=data["window"][i, 1], aspect="equal", xlabel="weight $w_1$"
    )
    ax.xaxis.set_major_locator(MaxNLocator(3))
    ax.yaxis.set_major_locator(MaxNLocator(4))
    words = f"best stop {gain:.0%} closer" if data["best"][i] else "best stop: do nothing"
    ax.set_title(f"ε = {data['epsilon'][i]:g}\n{words}")


def _along(ax: Axes, data: dict[str, np.ndarray], i: int) -> None:
    """The distance to the oracle along one path, the stops on it, and how it ends."""
    times, distance = data["times"], data["distance"][i] / data["distance"][i, 0]
    ax.plot(times, distance, **_CURVE)
    ax.axhline(1, **_NOTHING)
    for key in ("best", "rule"):
        ax.plot(
            times[data[key][i]],
            distance[data[key][i]],
            linestyle="none",
            clip_on=False,
            **_MARKS[key],
        )
    rule, end = float(data["rule_gain"][i]), float(data["end"][i])
    words = f"rule {rule:.0%} closer" if data["rule"][i] else "rule: do nothing"
    words += f"\nends {end:.1f} × as far" if np.isfinite(end) else "\nruns to infinity"
    ax.text(
        0.97,
        0.04,
        words,
        transform=ax.transAxes,
        fontsize=7,
        ha="right",
        va="bottom",
        linespacing=1.4,
    )
    ax.set(xlim=(0, 1.8), ylim=(0, 2))
    ax.xaxis.set_major_locator(MaxNLocator(3))
