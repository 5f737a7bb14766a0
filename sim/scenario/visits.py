"""What every visit of a scenario asks for, and of whom: tasks with their teams, by number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import compress

from sim.scenario.design import Design, Later, task_of, those_in
from sim.scenario.schema import Scenario
from sim.scenario.slots import Resource, Task, VisitType, choice_among
from sim.scenario.steps import DRAW_BLOOD, first_visit


def members(design: Design) -> list[tuple[str, ...]]:
    """Return who can take a place in a team, by number: roles, rooms, and choices among them.

    Roles and rooms stand as they do in the design, each alone.
    """
    alone = ((name,) for name in (*design.staff, *design.rooms))
    asked = (those_in(member) for team in design.teams.values() for member in team)
    return list(dict.fromkeys([*alone, *asked]))


def with_choices(design: Design, resources: Sequence[Resource]) -> tuple[Resource, ...]:
    """Return the roles and rooms, and behind them the choices among them: see `members`."""
    numbers = {each.name: index for index, each in enumerate(resources)}
    several = members(design)[len(resources) :]
    choices = ([numbers[name] for name in choice] for choice in several)
    return (*resources, *(choice_among(resources, choice) for choice in choices))


def visit_types(scenario: Scenario) -> dict[str, VisitType]:
    """Return what every visit asks for, by name; those of screening also where they are left out.

    The members of a team are numbered as in `members`.
    """
    design, laws = scenario.design, scenario.assumptions.durations_minutes
    numbers = {member: index for index, member in enumerate(members(design))}

    def task(name: str, before: int) -> Task:
        """Return a task of a visit in which so many `before` it have its name."""
        team = tuple(numbers[those_in(member)] for member in design.teams[name])
        luck = f"{name}#{before + 1}" if before else name
        return Task(name, luck, team, laws[name].distribution().typical)

    def visit(name: str) -> VisitType:
        steps = design.steps_of_visits.get(name, ())
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
