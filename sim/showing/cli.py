"""The command line: reads what was asked, calls it, and prints.

A command imports what it needs when it runs, so that --help answers at once.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from sim import __version__
from sim.showing.terminal import (
    Commands,
    NotOpened,
    Refused,
    exit_code,
    one_screen,
    print_wrapped,
    progress_bar,
)

if TYPE_CHECKING:
    from sim.meaning.scenario import Scenario

MISSED, UNDECIDED = 5, 6
RESULTS = Path("results")


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave with its exit code."""
    sys.exit(exit_code(commands, sys.argv[1:] if arguments is None else list(arguments)))


def _remember_verbose(context: click.Context, _option: click.Parameter, verbose: bool) -> None:  # noqa: FBT001
    context.meta["verbose"] = verbose


verbose_option = click.option(
    "--verbose",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_remember_verbose,
    help="Show every problem, and the traceback of an internal fault.",
)
scenario_argument = click.argument("path", metavar="SCENARIO", type=click.Path(path_type=Path))
set_option = click.option(
    "--set",
    "overrides",
    metavar="PATH=VALUE",
    multiple=True,
    help="Change a value as if it were written in the file; may be repeated.",
)
seed_option = click.option(
    "--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Seed of all luck."
)


def _replications(text: str) -> int | str:
    if text == "auto":
        return text
    if not (text.isdecimal() and int(text) >= 1):
        raise click.BadParameter(f"{text!r} is neither auto nor a whole number from 1")
    return int(text)


@click.group(cls=Commands)
@click.version_option(__version__, prog_name="trialsim")
def commands() -> None:
    """Simulate how a small randomised trial recruits, runs its visits and uses its staff."""


@commands.command()
@scenario_argument
@set_option
@click.option(
    "--replications",
    type=_replications,
    metavar="N|auto",
    default="1000",
    show_default=True,
    help="How many; auto: until every target's probability is known to ±2 points, at most 10,000.",
)
@seed_option
@click.option("--jobs", type=click.IntRange(min=1), help="Processes at once.  [default: all cores]")
@click.option("--out", type=click.Path(path_type=Path), help="Write into this new or empty folder.")
@click.option(
    "--keep",
    type=click.IntRange(min=0),
    default=10,
    show_default=True,
    help="Keep everything that happened in the first so many replications.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
@click.option("--quiet", is_flag=True, help="No progress; print the folder and nothing else.")
@click.option("--gate", is_flag=True, help="End with 5 if a target is missed, 6 if undecided.")
@verbose_option
@click.pass_context
def run(
    context: click.Context,
    /,
    path: Path,
    overrides: Sequence[str],
    *,
    out: Path | None,
    as_json: bool,
    quiet: bool,
    gate: bool,
    **how: Any,
) -> None:
    """Simulate SCENARIO many times; write tables and a page."""
    from sim.experiments import experiment
    from sim.record import folder
    from sim.showing import report

    scenario = _load(path, overrides)
    if gate and not scenario.targets:
        raise click.UsageError(f"--gate: {path} names no target")
    with _refusing_folders():
        if out is not None:
            folder.claim(out)
        started = time.perf_counter()
        with progress_bar(shown=not (quiet or as_json)) as progress:
            results = experiment.replicate(scenario, progress=progress, **how)
        seconds = time.perf_counter() - started
        finished = folder.write(
            results, command=context.obj, seconds=seconds, page=report.write, root=RESULTS, out=out
        )
    _print_result(finished, as_json=as_json, quiet=quiet)
    if gate:
        context.exit(_gate(finished))


@contextmanager
def _refusing_folders() -> Iterator[None]:
    from sim.record.folder import FolderRefused

    try:
        yield
    except FolderRefused as refusal:
        raise NotOpened(str(refusal)) from refusal


def _print_result(finished: Path, *, as_json: bool, quiet: bool) -> None:
    from sim.showing import console, report

    if as_json:
        click.echo(json.dumps(_as_object(finished), allow_nan=False))
        return
    if not quiet:
        print_wrapped(console.result(report.read(finished)))
    click.echo(finished)


def _as_object(finished: Path) -> dict[str, Any]:
    return {
        "folder": str(finished),
        "measures": _rows(finished, "summary.csv", "measure"),
        "targets": _rows(finished, "targets.csv", "target"),
    }


def _rows(finished: Path, table: str, key: str) -> dict[Any, Any]:
    """The rows of a table by their key; a blank cell is null."""
    from sim.record import folder

    rows = folder.read(finished, table).set_index(key).astype(object)
    return rows.where(rows.notna(), None).to_dict("index")


def _gate(finished: Path) -> int:
    from sim.record import folder

    verdicts = set(folder.read(finished, "targets.csv")["verdict"])
    return MISSED if "missed" in verdicts else UNDECIDED if "undecided" in verdicts else 0


@commands.command()
@scenario_argument
@set_option
@verbose_option
def check(path: Path, overrides: Sequence[str]) -> None:
    """Validate SCENARIO; show what it implies and rests on."""
    from sim.meaning.interpretation import interpret
    from sim.meaning.scenario import dump
    from sim.showing import console

    scenario = _load(path, overrides)
    click.echo(dump(scenario))
    print_wrapped(console.check(scenario, interpret(scenario)))


@commands.command()
@scenario_argument
@set_option
@click.option("--replication", type=click.IntRange(min=1), required=True, help="Which, from 1.")
@click.option("--participant", type=click.IntRange(min=0), help="Tell of this one, from 0, alone.")
@seed_option
@verbose_option
def trace(
    path: Path, overrides: Sequence[str], replication: int, participant: int | None, seed: int
) -> None:
    """Tell one replication of SCENARIO as a dated story."""
    from sim.meaning.interpretation import interpret
    from sim.showing import story
    from sim.world.run import run as run_once

    protocol = interpret(_load(path, overrides))
    log = run_once(protocol, seed, replication)
    people = {person for person, *_ in log.moments}
    if participant is not None and participant not in people:
        raise click.UsageError(f"replication {replication} has {len(people)} candidates, from 0")
    print_wrapped(story.tell(protocol, log, person=participant))


@commands.command()
@click.argument("path", metavar="FOLDER", type=click.Path(path_type=Path))
@verbose_option
def report(path: Path) -> None:
    """Build the page of FOLDER again from its tables."""
    from sim.showing import report as page

    if not (path / "manifest.json").is_file():
        raise NotOpened(f"{path}: not the folder of a finished run")
    page.write(path)
    click.echo(path)


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


def _load(path: Path, overrides: Sequence[str]) -> Scenario:
    from sim.meaning.scenario import ScenarioError, UnreadableFile, load

    try:
        return load(path, overrides)
    except UnreadableFile as error:
        raise NotOpened(str(error)) from error
    except ScenarioError as error:
        problems = one_screen([str(problem) for problem in error.problems])
        raise Refused("\n".join(problems)) from error
