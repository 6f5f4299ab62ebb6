"""The list: every claim and every figure, read without importing what computes them."""

import subprocess
import sys

import pytest

from ascentfail import figures
from ascentfail.apps import listing
from ascentfail.claims import record
from ascentfail.theory import claims

LEVELS = ("certified", "searched", "sampled")
ITEMS = list(listing.items(LEVELS))


def test_claims_are_the_recorded_ones_and_all_there_are():
    known = [member for claim in claims() for member in claim.family()]
    listed = [item for item in ITEMS if item.status != "figure"]
    assert [(item.name, item.statement, item.source) for item in listed] == [
        (c.id, c.statement, c.source) for c in known
    ]
    assert dict((item.name, item.status) for item in listed) == dict(record.statuses(record.load()))


def test_figures_are_those_that_are_drawn():
    listed = {item.name: item.statement for item in ITEMS if item.status == "figure"}
    assert listed == {
        name: module.__doc__.splitlines()[0] for name, module in figures.figures().items()
    }


def test_all_words_must_occur_in_any_case():
    found = {item.name for item in ITEMS if item.has(["FAILS", "lemma 3"])}
    assert (
        "lemma-3.main" in found and "lemma-3.main.repaired" not in found and "lemma-4" not in found
    )
    assert all(item.has([]) for item in ITEMS) and not any(
        item.has(["no such word anywhere"]) for item in ITEMS
    )


@pytest.mark.parametrize("command", [["list"], ["list", "toy"], ["--version"]], ids=" ".join)
def test_nothing_heavy_is_imported(command):
    code = (
        "import sys\nfrom ascentfail.apps import cli\n"
        f"sys.argv = ['ascentfail', *{command}]\n"
        "try:\n    cli.main()\nexcept SystemExit as end:\n    assert not end.code\n"
        "heavy = {'jax', 'numpy', 'mpmath', 'matplotlib', 'optax', 'multiprocessing'} & set(sys.modules)\n"
        "print(*sorted(heavy), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr.strip()) == (0, "") and done.stdout
