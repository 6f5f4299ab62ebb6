r"""Evidence by certificate: branch and bound with intervals over a claim's domain, identities, and steps.

Boxes are taken from the widest down; one on which the checker sees the margin to be >= 0, or a side condition surely to fail, is
closed, the others are halved along the axis that moves the margin most. Precision rises only where a small box stays undecided.
What is left when the budget ends is counted, not hidden. A box on which the margin is surely negative is handed to the re-check.
"""

from __future__ import annotations

import functools
import heapq
import math
import random
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import flint

from ascentfail.claims import checker
from ascentfail.claims.claim import Claim, Kind
from ascentfail.claims.evidence import symbolic
from ascentfail.claims.evidence.certificate import arguments_of, by_steps, by_tree, statement_of
from ascentfail.claims.evidence.formula import Formula
from ascentfail.claims.evidence.recheck import confirm
from ascentfail.claims.verdict import PROOFS, Counterexample, Evidence

BUDGET = 4000  # boxes evaluated for one claim
SECONDS = 20.0
_FIRST = (200, 1.0)  # boxes and seconds on the margin itself of a claim that has steps, too
_HOPE = (
    128,
    0.02,
)  # boxes after which, with less than this fraction closed, such a claim goes on to its steps
_DEPTH = 60  # halvings after which a box is left undecided
_FINE = 24  # halvings after which a higher precision is tried
_POINTS = 200  # points at which side conditions are tried
_PRECISIONS = (53, 106, 212, 424, 1000)  # bits in which a point may refute

Box = tuple[tuple[int, int], ...]  # for each axis (k, n): the part [k/2^n, (k+1)/2^n] of it


@dataclass(frozen=True)
class Certified:
    """Outcome of certification.

    Attributes:
        certificate: plain data, for a file.
        evidence: of grade "boxes" with the fraction decided and the number of boxes left, "identity", or "argued" for steps.
        counterexample: a confirmed violation met on the way.
        vacuous: whether the side conditions exclude every box.
    """

    certificate: dict[str, Any]
    evidence: Evidence
    counterexample: Counterexample | None = None
    vacuous: bool = False

    @property
    def complete(self) -> bool:
        """Whether nothing is left open: of the claim for "boxes" and "identity", of its steps for "argued"."""
        return not (self.evidence.undecided or self.counterexample or self.vacuous)


def certify(claim: Claim, budget: int = BUDGET, seconds: float = SECONDS) -> Certified | None:
    """Tries to prove a claim on the whole box of its domain.

    Args:
        claim: existence claims and claims with an exclusion bound are not for boxes.
        budget: boxes to evaluate at most.
        seconds: computing time of this thread to spend at most, for the claim and for each of its steps.

    Returns:
        Certified, or None where neither boxes nor identities nor steps can speak about the claim.

    Raises:
        MissingExtraError: python-flint or SymPy is not installed.
        ClaimError: the claim's own functions raise.
    """
    if claim.cases is not None:
        return None
    if claim.inner or claim.exclusion is not None:
        return _by_steps(claim, budget, seconds)
    formula = symbolic.expressions(claim)
    if formula is None:
        return _by_steps(claim, budget, seconds)
    if claim.kind is Kind.EQUALITY:
        return _by_identity(claim, formula, budget, seconds) or _by_steps(claim, budget, seconds)
    direct = _by_boxes(claim, formula, budget, seconds)
    if direct.complete or direct.counterexample or direct.vacuous:
        return direct
    same = (
        None
        if claim.strict or not _seems_zero(claim, formula)
        else _by_identity(claim, formula, budget, seconds)
    )
    return same or _by_steps(claim, budget, seconds) or direct


def excluded(claim: Claim, budget: int = BUDGET, seconds: float = SECONDS) -> bool:
    """Whether boxes show that the side conditions exclude the whole box of a claim's domain, so that it says nothing.

    Args:
        claim: any claim.
        budget: boxes to evaluate at most.
        seconds: computing time of this thread to spend at most.

    Returns:
        True only where every box is excluded.
    """
    formula = None if claim.cases is not None else symbolic.expressions(claim)
    if formula is None or not formula.sides:
        return False
    never = len(formula.operations)  # a margin that is nowhere >= 0
    statement = checker.Statement(
        statement_of(claim, formula).axes,
        (*formula.operations, ("number", "-1")),
        formula.sides,
        never,
    )
    search = _Search(statement, False, None)
    search.run(budget, time.thread_time() + seconds)
    return set(search.leaves.values()) == {"O"}


