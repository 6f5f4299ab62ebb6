r"""Alternating descent-ascent: a descent half-step on R, an ascent half-step on F, each with its own ridge.

In units h = eta lam: u = w - h A with A = w - b e^{-w}, then w' = u - h (kappa e^{-u} + u). The simultaneous step with ridge 2
lam is w - h A - h (kappa e^{-w} + w), so the two differ by h^2 A - h kappa e^{-w} (e^{hA} - 1): second order in h.
"""

from __future__ import annotations

from ascentfail.claims.claim import Axis, Claim, Domain, Kind, Modulus, Point
from ascentfail.claims.registry import register
from ascentfail.line import closed_form
from ascentfail.line import steps as steps_1d
from ascentfail.numerics.arithmetic import Arithmetic, Scalar
from ascentfail.theory.domains import PHI, RATIO, B, alpha_from_ratio
from ascentfail.theory.proof_steps import steps

# --- to leading order ------------------------------------------------------------------------------------------------------


def _drifts(p: Point, xp: Arithmetic) -> tuple[Scalar, Scalar]:
    """(A, B): what the retain and the forget half-step take off the weight, in units of h."""
    return p.w - p.b * xp.exp(-p.w), p.w + steps_1d.ascent_strength(p) * xp.exp(-p.w)


def _small_step(p: Point, xp: Arithmetic) -> Point:
    """Chart h = scale/(1 + |A| + B'), with B' >= |B|: both half-steps move the weight by less than one."""
    p = alpha_from_ratio(p, xp)
    size = 1 + 2 * xp.abs(p.w) + (p.b + steps_1d.ascent_strength(p)) * xp.exp(-p.w)
    return p.replace(step=p.scale / size)


def _second_order_bounds(p: Point, xp: Arithmetic) -> tuple[Scalar, Scalar]:
    """h^2 |first drift| (1 + (e - 1) pull of the second) of both orders, retain first."""
    first, second = _drifts(p, xp)
    factor = (xp.exp(xp.number(1)) - 1) * xp.exp(-p.w)
    pairs = (first, steps_1d.ascent_strength(p)), (second, p.b)
    before, after = (p.step**2 * xp.abs(drift) * (1 + factor * pull) for drift, pull in pairs)
    return before, after


def _second_order(p: Point, xp: Arithmetic) -> Scalar:
    """What the bounds leave over the difference, for both orders."""
    together, margins = steps_1d.simultaneous(p.w, p, p.step, ridges=2, xp=xp), []
    for order, bound in zip(
        ("retain-first", "forget-first"), _second_order_bounds(p, xp), strict=True
    ):
        margins.append(
            bound - xp.abs(steps_1d.alternating(p.w, p, p.step, order=order, xp=xp) - together)
        )
    return xp.minimum(*margins)


_OF_SECOND_ORDER = Modulus(lambda p, xp: xp.maximum(*_second_order_bounds(p, xp)), "scale", 0.0)


ALTERNATING_EXPANSION = steps.identity(
    "alternating-expansion",
    "u - h (kappa l(u) + u) - (u - h (kappa l(w) + w)) = h^2 A - h kappa (l(u) - l(w)), u = w - h A",
    {
        "w": (-5.0, 10.0),
        "h": (1e-3, 1.0),
        "a": (-1e3, 1e3),
        "kappa": (1e-3, 1e3),
        "l_u": (0.0, 1e3),
        "l_w": (0.0, 1e3),
    },
    lambda p, xp: (
        (lambda u: u - p.h * (p.kappa * p.l_u + u) - (u - p.h * (p.kappa * p.l_w + p.w)))(
            p.w - p.h * p.a
        )
        - p.h**2 * p.a
        + p.h * p.kappa * (p.l_u - p.l_w)
    ),
)
_SECANT = steps.inequality(
    "secant",
    "|e^t - 1| <= (e - 1)|t| for |t| <= 1: for t >= 0 the second derivative of (e-1) t - e^t + 1 is -e^t < 0 and it "
    "vanishes at both ends 0 and 1; for t <= 0, 1 - e^t <= |t|",
    {"t": (0.0, 1.0)},
    lambda p, xp: xp.exp(p.t),
    lambda p, xp: p.t - 1 + xp.exp(-p.t),
)

