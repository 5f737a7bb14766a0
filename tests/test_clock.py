"""Hours, days and the working calendar."""

from __future__ import annotations

from datetime import date, timedelta

import chinese_calendar
import pytest

from sim.scenario.calendars import Calendars
from sim.scenario.capacity import Role, week
from sim.scenario.places import Place
from sim.vocabulary.clock import (
    WEEKDAYS,
    Clock,
    PublicCalendar,
    Roster,
    day_spans,
    weekday_numbers,
)

RUN = Clock(date(2022, 10, 1), date(2025, 12, 31))

# The State Council's notices on public holidays, as collected by github.com/NateScarlet/holiday-cn,
# which links each of them: days off, and the weekend days worked in their stead.
DAYS_OFF = {
    2022: "01-01/01-03 01-31/02-06 04-03/04-05 04-30/05-04 06-03/06-05 09-10/09-12 10-01/10-07 "
    "12-31/12-31",
    2023: "01-01/01-02 01-21/01-27 04-05/04-05 04-29/05-03 06-22/06-24 09-29/10-06",
    2024: "01-01/01-01 02-10/02-17 04-04/04-06 05-01/05-05 06-10/06-10 09-15/09-17 10-01/10-07",
    2025: "01-01/01-01 01-28/02-04 04-04/04-06 05-01/05-05 05-31/06-02 10-01/10-08",
}
WORKED = {
    2022: "01-29 01-30 04-02 04-24 05-07 10-08 10-09",
    2023: "01-28 01-29 04-23 05-06 06-25 10-07 10-08",
    2024: "02-04 02-18 04-07 04-28 05-11 09-14 09-29 10-12",
    2025: "01-26 02-08 04-27 09-28 10-11",
}
MAKE_UP_DAYS = {
    date.fromisoformat(f"{year}-{day}") for year, days in WORKED.items() for day in days.split()
}


def is_off(day: date) -> bool:
    """Say whether the State Council gave a day off, whichever day of the week it was."""
    spans = (span.split("/") for span in DAYS_OFF[day.year].split())
    return any(first <= f"{day:%m-%d}" <= last for first, last in spans)


def clinic(**keys: object) -> Place:
    return Place.model_validate(
        {"country": "CN", "days": ["mon", "tue", "wed", "thu", "fri"], **keys}
    )


def open_days(calendars: Calendars) -> list[bool]:
    return [not why for why in calendars.days_of("clinic").shut_by]


def staffing(hours: object, **keys: object) -> Role:
    return Role.model_validate({"hours": hours, **keys})


def test_the_run_has_1188_days() -> None:
    assert RUN.days == 1188
    assert RUN.end_minutes == 1188 * 1440


def test_the_closing_instant_is_still_the_last_day() -> None:
    assert RUN.date_of(RUN.end_minutes) == date(2025, 12, 31)
    assert RUN.date_of(0) == date(2022, 10, 1)
    assert RUN.date_of(1440) == date(2022, 10, 2)


def test_every_open_day_of_nine_years_is_a_chinese_working_day() -> None:
    years = Clock(date(2018, 1, 1), date(2026, 12, 31))
    is_open = open_days(Calendars(years, {"clinic": clinic()}))
    days = [years.date_of_day(number) for number in range(years.days)]
    assert [day for day, opens in zip(days, is_open, strict=False) if opens] == [
        day for day in days if chinese_calendar.is_workday(day)
    ]


def test_open_days_of_four_years_are_those_of_the_state_council() -> None:
    years = Clock(date(2022, 1, 1), date(2025, 12, 31))
    why = Calendars(years, {"clinic": clinic()}).days_of("clinic").shut_by
    for number in range(years.days):
        day = years.date_of_day(number)
        works = day in MAKE_UP_DAYS or (day.weekday() < 5 and not is_off(day))
        assert (why[number] == "") == works, day
        assert (why[number] == "holiday") == (day.weekday() < 5 and is_off(day)), day
    assert years.days == 1461
    assert why.count("") >= 249 + 249 + 251 + 248


def test_working_days_of_each_year() -> None:
    is_open = open_days(Calendars(RUN, {"clinic": clinic()}))
    years = dict.fromkeys((2022, 2023, 2024, 2025), 0)
    for number in range(RUN.days):
        years[RUN.date_of_day(number).year] += is_open[number]
    assert years == {2022: 62, 2023: 249, 2024: 251, 2025: 248}
    assert sum(is_open[: RUN.days]) == 810