def point_refutes(claim: Claim, point: Mapping[str, float]) -> bool:
    """Whether enclosures show that a claim is false at one point, exact as written.

    Args:
        claim: any claim.
        point: at least the coordinates of its box.

    Returns:
        True only where the point is in the box, each side condition is surely >= 0 and the margin surely < 0 (strict: <= 0,
        equality: not 0). False where that cannot be enclosed, and of claims whose refutation speaks of more than the point.
    """
    if claim.cases is not None or claim.inner or claim.exclusion is not None:
        return False
    formula, axes = symbolic.expressions(claim), claim.domain.axes
    if formula is None or not all(
        axis.name in point and axis.contains(point[axis.name]) for axis in axes
    ):
        return False
    statement = statement_of(claim, formula)
    return any(
        _refuted(claim, statement, [float(point[axis.name]) for axis in axes], bits)
        for bits in _PRECISIONS
    )


def _refuted(claim: Claim, statement: Any, values: list[float], bits: int) -> bool:
    with flint.ctx.workprec(bits):
        known, sides = statement.jets([(flint.arb(value),) * 2 for value in values])
        if known[statement.margin] is None or not all(
            jet and jet[0][0] >= 0 for jet in sides.values()
        ):
            return False
        low, high = known[statement.margin][0]
        if claim.kind is Kind.EQUALITY:
            return bool(low > 0 or high < 0)
        return bool(high <= 0) if claim.strict else bool(high < 0)


# --- boxes ----------------------------------------------------------------------------------------------------------------------


