"""Charts as specifications: what they draw, say and how wide they are."""

from __future__ import annotations

import json
import math
import re
from itertools import pairwise
from typing import Any

import pandas as pd
import pytest

from sim.report.charts import (
    BLUE,
    DASHED,
    LOOKS,
    SOLID,
    VERMILION,
    Chart,
    bars,
    field,
    intervals,
    lines,
)
from sim.report.line_names import LINE, names_at_ends, pixels_of
from sim.report.page import specification

DATES = pd.to_datetime(["2025-01-01", "2025-02-01"])
LINES = pd.DataFrame({"at": [*DATES, *DATES], "value": [1, 2, 3, 4]}).assign(
    series=["worked", "worked", "asked", "asked"]
)
BANDED = LINES.assign(low=[0, 1, math.nan, math.nan], high=[2, 3, math.nan, math.nan])
DOTS = pd.DataFrame({"label": ["a", "b"], "value": 0.5, "low": 0.4, "high": 0.6})
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
        "across": [1, 5, 1, 5],
        "down": ["Monday", "Monday", "Friday", "Friday"],
        "value": [0, 1, 2, 3],
    }
)

EVERY = {
    "stacked bars": lambda: bars(SHARES, "share", unit="share", stacked=True),
    "bars with lines": lambda: bars(SPANS, "hours"),
    "bars": lambda: bars(BARS, "hours"),
    "year": lambda: field(YEAR, "hours", across="week", named={1: "Jan", 5: "Feb"}),
    "grid": lambda: field(YEAR, "share", across="week", down="day"),
    "lines": lambda: lines(BANDED, "hours"),
    "lines of words": lambda: lines(SCATTERED.assign(at=["a", "b"], series="c"), "p", across="x"),
    "one line": lambda: lines(SCATTERED, "p", unit="share", across="rate", span=(0, 1)),
    "intervals": lambda: intervals(DOTS, "p", unit="share"),
    "intervals of series": lambda: intervals(DOTS.assign(series="a"), "p", unit="index"),
    "intervals in points": lambda: intervals(DOTS, "p", unit="points"),
    "scatter": lambda: intervals(SCATTERED, "p", unit="share", across="rate", span=(0, 1)),
}


def spec(chart: Chart) -> dict[str, Any]:
    return dict(chart.to_dict())


def marks(chart: Chart) -> list[str]:
    return [layer["mark"]["type"] for layer in spec(chart)["layer"]]


@pytest.mark.parametrize("name", EVERY)
def test_a_chart_is_valid_and_as_wide_as_its_container(name: str) -> None:
    drawn = spec(EVERY[name]())  # altair validates it

    assert drawn["width"] == "container"
    assert drawn["config"]["legend"]["orient"] == "top"
    assert specification(EVERY[name]()).keys() == drawn.keys()


def test_quantiles_are_drawn_as_a_middle_and_its_band() -> None:
    spread = LINES.drop(columns="value").assign(p10=1.0, p50=2.0, p90=3.0, mean=2.5)
    of_lines, of_bars = (
        next(iter(spec(chart)["datasets"].values()))[0]
        for chart in (lines(spread, "hours"), bars(spread.assign(label="a"), "hours"))
    )

    assert (of_lines["low"], of_lines["value"], of_lines["high"]) == (1.0, 2.0, 3.0)
    assert of_bars["value"] == 2.5


def test_a_band_lies_under_its_line() -> None:
    assert marks(EVERY["lines"]()) == ["area", "line", "point", "point"]


@pytest.mark.parametrize("name", ["lines", "lines of words", "one line"])
def test_no_chart_of_lines_has_a_legend(name: str) -> None:
    for layer in spec(EVERY[name]())["layer"]:
        for channel in ("color", "strokeDash", "opacity"):
            assert layer["encoding"].get(channel, {}).get("legend") is None


