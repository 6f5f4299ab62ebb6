r"""Evidence by sampling: a vmapped margin at quasi-random points, and the worst of them re-checked.

A float margin below zero is a suspicion, never a verdict: the most suspicious points go to `recheck`, which either confirms a
counterexample in many digits or dismisses the sign as rounding. So do the points where a claim only just holds.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ascentfail.claims.claim import Axis, Claim, ClaimError, Kind, Point
from ascentfail.claims.evidence import limits
from ascentfail.claims.evidence.recheck import Recheck, confirm, recheck
from ascentfail.claims.verdict import Counterexample, Evidence, Status
from ascentfail.core.precision import require_x64
from ascentfail.numerics.arithmetic import JAX
from ascentfail.numerics.sample_losses import EXPONENTIAL

SAMPLES = 1 << 15
_INNER = 512  # values of the inner axes tried at each outer point
_SUSPECTS = 12  # suspicious points that go to the re-check
_CLOSEST = 3  # unsuspicious points that go there all the same: floats may have lost their sign
_TELLING = 1e-3  # a margin whose sign no rounding turns, for a formula of ordinary size
_CLEAR = 1e-9  # a violation that no rounding explains, for the words


@dataclass(frozen=True)
class Sampled:
    """Outcome of sampling: a status, its evidence, and a counterexample for "fails"."""

    status: Status
    evidence: Evidence
    counterexample: Counterexample | None = None


@dataclass(frozen=True)
class Batch:
    """Points of a domain and what floats make of them, one row each.

    Attributes:
        box: coordinates in the box. points: after the chart. inside: whether the side conditions hold. slack: the smallest side
        condition. margin, exclusion: of the claim; NaN where there is none. inner: best inner values of an existence claim.
    """

    box: Point
    points: Point
    inside: np.ndarray
    slack: np.ndarray
    margin: np.ndarray
    exclusion: np.ndarray
    inner: Point | None = None

    def row(self, i: int) -> dict[str, float]:
        """One point as floats: box and chart coordinates, and the inner values of an existence claim."""
        parts = [self.points, self.box] + ([self.inner] if self.inner else [])
        return {name: float(value[i]) for part in parts for name, value in part.values().items()}


def quasi_random(count: int, axes: int, seed: int = 0) -> np.ndarray:
    """Additive recurrence in the unit cube: u_n = (u_0 + n/g, n/g^2, ...) mod 1 with g^{axes+1} = g + 1.

    Args:
        count: number of points.
        axes: dimension.
        seed: shifts the sequence.

    Returns:
        (count, axes) floats in [0, 1).

    Source: Roberts (2018), the generalised golden ratio.
    """
    g = 2.0
    for _ in range(64):
        g = (1 + g) ** (1 / (axes + 1))
    step = g ** -np.arange(1, axes + 1)
    start = np.random.default_rng(seed).random(axes)
    return (start + np.arange(1, count + 1)[:, None] * step) % 1.0


def unit_points(count: int, axes: int, seed: int = 0) -> np.ndarray:
    """Quasi-random points of the unit cube, a quarter of them pushed onto faces and edges, and every corner."""
    inside = quasi_random(count, axes, seed)
    rng = np.random.default_rng([seed, axes])
    pushed = inside[: count // 4]
    face = rng.random(pushed.shape) < 1 / axes
    pushed[face] = rng.integers(0, 2, int(face.sum()))
    corners = (
        np.array(list(itertools.product((0.0, 1.0), repeat=axes)))
        if axes <= 8
        else np.empty((0, axes))
    )
    return np.concatenate([corners, inside])


def coordinates(axes: tuple[Axis, ...], unit: np.ndarray) -> Point:
    """Points of the unit cube as coordinates of the box, one array an axis."""
    return Point(
        loss=EXPONENTIAL,
        **{axis.name: jnp.asarray(axis.at(unit[:, i])) for i, axis in enumerate(axes)},
    )


def scalar_of(
    claim: Claim, what: str, function: Callable[[Point, Any], Any]
) -> Callable[[Point], Any]:
    """A claim's margin or bound in JAX; anything but a real scalar is reported against the claim."""

    def run(p: Point) -> Any:
        return _as_scalar(claim, what, _guarded(claim, what, function, p))

    return run


