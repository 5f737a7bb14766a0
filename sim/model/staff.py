"""The people and rooms of a trial: when a team is free, and the tasks it does."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import count

from sim.model.chance import Chance
from sim.model.changing_servers import ChangingServers
from sim.model.queue import Held, Request
from sim.model.servers import Alternatives, InterruptedServers, Servers, UnlimitedServers
from sim.scenario.slots import Resource, Slots, Task, VisitType, kind_of
from sim.vocabulary.eventlog import NOBODY, OVERHEAD, Work, fact

_PIECE_MINUTES, _MOST_PIECES = 60, 100


class Staff:
    """All servers, by index of the role or room; behind them the choices among them."""

    def __init__(
        self,
        members: Sequence[Resource],
        chance: Chance,
        log: list[Work],
        *,
        lays_down: bool = False,
    ) -> None:
        """Open with nobody at work and empty desks; all work is logged.

        Who `lays_down` desk work does so whenever a visit begins.
        """
        self._members = members
        self._lays_down = lays_down
        self._chance = chance
        self._log = log
        alone = (each for each in members if not each.any_of)
        self._servers = [self._servers_of(index, each) for index, each in enumerate(alone)]
        self._choices = {
            index: Alternatives([(i, self._servers[i], members[i].roster) for i in each.any_of])
            for index, each in enumerate(members)
            if each.any_of
        }
        alone_free = [each.free_from for each in self._servers]
        self._free_from = alone_free + [each.free_from for each in self._choices.values()]
        self._ready_from = alone_free + [each.ready_from for each in self._choices.values()]
        self._tickets = count()
        self._asked = [0.0] * len(self._servers)  # minutes since overhead was last left on a desk

    def first_free(self, slots: Slots, now: float, ahead: bool) -> tuple[float, int]:  # noqa: FBT001
        """Return when the first task's whole team is free, and who is last to be (-1: nobody)."""
        free, last = now, -1
        for member, lead in slots.first_two_teams if ahead else slots.first_team:
            moment = self._ready_from[member](now) - lead
            if moment > free:
                free, last = moment, member
        return free, last

    def first_on_duty(self, slots: Slots, now: float, ahead: bool) -> tuple[float, int]:  # noqa: FBT001
        """Return when the first task's whole team is free and on duty, and who is last to be."""
        start, last = now, -1
        while start < math.inf:
            before = start
            for member, lead in slots.first_two_teams if ahead else slots.first_team:
                free = self._ready_from[member](start + lead)
                moment = self._members[member].roster.next_duty(free)[0] - lead
                if moment > start:
                    start, last = moment, member
            if start == before:
                break
        return start, last

    def kind(self, member: int) -> str:
        """Return what is said of a visit put off because a member was taken: staff or room."""
        return kind_of(self._members, member)

    def free_from(self, team: tuple[int, ...], moment: float) -> float:
        """Return when a whole team is free, at `moment` or later."""
        start = moment
        for member in team:
            free = self._free_from[member](moment)
            if free > start:
                start = free
        return start

    def begin(self, visit: VisitType, request: Request, start: float) -> Held:
        """Begin a visit's first task."""
        held = Held(start, start)
        if visit.tasks:
            self.do(visit.tasks[0], visit, request, start, held)
        return held

    def do(self, task: Task, visit: VisitType, request: Request, start: float, held: Held) -> bool:
        """Hold a task's team for as long as it takes, unless the visit ends here."""
        person, goes_on, name = request.person, request.goes_on, task.name
        minutes = self._chance.minutes(task, person, request.occasion)
        end = start + minutes
        if goes_on is not None and not goes_on(task, start, end):
            held.is_cut_short = True
            return False
        for place in task.team:
            member = place
            if place in self._choices:
                member = self._choices[place].who(held.end, start, request.booked)
            self._servers[member].take(start, end)
            self._asked[member] += minutes
            piece = (member, person, visit.name, name, False, request.due, minutes, start, end)
            self._log.append(fact(Work, piece))
        held.end = held.ends[name] = end
        return True

    def leave_on_desks(self, visit: VisitType, request: Request, due: float) -> None:
        """Leave a visit's later work on the desks of its people."""
        person, occasion = request.person, request.occasion
        for task in visit.later:
            minutes = self._chance.minutes(task, person, occasion)
            work = (due, next(self._tickets), person, visit.name, task.name, minutes)
            for member in task.team:
                self._servers[member].leave_on_desk(work)
                self._asked[member] += minutes

    def leave_overhead(self, member: int, share: float, due: float) -> None:
        """Leave on a role's desk what makes up `share` of all its work since the last time.

        It comes in pieces, so that no visit waits long for one to be finished.
        """
        if not self._asked[member]:  # as on most days
            return
        minutes, self._asked[member] = self._asked[member] * share / (1 - share), 0.0
        pieces = min(math.ceil(minutes / _PIECE_MINUTES), _MOST_PIECES)
        for _ in range(pieces):
            work = (due, next(self._tickets), NOBODY, OVERHEAD, OVERHEAD, minutes / pieces)
            self._servers[member].leave_on_desk(work)

    def close(self, end: float) -> None:
        """Bring every desk up to the end of the run."""
        for each in self._servers:
            each.close(end)

    def _servers_of(self, index: int, resource: Resource) -> Servers | InterruptedServers:
        if resource.units is None:
            return UnlimitedServers(index, resource.roster, self._log)
        if resource.levels:
            servers: Servers = ChangingServers(index, resource, self._log)
        else:
            servers = Servers(index, resource.units, resource.roster, self._log)
        return InterruptedServers(servers, resource.units) if self._lays_down else servers
