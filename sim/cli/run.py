"""The commands that simulate: one scenario, or several met by the same people."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sim.cli.options import (
    RESULTS,
    Output,
    keep_option,
    replications_option,
    scenario_argument,
    set_option,
    writing,
)
from sim.cli.terminal import progress_bar

if TYPE_CHECKING:
    from sim.scenario.load import Scenario

MISSED_CODE, UNDECIDED_CODE = 5, 6


def _replications(text: str) -> int | str:
    if text == "auto":
        return text
    if not (text.isdecimal() and int(text) >= 1):
        raise click.BadParameter(f"{text!r} is neither auto nor a whole number from 1")
    return int(text)


@click.command("run")
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
@keep_option
@writing
def run_command(
    path: Path, overrides: Sequence[str], *, gate: bool, output: Output, how: Mapping[str, Any]
) -> None:
    """Simulate SCENARIO many times; write tables and a page."""
    from sim.results import folder
    from sim.scenario.load import load

    scenario = load(path, overrides)
    if gate and not scenario.targets:
        raise click.UsageError(f"--gate: {path} names no target")
    if output.out is not None:
        folder.claim(output.out)
    finished = _run(scenario, output, how)(output.out)
    output.tell(finished, partial(_as_object, finished))
    if gate:
        verdicts = set(folder.read(finished, "targets.csv")["verdict"])
        code = MISSED_CODE if "missed" in verdicts else UNDECIDED_CODE
        click.get_current_context().exit(code if verdicts & {"missed", "undecided"} else 0)


@click.command("compare")
@click.argument("paths", metavar="SCENARIO...", nargs=-1, type=click.Path(path_type=Path))
@set_option
@replications_option("How many of each scenario.")
@keep_option
@writing
def compare_command(
    paths: Sequence[Path], overrides: Sequence[str], *, output: Output, how: Mapping[str, Any]
) -> None:
    """Simulate the same people under each SCENARIO; the first one is the baseline."""
    from sim.results import folder

    scenarios = _to_be_compared(paths, overrides)
    if output.out is not None:
        folder.claim(output.out)
    started = time.perf_counter()
    runs = {scenario.scenario: _run(scenario, output, how) for scenario in scenarios}
    finished = folder.gather(
        runs,
        command=output.command,
        seconds=time.perf_counter() - started,
        page=output.make,
        root=RESULTS,
        out=output.out,
    )

    def whole() -> dict[str, Any]:
        folders = {name: finished / name for name in runs}
        said = {name: {"folder": str(each), **_as_object(each)} for name, each in folders.items()}
        differences = folder.rows(folder.read(finished, "compare.csv"))
        return {"scenarios": said, "differences": differences}

    output.tell(finished, whole)


def _run(
    scenario: Scenario, output: Output, how: Mapping[str, Any]
) -> Callable[[Path | None], Path]:
    """Simulate a scenario; return what writes its folder, where it is told or a new one."""
    from sim.experiments import replicate
    from sim.results import folder

    started = time.perf_counter()
    with progress_bar(shown=output.is_watched) as progress:
        results = replicate.replicate(scenario, progress=progress, **how)
    seconds = time.perf_counter() - started

    def write(out: Path | None) -> Path:
        return folder.write(
            results,
            command=output.command,
            seconds=seconds,
            page=output.make,
            root=RESULTS,
            out=out,
        )

    return write


def _to_be_compared(paths: Sequence[Path], overrides: Sequence[str]) -> list[Scenario]:
    """Return two scenarios or more, of different names: their folders are called by them."""
    from sim.scenario.load import load

    scenarios = [load(path, overrides) for path in paths]
    names = [scenario.scenario for scenario in scenarios]
    if len(names) < 2:  # noqa: PLR2004  one alone has nothing to be compared with
        raise click.UsageError("name two scenarios or more")
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise click.UsageError(f"two scenarios are called {twice}; their folders need other names")
    return scenarios


def _as_object(finished: Path) -> dict[str, Any]:
    from sim.results import folder

    keys = {"measures": ("summary.csv", "measure"), "targets": ("targets.csv", "target")}
    return {
        said: {row.pop(key): row for row in folder.rows(folder.read(finished, table))}
        for said, (table, key) in keys.items()
    }
