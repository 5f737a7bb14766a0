"""Servers whose number changes: rosters that change, leave, closures."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator

from sim.model.servers import Servers
from sim.scenario.slots import Resource
from sim.vocabulary.eventlog import Work


class ChangingServers(Servers):
    """Of all who are ever there, the first so many are: who came last goes first.

    They come and go at midnight, at the hours of an absence, or when a night that began before is
    over. On a day on which nobody is there the roster has no hours, and whoever is still at work
    has stayed on from the day before.
    """

    def __init__(self, index: int, resource: Resource, log: list[Work]) -> None:
        """Take the numbers from a resource that has levels."""
        super().__init__(index, resource.units or 0, resource.roster, log)
        self._not_before = [0.0] * len(self._free_at)  # when work handed over was left
        self._begins = [float(begin) for begin, _ in resource.levels]
        self._numbers = [number for _, number in resource.levels]

    def free_from(self, moment: float) -> float:
        """Return when somebody is free and there, at `moment` or later."""
        super().free_from(moment)
        return self.soonest(self._free_at, moment)

    def take(self, start: float, end: float) -> None:
        """Hold whoever is there and has been free for longest, from `start` until `end`."""
        self._free_at[self.longest_free(self._free_at, start)] = end
        self._free_first = min(self._free_at)

    def soonest(self, free_at: list[float], moment: float) -> float:
        """Return when one of those who are free at certain instants is there, from `moment` on."""
        if min(self._present(free_at, moment), default=math.inf) <= moment:
            return moment
        return min(self._there(unit, max(free, moment)) for unit, free in enumerate(free_at))

    def longest_free(self, free_at: list[float], start: float) -> int:
        """Return who is there first from `start` on; of several, who has been free for longest."""
        present = self._present(free_at, start)
        if (longest := min(present, default=math.inf)) <= start:
            return present.index(longest)
        return min(
            range(len(free_at)),
            key=lambda unit: (self._there(unit, max(free_at[unit], start)), free_at[unit]),
        )

    def _present(self, free_at: list[float], moment: float) -> list[float]:
        """Return the part of a list by unit that belongs to those who are not away."""
        return free_at[: self._numbers[bisect_right(self._begins, moment) - 1] or None]

    def _there(self, unit: int, moment: float) -> float:
        """Return the first instant at or after `moment` at which a unit is not away."""
        level = bisect_right(self._begins, moment) - 1
        while 0 < self._numbers[level] <= unit:
            level += 1
            if level == len(self._begins):
                return math.inf
            moment = self._begins[level]
        return moment

    def _next_begin(self, moment: float) -> tuple[float, float, int]:
        """Return when, until which shift's end, and by whom the next desk work begins.

        Work begun by somebody who is away when it could go on is handed to whoever is free first.
        """
        begin, shift_end, unit, giver = min(self._handed_over(), default=(math.inf, 0.0, -1, -1))
        head, tried = self._desk[0][0] if self._desk else math.inf, math.inf
        for other, free_at in enumerate(self._free_at):
            ready = free_at if free_at > head or self._in_hand[other] else head
            ready = max(ready, self._not_before[other])
            if ready < begin and ready != tried:
                tried = ready  # of two who are ready at the same instant the first is there first
                own, own_end = self._on_duty(other, ready)
                if own < begin:
                    begin, shift_end, unit, giver = own, own_end, other, -1
        if giver >= 0 and begin < moment:
            self._in_hand[unit], self._in_hand[giver] = self._in_hand[giver], None
            self._not_before[unit] = self._free_at[giver]
        return begin, shift_end, unit

    def _handed_over(self) -> Iterator[tuple[float, float, int, int]]:
        """Yield when, until when and by whom work could go on that its owner (last) leaves."""
        for giver, held in enumerate(self._in_hand):
            left_at = self._free_at[giver]
            if held and self._on_duty(giver, left_at) != self._roster.next_duty(left_at):
                for unit, free_at in enumerate(self._free_at):
                    if not self._in_hand[unit]:
                        yield *self._on_duty(unit, max(free_at, left_at)), unit, giver

    def _on_duty(self, unit: int, moment: float) -> tuple[float, float]:
        """Return the first instant on duty of a unit at or after `moment`, and its shift's end."""
        begin, shift_end = self._roster.next_duty(moment)
        while (there := self._there(unit, begin)) > begin:
            begin, shift_end = self._roster.next_duty(there)
        return begin, shift_end
