"""Do the tests notice? Runs a sample of the mutants that cosmic-ray makes of a module against the tests of that module.

    python tests/mutants.py                     every target below, 30 mutants each
    python tests/mutants.py recheck --sample 60 --seed 1

Needs `pip install cosmic-ray`. The checkout is copied; nothing in it is touched. Mutants that differ from the module only in type
annotations, or that are no Python, are left out. The table goes to standard output,
a survivor as a diff below its row.
"""

from __future__ import annotations

import argparse
import ast
import itertools
import os
import random
import shlex
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
TARGETS = {  # name: (module, tests, the fast ones first)
    "formula": ("ascentfail/claims/evidence/formula.py", "test_recheck test_falsehoods test_honesty"),
    "recheck": ("ascentfail/claims/evidence/recheck.py", "test_recheck test_falsehoods"),
    "cases": ("ascentfail/claims/evidence/cases.py", "test_cases test_falsehoods"),
    "limits": ("ascentfail/claims/evidence/limits.py", "test_falsehoods"),
    "sample": ("ascentfail/claims/evidence/sample.py", "test_claims test_falsehoods test_honesty"),
    "search": ("ascentfail/claims/evidence/search.py", "test_search test_honesty"),
    "symbolic": ("ascentfail/claims/evidence/symbolic.py", "test_symbolic test_falsehoods test_certify"),
    "identities": ("tests/identities.py", "test_symbolic"),
    "certify": ("ascentfail/claims/evidence/certify.py", "test_falsehoods test_certify test_honesty"),
    "certificate": ("ascentfail/claims/evidence/certificate.py", "test_falsehoods test_certificate"),
    "checker": ("ascentfail/claims/checker.py", "test_checker test_falsehoods test_certificate test_certify"),
    "check": ("ascentfail/claims/check.py", "test_claims test_falsehoods test_honesty"),
    "stopping": ("ascentfail/dynamics/stopping.py", "test_watch"),
    "dynamics": ("ascentfail/dynamics/ascent.py", "test_dynamics test_own"),
    "iterate": ("ascentfail/dynamics/iterate.py", "test_dynamics test_own"),
    "directions": ("ascentfail/dynamics/directions.py", "test_dynamics"),
    "batches": ("ascentfail/problems/batches.py", "test_batches test_dynamics"),
    "problem": ("ascentfail/problems/protocol.py", "test_losses test_dynamics test_own"),
    "closed_form": ("ascentfail/line/closed_form.py", "test_closed_form"),
    "random_sets": ("ascentfail/random_sets.py", "test_random_sets"),
}  # fmt: skip


class Survivor(NamedTuple):
    """A mutant that no test noticed."""

    module: str
    diff: str


