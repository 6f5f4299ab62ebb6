r"""Gradient flow on the toy network's losses with a proof: balls that contain every solution that starts in them.

The middle of a ball moves by a Taylor polynomial whose remainder is enclosed. Two solutions approach or part by at most

    d|x - y|/dt <= -mu |x - y|,   mu <= the smallest eigenvalue of the Hessian between them,

so the radius grows by e^{-mu h} in a step, whatever the stiffness; an integrator with an estimated error proves nothing. Where
the Hessian is positive over a ball around a minimum, the flow from inside goes there.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ascentfail.toy.barriers import Hold
from ascentfail.toy.boxes import join, take
from ascentfail.toy.enclosures import SLACK, Enclosed, Span, below, enclose, series, span, thin
from ascentfail.toy.network import Terms

_ORDER = 8  # of the Taylor polynomials
_MOVE, _BEND = 0.004, 0.2  # a step: how far it may move, and its product with the largest curvature
_WIDE = 0.05  # a ball that has grown beyond this is given up
_MOST_STEPS = 3000
_CELLS = 40  # a side, where a ball is covered by boxes
_MOST = 400  # intervals that are cut at once
_PARTS = 4  # into which an undecided interval is cut


class Balls(NamedTuple):
    """Many balls: middles (n, 2) and radii (n,)."""

    middle: np.ndarray
    radius: np.ndarray

    def pick(self, which: np.ndarray) -> Balls:
        """Some of them."""
        return Balls(self.middle[which], self.radius[which])


class Piece(NamedTuple):
    """Stopping times low to high, and the place of the minimum that fine-tuning reaches from all of them; -1: not known."""

    low: float
    high: float
    reached: int


def _softest(hessian: tuple[Span, Span, Span]) -> np.ndarray:
    """A lower bound (n,) on the smallest eigenvalue of an enclosed Hessian."""
    aa, ab, bb = hessian
    middle = (aa.m + bb.m) / 2 - np.sqrt(((aa.m - bb.m) / 2) ** 2 + ab.m**2)
    wobble = np.sqrt(aa.r**2 + bb.r**2 + 2 * ab.r**2)
    return (
        middle - wobble * (1 + 8 * SLACK) - 8 * SLACK * (np.abs(aa.m) + np.abs(bb.m) + np.abs(ab.m))
    )


def _sides(balls: Balls, more: np.ndarray | float = 0.0) -> tuple[Span, Span]:
    wide = (balls.radius + more) * (1 + SLACK) + SLACK * np.abs(balls.middle).sum(1)
    return Span(balls.middle[:, 0], wide), Span(balls.middle[:, 1], wide)


def _step(
    p: Terms, balls: Balls, guess: tuple[Span, Span], h: np.ndarray
) -> tuple[Balls, np.ndarray, np.ndarray]:
    """The balls after times h, an upper bound on the speed on the way, and where the step is proved; `guess`: the gradients."""
    start = [thin(balls.middle[:, k]) for k in (0, 1)]
    # a box that the solution from the middle does not leave: the image of the box under c - [0, h] grad L lies inside it
    room = 0.5 * h * np.maximum(np.abs(guess[0].m), np.abs(guess[1].m)) + 1e-12
    box = [
        span(c.m - h * np.maximum(g.m, 0) - room, c.m - h * np.minimum(g.m, 0) + room)
        for c, g in zip(start, guess, strict=True)
    ]
    slopes = enclose(p, box[0], box[1]).gradient
    good, image = np.ones(len(h), bool), []
    for c, s, g in zip(start, box, slopes, strict=True):
        low, high = np.minimum(0, -h * g.high), np.maximum(0, -h * g.low)
        reached = span(c.m + low, c.m + high)
        good &= (reached.low > s.low) & (reached.high < s.high)
        image.append(reached)
    n, first = len(h), np.arange(2 * len(h)) < len(h)
    terms = series(p, join([start[0], image[0]]), join([start[1], image[1]]), _ORDER)
    ends, error = [], np.zeros(n)
    for k in (0, 1):
        m, r, power = np.zeros(n), np.zeros(n), np.ones(n)
        # the last coefficient over the box bounds the remainder
        for term in [take(one[k], first) for one in terms[:-1]] + [take(terms[-1][k], ~first)]:
            m, r = m + power * term.m, r + power * (term.r + 4 * _ORDER * SLACK * np.abs(term.m))
            power = power * h
        ends.append(m)
        error = error + r + SLACK * np.abs(m)
    around = 1.6 * balls.radius + 1e-12  # within which neighbours stay, checked below
    tube = [Span(s.m, (s.r + around) * (1 + SLACK)) for s in image]
    around_it = enclose(p, tube[0], tube[1])
    mu = _softest(around_it.hessian)
    growth = np.exp(-mu * h) * (1 + 8 * SLACK)
    good &= balls.radius * np.maximum(growth, 1) < around
    speed = np.hypot(*(np.abs(g.m) + g.r for g in around_it.gradient)) * (1 + 8 * SLACK)
    return Balls(np.stack(ends, -1), (balls.radius * growth + error) * (1 + 8 * SLACK)), speed, good


def _here(p: Terms, balls: Balls) -> Enclosed:
    """The landscape at the middles."""
    return enclose(p, thin(balls.middle[:, 0]), thin(balls.middle[:, 1]))


def _length(at: Enclosed) -> np.ndarray:
    """How long a step may be."""
    aa, ab, bb = at.hessian
    return np.minimum(
        _MOVE / np.hypot(*(g.m for g in at.gradient)), _BEND / np.hypot(np.hypot(aa.m, bb.m), ab.m)
    )


def attracts(p: Terms, minimum: np.ndarray, radius: float) -> float:
    """The radius of a ball around a minimum in which the Hessian is positive: the flow from inside stays and goes there.

    Args:
        p: plain concrete numbers of the landscape.
        minimum: (2,) near the minimum.
        radius: how near.

    Returns:
        The radius around the middle given; 0 where none is found.
    """
    cells = (np.arange(_CELLS) + 0.5) / _CELLS * 2 - 1
    i, j = (v.ravel() for v in np.meshgrid(cells, cells))
    near = np.hypot(np.abs(i) - 1 / _CELLS, np.abs(j) - 1 / _CELLS) <= 1
    places = np.stack([i[near], j[near]], -1)
    for size in 0.3 * 0.85 ** np.arange(40):
        wide = size + 2 * radius
        boxes = Balls(minimum + wide * places, np.full(len(places), wide / _CELLS))
        if size > 2 * radius and (_softest(enclose(p, *_sides(boxes)).hessian) > 0).all():
            return float(size)
    return 0.0


def settled(p: Terms, balls: Balls, held: tuple[Hold | None, ...]) -> np.ndarray:
    """Which minimum the flow from every point of a ball reaches, with a proof.

    Args:
        p: plain concrete numbers of the landscape.
        balls: where the flow starts.
        held: `toy.barriers.holds` of the landscape.

    Returns:
        (n,) places in the list of minima; -1 where it is not proved.
    """
    reached, left = np.full(len(balls.radius), -1), np.arange(len(balls.radius))
    cut = np.ones(len(left))
    for _ in range(_MOST_STEPS):
        at, into = _here(p, balls), np.full(len(left), -1)
        for place, hold in enumerate(held):
            near = np.flatnonzero(at.loss.m < (-np.inf if hold is None else hold.level))
            if hold is not None and len(near):
                sides = _sides(balls.pick(near))
                inside = [
                    (s.low > low) & (s.high < top)
                    for s, (low, top) in zip(sides, hold.box, strict=True)
                ]
                into[near[inside[0] & inside[1] & (-below(p, *sides, sign=-1) <= hold.level)]] = (
                    place
                )
        reached[left] = into
        going = (into < 0) & (balls.radius < _WIDE) & (cut > 1e-6)
        if not going.any():
            break
        balls, left, cut, h = balls.pick(going), left[going], cut[going], _length(at)[going]
        slopes = take(at.gradient[0], going), take(at.gradient[1], going)
        after, _, good = _step(p, balls, slopes, cut * h)
        balls = Balls(
            np.where(good[:, None], after.middle, balls.middle),
            np.where(good, after.radius, balls.radius),
        )
        cut = np.where(good, np.minimum(1, 1.5 * cut), cut / 2)
    else:
        reached[left] = -1
    return reached


class _Track(NamedTuple):
    """A solution that a proof follows: times of the steps (k,), balls there (k,), the largest speed in each (k,)."""

    times: np.ndarray
    balls: Balls
    speed: np.ndarray


def _track(p: Terms, start: Balls, minimum: Balls) -> tuple[_Track, Balls]:
    """The flow from a start up to a ball around a minimum that it does not leave again."""
    size, times, seen, speeds = (
        attracts(p, minimum.middle[0], float(minimum.radius[0])),
        [0.0],
        [start],
        [],
    )
    gap, cut = np.inf, 1.0
    while gap > size / 20 and len(times) < _MOST_STEPS:
        at = _here(p, seen[-1])
        h = cut * _length(at)
        after, speed, good = _step(p, seen[-1], at.gradient, h)
        if not good[0]:
            cut /= 2
            continue
        times, seen, speeds, cut = (
            [*times, times[-1] + float(h[0])],
            [*seen, after],
            [*speeds, speed[0]],
            min(1, 1.5 * cut),
        )
        gap = float(
            np.hypot(*(after.middle - minimum.middle)[0]) + after.radius[0] + minimum.radius[0]
        )
    if not gap < size - minimum.radius[0]:
        gap = np.inf
    balls = Balls(
        np.concatenate([s.middle for s in seen]), np.concatenate([s.radius for s in seen])
    )
    return _Track(np.array(times), balls, np.array(speeds)), Balls(
        minimum.middle, (gap + minimum.radius) * (1 + SLACK)
    )


def _between(p: Terms, track: _Track, low: np.ndarray, high: np.ndarray) -> Balls:
    """Balls that contain the tracked solution during each of the intervals of time, none of which crosses a step."""
    k = np.clip(
        np.searchsorted(track.times, (low + high) / 2, side="right") - 1, 0, len(track.speed) - 1
    )
    balls = track.balls.pick(k)
    balls, _, good = _step(p, balls, _here(p, balls).gradient, (low + high) / 2 - track.times[k])
    fastest = np.maximum.reduce(
        [track.speed[np.clip(k + i, 0, len(track.speed) - 1)] for i in (-1, 0, 1)]
    )  # times are rounded
    more = fastest * ((high - low) / 2 + 4 * SLACK * (1 + high))
    return Balls(balls.middle, np.where(good, (balls.radius + more) * (1 + 8 * SLACK), np.inf))


def stopped_early(
    ascent: Terms,
    retain: Terms,
    start: Balls,
    end: Balls,
    held: tuple[Hold | None, ...],
    tolerance: float,
) -> tuple[Piece, ...]:
    """Where fine-tuning on the retain loss leads from every point of a path of descent-ascent, with a proof.

    Args:
        ascent: plain numbers of the descent-ascent loss, whose flow is stopped.
        retain: plain numbers of the retain loss, on which the flow goes on.
        start: one ball around the start of the path.
        end: one ball around the minimum where the path ends.
        held: `toy.barriers.holds` of the retain loss.
        tolerance: intervals of stopping times this short are cut no further.

    Returns:
        Pieces in the order of time that cover [0, inf): neighbours that reach the same minimum are one.
    """
    track, rest = _track(ascent, start, end)
    low, high = track.times[:-1], track.times[1:]
    pieces = [Piece(float(track.times[-1]), np.inf, int(settled(retain, rest, held)[0]))]
    while len(low):
        reached = settled(retain, _between(ascent, track, low, high), held)
        again = (reached < 0) & (high - low >= tolerance)
        if again.sum() > _MOST:  # it is not the border that is undecided
            again[:] = False
        pieces += [
            Piece(*one)
            for one in zip(
                low[~again].tolist(), high[~again].tolist(), reached[~again].tolist(), strict=True
            )
        ]
        ends = np.linspace(low[again], high[again], _PARTS + 1)
        low, high = ends[:-1].T.ravel(), ends[1:].T.ravel()
    pieces.sort()
    merged = pieces[:1]
    for piece in pieces[1:]:
        if piece.reached == merged[-1].reached:
            merged[-1] = Piece(merged[-1].low, piece.high, piece.reached)
        else:
            merged.append(piece)
    return tuple(merged)
