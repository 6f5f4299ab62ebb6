"""The data of the figures by a second route: many digits, other integrators, bisection, following the path."""

import dataclasses
import hashlib
import json
import math
from pathlib import Path

import jax
import mpmath
import numpy as np
import pytest
from mpmath import mp

import ascentfail as af
from ascentfail import figures as room
from ascentfail.claims import record
from ascentfail.claims.check import LEVELS
from ascentfail.figures.beyond import (
    fig_continuation,
    fig_paths,
    fig_questions,
    fig_regions,
    fig_result,
    fig_stability,
)
from ascentfail.figures.paper import fig04_window, fig05_landscape
from ascentfail.figures.report import summary as report
from ascentfail.numerics.arithmetic import MPMATH
from ascentfail.theory import Point, toy_interpretations
from ascentfail.theory.domains import plane_margins
from ascentfail.toy import landscape
from ascentfail.toy.points import concrete


def bisect(function, low, high):
    """Root of a function that is negative at low and not at high, by halving alone."""
    low, high = mp.mpf(low), mp.mpf(high)
    assert function(low) < 0 <= function(high)
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if function(middle) < 0 else (low, middle)
    return high


def gradient_flow_balance(s2, p):
    """Residual of the original's second equation at s_2, with the first solved by mpmath: nothing of `stationary`."""
    eps = p.epsilon
    q, beta = 2 * eps / (1 + eps**2), p.b * (1 + eps**2) / (1 + p.phi)
    s1 = mp.re(mp.lambertw(beta * mp.exp(-q * s2)))
    return s2 - p.alpha * beta * mp.exp(-q * s1 - s2), s1, q


@pytest.mark.parametrize(
    ("i", "j", "k"), [(0, 0, 60), (0, 2, 150), (1, 1, 120), (2, 3, 180), (2, 0, 30)]
)
def test_window_edges_by_bisection_in_mpmath(arrays, i, j, k):
    data = arrays[fig04_window.NAME]
    phi, b, epsilon = float(data["phi"][i]), float(data["b"][j]), float(data["epsilon"][k])
    with mpmath.workdps(25):
        base = Point(phi=mp.mpf(phi), b=mp.mpf(b), epsilon=mp.mpf(epsilon))
        x_oracle = mp.re(mp.lambertw(base.b * (1 + base.epsilon**2)))

        def oracle_passed(log_alpha):  # y_D - y_R, increasing with alpha
            p = base.replace(alpha=mp.exp(log_alpha))
            s2 = bisect(lambda s: gradient_flow_balance(s, p)[0], 0, p.alpha * p.b + 1)
            _, s1, q = gradient_flow_balance(s2, p)
            return q * s1 + s2 - q * x_oracle

        def log_height(ascent_pull):  # ln alpha of the stationary point with that forget pull
            eps = base.epsilon
            q, beta = 2 * eps / (1 + eps**2), base.b * (1 + eps**2)
            a = mp.re(mp.lambertw(beta * mp.exp(q * ascent_pull)))
            return mp.log(base.phi / beta * ascent_pull) + q * a - ascent_pull

        def ascent_short(log_alpha):  # x_D - x_DA, increasing with alpha
            p = base.replace(alpha=mp.exp(log_alpha))
            return (
                plane_margins(p, "original", MPMATH)[0]
                - plane_margins(p, "descent_ascent", MPMATH)[0]
            )

        threshold = mp.exp(bisect(oracle_passed, -12, 3))
        top = bisect(lambda s: -mp.diff(log_height, s), mp.mpf("0.01"), 30)
        existence = mp.exp(log_height(top))
        assert data["existence"][i, j, k] == pytest.approx(float(existence), rel=1e-10)
        assert data["exact_upper"][i, j, k] == pytest.approx(
            float(min(threshold, existence)), rel=1e-10
        )
        lower = data["exact_lower"][i, j, k]
        if math.isfinite(lower):  # interpolated on the grid, hence the tolerance
            above = min(lower * 1.002, existence * 0.9999999)
            assert ascent_short(mp.log(lower * 0.998)) < 0 < ascent_short(mp.log(above))


