"""`calendar`: the visits of a participant by the plan."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sim.cli.options import (
    language_option,
    page_option,
    scenario_argument,
    set_option,
    to_be_written,
    verbose_option,
)
from sim.cli.speech import print_wrapped, spoken
from sim.cli.terminal import examples, in_print

if TYPE_CHECKING:
    from sim.scenario.protocol import Arm, Protocol


@click.command(
    "calendar",
    epilog=examples("calendar baseline --arm il2 --randomised 2023-03-06"),
)
@scenario_argument
@set_option
@click.option("--arm", "named", metavar="ARM", required=True, help="The arm, by its name.")
@click.option(
    "--randomised",
    metavar="DATE",
    type=click.DateTime(["%Y-%m-%d"]),
    required=True,
    help="The day of randomisation, as in 2023-03-06.",
)
@page_option("Write the page into this new file; left out, into one named after what was asked.")
@language_option
@verbose_option
def calendar_command(
    path: Path,
    overrides: Sequence[str],
    *,
    named: str,
    randomised: datetime,
    out: Path | None,
) -> None:
    """Write the visits of somebody randomised to an arm on a day.

    They are those of the plan of SCENARIO: to print, and beside it as .ics for an electronic diary.
    """
    from sim.report.visit_calendar import VisitCalendar
    from sim.scenario.interpret import interpret
    from sim.scenario.load import load

    scenario = load(path, overrides)
    protocol, day = interpret(scenario), randomised.date()
    arm = _arm(protocol, named)
    _check(protocol, day)
    page = out or Path(f"{scenario.scenario}-{named}-{day}.html")
    diary = page.with_suffix(".ics")
    to_be_written(page, diary)
    calendar = VisitCalendar(scenario, protocol, arm, day, spoken().language)
    page.write_text(calendar.page(), encoding="utf-8")
    diary.write_bytes(calendar.diary())
    print_wrapped(calendar.lines())
    click.echo(in_print(diary))
    click.echo(in_print(page))


def _arm(protocol: Protocol, named: str) -> Arm:
    """Return the arm of a name; UsageError where there is none."""
    from sim.scenario.errors import did_you_mean, listed

    arms = {arm.name: arm for arm in protocol.arms}
    if named not in arms:
        hint = did_you_mean(named, arms)
        raise click.UsageError(f"no arm is called {named}; allowed: {listed(arms)}{hint}")
    return arms[named]


def _check(protocol: Protocol, day: date) -> None:
    """Refuse a day on which nobody can be randomised; UsageError."""
    from sim.model.course import randomises
    from sim.vocabulary.clock import MINUTES_PER_DAY

    clock = protocol.clock
    last = clock.date_of_day(int(protocol.recruits_until_minutes // MINUTES_PER_DAY) - 1)
    if not clock.opens <= day <= last:
        raise click.UsageError(f"{day} is no day of recruitment; allowed: {clock.opens} to {last}")
    slots, number = randomises(protocol), clock.day_of(day)
    if slots is None or not (why := slots.why_not(number)):
        return
    reason = spoken().title(why)
    near = {slots.previous_day[number], slots.next_on_or_after(number)}
    days = [clock.date_of_day(each) for each in sorted(near) if 0 <= each < clock.days]
    allowed = " or ".join(f"{each:%A} {each}" for each in days if each <= last)
    raise click.UsageError(
        f"nobody can be randomised on {day:%A} {day} ({reason}); allowed: {allowed or 'no day'}"
    )
