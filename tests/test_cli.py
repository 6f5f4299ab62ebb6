"""The command line: exit codes, one line for every expected trouble, nothing half-written, resumption."""

import json
import os
import signal
import subprocess
import sys

import pytest
from rich.console import Console
from test_workers import below, linux, runs, started, until
from typer.testing import CliRunner

from ascentfail import __version__, figures, theory
from ascentfail.apps import claim_runs, cli, draw, explain, explore, reproduce, verify
from ascentfail.claims import record
from ascentfail.theory import check, get

QUICK = ("--level", "sampled", "--jobs", "1")
IDS = ("lemma-3.main", "lemma-4", "corollary-1.separate", "lemma-12.wlog")


@pytest.fixture(autouse=True)
def quiet_start(monkeypatch):
    """The compile cache of a test is nobody's business, and a wide page keeps lines whole."""
    monkeypatch.setattr("ascentfail.core.files.enable_compile_cache", lambda: None)
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture
def run(monkeypatch, capsys):
    """The program in this process: (exit code, stdout, stderr)."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["ascentfail", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as caught:
            cli.main()
        out, err = capsys.readouterr()
        return caught.value.code or 0, out, err

    return call


@pytest.fixture(scope="module")
def verdicts():
    return [check(get(claim_id), samples=256) for claim_id in IDS]


@pytest.fixture(autouse=True)
def recorded(monkeypatch, tmp_path_factory, verdicts):
    """A record of its own, and where it lies."""
    path = tmp_path_factory.mktemp("record") / "recorded.json"
    monkeypatch.setattr(record, "RECORD", path)
    record.save(verdicts, "sampled")
    return path


def program(*arguments, cwd, stdout=subprocess.PIPE, **environment):
    return subprocess.run(
        [sys.executable, "-m", "ascentfail", *map(str, arguments)],
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        timeout=120,
        cwd=cwd,
        env={
            **os.environ,
            "ASCENTFAIL_CACHE": str(cwd / "cache"),
            "NO_COLOR": "1",
            "COLUMNS": "120",
            **environment,
        },
    )


# --- help -----------------------------------------------------------------------------------------------------------


def test_help_imports_nothing_heavy():
    code = (
        "import sys\nfrom typer.testing import CliRunner\nfrom ascentfail.apps.cli import app\n"
        "for words in (['--help'], ['verify', '--help'], ['reproduce', '--help']):\n"
        "    result = CliRunner().invoke(app, words)\n    assert result.exit_code == 0, result.output\n"
        "print(*sorted({'jax', 'jaxlib', 'numpy', 'mpmath', 'matplotlib', 'optax'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr


def test_help_names_every_command():
    result = CliRunner().invoke(cli.app, ["--help"])
    assert result.exit_code == 0
    for command in ("verify", "explain", "list", "figures", "explore", "reproduce"):
        assert command in result.output


# --- the program from outside ---------------------------------------------------------------------------------------


def test_verify_one_claim_from_outside(tmp_path):
    done = program("verify", "lemma-3.main", "--samples", 256, "--json", "out/v.json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "lemma-3.main" in done.stdout and "fails" in done.stdout and "\x1b" not in done.stdout
    assert (
        json.loads((tmp_path / "out" / "v.json").read_text())["claims"][0]["id"] == "lemma-3.main"
    )
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["v.json"]


def test_a_result_names_all_of_its_claims(run):
    ids = ["lemma-3.main", "lemma-3.setup", "lemma-3.farthest", "lemma-3.appendix"]
    _, out, _ = run("verify", "lemma-3", "lemma-3.main", "--samples", 64, "--json", "-")
    assert [entry["id"] for entry in json.loads(out)["claims"]] == ids
    _, out, _ = run("explain", "lemma-3", "--level", "sampled")
    assert [
        line.split()[0]
        for line in out.splitlines()
        if line.startswith(tuple(f"{name}  " for name in ids))
    ] == ids


def test_unknown_id_from_outside(tmp_path):
    done = program("verify", "lemma-3.mian", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert (
        done.stderr.count("\n") == 1
        and "lemma-3.main" in done.stderr
        and "Traceback" not in done.stderr
    )


@pytest.fixture
def unread():
    """The writing end of a pipe that nobody reads."""
    reads, writes = os.pipe()
    os.close(reads)
    yield writes
    os.close(writes)


@pytest.mark.parametrize(
    "arguments",
    [
        ("verify", "lemma-3.main", "--samples", 64, "--json", "v.json"),
        ("list",),
        ("--help",),
        ("--version",),
    ],
)
def test_a_reader_that_leaves_is_no_error(tmp_path, unread, arguments):
    done = program(*arguments, cwd=tmp_path, stdout=unread)
    assert (done.returncode, done.stderr) == (0, "")
    assert (
        arguments[0] != "verify"
        or json.loads((tmp_path / "v.json").read_text())["claims"][0]["id"] == "lemma-3.main"
    )


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device of Linux")
def test_a_full_disk_behind_the_output_is_said_once(tmp_path):
    with open("/dev/full", "w") as full:
        done = program("list", cwd=tmp_path, stdout=full)
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "No space left" in done.stderr


def test_letters_that_the_output_lacks_are_no_error(tmp_path):
    done = program("verify", "l\u00e9mma", cwd=tmp_path, PYTHONIOENCODING="ascii")
    assert done.returncode == 2 and "l\\xe9mma" in done.stderr and "Traceback" not in done.stderr
    with (tmp_path / "out").open("w") as out:
        done = program("list", "figure", cwd=tmp_path, stdout=out, PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("backend", ["no-such-backend", "module://no_such_module", "tkagg"])
def test_figures_need_no_window_whatever_backend_is_set(tmp_path, backend):
    done = program("figures", "stability", "--out", "out", cwd=tmp_path, MPLBACKEND=backend)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "out" / "stability.png").read_bytes().startswith(b"\x89PNG")


@linux
def test_a_command_that_is_stopped_leaves_nothing(tmp_path):
    """The ways to end are tried in test_workers; this is the command itself, with its workers at work."""
    environment = {"ASCENTFAIL_CACHE": str(tmp_path / "cache"), "PYTHONPATH": os.getcwd()}
    command = [sys.executable, "-m", "ascentfail", "verify", "--jobs", "2", "--json", "v.json"]
    process, others = started(
        command, tmp_path, lambda one: len(below(one.pid)) >= 3, **environment
    )
    os.kill(process.pid, signal.SIGTERM)
    assert process.wait(60) == 143
    until(lambda: not any(map(runs, others)))
    assert (tmp_path / "stderr").read_text() == "ascentfail: stopped\n"
    assert not [path for path in tmp_path.iterdir() if "v.json" in path.name]


# --- verify ---------------------------------------------------------------------------------------------------------


def test_json_layout(run, tmp_path):
    path = tmp_path / "v.json"
    code, _, err = run(
        "verify",
        "lemma-3.main",
        "corollary-1.separate",
        "lemma-4",
        "--samples",
        256,
        "--json",
        path,
    )
    assert (code, err) == (0, "")
    data = json.loads(path.read_text())
    assert set(data) == {"claims", "versions", "seed", "seconds"}
    assert isinstance(data["seed"], int) and data["seconds"] > 0
    main, separate, lemma_4 = data["claims"]
    for entry in (main, separate, lemma_4, main["repaired"]):
        assert {"id", "status", "kind", "source", "evidence", "counterexample", "repaired"} <= set(
            entry
        )
        evidence = entry["evidence"]
        assert {
            "level",
            "samples",
            "worst_margin",
            "worst_point",
            "certified_fraction",
            "undecided",
        } <= set(evidence)
    assert (main["status"], main["repaired"]["status"], lemma_4["status"]) == (
        "fails",
        "holds",
        "holds",
    )
    assert (
        set(main["counterexample"]) == {"point", "margin", "digits"}
        and main["counterexample"]["digits"] == 50
    )
    assert set(main["counterexample"]["point"]) == {"alpha", "phi", "b", "ratio"}
    assert separate["counterexample"]["bound"]
    assert lemma_4["counterexample"] is None and lemma_4["repaired"] is None
    assert lemma_4["evidence"]["level"] == "sampled"
    assert theory.recheck(get("lemma-3.main"), main["counterexample"]["point"]).violated


def test_a_repaired_statement_can_be_verified_by_its_id(run):
    code, out, _ = run("verify", "lemma-3.main.repaired", "--samples", 256)
    assert code == 0 and "holds" in out


def test_nothing_below_certified_is_called_proved(run):
    _, out, _ = run("verify", "lemma-4", "lemma-3.main", "--samples", 64)
    assert "proved" not in out and "sampled" in out


@pytest.mark.parametrize("command", ["verify", "explain"])
@pytest.mark.parametrize("typo", ["lemma-3.mian", "nonsense", ""])
def test_unknown_id(run, command, typo):
    code, out, err = run(command, typo)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1 and "nearest: " in err
    assert typo != "lemma-3.mian" or "lemma-3.main" in err


def test_one_unknown_id_among_known_ones_checks_nothing(run, tmp_path):
    code, out, _ = run("verify", "lemma-4", "nonsense", "--json", tmp_path / "v.json")
    assert (code, out) == (2, "") and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("verify", "lemma-4", "--samples", "0"),
        ("verify", "lemma-4", "--samples", "-1"),
        ("verify", "lemma-4", "--samples", "many"),
        ("verify", "lemma-4", "--samples", "1e30"),
        ("verify", "lemma-4", "--samples", "1" + "0" * 30),
        ("verify", "lemma-4", "--samples", "nan"),
        ("verify", "lemma-4", "--jobs", "0"),
        ("verify", "lemma-4", "--jobs", "1.5"),
        ("verify", "lemma-4", "--json", ""),
        ("verify", "lemma-4", "--json"),
        ("verify", "lemma-4", "--json", "~no-such-user-anywhere/v.json"),
        ("verify", "lemma-4", "--certificate", ""),
        ("verify", "lemma-4", "--certificates", ""),
        ("verify", "lemma-4", "--certificate", "c.json"),
        ("verify", "--certificate", "c.json", "--json", "v.json"),
        ("verify", "--certificate", "c.json", "--record"),
        ("verify", "--certificate", "c.json", "--certificates", "out"),
        ("figures", "--out", ""),
        ("explore", "--out", ""),
        ("reproduce", "--out", ""),
        ("reproduce", "--jobs", "-1"),
        ("explain", "lemma-4", "--level", ""),
        ("list", "--bogus"),
        ("verify", "lemma-4", "--level", "bogus"),
        ("verify", "lemma-4", "--bogus"),
        ("figures", "--format", "bmp"),
        ("explain",),
        ("bogus",),
    ],
    ids=" ".join,
)
def test_wrong_usage(run, arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert err and "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("verify", "lemma-4", "--json", "folder"),
        ("verify", "lemma-4", "--json", "file/v.json"),
        ("verify", "lemma-4", "--json", "x" * 300),
        ("verify", "lemma-4", "--certificates", "file"),
        ("figures", "stability", "--out", "file"),
        ("figures", "stability", "--out", "file/deeper"),
        ("explore", "--out", "folder"),
        ("explore", "--out", "file/page.html"),
        ("reproduce", "--out", "file"),
    ],
    ids=lambda words: " ".join(words)[:40],
)
def test_what_cannot_be_written_is_said_before_the_work(run, arguments, tmp_path, monkeypatch):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("in the way")
    monkeypatch.chdir(tmp_path)
    for command in (verify, draw, explore, reproduce):
        monkeypatch.setattr(command, "start", lambda: pytest.fail("the work has begun"))
    code, out, err = run(*arguments)
    assert (
        (code, out) == (2, "")
        and err.count("\n") == 1
        and err.startswith("ascentfail: cannot write ")
    )
    assert {path.name for path in tmp_path.iterdir()} == {"file", "folder"}


def test_a_tilde_that_the_shell_left_is_the_home_folder(run, tmp_path, monkeypatch):
    """As in --json=~/v.json."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    assert run("verify", "lemma-4", "--samples", 64, "--json=~/v.json")[0] == 0
    assert (tmp_path / "home" / "v.json").is_file() and [
        path.name for path in tmp_path.iterdir()
    ] == ["home"]


