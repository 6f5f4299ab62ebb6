r"""Beyond the paper: when descent-ascent has a minimum in the plane.

Every stationary point is a value B of the forget pull with ln alpha = ln(phi/beta) + h(B), h(B) = ln B + q A(B) - B. h rises to
one maximum and falls: two stationary points below the threshold, none above. The Hessian over lam has determinant
(1 + A)(1 - B) + q^2 A B = B (1 + A) h'(B).
"""

from __future__ import annotations

from ascentfail import stationary
from ascentfail.claims.claim import Axis, Claim, Domain, Kind, Point
from ascentfail.claims.registry import register
from ascentfail.numerics.arithmetic import Arithmetic, Scalar
from ascentfail.plane import equations as plane_equations
from ascentfail.theory.domains import EPSILON, PLANE_STATIONARY, B
from ascentfail.theory.proof_steps import steps
from ascentfail.theory.proof_steps.charts import COSINE, by_cosine, epsilon_in_range


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
        "slope-of-h",
        "B (1+A) h'(B) = (1+A) - B (1 + (1-q^2) A) = (1+A)(1-B) + q^2 A B",
        {"a": (0.0, 1e3), "b": (1e-3, 1e3), "q": (0.0, 1.0)},
        lambda p, xp: (
            (p.b * (1 + p.a) * (1 / p.b + p.q**2 * p.a / (1 + p.a) - 1) - _side(p)) ** 2
            + ((1 + p.a) * (1 - p.b) + p.q**2 * p.a * p.b - _side(p)) ** 2
        ),
    ),
    steps.inequality(
        "fold-increases",
        "dk/d ln A = 1 + A (1 - q^3/(1 + (1-q^2) A)^2) >= 0",
        {"a": (0.0, 1e3), "q": (0.0, 1.0)},
        lambda p, xp: p.a,
        lambda p, xp: 1 - p.q**3 / (1 + (1 - p.q**2) * p.a) ** 2,
    ),
)
UNIMODAL_WORDS = (
    "h'(B) > 0 iff B < (1+A)/(1+(1-q^2) A), that is iff k(ln A) < 0 (q B = ln A + A - ln beta); k and A(B) are "
    "increasing, so h' changes "
    "sign once, at the fold"
)

register(
    Claim(
        id="beyond-5.threshold",
        statement="No stationary point has alpha above (phi/beta) exp(max_B h(B)), and the bound is reached.",
        source="ours",
        kind=Kind.BOUND,
        domain=PLANE_STATIONARY,
        margin=lambda p, xp: (
            stationary.log_existence_alpha(p, xp=xp)
            - xp.log(plane_equations.alpha_of_descent_ascent(p.ascent_pull, p, xp=xp))
        ),
        proof=UNIMODAL,
        proof_words=UNIMODAL_WORDS,
    )
)


def _from_fold(p: Point, xp: Arithmetic) -> Point:
    """Chart: the stationary point of retain pull A = A* e^{-rise}, A* that of the fold, from A e^A = beta e^{qB} at both.

    So beta = A* e^{A* - q B*} and q (B* - B) = rise + A* - A: nothing is implicit, and `rise` is 0 at the fold.
    """
    p = by_cosine(p, xp)
    b_fold = plane_equations.fold_ascent_pull(p.a_fold, p.q)
    fall = p.a_fold * (1 - xp.exp(-p.rise))
    pull = b_fold - (p.rise + fall) / p.q
    b = p.a_fold * xp.exp(p.a_fold - p.q * b_fold) / (1 + p.epsilon**2)
    return p.replace(fall=fall, a=p.a_fold * xp.exp(-p.rise), ascent_pull=pull, b=b)


_FROM_FOLD = Domain(
    (COSINE, Axis("a_fold", 5e-3, 100.0, "log"), Axis("rise", -12.0, 12.0)),
    _from_fold,
    lambda p, xp: (p.ascent_pull, 100 * p.b - 1, 10**4 - p.b, *epsilon_in_range(p)),
    "every stationary point whose retain pull A is within e^{12} of that of the fold, A*; epsilon in [0.05, 0.95], b in [0.01, "
    "1e4], any phi",
)


def _past_fold(p: Point) -> Scalar:
    """D ln(A*/A) - ln(A*/A)^2 with D = (1+A)(1-B) + q^2 A B = B (1+A) h'(B), which is 0 at the fold, without cancellation.

    With k = 1 - q^2, t = ln(A*/A), E = A* - A: D = t (1 + k A)/q + E ((1 + k A)/q - q^2/(1 + k A*)).
    """
    k = 1 - p.q**2
    along = (1 + k * p.a) / p.q
    return p.rise**2 * (along - 1) + p.rise * p.fall * (along - p.q**2 / (1 + k * p.a_fold))


