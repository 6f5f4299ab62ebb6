"""Planted claims whose truth is known: the tool gives the right status or says "open", never a wrong one."""

import functools
import signal

import jax
import jax.numpy as jnp
import pytest
from mpmath import mp

from ascentfail.claims.check import certified_check
from ascentfail.claims.claim import ClaimError, Point
from ascentfail.claims.evidence import certify as engine
from ascentfail.claims.evidence.certificate import check_certificate
from ascentfail.claims.evidence.recheck import recheck
from ascentfail.figures.report.summary import proof_word
from ascentfail.numerics.arithmetic import MPMATH
from ascentfail.theory import Axis, Claim, Domain, Kind, check

SAMPLES = 1 << 12
ALLOWED = {  # what may be said of a claim that is ...
    "true": {"holds", "open"},
    "false": {"fails", "open"},
    "vacuous": {"vacuous", "open"},
    "undefined": {"open"},
}


@pytest.fixture(autouse=True)
def _small_budget(monkeypatch):
    monkeypatch.setattr(engine.certify, "__defaults__", (600, 60.0))


def planted(margin, *, axes=2, where=None, kind=Kind.BOUND, box=None, chart=None, **more):
    box = box or tuple(Axis(name, 0.0, 1.0) for name in "uvw"[:axes])
    domain = Domain(box, where=where) if chart is None else Domain(box, chart, where)
    return Claim("planted", "", "test", kind, domain, margin, **more)


def equality(margin, **more):
    return planted(margin, kind=Kind.EQUALITY, **more)


def off(p):
    """Squared distance from a point that nothing samples."""
    return (p.u - 0.31) ** 2 + (p.v - 0.77) ** 2


def hole(p, xp):
    """Negative on a disc of volume 3e-9."""
    return off(p) - 1e-9


def disc(p, xp):
    return 1 - (2 * p.u - 1) ** 2 - (2 * p.v - 1) ** 2


def rosenbrock(p):
    x, y = 4 * p.u - 2, 4 * p.v - 1
    return (1 - x) ** 2 + 10**5 * (y - x * x) ** 2


def below_edge(p, xp):
    """An argument of W that leaves its domain only where `hole` is negative, by up to 0.01."""
    return xp.minimum(hole(p, xp) * 10**7 - xp.exp(-xp.number(1)), -xp.number(1) / 10)


NUMBER = (Axis("u", 0.0, 1.0), Axis("n", 0, 5, "integer"))
SHIFTED = (Axis("phi", 0.01, 3.0, "log"), Axis("ratio", 0.01, 0.3))
INNER = {"kind": Kind.EXISTENCE, "inner": (Axis("w", 0.0, 1.0),), "exclusion_words": "all w"}

