"""`design`: what planners choose."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from itertools import pairwise, product
from typing import Annotated, Literal

from pydantic import BeforeValidator, Discriminator, Field, Strict, Tag, model_validator

from sim.scenario.capacity import Product, Role, Room
from sim.scenario.criteria import Attributes, Cap, Criterion, Stratum
from sim.scenario.errors import forms, text_or
from sim.scenario.numbers import (
    Number,
    OfRatio,
    Probability,
    Real,
    Whole,
    WholePositive,
)
from sim.scenario.places import Booking, Place
from sim.scenario.schedule import Monitoring, ScheduleRow, Unscheduled
from sim.scenario.section import (
    ByName,
    Date,
    Name,
    Ref,
    Section,
    Text,
    Title,
    Titled,
    absent_is,
    none_written,
)
from sim.scenario.steps import USUAL, ScreeningStep


class TrialPlan(Section):
    """When the trial runs and how many it wants."""

    registry_id: Text = ""
    """Registration number, for the title of the report."""
    site: Text = ""
    """The hospital, for the title of the report."""
    opens: Date
    """First day a candidate may come; its midnight is time zero of the simulation. Weeks begin on
    Monday."""
    closes: Date
    """Last day of the trial, to its end (24:00). A visit that does not fit before it is not held
    and people inside are counted as still in follow-up."""
    recruits_until: Date = Field(default_factory=lambda trial: trial.get("closes"))
    """Last day anyone may be randomised: the task `randomise` must end on or before it. Whoever is
    on the way then stays in screening. Left out, it is `closes`."""
    target: Annotated[
        WholePositive | None,
        BeforeValidator(
            none_written, json_schema_input_type=WholePositive | Literal["none"] | None
        ),
        absent_is("none"),
    ] = None
    """Participants to randomise, or `none`. The day this number is randomised is `day_of_target`,
    and no new candidate comes after it."""
    milestones: tuple[WholePositive, ...] = ()
    """Numbers of participants in rising order, such as `[10, 20, 30]`: the day on which so many are
    randomised is the measure `day_of_10` …"""
    when_full: Literal["finish_screening", "turn_away"] = "finish_screening"
    """What becomes of those in screening when the target is reached. `finish_screening`: those
    who have consented may still be randomised, so the trial may end above its target.
    `turn_away`: nobody is randomised any more."""


class Minimisation(Section):
    """How arms are balanced over several factors at once.

    After Pocock and Simon 1975, Biometrics 31:103. For whoever is randomised next, the imbalance of
    the arms is worked out as it would be with them in each of the arms: in the level that they have
    of each factor of `strata`, these imbalances weighted and added up. The arm that leaves the
    least is preferred; of several one is drawn by the ratio.
    """

    probability: Probability = Number(0.8)
    """With which probability the preferred arm is given; 1 leaves nothing to chance but ties. Of
    arms in unequal ratio it is that of the smallest. In a fixed share of cases an arm is drawn by
    the ratio in place of the preferred one, so that a larger arm is given a little more often when
    it is preferred, and the ratio is kept (biased coin minimisation: Han, Enas and McEntegart 2009,
    Statistics in Medicine 28:3329). Not below the share of the smallest arm, at which the method is
    `simple`."""
    imbalance: Literal["range", "variance"] = "range"
    """How uneven the arms are in a level: the largest less the smallest, or the variance. An arm
    counts its participants divided by its ratio."""
    weights: dict[Annotated[str, Ref("factor of randomisation")], WholePositive] = Field(default={})
    """By attribute of `strata`, how much its imbalance weighs; one not named: 1."""


class Randomisation(Section):
    """How arms are assigned.

    Blocks and single draws are a sequence of arms for each stratum, drawn beforehand and used up in
    the order of randomisation.
    """

    method: Literal["permuted_blocks", "simple", "minimisation"] = "simple"
    """`permuted_blocks` keeps the arms in balance after every block; `simple` draws each alone;
    `minimisation` prefers the arm that leaves the least imbalance in the factors of `strata`."""
    block_sizes: tuple[Annotated[int, Strict(), Field(ge=1, le=10_000)], ...] = ()
    """For permuted blocks: sizes drawn at random, each a multiple of the sum of `ratio`."""
    ratio: dict[Annotated[Name, Ref("arm")], OfRatio] = Field(default={})
    """Participants per arm for each cycle of the ratio; left out, one for each arm."""
    strata: tuple[
        Annotated[
            Annotated[str, Ref("yes/no attribute"), Tag("name")]
            | Annotated[
                dict[
                    Annotated[str, Ref("measured attribute")],
                    Annotated[tuple[Real, ...], Field(min_length=1)],
                ],
                Field(min_length=1, max_length=1),
                Tag("cuts"),
            ],
            forms(
                text_or(dict, text="name", other="cuts"),
                "this is not a stratum",
                "a yes/no attribute, or {attribute: [cut points]}",
            ),
        ],
        ...,
    ] = ()
    """Yes/no attributes, or `{attribute: [cut points]}` (a value at a cut point counts above it);
    every combination is a stratum with its own sequence. Empty: one sequence. For `minimisation`
    they are the factors; empty, it looks at the sizes of the arms alone (the biased coin of Efron
    1971, Biometrika 58:403)."""
    minimisation: Minimisation = Minimisation()
    """How `minimisation` weighs and decides."""
    caps: ByName[Cap] = Field(default={})
    """How many of a kind of people may be randomised at most, each cap by a name of your own."""

    @cached_property
    def cuts(self) -> tuple[tuple[str, tuple[float, ...]], ...]:
        """Return the factors of stratification with the cut points between their levels."""
        return tuple(
            (factor, (1.0,)) if isinstance(factor, str) else next(iter(factor.items()))
            for factor in self.strata
        )

    @property
    def least_share(self) -> float:
        """The share that the ratio gives to the smallest arm of those that it gives any."""
        return min(filter(None, self.ratio.values())) / sum(self.ratio.values())

    @cached_property
    def share_by_preference(self) -> float:
        """In what share of cases minimisation gives the preferred arm whatever the ratio says."""
        return (self.minimisation.probability - self.least_share) / (1 - self.least_share)

    def stratum(self, attributes: Attributes) -> Stratum:
        """Return a person's level of each factor."""
        return tuple(sum(attributes[name] >= cut for cut in cuts) for name, cuts in self.cuts)

    def balanced(self, stratum: Stratum) -> tuple[Stratum, ...]:
        """Return the groups of people in which the arms are to be in balance, of one stratum.

        That is the stratum itself; of minimisation it is each factor, by its index, with the level,
        and without factors everybody.
        """
        if self.method != "minimisation":
            return (stratum,)
        return tuple(enumerate(stratum)) or ((),)

    def levels(
        self, title: Callable[[str], str] = str, without: str = "not {name}"
    ) -> list[list[str]]:
        """Return what the levels of each factor are called."""
        levels: list[list[str]] = []
        for written, (factor, cuts) in zip(self.strata, self.cuts, strict=True):
            name = title(factor)
            if isinstance(written, str):
                levels.append([without.format(name=name), name])
                continue
            between = [f"{low:g} <= {name} < {high:g}" for low, high in pairwise(cuts)]
            levels.append([f"{name} < {cuts[0]:g}", *between, f"{name} >= {cuts[-1]:g}"])
        return levels

    def named_groups(
        self, title: Callable[[str], str] = str, without: str = "not {name}"
    ) -> dict[Stratum, str]:
        """Return what each group in which arms are balanced is called; one alone has no name."""
        levels = self.levels(title, without)
        if self.method == "minimisation" and levels:
            return {
                (factor, index): name
                for factor, names in enumerate(levels)
                for index, name in enumerate(names)
            }
        return {
            tuple(index for index, _ in stratum): ", ".join(name for _, name in stratum)
            for stratum in product(*map(enumerate, levels))
        }


