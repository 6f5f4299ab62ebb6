"""The record of verdicts: written whole or not at all, compared with, never believed."""

import json

import pytest

from ascentfail.claims import record
from ascentfail.claims.check import LEVELS
from ascentfail.theory import Axis, Claim, Domain, Evidence, Kind, Verdict, check, claims, get

IDS = ("lemma-3.main", "lemma-4")


@pytest.fixture(scope="module")
def verdicts():
    return [check(get(claim_id), samples=256) for claim_id in IDS]


def strange(claim_id="no-such-claim", status="holds"):
    return Verdict(
        claim_id, "s", "src", Kind.BOUND, status, Evidence("sampled", 8, 0.5, {"x": 1.0})
    )


def test_what_is_saved_is_what_is_loaded(tmp_path, verdicts):
    path = tmp_path / "recorded.json"
    record.save(verdicts, "sampled", path)
    assert [Verdict.from_json(entry) for entry in record.load("sampled", path)] == verdicts
    assert record.differences(verdicts, "sampled", path) == []
    data = json.loads(path.read_text())
    assert set(data) == {"levels", "versions"} and set(data["levels"]) == {"sampled"}
    assert [p.name for p in tmp_path.iterdir()] == ["recorded.json"]


def test_the_document_is_the_design_s(verdicts):
    data = record.document(verdicts, 7, 1.23456)
    assert set(data) == {"claims", "versions", "seed", "seconds"}
    assert (data["seed"], data["seconds"]) == (7, 1.23)
    assert [entry["id"] for entry in data["claims"]] == list(IDS)
    assert {"python", "ascentfail", "jax", "numpy", "mpmath"} <= set(data["versions"])
    json.dumps(data, allow_nan=False)


def test_saving_some_keeps_the_others_in_the_paper_s_order(tmp_path, verdicts):
    path = tmp_path / "recorded.json"
    record.save(verdicts[1:], "sampled", path)
    record.save(verdicts[:1], "sampled", path)
    assert [entry["id"] for entry in record.load("sampled", path)] == list(IDS)


def test_entries_of_unknown_claims_are_dropped(tmp_path, verdicts):
    path = tmp_path / "recorded.json"
    record.save([*verdicts, strange()], "sampled", path)
    assert [entry["id"] for entry in record.load("sampled", path)] == list(IDS)
    path.write_text(
        json.dumps({"levels": {"sampled": [v.to_json() for v in (strange(), *verdicts)]}})
    )
    record.save(verdicts[:1], "sampled", path)
    assert [entry["id"] for entry in record.load("sampled", path)] == list(IDS)


def test_a_record_is_not_emptied_where_no_claim_is_known(tmp_path, verdicts, monkeypatch):
    path = tmp_path / "recorded.json"
    record.save(verdicts, "sampled", path)
    before = path.read_bytes()
    monkeypatch.setattr(record, "_order", list)
    with pytest.raises(ValueError, match="verdicts"):
        record.save(verdicts, "sampled", path)
    assert path.read_bytes() == before


def test_a_deleted_record_believes_nothing_and_is_recomputed(tmp_path, verdicts):
    path = tmp_path / "recorded.json"
    assert record.load("sampled", path) == []
    lines = record.differences(verdicts, "sampled", path)
    assert "lemma-4: holds, recorded: nothing" in lines
    assert len(lines) == 3  # lemma-3.main, its repaired statement, lemma-4
    record.save(verdicts, "sampled", path)
    shipped = dict(record.statuses(record.load("sampled")))
    for claim_id, status in record.statuses(record.load("sampled", path)):
        assert status == shipped[claim_id]


@pytest.mark.parametrize("status", ["fails", "open", "vacuous"])
def test_every_other_status_is_a_difference(tmp_path, verdicts, status):
    path = tmp_path / "recorded.json"
    entries = [v.to_json() for v in verdicts]
    entries[1]["status"] = status
    path.write_text(json.dumps({"levels": {"sampled": entries}}))
    assert record.differences(verdicts, "sampled", path) == [f"lemma-4: holds, recorded: {status}"]


def test_a_difference_in_the_repaired_statement_counts(tmp_path, verdicts):
    path = tmp_path / "recorded.json"
    entries = [v.to_json() for v in verdicts]
    entries[0]["repaired"]["status"] = "open"
    path.write_text(json.dumps({"levels": {"sampled": entries}}))
    assert record.differences(verdicts, "sampled", path) == [
        "lemma-3.main.repaired: holds, recorded: open"
    ]


def test_a_record_that_cannot_be_written_stays_as_it_was(tmp_path, verdicts, monkeypatch):
    path = tmp_path / "recorded.json"
    record.save(verdicts, "sampled", path)
    before = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(OSError, match="No space"):
        record.save(verdicts[:1], "sampled", path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["recorded.json"]


def test_a_record_with_nan_is_not_written(tmp_path, monkeypatch):
    path = tmp_path / "recorded.json"
    bad = strange("lemma-4")
    bad = Verdict(bad.id, "s", "src", Kind.BOUND, "holds", Evidence("sampled", 8, float("nan")))
    with pytest.raises(ValueError, match="JSON"):
        record.save([bad], "sampled", path)
    assert list(tmp_path.iterdir()) == []


def test_levels_are_recorded_side_by_side(tmp_path, verdicts):
    path = tmp_path / "recorded.json"
    record.save(verdicts, "sampled", path)
    record.save(verdicts[:1], "certified", path)
    assert [entry["id"] for entry in record.load("sampled", path)] == list(IDS)
    assert [entry["id"] for entry in record.load("certified", path)] == list(IDS[:1])
    assert record.load("searched", path) == []
    assert record.load(path=path) == record.load("certified", path)  # the strongest one
    assert (
        record.differences(verdicts[1:], "certified", path) == []
    )  # what one level lacks is looked up at the others
    assert record.differences([strange()], "certified", path) == [
        f"{strange().id}: {strange().status}, recorded: nothing"
    ]


def test_the_place_of_the_record_is_looked_up_when_it_is_needed(tmp_path, verdicts, monkeypatch):
    monkeypatch.setattr(record, "RECORD", tmp_path / "elsewhere.json")
    assert record.load() == []
    record.save(verdicts, "sampled")
    assert record.differences(verdicts, "sampled") == []
    assert [p.name for p in tmp_path.iterdir()] == ["elsewhere.json"]


@pytest.mark.parametrize("level", LEVELS)
def test_the_shipped_record_knows_every_claim_and_no_other(level):
    entries = record.load(level)
    if level != "sampled" and not entries:
        pytest.skip(f"nothing is recorded at level {level!r}")
    assert [entry["id"] for entry in entries] == [claim.id for claim in claims()]
    members = {member.id for claim in claims() for member in claim.family()}
    assert {claim_id for claim_id, _ in record.statuses(entries)} == members


def test_a_check_does_not_read_the_record(monkeypatch):
    def forbidden(*_):
        raise AssertionError("the record was read")

    monkeypatch.setattr(record, "load", forbidden)
    domain = Domain((Axis("x", 0.0, 1.0),), words="x")
    assert (
        check(
            Claim("lemma-4", "s", "src", Kind.BOUND, domain, lambda p, xp: -1 - p.x), samples=64
        ).status
        == "fails"
    )
