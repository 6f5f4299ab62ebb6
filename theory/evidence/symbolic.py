r"""Evidence by proof: identities that SymPy reduces to zero, by a procedure that is short, bounded and sound.

Every W(c) becomes a symbol w with c = w e^w, every stationary point of the plane two symbols with s_1 = beta e^{-x} and
s_2 = +-gamma e^{-y}. These equations are solved for the claim's own coordinates, one after another, wherever one of them enters
linearly with a coefficient that cannot vanish. What is left is a rational function of symbols and exponentials; it is zero if,
its numerator expanded, the terms of every total exponent cancel. Nothing is ever simplified by trial, so that nothing hangs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from typing import Any

from ascentfail.arithmetic import Arithmetic, symbolic
from ascentfail.errors import MissingExtraError
from ascentfail.losses import Loss
from ascentfail.theory.claim import Axis, Claim, Kind, Point
from ascentfail.theory.verdict import Evidence

try:
    import sympy
except ImportError as error:
    raise MissingExtraError("symbolic evidence", "sympy", "certify") from error

Expression = Any  # a SymPy expression

_OPERATIONS = 4000  # size of the largest expression that is touched
_EXPONENT = 400  # size of the largest exponent
_TERMS = 20_000  # terms of the largest polynomial that is expanded
_UNKNOWNS = 32  # Lambert W values and stationary points in one expression
_REFUSALS = (TypeError, ValueError, AttributeError, NotImplementedError, ZeroDivisionError, sympy.PolynomialError)

magnitude = sympy.Function("magnitude")  # |.|, of which only magnitude(0) = 0 is used


class TooLargeError(ValueError):
    """An expression is beyond the size that is worked on."""


@dataclass(frozen=True)
class _Symbolic(Arithmetic):
    """SymPy's arithmetic, in which implicitly defined numbers are symbols with equations.

    Attributes:
        implicit: (beta, gamma, q, sign, loss) -> (s_1, s_2), the stationary point of `stationary.from_pulls`.
    """

    implicit: Callable[[Any, Any, Any, int, Loss], tuple[Any, Any]] | None = None


class Unknowns:
    """Symbols for Lambert W values and stationary points, and the equations (expressions that are zero) that define them."""

    def __init__(self) -> None:
        """None so far."""
        self.equations: list[tuple[tuple[Any, ...], Expression]] = []
        self._named: list[tuple[tuple[Any, ...], Any]] = []  # (branch or sign, arguments...), what they define

    def _known(self, key: tuple[Any, ...]) -> Any:
        """What was defined before by arguments that can be seen to be the same."""
        if len(self._named) >= _UNKNOWNS:
            raise TooLargeError(f"more than {_UNKNOWNS} unknowns")
        for (kind, *others), named in self._named:
            if kind == key[0] and all(_is_zero(a - b) for a, b in zip(others, key[1:], strict=True)):
                return named
        return None

    def lambertw(self, z: Any, branch: int = 0) -> Expression:
        """The symbol w with w e^w = z."""
        z = _small(sympy.sympify(z))
        w = self._known((branch, z))
        if w is None:
            sign = {"negative": True} if branch == -1 else {"positive": True} if z.is_positive else {"real": True}
            w = sympy.Dummy("w", **sign)
            self._named.append(((branch, z), w))
            self.equations.append(((w,), z - w * sympy.exp(w)))
        return w

    def logisticw(self, c: Any) -> Expression:
        """The symbol w with w (1 + e^w) = c."""
        c = _small(sympy.sympify(c))
        w = self._known(("logistic", c))
        if w is None:
            w = sympy.Dummy("w", **({"positive": True} if c.is_positive else {"real": True}))
            self._named.append((("logistic", c), w))
            self.equations.append(((w,), c - w * (1 + sympy.exp(w))))
        return w

    def plane(self, beta: Any, gamma: Any, q: Any, sign: int, loss: Loss) -> tuple[Expression, Expression]:
        """The symbols s_1 > 0 and s_2 (of the sign given) with s_1 = beta l(x), |s_2| = gamma l(y), l = e^{-m} or 1/(1 + e^m)."""
        beta, gamma, q = (_small(sympy.sympify(value)) for value in (beta, gamma, q))
        key, one = (f"plane {sign} {loss}", beta, gamma, q), 1 if loss == "logistic" else 0
        pulls = self._known(key)
        if pulls is None:
            s1 = sympy.Dummy("s_1", nonnegative=True, positive=beta.is_positive)
            size = sympy.Dummy("S", nonnegative=True, positive=gamma.is_positive)
            pulls = s1, sign * size
            x, y = s1 + q * sign * size, q * s1 + sign * size
            self._named.append((key, pulls))
            self.equations.append(((s1, size), beta - s1 * (one + sympy.exp(x))))
            self.equations.append(((s1, size), gamma - size * (one + sympy.exp(y))))
        return pulls

    def arithmetic(self) -> Arithmetic:
        """SymPy's arithmetic, recording here what it meets."""
        own = {field.name: getattr(symbolic(), field.name) for field in fields(Arithmetic)}
        own |= {name: _bounded(own[name]) for name in ("exp", "log", "sqrt", "softplus", "sigmoid")}
        own |= {
            "abs": magnitude,
            "lambertw": self.lambertw,
            "lambertw_exp": lambda y: self.lambertw(sympy.expand_power_exp(sympy.exp(y))),
            "logisticw": self.logisticw,
            "minimum": _refuse,
            "maximum": _refuse,
            "indicator": _refuse,
            "implicit": self.plane,
        }
        return _Symbolic(**own)

    def about(self, expression: Expression) -> list[Expression]:
        """The equations of the symbols in an expression, and of those in these equations."""
        seen, chosen = set(expression.free_symbols), []
        for symbols, equation in reversed(self.equations):  # an equation speaks of earlier symbols only
            if seen.intersection(symbols):
                chosen.append(equation)
                seen |= equation.free_symbols
        return chosen[::-1]


