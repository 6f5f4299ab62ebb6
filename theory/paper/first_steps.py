r"""The first step, the flow, and early stopping in the paper's set-up.

On one coordinate -L_DA'(w_D)/lam = (c_DA - c_D) l(w_D), because w_D = c_D l(w_D): the first step has the sign of c_DA - c_D,
whatever its size and whichever of the two losses. With several orthogonal axes a direction is judged by all of them together.
The statements that hold list their points by weights, see `proof_steps.by_weights`: nothing is implicit, no order is built in.
"""

from __future__ import annotations

import dataclasses

from ascentfail.claims.claim import Axis, Claim, Domain, Kind, Point
from ascentfail.claims.registry import register
from ascentfail.line import closed_form
from ascentfail.line import steps as steps_1d
from ascentfail.numerics.arithmetic import Arithmetic, Scalar
from ascentfail.numerics.sample_losses import EXPONENTIAL, LOGISTIC, Loss
from ascentfail.theory.domains import PHI, STEP, B
from ascentfail.theory.proof_steps import by_weights, steps

LOSSES: tuple[tuple[str, Loss], ...] = (("", EXPONENTIAL), ("beyond-8.", LOGISTIC))
ORDER_WORDS = "the weight increases with its coefficient c, under either loss, so differences have the sign of those of the c"
ORDER = (*steps.ORDER_1D, steps.LOGISTIC_INCREASES)


def weights(p: Point, loss: Loss, xp: Arithmetic) -> tuple[Scalar, Scalar]:
    """(w_D, w_R) under either loss."""
    p = p.replace(loss=loss)
    return closed_form.original(p, loss=loss, xp=xp), closed_form.oracle(p, loss=loss, xp=xp)


def _listed(p: Point, loss: Loss, xp: Arithmetic) -> Point:
    """Chart: w_D, w_R - w_D = 2 w_D/(1 + w_D) lead, and `place` in (0, 1], which runs from phi^2/(1 + 2 phi) to phi."""
    above = 2 * p.original / (1 + p.original) * p.lead
    lead, b = (
        by_weights.rise(p.original, above, loss, xp),
        by_weights.coefficient_of(p.original + above, loss, xp),
    )
    phi = lead / ((1 - p.place) * b - 2 * lead)  # from (c_R - c_D)/b = phi (1 - place)/(1 + 2 phi)
    low = closed_form.wrong_way_alpha(phi)
    return Point(
        phi=phi,
        b=b,
        alpha=low + p.place * (phi - low),
        place=p.place,
        step=p.step,
        original=p.original,
        oracle_above=above,
        c_oracle_above=lead,
    )


def _in_reference_box(p: Point, xp: Arithmetic) -> tuple[Scalar, ...]:
    """Where phi in [0.01, 3] and b in [0.01, 1e4], without a division."""
    lead, below = p.c_oracle_above, (1 - p.place) * p.b  # lead/below = phi/(1 + 2 phi)
    return 102 * lead - below, 3 * below - 7 * lead, 100 * p.b - 1, 10**4 - p.b


def _gain(p: Point, loss: Loss, xp: Arithmetic) -> Scalar:
    """|w_1 - w_R| - |w_D - w_R| after one simultaneous step, w_1 = w_D - h b place l(w_D); more where alpha > phi, outside."""
    none = xp.number(0)
    pull = p.original + xp.maximum(p.c_oracle_above, none) * steps_1d.slope(
        p.original, loss, xp
    )  # b l(w_D)
    return by_weights.longer(p.oracle_above, p.step * p.place * pull, xp) + 4 * xp.maximum(
        -p.oracle_above, none
    )


# --- the set-up of lemma-3.setup: F in one group of share |R_j|/|R|, and `others` more axes that share what is left ---

_SETUP_AXES = (
    PHI,
    B,
    Axis("share", 0.01, 0.99, "log"),
    Axis("others", 0, 64, "integer"),
    Axis("rest", 0.05, 1.0),
)
_SETUP_WORDS = (
    "|F_j| = |F|, so alpha = phi/share on that axis; up to 64 other axes share a part `rest` of the other retain samples; "
    "phi in [0.01, 3], b in [0.01, 1e4] on the axis of F"
)


def _setup(p: Point, xp: Arithmetic) -> Point:
    """Chart: the ratios of the forget axis, and `other_b` of every other axis."""
    other = p.b * p.rest * (1 - p.share) / p.share / xp.maximum(p.others, xp.number(1))
    return Point(phi=p.phi, b=p.b, alpha=p.phi / p.share, others=p.others, other_b=other)