def test_window_numbers_are_those_of_the_prints(arrays):
    data = arrays[fig04_window.NAME]
    q = 2 * data["epsilon"] / (1 + data["epsilon"] ** 2)
    for i, phi in enumerate(data["phi"]):
        printed = np.maximum(phi**2 / (q * (1 + 2 * phi)), q * phi * (1 + phi) / (1 + 2 * phi))
        np.testing.assert_allclose(data["printed_lower"][i, 0], printed, rtol=1e-13)
    assert (data["printed_upper"] <= 1).all()
    # the finding: nothing is left of the print at b >= 10, where the exact window is open on two fifths of the axis
    assert (data["printed_open"][:, data["b"] >= 10] == 0).all()
    assert (data["exact_open"] > 0.4).all()


def weights_by_mpmath(phi, b, epsilon, alpha, guess="0.3"):
    """(w_D, w_R) from the gradients in weight coordinates, by mpmath's multidimensional Newton method."""

    def stationary(forget):
        retain = b if forget is None else b / (1 + phi)
        pull = 0 if forget is None else forget * b / (1 + phi)

        def equations(w1, w2):
            r, f = retain * mp.exp(-w1 - epsilon * w2), pull * mp.exp(-epsilon * w1 - w2)
            return [w1 - r - epsilon * f, w2 - epsilon * r - f]

        return mp.findroot(equations, (mp.mpf(guess), mp.mpf(guess)))

    return stationary(alpha), stationary(None)


@pytest.mark.parametrize(
    ("i", "j", "k", "m"), [(0, 0, 140, 150), (1, 1, 170, 130), (0, 2, 160, 170), (1, 0, 60, 200)]
)
def test_first_step_in_the_plane_from_weights(arrays, i, j, k, m):
    data = arrays[fig_regions.NAME]
    phi, b, epsilon, ratio = (
        float(v) for v in (data["phi"][i], data["b"][j], data["epsilon"][k], data["ratio"][m])
    )
    with mpmath.workdps(25):
        w, oracle = weights_by_mpmath(phi, b, epsilon, ratio * phi)
        r, f = b * mp.exp(-w[0] - epsilon * w[1]), ratio * b * mp.exp(-epsilon * w[0] - w[1])
        step = (r - epsilon * f - w[0], epsilon * r - f - w[1])
        away = step[0] * (w[0] - oracle[0]) + step[1] * (w[1] - oracle[1])
    assert data["plane_away"][i, j, k, m] == pytest.approx(float(away), rel=1e-8, abs=1e-12)


def euler_flow(phi, b, ratio, steps=4000):
    """Small steps of descent-ascent on one coordinate from the original; stops where it runs off."""
    w = float(mp.lambertw(b * (1 + ratio * phi) / (1 + phi)).real)
    path, size = [w], 0.02 / (1 + b)
    for _ in range(steps):
        w += size * (b * (1 - ratio) * math.exp(-w) - w)
        path.append(w)
        if w < -5:
            break
    return np.array(path)


PLACES = [(0, 20, 60), (0, 120, 120), (1, 120, 150), (1, 150, 205), (0, 100, 225), (2, 90, 239)]


@pytest.mark.parametrize(("j", "k", "m"), PLACES)
def test_no_later_point_closer_by_following_the_path(arrays, j, k, m):
    data = arrays[fig_regions.NAME]
    phi, b, ratio = float(data["phi_axis"][k]), float(data["b"][j]), float(data["ratio"][m])
    distance = np.abs(euler_flow(phi, b, ratio) - float(mp.lambertw(b).real))
    assert data["line_stays"][j, k, m] == bool((distance[1:] >= distance[0]).all())
    assert (data["line_away"][j, k, m] > 0) == (distance[1] > distance[0])
    if np.isfinite(data["line_farther"][j, k, m]):
        assert (data["line_farther"][j, k, m] > 0) == (distance[-1] > distance[0])


