"""The judge of certificates accepts what was proved, and rejects what was tampered with, even with a forged hash."""

import ast
import copy
import dataclasses
import functools
import importlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import flint
import pytest

from ascentfail.claims import checker
from ascentfail.claims.checker import Rejected, walk
from ascentfail.claims.claim import Cases, Point, by_cases
from ascentfail.claims.evidence import certificate as judge
from ascentfail.claims.evidence.certificate import (
    CertificateError,
    by_steps,
    by_tree,
    check_certificate,
    claim_hash,
    header,
    statement_of,
)
from ascentfail.claims.evidence.certify import certify
from ascentfail.claims.evidence.formula import read
from ascentfail.theory import Axis, Claim, Domain, Kind, claims, get

UV = (Axis("u", 0.0, 1.0), Axis("v", 0.0, 1.0))


def planted(margin, *, axes=UV, where=None, kind=Kind.BOUND, id="planted", **more):
    return Claim(id, "", "test", kind, Domain(axes, where=where), margin, **more)


def curved(p, xp):  # its least value is 1e-3
    return (p.u - p.v) ** 2 + xp.exp(-p.u * p.v) - 1 + p.u * p.v + 0.001


def in_disc(p, xp):
    return (1 - (2 * p.u - 1) ** 2 - (2 * p.v - 1) ** 2,)


BOXED = planted(curved, where=in_disc)
HALF = planted(lambda p, xp: p.u - 0.5, id="half")  # proved on a half, false on the other
IDENTITY = planted(
    lambda p, xp: (p.u + p.v) ** 2 - p.u**2 - 2 * p.u * p.v - p.v**2,
    kind=Kind.EQUALITY,
    id="square",
)
POSITIVE = planted(
    lambda p, xp: xp.exp(p.u) - 1 - p.u, axes=(Axis("u", 0.0, 5.0),), id="exponential"
)
STEPS = planted(  # true, but it vanishes along the diagonal, where no boxes see it
    lambda p, xp: xp.exp(p.u - p.v) - 1 - (p.u - p.v),
    id="by steps",
    proof=(IDENTITY, POSITIVE, BOXED),
)


@functools.cache
def certificate_of(claim):
    found = certify(claim)
    assert found is not None and found.counterexample is None
    return json.dumps(found.certificate, allow_nan=False)


def fresh(claim):
    return json.loads(certificate_of(claim))


def rejected(claim, certificate, match=None):
    with pytest.raises(CertificateError, match=match):
        check_certificate(claim, certificate)


def handmade(claim, tree, grade="boxes", point=None):
    if claim.inner or claim.exclusion:
        return {**header(claim), "grade": grade, "tree": tree, "point": point}
    return by_tree(claim, grade, tree, point, statement_of(claim, read(claim)))


def letter(claim, box):
    judge = statement_of(claim, read(claim))
    parts = judge.parts(box)
    return judge.letter(parts, judge.jets(parts))


def swap(tree, old, new, place=0):
    """The tree with the `place`-th letter `old` replaced."""
    spots = [i for i, symbol in enumerate(tree) if symbol == old]
    return tree[: spots[place]] + new + tree[spots[place] + 1 :]


# --- round trips -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("claim", [BOXED, IDENTITY, STEPS], ids=lambda c: c.id)
def test_round_trip(claim):
    found = check_certificate(claim, fresh(claim))
    assert found.decided == 1.0 and found.undecided == 0


def test_a_tree_has_all_its_parts():
    tree = fresh(BOXED)["tree"]
    assert "P" in tree and "O" in tree and "U" not in tree and {"0", "1"} <= set(tree)
    found = check_certificate(BOXED, fresh(BOXED))
    assert found.boxes == sum(not symbol.isdigit() for symbol in tree)
    assert 0.7 < found.proved < 1.0  # the disc covers pi/4


@pytest.mark.parametrize(
    "claim_id", [c.id for printed in claims() for c in printed.family() if c.proof]
)
def test_registered_proofs_pass_the_judge(claim_id):
    claim = get(claim_id)
    found = check_certificate(claim, by_steps(claim, [fresh(step) for step in claim.proof]))
    assert found.decided == 1.0 and found.grade == "argued" and found.complete


ITSELF = [
    "lemma-2.extrema.repaired",
    "lemma-5.second-branch",
    "lemma-2.second-branch",
    "beyond-6.identity",
]


