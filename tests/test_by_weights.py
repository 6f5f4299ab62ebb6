"""Charts that list the points of the line by weights: they cover the old domains, and give their weights back."""

import dataclasses

import mpmath
import numpy as np
import pytest
from mpmath import mp

from ascentfail.claims.evidence.certify import certify
from ascentfail.claims.evidence.recheck import recheck
from ascentfail.line import closed_form
from ascentfail.numerics.arithmetic import MPMATH
from ascentfail.numerics.sample_losses import EXPONENTIAL, LOSSES, named
from ascentfail.theory import Kind, Point, check, get
from ascentfail.theory.paper import figure_04_area, first_steps, lemma_09_10_window
from ascentfail.theory.proof_steps import by_weights as listed

STEPS = (-1.3, -1e-9, 1e-9, 0.4, 2.5)


@pytest.fixture(autouse=True)
def _digits():
    with mpmath.workdps(60):
        yield


def close(value, expected, digits=40):
    assert abs(value - expected) <= mp.mpf(10) ** -digits * max(abs(expected), 1), (value, expected)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("w", [0.003, 0.8, 7.5])
def test_differences_written_without_a_cancellation(loss, w):
    xp, w = MPMATH, mp.mpf(w)
    for step in map(mp.mpf, STEPS):
        plain = listed.coefficient_of(w + step, loss, xp) - listed.coefficient_of(w, loss, xp)
        close(listed.rise(w, step, loss, xp), plain)
        close(listed.rise_times_step(w, step, loss, xp), plain * step)
        close(listed.longer(w, step, xp), abs(w + step) - abs(w))
        close(listed.longer(-w, step, xp), abs(step - w) - abs(w))
        ratio = mp.log(
            listed.coefficient_of(w * mp.exp(step), loss, xp) / listed.coefficient_of(w, loss, xp)
        )
        close(loss.log_rise(w, step, xp), ratio)
        close(loss.log_excess(w, step, xp), ratio - w * (mp.exp(step) - 1))
    close(loss.weight(listed.coefficient_of(w, loss, xp), xp), w)


def three(point, xp):
    """(w_D, w_R, w_DA) by the closed forms."""
    given = {"loss": point.loss, "xp": xp}
    return (
        closed_form.original(point, **given),
        closed_form.oracle(point, **given),
        closed_form.descent_ascent(point, **given),
    )


def by_oracle(p, xp):
    d, r, u = three(p, xp)
    return {"oracle": r, "s": 100 * mp.log(d / r), "behind": 100 * (r - u) / (1 + r)}


def by_end(p, xp):
    d, r, u = three(p, xp)
    return {"oracle": r, "lead": (r - d) * (1 + r) * mp.exp(r), "unlearned": u}


def by_ratio(p, xp):
    d, r, _ = three(p, xp)
    return {"phi": p.phi, "oracle": r, "s": mp.log(d / r)}


def by_unlearned(p, xp):
    return {"phi": p.phi, "b": p.b, "unlearned": three(p, xp)[2]}


def by_lower_branch(p, xp):
    return {"phi": p.phi, "b": p.b, "unlearned": closed_form.descent_ascent(p, -1, xp=xp)}


def by_place(p, xp):
    (d, r, _), low = three(p, xp), closed_form.wrong_way_alpha(p.phi)
    place = (p.alpha - low) / (p.phi - low)
    return {"original": d, "lead": (r - d) * (1 + d) / (2 * d), "place": place, "step": mp.mpf(2)}


def by_two_axes(p, xp):
    (d, r, _), other = three(p, xp), p.replace(b=p.b / 7, alpha=mp.mpf(0))
    d_2, r_2, _ = three(other, xp)
    ahead, lead = 100 * mp.log(d / r), 100 * mp.log(r_2 / d_2)
    return {
        "ahead": ahead,
        "other_lead": lead,
        "oracle": r,
        "other": d_2,
        "progress": mp.mpf(1) / 3,
    }


