r"""Evidence by search: an adversary that tries to break a claim and reports how close it came.

In unit-box coordinates u, from many starts: descent on the margin m (Adam on normalised slopes, and Polyak steps
u - 3/2 m grad m/|grad m|^2 that aim across m = 0), projected to the box and pushed back inside the side conditions. Then, in
turns, a projected BFGS with a parallel line search, and random children of the best points, ranked by m and by m over the
distance to the nearest face, so that a margin that vanishes on a face does not hide the inside. Slopes pass through the chart,
the closed forms and the implicit stationary points. What looks violated goes to `recheck`, which alone can refute.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from ascentfail.claims.claim import Axis, Claim, Kind, Point
from ascentfail.claims.evidence import sample as sampling
from ascentfail.claims.evidence.recheck import Recheck, confirm, recheck
from ascentfail.claims.verdict import Evidence
from ascentfail.core.errors import invalid
from ascentfail.core.precision import require_x64

STARTS, STEPS, GENERATIONS = 96, 120, 3
_RATE = 0.05  # of Adam, in units of the box, falling to _RATE/1000
_ITERATIONS, _ELITE = 40, 12  # of BFGS, and the points that it takes
_LENGTHS = np.array([8.0, 1.0, 0.5, 0.2, 0.05, 0.01, 1e-3, 1e-5])  # tried on each of them at once
_PARENTS = 64
_CELLS = 6  # the box is cut into _CELLS^axes to keep the points apart
_CLOSEST = (
    3  # unsuspicious points that are re-checked all the same: floats may have lost their sign
)
_FACE = 1e-9  # distance to a face below which a point lies on it
_INWARD = np.array(
    [0.0, 1e-13, 1e-10, 1e-7]
)  # towards the centre, for points that only rounding puts inside

_moments = optax.scale_by_adam(b2=0.99, eps=1e-30)


@jax.jit
def _adam(slopes: jax.Array, state: Any) -> tuple[Any, Any]:
    with jax.numpy_dtype_promotion(
        "standard"
    ):  # optax counts steps in int32 and multiplies floats by them
        return _moments.update(slopes, state)


_Slopes = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


class _Pool:
    """The points met that satisfy the side conditions, with what is minimised there; grows with the search."""

    def __init__(self, axes: int) -> None:
        """Args: axes: dimension of the unit box."""
        self._units, self._values = [np.empty((0, axes))], [np.empty(0)]
        self.lost = np.empty((0, axes))  # inside, but NaN
        self.evaluations = 0

    def add(self, unit: np.ndarray, value: np.ndarray, inside: Any) -> None:
        """Takes in a batch of points with their values."""
        self.evaluations += len(unit)
        nan = np.isnan(value)
        self.lost = np.concatenate([self.lost, unit[inside & nan][:1]])
        self._units.append(unit[inside & ~nan])
        self._values.append(value[inside & ~nan])

    @property
    def unit(self) -> np.ndarray:
        """(points, axes)."""
        self._units = [np.concatenate(self._units)]
        return self._units[0]

    @property
    def value(self) -> np.ndarray:
        """(points,): exclusion bound, minus |residual|, or margin."""
        self._values = [np.concatenate(self._values)]
        return self._values[0]

    def best(self, by_face: bool = False) -> np.ndarray:
        """Indices by value, or by value over distance to the nearest face that a point is not on; lowest first."""
        value = self.value
        if by_face:
            face = np.minimum(self.unit, 1 - self.unit)
            value = value / np.where(face > _FACE, face, np.inf).min(axis=1, initial=1.0)
        return np.argsort(value, kind="stable")

    def apart(self, by_face: bool = False) -> np.ndarray:
        """Index of the best point of each cell of a coarse grid, lowest first."""
        order = self.best(by_face)
        cells = np.floor(self.unit[order] * _CELLS) @ (_CELLS + 1.0) ** np.arange(
            self.unit.shape[1]
        )
        _, first = np.unique(cells, return_index=True)
        return order[np.sort(first)]


def search(
    claim: Claim,
    *,
    starts: int = STARTS,
    steps: int = STEPS,
    generations: int = GENERATIONS,
    samples: int = sampling.SAMPLES,
    seed: int = 0,
    weaker: sampling.Sampled | None = None,
) -> sampling.Sampled:
    """Samples a claim, then tries to break it.

    Args:
        claim: the claim.
        starts: points from which to descend, >= 2.
        steps: steps of each descent, >= 1.
        generations: rounds of random children of the best points, `samples` each, >= 0.
        samples: quasi-random points tried first; the starts are chosen among them.
        seed: of everything random.
        weaker: what `sample` said with the same samples and seed, to spare asking it again.

    Returns:
        Sampled: "fails" with a confirmed counterexample, else "holds" with the smallest margin reached (re-checked); "open" and
        "vacuous" as for sampling, save that the search may reach a domain, or a NaN, that sampling missed. Claims with an
        exclusion bound are attacked through that bound.

    Raises:
        ValueError: a count out of range.
        PrecisionError: float64 is off.
        ClaimError: the claim's own functions raise or return the wrong shape.
    """
    require_x64("searching a claim")
    for name, got, least in (
        ("starts", starts, 2),
        ("steps", steps, 1),
        ("generations", generations, 0),
    ):
        if got < least:
            raise invalid(name, got, f"an integer >= {least}")
    first = weaker or sampling.sample(claim, samples, seed)
    if first.status == "fails":
        words = f"{first.evidence.words}, found by sampling"
        return dataclasses.replace(
            first,
            evidence=dataclasses.replace(first.evidence, level="searched", grade=None, words=words),
        )
    rng = np.random.default_rng([seed, 1])
    unit = sampling.unit_points(samples, len(claim.domain.axes), seed)
    pool, slopes = _Pool(unit.shape[1]), _slopes(claim)
    pool.add(unit, *_values(claim, unit))
    _descend(slopes, _starts(pool, unit, starts, rng), steps, pool)
    _polish(slopes, pool, pool.apart())
    for _ in range(generations if len(pool.unit) else 0):
        children = _children(pool, len(unit), rng)
        pool.add(children, *_values(claim, children))
    _polish(slopes, pool, pool.best())
    return _judge(claim, pool, first)


def _residual(claim: Claim) -> bool:
    return claim.kind is Kind.EQUALITY and claim.exclusion is None


def _values(claim: Claim, unit: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(what is minimised, inside) at a batch of the size that sampling has compiled for."""
    batch = sampling.evaluate(claim, unit)
    value = batch.exclusion if claim.exclusion else batch.margin
    return (-np.abs(value) if _residual(claim) else value), batch.inside


