"""What a log says of one person, and where it says so."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import NamedTuple

NO_CRITERION = DECLINED, WITHDREW, TURNED_AWAY = "consent", "withdrawal", "turned_away"
"""Why screening ends, beside the criteria: declined when asked, withdrew, no place was left."""


class LoggedPerson(NamedTuple):
    """What had happened to one person by the as-of day; of what came later nothing is here.

    `id` is for messages alone and written nowhere. `reason` is why screening ended: the name of a
    criterion, or one of the three above; `left_reason` one of the scenario's reasons; `strata` the
    level of each factor of randomisation, as `Randomisation.levels` has it. Texts are empty, and
    the others None, where the log does not say.
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

    def dates(self) -> Iterator[tuple[str, dt.date]]:
        """Yield what happened, and on which day."""
        for name in DATES:
            if (day := getattr(self, name)) is not None:
                yield name, day

    @property
    def is_in_screening(self) -> bool:
        """Whether neither screening has ended nor the person been randomised."""
        return self.randomised is None and self.ended_screening is None


DATES = LoggedPerson._fields[1:11]
"""What a log has the days of, in the order in which a person can meet them."""


class LoggedRow(NamedTuple):
    """A person with the line they stand on, and the column of each field that is filled."""

    person: LoggedPerson
    line: int
    columns: Mapping[str, int]
