r"""Evidence by proof: identities that SymPy reduces to zero, by a procedure that is short, bounded and sound.

Every W(c) becomes a symbol w with c = w e^w, every stationary point of the plane two symbols with s_1 = beta e^{-x} and
s_2 = +-gamma e^{-y}. These equations are solved for the claim's own coordinates, one after another, wherever one of them enters
linearly with a coefficient that cannot vanish. What is left is a rational function of symbols and exponentials; it is zero if,
its numerator expanded, the terms of every total exponent cancel. Nothing is ever simplified by trial, so that nothing hangs.

The procedure is the checker's own; here it meets claims, and formulas written for any arithmetic.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from typing import Any

from ascentfail.claims.claim import Axis, Claim, ClaimError, Kind, Point
from ascentfail.claims.evidence.formula import Formula, FormulaError, Operation, arguments, read
from ascentfail.claims.verdict import Evidence
from ascentfail.core.errors import MissingExtraError
from ascentfail.numerics.arithmetic import Arithmetic, symbolic

try:
    import sympy
except ImportError as error:
    raise MissingExtraError("symbolic evidence", "sympy", "certify") from error

from ascentfail.claims import checker
from ascentfail.claims.evidence.certificate import axes_of

Expression = Any  # a SymPy expression
TooLargeError = checker.TooLarge


class Unknowns(checker.Unknowns):
    """Symbols for Lambert W values and stationary points, and the equations (expressions that are zero) that define them."""

    def arithmetic(self) -> Arithmetic:
        """SymPy's arithmetic, recording here what it meets."""
        own = {field.name: getattr(symbolic(), field.name) for field in fields(Arithmetic)}
        one = {name: lambda x, name=name: self.apply((name,), [sympy.sympify(x)])
               for name in ("exp", "log", "sqrt", "abs", "softplus", "sigmoid", "lambertw_exp", "logisticw")}  # fmt: skip
        more = {
            "lambertw": lambda z, branch=0: self.lambertw(sympy.sympify(z), branch),
            "implicit": lambda *given: self.plane(*map(sympy.sympify, given[:3]), *given[3:]),
            "minimum": _refuse, "maximum": _refuse, "indicator": _refuse,
        }  # fmt: skip
        return Arithmetic(**{**own, **one, **more})


def _refuse(*_: Any) -> Any:
    raise NotImplementedError("a minimum, maximum or indicator is no identity")


def prove(claim: Claim) -> Evidence | None:
    """Tries to prove that the margin of an equality is identically zero wherever it is defined.

    Whether it is defined on the whole domain is another question, which `certify` asks, too.

    Args:
        claim: any claim; only EQUALITY claims can be proved here.

    Returns:
        Evidence of level "symbolic", or None where this procedure finds no proof (which refutes nothing).

    Raises:
        ClaimError: the claim's own functions raise.
    """
    return prove_zero(claim) if claim.kind is Kind.EQUALITY and claim.exclusion is None else None


def prove_zero(claim: Claim) -> Evidence | None:
    """As `prove`, of the margin of any claim."""
    formula = None if claim.cases is not None else expressions(claim)
    if formula is None or formula.margin is None:
        return None
    count = sum(
        formula.operations[place][0] in _IMPLICIT for place in formula.needed([formula.margin])
    )
    if not checker.Statement(
        axes_of(claim), formula.operations, formula.sides, formula.margin
    ).vanishes(formula.margin):
        return None
    by = f", by {count} defining equation{'s' if count > 1 else ''}" if count else ""
    return Evidence("symbolic", words=f"the margin is identically zero{by}", grade="identity")


_MOST = 2000  # operations of the longest margin that is written in other ways
_IMPLICIT = ("lambertw", "lambertw_exp", "logisticw", "plane")


def expressions(claim: Claim) -> Formula | None:
    """The claim's expressions; None where one of its functions has no counterpart there, as one that compares.

    Raises:
        ClaimError: the claim's own functions raise.
    """
    try:
        formula = read(claim)
        if formula.margin is None and not claim.inner:
            raise ClaimError(f"claim {claim.id!r}: its margin is None where a number is needed")
        return formula
    except FormulaError as error:
        if error.__cause__ is None or isinstance(
            error.__cause__, NotImplementedError | FormulaError
        ):
            return None
        raise ClaimError(f"claim {claim.id!r} cannot be certified: {error}") from error


def coordinate(axis: Axis) -> Expression:
    """The symbol of an axis, with the sign that its range has."""
    return checker.coordinate(axis.name, axis.low, axis.high, axis.scale)


