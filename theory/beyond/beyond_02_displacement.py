r"""Beyond the paper: where the oracle is, to first order: theta_R - theta_D = (|F|/|R|) H_R^{-1} (grad l_F + lam theta_D).

Since grad L_D(theta_D) = 0, the right-hand side is -H_R^{-1} grad L_R(theta_D): one Newton step on the oracle's own loss. It is
exact where that loss is quadratic. On one coordinate, with r = w_R, d = r - w_D and b = r e^r, in units of lam, the step falls
short by

    E = r e^d (e^{-d} - 1 + d)/(1 + r e^d),    0 <= E <= d^2/2 max(1, e^{-d}).
"""

from __future__ import annotations

from ascentfail.claims.claim import Axis, Claim, Domain, Kind, Point
from ascentfail.claims.registry import register
from ascentfail.line import closed_form
from ascentfail.numerics.arithmetic import Arithmetic, Scalar
from ascentfail.theory.domains import LINE
from ascentfail.theory.paper.lemma_04_distance import BY_LOGARITHM
from ascentfail.theory.proof_steps import steps

Vector = tuple[Scalar, Scalar]
Matrix = tuple[Scalar, Scalar, Scalar]  # (a, c, d) of [[a, c], [c, d]]


def _times(m: Matrix, v: Vector) -> Vector:
    return m[0] * v[0] + m[1] * v[1], m[1] * v[0] + m[2] * v[1]


def _solve(m: Matrix, v: Vector) -> Vector:
    """m^{-1} v by Cramer's rule."""
    determinant = m[0] * m[2] - m[1] * m[1]
    return (m[2] * v[0] - m[1] * v[1]) / determinant, (m[0] * v[1] - m[1] * v[0]) / determinant


def _sum(m: tuple[Scalar, ...], weight: Scalar, other: tuple[Scalar, ...]) -> tuple[Scalar, ...]:
    return tuple(a + weight * b for a, b in zip(m, other, strict=True))


def quadratic_residual(p: Point, means: bool) -> Scalar:
    """theta_R - theta_D - influence formula, seen along the direction (1, across).

    The losses of R and F are theta.A theta/2 - a.theta and theta.B theta/2 - c.theta, each the mean or the sum over its set.
    """
    big_a, big_b = (p.a11, p.a12, p.a22), (p.b11, p.b12, p.b22)
    a, c, ridge = (p.a1, p.a2), (p.c1, p.c2), (p.ridge, 0, p.ridge)
    share, whole = (p.phi, 1 + p.phi) if means else (1, 1)  # (|R| l_R + |F| l_F)/|D|, or the sum
    original = _solve(_sum(_sum(big_a, share, big_b), whole, ridge), _sum(a, share, c))
    retain = _sum(big_a, 1, ridge)
    oracle = _solve(retain, a)
    slope = _sum(_times(big_b, original), -1, c)
    pull = _sum(slope, p.ridge, original) if means else slope
    step = _solve(retain, pull)
    first, second = (oracle[i] - original[i] - share * step[i] for i in (0, 1))
    return first + p.across * second


_QUADRATIC = Domain(
    (
        *(Axis(name, 1.0, 3.0) for name in ("a11", "a22", "b11", "b22")),
        *(Axis(name, -0.5, 0.5) for name in ("a12", "b12")),
        *(Axis(name, -2.0, 2.0) for name in ("a1", "a2", "c1", "c2", "across")),
        Axis("phi", 1e-2, 3.0, "log"),
        Axis("ridge", 1e-3, 10.0, "log"),
    ),
    words="convex quadratic losses in two dimensions: A, B with diagonals in [1, 3] and off-diagonals in [-1/2, 1/2], slopes in "
    "[-2, 2], phi in [0.01, 3], ridge in [1e-3, 10]",
)