@pytest.mark.parametrize("claim_id", ITSELF)
def test_registered_claims_are_proved_by_themselves(claim_id):
    claim = get(claim_id)
    found = check_certificate(claim, fresh(claim))
    assert found.proves and found.grade == ("identity" if claim.kind is Kind.EQUALITY else "boxes")


def test_what_is_undecided_is_said():
    found = check_certificate(HALF, handmade(HALF, "0UP"))
    assert (found.decided, found.proved, found.undecided, found.boxes) == (0.5, 0.5, 1, 2)
    assert check_certificate(HALF, handmade(HALF, "U")).decided == 0.0


def test_a_tiny_undecided_box_does_not_round_away():
    """1 - 2^-60 is 1 in floats: a certificate with a hole must not count as a full one."""
    claim = planted(lambda p, xp: 1 + p.u)
    tree = "".join(f"{i % 2}" for i in range(60)) + "U" + "P" * 60
    found = check_certificate(claim, handmade(claim, tree))
    assert found.undecided == 1 and found.boxes == 61
    assert found.decided < 1.0 and found.proved < 1.0


def test_an_exclusion_that_needs_digits_is_verified():
    """A side condition that cancels down to 2^-70 is decided at 106 bits only, by the search and by the judge."""

    def side(p, xp):
        return (((1 + (p.u - 2) / 2**35 / 2**35) - 1),)

    claim = planted(lambda p, xp: p.u - 9, where=side)
    with flint.ctx.workprec(53):
        assert letter(claim, ((0, 0), (0, 0))) == "U"
    with flint.ctx.workprec(106):
        assert letter(claim, ((0, 0), (0, 0))) == "O"
    assert check_certificate(claim, handmade(claim, "O")).proved == 0.0


# --- tampering -------------------------------------------------------------------------------------------------------


def test_a_widened_box():
    for change in ("low", "high", "name", "scale"):
        tampered = fresh(BOXED)
        i = ["name", "low", "high", "scale"].index(change)
        tampered["axes"][0][i] = {"low": -1.0, "high": 2.0, "name": "w", "scale": "log"}[change]
        rejected(BOXED, tampered, "axes")
    wide = dataclasses.replace(
        BOXED, domain=dataclasses.replace(BOXED.domain, axes=(Axis("u", 0.0, 2.0), UV[1]))
    )
    rejected(wide, fresh(BOXED), "another version")
    moved = Claim(
        "planted", "", "test", Kind.BOUND, Domain((Axis("u", -5.0, 1.0), UV[1])), POSITIVE.margin
    )
    narrow = Claim("planted", "", "test", Kind.BOUND, Domain(UV), POSITIVE.margin)
    forged = {**fresh(narrow), "hash": claim_hash(moved)}
    rejected(moved, forged, "axes")


def test_another_claim():
    rejected(POSITIVE, fresh(BOXED), "is of claim 'planted'")
    rejected(POSITIVE, {**fresh(BOXED), "claim": POSITIVE.id}, "another version")
    rejected(BOXED, {**fresh(BOXED), "hash": claim_hash(POSITIVE)}, "another version")
    for key in (
        "format",
        "claim",
        "hash",
        "axes",
        "formula",
        "grade",
        "tree",
        "statement",
        "words",
        "kind",
        "strict",
    ):
        tampered = fresh(BOXED)
        del tampered[key]
        rejected(BOXED, tampered)


def test_flipped_leaves():
    tree = fresh(BOXED)["tree"]
    for old, new in (("P", "O"), ("O", "P"), ("O", "Q"), ("P", "X")):
        for place in (0, -1):
            rejected(BOXED, {**fresh(BOXED), "tree": swap(tree, old, new, place)})
    for letter in "PQRO":
        rejected(HALF, handmade(HALF, f"0{letter}P"), "does not prove")
        rejected(HALF, handmade(HALF, letter), "does not prove")


