"""The recorded verdicts: one generated file, only ever compared with, never believed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ascentfail.files import versions, write_json
from ascentfail.theory.claim import Verdict

RECORD = Path(__file__).parent / "recorded.json"


def document(verdicts: Iterable[Verdict], seed: int, seconds: float | None = None) -> dict[str, Any]:
    """Verdicts as the data that `ascentfail verify --json` writes."""
    data: dict[str, Any] = {"claims": [v.to_json() for v in verdicts], "versions": versions(), "seed": seed}
    return data if seconds is None else {**data, "seconds": round(seconds, 2)}


def load(path: Path = RECORD) -> list[dict[str, Any]]:
    """The recorded verdicts as plain data; an empty list where nothing is recorded."""
    return json.loads(path.read_text())["claims"] if path.exists() else []


def save(verdicts: Iterable[Verdict], seed: int, path: Path = RECORD) -> None:
    """Writes the record; verdicts of claims that were not run this time stay as they were."""
    new = document(verdicts, seed)
    fresh = {entry["id"] for entry in new["claims"]}
    kept = [entry for entry in load(path) if entry["id"] not in fresh]
    order = {claim_id: i for i, claim_id in enumerate(_order())}
    new["claims"] = sorted(kept + new["claims"], key=lambda entry: order.get(entry["id"], len(order)))
    new["claims"] = [entry for entry in new["claims"] if entry["id"] in order]
    write_json(path, new)


def _order() -> list[str]:
    from ascentfail.theory.registry import claims

    return [claim.id for claim in claims()]


def statuses(entries: Iterable[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """(id, status) of every verdict and of its repaired statement."""
    for entry in entries:
        yield entry["id"], entry["status"]
        if entry["repaired"]:
            yield from statuses([entry["repaired"]])


def differences(verdicts: Iterable[Verdict], path: Path = RECORD) -> list[str]:
    """One line for every verdict that is not the recorded one."""
    recorded = dict(statuses(load(path)))
    found = statuses(v.to_json() for v in verdicts)
    return [
        f"{claim_id}: {status}, recorded: {recorded.get(claim_id, 'nothing')}"
        for claim_id, status in found
        if recorded.get(claim_id) != status
    ]
