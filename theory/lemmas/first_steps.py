r"""The first step, the flow, and early stopping in the paper's set-up.

On one coordinate -L_DA'(w_D)/lam = (c_DA - c_D) l(w_D), because w_D = c_D l(w_D): the first step has the sign of c_DA - c_D,
whatever its size and whichever of the two losses. With several orthogonal axes a direction is judged by all of them together.
"""

from __future__ import annotations

from ascentfail import closed_form, steps_1d
from ascentfail.arithmetic import Arithmetic, Scalar, under_logistic_loss
from ascentfail.problems import Loss
from ascentfail.theory import steps
from ascentfail.theory.claim import Axis, Claim, Domain, Kind, Point
from ascentfail.theory.domains import PHI, STEP, B
from ascentfail.theory.registry import register

LOSSES: tuple[tuple[str, Loss], ...] = (("", "exponential"), ("beyond-8.", "logistic"))
ORDER_WORDS = "the weight increases with its coefficient c, under either loss, so differences have the sign of those of the c"
ORDER = (*steps.ORDER_1D, steps.LOGISTIC_INCREASES)


def weights(p: Point, loss: Loss, xp: Arithmetic) -> tuple[Scalar, Scalar]:
    """(w_D, w_R) under either loss."""
    xp = xp if loss == "exponential" else under_logistic_loss(xp)
    return closed_form.original(p, xp=xp), closed_form.oracle(p, xp=xp)


def _between(p: Point, xp: Arithmetic) -> Point:
    """Chart: `place` in (0, 1] runs from phi^2/(1 + 2 phi) to phi."""
    low = closed_form.wrong_way_alpha(p.phi)
    return Point(phi=p.phi, b=p.b, alpha=low + p.place * (p.phi - low), step=p.step)


def _gain(p: Point, loss: Loss, xp: Arithmetic) -> Scalar:
    """|w_1 - w_R| - |w_D - w_R| after one simultaneous step."""
    original, oracle = weights(p, loss, xp)
    after = steps_1d.simultaneous(original, p, p.step, loss=loss, xp=xp)
    return xp.abs(after - oracle) - xp.abs(original - oracle)


# --- the set-up of lemma-3.setup: F in one group of share |R_j|/|R|, and `others` more axes that share what is left ---

_SETUP_AXES = (PHI, B, Axis("share", 0.01, 0.99, "log"), Axis("others", 0, 64, "integer"), Axis("rest", 0.05, 1.0))
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
    _note = "" if _loss == "exponential" else "The same with the logistic loss."
    register(Claim(
        id=f"{_prefix}first-step",
        statement="For phi^2/(1+2 phi) < alpha <= phi a simultaneous step of any size from w_D strictly increases |w - w_R|.",
        source="ours: first-step with the logistic loss" if _prefix else "Lemma 3 and the text after it",
        kind=Kind.ORDERING,
        domain=Domain(
            (PHI, B, Axis("place", 1e-6, 1.0, "log"), STEP),
            _between,
            words="phi^2/(1 + 2 phi) < alpha <= phi, phi in [0.01, 3], b in [0.01, 1e4], eta lam in [1e-6, 1e3]",
        ),
        margin=lambda p, xp, loss=_loss: _gain(p, loss, xp),
        strict=True,
        proof=(*ORDER, steps.FIRST_STEP),
        proof_words=f"{ORDER_WORDS}: w_D <= w_R, and the step is eta lam (c_DA - c_D) l(w_D) < 0, away from w_R",
        note=_note,
    ))
    register(Claim(
        id=f"{_prefix}first-step.setup",
        statement="In the set-up of lemma-3.setup, with any number of axes, the gradient flow of L_DA from w_D starts by "
        "increasing |w - w_R|.",
        source="ours: first-step.setup with the logistic loss" if _prefix else "Sec. 5.1.1, the set-up of Lemma 3",
        kind=Kind.ORDERING,
        domain=_SETUP,
        margin=lambda p, xp, loss=_loss: _away(p, loss, xp) + p.others * _away(_other(p), loss, xp),
        strict=True,
        note=_note or "The margin is -<grad L_DA(w_D), w_D - w_R>/lam, summed over all axes.",
        repaired=Claim(
            id=f"{_prefix}first-step.setup.repaired",
            statement="In that set-up the flow starts towards the oracle on every axis.",
            source="ours",
            kind=Kind.ORDERING,
            domain=_SETUP,
            margin=lambda p, xp, loss=_loss: xp.minimum(-_away(p, loss, xp), -_away(_other(p), loss, xp)),
            proof=(*ORDER, steps.FIRST_STEP),
            proof_words=f"{ORDER_WORDS}. On the axis of F alpha >= phi, so c_DA <= c_R <= c_D; on the others alpha = 0, so "
            "c_D <= c_R = c_DA: the step, of the sign of c_DA - c_D, leads from w_D towards w_R",
        ),
    ))
    register(Claim(
        id=f"{_prefix}early-stop.setup",
        statement="In the set-up of lemma-3.setup, no point of the gradient flow of L_DA from w_D is closer to w_R than w_D is.",
        source="ours: early-stop.setup with the logistic loss" if _prefix else "Sec. 5.1.1, the set-up of Lemma 3",
        kind=Kind.ORDERING,
        domain=_FLOW,
        margin=lambda p, xp, loss=_loss: _closer(p, loss, xp),
        note=_note or "The flow on one axis is monotone and ends at w_DA <= w_R or at -infinity, so it passes every point down "
        "to w_R.",
        repaired=Claim(
            id=f"{_prefix}early-stop.setup.repaired",
            statement="In that set-up the flow on the axis of F passes through w_R itself, and on every other axis it moves "
            "towards it.",
            source="ours",
            kind=Kind.ORDERING,
            domain=_SETUP,
            margin=lambda p, xp: xp.minimum(
                xp.minimum(
                    closed_form.coefficient(p, "original") - closed_form.coefficient(p, "oracle"),
                    closed_form.coefficient(p, "oracle") - closed_form.coefficient(p, "descent_ascent"),
                ),
                closed_form.coefficient(_other(p), "descent_ascent") - closed_form.coefficient(_other(p), "original"),
            ),
            proof=ORDER,
            proof_words=f"{ORDER_WORDS}. On the axis of F c_DA <= c_R <= c_D, and the flow runs down from w_D to w_DA, or "
            "without end; elsewhere c_D <= c_R = c_DA",
        ),
    ))