def test_json_to_the_output_is_all_that_goes_there(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = run("verify", "lemma-4", "--samples", 64, "--json", "-")
    assert code == 0 and [entry["id"] for entry in json.loads(out)["claims"]] == ["lemma-4"]
    assert "lemma-4" in err and list(tmp_path.iterdir()) == []


def test_files_are_written_before_the_table(run, tmp_path, monkeypatch, recorded):
    def unprinted(*_, **__):
        raise RuntimeError

    monkeypatch.setattr(verify, "print_table", unprinted)
    command = f"ascentfail verify lemma-4 --samples 64 --record --json {tmp_path / 'v'}"
    monkeypatch.setattr(sys, "argv", command.split())
    recorded.unlink()
    with pytest.raises(RuntimeError):
        cli.main()
    assert (tmp_path / "v").is_file() and recorded.is_file()


def test_an_unwritable_json_path(run, tmp_path):
    (tmp_path / "file").write_text("in the way")
    code, _, err = run("verify", "lemma-4", "--samples", 64, "--json", tmp_path / "file" / "v.json")
    assert code == 2
    assert (
        err.count("\n") == 1
        and err.startswith("ascentfail: cannot write")
        and str(tmp_path / "file") in err
    )
    assert [p.name for p in tmp_path.iterdir()] == ["file"] and (
        tmp_path / "file"
    ).read_text() == "in the way"


def test_a_full_disk(run, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    code, _, err = run("verify", "lemma-4", "--samples", 64, "--json", tmp_path / "v.json")
    assert code == 2 and err.count("\n") == 1 and "No space left" in err
    assert list(tmp_path.iterdir()) == []


def test_exit_1_when_the_record_says_otherwise(run, recorded):
    data = json.loads(recorded.read_text())
    data["levels"]["sampled"] = [{**e, "status": "open"} for e in data["levels"]["sampled"]]
    recorded.write_text(json.dumps(data))
    code, _, err = run("verify", "lemma-4", "--samples", 64)
    assert code == 1 and err.splitlines() == [
        "differs from the record: lemma-4: holds, recorded: open",
        "what is right may be recorded: ascentfail verify ID ... --record",
    ]


def test_record_writes_what_was_found_and_nothing_else_does(run, recorded):
    recorded.unlink()
    code, _, err = run("verify", "lemma-4", "--samples", 64)
    assert code == 1 and "recorded: nothing" in err and not recorded.exists()
    assert run("verify", "lemma-4", "--samples", 64, "--record")[0] == 0
    assert [entry["id"] for entry in record.load("sampled")] == ["lemma-4"]
    assert run("verify", "lemma-4", "--samples", 64)[0] == 0


WRONG = {
    "missing": None, "empty": "", "cut": "{", "a list": "[]", "a number": "3", "deep": "[" * 3_000_000,
    "deep objects": '{"a":' * 200_000,
    "NaN": '{"claim": "lemma-4", "boxes": NaN}', "infinite": '{"claim": Infinity}', "digits": '{"claim": ' + "1" * 10_000 + "}",
    "unknown": '{"claim": "no-such-claim"}', "no claim": "{}", "long": '{"claim": "' + "x" * 100_000 + '"}',
    "claim is a number": '{"claim": 3}', "claim is a list": '{"claim": ["lemma-4"]}', "nothing proved": '{"claim": "lemma-4"}',
}  # fmt: skip


@pytest.mark.parametrize("content", WRONG.values(), ids=WRONG)
def test_a_certificate_that_is_none_is_not_accepted(run, tmp_path, content):
    pytest.importorskip("flint")
    path = tmp_path / "certificate.json"
    if content is not None:
        path.write_text(content)
    code, out, err = run("verify", "--certificate", path)
    assert (
        code in (1, 2)
        and out == ""
        and err.count("\n") == 1
        and err.startswith("ascentfail: ")
        and len(err) < 1000
    )


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", "a folder"])
def test_a_certificate_that_is_no_text_is_not_accepted(run, tmp_path, content):
    pytest.importorskip("flint")
    if isinstance(content, bytes):
        (tmp_path / "c.json").write_bytes(content)
    code, out, err = run(
        "verify", "--certificate", tmp_path / "c.json" if isinstance(content, bytes) else tmp_path
    )
    assert (
        (code, out) == (2, "") and err.count("\n") == 1 and "not a readable JSON certificate" in err
    )


# --- version and list ---------------------------------------------------------------------------------------------


def test_version(run):
    assert run("--version") == (0, f"ascentfail {__version__}\n", "")


def test_list_has_a_line_for_each(run):
    code, out, err = run("list")
    members = [member for claim in theory.claims() for member in claim.family()]
    assert (code, err) == (0, "")
    assert [line.split()[0] for line in out.splitlines()] == [m.id for m in members] + list(
        figures.figures()
    )
    assert all(
        member.statement in line for member, line in zip(members, out.splitlines(), strict=False)
    )


def test_list_is_filtered_by_words(run):
    code, out, _ = run("list", "toy", "FAILS")
    assert (
        code == 0
        and "toy-minima.literal" in out
        and all("fails" in line for line in out.splitlines())
    )
    assert run("list", "stability", "figure")[1].split()[:2] == ["stability", "figure"]
    code, out, err = run("list", "no-such-word", "toy")
    assert (code, out) == (1, "") and err.count("\n") == 1 and "no-such-word toy" in err


# --- explain --------------------------------------------------------------------------------------------------------


def test_explain_prints_the_counterexample_and_what_holds_instead(run):
    code, out, err = run("explain", "lemma-3.main", "--level", "sampled")
    assert (code, err) == (0, "")
    found = check(get("lemma-3.main")).counterexample
    assert "fails" in out and repr(found.margin) in out and "50 digits" in out
    assert (
        f"phi = {found.point['phi']:.6g}" in out
        and "lemma-3.main.repaired" in out
        and "holds" in out
    )
    assert "proved" not in out


def test_explain_prints_the_bound_of_an_exclusion(run):
    code, out, _ = run("explain", "corollary-1.separate", "--level", "sampled")
    assert code == 0 and "does not tend" in " ".join(out.split())


@pytest.mark.parametrize("claim", theory.claims(), ids=lambda c: c.id)
def test_explain_loses_no_word_to_markup(claim):
    evidence, console = (
        theory.Evidence("sampled", 8, 0.5, {"x": 1.0}),
        Console(width=100_000, highlight=False),
    )

    def entry(c):
        repaired = entry(c.repaired) if c.repaired else None
        return theory.Verdict(
            c.id, c.statement, c.source, c.kind, "holds", evidence, None, repaired
        )

    with console.capture() as captured:
        console.print(explain._explanation(claim, entry(claim).to_json()))
    for member in claim.family():
        for text in (member.statement, member.source, member.domain.words, member.note):
            assert text in captured.get()


# --- figures and reproduce ------------------------------------------------------------------------------------------


def test_unknown_figure(run, tmp_path):
    known = list(figures.figures())
    code, out, err = run("figures", "nonsense", "--out", tmp_path / "out")
    assert (code, out) == (2, "")
    assert err.count("\n") == 1 and "nonsense" in err
    assert not known or any(name in err for name in known)
    assert not (tmp_path / "out").exists()


@pytest.fixture
def small(monkeypatch, verdicts):
    """Two claims and no figures, and which of them were checked."""
    checked = []

    def counted(claim_id, level, samples=0, draw=False):
        checked.append(claim_id)
        entry = next(v for v in verdicts if v.id == claim_id).to_json()
        return claim_runs.Unit(entry, {}, {claim_id: "<figure></figure>"} if draw else {})

    monkeypatch.setattr(theory, "claims", lambda: (get("lemma-3.main"), get("lemma-4")))
    monkeypatch.setattr(claim_runs, "run", counted)
    monkeypatch.setattr(figures, "figures", dict)
    return checked


def test_reproduce_resumes(run, tmp_path, small):
    out_folder = tmp_path / "results"
    code, out, err = run("reproduce", *QUICK, "--out", out_folder)
    assert (code, err) == (0, "") and small == ["lemma-3.main", "lemma-4"]
    first = json.loads((out_folder / "verdicts.json").read_text())["claims"]
    assert "`lemma-3.main`" in (out_folder / "verdicts.md").read_text()
    assert {p.name for p in (out_folder / "verdicts").iterdir()} == {
        "lemma-3.main.json",
        "lemma-4.json",
    }

    small.clear()
    assert run("reproduce", *QUICK, "--out", out_folder)[0] == 0
    assert small == []
    assert json.loads((out_folder / "verdicts.json").read_text())["claims"] == first


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"key": "another version", "verdict": {}}'],
    ids=["empty", "cut", "list", "null", "not-text", "other-version"],
)
def test_a_corrupted_verdict_is_recomputed(run, tmp_path, small, content):
    run("reproduce", *QUICK, "--out", tmp_path)
    path = tmp_path / "verdicts" / "lemma-4.json"
    good = path.read_bytes()
    path.write_bytes(content)
    small.clear()
    assert run("reproduce", *QUICK, "--out", tmp_path)[0] == 0
    assert small == ["lemma-4"] and path.read_bytes() == good


