"""What is read of the log of a trial that runs, and what is refused."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from sim.scenario.enrolment_log import read_log
from sim.scenario.load import ScenarioError, load, shipped

BASELINE = load(shipped() / "baseline.yaml")
AS_OF = date(2024, 3, 1)


def written(folder: Path, text: str) -> Path:
    path = folder / "log.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_log_is_read_up_to_its_day(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "id,initials,referred,consented,randomised,arm\n"
        "S2,WL,2023-05-04,2023-05-11,2024-03-02,il2\n"
        "S1,ZW,2023-03-01,2023-03-07,2023-03-20,msc\n"
        "S3,QX,2024-04-01,,,\n",
    )

    log = read_log(path, BASELINE, AS_OF)

    assert [each.id for each in log.people] == ["S1", "S2"]
    assert [each.randomised for each in log.people] == [date(2023, 3, 20), None]
    assert [each.arm for each in log.people] == ["msc", ""]
    assert (log.level, log.unused) == ("full", ("initials",))


def test_what_is_no_date_is_told_with_its_place(tmp_path: Path) -> None:
    path = written(tmp_path, "id,randomised\nS1,2023-02-30\n")

    with pytest.raises(ScenarioError, match=r"log\.csv:2:2: randomised: '2023-02-30' is not"):
        read_log(path, BASELINE, AS_OF)
