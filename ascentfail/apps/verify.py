"""The command `verify`."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ascentfail.apps.options import FILE, FOLDER, Level, path_of
from ascentfail.apps.results import compare, print_table, selected
from ascentfail.apps.terminal import check_outputs, start, stop, work

if TYPE_CHECKING:
    from ascentfail.claims.evidence.certificate import Checked
    from ascentfail.theory import Claim, Verdict


def verify(
    ids: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ID ...]", help="lemma-3.main, or lemma-3 for all of it; all without any."
        ),
    ] = None,
    level: Annotated[Level, typer.Option(help="Strongest evidence to gather.")] = Level.sampled,
    samples: Annotated[
        int, typer.Option(min=1, max=1 << 24, help="Points to sample for each claim.")
    ] = 1 << 15,
    json_file: Annotated[
        str | None,
        typer.Option(
            "--json", metavar="FILE", help="Write the verdicts to this file; - is standard output."
        ),
    ] = None,
    record: Annotated[
        bool, typer.Option(help="Record these verdicts as the ones to compare with.")
    ] = False,
    certificate: Annotated[
        Path | None, typer.Option(**FILE, help="Re-verify this certificate and nothing else.")
    ] = None,
    certificates: Annotated[
        Path | None, typer.Option(**FOLDER, help="Write the certificates found to this folder.")
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Processes; 2 for all claims, else 1.")
    ] = None,
) -> None:
    """Check the claims. Exit 0: every verdict is the recorded one; 1: some differ; 2: wrong usage."""
    if certificate:
        if ids or json_file is not None or record or certificates:
            raise typer.BadParameter(
                "goes without ids, --json, --record and --certificates", param_hint="--certificate"
            )
        _verify_certificate(certificate)
        return
    to_file = path_of(json_file) if json_file not in (None, "-") else None
    check_outputs(to_file, certificates)
    start()
    from ascentfail.apps import claim_runs
    from ascentfail.claims.record import differences, document, save
    from ascentfail.claims.verdict import Verdict
    from ascentfail.core.files import write_json

    started = time.perf_counter()
    names = [claim.id for claim in selected(ids or [])]
    found: dict[str, Verdict] = {}
    unproved: list[str] = []
    tasks = [(claim_runs.run, claim_id, level.value, samples) for claim_id in names]
    for name, unit in work("checking", tasks, jobs or (1 if ids else 2)):
        found[name] = Verdict.from_json(unit.verdict)
        for claim_id, content in unit.certificates.items() if certificates else ():
            write_json((certificates or Path()) / f"{claim_id}.json", content)
        if certificates and not unit.certificates:
            unproved.append(unit.verdict["id"])
    verdicts, seconds = [found[name] for name in names], time.perf_counter() - started
    if to_file:  # files first: what reads the table may leave
        write_json(to_file, document(verdicts, 0, seconds))
    if record:
        save(verdicts, level.value)
    if json_file == "-":
        print(json.dumps(document(verdicts, 0, seconds), indent=1, allow_nan=False))
    print_table(verdicts, seconds, stderr=json_file == "-")
    if unproved:
        cure = "" if level is Level.certified else "; certificates are found at --level certified"
        print(f"no certificate for {', '.join(sorted(unproved))}{cure}", file=sys.stderr)
    compare(differences(verdicts, level.value))


def _verify_certificate(path: Path) -> None:
    """One line; exit 0 where a certificate proves its claim, 1 where it does not: rejected, undecided, vacuous, or argued."""
    start()
    from ascentfail.numerics.arithmetic import arb

    arb()
    from ascentfail.apps.claim_runs import read_saved
    from ascentfail.claims.evidence.certificate import CertificateError, check_certificate
    from ascentfail.theory import get

    content = read_saved(path)
    if content is None:
        stop(f"{path} is not a readable JSON certificate")
    try:
        claim = get(str(content.get("claim")))
    except KeyError as error:
        stop(error.args[0])
    try:
        found = check_certificate(claim, content)
    except CertificateError as error:
        print(f"ascentfail: rejected: {error}", file=sys.stderr)
        raise typer.Exit(1) from None
    print(f"{claim.id}: {_worth(found, claim)}")
    raise typer.Exit(0 if found.proves else 1)


def _worth(found: Checked, claim: Claim) -> str:
    """What a certificate was found to be worth."""
    from ascentfail.claims.verdict import percent

    boxes = f"{found.boxes:,} box{'' if found.boxes == 1 else 'es'}"
    if found.undecided:
        return f"not proved: {percent(found.decided)} decided by {boxes}, {found.undecided:,} of them undecided"
    if found.vacuous:
        return f"not proved: its side conditions exclude all of it ({boxes})"
    if found.grade == "argued":
        return f"argued: {len(claim.proof) or 1} steps verified ({boxes}); that the claim follows from them is said in words"
    return f"proved ({found.grade}), {boxes}"
