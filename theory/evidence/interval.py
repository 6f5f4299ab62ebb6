r"""Intervals with exact end points, and jets of them: a value and its gradient over a whole box.

Every elementary function needed here is monotone, so the image of an interval is found from its two ends; each end is computed as
a ball (python-flint) and rounded outwards. Unlike a midpoint and a radius, end points keep what matters at the edge of a claim:
exp([0, h]) begins at exactly 1, so a margin that vanishes on a face is seen to be >= 0 there. An operation outside its domain
gives the interval NaN, which proves nothing.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ascentfail.arithmetic import Arithmetic, arb

Exact = Any  # an arb without radius


@functools.cache
def _ball() -> Any:
    arb()  # the message for a missing extra is there
    from flint import arb as ball

    return ball


@functools.cache
def _constants() -> dict[str, Any]:
    ball = _ball()
    return {"zero": ball(0), "one": ball(1), "inf": ball("inf"), "nan": ball("nan")}


class Interval:
    """A closed interval [low, high] of exact end points."""

    __slots__ = ("high", "low")

    def __init__(self, low: Exact, high: Exact):
        """Args: the end points, exact or balls (then rounded outwards); one that is NaN makes the interval undefined."""
        self.low = low if low.is_exact() else low.lower()
        self.high = high if high.is_exact() else high.upper()
        if self.low.is_nan() or self.high.is_nan():
            self.low = self.high = _constants()["nan"]

    def _no_truth(self, *_: Any) -> Any:
        raise TypeError("an interval is not compared: ask at_least_zero() or below_zero() of a difference")

    __eq__ = __lt__ = __le__ = __gt__ = __ge__ = __bool__ = __hash__ = _no_truth

    @classmethod
    def of(cls, value: Any) -> Interval:
        """An interval around a number; integers and floats are exact."""
        if isinstance(value, Interval):
            return value
        ball = _ball()(value)
        return cls(ball, ball) if ball.is_finite() else cls.nan()

    @classmethod
    def nan(cls) -> Interval:
        """The undefined interval."""
        return cls(_constants()["nan"], _constants()["nan"])

    def defined(self) -> bool:
        """Whether the interval is a result at all."""
        return not self.low.is_nan()

    def at_least_zero(self) -> bool:
        """Surely >= 0."""
        return bool(self.low >= 0)

    def above_zero(self) -> bool:
        """Surely > 0."""
        return bool(self.low > 0)

    def below_zero(self) -> bool:
        """Surely < 0."""
        return bool(self.high < 0)

    def at_most_zero(self) -> bool:
        """Surely <= 0."""
        return bool(self.high <= 0)

    def __add__(self, other: Any) -> Any:
        if isinstance(other, Jet):
            return NotImplemented
        other = Interval.of(other)
        return Interval(self.low + other.low, self.high + other.high)

    def __neg__(self) -> Interval:
        return Interval(-self.high, -self.low)

    def __sub__(self, other: Any) -> Any:
        if isinstance(other, Jet):
            return NotImplemented
        other = Interval.of(other)
        return Interval(self.low - other.high, self.high - other.low)

    def __mul__(self, other: Any) -> Any:
        if isinstance(other, Jet):
            return NotImplemented
        other = Interval.of(other)
        if not (self.defined() and other.defined()):
            return Interval.nan()
        a, b, c, d = self.low, self.high, other.low, other.high
        if a >= 0 and c >= 0:  # the common case, two products instead of four
            return Interval(_times(a, c), _times(b, d))
        products = (_times(a, c), _times(a, d), _times(b, c), _times(b, d))
        if any(p.is_nan() for p in products):
            return Interval.nan()
        low = functools.reduce(lambda p, r: p.min(r), (p.lower() for p in products))
        high = functools.reduce(lambda p, r: p.max(r), (p.upper() for p in products))
        return Interval(low, high)

    def __truediv__(self, other: Any) -> Any:
        if isinstance(other, Jet):
            return NotImplemented
        other = Interval.of(other)
        if not (other.low > 0 or other.high < 0):
            return Interval.nan()
        one = _constants()["one"]
        return self * Interval(one / other.high, one / other.low)

    __radd__, __rmul__ = __add__, __mul__

    def __rsub__(self, other: Any) -> Interval:
        return Interval.of(other) - self

    def __rtruediv__(self, other: Any) -> Interval:
        return Interval.of(other) / self

    def __pow__(self, exponent: int) -> Interval:
        if not isinstance(exponent, int) or exponent < 0:
            return NotImplemented
        if not self.defined():
            return self
        if exponent % 2 or self.low >= 0:
            return Interval(self.low**exponent, self.high**exponent)
        if self.high <= 0:
            return Interval(self.high**exponent, self.low**exponent)
        return Interval(_constants()["zero"], (self.low.abs_upper().max(self.high.abs_upper())) ** exponent)


def _times(a: Exact, b: Exact) -> Exact:
    """A product a b with 0 * inf = 0: an end point at infinity is a bound, not a number."""
    return _constants()["zero"] if a == 0 or b == 0 else a * b


class Jet:
    """An interval and the intervals of its partial derivatives over the same box."""

    __slots__ = ("slope", "value")

    def __init__(self, value: Interval, slope: tuple[Interval, ...]):
        """Args: the value, and one derivative for each axis."""
        self.value, self.slope = value, slope

    __eq__ = __lt__ = __le__ = __gt__ = __ge__ = __bool__ = __hash__ = Interval._no_truth

    def _lift(self, other: Any) -> Jet:
        if isinstance(other, Jet):
            return other
        nought = Interval.of(0)
        return Jet(Interval.of(other), (nought,) * len(self.slope))

    def _combine(self, other: Jet, value: Interval, mine: Any, theirs: Any) -> Jet:
        slope = zip(self.slope, other.slope, strict=True)
        return Jet(value, tuple(_term(mine, a) + _term(theirs, b) for a, b in slope))

    def __add__(self, other: Any) -> Jet:
        if not isinstance(other, Jet):
            return Jet(self.value + other, self.slope)
        return Jet(self.value + other.value, tuple(a + b for a, b in zip(self.slope, other.slope, strict=True)))

    __radd__ = __add__

    def __neg__(self) -> Jet:
        return Jet(-self.value, tuple(-a for a in self.slope))

    def __sub__(self, other: Any) -> Jet:
        return self + (-other)

    def __rsub__(self, other: Any) -> Jet:
        return (-self) + other

    def __mul__(self, other: Any) -> Jet:
        if other is self:
            return self**2
        other = self._lift(other)
        return self._combine(other, self.value * other.value, other.value, self.value)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Jet:
        other = self._lift(other)
        value = self.value / other.value
        inverse = Interval.of(1) / other.value
        return self._combine(other, value, inverse, -(value * inverse))

    def __rtruediv__(self, other: Any) -> Jet:
        return self._lift(other) / self

    def __pow__(self, exponent: int) -> Jet:
        if exponent == 0:
            return self._lift(1)
        return self.chain(self.value**exponent, self.value ** (exponent - 1) * exponent)

    def chain(self, value: Interval, derivative: Interval) -> Jet:
        """f(self) from the image of f and of f' over the interval."""
        return Jet(value, tuple(_term(derivative, a) for a in self.slope))


