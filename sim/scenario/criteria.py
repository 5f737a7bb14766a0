"""What has to hold of people's attributes: criteria of eligibility, and caps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from operator import ge, gt, le, lt
from typing import Annotated

from pydantic import Strict, Tag, model_validator

from sim.scenario.errors import forms, refusal
from sim.scenario.numbers import Number, WholePositive
from sim.scenario.section import Named, Ref, Section

Attributes = Mapping[str, float]
"""A person's attributes by name; a yes/no attribute is 1.0 or 0.0."""

Stratum = tuple[int, ...]
"""The level of each factor of randomisation."""


class Bounds(Section):
    """The values of an attribute that are allowed; every limit given must hold."""

    above: Number | None = None
    """More than this; an age above 18 is anything over 18.0."""
    at_least: Number | None = None
    """This or more."""
    below: Number | None = None
    """Less than this."""
    at_most: Number | None = None
    """This or less."""

    @model_validator(mode="after")
    def _says_something_possible(self) -> Bounds:
        lower = [limit for limit in (self.above, self.at_least) if limit is not None]
        upper = [limit for limit in (self.below, self.at_most) if limit is not None]
        if not lower and not upper:
            raise refusal("no limit is given", "above, at_least, below or at_most")
        if lower and upper and max(lower) > min(upper):
            raise refusal("no value meets these limits", "a lower limit below the upper one")
        return self


_HOLDS = {"above": gt, "at_least": ge, "below": lt, "at_most": le}

_Limit = tuple[str, Callable[[float, float], bool], float]
"""An attribute, how it has to compare, and with what."""


def _limits(bounded: Mapping[str, Bounds]) -> Iterator[_Limit]:
    for attribute, bounds in bounded.items():
        for word, holds in _HOLDS.items():
            if (limit := getattr(bounds, word)) is not None:
                yield attribute, holds, float(limit)


class Criterion(Named, extra="allow"):
    """One criterion: `without` a yes/no attribute, or an attribute of `patients` with limits."""

    __pydantic_extra__: dict[str, Bounds]

    at: Annotated[str, Ref("step")]
    """The step of screening at whose end it becomes known. Where `screening` names no steps:
    `chart` (the chart is read), `visit` (the screening visit), `labs` (the laboratory's results are
    in, before the work-up) or `call` (the eligibility call: whoever fails is not randomised)."""
    without: Annotated[str, Ref("yes/no attribute")] | None = None
    """A yes/no attribute of `patients` that a participant must not have."""

    @property
    def bounds(self) -> dict[str, Bounds]:
        """Return the limits by attribute: empty, or one entry."""
        return self.__pydantic_extra__

    @cached_property
    def limits(self) -> tuple[_Limit, ...]:
        """Return the attribute, how it has to compare, and with what: all must hold."""
        if self.without is not None:
            return ((self.without, lt, 1.0),)
        return tuple(_limits(self.bounds))

    def fails(self, attributes: Attributes) -> bool:
        """Say whether a person with these attributes fails the criterion."""
        for name, holds, limit in self.limits:  # noqa: SIM110 -- a generator takes twice the time
            if not holds(attributes[name], limit):
                return True
        return False

    @model_validator(mode="after")
    def _one_condition(self) -> Criterion:
        if len(self.bounds) + (self.without is not None) != 1:
            raise refusal(
                "a criterion states exactly one condition",
                "without: <attribute>, or <attribute>: {above | at_least | below | at_most: …}",
            )
        return self


class Cap(Named, extra="allow"):
    """At most so many of those who are alike: as in `{at_most: 20, age: {at_least: 65}}`.

    Beside `at_most` stand attributes of `patients`: with limits, or `true` or `false` for one that
    is yes or no. It counts those for whom all of them hold. Whoever is one too many is turned away,
    as soon as screening knows the place to be taken: at the next of the moments at which a trial
    that is full turns people away, at the latest when about to be randomised. What a criterion
    reads is known from the step of that criterion on, all else from the chart.
    """

    __pydantic_extra__: dict[
        str,
        Annotated[
            Annotated[bool, Strict(), Tag("yes/no")] | Annotated[Bounds, Tag("limits")],
            forms(
                lambda data: "yes/no" if isinstance(data, bool) else "limits",
                "this is not a group",
                "true, false, or limits",
            ),
        ],
    ]

    at_most: WholePositive
    """How many of them may be randomised."""

    @property
    def of(self) -> dict[str, bool | Bounds]:
        """Return what has to hold of each attribute."""
        return self.__pydantic_extra__

    @cached_property
    def _of_whom(self) -> tuple[_Limit, ...]:
        yes_no = {name: each for name, each in self.of.items() if isinstance(each, bool)}
        bounded = {name: each for name, each in self.of.items() if isinstance(each, Bounds)}
        said = ((name, ge if each else lt, 1.0) for name, each in yes_no.items())
        return (*said, *_limits(bounded))

    def counts(self, attributes: Attributes) -> bool:
        """Say whether a person with these attributes is one of them."""
        return all(holds(attributes[name], limit) for name, holds, limit in self._of_whom)

    @model_validator(mode="after")
    def _of_somebody(self) -> Cap:
        if not self.of:
            raise refusal("nothing says of whom", "an attribute beside at_most, as in {sick: true}")
        return self
