"""Branch and bound and proofs by steps: what is true is decided, a planted error is not proved."""

import dataclasses

import pytest

from ascentfail.claims.checker import walk
from ascentfail.claims.claim import ClaimError
from ascentfail.claims.evidence import certify as engine
from ascentfail.claims.evidence import symbolic
from ascentfail.claims.evidence.certificate import check_certificate
from ascentfail.claims.evidence.certify import certify, excluded, point_refutes
from ascentfail.claims.evidence.recheck import recheck
from ascentfail.line import closed_form
from ascentfail.theory import Axis, Claim, Domain, Kind, claims, get
from ascentfail.theory.proof_steps import steps

PROOFS = [claim for printed in claims() for claim in printed.family() if claim.proof]
STEPS = {step.id: step for claim in PROOFS for step in claim.proof}
INEQUALITIES = [step for step in STEPS.values() if step.factors]
IDENTITIES = [step for step in STEPS.values() if step.kind is Kind.EQUALITY]


def proved(found):
    """Whether certification left nothing open."""
    return found is not None and found.complete


# --- the registered proofs -------------------------------------------------------------------------------------------


def test_there_are_proofs():
    assert (
        len(PROOFS) >= 15 and len(STEPS) >= 30 and len(INEQUALITIES) + len(IDENTITIES) == len(STEPS)
    )


def test_a_step_name_means_one_statement():
    named = [step for claim in PROOFS for step in claim.proof]
    assert len({id(step) for step in named}) == len({step.id for step in named})


@pytest.mark.parametrize("step_id", STEPS)
def test_every_step_is_proved_on_all_of_its_box(step_id):
    found = certify(STEPS[step_id])
    assert proved(found)
    assert check_certificate(STEPS[step_id], found.certificate).decided == 1.0


@pytest.mark.parametrize("claim", PROOFS, ids=lambda c: c.id)
def test_every_claim_with_a_proof_is_certified(claim, monkeypatch):
    monkeypatch.setattr(engine, "_FIRST", (3, 5.0))  # its own margin is tried on three boxes only
    found = certify(claim)
    assert proved(found) and claim.proof_words
    if found.evidence.grade == "argued":
        assert found.evidence.level == "certified"
        assert found.evidence.certified_fraction is None and found.evidence.undecided is None
        assert (
            claim.proof_words in found.evidence.words
            and "steps" in found.evidence.words.replace("1 step", "1 steps")
        )
        assert len(found.certificate["steps"]) == len(claim.proof)


BY_THEMSELVES = (
    "lemma-2.extrema.repaired", "lemma-3.main.repaired", "lemma-3.setup.repaired", "lemma-3.appendix", "lemma-5.second-branch",
    "lemma-5.proof.repaired", "beyond-7.no-simultaneous", "beyond-8.lemma-3.main.repaired",
    # by their factors
    "beyond-1.first-step-helps", "beyond-3.first-step-1d", "beyond-8.1.first-step-helps", "beyond-8.3.first-step-1d",
)  # fmt: skip


@pytest.mark.parametrize("claim_id", BY_THEMSELVES)
def test_a_margin_that_boxes_enclose_needs_no_steps(claim_id):
    found = certify(get(claim_id))
    assert (
        found.evidence.grade == "boxes"
        and found.complete
        and found.evidence.certified_fraction == 1.0
    )
    assert len(set(found.certificate["tree"]) & set("PQR")) and found.evidence.undecided == 0


EQUALITIES = [
    c for printed in claims() for c in printed.family() if c.kind is Kind.EQUALITY and not c.cases
]


@pytest.mark.parametrize("claim", EQUALITIES, ids=lambda c: c.id)
def test_an_identity_is_defined_on_its_whole_domain(claim):
    """None of the registered identities is undefined anywhere where it is claimed."""
    found = certify(claim)
    assert found is None or found.evidence.grade in ("identity", "argued")
    if symbolic.prove(claim) is not None:
        assert (
            found.evidence.grade == "identity"
            and found.complete
            and "U" not in found.certificate["tree"]
        )


