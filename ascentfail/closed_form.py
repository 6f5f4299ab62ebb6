r"""Every closed form of the paper, and of ours beyond it, written once for any arithmetic.

A function takes `p`, anything with the ratios it needs as attributes (`b`, `forget_b` = alpha b, `phi`, `alpha`, `epsilon`):
a problem, or a point of a claim's domain. `xp` is one of `ascentfail.arithmetic`; the default computes with JAX. Letters
follow the table in `ascentfail/__init__.py`; solutions hold for the exponential loss. A function without "Raises:" never raises
on numbers: where no real value exists it is NaN.
"""

from __future__ import annotations

from typing import Any

from ascentfail.arithmetic import JAX, Arithmetic, Scalar
from ascentfail.errors import invalid
from ascentfail.logistic import pull_mpmath
from ascentfail.losses import Model, check_model, require_exponential

# --- one coordinate: every solution is w = W(c) ---------------------------------------------------------------------------


def coefficient(p: Any, which: Model) -> Scalar:
    r"""The constant c of the stationarity equation w = c e^{-w} on one coordinate.

        c_D = b (1 + alpha)/(1 + phi),    c_R = b,    c_DA = b (1 - alpha/phi)

    Args:
        p: problem or ratios with b >= 0, forget_b = alpha b >= 0, phi > 0; scalar or (axes,).
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
    """Weight of the oracle, w_R = W(b).

    Args:
        p: problem or ratios with b >= 0; scalar or (axes,).
        xp: arithmetic.

    Returns:
        w_R >= 0, the minimiser of L_R.

    Raises:
        ValueError: the problem has the logistic loss.

    Paper: Sec. 5.1.1, App. D.
    """
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
    """Weight that descent-ascent has with a multiple of the ridge, W(c_DA/ridges); 2 to leading order of an alternating step.

    Args:
        p: problem or ratios with b >= 0, forget_b >= 0, phi > 0; scalar or (axes,).
        ridges: how many ridges, >= 1.
        xp: arithmetic.

    Returns:
        w = W(c_DA/ridges), NaN where c_DA/ridges < -1/e.

    Raises:
        ValueError: the problem has the logistic loss.

    Paper: App. D.3.
    """
    require_exponential(p)
    return xp.lambertw(coefficient(p, "descent_ascent") / ridges, 0)


def curvature(w: Scalar) -> Scalar:
    """Second derivative of the objective at a solution w = c e^{-w}, over the ridge: 1 + w.

    Args:
        w: the solution, any real number, scalar or (axes,).

    Returns:
        1 + w, > 0 at a minimum.

    Paper: App. F.
    """
    return 1 + w


def first_step(p: Any, *, xp: Arithmetic = JAX) -> Scalar:
    """Direction of the first descent-ascent step, -L_DA'(w_D)/ridge = c_DA e^{-w_D} - w_D.

    Args:
        p: problem or ratios with b >= 0, forget_b >= 0, phi > 0; scalar or (axes,).
        xp: arithmetic.

    Returns:
        The direction, of any sign.

    Raises:
        ValueError: the problem has the logistic loss.

    Paper: Sec. 5.1.1.
    """
    w = original(p, xp=xp)
    return coefficient(p, "descent_ascent") * xp.exp(-w) - w


def wrong_way_alpha(phi: Scalar) -> Scalar:
    """Smallest alpha at which descent-ascent ends beyond the original, alpha = phi^2/(1 + 2 phi).

    Args:
        phi: |F|/|R| >= 0, scalar.

    Returns:
        The threshold, 0 <= alpha <= phi.

    Paper: Lemma 3, App. F.
    """
    return phi * phi / (1 + 2 * phi)


def existence_alpha(p: Any, *, xp: Arithmetic = JAX) -> Scalar:
    """Largest alpha at which descent-ascent has a solution on one coordinate, alpha = phi (1 + 1/(e b)), where c_DA = -1/e.

    Args:
        p: problem or ratios with phi > 0, b > 0; scalar or (axes,).
        xp: arithmetic.

    Returns:
        alpha > phi; inf where b = 0.

    Paper: App. F, the domain of W.
    """
    return p.phi * (1 + 1 / (xp.exp(xp.number(1)) * p.b))


def displacement_bound(p: Any, *, xp: Arithmetic = JAX) -> Scalar:
    """The bound on the distance of original and oracle, |w_D - w_R| <= |ln((1 + alpha)/(1 + phi))|, for every ridge.

    Args:
        p: problem or ratios with alpha >= 0, phi > 0; scalar or (axes,).
        xp: arithmetic.

    Returns:
        The bound, >= 0; inf where the group has no retain sample.

    Paper: Lemma 4.
    """
    return xp.abs(xp.log((1 + p.alpha) / (1 + p.phi)))


# --- two correlated directions: margins x = s_1 + q s_2, y = q s_1 + s_2 ---------------------------------------------------


def cosine(p: Any) -> Scalar:
    """Cosine between a retain and a forget sample, q = 2 eps/(1 + eps^2).

    Args:
        p: problem or point with 0 <= epsilon <= 1, scalar.

    Returns:
        q in [0, 1].

    Paper: Sec. 5.1.2.
    """
    return 2 * p.epsilon / (1 + p.epsilon * p.epsilon)


def one_minus_cosine(p: Any) -> Scalar:
    """Every digit of 1 - q = (1 - eps)^2/(1 + eps^2), also where the two samples are nearly the same.

    Args:
        p: problem or point with 0 <= epsilon <= 1, scalar.

    Returns:
        1 - q in [0, 1].

    Ours: 1 less `cosine`, as one fraction.
    """
    return (1 - p.epsilon) ** 2 / (1 + p.epsilon * p.epsilon)


def retain_strength(p: Any, which: Model) -> Scalar:
    """Strength of the retain samples, beta = b (1 + eps^2), or beta_D = beta/(1 + phi) for the original; needs no alpha.

    Args:
        p: problem or ratios with b >= 0, phi > 0, 0 <= epsilon <= 1; scalars.
        which: "original", "oracle" or "descent_ascent".

    Returns:
        beta or beta_D, >= 0.

    Raises:
        ValueError: unknown model.

    Paper: App. I.
    """
    check_model(which)
    beta = p.b * (1 + p.epsilon * p.epsilon)
    return beta / (1 + p.phi) if which == "original" else beta


def pulls(p: Any, which: Model) -> tuple[Scalar, Scalar]:
    r"""Strengths (beta, gamma) of the stationarity equations s_1 = beta e^{-x}, |s_2| = gamma e^{-y}.

        D:  beta_D = b (1 + eps^2)/(1 + phi), alpha beta_D      R:  beta = b (1 + eps^2), 0      DA:  beta, alpha beta/phi

    Args:
        p: problem or ratios with b >= 0, forget_b >= 0, phi > 0, 0 <= epsilon <= 1; scalars.
        which: "original", "oracle" or "descent_ascent"; for the last s_2 = -B is negative.

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
    """Margins x = s_1 + q s_2 of a retain and y = q s_1 + s_2 of a forget sample.

    Args:
        s1: pull of the retain samples, >= 0, scalar.
        s2: signed pull of the forget samples, any scalar.
        q: cosine, 0 <= q <= 1, scalar.

    Returns:
        (x, y), scalars.

    Paper: App. I, rotated coordinates.
    """
    return s1 + q * s2, q * s1 + s2


