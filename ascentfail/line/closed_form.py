r"""One coordinate: every solution is w = W(c). The closed forms of the paper, and ours beyond it, once for any arithmetic.

A function takes `p`, anything with the ratios it needs as attributes (`b`, `forget_b` = alpha b, `phi`, `alpha`, `epsilon`):
a problem, or a point of a claim's domain. `xp` is one of `ascentfail.numerics.arithmetic`; the default computes with JAX. Letters
follow the table in `ascentfail/__init__.py`; solutions hold for the exponential loss, unless `loss` says otherwise. A function
without "Raises:" never raises on numbers: where no real value exists it is NaN.
"""

from __future__ import annotations

from typing import Any

from ascentfail.core.errors import invalid
from ascentfail.core.explained import explained
from ascentfail.core.models import Model, check_model
from ascentfail.numerics.arithmetic import JAX, Arithmetic, Scalar
from ascentfail.numerics.sample_losses import EXPONENTIAL, Loss, LossName, required


def _require_coordinate(p: Any) -> None:
    """Refuses a problem of the plane, which has the ratios too, but other solutions; and a dict, which has no attributes."""
    if isinstance(p, dict) or not getattr(p, "on_axes", True):
        takes = "a SemiOrthogonal, or ratios of one coordinate as attributes; for the plane use ascentfail.stationary_point"
        raise invalid("p", type(p).__name__, takes)


@explained
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


@explained
def original(p: Any, *, loss: Loss | LossName = EXPONENTIAL, xp: Arithmetic = JAX) -> Scalar:
    """Weight of the original model, w_D = W(b (1 + alpha)/(1 + phi)).

    Args:
        p: problem or ratios with b >= 0, forget_b >= 0, phi > 0; scalar or (axes,).
        loss: "exponential" or "logistic", in which the solution of w = c/(1 + e^w) stands for W(c).
        xp: arithmetic.

    Returns:
        w_D >= 0, the minimiser of L_D.

    Raises:
        ValueError: the problem has another loss, or lies in the plane.

    Paper: Sec. 5.1.1, App. D.
    """
    _require_coordinate(p)
    return required(p, loss).weight(coefficient(p, "original"), xp)


@explained
def oracle(p: Any, *, loss: Loss | LossName = EXPONENTIAL, xp: Arithmetic = JAX) -> Scalar:
    """Weight of the oracle, w_R = W(b).

    Args:
        p: problem or ratios with b >= 0; scalar or (axes,).
        loss: "exponential" or "logistic", in which the solution of w = c/(1 + e^w) stands for W(c).
        xp: arithmetic.

    Returns:
        w_R >= 0, the minimiser of L_R.

    Raises:
        ValueError: the problem has another loss, or lies in the plane.

    Paper: Sec. 5.1.1, App. D.
    """
    _require_coordinate(p)
    return required(p, loss).weight(coefficient(p, "oracle"), xp)


@explained
def descent_ascent(
    p: Any, branch: int = 0, *, loss: Loss | LossName = EXPONENTIAL, xp: Arithmetic = JAX
) -> Scalar:
    """Stationary weight of descent-ascent, w_DA = W_branch(b (1 - alpha/phi)).

    Args:
        p: problem or ratios with b >= 0, forget_b >= 0, phi > 0; scalar or (axes,).
        branch: 0 or -1; branch -1 exists for -1/e <= b (1 - alpha/phi) < 0.
        loss: "exponential" or "logistic", in which the solution of w = c/(1 + e^w) stands for W(c); it has no branch -1.
        xp: arithmetic.

    Returns:
        w_DA, NaN where no real solution exists (b (1 - alpha/phi) < -1/e).

    Raises:
        ValueError: branch is neither 0 nor -1, or the problem has another loss, or lies in the plane.

    Paper: Sec. 5.1.1, App. D and F.
    """
    _require_coordinate(p)
    loss = required(p, loss)
    if branch not in (0, -1):
        raise invalid("branch", branch, "0 or -1")
    return loss.weight(coefficient(p, "descent_ascent"), xp, branch)


@explained
def with_ridges(p: Any, ridges: int, *, xp: Arithmetic = JAX) -> Scalar:
    """Weight that descent-ascent has with a multiple of the ridge, W(c_DA/ridges); 2 to leading order of an alternating step.

    Args:
        p: problem or ratios with b >= 0, forget_b >= 0, phi > 0; scalar or (axes,).
        ridges: how many ridges, >= 1.
        xp: arithmetic.

    Returns:
        w = W(c_DA/ridges), NaN where c_DA/ridges < -1/e.

    Raises:
        ValueError: the problem has the logistic loss, or lies in the plane.

    Paper: App. D.3.
    """
    _require_coordinate(p)
    return required(p, EXPONENTIAL).weight(coefficient(p, "descent_ascent") / ridges, xp)


@explained
def curvature(w: Scalar) -> Scalar:
    """Second derivative of the objective at a solution w = c e^{-w}, over the ridge: 1 + w.

    Args:
        w: the solution, any real number, scalar or (axes,).

    Returns:
        1 + w, > 0 at a minimum.

    Paper: App. F.
    """
    return 1 + w


@explained
def first_step(p: Any, *, xp: Arithmetic = JAX) -> Scalar:
    """Direction of the first descent-ascent step, -L_DA'(w_D)/ridge = c_DA e^{-w_D} - w_D.

    Args:
        p: problem or ratios with b >= 0, forget_b >= 0, phi > 0; scalar or (axes,).
        xp: arithmetic.

    Returns:
        The direction, of any sign.

    Raises:
        ValueError: the problem has the logistic loss, or lies in the plane.

    Paper: Sec. 5.1.1.
    """
    w = original(p, xp=xp)
    return coefficient(p, "descent_ascent") * xp.exp(-w) - w


@explained
def wrong_way_alpha(phi: Scalar) -> Scalar:
    """Smallest alpha at which descent-ascent ends beyond the original, alpha = phi^2/(1 + 2 phi).

    Args:
        phi: |F|/|R| >= 0, scalar.

    Returns:
        The threshold, 0 <= alpha <= phi.

    Paper: Lemma 3, App. F.
    """
    return phi * phi / (1 + 2 * phi)


@explained
def existence_alpha(p: Any, *, xp: Arithmetic = JAX) -> Scalar:
    """Largest alpha at which descent-ascent has a solution on one coordinate, alpha = phi (1 + 1/(e b)), where c_DA = -1/e.

    Args:
        p: problem or ratios with phi > 0, b > 0; scalar or (axes,).
        xp: arithmetic.

    Returns:
        alpha > phi; inf where b = 0.

    Raises:
        ValueError: the problem lies in the plane.

    Paper: App. F, the domain of W.
    """
    _require_coordinate(p)
    return p.phi * (1 + 1 / (xp.exp(xp.number(1)) * p.b))


@explained
def displacement_bound(p: Any, *, xp: Arithmetic = JAX) -> Scalar:
    """The bound on the distance of original and oracle, |w_D - w_R| <= |ln((1 + alpha)/(1 + phi))|, for every ridge.

    Args:
        p: problem or ratios with alpha >= 0, phi > 0; scalar or (axes,).
        xp: arithmetic.

    Returns:
        The bound, >= 0; inf where the group has no retain sample.

    Raises:
        ValueError: the problem lies in the plane.

    Paper: Lemma 4.
    """
    _require_coordinate(p)
    return xp.abs(xp.log((1 + p.alpha) / (1 + p.phi)))
