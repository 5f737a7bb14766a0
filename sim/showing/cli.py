"""The command line: reads what was asked, calls it, and prints.

A command imports what it needs when it runs, so that --help answers at once.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from shutil import copytree
from typing import NoReturn

import click

from sim import __version__
from sim.showing.options import (
    RESULTS,
    language_option,
    load_scenario,
    refusing_places,
    scenario_argument,
    seed_option,
    set_option,
    verbose_option,
)
from sim.showing.simulating import compare, run
from sim.showing.solving import solve
from sim.showing.sweeping import sweep
from sim.showing.terminal import Commands, NotOpened, exit_code, print_wrapped


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave with its exit code."""
    sys.exit(exit_code(commands, sys.argv[1:] if arguments is None else list(arguments)))


@click.group(cls=Commands)
@click.version_option(__version__, prog_name="trialsim")
def commands() -> None:
    """Simulate how a small randomised trial recruits, runs its visits and uses its staff."""


commands.add_command(run)
commands.add_command(compare)
commands.add_command(sweep)
commands.add_command(solve)


@commands.command()
@scenario_argument
@set_option
@verbose_option
def check(path: Path, overrides: Sequence[str]) -> None:
    """Validate SCENARIO; show what it implies and rests on."""
    from sim.meaning.interpretation import interpret
    from sim.meaning.scenario import dump
    from sim.showing import console

    scenario = load_scenario(path, overrides)
    click.echo(dump(scenario))
    print_wrapped(console.check(scenario, interpret(scenario)))


@commands.command()
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
@verbose_option
def trace(
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
    from sim.meaning.interpretation import interpret
    from sim.showing import story
    from sim.world.run import run as run_once

    if calendar is not None and participant is None:
        raise click.UsageError("--calendar: name the --participant whose calendar it is")
    scenario = load_scenario(path, overrides)
    protocol = interpret(scenario)
    log = run_once(protocol, seed, replication)
    people = {person for person, *_ in log.moments}
    if participant is not None and participant not in people:
        raise click.UsageError(f"replication {replication} has {len(people)} candidates, from 0")
    if participant is None:
        print_wrapped(story.tell(protocol, log))
        return
    from sim.showing import appointments

    if calendar is not None:
        origin = {"scenario": scenario, "replication": replication, "seed": seed}
        page = appointments.to_print(protocol, log, participant, **origin)
        with calendar.open("x", encoding="utf-8") as file:
            file.write(page)
    print_wrapped(story.tell(protocol, log, person=participant))
    kept = appointments.of_person(protocol, log, participant)
    print_wrapped(["", "Appointments", *(appointments.lines(kept) if kept else ["none"])])
    if calendar is not None:
        click.echo(calendar)


@commands.command()
@click.argument("paths", metavar="FOLDER...", nargs=-1, type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="Where several are put side by side.")
@language_option
@verbose_option
@click.pass_context
def report(
    context: click.Context, /, paths: Sequence[Path], *, out: Path | None, language: str
) -> None:
    """Build the page of FOLDER again from its tables; put several side by side."""
    from sim.record import folder
    from sim.showing import comparing
    from sim.showing import report as page

    if not paths:
        raise click.UsageError("name a folder or more")
    for path in paths:
        if not (path / folder.MANIFEST).is_file():
            raise NotOpened(f"{path}: not the folder of a finished run")
    if len(paths) == 1:
        if out is not None:
            raise click.UsageError("--out: one folder keeps its page in itself")
        _writer(paths[0])(paths[0], language=language)
        click.echo(paths[0])
        return
    if any(_writer(path) is not page.write for path in paths):
        raise click.UsageError("only the folders of runs can be put side by side")
    place = {page.read(path).scenario.scenario: partial(_copy, path, language) for path in paths}
    if len(place) < len(paths):
        raise click.UsageError("two folders hold scenarios of one name; give them other names")
    with refusing_places():
        write = partial(comparing.write, language=language)
        finished = folder.gather(
            place, command=context.obj, seconds=0.0, page=write, root=RESULTS, out=out
        )
        click.echo(finished)


def _copy(finished: Path, language: str, to: Path) -> None:
    """Copy the folder of a run, with its page in a language."""
    from sim.showing import report as page

    copytree(finished, to)
    page.write(to, language=language)


def _writer(finished: Path) -> Callable[..., None]:
    """What writes the page of a folder: of a run, runs side by side, a sweep or a solution."""
    from sim.record import folder
    from sim.showing import comparing, landscape, ranking, solution
    from sim.showing import report as page

    manifest = folder.manifest(finished)
    if "scenarios" in manifest:
        return comparing.write
    if "on" in manifest:
        return ranking.write
    if "moved" in manifest:
        return solution.write
    return landscape.write if "varied" in manifest else page.write


@commands.command()
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path))
@verbose_option
def new(path: Path) -> None:
    """Write a commented scenario to start from."""
    from sim.meaning.scenario import shipped

    with path.open("x", encoding="utf-8") as file:
        file.write((shipped() / "baseline.yaml").read_text(encoding="utf-8"))
    click.echo(path)


@commands.command("list")
@verbose_option
def list_() -> None:
    """List scenarios and finished runs."""
    from sim.meaning.scenario import shipped
    from sim.record import folder

    here = Path("scenarios")
    click.echo("Scenarios")
    for path in sorted((here if here.is_dir() else shipped()).glob("*.yaml")):
        click.echo(f"  {path}: {_title(path)}")
    click.echo("Finished runs")
    for finished in folder.finished(RESULTS):
        click.echo(f"  {finished}")


def _title(path: Path) -> str:
    from sim.meaning.scenario import ScenarioError, load

    try:
        return load(path).title
    except ScenarioError as error:
        return f"cannot be run, see trialsim check ({len(error.problems)} problems)"
