"""The claims that a command is given, and the table of their verdicts."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NoReturn

import typer

from ascentfail.apps.terminal import console, stop

if TYPE_CHECKING:
    from ascentfail.theory import Claim, Verdict

_BESIDE = 38  # columns of the table beside the ids: verdict, repaired, 15 for the evidence, and what separates them
STYLES = {"holds": "green", "fails": "red", "open": "yellow", "vacuous": "magenta"}


def selected(ids: list[str]) -> list[Claim]:
    """The claims of these names, each once; all claims without any."""
    from ascentfail.theory import claims

    named = (claim for name in ids for claim in _named(name))
    return list({claim.id: claim for claim in named}.values()) if ids else list(claims())


def _named(name: str) -> list[Claim]:
    """The claim of that id or, where there is none, all whose ids go on after a dot: lemma-3 names those of Lemma 3."""
    from ascentfail.theory import claims, get

    try:
        return [get(name)]
    except KeyError as error:
        return [claim for claim in claims() if claim.id.startswith(f"{name}.")] or stop(
            error.args[0]
        )


def compare(changed: list[str]) -> NoReturn:
    """Ends the command: 0 where every verdict is the recorded one, 1 where some differ."""
    for line in changed:
        print(f"differs from the record: {line}", file=sys.stderr)
    if changed:
        print("what is right may be recorded: ascentfail verify ID ... --record", file=sys.stderr)
    raise typer.Exit(1 if changed else 0)


def print_table(verdicts: list[Verdict], seconds: float, stderr: bool = False) -> None:
    """Prints a line for each verdict, or two on a narrow screen, and the count."""
    from rich.table import Table

    from ascentfail.figures.report.summary import proof_word, summary

    screen, entries = console(stderr), [v.to_json() for v in verdicts]
    narrow = screen.width < max(len(entry["id"]) for entry in entries) + _BESIDE
    table = Table("claim", "verdict", "repaired", "evidence", box=None, pad_edge=False)
    for column in table.columns[:3]:
        column.no_wrap = True
    for entry in entries:
        status = f"[{STYLES[entry['status']]}]{entry['status']}[/]"
        repaired = entry["repaired"]["status"] if entry["repaired"] else ""
        if narrow:
            instead = f"; repaired: {repaired}" if repaired else ""
            screen.print(f"{entry['id']}\n  {status}{instead}; {proof_word(entry)}", soft_wrap=True)
        else:
            table.add_row(entry["id"], status, repaired, proof_word(entry))
    if not narrow:
        screen.print(table)
    count = "1 claim" if len(entries) == 1 else f"{len(entries)} claims"
    screen.print(
        f"{count}: {summary(entries)}; {seconds:.1f} s. One in full: ascentfail explain ID"
    )
