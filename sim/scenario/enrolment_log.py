"""The log of a trial that runs: who was referred, asked, randomised, and what became of them."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterator, Mapping
from hashlib import sha256
from io import StringIO
from pathlib import Path
from typing import Literal, NamedTuple

from sim.scenario.schema import Scenario
from sim.scenario.yaml_source import Problem, ScenarioError, UnreadableFile
from sim.vocabulary.files import bytes_of

_LARGEST_BYTES = 8_000_000

Level = Literal["dates", "consent", "full"]
"""How much a log tells: who was randomised, who consented as well, or all who were referred."""


class LoggedPerson(NamedTuple):
    """What had happened to one person by the as-of day; of what came later nothing is here.

    `id` is for messages alone and written nowhere. `reason` is why screening ended: the name of a
    criterion, `consent` (declined when asked), `withdrawal` or `turned_away`; `left_reason` one of
    the scenario's reasons. Texts are empty, and the others None, where the log does not say.
    """

    id: str = ""
    referred: dt.date | None = None
    approached: dt.date | None = None
    consented: dt.date | None = None
    screened: dt.date | None = None
    ended_screening: dt.date | None = None
    randomised: dt.date | None = None
    first_dose: dt.date | None = None
    last_visit: dt.date | None = None
    left: dt.date | None = None
    completed: dt.date | None = None
    reason: str = ""
    arm: str = ""
    doses: int | None = None
    left_reason: str = ""
    strata: Mapping[str, str] = {}


DATES = LoggedPerson._fields[1:11]


class EnrolmentLog(NamedTuple):
    """A log as it stood on a day.

    `people` are in an order that the order of rows does not change. `unused` are the heads of the
    columns that are not read; `sha256` is of the file.
    """

    people: tuple[LoggedPerson, ...]
    level: Level
    as_of: dt.date
    unused: tuple[str, ...]
    encoding: str
    sha256: str


def read_log(path: Path, scenario: Scenario, as_of: dt.date) -> EnrolmentLog:
    """Return what a log says of the days through `as_of`.

    Raises UnreadableFile where it cannot be opened, ScenarioError for everything wrong in it.
    """
    try:
        raw = bytes_of(path, _LARGEST_BYTES, through_links=True)
    except OSError as error:
        raise UnreadableFile(f"{path} cannot be opened: {error.strerror}") from error
    rows = list(csv.reader(StringIO(raw.decode("utf-8-sig"))))
    heads = rows[0] if rows else []
    factors = [name for name, _ in scenario.design.randomisation.cuts]
    read = [head for head in heads if head in {*LoggedPerson._fields, *factors}]
    problems = list[Problem]()
    people = list[LoggedPerson]()
    for line, row in enumerate(rows[1:], start=2):
        said = {head: cell for head, cell in zip(heads, row, strict=False) if cell}
        dates = dict[str, dt.date]()
        for name in DATES:
            try:
                if name in said and (day := dt.date.fromisoformat(said[name])) <= as_of:
                    dates[name] = day
            except ValueError:
                what = f"{said[name]!r} is not a date"
                place = (str(path), line, heads.index(name) + 1, name)
                problems.append(Problem(*place, what, "a date such as 2022-10-01"))
        if dates:
            people.append(_person(said, dates, factors))
    if problems:
        raise ScenarioError(problems)
    return EnrolmentLog(
        tuple(sorted(people, key=_order)),
        "full" if "referred" in read else "consent" if "consented" in read else "dates",
        as_of,
        tuple(sorted({*heads} - {*read})),
        "utf-8",
        sha256(raw).hexdigest(),
    )


def _person(
    said: Mapping[str, str], dates: Mapping[str, dt.date], factors: list[str]
) -> LoggedPerson:
    doses = said.get("doses", "")
    return LoggedPerson(
        id=said.get("id", ""),
        **dates,
        reason=said.get("reason", "") if "ended_screening" in dates else "",
        arm=said.get("arm", "") if "randomised" in dates else "",
        doses=int(doses) if doses.isdecimal() else None,
        left_reason=said.get("left_reason", "") if "left" in dates else "",
        strata={name: said[name] for name in factors if name in said},
    )


def _order(person: LoggedPerson) -> tuple[object, ...]:
    def parts() -> Iterator[str]:
        for entry in person[1:]:
            yield str(sorted(entry.items()) if isinstance(entry, Mapping) else entry)

    return min(filter(None, (getattr(person, name) for name in DATES))), *parts(), person.id
