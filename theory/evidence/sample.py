r"""Evidence by sampling: a vmapped margin at quasi-random points, and the worst of them re-checked.

A float margin below zero is a suspicion, never a verdict: the most suspicious points go to `recheck`, which either confirms a
counterexample in many digits or dismisses the sign as rounding.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ascentfail.arithmetic import JAX
from ascentfail.precision import require_x64
from ascentfail.theory.claim import Axis, Claim, Counterexample, Evidence, Kind, Point, Status
from ascentfail.theory.evidence.recheck import confirm, recheck

SAMPLES = 1 << 15
_INNER = 512  # values of the inner axes tried at each outer point
_SUSPECTS = 12  # points that go to the re-check


class ClaimError(RuntimeError):
    """A claim's own functions failed; the message names the claim and the point."""


@dataclass(frozen=True)
class Sampled:
    """Outcome of sampling: a status, its evidence, and a counterexample for "fails"."""

    status: Status
    evidence: Evidence
    counterexample: Counterexample | None = None


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
    corners = np.array(list(itertools.product((0.0, 1.0), repeat=axes))) if axes <= 8 else np.empty((0, axes))
    return np.concatenate([corners, inside])


def _coordinates(axes: tuple[Axis, ...], unit: np.ndarray) -> Point:
    return Point(**{axis.name: jnp.asarray(axis.at(unit[:, i])) for i, axis in enumerate(axes)})


def _checked(claim: Claim, what: str, function: Any) -> Any:
    """The function, with its own exceptions and shapes reported against the claim."""

    @functools.wraps(function)
    def run(p: Point) -> Any:
        try:
            value = function(p, JAX)
        except Exception as error:
            raise ClaimError(f"claim {claim.id!r}: its {what} raised {error!r} at a point {p.values()}") from error
        for part in value if isinstance(value, tuple) else (value,):
            if jnp.shape(part) != ():
                raise ClaimError(
                    f"claim {claim.id!r}: its {what} returned shape {jnp.shape(part)} at one point; it takes one point "
                    "and returns a scalar, batching is the engine's"
                )
        return value

    return run


@functools.cache
def _compiled(claim: Claim) -> tuple[Any, Any]:
    """Compiled (chart, judge) of a claim over a batch; judge returns (inside, margin)."""
    chart = _checked_chart(claim)
    margin = _checked(claim, "margin", claim.margin)
    where = _checked(claim, "side condition", claim.domain.where) if claim.domain.where else None
    exclusion = _checked(claim, "exclusion", claim.exclusion) if claim.exclusion else None

    def judge(p: Point) -> tuple[Any, Any, Any]:
        sides = where(p) if where else ()
        inside = functools.reduce(jnp.logical_and, [side >= 0 for side in sides], jnp.array(True))
        value = margin(p) if claim.kind is not Kind.EXISTENCE else jnp.nan
        return inside, jnp.asarray(value, float), jnp.asarray(exclusion(p) if exclusion else jnp.nan, float)

    return jax.jit(jax.vmap(chart)), jax.jit(jax.vmap(judge))


def _checked_chart(claim: Claim) -> Any:
    def chart(p: Point) -> Point:
        try:
            return claim.domain.chart(p, JAX)
        except Exception as error:
            raise ClaimError(f"claim {claim.id!r}: its chart raised {error!r} at a point {p.values()}") from error

    return chart


def _row(points: Point, i: int) -> dict[str, float]:
    return {name: float(value[i]) for name, value in points.values().items()}


