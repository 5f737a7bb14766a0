"""The parts of a page, and how they become HTML, lines of a terminal and pictures.

A figure is a frame, a shape and the facts of its sentence. Its words stand under its key in the
catalogue: title, message, axis and note; a header for each column that has none of its own in
`[shared]`. The table behind it is its frame, each column written by its unit.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.metadata import version
from itertools import takewhile
from pathlib import Path
from typing import Any, NamedTuple, cast

import pandas as pd
import vl_convert
from altair import SCHEMA_VERSION
from jinja2 import Environment, PackageLoader, StrictUndefined
from platformdirs import user_cache_path

from sim.report.charts import BLACK, Chart
from sim.results import folder
from sim.scenario.load import Scenario, load
from sim.scenario.schema import Target
from sim.scenario.titles import called, path_titles
from sim.vocabulary.words import ENGLISH, Words, words

PAGE = "report.html"
"""The file of a page in its folder."""

FACTS = (
    *("scenario_digest", "seed", "replications", "keep", "calendar_known_through", "git_commit"),
    "cores",
)
"""Facts of a manifest that a page shows; the clock's stand in its footer."""

NOTED = ("points", "replications", "seed")

WRITTEN = frozenset({"text", "name", "scenario", "day", "month"})
"""Units of columns that are no figures."""

P10_P50_P90 = {"p10": "number", "p50": "number", "p90": "number"}
MEAN_AND_QUANTILES = {"mean": "number"} | P10_P50_P90
"""Columns of tables of quantiles, with their units."""

PICTURE_WIDTH, SCALE = 960, 2
"""Width of a picture in the pixels of a page, and the pixels of the file for each of these."""

TITLE_FONT, TITLE_LETTERS = 17, 90


class TableRow(NamedTuple):
    """The cells of a table's row as shown, and the kind of row: a class of the style sheet."""

    cells: Sequence[str]
    kind: str = ""


class Table(NamedTuple):
    """A table: the first `texts` columns are text, the others figures."""

    title: str
    header: Sequence[str]
    rows: Sequence[TableRow]
    note: str = ""
    texts: int = 1


class Figure(NamedTuple):
    """A chart and the table behind it: what it shows, and the finding that stands above it.

    What is said besides the finding is the `detail`.
    """

    title: str
    chart: Chart
    table: Table
    finding: str = ""
    detail: str = ""


class Multiples(NamedTuple):
    """Small charts side by side, of which each has a message, and the one table behind them."""

    title: str
    charts: Sequence[Chart]
    table: Table


class Listing(NamedTuple):
    """Items one below the other: by the address, relative to the page, at which there is more."""

    title: str
    items: Sequence[tuple[str, str]]


class Command(NamedTuple):
    """A command as typed, and what is said of it."""

    said: str
    typed: str


Part = Table | Figure | Multiples | Listing | Command
"""What stands beneath the words of an answer."""


class Answer(NamedTuple):
    """The answer to a question: plain words first, then what stands beneath them in order.

    `more` is folded away beneath the `parts`, until a reader opens it or the page is printed.
    """

    key: str
    title: str
    lead: str = ""
    paragraphs: Sequence[str] = ()
    parts: Sequence[Part] = ()
    more: Sequence[Part] = ()
    in_contents: bool = True


