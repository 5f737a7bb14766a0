"""A role or a room as a replication sees it."""

from __future__ import annotations

from dataclasses import dataclass

from sim.vocabulary.clock import Roster, Span


@dataclass(frozen=True)
class Resource:
    """A role or a room: how many people or spaces (None: unlimited), and when they are there.

    `units` are the most that are ever there. Where their number changes between days with any,
    `levels` holds each instant (minutes) from which on so many are there.
    """

    name: str
    kind: str
    units: int | None
    roster: Roster
    levels: tuple[tuple[int, int], ...] = ()

    @property
    def always(self) -> bool:
        """Whether it is there around the clock."""
        return self.roster.always

    @property
    def shifts(self) -> tuple[Span, ...]:
        """The shifts of the run, in minutes since the opening instant."""
        return self.roster.shifts
