"""Verdicts for people: a Markdown table, and the words for one claim."""

from __future__ import annotations

import collections
import re
from collections.abc import Iterable, Mapping
from typing import Any

from ascentfail.claims.verdict import GRADES, PROOFS, percent

Entry = dict[str, Any]  # a verdict as plain data

# Chapters on the paper, and how the ids in them begin.
CHAPTERS = (
    ("Random forget sets", r"lemma-1\b"),
    ("One coordinate", r"lemma-[2-5]\b|first-step|early-stop|corollary-1|iterative"),
    ("Two correlated directions", r"lemma-([6-9]|1[0-2])\b|figure-4|appendix-j|dependence-causes"),
    ("The toy network", r"toy-|any-ratio"),
    ("Remarks and open questions", r"ridge-radial|influence-pc|cross-influence"),
)
OURS, OTHER = (
    "Beyond the paper: ours",
    "Other",
)  # of sources that begin with "ours", and statements that a user adds


def number(value: float | None) -> str:
    """A number in four figures."""
    return "-" if value is None else f"{value:.4g}"


def point(coordinates: dict[str, float]) -> str:
    """Coordinates in one line."""
    return ", ".join(f"{name} = {value:.6g}" for name, value in coordinates.items())


def chapter(entry: Entry) -> str:
    """The chapter of a statement: by its source where that is ours, else by its id."""
    if entry["source"].startswith("ours"):
        return OURS
    return next((title for title, begins in CHAPTERS if re.match(begins, entry["id"])), OTHER)


def of_paper(entry: Entry) -> bool:
    """Whether the statement is the paper's, as printed or as read."""
    return chapter(entry) not in (OURS, OTHER)


def proof_word(entry: Entry) -> str:
    """How strong the evidence is, in the words of the table; only what a machine checked of the statement is called proved."""
    evidence = entry["evidence"]
    grade, fraction = evidence["grade"], evidence["certified_fraction"]
    if entry["status"] == "fails" and entry["counterexample"]:
        how = {
            "boxes": ", enclosed",
            "cases": ", cases",
            "argued": ", argued beyond that point",
        }.get(grade, "")
        return f"counterexample, {entry['counterexample']['digits']} digits{how}"
    if entry["status"] == "vacuous" and grade == "boxes":
        return "a side condition excludes every box"
    if entry["status"] == "holds" and grade in PROOFS:
        return f"proved ({grade})"
    if entry["status"] == "holds" and grade == "argued":
        return "argued"
    if fraction is not None:
        return f"enclosed on {percent(fraction)} of the box"
    return f"{evidence['level']}, {evidence['samples']:,} points"


def strength(entry: Entry, record: Mapping[str, Entry] | None = None) -> str:
    """How strong the evidence is, and how strong it was when last recorded where that is more and says the same.

    A record is not evidence of this run, and is called neither proof nor proved.
    """
    known = (record or {}).get(entry["id"])
    word = proof_word(entry)
    if not known or entry["status"] != "holds" or known["status"] != "holds":
        return word
    now, before = (GRADES.index(one["evidence"]["grade"]) for one in (entry, known))
    stronger = before < now and known["evidence"]["grade"] not in ("searched", "sampled")
    return f"{word}; on record: {known['evidence']['grade']}" if stronger else word


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
    return (
        f"{text}. Repaired: {repaired['statement']} ({repaired['status']}, {strength(repaired, record)})"
        if repaired
        else text
    )


def markdown_table(entries: Iterable[Entry], record: Iterable[Entry] = ()) -> str:
    """The verdict table of `reproduce`; with a record, stronger evidence recorded before is said."""
    known = by_id(record)
    lines = [
        "| claim, and where it stands | statement | verdict | evidence | where, or what instead |",
        "|---|---|---|---|---|",
    ]
    for entry in entries:
        name = f"`{entry['id']}`<br>{entry['source']}"
        cells = (
            name,
            entry["statement"],
            f"**{entry['status']}**",
            strength(entry, known),
            finding(entry, known),
        )
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def chapters(entries: Iterable[Entry]) -> dict[str, list[Entry]]:
    """The verdicts by chapter, empty chapters left out."""
    found: dict[str, list[Entry]] = {title: [] for title in (*dict(CHAPTERS), OURS, OTHER)}
    for entry in entries:
        found[chapter(entry)].append(entry)
    return {title: members for title, members in found.items() if members}


_WORDS = {  # of one, and of several
    "holds": ("holds", "hold"), "fails": ("fails", "fail"), "open": ("is open", "are open"),
    "vacuous": ("says nothing", "say nothing"),
}  # fmt: skip


def folded_table(entries: Iterable[Entry]) -> str:
    """The verdict table of the site: a fold for each chapter, on whose outside stands how many hold and which do not."""
    entries = list(entries)
    paper, others = [e for e in entries if of_paper(e)], [e for e in entries if not of_paper(e)]
    every = list(by_id(entries).values())
    parts = [
        f"Of {len(paper)} statements of the paper, each as printed or in the reading that its row names, {summary(paper)}; of "
        f"{len(others)} of ours {summary(others)}. With the repaired ones there are {len(every)}; those that hold rest on: "
        f"{grades(every)}. Only the grades {', '.join(PROOFS[:-1])} and {PROOFS[-1]} are called proved.\n"
    ]
    for title, members in chapters(entries).items():
        said = []
        for status, words in _WORDS.items():
            ids = [f"<code>{e['id']}</code>" for e in members if e["status"] == status]
            said += (
                [_count(len(ids), words) + ("" if status == "holds" else f": {', '.join(ids)}")]
                if ids
                else []
            )
        parts.append(
            f"<details><summary><b>{title}</b> ({'; '.join(said)})</summary>\n\n{markdown_table(members)}\n</details>\n"
        )
    return "\n".join(parts)


def summary(entries: Iterable[Entry]) -> str:
    """Counts of the statuses that occur, in one line."""
    counts = collections.Counter(entry["status"] for entry in entries)
    return ", ".join(
        _count(counts[status], words) for status, words in _WORDS.items() if counts[status]
    )


def grades(entries: Iterable[Entry]) -> str:
    """On what the statements that hold rest, in one line: how many by each grade, strongest first."""
    counts = collections.Counter(
        entry["evidence"]["grade"] for entry in entries if entry["status"] == "holds"
    )
    return ", ".join(f"{counts[grade]} {grade}" for grade in GRADES if counts[grade])


def _count(number: int, words: tuple[str, str]) -> str:
    return f"{number} {words[number != 1]}"