def sample(claim: Claim, samples: int = SAMPLES, seed: int = 0) -> Sampled:
    """Samples a claim over its domain.

    Args:
        claim: the claim.
        samples: quasi-random points tried (an EXISTENCE claim tries samples/128 outer points with 512 inner values each).
        seed: shifts the sequence.

    Returns:
        Sampled: "fails" with a confirmed counterexample, "holds" with the worst margin, "open" where a margin is NaN or an
        existence is neither witnessed nor excluded, "vacuous" where no point satisfies the side conditions.

    Raises:
        PrecisionError: float64 is off.
        ClaimError: the claim's own functions raise or return the wrong shape.
    """
    require_x64("sampling a claim")
    if claim.kind is Kind.EXISTENCE:
        samples = max(64, samples // 128)
    chart, judge = _compiled(claim)
    unit = unit_points(samples, len(claim.domain.axes), seed)
    points = chart(_coordinates(claim.domain.axes, unit))
    inside, margin, exclusion = (np.asarray(value) for value in judge(points))
    count = int(inside.sum())
    if not count:
        return Sampled("vacuous", Evidence("sampled", 0, words=f"none of {len(unit)} points satisfies the side conditions"))
    if claim.kind is Kind.EXISTENCE:
        margin = _best_inner(claim, points, seed)
    return _judge(claim, points, inside, margin, exclusion, count)


def _judge(
    claim: Claim, points: Point, inside: np.ndarray, margin: np.ndarray, exclusion: np.ndarray, count: int
) -> Sampled:
    """Turns float margins into a verdict by way of the re-check."""
    suspicion = np.where(inside, _suspicion(claim, margin, exclusion), -np.inf)
    for i in _suspects(suspicion):
        found = confirm(claim, _row(points, i))
        if found:
            found = _plainest(claim, found)
            words = f"{int((suspicion > 0).sum())} of {count} points violate it"
            return Sampled("fails", Evidence("sampled", count, found.margin, found.point, words=words), found)
    lost = inside & np.isnan(margin)
    if lost.any():
        where = _row(points, int(np.argmax(lost)))
        words = f"the margin is NaN at {int(lost.sum())} of {count} points"
        return Sampled("open", Evidence("sampled", count, None, where, words=words))
    value = -np.abs(margin) if claim.kind is Kind.EQUALITY else margin
    worst = int(np.argmin(np.where(inside, value, np.inf)))
    if claim.kind is Kind.EXISTENCE and value[worst] < 0:
        words = "no witness was found there, and the bound does not exclude one"
        return Sampled("open", Evidence("sampled", count, float(value[worst]), _row(points, worst), words=words))
    exact = float(margin[worst])
    if claim.exclusion is None:  # the float margin may be rounding: quote the many-digit one
        found = recheck(claim, _row(points, worst))
        exact = float(found.margin) if found.inside else exact
    return Sampled("holds", Evidence("sampled", count, exact, _row(points, worst)))


def _plainest(claim: Claim, found: Counterexample) -> Counterexample:
    """The same refutation at the roundest numbers that still give one, for the reader's sake."""
    for figures in (1, 2, 3):
        rounded = {name: float(f"{value:.{figures}g}") for name, value in found.point.items()}
        plain = confirm(claim, rounded)
        if plain:
            return plain
    return found


def _suspicion(claim: Claim, margin: np.ndarray, exclusion: np.ndarray) -> np.ndarray:
    """Positive where floats see a violation, larger where they see it more clearly; NaN never."""
    if claim.exclusion is not None:
        value = -exclusion
    elif claim.kind is Kind.EQUALITY:
        value = np.abs(margin)
    else:
        # a strict claim is broken by an exact zero, which floats show as a tiny number of either sign
        value = np.where(np.abs(margin) < 1e-12, 1e-300, -margin) if claim.strict else -margin
    return np.where(np.isnan(value), -np.inf, value)


def _suspects(suspicion: np.ndarray) -> Iterator[int]:
    """The most suspicious points, largest first, then some that are only just suspicious."""
    order = np.argsort(-suspicion, kind="stable")
    guilty = order[suspicion[order] > 0]
    spread = np.unique(np.linspace(0, max(len(guilty) - 1, 0), _SUSPECTS // 2).astype(int))
    picks = [*guilty[: _SUSPECTS // 2], *(guilty[spread] if len(guilty) else [])]
    yield from dict.fromkeys(int(i) for i in picks)


def _best_inner(claim: Claim, points: Point, seed: int) -> np.ndarray:
    """The largest margin over the inner axes at each outer point."""
    inner = _coordinates(claim.inner, unit_points(_INNER, len(claim.inner), seed + 1))
    margin = _checked(claim, "margin", claim.margin)

    def best(p: Point) -> Any:
        over = jax.vmap(lambda z: margin(p.replace(**z.values())))(inner)
        return jnp.max(jnp.where(jnp.isnan(over), -jnp.inf, over))

    return np.asarray(jax.jit(lambda ps: jax.lax.map(best, ps, batch_size=64))(points))
