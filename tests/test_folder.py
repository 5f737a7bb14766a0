"""Results folders: complete or not there, never written over, the same bytes for the same run."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pandas as pd
import pytest

from sim.results import folder
from sim.results.fold import Results, Summary
from sim.results.folder import FolderRefused
from sim.results.manifest import COMPARE, now
from sim.results.periods import Almanac
from sim.results.root import finished, latest
from sim.results.tables import TABLES as DECLARED
from sim.results.tables import build
from sim.scenario.load import Scenario
from sim.scenario.schema import TAKEN
from tests.records import BED, a_log, a_protocol, a_story, at, piece

COUNTED = {"enrolment", "funnel", "flow", "attempts", "balance", "visits", "workload", "supply"}
COUNTED |= {"load", "activity", "dose_days", "rate_known"}
RECKONED = {"summary", "targets", "sample_size", "triggers", "replications", "sensitivity"}
TABLES = {f"{name}.csv" for name in COUNTED | RECKONED}
TABLES |= {f"{name}.csv.gz" for name in ("participants", "events", "work")}


@pytest.fixture(autouse=True)
def scenario_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stand-in for a scenario below has nothing to dump."""
    monkeypatch.setattr(folder, "dump", lambda scenario: f"scenario: {scenario.scenario}\n")


@pytest.fixture
def results() -> Results:
    scenario = SimpleNamespace(scenario="tiny", targets={}, go_no_go=None)
    protocol = a_protocol()
    almanac = Almanac.of(protocol)
    logs = [a_story(), a_log(work=[piece(BED, at(2, 8), at(2, 9.1))])]
    folded = Results(cast("Scenario", scenario), protocol, 7)
    folded.fold([Summary.of(log, almanac, keep=True) for log in logs])
    return folded


def no_page(_: Path) -> None:
    pass


def write(results: Results, root: Path, **changed: Any) -> Path:  # noqa: ANN401
    how = {"command": "trialsim run", "page": no_page, "root": root, **changed}
    return folder.write(results.scenario, lambda: results, **how)


def test_a_folder_holds_every_table_and_is_named_for_its_run(
    results: Results, tmp_path: Path
) -> None:
    path = write(results, tmp_path)

    assert path.parent == tmp_path / "tiny"
    digest = sha256((path / "scenario.yaml").read_bytes()).hexdigest()
    assert path.name.endswith(f"-{digest[:8]}")
    assert folder.manifest(path)["scenario_digest"] == digest
    assert {file.name for file in path.iterdir()} == TABLES | {"scenario.yaml", "manifest.json"}
    assert finished(tmp_path) == [path]
    assert latest(tmp_path) == path
    assert (tmp_path / "latest").read_text() == f"tiny/{path.name}\n"


def test_the_manifest_says_where_the_numbers_come_from(results: Results, tmp_path: Path) -> None:
    manifest = folder.manifest(write(results, tmp_path))

    assert list(manifest) == [
        "kind",
        "command",
        "scenario_digest",
        "seed",
        "replications",
        "keep",
        "calendar_known_through",
        "replications_per_second",
        "versions",
        "git_commit",
        "cores",
        "started",
        "seconds",
        "tables",
        "seal",
    ]
    assert manifest["kind"] == "run"
    assert (manifest["seed"], manifest["replications"]) == (7, 2)
    assert manifest["calendar_known_through"] == "2026-12-31"
    assert manifest["replications_per_second"] > 0
    assert {"trialsim", "python", "numpy", "simpy"} <= manifest["versions"].keys()


def test_the_page_is_written_when_everything_else_stands(results: Results, tmp_path: Path) -> None:
    seen: list[str] = []

    def page(part: Path) -> None:
        seen.extend(file.name for file in part.iterdir())
        seen.append(part.suffix)
        (part / "report.html").write_text("page")

    path = write(results, tmp_path, page=page)

    assert set(seen) == TABLES | {"scenario.yaml", "manifest.json", ".part"}
    assert (path / "report.html").read_text() == "page"


