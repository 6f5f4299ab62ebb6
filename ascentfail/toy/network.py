r"""The paper's toy network: four inputs, two parameters, every printed ambiguity a field.

    z_i = a x_i + b x_i^2,   x = (-1, 1, 3, 4),   labels (-, +, -, +)
    L(a, b) = (1/divisor) sum_i w_i (h(z_i) - y_i)^2 + ridge (a^2 + b^2)

The derivatives are written out beside the loss, once, in the arithmetic of the caller: JAX, mpmath or balls.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple, Self

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from ascentfail.core.errors import invalid
from ascentfail.core.explained import explained, reals
from ascentfail.core.fields import (
    ByValue,
    Real,
    checked_number,
    is_axes,
    plain_array,
    register_pytree,
    require,
    static,
)
from ascentfail.core.models import Model, check_model
from ascentfail.numerics.arithmetic import JAX, Arithmetic, Scalar
from ascentfail.problems.batches import Set
from ascentfail.problems.protocol import Counted

INPUTS = (-1, 1, 3, 4)
SIGNS = (-1, 1, -1, 1)  # the labels
_COUNTS = "four real numbers >= 0"
_CHOICES = {
    "labels": ("signed", "binary"),
    "output": ("symmetric", "unit"),
    "reduction": ("sum", "mean", "half-sum"),
}


@register_pytree
@dataclass(frozen=True, eq=False)
class ToyLandscape(Counted, ByValue):
    r"""Squared error of h(a x + b x^2) on four weighted points, with ridge (a^2 + b^2) and no half.

        unit: h = 1/(1 + exp(-slope (1 + z))),   symmetric: 2 h - 1

    Args:
        labels: "signed", -1 and +1, or "binary", 0 and 1.
        output: "unit", (0, 1), or "symmetric", (-1, 1).
        slope: scalar > 0, of the sigmoid; printed 1/2.
        reduction: "sum" over samples, "mean" (over the sum of the counts) or "half-sum".
        ridge: scalar > 0, weight of a^2 + b^2.
        multiplicities: (4,) copies of each point, real numbers >= 0.
        forget: (4,) how many of them are forgotten, 0 <= forget <= multiplicities.
        ascent_ratio: scalar, step of the ascent over the step of the descent, >= 0.

    Two landscapes are equal where their readings and all their numbers are. One whose numbers are all None or 0, with a None, is
    not checked, and serves as `in_axes` of `jax.vmap`.

    Raises:
        ValueError: an argument is out of its range; the message names the argument, its value and the range.

    Paper: Sec. 5.2, Fig. 5.
    """

    labels: Literal["signed", "binary"] = static("signed")
    output: Literal["symmetric", "unit"] = static("unit")
    slope: Real = 0.5
    reduction: Literal["sum", "mean", "half-sum"] = static("sum")
    ridge: Real = 0.1
    multiplicities: Real = (5.0, 4.0, 1.0, 4.0)
    forget: Real = (0.0, 0.0, 0.0, 2.0)
    ascent_ratio: Real = 1.0

    ridges: ClassVar[int] = 2  # ridge (a^2 + b^2), without the half

    def __post_init__(self) -> None:
        """Checks the fields that are concrete numbers."""
        for name, choices in _CHOICES.items():
            choice = getattr(self, name)
            if not isinstance(choice, str) or choice not in choices:
                raise invalid(name, choice, " or ".join(repr(x) for x in choices))
        if is_axes(self):
            return
        for name, takes in {"slope": "> 0", "ridge": "> 0", "ascent_ratio": ">= 0"}.items():
            value = checked_number(name, getattr(self, name), f"a real number {takes}")
            low = plain_array(value)
            require(name, value, low > 0 if takes == "> 0" else low >= 0, f"a real number {takes}")
            if np.ndim(value) != 0:
                raise invalid(name, value, "one real number; a batch is the caller's vmap")
            object.__setattr__(self, name, value)
        for name in ("multiplicities", "forget"):
            object.__setattr__(self, name, _four(name, getattr(self, name)))
        total, forget = plain_array(self.multiplicities), plain_array(self.forget)
        require("multiplicities", self.multiplicities, total >= 0, _COUNTS)
        require(
            "forget",
            self.forget,
            (forget >= 0) & (forget <= total),
            f"{_COUNTS}, each at most its multiplicity",
        )
        if self.reduction == "mean":
            require(
                "forget",
                self.forget,
                (total - forget).sum() > 0,
                "fewer than all the samples when the losses are means",
            )

    @property
    def weight_shape(self) -> tuple[int, ...]:
        """Shape of the parameters, (2,)."""
        return (2,)

    def _means(self, w: Any) -> tuple[jax.Array, jax.Array]:
        return mean_losses(self, w)

    def _model(self, which: str) -> jax.Array:
        """The global minimum."""
        from ascentfail.toy import points as toy_points  # which searches with the formulas below

        return jnp.asarray(
            toy_points.stationary_points(
                self, "original" if which == "original" else "oracle"
            ).parameters[0]
        )

    def _sets(self) -> tuple[Set, Set]:
        sets = jnp.asarray(self.multiplicities - self.forget), jnp.asarray(self.forget)
        retain, forget = (Set(counts, jnp.sum(counts)) for counts in sets)
        return retain, forget

    def _with(self, retain: jax.Array, forget: jax.Array) -> Self:
        return dataclasses.replace(self, multiplicities=retain + forget, forget=forget)


def _four(name: str, value: Any) -> Any:
    """Four numbers as one array; tracers, also four of them in a tuple, pass."""
    if isinstance(value, tuple | list) and any(isinstance(v, Tracer) for v in value):
        value = jnp.stack([jnp.asarray(checked_number(name, v, _COUNTS), float) for v in value])
    else:
        value = checked_number(name, value, _COUNTS)
    if np.shape(value) != (4,):
        raise invalid(name, value, _COUNTS)
    return value


# --- formulas, in the arithmetic of the caller -----------------------------------------------------------------------------


@explained
def effective_weights(t: Any, which: Model) -> Any:
    r"""Weights w_i of the four squared errors, the reduction left out.

        original m,   oracle m - f,   descent_ascent (m - f) - ascent_ratio f

    Args:
        t: the landscape.
        which: "original", "oracle" or "descent_ascent".

    Returns:
        (4,) weights.

    Raises:
        ValueError: unknown model.

    Paper: Sec. 5.2.
    """
    check_model(which)
    m, f = t.multiplicities, t.forget
    if which == "original":
        return m
    return m - f if which == "oracle" else m - f - t.ascent_ratio * f


class Terms(NamedTuple):
    r"""A landscape and a model as plain numbers, so that one compiled program serves every reading.

        L(a, b) = (gain/divisor) sum_i weight_i (u_i - target_i)^2 + ridge (a^2 + b^2),   u_i = sigmoid(slope (1 + z_i))

    Attributes:
        weight: (4,) effective weights.
        target: (4,) labels in units of the sigmoid.
        gain: square of the range of the output, 1 or 4.
        divisor: of the reduction: 1, 2, or the sum of the counts.
        slope, ridge: of the landscape.
    """

    weight: Any
    target: Any
    gain: Any
    divisor: Any
    slope: Any
    ridge: Any


@explained
def terms(t: ToyLandscape, which: Model) -> Terms:
    """The plain numbers of a landscape.

    Args:
        t: the landscape.
        which: "original", "oracle" or "descent_ascent".

    Returns:
        Terms; leaves are NumPy or JAX, as the fields of the landscape are.

    Raises:
        ValueError: unknown model, or no landscape.

    Paper: Sec. 5.2.
    """
    if not isinstance(t, ToyLandscape):
        raise invalid("t", type(t).__name__, "a ToyLandscape")
    weight = effective_weights(t, which)
    span, lowest = (1, 0) if t.output == "unit" else (2, -1)  # h = span u + lowest
    labels = [sign if t.labels == "signed" else (sign + 1) / 2 for sign in SIGNS]
    counts = t.multiplicities if which == "original" else t.multiplicities - t.forget
    divisor = counts.sum() if t.reduction == "mean" else {"sum": 1.0, "half-sum": 2.0}[t.reduction]
    target = np.array([(y - lowest) / span for y in labels])
    return Terms(weight, target, float(span**2), divisor, t.slope, t.ridge)


@explained
def error(p: Terms, i: int, z: Scalar, *, xp: Arithmetic = JAX) -> tuple[Scalar, Scalar, Scalar]:
    r"""The squared error of one copy of point i over the divisor, and its first two derivatives in z.

        u = sigmoid(slope (1 + z)),   v = target,   q = u (1 - u)
        gain (u - v)^2,   2 gain slope (u - v) q,   2 gain slope^2 q (q + (u - v)(1 - 2 u))

    Args:
        p: plain numbers of the landscape.
        i: the point, 0 to 3.
        z: its a x + b x^2.
        xp: arithmetic.

    Returns:
        (value, first, second).

    Raises:
        ValueError: another point.

    Paper: Sec. 5.2.
    """
    if i not in range(len(INPUTS)):
        raise invalid("i", i, "a point, 0 to 3")
    slope, gain = xp.number(p.slope), xp.number(p.gain) / xp.number(p.divisor)
    u = xp.sigmoid(slope * (1 + z))
    miss, q = u - xp.number(p.target[i]), u * (1 - u)
    return (
        gain * miss * miss,
        2 * gain * slope * miss * q,
        2 * gain * slope * slope * q * (q + miss * (1 - 2 * u)),
    )


@explained
def expansion(
    p: Terms, theta: Any, *, xp: Arithmetic = JAX
) -> tuple[Scalar, tuple[Scalar, ...], tuple[Scalar, ...]]:
    """Loss, gradient (g_a, g_b) and Hessian (h_aa, h_ab, h_bb) at theta = (a, b), in any arithmetic.

    Args:
        p: plain numbers of the landscape.
        theta: the two parameters.
        xp: arithmetic.

    Returns:
        (loss, gradient, Hessian).

    Paper: Sec. 5.2.
    """
    a, b, ridge = theta[0], theta[1], xp.number(p.ridge)
    value, gradient, hessian = (
        ridge * (a * a + b * b),
        [2 * ridge * a, 2 * ridge * b],
        [2 * ridge, 0 * ridge, 2 * ridge],
    )
    for i, x in enumerate(INPUTS):
        w = xp.number(p.weight[i])
        own, first, second = error(p, i, a * x + b * x**2, xp=xp)
        value = value + w * own
        gradient = [g + w * first * x ** (k + 1) for k, g in enumerate(gradient)]
        hessian = [h + w * second * x ** (k + 2) for k, h in enumerate(hessian)]
    return value, tuple(gradient), tuple(hessian)


@explained
def loss(t: ToyLandscape, theta: Any, which: Model) -> jax.Array:
    """Loss of one of the three models at the parameters (a, b).

        L = (1/divisor) sum_i w_i (h(a x_i + b x_i^2) - y_i)^2 + ridge (a^2 + b^2)

    Args:
        t: the landscape.
        theta: (2,) any parameters (a, b).
        which: "original", "oracle" or "descent_ascent".

    Returns:
        The scalar loss.

    Raises:
        ValueError: unknown model, or parameters of another shape.

    Paper: Sec. 5.2, Fig. 5.
    """
    return expansion(terms(t, which), two(theta))[0]


@explained
def mean_losses(t: ToyLandscape, theta: Any) -> tuple[jax.Array, jax.Array]:
    """The terms that descent-ascent descends and ascends, without the ridge: their difference is the loss of "descent_ascent".

    Args:
        t: the landscape.
        theta: (2,) any parameters (a, b).

    Returns:
        (retain, forget), both under the reduction; forget carries `ascent_ratio`.

    Raises:
        ValueError: parameters of another shape.

    Paper: Sec. 5.2.
    """
    retain = loss(t, theta, "oracle")
    return retain - t.ridge * jnp.sum(two(theta) ** 2), retain - loss(t, theta, "descent_ascent")


@explained
def gradient(t: ToyLandscape, theta: Any, which: Model) -> jax.Array:
    """Gradient of `loss`, g = (dL/da, dL/db).

    Args:
        t: the landscape.
        theta: (2,) any parameters (a, b).
        which: "original", "oracle" or "descent_ascent".

    Returns:
        (2,) gradient.

    Raises:
        ValueError: unknown model, or parameters of another shape.

    Paper: Sec. 5.2.
    """
    return jnp.stack(expansion(terms(t, which), two(theta))[1])


@explained
def hessian(t: ToyLandscape, theta: Any, which: Model) -> jax.Array:
    """Hessian of `loss`, H = ((L_aa, L_ab), (L_ab, L_bb)).

    Args:
        t: the landscape.
        theta: (2,) any parameters (a, b).
        which: "original", "oracle" or "descent_ascent".

    Returns:
        (2, 2) Hessian.

    Raises:
        ValueError: unknown model, or parameters of another shape.

    Paper: Sec. 5.2.
    """
    aa, ab, bb = expansion(terms(t, which), two(theta))[2]
    return jnp.stack([jnp.stack([aa, ab]), jnp.stack([ab, bb])])


def two(theta: Any) -> jax.Array:
    """The parameters (a, b) as an array of two; ValueError of anything else."""
    theta = reals("theta", theta, "two parameters (a, b)")
    if theta.shape != (2,):
        raise invalid("theta", theta, "two parameters (a, b)")
    return jnp.asarray(theta)


@explained
def leanings(theta: Any) -> Any:
    """(..., 4) of z_i + 1 times the sign of the label: > 0 where point i is classified correctly.

    Args:
        theta: (..., 2) parameters, NumPy or JAX.

    Returns:
        (..., 4).

    Paper: Sec. 5.2.
    """
    x, sign = np.array(INPUTS, float), np.array(SIGNS, float)
    a, b = theta[..., 0, None], theta[..., 1, None]
    lift = (1,) * (np.ndim(a) - 1) + (4,)
    return (1 + a * x.reshape(lift) + b * (x**2).reshape(lift)) * sign.reshape(lift)


@explained
def correct(theta: Any) -> Any:
    """Which points are classified correctly; a point counts as + when z = a x + b x^2 > -1.

    Args:
        theta: (..., 2) any parameters (a, b), NumPy or JAX.

    Returns:
        (..., 4) booleans of NumPy.

    Raises:
        ValueError: another shape.

    Paper: Sec. 5.2.
    """
    theta = reals("theta", theta, "parameters (a, b) along the last axis")
    if theta.shape[-1:] != (2,):
        raise invalid("theta", theta, "parameters (a, b) along the last axis")
    lean, positive = leanings(theta), np.array(SIGNS) > 0
    return np.where(positive, np.asarray(lean) > 0, np.asarray(lean) >= 0)


def reach(p: Terms) -> tuple[float, float]:
    r"""Half-widths (A, B) of a box that contains every stationary point.

    Where the gradient vanishes, 2 ridge |a| <= sum_i |w_i| max_z |d error_i/dz| |x_i|, and the same with x_i^2 for b, with
    |d error/dz| = 2 (gain/divisor) slope |u - v| u (1 - u) <= (gain/divisor) slope max(|v|, |1 - v|)/2.

    Args:
        p: plain concrete numbers of the landscape.

    Returns:
        (A, B), rounded up.
    """
    target = np.asarray(p.target)
    steepest = (
        float(p.gain)
        / float(p.divisor)
        * float(p.slope)
        * np.maximum(abs(target), abs(1 - target))
        / 2
    )
    pull = abs(np.asarray(p.weight, float)) * steepest / (2 * float(p.ridge))
    far = [float(pull @ abs(np.array(INPUTS, float)) ** k) for k in (1, 2)]
    return 1.000001 * far[0] + 1e-6, 1.000001 * far[1] + 1e-6
