"""Writes what the README and the site show of the record: `python tests/update_readme.py` after `ascentfail verify --record`."""

import re

from readme_commands import README, VERDICTS

import ascentfail as af
from ascentfail import figures
from ascentfail.claims import record
from ascentfail.figures.report import summary as report


def with_verdicts(text: str) -> str:
    """The text of a page with the recorded verdicts in it."""
    table = report.folded_table(record.load())
    return re.sub(
        r"(<!-- verdicts -->\n).*(<!-- /verdicts -->)",
        lambda m: m[1] + table + m[2],
        text,
        flags=re.S,
    )


def main() -> None:
    """Puts the recorded verdicts into the page of the verdicts and into the picture of the README."""
    VERDICTS.write_text(with_verdicts(VERDICTS.read_text()))
    af.enable_x64()
    figures.make("result", README.parent / "figures")


if __name__ == "__main__":
    main()
