r"""Lemmas 6 to 8: the oracle in the plane, and bounds on the original and on descent-ascent.

x_D = beta_D (e^{-x} + q alpha e^{-y}) and y_D = beta_D (q e^{-x} + alpha e^{-y}). The bounds replace the larger margin's
exponential by the smaller one's, which is right as long as y_D <= x_D, that is for alpha <= 1.
"""

from __future__ import annotations

from ascentfail.claims.claim import Axis, Claim, Domain, Kind, Point
from ascentfail.claims.registry import register
from ascentfail.numerics.arithmetic import Arithmetic, Scalar
from ascentfail.plane import bounds as plane_bounds
from ascentfail.plane import equations as plane_equations
from ascentfail.theory.domains import (
    ALPHA,
    PHI,
    PLANE,
    PLANE_STATIONARY,
    B,
    at_stationary,
    plane_margins,
)
from ascentfail.theory.proof_steps import by_weights, steps


def _oracle_residual(p: Point, xp: Arithmetic) -> Scalar:
    """Both equations x = b (1+eps^2) e^{-x}, y = 2 eps b e^{-x} at the printed solution."""
    x, y = plane_equations.oracle(p, xp=xp)
    pull = p.b * xp.exp(-x)
    return xp.abs(x - (1 + p.epsilon**2) * pull) + xp.abs(y - 2 * p.epsilon * pull)


register(
    Claim(
        id="lemma-6",
        statement="The oracle has x_R = W(beta) and y_R = q x_R.",
        source="Lemma 6, App. I",
        kind=Kind.EQUALITY,
        domain=PLANE,
        margin=_oracle_residual,
    )
)

_WHOLE_PLANE = (Axis("epsilon", 1e-3, 1.0), PHI, B)
_ANY_ALPHA = Domain(
    (*_WHOLE_PLANE, ALPHA),
    words="alpha in [1e-3, 10], epsilon in [1e-3, 1], phi in [0.01, 3], b in [0.01, 1e4]",
)
UP_TO_ONE = Domain(
    (*_WHOLE_PLANE, Axis("alpha", 1e-3, 1.0, "log")),
    words="alpha in [1e-3, 1], epsilon in [1e-3, 1], phi in [0.01, 3], b in [0.01, 1e4]",
)


def _within_bounds(p: Point, xp: Arithmetic) -> Scalar:
    """Smallest slack of the four bounds."""
    x, y = plane_margins(p, "original", xp)
    x_low, x_high, y_low, y_high = plane_bounds.original_bounds(p, xp=xp)
    return xp.minimum(xp.minimum(x - x_low, x_high - x), xp.minimum(y - y_low, y_high - y))


def _within_or_swapped(p: Point, xp: Arithmetic) -> Scalar:
    """Smallest slack of the four bounds; two of them times 1 - alpha, with which they turn."""
    x, y = plane_margins(p, "original", xp)
    x_low, x_high, y_low, y_high = plane_bounds.original_bounds(p, xp=xp)
    turning = xp.minimum((1 - p.alpha) * (x - x_low), (1 - p.alpha) * (y_high - y))
    return xp.minimum(turning, xp.minimum(x_high - x, y - y_low))


register(
    Claim(
        id="lemma-7",
        statement="W(beta_D (1+q alpha)) <= x_D <= W(beta_D) + q W(alpha beta_D) and W(alpha beta_D) <= y_D <= "
        "W(beta_D (q+alpha)) for every alpha > 0, 0 < eps <= 1.",
        source="Lemma 7, App. I",
        kind=Kind.BOUND,
        domain=_ANY_ALPHA,
        margin=_within_bounds,
        repaired=Claim(
            id="lemma-7.repaired",
            statement="All four bounds hold for alpha <= 1; for alpha > 1 the lower one on "
            "x_D and the upper one on y_D swap sides.",
            source="ours",
            kind=Kind.BOUND,
            domain=_ANY_ALPHA,
            margin=_within_or_swapped,
            proof=(
                *steps.ORDER_2D,
                steps.ORIGINAL_PRODUCTS,
                steps.EXPONENTIAL_ABOVE,
                steps.W_INCREASES,
            ),
            proof_words="alpha <= 1 gives x >= y, so x e^x >= beta_D (1 + q alpha) and y "
            "e^y <= beta_D (q + alpha); alpha >= 1 gives "
            "x <= y, and both the other way round. Always y e^y = beta_D (alpha + q e^{y-x}) >= "
            "alpha beta_D; U e^U = beta_D e^{-qV} <= beta_D and V e^V <= alpha beta_D bound x = U + q V",
        ),
    )
)


