r"""Appendix J: what its limit needs where losses are means, and in which order the limits are taken.

With the means of Section 5 the two samples have the weights rho = 1/(lam |R|) and kappa = 1/lam over the ridge.
"""

from __future__ import annotations

from ascentfail import stationary
from ascentfail.claims.claim import Axis, Claim, Domain, Kind, Modulus, Point
from ascentfail.claims.registry import register
from ascentfail.numerics.arithmetic import Arithmetic, Scalar
from ascentfail.plane import bounds as plane_bounds
from ascentfail.theory.paper.appendix_j_limits import UNLEARNED, UNLEARNED_WORDS, bound, modulus

_MEANS = Domain(
    (Axis("ridge", 1e-3, 1e2, "log"), Axis("retain_total", 2, 1000, "integer")),
    words="lam in [1e-3, 100], |R| in 2..1000",
)
_NEAR_ONE = 99  # the bound below holds for every eps in [0.99, 1)


def _room(p: Point, xp: Arithmetic) -> Scalar:
    """Upper bound on beta (1 - q alpha/phi) + 1/e over eps in [0.99, 1), decreasing in eps; x e^x can never be below -1/e."""
    epsilon = xp.number(_NEAR_ONE) / 100
    top = 1 + epsilon * epsilon - 2 * epsilon * p.retain_total
    return top / (p.ridge * p.retain_total) + xp.exp(-xp.number(1))


register(
    Claim(
        id="appendix-j.means",
        statement="The same descent-ascent limit exists with per-set means, |R_ij| = |F| = 1, |R| >= 2, for every lam > 0.",
        source="App. J with the means of Sec. 5",
        kind=Kind.LIMIT,
        domain=_MEANS,
        margin=_room,
        exclusion=_room,
        exclusion_words="a stationary point needs x e^x <= beta (1 - q alpha/phi) (Lemma "
        "8), at least -1/e; the margin bounds the "
        "room above -1/e for every eps in [0.99, 1): there is no stationary point, hence no limit",
        note="Here rho = 1/(lam |R|) and kappa = 1/lam.",
        repaired=Claim(
            id="appendix-j.means.repaired",
            statement="The limit W(-2(1 - 1/|R|)/lam) exists for lam > 2e(1 - 1/|R|).",
            source="ours",
            kind=Kind.LIMIT,
            domain=Domain(
                (
                    Axis("excess", 1.01, 100.0, "log"),
                    Axis("retain_total", 2, 1000, "integer"),
                    Axis("nearness", 1e-9, 1.0, "log"),
                ),
                lambda p, xp: _means_chart(p, xp),
                lambda p, xp: (1 + 2 * xp.exp(xp.number(1)) * (p.rho - p.kappa),),
                "lam from 1.01 to 100 times 2e(1 - 1/|R|), |R| in 2..1000, and eps close to 1",
            ),
            margin=lambda p, xp: modulus(p, "descent_ascent", xp),
            modulus=Modulus(lambda p, xp: bound(p, "descent_ascent", xp), "nearness", 0.0),
            proof=UNLEARNED,
            proof_words=UNLEARNED_WORDS,
        ),
    )
)


def _means_chart(p: Point, xp: Arithmetic) -> Point:
    ridge = p.excess * 2 * xp.exp(xp.number(1)) * (1 - 1 / p.retain_total)
    rho, kappa = 1 / (ridge * p.retain_total), 1 / ridge
    limit = plane_bounds.duplicate_limit(rho, kappa, "descent_ascent", xp=xp)
    gap = p.nearness * (1 + limit) ** 4 / (20 * (1 + rho + kappa) ** 2)
    return Point(ridge=ridge, retain_total=p.retain_total, rho=rho, kappa=kappa, gap=gap)


def _room_at_equal_weights(p: Point, xp: Arithmetic) -> Scalar:
    """ln(alpha_max/phi) at kappa = rho = 1/lam; it falls as lam falls, since its slope in ln beta is q A/(1+A) - 1 < 0."""
    at = Point(b=1 / p.ridge, phi=p.ridge / p.ridge, alpha=p.ridge / p.ridge, epsilon=p.epsilon)
    return stationary.log_existence_alpha(at, xp=xp)


register(
    Claim(
        id="appendix-j.commute",
        statement="The limits eps -> 1 and lam -> 0 commute for the descent-ascent solution with kappa = rho = 1/lam.",
        source="App. J",
        kind=Kind.LIMIT,
        domain=Domain(
            (Axis("epsilon", 0.05, 0.99), Axis("ridge", 1e-6, 1e-1, "log")),
            words="epsilon in [0.05, 0.99], lam in [1e-6, 0.1]; a limit that does not exist counts as not commuting",
        ),
        margin=_room_at_equal_weights,
        exclusion=_room_at_equal_weights,
        exclusion_words="alpha_max/phi < 1 here and for every smaller lam, so at this eps "
        "descent-ascent has no stationary point as "
        "lam -> 0 and the limit lam -> 0 does not exist; in the other order it is W(0) = 0",
    )
)
