"""The remarks by second routes: autodiff and eigenvectors for influence, descent for the ridge, Newton for the oracle."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ascentfail as af
from ascentfail.claims.claim import Point
from ascentfail.numerics.arithmetic import JAX
from ascentfail.theory import check, get, recheck
from ascentfail.theory.beyond import beyond_02_displacement
from ascentfail.theory.paper import remark_influence, remark_ridge

# --- influence ---------------------------------------------------------------------------------------------------------------


def influence_matrix(x, y, ridge, theta):
    """From the loss itself: per-sample gradients and the Hessian of the ridge objective, by automatic differentiation."""

    def sample(theta, x, y):
        return jax.nn.softplus(-y * jnp.vdot(x, theta))

    def objective(theta):
        return jnp.mean(jax.vmap(sample, (None, 0, 0))(theta, x, y)) + ridge / 2 * jnp.vdot(
            theta, theta
        )

    slopes = jax.vmap(jax.grad(sample), (None, 0, 0))(theta, x, y)
    return slopes @ jnp.linalg.solve(jax.hessian(objective)(theta), slopes.T)


def leading(matrix):
    return np.linalg.eigh(np.asarray(matrix))[1][:, -1]


@pytest.mark.parametrize("seed", range(4))
def test_two_samples_by_formula_and_by_autodiff(seed):
    rng = np.random.default_rng(seed)
    lengths, cosine, labels, ridge = (
        rng.uniform(0.5, 2, 2),
        rng.uniform(-0.9, 0.9),
        rng.integers(0, 2, 2),
        0.1,
    )
    x = jnp.array([[lengths[0], 0.0], [lengths[1] * cosine, lengths[1] * np.sqrt(1 - cosine**2)]])
    p = Point(
        length1=lengths[0],
        length2=lengths[1],
        cosine=cosine,
        label1=float(labels[0]),
        label2=float(labels[1]),
        ridge=ridge,
    )
    found = influence_matrix(x, jnp.array(2.0 * labels - 1), ridge, jnp.zeros(2))
    a, c, d = remark_influence.influence(p)
    np.testing.assert_allclose(found, [[a, c], [c, d]], rtol=1e-12)
    gram = np.asarray(x @ x.T)
    expected = 1 - np.vdot(leading(found), leading(gram)) ** 2
    np.testing.assert_allclose(
        remark_influence.leading_angle((a, c, d), remark_influence.gram(p), JAX),
        expected,
        atol=1e-12,
    )


@pytest.mark.parametrize(("samples", "inputs"), [(3, 2), (12, 5), (6, 9)])
def test_any_number_of_samples_at_a_small_theta(samples, inputs):
    rng = np.random.default_rng(samples)
    x, y = rng.normal(size=(samples, inputs)), np.where(rng.random(samples) < 0.5, -1.0, 1.0)
    gram = leading(x @ x.T)
    cosines = []
    for size in (1e-1, 1e-3, 1e-5):
        found = leading(
            influence_matrix(
                jnp.array(x), jnp.array(y), 0.5, size * jnp.array(rng.normal(size=inputs))
            )
        )
        cosines.append((abs(found @ (y * gram)), abs(found @ gram)))
    assert (
        1 - cosines[-1][0] < 1e-8 and cosines[-1][0] >= cosines[0][0]
    )  # with the labels it tends to 1
    assert (
        abs(cosines[-1][1] - abs(np.sum(y * gram**2))) < 1e-4
    )  # without them to this, below 1 for mixed labels
    assert abs(np.sum(y * gram**2)) < 0.999


def test_influence_is_refuted_by_opposite_labels_and_holds_for_equal_ones():
    claim = get("influence-pc")
    point = {
        "length1": 1.0,
        "length2": 1.0,
        "cosine": 0.5,
        "label1": 0.0,
        "label2": 1.0,
        "ridge": 0.5,
    }
    assert recheck(claim, point).violated and float(recheck(claim, point).margin) == 1.0
    assert not recheck(claim, {**point, "label1": 1.0}).violated
    assert recheck(get("influence-pc.repaired"), point).margin == 0


def test_cross_influence_is_open_until_measured():
    verdict = check(get("cross-influence"))
    assert verdict.status == "open" and "no experiment" in verdict.evidence.words


# --- ridge -------------------------------------------------------------------------------------------------------------------


def minimiser(problem, which):
    """By gradient descent on the loss as the paper writes it."""
    slope = jax.grad(lambda w: af.loss(problem, w, which))
    return jax.lax.fori_loop(0, 4000, lambda _, w: w - 0.3 * slope(w), jnp.zeros(2))


@pytest.mark.parametrize(("forget", "side"), [(10.0, 1), (40.0, 0), (70.0, -1)])
def test_less_ridge_turns_the_original_towards_the_diagonal(forget, side):
    def at(ridge, which):
        return minimiser(af.CrossCorrelated(0.5, 40.0, forget, 100.0, 80.0, ridge), which)

    (a, b), (c, d) = at(0.5, "original"), at(0.05, "original")
    turned = a * d - b * c
    p = Point(epsilon=0.5, b=0.4 / 0.5, alpha=forget / 40, phi=0.8, factor=10.0)
    np.testing.assert_allclose(turned, remark_ridge.turn(p, "original", JAX), atol=1e-8)
    assert np.sign(np.round(turned, 7)) == side  # alpha = 1 lies on the diagonal already
    (a, b), (c, d) = at(0.5, "oracle"), at(0.05, "oracle")
    assert abs(a * d - b * c) < 1e-8 and a < c


# --- displacement ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("means", [True, False])
def test_quadratic_displacement_by_linear_algebra(means):
    rng = np.random.default_rng(5)
    for _ in range(5):
        axes = get("beyond-2.quadratic-means").domain.axes
        values = {axis.name: float(axis.at(rng.random())) for axis in axes}
        big_a = np.array([[values["a11"], values["a12"]], [values["a12"], values["a22"]]])
        big_b = np.array([[values["b11"], values["b12"]], [values["b12"], values["b22"]]])
        a, c = np.array([values["a1"], values["a2"]]), np.array([values["c1"], values["c2"]])
        phi, ridge = values["phi"] if means else 1.0, values["ridge"] * np.eye(2)
        weights = (1 / (1 + phi), phi / (1 + phi)) if means else (1.0, 1.0)
        original = np.linalg.solve(
            weights[0] * big_a + weights[1] * big_b + ridge, weights[0] * a + weights[1] * c
        )
        retain = big_a + ridge
        pull = big_b @ original - c + (ridge @ original if means else 0)
        np.testing.assert_allclose(
            np.linalg.solve(retain, a) - original, phi * np.linalg.solve(retain, pull), atol=1e-12
        )
        assert abs(beyond_02_displacement.quadratic_residual(Point(**values), means)) < 1e-12


def test_first_order_displacement_is_a_newton_step_and_its_error_is_of_second_order():
    errors = []
    for phi in (1e-1, 1e-2, 1e-3):
        problem = af.SemiOrthogonal(40.0, 80 * phi, 100.0, 100 * phi, 0.01)  # alpha = 2 phi
        original = af.closed_form.original(problem)
        objective = lambda w: af.loss(problem, w, "oracle")  # noqa: E731, B023
        newton = -jax.grad(objective)(original) / jax.hessian(objective)(original)
        error = float(af.closed_form.oracle(problem) - original - newton)
        p = Point(b=problem.b, alpha=problem.alpha, phi=problem.phi)
        np.testing.assert_allclose(beyond_02_displacement.shortfall(p, JAX), error, atol=1e-13)
        errors.append(error)
    assert 0 < errors[2] < errors[1] < errors[0]
    assert errors[1] / errors[2] == pytest.approx(100, rel=0.1)


# --- verdicts ----------------------------------------------------------------------------------------------------------------

EXPECTED = {  # the status, and the grade of the statement, or of the repaired one, that holds
    "influence-pc": ("fails", "argued"),
    "cross-influence": ("open", "sampled"),
    "ridge-radial": ("fails", "identity"),
    "ridge-radial.turns": ("holds", "argued"),
    "beyond-2.quadratic-means": ("holds", "identity"),
    "beyond-2.quadratic-sums": ("holds", "identity"),
    "beyond-2.first-order": ("holds", "argued"),
}
SLOW = "ridge-radial.turns"


@pytest.mark.parametrize(
    "claim_id", [*(n for n in EXPECTED if n != SLOW), pytest.param(SLOW, marks=pytest.mark.slow)]
)
def test_verdicts_and_their_grades(claim_id):
    verdict = check(get(claim_id), level="certified", samples=512)
    last = verdict.repaired or verdict
    assert (verdict.status, last.evidence.grade) == EXPECTED[claim_id]
    assert last.status == ("open" if claim_id == "cross-influence" else "holds")
