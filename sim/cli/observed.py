"""The log of a trial that runs: the flags that name it, and how it stood on a day, or several."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from sim.scenario.enrolment_log import EnrolmentLog
    from sim.scenario.load import Scenario

A_DATE = click.DateTime(["%Y-%m-%d"])
ONE_DAY = "The last day of which the log is read, as in 2024-03-01."
SEVERAL_DAYS = (
    "The last day of which the log is read, as in 2024-03-01; several, with commas between them: "
    "what was forecast on each, against what came."
)


class _Days(click.ParamType):  # type: ignore[type-arg]  # generic in new versions alone
    """Dates with commas between them."""

    name = "dates"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> list[date]:
        """Return the days; what is no date is refused."""
        return [A_DATE.convert(each.strip(), param, ctx).date() for each in value.split(",")]


def observed_options(
    *, required: bool, several: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command the log of a trial that runs, and the day up to which it is read, or several.

    It is called with several days as a list.
    """
    observed = click.option(
        "--observed",
        metavar="LOG",
        required=required,
        type=click.Path(path_type=Path),
        help="The screening and enrolment log, a CSV file or an Excel workbook.",
    )
    as_of = click.option(
        "--as-of",
        metavar="DATE[,DATE…]" if several else "DATE",
        required=required,
        type=_Days() if several else A_DATE,
        help=SEVERAL_DAYS if several else ONE_DAY,
    )
    return lambda command: observed(as_of(command))


def logs_of(
    scenarios: Sequence[Scenario], observed: Path | None, as_of: datetime | None
) -> list[EnrolmentLog | None]:
    """Return the log as each scenario reads it, or nothing of each where there is none.

    UsageError where one of two flags is missing, or where scenarios differ in what the log teaches
    of how candidates come.
    """
    from sim.scenario.enrolment_log import read_log

    if observed is None and as_of is None:
        return [None] * len(scenarios)
    if observed is None or as_of is None:
        raise click.UsageError("--observed and --as-of go together")
    for name in ("candidates_per_month", "rate_shape", "waves"):
        first, *others = (
            each.assumptions.recruitment.model_dump(include={name}) for each in scenarios
        )
        if any(each != first for each in others):
            raise click.UsageError(
                f"assumptions.recruitment.{name} differs; allowed: as in the first scenario; "
                "more or fewer from a day on are a disruption, by times"
            )
    return [read_log(observed, each, as_of.date()) for each in scenarios]


def logs_of_days(
    observed: Path, scenario: Scenario, days: Sequence[date]
) -> tuple[list[EnrolmentLog], EnrolmentLog]:
    """Return the log as it stood on each of several days, and as it stands on its last.

    Each has the later ones, and the last day of the log, as its days `ahead`. UsageError where they
    are not in order, or not within the days of the log.
    """
    from sim.scenario.enrolment_log import last_day, read_log

    opens, last = scenario.design.trial.opens, last_day(observed, scenario)
    if last is None:
        raise click.UsageError(f"--as-of: {observed} has no day yet; allowed: one date")
    if wrong := [*_wrong_days(days, opens, last)]:
        allowed = f"days from {opens} to {last}, each once, the earliest first"
        raise click.UsageError(f"--as-of: {'; '.join(wrong)}; allowed: {allowed}")
    ends = dict.fromkeys([*days, last])
    logs = (read_log(observed, scenario, day) for day in days)
    ahead = [log._replace(ahead=tuple(day for day in ends if day > log.as_of)) for log in logs]
    return ahead, read_log(observed, scenario, last)


def _wrong_days(days: Sequence[date], opens: date, last: date) -> Iterator[str]:
    for place, day in enumerate(days):
        if day < opens:
            yield f"{day} is before the trial opens"
        elif day > last:
            yield f"{day} is after the last day of the log"
        elif day in days[:place]:
            yield f"{day} stands twice"
        elif day < max(days[:place], default=day):
            yield f"{day} is earlier than {max(days[:place])}, which stands before it"
