"""What is believed of each number that has a range: a law, of which a replication draws a value.

The range counts as the middle 90 %, of a share as far as its evidence reaches: a guess counts as no
more than 20 people, and figures of other trials as no more than 50. What has to stay in order with
the numbers beside it (`low`, `mode` and `high` of a distribution) stays within its range.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from itertools import product
from statistics import fmean, pstdev
from typing import Any, NamedTuple

from pydantic import AfterValidator

from sim.scenario.assumptions import Assumptions
from sim.scenario.errors import Fault, KeyPath
from sim.scenario.numbers import ANY, Kind, Law, Number, Whole
from sim.scenario.section import Node, Section, parts_of, walk
from sim.vocabulary import distributions
from sim.vocabulary.distributions import Distribution, rounded
from sim.vocabulary.streams import Draws

MIDDLE = 0.05, 0.95
"""The quantiles that the ends of a range are."""

_NORMAL_WIDTH = 2 * 1.6448536269514722
"""The standard deviations between them of a normal distribution."""

_SIZES = [10 ** (-2 + 11 * place / 599) for place in range(600)]
"""How much may be known of a number: people seen of whom a share is known, shapes of a gamma."""

_MOST_PEOPLE = {"assumption": 20, "expert": 20, "literature": 50}
"""As how many people the range of a share counts at most, however narrow, by its evidence."""

_ALMOST_NEVER = 1e-9
_QUANTILES = 1000
_RATE = (("recruitment", "candidates_per_month"), ("recruitment", "rate_shape"))
"""Numbers that say the same thing twice: how unsure the rate of candidates is."""

_IN_ORDER = ("low", "mode", "high")


class Belief(NamedTuple):
    """What is believed of the number at a path below `assumptions`: of which family, the law."""

    path: KeyPath
    family: str
    law: Distribution

    @property
    def dotted(self) -> str:
        """The path as planners write it."""
        return ".".join(("assumptions", *map(str, self.path)))

    @property
    def mean_and_sd(self) -> tuple[float, float]:
        """The mean and standard deviation, from a thousand evenly spaced quantiles."""
        values = [self.law.quantile((n + 0.5) / _QUANTILES) for n in range(_QUANTILES)]
        return fmean(values), pstdev(values)


def beliefs(nature: Assumptions) -> tuple[Belief, ...]:
    """Return the law of each number that a replication draws, the rate of candidates apart."""
    return tuple(_beliefs(nature)) if nature.uncertain == "all" else ()


def rate_belief(nature: Assumptions) -> Belief | None:
    """Return the law of the true number of candidates a month; None where it is known."""
    recruitment, uncertain = nature.recruitment, nature.uncertain
    number, shape = recruitment.candidates_per_month, recruitment.rate_shape
    path = _RATE[0]
    if uncertain == "none":
        return None
    if shape is not None:
        return Belief(path, "gamma", distributions.gamma(float(number), float(shape)))
    node = next(each for each in walk(recruitment, _RATE[0][:1]) if each.path == path)
    return _belief(node, is_in_law=False) if uncertain == "all" and _is_unsure(number) else None


def draws(nature: Assumptions) -> Draws:
    """Return how replications share what they draw."""
    is_stratified = rate_belief(nature) is not None
    anything = is_stratified or any(
        node.path not in _RATE and _is_unsure(node.value) for node in walk(nature)
    )
    return Draws(is_stratified, nature.uncertain == "all" and anything)


def with_drawn(nature: Assumptions, drawn: Mapping[KeyPath, float]) -> Assumptions:
    """Return the assumptions with other numbers at some paths, which are not validated again."""
    tree: dict[Any, Any] = {}
    for path, value in drawn.items():
        below = tree
        for key in path[:-1]:
            below = below.setdefault(key, {})
        below[path[-1]] = value
    changed: Assumptions = _changed(nature, tree)
    return changed


def no_law_left(nature: Assumptions) -> Iterator[Fault]:
    """Look for a distribution that some of the draws of its own numbers would leave no law."""
    believed = {each.path: each for each in beliefs(nature)}
    for node in walk(nature, whole=(Law,)):
        if not isinstance(node.value, Law):
            continue
        ours = [each for path, each in believed.items() if path[:-1] == node.path]
        checks = [each.func for each in parts_of(node.hints) if isinstance(each, AfterValidator)]
        if ours and not all(_holds(node.value, corner, checks) for corner in _corners(ours)):
            what = "some of the values believed of its numbers leave no distribution here"
            allowed = "ranges apart from one another and from what is out of reach, or no range"
            yield Fault(("assumptions", *node.path), what, allowed)


def _corners(ours: list[Belief]) -> Iterator[dict[str, float]]:
    ends = [
        (each.law.quantile(_ALMOST_NEVER), each.law.quantile(1 - _ALMOST_NEVER)) for each in ours
    ]
    for values in product(*ends):
        yield {str(each.path[-1]): value for each, value in zip(ours, values, strict=True)}


def _holds(law: Law, corner: Mapping[str, float], checks: list[Callable[..., Any]]) -> bool:
    numbers = {name: getattr(law, name) for name in type(law).model_fields}
    try:
        changed = type(law).model_validate({**numbers, **corner})
        for check in checks:
            check(changed)
    except (ArithmeticError, ValueError):
        return False
    return True


def _changed(entry: Any, tree: Mapping[Any, Any]) -> Any:  # noqa: ANN401  whatever stands there
    changes = {
        key: _changed(_at(entry, key), below) if isinstance(below, dict) else below
        for key, below in tree.items()
    }
    return entry.model_copy(update=changes) if isinstance(entry, Section) else {**entry, **changes}


def _at(entry: Any, key: str | int) -> Any:  # noqa: ANN401  whatever stands there
    return getattr(entry, str(key)) if isinstance(entry, Section) else entry[key]


def _beliefs(nature: Assumptions) -> Iterator[Belief]:
    law: KeyPath = ()
    for node in walk(nature):
        if isinstance(node.value, Law):
            law = node.path
        if node.path not in _RATE and _is_unsure(node.value):
            yield _belief(node, is_in_law=bool(law) and node.path[:-1] == law)


def _is_unsure(value: object) -> bool:
    return (
        isinstance(value, Number | Whole)
        and value.range is not None
        and value.range[0] < value.range[1]
    )


def _belief(node: Node, *, is_in_law: bool) -> Belief:
    """Return the law of a number that has a range.

    A share is beta, as of `_MOST_PEOPLE` at most, and what may be 0 gamma, with the value as mean;
    what is above 0 lognormal, with the value as median; anything else normal. Where no such law has
    the value as its mean, for it is 0 or 1, every value of the range is alike.
    """
    value, (low, high) = float(node.value), node.value.range
    said = (each for each in parts_of(node.hints) if isinstance(each, Kind))
    limits = next(said, ANY[type(node.value)]).limits
    least = float(limits.get("ge", -math.inf))
    most = float(limits.get("le", limits.get("lt", math.inf)))
    if "lt" in limits:
        most -= _ALMOST_NEVER
    sd = (high - low) / _NORMAL_WIDTH
    if is_in_law and node.path[-1] in _IN_ORDER:
        family, law = "normal", distributions.normal(value, sd, low, high)
    elif isinstance(node.value, Whole):
        family, law = "normal", rounded(distributions.normal(value, sd, least, most))
    elif least == 0 and value in (0, 1 if most <= 1 else 0):
        family, law = "uniform", distributions.uniform(low, high)
    elif least == 0 and most <= 1:
        size = _size(_width_of_beta, high - low, value)
        size = min(size, _MOST_PEOPLE.get(node.value.evidence, size))
        family, law = "beta", distributions.beta(value, size, least, most)
    elif least == 0:
        shape = _size(_width_of_gamma, (high - low) / value)
        family, law = "gamma", distributions.gamma(value, shape, least, most)
    elif least > 0:
        sigma = math.log(high / low) / _NORMAL_WIDTH
        family, law = "lognormal", distributions.lognormal(value, sigma, least, most)
    else:
        family, law = "normal", distributions.normal(value, sd, least, most)
    return Belief(node.path, family, law)


def _width(law: Distribution) -> float:
    low, high = map(law.quantile, MIDDLE)
    return high - low


def _width_of_beta(size: float, mean: float) -> float:
    return _width(distributions.beta(mean, size))


def _width_of_gamma(shape: float) -> float:
    return _width(distributions.gamma(1.0, shape))


@lru_cache(maxsize=1024)  # several fits a scenario, most of them those of the scenario before
def _size(width_of: Callable[..., float], wanted: float, *mean: float) -> float:
    """Return the size at which the middle 90 % is as wide as wanted, or as nearly as can be.

    The less is known the wider it is, until most of a law lies at its end.
    """
    from sim.vocabulary.special import brentq  # noqa: PLC0415 -- slow, and seldom needed

    def is_narrower(place: int) -> bool:
        return width_of(_SIZES[place + 1], *mean) < width_of(_SIZES[place], *mean)

    def is_too_narrow(place: int) -> bool:
        return width_of(_SIZES[place], *mean) < wanted

    places = range(len(_SIZES))
    widest = bisect_left(places[:-1], True, key=is_narrower)  # noqa: FBT003  the first that is
    narrow = bisect_left(places, True, widest, key=is_too_narrow)  # noqa: FBT003
    if narrow in {widest, len(_SIZES)}:
        return _SIZES[widest if narrow == widest else -1]
    between = _SIZES[narrow - 1], _SIZES[narrow]
    return float(brentq(lambda size: width_of(size, *mean) - wanted, *between))
