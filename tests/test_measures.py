"""Measures of hand-made logs whose answers are known."""

from __future__ import annotations

import math
from datetime import date
from runpy import run_path

import pytest

from sim.results import measures
from sim.results.measures import measure
from sim.vocabulary.clock import Clock
from sim.vocabulary.eventlog import (
    NOBODY,
    EventLog,
    Milestone,
    Movement,
    Supplied,
    VisitOutcome,
    Work,
)
from sim.vocabulary.measures import CATALOGUE, Row
from tests.records import (
    BED,
    END,
    NURSE,
    UNITS,
    VOLUNTEER,
    Told,
    a_log,
    a_protocol,
    a_story,
    a_visit,
    at,
    piece,
)


def measured(log: EventLog, **changed: object) -> dict[str, float]:
    return measure(log, a_protocol(**changed))


def worked(*pieces: Work) -> dict[str, float]:
    return measured(a_log(work=list(pieces)))


def test_people_are_counted_by_what_became_of_them() -> None:
    counts = measured(a_story())

    expected = {
        "candidates": 10,
        "not_eligible_on_chart": 1,
        "not_consenting": 1,
        "consented": 8,
        "screened": 7,
        "screen_failed": 2,
        "withdrew_in_screening": 1,
        "turned_away": 1,
        "still_in_screening": 1,
        "randomised": 3,
        "randomised_cells": 1,
        "randomised_shots": 2,
        "completed": 1,
        "completed_cells": 1,
        "completed_shots": 0,
        "left": 1,
        "left_death": 1,
        "left_moved": 0,
        "stopped_treatment": 1,
        "still_in_follow_up": 1,
        "randomised_in_time_cells": 1,
        "randomised_in_time_shots": 1,
        "candidates_per_month_drawn": 3,
    }
    assert {name: counts[name] for name in expected} == expected


def test_visits_and_doses_are_counted_by_what_became_of_them() -> None:
    counts = measured(a_story())

    expected = {
        "last_visit_day": 31,
        "visits": 4,
        "visits_out_of_window": 1,
        "site_trips": 5,
        "doses_msc": 1,
        "doses_missed_msc": 0,
        "units_msc": 1.1e8,
        "doses_il2": 2,
        "doses_missed_il2": 1,
        "units_il2": 2e6,
        "dose_intensity_msc": 1,
        "dose_intensity_il2": 2 / 6,
        "mean_wait_hours_screening_visit": 0.5,
        "mean_wait_hours_msc_infusion": 2,
        "mean_wait_hours_injection": 0,
    }
    assert {name: counts[name] for name in expected} == expected


def test_the_product_is_counted_by_what_became_of_it() -> None:
    log = a_story()
    m = Movement
    log.supplies = [
        Supplied(7, at(11), m.FAILED_RELEASE, 0, 0),
        Supplied(7, at(12), m.DISCARDED, 0, 0),
        Supplied(8, at(12), m.DISPENSED, 1, 10),
        Supplied(9, at(13), m.OUT_OF_STOCK, 1, 0),
        Supplied(-1, at(19), m.DELIVERED, 1, 12),
        Supplied(8, at(20), m.LOST, 1, 9),
        Supplied(9, at(31, 8), m.DISPENSED, 1, 3),
        Supplied(9, at(33), m.RETURNED, 1, 2),
    ]
    expected = {
        "doses_wasted_msc": 1,
        "doses_late_msc": 0,
        "releases_failed_msc": 1,
        "vials_il2": 13,
        "vials_returned_il2": 2,
        "vials_lost_il2": 9,
        "stockouts_il2": 1,
        "stockout_days_il2": 7,
    }
    counts = measured(log)
    assert {name: counts[name] for name in expected} == expected
    assert "vials_msc" not in counts


