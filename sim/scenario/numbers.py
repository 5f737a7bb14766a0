"""Numbers and distributions as a scenario writes them, with what is known about them."""

from __future__ import annotations

from functools import cache
from math import isfinite, nextafter
from typing import Annotated, Any, Generic, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    GetCoreSchemaHandler,
    Strict,
    create_model,
    model_validator,
)
from pydantic_core import CoreSchema, core_schema

from sim.scenario.errors import refusal
from sim.scenario.section import Section, Text, Titled, absent_is
from sim.vocabulary.distributions import FAMILIES, Distribution, rounded

Evidence = Literal["registry", "literature", "data", "expert", "assumption"]
_Of = TypeVar("_Of", int, float)


class Known(Section, Generic[_Of]):
    """A number with what is known about it. A bare number stands for `{value: number}`."""

    value: _Of
    """The number the simulation uses, in the unit named by the key it stands under."""
    range: tuple[_Of, _Of] | None = None
    """Lowest and highest plausible value; must contain `value`. The sensitivity analyses move a
    number of `assumptions` within this range, and leave a number without one alone."""
    evidence: Evidence = "assumption"
    """Where the number comes from; a number with nothing said counts as an assumption."""
    source: Text = ""
    """The citation, data set or reasoning behind the number, for the reader of the report."""

    @model_validator(mode="after")
    def _range_contains_value(self) -> Self:
        if self.range and not self.range[0] <= self.value <= self.range[1]:
            low, high = self.range
            raise refusal(
                f"the range [{low:g}, {high:g}] does not contain the value {self.value:g}",
                "range: [low, high] with low ≤ value ≤ high",
            )
        return self


Known.model_config["use_attribute_docstrings"] = False
"""What is made from it inherits its documentation; looked for, it takes half of a start."""


