"""`trialsim new`: a scenario of one's own, from a dozen answers or the flags for them."""

from __future__ import annotations

import errno
import json
import math
import re
import sys
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from pathlib import Path
from textwrap import wrap
from typing import Any, NamedTuple

import click

from sim.cli.options import ScenarioPath, language_option, verbose_option
from sim.cli.speech import print_wrapped, spoken
from sim.cli.terminal import examples, in_print
from sim.vocabulary.clock import DAYS_PER_MONTH, DAYS_PER_WEEK
from sim.vocabulary.words import ENGLISH, Words

Answers = Mapping[str, Any]
"""What is known of a trial so far, by the names of the questions."""

SCHEMA = "scenario.schema.json"
COLUMNS = {ENGLISH: 96, "zh": 48}
"""Letters in a line of a comment."""

LONGEST_WINDOW_DAYS, FIRST_VISIT_WITHIN_DAYS, AFTER_LAST_VISIT_DAYS = 3, 10, 28
MISSED, MINUTES_LOW, MINUTES_HIGH = 0.03, 0.7, 1.6
"""A share of visits and of a visit's length; guesses, as the file says of each."""


class Visits(NamedTuple):
    """The days of visits, the first of them day 1, and what a row of the schedule says of them."""

    days: tuple[int, ...]
    said: str

    @property
    def window_days(self) -> int:
        """By how many days a visit may be moved so that it never meets the next one."""
        gaps = [after - day for day, after in zip(self.days, self.days[1:], strict=False)]
        return min(LONGEST_WINDOW_DAYS, *((gap - 1) // 2 for gap in gaps or [DAYS_PER_WEEK]))


class Question(NamedTuple):
    """What is asked, and may be said by a flag; `read` raises ValueError with what is allowed."""

    help: str
    default: str | Callable[[Answers], str]
    read: Callable[[str, Answers], Any]

    def usual(self, known: Answers) -> str:
        """Return what is answered where nothing is said."""
        return self.default if isinstance(self.default, str) else self.default(known)

    def answer(self, said: str, known: Answers) -> Any:
        """Return what was said, read; UsageError where it cannot mean anything."""
        try:
            return self.read(_narrow(said), known)
        except ValueError as error:
            raise click.UsageError(str(error)) from None


def _narrow(said: str) -> str:
    """What was said, with the signs of Latin letters in place of the wide ones of Chinese."""
    from sim.scenario.signs import in_plain_signs

    plain = in_plain_signs(said.strip())
    return "none" if plain == "无" else plain


def _names(said: str, _known: Answers) -> tuple[str, ...]:
    from sim.scenario.section import A_NAME, is_plain_name

    names = tuple(each.strip() for each in said.split(","))
    for name in names:
        if not is_plain_name(name):
            raise ValueError(f"{name!r} is no name: {A_NAME}")
    if len(set(names)) < len(names):
        raise ValueError("each name stands once")
    return names


def _given(said: str, known: Answers) -> tuple[str, ...]:
    given = () if said == "none" else _names(said, known)
    if unknown := set(given).difference(known["arms"]):
        raise ValueError(f"{min(unknown)} is no arm; the arms are {', '.join(known['arms'])}")
    return given


def _ratio(said: str, known: Answers) -> dict[str, int]:
    arms = known["arms"]
    if not re.fullmatch(r"[1-9]\d?(:[1-9]\d?)*", said) or said.count(":") != len(arms) - 1:
        raise ValueError(f"participants for each of {len(arms)} arms, as in {_evenly(known)}")
    return dict(zip(arms, map(int, said.split(":")), strict=True))


def _evenly(known: Answers) -> str:
    return ":".join("1" for _ in known["arms"])


def _visits(said: str, _known: Answers) -> Visits:
    regular = re.fullmatch(
        r"every_(\d{1,3})_days:(\d{1,3})", said.replace("weekly", "every_7_days")
    )
    if regular and (every := int(regular[1])) and (times := int(regular[2])):
        days = tuple(1 + every * number for number in range(times))
        return Visits(days, f"day: 1, every_days: {every}, times: {times}")
    if re.fullmatch(r"1(, ?[1-9]\d{0,3})*", said):
        days = tuple(map(int, said.split(",")))
        if list(days) == sorted(set(days)):
            return Visits(days, f"days: [{', '.join(map(str, days))}]")
    raise ValueError("weekly:12, every_14_days:6, or their days from day 1, as 1,8,15,29")


def _day(said: str, _known: Answers) -> date:
    try:
        return date.fromisoformat(said)
    except ValueError:
        raise ValueError("a day, as 2027-03-01") from None


def _country(said: str, _known: Answers) -> str:
    from pydantic import ValidationError

    from sim.scenario.places import Place

    try:
        Place.model_validate({"country": said})
    except ValidationError as error:
        wrong = error.errors()[0]["ctx"]
        meant = f"; did you mean {wrong['meant']}?" if wrong["meant"] else ""
        raise ValueError(f"{wrong['what']}; {wrong['allowed']}{meant}") from None
    return said


def _whole(low: int, high: int) -> Callable[[str, Answers], int]:
    def read(said: str, _known: Answers) -> int:
        if not said.isdecimal() or not low <= int(said) <= high:
            raise ValueError(f"a whole number from {low} to {high:,}")
        return int(said)

    return read


def _number(low: float, high: float) -> Callable[[str, Answers], float]:
    def read(said: str, _known: Answers) -> float:
        try:
            number = float(said)
        except ValueError:
            number = math.nan
        if not low <= number <= high:
            raise ValueError(f"a number from {low:g} to {high:g}")
        return number

    return read


QUESTIONS = {
    "title": Question(
        "What the trial is called; else as the file.",
        lambda known: known["name"].replace("_", " "),
        lambda said, _: said,
    ),
    "arms": Question("Names of the arms.", "drug,usual_care", _names),
    "given": Question(
        "Arms that get a dose at each visit, or none; else the first.",
        lambda known: str(known["arms"][0]),
        _given,
    ),
    "ratio": Question("Participants for each arm, as 2:1; else as many.", _evenly, _ratio),
    "visits": Question(
        "weekly:12, every_14_days:6, or the days, as 1,8,15,29.", "weekly:12", _visits
    ),
    "minutes": Question("How long a visit takes.", "30", _whole(1, 480)),
    "target": Question("How many are to be randomised.", "30", _whole(1, 5_000)),
    "opens": Question("The first day, as 2027-03-01.", "2027-03-01", _day),
    "months": Question("Months in which candidates come.", "12", _whole(1, 120)),
    "country": Question("Whose holidays count, as CN or GB-ENG, or none.", "CN", _country),
    "candidates": Question("Candidates a month.", "10", _number(0.01, 1_000)),
    "consent": Question("Share of those asked who consent.", "0.6", _number(0, 1)),
    "excluded": Question("Share of those screened who are excluded.", "0.3", _number(0, 1)),
    "leaves": Question("Share who leave before their last visit.", "0.1", _number(0, 0.9)),
}


def _flags(command: Callable[..., Any]) -> Callable[..., Any]:
    for name, question in reversed(QUESTIONS.items()):
        usual = f"  [default: {question.default}]" if isinstance(question.default, str) else ""
        command = click.option(f"--{name}", help=question.help + usual)(command)
    return command


@click.command(
    "new",
    epilog=examples(
        "new mine.yaml",
        "new mine.yaml --arms drug,usual --visits weekly:12 --target 60 --opens 2027-03-01",
        "new lupus.yaml --like baseline",
    ),
)
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path))
@_flags
@click.option("--like", metavar="SCENARIO", type=ScenarioPath(), help="Copy this scenario instead.")
@language_option
@verbose_option
def new_command(path: Path, *, like: Path | None, **said: str | None) -> None:
    """Write a commented scenario to start from: asks a dozen questions, or takes flags."""
    from sim.scenario.load import load, shipped

    flags = {name: text for name, text in said.items() if text is not None}
    if like is not None and flags:
        raise click.UsageError("--like copies a scenario as it is; --set changes it when it is run")
    if path.exists():
        raise FileExistsError(errno.EEXIST, "File exists", str(path))
    say = spoken()
    text = _copy(like) if like is not None else _file(_answers(path, flags, say), say)
    with path.open("x", encoding="utf-8") as file:
        file.write(text)
    load(path)
    if not (schema := path.with_name(SCHEMA)).exists():
        schema.write_text((shipped() / SCHEMA).read_text("utf-8"), "utf-8")
    if sys.stdout.isatty():
        click.echo(say("new.next", path=in_print(path)))
    click.echo(path)


