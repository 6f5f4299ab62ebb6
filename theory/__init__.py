"""What the paper claims about the problems, and whether it holds.

`claims()` lists every claim, `get(id)` finds one, `check(claim)` returns its verdict. A claim of your own is ten lines: see
docs/add.md.

Each claim names its own source. What a claim is and how it is judged is in `ascentfail.claims`; here is what is stated.
"""

from __future__ import annotations

from ascentfail.claims.check import check
from ascentfail.claims.claim import Axis, Cases, Claim, Domain, Kind, Point
from ascentfail.claims.evidence.recheck import recheck
from ascentfail.claims.registry import Pack, add_pack, claims, get, register
from ascentfail.claims.verdict import Counterexample, Evidence, Verdict
from ascentfail.theory.contents import CHAPTERS

add_pack(
    Pack(
        "ascent_fails",
        ("ascentfail.theory.paper", "ascentfail.theory.beyond"),
        sum(CHAPTERS.values(), ()),
    )
)

__all__ = [
    "Axis",
    "Cases",
    "Claim",
    "Counterexample",
    "Domain",
    "Evidence",
    "Kind",
    "Point",
    "Verdict",
    "check",
    "claims",
    "get",
    "recheck",
    "register",
]