def test_make_up_days_are_the_published_ones_and_keep_the_hours_of_their_neighbour() -> None:
    calendar = PublicCalendar("CN", RUN)
    found = {
        day: calendar.makes_up_for(day)
        for day in (RUN.date_of_day(number) for number in range(RUN.days))
        if calendar.makes_up_for(day) is not None
    }
    assert found.keys() == {day for day in MAKE_UP_DAYS if day >= RUN.opens}
    assert all(found[day] == (4 if day.weekday() == 5 else 0) for day in found)


def test_closures_shut_a_place_on_both_ends() -> None:
    closures = [{"from": date(2023, 3, 6), "to": date(2023, 3, 8)}, date(2023, 3, 10)]
    calendars = Calendars(RUN, {"clinic": clinic(closures=closures)})
    start = RUN.day_of(date(2023, 3, 6))
    assert open_days(calendars)[start : start + 5] == [False, False, False, True, False]


def test_on_a_holiday_only_those_work_whom_an_open_place_needs() -> None:
    ward = Place.model_validate({"country": None})
    calendars = Calendars(RUN, {"clinic": clinic(), "ward": ward})
    hours = staffing({"mon-sun": "08:00-12:00"})
    holiday = RUN.day_of(date(2023, 1, 24)) * 1440
    ward_nurse, clinic_nurse = (calendars.shifts(hours, {place}) for place in ("ward", "clinic"))
    assert (holiday + 480, holiday + 720) in ward_nurse
    assert (holiday + 480, holiday + 720) not in clinic_nurse


def test_on_a_holiday_people_work_while_a_place_that_needs_them_is_open() -> None:
    opening = {"on": date(2023, 1, 24), "hours": "10:00-11:00, 11:00-13:00"}
    calendars = Calendars(RUN, {"clinic": clinic(openings=[opening])})
    shifts = calendars.shifts(staffing({"mon-fri": "08:00-12:00"}), {"clinic"})
    holiday = RUN.day_of(date(2023, 1, 24)) * 1440
    there = [shift for shift in shifts if holiday <= shift[0] < holiday + 2880]
    assert there == [(holiday + 600, holiday + 720)]


def test_days_of_the_week_on_which_a_place_opens_for_once_count_as_its_own() -> None:
    weekend = {"from": date(2024, 6, 8), "to": date(2024, 6, 9)}
    assert {*clinic(days=["sun", "wed"], openings=[weekend]).weekdays} == {"sat", "sun", "wed"}


def test_people_keep_fridays_hours_on_a_make_up_saturday() -> None:
    calendars = Calendars(RUN, {"clinic": clinic()})
    shifts = calendars.shifts(staffing({"fri": "09:00-10:00", "mon": "14:00-15:00"}), {"clinic"})
    saturday = RUN.day_of(date(2022, 10, 8)) * 1440
    assert (saturday + 540, saturday + 600) in shifts
    assert (saturday + 1440 + 840, saturday + 1440 + 900) in shifts  # Sunday keeps Monday's


@pytest.mark.parametrize("country", ["CN", "HU"])
def test_days_off_are_known_to_the_last_year_published(country: str) -> None:
    limits = PublicCalendar(country, Clock(date(2026, 1, 1), date(2099, 12, 31))).limits
    assert limits is not None
    assert limits.published_through is not None
    assert date(2026, 12, 31) <= limits.published_through < date(2040, 1, 1)


@pytest.mark.parametrize("country", ["TW", "UA", "BG", "GB-ENG"])
def test_a_year_without_make_up_days_is_not_an_unknown_year(country: str) -> None:
    limits = PublicCalendar(country, Clock(date(2027, 1, 1), date(2027, 12, 31))).limits
    assert limits is not None
    assert limits.known_through is None


def test_days_off_that_the_library_estimates_are_named() -> None:
    limits = PublicCalendar("MY", Clock(date(2031, 1, 1), date(2031, 12, 31))).limits
    assert limits is not None
    assert (date(2031, 1, 25), "Eid al-Fitr") in limits.estimated
    assert (date(2031, 1, 27), "Eid al-Fitr (Second Day)") in limits.estimated
    assert date(2031, 8, 31) not in dict(limits.estimated)
    assert limits.known_through == date(2031, 1, 22)


def test_a_country_alone_says_that_its_regions_have_more_days_off() -> None:
    clock = Clock(date(2027, 1, 1), date(2027, 12, 31))
    country, region, without = (
        PublicCalendar(name, clock).limits for name in ("GB", "GB-ENG", "IL")
    )
    assert country is not None
    assert country.lacking == ("GB-ENG", "GB-NIR", "GB-SCT", "GB-WLS")
    assert 1 <= country.fewest <= country.most
    assert region is not None
    assert without is not None
    assert not region.lacking + without.lacking


