"""The charts of a page as pictures, for slides: PNG files that need neither browser nor network."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import vl_convert
from altair import SCHEMA_VERSION

from sim.report.charts import BLACK, Chart
from sim.report.rendering import Page, time_locale

WIDTH, SCALE = 960, 2
"""Width of a picture in the pixels of a page, and the pixels of the file for each of these."""

TITLE_FONT, TITLE_LETTERS = 17, 90


def write(page: Page, into: Path) -> None:
    """Write each chart of a page as `<name>.png` into a folder, made where it is not there.

    The name is that under which the page saves the chart. Letters come from the fonts of this
    machine.
    """
    into.mkdir(parents=True, exist_ok=True)
    version, locale = SCHEMA_VERSION.removeprefix("v").rpartition(".")[0], time_locale(page.say)
    for name, title, chart in page.charts():
        picture = vl_convert.vegalite_to_png(
            _fixed(chart, title), vl_version=version, scale=SCALE, time_format_locale=locale
        )
        (into / f"{name}.png").write_bytes(picture)


def _fixed(chart: Chart, title: str) -> dict[str, Any]:
    """A chart of a width of its own, under its title, as a specification."""
    written = {
        "text": textwrap.wrap(title, TITLE_LETTERS),
        "anchor": "start",
        "fontSize": TITLE_FONT,
        "color": BLACK,
        "offset": 12,
    }
    return {**chart.to_dict(), "width": WIDTH, "title": written, "padding": 16}
