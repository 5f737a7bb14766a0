"""One file that simulates: the page of a run with the simulator in it, for any browser, offline.

Python itself comes as Pyodide, unchanged (Mozilla Public License 2.0); our own files and those of
the libraries the model needs go with it, all of it compressed. Nothing is asked of a network.
"""

from __future__ import annotations

import base64
import gzip
import io
import json
import shlex
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from hashlib import sha256
from importlib import metadata, resources
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import altair as alt

from sim.report.effects import drawn_effects
from sim.report.page import Page, rendered
from sim.report.run import Run
from sim.scenario.capacity import week
from sim.scenario.load import dump
from sim.scenario.places import hours_in
from sim.scenario.section import walk
from sim.vocabulary.clock import WEEKDAYS

VERSION = "314.0.7"
LOCK = "pyodide-lock.json"
PYODIDE = {
    "pyodide.asm.wasm": "cc36e3cab04fdfc9a63ff13eb52eae2b911bf46c025cc7b281f394bd3de1d5e6",
    "pyodide.asm.mjs": "f7cdc8ece80678ceb712f8e65ebe6d3a83203a180c399865f49612a051693635",
    "pyodide.mjs": "6f1d60f7bf529beb300f0f47983c921d3982363640ba20af0e38efdddbc66109",
    LOCK: "5dc2fc119108bc148c7457dc86e7675b5c87e1cafd420b9c34c1eaef7b36c010",
    "python_stdlib.zip": "fa1957e5777068fc4f7437f96d860ae2fbe9c19732ba06c84e004ec16dd7dd7a",
}
"""The files of Pyodide that are packed, by their SHA-256."""

CORE = "pydantic_core-2.50.4-cp314-cp314-pyemscripten_2026_0_wasm32.whl"
CORE_DIGEST = "e6da138a1ecc1341c8b788a5ee822670b03788e1f5decf7af9d461de6e508b8e"
"""The one library with machine code, built for Pyodide, and its SHA-256."""

LIBRARIES = (
    *("simpy", "pydantic", "typing-extensions", "typing-inspection", "annotated-types"),
    *("ruamel.yaml", "holidays", "python-dateutil", "six"),
)
"""What the model imports and is plain Python: as installed here."""

HOW_TO_GET_IT = (
    f"to get it: npm install --prefix {{place}} pyodide@{VERSION}; "
    "pip download --no-deps -d {place} --only-binary=:all: --python-version 3.14 "
    "--implementation cp --abi cp314 --platform pyemscripten_2026_0_wasm32 "
    f"pydantic-core=={CORE.split('-')[1]}"
)
WORKING_DAYS = 5
HALVES = "08:00-12:00", "14:00-17:30"
"""A morning and an afternoon."""

HALF_DAYS = tuple(span for half in HALVES for span in hours_in(half))

MOST_ASSUMPTIONS, MOST_ROLES = 4, 2
SHOWN = (
    *("randomised", "day_of_target", "completed", "left", "screen_failed", "visits"),
    "desk_backlog_peak_hours",
)
SPOKEN = (
    *(
        "ready",
        "running",
        "done",
        "stopped",
        "refused",
        "never",
        "unit_share",
        "unit_day",
        "hours",
        "weeks",
    ),
    *("saved", "copied"),
)
"""Words that the page's script says."""

PACKED = {".py", ".toml", ".typed", ".yaml", ".mo"}
OURS = ("vocabulary", "scenario", "model", "browser", "templates")


class NotPacked(Exception):  # noqa: N818  it is no fault, it says what is missing
    """What the file needs is not where it was said to be, or is not what it should be."""


class Licence(NamedTuple):
    """What is packed, in which version, and under which licence."""

    name: str
    version: str
    licence: str


def packed(place: Path) -> dict[str, bytes]:
    """Return the files of Pyodide below a folder; raises NotPacked, which says how to get them.

    Of its lock the long list of packages that could be had from a network is left out.
    """
    files = {name: _checked(place, name, digest) for name, digest in PYODIDE.items()}
    lock = {**json.loads(files[LOCK]), "packages": {}}
    return {
        **files,
        LOCK: json.dumps(lock).encode(),
        "core.whl": _checked(place, CORE, CORE_DIGEST),
    }


def app_html(page: Page, run: Run, python: Mapping[str, bytes], plan: str) -> str:
    """Return the page of a run with the simulator in it, by what `packed` returns.

    `plan` is what the command line calls the scenario.
    """
    parts = {**python, "app.zip": _zipped(run)}
    bench = rendered(
        "app.html.j2",
        say=run.say,
        parts={name: _compressed(content) for name, content in parts.items()},
        controls=[*controls(run)],
        licences=[*licences()],
        yaml=dump(run.scenario),
        days=WEEKDAYS[:WORKING_DAYS],
        spans=HALVES,
        hours_of=hours_of,
        facts=_facts(run, plan),
    )
    return page.html().replace("</main>", f"</main>\n{bench}", 1)


def _checked(place: Path, name: str, digest: str) -> bytes:
    """Return a file of Pyodide, as npm or pip put it below a folder."""
    found = next((each for each in place.rglob(name) if each.is_file()), None)
    if found is None:
        raise NotPacked(f"{name} is not in {place}; {HOW_TO_GET_IT.format(place=place)}")
    content = found.read_bytes()
    if sha256(content).hexdigest() != digest:
        raise NotPacked(f"{found} is another file than that of version {VERSION}")
    return content


def _compressed(content: bytes) -> str:
    return base64.b64encode(gzip.compress(content, 9, mtime=0)).decode()


