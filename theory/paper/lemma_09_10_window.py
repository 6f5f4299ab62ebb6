r"""Lemmas 9 and 10 and Figure 4: a window of alpha in which descent-ascent and the oracle lie on opposite sides of the original.

Lemma 9 asks for alpha >= two lower bounds (then x_D >= x_DA, y_D >= y_DA), Lemma 10 for alpha <= two upper bounds (then
x_R >= x_D, y_R >= y_D). Figure 4 draws the window between them.
"""

from __future__ import annotations

from ascentfail.claims.claim import Axis, Claim, Domain, Kind, Point
from ascentfail.claims.registry import register
from ascentfail.numerics.arithmetic import Arithmetic, Scalar
from ascentfail.plane import equations as plane_equations
from ascentfail.plane.window import lower_edge, no_window, upper_edge
from ascentfail.theory.domains import PHI, PLANE_STATIONARY, B, at_stationary, plane_margins
from ascentfail.theory.proof_steps import steps


def window(p: Point, xp: Arithmetic) -> Scalar:
    """Height of the printed window in alpha at (epsilon, phi, b); negative where it is empty."""
    return upper_edge(p, xp) - lower_edge(p, xp)


def _beyond_descent_ascent(p: Point, xp: Arithmetic) -> Scalar:
    exact, x, y = at_stationary(p, xp)
    x_original, y_original = plane_margins(exact, "original", xp)
    return xp.minimum(x_original - x, y_original - y)


register(
    Claim(
        id="lemma-9",
        statement="alpha >= max{phi^2/(q(1+2phi)), q phi(1+phi)/(1+2phi)}, alpha <= 1, 0 < eps <= 1 give x_D >= x_DA and "
        "y_D >= y_DA at every descent-ascent stationary point.",
        source="Lemma 9, App. I",
        kind=Kind.ORDERING,
        domain=Domain(
            (Axis("epsilon", 0.05, 1.0), *PLANE_STATIONARY.axes[1:]),
            PLANE_STATIONARY.chart,
            lambda p, xp: (p.alpha - lower_edge(p, xp), 1 - p.alpha),
            "every stationary point with forget pull B in [1e-3, 100] whose alpha satisfies the conditions; epsilon in [0.05, 1]",
        ),
        margin=_beyond_descent_ascent,
        proof=(
            *steps.ORDER_2D,
            steps.ORIGINAL_PRODUCTS,
            steps.UNLEARNED_PRODUCTS,
            steps.EXPONENTIAL_ABOVE,
            steps.W_INCREASES,
            steps.LOWER_EDGES,
        ),
        proof_words="Lemma 7 for alpha <= 1 and Lemma 8 bound the two sides by W of beta_D (1 + q alpha) and beta (1 - q "
        "alpha/phi), and of "
        "alpha beta_D and beta (q - alpha/phi); the arguments are in order exactly from the two lower bounds on",
    )
)


def _under(p: Point, xp: Arithmetic) -> Point:
    """Chart alpha = place * the upper edge; the side condition drops empty windows."""
    values = p.values()
    place = values.pop("place")
    bare = Point(alpha=xp.number(1), **values)
    return bare.replace(alpha=place * upper_edge(bare, xp))


def _oracle_beyond(p: Point, xp: Arithmetic) -> Scalar:
    x, y = plane_margins(p, "original", xp)
    x_oracle, y_oracle = plane_equations.oracle(p, xp=xp)
    return xp.minimum(x_oracle - x, y_oracle - y)


register(
    Claim(
        id="lemma-10",
        statement="alpha <= min{Z e^Z/beta_D, q[(1+phi) e^{-(1-q)X} - 1]}, alpha <= 1, 0 < "
        "eps <= 1 give x_R >= x_D and y_R >= y_D.",
        source="Lemma 10, App. I",
        kind=Kind.ORDERING,
        domain=Domain(
            (Axis("epsilon", 0.05, 1.0), PHI, B, Axis("place", 0.01, 1.0)),
            _under,
            lambda p, xp: (upper_edge(p, xp) - p.alpha, p.alpha - p.phi / 10**12),
            "alpha up to the printed bounds where they are positive; epsilon in [0.05, 1], phi in [0.01, 3], b in [0.01, 1e4]",
        ),
        margin=_oracle_beyond,
        proof=(
            *steps.ORDER_2D,
            steps.ORIGINAL_PRODUCTS,
            steps.EXPONENTIAL_ABOVE,
            steps.W_INCREASES,
            steps.UPPER_EDGE,
        ),
        proof_words="Lemma 7 for alpha <= 1: W(beta_D) + q W(alpha beta_D) <= W(beta) is alpha beta_D <= Z e^Z, and "
        "W(beta_D (q + alpha)) <= q X is q + alpha <= q (1+phi) e^{-(1-q) X}",
    )
)


_OPEN_STEPS = (
    steps.EXPONENTIAL_ABOVE,
    steps.inequality(
        "open-window",
        "e^{-phi/5}(1 + 2 phi) >= (1 + phi)(1 + phi/5), phi^2 <= phi (1 + phi) <= 1 + 2 phi for 0 <= phi <= 1",
        {"phi": (0.0, 1.0)},
        lambda p, xp: xp.exp(-p.phi / 5) * (1 + 2 * p.phi) - (1 + p.phi) * (1 + p.phi / 5),
        lambda p, xp: 1 + p.phi - p.phi**2,
    ),
    steps.inequality(
        "decreasing",
        "e^{-X}/(1+X) decreases: e^{-X} (2 + X)/(1+X)^2 >= 0",
        {"x": (0.0, 1.0)},
        lambda p, xp: xp.exp(-p.x) * (2 + p.x) / (1 + p.x) ** 2,
    ),
)

register(
    Claim(
        id="figure-4.exists",
        statement="For every b and phi some (eps, alpha) satisfies Lemma 9 and Lemma 10 together.",
        source="Figure 4 and its text",
        kind=Kind.EXISTENCE,
        domain=Domain(
            (Axis("phi", 1e-2, 1.0, "log"), B),
            words="phi in [0.01, 1] (the range of the figure), b in [0.01, 1e4]",
        ),
        inner=(Axis("epsilon", 1e-3, 1.0),),
        margin=window,
        exclusion=no_window,
        exclusion_words="the margin bounds the height of the window for every eps in (0, 1]: no alpha fits at any eps",
        note="For given eps an alpha exists exactly where the window has height >= 0, so only eps is searched.",
        repaired=Claim(
            id="figure-4.exists.repaired",
            statement="For 0 < phi <= 1 and b <= phi/10 the window is open, at eps = 1 already.",
            source="ours",
            kind=Kind.BOUND,
            domain=Domain(
                (Axis("phi", 1e-3, 1.0, "log"), Axis("part", 1e-4, 1.0, "log")),
                lambda p, xp: Point(phi=p.phi, b=p.part * p.phi / 10, epsilon=p.phi / p.phi),
                words="phi in [1e-3, 1], b <= phi/10, epsilon = 1",
            ),
            margin=window,
            proof=_OPEN_STEPS,
            proof_words="at eps = 1, q = 1 and beta = 2b: Z e^Z >= Z >= (beta - beta_D) W'(beta) by concavity of W, so the "
            "first upper bound is "
            "at least phi e^{-X}/(1+X) with X = W(2b) <= 2b <= phi/5; the second is phi, the third 1; the larger lower bound is "
            "phi(1+phi)/(1+2phi)",
        ),
    )
)
