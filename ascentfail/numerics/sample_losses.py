r"""The losses of one sample of margin m, as objects: e^{-m} and ln(1 + e^{-m}), and whatever depends on which of the two it is.

A loss is the word that names it, and everything else that a formula or a solver needs of it; nobody else tells losses apart. With
the force l = -loss'(m) and the flatness f(m) = -ln l(m), e^{-m} has f(m) = m, and ln(1 + e^{-m}) has f(m) = ln(1 + e^m). Methods
with `xp` serve any of `ascentfail.numerics.arithmetic`, the others JAX.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, Literal

import jax.numpy as jnp

from ascentfail.core.errors import invalid
from ascentfail.numerics import logistic_root as logistic
from ascentfail.numerics.special import lambertw_exp_and_log

if TYPE_CHECKING:
    from ascentfail.numerics.arithmetic import Arithmetic

LossName = Literal["exponential", "logistic"]


class Loss(str):
    """A loss of one sample, equal to the word that names it.

    Attributes:
        bounded: whether l <= 1, so that a pull is at most its strength: no pull overflows, and descent-ascent has a minimum.
        straight: whether f is linear, so that the second derivative of the plane's balance is at hand.
        steps: most steps of the plane's solver, which ends when every problem of a batch is done.
        polish: Newton steps on both equations after them.
    """

    __slots__ = ()
    bounded: bool
    straight: bool
    steps: int
    polish: int

    @abstractmethod
    def value(self, m: Any, xp: Arithmetic) -> Any:
        """The loss at margin m. Paper: Sec. 5.1."""

    @abstractmethod
    def force(self, m: Any, xp: Arithmetic) -> Any:
        """l(m), minus the derivative of the loss."""

    @abstractmethod
    def bend(self, force: Any) -> Any:
        """-l'(m), from the force l(m)."""

    @abstractmethod
    def flatness(self, m: Any, xp: Arithmetic) -> Any:
        """f(m) = -ln l(m)."""

    @abstractmethod
    def flatness_slope(self, m: Any, xp: Arithmetic) -> Any:
        """f'(m) = -l'(m)/l(m)."""

    @abstractmethod
    def slope_at_flatness(self, f: Any) -> Any:
        """f'(m) = 1 - e^{-f} or 1, from f = f(m)."""

    @abstractmethod
    def margin_at_flatness(self, f: Any, slope: Any) -> Any:
        """The m with f(m) = f, from f and f'(m)."""

    @abstractmethod
    def weight(self, c: Any, xp: Arithmetic, branch: int = 0) -> Any:
        """The solution w of w = c l(w)."""

    @abstractmethod
    def pull(self, log_beta: Any, shift: Any, xp: Arithmetic) -> Any:
        """The s > 0 with s = beta l(s + shift)."""

    @abstractmethod
    def pull_and_log(self, log_beta: Any, shift: Any) -> tuple[Any, Any]:
        """The same s in JAX, and its logarithm."""

    # --- by weights: differences that vanish where those of the weights do ---

    @abstractmethod
    def inverse_force(self, m: Any, xp: Arithmetic) -> Any:
        """1/l(m), which is e^m or 1 + e^m."""

    @abstractmethod
    def with_offset(self, grown: Any, change: Any) -> Any:
        """What 1/l in place of e^m adds: `change` for the 1 of 1 + e^m."""

    @abstractmethod
    def growth(self, m: Any, grown: Any, xp: Arithmetic) -> Any:
        """l(m)/l(m + d) - 1, from grown = e^d - 1."""

    @abstractmethod
    def log_rise(self, w: Any, log_ratio: Any, xp: Arithmetic) -> Any:
        """Logarithm of c(w e^s)/c(w) with c = w/l(w), s = log_ratio; each term has the sign of s."""

    @abstractmethod
    def log_excess(self, w: Any, log_ratio: Any, xp: Arithmetic) -> Any:
        """That less w e^s - w."""


