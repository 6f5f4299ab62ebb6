"""Flows followed with a proof contain what other integrators find, and early stopping ends where the certificate says."""

import jax.numpy as jnp
import numpy as np
import pytest
import scipy.integrate
from mpmath import mp

from ascentfail.dynamics import ascent as dynamics
from ascentfail.dynamics import flow
from ascentfail.theory.paper import toy_trap_early as early
from ascentfail.theory.toy_interpretations import NAMED, landscape_of, plain
from ascentfail.toy import barriers, landscape, verified_flow
from ascentfail.toy import enclosures as toy_enclosures
from ascentfail.toy.points import concrete
from ascentfail.toy.verified_flow import Balls

TRAP = landscape_of(NAMED)
RETAIN, ASCENT = concrete(TRAP, "oracle"), concrete(TRAP, "descent_ascent")


@pytest.fixture(scope="module")
def retain_points():
    return landscape.stationary_points(TRAP, "oracle", certified=True)


def solved(p, start, times):
    found = scipy.integrate.solve_ivp(
        lambda _, x: -plain(p, x[None])[1][0],
        (0, times[-1]),
        start,
        "LSODA",
        rtol=1e-11,
        atol=1e-12,
        t_eval=times,
    )
    return found.y.T


def test_taylor_coefficients_by_differentiating_the_flow():
    rng = np.random.default_rng(0)
    for t in (
        TRAP,
        landscape_of({**NAMED, "labels": 1.0, "output": 0.0, "slope": 0.5, "reduction": 1.0}),
    ):
        p = concrete(t, "descent_ascent")
        for theta in rng.normal(size=(3, 2)) * [2, 1]:
            sides = [toy_enclosures.thin(theta[k : k + 1]) for k in (0, 1)]
            found = toy_enclosures.series(p, *sides, 5)
            with mp.workdps(50):
                path = [solve_taylor(p, theta, k) for k in range(6)]
            for order, ((a, b), exact) in enumerate(zip(found, path, strict=True)):
                for s, value in zip((a, b), exact, strict=True):
                    assert abs(s.m[0] - float(value)) <= s.r[0] <= 2.0**-36 * 300.0**order


@pytest.mark.parametrize("middle", [(0.0, 50.0), (1.5, -1.0), (2.5, -0.5)])
def test_taylor_coefficients_over_a_box_contain_those_of_its_points(middle):
    """Also where every sigmoid is saturated, so that the ridge alone gives the coefficient its width."""
    p, rng, radius = RETAIN, np.random.default_rng(1), 0.1
    box = [toy_enclosures.Span(np.array([v]), np.array([radius])) for v in middle]
    found = toy_enclosures.series(p, *box, 4)
    for part in np.concatenate([rng.uniform(-1, 1, (20, 2)), [[0.999, 0.999], [-0.999, -0.999]]]):
        theta = np.array(middle) + radius * part
        points = toy_enclosures.series(
            p, *(toy_enclosures.thin(theta[k : k + 1]) for k in (0, 1)), 4
        )
        for one, whole in zip(points, found, strict=True):
            for s, around in zip(one, whole, strict=True):
                assert abs(s.m[0] - around.m[0]) <= around.r[0] + s.r[0]


def solve_taylor(p, theta, order):
    """Coefficient of t^order of the flow, from plain differences of the right-hand side along the series itself."""
    rows = [[mp.mpf(float(v)) for v in theta]]
    for k in range(order):

        def velocity(t, side):
            a, b = (sum(row[i] * t**j for j, row in enumerate(rows)) for i in (0, 1))
            total = 2 * mp.mpf(float(p.ridge)) * (a, b)[side]
            for x, w, v in zip((-1, 1, 3, 4), p.weight, p.target, strict=True):
                u = 1 / (1 + mp.exp(-mp.mpf(float(p.slope)) * (1 + a * x + b * x * x)))
                gain = mp.mpf(float(p.gain)) / mp.mpf(float(p.divisor)) * mp.mpf(float(w))
                total += (
                    2
                    * gain
                    * mp.mpf(float(p.slope))
                    * (u - mp.mpf(float(v)))
                    * u
                    * (1 - u)
                    * x ** (side + 1)
                )
            return -total

        rows.append(
            [mp.taylor(lambda t, s=side: velocity(t, s), 0, k)[k] / (k + 1) for side in (0, 1)]
        )
    return rows[order]


def test_balls_contain_every_path_that_starts_in_them():
    rng = np.random.default_rng(1)
    middle = np.array([[2.46, -0.7], [2.41, -0.85], [2.3, -1.1], [1.0, 0.5], [1.95, -0.74]])
    balls, inside = Balls(middle, np.full(5, 1e-3)), []
    for theta in middle:
        way = rng.normal(size=(4, 2))
        inside.append(theta + 1e-3 * way / np.hypot(*way.T)[:, None])
    time = np.zeros(5)
    for _ in range(30):
        at = verified_flow._here(RETAIN, balls)
        h = 0.5 * verified_flow._length(at)
        after, speed, good = verified_flow._step(RETAIN, balls, at.gradient, h)
        assert good.all() and (after.radius < 0.1).all()
        assert (np.hypot(*(after.middle - balls.middle).T) <= speed * h).all()
        balls, time = after, time + h
    for i, starts in enumerate(inside):
        for start in (*starts, middle[i]):
            end = solved(RETAIN, start, [time[i]])[-1]
            assert np.hypot(*(end - balls.middle[i])) <= balls.radius[i] + 1e-9
        assert np.hypot(*(solved(RETAIN, middle[i], [time[i]])[-1] - balls.middle[i])) < 1e-7


