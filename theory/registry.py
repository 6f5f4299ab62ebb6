"""The one list of claims: every lemma file registers what it states.

Ours.
"""

from __future__ import annotations

import difflib
import functools
import importlib
import itertools
import pkgutil
import re
import sys

from ascentfail.errors import invalid
from ascentfail.theory.claim import Claim

_CLAIMS: dict[str, Claim] = {}
_FILES: dict[str, str] = {}  # the module that registered a claim: files may import each other in any order
_CHAPTERS = (
    "lemma", "first", "early", "corollary", "iterative", "figure", "appendix", "toy", "ridge", "any", "influence", "dependence",
    "cross", "beyond",
)  # the first words of the ids, in the order of the paper


def register(claim: Claim) -> Claim:
    """Adds a claim (with its repaired statement inside) to the registry.

    Args:
        claim: the claim, with an id of its own.

    Returns:
        The same claim.

    Raises:
        ValueError: a claim of that id is registered already.
    """
    if claim.id in _CLAIMS:
        raise invalid("id", claim.id, "an id that no other claim has")
    _CLAIMS[claim.id], _FILES[claim.id] = claim, sys._getframe(1).f_globals["__name__"]
    return claim


@functools.cache
def _load() -> None:
    """Imports every lemma file once."""
    lemmas = importlib.import_module("ascentfail.theory.lemmas")
    for module in sorted(m.name for m in pkgutil.iter_modules(lemmas.__path__)):
        importlib.import_module(f"ascentfail.theory.lemmas.{module}")


def claims() -> tuple[Claim, ...]:
    """Every registered claim, in the order of the paper, ours last."""
    _load()
    return tuple(sorted(_CLAIMS.values(), key=_place))


def _place(claim: Claim) -> tuple[list[tuple[int, int]], str]:
    """The chapters and numbers with which the id begins, then the file; claims of one file keep their order."""
    known = {chapter: (i, 0) for i, chapter in enumerate(_CHAPTERS)}
    words = itertools.takewhile(lambda word: word in known or word.isdigit(), re.split(r"[-.]", claim.id))
    places = [known[word] if word in known else (len(known), int(word)) for word in words]
    return places or [(len(known), 0)], _FILES[claim.id]


def get(claim_id: str) -> Claim:
    """The claim of that id; repaired statements have ids too.

    Args:
        claim_id: for instance "lemma-3.main" or "lemma-3.main.repaired".

    Returns:
        The claim.

    Raises:
        KeyError: no such claim; the message suggests the nearest ids.
    """
    known = {claim.id: claim for printed in claims() for claim in printed.family()}
    if claim_id in known:
        return known[claim_id]
    raise KeyError(suggest("claim", claim_id, list(known)))


def suggest(what: str, name: str, known: list[str]) -> str:
    """One line that says a name is unknown and which known ones are nearest: those that begin with it, case and marks aside."""
    typed = _letters(name)
    begun = sorted((x for x in known if _letters(x).startswith(typed)), key=lambda x: (_cuts_a_number(x, typed), x.count(".")))
    near = begun + [x for x in difflib.get_close_matches(name, known, n=3, cutoff=0.3) if x not in begun]
    return f"unknown {what} {name!r}; nearest: {', '.join((near or known)[:3])}"


def _letters(name: str) -> str:
    """A name as its letters and digits."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _cuts_a_number(name: str, typed: str) -> bool:
    """Whether a number goes on where the typed letters end: "lemma-10" begins with "lemma-1", but that is another lemma."""
    return typed[-1:].isdigit() and _letters(name)[len(typed) :][:1].isdigit()
