"""Writes the generated parts of the README: `python tests/update_readme.py` after `ascentfail verify --record`."""

import re

from readme_commands import README

from ascentfail.theory import record, report


def main() -> None:
    """Puts the recorded verdicts into the README."""
    table = report.markdown_table(record.load())
    text = re.sub(
        r"(<!-- verdicts -->\n).*(<!-- /verdicts -->)", lambda m: m[1] + table + m[2], README.read_text(), flags=re.S
    )
    README.write_text(text)


if __name__ == "__main__":
    main()
