r"""Certificates: what a proof by boxes leaves behind, and the short judge that reads it.

A certificate names a claim, the hash of its text, the box of its domain, and a tree of bisections as one string: a digit
splits the box in half along that axis (lower half first), a letter ends a branch. "P", "Q", "R" say that the margin is >= 0
on the box at 53, 106 or 212 bits, "O" that a side condition excludes the box, "U" that it stayed undecided. The judge walks
the tree, builds each box itself and evaluates it again, so the boxes cover the domain by construction. It shares with the
search that made the certificate the arithmetic of intervals, and nothing else. A proof by steps carries one certificate for
each step; an identity, which SymPy proved, is tested again in 50 digits at random points.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import math
import operator
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import flint
import mpmath

from ascentfail.theory.claim import Axis, Claim, Kind, Point
from ascentfail.theory.evidence.interval import Interval, Jet, jets
from ascentfail.theory.evidence.recheck import DIGITS, recheck

PRECISION = {"P": 53, "Q": 106, "R": 212}
_IDENTITY_POINTS = 16
_IDENTITY_TRIES = 100 * _IDENTITY_POINTS
Box = tuple[tuple[int, int], ...]  # for each axis (k, n): the part [k/2^n, (k+1)/2^n] of it


class CertificateError(ValueError):
    """A certificate does not prove what it says; the message says where it breaks."""


@dataclass(frozen=True)
class Checked:
    """What a certificate was found to prove.

    Attributes:
        decided: fraction of the box's volume (in the scale of its axes) that is proved or outside the domain.
        proved: fraction on which the margin is proved.
        undecided: number of boxes left undecided.
        boxes: number of boxes in all.
    """

    decided: float
    proved: float
    undecided: int
    boxes: int


def claim_hash(claim: Claim) -> str:
    """Hash of everything that a certificate speaks about: id, kind, axes, and the text of chart, side conditions and margin."""
    parts: list[str] = [claim.id, str(claim.kind), str(claim.strict), claim.statement]
    parts += [f"{a.name} {a.low!r} {a.high!r} {a.scale}" for a in claim.domain.axes]
    for function in (claim.domain.chart, claim.domain.where, claim.margin, *(claim.factors or ())):
        parts.append(_text(function) if function else "none")
    parts += [claim_hash(step) for step in claim.proof]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _text(function: Any) -> str:
    if isinstance(function, functools.partial):
        return f"{_text(function.func)} {function.args!r} {function.keywords!r}"
    try:
        source = inspect.getsource(function)
    except (OSError, TypeError):  # typed at a prompt: the compiled code stands for the text
        code = getattr(function, "__code__", None)
        source = f"{code.co_code.hex()} {code.co_consts!r} {code.co_names!r}" if code else f"{type(function)} {vars(function)!r}"
    return f"{source} {getattr(function, '__defaults__', None)!r}"


def axis_box(axis: Axis, k: int, n: int) -> Interval:
    """The part [k/2^n, (k+1)/2^n] of an axis, rounded outwards; the two ends of the axis are exact."""
    def at(step: int) -> Any:
        if step == 0 or step == 2**n:
            return flint.arb(axis.low if step == 0 else axis.high)
        part = flint.arb(step) / 2**n
        if axis.scale == "log":
            return flint.arb(axis.low) * (part * (flint.arb(axis.high) / flint.arb(axis.low)).log()).exp()
        return flint.arb(axis.low) + part * (flint.arb(axis.high) - flint.arb(axis.low))

    return Interval(at(k), at(k + 1))


def box_point(claim: Claim, box: Box) -> Point:
    """The box as jets in the claim's own coordinates, before its chart."""
    zero, one = Interval.of(0), Interval.of(1)
    axes = claim.domain.axes
    return Point(**{
        axis.name: Jet(axis_box(axis, *part), tuple(one if i == j else zero for j in range(len(axes))))
        for i, (axis, part) in enumerate(zip(axes, box, strict=True))
    })


