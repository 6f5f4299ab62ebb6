r"""Certificates: what a proof leaves behind in a file, and the comparison of it with the claim that it is said to prove.

A certificate holds everything it speaks of - axes, expressions, tree of boxes or steps - so that `ascentfail.claims.checker`,
which knows nothing of this package, verifies it alone. Here it is compared with the claim, read off anew, and then handed to that
checker: there is one judge.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import inspect
import json
import re
import types
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ascentfail.claims.claim import Claim, Grade, Kind, Point
from ascentfail.claims.evidence.formula import Formula, readable
from ascentfail.claims.verdict import PROOFS
from ascentfail.core.errors import MissingExtraError

try:
    from ascentfail.claims import checker
except ImportError as error:
    raise MissingExtraError("a certificate", "python-flint and sympy", "certify") from error

FORMAT = 2


class CertificateError(ValueError):
    """A certificate does not prove what it says; the message says where it breaks."""


@dataclass(frozen=True)
class Checked:
    """What a certificate was found to prove.

    Attributes:
        decided: fraction in [0, 1] of the box's volume (in the scale of its axes) that is proved or outside the domain; of an
            argument the least of its steps, in variables of their own.
        proved: fraction in [0, 1] on which the margin is proved.
        undecided: number >= 0 of boxes left undecided.
        boxes: number >= 0 of boxes in all.
        grade: "boxes", "identity", or "argued" for steps from which the claim follows in words.
        vacuous: whether side conditions exclude every box.
    """

    decided: float
    proved: float
    undecided: int
    boxes: int
    grade: Grade = "boxes"
    vacuous: bool = False

    @property
    def complete(self) -> bool:
        """Whether nothing is left open, of the claim or of its steps."""
        return self.undecided == 0 and not self.vacuous

    @property
    def proves(self) -> bool:
        """Whether a machine checked the claim itself, on the whole of its domain: complete, and not argued."""
        return self.complete and self.grade in PROOFS


# --- making ---------------------------------------------------------------------------------------------------------------------


def axes_of(claim: Claim) -> list[list[Any]]:
    """The axes of a claim as certificates hold them: [name, low, high, scale] each."""
    return [[a.name, a.low, a.high, a.scale] for a in claim.domain.axes]


@functools.lru_cache(maxsize=512)
def statement_of(claim: Claim, formula: Formula, forms: Any = None) -> Any:
    """What the checker evaluates for a claim, perhaps with other forms of some of its expressions (`symbolic.Forms`)."""
    operations = (*formula.operations, *(forms.more if forms else ()))
    pairs = (forms.twins, forms.signs) if forms else ((), ())
    return checker.Statement(
        axes_of(claim), operations, formula.sides, formula.margin, claim.strict, *pairs
    )


def header(claim: Claim) -> dict[str, Any]:
    """What every certificate of a claim says of it, whatever proves it."""
    formula = None if claim.cases else readable(claim)
    return {
        "format": FORMAT, "claim": claim.id, "statement": claim.statement, "words": claim.domain.words, "source": claim.source,
        "kind": str(claim.kind), "strict": claim.strict, "hash": claim_hash(claim), "axes": axes_of(claim),
        "formula": formula and formula.to_json(), "proof_words": claim.proof_words,
    }  # fmt: skip


def by_tree(
    claim: Claim, grade: Grade, tree: str, point: Sequence[float] | None, statement: Any
) -> dict[str, Any]:
    """A certificate of grade "boxes" or "identity": its tree, what is equal, a point of the domain where one was found."""
    made = {
        **header(claim),
        "grade": grade,
        "tree": tree,
        "point": None if point is None else list(point),
    }
    if statement.twin or statement.sign:
        more = statement.operations[len(made["formula"]["operations"]) :]
        made |= {"more": [list(operation) for operation in more], **{
            name: [list(pair) for pair in pairs.items()] for name, pairs in (("twins", statement.twin), ("signs", statement.sign))
        }}  # fmt: skip
    return made


def by_steps(claim: Claim, steps: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """A certificate of grade "argued": one of each step, and how the claim follows in words."""
    return {**header(claim), "grade": "argued", "steps": list(steps)}


def factored(claim: Claim) -> Claim:
    """The claim that all factors of a claim are >= 0: a step of its own, where only words tie it to the margin."""
    first, *others = claim.factors

    def least(p: Point, xp: Any) -> Any:
        return functools.reduce(xp.minimum, [factor(p, xp) for factor in others], first(p, xp))

    words = "every factor is >= 0 (strict: > 0)"
    return dataclasses.replace(
        claim, id=f"{claim.id}.factors", statement=words, kind=Kind.BOUND, margin=least, factors=(), proof=(), proof_words="",
        repaired=None, modulus=None,
    )  # fmt: skip


def arguments_of(claim: Claim) -> tuple[Claim, ...]:
    """The steps from which a claim follows in words: its proof, else that its factors are >= 0."""
    return claim.proof or ((factored(claim),) if claim.factors else ())


# --- the hash -------------------------------------------------------------------------------------------------------------------


def claim_hash(claim: Claim) -> str:
    """Hash of everything that a certificate speaks about.

    Args:
        claim: any claim.

    Returns:
        Hexadecimal digest of its words, axes, expressions (in which closures and helpers have their say), the text of its
        functions, its steps, and its cases with all helpers that they use.
    """
    domain, cases = claim.domain, claim.cases
    parts: list[Any] = [
        FORMAT,
        claim.id,
        str(claim.kind),
        claim.strict,
        claim.statement,
        claim.source,
        claim.note,
        domain.words,
    ]
    parts += [
        claim.proof_words,
        claim.exclusion_words,
        axes_of(claim),
        [[a.name, a.low, a.high, a.scale] for a in claim.inner],
    ]
    formula = None if cases else readable(claim)
    texts = _Texts(deep=formula is None)
    parts.append(formula.digest() if formula else None)
    for function in (domain.chart, domain.where, claim.margin, claim.exclusion, *claim.factors):
        parts.append(texts.of(function))
    parts.append(
        claim.modulus
        and [texts.of(claim.modulus.value), claim.modulus.axis, repr(claim.modulus.towards)]
    )
    if cases is not None:
        parts += [texts.of(cases.points), texts.of(cases.margin), texts.of(cases.exact)]
        parts += [cases.quantifier, cases.rigorous, cases.bound, cases.unmeasured]
    parts += [claim_hash(step) for step in claim.proof]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


class _Texts:
    """The text of functions, with what they close over and, if deep, of every helper of this package or of their own module."""

    def __init__(self, deep: bool):
        self.deep, self.seen = deep, set()

    def of(self, value: Any) -> str:
        """Text that changes when what a value does changes."""
        if isinstance(value, functools.partial):
            return f"partial {self.of(value.func)} {self.of(value.args)} {self.of(value.keywords)}"
        if isinstance(value, types.MethodType):
            return f"method {self.of(value.__func__)} of {self.of(value.__self__)}"
        if isinstance(value, types.FunctionType):
            return self._function(value)
        if isinstance(value, dict):
            return "{" + ", ".join(f"{self.of(k)}: {self.of(v)}" for k, v in value.items()) + "}"
        if isinstance(value, list | tuple):
            return "[" + ", ".join(self.of(v) for v in value) + "]"
        if isinstance(value, set | frozenset):
            return "set " + ", ".join(sorted(self.of(v) for v in value))
        if isinstance(value, Claim):
            return claim_hash(value)
        return self._other(value)

    def _other(self, value: Any) -> str:
        kind = type(value)
        if hasattr(value, "__wrapped__") and callable(value):  # a cached or jitted function
            return f"wrapped {self.of(inspect.unwrap(value))}"
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return f"{kind.__name__} {self.of([getattr(value, f.name) for f in dataclasses.fields(value)])}"
        if hasattr(value, "tobytes") and hasattr(value, "dtype"):
            array = np.asarray(value)
            return f"{array.dtype} {array.shape} {hashlib.sha256(array.tobytes()).hexdigest()}"
        if (
            callable(value)
            and not isinstance(value, type)
            and kind.__module__ != "builtins"
            and id(value) not in self.seen
        ):
            self.seen.add(id(value))
            call = kind.__dict__.get("__call__")
            text = self.of(call) if isinstance(call, types.FunctionType) else ""
            return f"{kind.__qualname__} {text} {self.of(vars_of(value))}"
        return re.sub(r" at 0x[0-9a-fA-F]+", "", repr(value))

    def _function(self, function: types.FunctionType) -> str:
        """Source (the compiled code where there is none), defaults, closure, and helpers."""
        name = f"{function.__module__}.{function.__qualname__}"
        if id(function) in self.seen:
            return name
        self.seen.add(id(function))
        try:
            text = inspect.getsource(function)
        except (OSError, TypeError):  # typed at a prompt
            text = _code(function.__code__)
        parts = [text, self.of(function.__defaults__), self.of(function.__kwdefaults__)]
        parts += [self.of(_content(cell)) for cell in function.__closure__ or ()]
        if self.deep:
            parts += [f"{name} = {self.of(value)}" for name, value in self._helpers(function)]
        return " ".join(parts)

    def _helpers(self, function: types.FunctionType) -> list[tuple[str, Any]]:
        """What a function reads from its module, or from modules of this package: functions, and plain values."""
        names, found = sorted(_names(function.__code__)), []
        spaces = [function.__globals__, *(m.__dict__ for m in function.__globals__.values() if isinstance(m, types.ModuleType)
                                          and m.__name__.startswith("ascentfail"))]  # fmt: skip
        for space in spaces:
            for name in names:
                value = space.get(name, None)
                inner = (
                    inspect.unwrap(value)
                    if callable(value) and not isinstance(value, type)
                    else value
                )
                where = getattr(inner, "__module__", None) or ""
                own = where == function.__module__ or where.startswith("ascentfail")
                plain = isinstance(value, int | float | str | tuple | list | dict | frozenset)
                if plain or (isinstance(inner, types.FunctionType) and own):
                    found.append((name, inner))
        return found


def vars_of(value: Any) -> dict[str, Any]:
    """The attributes of an object that has any."""
    return dict(getattr(value, "__dict__", {}))


def _names(code: types.CodeType) -> set[str]:
    """The global and attribute names in a function's code, and in the functions within it."""
    return set(code.co_names).union(
        *(_names(c) for c in code.co_consts if isinstance(c, types.CodeType))
    )


