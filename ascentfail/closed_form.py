r"""Every closed form of the paper, and of ours beyond it, written once for any arithmetic.

A function takes `p`, anything with the ratios it needs as attributes (`b`, `forget_b` = alpha b, `phi`, `alpha`, `epsilon`):
a problem, or a point of a claim's domain. `xp` is one of `ascentfail.arithmetic`; the default computes with JAX. Letters
follow the table in `ascentfail/__init__.py`; solutions hold for the exponential loss.
"""

from __future__ import annotations

from typing import Any

from ascentfail.arithmetic import JAX, Arithmetic, Scalar
from ascentfail.errors import invalid
from ascentfail.losses import Model, check_model, require_exponential

# --- one coordinate: every solution is w = W(c) ---------------------------------------------------------------------------


def coefficient(p: Any, which: Model) -> Scalar:
    r"""The constant c of the stationarity equation w = c e^{-w} on one coordinate.

        c_D = b (1 + alpha)/(1 + phi),    c_R = b,    c_DA = b (1 - alpha/phi)

    Args:
        p: ratios b, forget_b = alpha b, phi.
        which: "original", "oracle" or "descent_ascent".

    Returns:
        c, in any arithmetic.

    Raises:
        ValueError: unknown model.

    Paper: Sec. 5.1.1, App. D.
    """
    check_model(which)
    if which == "original":
        return (p.b + p.forget_b) / (1 + p.phi)
    if which == "oracle":
        return p.b
    return p.b - p.forget_b / p.phi


def original(p: Any, *, xp: Arithmetic = JAX) -> Scalar:
    """Weight of the original model, w_D = W(b (1 + alpha)/(1 + phi)).

    Args:
        p: problem or ratios with b >= 0, forget_b >= 0, phi > 0; scalar or (axes,).
        xp: arithmetic.

    Returns:
        w_D >= 0, the minimiser of L_D.

    Raises:
        ValueError: the problem has the logistic loss.

    Paper: Sec. 5.1.1, App. D.
    """
    require_exponential(p)
    return xp.lambertw(coefficient(p, "original"), 0)


def oracle(p: Any, *, xp: Arithmetic = JAX) -> Scalar:
    """Weight of the oracle, w_R = W(b). Arguments, returns, errors and source as `original`."""
    require_exponential(p)
    return xp.lambertw(coefficient(p, "oracle"), 0)


def descent_ascent(p: Any, branch: int = 0, *, xp: Arithmetic = JAX) -> Scalar:
    """Stationary weight of descent-ascent, w_DA = W_branch(b (1 - alpha/phi)).

    Args:
        p: problem or ratios with b >= 0, forget_b >= 0, phi > 0; scalar or (axes,).
        branch: 0 or -1; branch -1 exists for -1/e <= b (1 - alpha/phi) < 0.
        xp: arithmetic.

    Returns:
        w_DA, NaN where no real solution exists (b (1 - alpha/phi) < -1/e).

    Raises:
        ValueError: branch is neither 0 nor -1, or the problem has the logistic loss.

    Paper: Sec. 5.1.1, App. D and F.
    """
    require_exponential(p)
    if branch not in (0, -1):
        raise invalid("branch", branch, "0 or -1")
    return xp.lambertw(coefficient(p, "descent_ascent"), branch)


def with_ridges(p: Any, ridges: int, *, xp: Arithmetic = JAX) -> Scalar:
    """Weight W(c_DA/ridges) that descent-ascent has with a multiple of the ridge; 2 for an alternating step. Paper: App. D.3."""
    require_exponential(p)
    return xp.lambertw(coefficient(p, "descent_ascent") / ridges, 0)


def curvature(w: Scalar) -> Scalar:
    """Second derivative of the objective at a solution w = c e^{-w}, over the ridge: 1 + w. Paper: App. F."""
    return 1 + w


def first_step(p: Any, *, xp: Arithmetic = JAX) -> Scalar:
    """Direction of the first descent-ascent step, -L_DA'(w_D)/ridge = c_DA e^{-w_D} - w_D. Paper: Sec. 5.1.1."""
    w = original(p, xp=xp)
    return coefficient(p, "descent_ascent") * xp.exp(-w) - w


def wrong_way_alpha(phi: Scalar) -> Scalar:
    """Smallest alpha at which descent-ascent ends beyond the original, phi^2/(1 + 2 phi). Paper: Lemma 3, App. F."""
    return phi * phi / (1 + 2 * phi)


