"""From the parts of a page to its HTML: a template a kind of page, one copy of the charts' code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, cast

import vl_convert
from jinja2 import Environment, PackageLoader, StrictUndefined

from sim.report.charts import Chart
from sim.report.page import PAGE, Answer, Figure, Multiples, Part
from sim.results import files
from sim.vocabulary.words import Words


class Page(NamedTuple):
    """A page before it is written: its template, its answers in order, and its other blanks."""

    template: str
    say: Words
    answers: Sequence[Answer]
    blanks: Mapping[str, object]

    def html(self) -> str:
        """Return the page as HTML; the same page gives the same text."""
        return render(self.template, say=self.say, answers=self.answers, **self.blanks)

    def write(self, finished: Path) -> None:
        """Write `report.html` into a folder."""
        files.write(finished / PAGE, self.html())

    def charts(self) -> Iterator[tuple[str, str, Chart]]:
        """Yield each chart with its name, by which the page also saves it, and its title."""
        for answer in self.answers:
            yield from _charts(answer.key, answer.parts)
            yield from _charts(f"{answer.key}-more", answer.more)


def _charts(key: str, parts: Sequence[Part]) -> Iterator[tuple[str, str, Chart]]:
    for place, part in enumerate(parts, 1):
        if isinstance(part, Figure):
            yield f"{key}-{place}", part.title, part.chart
        elif isinstance(part, Multiples):
            for number, chart in enumerate(part.charts, 1):
                yield f"{key}-{place}-{number}", part.title, chart


def render(template: str, **values: object) -> str:
    """Return a page of `sim/templates` with its blanks filled; all text is escaped."""
    page = _environment().get_template(template)
    return page.render(charts=_chart_library, locale=time_locale, **values)


def time_locale(say: Words) -> dict[str, Any]:
    """How charts write dates, in the form of d3-time-format."""
    locale: dict[str, Any] = dict(
        vl_convert.get_time_format_locale(cast("Any", say("format.charts")))
    )
    return {**locale, "months": say.lists["months"], "shortMonths": say.lists["months_short"]}


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("sim"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests["figure"] = lambda part: isinstance(part, Figure)
    environment.tests["multiples"] = lambda part: isinstance(part, Multiples)
    return environment


@cache
def _chart_library() -> str:
    return vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
