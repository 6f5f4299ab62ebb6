"""The command line. JAX and the other rooms are imported when a command needs them, so that --help answers at once."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from rich.console import Console, Group

    from ascentfail.claims.evidence.certificate import Checked
    from ascentfail.theory import Claim, Verdict

app = typer.Typer(
    name="ascentfail",
    help="Checks the theory of 'Ascent Fails to Forget' and draws its figures.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
_BESIDE = 38  # columns of the table beside the ids: verdict, repaired, 15 for the evidence, and what separates them
_STYLES = {"holds": "green", "fails": "red", "open": "yellow", "vacuous": "magenta"}


class Level(StrEnum):
    """Strength of evidence to ask for."""

    sampled = "sampled"
    searched = "searched"
    certified = "certified"


class Format(StrEnum):
    """File format of a figure."""

    png = "png"
    pdf = "pdf"
    svg = "svg"


def main() -> None:
    """Entry point: every expected trouble ends in one line and exit code 2, a signal in 128 and its number."""
    from ascentfail.core.errors import MissingExtraError
    from ascentfail.core.streams import patient
    from ascentfail.core.workers import Stopped, WorkerLostError, stoppable

    try:
        with patient(), stoppable():
            app()
    except Stopped:
        print("ascentfail: stopped", file=sys.stderr)
        raise
    except MissingExtraError as error:
        _stop(str(error))
    except WorkerLostError:
        _stop("a process was ended from outside, perhaps for want of memory; try --jobs 1")
    except MemoryError:
        _stop("not enough memory; ask for fewer --samples, or --jobs 1")
    except OSError as error:
        if error.filename is None and error.errno is None:
            raise
        _stop(f"cannot write {error.filename or 'the output'}: {error.strerror or error}")


def _stop(message: str) -> NoReturn:
    print(f"ascentfail: {message}", file=sys.stderr)
    sys.exit(2)


def _path(text: str) -> Path:
    """A name as typed; a ~ that the shell left, as in --out=~/x, is the home folder."""
    if not str(text):
        raise typer.BadParameter("an empty name")
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise typer.BadParameter(f"{text}: no such home folder") from None


_FILE: Any = {"parser": _path, "metavar": "FILE"}
_FOLDER: Any = {"parser": _path, "metavar": "FOLDER"}


def _console(stderr: bool = False) -> Console:
    from rich.console import Console

    console = Console(stderr=stderr, highlight=False)
    if console.width < 1:  # COLUMNS=0, as some shells and schedulers set it, says nothing of the width
        console.width = 80
    return console


@contextmanager
def _progress(what: str, total: int) -> Iterator[Callable[[str], None]]:
    """A progress bar with count and estimate on a terminal, and silence elsewhere; yields "one more done"."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = _console(stderr=True)
    if not console.is_terminal:  # a bar that is merely disabled ends in an empty line with rich 13
        yield lambda name: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda name: bar.update(task, advance=1, description=f"{what}: {name}")


def _start() -> None:
    os.environ["MPLBACKEND"] = "agg"  # files are drawn, no window; and the one that is set need not be installed
    from ascentfail.core.files import enable_compile_cache
    from ascentfail.core.precision import enable_x64

    enable_x64()
    enable_compile_cache()


def _selected(ids: list[str]) -> list[Claim]:
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
        return [claim for claim in claims() if claim.id.startswith(f"{name}.")] or _stop(error.args[0])


def _say_version(wanted: bool) -> None:
    if wanted:
        from ascentfail import __version__

        print(f"ascentfail {__version__}")
        raise typer.Exit