def test_the_plane_ends_in_the_line(arrays):
    # identical samples (epsilon = 1) are one coordinate with twice the pull: the edges approach those of the line
    common = {
        "phi": [0.3],
        "phi_axis": [0.2, 0.3],
        "epsilon": [0.9, 0.9999],
        "count": 2,
        "ratio": [0.02, 6.0],
    }
    data, line = (fig_regions.data(b=[b], ratio_count=240, **common) for b in (0.5, 1.0))
    for key in ("farther", "away"):
        plane, one = data[f"plane_{key}"][0, 0, 1] > 0, line[f"line_{key}"][0, 1] > 0
        assert (plane != one).sum() <= 2
    drawn = arrays[fig_regions.NAME]
    assert drawn["line_existence"] == pytest.approx(1 + 1 / (math.e * drawn["b"]), rel=1e-12)


def test_landscape_marks_are_where_the_gradient_vanishes(arrays):
    drawn = arrays[fig05_landscape.NAME]
    assert drawn["supports"].tolist() == [[False, True, False]] + [[True] * 3] * 3
    assert (
        (drawn["margin"][1:] > 0).all()
        and drawn["margin"][0] < 0
        and "slope 0.5" in drawn["reading"][0]
    )
    t = af.ToyLandscape(labels="signed", output="symmetric", slope=1.0, reduction="sum", ridge=0.1)
    for i, which in enumerate(("original", "oracle", "descent_ascent")):
        places = drawn["points"][1, i][drawn["kind"][1, i] > 0]
        assert len(places) in (1, 3)
        for place in places:
            assert np.abs(jax.grad(af.landscape.loss, 1)(t, place, which)).max() < 1e-11
        for j, k in ((3, 5), (60, 90)):
            at = [drawn["a"][k], drawn["b"][j]]
            assert drawn["loss"][1, i, j, k] == pytest.approx(
                float(af.landscape.loss(t, at, which)), rel=1e-12
            )
    theta = np.array([drawn["basin_a"][60], drawn["basin_b"][50]])
    for _ in range(20_000):  # plain small steps
        theta = theta - 2e-3 * np.asarray(fig05_step(t, theta))
    wrong = np.flatnonzero(~af.landscape.correct(theta))
    assert [drawn["basins"][1, 50, 60]] == list(wrong + 1)
    saved = drawn["path"][1]
    np.testing.assert_allclose(saved[-1], drawn["points"][1, 2, 0], atol=1e-5)
    np.testing.assert_allclose(saved[0], drawn["points"][1, 0, 0], atol=1e-12)


@jax.jit
def fig05_step(t, theta):
    return af.landscape.gradient(t, theta, "oracle")


def rk4(w, phi, b, epsilon, ratio, times):
    """Descent-ascent's flow in the plane, in units of the ridge, by the classical Runge-Kutta method; stops where it runs off."""

    def velocity(w):
        r, f = b * math.exp(-w[0] - epsilon * w[1]), ratio * b * math.exp(-epsilon * w[0] - w[1])
        return np.array([r - epsilon * f, epsilon * r - f]) - w

    path = [np.array(w, float)]
    for gap in np.diff(times):
        w, count = path[-1], 1 + int(gap / 5e-4)
        for _ in range(count):
            h = gap / count
            k1 = velocity(w)
            if np.abs(k1).max() > 1e3:
                return np.array([*path, w])
            k2 = velocity(w + h / 2 * k1)
            k3 = velocity(w + h / 2 * k2)
            w = w + h / 6 * (k1 + 2 * k2 + 2 * k3 + velocity(w + h * k3))
        path.append(w)
    return np.array(path)


