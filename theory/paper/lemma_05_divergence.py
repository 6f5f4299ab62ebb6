r"""Lemma 5 and Corollary 1: descent-ascent's distance from the oracle when alpha >= phi, and in the limit lam -> 0.

For alpha >= phi, c_DA <= 0 and w_DA <= 0 on both branches, so the distance is at least w_R = W(b). Lemma 5 lists the solutions by
w_DA of either sign, c_DA = w_DA e^{w_DA}; its margin is that of an implication: alpha <= phi, or else the bound holds.
"""

from __future__ import annotations

import math

from ascentfail.claims.claim import Axis, Claim, Domain, Kind, Modulus, Point
from ascentfail.claims.registry import register
from ascentfail.line import closed_form
from ascentfail.numerics.arithmetic import Arithmetic, Scalar
from ascentfail.theory.domains import PHI, B, exists_on_axis
from ascentfail.theory.paper.lemma_04_distance import displacement
from ascentfail.theory.proof_steps import by_weights, steps


def _crossed(p: Point, xp: Arithmetic) -> Point:
    """Chart: c_DA of w_DA, and alpha = phi (1 - c_DA/b)."""
    c = by_weights.coefficient_of(p.unlearned, p.loss, xp)
    return Point(
        phi=p.phi, b=p.b, alpha=p.phi * (1 - c / p.b), unlearned=p.unlearned, c_unlearned=c
    )


def _beyond(p: Point, xp: Arithmetic) -> Scalar:
    """That alpha <= phi, or else |w_R - w_DA| - w_R >= 0, which is the larger of -w_DA and w_DA - 2 w_R."""
    oracle = closed_form.oracle(p, loss=p.loss, xp=xp)
    return by_weights.or_else(
        xp.maximum(-p.unlearned, p.unlearned - 2 * oracle), (p.c_unlearned,), xp
    )


def _at_most_phi(p: Point, xp: Arithmetic, deepest: int) -> tuple[Scalar, ...]:
    """Where alpha >= phi, and -e c_DA >= 1/deepest; 0: no such condition."""
    return (
        -p.c_unlearned,
        *((-deepest * xp.exp(xp.number(1)) * p.c_unlearned - 1,) if deepest else ()),
    )


LEMMA_5, _ = (
    register(
        Claim(
            id=_id,
            statement=f"|w_R - w_DA| >= W(|R_j|/(lam |R|)) for alpha >= phi, wherever w_DA exists{_at}.",
            source="Lemma 5" if _branch == 0 else "Lemma 5, at the other solution; an id of ours",
            kind=Kind.BOUND,
            domain=Domain(
                (PHI, B, Axis("unlearned", *_range)),
                _crossed,
                lambda p, xp, deepest=_deepest: _at_most_phi(p, xp, deepest),
                f"alpha >= phi and c_DA >= -1/e{_words}, phi in [0.01, 3], b in [0.01, 1e4], listed by w_DA",
            ),
            margin=_beyond,
            note=f"w_DA is {_which}.",
        )
    )
    for _id, _branch, _at, _which, _range, _deepest, _words in (
        ("lemma-5", 0, "", "the local minimum W_0", (-1.0, 1.0), 0, ""),
        (
            "lemma-5.second-branch",
            -1,
            ", also at the other solution W_{-1}",
            "the local maximum W_{-1}",
            (-11.0, -1.0),
            1000,
            ", at most -0.001/e",
        ),
    )
)


def _distance(p: Point, xp: Arithmetic) -> Scalar:
    """|w_R - w_DA| at the local minimum."""
    return xp.abs(
        closed_form.oracle(p, loss=p.loss, xp=xp)
        - closed_form.descent_ascent(p, 0, loss=p.loss, xp=xp)
    )


def _sequence(p: Point, xp: Arithmetic) -> Point:
    """Chart of the tails b >= stage, |alpha/phi - 1| <= 1/stage of every joint sequence."""
    return Point(
        phi=p.phi, b=p.stage * p.excess, alpha=p.phi * (1 + p.side / p.stage), stage=p.stage
    )


def _near(p: Point, xp: Arithmetic) -> Scalar:
    """-ln(1 - phi/((1+phi) t))."""
    return -xp.log(1 - p.phi / ((1 + p.phi) * p.stage))


