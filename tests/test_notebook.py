"""The notebook: one address, nothing computed in its cells, cleared outputs, and it runs from top to bottom."""

import ast
import importlib.metadata
import importlib.util
import json
import math
import re
import sys
import tomllib
from pathlib import Path

import nbclient
import nbformat
import pytest
from IPython.core.inputtransformer2 import TransformerManager

import ascentfail as af
from ascentfail.claims import record
from ascentfail.figures.explore.explorers import explorers
from ascentfail.figures.report import summary as report

ROOT = Path(__file__).parents[1]
PATH = ROOT / "figures" / "explore.ipynb"
NOTEBOOK = json.loads(PATH.read_text())
REPOSITORY = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["urls"]["Repository"]
KEPT = ("jax", "jaxlib", "numpy", "matplotlib", "ipywidgets")
FORMULAS = (
    "exp",
    "log",
    "log1p",
    "expm1",
    "sqrt",
    "power",
    "lambertw",
    "lambertw_exp",
)  # a cell that calls one computes


def sources(kind):
    """Texts of the cells of a kind, in order."""
    return ["".join(cell["source"]) for cell in NOTEBOOK["cells"] if cell["cell_type"] == kind]


def plain(source):
    """A code cell as Python, its ! and % lines turned into calls."""
    return TransformerManager().transform_cell(source)


# --- one address -----------------------------------------------------------------------------------------------------


def test_the_address_is_the_one_of_pyproject():
    slug = REPOSITORY.removeprefix("https://github.com/")
    assert re.fullmatch(r"[\w-]+/[\w-]+", slug)
    opens = f"https://colab.research.google.com/github/{slug}/blob/main/{PATH.relative_to(ROOT)}"
    badge = f"[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({opens})"
    assert sources("markdown")[0].startswith(badge)
    assert badge in (ROOT / "README.md").read_text().splitlines()[:6]
    assert f'"git+{REPOSITORY}"' in sources("code")[0]
    assert f'repository-code: "{REPOSITORY}"' in (ROOT / "CITATION.cff").read_text().splitlines()


def test_no_other_address_is_written():
    for path in (PATH, ROOT / "README.md", ROOT / "CITATION.cff"):
        for found in re.findall(r"github(?:\.com)?/([\w-]+/ascentfail[\w-]*)", path.read_text()):
            assert f"https://github.com/{found}" == REPOSITORY, path


# --- what the cells hold ---------------------------------------------------------------------------------------------