def _below_bound(p: Point, xp: Arithmetic) -> Scalar:
    """e^{(bound - h)/q} - 1 for the bound ln B + q (1 + ln(1 + beta)) - (1-q^2) B.

    As (1 + beta) e^{1 + qB - A} = e^{1 + qB - A} + e A, with A e^A = beta e^{qB}; and q B - A = q B* - A* - ln(A*/A).
    """
    gap = p.q * plane_equations.fold_ascent_pull(p.a_fold, p.q) - p.a_fold - p.rise
    return xp.exp(1 + gap) + p.a * xp.exp(xp.number(1)) - 1


register(
    Claim(
        id="beyond-5.one-maximum",
        statement="h rises up to the fold and falls beyond it, B (1+A) h'(B) ln(A*/A) >= "
        "ln(A*/A)^2 with A* the retain pull at the "
        "fold, and h(B) <= ln B + q (1 + ln(1+beta)) - (1-q^2) B, which tends to -infinity "
        "for B -> 0 and B -> infinity: below the "
        "threshold there are exactly two stationary points.",
        source="ours",
        kind=Kind.ORDERING,
        domain=_FROM_FOLD,
        margin=lambda p, xp: xp.minimum(_past_fold(p), _below_bound(p, xp)),
        note="A rises with B, so ln(A*/A) >= 0 is the side of smaller B.",
    )
)


def _trace(p: Point) -> Scalar:
    """Trace of the Hessian over lam, 2 + A - B, without cancellation: 1 + A* - B* = k A* (1 + A*)/(1 + k A*)."""
    k = 1 - p.q**2
    return (
        1
        + k * p.a_fold * (1 + p.a_fold) / (1 + k * p.a_fold)
        + p.rise / p.q
        + p.fall * (1 / p.q - 1)
    )


register(
    Claim(
        id="beyond-5.minimum-and-saddle",
        statement="The stationary point before the fold is a local minimum, the one beyond it a saddle: det(Hessian)/lam^2 times "
        "ln(A*/A) is at least ln(A*/A)^2, and before the fold the trace is positive.",
        source="ours",
        kind=Kind.ORDERING,
        domain=_FROM_FOLD,
        margin=lambda p, xp: xp.minimum(_past_fold(p), xp.maximum(-p.rise, _trace(p))),
        note="The determinant is (1+A)(1-B) + q^2 A B = B (1+A) h'(B).",
    )
)


def _along_escape(p: Point, xp: Arithmetic) -> Scalar:
    """L_DA/lam at distance t along the direction with x = 0, y = -t, without the constant."""
    return p.b - p.growth + p.reach**2 / (2 * _spread(p))


def _spread(p: Point) -> Scalar:
    """The m = (1 + eps^2)(1 - q^2) = (1 - eps^2)^2/(1 + eps^2)."""
    return (1 - p.epsilon**2) ** 2 / (1 + p.epsilon**2)


def _beyond_others(p: Point, xp: Arithmetic) -> Point:
    """Chart: the alpha whose G = (alpha b/phi) e^t is 2 e^{part t} times b + t + t^2/(2m), the other terms."""
    growth = 2 * (p.b + p.reach + p.reach**2 / (2 * _spread(p))) * xp.exp(p.part * p.reach)
    return p.replace(growth=growth, ratio=growth * xp.exp(-p.reach) / p.b)


register(
    Claim(
        id="beyond-5.unbounded",
        statement="For 0 < eps < 1 and alpha > 0 the descent-ascent loss is unbounded "
        "below: along x = 0 it is at most -t wherever "
        "(alpha b/phi) e^t is at least twice the other terms, as it is for all large t.",
        source="ours",
        kind=Kind.BOUND,
        domain=Domain(
            (EPSILON, B, Axis("reach", 1.0, 200.0, "log"), Axis("part", 0.0, 1.0)),
            _beyond_others,
            lambda p, xp: (100 * p.ratio - 1, 2 - p.ratio),
            "t in [1, 200] from where (alpha b/phi) e^t is at least twice b + t + t^2/(2m), "
            "m = (1+eps^2)(1-q^2); epsilon in [0.05, "
            "0.95], b in [0.01, 1e4], alpha/phi in [0.01, 2], any phi",
        ),
        margin=lambda p, xp: -p.reach - _along_escape(p, xp),
        factors=(
            lambda p, xp: 2 * xp.exp(p.part * p.reach) - 1,
            lambda p, xp: p.b + p.reach + p.reach**2 / (2 * _spread(p)),
        ),
        note="The margin is the product of the factors for every t, which is not where the domain ends.",
    )
)
