"""The claim engine is honest: planted false claims are refuted, planted true ones are not, nothing is promised between."""

import dataclasses
import json
import math
import subprocess
import sys

import jax.numpy as jnp
import pytest

from ascentfail.claims.evidence import sample as sample_module
from ascentfail.claims.evidence.sample import ClaimError
from ascentfail.claims.verdict import GRADES, PROOFS
from ascentfail.core.errors import MissingExtraError
from ascentfail.numerics import arithmetic
from ascentfail.theory import (
    Axis,
    Claim,
    Counterexample,
    Domain,
    Evidence,
    Kind,
    Point,
    Verdict,
    check,
    recheck,
)

X, Y = Axis("x", 0.0, 1.0), Axis("y", 0.0, 1.0)
Z = Axis("z", 0.0, 1.0)


def planted(margin, axes=(X, Y), kind=Kind.BOUND, where=None, chart=None, **rest):
    extra = {} if chart is None else {"chart": chart}
    domain = Domain(tuple(axes), where=where, words="planted", **extra)
    return Claim(rest.pop("id", "planted"), "planted", "tests", kind, domain, margin, **rest)


def verdict_of(claim, samples=4096):
    return check(claim, samples=samples)


def hair(xp, size=1e20):
    """One over `size`: 1e-20 is lost beside 1 in floats and kept in mpmath."""
    return xp.number(1) / xp.number(size)


@pytest.mark.parametrize("module", ["flint", "sympy"])
def test_without_the_extra_claims_are_sampled_and_searched_and_proofs_refused_before_the_work(
    monkeypatch, module
):
    claim = planted(lambda p, xp: p.x * p.x)
    load = {"flint": arithmetic.arb, "sympy": arithmetic.symbolic}[module]
    load.cache_clear()
    monkeypatch.setitem(sys.modules, module, None)
    try:
        assert check(claim).status == check(claim, "searched", samples=64).status == "holds"
        monkeypatch.setattr(
            sample_module, "sample", lambda *_: pytest.fail("work before the refusal")
        )
        with pytest.raises(MissingExtraError, match="certify"):
            check(claim, "certified")
    finally:
        monkeypatch.undo()
        load.cache_clear()


def assert_refuted(claim, verdict):
    assert verdict.status == "fails"
    found = verdict.counterexample
    assert found is not None and found.digits >= 50
    assert found.point and all(
        type(value) is float and math.isfinite(value) for value in found.point.values()
    )
    again = recheck(claim, found.point)
    assert again.inside and again.violated and again.digits >= 50
    assert float(again.margin) == found.margin
    assert verdict.evidence.grade == (
        "argued" if claim.exclusion else "boxes"
    )  # a bound for a whole range is said in words
    assert verdict.proved == (claim.exclusion is None)


# --- false claims are refuted ---------------------------------------------------------------------------------------

