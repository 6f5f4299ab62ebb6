"""The explorer of one coordinate: three losses, their solutions, and the regions of alpha that decide what happens.

Left, the losses of original, oracle and descent-ascent over the weight, each less its value at the original, with the solutions
w = W(c) and the first step. Right, over |F|/|R| and alpha, where descent-ascent ends closer, farther or not at all.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ascentfail.core.models import MODELS
from ascentfail.figures.drawing.scene import Arrow, Band, Layer, Line, Panel, Points, Scene, one
from ascentfail.figures.explore.explorers import Explorer, Slider, times, window
from ascentfail.figures.explore.explorers import number as decimals
from ascentfail.line import closed_form
from ascentfail.numerics.arithmetic import JAX
from ascentfail.problems import losses
from ascentfail.problems.paper import SemiOrthogonal
from ascentfail.theory import Point
from ascentfail.theory.paper.lemma_03_wrong_side import extra_distance

PHI, ALPHA = (0.05, 5.0), (0.008, 12.5)  # of the map of regions, a little beyond the sliders
COUNT = 161  # of the weights at which losses are taken
MAP_COUNT = 81
_ROUNDING = 1e-12


@jax.jit
def state(alpha: Any, phi: Any, b: Any) -> dict[str, Any]:
    """Everything that the scene shows, in one program.

    Args:
        alpha: |F_j|/|R_j|.
        phi: |F|/|R|.
        b: |R_j|/(ridge |R|).

    Returns:
        original, oracle, descent_ascent (NaN without), second_branch (NaN without); first_step: its direction over the ridge;
        extra: how much farther from the oracle descent-ascent ends than the original is (NaN without an end); weight (COUNT,)
        and losses (3, COUNT): in the order of MODELS, over the ridge, less the value at the original; at (3, 4): the same at
        the four solutions; half: of the width of the weights; threshold, existence: the alphas between which the end is farther;
        map_phi (MAP_COUNT,) and map_threshold, map_existence: the same over |F|/|R|.

    Paper: Sec. 5.1.1, Lemma 3.
    """
    p, problem = (
        Point(alpha=alpha, phi=phi, b=b),
        SemiOrthogonal.from_ratios(alpha=alpha, phi=phi, b=b),
    )
    original, oracle = closed_form.original(p), closed_form.oracle(p)
    ends = [closed_form.descent_ascent(p, branch) for branch in (0, -1)]
    solutions = jnp.stack([original, oracle, *ends])
    near = jnp.where(solutions > _FARTHEST, solutions, original)  # NaN is not
    middle, half = window(near.min(), near.max(), 0.4)
    weight = middle + half * jnp.linspace(-1, 1, COUNT)

    def heights(w: Any) -> Any:
        own = [
            (losses.loss(problem, w, which) - losses.loss(problem, original, which)) / problem.ridge
            for which in MODELS
        ]
        return jnp.stack(own)

    over = jnp.geomspace(PHI[0], PHI[1], MAP_COUNT)
    return {
        "original": original,
        "oracle": oracle,
        "descent_ascent": ends[0],
        "second_branch": ends[1],
        "first_step": closed_form.first_step(p),
        "extra": extra_distance(p, JAX),
        "weight": weight,
        "losses": jax.vmap(heights, out_axes=1)(weight),
        "at": jax.vmap(heights, out_axes=1)(solutions),
        "half": half,
        "threshold": closed_form.wrong_way_alpha(phi),
        "existence": closed_form.existence_alpha(p),
        "map_phi": over,
        "map_threshold": closed_form.wrong_way_alpha(over),
        "map_existence": closed_form.existence_alpha(Point(phi=over, b=b)),
    }


def draws(alpha: float, phi: float, b: float) -> Scene:
    """The scene at these ratios."""
    found = {key: np.asarray(value) for key, value in state(alpha, phi, b).items()}
    number = {key: float(value) for key, value in found.items() if value.ndim == 0}
    return Scene(
        (_losses(found, number), _regions(found, alpha, phi, b)), _words(number, alpha, phi, b)
    )


def _losses(found: dict[str, np.ndarray], number: dict[str, float]) -> Panel:
    """Losses, solutions and the first step."""
    weight = found["weight"]
    marked = found["at"][[0, 1, 2, 2], [0, 1, 2, 3]]  # each solution on its own loss
    inside = np.array([number[role] for role, _ in _SOLUTIONS]) > _FARTHEST
    reach = float(window(0.0, np.max(np.abs(marked), initial=0.0, where=inside), 0.02)[1])
    layers: list[Layer] = [Line(weight[[0, -1]], np.zeros(2), "axis")]
    for which, height, words in zip(MODELS, found["losses"], _NAMES, strict=True):
        layers.append(
            Line(
                weight, np.where(np.abs(height) < 6 * reach, height, np.nan), f"loss_{which}", words
            )
        )
    step = np.sign(number["first_step"]) if abs(number["first_step"]) > _ROUNDING else np.nan
    start = number["original"] + np.array([0.0, step * _STEP * number["half"]])
    layers.append(Arrow(start, np.zeros(2), "first_step", "direction of the first step"))
    for (role, words), height in zip(_SOLUTIONS, marked, strict=True):
        layers.append(Points(*one(number[role], height), role, words))
    ends = (-1.8 * reach, 2.7 * reach)
    return Panel(
        "Losses, less their value at the original",
        "weight w",
        "loss over the ridge",
        tuple(layers),
        (float(weight[0]), float(weight[-1])),
        ends,
    )


_NAMES = ("loss of the original", "loss of the oracle", "loss of descent-ascent")
_SOLUTIONS = (
    ("original", "original"),
    ("oracle", "oracle"),
    ("descent_ascent", "end of descent-ascent, W₀(c)"),
    ("second_branch", "turning point W₋₁(c), a maximum"),
)
_STEP = 0.3  # length of the arrow that shows a direction, in half-widths
_FARTHEST = -4.0  # solutions beyond are not shown: W_{-1} goes to -infinity as alpha falls to phi


def _regions(found: dict[str, np.ndarray], alpha: float, phi: float, b: float) -> Panel:
    """Where descent-ascent ends closer, farther or not at all, and where the sliders stand."""
    over, low, high = (found[f"map_{key}"] for key in ("phi", "threshold", "existence"))
    top = np.full_like(over, 2 * ALPHA[1])
    layers: tuple[Layer, ...] = (
        Band(over, np.full_like(over, ALPHA[0] / 2), low, "closer", "ends closer to the oracle"),
        Band(over, low, high, "farther", "ends farther from it"),
        Band(over, high, top, "no_minimum", "no end: runs to −∞"),
        Band(over, low, over, "away", "first step leads away"),
        Line(over, low, "strong_edge"),
        Line(over, over, "strong_edge"),
        Line(over, high, "edge"),
        Points(*one(phi, alpha), "here", "the sliders"),
    )
    return Panel(
        f"What happens, at b = {b:g}",
        "φ = |F| / |R|",
        "α",
        layers,
        PHI,
        ALPHA,
        x_log=True,
        y_log=True,
    )


def _words(number: dict[str, float], alpha: float, phi: float, b: float) -> str:
    """What is seen, in numbers."""
    original, oracle, end = number["original"], number["oracle"], number["descent_ascent"]
    distance = abs(original - oracle)
    places = {role: decimals(number[role]) for role, _ in _SOLUTIONS}
    said = [f"The original has w = {places['original']}, the oracle w = {places['oracle']}."]
    if np.isnan(end):
        said.append(
            f"Descent-ascent has no solution, since α = {alpha:.4g} > φ(1 + 1/(eb)) = {number['existence']:.4g}: "
            "it runs to −∞."
        )
    elif distance < _ROUNDING:
        said.append(
            f"They are the same, and descent-ascent ends {decimals(abs(end - oracle))} away from both, at w = "
            f"{places['descent_ascent']}."
        )
    else:
        ratio = (distance + number["extra"]) / distance
        said.append(
            f"Descent-ascent ends at w = {places['descent_ascent']}: {times(ratio)} from the oracle as the original is."
        )
    said.append(_step_words(number, distance))
    said.append(
        f"For these φ and b the end is closer below α = {number['threshold']:.4g}, farther from there to "
        f"{number['existence']:.4g}, and missing beyond; the first step leads away between {number['threshold']:.4g} and "
        f"φ = {phi:.4g}."
    )
    return " ".join(said)


def _step_words(number: dict[str, float], distance: float) -> str:
    """Where the first step leads."""
    away = number["first_step"] * (number["original"] - number["oracle"])
    if abs(number["first_step"]) < _ROUNDING:
        return "The first step does not move: the original is already the end."
    if distance < _ROUNDING:
        return "The first step leads away from the oracle, which is where it starts."
    return f"The first step leads {'away from' if away > 0 else 'towards'} the oracle."


def explorer() -> Explorer:
    """The explorer "line"."""
    alphas = tuple(float(f"{10 ** (k / 10):.3g}") for k in range(-20, 11))
    return Explorer(
        "line",
        "One coordinate",
        "A group of samples on one coordinate, of which |Fⱼ| = α|Rⱼ| samples are to be forgotten. Three models, "
        "each w = W(c): trained on all (original), on the retain set (oracle), and the end of "
        "descent on R with ascent on F.",
        (
            Slider(
                "alpha",
                "α",
                alphas,
                alphas.index(0.501),
                "forget over retain samples of the group, |Fⱼ| / |Rⱼ|",
            ),
            Slider(
                "phi",
                "φ",
                (0.1, 0.2, 0.5, 1.0, 2.0),
                3,
                "forget over retain samples of the whole set, |F| / |R|",
            ),
            Slider(
                "b",
                "b",
                (0.1, 0.3, 1.0, 3.0, 10.0, 100.0),
                3,
                "pull of the group's retain samples, |Rⱼ| / (λ|R|)",
            ),
        ),
        draws,
    )
