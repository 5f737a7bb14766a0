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

    assert implied.passing(protocol) == pytest.approx(0.5, abs=0.02)


def test_the_rate_is_thinned_by_criteria_consent_and_withdrawal() -> None:
    protocol = small("assumptions.recruitment.consent=0.5", "assumptions.screening.withdraws=0.2")

    assert implied.randomised_per_month(protocol, 0.25) == pytest.approx(10 * 0.25 * 0.5 * 0.8)


def test_screening_ends_as_the_model_has_it() -> None:
    ends = implied.screening_ends(
        small("assumptions.screening.withdraws=0.2", "design.trial.target=none")
    )

    assert ends is not None
    assert ends.failed == 0
    assert ends.withdrew == pytest.approx(0.2, abs=0.04)


def test_there_is_no_share_of_nobody() -> None:
    assert implied.screening_ends(small("assumptions.recruitment.consent=0")) is None


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
