"""Identities that stand alone: expressions that reduce to zero, and solutions of equations, of the closed forms themselves."""

from __future__ import annotations

from typing import Any

from ascentfail.claims.claim import Point
from ascentfail.claims.evidence.symbolic import Expression, Unknowns, reduced, sympy
from ascentfail.core.errors import invalid
from ascentfail.core.models import Model
from ascentfail.line import closed_form
from ascentfail.numerics.arithmetic import symbolic
from ascentfail.numerics.sample_losses import EXPONENTIAL
from ascentfail.plane import bounds as plane_bounds
from ascentfail.plane import equations as plane_equations


def _positive(names: str) -> Point:
    return Point(
        loss=EXPONENTIAL, **{name: sympy.Symbol(name, positive=True) for name in names.split()}
    )


def stationarity() -> dict[str, Expression]:
    """Gradients over the ridge, by differentiation of the objectives, at every closed form; each is zero.

    Returns:
        Name of the closed form (and component in the plane) -> reduced gradient. In the plane original and descent-ascent are
        given by their forget pull, with the alpha that it belongs to.

    Source: the models of Sec. 5; App. D, F, I and J.
    """
    p, unknowns = _positive("b phi alpha epsilon pull rho kappa"), Unknowns()
    return _on_a_line(p, unknowns) | _in_the_plane(p, unknowns) | _at_duplicates(p, unknowns)


def _on_a_line(p: Any, unknowns: Unknowns) -> dict[str, Expression]:
    """From the losses: |R_j|/|R| = b lam, |F_j|/|F| = (alpha/phi) b lam."""
    xp, w = unknowns.arithmetic(), sympy.Symbol("w", real=True)
    retain, forget, unlearned = p.b, p.alpha * p.b / p.phi, closed_form.descent_ascent
    found = {}
    for name, count, solution in (
        ("original", (retain + p.phi * forget) / (1 + p.phi), closed_form.original(p, xp=xp)),
        ("oracle", retain, closed_form.oracle(p, xp=xp)),
        ("descent_ascent", retain - forget, unlearned(p, 0, xp=xp)),
        ("descent_ascent, branch -1", retain - forget, unlearned(p, -1, xp=xp)),
    ):
        slope = sympy.diff(count * sympy.exp(-w) + w * w / 2, w)
        found[name] = reduced(slope.subs(w, solution), unknowns)
    return found


def _gradient(epsilon: Any, retain: Any, forget: Any, at: tuple[Any, Any]) -> list[Expression]:
    """Gradient of retain e^{-(w_1 + eps w_2)} + forget e^{-(eps w_1 + w_2)} + |w|^2/2 at a point."""
    w = sympy.symbols("w_1 w_2", real=True)
    x, y = w[0] + epsilon * w[1], epsilon * w[0] + w[1]
    objective = retain * sympy.exp(-x) + forget * sympy.exp(-y) + (w[0] ** 2 + w[1] ** 2) / 2
    return [
        sympy.diff(objective, s).subs(dict(zip(w, at, strict=True)), simultaneous=True) for s in w
    ]


def _in_the_plane(p: Any, unknowns: Unknowns) -> dict[str, Expression]:
    xp, q = unknowns.arithmetic(), plane_equations.cosine(p)
    first = plane_equations.retain_pull(
        p.pull, plane_equations.retain_strength(p, "original"), q, xp=xp
    )
    second = plane_equations.retain_pull(
        -p.pull, plane_equations.retain_strength(p, "descent_ascent"), q, xp=xp
    )
    share = p.b / (1 + p.phi)
    found = {}
    for name, retain, forget, s1, s2 in (
        (
            "original",
            share,
            share * plane_equations.alpha_of_original(p.pull, p, xp=xp),
            first,
            p.pull,
        ),
        ("oracle", p.b, 0, plane_equations.oracle(p, xp=xp)[0], 0),
        (
            "descent_ascent",
            p.b,
            -p.b / p.phi * plane_equations.alpha_of_descent_ascent(p.pull, p, xp=xp),
            second,
            -p.pull,
        ),
    ):
        slopes = _gradient(p.epsilon, retain, forget, plane_equations.weights(s1, s2, p.epsilon))
        found |= {
            f"{name} in the plane, {i}": reduced(slope, unknowns)
            for i, slope in enumerate(slopes, 1)
        }
    return found