def test_a_dose_is_late_that_waited_for_the_product() -> None:
    def dosed(reason: str, planned_day: int, outcome: VisitOutcome = VisitOutcome.MOVED) -> float:
        visit = a_visit(7, at(12, 9), 0, "infusion", "msc_infusion", outcome=outcome, reason=reason)
        return measured(a_log(visits=[visit._replace(planned_day=planned_day)]))["doses_late_msc"]

    assert dosed("product", 10) == 1
    assert (
        dosed("product", 12) == dosed("staff", 10) == dosed("product", 10, VisitOutcome.MISSED) == 0
    )


def test_burden_is_a_mean_over_those_randomised_from_screening_on() -> None:
    counts = measured(a_story())

    expected = {
        "visits_per_participant_cells": 3,
        "visits_per_participant_shots": 2 / 2,
        "site_trips_per_participant_cells": 3,
        "site_trips_per_participant_shots": 1 / 2,
        "site_hours_per_participant_cells": 0,
    }
    assert {name: counts[name] for name in expected} == expected


def test_hours_at_the_site_run_from_the_start_of_a_visit_to_its_last_task() -> None:
    moments: list[Told] = [(0, at(1), Milestone.RANDOMISED, 0)]
    call = a_visit(0, at(2, 14), -1, "eligibility_call", "call", new_trip=False)
    paperwork = call._replace(place="")
    visits = [
        a_visit(0, at(2, 9), 0, "infusion", "msc_infusion"),
        paperwork,
        a_visit(0, at(9, 9), 0, "week_2", "assessment"),
        a_visit(1, at(2, 9), -1, "screening_visit", "screening_visit"),  # never randomised
    ]
    work = [
        piece(NURSE, at(2, 9), at(2, 10)),
        piece(BED, at(2, 9), at(2, 10)),  # the same task: not counted twice
        piece(BED, at(2, 11), at(2, 12), asked=at(2, 9)),  # they wait there for the bed
        piece(NURSE, at(2, 14), at(2, 15)),  # paperwork: nobody is there
        piece(NURSE, at(3, 8), at(3, 9), asked=at(2, 10), desk=True),
        piece(NURSE, at(9, 9), at(9, 9.5)),
        piece(BED, at(10, 8), at(10, 9), asked=at(9, 9)),  # they stayed for the night
        piece(NURSE, at(12, 9), at(12, 10)),  # of a visit that the end cut off
        piece(NURSE, at(2, 9), at(2, 10))._replace(person=NOBODY),
        piece(NURSE, at(2, 9), at(2, 19))._replace(person=1),
    ]
    counts = measured(a_log(moments, visits, work))

    assert counts["site_hours_per_participant_cells"] == 3 + 24
    assert math.isnan(counts["site_hours_per_participant_shots"])


def test_the_target_is_met_on_the_day_of_the_nth_randomisation() -> None:
    assert measured(a_story())["day_of_target"] == 10
    assert measured(a_story(), target=3)["day_of_target"] == 11


def test_the_first_six_months_end_before_the_same_day_six_months_on() -> None:
    """From 1 January 2024 on they are the days 0 to 181; 1 July is day 182."""
    clock = Clock(date(2024, 1, 1), date(2024, 12, 31))
    moments: list[Told] = [
        (person, at(day, 12), Milestone.RANDOMISED, 0) for person, day in enumerate((0, 181, 182))
    ]

    assert measured(a_log(moments), clock=clock)["randomised_first_six_months"] == 2


def test_a_target_not_reached_is_never_and_no_target_is_blank() -> None:
    assert measured(a_story(), target=4)["day_of_target"] == math.inf
    assert math.isnan(measured(a_story(), target=None)["day_of_target"])


def test_a_randomisation_at_the_closing_instant_is_on_the_last_day() -> None:
    log = a_log([(0, at(0), Milestone.CANDIDATE, None), (0, END, Milestone.RANDOMISED, 0)])

    assert measured(log, target=1)["day_of_target"] == 34


def test_a_missed_visit_is_not_the_last_visit() -> None:
    missed = a_visit(
        0, at(20), 0, "week_2", "assessment", outcome=VisitOutcome.MISSED, reason="closed"
    )

    assert math.isnan(measured(a_log(visits=[missed]))["last_visit_day"])


