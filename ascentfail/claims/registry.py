"""The one list of claims: every file of a pack registers what it states, and so may anybody."""

from __future__ import annotations

import difflib
import functools
import importlib
import pkgutil
import re
import sys
from types import CodeType, FrameType
from typing import NamedTuple

from ascentfail.claims.claim import Claim
from ascentfail.core.errors import invalid, short


class _Origin(NamedTuple):
    """What registered a claim: its module (files may import each other in any order), and the code that ran."""

    module: str
    interactive: bool
    code: CodeType

    def again(self, other: _Origin) -> bool:
        """Whether the other one is this one once more, a cell or a file that is run again; two calls in one run are not."""
        if self.module != other.module or self.code is other.code:
            return False
        return (
            self.interactive and other.interactive
        ) or self.code.co_filename == other.code.co_filename


_CLAIMS: dict[str, Claim] = {}
_ORIGINS: dict[str, _Origin] = {}


class Pack(NamedTuple):
    """The claims of one piece of work: where they are stated, and in what order they are read.

    Attributes:
        name: a word; verdicts are recorded in a file of this name.
        folders: packages, every module of which registers what it states.
        order: the ids; claims that are not among them follow, in the order in which they were registered.
    """

    name: str
    folders: tuple[str, ...]
    order: tuple[str, ...]


_PACKS: dict[str, Pack] = {}


def add_pack(pack: Pack) -> None:
    """Makes the claims of a pack known; its files are imported when a claim is first asked for.

    Raises:
        ValueError: another pack has the name.
    """
    if _PACKS.setdefault(pack.name, pack) != pack:
        raise invalid("name", pack.name, "a name that no other pack has")
    _load.cache_clear()


def register(claim: Claim, *, replace: bool = False) -> Claim:
    """Adds a claim (with its repaired statement inside) to the registry.

    What is registered in a notebook or at a prompt takes the place of what was registered there under its id before, and so does
    a file that is run again: the definition that ran last counts.

    Args:
        claim: the claim, with an id of its own, which becomes the name of files: no slash.
        replace: whether it takes the place of any other claim of that id; one that a repaired statement has is never replaced.

    Returns:
        The same claim.

    Raises:
        ValueError: a claim of that id is registered already, by other code; or what is given is no claim.
    """
    if not isinstance(claim, Claim):
        raise invalid("claim", claim, "a Claim")
    origin = _origin(sys._getframe(1))
    if origin.module.rpartition(".")[0] not in {
        folder for pack in _PACKS.values() for folder in pack.folders
    }:
        _load()  # a clash with a pack is found here, not when its files are read
    ids = [member.id for member in claim.family()]
    if len(set(ids)) < len(ids):
        raise invalid("id", ids, "an id for each, the claim and its repaired statements")
    for member_id in ids:
        if (
            not isinstance(member_id, str)
            or not member_id.strip()
            or re.search(r"[/\\\0]", member_id)
        ):
            raise invalid("id", member_id, "a name without slashes")
    known = _CLAIMS.get(claim.id)
    taken = {
        member.id for other in _CLAIMS.values() if other is not known for member in other.family()
    }
    if taken & set(ids):
        raise invalid(
            "id", min(taken & set(ids)), "an id that no other claim or repaired statement has"
        )
    if known is not None and not (replace or _ORIGINS[claim.id].again(origin)):
        raise invalid(
            "id",
            claim.id,
            "an id that no other claim has; register(claim, replace=True) puts this one in its place",
        )
    _CLAIMS[claim.id], _ORIGINS[claim.id] = claim, origin
    return claim


def _origin(frame: FrameType) -> _Origin:
    module = frame.f_globals.get("__name__", "__main__")
    return _Origin(module, module == "__main__" and "__file__" not in frame.f_globals, frame.f_code)


@functools.cache
def _load() -> None:
    """Imports every file of every pack once."""
    for folder in (folder for pack in _PACKS.values() for folder in pack.folders):
        for module in sorted(
            info.name for info in pkgutil.iter_modules(importlib.import_module(folder).__path__)
        ):
            importlib.import_module(f"{folder}.{module}")


def claims() -> tuple[Claim, ...]:
    """Every registered claim: the packs in their order, then all others in the order in which they were registered."""
    _load()
    order = {
        claim_id: i
        for i, claim_id in enumerate(
            claim_id for pack in _PACKS.values() for claim_id in pack.order
        )
    }
    return tuple(sorted(_CLAIMS.values(), key=lambda claim: order.get(claim.id, len(order))))


def get(claim_id: str) -> Claim:
    """The claim of that id; repaired statements have ids too.

    Args:
        claim_id: for instance "lemma-3.main" or "lemma-3.main.repaired".

    Returns:
        The claim.

    Raises:
        KeyError: no such claim; the message suggests the nearest ids.
        ValueError: not a text.
    """
    if not isinstance(claim_id, str):
        raise invalid("claim_id", claim_id, "an id, such as 'lemma-3.main'")
    known = {claim.id: claim for printed in claims() for claim in printed.family()}
    if claim_id in known:
        return known[claim_id]
    raise KeyError(suggest("claim", claim_id, list(known)))


def stated_in(claim_id: str) -> str:
    """The dotted name of the module that registered a claim; KeyError for an id that none has."""
    return _ORIGINS[claim_id].module


def suggest(what: str, name: str, known: list[str]) -> str:
    """One line that says a name is unknown and which known ones are nearest: those that begin with it, case and marks aside."""
    typed = _letters(name)
    begun = sorted(
        (x for x in known if _letters(x).startswith(typed)),
        key=lambda x: (_cuts_a_number(x, typed), x.count(".")),
    )
    near = begun + [
        x for x in difflib.get_close_matches(name, known, n=3, cutoff=0.3) if x not in begun
    ]
    return f"unknown {what} {short(name)}; nearest: {', '.join((near or known)[:3])}"


def _letters(name: str) -> str:
    """A name as its letters and digits."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _cuts_a_number(name: str, typed: str) -> bool:
    """Whether a number goes on where the typed letters end: "lemma-10" begins with "lemma-1", but that is another lemma."""
    return typed[-1:].isdigit() and _letters(name)[len(typed) :][:1].isdigit()