def test_the_same_run_gives_the_same_bytes(results: Results, tmp_path: Path) -> None:
    one, other = write(results, tmp_path), write(results, tmp_path)

    assert one != other
    for name in TABLES | {"scenario.yaml"}:
        assert (one / name).read_bytes() == (other / name).read_bytes(), name


def test_a_compressed_table_carries_no_time_and_no_name(results: Results, tmp_path: Path) -> None:
    header = (write(results, tmp_path) / "work.csv.gz").read_bytes()[:10]

    assert header[3:8] == bytes(5)


@pytest.mark.parametrize("name", sorted(TABLES - {"summary.csv", "replications.csv"}))
def test_a_table_reads_back_as_it_was_built(name: str, results: Results, tmp_path: Path) -> None:
    built = build(results)[name].fillna(dict.fromkeys(DECLARED[name].texts, ""))

    back = folder.read(write(results, tmp_path), name)

    pd.testing.assert_frame_equal(back, built, check_dtype=False, rtol=0, atol=1e-6)


def test_never_is_a_word_in_the_file_and_numbers_beside_it_stay_numbers(
    results: Results, tmp_path: Path
) -> None:
    path = write(results, tmp_path)
    summary = folder.read(path, "summary.csv").set_index("measure")

    assert ",never,never" in (path / "summary.csv").read_text()
    assert summary.loc["day_of_target", "p90"] == "never"
    assert summary.loc["candidates", "p90"] == 10.0
    assert folder.read(path, "replications.csv")["day_of_target"].tolist() == [10.0, "never"]


def test_numbers_are_written_plainly(results: Results, tmp_path: Path) -> None:
    path = write(results, tmp_path)

    row = next(
        line for line in (path / "summary.csv").read_text().splitlines() if "bed_hours" in line
    )
    assert row.startswith("bed_hours,hours,0.55,0.777817,0,0,0,1.1,1.1,")
    assert "110000000" in (path / "supply.csv").read_text()
    assert b"wait_hours" in gzip.decompress((path / "events.csv.gz").read_bytes())


@pytest.mark.parametrize("end", [KeyboardInterrupt, ValueError])
def test_nothing_is_left_of_a_folder_that_was_not_finished(
    end: type[BaseException], results: Results, tmp_path: Path
) -> None:
    def page(_: Path) -> None:
        raise end

    with pytest.raises(end):
        write(results, tmp_path, page=page)

    assert not list(tmp_path.rglob("*.part"))
    assert finished(tmp_path) == []
    with pytest.raises(FolderRefused, match="no finished run"):
        latest(tmp_path)


def test_a_full_disk_is_said_plainly_and_leaves_nothing(results: Results, tmp_path: Path) -> None:
    def page(_: Path) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(FolderRefused, match=r"tiny/.*: No space left on device"):
        write(results, tmp_path, page=page)

    assert not list(tmp_path.rglob("*.part"))


def test_an_unfinished_folder_is_not_a_finished_run(tmp_path: Path) -> None:
    part = tmp_path / "tiny" / "20240101-000000-01234567.part"
    part.mkdir(parents=True)
    (part / "manifest.json").write_text("{}")

    assert finished(tmp_path) == []


def test_out_is_written_into_itself_when_new_or_empty(results: Results, tmp_path: Path) -> None:
    new, empty = tmp_path / "a" / "new", tmp_path / "empty"
    empty.mkdir()

    for out in (new, empty):
        assert write(results, tmp_path / "results", out=out) == out
        assert json.loads((out / "manifest.json").read_text())["seed"] == 7
    assert not (tmp_path / "results").exists()


def test_out_is_refused_where_something_stands(results: Results, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("keep")
    (tmp_path / "file").write_text("keep")

    for out, why in (("full", "not empty"), ("file", "a file"), ("file/new", "Not a directory")):
        with pytest.raises(FolderRefused, match=why):
            write(results, tmp_path, out=tmp_path / out)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "full", "mine.txt"]