@pytest.mark.parametrize(
    ("country", "days"),
    [
        ("GB-ENG", "2027-03-29 2027-08-30 2027-12-28"),  # gov.uk: Easter Monday, summer, Boxing Day
        ("DE-BY", "2027-01-06 2027-05-27 2027-11-01"),  # Epiphany, Corpus Christi, All Saints
        ("CH-ZH", "2027-03-29 2027-05-17 2027-08-01"),  # Easter and Whit Monday, National Day
        ("IL", "2026-04-02 2026-09-13 2026-09-21"),  # Passover, New Year, Day of Atonement
        ("US-NY", "2026-02-12 2026-11-03 2026-11-26"),  # Lincoln, Election Day, Thanksgiving
        ("TW", "2025-02-28 2025-05-30 2025-10-10"),  # Peace Memorial, Dragon Boat, National Day
        ("MY", "2026-02-17 2026-08-31 2026-09-16"),  # New Year, National Day, Malaysia Day
    ],
)
def test_days_off_of_countries_and_regions(country: str, days: str) -> None:
    calendar = PublicCalendar(country, Clock(date(2025, 1, 1), date(2027, 12, 31)))
    for day in map(date.fromisoformat, days.split()):
        assert calendar.is_holiday(day), day
        assert not calendar.is_holiday(day + timedelta(days=10)), day


def kinds(country: str | None, *days: date) -> list[str]:
    clock = Clock(days[0], days[-1])
    calendars = Calendars(clock, {"clinic": Place(country=country)})
    return [calendars.kinds_of_day[clock.day_of(day)] for day in days]


@pytest.mark.parametrize(
    ("country", "weekend"),
    [("IL", {"fri", "sat"}), ("US-NY", {"sat", "sun"}), (None, {"sat", "sun"})],
)
def test_the_weekend_is_the_countrys(country: str | None, weekend: set[str]) -> None:
    days = [date(2027, 2, 1) + timedelta(days=number) for number in range(7)]
    off = {WEEKDAYS[day.weekday()] for day in days if kinds(country, day) == ["weekend"]}
    assert off == weekend


def test_a_weekend_that_changed_is_that_of_its_time() -> None:
    assert kinds("AE", date(2021, 8, 6), date(2022, 8, 5)) == ["weekend", "working_day"]
    assert kinds("AE", date(2021, 8, 8), date(2022, 8, 7)) == ["working_day", "weekend"]


def test_a_day_is_of_the_weekend_if_it_is_in_any_country() -> None:
    clock = Clock(date(2027, 2, 5), date(2027, 2, 7))
    places = {"there": Place(country="IL"), "here": Place(country="US"), "else": Place()}
    assert Calendars(clock, places).kinds_of_day[:3] == ("weekend",) * 3


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("08:00-12:00", ((480, 720),)),
        ("14:00-17:30, 08:00-12:00", ((480, 720), (840, 1050))),
        ("00:00-24:00", ((0, 1440),)),
        ("22:00-06:00, 08:00-12:00", ((480, 720), (1320, 1800))),
    ],
)
def test_hours_are_read(text: str, spans: tuple[tuple[int, int], ...]) -> None:
    assert day_spans(text) == spans


@pytest.mark.parametrize(
    ("hours_a_week", "minutes_a_day"),
    [
        (20, [240] * 5),
        (37.5, [450] * 5),
        (60, [720] * 5),
        (1.05, [13, 13, 13, 12, 12]),
        (0.05, [1, 1, 1, 0, 0]),
        (0, [0] * 5),
    ],
)
def test_a_number_of_hours_is_spread_from_eight_over_monday_to_friday(
    hours_a_week: float, minutes_a_day: list[int]
) -> None:
    spans = week(Role.model_validate({"hours": hours_a_week}).hours)
    assert spans[:5] == tuple(((480, 480 + m),) if m else () for m in minutes_a_day)
    assert spans[5:] == ((), ())


