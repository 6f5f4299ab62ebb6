r"""A claim's formulas as data: the expression that a margin is, read off by calling it once on symbols that remember.

Whoever judges a claim exactly (many digits, boxes, identities, a certificate) evaluates this one expression, so that a margin
cannot say one thing to one arithmetic and another thing to the next, and a certificate can hold what it speaks of. Numbers in it
are exact: a float that a formula computes with is the decimal that Python prints for it, 0.1 is one tenth; `xp.number(0.1)` is
the binary fraction, `xp.number("0.1")` one tenth again.
"""

from __future__ import annotations

import functools
import hashlib
import json
import math
import numbers
import operator
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
from mpmath import mp

from ascentfail.claims.claim import Claim, ClaimError, Point
from ascentfail.numerics.arithmetic import Arithmetic
from ascentfail.numerics.sample_losses import EXPONENTIAL

UNARY = (
    "exp",
    "log",
    "sqrt",
    "abs",
    "softplus",
    "sigmoid",
    "lambertw_exp",
    "logisticw",
    "indicator",
)
BINARY = ("minimum", "maximum")
_OPERATORS: dict[str, Callable[..., Any]] = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "div": operator.truediv, "neg": operator.neg,
}  # fmt: skip
_MOST = 200_000  # operations of one claim


class FormulaError(ClaimError):
    """A claim's functions cannot be read as one expression: they ask what their arguments are, or for other functions."""


Operation = tuple[Any, ...]  # (name, place of an argument or a number ...), see `Formula`


@dataclass(frozen=True)
class Formula:
    """The expressions of a claim as a list of operations, each of which takes earlier ones by their place.

    Attributes:
        operations: ("axis", name), ("number", "1/10"), ("add", 3, 5), ("power", 3, 2), ("lambertw", 3, -1), ("exp", 4),
            ("plane", place, beta, gamma, q, sign, loss) for a pull of a stationary point, ("fold", place, beta, q).
        point: place of every coordinate after the chart, by name.
        sides: places of the side conditions.
        margin: place of the margin; None of an existence, whose margin speaks of inner values too.
        exclusion: place of the exclusion bound, or None.
        modulus: place of the modulus of a limit, or None.
    """

    operations: tuple[Operation, ...]
    point: tuple[tuple[str, int], ...]
    sides: tuple[int, ...]
    margin: int | None
    exclusion: int | None
    modulus: int | None

    def at(self, coordinates: Mapping[str, Any], xp: Arithmetic) -> Values:
        """The operations at a point; each is evaluated when it is first asked for, and once.

        Args:
            coordinates: of the box (and inner axes, where there are any), by name, in the arithmetic.
            xp: any arithmetic.

        Returns:
            Values; asking raises whatever the arithmetic raises: ZeroDivisionError in mpmath, NotImplementedError where a
            function is missing.
        """
        return Values(self, coordinates, xp)

    def needed(self, places: Iterable[int], known: Collection[int] = ()) -> list[int]:
        """The places of all operations on which some depend, themselves included, in order; not behind those that are known."""
        found, stack = set(), list(places)
        while stack:
            place = stack.pop()
            if place not in found and place not in known:
                found.add(place)
                stack += arguments(self.operations[place])
        return sorted(found)

    def to_json(self) -> dict[str, Any]:
        """Plain data, as certificates hold it."""
        return {
            "operations": [list(operation) for operation in self.operations], "point": dict(self.point),
            "sides": list(self.sides), "margin": self.margin, "exclusion": self.exclusion, "modulus": self.modulus,
        }  # fmt: skip

    def digest(self) -> str:
        """Hash of the expressions."""
        return hashlib.sha256(json.dumps(self.to_json(), sort_keys=True).encode()).hexdigest()


def arguments(operation: Operation) -> tuple[int, ...]:
    """The places of the earlier operations that an operation takes."""
    name = operation[0]
    if name in ("axis", "number"):
        return ()
    if name in ("power", "lambertw"):
        return operation[1:2]
    if name == "plane":
        return operation[2:5]
    return operation[2:4] if name == "fold" else operation[1:]


