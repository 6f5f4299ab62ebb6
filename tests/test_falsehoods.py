"""Planted falsehoods, a kind at a time, and true statements that rounding would break: none is called proved, none refuted."""

import math

import pytest
from mpmath import mp

from ascentfail.claims.claim import Modulus, Point, by_cases
from ascentfail.figures.report.summary import proof_word
from ascentfail.numerics.arithmetic import MPMATH
from ascentfail.theory import Axis, Cases, Claim, Domain, Kind, check

SAMPLES = 1 << 11
U = Axis("u", 0.0, 1.0)


def planted(margin, *, axes=(U,), where=None, kind=Kind.BOUND, chart=None, **more):
    domain = Domain(axes, where=where) if chart is None else Domain(axes, chart, where)
    return Claim("planted", "a falsehood", "test", kind, domain, margin, **more)


def equality(margin, **more):
    return planted(margin, kind=Kind.EQUALITY, **more)


STEP = planted(lambda p, xp: xp.exp(p.u) - 1 - p.u)
IDENTITY = equality(lambda p, xp: (p.u + 1) ** 2 - p.u**2 - 2 * p.u - 1)
WORDS = {"proof_words": "it follows, says a sentence"}


def needle(p, xp):
    """Negative only within 2e-8 of a point that is no float."""
    return (3 * p.u - 1) ** 2 - 1e-15


def no_float(p, xp):
    """Negative only within 1e-26 of a point that is no float: no point that can be written down refutes it."""
    return xp.abs(3 * p.u - 1) - 1e-26


# --- steps that are true and do not matter, or that say nothing ---------------------------------------------------------------

EMPTY = planted(lambda p, xp: p.u + 1, where=lambda p, xp: (-1 - p.u,))
UNDEFINED = planted(lambda p, xp: xp.log(-1 - p.u), factors=(lambda p, xp: 1 + p.u,))
NAN_EQUALITY = equality(lambda p, xp: xp.log(-1 - p.u) - xp.log(-1 - p.u))
HALF_DEFINED = equality(lambda p, xp: xp.log(p.u - 0.5) - xp.log(p.u - 0.5))
PROOFS = {
    "a true bound": (STEP,),
    "a true identity": (IDENTITY,),
    "two true steps": (STEP, IDENTITY),
    "a step on an empty domain": (EMPTY,),
    "an identity on an empty domain": (
        equality(lambda p, xp: p.u - p.u, where=lambda p, xp: (-1 - p.u,)),
    ),
    "a step that is undefined": (UNDEFINED,),
    "an identity that is undefined": (NAN_EQUALITY,),
    "an identity that is undefined on a half": (HALF_DEFINED,),
    "no step at all": (),
}
FALSE = {
    "near a point that is no float": no_float,
    "on a needle": needle,
}


@pytest.mark.parametrize("false", FALSE)
@pytest.mark.parametrize("name", PROOFS)
def test_steps_do_not_prove_a_false_margin(name, false):
    verdict = check(
        planted(FALSE[false], proof=PROOFS[name], **WORDS), "certified", samples=SAMPLES
    )
    assert verdict.status != "holds" or verdict.evidence.grade == "argued"
    assert not (verdict.status == "holds" and verdict.proved) and "proved" not in proof_word(
        verdict.to_json()
    )


@pytest.mark.parametrize(
    "name", [name for name in PROOFS if "undefined" in name or "empty" in name]
)
def test_a_step_that_says_nothing_does_not_count(name):
    verdict = check(planted(no_float, proof=PROOFS[name]), "certified", samples=SAMPLES)
    assert verdict.status == "open" and verdict.evidence.grade not in ("argued", "boxes")


@pytest.mark.parametrize("kind", [Kind.ORDERING, Kind.PROBABILITY])
def test_every_kind_of_inequality_is_only_argued_by_steps(kind):
    verdict = check(
        planted(no_float, kind=kind, proof=(STEP,), **WORDS), "certified", samples=SAMPLES
    )
    assert not verdict.proved and verdict.evidence.certified_fraction is None


FACTORS = {
    "that have nothing to do with the margin": (lambda p, xp: 1 + p.u,),
    "of which the product is another": (lambda p, xp: 1 + p.u, lambda p, xp: 2 + p.u),
    "that are undefined": (lambda p, xp: 0 * xp.log(-1 - p.u),),
}


@pytest.mark.parametrize("name", FACTORS)
def test_factors_do_not_prove_a_margin_that_is_not_theirs(name):
    verdict = check(planted(no_float, factors=FACTORS[name]), "certified", samples=SAMPLES)
    assert not verdict.proved and "proved" not in proof_word(verdict.to_json())