def test_what_cannot_be_written_is_found_before_anything_is_simulated(
    results: Results, tmp_path: Path
) -> None:
    def simulate() -> Results:
        raise AssertionError

    (tmp_path / "file").write_text("keep")
    (tmp_path / "out.part").mkdir()
    cases: list[tuple[dict[str, Any], str]] = [
        ({"root": tmp_path / "file"}, "file.*Not a directory"),
        ({"out": tmp_path / "file" / "new"}, "Not a directory"),
        ({"out": tmp_path / "out"}, r"out.part: a command is at work .* remove it, .* --out"),
    ]
    for where, why in cases:
        with pytest.raises(FolderRefused, match=why):
            folder.write(results.scenario, simulate, command="", page=no_page, **where)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "out.part"]


def test_whatever_stands_in_the_place_of_the_pointer_a_run_is_finished_and_found(
    results: Results, tmp_path: Path
) -> None:
    (tmp_path / "latest").mkdir()
    path = write(results, tmp_path)

    assert (path / "summary.csv").is_file()
    assert latest(tmp_path) == path
    assert [each.name for each in tmp_path.glob("latest*")] == ["latest"]


def test_names_of_the_results_folder_are_no_scenarios() -> None:
    assert {folder.LATEST, COMPARE} == {*TAKEN}


def test_a_time_zone_that_is_none_is_that_of_greenwich(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "X24:59")
    time.tzset()
    try:
        assert now().utcoffset() == timedelta(0)
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize("named", ["../tiny", "/tiny", "", ".", "tiny/../..", "tiny//x", "a\0b"])
def test_the_newest_run_is_below_its_root(named: str, tmp_path: Path) -> None:
    (tmp_path / "latest").write_text(f"{named}\n", encoding="utf-8")

    with pytest.raises(FolderRefused, match=r"latest: .*; allowed: a folder below"):
        latest(tmp_path)


ALL_FACTS: dict[str, Any] = {"command": "trialsim", "seed": 1, "replications": 2}
ALL_FACTS |= {"versions": {}, "git_commit": None, "seconds": 1.5}
ALL_FACTS |= {"started": "2024-01-01T08:00:00+08:00"}
RUN_FACTS = ALL_FACTS | {"kind": "run", "scenario_digest": "0", "keep": 1}
RUN_FACTS |= {"calendar_known_through": None}
COMPARE_FACTS = ALL_FACTS | {"kind": "compare", "scenarios": ["tiny"]}
RANKING_FACTS = ALL_FACTS | {"kind": "lhs", "varied": [], "points": 2, "on": "left"}
RANKING_FACTS |= {"too_few_points_for": [], "ignorance": None}
SOLVE_FACTS = ALL_FACTS | {"kind": "solve", "moved": "a", "moved_kind": "date", "until": "b"}
SOLVE_FACTS |= {"between": ["1", "2"], "rising": True, "fall": None}


@pytest.mark.parametrize("facts", [RUN_FACTS, COMPARE_FACTS, RANKING_FACTS, SOLVE_FACTS])
def test_a_manifest_lacks_nothing_it_has_to_say(facts: dict[str, Any], tmp_path: Path) -> None:
    for key in facts.keys() - {"kind"}:
        folder.write_manifest(tmp_path, {name: facts[name] for name in facts if name != key})
        with pytest.raises(FolderRefused, match=rf"manifest.json: {key} is missing; allowed: "):
            folder.manifest(tmp_path)
    folder.write_manifest(tmp_path, facts | {"scenarios": [], "joined": 7, "seed": -1})
    with pytest.raises(FolderRefused, match=r"manifest.json: \w+: "):
        folder.manifest(tmp_path)


def test_what_was_edited_since_it_was_written_is_told(results: Results, tmp_path: Path) -> None:
    path = write(results, tmp_path)
    assert not folder.edited(path)

    (path / "flow.csv").write_text("box,arm,reason,mean,p10,p90\n")
    (path / "visits.csv").unlink()
    assert folder.edited(path) == [str(path / "flow.csv"), str(path / "visits.csv")]
    text = (path / "manifest.json").read_text()
    (path / "manifest.json").write_text(text.replace('"seed": 7', '"seed": 8'))
    assert folder.edited(path)[0] == str(path / "manifest.json")


