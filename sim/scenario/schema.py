"""The scenario file: its three parts and the one place where each key is documented."""

from __future__ import annotations

from hashlib import sha256

from pydantic import Field, model_validator

from sim.scenario.assumptions import Assumptions
from sim.scenario.design import Design
from sim.scenario.errors import refusal
from sim.scenario.numbers import Number, Probability
from sim.scenario.section import Name, Section
from sim.scenario.sweep import Sweep


class Target(Section):
    """What would be good enough: a measure, a limit, and how sure one wants to be."""

    measure: str
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


class Scenario(Section):
    """A trial: what planners choose, what nature does, and what would be good enough.

    Any number may be written bare or as `{value: …, range: [low, high], evidence: …, source: …}`.
    Units stand in the names of the keys. Everything can be switched off.
    """

    scenario: Name
    """A short name; results are kept under it."""
    title: str = ""
    """What is simulated, in a line for the report."""
    design: Design
    """What planners choose; a sweep or a solver may move it."""
    assumptions: Assumptions
    """What nature does. The sensitivity analyses move the numbers in here that have a range."""
    targets: dict[Name, Target] = Field(default={})
    """What would be good enough."""
    # Not written out and not in the digest: it changes no simulation, so that a result found with
    # one block stands under any other.
    sweep: Sweep | None = Field(default=None, exclude=True)
    """At which points `trialsim sweep` simulates the scenario when no flag says it."""

    def digest(self) -> str:
        """Return the SHA-256 of the resolved scenario, in which the order of names counts."""
        return sha256(self.model_dump_json(by_alias=True).encode()).hexdigest()
