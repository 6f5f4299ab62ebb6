r"""Beyond the paper: when descent-ascent has a minimum in the plane.

Every stationary point is a value B of the forget pull with ln alpha = ln(phi/beta) + h(B), h(B) = ln B + q A(B) - B. h rises to
one maximum and falls: two stationary points below the threshold, none above. The Hessian over lam has determinant
(1 + A)(1 - B) + q^2 A B = B (1 + A) h'(B).
"""

from __future__ import annotations

from ascentfail import plane_equations, stationary
from ascentfail.arithmetic import Arithmetic, Scalar
from ascentfail.theory import steps
from ascentfail.theory.claim import Axis, Claim, Domain, Kind, Point
from ascentfail.theory.domains import EPSILON, PHI, PLANE_STATIONARY, RATIO, B, alpha_from_ratio
from ascentfail.theory.registry import register


def pulls_of_point(p: Point, xp: Arithmetic) -> tuple[Scalar, Scalar, Scalar]:
    """(q, A, B) at a point listed by its forget pull."""
    q, beta = plane_equations.cosine(p), plane_equations.retain_strength(p, "descent_ascent")
    return q, plane_equations.retain_pull(-p.ascent_pull, beta, q, xp=xp), p.ascent_pull


def before_fold(p: Point, xp: Arithmetic) -> Scalar:
    """Logarithm of B at the fold over B: >= 0 on the side of the minimum."""
    q, beta = plane_equations.cosine(p), plane_equations.retain_strength(p, "descent_ascent")
    return xp.log(stationary.fold(beta, q, xp=xp)[1]) - xp.log(p.ascent_pull)


def _side(p: Point) -> Scalar:
    """(1 + A) - B (1 + (1 - q^2) A), positive before the fold."""
    return 1 + p.a - p.b * (1 + (1 - p.q**2) * p.a)


UNIMODAL = (
    steps.identity(
        "slope-of-h", "B (1+A) h'(B) = (1+A) - B (1 + (1-q^2) A) = (1+A)(1-B) + q^2 A B",
        {"a": (0.0, 1e3), "b": (1e-3, 1e3), "q": (0.0, 1.0)},
        lambda p, xp: (p.b * (1 + p.a) * (1 / p.b + p.q**2 * p.a / (1 + p.a) - 1) - _side(p)) ** 2
        + ((1 + p.a) * (1 - p.b) + p.q**2 * p.a * p.b - _side(p)) ** 2,
    ),
    steps.inequality(
        "fold-increases", "dk/d ln A = 1 + A (1 - q^3/(1 + (1-q^2) A)^2) >= 0", {"a": (0.0, 1e3), "q": (0.0, 1.0)},
        lambda p, xp: p.a, lambda p, xp: 1 - p.q**3 / (1 + (1 - p.q**2) * p.a) ** 2,
    ),
)
UNIMODAL_WORDS = (
    "h'(B) > 0 iff B < (1+A)/(1+(1-q^2) A), that is iff k(ln A) < 0 (q B = ln A + A - ln beta); k and A(B) are "
    "increasing, so h' changes "
    "sign once, at the fold"
)

register(Claim(
    id="beyond-5.threshold",
    statement="No stationary point has alpha above (phi/beta) exp(max_B h(B)), and the bound is reached.",
    source="ours",
    kind=Kind.BOUND,
    domain=PLANE_STATIONARY,
    margin=lambda p, xp: stationary.log_existence_alpha(p, xp=xp)
    - xp.log(plane_equations.alpha_of_descent_ascent(p.ascent_pull, p, xp=xp)),
    proof=UNIMODAL,
    proof_words=UNIMODAL_WORDS,
))


def _slope(p: Point, xp: Arithmetic) -> Scalar:
    """h'(B) = 1/B + q^2 A/(1 + A) - 1."""
    q, a, b = pulls_of_point(p, xp)
    return 1 / b + q * q * a / (1 + a) - 1


register(Claim(
    id="beyond-5.one-maximum",
    statement="h rises up to the fold and falls beyond it: below the threshold there are exactly two stationary points.",
    source="ours",
    kind=Kind.ORDERING,
    domain=PLANE_STATIONARY,
    margin=lambda p, xp: _slope(p, xp) * before_fold(p, xp),
    proof=UNIMODAL,
    proof_words=UNIMODAL_WORDS,
    note="h tends to -infinity at both ends (beyond-5.unbounded gives the far one).",
))


def _nature(p: Point, xp: Arithmetic) -> Scalar:
    """det(Hessian)/lam^2 times the side of the fold."""
    q, a, b = pulls_of_point(p, xp)
    return ((1 + a) * (1 - b) + q * q * a * b) * before_fold(p, xp)


register(Claim(
    id="beyond-5.minimum-and-saddle",
    statement="The stationary point before the fold is a local minimum, the one beyond it a saddle.",
    source="ours",
    kind=Kind.ORDERING,
    domain=PLANE_STATIONARY,
    margin=_nature,
    proof=UNIMODAL,
    proof_words="the determinant is B (1 + A) h'(B); " + UNIMODAL_WORDS,
    note="Before the fold B < 1/(1 - q^2 A/(1+A)) and the trace 2 + A - B is positive with the determinant.",
))


def _along_escape(p: Point, xp: Arithmetic) -> Scalar:
    """L_DA/lam at distance t along the direction with x = 0, y = -t, without the constant."""
    rest = 1 - plane_equations.cosine(p) ** 2
    return p.b - p.forget_b / p.phi * xp.exp(p.reach) + p.reach**2 / (2 * (1 + p.epsilon**2) * rest)


register(Claim(
    id="beyond-5.unbounded",
    statement="For 0 < eps < 1 and alpha > 0 the descent-ascent loss is unbounded below: along x = 0 it ends below -t.",
    source="ours",
    kind=Kind.LIMIT,
    domain=Domain(
        (EPSILON, PHI, B, RATIO, Axis("reach", 1.0, 200.0)),
        alpha_from_ratio,
        lambda p, xp: (
            p.forget_b / p.phi * xp.exp(p.reach) - 2 * (p.b + p.reach)
            - p.reach**2 / ((1 + p.epsilon**2) * (1 - plane_equations.cosine(p) ** 2)),
        ),
        "t in [1, 200] from where (alpha b/phi) e^t exceeds twice the other terms, which it does for every larger t",
    ),
    margin=lambda p, xp: -p.reach - _along_escape(p, xp),
    proof=(
        steps.identity(
            "escape", "-t - L = [G - 2 (b + t) - t^2/m] + b + t + t^2/(2m) with G = (alpha b/phi) e^t and m = (1+eps^2)(1-q^2)",
            {"g": (0.0, 1e3), "b": (0.0, 1e3), "t": (0.0, 1e3), "m": (1e-3, 2.0)},
            lambda p, xp: -p.t - (p.b - p.g + p.t**2 / (2 * p.m))
            - ((p.g - 2 * (p.b + p.t) - p.t**2 / p.m) + p.b + p.t + p.t**2 / (2 * p.m)),
        ),
    ),
    proof_words="the bracket is the side condition, the rest is >= 0",
))
