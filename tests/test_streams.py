"""Random numbers are addressed: who asks, when, and in what order makes no difference."""

from __future__ import annotations

import numpy as np
from scipy import stats

from sim.vocabulary.streams import Streams


def test_the_order_of_asking_does_not_matter() -> None:
    forwards, backwards = Streams(1, 7), Streams(1, 7)
    asked = [(question, index) for question in ("consent", "age") for index in range(300)]
    first = {each: forwards.uniform(*each) for each in asked}
    second = {each: backwards.uniform(*each) for each in reversed(asked)}
    assert first == second


def test_seeds_replications_questions_and_people_have_numbers_of_their_own() -> None:
    numbers = {
        Streams(seed, replication).uniform(question, index)
        for seed in (1, 2)
        for replication in (1, 2)
        for question in ("consent", "withdrawal")
        for index in (0, 1, 127, 128, 1000)
    }
    assert len(numbers) == 2 * 2 * 2 * 5


def test_numbers_are_uniform_and_unrelated_across_questions_and_replications() -> None:
    people = range(4000)
    streams, other = Streams(3, 1), Streams(3, 2)
    consent = [streams.uniform("consent", person) for person in people]
    age = [streams.uniform("age", person) for person in people]
    again = [other.uniform("consent", person) for person in people]
    for sample in (consent, age, again):
        assert stats.kstest(sample, "uniform").pvalue > 0.001
    for pair in ((consent, age), (consent, again), (consent[1:], consent[:-1])):
        assert abs(np.corrcoef(*pair)[0, 1]) < 3.5 / np.sqrt(len(people))
