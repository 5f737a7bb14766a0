"""From the parts of a page to its HTML: a template a kind of page, one copy of the charts' code."""

from __future__ import annotations

from functools import cache
from typing import Any, cast

import vl_convert
from jinja2 import Environment, PackageLoader, StrictUndefined

from sim.showing.page import Figure, Multiples
from sim.vocabulary.words import Words


def render(template: str, **values: object) -> str:
    """Return a page of `sim/templates` with its blanks filled; all text is escaped."""
    page = _environment().get_template(template)
    return page.render(charts=_chart_library, locale=_locale, **values)


def _locale(say: Words) -> dict[str, Any]:
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
