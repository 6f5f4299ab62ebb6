"""Roles as small pictures in SVG, for the legend of a page; the shapes of marks are matplotlib's own."""

from __future__ import annotations

from html import escape

from matplotlib.markers import MarkerStyle
from matplotlib.path import Path
from matplotlib.transforms import Affine2D

from ascentfail.figures.drawing.mark_styles import NOTHING, ROLES, Role
from ascentfail.figures.drawing.scene import Arrow, Field, Layer, Line, Points, Scene

_WIDE, _HIGH, _PIXELS = 30, 16, 4 / 3
_LETTERS = {Path.MOVETO: "M", Path.LINETO: "L", Path.CURVE3: "Q", Path.CURVE4: "C"}


def legend(scene: Scene) -> str:
    """Every label of a scene with its swatch, once, as the items of an HTML list."""
    labels: dict[str, Layer] = {}
    for panel in scene.panels:
        for layer in panel.layers:
            if layer.label:
                labels.setdefault(layer.label, layer)
    return "".join(f"<li>{swatch(layer)} {escape(label)}</li>" for label, layer in labels.items())


def swatch(layer: Layer) -> str:
    """What a layer looks like, as an SVG element that screen readers pass over."""
    role = ROLES[layer.role]
    if isinstance(layer, Points):
        inside = _mark(role)
    elif isinstance(layer, Line | Arrow) or (isinstance(layer, Field) and layer.levels):
        inside = _line(role, isinstance(layer, Arrow))
    else:
        inside = _area(role)
    return f'<svg aria-hidden="true" width="{_WIDE}" height="{_HIGH}" viewBox="0 0 {_WIDE} {_HIGH}">{inside}</svg>'


def _line(role: Role, arrow: bool) -> str:
    middle, width = _HIGH / 2, role.width * _PIXELS
    dash = (
        f' stroke-dasharray="{" ".join(f"{length * _PIXELS:.3g}" for length in role.dash)}"'
        if role.dash
        else ""
    )
    start = 8 if arrow else 0
    head = (
        f'<path d="M10 {middle - 5}L0 {middle}L10 {middle + 5}Z" fill="{role.colour}"/>'
        if arrow
        else ""
    )
    return f'<path d="M{start} {middle}H{_WIDE}" stroke="{role.colour}" stroke-width="{width:.3g}"{dash}/>{head}'


def _area(role: Role) -> str:
    """A rectangle, its dots or strokes drawn one by one."""
    fill = "white" if role.colour == NOTHING else role.colour
    edge = ' stroke="black" stroke-width=".8"' if role.colour == NOTHING else ""
    ground = f'<rect x="1" y="2" width="{_WIDE - 2}" height="{_HIGH - 4}" fill="{fill}"{edge}/>'
    if "/" in role.hatch:
        strokes = "".join(f"M{x} {_HIGH - 2}l7 {4 - _HIGH}" for x in range(2, _WIDE - 7, 5))
        return f'{ground}<path d="{strokes}" stroke="{role.hatch_colour}" stroke-width="1.2"/>'
    if "." in role.hatch:
        dots = "".join(
            f"M{x} {y}h2" for x in range(3, _WIDE - 3, 4) for y in range(5, _HIGH - 3, 4)
        )
        return f'{ground}<path d="{dots}" stroke="{role.hatch_colour}" stroke-width="2"/>'
    return ground


def _mark(role: Role) -> str:
    """The mark's outline, in SVG's coordinates, which run downwards."""
    style, size = MarkerStyle(role.marker), role.size * _PIXELS
    place = Affine2D().scale(size, -size).translate(_WIDE / 2, _HIGH / 2)
    outline = style.get_path().transformed(style.get_transform() + place)
    steps = []
    for points, code in outline.iter_segments(curves=True, simplify=False):
        numbers = " ".join(f"{value:.4g}" for value in points)
        steps.append("Z" if code == Path.CLOSEPOLY else f"{_LETTERS[code]}{numbers}")
    return f'<path d="{"".join(steps)}" fill="{role.colour}" stroke="{role.edge}" stroke-width="{role.rim * _PIXELS:.3g}"/>'
