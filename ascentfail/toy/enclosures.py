r"""Enclosures of the toy network's losses over boxes, many boxes at a time.

An interval is an array of middles m and one of radii r. Every bound below is a sum of a few dozen products of numbers known
to within their own rounding, each of relative size 2^-53. Instead of following each, every radius is enlarged by `SLACK` = 2^-40
times the sum of the magnitudes that enter it: more than a thousand roundings. The one function that is not elementary, the
exponential, is computed here by operations that IEEE arithmetic rounds correctly.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ascentfail.toy.network import INPUTS, Terms

SLACK = 2.0**-40
_FLOOR = 1e-290  # an absolute slack, for what underflows
_X = np.array(INPUTS, float)
_X2 = _X * _X


class Span(NamedTuple):
    """The interval [m - r, m + r], elementwise."""

    m: np.ndarray
    r: np.ndarray

    @property
    def low(self) -> np.ndarray:
        """Lower end."""
        return self.m - self.r

    @property
    def high(self) -> np.ndarray:
        """Upper end."""
        return self.m + self.r

    def excludes_zero(self) -> np.ndarray:
        """Where 0 is surely outside."""
        return np.abs(self.m) > self.r


def span(low: np.ndarray, high: np.ndarray) -> Span:
    """The interval between two ends, rounded outwards."""
    m = (low + high) / 2
    return Span(m, (high - low) / 2 + SLACK * (np.abs(low) + np.abs(high)) + _FLOOR)


def exponential(x: np.ndarray) -> np.ndarray:
    """e^x for |x| <= 600 with a relative error below 2^-45.

    x = k ln 2 + r with |r| <= 0.35; k times the first part of ln 2 is exact, and 14 terms of the series leave 5e-18.
    """
    k = np.rint(x * 1.4426950408889634)
    r = (x - k * 0.6931471803691238) - k * 1.9082149292705877e-10  # the two parts of ln 2 of fdlibm
    total = np.ones_like(r)
    for n in range(14, 0, -1):
        total = 1 + total * r / n
    return np.ldexp(total, k.astype(np.int64))


def _sigmoid(x: np.ndarray) -> np.ndarray:
    """1/(1 + e^-x) with an absolute error below 2^-44; the argument is cut at +-600, where it is 0 or 1 to 1e-260."""
    return 1 / (1 + exponential(np.clip(-x, -600, 600)))


def _cubic(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """(u - v) u (1 - u)."""
    return (u - v) * u * (1 - u)


def _quartic(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """U (1 - u) (-3 u^2 + 2 (1 + v) u - v) = q (q + (u - v)(1 - 2u)): the second derivative in z over 2 gain slope^2."""
    return u * (1 - u) * ((2 * (1 + v) - 3 * u) * u - v)


def _curved(
    value: np.ndarray, slope: np.ndarray, bend: np.ndarray, r: np.ndarray, most: np.ndarray
) -> Span:
    """Range of a function of u over [u - r, u + r] from its Taylor formula, cut to its known bound."""
    radius = np.abs(slope) * r + bend * r * r / 2 + SLACK * 8
    low, high = np.maximum(value - radius, -most), np.minimum(value + radius, most)
    return span(low, high)


class _Ranges(NamedTuple):
    """Over each box (n, 4): value, first and second derivative of each squared error, before weights; z + 1."""

    value: Span
    first: Span
    second: Span
    lift: Span


def _lift(a: Span, b: Span) -> Span:
    """What each point has for z + 1 over each box (n, 4)."""
    am, ar, bm, br = (s[:, None] for s in (a.m, a.r, b.m, b.r))
    x, x2 = _X[None], _X2[None]
    r = ar * np.abs(x) + br * x2
    return Span(1 + am * x + bm * x2, r + SLACK * (1 + np.abs(am * x) + np.abs(bm) * x2 + r))


def _ranges(p: Terms, a: Span, b: Span) -> _Ranges:
    v, slope = np.asarray(p.target)[None], float(p.slope)
    lift = _lift(a, b)
    u0, u1 = _sigmoid(slope * lift.low), _sigmoid(slope * lift.high)
    u = np.clip((u0 + u1) / 2, 0, 1)
    # the argument slope * lift is rounded once: at most 600 * 2^-53 absolutely where the sigmoid is not flat
    r = np.maximum((u1 - u0) / 2, 0) + SLACK
    miss = span((u - r) - v, (u + r) - v)
    biggest = np.maximum(np.abs(miss.low), np.abs(miss.high))
    smallest = np.where(miss.excludes_zero(), np.abs(miss.m) - miss.r, 0)
    value = span(smallest**2, biggest**2)
    slope1 = (2 * (1 + v) - 3 * u) * u - v
    bend1 = np.maximum(np.abs(2 + 2 * v), np.abs(2 * v - 4))
    first = _curved(_cubic(u, v), slope1, bend1, r, np.maximum(np.abs(v), np.abs(1 - v)) / 4)
    slope2 = -v + u * (2 * (2 + 3 * v) + u * (-3 * (5 + 2 * v) + 12 * u))
    c0, c1 = (
        2 * (2 + 3 * v),
        6 * (5 + 2 * v),
    )  # the second derivative of the quartic is 36 u^2 - c1 u + c0
    bend2 = np.maximum(np.maximum(np.abs(c0), np.abs(36 - c1 + c0)), np.abs(c0 - c1 * c1 / 144))
    most2 = np.maximum(np.maximum(np.abs(v), np.abs(v - 1)), np.abs((1 + v) ** 2 / 3 - v)) / 4
    second = _curved(_quartic(u, v), slope2, bend2, r, most2)
    return _Ranges(value, first, second, lift)


def _weighted(s: Span, factor: np.ndarray) -> Span:
    """sum_i factor_i s_i over the last axis."""
    size = np.abs(factor)
    m, r = (s.m * factor).sum(-1), (s.r * size).sum(-1)
    return Span(m, r + SLACK * ((np.abs(s.m) * size).sum(-1) + r))


def _plus_ridge(s: Span, ridge2: float, side: Span) -> Span:
    m, r = s.m + ridge2 * side.m, s.r + abs(ridge2) * side.r
    return Span(m, r + SLACK * (np.abs(s.m) + np.abs(ridge2 * side.m) + r))


class Enclosed(NamedTuple):
    """Over each box: the loss, gradient (data part alone, then whole), Hessian, and z + 1 of each point."""

    loss: Span
    pull: tuple[Span, Span]
    gradient: tuple[Span, Span]
    hessian: tuple[Span, Span, Span]
    lift: Span


def enclose(p: Terms, a: Span, b: Span) -> Enclosed:
    """Loss, gradient and Hessian over each of n boxes a x b.

    Args:
        p: plain numbers of the landscape.
        a: (n,) interval of the first parameter.
        b: (n,) interval of the second.

    Returns:
        Enclosures of shape (n,), of z + 1 (n, 4).

    Ours: our bounds.
    """
    gain = np.asarray(p.weight, float) * (float(p.gain) / float(p.divisor))
    slope, ridge = float(p.slope), float(p.ridge)
    parts = _ranges(p, a, b)
    pull = tuple(_weighted(parts.first, 2 * slope * gain * power) for power in (_X, _X2))
    gradient = tuple(_plus_ridge(s, 2 * ridge, side) for s, side in zip(pull, (a, b), strict=True))
    bent = [
        _weighted(parts.second, 2 * slope**2 * gain * power) for power in (_X2, _X2 * _X, _X2 * _X2)
    ]
    one = Span(np.ones_like(a.m), np.zeros_like(a.m))
    hessian = (_plus_ridge(bent[0], 2 * ridge, one), bent[1], _plus_ridge(bent[2], 2 * ridge, one))
    data = _weighted(parts.value, gain)
    far = [np.abs(s.m) + s.r for s in (a, b)]
    near = [np.maximum(np.abs(s.m) - s.r, 0) for s in (a, b)]
    radial = span(ridge * (near[0] ** 2 + near[1] ** 2), ridge * (far[0] ** 2 + far[1] ** 2))
    loss = Span(data.m + radial.m, data.r + radial.r + SLACK * (np.abs(data.m) + np.abs(radial.m)))
    return Enclosed(loss, (pull[0], pull[1]), (gradient[0], gradient[1]), hessian, parts.lift)


def thin(m: np.ndarray) -> Span:
    """The interval that is one number."""
    return Span(m, np.zeros_like(m))


def below(p: Terms, a: Span, b: Span, sign: int = 1) -> np.ndarray:
    """Lower bounds (n,) of the loss over n boxes, from its value in the middle and its slope; of its negative with sign -1."""
    slope_a, slope_b = enclose(p, a, b).gradient
    middle = enclose(p, thin(a.m), thin(b.m)).loss
    drop = (np.abs(slope_a.m) + slope_a.r) * a.r + (np.abs(slope_b.m) + slope_b.r) * b.r
    return sign * middle.m - middle.r - drop * (1 + SLACK) - SLACK * np.abs(middle.m)


def _times(s: list[Span], t: list[Span]) -> Span:
    """The last coefficient of the product of two series of equal length."""
    sm, sr, tm, tr = (
        np.stack(v)
        for v in (
            [x.m for x in s],
            [x.r for x in s],
            [x.m for x in t[::-1]],
            [x.r for x in t[::-1]],
        )
    )
    size = np.abs(sm)
    r = (size * tr + sr * (np.abs(tm) + tr) + SLACK * size * np.abs(tm)).sum(0)
    return Span((sm * tm).sum(0), r * (1 + SLACK * 16))


def series(p: Terms, a: Span, b: Span, order: int) -> list[tuple[Span, Span]]:
    """Taylor coefficients in time of gradient flow from every point of each of n boxes.

        theta' = -grad L,   u' = slope q z',   q = u (1 - u)

    Args:
        p: plain numbers of the landscape.
        a: (n,) interval of the first parameter.
        b: (n,) interval of the second.
        order: of the last coefficient.

    Returns:
        order + 1 pairs of (n,) intervals: coefficient k of a and of b.

    Source: our bounds.
    """
    slope, ridge = float(p.slope), float(p.ridge)
    pull = -2 * slope * np.asarray(p.weight, float) * (float(p.gain) / float(p.divisor))
    lift = _lift(a, b)
    u0, u1 = _sigmoid(slope * lift.low), _sigmoid(slope * lift.high)
    target = np.asarray(p.target)[None]
    u, rise, q, e = [span(u0 - SLACK, u1 + SLACK)], [], [], []
    found = [(a, b)]
    for k in range(order):
        if k:
            am, ar, bm, br = (v[:, None] for s in found[k] for v in s)
            m, r = am * _X + bm * _X2, ar * np.abs(_X) + br * _X2
            rise.append(
                Span(
                    k * slope * m,
                    k * slope * (r + 4 * SLACK * (np.abs(am * _X) + np.abs(bm) * _X2 + r)),
                )
            )
            grown = _times(rise, q)
            u.append(Span(grown.m / k, grown.r / k + SLACK * np.abs(grown.m)))
        square = _times(u, u)
        m = u[k].m - square.m
        q.append(Span(m, u[k].r + square.r + SLACK * (np.abs(u[k].m) + np.abs(square.m))))
        miss = [Span(u[0].m - target, u[0].r + SLACK * (1 + np.abs(target))), *u[1:]]
        e.append(_times(miss, q))
        new = []
        for side, power in zip(found[k], (_X, _X2), strict=True):
            down = _plus_ridge(_weighted(e[k], pull * power), -2 * ridge, side)
            new.append(Span(down.m / (k + 1), down.r / (k + 1) + SLACK * np.abs(down.m)))
        found.append((new[0], new[1]))
    return found