@app.callback()
def _every(
    version: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Checks the theory of 'Ascent Fails to Forget' and draws its figures."""


@app.command()
def verify(
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID ...]", help="lemma-3.main, or lemma-3 for all of it; all without any.")
    ] = None,
    level: Annotated[Level, typer.Option(help="Strongest evidence to gather.")] = Level.sampled,
    samples: Annotated[int, typer.Option(min=1, max=1 << 24, help="Points to sample for each claim.")] = 1 << 15,
    json_file: Annotated[
        str | None, typer.Option("--json", metavar="FILE", help="Write the verdicts to this file; - is standard output.")
    ] = None,
    record: Annotated[bool, typer.Option(help="Record these verdicts as the ones to compare with.")] = False,
    certificate: Annotated[Path | None, typer.Option(**_FILE, help="Re-verify this certificate and nothing else.")] = None,
    certificates: Annotated[Path | None, typer.Option(**_FOLDER, help="Write the certificates found to this folder.")] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes; 2 for all claims, else 1.")] = None,
) -> None:
    """Check the claims. Exit 0: every verdict is the recorded one; 1: some differ; 2: wrong usage."""
    if certificate:
        if ids or json_file is not None or record or certificates:
            raise typer.BadParameter("goes without ids, --json, --record and --certificates", param_hint="--certificate")
        _verify_certificate(certificate)
        return
    to_file = _path(json_file) if json_file not in (None, "-") else None
    _check_writable(to_file, certificates)
    _start()
    from ascentfail.apps import claim_runs
    from ascentfail.claims.record import differences, document, save
    from ascentfail.claims.verdict import Verdict
    from ascentfail.core.files import write_json

    started = time.perf_counter()
    selected = [claim.id for claim in _selected(ids or [])]
    found: dict[int, Verdict] = {}
    unproved: list[str] = []
    tasks = [(claim_runs.run, claim_id, level.value, samples) for claim_id in selected]
    for i, unit in _work("checking", tasks, jobs or (1 if ids else 2)):
        found[i] = Verdict.from_json(unit.verdict)
        for claim_id, content in unit.certificates.items() if certificates else ():
            write_json((certificates or Path()) / f"{claim_id}.json", content)
        if certificates and not unit.certificates:
            unproved.append(unit.verdict["id"])
    verdicts, seconds = [found[i] for i in range(len(selected))], time.perf_counter() - started
    if to_file:  # files first: what reads the table may leave
        write_json(to_file, document(verdicts, 0, seconds))
    if record:
        save(verdicts, level.value)
    if json_file == "-":
        print(json.dumps(document(verdicts, 0, seconds), indent=1, allow_nan=False))
    _print_table(verdicts, seconds, stderr=json_file == "-")
    if unproved:
        cure = "" if level is Level.certified else "; certificates are found at --level certified"
        print(f"no certificate for {', '.join(sorted(unproved))}{cure}", file=sys.stderr)
    _compare(differences(verdicts, level.value))


def _check_writable(file: Path | None = None, folder: Path | None = None) -> None:
    """What cannot be written is said before the work, not after it."""
    from ascentfail.core.files import check_writable

    if file:
        check_writable(file)
    if folder:
        check_writable(folder, folder=True)


def _work(what: str, tasks: Sequence[tuple[Any, ...]], jobs: int) -> Iterator[tuple[int, Any]]:
    """Runs (function, name, arguments ...) in this process or in several; yields (index, result) as they end."""
    from ascentfail.core.workers import results

    with _progress(what, len(tasks)) as done:
        for i, result in results(tasks, jobs, _start):
            done(tasks[i][1])
            yield i, result


def _compare(changed: list[str]) -> NoReturn:
    """Ends the command: 0 where every verdict is the recorded one, 1 where some differ."""
    for line in changed:
        print(f"differs from the record: {line}", file=sys.stderr)
    if changed:
        print("what is right may be recorded: ascentfail verify ID ... --record", file=sys.stderr)
    raise typer.Exit(1 if changed else 0)


def _verify_certificate(path: Path) -> None:
    """One line; exit 0 where a certificate proves its claim, 1 where it does not: rejected, undecided, vacuous, or argued."""
    _start()
    from ascentfail.numerics.arithmetic import arb

    arb()
    from ascentfail.apps.claim_runs import read_saved
    from ascentfail.claims.evidence.certificate import CertificateError, check_certificate
    from ascentfail.theory import get

    content = read_saved(path)
    if content is None:
        _stop(f"{path} is not a readable JSON certificate")
    try:
        claim = get(str(content.get("claim")))
    except KeyError as error:
        _stop(error.args[0])
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


def _print_table(verdicts: list[Verdict], seconds: float, stderr: bool = False) -> None:
    from rich.table import Table

    from ascentfail.figures.report.summary import proof_word, summary

    console, entries = _console(stderr), [v.to_json() for v in verdicts]
    narrow = console.width < max(len(entry["id"]) for entry in entries) + _BESIDE
    table = Table("claim", "verdict", "repaired", "evidence", box=None, pad_edge=False)
    for column in table.columns[:3]:
        column.no_wrap = True
    for entry in entries:
        status = f"[{_STYLES[entry['status']]}]{entry['status']}[/]"
        repaired = entry["repaired"]["status"] if entry["repaired"] else ""
        if narrow:
            instead = f"; repaired: {repaired}" if repaired else ""
            console.print(f"{entry['id']}\n  {status}{instead}; {proof_word(entry)}", soft_wrap=True)
        else:
            table.add_row(entry["id"], status, repaired, proof_word(entry))
    if not narrow:
        console.print(table)
    count = "1 claim" if len(entries) == 1 else f"{len(entries)} claims"
    console.print(f"{count}: {summary(entries)}; {seconds:.1f} s. One in full: ascentfail explain ID")


def _escape(text: str) -> str:
    from rich.markup import escape

    return escape(text)


@app.command()
def explain(
    claim_id: Annotated[str, typer.Argument(metavar="ID", help="lemma-3.main for one claim, lemma-3 for all of Lemma 3.")],
    level: Annotated[Level | None, typer.Option(help="Evidence to gather; the strongest installed without it.")] = None,
) -> None:
    """Show a claim: its statement, domain, evidence, and the counterexample or what holds instead."""
    _start()
    from ascentfail.theory import check

    selected, wanted = _selected([claim_id]), level.value if level else _strongest()
    with _progress("checking", len(selected)) as done:
        entries = []
        for claim in selected:
            entries.append(check(claim, wanted).to_json())
            done(claim.id)
    for claim, entry in zip(selected, entries, strict=True):
        _console().print(_explanation(claim, entry))


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

    evidence, style = entry["evidence"], _STYLES[entry["status"]]
    facts = [("statement", claim.statement), ("source", claim.source), ("domain", claim.domain.words)]
    facts += [("note", claim.note)] if claim.note else []
    words = f": {evidence['words']}" if evidence["words"] else ""
    facts.append(("evidence", f"{evidence['grade']}, {evidence['samples']:,} points{words}"))
    if entry["counterexample"]:
        found = entry["counterexample"]
        facts.append(("refuted at", point(found["point"])))
        facts.append(("", f"margin {found['margin']!r}, confirmed to {found['digits']} digits"))
        facts += [("", found["bound"])] if found.get("bound") else []
    elif evidence["worst_point"]:
        facts.append(("closest", f"margin {number(evidence['worst_margin'])} at {point(evidence['worst_point'])}"))
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")  # on a narrow screen a long word goes on below, and is not cut
    for label, text in facts:
        table.add_row(label, _escape(text))
    below = ["", _explanation(claim.repaired, entry["repaired"])] if claim.repaired else []
    heading = f"[bold]{claim.id}[/]  [{style}]{entry['status']}[/]  {proof_word(entry)}"
    return Group(heading, Padding(table, (0, 0, 0, 2)), *below)


@app.command("list")
def list_known(
    words: Annotated[list[str] | None, typer.Argument(metavar="[WORD ...]", help="Show only what has all of these.")] = None,
) -> None:
    """List claims, as recorded, and figures, a line each; those that have all the words in id, verdict, statement or source."""
    from ascentfail.apps.listing import items

    found = [item for item in items([level.value for level in reversed(Level)]) if item.has(words or [])]
    if not found:
        print(f"ascentfail: no recorded claim and no figure has all of: {' '.join(words or [])}", file=sys.stderr)
        raise typer.Exit(1)
    width = max(len(item.name) for item in found)
    if not sys.stdout or not sys.stdout.isatty():  # whole lines, for grep
        print(*(f"{item.name:<{width}}  {item.status:<7}  {item.statement}" for item in found), sep="\n")
        return
    from rich.text import Text

    for item in found:
        status = (f"{item.status:<7}", _STYLES.get(item.status, ""))
        line = Text.assemble(f"{item.name:<{width}}  ", status, f"  {item.statement}")
        _console().print(line, no_wrap=True, overflow="ellipsis")


@app.command()
def figures(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME ...]", help="Figures; all without any.")] = None,
    out: Annotated[Path, typer.Option(**_FOLDER, help="Folder to write to.")] = Path("results/figures"),
    format: Annotated[Format, typer.Option(help="Picture format.")] = Format.png,
) -> None:
    """Draw figures, each with its data (.npz) and a sidecar (.json)."""
    _check_writable(folder=out)
    _start()
    for path in _draw(names or [], out, format.value):
        print(path)


def _draw(names: list[str], out: Path, format: str) -> list[Path]:
    from ascentfail import figures as room
    from ascentfail.claims.registry import suggest

    known = list(room.figures())
    for name in names:
        if name not in known:
            _stop(suggest("figure", name, known))
    drawn = dict(_work("drawing", [(_draw_one, name, out, format) for name in dict.fromkeys(names or known)], jobs=1))
    return [path for i in sorted(drawn) for path in drawn[i]]


def _draw_one(name: str, out: Path, format: str) -> list[Path]:
    from ascentfail import figures as room

    return room.make(name, out, format)


@app.command()
def explore(
    out: Annotated[Path, typer.Option(**_FILE, help="HTML file to write.")] = Path("results/explore.html"),
) -> None:
    """Write the explorers as one HTML page with sliders that needs no network."""
    _check_writable(out)
    _start()
    from ascentfail.core.files import git_revision, versions, write_atomic
    from ascentfail.figures.explore.explorers import explorers
    from ascentfail.figures.explore.page import page, plotly_js

    plotly_js()  # what is missing is said before the work, not after it
    shown = explorers()
    with _progress("computing", sum(one.count() for one in shown.values())) as done:
        content = page(shown, versions(), git_revision(), done).encode()
    write_atomic(out, content)
    print(f"{out} ({len(content) / 1e6:.1f} MB)")


@app.command()
def reproduce(
    out: Annotated[Path, typer.Option(**_FOLDER, help="Folder to write to.")] = Path("results"),
    level: Annotated[Level, typer.Option(help="Strongest evidence to gather.")] = Level.sampled,
    jobs: Annotated[int, typer.Option(min=1, help="Processes to work in.")] = 2,
) -> None:
    """Check every claim, draw every figure, write the report; resumes where it was stopped."""
    _check_writable(folder=out)
    _start()
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
    done: dict[str, Any] = {claim.id: claim_runs.finished(claim.id, level.value, out) for claim in claims()}
    figures: list[tuple[Any, ...]] = [(_draw_one, name, out / "figures", "png") for name in names]  # first: they take longest
    checks = [(claim_runs.run_into, claim_id, level.value, out) for claim_id, unit in done.items() if not unit]
    results = dict(_work("checking and drawing", [*figures, *checks], jobs))
    done |= {task[1]: results[len(names) + i] for i, task in enumerate(checks)}
    entries = [unit.verdict for unit in done.values()]
    verdicts, seconds = [Verdict.from_json(entry) for entry in entries], time.perf_counter() - started
    write_json(out / "verdicts.json", document(verdicts, 0, seconds))
    write_atomic(out / "verdicts.md", markdown_table(entries, load()))
    embedded = {_caption(path): path.read_bytes() for i in range(len(names)) for path in results[i] if path.suffix == ".png"}
    drawn = {name: picture for unit in done.values() for name, picture in unit.drawings.items()}
    write_atomic(out / "report.html", page(claims(), entries, embedded, versions(), drawn, load()))
    _print_table(verdicts, seconds)
    print(f"Report: {out / 'report.html'}; tables: {out / 'verdicts.md'}, verdicts.json; figures: {out / 'figures'}")
    _compare(differences(verdicts, level.value))


def _caption(picture: Path) -> str:
    """Name of a figure and the first line of what its module says about it."""
    from ascentfail import figures as room

    said = (room.figures()[picture.stem].__doc__ or "").strip().splitlines()
    return f"{picture.stem}: {said[0]}" if said else picture.stem
