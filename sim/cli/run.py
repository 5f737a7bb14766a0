"""The commands of whole runs: to simulate one or several, to make pages again and to join."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sim.cli.observed import logs_of, observed_options
from sim.cli.options import (
    Output,
    ScenarioPath,
    excel_option,
    full_option,
    keep_option,
    language_option,
    one_folder,
    replications_option,
    resume_option,
    scenario_argument,
    set_option,
    verbose_option,
    writing,
)
from sim.cli.progress import ReplicationsTold
from sim.cli.speech import say, spoken
from sim.cli.terminal import NO_PAGE, NotOpened, examples

if TYPE_CHECKING:
    from sim.results.fold import Results
    from sim.scenario.enrolment_log import EnrolmentLog
    from sim.scenario.load import Scenario

    _Simulation = Callable[[Path | None, Path | None], Path]
    """Simulates into a new folder, or on in an unfinished one."""

MISSED_CODE, UNDECIDED_CODE = 5, 6

gate_option = click.option(
    "--gate", is_flag=True, help="End with 5 if a target is missed, 6 if undecided."
)


def _replications(text: str) -> int | str:
    if text == "auto":
        return text
    if not (text.isdecimal() and int(text) >= 1):
        raise click.BadParameter(f"{text!r} is neither auto nor a whole number from 1")
    return int(text)


@click.command("run", epilog=examples("run baseline", "run mine.yaml --replications auto --open"))
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
@gate_option
@keep_option
@resume_option
@writing
def run_command(
    path: Path,
    overrides: Sequence[str],
    *,
    gate: bool,
    resume: Path | None,
    output: Output,
    how: Mapping[str, Any],
) -> None:
    """Simulate SCENARIO many times; write tables and a page; resumable."""
    scenario = to_be_run(path, overrides, output, resume, gate=gate)
    if output.dry_run:
        from sim.experiments.replicate import AUTO_MOST, runs_in_all

        most = how["replications"]
        number, upto = (AUTO_MOST, "at most ") if most == "auto" else (most, "")
        said = f"{upto}{number:,} replications of {scenario.scenario}"
        output.foresee(said, scenario, runs_in_all(scenario, number), how)
        return
    run_and_tell(scenario, output, how, resume, gate=gate)


def to_be_run(
    path: Path, overrides: Sequence[str], output: Output, resume: Path | None, *, gate: bool
) -> Scenario:
    """Return the scenario of a file; UsageError for two folders, and for a gate without targets."""
    one_folder(resume, output.out)
    scenario = output.loaded(path, overrides)
    if gate and not scenario.targets:
        raise click.UsageError(f"--gate: {path} names no target")
    return scenario


def run_and_tell(
    scenario: Scenario,
    output: Output,
    how: Mapping[str, Any],
    resume: Path | None,
    *,
    gate: bool,
    log: EnrolmentLog | None = None,
) -> None:
    """Simulate a scenario, tell of it, and end as the gate says."""
    from sim.results import folder

    with closing(ReplicationsTold(shown=output.is_watched)) as told:
        finished = simulation(scenario, output, how, told, log=log)(output.out, resume)
    output.tell(finished)
    if gate:
        verdicts = set(folder.read(finished, "targets.csv")["verdict"])
        code = MISSED_CODE if "missed" in verdicts else UNDECIDED_CODE
        click.get_current_context().exit(code if verdicts & {"missed", "undecided"} else 0)


@click.command("compare", epilog=examples("compare baseline full_time_coordinator"))
@click.argument("paths", metavar="SCENARIO...", nargs=-1, type=ScenarioPath())
@observed_options(required=False)
@set_option
@replications_option("How many of each scenario.")
@keep_option
@resume_option
@writing
def compare_command(
    paths: Sequence[Path],
    overrides: Sequence[str],
    *,
    observed: Path | None,
    as_of: datetime | None,
    resume: Path | None,
    output: Output,
    how: Mapping[str, Any],
) -> None:
    """Simulate the same people under each SCENARIO, the first being the baseline; resumable.

    With --observed they go on from the log of the first, which held until then.
    """
    from sim.results import batches, bundle

    one_folder(resume, output.out)
    scenarios = _to_be_compared(paths, overrides, output)
    logs = logs_of(scenarios, observed, as_of)
    if output.dry_run:
        from sim.experiments.replicate import runs_in_all

        each, names = how["replications"], ", ".join(one.scenario for one in scenarios)
        number = sum(runs_in_all(one, each, log) for one, log in zip(scenarios, logs, strict=True))
        said = f"{each:,} replications of each of {len(scenarios)} scenarios ({names})"
        output.foresee(said, scenarios[0], number, how)
        return
    with closing(ReplicationsTold(len(scenarios), shown=output.is_watched)) as told:
        simulated = {
            one.scenario: simulation(
                one, output, how, told, alone=False, log=log, plan=scenarios[0] if log else None
            )
            for one, log in zip(scenarios, logs, strict=True)
        }
        finished = bundle.gather(
            {name: partial(bundle.put, each) for name, each in simulated.items()},
            command=output.command,
            page=output.make,
            out=output.out,
            resume=resume,
            keeping=batches.alone,
        )
    output.tell(finished)


def simulation(
    scenario: Scenario,
    output: Output,
    how: Mapping[str, Any],
    told: ReplicationsTold,
    *,
    name: str = "",
    alone: bool = True,
    log: EnrolmentLog | None = None,
    plan: Scenario | None = None,
) -> _Simulation:
    """Return what simulates a scenario into a folder: a new one, or on in an unfinished one.

    Of one of several that are not `alone` is told by its `name`, or that of its scenario.
    """
    from sim.experiments import replicate
    from sim.results import folder
    from sim.results.batches import KeptBatches

    begins = replicate.begins_with(log, plan)
    kept = KeptBatches(scenario, how["seed"], how["keep"], log=begins, stays=not alone)

    def simulate() -> Results:
        heard = told.of(name or spoken().title(scenario.scenario, "scenario"))
        return replicate.replicate(scenario, progress=heard, kept=kept, log=log, plan=plan, **how)

    return lambda out, resume: folder.write(
        scenario,
        simulate,
        command=output.command,
        page=output.make,
        out=out,
        resume=resume,
        keeping=kept.opened,
    )


def _to_be_compared(
    paths: Sequence[Path], overrides: Sequence[str], output: Output
) -> list[Scenario]:
    """Return two scenarios or more, of different names: their folders are called by them."""
    scenarios = [output.loaded(path, overrides) for path in paths]
    names = [scenario.scenario for scenario in scenarios]
    if len(names) < 2:  # noqa: PLR2004  one alone has nothing to be compared with
        raise click.UsageError("name two scenarios or more")
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise click.UsageError(f"two scenarios are called {twice}; their folders need other names")
    return scenarios


@click.command("report", epilog=examples("report results/baseline/20261126-052640-f026cc20"))
@click.argument("paths", metavar="FOLDER...", nargs=-1, type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="Where several are joined.")
@click.option(
    "--png",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Write the charts of the page as PNG files into this new or empty folder.",
)
@click.option("--edited", is_flag=True, help="Go on where a table is not the one that was written.")
@language_option
@excel_option
@full_option
@verbose_option
@click.pass_context
def report_command(
    context: click.Context,
    /,
    paths: Sequence[Path],
    *,
    out: Path | None,
    png: Path | None,
    edited: bool,
    excel: bool,
    full: bool,
) -> None:
    """Build the page of FOLDER again from its tables; join several.

    Runs are put side by side. A sweep, a search of solve or a comparison joins the run of its
    scenario, a comparison that of its first.
    """
    from sim.report.pages import read_page
    from sim.results import folder
    from sim.results.manifest import MANIFEST

    if not paths:
        raise click.UsageError("name a folder or more")
    for path in paths:
        if not (path / MANIFEST).is_file():
            raise NotOpened(f"{path}: not the folder of a finished run")
    changed = [name for path in paths for name in folder.edited(path)]
    for name in changed:
        say(f"{name} is not the file that was written", err=True)
    if changed and not edited:
        raise NotOpened("to build the page of what there is all the same, say --edited")
    if out is not None and len(paths) == 1:
        raise click.UsageError("--out: one folder keeps its page in itself")
    make = partial(_write_pages, output=Output(context.obj, excel=excel, full=full))
    if png is not None:
        folder.claim(png)
    with _edited_may_fail(changed):
        finished = paths[0] if len(paths) == 1 else _joined(paths, context.obj, make, out)
        if len(paths) == 1:
            make(finished)
        if png is not None:
            read_page(finished, spoken().language).save_pictures(png)
    click.echo(finished)


@contextmanager
def _edited_may_fail(changed: Sequence[str]) -> Iterator[None]:
    """Say that what was edited makes no page; what is as it was written always does."""
    from sim.results.folder import FolderRefused

    try:
        yield
    except NO_PAGE as error:
        if not changed:
            raise
        said = f"{type(error).__name__}: {error}"
        raise FolderRefused(f"{', '.join(changed)}: no page can be made of it ({said})") from error


def _joined(
    paths: Sequence[Path], command: str, page: Callable[[Path], None], out: Path | None
) -> Path:
    """The folder in which these are joined."""
    from sim.results import bundle, folder
    from sim.scenario.load import load

    joined = _by_run(paths)
    if len(joined) == 1:
        ((run, others),) = joined.items()
        return bundle.join(run, others, page=page, out=out)
    place = {
        load(run / folder.SCENARIO).scenario: partial(bundle.copy, run, others)
        for run, others in joined.items()
    }
    if len(place) < len(joined):
        raise click.UsageError("two folders hold scenarios of one name; give them other names")
    return bundle.gather(place, command=command, page=page, out=out)


def _by_run(paths: Sequence[Path]) -> Mapping[Path, list[Path]]:
    """The runs, each with what joins it."""
    from sim.results import folder
    from sim.results.manifest import FORECAST, RECORD

    manifests = {path: folder.manifest(path) for path in paths}
    for path, facts in manifests.items():
        if facts["kind"] in {FORECAST, RECORD}:
            raise click.UsageError(f"{path}: a forecast joins nothing; name its folder alone")
    joined: dict[Path, list[Path]] = {
        path: [] for path, facts in manifests.items() if facts["kind"] == "run"
    }
    for path in (path for path in paths if path not in joined):
        first = next(iter(manifests[path].get("scenarios", ["."])))
        scenario = (path / first / folder.SCENARIO).read_bytes()
        same = (run for run in joined if (run / folder.SCENARIO).read_bytes() == scenario)
        run = next(same, None)
        if run is None:
            raise click.UsageError(
                f"{path}: it joins a run of the very same scenario, a comparison a run of its "
                "first; name the folder of one"
            )
        joined[run].append(path)
    return joined


def _write_pages(finished: Path, output: Output) -> None:
    """Write the page of a folder, and what else is asked for, after those of the folders in it."""
    from sim.results import folder
    from sim.results.manifest import MANIFEST

    manifests = sorted(finished.rglob(MANIFEST), key=lambda path: -len(path.parts))
    folders = [path.parent for path in manifests]
    for inside in folders:  # something is wrong with one: before the first page is written
        folder.manifest(inside)
    there = next((inside for inside in folders if (inside / folder.WORKBOOK).exists()), None)
    if output.excel and there is not None:
        raise NotOpened(f"{there / folder.WORKBOOK}: there already; nothing is written over it")
    for inside in folders:
        output.make(inside)
