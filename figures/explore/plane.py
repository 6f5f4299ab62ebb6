"""The explorer of the plane: the path of descent-ascent, where it should stop, where it ends, and the map of both answers.

Left, the weights: gradient flow from the original, with the oracle, the closest point of the path and the minimum where there is
one. Right, over the correlation strength and alpha/phi at this b, where the end is farther and where the first step leads away.
"""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ascentfail import stationary
from ascentfail.dynamics.flow import gradient_flow
from ascentfail.figures.drawing.scene import (
    Arrow,
    Band,
    Field,
    Layer,
    Line,
    Panel,
    Points,
    Scene,
    along,
    one,
)
from ascentfail.figures.explore.explorers import Explorer, Slider, number, part, times, window
from ascentfail.numerics.arithmetic import JAX
from ascentfail.plane import equations as plane_equations
from ascentfail.plane.comparisons import extra_squared_distance, first_step_criterion
from ascentfail.problems.paper import CrossCorrelated
from ascentfail.theory import Point
from ascentfail.theory.domains import exists_in_plane

SHARE = 1.0  # phi, |F|/|R|
EPSILON, RATIO = (0.005, 0.995), (0.045, 6.7)  # of the map, a little beyond the sliders
EPSILON_COUNT, RATIO_COUNT = 67, 73
_RIDGE = 0.01  # scales time alone
# Times over the ridge. Paths are at rest by the last one, but for those next to the fold, where the minimum vanishes.
TIMES = np.r_[0.0, np.geomspace(1e-3, 60.0, 120)]


def problem(epsilon: Any, ratio: Any, b: Any) -> CrossCorrelated:
    """The problem at these values."""
    return CrossCorrelated.from_ratios(
        epsilon=epsilon, alpha=ratio * SHARE, phi=SHARE, b=b, ridge=_RIDGE
    )


@jax.jit
def state(epsilon: Any, ratio: Any, b: Any) -> dict[str, Any]:
    """Everything that the left panel and the words show, in one program.

    Args:
        epsilon: correlation strength.
        ratio: alpha/phi.
        b: |R_ij|/(ridge |R|).

    Returns:
        original, oracle, minimum (2,): weights, the last NaN without a minimum; path (times, 2), distance (times,) to the oracle:
        repeat the last finite point after a divergence; best: index of the closest; diverged: the first index not reached, -1
        for none; away: positive where the first step leads away; end_distance: of the minimum from the oracle; existence: the
        alpha/phi from which there is none.

    Paper: Sec. 5.1.2.
    """
    p, at = problem(epsilon, ratio, b), Point(epsilon=epsilon, alpha=ratio * SHARE, phi=SHARE, b=b)
    run = gradient_flow(p, "original", TIMES / _RIDGE, rtol=1e-6, atol=1e-8)
    minimum = stationary.stationary_point(p, "descent_ascent").weights
    oracle = jnp.stack(plane_equations.weights(plane_equations.oracle(p)[0], 0, epsilon))
    return {
        "original": stationary.stationary_point(p, "original").weights,
        "oracle": oracle,
        "minimum": minimum,
        "path": run.weights,
        "distance": run.distance_to_oracle,
        "best": run.best_stop,
        "diverged": run.diverged_at,
        "away": first_step_criterion(at, JAX),
        "end_distance": jnp.linalg.norm(minimum - oracle),
        "existence": jnp.exp(stationary.log_existence_alpha(at)) / SHARE,
    }


@jax.jit
def _map(b: Any) -> dict[str, Any]:
    """The answers over the map at one b."""

    def cell(epsilon: Any, ratio: Any) -> Any:
        p = Point(epsilon=epsilon, alpha=ratio * SHARE, phi=SHARE, b=b)
        return extra_squared_distance(p, JAX), first_step_criterion(p, JAX), exists_in_plane(p, JAX)

    epsilon, ratio = jnp.linspace(*EPSILON, EPSILON_COUNT), jnp.geomspace(*RATIO, RATIO_COUNT)
    farther, away, exists = jax.vmap(jax.vmap(cell, in_axes=(0, None)), in_axes=(None, 0))(
        epsilon, ratio
    )
    return {
        "epsilon": epsilon,
        "ratio": ratio,
        "farther": farther,
        "away": away,
        "existence": ratio[0] * jnp.exp(exists[0]),  # the margin is linear in ln alpha
    }


@functools.lru_cache(maxsize=32)
def regions(b: float) -> dict[str, np.ndarray]:
    """The answers over correlation strength and alpha/phi at one b; remembered.

    Args:
        b: |R_ij|/(ridge |R|).

    Returns:
        "epsilon" (n,), "ratio" (m,); (m, n) farther, positive where the end is farther from the oracle than the original (NaN:
        no minimum), away, positive where the first step leads away; existence (n,), the alpha/phi from which there is no minimum.

    Source: ours, claims beyond-3.
    """
    return {key: np.asarray(value) for key, value in _map(b).items()}


def draws(epsilon: float, ratio: float, b: float) -> Scene:
    """The scene at these values."""
    found = {key: np.asarray(value) for key, value in state(epsilon, ratio, b).items()}
    return Scene((_plane(found), _regions(epsilon, ratio, b)), _words(found, ratio))


