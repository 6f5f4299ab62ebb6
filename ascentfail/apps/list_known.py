"""The command `list`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from ascentfail.apps.options import Level
from ascentfail.apps.results import STYLES
from ascentfail.apps.terminal import console


def list_known(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[WORD ...]", help="Show only what has all of these."),
    ] = None,
) -> None:
    """List claims, as recorded, and figures, a line each; those that have all the words in id, verdict, statement or source."""
    from ascentfail.apps.listing import items

    found = [
        item for item in items([level.value for level in reversed(Level)]) if item.has(words or [])
    ]
    if not found:
        print(
            f"ascentfail: no recorded claim and no figure has all of: {' '.join(words or [])}",
            file=sys.stderr,
        )
        raise typer.Exit(1)
    width = max(len(item.name) for item in found)
    if not sys.stdout or not sys.stdout.isatty():  # whole lines, for grep
        print(
            *(f"{item.name:<{width}}  {item.status:<7}  {item.statement}" for item in found),
            sep="\n",
        )
        return
    from rich.text import Text

    for item in found:
        status = (f"{item.status:<7}", STYLES.get(item.status, ""))
        line = Text.assemble(f"{item.name:<{width}}  ", status, f"  {item.statement}")
        console().print(line, no_wrap=True, overflow="ellipsis")
