"""The figures: data by a second route, one compilation, files written whole or not at all, pictures that fit."""

import json
import subprocess
import sys
from pathlib import Path

import chex
import jax
import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure

from ascentfail import figures as room
from ascentfail.figures.beyond import (
    fig_continuation,
    fig_paths,
    fig_questions,
    fig_regions,
    fig_result,
    fig_stability,
)
from ascentfail.figures.drawing import style
from ascentfail.figures.paper import fig04_window, fig05_landscape
from ascentfail.theory import get

NAMES = list(room.figures())
SMALL = {
    fig04_window: {
        "phi": [0.1, 1.0],
        "b": [0.1, 100.0],
        "epsilon": [0.1, 0.9],
        "epsilon_count": 5,
        "ratio": [0.009, 6.0],
        "ratio_count": 240,
    },
    fig_regions: {
        "b": [0.1, 10.0],
        "phi": [0.3],
        "phi_axis": [0.05, 2.0],
        "epsilon": [0.1, 0.9],
        "count": 5,
        "ratio": [0.02, 6.0],
        "ratio_count": 9,
    },
    fig_paths: {
        "epsilon": [0.3, 0.9],
        "phi": 1.0,
        "b": 1.0,
        "ratio": 0.8,
        "times": [1e-3, 400.0],
        "count": 80,
        "mesh": 5,
    },
    fig_questions: {
        "phi": 1.0,
        "epsilon": [0.9],
        "b_axis": [0.1, 1e5],
        "b": [1e5],
        "epsilon_axis": [0.02, 0.99],
        "ratio": [0.05, 3.0],
        "zoom": {"epsilon_axis": [0.87, 0.92], "ratio": [0.34, 0.4]},
        "count": 9,
        "ratio_count": 9,
    },
    fig_stability: {
        "ratio": [0.5, 8.0],
        "ratio_count": 81,
        "h_retain": 0.1,
        "h": 0.005,
        "transient": 3000,
        "points": 8,
    },
}
SMALL[fig_result] = fig_result.PARAMETERS | {"count": 9, "paths": SMALL[fig_paths]}


# --- what stops a figure ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("module", SMALL, ids=lambda m: m.NAME)
def test_one_compilation(module, monkeypatch):
    traced = chex.assert_max_traces(module.grid.__wrapped__, n=1)
    monkeypatch.setattr(
        module, "grid", jax.jit(traced, static_argnames="times" if module is fig_paths else None)
    )
    chex.clear_trace_counter()
    first, second = module.data(**SMALL[module]), module.data(**SMALL[module])
    for key, value in first.items():
        np.testing.assert_array_equal(value, second[key])


def test_a_contradiction_stops_the_figure(monkeypatch, tmp_path):
    grid = fig04_window.grid

    def wrong(*args):
        return grid(*args) | {"printed_upper": 3 * grid(*args)["printed_upper"]}

    monkeypatch.setattr(fig04_window, "grid", wrong)
    with pytest.raises(AssertionError, match="Lemma 10: contradicted in"):
        room.make(fig04_window.NAME, tmp_path)
    assert not list(tmp_path.iterdir())


def planted(key, change):
    return lambda found: found | {key: change(np.array(found[key]))}


