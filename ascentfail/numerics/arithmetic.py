r"""The arithmetics in which a formula can be evaluated.

A formula of this package is a function of plain scalars and of a namespace `xp` with the few functions below, so that
one text serves JAX (fast, differentiable), mpmath (many digits), Arb balls (proofs over boxes) and SymPy (identities).
Formulas
use Python integers for exact constants: `x / 2`, never `0.1 * x`.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import mpmath
from mpmath import mp

from ascentfail.core.errors import MissingExtraError, invalid
from ascentfail.numerics import logistic_root as logistic
from ascentfail.numerics import special

Scalar = Any  # a JAX array, an mpf, an arb or a SymPy expression


@dataclass(frozen=True)
class Arithmetic:
    """A namespace of elementary functions on one kind of number.

    Attributes:
        name: "jax", "mpmath", "arb" or "sympy".
        number: turns an int, float or str into the kind of number; floats keep their exact binary value.
        exp, log, sqrt, abs: elementary functions of one argument.
        softplus: ln(1 + e^x), the negative logarithm of the sigmoid at -x.
        sigmoid: 1 / (1 + e^{-x}).
        lambertw: (z, branch) -> real branch 0 or -1 of W; NaN off its domain.
        lambertw_exp: y -> W_0(e^y), finite for every finite y.
        logisticw: c -> the w with w (1 + e^w) = c.
        minimum, maximum: of two numbers.
        indicator: 1 where x >= 0, else 0; NaN of NaN. A ball that may lie on either side gives [0, 1]. Its slope is 0.
        implicit: (beta, gamma, q, sign, loss) -> (s_1, s_2) where a stationary point is two symbols with their equations, else
            None.
        implicit_fold: (beta, q) -> (A, B) likewise for the fold, else None.
    """

    name: str
    number: Callable[[Any], Scalar]
    exp: Callable[[Any], Scalar]
    log: Callable[[Any], Scalar]
    sqrt: Callable[[Any], Scalar]
    abs: Callable[[Any], Scalar]
    softplus: Callable[[Any], Scalar]
    sigmoid: Callable[[Any], Scalar]
    lambertw: Callable[[Any, int], Scalar]
    lambertw_exp: Callable[[Any], Scalar]
    logisticw: Callable[[Any], Scalar]
    minimum: Callable[[Any, Any], Scalar]
    maximum: Callable[[Any, Any], Scalar]
    indicator: Callable[[Any], Scalar]
    implicit: Callable[[Any, Any, Any, int, str], tuple[Scalar, Scalar]] | None = None
    implicit_fold: Callable[[Any, Any], tuple[Scalar, Scalar]] | None = None

    def __repr__(self) -> str:
        return f"Arithmetic({self.name!r})"

    if not TYPE_CHECKING:  # a type checker knows the fields, and would take any name for one

        def __getattr__(self, name: str) -> Any:
            """Says what there is to a formula that asks for more."""
            if name.startswith("_"):
                raise AttributeError(name)
            offered = ", ".join(field.name for field in dataclasses.fields(self))
            raise AttributeError(f"an Arithmetic has no {name!r}, only {offered}")


def _indicator(x: Any) -> jax.Array:
    """Not `jnp.heaviside`, which on jax 0.7 is 1 at NaN."""
    if jnp.iscomplexobj(x):  # `asarray` would drop the imaginary part
        raise invalid("x", x, "a real number")
    x = jnp.asarray(x, float)
    return jnp.where(jnp.isnan(x), jnp.nan, jnp.where(x >= 0, 1.0, 0.0))


JAX = Arithmetic(
    name="jax",
    number=lambda value: jnp.asarray(float(value) if isinstance(value, str) else value),
    exp=jnp.exp,
    log=jnp.log,
    sqrt=jnp.sqrt,
    abs=jnp.abs,
    softplus=jax.nn.softplus,
    sigmoid=jax.nn.sigmoid,
    lambertw=special.lambertw,
    lambertw_exp=special.lambertw_exp,
    logisticw=logistic.logisticw,
    minimum=jnp.minimum,
    maximum=jnp.maximum,
    indicator=_indicator,
)


def _mpmath_arithmetic() -> Arithmetic:
    def lambertw(z: Any, branch: int = 0) -> Any:
        z = mp.mpf(z)
        if z < -mp.exp(-1) or (branch == -1 and z >= 0):
            return mp.nan
        return mp.re(mp.lambertw(z, branch))

    def lambertw_exp(y: Any) -> Any:
        # e^y overflows nothing in mpmath, but a huge exponent costs digits of y: Newton on w + ln w = y instead.
        y = mp.mpf(y)
        if y < 100 or not mp.isfinite(y):  # NaN would be iterated on forever
            return lambertw(mp.exp(y))
        with mpmath.workprec(mp.prec + 20):
            w = y - mp.log(y)
            while True:
                step = (w + mp.log(w) - y) / (1 + 1 / w)
                w -= step
                if abs(step) <= abs(w) * mp.eps:
                    break
        return +w

    def pick(a: Any, b: Any, smaller: bool) -> Any:
        if mp.isnan(a) or mp.isnan(b):  # Python's min and max would drop a NaN in second place
            return mp.nan
        return a if (a <= b) == smaller else b

    def softplus(x: Any) -> Any:
        x = mp.mpf(x)
        return max(x, mp.zero) + mp.log1p(mp.exp(-abs(x)))

    return Arithmetic(
        name="mpmath",
        number=mp.mpf,
        exp=mp.exp,
        log=lambda x: mp.log(x) if x >= 0 else mp.nan,  # mpmath would go on with complex numbers
        sqrt=lambda x: mp.sqrt(x) if x >= 0 else mp.nan,
        abs=abs,
        softplus=softplus,
        sigmoid=lambda x: 1 / (1 + mp.exp(-x)),
        lambertw=lambertw,
        lambertw_exp=lambertw_exp,
        logisticw=logistic.logisticw_mpmath,
        minimum=lambda a, b: pick(a, b, smaller=True),
        maximum=lambda a, b: pick(a, b, smaller=False),
        indicator=lambda x: mp.nan if mp.isnan(x) else mp.one if x >= 0 else mp.zero,
    )


MPMATH = _mpmath_arithmetic()  # at the caller's working precision: `with mpmath.workdps(50): ...`


@functools.cache
def arb() -> Arithmetic:
    """Returns the ball arithmetic of python-flint: every result encloses the exact one.

    Raises:
        MissingExtraError: python-flint is not installed.
    """
    try:
        from flint import arb as ball
    except ImportError as error:
        raise MissingExtraError("ball arithmetic", "python-flint", "certify") from error

    def lambertw_exp(y: Any) -> Any:
        return _enclose_increasing(_lambertw_exp_at, ball(y))

    def _lambertw_exp_at(y: Any) -> Any:
        if y < 100:
            return y.exp().lambertw()
        w = y - y.log()
        for _ in range(8):
            w = (w - (w + w.log() - y) * w / (1 + w)).mid()
        # f(w) = w + ln w - y has slope above one: the exact root lies within |f(w)| of w.
        return ball(w, abs(w + w.log() - y).upper())

    def softplus(x: Any) -> Any:
        return _enclose_increasing(
            lambda t: t.exp().log1p() if t < 50 else t + (-t).exp().log1p(), ball(x)
        )

    def sigmoid(x: Any) -> Any:
        return _enclose_increasing(lambda t: 1 / (1 + (-t).exp()), ball(x))

    def indicator(x: Any) -> Any:
        x = ball(x)
        if x.is_nan():
            return x
        return ball(1) if x >= 0 else ball(0) if x < 0 else ball(0).union(ball(1))

    return Arithmetic(
        name="arb",
        number=ball,
        exp=lambda x: ball(x).exp(),
        log=lambda x: ball(x).log(),
        sqrt=lambda x: ball(x).sqrt(),
        abs=lambda x: abs(ball(x)),
        softplus=softplus,
        sigmoid=sigmoid,
        lambertw=lambda z, branch=0: ball(z).lambertw(branch),
        lambertw_exp=lambertw_exp,
        logisticw=lambda c: _enclose_increasing(logistic.logisticw_ball, ball(c)),
        minimum=lambda a, b: ball(a).min(b),
        maximum=lambda a, b: ball(a).max(b),
        indicator=indicator,
    )


def _enclose_increasing(function: Callable[[Any], Any], x: Any) -> Any:
    """Ball around the image of the ball x under an increasing function."""
    if x.is_exact():
        return function(x)
    return function(x.lower()).union(function(x.upper()))


@functools.cache
def symbolic() -> Arithmetic:
    """Returns the symbolic arithmetic of SymPy.

    Raises:
        MissingExtraError: SymPy is not installed.
    """
    try:
        import sympy
    except ImportError as error:
        raise MissingExtraError("symbolic evidence", "sympy", "certify") from error

    def number(value: Any) -> Any:
        return sympy.Rational(value) if isinstance(value, float) else sympy.sympify(value)

    return Arithmetic(
        name="sympy",
        number=number,
        exp=sympy.exp,
        log=sympy.log,
        sqrt=sympy.sqrt,
        abs=sympy.Abs,
        softplus=lambda x: sympy.log(1 + sympy.exp(x)),
        sigmoid=lambda x: 1 / (1 + sympy.exp(-x)),
        lambertw=lambda z, branch=0: sympy.LambertW(z, branch),
        lambertw_exp=lambda y: sympy.LambertW(sympy.exp(y)),
        logisticw=sympy.Function("logisticw"),
        minimum=sympy.Min,
        maximum=sympy.Max,
        indicator=lambda x: sympy.Piecewise((1, x >= 0), (0, True)),
    )