def test_nothing_happened() -> None:
    counts = measured(a_log())
    blank = {name for name, value in counts.items() if math.isnan(value)}

    assert blank == {
        "last_visit_day",
        "desk_share_in_time",
        "volunteer_utilisation",
        "dose_intensity_msc",
        "dose_intensity_il2",
        *(name for name in counts if name.startswith("mean_wait_hours_")),
        *(name for name in counts if "_per_participant_" in name),
    }
    assert counts["day_of_target"] == math.inf
    assert {value for name, value in counts.items() if name not in blank} == {0, 3, math.inf}


def test_measures_come_in_the_order_of_the_catalogue() -> None:
    order = list(measured(a_story()))

    assert order == list(UNITS)
    assert order[:3] == ["candidates", "not_eligible_on_chart", "not_consenting"]
    assert order[9:15] == ["randomised", "randomised_cells", "randomised_shots", "completed",
                           "completed_cells", "completed_shots"]  # fmt: skip
    assert order[-1] == "candidates_per_month_drawn"


def test_measures_of_one_row_stand_together_for_each_product() -> None:
    rows = ["doses", "doses_missed", "units"]
    together = [f"{name}_{product}" for product in ("msc", "il2") for name in rows]

    assert [name for name in UNITS if name in together] == together


@pytest.mark.parametrize(
    "catalogue", [CATALOGUE[:-1], (*CATALOGUE, Row("", {"laughter": "people"}))]
)
def test_nothing_starts_where_a_measure_lacks_its_value_or_a_value_its_name(
    catalogue: tuple[Row, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sim.vocabulary.measures.CATALOGUE", catalogue)

    with pytest.raises(RuntimeError, match=r"\['(laughter|randomised_by_\{\})'\]"):
        run_path(measures.__file__)


def test_a_measure_is_of_each_of_the_things_it_is_of_in_a_unit() -> None:
    units = {
        "randomised_cells": "people",
        "nurse_asked_hours_busiest_week": "hours",
        "bed_utilisation": "share",
        "releases_failed_msc": "orders",
        "stockouts_il2": "doses",
        "site_trips_per_participant_shots": "trips",
    }

    assert {name: UNITS[name] for name in units} == units
    assert "stockouts_msc" not in UNITS


def test_work_in_the_midday_break_is_no_overtime_and_no_utilisation() -> None:
    hours = worked(piece(NURSE, at(0, 11), at(0, 15)))

    assert hours["nurse_hours"] == 4
    assert hours["nurse_overtime_hours"] == 0
    assert hours["nurse_utilisation"] == pytest.approx(2 / (25 * 7.5))


def test_work_before_the_first_shift_and_after_the_last_is_overtime() -> None:
    hours = worked(piece(NURSE, at(1, 7), at(1, 8.5)), piece(NURSE, at(1, 17), at(1, 19)))

    assert hours["nurse_overtime_hours"] == pytest.approx(1 + 1.5)
    assert hours["nurse_utilisation"] == pytest.approx(1 / (25 * 7.5))


def test_on_a_day_without_shifts_all_work_is_overtime() -> None:
    assert worked(piece(NURSE, at(5, 9), at(5, 11)))["nurse_overtime_hours"] == 2


def test_who_is_always_there_has_no_overtime() -> None:
    hours = worked(piece(BED, at(5, 20), at(6, 4)))

    assert hours["bed_overtime_hours"] == 0
    assert hours["bed_utilisation"] == pytest.approx(8 / (2 * 35 * 24))


def test_unlimited_people_have_hours_and_no_utilisation() -> None:
    hours = worked(piece(VOLUNTEER, at(0, 9), at(0, 10)))

    assert hours["volunteer_hours"] == 1
    assert math.isnan(hours["volunteer_utilisation"])


def test_worked_time_is_clipped_at_the_end_and_asked_time_is_not() -> None:
    hours = worked(piece(BED, END - 60, END + 120))

    assert hours["bed_hours"] == 1
    assert hours["bed_asked_hours_busiest_week"] == 3


def test_what_would_fall_due_after_the_end_is_not_asked() -> None:
    assert worked(piece(BED, END + 1, END + 60))["bed_asked_hours_busiest_week"] == 0


def test_the_busiest_week_is_the_one_in_which_most_work_fell_due() -> None:
    monday_work = piece(NURSE, at(7, 8), at(7, 10), asked=at(6, 23), desk=True)
    visits = [piece(NURSE, at(2, 8), at(2, 9)), piece(NURSE, at(9, 8), at(9, 10.5))]
    hours = worked(monday_work, *visits)

    assert hours["nurse_asked_hours_busiest_week"] == 3
    assert hours["nurse_hours"] == 5.5


def test_desk_work_never_done_stays_in_the_backlog() -> None:
    hours = worked(piece(NURSE, END, END, asked=at(20), minutes=90, desk=True))

    assert hours["desk_backlog_peak_hours"] == 1.5
    assert hours["nurse_hours"] == 0
    assert hours["nurse_asked_hours_busiest_week"] == 1.5


def test_the_backlog_peaks_where_work_falls_due_before_earlier_work_is_done() -> None:
    first = piece(NURSE, at(0, 8), at(0, 11), asked=at(0, 8), desk=True)
    second = piece(NURSE, at(0, 11), at(0, 12), asked=at(0, 9), desk=True)
    visit = piece(NURSE, at(1, 8), at(1, 12))

    assert worked(first, second, visit)["desk_backlog_peak_hours"] == pytest.approx(2 + 1)


def test_desk_work_is_in_time_within_five_working_days() -> None:
    thursday = at(3, 17)
    in_time = piece(NURSE, at(10, 8), at(10, 9), asked=thursday, desk=True)
    late = piece(NURSE, at(11, 8), at(11, 11), asked=thursday, desk=True)
    visit = piece(NURSE, at(30, 8), at(30, 9), asked=thursday)
    not_late_yet = piece(NURSE, END, END, asked=at(25, 17), minutes=60, desk=True)
    never_done = piece(NURSE, END, END, asked=at(24, 17), minutes=60, desk=True)

    assert worked(in_time, late, visit, not_late_yet)["desk_share_in_time"] == 1 / 4
    assert worked(in_time, late, never_done)["desk_share_in_time"] == 1 / 5
    assert math.isnan(worked(visit)["desk_share_in_time"])


def test_the_oldest_entry_on_a_desk_is_done_or_still_there_at_the_end() -> None:
    done = piece(NURSE, at(4, 8), at(4, 9), asked=at(3, 9), desk=True)
    undone = piece(NURSE, END, END, asked=at(31), minutes=60, desk=True)
    visit = piece(NURSE, at(30, 8), at(30, 9), asked=at(1))

    assert worked(done, visit)["desk_oldest_days"] == 1
    assert worked(done, undone, visit)["desk_oldest_days"] == 4


def test_hours_for_people_never_randomised_are_a_share_of_all() -> None:
    moments: list[Told] = [
        (0, at(1), Milestone.CANDIDATE, None),
        (1, at(1), Milestone.CANDIDATE, None),
        (1, at(9), Milestone.RANDOMISED, 0),
    ]
    work: list[Work] = [
        piece(NURSE, at(1, 8), at(1, 10)),
        piece(NURSE, at(1, 11), at(1, 12))._replace(person=1),
        piece(NURSE, at(2, 8), at(2, 9))._replace(person=NOBODY),
    ]
    hours = measured(a_log(moments, work=work))

    assert hours["nurse_hours"] == 4
    assert hours["nurse_hours_never_randomised"] == 2


def test_the_backlog_is_that_of_all_desks_together() -> None:
    desks = [piece(role, at(0, 9), at(0, 10), asked=at(0, 8), desk=True) for role in (NURSE, BED)]

    assert worked(*desks)["desk_backlog_peak_hours"] == 2
