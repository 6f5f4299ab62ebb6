"""The explorers: every point marked is where the package says, and a slider costs milliseconds."""

import json
import time

import jax
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.path import Path
from mpmath import mp

import ascentfail as af
from ascentfail import stationary
from ascentfail.core.models import MODELS
from ascentfail.figures.drawing import style
from ascentfail.figures.drawing.mark_styles import NOTHING, ROLES
from ascentfail.figures.drawing.scene import Arrow, Band, Field, Line, Points, decades
from ascentfail.figures.drawing.scene_matplotlib import draw
from ascentfail.figures.drawing.scene_plotly import plotly
from ascentfail.figures.explore import plane as explore_plane
from ascentfail.figures.explore import toy as explore_toy
from ascentfail.figures.explore.explorers import explorers, part, times, window
from ascentfail.line import closed_form
from ascentfail.numerics.arithmetic import MPMATH
from ascentfail.plane import equations as plane_equations
from ascentfail.plane.comparisons import extra_squared_distance, first_step_criterion
from ascentfail.theory import Point, toy_interpretations
from ascentfail.toy import landscape

NAMES = ("line", "plane", "toy")


def point(panel, role):
    """The coordinates of the single mark of a role."""
    layer = panel.layer(role)
    assert isinstance(layer, Points) and layer.x.shape == layer.y.shape == (1,)
    return np.array([layer.x[0], layer.y[0]])


def exact(**values):
    return Point(**{key: mp.mpf(value) for key, value in values.items()})


# --- the line ----------------------------------------------------------------------------------------------------------

LINES = [
    (0.501, 1.0, 3.0),
    (0.02, 0.5, 100.0),
    (2.0, 1.99, 0.1),
    (1.1, 1.0, 1.0),
    (9.0, 2.0, 0.1),
    (0.01, 2.0, 0.3),
]


@pytest.mark.parametrize(("alpha", "phi", "b"), LINES)
def test_line_marks_are_the_closed_forms_in_mpmath(alpha, phi, b):
    panel = explorers()["line"].scene(alpha=alpha, phi=phi, b=b).panels[0]
    p = exact(alpha=alpha, phi=phi, b=b)
    weights = {
        "original": closed_form.original(p, xp=MPMATH),
        "oracle": closed_form.oracle(p, xp=MPMATH),
        "descent_ascent": closed_form.descent_ascent(p, 0, xp=MPMATH),
        "second_branch": closed_form.descent_ascent(p, -1, xp=MPMATH),
    }
    problem = af.SemiOrthogonal.from_ratios(alpha=alpha, phi=phi, b=b)
    start = float(weights["original"])
    for role, weight in weights.items():
        x, y = point(panel, role)
        assert x == pytest.approx(float(weight), abs=1e-9, nan_ok=True)
        which = "descent_ascent" if role == "second_branch" else role
        height = [float(af.loss(problem, np.float64(w), which)) for w in (weight, start)]
        assert y == pytest.approx(
            (height[0] - height[1]) / float(problem.ridge), abs=1e-9, nan_ok=True
        )
    for role, which in (
        ("loss_original", "original"),
        ("loss_oracle", "oracle"),
        ("loss_descent_ascent", "descent_ascent"),
    ):
        line = panel.layer(role)
        seen = np.flatnonzero(np.isfinite(line.y))[::17]
        assert len(seen)
        for k in seen:
            height = [float(af.loss(problem, np.float64(w), which)) for w in (line.x[k], start)]
            assert line.y[k] == pytest.approx(
                (height[0] - height[1]) / float(problem.ridge), abs=1e-9
            )


@pytest.mark.parametrize(("alpha", "phi", "b"), LINES)
def test_line_arrow_points_downhill_on_the_loss_of_descent_ascent(alpha, phi, b):
    panel = explorers()["line"].scene(alpha=alpha, phi=phi, b=b).panels[0]
    arrow, loss = panel.layer("first_step"), panel.layer("loss_descent_ascent")
    assert isinstance(arrow, Arrow) and arrow.x[0] == point(panel, "original")[0]
    after = np.interp(arrow.x[0] + np.array([-0.02, 0.02]) * np.ptp(panel.x_range), loss.x, loss.y)
    assert (after[1] < after[0]) == (arrow.x[1] > arrow.x[0])


