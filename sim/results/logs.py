"""The logs kept whole, as tables: a person, a moment or visit, a piece of work a row."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import groupby
from operator import attrgetter
from typing import Any

from sim.scenario.protocol import Protocol
from sim.vocabulary.clock import MINUTES_PER_DAY, MINUTES_PER_HOUR
from sim.vocabulary.eventlog import NOBODY, EventLog, Milestone, Moment

WHO_AND_WHEN = {"replication": int, "participant": int, "time_days": float, "date": date}


PARTICIPANT_COLUMNS = WHO_AND_WHEN | {"arm": str, "randomised_on": date, "first_dose_on": date}
PARTICIPANT_COLUMNS |= {"last_milestone": str, "last_on": date, "reason": str}
EVENT_COLUMNS = WHO_AND_WHEN | {"event": str, "detail": str, "units": float, "row": str}
EVENT_COLUMNS |= {"number": int, "visit": str, "place": str, "outcome": str, "reason": str}
EVENT_COLUMNS |= {"wait_hours": float}
WORK_COLUMNS = WHO_AND_WHEN | {"role": str, "visit": str, "task": str, "desk": int}
WORK_COLUMNS |= {"minutes": float, "started_days": float, "ended_days": float}
_Row = dict[str, Any]


def participants(protocol: Protocol, log: EventLog) -> Iterator[_Row]:
    """Everyone who came, when, and the last milestone they met before the end."""
    in_order = sorted(log.moments, key=attrgetter("person", "time"))
    for person, group in groupby(in_order, attrgetter("person")):
        moments = list(group)
        on = {each.milestone: str(protocol.clock.date_of(each.time)) for each in moments}
        detail = {each.milestone: each.detail for each in moments}
        last = moments[-1].milestone
        arm = detail.get(Milestone.RANDOMISED)
        yield _when(protocol, person, moments[0].time) | {
            "arm": "" if arm is None else protocol.arms[arm].name,
            "randomised_on": on.get(Milestone.RANDOMISED, ""),
            "first_dose_on": on.get(Milestone.DAY_1, ""),
            "last_milestone": last.name.lower(),
            "last_on": on[last],
            "reason": detail.get(Milestone.LEFT, ""),
        }


def events(protocol: Protocol, log: EventLog) -> list[_Row]:
    """Every moment, every visit and what became of anyone's product, in the order of time."""
    return sorted(_unordered_events(protocol, log), key=lambda row: row["time_days"])


def _unordered_events(protocol: Protocol, log: EventLog) -> Iterator[_Row]:
    for moment in log.moments:
        row = _when(protocol, moment.person, moment.time)
        yield row | {"event": moment.milestone.name.lower(), **_detail(protocol, moment)}
    for visit in log.visits:
        yield _when(protocol, visit.person, visit.time) | {
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
            yield _when(protocol, each.person, each.time) | {
                "event": each.movement.name.lower(),
                "detail": product.name,
                "units": each.vials * product.units_per_vial if product.units_per_vial else "",
            }


def _detail(protocol: Protocol, moment: Moment) -> _Row:
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


def work(protocol: Protocol, log: EventLog) -> Iterator[_Row]:
    """Every piece of work, by the moment it fell due."""
    for each in sorted(log.work, key=attrgetter("due")):
        yield _when(protocol, each.person, each.due) | {
            "role": protocol.resources[each.resource].name,
            "visit": each.visit,
            "task": each.task,
            "desk": int(each.is_desk),
            "minutes": each.minutes,
            "started_days": each.started / MINUTES_PER_DAY,
            "ended_days": each.ended / MINUTES_PER_DAY,
        }


def _when(protocol: Protocol, person: int, time: float) -> _Row:
    on = protocol.clock.date_of(time).isoformat()
    return {"participant": person, "time_days": time / MINUTES_PER_DAY, "date": on}
