"""Problems: what the constructor takes and refuses, pytrees that are never validated again, ratios to and fro."""

import dataclasses

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from strategies import axis_problems, plane_problems, real, scale

import ascentfail as af

AXIS = dict(
    retain_on_axis=40.0, forget_on_axis=8.0, retain_total=100.0, forget_total=40.0, ridge=1e-3
)
PLANE = dict(
    epsilon=0.5,
    retain_in_plane=40.0,
    forget_in_plane=8.0,
    retain_total=100.0,
    forget_total=40.0,
    ridge=1e-2,
)
CASES = [(af.SemiOrthogonal, AXIS), (af.CrossCorrelated, PLANE)]
FIELDS = [(cls, good, name) for cls, good in CASES for name in good]
RANGE_WORDS = {
    "retain_on_axis": "0 <= retain_on_axis <= retain_total", "forget_on_axis": "0 <= forget_on_axis <= forget_total",
    "retain_in_plane": "0 <= retain_in_plane <= retain_total", "forget_in_plane": "0 <= forget_in_plane <= forget_total",
    "retain_total": "> 0", "forget_total": "> 0", "ridge": "> 0", "epsilon": "0 <= epsilon <= 1",
}  # fmt: skip


def leaves(problem) -> dict:
    return {
        f.name: getattr(problem, f.name) for f in dataclasses.fields(problem) if f.name != "loss"
    }


# --- what the constructor refuses ------------------------------------------------------------------------------------------

NO_NUMBERS = [
    float("nan"),
    float("inf"),
    -float("inf"),
    -1.0,
    -1e-300,
    None,
    "3",
    b"3",
    True,
    1j,
    {},
    object(),
]
NO_NUMBERS += [np.array(True), np.array([1.0, np.nan]), np.array(["a"]), np.array(2j), [1, [2]]]


@pytest.mark.parametrize(
    ("cls", "good", "name"), FIELDS, ids=lambda v: getattr(v, "__name__", None)
)
@pytest.mark.parametrize("bad", NO_NUMBERS, ids=lambda v: repr(v)[:20])
def test_no_field_takes_what_is_no_number_of_its_range(cls, good, name, bad):
    with pytest.raises(ValueError) as error:
        cls(**{**good, name: bad})
    message = str(error.value)
    got = " ".join(repr(bad).split())
    assert message.startswith(f"{name} = {got}: {name} takes ")
    assert RANGE_WORDS[name] in message


@pytest.mark.parametrize(
    ("cls", "good", "name", "bad"),
    [
        (af.SemiOrthogonal, AXIS, "ridge", 0.0),
        (af.SemiOrthogonal, AXIS, "ridge", 0),
        (af.SemiOrthogonal, AXIS, "retain_total", 0.0),
        (af.SemiOrthogonal, AXIS, "forget_total", 0.0),
        (af.SemiOrthogonal, AXIS, "retain_on_axis", np.nextafter(100.0, 101.0)),
        (af.SemiOrthogonal, AXIS, "retain_on_axis", np.array([100.0, 100.5])),
        (af.SemiOrthogonal, AXIS, "forget_on_axis", np.array([-0.5, 1.0])),
        (af.SemiOrthogonal, AXIS, "forget_on_axis", 41),
        (af.CrossCorrelated, PLANE, "retain_in_plane", 101),
        (af.CrossCorrelated, PLANE, "forget_in_plane", 40.001),
        (af.CrossCorrelated, PLANE, "ridge", 0.0),
        (af.CrossCorrelated, PLANE, "epsilon", np.nextafter(1.0, 2.0)),
        (af.CrossCorrelated, PLANE, "epsilon", np.array([0.5, 1.5])),
        (af.CrossCorrelated, PLANE, "epsilon", 2),
    ],
)
def test_values_just_outside_a_range_are_refused(cls, good, name, bad):
    with pytest.raises(ValueError, match=f"^{name} = .*{name} takes .*{RANGE_WORDS[name]}"):
        cls(**{**good, name: bad})


