"""One claim as a unit of work: checked in any process, written as one file, taken up again where it was stopped."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from ascentfail.claims.check import certified_check
from ascentfail.claims.claim import Claim, Level
from ascentfail.claims.evidence.sample import SAMPLES
from ascentfail.claims.record import source_fingerprint
from ascentfail.core.files import write_json
from ascentfail.figures.report.page import drawings
from ascentfail.theory import get

_LONGEST = 1 << 28  # bytes of a file that is read: a device or a pipe may have no end


class Unit(NamedTuple):
    """What one claim came to, as plain data that travels between processes.

    Attributes:
        verdict: the verdict, with that of the repaired statement inside.
        certificates: certificates found on the way, by claim id.
        drawings: HTML of the pictures of where the claim and its repaired statement hold, by claim id.
    """

    verdict: dict[str, Any]
    certificates: dict[str, dict[str, Any]]
    drawings: dict[str, str]


def run(claim_id: str, level: Level, samples: int = SAMPLES, draw: bool = False) -> Unit:
    """Checks one registered claim.

    Args:
        claim_id: its id; claims hold functions and do not travel between processes, their ids do.
        level: strongest evidence to gather.
        samples: points to sample, >= 1.
        draw: whether to draw the pictures too, which is cheap while the claim's functions are compiled.

    Returns:
        Unit.

    Raises:
        KeyError: no such claim.
        ClaimError, MissingExtraError, PrecisionError: as for `check`.
    """
    claim: Claim = get(claim_id)
    verdict, certificates = certified_check(claim, level, samples=samples)
    entry = verdict.to_json()
    return Unit(entry, certificates, drawings(claim, entry) if draw else {})


def run_into(claim_id: str, level: Level, folder: Path) -> Unit:
    """Checks and draws one claim and writes `verdicts/ID.json` and `certificates/ID.json` below a folder, the verdict last.

    Returns:
        Unit, without the certificates, which are long and are on disk now.

    Raises:
        OSError: the folder cannot be written; nothing half-written stays behind. Otherwise as for `run`.
    """
    unit = run(claim_id, level, draw=True)
    for name, certificate in unit.certificates.items():
        write_json(folder / "certificates" / f"{name}.json", certificate)
    content = {"verdict": unit.verdict, "drawings": unit.drawings}
    write_json(_file(folder, claim_id), {"key": _key(level, content), **content})
    return unit._replace(certificates={})


def finished(claim_id: str, level: Level, folder: Path) -> Unit | None:
    """The unit written below a folder by these sources at this level; None where there is none, or where it was edited."""
    saved = read_saved(_file(folder, claim_id))
    content = {name: saved.get(name) for name in ("verdict", "drawings")} if saved else {}
    if not saved or not content["verdict"] or saved.get("key") != _key(level, content):
        return None
    return Unit(content["verdict"], {}, content["drawings"] or {})


def _file(folder: Path, claim_id: str) -> Path:
    return folder / "verdicts" / f"{claim_id}.json"


def _key(level: Level, content: dict[str, Any]) -> str:
    """Of these sources, this level and this very content: an edited file is not taken as done."""
    return hashlib.sha256(
        f"{source_fingerprint()} {level} {json.dumps(content, sort_keys=True)}".encode()
    ).hexdigest()


def read_saved(path: Path) -> dict[str, Any] | None:
    """A JSON object that was written before; None where there is none, or where it is not ours to read."""
    try:
        with path.open("rb") as file:
            saved = json.loads(file.read(_LONGEST), parse_constant=_no_number)
    except (OSError, ValueError, RecursionError):
        return None
    return saved if isinstance(saved, dict) else None


def _no_number(name: str) -> NoReturn:
    """Python reads NaN and Infinity, which JSON has not and nothing here writes."""
    raise ValueError(name)