def test_factors_of_the_margin_itself_do():
    claim = planted(
        lambda p, xp: (p.u + 1) * (xp.exp(p.u) - 1),
        factors=(lambda p, xp: p.u + 1, lambda p, xp: xp.exp(p.u) - 1),
    )
    verdict = check(claim, "certified", samples=SAMPLES)
    assert (
        verdict.proved
        and verdict.evidence.grade == "boxes"
        and verdict.evidence.certified_fraction == 1.0
    )


# --- undefined, empty ---------------------------------------------------------------------------------------------------------

DISC = (Axis("u", -1.0, 1.0), Axis("v", -1.0, 1.0))


def h(p):
    """Negative on a disc of radius a third."""
    return p.u**2 + p.v**2 - 1 / 9


NOWHERE = {  # identities that are undefined somewhere on their domain
    "log h - log h, h < 0 on a disc": lambda p, xp: xp.log(h(p)) - xp.log(h(p)),
    "sqrt h - sqrt h": lambda p, xp: xp.sqrt(h(p)) - xp.sqrt(h(p)),
    "0 log h": lambda p, xp: 0 * xp.log(h(p)),
    "(log h)^0 - 1": lambda p, xp: xp.log(h(p)) ** 0 - 1,
    "W(h - 1) - W(h - 1)": lambda p, xp: xp.lambertw(h(p) - 1) - xp.lambertw(h(p) - 1),
    "W_{-1} of what is positive": lambda p, xp: (
        xp.lambertw(1 + p.u**2, -1) - xp.lambertw(1 + p.u**2, -1)
    ),
    "u/u - 1": lambda p, xp: p.u / p.u - 1,
    "log of an exponential's negative": lambda p, xp: xp.log(-xp.exp(p.u)) - xp.log(-xp.exp(p.u)),
    "min(0, log h) is zero at most": lambda p, xp: xp.minimum(xp.log(h(p)), xp.number(0)) * 0,
}


@pytest.mark.parametrize("name", NOWHERE)
def test_an_identity_is_proved_only_where_it_is_defined(name):
    verdict = check(equality(NOWHERE[name], axes=DISC), "certified", samples=SAMPLES)
    assert not (verdict.status == "holds" and verdict.proved), verdict.evidence


@pytest.mark.parametrize("proof", [(), (STEP,), (IDENTITY,)])
def test_an_empty_domain_is_vacuous(proof):
    verdict = check(
        planted(lambda p, xp: p.u - 2, where=lambda p, xp: (-1 - p.u,), proof=proof),
        "certified",
        samples=SAMPLES,
    )
    assert verdict.status == "vacuous" and not verdict.proved


# --- cases --------------------------------------------------------------------------------------------------------------------


def listed(margin, exact, quantifier="every", points=({"x": 1.0}, {"x": 2.0})):
    cases = Cases(points, margin, exact, quantifier, rigorous=True)
    return Claim(
        "planted", "cases", "test", Kind.ORDERING, cases.domain("two cases"), by_cases, cases=cases
    )


LIES = {
    "the second route says the opposite": ((1.0, 1.0), lambda p, digits: mp.mpf(-1)),
    "the second route does not know": ((1.0, 1.0), lambda p, digits: mp.nan),
    "the exact margin lies outside the enclosure": ((1.0, 1.5), lambda p, digits: mp.mpf(2)),
    "plain floats, called rigorous": (
        (math.exp(-1.0), math.exp(-1.0)),
        lambda p, digits: mp.exp(-1),
    ),
    "the enclosure is empty": ((2.0, 1.0), lambda p, digits: mp.mpf(3) / 2),
    "the second route is noise": ((0.5, 1.5), lambda p, digits: 1 + mp.rand() / 10),
    "the second route is the first in floats": ((0.5, 0.6), lambda p, digits: mp.mpf(0.25)),
    "zero, undecided": ((0.0, 0.0), lambda p, digits: mp.mpf(10) ** -digits),
}


@pytest.mark.parametrize("quantifier", ["every", "some"])
@pytest.mark.parametrize("name", LIES)
def test_cases_called_rigorous_are_consulted_twice(name, quantifier):
    ends, exact = LIES[name]
    verdict = check(listed(lambda p, level: ends, exact, quantifier), "certified")
    assert verdict.status == "open" and not verdict.proved


def test_cases_that_agree_are_proved():
    verdict = check(listed(lambda p, level: (0.3, 0.4), lambda p, digits: mp.exp(-1)), "certified")
    assert verdict.proved and verdict.evidence.grade == "cases"


# --- near rounding ------------------------------------------------------------------------------------------------------------

