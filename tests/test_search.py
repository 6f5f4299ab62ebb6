"""The adversary: it must break planted falsehoods that sampling misses, and must not break what is true."""

import numpy as np
import pytest

from ascentfail.claims.evidence.recheck import recheck
from ascentfail.claims.evidence.sample import ClaimError, sample
from ascentfail.claims.evidence.search import _rechecked, _slopes, _smooth, search
from ascentfail.theory import Axis, Claim, Domain, Kind, check, get
from ascentfail.theory.domains import PLANE, plane_margins

SAMPLES = 1 << 12


def planted(margin, *, axes=3, where=None, kind=Kind.BOUND, **more):
    names = "uvwz"[:axes]
    box = more.pop("box", tuple(Axis(name, 0.0, 1.0) for name in names))
    return Claim(
        id="planted",
        statement="",
        source="test",
        kind=kind,
        domain=Domain(box, where=where),
        margin=margin,
        **more,
    )


def squared(p, centre):
    return sum((value - c) ** 2 for value, c in zip(p.values().values(), centre, strict=True))


def rosenbrock(p):  # 0 at u = 3/4, v = 1/2
    x, y = 4 * p.u - 2, 4 * p.v - 1
    return (1 - x) ** 2 + 10**5 * (y - x * x) ** 2


def ball(p, xp):  # radius 0.0066 in three dimensions: a volume of 1.2e-6
    return squared(p, (0.61, 0.23, 0.47)) - 4.4e-5


def ball_in_four(p, xp):  # radius 0.02: a volume of 8e-7
    return squared(p, (0.31, 0.83, 0.57, 0.11)) - 4e-4


def among_decoys(p, xp):
    wide = squared(p, (0.8, 0.8, 0.8)) + 0.01
    return xp.minimum(wide, 3 * squared(p, (0.21, 0.33, 0.27)) - 1e-4)


def valley(p, xp):
    return rosenbrock(p) - 1e-9


def chained_valley(p, xp):
    x = [4 * value - 2 for value in p.values().values()]
    return (
        sum((1 - a) ** 2 + 1000 * (b - a * a) ** 2 for a, b in zip(x, x[1:], strict=False)) - 1e-9
    )


def on_a_log_axis(p, xp):  # false for a relative width of 1e-4 of b, at one phi
    return (xp.log(p.b) - 3) ** 2 + (p.phi - 1) ** 2 - 1e-6


def hair_in_four(p, xp):
    return squared(p, (0.31, 0.83, 0.57, 0.11)) - 1e-9


def vanishing_on_faces(
    p, xp
):  # zero on u = 0 and v = 0, which lie lower than everything but the dip
    return p.u * p.v * (squared(p, (0.4, 0.6, 0.7)) - 1e-5)


def in_the_plane(p, xp):
    x, y = plane_margins(p, "original", xp)
    return (x - 2) ** 2 + (y - 1.5) ** 2 + (p.phi - 1) ** 2 + (p.epsilon - 0.3) ** 2 - 1e-7


FALSE = {
    "ball": planted(ball),
    "ball in four": planted(ball_in_four, axes=4),
    "among decoys": planted(among_decoys),
    "curved valley, by 1e-9": planted(valley, axes=2),
    "narrow valley in four": planted(chained_valley, axes=4),
    "by 1e-9 in four": planted(hair_in_four, axes=4),
    "log axis": planted(
        on_a_log_axis, box=(Axis("b", 1e-2, 1e4, "log"), Axis("phi", 1e-2, 3.0, "log"))
    ),
    "corner of the side conditions": planted(
        lambda p, xp: 1 - p.v + 1e-3 * (p.u - 0.5) ** 2 - 1e-8,
        axes=2,
        where=lambda p, xp: (p.v + 10 * (p.u - 0.3) - 1, 1 - p.v + 10 * (p.u - 0.3), 1 - p.v),
    ),
    "curved side condition": planted(
        lambda p, xp: (
            p.u + p.v - 0.6464467
        ),  # the least sum on the disc is 1 - sqrt(1/8) = 0.64644660...
        axes=2,
        where=lambda p, xp: (xp.number(1) / 16 - squared(p, (0.5, 0.5)),),
    ),
    "vanishing on faces": planted(vanishing_on_faces),
    "implicit point": Claim("planted", "", "test", Kind.BOUND, PLANE, in_the_plane),
    "exclusion": planted(
        lambda p, xp: ball(p, xp) - 1e-5, exclusion=ball, exclusion_words="the ball"
    ),
}