def _other(p: Point) -> Point:
    """An axis without forget samples."""
    return Point(phi=p.phi, b=p.other_b, forget_b=0 * p.other_b)


def _away(p: Point, loss: Loss, xp: Arithmetic) -> Scalar:
    """-L_DA'(w_D) (w_D - w_R)/lam on one axis: how fast the flow leaves the oracle at the start."""
    original, oracle = weights(p, loss, xp)
    velocity = steps_1d.simultaneous(original, p, xp.number(1), loss=loss, xp=xp) - original
    return velocity * (original - oracle)


_SETUP = Domain(_SETUP_AXES, _setup, words=_SETUP_WORDS)
_TWO_AXES = (
    Axis("ahead", -450.0, 450.0),
    Axis("other_lead", -150.0, 150.0),
    by_weights.ORACLE,
    Axis("other", 1e-8, 12.0, "log"),
)


def _both(p: Point, loss: Loss, xp: Arithmetic) -> Point:
    """Chart: w_R and 100 ln(w_D/w_R) on the axis of F; w_D and 100 ln(w_R/w_D), hence phi, on another one."""
    ahead, other_ahead = p.ahead / 100, p.other_lead / 100
    growth = xp.exp(loss.log_rise(p.oracle, ahead, xp)) - 1  # c_D/c_R - 1 = (alpha - phi)/(1 + phi)
    phi = xp.exp(loss.log_rise(p.other, other_ahead, xp)) - 1  # c_R/c_D - 1 = phi where alpha is 0
    return p.replace(
        phi=phi,
        b=by_weights.coefficient_of(p.oracle, loss, xp),
        alpha=phi + (1 + phi) * growth,
        original_ahead=p.oracle * (xp.exp(ahead) - 1),
        growth=growth,
        other_ahead=p.other * (xp.exp(other_ahead) - 1),
    )


def _enough(p: Point) -> tuple[Scalar, Scalar]:
    """>= 0 where phi >= 0.01, and where share <= 0.99: with alpha - phi = (1 + phi) growth."""
    return 100 * p.phi - 1, 99 * (1 + p.phi) * p.growth - p.phi


_BOTH = {
    loss: Domain(
        _TWO_AXES,
        lambda p, xp, loss=loss: _both(p, loss, xp),
        lambda p, xp: (*_enough(p), 99 * p.phi - (1 + p.phi) * p.growth),
        "|F_j| = |F|, so alpha = phi/share with share in [0.01, 0.99] on that axis, and phi >= 0.01; with any other axis. Listed "
        "by both weights on either axis, which covers phi <= 3, b in [0.01, 1e4] on the axis of F and b in [7e-8, 1e6] on the "
        "other",
    )
    for _, loss in LOSSES
}


def _speed(w: Scalar, p: Point, loss: Loss, xp: Arithmetic) -> Scalar:
    """-phi c_DA l(w) on the axis of F: what descent-ascent's pull adds to the speed phi w at which the ridge lets w fall."""
    return (1 + p.phi) * p.growth * p.b * steps_1d.slope(w, loss, xp)


def _towards(p: Point, loss: Loss, xp: Arithmetic) -> Scalar:
    """-velocity (w_D - w_R) at w_D, times phi on the axis of F; on another axis the velocity is phi w_D."""
    original = p.oracle + p.original_ahead
    speed = p.phi * original + _speed(original, p, loss, xp)
    margin = xp.minimum(speed * p.original_ahead, p.phi * p.other * p.other_ahead)
    return by_weights.or_else(margin, tuple(-side for side in _enough(p)), xp)


def _all_the_way(p: Point, loss: Loss, xp: Arithmetic) -> Scalar:
    """At any part of the way: phi (-velocity - w_R) on the axis of F, and velocity/l(w) on another axis."""
    gone, rest = p.progress * p.original_ahead, (1 - p.progress) * p.other_ahead
    speed = p.phi * gone + _speed(p.oracle + gone, p, loss, xp)
    margin = xp.minimum(
        speed, by_weights.rise(p.other + p.progress * p.other_ahead, rest, loss, xp)
    )
    return by_weights.or_else(margin, tuple(-side for side in _enough(p)), xp)


def _on_flow(p: Point, xp: Arithmetic) -> Point:
    """Chart: `progress` is the part of the way from w_D to w_R that the flow has gone on the axis of F, alone."""
    return Point(phi=p.phi, b=p.b, alpha=p.phi / p.share, progress=p.progress)


