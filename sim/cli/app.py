"""`app`: one file that simulates in any browser."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from sim.cli.options import (
    language_option,
    named_scenarios,
    page_option,
    replications_option,
    scenario_argument,
    seed_option,
    to_be_written,
    verbose_option,
)
from sim.cli.speech import say, spoken
from sim.cli.terminal import NotOpened, examples, in_print


@click.command("app", epilog=examples("app baseline --out trialsim.html"))
@scenario_argument
@replications_option("How many the page of the run rests on.")
@seed_option
@click.option(
    "--pyodide",
    metavar="DIR",
    default=Path("pyodide"),
    show_default=True,
    type=click.Path(path_type=Path),
    help="Where npm and pip have put Python for browsers; without it is said how.",
)
@page_option("Write into this new file.", required=True)
@language_option
@verbose_option
def app_command(
    path: Path,
    *,
    replications: int,
    seed: int,
    pyodide: Path,
    out: Path,
) -> None:
    """Write one HTML file that simulates SCENARIO and changes of it, in any browser, offline."""
    from sim.experiments.replicate import replicate
    from sim.report.app import NotPacked, app_html, packed
    from sim.report.pages import read_page
    from sim.report.run import Run
    from sim.results import folder
    from sim.scenario.load import load

    scenario = load(path)
    to_be_written(out)
    try:
        parts = packed(pyodide)
    except NotPacked as error:
        raise NotOpened(str(error)) from error
    with TemporaryDirectory() as home:
        simulate = partial(replicate, scenario, replications=replications, seed=seed, keep=0)
        command = click.get_current_context().obj
        finished = folder.write(
            scenario, simulate, command=command, page=lambda _: None, out=Path(home) / "run"
        )
        language = spoken().language
        plan = path.stem if path in named_scenarios().values() else str(path)
        html = app_html(read_page(finished, language), Run(finished, language), parts, plan)
    out.write_text(html, encoding="utf-8")
    say(in_print(out))