@pytest.mark.parametrize("name", FALSE)
def test_breaks_what_is_false(name):
    claim = FALSE[name]
    found = search(claim, samples=SAMPLES)
    assert found.status == "fails", found.evidence
    assert found.evidence.level == "searched"
    assert recheck(claim, found.counterexample.point).violated
    assert found.counterexample.margin == found.evidence.worst_margin


@pytest.mark.parametrize("name", FALSE)
def test_the_planted_falsehoods_are_hidden_from_sampling(name):
    assert sample(FALSE[name], SAMPLES).status == "holds"


def test_what_no_certificate_can_speak_of_is_searched_at_that_level_too():
    verdict = check(FALSE["exclusion"], "certified", samples=SAMPLES)
    assert verdict.status == "fails" and verdict.counterexample.bound == "the ball"


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    "name",
    ["ball in four", "curved valley, by 1e-9", "narrow valley in four", "vanishing on faces"],
)
def test_no_lucky_seed(name, seed):
    assert search(FALSE[name], samples=SAMPLES, seed=seed).status == "fails"


TRUE = {
    "ball": planted(lambda p, xp: ball(p, xp) + 4.4e-5 + 1e-9),
    "valley": planted(lambda p, xp: valley(p, xp) + 2e-9, axes=2),
    "zero at a corner": planted(lambda p, xp: p.u * p.u + p.v + p.w),
    "equality": planted(
        lambda p, xp: xp.exp(p.u + p.v) - xp.exp(p.u) * xp.exp(p.v), axes=2, kind=Kind.EQUALITY
    ),
    "square of a difference": planted(lambda p, xp: p.u * p.u - 2 * p.u * p.v + p.v * p.v, axes=2),
    "curved side condition": planted(
        lambda p, xp: p.u + p.v - 0.6464466,
        axes=2,
        where=lambda p, xp: (xp.number(1) / 16 - squared(p, (0.5, 0.5)),),
    ),
    "jump": planted(
        lambda p, xp: xp.minimum(xp.abs(p.u - 0.5) * 10**9, xp.number(1)) + 1e-9, axes=1
    ),
}


@pytest.mark.parametrize("name", TRUE)
def test_does_not_break_what_is_true(name):
    found = search(TRUE[name], samples=SAMPLES)
    assert found.status == "holds" and found.counterexample is None
    assert found.evidence.worst_margin >= 0
    assert found.evidence.worst_margin <= max(
        2e-9, sample(TRUE[name], SAMPLES).evidence.worst_margin
    )


def test_comes_closer_than_sampling():
    claim = TRUE["valley"]
    assert sample(claim, SAMPLES).evidence.worst_margin > 1e-4
    found = search(claim, samples=SAMPLES)
    assert found.evidence.worst_margin == pytest.approx(1e-9, rel=1e-3)
    point = found.evidence.worst_point
    assert (
        point is not None
        and point["u"] == pytest.approx(0.75, abs=1e-4)
        and point["v"] == pytest.approx(0.5, abs=1e-4)
    )


def test_strict_claims_fail_on_an_exact_zero():
    claim = planted(lambda p, xp: p.u + p.v, axes=2, strict=True)
    found = search(claim, samples=64)
    assert found.status == "fails" and found.counterexample.margin == 0


def test_nan_is_open():
    found = search(planted(lambda p, xp: 2 + xp.lambertw(p.u - 1, 0), axes=1), samples=SAMPLES)
    assert found.status == "open" and "NaN" in found.evidence.words


def test_a_nan_that_sampling_misses_is_open():  # W is NaN in a ball of volume 1e-6 at the bottom of a bowl
    claim = planted(lambda p, xp: 3 + xp.lambertw(ball(p, xp) - xp.exp(-xp.number(1)), 0))
    assert sample(claim, SAMPLES).status == "holds"
    found = search(claim, samples=SAMPLES)
    assert found.status == "open" and "NaN" in found.evidence.words
    assert recheck(claim, found.evidence.worst_point).inside


BOUNDS = {
    "although": (
        lambda p, xp: 1 + p.u,
        ball,
    ),  # the bound lies below the margin that it should bound
    "no bound": (
        lambda p, xp: ball(p, xp) - 2e-5,
        lambda p, xp: ball(p, xp) + 4.5e-5,
    ),  # it never comes below zero
}


