"""What every visit of a scenario asks for, and what is done of one when its blood is too old."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import compress

from sim.scenario.design import Design, Later, task_of
from sim.scenario.schema import Scenario
from sim.scenario.slots import Task, VisitType
from sim.scenario.steps import DRAW_BLOOD, first_visit


def visit_types(scenario: Scenario) -> dict[str, VisitType]:
    """Return what every visit asks for, by name; those of screening also where they are left out.

    The members of a team are numbered: roles first, then rooms, each as they stand in the design.
    """
    design, laws = scenario.design, scenario.assumptions.durations_minutes
    members = {name: index for index, name in enumerate((*design.staff, *design.rooms))}

    def task(name: str, before: int) -> Task:
        """Return a task of a visit in which so many `before` it have its name."""
        team = tuple(members[member] for member in design.tasks[name])
        luck = f"{name}#{before + 1}" if before else name
        return Task(name, luck, team, laws[name].distribution().typical)

    def visit(name: str) -> VisitType:
        steps = design.visits.get(name, ())
        names = [task_of(step) for step in steps]
        tasks = [task(each, names[:index].count(each)) for index, each in enumerate(names)]
        waits = [isinstance(step, Later) for step in steps]
        at_once = (not each for each in waits)
        return VisitType(name, tuple(compress(tasks, at_once)), tuple(compress(tasks, waits)))

    return {name: visit(name) for name in (*design.screening_visits, *design.visits)}


def blood_drawn_at(design: Design, visits: Mapping[str, VisitType]) -> int:
    """Return the index of the step, before the last, that draws blood last; else of consent."""
    drawn = (
        index
        for index, step in enumerate(design.steps[:-1])
        if step.visit and any(task.name == DRAW_BLOOD for task in visits[step.visit].tasks)
    )
    return max(drawn, default=first_visit(design.steps))


def repeat_of_blood(visit: VisitType) -> VisitType:
    """Return what is done of a visit of screening when its blood is too old."""
    drawn = (task for task in visit.tasks if task.name == DRAW_BLOOD)
    return VisitType("repeat_blood", tuple(drawn), ())