def _zipped(run: Run) -> bytes:
    """Return our own files, the libraries and the scenario as a zip; the same each time."""
    files = {"scenario.yaml": dump(run.scenario).encode(), "sim/__init__.py": b""}
    package = resources.files("sim")
    for room in OURS:
        files |= dict(_below(package / room, PurePosixPath("sim") / room))
    for library in LIBRARIES:
        for path in metadata.distribution(library).files or ():
            if path.suffix in PACKED or path.name == "METADATA":
                files[str(path)] = path.read_binary()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name, content in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name), content)
    return packed.getvalue()


def _below(folder: Traversable, name: PurePosixPath) -> Iterator[tuple[str, bytes]]:
    for each in folder.iterdir():
        if each.is_file() and PurePosixPath(each.name).suffix in PACKED:
            yield str(name / each.name), each.read_bytes()


def licences() -> Iterator[Licence]:
    """Yield what is packed that is not ours."""
    yield Licence("Pyodide", VERSION, "MPL-2.0")
    yield Licence("CPython", "3.14", "PSF-2.0")
    yield Licence("pydantic_core", CORE.split("-")[1], "MIT")
    for library in LIBRARIES:
        about = metadata.distribution(library)
        written = {key: each for key, each in about.metadata.json.items() if "license" in key}
        licence = written.get("license_expression") or written["license"]
        yield Licence(about.name, about.version, str(licence))


class Control(NamedTuple):
    """Something of the scenario that can be changed by hand, and how it stands.

    `kind` is number, date, half_days or criterion. Of half-days `value` says which of the ten of a
    week, from Monday morning on, are worked.
    """

    path: str
    kind: str
    title: str
    value: Any
    low: Any = None
    high: Any = None
    source: str = ""


def controls(run: Run) -> Iterator[Control]:
    """Yield what to change: what matters most, who is there when, until when, whom one takes."""
    yield from _assumptions(run)
    yield from _half_days(run)
    trial = run.scenario.design.trial
    path = "design.trial.recruits_until"
    until, title = run.recruits_until.isoformat(), run.say("app.recruits_until")
    yield Control(path, "date", title, until, trial.opens.isoformat(), trial.closes.isoformat())
    yield from _criterion(run)


def _assumptions(run: Run) -> Iterator[Control]:
    """Yield the numbers that matter most, by what the run found of them; else the first ones."""
    ranged = {each.path: each for each in run.scenario.ranged()}
    found = drawn_effects(run, next(iter(run.scenario.targets), "randomised"))
    paths = [each for each in (found.by_path if found else ranged) if each in ranged]
    entries = {each.dotted: each.value for each in walk(run.scenario.assumptions, ("assumptions",))}
    for path in paths[:MOST_ASSUMPTIONS]:
        each, known = ranged[path], entries[path]
        title = run.say.capital(run.name(path))
        source = run.say.own(known.source)
        yield Control(path, "number", title, each.value, each.low, each.high, source)


def _half_days(run: Run) -> Iterator[Control]:
    """Yield the hours of the two busiest roles, where they are half-days of a working week."""
    staff = run.scenario.design.staff
    halves = {
        role: [half in days for days in week(each.hours)[:WORKING_DAYS] for half in HALF_DAYS]
        for role, each in staff.items()
        if all(set(spans) <= set(HALF_DAYS) for spans in week(each.hours)[:WORKING_DAYS])
        and not any(week(each.hours)[WORKING_DAYS:])
    }
    busiest = sorted(halves, key=lambda role: -run.mean(f"{role}_utilisation"))
    for role in busiest[:MOST_ROLES]:
        title = run.say("app.half_days", role=run.say.title(role, "staff"))
        yield Control(f"design.staff.{role}.hours", "half_days", title, halves[role])


def hours_of(halves: Sequence[bool]) -> str:
    """Return half-days as a scenario writes them, in the form of the page's script."""
    days: dict[str, list[str]] = {}
    for place, is_worked in enumerate(halves):
        if is_worked:
            day, half = divmod(place, len(HALVES))
            days.setdefault(WEEKDAYS[day], []).append(HALVES[half])
    return "{" + ", ".join(f'{day}: "{", ".join(each)}"' for day, each in days.items()) + "}"


def _criterion(run: Run) -> Iterator[Control]:
    """Yield the criterion that most candidates fail."""
    table = run.tables["flow.csv"]
    failed = table[table["box"].isin(["screen_failed", "not_eligible_on_chart"])]
    failed = failed[failed["reason"].isin(run.scenario.design.eligibility)]
    if not failed.empty:
        name = str(failed.sort_values("mean", ascending=False).iloc[0]["reason"])
        title = run.say("app.criterion", name=run.say.title(name))
        yield Control(f"design.eligibility.{name}", "criterion", title, value=True)


def _facts(run: Run, plan: str) -> dict[str, Any]:
    """Return what the page's script needs to know: what its figures are called, and its words."""
    say, scenario = run.say, run.scenario
    shown = [*SHOWN, *(f"{role}_hours" for role in scenario.design.staff)]
    shown += [f"doses_{product}" for product in scenario.design.products]
    measures = scenario.measures()
    names = [(f"targets.{target}", say.heading(target), "share") for target in scenario.targets]
    names += [(each, say.heading(each), measures[each]) for each in shown if each in measures]
    return {
        "scenario": scenario.scenario,
        "file": f"{Path(plan).stem}.yaml",
        "plan": shlex.quote(plan),
        "language": say.language,
        "schema": alt.SCHEMA_URL,
        "opens": run.opens.isoformat(),
        "first_week": (run.opens - timedelta(run.opens.weekday())).isoformat(),
        "sides": [say("app.before"), say("app.after")],
        "seed": run.manifest["seed"],
        "names": names,
        "roles": [(role, say.title(role, "staff")) for role in scenario.design.staff],
        "words": {key: say(f"app.{key}", count="{}") for key in SPOKEN},
    }
