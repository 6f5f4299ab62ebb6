"""Derive the rational approximations that ``ascentfail.numerics.special`` stores, and print them with their errors.

Run ``python benchmarks/lambertw_coefficients.py``: about a minute, mpmath alone.  Every fit is a weighted minimax
rational function P(x)/Q(x), Q(0)=1, found by Lawson's method: linearised least squares on a fixed grid, the weights
multiplied by the error after every solve, so that the error levels out.  The weight is what the final result can
stand: one step of Fritsch, Shafer and Crowley (1973) turns a relative error d into c(w) d^4 with
c(w) = (2 w^2 - 8 w - 1) / (72 (1 + w)^3), so the start is allowed the d that brings c d^4 down to one fixed size.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import mpmath as mp

DIGITS = 40  # of the fit; the stored coefficients are the nearest float64
NEAR0, NEAR1 = (
    0.8,
    0.6,
)  # p below which the series at the branch point is used, for W_0 and for W_{-1}
HUGE = 1e12  # y above which y - log y is W_0(e^y) to the last bit


@dataclass(frozen=True)
class Fit:
    """One approximation: the exact function, the interval, degrees, the error allowed, the grid's crowding."""

    name: str
    exact: Callable[[mp.mpf], mp.mpf]
    low: float
    high: float
    degrees: tuple[int, int]
    allowed: Callable[[mp.mpf], mp.mpf]
    power: float = 1.0  # above 1, the grid crowds towards `low`


def start_allowed(w: mp.mpf) -> mp.mpf:
    """Relative error of a start at which one Fritsch step leaves 1e-17 relative."""
    growth = max(abs(2 * w * w - 8 * w - 1), 1 + w * w)
    return min(mp.mpf("1e-3"), (mp.mpf("1e-17") * 72 * abs(1 + w) ** 3 / growth) ** mp.mpf("0.25"))


def w_of_p(p: mp.mpf) -> mp.mpf:
    """W as a function of p = sqrt(2 (e z + 1)): W_0 for p >= 0, W_{-1} for p < 0."""
    with mp.workdps(3 * DIGITS):
        return mp.re(mp.lambertw((p * p / 2 - 1) / mp.e, 0 if p >= 0 else -1))


def series_tail(p: mp.mpf) -> mp.mpf:
    """S(p) in W = -1 + p - p^2 S(p)."""
    with mp.workdps(3 * DIGITS):
        return mp.mpf(1) / 3 if p == 0 else (p - 1 - w_of_p(p)) / p**2


def w0_of_log(y: mp.mpf) -> mp.mpf:
    """W_0 as a function of y = log(1 + p)."""
    return w_of_p(mp.expm1(y))


def w1_of_root(s: mp.mpf) -> mp.mpf:
    """W_{-1}(z) as a function of s = sqrt(2 (-1 - log(-z)))."""
    return mp.re(mp.lambertw(-mp.exp(-1 - s * s / 2), -1))


def w0_of_exp(y: mp.mpf) -> mp.mpf:
    """W_0(e^y)."""
    return mp.re(mp.lambertw(mp.exp(y)))


def log_w0(u: mp.mpf) -> mp.mpf:
    """Log(W_0(e^y)) as a function of u = log y."""
    y = mp.exp(u)
    return mp.log(w0_of_exp(y))


FITS = [
    Fit("LOG", mp.log, 1.0, 2.0, (6, 0), lambda m: mp.mpf("1e-5")),
    Fit("NEAR0", series_tail, 0.0, NEAR0, (5, 5), lambda p: mp.mpf("1e-17") * abs(w_of_p(p)) / max(p * p, 0.01)),
    Fit("NEAR1", lambda p: series_tail(-p), 0.0, NEAR1, (5, 5),
        lambda p: mp.mpf("1e-17") * abs(w_of_p(-p)) / max(p * p, 0.01)),
    Fit("START0", w0_of_log, float(mp.log(1 + NEAR0)), 355.4, (5, 4), lambda y: start_allowed(w0_of_log(y)), 3.0),
    Fit("START1", w1_of_root, float(mp.sqrt(-2 - 2 * mp.log((1 - NEAR1**2 / 2) / mp.e))), 37.7, (4, 2),
        lambda s: start_allowed(w1_of_root(s)), 2.0),
    Fit("EXP_LOW", w0_of_exp, -10.0, 1.0, (4, 3), lambda y: start_allowed(w0_of_exp(y))),
    Fit("EXP_HIGH", log_w0, 0.0, float(mp.log(HUGE)), (4, 4), lambda u: start_allowed(mp.exp(log_w0(u))), 2.0),
]  # fmt: skip


