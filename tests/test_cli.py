"""The command line: exit codes, one line for every expected trouble, nothing half-written, resumption."""

import json
import os
import subprocess
import sys

import pytest
from rich.console import Console
from typer.testing import CliRunner

from ascentfail import cli, figures, theory
from ascentfail.theory import check, get, record, units

QUICK = ("--level", "sampled", "--jobs", "1")
IDS = ("lemma-3.main", "lemma-4", "corollary-1.separate", "lemma-12.wlog")


@pytest.fixture(autouse=True)
def quiet_start(monkeypatch):
    """The compile cache of a test is nobody's business, and a wide page keeps lines whole."""
    monkeypatch.setattr("ascentfail.files.enable_compile_cache", lambda: None)
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


def program(*arguments, cwd):
    return subprocess.run(
        [sys.executable, "-m", "ascentfail", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=cwd,
        env={**os.environ, "ASCENTFAIL_CACHE": str(cwd / "cache"), "NO_COLOR": "1", "COLUMNS": "120"},
    )


# --- help -----------------------------------------------------------------------------------------------------------


def test_help_imports_nothing_heavy():
    code = (
        "import sys\nfrom typer.testing import CliRunner\nfrom ascentfail.cli import app\n"
        "for words in (['--help'], ['verify', '--help'], ['reproduce', '--help']):\n"
        "    result = CliRunner().invoke(app, words)\n    assert result.exit_code == 0, result.output\n"
        "print(*sorted({'jax', 'jaxlib', 'numpy', 'mpmath', 'matplotlib', 'optax'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr


def test_help_names_every_command():
    result = CliRunner().invoke(cli.app, ["--help"])
    assert result.exit_code == 0
    for command in ("verify", "explain", "figures", "explore", "reproduce"):
        assert command in result.output


# --- the program from outside ---------------------------------------------------------------------------------------


def test_verify_one_claim_from_outside(tmp_path):
    done = program("verify", "lemma-3.main", "--samples", 256, "--json", "out/v.json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "lemma-3.main" in done.stdout and "fails" in done.stdout and "\x1b" not in done.stdout
    assert json.loads((tmp_path / "out" / "v.json").read_text())["claims"][0]["id"] == "lemma-3.main"
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["v.json"]


def test_unknown_id_from_outside(tmp_path):
    done = program("verify", "lemma-3.mian", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1 and "lemma-3.main" in done.stderr and "Traceback" not in done.stderr


# --- verify ---------------------------------------------------------------------------------------------------------


def test_json_layout(run, tmp_path):
    path = tmp_path / "v.json"
    code, _, err = run("verify", "lemma-3.main", "corollary-1.separate", "lemma-4", "--samples", 256, "--json", path)
    assert (code, err) == (0, "")
    data = json.loads(path.read_text())
    assert set(data) == {"claims", "versions", "seed", "seconds"}
    assert isinstance(data["seed"], int) and data["seconds"] > 0
    main, separate, lemma_4 = data["claims"]
    for entry in (main, separate, lemma_4, main["repaired"]):
        assert {"id", "status", "kind", "source", "evidence", "counterexample", "repaired"} <= set(entry)
        evidence = entry["evidence"]
        assert {"level", "samples", "worst_margin", "worst_point", "certified_fraction", "undecided"} <= set(evidence)
    assert (main["status"], main["repaired"]["status"], lemma_4["status"]) == ("fails", "holds", "holds")
    assert set(main["counterexample"]) == {"point", "margin", "digits"} and main["counterexample"]["digits"] == 50
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
        ("verify", "lemma-4", "--level", "bogus"),
        ("verify", "lemma-4", "--bogus"),
        ("figures", "--format", "bmp"),
        ("explain",),
        ("bogus",),
    ],
    ids=" ".join,
)
def test_wrong_usage(run, arguments):
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert err and "Traceback" not in err


def test_an_unwritable_json_path(run, tmp_path):
    (tmp_path / "file").write_text("in the way")
    code, _, err = run("verify", "lemma-4", "--samples", 64, "--json", tmp_path / "file" / "v.json")
    assert code == 2
    assert err.count("\n") == 1 and err.startswith("ascentfail: cannot write") and str(tmp_path / "file") in err
    assert [p.name for p in tmp_path.iterdir()] == ["file"] and (tmp_path / "file").read_text() == "in the way"


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


@pytest.mark.parametrize("content", [None, "{", "[]", '{"claim": "no-such-claim"}', '{"claim": "lemma-4"}'])
def test_a_certificate_that_is_none_is_not_accepted(run, tmp_path, content):
    pytest.importorskip("flint")
    path = tmp_path / "certificate.json"
    if content is not None:
        path.write_text(content)
    code, out, err = run("verify", "--certificate", path)
    assert code in (1, 2) and out == "" and err.count("\n") == 1 and err.startswith("ascentfail: ")


# --- explain --------------------------------------------------------------------------------------------------------


def test_explain_prints_the_counterexample_and_what_holds_instead(run):
    code, out, err = run("explain", "lemma-3.main", "--level", "sampled")
    assert (code, err) == (0, "")
    found = check(get("lemma-3.main")).counterexample
    assert "fails" in out and repr(found.margin) in out and "50 digits" in out
    assert f"phi = {found.point['phi']:.6g}" in out and "lemma-3.main.repaired" in out and "holds" in out
    assert "proved" not in out


def test_explain_prints_the_bound_of_an_exclusion(run):
    code, out, _ = run("explain", "corollary-1.separate", "--level", "sampled")
    assert code == 0 and "does not tend" in " ".join(out.split())


@pytest.mark.parametrize("claim", theory.claims(), ids=lambda c: c.id)
def test_explain_loses_no_word_to_markup(claim):
    evidence, console = theory.Evidence("sampled", 8, 0.5, {"x": 1.0}), Console(width=100_000, highlight=False)

    def entry(c):
        repaired = entry(c.repaired) if c.repaired else None
        return theory.Verdict(c.id, c.statement, c.source, c.kind, "holds", evidence, None, repaired)

    with console.capture() as captured:
        console.print(cli._explanation(claim, entry(claim).to_json()))
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
        return units.Unit(entry, {}, {claim_id: "<figure></figure>"} if draw else {})

    monkeypatch.setattr(theory, "claims", lambda: (get("lemma-3.main"), get("lemma-4")))
    monkeypatch.setattr(units, "run", counted)
    monkeypatch.setattr(figures, "figures", dict)
    return checked


def test_reproduce_resumes(run, tmp_path, small):
    out_folder = tmp_path / "results"
    code, out, err = run("reproduce", *QUICK, "--out", out_folder)
    assert (code, err) == (0, "") and small == ["lemma-3.main", "lemma-4"]
    first = json.loads((out_folder / "verdicts.json").read_text())["claims"]
    assert "`lemma-3.main`" in (out_folder / "verdicts.md").read_text()
    assert {p.name for p in (out_folder / "verdicts").iterdir()} == {"lemma-3.main.json", "lemma-4.json"}

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


@pytest.mark.parametrize("verdict", ["missing", {}, None, {"id": "lemma-4"}], ids=["missing", "empty", "null", "cut"])
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
