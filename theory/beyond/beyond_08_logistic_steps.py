r"""Beyond the paper: alternating steps under the logistic loss, whose slope l(w) = 1/(1 + e^w) is below 1, its own at most 1/4.

The second-order effect of the ascent after the descent, h^2 b kappa l^2 (1 - l), does not need the exponential loss, and neither
does the failure that it causes. What the bounded slope changes is boundedness, which is immediate.
"""

from __future__ import annotations

from ascentfail.claims.claim import Axis, Claim, Domain, Kind, Modulus, Point
from ascentfail.claims.registry import register
from ascentfail.line import steps as steps_1d
from ascentfail.numerics.arithmetic import Arithmetic, Scalar
from ascentfail.numerics.sample_losses import LOGISTIC
from ascentfail.theory.beyond.beyond_07_alternating import NO_SIMULTANEOUS
from ascentfail.theory.domains import PHI, RATIO, B, alpha_from_ratio
from ascentfail.theory.paper.iterative import ALTERNATING_EXPANSION, UNIFORM
from ascentfail.theory.proof_steps import steps

_LOOKED_AT = 8  # steps simulated for each sampled point; the proof is for all


def _bounds(p: Point, xp: Arithmetic) -> tuple[Scalar, Scalar]:
    """h^2 |first drift| (1 + pull of the second/4), retain first and forget first."""
    slope, kappa = steps_1d.slope(p.w, LOGISTIC, xp), steps_1d.ascent_strength(p)
    drifts = p.w - p.b * slope, p.w + kappa * slope
    return p.step**2 * xp.abs(drifts[0]) * (1 + kappa / 4), p.step**2 * xp.abs(drifts[1]) * (
        1 + p.b / 4
    )


def _second_order(p: Point, xp: Arithmetic) -> Scalar:
    """What these bounds leave over the difference, for both orders."""
    together, margins = steps_1d.simultaneous(p.w, p, p.step, ridges=2, loss=LOGISTIC, xp=xp), []
    for order, bound in zip(("retain-first", "forget-first"), _bounds(p, xp), strict=True):
        gap = steps_1d.alternating(p.w, p, p.step, order=order, loss=LOGISTIC, xp=xp) - together
        margins.append(bound - xp.abs(gap))
    return xp.minimum(*margins)


register(
    Claim(
        id="beyond-8.iterative.leading-order",
        statement="With the logistic loss one alternating step differs from a simultaneous one with ridge 2 lam by at most "
        "h^2 |A| (1 + kappa/4), h = eta lam, of any size (A the descent's drift; with the roles exchanged, forget first).",
        source="ours: iterative.leading-order with the logistic loss",
        kind=Kind.LIMIT,
        domain=Domain(
            (Axis("w", -3.0, 10.0), PHI, B, RATIO, Axis("step", 1e-6, 1e3, "log")),
            alpha_from_ratio,
            words="w in [-3, 10], phi in [0.01, 3], b in [0.01, 1e4], alpha/phi in [0.01, "
            "2], eta lam in [1e-6, 1e3]; both orders",
        ),
        margin=_second_order,
        modulus=Modulus(lambda p, xp: xp.maximum(*_bounds(p, xp)), "step", 0),
        proof=(
            ALTERNATING_EXPANSION,
            steps.identity(
                "logistic-bend",
                "-l' = l (1 - l), and 1/4 - l (1 - l) = (1/2 - l)^2 >= 0",
                {"l": (0.0, 1.0)},
                lambda p, xp: xp.number(1) / 4 - p.l * (1 - p.l) - (xp.number(1) / 2 - p.l) ** 2,
            ),
        ),
        proof_words="|l(u) - l(w)| <= |u - w|/4 = h |A|/4",
        note="The exponential loss needs steps that move w by less than one, this one none such.",
    )
)


def _stays(p: Point, xp: Arithmetic) -> Scalar:
    """max(w_D, b, kappa) minus the largest |iterate|."""
    w = xp.logisticw((p.b + p.forget_b) / (1 + p.phi))
    bound, largest = xp.maximum(w, xp.maximum(p.b, steps_1d.ascent_strength(p))), w
    for _ in range(_LOOKED_AT):
        w = steps_1d.alternating(w, p, p.step, loss=LOGISTIC, xp=xp)
        largest = xp.maximum(largest, xp.abs(w))
    return bound - largest


register(
    Claim(
        id="beyond-8.iterative.stabilises",
        statement="With the logistic loss and eta lam < 1 no alternating iterate from w_D "
        "leaves [-M, M], M = max(w_D, b, kappa).",
        source="ours: iterative.stabilises with the logistic loss",
        kind=Kind.BOUND,
        domain=Domain(
            (
                PHI,
                Axis("b", 1e-2, 1e2, "log"),
                Axis("ratio", 1e-2, 5.0, "log"),
                Axis("step", 1e-3, 0.9, "log"),
            ),
            alpha_from_ratio,
            words="phi in [0.01, 3], b in [0.01, 100], alpha/phi in [0.01, 5], eta lam in "
            "[1e-3, 0.9]; 8 steps looked at, all proved",
        ),
        margin=_stays,
        proof=(
            steps.inequality(
                "half-step-between",
                "0 < l < 1, so a half-step ends within (1-h) |w| + h c, c = b or kappa, which is at most M = "
                "max(|w|, c): M - (1-h) |w| - h c = (1-h)(M - |w|) + h (M - c)",
                {"h": (0.0, 1.0), "below": (0.0, 1e5), "under": (0.0, 1e5)},
                lambda p, xp: (1 - p.h) * p.below + p.h * p.under,
            ),
        ),
        proof_words="each half-step keeps [-M, M], retain first or forget first",
        note="Here the simultaneous iterates stay bounded as well, for the same reason.",
    )
)


