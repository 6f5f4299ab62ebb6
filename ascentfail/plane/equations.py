r"""Two correlated directions: the equations of the stationary points in the plane, written once for any arithmetic.

The margins are x = s_1 + q s_2 of a retain and y = q s_1 + s_2 of a forget sample, with the pulls s_1 and s_2 of the two kinds. A
function takes `p` and `xp` as those of `line.closed_form` do. A function without "Raises:" never raises on numbers: where no real
value exists it is NaN.
"""

from __future__ import annotations

from typing import Any

from ascentfail.core.explained import explained
from ascentfail.core.models import Model, check_model
from ascentfail.numerics.arithmetic import JAX, Arithmetic, Scalar
from ascentfail.numerics.sample_losses import EXPONENTIAL, Loss, LossName, named, required


@explained
def cosine(p: Any) -> Scalar:
    """Cosine between a retain and a forget sample, q = 2 eps/(1 + eps^2).

    Args:
        p: problem or point with 0 <= epsilon <= 1, scalar.

    Returns:
        q in [0, 1].

    Paper: Sec. 5.1.2.
    """
    return 2 * p.epsilon / (1 + p.epsilon * p.epsilon)


@explained
def one_minus_cosine(p: Any) -> Scalar:
    """Every digit of 1 - q = (1 - eps)^2/(1 + eps^2), also where the two samples are nearly the same.

    Args:
        p: problem or point with 0 <= epsilon <= 1, scalar.

    Returns:
        1 - q in [0, 1].

    Ours: 1 less `cosine`, as one fraction.
    """
    return (1 - p.epsilon) ** 2 / (1 + p.epsilon * p.epsilon)


@explained
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


@explained
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


@explained
def margins(s1: Scalar, s2: Scalar, q: Scalar) -> tuple[Scalar, Scalar]:
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


@explained
def weights(s1: Scalar, s2: Scalar, epsilon: Scalar) -> tuple[Scalar, Scalar]:
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


@explained
def oracle(
    p: Any, *, loss: Loss | LossName = EXPONENTIAL, xp: Arithmetic = JAX
) -> tuple[Scalar, Scalar]:
    """Margins of the oracle, x_R = W(beta), y_R = q x_R.

    Args:
        p: problem or ratios with b >= 0, 0 <= epsilon <= 1; scalars.
        loss: "exponential" or "logistic", in which the solution of x = beta/(1 + e^x) stands for W(beta).
        xp: arithmetic.

    Returns:
        (x_R, y_R), both >= 0.

    Raises:
        ValueError: the problem has another loss.

    Paper: Lemma 6.
    """
    x = required(p, loss).weight(retain_strength(p, "oracle"), xp)
    return x, cosine(p) * x


@explained
def retain_pull(
    s2: Scalar,
    beta: Scalar,
    q: Scalar,
    *,
    loss: Loss | LossName = EXPONENTIAL,
    xp: Arithmetic = JAX,
) -> Scalar:
    """The retain pull for a given s_2: s_1 = W(beta e^{-q s_2}), which solves s_1 = beta e^{-x}.

    In mpmath under the logistic loss the solution of s_1 = beta/(1 + e^x).

    Args:
        s2: signed pull of the forget samples, any finite scalar.
        beta: strength of the retain samples, > 0, scalar.
        q: cosine, 0 <= q <= 1, scalar.
        loss: "exponential" or "logistic".
        xp: arithmetic.

    Returns:
        s_1 > 0.

    Raises:
        ValueError: another arithmetic than mpmath under the logistic loss.

    Ours: Lemma 6 with s_2 held.
    """
    return named(loss).pull(xp.log(beta), q * s2, xp)


@explained
def flatness(
    margin: Scalar, *, loss: Loss | LossName = EXPONENTIAL, xp: Arithmetic = JAX
) -> Scalar:
    """Minus the logarithm of the force l of a loss: f(m) = -ln l(m), m for e^{-m}, ln(1 + e^m) for 1/(1 + e^m).

    Args:
        margin: m, any finite scalar.
        loss: "exponential" or "logistic".
        xp: arithmetic.

    Returns:
        f(m). Never raises.

    Ours: what stands for the margin under either loss.
    """
    return named(loss).flatness(margin, xp)


@explained
def balance(
    size: Scalar,
    beta: Scalar,
    gamma: Scalar,
    q: Scalar,
    sign: int,
    *,
    loss: Loss | LossName = EXPONENTIAL,
    xp: Arithmetic = JAX,
) -> Scalar:
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
        loss: "exponential" or "logistic".
        xp: arithmetic.

    Returns:
        g(S).

    Ours: the equations of App. I in one unknown; h(B) of descent-ascent is g(B) + ln gamma.
    """
    s1 = retain_pull(sign * size, beta, q, loss=loss, xp=xp)
    return xp.log(size) + flatness(q * s1 + sign * size, loss=loss, xp=xp) - xp.log(gamma)


@explained
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


@explained
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


@explained
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


@explained
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


@explained
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


@explained
def squared_distance_to_oracle(
    s1: Scalar, s2: Scalar, p: Any, *, loss: Loss | LossName = EXPONENTIAL, xp: Arithmetic = JAX
) -> Scalar:
    """Squared distance to the oracle, (1 + eps^2) |w - w_R|^2 = (x - X)^2 + (1 - q^2) s_2^2, X = W(beta).

    Args:
        s1: pull of the retain samples, >= 0, scalar.
        s2: signed pull of the forget samples, any scalar.
        p: problem or ratios with b >= 0, 0 <= epsilon <= 1; scalars.
        loss: "exponential" or "logistic".
        xp: arithmetic.

    Returns:
        (1 + eps^2) |w - w_R|^2 >= 0.

    Raises:
        ValueError: the problem has another loss.
    """
    q = cosine(p)
    gap = margins(s1, s2, q)[0] - oracle(p, loss=loss, xp=xp)[0]
    return gap * gap + (1 - q * q) * s2 * s2