FALSE = {
    "everywhere": planted(lambda p, xp: -1 - p.x),
    "constant": planted(lambda p, xp: -1),
    "corner-low": planted(lambda p, xp: p.x + p.y - xp.number(1) / 10**6),
    "corner-high": planted(lambda p, xp: 2 - p.x - p.y - xp.number(1) / 10**9),
    "corner-of-four": planted(
        lambda p, xp: p.x + p.y + (1 - p.u) + (1 - p.v) - hair(xp, 1e9),
        (X, Y, Axis("u", 0.0, 1.0), Axis("v", 0.0, 1.0)),
    ),
    "face": planted(lambda p, xp: 1 - p.x - xp.number(1) / 10**12),
    "log-face": planted(
        lambda p, xp: xp.log(p.x) - xp.log(xp.number(0.02)) + 1, (Axis("x", 1e-3, 1e3, "log"), Y)
    ),
    "three-percent": planted(lambda p, xp: xp.abs(p.x - xp.number(37) / 100) - xp.number(3) / 200),
    "disc-of-half-a-percent": planted(
        lambda p, xp: (
            (p.x - xp.number(3) / 10) ** 2 + (p.y - xp.number(7) / 10) ** 2 - xp.number(4) / 100**2
        )
    ),
    "by-1e-9": planted(lambda p, xp: p.x * p.y - hair(xp, 1e9)),
    "strict-at-exact-zero": planted(lambda p, xp: p.x * p.y, strict=True),
    "strict-zero-everywhere": planted(lambda p, xp: p.x - p.x, strict=True),
    "strict-zero-on-an-integer": planted(
        lambda p, xp: (p.n - 7) ** 2, (Axis("n", 1, 20, "integer"),), strict=True
    ),
    "strict-zero-behind-rounding": planted(
        lambda p, xp: xp.abs((p.x + hair(xp, 10)) - hair(xp, 10) - p.x), strict=True
    ),
    "equality-by-1e-6": planted(
        lambda p, xp: xp.exp(xp.log(1 + p.x)) - 1 - p.x - hair(xp, 1e6), kind=Kind.EQUALITY
    ),
    "equality-in-a-strip": planted(
        lambda p, xp: xp.maximum(p.x - xp.number(98) / 100, xp.number(0)) / 1000, kind=Kind.EQUALITY
    ),
    "equality-negative-residual": planted(lambda p, xp: -p.x, kind=Kind.EQUALITY),
    "ordering": planted(lambda p, xp: p.x - p.y, kind=Kind.ORDERING),
    "probability": planted(lambda p, xp: xp.number(1) / 2 - p.x, kind=Kind.PROBABILITY),
    "limit": planted(lambda p, xp: p.x - p.y / 2, kind=Kind.LIMIT),
    "inside-a-side-condition": planted(
        lambda p, xp: p.x - 2, where=lambda p, xp: (p.x - p.y, p.y - xp.number(1) / 2)
    ),
    "discontinuous": planted(
        lambda p, xp: xp.minimum(
            xp.maximum((p.x - hair(xp, 2)) * 10**15, xp.number(-1)), xp.number(1)
        )
    ),
    "in-chart-coordinates": planted(
        lambda p, xp: 1 - p.a, chart=lambda p, xp: Point(a=2 * p.x, y=p.y)
    ),
}


@pytest.mark.parametrize("name", FALSE)
def test_false_claim_is_refuted(name):
    assert_refuted(FALSE[name], verdict_of(FALSE[name]))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_refutation_does_not_hang_on_the_seed(seed):
    for name in ("corner-low", "three-percent", "strict-at-exact-zero", "equality-by-1e-6"):
        assert check(FALSE[name], samples=4096, seed=seed).status == "fails", name


def test_a_larger_violation_by_rounding_does_not_hide_a_real_one():
    def margin(p, xp):
        noise = (
            (xp.number(1e18) + p.y) - xp.number(1e18) - p.y
        )  # exactly zero, up to 128 off in floats
        return (
            xp.minimum(noise, xp.number(0)) * xp.maximum(p.x - hair(xp, 2), xp.number(0))
            + xp.abs(p.x - hair(xp, 5))
            - hair(xp, 50)
        )

    claim = planted(margin)
    assert_refuted(claim, verdict_of(claim))


# --- true claims are not --------------------------------------------------------------------------------------------

TRUE = {
    "everywhere": planted(lambda p, xp: 1 + p.x),
    "zero-by-cancellation": planted(lambda p, xp: (p.x + p.y) - p.x - p.y),
    "negative-in-floats-only": planted(lambda p, xp: (p.x + hair(xp, 1e17)) - p.x - hair(xp, 1e18)),
    "large-cancellation": planted(
        lambda p, xp: (xp.number(1e18) + p.x) - xp.number(1e18) - p.x + hair(xp, 1e6)
    ),
    "zero-on-a-face": planted(lambda p, xp: 1 - p.x),
    "zero-at-a-corner": planted(lambda p, xp: p.x + p.y),
    "zero-along-a-curve": planted(lambda p, xp: (p.x - p.y * p.y) ** 2),
    "strict-by-1e-9": planted(lambda p, xp: p.x * p.y + hair(xp, 1e9), strict=True),
    "strict-by-1e-30": planted(lambda p, xp: p.x * p.y + hair(xp, 1e30), strict=True),
    "equality-of-polynomials": planted(
        lambda p, xp: (p.x + p.y) ** 2 - p.x**2 - 2 * p.x * p.y - p.y**2, kind=Kind.EQUALITY
    ),
    "equality-with-exponentials": planted(
        lambda p, xp: xp.exp(p.x) * xp.exp(p.y) - xp.exp(p.x + p.y), kind=Kind.EQUALITY
    ),
    "equality-of-lambertw": planted(
        lambda p, xp: xp.lambertw((1 + p.x) * xp.exp(1 + p.x), 0) - 1 - p.x, kind=Kind.EQUALITY
    ),
    "inside-a-curved-region": planted(
        lambda p, xp: 1 - p.x, where=lambda p, xp: (1 - p.x**2 - p.y**2,)
    ),
    "false-only-outside-the-side-condition": planted(
        lambda p, xp: p.x - xp.number(1) / 3, where=lambda p, xp: (p.x - xp.number(1) / 3,)
    ),
    "ordering": planted(lambda p, xp: 2 + p.x - p.y, kind=Kind.ORDERING),
    "one-point": planted(lambda p, xp: p.x - 2, (Axis("x", 2.0, 2.0),)),
    "integers": planted(lambda p, xp: (p.n - 7) ** 2, (Axis("n", 1, 20, "integer"),)),
}