class Values:
    """The operations of a formula at one point in one arithmetic."""

    def __init__(self, formula: Formula, coordinates: Mapping[str, Any], xp: Arithmetic):
        """Args: as for `Formula.at`."""
        self._formula, self._coordinates, self._xp = formula, coordinates, xp
        self._known: dict[int, Any] = {}
        self._pulls: dict[Operation, tuple[Any, Any]] = {}  # one solution for both of its parts

    def __getitem__(self, place: int) -> Any:
        """What the operation at a place comes to."""
        if place not in self._known:
            for i in self._formula.needed([place], self._known):
                self._known[i] = self._apply(self._formula.operations[i])
        return self._known[place]

    def _apply(self, operation: Operation) -> Any:
        name, xp = operation[0], self._xp
        given = [self._known[place] for place in arguments(operation)]
        if name == "axis":
            return self._coordinates[operation[1]]
        if name == "number":
            value = Fraction(operation[1])
            return (
                xp.number(value.numerator)
                if value.denominator == 1
                else xp.number(value.numerator) / value.denominator
            )
        if name == "power":
            return given[0] ** operation[2]
        if name == "lambertw":
            return xp.lambertw(given[0], operation[2])
        if name in ("plane", "fold"):
            key = (name, *operation[2:])
            if key not in self._pulls:
                self._pulls[key] = _solved(operation, given, xp)
            return self._pulls[key][operation[1]]
        return _OPERATORS[name](*given) if name in _OPERATORS else getattr(xp, name)(*given)


def _solved(operation: Operation, given: list[Any], xp: Arithmetic) -> tuple[Any, Any]:
    """A stationary point, or the fold, of the plane, solved in the arithmetic."""
    from ascentfail import stationary

    if operation[0] == "fold":
        beta, q = given
        return stationary.fold(beta, q, xp=xp)
    (beta, gamma, q), (sign, loss) = given, operation[5:]
    return stationary.from_pulls(beta, gamma, q, sign, loss=loss, xp=xp)


# --- reading -------------------------------------------------------------------------------------------------------------------


class Term:
    """A symbol that remembers what is done to it; it has no value, so it is neither compared nor turned into a number."""

    __slots__ = ("_tape", "place")
    __array_priority__ = 1000  # NumPy scalars on the left leave the operation to this class

    def __init__(self, tape: _Tape, place: int):
        """Args: the tape on which it stands, and where."""
        self._tape, self.place = tape, place

    def _no_value(self, *_: Any) -> Any:
        raise FormulaError(
            "a formula is read without values: it compares or converts what stands for a number"
        )

    __eq__ = __lt__ = __le__ = __gt__ = __ge__ = __bool__ = __float__ = __int__ = __index__ = (
        __hash__
    ) = __array__ = _no_value

    def __add__(self, other: Any) -> Term:
        return self._tape.do("add", self, other)

    def __radd__(self, other: Any) -> Term:
        return self._tape.do("add", other, self)

    def __sub__(self, other: Any) -> Term:
        return self._tape.do("sub", self, other)

    def __rsub__(self, other: Any) -> Term:
        return self._tape.do("sub", other, self)

    def __mul__(self, other: Any) -> Term:
        return self._tape.do("mul", self, other)

    def __rmul__(self, other: Any) -> Term:
        return self._tape.do("mul", other, self)

    def __truediv__(self, other: Any) -> Term:
        return self._tape.do("div", self, other)

    def __rtruediv__(self, other: Any) -> Term:
        return self._tape.do("div", other, self)

    def __neg__(self) -> Term:
        return self._tape.do("neg", self)

    def __pos__(self) -> Term:
        return self

    def __abs__(self) -> Term:
        return self._tape.do("abs", self)

    def __pow__(self, exponent: Any) -> Term:
        return self._tape.power(self, exponent)

    def __rpow__(self, base: Any) -> Term:
        return self._tape.power(self._tape.term(base), self)


class _Tape:
    """The operations met so far, each once."""

    def __init__(self) -> None:
        self.operations: list[Operation] = []
        self._places: dict[Operation, int] = {}

    def put(self, *operation: Any) -> Term:
        """The term of an operation, the same one for the same operation."""
        place = self._places.get(operation)
        if place is None:
            if len(self.operations) >= _MOST:
                raise FormulaError(f"a formula of more than {_MOST:,} operations")
            place = self._places[operation] = len(self.operations)
            self.operations.append(operation)
        return Term(self, place)

    def term(self, value: Any) -> Term:
        """A value as a term; numbers are exact."""
        return value if isinstance(value, Term) else self.put("number", str(exact_number(value)))

    def do(self, name: str, *given: Any) -> Term:
        """An operation on terms and numbers."""
        return self.put(name, *(self.term(value).place for value in given))

    def power(self, base: Term, exponent: Any) -> Term:
        """A whole power as one operation; x^{1/2} is a root, and any other x^y is e^{y ln x}."""
        if isinstance(exponent, Term):
            return self.do("exp", self.do("mul", exponent, self.do("log", base)))
        exact = exact_number(exponent)
        if exact.denominator == 1 and exact >= 0:
            return self.put("power", base.place, int(exact))
        if exact < 0:
            return 1 / self.power(base, -exact)
        return (
            self.do("sqrt", base) if exact == Fraction(1, 2) else self.power(base, self.term(exact))
        )

    def arithmetic(self) -> Arithmetic:
        """The arithmetic whose results stand on this tape."""
        plain: dict[str, Any] = {
            name: functools.partial(self.do, name) for name in (*UNARY, *BINARY)
        }
        return Arithmetic(
            name="formula",
            number=self._number,
            **plain,
            lambertw=self._lambertw,
            implicit=self._plane,
            implicit_fold=self._fold,
        )

    def _number(self, value: Any) -> Term:
        """A number that a formula asks for by name: a float keeps its binary value, as in every arithmetic."""
        exact = Fraction(value) if isinstance(value, float) and math.isfinite(value) else value
        return self.term(exact)

    def _lambertw(self, z: Any, branch: Any = 0) -> Term:
        if branch not in (0, -1):
            raise FormulaError(f"a formula has Lambert W of branch {branch!r}; it takes 0 or -1")
        return self.put("lambertw", self.term(z).place, int(branch))

    def _plane(self, beta: Any, gamma: Any, q: Any, sign: int, loss: str) -> tuple[Term, Term]:
        places = [self.term(value).place for value in (beta, gamma, q)]
        return self.put("plane", 0, *places, sign, str(loss)), self.put(
            "plane", 1, *places, sign, str(loss)
        )

    def _fold(self, beta: Any, q: Any) -> tuple[Term, Term]:
        places = [self.term(value).place for value in (beta, q)]
        return self.put("fold", 0, *places), self.put("fold", 1, *places)