def existence_alpha(p: Any, *, xp: Arithmetic = JAX) -> Scalar:
    """Largest alpha at which descent-ascent has a solution on one coordinate, phi (1 + 1/(e b)). Paper: App. F."""
    return p.phi * (1 + 1 / (xp.exp(xp.number(1)) * p.b))


def displacement_bound(p: Any, *, xp: Arithmetic = JAX) -> Scalar:
    """The bound |ln((1 + alpha)|R|/|D|)| on |w_D - w_R|, for every ridge. Paper: Lemma 4."""
    return xp.abs(xp.log((1 + p.alpha) / (1 + p.phi)))


# --- two correlated directions: margins x = s_1 + q s_2, y = q s_1 + s_2 ---------------------------------------------------


def cosine(p: Any) -> Scalar:
    """Cosine q = 2 eps/(1 + eps^2), between a retain and a forget sample. Paper: Sec. 5.1.2."""
    return 2 * p.epsilon / (1 + p.epsilon * p.epsilon)


def one_minus_cosine(p: Any) -> Scalar:
    """1 - q = (1 - eps)^2/(1 + eps^2), every digit of it also where the two samples are nearly the same. Beyond the paper."""
    return (1 - p.epsilon) ** 2 / (1 + p.epsilon * p.epsilon)


def retain_strength(p: Any, which: Model) -> Scalar:
    """Strength beta = b (1 + eps^2), or beta_D = beta/(1 + phi) for the original; needs no alpha. Paper: App. I."""
    check_model(which)
    beta = p.b * (1 + p.epsilon * p.epsilon)
    return beta / (1 + p.phi) if which == "original" else beta


def pulls(p: Any, which: Model) -> tuple[Scalar, Scalar]:
    r"""Strengths (beta, gamma) of the stationarity equations s_1 = beta e^{-x}, |s_2| = gamma e^{-y}.

        D:  beta_D = b (1 + eps^2)/(1 + phi), alpha beta_D      R:  beta = b (1 + eps^2), 0      DA:  beta, alpha beta/phi

    Args:
        p: ratios b, forget_b, phi, epsilon.
        which: the model; for descent-ascent s_2 = -B is negative.

    Returns:
        (beta, gamma), both >= 0.

    Raises:
        ValueError: unknown model.

    Paper: App. I.
    """
    beta = retain_strength(p, which)
    if which == "oracle":
        return beta, 0 * beta
    forget = p.forget_b * (1 + p.epsilon * p.epsilon)
    return beta, forget / (1 + p.phi) if which == "original" else forget / p.phi


def plane_margins(s1: Scalar, s2: Scalar, q: Scalar) -> tuple[Scalar, Scalar]:
    """Margins x = s_1 + q s_2 of a retain and y = q s_1 + s_2 of a forget sample. Paper: App. I, rotated coordinates."""
    return s1 + q * s2, q * s1 + s2


def plane_weights(s1: Scalar, s2: Scalar, epsilon: Scalar) -> tuple[Scalar, Scalar]:
    """Weights w = (s_1 (1, eps) + s_2 (eps, 1))/(1 + eps^2). Paper: App. I."""
    size = 1 + epsilon * epsilon
    return (s1 + epsilon * s2) / size, (epsilon * s1 + s2) / size


def plane_oracle(p: Any, *, xp: Arithmetic = JAX) -> tuple[Scalar, Scalar]:
    """Margins of the oracle, x_R = W(beta), y_R = q x_R. Raises: ValueError (logistic loss). Paper: Lemma 6."""
    require_exponential(p)
    x = xp.lambertw(retain_strength(p, "oracle"), 0)
    return x, cosine(p) * x


def retain_pull(s2: Scalar, beta: Scalar, q: Scalar, *, xp: Arithmetic = JAX) -> Scalar:
    """s_1 = W(beta e^{-q s_2}), which solves s_1 = beta e^{-x} for given s_2. Beyond the paper."""
    return xp.lambertw_exp(xp.log(beta) - q * s2)