def _copy(like: Path) -> str:
    from sim.scenario.load import dump, load

    scenario = load(like)
    text = like.read_text("utf-8")
    return dump(scenario) if re.search(r"^extends:", text, re.MULTILINE) else text


def _name(path: Path) -> str:
    """What a trial is called whose file is to be called so."""
    from sim.scenario.section import is_plain_name
    from sim.scenario.signs import in_plain_signs

    name = re.sub(r"\W+", "_", in_plain_signs(path.stem)).strip("_0123456789")
    return name if is_plain_name(name) else "mine"


def _answers(path: Path, flags: Mapping[str, str], say: Words) -> Answers:
    """The answer to each question: from its flag, where there are none from whoever sits there."""
    known: dict[str, Any] = {"name": _name(path)}
    asked = not flags and sys.stdin.isatty()
    for name, question in QUESTIONS.items():
        usual = question.usual(known)

        def read(said: str, question: Question = question) -> Any:
            return question.answer(said, known)

        if asked:
            known[name] = _asked(say(f"new.asks_{name}"), usual, read)
            continue
        try:
            known[name] = read(flags.get(name, usual))
        except click.UsageError as error:
            raise click.UsageError(f"--{name}: {error.message}") from None
    return known


def _asked(question: str, usual: str, read: Callable[[str], Any]) -> Any:
    """What whoever sits there answers, asked again until it can mean something."""
    while True:
        try:
            return read(click.prompt(question, default=usual))
        except click.UsageError as error:
            print_wrapped([f"Error: {error.message}"])


