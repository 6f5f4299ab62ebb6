"""The README and docs/ are executed, not believed: every block of code, every command, table, picture, citation."""

import dataclasses
import itertools
import re
import runpy
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import update_readme
from readme_commands import README, VERDICTS, blocks, command, commands, pages, written

import ascentfail as af
from ascentfail import figures, theory
from ascentfail.apps import cli
from ascentfail.claims import record, registry
from ascentfail.figures import beyond
from ascentfail.figures.explore.explorers import explorers
from ascentfail.figures.report import summary as report
from ascentfail.theory import check, get

TEXT, ROOT = written(), README.parent
PYTHON = [b for b in blocks() if b.language == "python"]


# --- nothing is left out -----------------------------------------------------------------------------------------------------


def test_every_block_is_executed_by_some_test():
    assert {b.language for b in blocks()} == {"sh", "python", "text", "bibtex", "", "{toctree}"}
    assert TEXT.count("```") == 2 * len(blocks())
    assert set(commands()) == {
        "reproduce",
        "test",
        "minute",
        "explore",
        "certificates",
        "record",
        *BENCHMARKS,
    }
    assert len(commands()) == sum(b.language == "sh" for b in blocks())
    assert [b.marker for b in PYTHON if b.marker] == [f"file: {FIGURE}"] and len(PYTHON) >= 4


