r"""The toy network: does it help to stop descent-ascent early and to fine-tune on the retain set from there?

In the reading that the scan of `toy_minima` singles out. The certificate follows both flows in balls (`toy.verified_flow`), from
every stopping time at once. The second route knows nothing of them: Runge-Kutta steps forwards along the path, and backwards from
the saddle of L_R along the curve that separates its two basins; tau is where they cross.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
from mpmath import mp

from ascentfail.claims.claim import Cases, Claim, Kind, Level, by_cases
from ascentfail.claims.registry import register
from ascentfail.dynamics import flow
from ascentfail.plane.stationary_points import StationaryKind
from ascentfail.theory.toy_interpretations import (
    FOURTH,
    NAMED,
    Reading,
    exact_lean,
    landscape_of,
    lean,
    minima,
    plain,
    polish,
    singled_out,
    slow_descent,
)
from ascentfail.toy import barriers, landscape, verified_flow
from ascentfail.toy import network as toy
from ascentfail.toy.points import concrete

_TIMES = tuple(float(v) for v in np.geomspace(0.005, 5, 17))
_TOLERANCE = 1e-6  # of a stopping time
_STEP = 4e-4  # of the second route
_NAN = (math.nan, math.nan)


@functools.cache
def reached(times: tuple[float, ...]) -> tuple[int, ...]:
    """The place of the minimum of L_R that fine-tuning reaches from each point of the path; times > 0 increase."""
    t = landscape_of(NAMED)
    run = flow.gradient_flow(t, minima(t, "original", "sampled").parameters[0], (0.0, *times))
    return tuple(landscape.settle(t, np.asarray(run.weights)[1:], "oracle").tolist())


@functools.cache
def pieces() -> tuple[verified_flow.Piece, ...]:
    """All stopping times with the minimum reached, proved."""
    t = landscape_of(NAMED)
    start, end = minima(t, "original", "certified"), minima(t, "descent_ascent", "certified")
    begin, rest = (verified_flow.Balls(m.parameters[:1], 2 * m.radius[:1]) for m in (start, end))
    retain = concrete(t, "oracle")
    held = barriers.holds(retain, landscape.stationary_points(t, "oracle", certified=True))
    return verified_flow.stopped_early(
        concrete(t, "descent_ascent"), retain, begin, rest, held, _TOLERANCE
    )


def _place(time: float, level: Level) -> int:
    if level != "certified":
        return reached(_TIMES)[_TIMES.index(time)]
    found = [piece.reached for piece in pieces() if piece.low <= time <= piece.high]
    return found[0] if len(set(found)) == 1 else -1


def ends_trapped(point: Reading, level: Level) -> tuple[float, float]:
    """How far inside the pattern "x_4 alone is wrong" fine-tuning ends when the path is stopped at that time."""
    place = _place(point["time"], level) if singled_out() else -1
    if place < 0:
        return _NAN
    end = minima(landscape_of(NAMED), "oracle", level).pick(slice(place, place + 1))
    value = float(lean(toy.leanings(end.parameters)[0], FOURTH))
    wobble = 20 * float(end.radius[0]) if level == "certified" else 0.0
    return value - wobble, value + wobble


def border(point: Reading, level: Level) -> tuple[float, float]:
    """Enclosure of the tau before which fine-tuning returns and after which it is trapped; NaN where there is no such tau."""
    if not singled_out():
        return _NAN
    if level == "certified":
        known = pieces()
        low, high = known[0].high, known[-1].low
        in_order = [piece.reached for piece in known] in ([0, 1], [0, -1, 1])
    else:
        low, high, in_order = 0.0, _TIMES[-1], True
        for _ in range(6):
            between = tuple(np.linspace(low, high, 18)[1:].tolist())
            places = reached(between)
            k = places.index(1) if 1 in places else 0
            in_order = in_order and places == (0,) * k + (1,) * (len(places) - k)
            low, high = between[k - 1] if k else low, between[k]
    trapped = minima(landscape_of(NAMED), "oracle", level).alone_wrong(FOURTH)
    return (low, high) if in_order and list(trapped) == [False, True] else _NAN


# --- the second route ----------------------------------------------------------------------------------------------------------


def runge_kutta(p: toy.Terms, theta: np.ndarray, time: float) -> np.ndarray:
    """Paths of gradient flow (k, n, 2) from n points by classical Runge-Kutta steps, backwards for a negative time."""
    steps = math.ceil(abs(time) / _STEP)
    h, path = time / steps, [np.asarray(theta, float)]
    for _ in range(steps):
        slopes: list[np.ndarray] = []
        for part in (0.0, 0.5, 0.5, 1.0):
            slopes.append(-plain(p, path[-1] + (part * h * slopes[-1] if slopes else 0.0))[1])
        path.append(path[-1] + h / 6 * (slopes[0] + 2 * slopes[1] + 2 * slopes[2] + slopes[3]))
    return np.array(path)


def _stopped(time: float) -> np.ndarray:
    """The path of descent-ascent (k, 2) up to a time."""
    t = landscape_of(NAMED)
    return runge_kutta(
        concrete(t, "descent_ascent"), minima(t, "original", "sampled").parameters[:1], time
    )[:, 0]


def _exact_end(point: Reading, digits: int) -> Any:
    retain = concrete(landscape_of(NAMED), "oracle")
    end = slow_descent(retain, _stopped(point["time"])[-1])
    return exact_lean(polish(retain, tuple(mp.mpf(float(v)) for v in end)), FOURTH)


@functools.cache
def _where_they_cross() -> float:
    """The time at which the path crosses the stable curve of L_R's saddle, to the accuracy of floats; NaN where it does not."""
    t = landscape_of(NAMED)
    retain, points, time = concrete(t, "oracle"), landscape.stationary_points(t, "oracle"), 0.2
    path = _stopped(time)
    saddle = points.parameters[points.kind == int(StationaryKind.SADDLE)]
    stable = np.linalg.eigh(plain(retain, saddle)[2])[1][0, :, 1]
    curves = runge_kutta(retain, saddle + 1e-4 * np.array([[1.0], [-1.0]]) * stable, -3.6)
    near = (np.abs(curves - path.mean(0)) < 2 * np.ptp(path, axis=0)).all(2)
    found = [
        _crossing(path, curve[close])
        for curve, close in zip(curves.transpose(1, 0, 2), near.T, strict=True)
    ]
    return next((at * time / (len(path) - 1) for at in found if at is not None), math.nan)