def _bounded(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The function of a small argument; of a large one SymPy would ask for its sign forever."""
    return lambda x: function(_small(sympy.sympify(x)))


def _refuse(*_: Any) -> Any:
    raise NotImplementedError("a minimum, maximum or indicator is no identity")


def prove(claim: Claim) -> Evidence | None:
    """Tries to prove that the margin of an equality is identically zero.

    Args:
        claim: any claim; only EQUALITY claims can be proved here.

    Returns:
        Evidence of level "symbolic", or None where this procedure finds no proof (which refutes nothing).
    """
    if claim.kind is not Kind.EQUALITY or claim.exclusion is not None:
        return None
    unknowns = Unknowns()
    xp = unknowns.arithmetic()
    try:
        p = claim.domain.chart(Point(**{axis.name: coordinate(axis) for axis in claim.domain.axes}), xp)
        if not vanishes(claim.margin(p, xp), unknowns):
            return None
    except _REFUSALS:
        return None
    count = len(unknowns.equations)
    return Evidence("symbolic", words="the margin is identically zero" + (f", by {count} defining equations" if count else ""))


def coordinate(axis: Axis) -> Expression:
    """The symbol of an axis, with the sign that its range has."""
    sign = {"positive": True} if axis.low > 0 else {"nonnegative": True} if axis.low >= 0 else {"real": True}
    return sympy.Symbol(axis.name, integer=True if axis.scale == "integer" else None, **sign)


def vanishes(expression: Any, unknowns: Unknowns | None = None) -> bool:
    """Whether an expression is seen to be identically zero, given the equations of its unknowns.

    Args:
        expression: SymPy expression of symbols with the signs they are known to have.
        unknowns: what some of the symbols stand for.

    Returns:
        True only where it is zero wherever it and the unknowns are defined; False where no proof was found.

    Raises:
        TooLargeError: it is beyond the size that is worked on.
    """
    unknowns = unknowns or Unknowns()
    expression = _small(sympy.sympify(expression))
    for part in sorted(expression.atoms(magnitude), key=lambda part: -part.count_ops()):  # the outer before the inner
        if vanishes(part.args[0], unknowns):
            expression = expression.xreplace({part: sympy.Integer(0)})
    return _is_zero(_eliminate(expression, unknowns.about(expression)))


def reduced(expression: Any, unknowns: Unknowns | None = None) -> Expression:
    """Zero where `vanishes`, else the expression with what the equations of its unknowns eliminate."""
    unknowns, expression = unknowns or Unknowns(), sympy.sympify(expression)
    return sympy.Integer(0) if vanishes(expression, unknowns) else _eliminate(expression, unknowns.about(expression))


def _eliminate(expression: Expression, equations: list[Expression]) -> Expression:
    """The expression with the coordinates replaced for which the equations can be solved."""
    while equations:
        _small(expression)
        step = _solvable(expression, equations)
        if step is None:
            return expression
        used, symbol, value = step
        equations = [equation.subs(symbol, value) for equation in equations if equation is not used]
        expression = expression.subs(symbol, value)
    return expression


def _solvable(expression: Expression, equations: list[Expression]) -> tuple[Expression, Any, Expression] | None:
    """(equation, symbol, value): a symbol that enters an equation linearly, with a coefficient that cannot vanish.

    Symbols that occur in no exponent come first.
    """
    everything = (expression, *equations)
    inner = {s for e in everything for f in e.atoms(sympy.exp, sympy.log, magnitude) for s in f.free_symbols}
    for within in (False, True):
        for equation in equations:
            numerator: Expression = sympy.fraction(_small(sympy.together(equation)))[0]
            for symbol in sorted((s for s in equation.free_symbols if (s in inner) is within), key=sympy.default_sort_key):
                slope = sympy.factor_terms(sympy.diff(numerator, symbol))
                if sympy.diff(slope, symbol) == 0 and slope.is_zero is False:
                    return equation, symbol, -numerator.subs(symbol, 0) / slope
    return None


def _small(expression: Expression, most: int = _OPERATIONS) -> Expression:
    """The expression, if its tree has few nodes; shared parts are counted once each time but looked at only once."""
    sizes: dict[Expression, int] = {}
    stack = [expression]
    while stack:
        part = stack[-1]
        waiting = [a for a in part.args if a not in sizes]
        if waiting:
            stack += waiting
            continue
        sizes[stack.pop()] = size = 1 + sum(sizes[a] for a in part.args)
        if size > most:
            raise TooLargeError(f"an expression of more than {most} parts")
    return expression


def _terms(expression: Expression) -> int:
    """Upper bound on the number of terms after expansion."""
    if expression.is_Add:
        return sum(_terms(part) for part in expression.args)
    if expression.is_Mul:
        return _product(_terms(part) for part in expression.args)
    if expression.is_Pow and expression.exp.is_Integer and expression.exp > 0:
        return min(_terms(expression.base), _TERMS + 1) ** min(int(expression.exp), 64)
    return 1


def _product(counts: Iterable[int]) -> int:
    total = 1
    for count in counts:
        total = min(total * count, _TERMS + 1)
    return total


def _opaque(expression: Expression) -> Expression:
    """Symbols of their own for logarithms, magnitudes and roots, of which nothing more is used."""
    def closed(part: Expression) -> bool:
        return isinstance(part, sympy.log | magnitude) or (part.is_Pow and not part.exp.is_Integer)

    return expression.xreplace({part: sympy.Dummy() for part in expression.atoms(sympy.Function, sympy.Pow) if closed(part)})


def _is_zero(expression: Expression) -> bool:
    """Whether a rational function of symbols and exponentials is zero, by the terms of every total exponent."""
    if _small(expression).has(sympy.Float, sympy.nan, sympy.zoo, sympy.oo, sympy.I):
        return False
    expression = sympy.expand_power_exp(expression)
    expression = _opaque(sympy.expand_log(expression))
    exponents: list[Expression] = []
    symbols: list[Any] = []
    names: dict[Expression, Expression] = {}
    for part in sorted(expression.atoms(sympy.exp, type(sympy.E)), key=sympy.default_sort_key):
        exponent = sympy.cancel(_small(part.as_base_exp()[1], _EXPONENT))
        if exponent.has(sympy.exp):
            return False
        if -exponent in exponents:
            names[part] = 1 / symbols[exponents.index(-exponent)]
        else:
            exponents.append(exponent)
            symbols.append(sympy.Dummy())
            names[part] = symbols[-1]
    numerator = sympy.fraction(_small(sympy.together(expression.xreplace(names))))[0]
    if _terms(numerator) > _TERMS:
        raise TooLargeError(f"a polynomial of {_terms(numerator)} terms")
    others = sorted(numerator.free_symbols - set(symbols), key=sympy.default_sort_key)
    return _cancels(sympy.Poly(numerator, *symbols, *others, sympy.Dummy()), exponents)  # the dummy spares the case of none


def _cancels(polynomial: Any, exponents: list[Expression]) -> bool:
    """Whether the terms of every total exponent, and in it of every monomial, add up to zero."""
    totals: dict[tuple[Expression, tuple[int, ...]], Expression] = defaultdict(lambda: sympy.Integer(0))
    known: dict[tuple[int, ...], Expression] = {}
    for powers, coefficient in polynomial.terms():
        head, tail = powers[: len(exponents)], powers[len(exponents) :]
        if head not in known:
            known[head] = sympy.cancel(sum((n * e for n, e in zip(head, exponents, strict=True)), sympy.Integer(0)))
        totals[known[head], tail] += coefficient
    return all(total == 0 for total in totals.values())
