"""Verdicts for people: a Markdown table, and the words for one claim."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from ascentfail.theory.verdict import percent

Entry = dict[str, Any]  # a verdict as plain data

# Chapters of the README and how the ids in them begin; what begins otherwise would stand under "Other".
CHAPTERS = (
    ("Random forget sets", r"lemma-1\b"),
    ("One coordinate", r"lemma-[2-5]\b|first-step|early-stop|corollary-1|iterative"),
    ("Two correlated directions", r"lemma-([6-9]|1[0-2])\b|figure-4|appendix-j|dependence-causes"),
    ("The toy network", r"toy-|any-ratio"),
    ("Remarks and open questions", r"ridge-radial|influence-pc|cross-influence"),
    ("Beyond the paper: ours", r"beyond-"),
    ("Other", r""),
)


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


def strength(entry: Entry, record: Mapping[str, Entry] | None = None) -> str:
    """How strong the evidence is, and how strong it was when last recorded where that is more and says the same.

    A record is not evidence of this run, and is called neither proof nor proved.
    """
    known = (record or {}).get(entry["id"])
    word, level = proof_word(entry), entry["evidence"]["level"]
    if entry["status"] != "holds" or not known or known["status"] != "holds" or not proof_word(known).startswith("proved"):
        return word
    return word if level in ("certified", "symbolic") else f"{word}; on record: {known['evidence']['level']}"


def by_id(entries: Iterable[Entry]) -> dict[str, Entry]:
    """Verdicts and those of their repaired statements, by id."""
    found = {}
    for entry in entries:
        found[entry["id"]] = entry
        found |= by_id([entry["repaired"]] if entry["repaired"] else [])
    return found


def finding(entry: Entry, record: Mapping[str, Entry] | None = None) -> str:
    """What the reader should take away: the counterexample and the repaired statement, or the domain."""
    if entry["status"] != "fails":
        return entry["domain"] or entry["evidence"]["words"]
    text = f"at {point(entry['counterexample']['point'])} the margin is {number(entry['counterexample']['margin'])}"
    repaired = entry["repaired"]
    return f"{text}. Repaired: {repaired['statement']} ({repaired['status']}, {strength(repaired, record)})" if repaired else text


def markdown_table(entries: Iterable[Entry], record: Iterable[Entry] = ()) -> str:
    """The verdict table of `reproduce`; with a record, stronger evidence recorded before is said."""
    known = by_id(record)
    lines = ["| claim | as printed | verdict | evidence | where, or what instead |", "|---|---|---|---|---|"]
    for entry in entries:
        cells = (f"`{entry['id']}`", entry["statement"], f"**{entry['status']}**", strength(entry, known), finding(entry, known))
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def chapters(entries: Iterable[Entry]) -> dict[str, list[Entry]]:
    """The verdicts by chapter, empty chapters left out."""
    found: dict[str, list[Entry]] = {title: [] for title, _ in CHAPTERS}
    for entry in entries:
        found[next(title for title, begins in CHAPTERS if re.match(begins, entry["id"]))].append(entry)
    return {title: members for title, members in found.items() if members}


_WORDS = {"holds": "hold", "fails": "fail", "open": "are open", "vacuous": "say nothing"}


def folded_table(entries: Iterable[Entry]) -> str:
    """The verdict table of the README: a fold for each chapter, on whose outside stands how many hold and which do not."""
    entries = list(entries)
    counts = [f"{sum(e['status'] == s for e in entries)} {word}" for s, word in _WORDS.items()]
    parts = [f"Of {len(entries)} statements {', '.join(counts)}.\n"]
    for title, members in chapters(entries).items():
        said = []
        for status, word in _WORDS.items():
            ids = [f"<code>{e['id']}</code>" for e in members if e["status"] == status]
            said += [f"{len(ids)} {word}" + ("" if status == "holds" else f": {', '.join(ids)}")] if ids else []
        parts.append(
            f"<details><summary><b>{title}</b> ({'; '.join(said)})</summary>\n\n{markdown_table(members)}\n</details>\n"
        )
    return "\n".join(parts)


def summary(entries: Iterable[Entry]) -> str:
    """Counts of the statuses, in one line."""
    counts: dict[str, int] = {}
    for entry in entries:
        counts[entry["status"]] = counts.get(entry["status"], 0) + 1
    return ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