@pytest.mark.parametrize(("cls", "good"), CASES)
@pytest.mark.parametrize("bad", ["hinge", "Exponential", "", None, 1, ["exponential"]])
def test_an_unknown_loss_is_refused(cls, good, bad):
    with pytest.raises(ValueError, match="^loss = .*loss takes 'exponential' or 'logistic'"):
        cls(**good, loss=bad)


def test_a_count_above_its_total_says_how_large_the_total_is():
    with pytest.raises(
        ValueError, match=r"^retain_on_axis = 400.0: .* <= retain_total; here retain_total = 100.0$"
    ):
        af.SemiOrthogonal(**{**AXIS, "retain_on_axis": 400.0, "retain_total": 100.0})
    with pytest.raises(
        ValueError, match=r"^forget_in_plane = 50.0: .* <= forget_total; here forget_total = 40.0$"
    ):
        af.CrossCorrelated(**{**PLANE, "forget_in_plane": 50.0, "forget_total": 40})


@pytest.mark.parametrize(("cls", "good"), CASES)
def test_shapes_that_do_not_broadcast_are_refused_by_name(cls, good):
    with pytest.raises(ValueError, match="retain_total.*shapes that broadcast together"):
        cls(**{**good, "retain_total": np.full(3, 100.0), "ridge": np.ones(2)})


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        (name, bad)
        for name in ("alpha", "phi", "b", "retain_total", "ridge")
        for bad in (-1.0, np.nan, np.inf, "x", 1j, True)
    ]
    + [("alpha", None), ("phi", None), ("b", None), ("retain_total", None)]
    + [("phi", 0.0), ("ridge", 0.0), ("ridge", 0.6), ("alpha", 3.0)],
)
def test_from_ratios_names_the_ratio_that_is_out_of_range(name, bad):
    good = dict(alpha=0.3, phi=0.5, b=2.0, retain_total=10.0, ridge=0.1)
    with pytest.raises(ValueError, match=f"^{name} = .*{name} takes "):
        af.SemiOrthogonal.from_ratios(**{**good, name: bad})
    with pytest.raises(ValueError, match=f"^{name} = .*{name} takes "):
        af.CrossCorrelated.from_ratios(**{**good, name: bad}, epsilon=0.5)


def test_from_ratios_needs_a_positive_b_to_choose_the_ridge():
    with pytest.raises(
        ValueError, match="^b = 0.0: b takes a real number > 0 when ridge is not given"
    ):
        af.SemiOrthogonal.from_ratios(alpha=0.3, phi=0.5, b=0.0)
    assert af.SemiOrthogonal.from_ratios(alpha=0.3, phi=0.5, b=0.0, ridge=0.1).b == 0
    with pytest.raises(ValueError, match="^epsilon = 1.5"):
        af.CrossCorrelated.from_ratios(epsilon=1.5, alpha=0.3, phi=0.5, b=1.0)


# --- what the constructor takes --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cls", "good", "changed"),
    [
        (af.SemiOrthogonal, AXIS, dict(retain_on_axis=0.0)),
        (af.SemiOrthogonal, AXIS, dict(forget_on_axis=0.0)),
        (af.SemiOrthogonal, AXIS, dict(retain_on_axis=100.0, forget_on_axis=40.0)),
        (
            af.SemiOrthogonal,
            AXIS,
            dict(retain_on_axis=np.array([0.0, 100.0]), forget_on_axis=np.array([40.0, 0.0])),
        ),
        (af.SemiOrthogonal, AXIS, dict(ridge=1e-300)),
        (af.SemiOrthogonal, AXIS, dict(loss="logistic")),
        (af.CrossCorrelated, PLANE, dict(epsilon=0.0)),
        (af.CrossCorrelated, PLANE, dict(epsilon=1.0)),
        (af.CrossCorrelated, PLANE, dict(epsilon=1)),
        (af.CrossCorrelated, PLANE, dict(retain_in_plane=0.0, forget_in_plane=0.0)),
        (
            af.CrossCorrelated,
            PLANE,
            dict(retain_in_plane=100.0, forget_in_plane=40.0, loss="logistic"),
        ),
        (af.CrossCorrelated, PLANE, dict(ridge=jnp.float32(0.5))),
    ],
)
def test_the_ends_of_every_range_are_taken(cls, good, changed):
    problem = cls(**{**good, **changed})
    for name, value in changed.items():
        np.testing.assert_array_equal(getattr(problem, name), value)


