"""What a run's page knows of sweeps and searches of its scenario that were joined to it."""

from __future__ import annotations

from pathlib import Path

from sim.report import sensitivity, solve, sweep
from sim.report.page import Joined
from sim.results import folder


def read(finished: Path, language: str) -> list[Joined]:
    """Return what was joined to the run of a folder, in the order in which it was named."""
    names = folder.manifest(finished).get("joined", ())
    return [_joined(finished / name, language) for name in names]


def _joined(finished: Path, language: str) -> Joined:
    manifest = folder.manifest(finished)
    kind = manifest["kind"]
    if kind == "solve":
        said = solve.verdict(solve.read(finished, language))
    elif kind == "sweep":
        said = sweep.verdict(sweep.read(finished, language))
    else:
        return sensitivity.joined(finished, language)
    return Joined(finished.name, said, manifest)
