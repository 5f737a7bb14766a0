"""What is worked out from the code and committed, for people to read in a diff.

`python -m tests.artefacts` writes it all anew: the golden figures of the shipped scenarios, the
JSON Schema of scenarios, and the reference of their keys. A change that is meant to move figures
says so in the CHANGELOG.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from io import StringIO
from pathlib import Path
from typing import Any

from sim.model.run import run
from sim.results.measures import measure
from sim.scenario.interpret import interpret
from sim.scenario.load import load, shipped
from sim.scenario.schema import json_schema
from tests.reference import reference

REFERENCE = Path(__file__).parent.parent / "docs" / "reference.md"
GOLDEN = Path(__file__).parent / "golden.csv"
SCHEMA = Path(str(shipped())) / "scenario.schema.json"
SCENARIOS = sorted(path.stem for path in shipped().glob("*.yaml"))
REPLICATIONS, DIGITS = (1, 2), 9


def figures(scenario: str) -> dict[str, str]:
    """Return every measure of a scenario's first replications, a value each."""
    protocol = interpret(load(Path(str(shipped())) / f"{scenario}.yaml"))
    found = [measure(run(protocol, seed=1, replication=n), protocol) for n in REPLICATIONS]
    return {name: " ".join(f"{each[name]:.{DIGITS}g}" for each in found) for name in found[0]}


def golden() -> str:
    """Return the golden figures: a row a measure, a column a scenario."""
    found = {scenario: figures(scenario) for scenario in SCENARIOS}
    measures = dict.fromkeys(name for each in found.values() for name in each)
    table = StringIO()
    rows = csv.writer(table, lineterminator="\n")
    rows.writerow(["measure", *SCENARIOS])
    rows.writerows([name, *(each.get(name, "") for each in found.values())] for name in measures)
    return table.getvalue()


def committed_figures(scenario: str) -> dict[str, str]:
    """Return the golden figures of a scenario."""
    with GOLDEN.open(encoding="utf-8", newline="") as table:
        return {row["measure"]: row[scenario] for row in csv.DictReader(table) if row[scenario]}


def schema() -> str:
    """Return the JSON Schema of scenarios, as editors read it: a definition, or a key, a line."""
    return "{\n" + ",\n".join(_lines(json_schema())) + "\n}\n"


def _lines(plain: Mapping[str, Any]) -> Iterator[str]:
    for key, entry in plain.items():
        if key in ("$defs", "properties"):
            inside = ",\n".join(f"  {_json(name)}: {_json(each)}" for name, each in entry.items())
            yield f" {_json(key)}: {{\n{inside}\n }}"
        else:
            yield f" {_json(key)}: {_json(entry)}"


def _json(entry: object) -> str:
    return json.dumps(entry, ensure_ascii=False)


if __name__ == "__main__":
    GOLDEN.write_text(golden(), encoding="utf-8")
    SCHEMA.write_text(schema(), encoding="utf-8")
    REFERENCE.write_text(reference(), encoding="utf-8")