def _exact_border(point: Reading, digits: int) -> Any:
    return mp.mpf(_where_they_cross())


def _crossing(path: np.ndarray, curve: np.ndarray) -> float | None:
    """Where, in steps of the first, two polygons cross; None where they do not."""
    one, other = np.diff(path, axis=0)[:, None], np.diff(curve, axis=0)[None]
    gap = curve[None, :-1] - path[:-1, None]

    def area(u: np.ndarray, v: np.ndarray) -> np.ndarray:
        return u[..., 0] * v[..., 1] - u[..., 1] * v[..., 0]

    with np.errstate(divide="ignore", invalid="ignore"):
        along, across = area(gap, other) / area(one, other), area(gap, one) / area(one, other)
    hits = np.argwhere((along >= 0) & (along < 1) & (across >= 0) & (across < 1))
    return float(hits[0][0] + along[tuple(hits[0])]) if len(hits) else None


_STOPPED = Cases(
    tuple({**NAMED, "time": time} for time in _TIMES),
    ends_trapped,
    _exact_end,
    "every",
    rigorous=True,
)
_BORDER = Cases(
    ({**NAMED, "tolerance": _TOLERANCE},), border, _exact_border, "every", rigorous=True
)

register(
    Claim(
        id="toy-trap.early-stop",
        statement="Stopping early does not help: gradient flow on L_R from every early-stopped iterate of toy-path ends in "
        "a minimum where x_4 alone is wrong.",
        source="Sec. 5.2",
        kind=Kind.ORDERING,
        domain=_STOPPED.domain(
            f"stopped at {len(_TIMES)} times, {_TIMES[0]:g} to {_TIMES[-1]:g}; the path and reading of toy-path"
        ),
        margin=by_cases,
        cases=_STOPPED,
        note="Gradient flow is the limit of small steps: stopped after k steps of size eta, the time is k eta.",
        repaired=Claim(
            id="toy-trap.early-stop.repaired",
            statement="There is a time tau > 0: stopped earlier, fine-tuning ends in the "
            "oracle's global minimum; stopped later, in "
            "a minimum where x_4 alone is wrong. The margin is tau.",
            source="ours",
            kind=Kind.ORDERING,
            domain=_BORDER.domain(
                "every stopping time but those in the enclosure of tau; the path and reading of toy-path"
            ),
            margin=by_cases,
            cases=_BORDER,
            strict=True,
            note="The certificate proves where fine-tuning ends from every stopping time outside an interval of 2e-5 around tau.",
        ),
    )
)
