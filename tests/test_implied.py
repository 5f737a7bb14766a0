"""What a scenario implies, against what can be worked out by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.experiments import implied
from sim.scenario.interpret import interpret
from sim.scenario.load import load
from sim.scenario.protocol import Protocol

SMALL = Path(__file__).parent / "small.yaml"


def small(*overrides: str) -> Protocol:
    return interpret(load(SMALL, overrides))


def test_half_of_the_candidates_pass_a_criterion_at_the_median() -> None:
    protocol = small(
        "design.eligibility.adult.age.at_least=40", "assumptions.patients.age.low=null"
    )

    assert implied.passing(implied.candidates(protocol)) == pytest.approx(0.5, abs=0.02)


def test_the_rate_is_thinned_by_criteria_consent_and_withdrawal() -> None:
    protocol = small("assumptions.recruitment.consent=0.5", "assumptions.screening.withdraws=0.2")

    assert implied.randomised_per_month(protocol, 0.25) == pytest.approx(10 * 0.25 * 0.5 * 0.8)


def test_the_expected_number_is_the_rate_over_the_days_of_recruitment() -> None:
    """March to May 2023 are 92 days, of which half a rate in 31; screening takes the last 20.

    With them go 45 minutes of work: chart, blood and call.
    """
    protocol = small(
        "assumptions.recruitment.consent=0.5",
        "assumptions.screening={withdraws: 0.2, contact_days: 5, lab_days: 7, work_up_days: 8}",
        "assumptions.recruitment.disruptions.slow={from: 2023-03-01, to: 2023-03-31, times: 0.5}",
        "design.eligibility=null",
    )
    expected, error = implied.expected_randomised(protocol, implied.candidates(protocol))
    days = 92 - 31 / 2 - 20 - 45 / 1440

    assert expected == pytest.approx(10 * 0.5 * 0.8 * days / 30.4375)
    assert error == 0


def test_nobody_is_expected_when_screening_takes_longer_than_recruitment() -> None:
    protocol = small("assumptions.screening={lab_days: 93}")

    assert implied.expected_randomised(protocol, implied.candidates(protocol)) == (0, 0)


def test_blood_that_is_too_old_is_waited_for_again() -> None:
    """Eight days of work-up make results of nine days too old: two more days and 15 minutes."""
    waits = "assumptions.screening={lab_days: 2, work_up_days: 8, valid_for_days: 9}"
    (candidate,) = implied.candidates(small(waits), 1)

    assert candidate.randomised == pytest.approx(12 * 1440 + 45 + 15)


def test_a_visit_takes_its_time_from_those_who_withdraw() -> None:
    """Half fail when half of the time from consent to the call has passed, at the visit's end."""
    protocol = small(
        "design.eligibility={adult: null, visit: {at: visit, without: b}}",
        "assumptions.patients.b={probability: 0.5}",
        "design.visits.screening_visit=[discuss_consent, examine, draw_blood]",
        "design.tasks={discuss_consent: [], examine: []}",
        "assumptions.durations_minutes={discuss_consent: 60, examine: 105}",
        f"assumptions.screening={{withdraws: 0.4, lab_days: {2 / 24}}}",
    )
    *_, (_, (withdrawn, _)) = implied.step_failures(protocol, implied.candidates(protocol))

    assert withdrawn == pytest.approx(0.4 * (0.5 + 0.5 * 0.5), abs=0.01)