@pytest.mark.parametrize("i", range(4))
def test_paths_and_their_stops_by_another_integrator(arrays, i):
    data, fixed = arrays[fig_paths.NAME], fig_paths.PARAMETERS
    phi, b, ratio, epsilon = fixed["phi"], fixed["b"], fixed["ratio"], float(data["epsilon"][i])
    with mpmath.workdps(25):
        original, oracle = (
            np.array([float(v) for v in w]) for w in weights_by_mpmath(phi, b, epsilon, ratio * phi)
        )
    np.testing.assert_allclose(data["original"][i], original, rtol=1e-12)
    np.testing.assert_allclose(data["oracle"][i], oracle, rtol=1e-12, atol=1e-15)
    early = data["times"] < 1.2
    path = rk4(original, phi, b, epsilon, ratio, data["times"][early])
    np.testing.assert_allclose(data["path"][i, early], path, atol=1e-8)
    distance = np.linalg.norm(path - oracle, axis=1)
    assert data["best"][i] == distance.argmin()
    assert data["gain"][i] == pytest.approx(1 - distance.min() / distance[0], abs=1e-8)
    forget, wanted = np.exp(-path @ [epsilon, 1]), math.exp(-(oracle @ [epsilon, 1]))
    assert data["rule"][i] == (forget >= wanted).argmax()
    assert data["rule_gain"][i] == pytest.approx(
        1 - distance[data["rule"][i]] / distance[0], abs=1e-8
    )


def test_every_marked_point_is_where_the_data_says(arrays):
    data = arrays[fig_paths.NAME]
    figure = fig_paths.draw(data)
    for i in range(4):
        marked = {
            line.get_marker(): line.get_xydata()[0]
            for line in figure.axes[i].lines
            if line.get_marker() != "None"
        }
        expected = {
            "o": data["original"][i],
            "*": data["oracle"][i],
            "X": data["minimum"][i],
            "D": data["path"][i, data["best"][i]],
            "s": data["path"][i, data["rule"][i]],
        }
        assert set(marked) == set(expected)
        for marker, place in expected.items():
            np.testing.assert_array_equal(marked[marker], place)
            inside = (data["window"][i, :, 0] < place) & (place < data["window"][i, :, 1])
            assert inside.all() or np.isnan(place).all()


@pytest.mark.parametrize("k", [250, 400, 440, 460])
def test_settled_iterates_by_hand(arrays, k):
    data, h_retain = arrays[fig_stability.NAME], fig_stability.PARAMETERS["h_retain"]
    h, ratio = fig_stability.PARAMETERS["h"], float(data["ratio"][k])
    for key, ridge in (("bare", 0.0), ("ridged", h)):
        w, seen = math.log(h_retain), []
        for step in range(20_000):
            u = w + h_retain * math.exp(-w) - ridge * w
            w = u - ratio * h_retain * math.exp(-u) - ridge * u
            if step >= 19_900:
                seen.append(w - math.log(h_retain))
        ends = data[key][k].min(), data[key][k].max()
        assert ends == pytest.approx((min(seen), max(seen)), abs=1e-9)
        assert data[f"{key}_settled"][k] == (max(seen) - min(seen) < 1e-3)
    assert data["fixed"][k] == pytest.approx(-math.log(math.log(ratio)), abs=1e-12)


def test_the_period_doubles_at_the_limit(arrays):
    data = arrays[fig_stability.NAME]
    with mpmath.workdps(30):

        def multiplier(excess):
            def twice(w):
                u = w + mp.exp(-w)
                return u - mp.exp(excess - u)

            return mp.diff(twice, -mp.log(excess))

        limit = mp.exp(bisect(lambda excess: -1 - multiplier(excess), "0.5", 2))
    assert float(data["limit"]) == pytest.approx(float(limit), rel=1e-12)
    assert data["doubling"][0] == pytest.approx(float(limit), rel=0.01)
    assert limit < data["doubling"][1] < 1.05 * limit  # the ridge stabilises a little
    assert data["existence"] == pytest.approx(1 + 0.005 / (0.1 * math.e), rel=1e-12)


# panel, place across, alpha/phi; the answers to (a), (b), (c)
CELLS = {
    "all three": (0, 1, 40, 80, True, True, True),
    "ends farther, comes closer": (1, 0, 40, 80, True, False, False),
    "none": (0, 2, 40, 30, False, False, False),
    "away, yet closer later": (1, 2, 29, 53, True, True, False),
    "away and never closer": (1, 2, 60, 120, True, True, True),
    "infinitely far, comes closer": (0, 0, 80, 100, True, False, False),
}


