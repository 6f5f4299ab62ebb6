r"""Lemma 5 and Corollary 1: descent-ascent's distance from the oracle when alpha >= phi, and in the limit lam -> 0.

For alpha >= phi, c_DA <= 0 and w_DA <= 0 on both branches, so the distance is at least w_R = W(b).
"""

from __future__ import annotations

from ascentfail import closed_form
from ascentfail.arithmetic import Arithmetic, Scalar
from ascentfail.theory import steps
from ascentfail.theory.claim import Axis, Claim, Domain, Kind, Point
from ascentfail.theory.domains import PHI, B, exists_on_axis
from ascentfail.theory.lemmas.lemma_04_distance import displacement
from ascentfail.theory.registry import register


def _distance(p: Point, branch: int, xp: Arithmetic) -> Scalar:
    return xp.abs(closed_form.oracle(p, xp=xp) - closed_form.descent_ascent(p, branch, xp=xp))


def _crossed(p: Point, xp: Arithmetic) -> Point:
    """Chart c_DA = -depth/e."""
    return Point(phi=p.phi, b=p.b, alpha=p.phi * (1 + p.depth / (xp.exp(xp.number(1)) * p.b)))


LEMMA_5, _ = (
    register(Claim(
        id=_id,
        statement=f"|w_R - w_DA| >= W(|R_j|/(lam |R|)) for alpha >= phi, wherever w_DA exists{_at}.",
        source="Lemma 5" if _branch == 0 else "Lemma 5, at the other solution; an id of ours",
        kind=Kind.BOUND,
        domain=Domain(
            (PHI, B, Axis("depth", _low, 1.0)),
            _crossed,
            lambda p, xp: (exists_on_axis(p, xp), p.alpha - p.phi),
            "alpha >= phi and c_DA >= -1/e, phi in [0.01, 3], b in [0.01, 1e4]",
        ),
        margin=lambda p, xp, branch=_branch: _distance(p, branch, xp) - closed_form.oracle(p, xp=xp),
        note=f"w_DA is {_which}.",
        proof=(steps.W_KEEPS_SIGN, steps.UNLEARNED_BELOW_ORACLE),
        proof_words="c_DA <= 0, so w_DA <= 0 on both branches and w_R - w_DA >= w_R",
    ))
    for _id, _branch, _at, _which, _low in (
        ("lemma-5", 0, "", "the local minimum W_0", 0.0),
        ("lemma-5.second-branch", -1, ", also at the other solution W_{-1}", "the local maximum W_{-1}", 0.001),
    )
)


def _sequence(p: Point, xp: Arithmetic) -> Point:
    """Chart of the tails b >= stage, |alpha/phi - 1| <= 1/stage of every joint sequence."""
    return Point(phi=p.phi, b=p.stage * p.excess, alpha=p.phi * (1 + p.side / p.stage), stage=p.stage)


def _joint(p: Point, xp: Arithmetic) -> Scalar:
    """Both moduli: |w_R - w_D| <= -ln(1 - phi/((1+phi) t)) -> 0 and |w_R - w_DA| >= W(t) - W(1) -> infinity."""
    near = -xp.log(1 - p.phi / ((1 + p.phi) * p.stage)) - displacement(p, xp)
    far = _distance(p, 0, xp) - (xp.lambertw(p.stage, 0) - xp.lambertw(xp.number(1), 0))
    return xp.minimum(near, far)


_JOINT_STEPS = (
    steps.W_INCREASES,
    steps.W_KEEPS_SIGN,
    steps.UNLEARNED_BELOW_ORACLE,
    steps.LOG_OF_W,
    steps.LOG_OF_RATIO,
    steps.inequality("one-over", "1/(1 - z) - (1 + z) = z^2/(1 - z) >= 0", {"z": (0.0, 0.1)}, lambda p, xp: p.z**2 / (1 - p.z)),
    steps.inequality("log-slope", "d/dw of w/(1+w) is 1/(1+w)^2 >= 0", {"w": (0.0, 30.0)}, lambda p, xp: 1 / (1 + p.w) ** 2),
)

