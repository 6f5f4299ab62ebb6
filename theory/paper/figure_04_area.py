r"""Figure 4: does the window broaden with phi? At a fixed eps its height may fall; its area does not.

In the ratio R = alpha/(q phi), with X = W(beta), Y = W(beta_D) and Z = (X - Y)/q, the window of Lemmas 9 and 10 is

    R q^2 >= phi/(1+2phi),    R >= (1+phi)/(1+2phi),    R <= Z e^Z/(q phi beta_D),    R <= ((1+phi) e^{-(1-q) X} - 1)/phi,

and of the four edges only the first moves inwards as phi grows.
"""

from __future__ import annotations

import functools
import operator

import numpy as np

from ascentfail.claims.claim import Axis, Claim, Domain, Kind, Point
from ascentfail.claims.registry import register
from ascentfail.numerics.arithmetic import Arithmetic, Scalar
from ascentfail.plane import bounds as plane_bounds
from ascentfail.plane import equations as plane_equations
from ascentfail.theory.proof_steps import steps

_STRIPS = 100


def _edges(p: Point, epsilon: Scalar, xp: Arithmetic) -> tuple[Scalar, ...]:
    """(q, beta_D, X - Y, the second ceiling, both floors) at one epsilon > 0; all but the first floor rise with epsilon."""
    at = p.replace(epsilon=epsilon)
    q, beta = plane_equations.cosine(at), plane_equations.retain_strength(at, "original")
    x = xp.lambertw(plane_equations.retain_strength(at, "oracle"), 0)
    ceiling = q * ((1 + p.phi) * xp.exp(-plane_equations.one_minus_cosine(at) * x) - 1)
    return q, beta, x - xp.lambertw(beta, 0), ceiling, *plane_bounds.lower_alphas(at)


def _strip(
    left: tuple[Scalar, ...], right: tuple[Scalar, ...], xp: Arithmetic
) -> tuple[Scalar, Scalar]:
    """Lower and upper bound on the window's height between two epsilons, from its edges there."""
    zero, one = xp.number(0), xp.number(1)
    (q, beta, gap, second, floor, rising), (q_2, beta_2, gap_2, second_2, floor_2, rising_2) = (
        left,
        right,
    )
    least, most = gap / q_2, gap_2 / q  # of Z = (X - Y)/q
    low = xp.minimum(xp.minimum(least * xp.exp(least) / beta_2, second), one) - xp.maximum(
        floor, rising_2
    )
    high = xp.minimum(xp.minimum(most * xp.exp(most) / beta, second_2), one) - xp.maximum(
        floor_2, rising
    )
    return xp.maximum(low, zero), xp.maximum(high, zero)


def area_bounds(p: Point, xp: Arithmetic, strips: int = _STRIPS) -> tuple[Scalar, Scalar]:
    """Lower and upper bound on the area of the printed window in (eps, alpha), strip by strip.

    The strips end at eps_i = 1 - (1 - i/n)^2, which resolves eps near 1. Before eps_1 the window is no higher than its second
    ceiling at eps_1.
    """

    def end(i: Scalar) -> Scalar:
        rest = 1 - i / xp.number(strips)
        return 1 - rest * rest

    def part(
        i: Scalar, left: tuple[Scalar, ...], right: tuple[Scalar, ...]
    ) -> tuple[Scalar, Scalar]:
        low, high = _strip(left, right, xp)
        return low * (end(i + 1) - end(i)), high * (end(i + 1) - end(i))

    if xp.name == "jax":
        import jax
        import jax.numpy as jnp

        edges = jax.vmap(lambda i: _edges(p, end(i), xp))(jnp.arange(1, strips + 1))
        low, high = jax.vmap(part)(
            jnp.arange(1, strips),
            *(tuple(e[cut] for e in edges) for cut in (np.s_[:-1], np.s_[1:])),
        )
        first = end(1) * jnp.maximum(edges[3][0], 0)
        return jnp.sum(low), first + jnp.sum(high)
    numbers = [xp.number(i) for i in range(1, strips + 1)]
    listed = [_edges(p, end(i), xp) for i in numbers]
    lows, highs = zip(*map(part, numbers, listed, listed[1:]), strict=True)
    first = end(numbers[0]) * xp.maximum(listed[0][3], xp.number(0))
    return functools.reduce(operator.add, lows), functools.reduce(operator.add, highs, first)


def _growth(p: Point, xp: Arithmetic) -> tuple[Scalar, Scalar]:
    """(middle, upper bound) of area at phi' minus area at phi, from the bounds on both."""
    (low, high), (low_2, high_2) = (
        area_bounds(p.replace(phi=phi), xp) for phi in (p.phi, p.larger_phi)
    )
    return (low_2 + high_2 - low - high) / 2, high_2 - low


_UNIT = {"phi": (0.0, 1.0)}