def sides_of(claim: Claim) -> Callable[[Point], tuple[Any, ...]]:
    """A claim's side conditions in JAX."""

    def run(p: Point) -> tuple[Any, ...]:
        if claim.domain.where is None:
            return ()
        sides = _guarded(claim, "side condition", claim.domain.where, p)
        if not isinstance(sides, tuple):
            raise ClaimError(
                f"claim {claim.id!r}: its side condition returned {sides!r}; it returns a tuple of scalars"
            )
        return tuple(_as_scalar(claim, "side condition", side) for side in sides)

    return run


def chart_of(claim: Claim) -> Callable[[Point], Point]:
    """A claim's chart in JAX."""

    def run(p: Point) -> Point:
        charted = _guarded(claim, "chart", claim.domain.chart, p)
        if not isinstance(charted, Point):
            raise ClaimError(
                f"claim {claim.id!r}: its chart returned {charted!r}; it returns a Point"
            )
        return charted

    return run


def _guarded(claim: Claim, what: str, function: Callable[[Point, Any], Any], p: Point) -> Any:
    try:
        return function(p, JAX)
    except ClaimError:
        raise
    except Exception as error:
        raise ClaimError(f"claim {claim.id!r}: its {what} raised {error!r}") from error


def _as_scalar(claim: Claim, what: str, value: Any) -> Any:
    try:
        array = jnp.asarray(value)
    except (TypeError, ValueError) as error:
        raise ClaimError(
            f"claim {claim.id!r}: its {what} returned {value!r}; it returns a real scalar"
        ) from error
    if (
        isinstance(value, tuple | list)
        or array.shape != ()
        or not jnp.issubdtype(array.dtype, jnp.number)
    ):
        raise ClaimError(
            f"claim {claim.id!r}: its {what} returned {type(value).__name__} of shape {array.shape} at one point; it takes one "
            "point and returns a real scalar, batching is the engine's"
        )
    return array


@functools.cache
def compiled(claim: Claim) -> Callable[[Point], tuple[Any, ...]]:
    """A jitted batch of (points, inside, slack, margin, exclusion) from coordinates of the box."""
    chart, sides, margin = (
        chart_of(claim),
        sides_of(claim),
        scalar_of(claim, "margin", claim.margin),
    )
    exclusion = scalar_of(claim, "exclusion", claim.exclusion) if claim.exclusion else None
    nan = jnp.array(jnp.nan)

    def judge(box: Point) -> tuple[Any, ...]:
        p = chart(box)
        conditions = [jnp.asarray(side, float) for side in sides(p)]
        inside = functools.reduce(
            jnp.logical_and, [side >= 0 for side in conditions], jnp.array(True)
        )
        slack = functools.reduce(jnp.minimum, conditions, jnp.array(jnp.inf))
        value = jnp.asarray(margin(p), float) if claim.kind is not Kind.EXISTENCE else nan
        return p, inside, slack, value, jnp.asarray(exclusion(p), float) if exclusion else nan

    return jax.jit(jax.vmap(judge))


def evaluate(claim: Claim, unit: np.ndarray) -> Batch:
    """A batch of the claim at points of the unit cube.

    Raises:
        ClaimError: the claim's own functions raise or return the wrong shape; the message names the first point.
    """
    box = coordinates(claim.domain.axes, unit)
    try:
        points, *rest = compiled(claim)(box)
    except ClaimError as error:
        first = {name: float(value[0]) for name, value in box.values().items()}
        raise ClaimError(f"{error}, at {first}") from error.__cause__
    inside, slack, margin, exclusion = (np.asarray(value) for value in rest)
    return Batch(box, points, inside, slack, margin, exclusion)


