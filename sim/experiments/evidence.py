"""What the log of a trial that runs says of each number that has a range, as a likelihood."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlog1py, xlogy

from sim.scenario.assumptions import Assumptions, YesNo
from sim.scenario.beliefs import with_drawn
from sim.scenario.criteria import Criterion
from sim.scenario.errors import KeyPath
from sim.scenario.history import History, KnownPerson
from sim.scenario.interpret import attributes_of
from sim.scenario.protocol import Attribute, Protocol
from sim.vocabulary.clock import DAYS_PER_WEEK, MINUTES_PER_DAY
from sim.vocabulary.eventlog import Milestone

_Floats = NDArray[np.float64]

_VALUES, _PEOPLE = 101, 200
"""Values at which the share who fail is worked out, and people of whom it is one."""

_MINUTES_PER_WEEK = DAYS_PER_WEEK * MINUTES_PER_DAY


class Seen(NamedTuple):
    """What was seen of a number: so many `of` so many, and how probable that is at each value."""

    seen: float
    of: float
    log_likelihood: Callable[[_Floats], _Floats]


def seen(path: KeyPath, protocol: Protocol, history: History) -> Seen | None:
    """Return what a history says of the number at a path; None where it cannot say anything."""
    people, since = history.people, history.since
    match path:
        case ("recruitment", "consent") if since is Milestone.CANDIDATE:
            agreed = sum(each.consented < math.inf for each in people)
            refused = sum(_ended(each) is Milestone.NOT_CONSENTING for each in people)
            return seen_of_share(agreed, agreed + refused)
        case ("patients", str(name), *_) if since is not Milestone.RANDOMISED:
            return _of_attribute(path, name, protocol, history)
        case ("screening", "withdraws") if since is not Milestone.RANDOMISED:
            return _of_withdrawal(protocol, history)
        case ("leaving", str(reason), "share", *arm) if len(arm) < 2 and _is_one_share(  # noqa: PLR2004
            protocol, reason
        ):
            return _of_leaving(reason, [str(each) for each in arm], protocol, history)
    return None


def _ended(person: KnownPerson) -> Milestone | None:
    return None if person.ended is None else person.ended[1]


def seen_of_share(seen: int, of: int, among: float = 1.0) -> Seen:
    """Return what so many people say of a share, which is one of those `among` all."""

    def log_likelihood(shares: _Floats) -> _Floats:
        told: _Floats = xlogy(seen, shares * among) + xlog1py(of - seen, -shares * among)
        return told

    return Seen(seen, of, log_likelihood)


def _of_attribute(path: KeyPath, name: str, protocol: Protocol, history: History) -> Seen | None:
    """Return what screening says of an attribute that a criterion looks at."""
    tested = [
        (index, each)
        for index, each in enumerate(protocol.criteria)
        if {attribute for attribute, _, _ in each.limits} == {name}
        and (history.since is Milestone.CANDIDATE or each.at in protocol.screening.from_consent)
    ]
    if not tested:
        return None
    counts = [(_judged(index, protocol, history), each) for index, each in tested]
    seen, of = (sum(each[place] for each, _ in counts) for place in (0, 1))

    def log_likelihood(values: _Floats) -> _Floats:
        at = np.linspace(values[0], values[-1], _VALUES)
        natures = (with_drawn(protocol.nature, {path: float(value)}) for value in at)
        believed = [
            ({each.name: each for each in attributes_of(nature)}, nature) for nature in natures
        ]
        told = np.zeros(_VALUES)
        for (failed, judged), criterion in counts:
            shares = np.array([failing(criterion, *each) for each in believed])
            told += xlogy(failed, shares) + xlog1py(judged - failed, -shares)
        return np.interp(values, at, told)

    return Seen(seen, of, log_likelihood)


def failing(
    criterion: Criterion, attributes: Mapping[str, Attribute], nature: Assumptions
) -> float:
    """Return the share of people who fail a criterion."""
    (name,) = {attribute for attribute, _, _ in criterion.limits}
    each = attributes[name]
    among = 1.0 if each.among is None else _share_with(each.among, nature)
    if isinstance(nature.patients[name], YesNo):
        share = _share_with(name, nature)
        return among * (share if criterion.fails({name: 1.0}) else 1 - share)
    quantile = each.distribution.quantile
    failing = (criterion.fails({name: quantile((n + 0.5) / _PEOPLE)}) for n in range(_PEOPLE))
    return among * sum(failing) / _PEOPLE


def _share_with(name: str, nature: Assumptions) -> float:
    """Return the share of people who have a yes/no attribute."""
    written = nature.patients[name]
    return float(written.probability) if isinstance(written, YesNo) else 1.0


def _judged(index: int, protocol: Protocol, history: History) -> tuple[int, int]:
    """Return how many failed a criterion before any other, and how many were judged by it."""
    at, steps = protocol.criteria[index].at, protocol.screening.steps
    place = next(number for number, step in enumerate(steps) if step.name == at)
    failed = judged = 0
    for person in history.people:
        passed, by = _passed(person, protocol)
        if by is not None and protocol.criteria[by].at == at and by >= index:
            judged, failed = judged + 1, failed + (by == index)
        judged += place < passed
    return failed, judged


def _passed(person: KnownPerson, protocol: Protocol) -> tuple[int, int | None]:
    """Return how many steps somebody has surely passed, and which criterion then failed."""
    plan = protocol.screening
    names = [step.name for step in plan.steps]
    if person.is_randomised:
        return len(names), None
    if person.ended is not None and person.ended[2] is not None:
        return names.index(protocol.criteria[person.ended[2]].at), person.ended[2]
    if person.consented < math.inf:
        return plan.asking + 1, None
    return (plan.asking if _ended(person) is Milestone.NOT_CONSENTING else 0), None


def _of_withdrawal(protocol: Protocol, history: History) -> Seen:
    """Return what those who consented say: how far each was on the way, and who withdrew."""
    plan = protocol.screening
    way = plan.last_due(0.0, 0.0, lambda step: plan.wait_days(step).typical * MINUTES_PER_DAY)
    withdrew, at_risk = 0, list[float]()
    for person in history.people:
        if person.consented == math.inf:
            continue
        if _ended(person) is Milestone.WITHDREW_IN_SCREENING:
            withdrew += 1
            continue
        until = history.until if person.ended is None else person.ended[0]
        part = (until - person.consented) / way if way else 1.0
        at_risk.append(1.0 if person.is_randomised else min(part, 1.0))

    def log_likelihood(shares: _Floats) -> _Floats:
        stayed = np.log1p(-shares[:, None] * np.array(at_risk)[None, :]).sum(axis=1)
        told: _Floats = xlogy(withdrew, shares) + stayed
        return told

    return Seen(withdrew, withdrew + len(at_risk), log_likelihood)


def _is_one_share(protocol: Protocol, reason: str) -> bool:
    """Say whether shares by a single week are written, so that the hazard is constant."""
    return protocol.nature.leaving[reason].by_week is not None


def _of_leaving(reason: str, arms: Sequence[str], protocol: Protocol, history: History) -> Seen:
    """Return what those randomised say: who left for a reason, and the weeks all stayed."""
    ours = {each.index for each in protocol.arms if not arms or each.name in arms}
    people = [
        each for each in history.people if each.is_randomised and (each.arm in ours or not arms)
    ]
    left = sum(each.left_reason == reason for each in people)
    ends = (min(each.left, each.completed, history.until) - each.randomised for each in people)
    by_week = float(protocol.nature.leaving[reason].by_week or math.nan)
    return seen_of_hazard(left, math.fsum(ends) / _MINUTES_PER_WEEK, by_week)


def seen_of_hazard(seen: int, weeks: float, by_week: float) -> Seen:
    """Return what so many events in so many weeks at risk say of the share by a certain week."""

    def log_likelihood(shares: _Floats) -> _Floats:
        hazards = -np.log1p(-shares) / by_week
        told: _Floats = xlogy(seen, hazards) - hazards * weeks
        return told

    return Seen(seen, weeks, log_likelihood)