def plane_weights(s1: Scalar, s2: Scalar, epsilon: Scalar) -> tuple[Scalar, Scalar]:
    """Weights w = (s_1 (1, eps) + s_2 (eps, 1))/(1 + eps^2).

    Args:
        s1: pull of the retain samples, >= 0, scalar.
        s2: signed pull of the forget samples, any scalar.
        epsilon: correlation strength, 0 <= epsilon <= 1, scalar.

    Returns:
        (w_1, w_2), scalars.

    Paper: App. I.
    """
    size = 1 + epsilon * epsilon
    return (s1 + epsilon * s2) / size, (epsilon * s1 + s2) / size


def plane_oracle(p: Any, *, xp: Arithmetic = JAX) -> tuple[Scalar, Scalar]:
    """Margins of the oracle, x_R = W(beta), y_R = q x_R.

    Args:
        p: problem or ratios with b >= 0, 0 <= epsilon <= 1; scalars.
        xp: arithmetic.

    Returns:
        (x_R, y_R), both >= 0.

    Raises:
        ValueError: the problem has the logistic loss.

    Paper: Lemma 6.
    """
    require_exponential(p)
    x = xp.lambertw(retain_strength(p, "oracle"), 0)
    return x, cosine(p) * x


def retain_pull(s2: Scalar, beta: Scalar, q: Scalar, *, xp: Arithmetic = JAX) -> Scalar:
    """The retain pull for a given s_2: s_1 = W(beta e^{-q s_2}), which solves s_1 = beta e^{-x}.

    In mpmath under the logistic loss the solution of s_1 = beta/(1 + e^x).

    Args:
        s2: signed pull of the forget samples, any finite scalar.
        beta: strength of the retain samples, > 0, scalar.
        q: cosine, 0 <= q <= 1, scalar.
        xp: arithmetic.

    Returns:
        s_1 > 0.

    Raises:
        ValueError: another arithmetic than mpmath under the logistic loss.

    Ours: Lemma 6 with s_2 held.
    """
    if xp.loss == "exponential":
        return xp.lambertw_exp(xp.log(beta) - q * s2)
    if xp.name != "mpmath":
        raise invalid("xp", f"{xp.name} under the logistic loss", "mpmath; `stationary.plane` has both pulls in JAX")
    return pull_mpmath(xp.log(beta), q * s2)