class Treatment(Section):
    """A group of participants and what it receives."""

    title: Title = ""
    """How the arm is called in the report; by language as in `{en: …, zh: …}`."""
    product: Annotated[str, Ref("product")] | None = None
    """The product given at each visit of the schedule rows that name this arm, where they do not
    say what they give. Left out, nothing is: usual care, or a trial of something that is not a
    product."""


class Later(Section):
    """Work that waits at a desk and never delays a visit."""

    later: Annotated[str, Ref("task")]
    """A task that asks exactly one role."""


class AnyOf(Section):
    """A place in a team that several can take."""

    any_of: tuple[Annotated[str, Ref("role or room")], ...] = Field(min_length=2)
    """Roles or rooms of which one is needed: whoever can begin first, on ties in this order."""


Member = Annotated[
    Annotated[str, Ref("role or room"), Tag("name")] | Annotated[AnyOf, Tag("choice")],
    forms(
        text_or(AnyOf, text="name", other="choice"),
        "this is not a member of a team",
        "a role, a room, or {any_of: [one, another]}",
    ),
]


def those_in(member: Member) -> tuple[str, ...]:
    """Return the roles or rooms of which one takes a place in a team."""
    return member.any_of if isinstance(member, AnyOf) else (member,)


Step = Annotated[
    Annotated[str, Ref("task"), Tag("task")] | Annotated[Later, Tag("later")],
    forms(
        text_or(Later, text="task", other="later"),
        "this is not a step of a visit",
        "the name of a task, or {later: task}",
    ),
]