@pytest.mark.parametrize(("cls", "good"), CASES)
def test_problems_are_frozen(cls, good):
    problem = cls(**good)
    with pytest.raises(dataclasses.FrozenInstanceError):
        problem.ridge = 2.0
    with pytest.raises(dataclasses.FrozenInstanceError):
        del problem.ridge
    with pytest.raises(ValueError, match="^ridge = -1"):
        dataclasses.replace(problem, ridge=-1)  # a copy is a new problem, and checked


def test_ints_become_floats_so_that_gradients_exist():
    problem = af.SemiOrthogonal(40, np.int32(8), np.array(100), jnp.array(40), 1)
    gradient = jax.grad(lambda p: af.closed_form.original(p))(problem)
    for value in [*leaves(problem).values(), *leaves(gradient).values()]:
        assert jnp.issubdtype(jnp.result_type(value), jnp.floating)
    chex.assert_tree_all_finite(gradient)
    vector = af.SemiOrthogonal(np.array([4, 2]), jnp.array([1, 0]), 10, 4, 1)
    assert jax.grad(lambda p: jnp.sum(af.closed_form.original(p)))(vector).retain_on_axis.shape == (
        2,
    )


def test_sequences_of_numbers_become_arrays():
    for kind in (list, tuple):
        problem = af.SemiOrthogonal(kind([4.0, 2.0]), kind([1.0, 0.0]), 10.0, 4.0, 1.0)
        assert len(jax.tree.leaves(problem)) == 5  # a list would become two leaves of its own
        np.testing.assert_allclose(problem.alpha, [0.25, 0.0])


def test_float32_fields_stay_float32():
    problem = jax.tree.map(jnp.float32, af.CrossCorrelated(**PLANE))
    rebuilt = af.CrossCorrelated(**leaves(problem))
    assert all(value.dtype == jnp.float32 for value in leaves(rebuilt).values())
    assert rebuilt.b.dtype == jnp.float32


@given(axis_problems())
def test_ratios_follow_from_the_counts_on_axes(problem):
    retain, forget = np.asarray(problem.retain_on_axis), np.asarray(problem.forget_on_axis)
    np.testing.assert_allclose(problem.phi, problem.forget_total / problem.retain_total, rtol=1e-15)
    np.testing.assert_allclose(
        problem.b, retain / (problem.ridge * problem.retain_total), rtol=1e-15
    )
    np.testing.assert_allclose(
        problem.forget_b, forget / (problem.ridge * problem.retain_total), rtol=1e-15
    )
    some = retain > 0
    np.testing.assert_allclose(
        np.asarray(problem.alpha)[some], forget[some] / retain[some], rtol=1e-15
    )
    assert np.all(np.isinf(np.asarray(problem.alpha)[~some & (forget > 0)]))


@given(plane_problems())
def test_ratios_follow_from_the_counts_in_the_plane(problem):
    np.testing.assert_allclose(problem.phi, problem.forget_total / problem.retain_total, rtol=1e-15)
    np.testing.assert_allclose(
        problem.b * problem.ridge * problem.retain_total, problem.retain_in_plane, rtol=1e-15
    )
    np.testing.assert_allclose(
        problem.forget_b * problem.ridge * problem.retain_total, problem.forget_in_plane, rtol=1e-15
    )


