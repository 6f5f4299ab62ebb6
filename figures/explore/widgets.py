"""Sliders above a picture, in a notebook: core ipywidgets that redraw a static matplotlib figure.

What a setting shows, and in which words, is said by the explorers; nothing is computed here. Without pyplot and without a
browser extension the same lines run in JupyterLab, in Notebook and in Colab, with ipywidgets 7.7 and 8.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.image import imsave

from ascentfail.claims.registry import suggest
from ascentfail.core.errors import MissingExtraError
from ascentfail.figures.drawing import scene_matplotlib, style
from ascentfail.figures.drawing.scene import Scene
from ascentfail.figures.explore.explorers import Slider, explorers

WIDTH, HEIGHT = style.FULL_WIDTH, 3.9  # inches
DPI = 110
_KEPT = 64  # pieces of the background, of about 1.1 MB each


def show(name: str) -> Any:
    """Sliders, a picture below them, and below that what is seen, in words; every move of a slider redraws both.

    Args:
        name: one of `explorers()`.

    Returns:
        An ipywidgets VBox; as the last expression of a cell it is displayed. Its children: what to look at (HTML), a row for
        each slider (HBox of a SelectionSlider and its meaning), the picture (Image), what is seen (HTML).

    Raises:
        KeyError: no such explorer; the message suggests the nearest names.
        MissingExtraError: ipywidgets is not installed.
        PrecisionError: JAX computes in float32.
    """
    known = explorers()
    if name not in known:
        raise KeyError(suggest("explorer", name, list(known)))
    try:
        ipywidgets: Any = importlib.import_module("ipywidgets")
    except ImportError:
        raise MissingExtraError(
            "ascentfail.figures.explore.widgets.show", "ipywidgets", "notebook"
        ) from None
    explorer, picture = known[name], Picture()
    sliders = {one.name: _slider(ipywidgets, one) for one in explorer.sliders}
    rows = [
        ipywidgets.HBox([sliders[one.name], ipywidgets.HTML(escape(one.words))])
        for one in explorer.sliders
    ]
    unscaled = {"align_self": "flex-start", "max_width": "100%"}
    image, words = ipywidgets.Image(format="png", layout=unscaled), ipywidgets.HTML()

    def redraw(_: object = None) -> None:
        with _uncollected():
            scene = explorer.scene(**{key: slider.value for key, slider in sliders.items()})
            image.value, words.value = picture.png(scene), f"<p>{escape(scene.words)}</p>"

    redraw()
    for slider in sliders.values():
        slider.observe(redraw, names="value")
    about = ipywidgets.HTML(f"<b>{escape(explorer.title)}.</b> {escape(explorer.about)}")
    return ipywidgets.VBox([about, *rows, image, words])


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """Puts off the garbage collector: a full collection beside a loaded JAX takes longer than the picture."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def _slider(ipywidgets: Any, slider: Slider) -> Any:
    """A slider that stops at the listed values only."""
    return ipywidgets.SelectionSlider(
        options=[(f"{value:g}", value) for value in slider.values],
        index=slider.start,
        description=slider.label,
        layout={"width": "28em"},
    )


class Picture:
    """Scenes drawn one after the other on one figure.

    Axes, texts and legend take two thirds of the time and seldom change: each panel's frame and the legend are drawn once for
    all scenes that have them in common and kept as pixels. The picture is the one that a new figure would show, pixel by pixel.
    """

    def __init__(self) -> None:
        """An empty figure."""
        self._figure = style.figure(WIDTH, HEIGHT)
        self._figure.set_dpi(DPI)
        self._canvas = FigureCanvasAgg(self._figure)
        self._kept: dict[Any, np.ndarray] = {}

    def png(self, scene: Scene) -> bytes:
        """The scene as a PNG file, packed fast rather than small."""
        with style.look():
            scene_matplotlib.draw(scene, self._figure)
            background = self._background(scene)
            pixels = self._pixels()
            pixels[:] = background
            for ax in self._figure.axes:
                for artist in sorted(_moving(ax), key=Artist.get_zorder):
                    ax.draw_artist(artist)
        buffer = io.BytesIO()
        imsave(buffer, pixels, format="png", pil_kwargs={"compress_level": 1})
        return buffer.getvalue()

    def _pixels(self) -> np.ndarray:
        """What is on the canvas, (height, width, 4); writing to it paints."""
        return np.asarray(self._canvas.get_renderer().buffer_rgba())

    def _background(self, scene: Scene) -> np.ndarray:
        """Everything but the layers: pieces on white that do not touch each other, so the darker pixel is the one painted."""
        legend = tuple(text.get_text() for text in self._figure.texts)
        background = self._piece(("legend", legend), [*self._figure.artists, *self._figure.texts])
        for ax, panel in zip(self._figure.axes, scene.panels, strict=True):
            ax.apply_aspect()
            frame = (panel.title, panel.x_label, panel.y_label, panel.x_range, panel.y_range)
            kinds = (panel.x_log, panel.y_log, panel.equal, panel.ground)
            key = "panel", ax.get_position(original=True).bounds, frame, kinds
            background = np.minimum(background, self._piece(key, [ax], _moving(ax)))
        return background

    def _piece(
        self, key: Any, artists: Sequence[Artist], hidden: Sequence[Artist] = ()
    ) -> np.ndarray:
        """The pixels of some artists on an empty figure, drawn at the first time."""
        if key not in self._kept:
            if len(self._kept) >= _KEPT:
                del self._kept[next(iter(self._kept))]
            renderer = self._canvas.get_renderer()
            renderer.clear()
            self._figure.patch.draw(renderer)
            for artist in hidden:
                artist.set_visible(False)
            for artist in artists:
                artist.draw(renderer)
            for artist in hidden:
                artist.set_visible(True)
            self._kept[key] = self._pixels().copy()
        return self._kept[key]


def _moving(ax: Any) -> list[Artist]:
    """The layers of a panel, and the frame that lies between them."""
    return [*ax.lines, *ax.patches, *ax.collections, *ax.spines.values()]
