"""The fenced blocks of the README and of `docs/`: `python tests/readme_commands.py reproduce|test` prints a command."""

import re
import sys
from pathlib import Path
from typing import NamedTuple

README = Path(__file__).parent.parent / "README.md"
DOCS = README.parent / "docs"
VERDICTS = DOCS / "verdicts.md"


class Block(NamedTuple):
    """One fenced block: the marker in the line above (such as `command: test`), the language, the text."""

    marker: str
    language: str
    text: str


def pages() -> list[Path]:
    """The README first, then the pages of the site that are not generated."""
    return [README, *sorted(DOCS.glob("*.md"))]


def written() -> str:
    """The text of all of them."""
    return "\n".join(page.read_text() for page in pages())


def blocks(text: str | None = None) -> list[Block]:
    """Every fenced block, in order."""
    text = written() if text is None else text
    fenced = re.findall(
        r"(?:^<!-- ([^\n]+) -->\n)?^```(\w*|\{\w+\}[^\n]*)\n(.*?)^```$", text, re.S | re.M
    )
    return [Block(*found) for found in fenced]


def commands() -> dict[str, str]:
    """The shell blocks by name, that is by their marker `<!-- command: NAME -->`."""
    return {
        b.marker.removeprefix("command: "): b.text.strip() for b in blocks() if b.language == "sh"
    }


def command(name: str) -> str:
    """The commands of that name, a line each."""
    known = commands()
    if name not in known:
        raise SystemExit(f"no page has a command marked {name!r}, only {', '.join(known)}")
    return known[name]


if __name__ == "__main__":
    print(command(sys.argv[1]))
