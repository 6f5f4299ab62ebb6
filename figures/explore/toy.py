"""The explorer of the toy network: the landscape of descent-ascent, its path, and fine-tuning on the retain set after it.

Left, the loss of descent-ascent with its minima and the gradient flow from the original's lowest minimum. Right, the retain loss
with its minima and the gradient flow on it from where the first one came to rest. Behind both, where one point alone is wrong.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable

import numpy as np

from ascentfail.core.models import MODELS, Model
from ascentfail.figures.drawing.scene import Field, Layer, Line, Panel, Points, Scene, along, one
from ascentfail.figures.explore.explorers import Explorer, Slider, number
from ascentfail.figures.paper import fig05_landscape as fig05
from ascentfail.plane.stationary_points import StationaryKind
from ascentfail.theory.toy_interpretations import FOURTH, NAMED, THIRD, landscape_of, lean
from ascentfail.toy import landscape
from ascentfail.toy import network as toy
from ascentfail.toy.network import ToyLandscape
from ascentfail.toy.points import StationaryPoints, concrete

A, B = (-1.5, 5.5), (-2.9, 1.2)
CELLS = (61, 47)
_LEVELS = 12


def landscape_at(copies: float, forget: float, ridge: float, slope: float) -> ToyLandscape:
    """The landscape of the reading that the scan singles out, with these counts, ridge and slope."""
    counts = {f"m{i}": value for i, value in enumerate((5.0, 4.0, copies, 4.0))}
    gone = {f"f{i}": value for i, value in enumerate((0.0, 0.0, 0.0, forget))}
    return landscape_of(NAMED | counts | gone | {"ridge": ridge, "slope": slope})


@functools.cache
def patterns() -> dict[str, np.ndarray]:
    """The mesh and how far inside each pattern it lies: "a" (n,), "b" (m,), "pattern_3", "pattern_4" (m, n), positive inside."""
    a, b = (np.linspace(*ends, count) for ends, count in zip((A, B), CELLS, strict=True))
    lifts = np.moveaxis(toy.leanings(np.stack(np.meshgrid(a, b), -1)), -1, 0)

    def least(values: Iterable[np.ndarray]) -> np.ndarray:
        return np.min(np.stack(list(values)), axis=0)

    return {
        "a": a,
        "b": b,
        "pattern_3": lean(lifts, THIRD, least),
        "pattern_4": lean(lifts, FOURTH, least),
    }


def draws(copies: float, forget: float, ridge: float, slope: float) -> Scene:
    """The scene at these values."""
    t = landscape_at(copies, forget, ridge, slope)
    found: dict[Model, StationaryPoints] = {
        which: landscape.stationary_points(t, which) for which in MODELS
    }
    start = found["original"].minima().parameters[0]
    path, _ = landscape.flow(t, start, "descent_ascent")
    after, _ = landscape.flow(t, path[-1], "oracle")
    left = (
        Line(*along(fig05.thin(path)), "path", "path of descent-ascent"),
        Points(*one(start[0], start[1]), "original", "original: its lowest minimum"),
    )
    right = (
        Line(*along(fig05.thin(after)), "fine_tuning", "fine-tuning on the retain set"),
        Points(*one(path[-1, 0], path[-1, 1]), "arrived", "where descent-ascent came to rest"),
    )
    panels = (
        _panel("Loss of descent-ascent", t, "descent_ascent", found["descent_ascent"], left),
        _panel("Retain loss, fine-tuning after it", t, "oracle", found["oracle"], right),
    )
    return Scene(panels, _words(found, start, path[-1], after[-1]))


def _panel(
    title: str, t: ToyLandscape, which: Model, found: StationaryPoints, more: tuple[Layer, ...]
) -> Panel:
    """One loss with its patterns, contours and stationary points."""
    mesh = patterns()
    value = np.asarray(fig05.grid(concrete(t, which), mesh["a"], mesh["b"]))
    rise = (np.quantile(value, 0.9) - value.min()) * np.linspace(0.02, 1, _LEVELS) ** 1.6
    layers: list[Layer] = [
        Field(mesh["a"], mesh["b"], mesh["pattern_3"], "pattern_3", "x = 3 alone wrong"),
        Field(mesh["a"], mesh["b"], mesh["pattern_4"], "pattern_4", "x = 4 alone wrong"),
        Field(
            mesh["a"], mesh["b"], value, "contour", "", tuple(float(v) for v in value.min() + rise)
        ),
    ]
    kinds: dict[str, list[np.ndarray]] = {role: [] for role in _MARKS}
    lowest = int(np.flatnonzero(found.kind == StationaryKind.MINIMUM)[0])
    for place, kind in zip(range(len(found)), found.kind, strict=True):
        if kind == StationaryKind.MAXIMUM:
            continue
        minimum = f"{'minimum' if place == lowest else 'local'}_{wrong_at(found, place)}"
        role = "saddle" if kind == StationaryKind.SADDLE else minimum
        kinds[role].append(found.parameters[place])
    marks = [
        Points(*along(np.array(kinds[role]).reshape(-1, 2)), role, words)
        for role, words in _MARKS.items()
    ]
    return Panel(title, "parameter a", "parameter b", (*layers, *more, *marks), A, B)


_MARKS = {
    "saddle": "saddle",
    "local_other": "local minimum, other pattern",
    "local_3": "local minimum, x = 3 alone wrong",
    "local_4": "local minimum, x = 4 alone wrong",
    "minimum_other": "lowest minimum, other pattern",
    "minimum_3": "lowest minimum, x = 3 alone wrong",
    "minimum_4": "lowest minimum, x = 4 alone wrong",
}


def wrong_at(found: StationaryPoints, place: int) -> str:
    """The word "3" or "4" where that point alone is wrong at a stationary point, else "other"."""
    return (
        "3"
        if found.alone_wrong(THIRD)[place]
        else "4"
        if found.alone_wrong(FOURTH)[place]
        else "other"
    )


def _words(
    found: dict[Model, StationaryPoints], start: np.ndarray, end: np.ndarray, tuned: np.ndarray
) -> str:
    """What is seen, in numbers."""
    minima = {which: found[which].minima() for which in MODELS}
    lowest = {which: mistakes(minima[which].correct[0]) for which in MODELS}
    said = [
        f"Lowest minimum of the original: {lowest['original']}; of the oracle: {lowest['oracle']}; of descent-ascent: "
        f"{lowest['descent_ascent']}."
    ]
    stop = _nearest(minima["descent_ascent"], end)
    said.append(
        f"From the original at {_place(start)} the path of descent-ascent leads to {_place(end)}: "
        f"{mistakes(landscape.correct(end))}{'' if stop >= 0 else ' (not yet at rest)'}."
    )
    reached = _nearest(minima["oracle"], tuned)
    said.append(
        f"Fine-tuning on the retain set leads from there to {_place(tuned)}: {mistakes(landscape.correct(tuned))}."
    )
    if reached > 0:
        rise = float(minima["oracle"].loss[reached] - minima["oracle"].loss[0])
        said.append(
            f"That is a trap: the oracle's lowest minimum is elsewhere, and lower by {rise:.3g}."
        )
    elif reached == 0:
        said.append("That is the oracle's lowest minimum.")
    return " ".join(said)


def _nearest(minima: StationaryPoints, end: np.ndarray) -> int:
    """The minimum at which a path came to rest, -1 for none."""
    gap = np.abs(minima.parameters - end).max(1)
    return int(gap.argmin()) if gap.min() < _AT_REST else -1


_AT_REST = 1e-3


def _place(theta: np.ndarray) -> str:
    return f"({number(theta[0], 2)}, {number(theta[1], 2)})"


def mistakes(correct: np.ndarray) -> str:
    """Which points are classified wrongly, in words."""
    wrong = [
        f"x = {x}".replace("-", "−")
        for x, right in zip(toy.INPUTS, correct, strict=True)
        if not right
    ]
    return (
        f"{' and '.join(wrong)} {'alone ' if len(wrong) == 1 else ''}wrong"
        if wrong
        else "no point wrong"
    )


def explorer() -> Explorer:
    """The explorer "toy"."""
    return Explorer(
        "toy",
        "The toy network",
        "Four inputs, two parameters: h(ax + bx²) has to be + at x = 1, 4 and − at x = −1, 3. Some of the four copies of x = 4 "
        "are to be forgotten.",
        (
            Slider("copies", "m₃", (1.0, 2.0, 3.0), 0, "copies of x = 3 in the training set"),
            Slider(
                "forget", "f₄", (0.0, 1.0, 2.0, 3.0, 4.0), 2, "forgotten copies of x = 4, of four"
            ),
            Slider("ridge", "λ", (0.02, 0.05, 0.1, 0.2, 0.4), 2, "ridge: weight of a² + b²"),
            Slider("slope", "s", (0.5, 1.0, 2.0), 1, "slope of the network's output"),
        ),
        draws,
    )
