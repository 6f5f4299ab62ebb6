"""The HTML report: well-formed, self-contained, escaped, and its pictures are what the re-check says."""

import base64
import dataclasses
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from ascentfail.claims.evidence.recheck import recheck
from ascentfail.figures.report import pictures
from ascentfail.figures.report.page import drawings, page, typeset
from ascentfail.figures.report.pictures import Cell, fraction, outline, plane
from ascentfail.figures.report.summary import markdown_table
from ascentfail.theory import (
    Axis,
    Claim,
    Counterexample,
    Domain,
    Evidence,
    Kind,
    Verdict,
    check,
    claims,
    get,
)

REAL = ("lemma-3.main", "lemma-4.proof", "lemma-6", "figure-4.exists")
VOID = {"meta", "br", "img", "input", "link", "hr"}
PNG = b"\x89PNG\r\n\x1a\n" + bytes(8)
LINE = Domain((Axis("x", 0.0, 1.0), Axis("y", 0.0, 1.0)), words="the unit square")
NOTHING = {"counterexample": None, "evidence": {"worst_point": None}}


class Reader(HTMLParser):
    """Elements, ids and attributes of a page; refuses one whose tags do not match."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.text = [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data):
        self.text.append(data)

    def attributes(self, name):
        return [attrs[name] for _, attrs in self.elements if name in attrs]


def verdict(claim, status="holds", **changes):
    """A plain verdict on a claim, without evidence that took time."""
    point = {axis.name: float(axis.at(0.5)) for axis in claim.domain.axes}
    found = Counterexample(point, -0.25, 50, claim.exclusion_words) if status == "fails" else None
    repaired = verdict(claim.repaired) if claim.repaired else None
    base = Verdict(
        claim.id,
        claim.statement,
        claim.source,
        claim.kind,
        status,
        Evidence("sampled", 7, 0.5, point),
        found,
        repaired,
    )
    return dataclasses.replace(base, **changes)


def bound(margin, **parts):
    return Claim(
        "planted",
        "s",
        "src",
        parts.pop("kind", Kind.BOUND),
        parts.pop("domain", LINE),
        margin,
        **parts,
    )


@pytest.fixture
def no_pictures(monkeypatch):
    blank = pictures.Plane(
        LINE.axes, {}, np.full((2, 2), Cell.HOLDS), np.full((2, 2), np.nan), None, False, False
    )
    monkeypatch.setattr(pictures, "plane", lambda claim, entry: blank)


@pytest.fixture(scope="module")
def real():
    return [check(get(claim_id), samples=256).to_json() for claim_id in REAL]


@pytest.fixture(scope="module")
def text(real):
    return page(claims(), real, {"a figure": PNG}, {"jax": "1.2.3"})


# --- the page ---------------------------------------------------------------------------------------------------------


def test_the_page_is_well_formed_and_its_links_lead_somewhere(text):
    read = Reader(text)
    ids = read.attributes("id")
    assert len(ids) == len(set(ids))
    targets = [href[1:] for href in read.attributes("href") if href.startswith("#")]
    targets += [part for value in read.attributes("aria-labelledby") for part in value.split()]
    assert targets and set(targets) <= set(ids)
    assert {*re.findall(r"url\(#(\w+)\)", text)} <= set(ids)


def test_nothing_is_loaded_and_nothing_runs(text):
    read = Reader(text)
    assert not {"script", "link", "iframe", "object", "base", "form"} & {
        tag for tag, _ in read.elements
    }
    assert all(src.startswith("data:image/png;base64,") for src in read.attributes("src"))
    assert {tag for tag, attrs in read.elements if attrs.get("href", "#")[0] != "#"} <= {"a"}
    assert not [name for _, attrs in read.elements for name in attrs if name.startswith("on")]
    assert "@import" not in text and not re.search(r"url\((?!#)", text)
    policy = next(attrs["content"] for _, attrs in read.elements if attrs.get("http-equiv"))
    assert policy.startswith("default-src 'none'") and "http" not in policy


def test_every_claim_and_every_repaired_one_has_an_anchor(no_pictures):
    whole = page(claims(), [verdict(claim).to_json() for claim in claims()])
    read = Reader(whole)
    assert {member.id for claim in claims() for member in claim.family()} <= set(
        read.attributes("id")
    )
    assert len(whole) < 600_000
    # as printed: the plain text stays beside the typeset one
    assert {claim.statement for claim in claims()} <= set(read.attributes("title"))


def test_a_drawing_made_elsewhere_is_the_one_shown_and_an_unknown_one_is_drawn():
    claim = get("lemma-4")
    entry = check(claim, samples=64).to_json()
    made = drawings(claim, entry)
    assert set(made) == {member.id for member in claim.family()}
    assert page([claim], [entry], drawn=made) == page([claim], [entry])
    assert "PLANTED" in page([claim], [entry], drawn={**made, claim.id: "<figure>PLANTED</figure>"})


def test_stronger_evidence_on_record_is_said_and_not_called_a_proof(no_pictures):
    claim = get("lemma-4")
    entry = verdict(claim).to_json()
    proved = verdict(
        claim, evidence=Evidence("certified", 7, 0.5, None, 1.0, grade="boxes")
    ).to_json()
    said = "sampled, 7 points; on record: boxes"
    assert (
        page([claim], [entry], record=[proved]).count(said) == 2
    )  # in the overview and in the card
    assert "on record: " not in page([claim], [entry], record=[entry])  # no more than this run's
    assert "on record: " not in page([claim], [entry], record=[{**proved, "status": "open"}])
    assert "on record: " not in page([claim], [{**entry, "status": "open"}], record=[proved])
    assert "on record: " not in page([claim], [proved], record=[proved])
    assert said in markdown_table([entry], [proved]) and "proved" not in markdown_table(
        [entry], [proved]
    )


def test_pictures_are_small(text):
    drawn = re.findall(r'<svg class="plane".*?</svg>', text)
    assert len(drawn) == len(REAL) + sum(get(claim_id).repaired is not None for claim_id in REAL)
    assert max(map(len, drawn)) < 15_000  # 15 kB each keeps all of them far below 3 MB


@pytest.mark.parametrize("status", ["holds", "fails", "open", "vacuous"])
def test_the_verdict_is_the_entry_s(no_pictures, status):
    claim = get("lemma-4")
    read = Reader(page([claim], [verdict(claim, status).to_json()]))
    badges = [
        attrs["class"] for _, attrs in read.elements if attrs.get("class", "").startswith("badge")
    ]
    assert badges == [f"badge {status}"] * 2  # overview and card
    words = "".join(read.text)
    said = {
        "holds": "1 holds",
        "fails": "1 fails",
        "open": "1 is open",
        "vacuous": "1 says nothing",
    }[status]
    assert f"1 statements: {said}." in words
    assert ("Refuted at" in words) == (status == "fails")


@pytest.mark.parametrize(
    ("level", "grade", "proved", "argued"),
    [
        ("sampled", "sampled", 0, 0),
        ("searched", "searched", 0, 0),
        ("certified", "argued", 0, 1),
        ("certified", "boxes", 1, 0),
        ("certified", "cases", 1, 0),
        ("symbolic", "identity", 1, 0),
        ("certified", "formal", 1, 0),
    ],
)
def test_only_proofs_are_called_proved(no_pictures, level, grade, proved, argued):
    claim = get("iterative.stabilises")  # a claim that is argued in steps
    entry = verdict(claim, evidence=Evidence(level, grade=grade)).to_json()
    words = "".join(Reader(page([claim], [entry])).text)
    assert f"{proved} are proved, {argued} argued" in words and f"Evidence{grade}" in words.replace(
        " ", ""
    )
    steps = f"{len(claim.proof)} steps"
    assert (
        f"Argument, {steps} that a machine checked; that they imply it is said in words" in words
    ) == bool(argued)
    assert "% of the domain" not in words
    assert ("not checked at this level" in words) == (level in ("sampled", "searched"))


def test_what_a_verdict_says_is_on_the_page(text, real):
    words = "".join(Reader(text).text)
    for entry in real:
        if entry["counterexample"]:
            assert f"{abs(entry['counterexample']['margin'])!r}, confirmed to 50 digits" in words
        if entry["repaired"]:
            assert "What holds instead" in words
    assert "a figure" in words and "jax 1.2.3" in words and "|F| / |R|" in words
    assert base64.b64encode(PNG).decode() in text


def test_everything_is_escaped():
    evil = '<script>alert("x")</script>&'
    domain = Domain((Axis(evil, 0.0, 1.0), Axis("y", 0.0, 1.0)), words=evil)
    step = Claim(evil, evil, evil, Kind.BOUND, domain, lambda p, xp: p.y)
    claim = Claim(
        f'"><b>{evil}',
        evil,
        evil,
        Kind.BOUND,
        domain,
        lambda p, xp: p.y,
        note=evil,
        proof=(step,),
        proof_words=evil,
    )
    entry = check(claim, samples=64).to_json()
    whole = page([claim], [{**entry, "status": evil}], {evil: PNG}, {evil: evil})
    assert "<script" not in whole and "<b>&lt;" not in whole
    assert claim.id in Reader(whole).attributes("id")


def test_bad_input_is_named(no_pictures):
    entry = verdict(get("lemma-4")).to_json()
    with pytest.raises(ValueError, match="lemma-4"):
        page([get("lemma-6")], [entry])
    with pytest.raises(ValueError, match="a.svg.*PNG"):
        page([get("lemma-4")], [entry], {"a.svg": b"<svg/>"})
    assert "0</b> statements" in page([], [])


@pytest.mark.parametrize(
    ("ascii_form", "shown"),
    [
        ("w_DA <= W(c_DA)", "w<sub>DA</sub> ≤ W(c<sub>DA</sub>)"),
        ("alpha_max -> infinity", "α<sub>max</sub> → ∞"),
        ("beta_D e^{-(1-q^2) U}", "β<sub>D</sub> e<sup>−(1−q<sup>2</sup>) U</sup>"),
        ("W_{-1}(c) at lam > 0", "W<sub>−1</sub>(c) at λ &gt; 0"),
        ("2phi in [0, 1], eps != 0", "2φ ∈ [0, 1], ε ≠ 0"),
        ("h'(B) and max_B h(B)", "h&#x27;(B) and max<sub>B</sub> h(B)"),
        (
            "ascent_pull, retain_total, alphabet, theta",
            "ascent_pull, retain_total, alphabet, theta",
        ),
        ("x_{open <b>", "x_{open &lt;b&gt;"),
    ],
)
def test_formulas_are_set(ascii_form, shown):
    assert typeset(ascii_form) == shown


# --- where a claim holds ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("claim_id", [*REAL, "lemma-3.main.repaired"])
def test_cells_are_what_the_re_check_says(real, claim_id):
    known = {
        entry["id"]: entry for verdict in real for entry in (verdict, verdict["repaired"]) if entry
    }
    claim = get(claim_id)
    found = plane(claim, known[claim_id])
    rows, columns = found.cells.shape
    assert (rows, columns) == (pictures.CELLS, pictures.CELLS)
    rng = np.random.default_rng(0)
    seen = set()
    for row, column in rng.integers(0, rows, (12, 2)).tolist():
        box = found.box(row, column)
        assert set(box) == {axis.name for axis in claim.domain.axes}
        truth, cell = recheck(claim, box), found.cells[row, column]
        assert (cell == Cell.OUTSIDE) == (not truth.inside)
        assert (cell == Cell.VIOLATED) == truth.violated
        seen.add(int(cell))
    assert Cell.UNKNOWN not in seen and (Cell.VIOLATED in found.cells) == (
        known[claim_id]["status"] == "fails"
    )


def test_the_plane_passes_through_the_counterexample(real):
    entry = next(entry for entry in real if entry["id"] == "lemma-3.main")
    found, point = plane(get("lemma-3.main"), entry), entry["counterexample"]["point"]
    assert found.refuted and found.mark is not None
    for axis, place in zip(found.axes, found.mark, strict=True):
        assert axis.at(place) == pytest.approx(point[axis.name], rel=1e-9)
    assert all(value == pytest.approx(point[name], rel=1e-9) for name, value in found.fixed.items())


def test_the_axes_are_those_along_which_the_verdict_changes():
    cube = Domain(tuple(Axis(name, -1.0, 1.0) for name in "xyz"), words="a cube")
    found = plane(bound(lambda p, xp: p.x * p.z - 0.2, domain=cube), NOTHING)
    assert [axis.name for axis in found.axes] == ["x", "z"] and found.fixed == {"y": 0.0}
    middles = (np.arange(pictures.CELLS) + 0.5) / pictures.CELLS * 2 - 1
    expected = np.where(middles[:, None] * middles >= 0.2, Cell.HOLDS, Cell.VIOLATED)
    np.testing.assert_array_equal(found.cells, expected)
    assert np.isnan(found.slack[expected == Cell.VIOLATED]).all() and np.nanmax(found.slack) == 1


def test_rounding_is_not_a_violation_but_a_tiny_violation_is():
    rounding = bound(lambda p, xp: (p.x + 1e3) - 1e3 - p.x)
    assert (plane(rounding, NOTHING).cells == Cell.HOLDS).all()
    assert (
        plane(dataclasses.replace(rounding, kind=Kind.EQUALITY), NOTHING).cells == Cell.HOLDS
    ).all()
    assert (
        plane(bound(lambda p, xp: xp.number(-1) / 10**15 - p.x), NOTHING).cells == Cell.VIOLATED
    ).all()
    assert (
        plane(bound(lambda p, xp: p.x - p.x, strict=True), NOTHING).cells == Cell.VIOLATED
    ).all()
    assert (plane(bound(lambda p, xp: p.x - p.x), NOTHING).cells == Cell.HOLDS).all()


def test_outside_and_undefined_are_said():
    domain = Domain(
        LINE.axes, where=lambda p, xp: (p.x - xp.number(1) / 2,), words="the right half"
    )
    found = plane(bound(lambda p, xp: xp.log(p.y - xp.number(1) / 2), domain=domain), NOTHING)
    half = pictures.CELLS // 2
    assert (found.cells[:, :half] == Cell.OUTSIDE).all()
    assert (found.cells[:half, half:] == Cell.UNKNOWN).all()
    assert (found.cells[half:, half:] == Cell.VIOLATED).all()
    drawn = pictures.svg("planted", found)
    assert all(f'class="{look}"' in drawn for look in ("outside", "unknown", "violated"))
    assert "outside 50 %" in drawn and "unknown 25 %" in drawn


def test_one_axis_gives_a_strip():
    domain = Domain((Axis("n", 1, 3, "integer"),), words="1 to 3")
    found = plane(bound(lambda p, xp: 2 - p.n, domain=domain), NOTHING)
    assert found.cells.shape == (1, pictures.CELLS)
    assert found.cells.ravel().tolist() == [Cell.HOLDS] * 32 + [Cell.VIOLATED] * 16
    Reader(pictures.svg("planted", found))


def test_an_old_point_without_box_coordinates_is_not_marked():
    entry = {"counterexample": {"point": {"z": 1.0}}, "evidence": {"worst_point": None}}
    found = plane(bound(lambda p, xp: p.x - p.y), entry)
    assert found.mark is None and "mark" not in pictures.svg("planted", found)


@pytest.mark.parametrize(
    "axis",
    [
        Axis("a", -2.0, 3.0),
        Axis("a", 1e-3, 1e4, "log"),
        Axis("a", 2, 9, "integer"),
        Axis("a", 4.0, 4.0),
    ],
)
def test_fraction_inverts_at(axis):
    for unit in (0.0, 0.2, 0.77, 1.0):
        value = float(axis.at(unit))
        assert axis.at(fraction(axis, value)) == pytest.approx(value, rel=1e-14)


def test_outlines_cover_exactly_the_cells():
    mask = np.random.default_rng(1).random((9, 13)) < 0.5
    mask[3:6, 2:7] = True
    covered = np.zeros(mask.shape, int)
    for x, y, width, height, back in re.findall(r"M(\d+) (\d+)h(\d+)v(\d+)h-(\d+)z", outline(mask)):
        assert width == back
        covered[int(y) : int(y) + int(height), int(x) : int(x) + int(width)] += 1
    np.testing.assert_array_equal(covered, mask)
    assert (
        outline(np.ones((5, 7), bool)) == "M0 0h7v5h-7z" and outline(np.zeros((2, 2), bool)) == ""
    )