@pytest.mark.parametrize("name", TRUE)
def test_true_claim_is_not_refuted_and_not_called_proved(name):
    verdict = verdict_of(TRUE[name])
    assert verdict.status == "holds"
    assert verdict.counterexample is None
    assert not verdict.proved
    assert verdict.evidence.level == "sampled" and verdict.evidence.samples > 0
    assert verdict.evidence.worst_margin is not None
    if TRUE[name].kind is not Kind.EQUALITY:  # the many-digit margin is quoted, never the float one
        assert verdict.evidence.worst_margin >= 0
    else:
        assert verdict.evidence.worst_margin == 0


@pytest.mark.parametrize("seed", range(4))
def test_a_thin_domain_is_found_beside_a_part_where_the_side_condition_is_undefined(seed):
    """A square of side 2e-7 in the unit square; right of it the condition is NaN, and nothing leads there."""
    spot = lambda p, xp: (  # noqa: E731
        1e-7 - xp.maximum(xp.abs(p.x - 0.3), xp.abs(p.y - 0.7)) + 0 * xp.log(0.31 - p.x),
    )
    verdict = check(planted(lambda p, xp: p.y - p.x, where=spot), samples=512, seed=seed)
    assert verdict.status == "holds" and 0.39 < verdict.evidence.worst_margin < 0.41


def test_a_vacuous_domain_is_never_a_claim_that_holds():
    verdict = verdict_of(planted(lambda p, xp: 1 + p.x, where=lambda p, xp: (p.x - 2,)))
    assert (verdict.status, verdict.counterexample, verdict.evidence.samples) == (
        "vacuous",
        None,
        0,
    )
    assert not verdict.proved
    false = verdict_of(planted(lambda p, xp: -1 - p.x, where=lambda p, xp: (p.x - 2,)))
    assert false.status == "vacuous"


def test_an_undefined_side_condition_is_outside():
    assert (
        verdict_of(planted(lambda p, xp: p.x - 2, where=lambda p, xp: (xp.log(-1 - p.x),))).status
        == "vacuous"
    )


def test_a_margin_that_is_nan_somewhere_is_open():
    verdict = verdict_of(planted(lambda p, xp: xp.sqrt(p.x - xp.number(1) / 3)))
    assert verdict.status == "open" and not verdict.proved
    assert "NaN" in verdict.evidence.words
    assert verdict.evidence.worst_point["x"] < 1 / 3
    assert verdict_of(planted(lambda p, xp: xp.lambertw(-1 - p.x, 0))).status == "open"


def test_a_violation_beside_a_nan_is_still_a_refutation():
    claim = planted(lambda p, xp: xp.lambertw(-p.x, 0) - 1)  # NaN for x > 1/e, at most -1 elsewhere
    assert_refuted(claim, verdict_of(claim))


# --- a claim's own mistakes -----------------------------------------------------------------------------------------


def _raises(p, xp):
    raise RuntimeError("planted trouble")


@pytest.mark.parametrize(
    "claim",
    [
        planted(_raises, id="my-claim"),
        planted(lambda p, xp: p.x, where=_raises, id="my-claim"),
        planted(lambda p, xp: p.x, chart=_raises, id="my-claim"),
        planted(lambda p, xp: p.missing, id="my-claim"),
        planted(lambda p, xp: xp.sine(p.x), id="my-claim"),
        planted(lambda p, xp: p.x if p.x > 0 else -p.x, id="my-claim"),
        planted(lambda p, xp: p.x, kind=Kind.LIMIT, exclusion=_raises, id="my-claim"),
        planted(
            _raises, kind=Kind.EXISTENCE, inner=(Z,), exclusion=lambda p, xp: p.x, id="my-claim"
        ),
    ],
)
def test_a_claim_whose_functions_raise_is_named(claim):
    with pytest.raises(ClaimError, match="my-claim"):
        verdict_of(claim)