def balance(size: Scalar, beta: Scalar, gamma: Scalar, q: Scalar, sign: int, *, xp: Arithmetic = JAX) -> Scalar:
    r"""The one equation that is left of the two, in the size S = |s_2| > 0 of the forget pull.

        g(S) = ln S + y(S) - ln gamma = 0,   y = q s_1 + sign S,   s_1 = W(beta e^{-sign q S})

    For the original (sign = +1) g is increasing, for descent-ascent (sign = -1) it rises to one maximum and falls.

    Args:
        size: S > 0.
        beta: pull of the retain samples, > 0.
        gamma: pull of the forget samples, > 0.
        q: cosine, 0 to 1.
        sign: +1 for the original, -1 for descent-ascent.
        xp: arithmetic.

    Returns:
        g(S).

    Source: our reduction of App. I; h(B) of descent-ascent is g(B) + ln gamma.
    """
    s1 = retain_pull(sign * size, beta, q, xp=xp)
    return xp.log(size) + q * s1 + sign * size - xp.log(gamma)


def alpha_of_original(forget_pull: Scalar, p: Any, *, xp: Arithmetic = JAX) -> Scalar:
    """The alpha at which the original has s_2 = V: alpha = V e^{qU + V}/beta_D, U = W(beta_D e^{-qV}). Beyond the paper."""
    q, beta = cosine(p), retain_strength(p, "original")
    u = retain_pull(forget_pull, beta, q, xp=xp)
    return forget_pull * xp.exp(q * u + forget_pull - xp.log(beta))


def alpha_of_descent_ascent(ascent_pull: Scalar, p: Any, *, xp: Arithmetic = JAX) -> Scalar:
    """The alpha at which s_2 = -B is stationary: alpha = (phi/beta) B e^{qA - B}, A = W(beta e^{qB}). Beyond the paper."""
    q, beta = cosine(p), retain_strength(p, "descent_ascent")
    a = retain_pull(-ascent_pull, beta, q, xp=xp)
    return p.phi * ascent_pull * xp.exp(q * a - ascent_pull - xp.log(beta))


def fold_equation(log_a: Scalar, beta: Scalar, q: Scalar, *, xp: Arithmetic = JAX) -> Scalar:
    r"""k(ln A) = 0 where the minimum and the saddle of descent-ascent meet; increasing in ln A.

        k = ln A + A - ln beta - q B,   B = (1 + A)/(1 + (1 - q^2) A)

    Args:
        log_a: ln A.
        beta: pull of the retain samples, > 0.
        q: cosine, 0 to 1.
        xp: arithmetic.

    Returns:
        k.

    Source: h'(B) = 1/B + q^2 A/(1 + A) - 1 = 0 with A e^A = beta e^{qB}, beyond the paper.
    """
    a = xp.exp(log_a)
    return log_a + a - xp.log(beta) - q * fold_ascent_pull(a, q)


def fold_ascent_pull(a: Scalar, q: Scalar) -> Scalar:
    """Ascent pull B = (1 + A)/(1 + (1 - q^2) A) at the fold. Source: as `fold_equation`."""
    return (1 + a) / (1 + (1 - q * q) * a)


def log_existence_alpha(a: Scalar, p: Any, *, xp: Arithmetic = JAX) -> Scalar:
    """Logarithm of the alpha up to which descent-ascent has a minimum, ln[(phi/beta) B e^{qA - B}] with A at the fold. Beyond."""
    q, beta = cosine(p), retain_strength(p, "descent_ascent")
    b = fold_ascent_pull(a, q)
    return xp.log(p.phi) - xp.log(beta) + xp.log(b) + q * a - b


def squared_distance_to_oracle(s1: Scalar, s2: Scalar, p: Any, *, xp: Arithmetic = JAX) -> Scalar:
    """(1 + eps^2) |w - w_R|^2 = (x - X)^2 + (1 - q^2) s_2^2, X = W(beta). Beyond the paper."""
    q = cosine(p)
    gap = plane_margins(s1, s2, q)[0] - plane_oracle(p, xp=xp)[0]
    return gap * gap + (1 - q * q) * s2 * s2


# --- the paper's bounds in the plane, and the exact thresholds -------------------------------------------------------------


def original_bounds(p: Any, *, xp: Arithmetic = JAX) -> tuple[Scalar, Scalar, Scalar, Scalar]:
    """Lower and upper bound on x_D, then on y_D. Paper: Lemma 7.

    W(beta_D (1 + q alpha)), W(beta_D) + q W(alpha beta_D), W(alpha beta_D), W(beta_D (q + alpha)).
    """
    q, (beta, gamma) = cosine(p), pulls(p, "original")
    alone = xp.lambertw(gamma, 0)
    return (
        xp.lambertw(beta + q * gamma, 0),
        xp.lambertw(beta, 0) + q * alone,
        alone,
        xp.lambertw(q * beta + gamma, 0),
    )