def _smooth(axis: Axis, unit: Any) -> Any:
    """`Axis.at` with a derivative; an integer axis has none and stays where it starts."""
    if axis.scale == "log":
        return jnp.exp(np.log(axis.low) + np.log(axis.high / axis.low) * unit)
    if axis.scale == "integer":
        count = int(axis.high) - int(axis.low) + 1
        return jax.lax.stop_gradient(
            int(axis.low) + jnp.minimum(jnp.floor(unit * count), count - 1.0)
        )
    return axis.low + (axis.high - axis.low) * unit


@functools.cache
def _slopes(claim: Claim) -> _Slopes:
    """Compiled map from (batch, axes) to values (batch, 1 + sides), what is minimised first, and slopes (.., 1 + sides, axes)."""
    chart, sides = sampling.chart_of(claim), sampling.sides_of(claim)
    target = sampling.scalar_of(claim, "margin", claim.exclusion or claim.margin)

    def parts(unit: Any) -> tuple[Any, Any]:
        p = chart(
            Point(**{axis.name: _smooth(axis, unit[i]) for i, axis in enumerate(claim.domain.axes)})
        )
        value = -jnp.abs(target(p)) if _residual(claim) else target(p)
        both = jnp.stack([jnp.asarray(x, float) for x in (value, *sides(p))])
        return both, both

    compiled = jax.jit(jax.vmap(jax.jacfwd(parts, has_aux=True)))

    def run(unit: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        slopes, values = compiled(unit)
        return np.asarray(values), np.asarray(slopes)

    return run


def _starts(pool: _Pool, unit: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """A third of low values, a third of low values next to faces, and a spread; anything where no point is inside."""
    if not len(pool.unit):
        return unit[rng.integers(0, len(unit), count)]
    low = np.concatenate([pool.apart()[: count // 3], pool.apart(by_face=True)[: count // 3]])
    return pool.unit[np.concatenate([low, rng.integers(0, len(pool.unit), count - len(low))])]


def _unit_vectors(slopes: np.ndarray) -> np.ndarray:
    """Slopes over their length along the last axis; zero where not finite."""
    slopes = np.where(np.isfinite(slopes).all(axis=-1, keepdims=True), slopes, 0.0)
    largest = np.abs(slopes).max(axis=-1, keepdims=True)
    slopes = slopes / np.where(largest > 0, largest, 1.0)
    return slopes / np.maximum(np.linalg.norm(slopes, axis=-1, keepdims=True), 1.0)


def _free(unit: np.ndarray, slope: np.ndarray) -> np.ndarray:
    """The slope without the components that would leave the box downhill, or are no numbers."""
    leaves = ((unit <= 0) & (slope > 0)) | ((unit >= 1) & (slope < 0))
    return np.where(leaves | ~np.isfinite(slope), 0.0, slope)


def _descend(slopes: _Slopes, unit: np.ndarray, steps: int, pool: _Pool) -> None:
    """Projected descent from every start: even ones by Adam, odd ones by Polyak steps across zero."""
    state = _moments.init(jnp.asarray(unit))
    hunting = (np.arange(len(unit)) % 2 == 1)[:, None]
    for step in range(steps):
        values, jacobian = slopes(unit)
        value, sides = values[:, :1], values[:, 1:]
        pool.add(unit, values[:, 0], np.all(sides >= 0, axis=1))
        uphill = np.where(np.isnan(value), 0.0, _unit_vectors(jacobian[:, 0]))
        inwards = np.where(sides[:, :, None] < 0, _unit_vectors(jacobian[:, 1:]), 0.0).sum(axis=1)
        rate = _RATE * 1e-3 ** (step / steps)
        direction, state = _adam(jnp.asarray(uphill - 2 * inwards), state)
        length = np.linalg.norm(_free(unit, jacobian[:, 0]), axis=1, keepdims=True)
        reach = np.nan_to_num(
            np.where(length > 0, np.abs(value), 0.0) / np.where(length > 0, length, 1.0)
        )  # to where m = 0
        hunt = np.clip(1.5 * reach, 1e-12, 4 * rate) * -uphill + rate * inwards
        unit = np.clip(unit + np.where(hunting, hunt, -rate * np.asarray(direction)), 0.0, 1.0)


def _polish(slopes: _Slopes, pool: _Pool, best: np.ndarray) -> None:
    """Projected BFGS on the best points; each iteration tries all step lengths of all points in one batch."""
    if not len(best):
        return
    unit = pool.unit[np.resize(best[:_ELITE], _ELITE)]
    values, jacobian = slopes(np.repeat(unit, len(_LENGTHS), axis=0))
    value, slope = values[:: len(_LENGTHS), 0], _free(unit, jacobian[:: len(_LENGTHS), 0])
    size = np.linalg.norm(slope, axis=1)[:, None, None]
    inverse = np.eye(unit.shape[1]) * 0.05 / np.maximum(size, 1e-300)
    for _ in range(_ITERATIONS):
        downhill = _free(unit, slope)
        direction = -np.einsum("eij,ej->ei", inverse, downhill) * (downhill != 0)
        trial = np.clip(unit[:, None] + _LENGTHS[:, None] * direction[:, None], 0.0, 1.0).reshape(
            -1, unit.shape[1]
        )
        values, jacobian = slopes(trial)
        inside = np.all(values[:, 1:] >= 0, axis=1)
        pool.add(trial, values[:, 0], inside)
        merit = np.where(inside & ~np.isnan(values[:, 0]), values[:, 0], np.inf).reshape(_ELITE, -1)
        rows = np.arange(_ELITE) * len(_LENGTHS) + merit.argmin(axis=1)
        better = (merit.min(axis=1) < value)[:, None]
        new = np.where(np.isfinite(jacobian[rows, 0]), jacobian[rows, 0], 0.0)
        inverse = _bfgs(inverse, trial[rows] - unit, new - slope, better[:, 0])
        unit, slope = np.where(better, trial[rows], unit), np.where(better, new, slope)
        value = np.where(better[:, 0], merit.min(axis=1), value)


def _bfgs(
    inverse: np.ndarray, step: np.ndarray, change: np.ndarray, better: np.ndarray
) -> np.ndarray:
    """Updated inverse Hessians where curvature was met, shorter ones where no step was taken."""
    curvature = (step * change).sum(axis=1)
    met = curvature > 1e-14 * np.linalg.norm(step, axis=1) * np.linalg.norm(change, axis=1)
    rho = (1 / np.where(met, curvature, 1.0))[:, None, None]
    left = np.eye(step.shape[1]) - rho * step[:, :, None] * change[:, None, :]
    updated = left @ inverse @ left.transpose(0, 2, 1) + rho * step[:, :, None] * step[:, None, :]
    usable = (better & met & np.isfinite(updated).all(axis=(1, 2)))[:, None, None]
    return np.where(usable, updated, np.where(better[:, None, None], inverse, inverse * 1e-3))


def _children(pool: _Pool, count: int, rng: np.random.Generator) -> np.ndarray:
    """Random neighbours of the best points at every scale, along axes, between parents, and on faces."""
    parents = np.concatenate(
        [pick[:_PARENTS] for pick in (pool.best(), pool.apart(), pool.best(True), pool.apart(True))]
    )
    first, second, third = (pool.unit[rng.choice(parents, count)] for _ in range(3))
    scale = 10.0 ** rng.uniform(-9, -0.3, (count, 1))
    near = scale * rng.standard_normal(first.shape) * (rng.random(first.shape) < 0.6)
    between = rng.uniform(-1.5, 1.5, (count, 1)) * (second - third)
    child = first + np.where(rng.random((count, 1)) < 0.25, between, near)
    snapped = np.where(rng.random(child.shape) < 0.03, rng.integers(0, 2, child.shape), child)
    return np.clip(snapped, 0.0, 1.0)


def _suspects(claim: Claim, pool: _Pool) -> list[int]:
    """Indices of the lowest point, those that look most violated, and the closest of the others."""
    value = pool.value
    if not len(value):
        return []
    guilty = sampling.suspects(
        -value if _residual(claim) else sampling.suspicions(claim, value, value)
    )
    close = [
        pick[:_CLOSEST] for pick in (pool.apart(), pool.apart(by_face=True), pool.best()[::16])
    ]
    return list(dict.fromkeys([int(value.argmin()), *guilty, *np.concatenate(close).tolist()]))


def _rechecked(claim: Claim, tries: np.ndarray) -> Iterator[tuple[dict[str, float], Recheck]]:
    """For each of (points, tries, axes) the first try that many digits put inside, or the last, with its re-check."""
    for group in tries:
        for i, unit in enumerate(group):
            row = {
                axis.name: float(axis.at(u))
                for axis, u in zip(claim.domain.axes, unit, strict=True)
            }
            found = recheck(claim, row)
            if found.inside or i == len(group) - 1:
                yield found.point, found
                break


def _judge(claim: Claim, pool: _Pool, first: sampling.Sampled) -> sampling.Sampled:
    """Re-checks the suspects; where none is confirmed, the status of sampling stands, with the smallest margin re-checked."""
    count = pool.evaluations
    if not len(pool.unit) + len(pool.lost):
        words = f"none of {count} points satisfies the side conditions"
        return sampling.Sampled("vacuous", Evidence("searched", 0, words=words))
    suspects = np.concatenate([pool.unit[_suspects(claim, pool)], pool.lost[:3]])
    centre = np.concatenate([pool.unit, pool.lost]).mean(axis=0)
    tries = suspects[:, None] + _INWARD[:, None] * (centre - suspects)[:, None]
    worst = first.evidence.worst_margin, first.evidence.worst_point
    doubt: tuple[str, dict[str, float] | None] | None = None
    if first.status == "open":
        doubt = first.evidence.words, first.evidence.worst_point
    for row, found in _rechecked(claim, tries):
        if found.violated and (known := confirm(claim, row)):
            known = sampling.plainest(claim, known)
            evidence = Evidence(
                "searched", count, known.margin, known.point, words="found by search"
            )
            return sampling.Sampled("fails", evidence, known)
        if (
            not found.inside or claim.kind is Kind.EXISTENCE
        ):  # of an existence only the bound was attacked
            continue
        doubt = doubt or _doubt(claim, row, found)
        if found.own == found.own and (worst[0] is None or found.own < worst[0]):
            worst = float(found.own), row
    if doubt:
        return sampling.Sampled("open", Evidence("searched", count, None, doubt[1], words=doubt[0]))
    return sampling.Sampled("holds", Evidence("searched", count, *worst))


def _doubt(
    claim: Claim, row: dict[str, float], found: Recheck
) -> tuple[str, dict[str, float]] | None:
    """Why a claim that is not refuted at a point cannot be said to hold there either, and the point."""
    if found.own != found.own:
        return "the margin is NaN there", row
    if claim.exclusion and found.margin < 0 < found.own:
        return (
            "the exclusion is negative there although the margin it should bound is positive",
            row,
        )
    if not sampling.stands(claim, found):
        return "the margin there is negative or unsettled, and no bound excludes more", row
    return None