class _Search:
    """The tree of one branch and bound."""

    def __init__(self, statement: Any, identity: bool, claim: Claim | None):
        """Args: what to prove or (identity) to find defined; the claim that a negative box may refute."""
        self.statement, self.identity, self.claim = statement, identity, claim
        self.axes = len(statement.axes)
        self.leaves: dict[Box, str] = {}
        self.splits: dict[Box, int] = {}
        self.boxes = 0
        self.found: Counterexample | None = None

    def run(self, budget: int, deadline: float, patient: bool = True) -> None:
        """Takes boxes, the widest first, until none is left or the budget ends; the impatient give up where nothing closes."""
        closed, began, queue = 0.0, time.thread_time(), [(0, 0, ((0, 0),) * self.axes)]
        while (
            queue and self.boxes < budget and time.thread_time() < deadline and self.found is None
        ):
            depth, _, box = heapq.heappop(queue)
            letter, axis = self._examine(box, depth)
            self.boxes += 1
            if axis is None:
                self.leaves[box] = letter
                closed += 0.0 if letter == "U" else 2.0 ** -sum(n for _, n in box)
                continue
            if not patient and self.boxes >= _HOPE[0] and closed < _HOPE[1]:
                deadline = 0.0
            self.splits[box] = axis
            if (
                not patient
                and self.boxes == 1
                and 50 * (time.thread_time() - began) > deadline - began
            ):
                deadline = 0.0  # one box takes so long that there will not be many
            for side, half in enumerate(checker.halves(box, axis)):
                heapq.heappush(queue, (depth + 1, self.boxes * 2 + side, half))
        self.leaves.update((box, "U") for _, _, box in queue)

    def _examine(self, box: Box, depth: int) -> tuple[str, int | None]:
        """Letter of a box, and the axis to split it along, None for a leaf."""
        parts, jets = [], ({}, {})
        for letter, bits in checker.BITS.items():
            with flint.ctx.workprec(bits):
                parts = self.statement.parts(box)
                if None in parts:
                    return "O", None
                jets = self.statement.jets(parts)
                found = self.statement.letter(parts, jets, self.identity)
            if found != "U":
                return (letter if found == "P" else "O"), None
            if depth < _FINE:
                break
        margin = jets[0][self.statement.margin]
        if self.claim is not None and margin is not None:
            if margin[0][1] < 0 or (self.claim.strict and margin[0][1] <= 0):
                self._suspect(box)
        return "U", None if depth >= _DEPTH else self._widest(box, parts, *jets)

    def _widest(
        self, box: Box, parts: list[Any], known: dict[Any, Any], sides: dict[int, Any]
    ) -> int | None:
        """The axis along which slope times width is largest; None where no axis can be halved."""
        moves = [0.0] * self.axes
        for value, slopes in (*self._movers(known), *filter(None, sides.values())):
            size = max(_size(value), 1e-300)
            for i, slope in slopes.items():
                moves[i] += min(1e9, _size(slope) * float(parts[i][1] - parts[i][0]) / size)
        # equal halving of the axes keeps boxes from becoming needles where slopes are useless
        scores = [(move + 1e-6) * 4.0 ** -part[1] if move >= 1e8 else move + 1e-12 * 2.0 ** -part[1]
                  for move, part in zip(moves, box, strict=True)]  # fmt: skip
        open_axes = [
            i for i, own in enumerate(parts) if own[0] < own[1] and box[i][1] < checker.DEEPEST
        ]
        return max(open_axes, key=scores.__getitem__, default=None)

    def _movers(self, known: dict[Any, Any]) -> list[Any]:
        """What has to be moved: the parts of the margin that the checker looks at, or what makes it undefined."""
        statement = self.statement
        if known[statement.margin] is None:
            first = next(
                i for i in statement.order((*statement.sides, statement.margin)) if known[i] is None
            )
            return [known[i] for i in checker.arguments(statement.operations[first])]
        return [
            known[i]
            for i in dict.fromkeys(_leaves(statement, statement.margin))
            if known[i] is not None
        ]

    def _suspect(self, box: Box) -> None:
        """Re-checks the middle of a box on which the margin is negative."""
        assert self.claim is not None
        names = [axis.name for axis in self.claim.domain.axes]
        self.found = confirm(self.claim, dict(zip(names, _middle(self.claim, box), strict=True)))

    def tree(self) -> str:
        """The tree as a string."""
        symbols, stack = [], [((0, 0),) * self.axes]
        while stack:
            box = stack.pop()
            if box in self.splits:
                symbols.append(checker.AXES[self.splits[box]])
                stack += checker.halves(box, self.splits[box])[::-1]
            else:
                symbols.append(self.leaves.get(box, "U"))
        return "".join(symbols)

    @property
    def undecided(self) -> int:
        """Number of boxes left undecided."""
        return sum(letter == "U" for letter in self.leaves.values())

    @property
    def decided(self) -> float:
        """Decided fraction of the volume; an undecided box too small for a float is still undecided."""
        left = math.fsum(
            2.0 ** -sum(n for _, n in box) for box, letter in self.leaves.items() if letter == "U"
        )
        return 1.0 if self.undecided == 0 else min(1.0 - left, math.nextafter(1.0, 0.0))


def _leaves(statement: Any, place: int) -> Iterator[int]:
    """The expression, its other forms, and the parts of them that are looked at on their own."""
    name, *rest = statement.operations[place]
    if name in ("minimum", "mul", "div", "neg"):
        for part in rest:
            yield from _leaves(statement, part)
    for pairs in (statement.twin, statement.sign):
        if place in pairs:
            yield from _leaves(statement, pairs[place])
    if name != "minimum":
        yield place


def _size(value: Any) -> float:
    """The largest magnitude in an interval, large where it is unbounded."""
    return 1e9 if value is None else min(1e9, max(abs(float(value[0])), abs(float(value[1]))))


def _middle(claim: Claim, box: Box) -> list[float]:
    return [
        float(axis.at((k + 0.5) / 2**n))
        for axis, (k, n) in zip(claim.domain.axes, box, strict=True)
    ]


