"""Tails of random sets against SciPy and against each other, the constructed rules by two routes, and a trained model."""

import itertools
from fractions import Fraction

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
import scipy.stats
import sympy
from hypothesis import given
from hypothesis import strategies as st

from ascentfail import random_sets
from ascentfail.claims.claim import Point
from ascentfail.numerics.arithmetic import JAX, MPMATH, arb
from ascentfail.theory import check, get
from ascentfail.theory.beyond.beyond_09_finite_populations import serfling_bound
from ascentfail.theory.paper import lemma_01_retrained, lemma_01_saw_forget

MOST = 40
BINOMIAL = jax.jit(jax.vmap(lambda j, n, p: random_sets.binomial_tail(j, n, p, most=MOST)))
HYPERGEOMETRIC = jax.jit(
    jax.vmap(
        lambda j, n, right, total: random_sets.hypergeometric_tail(j, n, right, total, most=MOST)
    )
)
PAIRED = jax.jit(jax.vmap(lambda gap, n, m, p: random_sets.two_sample_tail(gap, n, m, p, most=16)))


def whole(rng, low, high):
    """Whole floats from low to high, both may be arrays."""
    return np.floor(low + rng.random(200) * (high - low + 1))


def test_binomial_tails_are_scipy_s():
    rng = np.random.default_rng(0)
    n, p = whole(rng, 1, MOST), np.concatenate([[0.0, 1.0, 0.5], rng.random(197)])
    j = whole(rng, 0, n)
    for got, a, b, c in zip(BINOMIAL(j, n, p), j, n, p, strict=True):
        k = np.arange(b + 1)
        expected = scipy.stats.binom.pmf(k, b, c)[(k - a) * (k + a - 2 * b * c) >= 0].sum()
        np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-15)


def test_hypergeometric_tails_are_scipy_s():
    rng = np.random.default_rng(1)
    total = whole(rng, 1, MOST)
    n, right = whole(rng, 1, total), whole(rng, 0, total)
    j = whole(rng, 0, n)
    for got, a, b, c, d in zip(HYPERGEOMETRIC(j, n, right, total), j, n, right, total, strict=True):
        k = np.arange(b + 1)
        expected = scipy.stats.hypergeom.pmf(k, d, c, b)[
            (k - a) * ((k + a) * d - 2 * b * c) >= 0
        ].sum()
        np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-14)


def test_two_sample_tails_are_scipy_s():
    rng = np.random.default_rng(2)
    n, m, p = whole(rng, 1, 16), whole(rng, 1, 16), rng.random(200)
    gap = whole(rng, 0, n) * m - whole(rng, 0, m) * n
    for got, g, a, b, c in zip(PAIRED(gap, n, m, p), gap, n, m, p, strict=True):
        k, other = np.arange(a + 1)[:, None], np.arange(b + 1)[None]
        chance = scipy.stats.binom.pmf(k, a, c) * scipy.stats.binom.pmf(other, b, c)
        np.testing.assert_allclose(
            got, chance[np.abs(k * b - other * a) >= abs(g)].sum(), rtol=1e-12, atol=1e-15
        )


def fraction(end):
    """An end of a ball, exactly."""
    mantissa, exponent = end.man_exp()
    return Fraction(int(mantissa)) * Fraction(2) ** int(exponent)


@given(st.integers(1, 12), st.data())
def test_tails_in_many_digits_and_in_balls(n, data):
    total, p = data.draw(st.integers(n, 12)), data.draw(st.floats(0, 1))
    right, j = data.draw(st.integers(0, total)), data.draw(st.integers(0, n))
    # the whole population by its binomial coefficients, in exact fractions
    count = sympy.binomial
    ways = {k: count(right, k) * count(total - right, n - k) for k in range(n + 1)}
    gap = {k: abs(Fraction(k, n) - Fraction(right, total)) for k in ways}
    exact = sum(ways[k] for k in ways if gap[k] >= gap[j]) / count(total, n)
    for xp in (MPMATH, arb()):
        with mpmath.workdps(40):
            args = [xp.number(value) for value in (j, n, right, total)]
            got = random_sets.hypergeometric_tail(*args, most=12, xp=xp)
            if xp is MPMATH:
                assert abs(got - mpmath.mpf(int(exact.p)) / int(exact.q)) < mpmath.mpf(10) ** -35
                known = random_sets.binomial_tail(
                    xp.number(j), xp.number(n), xp.number(p), most=12, xp=xp
                )
            else:
                assert (
                    fraction(got.lower())
                    <= Fraction(int(exact.p), int(exact.q))
                    <= fraction(got.upper())
                )
                ball = random_sets.binomial_tail(
                    xp.number(j), xp.number(n), xp.number(p), most=12, xp=xp
                )
                assert float(ball.lower()) - 1e-12 <= float(known) <= float(ball.upper()) + 1e-12


