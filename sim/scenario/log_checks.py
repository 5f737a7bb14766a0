"""Contradictions in a log, and between it and the scenario of the trial."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from sim.scenario.design import Design, Randomisation
from sim.scenario.errors import listed
from sim.scenario.logged_person import DECLINED, WITHDREW, LoggedRow
from sim.scenario.schedule import visits_in_row
from sim.scenario.schema import Scenario
from sim.scenario.steps import first_visit, waits


class Contradiction(NamedTuple):
    """What is wrong at a cell of a log."""

    line: int
    column: int
    what: str
    allowed: str


_Found = Iterator[Contradiction]
_Open = set[tuple[int, tuple[int, ...]]]
"""Blocks: their size, and how many of each arm are given in them."""

_SCREENING = ("referred", "approached", "consented", "screened")
_BEFORE = {
    **{name: _SCREENING[:place] for place, name in enumerate(_SCREENING)},
    "ended_screening": _SCREENING,
    "randomised": _SCREENING,
    "first_dose": (*_SCREENING, "randomised"),
    "last_visit": (*_SCREENING, "randomised"),
    "left": (*_SCREENING, "randomised", "first_dose"),
    "completed": (*_SCREENING, "randomised", "first_dose", "last_visit"),
}
"""What cannot come after each of the days of a person."""

_NEVER_BOTH = (("ended_screening", "randomised"), ("left", "completed"))
_OF_PARTICIPANTS = ("first_dose", "last_visit", "left", "completed")
_OR = {"left": "; who is never randomised has ended_screening"}

_MOST_ON_A_DAY = 12
"""Of so many randomised on one day every order is tried."""

_PATIENCE_DAYS = 180
"""How much longer than twice its waits a screening may take, for days off and full diaries."""


def contradictions_in(
    entries: Sequence[LoggedRow], scenario: Scenario, as_of: dt.date, kept: Collection[str]
) -> _Found:
    """Yield every contradiction in a log as it stood on a day; `kept` are the fields it keeps."""
    for entry in entries:
        yield from _order(entry)
        yield from _gaps(entry, kept)
        yield from _ends(entry, scenario.design)
        yield from _doses(entry, scenario.design)
    yield from _still_in_screening(entries, scenario, as_of)
    randomised = sorted(
        (entry for entry in entries if entry.person.randomised),
        key=lambda entry: (entry.person.randomised, entry.line),
    )
    yield from _too_many(randomised, scenario.design)
    yield from _allocation(randomised, scenario.design.randomisation, kept)


def _at(entry: LoggedRow, name: str, what: str, allowed: str) -> Contradiction:
    return Contradiction(entry.line, entry.columns[name], what, allowed)


def _order(entry: LoggedRow) -> _Found:
    days = dict(entry.person.dates())
    for name, day in days.items():
        later = [other for other in _BEFORE[name] if other in days and days[other] > day]
        if later:
            what = f"{day} is before {later[-1]}, {days[later[-1]]}"
            yield _at(entry, name, what, f"days in the order {', '.join((*_BEFORE[name], name))}")
    for one, other in _NEVER_BOTH:
        if one in days and other in days:
            yield _at(entry, other, f"{one} has a day too", "one of the two")


def _gaps(entry: LoggedRow, kept: Collection[str]) -> _Found:
    """Look for days without those that must come before them, where the log keeps these."""
    person = entry.person
    days = dict(person.dates())
    needed = dict.fromkeys(_OF_PARTICIPANTS, "randomised")
    if "consented" in kept:
        needed["randomised"] = "consented"
        if person.reason == WITHDREW:
            needed["ended_screening"] = "consented"
    for name, before in needed.items():
        if name in days and before not in days:
            allowed = f"a date in {before}{_OR.get(name, '')}"
            yield _at(entry, name, f"{days[name]}, and no day of {before}", allowed)
    if "referred" in kept and "referred" not in days:
        what = f"{next(iter(days.values()))}, and no day of referred"
        yield _at(entry, next(iter(days)), what, "a date in referred for everybody, or for nobody")


def _ends(entry: LoggedRow, design: Design) -> _Found:
    person = entry.person
    if person.ended_screening and not {"reason", "ended_reason"} & entry.columns.keys():
        allowed = f"a reason: {listed([DECLINED, WITHDREW, *design.eligibility])}"
        yield _at(entry, "ended_screening", "nothing says why", allowed)
    if person.reason == DECLINED and person.consented:
        what = "consented and declined"
        yield _at(entry, "consented", what, f"no day of consent, or the reason {WITHDREW}")


def _doses(entry: LoggedRow, design: Design) -> _Found:
    person = entry.person
    if not (person.doses and person.arm):
        return
    own = design.arms[person.arm].product
    most = sum(
        visits_in_row(design.schedule, name) * len(row.given(person.arm, own))
        for name, row in design.schedule.items()
    )
    if person.doses > most:
        what = f"{person.doses} doses are more than {person.arm} has"
        yield _at(entry, "doses", what, f"at most {most}")


def _still_in_screening(entries: Sequence[LoggedRow], scenario: Scenario, as_of: dt.date) -> _Found:
    """Look for those of whom nobody wrote down how screening ended."""
    until = min(as_of, scenario.design.trial.recruits_until)
    days_from = {
        "referred": _longest_days(scenario, since_consent=False),
        "consented": _longest_days(scenario, since_consent=True),
    }
    for entry in entries:
        days = dict(entry.person.dates())
        since = "consented" if "consented" in days else "referred"
        if not entry.person.is_in_screening or since not in days:
            continue
        lasted, most = (until - days[since]).days, days_from[since]
        if lasted > most:
            what = f"still in screening after {lasted} days; did it end? Then say when"
            yield _at(entry, since, what, f"ended_screening, or randomised, within {most:.0f} days")


def _longest_days(scenario: Scenario, *, since_consent: bool) -> float:
    """Return after how many days a screening must have ended, if the scenario's waits are true."""
    design, nature = scenario.design, scenario.assumptions.screening
    steps = design.steps
    longest = 0.0
    for number, (step, (_, key)) in enumerate(zip(steps, waits(steps), strict=True)):
        law = step.after_days or (getattr(nature, key) if key else None)
        if law and (number > first_visit(steps) or not since_consent):
            longest += law.ends()[1]
    if (again := nature.rescreens) is not None:
        longest = (1 + again.times) * longest + again.times * again.after_days.ends()[1]
    return 2 * longest + _PATIENCE_DAYS


