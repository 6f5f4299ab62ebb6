"""Stationary points where no closed form exists: what kind they are, whether they exist, and with how many digits.

A point in the plane is a pair of pulls (s_1, s_2): by `plane.solver` in JAX, by `plane.digits` in mpmath, which shares no
iteration with the first.
"""

from __future__ import annotations

import enum
import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from ascentfail.core.errors import invalid
from ascentfail.core.explained import explained, no_number
from ascentfail.core.models import Model, check_model
from ascentfail.numerics.arithmetic import JAX, MPMATH, Arithmetic, Scalar
from ascentfail.numerics.sample_losses import EXPONENTIAL, Loss, LossName, named, required
from ascentfail.plane import digits as plane_digits
from ascentfail.plane import equations as plane_equations
from ascentfail.plane import fold as plane_fold
from ascentfail.plane import solver as plane_solver


class StationaryKind(enum.IntEnum):
    """What a stationary point is: MINIMUM, SADDLE or MAXIMUM; NONE where there is none.

    Result fields hold int32 of it.
    """

    NONE = 0
    MINIMUM = 1
    SADDLE = 2
    MAXIMUM = 3


class StationaryPoint(NamedTuple):
    """A stationary point of one of the three objectives.

    Attributes:
        weights: (2,) in the plane; scalar or (axes,) for SemiOrthogonal. NaN where kind is NONE.
        margins: (2,) margins (x, y) of a retain and of a forget sample; equal to the weights for SemiOrthogonal.
        kind: int32 of StationaryKind.
        residual: scalar >= 0, largest |component of the stationarity equation| over the ridge; NaN where kind is NONE.
        converged: scalar boolean, whether the residual is at the level of rounding.

    Paper: Sec. 5.1, App. D and I.
    """

    weights: jax.Array
    margins: jax.Array
    kind: jax.Array
    residual: jax.Array
    converged: jax.Array


# --- the plane in any arithmetic -------------------------------------------------------------------------------------------


@explained
def plane(
    p: Any, which: Model, *, loss: Loss | LossName = EXPONENTIAL, xp: Arithmetic = JAX
) -> tuple[Scalar, Scalar]:
    r"""The signed pulls (s_1, s_2) of a model in the plane, in JAX or mpmath, for either loss.

        s_1 = beta l(x),   |s_2| = gamma l(y),   (beta, gamma) = `plane.equations.pulls`

    Args:
        p: problem or ratios with b >= 0, forget_b >= 0, phi > 0, 0 <= epsilon <= 1; scalars.
        which: "original", "oracle" or "descent_ascent".
        loss: "exponential" or "logistic".
        xp: JAX, or mpmath at the working precision of the caller. The mpmath route brackets the root of
            `plane.equations.balance`, or climbs to it, and shares no iteration with the JAX route.

    Returns:
        (s_1, s_2); NaN where descent-ascent has no minimum. Margins: `plane.equations.margins`.

    Raises:
        ValueError: unknown model, another arithmetic, or a problem that has another loss.

    Ours: a reduction of App. I.
    """
    check_model(which)
    loss = required(p, loss)
    q, (beta, gamma) = plane_equations.cosine(p), plane_equations.pulls(p, which)
    if which == "oracle":
        return loss.weight(beta, xp), 0 * beta
    if xp.name == JAX.name:
        sign = -1 if which == "descent_ascent" else 1
        s1, size = plane_solver.solve_plane(
            q, plane_equations.one_minus_cosine(p), beta, gamma, sign, loss
        )
        return s1, sign * size
    return from_pulls(beta, gamma, q, -1 if which == "descent_ascent" else 1, loss=loss, xp=xp)


@explained
def from_pulls(
    beta: Scalar,
    gamma: Scalar,
    q: Scalar,
    sign: int,
    *,
    loss: Loss | LossName = EXPONENTIAL,
    xp: Arithmetic = JAX,
) -> tuple[Scalar, Scalar]:
    """The signed (s_1, s_2) with s_1 = beta l(x), s_2 = sign gamma l(y), in JAX or mpmath.

    Args:
        beta: strength of the retain samples, >= 0, scalar.
        gamma: strength of the forget samples, >= 0, scalar.
        q: cosine, 0 <= q <= 1, scalar.
        sign: +1 for the original, -1 for descent-ascent.
        loss: "exponential" or "logistic".
        xp: JAX or mpmath.

    Returns:
        (s_1, s_2), the minimum with the smallest |s_2|; NaN where descent-ascent has none.

    Raises:
        ValueError: another arithmetic.

    Ours: a reduction of App. I.
    """
    loss = named(loss)
    if xp.name == JAX.name:
        s1, size = plane_solver.solve_plane(q, 1 - q, beta, gamma, sign, loss)
        return s1, sign * size
    if xp.implicit is not None:
        return xp.implicit(beta, gamma, q, sign, loss)
    if xp.name != MPMATH.name:
        raise invalid("xp", xp.name, "the JAX or the mpmath arithmetic")
    return plane_digits.solve(beta, gamma, q, sign, loss)


@explained
def log_existence_alpha(p: Any, *, xp: Arithmetic = JAX) -> Scalar:
    """Logarithm of the alpha below which descent-ascent has a minimum, ln (phi/beta) + max_B h(B).

    Args:
        p: problem or ratios with b > 0, phi > 0, 0 <= epsilon <= 1; scalars.
        xp: JAX or mpmath.

    Returns:
        ln alpha; the minimum and a saddle exist strictly below it (for epsilon < 1).

    Raises:
        ValueError: another arithmetic.
    """
    q, beta = plane_equations.cosine(p), plane_equations.retain_strength(p, "descent_ascent")
    # alpha(B) along the curve A = W(beta e^{qB}) is flat at the fold, so B's rounding does not matter there
    return xp.log(plane_equations.alpha_of_descent_ascent(fold(beta, q, xp=xp)[1], p, xp=xp))