def descent_ascent_bounds(p: Any, *, xp: Arithmetic = JAX) -> tuple[Scalar, Scalar]:
    """Upper bounds W(beta (1 - q alpha/phi)) on x_DA and W(beta (q - alpha/phi)) on y_DA. Paper: Lemma 8."""
    q, (beta, gamma) = cosine(p), pulls(p, "descent_ascent")
    return xp.lambertw(beta - q * gamma, 0), xp.lambertw(q * beta - gamma, 0)


def lower_alphas(p: Any) -> tuple[Scalar, Scalar]:
    """The two lower bounds on alpha, phi^2/(q (1 + 2 phi)) and q phi (1 + phi)/(1 + 2 phi). Paper: Lemma 9."""
    q, phi = cosine(p), p.phi
    return phi * phi / (q * (1 + 2 * phi)), q * phi * (1 + phi) / (1 + 2 * phi)


def upper_alphas(p: Any, *, xp: Arithmetic = JAX) -> tuple[Scalar, Scalar]:
    """The two upper bounds on alpha, Z e^Z/beta_D and q [(1 + phi) e^{-(1-q) X} - 1]. Paper: Lemma 10.

    Z = (W(beta) - W(beta_D))/q and X = W(beta).
    """
    q, beta_original = cosine(p), retain_strength(p, "original")
    x, _ = plane_oracle(p, xp=xp)
    z = (x - xp.lambertw(beta_original, 0)) / q
    return z * xp.exp(z - xp.log(beta_original)), q * ((1 + p.phi) * xp.exp(-(1 - q) * x) - 1)


def ordering_alphas(p: Any, *, xp: Arithmetic = JAX) -> tuple[Scalar, Scalar]:
    r"""The exact alphas up to which x_R >= x_D, and y_R >= y_D.

        (phi/q) exp(-X (1-q)(q-phi)/(q (1+phi))),    q (X - U) e^{qX}/beta_D,  U = W((1-q^2) beta_D e^{-q^2 X})/(1-q^2)

    Args:
        p: ratios b, phi, epsilon with 0 < epsilon < 1; at epsilon = 1 both tend to phi, but the second is 0/0.
        xp: arithmetic.

    Returns:
        The two thresholds, the second NaN at epsilon = 1; the second is at most the first.

    Source: beyond the paper, from the parametrisation by s_2.
    """
    q, beta = cosine(p), retain_strength(p, "original")
    x, _ = plane_oracle(p, xp=xp)
    first = p.phi / q * xp.exp(-x * (1 - q) * (q - p.phi) / (q * (1 + p.phi)))
    rest = 1 - q * q
    u = xp.lambertw_exp(xp.log(rest * beta) - q * q * x) / rest
    return first, q * (x - u) * xp.exp(q * x - xp.log(beta))


def sufficient_alpha(p: Any) -> Scalar:
    """An alpha from which x_DA <= x_D: phi^2/(q (1 + 2 phi)). Paper: Lemma 9; beyond it, also where alpha > 1."""
    return lower_alphas(p)[0]


# --- near-duplicates: eps -> 1 ---------------------------------------------------------------------------------------------


def duplicate_limit(retain_weight: Scalar, forget_weight: Scalar, which: Model, *, xp: Arithmetic = JAX) -> Scalar:
    """Limit of w_1 + w_2 as eps -> 1: W(2 (rho + kappa)), W(2 rho) or W(2 (rho - kappa)). Paper: App. J.

    Args:
        retain_weight: rho, weight of the retain sample over the ridge.
        forget_weight: kappa, weight of the forget sample over the ridge.
        which: the model; "original" is R plus F.
        xp: arithmetic.

    Returns:
        The limit; NaN where 2 (rho - kappa) < -1/e.

    Raises:
        ValueError: unknown model.
    """
    check_model(which)
    forget = {"original": forget_weight, "oracle": 0 * forget_weight, "descent_ascent": -forget_weight}[which]
    return xp.lambertw(2 * (retain_weight + forget), 0)