HARD = Claim(  # true, but it vanishes along the diagonal, where no boxes see it: only steps can speak of it
    "hard", "", "test", Kind.BOUND, Domain((Axis("u", 0.0, 1.0), Axis("v", 0.0, 1.0))),
    lambda p, xp: xp.exp(p.u - p.v) - 1 - (p.u - p.v),
)  # fmt: skip


def on_u(margin):
    return Claim("on u", "", "test", Kind.BOUND, Domain((Axis("u", 0.0, 1.0),)), margin)


def test_the_words_count_the_boxes():
    assert certify(on_u(lambda p, xp: p.u + 1)).evidence.words == "1 box"
    many = certify(on_u(lambda p, xp: p.u * p.u - p.u + 0.26)).evidence
    assert (
        many.words == f"{(many.samples + 1) // 2} boxes"
    )  # of all looked at, one more is a leaf than is halved


def test_a_part_that_is_exactly_zero_moves_nothing():
    found = certify(on_u(lambda p, xp: xp.minimum(0 * p.u, xp.exp(p.u * p.u - p.u) - 0.77)))
    assert proved(found) and found.evidence.samples > 1


@pytest.mark.parametrize(
    ("step_id", "place"),
    [(step.id, i) for step in INEQUALITIES for i in range(len(step.factors))],
)
def test_a_flipped_factor_is_not_proved(step_id, place):
    step = STEPS[step_id]
    factors = list(step.factors)
    factors[place] = lambda p, xp, right=factors[place]: -right(p, xp)
    flipped = dataclasses.replace(
        step, factors=tuple(factors), margin=lambda p, xp: factors[place](p, xp)
    )
    assert not proved(certify(flipped, budget=200))
    claim = dataclasses.replace(HARD, proof=(*PROOFS[0].proof, flipped))
    assert not proved(certify(claim, budget=200))


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
        closed_form.coefficient(p, "original") * (1 + p.phi)
        - closed_form.coefficient(p, "oracle") * (1 - p.alpha)
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
    "softplus above its argument": boxed(
        lambda p, xp: xp.softplus(p.u) - p.u, Axis("u", -30.0, 30.0)
    ),
    "tangent of W": boxed(lambda p, xp: p.u - xp.lambertw(p.u, 0), Axis("u", 0.0, 100.0)),
    "two means": boxed(
        lambda p, xp: (p.u + p.v) / 2 - xp.sqrt(p.u * p.v) + 0.01,
        Axis("u", 0.1, 2.0),
        Axis("v", 0.1, 2.0),
    ),
    "branches": boxed(
        lambda p, xp: xp.lambertw(-p.u, 0) - xp.lambertw(-p.u, -1), Axis("u", 1e-3, 0.3678, "log")
    ),
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
        found.certificate["tree"] == "U"
        and found.evidence.certified_fraction == 0.0
        and found.evidence.undecided == 1
    )


def test_a_small_hole_does_not_round_away():
    """At 60 halvings a box holds 2^-60 of the domain, and 1 - 2^-60 is 1 in floats."""
    claim = boxed(lambda p, xp: xp.abs(3 * p.u - 1) - xp.number(1) / 10**25, Axis("u", 0.0, 1.0))
    found = certify(claim)
    assert (
        found.evidence.undecided > 0
        and found.evidence.certified_fraction < 1.0
        and not proved(found)
    )
    assert check_certificate(claim, found.certificate).decided < 1.0
    outer = dataclasses.replace(
        claim,
        id="outer",
        margin=lambda p, xp: xp.exp(p.u) - xp.exp(p.u),
        proof=(claim,),
        strict=True,
    )
    assert (
        not proved(certify(outer, budget=50))
        and certify(outer, budget=50).evidence.grade == "boxes"
    )


def test_precision_rises_where_it_is_needed():
    claim = boxed(
        lambda p, xp: (
            (xp.log(xp.number(2)) + (p.u - 0.7) ** 2 / 2**20 - xp.log(xp.number(2))) * 2**20 + 1e-12
        ),
        Axis("u", 0.0, 2.0),
    )
    found = certify(claim)
    assert set(found.certificate["tree"]) & set("QR") and proved(found)
    assert check_certificate(claim, found.certificate).decided == 1.0


