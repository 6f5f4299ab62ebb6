"""Stationary points: of a problem, and of the formulas behind it."""

from __future__ import annotations

from ascentfail.core.errors import invalid
from ascentfail.core.explained import explained
from ascentfail.core.models import Model, check_model
from ascentfail.plane.stationary_points import (
    StationaryKind,
    StationaryPoint,
    fold,
    from_pulls,
    in_plane,
    log_existence_alpha,
    on_axes,
    plane,
)
from ascentfail.problems.protocol import Linear

__all__ = [
    "StationaryKind",
    "StationaryPoint",
    "fold",
    "from_pulls",
    "in_plane",
    "log_existence_alpha",
    "on_axes",
    "plane",
    "stationary_point",
]


@explained
def stationary_point(problem: Linear, which: Model) -> StationaryPoint:
    r"""The minimum of one of the three objectives, or the word that there is none.

        grad L_which(w)/ridge = w - beta l(x) (1, eps)/(1 + eps^2) - (+-) gamma l(y) (eps, 1)/(1 + eps^2) = 0

    Args:
        problem: SemiOrthogonal (scalar or (axes,)) or CrossCorrelated, exponential or logistic loss.
        which: "original", "oracle" or "descent_ascent". For descent-ascent this is the local minimum, never the saddle; where
            the logistic loss has two minima, the one that the exponential loss continues (smallest forget pull).

    Returns:
        StationaryPoint. Where descent-ascent has no minimum: kind NONE, converged False, weights and margins NaN. With several
        axes the point exists where it exists on every axis.

    Raises:
        ValueError: unknown model.

    Paper: Sec. 5.1, App. D and I.
    """
    check_model(which)
    if not isinstance(problem, Linear):
        raise invalid("problem", type(problem).__name__, "a SemiOrthogonal or a CrossCorrelated")
    return problem.stationary_point(which)