def by_far_apart(p, xp):
    d, r, u = three(p, xp)
    return {"oracle": r, "near": mp.log(r / d) * (1 + r), "far": mp.log(r / u) * (1 + r)}


def threshold(phi):
    return phi**2 / (1 + 2 * phi)


def fold(phi, b):
    return phi * (1 + 1 / (mp.e * b))


# claim, its coordinates at a point, the range of alpha that it speaks of, the range of b
OLD = {
    "lemma-3.farthest.repaired": (
        by_oracle,
        lambda f, b: (f / 100, min(2 * f, fold(f, b))),
        (1e-2, 1e4),
    ),
    "lemma-3.setup.repaired": (by_end, lambda f, b: (f, min(100 * f, fold(f, b))), (1e-2, 1e4)),
    "lemma-4": (by_ratio, lambda f, b: (mp.mpf("1e-3"), mp.mpf(10)), (1e-6, 1e6)),
    "lemma-4.proof.repaired": (by_ratio, lambda f, b: (mp.mpf("1e-3"), mp.mpf(10)), (1e-6, 1e6)),
    "lemma-5": (by_unlearned, lambda f, b: (f, fold(f, b)), (1e-2, 1e4)),
    "lemma-5.second-branch": (
        by_lower_branch,
        lambda f, b: (f + (fold(f, b) - f) / 1000, fold(f, b)),
        (1e-2, 1e4),
    ),
    "corollary-1.separate.repaired": (
        by_far_apart,
        lambda f, b: (f / 100, f * min(mp.mpf(99) / 100, 1 - 1 / b)),
        (1e2, 1e12),
    ),
    "first-step": (by_place, lambda f, b: (threshold(f) + f / 10**6, f), (1e-2, 1e4)),
    "first-step.setup.repaired": (
        by_two_axes,
        lambda f, b: (f / mp.mpf("0.99"), 100 * f),
        (1e-2, 1e4),
    ),
    "early-stop.setup.repaired": (
        by_two_axes,
        lambda f, b: (f / mp.mpf("0.99"), 100 * f),
        (1e-2, 1e4),
    ),
}
LOGISTIC = ("first-step", "first-step.setup.repaired", "early-stop.setup.repaired")


def old_points(claim_id, count=60):
    """Points of the domain that the claim had in (phi, b, alpha), ends included but for rounding."""
    _, alphas, (low, high) = OLD[claim_id]
    rng = np.random.default_rng(3)
    inside = mp.mpf("1e-40")
    for unit in rng.random((count, 3)):
        unit[rng.random(3) < 0.3] = rng.integers(0, 2)
        phi = mp.mpf(0.01) * (3 / mp.mpf(0.01)) ** mp.mpf(unit[0])
        b = mp.mpf(low) * (mp.mpf(high) / mp.mpf(low)) ** mp.mpf(unit[1])
        phi, b = (
            phi * (1 + inside * (1 - 2 * round(unit[0]))),
            b * (1 + inside * (1 - 2 * round(unit[1]))),
        )
        first, last = alphas(phi, b)
        yield Point(
            phi=phi,
            b=b,
            alpha=first + (last - first) * (inside + mp.mpf(unit[2]) * (1 - 2 * inside)),
        )


@pytest.mark.parametrize("claim_id", [*OLD, *(f"beyond-8.{one}" for one in LOGISTIC)])
def test_a_chart_by_weights_covers_the_domain_in_the_ratios(claim_id):
    claim, plain = get(claim_id), claim_id.removeprefix("beyond-8.")
    loss = named("logistic" if plain != claim_id else "exponential")
    for p in old_points(plain):
        box = OLD[plain][0](p.replace(loss=loss), MPMATH)
        names = [axis.name for axis in claim.domain.axes]
        for axis in claim.domain.axes:
            assert axis.low <= box[axis.name] <= axis.high, (axis.name, box, p.values())
        there = claim.domain.chart(Point(**{name: box[name] for name in names}), MPMATH)
        for name in ("phi", "b", "alpha"):
            close(getattr(there, name), getattr(p, name), 15)
        sides = claim.domain.where(there, MPMATH)  # the ends of the old axes were floats
        assert all(side >= -(mp.mpf(10) ** -12) for side in sides), (sides, p.values())
        assert claim.margin(there, MPMATH) >= -(mp.mpf(10) ** -30)