def _plane(found: dict[str, np.ndarray]) -> Panel:
    """Models, path and stops in the plane of weights."""
    shown = _shown(found)
    points = np.vstack([shown, found["original"], found["oracle"]])
    low, high = points.min(0), points.max(0)
    half = max(float(window(a, b, 0.1)[1]) for a, b in zip(low, high, strict=True))
    ends = [
        (m - half, m + half)
        for m in (float(window(a, b, half)[0]) for a, b in zip(low, high, strict=True))
    ]
    layers: list[Layer] = [Line(*along(shown), "path", "path of descent-ascent")]
    layers.append(Arrow(*along(_arrow(shown, half)), "path"))
    marks = (
        ("minimum", "descent_ascent", "minimum of descent-ascent"),
        ("original", "original", "original"),
        ("oracle", "oracle", "oracle"),
    )
    layers += [Points(*one(*found[key]), role, words) for key, role, words in marks]
    layers.append(
        Points(*one(*found["path"][found["best"]]), "best_stop", "best stop in hindsight")
    )
    return Panel(
        "Weights: where the path leads",
        "weight w₁",
        "weight w₂",
        tuple(layers),
        ends[0],
        ends[1],
        equal=True,
    )


def _shown(found: dict[str, np.ndarray]) -> np.ndarray:
    """The path to its end or, where it runs to infinity, until it is clearly on its way."""
    last = int(found["diverged"]) if found["diverged"] > 0 else len(found["path"])
    if np.isnan(found["end_distance"]):
        far = 2.5 * max(float(found["distance"][0]), 0.4)
        last = min(
            last, int(np.append(np.flatnonzero(found["distance"] > far), len(found["path"]))[0]) + 1
        )
    return found["path"][:last]


def _arrow(path: np.ndarray, half: float) -> np.ndarray:
    """Two points of the path, one after the other, that show its direction; NaN where it is too short."""
    gone = np.linalg.norm(path - path[0], axis=-1)
    first = int(np.argmax(gone > 0.35 * half))
    return path[[first, first + 1]] if 0 < first < len(path) - 1 else np.full((2, 2), np.nan)


def _regions(epsilon: float, ratio: float, b: float) -> Panel:
    """The map at this b, and where the sliders stand."""
    found = regions(b)
    farther = found["farther"]
    level = np.where(
        np.isnan(farther), np.nanmax(np.abs(farther)), farther
    )  # what lies beyond is painted over next
    across, top = found["epsilon"], np.full(EPSILON_COUNT, 2 * RATIO[1])
    ground = np.full(EPSILON_COUNT, RATIO[0] / 2)
    layers: tuple[Layer, ...] = (
        Band(across, ground, top, "closer", "ends closer to the oracle"),
        Field(across, found["ratio"], level, "farther", "ends farther from it"),
        Band(across, found["existence"], top, "no_minimum", "no minimum: runs to infinity"),
        Field(across, found["ratio"], found["away"], "away", "first step leads away"),
        Line(across, found["existence"], "edge"),
        Field(across, found["ratio"], found["away"], "strong_edge", levels=(0.0,)),
        Points(*one(epsilon, ratio), "here", "the sliders"),
    )
    title = f"What happens, at b = {b:g}, φ = {SHARE:g}"
    return Panel(title, "correlation strength ε", "α / φ", layers, EPSILON, RATIO, y_log=True)


def _words(found: dict[str, np.ndarray], ratio: float) -> str:
    """What is seen, in numbers."""
    start, best = float(found["distance"][0]), float(found["distance"].min())
    said = [f"The original is {number(start)} away from the oracle."]
    if found["best"] > 0:
        said.append(f"The path comes closer: its best stop is {part(1 - best / start)} closer.")
    else:
        said.append("No later point of the path is closer: the best stop is to do nothing.")
    if np.isnan(found["end_distance"]):
        said.append(
            f"Descent-ascent has no minimum, since α/φ = {ratio:.4g} lies beyond {float(found['existence']):.4g}: "
            "the path runs to infinity."
        )
    else:
        far = float(found["end_distance"]) / start
        said.append(f"It ends at a minimum {times(far)} from the oracle as the original is.")
    said.append(
        f"The first step leads {'away from' if found['away'] > 0 else 'towards'} the oracle."
    )
    return " ".join(said)


def explorer() -> Explorer:
    """The explorer "plane"."""
    ratios = tuple(float(f"{v:.3g}") for v in np.geomspace(0.05, 6.0, 25))
    epsilons = (0.03, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.97)
    return Explorer(
        "plane",
        "Two correlated directions",
        "Retain samples (1, ε), forget samples (ε, 1): the larger ε, the more they have in common. Gradient flow of "
        "descent-ascent from the original, with as many forget as retain samples in all (φ = 1).",
        (
            Slider(
                "epsilon",
                "ε",
                epsilons,
                epsilons.index(0.6),
                "correlation strength of retain and forget samples",
            ),
            Slider(
                "ratio",
                "α/φ",
                ratios,
                14,
                "share of forget samples here over that in the whole set",
            ),
            Slider(
                "b",
                "b",
                (0.3, 1.0, 3.0, 10.0, 30.0),
                1,
                "pull of the plane's retain samples, |Rᵢⱼ| / (λ|R|)",
            ),
        ),
        draws,
    )
