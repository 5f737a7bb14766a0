"""On which of the assumptions drawn an outcome hangs, and what knowing them would tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import pandas as pd

from sim.report.charts import intervals
from sim.report.page import Figure, figure
from sim.report.run import Run
from sim.report.sensitivity import GRADED
from sim.results.ignorance import (
    ALL,
    AT_VALUE,
    FIRST_ORDER,
    KNOWN_HIGH,
    KNOWN_LOW,
    LARGEST_BY_LUCK,
    RATE_PATH,
)
from sim.vocabulary.words import BLANK, Words

MOST_DRAWN, FEWEST_DRAWN, MOST_SAID = 15, 3, 3


class Effect(NamedTuple):
    """A number's share of the variance with its interval, and the outcome were it known."""

    share: float
    low: float
    high: float
    at_low: float
    at_high: float
    is_clear: bool


class Effects(NamedTuple):
    """What each number drawn does to `on`, a target or measure: the largest share first."""

    on: str
    is_share: bool
    mean: float
    by_path: Mapping[str, Effect]

    @property
    def clear(self) -> Sequence[str]:
        """The paths whose effect is beyond what luck alone would show, the largest first."""
        return [path for path, effect in self.by_path.items() if effect.is_clear]

    def written(self, say: Words, value: float) -> str:
        """A value of the outcome as the page writes it."""
        return say.percent(value) if self.is_share else say.number(value)

    def known(self, say: Words, path: str) -> str:
        """The outcome were a number known to be at the P10, or at the P90, of its law."""
        ends = sorted((self.by_path[path].at_low, self.by_path[path].at_high))
        return say.span(*(self.written(say, end) for end in ends))

    def cell(self, say: Words, path: str) -> str:
        """A number's share of the variance, marked where luck alone would show as much."""
        if path not in self.by_path:
            return BLANK
        share = say.percent(max(self.by_path[path].share, 0.0))
        return share if self.by_path[path].is_clear else say("register.unclear", effect=share)


def effects(run: Run) -> Effects | None:
    """Return the effects on the first target, or on those randomised; None of a single number.

    Also None where the replications were too few.
    """
    found = drawn_effects(run, _first(run))
    return None if found is None or len(found.by_path) == 1 else found


def drawn_effects(run: Run, on: str) -> Effects | None:
    """Return the effects of all that was drawn on an outcome; None of too few replications."""
    indices = _indices(run, on)
    paths = [path for path, index in indices if index == FIRST_ORDER and path != ALL]
    if not paths:
        return None
    limit, *_ = indices[ALL, LARGEST_BY_LUCK]
    found = {path: _effect(indices, path, limit) for path in paths}
    ranked = sorted(found.items(), key=lambda item: -item[1].share)
    is_share = on in run.scenario.targets
    return Effects(on, is_share, _mean(run, on), dict(ranked))


def _first(run: Run) -> str:
    """The first target, or those randomised."""
    return next(iter(run.scenario.targets), "randomised")


def _indices(run: Run, on: str) -> dict[tuple[str, str], tuple[float, float, float]]:
    """The value of each index of each path with its interval, of one outcome."""
    table = run.tables["sensitivity.csv"]
    ours = table[table["measure"] == on].to_dict("records")
    return {
        (row["path"], row["index"]): (row["value"], row["ci_low"], row["ci_high"]) for row in ours
    }


def _mean(run: Run, on: str) -> float:
    if on not in run.scenario.targets:
        return run.mean(on)
    return float(run.tables["targets.csv"].set_index("target")["probability"][on])


def _effect(
    indices: Mapping[tuple[str, str], tuple[float, float, float]], path: str, limit: float
) -> Effect:
    share, low, high = indices[path, FIRST_ORDER]
    at_low, at_high = (indices[path, index][0] for index in (KNOWN_LOW, KNOWN_HIGH))
    return Effect(share, low, high, at_low, at_high, is_clear=share > limit)


