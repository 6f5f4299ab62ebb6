r"""The real Lambert W function, by a fixed amount of arithmetic.

    W(z) exp(W(z)) = z

W_0 lives on [-1/e, inf) with W_0 >= -1, W_{-1} on [-1/e, 0) with W_{-1} <= -1; off its domain a branch is NaN.
A value is either the series at the branch point, in p = sqrt(2 (e z + 1)) and summed up as a rational function, or a
rational start and one step of the fourth-order iteration of Fritsch, Shafer and Crowley.  Both are computed and one
is selected, so every element costs the same and nothing iterates.  The error is at most 4 ulp (tests/test_special.py).

-1/e is no float.  The float nearest to it lies just below it and is taken to *be* it: there both branches are exactly
-1, and any smaller argument is NaN.  XLA flushes subnormal numbers to zero on most devices, so W_0(z) of a subnormal z
is z or 0 with z's sign, and W_{-1} of a negative subnormal is -inf, as at zero.

Sources: R. M. Corless, G. H. Gonnet, D. E. G. Hare, D. J. Jeffrey, D. E. Knuth, "On the Lambert W function", Adv.
Comput. Math. 5 (1996) 329-359, doi:10.1007/BF02124750 (branches, series, derivatives); F. N. Fritsch, R. E. Shafer,
W. P. Crowley, "Algorithm 443: solution of the transcendental equation w e^w = x", Commun. ACM 16 (1973) 123-124,
doi:10.1145/361952.361970 (the iteration).
"""

from __future__ import annotations

import math
import reprlib
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jax.typing import ArrayLike

from ascentfail.core.explained import no_number

__all__ = ["lambertw", "lambertw_exp"]

# 1/e = _INV_E + _INV_E_TAIL to about 32 digits.
_INV_E, _INV_E_TAIL = 0.36787944117144233, -1.2428753672788363e-17
# p^2 = 16 (e/8) (z + 1/e): the factor 16 leaves the root exactly, and e/8 < 1 overflows for no z.
_E_OVER_8 = 0.33978522855738065
_LOG_2, _EXP_64 = 0.6931471805599453, 6.235149080811617e27
_NEAR0, _NEAR1 = 0.8, 0.6  # the values of p below which the series is used, on W_0 and on W_{-1}
_EXP_FLOOR, _EXP_HUGE = (
    -10.0,
    1e12,
)  # ends of the fits for lambertw_exp; above the second, W_0(e^y) = y - log y