class _Exponential(Loss):
    __slots__ = ()
    bounded, straight = False, True
    # 16 were the most that any of 400,000 problems needed (b 1e-6..1e8, alpha/phi 1e-4..10 and within 1e-8..0.1 below 1, 1 -
    # epsilon 0 and 1e-14..1). Next to the fold a second polishing step would follow the rounding.
    steps, polish = 24, 1

    def value(self, m: Any, xp: Arithmetic) -> Any:
        return xp.exp(-m)

    def force(self, m: Any, xp: Arithmetic) -> Any:
        return xp.exp(-m)

    def bend(self, force: Any) -> Any:
        return force

    def flatness(self, m: Any, xp: Arithmetic) -> Any:
        return m

    def flatness_slope(self, m: Any, xp: Arithmetic) -> Any:
        return 1

    def slope_at_flatness(self, f: Any) -> Any:
        return jnp.ones_like(f)

    def margin_at_flatness(self, f: Any, slope: Any) -> Any:
        return f

    def weight(self, c: Any, xp: Arithmetic, branch: int = 0) -> Any:
        return xp.lambertw(c, branch)

    def pull(self, log_beta: Any, shift: Any, xp: Arithmetic) -> Any:
        return xp.lambertw_exp(log_beta - shift)

    def pull_and_log(self, log_beta: Any, shift: Any) -> tuple[Any, Any]:
        return lambertw_exp_and_log(log_beta - shift)

    def inverse_force(self, m: Any, xp: Arithmetic) -> Any:
        return xp.exp(m)

    def with_offset(self, grown: Any, change: Any) -> Any:
        return grown

    def growth(self, m: Any, grown: Any, xp: Arithmetic) -> Any:
        return grown

    def log_rise(self, w: Any, log_ratio: Any, xp: Arithmetic) -> Any:
        return log_ratio + w * (xp.exp(log_ratio) - 1)

    def log_excess(self, w: Any, log_ratio: Any, xp: Arithmetic) -> Any:
        return log_ratio


class _Logistic(Loss):
    __slots__ = ()
    bounded, straight = True, False
    # Of 60,000 problems, steps beyond 36 move 11 by more than 1e-12 of themselves (1e-10 at most), all with large b next to
    # epsilon = 1, where rounding ends the iteration; what has not converged says so.
    steps, polish = 36, 4

    def value(self, m: Any, xp: Arithmetic) -> Any:
        return xp.softplus(-m)

    def force(self, m: Any, xp: Arithmetic) -> Any:
        return xp.sigmoid(-m)

    def bend(self, force: Any) -> Any:
        return force * (1 - force)

    def flatness(self, m: Any, xp: Arithmetic) -> Any:
        return xp.softplus(m)

    def flatness_slope(self, m: Any, xp: Arithmetic) -> Any:
        return xp.sigmoid(m)

    def slope_at_flatness(self, f: Any) -> Any:
        return -jnp.expm1(-f)

    def margin_at_flatness(self, f: Any, slope: Any) -> Any:
        return f + jnp.log(slope)

    def weight(self, c: Any, xp: Arithmetic, branch: int = 0) -> Any:
        if branch != 0:
            raise invalid("branch", branch, "0: under the logistic loss the solution is unique")
        return xp.logisticw(c)

    def pull(self, log_beta: Any, shift: Any, xp: Arithmetic) -> Any:
        if xp.name != "mpmath":
            raise invalid(
                "xp",
                f"{xp.name} under the logistic loss",
                "mpmath; `stationary.plane` has both pulls in JAX",
            )
        return logistic.pull_mpmath(log_beta, shift)

    def pull_and_log(self, log_beta: Any, shift: Any) -> tuple[Any, Any]:
        return logistic.pull_and_log(log_beta, shift)

    def inverse_force(self, m: Any, xp: Arithmetic) -> Any:
        return 1 + xp.exp(m)

    def with_offset(self, grown: Any, change: Any) -> Any:
        return grown + change

    def growth(self, m: Any, grown: Any, xp: Arithmetic) -> Any:
        return grown * xp.sigmoid(m)

    def log_rise(self, w: Any, log_ratio: Any, xp: Arithmetic) -> Any:
        step = w * (xp.exp(log_ratio) - 1)
        return log_ratio + xp.log(1 + xp.sigmoid(w) * (xp.exp(step) - 1))

    def log_excess(self, w: Any, log_ratio: Any, xp: Arithmetic) -> Any:
        step = w * (xp.exp(log_ratio) - 1)
        return log_ratio + xp.log(1 - xp.sigmoid(-w) * (1 - xp.exp(-step)))


EXPONENTIAL, LOGISTIC = _Exponential("exponential"), _Logistic("logistic")
LOSSES = (EXPONENTIAL, LOGISTIC)


def named(loss: Any) -> Loss:
    """The loss that a word names.

    Args:
        loss: "exponential" or "logistic", or a Loss.

    Returns:
        Loss.

    Raises:
        ValueError: anything else.

    Paper: Sec. 5.1.
    """
    for known in LOSSES:
        if isinstance(loss, str) and loss == known:
            return known
    raise invalid("loss", loss, " or ".join(repr(str(x)) for x in LOSSES))


def required(p: Any, loss: Any) -> Loss:
    """The loss in which a formula speaks; a problem or point that has another one is refused.

    Args:
        p: anything; where it says no `loss`, every loss will do.
        loss: as in `named`.

    Returns:
        Loss.

    Raises:
        ValueError: the problem has another loss, or there is no such loss.
    """
    loss = named(loss)
    own = getattr(p, "loss", loss)
    if own != loss:
        takes = (
            f"{str(loss)!r} in a closed form; use ascentfail.stationary_point for the {own} loss"
        )
        raise invalid("loss", own, takes)
    return loss
