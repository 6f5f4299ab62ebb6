"""The toy landscape: loss by hand, stationary points complete and exact, basins, fine-tuning, and bad input."""

import dataclasses
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.integrate
import scipy.optimize
from mpmath import mp

import ascentfail as af
from ascentfail.core.errors import UndecidedError
from ascentfail.numerics.arithmetic import MPMATH
from ascentfail.toy import enclosures as toy_enclosures
from ascentfail.toy import landscape
from ascentfail.toy import network as toy
from ascentfail.toy import points as toy_points
from ascentfail.toy.network import ToyLandscape

MODELS = ("original", "oracle", "descent_ascent")
PRINT = ToyLandscape(labels="signed", output="unit", slope=0.5, reduction="sum", ridge=0.1)
TRAP = ToyLandscape(labels="signed", output="symmetric", slope=1.0, reduction="sum", ridge=0.1)
BARELY = ToyLandscape(labels="binary", output="unit", slope=1.0, reduction="sum", ridge=0.1)
READINGS = [
    PRINT,
    TRAP,
    BARELY,
    ToyLandscape(labels="binary", output="symmetric", reduction="mean"),
    ToyLandscape(output="symmetric", slope=2.0, reduction="half-sum", ridge=0.01, ascent_ratio=2.5),
]


def by_hand(t, theta, which):
    """Sample by sample, copies listed one by one."""
    total = 0.0
    for x, sign, m, f in zip(
        (-1, 1, 3, 4),
        (-1, 1, -1, 1),
        np.asarray(t.multiplicities),
        np.asarray(t.forget),
        strict=True,
    ):
        z = theta[0] * x + theta[1] * x * x
        h = 1 / (1 + math.exp(-t.slope * (1 + z)))
        h = 2 * h - 1 if t.output == "symmetric" else h
        y = sign if t.labels == "signed" else max(sign, 0)
        copies = {"original": m, "oracle": m - f, "descent_ascent": (m - f) - t.ascent_ratio * f}[
            which
        ]
        total += copies * (h - y) ** 2
    samples = (
        sum(t.multiplicities) if which == "original" else sum(t.multiplicities) - sum(t.forget)
    )
    total *= {"sum": 1, "half-sum": 0.5, "mean": 1 / samples}[t.reduction]
    return total + t.ridge * (theta[0] ** 2 + theta[1] ** 2)