def test_a_number_of_hours_keeps_holidays_and_make_up_days() -> None:
    calendars = Calendars(RUN, {"clinic": clinic()})
    shifts = calendars.shifts(staffing(20), {"clinic"})
    days = {start // 1440 for start, _ in shifts}
    assert RUN.day_of(date(2022, 10, 8)) in days  # a Saturday worked for the holiday before it
    assert RUN.day_of(date(2022, 10, 7)) not in days
    assert len([day for day in days if day < RUN.days]) == 810


def test_leave_and_changes_decide_who_is_there() -> None:
    week_off = {"from": date(2024, 1, 8), "to": date(2024, 1, 14), "people": 1}
    roster = staffing(
        20,
        away=[week_off, {**week_off, "from": date(2024, 1, 11)}, date(2024, 1, 17)],
        changes=[
            {"from": date(2024, 1, 9), "people": 3},
            {"from": date(2024, 1, 13), "hours": "always"},
            {"from": date(2024, 1, 20), "people": 0},
        ],
    )
    there = {day: roster.on(date(2024, 1, day)) for day in range(7, 21)}

    expected = {7: 1, 8: 0, 9: 2, 10: 2, 11: 1, 14: 1, 15: 3, 16: 3, 17: 0, 18: 3, 19: 3, 20: 0}
    assert {day: there[day][0] for day in expected} == expected
    assert there[12][1][0] == ((480, 720),)
    assert there[13][1][0] == ((0, 1440),)
    assert not any(there[17][1])


def test_a_night_belongs_to_the_day_on_which_it_begins() -> None:
    """Holidays are 22 to 28 January 2023; the 28th and 29th are made up as Friday and Monday."""
    calendars = Calendars(RUN, {"clinic": clinic()})
    role = staffing(
        {"mon-fri": "22:00-06:00"},
        away=[date(2023, 3, 7)],
        changes=[{"from": date(2023, 4, 3), "hours": {"mon-fri": "05:00-12:00"}}],
    )
    shifts = dict(calendars.shifts(role, {"clinic"}))

    def night(month: int, day: int) -> bool:
        begins = RUN.day_of(date(2023, month, day)) * 1440 + 22 * 60
        assert shifts.get(begins, begins + 480) == begins + 480  # one shift, to 06:00
        return begins in shifts

    assert night(1, 20)
    assert not any(night(1, day) for day in (22, 23, 24, 25, 26, 27))
    assert night(1, 28)
    assert night(1, 29)
    assert [day for day in range(6, 10) if night(3, day)] == [6, 8, 9]
    assert night(3, 31)
    monday = RUN.day_of(date(2023, 4, 3)) * 1440
    assert shifts[monday + 5 * 60] == monday + 12 * 60


def test_a_new_roster_begins_when_the_night_before_it_is_over() -> None:
    calendars = Calendars(RUN, {"clinic": clinic(country=None)})
    early = {"from": date(2022, 10, 5), "hours": {"mon-fri": "05:00-12:00"}}  # a Wednesday
    shifts = calendars.shifts(staffing({"mon-fri": "22:00-06:00"}, changes=[early]), {"clinic"})
    tuesday = RUN.day_of(date(2022, 10, 4)) * 1440
    assert list(shifts[1:3]) == [(tuesday + 1320, tuesday + 1800), (tuesday + 1800, tuesday + 2160)]


def test_who_is_always_there_is_there_on_holidays_too_but_not_on_leave() -> None:
    calendars = Calendars(RUN, {"clinic": clinic()})
    day_off, holiday = date(2023, 3, 7), date(2023, 1, 24)
    shifts = calendars.shifts(staffing("always", away=[day_off]), {"clinic"})
    days = {start // 1440 for start, _ in shifts}
    assert RUN.day_of(holiday) in days
    assert set(range(RUN.days)) - days == {RUN.day_of(day_off)}


@pytest.mark.parametrize(
    "text",
    [
        "8-12",
        "08:00",
        "12:00-12:00",
        "24:00-06:00",
        "22:00-06:00, 23:00-24:00",
        "08:00-24:01",
        "08:60-09:00",
        "08:00-12:00, 11:00-13:00",
    ],
)
def test_impossible_hours_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"hour|span|overlap"):
        day_spans(text)


def test_ranges_of_days_may_wrap() -> None:
    assert weekday_numbers("mon-fri") == (0, 1, 2, 3, 4)
    assert weekday_numbers("sat-mon") == (5, 6, 0)
    assert weekday_numbers("wed") == (2,)


def test_the_next_duty_is_now_later_or_never() -> None:
    roster = Roster([(480, 720), (840, 1050)])
    assert roster.next_duty(100) == (480, 720)
    assert roster.next_duty(500.5) == (500.5, 720)
    assert roster.next_duty(720) == (840, 1050)
    assert roster.next_duty(1050) == (float("inf"), float("inf"))
