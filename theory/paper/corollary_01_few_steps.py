r"""Corollary 1 for few steps: can a fixed number of steps carry the weight to infinity in the limit?

A stable step has h = eta lam < 2/(1 + w_D). It takes at most h w_k + h |c_DA| e^{-w_k} off the weight, and c_DA -> 0 relative to
c_D as alpha -> phi: each step moves by little more than 2, however small the ridge.
"""

from __future__ import annotations

from ascentfail.claims.claim import Axis, Claim, Domain, Kind, Point
from ascentfail.claims.registry import register
from ascentfail.line import steps as steps_1d
from ascentfail.numerics.arithmetic import Arithmetic, Scalar
from ascentfail.numerics.sample_losses import Loss
from ascentfail.theory.domains import PHI
from ascentfail.theory.paper.first_steps import LOSSES, weights

_MOST = 12  # steps that are simulated; the bound is for every number


def _tail(p: Point, xp: Arithmetic) -> Point:
    """A stage of the limit that is late enough for K steps: b = 4 K e^{4K} stage, |alpha/phi - 1| = e^{-4K}/stage."""
    closeness = xp.exp(-4 * p.steps) / p.stage
    return p.replace(
        b=4 * p.steps * xp.exp(4 * p.steps) * p.stage, alpha=p.phi * (1 + p.side * closeness)
    )


def _moved(p: Point, loss: Loss, xp: Arithmetic) -> Scalar:
    """|w_K - w_R| - (3 K + 1) after K stable steps from w_D."""
    p = _tail(p, xp)
    original, oracle = weights(p, loss, xp)
    h, w = 2 * p.stable / (1 + original), original
    for i in range(_MOST):
        taken = xp.minimum(xp.maximum(p.steps - i, xp.number(0)), xp.number(1))  # 1 while i < K
        w = w + taken * (steps_1d.simultaneous(w, p, h, loss=loss, xp=xp) - w)
    return xp.abs(w - oracle) - (3 * p.steps + 1)


def _largest(p: Point, xp: Arithmetic) -> Scalar:
    """An upper bound of |w_K - w_R| - (3 K + 1) for every K >= 1 and all later stages.

    A step moves by at most 2 + 2 d e^{3K} with d = |c_DA/c_D| <= 2 (1 + phi) e^{-4K}/stage, and |w_D - w_R| <= 2 e^{-4}/stage by
    Lemma 4. So it is at most 2/(e^4 stage) + K (2 + 4 (1 + phi) e^{-K}/stage) - 3 K - 1, and K e^{-K} <= 1/e.
    """
    return (
        2 / (xp.exp(xp.number(4)) * p.stage)
        + 4 * (1 + p.phi) / (xp.exp(xp.number(1)) * p.stage)
        - 2
    )


for _prefix, _loss in LOSSES:
    register(
        Claim(
            id=f"{_prefix}corollary-1.few-steps",
            statement="With a stable step, eta < 2/(lam (1 + w_D)), some fixed number K of simultaneous steps from w_D gives "
            "|w_K - w_R| -> infinity as lam -> 0 and alpha -> phi; so |w_K - w_R| passes 3 K + 1.",
            source="ours: corollary-1.few-steps with the logistic loss"
            if _prefix
            else "Corollary 1, with the step of the text",
            kind=Kind.EXISTENCE,
            domain=Domain(
                (
                    PHI,
                    Axis("stage", 10.0, 1e6, "log"),
                    Axis("side", -1.0, 1.0),
                    Axis("stable", 0.01, 0.99),
                ),
                words="phi in [0.01, 3], eta = stable 2/(lam (1 + w_D)), tails b >= 4 K "
                "e^{4K} t and |alpha/phi - 1| <= e^{-4K}/t "
                "from t = stage on",
            ),
            inner=(Axis("steps", 1, _MOST, "integer"),),
            margin=lambda p, xp, loss=_loss: _moved(p, loss, xp),
            exclusion=_largest,
            exclusion_words="for every K, and at every later stage of the limit, K steps end within 3 K + 1 of the oracle: the "
            "distance does not tend to infinity for any fixed K",
            note="The end point w_DA does run to infinity, but only with the number of steps."
            if not _prefix
            else "The same with the logistic loss: its slope, too, grows by at most e^d over a distance d.",
        )
    )
