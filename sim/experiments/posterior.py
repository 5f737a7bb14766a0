"""What the log of a running trial teaches of the assumptions that have a range.

Each law is taken to another by Bayes' rule (Gelman et al. 2013, Bayesian Data Analysis, chapters 2
and 3): shares by those seen, hazards by events and the time at risk, the rate of candidates by how
many came. What bears on how many came besides the rate is drawn together with it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp, xlogy
from scipy.stats.qmc import Sobol

from sim.experiments.evidence import failing, seen
from sim.experiments.past_waves import Months, PathDraws, path_draws
from sim.model.run import run
from sim.scenario.assumptions import Assumptions
from sim.scenario.beliefs import Belief, rate_belief, with_drawn
from sim.scenario.enrolment_log import EnrolmentLog, LoggedPerson
from sim.scenario.errors import KeyPath
from sim.scenario.history import History, Informed, KnownPerson, Lesson, Pool
from sim.scenario.interpret import attributes_of, believing
from sim.scenario.numbers import Number, Whole
from sim.scenario.protocol import Protocol
from sim.scenario.section import walk
from sim.vocabulary.clock import MINUTES_PER_DAY, MINUTES_PER_HOUR
from sim.vocabulary.distributions import updated
from sim.vocabulary.eventlog import Milestone

_Floats = NDArray[np.float64]
_POOLED, _RATES = 512, 200
"""Draws of what bears on how many came, and values of the rate at which each is judged."""

_WAVING, _DRAWN = 64, 4096
"""Where the rate waves: of so many draws there is a filter each, of which rates are drawn."""

_TRIALS, _SEED = 10, 1
"""Replications that say how long candidates take until they are in the log."""

_MIDDLES = (np.arange(40) + 0.5) / 40
"""The quantiles that stand for how long they take."""

_LEAST = 1e-12
"""Candidates expected on a day on which none can come, but somebody did."""

_HOURS = {"came": 9, "consented": 10, "screened": 11, "ended": 12, "randomised": 13, "left": 14}
"""A log has days; what happens on one day happens at these hours, one after the other."""

_LEVELS = {
    "full": Milestone.CANDIDATE,
    "consent": Milestone.CONSENTED,
    "dates": Milestone.RANDOMISED,
}
_ENDINGS = {
    "consent": Milestone.NOT_CONSENTING,
    "withdrawal": Milestone.WITHDREW_IN_SCREENING,
    "turned_away": Milestone.TURNED_AWAY,
}


def informed(protocol: Protocol, log: EnrolmentLog, plan: Protocol | None = None) -> Protocol:
    """Return a protocol whose replications go on from what a log says, and draw what it teaches.

    Where a protocol changes the trial from then on the log is learnt from by the `plan` that held
    until then.
    """
    history = history_of(log, protocol)
    if plan is not None:
        return _changed_to(protocol, history, informed(plan, log))
    beliefs, lessons = list[Belief](), list[Lesson]()
    for prior in protocol.beliefs:
        evidence = seen(prior.path, protocol, history)
        if evidence is None or not evidence.of:
            beliefs.append(prior)
            lessons.append(Lesson(prior))
            continue
        beliefs.append(prior._replace(law=updated(prior.law, evidence.log_likelihood)))
        lessons.append(Lesson(prior, evidence.seen, evidence.of))
    taught = replace(protocol, beliefs=tuple(beliefs))
    delays = _delays(taught, history)
    pool = _pool(taught, history, delays)
    lessons = [
        Lesson(each.prior, pool.seen, pool.exposure) if each.prior.path in pool.paths else each
        for each in lessons
    ]
    if (rate := rate_belief(protocol.nature)) is not None:
        lessons.insert(0, Lesson(rate, pool.seen, pool.exposure))
    known = Informed(history, pool, tuple(lessons), protocol.beliefs, tuple(delays.tolist()))
    measures = {**protocol.measures, **{f"randomised_by_{day}": "people" for day in log.ahead}}
    return replace(taught, informed=known, measures=measures)


def _changed_to(protocol: Protocol, history: History, taught: Protocol) -> Protocol:
    """Return a protocol that has learnt what another one has, but for what it says otherwise."""
    before, now = _said(taught.nature), _said(protocol.nature)
    alike = {path for path, said in now.items() if before.get(path) == said}
    learnt = {each.path: each for each in taught.beliefs if each.path in alike}
    beliefs = tuple(learnt.get(each.path, each) for each in protocol.beliefs)
    if (told := taught.informed) is None:
        return protocol
    pool = told.pool
    kept = [place for place, path in enumerate(pool.paths) if path in alike]
    pool = pool._replace(
        paths=tuple(pool.paths[place] for place in kept),
        rows=tuple(tuple(row[place] for place in kept) for row in pool.rows),
    )
    lessons = {each.prior.path: each for each in told.lessons if each.prior.path in alike}
    priors = [*filter(None, [rate_belief(protocol.nature)]), *protocol.beliefs]
    known = tuple(lessons.get(each.path, Lesson(each)) for each in priors)
    ours = told._replace(history=history, pool=pool, lessons=known, plan=protocol.beliefs)
    return replace(protocol, beliefs=beliefs, informed=ours)


def _said(nature: Assumptions) -> dict[KeyPath, tuple[float, object]]:
    """Return each number with its range, by its path."""
    return {
        node.path: (float(node.value), node.value.range)
        for node in walk(nature)
        if isinstance(node.value, Number | Whole)
    }


def _pool(protocol: Protocol, history: History, delays: _Floats) -> Pool:
    """Return draws of what bears on how many came, weighted by how probable they make it."""
    if history.is_empty:
        return Pool((), ((),), (1.0,), (0.0,), 0)
    ours = [each for each in protocol.beliefs if _bears_on_number(each.path, history.since)]
    paths = tuple(each.path for each in ours)
    points = Sobol(len(ours), seed=1).random(_POOLED) if ours else np.empty((1, 0))
    rows = [
        tuple(each.law.quantile(float(u)) for each, u in zip(ours, point, strict=True))
        for point in points
    ]
    upto = _recruited_until(protocol, history)
    if protocol.waves is not None:
        return _waving(protocol, history, paths, rows[:_WAVING], Months.of(history, delays, upto))
    told = [
        _told(dict(zip(paths, row, strict=True)), protocol, history, delays, upto) for row in rows
    ]
    rates = np.array([protocol.candidates_per_month])
    if protocol.rate is not None:
        rates = np.array([protocol.rate.quantile((n + 0.5) / _RATES) for n in range(_RATES)])
    weights = np.array([_weight(rates, len(history.people), *each) for each in told])
    cumulated = np.cumsum(np.exp(weights - weights.max()))
    exposures = tuple(exposure for exposure, _ in told)
    return Pool(paths, tuple(rows), tuple(cumulated.tolist()), exposures, len(history.people))


def _waving(
    protocol: Protocol,
    history: History,
    paths: tuple[KeyPath, ...],
    rows: list[tuple[float, ...]],
    months: Months,
) -> Pool:
    """Return draws of what bears on how many came, of the rate and of its waves."""
    each = list[PathDraws]()
    for row in rows:
        drawn, share = dict(zip(paths, row, strict=True)), 1.0
        believed = believing(protocol, drawn)
        if history.since is not Milestone.CANDIDATE:
            share = _share_known(with_drawn(protocol.nature, drawn), protocol, history.since)
        each.append(path_draws(believed, months, share, _DRAWN // len(rows), len(each)))
    rates, weights, exposures = (
        np.concatenate([getattr(draws, name) for draws in each])
        for name in ("rates", "log_weights", "exposures")
    )
    waves = [path for draws in each for path in draws.paths]
    order = np.argsort(rates, kind="stable").tolist()
    likely = np.exp(weights - weights.max())
    # No draw may stand for too many (Ionides 2008, J Comput Graph Stat 17:295).
    cumulated = np.cumsum(np.minimum(likely, likely.mean() * math.sqrt(len(likely)))[order])
    return Pool(
        paths,
        tuple(rows[place // (_DRAWN // len(rows))] for place in order),
        tuple(cumulated.tolist()),
        tuple(exposures[order].tolist()),
        len(history.people),
        tuple(rates[order].tolist()),
        tuple(waves[place] for place in order),
    )


def _bears_on_number(path: KeyPath, since: Milestone) -> bool:
    """Say whether a number bears on how many are known, the rate of candidates apart."""
    match path:
        case ("recruitment", "disruptions" | "season" | "waves", *_):
            return True
        case ("recruitment", "consent") | ("patients", *_):
            return since is not Milestone.CANDIDATE
        case ("screening", "withdraws"):
            return since is Milestone.RANDOMISED
    return False


def _recruited_until(protocol: Protocol, history: History) -> float:
    """Return until when candidates were asked for: the day of the forecast, or until it is full."""
    full, target = history.until, protocol.target
    randomised = sorted(each.randomised for each in history.people)
    if target is not None and len(history.allotted) >= target > 0:
        full = randomised[target - 1]
    return min(full, protocol.recruits_until_minutes)


def _delays(protocol: Protocol, history: History) -> _Floats:
    """Return how long candidates take to what is known of everybody, queues counted in."""
    if history.since is Milestone.CANDIDATE:
        return np.zeros(1)
    delays = list[float]()
    for number in range(1, _TRIALS + 1):
        moments = run(replace(protocol, beliefs=()), _SEED, number).moments
        came = {each.person: each.time for each in moments if each.milestone is Milestone.CANDIDATE}
        met = (each for each in moments if each.milestone is history.since)
        delays += [each.time - came[each.person] for each in met]
    return np.quantile(delays or [0.0], _MIDDLES)


def _told(
    drawn: Mapping[KeyPath, float],
    protocol: Protocol,
    history: History,
    delays: _Floats,
    upto: float,
) -> tuple[float, float]:
    """Return the exposure under some numbers, and the log density of the days people came on.

    Of people who are not known from the first step on it is that of their number.
    """
    nature = with_drawn(protocol.nature, drawn)
    expected = np.array(
        [*nature.recruitment.expected(protocol.clock.opens, len(protocol.expected_candidates) - 1)]
    )
    days = np.maximum(upto - delays, 0.0) / MINUTES_PER_DAY
    exposure = float(np.interp(days, np.arange(len(expected)), expected).mean())
    if history.since is not Milestone.CANDIDATE:
        exposure *= _share_known(nature, protocol, history.since)
        return exposure, len(history.people) * math.log(max(exposure, _LEAST))
    came = np.array([each.came for each in history.people]) // MINUTES_PER_DAY
    daily = np.diff(expected)[np.minimum(came, len(expected) - 2).astype(np.intp)]
    return exposure, float(np.log(np.maximum(daily, _LEAST)).sum())


def _share_known(nature: Assumptions, protocol: Protocol, since: Milestone) -> float:
    """Return the share of candidates who come so far, criteria taken as independent."""
    share = float(nature.recruitment.consent)
    if since is Milestone.RANDOMISED:
        share *= 1 - float(nature.screening.withdraws)
    attributes = {each.name: each for each in attributes_of(nature)}
    for criterion in protocol.criteria:
        if since is Milestone.RANDOMISED or criterion.at not in protocol.screening.from_consent:
            share *= 1 - failing(criterion, attributes, nature)
    return share


def _weight(rates: _Floats, seen: int, exposure: float, density: float) -> float:
    """Return the log probability of what was seen, the rate of candidates integrated out."""
    return density + float(logsumexp(xlogy(seen, rates) - rates * exposure))


def history_of(log: EnrolmentLog, protocol: Protocol) -> History:
    """Return what a log says, for the model; nobody logged by the opening day says nothing."""
    clock = protocol.clock
    days = max((log.as_of - clock.opens).days + bool(log.people or log.as_of > clock.opens), 0)
    until = min(float(days * MINUTES_PER_DAY), clock.end_minutes)
    people = sorted((_known(each, protocol) for each in log.people), key=attrgetter("came"))
    ahead = tuple((day - clock.opens).days for day in log.ahead)
    return History(tuple(people), until, _LEVELS[log.level], ahead)


def _known(person: LoggedPerson, protocol: Protocol) -> KnownPerson:
    """Return what is known of one person: whoever is first heard of later came then."""

    def at(day: date | None, what: str) -> float:
        if day is None:
            return math.inf
        return float((day - protocol.clock.opens).days * MINUTES_PER_DAY) + (
            _HOURS[what] * MINUTES_PER_HOUR
        )

    seen = (person.referred, person.approached, person.consented, person.ended_screening)
    first = min(filter(None, (*seen, person.screened, person.randomised)))
    randomised, consented = person.randomised, person.consented or person.randomised
    ended = None
    if person.ended_screening is not None and randomised is None:
        ended = (at(person.ended_screening, "ended"), *_ending(person, protocol))
    arms = [arm.name for arm in protocol.arms]
    since_randomised = math.inf
    if randomised is not None and person.first_dose is not None:
        since_randomised = float((person.first_dose - randomised).days * MINUTES_PER_DAY)
    return KnownPerson(
        at(first, "came"),
        at(consented, "consented"),
        at(person.screened or consented, "screened"),
        ended,
        at(randomised, "randomised"),
        arms.index(person.arm) if person.arm else -1,
        since_randomised,
        at(person.left, "left"),
        person.left_reason,
        at(person.completed, "left"),
        _stratum(person, protocol),
        person.id,
    )


def _stratum(person: LoggedPerson, protocol: Protocol) -> tuple[int, ...] | None:
    """Return the stratum of somebody whose log has a column for each factor."""
    scheme = protocol.randomisation
    if not scheme.cuts or not person.strata:
        return None
    levels = zip(scheme.cuts, scheme.levels(), strict=True)
    return tuple([*named].index(person.strata[name]) for (name, _), named in levels)


def _ending(person: LoggedPerson, protocol: Protocol) -> tuple[Milestone, int | None]:
    if person.reason in _ENDINGS:
        return _ENDINGS[person.reason], None
    index = [each.name for each in protocol.criteria].index(person.reason)
    if person.consented is None:
        return Milestone.NOT_ELIGIBLE_ON_CHART, index
    return Milestone.SCREEN_FAILED, index
