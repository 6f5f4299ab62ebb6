r"""The toy network: where descent-ascent leads, and whether fine-tuning on the retain set leaves again.

All are read in the reading that the scan of `toy_minima` singles out; should it single out another one, they are open. Gradient
flow never climbs: a box that contains the start, on whose edges the loss is higher than at the start, and in which there is one
stationary point, keeps the flow and leads it there. Full steps of at most 2 over the largest curvature in it do not climb either.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from mpmath import mp

from ascentfail.claims.claim import Cases, Claim, Kind, Level, by_cases
from ascentfail.claims.registry import register
from ascentfail.core.models import Model
from ascentfail.numerics.arithmetic import MPMATH
from ascentfail.theory.toy_interpretations import (
    FOURTH,
    NAMED,
    Reading,
    exact_lean,
    exact_minima,
    landscape_of,
    lean,
    minima,
    polish,
    singled_out,
    slow_descent,
    words_of,
)
from ascentfail.toy import barriers, landscape
from ascentfail.toy import network as toy
from ascentfail.toy.points import StationaryPoints, concrete

Box = tuple[tuple[float, float], tuple[float, float]]
_NAN = (math.nan, math.nan)


def _start(point: Reading, level: Level) -> tuple[Model, StationaryPoints]:
    """On which loss the flow runs, and from where: the original's lowest minimum, or where descent-ascent ends from there."""
    t = landscape_of(point)
    first = minima(t, "original", level).pick(slice(0, 1))
    if point["after"] == 0:
        return "descent_ascent", first
    place = int(landscape.settle(t, first.parameters, "descent_ascent")[0])
    return "oracle", minima(t, "descent_ascent", level).pick(slice(place, place + 1))


def kept(point: Reading, level: Level) -> tuple[StationaryPoints, Box | None] | None:
    """The minimum in which the flow ends and the box that keeps it there, None for the plane; None where that is not known."""
    if not singled_out():
        return None
    t = landscape_of(point)
    which, start = _start(point, level)
    place = int(landscape.settle(t, start.parameters, which)[0])
    if place < 0:
        return None
    end = minima(t, which, level).pick(slice(place, place + 1))
    if level != "certified":
        return end, None
    everything = landscape.stationary_points(t, which, certified=True)
    if len(everything) == 1:
        return end, None
    box = barriers.moat(
        concrete(t, which), start.parameters[0], float(start.radius[0]), end.parameters[0]
    )
    return (end, box) if box is not None and barriers.alone(everything, box) else None


def ends_where_fourth_is_wrong(point: Reading, level: Level) -> tuple[float, float]:
    """How far inside the pattern "x_4 alone is wrong" the flow ends."""
    found = kept(point, level)
    if found is None:
        return _NAN
    end, _ = found
    value = float(lean(toy.leanings(end.parameters)[0], FOURTH))
    wobble = 20 * float(end.radius[0]) if level == "certified" else 0.0
    return value - wobble, value + wobble


def _exact_end(point: Reading, digits: int) -> tuple[Any, Any]:
    """Where the flow ends, by the third enumeration and plain small steps."""
    t = landscape_of(point)
    theta = exact_minima(concrete(t, "original"), digits)[0][0]
    for which in ("descent_ascent", "oracle")[: 1 + int(point["after"])]:
        p = concrete(t, which)
        theta = polish(
            p, tuple(mp.mpf(float(v)) for v in slow_descent(p, np.array([float(v) for v in theta])))
        )
    return theta


def _flow_claim(after: float) -> dict[str, Any]:
    cases = Cases(
        ({**NAMED, "after": after},),
        ends_where_fourth_is_wrong,
        lambda p, digits: exact_lean(_exact_end(p, digits), FOURTH),
        "some",
        rigorous=True,
    )
    domain = cases.domain(f"the reading that the scan singles out: {words_of(NAMED)}")
    return {
        "cases": cases,
        "domain": domain,
        "margin": by_cases,
        "kind": Kind.EXISTENCE,
        "source": "Sec. 5.2, Fig. 5",
    }


_PATH_NOTE = "The reading is picked by computation: the one that supports toy-minima.some-reading with the largest margin."

register(
    Claim(
        id="toy-path",
        statement="Gradient flow on the descent-ascent loss from the original's global minimum ends where x_4 alone is wrong.",
        note=_PATH_NOTE,
        **_flow_claim(0.0),
    )
)

register(
    Claim(
        id="toy-trap.small-step",
        statement="From the end of toy-path gradient flow on L_R ends in a minimum where x_4 alone is wrong.",
        note=_PATH_NOTE,
        **_flow_claim(1.0),
    )
)


# --- schedules -----------------------------------------------------------------------------------------------------------------

_LONG, _NOISY = 400, 2000  # steps of a constant schedule, and of a noisy one
_BURSTS, _CONSTANT, _NOISE = (
    np.geomspace(0.05, 3, 40),
    np.geomspace(1e-3, 3, 60),
    np.geomspace(1e-4, 0.1, 7),
)
_SEEDS = 20


def _schedules() -> tuple[Reading, ...]:
    """Larger steps followed by infinitely small ones; constant steps; single-sample noise."""
    listed = [(eta, float(k), -1.0) for k in range(1, 11) for eta in _BURSTS]
    listed += [(eta, float(_LONG), -1.0) for eta in _CONSTANT]
    listed += [(eta, float(_NOISY), float(seed)) for eta in _NOISE for seed in range(_SEEDS)]
    names = ("step_size", "steps", "seed")
    return tuple({**NAMED, **dict(zip(names, map(float, one), strict=True))} for one in listed)


