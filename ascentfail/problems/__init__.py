"""What a problem is: the paper's problems, their losses, and losses of your own."""

from __future__ import annotations

from ascentfail.numerics.sample_losses import LOSSES
from ascentfail.problems.paper import CrossCorrelated, SemiOrthogonal

__all__ = ["LOSSES", "CrossCorrelated", "SemiOrthogonal"]