CLAIMS = {  # name: (truth, what is expected or None where either will do, claim)
    "true by 1e-9": ("true", "holds", planted(lambda p, xp: off(p) + 1e-9)),
    "true by 1e-9, expanded": (
        "true",
        None,
        planted(lambda p, xp: p.u**2 - 2 * p.u * p.v + p.v * p.v + 1e-9),
    ),
    "true by 1e-9 in a curved valley": (
        "true",
        "holds",
        planted(lambda p, xp: rosenbrock(p) + 1e-9),
    ),
    "true by 1e-60, strictly": (
        "true",
        "holds",
        planted(lambda p, xp: p.u**2 + 1e-60, strict=True),
    ),
    "zero at a corner": ("true", "holds", planted(lambda p, xp: xp.exp(p.u + p.v) - 1)),
    "zero on a curve": ("true", "holds", planted(lambda p, xp: (p.u - p.v * p.v) ** 2)),
    "false by 1e-9 on 1e-6 of the box": (
        "false",
        None,
        planted(lambda p, xp: (off(p) * 10**6 * 3.14159 - 1) / 10**9),
    ),
    "false on 3e-9 of the box": ("false", None, planted(hole)),
    "false by 1e-9 in a curved valley": (
        "false",
        None,
        planted(lambda p, xp: rosenbrock(p) - 1e-9),
    ),
    "false at a point that is no float": (
        "false",
        "open",
        planted(lambda p, xp: xp.abs(3 * p.u - 1) - 1e-25, axes=1),
    ),
    "false on a curve without floats": (
        "false",
        "open",
        planted(lambda p, xp: xp.abs(3 * p.u - 1) + p.v - 1e-25),
    ),
    "false at a corner": ("false", "fails", planted(lambda p, xp: 2 - p.u - p.v - 1e-12)),
    "false at a corner of the side conditions": (
        "false",
        None,
        planted(
            lambda p, xp: 1.0 - p.v - 1e-9, where=lambda p, xp: (p.v - 2 * p.u, 2 - 2 * p.u - p.v)
        ),
    ),
    "false on a face": ("false", None, planted(lambda p, xp: p.u + (p.v - 0.37) ** 2 - 1e-9)),
    "true inside a curved region": (
        "true",
        None,
        planted(lambda p, xp: disc(p, xp) + 1e-3, where=lambda p, xp: (disc(p, xp),)),
    ),
    "false outside of it": ("false", "fails", planted(lambda p, xp: disc(p, xp) + 1e-3)),
    "vacuous": (
        "vacuous",
        "vacuous",
        planted(lambda p, xp: p.u + 1, where=lambda p, xp: (-1 - p.u,)),
    ),
    "vacuous and false": (
        "vacuous",
        "vacuous",
        planted(lambda p, xp: -1 - p.u, where=lambda p, xp: (p.u + p.v - 2.5,)),
    ),
    "vacuous by a hair": (
        "vacuous",
        None,
        planted(lambda p, xp: p.u, where=lambda p, xp: (-off(p) - 1e-6,)),
    ),
    "vacuous identity": (
        "vacuous",
        "vacuous",
        equality(lambda p, xp: p.u - p.u, where=lambda p, xp: (-1 - p.u,)),
    ),
    "almost vacuous and false": (
        "false",
        None,
        planted(lambda p, xp: p.u - 0.5, where=lambda p, xp: (-hole(p, xp),)),
    ),
    "almost vacuous and true": (
        "true",
        None,
        planted(lambda p, xp: p.u - 0.25, where=lambda p, xp: (-hole(p, xp),)),
    ),
    "one point and false": (
        "false",
        None,
        planted(lambda p, xp: p.u - 1, where=lambda p, xp: (-((p.u - 0.375) ** 2),)),
    ),
    "NaN on a part": ("undefined", "open", planted(lambda p, xp: 2 + xp.lambertw(p.u - 1, 0))),
    "NaN on a hidden part: -log": (
        "undefined",
        "open",
        planted(lambda p, xp: 5 - xp.log(hole(p, xp))),
    ),
    "NaN on a hidden part: -W": (
        "undefined",
        "open",
        planted(lambda p, xp: -xp.lambertw(below_edge(p, xp), 0)),
    ),
    "NaN on a hidden part: W_{-1}": (
        "undefined",
        "open",
        planted(lambda p, xp: 9 + xp.lambertw(below_edge(p, xp), -1)),
    ),
    "NaN on a hidden part: squared": (
        "undefined",
        "open",
        planted(lambda p, xp: xp.lambertw(below_edge(p, xp), 0) ** 2),
    ),
    "NaN on a hidden part: square root": (
        "undefined",
        "open",
        planted(lambda p, xp: xp.sqrt(hole(p, xp)) ** 2),
    ),
    "NaN at a hidden point": (
        "undefined",
        "open",
        planted(lambda p, xp: 1 + 0 * xp.log(xp.abs(p.u - 0.34375)), axes=1),
    ),
    "jump, undefined at it": (
        "undefined",
        "open",
        planted(lambda p, xp: 2 + xp.abs(p.u - 0.7) / (p.u - 0.7), axes=1),
    ),
    "jump below zero": (
        "false",
        "fails",
        planted(lambda p, xp: 0.5 + xp.abs(p.u - 0.7) / (p.u - 0.7), axes=1),
    ),
    "steep but continuous": (
        "true",
        None,
        planted(lambda p, xp: 1e-9 + xp.minimum(xp.abs(p.u - 0.7) * 10**9, xp.number(1))),
    ),
    "another value at one point": (
        "false",
        None,
        planted(lambda p, xp: 1 - 2 * (p.u == 0.34375) + 0 * p.u, axes=1),
    ),
    "identity": (
        "true",
        "holds",
        equality(lambda p, xp: xp.exp(p.u) * xp.exp(p.v) - xp.exp(p.u + p.v)),
    ),
    "false identity": (
        "false",
        "fails",
        equality(lambda p, xp: xp.exp(p.u) * xp.exp(p.v) - xp.exp(p.u * p.v)),
    ),
    "identity false by 1e-60": (
        "false",
        None,
        equality(lambda p, xp: (p.u + p.v) ** 2 - p.u**2 - p.v * (2 * p.u + p.v) + 1e-60),
    ),
    "identity only on a curve": (
        "false",
        "fails",
        equality(lambda p, xp: (p.u - p.v) * (p.u + p.v - 1)),
    ),
    "identity but for a hole": (
        "false",
        None,
        equality(lambda p, xp: xp.minimum(hole(p, xp), xp.number(0))),
    ),
    "identity but for a sign": (
        "false",
        "fails",
        equality(lambda p, xp: xp.sqrt(p.u**2) - p.u, box=(Axis("u", -1e-3, 1.0),)),
    ),
    "wrong branch": (
        "false",
        "fails",
        equality(
            lambda p, xp: xp.lambertw(p.u * xp.exp(p.u), 0) - p.u,
            box=(Axis("u", -1.01, 3.0),),
        ),
    ),
    "strict, zero on a face": ("false", "fails", planted(lambda p, xp: p.u, strict=True)),
    "strict, zero at no float": (
        "false",
        "open",
        planted(lambda p, xp: (2 * p.u * p.u - 1) ** 2, axes=1, strict=True),
    ),
    "the same, not strict": (
        "true",
        "holds",
        planted(lambda p, xp: (2 * p.u * p.u - 1) ** 2, axes=1),
    ),
    "integers, false at one": (
        "false",
        None,
        planted(lambda p, xp: (p.u - 0.7) ** 2 + (p.n - 3) ** 2 - 1e-8, box=NUMBER),
    ),
    "integers, true only there": (
        "true",
        None,
        planted(lambda p, xp: (2 * p.n - 5) ** 2 - 1 + p.u, box=NUMBER),
    ),
    "exists": (
        "true",
        "open",
        planted(lambda p, xp: p.w - p.u, axes=1, exclusion=lambda p, xp: 1 - p.u, **INNER),
    ),
    "does not exist": (
        "false",
        "fails",
        planted(lambda p, xp: p.w - p.u - 0.5, axes=1, exclusion=lambda p, xp: 0.5 - p.u, **INNER),
    ),
    "true up to the rounding of its chart": (
        "true",
        None,
        planted(
            lambda p, xp: 0.3 * p.phi - p.alpha,
            box=SHIFTED,
            chart=lambda p, xp: Point(phi=p.phi, alpha=p.ratio * p.phi),
        ),
    ),
    "root of a variable": ("true", "holds", planted(lambda p, xp: (p.u + 1) ** 1.5)),
    "inverse power": ("true", "holds", planted(lambda p, xp: (p.u + 1) ** -2)),
    "partial": ("true", "holds", planted(functools.partial(lambda p, xp, by: p.u + by, by=1))),
}


