r"""Beyond the paper: which of all this survives the logistic loss, for which the exponential one stands in?

On one coordinate the stationary weight solves w = c/(1 + e^w), with the same coefficients c as before. It increases with c on the
whole line, so whatever follows from the order of the c survives; what needs W_{-1}, or an end at -1/e, has no counterpart.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from ascentfail.arithmetic import Arithmetic, Scalar, under_logistic_loss
from ascentfail.theory import steps
from ascentfail.theory.claim import Claim, Domain, Point
from ascentfail.theory.domains import LINE
from ascentfail.theory.lemmas.beyond_03_regions import FARTHER_1D
from ascentfail.theory.lemmas.lemma_03_wrong_side import APPENDIX, FARTHEST, IN_SETUP, MAIN, SETUP, from_threshold
from ascentfail.theory.lemmas.lemma_04_distance import LEMMA_4, LEMMA_4_PROOF
from ascentfail.theory.lemmas.lemma_05_divergence import LEMMA_5
from ascentfail.theory.registry import register

_ABOVE = dataclasses.replace(
    LINE, where=lambda p, xp: (from_threshold(p),), words=f"alpha >= phi^2/(1 + 2 phi), {LINE.words}"
)
_SETUP = dataclasses.replace(
    SETUP, where=lambda p, xp: (p.alpha - p.phi,), words="|F_j| = |F|, so alpha = phi/share >= phi with share = |R_j|/|R|"
)
_LOGARITHM = steps.inequality(
    "logistic-log-slope", "d ln c/dw of c = w (1 + e^w), 1/w + 1/(1 + e^{-w}), is above 1: 1 + e^{-w} - w e^{-w} >= 0",
    {"w": (0.0, 30.0)}, lambda p, xp: 1 + xp.exp(-p.w) - p.w * xp.exp(-p.w),
)
_SHAPE = steps.inequality(
    "logistic-shape", "f(w) = w (1 + e^w) is convex with slope f' >= 2 for w >= 0, and |f(-w)| = w (1 + e^{-w}) <= 2 w",
    {"w": (0.0, 30.0)},
    lambda p, xp: (2 + p.w) * xp.exp(p.w), lambda p, xp: (1 + p.w) * xp.exp(p.w) - 1, lambda p, xp: 1 - xp.exp(-p.w),
)
_FARTHER_WORDS = (
    "for alpha <= phi by the order of the c. For alpha > phi: w_D - w_R <= (c_D - c_R)/f'(w_R) <= b (alpha-phi)/(2 (1+phi)), "
    "since f is convex, and -w_DA >= |c_DA|/2 = b (alpha-phi)/(2 phi)"
)
_BY_ORDER = "the weight under the logistic loss increases with c, so differences have the sign of those of the c"
_ORDER = (*steps.ORDER_1D, steps.LOGISTIC_INCREASES)
_FARTHER = (*_ORDER, steps.UNLEARNED_BELOW_ORACLE, _SHAPE)


_NOTE = "The same with the logistic loss; a solution exists for every alpha."


def again(
    claim: Claim, domain: Domain | None = None, proof: tuple[Claim, ...] = (), words: str = "", note: str = _NOTE,
    factors: bool = False,
) -> Claim:
    """The same claim with every W(c), and every stationary point of the plane, replaced by that of the logistic loss.

    The factors of the margin are kept where they are factors under the logistic loss, too.
    """
    repaired, domain = claim.repaired, domain or claim.domain
    chart, where = domain.chart, domain.where
    under = dataclasses.replace(
        domain, chart=lambda p, xp: chart(p, under_logistic_loss(xp)),
        where=(lambda p, xp: where(p, under_logistic_loss(xp))) if where else None,
    )

    def logistic(function: Callable[[Point, Arithmetic], Scalar]) -> Callable[[Point, Arithmetic], Scalar]:
        return lambda p, xp: function(p, under_logistic_loss(xp))

    def margin(p: Point, xp: Arithmetic) -> Scalar:
        return claim.margin(p, under_logistic_loss(xp))

    def exclusion(p: Point, xp: Arithmetic) -> Scalar:
        assert claim.exclusion is not None
        return claim.exclusion(p, under_logistic_loss(xp))

    return dataclasses.replace(
        claim, id=f"beyond-8.{claim.id.removeprefix('beyond-')}",
        source=f"ours: {claim.id} with the logistic loss",
        domain=under, margin=margin, exclusion=exclusion if claim.exclusion else None,
        factors=tuple(map(logistic, claim.factors)) if factors else (),
        proof=proof, proof_words=words, note=note,
        repaired=repaired and again(repaired, _DOMAINS.get(repaired.id), *_PROOFS.get(repaired.id, ((), ""))),
    )


_DOMAINS = {
    "lemma-3.setup": _SETUP, "lemma-3.setup.repaired": _SETUP, "lemma-3.farthest": LINE, "lemma-3.farthest.repaired": _ABOVE,
    "beyond-3.farther-1d": LINE,
}
_PROOFS: dict[str, tuple[tuple[Claim, ...], str]] = {
    "lemma-3.appendix": (_ORDER, _BY_ORDER),
    "lemma-3.main.repaired": (_ORDER, _BY_ORDER),
    "lemma-3.setup.repaired": (_ORDER, _BY_ORDER),
    "lemma-3.farthest.repaired": (_FARTHER, _FARTHER_WORDS),
    "beyond-3.farther-1d": (
        _FARTHER, f"below the threshold w_D <= w_DA <= w_R, as c_R - c_DA = b alpha/phi >= 0; from it on: {_FARTHER_WORDS}",
    ),
    "lemma-4": (
        (_LOGARITHM, steps.LOGISTIC_INCREASES),
        "ln c_D - ln c_R = ln((1+alpha)/(1+phi)), and the weight changes by less than ln c does",
    ),
    "lemma-4.proof.repaired": (
        (_LOGARITHM, steps.LOGISTIC_INCREASES),
        "ln c_D - ln c_R = ln((1+alpha)/(1+phi)), and the weight changes by less than ln c does",
    ),
    "lemma-5": (
        (steps.LOGISTIC_INCREASES, steps.UNLEARNED_BELOW_ORACLE), "c_DA <= 0, so w_DA <= 0 and w_R - w_DA >= w_R",
    ),
}

for _claim in (MAIN, APPENDIX, IN_SETUP, FARTHEST, LEMMA_4, LEMMA_4_PROOF, LEMMA_5, FARTHER_1D):
    register(again(_claim, _DOMAINS.get(_claim.id), *_PROOFS.get(_claim.id, ((), ""))))
