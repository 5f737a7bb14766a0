"""The log that a simulated trial would have kept, as the staff of a real one keep theirs.

`python -m tests.enrolment` writes `scenarios/baseline_log.csv` anew: a log of the baseline's trial,
made up by one replication of it.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from datetime import date
from io import StringIO
from itertools import groupby
from operator import attrgetter
from pathlib import Path

from sim.model.run import run
from sim.scenario.interpret import interpret
from sim.scenario.load import load, shipped
from sim.scenario.protocol import Protocol
from sim.vocabulary.eventlog import EventLog, Milestone, Moment

LOG = Path(str(shipped())) / "baseline_log.csv"
AS_OF = date(2024, 3, 1)
SEED, REPLICATION = 1, 3
MADE_UP = "made up: no such people; one simulated trial of baseline.yaml as of 1 March 2024"

DAY_OF = {
    Milestone.CANDIDATE: "referred",
    Milestone.NOT_CONSENTING: "approached",
    Milestone.CONSENTED: "consented",
    Milestone.SCREENED: "screened",
    Milestone.RANDOMISED: "randomised",
    Milestone.DAY_1: "first_dose",
    Milestone.LEFT: "left",
    Milestone.COMPLETED: "completed",
}
ENDS = {
    Milestone.NOT_ELIGIBLE_ON_CHART: "",
    Milestone.NOT_CONSENTING: "consent",
    Milestone.SCREEN_FAILED: "",
    Milestone.WITHDREW_IN_SCREENING: "withdrawal",
    Milestone.TURNED_AWAY: "turned_away",
}
"""How screening ends, and why, where that is no criterion."""

COLUMNS = ["id", "referred", "approached", "consented", "screened", "ended_screening", "reason"]
COLUMNS += ["randomised", "arm", "first_dose", "doses", "last_visit", "left", "left_reason"]
COLUMNS += ["completed"]


def rows(protocol: Protocol, log: EventLog, as_of: date) -> Iterator[dict[str, str]]:
    """Yield what would be written of each person by a day."""
    clock = protocol.clock
    visits = Counter[int]()
    for visit in log.visits:
        if not visit.is_missed and visit.is_in_schedule and clock.date_of(visit.time) <= as_of:
            visits[visit.person] = max(visits[visit.person], int(visit.time))
    met = sorted(log.last_attempts(), key=attrgetter("person", "time"))
    for person, group in groupby(met, attrgetter("person")):
        moments = [each for each in group if clock.date_of(each.time) <= as_of]
        if not moments:
            continue
        row = _row(protocol, moments)
        if person in visits and row.get("randomised"):
            row["last_visit"] = str(clock.date_of(visits[person]))
        for place, (factor, _) in enumerate(protocol.randomisation.cuts):
            if row.get("randomised"):
                level = log.strata[person][place]
                row[factor] = protocol.randomisation.levels()[place][level]
        yield {"id": f"S{person + 1:03}", **row}


def _row(protocol: Protocol, moments: list[Moment]) -> dict[str, str]:
    row: dict[str, str] = {}
    for each in moments:
        day = str(protocol.clock.date_of(each.time))
        if column := DAY_OF.get(each.milestone):
            row[column] = day
        if each.milestone is Milestone.CONSENTED:
            row["approached"] = day
        if each.milestone in ENDS:
            row |= {"ended_screening": day, "reason": ENDS[each.milestone]}
            row["reason"] = row["reason"] or _first_failed(protocol, moments)
        if each.milestone is Milestone.RANDOMISED:
            row["arm"] = protocol.arms[each.detail].name
        if each.milestone is Milestone.LEFT:
            row["left_reason"] = each.detail
    if "randomised" in row:
        row["doses"] = str(sum(each.milestone is Milestone.DOSE for each in moments))
    return row


def _first_failed(protocol: Protocol, moments: list[Moment]) -> str:
    step, failed = [each.detail for each in moments if each.milestone is Milestone.JUDGED][-1]
    criteria = [protocol.criteria[each] for each in failed]
    return str(next(each.name for each in criteria if each.at == step))


def written(protocol: Protocol, log: EventLog, as_of: date, title: str = "") -> str:
    """Return the log of a replication by a day as CSV, below a title if there is one."""
    factors = [name for name, _ in protocol.randomisation.cuts]
    text = StringIO()
    if title:
        text.write(f"{title}\n")
    table = csv.DictWriter(text, [*COLUMNS, *factors], lineterminator="\n")
    table.writeheader()
    table.writerows(rows(protocol, log, as_of))
    return text.getvalue()


def baseline_log() -> str:
    """Return the log that comes with the baseline."""
    protocol = interpret(load(Path(str(shipped())) / "baseline.yaml"))
    return written(protocol, run(protocol, SEED, REPLICATION), AS_OF, MADE_UP)


if __name__ == "__main__":
    LOG.write_text(baseline_log(), encoding="utf-8")
