"""What a problem is: the paper's problems, their losses, and losses of your own."""

from __future__ import annotations

from ascentfail.problems.paper import LOSSES, CrossCorrelated, SemiOrthogonal

__all__ = ["LOSSES", "CrossCorrelated", "SemiOrthogonal"]
