"""The flags that commands share, each declared once, and what those of a written folder say."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click
from click.shell_completion import CompletionItem

from sim.cli.speech import FLAG, print_wrapped, say, spoken, translated
from sim.cli.terminal import in_print, nearby
from sim.vocabulary.words import LANGUAGES

if TYPE_CHECKING:
    from sim.scenario.load import Scenario


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


class ScenarioPath(click.ParamType):  # type: ignore[type-arg]  # generic in new versions alone
    """The file of a scenario: its path, the name `trialsim list` shows, or that of a file here."""

    name = "scenario"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the path; what neither is a file nor a name is refused with the nearest name."""
        path = Path(value)
        if path.suffix or path.parent != Path() or path.exists():
            return path
        known = {path.stem: path for path in Path().glob("*.yaml")} | named_scenarios()
        if value not in known:
            from sim.scenario.errors import did_you_mean

            hint = did_you_mean(value, known) or "; trialsim list shows their names"
            self.fail(f"no scenario is called {value}{hint}", param, ctx)
        return known[value]

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Complete names, and leave the paths of files to the shell."""
        names = [CompletionItem(name) for name in named_scenarios() if name.startswith(incomplete)]
        return names or click.Path().shell_complete(ctx, param, incomplete)


def page_option(help_text: str, *, required: bool = False) -> Callable[[Any], Any]:
    """Give a command the new page that it writes; `to_be_written` refuses one that is there."""
    return click.option(
        "--out",
        metavar="FILE.html",
        required=required,
        type=click.Path(path_type=Path, dir_okay=False),
        help=help_text,
    )


def to_be_written(*files: Path) -> None:
    """Refuse files that are there already; UsageError."""
    if existing := [each for each in files if each.exists()]:
        raise click.UsageError(f"{in_print(existing[0])} is there already; say another --out")


def named_scenarios() -> dict[str, Path]:
    """Return the scenarios in `scenarios/`, where there is none those shipped, by their names."""
    from sim.scenario.load import shipped

    here = Path("scenarios")
    files = sorted((here if here.is_dir() else shipped()).glob("*.yaml"))
    return {path.stem: path for path in files}


scenario_argument = click.argument("path", metavar="SCENARIO", type=ScenarioPath())
OVERRIDES = (
    click.option(
        "--set",
        "overrides",
        metavar="PATH=VALUE",
        multiple=True,
        help="Change a value as if it were written in the file; may be repeated. A mapping is "
        "merged with what stands there; {} empties it, null gives the default.",
    ),
    click.option(
        "--uncertain",
        type=click.Choice(["all", "rate", "none"]),
        help="What each replication draws anew, whatever the file says: every ranged assumption, "
        "the rate of candidates alone, nothing.",
    ),
)


def set_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the flags that change a scenario; it is called with all as `overrides`."""

    @wraps(command)
    def called(
        *arguments: Any, overrides: Sequence[str], uncertain: str | None, **flags: Any
    ) -> None:
        said = [f"assumptions.uncertain={uncertain}"] if uncertain else []
        command(*arguments, overrides=(*overrides, *said), **flags)

    for option in reversed(OVERRIDES):
        called = option(called)
    return called


language_option = click.option(
    FLAG,
    type=click.Choice(LANGUAGES),
    expose_value=False,
    help="Language of what is written for people.  [default: that of the terminal]",
)
"""What it says has been heard before anything else was read."""


def _with_xlsxwriter(_context: click.Context, _option: click.Parameter, asked: bool) -> bool:  # noqa: FBT001
    if asked and find_spec("xlsxwriter") is None:
        raise click.UsageError("--excel needs XlsxWriter; install trialsim[excel]")
    return asked


excel_option = click.option(
    "--excel",
    is_flag=True,
    callback=_with_xlsxwriter,
    help="Write the tables as an Excel workbook, tables.xlsx, as well.",
)
full_option = click.option(
    "--full",
    is_flag=True,
    help="Write the page with everything open, for instance to print it all.",
)
seed_option = click.option(
    "--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Seed of all luck."
)


def _not_with_jobs(context: click.Context, _option: click.Parameter, address: str) -> str:
    if address and context.params.get("jobs"):
        raise click.UsageError("--jobs counts processes of this machine; --cluster has its own")
    return address


jobs_option = click.option(
    "--jobs",
    type=click.IntRange(min=1),
    is_eager=True,
    help="Processes at once.  [default: all cores]",
)
cluster_option = click.option(
    "--cluster",
    metavar="ADDRESS",
    callback=_not_with_jobs,
    help="Run on the workers of the Dask scheduler at tcp://HOST:PORT instead.",
)
out_option = click.option(
    "--out", type=click.Path(path_type=Path), help="Write into this new or empty folder."
)
resume_option = click.option(
    "--resume",
    metavar="FOLDER",
    type=click.Path(path_type=Path),
    help="Go on in the .part folder of the same command that did not end.",
)


def one_folder(resume: Path | None, out: Path | None) -> None:
    """Refuse to go on in one folder and to write into another; UsageError."""
    if resume is not None and out is not None:
        raise click.UsageError("--resume goes on in its own folder; leave --out away")


