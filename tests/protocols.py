"""Whole scenarios drawn at random: a strategy for Hypothesis.

Names come from a cast that is drawn first, so that the parts of a scenario can be drawn without
each other and still name each other. A new key is a line in `PARTS`: its path, and what may stand
there (None: nothing does).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple

from hypothesis import strategies as st

from sim.scenario.schedule import Anchor

Drawn = st.SearchStrategy[Any]

OPENS = date(2024, 1, 29)
"""A Monday; the first of the 29 days of February is the Thursday after."""

SCREENING_VISITS = ("chart_review", "screening_visit", "eligibility_call")
SCREENING_TASKS = ("discuss_consent", "draw_blood", "randomise")
PERISHABLE, KEPT, SAMPLE = ("cells", "drug", "sample")


class Cast(NamedTuple):
    """The names of one scenario; `lasts_days` is from its opening to its closing."""

    lasts_days: int
    arms: tuple[str, ...]
    places: tuple[str, ...]
    roles: tuple[str, ...]
    rooms: tuple[str, ...]
    visits: tuple[str, ...]
    rows: tuple[str, ...]
    events: tuple[str, ...]

    @property
    def tasks(self) -> tuple[str, ...]:
        """Two tasks for each visit, those with a meaning, and two for desks."""
        return (*SCREENING_TASKS, *(f"{visit}_{n}" for visit in self.visits for n in "ab"), *DESKS)


DESKS = ("enter", "call")
CHINESE = {
    "arm": "组",
    "place": "地点",
    "role": "岗位",
    "room": "诊室",
    "visit": "访视",
    "row": "计划",
    "event": "事件",
}
"""What names may begin with instead."""


def _names(what: str, least: int, most: int) -> Drawn:
    called = st.sampled_from([what, CHINESE[what]])
    return st.builds(
        lambda stem, n: tuple(f"{stem}_{i}" for i in range(n)), called, st.integers(least, most)
    )


CASTS = st.builds(
    Cast,
    lasts_days=st.integers(25, 120),
    arms=_names("arm", 1, 4),
    places=_names("place", 1, 3),
    roles=_names("role", 1, 3),
    rooms=_names("room", 0, 2),
    visits=_names("visit", 1, 4),
    rows=_names("row", 1, 8),
    events=_names("event", 0, 2),
)


def seldom(strategy: Drawn) -> Drawn:
    """Return what is drawn in one case of four, else nothing."""
    return st.integers(0, 3).flatmap(lambda n: strategy if n == 3 else st.none())


def often(strategy: Drawn) -> Drawn:
    """Return what is drawn in three cases of four, else nothing."""
    return st.integers(0, 3).flatmap(lambda n: strategy if n else st.none())


def section(needed: Mapping[str, Drawn], **optional: Drawn) -> Drawn:
    """Return a mapping with what is needed, and some of what is optional."""
    drawn = {key.rstrip("_"): seldom(each) for key, each in optional.items()}
    return st.fixed_dictionaries({**needed, **drawn}).map(_given)


TITLES = st.sampled_from(["One", "Other", {"en": "one", "zh": "甲"}, {"zh": "乙"}])


def titled(key: str, listed: Drawn) -> Drawn:
    """Return a list with a title, as the section that holds it under a key."""
    return st.fixed_dictionaries({"title": TITLES, key: listed})


def each_of(names: tuple[str, ...], strategy: Drawn) -> Drawn:
    """Return a mapping in which each name has something drawn for it, unless that is nothing."""
    return st.fixed_dictionaries(dict.fromkeys(names, strategy)).map(_given)


def _given(entries: Mapping[str, Any]) -> dict[str, Any]:
    return {key: entry for key, entry in entries.items() if entry is not None}


def some(names: tuple[str, ...], least: int = 0, most: int | None = None) -> Drawn:
    """Return a list of some of the names, each once."""
    if not names:
        return st.just([])
    return st.lists(st.sampled_from(names), unique=True, min_size=least, max_size=most)


# Time

SHARES = st.sampled_from([0, 0.05, 0.3, 0.7])
WAITS = st.sampled_from(
    [
        0,
        1,
        2.5,
        7,
        {"family": "uniform", "low": 0, "high": {"value": 6, "range": [3, 9]}},
    ]
)
MINUTES = st.sampled_from(
    [0, 1, 5, 20, 45, [10, 20, 45], 90, 239.5, {"family": "exponential", "mean": 20}, 1440]
)
HOURS = st.sampled_from(
    [
        "always",
        {"mon-fri": "08:00-12:00, 14:00-17:30"},
        {"mon-fri": "08:00-16:00"},
        {"mon-sun": "07:00-19:00"},
        {"mon": "14:00-17:30", "thu": "08:00-12:00"},
        {"tue": "09:00-12:00"},
        {"mon-thu": "22:00-06:00"},
        {"sat": "08:00-12:00", "sun": "08:00-12:00"},
        20,
        0,
        {},
    ]
)
PEOPLE = st.sampled_from([1, 1, 1, 2, 3, "unlimited", 0])


def days(cast: Cast) -> Drawn:
    """Return a day of the trial, or one a little outside of it."""
    return st.integers(-5, cast.lasts_days + 5).map(lambda n: OPENS + timedelta(days=n))


def spells(cast: Cast, **more: Drawn) -> Drawn:
    """Return a few times from a day to another one, some of them for hours."""
    hours = st.sampled_from(["08:00-12:00", "13:00-24:00", "00:00-09:30"])
    spell = st.builds(
        lambda begins, length, rest: {
            "from": begins,
            "to": begins + timedelta(days=length),
            **rest,
        },
        days(cast),
        st.sampled_from([0, 1, 6, 20]),
        section({}, hours=hours, **more),
    )
    return st.lists(days(cast) | spell, min_size=1, max_size=2)


def changes(cast: Cast, many: str) -> Drawn:
    """Return a later roster."""
    number = st.sampled_from([0, 1, 2])
    change = section({"from": days(cast), many: number}, hours=HOURS)
    return st.lists(change, min_size=1, max_size=1)


def trial(cast: Cast) -> Drawn:
    """Return the dates and the size of a trial."""
    closes = OPENS + timedelta(days=cast.lasts_days)
    until = st.integers(0, cast.lasts_days).map(lambda n: OPENS + timedelta(days=n))
    return section(
        {"opens": st.just(OPENS), "closes": st.just(closes)},
        recruits_until=until,
        target=st.integers(1, 8),
        when_full=st.just("turn_away"),
        milestones=st.just([1, 3]),
    )


# Who and where


def capacity(cast: Cast, many: str, away: str) -> Drawn:
    """Return a role or a room; a number that changes must be one."""
    fixed = section({many: PEOPLE}, hours=HOURS, title=TITLES, **{away: spells(cast)})
    more = {"changes": changes(cast, many), away: spells(cast, **{many: st.just(1)})}
    changing = section({many: st.sampled_from([1, 2, 3])}, hours=HOURS, **more)
    return fixed | changing


def place(cast: Cast) -> Drawn:
    """Return a place."""
    return section(
        {},
        title=TITLES,
        country=st.sampled_from(["CN", "GB-ENG"]),
        days=st.sampled_from(
            [["mon", "tue", "wed", "thu", "fri"], ["tue", "thu"], ["sat"], [], ["mon", "sun"]]
        ),
        closures=spells(cast),
        openings=spells(cast),
    )


# What is done


def steps(cast: Cast, visit: str) -> Drawn:
    """Return the tasks of a visit: those named for it, one with a meaning, some for desks."""
    own: tuple[str, ...] = (f"{visit}_a", f"{visit}_b", "draw_blood")
    if visit not in cast.visits:
        own = SCREENING_TASKS[1:] if visit == "eligibility_call" else SCREENING_TASKS[:2]
    now = st.lists(st.sampled_from(own), max_size=3)
    later = st.lists(st.sampled_from(DESKS).map(lambda task: {"later": task}), max_size=1)
    listed = st.builds(lambda first, then: [*first, *then], now, later)
    return listed | titled("tasks", listed)


def visits(cast: Cast) -> Drawn:
    """Return what each visit asks for."""
    named = {name: steps(cast, name) for name in cast.visits}
    screened = {name: steps(cast, name) for name in SCREENING_VISITS}
    return st.fixed_dictionaries({**named, **screened})


def screening(cast: Cast) -> Drawn:
    """Return steps of screening, among them those that criteria name."""

    def work(kinds: list[str], names: list[str]) -> Drawn:
        return st.builds(
            lambda kind, name, more: {kind: name, **(more if kind == "visit" else {})},
            st.sampled_from(kinds),
            st.sampled_from([*cast.visits, *names]),
            section(
                {},
                at=st.sampled_from(cast.places),
                after_days=WAITS,
                gives=st.just(SAMPLE),
                title=TITLES,
            ),
        )

    either = ["visit", "paperwork"]
    parts = [work(either[1:], []), work(either[:1], ["screening_visit"]), st.just({})]
    parts += [work(either, []) | st.just({"after_days": 2}), work(either, ["eligibility_call"])]
    names = ("chart", "visit", "labs", "more", "call")
    return st.tuples(*parts).map(
        lambda each: [{"name": name, **step} for name, step in zip(names, each, strict=True)]
    )


def tasks(cast: Cast) -> Drawn:
    """Return the team of each task; of those for desks, one role."""
    members = (*cast.roles, *cast.rooms)
    either = some(members, least=2, most=2).map(lambda two: [{"any_of": two}])
    team = some(members, most=2)
    if len(members) > 1:
        team |= either
    one = st.sampled_from(cast.roles).map(lambda role: [role])
    one |= titled("team", one)
    return st.fixed_dictionaries({name: one if name in DESKS else team for name in cast.tasks})


def at(cast: Cast) -> Drawn:
    """Return places with a visit each."""
    return st.dictionaries(
        st.sampled_from(cast.places), st.sampled_from(cast.visits), min_size=1, max_size=2
    )


def row(cast: Cast, before: tuple[str, ...]) -> Drawn:
    """Return a row of the schedule: one dose or several for some arms, or visits for all.

    It may be counted from the rows before it.
    """
    window = st.tuples(st.integers(-3, 0), st.integers(0, 3)).map(list)
    after = st.sampled_from(["miss", "attend"])
    repeats = st.sampled_from(
        [
            {},
            {},
            {"every_days": 7, "times": 3},
            {"every_days": 7, "times": 2, "cycle_days": 28, "cycles": 2},
            {"every_days": 8, "times": 2, "min_days_between": 5},
            {"cycle_days": 14, "cycles": 2},
            {"days": [1, 8, 22]},
            {"days": [1, 9, 16], "cycle_days": 28, "cycles": 2},
        ]
    )

    def a_row(first: Mapping[str, Any]) -> Drawn:
        return st.builds(
            lambda rest, more: _one_way_to_say_the_days({**first, **more, **rest}),
            section({"at": at(cast)}, window_days=window, after_window=after, title=TITLES),
            st.just({}) if "from" in first else repeats,
        )

    dosed = st.builds(
        lambda arms, day, gifts: {"arms": arms, "day": day, **gifts},
        some(cast.arms, least=1),
        st.sampled_from([1] * 15 + [8]),
        seldom(GIFTS).map(lambda gifts: gifts or {}),
    )
    by_arm = st.builds(
        lambda gifts, day: {"gives": gifts, "day": day},
        st.fixed_dictionaries(dict.fromkeys(cast.arms, st.sampled_from([KEPT, [KEPT], []]))),
        st.just(1),
    )
    for_all = st.sampled_from([1, 1, 2, 8, 15, 29, 57]).map(lambda day: {"day": day})
    anchors = st.sampled_from([each.value for each in Anchor])
    other = st.fixed_dictionaries(
        {"row": st.sampled_from(before or ("",)), "visit": st.sampled_from(["each", "last"])}
    )
    after_all = st.builds(
        lambda anchor, days: {"from": anchor, **days},
        anchors | other if before else anchors,
        st.sampled_from([{"day": 0}, {"day": 1}, {"day": 2}, {"days": [1, 7]}]),
    )
    next_period = st.builds(
        lambda arms, other, gifts: {"arms": arms, "from": other, "day": 3, **gifts},
        some(cast.arms, least=1),
        other,
        st.sampled_from([{}, {"gives": []}, {"gives": []}]),
    )
    trained = st.builds(
        lambda arms, day: {"arms": arms, "day": day, "gives": []},
        some(cast.arms, least=1),
        st.sampled_from([1, 3, 15]),
    )
    kinds = [dosed, dosed, by_arm, for_all, for_all, for_all, trained, after_all]
    return st.one_of(*kinds, *[next_period] * bool(before)).flatmap(a_row)


def _one_way_to_say_the_days(drawn: dict[str, Any]) -> dict[str, Any]:
    return {key: entry for key, entry in drawn.items() if key != "day" or "days" not in drawn}


GIFTS = st.sampled_from(
    [
        {"gives": [PERISHABLE, KEPT]},
        {"gives": PERISHABLE, "dose": 5},
        {"gives": [KEPT, PERISHABLE], "dose": {KEPT: 2}},
    ]
)
"""What a row gives in place of the product of its arms."""


def products(cast: Cast) -> Drawn:  # noqa: ARG001  as every part
    """Return products, one of which has to be ordered and used in time."""
    stock = st.fixed_dictionaries(
        {
            "starts_with": st.sampled_from([0, 5, 50]),
            "reorder_at": st.sampled_from([0, 4]),
            "reorder_quantity": st.sampled_from([3, 20]),
            "lead_days": st.sampled_from([0, 5, 30]),
        }
    )
    in_vials = section({"dose": st.just(3), "units_per_vial": st.sampled_from([1, 2])}, stock=stock)
    handed = st.builds(
        lambda drug, per: {**drug, "dispensed_per": per},
        in_vials,
        st.sampled_from(["dose", "cycle"]),
    )
    ordered = section(
        {"dose": st.just(2), "order_ahead_days": st.sampled_from([1, 7])},
        per=st.just("kg"),
        doses_per_week=st.sampled_from([0, 1, 2]),
        use_within_minutes=st.sampled_from([10, 60]),
    )
    sample = st.just({"dose": 1, "units_per_vial": 1})
    return st.fixed_dictionaries(
        {PERISHABLE: ordered, KEPT: handed | st.just({"dose": 1}), SAMPLE: sample}
    )


def randomisation(cast: Cast) -> Drawn:
    """Return how arms are assigned."""
    blocks = st.just(
        {"method": "permuted_blocks", "block_sizes": [len(cast.arms), 2 * len(cast.arms)]}
    )
    ratio = each_of(cast.arms, st.integers(0, 3)).map(lambda each: {"ratio": each})
    minimised = section(
        {"method": st.just("minimisation")},
        ratio=each_of(cast.arms, st.integers(1, 3)),
        minimisation=section(
            {},
            probability=st.sampled_from([0.8, 1]),
            imbalance=st.sampled_from(["range", "variance"]),
            weights=st.just({"sick": 2}),
        ),
    )
    strata = st.just({"strata": ["sick", {"age": [40]}]})
    caps: dict[str, Any] = {"ill": {"at_most": 1, "sick": True}}
    caps["old"] = {"at_most": 2, "sick": False, "age": {"at_least": 50}}
    capped = st.sampled_from([{}, {"caps": caps}])
    return st.builds(
        lambda one, other, cap: {**one, **other, **cap},
        blocks | ratio | minimised,
        strata | st.just({}),
        capped,
    )


CRITERIA = {
    "adult": {"at": "chart", "age": {"at_least": 18}},
    "well": {"at": "visit", "without": "sick"},
    "light": {"at": "labs", "weight_kg": {"at_most": 70}},
}
PATIENTS = {
    "age": {"family": "normal", "mean": 40, "sd": 15},
    "sick": {"probability": 0.2},
    "weight_kg": {"family": "normal", "mean": 60, "sd": 9, "low": 40, "high": 90},
}
LEAVING = st.sampled_from(
    [{"by_week": 4, "share": 0.3}, {"share": {1: 0.2, 4: 0.3}}, {"by_week": 2, "share": 0.9}]
)

PARTS: dict[str, Callable[[Cast], Drawn]] = {
    "design.trial": trial,
    "design.places": lambda cast: each_of(cast.places, place(cast)),
    "design.staff": lambda cast: each_of(cast.roles, capacity(cast, "people", "away")),
    "design.rooms": lambda cast: each_of(cast.rooms, capacity(cast, "spaces", "closures")),
    "design.screening": lambda cast: seldom(screening(cast)),
    "design.eligibility": lambda _: section(
        {"well": st.just(CRITERIA["well"])},
        **{name: st.just(CRITERIA[name]) for name in ("adult", "light")},
    ),
    "design.randomisation": lambda cast: seldom(randomisation(cast)),
    "design.arms": lambda cast: each_of(
        cast.arms,
        st.sampled_from(
            [{}, {"title": "One"}, *({"product": name} for name in (PERISHABLE, KEPT, KEPT))]
        ),
    ),
    "design.products": products,
    "design.schedule": lambda cast: st.fixed_dictionaries(
        {name: row(cast, cast.rows[:place]) for place, name in enumerate(cast.rows)}
    ),
    "design.unscheduled": lambda cast: each_of(
        cast.events, section({"at": at(cast)}, title=TITLES)
    ),
    "design.monitoring": lambda cast: seldom(
        st.fixed_dictionaries({"visit": st.sampled_from(cast.visits), "every_days": st.just(14)})
    ),
    "design.booking": lambda _: seldom(
        section(
            {"by": st.just("appointment")},
            ahead_days=st.sampled_from([1, 7, 60]),
            length=st.sampled_from([0.5, 1.5]),
        )
    ),
    "design.visits": visits,
    "design.tasks": tasks,
    "assumptions.uncertain": lambda _: seldom(st.sampled_from(["all", "none"])),
    "assumptions.recruitment": lambda _: section(
        {"candidates_per_month": st.sampled_from([3, 12, 50, {"value": 12, "range": [6, 20]}])},
        rate_shape=st.just(2),
        waves=st.sampled_from([0, {"value": 0.5, "range": [0.2, 0.9]}]).map(
            lambda calm: {"sd": 0.5, "calm": calm}
        ),
        consent=st.sampled_from([0.6, {"value": 0.6, "range": [0.4, 0.9]}]),
    ),
    "assumptions.patients": lambda _: st.just(PATIENTS),
    "assumptions.screening": lambda _: section(
        {},
        contact_days=WAITS,
        lab_days=WAITS,
        work_up_days=WAITS,
        valid_for_days=st.sampled_from([0, 3, 10]),
        withdraws=SHARES,
        rescreens=section(
            {"of": st.just(["well"]), "share": SHARES},
            after_days=WAITS,
            times=st.sampled_from([1, 3]),
        ),
    ),
    "assumptions.to_first_dose_days": lambda cast: each_of(cast.arms, often(WAITS)),
    "assumptions.products": lambda _: section(
        {}, **{PERISHABLE: st.sampled_from([{"fails_release": 0.3}])}
    ),
    "assumptions.attendance": lambda cast: each_of(
        cast.visits,
        seldom(
            st.fixed_dictionaries(
                {"missed": SHARES, "early_or_late_days": st.sampled_from([0, -2, [-3, 0, 5]])}
            )
        ),
    ),
    "assumptions.leaving": lambda _: section({}, moves=LEAVING, tires=LEAVING),
    "assumptions.stops_treatment": lambda _: seldom(LEAVING),
    "assumptions.unscheduled": lambda cast: each_of(
        cast.events,
        often(st.sampled_from([{"by_week": 4, "per_participant": n} for n in (0.5, 5)])),
    ),
    "assumptions.overhead": lambda cast: each_of(cast.roles, seldom(st.sampled_from([0.2, 0.9]))),
    "assumptions.durations_minutes": lambda cast: each_of(cast.tasks, MINUTES),
    "targets": lambda _: st.just(
        {"some": {"measure": "completed", "at_least": 1, "with_probability": 0.5}}
    ),
    "go_no_go": lambda _: seldom(
        st.fixed_dictionaries(
            {
                "target": st.just("some"),
                "at_months": st.sampled_from([[1], [1, 2]]),
                "below": st.sampled_from([0, 0.2, 1]),
            }
        )
    ),
    "observed": lambda _: seldom(st.just({"reasons": {"尿蛋白不足": "well", "no": "consent"}})),
}
"""What stands at each path, given the names."""


@st.composite
def protocols(draw: st.DrawFn) -> dict[str, Any]:
    """Return a scenario as plain data; it may contradict itself."""
    cast = draw(CASTS)
    scenario: dict[str, Any] = {"scenario": "drawn", "design": {}, "assumptions": {}}
    for path, part in PARTS.items():
        above, _, key = path.rpartition(".")
        if (entry := draw(part(cast))) is not None:
            (scenario[above] if above else scenario)[key] = entry
    return scenario