def task_of(step: Step) -> str:
    """Return the task a step of a visit names."""
    return step.later if isinstance(step, Later) else step


class TitledVisit(Titled):
    """A visit that has a title."""

    tasks: tuple[Step, ...]
    """What it asks for, as the list that stands for a visit without a title."""


class TitledTask(Titled):
    """A task that has a title."""

    team: tuple[Member, ...]
    """The roles and rooms it takes, as the list that stands for a task without a title."""


def _or_list(section: type[Section]) -> Discriminator:
    """Return what tells a list from a section that holds it, by their tags."""

    def form(data: object) -> str | None:
        if isinstance(data, dict | section):
            return "titled"
        return "list" if isinstance(data, list | tuple) else None

    return forms(form, "this is not a list", "a list, as in [a, b]")


class Design(Section):
    """What planners choose."""

    trial: TrialPlan
    """Its dates and its size."""
    places: dict[Name, Place] = Field(default={})
    """Where visits happen and when each is open. Screening takes place at the first one, unless a
    step of it says another."""
    booking: Booking = Booking()
    """By appointment or by arrival."""
    staff: dict[Name, Role] = Field(default={})
    """The roles that can be asked for work."""
    rooms: dict[Name, Room] = Field(default={})
    """The rooms, beds and devices that work can need."""
    screening: tuple[ScreeningStep, ...] = ()
    """The steps from a chart to randomisation, in their order. It is the end of the last step; of
    paperwork, that of its task `randomise`, where it has one. Left out: paperwork `chart_review`
    (step `chart`), then `contact_days`, `screening_visit` (`visit`), `lab_days`, its results
    (`labs`), `work_up_days`, and paperwork `eligibility_call` (`call`)."""
    eligibility: ByName[Criterion] = Field(default={})
    """The criteria in the order they are checked. The first that fails decides how a failure is
    counted (`failed_first`); all that fail are counted as well (`failed_any`)."""
    randomisation: Randomisation = Randomisation()
    """How arms are assigned."""
    arms: dict[Name, Treatment] = Field(min_length=1)
    """The groups participants are randomised to."""
    products: ByName[Product] = Field(default={})
    """What is given."""
    schedule: dict[Name, ScheduleRow] = Field(default={})
    """The protocol's schedule of activities, one line a row."""
    unscheduled: dict[Name, Unscheduled] = Field(default={})
    """Visits beside the schedule, by what calls for them."""
    monitoring: Annotated[
        Monitoring | None,
        BeforeValidator(none_written, json_schema_input_type=Monitoring | Literal["none"] | None),
        absent_is("none"),
    ] = None
    """The visits of a monitor, or `none`."""
    visits: dict[
        Name,
        Annotated[
            Annotated[tuple[Step, ...], Tag("list")] | Annotated[TitledVisit, Tag("titled")],
            _or_list(TitledVisit),
        ],
    ] = Field(default={})
    """What a visit asks for, task after task, as a list or, with a title, as in
    `{title: …, tasks: […]}`; `{later: task}` waits at a desk instead. A task named
    twice is done twice, and each time takes as long as it happens to take. A visit starts at the
    first time of its day, from the participant's coming, at which its tasks can begin one after the
    other, at modal length, with their people and rooms on duty, first come first served. Its day is
    the day on which it begins; a task may begin after midnight where all people and rooms of the
    visit are on duty from midnight on. A visit that no week has room for is refused. Whoever comes
    in vain, because the team is taken all that day, is there again at the first start of the next
    possible day. Where `screening` names no steps, three names have a meaning of their own, and
    take no time when empty or left out: `chart_review` (before anyone is contacted),
    `screening_visit`, and `eligibility_call` (after the work-up)."""
    tasks: dict[
        Name,
        Annotated[
            Annotated[tuple[Member, ...], Tag("list")] | Annotated[TitledTask, Tag("titled")],
            _or_list(TitledTask),
        ],
    ] = Field(default={})
    """The roles and rooms that work takes, as a list or, with a title, as in
    `{title: …, team: […]}`; they are held together for as long as it lasts. Those of the next
    task of a visit are promised to it when the task before ends: who of them is free first waits
    for the others. Where several would do, `{any_of: [investigator, sub_investigator]}` is one
    place in the team: it is taken by whoever can begin first, on ties in the order written; who is
    on duty goes before who would stay on, and by appointment the one in the book before others who
    are free. Three names have a meaning of their own: declining at `discuss_consent` ends the visit
    of screening; laboratory results count from `draw_blood`, which is repeated when they are too
    old; the end of `randomise` is the moment of randomisation. Where a visit names one of them
    twice the last one counts: consent is given or declined when the last talk ends. Too old blood
    is all drawn again."""

    @property
    def steps(self) -> tuple[ScreeningStep, ...]:
        """The steps of screening."""
        return self.screening or USUAL

    @property
    def screening_visits(self) -> tuple[str, ...]:
        """What is held at the steps of screening, each once."""
        return tuple(dict.fromkeys(step.work for step in self.steps if step.work))

    @cached_property
    def steps_of_visits(self) -> Mapping[str, tuple[Step, ...]]:
        """What each visit asks for."""
        return {
            name: each.tasks if isinstance(each, TitledVisit) else each
            for name, each in self.visits.items()
        }

    @cached_property
    def teams(self) -> Mapping[str, tuple[Member, ...]]:
        """The roles and rooms that each task takes."""
        return {
            name: each.team if isinstance(each, TitledTask) else each
            for name, each in self.tasks.items()
        }

    def offers(self) -> Iterator[tuple[str, str, dict[str, str]]]:
        """Yield the visits offered by place in the schedule and beside it: section, name, `at`."""
        yield from (("schedule", name, row.at) for name, row in self.schedule.items())
        yield from (("unscheduled", name, each.at) for name, each in self.unscheduled.items())

    @model_validator(mode="after")
    def _ratio_of_one_each(self) -> Design:
        if self.randomisation.ratio:
            return self
        ratio = {arm: Whole(1) for arm in self.arms}
        even = self.randomisation.model_copy(update={"ratio": ratio})
        return self.model_copy(update={"randomisation": even})
