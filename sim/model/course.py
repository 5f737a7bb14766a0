"""What becomes of one participant by the plan: the model, with nobody else in it and no luck."""

from __future__ import annotations

from dataclasses import replace

from sim.model.clinic import Process
from sim.model.participant import participation
from sim.model.trial import Trial
from sim.scenario.protocol import Arm, Protocol
from sim.scenario.slots import Slots
from sim.vocabulary.clock import MINUTES_PER_DAY
from sim.vocabulary.distributions import Hazard, fixed
from sim.vocabulary.eventlog import EventLog, Milestone

SOMEBODY = 0
"""Their number in the log."""

IMPOSSIBLE = Hazard(((0.0, 0.0), (1.0, 0.0)))


def course(protocol: Protocol, arm: int, day: int) -> EventLog:
    """Return what happens to somebody randomised to an arm, by its index, on a possible day.

    Every wait and every task has its typical length. Nobody misses a visit, leaves, has an event
    or stops treatment; every order passes its release.
    """
    trial = Trial(_without_luck(protocol), seed=1, replication=1)
    slots, instant = randomises(protocol), float(day * MINUTES_PER_DAY)
    if slots is not None:
        instant = slots.first_start(day) + slots.visit.typical_minutes
    trial.agenda.begin(_from(instant, trial.protocol.arms[arm], trial))
    trial.agenda.run(until=protocol.clock.end_minutes)
    trial.close()
    return trial.log


def randomises(protocol: Protocol) -> Slots | None:
    """Return the possible days on which somebody is randomised; None where every day is."""
    slots = protocol.screening.steps[-1].slots
    if slots is None or not slots.visit.tasks:
        return None
    return slots.parts[-1] if protocol.booking.by == "appointment" else slots


def _from(instant: float, arm: Arm, trial: Trial) -> Process:
    yield trial.until(instant)
    trial.note(SOMEBODY, instant, Milestone.RANDOMISED, arm.index)
    attributes = trial.chance.attributes(SOMEBODY, 1)
    yield from participation(SOMEBODY, arm, attributes, instant, trial)


def _without_luck(protocol: Protocol) -> Protocol:
    """Return the protocol of a trial in which everything goes by the plan."""
    laws = protocol.nature.durations_minutes
    lengths = {name: fixed(laws[name].distribution().typical) for name in protocol.minutes}
    arms = [
        replace(arm, to_first_dose_days=fixed(arm.to_first_dose_days.typical))
        for arm in protocol.arms
    ]
    return replace(
        protocol,
        arms=tuple(arms),
        releases={},
        attendance={},
        reasons=(),
        stopping=tuple(IMPOSSIBLE for _ in protocol.arms),
        events=(),
        minutes={name: length.quantile for name, length in lengths.items()},
        rate=None,
    )