def _joint(p: Point, xp: Arithmetic) -> Scalar:
    """Both moduli: |w_R - w_D| <= -ln(1 - phi/((1+phi) t)) -> 0 and |w_R - w_DA| >= W(t) - W(1) -> infinity."""
    near = _near(p, xp) - displacement(p, xp)
    far = _distance(p, xp) - (xp.lambertw(p.stage, 0) - xp.lambertw(xp.number(1), 0))
    return xp.minimum(near, far)


_JOINT_STEPS = (
    steps.W_INCREASES,
    steps.W_KEEPS_SIGN,
    steps.UNLEARNED_BELOW_ORACLE,
    steps.LOG_OF_W,
    steps.LOG_OF_RATIO,
    steps.inequality(
        "one-over",
        "1/(1 - z) - (1 + z) = z^2/(1 - z) >= 0",
        {"z": (0.0, 0.1)},
        lambda p, xp: p.z**2 / (1 - p.z),
    ),
    steps.inequality(
        "log-slope",
        "d/dw of w/(1+w) is 1/(1+w)^2 >= 0",
        {"w": (0.0, 30.0)},
        lambda p, xp: 1 / (1 + p.w) ** 2,
    ),
)

register(
    Claim(
        id="corollary-1.joint",
        statement="As lam -> 0 and alpha -> phi with the group shares fixed, |w_R - w_D| -> 0 and |w_R - w_DA| -> infinity.",
        source="Corollary 1",
        kind=Kind.LIMIT,
        domain=Domain(
            (
                PHI,
                Axis("stage", 10.0, 1e8, "log"),
                Axis("excess", 1.0, 1e3, "log"),
                Axis("side", -1.0, 1.0),
            ),
            _sequence,
            lambda p, xp: (
                exists_on_axis(p, xp),
                p.b - p.stage,
                1 - xp.abs(p.alpha / p.phi - 1) * p.stage,
            ),
            "b >= t and |alpha/phi - 1| <= 1/t for t in [10, 1e8]; phi in [0.01, 3]; a missing w_DA counts as infinitely far",
        ),
        margin=_joint,
        modulus=Modulus(_near, "stage", math.inf),
        proof=_JOINT_STEPS,
        proof_words="First modulus: Lemma 4, and (1+alpha)/(1+phi) lies within 1 -+ z, z = phi/((1+phi) t), where 1 + z <= "
        "1/(1 - z). "
        "Second: for alpha < phi, w_DA <= W(b/t), and W(b) - W(b/t) increases with b because W/(1+W) increases; from b = t "
        "on it is at "
        "least W(t) - W(1). For alpha >= phi it is at least W(b) >= W(t) by Lemma 5",
        note="lam -> 0 with |R_j|/|R| fixed is b -> infinity. The moduli are explicit in t, "
        "so the limit holds along every sequence.",
    )
)

_SEPARATE = Domain(
    (PHI, B, Axis("ratio", 0.01, 0.99), Axis("which", 0, 1, "integer")),
    lambda p, xp: Point(phi=p.phi, b=p.b, alpha=p.ratio * p.phi, which=p.which),
    words="which = 0: lam -> 0 at fixed alpha < phi; which = 1: alpha -> phi at fixed lam",
)


def _separate(p: Point, xp: Arithmetic) -> Scalar:
    """Minus what each single limit leaves over: |w_R - w_D| for all smaller lam, or the reach still missing for all alpha."""
    left_over = displacement(
        p, xp
    )  # increasing in b, because W/(1 + W) is: no smaller lam makes it smaller
    missing = 1 / (
        1 + closed_form.oracle(p, loss=p.loss, xp=xp)
    )  # |w_R - w_DA| <= W(b) for every alpha <= phi: it stays finite
    return -((1 - p.which) * left_over + p.which * missing)