def _code(code: types.CodeType) -> str:
    constants = [_code(c) if isinstance(c, types.CodeType) else repr(c) for c in code.co_consts]
    return f"{code.co_code.hex()} {constants} {code.co_names} {code.co_varnames}"


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not yet filled
        return None


# --- checking -------------------------------------------------------------------------------------------------------------------


def read_certificate(path: str | Path) -> dict[str, Any]:
    """A certificate from a file.

    Args:
        path: of the file.

    Returns:
        What it holds, unchecked.

    Raises:
        CertificateError: it is not readable JSON of an object (three million brackets are not, either).
    """
    try:
        return checker.read(path)
    except checker.Unusable as error:
        raise CertificateError(f"{path} is no certificate: {error}") from error


def check_certificate(claim: Claim, certificate: dict[str, Any]) -> Checked:
    """Compares a certificate with a claim, and verifies it from raw numbers.

    Args:
        claim: the claim it should prove.
        certificate: as read from a file.

    Returns:
        Checked.

    Raises:
        CertificateError: it is of another claim, of another version of this one, malformed, or does not prove what it says.
    """
    said = certificate.get("claim") if isinstance(certificate, dict) else None
    if said != claim.id:
        raise CertificateError(f"the certificate is of claim {said!r}, not {claim.id!r}")
    if certificate.get("hash") != claim_hash(claim):
        raise CertificateError(
            f"the certificate was made for another version of claim {claim.id!r}"
        )
    for name, value in header(claim).items():
        if not _same(certificate.get(name), value):
            raise CertificateError(
                f"the certificate has another {name} than claim {claim.id!r}: {_short(certificate.get(name))}"
            )
    if certificate.get("grade") == "argued":
        return _check_steps(claim, certificate)
    if claim.inner or claim.exclusion is not None or certificate["formula"] is None:
        raise CertificateError(
            f"claim {claim.id!r} is not of a kind that boxes or identities can prove"
        )
    try:
        found = checker.check(certificate)
    except (checker.Rejected, checker.Unusable, RecursionError) as error:
        raise CertificateError(f"claim {claim.id!r}: {error}") from error
    return _checked(found)