@pytest.mark.parametrize(
    ("module", "wrong", "words"),
    [
        (fig_paths, planted("minimum", lambda v: v + 1e-6), "and ends there"),
        (fig_paths, planted("best", lambda v: v + 1), "the best stop is the closest point"),
        (fig_paths, planted("rule", lambda v: v + 1), "the rule stops where"),
        (
            fig_paths,
            planted("oracle", lambda v: v + 1e-6),
            "distances are those to the closed-form oracle",
        ),
        (fig_stability, planted("fixed", lambda v: v + 1e-6), "settle on w\\*"),
        (fig_stability, planted("multiplier", lambda v: v * 1.01), "its multiplier"),
        (
            fig_stability,
            planted("simultaneous", lambda v: v * np.nan),
            "simultaneous: a minimum up to",
        ),
        (fig_result, planted("farther", lambda v: -v), "farther exactly above"),
        (fig_result, planted("farther", lambda v: v * np.nan), "descent-ascent ends exactly up to"),
        (fig_result, planted("away", lambda v: -v), "leads away exactly between"),
        (fig_questions, planted("comes_closer", np.zeros_like), r"\(c\) gives \(b\)"),
        (
            fig_questions,
            planted("away", lambda v: -v),
            "the closed form and the inner product agree",
        ),
        (fig_questions, planted("farther", lambda v: -np.abs(v)), r"\(b\) gives \(a\)"),
    ],
    ids=lambda value: (
        value.NAME if hasattr(value, "NAME") else value if isinstance(value, str) else ""
    ),
)
def test_a_planted_wrong_datum_stops_the_figure(module, wrong, words, monkeypatch):
    grid = module.grid
    monkeypatch.setattr(module, "grid", lambda *args: wrong(grid(*args)))
    with pytest.raises(AssertionError, match=f"{words}.*contradicted in"):
        module.data(**SMALL[module])


# --- pictures --------------------------------------------------------------------------------------------------------


PANELS = {
    fig04_window.NAME: 12,
    fig05_landscape.NAME: 12,
    fig_regions.NAME: 9,
    fig_paths.NAME: 8,
    fig_questions.NAME: 6,
    fig_result.NAME: 3,
    fig_stability.NAME: 2,
    fig_continuation.NAME: 2,
}


@pytest.mark.parametrize("name", sorted(PANELS))
def test_pictures_fit_and_texts_do_not_collide(arrays, name):
    figure = room.figures()[name].draw(arrays[name])
    assert isinstance(figure, Figure)
    assert len(figure.axes) == PANELS[name]
    assert figure.get_size_inches()[0] <= style.FULL_WIDTH
    figure.draw_without_rendering()
    canvas = figure.bbox
    texts = [t for t in figure.findobj(matplotlib.text.Text) if t.get_text() and t.get_visible()]
    boxes = []
    for text in texts:
        box = text.get_window_extent()
        if not box.width or _tick_out_of_view(text):
            continue
        assert text.get_fontsize() >= 7
        assert (
            box.x0 >= canvas.x0
            and box.y0 >= canvas.y0
            and box.x1 <= canvas.x1
            and box.y1 <= canvas.y1
        ), text
        boxes.append((box, text.get_text()))
    for n, (box, words) in enumerate(boxes):
        for other, more in boxes[n + 1 :]:
            assert not box.padded(-1).overlaps(other.padded(-1)), (words, more)
    for legend in figure.legends:
        assert not any(
            legend.get_window_extent().overlaps(ax.get_window_extent()) for ax in figure.axes
        )


def _tick_out_of_view(text):
    """Matplotlib keeps labels of ticks outside the limits, undrawn."""
    for ax in text.figure.axes:
        for axis, limits in ((ax.xaxis, ax.get_xlim()), (ax.yaxis, ax.get_ylim())):
            for tick in axis.get_major_ticks() + axis.get_minor_ticks():
                if text in (tick.label1, tick.label2):
                    return (
                        not (min(limits) <= tick.get_loc() <= max(limits)) or not tick.get_visible()
                    )
    return False


def test_shared_regions_differ_in_grey():
    def lightness(colour):
        return float(np.dot(matplotlib.colors.to_rgb(colour), (0.299, 0.587, 0.114)))

    shades = sorted(lightness(c) for c in (style.CLOSER, style.FARTHER, style.NO_MINIMUM))
    assert min(np.diff(shades)) > 0.15


def test_look_is_the_same_for_everyone_and_leaves_no_trace():
    with matplotlib.rc_context({"font.size": 30, "lines.linewidth": 9}):
        with style.look():
            assert matplotlib.rcParams["font.size"] == style.RC["font.size"]
            assert matplotlib.rcParams["lines.linewidth"] == style.RC["lines.linewidth"]
        assert matplotlib.rcParams["font.size"] == 30


