r"""Flows at a kink of a loss, where the field jumps: across it, along it, or at rest in it.

The fields are gradients of continuous functions, so a jump d of the field at a surface is normal to the surface. Where the field
points away from the surface on the far side, the flow crosses. Where both sides point at it, the flow slides along it with the
shortest convex combination of the fields of the two sides, which has no part along d; it rests where that is zero. In a corner of
several surfaces the combination is over all sides: base + sum_i share_i d_i with shares in [0, 1].
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from ascentfail.dynamics.flow_steps import STUCK, State, Tolerance, allowed, flat
from ascentfail.dynamics.stopping import where
from ascentfail.numerics.loops import depend_on

_MOST = 8  # surfaces that a flow can slide along at once
_HALVINGS = 24  # of the way in which a jump is sought
_AWAY = 30.0  # errors allowed from a surface to where the field of one side is taken; farther off lie other surfaces

Velocity = Callable[[jax.Array], jax.Array]


class Kinks(NamedTuple):
    """The surfaces that a flow slides along.

    Attributes:
        normals: (most, n) finite unit vectors, in the direction of the jump of the field.
        on: (most,) booleans, the rows in use.
        doubt: scalar in [0, 1], lowered when a short step that failed had met no jump.
    """

    normals: jax.Array
    on: jax.Array
    doubt: jax.Array


class _Sides(NamedTuple):
    """The field on one side of all surfaces, its jumps (0 off the list), the dual basis of the normals, the shares."""

    base: jax.Array
    jumps: jax.Array
    dual: jax.Array
    shares: jax.Array
    away: jax.Array


# What has every derivative wherever it is finite; comparisons, max, abs, sort, roots and calls to the host are not here.
_SMOOTH = frozenset(
    """
    acosh add add_any asinh atan atanh broadcast_in_dim concatenate conv_general_dilated convert_element_type copy copy_p cos cosh
    cumprod cumsum custom_jvp_call custom_vjp_call digamma div dot_general dynamic_slice dynamic_update_slice erf erf_inv erfc exp
    exp2 expand_dims expm1 gather integer_pow jit lgamma log log1p logistic mul neg optimization_barrier pad pcast pjit polygamma
    pvary reduce_prod reduce_sum reshape rev scan scatter-add select_n sin sinh slice split square squeeze stop_gradient sub tan
    tanh transpose
""".split()
)


def is_smooth(jaxpr: Any) -> bool:
    """Whether every operation on floats in a program is known to be smooth, so that what it computes has no kink.

    Args:
        jaxpr: the program, an object as `jax.make_jaxpr` gives it.

    Returns:
        boolean. Never raises.
    """
    for equation in jaxpr.eqns:
        inputs = [
            jnp.issubdtype(v.aval.dtype, jnp.inexact)
            for v in equation.invars
            if hasattr(v.aval, "dtype")
        ]
        name = equation.primitive.name
        # a float that becomes a whole number is rounded, and jumps
        rounded = name == "convert_element_type" and not jnp.issubdtype(
            equation.params["new_dtype"], jnp.inexact
        )
        if any(inputs) and (name not in _SMOOTH or rounded):
            return False
        inner = jax.tree.leaves(
            list(equation.params.values()), is_leaf=lambda x: hasattr(x, "eqns")
        )
        if not all(is_smooth(program) for program in inner if hasattr(program, "eqns")):
            return False
    return True


def no_kinks(w: Any) -> Kinks:
    """No surface yet.

    Args:
        w: pytree of n finite weights.

    Returns:
        Kinks with room for min(8, n) surfaces. Never raises.
    """
    x, _ = flat(w)
    room = min(_MOST, x.size)
    return Kinks(jnp.zeros((room, x.size), x.dtype), jnp.zeros(room, bool), jnp.ones((), x.dtype))


def _solved(square: jax.Array, right: jax.Array) -> jax.Array:
    """The solution of a small system whose matrix is positive definite, by elimination: it compiles faster than LAPACK's."""

    def eliminate(both: jax.Array, k: jax.Array) -> tuple[jax.Array, None]:
        row = both[k] / both[k, k]
        return (both - both[:, k, None] * row[None]).at[k].set(row), None

    both = jnp.concatenate([square, right], axis=1)
    return jax.lax.scan(eliminate, both, jnp.arange(len(square)))[0][:, len(square) :]


