"""Working hours as a scenario writes them, and the week they describe."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Literal

from pydantic import AfterValidator, Discriminator, Tag

from sim.scenario.errors import refusal, shown
from sim.scenario.numbers import HoursAWeek
from sim.vocabulary.clock import (
    MINUTES_PER_DAY,
    MINUTES_PER_HOUR,
    WEEKDAYS,
    Span,
    day_spans,
    weekday_numbers,
)

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Week = tuple[tuple[Span, ...], ...]
"""The spans of each day, Monday first, in minutes of that day."""

WrittenHours = str | dict[str, str] | float
"""As `Hours` below, once read."""

ALWAYS: Week = (((0, MINUTES_PER_DAY),),) * len(WEEKDAYS)
NOBODY: Week = ((),) * len(WEEKDAYS)
_BEGIN = 8 * MINUTES_PER_HOUR
_DAYS_OF_A_NUMBER = 5


def week(hours: WrittenHours) -> Week:
    """Return the week that `always`, days with their hours, or a number of hours describe.

    Raises PydanticCustomError for a day or an hour that cannot be read, or a day named twice.
    """
    if isinstance(hours, str):
        return ALWAYS
    if isinstance(hours, int | float):
        return _spread(round(hours * MINUTES_PER_HOUR))
    table: dict[int, tuple[Span, ...]] = {}
    for days, text in hours.items():
        for day in _days(days):
            if day in table:
                raise refusal(f"{WEEKDAYS[day]} is named twice", "each day once")
            table[day] = _spans(text)
    return tuple(table.get(day, ()) for day in range(len(WEEKDAYS)))


def _spread(minutes: int) -> Week:
    """Return the week in which so many minutes are worked from 08:00, as evenly as can be.

    Monday to Friday share them in whole minutes; the first days have those left over.
    """
    each, left = divmod(minutes, _DAYS_OF_A_NUMBER)
    lengths = [each + (day < left) for day in range(_DAYS_OF_A_NUMBER)]
    lengths += [0] * (len(WEEKDAYS) - _DAYS_OF_A_NUMBER)
    return tuple(((_BEGIN, _BEGIN + length),) if length else () for length in lengths)


def _days(text: str) -> tuple[int, ...]:
    try:
        return weekday_numbers(text)
    except ValueError:
        allowed = f"{', '.join(WEEKDAYS)} or a range such as mon-fri"
        raise refusal(f"{shown(text)} is not a day", allowed) from None


def _spans(text: str) -> tuple[Span, ...]:
    try:
        return day_spans(text)
    except ValueError:
        allowed = 'hours that do not overlap, such as "08:00-12:00, 14:00-17:30"'
        raise refusal(f"{shown(text)} are not hours", allowed) from None


def _readable(hours: dict[str, str]) -> dict[str, str]:
    week(hours)
    return hours


def _kind(data: object) -> str | None:
    if isinstance(data, dict):
        return "number" if "value" in data else "table"
    if isinstance(data, int | float) and not isinstance(data, bool):
        return "number"
    return "word" if data == "always" else None


def _kind_or_none(data: object) -> str | None:
    return "nothing" if data is None else _kind(data)


_Written = (
    Annotated[Literal["always"], Tag("word")]
    | Annotated[dict[str, str], AfterValidator(_readable), Tag("table")]
    | Annotated[HoursAWeek, Tag("number")]
)
_told_apart_by = partial(
    Discriminator,
    custom_error_type="refused",
    custom_error_message="{what}",
    custom_error_context={
        "what": "these are not hours",
        "allowed": 'always, hours a week, or days with hours such as {mon-fri: "08:00-12:00"}',
    },
)
Hours = Annotated[_Written, _told_apart_by(_kind)]
HoursOrNone = Annotated[_Written | Annotated[None, Tag("nothing")], _told_apart_by(_kind_or_none)]
