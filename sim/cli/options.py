"""The options that commands share, and how what they name is opened."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sim.cli.terminal import NotOpened, Refused, one_screen
from sim.vocabulary.words import ENGLISH, LANGUAGES

if TYPE_CHECKING:
    from sim.scenario.load import Scenario

RESULTS = Path("results")


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
language_option = click.option(
    "--lang",
    "language",
    type=click.Choice(LANGUAGES),
    default=ENGLISH,
    show_default=True,
    help="Language of the page.",
)


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
quiet_option = click.option(
    "--quiet", is_flag=True, help="No progress; print the folder and nothing else."
)
SAYING = (verbose_option, quiet_option, json_option)
PLACING = (
    *(out_option, cluster_option, jobs_option, seed_option),
    *(excel_option, language_option),
)
"""Both from the last to the first, as decorators are applied."""


def replications_option(what: str) -> Callable[..., Any]:
    """The option of a command that simulates a fixed number of replications, of what."""
    return click.option(
        "--replications",
        type=click.IntRange(min=1),
        default=1000,
        show_default=True,
        help=what,
    )


def run_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of everything that simulates runs and writes their folder."""
    return _with(command, *SAYING, keep_option, *PLACING)


def point_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of everything that simulates points and keeps each at once."""
    return _with(command, *SAYING, *PLACING)


def _with(command: Callable[..., Any], *options: Callable[..., Any]) -> Callable[..., Any]:
    for option in options:
        command = option(command)
    return command


def made_of_tables(
    page: Callable[..., None], language: str, *, excel: bool
) -> Callable[[Path], None]:
    """What is made of the tables of a folder: its page and, if asked for, its workbook."""

    def make(finished: Path) -> None:
        from sim.results import workbook

        page(finished, language=language)
        if excel:
            workbook.write(finished, language)

    return make


@contextmanager
def refusing_places() -> Iterator[None]:
    """Turn what the results folder or a cluster refuses into an error of the command line."""
    from sim.experiments.cluster import NoCluster
    from sim.results.folder import FolderRefused

    try:
        yield
    except (FolderRefused, NoCluster) as refusal:
        raise NotOpened(str(refusal)) from refusal


def load_scenario(path: Path, overrides: Sequence[str]) -> Scenario:
    """Return a scenario with its overrides, or end with every problem of it."""
    from sim.scenario.load import load

    with refusing_scenarios():
        return load(path, overrides)


@contextmanager
def refusing_scenarios() -> Iterator[None]:
    """Turn what is wrong with a scenario into an error that shows every problem."""
    from sim.scenario.load import ScenarioError, UnreadableFile

    try:
        yield
    except UnreadableFile as error:
        raise NotOpened(str(error)) from error
    except ScenarioError as error:
        problems = one_screen([str(problem) for problem in error.problems])
        raise Refused("\n".join(problems)) from error
