"""Visits that can never be held are refused, and no others: `check` and a run agree."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from sim.scenario.feasibility import never_held
from sim.scenario.interpret import interpret
from sim.scenario.load import ScenarioError, load, shipped
from sim.scenario.schema import Scenario
from sim.scenario.slots import NEVER_DAY
from sim.vocabulary.clock import WEEKDAYS
from tests.toys import toy

BASELINE = shipped() / "baseline.yaml"
ROLES = ("carer", "doctor")

HOURS = st.one_of(
    st.just("always"),
    st.dictionaries(
        st.sampled_from(WEEKDAYS),
        st.sampled_from(
            ["08:00-12:00", "13:00-17:00", "08:00-12:00, 13:00-16:30", "22:00-06:00", "18:00-07:30"]
        ),
        max_size=4,
    ),
)
MINUTES = st.one_of(st.integers(0, 300), st.sampled_from([239.5, 720, 1440, 3 * 1440]))
TEAMS = st.lists(st.sampled_from(ROLES), unique=True, max_size=2)


def trial(
    hours: Mapping[str, Any],
    days: tuple[str, ...],
    teams: list[list[str]],
    minutes: list[float],
    **design: Any,  # noqa: ANN401 -- as written
) -> Scenario:
    """Return a trial of two months with one dose, whose tasks have these teams and lengths."""
    tasks = [f"task_{number}" for number in range(len(teams))]
    return toy(
        design={
            "trial": {"closes": date(2023, 2, 28)},
            "places": {"ward": {"days": days}},
            "staff": {role: {"hours": each} for role, each in hours.items()},
            "schedule": {"dose": {"arms": ["one"], "at": {"ward": "dose"}, "day": 1}},
            "visits": {"dose": tasks},
            "tasks": dict(zip(tasks, teams, strict=True)),
            **design,
        },
        assumptions={"durations_minutes": dict(zip(tasks, minutes, strict=True))},
    )


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    hours=st.fixed_dictionaries(dict.fromkeys(ROLES, HOURS)),
    days=st.lists(st.sampled_from(WEEKDAYS), unique=True, min_size=1, max_size=5).map(tuple),
    tasks=st.lists(st.tuples(TEAMS, MINUTES), min_size=1, max_size=3),
)
def test_what_is_refused_has_no_possible_day_and_what_is_not_has_one(
    hours: dict[str, Any], days: tuple[str, ...], tasks: list[tuple[list[str], float]]
) -> None:
    scenario = trial(hours, days, [team for team, _ in tasks], [length for _, length in tasks])
    refused = bool(list(never_held(scenario)))
    slots = interpret(scenario).arms[0].rows[0][0].offer.choices[0]
    is_never = slots.next_on_or_after(0) == NEVER_DAY
    has_team = all(hours[role] for team, _ in tasks for role in team)
    event(f"never: {is_never}, refused: {refused}")

    assert refused == (is_never and has_team)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ["assumptions.durations_minutes.compile_file=600"],
            "design.visits.eligibility_call: eligibility_call takes 10 h",
        ),
        (
            ["assumptions.durations_minutes.discuss_consent=600"],
            "design.visits.screening_visit: screening_visit takes 10 h",
        ),
        (
            [
                "assumptions.durations_minutes.read_chart=600",
                "design.visits.chart_review=[read_chart, randomise]",
            ],
            ("design.visits.chart_review: chart_review takes 10 h from its start to that of "
            "randomise (modal); coordinator"),
        ),
        (
            ["assumptions.durations_minutes.host_monitor=1000"],
            "design.visits.monitoring_visit: monitoring_visit takes 16 h 40 min",
        ),
        (
            ["assumptions.durations_minutes.assess_event=1000"],
            "design.visits.event_visit: event_visit takes 16 h 40 min",
        ),
        (
            ["assumptions.durations_minutes.infuse=700"],
            ("design.visits.msc_infusion: msc_infusion takes 12 h 40 min from its start to that of "
            "observe (modal); cell_lab, nurse, infusion_bed are on duty together for 4 h at most"),
        ),
        (
            ["design.schedule.infusion.at={clinic: msc_infusion, ward: msc_infusion}",
             "design.places.ward.days=[sat, sun]"],
            ("design.schedule.infusion.at.ward: ward is open on sat, sun, the team of msc_infusion "
            "has time on tue, thu"),
        ),
    ],
)  # fmt: skip
def test_a_visit_of_any_kind_that_can_never_be_held_is_refused(
    overrides: list[str], message: str
) -> None:
    with pytest.raises(ScenarioError) as refused:
        load(BASELINE, overrides)

    assert any(message in str(problem) for problem in refused.value.problems), refused.value


def test_blood_that_could_never_be_drawn_again_is_refused_where_it_grows_too_old() -> None:
    """The two draws of the visit are 4 h apart; without what is between them nobody is there."""
    hours = {"carer": {"mon": "08:00-08:05, 12:10-12:15"}, "doctor": {"mon": "08:00-13:00"}}
    screening: dict[str, Any] = {
        "visits": {"dose": ["task_0"], "screening_visit": ["draw_blood", "task_0", "draw_blood"]},
        "tasks": {"task_0": ["doctor"], "draw_blood": ["carer"]},
    }
    written = trial(hours, ("mon",), [["doctor"]], [240], **screening).model_dump(by_alias=True)
    written["assumptions"]["durations_minutes"]["draw_blood"] = 10
    assert not list(never_held(Scenario.model_validate(written)))
    written["assumptions"]["screening"]["valid_for_days"] = 28
    (fault,) = never_held(Scenario.model_validate(written))

    assert fault.what == (
        "repeat_blood takes 10 min from its start to that of draw_blood (modal); "
        "carer is on duty for 5 min at most"
    )


@pytest.mark.parametrize(
    "override",
    [
        "design.staff.nurse.people=0",
        "design.staff.nurse.hours={}",
        "design.rooms.infusion_bed.closures=[{from: 2022-10-01, to: 2025-12-31}]",
        "design.places.clinic.closures=[{from: 2022-10-01, to: 2025-12-31}]",
        "design.places.clinic.days=[]",
        "design.staff.cell_lab.changes=[{from: 2024-01-01, hours: {sat: '08:00-12:00'}}]",
        (
            "design.staff.cell_lab={hours: {sat: '08:00-12:00'}, "
            "changes: [{from: 2024-01-01, hours: {tue: '08:00-12:00'}}]}"
        ),
    ],
)
def test_what_is_closed_away_or_changed_is_no_contradiction(override: str) -> None:
    load(BASELINE, [override])


def test_a_roster_that_the_trial_never_meets_does_not_help() -> None:
    too_late = "changes: [{from: 2026-01-01, hours: {tue: '08:00-12:00'}}]"
    with pytest.raises(ScenarioError, match="never on duty together"):
        load(BASELINE, [f"design.staff.cell_lab={{hours: {{sat: '08:00-12:00'}}, {too_late}}}"])
