"""Stories: one person, nothing left to chance, one equality on the log."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from ruamel.yaml import YAML

from sim.model.chance import Chance
from sim.model.participant import journey
from sim.model.trial import Trial
from sim.results.measures import measure
from sim.scenario.interpret import interpret
from sim.scenario.protocol import Protocol
from sim.scenario.schema import Scenario
from sim.vocabulary.eventlog import EventLog, Milestone, Movement, VisitOutcome

SYNOPSIS = """
scenario: story
design:
  trial: {opens: 2024-03-04, closes: 2024-12-31, target: 40}   # a Monday
  places: {clinic: {days: [mon, tue, wed, thu, fri]}}
  staff:
    coordinator: {hours: {mon-fri: "08:00-17:00"}}
    nurse: {hours: {mon-sun: "08:00-08:01"}}
  rooms: {bed: {hours: {mon-sun: "08:00-18:00"}}}
  eligibility:
    adult: {at: chart, age: {at_least: 18}}
    healthy: {at: visit, without: comorbidity}
    proteinuria: {at: labs, upcr: {above: 1.0}}
  arms: {only: {product: cells}}
  products: {cells: {dose: 2.0, per: kg}}
  schedule:
    infusion: {arms: [only], at: {clinic: infusion}, day: 1, window_days: [0, 7]}
    week_1: {at: {clinic: check}, day: 8, window_days: [-1, 1]}
  visits:
    chart_review: [read_chart]
    screening_visit: [discuss_consent, draw_blood, {later: enter_data}]
    eligibility_call: [randomise]
    infusion: [infuse]
    check: [look]
  tasks:
    read_chart: [coordinator]
    discuss_consent: [coordinator]
    draw_blood: [coordinator]
    enter_data: [coordinator]
    randomise: [coordinator]
    infuse: [bed]
    look: [nurse]
assumptions:
  recruitment: {candidates_per_month: 1}
  patients: {age: 30, weight_kg: 50, upcr: 2.0, comorbidity: {probability: 0}}
  screening: {contact_days: 1, lab_days: 2, work_up_days: 3}
  to_first_dose_days: {only: 4}
  durations_minutes:
    {read_chart: 20, discuss_consent: 30, draw_blood: 10, enter_data: 60, randomise: 15,
     infuse: 40, look: 25}
