"""The command `explore`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ascentfail.apps.options import FILE
from ascentfail.apps.terminal import check_outputs, progress, start, unknown


def explore(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME ...]", help="Explorers; all without any.")
    ] = None,
    out: Annotated[Path, typer.Option(**FILE, help="HTML file to write.")] = Path(
        "results/explore.html"
    ),
) -> None:
    """Write explorers, pictures with sliders, as one HTML page that needs no network."""
    check_outputs(out)
    start()
    from ascentfail.core.files import git_revision, versions, write_atomic
    from ascentfail.figures.explore.explorers import explorers
    from ascentfail.figures.explore.page import page, plotly_js

    plotly_js()  # what is missing is said before the work, not after it
    known = explorers()
    for name in names or []:
        if name not in known:
            unknown("explorer", name, {"explorers": list(known)})
    shown = {name: one for name, one in known.items() if not names or name in names}
    with progress("computing", sum(one.count() for one in shown.values())) as done:
        content = page(shown, versions(), git_revision(), done).encode()
    write_atomic(out, content)
    print(f"{out} ({len(content) / 1e6:.1f} MB)")
