"""A small randomised trial, simulated: who comes, what it asks of whom, and when it is done.

From Python there are three functions; everything else may change from one version to the next.

>>> from sim import load, read, run
>>> trial = load("scenarios/baseline.yaml", ["assumptions.recruitment.consent=0.8"])
>>> done = run(trial, replications=2, jobs=1)
>>> sorted(done.tables)[-3:]
['visits.csv', 'work.csv.gz', 'workload.csv']
>>> read(done.place).scenario == done.scenario
True
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.report.notebook import read_folder as read
    from sim.report.notebook import run_scenario as run
    from sim.scenario.load import load

__version__ = "0.1.0"
__all__ = ["load", "read", "run"]

_HOMES = {
    "load": ("sim.scenario.load", "load"),
    "read": ("sim.report.notebook", "read_folder"),
    "run": ("sim.report.notebook", "run_scenario"),
}


def __getattr__(name: str) -> Any:  # noqa: ANN401  a module says no more
    """Return a public function, whose libraries are loaded only now: `--help` needs none."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, function = _HOMES[name]
    return getattr(import_module(module), function)