"""

KEPT_TOO_LONG = {
    "design.rooms.bed.hours": {"mon-fri": "08:00-10:00"},
    "design.staff.cell_lab": {"people": 2},
    "design.visits.infusion": ["prepare", "infuse"],
    "design.tasks.prepare": ["cell_lab"],
    "design.products.cells.use_within_minutes": 90,
    "design.products.cells.order_ahead_days": 4,
    "assumptions.durations_minutes.prepare": 100,
    "assumptions.durations_minutes.infuse": 300,
}
"""Changes by which a dose waits for the bed until it is too old, if somebody else is infused."""


def told(changes: dict[str, Any] | None = None, arrival: float = 540.0) -> Trial:
    """Return the trial after one person, who came at `arrival` (Monday 09:00), went through it."""
    trial = Trial(protocol(changes or {}), seed=1, replication=1)
    trial.agenda.begin(journey(0, arrival, trial))
    trial.agenda.run(until=trial.protocol.clock.end_minutes)
    trial.close()
    return trial


def protocol(changes: dict[str, Any]) -> Protocol:
    """Return the synopsis with some paths (`design.trial.target`) set to other values."""
    written = YAML(typ="safe").load(SYNOPSIS)
    for path, value in changes.items():
        *parents, key = path.split(".")
        place = written
        for parent in parents:
            place = place.setdefault(parent, {})
        place[key] = value
    return interpret(Scenario.model_validate(written))


def day(text: str) -> date:
    return date.fromisoformat(text)


def milestones(trial: Trial) -> list[str]:
    """Return what happened, as `RANDOMISED Mon 11 08:00`."""
    return [
        f"{milestone.name} {instant(trial, time)}"
        for _, time, milestone, _ in trial.log.moments
        if milestone is not Milestone.JUDGED
    ]


def visits(log: EventLog) -> list[tuple[str, int, str, str]]:
    """Return row, number, outcome and reason of every visit of the schedule."""
    return [
        (visit.row, visit.number, visit.outcome, visit.reason)
        for visit in log.visits
        if visit.is_in_schedule
    ]


def instant(trial: Trial, minutes: float) -> str:
    date_of = trial.protocol.clock.date_of
    return f"{date_of(minutes):%a %d} {int(minutes % 1440) // 60:02}:{int(minutes % 60):02}"


def test_a_participant_completes() -> None:
    trial = told()
    # Seen on Tuesday at an hour of their own; results on Thursday, called on Sunday and so, as
    # nobody works then, randomised on Monday; the dose planned on Friday; a week later the check.
    assert [line.rsplit(" ", 1)[0] for line in milestones(trial)] == [
        "CANDIDATE Mon 04",
        "CONSENTED Tue 05",
        "SCREENED Tue 05",
        "RANDOMISED Mon 11",
        "DOSE Fri 15",
        "DAY_1 Fri 15",
        "COMPLETED Fri 22",
    ]
    assert milestones(trial)[0] == "CANDIDATE Mon 04 09:00"
    assert milestones(trial)[3] == "RANDOMISED Mon 11 08:15"
    assert milestones(trial)[-1] == "COMPLETED Fri 22 08:25"
    assert visits(trial.log) == [
        ("infusion", 1, VisitOutcome.ON_THE_DAY, ""),
        ("week_1", 1, VisitOutcome.ON_THE_DAY, ""),
    ]
    doses = [detail for _, _, milestone, detail in trial.log.moments if milestone is Milestone.DOSE]
    assert doses == [(0, 100.0)]


def test_the_chart_waits_for_the_coordinator_and_the_desk_for_everybody() -> None:
    trial = told(arrival=18 * 60.0)  # Monday evening
    work = [(each.task, each.is_desk, instant(trial, each.due), instant(trial, each.started))
            for each in trial.log.work]  # fmt: skip
    assert work[0] == ("read_chart", False, "Mon 04 18:00", "Tue 05 08:00")
    consent, blood = work[1:3]
    assert consent[0] == "discuss_consent"
    assert consent[2] == blood[2]  # all work of a visit falls due when the person comes
    assert ("enter_data", True) in [(task, desk) for task, desk, _, _ in work]


def test_who_fails_on_the_chart_is_never_contacted() -> None:
    trial = told({"assumptions.patients.age": 17})
    assert milestones(trial) == ["CANDIDATE Mon 04 09:00", "NOT_ELIGIBLE_ON_CHART Mon 04 09:20"]
    assert [work.task for work in trial.log.work] == ["read_chart"]


def test_declining_ends_the_visit() -> None:
    trial = told({"assumptions.recruitment.consent": 0})
    assert [line.split()[0] for line in milestones(trial)] == ["CANDIDATE", "NOT_CONSENTING"]
    assert [work.task for work in trial.log.work] == ["read_chart", "discuss_consent"]


def test_of_two_talks_the_last_decides_and_too_old_blood_is_all_drawn_again() -> None:
    visit = ["discuss_consent", "draw_blood", "discuss_consent", "draw_blood"]
    twice = {"design.visits.screening_visit": visit}
    declined = told({**twice, "assumptions.recruitment.consent": 0})
    assert [work.task for work in declined.log.work] == ["read_chart", *visit[:3]]
    consents = told({**twice, "assumptions.screening.valid_for_days": 5})
    tasks = [work.task for work in consents.log.work]
    assert tasks[1:7] == [*visit, "draw_blood", "draw_blood"]
    consented = next(line for line in milestones(consents) if line.startswith("CONSENTED"))
    second_talk = consents.log.work[3]
    assert consented == f"CONSENTED {instant(consents, second_talk.ended)}"


def test_a_task_named_twice_takes_two_durations_at_the_visit_and_at_the_desk() -> None:
    law = {"family": "exponential", "mean": 10}
    visit = ["draw_blood", "draw_blood", {"later": "enter_data"}, "enter_data",
             {"later": "enter_data"}]  # fmt: skip
    trial = told(
        {
            "design.visits.screening_visit": visit,
            "assumptions.durations_minutes.draw_blood": law,
            "assumptions.durations_minutes.enter_data": law,
        }
    )
    drawn, entered = (
        [(work.is_desk, work.minutes) for work in trial.log.work if work.task == task]
        for task in ("draw_blood", "enter_data")
    )
    assert len({minutes for _, minutes in drawn}) == 2
    assert sorted(desk for desk, _ in entered) == [False, True, True]
    assert len({minutes for _, minutes in entered}) == 3
    once = told({"assumptions.durations_minutes.draw_blood": law})
    assert drawn[0] in [(work.is_desk, work.minutes) for work in once.log.work]


def test_failures_at_the_visit_and_in_the_laboratory() -> None:
    at_visit = told({"assumptions.patients.comorbidity.probability": 1})
    assert milestones(at_visit)[-1].startswith("SCREEN_FAILED Tue 05")
    in_laboratory = told({"assumptions.patients.upcr": 1.0})  # above means above
    assert milestones(in_laboratory)[-1].startswith("SCREEN_FAILED Thu 07")
    assert in_laboratory.log.moments[-1].detail == 2


def test_who_fails_several_criteria_is_judged_on_all_that_are_left() -> None:
    trial = told(
        {
            "assumptions.patients.comorbidity.probability": 1,
            "assumptions.patients.upcr": 0.5,
        }
    )
    judged = [
        detail for _, _, milestone, detail in trial.log.moments if milestone is Milestone.JUDGED
    ]
    assert judged == [("chart", (1, 2)), ("visit", (1, 2))]


def test_old_blood_is_drawn_again_but_not_judged_again() -> None:
    trial = told({"assumptions.screening.valid_for_days": 5})
    tasks = [work.task for work in trial.log.work if not work.is_desk]
    assert tasks == ["read_chart", "discuss_consent", "draw_blood", "draw_blood", "randomise",
                     "infuse", "look"]  # fmt: skip
    # Drawn again on Monday; results on Wednesday.
    assert milestones(trial)[3].startswith("RANDOMISED Wed 13")


def test_nobody_is_randomised_after_the_last_day_of_recruitment() -> None:
    late = told({"design.trial.recruits_until": day("2024-03-10")})
    assert [line.split()[0] for line in milestones(late)][-1] == "SCREENED"
    in_time = told({"design.trial.recruits_until": day("2024-03-11")})
    assert "COMPLETED" in milestones(in_time)[-1]


def test_the_team_taken_all_day_puts_a_visit_off() -> None:
    trial = Trial(protocol({"design.rooms.bed.hours": {"mon-fri": "08:00-08:01"}}), 1, 1)
    for person in range(2):  # both are to have the bed at 08:00 of the same Friday
        trial.agenda.begin(journey(person, 540.0, trial))
    trial.agenda.run(until=trial.protocol.clock.end_minutes)
    infusions = [
        (visit.person, instant(trial, visit.time), visit.wait)
        for visit in trial.log.visits
        if visit.row == "infusion"
    ]
    assert infusions == [(0, "Fri 15 08:00", 0.0), (1, "Mon 18 08:00", 3 * 1440.0)]


def test_a_shift_that_ends_during_an_infusion_is_worked_over_and_nobody_is_lost() -> None:
    changes = {"design.rooms.bed.hours": {"mon-fri": "08:00-08:30"}}
    trial = Trial(protocol(changes), 1, 1)
    for person in range(2):  # both are to have the bed on the same Friday
        trial.agenda.begin(journey(person, 540.0, trial))
    trial.agenda.run(until=trial.protocol.clock.end_minutes)
    trial.close()
    infusions = [work for work in trial.log.work if work.task == "infuse"]
    assert [instant(trial, each.started)[:6] for each in infusions] == ["Fri 15", "Mon 18"]
    assert [each.minutes for each in infusions] == [40.0, 40.0]
    over = [each.ended % 1440 - 510 for each in infusions]
    assert all(minutes > 0 for minutes in over)
    overtime = measure(trial.log, trial.protocol)["bed_overtime_hours"]
    assert overtime == pytest.approx(sum(over) / 60)
    assert [visit for visit in visits(trial.log) if visit[0] == "infusion"] == [
        ("infusion", 1, VisitOutcome.ON_THE_DAY, ""),
        ("infusion", 1, VisitOutcome.MOVED, "room"),
    ]
    ends = [moment.milestone for moment in trial.log.moments]
    assert ends.count(Milestone.COMPLETED) == 2


def test_the_end_of_the_run_cuts_follow_up() -> None:
    trial = told({"design.trial.closes": day("2024-03-21")})
    assert milestones(trial)[-1].startswith("DAY_1")


def test_who_leaves_before_the_next_visit_has_left() -> None:
    leaving = {"withdraws": {"share": {"1": 0, "2": 0.999999}}}
    trial = told({"assumptions.leaving": leaving})
    assert milestones(trial)[-1].startswith("LEFT Mon 18")
    assert visits(trial.log) == [("infusion", 1, VisitOutcome.ON_THE_DAY, "")]


def test_who_leaves_before_day_1_is_not_given_what_was_ordered() -> None:
    leaving = {"withdraws": {"by_week": 0.01, "share": 0.999999}}
    trial = told({"assumptions.leaving": leaving, "design.products.cells.order_ahead_days": 2})
    assert milestones(trial)[-1].startswith("LEFT Mon 11")
    assert not visits(trial.log)
    assert [each.movement for each in trial.log.supplies] == [Movement.NOT_GIVEN]


def test_who_stops_before_day_1_is_followed_from_the_day_planned_for_it() -> None:
    stops = {"by_week": 0.01, "share": 0.999999}
    trial = told({"assumptions.stops_treatment": stops})
    assert [line.split()[0] for line in milestones(trial)[-3:]] == [
        "RANDOMISED",
        "STOPPED_TREATMENT",
        "COMPLETED",
    ]
    assert visits(trial.log) == [("week_1", 1, VisitOutcome.ON_THE_DAY, "")]


FIRST = {"at": {"clinic": "check"}, "day": 1, "window_days": [0, 7]}
WEEK_1 = {"at": {"clinic": "check"}, "day": 8, "window_days": [-1, 1]}
NOTHING_GIVEN = {
    "design.schedule": {"week_1": WEEK_1, "first": FIRST},
    "design.staff.nurse.hours": {"mon-fri": "08:00-18:00"},
}


@pytest.mark.parametrize(("days", "day_1"), [(0, "Mon 11"), (4, "Fri 15")])
def test_an_arm_without_doses_begins_with_its_visit_on_day_1(days: int, day_1: str) -> None:
    trial = told({**NOTHING_GIVEN, "assumptions.to_first_dose_days": {"only": days}})
    assert f"DAY_1 {day_1}" in {line.rsplit(" ", 1)[0] for line in milestones(trial)}
    assert [row for row, *_ in visits(trial.log)] == ["first", "week_1"]


def test_day_1_moves_with_the_first_visit_of_an_arm_without_doses() -> None:
    trial = told({**NOTHING_GIVEN, "design.places.clinic.closures": [day("2024-03-15")]})
    assert visits(trial.log) == [
        ("first", 1, VisitOutcome.MOVED, "closed"),
        ("week_1", 1, VisitOutcome.ON_THE_DAY, ""),
    ]
    assert milestones(trial)[-1].startswith("COMPLETED Mon 25")


def test_a_first_visit_missed_leaves_day_1_where_it_was_planned() -> None:
    first = {**FIRST, "at": {"clinic": "infusion"}}
    missed = {"assumptions.attendance": {"infusion": {"missed": 1}}}
    trial = told({**NOTHING_GIVEN, "design.schedule.first": first, **missed})
    assert visits(trial.log)[0] == ("first", 1, "missed", "did_not_come")
    assert "DAY_1" not in " ".join(milestones(trial))
    assert milestones(trial)[-1].startswith("COMPLETED Fri 22")


def test_who_is_never_dosed_leaves_like_anybody_else() -> None:
    trial = told(
        {
            "assumptions.attendance": {"infusion": {"missed": 1}},
            "assumptions.leaving": {"withdraws": {"share": {"1": 0, "2": 0.999999}}},
        }
    )
    assert milestones(trial)[-1].startswith("LEFT Mon 18")


@pytest.mark.parametrize(("minutes_after_its_start", "ends"), [(-1, "LEFT"), (1, "COMPLETED")])
def test_who_leaves_in_the_middle_of_a_visit_has_attended_it(
    minutes_after_its_start: int, ends: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    only_visit = {
        "design.schedule": {"infusion": {"arms": ["only"], "at": {"clinic": "infusion"}, "day": 1}}
    }
    (visit,) = [each for each in told(only_visit).log.visits if each.arm == 0]
    leaves = (visit.time + minutes_after_its_start, "withdraws")
    monkeypatch.setattr(Chance, "leaves", lambda *_: leaves)
    assert milestones(told(only_visit))[-1].startswith(f"{ends} Fri 15")


def test_who_never_comes_for_a_dose_is_followed_from_the_day_planned_for_it() -> None:
    trial = told({"assumptions.attendance": {"infusion": {"missed": 1}}})
    assert visits(trial.log) == [
        ("infusion", 1, "missed", "did_not_come"),
        ("week_1", 1, VisitOutcome.ON_THE_DAY, ""),
    ]
    assert "DAY_1" not in " ".join(milestones(trial))
    randomised = next(time for _, time, what, _ in trial.log.moments if what.name == "RANDOMISED")
    planned_day = trial.log.visits[-1].planned_day
    assert planned_day == int(randomised // 1440 + 4) + 7


def test_a_missed_visit_is_not_made_up() -> None:
    trial = told({"assumptions.attendance": {"check": {"missed": 1}}})
    assert visits(trial.log)[-1] == ("week_1", 1, "missed", "did_not_come")
    assert milestones(trial)[-1].startswith("COMPLETED")


def test_a_late_participant_is_seen_out_of_window() -> None:
    trial = told({"assumptions.attendance": {"check": {"early_or_late_days": 2}}})
    # Due on Friday, comes on Sunday, is seen on Monday: the window ended on Saturday.
    assert visits(trial.log)[-1] == ("week_1", 1, "out_of_window", "participant")
    assert milestones(trial)[-1].startswith("COMPLETED Mon 25")


def test_a_closure_moves_a_visit_inside_its_window_and_else_out_of_it() -> None:
    inside = told({"design.places.clinic.closures": [day("2024-03-22")]})
    assert visits(inside.log)[-1] == ("week_1", 1, VisitOutcome.MOVED, "closed")
    assert milestones(inside)[-1].startswith("COMPLETED Thu 21")
    closed = {"from": day("2024-03-21"), "to": day("2024-03-22")}
    outside = told({"design.places.clinic.closures": [closed]})
    assert visits(outside.log)[-1] == ("week_1", 1, "out_of_window", "closed")
    missed = told({"design.places.clinic.closures": [closed],
                   "design.schedule.week_1.after_window": "miss"})  # fmt: skip
    assert visits(missed.log)[-1] == ("week_1", 1, "missed", "closed")


def last_begun(trial: Trial) -> str:
    """Return when the last visit of the schedule was begun."""
    return instant(trial, [each.time for each in trial.log.visits if each.is_in_schedule][-1])


AFTERNOON = {"design.staff.nurse.hours": {"mon-sun": "08:00-08:01, 14:00-14:01"}}
FRIDAY = day("2024-03-22")


def test_a_place_shut_for_hours_holds_visits_at_its_other_hours() -> None:
    for hours, begun in (("08:00-12:00", "Fri 22 14:00"), ("12:00-24:00", "Fri 22 08:00")):
        closure = {"on": FRIDAY, "hours": hours}
        trial = told({**AFTERNOON, "design.places.clinic.closures": [closure]})
        assert visits(trial.log)[-1] == ("week_1", 1, VisitOutcome.ON_THE_DAY, "")
        assert last_begun(trial) == begun


def test_a_task_begun_before_the_closing_is_finished_and_none_is_begun_after_it() -> None:
    """The infusion of 40 minutes begins at 08:00 or later; the look after it needs the nurse."""
    closure = {"on": FRIDAY, "hours": "08:01-24:00"}
    trial = told({"design.places.clinic.closures": [closure]})
    assert visits(trial.log)[-1] == ("week_1", 1, VisitOutcome.ON_THE_DAY, "")
    assert milestones(trial)[-1] == "COMPLETED Fri 22 08:25"

    two_tasks = {"design.visits.check": ["look", "look_again"], "design.tasks.look_again": [],
                 "assumptions.durations_minutes.look_again": 5}  # fmt: skip
    trial = told({**two_tasks, "design.places.clinic.closures": [closure]})
    assert visits(trial.log)[-1] == ("week_1", 1, VisitOutcome.MOVED, "closed")


def test_a_place_may_be_open_on_a_holiday_and_on_a_weekday_on_which_it_is_shut() -> None:
    holiday = {"design.places.clinic.country": "VA", "design.schedule.week_1.day": 5}
    assert visits(told(holiday).log)[-1] == ("week_1", 1, VisitOutcome.MOVED, "holiday")
    saturday = {"design.schedule.week_1.day": 9}
    assert visits(told(saturday).log)[-1] == ("week_1", 1, VisitOutcome.MOVED, "closed")
    for changes, opened in ((holiday, "2024-03-19"), (saturday, "2024-03-23")):
        opening = {"on": day(opened), "hours": "07:00-09:00"}
        trial = told({**changes, "design.places.clinic.openings": [opening]})
        assert visits(trial.log)[-1] == ("week_1", 1, VisitOutcome.ON_THE_DAY, "")


def test_who_is_away_for_an_hour_is_there_for_the_rest_of_the_day() -> None:
    for hours, begun in (("07:00-12:00", "Fri 22 14:00"), ("12:00-18:00", "Fri 22 08:00")):
        absence = {"on": FRIDAY, "hours": hours}
        trial = told({**AFTERNOON, "design.staff.nurse.away": [absence]})
        assert last_begun(trial) == begun


def test_if_one_of_two_is_away_for_hours_the_other_sees_people() -> None:
    changes = {"design.staff.nurse.people": 2, "design.staff.nurse.away": [
        {"on": FRIDAY, "hours": "07:00-12:00", "people": 1}]}  # fmt: skip
    trial = told(changes)
    assert visits(trial.log)[-1] == ("week_1", 1, VisitOutcome.ON_THE_DAY, "")
    assert trial.protocol.resources[1].levels[1:3] == ((26340, 1), (26640, 2))


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"design.schedule.week_1.day": 9}, "closed"),  # a Saturday
        ({"design.places.clinic.closures": [{"on": day("2024-03-22"), "hours": "07:00-09:00"}]},
         "closed"),
        ({"design.places.clinic.closures": [day("2024-03-22")]}, "closed"),
        ({"design.places.clinic.country": "VA", "design.schedule.week_1.day": 5}, "holiday"),
        ({"design.staff.nurse.away": [day("2024-03-22")]}, "staff"),
        ({"design.staff.nurse.hours": {"mon-thu": "08:00-08:01", "sat": "08:00-08:01"}}, "staff"),
        ({"design.tasks.look": ["nurse", "bed"],
          "design.rooms.bed.closures": [day("2024-03-22")]}, "room"),
        ({"assumptions.attendance": {"check": {"early_or_late_days": -1}}}, "participant"),
    ],
)  # fmt: skip
def test_a_move_inside_the_window_has_its_cause(changes: dict[str, Any], cause: str) -> None:
    """Planned for Friday 22; in the Vatican, Tuesday 19 is Saint Joseph's."""
    trial = told(changes)
    assert visits(trial.log)[-1] == ("week_1", 1, VisitOutcome.MOVED, cause)


