r"""Every stationary point of the toy network's losses, with a proof that the list is complete.

A box is discarded when the gradient, enclosed over the whole of it, cannot vanish; it is shrunk by a Krawczyk step, and where the
step maps a box into its own inside there is exactly one stationary point in it. Boxes are handled many at a time.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ascentfail.core.errors import UndecidedError
from ascentfail.plane.stationary_points import StationaryKind
from ascentfail.toy import network as toy
from ascentfail.toy.enclosures import SLACK, Span, enclose, span, thin
from ascentfail.toy.network import Terms

Box = tuple[tuple[float, float], tuple[float, float]]

_MOST = 3_000_000  # boxes looked at before giving up
_NARROW = 1e-9  # a box this small that is still undecided stays so


class Found(NamedTuple):
    """What `toy.points.stationary_points` returns, as arrays."""

    middle: np.ndarray
    loss: np.ndarray
    kind: np.ndarray
    correct: np.ndarray
    radius: np.ndarray
    loss_radius: np.ndarray


def _krawczyk(p: Terms, a: Span, b: Span, hessian: tuple[Span, Span, Span]) -> tuple[Span, Span]:
    """M - Y grad L(m) + (I - Y H)(X - m) with Y about the inverse of the middle of H: contains every stationary point of X."""
    aa, ab, bb = hessian
    determinant = aa.m * bb.m - ab.m**2
    determinant = np.where(np.abs(determinant) > 1e-12, determinant, 1.0)  # any Y is allowed
    y11, y12, y22 = bb.m / determinant, -ab.m / determinant, aa.m / determinant
    ga, gb = enclose(p, thin(a.m), thin(b.m)).gradient
    moved = []
    for middle, (ya, yb), unit in ((a.m, (y11, y12), 0), (b.m, (y12, y22), 1)):
        center = middle - (ya * ga.m + yb * gb.m)
        size = [np.abs(ya), np.abs(yb)]
        # the row of I - Y H, in absolute value
        row_a = np.abs((1 - unit) - (ya * aa.m + yb * ab.m)) + size[0] * aa.r + size[1] * ab.r
        row_b = np.abs(unit - (ya * ab.m + yb * bb.m)) + size[0] * ab.r + size[1] * bb.r
        slack_a = SLACK * (1 + size[0] * np.abs(aa.m) + size[1] * np.abs(ab.m))
        slack_b = SLACK * (1 + size[0] * np.abs(ab.m) + size[1] * np.abs(bb.m))
        r = (row_a + slack_a) * a.r + (row_b + slack_b) * b.r + size[0] * ga.r + size[1] * gb.r
        slack = SLACK * (np.abs(middle) + size[0] * np.abs(ga.m) + size[1] * np.abs(gb.m) + r)
        moved.append(Span(center, r + slack))
    return moved[0], moved[1]


def _meet(s: Span, other: Span) -> tuple[Span, np.ndarray]:
    """The intersection, and where it is surely empty."""
    low, high = np.maximum(s.low, other.low), np.minimum(s.high, other.high)
    empty = low > high + SLACK * (np.abs(low) + np.abs(high))
    return span(np.minimum(low, high), np.maximum(low, high)), empty


def take(s: Span, which: np.ndarray) -> Span:
    """Some of the intervals."""
    return Span(s.m[which], s.r[which])


def join(parts: list[Span]) -> Span:
    """All of the intervals in one array."""
    return Span(np.concatenate([s.m for s in parts]), np.concatenate([s.r for s in parts]))


def split(a: Span, b: Span) -> tuple[Span, Span]:
    """Halves of every box across the side along which z varies more; neighbours overlap by the slack."""
    across_a = 3 * a.r >= 10 * b.r
    halves = []
    for sign in (-1, 1):
        new = []
        for s, cut in ((a, across_a), (b, ~across_a)):
            r = np.where(cut, s.r / 2, s.r)
            new.append(Span(np.where(cut, s.m + sign * r, s.m), r + SLACK * (np.abs(s.m) + r)))
        halves.append(new)
    return join([halves[0][0], halves[1][0]]), join([halves[0][1], halves[1][1]])


def _unique(p: Terms, a: Span, b: Span) -> tuple[np.ndarray, Span, Span]:
    """Which of the boxes, somewhat enlarged, a Krawczyk step maps into their own inside; and the enlarged boxes."""
    wide = [Span(s.m, 1.5 * s.r + SLACK * 16 * (1 + np.abs(s.m))) for s in (a, b)]
    moved = _krawczyk(p, wide[0], wide[1], enclose(p, wide[0], wide[1]).hessian)
    inside = np.ones(len(a.m), bool)
    for s, k in zip(wide, moved, strict=True):
        inside &= np.abs(k.m - s.m) + k.r < s.r * (1 - 1e-9)
    return inside, wide[0], wide[1]


def _prune(p: Terms, a: Span, b: Span) -> tuple[Span, Span]:
    """Boxes that contain exactly one stationary point each, and together all of those in the boxes given."""
    proved: list[tuple[Span, Span]] = []
    looked = 0
    while len(a.m):
        looked += len(a.m)
        if looked > _MOST:
            raise UndecidedError(
                "stationary points",
                f"{len(a.m)} boxes, for instance near ({a.m[0]:.6g}, {b.m[0]:.6g})",
            )
        whole = enclose(p, a, b)
        gone = whole.gradient[0].excludes_zero() | whole.gradient[1].excludes_zero()
        size = a.r * b.r
        sides = []
        # grad L = 0 puts (a, b) into -pull/(2 ridge), and into the image of the Krawczyk step
        moved = _krawczyk(p, a, b, whole.hessian)
        for s, pull, k in zip((a, b), whole.pull, moved, strict=True):
            half = 2 * float(p.ridge)
            image = Span(
                -pull.m / half, pull.r / half * (1 + 4 * SLACK) + SLACK * np.abs(pull.m) / half
            )
            s, empty = _meet(s, image)
            gone |= empty
            s, empty = _meet(s, k)
            gone |= empty
            sides.append(s)
        keep = ~gone
        a, b = take(sides[0], keep), take(sides[1], keep)
        shrunk = a.r * b.r < 0.5 * size[keep]
        small = np.maximum(a.r, b.r) < 0.2
        candidates = np.flatnonzero(small)
        if len(candidates):
            inside, wide_a, wide_b = _unique(p, take(a, candidates), take(b, candidates))
            if inside.any():
                proved.append((take(wide_a, inside), take(wide_b, inside)))
                left = np.ones(len(a.m), bool)
                left[candidates[inside]] = False
                a, b, shrunk = take(a, left), take(b, left), shrunk[left]
        stuck = (np.maximum(a.r, b.r) < _NARROW) & ~shrunk
        if stuck.any():
            i = int(np.flatnonzero(stuck)[0])
            where = f"a box of radius {max(a.r[i], b.r[i]):.1g} at ({a.m[i]:.9g}, {b.m[i]:.9g})"
            raise UndecidedError("stationary points", where)
        halves = split(take(a, ~shrunk), take(b, ~shrunk))
        a, b = join([take(a, shrunk), halves[0]]), join([take(b, shrunk), halves[1]])
    if not proved:
        return thin(np.empty(0)), thin(np.empty(0))
    return join([s for s, _ in proved]), join([s for _, s in proved])


def _tighten(p: Terms, a: Span, b: Span) -> tuple[Span, Span]:
    """The same stationary points in boxes as small as rounding allows."""
    for _ in range(12):
        moved = _krawczyk(p, a, b, enclose(p, a, b).hessian)
        a, b = _meet(a, moved[0])[0], _meet(b, moved[1])[0]
    return a, b


def _distinct(a: Span, b: Span, tight_a: Span, tight_b: Span) -> list[int]:
    """One box for each stationary point: two boxes hold the same one where the tight box of one lies in the other."""

    def within(i: int, j: int) -> bool:
        return all(
            abs(t.m[i] - s.m[j]) + t.r[i] < s.r[j] * (1 - 1e-9)
            for t, s in ((tight_a, a), (tight_b, b))
        )

    def apart(i: int, j: int) -> bool:
        return any(
            abs(t.m[i] - t.m[j]) > (t.r[i] + t.r[j]) * (1 + 1e-9) for t in (tight_a, tight_b)
        )

    kept: list[int] = []
    for i in range(len(a.m)):
        if any(within(i, j) or within(j, i) for j in kept):
            continue
        if not all(apart(i, j) for j in kept):
            raise UndecidedError(
                "stationary points", f"two boxes that touch at ({a.m[i]:.9g}, {b.m[i]:.9g})"
            )
        kept.append(i)
    return kept


def enumerate_points(p: Terms, box: Box | None) -> Found:
    """Every stationary point in a box, each with a proved enclosure, kind and classification.

    Args:
        p: plain concrete numbers of the landscape.
        box: sides, or None for the whole plane (`toy.reach`).

    Returns:
        Found, sorted by loss.

    Raises:
        UndecidedError: points nearly merge, or one lies on an edge of the box or on a decision boundary.

    Ours: Krawczyk's existence test; Moore, Kearfott, Cloud, Introduction to Interval Analysis (2009), ch. 8.
    """
    ends = box or tuple((-half, half) for half in toy.reach(p))
    sides = [span(np.array([low]), np.array([high])) for low, high in ends]
    a, b = _prune(p, sides[0], sides[1])
    tight = _tighten(p, a, b)
    kept = np.array(_distinct(a, b, *tight), int)
    a, b = take(tight[0], kept), take(tight[1], kept)
    if box is not None:
        inside = np.ones(len(a.m), bool)
        for s, (low, high) in zip((a, b), box, strict=True):
            if (((s.low < low) & (s.high > low)) | ((s.low < high) & (s.high > high))).any():
                raise UndecidedError("stationary points", f"one on an edge of the box {box}")
            inside &= (s.low >= low) & (s.high <= high)
        a, b = take(a, inside), take(b, inside)
    return _described(p, a, b)


def _described(p: Terms, a: Span, b: Span) -> Found:
    whole = enclose(p, a, b)
    aa, ab, bb = whole.hessian
    wobble = (
        aa.r * np.abs(bb.m) + bb.r * np.abs(aa.m) + 2 * ab.r * np.abs(ab.m) + aa.r * bb.r + ab.r**2
    )
    determinant = Span(aa.m * bb.m - ab.m**2, wobble + SLACK * (np.abs(aa.m * bb.m) + ab.m**2))
    trace = Span(aa.m + bb.m, aa.r + bb.r + SLACK * (np.abs(aa.m) + np.abs(bb.m)))
    saddle = determinant.m < 0
    if (
        not (determinant.excludes_zero() & (saddle | trace.excludes_zero())).all()
        or not whole.lift.excludes_zero().all()
    ):
        raise UndecidedError("stationary points", "the kind or the classification of one of them")
    curved = np.where(trace.m > 0, int(StationaryKind.MINIMUM), int(StationaryKind.MAXIMUM))
    kind = np.where(saddle, int(StationaryKind.SADDLE), curved).astype(np.int32)
    # the gradient vanishes somewhere in the tight box: the loss of that point is within |gradient| radius of the middle's
    middle = enclose(p, thin(a.m), thin(b.m)).loss
    steep = [np.abs(g.m) + g.r for g in whole.gradient]
    loss_radius = middle.r + (steep[0] * a.r + steep[1] * b.r) * (1 + SLACK)
    points = np.stack([a.m, b.m], -1)
    order = np.argsort(middle.m)
    correct = (whole.lift.m > 0) == (np.array(toy.SIGNS) > 0)[None]
    radius = np.maximum(a.r, b.r)
    return Found(*(v[order] for v in (points, middle.m, kind, correct, radius, loss_radius)))