def test_names_of_lines_stand_in_the_order_of_their_ends_apart_and_on_the_chart() -> None:
    looks = dict(zip("abcd", LOOKS, strict=False))
    ends = pd.DataFrame({"series": list("abcd"), "value": [5.0, 0.0, 5.0, 0.1]})
    axis = names_at_ends(ends, looks, floor=0, pixels=20).to_dict()
    places = axis["values"]

    assert re.findall(r'\["(.)"\]', axis["labelExpr"]) == ["a", "c", "d", "b"]
    assert all(high - low >= LINE / 20 for high, low in pairwise(places))
    assert places[-1] > 0
    assert places[0] == 5
    assert axis["tickColor"]["condition"][1]["value"] == looks["c"].colour


def test_a_long_name_has_several_lines_also_in_chinese() -> None:
    both = ["low-dose IL-2, 21 injections", "低剂量白介素二注射二十一次"]
    ends = pd.DataFrame({"series": both, "value": [1.0, 1.0]})
    axis = names_at_ends(ends, dict.fromkeys(both, LOOKS[0]), floor=0, pixels=100).to_dict()
    lines_of = [json.loads(each) for each in re.findall(r"\[.*?\]", axis["labelExpr"])][::-1]

    assert lines_of[1] == ["low-dose IL-2, 21", "injections"]
    assert axis["values"][0] - axis["values"][1] >= 2 * LINE / 100
    assert "".join(lines_of[0]) == "低剂量白介素二注射二十一次"
    assert all(pixels_of(line) <= 120 for each in lines_of for line in each)


def test_series_differ_by_dash_as_well_as_by_colour() -> None:
    line = spec(EVERY["lines"]())["layer"][1]["encoding"]

    assert line["color"]["scale"]["range"] == [BLUE, VERMILION]
    assert line["strokeDash"]["scale"]["range"] == [SOLID, DASHED]


def test_neighbouring_styles_differ_in_colour_and_in_dash() -> None:
    for (colour, dash), (next_colour, next_dash) in pairwise(LOOKS):
        assert colour != next_colour
        assert dash != next_dash


def test_shares_are_drawn_from_nought_to_one_and_read_as_per_cent() -> None:
    chart = lines(BANDED, "p", unit="share")
    value = spec(chart)["layer"][1]["encoding"]["y"]

    assert value["scale"]["domain"] == [0, 1]
    assert value["axis"]["format"] == "%"


@pytest.mark.parametrize("name", ["bars", "stacked bars", "bars with lines"])
def test_rows_keep_the_order_of_the_table(name: str) -> None:
    assert spec(EVERY[name]())["layer"][0]["encoding"]["y"]["sort"] == ["b", "a"]


def test_parts_of_a_bar_are_stacked_in_the_order_of_the_series() -> None:
    drawn = spec(EVERY["stacked bars"]())
    rows = next(iter(drawn["datasets"].values()))

    assert drawn["layer"][0]["encoding"]["order"]["field"] == "place"
    assert {row["series"]: row["place"] for row in rows} == {"worked": 0, "asked": 1}
    assert drawn["layer"][0]["encoding"]["x"]["scale"]["domain"] == [0, 1]


def test_bars_stand_side_by_side_only_where_labels_repeat() -> None:
    both = pd.concat([SPANS, SPANS.assign(series="asked")])

    assert marks(EVERY["bars with lines"]()) == ["bar", "rule"]
    assert "yOffset" not in spec(EVERY["bars with lines"]())["layer"][0]["encoding"]
    assert "yOffset" in spec(bars(both, "hours"))["layer"][0]["encoding"]


def test_a_year_begins_on_monday_and_names_its_months() -> None:
    encoding = spec(EVERY["year"]())["layer"][0]["encoding"]

    assert encoding["y"]["sort"] == ["Monday", "Friday"]
    assert encoding["x"]["axis"]["values"] == [1, 5]
    assert "'5':'Feb'" in encoding["x"]["axis"]["labelExpr"]
    assert encoding["color"]["scale"]["domainMin"] == 0


def test_dates_are_written_as_days_without_a_time_zone() -> None:
    data = spec(EVERY["lines"]())["datasets"]

    assert {row["at"] for rows in data.values() for row in rows} == {
        "2025-01-01T00:00:00",
        "2025-02-01T00:00:00",
    }
