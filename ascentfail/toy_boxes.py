r"""Every stationary point of the toy network's losses, with a proof that the list is complete.

A box is discarded when the gradient, enclosed over the whole of it, cannot vanish; it is shrunk by a Krawczyk step, and where the
step maps a box into its own inside there is exactly one stationary point in it. Boxes are handled many at a time, as NumPy arrays
of middles m and radii r.

Rounding. Every bound below is a sum of a few dozen products of numbers that are known to within their own rounding, each of
relative size 2^-53. Instead of following each, every radius is enlarged by `_SLACK` = 2^-40 times the sum of the magnitudes that
enter it: more than a thousand roundings. The one function that is not elementary, the exponential, is computed here by
operations that IEEE arithmetic rounds correctly (`_exp`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ascentfail import toy
from ascentfail.arithmetic import MPMATH
from ascentfail.errors import UndecidedError
from ascentfail.stationary import StationaryKind
from ascentfail.toy import INPUTS, Terms

Box = tuple[tuple[float, float], tuple[float, float]]

_SLACK = 2.0**-40
_FLOOR = 1e-290  # an absolute slack, for what underflows
_MOST = 3_000_000  # boxes looked at before giving up
_NARROW = 1e-9  # a box this small that is still undecided stays so
_X = np.array(INPUTS, float)
_X2 = _X * _X


class Found(NamedTuple):
    """What `toy_points.stationary_points` returns, as arrays."""

    middle: np.ndarray
    loss: np.ndarray
    kind: np.ndarray
    correct: np.ndarray
    radius: np.ndarray
    loss_radius: np.ndarray


class Span(NamedTuple):
    """The interval [m - r, m + r], elementwise."""

    m: np.ndarray
    r: np.ndarray

    @property
    def low(self) -> np.ndarray:
        """Lower end."""
        return self.m - self.r

    @property
    def high(self) -> np.ndarray:
        """Upper end."""
        return self.m + self.r

    def excludes_zero(self) -> np.ndarray:
        """Where 0 is surely outside."""
        return np.abs(self.m) > self.r


def _span(low: np.ndarray, high: np.ndarray) -> Span:
    """The interval between two ends, rounded outwards."""
    m = (low + high) / 2
    return Span(m, (high - low) / 2 + _SLACK * (np.abs(low) + np.abs(high)) + _FLOOR)


def _exp(x: np.ndarray) -> np.ndarray:
    """e^x for |x| <= 600 with a relative error below 2^-45.

    x = k ln 2 + r with |r| <= 0.35; k times the first part of ln 2 is exact, and 14 terms of the series leave 5e-18.
    """
    k = np.rint(x * 1.4426950408889634)
    r = (x - k * 0.6931471803691238) - k * 1.9082149292705877e-10  # the two parts of ln 2 of fdlibm
    total = np.ones_like(r)
    for n in range(14, 0, -1):
        total = 1 + total * r / n
    return np.ldexp(total, k.astype(np.int64))


def _sigmoid(x: np.ndarray) -> np.ndarray:
    """1/(1 + e^-x) with an absolute error below 2^-44; the argument is cut at +-600, where it is 0 or 1 to 1e-260."""
    return 1 / (1 + _exp(np.clip(-x, -600, 600)))


def _cubic(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """(u - v) u (1 - u)."""
    return (u - v) * u * (1 - u)


def _quartic(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """U (1 - u) (-3 u^2 + 2 (1 + v) u - v) = q (q + (u - v)(1 - 2u)): the second derivative in z over 2 gain slope^2."""
    return u * (1 - u) * ((2 * (1 + v) - 3 * u) * u - v)


def _curved(value: np.ndarray, slope: np.ndarray, bend: np.ndarray, r: np.ndarray, most: np.ndarray) -> Span:
    """Range of a function of u over [u - r, u + r] from its Taylor formula, cut to its known bound."""
    radius = np.abs(slope) * r + bend * r * r / 2 + _SLACK * 8
    low, high = np.maximum(value - radius, -most), np.minimum(value + radius, most)
    return _span(low, high)


class _Ranges(NamedTuple):
    """Over each box (n, 4): value, first and second derivative of each squared error, before weights; z + 1."""

    value: Span
    first: Span
    second: Span
    lift: Span


def _ranges(p: Terms, a: Span, b: Span) -> _Ranges:
    v, slope = np.asarray(p.target)[None], float(p.slope)
    am, ar, bm, br = (s[:, None] for s in (a.m, a.r, b.m, b.r))
    x, x2 = _X[None], _X2[None]
    lift_m = 1 + am * x + bm * x2
    lift_r = ar * np.abs(x) + br * x2
    lift_r = lift_r + _SLACK * (1 + np.abs(am * x) + np.abs(bm) * x2 + lift_r)
    lift = Span(lift_m, lift_r)
    u0, u1 = _sigmoid(slope * lift.low), _sigmoid(slope * lift.high)
    u = np.clip((u0 + u1) / 2, 0, 1)
    # the argument slope * lift is rounded once: at most 600 * 2^-53 absolutely where the sigmoid is not flat
    r = np.maximum((u1 - u0) / 2, 0) + _SLACK
    miss = _span((u - r) - v, (u + r) - v)
    biggest = np.maximum(np.abs(miss.low), np.abs(miss.high))
    smallest = np.where(miss.excludes_zero(), np.abs(miss.m) - miss.r, 0)
    value = _span(smallest**2, biggest**2)
    slope1 = (2 * (1 + v) - 3 * u) * u - v
    bend1 = np.maximum(np.abs(2 + 2 * v), np.abs(2 * v - 4))
    first = _curved(_cubic(u, v), slope1, bend1, r, np.maximum(np.abs(v), np.abs(1 - v)) / 4)
    slope2 = -v + u * (2 * (2 + 3 * v) + u * (-3 * (5 + 2 * v) + 12 * u))
    c0, c1 = 2 * (2 + 3 * v), 6 * (5 + 2 * v)  # the second derivative of the quartic is 36 u^2 - c1 u + c0
    bend2 = np.maximum(np.maximum(np.abs(c0), np.abs(36 - c1 + c0)), np.abs(c0 - c1 * c1 / 144))
    most2 = np.maximum(np.maximum(np.abs(v), np.abs(v - 1)), np.abs((1 + v) ** 2 / 3 - v)) / 4
    second = _curved(_quartic(u, v), slope2, bend2, r, most2)
    return _Ranges(value, first, second, lift)


def _weighted(s: Span, factor: np.ndarray) -> Span:
    """sum_i factor_i s_i over the last axis."""
    size = np.abs(factor)
    m, r = (s.m * factor).sum(-1), (s.r * size).sum(-1)
    return Span(m, r + _SLACK * ((np.abs(s.m) * size).sum(-1) + r))


def _plus_ridge(s: Span, ridge2: float, side: Span) -> Span:
    m, r = s.m + ridge2 * side.m, s.r + ridge2 * side.r
    return Span(m, r + _SLACK * (np.abs(s.m) + np.abs(ridge2 * side.m) + r))


class _Enclosed(NamedTuple):
    """Over each box: the loss, gradient (data part alone, then whole), Hessian, and z + 1 of each point."""

    loss: Span
    pull: tuple[Span, Span]
    gradient: tuple[Span, Span]
    hessian: tuple[Span, Span, Span]
    lift: Span


def enclose(p: Terms, a: Span, b: Span) -> _Enclosed:
    """Loss, gradient and Hessian over each of n boxes a x b.

    Args:
        p: plain numbers of the landscape.
        a: (n,) interval of the first parameter.
        b: (n,) interval of the second.

    Returns:
        Enclosures of shape (n,), of z + 1 (n, 4).

    Source: our bounds.
    """
    gain = np.asarray(p.weight, float) * (float(p.gain) / float(p.divisor))
    slope, ridge = float(p.slope), float(p.ridge)
    parts = _ranges(p, a, b)
    pull = tuple(_weighted(parts.first, 2 * slope * gain * power) for power in (_X, _X2))
    gradient = tuple(_plus_ridge(s, 2 * ridge, side) for s, side in zip(pull, (a, b), strict=True))
    bent = [_weighted(parts.second, 2 * slope**2 * gain * power) for power in (_X2, _X2 * _X, _X2 * _X2)]
    one = Span(np.ones_like(a.m), np.zeros_like(a.m))
    hessian = (_plus_ridge(bent[0], 2 * ridge, one), bent[1], _plus_ridge(bent[2], 2 * ridge, one))
    data = _weighted(parts.value, gain)
    far = [np.abs(s.m) + s.r for s in (a, b)]
    near = [np.maximum(np.abs(s.m) - s.r, 0) for s in (a, b)]
    radial = _span(ridge * (near[0] ** 2 + near[1] ** 2), ridge * (far[0] ** 2 + far[1] ** 2))
    loss = Span(data.m + radial.m, data.r + radial.r + _SLACK * (np.abs(data.m) + np.abs(radial.m)))
    return _Enclosed(loss, (pull[0], pull[1]), (gradient[0], gradient[1]), hessian, parts.lift)


def _thin(m: np.ndarray) -> Span:
    return Span(m, np.zeros_like(m))


def _krawczyk(p: Terms, a: Span, b: Span, hessian: tuple[Span, Span, Span]) -> tuple[Span, Span]:
    """M - Y grad L(m) + (I - Y H)(X - m) with Y about the inverse of the middle of H: contains every stationary point of X."""
    aa, ab, bb = hessian
    determinant = aa.m * bb.m - ab.m**2
    determinant = np.where(np.abs(determinant) > 1e-12, determinant, 1.0)  # any Y is allowed
    y11, y12, y22 = bb.m / determinant, -ab.m / determinant, aa.m / determinant
    ga, gb = enclose(p, _thin(a.m), _thin(b.m)).gradient
    moved = []
    for middle, (ya, yb), unit in ((a.m, (y11, y12), 0), (b.m, (y12, y22), 1)):
        center = middle - (ya * ga.m + yb * gb.m)
        size = [np.abs(ya), np.abs(yb)]
        # the row of I - Y H, in absolute value
        row_a = np.abs((1 - unit) - (ya * aa.m + yb * ab.m)) + size[0] * aa.r + size[1] * ab.r
        row_b = np.abs(unit - (ya * ab.m + yb * bb.m)) + size[0] * ab.r + size[1] * bb.r
        slack_a = _SLACK * (1 + size[0] * np.abs(aa.m) + size[1] * np.abs(ab.m))
        slack_b = _SLACK * (1 + size[0] * np.abs(ab.m) + size[1] * np.abs(bb.m))
        r = (row_a + slack_a) * a.r + (row_b + slack_b) * b.r + size[0] * ga.r + size[1] * gb.r
        slack = _SLACK * (np.abs(middle) + size[0] * np.abs(ga.m) + size[1] * np.abs(gb.m) + r)
        moved.append(Span(center, r + slack))
    return moved[0], moved[1]


def _meet(s: Span, other: Span) -> tuple[Span, np.ndarray]:
    """The intersection, and where it is surely empty."""
    low, high = np.maximum(s.low, other.low), np.minimum(s.high, other.high)
    empty = low > high + _SLACK * (np.abs(low) + np.abs(high))
    return _span(np.minimum(low, high), np.maximum(low, high)), empty


def _take(s: Span, which: np.ndarray) -> Span:
    return Span(s.m[which], s.r[which])


def _join(parts: list[Span]) -> Span:
    return Span(np.concatenate([s.m for s in parts]), np.concatenate([s.r for s in parts]))


def _split(a: Span, b: Span) -> tuple[Span, Span]:
    """Halves of every box across the side along which z varies more; neighbours overlap by the slack."""
    across_a = 3 * a.r >= 10 * b.r
    halves = []
    for sign in (-1, 1):
        new = []
        for s, cut in ((a, across_a), (b, ~across_a)):
            r = np.where(cut, s.r / 2, s.r)
            new.append(Span(np.where(cut, s.m + sign * r, s.m), r + _SLACK * (np.abs(s.m) + r)))
        halves.append(new)
    return _join([halves[0][0], halves[1][0]]), _join([halves[0][1], halves[1][1]])


def _unique(p: Terms, a: Span, b: Span) -> tuple[np.ndarray, Span, Span]:
    """Which of the boxes, somewhat enlarged, a Krawczyk step maps into their own inside; and the enlarged boxes."""
    wide = [Span(s.m, 1.5 * s.r + _SLACK * 16 * (1 + np.abs(s.m))) for s in (a, b)]
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
            raise UndecidedError("stationary points", f"{len(a.m)} boxes, for instance near ({a.m[0]:.6g}, {b.m[0]:.6g})")
        whole = enclose(p, a, b)
        gone = whole.gradient[0].excludes_zero() | whole.gradient[1].excludes_zero()
        size = a.r * b.r
        sides = []
        # grad L = 0 puts (a, b) into -pull/(2 ridge), and into the image of the Krawczyk step
        moved = _krawczyk(p, a, b, whole.hessian)
        for s, pull, k in zip((a, b), whole.pull, moved, strict=True):
            half = 2 * float(p.ridge)
            image = Span(-pull.m / half, pull.r / half * (1 + 4 * _SLACK) + _SLACK * np.abs(pull.m) / half)
            s, empty = _meet(s, image)
            gone |= empty
            s, empty = _meet(s, k)
            gone |= empty
            sides.append(s)
        keep = ~gone
        a, b = _take(sides[0], keep), _take(sides[1], keep)
        shrunk = a.r * b.r < 0.5 * size[keep]
        small = np.maximum(a.r, b.r) < 0.2
        candidates = np.flatnonzero(small)
        if len(candidates):
            inside, wide_a, wide_b = _unique(p, _take(a, candidates), _take(b, candidates))
            if inside.any():
                proved.append((_take(wide_a, inside), _take(wide_b, inside)))
                left = np.ones(len(a.m), bool)
                left[candidates[inside]] = False
                a, b, shrunk = _take(a, left), _take(b, left), shrunk[left]
        stuck = (np.maximum(a.r, b.r) < _NARROW) & ~shrunk
        if stuck.any():
            i = int(np.flatnonzero(stuck)[0])
            where = f"a box of radius {max(a.r[i], b.r[i]):.1g} at ({a.m[i]:.9g}, {b.m[i]:.9g})"
            raise UndecidedError("stationary points", where)
        halves = _split(_take(a, ~shrunk), _take(b, ~shrunk))
        a, b = _join([_take(a, shrunk), halves[0]]), _join([_take(b, shrunk), halves[1]])
    if not proved:
        return _thin(np.empty(0)), _thin(np.empty(0))
    return _join([s for s, _ in proved]), _join([s for _, s in proved])


def _tighten(p: Terms, a: Span, b: Span) -> tuple[Span, Span]:
    """The same stationary points in boxes as small as rounding allows."""
    for _ in range(12):
        moved = _krawczyk(p, a, b, enclose(p, a, b).hessian)
        a, b = _meet(a, moved[0])[0], _meet(b, moved[1])[0]
    return a, b


def _distinct(a: Span, b: Span, tight_a: Span, tight_b: Span) -> list[int]:
    """One box for each stationary point: two boxes hold the same one where the tight box of one lies in the other."""

    def within(i: int, j: int) -> bool:
        return all(abs(t.m[i] - s.m[j]) + t.r[i] < s.r[j] * (1 - 1e-9) for t, s in ((tight_a, a), (tight_b, b)))

    def apart(i: int, j: int) -> bool:
        return any(abs(t.m[i] - t.m[j]) > (t.r[i] + t.r[j]) * (1 + 1e-9) for t in (tight_a, tight_b))

    kept: list[int] = []
    for i in range(len(a.m)):
        if any(within(i, j) or within(j, i) for j in kept):
            continue
        if not all(apart(i, j) for j in kept):
            raise UndecidedError("stationary points", f"two boxes that touch at ({a.m[i]:.9g}, {b.m[i]:.9g})")
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

    Source: Krawczyk's existence test; Moore, Kearfott, Cloud, Introduction to Interval Analysis (2009), ch. 8.
    """
    ends = box or tuple((-half, half) for half in toy.reach(p))
    sides = [_span(np.array([low]), np.array([high])) for low, high in ends]
    a, b = _prune(p, sides[0], sides[1])
    tight = _tighten(p, a, b)
    kept = np.array(_distinct(a, b, *tight), int)
    a, b = _take(tight[0], kept), _take(tight[1], kept)
    if box is not None:
        inside = np.ones(len(a.m), bool)
        for s, (low, high) in zip((a, b), box, strict=True):
            if (((s.low < low) & (s.high > low)) | ((s.low < high) & (s.high > high))).any():
                raise UndecidedError("stationary points", f"one on an edge of the box {box}")
            inside &= (s.low >= low) & (s.high <= high)
        a, b = _take(a, inside), _take(b, inside)
    return _described(p, a, b)