def test_a_late_first_dose_moves_everything_after_it() -> None:
    trial = told({"design.products.cells.order_ahead_days": 14})
    assert visits(trial.log)[0] == ("infusion", 1, "out_of_window", "product")
    assert [line.rsplit(" ", 1)[0] for line in milestones(trial)[-2:]] == [
        "DAY_1 Mon 25",
        "COMPLETED Mon 01",
    ]


def test_the_week_has_no_preparation_left() -> None:
    trial = Trial(protocol({"design.products.cells.doses_per_week": 1}), 1, 1)
    for person in range(2):
        trial.agenda.begin(journey(person, 540.0, trial))
    trial.agenda.run(until=trial.protocol.clock.end_minutes)
    days = [instant(trial, time)[:6] for _, time, milestone, _ in trial.log.moments
            if milestone is Milestone.DAY_1]  # fmt: skip
    assert days == ["Fri 15", "Mon 18"]


def test_a_dose_that_waits_too_long_is_discarded_and_ordered_again() -> None:
    # Both come between 08:00 and 08:20 and both doses are begun, as the bed is still free; it is
    # not when the second one is ready.
    trial = Trial(protocol(KEPT_TOO_LONG), 1, 1)
    for person in range(2):
        trial.agenda.begin(journey(person, 540.0, trial))
    trial.agenda.run(until=trial.protocol.clock.end_minutes)
    days = [(work.task, instant(trial, work.started)[:6]) for work in trial.log.work
            if work.task in ("prepare", "infuse")]  # fmt: skip
    assert days == [("prepare", "Fri 15"), ("prepare", "Fri 15"), ("infuse", "Fri 15"),
                    ("prepare", "Tue 19"), ("infuse", "Tue 19")]  # fmt: skip
    doses = [moment for moment in trial.log.moments if moment.milestone is Milestone.DOSE]
    assert len(doses) == 2