def _shares(jumps: jax.Array, base: jax.Array, on: jax.Array) -> jax.Array:
    """The shares in [0, 1] that make base + sum share_i jump_i shortest.

    Which shares are at a bound is guessed anew in each turn from where a step along the gradient would lead them.
    """
    square = jnp.sum(jumps * jumps, axis=1)
    on = on & (square > 0)
    length = jnp.sqrt(jnp.where(on, square, 1.0))
    unit = jumps / length[:, None]
    gram, pull = (
        jnp.where(on[:, None] & on[None, :], unit @ unit.T, jnp.eye(len(on), dtype=unit.dtype)),
        unit @ base,
    )

    def turn(kept: jax.Array, _: None) -> tuple[jax.Array, None]:
        wish = kept - (gram @ kept + pull)
        free = on & (wish >= 0) & (wish <= length)
        bound = jnp.where(on & (wish > length), length, 0.0)
        some = jnp.where(free[:, None] & free[None, :], gram, jnp.eye(len(on), dtype=gram.dtype))
        right = jnp.where(free, -pull - gram @ bound, bound)
        return _solved(some, right[:, None])[:, 0], None

    kept, _ = jax.lax.scan(
        turn, depend_on(jnp.where(on, length / 2, 0.0), (jumps, base)), None, length=6
    )
    return jnp.where(on, jnp.clip(kept, 0.0, length), 0.0) / length


def _sides(velocity: Velocity, kinks: Kinks, away: jax.Array, x: jax.Array) -> _Sides:
    """The fields at a point on the surfaces: on one side of all, and across each one.

    Each is extrapolated from two points at a distance, `away` and twice that: a jump must be normal to its surface to more digits
    than the distance has, or the flow drifts off.
    """
    normals = jnp.where(kinks.on[:, None], kinks.normals, 0.0)
    square = normals @ normals.T + jnp.diag(jnp.where(kinks.on, 0.0, 1.0)).astype(normals.dtype)
    dual = _solved(square, normals)
    first = away @ dual
    places = jnp.concatenate([first[None], first[None] - 2 * away[:, None] * dual])
    near, far = jnp.split(
        jax.vmap(velocity)(jnp.concatenate([x[None] + places, x[None] + 2 * places])), 2
    )
    fields = 2 * near - far
    jumps = jnp.where(kinks.on[:, None], fields[1:] - fields[:1], 0.0)
    return _Sides(fields[0], jumps, dual, _shares(jumps, fields[0], kinks.on), away)


def _slid(sides: _Sides) -> jax.Array:
    return sides.base + sides.shares @ sides.jumps


def _flat(field: Callable[[Any], Any], w: Any) -> tuple[Velocity, jax.Array, Callable[[Any], Any]]:
    x, back = flat(w)
    return lambda y: flat(field(back(y)))[0], x, back


def _distance(kinks: Kinks, w: Any, tolerance: Tolerance) -> jax.Array:
    """How far from each surface the fields of its sides are taken."""
    unit = flat(allowed(tolerance, w))[0]
    return jax.lax.stop_gradient(_AWAY * jnp.where(kinks.on, jnp.abs(kinks.normals) @ unit, 0.0))


def slide(
    step: Callable[..., State], field: Callable[[Any], Any], state: State, tolerance: Tolerance
) -> State:
    """One trial step along the surfaces; those that the flow leaves are dropped.

    Args:
        step: `explicit` or `implicit`, a function (field, state, tolerance) -> state.
        field: w -> velocity, a function of the weights off the surfaces.
        state: see `State`, with `Kinks`.
        tolerance: see `Tolerance`.

    Returns:
        The State after it. Never raises.

    Source: Filippov, Differential Equations with Discontinuous Righthand Sides, ch. 2.
    """
    velocity, _, back = _flat(field, state.w)
    kinks = jax.lax.stop_gradient(state.kinks)
    away = _distance(kinks, state.w, tolerance)
    tried = step(lambda w: back(_slid(_sides(velocity, kinks, away, flat(w)[0]))), state, tolerance)
    x = flat(tried.w)[0]
    at = _sides(velocity, kinks, away, x)
    now = jax.lax.stop_gradient(at)
    length, speed = (
        jnp.sqrt(jnp.sum(now.jumps * now.jumps, axis=1)),
        jnp.sqrt(jnp.sum(now.base * now.base)),
    )
    moved = tried.left < state.left
    left = moved & kinks.on & ((now.shares <= 0) | (now.shares >= 1) | (length <= 1e-9 * speed))
    side = jnp.where(now.shares >= 1, -1.0, 1.0) * jnp.where(left & (length > 0), away / _AWAY, 0.0)
    x = x + side.astype(x.dtype) @ now.dual
    clear = (
        moved & kinks.on & (length > 1e-4 * speed)
    )  # a jump so small that its direction is noise turns nothing
    turned = jnp.where(
        clear[:, None], now.jumps / jnp.where(clear, length, 1.0)[:, None], kinks.normals
    )
    kinks = kinks._replace(normals=turned, on=kinks.on & ~left)
    # where a surface is dropped its share is 0 or 1 and the velocity that of one side: it does not jump
    return tried._replace(
        w=back(x), velocity=where(moved, back(_slid(at)), tried.velocity), kinks=kinks
    )