class Remembering:
    """A number that remembers what is known about it, as a scenario says it.

    It is a number like any other: equal to an equal one, and what is calculated with it is a plain
    number that remembers nothing.
    """

    range: tuple[float, float] | None = None
    evidence: Evidence = "assumption"
    source: str = ""

    @classmethod
    def __get_pydantic_core_schema__(cls, _: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return ANY[cls].__get_pydantic_core_schema__(cls, handler)


class Number(Remembering, float):
    """A real number."""


class Whole(Remembering, int):
    """A whole number."""


def _written(figure: Number | Whole) -> object:
    """Return a number as a scenario writes it: bare if nothing is known about it."""
    value = int(figure) if isinstance(figure, int) else float(figure)
    known = {"range": figure.range, "evidence": figure.evidence, "source": figure.source}
    if known == {"range": None, "evidence": "assumption", "source": ""}:
        return value
    return {"value": value, **{key: entry for key, entry in known.items() if entry}}


class Kind:
    """Which numbers an entry takes, bare or with what is known about them: an annotation."""

    def __init__(self, name: str, **limits: float) -> None:
        """Take the name the JSON Schema shows, and limits as in `pydantic.Field`."""
        self._name, self.limits = name, limits

    def __get_pydantic_core_schema__(
        self, number: type[Any], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        plain = int if issubclass(number, int) else float
        bare, long = _bare_and_long(self._name, plain, *self.limits.items())

        def remember(known: Known[float]) -> Remembering:
            figure: Remembering = number(known.value)
            vars(figure).update(range=known.range, evidence=known.evidence, source=known.source)
            return figure

        def form(data: object) -> str:
            return "long" if isinstance(data, dict) else "bare"

        and_then = core_schema.no_info_after_validator_function
        forms: dict[Any, CoreSchema] = {
            "bare": and_then(number, handler.generate_schema(bare)),
            "long": and_then(remember, handler.generate_schema(long)),
        }
        dump = core_schema.plain_serializer_function_ser_schema(_written)
        return core_schema.tagged_union_schema(forms, form, ref=self._name, serialization=dump)


@cache
def _bare_and_long(name: str, plain: type, *limits: tuple[str, float]) -> tuple[Any, type[Any]]:
    """The types of a kind's two forms, made once: pydantic reads sources to document a model."""
    bare: Any = Annotated[plain, Strict(), Field(**dict(limits))]  # type: ignore[call-overload]
    return bare, create_model(f"Known{name}", __base__=Known[bare], __doc__=Known.__doc__)


_LARGEST, _SMALLEST = 1e15, 1e-9
"""Numbers beyond which floats would have no room for what is worked out with them."""

_MOST = 1_000_000
CENTURY_DAYS = 36_525
"""Longer than any trial; nothing that counts days needs more."""

ANY = {
    Number: Kind("Number", ge=-_LARGEST, le=_LARGEST),
    Whole: Kind("Whole", ge=0, le=_MOST),
}
"""The kinds of numbers of which an annotation says no more."""

Positive = Annotated[Number, Kind("Positive", ge=_SMALLEST, le=_LARGEST)]
NonNegative = Annotated[Number, Kind("NonNegative", ge=0, le=_LARGEST)]
Weeks = Annotated[Number, Kind("Weeks", ge=0.01, le=CENTURY_DAYS / 7)]
Shape = Annotated[Number, Kind("Shape", ge=0.01, le=_MOST)]
Probability = Annotated[Number, Kind("Probability", ge=0, le=1)]
DoseUnits = Annotated[Number, Kind("DoseUnits", ge=1e-3, le=1e18)]
Share = Annotated[Number, Kind("Share", ge=0, lt=1)]
ShareOfAll = Annotated[Number, Kind("ShareOfAll", ge=0, le=0.99)]
"""A share that leaves enough for the rest to be worked out from it."""

OfModalLength = Annotated[Number, Kind("OfModalLength", ge=0.1, le=10)]
HoursAWeek = Annotated[Number, Kind("HoursAWeek", ge=0, le=60)]
WholePositive = Annotated[Whole, Kind("WholePositive", ge=1, le=_MOST)]
DaysOrNone = Annotated[Whole, Kind("DaysOrNone", ge=0, le=CENTURY_DAYS)]
Days = Annotated[Whole, Kind("Days", ge=1, le=CENTURY_DAYS)]
Headcount = Annotated[Whole, Kind("Headcount", ge=0, le=1_000)]
OfRatio = Annotated[Whole, Kind("OfRatio", ge=0, le=1_000)]

Real = Annotated[float, Strict()]
"""A number about which nothing can be said."""


def _limit(data: object) -> object:
    if isinstance(data, str | bool | list) or data is None:
        if data != "unlimited":
            raise refusal(
                "this is neither a number nor the word unlimited", "a number or unlimited"
            )
        return None
    return data


WholeOrUnlimited = Annotated[
    Whole | None,
    BeforeValidator(_limit, json_schema_input_type=Whole | Literal["unlimited"]),
    absent_is("unlimited"),
]
HeadcountOrUnlimited = Annotated[
    Headcount | None,
    BeforeValidator(_limit, json_schema_input_type=Headcount | Literal["unlimited"]),
    absent_is("unlimited"),
]
PositiveOrUnlimited = Annotated[
    Positive | None,
    BeforeValidator(_limit, json_schema_input_type=Positive | Literal["unlimited"]),
    absent_is("unlimited"),
]


class Law(Titled):
    """A distribution as a scenario writes it; each class is called as its family."""

    def distribution(self) -> Distribution:
        """Return what is drawn from; the parameters go by the same names there."""
        parameters = {
            name: float(entry) if isinstance(entry, float) else entry
            for name in type(self).model_fields
            if name not in ("family", "whole", "title")
            and (entry := getattr(self, name)) is not None
        }
        drawn = FAMILIES[type(self).__name__.lower()](**parameters)
        return rounded(drawn) if getattr(self, "whole", False) else drawn

    def ends(self) -> tuple[float, float]:
        """Return the smallest and the largest value that can be drawn."""
        quantile = self.distribution().quantile
        return quantile(0.0), quantile(nextafter(1.0, 0.0))


class Fixed(Law):
    """Always the same; a bare number stands for it."""

    family: Literal["fixed"] = "fixed"
    """The name of the distribution."""
    value: Number
    """The value."""


class _Spread(Law):
    """What the families with a spread share."""

    whole: Annotated[bool, Strict()] = False
    """Round to the nearest whole number after drawing."""


class _Bounded(_Spread):
    low: Number
    """The smallest value."""
    high: Number
    """The largest value."""


class Uniform(_Bounded):
    """Every value between `low` and `high` alike."""

    family: Literal["uniform"] = "uniform"
    """The name of the distribution."""

    @model_validator(mode="after")
    def _in_order(self) -> Uniform:
        if self.low > self.high:
            raise refusal("low lies above high", "low ≤ high")
        return self


class Triangular(_Bounded):
    """Between `low` and `high`, most often near `mode`; `[low, mode, high]` stands for it."""

    family: Literal["triangular"] = "triangular"
    """The name of the distribution."""
    mode: Number
    """The most frequent value."""

    @model_validator(mode="after")
    def _in_order(self) -> Triangular:
        if not self.low <= self.mode <= self.high:
            raise refusal("low, mode and high are out of order", "low ≤ mode ≤ high")
        return self


class _Truncated(_Spread):
    """A family that may be truncated: values outside are never drawn, the shape inside is kept.

    The parameters are those of the distribution before truncation; rounding comes after it.
    """

    low: Number | None = None
    """Nothing below this value is drawn; left out, there is no such limit."""
    high: Number | None = None
    """Nothing above this value is drawn; left out, there is no such limit."""

    @model_validator(mode="after")
    def _limits_in_order(self) -> _Truncated:
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise refusal("low does not lie below high", "low < high")
        return self


class Normal(_Truncated):
    """The bell curve."""

    family: Literal["normal"] = "normal"
    """The name of the distribution."""
    mean: Number
    """The mean before truncation."""
    sd: NonNegative
    """The standard deviation before truncation."""


class Lognormal(_Truncated):
    """A value whose logarithm is normal: many small values, a few large ones."""

    family: Literal["lognormal"] = "lognormal"
    """The name of the distribution."""
    median: Positive
    """Half of the values lie below it, before truncation."""
    sigma: Positive
    """The standard deviation of the natural logarithm."""


class Exponential(_Truncated):
    """The time to something that is equally likely at any moment."""

    family: Literal["exponential"] = "exponential"
    """The name of the distribution."""
    mean: Positive
    """The mean before truncation."""


class Weibull(_Truncated):
    """The time to something that becomes likelier (shape above 1) or less likely (below 1)."""

    family: Literal["weibull"] = "weibull"
    """The name of the distribution."""
    shape: Shape
    """1 is the exponential distribution."""
    scale: Positive
    """63 % of the values lie below it, before truncation."""


class Gamma(_Truncated):
    """A positive value, skewed to the right; the larger `shape`, the more symmetric."""

    family: Literal["gamma"] = "gamma"
    """The name of the distribution."""
    mean: Positive
    """The mean before truncation."""
    shape: Shape
    """The coefficient of variation is 1/√shape."""


class Empirical(Law):
    """One of the listed values, as observed."""

    family: Literal["empirical"] = "empirical"
    """The name of the distribution."""
    values: tuple[Real, ...] = Field(min_length=1)
    """The values that can be drawn."""
    weights: tuple[Annotated[Real, Field(ge=0)], ...] | None = None
    """How often each value occurs, in the same order; left out, all alike."""

    @model_validator(mode="after")
    def _weights_match(self) -> Empirical:
        if self.weights is not None and len(self.weights) != len(self.values):
            raise refusal(
                f"{len(self.weights)} weights for {len(self.values)} values", "one weight a value"
            )
        if self.weights is not None and not 0 < sum(self.weights) < float("inf"):
            raise refusal("no value has any weight", "weights with a sum above 0")
        return self


def _as_law(data: object) -> object:
    """Read a bare number as `fixed` and a list of three as `triangular`."""
    if isinstance(data, list) and len(data) == len(TRIANGLE):
        return {"family": "triangular", **dict(zip(TRIANGLE, data, strict=True))}
    if isinstance(data, dict):
        return data if "family" in data or "value" not in data else {"value": data, **_FIXED}
    if isinstance(data, Law):
        return data
    if isinstance(data, bool) or not isinstance(data, int | float):
        raise refusal("this is not a distribution", "a number, [low, mode, high] or {family: …, …}")
    return {"value": data, **_FIXED}


TRIANGLE = ("low", "mode", "high")
"""What the numbers of a list of three are."""

_FIXED = {"family": "fixed"}
_ByFamily = Annotated[
    Fixed | Uniform | Triangular | Normal | Lognormal | Exponential | Weibull | Gamma | Empirical,
    Discriminator("family"),
]
_Written = _ByFamily | Number | tuple[Number, Number, Number]
_Law = Annotated[_ByFamily, BeforeValidator(_as_law, json_schema_input_type=_Written)]


def _between(low: float, high: float, unit: str = "") -> AfterValidator:
    """Let a law in whose every value lies between these, however seldom it is drawn.

    What has a unit is a time, which has no name that people read, and so no title.
    """

    def check(law: Law) -> Law:
        if unit and law.title is not None:
            raise refusal("a title stands beside a time", "a title of an attribute of patients")
        try:
            lowest, highest = law.ends()
            is_drawn = isfinite(lowest) and isfinite(highest)
        except (ArithmeticError, ValueError):
            is_drawn = False
        if not is_drawn:
            raise refusal(
                "nothing can be drawn from this distribution",
                "parameters of which some part lies between low and high, none of it out of reach",
            )
        if lowest < low == 0:
            allowed = "a smallest value (`low`) of 0 or more"
            raise refusal("a time can come out negative here", allowed)
        if not low <= lowest <= highest <= high:
            what = f"{lowest:.3g} to {highest:.3g}{unit} can be drawn"
            allowed = f"{low:g} to {high:g}; low and high cut a distribution off"
            raise refusal(what, allowed)
        return law

    return AfterValidator(check)


Drawn = Annotated[_Law, _between(-_LARGEST, _LARGEST)]
"""What is drawn from a distribution."""

DaysEarlyOrLate = Annotated[_Law, _between(-CENTURY_DAYS, CENTURY_DAYS, " days")]
Wait = Annotated[_Law, _between(0, CENTURY_DAYS, " days")]
Duration = Annotated[_Law, _between(0, _MOST, " minutes")]
NO_TIME: Any = Fixed(value=Number(0))
