"""What there is to check and to draw, read from the record and the sources without importing them: it is there at once."""

from __future__ import annotations

import ast
import importlib.util
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple


class Item(NamedTuple):
    """One line of the list.

    Attributes:
        name: id of a claim, or name of a figure.
        status: of a claim, as recorded by the strongest evidence; "figure" for a figure.
        statement: what the claim says, or the first line of what the figure's module says.
        source: where the claim is printed; empty for a figure.
    """

    name: str
    status: str
    statement: str
    source: str = ""

    def has(self, words: Iterable[str]) -> bool:
        """Whether each of the words occurs somewhere in it, case aside."""
        text = " ".join(self).lower()
        return all(word.lower() in text for word in words)


def items(levels: Sequence[str]) -> Iterator[Item]:
    """Every recorded claim with its repaired statements, in the order of the record, then every figure.

    Args:
        levels: of evidence, the one to believe first at the front.

    Yields:
        Item.

    Raises:
        OSError, ValueError, KeyError: the record is not there or not as it is written.
    """
    recorded = json.loads(
        (_folder("theory") / "recorded" / "ascent_fails.json").read_text(encoding="utf-8")
    )["levels"]
    yield from _claims(next((recorded[level] for level in levels if recorded.get(level)), []))
    yield from sorted(_figures(_folder("figures")))


def _folder(room: str) -> Path:
    found = importlib.util.find_spec(f"ascentfail.{room}")
    return Path((found and found.submodule_search_locations or [""])[0])


def _claims(entries: Iterable[dict[str, Any]]) -> Iterator[Item]:
    for entry in entries:
        yield Item(entry["id"], entry["status"], entry["statement"], entry["source"])
        if entry["repaired"]:
            yield from _claims([entry["repaired"]])


def _figures(folder: Path) -> Iterator[Item]:
    for path in folder.rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        if "\nNAME = " in source:
            module = ast.parse(source)
            said = (ast.get_docstring(module) or "").splitlines()
            yield from (Item(name, "figure", said[0] if said else "") for name in _names(module))


def _names(module: ast.Module) -> list[str]:
    """The literal that a module calls NAME."""
    assigned = [
        node
        for node in module.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "NAME"
    ]
    return [ast.literal_eval(node.value) for node in assigned]