def test_pruned_and_grown_trees():
    tree = fresh(BOXED)["tree"]
    rejected(BOXED, {**fresh(BOXED), "tree": tree[:-1]}, "ends before")
    rejected(BOXED, {**fresh(BOXED), "tree": tree[: len(tree) // 2]}, "ends before")
    rejected(BOXED, {**fresh(BOXED), "tree": tree + "P"}, "goes on")
    rejected(BOXED, {**fresh(BOXED), "tree": ""}, "ends before")
    rejected(BOXED, {**fresh(BOXED), "tree": tree[1:]})
    rejected(BOXED, {**fresh(BOXED), "tree": "2PP"}, "symbol '2'")
    rejected(
        BOXED, {**fresh(BOXED), "tree": "0" * 300 + "P" * 301}, "symbol '0'"
    )  # a part of 2^-201 of an axis
    for nonsense in (None, 7, ["P"], {"P": "P"}):
        rejected(BOXED, {**fresh(BOXED), "tree": nonsense}, "no tree")


def test_exchanged_axes_of_a_split():
    steep = planted(
        lambda p, xp: p.u - 2 * (p.v - 0.5), id="steep", where=lambda p, xp: (0.45 - p.v,)
    )
    assert check_certificate(steep, handmade(steep, "1PO")).decided == 1.0
    rejected(steep, handmade(steep, "0PO"))
    rejected(steep, handmade(steep, "1OP"))


def test_steps_are_counted_and_bound_to_their_claims():
    right = fresh(STEPS)
    for steps in (right["steps"][:-1], [*right["steps"], right["steps"][0]], [], None, "PPP"):
        rejected(STEPS, {**right, "steps": steps}, "step")
    for order in ((1, 0, 2), (0, 0, 2), (2, 1, 2)):
        rejected(STEPS, {**right, "steps": [right["steps"][i] for i in order]})
    for nonsense in (None, 7, "P", []):
        rejected(STEPS, {**right, "steps": [nonsense, *right["steps"][1:]]})
    broken = copy.deepcopy(right)
    broken["steps"][2]["tree"] = "P"
    rejected(STEPS, broken, "does not prove")
    weak = copy.deepcopy(right)
    weak["steps"][2]["tree"] = "U"
    found = check_certificate(STEPS, weak)
    assert found.decided == 0.0 and not found.complete and not found.proves
    rejected(STEPS, fresh(BOXED))
    rejected(STEPS, handmade(STEPS, "P"), "does not prove")


def test_a_proof_with_a_false_step_is_rejected_whatever_is_forged():
    false = dataclasses.replace(POSITIVE, margin=lambda p, xp: p.u + 1 - xp.exp(p.u))
    claim = dataclasses.replace(STEPS, proof=(IDENTITY, false, BOXED))
    rejected(claim, fresh(STEPS), "another version")
    forged = fresh(STEPS)
    forged["hash"], forged["steps"][1]["hash"] = claim_hash(claim), claim_hash(false)
    rejected(claim, forged, "another formula")
    forged["steps"][1]["formula"] = header(false)["formula"]
    rejected(claim, forged, "does not prove")


def test_a_flipped_sign_changes_the_hash_and_fails_without_it():
    flipped = dataclasses.replace(BOXED, margin=lambda p, xp: -curved(p, xp))
    assert claim_hash(flipped) != claim_hash(BOXED)
    rejected(flipped, fresh(BOXED), "another version")
    rejected(flipped, {**fresh(BOXED), "hash": claim_hash(flipped)}, "another formula")
    rejected(flipped, handmade(flipped, fresh(BOXED)["tree"]), "does not prove")


def test_a_side_condition_cannot_be_swapped():
    inner = planted(lambda p, xp: in_disc(p, xp)[0] + 0.05, where=in_disc, id="inside")
    assert check_certificate(inner, fresh(inner)).decided == 1.0
    for where in (None, lambda p, xp: (in_disc(p, xp)[0] + 1,)):
        wider = dataclasses.replace(inner, domain=dataclasses.replace(inner.domain, where=where))
        rejected(wider, fresh(inner), "another version")
        rejected(wider, {**fresh(inner), "hash": claim_hash(wider)}, "another formula")
        rejected(wider, handmade(wider, fresh(inner)["tree"]), "does not prove")


def test_the_hash_covers_what_a_certificate_speaks_about():
    changes = {
        "id": "other",
        "statement": "other",
        "strict": True,
        "margin": lambda p, xp: p.v,
        "proof": (POSITIVE,),
        "domain": Domain(UV, where=lambda p, xp: (p.u,)),
        "factors": (lambda p, xp: p.u,),
        "note": "other",
        "source": "other",
        "proof_words": "other",
        "exclusion_words": "other",
    }
    seen = {
        claim_hash(dataclasses.replace(BOXED, **{name: value})) for name, value in changes.items()
    }
    charted = Domain(UV, lambda p, xp: Point(u=p.v, v=p.u), in_disc)
    seen |= {claim_hash(BOXED), claim_hash(dataclasses.replace(BOXED, domain=charted))}
    assert len(seen) == len(changes) + 2


def test_any_callable_has_a_hash():
    def shifted(p, xp, by):
        return p.u + by

    class Margin:
        def __call__(self, p, xp):
            return p.u

    partials = [planted(functools.partial(shifted, by=by)) for by in (1, -1)]
    assert claim_hash(partials[0]) != claim_hash(partials[1])
    assert claim_hash(planted(Margin())) == claim_hash(planted(Margin()))
    assert check_certificate(partials[0], handmade(partials[0], "P")).decided == 1.0
    rejected(partials[1], handmade(partials[1], "P"), "does not prove")


def scaled(factor):
    return lambda p, xp: factor * p.u


def helper_of(factor):
    def helper(x):
        return factor * x

    return lambda p, xp: helper(p.u)


def test_the_hash_sees_closures_and_helpers():
    """The same text with another number closed over, also by a helper, is another claim."""
    for maker in (scaled, helper_of):
        assert claim_hash(planted(maker(2))) != claim_hash(planted(maker(3)))
        assert claim_hash(planted(maker(2))) == claim_hash(planted(maker(2)))
        two, three = maker(2), maker(3)
        chart = [
            dataclasses.replace(BOXED, domain=Domain(UV, lambda p, xp, f=f: p.replace(u=f(p, xp))))
            for f in (two, three)
        ]
        assert claim_hash(chart[0]) != claim_hash(chart[1])


def cased(
    points=({"x": 1.0},),
    margin=lambda point, level: (1.0, 1.0),
    exact=lambda point, digits: 1,
    **more,
):
    cases = Cases(points, margin, exact, **more)
    return Claim("cased", "", "test", Kind.BOUND, cases.domain("cases"), by_cases, cases=cases)


def threshold(factor):
    def value(point):
        return factor * point["x"]

    def margin(point, level):
        return value(point), value(point)

    return margin


def test_the_hash_of_cases_sees_points_functions_and_their_helpers(monkeypatch):
    assert claim_hash(cased()) == claim_hash(cased())
    others = [
        cased(points=({"x": 2.0},)), cased(margin=lambda point, level: (2.0, 2.0)), cased(exact=lambda point, digits: 2),
        cased(margin=threshold(1)), cased(margin=threshold(2)), cased(rigorous=True), cased(bound="all"),
        cased(quantifier="some"), cased(margin=functools.partial(lambda by, point, level: (by, by), 1)),
        cased(margin=by_module_helper),
    ]  # fmt: skip
    seen = {claim_hash(claim) for claim in (cased(), *others)}
    assert len(seen) == len(others) + 1
    before = claim_hash(cased(margin=by_module_helper))
    for name, value in (("module_constant", 3.0), ("module_helper", lambda x: -x)):
        with monkeypatch.context() as changed:
            changed.setitem(globals(), name, value)
            assert claim_hash(cased(margin=by_module_helper)) != before, name
    assert claim_hash(cased(margin=by_module_helper)) == before


module_constant = 2.0


def module_helper(x):
    return module_constant * x


def by_module_helper(point, level):
    return module_helper(point["x"]), module_helper(point["x"])


@pytest.mark.parametrize("claim_id", ["toy-path", "lemma-1.fixed-data", "any-ratio"])
def test_registered_cases_have_a_hash_of_their_own(claim_id):
    claim = get(claim_id)
    changed = dataclasses.replace(claim.cases, exact=lambda point, digits: 0)
    assert (
        claim_hash(claim)
        == claim_hash(claim)
        != claim_hash(dataclasses.replace(claim, cases=changed))
    )


# --- identities ------------------------------------------------------------------------------------------------------


FALSE_IDENTITIES = {
    "sign": planted(
        lambda p, xp: (p.u - p.v) ** 2 - p.u**2 - 2 * p.u * p.v - p.v**2, kind=Kind.EQUALITY
    ),
    "by a hair": planted(
        lambda p, xp: (p.u + p.v) - p.u - p.v + xp.number(1) / 10**45, kind=Kind.EQUALITY
    ),
    "by less than fifty digits": planted(
        lambda p, xp: (p.u + p.v) - p.u - p.v + xp.number(1) / 10**70, kind=Kind.EQUALITY
    ),
    "by less than all digits": planted(
        lambda p, xp: (p.u + p.v) - p.u - p.v + xp.number(1) / 10**700, kind=Kind.EQUALITY
    ),
    "on a half": planted(lambda p, xp: xp.maximum(p.u, p.v) - p.u, kind=Kind.EQUALITY),
    "undefined": planted(lambda p, xp: 0 * xp.lambertw(-1 - p.u, 0), kind=Kind.EQUALITY),
    "undefined on a half": planted(
        lambda p, xp: xp.log(p.u - p.v) - xp.log(p.u - p.v), kind=Kind.EQUALITY
    ),
    "undefined at one end": planted(lambda p, xp: xp.log(p.u) - xp.log(p.u), kind=Kind.EQUALITY),
    "undefined inside": planted(
        lambda p, xp: 1 / (p.u - p.v) - 1 / (p.u - p.v), kind=Kind.EQUALITY
    ),
    "undefined on a disc": planted(
        lambda p, xp: xp.sqrt(in_disc(p, xp)[0]) - xp.sqrt(in_disc(p, xp)[0]),
        kind=Kind.EQUALITY,
        where=lambda p, xp: (-in_disc(p, xp)[0],),
    ),
    "nowhere": planted(lambda p, xp: p.u + 1, kind=Kind.EQUALITY, where=lambda p, xp: (-1 - p.u,)),
    "in a corner": planted(
        lambda p, xp: p.u + 1, kind=Kind.EQUALITY, where=lambda p, xp: (0.3 - p.u, 0.3 - p.v)
    ),
}


@pytest.mark.parametrize("name", FALSE_IDENTITIES)
def test_a_forged_identity(name):
    claim = FALSE_IDENTITIES[name]
    for tree in ("P", "0PP", "01PPP", "R"):
        rejected(claim, handmade(claim, tree, "identity"))
    found = certify(claim)
    assert found is None or not found.complete


def test_an_identity_is_not_proved_by_boxes_nor_an_inequality_by_an_identity():
    rejected(IDENTITY, {**fresh(IDENTITY), "grade": "boxes"}, "is not proved by boxes")
    rejected(BOXED, {**fresh(BOXED), "grade": "identity"}, "does not reduce")
    zero = planted(lambda p, xp: xp.exp(p.u) * xp.exp(p.v) - xp.exp(p.u + p.v), id="zero")
    assert (
        check_certificate(zero, handmade(zero, "P", "identity")).proves
        and check_certificate(zero, fresh(zero)).proves
    )
    strict = dataclasses.replace(zero, strict=True)
    rejected(strict, handmade(strict, "P", "identity"), "is not proved by identity")
    for said in (False, None, "true", 1, "formal", "cases", ["boxes"]):
        rejected(IDENTITY, {**fresh(IDENTITY), "grade": said})


def test_an_identity_that_is_defined_up_to_a_condition_is_proved():
    """W at the very edge of its domain: c >= -1/e is a side condition, and no box sees where it ends."""

    def equation(p, xp):
        w = xp.lambertw(-p.u, 0)
        return w * xp.exp(w) + p.u

    claim = planted(
        equation,
        kind=Kind.EQUALITY,
        id="edge",
        where=lambda p, xp: (1 + xp.exp(xp.number(1)) * (-p.u),),
    )
    assert check_certificate(claim, fresh(claim)).proves
    assert certify(dataclasses.replace(claim, domain=Domain(UV))) is None
    wrong = dataclasses.replace(
        claim, domain=Domain(UV, where=lambda p, xp: (1.0000001 + xp.exp(xp.number(1)) * (-p.u),))
    )
    assert certify(wrong, budget=300) is None
    rejected(wrong, handmade(wrong, "P", "identity"), "does not prove")


# --- equal expressions -----------------------------------------------------------------------------------------------


def test_a_twin_has_to_be_equal():
    """A forged expression that is >= 0 and said to equal the margin."""
    forged = handmade(HALF, "P")
    count = len(forged["formula"]["operations"])
    for more, twin in (
        (["power", 0, 2], count),
        (["number", "1"], count),
        (["abs", forged["formula"]["margin"]], count),
    ):
        rejected(
            HALF,
            {**forged, "more": [more], "twins": [[forged["formula"]["margin"], twin]]},
            "equal|another form",
        )
    for twins in (
        [[0, 0]],
        [[forged["formula"]["margin"]] * 2],
        [[0, 99]],
        [[0]],
        "00",
        [[0, -1]],
        [[True, False]],
    ):
        rejected(HALF, {**forged, "twins": twins})


def test_a_sign_has_to_be_the_same():
    """Of a rising function's difference, and of nothing else, the difference of the arguments has the sign."""
    where = {"where": lambda p, xp: (p.u - p.v,)}
    rises = planted(
        lambda p, xp: xp.exp(p.u) / (1 + p.u) - xp.exp(p.v) / (1 + p.v), id="rises", **where
    )
    forged = handmade(rises, "P")
    margin, count = forged["formula"]["margin"], len(forged["formula"]["operations"])
    rejected(rises, {**forged, "more": [["sub", 0, 1]], "signs": [[margin, count]]})
    falls = planted(
        lambda p, xp: xp.lambertw(-(p.u + 1) / 10, -1) - xp.lambertw(-(p.v + 1) / 10, -1),
        id="falls",
        **where,
    )
    forged = handmade(falls, "P")
    (first, second) = (o[1] for o in forged["formula"]["operations"] if o[0] == "lambertw")
    margin, count = forged["formula"]["margin"], len(forged["formula"]["operations"])
    rejected(
        falls,
        {**forged, "more": [["sub", first, second]], "signs": [[margin, count]]},
        "signs the same",
    )
    for signs in ([[margin, 0]], [[margin]], "00", [[margin, 99]]):
        rejected(falls, {**forged, "signs": signs})
    for function in ("exp", "logisticw", "softplus", "abs"):
        claim = planted(
            lambda p, xp, f=function: getattr(xp, f)(p.u) - getattr(xp, f)(p.v),
            id=function,
            **where,
        )
        assert certify(claim).complete and check_certificate(claim, fresh(claim)).proves
    assert not certify(falls, budget=60).complete


def test_factors_are_boxes_only_where_the_margin_is_their_product():
    def first(p, xp):
        return p.u - p.v

    def second(p, xp):
        return p.u**2 + 0.5

    where = {"where": lambda p, xp: (p.u - p.v,)}
    right = planted(
        lambda p, xp: p.u**3 + 0.5 * p.u - p.v * p.u**2 - 0.5 * p.v,
        id="product",
        factors=(first, second),
        **where,
    )
    found = certify(right)
    assert found.complete and found.evidence.grade == "boxes" and "twins" in found.certificate
    assert check_certificate(right, fresh(right)).proves
    other = planted(
        lambda p, xp: p.v - p.u, id="other", factors=(first, second), **where
    )  # false, though its factors are not
    found = certify(other, budget=200)
    assert found.evidence.grade == "argued" or not found.complete


# --- what boxes cannot prove -----------------------------------------------------------------------------------------


def test_claims_beyond_boxes_are_refused():
    bounded = planted(lambda p, xp: p.u + 1, exclusion=lambda p, xp: p.u + 1, exclusion_words="all")
    exists = planted(
        lambda p, xp: p.u + 1,
        kind=Kind.EXISTENCE,
        inner=(Axis("w", 0.0, 1.0),),
        exclusion=lambda p, xp: p.u + 1,
    )
    for claim in (bounded, exists):
        rejected(claim, handmade(claim, "P"), "not of a kind")
        assert certify(claim) is None


def test_a_strict_claim_needs_more_than_zero():
    weak = planted(lambda p, xp: p.u, id="weak")
    strict = dataclasses.replace(weak, strict=True)
    assert check_certificate(weak, handmade(weak, "P")).decided == 1.0
    rejected(strict, handmade(strict, "P"), "does not prove")


@pytest.mark.parametrize("content", [[], "P", 7, None])
def test_something_else_entirely(content):
    rejected(BOXED, content)


def test_walk_halves_the_boxes_lower_half_first():
    leaves = list(walk("01PUO", 2))
    assert leaves == [("P", ((0, 1), (0, 1))), ("U", ((0, 1), (1, 1))), ("O", ((1, 1), (0, 0)))]


def test_the_judge_is_independent_of_the_search():
    tree = ast.parse(Path(judge.__file__).read_text())
    modules = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            modules |= {f"{node.module}.{alias.name}" for alias in node.names}
    forbidden = ("certify", "search", "sample", "check", "symbolic")
    assert not [
        m
        for m in modules
        if any(part in forbidden for part in m.removeprefix("ascentfail.").split("."))
    ], modules


# --- the checker by itself -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """Runs the checker in a folder of its own, where only python-flint and SymPy can be imported."""
    folder = tmp_path_factory.mktemp("alone")
    shutil.copy(checker.__file__, folder / "checker.py")
    for module in ("flint", "sympy", "mpmath"):  # SymPy stands on mpmath
        (folder / module).symlink_to(Path(importlib.import_module(module).__file__).parent)
    for library in Path(flint.__file__).parents[1].glob("*flint*.libs"):
        (folder / library.name).symlink_to(library)

    def run(*contents):
        paths = []
        for i, content in enumerate(contents):
            paths.append(folder / f"{i}.json")
            paths[-1].write_text(content if isinstance(content, str) else json.dumps(content))
        command = [sys.executable, "-S", "-E", "-s", str(folder / "checker.py"), *map(str, paths)]
        done = subprocess.run(
            command, cwd=folder, env={}, capture_output=True, text=True, timeout=300
        )
        assert not done.stderr, done.stderr[-2000:]
        return done.returncode, done.stdout

    return run


def test_the_checker_stands_alone(alone):
    """Certificates of the registry, in another folder, without this package: proved, argued and why."""
    names = "lemma-2.extrema.repaired", "lemma-6", "beyond-4.sufficient"
    boxes, identity, argued = (certificate_of(get(name)) for name in names)
    status, said = alone(boxes, identity)
    assert status == 0 and "proved (boxes)" in said and "proved (identity)" in said
    assert get("lemma-6").statement in said and "epsilon in [0.05, 0.95], linear" in said
    status, said = alone(argued)
    assert status == 1 and "argued: 8 steps verified" in said and "only words" in said
    assert get("beyond-4.sufficient").proof_words in said
    assert "%" not in said and "proved" not in said
    assert alone()[0] == 2


def test_the_checker_alone_tells_a_proof_from_what_is_none(alone):
    broken, identity = fresh(BOXED), fresh(IDENTITY)
    flipped = {**broken, "tree": swap(broken["tree"], "O", "P")}
    status, said = alone(flipped, handmade(HALF, "0UP"), {**identity, "grade": "boxes"})
    assert (
        status == 1
        and "rejected" in said
        and "1 of 2 boxes undecided" in said
        and said.count("proved:") == 1
    )
    nothing = planted(lambda p, xp: p.u + 1, where=lambda p, xp: (-1 - p.u,), id="nothing")
    status, said = alone(handmade(nothing, "O"))
    assert status == 1 and "exclude all of it" in said
    status, said = alone(
        "[" * 3_000_000, "{", "null", "[]", json.dumps(broken).replace("0.0", "NaN"), "\x00"
    )
    assert status == 2 and said.count("unusable") == 6 and "Traceback" not in said


# --- forgeries -------------------------------------------------------------------------------------------------------


def other_formula(**changes):
    def forge(certificate):
        certificate["formula"] = {**certificate["formula"], **changes}

    return forge


def operation(i, new):
    def forge(certificate):
        certificate["formula"]["operations"][i] = new

    return forge


def field(name, value):
    def forge(certificate):
        certificate[name] = value

    return forge


def axis(i, value):
    def forge(certificate):
        certificate["axes"][0][i] = value

    return forge


NAN = float("nan")
FORGERIES = {  # of a certificate of HALF, which is false; the tree says that it is proved in one box
    "no change": lambda certificate: None,
    "the margin of another expression": other_formula(margin=0),
    "the margin is a constant": operation(1, ["number", "-1"]),
    "a negative power": operation(0, ["power", 0, -1]),
    "an operation that takes itself": operation(2, ["abs", 2]),
    "an operation that takes a later one": operation(1, ["exp", 2]),
    "an operation that takes the last one": operation(1, ["exp", -1]),
    "a margin from the end": other_formula(margin=-1),
    "a margin of truth": other_formula(margin=True),
    "a margin of text": other_formula(margin="2"),
    "no margin": other_formula(margin=None),
    "an unknown operation": operation(2, ["wish", 0]),
    "an operation of lists": operation(2, [[], 0]),
    "no operation": operation(2, None),
    "an axis that is none": operation(0, ["axis", "w"]),
    "a number that is none": operation(1, ["number", "nan"]),
    "a number over zero": operation(1, ["number", "1/0"]),
    "a number of a million digits": operation(1, ["number", "9" * 1_000_000]),
    "a number in powers": operation(1, ["number", "1e-999999999"]),
    "a number of another kind": operation(1, ["number", 0.5]),
    "a branch that is none": operation(2, ["lambertw", 0, 1]),
    "a huge power": operation(2, ["power", 0, 10**9]),
    "a loss that is none": operation(2, ["plane", 0, 0, 0, 0, 1, "huge"]),
    "too many arguments": operation(2, ["sub", 0, 1, 1]),
    "a side condition that excludes all": other_formula(sides=[2, 1]),
    "side conditions of nothing": other_formula(sides=None),
    "a narrowed box": axis(1, 0.5),
    "a reversed box": axis(1, 2.0),
    "a box of NaN": axis(1, NAN),
    "a box of infinity": axis(2, float("inf")),
    "a box of text": axis(1, "0.5"),
    "a box of truth": axis(1, True),
    "a huge box": axis(2, 10**400),
    "another scale": axis(3, "log"),
    "no scale": axis(3, None),
    "a half integer": axis(3, "integer"),
    "swapped axes": lambda certificate: certificate["axes"].reverse(),
    "two axes of one name": axis(0, "v"),
    "no axes": field("axes", []),
    "axes of text": field("axes", "uv"),
    "strict of text": field("strict", "no"),
    "no formula": field("formula", None),
    "a formula of numbers": field("formula", [1, 2, 3]),
    "a tree of numbers": field("tree", [0, 1]),
    "a tree that ends": field("tree", "0P"),
    "a tree that goes on": field("tree", "PP"),
    "a tree of excluded boxes": field("tree", "O"),
    "a tree at the highest precision": field("tree", "R"),
    "a tree of another letter": field("tree", "F"),
    "a tree of an axis beyond": field("tree", "5PP"),
    "an identity": field("grade", "identity"),
    "an argument without steps": field("grade", "argued"),
    "a formal proof": field("grade", "formal"),
    "an argument of an irrelevant step": lambda c: c.update(grade="argued", steps=[fresh(POSITIVE)]),
    "a point of nothing": field("point", [NAN, None]),
    "a point of text": field("point", "u"),
    "another format": field("format", 1),
    "another kind": field("kind", "limit"),
    "another statement": field("statement", "something true"),
    "another domain": field("words", "somewhere"),
}  # fmt: skip


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forgery_is_rejected(name):
    forged = handmade(HALF, "P")
    FORGERIES[name](forged)
    rejected(HALF, forged)


@pytest.mark.parametrize(
    "name", [name for name in FORGERIES if name != "the margin of another expression"]
)
def test_a_forgery_does_not_convince_the_checker_alone(name):
    """Whatever is wrong in it, the checker says so in a sentence of its own; what it proves is what it prints."""
    forged = handmade(HALF, "P")
    FORGERIES[name](forged)
    harmless = (
        "another format",
        "another statement",
        "another domain",
        "a narrowed box",
        "a half integer",
        "another kind",
    )
    try:
        found = checker.check(json.loads(json.dumps(forged)))
    except (Rejected, checker.Unusable):
        return
    assert not found.proves or name in harmless


def test_steps_that_say_nothing_are_no_steps():
    """Vacuous, undefined, undecided, itself argued, or on an empty domain: none of them makes an argument."""
    empty = planted(lambda p, xp: p.u + 1, where=lambda p, xp: (-1 - p.u,), id="empty")
    undefined = planted(lambda p, xp: 0 * xp.log(-1 - p.u) + 1, id="undefined")
    same = planted(lambda p, xp: xp.log(-1 - p.u) - xp.log(-1 - p.u), kind=Kind.EQUALITY, id="same")
    argued = planted(STEPS.margin, id="argued", proof=(POSITIVE,))
    for bad in (empty, undefined, same, argued, HALF):
        claim = dataclasses.replace(STEPS, proof=(POSITIVE, bad))
        found = certify(claim, budget=300)
        assert found.evidence.grade == "boxes" and not found.complete
        part = handmade(bad, "O" if bad is empty else "P", "identity" if bad is same else "boxes")
        if bad is argued:
            part = fresh(bad)
        rejected(claim, {**header(claim), "grade": "argued", "steps": [fresh(POSITIVE), part]})


def test_an_argument_is_never_a_proof():
    found = check_certificate(STEPS, fresh(STEPS))
    assert found.grade == "argued" and found.complete and not found.proves
    assert (
        certify(STEPS).evidence.grade == "argued"
        and certify(STEPS).evidence.certified_fraction is None
    )


def test_a_file_that_is_no_certificate(tmp_path):
    for i, content in enumerate(
        ("[" * 3_000_000, "{", "", "[]", "null", '{"a": NaN}', '{"a": 1e999}')
    ):
        path = tmp_path / f"{i}.json"
        path.write_text(content)
        if content.endswith("999}"):
            assert judge.read_certificate(path) == {"a": float("inf")}
            rejected(HALF, judge.read_certificate(path))
            continue
        with pytest.raises(CertificateError, match="is no certificate"):
            judge.read_certificate(path)
    with pytest.raises(CertificateError, match="is no certificate"):
        judge.read_certificate(tmp_path / "nothing.json")