def expressions(claim: Claim, point: Point) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """(side conditions, factors) of a claim over a box; the claim holds on it when every factor is >= 0."""
    xp = jets()
    p = claim.domain.chart(point, xp)
    sides = claim.domain.where(p, xp) if claim.domain.where else ()
    factors = tuple(f(p, xp) for f in claim.factors) if claim.factors else (claim.margin(p, xp),)
    return sides, factors


def shrink_to_face(value: Jet, parts: dict[str, Interval], names: list[str], lowest: bool) -> dict[str, Interval]:
    """The face of a box on which a monotone expression is smallest (or largest)."""
    shrunk = dict(parts)
    for name, slope in zip(names, value.slope, strict=True):
        rising, falling = slope.at_least_zero(), slope.at_most_zero()
        if rising or falling:
            end = parts[name].low if rising == lowest else parts[name].high
            shrunk[name] = Interval(end, end)
    return shrunk


def proves(claim: Claim, box: Box, which: int | None = None) -> str:
    """"P" where every factor is >= 0 on the box (> 0 for a strict claim), "O" where a side condition fails, "U" otherwise.

    Each expression is enclosed on the whole box; where it is monotone along an axis, again on the face where it is extreme.
    """
    names = [axis.name for axis in claim.domain.axes]
    start = box_point(claim, box)
    parts = {name: jet.value for name, jet in start.values().items()}
    sides, factors = expressions(claim, start)
    for i, side in enumerate(sides):
        if _sign(claim, side, parts, names, lambda s, f, i=i: s[i], lowest=False) < 0:
            return "O"
    for i, factor in enumerate(factors):
        sign = _sign(claim, factor, parts, names, lambda s, f, i=i: f[i], lowest=True)
        if sign < 1 or (claim.strict and sign < 2):
            return "U"
    return "P"


def _sign(claim: Claim, value: Any, parts: dict[str, Interval], names: list[str], pick: Any, lowest: bool) -> int:
    """For the smallest value on the box: 2 surely > 0, 1 surely >= 0, 0 unknown. For the largest: -1 surely < 0."""
    for _ in range(3):
        if not isinstance(value, Jet):
            value = Jet(Interval.of(value), (Interval.of(0),) * len(names))
        if lowest and value.value.at_least_zero():
            return 2 if value.value.above_zero() else 1
        if not lowest and value.value.below_zero():
            return -1
        shrunk = shrink_to_face(value, parts, names, lowest)
        if not value.value.defined() or all(shrunk[n].low == parts[n].low and shrunk[n].high == parts[n].high for n in names):
            return 0
        parts = shrunk
        zero, one = Interval.of(0), Interval.of(1)
        unit = {n: tuple(one if n == m else zero for m in names) for n in names}
        value = pick(*expressions(claim, Point(**{n: Jet(parts[n], unit[n]) for n in names})))
    return 0


def check_certificate(claim: Claim, certificate: dict[str, Any]) -> Checked:
    """Re-verifies a certificate from raw numbers.

    Args:
        claim: the claim it should prove.
        certificate: as read from a file.

    Returns:
        Checked.

    Raises:
        CertificateError: it is of another claim, of another version of this one, malformed, or a box does not prove.
    """
    said = certificate.get("claim") if isinstance(certificate, dict) else None
    if said != claim.id:
        raise CertificateError(f"the certificate is of claim {said!r}, not {claim.id!r}")
    if certificate.get("hash") != claim_hash(claim):
        raise CertificateError(f"the certificate was made for another version of claim {claim.id!r}")
    if claim.proof:
        return _check_steps(claim, certificate)
    if claim.kind is Kind.EQUALITY:
        return _check_identity(claim, certificate)
    return _check_boxes(claim, certificate)


