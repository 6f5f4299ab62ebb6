"""The three models: trained on all samples, on the retain set alone, and by descent-ascent."""

from __future__ import annotations

from typing import Any, Literal

from ascentfail.core.errors import invalid

Model = Literal["original", "oracle", "descent_ascent"]
MODELS = ("original", "oracle", "descent_ascent")


def check_model(which: Any) -> None:
    """Raises ValueError unless `which` names one of the three models."""
    if not isinstance(which, str) or which not in MODELS:
        raise invalid("which", which, ", ".join(repr(m) for m in MODELS))
