"""A room imports only from rooms named before it; apps and the top level reach all of them, lazily; nobody imports the tests."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = (
    "core",
    "numerics",
    "line",
    "plane",
    "problems",
    "stationary",
    "toy",
    "random_sets",
    "dynamics",
    "claims",
    "theory",
    "figures",
    "apps",
)  # in the order of the design: a module imports from its own room and from those before it
FOLDERS = ("ascentfail", "theory", "figures")
LAZY = ("ascentfail", "ascentfail.__main__")  # load what is asked for
TEST_MODULES = {"tests", "conftest", *(path.stem for path in Path(__file__).parent.rglob("*.py"))}


def module_name(path: Path) -> str:
    """Dotted import name of a file: the folders theory/ and figures/ install below ascentfail."""
    parts = list(path.relative_to(ROOT).with_suffix("").parts)
    if parts[0] != "ascentfail":
        parts.insert(0, "ascentfail")
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room(module: str) -> str:
    """The room of an ascentfail module; "" for a public name of the package itself, which any room would find there."""
    second = module.split(".")[1:2]
    return second[0] if second and second[0] in ROOMS else ""


def imported(source: str, module: str, is_package: bool) -> set[str]:
    """Every module or module attribute that a source text names in an import, lazy and type-checking ones included."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                package = module.split(".") if is_package else module.split(".")[:-1]
                base = ".".join(
                    [*package[: len(package) - node.level + 1], *filter(None, [node.module])]
                )
            names |= {f"{base}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Call):
            called = (
                node.func.attr
                if isinstance(node.func, ast.Attribute)
                else getattr(node.func, "id", "")
            )
            if called in ("import_module", "__import__"):
                names |= {_text(argument) for argument in node.args[:1]}
    return names


def _text(node: ast.expr) -> str:
    """The literal text of a string or of the fixed parts of an f-string."""
    return "".join(
        part.value
        for part in ast.walk(node)
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    )


def violations(source: str, module: str, is_package: bool = False) -> list[str]:
    """The imports of a source text that the rule forbids."""
    bad = []
    for name in sorted(imported(source, module, is_package)):
        first = name.split(".")[0]
        if first in TEST_MODULES:
            bad.append(f"{module} imports {name}: tests are never imported")
        elif first in ("theory", "figures"):
            bad.append(f"{module} imports {name}: the room is named ascentfail.{first}")
        elif first == "ascentfail" and module not in LAZY:
            if not room(name) and name not in ("ascentfail", "ascentfail.__version__"):
                bad.append(
                    f"{module} imports {name}: rooms import from rooms, not from the public face"
                )
            elif room(name) and ROOMS.index(room(name)) > ROOMS.index(room(module)):
                bad.append(f"{module} imports {name}: {room(module)} never imports {room(name)}")
    return bad


def private_imports(source: str, module: str) -> list[str]:
    """The names with an underscore that a source text takes from another module of ours, also as attributes of it."""
    tree, bad, ours = ast.parse(source), [], set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "ascentfail":
            ours |= {
                alias.asname or alias.name
                for alias in node.names
                if (alias.asname or alias.name).islower()
            }
            bad += [
                f"{module} imports {node.module}.{a.name}"
                for a in node.names
                if a.name.startswith("_") and a.name[1] != "_"
            ]
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id in ours
        ):
            private = node.attr.startswith("_") and not node.attr.startswith("__")
            if private and node.attr not in ("_replace", "_asdict", "_fields"):
                bad.append(f"{module} reads {node.value.id}.{node.attr}")
    return bad


def ours() -> list[Path]:
    """Every module of the rooms, once: theory and figures are linked into ascentfail."""
    paths = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]
    return [path for path in paths if path.resolve() == path]


def test_no_module_takes_a_private_name_of_another():
    bad = [
        line
        for path in ours()
        for line in private_imports(path.read_text(encoding="utf-8"), module_name(path))
    ]
    assert not bad, "\n".join(bad)
    assert private_imports("from ascentfail.core.files import _write", "m")
    assert private_imports("from ascentfail.core import files\nfiles._write(3)", "m")
    assert not private_imports("from ascentfail.core import files\nfiles.write(3)\nself._x", "m")


def test_every_module_respects_the_order_of_the_rooms():
    paths = ours()
    assert {room(module_name(path)) for path in paths} >= set(ROOMS)
    bad = []
    for path in paths:
        bad += violations(
            path.read_text(encoding="utf-8"), module_name(path), path.name == "__init__.py"
        )
    assert not bad, "\n".join(bad)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("ascentfail.problems.losses", "import ascentfail.theory"),
        ("ascentfail.problems.losses", "import ascentfail.claims.claim as claim"),
        ("ascentfail.problems.losses", "import ascentfail.dynamics.flow"),
        ("ascentfail.problems.losses", "from ascentfail import figures"),
        ("ascentfail.problems.losses", "from ascentfail import lambertw"),
        ("ascentfail.problems.losses", "def lazy():\n    from ascentfail.theory import check"),
        ("ascentfail.problems.losses", "from ..theory import check"),
        ("ascentfail.dynamics.flow", "from ..figures.drawing.style import save"),
        ("ascentfail.core.files", "from ascentfail.numerics import special"),
        ("ascentfail.plane.solver", "from ascentfail.stationary import plane"),
        (
            "ascentfail.numerics.loops",
            "import importlib\nimportlib.import_module('ascentfail.theory')",
        ),
        (
            "ascentfail.numerics.loops",
            "import importlib\nimportlib.import_module(f'ascentfail.figures.{1}')",
        ),
        (
            "ascentfail.core.files",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import ascentfail.figures.drawing",
        ),
        ("ascentfail.claims.claim", "from ascentfail.figures import drawing"),
        ("ascentfail.claims.claim", "from ascentfail.theory import domains"),
        ("ascentfail.theory.paper.lemma_01", "from ...figures import drawing"),
        ("ascentfail.figures.paper.fig04", "from ascentfail.apps import cli"),
        ("ascentfail.claims.claim", "import tests.strategies"),
        ("ascentfail.figures.paper.fig04", "from strategies import plane_problems"),
        ("ascentfail.apps.cli", "import conftest"),
        ("ascentfail.figures.paper.fig04", "import theory.paper"),
        ("ascentfail.apps.cli", "from figures import drawing"),
    ],
)
def test_the_check_catches_a_planted_import(module, source):
    assert violations(source, module)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        (
            "ascentfail.apps.cli",
            "from ascentfail.figures.drawing import style\nimport ascentfail.theory",
        ),
        (
            "ascentfail.figures.paper.fig04",
            "from ascentfail.theory import get\nimport ascentfail as af\nimport matplotlib",
        ),
        (
            "ascentfail.claims.claim",
            "from ascentfail.problems.losses import loss\nfrom .registry import get\nimport jax",
        ),
        (
            "ascentfail.stationary",
            "from .line import closed_form\nfrom ascentfail.numerics import special",
        ),
    ],
)
def test_the_check_lets_a_permitted_import_pass(module, source):
    assert not violations(source, module)