def test_reproduce_into_a_file_is_one_line(run, tmp_path, small):
    (tmp_path / "file").write_text("in the way")
    code, _, err = run("reproduce", *QUICK, "--out", tmp_path / "file")
    assert code == 2 and err.count("\n") == 1 and err.startswith("ascentfail: cannot write")
    assert (tmp_path / "file").read_text() == "in the way"


# --- found by trying ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "verdict", ["missing", {}, None, {"id": "lemma-4"}], ids=["missing", "empty", "null", "cut"]
)
def test_a_verdict_file_with_a_hole_is_recomputed(run, tmp_path, small, verdict):
    run("reproduce", *QUICK, "--out", tmp_path)
    path = tmp_path / "verdicts" / "lemma-4.json"
    saved = json.loads(path.read_text())
    saved = {"key": saved["key"]} if verdict == "missing" else {**saved, "verdict": verdict}
    path.write_text(json.dumps(saved))
    small.clear()
    assert run("reproduce", *QUICK, "--out", tmp_path)[0] == 0 and small == ["lemma-4"]


def test_an_edited_verdict_is_not_believed(run, tmp_path, small):
    run("reproduce", *QUICK, "--out", tmp_path)
    path = tmp_path / "verdicts" / "lemma-3.main.json"
    saved = json.loads(path.read_text())
    saved["verdict"]["status"] = "holds"
    path.write_text(json.dumps(saved))
    run("reproduce", *QUICK, "--out", tmp_path)
    entry = json.loads((tmp_path / "verdicts.json").read_text())["claims"][0]
    assert entry["status"] == "fails"