keep_option = click.option(
    "--keep",
    type=click.IntRange(min=0),
    default=10,
    show_default=True,
    help="Keep everything that happened in the first so many replications.",
)
json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object and nothing else."
)
open_option = click.option(
    "--open", "opens", is_flag=True, help="Open the page in the browser once it is written."
)
dry_run_option = click.option(
    "--dry-run", is_flag=True, help="Say what would be simulated and how long about; write nothing."
)
quiet_option = click.option(
    "--quiet", is_flag=True, help="No progress; print the folder and nothing else."
)
WRITING = (
    *(
        language_option,
        excel_option,
        full_option,
        seed_option,
        jobs_option,
        cluster_option,
        out_option,
    ),
    *(json_option, quiet_option, open_option, dry_run_option, verbose_option),
)
HOW = ("replications", "seed", "jobs", "cluster", "keep")
"""Flags that say how is simulated, and not what."""

MOST_WARNINGS = 3
TRIED = 4
"""Replications that are timed to say how long all of them take."""


def replications_option(what: str) -> Callable[..., Any]:
    """The option of a command that simulates a fixed number of replications, of what."""
    return click.option(
        "--replications",
        type=click.IntRange(min=1),
        default=1000,
        show_default=True,
        help=what,
    )


class Output(NamedTuple):
    """What flags say of the folder that is written and of what is printed of it."""

    command: str
    """As it was typed."""
    excel: bool = False
    full: bool = False
    out: Path | None = None
    as_json: bool = False
    quiet: bool = False
    opens: bool = False
    dry_run: bool = False

    @property
    def is_watched(self) -> bool:
        """Whether progress is shown."""
        return not (self.quiet or self.as_json)

    def loaded(self, path: Path, overrides: Sequence[str]) -> Scenario:
        """Return the scenario of a file; say what is doubtful in it, which stops nothing."""
        from sim.experiments.doubts import located_doubts
        from sim.scenario.interpret import interpret
        from sim.scenario.load import located

        scenario, document = located(path, overrides)
        if not self.is_watched:
            return scenario
        found = located_doubts(scenario, interpret(scenario), document, spoken())
        said = [f"warning: {each.text(translated)}" for each in found[:MOST_WARNINGS]]
        if (more := len(found) - MOST_WARNINGS) > 0:
            said.append(f"warning: and {more} more; trialsim check shows all")
        print_wrapped(said, sys.stderr)
        return scenario

    def foresee(self, what: str, scenario: Scenario, number: int, how: Mapping[str, Any]) -> None:
        """Print what would be simulated, and about how long so many replications of it take.

        A few are tried for that, whose results are not kept.
        """
        from sim.experiments.replicate import replicate, runs_in_all

        begun = time.perf_counter()
        replicate(scenario, replications=TRIED, seed=how["seed"], jobs=1, keep=0)
        each = (time.perf_counter() - begun) / runs_in_all(scenario, TRIED)
        processes = min(how["jobs"] or os.cpu_count() or 1, number)
        minutes = max(round(each * number / processes / 60), 1)
        where = f"{processes} process{'es' * (processes > 1)} of this machine"
        say(f"{what}; nothing is written")
        say(f"About {minutes:,} minute{'s' * (minutes > 1)} in {where}")

    def make(self, finished: Path) -> None:
        """Make of the tables of a folder its page and, if asked for, its workbook."""
        from sim.report.pages import write_page
        from sim.results.workbook import write_workbook

        write_page(finished, spoken().language, full=self.full)
        if self.excel:
            write_workbook(finished, spoken().language)

    def tell(self, finished: Path) -> None:
        """Print what the page of a folder says, and the folder; or all of it as one object."""
        if self.opens:
            click.launch(str((finished / "report.html").resolve()))
        if self.as_json:
            click.echo(json.dumps(_object(finished), allow_nan=False))
            return
        if not self.quiet:
            from sim.report.page import PAGE
            from sim.report.pages import read_page

            page = read_page(finished, spoken().language)
            print_wrapped([page.verdict, *page.lines()])
            finished /= PAGE
        click.echo(nearby(finished))


def _object(finished: Path) -> dict[str, Any]:
    """A folder and its tables, by its kind, as JSON has them."""
    from sim.report.sensitivity import Ranking
    from sim.report.solve import Solved
    from sim.report.sweep import Swept
    from sim.results import folder, manifest

    facts = folder.manifest(finished)
    said: dict[str, Any] = {"folder": str(finished)}
    match facts["kind"]:
        case manifest.RUN | manifest.FORECAST:
            for key, table in (("measure", "summary.csv"), ("target", "targets.csv")):
                rows = folder.rows(folder.read(finished, table))
                said[f"{key}s"] = {row.pop(key): row for row in rows}
        case manifest.COMPARE:
            said["scenarios"] = {name: _object(finished / name) for name in facts["scenarios"]}
            said["differences"] = folder.rows(folder.read(finished, "compare.csv"))
        case manifest.RECORD:
            said["forecasts"] = {name: _object(finished / name) for name in facts["forecasts"]}
            said["record"] = folder.rows(folder.read(finished, "record.csv"))
        case manifest.SOLVE:
            solved = Solved(finished)
            (said["solution"],) = folder.rows(solved.answer)
            said["points"] = folder.rows(solved.points)
        case kind:
            said["points"] = folder.rows(Swept(finished).points)
            if kind != manifest.SWEEP:
                said["sensitivity"] = folder.rows(Ranking(finished).table)
    return said


def writing(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the flags of everything that simulates and writes a folder.

    It is called with what they say as `output` and `how`, and with its own flags.
    """

    @click.pass_context
    @wraps(command)
    def called(context: click.Context, /, **flags: Any) -> None:
        told = {name: flags.pop(name) for name in Output._fields[1:]}
        how = {name: flags.pop(name) for name in HOW if name in flags}
        command(output=Output(context.obj, **told), how=how, **flags)

    for option in reversed(WRITING):
        called = option(called)
    return called