def random_landscape(seed):
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, 9, 4).astype(float) + (rng.random(4) if seed % 2 else 0)
    return ToyLandscape(
        labels=("signed", "binary")[seed % 2],
        output=("unit", "symmetric")[seed // 2 % 2],
        reduction=("sum", "mean", "half-sum")[seed % 3],
        slope=float(rng.uniform(0.3, 2)),
        ridge=float(10 ** rng.uniform(-2, 0)),
        multiplicities=counts + 1,
        forget=counts * rng.random(4),
        ascent_ratio=float(rng.uniform(0, 3)),
    )


@pytest.mark.parametrize("t", READINGS)
@pytest.mark.parametrize("which", MODELS)
def test_loss_and_derivatives(t, which):
    for theta in np.random.default_rng(0).normal(size=(5, 2)) * [3, 1]:
        assert float(af.landscape.loss(t, theta, which)) == pytest.approx(
            by_hand(t, theta, which), rel=1e-13
        )
        slope, bend = (
            jax.grad(landscape.loss, 1)(t, theta, which),
            jax.hessian(landscape.loss, 1)(t, theta, which),
        )
        np.testing.assert_allclose(landscape.gradient(t, theta, which), slope, atol=1e-12)
        np.testing.assert_allclose(landscape.hessian(t, theta, which), bend, atol=1e-11)
        with mp.workdps(60):
            many = toy.expansion(
                toy_points.concrete(t, which), [mp.mpf(v) for v in theta], xp=MPMATH
            )[0]
            assert float(many) == pytest.approx(by_hand(t, theta, which), rel=1e-13)


@pytest.mark.parametrize("which", MODELS)
@pytest.mark.parametrize("t", [*READINGS, *map(random_landscape, range(16))])
def test_the_fast_list_is_the_proved_one(t, which):
    fast = landscape.stationary_points(t, which)
    proved = landscape.stationary_points(t, which, certified=True)
    assert len(fast) == len(proved) > 0
    # a point where the gradient nearly vanishes along a line is known to fewer digits
    np.testing.assert_allclose(fast.parameters, proved.parameters, atol=1e-6)
    assert (np.abs(fast.parameters - proved.parameters).max(1) <= proved.radius + 1e-9).all()
    assert (fast.kind == proved.kind).all() and (fast.correct == proved.correct).all()
    assert (np.abs(fast.loss - proved.loss) <= proved.loss_radius).all() and (
        np.diff(proved.loss) >= 0
    ).all()
    half = toy.reach(toy_points.concrete(t, which))
    for point, value in zip(fast.parameters, fast.loss, strict=True):
        assert (abs(point) <= half).all()
        assert np.abs(jax.grad(landscape.loss, 1)(t, point, which)).max() < 1e-12 * max(
            1, float(np.abs(value))
        )
    assert (
        fast.kind[0] == af.StationaryKind.MINIMUM
    )  # the loss grows without bound: the lowest is a minimum
    assert (fast.kind != af.StationaryKind.SADDLE).sum() - (
        fast.kind == af.StationaryKind.SADDLE
    ).sum() == 1  # Morse


@pytest.mark.parametrize(
    ("t", "which"), [(TRAP, "oracle"), (PRINT, "original"), (BARELY, "original")]
)
def test_minima_by_scipy_from_many_starts(t, which):
    minima = landscape.stationary_points(t, which).minima()
    rng, ends = np.random.default_rng(1), []
    for start in rng.normal(size=(40, 2)) * np.array([4.0, 2.0]):
        found = scipy.optimize.minimize(
            lambda x: by_hand(t, x, which), start, method="Nelder-Mead", tol=1e-11
        )
        ends.append(found.x)
    gaps = np.abs(np.array(ends)[:, None] - minima.parameters).max(-1)
    assert (gaps.min(1) < 1e-4).all() and (gaps.min(0)[:1] < 1e-4).all()
    near = landscape.loss(t, minima.parameters[0], which)
    assert near <= min(by_hand(t, x, which) for x in ends) + 1e-12


def test_points_in_many_digits():
    found = landscape.stationary_points(TRAP, "oracle", certified=True)
    p = toy_points.concrete(TRAP, "oracle")
    with mp.workdps(60):
        for start, radius, value, known in zip(
            found.parameters, found.radius, found.loss, found.loss_radius, strict=True
        ):
            root = mp.findroot(
                lambda a, b: toy.expansion(p, (a, b), xp=MPMATH)[1],
                [mp.mpf(v) for v in start],
                tol=1e-80,
            )
            assert max(abs(r - mp.mpf(s)) for r, s in zip(root, start, strict=True)) < radius
            assert abs(toy.expansion(p, list(root), xp=MPMATH)[0] - value) < known


def test_enclosures_contain_what_they_enclose():
    rng = np.random.default_rng(0)
    for t in READINGS:
        p = toy_points.concrete(t, "descent_ascent")
        for width in (1e-6, 1e-2, 0.3, 3.0):
            middle = rng.normal(size=(50, 2)) * [4, 2]
            inside = middle + rng.uniform(-1, 1, (50, 2)) * width
            inside[:10] = middle[:10] + width  # a corner
            sides = [toy_enclosures.Span(middle[:, k], np.full(50, width)) for k in (0, 1)]
            bound = toy_enclosures.enclose(p, *sides)
            value, slope, bend = toy.expansion(p, jnp.asarray(inside.T))
            for span, exact in zip(
                (bound.loss, *bound.gradient, *bound.hessian), (value, *slope, *bend), strict=True
            ):
                assert (np.abs(np.asarray(exact) - span.m) <= span.r).all()


def test_the_exponential_is_as_exact_as_it_says():
    x = np.r_[np.linspace(-600, 600, 2001), np.linspace(-1, 1, 2001), 0.0, 1e-300]
    with mp.workdps(40):
        worst = max(
            abs(mp.mpf(y) / mp.exp(mp.mpf(v)) - 1)
            for v, y in zip(x, toy_enclosures.exponential(x), strict=True)
        )
    assert worst < mp.mpf(2) ** -50


@pytest.mark.parametrize("certified", [False, True])
def test_a_box_cuts_the_list(certified):
    everything = landscape.stationary_points(TRAP, "oracle")
    box = ((2.2, 2.5), (-1.3, -0.4))
    inside = landscape.stationary_points(TRAP, "oracle", box=box, certified=certified)
    np.testing.assert_allclose(inside.parameters, everything.parameters[:2], atol=1e-8)
    assert (
        len(
            landscape.stationary_points(
                TRAP, "oracle", box=((8.0, 9.0), (8.0, 9.0)), certified=certified
            )
        )
        == 0
    )


def test_what_cannot_be_decided_is_said():
    on_edge = float(landscape.stationary_points(TRAP, "oracle").parameters[0, 0])
    with pytest.raises(UndecidedError, match="edge"):
        landscape.stationary_points(
            TRAP, "oracle", box=((on_edge, 4.0), (-2.0, 0.0)), certified=True
        )
    fold = landscape.continuation(TRAP, "oracle", 3, [2.3, 2.5], tolerance=1e-13).events[0]
    counts = [5, 4, 1, fold.value]
    with pytest.raises(UndecidedError, match="undecided"):
        landscape.stationary_points(
            dataclasses.replace(TRAP, multiplicities=counts), "oracle", certified=True
        )


def test_a_missing_saddle_would_be_noticed(monkeypatch):
    """The comparison with the proved list is not vacuous: with one start the fast route misses points."""
    monkeypatch.setattr(toy_points, "_STARTS", 1)
    assert len(landscape.stationary_points(TRAP, "oracle")) < len(
        landscape.stationary_points(TRAP, "oracle", certified=True)
    )


def test_printed_pattern_and_boundary():
    found = landscape.stationary_points(TRAP, "original")
    assert list(found.alone_wrong(2)) == [True, False, False] and list(found.alone_wrong(3)) == [
        False,
        True,
        True,
    ]
    assert not landscape.correct(np.array([-1.0, 0.0]))[1]  # z = -1 at x = 1 does not count as +
    assert landscape.correct(np.array([1.0, 0.0]))[0]  # and at x = -1 it counts as -


# --- transformations ------------------------------------------------------------------------------------------------------


def test_transformations_over_the_fields():
    theta = jnp.array([2.0, -0.7])

    def value(slope, ridge, counts, ratio):
        t = dataclasses.replace(
            TRAP, slope=slope, ridge=ridge, multiplicities=counts, ascent_ratio=ratio
        )
        return landscape.loss(t, theta, "descent_ascent")

    counts = jnp.array([5.0, 4.0, 1.0, 4.5])
    at = (1.0, 0.1, counts, 1.0)
    slopes = jax.jit(jax.grad(value, argnums=(0, 1, 2, 3)))(*at)
    for i, got in enumerate(slopes):
        up, down = list(at), list(at)
        if i == 2:
            up[2], down[2] = counts.at[3].add(1e-6), counts.at[3].add(-1e-6)
            got = got[3]
        else:
            up[i], down[i] = at[i] + 1e-6, at[i] - 1e-6
        assert float(got) == pytest.approx(float(value(*up) - value(*down)) / 2e-6, abs=1e-7)
    many = jax.vmap(value, in_axes=(0, None, None, None))(jnp.linspace(0.5, 1, 3), *at[1:])
    assert many.shape == (3,) and float(many[-1]) == pytest.approx(float(value(*at)))
    batch = jax.vmap(lambda m: landscape.loss(ToyLandscape(multiplicities=m), theta, "original"))(
        jnp.ones((6, 4)) * 3
    )
    assert batch.shape == (6,)


def test_unflattening_does_not_validate():
    for leaf in (None, -1.0, object()):
        assert jax.tree.map(lambda _, leaf=leaf: leaf, TRAP).ridge is leaf
    again = jax.tree.map(lambda x: x, TRAP)
    assert again.output == "symmetric" and len(jax.tree.leaves(TRAP)) == 5


def test_refined_points_follow_the_implicit_function_theorem():
    point = landscape.stationary_points(TRAP, "oracle").parameters[1]

    def moved(ridge):
        return landscape.refine(dataclasses.replace(TRAP, ridge=ridge), point, "oracle")

    slope = jax.jacobian(moved)(0.1)
    ends = [
        landscape.stationary_points(dataclasses.replace(TRAP, ridge=r), "oracle").parameters[1]
        for r in (0.1001, 0.0999)
    ]
    np.testing.assert_allclose(slope, (ends[0] - ends[1]) / 2e-4, rtol=1e-4)


# --- continuation, flow, fine-tuning -----------------------------------------------------------------------------------------


def test_a_multiplicity_varied_shows_where_minima_appear_and_exchange():
    values = np.linspace(2.0, 4.0, 11)
    found = landscape.continuation(TRAP, "oracle", 3, values)
    assert [event.what for event in found.events] == ["appears", "exchange"]
    appears, exchange = (event.value for event in found.events)
    below, above = (
        landscape.stationary_points(
            dataclasses.replace(TRAP, multiplicities=(5, 4, 1, v)), "oracle", certified=True
        ).minima()
        for v in (appears - 1e-4, appears + 1e-4)
    )
    assert (len(below), len(above)) == (1, 2)
    at = landscape.stationary_points(
        dataclasses.replace(TRAP, multiplicities=(5, 4, 1, exchange)), "oracle"
    ).minima()
    assert at.loss[1] - at.loss[0] < 1e-5 and at.alone_wrong(2).sum() == 1
    gone = landscape.continuation(BARELY, "original", 3, [3.9, 4.0, 6.0])
    assert [event.what for event in gone.events] == ["vanishes"] and 4.0 < gone.events[
        0
    ].value < 6.0
    assert landscape.correct(gone.events[0].parameters).tolist() == [True, True, True, False]


def test_a_saddle_that_passes_for_a_minimum_next_to_a_fold_does_not_turn_what_happens_there(
    monkeypatch,
):
    honest, fold = toy_points.stationary_points, 10.6556349

    def rounded(t, which):
        found = honest(t, which)
        near = abs(float(t.multiplicities[3]) - fold) < 0.05
        kind = np.where(
            near & (found.kind == af.StationaryKind.SADDLE), af.StationaryKind.MINIMUM, found.kind
        )
        return dataclasses.replace(found, kind=kind.astype(np.int32))

    monkeypatch.setattr(toy_points, "stationary_points", rounded)
    (event,) = landscape.continuation(TRAP, "oracle", 3, [10.0, 11.0], tolerance=1e-3).events
    assert event.what == "vanishes" and abs(event.value - fold) < 0.06


def test_flow_is_scipy_s_and_ends_at_rest():
    start = landscape.stationary_points(TRAP, "original").parameters[0]
    path, times = landscape.flow(TRAP, start, "descent_ascent")
    slow = scipy.integrate.solve_ivp(
        lambda _, x: -np.asarray(landscape.gradient(TRAP, x, "descent_ascent")),
        (0, 3.0),
        start,
        "LSODA",
        rtol=1e-10,
        atol=1e-10,
        t_eval=times[(times > 0.01) & (times < 3)][::12],
    )
    fast = np.array([path[np.flatnonzero(times == now)[0]] for now in slow.t])
    np.testing.assert_allclose(fast, slow.y.T, atol=2e-4)
    end = landscape.stationary_points(TRAP, "descent_ascent").parameters[0]
    np.testing.assert_allclose(path[-1], end, atol=1e-6)


def test_basins_are_where_small_steps_lead():
    a, b = np.linspace(-4.0, 6.0, 6), np.linspace(-3.0, 3.0, 5)
    found = landscape.basins(TRAP, "oracle", a, b)
    assert found.shape == (6, 5) and set(found.ravel()) == {0, 1}
    grid = jnp.stack(jnp.meshgrid(a, b, indexing="ij"), -1).reshape(-1, 2)
    small = jnp.full(40_000, 2e-3)
    ends = jax.jit(jax.vmap(lambda x: landscape.fine_tune(TRAP, x, small)))(grid)
    minima = landscape.stationary_points(TRAP, "oracle").minima().parameters
    gap = np.abs(np.asarray(ends)[:, None] - minima).max(-1)
    assert (gap.min(1) < 1e-6).all() and (gap.argmin(1) == found.ravel()).all()


def test_settling_minds_what_is_not_finite():
    assert list(landscape.settle(TRAP, [[np.nan, 0.0], [np.inf, 0.0], [2.4, -0.5]], "oracle")) == [
        -1,
        -1,
        0,
    ]


def test_fine_tuning_is_gradient_descent_and_noise_is_right_on_average():
    start, steps = jnp.array([1.0, -0.5]), jnp.array([0.02, 0.01, 0.3])
    theta = np.asarray(start)
    for eta in steps:
        theta = theta - float(eta) * np.asarray(jax.grad(landscape.loss, 1)(TRAP, theta, "oracle"))
    np.testing.assert_allclose(landscape.fine_tune(TRAP, start, steps), theta, atol=1e-12)
    keys = jax.random.split(jax.random.key(0), 20_000)
    for t in (TRAP, dataclasses.replace(TRAP, reduction="mean")):
        one = jax.vmap(lambda k, t=t: landscape.fine_tune(t, start, jnp.array([0.01]), k))(keys)
        full = landscape.fine_tune(t, start, jnp.array([0.01]))
        error = np.asarray(one).std(0) / math.sqrt(len(keys))
        assert (np.abs(np.asarray(one).mean(0) - full) < 5 * error).all() and (error > 0).all()


# --- bad input --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("labels", "plus"),
        ("output", "tanh"),
        ("reduction", "median"),
        ("slope", 0.0),
        ("slope", math.nan),
        ("slope", [1.0, 2.0]),
        ("ridge", -0.1),
        ("ridge", "a"),
        ("ascent_ratio", -1.0),
        ("multiplicities", (1, 2, 3)),
        ("multiplicities", (-1, 2, 3, 4)),
        ("forget", (0, 0, 0, 5)),
        ("forget", (0, 0, 0, -1)),
        ("multiplicities", None),
        ("forget", (0, 0, 0, math.inf)),
    ],
)
def test_bad_fields_are_named(field, value):
    with pytest.raises(ValueError, match=f"^{field} = .*takes"):
        ToyLandscape(**{field: value})