@pytest.mark.parametrize("shape", [(1,), (3,), (2, 2)])
def test_a_margin_of_the_wrong_shape_is_named(shape):
    with pytest.raises(ClaimError, match=r"my-claim.*shape.*scalar"):
        verdict_of(planted(lambda p, xp: jnp.full(shape, 1.0), id="my-claim"))


def test_a_side_condition_of_the_wrong_shape_is_named():
    with pytest.raises(ClaimError, match="my-claim.*side condition.*shape"):
        verdict_of(planted(lambda p, xp: p.x, where=lambda p, xp: (jnp.ones(2),), id="my-claim"))


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"level": "bogus"}, "level"),
        ({"level": ""}, "level"),
        ({"samples": 0}, "samples"),
        ({"samples": -5}, "samples"),
    ],
)
def test_bad_arguments_of_check_are_named(arguments, name):
    with pytest.raises(ValueError, match=f"^{name} = "):
        check(TRUE["everywhere"], **arguments)


def test_an_id_in_place_of_a_claim_is_refused_and_the_cure_named():
    with pytest.raises(
        ValueError,
        match=r"^claim = 'lemma-3.main': claim takes a Claim; get it with get\(\"lemma-3.main\"\)$",
    ):
        check("lemma-3.main")
    with pytest.raises(ValueError, match="^claim = None: "):
        check(None)


def test_an_unknown_kind_lists_the_kinds():
    with pytest.raises(ValueError, match="^kind = 'nonsense': .*equality.*probability"):
        planted(TRUE["everywhere"].margin, kind="nonsense")
    assert planted(TRUE["everywhere"].margin, kind="bound").kind is Kind.BOUND


def test_claims_whose_parts_do_not_fit_are_refused():
    margin = TRUE["everywhere"].margin
    with pytest.raises(ValueError, match="inner"):
        planted(margin, kind=Kind.EXISTENCE, exclusion=margin)
    with pytest.raises(ValueError, match="inner"):
        planted(margin, inner=(Z,))
    with pytest.raises(ValueError, match="exclusion"):
        planted(margin, kind=Kind.EXISTENCE, inner=(Z,))
    with pytest.raises(ValueError, match="axes"):
        planted(margin, (X, X))
    with pytest.raises(ValueError, match="axes"):
        planted(margin, ())


@pytest.mark.parametrize(
    "arguments",
    [
        ("x", 1.0, 0.0),
        ("x", math.nan, 1.0),
        ("x", 0.0, math.inf),
        ("x", 0.0, 1.0, "log"),
        ("x", -1.0, 1.0, "log"),
        ("x", 0.0, 1.0, "cubic"),
    ],
)
def test_axes_without_a_range_are_refused(arguments):
    with pytest.raises(ValueError, match="takes"):
        Axis(*arguments)