def test_the_track_is_the_path_and_its_pieces_cover_it(retain_points):
    start, end = (
        landscape.stationary_points(TRAP, which, certified=True).minima()
        for which in ("original", "descent_ascent")
    )
    balls = [Balls(m.parameters[:1], 2 * m.radius[:1]) for m in (start, end)]
    track, rest = verified_flow._track(ASCENT, *balls)
    times = track.times[1::20]
    gaps = np.hypot(*(solved(ASCENT, start.parameters[0], times) - track.balls.middle[1::20]).T)
    assert (gaps <= track.balls.radius[1::20] + 1e-8).all() and track.balls.radius.max() < 1e-5
    late = solved(ASCENT, start.parameters[0], track.times[-1] + np.array([0.0, 0.1, 1.0, 5.0]))
    assert (np.hypot(*(late - rest.middle).T) <= rest.radius[0]).all()
    low, high = track.times[:-1:9], track.times[1::9]
    cover = verified_flow._between(ASCENT, track, low, high)
    for part in (0.0, 0.3, 1.0):
        places = solved(ASCENT, start.parameters[0], low + part * (high - low) + 1e-15)
        assert (np.hypot(*(places - cover.middle).T) <= cover.radius + 1e-8).all()


def test_a_hold_keeps_and_a_ball_around_a_minimum_attracts(retain_points):
    held = barriers.holds(RETAIN, retain_points)
    minima = retain_points.minima()
    for i, hold in enumerate(held):
        (a0, a1), (b0, b1) = hold.box
        grid = np.stack(
            np.meshgrid(np.linspace(a0, a1, 200), np.linspace(b0, b1, 200)), -1
        ).reshape(-1, 2)
        low = grid[plain(RETAIN, grid)[0] <= hold.level]
        assert len(low) > 50 and set(landscape.settle(TRAP, low[:: len(low) // 60], "oracle")) == {
            i
        }
        size = verified_flow.attracts(RETAIN, minima.parameters[i], float(minima.radius[i]))
        turn = np.linspace(0, 2 * np.pi, 200)
        ring = minima.parameters[i] + size * np.stack([np.cos(turn), np.sin(turn)], -1)
        assert size > 0.005 and (np.linalg.eigvalsh(plain(RETAIN, ring)[2])[:, 0] > 0).all()
    saddle = retain_points.parameters[2]
    assert verified_flow.attracts(RETAIN, saddle, 1e-9) == 0
    starts = Balls(np.array([saddle, saddle + [0.0, 0.2], saddle - [0.0, 0.2]]), np.full(3, 1e-6))
    assert verified_flow.settled(RETAIN, starts, held).tolist() == [-1, 0, 1]


def test_both_integrators_follow_the_same_path():
    start = landscape.stationary_points(TRAP, "original").parameters[0]
    path, times = landscape.flow(TRAP, start, "descent_ascent")
    some = np.r_[0:20, 60:180:20]
    run = flow.gradient_flow(TRAP, start, times[some])
    np.testing.assert_allclose(path[some], run.weights, atol=2e-4)


def test_tau_by_three_routes():
    low, high = early.border({}, "certified")
    near, far = early.border({}, "sampled")
    crossing = early._where_they_cross()
    assert low < near <= far < high and low < crossing < high and high - low < 3e-5
    assert crossing == pytest.approx(near, abs=1e-6) and far - near < 1e-6


def test_iterates_stopped_early_return_before_tau_and_are_trapped_after():
    """The iterates themselves, fine-tuned by small steps; they lag behind the flow by a few steps."""
    eta = 1e-3
    start = landscape.stationary_points(TRAP, "original").parameters[0]
    run = dynamics.descent_ascent(TRAP, start, steps=round(0.1 / eta), step_size=eta)
    places = landscape.settle(TRAP, np.asarray(run.weights), "oracle")
    last = int(np.flatnonzero(places == 0)[-1])
    assert (places[: last + 1] == 0).all() and (places[last + 1 :] == 1).all()
    tau = early.border({}, "certified")[0]
    assert 0 < last * eta - tau < 8 * eta
    for k, place in ((last - 2, 0), (last + 3, 1)):
        end = landscape.fine_tune(TRAP, run.weights[k], jnp.full(20_000, 1e-3))
        assert (
            np.abs(
                np.asarray(end)
                - landscape.stationary_points(TRAP, "oracle").minima().parameters[place]
            ).max()
            < 1e-3
        )


def test_a_switch_out_of_order_or_no_switch_is_no_tau(monkeypatch):
    piece = verified_flow.Piece
    for wrong in (
        [(0.0, 1.0, 1)],
        [(0.0, 1.0, 0), (1.0, 2.0, -1), (2.0, np.inf, 0)],
        [(0.0, 0.5, 1), (0.5, np.inf, 0)],
        [(0.0, 0.5, 0), (0.5, 1.0, 1), (1.0, 2.0, 0), (2.0, np.inf, 1)],
    ):
        monkeypatch.setattr(
            early, "pieces", lambda wrong=wrong: tuple(piece(*one) for one in wrong)
        )
        assert np.isnan(early.border({}, "certified")).all()