def _check_steps(claim: Claim, certificate: dict[str, Any]) -> Checked:
    """Every step of an argument, in order; it is as good as its weakest step."""
    claims, steps = arguments_of(claim), certificate.get("steps")
    if not isinstance(steps, list) or not claims or len(steps) != len(claims):
        raise CertificateError(
            f"claim {claim.id!r} has {len(claims)} steps, the certificate another number"
        )
    for step, part in zip(claims, steps, strict=True):
        check_certificate(step, part)
    try:
        return _checked(checker.check(certificate))
    except (checker.Rejected, checker.Unusable, RecursionError) as error:
        raise CertificateError(f"claim {claim.id!r}: {error}") from error


def _checked(found: Any) -> Checked:
    """In floats, in which the whole of a domain is 1 and a hole never rounds away."""
    decided, proved = (
        float(part) if part == 1 else min(float(part), 1 - 2**-53)
        for part in (found.decided, found.proved)
    )
    return Checked(decided, proved, found.undecided, found.boxes, found.grade, found.vacuous)


def _same(given: Any, right: Any) -> bool:
    """Whether plain data are equal, and of equal types."""
    if given is right:
        return True
    try:
        return json.dumps(given, sort_keys=True) == json.dumps(right, sort_keys=True)
    except (TypeError, ValueError, RecursionError):
        return False


def _short(value: Any) -> str:
    text = (
        repr(value)
        if isinstance(value, str | int | float | type(None))
        else f"a {type(value).__name__}"
    )
    return text if len(text) <= 80 else text[:77] + "..."