def _at_duplicates(p: Any, unknowns: Unknowns) -> dict[str, Expression]:
    """At epsilon = 1, where both weights are half of the limit of Appendix J."""
    xp, found = unknowns.arithmetic(), {}
    weights: dict[Model, Any] = {"original": p.kappa, "oracle": 0, "descent_ascent": -p.kappa}
    for which, forget in weights.items():
        half = plane_bounds.duplicate_limit(p.rho, p.kappa, which, xp=xp) / 2
        found[f"{which} at epsilon = 1"] = reduced(
            _gradient(1, p.rho, forget, (half, half))[0], unknowns
        )
    return found


def alternating_expansion(order: str = "retain-first", terms: int = 4) -> tuple[Expression, ...]:
    r"""Coefficients of eta^0, eta^1, ... in one step of alternating descent-ascent on one coordinate.

        retain first:  u = w + eta (rho e^{-w} - lam w),    w_next = u - eta (kappa e^{-u} + lam u)
        forget first:  u = w - eta (kappa e^{-w} + lam w),  w_next = u + eta (rho e^{-u} - lam u)

    Args:
        order: "retain-first" or "forget-first".
        terms: how many coefficients, >= 1.

    Returns:
        Expanded expressions in w (real) and rho, kappa, lam (positive).

    Raises:
        ValueError: another order.

    Source: ours; App. D.3.
    """
    if order not in ("retain-first", "forget-first"):
        raise invalid("order", order, "'retain-first' or 'forget-first'")
    p, w = _positive("rho kappa lam eta"), sympy.Symbol("w", real=True)

    def half(at: Expression, retain: bool) -> Expression:
        pull = p.rho * sympy.exp(-at) if retain else -p.kappa * sympy.exp(-at)
        return at + p.eta * (pull - p.lam * at)

    step = half(half(w, order == "retain-first"), order != "retain-first")
    derivatives = (
        sympy.diff(step, p.eta, k).subs(p.eta, 0) / sympy.factorial(k) for k in range(terms)
    )
    return tuple(sympy.expand(value) for value in derivatives)


def first_step() -> dict[str, Expression]:
    """The first step from a stationary point of L_D, minus what beyond-1.identity says it is; each is zero.

    Any differentiable losses and data: one component of the mean gradients g_R, g_F and of the weights enters as a free symbol,
    and g_F is what stationarity of L_D makes it.
    """
    p, (retain, forget, w) = _positive("R F lam"), sympy.symbols("g_R g_F w", real=True)
    (forget,) = sympy.solve((p.R * retain + p.F * forget) / (p.R + p.F) + p.lam * w, forget)
    oracle, share = retain + p.lam * w, (p.R + p.F) / p.F
    return {
        "descent_ascent": sympy.cancel(-(retain - forget + p.lam * w) + share * oracle + p.lam * w),
        "ridge treated alike": sympy.cancel(-(oracle - (forget + p.lam * w)) + share * oracle),
        "ascent": sympy.cancel(forget + p.lam * w + p.R / p.F * oracle),
    }


def oracle_displacement(dimension: int = 2, losses: str = "means") -> Expression:
    r"""det(H_R) times theta_R - theta_D minus the influence formula, for quadratic losses; the zero vector.

        means:  theta_R - theta_D = (|F|/|R|) H_R^{-1} (grad l_F + lam theta_D),    sums:  H_R^{-1} grad sum_F l

    Args:
        dimension: of theta, 1 to 3.
        losses: "means" or "sums" over R, F and D.

    Returns:
        (dimension, 1) matrix, expanded.

    Raises:
        ValueError: another dimension or kind of loss.
    """
    if dimension not in (1, 2, 3):
        raise invalid("dimension", dimension, "1, 2 or 3")
    if losses not in ("means", "sums"):
        raise invalid("losses", losses, "'means' or 'sums'")
    p, size = _positive("R F lam"), range(dimension)
    # retain loss t.A t/2 - a.t, forget loss t.B t/2 - c.t, each the mean or the sum of its set
    curved = {
        n: sympy.Matrix(
            dimension, dimension, lambda i, j, n=n: sympy.Symbol(f"{n}{min(i, j)}{max(i, j)}")
        )
        for n in "AB"
    }
    theta, a, c = (sympy.Matrix([sympy.Symbol(f"{n}{i}") for i in size]) for n in "tac")
    retain, forget = curved["A"] * theta - a, curved["B"] * theta - c
    total = p.R + p.F
    objective = (p.R * retain + p.F * forget) / total if losses == "means" else retain + forget
    slope = objective + p.lam * theta
    solved = sympy.solve([slope[i] for i in size], [a[i] for i in size], dict=True)[
        0
    ]  # theta = theta_D
    formula = p.F / p.R * (forget + p.lam * theta) if losses == "means" else forget
    hessian = curved["A"] + p.lam * sympy.eye(dimension)
    difference = hessian.adjugate() * (a.subs(solved) - formula) - hessian.det() * theta
    return difference.applyfunc(sympy.expand)


