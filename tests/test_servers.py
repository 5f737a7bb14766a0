"""Servers: who is free when, and what becomes of the desk."""

from __future__ import annotations

import math

import pytest

from sim.model.changing_servers import ChangingServers
from sim.model.servers import DeskWork, Servers, UnlimitedServers
from sim.scenario.slots import Resource
from sim.vocabulary.clock import Roster
from sim.vocabulary.eventlog import Work

Piece = tuple[str, float, float, float]

MORNING_AND_AFTERNOON = Roster([(480, 720), (840, 1050), (1920, 2160)])


def pieces(log: list[Work]) -> list[Piece]:
    return [(work.task, work.minutes, work.started, work.ended) for work in log]


def desk_work(due: float, task: str, minutes: float, ticket: int = 0) -> DeskWork:
    return due, ticket, 0, "visit", task, minutes


def test_people_are_free_in_the_order_in_which_they_were_asked() -> None:
    servers = Servers(0, 2, Roster((), always=True), [])
    for end in (100.0, 60.0):
        servers.take(0.0, end)
    assert servers.free_from(10.0) == 60.0
    servers.take(60.0, 90.0)  # the one who was free at 60
    assert servers.free_from(10.0) == 90.0
    assert servers.free_from(500.0) == 500.0


def test_nobody_is_never_free() -> None:
    assert Servers(0, 0, Roster(()), []).free_from(5.0) == math.inf


def test_desk_work_fills_idle_time_and_is_not_interrupted() -> None:
    log: list[Work] = []
    servers = Servers(0, 1, MORNING_AND_AFTERNOON, log)
    servers.leave_on_desk(desk_work(500.0, "enter", 60.0))
    assert servers.free_from(520.0) == 560.0
    assert pieces(log) == [("enter", 60.0, 500.0, 560.0)]


def test_a_visit_at_the_same_instant_goes_first() -> None:
    log: list[Work] = []
    servers = Servers(0, 1, MORNING_AND_AFTERNOON, log)
    servers.leave_on_desk(desk_work(500.0, "enter", 60.0))
    assert servers.free_from(500.0) == 500.0
    servers.take(500.0, 530.0)
    servers.close(2000.0)
    assert pieces(log) == [("enter", 60.0, 530.0, 590.0)]


def test_desk_work_stops_at_the_end_of_a_shift_and_goes_on_in_the_next() -> None:
    log: list[Work] = []
    servers = Servers(0, 1, MORNING_AND_AFTERNOON, log)
    servers.leave_on_desk(desk_work(700.0, "long", 300.0))
    servers.leave_on_desk(desk_work(701.0, "short", 10.0, ticket=1))
    servers.close(3000.0)
    assert pieces(log) == [
        ("long", 20.0, 700.0, 720.0),
        ("long", 210.0, 840.0, 1050.0),
        ("long", 70.0, 1920.0, 1990.0),
        ("short", 10.0, 1990.0, 2000.0),
    ]


def test_two_people_each_continue_their_own_work() -> None:
    log: list[Work] = []
    servers = Servers(0, 2, MORNING_AND_AFTERNOON, log)
    for ticket, task in enumerate(("first", "second", "third")):
        servers.leave_on_desk(desk_work(700.0, task, 30.0, ticket))
    servers.close(3000.0)
    assert sorted(pieces(log)) == [
        ("first", 10.0, 840.0, 850.0),
        ("first", 20.0, 700.0, 720.0),
        ("second", 10.0, 840.0, 850.0),
        ("second", 20.0, 700.0, 720.0),
        ("third", 30.0, 850.0, 880.0),
    ]


def test_what_is_left_at_the_end_is_accounted_for() -> None:
    log: list[Work] = []
    servers = Servers(0, 1, MORNING_AND_AFTERNOON, log)
    servers.leave_on_desk(desk_work(2100.0, "begun", 100.0))
    servers.leave_on_desk(desk_work(2101.0, "waiting", 5.0, ticket=1))
    servers.close(3000.0)
    assert pieces(log) == [
        ("begun", 60.0, 2100.0, 2160.0),
        ("begun", 40.0, 3000.0, 3000.0),
        ("waiting", 5.0, 3000.0, 3000.0),
    ]


