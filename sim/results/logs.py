"""The logs kept whole, as tables: a person, a moment or visit, a piece of work a row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from operator import attrgetter
from typing import Any

import pandas as pd

from sim.scenario.protocol import Protocol
from sim.vocabulary.clock import MINUTES_PER_DAY, MINUTES_PER_HOUR, Clock
from sim.vocabulary.eventlog import NOBODY, EventLog, Milestone, Moment

Row = dict[str, Any]
WHO_AND_WHEN = ["replication", "participant", "time_days", "date"]
PARTICIPANT_COLUMNS = [*WHO_AND_WHEN, "arm", "randomised_on", "first_dose_on"]
PARTICIPANT_COLUMNS += ["last_milestone", "last_on", "reason"]
EVENT_COLUMNS = [*WHO_AND_WHEN, "event", "detail", "units"]
EVENT_COLUMNS += ["row", "number", "visit", "place", "outcome", "reason", "wait_hours"]
WORK_COLUMNS = [*WHO_AND_WHEN, "role", "visit", "task", "desk", "minutes"]
WORK_COLUMNS += ["started_days", "ended_days"]


def participants(protocol: Protocol, logs: Sequence[EventLog]) -> pd.DataFrame:
    """Everyone who came, when, and the last milestone they met before the end."""
    rows = (
        _person(protocol, replication, person, moments)
        for replication, log in enumerate(logs, 1)
        for person, moments in _by_person(log).items()
    )
    return pd.DataFrame(rows, columns=PARTICIPANT_COLUMNS)


def events(protocol: Protocol, logs: Sequence[EventLog]) -> pd.DataFrame:
    """Every moment, every visit and what became of anyone's product, in the order of time."""
    rows = (
        row
        for replication, log in enumerate(logs, 1)
        for row in sorted(_events(protocol, replication, log), key=lambda row: row["time_days"])
    )
    return pd.DataFrame(rows, columns=EVENT_COLUMNS)


def work(protocol: Protocol, logs: Sequence[EventLog]) -> pd.DataFrame:
    """Every piece of work, by the moment it fell due."""
    rows = (
        (
            *_when(protocol.clock, replication, each.person, each.due).values(),
            protocol.resources[each.resource].name,
            each.visit,
            each.task,
            int(each.is_desk),
            each.minutes,
            each.started / MINUTES_PER_DAY,
            each.ended / MINUTES_PER_DAY,
        )
        for replication, log in enumerate(logs, 1)
        for each in sorted(log.work, key=attrgetter("due"))
    )
    return pd.DataFrame(rows, columns=WORK_COLUMNS)


def _person(protocol: Protocol, replication: int, person: int, moments: list[Moment]) -> Row:
    clock = protocol.clock
    on = {each.milestone: str(clock.date_of(each.time)) for each in moments}
    detail = {each.milestone: each.detail for each in moments}
    last = moments[-1].milestone
    row = _when(clock, replication, person, moments[0].time)
    row |= {"last_milestone": last.name.lower(), "last_on": on[last]}
    if Milestone.RANDOMISED in on:
        row["arm"] = protocol.arms[detail[Milestone.RANDOMISED]].name
    row["randomised_on"] = on.get(Milestone.RANDOMISED, "")
    row["first_dose_on"] = on.get(Milestone.DAY_1, "")
    row["reason"] = detail.get(Milestone.LEFT, "")
    return row


def _events(protocol: Protocol, replication: int, log: EventLog) -> Iterator[Row]:
    when = partial(_when, protocol.clock, replication)
    for moment in log.moments:
        row = when(moment.person, moment.time)
        yield row | {"event": moment.milestone.name.lower(), **_detail(protocol, moment)}
    for visit in log.visits:
        yield when(visit.person, visit.time) | {
            "event": "visit",
            "row": visit.row,
            "number": visit.number,
            "visit": visit.visit,
            "place": visit.place,
            "outcome": visit.outcome,
            "reason": visit.reason,
            "wait_hours": visit.wait / MINUTES_PER_HOUR,
        }
    for each in log.supplies:
        if each.person != NOBODY:
            product = protocol.products[each.product]
            units = each.vials * product.units_per_vial if product.units_per_vial else ""
            row = when(each.person, each.time)
            yield row | {
                "event": each.movement.name.lower(),
                "detail": product.name,
                "units": units,
            }


def _detail(protocol: Protocol, moment: Moment) -> Row:
    """What a moment's detail says, in names: the criteria failed, the arm, the dose, the reason."""
    detail = moment.detail
    match moment.milestone:
        case Milestone.JUDGED:
            return {"detail": " ".join(protocol.criteria[index].name for index in detail[1])}
        case Milestone.SCREEN_FAILED:
            return {"detail": protocol.criteria[detail].name}
        case Milestone.RANDOMISED:
            return {"detail": protocol.arms[detail].name}
        case Milestone.DOSE:
            return {"detail": protocol.products[detail[0]].name, "units": detail[1]}
        case _:
            return {"detail": detail or ""}


def _when(clock: Clock, replication: int, person: int, time: float) -> Row:
    days, date = time / MINUTES_PER_DAY, clock.date_of(time).isoformat()
    return {"replication": replication, "participant": person, "time_days": days, "date": date}


def _by_person(log: EventLog) -> dict[int, list[Moment]]:
    moments: dict[int, list[Moment]] = {}
    for moment in sorted(log.moments, key=attrgetter("person", "time")):
        moments.setdefault(moment.person, []).append(moment)
    return moments
