"""The page of explorers: complete, self-contained, lighter than what it shows by no more than a pixel, and alive in a browser."""

import dataclasses
import importlib
import json
import sys
from html.parser import HTMLParser

import numpy as np
import pytest
from browser import Page, chromium

from ascentfail.apps import cli
from ascentfail.core.errors import MissingExtraError
from ascentfail.figures.drawing import legend_svg
from ascentfail.figures.drawing.mark_styles import ROLES
from ascentfail.figures.drawing.scene import Points, Scene, one
from ascentfail.figures.drawing.scene_plotly import plotly
from ascentfail.figures.explore import page as explore_page
from ascentfail.figures.explore import page_table
from ascentfail.figures.explore.explorers import explorers


def small(explorer):
    """The explorer with two places for each slider, the one it starts at and a neighbour."""

    def cut(slider):
        first = min(slider.start, len(slider.values) - 2)
        return dataclasses.replace(
            slider, values=slider.values[first : first + 2], start=slider.start - first
        )

    return dataclasses.replace(explorer, sliders=tuple(cut(slider) for slider in explorer.sliders))


@pytest.fixture(scope="module")
def few():
    return {name: small(explorer) for name, explorer in explorers().items()}


@pytest.fixture(scope="module")
def text(few):
    return explore_page.page(few, {"ascentfail": "0.1.0", "jax": "<b>"}, "abc123+")


