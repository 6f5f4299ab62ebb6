"""The README's commands, as the README has them: `python tests/readme_commands.py reproduce|test` prints one."""

import re
import sys
from pathlib import Path

README = Path(__file__).parent.parent / "README.md"


def command(name: str) -> str:
    """The one-line command that follows the marker `<!-- command: NAME -->` in the README."""
    found = re.search(rf"<!-- command: {name} -->\n```sh\n(.+)\n```", README.read_text())
    if not found:
        raise SystemExit(f"README.md has no command marked {name!r}")
    return found[1]


if __name__ == "__main__":
    print(command(sys.argv[1]))
