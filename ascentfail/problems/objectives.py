r"""What an iteration moves on: the mean losses of retain and forget set, the ridge, and the oracle, for any problem."""

from __future__ import annotations

from typing import Any

from ascentfail.core.errors import invalid
from ascentfail.problems.protocol import Problem


def start_and_oracle(
    problem: Any, start: Any, oracle: Any, key: Any = None, batch_size: int | None = None
) -> tuple[Any, Any]:
    """The start and the oracle's weights as arrays of the problem's shape.

    Args:
        problem: any Problem.
        start: weights, or the name of a model for the paper's problems.
        oracle: the same, None for the problem's own.
        key: of the run, None without.
        batch_size: samples drawn from each set, None without.

    Returns:
        (start, oracle).

    Raises:
        ValueError: unknown problem, wrong shapes, weights that are not finite, no oracle, a loss that fails or is no finite
            scalar at start or oracle, or one that cannot be called with the key or on the batches that are asked for.
    """
    if not isinstance(problem, Problem):
        raise invalid(
            "problem", problem, "SemiOrthogonal, CrossCorrelated, ToyLandscape or ascentfail.Losses"
        )
    return problem.start_and_oracle(start, oracle, key, batch_size)