def _listed(p: Point, xp: Arithmetic) -> Point:
    """Chart: b of w_R; ln(c_R/c_D) of w_D = w_R e^{-s} and ln(c_R/c_DA) of w_DA = w_R e^{-t}, from which phi and alpha follow."""
    s, t = p.near / (1 + p.oracle), p.far / (1 + p.oracle)
    original, unlearned = p.oracle * xp.exp(-s), p.oracle * xp.exp(-t)
    first, second = p.loss.log_rise(original, s, xp), p.loss.log_rise(unlearned, t, xp)
    ratio, shrunk = 1 - xp.exp(-second), xp.exp(-first)  # alpha/phi and (1 + alpha)/(1 + phi)
    phi = (1 - shrunk) / (shrunk - ratio)
    return Point(
        phi=phi,
        alpha=ratio * phi,
        b=by_weights.coefficient_of(p.oracle, p.loss, xp),
        oracle=p.oracle,
        original=original,
        unlearned=unlearned,
        s=s,
        t=t,
        ratio=ratio,
        shrunk=shrunk,
    )


def _fixed_ratio(p: Point, xp: Arithmetic) -> tuple[Scalar, ...]:
    """Alpha/phi in [0.01, 0.99], phi in [0.01, 3], b in [100, 1e12], c_DA >= 1, without a division."""
    lost, left = 1 - p.shrunk, p.shrunk - p.ratio
    return (
        100 * p.ratio - 1,
        99 - 100 * p.ratio,
        100 * lost - left,
        3 * left - lost,
        p.b - 100,
        10**12 - p.b,
        by_weights.coefficient_of(p.unlearned, p.loss, xp) - 1,
    )


def _pairs(p: Point, xp: Arithmetic) -> tuple[tuple[Scalar, Scalar, Scalar], ...]:
    """(v, ln(w/v), L) of the solutions w >= v, w = w_R and v = w_D or w_DA, and the limit L = ln(c/c') of w - v."""
    pairs = (p.original, p.s), (p.unlearned, p.t)
    return tuple((v, s, p.loss.log_rise(v, s, xp)) for v, s in pairs)


def _rates(p: Point, xp: Arithmetic) -> Scalar:
    """L/(1 + v) - (L - (w - v)) for both."""
    return xp.minimum(
        *(limit / (1 + v) - (limit - (p.oracle - v)) for v, _, limit in _pairs(p, xp))
    )


register(
    Claim(
        id="corollary-1.separate",
        statement="Both conclusions hold when only lam -> 0 (alpha < phi fixed), and also when only alpha -> phi (lam fixed).",
        source="Corollary 1, read as two separate limits",
        kind=Kind.LIMIT,
        domain=_SEPARATE,
        margin=_separate,
        exclusion=_separate,
        exclusion_words="which = 0: |w_R - w_D| increases with b, so it stays above -margin "
        "for every smaller lam and does not tend "
        "to 0. which = 1: |w_R - w_DA| <= W(b) for every alpha <= phi, so it does not tend to infinity; -margin = 1/(1 + W(b)).",
        note="Each of the two readings is refuted by its own points; the joint limit is corollary-1.joint.",
        repaired=Claim(
            id="corollary-1.separate.repaired",
            statement="For fixed alpha < phi, |w_R - w_D| -> |ln((1+alpha)/(1+phi))| and |w_R - w_DA| -> -ln(1 - alpha/phi) as "
            "lam -> 0; each gap is at most its limit over 1 + W(the smaller c), which tends to 0.",
            source="ours",
            kind=Kind.LIMIT,
            domain=Domain(
                (Axis("oracle", 3.0, 26.0), Axis("near", 0.0, 2.0), Axis("far", 0.0, 8.0)),
                _listed,
                _fixed_ratio,
                "alpha/phi in [0.01, 0.99], phi in [0.01, 3], b in [100, 1e12] with c_DA >= "
                "1, listed by w_R, s = ln(w_R/w_D) and "
                "t = ln(w_R/w_DA)",
            ),
            margin=_rates,
            proof=(steps.LOG_OF_RATIO, steps.EXPONENTIAL_ABOVE),
            proof_words="with s = ln(w/v) the gap is s and the bound (s + w - v)/(1 + v); "
            "the difference is v (e^s - 1 - s)/(1 + v)",
            modulus=Modulus(
                lambda p, xp: xp.maximum(*(limit / (1 + v) for v, _, limit in _pairs(p, xp))),
                "oracle",
                math.inf,
            ),
        ),
    )
)
