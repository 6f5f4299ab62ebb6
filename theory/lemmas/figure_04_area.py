r"""Figure 4: does the window broaden with phi? At a fixed eps its height may fall; its area does not.

In the ratio R = alpha/(q phi), with X = W(beta), Y = W(beta_D) and Z = (X - Y)/q, the window of Lemmas 9 and 10 is

    R q^2 >= phi/(1+2phi),    R >= (1+phi)/(1+2phi),    R <= Z e^Z/(q phi beta_D),    R <= ((1+phi) e^{-(1-q) X} - 1)/phi,

and of the four edges only the first moves inwards as phi grows.
"""

from __future__ import annotations

import functools
import operator

from ascentfail import plane_bounds, plane_equations
from ascentfail.arithmetic import Arithmetic, Scalar
from ascentfail.theory import steps
from ascentfail.theory.claim import Axis, Claim, Domain, Kind, Point
from ascentfail.theory.lemmas.lemma_09_10_window import window
from ascentfail.theory.registry import register

_NODES = 200


def area(p: Point, xp: Arithmetic) -> Scalar:
    """Area of the printed window in (eps, alpha), by the midpoint rule in 1 - (1-u)^2 = eps, which resolves eps near 1."""
    def strip(i: Scalar) -> Scalar:
        rest = 1 - (2 * i + 1) / xp.number(2 * _NODES)
        at = p.replace(epsilon=1 - rest * rest, alpha=xp.number(1))
        return 2 * rest * xp.maximum(window(at, xp), xp.number(0)) / _NODES

    if xp.name == "jax":
        import jax
        import jax.numpy as jnp

        return jnp.sum(jax.vmap(strip)(jnp.arange(_NODES)))
    return functools.reduce(operator.add, (strip(xp.number(i)) for i in range(_NODES)))


_UNIT = {"phi": (0.0, 1.0)}


def _lower_edges(p: Point, xp: Arithmetic) -> Scalar:
    """Both lower bounds of Lemma 9 over q phi, minus what is said of them, squared."""
    q = plane_equations.cosine(p)
    first, second = (alpha / (q * p.phi) for alpha in plane_bounds.lower_alphas(p))
    return (first - p.phi / ((1 + 2 * p.phi) * q * q)) ** 2 + (second - (1 + 1 / (1 + 2 * p.phi)) / 2) ** 2


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
    return 2 * xp.exp(-(start + length * far / (1 + far)) / (1 + p.phi)) - 1 - ratio * (1 - end * end)