def test_a_violation_met_on_the_way_is_confirmed():
    claim = boxed(lambda p, xp: (p.u - 0.31) ** 2 - 1e-6, Axis("u", 0.0, 1.0))
    found = certify(claim)
    assert found.counterexample is not None and recheck(claim, found.counterexample.point).violated
    outside = dataclasses.replace(
        claim, domain=Domain(claim.domain.axes, where=lambda p, xp: (p.u - 0.32,))
    )
    assert certify(outside).counterexample is None and proved(certify(outside))


def test_an_integer_axis_is_split_down_to_its_integers():
    """sin-like in between, so only the integers themselves are right: (n - 1/2)^2 >= 1/4."""
    claim = boxed(
        lambda p, xp: (p.n - 1 / xp.number(2)) ** 2 - 1 / xp.number(4), Axis("n", -5, 7, "integer")
    )
    found = certify(claim)
    assert (
        proved(found)
        and found.evidence.grade == "boxes"
        and check_certificate(claim, found.certificate).proves
    )
    assert not proved(certify(dataclasses.replace(claim, domain=Domain((Axis("n", -5.0, 7.0),)))))
    assert certify(dataclasses.replace(claim, strict=True)).counterexample is not None
    several = boxed(
        lambda p, xp: p.u * (p.n - 2) ** 2, Axis("n", 0, 4, "integer"), Axis("u", 0.0, 1.0)
    )
    assert proved(certify(several))


def test_what_boxes_cannot_say():
    assert certify(boxed(lambda p, xp: p.u if p.u > 0 else -p.u, Axis("u", 0.0, 1.0))) is None
    assert proved(certify(boxed(lambda p, xp: (p.u + 1) ** 0.5, Axis("u", 0.0, 1.0))))
    assert (
        certify(dataclasses.replace(get("lemma-6"), proof=())) is not None
    )  # an identity, which SymPy proves
    assert certify(get("toy-path")) is None and certify(get("corollary-1.few-steps")) is None


@pytest.mark.parametrize("kind", [Kind.BOUND, Kind.EQUALITY, Kind.ORDERING])
def test_a_bug_in_a_margin_is_said(kind):
    """Not passed off as a claim that no arithmetic can speak of."""
    for margin in (
        lambda p, xp: p.nothing,
        lambda p, xp: p.u[0],
        lambda p, xp: None,
        lambda p, xp: 1 // 0 + p.u,
    ):
        claim = dataclasses.replace(boxed(margin, Axis("u", 0.0, 1.0)), kind=kind)
        with pytest.raises(ClaimError, match="boxed"):
            certify(claim)


def test_a_limit_is_tried_by_boxes_too():
    claim = boxed(lambda p, xp: p.eta - p.eta**2, Axis("eta", 0.0, 1.0))
    found = certify(dataclasses.replace(claim, kind=Kind.LIMIT))
    assert proved(found) and found.evidence.grade == "boxes"


def test_the_letters_fit_the_certificate():
    found = certify(SIMPLE["inside a disc"])
    assert set(found.certificate["tree"]) <= set("01PQROU") and engine.BUDGET >= 1000
    assert {
        "claim",
        "hash",
        "axes",
        "formula",
        "grade",
        "tree",
        "point",
        "statement",
        "words",
    } <= set(found.certificate)


# --- planted falsehoods ----------------------------------------------------------------------------------------------

