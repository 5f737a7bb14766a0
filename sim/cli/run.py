"""The commands that simulate: one scenario, or several met by the same people."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sim.cli.options import (
    RESULTS,
    load_scenario,
    made_of_tables,
    refusing_places,
    replications_option,
    run_options,
    scenario_argument,
    set_option,
)
from sim.cli.terminal import print_wrapped, progress_bar

if TYPE_CHECKING:
    from sim.results.fold import Results
    from sim.scenario.load import Scenario

MISSED, UNDECIDED = 5, 6


def _replications(text: str) -> int | str:
    if text == "auto":
        return text
    if not (text.isdecimal() and int(text) >= 1):
        raise click.BadParameter(f"{text!r} is neither auto nor a whole number from 1")
    return int(text)


@click.command()
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
@click.option("--gate", is_flag=True, help="End with 5 if a target is missed, 6 if undecided.")
@run_options
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
    language: str,
    excel: bool,
    **how: Any,
) -> None:
    """Simulate SCENARIO many times; write tables and a page."""
    from sim.experiments import replicate
    from sim.report import run as report
    from sim.results import folder

    scenario = load_scenario(path, overrides)
    if gate and not scenario.targets:
        raise click.UsageError(f"--gate: {path} names no target")
    with refusing_places():
        if out is not None:
            folder.claim(out)
        started = time.perf_counter()
        with progress_bar(shown=not (quiet or as_json)) as progress:
            results = replicate.replicate(scenario, progress=progress, **how)
        seconds = time.perf_counter() - started
        page = made_of_tables(report.write, language, excel=excel)
        finished = folder.write(
            results, command=context.obj, seconds=seconds, page=page, root=RESULTS, out=out
        )
    _print_result(finished, as_json=as_json, quiet=quiet)
    if gate:
        context.exit(_gate(finished))


def _print_result(finished: Path, *, as_json: bool, quiet: bool) -> None:
    from sim.report import console
    from sim.report import run as report

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
    """The rows of a table by their key."""
    from sim.results import folder

    return {row.pop(key): row for row in folder.rows(folder.read(finished, table))}


def _gate(finished: Path) -> int:
    from sim.results import folder

    verdicts = set(folder.read(finished, "targets.csv")["verdict"])
    return MISSED if "missed" in verdicts else UNDECIDED if "undecided" in verdicts else 0


@click.command()
@click.argument("paths", metavar="SCENARIO...", nargs=-1, type=click.Path(path_type=Path))
@set_option
@replications_option("How many of each scenario.")
@run_options
@click.pass_context
def compare(
    context: click.Context,
    /,
    paths: Sequence[Path],
    overrides: Sequence[str],
    *,
    out: Path | None,
    as_json: bool,
    quiet: bool,
    language: str,
    excel: bool,
    **how: Any,
) -> None:
    """Simulate the same people under each SCENARIO; the first one is the baseline."""
    from sim.experiments import replicate
    from sim.report import compare as comparing
    from sim.report import run as report
    from sim.results import folder

    scenarios = _to_be_compared(paths, overrides)
    with refusing_places():
        if out is not None:
            folder.claim(out)
        started, place = time.perf_counter(), {}
        page_of_run = made_of_tables(report.write, language, excel=excel)
        for scenario in scenarios:
            begun = time.perf_counter()
            with progress_bar(shown=not (quiet or as_json)) as progress:
                results = replicate.replicate(scenario, progress=progress, **how)
            seconds = time.perf_counter() - begun
            place[scenario.scenario] = partial(
                _write_run, results, context.obj, seconds, page_of_run
            )
        seconds = time.perf_counter() - started
        page = made_of_tables(comparing.write, language, excel=excel)
        finished = folder.gather(
            place, command=context.obj, seconds=seconds, page=page, root=RESULTS, out=out
        )
    _print_comparison(finished, as_json=as_json, quiet=quiet)


def _to_be_compared(paths: Sequence[Path], overrides: Sequence[str]) -> list[Scenario]:
    """Return two scenarios or more, of different names: their folders are called by them."""
    scenarios = [load_scenario(path, overrides) for path in paths]
    names = [scenario.scenario for scenario in scenarios]
    if len(names) < 2:  # noqa: PLR2004  one alone has nothing to be compared with
        raise click.UsageError("name two scenarios or more")
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise click.UsageError(f"two scenarios are called {twice}; their folders need other names")
    return scenarios


def _write_run(
    results: Results, command: str, seconds: float, page: Callable[[Path], None], out: Path
) -> None:
    from sim.results import folder

    folder.write(results, command=command, seconds=seconds, page=page, out=out)


def _print_comparison(finished: Path, *, as_json: bool, quiet: bool) -> None:
    from sim.report import compare as comparing
    from sim.report import console
    from sim.report import run as report
    from sim.results import folder

    names = folder.manifest(finished)["scenarios"]
    if as_json:
        said = {name: _as_object(finished / name) for name in names}
        differences = folder.rows(folder.read(finished, folder.COMPARE))
        said_all = {"folder": str(finished), "scenarios": said, "differences": differences}
        click.echo(json.dumps(said_all, allow_nan=False))
        return
    if not quiet:
        runs = {name: report.read(finished / name) for name in names}
        print_wrapped(console.comparison(runs, comparing.verdict(runs)))
    click.echo(finished)