def test_margins_by_weights_are_those_of_the_closed_forms():
    for p in old_points("lemma-3.farthest.repaired"):
        d, r, u = three(p, MPMATH)
        farther = (
            (abs(u - r) ** 2 - abs(d - r) ** 2)
            * (p.b - p.b * p.alpha / p.phi - p.b * (1 + p.alpha) / (1 + p.phi))
            * -1
        )
        claim = get("lemma-3.farthest.repaired")
        there = claim.domain.chart(Point(**by_oracle(p, MPMATH)), MPMATH)
        close(claim.margin(there, MPMATH), farther, 12)
        assert (abs(u - r) >= abs(d - r)) == (p.alpha >= threshold(p.phi))
    for p in old_points("lemma-4"):
        d, r, _ = three(Point(**{**p.values()}), MPMATH)
        there = get("lemma-4").domain.chart(Point(**by_ratio(p, MPMATH)), MPMATH)
        close(
            get("lemma-4").margin(there, MPMATH),
            closed_form.displacement_bound(p, xp=MPMATH) - abs(d - r),
            25,
        )


ARGUED = ("corollary-1.separate.repaired",)
BOXES = (
    *(one for one in OLD if one not in ARGUED),
    *(f"beyond-8.{one}" for one in LOGISTIC),
    "lemma-2.extrema.repaired",
    "lemma-3.main.repaired",
    "lemma-3.appendix",
    "lemma-5.proof.repaired",
    "beyond-8.lemma-5.proof",
)


@pytest.mark.parametrize("claim_id", [one for one in BOXES if one != "lemma-3.farthest.repaired"])
def test_boxes_enclose_the_margin_itself(claim_id):
    found = certify(dataclasses.replace(get(claim_id), proof=(), factors=()), seconds=120.0)
    assert (
        found is not None
        and found.evidence.certified_fraction == 1.0
        and found.evidence.undecided == 0
    )
    assert set("PQR") & set(found.certificate["tree"])


@pytest.mark.parametrize("claim_id", [*BOXES, "lemma-12", "lemma-12.wlog.repaired"])
def test_a_chart_gives_no_other_meaning_to_the_name_of_an_axis(claim_id):
    """A counterexample names both its coordinates in the box and those of the chart."""
    domain = get(claim_id).domain
    for unit in np.random.default_rng(0).random((8, len(domain.axes))):
        box = {
            axis.name: mp.mpf(float(axis.at(u))) for axis, u in zip(domain.axes, unit, strict=True)
        }
        there = domain.chart(Point(**box), MPMATH).values()
        assert all(there.get(name, value) == value for name, value in box.items())


# --- statements that said more than their evidence -------------------------------------------------------------------------


def test_the_only_if_of_the_farther_end_is_in_the_margin():
    """Below the threshold the end is closer; a claim that it is farther there is refuted on the same domain."""
    claim = get("lemma-3.farthest.repaired")
    below = Point(phi=mp.mpf(1), b=mp.mpf(5), alpha=mp.mpf("0.2"))  # under 1/3
    box = {name: float(value) for name, value in by_oracle(below, MPMATH).items()}
    found = recheck(claim, box)
    assert found.inside and found.margin > 0
    turned = dataclasses.replace(
        claim, margin=lambda p, xp: (p.end_behind - p.ahead) * (p.end_behind + p.ahead)
    )
    assert recheck(turned, box).violated