def _too_many(randomised: Sequence[LoggedRow], design: Design) -> _Found:
    target = design.trial.target
    if target is None or design.trial.when_full != "turn_away":
        return
    for entry in randomised[target:]:
        what = f"{len(randomised)} are randomised, and the trial turns away from {target} on"
        yield _at(entry, "randomised", what, f"{target}, or when_full: finish_screening")


def _allocation(
    randomised: Sequence[LoggedRow], scheme: Randomisation, kept: Collection[str]
) -> _Found:
    factors = [name for name, _ in scheme.cuts]
    gaps = [
        _at(entry, "randomised", f"nothing says {name}", f"{name} for everybody, or for nobody")
        for entry in randomised
        for name in ("arm", *factors)
        if name in kept and name not in entry.columns
    ]
    yield from gaps
    if gaps or not all(entry.person.arm for entry in randomised):
        return
    for entry in randomised:
        if not scheme.ratio[entry.person.arm]:
            yield _at(entry, "arm", f"{entry.person.arm} has the ratio 0", "another arm")
    is_known = all(len(entry.person.strata) == len(factors) for entry in randomised)
    if scheme.method != "permuted_blocks" or not is_known:
        return
    sequences = defaultdict[tuple[str, ...], list[LoggedRow]](list)
    for entry in randomised:
        sequences[tuple(entry.person.strata.values())].append(entry)
    for sequence in sequences.values():
        yield from _out_of_blocks(sequence, scheme)


def _out_of_blocks(sequence: Sequence[LoggedRow], scheme: Randomisation) -> _Found:
    """Look for the first day on which no history of blocks gives the arms of a sequence.

    Those randomised on one day may have come in any order.
    """
    arms = [arm for arm, part in scheme.ratio.items() if part]
    blocks = _Blocks(scheme, arms)
    possible = blocks.begun
    for _, group in groupby(sequence, lambda entry: entry.person.randomised):
        entries = list(group)
        if len(entries) > _MOST_ON_A_DAY or not {each.person.arm for each in entries} <= {*arms}:
            return
        given = Counter(entry.person.arm for entry in entries)
        possible = blocks.after(possible, tuple(given[arm] for arm in arms))
        if not possible:
            said = listed(f"{part} {arm}" for arm, part in scheme.ratio.items())
            sizes = " or ".join(map(str, scheme.block_sizes))
            what = f"{entries[0].person.arm} cannot be next in any block"
            yield _at(entries[0], "arm", what, f"blocks of {sizes}, {said}, as randomised")
            return


class _Blocks:
    """Blocks that are open: their size, and how many of each arm are given in them."""

    def __init__(self, scheme: Randomisation, arms: Sequence[str]) -> None:
        share = sum(scheme.ratio.values())
        self._full = {
            size: tuple(scheme.ratio[arm] * size // share for arm in arms)
            for size in scheme.block_sizes
        }
        self.begun: _Open = {(size, (0,) * len(arms)) for size in self._full}

    def after(self, possible: _Open, given: tuple[int, ...]) -> _Open:
        """Return the blocks that may be open once so many of each arm are given, in any order."""
        ahead = {(block, given) for block in possible}
        for _ in range(sum(given)):
            ahead = {
                (block, _less(left, arm))
                for (size, counts), left in ahead
                for arm, number in enumerate(left)
                if number and counts[arm] < self._full[size][arm]
                for block in self._opened(size, _less(counts, arm, -1))
            }
        return {block for block, _ in ahead}

    def _opened(self, size: int, counts: tuple[int, ...]) -> _Open:
        return self.begun if counts == self._full[size] else {(size, counts)}


def _less(counts: tuple[int, ...], arm: int, by: int = 1) -> tuple[int, ...]:
    return (*counts[:arm], counts[arm] - by, *counts[arm + 1 :])
