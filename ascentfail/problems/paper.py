r"""The paper's problems as frozen pytrees.

Both problems are ridge regression with labels folded into the inputs; the ridge term is ridge/2 |w|^2. A problem is checked
when a user constructs it from concrete numbers, and never again: JAX rebuilds pytrees with tracers, `None` or axis numbers as
leaves, so unflattening bypasses the checks. A problem of nothing but `None` and 0 is none, but the `in_axes`
of a `jax.vmap`.
"""

from __future__ import annotations

import dataclasses
import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import jax
import jax.numpy as jnp
import numpy as np

from ascentfail.core.errors import invalid
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
from ascentfail.core.models import Model
from ascentfail.line import closed_form
from ascentfail.numerics.arithmetic import JAX
from ascentfail.numerics.sample_losses import EXPONENTIAL, Loss, LossName, named
from ascentfail.plane import equations as plane_equations
from ascentfail.plane import stationary_points as stationary
from ascentfail.problems.batches import Set
from ascentfail.problems.protocol import Counted


def _check_counts(p: Any) -> None:
    """The checks that both linear problems share."""
    retain, forget = p._names
    object.__setattr__(p, "loss", named(p.loss))
    if is_axes(p):
        return
    takes = {
        retain: f"a real number of samples, 0 <= {retain} <= retain_total",
        forget: f"a real number of samples, 0 <= {forget} <= forget_total",
        "retain_total": "a real number of samples > 0",
        "forget_total": "a real number of samples > 0",
        "ridge": "a real number > 0",
    }
    for name, text in takes.items():
        object.__setattr__(p, name, checked_number(name, getattr(p, name), text))
    for name in ("retain_total", "forget_total", "ridge"):
        value = getattr(p, name)
        require(name, value, plain_array(value) > 0, takes[name])
    for name, total_name in ((retain, "retain_total"), (forget, "forget_total")):
        value, total = getattr(p, name), getattr(p, total_name)
        shape_of(p)
        require(
            name, value, plain_array(value) >= 0, takes[name]
        )  # by itself: the total may be traced
        require(
            name,
            value,
            plain_array(value) <= plain_array(total),
            f"{takes[name]}; here {total_name} = {total}",
        )


def shape_of(p: Any) -> tuple[int, ...]:
    """The common shape of a problem's fields.

    Args:
        p: `SemiOrthogonal`, `CrossCorrelated` or any dataclass of numbers and arrays.

    Returns:
        The shape that they broadcast to, () for scalars.

    Raises:
        ValueError: the shapes do not broadcast together.
    """
    fields = {
        f.name: np.shape(getattr(p, f.name))
        for f in dataclasses.fields(p)
        if not f.metadata.get("static")
    }
    try:
        return np.broadcast_shapes(*fields.values())
    except ValueError as error:
        raise invalid("fields", fields, "shapes that broadcast together") from error