FAR = (Axis("x", 1000.0, 2000.0),)
TRUE = {  # true statements; many a float, and a hundred digits, see a zero or less
    "ln(1 + e^x) > x": planted(lambda p, xp: xp.softplus(p.x) - p.x, axes=FAR, strict=True),
    "ln(1 + e^x) > x, written out": planted(
        lambda p, xp: xp.log(1 + xp.exp(p.x)) - p.x, axes=FAR, strict=True
    ),
    "the same at 3000 and beyond": planted(
        lambda p, xp: xp.log(1 + xp.exp(p.x)) - p.x, axes=(Axis("x", 3e3, 4e3),), strict=True
    ),
    "1 - sigmoid > 0": planted(lambda p, xp: 1 - xp.sigmoid(p.x), axes=FAR, strict=True),
    "u/10 >= 0.1 u": planted(lambda p, xp: p.u / 10 - 0.1 * p.u),
    "0.1 u >= u/10": planted(lambda p, xp: 0.1 * p.u - p.u / 10),
    "3 u/10 = 0.3 u": equality(lambda p, xp: 3 * p.u / 10 - 0.3 * p.u),
    "0.1 + 0.2 = 0.3": equality(lambda p, xp: 0.1 * p.u + 0.2 * p.u - 0.3 * p.u),
    "a decimal as text": equality(lambda p, xp: xp.number("0.7") * p.u - 7 * p.u / 10),
    "a tenth of a tenth": planted(lambda p, xp: 0.01 * p.u - p.u / 100),
    "a decimal in the chart": planted(
        lambda p, xp: p.v - p.u / 10, axes=(U,), chart=lambda p, xp: Point(u=p.u, v=0.1 * p.u)
    ),
    "a decimal among the side conditions": planted(
        lambda p, xp: p.u - xp.number(1) / 10, where=lambda p, xp: (p.u - 0.1,)
    ),
    "W(c) e^W(c) <= c": planted(
        lambda p, xp: p.c - xp.lambertw(p.c) * xp.exp(xp.lambertw(p.c)),
        axes=(Axis("c", 0.0, 50.0),),
    ),
    "e^-u^2 > 0 far out": planted(lambda p, xp: xp.exp(-p.x * p.x / 1000), axes=FAR, strict=True),
    "u - u >= 0": planted(lambda p, xp: p.u - p.u),
}


@pytest.mark.parametrize("level", ["sampled", "certified"])
@pytest.mark.parametrize("name", TRUE)
def test_no_true_statement_fails_for_its_rounding(name, level):
    assert check(TRUE[name], level, samples=SAMPLES).status in ("holds", "open")


def test_what_a_thousand_digits_settle_holds():
    for name in ("ln(1 + e^x) > x", "ln(1 + e^x) > x, written out", "u/10 >= 0.1 u"):
        assert check(TRUE[name], samples=SAMPLES).status == "holds", name


ZERO = {  # false strict statements, and how exact arithmetic sees it
    "u > 0 at 0": lambda p, xp: p.u,
    "e^u > e^u": lambda p, xp: xp.exp(p.u) - xp.exp(p.u),
    "0 W(u) > 0": lambda p, xp: 0 * xp.lambertw(p.u),
    "ln(1 + u) > 0 at 0": lambda p, xp: xp.log(1 + p.u),
    "|u - 1/4| > 0": lambda p, xp: xp.abs(p.u * p.u - 1 / 16),
}


@pytest.mark.parametrize("name", ZERO)
def test_an_exact_zero_refutes_a_strict_claim(name):
    verdict = check(planted(ZERO[name], strict=True), "searched", samples=1 << 13)
    assert verdict.status == ("open" if "1/4" in name and verdict.status == "open" else "fails")
    assert verdict.status == "fails" or name == "|u - 1/4| > 0"


# --- limits -------------------------------------------------------------------------------------------------------------------

RATE = (Axis("h", 1e-6, 1.0, "log"), U)


def limit(margin, modulus=None, **more):
    return planted(margin, axes=RATE, kind=Kind.LIMIT, modulus=modulus, **more)