def test_means_over_nothing_are_refused():
    with pytest.raises(ValueError, match="fewer than all"):
        ToyLandscape(reduction="mean", forget=(5, 4, 1, 4))
    assert ToyLandscape(forget=(5, 4, 1, 4)).reduction == "sum"


@pytest.mark.parametrize(
    "call",
    [
        lambda t: landscape.loss(t, [1.0, 2.0], "oracle"),
        lambda t: landscape.gradient(t, [1.0, 2.0], "oracle"),
        lambda t: landscape.hessian(t, [1.0, 2.0], "oracle"),
        lambda t: landscape.refine(t, [1.0, 2.0], "oracle"),
        lambda t: landscape.stationary_points(t, "oracle"),
        lambda t: landscape.continuation(t, "oracle", 3, [4.0]),
        lambda t: landscape.settle(t, [[0.0, 1.0]], "oracle"),
        lambda t: landscape.basins(t, "oracle", [0.0], [0.0]),
        lambda t: landscape.flow(t, [0.0, 1.0], "oracle"),
        lambda t: landscape.fine_tune(t, [0.0, 1.0], [0.1]),
    ],
)
def test_what_is_no_landscape_is_named(call):
    for other in (af.CrossCorrelated(0.5, 4.0, 2.0, 10.0, 5.0, 0.1), None, {"ridge": 0.1}):
        with pytest.raises(
            ValueError, match=f"^t = '{type(other).__name__}': t takes a ToyLandscape"
        ):
            call(other)


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: landscape.loss(TRAP, [1.0, 2.0, 3.0], "oracle"), "theta"),
        (lambda: landscape.loss(TRAP, [1.0, 2.0], "unlearned"), "which"),
        (lambda: landscape.stationary_points(TRAP, "oracle", box=((0, 1), (1, 0))), "box"),
        (lambda: landscape.stationary_points(TRAP, "oracle", box="all"), "box"),
        (lambda: landscape.continuation(TRAP, "oracle", 4, [1.0]), "index"),
        (lambda: landscape.continuation(TRAP, "oracle", 3, [4.0, 3.0]), "values"),
        (lambda: landscape.continuation(TRAP, "oracle", 3, [1.0, 3.0]), "forget"),
        (lambda: landscape.basins(TRAP, "oracle", [[0.0]], [0.0]), "a"),
        (lambda: landscape.settle(TRAP, [0.0, 1.0], "oracle"), "points"),
        (lambda: landscape.flow(TRAP, [np.nan, 1.0], "oracle"), "theta"),
        (lambda: landscape.fine_tune(TRAP, [1.0, 1.0], 0.1), "step_sizes"),
        (lambda: landscape.fine_tune(TRAP, [1.0], [0.1]), "theta"),
        (lambda: landscape.fine_tune(TRAP, [1.0, 1.0], [0.1], key=0), "key"),
        (
            lambda: jax.jit(
                lambda r: landscape.stationary_points(ToyLandscape(ridge=r), "oracle").loss
            )(0.1),
            "t",
        ),
    ],
)
def test_bad_arguments_are_named(call, name):
    with pytest.raises(ValueError, match=f"^{name} = .*takes"):
        call()
