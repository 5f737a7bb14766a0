"""What scenarios change in the chance of each target: pairs of the same simulated people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from sim.report.page import within
from sim.report.run import Run
from sim.results import folder
from sim.results.fold import meets
from sim.results.pairs import as_numbers, draws_in
from sim.vocabulary.intervals import Interval, of_paired_met
from sim.vocabulary.words import Words

Runs = Mapping[str, Run]
"""Finished runs by what their scenarios are called, the baseline first."""

MOST_CHANGED = 6
"""Scenarios that a terminal shows for each target."""


class Change(NamedTuple):
    """How probable a target is in the first scenario and in another, and the difference in pairs.

    The pairs are replications of one number, met by the same people.
    """

    target: str
    scenario: str
    before: float
    after: float
    within: Interval

    @property
    def difference(self) -> float:
        """By how much it is more probable."""
        return self.after - self.before

    @property
    def is_clear(self) -> bool:
        """Whether the interval lies on one side of nothing."""
        return self.within.low > 0 or self.within.high < 0

    def points(self, say: Words) -> tuple[str, str]:
        """Return the difference, and its interval, in percentage points as people write them."""
        value, *ends = (say.signed(100 * share, ".0f") for share in (self.difference, *self.within))
        return value, say.span(*ends)


def changes_of_targets(runs: Runs) -> Iterator[Change]:
    """Yield the change of each target that the first scenario and another have in common."""
    (_, baseline), *others = runs.items()
    ours = _replications(baseline)
    theirs = {scenario: _replications(run) for scenario, run in others}
    for name, target in baseline.scenario.targets.items():
        before = meets(target, as_numbers(ours[target.measure]))
        for scenario, run in others:
            if (their_target := run.scenario.targets.get(name)) is None:
                continue
            after = meets(their_target, as_numbers(theirs[scenario][their_target.measure]))
            pairs = of_paired_met(before, after, draws_in(ours, theirs[scenario]))
            yield Change(name, scenario, float(before.mean()), float(after.mean()), pairs)


def _replications(run: Run) -> pd.DataFrame:
    """What the targets of a run are judged by, and which draw each replication had."""
    measures = dict.fromkeys(target.measure for target in run.scenario.targets.values())
    return folder.read(run.place, "replications.csv", ["draw", *measures])


def told(changes: Sequence[Change], say: Words) -> list[str]:
    """Return a sentence a scenario: its largest change of a target first, then all others.

    The scenario with the largest of all comes first; nothing where no target is in common.
    """
    by_scenario: dict[str, list[Change]] = {}
    for change in sorted(changes, key=_size, reverse=True):
        by_scenario.setdefault(change.scenario, []).append(change)
    return [_told(scenario, of_it, say) for scenario, of_it in by_scenario.items()]


def _size(change: Change) -> tuple[bool, float]:
    return change.is_clear, abs(change.difference)


def _told(scenario: str, changes: Sequence[Change], say: Words) -> str:
    """What a scenario changes, its clear changes one by one and the others together."""
    clear = [
        say(
            "compare.changed",
            target=say.title(each.target),
            before=say.percent(each.before),
            after=say.percent(each.after),
        )
        for each in changes
        if each.is_clear
    ]
    rest = [say.title(each.target) for each in changes if not each.is_clear]
    same = [say("compare.unclear", targets=say.listing(rest))] if rest else []
    said = say("compare.changes", name=scenario, changes=say.clauses([*clear, *same]))
    return say.capital(said)


def change_lines(runs: Runs, changes: Sequence[Change]) -> Iterator[str]:
    """What each scenario changes in the chance of each target, for a terminal."""
    name, baseline = next(iter(runs.items()))
    say = baseline.say
    for target in baseline.tables["targets.csv"].to_dict("records"):
        chance, asked = (say.percent(target[each]) for each in ("probability", "with_probability"))
        said = f"in {chance} of the trials of {name}, asked: {asked}"
        yield f"{say.heading(target['target'])}: {target['verdict']}, {said}"
        yield from _lines(say, [each for each in changes if each.target == target["target"]])


def _lines(say: Words, changes: Sequence[Change]) -> Iterator[str]:
    """The changes of a target beyond noise, the largest first; the others counted."""
    ordered = sorted(changes, key=_size, reverse=True)
    clear = [each for each in ordered if each.is_clear]
    for each in clear[:MOST_CHANGED]:
        change, span = each.points(say)
        yield f"  {each.scenario}: {say.aside(f'{change} points', span)}"
    if (more := len(clear) - MOST_CHANGED) > 0:
        yield f"  {more} more: see the page"
    if others := ordered[len(clear) :]:
        bound = within(max(abs(end) for each in others for end in each.within))
        who = others[0].scenario if len(others) == 1 else f"{len(others)} others"
        yield f"  {who}: no clear difference, none beyond {bound}"
