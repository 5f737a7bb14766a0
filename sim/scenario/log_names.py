"""What a log may call the columns that are read of it, and the names of a scenario."""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from types import MappingProxyType

from sim.scenario.logged_person import NO_CRITERION, LoggedPerson
from sim.scenario.schema import Scenario
from sim.scenario.sheet import letters
from sim.scenario.titles import called
from sim.vocabulary.words import LANGUAGES, Words, words

_A_NUMBER = re.compile(r"-?\d+(\.\d+)?")


@cache
def _table() -> dict[str, dict[str, list[str]]]:
    """How logs say what is read of them."""
    table = files("sim") / "templates" / "enrolment_log.toml"
    return tomllib.loads(table.read_text(encoding="utf-8"))


@dataclass(frozen=True)
class LogNames:
    """What a log may call the columns and the names of a scenario."""

    scenario: Scenario

    @cached_property
    def heads(self) -> Mapping[str, str]:
        """The field of each head, factors of randomisation among them."""
        ours = ((name, [name]) for name in LoggedPerson._fields[:-1])
        return _by_letters([*ours, *_table()["heads"].items(), *self._titled(self.levels)])

    @cached_property
    def levels(self) -> Mapping[str, tuple[str, ...]]:
        """The levels of each factor of randomisation."""
        scheme = self.scenario.design.randomisation
        factors = (name for name, _ in scheme.cuts)
        return dict(zip(factors, map(tuple, scheme.levels()), strict=True))

    @cached_property
    def texts(self) -> Mapping[str, Mapping[str, str]]:
        """What the cells of names may say, with the name meant."""
        design, reasons = self.scenario.design, _table()["reasons"]
        failed = [
            *self._titled(design.eligibility),
            *((name, reasons[name]) for name in NO_CRITERION),
        ]
        gone = [*self._titled(self.scenario.assumptions.leaving)]
        end = [*gone, ("completed", reasons["completed"])]
        mapped = self.scenario.observed.reasons
        return {
            "arm": _by_letters(self._titled(design.arms, "arm")),
            "reason": _by_letters(failed, mapped),
            "left_reason": _by_letters(gone, mapped),
            "completed": _by_letters(end, mapped),
        }

    @cached_property
    def blanks(self) -> frozenset[str]:
        """The letters of what says that nothing is known."""
        return frozenset(map(letters, _table()["cells"]["blank"]))

    def level(self, factor: str, cell: str) -> str | None:
        """Return the level that a cell says: its name, yes or no, or a number of it."""
        scheme, levels, said = (
            self.scenario.design.randomisation,
            self.levels[factor],
            _table()["cells"],
        )
        if same := [level for level in levels if level.casefold() == cell.casefold()]:
            return same[0]
        if factor in scheme.strata:
            said = _table()["cells"]
            truth = {letters(each): key == "yes" for key in ("yes", "no") for each in said[key]}
            is_so = truth.get(letters(cell))
            return None if is_so is None else levels[is_so]
        if not _A_NUMBER.fullmatch(cell):
            return None
        return levels[sum(float(cell) >= cut for cut in dict(scheme.cuts)[factor])]

    def _titled(self, names: Iterable[str], kind: str = "") -> Iterator[tuple[str, list[str]]]:
        """Yield names with their titles in every language."""
        for name in names:
            yield name, [say.title(name, kind) for say in self._languages]

    @cached_property
    def _languages(self) -> list[Words]:
        """The texts of every language, with the scenario's own titles and without."""
        plain = [words(language) for language in LANGUAGES]
        return [*(called(self.scenario, say) for say in plain), *plain]


def _by_letters(
    named: Iterable[tuple[str, Sequence[str]]], said: Mapping[str, str] = MappingProxyType({})
) -> dict[str, str]:
    """Return the names by the letters of what they are called, and of what `said` maps to one.

    What calls several of them calls none; a name is its own.
    """
    claimed = defaultdict[str, set[str]](set)
    names: dict[str, str] = {}
    for name, texts in named:
        names[letters(name)] = name
        for text in texts:
            claimed[letters(text)].add(name)
    of_one = {text: next(iter(each)) for text, each in claimed.items() if len(each) == 1}
    known = {*names.values()}
    mapped = {letters(text): name for text, name in said.items() if name in known}
    return of_one | names | mapped
