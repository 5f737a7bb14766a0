"""The command of a trial that runs: how it goes on from its log."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sim.cli.observed import logs_of_days, observed_options
from sim.cli.options import (
    Output,
    keep_option,
    replications_option,
    resume_option,
    scenario_argument,
    set_option,
    writing,
)
from sim.cli.progress import ReplicationsTold
from sim.cli.run import gate_option, run_and_tell, simulation, to_be_run
from sim.cli.speech import print_wrapped, spoken
from sim.cli.terminal import examples

if TYPE_CHECKING:
    from sim.scenario.load import Scenario


@click.command(
    "forecast",
    epilog=examples(
        "forecast baseline --observed log.csv --as-of 2024-03-01",
        "forecast baseline --observed log.csv --as-of 2023-03-01,2023-09-01",
    ),
)
@scenario_argument
@observed_options(required=True, several=True)
@click.option(
    "--rate",
    type=click.Choice(["constant"]),
    help="Without the waves that the scenario may have.",
)
@set_option
@replications_option("How many.")
@gate_option
@keep_option
@resume_option
@writing
def forecast_command(
    path: Path,
    overrides: Sequence[str],
    *,
    observed: Path,
    as_of: Sequence[date],
    rate: str | None,
    gate: bool,
    resume: Path | None,
    output: Output,
    how: Mapping[str, Any],
) -> None:
    """Simulate how the trial of SCENARIO goes on from its log; write tables and a page.

    On several days: what was forecast on each, from the log as it then stood, against what came.
    """
    from sim.scenario.assumptions import WITHOUT_WAVES
    from sim.scenario.enrolment_log import read_log

    if rate == "constant":
        overrides = [*overrides, WITHOUT_WAVES]
    scenario = to_be_run(path, overrides, output, resume, gate=gate)
    if len(as_of) > 1:
        if gate:
            raise click.UsageError("--gate: allowed with one date of --as-of")
        _record(scenario, observed, as_of, output, how, resume)
        return
    log = read_log(observed, scenario, *as_of)
    if log.unused and output.is_watched:
        print_wrapped([f"not read, and copied nowhere: {', '.join(log.unused)}"], sys.stderr)
    if output.dry_run:
        from sim.experiments.replicate import runs_in_all

        number = how["replications"]
        said = f"{number:,} replications of {scenario.scenario} from {log.as_of} on"
        output.foresee(said, scenario, runs_in_all(scenario, number, log), how)
        return
    run_and_tell(scenario, output, how, resume, gate=gate, log=log)


def _record(  # noqa: PLR0917  as of the command
    scenario: Scenario,
    observed: Path,
    days: Sequence[date],
    output: Output,
    how: Mapping[str, Any],
    resume: Path | None,
) -> None:
    """Forecast on each day from the log as it then stood, and hold all against the whole log."""
    from sim.experiments.replicate import runs_in_all
    from sim.results import batches, bundle
    from sim.results.manifest import RECORD
    from sim.results.record import record_of

    logs, whole = logs_of_days(observed, scenario, days)
    if output.dry_run:
        number = how["replications"]
        said = f"{number:,} replications of {scenario.scenario} from each of {len(days)} days on"
        output.foresee(said, scenario, len(days) * runs_in_all(scenario, number, whole), how)
        return
    facts = {"known_until": str(whole.as_of), "log_sha256": whole.sha256}
    tables = partial(record_of, scenario=scenario, log=whole)
    with closing(ReplicationsTold(len(logs), shown=output.is_watched)) as told:
        simulate = partial(simulation, scenario, output, how, told, alone=False)
        forecasts = {
            str(log.as_of): simulate(name=spoken().day(log.as_of), log=log) for log in logs
        }
        finished = bundle.gather(
            {day: partial(bundle.put, each) for day, each in forecasts.items()},
            command=output.command,
            page=output.make,
            together=bundle.Together(RECORD, tables, facts, scenario),
            out=output.out,
            resume=resume,
            keeping=batches.alone,
        )
    output.tell(finished)
