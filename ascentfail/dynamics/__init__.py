"""How an unlearning run gets where it ends: descent-ascent, its flow, and the rules that stop it."""

from __future__ import annotations

from ascentfail.dynamics.ascent import check_choice, check_metrics, descent_ascent, levels_of
from ascentfail.dynamics.directions import direction, half_steps

__all__ = [
    "check_choice",
    "check_metrics",
    "descent_ascent",
    "direction",
    "half_steps",
    "levels_of",
]
