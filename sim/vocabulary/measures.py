"""Every measure of a replication, declared once: its name, its unit, what there is one for each of.

All that speaks of measures follows from this catalogue: the names a target may be set on, the
units, the order of the tables, and the functions that give the values.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple


class Row(NamedTuple):
    """Measures that stand together for each arm, reason, product … they are `of` ("": the trial).

    In their names, which have a unit each, {} stands for its name.
    """

    of: str
    units: Mapping[str, str]


CATALOGUE = (
    Row("", {
        "candidates": "people",
        "not_eligible_on_chart": "people",
        "not_consenting": "people",
        "consented": "people",
        "screened": "people",
        "screen_failed": "people",
        "withdrew_in_screening": "people",
        "turned_away": "people",
        "still_in_screening": "people",
        "randomised": "people",
    }),
    Row("arm", {"randomised_{}": "people"}),
    Row("", {"completed": "people"}),
    Row("arm", {"completed_{}": "people"}),
    Row("", {"left": "people"}),
    Row("reason", {"left_{}": "people"}),
    Row("event", {"events_{}": "events"}),
    Row("", {
        "stopped_treatment": "people",
        "still_in_follow_up": "people",
        "day_of_target": "day",
    }),
    Row("milestone", {"day_of_{}": "day"}),
    Row("decision month", {"randomised_by_month_{}": "people"}),
    Row("", {
        "randomised_first_six_months": "people",
        "arm_imbalance": "people",
        "last_visit_day": "day",
        "visits": "visits",
        "visits_out_of_window": "visits",
        "unscheduled_visits": "visits",
        "site_trips": "trips",
    }),
    Row("product", {"doses_{}": "doses", "doses_missed_{}": "doses", "units_{}": "units"}),
    Row("product", {"doses_wasted_{}": "doses"}),
    Row("product", {"doses_late_{}": "doses"}),
    Row("product", {"releases_failed_{}": "orders"}),
    Row("product in vials", {"vials_{}": "vials"}),
    Row("product in vials", {"vials_returned_{}": "vials"}),
    Row("product in vials", {"vials_lost_{}": "vials"}),
    Row("product in stock", {"stockouts_{}": "doses"}),
    Row("product in stock", {"stockout_days_{}": "days"}),
    Row("resource", {
        "{}_hours": "hours",
        "{}_asked_hours_busiest_week": "hours",
        "{}_utilisation": "share",
        "{}_overtime_hours": "hours",
        "{}_hours_never_randomised": "hours",
    }),
    Row("", {
        "desk_backlog_peak_hours": "hours",
        "desk_oldest_days": "days",
        "desk_share_in_time": "share",
    }),
    Row("product", {"dose_intensity_{}": "share"}),
    Row("arm", {"randomised_in_time_{}": "people"}),
    Row("visit", {"mean_wait_hours_{}": "hours"}),
    Row("arm", {"visits_per_participant_{}": "visits"}),
    Row("arm", {"site_trips_per_participant_{}": "trips"}),
    Row("arm", {"site_hours_per_participant_{}": "hours"}),
    Row("", {"candidates_per_month_drawn": "people a month"}),
    Row("day ahead", {"randomised_by_{}": "people"}),
)  # fmt: skip


def units_of(groups: Mapping[str, Iterable[str]]) -> Iterator[tuple[str, str]]:
    """Yield each measure and its unit, in the order of the tables.

    `groups` names the arms, reasons, products … of a trial, by what rows of the catalogue are of.
    """
    for row in CATALOGUE:
        for each in groups[row.of] if row.of else ("",):
            yield from ((name.format(each), unit) for name, unit in row.units.items())