def _term(factor: Interval, slope: Interval) -> Interval:
    """A factor times a slope; a slope of exactly 0 stays 0 whatever the factor."""
    if slope.low == 0 and slope.high == 0:
        return slope
    return factor * slope


def _increasing(function: Callable[[Any], Any], lowest: Any = None) -> Callable[[Interval], Interval]:
    """The image of an interval under an increasing function that is defined from `lowest` on."""

    def image(x: Interval) -> Interval:
        if not x.defined() or (lowest is not None and not (x.low >= lowest or x.low == lowest)):
            return Interval.nan()
        return Interval(function(x.low), function(x.high))

    return image


def _bound(a: Interval, b: Interval, smaller: bool) -> Interval:
    """The interval of min(a, b), or of max(a, b)."""
    if not (a.defined() and b.defined()):
        return Interval.nan()
    return Interval(a.low.min(b.low), a.high.min(b.high)) if smaller else Interval(a.low.max(b.low), a.high.max(b.high))


def _pick(a: Any, b: Any, smaller: bool) -> Any:
    """min(a, b) or max(a, b); where either may win, the slope is the hull of both."""
    if not isinstance(a, Jet):
        a, b = b, a
    if not isinstance(a, Jet):
        return _bound(Interval.of(a), Interval.of(b), smaller)
    b = a._lift(b)
    if a.value.high <= b.value.low:
        return a if smaller else b
    if b.value.high <= a.value.low:
        return b if smaller else a
    hull = tuple(Interval(s.low.min(t.low), s.high.max(t.high)) for s, t in zip(a.slope, b.slope, strict=True))
    return Jet(_bound(a.value, b.value, smaller), hull)