def _closer(p: Point, loss: Loss, xp: Arithmetic) -> Scalar:
    """|w - w_R| - |w_D - w_R| at that point of the flow."""
    original, oracle = weights(p, loss, xp)
    return xp.abs((1 - p.progress) * (original - oracle)) - xp.abs(original - oracle)


_FLOW = Domain(
    (PHI, B, Axis("share", 0.01, 0.99, "log"), Axis("progress", 0.0, 1.0)),
    _on_flow,
    words="|F_j| = |F| on a single axis, alpha = phi/share; points of the flow between w_D and w_R, all of which it passes",
)

for _prefix, _loss in LOSSES:
    _note = "The same with the logistic loss." if _prefix else ""
    register(
        Claim(
            id=f"{_prefix}first-step",
            statement="For phi^2/(1+2 phi) < alpha <= phi a simultaneous step of any size from w_D strictly increases |w - w_R|.",
            source="ours: first-step with the logistic loss"
            if _prefix
            else "Lemma 3 and the text after it",
            kind=Kind.ORDERING,
            domain=Domain(
                (
                    by_weights.ORIGINAL,
                    Axis("lead", -0.5, 0.5),
                    Axis("place", 1e-6, 1.0, "log"),
                    STEP,
                ),
                lambda p, xp, loss=_loss: _listed(p, loss, xp),
                _in_reference_box,
                "phi^2/(1 + 2 phi) < alpha <= phi, phi in [0.01, 3], b in [0.01, 1e4], eta lam in [1e-6, 1e3], listed by w_D, "
                "w_R - w_D and the place of alpha between its ends",
            ),
            margin=lambda p, xp, loss=_loss: _gain(p, loss, xp),
            strict=True,
            note=_note,
        )
    )
    register(
        Claim(
            id=f"{_prefix}first-step.setup",
            statement="In the set-up of lemma-3.setup, with any number of axes, the gradient flow of L_DA from w_D starts by "
            "increasing |w - w_R|.",
            source="ours: first-step.setup with the logistic loss"
            if _prefix
            else "Sec. 5.1.1, the set-up of Lemma 3",
            kind=Kind.ORDERING,
            domain=_SETUP,
            margin=lambda p, xp, loss=_loss: (
                _away(p, loss, xp) + p.others * _away(_other(p), loss, xp)
            ),
            strict=True,
            note=_note or "The margin is -<grad L_DA(w_D), w_D - w_R>/lam, summed over all axes.",
            repaired=Claim(
                id=f"{_prefix}first-step.setup.repaired",
                statement="In that set-up the flow starts towards the oracle on every axis.",
                source="ours",
                kind=Kind.ORDERING,
                domain=_BOTH[_loss],
                margin=lambda p, xp, loss=_loss: _towards(p, loss, xp),
            ),
        )
    )
    register(
        Claim(
            id=f"{_prefix}early-stop.setup",
            statement="In the set-up of lemma-3.setup, no point of the gradient flow of "
            "L_DA from w_D is closer to w_R than w_D is.",
            source="ours: early-stop.setup with the logistic loss"
            if _prefix
            else "Sec. 5.1.1, the set-up of Lemma 3",
            kind=Kind.ORDERING,
            domain=_FLOW,
            margin=lambda p, xp, loss=_loss: _closer(p, loss, xp),
            note=_note
            or "The flow on one axis is monotone and ends at w_DA <= w_R or at -infinity, so it passes every point down "
            "to w_R.",
            repaired=Claim(
                id=f"{_prefix}early-stop.setup.repaired",
                statement="In that set-up the flow on the axis of F passes through w_R itself, and on every other axis it moves "
                "towards it.",
                source="ours",
                kind=Kind.ORDERING,
                domain=dataclasses.replace(
                    _BOTH[_loss], axes=(*_TWO_AXES, Axis("progress", 0.0, 1.0))
                ),
                margin=lambda p, xp, loss=_loss: _all_the_way(p, loss, xp),
                note="On the axis of F the flow falls at least as fast as w_R from w_D to w_R; elsewhere it rises all the "
                "way from w_D to w_R, where it ends.",
            ),
        )
    )


ESCAPE_THRESHOLD = steps.identity(
    "escape-threshold",
    "phi (1 + e c_DA) = e b (phi (1 + 1/(e b)) - alpha)",
    {"b": (1e-3, 1e3), "alpha": (1e-3, 1e3), "phi": (1e-3, 1e3)},
    lambda p, xp: (
        p.phi * (1 + xp.exp(xp.number(1)) * closed_form.coefficient(p, "descent_ascent"))
        - xp.exp(xp.number(1)) * p.b * (p.phi - p.alpha)
        - p.phi
    ),
)
