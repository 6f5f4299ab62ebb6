r"""Every stationary point of the toy network's losses, and how they move as one multiplicity varies.

The fast route starts Newton's method on a grid over a box that provably contains them all; it may miss a point and is compared in
the tests with the certified route of `toy.boxes`, which cannot. Neither can be traced: the number of points is a result.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from ascentfail.core.errors import invalid
from ascentfail.core.explained import explained, reals
from ascentfail.core.models import Model
from ascentfail.core.precision import require_x64
from ascentfail.plane.stationary_points import StationaryKind
from ascentfail.toy import boxes as toy_boxes
from ascentfail.toy import network as toy
from ascentfail.toy.boxes import Box
from ascentfail.toy.network import Terms, ToyLandscape

_STARTS = 48  # a side
_STEPS = 40
_LONGEST = 2.0  # a Newton step: on the plateaus the quadratic model speaks of far too much
_CORE = (
    1.0,
    0.4,
)  # below this size of a and of b the starts are evenly spaced, beyond it geometrically


@dataclass(frozen=True)
class StationaryPoints:
    """Stationary points sorted by loss; all of NumPy.

    Attributes:
        parameters: (n, 2) finite values of (a, b).
        loss: (n,) finite values.
        kind: (n,) int32 of `StationaryKind`.
        correct: (n, 4) booleans, which points are classified correctly.
        radius: (n,) half-width >= 0 of a box around the parameters that is proved to contain the point; NaN without a proof.
        loss_radius: (n,) >= 0, the same for the loss.

    Paper: Sec. 5.2, Fig. 5.
    """

    parameters: np.ndarray
    loss: np.ndarray
    kind: np.ndarray
    correct: np.ndarray
    radius: np.ndarray
    loss_radius: np.ndarray

    def __len__(self) -> int:
        return len(self.loss)

    def pick(self, which: Any) -> StationaryPoints:
        """Those points only.

        Args:
            which: (n,) mask, or an array of indices in [0, n).

        Returns:
            StationaryPoints, in the order of `which`.

        Raises:
            IndexError: an index or a mask of another length.
        """
        return StationaryPoints(*(getattr(self, f.name)[which] for f in dataclasses.fields(self)))

    def minima(self) -> StationaryPoints:
        """The local minima, the global one first."""
        return self.pick(self.kind == int(StationaryKind.MINIMUM))

    def alone_wrong(self, i: int) -> np.ndarray:
        """Where point i is classified wrongly and the others are not: correct[:, j] = (j != i) for every j.

        Args:
            i: the point, 0 to 3.

        Returns:
            (n,) booleans. Never raises.
        """
        return (self.correct == (np.arange(4) != i)).all(1)


@jax.jit
def _newton(p: Terms, starts: jax.Array) -> tuple[jax.Array, ...]:
    """Newton's method on the gradient from every start (n, 2): ends, losses, largest |gradient|, determinants, traces."""

    def step(_: Any, theta: Any) -> Any:
        _, (ga, gb), (haa, hab, hbb) = toy.expansion(p, theta)
        determinant = haa * hbb - hab * hab
        determinant = jnp.where(determinant == 0, 1.0, determinant)
        move = jnp.stack([hbb * ga - hab * gb, haa * gb - hab * ga]) / determinant
        return theta - move * jnp.minimum(
            1.0, _LONGEST / jnp.maximum(jnp.linalg.norm(move), 1e-300)
        )

    def one(theta: Any) -> Any:
        end = jax.lax.fori_loop(0, _STEPS, step, theta)
        value, (ga, gb), (haa, hab, hbb) = toy.expansion(p, end)
        return end, value, jnp.maximum(abs(ga), abs(gb)), haa * hbb - hab * hab, haa + hbb

    return jax.vmap(one)(starts)


def _spread(half: float, core: float) -> np.ndarray:
    last = np.arcsinh(half / core)
    return core * np.sinh(np.linspace(-last, last, _STARTS))