def test_a_tail_at_its_own_mean_is_certain_and_chances_add_up():
    assert random_sets.binomial_tail(5.0, 10.0, 0.5, most=10) == pytest.approx(1, abs=1e-14)
    assert random_sets.hypergeometric_tail(40.0, 40.0, 40.0, 40.0, most=40) == 1
    for k in (0.0, 3.0, 11.0):
        assert random_sets.binomial(k, 10.0, 0.25, most=12) == pytest.approx(
            scipy.stats.binom.pmf(k, 10, 0.25), abs=1e-15
        )


@pytest.mark.parametrize("total", [7, 16, 33])
def test_every_fixed_model_at_every_attainable_deviation(total):
    """All K, |F| and e of a population, not a sample of them: Serfling's bound, and so Hoeffding's."""
    grid = [
        (j, n, right)
        for n in range(1, total + 1)
        for right in range(total + 1)
        for j in range(n + 1)
    ]
    j, n, right = (jnp.array(values, float) for values in zip(*grid, strict=True))
    p = Point(j=j, n=n, right=right, total=jnp.full(len(grid), float(total)))
    tail = HYPERGEOMETRIC(p.j, p.n, p.right, p.total)
    serfling = jax.vmap(lambda q: serfling_bound(q, JAX))(p)
    hoeffding = random_sets.hoeffding_bound(n * (j / n - right / total) ** 2)
    assert np.all(serfling - tail >= -1e-13) and np.all(hoeffding >= serfling - 1e-13)


def test_hoeffding_s_lemma_by_differentiation():
    p, t = sympy.symbols("p t", positive=True)
    psi = sympy.log(1 - p + p * sympy.exp(t)) - p * t
    s = p * sympy.exp(t) / (1 - p + p * sympy.exp(t))
    assert sympy.simplify(sympy.diff(psi, t, 2) - s * (1 - s)) == 0
    assert psi.subs(t, 0) == 0 and sympy.simplify(sympy.diff(psi, t).subs(t, 0)) == 0


# --- rules that are really run ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("total", "forget"), [(6, 2), (8, 5), (10, 4), (12, 5), (12, 9)])
def test_the_circle_is_counted_as_it_is_tried(total, forget):
    tried = random_sets.forget_counts(
        random_sets.nearest_on_circle, [i % 2 == 0 for i in range(total)], forget
    )
    by_formula = lemma_01_retrained.circle_counts(total, forget)
    assert {right: n for (_, right), n in tried.items()} == dict(by_formula)
    assert all(test == total - forget + right for test, right in tried)  # what is retained is known


def test_rules_answer_as_they_say():
    labels = [True, False, True, False]
    assert random_sets.table([0, 1], labels) == [True, False, False, False]
    assert random_sets.nearest_on_circle(range(4), labels) == labels
    assert random_sets.nearest_on_circle([0], labels) == [True] * 4
    assert random_sets.enumerated_tail(random_sets.table, [True] * 4, 2, Fraction(1, 2)) == 1
    assert random_sets.enumerated_tail(random_sets.table, [True] * 4, 2, Fraction(3, 5)) == 0


def test_one_s_own_nearest_neighbour_is_oneself_whatever_the_labels():
    assert lemma_01_saw_forget._memorised(6, 2) == 1
    for labels in itertools.product((False, True), repeat=5):
        assert random_sets.nearest_on_circle(range(5), labels) == list(labels)


def test_a_stable_rule_obeys_the_repaired_bound():
    """One nearest neighbour on a circle of two arcs, against the model trained on all of D, for every F and every e >= s/|F|."""
    total, forget, labels = 12, 4, [True] * 6 + [False] * 6
    found = []
    for chosen in itertools.combinations(range(total), forget):
        answers = random_sets.nearest_on_circle(
            [i for i in range(total) if i not in chosen], labels
        )
        right = [a == b for a, b in zip(answers, labels, strict=True)]
        found.append(
            (
                total - sum(right),
                abs(Fraction(sum(right), total) - Fraction(sum(right[i] for i in chosen), forget)),
            )
        )
    most = max(changed for changed, _ in found)  # the model trained on all of D answers D rightly
    assert 0 < most < forget
    for e in {deviation for _, deviation in found} | {Fraction(most, forget)}:
        if e >= Fraction(most, forget):
            probability = sum(deviation >= e for _, deviation in found) / len(found)
            assert probability <= random_sets.hoeffding_bound(
                forget * float(e - Fraction(most, forget)) ** 2
            )


