"""What the paper claims about the problems, and whether it holds.

`claims()` lists every claim, `get(id)` finds one, `check(claim)` returns its verdict. A claim of your own is ten lines: see the
README.

Ours: how the paper's statements are kept and judged; each claim names its own source.
"""

from __future__ import annotations

from ascentfail.theory.check import check
from ascentfail.theory.claim import Axis, Cases, Claim, Domain, Kind, Point
from ascentfail.theory.evidence.recheck import recheck
from ascentfail.theory.registry import claims, get, register
from ascentfail.theory.verdict import Counterexample, Evidence, Verdict

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
