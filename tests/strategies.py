"""Hypothesis strategies for problems that satisfy every stated range, from a few shape buckets (each new shape compiles anew)."""

from types import SimpleNamespace

import hypothesis.strategies as st
import mpmath
import numpy as np

import ascentfail as af

SHAPES = ((), (3,))
MODELS = ("original", "oracle", "descent_ascent")
LOSSES = ("exponential", "logistic")


def real(low: float, high: float) -> st.SearchStrategy[float]:
    """Uniform in a closed range."""
    return st.floats(low, high, allow_subnormal=False)


def scale(low: float, high: float) -> st.SearchStrategy[float]:
    """A positive number whose order of magnitude is uniform, 10^low to 10^high."""
    return real(low, high).map(lambda exponent: 10.0**exponent)


def _per_axis(total: float, shape: tuple[int, ...]) -> st.SearchStrategy:
    """Counts from none to all of the total, on one axis or on each of several."""
    share = st.one_of(st.sampled_from([0.0, 1.0]), scale(-6, 0))
    if not shape:
        return share.map(lambda s: s * total)
    return st.lists(share, min_size=shape[0], max_size=shape[0]).map(lambda s: np.array(s) * total)


@st.composite
def axis_problems(draw, loss: str = "exponential", shapes=SHAPES):
    """SemiOrthogonal problems with real counts, the ends of every range included."""
    shape = draw(st.sampled_from(shapes))
    retain_total, forget_total = draw(scale(0, 4)), draw(scale(0, 4))
    return af.SemiOrthogonal(
        draw(_per_axis(retain_total, shape)), draw(_per_axis(forget_total, shape)), retain_total, forget_total,
        draw(scale(-5, 1)), loss,
    )  # fmt: skip


@st.composite
def plane_problems(draw, loss: str = "exponential"):
    """CrossCorrelated problems with real counts, the ends of every range included."""
    retain_total, forget_total = draw(scale(0, 4)), draw(scale(0, 4))
    epsilon = draw(st.one_of(st.sampled_from([0.0, 1.0]), real(0.0, 1.0)))
    return af.CrossCorrelated(
        epsilon, draw(_per_axis(retain_total, ())), draw(_per_axis(forget_total, ())), retain_total, forget_total,
        draw(scale(-5, 1)), loss,
    )  # fmt: skip


@st.composite
def whole_axis_problems(draw, loss: str = "exponential", shapes=((), (2,))):
    """SemiOrthogonal problems whose samples can be listed: whole counts whose sum over the axes is within the total."""
    shape = draw(st.sampled_from(shapes))
    counts = []
    for total in (draw(st.integers(4, 30)), draw(st.integers(4, 20))):
        if not shape:
            counts.append((draw(st.integers(0, total)), total))
        else:
            first = draw(st.integers(0, total))
            counts.append((np.array([first, draw(st.integers(0, total - first))]), total))
    (retain, retain_total), (forget, forget_total) = counts
    return af.SemiOrthogonal(retain, forget, retain_total, forget_total, draw(scale(-2, 0)), loss)


@st.composite
def whole_plane_problems(draw, loss: str = "exponential"):
    """CrossCorrelated problems whose samples can be listed."""
    retain_total, forget_total = draw(st.integers(4, 30)), draw(st.integers(4, 20))
    epsilon = draw(st.one_of(st.sampled_from([0.0, 1.0]), real(0.0, 1.0)))
    return af.CrossCorrelated(
        epsilon, draw(st.integers(0, retain_total)), draw(st.integers(0, forget_total)), retain_total, forget_total,
        draw(scale(-2, 0)), loss,
    )  # fmt: skip


@st.composite
def ratio_points(draw, epsilon=(0.01, 0.99), b=(-3, 5), phi=(-2, 0.5), pressure=(-2, 0.3)):
    """The ratios (epsilon, alpha, phi, b) as plain floats; pressure is log10 of alpha/phi."""
    point_phi = draw(scale(*phi))
    return {
        "epsilon": draw(real(*epsilon)), "alpha": draw(scale(*pressure)) * point_phi, "phi": point_phi,
        "b": draw(scale(*b)),
    }  # fmt: skip


def ratios(point: dict, number=mpmath.mpf) -> SimpleNamespace:
    """What a closed form reads, in any kind of number: the floats of a point converted exactly."""
    epsilon, alpha, phi, b = (number(point[name]) for name in ("epsilon", "alpha", "phi", "b"))
    return SimpleNamespace(epsilon=epsilon, alpha=alpha, phi=phi, b=b, forget_b=alpha * b)


