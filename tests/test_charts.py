"""Charts as specifications: what they draw, say and how wide they are."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pandas as pd
import pytest

from sim.showing import charts
from sim.showing.charts import BLUE, DASHED, SOLID, STYLES, VERMILION, Frame, Series

FRAME = Frame("hours", "The hours double.")
SERIES = [Series("worked", BLUE, SOLID), Series("asked", VERMILION, DASHED)]
DATES = pd.to_datetime(["2025-01-01", "2025-02-01"])
LINES = pd.DataFrame({"date": [*DATES, *DATES], "value": [1, 2, 3, 4]}).assign(
    series=["worked", "worked", "asked", "asked"]
)
BANDS = pd.DataFrame({"date": DATES, "low": [0, 1], "high": [2, 3], "series": "worked"})
DOTS = pd.DataFrame({"label": ["a", "b"], "probability": 0.5, "ci_low": 0.4, "ci_high": 0.6})
SCATTERED = pd.DataFrame({"at": [1.0, 2.0], "value": 0.5, "low": 0.4, "high": 0.6})
BARS = pd.DataFrame({"label": ["b", "a"], "series": "worked", "value": [1.0, 2.0]})

EVERY = {
    "over_time": lambda: charts.over_time(LINES, BANDS, SERIES, FRAME),
    "dots": lambda: charts.dots(DOTS, FRAME),
    "scatter": lambda: charts.scatter(SCATTERED, FRAME),
    "grouped_bars": lambda: charts.grouped_bars(BARS, SERIES, FRAME),
}


def spec(chart: charts.Chart) -> dict[str, Any]:
    return dict(chart.to_dict())


def marks(chart: charts.Chart) -> list[str]:
    return [layer["mark"]["type"] for layer in spec(chart)["layer"]]


@pytest.mark.parametrize("name", EVERY)
def test_a_chart_is_as_wide_as_its_container_and_says_its_message(name: str) -> None:
    drawn = spec(EVERY[name]())

    assert (drawn["width"], drawn["description"]) == ("container", "The hours double.")


def test_a_band_lies_under_its_line() -> None:
    assert marks(EVERY["over_time"]()) == ["area", "line", "point"]


def test_series_differ_by_dash_as_well_as_by_colour() -> None:
    line = spec(EVERY["over_time"]())["layer"][1]["encoding"]

    assert line["color"]["scale"]["range"] == [BLUE, VERMILION]
    assert line["strokeDash"]["scale"]["range"] == [SOLID, DASHED]


def test_neighbouring_styles_differ_in_colour_and_in_dash() -> None:
    for (colour, dash), (next_colour, next_dash) in pairwise(STYLES):
        assert colour != next_colour
        assert dash != next_dash


def test_shares_are_drawn_from_nought_to_one_and_read_as_per_cent() -> None:
    chart = charts.over_time(LINES, BANDS, SERIES, Frame("p", "m", share=True))
    value = spec(chart)["layer"][1]["encoding"]["y"]

    assert value["scale"]["domain"] == [0, 1]
    assert value["axis"]["format"] == "%"


def test_rows_keep_the_order_of_the_table() -> None:
    assert spec(EVERY["grouped_bars"]())["layer"][0]["encoding"]["y"]["sort"] == ["b", "a"]


def test_dates_are_written_as_days_without_a_time_zone() -> None:
    data = spec(EVERY["over_time"]())["datasets"]

    assert {row["date"] for rows in data.values() for row in rows} == {
        "2025-01-01T00:00:00",
        "2025-02-01T00:00:00",
    }