@pytest.mark.parametrize("words", BOUNDS)
def test_a_bound_that_decides_nothing_is_open(words):
    margin, bound = BOUNDS[words]
    claim = planted(margin, exclusion=bound)
    assert sample(claim, SAMPLES).status in ("holds", "open")
    found = search(claim, samples=SAMPLES)
    assert found.status == "open" and words in found.evidence.words


def test_vacuous():
    claim = planted(lambda p, xp: p.u, where=lambda p, xp: (-1 - squared(p, (0.5, 0.5, 0.5)),))
    found = search(claim, samples=64)
    assert found.status == "vacuous" and found.evidence.worst_margin is None


def test_reaches_the_edge_of_a_tiny_domain():
    claim = planted(lambda p, xp: p.u, where=lambda p, xp: (-ball(p, xp),))
    found = search(claim, samples=SAMPLES)
    assert found.status == "holds" and found.evidence.worst_margin == pytest.approx(
        0.61 - 4.4e-5**0.5, abs=1e-6
    )


def test_integer_axes_are_walked_at_each_of_their_values():
    def dip(p, xp):  # below zero only at n = 3 and u within 1e-4 of 0.7
        return (p.u - 0.7) ** 2 + (p.n - 3) ** 2 - 1e-8

    found = search(
        planted(dip, box=(Axis("u", 0.0, 1.0), Axis("n", 0, 5, "integer"))), samples=SAMPLES
    )
    assert found.status == "fails" and found.counterexample.point["n"] == 3


def test_same_seed_same_evidence():
    claim = TRUE["valley"]
    found = search(claim, samples=256, seed=5)
    assert (
        found
        == search(claim, samples=256, seed=5)
        == search(claim, samples=256, seed=5, weaker=sample(claim, 256, 5))
    )


@pytest.mark.parametrize(
    ("claim_id", "status"),
    [
        ("lemma-3.appendix", "holds"),
        ("lemma-3.setup", "fails"),
        ("lemma-6", "holds"),
        ("figure-4.exists", "fails"),
    ],
)
def test_registered_claims_keep_the_status_of_sampling(claim_id, status):
    found = search(get(claim_id), samples=SAMPLES)
    assert found.status == status and found.evidence.level == "searched"


def test_margins_of_existence_thresholds_are_driven_to_zero():
    claim = get("beyond-5.threshold")
    reached = search(claim, samples=SAMPLES).evidence.worst_margin
    assert 0 <= reached < 1e-9 < sample(claim, SAMPLES).evidence.worst_margin


def test_slopes_of_an_implicit_point_match_differences():
    claim = FALSE["implicit point"]
    unit = np.array([[0.3, 0.4, 0.6, 0.7], [0.8, 0.7, 0.2, 0.5]])
    _, slopes = _slopes(claim)(unit)
    step = 1e-6
    for axis in range(4):
        shift = np.eye(4)[axis] * step
        difference = (_slopes(claim)(unit + shift)[0] - _slopes(claim)(unit - shift)[0]) / (
            2 * step
        )
        np.testing.assert_allclose(slopes[:, :, axis], difference, rtol=1e-5, atol=1e-6)


def test_bad_input():
    claim = planted(ball)
    with pytest.raises(ValueError, match="starts = 1"):
        search(claim, starts=1)
    with pytest.raises(ClaimError, match="planted"):
        search(planted(lambda p, xp: p.nothing, axes=1), samples=64)
    with pytest.raises(ClaimError, match="planted"):
        search(planted(lambda p, xp: np.ones(3) * p.u, axes=1), samples=64)


@pytest.mark.parametrize(
    "axis", [Axis("b", -2.0, 3.0), Axis("b", 1e-3, 1e4, "log"), Axis("n", 2, 7, "integer")]
)
def test_axes_in_descents_are_those_of_the_domain(axis):
    for unit in np.linspace(0, 1, 41):
        np.testing.assert_allclose(_smooth(axis, unit), float(axis.at(unit)), rtol=1e-12)


def test_of_the_tries_at_a_suspect_the_first_inside_counts_or_the_last():
    claim = planted(lambda p, xp: p.u - 2, axes=1, where=lambda p, xp: (0.5 - p.u,))
    tries = np.array([[0.9, 0.25, 0.125], [0.9, 0.8, 0.7]])[:, :, None]
    found = [(row["u"], again.inside) for row, again in _rechecked(claim, tries)]
    assert found == [(0.25, True), (0.7, False)]