def effects_figure(run: Run, found: Effects) -> Figure:
    """Return the outcome were each number known to be at its P10 or P90, the largest first."""
    say, grades = run.say, {each.path: each.evidence for each in run.scenario.ranged()}
    rows: list[dict[str, Any]] = []
    for path, effect in found.by_path.items():
        grade = say(f"register.{grades[path]}") if path in grades else BLANK
        low, high = sorted((effect.at_low, effect.at_high))
        cells = {
            "number": say.capital(run.name(path)),
            "evidence": grade,
            "share": found.cell(say, path),
        }
        ends = {"path": path, "low": low, "high": high, "value": found.mean}
        label = say.aside(cells["number"], grade)
        rows.append(
            {**cells, **ends, "label": label, "series": grade, "known": found.known(say, path)}
        )
    frame = pd.DataFrame(rows)
    shown = frame[frame["path"].isin(found.clear)] if found.clear else frame.head(FEWEST_DRAWN)
    others = len(frame) - len(found.clear)
    columns = {"number": "text", "evidence": "text", "share": "figure", "known": "figure"}
    looks = {say(f"register.{grade}"): look for grade, look in GRADED.items()}
    shape = partial(intervals, unit="share" if found.is_share else "index", looks=looks)
    return figure(
        say,
        "effects",
        shape,
        shown.head(MOST_DRAWN),
        columns,
        behind=frame,
        message=verdict_of(run, found),
        detail=say("effects.others", count=others) if others else "",
        on=say.heading(found.on),
    )


def verdict_of(run: Run, found: Effects) -> str:
    """Return in a sentence which numbers matter most, and the outcome were they known."""
    say, clear = run.say, found.clear
    on = say.heading(found.on)
    if not clear:
        return say("effects.none", on=on, replications=run.count)
    named = (say.aside(run.name(path), found.known(say, path)) for path in clear[:MOST_SAID])
    mean = found.written(say, found.mean)
    return say("effects.message", on=on, mean=mean, names=say.clauses(named))


def effect_lines(run: Run) -> Iterator[str]:
    """Yield which numbers matter most, and the outcome were the rate known, for a terminal."""
    if (found := effects(run)) is not None:
        yield from _strongest(run, found)
    yield from _rate_known(run)


def _strongest(run: Run, found: Effects) -> Iterator[str]:
    say, mean = run.say, found.written(run.say, found.mean)
    on = say.title(found.on)
    yield f"What {on} hangs on: share of its variance; at P10 and P90, instead of {mean}"
    for path in found.clear[:MOST_SAID]:
        effect = found.by_path[path]
        low, high = (say.percent(min(max(end, 0), 1)) for end in (effect.low, effect.high))
        ends = (found.written(say, end) for end in (effect.at_low, effect.at_high))
        share = f"{say.percent(effect.share)} ({low} to {high})"
        yield f"  {run.name(path)}: {share}; {' and '.join(ends)}"
    if not found.clear:
        yield f"  no effect that {run.count:,} replications can see"


def _rate_known(run: Run) -> Iterator[str]:
    say, on = run.say, _first(run)
    if (known := _indices(run, on).get((RATE_PATH, AT_VALUE))) is None:
        return
    write = say.percent if on in run.scenario.targets else say.number
    value, *ends = map(write, known)
    rate = say.number(float(run.scenario.assumptions.recruitment.candidates_per_month))
    instead = f"{value} ({say.span(*ends)}) instead of {write(_mean(run, on))}"
    yield f"Were the rate of candidates known to be {rate} a month, {say.title(on)}: {instead}"


def all_known(run: Run, target: int) -> Iterator[str]:
    """Yield between what the probability of the trial's own target would lie were all known.

    Also how much of the doubt is ignorance. Nothing where no target asks for that, or no
    replications are twins.
    """
    named = (
        name
        for name, each in run.scenario.targets.items()
        if each.measure == "randomised" and float(each.at_least or 0) == target
    )
    indices = _indices(run, next(named, ""))
    if (ALL, FIRST_ORDER) in indices:
        low, high = (indices[ALL, index][0] for index in (KNOWN_LOW, KNOWN_HIGH))
        share, *ends = (min(max(each, 0.0), 1.0) for each in indices[ALL, FIRST_ORDER])
        span = run.say.span(*map(run.say.percent, ends))
        yield run.say("effects.all_known", low=low, high=high, share=share, span=span)
