"""The command `figures`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ascentfail.apps.options import FOLDER, Format
from ascentfail.apps.terminal import check_outputs, start, unknown, work


def figures(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME ...]", help="Figures; all without any.")
    ] = None,
    out: Annotated[Path, typer.Option(**FOLDER, help="Folder to write to.")] = Path(
        "results/figures"
    ),
    format: Annotated[Format, typer.Option(help="Picture format.")] = Format.png,
) -> None:
    """Draw figures, each with its data (.npz) and a sidecar (.json)."""
    check_outputs(folder=out)
    start()
    for path in draw(names or [], out, format.value):
        print(path)


def draw(names: list[str], out: Path, format: str) -> list[Path]:
    """Draws these figures, or all; returns the files written."""
    from ascentfail import figures as room

    groups: dict[str, list[str]] = {"paper": [], "beyond": []}
    for name, module in room.figures().items():
        groups[module.__name__.split(".")[-2]].append(name)
    known = sorted(name for group in groups.values() for name in group)
    for name in names:
        if name not in known:
            unknown("figure", name, groups)
    wanted = list(dict.fromkeys(names or known))
    drawn = dict(work("drawing", [(draw_one, name, out, format) for name in wanted], jobs=1))
    return [path for name in wanted for path in drawn[name]]


def draw_one(name: str, out: Path, format: str) -> list[Path]:
    """Draws one figure, in any process; returns the files written."""
    from ascentfail import figures as room

    return room.make(name, out, format)