def test_line_map_has_the_three_thresholds_and_the_place_of_the_sliders():
    panel = explorers()["line"].scene(alpha=0.2, phi=0.5, b=3.0).panels[1]
    assert point(panel, "here").tolist() == [0.5, 0.2]
    farther, none, away = (panel.layer(role) for role in ("farther", "no_minimum", "away"))
    for k in (0, 33, -1):
        phi = mp.mpf(float(farther.x[k]))
        edges = (phi**2 / (1 + 2 * phi), phi, phi * (1 + 1 / (mp.e * 3)))
        assert [away.low[k], away.high[k], none.low[k]] == pytest.approx(
            [float(edge) for edge in edges], rel=1e-12
        )
        assert (farther.low[k], farther.high[k]) == (away.low[k], none.low[k])
        for alpha, ends_farther in (
            (0.99 * edges[0], False),
            (1.01 * edges[0], True),
            (0.99 * edges[2], True),
        ):
            p = Point(alpha=alpha, phi=phi, b=mp.mpf(3))
            w = [
                closed_form.original(p, xp=MPMATH),
                closed_form.oracle(p, xp=MPMATH),
                closed_form.descent_ascent(p, xp=MPMATH),
            ]
            assert (abs(w[2] - w[1]) > abs(w[0] - w[1])) == ends_farther
        assert mp.isnan(
            closed_form.descent_ascent(
                Point(alpha=edges[2] * 1.01, phi=phi, b=mp.mpf(3)), xp=MPMATH
            )
        )


def test_line_at_its_thresholds():
    line, phi, b = explorers()["line"], 1.0, 3.0
    threshold, existence = (float(v) for v in (phi**2 / (1 + 2 * phi), phi * (1 + 1 / (mp.e * b))))
    at = line.scene(alpha=threshold, phi=phi, b=b)
    assert "exactly as far" in at.words and "already the end" in at.words
    assert np.isnan(at.panels[0].layer("first_step").x).any()
    same = line.scene(alpha=phi, phi=phi, b=b)
    assert "They are the same" in same.words and "which is where it starts" in same.words
    for role, far in (("closer", 0.99), ("farther", 1.01)):
        ratio = float(
            line.scene(alpha=far * threshold, phi=phi, b=b).words.split(": ")[1].split(" times")[0]
        )
        assert (ratio > 1) == (role == "farther")
    below, above = (
        line.scene(alpha=existence * (1 + sign * 1e-9), phi=phi, b=b) for sign in (-1, 1)
    )
    assert point(below.panels[0], "descent_ascent")[0] == pytest.approx(-1, abs=1e-3)
    assert point(below.panels[0], "second_branch")[0] == pytest.approx(-1, abs=1e-3)
    for role in ("descent_ascent", "second_branch"):
        assert np.isnan(point(above.panels[0], role)).all()
    assert (
        "no solution" in above.words
        and "runs to −∞" in above.words
        and "no solution" not in below.words
    )


# --- the plane ---------------------------------------------------------------------------------------------------------

PLANES = [(0.6, 0.816, 1.0), (0.2, 0.1, 30.0), (0.95, 0.7, 10.0), (0.03, 6.0, 0.3), (0.6, 4.0, 1.0)]


@pytest.mark.parametrize(("epsilon", "ratio", "b"), PLANES)
def test_plane_marks_are_the_stationary_points_in_mpmath(epsilon, ratio, b):
    panel = explorers()["plane"].scene(epsilon=epsilon, ratio=ratio, b=b).panels[0]
    p = exact(epsilon=epsilon, alpha=ratio, phi=1.0, b=b)
    for which in MODELS:
        pulls = stationary.plane(p, which, xp=MPMATH)
        weights = [float(w) for w in plane_equations.weights(*pulls, p.epsilon)]
        assert point(panel, which) == pytest.approx(weights, abs=1e-8, nan_ok=True)


@pytest.mark.parametrize(("epsilon", "ratio", "b"), PLANES)
def test_plane_path_is_the_flow_and_its_best_stop_the_closest_point(epsilon, ratio, b):
    scene = explorers()["plane"].scene(epsilon=epsilon, ratio=ratio, b=b)
    panel = scene.panels[0]
    path, oracle = (
        np.stack([panel.layer("path").x, panel.layer("path").y], -1),
        point(panel, "oracle"),
    )
    assert path[0] == pytest.approx(point(panel, "original"), abs=1e-9)
    p = af.CrossCorrelated.from_ratios(
        epsilon=epsilon, alpha=ratio, phi=1.0, b=b
    )  # another ridge, other tolerances
    run = af.gradient_flow(p, "original", explore_plane.TIMES / float(p.ridge))
    assert path == pytest.approx(np.asarray(run.weights)[: len(path)], abs=2e-5)
    distance = np.linalg.norm(path - oracle, axis=-1)
    assert point(panel, "best_stop") == pytest.approx(path[distance.argmin()], abs=1e-9)
    if distance.argmin():
        assert f"best stop is {part(1 - distance.min() / distance[0])} closer" in scene.words
    else:
        assert "do nothing" in scene.words
    end = point(panel, "descent_ascent")
    if np.isnan(end).any():
        assert "no minimum" in scene.words and "infinity" in scene.words
        assert distance[-1] > 2 * distance[0]
    else:
        assert path[-1] == pytest.approx(end, abs=1e-3) and "no minimum" not in scene.words
        assert times(np.linalg.norm(end - oracle) / distance[0]) in scene.words