def distance_identity() -> Expression:
    """(1 + eps^2)|w - w_R|^2 - (x - X)^2 - (1 - q^2) s_2^2 at any s_1, s_2, X; zero. Source: ours."""
    epsilon, (s1, s2, big) = (
        sympy.Symbol("epsilon", positive=True),
        sympy.symbols("s_1 s_2 X", real=True),
    )
    q = plane_equations.cosine(Point(epsilon=epsilon))
    w, oracle = plane_equations.weights(s1, s2, epsilon), plane_equations.weights(big, 0, epsilon)
    squared = (w[0] - oracle[0]) ** 2 + (w[1] - oracle[1]) ** 2
    gap = plane_equations.margins(s1, s2, q)[0] - big
    return sympy.cancel((1 + epsilon**2) * squared - gap**2 - (1 - q * q) * s2**2)


def thresholds() -> dict[str, Expression]:
    """The alphas at which two expressions are equal, solved for.

    Returns:
        "line": c_DA = c_D (Lemma 3). "in x", "in y": the lower bound of Lemma 7 meets the upper one of Lemma 8 (Lemma 9).

    Source: Lemmas 3, 7, 8 and 9.
    """
    p, xp = _positive("b phi alpha epsilon"), symbolic()
    x_low, _, y_low, _ = plane_bounds.original_bounds(p, xp=xp)
    x_high, y_high = plane_bounds.descent_ascent_bounds(p, xp=xp)
    line = closed_form.coefficient(p, "original") - closed_form.coefficient(p, "descent_ascent")
    # W is increasing: values are equal where arguments are
    gaps = {
        "line": line,
        "in x": x_low.args[0] - x_high.args[0],
        "in y": y_low.args[0] - y_high.args[0],
    }
    solved = {name: sympy.solve(gap, p.alpha) for name, gap in gaps.items()}
    return {name: sympy.factor(alpha) for name, (alpha,) in solved.items()}


def ordering() -> dict[str, Expression]:
    r"""The exact thresholds of the plane, by solving x_D = x_R and y_D = y_R along the curve of originals; each entry is zero.

        x_D = X:    U = beta_D e^{-X},  V = (X - U)/q
        y_D = q X:  V = q (X - U),  U = beta_D e^{-(U + qV)},  so (1-q^2) U e^{(1-q^2) U} = (1-q^2) beta_D e^{-q^2 X}

    Returns:
        "x", "y": V e^y/beta_D minus `plane.bounds.ordering_alphas`. "y, pull": the last equation, U put in from the one before.
    """
    p, unknowns = _positive("b phi epsilon"), Unknowns()
    xp, q, beta = (
        unknowns.arithmetic(),
        plane_equations.cosine(p),
        plane_equations.retain_strength(p, "original"),
    )
    big, (first, second) = (
        plane_equations.oracle(p, xp=xp)[0],
        plane_bounds.ordering_alphas(p, xp=xp),
    )
    u, v = sympy.symbols("U V", positive=True)
    rest = 1 - q * q
    target = rest * beta * sympy.exp(-q * q * big)
    at_x, at_y = {u: beta * sympy.exp(-big)}, {u: xp.lambertw(target, 0) / rest}
    (at_x[v],) = sympy.solve(at_x[u] + q * v - big, v)
    (held,) = sympy.solve(q * u + v - q * big, v)
    alpha, pull = v * sympy.exp(q * u + v) / beta, beta * sympy.exp(-u - q * held)
    return {
        "x": reduced(alpha.subs(at_x) - first, unknowns),
        "y": reduced(alpha.subs(v, held).subs(at_y) - second, unknowns),
        "y, pull": reduced(rest * pull * sympy.exp(rest * u) - target, unknowns),
    }