U, V = Axis("u", 0.0, 1.0), Axis("v", 0.0, 1.0)
TRUE_STEP = boxed(lambda p, xp: xp.exp(p.u) - 1 - p.u, U)
FALSE = {  # each false or without meaning somewhere, and none may be called proved by boxes or identity
    "a hair below": boxed(lambda p, xp: (p.u - p.v) ** 2 - xp.number(1) / 10**60, U, V),
    "touches": boxed(lambda p, xp: (p.u - p.v) ** 2, U, V, strict=True),
    "touches at a face": boxed(lambda p, xp: xp.exp(p.u) - 1, U, strict=True),
    "undefined at a face": boxed(lambda p, xp: 1 + xp.sqrt(p.u - xp.number(1) / 10**9), U),
    "undefined inside": boxed(lambda p, xp: 1 / (p.u - xp.number(1) / 3) ** 2, U),
    "undefined and dropped": boxed(lambda p, xp: 1 + 0 * xp.log(p.u - p.v), U, V),
    "undefined and raised to nought": boxed(lambda p, xp: xp.log(p.u - p.v) ** 0, U, V),
    "undefined in a minimum": boxed(lambda p, xp: xp.maximum(xp.log(p.u), xp.number(1)), U),
    "a branch beyond its edge": boxed(lambda p, xp: 2 + xp.lambertw(-p.u, 0), U),
    "a jump": boxed(lambda p, xp: 2 * xp.indicator(p.u - xp.number(1) / 3) - 1, U),
    "monotone but for a kink": boxed(lambda p, xp: xp.abs(p.u - xp.number(1) / 3) - 1 / xp.number(10) ** 30, U),
    "a product of two negatives' signs": boxed(lambda p, xp: (p.u - 2) * (p.v + 1), U, V),
    "a minimum of which one fails": boxed(lambda p, xp: xp.minimum(p.u + 1, p.v - 1 / xp.number(10) ** 20), U, V),
    "a quotient with a negative divisor": boxed(lambda p, xp: (p.u + 1) / (p.v - 2), U, V),
    "where the condition is undefined": boxed(
        lambda p, xp: p.u - 1 / xp.number(2), U, where=lambda p, xp: (xp.log(p.u - 2) - 9,), strict=True),
    "an integer that fails": boxed(lambda p, xp: (p.n - 3) ** 2 - xp.number(1), Axis("n", 0, 100, "integer")),
    "the last integer fails": boxed(lambda p, xp: 99 - p.n, Axis("n", 0, 100, "integer")),
    "one tenth as a float": boxed(lambda p, xp: p.u - 0.1, Axis("u", 0.09999999999999999, 1.0)),
    "an identity by a hair": dataclasses.replace(
        boxed(lambda p, xp: (p.u + p.v) ** 2 - p.u**2 - p.v**2 - 2 * p.u * p.v + xp.number(1) / 10**200, U, V),
        kind=Kind.EQUALITY),
    "an identity of what is undefined": dataclasses.replace(
        boxed(lambda p, xp: xp.log(p.u - p.v) - xp.log(p.u - p.v), U, V), kind=Kind.EQUALITY),
    "an identity undefined on a line": dataclasses.replace(
        boxed(lambda p, xp: (p.u - p.v) / (p.u - p.v) - 1, U, V), kind=Kind.EQUALITY),
    "an identity of the wrong branch": dataclasses.replace(
        boxed(lambda p, xp: xp.lambertw(-p.u * xp.exp(-p.u), 0) + p.u, Axis("u", 0.5, 2.0)), kind=Kind.EQUALITY),
}  # fmt: skip


@pytest.mark.parametrize("name", FALSE)
@pytest.mark.parametrize("steps", [(), (TRUE_STEP,)], ids=["alone", "with an irrelevant step"])
def test_a_planted_falsehood_is_not_proved(name, steps):
    claim = dataclasses.replace(FALSE[name], id="planted", proof=steps)
    found = certify(claim, budget=400, seconds=20.0)
    assert found is None or not found.complete or found.evidence.grade == "argued"
    if found is not None and found.evidence.grade == "argued":
        assert steps and not check_certificate(claim, found.certificate).proves
        assert found.evidence.certified_fraction is None and "%" not in found.evidence.words


def test_true_statements_near_rounding_are_no_counterexamples():
    for margin, axes in (
        (lambda p, xp: xp.softplus(p.u) - p.u, (Axis("u", 0.0, 5000.0),)),
        (lambda p, xp: p.u / 10 - 0.1 * p.u, (U,)),
        (lambda p, xp: p.u - 0.1 * 3 * p.u / 0.3 + p.u * (0.1 * 3 / 0.3 - 1), (U,)),
    ):
        claim = boxed(margin, *axes)
        found = certify(claim, budget=50)
        assert found.counterexample is None
        assert not any(
            point_refutes(claim, {"u": float(axis.at(unit))})
            for axis in axes
            for unit in (0.0, 0.3, 0.5, 1.0)
        )


# --- vacuous claims --------------------------------------------------------------------------------------------------