def test_the_flow_of_lemma_5_is_looked_at_and_not_a_square():
    claim = get("lemma-5.proof.repaired")
    for z, up, down in ((-0.3, 1.5, 2.0), (-1.0, 0.4, 0.5), (-4.0, 3.0, 7.0)):
        p = claim.domain.chart(
            Point(
                phi=mp.mpf(1), z=mp.mpf(z), excess=mp.mpf("0.5"), up=mp.mpf(up), down=mp.mpf(down)
            ),
            MPMATH,
        )
        c = closed_form.coefficient(p, "descent_ascent")
        lost = lambda w, c=c: w - c * mp.exp(-w)  # noqa: E731
        spare = max(-c - 1 / mp.e, 0)
        w, low = p.end + up, -1 - mp.mpf(down)
        close(
            claim.margin(p, MPMATH), min(lost(w) - spare * mp.exp(-w), low + mp.exp(-low - 1)), 25
        )
        assert lost(w) > 0 and (z > -1 or lost(low) > 0)
    bounced = dataclasses.replace(claim, margin=lambda p, xp: -claim.margin(p, xp))
    assert check(bounced, samples=512).status == "fails"


def test_the_logistic_flow_leads_to_its_end_from_both_sides():
    claim = get("beyond-8.lemma-5.proof")
    assert claim.kind is Kind.ORDERING
    for z, near in ((0.002, 0.7), (3.0, 0.2), (3.0, 1.6), (40.0, 0.95)):
        p = claim.domain.chart(
            Point(phi=mp.mpf(1), z=mp.mpf(z), excess=mp.mpf("0.5"), near=mp.mpf(near)), MPMATH
        )
        c = closed_form.coefficient(p, "descent_ascent")
        velocity = [c / (1 + mp.exp(w)) - w for w in (-p.z - p.away * p.z, -p.z + p.away * p.z)]
        close(claim.margin(p, MPMATH) * p.z, min(velocity[0], -velocity[1]), 25)
        close(-p.z, MPMATH.logisticw(c), 20)


@pytest.mark.parametrize("loss", LOSSES)
def test_early_stopping_in_the_set_up_looks_at_the_flow(loss):
    claim = get(("" if loss == "exponential" else "beyond-8.") + "early-stop.setup.repaired")
    xp = MPMATH
    p = Point(loss=loss, phi=mp.mpf("0.7"), b=mp.mpf(3), alpha=mp.mpf("1.9"))
    box = by_two_axes(p, xp)
    there = claim.domain.chart(
        Point(**{axis.name: box[axis.name] for axis in claim.domain.axes}), MPMATH
    )
    slope = (lambda w: mp.exp(-w)) if loss == "exponential" else (lambda w: 1 / (1 + mp.exp(w)))
    d, r, _ = three(p, xp)
    w = r + (d - r) / 3
    fall = w - closed_form.coefficient(p, "descent_ascent") * slope(w) - r
    d_2, r_2, _ = three(p.replace(b=p.b / 7, alpha=mp.mpf(0)), xp)
    v = d_2 + (r_2 - d_2) / 3
    climb = (p.b / 7 * slope(v) - v) / slope(v)
    close(claim.margin(there, MPMATH), min(p.phi * fall, climb), 20)


def test_the_first_step_in_the_set_up_is_the_velocity_times_the_distance():
    p, xp = Point(phi=mp.mpf("0.7"), b=mp.mpf(3), alpha=mp.mpf("1.9")), MPMATH
    box = by_two_axes(p, xp)
    there = first_steps._both(Point(**box), EXPONENTIAL, xp)
    d, r, _ = three(p, xp)
    fall = d - closed_form.coefficient(p, "descent_ascent") * mp.exp(-d)
    d_2, r_2, _ = three(p.replace(b=p.b / 7, alpha=mp.mpf(0)), xp)
    climb = p.b / 7 * mp.exp(-d_2) - d_2
    close(
        get("first-step.setup.repaired").margin(there, xp),
        min(p.phi * fall * (d - r), climb * (r_2 - d_2)),
        20,
    )


def test_the_ends_of_the_set_up_are_in_the_order_that_is_stated():
    """lemma-3.setup.repaired says w_DA <= 0 <= w_R <= w_D, which is more than that the product is <= 0."""
    claim = get("lemma-3.setup.repaired")
    for p in old_points("lemma-3.setup.repaired", 20):
        d, r, u = three(p, MPMATH)
        there = claim.domain.chart(Point(**by_end(p, MPMATH)), MPMATH)
        order = min(d - r, r, -u)
        assert (
            abs(claim.margin(there, MPMATH) - order) < mp.mpf(10) ** -12
            or claim.margin(there, MPMATH) >= 0 >= -order
        )