def test_a_row_of_an_arm_that_gives_nothing_is_no_dose_and_outlasts_treatment() -> None:
    call = {"arms": ["only"], "at": {"clinic": "check"}, "day": 8, "gives": []}
    stops = {"share": {"1": 0, "2": 0.999999}}
    trial = told({"design.schedule.week_1": call, "assumptions.stops_treatment": stops})
    assert visits(trial.log)[-1] == ("week_1", 1, VisitOutcome.ON_THE_DAY, "")
    assert [moment.milestone for moment in trial.log.moments].count(Milestone.DOSE) == 1


def test_two_visits_on_one_day_at_one_place_are_one_trip() -> None:
    trial = told(
        {
            "design.staff.nurse.hours": {"mon-fri": "08:00-12:00"},
            "design.schedule.week_1.day": 1,
        }
    )
    dose, check = trial.log.visits[-2:]
    assert (dose.row, check.row) == ("infusion", "week_1")
    assert check.time >= dose.time + 40
    assert [dose.is_journey, check.is_journey] == [True, False]
    assert trial.protocol.clock.date_of(dose.time) == trial.protocol.clock.date_of(check.time)


def test_turned_away_when_full() -> None:
    for rule, fate in (("turn_away", "TURNED_AWAY"), ("finish_screening", "RANDOMISED")):
        trial = Trial(protocol({"design.trial.target": 1, "design.trial.when_full": rule}), 1, 1)
        for person, arrival in enumerate((540.0, 560.0)):
            trial.agenda.begin(journey(person, arrival, trial))
        trial.agenda.run(until=trial.protocol.clock.end_minutes)
        second = [milestone.name for person, _, milestone, _ in trial.log.moments if person == 1]
        assert fate in second
        assert (fate == "RANDOMISED") == ("COMPLETED" in second)


def test_who_has_not_consented_when_the_trial_is_full_is_turned_away() -> None:
    trial = Trial(protocol({"design.trial.target": 1}), 1, 1)
    for person, arrival in enumerate((540.0, 6.5 * 1440)):  # read on Monday, seen after it is full
        trial.agenda.begin(journey(person, arrival, trial))
    trial.agenda.run(until=trial.protocol.clock.end_minutes)
    second = [milestone.name for person, _, milestone, _ in trial.log.moments if person == 1]
    assert second == ["CANDIDATE", "JUDGED", "TURNED_AWAY"]
    assert not [work for work in trial.log.work if work.person == 1 and work.task != "read_chart"]
