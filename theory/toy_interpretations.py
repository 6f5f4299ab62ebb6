r"""The readings of the toy's printed text, and what a landscape must show to support Figure 5.

The print leaves open the labels, the output, the slope of the sigmoid, the reduction and the ridge. A reading is a point of plain
numbers; its margin says by how much it supports the print. Beside the two enumerations of the package (fast, and proved complete)
there is a third here, which shares no step with them: damped descent on plain floats, each end then refined by mpmath.
"""

from __future__ import annotations

import functools
import itertools
import math
from typing import Any, Literal

import numpy as np
from mpmath import mp

from ascentfail.claims.claim import Level
from ascentfail.core.models import MODELS, Model
from ascentfail.numerics.arithmetic import MPMATH
from ascentfail.toy import landscape
from ascentfail.toy import network as toy
from ascentfail.toy.network import ToyLandscape
from ascentfail.toy.points import StationaryPoints, concrete

LABELS: tuple[Literal["signed", "binary"], ...] = ("signed", "binary")
OUTPUTS: tuple[Literal["symmetric", "unit"], ...] = ("unit", "symmetric")
REDUCTIONS: tuple[Literal["sum", "mean", "half-sum"], ...] = ("sum", "mean", "half-sum")
THIRD, FOURTH = 2, 3  # the pattern in which that point alone is wrong
Reading = dict[str, float]


def readings(slopes: tuple[float, ...], ridges: tuple[float, ...]) -> tuple[Reading, ...]:
    """Every combination of labels, output and reduction with these slopes and ridges, as plain numbers (places in the lists)."""
    choices = itertools.product(range(2), range(2), slopes, range(3), ridges)
    names = ("labels", "output", "slope", "reduction", "ridge")
    return tuple(dict(zip(names, map(float, choice), strict=True)) for choice in choices)


def landscape_of(point: Reading) -> ToyLandscape:
    """The landscape of a reading; multiplicities m0..m3 and forgotten copies f0..f3 where the point has them."""
    labels, output = LABELS[int(point["labels"])], OUTPUTS[int(point["output"])]
    reduction = REDUCTIONS[int(point["reduction"])]
    counts: dict[str, tuple[float, ...]] = {}
    if "m0" in point:
        counts["multiplicities"] = tuple(point[f"m{i}"] for i in range(4))
        counts["forget"] = tuple(point[f"f{i}"] for i in range(4))
    return ToyLandscape(labels, output, point["slope"], reduction, point["ridge"], **counts)


def words_of(point: Reading) -> str:
    """A reading in words."""
    labels, output = (
        ("-1/+1", "0/1")[int(point["labels"])],
        ("(0, 1)", "(-1, 1)")[int(point["output"])],
    )
    reduction = REDUCTIONS[int(point["reduction"])]
    return f"labels {labels}, output {output}, slope {point['slope']:g}, {reduction}, ridge {point['ridge']:g}"


# --- what a list of minima says ----------------------------------------------------------------------------------------------


def lean(lifts: Any, wrong: int, smallest: Any = min) -> Any:
    """How far inside the pattern "that point alone is wrong" a point lies: the least |z_i + 1| with the sign it should have."""
    return smallest(-v if i == wrong else v for i, v in enumerate(lifts))


def _shows(values: list[Any], losses: list[Any], globally: bool) -> Any:
    """Margin of "some minimum lies in the pattern" from their leans, and, globally, of "the lowest does"."""
    inside = [v > 0 for v in values]
    margin = max(values)
    if globally and any(inside) and not all(inside):
        lowest = min(v for v, here in zip(losses, inside, strict=True) if here)
        margin = min(
            margin, min(v for v, here in zip(losses, inside, strict=True) if not here) - lowest
        )
    return margin


_WANTED: dict[Model, tuple[tuple[int, bool], ...]] = {
    "original": ((THIRD, True), (FOURTH, False)),
    "oracle": ((THIRD, True), (FOURTH, False)),
    "descent_ascent": ((FOURTH, True),),
}


def support(t: ToyLandscape, level: Level) -> tuple[float, float]:
    """How clearly a landscape shows what is printed: x_3 globally and x_4 locally, for descent-ascent x_4 globally.

    Args:
        t: the landscape.
        level: "certified" uses the enumeration that is proved complete, and encloses.

    Returns:
        (lower, upper) around the least margin of `shows` over what is wanted; negative where something is missing.

    Paper: Sec. 5.2, Fig. 5.
    """
    ends = [
        shows(t, which, wrong, globally, level)
        for which in MODELS
        for wrong, globally in _WANTED[which]
    ]
    return min(low for low, _ in ends), min(high for _, high in ends)