def main() -> None:
    """Runs the targets asked for and prints what was tried, what was killed, and what survived."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "names", nargs="*", metavar="TARGET", help=f"of {', '.join(TARGETS)}; all without any"
    )
    parser.add_argument(
        "--sample",
        type=int,
        default=30,
        help="mutants of each module, all of them where there are fewer",
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument(
        "--timeout", type=float, default=900.0, help="seconds after which a mutant counts as killed"
    )
    asked = parser.parse_args()
    unknown = [name for name in asked.names if name not in TARGETS]
    if unknown:
        parser.error(f"no target {unknown[0]!r}, only {', '.join(TARGETS)}")
    print(f"{'module':36} {'mutants':>8} {'tried':>6} {'killed':>7}", flush=True)
    for name in asked.names or TARGETS:
        for survivor in run(name, asked.sample, asked.seed, asked.jobs, asked.timeout):
            print(f"\n--- survived: {survivor.module}\n{survivor.diff}", flush=True)


def run(name: str, sample: int, seed: int, jobs: int, timeout: float) -> list[Survivor]:
    """Tries a sample of the mutants of one target."""
    module, tests = TARGETS[name]
    with tempfile.TemporaryDirectory() as scratch:
        copies = [_copy(Path(scratch) / str(i)) for i in range(jobs)]
        picked, total = _pick(copies[0], module, tests, timeout, sample, seed)
        parts = [picked[i::jobs] for i in range(jobs)]
        for copy in copies[1:]:
            for file in ("session.sqlite", "cosmic.toml"):
                shutil.copy(copies[0] / file, copy / file)
        with ThreadPoolExecutor(jobs) as pool:
            found = [one for part in pool.map(_execute, copies, parts) for one in part]
    alive = [Survivor(module, diff) for outcome, diff in found if outcome == "SURVIVED"]
    print(f"{module:36} {total:8} {len(found):6} {len(found) - len(alive):7}", flush=True)
    return alive


def _copy(place: Path) -> Path:
    """A copy of the tracked files."""
    place.mkdir()
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True
    ).stdout.decode()
    for name in filter(None, listed.split("\0")):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, place / name)
    return place


def _pick(
    copy: Path, module: str, tests: str, timeout: float, sample: int, seed: int
) -> tuple[list[str], int]:
    """The ids of the mutants to try, and how many cosmic-ray makes, those included that are never tried."""
    files = " ".join(f"tests/{test}.py" for test in tests.split())
    command = f"{shlex.quote(sys.executable)} -m pytest -q -x {files}"
    (copy / "cosmic.toml").write_text(
        f'[cosmic-ray]\nmodule-path = "{module}"\ntimeout = {timeout}\nexcluded-modules = []\n'
        f'test-command = """{command}"""\n[cosmic-ray.distributor]\nname = "local"\n'
    )
    _cosmic(copy, "init", "cosmic.toml", "session.sqlite")
    source = (copy / module).read_text()
    with sqlite3.connect(copy / "session.sqlite") as session:
        rows = session.execute(
            "SELECT operator_name, occurrence, operator_args, job_id FROM mutation_specs"
        ).fetchall()
    rows.sort()
    random.Random(f"{seed} {module}").shuffle(rows)
    real = (
        job
        for operator, occurrence, given, job in rows
        if _differs(source, operator, occurrence, given)
    )
    return list(itertools.islice(real, sample)), len(rows)


def _differs(source: str, operator: str, occurrence: int, given: str) -> bool:
    """Whether a mutant is a program that differs in more than its annotations."""
    import json

    from cosmic_ray.mutating import mutate_code
    from cosmic_ray.plugins import get_operator

    arguments = json.loads(given or "{}")
    arguments = (
        json.loads(arguments) if isinstance(arguments, str) else arguments
    )  # some versions write JSON in JSON
    try:
        mutated = mutate_code(source, get_operator(operator)(**arguments), occurrence)
        return mutated is not None and _evaluated(mutated) != _evaluated(source)
    except (
        SyntaxError,
        AttributeError,
    ):  # the latter is cosmic-ray's own, where an `except` names an attribute of a module
        return False


def _evaluated(source: str) -> str:
    """The syntax tree without annotations."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.arg | ast.AnnAssign):
            node.annotation = ast.Constant(None)
        elif isinstance(node, ast.FunctionDef):
            node.returns = None
    return ast.dump(tree)


def _execute(copy: Path, jobs: list[str]) -> list[tuple[str, str]]:
    """(outcome, diff) of each mutant, one at a time."""
    with sqlite3.connect(copy / "session.sqlite") as session:
        marks = ",".join("?" * len(jobs))
        session.execute(f"DELETE FROM work_items WHERE job_id NOT IN ({marks})", jobs)
        session.execute(f"DELETE FROM mutation_specs WHERE job_id NOT IN ({marks})", jobs)
    _cosmic(copy, "exec", "cosmic.toml", "session.sqlite")
    with sqlite3.connect(copy / "session.sqlite") as session:
        return session.execute("SELECT test_outcome, diff FROM work_results").fetchall()


def _cosmic(copy: Path, *arguments: str) -> None:
    program = Path(sys.executable).with_name("cosmic-ray")
    done = subprocess.run(
        [program, *arguments],
        cwd=copy,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(copy)},
    )
    if done.returncode:
        raise SystemExit(f"cosmic-ray {arguments[0]}: {done.stderr or done.stdout}")


if __name__ == "__main__":
    main()