def meet(field: Callable[[Any], Any], state: State, tolerance: Tolerance) -> State:
    r"""What a flow does at a jump that made a very short step fail: it crosses, or slides along the surface from now on.

    The derivative of the weights after it contains that of the time at which they reach the surface:

        d w_after = d w + (v_after - v_before) (n . d w) / (n . v_before)

    Args:
        field: w -> velocity, a function of the weights.
        state: see `State`, with `Kinks` and `hit`.
        tolerance: see `Tolerance`.

    Returns:
        The State after it; where no jump is found the same, with more doubt. STUCK where there is no room for one more surface,
        or its normal depends on those of the others. Never raises.

    Source: Filippov, Differential Equations with Discontinuous Righthand Sides, ch. 2.
    """
    velocity, x, back = _flat(field, state.w)
    fixed = jax.lax.stop_gradient
    kinks, start, way = fixed((state.kinks, x, flat(state.velocity)[0]))
    away = _distance(kinks, state.w, tolerance) / 20

    def halve(bracket: Any, index: jax.Array) -> tuple[Any, None]:
        # the first two turns look at the two ends
        low, high, first, last, before, beyond = bracket
        middle = jnp.where(index == 0, low, jnp.where(index == 1, high, (low + high) / 2))
        here = fixed(_sides(velocity, kinks, away, start + middle.astype(x.dtype) * way))
        first, last = where(index == 0, here.base, first), where(index == 1, here.base, last)
        near = (index == 0) | (
            (index > 1) & (jnp.sum((here.base - first) ** 2) < jnp.sum((here.base - last) ** 2))
        )
        low, high = jnp.where(near, middle, low), jnp.where(near, high, middle)
        return (low, high, first, last, where(near, here, before), where(near, beyond, here)), None

    low, high = jnp.zeros_like(state.step), jnp.minimum(10 * state.step, state.left)
    none = _Sides(
        way,
        jnp.zeros_like(kinks.normals),
        jnp.zeros_like(kinks.normals),
        jnp.zeros_like(away),
        away,
    )
    bracket = depend_on((low, high, way, way, none, none), (kinks, way, low, high))
    (low, high, first, last, before, beyond), _ = jax.lax.scan(
        halve, bracket, jnp.arange(2 + _HALVINGS)
    )
    jump = beyond.base - before.base
    unit = flat(allowed(tolerance, state.w))[0]
    real = jnp.sum(jump**2) >= jnp.sum((last - first) ** 2) / 16
    real &= (
        jnp.max(jnp.abs(jump) / unit) * state.step.astype(x.dtype) >= 1e-3
    )  # it explains why the step failed
    slides = real & (jnp.sum(way * jump) < 0) & (jnp.sum(_slid(beyond) * jump) > 0)
    normal = jump / jnp.maximum(jnp.sqrt(jnp.sum(jump**2)), jnp.finfo(x.dtype).tiny)
    along = jnp.where(kinks.on, kinks.normals @ normal, 0.0)
    again = (
        jnp.max(jnp.abs(along)) > 1 - 1e-9
    )  # a surface on the list that the weights have drifted away from
    free = jnp.where(again, jnp.argmax(jnp.abs(along)), jnp.argmin(kinks.on))
    rest = normal - along @ before.dual  # its part off the span of the others
    full = slides & ~again & (kinks.on[free] | (jnp.sum(rest**2) < 1e-8))
    row = (jnp.arange(len(kinks.on)) == free) & slides & ~full
    met = Kinks(
        jnp.where(row[:, None], normal[None], kinks.normals),
        kinks.on | row,
        jnp.where(real, 1.0, 0.1 * kinks.doubt),
    )
    time = jnp.where(real, jnp.where(slides, (low + high) / 2, high), 0.0)
    place = start + time.astype(x.dtype) * way
    now = _sides(velocity, met, _distance(met, state.w, tolerance), place + (x - start))
    after = fixed(_slid(now))
    rate = jnp.sum(normal * way)
    late = jnp.sum(normal * (x - start)) / jnp.where(
        real, rate, 1.0
    )  # zero, with the derivative of the time of arrival
    place = x + time.astype(x.dtype) * way + jnp.where(real, after - way, 0.0) * late
    speed = jnp.maximum(jnp.sqrt(jnp.sum(after**2)), 1e-12)
    soon = jnp.where(
        real, 1e-4 * (1 + jnp.sqrt(jnp.sum(place**2))) / speed, state.step.astype(x.dtype)
    )
    return state._replace(
        w=where(real, back(place), state.w),
        velocity=where(real, back(_slid(now)), state.velocity),
        left=state.left - time,
        step=fixed(soon).astype(state.step.dtype),
        hit=jnp.zeros_like(state.hit),
        kinks=met,
        stiff=state.stiff | ~real,
        status=jnp.where(full, STUCK, state.status),
    )
