"""The command `explain`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ascentfail.apps.options import Level
from ascentfail.apps.results import STYLES, selected
from ascentfail.apps.terminal import console, progress, start

if TYPE_CHECKING:
    from rich.console import Group

    from ascentfail.theory import Claim


def explain(
    claim_id: Annotated[
        str,
        typer.Argument(
            metavar="ID", help="lemma-3.main for one claim, lemma-3 for all of Lemma 3."
        ),
    ],
    level: Annotated[
        Level | None, typer.Option(help="Evidence to gather; the strongest installed without it.")
    ] = None,
) -> None:
    """Show a claim: its statement, domain, evidence, and the counterexample or what holds instead."""
    start()
    from ascentfail.theory import check

    chosen, wanted = selected([claim_id]), level.value if level else _strongest()
    with progress("checking", len(chosen)) as done:
        entries = []
        for claim in chosen:
            entries.append(check(claim, wanted).to_json())
            done(claim.id)
    for claim, entry in zip(chosen, entries, strict=True):
        console().print(_explanation(claim, entry))


def _strongest() -> Any:
    """Level "certified" where its extra is installed, "searched" elsewhere."""
    from ascentfail.core.errors import MissingExtraError
    from ascentfail.numerics.arithmetic import arb, symbolic

    try:
        arb()
        symbolic()
    except MissingExtraError:
        return "searched"
    return "certified"


def _explanation(claim: Claim, entry: dict[str, Any]) -> Group:
    """A heading and a table of two columns, so that long texts wrap within theirs; below it the repaired statement's."""
    from rich.console import Group
    from rich.padding import Padding
    from rich.table import Table

    from ascentfail.figures.report.summary import number, point, proof_word

    evidence, style = entry["evidence"], STYLES[entry["status"]]
    facts = [
        ("statement", claim.statement),
        ("source", claim.source),
        ("domain", claim.domain.words),
    ]
    facts += [("note", claim.note)] if claim.note else []
    words = f": {evidence['words']}" if evidence["words"] else ""
    facts.append(("evidence", f"{evidence['grade']}, {evidence['samples']:,} points{words}"))
    if entry["counterexample"]:
        found = entry["counterexample"]
        facts.append(("refuted at", point(found["point"])))
        facts.append(("", f"margin {found['margin']!r}, confirmed to {found['digits']} digits"))
        facts += [("", found["bound"])] if found.get("bound") else []
    elif evidence["worst_point"]:
        facts.append(
            (
                "closest",
                f"margin {number(evidence['worst_margin'])} at {point(evidence['worst_point'])}",
            )
        )
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(
        overflow="fold"
    )  # on a narrow screen a long word goes on below, and is not cut
    for label, text in facts:
        table.add_row(label, _escape(text))
    below = ["", _explanation(claim.repaired, entry["repaired"])] if claim.repaired else []
    heading = f"[bold]{claim.id}[/]  [{style}]{entry['status']}[/]  {proof_word(entry)}"
    return Group(heading, Padding(table, (0, 0, 0, 2)), *below)


def _escape(text: str) -> str:
    from rich.markup import escape

    return escape(text)
