"""The README is executed, not believed: its code, its table, its commands."""

import re
import subprocess
import sys

from readme_commands import README, command

from ascentfail.theory import record, report

TEXT = README.read_text()


def test_python_blocks_run(tmp_path):
    blocks = re.findall(r"```python\n(.+?)```", TEXT, re.S)
    assert len(blocks) >= 2
    for block in blocks:
        done = subprocess.run([sys.executable, "-W", "error", "-c", block], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip()


def test_verdict_table_is_the_recorded_one():
    table = re.search(r"<!-- verdicts -->\n(.*)<!-- /verdicts -->", TEXT, re.S)
    assert table and table[1] == report.markdown_table(record.load())


def test_commands_are_one_line_each():
    assert "reproduce" in command("reproduce") and "pytest" in command("test")


def test_tree_names_every_module():
    root = README.parent
    for room in ("ascentfail", "theory"):
        for path in (root / room).glob("*.py"):
            assert path.name.startswith("__") or path.name in TEXT, f"{path} is missing from the tree in the README"