def exact(problem) -> SimpleNamespace:
    """A scalar problem's own floats as mpmath numbers, and the ratios that follow from them to 60 digits."""
    plane = isinstance(problem, af.CrossCorrelated)
    names = (
        ("retain_in_plane", "forget_in_plane") if plane else ("retain_on_axis", "forget_on_axis")
    )
    retain, forget, retain_total, forget_total, ridge = (
        mpmath.mpf(float(getattr(problem, name)))
        for name in (*names, "retain_total", "forget_total", "ridge")
    )
    with mpmath.workdps(60):
        return SimpleNamespace(
            retain=retain, forget=forget, retain_total=retain_total, forget_total=forget_total, ridge=ridge,
            epsilon=mpmath.mpf(float(problem.epsilon)) if plane else None, loss=problem.loss,
            b=retain / (ridge * retain_total), forget_b=forget / (ridge * retain_total), phi=forget_total / retain_total,
            alpha=forget / retain if retain else mpmath.inf,
        )  # fmt: skip


def axis_of(problem, j: int):
    """The one-coordinate problem on axis j of a problem with several."""
    return af.SemiOrthogonal(
        problem.retain_on_axis[j], problem.forget_on_axis[j], problem.retain_total, problem.forget_total, problem.ridge,
        problem.loss,
    )  # fmt: skip


def set_weights(p: SimpleNamespace, which: str):
    """Weights of one retain and of one forget sample in the model's objective, straight from the definition in Sec. 5.1."""
    if which == "original":
        each = 1 / (p.retain_total + p.forget_total)
        return each, each
    return 1 / p.retain_total, (0 if which == "oracle" else -1 / p.forget_total)


def gradient(p: SimpleNamespace, weights, which: str):
    """Gradient over the ridge of the objective as the paper writes it, in mpmath: one entry a coordinate."""
    retain_weight, forget_weight = set_weights(p, which)

    def slope(m):
        return mpmath.exp(-m) if p.loss == "exponential" else 1 / (1 + mpmath.exp(m))

    if p.epsilon is None:
        (w,) = weights
        return [w - (retain_weight * p.retain + forget_weight * p.forget) * slope(w) / p.ridge]
    w1, w2 = weights
    retain_pull = retain_weight * p.retain * slope(w1 + p.epsilon * w2) / p.ridge
    forget_pull = forget_weight * p.forget * slope(p.epsilon * w1 + w2) / p.ridge
    return [w1 - retain_pull - p.epsilon * forget_pull, w2 - p.epsilon * retain_pull - forget_pull]


def root_near(p: SimpleNamespace, which: str, start) -> list:
    """The stationary point of the raw equations near a float start: an independent solution at mpmath's precision."""
    start = [mpmath.mpf(float(v)) for v in np.atleast_1d(np.asarray(start))]
    if len(start) == 1:
        return [
            mpmath.findroot(lambda w: gradient(p, [w], which)[0], start[0], tol=1e-60, verify=False)
        ]
    root = mpmath.findroot(
        lambda w1, w2: gradient(p, [w1, w2], which), start, tol=1e-45, verify=False
    )
    return [root[0], root[1]]


# --- direct minimisation of the loss, sample by sample --------------------------------------------------------------------


def sample_objective(problem, which: str, pressure: float = 1.0):
    """Value, gradient and Hessian of an objective as sums over the rows of af.samples; pressure scales the ascent term."""
    inputs, is_forget = af.samples(problem)
    inputs = np.asarray(inputs)
    n_forget, n_retain = is_forget.sum(), (~is_forget).sum()
    if which == "original":
        each = np.full(len(inputs), 1 / (n_forget + n_retain))
    else:
        each = np.where(is_forget, 0.0 if which == "oracle" else -pressure / n_forget, 1 / n_retain)

    def parts(w):
        m = inputs @ w
        if problem.loss == "exponential":
            value = slope = bend = np.exp(-m)
        else:
            value, slope = np.logaddexp(0, -m), 1 / (1 + np.exp(m))
            bend = slope * (1 - slope)
        ridge = float(problem.ridge)
        return (
            each @ value + ridge / 2 * w @ w,
            -(each * slope) @ inputs + ridge * w,
            (inputs.T * (each * bend)) @ inputs + ridge * np.eye(len(w)),
        )

    return parts


def minimise_samples(problem, which: str) -> np.ndarray:
    """Minimiser found by descent on the explicit sample sums: Newton steps with every curvature made positive, halved to fall.

    For descent-ascent: the local minimum, followed from the oracle while the ascent term is switched on step by step. Where
    that minimum vanishes on the way (logistic loss), descent goes on to the one that is left.
    """
    w = np.zeros(af.samples(problem)[0].shape[1])
    for pressure in np.linspace(0, 1, 33) if which == "descent_ascent" else [1.0]:
        parts = sample_objective(problem, which, pressure)
        for _ in range(100):
            value, slope, bend = parts(w)
            curvature, axes = np.linalg.eigh(bend)
            step, t = (
                -axes @ ((axes.T @ slope) / np.maximum(np.abs(curvature), 1e-3 * problem.ridge)),
                1.0,
            )
            while parts(w + t * step)[0] > value + 1e-14 and t > 1e-6:
                t /= 2
            w = w + t * step
            if np.max(np.abs(step)) < 1e-11:
                break
    return w