def _lower_edges(p: Point, xp: Arithmetic) -> Scalar:
    """Both lower bounds of Lemma 9 over q phi, minus what is said of them, squared."""
    q = plane_equations.cosine(p)
    first, second = (alpha / (q * p.phi) for alpha in plane_bounds.lower_alphas(p))
    return (first - p.phi / ((1 + 2 * p.phi) * q * q)) ** 2 + (
        second - (1 + 1 / (1 + 2 * p.phi)) / 2
    ) ** 2


def _stretch(p: Point, xp: Arithmetic) -> tuple[Scalar, Scalar, Scalar]:
    """(R, l, sqrt(1-q^2) at its end) of the stretch of length l in mu that begins at q_1^2 = phi/(1 + s phi)."""
    side = xp.sqrt((1 + (p.s - 1) * p.phi) / (1 + p.s * p.phi))  # sqrt(1 - q_1^2)
    length = (1 - side) / (2 * side * (1 + 2 * p.phi))
    return (1 + p.s * p.phi) / (1 + 2 * p.phi), length, (1 + side) * xp.exp(-length) - 1


def _worst_stretch(p: Point, xp: Arithmetic) -> Scalar:
    """2 e^{-X/(1+phi)} - 1 - R q^2 at the end of the stretch, for the largest X that the second ceiling admits."""
    ratio, length, end = _stretch(p, xp)
    start = xp.log((1 + p.phi) / (1 + ratio * p.phi)) / (1 - xp.sqrt(p.phi / (1 + p.s * p.phi)))
    far = start * xp.exp(length)
    return (
        2 * xp.exp(-(start + length * far / (1 + far)) / (1 + p.phi)) - 1 - ratio * (1 - end * end)
    )