# --- pytrees ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("cls", "good"), CASES)
@pytest.mark.parametrize(
    "leaf", [None, -7.0, 3, "anything", object(), jax.ShapeDtypeStruct((), jnp.float64)]
)
def test_unflattening_never_validates(cls, good, leaf):
    values, structure = jax.tree.flatten(cls(**good, loss="logistic"))
    assert values == list(good.values())
    rebuilt = jax.tree.unflatten(structure, [leaf] * len(values))
    assert type(rebuilt) is cls and rebuilt.loss == "logistic"
    assert all(value is leaf for value in leaves(rebuilt).values())


@pytest.mark.parametrize(("cls", "good"), CASES)
def test_pytree_paths_are_the_field_names_and_the_loss_is_static(cls, good):
    exponential, logistic = cls(**good), cls(**good, loss="logistic")
    paths = [
        jax.tree_util.keystr(path) for path, _ in jax.tree_util.tree_leaves_with_path(exponential)
    ]
    assert paths == [f".{name}" for name in good]
    assert jax.tree.structure(exponential) != jax.tree.structure(logistic)


@pytest.mark.parametrize(("cls", "good"), CASES)
def test_problems_pass_through_the_transformations(cls, good):
    problem = cls(**good)
    doubled = jax.jit(lambda p: jax.tree.map(lambda v: 2 * v, p))(
        problem
    )  # epsilon or a count may leave its range
    chex.assert_trees_all_close(leaves(doubled), {name: 2 * value for name, value in good.items()})
    # in_axes is a problem whose leaves are None and integers
    batch = jax.tree.map(lambda v: v, problem)
    batch = dataclasses.replace(batch, ridge=jnp.array([1.0, 2.0, 4.0]))
    axes = jax.tree.map(lambda v: 0 if jnp.ndim(v) else None, batch)
    ridges = jax.vmap(lambda p: p.b * p.ridge, in_axes=(axes,))(batch)
    np.testing.assert_allclose(ridges, np.full(3, 0.4))
    weights = jnp.zeros(2) if cls is af.CrossCorrelated else jnp.zeros(())
    gradient = jax.grad(lambda p: af.loss(p, weights + 1, "original"))(problem)
    assert type(gradient) is cls
    hessian = jax.hessian(lambda p: af.loss(p, weights + 1, "original"))(problem)
    assert type(hessian) is cls and type(hessian.ridge) is cls
    chex.assert_tree_all_finite((gradient, hessian))
    assert jax.eval_shape(lambda p: p, problem).ridge.shape == ()


def test_construction_inside_jit_and_vmap_takes_tracers_and_still_checks_numbers():
    build = jax.jit(lambda ridge: af.SemiOrthogonal(**{**AXIS, "ridge": ridge}).b)
    np.testing.assert_allclose(build(0.5), 0.8)
    assert np.isfinite(build(-0.5))  # a traced value is never checked
    with pytest.raises(ValueError, match="^retain_total = -1"):
        jax.jit(
            lambda ridge: af.SemiOrthogonal(**{**AXIS, "ridge": ridge, "retain_total": -1.0}).b
        )(0.5)
    for total, count in (("retain_total", "retain_on_axis"), ("forget_total", "forget_on_axis")):
        with pytest.raises(
            ValueError, match=f"^{count} = -1"
        ):  # below 0 whatever the traced total is
            jax.jit(
                lambda n, total=total, count=count: (
                    af.SemiOrthogonal(**{**AXIS, total: n, count: -1.0}).b
                )
            )(100.0)