class Reader(HTMLParser):
    """Tags, attributes and scripts of a page; void elements are not closed."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.scripts, self.open, self.seen = [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in ("meta", "input", "br", "path", "rect"):
            self.open.append(tag)
        if tag == "script":
            self.scripts.append([dict(attributes), ""])

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] == "script":
            self.scripts[-1][1] += data
        else:
            self.seen.append(data)


@pytest.fixture(scope="module")
def read(text):
    return Reader(text)


def test_the_page_is_well_formed_and_loads_nothing(read):
    assert read.open == []
    for tag, attributes in read.tags:
        assert tag not in ("link", "iframe", "img", "object", "embed", "base")
        assert not {"src", "srcset", "action", "background"} & set(attributes)
        assert attributes.get("href", "#").startswith("#")
    (policy,) = [
        a["content"] for _, a in read.tags if a.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy.startswith("default-src 'none'") and "http" not in policy and "*" not in policy
    keys = [attributes["id"] for _, attributes in read.tags if "id" in attributes]
    assert len(keys) == len(set(keys))


def test_the_page_says_who_wrote_it(read):
    words = " ".join(read.seen)
    for part in ("ascentfail 0.1.0", "revision abc123+", "jax <b>", "plotly "):
        assert part in words
    assert "no revision known" in explore_page.page({}, {}, None)


def test_every_slider_has_a_label_and_every_picture_words(read, few):
    labels = {attributes.get("for") for tag, attributes in read.tags if tag == "label"}
    sliders = [attributes for tag, attributes in read.tags if tag == "input"]
    assert len(sliders) == sum(len(explorer.sliders) for explorer in few.values())
    for attributes in sliders:
        assert (
            attributes["type"] == "range"
            and attributes["id"] in labels
            and attributes["max"] == "1"
        )
    live = [attributes["id"] for _, attributes in read.tags if attributes.get("role") == "status"]
    assert live == [f"{name}-words" for name in few]


@pytest.mark.parametrize("name", ["line", "plane", "toy"])
def test_every_frame_is_the_scene_at_its_place(read, few, name):
    (found,) = [
        json.loads(text)
        for attributes, text in read.scripts
        if attributes.get("id") == f"{name}-data"
    ]
    places = list(few[name].places())
    assert len(found["frames"]) == len(places) == few[name].count() and len(places) >= 8
    for place, values in enumerate(places):
        scene = explorers()[name].scene(**values)
        shown, words = page_table.figures_of(found, place)
        assert words == scene.words and len(shown) == len(scene.panels)
        for figure, panel in zip(shown, scene.panels, strict=True):
            whole = plotly(Scene((panel,), ""))
            for layer, light, heavy in zip(
                panel.layers, figure["data"], whole["data"], strict=True
            ):
                _same(layer, light, heavy, figure["layout"])
            for axis, ends in (("xaxis", panel.x_range), ("yaxis", panel.y_range)):
                look = figure["layout"][axis]
                shown_ends = (
                    10.0 ** np.array(look["range"])
                    if look["type"] == "log"
                    else np.array(look["range"])
                )
                assert shown_ends == pytest.approx(ends)
    assert [slider["values"] for slider in found["sliders"]] == [
        [f"{v:g}" for v in s.values] for s in few[name].sliders
    ]


def _same(layer, light, heavy, layout):
    """A trace of the page against the whole one: the same look, and nowhere off by a pixel of 700."""
    assert {k: v for k, v in light.items() if k not in "xy"} == {
        k: v for k, v in heavy.items() if k not in "xy"
    }
    a, b = (
        np.stack([_pixels(trace[key], layout[f"{key}axis"]) for key in "xy"], -1)
        for trace in (light, heavy)
    )
    if isinstance(layer, Points):
        assert a.shape == b.shape and np.allclose(a, b, atol=0.5, equal_nan=True)
        return
    assert len(a) <= len(b) and np.isnan(a).sum() == np.isnan(b).sum()
    for ours, theirs in zip(_parts(a), _parts(b), strict=True):
        for point in theirs[:: max(1, len(theirs) // 25)]:
            assert _distance(point, ours) < 1


def _pixels(values, axis):
    values = np.array(values, float)
    values = np.log10(values) if axis["type"] == "log" else values
    return values / (axis["range"][1] - axis["range"][0]) * 700


def _parts(line):
    breaks = np.flatnonzero(np.isnan(line[:, 0]))
    return [
        part[~np.isnan(part[:, 0])] for part in np.split(line, breaks) if not np.isnan(part).all()
    ]


def _distance(point, line):
    """Of a point from a polyline."""
    if len(line) == 1:
        return np.linalg.norm(line[0] - point)
    start, along = line[:-1], np.diff(line, axis=0)
    share = np.clip(
        ((point - start) * along).sum(-1) / np.maximum((along**2).sum(-1), 1e-300), 0, 1
    )
    return np.linalg.norm(start + share[:, None] * along - point, axis=-1).min()


def test_thinning_drops_what_a_pixel_does_not_show_and_keeps_corners():
    t = np.linspace(0, 6, 400)
    line = np.stack([100 * t, 80 * np.sin(t)], -1)
    kept = page_table.kept_points(line)
    assert 20 < len(kept) < 100 and {0, 399} <= set(kept.tolist())
    assert max(_distance(point, line[kept]) for point in line) < 0.5
    corner = np.array(
        [
            [0.0, 0],
            [5, 0],
            [10, 0],
            [10, 5],
            [10, 10],
            [np.nan, np.nan],
            [20, 20],
            [30, 30],
            [40, 40],
        ]
    )
    assert {0, 2, 4, 5, 6, 8} <= set(page_table.kept_points(corner).tolist())


@pytest.mark.parametrize("role", ROLES)
def test_every_role_that_is_a_mark_has_a_swatch_and_a_symbol(role):
    if not ROLES[role].marker:
        return
    layer = Points(*one(1.0, 2.0), role, "words & more")
    assert legend_svg.swatch(layer).count("<path") == 1 and ROLES[role].edge in legend_svg.swatch(
        layer
    )
    scene = dataclasses.replace(explorers()["line"].scene().panels[0], layers=(layer,))
    assert plotly(Scene((scene,), ""))["data"][0]["marker"]["symbol"]
    assert "words &amp; more" in legend_svg.legend(Scene((scene,), ""))


@pytest.mark.parametrize("name", ["line", "plane", "toy"])
def test_the_legend_is_that_of_every_frame(name, few):
    labels = [
        {layer.label for panel in few[name].scene(**v).panels for layer in panel.layers}
        for v in few[name].places()
    ]
    assert all(one == labels[0] for one in labels)
    assert all(label in legend_svg.legend(few[name].scene()) for label in labels[0])


# --- the command -------------------------------------------------------------------------------------------------------


@pytest.fixture
def command(monkeypatch, capsys, few):
    """`ascentfail explore ...` in this process, with few frames: (exit code, stdout, stderr)."""
    monkeypatch.setattr("ascentfail.core.files.enable_compile_cache", lambda: None)
    monkeypatch.setattr(
        "ascentfail.figures.explore.explorers.explorers", lambda: {"line": few["line"]}
    )

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["ascentfail", "explore", *map(str, arguments)])
        with pytest.raises(SystemExit) as caught:
            cli.main()
        return caught.value.code or 0, *capsys.readouterr()

    return call


def test_the_command_writes_the_page_and_says_where(command, tmp_path):
    path = tmp_path / "new" / "explore.html"
    code, out, err = command("--out", path)
    assert (code, err) == (0, "") and out.startswith(str(path)) and out.strip().endswith("MB)")
    assert path.read_text(encoding="utf-8").startswith("<!DOCTYPE html>") and list(
        path.parent.iterdir()
    ) == [path]


def test_without_plotly_one_line_names_the_extra_before_any_work(command, monkeypatch, tmp_path):
    real = importlib.import_module

    def missing(name, *rest):
        if name.startswith("plotly"):
            raise ModuleNotFoundError(name)
        return real(name, *rest)

    monkeypatch.setattr(importlib, "import_module", missing)
    monkeypatch.setattr(
        "ascentfail.figures.explore.explorers.explorers", lambda: pytest.fail("work was done")
    )
    code, out, err = command("--out", tmp_path / "explore.html")
    assert (code, out) == (2, "") and len(err.splitlines()) == 1
    assert "plotly" in err and "ascentfail[notebook]" in err and not list(tmp_path.iterdir())
    with pytest.raises(MissingExtraError):
        explore_page.plotly_js()


# --- in a browser ------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(chromium() is None, reason="no Chromium on this machine")
@pytest.mark.parametrize(("width", "mobile"), [(1280, False), (390, True)])
def test_a_browser_moves_every_slider(text, few, tmp_path, width, mobile):
    file = tmp_path / "explore.html"
    file.write_text(text, encoding="utf-8")
    with Page(file.as_uri(), width, 800, mobile) as page:
        assert page.run("document.documentElement.scrollWidth") <= width
        for name, explorer in few.items():
            starts = [slider.start for slider in explorer.sliders]
            for k, slider in enumerate(explorer.sliders):
                page.run(f"document.getElementById('{name}-{slider.name}').focus()")
                states = []
                for key in ("Home", "ArrowRight"):  # as from a keyboard
                    page.press(key)
                    page.run(
                        "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
                    )
                    index = [*starts[:k], int(key == "ArrowRight"), *starts[k + 1 :]]
                    values = {
                        s.name: s.values[i] for s, i in zip(explorer.sliders, index, strict=True)
                    }
                    place = list(explorer.places()).index(values)
                    assert page.run(f"document.getElementById('{name}').dataset.frame") == str(
                        place
                    )
                    words = explorer.scene(**values).words
                    assert page.run(f"document.getElementById('{name}-words').textContent") == words
                    spoken = f"document.getElementById('{name}-{slider.name}').getAttribute('aria-valuetext')"
                    assert page.run(spoken) == f"{slider.label} = {values[slider.name]:g}"
                    states.append(
                        page.run(
                            f"[...document.querySelectorAll('#{name} .main-svg')].map(s => s.innerHTML).join()"
                        )
                    )
                assert states[0] != states[1] and min(map(len, states)) > 10_000
                page.run(
                    f"(i => {{i.value = {starts[k]}; i.dispatchEvent(new Event('input'))}})"
                    f"(document.getElementById('{name}-{slider.name}'))"
                )
            traces = page.run(
                f"[...document.querySelectorAll('#{name} .picture')].map(p => p.data.length)"
            )
            assert traces == [len(panel.layers) for panel in explorer.scene().panels]
            assert page.run(f"document.querySelectorAll('#{name} .trace.scatter').length") > 8
        assert [url for url in page.requests if not url.startswith("data:")] == [
            file.as_uri()
        ] and page.complaints == []
