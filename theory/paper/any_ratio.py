r"""The toy network: does the picture of Figure 5 hang on the ratio of the ascent to the descent step?

The ratio kappa enters the descent-ascent loss linearly, with the loss of the forgotten copies. So what lies above the loss of one
fixed point at both ends of an interval of kappa lies above it in between: finitely many proofs cover a whole interval.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
from mpmath import mp

from ascentfail.claims.claim import Cases, Claim, Kind, Level, by_cases
from ascentfail.claims.registry import register
from ascentfail.core.models import Model
from ascentfail.numerics.arithmetic import MPMATH
from ascentfail.theory.toy_interpretations import (
    FOURTH,
    NAMED,
    THIRD,
    Reading,
    exact_minima,
    exact_shows,
    landscape_of,
    shows,
    words_of,
)
from ascentfail.toy import barriers, landscape
from ascentfail.toy import network as toy
from ascentfail.toy.network import ToyLandscape
from ascentfail.toy.points import concrete

# One witness serves every ratio: three copies at x = 4 of which two are forgotten.
WITNESS = {"m0": 5.0, "m1": 4.0, "m2": 1.0, "m3": 3.0, "f0": 0.0, "f1": 0.0, "f2": 0.0, "f3": 2.0}
PRINTED = {**WITNESS, "m3": 4.0}
_PIECES = 8
_CLEARANCE = 1e-3  # of the loss, the least that a proof claims


def _pieces(witness: Reading, low: float, high: float) -> tuple[Reading, ...]:
    """Neighbouring intervals of kappa that cover [low, high], each with its witness."""
    inner = [float(v) for v in np.geomspace(low, high, _PIECES + 1)[1:-1]]
    ends = [low, *inner, high]
    return tuple(
        {**NAMED, **witness, "low": a, "high": b} for a, b in zip(ends, ends[1:], strict=False)
    )


def _at(t: ToyLandscape, kappa: float) -> ToyLandscape:
    return dataclasses.replace(t, ascent_ratio=kappa)


def _ratios(point: Reading) -> tuple[float, float, float]:
    return point["low"], math.sqrt(point["low"] * point["high"]), point["high"]


_RETAINED: tuple[tuple[Model, int, bool], ...] = (
    ("original", THIRD, True),
    ("oracle", THIRD, True),
    ("oracle", FOURTH, False),
)


def clearly(point: Reading, level: Level) -> tuple[float, float]:
    """The least margin over original and oracle and over an interval of kappa; a proof claims no more than `_CLEARANCE`."""
    t = landscape_of(point)
    ends = [shows(t, which, wrong, globally, level) for which, wrong, globally in _RETAINED]
    along = [
        shows(_at(t, kappa), "descent_ascent", FOURTH, True, "sampled") for kappa in _ratios(point)
    ]
    if level == "certified" and min(low for low, _ in along) > 0:
        along = [(_CLEARANCE if _proved(point, t) else math.nan, math.inf)]
    lows, highs = zip(*ends, *along, strict=True)
    return (math.nan if any(map(math.isnan, lows)) else min(lows)), min(highs)


def _proved(point: Reading, t: ToyLandscape) -> bool:
    """Whether all of the plane outside the pattern lies above one point inside it, at both ends of the interval."""
    low, middle, high = _ratios(point)
    theta = landscape.stationary_points(_at(t, middle), "descent_ascent").minima().parameters[0]
    for kappa in (low, high):
        p = concrete(_at(t, kappa), "descent_ascent")
        with mp.workdps(30):
            value = (
                float(toy.expansion(p, [mp.mpf(float(v)) for v in theta], xp=MPMATH)[0])
                + _CLEARANCE
            )
        if not barriers.above_outside(p, FOURTH, value):
            return False
    return bool(landscape.correct(theta)[:FOURTH].all() and not landscape.correct(theta)[FOURTH])


def _exact(point: Reading, digits: int) -> Any:
    """The same by the third enumeration, at both ends and in the middle of the interval."""
    t, margins = landscape_of(point), []
    for which, wrong, globally in _RETAINED:
        margins.append(exact_shows(exact_minima(concrete(t, which), digits), wrong, globally))
    for kappa in _ratios(point):
        found = exact_minima(concrete(_at(t, kappa), "descent_ascent"), digits)
        margins.append(exact_shows(found, FOURTH, True))
    return min(margins)


def _parts(witness: Reading, low: float, high: float) -> dict[str, Any]:
    where = "at an end or the middle of the interval"
    cases = Cases(_pieces(witness, low, high), clearly, _exact, "every", rigorous=True, bound=where)
    words = f"kappa_step in [{low:g}, {high:g}], {_PIECES} intervals; {words_of(NAMED)}"
    return {
        "kind": Kind.ORDERING,
        "domain": cases.domain(words),
        "margin": by_cases,
        "cases": cases,
    }


_PATTERNS = (
    "original and oracle have their global minimum where x_3 alone is wrong, the global minimum of L_R - kappa_step L_F (sums) "
    "has x_4 alone wrong, and L_R has a local minimum in that pattern"
)

register(
    Claim(
        id="any-ratio",
        statement=f"For every kappa_step in [0.05, 10] some integer multiplicities and "
        f"forget counts of the toy give: {_PATTERNS}.",
        source="Sec. 5.2",
        note="One witness serves them all: multiplicities (5, 4, 1, 3), two of the three copies at x = 4 forgotten.",
        **_parts(WITNESS, 0.05, 10.0),
    )
)

register(
    Claim(
        id="any-ratio.printed-counts",
        statement="The printed counts (5, 4, 1, 4), two copies at x = 4 forgotten, are a "
        "witness for every kappa_step in [0.05, 10].",
        source="ours",
        note="Where the ascent is weak the two retained copies outweigh the forgotten ones, "
        "and x_3 alone wrong stays the lowest.",
        **_parts(PRINTED, 0.05, 10.0),
        repaired=Claim(
            id="any-ratio.printed-counts.repaired",
            statement="The same for every kappa_step in [0.54, 10].",
            source="ours",
            **_parts(PRINTED, 0.54, 10.0),
        ),
    )
)