# --- equality, and axes of a batch ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "numbers",
    [np.array([4.0, 2.0]), jnp.array([4.0, 2.0]), [4.0, 2.0], 4.0, jnp.float32(4.0), np.zeros(0)],
)
def test_problems_are_equal_where_their_numbers_are(numbers):
    kinds = [
        (af.SemiOrthogonal, ([1.0, 0.5], 10.0, 5.0, 0.1)),
        (af.SemiOrthogonal, (1.0, 10.0, 5.0, 0.1)),
    ]
    for cls, rest in kinds if np.size(numbers) else kinds[1:]:
        one, same, other = cls(numbers, *rest), cls(np.array(numbers), *rest), cls(3.0, *rest)
        assert (one == same) is True and (one != same) is False and hash(one) == hash(same)
        assert (
            (one == other) is False
            and (one != other) is True
            and (one == 3) is False
            and len({one, same, other}) == 2
        )
        assert (one == dataclasses.replace(one, loss="logistic")) is False
        assert jax.jit(lambda p: jnp.asarray(p.b), static_argnums=0)(one).shape == np.shape(one.b)


def test_equality_counts_shapes_and_signs_of_zero_as_numpy_does():
    zero, other = (af.SemiOrthogonal(x, 1.0, 10.0, 5.0, 0.1) for x in (0.0, -0.0))
    assert zero == other and hash(zero) == hash(other)
    assert af.SemiOrthogonal([4.0], 1.0, 10.0, 5.0, 0.1) != af.SemiOrthogonal(
        4.0, 1.0, 10.0, 5.0, 0.1
    )
    assert af.CrossCorrelated(**PLANE) != af.SemiOrthogonal(**AXIS)
    toys = (
        af.ToyLandscape(),
        af.ToyLandscape(multiplicities=[5.0, 4.0, 1.0, 4.0]),
        af.ToyLandscape(slope=0.25),
    )
    assert (
        (toys[0] == toys[1]) is True
        and (toys[0] == toys[2]) is False
        and hash(toys[0]) == hash(toys[1])
    )
    with pytest.raises(jax.errors.TracerBoolConversionError):  # nobody can know
        jax.jit(lambda b: af.SemiOrthogonal(b, 1.0, 10.0, 5.0, 0.1) == zero)(4.0)


@pytest.mark.parametrize("loss", ["exponential", "logistic"])
def test_a_problem_of_none_and_zero_is_the_axes_of_a_vmap(loss):
    batch = af.SemiOrthogonal(np.array([40.0, 20.0]), 8.0, 100.0, 40.0, 1e-2, loss)
    axes = af.SemiOrthogonal(0, None, None, None, None, loss)
    got = jax.vmap(lambda p: af.stationary_point(p, "original").weights, in_axes=(axes,))(batch)
    want = [
        af.stationary_point(dataclasses.replace(batch, retain_on_axis=n), "original").weights
        for n in (40.0, 20.0)
    ]
    np.testing.assert_allclose(got, want, rtol=1e-14)
    plane = dataclasses.replace(af.CrossCorrelated(**PLANE), ridge=np.array([0.1, 0.2]))
    axes = af.CrossCorrelated(None, None, None, None, None, 0)
    np.testing.assert_allclose(jax.vmap(lambda p: p.ridge, in_axes=(axes,))(plane), [0.1, 0.2])
    assert axes == af.CrossCorrelated(None, None, None, None, None, 0) and hash(axes) == hash(
        dataclasses.replace(axes)
    )
    toy = dataclasses.replace(af.ToyLandscape(), multiplicities=np.full((4,), 5.0))
    toys = jax.tree.map(lambda *v: jnp.stack([jnp.asarray(x) for x in v]), toy, toy)
    axes = af.ToyLandscape(slope=0, ridge=0, multiplicities=0, forget=0, ascent_ratio=None)
    toys = jax.tree.unflatten(jax.tree.structure(toys), [*jax.tree.leaves(toys)[:-1], 1.0])
    assert jax.vmap(lambda t: af.landscape.loss(t, jnp.ones(2), "original"), in_axes=(axes,))(
        toys
    ).shape == (2,)


HALVES = [
    (0, None, 100.0, 40.0, 1.0),
    (0, 0, 0, 0, 0),
    (None, 1, 0, 0, 0),
    (None, 0.0, 0, 0, 0),
    (None, False, 0, 0, 0),
]


