"""The engine's calendar of events, by instant instead of by delay."""

from __future__ import annotations

from heapq import heappush
from typing import Any

import simpy
from simpy.events import NORMAL

LAST = NORMAL + 1
"""The priority of what happens when all else at the same instant is done."""


class Agenda:
    """SimPy's environment, told when an event comes.

    Delays would add up to a rounding error, and whoever comes at the same instant by another way
    would come before or after by chance.
    """

    def __init__(self) -> None:
        """Begin at the opening instant."""
        self._env: Any = simpy.Environment()
        self._queue: list[Any] = self._env._queue  # noqa: SLF001 -- as the engine's own events do
        self._number = self._env._eid  # noqa: SLF001 -- likewise
        self._generators: list[simpy.events.ProcessGenerator] = []

    @property
    def now(self) -> float:
        """The instant that has come."""
        return float(self._env.now)

    def begin(self, process: simpy.events.ProcessGenerator) -> None:
        """Let a process begin now."""
        self._generators.append(process)
        simpy.Process(self._env, process)

    def run(self, until: float) -> None:
        """Let everything happen that comes before an instant."""
        self._env.run(until=until)

    def close(self) -> None:
        """End the processes that still wait, and forget what they wait for."""
        self._queue.clear()
        for each in self._generators:
            each.close()
        self._generators.clear()

    def event(self) -> simpy.Event:
        """Return an event that is still to be brought."""
        return simpy.Event(self._env)

    def until(self, moment: float) -> simpy.Event:
        """Return an event at `moment`, or now if that is past, whose value is `moment`."""
        event = simpy.Event(self._env)  # as `bring` does; one call less for most events there are
        event._ok, event._value = True, moment  # noqa: SLF001 -- as the engine's own events do
        now: float = self._env._now  # noqa: SLF001 -- likewise
        heappush(self._queue, (moment if moment > now else now, NORMAL, next(self._number), event))
        return event

    def bring(
        self, event: simpy.Event, moment: float, value: object, priority: int = NORMAL
    ) -> simpy.Event:
        """Let an event come at `moment`, or now if that is past, with a value."""
        event._ok, event._value = True, value  # noqa: SLF001 -- as the engine's own events do
        now: float = self._env._now  # noqa: SLF001 -- likewise
        heappush(self._queue, (max(moment, now), priority, next(self._number), event))
        return event
