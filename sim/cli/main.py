"""The command line: reads what was asked, calls it, and prints.

A command imports what it needs when it runs, so that --help answers at once.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NoReturn

import click

from sim import __version__
from sim.cli.app import app_command
from sim.cli.calendar import calendar_command
from sim.cli.forecast import forecast_command
from sim.cli.new import new_command
from sim.cli.options import (
    language_option,
    named_scenarios,
    scenario_argument,
    seed_option,
    set_option,
    verbose_option,
)
from sim.cli.points import solve_command, sweep_command
from sim.cli.run import compare_command, report_command, run_command
from sim.cli.speech import columns, print_wrapped, say, spoken, translated, wrapped
from sim.cli.terminal import NO_PAGE, Commands, examples, exit_code, in_print

IN_WORDS = {"compare": "comparison", "record": "record of forecasts", "solve": "search"}
"""Kinds of folders in other words than the command's."""

CHECK_LINES, LEAST_WARNED = 25, 4
"""Lines that `check` fills on a terminal, and how many of them are for warnings at least."""

NEWEST = 10
"""Finished runs that are listed."""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave with its exit code."""
    sys.exit(exit_code(commands, sys.argv[1:] if arguments is None else list(arguments)))


@click.group(
    cls=Commands,
    epilog=examples(
        "new mine.yaml        a commented scenario to start from",
        "check mine.yaml      what it implies, and what is doubtful",
        "run baseline         a scenario by its name or its path",
        "run --help           the flags of a command",
    ),
)
@click.version_option(__version__, message="trialsim %(version)s")
@language_option
def commands() -> None:
    """Simulate how a small randomised trial recruits, runs its visits and uses its staff."""


for _command in (
    *(new_command, run_command, forecast_command, compare_command),
    *(sweep_command, solve_command, report_command),
    calendar_command,
    app_command,
):
    commands.add_command(_command)


@commands.command("check", epilog=examples("check mine.yaml", "check baseline --register"))
@scenario_argument
@set_option
@click.option("--resolved", is_flag=True, help="Print the file alone, every default written out.")
@click.option("--register", is_flag=True, help="Print all assumptions alone, weak evidence first.")
@language_option
@verbose_option
def check_command(path: Path, overrides: Sequence[str], *, resolved: bool, register: bool) -> None:
    """Validate SCENARIO; say what it implies, and what is probably not meant."""
    from sim.experiments.doubts import located_doubts
    from sim.report.assumptions import implied_lines, register_lines
    from sim.scenario.interpret import interpret
    from sim.scenario.load import dump, located

    scenario, document = located(path, overrides)
    if resolved:
        click.echo(dump(scenario), nl=False)
    if register:
        print_wrapped(register_lines(scenario, spoken()))
    if resolved or register:
        return
    protocol = interpret(scenario)
    doubtful = [
        f"  {each.text(translated)}"
        for each in located_doubts(scenario, protocol, document, spoken())
    ]
    room = CHECK_LINES - 1
    warned = min(_rows(doubtful), LEAST_WARNED)
    implied = implied_lines(scenario, protocol, spoken())
    lines = _fitting([f"{in_print(path)} is sound", *implied], room - warned)
    count = f"Warnings: {len(doubtful) or 'none'}"
    print_wrapped([*lines, count, *_fitting(doubtful, room - _rows(lines))])


def _rows(lines: Sequence[str]) -> int:
    """How many rows of a terminal they fill."""
    return len(list(wrapped(lines, columns(sys.stdout))))


def _fitting(lines: Sequence[str], room: int) -> list[str]:
    """As many of these as fit on so many rows of a terminal, the others counted."""
    is_all_asked = click.get_current_context().meta["verbose"]
    if is_all_asked or not columns(sys.stdout) or _rows(lines) <= room:
        return [*lines]
    shown = sum(_rows(lines[:number]) < room for number in range(1, len(lines)))
    return [*lines[:shown], f"  and {len(lines) - shown} more (--verbose shows all)"]


@commands.command("trace")
@scenario_argument
@set_option
@click.option("--replication", type=click.IntRange(min=1), required=True, help="Which, from 1.")
@click.option("--participant", type=click.IntRange(min=0), help="Tell of this one, from 0, alone.")
@click.option(
    "--calendar",
    metavar="FILE.html",
    type=click.Path(path_type=Path),
    help="Write the participant's calendar to print.",
)
@seed_option
@language_option
@verbose_option
def trace_command(
    path: Path,
    overrides: Sequence[str],
    *,
    replication: int,
    participant: int | None,
    calendar: Path | None,
    seed: int,
) -> None:
    """Tell one replication of SCENARIO as a dated story.

    The story of one participant ends with their appointments.
    """
    from sim.model.run import run as run_once
    from sim.report import calendar as appointments
    from sim.report import story
    from sim.scenario.interpret import interpret
    from sim.scenario.load import load
    from sim.scenario.titles import called

    if calendar is not None and participant is None:
        raise click.UsageError("--calendar: name the --participant whose calendar it is")
    scenario = load(path, overrides)
    protocol, say_of = interpret(scenario), called(scenario, spoken())
    log = run_once(protocol, seed, replication)
    people = {moment.person for moment in log.moments}
    if participant is not None and participant not in people:
        raise click.UsageError(f"replication {replication} has {len(people)} candidates, from 0")
    if calendar is not None and participant is not None:
        origin = {"replication": replication, "seed": seed}
        page = appointments.to_print(say_of, scenario, protocol, log, participant, **origin)
        with calendar.open("x", encoding="utf-8") as file:
            file.write(page)
    print_wrapped(story.tell(protocol, log, say_of, person=participant))
    if participant is not None:
        ours = appointments.of_person(protocol, log, participant, say_of)
        kept = list(appointments.appointment_lines(ours, say_of))
        print_wrapped(["", "Appointments", *(kept or ["none"])])
    if calendar is not None:
        click.echo(calendar)


@commands.command("list")
@language_option
@verbose_option
def list_command() -> None:
    """List scenarios and finished runs."""
    say("Scenarios")
    print_wrapped(f"  {name}: {_title(path)}" for name, path in named_scenarios().items())
    say("Finished, the newest first")
    from sim.results.root import finished

    every = finished()[::-1]
    for place in every[:NEWEST]:
        print_wrapped(_finished_lines(place))
    if (more := len(every) - NEWEST) > 0:
        say(f"  and {more} before them")


def _finished_lines(place: Path) -> Iterator[str]:
    """When a folder was made, of what, and what came out of it."""
    from sim.report.pages import read_page
    from sim.results.folder import FolderRefused
    from sim.scenario.load import ScenarioError, UnreadableFile

    yield f"  {in_print(place)}"
    try:
        page = read_page(place, spoken().language)
        facts, scenario = page.of.manifest, page.of.scenario
        kind = IN_WORDS.get(facts["kind"], facts["kind"])
        of = f"{kind} of “{spoken().own(scenario.title) or scenario.scenario}”"
        yield f"    {spoken().moment(facts['started'])}, {of}"
        yield f"    {page.verdict}"
        yield f"    replications: {facts['replications']:,}, seed: {facts['seed']}"
    except (FolderRefused, ScenarioError, UnreadableFile, *NO_PAGE):
        yield "    cannot be read: another version wrote it, or it was changed"


def _title(path: Path) -> str:
    from sim.scenario.load import ScenarioError, load

    try:
        return spoken().own(load(path).title)
    except ScenarioError as error:
        return f"cannot be run, see trialsim check ({len(error.problems)} problems)"
