"""The explorers as one HTML page that needs no kernel and no network.

Every position of every slider was computed here; the page looks it up and hands it to plotly.js, which is inlined. Sliders are
the browser's own, so that keyboard, touch and screen readers work, and the sentence below a picture says in numbers what is seen.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import json
from collections.abc import Callable, Mapping
from html import escape
from typing import Any

from ascentfail.core.errors import MissingExtraError
from ascentfail.figures.drawing.legend_svg import legend
from ascentfail.figures.explore import page_table
from ascentfail.figures.explore.explorers import Explorer
from ascentfail.figures.explore.page_parts import SCRIPT, STYLE

_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"
)


def plotly_js() -> tuple[str, str]:
    """The source of plotly.js, and the version of the package that brings it.

    Raises:
        MissingExtraError: the package plotly is not installed.
    """
    try:
        source = importlib.import_module("plotly.offline").get_plotlyjs()
    except ImportError as error:
        raise MissingExtraError("the page of explorers", "plotly", "notebook") from error
    return source.replace("</script", "<\\/script"), importlib.metadata.version("plotly")


def page(
    explorers: Mapping[str, Explorer],
    versions: Mapping[str, str] | None = None,
    revision: str | None = None,
    done: Callable[[str], object] = lambda name: None,
) -> str:
    """One self-contained HTML document.

    Args:
        explorers: what to show, by name.
        versions: what computed it, for the last lines.
        revision: the commit that did, for the last lines.
        done: called with an explorer's name after each frame, for a progress bar.

    Returns:
        The text of the file, in UTF-8 as it says.

    Raises:
        MissingExtraError: the package plotly is not installed.
        PrecisionError: JAX computes in float32.
    """
    source, version = plotly_js()
    sections = [_section(one, page_table.table(one, done)) for one in explorers.values()]
    head = (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="referrer" content="no-referrer">'
        f"<title>Ascent Fails to Forget, to explore</title><style>{STYLE}</style></head>"
    )
    links = "".join(
        f'<a href="#{escape(one.name)}">{escape(one.title)}</a>' for one in explorers.values()
    )
    body = f"<body><main><h1>Ascent Fails to Forget, to explore</h1>{_INTRODUCTION}<nav>{links}</nav>{''.join(sections)}"
    foot = _foot({**(versions or {}), "plotly": version}, revision)
    return f"{head}{body}{foot}</main><script>{source}</script><script>{SCRIPT}</script></body></html>\n"


_INTRODUCTION = """<p>Three models: the <b>original</b>, trained on all data; the <b>oracle</b>, retrained without what is to be
forgotten; and what <b>descent-ascent</b> makes of the original: descent on the data to retain, ascent on those to forget. Move
the sliders (mouse, touch or arrow keys). Every position was computed by the package; this page only looks it up.</p>
<noscript><p><b>This page needs JavaScript.</b></p></noscript>"""


def _section(explorer: Explorer, found: dict[str, Any]) -> str:
    """One explorer: sliders, pictures, words, and its table."""
    name = escape(explorer.name, quote=True)
    controls = "".join(_slider(name, slider) for slider in found["sliders"])
    panels = len(found["frames"][0]) - 1
    pictures = "".join(
        f'<div class="picture" id="{name}-{k}" aria-hidden="true"></div>' for k in range(panels)
    )
    data = json.dumps(found, allow_nan=False, ensure_ascii=False, separators=(",", ":")).replace(
        "<", "\\u003c"
    )
    return (
        f'<section id="{name}" data-panels="{panels}"><h2>{escape(explorer.title)}</h2><p>{escape(explorer.about)}</p>'
        f'<div class="sliders">{controls}</div><div class="pictures">{pictures}</div>'
        f'<p class="words" role="status" id="{name}-words"></p><ul class="legend">{legend(explorer.scene())}</ul>'
        f'<script type="application/json" id="{name}-data">{data}</script></section>'
    )


def _slider(name: str, slider: dict[str, Any]) -> str:
    key, last = f"{name}-{escape(slider['name'], quote=True)}", len(slider["values"]) - 1
    return (
        f'<div class="slider"><label for="{key}"><b>{escape(slider["label"])}</b> = <output for="{key}">'
        f"{escape(slider['values'][slider['start']])}</output> <small>{escape(slider['words'])}</small></label>"
        f'<input type="range" id="{key}" min="0" max="{last}" step="1" value="{slider["start"]}" autocomplete="off"></div>'
    )


def _foot(versions: Mapping[str, str], revision: str | None) -> str:
    made = ", ".join(f"{escape(name)} {escape(str(version))}" for name, version in versions.items())
    where = (
        f"revision {escape(revision)}" if revision else "an installed package, no revision known"
    )
    return (
        f"<footer><p>Written by <code>ascentfail explore</code>, {where}, with {made}.</p></footer>"
    )