_BROADENS = (
    steps.identity(
        "edges-in-ratio",
        "the lower bounds of Lemma 9 over q phi are phi/((1+2phi) q^2) and 1/2 + 1/(2 (1+2phi))",
        {"epsilon": (1e-3, 1.0), "phi": (1e-3, 1.0)},
        _lower_edges,
    ),
    steps.identity(
        "second-ceiling",
        "((1+phi) E - 1)/phi = E - (1 - E)/phi, at most 1 and rising with phi and with E = e^{-(1-q) X} <= 1",
        {"phi": (1e-3, 1.0), "e": (0.0, 1.0)},
        lambda p, xp: ((1 + p.phi) * p.e - 1) / p.phi - p.e + (1 - p.e) / p.phi,
    ),
    steps.identity(
        "towards-duplicates",
        "q' - (1-q) beta'/beta = 2 (1-eps)/(1+eps^2), where q' = 2 (1-eps^2)/(1+eps^2)^2 and beta'/beta = "
        "2 eps/(1+eps^2), so (1-q) X falls with eps: X' = X/(1+X) beta'/beta",
        {"epsilon": (1e-3, 1.0)},
        lambda p, xp: (
            2 * (1 - p.epsilon**2) / (1 + p.epsilon**2) ** 2
            - (1 - plane_equations.cosine(p)) * 2 * p.epsilon / (1 + p.epsilon**2)
            - 2 * (1 - p.epsilon) / (1 + p.epsilon**2)
        ),
    ),
    steps.identity(
        "first-ceiling",
        "X e^X = (1+phi) Y e^Y with z = X - Y, r = z/Y: 1 + phi = (1+r) e^z, (1/z + 1) Y/(1+Y) = (1+z)/(r+z), "
        "and phi - (r+z) = (1+r)(e^z - 1 - z) + r z >= 0; d ln(Z e^Z/beta_D)/d ln phi = [(1/z + 1/q) Y/(1+Y) + 1] phi/(1+phi)",
        {"z": (1e-3, 1.0), "r": (1e-3, 1.0)},
        lambda p, xp: (
            ((1 / p.z + 1) * (p.z / p.r) / (1 + p.z / p.r) - (1 + p.z) / (p.r + p.z)) ** 2
            + (
                (1 + p.r) * xp.exp(p.z)
                - 1
                - p.r
                - p.z
                - (1 + p.r) * (xp.exp(p.z) - 1 - p.z)
                - p.r * p.z
            )
            ** 2
        ),
    ),
    steps.EXPONENTIAL_ABOVE,
    steps.EXPONENTIAL_BELOW,
    steps.W_INCREASES,
    steps.identity(
        "rate-of-loss",
        "with t = sqrt(1-q^2) = (1-eps^2)/(1+eps^2): 1 + eps^2 = 2/(1+t), and q_1 ~ sqrt(phi/(1+2phi)) moves mu "
        "by l = (eps^2/(1-eps^2))/(1+2phi) = (1-t)/(2t (1+2phi)) for each unit of ln phi",
        {"epsilon": (1e-3, 0.99)},
        lambda p, xp: (
            ((1 + p.epsilon**2) * (1 + (1 - p.epsilon**2) / (1 + p.epsilon**2)) - 2) ** 2
            + (
                (1 - plane_equations.cosine(p) ** 2)
                - ((1 - p.epsilon**2) / (1 + p.epsilon**2)) ** 2
            )
            ** 2
            + (
                p.epsilon**2 / (1 - p.epsilon**2)
                - (2 * p.epsilon**2 / (1 + p.epsilon**2))
                / (2 * (1 - p.epsilon**2) / (1 + p.epsilon**2))
            )
            ** 2
        ),
    ),
    steps.identity(
        "first-ceiling-below",
        "r e^{z-Y} = (1+phi-e^z) e^{z-X}, a lower bound on q^2 Z e^Z/(q beta_D) = r e^{z/q-Y}",
        {"z": (0.0, 1.0), "r": (1e-3, 1.0), "x": (0.0, 30.0)},
        lambda p, xp: (
            p.r * xp.exp(p.z - (p.x - p.z))
            - ((1 + p.r) * xp.exp(p.z) - xp.exp(p.z)) * xp.exp(p.z - p.x)
        ),
    ),
    steps.inequality(
        "ceiling-falls",
        "e^z (1+phi-e^z) falls for z >= 0 and phi <= 1: 2 e^z - (1+phi) >= 0",
        {"z": (0.0, 1.0)} | _UNIT,
        lambda p, xp: 2 * xp.exp(p.z) - (1 + p.phi),
    ),
    steps.inequality(
        "convex-in-phi",
        "the exponential is convex, so e^{t phi} <= 1 + phi (e^t - 1): its second derivative is positive",
        {"t": (0.0, 1.0)},
        lambda p, xp: xp.exp(p.t),
    ),
    steps.inequality(
        "worst-stretch",
        "2 e^{-X/(1+phi)} - 1 >= R q^2 at the end of the stretch, for the largest X, and it ends at eps <= 1",
        _UNIT | {"s": (1.0, 2.0)},
        _worst_stretch,
        lambda p, xp: _stretch(p, xp)[2],
    ),
)
_BROADENS_WORDS = (
    "put alpha = R q phi and d mu = q d eps = d ln(1+eps^2): the area is phi times the integral over R of mu(slice), slice = "
    "S(phi) cut to eps >= eps_1(phi), where S collects the floor and both ceilings in R (they make R <= 1 and alpha <= 1) and R "
    "q^2 = phi/(1+2phi) at eps_1. As phi grows S grows: the floor falls, the second ceiling rises, and so does the first, whose "
    "logarithm has slope >= 1/(1+phi) + phi/(1+phi) - 1 = 0 in ln phi. Only eps_1 takes away, at the rate l, and only where it "
    "lies in S. There q_1^2 = phi/(1 + s phi) with 1 <= s <= 2 and R = (1 + s phi)/(1+2phi) from the floor and R <= 1; the "
    "second ceiling gives (1-q_1) X_1 <= ln((1+phi)/(1 + R phi)) and rises with eps. On the next l of mu beta grows by at most "
    "e^l, so X <= X_1 e^l and X - X_1 <= l X/(1+X) (ln r >= 1 - 1/r). Y >= X/(1+phi) gives z <= phi X/(1+phi), so the first "
    "ceiling is at least (2 e^{-X/(1+phi)} - 1)/q^2, which falls with X and q and is still >= R at the end of the stretch. So S "
    "holds the whole stretch, mu(slice) >= l, and phi mu(slice) has slope >= mu(slice) - l >= 0 in ln phi. Its falls are "
    "bounded by a multiple of the step in phi, so it is the integral of its slope plus a part that increases: it does not fall"
)

register(
    Claim(
        id="figure-4.broadens",
        statement="For fixed b the area of the window in (eps, alpha) does not decrease with phi on (0, 1].",
        source="Figure 4 and its text",
        kind=Kind.ORDERING,
        domain=Domain(
            (
                Axis("phi", 1e-2, 1.0, "log"),
                Axis("b", 1e-3, 10.0, "log"),
                Axis("growth", 1.02, 2.0),
            ),
            lambda p, xp: Point(
                phi=p.phi, b=p.b, larger_phi=xp.minimum(p.phi * p.growth, xp.number(1))
            ),
            lambda p, xp: (p.larger_phi - p.phi,),
            "phi < phi' <= 1 with phi'/phi in [1.02, 2], phi in [0.01, 1], b in [1e-3, 10]",
        ),
        margin=lambda p, xp: _growth(p, xp)[0],
        exclusion=lambda p, xp: _growth(p, xp)[1],
        exclusion_words="the largest that the difference of the two areas can be, by an enclosure of each",
        proof=_BROADENS,
        proof_words=_BROADENS_WORDS,
        note=f"Both areas are enclosed in {_STRIPS} strips, on whose ends every edge of the "
        f"window takes its extremes; the margin is "
        "the middle of what their difference can be, and only a difference that is surely "
        "negative would refute. The proof speaks of "
        "the area itself, for every b > 0. The height at a fixed eps is not monotone, only the area.",
    )
)
