"""Interactive explorers without a front end: sliders, and a function from their values to a scene.

`explorers()` lists them. Each one computes everything that its scene shows with one compiled program of fixed shapes, so that
moving a slider costs milliseconds; what depends on one slider alone (maps of regions) is remembered. The notebook's widgets
and the page written by `explore_page` are two front ends to the same functions.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from numbers import Real
from typing import Any

import jax.numpy as jnp

from ascentfail.core.errors import invalid
from ascentfail.core.precision import require_x64
from ascentfail.figures.drawing.scene import Scene


@dataclass(frozen=True)
class Slider:
    """One number that a reader moves.

    Args:
        name: keyword of the explorer's scene.
        label: its symbol, as shown.
        values: the places of the slider, increasing; the scene takes every number from the first to the last.
        start: index of the value to begin with.
        words: what the number is, in one line.
    """

    name: str
    label: str
    values: tuple[float, ...]
    start: int
    words: str


@dataclass(frozen=True)
class Explorer:
    """A picture with sliders.

    Args:
        name: a word for the command line and for links.
        title: one line above it.
        about: what to look at, two or three sentences.
        sliders: in the order shown.
        draws: function from the sliders' values, by name, to a scene.
    """

    name: str
    title: str
    about: str
    sliders: tuple[Slider, ...]
    draws: Callable[..., Scene]

    def scene(self, **values: float) -> Scene:
        """The scene at these values; a slider that is left out stands where it starts.

        Args:
            values: one number for each slider named, from its first to its last value, on or between its places.

        Returns:
            The scene.

        Raises:
            ValueError: no such slider, or a number outside its range.
            PrecisionError: JAX computes in float32.
        """
        require_x64(f"the explorer {self.name!r}")
        known = {slider.name: slider for slider in self.sliders}
        for name, value in values.items():
            if name not in known:
                raise invalid("name of a slider", name, ", ".join(known))
            ends = known[name].values[0], known[name].values[-1]
            if not (
                isinstance(value, Real) and math.isfinite(value) and ends[0] <= value <= ends[1]
            ):
                raise invalid(name, value, f"a number from {ends[0]:g} to {ends[1]:g}")
        return self.draws(
            **{name: float(values.get(name, one.values[one.start])) for name, one in known.items()}
        )

    def places(self) -> Iterator[dict[str, float]]:
        """Every combination of the sliders' values, the last slider running fastest."""
        for combination in itertools.product(*(slider.values for slider in self.sliders)):
            yield dict(zip((slider.name for slider in self.sliders), combination, strict=True))

    def count(self) -> int:
        """How many combinations there are."""
        return math.prod(len(slider.values) for slider in self.sliders)


@functools.cache
def explorers() -> dict[str, Explorer]:
    """The explorers by name, in the order to show: the line, the plane, the toy network."""
    from ascentfail.figures.explore import line as explore_line
    from ascentfail.figures.explore import plane as explore_plane
    from ascentfail.figures.explore import toy as explore_toy

    return {
        one.name: one
        for one in (explore_line.explorer(), explore_plane.explorer(), explore_toy.explorer())
    }


def window(low: Any, high: Any, smallest: float) -> tuple[Any, Any]:
    """Middle and half-width of a window round an interval, in coarse steps, so that a slider does not shake what is shown.

    Args:
        low: lower end of what is to be seen.
        high: its upper end.
        smallest: half-width below which nothing is enlarged.

    Returns:
        The middle and the half-width, traced or not as the ends are.
    """
    half = smallest * 2 ** (
        jnp.ceil(2 * jnp.log2(jnp.maximum(0.6 * (high - low), smallest) / smallest)) / 2
    )
    return jnp.round((high + low) * 4 / half) * half / 8, half


# --- how scenes speak ------------------------------------------------------------------------------------------------------


def times(ratio: float) -> str:
    """A ratio of two distances in words: "1.7 times as far"."""
    return "exactly as far" if abs(ratio - 1) < 1e-9 else f"{_clear(ratio)} times as far"


def _clear(ratio: float) -> str:
    """Two figures, and as many more as a ratio next to 1 needs to differ from it."""
    for digits in range(2, 10):
        text = f"{ratio:.{digits}g}" if ratio < 1000 else f"{ratio:,.0f}"
        if float(text.replace(",", "")) != 1:
            return text
    return f"{ratio:.9g}"


def number(value: float, digits: int = 3) -> str:
    """A number with so many decimals, and a minus sign that is one."""
    return f"{value:.{digits}f}".replace("-", "−")


def part(fraction: float) -> str:
    """A fraction as a percentage, rounded down so that 100 % means all."""
    percent = 100 * fraction
    return f"{math.floor(percent)} %" if percent >= 1 else "less than 1 %"
