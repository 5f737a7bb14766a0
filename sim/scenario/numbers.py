"""Numbers and distributions as a scenario writes them, with what is known about them."""

from __future__ import annotations

from typing import Annotated, Any, Generic, Literal, TypeVar, get_args

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    SerializerFunctionWrapHandler,
    Strict,
    Tag,
    model_serializer,
    model_validator,
)
from pydantic.fields import FieldInfo

from sim.scenario.errors import forms, refusal
from sim.scenario.section import Section

Evidence = Literal["registry", "literature", "data", "expert", "assumption"]
Figure = TypeVar("Figure", int, float)

Real = Annotated[float, Strict()]
AboveZero = Annotated[float, Strict(), Field(gt=0, title="Positive")]
ZeroOrMore = Annotated[float, Strict(), Field(ge=0, title="NonNegative")]
ZeroToOne = Annotated[float, Strict(), Field(ge=0, le=1, title="Probability")]
ThousandthToExa = Annotated[float, Strict(), Field(ge=1e-3, le=1e18, title="Amount")]
BelowOne = Annotated[float, Strict(), Field(ge=0, lt=1, title="Share")]
WholeFromZero = Annotated[int, Strict(), Field(ge=0, le=1_000_000, title="Whole")]
ZeroToSixty = Annotated[float, Strict(), Field(ge=0, le=60, title="HoursAWeek")]
WholeFromOne = Annotated[int, Strict(), Field(ge=1, le=1_000_000, title="WholePositive")]


class Quantity(Section, Generic[Figure]):
    """A number with what is known about it. A bare number stands for `{value: number}`."""

    value: Figure
    """The number the simulation uses, in the unit named by the key it stands under."""
    range: tuple[Figure, Figure] | None = None
    """Lowest and highest plausible value; must contain `value`. The sensitivity analyses move a
    number of `assumptions` within this range, and leave a number without one alone."""
    evidence: Evidence = "assumption"
    """Where the number comes from; a number with nothing said counts as an assumption."""
    source: str = ""
    """The citation, data set or reasoning behind the number, for the reader of the report."""

    @classmethod
    def model_parametrized_name(cls, params: tuple[Any, ...]) -> str:
        """Return the name the JSON Schema shows for this kind of number."""
        kinds = [part.title for part in get_args(params[0]) if isinstance(part, FieldInfo)]
        return f"{(kinds or ['Number'])[0]}Written"

    @model_validator(mode="after")
    def _range_contains_value(self) -> Quantity[Figure]:
        if self.range and not self.range[0] <= self.value <= self.range[1]:
            low, high = self.range
            raise refusal(
                f"the range [{low:g}, {high:g}] does not contain the value {self.value:g}",
                "range: [low, high] with low ≤ value ≤ high",
            )
        return self

    @model_serializer(mode="wrap")
    def _bare_if_nothing_is_known(self, write: SerializerFunctionWrapHandler) -> object:
        known = {key: entry for key, entry in write(self).items() if entry not in (None, "")}
        return self.value if known.keys() == {"value", "evidence"} and self._unsupported else known

    @property
    def _unsupported(self) -> bool:
        return self.evidence == "assumption"


def _with_value(data: object) -> object:
    return data if isinstance(data, dict | Quantity) else {"value": data}


def _bare(figure: Any) -> BeforeValidator:  # noqa: ANN401 -- a type, used as a type
    """Let a quantity be written as a bare figure."""
    return BeforeValidator(_with_value, json_schema_input_type=figure | Quantity[figure])


Number = Annotated[Quantity[Real], _bare(Real)]
Positive = Annotated[Quantity[AboveZero], _bare(AboveZero)]
NonNegative = Annotated[Quantity[ZeroOrMore], _bare(ZeroOrMore)]
Probability = Annotated[Quantity[ZeroToOne], _bare(ZeroToOne)]
Amount = Annotated[Quantity[ThousandthToExa], _bare(ThousandthToExa)]
Share = Annotated[Quantity[BelowOne], _bare(BelowOne)]
HoursAWeek = Annotated[Quantity[ZeroToSixty], _bare(ZeroToSixty)]
Whole = Annotated[Quantity[WholeFromZero], _bare(WholeFromZero)]
WholePositive = Annotated[Quantity[WholeFromOne], _bare(WholeFromOne)]


def number(value: float) -> Quantity[float]:
    """Return `value` as a bare number of a scenario, for use as a default."""
    return Quantity[Real](value=value)


