"""What every part of a scenario file has in common: frozen, closed, documented key by key."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from pydantic import (
    BaseModel,
    ConfigDict,
    Strict,
    StringConstraints,
    ValidationInfo,
    WrapSerializer,
    model_validator,
)

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,47}$")]
"""A name a planner chooses; it becomes part of a measure's name, hence no other characters."""

Date = Annotated[dt.date, Strict()]
"""A day of the calendar, written 2022-10-01."""


def absent_is(word: str) -> WrapSerializer:
    """Return what writes an absent entry as a word."""
    return WrapSerializer(lambda entry, write: word if entry is None else write(entry))


NoneWritten = absent_is("none")


def none_written(data: object) -> object:
    """Read the word `none` as nothing."""
    return None if data == "none" else data


class Section(BaseModel):
    """A mapping of the scenario file; the docstring under each key is its documentation."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        use_attribute_docstrings=True,
    )

    @model_validator(mode="before")
    @classmethod
    def _note_which_section(cls, data: object, info: ValidationInfo) -> object:
        """Note which section a mapping was read as, so that a complaint can list its keys."""
        if info.context is not None and isinstance(data, dict):
            info.context[id(data)] = cls
        return data