def _file(answers: Answers, say: Words) -> str:
    """The text of the scenario: what was answered, and guesses that say what they are."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    blanks = Environment(  # noqa: S701  this writes YAML, whose texts are quoted below
        loader=PackageLoader("sim"), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    blanks.filters |= {
        "quoted": lambda text: json.dumps(text, ensure_ascii=False),
        "flow": lambda entries: json.dumps(entries, ensure_ascii=False).replace('"', ""),
    }
    visits, minutes = answers["visits"], answers["minutes"]
    recruits_until = answers["opens"] + timedelta(days=round(answers["months"] * DAYS_PER_MONTH))
    last_days = FIRST_VISIT_WITHIN_DAYS + visits.days[-1] + AFTER_LAST_VISIT_DAYS
    rate, shares = answers["candidates"], ("consent", "excluded", "leaves", "missed")
    known = {"missed": MISSED, **answers}
    known |= {name: _guess(known[name], *_odds_apart(known[name]), say) for name in shares}
    known |= {"candidates": _guess(rate, rate / 1.5, rate * 1.5, say)}
    text = blanks.get_template("scenario.yaml.j2").render(
        **known,
        say=say,
        own=lambda name: name if say.language == ENGLISH else say.title(name),
        about=wrap(say("new.about"), COLUMNS[say.language]),
        recruits_until=recruits_until,
        closes=recruits_until + timedelta(days=last_days),
        weeks=max(1, math.ceil(visits.days[-1] / DAYS_PER_WEEK)),
        length=[max(1, round(minutes * MINUTES_LOW)), minutes, math.ceil(minutes * MINUTES_HIGH)],
    )
    return f"{text}\n"


def _odds_apart(share: float) -> tuple[float, float]:
    """The shares whose odds are half and twice those of a share."""
    return share / (2 - share), 2 * share / (1 + share)


def _guess(value: float, low: float, high: float, say: Words) -> str:
    """A number with the range around it and what it rests on; without a range if it is certain."""
    span = f"range: [{low:.2g}, {high:.2g}], " if low < value < high else ""
    return f'{{value: {value:g}, {span}source: "{say("new.guess")}"}}'