def test_alternating_iterates_stay_where_the_margin_says_also_far_out():
    """One step from any point of the interval ends in it; the interval reaches far beyond |w| = 30."""
    claim = get("iterative.stabilises")
    far = {"phi": 1.0, "b": 100.0, "ratio": 5.0, "step": 0.9, "place": 0.0}
    p = claim.domain.chart(Point(**{name: mp.mpf(value) for name, value in far.items()}), MPMATH)
    from ascentfail.theory.paper import iterative

    low, high = iterative._bounds(p, closed_form.original(p, xp=MPMATH), MPMATH)
    assert high - low > 30
    assert {axis.name for axis in claim.domain.axes} >= {"place"}
    ranges = {axis.name: axis.high for step in claim.proof for axis in step.domain.axes}
    assert ranges["pull"] >= mp.exp(-low)
    assert recheck(claim, far).margin >= 0 and check(claim, samples=1024).status == "holds"


@pytest.mark.parametrize(("phi", "b"), [(0.1, 0.05), (0.5, 0.2), (1.0, 0.5)])
def test_the_area_of_the_window_is_enclosed(phi, b):
    import jax
    import jax.numpy as jnp

    from ascentfail.numerics.arithmetic import JAX

    count = 20_000
    rest = 1 - (jnp.arange(0.0, count) + 0.5) / count
    heights = jax.vmap(
        lambda e: lemma_09_10_window.window(Point(epsilon=e, phi=phi, b=b, alpha=1.0), JAX)
    )(1 - rest * rest)
    area = float(jnp.sum(2 * rest * jnp.maximum(heights, 0)) / count)
    widths = []
    for strips in (50, 200):
        low, high = map(float, figure_04_area.area_bounds(Point(phi=phi, b=b), JAX, strips))
        assert low <= area * (1 + 1e-5) and area <= high * (1 + 1e-5)
        widths.append(high - low)
    assert widths[1] < widths[0] / 3
    with mpmath.workdps(20):
        again = figure_04_area.area_bounds(Point(phi=mp.mpf(phi), b=mp.mpf(b)), MPMATH, 50)
    np.testing.assert_allclose(
        [float(v) for v in again],
        figure_04_area.area_bounds(Point(phi=phi, b=b), JAX, 50),
        rtol=1e-9,
    )


def test_only_areas_that_are_surely_smaller_would_refute():
    claim = get("figure-4.broadens")
    assert claim.exclusion is not None
    shrunk = dataclasses.replace(claim, margin=lambda p, xp: -claim.margin(p, xp) - 1)
    point = {"phi": 0.5, "b": 0.5, "growth": 1.5}
    assert not recheck(shrunk, point).violated


def test_the_ridge_turns_the_original_strictly():
    claim = get("ridge-radial.turns")
    assert claim.strict
    axes = {axis.name: axis for axis in claim.domain.axes}
    assert axes["epsilon"].low == 0 and axes["epsilon"].high > 0.99
    radial = {
        "epsilon": 0.5,
        "phi": 1.0,
        "b": 2.0,
        "ratio": 1.0,
        "factor": 10.0,
    }  # alpha = 1: it does not turn
    found = recheck(claim, radial)
    assert not found.inside
    assert recheck(
        dataclasses.replace(claim, domain=dataclasses.replace(claim.domain, where=None)), radial
    ).violated


def test_the_bounds_of_lemma_7_swap_sides_above_alpha_one():
    claim = get("lemma-7.repaired")
    assert {axis.name: axis.high for axis in claim.domain.axes}["alpha"] == 10
    above = {"epsilon": 0.5, "phi": 0.5, "b": 20.0, "alpha": 5.0}
    assert recheck(claim, above).margin > 0 and recheck(get("lemma-7"), above).violated
    assert check(claim, samples=1024).status == "holds"
