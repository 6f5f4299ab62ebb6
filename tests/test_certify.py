"""Branch and bound and proofs by steps: what is true is decided, a planted error is not proved."""

import dataclasses

import pytest

from ascentfail import closed_form
from ascentfail.theory import Axis, Claim, Domain, Kind, claims, get, steps
from ascentfail.theory.evidence import certify as engine
from ascentfail.theory.evidence.certificate import check_certificate, walk
from ascentfail.theory.evidence.certify import certify
from ascentfail.theory.evidence.recheck import recheck

PROOFS = [claim for printed in claims() for claim in printed.family() if claim.proof]
STEPS = {step.id: step for claim in PROOFS for step in claim.proof}
INEQUALITIES = [step for step in STEPS.values() if step.factors]
IDENTITIES = [step for step in STEPS.values() if step.kind is Kind.EQUALITY]


def proved(found):
    """Whether certification left nothing open."""
    if found is None or found.counterexample:
        return False
    return found.evidence.level == "symbolic" or (
        found.evidence.certified_fraction == 1.0 and not found.evidence.undecided
    )


# --- the registered proofs -------------------------------------------------------------------------------------------


def test_there_are_proofs():
    assert len(PROOFS) >= 15 and len(STEPS) >= 30 and len(INEQUALITIES) + len(IDENTITIES) == len(STEPS)


def test_a_step_name_means_one_statement():
    named = [step for claim in PROOFS for step in claim.proof]
    assert len({id(step) for step in named}) == len({step.id for step in named})


@pytest.mark.parametrize("step_id", STEPS)
def test_every_step_is_proved_on_all_of_its_box(step_id):
    found = certify(STEPS[step_id])
    assert proved(found)
    assert check_certificate(STEPS[step_id], found.certificate).decided == 1.0


@pytest.mark.parametrize("claim", PROOFS, ids=lambda c: c.id)
def test_every_claim_with_a_proof_is_certified(claim):
    found = certify(claim)
    assert proved(found) and found.evidence.level == "certified" and found.evidence.certified_fraction == 1.0
    assert claim.proof_words and claim.proof_words in found.evidence.words
    assert len(found.certificate["steps"]) == len(claim.proof)


@pytest.mark.parametrize(
    ("step_id", "place"),
    [(step.id, i) for step in INEQUALITIES for i in range(len(step.factors))],
)
def test_a_flipped_factor_is_not_proved(step_id, place):
    step = STEPS[step_id]
    factors = list(step.factors)
    factors[place] = lambda p, xp, right=factors[place]: -right(p, xp)
    flipped = dataclasses.replace(step, factors=tuple(factors), margin=lambda p, xp: factors[place](p, xp))
    assert not proved(certify(flipped, budget=200))
    claim = dataclasses.replace(PROOFS[0], proof=(*PROOFS[0].proof, flipped))
    found = certify(claim, budget=200)
    assert found is None or not proved(found)


@pytest.mark.parametrize("step", IDENTITIES, ids=lambda s: s.id)
def test_a_spoilt_identity_is_not_proved(step):
    name = step.domain.axes[-1].name
    spoilt = {
        "plus a coordinate": lambda p, xp: step.margin(p, xp) + getattr(p, name),
        "plus a hair": lambda p, xp: step.margin(p, xp) + xp.number(1) / 10**60,
        "a coordinate off": lambda p, xp: (
            step.margin(p, xp) + step.margin(p.replace(**{name: 2 * getattr(p, name)}), xp) + 1
        ),
    }
    for margin in spoilt.values():
        assert certify(dataclasses.replace(step, margin=margin)) is None


RATIOS = {"b": (1e-3, 1e3), "alpha": (1e-3, 1e3), "phi": (1e-3, 1e3)}
SIGNS_FLIPPED = {
    "c_D - c_R": lambda p, xp: (
        closed_form.coefficient(p, "original")
        - closed_form.coefficient(p, "oracle")
        + p.b * (p.alpha - p.phi) / (1 + p.phi)
    ),
    "c_DA - c_D": lambda p, xp: (
        closed_form.coefficient(p, "descent_ascent")
        - closed_form.coefficient(p, "original")
        + p.b * (p.alpha * (1 + 2 * p.phi) + p.phi**2) / (p.phi * (1 + p.phi))
    ),
    "coefficient ratio": lambda p, xp: (
        closed_form.coefficient(p, "original") * (1 + p.phi) - closed_form.coefficient(p, "oracle") * (1 - p.alpha)
    ),
    "logarithm": lambda p, xp: xp.log(p.b * xp.exp(p.b)) - p.b + xp.log(p.b),
    "exponential": lambda p, xp: xp.exp(p.alpha - p.phi) * xp.exp(p.phi - p.alpha) + 1,
}


@pytest.mark.parametrize("name", SIGNS_FLIPPED)
def test_a_flipped_sign_in_an_identity_is_not_proved(name):
    assert certify(steps.identity("flipped", "", RATIOS, SIGNS_FLIPPED[name])) is None


# --- branch and bound ------------------------------------------------------------------------------------------------


def boxed(margin, *axes, where=None, chart=None, **more):
    domain = Domain(axes, where=where) if chart is None else Domain(axes, chart, where)
    return Claim("boxed", "", "test", Kind.BOUND, domain, margin, **more)