@pytest.mark.parametrize(
    "block", [b.text for b in PYTHON if not b.marker], ids=lambda text: f"{len(text)} characters"
)
def test_python_blocks_run(block, tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", block], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
    following = {
        one.text: two.text for one, two in itertools.pairwise(blocks()) if two.language == "text"
    }
    assert done.stdout == following.get(block, done.stdout)


FIGURE = "figures/beyond/fig_mine.py"


def test_the_figure_of_the_readme_is_drawn(tmp_path, monkeypatch):
    """As a file of the folder of figures, found there and made like every other."""
    (tmp_path / "room").mkdir()
    (tmp_path / "room" / Path(FIGURE).name).write_text(next(b.text for b in PYTHON if b.marker))
    monkeypatch.setattr(beyond, "__path__", [*beyond.__path__, str(tmp_path / "room")])
    figures.figures.cache_clear()
    try:
        written = figures.make("mine", tmp_path)
    finally:
        figures.figures.cache_clear()
        sys.modules.pop("ascentfail.figures.beyond.fig_mine", None)
    assert [p.name for p in written] == ["mine.npz", "mine.json", "mine.png"]


# --- commands, in this process -----------------------------------------------------------------------------------------------


@pytest.fixture
def ascentfail(monkeypatch, tmp_path):
    """Runs one line of a command block, with a few words more, in a folder of its own: the exit code."""
    monkeypatch.setattr("ascentfail.core.files.enable_compile_cache", lambda: None)
    monkeypatch.chdir(tmp_path)

    def call(line, *more):
        words = shlex.split(line)
        words = words[2:] if words[:2] == ["python3", "-m"] else words
        assert words[0] == "ascentfail"
        monkeypatch.setattr(sys, "argv", [*words, *more])
        with pytest.raises(SystemExit) as caught:
            cli.main()
        return caught.value.code or 0

    return call


@pytest.mark.parametrize("name", ["minute", "certificates"])
def test_commands_of_the_first_minute(name, ascentfail, tmp_path, capsys):
    for line in command(name).splitlines():
        if line.startswith(
            "python "
        ):  # no part of the package: from the checkout, on the files that were just written
            _, script, *rest = shlex.split(line)
            done = subprocess.run(
                [sys.executable, ROOT / script, *rest], cwd=tmp_path, capture_output=True, text=True
            )
            assert (done.returncode, done.stderr) == (0, "") and "proved (boxes)" in done.stdout, (
                line
            )
            continue
        assert ascentfail(line) == 0, line
        assert capsys.readouterr().out.strip(), line
    assert [*tmp_path.rglob("*.png"), *tmp_path.rglob("*.json")]


def test_explore_in_small(ascentfail, monkeypatch, tmp_path):
    """Two places for each slider of one explorer."""
    line = explorers()["line"]
    cut = [
        dataclasses.replace(slider, values=slider.values[:2], start=0) for slider in line.sliders
    ]
    small = {"line": dataclasses.replace(line, sliders=tuple(cut))}
    monkeypatch.setattr("ascentfail.figures.explore.explorers.explorers", lambda: small)
    install, words = command("explore").split(" && ")
    assert_installs(install, "notebook")
    assert ascentfail(words) == 0
    assert (tmp_path / "explore.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


@pytest.fixture
def few(monkeypatch, tmp_path):
    """Two claims and no figure, whose record is a copy."""
    chosen = [get("lemma-3.main"), get("lemma-4")]
    monkeypatch.setattr(theory, "claims", lambda: tuple(chosen))
    monkeypatch.setattr(figures, "figures", dict)
    monkeypatch.setattr(record, "RECORD", tmp_path / "recorded.json")
    record.save([check(claim, samples=256) for claim in chosen], "sampled")


def test_reproduce_in_small(few, ascentfail, tmp_path):
    """The README's first command after its installation: fewer claims, weaker evidence, no figures."""
    install, line = command("reproduce").split(" && ")
    assert_installs(install, "certify")
    assert ascentfail(line, "--level", "sampled", "--jobs", "1") == 0
    assert (tmp_path / "results" / "report.html").is_file() and (
        tmp_path / "results" / "verdicts.md"
    ).is_file()


def test_test_command_in_small():
    """The README's second command after its installation, on one file; `.ci/run` executes it as it stands."""
    install, line = command("test").split(" && ")
    assert_installs(install, "certify", "test")
    words = [sys.executable, *shlex.split(line)[1:], "tests/test_layering.py"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert 'eval "$(python tests/readme_commands.py test)"' in (ROOT / ".ci" / "run").read_text()


def assert_installs(line, *extras):
    """That an installation names files and extras which exist."""
    words = shlex.split(line)
    assert (
        words[:4] == ["python3", "-m", "pip", "install"]
        and (ROOT / words[words.index("-c") + 1]).is_file()
    )
    known = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert words[-1] == f".[{','.join(extras)}]" and set(extras) <= set(known)


def test_record_in_small(few, ascentfail, monkeypatch, tmp_path):
    """Recording, on two claims, and writing the table anew from the record, into a copy."""
    verify, update = command("record").splitlines()
    assert ascentfail(verify, "lemma-4") == 0
    assert [e["id"] for e in record.load("certified")] == ["lemma-4"]
    monkeypatch.setattr("readme_commands.VERDICTS", tmp_path / "verdicts.md")
    monkeypatch.setattr(figures, "make", lambda name, folder: (tmp_path / name).touch())
    (tmp_path / "verdicts.md").write_text(VERDICTS.read_text())
    runpy.run_path(str(ROOT / shlex.split(update)[1]), run_name="__main__")
    assert (
        "Of 1 statements of the paper" in (tmp_path / "verdicts.md").read_text()
        and (tmp_path / "result").exists()
    )


BENCHMARKS = {
    "bench-lambertw": {"COUNT": "2_000", "SCIPY_COUNT": "200", "ROUNDS": "1", "CHECKED": "20"},
    "bench-dynamics": {"COUNT": "50", "STEPS": "20", "SHORT": "10", "ROUNDS": "1"},
    "bench-plane-points": {"COUNT": "500", "FEW": "5", "ROUNDS": "1"},
}
SMALL = (  # the peers that have to be compiled count as not installed
    "import sys; sys.path.insert(0, 'benchmarks'); sys.modules.update(dict.fromkeys(('numba', 'torch', 'optimistix')));"
    "exec(compile(sys.stdin.read(), sys.argv[0], 'exec'), {'__name__': '__main__', '__file__': sys.argv[0]})"
)


@pytest.mark.parametrize("name", BENCHMARKS)
def test_benchmarks_in_small(name):
    """Each benchmark with its counts reduced: it runs, its rows agree, and its table has the rows that the README shows."""
    script = shlex.split(command(name))[1]
    source = (ROOT / script).read_text()
    for constant, value in BENCHMARKS[name].items():
        source, found = re.subn(rf"^{constant} = .*", f"{constant} = {value}", source, flags=re.M)
        assert found == 1
    words = [sys.executable, "-c", SMALL, script]
    done = subprocess.run(
        words, input=source, cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    shown = re.search(
        rf"<!-- benchmark: {Path(script).stem} -->\n(.*?)<!-- /benchmark -->", TEXT, re.S
    )[1]
    assert labels(shown) and set(labels(shown)) <= set(labels(done.stdout))


def labels(table):
    """The first cell of every row of a Markdown table."""
    return [line.split("|")[1].strip() for line in table.splitlines() if line.startswith("| ")]


# --- what is written is what is ----------------------------------------------------------------------------------------------


def test_verdict_table_is_the_recorded_one():
    assert update_readme.with_verdicts(TEXT) == TEXT
    assert f"<!-- verdicts -->\n{report.folded_table(record.load())}<!-- /verdicts -->" in TEXT


def test_verdict_table_has_every_claim_once_and_in_a_chapter():
    rows = re.findall(r"^\| `(.+?)`<br>.* \| \*\*(.+?)\*\* \|", TEXT, re.M)
    assert sorted(rows) == sorted((e["id"], e["status"]) for e in record.load())
    assert {i for i, _ in rows} == {claim.id for claim in registry.claims()}
    found = report.chapters(record.load())
    assert "Other" not in found, (
        f"name a chapter in figures/report/summary.py for {[e['id'] for e in found['Other']]}"
    )
    for title, members in found.items():
        folded = TEXT.split(f"<b>{title}</b>")[1]
        said, table = folded.split("</summary>")[0], folded.split("</details>")[0]
        for entry in members:
            assert f"| `{entry['id']}`<br>{entry['source']} |" in table
            assert (f"<code>{entry['id']}</code>" in said) == (entry["status"] != "holds")


def test_commands_come_first():
    """The two commands that matter most are the first two."""
    assert list(commands())[:2] == ["reproduce", "test"] and all(
        "\n" not in command(name) for name in ("reproduce", "test")
    )


def test_picture_is_there_and_has_words_for_those_who_cannot_see_it():
    words, path = re.search(r"!\[([^\]]+)\]\((figures/\S+?)\)", TEXT).groups()
    assert len(words) > 80 and (ROOT / path).is_file() and TEXT.index(path) < TEXT.index("## ")


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    """Relative links lead to files; the pages of the claims are made when the site is built."""
    for target in re.findall(r"\]\((?!https?:)([^)#\s]+)[^)]*\)", page.read_text()):
        assert target.startswith("claims/") or (page.parent / target).exists(), target
    assert not re.findall(r"\]\(#", page.read_text())


def test_readme_is_short_and_every_page_is_listed():
    assert len(README.read_text().splitlines()) < 150
    index = (ROOT / "docs" / "index.md").read_text()
    for page in pages()[1:]:
        assert page.stem == "index" or f"\n{page.stem}\n" in index


def test_citation_is_that_of_the_citation_file():
    entries = "".join(b.text for b in blocks() if b.language == "bibtex")
    facts = (ROOT / "CITATION.cff").read_text()
    named = dict(re.findall(r"^ *([\w-]+): \"?(.+?)\"?$", facts, re.M))
    assert set(re.findall(r"family-names: (\w+)", facts)) == set(
        re.findall(r"author += {(\w.+)}", entries)[0].split(" and ")
    )
    for title in re.findall(r"title: \"(.+)\"", facts):
        assert f"{{{title}}}" in entries
    assert all(
        f"{{{named[key]}}}" in entries
        for key in ("version", "license", "year", "url", "collection-title")
    )
    assert f"{{{{{re.search(r'- name: .(.+).$', facts, re.M)[1]}}}}}" in entries
    assert (
        named["version"]
        == af.__version__
        == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    )


def test_tree_names_every_module():
    tree = (ROOT / "docs" / "tree.md").read_text()
    for room in ("ascentfail", "theory", "figures"):
        for path in (ROOT / room).rglob("*.py"):
            if {"paper", "beyond"} & set(path.parts) and room == "theory":
                continue  # one result a file: the table of contents lists them
            assert path.name.startswith("_") or f"  {path.name} " in tree, (
                f"{path} is missing from docs/tree.md"
            )
