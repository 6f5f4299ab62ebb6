r"""Evidence by certificate: branch and bound with intervals over a claim's domain.

Boxes are taken from the widest down; one on which every factor is >= 0, or a side condition surely fails, is closed, the
others are halved along the axis that moves the margin most. Precision rises only where a small box stays undecided. What is
left when the budget ends is counted, not hidden. A box on which the margin is surely negative is handed to the re-check.
"""

from __future__ import annotations

import heapq
import math
import time
from dataclasses import dataclass
from typing import Any

import flint

from ascentfail.theory.claim import Claim, Kind
from ascentfail.theory.evidence import symbolic
from ascentfail.theory.evidence.certificate import (
    PRECISION,
    Box,
    axis_box,
    box_point,
    claim_hash,
    expressions,
    proves,
)
from ascentfail.theory.evidence.recheck import confirm
from ascentfail.theory.verdict import Counterexample, Evidence

BUDGET = 4000  # boxes evaluated for one claim
_DEPTH = 60  # halvings after which a box is left undecided
_FINE = 24  # halvings after which a higher precision is tried


@dataclass(frozen=True)
class Certified:
    """Outcome of certification.

    Attributes:
        certificate: plain data, for a file.
        evidence: level "certified", with the fraction decided and the number of boxes left.
        counterexample: a confirmed violation met on the way.
    """

    certificate: dict[str, Any]
    evidence: Evidence
    counterexample: Counterexample | None = None


def certify(claim: Claim, budget: int = BUDGET, seconds: float = 20.0) -> Certified | None:
    """Tries to prove a claim on the whole box of its domain.

    Args:
        claim: an inequality; equalities, existence claims and claims with an exclusion bound are not for boxes.
        budget: boxes to evaluate at most.
        seconds: time to spend at most.

    Returns:
        Certified, or None where boxes cannot speak about the claim (its kind, an integer axis, a margin without intervals).

    Raises:
        MissingExtraError: python-flint is not installed.
    """
    if claim.proof:
        return _by_steps(claim, budget, seconds)
    if claim.kind is Kind.EQUALITY:
        return _by_identity(claim)
    if claim.inner or claim.exclusion is not None:
        return None
    if any(axis.scale == "integer" for axis in claim.domain.axes):
        return None
    search = _Search(claim)
    try:
        search.run(budget, time.monotonic() + seconds)
    except Exception:
        return None  # the margin needs a solver, or an arithmetic, that intervals do not have
    return search.result()


def _by_identity(claim: Claim) -> Certified | None:
    """A symbolic proof of an equality."""
    evidence = symbolic.prove(claim)
    if evidence is None:
        return None
    return Certified({"claim": claim.id, "hash": claim_hash(claim), "identity": True}, evidence)


def _by_steps(claim: Claim, budget: int, seconds: float) -> Certified | None:
    """A proof by smaller claims; it is as good as its weakest step."""
    parts = [(step, certify(step, budget, seconds)) for step in claim.proof]
    missing = [step.id for step, part in parts if part is None or part.counterexample]
    if missing:
        return None
    found = [part for _, part in parts if part is not None]
    boxed = [part.evidence for part in found if part.evidence.level == "certified"]
    fraction = min([1.0, *(part.certified_fraction or 0.0 for part in boxed)])
    words = f"{len(found)} steps, {len(found) - len(boxed)} of them identities: {claim.proof_words}"
    evidence = Evidence(
        "certified", sum(part.samples for part in boxed), None, None, fraction, sum(part.undecided or 0 for part in boxed), words
    )
    certificate = {"claim": claim.id, "hash": claim_hash(claim), "steps": [part.certificate for part in found]}
    return Certified(certificate, evidence)