def lemma_4(p, xp):
    """ln(c_D/c_R) - (w_D - w_R) in terms of the weights, w_R = v and w_D = v + gap, with c = w e^w."""
    return xp.log((p.v + p.gap) * xp.exp(p.gap) / p.v) - p.gap


SIMPLE = {
    "tangent of exp": boxed(lambda p, xp: xp.exp(p.u) - 1 - p.u, Axis("u", -2.0, 3.0)),
    "softplus above its argument": boxed(lambda p, xp: xp.softplus(p.u) - p.u, Axis("u", -30.0, 30.0)),
    "tangent of W": boxed(lambda p, xp: p.u - xp.lambertw(p.u, 0), Axis("u", 0.0, 100.0)),
    "two means": boxed(
        lambda p, xp: (p.u + p.v) / 2 - xp.sqrt(p.u * p.v) + 0.01, Axis("u", 0.1, 2.0), Axis("v", 0.1, 2.0)
    ),
    "branches": boxed(lambda p, xp: xp.lambertw(-p.u, 0) - xp.lambertw(-p.u, -1), Axis("u", 1e-3, 0.3678, "log")),
    "inside a disc": boxed(
        lambda p, xp: 0.01 + 1 - p.u**2 - p.v**2,
        Axis("u", -1.0, 1.0),
        Axis("v", -1.0, 1.0),
        where=lambda p, xp: (1 - p.u**2 - p.v**2,),
    ),
    "lemma 4 by weights": boxed(lemma_4, Axis("v", 0.05, 10.0, "log"), Axis("gap", 0.05, 10.0)),
}


@pytest.mark.parametrize("name", SIMPLE)
def test_simple_claims_are_decided_nearly_everywhere(name):
    claim = SIMPLE[name]
    found = certify(claim)
    assert found.counterexample is None and found.evidence.certified_fraction >= 0.99
    again = check_certificate(claim, found.certificate)
    assert again.decided == pytest.approx(found.evidence.certified_fraction, abs=1e-9)
    assert again.undecided == found.evidence.undecided
    assert (found.evidence.certified_fraction == 1.0) == (found.evidence.undecided == 0)


@pytest.mark.parametrize("budget", [1, 2, 17, 100])
def test_the_undecided_fraction_is_the_volume_of_the_leaves(budget):
    claim = SIMPLE["two means"]
    found = certify(claim, budget=budget)
    leaves = list(walk(found.certificate["tree"], 2))
    volumes = [2.0 ** -sum(n for _, n in box) for _, box in leaves]
    left = sum(volume for (letter, _), volume in zip(leaves, volumes, strict=True) if letter == "U")
    assert sum(volumes) == 1.0 and left > 0
    assert found.evidence.certified_fraction == pytest.approx(1 - left, abs=1e-12)
    assert found.evidence.undecided == sum(letter == "U" for letter, _ in leaves)
    assert found.evidence.samples <= budget


def test_time_ends_the_search():
    found = certify(SIMPLE["two means"], seconds=0.0)
    assert (
        found.certificate["tree"] == "U" and found.evidence.certified_fraction == 0.0 and found.evidence.undecided == 1
    )


def test_a_small_hole_does_not_round_away():
    """At 60 halvings a box holds 2^-60 of the domain, and 1 - 2^-60 is 1 in floats."""
    claim = boxed(lambda p, xp: xp.abs(3 * p.u - 1) - 1e-25, Axis("u", 0.0, 1.0))
    found = certify(claim)
    assert found.evidence.undecided > 0 and found.evidence.certified_fraction < 1.0 and not proved(found)
    assert check_certificate(claim, found.certificate).decided < 1.0
    outer = dataclasses.replace(claim, id="outer", margin=lambda p, xp: p.u + 1, proof=(claim,))
    assert certify(outer).evidence.certified_fraction < 1.0


def test_precision_rises_where_it_is_needed():
    claim = boxed(
        lambda p, xp: (xp.log(xp.number(2)) + (p.u - 0.7) ** 2 / 2**20 - xp.log(xp.number(2))) * 2**20 + 1e-12,
        Axis("u", 0.0, 2.0),
    )
    found = certify(claim)
    assert set(found.certificate["tree"]) & set("QR") and proved(found)
    assert check_certificate(claim, found.certificate).decided == 1.0


def test_a_violation_met_on_the_way_is_confirmed():
    claim = boxed(lambda p, xp: (p.u - 0.31) ** 2 - 1e-6, Axis("u", 0.0, 1.0))
    found = certify(claim)
    assert found.counterexample is not None and recheck(claim, found.counterexample.point).violated
    outside = dataclasses.replace(claim, domain=Domain(claim.domain.axes, where=lambda p, xp: (p.u - 0.32,)))
    assert certify(outside).counterexample is None and proved(certify(outside))


def test_an_integer_axis_and_a_solver_are_not_for_boxes():
    assert certify(boxed(lambda p, xp: p.n + 1, Axis("n", 0, 3, "integer"))) is None
    assert certify(boxed(lambda p, xp: (p.u + 1) ** 0.5, Axis("u", 0.0, 1.0))) is None
    assert certify(dataclasses.replace(get("lemma-6"), proof=())) is not None  # an identity, which SymPy proves


def test_the_letters_fit_the_certificate():
    found = certify(SIMPLE["inside a disc"])
    assert set(found.certificate["tree"]) <= set("01PQROU")
    assert set(found.certificate) == {"claim", "hash", "axes", "tree"} and engine.BUDGET >= 1000