_BROADENS = (
    steps.identity(
        "edges-in-ratio", "the lower bounds of Lemma 9 over q phi are phi/((1+2phi) q^2) and 1/2 + 1/(2 (1+2phi))",
        {"epsilon": (1e-3, 1.0), "phi": (1e-3, 1.0)}, _lower_edges,
    ),
    steps.identity(
        "second-ceiling", "((1+phi) E - 1)/phi = E - (1 - E)/phi, at most 1 and rising with phi and with E = e^{-(1-q) X} <= 1",
        {"phi": (1e-3, 1.0), "e": (0.0, 1.0)}, lambda p, xp: ((1 + p.phi) * p.e - 1) / p.phi - p.e + (1 - p.e) / p.phi,
    ),
    steps.identity(
        "towards-duplicates", "q' - (1-q) beta'/beta = 2 (1-eps)/(1+eps^2), where q' = 2 (1-eps^2)/(1+eps^2)^2 and beta'/beta = "
        "2 eps/(1+eps^2), so (1-q) X falls with eps: X' = X/(1+X) beta'/beta",
        {"epsilon": (1e-3, 1.0)},
        lambda p, xp: 2 * (1 - p.epsilon**2) / (1 + p.epsilon**2) ** 2
        - (1 - plane_equations.cosine(p)) * 2 * p.epsilon / (1 + p.epsilon**2) - 2 * (1 - p.epsilon) / (1 + p.epsilon**2),
    ),
    steps.identity(
        "first-ceiling", "X e^X = (1+phi) Y e^Y with z = X - Y, r = z/Y: 1 + phi = (1+r) e^z, (1/z + 1) Y/(1+Y) = (1+z)/(r+z), "
        "and phi - (r+z) = (1+r)(e^z - 1 - z) + r z >= 0; d ln(Z e^Z/beta_D)/d ln phi = [(1/z + 1/q) Y/(1+Y) + 1] phi/(1+phi)",
        {"z": (1e-3, 1.0), "r": (1e-3, 1.0)},
        lambda p, xp: ((1 / p.z + 1) * (p.z / p.r) / (1 + p.z / p.r) - (1 + p.z) / (p.r + p.z)) ** 2
        + ((1 + p.r) * xp.exp(p.z) - 1 - p.r - p.z - (1 + p.r) * (xp.exp(p.z) - 1 - p.z) - p.r * p.z) ** 2,
    ),
    steps.EXPONENTIAL_ABOVE,
    steps.EXPONENTIAL_BELOW,
    steps.W_INCREASES,
    steps.identity(
        "rate-of-loss", "with t = sqrt(1-q^2) = (1-eps^2)/(1+eps^2): 1 + eps^2 = 2/(1+t), and q_1 ~ sqrt(phi/(1+2phi)) moves mu "
        "by l = (eps^2/(1-eps^2))/(1+2phi) = (1-t)/(2t (1+2phi)) for each unit of ln phi",
        {"epsilon": (1e-3, 0.99)},
        lambda p, xp: ((1 + p.epsilon**2) * (1 + (1 - p.epsilon**2) / (1 + p.epsilon**2)) - 2) ** 2
        + ((1 - plane_equations.cosine(p) ** 2) - ((1 - p.epsilon**2) / (1 + p.epsilon**2)) ** 2) ** 2
        + (p.epsilon**2 / (1 - p.epsilon**2) - (2 * p.epsilon**2 / (1 + p.epsilon**2))
           / (2 * (1 - p.epsilon**2) / (1 + p.epsilon**2))) ** 2,
    ),
    steps.identity(
        "first-ceiling-below", "r e^{z-Y} = (1+phi-e^z) e^{z-X}, a lower bound on q^2 Z e^Z/(q beta_D) = r e^{z/q-Y}",
        {"z": (0.0, 1.0), "r": (1e-3, 1.0), "x": (0.0, 30.0)},
        lambda p, xp: p.r * xp.exp(p.z - (p.x - p.z)) - ((1 + p.r) * xp.exp(p.z) - xp.exp(p.z)) * xp.exp(p.z - p.x),
    ),
    steps.inequality(
        "ceiling-falls", "e^z (1+phi-e^z) falls for z >= 0 and phi <= 1: 2 e^z - (1+phi) >= 0", {"z": (0.0, 1.0)} | _UNIT,
        lambda p, xp: 2 * xp.exp(p.z) - (1 + p.phi),
    ),
    steps.inequality(
        "convex-in-phi", "the exponential is convex, so e^{t phi} <= 1 + phi (e^t - 1): its second derivative is positive",
        {"t": (0.0, 1.0)}, lambda p, xp: xp.exp(p.t),
    ),
    steps.inequality(
        "worst-stretch", "2 e^{-X/(1+phi)} - 1 >= R q^2 at the end of the stretch, for the largest X, and it ends at eps <= 1",
        _UNIT | {"s": (1.0, 2.0)}, _worst_stretch, lambda p, xp: _stretch(p, xp)[2],
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

register(Claim(
    id="figure-4.broadens",
    statement="For fixed b the area of the window in (eps, alpha) does not decrease with phi on (0, 1].",
    source="Figure 4 and its text",
    kind=Kind.ORDERING,
    domain=Domain(
        (Axis("phi", 1e-2, 1.0, "log"), Axis("b", 1e-3, 10.0, "log"), Axis("growth", 1.02, 2.0)),
        lambda p, xp: Point(phi=p.phi, b=p.b, larger_phi=xp.minimum(p.phi * p.growth, xp.number(1))),
        lambda p, xp: (p.larger_phi - p.phi,),
        "phi < phi' <= 1 with phi'/phi in [1.02, 2], phi in [0.01, 1], b in [1e-3, 10]",
    ),
    margin=lambda p, xp: area(p.replace(phi=p.larger_phi), xp) - area(p, xp),
    proof=_BROADENS,
    proof_words=_BROADENS_WORDS,
    note=f"The margin takes the area by a {_NODES}-node midpoint rule; the proof speaks of the area itself, for every b > 0. The "
    "height at a fixed eps is not monotone, only the area.",
))
