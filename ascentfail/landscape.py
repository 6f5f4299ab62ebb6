r"""The landscape of the paper's toy network: losses, stationary points, basins of attraction, fine-tuning.

This module is the door; behind it `toy` has the formulas, `toy_points` and `toy_boxes` find and prove the stationary points, and
`toy_paths` follows gradient flow and schedules of steps.
"""

from __future__ import annotations

from ascentfail.toy import correct, gradient, hessian, loss
from ascentfail.toy_paths import basins, fine_tune, flow, settle
from ascentfail.toy_points import Continuation, Event, StationaryPoints, continuation, refine, stationary_points

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