def grid(fit: Fit, count: int) -> list[mp.mpf]:
    """Chebyshev-spaced points of the interval, crowded towards its lower end."""
    unit = [(1 - mp.cos(mp.pi * k / (count - 1))) / 2 for k in range(count)]
    return [fit.low + (mp.mpf(fit.high) - fit.low) * u**fit.power for u in unit]


def horner(coefficients: list[mp.mpf], x: mp.mpf) -> mp.mpf:
    """The polynomial with the coefficients in ascending order, at x."""
    total = mp.mpf(0)
    for c in reversed(coefficients):
        total = total * x + c
    return total


def solve(fit: Fit, rounds: int = 30) -> tuple[list[mp.mpf], list[mp.mpf]]:
    """Lawson's iteration; returns the ascending coefficients of numerator and denominator."""
    m, n = fit.degrees
    xs = grid(fit, 12 * (m + n + 1))
    fs = [fit.exact(x) for x in xs]
    tolerance = [fit.allowed(x) for x in xs]
    lawson = [mp.mpf(1)] * len(xs)
    q_old = [mp.mpf(1)] * len(xs)
    best: tuple[mp.mpf, list[mp.mpf], list[mp.mpf]] | None = None
    for _ in range(rounds):
        rows, right = [], []
        for x, f, tol, weight, q in zip(xs, fs, tolerance, lawson, q_old, strict=True):
            scale = mp.sqrt(weight) / (tol * q)
            rows.append(
                [scale * x**k for k in range(m + 1)] + [-scale * f * x**k for k in range(1, n + 1)]
            )
            right.append(scale * f)
        solution = list(mp.qr_solve(mp.matrix(rows), mp.matrix(right))[0])
        top, bottom = solution[: m + 1], [mp.mpf(1), *solution[m + 1 :]]
        q_old = [horner(bottom, x) for x in xs]
        misfit = [
            abs(horner(top, x) / q - f) / tol
            for x, f, q, tol in zip(xs, fs, q_old, tolerance, strict=True)
        ]
        worst = max(misfit)
        if best is None or worst < best[0]:
            best = worst, top, bottom
        lawson = [
            weight * (e / worst + mp.mpf("1e-3")) for weight, e in zip(lawson, misfit, strict=True)
        ]
        total = sum(lawson)
        lawson = [weight / total for weight in lawson]
    assert best is not None
    return best[1], best[2]


def main() -> None:
    """Print every fit, rounded to float64, and its error on a grid three times finer than the one it was fitted on."""
    mp.mp.dps = DIGITS
    for fit in FITS:
        top, bottom = solve(fit)
        top, bottom = ([mp.mpf(float(c)) for c in side] for side in (top, bottom))
        xs = grid(fit, 36 * (sum(fit.degrees) + 1) + 1)
        errors = [abs(horner(top, x) / horner(bottom, x) - fit.exact(x)) for x in xs]
        share = max(e / fit.allowed(x) for e, x in zip(errors, xs, strict=True))
        print(f"# {fit.name} on [{fit.low:.6g}, {fit.high:.6g}]: error {float(max(errors)):.2e}, "
              f"{float(share):.3g} of what is allowed; smallest denominator "
              f"{float(min(horner(bottom, x) for x in xs)):.3g}")  # fmt: skip
        for part, side in (("P", top), ("Q", bottom)):
            print(f"_{fit.name}_{part} = ({', '.join(repr(float(c)) for c in side)})")


if __name__ == "__main__":
    main()