@pytest.mark.parametrize("name", CLAIMS)
def test_right_or_open_at_the_highest_level(name):
    truth, expected, claim = CLAIMS[name]
    with jax.numpy_dtype_promotion(
        "standard"
    ):  # whoever plants a margin may multiply an integer by a truth value
        verdict, certificates = certified_check(claim, "certified", samples=SAMPLES)
    assert verdict.status in ALLOWED[truth], verdict.evidence
    assert expected is None or verdict.status == expected, verdict.evidence
    argued = (
        "argued" if claim.exclusion else "boxes"
    )  # a bound for all inner values is said in words
    assert (
        verdict.evidence.grade == argued
        if verdict.status == "fails"
        else verdict.evidence.grade != "argued"
    )
    assert verdict.proved == (verdict.status in ("holds", "fails") and not claim.exclusion)
    assert ("proved" in proof_word(verdict.to_json())) == (verdict.status == "holds")
    if verdict.status == "holds":
        assert check_certificate(claim, certificates[claim.id]).decided == 1.0
    if verdict.status == "fails":
        assert recheck(claim, verdict.counterexample.point).violated
        assert all(
            axis.contains(verdict.counterexample.point[axis.name]) for axis in claim.domain.axes
        )
    if verdict.status == "open" and verdict.evidence.certified_fraction is not None:
        assert (
            verdict.evidence.undecided
            or verdict.evidence.certified_fraction < 1.0
            or "vacuous" in verdict.evidence.words
        )


