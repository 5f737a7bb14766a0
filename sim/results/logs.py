"""The logs kept whole, as tables: a person, a moment or visit, a piece of work a row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, cast

import pandas as pd

from sim.scenario.protocol import Protocol
from sim.vocabulary.clock import MINUTES_PER_DAY, MINUTES_PER_HOUR, Clock
from sim.vocabulary.eventlog import EventLog, Milestone, Moment

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
            *_when(protocol.clock, replication, person, asked).values(),
            protocol.resources[resource].name,
            visit,
            task,
            int(desk),
            minutes,
            started / MINUTES_PER_DAY,
            ended / MINUTES_PER_DAY,
        )
        for replication, log in enumerate(logs, 1)
        for resource, person, visit, task, desk, asked, minutes, started, ended in sorted(
            log.work, key=lambda piece: piece[5]
        )
    )
    return pd.DataFrame(rows, columns=WORK_COLUMNS)


def _person(protocol: Protocol, replication: int, person: int, moments: list[Moment]) -> Row:
    clock = protocol.clock
    on = {milestone: str(clock.date_of(time)) for _, time, milestone, _ in moments}
    detail = {milestone: what for _, _, milestone, what in moments}
    last = moments[-1][2]
    row = _when(clock, replication, person, moments[0][1])
    row |= {"last_milestone": last.name.lower(), "last_on": on[last]}
    if Milestone.RANDOMISED in on:
        row["arm"] = protocol.arms[cast("int", detail[Milestone.RANDOMISED])].name
    row["randomised_on"] = on.get(Milestone.RANDOMISED, "")
    row["first_dose_on"] = on.get(Milestone.DAY_1, "")
    row["reason"] = detail.get(Milestone.LEFT, "")
    return row


def _events(protocol: Protocol, replication: int, log: EventLog) -> Iterator[Row]:
    for person, time, milestone, detail in log.moments:
        row = _when(protocol.clock, replication, person, time)
        yield row | {"event": milestone.name.lower(), **_detail(protocol, milestone, detail)}
    for person, time, _, row_name, number, visit, place, outcome, reason, _, wait, _ in log.visits:
        yield _when(protocol.clock, replication, person, time) | {
            "event": "visit",
            "row": row_name,
            "number": number,
            "visit": visit,
            "place": place,
            "outcome": outcome,
            "reason": reason,
            "wait_hours": wait / MINUTES_PER_HOUR,
        }
    for person, time, movement, index, vials in log.supplies:
        if person >= 0:
            product = protocol.products[index]
            units = vials * product.units_per_vial if product.units_per_vial else ""
            row = _when(protocol.clock, replication, person, time)
            yield row | {"event": movement.name.lower(), "detail": product.name, "units": units}


def _detail(protocol: Protocol, milestone: Milestone, detail: Any) -> Row:  # noqa: ANN401  it depends on the milestone
    """What a moment's detail says, in names: the criteria failed, the arm, the dose, the reason."""
    match milestone:
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
    for moment in sorted(log.moments, key=lambda moment: (moment[0], moment[1])):
        moments.setdefault(moment[0], []).append(moment)
    return moments