def test_without_float64_the_cure_is_named():
    code = (
        "from ascentfail.theory import check, get\n"
        "from ascentfail.core.errors import PrecisionError\n"
        "try:\n    check(get('lemma-4'), samples=64)\n"
        "except PrecisionError as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "float64" in done.stdout and "ascentfail.enable_x64()" in done.stdout
    assert len(done.stdout.strip().splitlines()) == 1


# --- existence and limits -------------------------------------------------------------------------------------------


def existence(margin, exclusion, **rest):
    return planted(margin, kind=Kind.EXISTENCE, inner=(Z,), exclusion=exclusion, **rest)


def test_an_existence_with_witnesses_holds():
    verdict = verdict_of(
        existence(
            lambda p, xp: xp.number(1) / 20 - xp.abs(p.z - p.x), lambda p, xp: xp.number(1) / 20
        )
    )
    assert verdict.status == "holds" and verdict.evidence.worst_margin >= 0 and not verdict.proved


def test_an_existence_fails_only_by_a_bound_over_every_inner_value():
    claim = existence(
        lambda p, xp: p.z - 2 + 0 * p.x,
        lambda p, xp: -1 + 0 * p.x,
        exclusion_words="z is at most 1",
    )
    verdict = verdict_of(claim)
    assert_refuted(claim, verdict)
    assert verdict.counterexample.bound == "z is at most 1"
    assert set(verdict.counterexample.point) == {"x", "y"}


def test_an_existence_neither_witnessed_nor_excluded_is_open():
    verdict = verdict_of(existence(lambda p, xp: p.z - 2 + 0 * p.x, lambda p, xp: 1 + 0 * p.x))
    assert verdict.status == "open" and verdict.counterexample is None and not verdict.proved


def test_a_limit_with_an_exclusion_fails_by_the_exclusion():
    claim = planted(
        lambda p, xp: -1 - p.x,
        kind=Kind.LIMIT,
        exclusion=lambda p, xp: -p.x - 1,
        exclusion_words="all later terms",
    )
    verdict = verdict_of(claim)
    assert_refuted(claim, verdict)
    assert verdict.counterexample.bound == "all later terms"


# --- verdicts as data -----------------------------------------------------------------------------------------------

POINT = {"alpha": 0.25, "phi": 1.0}
VERDICTS = [
    Verdict("a", "s", "src", Kind.BOUND, "holds", Evidence("sampled", 8, 0.5, POINT)),
    Verdict("a", "s", "src", Kind.BOUND, "holds", Evidence("certified", 8, 0.5, POINT, 1.0, 0, grade="boxes"), domain="box"),
    Verdict("a", "s", "src", Kind.BOUND, "holds", Evidence("certified", 8, 0.5, POINT, grade="argued")),
    Verdict("a", "s", "src", Kind.EQUALITY, "holds", Evidence("symbolic")),
    Verdict(
        "a", "s", "src", Kind.EXISTENCE, "fails", Evidence("sampled", 8, -0.5, POINT, words="8 of 8", grade="argued"),
        Counterexample(POINT, -0.5, 50, "a bound"),
        Verdict("a.repaired", "s", "ours", Kind.BOUND, "holds", Evidence("sampled", 8, 0.0, POINT)),
    ),
    Verdict(
        "a", "s", "src", Kind.LIMIT, "fails", Evidence("sampled", 8, -0.5, POINT, grade="boxes"), Counterexample(POINT, -0.5, 50)
    ),
    Verdict("a", "s", "src", Kind.PROBABILITY, "open", Evidence("sampled", 8, None, POINT, words="NaN")),
    Verdict("a", "s", "src", Kind.ORDERING, "vacuous", Evidence("sampled", 0)),
]  # fmt: skip


@pytest.mark.parametrize("verdict", VERDICTS, ids=lambda v: f"{v.status}-{v.evidence.level}")
def test_a_verdict_survives_json(verdict):
    text = json.dumps(verdict.to_json(), allow_nan=False)
    assert Verdict.from_json(json.loads(text)) == verdict


def test_only_four_grades_are_proofs():
    assert [v.proved for v in VERDICTS] == [False, True, False, True, False, True, False, False]
    assert PROOFS == ("formal", "boxes", "identity", "cases") and GRADES[:4] == PROOFS
    for grade in GRADES:
        for status in ("holds", "fails", "open", "vacuous"):
            verdict = dataclasses.replace(
                VERDICTS[0], status=status, evidence=Evidence("certified", grade=grade)
            )
            assert verdict.proved == (grade in PROOFS and status in ("holds", "fails"))


@pytest.mark.parametrize(
    ("level", "grade"),
    [
        ("sampled", "sampled"),
        ("searched", "searched"),
        ("certified", "argued"),
        ("symbolic", "identity"),
    ],
)
def test_without_a_grade_it_is_the_weakest_of_its_level(level, grade):
    assert Evidence(level).grade == grade


def test_an_unknown_grade_is_named():
    with pytest.raises(ValueError, match="grade = 'certain'.*'boxes'"):
        Evidence("certified", grade="certain")


def test_the_json_layout_is_the_design_s():
    claim = planted(lambda p, xp: p.x - 2, repaired=TRUE["everywhere"])
    data = json.loads(json.dumps(verdict_of(claim).to_json(), allow_nan=False))
    for entry in (data, data["repaired"]):
        assert {"id", "status", "kind", "source", "evidence", "counterexample", "repaired"} <= set(
            entry
        )
        assert {
            "level",
            "samples",
            "worst_margin",
            "worst_point",
            "certified_fraction",
            "undecided",
        } <= set(entry["evidence"])
    assert set(data["counterexample"]) == {"point", "margin", "digits"}
    assert data["counterexample"]["digits"] == 50
    assert all(isinstance(value, float) for value in data["counterexample"]["point"].values())
    assert (
        data["kind"] == "bound"
        and data["repaired"]["counterexample"] is None
        and data["repaired"]["repaired"] is None
    )


# --- wrong verdicts that were found by trying -----------------------------------------------------------------------

FALSE_BY_A_HAIR = {
    "bound-1e-20": planted(lambda p, xp: 1 - (1 + hair(xp)) + 0 * p.x),
    "bound-1e-20-on-half": planted(
        lambda p, xp: xp.maximum(p.x - hair(xp, 2), xp.number(0)) + (1 - (1 + hair(xp)))
    ),
    "equality-1e-20": planted(lambda p, xp: (1 + hair(xp)) - 1 + 0 * p.x, kind=Kind.EQUALITY),
}


@pytest.mark.parametrize("name", FALSE_BY_A_HAIR)
def test_a_violation_seen_only_in_many_digits_is_not_called_holds(name):
    assert_refuted(FALSE_BY_A_HAIR[name], verdict_of(FALSE_BY_A_HAIR[name]))


def _tiny(p, xp):
    return xp.exp(-200 * p.x)


@pytest.mark.parametrize(
    ("claim", "wrong"),
    [
        (planted(lambda p, xp: -_tiny(p, xp), (Axis("x", 1.0, 2.0),)), "holds"),
        (planted(_tiny, (Axis("x", 1.0, 2.0),), kind=Kind.EQUALITY), "holds"),
        (planted(_tiny, (Axis("x", 1.0, 2.0),), strict=True), "fails"),
    ],
    ids=["bound", "equality", "strict"],
)
def test_a_margin_of_1e_87_is_not_zero(claim, wrong):
    assert verdict_of(claim).status != wrong


@pytest.mark.parametrize("kind", [Kind.LIMIT, Kind.BOUND, Kind.ORDERING])
def test_a_negative_margin_that_the_exclusion_does_not_confirm_is_open(kind):
    verdict = verdict_of(planted(lambda p, xp: p.x - 2, kind=kind, exclusion=lambda p, xp: p.x + 1))
    assert verdict.status == "open"


@pytest.mark.parametrize(
    "claim",
    [
        planted(lambda p, xp: p.x + 1, kind=Kind.LIMIT, exclusion=lambda p, xp: -1 - p.x),
        existence(lambda p, xp: p.z + 0 * p.x, lambda p, xp: -1 - p.x),
    ],
    ids=["limit", "existence"],
)
def test_an_exclusion_that_contradicts_the_margin_refutes_nothing(claim):
    try:
        status = verdict_of(claim).status
    except ClaimError:
        return
    assert status == "open"


def test_a_strict_existence_that_only_reaches_zero_does_not_hold():
    claim = existence(lambda p, xp: -p.z * p.z + 0 * p.x, lambda p, xp: 0 * p.x, strict=True)
    assert verdict_of(claim).status in ("open", "fails")


def test_a_witness_by_rounding_is_no_witness():
    claim = existence(lambda p, xp: 1 - (1 + hair(xp)) + 0 * p.x - p.z, lambda p, xp: 0 * p.x)
    assert verdict_of(claim).status == "open"


@pytest.mark.parametrize("inner", [(X,), (Z, Z)])
def test_inner_axes_need_names_of_their_own(inner):
    with pytest.raises(ValueError, match="inner"):
        planted(
            lambda p, xp: p.x - hair(xp, 2),
            kind=Kind.EXISTENCE,
            inner=inner,
            exclusion=lambda p, xp: 1 + 0 * p.x,
        )


def test_a_kind_in_words_is_the_kind():
    try:
        claim = planted(lambda p, xp: 1 + p.x, kind="equality")
    except ValueError:
        return
    assert verdict_of(claim).status == "fails"


def test_the_faces_of_a_log_axis_are_sampled_exactly():
    claim = planted(
        lambda p, xp: p.x - xp.number(0.01), (Axis("x", 0.01, 3.0, "log"),), strict=True
    )
    assert_refuted(claim, verdict_of(claim))


def test_an_integer_axis_stays_inside_its_range():
    try:
        claim = planted(lambda p, xp: p.n - hair(xp, 2), (Axis("n", 0.5, 3.5, "integer"),))
    except ValueError:
        return
    assert verdict_of(claim).status == "holds"


def test_an_exact_zero_among_tiny_margins_breaks_a_strict_claim():
    claim = planted(
        lambda p, xp: (p.n - 50) ** 2 / xp.number(1e16),
        (Axis("n", 1, 100, "integer"),),
        strict=True,
    )
    assert_refuted(claim, verdict_of(claim))


@pytest.mark.parametrize(
    ("claim", "wrong"),
    [
        (
            planted(
                lambda p, xp: (p.big + p.x) - p.big - p.x,
                (Axis("big", 1e250, 1e300, "log"), X),
                Kind.EQUALITY,
            ),
            "fails",
        ),
        (
            planted(lambda p, xp: (p.big - p.x - 1) - p.big, (Axis("big", 1e250, 1e300, "log"), X)),
            "holds",
        ),
    ],
    ids=["true-equality", "false-bound"],
)
def test_a_cancellation_of_300_digits_decides_nothing(claim, wrong):
    assert verdict_of(claim).status != wrong


@pytest.mark.parametrize("kind", [Kind.EQUALITY, Kind.BOUND])
def test_a_true_claim_along_a_curve_is_not_refuted(kind):
    claim = planted(
        lambda p, xp: 3 * p.y - p.x, (X,), kind, chart=lambda p, xp: Point(x=p.x, y=p.x / 3)
    )
    assert verdict_of(claim).status != "fails"


def test_the_counterexample_stays_in_the_box():
    found = verdict_of(planted(lambda p, xp: p.x - 1, (Axis("x", 0.26, 0.29),))).counterexample
    assert 0.26 <= found.point["x"] <= 0.29


def test_the_words_do_not_count_rounding_as_violation():
    def margin(p, xp):
        noise = (p.x + hair(xp, 10)) - p.x - hair(xp, 10)
        return noise + xp.maximum(p.x - xp.number(999) / 1000, xp.number(0))

    verdict = verdict_of(planted(margin, (X,), Kind.EQUALITY))
    assert verdict.status == "fails"
    assert not (
        "violate it" in verdict.evidence.words and int(verdict.evidence.words.split()[0]) > 100
    )


UNTIDY = {
    "pole": planted(lambda p, xp: 10 - 1 / p.x),
    "log-of-zero": planted(lambda p, xp: xp.log(p.x) + 10**9),
    "complex-in-mpmath": planted(
        lambda p, xp: xp.sqrt(p.x - xp.number(1) / 3) - 1, (Axis("x", 0.334, 0.5),)
    ),
    "tuple": planted(lambda p, xp: (p.x, p.y)),
    "none": planted(lambda p, xp: None),
    "bare-side-condition": planted(lambda p, xp: p.x, where=lambda p, xp: p.x),
    "own-arithmetic": planted(lambda p, xp: jnp.sin(p.x) - 2),
    "own-arithmetic-holds": planted(lambda p, xp: jnp.sin(p.x) + 2),
    "chart-not-a-point": planted(lambda p, xp: p.x, chart=lambda p, xp: p.x),
}


@pytest.mark.parametrize("name", UNTIDY)
def test_an_untidy_claim_gets_a_verdict_or_a_message_that_names_it(name):
    try:
        status = verdict_of(UNTIDY[name]).status
    except ClaimError as error:
        assert "planted" in str(error)
        return
    assert status in ("fails", "open")


@pytest.mark.parametrize(
    "claim",
    [
        planted(lambda p, xp: xp.exp(1000 + p.x)),
        existence(lambda p, xp: xp.log(-1 - p.z) + 0 * p.x, lambda p, xp: 1 + 0 * p.x),
    ],
    ids=["infinite", "existence-nan"],
)
def test_every_verdict_can_be_written_as_json(claim):
    json.dumps(verdict_of(claim).to_json(), allow_nan=False)


def test_the_message_about_a_raising_margin_names_a_point_in_numbers():
    with pytest.raises(ClaimError) as caught:
        verdict_of(planted(_raises, id="my-claim"))
    assert "Tracer" not in str(caught.value)


def test_axes_may_be_a_list_or_are_refused_by_name():
    margin = TRUE["everywhere"].margin
    try:
        claim = Claim("mine", "s", "src", Kind.BOUND, Domain([X, Y]), margin)
    except ValueError as error:
        assert "axes" in str(error)
        return
    assert verdict_of(claim).status == "holds"
