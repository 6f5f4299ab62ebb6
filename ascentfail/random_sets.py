r"""Accuracies on random sets: how often a sample of answers is far from the population it is drawn from.

An answer is right or wrong, so only counts matter. With j of |F| = n answers right, the event |Acc_F - p| >= |j/n - p| is
(k - j)(k + j - 2 n p) >= 0 in the number k of right answers: no rounding decides it when the numbers are whole. Deviations are
always given by such an attainable j, because a tail P(|.| >= e) only jumps there and the bounds decrease in e.

Sums and products run over a fixed range and mask what lies outside, so that the counts may be traced.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections import Counter
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ascentfail.core.errors import invalid
from ascentfail.core.explained import check_key, explained, no_number, reals
from ascentfail.numerics.arithmetic import JAX, Arithmetic, Scalar
from ascentfail.numerics.loops import depend_on

Rule = Callable[
    [Sequence[int], Sequence[bool]], Sequence[bool]
]  # (indices trained on, all labels) -> answers at all points


def _each(chance: Callable[[Any], Scalar], most: int, xp: Arithmetic) -> Any:
    """chance(k) for k = 0..most: an array in JAX, a list elsewhere."""
    if xp is JAX:
        return jax.vmap(chance)(jnp.arange(most + 1.0))
    return [chance(xp.number(k)) for k in range(most + 1)]


def _expected(value: Callable[[Any], Scalar], chances: Any, xp: Arithmetic) -> Scalar:
    """The sum of chances[k] value(k)."""
    values = _each(value, len(chances) - 1, xp)
    if xp is JAX:
        return jnp.sum(chances * values)
    return sum(
        (chance * value for chance, value in zip(chances, values, strict=True)), xp.number(0)
    )


def _product(factor: Callable[[Any], Scalar], most: int, xp: Arithmetic) -> Scalar:
    """The product of factor(i) for i = 1..most; a loop in JAX, because forty copies of it take seconds to compile."""
    if xp is JAX:
        start = depend_on(jnp.ones(()), factor(jnp.ones(())))
        return jax.lax.fori_loop(
            1, most + 1, lambda i, product: product * factor(jnp.asarray(i, float)), start
        )
    product = xp.number(1)
    for i in range(1, most + 1):
        product = product * factor(xp.number(i))
    return product


def _ordered(
    n: Scalar,
    k: Scalar,
    right: Callable[[Any], Scalar],
    wrong: Callable[[Any], Scalar],
    most: int,
    xp: Arithmetic,
) -> Scalar:
    """C(n, k) prod_{i<=k} right(i) prod_{k<i<=n} wrong(i), zero for k > n: right answers first, times the number of orders."""

    def factor(i: Scalar) -> Scalar:
        drawn, hit = xp.indicator(n - i), xp.indicator(k - i)
        return hit * right(i) * (n - k + i) / i + (1 - hit) * (drawn * wrong(i) + 1 - drawn)

    return xp.indicator(n - k) * _product(factor, most, xp)


@explained
def binomial(k: Scalar, n: Scalar, p: Scalar, *, most: int, xp: Arithmetic = JAX) -> Scalar:
    """C(n, k) p^k (1-p)^{n-k}, the chance of k right answers among n independent ones.

    Args:
        k: whole number >= 0; zero for k > n.
        n: whole number, 0 to most.
        p: chance of each, 0 to 1.
        most: largest n.
        xp: arithmetic.

    Returns:
        Probability.
    """
    return _ordered(n, k, lambda i: p, lambda i: 1 - p, most, xp)


@explained
def hypergeometric(
    k: Scalar, n: Scalar, right: Scalar, total: Scalar, *, most: int, xp: Arithmetic = JAX
) -> Scalar:
    """C(K, k) C(N-K, n-k)/C(N, n), the chance of k right answers among n drawn without replacement from N with K right.

    Args:
        k: whole number >= 0; zero for k > n.
        n: whole number, 0 to min(most, N).
        right: K, whole, 0 to N.
        total: N, whole.
        most: largest n.
        xp: arithmetic.

    Returns:
        Probability.
    """

    def left(i: Scalar) -> Scalar:
        return xp.maximum(total - (i - 1), xp.number(1))  # at least 1 where i <= n

    return _ordered(
        n,
        k,
        lambda i: (right - (i - 1)) / left(i),
        lambda i: (total - right - (i - 1) + k) / left(i),
        most,
        xp,
    )


@explained
def binomial_tail(j: Scalar, n: Scalar, p: Scalar, *, most: int, xp: Arithmetic = JAX) -> Scalar:
    """P(|k/n - p| >= |j/n - p|) for k binomial (n, p). Arguments as for `binomial`, 0 <= j <= n. Paper: Lemma 1."""
    chances = _each(lambda k: binomial(k, n, p, most=most, xp=xp), most, xp)
    return _expected(lambda k: xp.indicator((k - j) * (k + j - 2 * n * p)), chances, xp)


@explained
def hypergeometric_tail(
    j: Scalar, n: Scalar, right: Scalar, total: Scalar, *, most: int, xp: Arithmetic = JAX
) -> Scalar:
    """P(|k/n - K/N| >= |j/n - K/N|) for k drawn without replacement. Arguments as for `hypergeometric`, 0 <= j <= n."""
    chances = _each(lambda k: hypergeometric(k, n, right, total, most=most, xp=xp), most, xp)
    return _expected(
        lambda k: xp.indicator((k - j) * ((k + j) * total - 2 * n * right)), chances, xp
    )


@explained
def two_sample_tail(
    gap: Scalar, n: Scalar, m: Scalar, p: Scalar, *, most: int, xp: Arithmetic = JAX
) -> Scalar:
    """P(|k/n - l/m| >= |gap|/(n m)) for k binomial (n, p) and l binomial (m, p), independent.

    Args:
        gap: whole number n m (k/n - l/m) at the deviation asked for.
        n: size of the one sample, whole, 1 to most.
        m: size of the other.
        p: chance of each answer.
        most: largest size.
        xp: arithmetic.

    Returns:
        Probability. Paper: Lemma 1 with a finite test set.
    """
    first, second = (
        _each(lambda k, size=size: binomial(k, size, p, most=most, xp=xp), most, xp)
        for size in (n, m)
    )

    def beyond(k: Scalar) -> Scalar:
        return _expected(
            lambda other: xp.indicator((k * m - other * n) ** 2 - gap * gap), second, xp
        )

    return _expected(beyond, first, xp)


@explained
def hoeffding_bound(exponent: Scalar, *, xp: Arithmetic = JAX) -> Scalar:
    """2 e^{-2 x}, x = |F| e^2 or what takes its place. Paper: Lemma 1."""
    return 2 * xp.exp(-2 * exponent)


# --- constructed learning rules: every forget set of a small training set, one by one --------------------------------------


def _listed(**given: Any) -> None:
    """Refuses what can be walked through but lists nothing."""
    for name, value in given.items():
        if isinstance(value, str | bytes | dict) or not isinstance(value, Sequence | np.ndarray):
            raise invalid(
                name,
                value,
                "a list of whole numbers" if name == "retained" else "a list of booleans",
            )


@explained
def table(retained: Sequence[int], labels: Sequence[bool]) -> list[bool]:
    """A look-up table: the stored label of a point it has seen, False elsewhere."""
    _listed(retained=retained, labels=labels)
    seen = set(retained)
    return [label and i in seen for i, label in enumerate(labels)]


@explained
def nearest_on_circle(retained: Sequence[int], labels: Sequence[bool]) -> list[bool]:
    """One nearest neighbour for points equally spaced on a circle; of two at one distance the one found first, clockwise."""
    _listed(retained=retained, labels=labels)
    total = len(labels)

    def nearest(i: int) -> int:
        return min(
            retained,
            key=lambda other: (min((i - other) % total, (other - i) % total), (other - i) % total),
        )

    return [labels[nearest(i)] for i in range(total)]


@explained
def enumerated_tail(rule: Rule, labels: Sequence[bool], size: int, deviation: Fraction) -> Fraction:
    """P(|Acc_T - Acc_F| >= deviation) for a uniformly drawn forget set, the rule retrained on what remains of D.

    Every forget set is tried. Acc_T is the accuracy on the population that is uniform over the points of D.

    Args:
        rule: a learning rule.
        labels: of the points of D.
        size: |F|, from 1 to |D| - 1.
        deviation: exact.

    Returns:
        Exact probability.

    Raises:
        ValueError: a size out of range, or more than a million forget sets.

    Paper: Lemma 1.
    """
    counts = forget_counts(rule, labels, size)
    total, deviation = len(labels), Fraction(deviation)
    far = sum(
        n
        for (test, forget), n in counts.items()
        if abs(Fraction(test, total) - Fraction(forget, size)) >= deviation
    )
    return Fraction(far, sum(counts.values()))


@explained
def forget_counts(rule: Rule, labels: Sequence[bool], size: int) -> Counter[tuple[int, int]]:
    """How many forget sets have (right answers on D, right answers on F). Arguments as for `enumerated_tail`."""
    _listed(labels=labels)
    if no_number(labels):
        raise invalid("labels", labels, "a list of booleans")
    total = len(labels)
    if isinstance(size, bool) or not isinstance(size, int | np.integer) or not 1 <= size < total:
        raise invalid("size", size, f"a whole number from 1 to {total - 1}")
    if math.comb(total, size) > 10**6:
        raise invalid(
            "size", size, f"at most a million forget sets of {total} points to try one by one"
        )
    counts: Counter[tuple[int, int]] = Counter()
    for chosen in itertools.combinations(range(total), size):
        forgotten = set(chosen)
        answers = rule([i for i in range(total) if i not in forgotten], labels)
        right = [answer == label for answer, label in zip(answers, labels, strict=True)]
        counts[sum(right), sum(right[i] for i in chosen)] += 1
    return counts


# --- larger cases: simulation, and an interval that covers ------------------------------------------------------------------


@explained
@functools.partial(jax.jit, static_argnames=("size", "draws"))
def simulated_hits(
    key: jax.Array, right: jax.Array, size: int, deviation: float, draws: int
) -> jax.Array:
    """How many of `draws` random forget sets have |Acc_F - Acc_D| >= deviation, for one fixed model.

    Args:
        key: typed random key.
        right: (N,) booleans, whether the model answers each point of D rightly.
        size: |F|, 1 to N.
        deviation: > 0; half a step 1/(2 |F| N) is allowed for rounding, so that attained values count.
        draws: number of forget sets.

    Returns:
        int32 count.

    Raises:
        ValueError: a size or a number of draws out of range, or no typed key.
    """
    check_key(key)
    total = right.shape[0]
    if not 1 <= size <= total:
        raise invalid("size", size, f"a whole number from 1 to {total}")
    if isinstance(draws, bool) or not isinstance(draws, int | np.integer) or draws < 1:
        raise invalid("draws", draws, "a whole number >= 1")
    if jnp.iscomplexobj(right):
        raise invalid("right", right, "an array of booleans")
    right = jnp.asarray(right, float)

    def far(one: jax.Array) -> jax.Array:
        chosen = right[jnp.argsort(jax.random.uniform(one, (total,)))[:size]]
        return jnp.abs(jnp.mean(chosen) - jnp.mean(right)) >= deviation - 1 / (2 * size * total)

    return jnp.sum(jax.lax.map(far, jax.random.split(key, draws), batch_size=1024), dtype=jnp.int32)


@explained
def clopper_pearson(
    hits: jax.Array, draws: jax.Array, confidence: float = 0.999
) -> tuple[jax.Array, jax.Array]:
    """Confidence interval of a probability that was met `hits` times in `draws`; covers at least as often as it says.

    Args:
        hits: 0 to draws.
        draws: >= 1.
        confidence: above 0 and below 1.

    Returns:
        (low, high), from incomplete beta functions by bisection.

    Raises:
        ValueError: confidence out of range.

    Ours: Clopper and Pearson (1934).
    """
    if not 0 < confidence < 1:
        raise invalid("confidence", confidence, "a number above 0 and below 1")
    hits = jnp.asarray(reals("hits", hits, "a number from 0 to draws"))
    draws = jnp.asarray(reals("draws", draws, "a number >= 1"))
    level = (1 - confidence) / 2

    def quantile(a: jax.Array, b: jax.Array, at: float) -> jax.Array:
        def halve(_: Any, ends: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
            middle = (ends[0] + ends[1]) / 2
            below = jax.scipy.special.betainc(a, b, middle) < at
            return jnp.where(below, middle, ends[0]), jnp.where(below, ends[1], middle)

        low, high = jax.lax.fori_loop(0, 60, halve, (jnp.zeros_like(a), jnp.ones_like(a)))
        return (low + high) / 2

    safe = (
        jnp.maximum(hits, 1),
        jnp.maximum(draws - hits, 1),
    )  # at either end that end of the interval is 0 or 1
    low = jnp.where(hits > 0, quantile(safe[0], draws - safe[0] + 1, level), 0.0)
    high = jnp.where(hits < draws, quantile(draws - safe[1] + 1, safe[1], 1 - level), 1.0)
    return low, high
