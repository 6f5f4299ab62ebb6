"""The record of verdicts: written whole or not at all, compared with, never believed."""

import json

import pytest

from ascentfail.theory import Axis, Claim, Domain, Evidence, Kind, Verdict, check, claims, get, record

IDS = ("lemma-3.main", "lemma-4")


@pytest.fixture(scope="module")
def verdicts():
    return [check(get(claim_id), samples=256) for claim_id in IDS]


def strange(claim_id="no-such-claim", status="holds"):
    return Verdict(claim_id, "s", "src", Kind.BOUND, status, Evidence("sampled", 8, 0.5, {"x": 1.0}))


def test_what_is_saved_is_what_is_loaded(tmp_path, verdicts):
    path = tmp_path / "recorded.json"
    record.save(verdicts, 0, path)
    assert [Verdict.from_json(entry) for entry in record.load(path)] == verdicts
    assert record.differences(verdicts, path) == []
    data = json.loads(path.read_text())
    assert set(data) == {"claims", "versions", "seed"} and data["seed"] == 0
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
    record.save(verdicts[1:], 0, path)
    record.save(verdicts[:1], 0, path)
    assert [entry["id"] for entry in record.load(path)] == list(IDS)


def test_entries_of_unknown_claims_are_dropped(tmp_path, verdicts):
    path = tmp_path / "recorded.json"
    record.save([*verdicts, strange()], 0, path)
    assert [entry["id"] for entry in record.load(path)] == list(IDS)
    stale = record.document([strange(), *verdicts], 0)
    path.write_text(json.dumps(stale))
    record.save(verdicts[:1], 0, path)
    assert [entry["id"] for entry in record.load(path)] == list(IDS)


def test_a_deleted_record_believes_nothing_and_is_recomputed(tmp_path, verdicts):
    path = tmp_path / "recorded.json"
    assert record.load(path) == []
    lines = record.differences(verdicts, path)
    assert "lemma-4: holds, recorded: nothing" in lines
    assert len(lines) == 3  # lemma-3.main, its repaired statement, lemma-4
    record.save(verdicts, 0, path)
    shipped = dict(record.statuses(record.load()))
    for claim_id, status in record.statuses(record.load(path)):
        assert status == shipped[claim_id]


@pytest.mark.parametrize("status", ["fails", "open", "vacuous"])
def test_every_other_status_is_a_difference(tmp_path, verdicts, status):
    path = tmp_path / "recorded.json"
    data = record.document(verdicts, 0)
    data["claims"][1]["status"] = status
    path.write_text(json.dumps(data))
    assert record.differences(verdicts, path) == [f"lemma-4: holds, recorded: {status}"]


def test_a_difference_in_the_repaired_statement_counts(tmp_path, verdicts):
    path = tmp_path / "recorded.json"
    data = record.document(verdicts, 0)
    data["claims"][0]["repaired"]["status"] = "open"
    path.write_text(json.dumps(data))
    assert record.differences(verdicts, path) == ["lemma-3.main.repaired: holds, recorded: open"]


def test_a_record_that_cannot_be_written_stays_as_it_was(tmp_path, verdicts, monkeypatch):
    path = tmp_path / "recorded.json"
    record.save(verdicts, 0, path)
    before = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(OSError, match="No space"):
        record.save(verdicts[:1], 1, path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["recorded.json"]


def test_a_record_with_nan_is_not_written(tmp_path, monkeypatch):
    path = tmp_path / "recorded.json"
    bad = strange("lemma-4")
    bad = Verdict(bad.id, "s", "src", Kind.BOUND, "holds", Evidence("sampled", 8, float("nan")))
    with pytest.raises(ValueError, match="JSON"):
        record.save([bad], 0, path)
    assert list(tmp_path.iterdir()) == []


def test_the_shipped_record_knows_every_claim_and_no_other():
    assert [entry["id"] for entry in record.load()] == [claim.id for claim in claims()]
    members = {member.id for claim in claims() for member in claim.family()}
    assert {claim_id for claim_id, _ in record.statuses(record.load())} == members


def test_a_check_does_not_read_the_record(monkeypatch):
    def forbidden(*_):
        raise AssertionError("the record was read")

    monkeypatch.setattr(record, "load", forbidden)
    domain = Domain((Axis("x", 0.0, 1.0),), words="x")
    assert (
        check(Claim("lemma-4", "s", "src", Kind.BOUND, domain, lambda p, xp: -1 - p.x), samples=64).status == "fails"
    )
