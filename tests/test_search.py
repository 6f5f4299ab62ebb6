"""The adversary: it must break planted falsehoods that sampling misses, and must not break what is true."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest

from ascentfail import closed_form
from ascentfail.arithmetic import JAX
from ascentfail.theory import Axis, Claim, Domain, Kind, get
from ascentfail.theory.domains import PLANE, plane_margins
from ascentfail.theory.evidence.recheck import recheck
from ascentfail.theory.evidence.sample import ClaimError, sample
from ascentfail.theory.evidence.search import _slopes, search

SAMPLES = 1 << 12


def planted(margin, *, axes=3, where=None, kind=Kind.BOUND, **more):
    names = "uvwz"[:axes]
    box = more.pop("box", tuple(Axis(name, 0.0, 1.0) for name in names))
    return Claim(
        id="planted", statement="", source="test", kind=kind, domain=Domain(box, where=where), margin=margin, **more
    )


def squared(p, centre):
    return sum((value - c) ** 2 for value, c in zip(p.values().values(), centre, strict=True))


def rosenbrock(p):
    x, y = 4 * p.u - 2, 4 * p.v - 1
    return (1 - x) ** 2 + 100 * (y - x * x) ** 2


def ball(p, xp):  # radius 0.0066 in three dimensions: a volume of 1.2e-6
    return squared(p, (0.61, 0.23, 0.47)) - 4.4e-5


def ball_in_four(p, xp):  # radius 0.02: a volume of 8e-7
    return squared(p, (0.31, 0.83, 0.57, 0.11)) - 4e-4


def among_decoys(p, xp):
    wide = squared(p, (0.8, 0.8, 0.8)) + 0.01
    return xp.minimum(wide, 3 * squared(p, (0.21, 0.33, 0.27)) - 1e-4)


def valley(p, xp):
    return rosenbrock(p) - 1e-9


def on_a_log_axis(p, xp):  # false for a relative width of 1e-4 of b, at one phi
    return (xp.log(p.b) - 3) ** 2 + (p.phi - 1) ** 2 - 1e-6


def hair_in_four(p, xp):
    return squared(p, (0.31, 0.83, 0.57, 0.11)) - 1e-9


def vanishing_on_faces(p, xp):  # zero on u = 0 and v = 0, which lie lower than everything but the dip
    return p.u * p.v * (squared(p, (0.4, 0.6, 0.7)) - 1e-5)


def in_the_plane(p, xp):
    x, y = plane_margins(p, "original", xp)
    return (x - 2) ** 2 + (y - 1.5) ** 2 + (p.phi - 1) ** 2 + (p.epsilon - 0.3) ** 2 - 1e-7


FALSE = {
    "ball": planted(ball),
    "ball in four": planted(ball_in_four, axes=4),
    "among decoys": planted(among_decoys),
    "curved valley, by 1e-9": planted(valley, axes=2),
    "by 1e-9 in four": planted(hair_in_four, axes=4),
    "log axis": planted(on_a_log_axis, box=(Axis("b", 1e-2, 1e4, "log"), Axis("phi", 1e-2, 3.0, "log"))),
    "corner of the side conditions": planted(
        lambda p, xp: 1 - p.v + 1e-3 * (p.u - 0.5) ** 2 - 1e-8,
        axes=2,
        where=lambda p, xp: (p.v + 10 * (p.u - 0.3) - 1, 1 - p.v + 10 * (p.u - 0.3), 1 - p.v),
    ),
    "curved side condition": planted(
        lambda p, xp: p.u + p.v - 0.6464467,  # the least sum on the disc is 1 - sqrt(1/8) = 0.64644660...
        axes=2,
        where=lambda p, xp: (xp.number(1) / 16 - squared(p, (0.5, 0.5)),),
    ),
    "vanishing on faces": planted(vanishing_on_faces),
    "implicit point": Claim("planted", "", "test", Kind.BOUND, PLANE, in_the_plane),
    "exclusion": planted(lambda p, xp: 1 + p.u, exclusion=ball, exclusion_words="the ball"),
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
