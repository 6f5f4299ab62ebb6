"""The judge of certificates accepts what was proved, and rejects what was tampered with, even with a forged hash."""

import ast
import copy
import dataclasses
import functools
import json
from pathlib import Path

import flint
import pytest

from ascentfail.theory import Axis, Claim, Domain, Kind, claims, get
from ascentfail.theory.claim import Point
from ascentfail.theory.evidence import certificate as judge
from ascentfail.theory.evidence.certificate import CertificateError, check_certificate, claim_hash, proves, walk
from ascentfail.theory.evidence.certify import certify

UV = (Axis("u", 0.0, 1.0), Axis("v", 0.0, 1.0))


def planted(margin, *, axes=UV, where=None, kind=Kind.BOUND, id="planted", **more):
    return Claim(id, "", "test", kind, Domain(axes, where=where), margin, **more)


def curved(p, xp):  # its least value is 1e-3
    return (p.u - p.v) ** 2 + xp.exp(-p.u * p.v) - 1 + p.u * p.v + 0.001


def in_disc(p, xp):
    return (1 - (2 * p.u - 1) ** 2 - (2 * p.v - 1) ** 2,)


BOXED = planted(curved, where=in_disc)
HALF = planted(lambda p, xp: p.u - 0.5, id="half")  # proved on a half, false on the other
IDENTITY = planted(lambda p, xp: (p.u + p.v) ** 2 - p.u**2 - 2 * p.u * p.v - p.v**2, kind=Kind.EQUALITY, id="square")
POSITIVE = planted(lambda p, xp: xp.exp(p.u) - 1 - p.u, axes=(Axis("u", 0.0, 5.0),), id="exponential")
STEPS = planted(curved, id="by steps", proof=(IDENTITY, POSITIVE, BOXED))


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


def handmade(claim, tree):
    axes = [[a.name, a.low, a.high, a.scale] for a in claim.domain.axes]
    return {"claim": claim.id, "hash": claim_hash(claim), "axes": axes, "tree": tree}


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


@pytest.mark.parametrize("claim_id", [c.id for printed in claims() for c in printed.family() if c.proof])
def test_registered_proofs_pass_the_judge(claim_id):
    claim = get(claim_id)
    assert check_certificate(claim, fresh(claim)).decided == 1.0


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
        assert proves(claim, ((0, 0), (0, 0))) == "U"
    with flint.ctx.workprec(106):
        assert proves(claim, ((0, 0), (0, 0))) == "O"
    assert check_certificate(claim, handmade(claim, "O")).proved == 0.0


# --- tampering -------------------------------------------------------------------------------------------------------


def test_a_widened_box():
    for change in ("low", "high", "name", "scale"):
        tampered = fresh(BOXED)
        i = ["name", "low", "high", "scale"].index(change)
        tampered["axes"][0][i] = {"low": -1.0, "high": 2.0, "name": "w", "scale": "log"}[change]
        rejected(BOXED, tampered, "box")
    wide = dataclasses.replace(BOXED, domain=dataclasses.replace(BOXED.domain, axes=(Axis("u", 0.0, 2.0), UV[1])))
    rejected(wide, fresh(BOXED), "another version")
    moved = Claim("planted", "", "test", Kind.BOUND, Domain((Axis("u", -5.0, 1.0), UV[1])), POSITIVE.margin)
    narrow = Claim("planted", "", "test", Kind.BOUND, Domain(UV), POSITIVE.margin)
    forged = {**fresh(narrow), "hash": claim_hash(moved)}
    rejected(moved, forged, "box")


def test_another_claim():
    rejected(POSITIVE, fresh(BOXED), "is of claim 'planted'")
    rejected(POSITIVE, {**fresh(BOXED), "claim": POSITIVE.id}, "another version")
    rejected(BOXED, {**fresh(BOXED), "hash": claim_hash(POSITIVE)}, "another version")
    for key in ("claim", "hash", "axes", "tree"):
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
    for nonsense in (None, 7, ["P"], {"P": "P"}):
        rejected(BOXED, {**fresh(BOXED), "tree": nonsense}, "no tree")


def test_exchanged_axes_of_a_split():
    steep = planted(lambda p, xp: p.u - 2 * (p.v - 0.5), id="steep", where=lambda p, xp: (0.45 - p.v,))
    assert check_certificate(steep, handmade(steep, "1PO")).decided == 1.0
    rejected(steep, handmade(steep, "0PO"))
    rejected(steep, handmade(steep, "1OP"))