def support_of(point: Reading, level: Level) -> tuple[float, float]:
    """`support` of a reading, remembered: several claims ask."""
    return _support_of(tuple(sorted(point.items())), level)


@functools.cache
def _support_of(point: tuple[tuple[str, float], ...], level: Level) -> tuple[float, float]:
    return support(landscape_of(dict(point)), level)


def shows(
    t: ToyLandscape, which: Model, wrong: int, globally: bool, level: Level
) -> tuple[float, float]:
    """How clearly a loss has a minimum (the lowest one) where one point alone is wrong.

    Args:
        t: the landscape.
        which: the loss.
        wrong: the point, 0 to 3.
        globally: whether the lowest minimum is meant.
        level: "certified" uses the enumeration that is proved complete, and encloses.

    Returns:
        (lower, upper) around how far inside the pattern the minimum lies (in z = a x + b x^2) or, if less, how far below the
        lowest minimum elsewhere (in the loss).
    """
    found = minima(t, which, level)
    wobble = (
        0.0
        if level != "certified"
        else float(20 * found.radius.max() + 2 * found.loss_radius.max())
    )
    value = float(_shows(_leans(found, wrong), list(found.loss), globally))
    return value - wobble, value + wobble


@functools.lru_cache(maxsize=64)
def minima(t: ToyLandscape, which: Model, level: Level) -> StationaryPoints:
    """The local minima, the lowest first; proved complete at level "certified". Remembered for this very object."""
    return landscape.stationary_points(t, which, certified=level == "certified").minima()


def _leans(found: StationaryPoints, wrong: int) -> list[float]:
    return [float(lean(row, wrong)) for row in toy.leanings(found.parameters)]


# --- the third enumeration ---------------------------------------------------------------------------------------------------