class _Search:
    """The tree of one branch and bound."""

    def __init__(self, claim: Claim):
        self.claim = claim
        self.axes = len(claim.domain.axes)
        self.leaves: dict[Box, str] = {}
        self.splits: dict[Box, int] = {}
        self.boxes = 0
        self.found: Counterexample | None = None

    def run(self, budget: int, deadline: float) -> None:
        root: Box = ((0, 0),) * self.axes
        queue: list[tuple[int, int, Box]] = [(0, 0, root)]
        while queue and self.boxes < budget and time.monotonic() < deadline and self.found is None:
            depth, _, box = heapq.heappop(queue)
            letter, axis = self._examine(box, depth)
            self.boxes += 1
            if letter != "U" or depth >= _DEPTH:
                self.leaves[box] = letter
                continue
            self.splits[box] = axis
            for side in (0, 1):
                k, n = box[axis]
                half = (*box[:axis], (2 * k + side, n + 1), *box[axis + 1 :])
                heapq.heappush(queue, (depth + 1, self.boxes * 2 + side, half))
        for _, _, box in queue:
            self.leaves[box] = "U"

    def _examine(self, box: Box, depth: int) -> tuple[str, int]:
        """Letter of a box, and the axis to split it along."""
        for letter, bits in PRECISION.items():
            with flint.ctx.workprec(bits):
                verdict = proves(self.claim, box)
            if verdict != "U":
                return (letter if verdict == "P" else "O"), 0
            if depth < _FINE:
                break
        return "U", self._widest(box)

    def _widest(self, box: Box) -> int:
        """The axis along which slope times width is largest, and a look for a violation on the way."""
        point = box_point(self.claim, box)
        sides, factors = expressions(self.claim, point)
        if len(factors) == 1 and not self.claim.factors and factors[0].value.below_zero():
            self._suspect(box)
        widths = [axis_box(axis, *part) for axis, part in zip(self.claim.domain.axes, box, strict=True)]
        moves = [0.0] * self.axes
        for value in (*factors, *sides):
            if not hasattr(value, "slope"):
                continue
            size = _size(value.value)
            for i, slope in enumerate(value.slope):
                moves[i] += min(1e9, _size(slope) * float(widths[i].high - widths[i].low) / max(size, 1e-300))
        # equal halving of the axes keeps boxes from becoming needles where slopes are useless
        scores = [(move + 1e-6) * 4.0 ** -part[1] if move >= 1e8 else move + 1e-12 * 2.0 ** -part[1]
                  for move, part in zip(moves, box, strict=True)]
        return max(range(self.axes), key=scores.__getitem__)

    def _suspect(self, box: Box) -> None:
        """Re-checks the middle of a box on which the margin is negative."""
        parts = zip(self.claim.domain.axes, box, strict=True)
        self.found = confirm(self.claim, {axis.name: float(axis.at((k + 0.5) / 2**n)) for axis, (k, n) in parts})

    def result(self) -> Certified:
        claim = self.claim
        tree, volumes = self._tree(((0, 0),) * self.axes)
        undecided = sum(letter == "U" for letter in self.leaves.values())
        # an undecided box too small for a float is still undecided
        fraction = 1.0 if undecided == 0 else min(1.0 - volumes, math.nextafter(1.0, 0.0))
        words = f"{len(self.leaves)} boxes" + (f", {undecided} undecided" if undecided else "")
        evidence = Evidence("certified", self.boxes, None, None, fraction, undecided, words)
        axes = [[a.name, a.low, a.high, a.scale] for a in claim.domain.axes]
        certificate = {"claim": claim.id, "hash": claim_hash(claim), "axes": axes, "tree": tree}
        return Certified(certificate, evidence, self.found)

    def _tree(self, root: Box) -> tuple[str, float]:
        """The tree as a string, and the undecided volume."""
        symbols, undecided, stack = [], 0.0, [root]
        while stack:
            box = stack.pop()
            if box in self.splits:
                i = self.splits[box]
                k, n = box[i]
                symbols.append(str(i))
                stack += [(*box[:i], (2 * k + side, n + 1), *box[i + 1 :]) for side in (1, 0)]
            else:
                letter = self.leaves.get(box, "U")
                symbols.append(letter)
                if letter == "U":
                    undecided += 2.0 ** -sum(n for _, n in box)
        return "".join(symbols), undecided


def _size(value: Any) -> float:
    """The largest magnitude in an interval, large where it is unbounded."""
    if not value.defined():
        return 1e9
    return min(1e9, max(abs(float(value.low)), abs(float(value.high))))
