"""Sliders above a picture, in a notebook: core ipywidgets that redraw a static matplotlib figure.

What a setting shows, and in which words, is said by the explorers; nothing is computed here. Without pyplot and without a
browser extension the same lines run in JupyterLab, in Notebook and in Colab, with ipywidgets 7.7 and 8.
"""

from __future__ import annotations

import io
from html import escape
from typing import Any

from matplotlib.figure import Figure

from ascentfail.errors import MissingExtraError
from ascentfail.figures import scene_matplotlib, style
from ascentfail.figures.explorers import Slider, explorers
from ascentfail.figures.scene import Scene
from ascentfail.theory.registry import suggest

WIDTH, HEIGHT = style.FULL_WIDTH, 3.4  # inches
DPI = 110  # a redraw with its PNG then stays well under a tenth of a second


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
        import ipywidgets
    except ImportError:
        raise MissingExtraError("ascentfail.figures.widgets.show", "ipywidgets", "notebook") from None
    explorer, figure = known[name], style.figure(WIDTH, HEIGHT)
    sliders = {one.name: _slider(ipywidgets, one) for one in explorer.sliders}
    rows = [ipywidgets.HBox([sliders[one.name], ipywidgets.HTML(escape(one.words))]) for one in explorer.sliders]
    image, words = ipywidgets.Image(format="png"), ipywidgets.HTML()

    def redraw(_: object = None) -> None:
        scene = explorer.scene(**{key: slider.value for key, slider in sliders.items()})
        image.value, words.value = _png(scene, figure), f"<p>{escape(scene.words)}</p>"

    redraw()
    for slider in sliders.values():
        slider.observe(redraw, names="value")
    about = ipywidgets.HTML(f"<b>{escape(explorer.title)}.</b> {escape(explorer.about)}")
    return ipywidgets.VBox([about, *rows, image, words])


def _slider(ipywidgets: Any, slider: Slider) -> Any:
    """A slider that stops at the listed values only."""
    return ipywidgets.SelectionSlider(
        options=[(f"{value:g}", value) for value in slider.values], index=slider.start, description=slider.label
    )


def _png(scene: Scene, figure: Figure) -> bytes:
    """The scene as a PNG file, packed fast rather than small."""
    buffer = io.BytesIO()
    scene_matplotlib.draw(scene, figure)
    with style.look():
        figure.savefig(buffer, format="png", dpi=DPI, pil_kwargs={"compress_level": 1})
    return buffer.getvalue()