def _inhabitant(claim: Claim, statement: Any, leaves: Mapping[Box, str]) -> list[float] | None:
    """A point of the domain at which the side conditions surely hold and the margin is defined, where one is found."""
    rng = random.Random(0)
    proved = [box for box, letter in leaves.items() if letter in "PQR"][:_POINTS]
    units = [[0.5] * len(statement.axes)] + [
        [rng.random() for _ in statement.axes] for _ in range(_POINTS)
    ]
    inner = [
        [float(axis.at(u)) for axis, u in zip(claim.domain.axes, unit, strict=True)]
        for unit in units
    ]
    for point in (
        *(_middle(claim, box) for box in proved),
        *(inner if statement.sides else inner[:3]),
    ):
        if statement.holds_point(point):
            return point
    return None


def _by_boxes(claim: Claim, formula: Formula, budget: int, seconds: float) -> Certified:
    """Branch and bound on the margin itself; a claim with steps, too, waits less for it."""
    hurried = bool(claim.proof)
    if hurried:
        budget, seconds = min(budget, _FIRST[0]), min(seconds, _FIRST[1])
    statement = statement_of(claim, formula, symbolic.forms(claim, formula))
    search = _Search(statement, False, claim)
    search.run(budget, time.thread_time() + seconds, not hurried)
    count, left = len(search.leaves), search.undecided
    words = ("1 box" if count == 1 else f"{count:,} boxes") + (
        f", {left:,} undecided" if left else ""
    )
    vacuous = set(search.leaves.values()) == {"O"}
    if vacuous:
        words = "a side condition excludes every box"
    evidence = Evidence("certified", search.boxes, None, None, search.decided, left, words, "boxes")
    point = None if left or vacuous else _inhabitant(claim, statement, search.leaves)
    return Certified(
        by_tree(claim, "boxes", search.tree(), point, statement), evidence, search.found, vacuous
    )


# --- identities and steps -------------------------------------------------------------------------------------------------------


def _seems_zero(claim: Claim, formula: Formula) -> bool:
    """Whether a margin may vanish identically: its enclosures at two points contain zero."""
    statement = statement_of(claim, formula)
    with flint.ctx.workprec(212):
        for box in (((0, 0),) * len(statement.axes), ((2, 3),) * len(statement.axes)):
            known, _ = statement.jets([(flint.arb(value),) * 2 for value in _middle(claim, box)])
            jet = known[statement.margin]
            if jet is not None and not jet[0][0] <= 0 <= jet[0][1]:
                return False
    return True


def _by_identity(claim: Claim, formula: Formula, budget: int, seconds: float) -> Certified | None:
    """A margin that SymPy reduces to zero, and that boxes show to be defined on the whole domain."""
    proof = symbolic.prove_zero(claim)
    if proof is None:
        return None
    statement = statement_of(claim, formula, symbolic.forms(claim, formula))
    search = _Search(statement, True, None)
    search.run(budget, time.thread_time() + seconds)
    vacuous = set(search.leaves.values()) == {"O"}
    if search.undecided:
        return None
    point = _inhabitant(claim, statement, search.leaves)
    return Certified(
        by_tree(claim, "identity", search.tree(), point, statement), proof, vacuous=vacuous
    )


@functools.lru_cache(maxsize=1024)
def _step(step: Claim, budget: int, seconds: float) -> Certified | None:
    """A step where it is proved itself, on a domain in which a point was found."""
    found = certify(step, budget, seconds)
    proved = found is not None and found.complete and found.evidence.grade in PROOFS
    return found if found and proved and found.certificate["point"] is not None else None


def _by_steps(claim: Claim, budget: int, seconds: float) -> Certified | None:
    """Smaller claims from which this one follows in words; None where one of them is not proved."""
    steps = [_step(step, budget, seconds) for step in arguments_of(claim)]
    if not steps or None in steps:
        return None
    found = [step for step in steps if step is not None]
    identities = sum(step.evidence.grade == "identity" for step in found)
    count = f"{len(found)} steps" if len(found) != 1 else "1 step"
    words = f"{count}, {identities} of them {'an identity' if identities == 1 else 'identities'}: {claim.proof_words}"
    samples = sum(step.evidence.samples for step in found)
    evidence = Evidence("certified", samples, words=words, grade="argued")
    return Certified(by_steps(claim, [step.certificate for step in found]), evidence)
