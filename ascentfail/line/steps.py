r"""One step on one coordinate, written for any arithmetic; `dynamics` takes the same steps by differentiating the loss.

With h = eta lam (step size times ridge), b = |R_j|/(lam |R|), kappa = alpha b/phi and the slope l(w) = e^{-w}, or 1/(1 + e^w) for
the logistic loss:

    simultaneous   w + h ((b l(w) - kappa l(w)) - w)
    alternating    u = w + h (b l(w) - w),   then  u - h (kappa l(u) + u)      (retain first)
"""

from __future__ import annotations

from typing import Any

from ascentfail.core.errors import invalid
from ascentfail.core.explained import explained
from ascentfail.numerics.arithmetic import Arithmetic, Scalar
from ascentfail.numerics.sample_losses import EXPONENTIAL, Loss, LossName, named


@explained
def slope(w: Scalar, loss: Loss | LossName, xp: Arithmetic) -> Scalar:
    """Minus the derivative of the loss of one sample at margin w, e^{-w} or 1/(1 + e^w). Paper: Sec. 5.1."""
    return named(loss).force(w, xp)


@explained
def ascent_strength(p: Any) -> Scalar:
    """The pull of the forget samples in units of the ridge, kappa = alpha b/phi = |F_j|/(lam |F|). Paper: App. D.3."""
    return p.forget_b / p.phi


@explained
def retain_half(
    w: Scalar, p: Any, h: Scalar, *, loss: Loss | LossName = EXPONENTIAL, xp: Arithmetic
) -> Scalar:
    """Descent on the retain mean with its ridge, w + h (b l(w) - w). Paper: App. D.3."""
    return w + h * (p.b * slope(w, loss, xp) - w)


@explained
def forget_half(
    w: Scalar, p: Any, h: Scalar, *, loss: Loss | LossName = EXPONENTIAL, xp: Arithmetic
) -> Scalar:
    """Ascent on the forget mean with weight decay, w - h (kappa l(w) + w). Paper: App. D.3."""
    return w - h * (ascent_strength(p) * slope(w, loss, xp) + w)


@explained
def simultaneous(
    w: Scalar,
    p: Any,
    h: Scalar,
    *,
    ridges: int = 1,
    loss: Loss | LossName = EXPONENTIAL,
    xp: Arithmetic,
) -> Scalar:
    """One step of descent-ascent, w + h ((b - kappa) l(w) - ridges w). Paper: Sec. 5.1.1."""
    return w + h * ((p.b - ascent_strength(p)) * slope(w, loss, xp) - ridges * w)


@explained
def alternating(
    w: Scalar,
    p: Any,
    h: Scalar,
    *,
    order: str = "retain-first",
    loss: Loss | LossName = EXPONENTIAL,
    xp: Arithmetic,
) -> Scalar:
    """Both half-steps in turn, "retain-first" or "forget-first". Paper: Sec. 5.1.1, App. D.3."""
    if order not in ("retain-first", "forget-first"):
        raise invalid("order", order, "'retain-first' or 'forget-first'")
    halves = (retain_half, forget_half) if order == "retain-first" else (forget_half, retain_half)
    for half in halves:
        w = half(w, p, h, loss=loss, xp=xp)
    return w


@explained
def unridged_step(
    w: Scalar, h_retain: Scalar, excess: Scalar, xp: Arithmetic
) -> tuple[Scalar, Scalar]:
    """(u, w') of an alternating step without a ridge, eta rho = h_retain and eta kappa = h_retain e^excess."""
    u = w + h_retain * xp.exp(-w)
    return u, u - h_retain * xp.exp(excess) * xp.exp(-u)
