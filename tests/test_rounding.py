"""Figures as people read them: whatever the value, none says more than is known, or nothing."""

from __future__ import annotations

import re
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from sim.report.changes import Change
from sim.report.page import within
from sim.report.recruitment import ALIKE_POINTS, error_of
from sim.vocabulary.intervals import Interval
from sim.vocabulary.words import NO_BREAK, words

EN = words()
SHARES, FIGURES = st.floats(0, 1), st.floats(-1e15, 1e15)
INTERVALS = st.tuples(FIGURES, FIGURES, FIGURES).map(sorted)
NOTHING = re.compile(r"[+−-]0(?:\.0*)?(?![\d.,])")
"""Nothing with a sign."""


def decimals(figure: str) -> int:
    return len(figure.partition(".")[2])


@given(FIGURES)
def test_no_figure_has_a_power_of_ten_or_nothing_with_a_sign(value: float) -> None:
    written = [EN.plain(value), EN.number(value), EN.change(value), EN.plain(value, 3)]
    written += [EN.signed(value, ",.1f"), EN.signed(value, ".0f")]

    assert not [each for each in written if "e" in each or NOTHING.search(each)]


@given(SHARES)
def test_only_never_is_0_per_cent_and_only_always_is_100(share: float) -> None:
    written = EN.percent(share).replace(NO_BREAK, " ")

    assert (written == "0 %") == (share == 0)
    assert (written == "100 %") == (share == 1)


@given(st.tuples(SHARES, SHARES).map(sorted))
def test_a_larger_share_is_never_written_as_a_smaller(shares: list[float]) -> None:
    figures = [float(re.sub(r"[^\d]", "", EN.percent(each))) for each in shares]

    assert all(before <= after for before, after in pairwise(figures))


@given(INTERVALS)
def test_an_estimate_and_its_interval_have_equal_digits(ends: list[float]) -> None:
    low, value, high = ends
    written = EN.estimate(value, low, high)

    assert len({*map(decimals, written)}) == 1 or not high > low
    assert not [each for each in written if "e" in each or NOTHING.search(each)]


@given(st.tuples(SHARES, SHARES, SHARES).map(sorted))
def test_plus_or_minus_stands_only_where_both_ends_are_shares_and_sides_alike(
    ends: list[float],
) -> None:
    low, chance, high = ends
    written = error_of(EN, chance, Interval(low, high)).replace(NO_BREAK, " ")
    found = re.fullmatch(r"± (\d+) points?", written)

    assert found or written.startswith("95 % interval ")
    if found:
        points = int(found[1])
        assert 0 < round(100 * chance) - points < round(100 * chance) + points < 100
        assert abs(100 * low - (round(100 * chance) - points)) <= ALIKE_POINTS
        assert abs(100 * high - (round(100 * chance) + points)) <= ALIKE_POINTS
        assert written.endswith("points") == (points > 1)


@given(st.floats(0, 0.5))
def test_half_a_width_is_rounded_up_and_never_nothing(half: float) -> None:
    points = int(re.findall(r"\d+", within(half))[0])

    assert points >= 1
    assert points >= 100 * half - 1e-6


@given(SHARES, SHARES, st.tuples(st.floats(-1, 1), st.floats(-1, 1)).map(sorted))
def test_a_change_of_a_share_is_in_whole_points(
    before: float, after: float, ends: list[float]
) -> None:
    value, span = Change("a", "b", before, after, Interval(*ends)).points(EN)

    for each in (value, *span.split(" to ")):
        assert re.fullmatch(r"0|[+−]\d+", each)
        assert not NOTHING.search(each)