def _check_boxes(claim: Claim, certificate: dict[str, Any]) -> Checked:
    """Every leaf of the tree, evaluated again."""
    axes = [[a.name, a.low, a.high, a.scale] for a in claim.domain.axes]
    if certificate.get("axes") != axes:
        raise CertificateError(f"the certificate's box is {certificate.get('axes')}, the claim's is {axes}")
    if claim.inner or claim.exclusion is not None:
        raise CertificateError(f"claim {claim.id!r} is not of a kind that boxes can prove")
    decided, proved, undecided, boxes = 0.0, 0.0, 0, 0
    for letter, box in walk(certificate.get("tree"), len(axes)):
        boxes += 1
        if letter == "U":
            undecided += 1
            continue
        if not _leaf_stands(claim, box, letter):
            raise CertificateError(f"box {box} of claim {claim.id!r} does not prove what the certificate says ({letter})")
        volume = functools.reduce(operator.mul, (2.0**-n for _, n in box))
        decided += volume
        proved += volume if letter != "O" else 0.0
    if undecided:  # one too small for a float is still undecided
        decided, proved = (min(fraction, math.nextafter(1.0, 0.0)) for fraction in (decided, proved))
    return Checked(decided, proved, undecided, boxes)


def _leaf_stands(claim: Claim, box: Box, letter: str) -> bool:
    """Whether a box proves what its letter says; an exclusion may need any of the precisions."""
    for bits in PRECISION.values() if letter == "O" else (PRECISION[letter],):
        with flint.ctx.workprec(bits):
            if proves(claim, box) == ("O" if letter == "O" else "P"):
                return True
    return False


def _check_steps(claim: Claim, certificate: dict[str, Any]) -> Checked:
    """Every step of a proof, in order; the proof is as good as its weakest step."""
    steps = certificate.get("steps")
    if not isinstance(steps, list) or len(steps) != len(claim.proof):
        raise CertificateError(f"claim {claim.id!r} has {len(claim.proof)} steps, the certificate another number")
    found = [check_certificate(step, part) for step, part in zip(claim.proof, steps, strict=True)]
    return Checked(
        min(part.decided for part in found),
        min(part.proved for part in found),
        sum(part.undecided for part in found),
        sum(part.boxes for part in found),
    )


def _check_identity(claim: Claim, certificate: dict[str, Any]) -> Checked:
    """An identity is tested at points nobody chose: one that is false vanishes at almost none of them."""
    if certificate.get("identity") is not True:
        raise CertificateError(f"the certificate does not state the identity of claim {claim.id!r}")
    rng = random.Random(certificate["hash"])
    tested = 0
    for _ in range(_IDENTITY_TRIES):
        if tested == _IDENTITY_POINTS:
            break
        point = {axis.name: float(axis.at(rng.random())) for axis in claim.domain.axes}
        found = recheck(claim, point)
        tested += found.inside
        if found.inside and not (found.margin == 0 and found.digits >= DIGITS):
            raise CertificateError(f"claim {claim.id!r} is no identity: its residual at {point} is "
                f"{mpmath.nstr(found.margin, 5)}")
    if tested < _IDENTITY_POINTS:
        raise CertificateError(f"only {tested} of {_IDENTITY_TRIES} random points lie in the domain of claim {claim.id!r}")
    return Checked(1.0, 1.0, 0, 1)


def walk(tree: Any, axes: int) -> Iterator[tuple[str, Box]]:
    """The leaves of a tree, each with its box. Raises: CertificateError for a string that is no tree."""
    if not isinstance(tree, str):
        raise CertificateError("the certificate has no tree")
    stack: list[Box] = [((0, 0),) * axes]
    for symbol in tree:
        if not stack:
            raise CertificateError("the tree goes on after its last leaf")
        box = stack.pop()
        if symbol in "PQROU":
            yield symbol, box
        elif symbol.isdecimal() and int(symbol) < axes:
            i = int(symbol)
            k, n = box[i]
            halves = [(*box[:i], (2 * k + side, n + 1), *box[i + 1 :]) for side in (1, 0)]
            stack += halves
        else:
            raise CertificateError(f"the tree has the symbol {symbol!r}")
    if stack:
        raise CertificateError("the tree ends before its last leaf")