def test_plane_map_answers_both_questions_as_mpmath_does():
    panel = explorers()["plane"].scene(epsilon=0.6, ratio=0.5, b=3.0).panels[1]
    assert point(panel, "here").tolist() == [0.6, 0.5]
    farther, away, none = (panel.layer(role) for role in ("farther", "away", "no_minimum"))
    assert isinstance(farther, Field) and isinstance(none, Band)
    judged = 0
    for i in range(0, len(farther.y), 12):
        for j in range(0, len(farther.x), 22):
            p = exact(epsilon=farther.x[j], alpha=farther.y[i], phi=1.0, b=3.0)
            extra = extra_squared_distance(p, MPMATH)
            assert mp.isnan(extra) == (farther.y[i] > none.low[j])
            assert mp.isnan(extra) or (extra > 0) == (farther.z[i, j] > 0)
            assert (first_step_criterion(p, MPMATH) > 0) == (away.z[i, j] > 0)
            judged += not mp.isnan(extra)
    assert judged >= 8


# --- the toy -----------------------------------------------------------------------------------------------------------

TOYS = [(1.0, 2.0, 0.1, 1.0), (3.0, 4.0, 0.1, 0.5), (2.0, 0.0, 0.4, 2.0), (1.0, 4.0, 0.02, 2.0)]


@pytest.mark.parametrize(("copies", "forget", "ridge", "slope"), TOYS)
def test_toy_marks_are_the_minima_of_the_third_enumeration(copies, forget, ridge, slope):
    scene = explorers()["toy"].scene(copies=copies, forget=forget, ridge=ridge, slope=slope)
    t = af.ToyLandscape(
        "signed", "symmetric", slope, "sum", ridge, (5.0, 4.0, copies, 4.0), (0.0, 0.0, 0.0, forget)
    )
    for panel, which in zip(scene.panels, ("descent_ascent", "oracle"), strict=True):
        wanted = toy_interpretations.exact_minima(explore_toy.concrete(t, which), 15)
        layers = [layer for layer in panel.layers if layer.role.startswith(("minimum", "local"))]
        marked = {
            (x, y): layer.role for layer in layers for x, y in zip(layer.x, layer.y, strict=True)
        }
        assert len(marked) == len(wanted)
        for k, (theta, _) in enumerate(wanted):
            place = [float(v) for v in theta]
            (role,) = [role for at, role in marked.items() if at == pytest.approx(place, abs=1e-6)]
            wrong = np.flatnonzero(~landscape.correct(np.array(place)))
            pattern = {(2,): "3", (3,): "4"}.get(tuple(wrong), "other")
            assert role == f"{'local' if k else 'minimum'}_{pattern}"


@pytest.mark.parametrize(("copies", "forget", "ridge", "slope"), TOYS)
def test_toy_paths_start_and_end_where_they_should(copies, forget, ridge, slope):
    scene = explorers()["toy"].scene(copies=copies, forget=forget, ridge=ridge, slope=slope)
    t = explore_toy.landscape_at(copies, forget, ridge, slope)
    left, right = scene.panels
    path, after = left.layer("path"), right.layer("fine_tuning")
    start, rest = point(left, "original"), point(right, "arrived")
    assert start == pytest.approx(landscape.stationary_points(t, "original").minima().parameters[0])
    assert [path.x[0], path.y[0]] == pytest.approx(start) and [
        path.x[-1],
        path.y[-1],
    ] == pytest.approx(rest)
    assert [after.x[0], after.y[0]] == pytest.approx(rest)
    end = np.array([after.x[-1], after.y[-1]])
    assert np.abs(landscape.gradient(t, rest, "descent_ascent")).max() < 1e-5
    assert np.abs(landscape.gradient(t, end, "oracle")).max() < 1e-5
    minima = landscape.stationary_points(t, "oracle").minima()
    reached = int(landscape.settle(t, rest[None], "oracle")[0])
    assert end == pytest.approx(minima.parameters[reached], abs=1e-4)
    assert ("trap" in scene.words) == (reached > 0) and (
        "That is the oracle's lowest" in scene.words
    ) == (reached == 0)