@pytest.mark.parametrize("words", CELLS)
def test_the_three_answers_by_following_the_path(arrays, words):
    data, phi = arrays[fig_questions.NAME], fig_questions.PARAMETERS["phi"]
    i, j, k, m, *answers = CELLS[words]
    across, ratio = float(data["across"][i, j, k]), float(data["ratio"][i, j, m])
    epsilon, b = (float(data["epsilon"][j]), across) if i == 0 else (across, float(data["b"][j]))
    farther, away = data["farther"][i, j, k, m], data["away"][i, j, k, m]
    assert [not farther <= 0, away > 0, data["stays"][i, j, k, m]] == answers
    assert (data["returns"][i, j, k, m] > 0) == (answers == [True, True, False])
    with mpmath.workdps(25):
        guess = mp.lambertw(2 * b).real / 2
        original, oracle = (
            np.array([float(v) for v in w])
            for w in weights_by_mpmath(phi, b, epsilon, ratio * phi, guess)
        )
    path = rk4(original, phi, b, epsilon, ratio, np.concatenate([[0], np.geomspace(1e-6, 1, 200)]))
    distance = np.linalg.norm(path - oracle, axis=1)
    assert (distance[1] > distance[0]) == answers[1]
    assert (distance[1:].min() >= distance[0]) == answers[2]
    if math.isfinite(farther) and answers[0] and not answers[2]:
        assert data["gain"][i, j, k, m] == pytest.approx(1 - distance.min() / distance[0], rel=0.02)


def test_what_follows_from_what(arrays):
    data = arrays[fig_questions.NAME]
    assert data["b_not_a"].sum() == data["c_not_b"].sum() == 0
    assert (
        data["a_not_b"].sum() > data["a"].sum() / 2
    )  # most paths that end farther come closer first
    assert data["b_not_c"].sum() > 0 and not data["b_not_c"][:, 0].any()
    assert data["b_yes"][0, 0] == 0  # no first step leads away at epsilon = 0.5
    assert 0.03 < data["gain"][data["returns"] > 0].max() < 0.1


@pytest.mark.parametrize("k", [0, 40, 90, 120])
def test_result_ends_by_lambert_w_in_mpmath(arrays, k):
    data, b = arrays[fig_result.NAME], mp.mpf(fig_result.PARAMETERS["b"])
    phi, edge = (mp.mpf(float(data[key][k])) for key in ("phi", "threshold"))
    oracle, original = mp.lambertw(b).real, lambda a: mp.lambertw(b * (1 + a) / (1 + phi)).real
    for ratio, farther in (
        (edge * 0.999, False),
        (edge * 1.001, True),
        (data["existence"] * 0.999, True),
    ):
        end = mp.lambertw(b * (1 - ratio)).real
        assert (abs(end - oracle) > abs(original(ratio * phi) - oracle)) == farther
    assert (
        b * (1 - mp.mpf(float(data["existence"])) * 1.001)
        < -mp.exp(-1)
        < b * (1 - mp.mpf(float(data["existence"])) * 0.999)
    )


def test_result_is_what_the_readme_says_of_it(arrays):
    data = arrays[fig_result.NAME]
    closest = data["distance"][np.arange(4), data["best"]]
    assert (np.diff(closest) > 0).all() and (closest[:3] < 1).all()
    assert data["epsilon"][-1] == 0.9 and data["best"][-1] == 0 and closest[-1] == 1
    assert (arrays[fig_paths.NAME]["end"] > 5).all()
    np.testing.assert_allclose(data["threshold"], data["phi"] / (1 + 2 * data["phi"]), rtol=1e-14)


