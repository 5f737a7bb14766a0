"""The command of a trial that runs: how it goes on from its log."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from sim.cli.options import (
    Output,
    keep_option,
    observed_options,
    replications_option,
    resume_option,
    scenario_argument,
    set_option,
    writing,
)
from sim.cli.run import gate_option, run_and_tell, to_be_run
from sim.cli.speech import print_wrapped
from sim.cli.terminal import examples


@click.command(
    "forecast", epilog=examples("forecast baseline --observed log.csv --as-of 2024-03-01")
)
@scenario_argument
@observed_options(required=True)
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
    as_of: datetime,
    rate: str | None,
    gate: bool,
    resume: Path | None,
    output: Output,
    how: Mapping[str, Any],
) -> None:
    """Simulate how the trial of SCENARIO goes on from its log; write tables and a page."""
    from sim.scenario.enrolment_log import read_log

    if rate == "constant":
        overrides = [*overrides, "assumptions.recruitment.waves=null"]
    scenario = to_be_run(path, overrides, output, resume, gate=gate)
    log = read_log(observed, scenario, as_of.date())
    if log.unused and output.is_watched:
        print_wrapped([f"not read, and copied nowhere: {', '.join(log.unused)}"], sys.stderr)
    if output.dry_run:
        from sim.experiments.replicate import runs_in_all

        number = how["replications"]
        said = f"{number:,} replications of {scenario.scenario} from {log.as_of} on"
        output.foresee(said, scenario, runs_in_all(scenario, number, log), how)
        return
    run_and_tell(scenario, output, how, resume, gate=gate, log=log)