def test_toy_fields_are_losses_and_patterns():
    t = explore_toy.landscape_at(1.0, 2.0, 0.1, 1.0)
    panel = explorers()["toy"].scene().panels[0]
    loss = panel.layer("contour")
    assert loss.levels == tuple(sorted(loss.levels)) and len(loss.levels) > 5
    for i, j in ((0, 0), (20, 31), (46, 60)):
        theta = np.array([loss.x[j], loss.y[i]])
        assert loss.z[i, j] == pytest.approx(
            float(landscape.loss(t, theta, "descent_ascent")), rel=1e-12
        )
        alone = landscape.correct(theta)
        for wrong, role in ((2, "pattern_3"), (3, "pattern_4")):
            assert (panel.layer(role).z[i, j] > 0) == (alone == (np.arange(4) != wrong)).all()


# --- one program, and quickly ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_moving_a_slider_traces_and_compiles_nothing(name):
    one = explorers()[name]
    one.scene()
    heard = []
    jax.monitoring.register_event_duration_secs_listener(
        lambda event, *_, **__: heard.append(event)
    )
    try:
        for slider in one.sliders:
            for value in (slider.values[0], slider.values[-1]):
                one.scene(**{slider.name: value})
        assert not [event for event in heard if "compile" in event or "trace" in event]
        jax.jit(lambda x: x + 1.5)(1.0)
        assert [event for event in heard if "compile" in event] and [
            event for event in heard if "trace" in event
        ]
    finally:
        jax.monitoring.clear_event_listeners()


@pytest.mark.parametrize("name", NAMES)
def test_an_update_costs_no_compilation_in_processor_time(name):
    """Measured: 20 to 60 ms; a compilation costs a second and more. Processor time, since the machine may be busy."""
    one, figure = explorers()[name], style.figure(style.FULL_WIDTH, 3.8)
    seconds = []
    for k in range(5):
        start = time.process_time()
        draw(
            one.scene(
                **{one.sliders[0].name: one.sliders[0].values[k % len(one.sliders[0].values)]}
            ),
            figure,
        )
        FigureCanvasAgg(figure).draw()
        seconds.append(time.process_time() - start)
    assert min(seconds[1:]) < 0.5


# --- sliders -----------------------------------------------------------------------------------------------------------


def test_the_explorers_are_three_and_well_formed():
    assert tuple(explorers()) == NAMES
    for name, one in explorers().items():
        assert one.name == name and one.title and one.about
        for slider in one.sliders:
            assert list(slider.values) == sorted(set(slider.values)) and 0 <= slider.start < len(
                slider.values
            )
            assert slider.label and slider.words
        places = list(one.places())
        assert len(places) == one.count() == np.prod([len(slider.values) for slider in one.sliders])
        assert places[1][one.sliders[-1].name] == one.sliders[-1].values[1]


@pytest.mark.parametrize(
    "values", [{"alpha": 0.0}, {"alpha": 11.0}, {"b": float("nan")}, {"gamma": 1.0}, {"phi": "1"}]
)
def test_a_value_outside_a_slider_is_refused_by_name(values):
    ((name, _),) = values.items()
    with pytest.raises(ValueError, match=name):
        explorers()["line"].scene(**values)


def test_a_value_between_places_is_taken():
    scene = explorers()["line"].scene(alpha=0.12345)
    assert point(scene.panels[1], "here")[1] == 0.12345


def test_ratios_in_words():
    assert (
        times(1.0) == "exactly as far"
        and times(2.345) == "2.3 times as far"
        and times(0.99996) == "0.99996 times as far"
    )
    assert times(12345.6) == "12,346 times as far"
    assert (part(0.999), part(0.004), part(1.0)) == ("99 %", "less than 1 %", "100 %")


def test_a_window_contains_its_ends_and_changes_in_steps():
    seen = set()
    for low in np.linspace(-3, 3, 41):
        for size in (0.0, 0.3, 1.7, 1.8):
            middle, half = (float(v) for v in window(low, low + size, 0.1))
            assert middle - half <= low and low + size <= middle + half
            seen.add(half)
    assert len(seen) <= 4


# --- looks -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_roles_of_a_panel_differ_in_more_than_colour(name):
    for panel in explorers()[name].scene().panels:
        marks = {layer.role for layer in panel.layers if isinstance(layer, Points)}
        shapes = [
            (ROLES[role].marker, ROLES[role].colour == "white", ROLES[role].size) for role in marks
        ]
        assert len(set(shapes)) == len(shapes)
        areas = {
            layer.role
            for layer in panel.layers
            if isinstance(layer, Band) or isinstance(layer, Field) and not layer.levels
        }
        lightness = [
            _lightness(ROLES[role].colour) for role in areas if ROLES[role].colour != NOTHING
        ]
        assert all(abs(a - b) > 0.08 for k, a in enumerate(lightness) for b in lightness[:k])
        lines = {layer.role for layer in panel.layers if isinstance(layer, Line) and layer.label}
        assert len(
            {(ROLES[role].dash, _lightness(ROLES[role].colour) > 0.5) for role in lines}
        ) == len(lines)