def _fixed_point(p: Point, xp: Arithmetic) -> Scalar:
    """Fixed point of the alternating map, by Newton from the balance l^2 = 2 k w of its two leading terms."""
    w, kappa = xp.lambertw(1 / p.k, 0) / 2, steps_1d.ascent_strength(p)
    for _ in range(24):
        u = steps_1d.retain_half(w, p, p.step, loss=LOGISTIC, xp=xp)
        l_w, l_u = steps_1d.slope(w, LOGISTIC, xp), steps_1d.slope(u, LOGISTIC, xp)
        slope = (1 - p.step * (1 + p.b * l_w * (1 - l_w))) * (
            1 - p.step * (1 - kappa * l_u * (1 - l_u))
        )
        w = w - (steps_1d.forget_half(u, p, p.step, loss=LOGISTIC, xp=xp) - w) / (slope - 1)
    return w


def _excluded(p: Point, xp: Arithmetic) -> Scalar:
    """Minus a lower bound of (alternating(w) - w)/(eta rho)^2 on [0, W + 1], W = W_logistic(c); below 0 it is positive anyway.

    With s = h (b l(w) - w) and l(w)/l(w + s) >= 1 + s l(-w), alternating(w) - w >= (s^2 l(-w) - h w)/(1 + s l(-w)) - h (s + w).
    For w >= 0, l(-w) >= 1/2, s <= h b and s is least at W + 1. For w < 0: where -w > h b/(1 - h), -h w > h s; else
    s l(-w) > h b/5 > h (1 + s), since b >= 1e4.
    """
    w = xp.logisticw(p.c) + 1
    s = p.step * (p.b * steps_1d.slope(w, LOGISTIC, xp) - w)
    return -(s**2 / (2 + s) - 2 * p.step * w - p.step**2 * p.b) / (p.eta * p.share) ** 2


register(
    Claim(
        id="beyond-8.iterative.negligible",
        statement="With the logistic loss: sup over lam > 0 and 0 <= alpha < phi of |fixed "
        "point of the alternating map - minimiser "
        "with ridge 2 lam| -> 0 as eta -> 0; so from some eta on it stays below 1.",
        source="ours: iterative.negligible with the logistic loss",
        kind=Kind.LIMIT,
        domain=UNIFORM,
        margin=lambda p, xp: 1 - xp.abs(_fixed_point(p, xp) - xp.logisticw(p.c)),
        exclusion=_excluded,
        exclusion_words="alternating(w) > w for every w <= W + 1, at this eta and at every "
        "smaller one with lam = k eta rho^2: no "
        "fixed point comes within 1 of the minimiser W",
        note="It fails as with the exponential loss, but only for smaller ridges: the slope at W + 1 is smaller.",
    )
)


def _signs(p: Point, xp: Arithmetic) -> Scalar:
    """The least of c l(c) - c = -c l(-c), -c l(0), and the slope 1 + (1 + w) e^w of w (1 + e^w) at a w in [c, 0]."""
    w = p.c * p.part
    ends = xp.minimum(
        -p.c * steps_1d.slope(-p.c, LOGISTIC, xp), -p.c * steps_1d.slope(0 * p.c, LOGISTIC, xp)
    )
    return xp.minimum(ends, 1 + (1 + w) * xp.exp(w))


def _crossed(p: Point, xp: Arithmetic) -> Point:
    """Chart: c_DA = -(1 + t)/e itself beside the alpha of `NO_SIMULTANEOUS`."""
    return NO_SIMULTANEOUS.domain.chart(p, xp).replace(c=-(1 + p.beyond) / xp.exp(xp.number(1)))


register(
    Claim(
        id="beyond-8.7.no-simultaneous",
        statement="With the logistic loss the simultaneous method has one stationary point "
        "there, too: c_DA l(w) - w is positive at "
        "w = c_DA and negative at w = 0, and w (1 + e^w), which c_DA has to be, increases in between.",
        source="ours: beyond-7.no-simultaneous with the logistic loss",
        kind=Kind.ORDERING,
        domain=Domain(
            (*NO_SIMULTANEOUS.domain.axes, Axis("part", 0.0, 1.0)),
            _crossed,
            words=f"{NO_SIMULTANEOUS.domain.words}, and every w between c_DA and 0",
        ),
        margin=_signs,
        strict=True,
        note="The exponential loss has none there. A stationary point has the sign of c_DA and is less far from 0.",
    )
)
