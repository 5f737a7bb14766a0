"""Incomplete beta and gamma functions and their inverses, where there is no scipy.

Formulas: Abramowitz & Stegun 1964, Handbook of Mathematical Functions, sections 6.5 and 26.5;
continued fractions by the modified Lentz method (Thompson & Barnett 1986, J Comput Phys 64:490).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from itertools import count

_TINY, _ENOUGH = 1e-300, 1e-16
_FURTHEST, _STEPS = 50.0, 400
"""The longest step of an inverse, and how many at most; six do where the start is good."""


def gammainc(shape: float, x: float) -> float:
    """Return the share of a gamma distribution of scale 1 that lies below x."""
    if x <= 0:
        return 0.0
    front = math.exp(shape * math.log(x) - x - math.lgamma(shape))
    if x < shape + 1:
        return front * _series(shape, x)
    terms = ((-n * (n - shape), x + 2 * n + 1 - shape) for n in count(1))
    return 1 - front / _fraction(x + 1 - shape, terms)


def _series(shape: float, x: float) -> float:
    term = whole = 1 / shape
    for n in count(1):
        term *= x / (shape + n)
        whole += term
        if term < whole * _ENOUGH:
            break
    return whole


def betainc(a: float, b: float, x: float) -> float:
    """Return the share of the beta distribution with shapes a and b that lies below x."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - betainc(b, a, 1 - x)
    logs = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    front = math.exp(logs + a * math.log(x) + b * math.log1p(-x)) / a

    def terms() -> Iterable[tuple[float, float]]:
        for n in count():
            yield -(a + n) * (a + b + n) * x / ((a + 2 * n) * (a + 2 * n + 1)), 1.0
            m = n + 1
            yield m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)), 1.0

    return front / _fraction(1.0, terms())


def _fraction(first: float, terms: Iterable[tuple[float, float]]) -> float:
    """Return first + a₁/(b₁ + a₂/(b₂ + …)) of terms (a, b)."""
    value = above = first or _TINY
    below = 0.0
    for a, b in terms:
        below = 1 / ((b + a * below) or _TINY)
        above = (b + a / above) or _TINY
        change = above * below
        value *= change
        if abs(change - 1) < _ENOUGH * 4:
            break
    return value


def gammaincinv(shape: float, u: float) -> float:
    """Return the x below which the share u of a gamma distribution of scale 1 lies."""
    if u <= 0:
        return 0.0
    # Wilson & Hilferty's start; far below it the share is x^shape / Γ(shape + 1).
    few = math.exp((math.log(u) + math.lgamma(shape + 1)) / shape)
    cube = 1 - 1 / (9 * shape) + _normal(u) / (3 * math.sqrt(shape))
    start = max(few, shape * cube**3) if cube > 0 else few
    log_whole = math.lgamma(shape)

    def rise(x: float) -> float:
        return math.exp(shape * math.log(x) - x - log_whole)

    return _inverse(lambda x: gammainc(shape, x), rise, u, start, math.inf)


def betaincinv(a: float, b: float, u: float) -> float:
    """Return the x below which the share u of the beta distribution with shapes a and b lies."""
    if u <= 0 or u >= 1:
        return float(u >= 1)
    log_whole = math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)

    def rise(x: float) -> float:
        return math.exp(a * math.log(x) + (b - 1) * math.log1p(-x) - log_whole)

    mean, size = a / (a + b), a + b
    start = mean + _normal(u) * math.sqrt(mean * (1 - mean) / (size + 1))
    few = math.exp(min((math.log(u) + math.log(a) + log_whole) / a, 0.0))
    return _inverse(
        lambda x: betainc(a, b, x), rise, u, start if 0 < start < 1 else min(few, 0.5), 1.0
    )


def brentq(function: Callable[[float], float], low: float, high: float) -> float:
    """Return where a function changes its sign between two places, by halving the way."""
    is_above = function(low) > 0
    while low < (middle := (low + high) / 2) < high:
        low, high = (middle, high) if (function(middle) > 0) == is_above else (low, middle)
    return high


def _normal(u: float) -> float:
    """Return a normal quantile, good enough to begin with (Abramowitz & Stegun 26.2.23)."""
    t = math.sqrt(-2 * math.log(min(u, 1 - u) or _TINY))
    z = t - (2.515517 + 0.802853 * t + 0.010328 * t * t) / (
        1 + 1.432788 * t + 0.189269 * t * t + 0.001308 * t**3
    )
    return z if u > 0.5 else -z  # noqa: PLR2004  the median


def _inverse(
    share: Callable[[float], float],
    rise: Callable[[float], float],
    u: float,
    start: float,
    most: float,
) -> float:
    """Return where a share reaches u: by Newton's steps on scales of logarithms, else by halving.

    `rise` is the slope of the share with the logarithm of x.
    """
    low, high, x = 0.0, most, start
    for _ in range(_STEPS):
        if not 0 < x < most:  # nearer to an end than a number can be
            break
        there = share(x)
        low, high = (x, high) if there < u else (low, x)
        slope = rise(x)
        step = math.log(there / u) * there / slope if there > 0 and slope > 0 else math.nan
        after = x * math.exp(-step) if abs(step) < _FURTHEST else math.nan
        if not low < after < high:
            after = _between(low, high, x)
        if abs(after - x) <= x * _ENOUGH * 2:
            return after
        x = after
    return x


def _between(low: float, high: float, x: float) -> float:
    """Return a place between two, the middle of which logarithms say."""
    if high == math.inf:
        return 2 * x
    return math.sqrt(low) * math.sqrt(high) if low else high / 1024