class _Linear(Counted, ByValue):
    """What both linear problems share: the ratios in which the theory speaks, their means, and their batches.

    `on_axes` is whether the groups do not interact, `_names` are the fields of the counts.
    """

    on_axes: ClassVar[bool]
    _names: ClassVar[tuple[str, str]]

    retain_total: Real
    forget_total: Real
    ridge: Real
    loss: Loss | LossName

    @property
    def _counts(self) -> tuple[Any, Any]:
        retain, forget = (getattr(self, name) for name in self._names)
        return retain, forget

    @property
    def _loss(self) -> Loss:
        return named(self.loss)

    if TYPE_CHECKING:  # each has its own

        def margins(self, w: Any) -> tuple[Any, Any]: ...

        def stationary_point(self, which: Model) -> stationary.StationaryPoint: ...

    def means_at(self, x: Any, y: Any) -> tuple[jax.Array, jax.Array]:
        """Mean losses (1/|R|) sum_R loss, (1/|F|) sum_F loss; never raises.

        Args:
            x: finite margins of the retain samples, of the shape of the counts.
            y: the same of the forget samples, an array of any finite numbers.

        Returns:
            Two scalars >= 0.

        Paper: Sec. 5.1.
        """
        retain, forget = self._counts
        at_zero = self._loss.value(
            jnp.zeros((), jnp.result_type(x)), JAX
        )  # of the weights' type, not float64 where they are not
        mean_retain = (
            jnp.sum(retain / self.retain_total * (self._loss.value(x, JAX) - at_zero)) + at_zero
        )
        mean_forget = (
            jnp.sum(forget / self.forget_total * (self._loss.value(y, JAX) - at_zero)) + at_zero
        )
        return mean_retain, mean_forget

    def _means(self, w: Any) -> tuple[jax.Array, jax.Array]:
        return self.means_at(*self.margins(w))

    def _admits(self, w: Any) -> Any:
        if self._loss.bounded:
            return True
        margins = self.margins(w)  # only exponential losses overflow, at one margin
        # a thousandth inside, so that no rounding of the exponential decides
        least = 1e-3 - float(np.log(float(jnp.finfo(margins[0].dtype).max)))
        return jnp.all(jnp.minimum(*margins) >= least)

    def _model(self, which: str) -> jax.Array:
        return _solved(self, which)

    @property
    def _group_shape(self) -> tuple[int, ...]:
        """Shape of the counts of a set."""
        return self.weight_shape

    def _sets(self) -> tuple[Set, Set]:
        groups = (
            jnp.atleast_1d(jnp.broadcast_to(counts, self._group_shape)) for counts in self._counts
        )
        retain, forget = map(Set, groups, (self.retain_total, self.forget_total))
        return retain, forget

    def _with(self, retain: jax.Array, forget: jax.Array) -> Self:
        counts = (counts.reshape(self._group_shape) for counts in (retain, forget))
        return dataclasses.replace(self, **dict(zip(self._names, counts, strict=True)))  # pyright: ignore[reportArgumentType]

    @property
    def alpha(self) -> jax.Array:
        """Ratio alpha = |F_j| / |R_j|, forget over retain samples in the group; inf where the group has no retain sample."""
        retain, forget = self._counts
        return jnp.divide(forget, retain)

    @property
    def phi(self) -> jax.Array:
        """Ratio phi = |F| / |R|."""
        return jnp.divide(self.forget_total, self.retain_total)

    @property
    def b(self) -> jax.Array:
        """Strength b = |R_j| / (ridge |R|), the pull of the group's retain samples in units of the ridge."""
        return jnp.divide(self._counts[0], jnp.multiply(self.ridge, self.retain_total))

    @property
    def forget_b(self) -> jax.Array:
        """Strength alpha b = |F_j| / (ridge |R|), finite also where the group has no retain sample."""
        return jnp.divide(self._counts[1], jnp.multiply(self.ridge, self.retain_total))


def _counts_from_ratios(
    alpha: Any, phi: Any, b: Any, retain_total: Any, ridge: Any
) -> tuple[Any, Any, Any, Any]:
    """Counts (retain in group, forget in group, forget total, ridge) that have the given ratios.

    Without a ridge, the group holds as many of the retain samples as alpha <= phi |R|/|R_j| allows, and the ridge follows.
    """
    positive = {"phi": phi, "retain_total": retain_total} | (
        {} if ridge is None else {"ridge": ridge}
    )
    for name, value in {"alpha": alpha, "b": b, **positive}.items():
        takes = "a real number > 0" if name in positive else "a real number >= 0"
        value = plain_array(checked_number(name, value, takes))
        require(name, value, value > 0 if name in positive else value >= 0, takes)
    if ridge is None:
        require("b", b, plain_array(b) > 0, "a real number > 0 when ridge is not given")
    alpha, phi, b = (jnp.asarray(value, float) for value in (alpha, phi, b))
    if ridge is None:
        # both branches of a where are differentiated: no division by alpha = 0
        share = jnp.where(alpha > phi, phi / jnp.where(alpha > phi, alpha, 1.0), 1.0)
        ridge = share / b
    else:
        share = b * jnp.asarray(ridge)
        require(
            "ridge",
            ridge,
            plain_array(share) <= 1,
            f"0 < ridge <= 1/b, since b = |R_j|/(ridge |R|); here b = {b}",
        )
    retain = share * retain_total
    forget_total = phi * retain_total
    forget = alpha * retain
    require(
        "alpha",
        alpha,
        plain_array(forget <= forget_total * (1 + 1e-6)),
        "alpha <= phi |R|/|R_j| = phi/(b ridge)",
    )
    return retain, jnp.where(forget <= forget_total, forget, forget_total), forget_total, ridge