@explained
def fold(beta: Scalar, q: Scalar, *, xp: Arithmetic = JAX) -> tuple[Scalar, Scalar]:
    """The pulls (A, B) where minimum and saddle of descent-ascent meet, h'(B) = 0, in JAX or mpmath.

    Args:
        beta: strength of the retain samples, > 0, scalar.
        q: cosine, 0 <= q <= 1, scalar.
        xp: JAX or mpmath.

    Returns:
        (A, B), the root of `plane.equations.fold_equation`.

    Raises:
        ValueError: another arithmetic.
    """
    if xp is JAX:
        if no_number(q):
            raise invalid("q", q, "a cosine, 0 <= q <= 1")
        q = jnp.asarray(q)
        return plane_fold.fold_point(jnp.log(beta), q, 1 - q)
    if xp.implicit_fold is not None:
        return xp.implicit_fold(beta, q)
    if xp is not MPMATH:
        raise invalid("xp", xp.name, "the JAX or the mpmath arithmetic")
    return plane_digits.fold(beta, q)


# --- the public face -------------------------------------------------------------------------------------------------------


def _point(
    weights: Any, margins: Any, residual: Any, scale: Any, determinant: Any, trace: Any
) -> StationaryPoint:
    exists = jnp.all(jnp.isfinite(weights))
    nan = jnp.where(exists, jnp.zeros_like(weights), jnp.nan)
    converged = exists & (residual <= 256 * jnp.finfo(residual.dtype).eps * scale)
    kind = jnp.where(exists, _kind(determinant, trace), int(StationaryKind.NONE)).astype(jnp.int32)
    return StationaryPoint(weights + nan, margins + nan, kind, residual, converged)


def _kind(determinant: Any, trace: Any) -> Any:
    """Kind from the Hessian over the ridge; a determinant of zero within rounding is the fold, approached as a minimum."""
    zero = -jnp.sqrt(jnp.finfo(determinant.dtype).eps)
    curved = jnp.where(trace > 0, int(StationaryKind.MINIMUM), int(StationaryKind.MAXIMUM))
    return jnp.where(determinant < zero, int(StationaryKind.SADDLE), curved)


# Both compiled: called by themselves, or under a plain `jax.vmap`, they would be some sixty passes over the batch.


@functools.partial(jax.jit, static_argnames="loss")
def on_axes(c: Any, loss: Loss) -> StationaryPoint:
    """The point of w = c l(w) on every axis.

    Args:
        c: any coefficients, scalar or (axes,).
        loss: "exponential" or "logistic", a Loss.

    Returns:
        StationaryPoint. Never raises.

    Paper: App. D.
    """
    w = loss.weight(c, JAX)
    # rounding of the two terms, and of the exponent of the second
    scale = jnp.max((1 + jnp.abs(w)) ** 2)
    lowest = jnp.min(
        1 + w * loss.flatness_slope(w, JAX)
    )  # the Hessian is diagonal: its least entry decides
    return _point(w, w, jnp.max(jnp.abs(w - c * loss.force(w, JAX))), scale, lowest, lowest)


@functools.partial(jax.jit, static_argnames=("which", "loss"))
def in_plane(
    epsilon: Any, q: Any, rest: Any, beta: Any, gamma: Any, which: Model, loss: Loss
) -> StationaryPoint:
    """The point of a model in the plane, s_1 = beta l(x) and |s_2| = gamma l(y).

    Args:
        epsilon: correlation strength, 0 <= epsilon <= 1, scalar.
        q: cosine, 0 <= q <= 1, scalar.
        rest: 1 - q >= 0 with every digit, scalar.
        beta: strength of the retain samples, >= 0, scalar.
        gamma: strength of the forget samples, >= 0, scalar.
        which: "original", "oracle" or "descent_ascent".
        loss: "exponential" or "logistic", a Loss.

    Returns:
        StationaryPoint. Never raises.

    Paper: App. I.
    """
    sign = -1 if which == "descent_ascent" else 1
    if which == "oracle":
        s1, size = loss.weight(beta, JAX), 0 * beta
    else:
        s1, size = plane_solver.solve_plane(q, rest, beta, gamma, sign, loss)
    w1, w2 = plane_equations.weights(s1, sign * size, epsilon)
    x, y = w1 + epsilon * w2, epsilon * w1 + w2
    pull_x, pull_y = beta * loss.force(x, JAX), gamma * loss.force(y, JAX)
    p1, p2 = plane_equations.weights(pull_x, sign * pull_y, epsilon)
    scale = (1 + jnp.abs(x) + jnp.abs(y)) * (1 + s1 + size)
    # Hessian/ridge = I + (a r r^T + c f f^T)/(1 + eps^2) with |r|^2 = |f|^2 = 1 + eps^2 and <r, f> = q (1 + eps^2)
    a, c = s1 * loss.flatness_slope(x, JAX), sign * size * loss.flatness_slope(y, JAX)
    determinant, trace = 1 + (a + c) + a * c * rest * (1 + q), 2 + a + c
    residual = jnp.maximum(jnp.abs(w1 - p1), jnp.abs(w2 - p2))
    return _point(jnp.stack([w1, w2]), jnp.stack([x, y]), residual, scale, determinant, trace)
