"""What each role of a scene looks like, once for matplotlib and plotly: colour, mark, dashes, fill, hatch.

Roles that share a panel differ in shape or dashes as well as in colour, and areas in lightness (`style.CLOSER` and its
neighbours), so that they stay apart in grey and for readers who see fewer colours.
"""

from __future__ import annotations

from dataclasses import dataclass

from ascentfail.figures.drawing import style


@dataclass(frozen=True)
class Role:
    """The look of one role.

    Args:
        colour: of a line, of the inside of a mark, of an area.
        marker: matplotlib's code of the mark.
        size: of the mark, in points.
        edge: colour of the mark's rim.
        rim: width of the rim, in points.
        width: of a line, in points.
        dash: lengths of dashes and gaps in points; empty for a solid line.
        hatch: matplotlib's hatch of an area; "" for none.
        hatch_colour: of the hatch.
    """

    colour: str = style.INK
    marker: str = ""
    size: float = 6.0
    edge: str = style.BLACK
    rim: float = 0.6
    width: float = 1.2
    dash: tuple[float, ...] = ()
    hatch: str = ""
    hatch_colour: str = style.BLACK


NOTHING = "none"  # a colour that is not painted

ROLES: dict[str, Role] = {
    # models and stops
    "original": Role(style.BLACK, "o", 5.5),
    "oracle": Role(style.ORANGE, "*", 10),
    "descent_ascent": Role(style.BLUE, "X", 7, rim=0.5),
    "second_branch": Role("white", "v", 6, edge=style.PURPLE, rim=1.4),
    "best_stop": Role(style.GREEN, "D", 5.5),
    "here": Role(style.YELLOW, "P", 9, rim=0.9),
    "arrived": Role(style.YELLOW, "P", 14, rim=0.9),  # below a minimum, so larger
    # curves
    "path": Role(style.INK, width=1.6),
    "fine_tuning": Role(style.VERMILLION, width=1.8, dash=(4, 2)),
    "first_step": Role(style.VERMILLION, width=2.2),
    "loss_original": Role(style.BLACK, dash=(1.5, 1.5)),
    "loss_oracle": Role(style.ORANGE, width=1.6, dash=(6, 2)),
    "loss_descent_ascent": Role(style.BLUE, width=1.6),
    "axis": Role(style.GREY, width=0.6),
    "edge": Role(style.INK, width=0.7),
    "strong_edge": Role(style.BLACK, width=1.5),
    "contour": Role("#8A8A8A", width=0.6),
    "border": Role(style.INK, width=0.8, dash=(1, 1.5)),
    # areas
    "closer": Role(style.CLOSER),
    "farther": Role(style.FARTHER),
    "no_minimum": Role(style.NO_MINIMUM, hatch="......", hatch_colour="white"),
    "away": Role(NOTHING, hatch="//////"),
    "pattern_3": Role(style.PATTERNS[3]),
    "pattern_4": Role(style.PATTERNS[4]),
    # stationary points of the toy, by the point that is wrong there; hollow where another minimum is lower
    "minimum_3": Role(style.BLUE, "o", 7, rim=1),
    "minimum_4": Role(style.VERMILLION, "s", 7, rim=1),
    "minimum_other": Role(style.INK, "D", 6, rim=1),
    "local_3": Role("white", "o", 7, edge=style.BLUE, rim=1.6),
    "local_4": Role("white", "s", 7, edge=style.VERMILLION, rim=1.6),
    "local_other": Role("white", "D", 6, edge=style.INK, rim=1.6),
    "saddle": Role(style.INK, "x", 5.5, edge=style.INK, rim=1.2),
}