def _unary(image: Callable[[Interval], Interval], slope: Callable[[Interval, Interval], Interval]) -> Callable[[Any], Any]:
    """A function of constants and jets from its image and the image (of x and y = f(x)) of its derivative."""

    def apply(x: Any) -> Any:
        if not isinstance(x, Jet):
            return image(Interval.of(x))
        value = image(x.value)
        return x.chain(value, slope(x.value, value))

    return apply


def _lower_branch(z: Interval) -> Interval:
    """W_{-1}, decreasing on [-1/e, 0)."""
    return Interval(z.high.lambertw(-1), z.low.lambertw(-1)) if z.high < 0 else Interval.nan()


def _indicator(x: Any) -> Any:
    """1 where x >= 0 and 0 where x < 0; where both may be, [0, 1] with a slope that says nothing, for there is a jump."""
    value = x.value if isinstance(x, Jet) else Interval.of(x)
    if not value.defined():
        return x
    known = 1 if value.at_least_zero() else 0 if value.below_zero() else None
    step = Interval.of(known) if known is not None else Interval(_constants()["zero"], _constants()["one"])
    if not isinstance(x, Jet):
        return step
    return Jet(step, (Interval.of(0) if known is not None else Interval.nan(),) * len(x.slope))


@functools.cache
def jets() -> Arithmetic:
    """The arithmetic of jets. Raises: MissingExtraError without the extra `certify`."""
    plain, one = arb(), Interval.of(1)
    exp_image, sigmoid_image = _increasing(lambda x: x.exp()), _increasing(plain.sigmoid)
    log_image = _increasing(lambda x: x.log() if x > 0 else _constants()["nan"])  # ln 0 is no number either

    def w_slope(z: Interval, w: Interval) -> Interval:
        return exp_image(-w) / (one + w)

    principal, lower = _unary(_increasing(lambda z: z.lambertw()), w_slope), _unary(_lower_branch, w_slope)
    return Arithmetic(
        name="jets",
        number=lambda value: value if isinstance(value, Jet) else Interval.of(value),
        exp=_unary(exp_image, lambda x, y: y),
        log=_unary(log_image, lambda x, y: one / x),
        sqrt=_unary(_increasing(lambda x: x.sqrt(), 0), lambda x, y: one / (y * 2)),
        abs=lambda x: _pick(x, -x, smaller=False),
        softplus=_unary(_increasing(plain.softplus), lambda x, y: sigmoid_image(x)),
        sigmoid=_unary(sigmoid_image, lambda x, y: y * (one - y)),
        lambertw=lambda z, branch=0: principal(z) if branch == 0 else lower(z),
        lambertw_exp=_unary(_increasing(plain.lambertw_exp), lambda y, w: w / (one + w)),
        logisticw=_unary(_increasing(plain.logisticw), lambda c, w: one / (one + (one + w) * exp_image(w))),
        minimum=lambda a, b: _pick(a, b, smaller=True),
        maximum=lambda a, b: _pick(a, b, smaller=False),
        indicator=_indicator,
    )