def _escapes(p: Point, xp: Arithmetic) -> Scalar:
    """-(1 + e c_DA): positive where the exponential loss has no stationary point to stop the flow."""
    return -(1 + xp.exp(xp.number(1)) * closed_form.coefficient(p, "descent_ascent"))


_PAST = Domain(
    (PHI, B, Axis("excess", 1e-3, 1e2, "log")),
    lambda p, xp: Point(phi=p.phi, b=p.b, alpha=p.phi * (1 + p.excess)),
    words="alpha > phi with alpha/phi - 1 in [1e-3, 100], phi in [0.01, 3], b in [0.01, 1e4]",
)
ESCAPE_THRESHOLD = steps.identity(
    "escape-threshold", "phi (1 + e c_DA) = e b (phi (1 + 1/(e b)) - alpha)",
    {"b": (1e-3, 1e3), "alpha": (1e-3, 1e3), "phi": (1e-3, 1e3)},
    lambda p, xp: p.phi * (1 + xp.exp(xp.number(1)) * closed_form.coefficient(p, "descent_ascent"))
    - xp.exp(xp.number(1)) * p.b * (p.phi - p.alpha) - p.phi,
)

register(Claim(
    id="lemma-5.proof",
    statement="For every alpha > phi and lam > 0 the flow of L_DA from w_D goes to -infinity.",
    source="Lemma 5, proof",
    kind=Kind.ORDERING,
    domain=_PAST,
    margin=_escapes,
    strict=True,
    note="Where 1 + e c_DA >= 0 the flow from w_D > W_0(c_DA) decreases to that fixed point and stays.",
    repaired=Claim(
        id="lemma-5.proof.repaired",
        statement="It does exactly where alpha > phi (1 + 1/(e b)); up to there it ends at W_0(c_DA).",
        source="ours",
        kind=Kind.ORDERING,
        domain=_PAST,
        margin=lambda p, xp: _escapes(p, xp) * (p.alpha - p.phi - p.phi / (xp.exp(xp.number(1)) * p.b)),
        proof=(ESCAPE_THRESHOLD, steps.W_INCREASES, steps.FIRST_STEP),
        proof_words="the velocity is c_DA e^{-w} - w = (c_DA - w e^w) e^{-w}: negative for all w where c_DA < -1/e = min w e^w, "
        "and on (W_0(c_DA), w_D] otherwise",
    ),
))
register(Claim(
    id="beyond-8.lemma-5.proof",
    statement="With the logistic loss the flow of L_DA ends at a point: w = c_DA/(1 + e^w) has one solution for every alpha.",
    source="ours",
    kind=Kind.EQUALITY,
    domain=_PAST,
    margin=lambda p, xp: (lambda w: w - closed_form.coefficient(p, "descent_ascent") * xp.sigmoid(-w))(
        xp.logisticw(closed_form.coefficient(p, "descent_ascent"))
    ),
    note="Lemma 5's step needs the exponential loss, which falls without end; with the logistic loss L_DA is bounded below.",
))
