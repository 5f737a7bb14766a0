"""One replication, a function of its arguments; and what goes on in it beside the participants."""

from __future__ import annotations

from itertools import count

from sim.model.chance import beliefs_drawn
from sim.model.clinic import Errand, Process
from sim.model.recruitment import recruitment
from sim.model.replay import RunningTrial, replay
from sim.model.trial import Trial
from sim.scenario.interpret import believing
from sim.scenario.protocol import MonitoringVisits, Protocol
from sim.vocabulary.clock import MINUTES_PER_DAY
from sim.vocabulary.eventlog import NOBODY, EventLog


def run(protocol: Protocol, seed: int, replication: int) -> EventLog:
    """Return what happened in replication number `replication` (from 1) under `seed`.

    Runs until nobody is left or until the closing instant: what would begin then, at the midnight
    after the last day, is not part of the trial. What is known of a trial that runs is taken as it
    was; visits, work and supplies then count from the day of the forecast on.
    """
    drawn = beliefs_drawn(protocol, seed, replication)
    believed = believing(protocol, drawn) if drawn else protocol
    if protocol.informed is None:
        trial = Trial(believed, seed, replication)
        trial.agenda.begin(recruitment(trial))
    else:
        trial = running = RunningTrial(believed, protocol.informed.history, seed, replication)
        replay(running)
    trial.log.drawn = tuple(drawn.values())
    agenda, end = trial.agenda, protocol.clock.end_minutes
    if protocol.monitoring is not None:
        agenda.begin(monitoring(protocol.monitoring, trial))
    if protocol.overhead:
        agenda.begin(overhead(trial))
    agenda.run(until=end)
    trial.close()
    if protocol.informed is not None:
        trial.log.begin_at(protocol.informed.history.until)
    return trial.log


def monitoring(plan: MonitoringVisits, trial: Trial) -> Process:
    """Hold the monitor's visits, from the first randomisation on."""
    for number in count(1):
        due = number * plan.every_minutes
        booked = trial.clinic.book_ahead(plan.slots, due)
        now = yield trial.until(due)
        if trial.has_randomised:
            errand = Errand(NOBODY, f"monitoring {number}")
            yield from trial.clinic.do_paperwork(plan.slots, errand, now, booked)
        else:
            trial.clinic.give_back(booked)


def overhead(trial: Trial) -> Process:
    """Leave on desks, each morning, what the work of the day before brought with it."""
    shares = trial.protocol.overhead.items()
    for day in count(1):
        now = yield trial.until(float(day * MINUTES_PER_DAY))
        for member, share in shares:
            trial.staff.leave_overhead(member, share, now)
