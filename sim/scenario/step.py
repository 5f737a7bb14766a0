"""What a visit asks for, one after the other: tasks, and work left on a desk."""

from __future__ import annotations

from typing import Annotated

from pydantic import Tag

from sim.scenario.errors import forms
from sim.scenario.section import Section


class Later(Section):
    """Work that waits at a desk and never delays a visit."""

    later: str
    """A task that asks exactly one role."""


Step = Annotated[
    Annotated[str, Tag("task")] | Annotated[Later, Tag("later")],
    forms(
        lambda data: (
            "task" if isinstance(data, str) else "later" if isinstance(data, dict | Later) else None
        ),
        "this is not a step of a visit",
        "the name of a task, or {later: task}",
    ),
]