def _below_bounds(p: Point, xp: Arithmetic) -> Scalar:
    exact, x, y = at_stationary(p, xp)
    x_high, y_high = plane_bounds.descent_ascent_bounds(exact, xp=xp)
    return xp.minimum(x_high - x, y_high - y)


register(
    Claim(
        id="lemma-8",
        statement="x_DA <= W(beta (1 - q alpha/phi)) and y_DA <= W(beta (q - alpha/phi)) at every stationary point.",
        source="Lemma 8, App. I",
        kind=Kind.BOUND,
        domain=PLANE_STATIONARY,
        margin=_below_bounds,
        proof=(
            steps.MARGIN_ORDER,
            steps.UNLEARNED_PRODUCTS,
            steps.EXPONENTIAL_ABOVE,
            steps.W_INCREASES,
        ),
        proof_words="s_1 = A >= 0 >= -B = s_2 give x >= y, so x e^x <= beta (1 - q a) and y "
        "e^y <= beta (q - a); z e^z <= c implies "
        "z <= W_0(c)",
        note="Stationary points are listed by their forget pull B, minimum and saddle "
        "alike; W is W_0, and its arguments are >= -1/e "
        "wherever a stationary point exists.",
    )
)


def _by_pulls(p: Point, xp: Arithmetic) -> Point:
    """Chart: every original by U and t = ln(V/U), from ln alpha = t + (1 - q)(V - U) and beta_D = U e^{U + qV}."""
    u, growth = p.retain_pull, xp.exp(p.t) - 1
    strength = u * xp.exp(u + plane_equations.cosine(p) * u * (1 + growth))
    apart = plane_equations.one_minus_cosine(p) * u * growth  # y - x
    log_alpha = p.t + apart
    return p.replace(
        b=strength * (1 + p.phi) / (1 + p.epsilon**2),
        alpha=xp.exp(log_alpha),
        log_alpha=log_alpha,
        apart=apart,
    )


_BY_PULLS = Domain(
    (_WHOLE_PLANE[0], PHI, Axis("retain_pull", 1e-3, 8.0, "log"), Axis("t", -7.0, 7.0)),
    _by_pulls,
    lambda p, xp: (100 * p.b - 1, 10**4 - p.b, 1000 * p.alpha - 1, 10 - p.alpha),
    f"{_ANY_ALPHA.words}, listed by the retain pull U and t = ln(V/U)",
)

register(
    Claim(
        id="lemma-12",
        statement="y_D <= x_D for alpha <= 1.",
        source="Lemma 12, App. I",
        kind=Kind.ORDERING,
        domain=Domain(
            _BY_PULLS.axes,
            _by_pulls,
            lambda p, xp: (100 * p.b - 1, 10**4 - p.b, 1000 * p.alpha - 1, 1 - p.alpha),
            f"{UP_TO_ONE.words}, listed by the retain pull U and t = ln(V/U)",
        ),
        margin=lambda p, xp: by_weights.or_else(-p.apart, (p.log_alpha,), xp),
        note="The margin is that of an implication: alpha >= 1, or else x_D - y_D >= 0.",
    )
)


def _order(p: Point, xp: Arithmetic) -> Scalar:
    x, y = plane_margins(p, "original", xp)
    return x - y


