"""What the README has between its fences: `python tests/readme_commands.py reproduce|test` prints one of its commands."""

import re
import sys
from pathlib import Path
from typing import NamedTuple

README = Path(__file__).parent.parent / "README.md"


class Block(NamedTuple):
    """One fenced block: the marker in the line above (such as `command: test`), the language, the text."""

    marker: str
    language: str
    text: str


def blocks(text: str | None = None) -> list[Block]:
    """Every fenced block, in order."""
    text = README.read_text() if text is None else text
    return [Block(*found) for found in re.findall(r"(?:^<!-- ([^\n]+) -->\n)?^```(\w*)\n(.*?)^```$", text, re.S | re.M)]


def commands() -> dict[str, str]:
    """The shell blocks by name, that is by their marker `<!-- command: NAME -->`."""
    return {b.marker.removeprefix("command: "): b.text.strip() for b in blocks() if b.language == "sh"}


def command(name: str) -> str:
    """The commands of that name, a line each."""
    known = commands()
    if name not in known:
        raise SystemExit(f"README.md has no command marked {name!r}, only {', '.join(known)}")
    return known[name]


if __name__ == "__main__":
    print(command(sys.argv[1]))
