"""What a problem is: the paper's problems, their losses, and losses of your own."""

from __future__ import annotations

from ascentfail.problems.paper import CrossCorrelated, SemiOrthogonal
from ascentfail.problems.sample_losses import LOSSES

__all__ = ["LOSSES", "CrossCorrelated", "SemiOrthogonal"]
