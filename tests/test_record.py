"""Forecasts on several days, held against what came: nothing that came later is in them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sim.report import pages
from sim.report.pages import read_page
from sim.results import folder
from sim.results.record import inside
from tests.command import trialsim
from tests.toys import UNSURE

OPENS, DAYS, LAST = date(2023, 1, 1), ("2023-03-31", "2023-06-30"), "2023-10-27"
HOW = ["--replications", "30", "--jobs", "1", "--keep", "1", "--quiet"]
SLOW, FAST = (*range(3, 297, 9), 299), (*range(3, 85, 9), *range(91, 295, 4), 299)
"""Days on which somebody comes, counted from 0: until day 84 the same, and the last is."""


def forecast(days: str, *more: str, observed: str = "log.csv") -> int:
    asked = ("--observed", observed, "--as-of", days)
    return trialsim("forecast", "toy.yaml", *asked, *HOW, *more)


def write_log(name: str, came: tuple[int, ...]) -> None:
    dates = [str(OPENS + timedelta(day)) for day in came]
    rows = [f"P{place},{day},{day},{day},one" for place, day in enumerate(dates)]
    head = "id,referred,consented,randomised,arm"
    Path(name).write_text("\n".join([head, *rows, ""]), encoding="utf-8")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with the record of a log, that of another one, and a forecast; where one works."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("record"))
        patch.setattr(pages, "write_page", lambda *_, **__: None)
        trial = "closes: 2023-12-31, target: 30"
        text = UNSURE.replace("closes: 2023-12-31", trial).replace("at_least: 50", "at_least: 30")
        stays = "  staying: {measure: completed, at_least: 9, with_probability: 0.5}\n"
        text = text.replace("targets: {fifty: ", f"targets:\n{stays}  thirty: ")
        Path("toy.yaml").write_text(text.replace("0.5}}", "0.5}"), encoding="utf-8")
        write_log("log.csv", SLOW)
        write_log("other.csv", FAST)
        assert forecast(",".join(DAYS), "--out", "one") == 0
        assert forecast(",".join(DAYS), "--out", "two", observed="other.csv") == 0
        assert forecast(DAYS[0], "--out", "alone") == 0
        yield Path.cwd()


def test_nothing_that_comes_later_is_in_a_forecast(home: Path) -> None:
    first, second = (
        {each.name: each.read_bytes() for each in (home / name / DAYS[0]).glob("*.csv*")}
        for name in ("one", "two")
    )
    came = [pd.read_csv(home / name / "record.csv")["came"].tolist() for name in ("one", "two")]

    assert len(first) > 20
    assert first == second
    assert came[0] != came[1]


def test_a_forecast_of_a_record_is_that_of_its_day_alone(home: Path) -> None:
    later = [f"randomised_by_{day}" for day in (DAYS[1], LAST)]
    for path in (home / "alone").glob("*.csv*"):
        alone, ours = pd.read_csv(path), pd.read_csv(home / "one" / DAYS[0] / path.name)
        if path.name == "summary.csv":
            ours = ours[~ours["measure"].isin(later)]
        pd.testing.assert_frame_equal(ours.drop(columns=later, errors="ignore"), alone)


def test_a_record_has_what_was_said_and_what_came(home: Path) -> None:
    table = folder.read(home / "one", "record.csv")
    numbers = table[table["target"] == ""].set_index(["as_of", "on"])
    for day, row in numbers.iterrows():
        as_of, on = map(str, day) if isinstance(day, tuple) else ("", "")
        values = pd.read_csv(home / "one" / as_of / "replications.csv")[f"randomised_by_{on}"]
        said = row[["p025", "p10", "p50", "p90", "p975"]].tolist()
        shares = [0.025, 0.1, 0.5, 0.9, 0.975]
        assert said == np.quantile(values, shares, method="inverted_cdf").tolist()
        assert row["came"] == sum(OPENS + timedelta(day) <= date.fromisoformat(on) for day in SLOW)
        assert row["in_80"] == ("yes" if said[1] <= row["came"] <= said[3] else "no")

    assert [*numbers.index] == [(DAYS[0], DAYS[1]), (DAYS[0], LAST), (DAYS[1], LAST)]
    thirty = table[table["target"] == "thirty"]
    assert thirty["measure"].tolist() == ["day_of_target"] * 2
    assert thirty["came"].tolist() == [SLOW[29]] * 2
    targets = folder.read(home / "one" / DAYS[1], "targets.csv").set_index("target")
    assert thirty["probability"].iloc[1] == targets["probability"]["thirty"]
    staying = table[table["target"] == "staying"]
    assert staying[["p50", "came"]].isna().all(axis=None)


@pytest.mark.parametrize(
    ("said", "came", "until", "found"),
    [
        ([1, 2, 3, 4, 5], 4, 9, ("yes", "yes")),
        ([1, 2, 3, 4, 5], 5, 9, ("no", "yes")),
        ([1, 2, 3, 4, 5], 6, 9, ("no", "no")),
        ([1, 2, 3, 4, math.inf], math.nan, 4, ("no", "")),
        ([1, 2, 3, 4, math.inf], math.nan, 3, ("", "")),
    ],
)
def test_what_has_not_come_yet_comes_later(
    said: list[float], came: float, until: float, found: tuple[str, str]
) -> None:
    assert inside(said, came, until) == found


@pytest.mark.parametrize(("language", "said"), [("en", "independent"), ("zh", "不独立")])
def test_the_page_says_how_many_were_right_and_what_that_is_worth(
    home: Path, language: str, said: str
) -> None:
    page, table = read_page(home / "one", language), folder.read(home / "one", "record.csv")
    right = [
        int((table[table["target"] == ""][name] == "yes").sum()) for name in ("in_80", "in_95")
    ]
    html, lines = page.html(), "\n".join(page.lines())

    assert all(str(each) in page.verdict for each in (3, *right))
    assert said in html
    assert said in lines
    assert f'href="{DAYS[0]}/report.html"' in html
    assert "{" not in page.verdict + lines


def test_its_folder_names_the_forecasts_and_can_be_told_again(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = folder.manifest(home / "one")

    assert (facts["kind"], facts["forecasts"], facts["known_until"]) == ("record", [*DAYS], LAST)
    assert folder.edited(home / "one") == []
    assert trialsim("report", "one") == 0
    assert trialsim("report", "one", "alone", "--out", "joined") == 2
    assert "a forecast joins nothing" in capsys.readouterr().err
    assert forecast(",".join(DAYS), "--json", "--out", "told") == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert [*told["forecasts"]] == [*DAYS]
    assert len(told["record"]) == 7


@pytest.mark.parametrize(
    ("days", "said"),
    [
        ("2023-03-31,2023-10-28", "2023-10-28 is after the last day of the log"),
        ("2022-12-31,2023-03-31", "2022-12-31 is before the trial opens"),
        ("2023-03-31,2023-03-31", "2023-03-31 stands twice"),
        ("2023-06-30,2023-03-31", "2023-03-31 is earlier than 2023-06-30"),
        ("2023-06-30,31.8.2023", "31.8.2023"),
    ],
)
def test_days_that_cannot_be_are_refused(
    days: str, said: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert forecast(days, "--out", "wrong") == 2

    told = " ".join(capsys.readouterr().err.split())
    assert "--as-of" in told
    assert said in told
    if "." not in days:
        assert "allowed: days from 2023-01-01 to 2023-10-27, each once, the earliest first" in told
    assert not (home / "wrong").exists()