register(
    Claim(
        id="lemma-12.wlog",
        statement="y_D <= x_D for every alpha (the restriction is said to be without loss of generality).",
        source="Lemma 12, App. I",
        kind=Kind.ORDERING,
        domain=_ANY_ALPHA,
        margin=_order,
        repaired=Claim(
            id="lemma-12.wlog.repaired",
            statement="(1 - alpha)(x_D - y_D) >= 0: the order turns at alpha = 1.",
            source="ours",
            kind=Kind.ORDERING,
            domain=_BY_PULLS,
            margin=lambda p, xp: (xp.exp(p.log_alpha) - 1) * p.apart,
        ),
    )
)


def gauss_seidel(p: Point, sweeps: int, xp: Arithmetic) -> tuple[list[Scalar], list[Scalar]]:
    """Iterates (x_k, y_k) from the solution at alpha = 1: y first, each equation solved for its own unknown."""
    q, (beta, gamma) = plane_equations.cosine(p), plane_equations.pulls(p, "original")
    start = xp.lambertw(beta * (1 + q), 0)
    xs, ys = [start], [start]
    for _ in range(sweeps):
        held = q * beta * xp.exp(-xs[-1])
        ys.append(held + xp.lambertw_exp(xp.log(gamma) - held))
        held = q * gamma * xp.exp(-ys[-1])
        xs.append(held + xp.lambertw_exp(xp.log(beta) - held))
    return xs, ys


def _monotone(p: Point, xp: Arithmetic) -> Scalar:
    """Smallest of y_k - y_{k+1} and x_{k+1} - x_k over three sweeps."""
    xs, ys = gauss_seidel(p, 3, xp)
    steps = [a - b for a, b in zip(ys, ys[1:], strict=False)] + [
        b - a for a, b in zip(xs, xs[1:], strict=False)
    ]
    smallest = steps[0]
    for step in steps[1:]:
        smallest = xp.minimum(smallest, step)
    return smallest


def _reverse(p: Point, xp: Arithmetic) -> Scalar:
    """Smallest of y_0 - y_1, y_{k+1} - y_k (k >= 1) and x_k - x_{k+1}, over three sweeps."""
    xs, ys = gauss_seidel(p, 3, xp)
    smallest = ys[0] - ys[1]
    for low, high in (
        (ys[1], ys[2]),
        (ys[2], ys[3]),
        (xs[1], xs[0]),
        (xs[2], xs[1]),
        (xs[3], xs[2]),
    ):
        smallest = xp.minimum(smallest, high - low)
    return smallest


_BELOW_ONE = Domain(
    (Axis("epsilon", 0.05, 1.0), PHI, B, Axis("alpha", 1e-2, 0.99, "log")),
    words="alpha in [0.01, 0.99], epsilon in [0.05, 1], phi in [0.01, 3], b in [0.01, 1e4]; three sweeps",
)

register(
    Claim(
        id="lemma-12.proof",
        statement="Gauss-Seidel from the alpha = 1 solution, y first, has y_k decreasing and x_k increasing.",
        source="Lemma 12, proof",
        kind=Kind.ORDERING,
        domain=_BELOW_ONE,
        margin=_monotone,
        repaired=Claim(
            id="lemma-12.proof.repaired",
            statement="y drops once, then y_k increases and x_k decreases; y_D <= x_D follows from s_1 >= s_2 instead.",
            source="ours",
            kind=Kind.ORDERING,
            domain=_BELOW_ONE,
            margin=_reverse,
            proof=(
                steps.inequality(
                    "held-equation",
                    "the solution z of z = C + g e^{-z} increases with C and g: its slopes are 1/(1+g e^{-z}) and "
                    "e^{-z}/(1+g e^{-z})",
                    {"z": (0.0, 30.0), "g": (0.0, 1e5)},
                    lambda p, xp: 1 + p.g * xp.exp(-p.z),
                    lambda p, xp: xp.exp(-p.z),
                ),
                steps.EXPONENTIAL_ABOVE,
            ),
            proof_words="alpha < 1 lowers y_1 below y_0, and alpha e^{-y_1} = (y_1 - C)/beta_D < e^{-y_0}, so x_1 < x_0; "
            "then C = q beta_D "
            "e^{-x} rises, y rises, alpha e^{-y} falls and x falls, sweep after sweep",
        ),
    )
)