@register_pytree
@dataclass(frozen=True, eq=False)
class SemiOrthogonal(_Linear):
    r"""Ridge regression whose sample groups are orthogonal: one coordinate, or several that do not interact.

        L_S(w) = (1/|S|) sum_{i in S} loss(<w, y_i x_i>) + ridge/2 |w|^2,   each y_i x_i a unit vector e_j

    Args:
        retain_on_axis: number of retain samples on the coordinate, >= 0, scalar or (axes,).
        forget_on_axis: number of forget samples on the coordinate, >= 0, scalar or (axes,).
        retain_total: number of retain samples |R| > 0; at least retain_on_axis.
        forget_total: number of forget samples |F| > 0; at least forget_on_axis.
        ridge: weight of the ridge term, > 0, scalar.
        loss: "exponential", e^{-m}, or "logistic", ln(1 + e^{-m}).

    Two problems are equal where their loss and all their numbers are; `SemiOrthogonal(0, None, None, None, None)` is not checked,
    and serves as `in_axes` of `jax.vmap`.

    Raises:
        ValueError: an argument is out of its range; the message names the argument, its value and the range.

    Paper: Sec. 5.1.1, Assumptions 1 and 2, App. D-H.
    """

    retain_on_axis: Real
    forget_on_axis: Real
    retain_total: Real
    forget_total: Real
    ridge: Real
    loss: Loss | LossName = static(EXPONENTIAL)

    on_axes: ClassVar[bool] = True
    _names: ClassVar[tuple[str, str]] = ("retain_on_axis", "forget_on_axis")

    def __post_init__(self) -> None:
        """Checks the fields that are concrete numbers."""
        _check_counts(self)

    @property
    def axes(self) -> tuple[int, ...]:
        """Shape of the weight vector, () or (axes,)."""
        return np.broadcast_shapes(*(np.shape(counts) for counts in self._counts))

    @property
    def weight_shape(self) -> tuple[int, ...]:
        """Shape of the weights, () or (axes,)."""
        return self.axes

    def margins(self, w: Any) -> tuple[Any, Any]:
        """Margins <w, y x> of the retain and of the forget samples, x = y = w; never raises.

        Args:
            w: any weights, scalar or (axes,).

        Returns:
            (x, y) = (w, w).

        Paper: Sec. 5.1.1.
        """
        return w, w

    def sample_rows(self) -> tuple[tuple[str, np.ndarray], tuple[str, np.ndarray]]:
        """For either set the name of its counts, and a row y x for each of them."""
        rows = np.eye(self.axes[0] if self.axes else 1)
        return (self._names[0], rows), (self._names[1], rows)

    def stationary_point(self, which: Model) -> stationary.StationaryPoint:
        """As `ascentfail.stationary_point` of this problem.

        Args:
            which: "original", "oracle" or "descent_ascent".

        Returns:
            StationaryPoint.

        Raises:
            ValueError: unknown model.

        Paper: Sec. 5.1.1, App. D.
        """
        return stationary.on_axes(jnp.asarray(closed_form.coefficient(self, which)), self._loss)

    @classmethod
    def from_ratios(
        cls,
        *,
        alpha: Real,
        phi: Real,
        b: Real,
        retain_total: Real = 1.0,
        ridge: Real | None = None,
        loss: Loss | LossName = EXPONENTIAL,
    ) -> Self:
        """Constructs a problem with given ratios.

            alpha = |F_j|/|R_j|,   phi = |F|/|R|,   b = |R_j|/(ridge |R|)

        Args:
            alpha: >= 0, scalar or (axes,).
            phi: > 0, scalar.
            b: > 0 (>= 0 when a ridge is given), scalar or (axes,).
            retain_total: |R| > 0, scalar.
            ridge: scalar > 0; left out, the group takes the largest possible share of the retain set and the ridge follows.
            loss: "exponential" or "logistic".

        Returns:
            The problem, with real (not necessarily whole) counts.

        Raises:
            ValueError: a ratio is out of range, or no counts have these ratios with this ridge.

        Paper: Sec. 5.1.1.
        """
        retain, forget, forget_total, ridge = _counts_from_ratios(
            alpha, phi, b, retain_total, ridge
        )
        return cls(retain, forget, retain_total, forget_total, ridge, named(loss))