@pytest.mark.parametrize("name", [n for n, (truth, _, _) in CLAIMS.items() if truth != "false"])
def test_samples_prove_nothing(name):
    truth, _, claim = CLAIMS[name]
    verdict = check(claim, "sampled", samples=256)
    assert verdict.status != "fails" and not verdict.proved
    assert "proved" not in proof_word(verdict.to_json()) and "certified" not in proof_word(
        verdict.to_json()
    )
    if truth == "vacuous":
        assert verdict.status == "vacuous"


@pytest.mark.parametrize(
    "name", ["true by 1e-9", "identity", "vacuous", "NaN on a part", "jump, undefined at it"]
)
def test_a_search_proves_nothing(name):
    verdict = check(CLAIMS[name][2], "searched", samples=SAMPLES)
    assert (
        verdict.status != "fails"
        and not verdict.proved
        and "proved" not in proof_word(verdict.to_json())
    )


def test_the_share_of_an_incomplete_certificate_is_not_rounded_up():
    verdict = check(CLAIMS["false at a point that is no float"][2], "certified", samples=SAMPLES)
    assert verdict.evidence.undecided and verdict.evidence.certified_fraction < 1.0
    assert "100" not in proof_word(verdict.to_json())


# --- proofs by steps -------------------------------------------------------------------------------------------------


def on_the_diagonal(p, xp):
    """True, and zero on the diagonal, where no box decides it."""
    return xp.exp(p.u - p.v) - 1 - p.u + p.v


TRUE_STEP = planted(lambda p, xp: xp.exp(p.u) - 1 - p.u, axes=1)
FALSE_STEP = planted(lambda p, xp: p.u + 1 - xp.exp(p.u), axes=1)
BAD_STEPS = {
    "a false step": FALSE_STEP,
    "a step that is false by a hair": planted(hole),
    "a step that is false where no float is": CLAIMS["false at a point that is no float"][2],
    "a false identity": equality(lambda p, xp: p.u * p.u - p.u, axes=1),
    "an identity that is not proved": equality(
        lambda p, xp: xp.minimum(p.u, p.v) - xp.minimum(p.v, p.u)
    ),
    "a step that boxes cannot decide": planted(lambda p, xp: on_the_diagonal(p, xp)),
    "an undefined step": CLAIMS["NaN on a hidden part: -log"][2],
    "a step that is false at one integer": planted(
        lambda p, xp: (p.n - 3) ** 2 - 0.5 + 0 * p.u, box=NUMBER
    ),
    "a step of existence": CLAIMS["exists"][2],
    "a step whose own proof is broken": planted(on_the_diagonal, proof=(FALSE_STEP,)),
}