def flatness(margin: Scalar, *, xp: Arithmetic = JAX) -> Scalar:
    """Minus the logarithm of the force l of the arithmetic's loss: f(m) = -ln l(m), m for e^{-m}, ln(1 + e^m) for 1/(1 + e^m).

    Args:
        margin: m, any finite scalar.
        xp: arithmetic; it says which loss.

    Returns:
        f(m). Never raises.

    Ours: what stands for the margin under either loss.
    """
    return xp.softplus(margin) if xp.loss == "logistic" else margin


def balance(size: Scalar, beta: Scalar, gamma: Scalar, q: Scalar, sign: int, *, xp: Arithmetic = JAX) -> Scalar:
    r"""The one equation that is left of the two, in the size S = |s_2| > 0 of the forget pull.

        g(S) = ln S + y(S) - ln gamma = 0,   y = q s_1 + sign S,   s_1 = W(beta e^{-sign q S})

    For the original (sign = +1) g is increasing, for descent-ascent (sign = -1) it rises to one maximum and falls. Under the
    logistic loss ln(1 + e^y) stands for y, and for descent-ascent g has one root or three.

    Args:
        size: S > 0, scalar.
        beta: strength of the retain samples, > 0, scalar.
        gamma: strength of the forget samples, > 0, scalar.
        q: cosine, 0 <= q <= 1, scalar.
        sign: +1 for the original, -1 for descent-ascent.
        xp: arithmetic.

    Returns:
        g(S).

    Ours: the equations of App. I in one unknown; h(B) of descent-ascent is g(B) + ln gamma.
    """
    s1 = retain_pull(sign * size, beta, q, xp=xp)
    return xp.log(size) + flatness(q * s1 + sign * size, xp=xp) - xp.log(gamma)


def alpha_of_original(forget_pull: Scalar, p: Any, *, xp: Arithmetic = JAX) -> Scalar:
    """The alpha at which the original has s_2 = V: alpha = V e^{qU + V}/beta_D, U = W(beta_D e^{-qV}).

    Args:
        forget_pull: V >= 0, scalar.
        p: problem or ratios with b > 0, phi > 0, 0 <= epsilon <= 1; scalars.
        xp: arithmetic.

    Returns:
        alpha >= 0, increasing with V.

    Ours: the second equation of App. I, solved for alpha.
    """
    q, beta = cosine(p), retain_strength(p, "original")
    u = retain_pull(forget_pull, beta, q, xp=xp)
    return forget_pull * xp.exp(q * u + forget_pull - xp.log(beta))


def alpha_of_descent_ascent(ascent_pull: Scalar, p: Any, *, xp: Arithmetic = JAX) -> Scalar:
    """The alpha at which s_2 = -B is stationary: alpha = (phi/beta) B e^{qA - B}, A = W(beta e^{qB}).

    Args:
        ascent_pull: B >= 0, scalar.
        p: problem or ratios with b > 0, phi > 0, 0 <= epsilon <= 1; scalars.
        xp: arithmetic.

    Returns:
        alpha >= 0.

    Ours: the second equation of App. I, solved for alpha.
    """
    q, beta = cosine(p), retain_strength(p, "descent_ascent")
    a = retain_pull(-ascent_pull, beta, q, xp=xp)
    return p.phi * ascent_pull * xp.exp(q * a - ascent_pull - xp.log(beta))


def fold_equation(log_a: Scalar, beta: Scalar, q: Scalar, *, xp: Arithmetic = JAX) -> Scalar:
    r"""Zero where the minimum and the saddle of descent-ascent meet; increasing in ln A.

        k = ln A + A - ln beta - q B,   B = (1 + A)/(1 + (1 - q^2) A)

    Args:
        log_a: ln A, any finite scalar.
        beta: strength of the retain samples, > 0, scalar.
        q: cosine, 0 <= q <= 1, scalar.
        xp: arithmetic.

    Returns:
        k.

    Ours: h'(B) = 1/B + q^2 A/(1 + A) - 1 = 0 with A e^A = beta e^{qB}.
    """
    a = xp.exp(log_a)
    return log_a + a - xp.log(beta) - q * fold_ascent_pull(a, q)


def fold_ascent_pull(a: Scalar, q: Scalar) -> Scalar:
    """Ascent pull at the fold, B = (1 + A)/(1 + (1 - q^2) A).

    Args:
        a: retain pull A >= 0 at the fold, scalar.
        q: cosine, 0 <= q <= 1, scalar.

    Returns:
        B >= 1.

    Ours: as `fold_equation`.
    """
    return (1 + a) / (1 + (1 - q * q) * a)