def plain(p: toy.Terms, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Loss, gradient and Hessian at (n, 2) points, from tanh: the formulas of `toy` are not used."""
    x = np.array(toy.INPUTS, float)
    rows = np.stack([x, x * x], -1)
    half = np.tanh(p.slope / 2 * (1 + theta @ rows.T))
    weight = np.asarray(p.weight) * (p.gain / p.divisor)
    miss, rise = (1 + half) / 2 - p.target, p.slope / 4 * (1 - half**2)
    value = (weight * miss**2).sum(1) + p.ridge * (theta**2).sum(1)
    slope = (2 * weight * miss * rise) @ rows + 2 * p.ridge * theta
    bent = 2 * weight * (rise**2 - miss * p.slope * half * rise)
    return value, slope, np.einsum("ni,ij,ik->njk", bent, rows, rows) + 2 * p.ridge * np.eye(2)


@functools.lru_cache(maxsize=4096)
def _descended(key: bytes) -> np.ndarray:
    """Minima found by damped descent from a grid: (n, 2)."""
    numbers = np.frombuffer(key)
    p = toy.Terms(numbers[:4], numbers[4:8], *numbers[8:])
    a, b = (
        np.sinh(np.linspace(-1, 1, 13) * k) / math.sinh(k) * far
        for k, far in ((2.0, 20.0), (2.0, 8.0))
    )
    theta = np.stack(np.meshgrid(a, b), -1).reshape(-1, 2)
    damping = np.full(len(theta), 1e-2)
    value, slope, bend = plain(p, theta)
    for _ in range(50):
        rates, axes = np.linalg.eigh(bend)
        move = -np.einsum(
            "nij,nj->ni",
            axes,
            np.einsum("nji,nj->ni", axes, slope) / (np.abs(rates) + damping[:, None]),
        )
        new = plain(p, theta + move)
        better = new[0] <= value
        theta = np.where(better[:, None], theta + move, theta)
        value, slope = np.where(better, new[0], value), np.where(better[:, None], new[1], slope)
        bend, damping = (
            np.where(better[:, None, None], new[2], bend),
            np.where(better, damping / 3, damping * 4),
        )
    rates = np.linalg.eigvalsh(bend)
    theta = theta[(np.abs(slope).max(1) < 1e-6) & (rates[:, 0] > 0)]
    return theta[np.unique(np.round(theta, 4), axis=0, return_index=True)[1]]


def exact_minima(p: toy.Terms, digits: int) -> list[tuple[tuple[Any, Any], Any]]:
    """The minima by the third enumeration, as ((a, b), loss) in mpmath.

    Args:
        p: plain numbers of the landscape.
        digits: significant digits.

    Returns:
        A list, the lowest first.
    """
    key = np.concatenate([np.ravel(np.asarray(v, float)) for v in p]).tobytes()
    with mp.workdps(digits + 10):
        found: list[tuple[tuple[Any, Any], Any]] = []
        for start in _descended(key):
            theta = polish(p, (mp.mpf(float(start[0])), mp.mpf(float(start[1]))))
            if all(abs(theta[0] - a) + abs(theta[1] - b) > mp.mpf(10) ** -6 for (a, b), _ in found):
                found.append((theta, toy.expansion(p, theta, xp=MPMATH)[0]))
        return sorted(found, key=lambda one: one[1])


def polish(p: toy.Terms, theta: tuple[Any, Any]) -> tuple[Any, Any]:
    """The stationary point next to theta, at the working precision of mpmath, by Newton's method."""
    for _ in range(60):
        _, (ga, gb), (aa, ab, bb) = toy.expansion(p, theta, xp=MPMATH)
        determinant = aa * bb - ab * ab
        move = ((bb * ga - ab * gb) / determinant, (aa * gb - ab * ga) / determinant)
        theta = (theta[0] - move[0], theta[1] - move[1])
        if max(abs(v) for v in move) < mp.mpf(10) ** (
            -mp.dps // 2
        ):  # the last step squares the error
            break
    return theta


def exact_lean(theta: tuple[Any, Any], wrong: int) -> Any:
    """`lean` of exact parameters."""
    lifts = [
        sign * (1 + theta[0] * x + theta[1] * x**2)
        for x, sign in zip(toy.INPUTS, toy.SIGNS, strict=True)
    ]
    return lean(lifts, wrong)


def exact_shows(found: list[tuple[tuple[Any, Any], Any]], wrong: int, globally: bool) -> Any:
    """`shows` from a list of `exact_minima`."""
    return _shows(
        [exact_lean(theta, wrong) for theta, _ in found], [value for _, value in found], globally
    )


def exact_support(point: Reading, digits: int) -> Any:
    """`support` of a reading by the third enumeration, in mpmath."""
    t, margins = landscape_of(point), []
    for which in MODELS:
        found = exact_minima(concrete(t, which), digits)
        for wrong, globally in _WANTED[which]:
            margins.append(exact_shows(found, wrong, globally))
    return min(margins)


def slow_descent(p: toy.Terms, theta: np.ndarray) -> np.ndarray:
    """Where gradient descent with small steps comes to rest: plain floats, `plain`, no step ever climbing."""
    bend = 2 * p.ridge + 2 * float(
        (np.abs(p.weight) * (np.array(toy.INPUTS) ** 2 + np.array(toy.INPUTS) ** 4)).sum()
    ) * (p.gain / p.divisor * p.slope**2 / 8)
    step, theta = 0.5 / bend, theta[None]
    for _ in range(200_000):
        slope = plain(p, theta)[1]
        if np.abs(slope).max() < 1e-7:
            break
        theta = theta - step * slope
    return theta[0]


# --- the reading that the scan singles out -----------------------------------------------------------------------------------

LITERAL: Reading = {"labels": 0.0, "output": 0.0, "slope": 0.5, "reduction": 0.0, "ridge": 0.1}
SCANNED = readings((0.5, 1.0), (0.1,))
NAMED: Reading = {"labels": 0.0, "output": 1.0, "slope": 1.0, "reduction": 0.0, "ridge": 0.1}


@functools.cache
def supporting(level: Level = "sampled") -> tuple[Reading, ...]:
    """The readings with slope 1/2 or 1 and ridge 0.1 that support toy-minima.some-reading, the clearest first."""
    margins = [(support_of(point, level)[0], i) for i, point in enumerate(SCANNED)]
    return tuple(SCANNED[i] for low, i in sorted(margins, key=lambda one: -one[0]) if low > 0)


def singled_out() -> bool:
    """Whether the scan singles out the reading `NAMED`: of those that support the print, the clearest."""
    return supporting()[:1] == (NAMED,)