NO_LIMIT = {
    "no modulus": limit(lambda p, xp: 1 - xp.abs(p.u - 0.5)),
    "a constant modulus": limit(
        lambda p, xp: 1 - xp.abs(p.u - 0.5), Modulus(lambda p, xp: xp.number(1) + 0 * p.h, "h", 0.0)
    ),
    "a modulus that vanishes along another axis": limit(
        lambda p, xp: p.u - p.u * p.u / 2, Modulus(lambda p, xp: p.u + 0 * p.h, "h", 0.0)
    ),
    "a modulus that vanishes the other way": limit(
        lambda p, xp: 1 / p.h - p.u, Modulus(lambda p, xp: 1 / p.h, "h", 0.0)
    ),
    "a modulus that stays above a half": limit(
        lambda p, xp: 0.5 + p.h - p.u / 3, Modulus(lambda p, xp: 0.5 + p.h, "h", 0.0)
    ),
    "a modulus that is not the margin's": limit(
        lambda p, xp: 1 - p.u / 2, Modulus(lambda p, xp: p.h, "h", 0.0)
    ),
    "a negative modulus": limit(lambda p, xp: 1 + p.u, Modulus(lambda p, xp: -p.h, "h", 0.0)),
    "a modulus that falls below zero": limit(
        lambda p, xp: (p.h - 1e-7) * (1 - p.u / 2), Modulus(lambda p, xp: p.h - 1e-7, "h", 0.0)
    ),
    "a modulus that is defined nowhere nearer": limit(
        lambda p, xp: xp.sqrt(p.h - xp.number(1e-6)) * (1 - p.u / 2),
        Modulus(lambda p, xp: xp.sqrt(p.h - xp.number(1e-6)), "h", 0.0),
    ),
    "a modulus that comes back": limit(
        lambda p, xp: p.h + 1e-9 / p.h - 0 * p.u, Modulus(lambda p, xp: p.h + 1e-9 / p.h, "h", 0.0)
    ),
    "a modulus that stays, with steps": limit(
        lambda p, xp: 1 - p.u / 2,
        Modulus(lambda p, xp: xp.number(1) + 0 * p.h, "h", 0.0),
        proof=(STEP,),
        **WORDS,
    ),
}


@pytest.mark.parametrize("level", ["sampled", "certified"])
@pytest.mark.parametrize("name", NO_LIMIT)
def test_a_modulus_that_does_not_vanish_shows_no_limit(name, level):
    verdict = check(NO_LIMIT[name], level, samples=SAMPLES)
    assert verdict.status == "open" and not verdict.proved


def test_a_modulus_that_vanishes_does():
    claim = limit(lambda p, xp: 2 * p.h - p.u * p.h, Modulus(lambda p, xp: 2 * p.h, "h", 0.0))
    assert check(claim, "certified", samples=SAMPLES).proved
    slow = planted(
        lambda p, xp: 2 / xp.lambertw(p.t) - 1 / xp.lambertw(p.t),
        axes=(Axis("t", 10.0, 1e6, "log"),),
        kind=Kind.LIMIT,
        modulus=Modulus(lambda p, xp: 2 / xp.lambertw(p.t), "t", math.inf),
    )
    assert check(slow, samples=SAMPLES).status == "holds"


# --- one margin for every judge -----------------------------------------------------------------------------------------------


def two_faced(name, here, elsewhere):
    return lambda p, xp: 0 * p.u + (xp.number(here) if xp.name == name else xp.number(elsewhere))


@pytest.mark.parametrize("name", ["jax", "mpmath", "arb", "jets", "sympy", "formula"])
def test_a_margin_with_two_faces_is_not_proved(name):
    for here, elsewhere in ((1, -1), (-1, 1)):
        verdict = check(planted(two_faced(name, here, elsewhere)), "certified", samples=SAMPLES)
        plain = check(
            planted(lambda p, xp, value=elsewhere: 0 * p.u + value), "certified", samples=SAMPLES
        )
        if name in ("jax", "formula"):  # floats and the expression disagree
            assert verdict.status != "holds"
        else:  # nobody asks in that arithmetic
            assert verdict.status == plain.status


def test_a_bound_that_a_witness_contradicts_refutes_nothing():
    claim = planted(
        lambda p, xp: p.w - p.u,
        kind=Kind.EXISTENCE,
        inner=(Axis("w", 0.0, 2.0),),
        exclusion=lambda p, xp: p.u - 2,
        exclusion_words="no w, it is said",
    )
    assert check(claim, samples=1 << 13).status != "fails"


def test_a_refutation_by_words_is_argued_and_one_at_a_point_enclosed():
    words = planted(
        lambda p, xp: p.w - p.u - 2,
        kind=Kind.EXISTENCE,
        inner=(Axis("w", 0.0, 1.0),),
        exclusion=lambda p, xp: -1 - p.u,
        exclusion_words="all w",
    )
    assert (
        check(words).status == "fails"
        and check(words).evidence.grade == "argued"
        and not check(words).proved
    )
    point = check(planted(lambda p, xp: 0.5 - p.u))
    assert point.status == "fails" and point.evidence.grade == "boxes" and point.proved
    assert MPMATH.exp(0) == 1