def log_existence_alpha(a: Scalar, p: Any, *, xp: Arithmetic = JAX) -> Scalar:
    """Logarithm of the alpha up to which descent-ascent has a minimum, ln alpha = ln[(phi/beta) B e^{qA - B}] with A at the fold.

    Args:
        a: retain pull A > 0 at the fold, scalar.
        p: problem or ratios with b > 0, phi > 0, 0 <= epsilon <= 1; scalars.
        xp: arithmetic.

    Returns:
        ln alpha.

    Ours: the maximum over B of `alpha_of_descent_ascent`.
    """
    q, beta = cosine(p), retain_strength(p, "descent_ascent")
    b = fold_ascent_pull(a, q)
    return xp.log(p.phi) - xp.log(beta) + xp.log(b) + q * a - b


def squared_distance_to_oracle(s1: Scalar, s2: Scalar, p: Any, *, xp: Arithmetic = JAX) -> Scalar:
    """Squared distance to the oracle, (1 + eps^2) |w - w_R|^2 = (x - X)^2 + (1 - q^2) s_2^2, X = W(beta).

    Args:
        s1: pull of the retain samples, >= 0, scalar.
        s2: signed pull of the forget samples, any scalar.
        p: problem or ratios with b >= 0, 0 <= epsilon <= 1; scalars.
        xp: arithmetic.

    Returns:
        (1 + eps^2) |w - w_R|^2 >= 0.

    Raises:
        ValueError: the problem has the logistic loss.

    Ours.
    """
    q = cosine(p)
    gap = plane_margins(s1, s2, q)[0] - plane_oracle(p, xp=xp)[0]
    return gap * gap + (1 - q * q) * s2 * s2


# --- the paper's bounds in the plane, and the exact thresholds -------------------------------------------------------------


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
    q, (beta, gamma) = cosine(p), pulls(p, "original")
    alone = xp.lambertw(gamma, 0)
    return (
        xp.lambertw(beta + q * gamma, 0),
        xp.lambertw(beta, 0) + q * alone,
        alone,
        xp.lambertw(q * beta + gamma, 0),
    )


def descent_ascent_bounds(p: Any, *, xp: Arithmetic = JAX) -> tuple[Scalar, Scalar]:
    """Upper bounds x_DA <= W(beta (1 - q alpha/phi)) and y_DA <= W(beta (q - alpha/phi)).

    Args:
        p: problem or ratios with b >= 0, forget_b >= 0, phi > 0, 0 <= epsilon <= 1; scalars.
        xp: arithmetic.

    Returns:
        The two bounds; NaN where an argument of W is below -1/e.

    Paper: Lemma 8.
    """
    q, (beta, gamma) = cosine(p), pulls(p, "descent_ascent")
    return xp.lambertw(beta - q * gamma, 0), xp.lambertw(q * beta - gamma, 0)


def lower_alphas(p: Any) -> tuple[Scalar, Scalar]:
    """The two lower bounds, alpha >= phi^2/(q (1 + 2 phi)) and alpha >= q phi (1 + phi)/(1 + 2 phi).

    Args:
        p: problem or ratios with phi > 0, 0 < epsilon <= 1; scalars.

    Returns:
        The two bounds, > 0.

    Paper: Lemma 9.
    """
    q, phi = cosine(p), p.phi
    return phi * phi / (q * (1 + 2 * phi)), q * phi * (1 + phi) / (1 + 2 * phi)


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
    q, beta_original = cosine(p), retain_strength(p, "original")
    x, _ = plane_oracle(p, xp=xp)
    z = (x - xp.lambertw(beta_original, 0)) / q
    return z * xp.exp(z - xp.log(beta_original)), q * ((1 + p.phi) * xp.exp(-(1 - q) * x) - 1)


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
    q, beta = cosine(p), retain_strength(p, "original")
    x, _ = plane_oracle(p, xp=xp)
    first = p.phi / q * xp.exp(-x * (1 - q) * (q - p.phi) / (q * (1 + p.phi)))
    rest = 1 - q * q
    u = xp.lambertw_exp(xp.log(rest * beta) - q * q * x) / rest
    return first, q * (x - u) * xp.exp(q * x - xp.log(beta))


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


def duplicate_limit(retain_weight: Scalar, forget_weight: Scalar, which: Model, *, xp: Arithmetic = JAX) -> Scalar:
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
    forget = {"original": forget_weight, "oracle": 0 * forget_weight, "descent_ascent": -forget_weight}[which]
    return xp.lambertw(2 * (retain_weight + forget), 0)
