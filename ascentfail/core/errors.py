"""One style of error: the argument, what it got, what it takes, and the cure."""

from __future__ import annotations

from typing import Any


def invalid(argument: str, got: Any, takes: str) -> ValueError:
    """Returns the ValueError that every public entry raises for a bad argument."""
    return ValueError(f"{argument} = {short(got)}: {argument} takes {takes}")


def short(value: Any) -> str:
    """A value in one line of at most 120 characters."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 120 else text[:117] + "..."


class MissingExtraError(ImportError):
    """An optional dependency is not installed; the message names the extra that brings it."""

    def __init__(self, what: str, package: str, extra: str):
        """Args: what needs it, the package that is missing, the extra that installs it."""
        super().__init__(
            f"{what} needs {package}; install it with: pip install 'ascentfail[{extra}]'"
        )
        self.extra = extra


class PrecisionError(RuntimeError):
    """The computation needs float64, which JAX has switched off."""

    def __init__(self, what: str):
        """Args: what needs float64."""
        super().__init__(f"{what} needs float64; call ascentfail.enable_x64() first")


class UndecidedError(RuntimeError):
    """A proof by enclosures that does not come to an end."""

    def __init__(self, what: str, left: str):
        """Args: what was to be proved, what stays undecided."""
        super().__init__(f"{what}: undecided: {left}")