@pytest.mark.parametrize("name", BAD_STEPS)
def test_a_proof_is_as_good_as_its_weakest_step(name):
    claim = planted(on_the_diagonal, proof=(TRUE_STEP, BAD_STEPS[name]), proof_words="broken")
    verdict = check(claim, "certified", samples=SAMPLES)
    assert (
        verdict.status == "open"
        and not verdict.proved
        and "proved" not in proof_word(verdict.to_json())
    )


def test_true_steps_are_an_argument_and_no_proof():
    verdict = check(
        planted(on_the_diagonal, proof=(TRUE_STEP,), proof_words="a sentence"),
        "certified",
        samples=SAMPLES,
    )
    assert verdict.status == "holds" and verdict.evidence.grade == "argued" and not verdict.proved
    assert verdict.evidence.certified_fraction is None and "proved" not in proof_word(
        verdict.to_json()
    )


# That a claim follows from its steps is said in words and cannot be checked here: true but irrelevant steps are called an
# argument, and the weaker evidence has to refute a false claim all the same.


@pytest.mark.parametrize("margin", [lambda p, xp: p.u - 0.1, lambda p, xp: off(p) - 1e-6, hole])
@pytest.mark.parametrize(
    "more",
    [{"proof": (TRUE_STEP,), "proof_words": "irrelevant"}, {"factors": (lambda p, xp: 1 + p.u,)}],
)
def test_an_irrelevant_proof_does_not_save_a_false_claim(margin, more):
    verdict = check(planted(margin, **more), "certified", samples=SAMPLES)
    assert (
        verdict.status == "fails"
        and recheck(planted(margin), verdict.counterexample.point).violated
    )


@pytest.mark.parametrize("where", [lambda p, xp: (-1 - p.u,), lambda p, xp: (-off(p) - 1e-6,)])
def test_a_proof_does_not_make_a_domain(where):
    verdict = check(
        planted(lambda p, xp: p.u + 1, where=where, proof=(TRUE_STEP,)),
        "certified",
        samples=SAMPLES,
    )
    assert verdict.status in ("open", "vacuous") and "proved" not in proof_word(verdict.to_json())


# --- bad input -------------------------------------------------------------------------------------------------------


def raises(p, xp):
    raise ZeroDivisionError("on purpose")


def raises_beside_jax(p, xp):
    if xp.name != "jax":
        raise RuntimeError("on purpose")
    return p.u + 1


@pytest.mark.parametrize("level", ["sampled", "certified"])
@pytest.mark.parametrize(
    "margin",
    [
        raises,
        lambda p, xp: p.nothing,
        lambda p, xp: jnp.ones(3) * p.u,
        lambda p, xp: (p.u, p.v),
        lambda p, xp: None,
    ],
)
def test_a_margin_that_fails_is_named(margin, level):
    with pytest.raises(ClaimError, match="planted"):
        check(planted(margin), level, samples=64)


@pytest.mark.parametrize("level", ["sampled", "certified"])
def test_a_bug_beside_jax_is_named_and_not_called_open(level):
    with pytest.raises(ClaimError, match="planted.*on purpose"):
        check(planted(raises_beside_jax), level, samples=64)


@pytest.mark.parametrize(
    "margin",
    [
        lambda p, xp: jnp.where(p.u > 0.7, 1.0, 2.0) + p.v,
        lambda p, xp: jnp.where(p.u == 0.34375, -1.0, 1.0) + p.v,
        lambda p, xp: jnp.sin(p.u) + p.v,
    ],
)
def test_a_margin_for_jax_alone_is_open_or_named(margin):
    try:
        verdict = check(planted(margin), "certified", samples=64)
    except ClaimError as error:
        assert "planted" in str(error)
    else:
        assert verdict.status == "open" and not verdict.proved


@pytest.mark.parametrize("value", [mp.nan, mp.inf])
def test_no_number_keeps_the_recheck_busy_forever(value):
    def stop(*_):
        raise TimeoutError("W(e^y) iterates on what is no number")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, 5.0)
    try:
        assert not mp.isfinite(MPMATH.lambertw_exp(value))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
