r"""The paper's problems as frozen pytrees.

Both problems are ridge regression with labels folded into the inputs; the ridge term is ridge/2 |w|^2. A problem is checked
when a user constructs it from concrete numbers, and never again: JAX rebuilds pytrees with tracers, `None` or axis numbers as
leaves, so unflattening bypasses the checks. A problem of nothing but `None` and 0 is none, but the `in_axes`
of a `jax.vmap`.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from ascentfail.core.errors import invalid
from ascentfail.core.explained import check_key
from ascentfail.core.fields import ByValue, is_axes
from ascentfail.problems.sample_losses import EXPONENTIAL, Loss, named

Real = Any  # a float, or an array of floats of any shape; a batch is the caller's vmap


_P = TypeVar("_P")


def _static(default: Any) -> Any:
    return field(default=default, metadata={"static": True})


def _fields(cls: Any) -> tuple[dataclasses.Field[Any], ...]:
    return dataclasses.fields(cls)


def _register(cls: type[_P]) -> type[_P]:
    """Registers a frozen dataclass as a pytree whose unflattening skips `__post_init__`."""
    leaves = tuple(f.name for f in _fields(cls) if not f.metadata.get("static"))
    static = tuple(f.name for f in _fields(cls) if f.metadata.get("static"))

    def flatten_with_keys(p: Any) -> tuple[list[tuple[Any, Any]], tuple[Any, ...]]:
        children = [(jax.tree_util.GetAttrKey(name), getattr(p, name)) for name in leaves]
        return children, tuple(getattr(p, name) for name in static)

    def unflatten(aux: tuple[Any, ...], children: Any) -> Any:
        p = object.__new__(cls)
        for name, value in zip((*leaves, *static), (*children, *aux), strict=True):
            object.__setattr__(p, name, value)
        return p

    jax.tree_util.register_pytree_with_keys(cls, flatten_with_keys, unflatten)
    return cls


def _number(name: str, value: Any, takes: str) -> Any:
    """The value as a float or a floating array; tracers pass untouched."""
    if isinstance(value, Tracer):
        if not jnp.issubdtype(value.dtype, jnp.floating) and not jnp.issubdtype(value.dtype, jnp.integer):
            raise invalid(name, value, takes)
        return value
    if value is None:
        raise invalid(name, value, f"{takes}; None only where every other field is None or 0, as `in_axes` of `jax.vmap`")
    if isinstance(value, bool | str | bytes):
        raise invalid(name, value, takes)
    try:
        array = np.asarray(value)
    except (TypeError, ValueError) as error:
        raise invalid(name, value, takes) from error
    if array.dtype.kind not in "iuf" and not jnp.issubdtype(array.dtype, jnp.floating):
        raise invalid(name, value, takes)
    if array.dtype.kind in "iu":
        value = float(array) if array.ndim == 0 else array.astype(float)
    elif isinstance(value, list | tuple):
        value = array  # a list would be one leaf for each number
    if not np.all(np.isfinite(np.asarray(value, dtype=float))):
        raise invalid(name, value, takes)
    return value


_check_key = check_key  # by its old name


def _require(name: str, value: Any, holds: Any, takes: str) -> None:
    """Raises unless the condition holds; a condition on traced values is not checked."""
    if not isinstance(holds, Tracer) and not np.all(np.asarray(holds)):
        raise invalid(name, value, takes)


def _check_counts(p: Any, retain: str, forget: str) -> None:
    """The checks that both linear problems share."""
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
        object.__setattr__(p, name, _number(name, getattr(p, name), text))
    for name in ("retain_total", "forget_total", "ridge"):
        value = getattr(p, name)
        _require(name, value, _array(value) > 0, takes[name])
    for name, total_name in ((retain, "retain_total"), (forget, "forget_total")):
        value, total = getattr(p, name), getattr(p, total_name)
        shape_of(p)
        _require(name, value, _array(value) >= 0, takes[name])  # by itself: the total may be traced
        _require(name, value, _array(value) <= _array(total), f"{takes[name]}; here {total_name} = {total}")


def _array(value: Any) -> Any:
    """The value as an array without touching the device when it is concrete."""
    return value if isinstance(value, Tracer) else np.asarray(value)


def shape_of(p: Any) -> tuple[int, ...]:
    """The common shape of a problem's fields.

    Args:
        p: `SemiOrthogonal`, `CrossCorrelated` or any dataclass of numbers and arrays.

    Returns:
        The shape that they broadcast to, () for scalars.

    Raises:
        ValueError: the shapes do not broadcast together.
    """
    fields = {f.name: np.shape(getattr(p, f.name)) for f in dataclasses.fields(p) if not f.metadata.get("static")}
    try:
        return np.broadcast_shapes(*fields.values())
    except ValueError as error:
        raise invalid("fields", fields, "shapes that broadcast together") from error


class _Linear(ByValue):
    """The ratios in which the theory speaks, from the counts of either linear problem."""

    retain_total: Real
    forget_total: Real
    ridge: Real
    loss: Loss

    @property
    def _counts(self) -> tuple[Any, Any]:
        raise NotImplementedError

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


def _counts_from_ratios(alpha: Any, phi: Any, b: Any, retain_total: Any, ridge: Any) -> tuple[Any, Any, Any, Any]:
    """Counts (retain in group, forget in group, forget total, ridge) that have the given ratios.

    Without a ridge, the group holds as many of the retain samples as alpha <= phi |R|/|R_j| allows, and the ridge follows.
    """
    positive = {"phi": phi, "retain_total": retain_total} | ({} if ridge is None else {"ridge": ridge})
    for name, value in {"alpha": alpha, "b": b, **positive}.items():
        takes = "a real number > 0" if name in positive else "a real number >= 0"
        value = _array(_number(name, value, takes))
        _require(name, value, value > 0 if name in positive else value >= 0, takes)
    if ridge is None:
        _require("b", b, _array(b) > 0, "a real number > 0 when ridge is not given")
    alpha, phi, b = (jnp.asarray(value, float) for value in (alpha, phi, b))
    if ridge is None:
        # both branches of a where are differentiated: no division by alpha = 0
        share = jnp.where(alpha > phi, phi / jnp.where(alpha > phi, alpha, 1.0), 1.0)
        ridge = share / b
    else:
        share = b * jnp.asarray(ridge)
        _require("ridge", ridge, _array(share) <= 1, f"0 < ridge <= 1/b, since b = |R_j|/(ridge |R|); here b = {b}")
    retain = share * retain_total
    forget_total = phi * retain_total
    forget = alpha * retain
    _require("alpha", alpha, _array(forget <= forget_total * (1 + 1e-6)), "alpha <= phi |R|/|R_j| = phi/(b ridge)")
    return retain, jnp.where(forget <= forget_total, forget, forget_total), forget_total, ridge


@_register
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
    loss: Loss = _static(EXPONENTIAL)

    def __post_init__(self) -> None:
        """Checks the fields that are concrete numbers."""
        _check_counts(self, "retain_on_axis", "forget_on_axis")

    @property
    def axes(self) -> tuple[int, ...]:
        """Shape of the weight vector, () or (axes,)."""
        return np.broadcast_shapes(np.shape(self.retain_on_axis), np.shape(self.forget_on_axis))

    @property
    def _counts(self) -> tuple[Any, Any]:
        return self.retain_on_axis, self.forget_on_axis

    @classmethod
    def from_ratios(
        cls, *, alpha: Real, phi: Real, b: Real, retain_total: Real = 1.0, ridge: Real | None = None,
        loss: Loss | str = EXPONENTIAL,
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
        retain, forget, forget_total, ridge = _counts_from_ratios(alpha, phi, b, retain_total, ridge)
        return cls(retain, forget, retain_total, forget_total, ridge, named(loss))


@_register
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
    loss: Loss = _static(EXPONENTIAL)

    def __post_init__(self) -> None:
        """Checks the fields that are concrete numbers."""
        if not is_axes(self):
            self._check_epsilon()
        _check_counts(self, "retain_in_plane", "forget_in_plane")

    def _check_epsilon(self) -> None:
        takes = "a real number, 0 <= epsilon <= 1"
        object.__setattr__(self, "epsilon", _number("epsilon", self.epsilon, takes))
        epsilon = _array(self.epsilon)
        _require("epsilon", self.epsilon, (epsilon >= 0) & (epsilon <= 1), takes)

    @property
    def _counts(self) -> tuple[Any, Any]:
        return self.retain_in_plane, self.forget_in_plane

    @classmethod
    def from_ratios(
        cls, *, epsilon: Real, alpha: Real, phi: Real, b: Real, retain_total: Real = 1.0, ridge: Real | None = None,
        loss: Loss | str = EXPONENTIAL,
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
        retain, forget, forget_total, ridge = _counts_from_ratios(alpha, phi, b, retain_total, ridge)
        return cls(epsilon, retain, forget, retain_total, forget_total, ridge, named(loss))
