"""What was found about a claim: evidence, counterexample, verdict, as plain data.

Ours: the forms in which findings are kept.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from typing import Any, Literal

from ascentfail.claims.claim import Grade, Kind, Level
from ascentfail.core.errors import invalid

Status = Literal["holds", "fails", "open", "vacuous"]
GRADES: tuple[Grade, ...] = (
    "formal",
    "boxes",
    "identity",
    "cases",
    "argued",
    "searched",
    "sampled",
)  # strongest first
PROOFS: tuple[Grade, ...] = GRADES[:4]  # what may be called proved
_OF_LEVEL: dict[Level, Grade] = {
    "sampled": "sampled",
    "searched": "searched",
    "certified": "argued",
    "symbolic": "identity",
}


def percent(fraction: float) -> str:
    """A fraction in per cent to two decimals, rounded down: only the whole is 100."""
    return f"{math.floor(1e4 * fraction) / 100:.4g} %" if fraction < 1 else "100 %"


@dataclass(frozen=True)
class Counterexample:
    """A point that refutes a claim, confirmed by `evidence.recheck`.

    Attributes:
        point: finite floats: the coordinates of the box, exact as written, and those that its chart derives from them, rounded.
        margin: the violated margin (or exclusion bound) at that point, < 0 (<= 0 if strict; EQUALITY: any but 0), rounded from
            the high-precision value.
        digits: digits >= 1 to which the re-check agreed with itself.
        bound: what else it excludes, in words; empty where the point alone refutes.
    """

    point: dict[str, float]
    margin: float
    digits: int
    bound: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            key: value for key, value in dataclasses.asdict(self).items() if key != "bound" or value
        }


@dataclass(frozen=True)
class Evidence:
    """How hard the claim was tried, and how it fared.

    Attributes:
        level: how hard it was tried: "sampled", "searched", "certified" or "symbolic".
        samples: number >= 0 of points of the domain at which the margin was evaluated.
        worst_margin: any finite number, the smallest margin met (EQUALITY: the largest |residual|), None if none was evaluated.
        worst_point: where, finite floats.
        certified_fraction: fraction in [0, 1] of the domain's volume that is proved, None below that level.
        undecided: number >= 0 of boxes that stayed undecided, for certificates.
        words: anything else worth saying.
        grade: what a machine checked of the statement itself, strongest first: "formal", "boxes" (the margin enclosed on the
            whole domain, or at the point that refutes it), "identity", "cases" (each of finitely many), "argued" (steps, or a
            bound for a whole range, not that the words around them are right), "searched", "sampled". None: the weakest that the
            level allows.
        premises: names of what a proof takes for granted.

    Raises:
        ValueError: an unknown grade.
    """

    level: Level
    samples: int = 0
    worst_margin: float | None = None
    worst_point: dict[str, float] | None = None
    certified_fraction: float | None = None
    undecided: int | None = None
    words: str = ""
    grade: Grade | None = None
    premises: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Fills in the grade of the level, and checks it."""
        object.__setattr__(
            self, "grade", _OF_LEVEL.get(self.level) if self.grade is None else self.grade
        )
        object.__setattr__(self, "premises", tuple(self.premises))
        if self.grade not in GRADES:
            raise invalid("grade", self.grade, " or ".join(repr(grade) for grade in GRADES))


@dataclass(frozen=True)
class Verdict:
    """What the evidence says about a claim.

    Attributes:
        id, statement, source, kind: of the claim.
        status: "holds" (not broken at the level of the evidence), "fails", "open" or "vacuous".
        evidence: the strongest evidence gathered.
        counterexample: confirmed refutation, for "fails".
        repaired: verdict on the repaired statement.
        domain: of the claim, in words.
    """

    id: str
    statement: str
    source: str
    kind: Kind
    status: Status
    evidence: Evidence
    counterexample: Counterexample | None = None
    repaired: Verdict | None = None
    domain: str = field(default="")

    @property
    def proved(self) -> bool:
        """Whether a machine checked this very statement, or its refutation: the grade is one of `PROOFS`."""
        return self.status in ("holds", "fails") and self.evidence.grade in PROOFS

    def to_json(self) -> dict[str, Any]:
        """Plain data, in the layout of `ascentfail verify --json`."""
        return {
            "id": self.id,
            "status": self.status,
            "kind": str(self.kind),
            "source": self.source,
            "statement": self.statement,
            "domain": self.domain,
            "evidence": dataclasses.asdict(self.evidence),
            "counterexample": self.counterexample and self.counterexample.to_json(),
            "repaired": self.repaired and self.repaired.to_json(),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Verdict:
        """Inverse of `to_json`.

        Args:
            data: what `to_json` returned.

        Returns:
            The verdict.

        Raises:
            KeyError: a part is missing.
            ValueError: an unknown kind.
        """
        found, repaired = data["counterexample"], data["repaired"]
        return cls(
            id=data["id"],
            statement=data["statement"],
            source=data["source"],
            kind=Kind(data["kind"]),
            status=data["status"],
            evidence=Evidence(**data["evidence"]),
            counterexample=Counterexample(**found) if found else None,
            repaired=cls.from_json(repaired) if repaired else None,
            domain=data["domain"],
        )