def test_a_vacuous_claim_is_said_to_be_vacuous():
    nothing = boxed(lambda p, xp: p.u + 1, U, V, where=lambda p, xp: (-1 - p.u * p.v,))
    found = certify(nothing)
    assert found.vacuous and not found.complete and found.evidence.grade == "boxes"
    assert (
        not check_certificate(nothing, found.certificate).proves
        and check_certificate(nothing, found.certificate).vacuous
    )
    with_step = dataclasses.replace(nothing, proof=(TRUE_STEP,))
    assert certify(with_step).vacuous and excluded(with_step) and excluded(nothing)
    equal = dataclasses.replace(nothing, kind=Kind.EQUALITY, margin=lambda p, xp: p.u - p.u)
    assert certify(equal).vacuous and not certify(equal).complete and excluded(equal)


def test_only_side_conditions_exclude():
    assert not excluded(TRUE_STEP) and not excluded(SIMPLE["inside a disc"])
    assert not excluded(boxed(lambda p, xp: -1 - p.u, U))  # false everywhere, but not about nothing
    assert not excluded(
        boxed(lambda p, xp: p.u, U, where=lambda p, xp: (p.u - 1,))
    )  # one point is left
    assert not excluded(get("toy-path"))


def test_an_undefined_step_or_one_about_nothing_does_not_count():
    hard = HARD
    assert (
        certify(dataclasses.replace(hard, proof=(TRUE_STEP,)), budget=50).evidence.grade == "argued"
    )
    about_nothing = boxed(lambda p, xp: p.u + 1, U, where=lambda p, xp: (-1 - p.u,))
    undefined = boxed(lambda p, xp: 1 + 0 * xp.log(-1 - p.u), U)
    undefined_identity = dataclasses.replace(
        FALSE["an identity of what is undefined"], id="undefined"
    )
    argued = dataclasses.replace(hard, proof=(TRUE_STEP,))
    for bad in (
        about_nothing,
        undefined,
        undefined_identity,
        argued,
        hard,
        get("corollary-1.few-steps"),
    ):
        found = certify(dataclasses.replace(hard, proof=(TRUE_STEP, bad)), budget=50)
        assert found.evidence.grade == "boxes" and not found.complete


# --- refutation at a point -------------------------------------------------------------------------------------------

REFUTED = {
    "negative": (boxed(lambda p, xp: p.u - 0.5, U), {"u": 0.25}, {"u": 0.75}),
    "by a hair": (boxed(lambda p, xp: (p.u - 0.25) - xp.number(1) / 10**250, U), {"u": 0.25}, {"u": 0.5}),
    "zero where more is claimed": (boxed(lambda p, xp: p.u, U, strict=True), {"u": 0.0}, {"u": 1.0}),
    "not zero": (dataclasses.replace(boxed(lambda p, xp: p.u, U), kind=Kind.EQUALITY), {"u": 1e-300}, {"u": 0.0}),
    "inside": (boxed(lambda p, xp: -p.u - 1, U, where=lambda p, xp: (p.u - 0.5,)), {"u": 0.5}, {"u": 0.25}),
    "an integer": (boxed(lambda p, xp: 2 - p.n, Axis("n", 0, 5, "integer")), {"n": 3.0}, {"n": 2.5}),
    "at the edge of W": (boxed(lambda p, xp: xp.lambertw(-p.u, 0), Axis("u", 0.1, 1.0)), {"u": 0.3}, {"u": 0.9}),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUTED)
def test_a_point_refutes(name):
    claim, bad, good = REFUTED[name]
    assert point_refutes(claim, bad) and not point_refutes(claim, good)
    assert not point_refutes(claim, {}) and not point_refutes(
        claim, dict.fromkeys(bad, float("nan"))
    )
    assert not point_refutes(claim, {name: 7e9 for name in bad})


def test_what_no_point_refutes():
    exact = boxed(lambda p, xp: xp.exp(xp.log(p.u + 1)) - p.u - 1, U)  # zero, but no digits say so
    assert not point_refutes(exact, {"u": 0.3})
    assert not point_refutes(dataclasses.replace(exact, kind=Kind.EQUALITY), {"u": 0.3})
    assert not point_refutes(get("corollary-1.few-steps"), {}) and not point_refutes(
        get("toy-path"), {"case": 0.0}
    )