for _id, _means, _formula in (
    (
        "beyond-2.quadratic-means",
        True,
        "theta_R - theta_D = (|F|/|R|) H_R^{-1} (grad l_F + lam theta_D), losses as means",
    ),
    ("beyond-2.quadratic-sums", False, "theta_R - theta_D = H_R^{-1} sum_F grad l, losses as sums"),
):
    register(
        Claim(
            id=_id,
            statement=f"For quadratic losses {_formula}, exactly.",
            source="ours",
            kind=Kind.EQUALITY,
            domain=_QUADRATIC,
            margin=lambda p, xp, means=_means: quadratic_residual(p, means),
            note="Every component is seen, because the direction (1, across) is free.",
        )
    )


def shortfall(p: Point, xp: Arithmetic) -> Scalar:
    """w_R - w_D - (|F|/|R|) (grad l_F + lam w_D)/H_R on one coordinate, with grad l_F = -(|F_j|/|F|) e^{-w_D}."""
    original = closed_form.original(p, xp=xp)
    pull = xp.exp(-original)
    step = p.phi * (original - p.forget_b / p.phi * pull) / (1 + p.b * pull)
    return closed_form.oracle(p, xp=xp) - original - step


def _second_order(p: Point, xp: Arithmetic) -> Scalar:
    """ln^2((1+alpha)/(1+phi))/2 max(1, (1+alpha)/(1+phi))."""
    ratio = (1 + p.alpha) / (1 + p.phi)
    return xp.log(ratio) ** 2 / 2 * xp.maximum(xp.number(1), ratio)


_STEPS = (
    steps.identity(
        "newton-shortfall",
        "d - (r (e^d - 1) + d)/(1 + r e^d) = r e^d (e^{-d} - 1 + d)/(1 + r e^d)",
        {"r": (0.0, 30.0), "d": (-30.0, 30.0)},
        lambda p, xp: (
            p.d
            - (p.r * (xp.exp(p.d) - 1) + p.d) / (1 + p.r * xp.exp(p.d))
            - p.r * xp.exp(p.d) * (xp.exp(-p.d) - 1 + p.d) / (1 + p.r * xp.exp(p.d))
        ),
    ),
    steps.inequality(
        "above-tangent",
        "e^{-d} - 1 + d >= 0 for d >= 0, and e^s - 1 - s >= 0 for s = -d >= 0",
        {"d": (0.0, 30.0)},
        lambda p, xp: xp.exp(-p.d) - 1 + p.d,
        lambda p, xp: xp.exp(p.d) - 1 - p.d,
    ),
    steps.inequality(
        "below-parabola",
        "d^2/2 - (e^{-d} - 1 + d) vanishes at 0 and has slope e^{-d} - 1 + d >= 0 on d >= 0; s^2 e^s/2 - "
        "(e^s - 1 - s) vanishes at 0 and has slope s e^s + s^2 e^s/2 - e^s + 1, which vanishes at 0 and has slope "
        "(2s + s^2/2) e^s >= 0",
        {"d": (0.0, 30.0)},
        lambda p, xp: xp.exp(-p.d) - 1 + p.d,
        lambda p, xp: (2 * p.d + p.d**2 / 2) * xp.exp(p.d),
    ),
)

register(
    Claim(
        id="beyond-2.first-order",
        statement="One coordinate, exponential loss: 0 <= w_R - w_D - (|F|/|R|) (grad l_F + lam w_D)/H_R <= L^2/2 max(1, e^L), "
        "L = ln((1+alpha)/(1+phi)); so the error is O(phi^2) at fixed alpha/phi.",
        source="ours",
        kind=Kind.BOUND,
        domain=LINE,
        margin=lambda p, xp: xp.minimum(shortfall(p, xp), _second_order(p, xp) - shortfall(p, xp)),
        proof=(*_STEPS, *BY_LOGARITHM),
        proof_words="b = r e^r turns the shortfall into E; r e^d/(1 + r e^d) <= 1 gives E "
        "<= d^2/2 for d >= 0 and E <= s^2 e^s/2 for "
        "d = -s <= 0; |d| <= |L| by Lemma 4, and d < 0 only where alpha > phi, that is L > 0",
        note="|L| <= |alpha - phi|, so the error is at most phi^2 (alpha/phi - 1)^2/2 max(1, (1+alpha)/(1+phi)).",
    )
)
