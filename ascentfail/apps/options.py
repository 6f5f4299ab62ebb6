"""What the commands' options and arguments take."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Any

import typer


class Level(StrEnum):
    """Strength of evidence to ask for."""

    sampled = "sampled"
    searched = "searched"
    certified = "certified"


class Format(StrEnum):
    """File format of a figure."""

    png = "png"
    pdf = "pdf"
    svg = "svg"


def path_of(text: str) -> Path:
    """A name as typed; a ~ that the shell left, as in --out=~/x, is the home folder."""
    if not str(text):
        raise typer.BadParameter("an empty name")
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise typer.BadParameter(f"{text}: no such home folder") from None


FILE: Any = {"parser": path_of, "metavar": "FILE"}
FOLDER: Any = {"parser": path_of, "metavar": "FOLDER"}