def _described(p: Terms, a: Span, b: Span) -> Found:
    whole = enclose(p, a, b)
    aa, ab, bb = whole.hessian
    wobble = aa.r * np.abs(bb.m) + bb.r * np.abs(aa.m) + 2 * ab.r * np.abs(ab.m) + aa.r * bb.r + ab.r**2
    determinant = Span(aa.m * bb.m - ab.m**2, wobble + _SLACK * (np.abs(aa.m * bb.m) + ab.m**2))
    trace = Span(aa.m + bb.m, aa.r + bb.r + _SLACK * (np.abs(aa.m) + np.abs(bb.m)))
    saddle = determinant.m < 0
    if not (determinant.excludes_zero() & (saddle | trace.excludes_zero())).all() or not whole.lift.excludes_zero().all():
        raise UndecidedError("stationary points", "the kind or the classification of one of them")
    curved = np.where(trace.m > 0, int(StationaryKind.MINIMUM), int(StationaryKind.MAXIMUM))
    kind = np.where(saddle, int(StationaryKind.SADDLE), curved).astype(np.int32)
    # the gradient vanishes somewhere in the tight box: the loss of that point is within |gradient| radius of the middle's
    middle = enclose(p, _thin(a.m), _thin(b.m)).loss
    steep = [np.abs(g.m) + g.r for g in whole.gradient]
    loss_radius = middle.r + (steep[0] * a.r + steep[1] * b.r) * (1 + _SLACK)
    points = np.stack([a.m, b.m], -1)
    order = np.argsort(middle.m)
    correct = (whole.lift.m > 0) == (np.array(toy.SIGNS) > 0)[None]
    radius = np.maximum(a.r, b.r)
    return Found(*(v[order] for v in (points, middle.m, kind, correct, radius, loss_radius)))