def _lightness(colour):
    red, green, blue = (int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5))
    return 0.3 * red + 0.59 * green + 0.11 * blue


@pytest.mark.parametrize("name", NAMES)
def test_matplotlib_draws_every_mark_where_it_is_and_nothing_that_is_not(name):
    figure = style.figure(style.FULL_WIDTH, 3.8)
    one = explorers()[name]
    for values in (
        {},
        {one.sliders[0].name: one.sliders[0].values[-1]},
    ):  # the second time the axes are used again
        scene = one.scene(**values)
        draw(scene, figure)
        FigureCanvasAgg(figure).draw()
        for ax, panel in zip(figure.axes, scene.panels, strict=True):
            drawn = [line.get_xydata().tolist() for line in ax.lines if line.get_marker() != "None"]
            assert drawn == _marks(panel)
            assert ax.get_xlim() == pytest.approx(panel.x_range) and ax.get_ylim() == pytest.approx(
                panel.y_range
            )
            assert ax.get_title() == panel.title
    words = [text.get_text() for text in figure.texts]
    marked = {
        one.label
        for panel in scene.panels
        for one in panel.layers
        if isinstance(one, Points) and np.isfinite(one.x).any()
    }
    assert marked <= set(words) <= {layer.label for panel in scene.panels for layer in panel.layers}
    assert len(words) == len(set(words)) == len(figure.artists)


def _marks(panel):
    return [
        np.stack([one.x, one.y], -1).tolist()
        for one in panel.layers
        if isinstance(one, Points) and np.isfinite(one.x).any()
    ]


@pytest.mark.parametrize("name", NAMES)
def test_plotly_has_every_layer_in_order_and_every_mark_to_the_last_digit(name):
    scene = explorers()[name].scene()
    figure = plotly(scene)
    assert json.loads(json.dumps(figure, allow_nan=False)) == figure
    layers = [
        (f"x{k or ''}".replace("x1", "x2"), layer)
        for k, panel in enumerate(scene.panels)
        for layer in panel.layers
    ]
    assert len(layers) == len(figure["data"]) and {axis for axis, _ in layers} == {"x", "x2"}
    for (axis, layer), trace in zip(layers, figure["data"], strict=True):
        assert trace["xaxis"] == axis and trace.get("name", "") == layer.label
        if isinstance(layer, Points) and np.isfinite(layer.x).all() and layer.x.size:
            assert trace["x"] == layer.x.tolist() and trace["y"] == layer.y.tolist()
        elif isinstance(layer, Points):
            assert trace["x"] == [None]
    assert figure["layout"]["xaxis2"]["title"]["text"] == scene.panels[1].x_label


def test_plotly_areas_are_where_the_field_is_positive():
    panel = explorers()["plane"].scene(b=10.0).panels[1]
    place = [layer.role for layer in panel.layers].index("away")
    trace, layer = (
        plotly(type(explorers()["plane"].scene())((panel,), ""))["data"][place],
        panel.layers[place],
    )
    corners = [
        (np.nan if x is None else x, np.nan if y is None else y)
        for x, y in zip(trace["x"], trace["y"], strict=True)
    ]
    breaks = [k for k, (x, _) in enumerate(corners) if np.isnan(x)]
    rings = [
        corners[a:b]
        for a, b in zip([0, *[k + 1 for k in breaks]], [*breaks, len(corners)], strict=True)
    ]
    inside = np.zeros(layer.z.shape, int)
    mesh = np.stack(np.meshgrid(layer.x, layer.y), -1).reshape(-1, 2)
    for ring in rings:
        inside += Path(ring).contains_points(mesh).reshape(layer.z.shape)
    clear = np.abs(layer.z) > 1e-3 * np.abs(layer.z).max()
    clear[[0, -1]] = clear[:, [0, -1]] = False  # the rim is on the outline
    assert ((inside % 2 == 1) == (layer.z > 0))[clear].all() and (layer.z > 0).any()


def test_logarithmic_ticks():
    assert decades((0.05, 6.0)) == [0.05, 0.1, 0.2, 0.5, 1, 2, 5] and decades((0.01, 10)) == [
        0.01,
        0.1,
        1,
        10,
    ]
