"""What a visit asks for, one after the other: tasks, and work left on a desk."""

from __future__ import annotations

from typing import Annotated

from pydantic import Discriminator, Tag

from sim.meaning.section import Section


class Later(Section):
    """Work that waits at a desk and never delays a visit."""

    later: str
    """A task that asks exactly one role."""


Step = Annotated[
    Annotated[str, Tag("task")] | Annotated[Later, Tag("later")],
    Discriminator(
        lambda data: (
            "task" if isinstance(data, str) else "later" if isinstance(data, dict | Later) else None
        ),
        custom_error_type="refused",
        custom_error_message="{what}",
        custom_error_context={
            "what": "this is not a step of a visit",
            "allowed": "the name of a task, or {later: task}",
        },
    ),
]
