"""Charts as specifications: what they draw, say and how wide they are."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pandas as pd
import pytest

from sim.report import charts
from sim.report.bars import grouped_bars, spanned_bars, stacked_bars
from sim.report.charts import BLUE, DASHED, SOLID, STYLES, VERMILION, Frame, Series
from sim.report.fields import year_field

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

SHARES = pd.DataFrame(
    {
        "label": ["b", "b", "a", "a"],
        "series": ["worked", "asked", "worked", "asked"],
        "value": [0.7, 0.3, 0.5, 0.5],
    }
)
SPANS = BARS.assign(low=[0.5, 1.0], high=[1.5, 3.0])
YEAR = pd.DataFrame(
    {
        "week": [1, 5, 1, 5],
        "weekday": ["Monday", "Monday", "Friday", "Friday"],
        "value": [0, 1, 2, 3],
    }
)

EVERY = {
    "stacked_bars": lambda: stacked_bars(SHARES, SERIES, Frame("share", FRAME.message, share=True)),
    "spanned_bars": lambda: spanned_bars(SPANS, SERIES, FRAME),
    "year_field": lambda: year_field(YEAR, {1: "Jan", 5: "Feb"}, FRAME),
    "over_time": lambda: charts.over_time(LINES, BANDS, SERIES, FRAME),
    "dots": lambda: charts.dots(DOTS, FRAME),
    "scatter": lambda: charts.scatter(SCATTERED, FRAME),
    "grouped_bars": lambda: grouped_bars(BARS, SERIES, FRAME),
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


@pytest.mark.parametrize("name", ["grouped_bars", "stacked_bars", "spanned_bars"])
def test_rows_keep_the_order_of_the_table(name: str) -> None:
    assert spec(EVERY[name]())["layer"][0]["encoding"]["y"]["sort"] == ["b", "a"]


def test_parts_of_a_bar_are_stacked_in_the_order_of_the_series() -> None:
    drawn = spec(EVERY["stacked_bars"]())
    rows = next(iter(drawn["datasets"].values()))

    assert drawn["layer"][0]["encoding"]["order"]["field"] == "place"
    assert {row["series"]: row["place"] for row in rows} == {"worked": 0, "asked": 1}
    assert drawn["layer"][0]["encoding"]["x"]["scale"]["domain"] == [0, 1]


def test_bars_stand_side_by_side_only_where_labels_repeat() -> None:
    both = pd.concat([SPANS, SPANS.assign(series="asked")])

    assert marks(EVERY["spanned_bars"]()) == ["bar", "rule"]
    assert "yOffset" not in spec(EVERY["spanned_bars"]())["layer"][0]["encoding"]
    assert "yOffset" in spec(spanned_bars(both, SERIES, FRAME))["layer"][0]["encoding"]


def test_a_year_begins_on_monday_and_names_its_months() -> None:
    encoding = spec(EVERY["year_field"]())["layer"][0]["encoding"]

    assert encoding["y"]["sort"] == ["Monday", "Friday"]
    assert encoding["x"]["axis"]["values"] == [1, 5]
    assert "'5':'Feb'" in encoding["x"]["axis"]["labelExpr"]
    assert encoding["color"]["scale"]["domainMin"] == 0


def test_dates_are_written_as_days_without_a_time_zone() -> None:
    data = spec(EVERY["over_time"]())["datasets"]

    assert {row["date"] for rows in data.values() for row in rows} == {
        "2025-01-01T00:00:00",
        "2025-02-01T00:00:00",
    }