def test_unlimited_people_never_wait_but_keep_the_hours() -> None:
    log: list[Work] = []
    servers = UnlimitedServers(0, MORNING_AND_AFTERNOON, log)
    assert servers.free_from(3.0) == 3.0
    for ticket, task in enumerate(("one", "two")):
        servers.leave_on_desk(desk_work(710.0, task, 20.0, ticket))
    servers.close(2000.0)
    assert pieces(log) == [
        ("one", 10.0, 710.0, 720.0),
        ("one", 10.0, 840.0, 850.0),
        ("two", 10.0, 710.0, 720.0),
        ("two", 10.0, 840.0, 850.0),
    ]


DAYS = Roster([(day * 1440 + 480, day * 1440 + 720) for day in range(10)])  # 08:00 to 12:00


def changing(log: list[Work], *numbers: int) -> ChangingServers:
    """Servers of which so many are there on day 0, 1, 2 …, and then as many as on the last."""
    levels = tuple((day * 1440, number) for day, number in enumerate(numbers))
    return ChangingServers(0, Resource("nurse", "role", max(numbers), DAYS, levels), log)


def test_who_is_away_is_not_free() -> None:
    servers = changing([], 2, 1, 2)
    servers.take(490.0, 550.0)
    assert servers.free_from(500.0) == 500.0  # the other one
    servers.take(500.0, 530.0)
    assert servers.free_from(500.0) == 530.0
    tomorrow = 1440.0 + 480
    servers.take(tomorrow, tomorrow + 60)
    assert servers.free_from(tomorrow) == tomorrow + 60  # nobody else is there
    assert servers.free_from(tomorrow + 30) == tomorrow + 60
    assert servers.free_from(tomorrow + 1440) == tomorrow + 1440


def test_whoever_has_gone_for_good_is_never_free() -> None:
    servers = changing([], 2, 1)
    servers.take(1920.0, math.inf)
    assert servers.free_from(1930.0) == math.inf


def test_nobody_starts_desk_work_while_away() -> None:
    log: list[Work] = []
    servers = changing(log, 1, 2)
    for ticket, task in enumerate(("one", "two")):
        servers.leave_on_desk(desk_work(600.0, task, 150.0, ticket))
    servers.close(5 * 1440.0)
    assert sorted(pieces(log)) == [
        ("one", 30.0, 1920.0, 1950.0),
        ("one", 120.0, 600.0, 720.0),
        ("two", 150.0, 1920.0, 2070.0),
    ]


@pytest.mark.parametrize("idle_from", [490.0, 700.0])
def test_who_goes_hands_over_what_was_begun(idle_from: float) -> None:
    """The second person leaves a piece at noon; the first, idle since before, goes on next day."""
    log: list[Work] = []
    servers = changing(log, 2, 1)
    servers.take(480.0, idle_from)  # the first is with a visit
    servers.leave_on_desk(desk_work(480.0, "long", 300.0))
    servers.close(5 * 1440.0)
    assert pieces(log) == [("long", 240.0, 480.0, 720.0), ("long", 60.0, 1920.0, 1980.0)]


def test_what_is_handed_over_keeps_nobody_from_a_visit_or_from_other_work() -> None:
    log: list[Work] = []
    servers = changing(log, 2, 1)
    servers.take(480.0, 500.0)
    servers.leave_on_desk(desk_work(480.0, "long", 300.0))
    assert servers.free_from(510.0) == 510.0
    servers.leave_on_desk(desk_work(600.0, "short", 60.0, ticket=1))
    servers.close(5 * 1440.0)
    assert pieces(log) == [
        ("long", 240.0, 480.0, 720.0),
        ("short", 60.0, 600.0, 660.0),
        ("long", 60.0, 1920.0, 1980.0),
    ]


def test_who_comes_back_goes_on_when_nobody_could_take_over() -> None:
    log: list[Work] = []
    servers = changing(log, 2, 1, 2)
    for ticket, task in enumerate(("one", "two")):
        servers.leave_on_desk(desk_work(480.0, task, 500.0, ticket))
    servers.close(5 * 1440.0)
    assert sorted(pieces(log), key=lambda piece: (piece[0], piece[2])) == [
        ("one", 240.0, 480.0, 720.0),
        ("one", 240.0, 1920.0, 2160.0),
        ("one", 20.0, 3360.0, 3380.0),
        ("two", 240.0, 480.0, 720.0),
        ("two", 240.0, 3360.0, 3600.0),
        ("two", 20.0, 4800.0, 4820.0),
    ]