# --- what descent cannot leave -----------------------------------------------------------------------------------------------


def _below(p: Terms, a: Span, b: Span) -> np.ndarray:
    """Lower bounds of the loss over boxes, from its value in the middle and its slope."""
    slope_a, slope_b = enclose(p, a, b).gradient
    middle = enclose(p, _thin(a.m), _thin(b.m)).loss
    drop = (np.abs(slope_a.m) + slope_a.r) * a.r + (np.abs(slope_b.m) + slope_b.r) * b.r
    return middle.low - drop * (1 + _SLACK) - _SLACK * np.abs(middle.m)


def moat(p: Terms, start: np.ndarray, radius: float, minimum: np.ndarray) -> Box | None:
    """A box on whose edges the loss is above its value at the start: descent that never climbs cannot leave it.

    Args:
        p: plain concrete numbers of the landscape.
        start: (2,) middle of where descent starts.
        radius: half-width of that.
        minimum: (2,) the minimum around which the box is sought.

    Returns:
        The sides of the box, which contains the start; None where none is found.

    Source: ours.
    """
    near = np.array([radius, radius])
    high = float(enclose(p, Span(start[:1], near[:1]), Span(start[1:], near[1:])).loss.high[0])
    value, _, (aa, ab, bb) = toy.expansion(p, minimum, xp=MPMATH)
    inverse = np.linalg.inv(np.array([[float(aa), float(ab)], [float(ab), float(bb)]]))
    half = np.sqrt(2 * max(high - float(value), 1e-12) * np.abs(np.diag(inverse))) + 1e-6  # of the ellipse of that height
    pieces, cut = np.linspace(-1, 1, 513), 1 / 512
    for growth in 1.15 ** np.arange(1, 40):
        wide = half * growth
        if (np.abs(start - minimum) + radius >= wide).any():
            continue
        edges = []
        for axis in (0, 1):
            along = minimum[axis] + wide[axis] * (pieces[:-1] + cut)
            for sign in (-1, 1):
                side = Span(along, np.full(512, wide[axis] * cut * (1 + 1e-9)))
                across = _thin(np.full(512, minimum[1 - axis] + sign * wide[1 - axis]))
                edges.append(_below(p, side, across) if axis == 0 else _below(p, across, side))
        if min(float(edge.min()) for edge in edges) > high:
            (a0, b0), (a1, b1) = (minimum - wide).tolist(), (minimum + wide).tolist()
            return (a0, a1), (b0, b1)
    return None


def steepest_bend(p: Terms, box: Box, cuts: int = 64) -> float:
    """An upper bound on the largest eigenvalue of the Hessian over a box.

    Args:
        p: plain concrete numbers of the landscape.
        box: its sides.
        cuts: pieces a side.

    Returns:
        The bound.

    Source: ours.
    """
    sides = []
    for low, high in box:
        ends = np.linspace(low, high, cuts + 1)
        sides.append(_span(ends[:-1], ends[1:]))
    i, j = (v.ravel() for v in np.meshgrid(np.arange(cuts), np.arange(cuts), indexing="ij"))
    aa, ab, bb = enclose(p, _take(sides[0], i), _take(sides[1], j)).hessian
    half = (np.abs(aa.m - bb.m) + aa.r + bb.r) / 2
    root = np.sqrt(half**2 + (np.abs(ab.m) + ab.r) ** 2)
    return float(((aa.high + bb.high) / 2 + root).max() * (1 + 1e-9) + 1e-9)