def whole(value: int) -> Quantity[int]:
    """Return `value` as a bare whole number of a scenario, for use as a default."""
    return Quantity[WholeFromZero](value=value)


def _number_or_unlimited(data: object) -> str | None:
    if data == "unlimited":
        return "word"
    return None if isinstance(data, str | bool | list) or data is None else "number"


_OR_UNLIMITED = forms(
    _number_or_unlimited, "this is neither a number nor the word unlimited", "a number or unlimited"
)
_Unlimited = Annotated[Literal["unlimited"], Tag("word")]
WholeOrUnlimited = Annotated[Annotated[Whole, Tag("number")] | _Unlimited, _OR_UNLIMITED]
PositiveOrUnlimited = Annotated[Annotated[Positive, Tag("number")] | _Unlimited, _OR_UNLIMITED]


class Fixed(Section):
    """Always the same; a bare number stands for it."""

    family: Literal["fixed"] = "fixed"
    """The name of the distribution."""
    value: Number
    """The value."""

    @property
    def lowest(self) -> float:
        """Return the smallest value that can be drawn."""
        return self.value.value


class _Spread(Section):
    """What the families with a spread share."""

    whole: Annotated[bool, Strict()] = False
    """Round to the nearest whole number after drawing."""


class _Bounded(_Spread):
    low: Number
    """The smallest value."""
    high: Number
    """The largest value."""

    @property
    def lowest(self) -> float:
        """Return the smallest value that can be drawn."""
        return self.low.value


class Uniform(_Bounded):
    """Every value between `low` and `high` alike."""

    family: Literal["uniform"] = "uniform"
    """The name of the distribution."""

    @model_validator(mode="after")
    def _in_order(self) -> Uniform:
        if self.low.value > self.high.value:
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
        if not self.low.value <= self.mode.value <= self.high.value:
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
        if self.low and self.high and self.low.value >= self.high.value:
            raise refusal("low does not lie below high", "low < high")
        return self

    @property
    def lowest(self) -> float:
        """Return the smallest value that can be drawn."""
        least = float("-inf") if isinstance(self, Normal) else 0.0
        return least if self.low is None else max(self.low.value, least)


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
    shape: Positive
    """1 is the exponential distribution."""
    scale: Positive
    """63 % of the values lie below it, before truncation."""


class Gamma(_Truncated):
    """A positive value, skewed to the right; the larger `shape`, the more symmetric."""

    family: Literal["gamma"] = "gamma"
    """The name of the distribution."""
    mean: Positive
    """The mean before truncation."""
    shape: Positive
    """The coefficient of variation is 1/√shape."""


class Empirical(Section):
    """One of the listed values, as observed."""

    family: Literal["empirical"] = "empirical"
    """The name of the distribution."""
    values: tuple[Real, ...] = Field(min_length=1)
    """The values that can be drawn."""
    weights: tuple[ZeroOrMore, ...] | None = None
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

    @property
    def lowest(self) -> float:
        """Return the smallest value that can be drawn."""
        return min(self.values)


def _as_distribution(data: object) -> object:
    """Read a bare number as `fixed` and a list of three as `triangular`."""
    if isinstance(data, list) and len(data) == len(TRIANGLE):
        return {"family": "triangular", **dict(zip(TRIANGLE, data, strict=True))}
    if isinstance(data, dict):
        return data if "family" in data or "value" not in data else {"value": data, **_FIXED}
    if isinstance(data, Section):
        return data
    if isinstance(data, bool) or not isinstance(data, int | float):
        raise refusal("this is not a distribution", "a number, [low, mode, high] or {family: …, …}")
    return {"value": data, **_FIXED}


TRIANGLE = ("low", "mode", "high")
"""What the numbers of a list of three are."""

_FIXED = {"family": "fixed"}
_Families = (
    Fixed | Uniform | Triangular | Normal | Lognormal | Exponential | Weibull | Gamma | Empirical
)
_ByName = Annotated[_Families, Discriminator("family")]
_Written = _ByName | Real | Quantity[Real] | tuple[Number, Number, Number]

Distribution = Annotated[
    _ByName, BeforeValidator(_as_distribution, json_schema_input_type=_Written)
]


def _never_negative(distribution: Distribution) -> Distribution:
    if distribution.lowest < 0:
        raise refusal("a time can come out negative here", "a smallest value (`low`) of 0 or more")
    return distribution


Duration = Annotated[Distribution, AfterValidator(_never_negative)]
NO_TIME: Any = Fixed(value=number(0))
