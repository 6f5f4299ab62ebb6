"""Verdicts for people: a Markdown table, and the words for one claim."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ascentfail.theory.claim import percent

Entry = dict[str, Any]  # a verdict as plain data


def number(value: float | None) -> str:
    """A number in four figures."""
    return "-" if value is None else f"{value:.4g}"


def point(coordinates: dict[str, float]) -> str:
    """Coordinates in one line."""
    return ", ".join(f"{name} = {value:.6g}" for name, value in coordinates.items())


def is_ours(entry: Entry) -> bool:
    """Whether the statement is ours, and not printed in the paper."""
    return entry["source"].startswith("ours")


def proof_word(entry: Entry) -> str:
    """How strong the evidence is, in the words of the table; only certified or symbolic evidence is called proved."""
    evidence = entry["evidence"]
    level = evidence["level"]
    if entry["status"] == "fails" and entry["counterexample"]:
        return f"counterexample, {entry['counterexample']['digits']} digits"
    if entry["status"] == "holds" and level == "symbolic":
        return "proved (symbolic)"
    if entry["status"] == "vacuous" and level == "certified":
        return "a side condition excludes every box"
    if level == "certified" and evidence["certified_fraction"] is not None:
        fraction = evidence["certified_fraction"]
        if entry["status"] == "holds" and fraction == 1:
            return "proved (certified)"
        return f"certified on {percent(fraction)} of the box"
    return f"{level}, {evidence['samples']:,} points"


def finding(entry: Entry) -> str:
    """What the reader should take away: the counterexample and the repaired statement, or the domain."""
    if entry["status"] != "fails":
        return entry["domain"] or entry["evidence"]["words"]
    text = f"at {point(entry['counterexample']['point'])} the margin is {number(entry['counterexample']['margin'])}"
    repaired = entry["repaired"]
    return f"{text}. Repaired: {repaired['statement']} ({repaired['status']}, {proof_word(repaired)})" if repaired else text


def markdown_table(entries: Iterable[Entry]) -> str:
    """The verdict table of the README and of `reproduce`."""
    lines = ["| claim | as printed | verdict | evidence | where, or what instead |", "|---|---|---|---|---|"]
    for entry in entries:
        cells = (f"`{entry['id']}`", entry["statement"], f"**{entry['status']}**", proof_word(entry), finding(entry))
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def summary(entries: Iterable[Entry]) -> str:
    """Counts of the statuses, in one line."""
    counts: dict[str, int] = {}
    for entry in entries:
        counts[entry["status"]] = counts.get(entry["status"], 0) + 1
    return ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