@pytest.mark.parametrize("fields", HALVES)
def test_half_a_problem_is_refused_and_told_of_in_axes(fields):
    with pytest.raises(ValueError, match="takes") as error:
        af.SemiOrthogonal(*fields)
    assert None not in fields or "in_axes" in str(error.value)


# --- from_ratios -----------------------------------------------------------------------------------------------------------


@given(scale(-4, 2), scale(-3, 1), scale(-6, 8), scale(0, 5), real(0.01, 1.0))
def test_from_ratios_gives_back_the_ratios(alpha, phi, b, retain_total, share):
    """Both where alpha <= phi, so that the group can hold every retain sample, and where alpha > phi."""
    free = af.SemiOrthogonal.from_ratios(alpha=alpha, phi=phi, b=b, retain_total=retain_total)
    ridge = share * min(1.0, phi / alpha) / b
    fixed = af.CrossCorrelated.from_ratios(
        epsilon=0.25, alpha=alpha, phi=phi, b=b, retain_total=retain_total, ridge=ridge
    )
    for problem in (free, fixed):
        np.testing.assert_allclose(
            [problem.alpha, problem.phi, problem.b], [alpha, phi, b], rtol=2e-15
        )
        np.testing.assert_allclose(problem.forget_b, alpha * b, rtol=2e-15)
        assert problem.retain_total == retain_total
    np.testing.assert_allclose(fixed.ridge, ridge, rtol=1e-15)
    np.testing.assert_allclose(
        free.retain_on_axis, min(1.0, phi / alpha) * retain_total, rtol=2e-15
    )


@pytest.mark.parametrize(
    "ratio", [(0, 1, 2), (1, 1, 2), (3, 1, 2), (0.5, 0.5, 1e-6), (0.0, 0.5, 1e6), (2.0, 0.5, 1.0)]
)
def test_from_ratios_at_the_ties_and_with_ints(ratio):
    alpha, phi, b = ratio
    problem = af.SemiOrthogonal.from_ratios(alpha=alpha, phi=phi, b=b)
    np.testing.assert_allclose([problem.alpha, problem.phi, problem.b], ratio, rtol=1e-15)


@pytest.mark.parametrize("ridge", [None, 0.05])
@pytest.mark.parametrize("alpha", [0.0, 0.3, 0.5, 0.8])
def test_from_ratios_under_jit_vmap_and_grad(alpha, ridge):
    """The ratios depend on the arguments as they should, also at the tie alpha = phi and where alpha = 0."""

    def ratios(alpha, phi, b):
        p = af.CrossCorrelated.from_ratios(
            epsilon=0.5, alpha=alpha, phi=phi, b=b, ridge=ridge, loss="logistic"
        )
        return jnp.stack([p.alpha, p.phi, p.b])

    point = (alpha, 0.5, 2.0)
    np.testing.assert_allclose(jax.jit(ratios)(*point), point, rtol=1e-15)
    many = jax.vmap(ratios, in_axes=(0, None, None))(jnp.array([0.1, alpha]), 0.5, 2.0)
    np.testing.assert_allclose(many[1], point, rtol=1e-15)
    np.testing.assert_allclose(
        jnp.stack(jax.jacobian(ratios, argnums=(0, 1, 2))(*point), 1), np.eye(3), atol=1e-14
    )


def test_from_ratios_takes_arrays_for_several_axes():
    alpha = np.array([0.1, 0.5, 2.0])
    problem = af.SemiOrthogonal.from_ratios(
        alpha=alpha, phi=0.5, b=np.array([1.0, 2.0, 3.0]), ridge=0.01
    )
    np.testing.assert_allclose(problem.alpha, alpha, rtol=1e-15)
    np.testing.assert_allclose(problem.b, [1.0, 2.0, 3.0], rtol=1e-15)