def test_outputs_are_cleared():
    nbformat.validate(nbformat.reads(PATH.read_text(), as_version=4))
    code = [cell for cell in NOTEBOOK["cells"] if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
    assert "widgets" not in NOTEBOOK["metadata"]


def mathematics(source):
    """What a cell computes or defines on its own, in words."""
    found = []
    for node in ast.walk(ast.parse(plain(source))):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.append(f"defines {node.name}")
        elif isinstance(node, ast.BinOp) and isinstance(
            node.op, ast.Pow | ast.Mult | ast.Div | ast.MatMult
        ):
            found.append(f"computes {ast.unparse(node)}")
        elif (
            isinstance(node, ast.Call)
            and (getattr(node.func, "attr", "") or getattr(node.func, "id", "")) in FORMULAS
        ):
            found.append(f"calls {ast.unparse(node.func)}")
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names = (
                [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else [alias.name for alias in node.names]
            )
            known = {"ascentfail", "IPython", *sys.stdlib_module_names} - {"math", "cmath"}
            found += [f"imports {name}" for name in names if name.split(".")[0] not in known]
    return found


def test_no_cell_defines_mathematics():
    assert [mathematics(source) for source in sources("code")] == [[] for _ in sources("code")]


@pytest.mark.parametrize(
    "planted",
    [
        "import numpy as np",
        "def w(b):\n    return b",
        "xp.log(1 + p.b)",
        "p.alpha * p.b",
        "p.phi ** 2",
        "import math",
    ],
)
def test_planted_mathematics_is_seen(planted):
    assert mathematics(planted)


# --- the first cell --------------------------------------------------------------------------------------------------


class Shell:
    """Notes the command instead of running it."""

    command = ""

    def system(self, command):
        self.command = command


@pytest.mark.parametrize(
    ("source", "absent"), [(None, ""), ("git+file:///somewhere/else", "ipywidgets")]
)
def test_the_first_cell_installs_beside_what_is_there(tmp_path, monkeypatch, source, absent):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ASCENTFAIL_SOURCE", raising=False)
    if source:
        monkeypatch.setenv("ASCENTFAIL_SOURCE", source)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    versions = {name: importlib.metadata.version(name) for name in KEPT}

    def version(name):
        if name == absent:
            raise importlib.metadata.PackageNotFoundError(name)
        return versions[name]

    monkeypatch.setattr(importlib.metadata, "version", version)
    shell = Shell()
    names = {"get_ipython": lambda: shell}
    exec(plain(sources("code")[0]), names)
    command = shell.command.format(**names)  # as IPython fills in the braces
    assert command.startswith(f'"{sys.executable}" -m pip install ')
    assert f'"ascentfail[certify,notebook] @ {source or f"git+{REPOSITORY}"}"' in command
    constraints = re.search(r" -c (\S+) ", command)
    assert constraints
    lines = (tmp_path / constraints[1]).read_text().split()
    assert lines == [f"{name}=={versions[name]}" for name in KEPT if name != absent]


@pytest.mark.parametrize(
    "uploaded", ["ascentfail-0.2.0-py3-none-any.whl", "ascentfail/pyproject.toml"]
)
def test_the_first_cell_takes_what_was_uploaded_and_says_where_nothing_came(
    tmp_path, monkeypatch, capsys, uploaded
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ASCENTFAIL_SOURCE", raising=False)
    (tmp_path / uploaded).parent.mkdir(exist_ok=True)
    (tmp_path / uploaded).touch()
    folder = importlib.machinery.ModuleSpec(
        "ascentfail", None
    )  # what a folder without __init__.py is found as
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: folder)
    shell = Shell()
    names = {"get_ipython": lambda: shell}
    exec(plain(sources("code")[0]), names)
    place = (tmp_path / uploaded.removesuffix("/pyproject.toml")).as_uri()
    assert f'"ascentfail[certify,notebook] @ {place}"' in shell.command.format(**names)
    assert f"Nothing was installed from {place}" in capsys.readouterr().out


def test_the_first_cell_installs_nothing_where_the_package_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(plain(sources("code")[0]), {"get_ipython": Shell})
    assert list(tmp_path.iterdir()) == []


# --- all of it -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """The notebook after a run in a fresh kernel, away from the user's own Jupyter settings."""
    folder = tmp_path_factory.mktemp("notebook")
    notebook = nbformat.reads(PATH.read_text(), as_version=4)
    with pytest.MonkeyPatch.context() as patched:
        for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
            patched.setenv(name, str(folder / name.lower()))
        patched.setenv("PYTHONPATH", str(ROOT), prepend=":")
        patched.delenv("ASCENTFAIL_SOURCE", raising=False)
        nbclient.NotebookClient(
            notebook,
            timeout=300,
            kernel_name="python3",
            resources={"metadata": {"path": str(folder)}},
        ).execute()
    return notebook


def output(notebook, cell_id):
    """Everything that a cell printed or displayed, as text."""
    cell = next(cell for cell in notebook.cells if cell["id"] == cell_id)
    return "\n".join(
        item.get("text", "") or "\n".join(str(content) for content in item.get("data", {}).values())
        for item in cell.outputs
    )


def test_it_runs_from_top_to_bottom(executed):
    assert all(
        cell.execution_count for cell in executed.cells if cell.cell_type == "code" and cell.source
    )
    streams = [
        item
        for cell in executed.cells
        for item in cell.get("outputs", [])
        if item.output_type == "stream"
    ]
    assert not [item.text for item in streams if item.name == "stderr"]


def test_the_sliders_are_shown(executed):
    models = executed.metadata["widgets"]["application/vnd.jupyter.widget-state+json"][
        "state"
    ].values()
    assert sum(model["model_name"] == "ImageModel" for model in models) == len(explorers())
    for name, explorer in explorers().items():
        assert "VBox" in output(executed, f"show-{name}")
        shown = [
            model["state"].get("description")
            for model in models
            if model["model_name"] == "SelectionSliderModel"
        ]
        assert {one.label for one in explorer.sliders} <= set(shown)


def test_the_table_is_the_recorded_one(executed):
    entries = record.load()
    assert report.summary(entries) in output(executed, "table")
    assert report.markdown_table(e for e in entries if e["id"].startswith("lemma-3")) in output(
        executed, "table"
    )


def test_the_evidence_is_gathered_again(executed):
    shown = output(executed, "again")
    assert re.search(r"lemma-3\.main.*fails", shown) and re.search(
        r"lemma-3\.main\.repaired.*holds", shown
    )


def test_the_planted_claim_is_refuted(executed):
    assert output(executed, "check").startswith(
        "fails, counterexample, 50 digits, enclosed: at alpha = "
    )


def test_the_claim_holds_where_the_text_says_so():
    names = {"af": af, "summary": report}
    source, line = sources("code")[-1], "where=lambda p, xp: (p.alpha - p.phi,),"
    assert line in sources("markdown")[-2] and source.count("domains.B),") == 1
    tried = source.replace("domains.B),", f"domains.B), {line}")
    exec(tried, names)
    assert names["verdict"]["status"] == "holds"


# --- what the text promises ------------------------------------------------------------------------------------------


def said(name, **values):
    return explorers()[name].scene(**values).words


def test_line_shows_what_the_text_says():
    place = {"phi": 1.0, "b": 3.0}
    values = explorers()["line"].sliders[0].values
    for alpha in values:
        words = said("line", alpha=alpha, **place)
        ends = {"closer": alpha < 1 / 3, "none": alpha > 1 + 1 / (math.e * 3)}
        assert ("no solution" in words) == ends["none"]
        if alpha != 1.0 and not ends["none"]:
            times = float(re.search(r"([\d.]+) times as far", words)[1])
            assert (times < 1) == ends["closer"]
            assert ("first step leads away from" in words) == (1 / 3 < alpha < 1)


def test_plane_shows_what_the_text_says():
    near = said("plane", epsilon=0.1)
    assert "runs to infinity" in near and "best stop is 59 % closer" in near
    assert "best stop is to do nothing" in said("plane", epsilon=0.9)
    place = {"epsilon": 0.6}
    small, middle, large = (said("plane", ratio=ratio, **place) for ratio in (0.05, 0.548, 3.3))
    assert "0.11 times as far" in small
    assert "2.7 times as far" in middle and "The path comes closer" in middle
    assert "runs to infinity" in large


def test_toy_shows_what_the_text_says():
    assert "a trap" in said(
        "toy"
    ) and "path of descent-ascent leads to (2.28, −1.16): x = 4 alone" in said("toy")
    for moved in ({"forget": 1.0}, {"copies": 3.0}, {"slope": 0.5}):
        assert "a trap" not in said("toy", **moved), moved
    assert "x = 3 alone wrong. Fine-tuning" in said("toy", forget=1.0)
    assert "of the oracle: x = 4 alone wrong" in said("toy", copies=3.0)
    assert "x = 3 alone wrong. That is the oracle's lowest minimum" in said("toy", slope=0.5)