def sample(claim: Claim, samples: int = SAMPLES, seed: int = 0) -> Sampled:
    """Samples a claim over its domain.

    Args:
        claim: the claim.
        samples: quasi-random points tried (an EXISTENCE claim tries samples/128 outer points with 512 inner values each).
        seed: shifts the sequence.

    Returns:
        Sampled: "fails" with a confirmed counterexample, "holds" with the worst margin, "open" where a margin is NaN or an
        existence is neither witnessed nor excluded, "vacuous" where no point was found that satisfies the side conditions.

    Raises:
        PrecisionError: float64 is off.
        ClaimError: the claim's own functions raise or return the wrong shape.
    """
    require_x64("sampling a claim")
    if claim.kind is Kind.EXISTENCE:
        samples = max(64, samples // 128)
    batch = evaluate(claim, unit_points(samples, len(claim.domain.axes), seed))
    if not batch.inside.any():
        batch = _hunt(claim, batch, seed)
    if not batch.inside.any():
        words = f"none of {len(batch.inside)} points satisfies the side conditions, nor any found from them"
        return Sampled("vacuous", Evidence("sampled", 0, words=words))
    if claim.kind is Kind.EXISTENCE:
        batch = _with_inner(claim, batch, seed)
    found = judge(claim, batch, "sampled", int(batch.inside.sum()))
    if claim.kind is not Kind.LIMIT or found.status != "holds":
        return found
    doubt = limits.why_not(
        claim,
        [
            batch.row(int(i))
            for i in np.flatnonzero(batch.inside)[:: max(1, batch.inside.sum() // 8)]
        ],
    )
    return Sampled("open", dataclasses.replace(found.evidence, words=doubt)) if doubt else found


def _hunt(claim: Claim, batch: Batch, seed: int) -> Batch:
    """A last try for points inside a thin domain: random steps around those that come closest, ever shorter."""
    axes, rng = claim.domain.axes, np.random.default_rng(seed)
    unit = unit_points(
        len(batch.slack) - (2 ** len(axes) if len(axes) <= 8 else 0), len(axes), seed
    )
    order = np.argsort(np.where(np.isnan(batch.slack), np.inf, -batch.slack), kind="stable")[:32]
    best, slack = unit[order], batch.slack[order]
    for width in np.geomspace(0.2, 1e-9, 30):
        steps = rng.normal(size=(16, *best.shape)) * width
        tries = np.clip(best + steps, 0, 1).reshape(-1, len(axes))
        found = evaluate(claim, tries)
        if found.inside.any():
            return found
        values = np.where(np.isnan(found.slack), -np.inf, found.slack).reshape(16, -1)
        pick = values.argmax(axis=0)
        better = values.max(axis=0) > np.where(np.isnan(slack), -np.inf, slack)
        best = np.where(
            better[:, None], tries.reshape(16, *best.shape)[pick, np.arange(len(best))], best
        )
        slack = np.where(better, values.max(axis=0), slack)
    return batch


def judge(claim: Claim, batch: Batch, level: Any, count: int) -> Sampled:
    """Turns float margins into a verdict by way of the re-check."""
    suspicion = np.where(batch.inside, suspicions(claim, batch.margin, batch.exclusion), -np.inf)
    for i in suspects(suspicion):
        found = confirm(claim, _outer(claim, batch.row(i)))
        if found:
            found = plainest(claim, found)
            clear = int((suspicion > _CLEAR).sum())
            words = f"{clear:,} of {count:,} points look violated in floats" if clear else ""
            return Sampled(
                "fails",
                Evidence(level, count, _finite(found.margin), found.point, words=words),
                found,
            )
    if doubt := _two_margins(claim, batch):
        words = "the margin in floats is not that of its expression there"
        return Sampled("open", Evidence(level, count, None, doubt, words=words))
    contradicts = batch.inside & (batch.exclusion < -_CLEAR) & (batch.margin > _CLEAR)
    if contradicts.any():
        row = batch.row(int(np.argmax(contradicts)))
        words = "the exclusion is negative there although the margin it should bound is positive"
        return Sampled("open", Evidence(level, count, None, row, words=words))
    return _standing(claim, batch, level, count)


def _standing(claim: Claim, batch: Batch, level: Any, count: int) -> Sampled:
    """The verdict where no suspect was confirmed: the closest points are re-checked before anything is said to hold."""
    lost = batch.inside & np.isnan(batch.margin)
    if lost.any():
        words = f"the margin is NaN at {int(lost.sum()):,} of {count:,} points"
        return Sampled(
            "open", Evidence(level, count, None, batch.row(int(np.argmax(lost))), words=words)
        )
    value = -np.abs(batch.margin) if claim.kind is Kind.EQUALITY else batch.margin
    worst: tuple[float | None, dict[str, float] | None] = (None, None)
    for found in _closest(claim, batch, value):
        if found.violated and (known := confirm(claim, _outer(claim, found.point))):
            return Sampled(
                "fails", Evidence(level, count, _finite(known.margin), known.point), known
            )
        margin = _finite(found.own)
        if not stands(claim, found):
            words = "the margin there is negative, unsettled or without a witness, and no bound excludes more"
            return Sampled("open", Evidence(level, count, margin, found.point, words=words))
        if worst[0] is None or (margin is not None and margin < worst[0]):
            worst = (margin, found.point)
    return Sampled("holds", Evidence(level, count, *worst))


def _two_margins(claim: Claim, batch: Batch) -> dict[str, float] | None:
    """The point where floats see the clearest violation, if many digits see as clear a margin of the other sign there.

    No rounding does that: such a margin says one thing to JAX and another to everybody else.
    """
    value = np.where(batch.inside & (claim.kind is not Kind.EQUALITY), batch.margin, np.inf)
    i = int(np.argmin(np.where(np.isnan(value), np.inf, value)))
    if not value[i] < -_TELLING:
        return None
    found = recheck(claim, batch.row(i))
    return found.point if found.inside and found.own > _TELLING else None


def _closest(claim: Claim, batch: Batch, value: np.ndarray) -> Iterator[Recheck]:
    """Re-checks of the points where the claim only just holds, without those that only rounding put inside the domain."""
    order = np.argsort(np.where(batch.inside, value, np.inf), kind="stable")[:_SUSPECTS]
    rechecks = (recheck(claim, batch.row(int(i))) for i in order if batch.inside[i])
    yield from itertools.islice((found for found in rechecks if found.inside), _CLOSEST)


def stands(claim: Claim, found: Recheck) -> bool:
    """Whether a re-checked margin is one that the claim allows, as far as digits tell: one that vanishes may be zero."""
    if found.vanishing:
        return not claim.strict
    if found.digits == 0:
        return False
    if claim.kind is Kind.EQUALITY:
        return bool(found.own == 0)
    return bool(found.own > 0) if claim.strict else bool(found.own >= 0)


def _outer(claim: Claim, row: dict[str, float]) -> dict[str, float]:
    """A row without inner values: a refutation is for all of them."""
    inner = {axis.name for axis in claim.inner}
    return {name: value for name, value in row.items() if name not in inner}


def _finite(value: Any) -> float | None:
    number = float(value)
    return number if np.isfinite(number) else None


def plainest(claim: Claim, found: Counterexample) -> Counterexample:
    """The same refutation at the roundest numbers that still give one, for the reader's sake."""
    for figures in (1, 2, 3):
        plain = confirm(
            claim, {name: float(f"{value:.{figures}g}") for name, value in found.point.items()}
        )
        if plain:
            return plain
    return found


def suspicions(claim: Claim, margin: np.ndarray, exclusion: np.ndarray) -> np.ndarray:
    """Positive where floats see a violation, larger where they see it more clearly; NaN never."""
    if claim.kind is Kind.EQUALITY:
        value = np.abs(margin)
    elif claim.exclusion is not None:
        # a bound that contradicts the margin it should bound refutes nothing
        value = np.where(margin > 0, -np.inf, -exclusion)
    else:
        value = -margin
    if claim.strict and claim.exclusion is None:
        # an exact zero breaks a strict claim, and floats show it as a tiny number of either sign
        value = np.where(np.abs(margin) < 1e-12, 1e-12 - np.abs(margin), value)
    return np.where(np.isnan(value), -np.inf, value)


def suspects(suspicion: np.ndarray) -> Iterator[int]:
    """The most suspicious points, largest first, then some that are only just suspicious."""
    order = np.argsort(-suspicion, kind="stable")
    guilty = order[suspicion[order] > 0]
    spread = np.unique(np.linspace(0, max(len(guilty) - 1, 0), _SUSPECTS // 2).astype(int))
    picks = [*guilty[: _SUSPECTS // 2], *(guilty[spread] if len(guilty) else [])]
    yield from dict.fromkeys(int(i) for i in picks)


def _with_inner(claim: Claim, batch: Batch, seed: int) -> Batch:
    """The batch with the largest margin over the inner axes at each outer point, and where it is taken."""
    inner = coordinates(claim.inner, unit_points(_INNER, len(claim.inner), seed + 1))
    margin = scalar_of(claim, "margin", claim.margin)

    def best(p: Point) -> Any:
        over = jax.vmap(lambda z: jnp.asarray(margin(p.replace(**z.values())), float))(inner)
        over = jnp.where(jnp.isnan(over), -jnp.inf, over)
        return jnp.max(over), jnp.argmax(over)

    value, index = jax.jit(lambda ps: jax.lax.map(best, ps, batch_size=64))(batch.points)
    chosen = Point(
        loss=inner.loss,
        **{name: np.asarray(z)[np.asarray(index)] for name, z in inner.values().items()},
    )
    return Batch(
        batch.box,
        batch.points,
        batch.inside,
        batch.slack,
        np.asarray(value),
        batch.exclusion,
        chosen,
    )