# Printed by benchmarks/lambertw_coefficients.py: ascending coefficients of P and Q in P/Q, the largest absolute error
# of P/Q, and its share of the error that would leave 1e-17 (relative) in the final result.
# LOG: log on [1, 2].  NEAR: S(p) in W = -1 + p - p^2 S(p), with -p for W_{-1}.  START0: W_0 from log(1 + p).
# START1: W_{-1} from sqrt(2 (-1 - log(-z))).  EXP_LOW: W_0(e^y) from y.  EXP_HIGH: log W_0(e^y) from log y.
# LOG on [1, 2]: error 1.28e-06, 0.128 of what is allowed; smallest denominator 1
_LOG_P = (
    -2.107201827407379,
    4.237204593327069,
    -3.7028118153936775,
    2.2780637169183877,
    -0.8781641114060662,
    0.1907182500266048,
    -0.017807533485382523,
)
# NEAR0 on [0, 0.8]: error 7.40e-17, 0.451 of what is allowed; smallest denominator 1
_NEAR0_P = (
    0.33333333333333326,
    0.49086162284157125,
    0.2431075165186439,
    0.04606101264055894,
    0.0026353741503276546,
    1.6478746420305123e-06,
)
_NEAR0_Q = (
    1.0,
    1.9309182018579958,
    1.3754378365208688,
    0.44082408695449254,
    0.061210524002482815,
    0.0027661121378334515,
)
# NEAR1 on [0, 0.6]: error 4.66e-16, 1.52 of what is allowed; smallest denominator 0.204
_NEAR1_P = (
    0.33333333333333376,
    -0.5756449022049144,
    0.3476645561698097,
    -0.08489315279010369,
    0.006800452575321033,
    -1.0741372695418434e-05,
)
_NEAR1_Q = (
    1.0,
    -2.1852680399477946,
    1.805685964585404,
    -0.6937562157505636,
    0.12080895555481745,
    -0.007300149292024454,
)
# START0 on [0.587787, 355.4]: error 6.07e-04, 0.898 of what is allowed; smallest denominator 1.14
_START0_P = (
    -0.9965044863198012,
    0.7508845891574146,
    0.4055125082917302,
    0.02629404516617716,
    0.002621846284605397,
    1.6556985001266934e-05,
)
_START0_Q = (
    1.0,
    0.23455039037314085,
    0.017291086635213535,
    0.0013477641477148451,
    8.283053105823858e-06,
)
# START1 on [0.630001, 37.7]: error 4.60e-04, 0.669 of what is allowed; smallest denominator 1.13
_START1_P = (
    -0.9983137158657882,
    -1.2143530115850603,
    -0.5387209271528725,
    -0.10437022236774879,
    -0.001451224238787054,
)
_START1_Q = (1.0, 0.20894623053371159, 0.002900270603036483)
# EXP_LOW on [-10, 1]: error 9.00e-05, 0.547 of what is allowed; smallest denominator 0.878
_EXP_LOW_P = (
    0.5672197025896473,
    0.25938744391401025,
    0.0472097197584044,
    0.003979628507172431,
    0.00012880587591710603,
)
_EXP_LOW_Q = (1.0, -0.18094038612836655, 0.06967221653701784, -0.010885560049911838)
# EXP_HIGH on [0, 27.631]: error 7.81e-04, 0.799 of what is allowed; smallest denominator 1
_EXP_HIGH_P = (
    0.00012960998694798296,
    0.4961533153441955,
    0.26386586498285314,
    0.049967998652669314,
    0.06245303714276989,
)
_EXP_HIGH_Q = (
    1.0,
    0.11672037106496314,
    0.06536242137309081,
    0.06177832203285545,
    1.0431568065451064e-05,
)

_Coefficients = tuple[float, ...]


def _horner(coefficients: _Coefficients, x: jax.Array) -> jax.Array:
    """Return the polynomial with the given ascending coefficients, at x."""
    total = jnp.full_like(x, coefficients[-1])
    for c in coefficients[-2::-1]:
        total = total * x + c
    return total


def _ratio(
    first: jax.Array, x1: jax.Array, p1: _Coefficients, q1: _Coefficients, x2: jax.Array, p2: _Coefficients,
    q2: _Coefficients,
) -> jax.Array:  # fmt: skip
    """Return P1(x1)/Q1(x1) where `first` holds and P2(x2)/Q2(x2) elsewhere: two polynomials more, one division less."""
    top = jnp.where(first, _horner(p1, x1), _horner(p2, x2))
    return top / jnp.where(first, _horner(q1, x1), _horner(q2, x2))


def _rough_log(x: jax.Array) -> jax.Array:
    """Return log x to 1e-6 for normal x > 0, from its bits: all that a start needs, in a fraction of a logarithm."""
    info = jnp.finfo(x.dtype)
    bits = jax.lax.bitcast_convert_type(x, jnp.int64 if info.bits == 64 else jnp.int32)
    one = (info.maxexp - 1) << info.nmant  # the bits of 1.0
    mantissa = jax.lax.bitcast_convert_type((bits & ((1 << info.nmant) - 1)) | one, x.dtype)
    exponent = ((bits - one) >> info.nmant).astype(jnp.int32)
    return exponent.astype(x.dtype) * _LOG_2 + _horner(_LOG_P, mantissa)


def _fritsch(w: jax.Array, residual: jax.Array) -> jax.Array:
    """Return w after one step of order four; residual is log(z/w) - w."""
    a = 1 + w
    q = 2 * a * (a + residual * (2 / 3))
    return w + w * (residual * (q - residual) / (a * (q - 2 * residual)))


