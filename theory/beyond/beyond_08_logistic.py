r"""Beyond the paper: which of all this survives the logistic loss, for which the exponential one stands in?

On one coordinate the stationary weight solves w = c/(1 + e^w), with the same coefficients c as before. It increases with c on the
whole line, so whatever follows from the order of the c survives; what needs W_{-1}, or an end at -1/e, has no counterpart.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from ascentfail.claims.claim import Axis, Claim, Domain, Point
from ascentfail.claims.registry import register
from ascentfail.numerics.arithmetic import Arithmetic, Scalar
from ascentfail.numerics.sample_losses import LOGISTIC
from ascentfail.theory.beyond.beyond_03_regions import FARTHER_1D
from ascentfail.theory.domains import LINE, PHI
from ascentfail.theory.paper.lemma_03_wrong_side import APPENDIX, FARTHEST, IN_SETUP, MAIN, SETUP
from ascentfail.theory.paper.lemma_04_distance import LEMMA_4, LEMMA_4_PROOF
from ascentfail.theory.paper.lemma_05_divergence import LEMMA_5
from ascentfail.theory.proof_steps import steps
from ascentfail.theory.proof_steps.charts import by_weights

_SETUP = dataclasses.replace(
    SETUP,
    where=lambda p, xp: (p.alpha - p.phi,),
    words="|F_j| = |F|, so alpha = phi/share >= phi with share = |R_j|/|R|",
)
_PAST_PHI = Domain(
    (PHI, Axis("oracle", 4e-3, 7.5, "log"), Axis("growth", 1.0, 80.0, "log")),
    by_weights,
    lambda p, xp: (100 * p.b - 1, 10**4 - p.b, p.more, 100 * p.phi - p.alpha),
    f"{_SETUP.words}, phi in [0.01, 3], b in [0.01, 1e4], share in [0.01, 1], listed by phi, w_R and w_D/w_R",
)
_WIDE = Domain(
    (PHI, Axis("oracle", 4e-7, 12.0, "log"), Axis("growth", 0.25, 12.25)),
    by_weights,
    lambda p, xp: (10**6 * p.b - 1, 10**6 - p.b, 1000 * p.alpha - 1, 10 - p.alpha),
    "alpha in [1e-3, 10], phi in [0.01, 3], b in [1e-6, 1e6], listed by phi, w_R and w_D/w_R",
)
_DEPTH = dataclasses.replace(
    LEMMA_5.domain,
    words="phi in [0.01, 3], b in [0.01, 1e4], alpha >= phi with w_DA in [-1, 0], listed by w_DA",
)


def _in_order(p: Point, xp: Arithmetic) -> Scalar:
    """The least of -w_DA, w_R and w_D - w_R, at c_DA = b (1 - alpha/phi) = -b (1+phi)/phi (c_D/c_R - 1)."""
    unlearned = xp.logisticw(-p.b * (1 + p.phi) / p.phi * p.more)
    return xp.minimum(-unlearned, xp.minimum(p.oracle, p.gap))


_SHAPE = steps.inequality(
    "logistic-shape",
    "f(w) = w (1 + e^w) is convex with slope f' >= 2 for w >= 0, and |f(-w)| = w (1 + e^{-w}) <= 2 w",
    {"w": (0.0, 30.0)},
    lambda p, xp: (2 + p.w) * xp.exp(p.w),
    lambda p, xp: (1 + p.w) * xp.exp(p.w) - 1,
    lambda p, xp: 1 - xp.exp(-p.w),
)
_FARTHER_WORDS = (
    "for alpha <= phi by the order of the c. For alpha > phi: w_D - w_R <= (c_D - c_R)/f'(w_R) <= b (alpha-phi)/(2 (1+phi)), "
    "since f is convex, and -w_DA >= |c_DA|/2 = b (alpha-phi)/(2 phi)"
)
_ORDER = (*steps.ORDER_1D, steps.LOGISTIC_INCREASES)
_FARTHER = (*_ORDER, steps.UNLEARNED_BELOW_ORACLE, _SHAPE)


_NOTE = "The same with the logistic loss; a solution exists for every alpha."


def _within(p: Point, xp: Arithmetic) -> Scalar:
    """|ln(c_D/c_R)| - |w_D - w_R|, where c_D/c_R = (1+alpha)/(1+phi), as |ln r| - |N| with r = w_D/w_R.

    Since ln(c_D/c_R) - (w_D - w_R) = ln r + N, N = ln(1 - l(w_R)(1 - e^{w_R - w_D})), and N is of the other sign than ln r.
    """
    return xp.abs(xp.log(p.growth)) - xp.abs(
        xp.log(1 - xp.sigmoid(-p.oracle) * (1 - xp.exp(-p.gap)))
    )


def _logistic(
    function: Callable[[Point, Arithmetic], Scalar],
) -> Callable[[Point, Arithmetic], Scalar]:
    """The function of a point under the logistic loss."""
    return lambda p, xp: function(p.replace(loss=LOGISTIC), xp)


def again(
    claim: Claim,
    domain: Domain | None = None,
    proof: tuple[Claim, ...] = (),
    words: str = "",
    note: str = _NOTE,
    factors: bool = False,
) -> Claim:
    """The same claim with every W(c), and every stationary point of the plane, replaced by that of the logistic loss.

    The factors of the margin are kept where they are factors under the logistic loss, too.
    """
    repaired, domain = claim.repaired, domain or claim.domain
    chart, where = domain.chart, domain.where
    under = dataclasses.replace(
        domain,
        chart=lambda p, xp: chart(p.replace(loss=LOGISTIC), xp),
        where=(lambda p, xp: where(p.replace(loss=LOGISTIC), xp)) if where else None,
    )

    return dataclasses.replace(
        claim,
        id=f"beyond-8.{claim.id.removeprefix('beyond-')}",
        source=f"ours: {claim.id} with the logistic loss",
        domain=under,
        margin=_logistic(claim.margin),
        exclusion=claim.exclusion and _logistic(claim.exclusion),
        factors=tuple(map(_logistic, claim.factors)) if factors else (),
        proof=proof,
        proof_words=words,
        note=note,
        repaired=repaired
        and again(repaired, _DOMAINS.get(repaired.id), *_PROOFS.get(repaired.id, ((), ""))),
    )


_DOMAINS = {
    "lemma-3.setup": _SETUP,
    "lemma-3.setup.repaired": _PAST_PHI,
    "lemma-3.farthest": LINE,
    "lemma-3.farthest.repaired": LINE,
    "lemma-4.proof.repaired": _WIDE,
    "lemma-5": _DEPTH,
    "beyond-3.farther-1d": LINE,
}
_BOTH_SIDES = (
    _FARTHER,
    f"below the threshold w_D <= w_DA <= w_R, as c_R - c_DA = b alpha/phi >= 0; from it on: {_FARTHER_WORDS}",
)
_BY_ORDER = "the weight under the logistic loss increases with c, so differences have the sign of those of the c"
_PROOFS: dict[str, tuple[tuple[Claim, ...], str]] = {
    "lemma-3.appendix": (_ORDER, _BY_ORDER),
    "lemma-3.main.repaired": (_ORDER, _BY_ORDER),
    "lemma-3.farthest.repaired": _BOTH_SIDES,
    "beyond-3.farther-1d": _BOTH_SIDES,
}


def _with_margin(claim: Claim, margin: Callable[[Point, Arithmetic], Scalar]) -> Claim:
    """The claim with a margin in the coordinates of `by_weights`."""
    return dataclasses.replace(claim, margin=_logistic(margin))


for _claim in (MAIN, APPENDIX, FARTHEST, LEMMA_5, FARTHER_1D):
    register(again(_claim, _DOMAINS.get(_claim.id), *_PROOFS.get(_claim.id, ((), ""))))

register(_with_margin(again(LEMMA_4, _WIDE), _within))
for _claim, _margin in ((IN_SETUP, _in_order), (LEMMA_4_PROOF, _within)):
    _whole = again(_claim, _DOMAINS.get(_claim.id))
    register(
        dataclasses.replace(
            _whole, repaired=_whole.repaired and _with_margin(_whole.repaired, _margin)
        )
    )
