r"""The landscape of the paper's toy network: losses, stationary points, basins of attraction, fine-tuning.

This module is the door; behind it `toy` has the formulas, `toy.points` and `toy.boxes` find and prove the stationary points, and
`toy.paths` follows gradient flow and schedules of steps.
"""

from __future__ import annotations

from ascentfail.toy.network import correct, gradient, hessian, loss
from ascentfail.toy.paths import basins, fine_tune, flow, settle
from ascentfail.toy.points import (
    Continuation,
    Event,
    StationaryPoints,
    continuation,
    refine,
    stationary_points,
)

__all__ = [
    "Continuation",
    "Event",
    "StationaryPoints",
    "basins",
    "continuation",
    "correct",
    "fine_tune",
    "flow",
    "gradient",
    "hessian",
    "loss",
    "refine",
    "settle",
    "stationary_points",
]
