"""From the parts of a page to its HTML: a template a kind of page, one copy of the charts' code."""

from __future__ import annotations

from functools import cache

import vl_convert
from jinja2 import Environment, PackageLoader, StrictUndefined

from sim.showing.page import Figure, Multiples


def render(template: str, **values: object) -> str:
    """Return a page of `sim/templates` with its blanks filled; all text is escaped."""
    return _environment().get_template(template).render(charts=_chart_library, **values)


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
