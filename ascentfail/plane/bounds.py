r"""The paper's bounds in the plane and its window of alpha, the exact thresholds, and the limits of near-duplicates.

A function takes `p` and `xp` as those of `line.closed_form` do, and never raises on numbers:
where no real value exists it is NaN.
"""

from __future__ import annotations

from typing import Any

from ascentfail.core.explained import explained
from ascentfail.core.models import Model, check_model
from ascentfail.numerics.arithmetic import JAX, Arithmetic, Scalar
from ascentfail.plane import equations as plane_equations


@explained
def original_bounds(p: Any, *, xp: Arithmetic = JAX) -> tuple[Scalar, Scalar, Scalar, Scalar]:
    """Lower and upper bound on x_D, then on y_D, as printed (for alpha <= 1).

        W(beta_D (1 + q alpha)) <= x_D <= W(beta_D) + q W(alpha beta_D),   W(alpha beta_D) <= y_D <= W(beta_D (q + alpha))

    Args:
        p: problem or ratios with b >= 0, forget_b >= 0, phi > 0, 0 <= epsilon <= 1; scalars.
        xp: arithmetic.

    Returns:
        The four bounds in that order, all >= 0.

    Paper: Lemma 7.
    """
    q, (beta, gamma) = plane_equations.cosine(p), plane_equations.pulls(p, "original")
    alone = xp.lambertw(gamma, 0)
    return (
        xp.lambertw(beta + q * gamma, 0),
        xp.lambertw(beta, 0) + q * alone,
        alone,
        xp.lambertw(q * beta + gamma, 0),
    )


@explained
def descent_ascent_bounds(p: Any, *, xp: Arithmetic = JAX) -> tuple[Scalar, Scalar]:
    """Upper bounds x_DA <= W(beta (1 - q alpha/phi)) and y_DA <= W(beta (q - alpha/phi)).

    Args:
        p: problem or ratios with b >= 0, forget_b >= 0, phi > 0, 0 <= epsilon <= 1; scalars.
        xp: arithmetic.

    Returns:
        The two bounds; NaN where an argument of W is below -1/e.

    Paper: Lemma 8.
    """
    q, (beta, gamma) = plane_equations.cosine(p), plane_equations.pulls(p, "descent_ascent")
    return xp.lambertw(beta - q * gamma, 0), xp.lambertw(q * beta - gamma, 0)


@explained
def lower_alphas(p: Any) -> tuple[Scalar, Scalar]:
    """The two lower bounds, alpha >= phi^2/(q (1 + 2 phi)) and alpha >= q phi (1 + phi)/(1 + 2 phi).

    Args:
        p: problem or ratios with phi > 0, 0 < epsilon <= 1; scalars.

    Returns:
        The two bounds, > 0.

    Paper: Lemma 9.
    """
    q, phi = plane_equations.cosine(p), p.phi
    return phi * phi / (q * (1 + 2 * phi)), q * phi * (1 + phi) / (1 + 2 * phi)


@explained
def upper_alphas(p: Any, *, xp: Arithmetic = JAX) -> tuple[Scalar, Scalar]:
    """The two upper bounds, alpha <= Z e^Z/beta_D and alpha <= q [(1 + phi) e^{-(1-q) X} - 1].

        Z = (W(beta) - W(beta_D))/q,   X = W(beta)

    Args:
        p: problem or ratios with b > 0, phi > 0, 0 < epsilon <= 1; scalars.
        xp: arithmetic.

    Returns:
        The two bounds; the second is negative where no alpha satisfies it.

    Raises:
        ValueError: the problem has the logistic loss.

    Paper: Lemma 10.
    """
    q, beta_original = plane_equations.cosine(p), plane_equations.retain_strength(p, "original")
    x, _ = plane_equations.oracle(p, xp=xp)
    z = (x - xp.lambertw(beta_original, 0)) / q
    return z * xp.exp(z - xp.log(beta_original)), q * ((1 + p.phi) * xp.exp(-(1 - q) * x) - 1)


@explained
def ordering_alphas(p: Any, *, xp: Arithmetic = JAX) -> tuple[Scalar, Scalar]:
    r"""The exact alphas up to which x_R >= x_D, and y_R >= y_D.

        (phi/q) exp(-X (1-q)(q-phi)/(q (1+phi))),    q (X - U) e^{qX}/beta_D,  U = W((1-q^2) beta_D e^{-q^2 X})/(1-q^2)

    Args:
        p: problem or ratios with b > 0, phi > 0, 0 < epsilon < 1; scalars. At epsilon = 1 both tend to phi, the second as 0/0.
        xp: arithmetic.

    Returns:
        The two thresholds, the second NaN at epsilon = 1; the second is at most the first.

    Raises:
        ValueError: the problem has the logistic loss.

    Ours: from the parametrisation by s_2.
    """
    q, beta = plane_equations.cosine(p), plane_equations.retain_strength(p, "original")
    x, _ = plane_equations.oracle(p, xp=xp)
    first = p.phi / q * xp.exp(-x * (1 - q) * (q - p.phi) / (q * (1 + p.phi)))
    rest = 1 - q * q
    u = xp.lambertw_exp(xp.log(rest * beta) - q * q * x) / rest
    return first, q * (x - u) * xp.exp(q * x - xp.log(beta))


@explained
def sufficient_alpha(p: Any) -> Scalar:
    """An alpha from which x_DA <= x_D: alpha = phi^2/(q (1 + 2 phi)).

    Args:
        p: problem or ratios with phi > 0, 0 < epsilon <= 1; scalars.

    Returns:
        The alpha, > 0.

    Paper: Lemma 9; beyond it, also where alpha > 1.
    """
    return lower_alphas(p)[0]


# --- near-duplicates: eps -> 1 ---------------------------------------------------------------------------------------------


@explained
def duplicate_limit(
    retain_weight: Scalar, forget_weight: Scalar, which: Model, *, xp: Arithmetic = JAX
) -> Scalar:
    """Limit of w_1 + w_2 as eps -> 1: W(2 (rho + kappa)), W(2 rho) or W(2 (rho - kappa)).

    Args:
        retain_weight: rho >= 0, weight of the retain sample over the ridge, scalar.
        forget_weight: kappa >= 0, weight of the forget sample over the ridge, scalar.
        which: "original" (R plus F), "oracle" or "descent_ascent".
        xp: arithmetic.

    Returns:
        The limit; NaN where 2 (rho - kappa) < -1/e.

    Raises:
        ValueError: unknown model.

    Paper: App. J.
    """
    check_model(which)
    forget = {
        "original": forget_weight,
        "oracle": 0 * forget_weight,
        "descent_ascent": -forget_weight,
    }[which]
    return xp.lambertw(2 * (retain_weight + forget), 0)
