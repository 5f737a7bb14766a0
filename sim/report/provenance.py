"""Where results come from: the command, and what else their manifest says."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any, NamedTuple

from sim.report.page import Row, Table
from sim.results import folder
from sim.vocabulary.words import Words

FACTS = (
    *("scenario_digest", "seed", "replications", "keep", "calendar_known_through", "git_commit"),
    "cores",
)
"""Facts of a manifest that a page shows; the clock's stand in its footer."""


class Provenance(NamedTuple):
    """The command as typed, that which needs the folder alone (of a run), and the facts."""

    command: str
    again: str
    table: Table


def of(manifest: Mapping[str, Any], say: Words) -> Provenance:
    """Return where the results of a folder come from."""
    facts = {name: manifest[name] for name in FACTS if manifest.get(name) is not None}
    rows = [Row([name, str(fact)], "written") for name, fact in facts.items()]
    rows += [Row([name, version], "written") for name, version in manifest["versions"].items()]
    header = [say("provenance.fact"), say("provenance.value")]
    table = Table(say("provenance.table"), header, rows, say("provenance.note"), 2)
    again = _again(manifest) if manifest["kind"] == "run" else ""
    return Provenance(manifest["command"], again, table)


def _again(manifest: Mapping[str, Any]) -> str:
    """The command that gives the tables of a run once more, typed in its folder."""
    flags = (
        (f"--{name}", str(manifest[name]))
        for name in ("replications", "seed", "keep")
        if name in manifest
    )
    flat = [word for flag in flags for word in flag]
    return shlex.join(["trialsim", "run", folder.SCENARIO, *flat])