@dataclass(frozen=True)
class Finished:
    """A finished folder, read as it is asked for, and the language in which to speak of it."""

    place: Path
    language: str = ENGLISH

    @cached_property
    def say(self) -> Words:
        """The texts of the language, with what the scenario calls what it names."""
        return called(self.scenario, words(self.language))

    @cached_property
    def manifest(self) -> Mapping[str, Any]:
        """What is known of how the folder was made."""
        return folder.manifest(self.place)

    @cached_property
    def scenario(self) -> Scenario:
        """What was simulated, every default written out."""
        return load(self.place / folder.SCENARIO)

    @cached_property
    def name(self) -> Callable[[str], str]:
        """What calls each dotted path of the scenario as people read it."""
        return path_titles(self.scenario, self.say)

    @property
    def whereabouts(self) -> str:
        """Which trial it is and where, as the first line of a page."""
        trial = self.scenario.design.trial
        return " · ".join(filter(None, (trial.registry_id, self.say.own(trial.site))))

    @property
    def counts(self) -> dict[str, int]:
        """The points and replications there are, and the seed, as blanks of a text."""
        return {name: self.manifest[name] for name in NOTED if name in self.manifest}

    def origin(self, said: str = "") -> Answer:
        """Return where results come from: the command as typed, and what else is known of it.

        Of a run also the command that gives its tables once more, typed in its folder.
        """
        say, manifest = self.say, self.manifest
        facts = {
            say(f"provenance.{name}"): manifest[name]
            for name in FACTS
            if manifest.get(name) is not None
        }
        known = (facts | manifest["versions"]).items()
        rows = [TableRow([name, str(fact)], "written") for name, fact in known]
        header = [say("provenance.fact"), say("provenance.value")]
        table = Table(say("provenance.table"), header, rows, say("provenance.note"), 2)
        commands = [Command(said, manifest["command"])]
        is_run = manifest["kind"] == "run"
        if is_run:
            flags = ("replications", "seed", "keep")
            asked = [f"--{name} {manifest[name]}" for name in flags if name in manifest]
            again = " ".join(("trialsim run", folder.SCENARIO, *asked))
            commands.append(Command(say("provenance.again"), again))
        title = say("provenance.title")
        return Answer("how", title, parts=commands, more=[table], in_contents=is_run)


class Card(NamedTuple):
    """A target in the box on top: the kind of its verdict, the verdict, its name, its figures."""

    kind: str
    verdict: str
    name: str
    figures: str


class Fact(NamedTuple):
    """A term of the box, what is said of it, and the command that tells more, if any."""

    term: str
    said: str
    typed: str = ""


class Decision(NamedTuple):
    """What stands under the verdict of a page: a card a target, then the facts."""

    cards: Sequence[Card] = ()
    facts: Sequence[Fact] = ()


class Page(NamedTuple):
    """A page: its first sentences, its answers in order, and its lines for a terminal.

    Answers and lines are worked out when they are asked for: charts take time.
    """

    of: Finished
    title: str
    verdict: str
    note: str
    answers: Callable[[], Sequence[Answer]]
    lines: Callable[[], Iterable[str]]
    leads: Sequence[str] = ()
    box: Decision = Decision()

    def html(self, *, full: bool = False) -> str:
        """Return the page as HTML, folded or full; the same page gives the same text."""
        told = {"answers": self.answers(), "say": self.of.say, "full": full}
        return rendered("page.html.j2", page=self, **told)

    def charts(self) -> Iterator[tuple[str, str, Chart]]:
        """Yield each chart with its name, by which the page also saves it, and its title."""
        for answer in self.answers():
            for key, parts in ((answer.key, answer.parts), (f"{answer.key}-more", answer.more)):
                for place, part in enumerate(parts, 1):
                    if isinstance(part, Figure):
                        yield f"{key}-{place}", part.finding or part.title, part.chart
                    elif isinstance(part, Multiples):
                        for number, chart in enumerate(part.charts, 1):
                            yield f"{key}-{place}-{number}", part.title, chart

    def save_pictures(self, into: Path) -> None:
        """Write each chart as `<name>.png` into a folder, made where it is not there.

        For slides: they need neither browser nor network. Letters come from the fonts of this
        machine.
        """
        into.mkdir(parents=True, exist_ok=True)
        version = SCHEMA_VERSION.removeprefix("v").rpartition(".")[0]
        for name, title, chart in self.charts():
            written = {
                "text": textwrap.wrap(title, TITLE_LETTERS),
                "anchor": "start",
                "fontSize": TITLE_FONT,
                "color": BLACK,
                "offset": 12,
            }
            fixed = {"width": PICTURE_WIDTH, "title": written, "padding": 16}
            picture = vl_convert.vegalite_to_png(
                specification(chart) | fixed,
                vl_version=version,
                scale=SCALE,
                time_format_locale=_locale(self.of.say),
            )
            (into / f"{name}.png").write_bytes(picture)