def test_figures_touch_neither_pyplot_nor_a_backend(tmp_path):
    code = (
        "import sys, numpy as np, ascentfail.figures\n"
        "heavy = {'jax', 'matplotlib', 'ascentfail.theory'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "from pathlib import Path\n"
        "from ascentfail.figures import style\n"
        "f = style.figure(); f.subplots().plot([0, 1])\n"
        "style.save('line', {'x': np.arange(2)}, f, Path(sys.argv[1]))\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run(
        [sys.executable, "-W", "error", "-c", code, str(tmp_path)], check=True, timeout=120
    )
    assert (tmp_path / "line.png").read_bytes().startswith(b"\x89PNG")


# --- files -----------------------------------------------------------------------------------------------------------


def small_figure():
    with style.look():
        figure = style.figure(1, 1)
        figure.subplots().plot([0, 1])
    return figure


def test_registry_is_sorted_and_names_known_claims():
    assert set(PANELS) <= set(NAMES) and sorted(NAMES) == NAMES
    for module in room.figures().values():
        for claim in module.CLAIMS:
            assert get(claim).id == claim
        json.dumps(module.PARAMETERS, allow_nan=False)


@pytest.mark.parametrize("name", sorted(PANELS))
def test_make_writes_picture_data_and_sidecar(arrays, name, tmp_path):
    paths = room.make(name, tmp_path)
    assert sorted(p.name for p in paths) == sorted(f"{name}.{s}" for s in ("json", "npz", "png"))
    assert sorted(tmp_path.iterdir()) == sorted(paths)
    with np.load(tmp_path / f"{name}.npz", allow_pickle=False) as saved:
        assert set(saved) == set(arrays[name])
        for key in saved:
            np.testing.assert_array_equal(saved[key], arrays[name][key])
    sidecar = json.loads((tmp_path / f"{name}.json").read_text())
    module = room.figures()[name]
    assert sidecar["parameters"] == module.PARAMETERS and sidecar["claims"] == list(module.CLAIMS)
    assert sidecar["seeds"] is None and "git_revision" in sidecar
    assert {"ascentfail", "jax", "jaxlib", "numpy", "matplotlib", "python"} <= set(
        sidecar["versions"]
    )


def test_the_source_of_a_figure_is_all_that_draws_it(monkeypatch, tmp_path):
    """One byte more in the module, in what it uses or in the look that all share is another source."""
    known = room.source(fig_result.NAME)
    for module in (fig_result, fig_paths, style):
        other = tmp_path / f"{module.__name__}.py"
        other.write_bytes(Path(module.__file__).read_bytes() + b"#")
        with monkeypatch.context() as patch:
            patch.setattr(module, "__file__", str(other))
            assert room.source(fig_result.NAME) != known
    assert room.source(fig_result.NAME) == known


@pytest.mark.parametrize("format", style.FORMATS)
def test_equal_figures_are_equal_bytes(tmp_path, format):
    data = {"x": np.arange(3.0)}
    one = style.save("a", data, small_figure(), tmp_path / "one", format)
    two = style.save("a", data, small_figure(), tmp_path / "two", format)
    assert [p.read_bytes() for p in one] == [p.read_bytes() for p in two]


def test_unknown_names_and_formats_say_what_is_known(tmp_path):
    with pytest.raises(KeyError, match="unknown figure 'fig4-window'; nearest: fig04-window"):
        room.make("fig4-window", tmp_path)
    with pytest.raises(ValueError, match="format = 'gif'"):
        room.make("regions", tmp_path, "gif")
    with pytest.raises(ValueError, match="an array of numbers"):
        style.save("a", {"x": np.array([None])}, small_figure(), tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_leaves_nothing(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(OSError, match="file"):
        style.save("a", {"x": np.arange(3)}, small_figure(), tmp_path / "file" / "out")
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_a_full_disk_leaves_nothing_half_written(tmp_path, monkeypatch):
    def full(source, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(OSError, match="No space left"):
        style.save("a", {"x": np.arange(3)}, small_figure(), tmp_path)
    assert not list(tmp_path.iterdir())
