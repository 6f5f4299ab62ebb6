r"""Appendix J: one retain sample (1, eps) and one forget sample (eps, 1) with the same label, as eps -> 1.

With losses as sums, rho and kappa are the weights of the two samples over the ridge. At eps = 1 both margins equal
S = w_1 + w_2 and S = 2 (rho +- kappa) e^{-S}.
"""

from __future__ import annotations

from ascentfail import closed_form, stationary
from ascentfail.arithmetic import Arithmetic, Scalar
from ascentfail.theory.claim import Axis, Claim, Domain, Kind, Point
from ascentfail.theory.lemmas.appendix_j_modulus import BOTH, BOTH_WORDS, UNLEARNED, UNLEARNED_WORDS
from ascentfail.theory.registry import register


def _sum_of_weights(p: Point, which: closed_form.Model, xp: Arithmetic) -> Scalar:
    """w_1 + w_2 = (x + y)/(1 + eps) of a model at eps = 1 - gap."""
    epsilon = 1 - p.gap
    size, q = 1 + epsilon * epsilon, 2 * epsilon / (1 + epsilon * epsilon)
    if which == "oracle":
        x = xp.lambertw(p.rho * size, 0)
        return (x + q * x) / (1 + epsilon)
    sign = -1 if which == "descent_ascent" else 1
    s1, s2 = stationary.from_pulls(p.rho * size, p.kappa * size, q, sign, xp=xp)
    x, y = closed_form.plane_margins(s1, s2, q)
    return (x + y) / (1 + epsilon)


def _modulus(p: Point, which: closed_form.Model, xp: Arithmetic) -> Scalar:
    """Modulus minus distance: |S(eps) - S(1)| <= (1 - eps) (1 + rho + kappa)^2/(1 + S(1))^2."""
    limit = closed_form.duplicate_limit(p.rho, p.kappa, which, xp=xp)
    bound = p.gap * (1 + p.rho + p.kappa) ** 2 / (1 + limit) ** 2
    return bound - xp.abs(_sum_of_weights(p, which, xp) - limit)


def _weights_chart(p: Point, xp: Arithmetic) -> Point:
    """Chart kappa = place (rho + 1/(2e)): from 0 up to the edge of existence."""
    kappa = p.place * (p.rho + 1 / (2 * xp.exp(xp.number(1))))
    limit = closed_form.duplicate_limit(p.rho, kappa, "descent_ascent", xp=xp)
    reach = (1 + limit) ** 4 / (20 * (1 + p.rho + kappa) ** 2)  # next to -1/e the limit sets in later
    return Point(rho=p.rho, kappa=kappa, gap=p.nearness * xp.minimum(reach, xp.number(1) / 2))


register(Claim(
    id="appendix-j.limits",
    statement="As eps -> 1, w_1 + w_2 of original, oracle and descent-ascent (its local minimum) tend to W(2(rho+kappa)), "
    "W(2 rho) and W(2(rho-kappa)), for rho, kappa >= 0 and 2(rho-kappa) > -1/e.",
    source="App. J, losses as sums; the values are ours",
    kind=Kind.LIMIT,
    domain=Domain(
        (Axis("rho", 1e-3, 1e3, "log"), Axis("place", 0.0, 0.99), Axis("nearness", 1e-9, 1.0, "log")),
        _weights_chart,
        lambda p, xp: (1 + 2 * xp.exp(xp.number(1)) * (p.rho - p.kappa), p.kappa),
        "rho in [1e-3, 1e3], 0 <= kappa <= 0.99 (rho + 1/(2e)), and eps close to 1",
    ),
    margin=lambda p, xp: xp.minimum(
        _modulus(p, "descent_ascent", xp), xp.minimum(_modulus(p, "original", xp), _modulus(p, "oracle", xp))
    ),
    proof=(*BOTH, *UNLEARNED),
    proof_words=BOTH_WORDS + "; " + UNLEARNED_WORDS,
    note="gap = 1 - eps; the modulus (1-eps)(1+rho+kappa)^2/(1+W)^2 tends to 0 for every admissible rho, kappa.",
))

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


register(Claim(
    id="appendix-j.means",
    statement="The same descent-ascent limit exists with per-set means, |R_ij| = |F| = 1, |R| >= 2, for every lam > 0.",
    source="App. J with the means of Sec. 5",
    kind=Kind.LIMIT,
    domain=_MEANS,
    margin=_room,
    exclusion=_room,
    exclusion_words="a stationary point needs x e^x <= beta (1 - q alpha/phi) (Lemma 8), at least -1/e; the margin bounds the "
    "room above -1/e for every eps in [0.99, 1): there is no stationary point, hence no limit",
    note="Here rho = 1/(lam |R|) and kappa = 1/lam.",
    repaired=Claim(
        id="appendix-j.means.repaired",
        statement="The limit W(-2(1 - 1/|R|)/lam) exists for lam > 2e(1 - 1/|R|).",
        source="ours",
        kind=Kind.LIMIT,
        domain=Domain(
            (Axis("excess", 1.01, 100.0, "log"), Axis("retain_total", 2, 1000, "integer"), Axis("nearness", 1e-9, 1.0, "log")),
            lambda p, xp: _means_chart(p, xp),
            lambda p, xp: (1 + 2 * xp.exp(xp.number(1)) * (p.rho - p.kappa),),
            "lam from 1.01 to 100 times 2e(1 - 1/|R|), |R| in 2..1000, and eps close to 1",
        ),
        margin=lambda p, xp: _modulus(p, "descent_ascent", xp),
        proof=UNLEARNED,
        proof_words=UNLEARNED_WORDS,
    ),
))


def _means_chart(p: Point, xp: Arithmetic) -> Point:
    ridge = p.excess * 2 * xp.exp(xp.number(1)) * (1 - 1 / p.retain_total)
    rho, kappa = 1 / (ridge * p.retain_total), 1 / ridge
    limit = closed_form.duplicate_limit(rho, kappa, "descent_ascent", xp=xp)
    gap = p.nearness * (1 + limit) ** 4 / (20 * (1 + rho + kappa) ** 2)
    return Point(ridge=ridge, retain_total=p.retain_total, rho=rho, kappa=kappa, gap=gap)


def _room_at_equal_weights(p: Point, xp: Arithmetic) -> Scalar:
    """ln(alpha_max/phi) at kappa = rho = 1/lam; it falls as lam falls, since its slope in ln beta is q A/(1+A) - 1 < 0."""
    at = Point(b=1 / p.ridge, phi=p.ridge / p.ridge, alpha=p.ridge / p.ridge, epsilon=p.epsilon)
    return stationary.log_existence_alpha(at, xp=xp)


register(Claim(
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
    exclusion_words="alpha_max/phi < 1 here and for every smaller lam, so at this eps descent-ascent has no stationary point as "
    "lam -> 0 and the limit lam -> 0 does not exist; in the other order it is W(0) = 0",
))