def vanishes(expression: Any, unknowns: checker.Unknowns | None = None) -> bool:
    """Whether an expression is seen to be identically zero, given the equations of its unknowns.

    Args:
        expression: SymPy expression of symbols with the signs they are known to have.
        unknowns: what some of the symbols stand for.

    Returns:
        True only where it is zero wherever it and the unknowns are defined; False where no proof was found.

    Raises:
        TooLargeError: it is beyond the size that is worked on.
    """
    return (unknowns or Unknowns()).vanishes(sympy.sympify(expression))


def reduced(expression: Any, unknowns: checker.Unknowns | None = None) -> Expression:
    """Zero where `vanishes`, else the expression with what the equations of its unknowns eliminate."""
    unknowns, expression = unknowns or Unknowns(), sympy.sympify(expression)
    return sympy.Integer(0) if vanishes(expression, unknowns) else unknowns.eliminated(expression)


# --- other forms that are easier to enclose -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Forms:
    """Other forms of a claim's own expressions, that are easier to enclose.

    Attributes:
        more: operations that continue the formula's.
        twins: pairs of places that are equal wherever both are defined.
        signs: pairs of places that have the same sign.
    """

    more: tuple[Operation, ...] = ()
    twins: tuple[tuple[int, int], ...] = ()
    signs: tuple[tuple[int, int], ...] = ()


@functools.lru_cache(maxsize=512)
def forms(claim: Claim, formula: Formula) -> Forms:
    """Other forms of a claim's expressions that SymPy sees to be right.

    Args:
        claim: an inequality or equality.
        formula: its expressions.

    Returns:
        Forms: where something has to stay within a domain, a shorter one; of a margin f(a) - f(b) the difference a - b, and of
        that and of factors in it the factored one; the product of the claim's factors where that is the margin, and each
        factor for its part where the margin is the least of as many parts.
    """
    tape = _Tail(formula)
    assert formula.margin is not None  # an existence has no forms
    statement = checker.Statement(axes_of(claim), formula.operations, formula.sides, formula.margin)
    if len(statement.order((*formula.sides, formula.margin))) > _MOST:
        return Forms()
    pairs = [
        (place, _rewritten(claim, place, rewrite, tape)) for place, rewrite in _domains(statement)
    ]
    signs: list[tuple[int, int]] = []
    for leaf in _least(statement, formula.margin) if claim.kind is not Kind.EQUALITY else ():
        signed = tape.signed(leaf)
        signs += [(leaf, signed)] if signed != leaf else []
        places = dict.fromkeys((signed, *tape.factors(signed)))
        pairs += [(place, _rewritten(claim, place, sympy.factor, tape)) for place in places]
    pairs += _factors(claim, _least(statement, formula.margin), tape)
    statement = checker.Statement(axes_of(claim), tape.operations, formula.sides, formula.margin)
    free = [
        (one, two) for one, two in pairs if two is not None and one not in statement.order((two,))
    ]
    equal = tuple({one: two for one, two in free if statement.vanishes(one, two)}.items())
    if not equal and not signs:
        return Forms()
    return Forms(tuple(tape.operations[len(formula.operations) :]), equal, tuple(signs))


def _least(statement: Any, place: int) -> list[int]:
    """The expressions of which one is a minimum."""
    name, *rest = statement.operations[place]
    return (
        [leaf for part in rest for leaf in _least(statement, part)]
        if name == "minimum"
        else [place]
    )


def _domains(statement: Any) -> Iterator[tuple[int, Callable[[Expression], Expression | None]]]:
    """The places on whose values it depends whether the margin is defined, each with a way to write it."""
    places = (*statement.sides, statement.margin)
    known, _ = statement.jets(statement.parts(((0, 0),) * len(statement.axes)))
    for place in statement.order(places):
        name, *rest = statement.operations[place]
        if name == "lambertw":
            yield rest[0], sympy.factor
        elif name == "div" and known[place] is None and known[rest[1]] is not None:
            yield rest[1], _collected


def _rewritten(
    claim: Claim, place: int, rewrite: Callable[[Expression], Expression | None], tape: _Tail
) -> int | None:
    """Where another form of an expression stands, None where there is none."""
    unknowns = Unknowns()
    try:
        statement = checker.Statement(axes_of(claim), tape.operations, (), place)
        before = checker.small(statement.symbolic((place,), unknowns)[place], 400)
        after = None if unknowns.equations or before.atoms(checker.modulus) else rewrite(before)
        return None if after is None or after == before else tape.put(after)
    except checker.REFUSALS:
        return None


