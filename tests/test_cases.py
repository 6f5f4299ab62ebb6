"""Claims decided case by case: some or every case, with a second route, and never more said than was decided."""

import math

import pytest
from mpmath import mp

from ascentfail.claims.claim import ClaimError, by_cases
from ascentfail.theory import Cases, Claim, Kind, check, recheck


def planted(values, quantifier="every", exact=None, strict=False, rigorous=False, **rest):
    points = tuple({"value": float(i)} for i in range(len(values)))

    def margin(point, level):
        value = values[int(point["value"])]
        return value if isinstance(value, tuple) else (value, value)

    def second(point, digits):
        value = (exact or values)[int(point["value"])]
        return mp.mpf(value[0] if isinstance(value, tuple) else value)

    cases = Cases(points, margin, second, quantifier, rigorous, "these are all", **rest)
    return Claim(
        "planted",
        "planted",
        "tests",
        Kind.ORDERING,
        cases.domain("planted"),
        by_cases,
        strict=strict,
        cases=cases,
    )


@pytest.mark.parametrize(
    ("claim", "status"),
    [
        (planted([1.0, 0.5]), "holds"),
        (planted([1.0, 0.0]), "holds"),
        (planted([1.0, 0.0], strict=True), "fails"),
        (planted([1.0, -1e-9]), "fails"),
        (planted([1.0, -1e-9], exact=[1.0, 1e-9]), "open"),  # the second route disagrees
        (planted([1.0, math.nan]), "open"),
        (planted([1.0, (-1.0, 1.0)]), "open"),
        (planted([math.nan, -1.0]), "fails"),
        (planted([-1.0, 2.0, math.nan], "some"), "holds"),
        (planted([-1.0, -2.0], "some"), "fails"),
        (planted([-1.0, (-2.0, 1.0)], "some"), "open"),
        (planted([-1.0, -2.0], "some", exact=[-1.0, 2.0]), "open"),  # every case must be confirmed
        (planted([], unmeasured="nobody measured"), "open"),
    ],
)
def test_status(claim, status):
    verdict = check(claim)
    assert verdict.status == status
    assert (verdict.counterexample is not None) == (status == "fails")


def test_a_counterexample_names_its_case_and_is_derived_again():
    claim = planted([3.0, -0.25, -0.5])
    found = check(claim).counterexample
    assert (
        found.point == {"case": 2.0, "value": 2.0}
        and found.margin == -0.5
        and found.bound == "these are all"
    )
    assert recheck(claim, found.point).violated
    assert not recheck(claim, {"case": 0.0}).violated
    assert not recheck(claim, {"case": 7.0}).inside


def test_a_failing_existence_reports_its_best_case():
    assert check(planted([-3.0, -0.25], "some")).counterexample.point["case"] == 1.0


def test_only_rigorous_enclosures_are_called_proved():
    assert check(planted([1.0], rigorous=True), level="sampled").evidence.level == "sampled"
    proved = check(planted([1.0], rigorous=True), level="certified")
    assert proved.proved and proved.evidence.certified_fraction == 1.0
    weak = check(planted([1.0]), level="certified")
    assert weak.status == "open" and not weak.proved and "no proof" in weak.evidence.words


def test_bad_cases_are_named():
    with pytest.raises(ValueError, match="quantifier"):
        planted([1.0], "most")
    with pytest.raises(ValueError, match="points"):
        planted([])
    broken = planted([1.0, "one"])
    with pytest.raises(ClaimError, match=r"planted.*case"):
        check(broken)
    with pytest.raises(ClaimError, match="planted"):
        recheck(planted([1.0], exact=["?"]), {"case": 0.0})
    with pytest.raises(ClaimError, match="case by case"):
        by_cases(None, None)