register(
    Claim(
        id="iterative.leading-order",
        statement="One alternating step equals one simultaneous step with ridge 2 lam up to O(eta^2).",
        source="Sec. 5.1.1, App. D.3",
        kind=Kind.LIMIT,
        domain=Domain(
            (Axis("w", -3.0, 10.0), PHI, B, RATIO, Axis("scale", 1e-4, 1.0, "log")),
            _small_step,
            words="w in [-3, 10], phi in [0.01, 3], b in [0.01, 1e4], alpha/phi in [0.01, "
            "2], steps that move w by less than one; "
            "both orders",
        ),
        margin=_second_order,
        modulus=_OF_SECOND_ORDER,
        proof=(ALTERNATING_EXPANSION, _SECANT),
        proof_words="e^{-u} - e^{-w} = e^{-w} (e^{hA} - 1), so with |hA| <= 1 the "
        "difference is at most h^2 |A| (1 + (e - 1) kappa "
        "e^{-w}); the other order is the same with the half-steps' pulls exchanged, b for -kappa",
        note="The margin is an explicit constant times h^2 minus the difference.",
    )
)

# --- is the difference negligible at the end? --------------------------------------------------------------------------------


def _nearly_balanced(p: Point, xp: Arithmetic) -> Point:
    """Chart: rho = share, kappa = rho - 2 lam c, lam = k eta rho^2: alpha < phi, and the minimiser is W(c) for every eta."""
    ridge = p.k * p.eta * p.share**2
    b = p.share / ridge
    kappa = b - 2 * p.c
    return p.replace(b=b, forget_b=kappa, phi=xp.number(1), alpha=kappa / b, step=p.eta * ridge)


def _fixed_point(p: Point, xp: Arithmetic) -> Scalar:
    """Fixed point of the alternating map, by Newton from the balance of its two leading terms."""
    w = xp.lambertw(1 / p.k, 0) / 2
    for _ in range(24):
        u = steps_1d.retain_half(w, p, p.step, xp=xp)
        slope_u = 1 - p.step * (1 + p.b * xp.exp(-w))
        slope = slope_u * (1 - p.step * (1 - steps_1d.ascent_strength(p) * xp.exp(-u)))
        w = w - (steps_1d.forget_half(u, p, p.step, xp=xp) - w) / (slope - 1)
    return w


def _excluded(p: Point, xp: Arithmetic) -> Scalar:
    """Minus a lower bound of (alternating(w) - w)/(eta rho)^2 at w = W(c) + 1, which is the least one for all w up to there.

    With s = h (b e^{-w} - w) and e^{-s} <= 1/(1 + s): alternating(w) - w >= (s^2 - h w)/(1 + s) - h (s + w).
    """
    w = xp.lambertw(p.c, 0) + 1
    s = p.step * (p.b * xp.exp(-w) - w)
    return -((s**2 - p.step * w) / (1 + s) - p.step * (s + w)) / (p.eta * p.share) ** 2


UNIFORM = Domain(
    (
        Axis("eta", 1e-9, 1e-2, "log"),
        Axis("share", 0.01, 1.0),
        Axis("c", 0.1, 2.0),
        Axis("k", 1e-8, 1e-2, "log"),
    ),
    _nearly_balanced,
    words="eta in [1e-9, 0.01] and, for each eta, lam = k eta rho^2 and kappa = rho - 2 lam c, so alpha < phi; rho in [0.01, 1], "
    "c in [0.1, 2], k in [1e-8, 0.01]",
)

register(
    Claim(
        id="iterative.negligible",
        statement="sup over lam > 0 and 0 <= alpha < phi of |fixed point of the alternating "
        "map - minimiser with ridge 2 lam| -> 0 "
        "as eta -> 0; so from some eta on it stays below 1.",
        source="Sec. 5.1.1, App. D.3",
        kind=Kind.LIMIT,
        domain=UNIFORM,
        margin=lambda p, xp: 1 - xp.abs(_fixed_point(p, xp) - xp.lambertw(p.c, 0)),
        exclusion=_excluded,
        exclusion_words="alternating(w) > w for every w <= W(c) + 1, at this eta and at "
        "every smaller one with lam = k eta rho^2: no "
        "fixed point comes within 1 of the minimiser W(c)",
        note="A small step does not help against a smaller ridge: what the ascent's curvature adds is of the size of the ridge.",
        repaired=Claim(
            id="iterative.negligible.repaired",
            statement="For fixed lam and alpha < phi an alternating step from the minimiser "
            "w* of ridge 2 lam moves it by at most "
            "h^2 |A| (1 + (e - 1) kappa e^{-w*}), h = eta lam.",
            source="ours",
            kind=Kind.LIMIT,
            domain=Domain(
                (PHI, B, Axis("ratio", 0.01, 0.99), Axis("scale", 1e-4, 1.0, "log")),
                lambda p, xp: _small_step(
                    p.replace(w=closed_form.with_ridges(alpha_from_ratio(p, xp), 2, xp=xp)), xp
                ),
                words="alpha/phi in [0.01, 0.99], phi in [0.01, 3], b in [0.01, 1e4], steps that move w* by less than one",
            ),
            margin=_second_order,
            modulus=_OF_SECOND_ORDER,
            proof=(ALTERNATING_EXPANSION, _SECANT),
            proof_words="the simultaneous step with ridge 2 lam leaves w* where it is, and "
            "the alternating one differs from it as in "
            "iterative.leading-order",
        ),
    )
)