def _search(p: Terms) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The distinct stationary points found, sorted by loss, with loss and kind."""
    a, b = (_spread(half, core) for half, core in zip(toy.reach(p), _CORE, strict=True))
    starts = np.stack(np.meshgrid(a, b, indexing="ij"), -1).reshape(-1, 2)
    ends, value, slope, determinant, trace = (
        np.asarray(v) for v in _newton(p, jnp.asarray(starts))
    )
    rounding = 1e-12 * (
        1 + float(np.abs(p.weight).sum()) * 16 * float(p.gain) / float(p.divisor) * float(p.slope)
    )
    good = np.flatnonzero((slope < rounding) & np.isfinite(value))
    good = good[np.argsort(slope[good])]  # of the ends at one point, the best
    kept: list[int] = []
    while len(good):
        best = good[0]
        kept.append(int(best))
        # at a fold the Hessian is nearly singular and the ends scatter: they are one point as far as floats can tell
        good = good[np.abs(ends[good] - ends[best]).max(1) > 1e-6 * (1 + np.abs(ends[best]).max())]
    kept.sort(key=lambda i: float(value[i]))
    curved = np.where(trace > 0, int(StationaryKind.MINIMUM), int(StationaryKind.MAXIMUM))
    kind = np.where(determinant < 0, int(StationaryKind.SADDLE), curved)
    return ends[kept], value[kept], kind[kept].astype(np.int32)


def concrete(t: ToyLandscape, which: Model) -> Terms:
    """The plain numbers of a landscape as NumPy arrays.

    Raises:
        ValueError: unknown model, or a landscape that is being traced.
    """
    p = toy.terms(t, which)
    if any(isinstance(leaf, Tracer) for leaf in jax.tree.leaves(p)):
        raise invalid(
            "t", "a traced ToyLandscape", "concrete numbers here; `loss` and `refine` can be traced"
        )
    return Terms(*(np.asarray(v, float)[()] for v in p))  # scalars as floats, which mpmath takes


@explained
def stationary_points(
    t: ToyLandscape, which: Model, box: Box | None = None, certified: bool = False
) -> StationaryPoints:
    """All stationary points of a loss in a box, sorted by loss.

    Args:
        t: the landscape, on concrete numbers.
        which: "original", "oracle" or "descent_ascent".
        box: ((a_low, a_high), (b_low, b_high)); None for a box that provably contains every one (`toy.reach`).
        certified: prove the list complete, with interval pruning and Krawczyk boxes.

    Returns:
        StationaryPoints; with `certified`, `radius` bounds the error and kind and classification are proved too.

    Raises:
        ValueError: unknown model, a traced landscape, or a box without inside.
        PrecisionError: JAX computes in float32.
        UndecidedError: a box stays undecided: two points nearly merge, or one lies on an edge of the box.

    Paper: Sec. 5.2, Fig. 5.
    """
    require_x64("landscape.stationary_points")
    p = concrete(t, which)
    if box is not None:
        box = _checked(box)
    if certified:
        found = toy_boxes.enumerate_points(p, box)
        return StationaryPoints(
            found.middle, found.loss, found.kind, found.correct, found.radius, found.loss_radius
        )
    points, value, kind = _search(p)
    if box is not None:
        (a, b), inside = box, np.ones(len(points), bool)
        for side, values in zip((a, b), points.T, strict=True):
            inside &= (values >= side[0]) & (values <= side[1])
        points, value, kind = points[inside], value[inside], kind[inside]
    unknown = np.full(len(points), np.nan)
    return StationaryPoints(points, value, kind, toy.correct(points), unknown, unknown)


def _checked(box: Any) -> Box:
    takes = "((a_low, a_high), (b_low, b_high)), finite, each low < high"
    sides = np.asarray(reals("box", box, takes))
    if (
        sides.shape != (2, 2)
        or not np.isfinite(sides).all()
        or not (sides[:, 0] < sides[:, 1]).all()
    ):
        raise invalid("box", box, takes)
    (a0, a1), (b0, b1) = sides.tolist()
    return (a0, a1), (b0, b1)


@explained
def refine(t: ToyLandscape, theta: Any, which: Model) -> jax.Array:
    """A stationary point as a function of the landscape: one Newton step from a point already there.

        theta' = theta - H^{-1} grad L, with the derivatives of the implicit function theorem

    Args:
        t: the landscape; slope, ridge, counts and ascent_ratio may be traced and differentiated (once).
        theta: (2,) finite, a stationary point at these values.
        which: "original", "oracle" or "descent_ascent".

    Returns:
        (2,) parameters.

    Raises:
        ValueError: unknown model, or parameters of another shape.

    Ours: implicit function theorem.
    """
    theta = jax.lax.stop_gradient(toy.two(theta))
    curvature = jax.lax.stop_gradient(toy.hessian(t, theta, which))
    return theta - jnp.linalg.solve(curvature, toy.gradient(t, theta, which))


# --- one multiplicity varied -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Event:
    """Where the minima change.

    Attributes:
        value: of the multiplicity, >= 0, found by bisection.
        what: "appears", "vanishes" or "exchange": the lowest minimum is another one from there on.
        parameters: (2,) finite, of the minimum that appears, has vanished, or is the lowest from there on.
    """

    value: float
    what: str
    parameters: np.ndarray


@dataclass(frozen=True)
class Continuation:
    """The stationary points along one multiplicity.

    Attributes:
        values: (k,) increasing values >= 0 of the multiplicity.
        points: StationaryPoints for each.
        events: in the order of the values.
    """

    values: np.ndarray
    points: tuple[StationaryPoints, ...]
    events: tuple[Event, ...]


@explained
def continuation(
    t: ToyLandscape, which: Model, index: int, values: Sequence[float], tolerance: float = 1e-6
) -> Continuation:
    """Stationary points as one multiplicity varies continuously, and where minima appear, exchange order and vanish.

    Args:
        t: the landscape.
        which: "original", "oracle" or "descent_ascent".
        index: the point whose multiplicity varies, 0 to 3.
        values: (k,) increasing multiplicities, each >= what is forgotten; between two of them one change is assumed.
        tolerance: > 0, to which the events are located.

    Returns:
        Continuation.

    Raises:
        ValueError: another index, values that do not increase or lie below what is forgotten, a tolerance that is not > 0.
        PrecisionError: JAX computes in float32.
    """
    concrete(t, which)  # refuses what is no landscape before its fields are read
    along = np.asarray(reals("values", values, "increasing real numbers"))
    if not tolerance > 0:  # a bisection without an end
        raise invalid("tolerance", tolerance, "a number > 0")
    if isinstance(index, bool) or index not in range(4):
        raise invalid("index", index, "0, 1, 2 or 3")
    if (
        along.ndim != 1
        or len(along) < 1
        or not (np.diff(along) > 0).all()
        or not np.isfinite(along).all()
    ):
        raise invalid("values", values, "increasing real numbers")

    def at(value: float) -> StationaryPoints:
        counts = np.array(t.multiplicities, float)
        counts[index] = value
        return stationary_points(dataclasses.replace(t, multiplicities=counts), which)

    points = tuple(at(float(value)) for value in along)
    events: list[Event] = []
    for low, high, before, after in zip(along, along[1:], points, points[1:], strict=False):
        if not _same(before.minima(), after.minima()):
            events.append(_locate(at, float(low), float(high), before, after, tolerance))
    return Continuation(along, points, tuple(events))


def _same(before: StationaryPoints, after: StationaryPoints) -> bool:
    """Whether as many minima are there, and the lowest continues the lowest."""
    if len(before) != len(after) or not len(before):
        return len(before) == len(after)
    return int(_gaps(before, after.parameters[0]).argmin()) == 0


def _gaps(points: StationaryPoints, theta: np.ndarray) -> np.ndarray:
    return np.abs(points.parameters - theta).max(1)


def _locate(at: Any, low: float, high: float, before: Any, after: Any, tolerance: float) -> Event:
    """By bisection. What happens is read off the ends: as close to a fold as rounding, the saddle may pass for a minimum."""
    count = len(after.minima())
    while high - low > tolerance:
        middle = (low + high) / 2
        found = at(middle)
        if _same(before.minima(), found.minima()):
            low, before = middle, found
        else:
            high, after = middle, found if len(found.minima()) == count else after
    old, new = before.minima(), after.minima()
    if len(new) > len(old):
        fresh = max(new.parameters, key=lambda x: _gaps(old, x).min() if len(old) else np.inf)
        return Event(high, "appears", fresh)
    if len(new) < len(old):
        return Event(
            high,
            "vanishes",
            max(old.parameters, key=lambda x: _gaps(new, x).min() if len(new) else np.inf),
        )
    return Event(high, "exchange", new.parameters[0])