def figure(  # noqa: PLR0913  each says something else about one figure
    say: Words,
    key: str,
    shape: Callable[[pd.DataFrame, str], Chart],
    frame: pd.DataFrame,
    columns: Mapping[str, str],
    *,
    behind: pd.DataFrame | None = None,
    message: str = "",
    detail: str = "",
    **blanks: object,
) -> Figure:
    """Return a figure of a frame, drawn in a shape, and as a table of columns with their units.

    `blanks` are the facts of its sentences. The table shows what is `behind` where that is not what
    is drawn. The finding is another `message` where that under the key does not hold, and its
    `detail` another where there is none under the key.
    """
    table = table_of(say, key, frame if behind is None else behind, columns, **blanks)
    chart = shape(frame, say.texts.get(f"{key}.axis") or table.header[table.texts])
    finding = message or say(f"{key}.message", **blanks)
    detail = detail or say.filled(say.texts.get(f"{key}.detail", ""), **blanks)
    chart.description = say.sentences(filter(None, (finding, detail)))
    return Figure(table.title, chart, table, finding.rstrip(".。"), detail)


def table_of(
    say: Words, key: str, frame: pd.DataFrame, columns: Mapping[str, str], **blanks: object
) -> Table:
    """Return a frame as a page shows it: its columns with their units, its words under the key.

    Where it has a `kind`, that is the kind of each row.
    """
    cells = [frame[name].map(say.writer(unit)) for name, unit in columns.items()]
    header = [heading(say, key, name, **blanks) for name in columns]
    texts = sum(1 for _ in takewhile(WRITTEN.__contains__, columns.values()))
    note = say.filled(say.texts.get(f"{key}.note", ""), **blanks)
    kinds = frame["kind"] if "kind" in frame else [""] * len(frame)
    rows = [TableRow(*row) for row in zip(zip(*cells, strict=True), kinds, strict=True)]
    return Table(say(f"{key}.title", **blanks), header, rows, note, texts)


def heading(say: Words, key: str, column: str, **blanks: object) -> str:
    """Return what the header of a table calls a column: its own word, or that of all tables.

    A column of quantiles of something (`asked_p10`) has the word of that thing.
    """
    stem, _, quantile = column.rpartition("_")
    of = stem if stem and quantile in P10_P50_P90 else column
    named = (say.texts.get(f"{place}.{of}") for place in (key, "shared"))
    text = next(filter(None, named), "") or (column.upper() if column in P10_P50_P90 else "")
    return say.filled(text or say.heading(of), quantile=quantile.upper(), **blanks)


def interval(say: Words, low: float, high: float) -> str:
    """Return an interval of shares in per cent."""
    return say.span(say.percent(low), say.percent(high))


def within(half: float) -> str:
    """Return the half-width of an interval of shares in whole points, at least one."""
    points = max(math.ceil(round(100 * half, 6)), 1)
    return f"± {points} point{'s' * (points > 1)}"


def percent_within(say: Words, share: float, low: float, high: float) -> str:
    """Return a share and, in brackets, its interval."""
    return say.aside(say.percent(share), interval(say, low, high))


def limit(target: Target, say: Words) -> str:
    """Return where a target's measure is to lie: at least, or at most, so much."""
    side = "at_most" if target.at_least is None else "at_least"
    return say(f"shared.{side}", value=say.plain(float(getattr(target, side))))


def specification(chart: Chart) -> dict[str, Any]:
    """Return a chart as Vega-Lite has it; the tests validate every shape."""
    written: dict[str, Any] = chart.to_dict(validate=False)
    return written


def rendered(template: str, **values: object) -> str:
    """Return a page of `sim/templates` with its blanks filled; all text is escaped."""
    page = _environment().get_template(template)
    return page.render(library=_library, locale=_locale, specification=specification, **values)


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
    environment.filters["kind"] = lambda part: type(part).__name__
    return environment


@cache
def _library() -> str:
    """The chart library as one script: more than a second's work, so it is kept for other runs."""
    kept = user_cache_path("trialsim") / f"vega-{version('vl-convert-python')}.js"
    if kept.is_file():
        with suppress(OSError):
            return kept.read_text("utf-8")
    bundle = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
    with suppress(OSError):  # a home that cannot be written to keeps nothing
        kept.parent.mkdir(parents=True, exist_ok=True)
        folder.write_file(kept, bundle)
    return bundle