def exact_number(value: Any) -> Fraction:
    """The exact number that a constant of a formula means; a float is the decimal that Python prints for it.

    Raises:
        FormulaError: it is no finite real number.
    """
    if isinstance(value, Fraction):
        return value
    if isinstance(value, mpmath.mpf):
        return _of_mpf(value)
    if isinstance(value, bool | np.bool_):
        raise FormulaError(f"a formula has the truth value {value!r} where a number is needed")
    if isinstance(value, numbers.Integral):
        return Fraction(int(value))
    try:
        if isinstance(value, str):
            return Fraction(value)
        number = float(value)
    except (TypeError, ValueError) as error:
        raise FormulaError(f"a formula has {value!r} where a number is needed") from error
    if not math.isfinite(number) or isinstance(value, complex):
        raise FormulaError(f"a formula has the number {value!r}; it takes finite real ones")
    return Fraction(repr(number))


def _of_mpf(value: Any) -> Fraction:
    """The binary fraction that an mpf is."""
    if not mp.isfinite(value):
        raise FormulaError(f"a formula has the number {value}; it takes finite ones")
    mantissa, exponent = value.man_exp
    size = Fraction(int(mantissa)) * Fraction(2) ** int(exponent)  # the mantissa has no sign
    return -size if value < 0 else size


def read(claim: Claim) -> Formula:
    """The expressions of a claim, by calling its functions once for every working precision of mpmath.

    So a formula that asks for the precision is one expression at this precision and another one at that, and settles nothing.

    Args:
        claim: one that has a formula, not listed cases.

    Returns:
        Formula.

    Raises:
        FormulaError: the claim's functions cannot be read as one expression.
        ClaimError: they raise anything else; the message names the claim.
    """
    return _read(claim, mp.prec)


@functools.lru_cache(maxsize=4096)
def _read(claim: Claim, precision: int) -> Formula:
    if claim.cases is not None:
        raise FormulaError(f"claim {claim.id!r} is decided case by case, it has no formula")
    tape = _Tape()
    xp = tape.arithmetic()
    box = {axis.name: tape.put("axis", axis.name) for axis in (*claim.domain.axes, *claim.inner)}
    outer = Point(loss=EXPONENTIAL, **{axis.name: box[axis.name] for axis in claim.domain.axes})
    try:
        p = claim.domain.chart(outer, xp)
        sides = tuple(claim.domain.where(p, xp)) if claim.domain.where else ()
        margin = claim.margin(
            p.replace(loss=p.loss, **{axis.name: box[axis.name] for axis in claim.inner}), xp
        )
        exclusion = claim.exclusion(p, xp) if claim.exclusion else None
        modulus = claim.modulus.value(p, xp) if claim.modulus else None
        point = tuple((name, tape.term(value).place) for name, value in p.values().items())
        places = [
            None if value is None else tape.term(value).place
            for value in (margin, exclusion, modulus)
        ]
        return Formula(
            tuple(tape.operations), point, tuple(tape.term(side).place for side in sides), *places
        )
    except FormulaError as error:
        raise FormulaError(
            f"claim {claim.id!r} cannot be read as an expression: {error}"
        ) from error
    except ClaimError:
        raise
    except Exception as error:
        raise ClaimError(f"claim {claim.id!r}: reading its formulas raised {error!r}") from error


def readable(claim: Claim) -> Formula | None:
    """`read`, or None where the claim has no expression."""
    try:
        return read(claim)
    except FormulaError:
        return None