def _distance(z: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Return p = sqrt(2 (e z + 1)), accurate to the last bits at the branch point, and whether z is below -1/e."""
    high = z.dtype.type(_INV_E)
    low = z.dtype.type((_INV_E - float(high)) + _INV_E_TAIL)
    # z + high is exact near the branch point.  Without the barrier XLA adds the two constants first, and low is lost.
    gap = jax.lax.optimization_barrier(z + high) + low
    return 4 * jnp.sqrt(_E_OVER_8 * jnp.maximum(gap, 0)), z < -high


@jax.jit
def _w0(z: jax.Array) -> jax.Array:
    p, below = _distance(z)
    near = p < _NEAR0
    value = _ratio(near, p, _NEAR0_P, _NEAR0_Q, _rough_log(1 + p), _START0_P, _START0_Q)
    w = z * jnp.exp(-value)  # log(z/w) is `value` itself; and no digit is lost at z = 0
    w = jnp.where(near, (p - 1) - p * p * value, _fritsch(w, value - w))
    # Below eps/8, W_0(z) rounds to z, and the step above would lose digits to underflow.
    itself = (jnp.abs(z) < jnp.finfo(z.dtype).eps / 8) | (z == jnp.inf)
    return jnp.where(below, jnp.nan, jnp.where(itself, z, w))


@jax.jit
def _w1(z: jax.Array) -> jax.Array:
    p, below = _distance(z)
    near = p < _NEAR1
    root = jnp.sqrt(-2 - 2 * _rough_log(-z))
    value = _ratio(near, p, _NEAR1_P, _NEAR1_Q, root, _START1_P, _START1_Q)
    # Again w = z exp(-value), in two factors where the exponential alone would overflow; value + 64 is then exact.
    big = value < -64
    w = z * jnp.exp(-jnp.where(big, value + 64, value)) * jnp.where(big, _EXP_64, 1)
    w = jnp.where(near, (-1 - p) - p * p * value, _fritsch(w, value - w))
    return jnp.where(below | (z > 0), jnp.nan, jnp.where(z == 0, -jnp.inf, w))


def log_lambertw_exp_start(y: jax.Array) -> jax.Array:
    """Return log W_0(e^y) to 1e-3, from y without any exponential."""
    low = y < 1
    log = _rough_log(jnp.maximum(y, 1))
    start = _ratio(low, y, _EXP_LOW_P, _EXP_LOW_Q, log, _EXP_HIGH_P, _EXP_HIGH_Q)
    start = jnp.where(y < _EXP_FLOOR, 0, start)  # below, e^y is a good start
    return jnp.where(y > _EXP_HUGE, log, jnp.where(low, y - start, start))


@jax.jit
def _w0_exp(y: jax.Array) -> jax.Array:
    log = _rough_log(jnp.maximum(y, 1))
    y = jnp.maximum(y, -1e4)  # -inf - (-inf) is no number, and e^-10000 is zero
    log_w = log_lambertw_exp_start(y)
    w = jnp.exp(log_w)
    w = _fritsch(w, (y - log_w) - w)
    return jnp.where(y > _EXP_HUGE, y - log, w)


def lambertw_exp_and_log(y: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Return W_0(e^y) and its logarithm, both to a few roundings, for a finite y: the step of `_fritsch` is a factor 1 + f."""
    y = jnp.maximum(y, -1e4)
    log_w = log_lambertw_exp_start(y)
    w = jnp.exp(log_w)
    share = 1 / (1 + w)
    newton = (y - log_w - w) * share
    c = 2 + newton * (4 / 3)
    f = (
        newton * (c - newton * share) / (c - 2 * newton * share)
    )  # at most 1e-3, so that f^6/6 is below every rounding
    return w + w * f, log_w + f * (1 - f * (1 / 2 - f * (1 / 3 - f * (1 / 4 - f / 5))))


def _either(z: jax.Array, branch: int) -> jax.Array:
    return _w0(z) if branch == 0 else _w1(z)


def _slope0(w: jax.Array, z: jax.Array) -> jax.Array:
    """W_0'.  e^{-w} and w/z are equal; the first has no division by zero at z = 0, the second keeps its digits if |w| is big."""
    large = (z > 1) & (z < jnp.inf)
    return jnp.where(large, w / jnp.where(large, z, 1), jnp.exp(-w)) / (1 + w)


def _slope1(w: jax.Array, z: jax.Array) -> jax.Array:
    """W_{-1}'."""
    zero = z == 0
    return jnp.where(zero, -jnp.inf, -(w / jnp.where(zero, 1, z)) / (-1 - w))


def _lambertw_jvp(
    branch: int, primals: tuple[jax.Array], tangents: tuple[jax.Array]
) -> tuple[jax.Array, jax.Array]:
    (z,), (dz,) = primals, tangents
    w = _lambertw(z, branch)
    return w, (_slope0 if branch == 0 else _slope1)(w, z) * dz


def _each(z: jax.Array, branch: jax.Array) -> jax.Array:
    return jnp.where(branch == 0, _w0(z), jnp.where(branch == -1, _w1(z), jnp.nan))


def _lambertw_each_jvp(
    primals: tuple[jax.Array, jax.Array], tangents: tuple[jax.Array, Any]
) -> tuple[jax.Array, jax.Array]:
    (z, branch), (dz, _) = primals, tangents
    w = _lambertw_each(z, branch)
    zero, one = branch == 0, branch == -1
    # each slope at a point of its own branch where the other one is asked for: both sides of a where are differentiated
    first = _slope0(jnp.where(zero, w, 0), jnp.where(zero, z, 0))
    second = _slope1(jnp.where(one, w, -2), jnp.where(one, z, -2 * math.exp(-2)))
    return w, jnp.where(zero, first, jnp.where(one, second, jnp.nan)) * dz


def _lambertw_exp_jvp(
    primals: tuple[jax.Array], tangents: tuple[jax.Array]
) -> tuple[jax.Array, jax.Array]:
    w = _lambertw_exp(primals[0])
    finite = jnp.minimum(w, jnp.finfo(w.dtype).max)
    # w/(1+w) in the form whose own derivative does not cancel.
    slope = jnp.where(finite > 1, 1 - 1 / (1 + finite), finite / (1 + finite))
    return w, slope * tangents[0]


_lambertw = jax.custom_jvp(_either, nondiff_argnums=(1,))
_lambertw.defjvp(_lambertw_jvp)
_lambertw_each = jax.custom_jvp(_each)
_lambertw_each.defjvp(_lambertw_each_jvp)
_lambertw_exp = jax.custom_jvp(_w0_exp)
_lambertw_exp.defjvp(_lambertw_exp_jvp)


def _real(name: str, value: ArrayLike) -> tuple[jax.Array, Any]:
    """Return the argument in float32 or float64, and the dtype that the result has."""
    try:
        array = None if no_number(value) else jnp.asarray(value)
    except (TypeError, ValueError, OverflowError):
        array = None
    if array is None or jnp.iscomplexobj(array):
        dtype = (
            "complex"
            if isinstance(value, complex)
            else getattr(value if array is None else array, "dtype", None)
        )
        got = reprlib.repr(value) if dtype is None else f"dtype {dtype}"
        raise ValueError(f"{name} must be real (integer or floating point), got {got}")
    dtype = array.dtype if jnp.issubdtype(array.dtype, jnp.floating) else jnp.result_type(float)
    return array.astype(dtype if jnp.finfo(dtype).bits >= 32 else jnp.float32), dtype


def _from_half(z: jax.Array, dtype: Any) -> jax.Array:
    """Return a half-precision argument with the float nearest to -1/e moved to where float32 has it; the slope stays 1."""
    nearest = jnp.asarray(-_INV_E, dtype).astype(jnp.float32)
    return z + jnp.where(z == nearest, jnp.float32(-_INV_E) - nearest, 0)


def _branches(branch: Any) -> Any:
    """Return the branch as the Python int 0 or -1, or as an array of integers, of which the concrete ones are 0 or -1."""
    refuse = ValueError(
        f"branch must be the Python int 0 (W_0) or -1 (W_{{-1}}), or an array of integers 0 and -1, got {reprlib.repr(branch)}"
    )
    if type(branch) is int and branch in (0, -1):
        return branch
    if isinstance(branch, bool | int | float | complex | str | bytes) or branch is None:
        raise refuse
    try:
        array = branch if isinstance(branch, Tracer) else np.asarray(branch)
    except (TypeError, ValueError) as error:
        raise refuse from error
    if not jnp.issubdtype(array.dtype, jnp.integer):
        raise refuse
    if isinstance(array, Tracer):
        return (
            array if jnp.issubdtype(array.dtype, jnp.signedinteger) else jnp.where(array == 0, 0, 1)
        )
    if not np.all((array == 0) | (array == -1)):
        raise refuse
    return int(array) if array.ndim == 0 else jnp.asarray(array, jnp.int32)


def lambertw(z: ArrayLike, branch: int | ArrayLike = 0) -> jax.Array:
    r"""Real Lambert W function: the w with w e^w = z.

    .. math:: W(z) e^{W(z)} = z, \qquad W'(z) = e^{-W(z)} / (1 + W(z))

    Differentiable to every order inside the domain, as far as the derivative is a number that the type holds.  At the
    branch point -1/e, where both branches are -1, the slope is +inf (W_0) or -inf (W_{-1}).

    Args:
        z: Real argument of any shape.  W_0 is defined on [-1/e, inf), W_{-1} on [-1/e, 0); NaN comes back elsewhere.
            The float nearest to -1/e counts as -1/e.  W_0(+-0) = +-0, W_0(inf) = inf, W_{-1}(+-0) = -inf.
        branch: 0 for W_0 >= -1, or -1 for W_{-1} <= -1.  A Python int, static under `jax.jit`; or an array of them, of a
            shape that broadcasts with z, for which both are computed.  Traced integers other than 0 and -1 give NaN.

    Returns:
        W of every element, with the shape of z (and branch) and z's floating-point type: within 4 ulp in float32 and float64.
        Integers give the default float; float16 and bfloat16 are computed in float32 and rounded.

    Raises:
        ValueError: If branch is neither 0 nor -1, if z is not real, or if the shapes of the two do not broadcast.

    Ours: after Corless et al. (1996), doi:10.1007/BF02124750; Fritsch, Shafer and Crowley (1973), doi:10.1145/361952.361970.
    """
    which = _branches(branch)
    array, dtype = _real("z", z)
    if array.dtype != dtype:
        array = _from_half(array, dtype)
    if isinstance(which, int):
        return _lambertw(array, which).astype(dtype)
    try:
        array, which = jnp.broadcast_arrays(array, which)
    except ValueError as error:
        raise ValueError(
            f"branch must have a shape that broadcasts with z, {array.shape}, got {which.shape}"
        ) from error
    return _lambertw_each(array, which).astype(dtype)


def lambertw_exp(y: ArrayLike) -> jax.Array:
    r"""Lambert W of an exponential: the w with w + log w = y, without overflow.

    .. math:: W_0(e^y), \qquad \frac{d}{dy} W_0(e^y) = \frac{W_0(e^y)}{1 + W_0(e^y)}

    Args:
        y: Real argument of any shape and any size: -inf gives 0, inf gives inf, and NaN gives NaN.  Where e^y is below
            the smallest normal number, so is the result, and XLA may flush it to zero.

    Returns:
        W_0(e^y) of every element, with the shape of y and its floating-point type: within 4 ulp in float32 and float64.
        Integers give the default float; float16 and bfloat16 are computed in float32 and rounded.

    Raises:
        ValueError: If y is not real.

    Ours: after Corless et al. (1996), doi:10.1007/BF02124750; Fritsch, Shafer and Crowley (1973), doi:10.1145/361952.361970.
    """
    array, dtype = _real("y", y)
    return _lambertw_exp(array).astype(dtype)
