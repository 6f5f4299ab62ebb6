r"""The toy network (Sec. 5.2, Fig. 5): do its landscapes have the minima that are printed, and in which reading?

A reading's margin is the least of: how far inside its pattern of classified points a wanted minimum lies, in z = a x + b x^2, and
how far below the other minima it lies, in the loss. All minima are enumerated, at level "certified" with a proof that none is
missing.
"""

from __future__ import annotations

from typing import Any

from ascentfail.claims.claim import Cases, Claim, Kind, Level, by_cases
from ascentfail.claims.registry import register
from ascentfail.theory.toy_interpretations import (
    SCANNED,
    Reading,
    exact_support,
    readings,
    support_of,
)

_ALL = "no other reading of the list does better: these are all combinations of labels, output, reduction, slope and ridge"


def margin(point: Reading, level: Level) -> tuple[float, float]:
    """How clearly a reading shows the printed minima."""
    return support_of({name: value for name, value in point.items() if name != "case"}, level)


def _cases(points: tuple[Reading, ...]) -> dict[str, Any]:
    cases = Cases(points, margin, exact_support, "some", rigorous=True, bound=_ALL)
    return {"cases": cases, "margin": by_cases, "kind": Kind.EXISTENCE}


_READINGS = "labels -1/+1 or 0/1, output in (0, 1) or (-1, 1), sum, mean or half the sum (each numbered from 0 in a point)"
_MINIMA = (
    "Original and oracle have their global minimum where x_3 alone is wrong and a local one where x_4 alone is wrong; "
    "descent-ascent's global minimum is the latter: "
)
_LITERAL = _cases(readings((0.5,), (0.1, 0.05)))
_SMALLER = _cases(readings((0.5,), (0.025, 0.02)))
_SOME = _cases(SCANNED)

register(
    Claim(
        id="toy-minima.literal",
        statement=_MINIMA + "in at least one reading with slope 1/2 and ridge 0.1 or 0.05.",
        source="Sec. 5.2, Fig. 5",
        domain=_LITERAL["cases"].domain(_READINGS + ", slope 1/2, ridge 0.1 or 0.05"),
        **_LITERAL,
        repaired=Claim(
            id="toy-minima.literal.repaired",
            statement="With slope 1/2 a smaller ridge shows them: 0.025 or 0.02, in at least one reading.",
            source="ours",
            domain=_SMALLER["cases"].domain(_READINGS + ", slope 1/2, ridge 0.025 or 0.02"),
            **_SMALLER,
        ),
    )
)

register(
    Claim(
        id="toy-minima.some-reading",
        statement=_MINIMA + "in at least one reading with slope 1/2 or 1 and ridge 0.1.",
        source="Sec. 5.2, Fig. 5",
        domain=_SOME["cases"].domain(_READINGS + ", slope 1/2 or 1, ridge 0.1"),
        **_SOME,
    )
)
