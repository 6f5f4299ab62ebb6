"""The recorded verdicts, by level of evidence: one generated file, only ever compared with, never believed."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ascentfail.claims.check import LEVELS
from ascentfail.claims.claim import Level
from ascentfail.claims.verdict import Verdict
from ascentfail.core import files
from ascentfail.core.errors import invalid
from ascentfail.core.files import fingerprint, versions, write_json

_HOME = Path(files.__file__).parents[1]
RECORD = _HOME / "theory" / "recorded" / "ascent_fails.json"
_STATED_WITH = (
    "core",
    "numerics",
    "problems",
    "line",
    "plane",
    "toy",
    "dynamics",
    "claims",
    "theory",
)  # what verdicts depend on


@functools.cache
def source_fingerprint() -> str:
    """Hash of the sources of the mathematics and the claims."""
    return fingerprint(*sorted(_HOME.glob("*.py")), *(_HOME / room for room in _STATED_WITH))


def document(
    verdicts: Iterable[Verdict], seed: int, seconds: float | None = None
) -> dict[str, Any]:
    """Verdicts as the data that `ascentfail verify --json` writes."""
    data: dict[str, Any] = {
        "claims": [v.to_json() for v in verdicts],
        "versions": versions(),
        "seed": seed,
    }
    return data if seconds is None else {**data, "seconds": round(seconds, 2)}


def load(level: Level | None = None, path: Path | None = None) -> list[dict[str, Any]]:
    """The verdicts recorded at a level, by default the strongest recorded one; an empty list where nothing is recorded."""
    levels = _levels(path or RECORD)
    strongest = next((name for name in reversed(LEVELS) if name in levels), None)
    return levels.get(level or strongest or "", [])


def _levels(path: Path) -> dict[str, list[dict[str, Any]]]:
    return json.loads(path.read_text())["levels"] if path.exists() else {}


def save(verdicts: Iterable[Verdict], level: Level, path: Path | None = None) -> None:
    """Writes the record of a level; claims that were not run this time, and other levels, stay as they were."""
    path = path or RECORD
    new = [v.to_json() for v in verdicts]
    fresh = {entry["id"] for entry in new}
    order = {claim_id: i for i, claim_id in enumerate(_order())}
    if not order:  # nobody has imported the claims: every entry would be dropped as unknown
        raise invalid(
            "verdicts", sorted(fresh), "verdicts of claims that `ascentfail.theory` lists"
        )
    entries = [entry for entry in load(level, path) if entry["id"] not in fresh] + new
    entries = sorted((e for e in entries if e["id"] in order), key=lambda e: order[e["id"]])
    write_json(path, {"levels": {**_levels(path), level: entries}, "versions": versions()})


def _order() -> list[str]:
    from ascentfail.claims.registry import claims

    return [claim.id for claim in claims()]


def statuses(entries: Iterable[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """(id, status) of every verdict and of its repaired statement."""
    for entry in entries:
        yield entry["id"], entry["status"]
        if entry["repaired"]:
            yield from statuses([entry["repaired"]])


def differences(verdicts: Iterable[Verdict], level: Level, path: Path | None = None) -> list[str]:
    """One line for every verdict that is not the one recorded: at its level, or at the strongest where that one lacks it."""
    recorded = dict(statuses(entry for name in (*LEVELS, level) for entry in load(name, path)))
    found = statuses(v.to_json() for v in verdicts)
    return [
        f"{claim_id}: {status}, recorded: {recorded.get(claim_id, 'nothing')}"
        for claim_id, status in found
        if recorded.get(claim_id) != status
    ]