@register_pytree
@dataclass(frozen=True, eq=False)
class CrossCorrelated(_Linear):
    r"""Ridge regression with two correlated directions: retain samples (1, eps), forget samples (eps, 1), labels folded in.

        L_S(w) = (1/|S|) [ n_R loss(w_1 + eps w_2) + n_F loss(eps w_1 + w_2) ] + ridge/2 |w|^2

    Args:
        epsilon: scalar in [0, 1], correlation strength: 0 orthogonal samples, 1 identical ones.
        retain_in_plane: number of retain samples in the plane, >= 0, scalar.
        forget_in_plane: number of forget samples in the plane, >= 0, scalar.
        retain_total: number of retain samples |R| > 0; at least retain_in_plane.
        forget_total: number of forget samples |F| > 0; at least forget_in_plane.
        ridge: weight of the ridge term, > 0, scalar.
        loss: "exponential", e^{-m}, or "logistic", ln(1 + e^{-m}).

    Two problems are equal where their loss and all their numbers are; `CrossCorrelated(0, None, None, None, None, None)` is not
    checked, and serves as `in_axes` of `jax.vmap`.

    Raises:
        ValueError: an argument is out of its range; the message names the argument, its value and the range.

    Paper: Sec. 5.1.2, App. I and J.
    """

    epsilon: Real
    retain_in_plane: Real
    forget_in_plane: Real
    retain_total: Real
    forget_total: Real
    ridge: Real
    loss: Loss | LossName = static(EXPONENTIAL)

    on_axes: ClassVar[bool] = False
    _names: ClassVar[tuple[str, str]] = ("retain_in_plane", "forget_in_plane")
    _group_shape: ClassVar[tuple[int, ...]] = ()  # pyright: ignore[reportIncompatibleMethodOverride]

    def __post_init__(self) -> None:
        """Checks the fields that are concrete numbers."""
        if not is_axes(self):
            self._check_epsilon()
        _check_counts(self)

    def _check_epsilon(self) -> None:
        takes = "a real number, 0 <= epsilon <= 1"
        object.__setattr__(self, "epsilon", checked_number("epsilon", self.epsilon, takes))
        epsilon = plain_array(self.epsilon)
        require("epsilon", self.epsilon, (epsilon >= 0) & (epsilon <= 1), takes)

    @property
    def weight_shape(self) -> tuple[int, ...]:
        """Shape of the weights, (2,)."""
        return (2,)

    def margins(self, w: Any) -> tuple[Any, Any]:
        """Margins x = w_1 + eps w_2 of a retain and y = eps w_1 + w_2 of a forget sample; never raises.

        Args:
            w: any two weights, (2,) or a pair.

        Returns:
            (x, y), scalars.

        Paper: Sec. 5.1.2.
        """
        return w[0] + self.epsilon * w[1], self.epsilon * w[0] + w[1]

    def sample_rows(self) -> tuple[tuple[str, np.ndarray], tuple[str, np.ndarray]]:
        """For either set the name of its counts, and a row y x for each of them."""
        epsilon = float(self.epsilon)
        return (self._names[0], np.array([[1.0, epsilon]])), (
            self._names[1],
            np.array([[epsilon, 1.0]]),
        )

    def stationary_point(self, which: Model) -> stationary.StationaryPoint:
        """As `ascentfail.stationary_point` of this problem.

        Args:
            which: "original", "oracle" or "descent_ascent".

        Returns:
            StationaryPoint.

        Raises:
            ValueError: unknown model.

        Paper: Sec. 5.1.2, App. I.
        """
        q, rest = plane_equations.cosine(self), plane_equations.one_minus_cosine(self)
        return stationary.in_plane(
            self.epsilon, q, rest, *plane_equations.pulls(self, which), which, self._loss
        )

    def _split(self, weights: Any) -> Any:
        return weights[0], weights[1]

    def _join(self, w: Any) -> Any:
        return jnp.stack(w, axis=-1)

    @classmethod
    def from_ratios(
        cls,
        *,
        epsilon: Real,
        alpha: Real,
        phi: Real,
        b: Real,
        retain_total: Real = 1.0,
        ridge: Real | None = None,
        loss: Loss | LossName = EXPONENTIAL,
    ) -> Self:
        """Constructs a problem with given ratios; arguments, errors and source as `SemiOrthogonal.from_ratios`.

            alpha = |F_ij|/|R_ij|,   phi = |F|/|R|,   b = |R_ij|/(ridge |R|)

        Args:
            epsilon: correlation strength, 0 to 1, scalar.
            alpha: >= 0, scalar.
            phi: > 0, scalar.
            b: > 0 (>= 0 when a ridge is given), scalar.
            retain_total: |R| > 0, scalar.
            ridge: scalar > 0; left out, the plane takes the largest possible share of the retain set and the ridge follows.
            loss: "exponential" or "logistic".

        Returns:
            The problem, with real (not necessarily whole) counts.

        Raises:
            ValueError: a ratio is out of range, or no counts have these ratios with this ridge.

        Paper: Sec. 5.1.2.
        """
        retain, forget, forget_total, ridge = _counts_from_ratios(
            alpha, phi, b, retain_total, ridge
        )
        return cls(epsilon, retain, forget, retain_total, forget_total, ridge, named(loss))


@functools.partial(jax.jit, static_argnames="which")
def _solved(problem: _Linear, which: Any) -> jax.Array:
    return jnp.broadcast_to(problem.stationary_point(which).weights, problem.weight_shape)