register(Claim(
    id="corollary-1.joint",
    statement="As lam -> 0 and alpha -> phi with the group shares fixed, |w_R - w_D| -> 0 and |w_R - w_DA| -> infinity.",
    source="Corollary 1",
    kind=Kind.LIMIT,
    domain=Domain(
        (PHI, Axis("stage", 10.0, 1e8, "log"), Axis("excess", 1.0, 1e3, "log"), Axis("side", -1.0, 1.0)),
        _sequence,
        lambda p, xp: (
            exists_on_axis(p, xp), p.b - p.stage, 1 - xp.abs(p.alpha / p.phi - 1) * p.stage,
        ),
        "b >= t and |alpha/phi - 1| <= 1/t for t in [10, 1e8]; phi in [0.01, 3]; a missing w_DA counts as infinitely far",
    ),
    margin=_joint,
    proof=_JOINT_STEPS,
    proof_words="First modulus: Lemma 4, and (1+alpha)/(1+phi) lies within 1 -+ z, z = phi/((1+phi) t), where 1 + z <= "
        "1/(1 - z). "
    "Second: for alpha < phi, w_DA <= W(b/t), and W(b) - W(b/t) increases with b because W/(1+W) increases; from b = t "
    "on it is at "
    "least W(t) - W(1). For alpha >= phi it is at least W(b) >= W(t) by Lemma 5",
    note="lam -> 0 with |R_j|/|R| fixed is b -> infinity. The moduli are explicit in t, so the limit holds along every sequence.",
))

_SEPARATE = Domain(
    (PHI, B, Axis("ratio", 0.01, 0.99), Axis("which", 0, 1, "integer")),
    lambda p, xp: Point(phi=p.phi, b=p.b, alpha=p.ratio * p.phi, which=p.which),
    words="which = 0: lam -> 0 at fixed alpha < phi; which = 1: alpha -> phi at fixed lam",
)


def _separate(p: Point, xp: Arithmetic) -> Scalar:
    """Minus what each single limit leaves over: |w_R - w_D| for all smaller lam, or the reach still missing for all alpha."""
    left_over = displacement(p, xp)  # increasing in b, because W/(1 + W) is: no smaller lam makes it smaller
    missing = 1 / (1 + closed_form.oracle(p, xp=xp))  # |w_R - w_DA| <= W(b) for every alpha <= phi: it stays finite
    return -((1 - p.which) * left_over + p.which * missing)


register(Claim(
    id="corollary-1.separate",
    statement="Both conclusions hold when only lam -> 0 (alpha < phi fixed), and also when only alpha -> phi (lam fixed).",
    source="Corollary 1, read as two separate limits",
    kind=Kind.LIMIT,
    domain=_SEPARATE,
    margin=_separate,
    exclusion=_separate,
    exclusion_words="which = 0: |w_R - w_D| increases with b, so it stays above -margin for every smaller lam and does not tend "
    "to 0. which = 1: |w_R - w_DA| <= W(b) for every alpha <= phi, so it does not tend to infinity; -margin = 1/(1 + W(b)).",
    note="Each of the two readings is refuted by its own points; the joint limit is corollary-1.joint.",
    repaired=Claim(
        id="corollary-1.separate.repaired",
        statement="For fixed alpha < phi, |w_R - w_D| -> |ln((1+alpha)/(1+phi))| and |w_R - w_DA| -> -ln(1 - alpha/phi) as "
        "lam -> 0; each gap is at most its limit over 1 + W(the smaller c), which tends to 0.",
        source="ours",
        kind=Kind.LIMIT,
        domain=Domain(
            (PHI, Axis("b", 1e2, 1e12, "log"), Axis("ratio", 0.01, 0.99)),
            lambda p, xp: Point(phi=p.phi, b=p.b, alpha=p.ratio * p.phi),
            lambda p, xp: (closed_form.coefficient(p, "descent_ascent") - 1,),
            "alpha/phi in [0.01, 0.99], phi in [0.01, 3], b in [100, 1e12] with c_DA >= 1",
        ),
        margin=lambda p, xp: _rates(p, xp),
        proof=(steps.W_INCREASES, steps.LOG_OF_W, steps.LOG_OF_RATIO, steps.UNLEARNED_BELOW_ORACLE),
        proof_words="with w >= v the two solutions, the gap is ln(w/v) and the bound ((w - v) + ln(w/v))/(1 + v): the "
            "difference has "
        "the sign of (w - v) - v ln(w/v) = v (r - 1 - ln r), r = w/v",
    ),
))


def _rates(p: Point, xp: Arithmetic) -> Scalar:
    """|ln(c/c') - (W(c) - W(c'))| <= |ln(c/c')|/(1 + W(smaller c)), which tends to 0 as b grows."""
    oracle, original = closed_form.oracle(p, xp=xp), closed_form.original(p, xp=xp)
    unlearned = closed_form.descent_ascent(p, 0, xp=xp)
    first = closed_form.displacement_bound(p, xp=xp)
    second = -xp.log(1 - p.alpha / p.phi)
    gap_first = first / (1 + original) - (first - xp.abs(oracle - original))
    gap_second = second / (1 + unlearned) - (second - (oracle - unlearned))
    return xp.minimum(gap_first, gap_second)
