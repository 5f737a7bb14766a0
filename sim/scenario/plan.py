"""The visits that a row of the schedule plans, and the one that an event calls for."""

from __future__ import annotations

from sim.scenario.design import Row
from sim.scenario.protocol import PlannedVisit
from sim.scenario.slots import NEVER_DAY, Offer


def planned_visits(order: int, name: str, row: Row, offer: Offer) -> tuple[PlannedVisit, ...]:
    """Return the visits of a row; 'days after the first dose = day − 1' is said here only."""
    gap = row.every_days or 0
    cycle = row.cycle_days or 0
    days = [
        row.day - 1 + in_cycle * gap + cycles * cycle
        for cycles in range(row.cycles)
        for in_cycle in range(row.times)
    ]
    return tuple(
        PlannedVisit(
            row=name,
            row_order=order,
            number=number,
            days_after_first_dose=day,
            window_days=row.window_days,
            late_is_missed=row.after_window == "miss",
            is_repeated=len(days) > 1,
            min_days_between=int(row.min_days_between),
            is_dose=bool(row.dosed_arms),
            left_in_cycle=row.times - (number - 1) % row.times,
            offer=offer,
        )
        for number, day in enumerate(days, start=1)
    )


def visit_after_event(order: int, name: str, offer: Offer) -> PlannedVisit:
    """Return the visit that an event calls for: no dose, and never too late."""
    return PlannedVisit(
        row=name,
        row_order=order,
        number=1,
        days_after_first_dose=0,
        window_days=(0, NEVER_DAY),
        late_is_missed=False,
        is_repeated=False,
        min_days_between=0,
        is_dose=False,
        left_in_cycle=0,
        offer=offer,
    )