def test_result_counts_the_record(arrays):
    counts = arrays[fig_result.NAME]["verdicts"]
    levels = json.loads(record.RECORD.read_text())["levels"]
    entries = levels[max(levels, key=LEVELS.index)]
    ours = [e for e in entries if e["source"][:4] == "ours"]
    assert counts[[0, 2]].sum() == len(entries) and counts[2].sum() == len(ours)
    for status, columns in (("holds", slice(0, 3)), ("fails", slice(3, 4))):
        assert counts[2, columns].sum() == sum(e["status"] == status for e in ours)
        assert counts[[0, 2], columns].sum() == sum(e["status"] == status for e in entries)
    assert counts[1].sum() == json.dumps(entries).count('"repaired": {')
    assert not counts[:, 2].any()  # at the strongest level what holds is proved or argued
    argued = [e for e in entries if e["status"] == "holds" and e["evidence"]["grade"] == "argued"]
    assert counts[[0, 2], 1].sum() == len(argued)
    chapters = report.chapters(record.load())
    assert (
        counts[2].sum() == len(chapters[report.OURS])
        and counts[0].sum() == sum(map(len, chapters.values())) - counts[2].sum()
    )


def test_committed_picture_is_the_current_one(arrays):
    """By its data, its code and its hash, not by pixels: `python tests/update_readme.py` writes it anew."""
    folder, module = Path(room.__file__).parent, fig_result
    sidecar = json.loads((folder / f"{module.NAME}.json").read_text())
    picture = (folder / f"{module.NAME}.png").read_bytes()
    assert sidecar["sha256"]["png"] == hashlib.sha256(picture).hexdigest()
    assert (
        sidecar["sha256"]["npz"]
        == hashlib.sha256((folder / f"{module.NAME}.npz").read_bytes()).hexdigest()
    )
    assert sidecar["parameters"] == module.PARAMETERS and sidecar["source"] == room.source(
        module.NAME
    )
    with np.load(folder / f"{module.NAME}.npz", allow_pickle=False) as saved:
        assert set(saved) == set(arrays[module.NAME])
        for key, value in arrays[module.NAME].items():
            np.testing.assert_allclose(
                saved[key], value, rtol=1e-7, atol=1 if key == "best" else 1e-9, err_msg=key
            )


@pytest.mark.parametrize("row", [0, 1])
def test_minima_appear_change_order_and_vanish_by_another_enumeration(arrays, row):
    data, t = (
        arrays[fig_continuation.NAME],
        toy_interpretations.landscape_of(toy_interpretations.NAMED),
    )

    def losses(copies):
        counts = np.array(t.multiplicities)
        counts[(toy_interpretations.FOURTH, toy_interpretations.THIRD)[row]] = copies
        p = concrete(dataclasses.replace(t, multiplicities=counts), "oracle")
        return [float(value) for _, value in toy_interpretations.exact_minima(p, 20)]

    appears, exchange, vanishes = (float(v) for v in data["event_copies"][row])
    assert [
        len(losses(v)) for v in (appears - 1e-3, appears + 1e-2, vanishes - 0.1, vanishes + 1e-3)
    ] == [1, 2, 2, 1]
    low, high = losses(exchange)
    assert high - low < 1e-7 and data["event_loss"][row, 1] == pytest.approx(low, abs=1e-7)
    for k in (3, 20, 40):
        shown = data["loss"][row, k, :2]
        np.testing.assert_allclose(
            sorted(shown[np.isfinite(shown)]), losses(float(data["copies"][row, k])), atol=1e-9
        )
    for k, one in ((0, appears), (2, vanishes)):
        at = np.flatnonzero(data["copies"][row] == one)[0]
        assert (
            data["loss"][row, at] == data["event_loss"][row, k]
        ).sum() == 2  # a minimum and the saddle meet there
    lines = fig_continuation.draw(data).axes[row].lines
    marked = {
        line.get_marker(): tuple(line.get_xydata()[0])
        for line in lines
        if line.get_marker() != "None"
    }
    places = zip(data["event_copies"][row], data["event_loss"][row], strict=True)
    assert marked == dict(zip("oDs", places, strict=True))


def test_a_shifted_event_stops_the_figure(monkeypatch):
    whole = landscape.continuation

    def shifted(*args, **settings):
        found = whole(*args, **settings)
        return dataclasses.replace(
            found, events=tuple(dataclasses.replace(e, value=e.value + 0.01) for e in found.events)
        )

    monkeypatch.setattr(landscape, "continuation", shifted)
    with pytest.raises(AssertionError, match="contradicted in"):
        fig_continuation.data(**fig_continuation.PARAMETERS | {"count": 21})