# --- boundedness ---------------------------------------------------------------------------------------------------------------


def _bounds(p: Point, start: Scalar, xp: Arithmetic) -> tuple[Scalar, Scalar]:
    """(low, high) that no iterate leaves, retain first: low = min(start, g(u_min)), high = max(u(low), start, W(b))."""
    h = p.step
    least = (1 - h) * (1 + xp.log(h * p.b / (1 - h)))
    low = xp.minimum(start, steps_1d.forget_half(least, p, h, xp=xp))
    top = xp.maximum(start, closed_form.oracle(p, xp=xp))
    return low, xp.maximum(top, steps_1d.retain_half(low, p, h, xp=xp))


def _stays(p: Point, xp: Arithmetic) -> Scalar:
    """How far inside [low, high] the map takes the point at `place` between them; the start lies there."""
    low, high = _bounds(p, closed_form.original(p, xp=xp), xp)
    after = steps_1d.alternating(low + p.place * (high - low), p, p.step, xp=xp)
    return xp.minimum(after - low, high - after)


_LEAST_U = steps.identity(
    "least-half-step",
    "u(w) = (1-h) w + h b e^{-w} is convex; at e^{-w} = (1-h)/(h b) its slope is 0 and its value "
    "(1-h)(1 + ln(h b/(1-h)))",
    {"h": (1e-3, 0.9), "b": (1e-3, 1e3)},
    lambda p, xp: (
        lambda w: steps_1d.retain_half(w, Point(b=p.b), p.h, xp=xp) - (1 - p.h) * (1 + w)
    )(xp.log(p.h * p.b / (1 - p.h))),
)
_HALF_STEPS = steps.inequality(
    "half-steps-shape",
    "u'' = h b E >= 0 with E = e^{-w}, and g' = (1-h) + h kappa E >= 0 with E = e^{-u}: sums of products of "
    "numbers >= 0, whatever their size, so for every real w and u",
    {"h": (0.0, 1.0), "b": (0.0, 1e4), "kappa": (0.0, 1e4), "pull": (0.0, 1e300)},
    lambda p, xp: p.h * p.b * p.pull,
    lambda p, xp: 1 - p.h + p.h * p.kappa * p.pull,
)
_SHRINKS = steps.inequality(
    "forget-half-shrinks",
    "g(u) = (1-h) u - h kappa E with E = e^{-u} is at most max(u, 0): for u >= 0, u - g(u) = h (u + kappa "
    "E), and for u = -v <= 0, -g(u) = (1-h) v + h kappa E; all >= 0 whatever the size of u, v and E",
    {"h": (0.0, 1.0), "kappa": (0.0, 1e4), "pull": (0.0, 1e300), "size": (0.0, 1e300)},
    lambda p, xp: p.h * (p.size + p.kappa * p.pull),
    lambda p, xp: (1 - p.h) * p.size + p.h * p.kappa * p.pull,
)

register(
    Claim(
        id="iterative.stabilises",
        statement="For eta lam < 1 and every alpha the alternating iterates from w_D stay "
        "bounded, also where the simultaneous ones "
        "diverge.",
        source="Sec. 5.1.1, App. D.3",
        kind=Kind.BOUND,
        domain=Domain(
            (
                PHI,
                Axis("b", 1e-2, 1e2, "log"),
                Axis("ratio", 1e-2, 5.0, "log"),
                Axis("step", 1e-3, 0.9, "log"),
                Axis("place", 0.0, 1.0),
            ),
            alpha_from_ratio,
            words="phi in [0.01, 3], b in [0.01, 100], alpha/phi in [0.01, 5], eta lam in "
            "[1e-3, 0.9]; at every point of an interval "
            "around w_D",
        ),
        margin=_stays,
        proof=(_LEAST_U, _HALF_STEPS, _SHRINKS, steps.W_INCREASES),
        proof_words="u >= u_min whatever w is, so w' = g(u) >= g(u_min), g increasing: no "
        "iterate is below low = min(w_D, g(u_min)). "
        "And w' <= max(u, 0) (step) with u convex, so on [low, high] it is at most "
        "max(u(low), u(high), 0), where u(high) <= high as "
        "high >= W(b). Forget first is the same map begun with g, hence bounded as well. No step needs the ranges of the domain",
        note="The margin is how far inside an interval that contains w_D a step from any point of it ends: what stays in for one "
        "step stays for all. The interval is explicit; it grows with alpha/phi.",
    )
)