def test_the_table_keeps_every_id_whole_at_80_columns(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    _, out, _ = run("verify", "beyond-5.minimum-and-saddle", "lemma-12.wlog", "--samples", 64)
    assert "beyond-5.minimum-and-saddle" in out and "verdict" in out and "50 digits" in out


@pytest.mark.parametrize("columns", ["1", "20", "40", "60", "0", "-3", "wide"])
def test_no_width_hides_a_verdict(run, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", columns)
    _, out, _ = run("verify", "lemma-3.main", "lemma-4", "--samples", 64)
    assert all(
        word in out
        for word in ("lemma-3.main", "lemma-4", "fails", "holds", "50 digits", "sampled, ")
    )


@pytest.mark.parametrize("columns", ["20", "40"])
def test_no_width_hides_what_is_explained(run, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", columns)
    _, out, _ = run("explain", "lemma-4", "--level", "sampled")
    assert (
        "".join(get("lemma-4").statement.split()) in "".join(out.replace("statement", "").split())
        and "holds" in out
    )


@pytest.mark.parametrize("command", ["figures", "explore"])
def test_an_unknown_name_is_answered_with_all_names_by_group(run, command, tmp_path):
    code, out, err = run(command, "resul", "--out", tmp_path / "x")
    assert (code, out, err.count("\n")) == (2, "", 1) and "unknown" in err and "'resul'" in err
    drawn = ("paper: fig04-window, fig05-landscape", "beyond: continuation, ", "stability")
    assert all(words in err for words in (drawn if command == "figures" else ("line, plane, toy",)))


def test_a_figure_named_twice_is_drawn_once(run, tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(
        draw, "draw_one", lambda name, out, format: drawn.append(name) or [out / name]
    )
    assert run("figures", "stability", "stability", "--out", tmp_path)[0] == 0 and drawn == [
        "stability"
    ]


def test_want_of_memory_is_one_line(run, monkeypatch):
    def want(*_):
        raise MemoryError

    monkeypatch.setattr(claim_runs, "run", want)
    code, out, err = run("verify", "lemma-4")
    assert (code, out) == (2, "") and err.count("\n") == 1 and "memory" in err


def test_importing_the_entry_point_runs_nothing():
    import ascentfail.__main__  # noqa: F401


@pytest.mark.parametrize(
    ("name", "tree", "code", "said"),
    [
        ("lemma-3.appendix", None, 0, "proved (boxes)"),
        ("lemma-3.appendix", "U", 1, "not proved: 0 % decided by 1 box, 1 of them undecided"),
        ("beyond-1.identity", None, 0, "proved (identity)"),
        ("corollary-1.joint", None, 1, "that the claim follows from them is said in words"),
    ],
)
def test_a_certificate_is_worth_what_it_proves(run, tmp_path, name, tree, code, said):
    from ascentfail.claims.evidence.certify import certify

    found = certify(theory.get(name))
    content = found.certificate if tree is None else {**found.certificate, "tree": tree}
    (tmp_path / "c.json").write_text(json.dumps(content))
    exit_code, out, err = run("verify", "--certificate", tmp_path / "c.json")
    assert (
        (exit_code, err) == (code, "")
        and out.startswith(f"{name}: ")
        and said in out
        and "100" not in out
    )
