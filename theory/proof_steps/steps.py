r"""Small facts that proofs are made of: each a claim of its own, in variables of its own, certified or symbolic.

A proof of a larger claim lists steps and says in words how it follows from them. The ranges of the variables are wider than
what most domains reach; where a step is homogeneous in a variable, so that its size does not matter, its words say so.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ascentfail.claims.claim import Axis, Claim, Domain, Kind, Point
from ascentfail.line import closed_form
from ascentfail.plane import equations as plane_equations

_PULL = (0.0, 30.0)
_RATIO = (1e-3, 1e3)


def inequality(
    name: str,
    statement: str,
    axes: dict[str, tuple[float, float]],
    *factors: Callable[[Point, Any], Any],
) -> Claim:
    """The step that every factor is >= 0 on a box."""

    def margin(p: Point, xp: Any) -> Any:
        smallest = factors[0](p, xp)
        for factor in factors[1:]:
            smallest = xp.minimum(smallest, factor(p, xp))
        return smallest

    return Claim(f"step.{name}", statement, "ours", Kind.BOUND, _box(axes), margin, factors=factors)


def identity(
    name: str,
    statement: str,
    axes: dict[str, tuple[float, float]],
    difference: Callable[[Point, Any], Any],
) -> Claim:
    """The step that a difference vanishes identically, to be proved symbolically."""
    return Claim(f"step.{name}", statement, "ours", Kind.EQUALITY, _box(axes), difference)


def _box(axes: dict[str, tuple[float, float]]) -> Domain:
    words = ", ".join(f"{name} in [{low:g}, {high:g}]" for name, (low, high) in axes.items())
    return Domain(tuple(Axis(name, low, high) for name, (low, high) in axes.items()), words=words)


# --- one coordinate --------------------------------------------------------------------------------------------------------

_RATIOS = {"b": _RATIO, "alpha": _RATIO, "phi": _RATIO}

W_INCREASES = inequality(
    "w-increases",
    "w e^w increases for w >= -1, so W_0 is increasing: (1 + w) e^w >= 0",
    {"w": (-1.0, 30.0)},
    lambda p, xp: 1 + p.w,
    lambda p, xp: xp.exp(p.w),
)
W_KEEPS_SIGN = inequality(
    "w-keeps-sign",
    "w e^w >= 0 for w >= 0, so c < 0 has w < 0 on both branches",
    {"w": _PULL},
    lambda p, xp: p.w,
    lambda p, xp: xp.exp(p.w),
)
UNLEARNED_MINUS_ORIGINAL = identity(
    "unlearned-minus-original",
    "c_DA - c_D = -b (alpha (1 + 2 phi) - phi^2)/(phi (1 + phi))",
    _RATIOS,
    lambda p, xp: (
        closed_form.coefficient(p, "descent_ascent")
        - closed_form.coefficient(p, "original")
        + p.b * (p.alpha * (1 + 2 * p.phi) - p.phi**2) / (p.phi * (1 + p.phi))
    ),
)
ORIGINAL_MINUS_ORACLE = identity(
    "original-minus-oracle",
    "c_D - c_R = b (alpha - phi)/(1 + phi)",
    _RATIOS,
    lambda p, xp: (
        closed_form.coefficient(p, "original")
        - closed_form.coefficient(p, "oracle")
        - p.b * (p.alpha - p.phi) / (1 + p.phi)
    ),
)
UNLEARNED_BELOW_ORACLE = identity(
    "unlearned-below-oracle",
    "c_R - c_DA = b alpha/phi, and c_DA = -b (alpha - phi)/phi",
    _RATIOS,
    lambda p, xp: (
        (p.b - closed_form.coefficient(p, "descent_ascent") - p.b * p.alpha / p.phi) ** 2
        + (closed_form.coefficient(p, "descent_ascent") + p.b * (p.alpha - p.phi) / p.phi) ** 2
    ),
)
LOG_OF_W = identity(
    "log-of-w",
    "ln(w e^w) = w + ln w, so ln c - ln c' = (W - W') + (ln W - ln W')",
    {"w": (1e-3, 30.0)},
    lambda p, xp: xp.log(p.w * xp.exp(p.w)) - p.w - xp.log(p.w),
)
LOG_OF_RATIO = inequality(
    "log-of-ratio",
    "0 <= ln r <= r - 1 for r >= 1",
    {"r": (1.0, 1e6)},
    lambda p, xp: xp.log(p.r),
    lambda p, xp: p.r - 1 - xp.log(p.r),
)
EXPONENTIAL_ABOVE = inequality(
    "exponential-above",
    "e^d >= 1 and e^d >= 1 + d for d >= 0",
    {"d": (0.0, 300.0)},
    lambda p, xp: xp.exp(p.d) - 1,
    lambda p, xp: xp.exp(p.d) - 1 - p.d,
)
LOGISTIC_INCREASES = inequality(
    "logistic-increases",
    "w (1 + e^w) increases: its slope 1 + (1 + w) e^w is >= 1 - e^{-2} > 0, reached at w = -2; weights "
    "down to c_DA itself, which no ridge bounds, are in the range",
    {"w": (-1e7, 30.0)},
    lambda p, xp: 1 + (1 + p.w) * xp.exp(p.w),
)


def _step_from(p: Point, force: Any, xp: Any) -> Any:
    """What a step of unit size from w = c_D l(w) moves, less (c_DA - c_D) l(w)."""
    at = p.replace(b=p.w / force * (1 + p.phi) / (1 + p.alpha))
    moved = (at.b - at.forget_b / p.phi) * force - p.w
    gap = closed_form.coefficient(at, "descent_ascent") - closed_form.coefficient(at, "original")
    return moved - gap * force


FIRST_STEP = identity(
    "first-step",
    "from w_D, the w with w = c_D l(w), the velocity of L_DA, (b - alpha b/phi) l(w) - w, is (c_DA - c_D) l(w): "
    "for l = e^{-w} and for l = 1/(1 + e^w)",
    {"w": (1e-3, 30.0), "alpha": _RATIO, "phi": _RATIO},
    lambda p, xp: _step_from(p, xp.exp(-p.w), xp) ** 2 + _step_from(p, xp.sigmoid(-p.w), xp) ** 2,
)
EXPONENTIAL_BELOW = inequality(
    "exponential-below",
    "e^{-d} >= 1 - d for d >= 0, so e^d - 1 <= d e^d, and ln r >= 1 - 1/r for r = e^d",
    {"d": (0.0, 300.0)},
    lambda p, xp: xp.exp(-p.d) - 1 + p.d,
)
ORDER_1D = (W_INCREASES, UNLEARNED_MINUS_ORIGINAL, ORIGINAL_MINUS_ORACLE)

# --- the plane -------------------------------------------------------------------------------------------------------------

_PULLS = {"s1": _PULL, "s2": _PULL, "q": (0.0, 1.0)}

MARGIN_ORDER = identity(
    "margin-order",
    "x - y = (1 - q)(s_1 - s_2)",
    _PULLS,
    lambda p, xp: (
        plane_equations.margins(p.s1, p.s2, p.q)[0]
        - plane_equations.margins(p.s1, p.s2, p.q)[1]
        - (1 - p.q) * (p.s1 - p.s2)
    ),
)
ALPHA_AND_ORDER = inequality(
    "alpha-and-order",
    "With t = ln(V/U): ln alpha = t + (1 - q)(V - U), of the sign of t; here for t >= 0 with V - U = U (e^t - 1), and for t <= 0 "
    "with U and V exchanged",
    {"t": _PULL, "u": _PULL, "q": (0.0, 1.0)},
    lambda p, xp: p.t + (1 - p.q) * p.u * (xp.exp(p.t) - 1),
)
ALPHA_OF_PULLS = identity(
    "alpha-of-pulls",
    "ln alpha = ln(V/U) + (1 - q)(V - U), from U = beta_D e^{-x} and V = alpha beta_D e^{-y}",
    {"s1": (1e-3, 30.0), "s2": (1e-3, 30.0), "q": (0.0, 1.0)},
    lambda p, xp: (
        xp.log(p.s2)
        + plane_equations.margins(p.s1, p.s2, p.q)[1]
        - (xp.log(p.s1) + plane_equations.margins(p.s1, p.s2, p.q)[0])
        - (xp.log(p.s2) - xp.log(p.s1))
        - (1 - p.q) * (p.s2 - p.s1)
    ),
)
ORDER_2D = (MARGIN_ORDER, ALPHA_OF_PULLS, ALPHA_AND_ORDER)


def _margin_times_exponential(sign: int, p: Point, xp: Any) -> Any:
    """Both differences at once, squared, with x and y replaced by their stationarity equations."""
    first, second = p.beta * xp.exp(-p.x), sign * p.a * p.beta * xp.exp(-p.y)
    in_x = (first + p.q * second) * xp.exp(p.x) - p.beta * (1 + sign * p.q * p.a)
    in_y = (p.q * first + second) * xp.exp(p.y) - p.beta * (p.q + sign * p.a)
    in_x = in_x - sign * p.beta * p.q * p.a * (xp.exp(p.x - p.y) - 1)
    in_y = in_y - p.beta * p.q * (xp.exp(p.y - p.x) - 1)
    return in_x * in_x + in_y * in_y


_MARGINS = {
    "beta": (1e-3, 1e4),
    "a": (1e-3, 10.0),
    "q": (0.0, 1.0),
    "x": (-30.0, 30.0),
    "y": (-30.0, 30.0),
}
ORIGINAL_PRODUCTS = identity(
    "original-products",
    "x e^x = beta_D (1 + q alpha) + beta_D q alpha (e^{x-y} - 1) and y e^y = beta_D (q + alpha) + beta_D q (e^{y-x} - 1)",
    _MARGINS,
    lambda p, xp: _margin_times_exponential(1, p, xp),
)
UNLEARNED_PRODUCTS = identity(
    "unlearned-products",
    "x e^x = beta (1 - q a) - beta q a (e^{x-y} - 1) and y e^y = beta (q - a) + beta q (e^{y-x} - 1), a = alpha/phi",
    _MARGINS,
    lambda p, xp: _margin_times_exponential(-1, p, xp),
)
LOWER_EDGES = identity(
    "lower-edges",
    "(1 + q alpha)/(1 + phi) - (1 - q alpha/phi) and alpha/(1 + phi) - (q - alpha/phi) are (q alpha (1+2phi) - "
    "phi^2)/(phi (1+phi)) "
    "and (alpha (1+2phi) - q phi (1+phi))/(phi (1+phi))",
    {"alpha": _RATIO, "phi": _RATIO, "q": (0.0, 1.0)},
    lambda p, xp: (
        (
            (1 + p.q * p.alpha) / (1 + p.phi)
            - (1 - p.q * p.alpha / p.phi)
            - (p.q * p.alpha * (1 + 2 * p.phi) - p.phi**2) / (p.phi * (1 + p.phi))
        )
        ** 2
        + (
            p.alpha / (1 + p.phi)
            - (p.q - p.alpha / p.phi)
            - (p.alpha * (1 + 2 * p.phi) - p.q * p.phi * (1 + p.phi)) / (p.phi * (1 + p.phi))
        )
        ** 2
    ),
)
UPPER_EDGE = identity(
    "upper-edge",
    "with beta = X e^X: q X e^{qX} = q beta e^{-(1-q) X}, so q + alpha <= q (1+phi) e^{-(1-q)X} is y_D <= q X",
    {"big_x": (1e-3, 30.0), "q": (0.0, 1.0)},
    lambda p, xp: (
        p.q * p.big_x * xp.exp(p.q * p.big_x)
        - p.q * p.big_x * xp.exp(p.big_x) * xp.exp(-(1 - p.q) * p.big_x)
    ),
)
ALONG_ORIGINALS = inequality(
    "along-originals",
    "Along V -> (U(V), V), dU/dV = -q U/(1+U): dx/dV = q/(1+U), dy/dV = (1 + (1-q^2) U)/(1+U) and d ln alpha/dV = 1/V + "
    "dy/dV are >= 0",
    {"s1": (0.0, 1e5), "s2": (0.0, 1e5), "q": (0.0, 1.0)},
    lambda p, xp: p.q,
    lambda p, xp: 1 + (1 - p.q**2) * p.s1,
    lambda p, xp: p.s1,
    lambda p, xp: p.s2,
)
SLOPES_ALONG = identity(
    "slopes-along",
    "along U e^{U + qV} = beta_D, U' = -q U/(1+U) is the slope, as (1+U) U' e^{U+qV} + q U e^{U+qV} = 0; and q "
    "U' + 1 and U' + q are (1 + (1-q^2) U)/(1+U) and q/(1+U)",
    _PULLS,
    lambda p, xp: (
        (1 - p.q**2 * p.s1 / (1 + p.s1) - (1 + (1 - p.q**2) * p.s1) / (1 + p.s1)) ** 2
        + (p.q - p.q * p.s1 / (1 + p.s1) - p.q / (1 + p.s1)) ** 2
        + (((1 + p.s1) * (-p.q * p.s1 / (1 + p.s1)) + p.q * p.s1) * xp.exp(p.s1 + p.q * p.s2)) ** 2
    ),
)
X_GAP_AND_Y_GAP = identity(
    "x-gap-and-y-gap",
    "with x_D - x_DA = U - A + q (V + B): y_D - y_DA = q (U - A) + V + B = q (x_D - x_DA) + (1 - q^2)(V + B)",
    {"u": _PULL, "v": _PULL, "a": _PULL, "b": _PULL, "q": (0.0, 1.0)},
    lambda p, xp: (
        plane_equations.margins(p.u, p.v, p.q)[1]
        - plane_equations.margins(p.a, -p.b, p.q)[1]
        - p.q
        * (plane_equations.margins(p.u, p.v, p.q)[0] - plane_equations.margins(p.a, -p.b, p.q)[0])
        - (1 - p.q**2) * (p.v + p.b)
    ),
)
RETAIN_PULL_LAGS = identity(
    "retain-pull-lags",
    "along A e^A = beta e^{qB} the slopes are dA/dB = q A/(1+A) and dA/d ln beta = A/(1+A), as (1+A) e^A times them are q A "
    "e^A and A e^A; and 1 - q A/(1+A) = (1 + (1-q) A)/(1+A) > 0: A - B falls as B rises, alpha = (phi/beta) B e^{qA-B} falls as "
    "beta rises",
    {"a": (0.0, 1e3), "q": (0.0, 1.0)},
    lambda p, xp: (
        (1 - p.q * p.a / (1 + p.a) - (1 + (1 - p.q) * p.a) / (1 + p.a)) ** 2
        + ((1 + p.a) * xp.exp(p.a) * (p.q * p.a / (1 + p.a)) - p.q * p.a * xp.exp(p.a)) ** 2
        + ((1 + p.a) * xp.exp(p.a) * (p.a / (1 + p.a)) - p.a * xp.exp(p.a)) ** 2
    ),
)
