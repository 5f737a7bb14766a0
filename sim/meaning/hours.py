"""Working hours as a scenario writes them, and the week they describe."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Discriminator, Tag

from sim.meaning.complaints import refusal, shown
from sim.vocabulary.clock import MINUTES_PER_DAY, WEEKDAYS, Span, day_spans, weekday_numbers

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Week = tuple[tuple[Span, ...], ...]
"""The spans of each day, Monday first, in minutes of that day."""

_ALWAYS: Week = (((0, MINUTES_PER_DAY),),) * len(WEEKDAYS)


def week(hours: str | dict[str, str]) -> Week:
    """Return the week that `always`, or days with their hours, describe.

    Raises PydanticCustomError for a day or an hour that cannot be read, or a day named twice.
    """
    if isinstance(hours, str):
        return _ALWAYS
    table: dict[int, tuple[Span, ...]] = {}
    for days, text in hours.items():
        for day in _days(days):
            if day in table:
                raise refusal(f"{WEEKDAYS[day]} is named twice", "each day once")
            table[day] = _spans(text)
    return tuple(table.get(day, ()) for day in range(len(WEEKDAYS)))


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
    return "word" if data == "always" else "table" if isinstance(data, dict) else None


Hours = Annotated[
    Annotated[Literal["always"], Tag("word")]
    | Annotated[dict[str, str], AfterValidator(_readable), Tag("table")],
    Discriminator(
        _kind,
        custom_error_type="refused",
        custom_error_message="{what}",
        custom_error_context={
            "what": "these are not hours",
            "allowed": 'always, or days with their hours such as {mon-fri: "08:00-12:00"}',
        },
    ),
]
