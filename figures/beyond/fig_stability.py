"""Stability of alternating descent-ascent: the points that its iterates settle on, against alpha/phi.

Without a ridge (left) there is nothing to settle on up to alpha = phi; beyond it w* = ln(eta rho/ln(alpha/phi)) attracts up
to alpha/phi = e^{sqrt 2}, where the period doubles. With a small ridge (right) there is a fixed point for smaller alpha as
well, while simultaneous descent-ascent loses its minimum just above alpha = phi. Every claim asserted holds.

Paper: Sec. 5.1.1, App. D.3; claims beyond-7.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter

from ascentfail.core.precision import require_x64
from ascentfail.figures.drawing import style
from ascentfail.line import closed_form
from ascentfail.line import steps as steps_1d
from ascentfail.line.steps import unridged_step
from ascentfail.numerics.arithmetic import JAX
from ascentfail.theory import Point

NAME = "stability"
CLAIMS = (
    "beyond-7.fixed-point",
    "beyond-7.multiplier",
    "beyond-7.stability",
    "beyond-7.small-ridge",
    "beyond-7.no-simultaneous",
    "iterative.stabilises",
)
PARAMETERS: dict[str, Any] = {
    "ratio": [0.5, 8.0],  # alpha / phi
    "ratio_count": 601,
    "h_retain": 0.1,  # eta rho
    "h": 0.005,  # eta lam, on the right
    "transient": 6000,
    "points": 96,
}


@jax.jit
def grid(ratio: Any, h_retain: Any, h: Any, transient: Any, points: Any) -> dict[str, Any]:
    """Every alpha/phi in one program; `points` (n,) is read for its length, `transient` is the number of steps before it."""
    b = h_retain / h

    def at(ratio: Any) -> Point:
        return Point(phi=1.0, b=b, forget_b=ratio * b)

    def bare(w: Any, ratio: Any) -> Any:
        return unridged_step(w, h_retain, jnp.log(ratio), JAX)[1]

    def ridged(w: Any, ratio: Any) -> Any:
        return steps_1d.alternating(w, at(ratio), h, xp=JAX)

    def settle(step: Any, ratio: Any) -> Any:
        w = jax.lax.fori_loop(0, transient, lambda _, w: step(w, ratio), jnp.log(h_retain))
        return jax.lax.scan(lambda w, _: (step(w, ratio), w), w, points)[1]

    def one(ratio: Any) -> dict[str, Any]:
        excess = jnp.log(ratio)
        fixed = jnp.log(h_retain / excess)  # NaN up to alpha = phi
        size = 1 + jnp.abs(fixed) + excess
        allowed = jnp.where(h * size <= 0.1, 3 * h * size * (1 + excess), jnp.inf)
        return {
            "fixed": fixed,
            "moved": bare(fixed, ratio) - fixed,
            "multiplier": jax.grad(bare)(fixed, ratio),
            "bare": settle(bare, ratio),
            "ridged": settle(ridged, ratio),
            "ridge_slack": allowed - jnp.abs(ridged(fixed, ratio) - fixed),
            "simultaneous": closed_form.descent_ascent(at(ratio)),
        }

    return jax.vmap(one)(ratio)


def data(
    ratio: tuple[float, float],
    ratio_count: int,
    h_retain: float,
    h: float,
    transient: int,
    points: int,
) -> dict[str, np.ndarray]:
    """The attractors and the curves drawn with them, after the claims were checked at every alpha/phi.

    Args:
        ratio: first and last alpha/phi > 0.
        ratio_count: how many, >= 2, in geometric progression.
        h_retain: eta rho > 0, step size times |R_j|/|R|.
        h: eta lam > 0, step size times ridge, on the right.
        transient: steps taken before any is shown, >= 0.
        points: steps shown, >= 1.

    Returns:
        "ratio" (n,): alpha/phi. Less ln(eta rho): bare, ridged (n, points): iterates without and with the ridge, NaN without
        it up to alpha = phi, where they grow for ever; fixed (n,): w*, NaN up to alpha = phi; simultaneous (n,): minimum of
        simultaneous descent-ascent with the ridge, NaN where there is none. bare_settled, ridged_settled (n,): whether the
        iterates stay within 1e-3. Scalars: h, h_retain: as given; limit: e^{sqrt 2}; existence: the alpha/phi at which that
        minimum ends; doubling (2,): first alpha/phi from 1.5 at which iterates without and with the ridge do not settle.

    Raises:
        AssertionError: a claim is contradicted at some alpha/phi.
        PrecisionError: JAX computes in float32.

    Paper: Sec. 5.1.1, App. D.3; claims beyond-7.
    """
    require_x64(NAME)
    ratios = np.geomspace(ratio[0], ratio[1], ratio_count)
    found = {
        key: np.asarray(value)
        for key, value in grid(ratios, h_retain, h, transient, np.zeros(points)).items()
    }
    existence = 1 + h / (np.e * h_retain)
    _check(found, np.log(ratios), ratios, existence, transient)
    settled = {key: np.ptp(found[key], axis=-1) < 1e-3 for key in ("bare", "ridged")}
    doubling = [ratios[(ratios > 1.5) & ~one].min(initial=np.inf) for one in settled.values()]
    limit, spacing = np.exp(np.sqrt(2)), ratios[1] / ratios[0]
    style.confirm(
        abs(np.log(doubling[0] / limit)) < 2 * np.log(spacing), "the period doubles at e^{sqrt 2}"
    )
    shift = np.log(h_retain)
    return {
        "ratio": ratios,
        "bare": np.where(ratios[:, None] > 1, found["bare"], np.nan) - shift,
        "ridged": found["ridged"] - shift,
        "bare_settled": settled["bare"] & (ratios > 1),
        "ridged_settled": settled["ridged"],
        "fixed": found["fixed"] - shift,
        "simultaneous": found["simultaneous"] - shift,
        "h": np.asarray(h),
        "h_retain": np.asarray(h_retain),
        "limit": np.asarray(limit),
        "existence": np.asarray(existence),
        "doubling": np.asarray(doubling),
    }


def _check(
    found: dict[str, np.ndarray],
    excess: np.ndarray,
    ratios: np.ndarray,
    existence: float,
    transient: int,
) -> None:
    """The claims at every alpha/phi; where the multiplier is within rounding or patience of -1 or 1 nothing is judged."""
    bare, fixed, beyond = found["bare"], found["fixed"], excess > 1e-9
    factor = 1 - excess**2
    style.confirm(
        ~beyond | (np.abs(found["moved"]) < 1e-12 * (1 + np.abs(fixed))), "w* is a fixed point"
    )
    style.confirm(
        ~beyond | (np.abs(found["multiplier"] - factor) < 1e-9),
        "its multiplier is 1 - ln(alpha/phi)^2",
    )
    patient = beyond & (np.minimum(np.abs(factor), 1) ** transient < 1e-14)
    style.confirm(
        ~patient | (np.abs(bare - fixed[:, None]).max(-1) < 1e-9),
        "below e^{sqrt 2} the iterates settle on w*",
    )
    style.confirm(patient[(ratios > 1.1) & (ratios < 4)], "which is judged from 1.1 to 4")
    above = (excess > np.sqrt(2) + 0.01) & (excess < np.sqrt(2) + 0.1)
    twice, once = np.abs(bare[:, 2:] - bare[:, :-2]).max(-1), np.abs(np.diff(bare, axis=-1)).min(-1)
    style.confirm(
        ~above | ((twice < 1e-9) & (once > 0.1)), "just above it they alternate between two points"
    )
    style.confirm(
        (excess > 0) | (np.diff(bare, axis=-1) > 0).all(-1),
        "up to alpha = phi they grow for ever without a ridge",
    )
    style.confirm(np.abs(found["ridged"]) < 1e3, "with the ridge they stay bounded")
    style.confirm(
        ~beyond | (found["ridge_slack"] >= 0), "w* moves by no more than the ridge allows"
    )
    style.confirm(
        np.isnan(found["simultaneous"]) == (ratios > existence),
        "simultaneous: a minimum up to phi (1 + 1/(e b))",
    )


_DOTS: dict[str, Any] = {
    "color": style.BLUE,
    "linestyle": "none",
    "marker": ".",
    "markersize": 1.5,
    "markeredgewidth": 0,
}
_SETTLED: dict[str, Any] = {
    "color": style.SKY,
    "linewidth": 3,
    "solid_capstyle": "butt",
    "zorder": 2,
}
_FIXED: dict[str, Any] = {
    "color": style.BLACK,
    "linewidth": 0.9,
    "linestyle": (0, (4, 2)),
    "zorder": 4,
}
_SIMULTANEOUS: dict[str, Any] = {
    "color": style.VERMILLION,
    "linewidth": 1.4,
    "linestyle": (0, (1, 1)),
    "zorder": 5,
}
_ARROW: dict[str, Any] = {"arrowstyle": "-|>", "color": style.INK, "shrinkA": 0, "shrinkB": 0}


def draw(data: dict[str, np.ndarray]) -> Figure:
    """Left: without a ridge. Right: with a small one. Iterates less ln(eta rho) against alpha/phi (log).

    Args:
        data: what `data` returns.

    Returns:
        The figure. Never raises on such data.
    """
    with style.look():
        figure = style.figure(style.FULL_WIDTH, 3.0)
        left, right = figure.subplots(1, 2, sharey=True)
        for ax, key in ((left, "bare"), (right, "ridged")):
            _panel(ax, data, key)
        left.set_title("no ridge")
        right.set_title(
            f"small ridge, η λ = {float(data['h']):g} and η ρ = {float(data['h_retain']):g}"
        )
        left.set_ylabel("alternating iterates,  w − ln(η ρ)")
        _say(left, (0.53, 1.0), "no fixed point:\nw grows\nfor ever")
        _say(left, (1.35, 1.75), "settles on w* =\nln(η ρ / ln(α/φ))")
        _say(
            left,
            (1.12, -1.5),
            f"period doubles at\nα/φ = $e^{{\\sqrt{{2}}}}$ = {float(data['limit']):.2f}",
        )
        left.annotate("", (float(data["limit"]), -1.5), (2.9, -1.5), arrowprops=_ARROW)
        _say(
            right,
            (0.53, 1.0),
            f"simultaneous:\nno minimum\nbeyond {float(data['existence']):.3f}",
            color="#A34700",
        )
        _say(right, (1.35, 1.75), "alternating settles\nnear w* (dashed)")
        _say(right, (1.12, -1.5), f"period doubles\nat {float(data['doubling'][1]):.2f}")
        right.annotate("", (float(data["doubling"][1]), -1.5), (2.9, -1.5), arrowprops=_ARROW)
        right.plot(data["ratio"], data["simultaneous"], **_SIMULTANEOUS)
    return figure


def _say(ax: Axes, place: tuple[float, float], words: str, color: str = style.BLACK) -> None:
    ax.text(*place, words, fontsize=7, va="center", color=color)


def _panel(ax: Axes, data: dict[str, np.ndarray], key: str) -> None:
    """One bifurcation diagram with the fixed point of the map without a ridge."""
    ratio, points, settled = data["ratio"], data[key], data[f"{key}_settled"]
    ax.plot(ratio, np.where(settled, points[:, 0], np.nan), **_SETTLED)
    moving = np.where(settled[:, None], np.nan, points)
    ax.plot(np.repeat(ratio, points.shape[1]), moving.ravel(), rasterized=True, **_DOTS)
    ax.plot(ratio, data["fixed"], **_FIXED)
    for place in (1.0, float(data["limit"])):
        ax.axvline(place, color=style.GREY, linewidth=0.7, zorder=0)
    ax.set(xscale="log", xlim=(ratio[0], ratio[-1]), ylim=(-2, 4), xlabel="α / φ")
    ax.xaxis.set_major_locator(FixedLocator([0.5, 1, 2, 4, 8]))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())