def _collected(before: Expression) -> Expression | None:
    """A polynomial as a sum of monomials in all symbols but one, with factored coefficients, where that has fewer terms."""
    for symbol in sorted(before.free_symbols, key=sympy.default_sort_key):
        others = sorted(before.free_symbols - {symbol}, key=sympy.default_sort_key)
        parts = (
            [(m, sympy.factor(c)) for m, c in sympy.Poly(before, *others).terms()] if others else []
        )
        if 1 < len(parts) < len(sympy.Poly(before, *others, symbol).terms()):
            return sympy.Add(
                *(c * sympy.Mul(*(s**n for s, n in zip(others, m, strict=True))) for m, c in parts)
            )
    return None


def _factors(claim: Claim, parts: list[int], tape: _Tail) -> list[tuple[int, int]]:
    """What the claim's factors are said to equal, and where they stand; `parts`: of which the margin is the least."""
    if len(parts) == 1:
        whole = functools.partial(_product, claim.factors)
        return [(parts[0], _placed(claim, whole, tape))] if claim.factors else []
    if len(parts) != len(claim.factors):
        return []
    return [
        (part, _placed(claim, factor, tape))
        for part, factor in zip(parts, claim.factors, strict=True)
    ]


def _product(factors: tuple[Any, ...], p: Point, xp: Any) -> Any:
    return math.prod(factor(p, xp) for factor in factors)


def _placed(claim: Claim, function: Any, tape: _Tail) -> int:
    """Where a function of the claim's points stands."""
    other = read(dataclasses.replace(claim, margin=function, factors=()))
    moved: dict[int, int] = {}
    assert other.margin is not None
    for place in other.needed([other.margin]):
        name, *rest = operation = other.operations[place]
        begin, given = checker.first(operation) - 1, [moved[i] for i in arguments(operation)]
        moved[place] = tape.place(name, *rest[:begin], *given, *rest[begin + len(given) :])
    return moved[other.margin]


class _Tail:
    """Operations that continue those of a formula."""

    def __init__(self, formula: Formula):
        self.operations: list[Operation] = list(formula.operations)

    def place(self, *operation: Any) -> int:
        """Where an operation stands, at the end if it is new."""
        if operation not in self.operations:
            self.operations.append(operation)
        return self.operations.index(operation)

    def signed(self, place: int) -> int:
        """Where one of the same sign stands: with a - b for f(a) - f(b), where f rises, and (a - b)(a + b) for |a| - |b|."""
        name, *given = self.operations[place]
        if name in ("mul", "div"):
            return self.place("mul", *map(self.signed, given))
        if name == "neg":
            return self.place("neg", self.signed(given[0]))
        if name == "sub":
            first, second = (self.operations[i] for i in given)
            if first[0] == second[0] == "abs":
                parts = [self.place(sign, first[1], second[1]) for sign in ("sub", "add")]
                return self.place("mul", *parts)
            rises = first[0] in checker.RISING or (first[0] == "lambertw" and first[2] == 0)
            if rises and first[0] == second[0] and first[2:] == second[2:]:
                return self.place("sub", first[1], second[1])
        return place

    def factors(self, place: int) -> list[int]:
        """The places of the factors of a product."""
        name, *given = self.operations[place]
        return (
            [leaf for i in given for leaf in self.factors(i)]
            if name in ("mul", "div", "neg")
            else [place]
        )

    def put(self, expression: Expression) -> int:
        """The place of a SymPy expression. Raises: ValueError for what no operation says."""
        if expression.is_Symbol:
            return self.place("axis", expression.name)
        if expression.is_Rational:
            return self.place("number", str(expression))
        if isinstance(expression, sympy.exp) or expression is sympy.E:
            return self.place(
                "exp",
                self.put(
                    expression.as_base_exp()[1] if expression is not sympy.E else sympy.Integer(1)
                ),
            )
        if expression.is_Add or expression.is_Mul:
            first, *others = map(self.put, expression.args)
            for other in others:
                first = self.place("add" if expression.is_Add else "mul", first, other)
            return first
        if expression.is_Pow and expression.exp.is_Integer:
            base = self.place("power", self.put(expression.base), abs(int(expression.exp)))
            return (
                base if expression.exp > 0 else self.place("div", self.place("number", "1"), base)
            )
        raise ValueError(f"no operation says {expression}")
