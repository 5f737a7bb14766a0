"""`design.screening`: the steps from a chart to randomisation, in their order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated

from pydantic import model_validator

from sim.scenario.errors import Fault, refusal
from sim.scenario.numbers import Wait
from sim.scenario.section import Name, Ref, Titled

DISCUSS_CONSENT, DRAW_BLOOD, RANDOMISE = "discuss_consent", "draw_blood", "randomise"
"""Tasks whose end means something, of several of one name in a visit that of the last.

Without one, the visit's start (consent) or end does."""


class ScreeningStep(Titled):
    """A step on the way to randomisation: a visit, paperwork, or something that becomes known.

    A criterion names the step at whose end it becomes known; who fails it there goes no further.
    """

    name: Name
    """How criteria, the log and the report call it."""
    visit: Annotated[str, Ref("visit")] | None = None
    """The visit to which the candidate then comes. Consent is asked at the first one of all steps:
    when its task `discuss_consent` ends, and where it has none, when it starts. What is known at
    steps before is known from papers, and whoever fails there is never contacted."""
    paperwork: Annotated[str, Ref("visit")] | None = None
    """In place of `visit`: what is then done for the candidate, who does not come to it, such as a
    chart review. With neither, nothing is done, and something becomes known, such as results of the
    laboratory: their days count from `draw_blood` at the step before."""
    at: Annotated[str, Ref("place")] | None = None
    """Where the visit is held; left out, at the first place."""
    after_days: Wait | None = None
    """Days from the end of the step before, at least; the visit is held as soon after as there is
    room. Left out, these are `contact_days` before the first visit, `lab_days` before what becomes
    known, `work_up_days` before the last step, and else none."""

    gives: Annotated[str, Ref("product")] | None = None
    """A product of which one dose, in whole vials, is handed out when the visit is over to whoever
    passes the step, such as a placebo for the days until the next one. If it is out of stock the
    visit waits. It is counted in vials, and in no figure of doses."""

    @property
    def work(self) -> str | None:
        """The visit that is held, whether anybody comes to it or not."""
        return self.visit or self.paperwork

    @model_validator(mode="after")
    def _one_kind(self) -> ScreeningStep:
        if self.visit and self.paperwork:
            raise refusal("a step is a visit or paperwork", "one of them, or neither")
        if self.at and not self.visit:
            raise refusal("nobody comes to this step", "at beside visit")
        if self.gives and not self.visit:
            raise refusal("nobody comes to this step", "gives beside visit")
        return self


USUAL = (
    ScreeningStep(name="chart", paperwork="chart_review"),
    ScreeningStep(name="visit", visit="screening_visit"),
    ScreeningStep(name="labs"),
    ScreeningStep(name="call", paperwork="eligibility_call"),
)
"""The steps where a scenario names none; it may leave out what their visits ask for."""


def first_visit(steps: Sequence[ScreeningStep]) -> int:
    """Return the index of the first step to which the candidate comes: there consent is asked."""
    return next(index for index, step in enumerate(steps) if step.visit)


def waits(steps: Sequence[ScreeningStep]) -> Iterator[tuple[str, str]]:
    """Yield of each step the wait before it: the address of its luck, and under which key it is.

    The key is one of `assumptions.screening`; "" where the step has its own days, or none.
    """
    asking, results = first_visit(steps), [step for step in steps if not step.work]
    for index, step in enumerate(steps):
        if step.after_days is not None:
            yield f"wait for {step.name}", ""
        elif index == asking:
            yield "contact", "contact_days"
        elif results[:1] == [step]:
            yield "laboratory", "lab_days"
        elif not step.work:
            yield f"laboratory {step.name}", "lab_days"
        elif index == len(steps) - 1:
            yield "work-up", "work_up_days"
        else:
            yield "", ""


def step_faults(
    steps: Sequence[ScreeningStep], tasks: Mapping[str, Sequence[str]]
) -> Iterator[Fault]:
    """Yield what steps contradict among themselves; `tasks` are those of each visit."""
    path = ("design", "screening")
    names = [step.name for step in steps]
    for index, name in enumerate(names):
        if name in names[:index]:
            what = f"another step is called {name} too"
            yield Fault((*path, index, "name"), what, "a name of its own")
    if not any(step.visit for step in steps):
        yield Fault(path, "the candidate comes to none of these steps", "a step with a visit")
        return
    asking = first_visit(steps)
    has = [tasks.get(step.work or "", ()) for step in steps]
    for index, step in enumerate(steps):
        kind = "visit" if step.visit else "paperwork"
        if DISCUSS_CONSENT in has[index] and DISCUSS_CONSENT not in has[asking]:
            what = f"consent is asked at {step.name}, and the first visit is at {names[asking]}"
            yield Fault((*path, index, kind), what, f"{DISCUSS_CONSENT} in {steps[asking].visit}")
        if RANDOMISE in has[index] and index < len(steps) - 1:
            what = f"{RANDOMISE} is done at {step.name}, before other steps"
            yield Fault((*path, index, kind), what, f"{RANDOMISE} at the last step")