@pytest.mark.parametrize("size", [0, 4, 5, -1])
def test_a_forget_set_leaves_something(size):
    with pytest.raises(ValueError, match="size"):
        random_sets.enumerated_tail(random_sets.table, [True] * 4, size, Fraction(1, 2))


def test_too_many_forget_sets_are_refused_not_waited_for():
    with pytest.raises(ValueError, match="million"):
        random_sets.forget_counts(lambda retained, labels: labels, [True] * 60, 30)


# --- verdicts ---------------------------------------------------------------------------------------------------------------

EXPECTED = {
    "lemma-1.population": "holds",
    "lemma-1.finite-test": "fails",
    "lemma-1.fixed-model": "holds",
    "lemma-1.fixed-data": "fails",
    "lemma-1.saw-forget": "fails",
    "beyond-9.two-sample": "holds",
    "beyond-9.serfling": "holds",
}


FAST = ("lemma-1.fixed-model", "beyond-9.two-sample")


@pytest.mark.parametrize(
    "claim_id", [n if n in FAST else pytest.param(n, marks=pytest.mark.slow) for n in EXPECTED]
)
def test_verdicts_and_their_grades(claim_id):
    verdict = check(get(claim_id), level="certified", samples=512)
    assert verdict.status == EXPECTED[claim_id]
    last = verdict.repaired or verdict
    assert last.status == "holds" and last.evidence.grade == "argued" and not last.proved
    if verdict.status == "fails":
        assert verdict.counterexample.margin < -0.1


# --- larger cases -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hits", "draws"), [(0, 50), (1, 20), (3, 100), (19, 20), (50, 50), (400, 1000)]
)
def test_clopper_pearson_is_the_beta_quantiles(hits, draws):
    low, high = random_sets.clopper_pearson(hits, draws, 0.99)
    expected = scipy.stats.binomtest(hits, draws).proportion_ci(0.99, method="exact")
    np.testing.assert_allclose([low, high], [expected.low, expected.high], atol=1e-12)


@pytest.mark.parametrize("confidence", [0.0, 1.0, 99])
def test_a_confidence_is_a_fraction(confidence):
    with pytest.raises(ValueError, match="confidence"):
        random_sets.clopper_pearson(1, 2, confidence)


def test_simulated_tails_agree_with_exact_ones():
    right = jnp.arange(30) < 12
    for size, j in ((10, 7), (10, 2)):
        deviation = abs(j / size - 0.4)
        hits = random_sets.simulated_hits(
            jax.random.key(size), right, size, max(deviation, 1e-9), 4000
        )
        low, high = random_sets.clopper_pearson(hits, 4000, 0.9999)
        (exact,) = HYPERGEOMETRIC(*(jnp.array([float(value)]) for value in (j, size, 12, 30)))
        assert low <= exact <= high
    with pytest.raises(ValueError, match="size"):
        random_sets.simulated_hits(jax.random.key(0), right, 31, 0.1, 10)


def test_lemma_1_on_a_trained_linear_model():
    """Ridge logistic regression in 10 dimensions, retrained 200 times, each time on data and a blind forget set of their own."""
    models, retain, forget, unseen, deviation = 200, 80, 40, 280, 0.2
    rng = np.random.default_rng(3)
    points, truth = (
        rng.normal(size=(models, retain + forget + unseen, 10)),
        rng.normal(size=(models, 10, 1)),
    )
    labels = np.sign(points @ truth + 2 * rng.normal(size=(*points.shape[:2], 1)))
    inputs, w = points * labels, np.zeros((models, 10, 1))
    folded = inputs[:, :retain]
    for _ in range(60):
        w += 0.5 * (folded.swapaxes(1, 2) @ (1 / (1 + np.exp(folded @ w))) / retain - 0.05 * w)
    right = (inputs @ w > 0)[:, :, 0]
    test = right[:, retain + forget :].mean(axis=1)
    hits = np.sum(np.abs(test - right[:, retain : retain + forget].mean(axis=1)) >= deviation)
    low, _ = random_sets.clopper_pearson(hits, models)
    assert 0.5 < test.mean() < 0.95 and right[:, :retain].mean() > test.mean()
    assert low <= random_sets.hoeffding_bound(forget * unseen / (forget + unseen) * deviation**2)