@functools.cache
def outcomes() -> dict[tuple[float, float, float], float]:
    """For every schedule how far the minimum reached is from the oracle's global one, negative where it is that one."""
    t, listed = landscape_of(NAMED), _schedules()
    _, start = _start({**NAMED, "after": 1.0}, "sampled")
    theta, found = jnp.asarray(start.parameters[0]), minima(t, "oracle", "sampled").parameters
    far = np.abs(found - found[0]).max(1)
    far = np.r_[
        np.where(np.arange(len(found)) == 0, -far.max(), far), np.nan
    ]  # the last for place -1
    ends = np.empty((len(listed), 2))
    steps = np.array([[p["step_size"], p["steps"], p["seed"]] for p in listed])
    quiet = steps[:, 2] < 0
    sizes = np.where(np.arange(_LONG) < steps[quiet, 1:2], steps[quiet, :1], 0.0)
    ends[quiet] = jax.jit(jax.vmap(lambda eta: landscape.fine_tune(t, theta, eta)))(
        jnp.asarray(sizes)
    )

    def noisy(eta: Any, seed: Any) -> Any:
        return landscape.fine_tune(t, theta, jnp.full(_NOISY, eta), jax.random.key(seed))

    ends[~quiet] = jax.jit(jax.vmap(noisy))(steps[~quiet, 0], steps[~quiet, 2].astype(int))
    reached = landscape.settle(t, ends, "oracle")
    margin = np.where(
        np.isfinite(ends).all(1), far[reached], np.inf
    )  # what diverges does not end in that basin
    return {
        (float(eta), float(n), float(seed)): float(v)
        for (eta, n, seed), v in zip(steps, margin, strict=True)
    }


def _stays_away(point: Reading, level: Level) -> tuple[float, float]:
    if not singled_out():
        return _NAN
    value = outcomes()[point["step_size"], point["steps"], point["seed"]]
    return value, value


def _exact_schedule(point: Reading, digits: int) -> Any:
    """The same for full-gradient schedules, each step in mpmath; NaN for noise."""
    if point["seed"] >= 0:
        return mp.nan
    p = concrete(landscape_of(point), "oracle")
    known = [theta for theta, _ in exact_minima(p, digits)]
    theta = _exact_descent_ascent(point, digits)
    for _ in range(int(point["steps"])):
        slope = toy.expansion(p, theta, xp=MPMATH)[1]
        theta = tuple(v - mp.mpf(point["step_size"]) * g for v, g in zip(theta, slope, strict=True))
    end = polish(
        p, tuple(mp.mpf(float(v)) for v in slow_descent(p, np.array([float(v) for v in theta])))
    )
    far = [max(abs(v - w) for v, w in zip(one, known[0], strict=True)) for one in known]
    reached = max(abs(v - w) for v, w in zip(end, known[0], strict=True))
    return -max(far) if reached < mp.mpf(10) ** -6 else reached


def _exact_descent_ascent(point: Reading, digits: int) -> tuple[Any, Any]:
    return _exact_end({**point, "after": 0.0}, digits)


_ANY = Cases(
    _schedules(),
    _stays_away,
    _exact_schedule,
    "every",
    bound="full steps of that size from descent-ascent's minimum, then gradient flow on L_R",
)


# --- steps that are short enough ---------------------------------------------------------------------------------------------

_SHORT = 0.2


def room(point: Reading, level: Level) -> tuple[float, float]:
    """2 over the largest curvature in the box that keeps the flow, minus the longest step."""
    found = kept({**point, "after": 1.0}, "certified")
    if (
        found is None
        or found[1] is None
        or ends_where_fourth_is_wrong({**point, "after": 1.0}, level)[0] <= 0
    ):
        return _NAN
    low = (
        2 / barriers.steepest_bend(concrete(landscape_of(point), "oracle"), found[1])
        - point["longest_step"]
    )
    return low * (1 - 1e-12), math.inf


def _exact_room(point: Reading, digits: int) -> Any:
    """The same with the curvature at the minimum itself: an upper bound."""
    p, theta = concrete(landscape_of(point), "oracle"), _exact_end({**point, "after": 1.0}, digits)
    _, _, (aa, ab, bb) = toy.expansion(p, theta, xp=MPMATH)
    return 2 / ((aa + bb) / 2 + mp.sqrt(((aa - bb) / 2) ** 2 + ab**2)) - mp.mpf(
        point["longest_step"]
    )


_SHORT_STEPS = Cases(
    ({**NAMED, "longest_step": _SHORT},), room, _exact_room, "every", rigorous=True
)

register(
    Claim(
        id="toy-trap.any-finetuning",
        statement="From the end of toy-path no schedule on L_R (constant step, at most 10 larger steps followed by small ones, "
        "single-sample noise) ends in the basin of the oracle's global minimum.",
        source="Sec. 5.2",
        kind=Kind.ORDERING,
        domain=_ANY.domain(
            "steps of 0.05 to 3 for 1 to 10 steps and then gradient flow; 400 constant "
            "steps of 1e-3 to 3; 2,000 single-sample steps "
            "of 1e-4 to 0.1, 20 seeds each; from the end of toy-path, in its reading"
        ),
        margin=by_cases,
        cases=_ANY,
        note="The margin is the distance from the oracle's global minimum, negative where a schedule ends in its basin.",
        repaired=Claim(
            id="toy-trap.any-finetuning.repaired",
            statement="Full-gradient schedules whose steps are all at most 1/5, constant or not, never leave the trap.",
            source="ours",
            kind=Kind.ORDERING,
            domain=_SHORT_STEPS.domain(
                "every sequence of steps in (0, 1/5], from the end of toy-path, in its reading"
            ),
            margin=by_cases,
            cases=_SHORT_STEPS,
            note="No step climbs where it is at most 2 over the largest curvature: the "
            "segment to the next point stays in the box "
            "whose edges are higher than the start, and the trap is the only stationary point in it.",
        ),
    )
)