def test_steps_are_counted_and_bound_to_their_claims():
    right = fresh(STEPS)
    for steps in (right["steps"][:-1], [*right["steps"], right["steps"][0]], [], None, "PPP"):
        rejected(STEPS, {**right, "steps": steps}, "steps")
    for order in ((1, 0, 2), (0, 0, 2), (2, 1, 2)):
        rejected(STEPS, {**right, "steps": [right["steps"][i] for i in order]})
    for nonsense in (None, 7, "P", []):
        rejected(STEPS, {**right, "steps": [nonsense, *right["steps"][1:]]})
    broken = copy.deepcopy(right)
    broken["steps"][2]["tree"] = "P"
    rejected(STEPS, broken, "does not prove")
    weak = copy.deepcopy(right)
    weak["steps"][2]["tree"] = "U"
    assert check_certificate(STEPS, weak).decided == 0.0
    rejected(STEPS, fresh(BOXED))
    rejected(STEPS, {**handmade(STEPS, "P")}, "steps")


def test_a_proof_with_a_false_step_is_rejected_whatever_is_forged():
    false = dataclasses.replace(POSITIVE, margin=lambda p, xp: p.u + 1 - xp.exp(p.u))
    claim = dataclasses.replace(STEPS, proof=(IDENTITY, false, BOXED))
    rejected(claim, fresh(STEPS), "another version")
    forged = fresh(STEPS)
    forged["hash"], forged["steps"][1]["hash"] = claim_hash(claim), claim_hash(false)
    rejected(claim, forged, "does not prove")


def test_a_flipped_sign_changes_the_hash_and_fails_without_it():
    flipped = dataclasses.replace(BOXED, margin=lambda p, xp: -curved(p, xp))
    assert claim_hash(flipped) != claim_hash(BOXED)
    rejected(flipped, fresh(BOXED), "another version")
    rejected(flipped, {**fresh(BOXED), "hash": claim_hash(flipped)}, "does not prove")


def test_a_side_condition_cannot_be_swapped():
    inner = planted(lambda p, xp: in_disc(p, xp)[0] + 0.05, where=in_disc, id="inside")
    assert check_certificate(inner, fresh(inner)).decided == 1.0
    for where in (None, lambda p, xp: (in_disc(p, xp)[0] + 1,)):
        wider = dataclasses.replace(inner, domain=dataclasses.replace(inner.domain, where=where))
        rejected(wider, fresh(inner), "another version")
        rejected(wider, {**fresh(inner), "hash": claim_hash(wider)}, "does not prove")


def test_the_hash_covers_what_a_certificate_speaks_about():
    changes = {
        "id": "other",
        "statement": "other",
        "strict": True,
        "margin": lambda p, xp: p.v,
        "proof": (POSITIVE,),
        "domain": Domain(UV, where=lambda p, xp: (p.u,)),
        "factors": (lambda p, xp: p.u,),
    }
    seen = {claim_hash(dataclasses.replace(BOXED, **{name: value})) for name, value in changes.items()}
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


# --- identities ------------------------------------------------------------------------------------------------------


FALSE_IDENTITIES = {
    "sign": planted(lambda p, xp: (p.u - p.v) ** 2 - p.u**2 - 2 * p.u * p.v - p.v**2, kind=Kind.EQUALITY),
    "by a hair": planted(lambda p, xp: (p.u + p.v) - p.u - p.v + xp.number(1) / 10**45, kind=Kind.EQUALITY),
    "by less than fifty digits": planted(
        lambda p, xp: (p.u + p.v) - p.u - p.v + xp.number(1) / 10**70, kind=Kind.EQUALITY
    ),
    "on a half": planted(lambda p, xp: xp.maximum(p.u, p.v) - p.u, kind=Kind.EQUALITY),
    "undefined": planted(lambda p, xp: 0 * xp.lambertw(-1 - p.u, 0), kind=Kind.EQUALITY),
    "nowhere": planted(lambda p, xp: p.u + 1, kind=Kind.EQUALITY, where=lambda p, xp: (-1 - p.u,)),
    "in a corner": planted(lambda p, xp: p.u + 1, kind=Kind.EQUALITY, where=lambda p, xp: (0.3 - p.u, 0.3 - p.v)),
}


@pytest.mark.parametrize("name", FALSE_IDENTITIES)
def test_a_forged_identity(name):
    claim = FALSE_IDENTITIES[name]
    rejected(claim, {"claim": claim.id, "hash": claim_hash(claim), "identity": True})


def test_an_identity_has_to_be_stated():
    for said in (False, None, "true", 1):
        rejected(IDENTITY, {**fresh(IDENTITY), "identity": said}, "does not state")
    rejected(BOXED, {"claim": BOXED.id, "hash": claim_hash(BOXED), "identity": True}, "box")


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
    whole = planted(lambda p, xp: p.u + 1, axes=(Axis("u", 0, 3, "integer"),))
    assert certify(whole) is None


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
    modules = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            modules |= {f"{node.module}.{alias.name}" for alias in node.names}
    forbidden = ("certify", "search", "sample", "check", "symbolic")
    assert not [m for m in modules if any(part in forbidden for part in m.removeprefix("ascentfail.").split("."))], (
        modules
    )