def test_shares_failing_are_those_of_who_reaches_the_step() -> None:
    """Half fail on the chart; of the others 0.2 at the visit and then 0.5 in the laboratory.

    A withdrawal comes first with all who pass and, where the laboratory takes half of the time,
    with half of those who fail there.
    """
    protocol = small(
        "design.eligibility={adult: null, chart: {at: chart, without: a}, "
        "visit: {at: visit, without: b}, labs: {at: labs, without: c}}",
        "assumptions.patients.a={probability: 0.5}",
        "assumptions.patients.b={probability: 0.2}",
        "assumptions.patients.c={probability: 0.5}",
        "assumptions.recruitment.consent=0.7",
        "assumptions.screening={withdraws: 0.1, lab_days: 4, work_up_days: 4}",
    )
    failures = implied.step_failures(protocol, implied.candidates(protocol))
    shares = {step: share for step, (share, _) in failures}

    assert [*shares] == ["chart", "consent", "visit", "labs", "withdrawal"]
    assert shares["chart"] == pytest.approx(0.5, abs=0.03)
    assert shares["consent"] == pytest.approx(0.3)
    assert shares["visit"] == pytest.approx(0.2, abs=0.03)
    assert shares["labs"] == pytest.approx(0.5, abs=0.04)
    assert shares["withdrawal"] == pytest.approx(0.1 * 0.8 * (0.5 + 0.5 * 0.5), abs=0.005)


def test_overhead_is_its_share_of_all_the_hours_worked() -> None:
    """A candidate costs 45 minutes and two visits of half an hour; so much again is overhead."""
    busy = ("design.trial.target=none", "assumptions.leaving={}", "design.eligibility={}")
    (overhead,) = implied.simulated(small(*busy, "assumptions.overhead.nurse=0.5")).overhead

    candidates, weeks = 10 * 92 / 30.4375, 122 / 7
    assert overhead.role == "nurse"
    assert abs(overhead.hours - candidates * (0.75 + 1) / weeks) < 3 * overhead.error
    assert 0 < overhead.error < 0.2
    assert not implied.simulated(small(*busy)).overhead


def test_screening_ends_as_the_model_has_it() -> None:
    changes = ("assumptions.screening.withdraws=0.2", "design.trial.target=none")
    ends = implied.simulated(small(*changes)).screening

    assert ends is not None
    assert ends.failed == 0
    assert ends.withdrew == pytest.approx(0.2, abs=0.04)


def test_there_is_no_share_of_nobody() -> None:
    assert implied.simulated(small("assumptions.recruitment.consent=0")).screening is None


def test_dropout_by_the_last_visit_compounds_all_reasons() -> None:
    two_reasons = "assumptions.leaving.moves={by_week: 4, share: {active: 0.19}}"
    active, control = implied.dropout(small(two_reasons))

    assert (active.arm, active.by_week, control.by_week) == ("active", 2, 2)
    assert active.share == pytest.approx(1 - 0.9 * 0.81**0.5)
    assert control.share == pytest.approx(0.1)


def test_hours_a_week_are_those_of_the_roster() -> None:
    scenario = load(
        SMALL, ["design.staff.nurse.hours={mon: '08:00-12:00', fri-sat: '09:00-10:30'}"]
    )

    assert list(implied.full_time(scenario)) == [("nurse", 7.0, 1, False)]


def test_hours_of_a_roster_that_changes_are_the_mean_of_the_trial() -> None:
    """March to June 2023 are 122 days: two people in May and June, three days with nobody."""
    scenario = load(
        SMALL,
        [
            "design.staff.nurse.hours=20",
            "design.staff.nurse.changes=[{from: 2023-05-01, people: 2, hours: 30}]",
            "design.staff.nurse.away=[{from: 2023-03-06, to: 2023-03-08}]",
        ],
    )
    ((_, hours, people, is_mean),) = implied.full_time(scenario)

    assert is_mean
    assert people != "unlimited"
    assert people == pytest.approx((58 + 2 * 61) / 122)
    assert hours * people == pytest.approx((58 * 20 + 2 * 61 * 30) / 122)


def test_unlimited_people_stay_unlimited() -> None:
    scenario = load(
        SMALL, ["design.staff.nurse={people: unlimited, hours: 20, away: [2023-03-06]}"]
    )

    assert list(implied.full_time(scenario)) == [("nurse", 20 * 121 / 122, "unlimited", True)]