ELSEWHERE = [
    "../tiny",
    "/tiny",
    "..",
    ".",
    "",
    ".tiny",
    "a/b",
    "a\\b",
    "a\0b",
    "C:",
    "a\n",
    7,
    None,
]


@pytest.mark.parametrize("key", ["joined", "scenarios"])
@pytest.mark.parametrize("name", ELSEWHERE)
def test_a_folder_that_a_manifest_names_is_in_its_folder(
    key: str, name: object, tmp_path: Path
) -> None:
    facts = {"joined": RUN_FACTS, "scenarios": COMPARE_FACTS}[key]
    for names in (["tiny", name], name):
        folder.write_manifest(tmp_path, facts | {key: names})
        with pytest.raises(FolderRefused, match=rf"manifest.json: {key}.*: .*; allowed: "):
            folder.manifest(tmp_path)
    folder.write_manifest(tmp_path, facts | {key: ["tiny", "solve-2"]})
    assert folder.manifest(tmp_path)[key] == ["tiny", "solve-2"]


@pytest.mark.parametrize("wrong", [*ELSEWHERE, "Tornado", ["lhs"]])
def test_a_kind_is_one_of_those_there_are(wrong: object, tmp_path: Path) -> None:
    for key, own in (("kind", "lhs"), ("moved_kind", "date")):
        facts = RANKING_FACTS if key == "kind" else SOLVE_FACTS
        facts = facts | {key: own}
        folder.write_manifest(tmp_path, facts)
        assert folder.manifest(tmp_path)[key] == own
        folder.write_manifest(tmp_path, facts | {key: wrong})
        with pytest.raises(FolderRefused, match=rf"manifest.json: {key}: .*"):
            folder.manifest(tmp_path)


def test_a_folder_of_an_earlier_version_says_no_kind_and_is_refused(tmp_path: Path) -> None:
    folder.write_manifest(tmp_path, {"seed": 1})

    with pytest.raises(FolderRefused, match=r"manifest.json: says no kind: an earlier version"):
        folder.manifest(tmp_path)


@pytest.mark.parametrize("contents", [b"", b"{", b"[1]", b"7", b'"run"', b"\xff"])
def test_what_is_no_manifest_is_refused(contents: bytes, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_bytes(contents)

    with pytest.raises(FolderRefused, match=r"manifest.json: .*; allowed: "):
        folder.manifest(tmp_path)


def test_nothing_is_written_through_a_link(results: Results, tmp_path: Path) -> None:
    mine, root = tmp_path / "mine.txt", tmp_path / "results"
    mine.write_text("keep")
    root.mkdir()
    (root / "latest").symlink_to(mine)

    path = write(results, root)
    (path / "flow.csv").unlink()
    (path / "flow.csv").symlink_to(mine)
    folder.write_table(path / "flow.csv", [pd.DataFrame({"a": [1]})])
    folder.write_table(path / "flow.csv", [pd.DataFrame({"a": [2]})])
    folder.write_manifest(path, RUN_FACTS)

    assert mine.read_text() == "keep"
    assert (path / "flow.csv").read_text() == "a\n2\n"
    assert folder.manifest(path).items() >= RUN_FACTS.items()
    assert latest(root) == path


def test_a_file_half_written_leaves_the_one_before_it(tmp_path: Path) -> None:
    def parts() -> Iterator[pd.DataFrame]:
        yield pd.DataFrame({"a": [1]})
        raise OSError(28, "No space left on device")

    (tmp_path / "points.csv").write_text("before")
    with pytest.raises(OSError, match="No space"):
        folder.write_table(tmp_path / "points.csv", parts())

    assert [path.name for path in tmp_path.iterdir()] == ["points.csv"]
    assert (tmp_path / "points.csv").read_text() == "before"
