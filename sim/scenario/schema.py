"""The scenario file: its three parts and the one place where each key is documented."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Annotated, Any, NamedTuple

from pydantic import AfterValidator, Field, model_validator

from sim.scenario.assumptions import Assumptions
from sim.scenario.design import Design
from sim.scenario.errors import refusal, shown
from sim.scenario.numbers import Number, Probability, Whole, WholePositive
from sim.scenario.section import Name, Ref, Section, Text, Title, Titled, walk
from sim.scenario.sweep import SweepPlan
from sim.vocabulary.measures import units_of

EXTENDS = "extends"


TAKEN = ("compare", "latest")
"""Names beside those of scenarios in the folder of all results."""


def _is_free(name: str) -> str:
    if name.casefold() in TAKEN:
        what = f"{shown(name)} stands for something else among the results"
        raise refusal(what, "any other name")
    return name


class Target(Titled):
    """What would be good enough: a measure, a limit, and how sure one wants to be."""

    measure: Annotated[str, Ref("measure")]
    """The name of a measure, such as `randomised` or `desk_backlog_peak_hours`."""
    at_least: Number | None = None
    """The measure must reach this, or …"""
    at_most: Number | None = None
    """… must not exceed this. A target has one of the two. A measure that is `never` counts as
    later than every day."""
    with_probability: Probability
    """The share of replications in which it must hold."""

    @model_validator(mode="after")
    def _one_limit(self) -> Target:
        if (self.at_least is None) == (self.at_most is None):
            raise refusal("a target has exactly one limit", "at_least or at_most")
        return self

    @property
    def limits(self) -> tuple[float, float]:
        """The lowest and the highest value of its measure that meet it; a blank one never does."""
        low, high = self.at_least, self.at_most
        return -math.inf if low is None else float(low), math.inf if high is None else float(high)


class GoNoGo(Section):
    """The rule by which one would stop: so few randomised that a target is out of reach.

    `triggers.csv` says for each month below how many that is: with fewer randomised by then the
    target is less probable than `below`. It changes nothing in the simulation: no trial is stopped.
    """

    target: Annotated[str, Ref("target")]
    """The name of a target."""
    at_months: Annotated[tuple[WholePositive, ...], Field(min_length=1)]
    """Months at whose ends one decides, in rising order, such as `[6, 12]`. A month is one of the
    calendar, counted from `opens`: of a trial that opens on 1 October month 6 ends with 31 March.
    How many are randomised by then is the measure `randomised_by_month_6` …"""
    below: Probability
    """The probability of the target under which one would stop."""


class Observed(Section):
    """How the log of the trial is read once it runs. It changes nothing in the simulation."""

    reasons: dict[
        Annotated[Text, Field(min_length=1)], Annotated[str, Ref("reason in a log", is_use=False)]
    ] = Field(default={})
    """What a log says in words of its own of why screening ended or somebody left, with the name
    that is meant, as in `{尿蛋白不足: proteinuria_over_1}`: a criterion, a reason of `leaving`,
    `consent` (declined when asked), `withdrawal` (from screening) or `turned_away` (no place was
    left). Names, and titles in English and Chinese, are understood without."""


class Ranged(NamedTuple):
    """A number by its dotted path, with its plausible range and how well it is known."""

    path: str
    value: float
    low: float
    high: float
    is_whole: bool
    evidence: str


class Scenario(Section):
    """A trial: what planners choose, what nature does, and what would be good enough.

    Any number may be written bare or as `{value: …, range: [low, high], evidence: …, source: …}`.
    Units stand in the names of the keys. Everything can be switched off.
    """

    scenario: Annotated[Name, AfterValidator(_is_free)]
    """A short name; results are kept under it. `compare` and `latest` are taken."""
    title: Title = ""
    """What is simulated, in a line for the report; by language as in `{en: …, zh: …}`."""
    design: Design
    """What planners choose; a sweep or a solver may move it."""
    assumptions: Assumptions
    """What nature does. The sensitivity analyses move the numbers in here that have a range."""
    targets: dict[Name, Target] = Field(default={})
    """What would be good enough."""
    go_no_go: GoNoGo | None = None
    """By which rule one would stop because a target is out of reach; left out, by none."""
    observed: Observed = Observed()
    """How the log of the trial is read once it runs."""
    # Not written out and not in the digest: it changes no simulation, so that a result found with
    # one block stands under any other.
    sweep: SweepPlan | None = Field(default=None, exclude=True)
    """At which points `trialsim sweep` simulates the scenario when no flag says it."""

    def digest(self) -> str:
        """Return the SHA-256 of the resolved scenario, in which the order of names counts."""
        return sha256(self.model_dump_json(by_alias=True).encode()).hexdigest()

    def ranged(self) -> list[Ranged]:
        """Return the ranged numbers of the assumptions, which a sensitivity analysis moves."""
        return [
            Ranged(
                entry.dotted, float(number), *number.range, isinstance(number, int), number.evidence
            )
            for entry in walk(self.assumptions, ("assumptions",))
            if isinstance(number := entry.value, Number | Whole) and number.range
        ]

    def measures(self) -> dict[str, str]:
        """Return the unit of each measure, in the order of the tables."""
        products = self.design.products.values()
        return dict(self.measures_named()) | {f"units_{each.name}": each.unit for each in products}

    def measures_named(self) -> Iterator[tuple[str, str]]:
        """Yield the name of each measure and its unit; names may make two measures of one name."""
        design, nature = self.design, self.assumptions
        products = design.products.values()
        groups: dict[str, Iterable[str]] = {
            "arm": design.arms,
            "reason": nature.leaving,
            "milestone": map(str, design.trial.milestones),
            "decision month": dict.fromkeys(
                map(str, self.go_no_go.at_months if self.go_no_go else ())
            ),
            "event": [name for name in design.unscheduled if name in nature.unscheduled],
            "product": design.products,
            "product in vials": [each.name for each in products if each.units_per_vial],
            "product in stock": [each.name for each in products if each.stock],
            "resource": [*design.staff, *design.rooms],
            "visit": dict.fromkeys((*design.screening_visits, *design.visits)),
            "day ahead": (),  # a log has them, see `EnrolmentLog`
        }
        return units_of(groups)

    def measures_with_values(self) -> list[str]:
        """Return the measures a target may be set on: without one, its day is blank."""
        has_target = self.design.trial.target is not None
        return [name for name in self.measures() if has_target or name != "day_of_target"]

    def rankable(self) -> list[str]:
        """Return the names of the targets and measures that a sensitivity analysis can rank by."""
        return [*self.targets, *self.measures_with_values()]


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema with which editors check and complete scenario files.

    A variant may leave out any key, and remove an inherited one by `null`: nothing is required, and
    everything may be null.
    """
    schema = _for_variants(Scenario.model_json_schema(by_alias=True))
    described = {"description": "The scenario this one differs from.", "type": "string"}
    schema["properties"] = {EXTENDS: described, **schema["properties"]}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _for_variants(schema: Any) -> Any:  # noqa: ANN401 -- plain data
    if isinstance(schema, list):
        return [_for_variants(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    parts = {
        # Of forms that look alike to a schema, such as shares by arm and by week, any will do.
        "anyOf" if key == "oneOf" else key: _for_variants(part)
        for key, part in schema.items()
        if key != "required" and not (key == "title" and isinstance(part, str))
    }
    for key in ("properties", "patternProperties"):
        if key in parts:
            parts[key] = {name: _or_null(entry) for name, entry in parts[key].items()}
    if isinstance(entries := parts.get("additionalProperties"), dict):
        parts["additionalProperties"] = _or_null(entries)
    return parts


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    about = ["description", "default"]
    said = {key: schema.pop(key) for key in about if key in schema}
    forms = schema["anyOf"] if schema.keys() == {"anyOf"} else [schema]
    return {**said, "anyOf": [*forms, *([] if _NULL in forms else [_NULL])]}


_NULL = {"type": "null"}
