"""The notebook's sliders: every move shows another picture, exactly the one that a new figure would show, compiled once."""

import dataclasses
import gc
import io
import sys
from html import escape

import ipywidgets
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from matplotlib import image, pyplot

from ascentfail.core.errors import MissingExtraError
from ascentfail.figures.drawing import scene_matplotlib, style
from ascentfail.figures.explore import plane as explore_plane
from ascentfail.figures.explore import widgets
from ascentfail.figures.explore.explorers import explorers

NAMES = ("line", "plane", "toy")


@pytest.fixture(scope="module")
def boxes():
    explore_plane.regions.cache_clear()  # known from another file, whose compiled programs may have been dropped since
    return {name: widgets.show(name) for name in NAMES}


def sliders(box):
    return [row.children[0] for row in box.children[1:-2]]


def compilations(caplog):
    return [record.message for record in caplog.records if record.message.startswith("Compiling")]


def test_every_explorer_has_a_widget(boxes):
    assert set(explorers()) == set(boxes)
    for name, box in boxes.items():
        explorer = explorers()[name]
        assert [slider.description for slider in sliders(box)] == [
            one.label for one in explorer.sliders
        ]
        assert [slider.value for slider in sliders(box)] == [
            one.values[one.start] for one in explorer.sliders
        ]
        for row, one in zip(box.children[1:-2], explorer.sliders, strict=True):
            assert [value for _, value in row.children[0].options] == list(one.values)
            assert escape(one.words) == row.children[1].value
        assert explorer.title in box.children[0].value
        assert isinstance(box.children[-2], ipywidgets.Image)


@pytest.mark.parametrize("name", NAMES)
def test_a_move_changes_picture_and_words_and_compiles_nothing(boxes, name, caplog):
    box = boxes[name]
    picture, words = box.children[-2:]
    with jax.log_compiles():
        jax.jit(lambda x: x * 17 + 4)(jnp.arange(3.0))
        assert compilations(caplog)
        caplog.clear()
        for one in sliders(box):
            before, start = (picture.value, words.value), one.index
            one.index = (start + 1) % len(one.options)
            assert picture.value != before[0] and bytes(picture.value).startswith(b"\x89PNG"), (
                one.description
            )
            assert words.value != before[1], one.description
            one.index = start
            assert (picture.value, words.value) == before, one.description
    assert compilations(caplog) == []


@pytest.mark.parametrize("name", NAMES)
def test_what_is_kept_from_former_pictures_cannot_be_seen(name, boxes):
    explorer, used = explorers()[name], widgets.Picture()
    places = [
        {},
        *(
            {one.name: value}
            for one in explorer.sliders
            for value in (one.values[0], one.values[-1])
        ),
        {},
    ]
    for place in places:
        scene = explorer.scene(**place)
        figure, fresh = style.figure(widgets.WIDTH, widgets.HEIGHT), io.BytesIO()
        scene_matplotlib.draw(scene, figure)
        with style.look():
            figure.savefig(fresh, format="png", dpi=widgets.DPI)
        shown = [
            image.imread(io.BytesIO(content)) for content in (used.png(scene), fresh.getvalue())
        ]
        np.testing.assert_array_equal(*shown, err_msg=str(place))


def test_few_backgrounds_are_kept(monkeypatch, boxes):
    monkeypatch.setattr(widgets, "_KEPT", 4)
    explorer, picture = explorers()["line"], widgets.Picture()
    strengths = explorer.sliders[2].values
    first = picture.png(explorer.scene(b=strengths[0]))
    for b in strengths:
        picture.png(explorer.scene(b=b))
    assert len(picture._kept) == 4
    assert picture.png(explorer.scene(b=strengths[0])) == first


@pytest.mark.parametrize("collects", [True, False])
def test_the_collector_waits_for_the_picture(boxes, monkeypatch, collects):
    seen, png = [], widgets.Picture.png
    monkeypatch.setattr(
        widgets.Picture,
        "png",
        lambda self, scene: (seen.append(gc.isenabled()), png(self, scene))[1],
    )
    slider = sliders(boxes["line"])[0]
    try:
        (gc.enable if collects else gc.disable)()
        start = slider.index
        slider.index = (start + 1) % len(slider.options)
        slider.index = start
        assert (seen, gc.isenabled()) == ([False, False], collects)
    finally:
        gc.enable()


def test_pyplot_holds_nothing(boxes):
    assert pyplot.get_fignums() == []


def test_words_are_text_not_markup(boxes, monkeypatch):
    assert (
        "<p>" in boxes["line"].children[-1].value and "&" not in explorers()["line"].scene().words
    )
    monkeypatch.setattr(widgets.Picture, "png", lambda self, scene: b"")
    explorer = explorers()["line"]
    monkeypatch.setitem(explorers(), "line", _saying(explorer, "<script>"))
    assert "<script>" not in widgets.show("line").children[-1].value


def _saying(explorer, words):
    return dataclasses.replace(
        explorer, draws=lambda **values: dataclasses.replace(explorer.draws(**values), words=words)
    )


def test_an_unknown_name_gets_suggestions():
    with pytest.raises(KeyError, match="plane"):
        widgets.show("plan")


def test_a_missing_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    with pytest.raises(MissingExtraError, match=r"ascentfail\[notebook\]"):
        widgets.show("line")
