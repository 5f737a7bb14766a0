"""A post: who is free when, and what becomes of the desk."""

from __future__ import annotations

import math

from sim.vocabulary.clock import Roster
from sim.vocabulary.eventlog import Work
from sim.world.post import DeskWork, Post, UnlimitedPost

Piece = tuple[str, float, float, float]

MORNING_AND_AFTERNOON = Roster([(480, 720), (840, 1050), (1920, 2160)])


def pieces(log: list[Work]) -> list[Piece]:
    return [(task, minutes, start, end) for _, _, _, task, _, _, minutes, start, end in log]


def desk_work(due: float, task: str, minutes: float, ticket: int = 0) -> DeskWork:
    return due, ticket, 0, "visit", task, minutes


def test_people_are_free_in_the_order_in_which_they_were_asked() -> None:
    post = Post(0, 2, Roster((), always=True), [])
    for end in (100.0, 60.0):
        post.take(end)
    assert post.free_from(10.0) == 60.0
    post.take(90.0)  # the one who was free at 60
    assert post.free_from(10.0) == 90.0
    assert post.free_from(500.0) == 500.0


def test_nobody_is_never_free() -> None:
    assert Post(0, 0, Roster(()), []).free_from(5.0) == math.inf


def test_desk_work_fills_idle_time_and_is_not_interrupted() -> None:
    log: list[Work] = []
    post = Post(0, 1, MORNING_AND_AFTERNOON, log)
    post.leave_on_desk(desk_work(500.0, "enter", 60.0))
    assert post.free_from(520.0) == 560.0
    assert pieces(log) == [("enter", 60.0, 500.0, 560.0)]


def test_a_visit_at_the_same_instant_goes_first() -> None:
    log: list[Work] = []
    post = Post(0, 1, MORNING_AND_AFTERNOON, log)
    post.leave_on_desk(desk_work(500.0, "enter", 60.0))
    assert post.free_from(500.0) == 500.0
    post.take(530.0)
    post.close(2000.0)
    assert pieces(log) == [("enter", 60.0, 530.0, 590.0)]


def test_desk_work_stops_at_the_end_of_a_shift_and_goes_on_in_the_next() -> None:
    log: list[Work] = []
    post = Post(0, 1, MORNING_AND_AFTERNOON, log)
    post.leave_on_desk(desk_work(700.0, "long", 300.0))
    post.leave_on_desk(desk_work(701.0, "short", 10.0, ticket=1))
    post.close(3000.0)
    assert pieces(log) == [
        ("long", 20.0, 700.0, 720.0),
        ("long", 210.0, 840.0, 1050.0),
        ("long", 70.0, 1920.0, 1990.0),
        ("short", 10.0, 1990.0, 2000.0),
    ]


def test_two_people_each_continue_their_own_work() -> None:
    log: list[Work] = []
    post = Post(0, 2, MORNING_AND_AFTERNOON, log)
    for ticket, task in enumerate(("first", "second", "third")):
        post.leave_on_desk(desk_work(700.0, task, 30.0, ticket))
    post.close(3000.0)
    assert sorted(pieces(log)) == [
        ("first", 10.0, 840.0, 850.0),
        ("first", 20.0, 700.0, 720.0),
        ("second", 10.0, 840.0, 850.0),
        ("second", 20.0, 700.0, 720.0),
        ("third", 30.0, 850.0, 880.0),
    ]


def test_what_is_left_at_the_end_is_accounted_for() -> None:
    log: list[Work] = []
    post = Post(0, 1, MORNING_AND_AFTERNOON, log)
    post.leave_on_desk(desk_work(2100.0, "begun", 100.0))
    post.leave_on_desk(desk_work(2101.0, "waiting", 5.0, ticket=1))
    post.close(3000.0)
    assert pieces(log) == [
        ("begun", 60.0, 2100.0, 2160.0),
        ("begun", 40.0, 3000.0, 3000.0),
        ("waiting", 5.0, 3000.0, 3000.0),
    ]


def test_unlimited_people_never_wait_but_keep_the_hours() -> None:
    log: list[Work] = []
    post = UnlimitedPost(0, MORNING_AND_AFTERNOON, log)
    assert post.free_from(3.0) == 3.0
    for ticket, task in enumerate(("one", "two")):
        post.leave_on_desk(desk_work(710.0, task, 20.0, ticket))
    post.close(2000.0)
    assert pieces(log) == [
        ("one", 10.0, 710.0, 720.0),
        ("one", 10.0, 840.0, 850.0),
        ("two", 10.0, 710.0, 720.0),
        ("two", 10.0, 840.0, 850.0),
    ]
