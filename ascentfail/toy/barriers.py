r"""What descent on the toy network's losses cannot leave, and where they are surely high: proofs by enclosures."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ascentfail.numerics.arithmetic import MPMATH
from ascentfail.plane.stationary_points import StationaryKind
from ascentfail.toy import network as toy
from ascentfail.toy.boxes import Box, split, take
from ascentfail.toy.enclosures import Span, below, enclose, span, thin
from ascentfail.toy.network import Terms
from ascentfail.toy.points import StationaryPoints

_MOST = 3_000_000  # boxes looked at before giving up
_NARROW = 1e-9


def moat(p: Terms, start: np.ndarray, radius: float, minimum: np.ndarray) -> Box | None:
    """A box on whose edges the loss is above its value at the start: descent that never climbs cannot leave it.

    Args:
        p: plain concrete numbers of the landscape.
        start: (2,) middle of where descent starts.
        radius: half-width of that.
        minimum: (2,) the minimum around which the box is sought.

    Returns:
        The sides of the box, which contains the start; None where none is found.
    """
    near = np.array([radius, radius])
    high = float(enclose(p, Span(start[:1], near[:1]), Span(start[1:], near[1:])).loss.high[0])
    return _walls(p, minimum, high, np.abs(start - minimum) + radius)


def _walls(p: Terms, minimum: np.ndarray, high: float, reach: np.ndarray) -> Box | None:
    """A box around a minimum, wider than the reach, on whose edges the loss is above a value; None where none is found."""
    value, _, (aa, ab, bb) = toy.expansion(p, minimum, xp=MPMATH)
    inverse = np.linalg.inv(np.array([[float(aa), float(ab)], [float(ab), float(bb)]]))
    half = (
        np.sqrt(2 * max(high - float(value), 1e-12) * np.abs(np.diag(inverse))) + 1e-6
    )  # of the ellipse of that height
    pieces, cut = np.linspace(-1, 1, 513), 1 / 512
    for growth in 1.15 ** np.arange(1, 40):
        wide = half * growth
        if (reach >= wide).any():
            continue
        edges = []
        for axis in (0, 1):
            along = minimum[axis] + wide[axis] * (pieces[:-1] + cut)
            for sign in (-1, 1):
                side = Span(along, np.full(512, wide[axis] * cut * (1 + 1e-9)))
                across = thin(np.full(512, minimum[1 - axis] + sign * wide[1 - axis]))
                edges.append(below(p, side, across) if axis == 0 else below(p, across, side))
        if min(float(edge.min()) for edge in edges) > high:
            (a0, b0), (a1, b1) = (minimum - wide).tolist(), (minimum + wide).tolist()
            return (a0, a1), (b0, b1)
    return None


class Hold(NamedTuple):
    """A box and a loss: descent from where the loss in the box is at most that ends at the one minimum in it."""

    box: Box
    level: float


def holds(p: Terms, points: StationaryPoints) -> tuple[Hold | None, ...]:
    """What descent cannot leave, around each minimum.

    Args:
        p: plain concrete numbers of the landscape.
        points: all of its stationary points, certified.

    Returns:
        A hold for each minimum, the lowest first; None where none is found.
    """
    minima, saddles = points.minima(), points.loss[points.kind == int(StationaryKind.SADDLE)]
    found: list[Hold | None] = []
    for theta, value in zip(minima.parameters, minima.loss, strict=True):
        found.append(None)
        for part in (0.16, 0.08, 0.04, 0.02) if len(saddles) else ():
            level = float(value + part * (saddles.min() - value))
            box = _walls(p, theta, level, np.zeros(2))
            if box is not None and alone(points, box):
                found[-1] = Hold(box, level)
                break
    return tuple(found)


def alone(points: StationaryPoints, box: Box) -> bool:
    """Whether exactly one of the stationary points, certified, lies in a box, and none on its edges."""
    low, high = np.array(box).T
    gap = np.maximum(low - points.parameters, points.parameters - high).max(1)  # < 0 inside
    return bool((np.abs(gap) > points.radius).all() and (gap < 0).sum() == 1)


def steepest_bend(p: Terms, box: Box, cuts: int = 64) -> float:
    """An upper bound on the largest eigenvalue of the Hessian over a box.

    Args:
        p: plain concrete numbers of the landscape.
        box: its sides.
        cuts: pieces a side.

    Returns:
        The bound.
    """
    sides = []
    for low, high in box:
        ends = np.linspace(low, high, cuts + 1)
        sides.append(span(ends[:-1], ends[1:]))
    i, j = (v.ravel() for v in np.meshgrid(np.arange(cuts), np.arange(cuts), indexing="ij"))
    aa, ab, bb = enclose(p, take(sides[0], i), take(sides[1], j)).hessian
    half = (np.abs(aa.m - bb.m) + aa.r + bb.r) / 2
    root = np.sqrt(half**2 + (np.abs(ab.m) + ab.r) ** 2)
    return float(((aa.high + bb.high) / 2 + root).max() * (1 + 1e-9) + 1e-9)


def above_outside(p: Terms, wrong: int, value: float) -> bool:
    """Whether the loss is above a value wherever point `wrong` is not the only one classified wrongly, with a proof.

    Args:
        p: plain concrete numbers of the landscape.
        wrong: the point, 0 to 3.
        value: of the loss.

    Returns:
        True where it is proved; False where it is not (the loss may be above all the same).
    """
    target, weight = np.asarray(p.target), np.asarray(p.weight, float)
    most = np.maximum(np.abs(target), np.abs(1 - target)) ** 2 * float(p.gain) / float(p.divisor)
    # L >= ridge |theta|^2 minus what the points of negative weight can give
    far = (
        np.sqrt(max(value + float((np.maximum(-weight, 0) * most).sum()), 0) / float(p.ridge))
        * 1.001
        + 1e-3
    )
    side = span(np.array([-far]), np.array([far]))
    a, b, looked = side, side, 0
    right = np.where(np.arange(4) == wrong, -1, 1) * np.array(toy.SIGNS)
    while len(a.m):
        looked += len(a.m)
        if looked > _MOST or np.maximum(a.r, b.r).max() < _NARROW:
            return False
        # the loss from its middle and slope, or from the ranges of its terms
        whole = enclose(p, a, b)
        low = np.maximum(whole.loss.low, below(p, a, b))
        inside = (whole.lift.excludes_zero() & (np.sign(whole.lift.m) == right[None])).all(1)
        keep = ~(inside | (low > value))
        middle = enclose(p, thin(a.m), thin(b.m))
        outside = (middle.lift.excludes_zero() & (np.sign(middle.lift.m) != right[None])).any(1)
        if (outside & (middle.loss.high < value)).any():
            return False
        a, b = split(take(a, keep), take(b, keep))
    return True
