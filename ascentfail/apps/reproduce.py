"""The command `reproduce`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from ascentfail.apps.draw import draw_one
from ascentfail.apps.options import FOLDER, Level
from ascentfail.apps.results import compare, print_table
from ascentfail.apps.terminal import check_outputs, start, work


def reproduce(
    out: Annotated[Path, typer.Option(**FOLDER, help="Folder to write to.")] = Path("results"),
    level: Annotated[Level, typer.Option(help="Strongest evidence to gather.")] = Level.sampled,
    jobs: Annotated[int, typer.Option(min=1, help="Processes to work in.")] = 2,
) -> None:
    """Check every claim, draw every figure, write the report; resumes where it was stopped."""
    check_outputs(folder=out)
    start()
    from ascentfail import figures as room
    from ascentfail.apps import claim_runs
    from ascentfail.claims.record import differences, document, load
    from ascentfail.claims.verdict import Verdict
    from ascentfail.core.files import versions, write_atomic, write_json
    from ascentfail.figures.report.page import page
    from ascentfail.figures.report.summary import markdown_table
    from ascentfail.theory import claims

    started = time.perf_counter()
    names = list(room.figures())
    done: dict[str, Any] = {
        claim.id: claim_runs.finished(claim.id, level.value, out) for claim in claims()
    }
    figures: list[tuple[Any, ...]] = [
        (draw_one, name, out / "figures", "png") for name in names
    ]  # first: they take longest
    checks = [
        (claim_runs.run_into, claim_id, level.value, out)
        for claim_id, unit in done.items()
        if not unit
    ]
    results = dict(work("checking and drawing", [*figures, *checks], jobs))
    done |= {name: results[name] for _, name, *_ in checks}
    entries = [unit.verdict for unit in done.values()]
    verdicts, seconds = (
        [Verdict.from_json(entry) for entry in entries],
        time.perf_counter() - started,
    )
    write_json(out / "verdicts.json", document(verdicts, 0, seconds))
    write_atomic(out / "verdicts.md", markdown_table(entries, load()))
    embedded = {
        _caption(path): path.read_bytes()
        for name in names
        for path in results[name]
        if path.suffix == ".png"
    }
    drawn = {name: picture for unit in done.values() for name, picture in unit.drawings.items()}
    write_atomic(out / "report.html", page(claims(), entries, embedded, versions(), drawn, load()))
    print_table(verdicts, seconds)
    print(
        f"Report: {out / 'report.html'}; tables: {out / 'verdicts.md'}, verdicts.json; figures: {out / 'figures'}"
    )
    compare(differences(verdicts, level.value))


def _caption(picture: Path) -> str:
    """Name of a figure and the first line of what its module says about it."""
    from ascentfail import figures as room

    said = (room.figures()[picture.stem].__doc__ or "").strip().splitlines()
    return f"{picture.stem}: {said[0]}" if said else picture.stem
