"""A participant's appointments: the lines of the story's end, and the calendar to print."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

from sim.report.calendar import appointment_lines, of_person, to_print
from sim.vocabulary.eventlog import Milestone, VisitOutcome
from sim.vocabulary.words import words
from tests.records import a_log, a_protocol, a_visit, at

SAY = words().calling({("arm", "shots"): "shots, not cells"})
SCENARIO: Any = SimpleNamespace(scenario="tiny", title="Tiny & <small>")
ORIGIN = {"replication": 2, "seed": 1}
PROTOCOL = a_protocol(
    arms=(
        SimpleNamespace(
            name="shots",
            visits=(
                SimpleNamespace(row="shots", is_repeated=True, is_dose=True),
                SimpleNamespace(row="week_2", is_repeated=False, is_dose=False),
            ),
        ),
    )
)
LATE = a_visit(
    7,
    at(35 - 4, 9),
    0,
    "shots",
    "injection",
    number=3,
    outcome=VisitOutcome.OUT_OF_WINDOW,
    reason="holiday",
)
CALL = a_visit(7, at(5, 8), -1, "eligibility_call", "call", new_trip=False)
LOG = a_log(
    [
        (7, at(5), Milestone.RANDOMISED, 0),
        (7, at(6, 10), Milestone.DOSE, (1, 1000.0)),
        (7, at(31, 9), Milestone.DOSE, (1, 1000.0)),
        (8, at(6, 10), Milestone.DOSE, (1, 9.0)),
    ],
    [
        LATE._replace(planned_day=30),
        CALL._replace(place=""),
        a_visit(7, at(4, 8), -1, "screening_visit", "screening_visit"),
        a_visit(7, at(6, 10), 0, "shots", "injection"),
        a_visit(7, at(6, 11), 0, "week_2", "assessment"),
        a_visit(
            7,
            at(8),
            0,
            "shots",
            "injection",
            number=2,
            outcome=VisitOutcome.MISSED,
            reason="closed",
        ),
        a_visit(8, at(6, 10), 0, "shots", "injection"),
    ],
)


def test_appointments_are_told_in_order_with_what_is_received_and_without_paperwork() -> None:
    assert list(appointment_lines(of_person(PROTOCOL, LOG, 7, SAY), SAY)) == [
        "Fri 2024-01-05 08:00  screening visit: clinic",
        "Sun 2024-01-07 10:00  shots 1 (injection): clinic; 1,000 IU of IL-2",
        "Sun 2024-01-07 11:00  week 2 (assessment): clinic",
        "Tue 2024-01-09 --:--  shots 2 (injection): missed (place closed)",
        (
            "Thu 2024-02-01 09:00  shots 3 (injection): clinic; 1,000 IU of IL-2; "
            "planned for 31\u00a0January\u00a02024, out of its window (public holiday)"
        ),
    ]


def test_a_calendar_holds_every_appointment_in_the_square_of_its_day() -> None:
    page = to_print(SAY, SCENARIO, PROTOCOL, LOG, 7, **ORIGIN)
    squares = [
        re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", square)).strip()
        for square in re.findall(r"<td[^>]*>(.*?)</td>", page, flags=re.DOTALL)
    ]

    assert re.findall(r"<caption>(.*?)</caption>", page) == [
        "January\u00a02024",
        "February\u00a02024",
    ]
    assert [square for square in squares if " " in square] == [
        "5 08:00 screening visit clinic",
        "7 10:00 shots 1 (injection) clinic 1,000 IU of IL-2 11:00 week 2 (assessment) clinic",
        "9 shots 2 (injection) missed (place closed)",
        (
            "1 09:00 shots 3 (injection) clinic 1,000 IU of IL-2"
            " planned for 31 January 2024, out of its window (public holiday)"
        ),
    ]
    assert sum(bool(square) for square in squares) == 31 + 29
    assert '<td class="holiday"><b>1</b>' in page
    assert '<td class="weekend"><b>7</b>' in page


def test_a_calendar_stands_alone_and_its_names_are_text() -> None:
    page = to_print(SAY, SCENARIO, PROTOCOL, LOG, 7, **ORIGIN)

    assert "shots, not cells · Tiny &amp; &lt;small&gt;" in page
    assert not re.findall(r"(?:src|href)=\"(?!data:)|<script", page)


def test_whoever_has_no_appointment_has_an_empty_calendar() -> None:
    assert of_person(PROTOCOL, LOG, 3, SAY) == []
    assert "No visit was due at any place." in to_print(SAY, SCENARIO, PROTOCOL, LOG, 3, **ORIGIN)
