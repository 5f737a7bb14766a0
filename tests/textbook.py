"""The same trial as a SimPy textbook would write it, to compare with: no part of the product.

A process a person and a process a visit; a `PriorityResource` for each role and room, requested in
context managers; a `Store` as the desk; random numbers drawn inside the processes, one after the
other. It reads the protocol for its inputs (distributions, plan, who is asked), works out days and
hours by itself, and shares no process with the model that it is compared with.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from operator import itemgetter

from sim.scenario.capacity import Product
from sim.scenario.criteria import Attributes
from sim.scenario.protocol import Arm, Event, PlannedVisit
from sim.vocabulary.clock import DAYS_PER_WEEK, MINUTES_PER_DAY
from sim.vocabulary.distributions import Hazard
from tests.textbook_clinic import Clinic, Process
from tests.textbook_days import NEVER, NEVER_DAY, Agenda, Choice, Times


@dataclass
class Booking:
    """A visit of the schedule on a day."""

    planned: PlannedVisit
    choice: Choice
    planned_day: int
    day: int
    is_missed: bool = False
    came_in_vain: bool = False

    @property
    def times(self) -> Times:
        """Where and when the visit can be held on its day."""
        return self.choice.on(self.day)

    @property
    def outcome(self) -> str:
        """Held in its window or outside, or missed."""
        if self.is_missed:
            return "missed"
        first, last = self.planned.window_days
        return "in window" if first <= self.day - self.planned_day <= last else "out of window"

    @property
    def turn(self) -> tuple[int, int]:
        """Visits are attended by day, on one day in the order of the schedule's rows."""
        return self.day, self.planned.row_order

    def move(self, first_day: int, *, is_kept: bool = False) -> None:
        """Take the first possible day from then on; too late is missed, unless `is_kept`."""
        last = self.planned_day + self.planned.window_days[1]
        day = self.choice.next_on_or_after(first_day)
        self.is_missed = day > last and self.planned.late_is_missed and not is_kept
        self.day = last if self.is_missed else day


@dataclass
class Participant:
    """What the process of somebody randomised remembers.

    `booked` holds a visit a row, `called` a visit for each event that has happened, `expected` of
    each kind of event the next.
    """

    number: int
    arm: Arm
    day_1: int
    product_day: int
    is_dosed: bool = False
    leaves: float = math.inf
    stops: float = math.inf
    here: tuple[int, str] = (-1, "")
    booked: dict[int, Booking] = field(default_factory=dict)
    called: list[Booking] = field(default_factory=list)
    expected: list[tuple[float, Event]] = field(default_factory=list)

    @property
    def doses(self) -> list[Booking]:
        """The doses booked."""
        return [each for each in self.booked.values() if each.planned.is_dose]

    def next_booking(self) -> Booking:
        """Return the earliest visit; before the first dose only doses and events are attended."""
        awaited = [] if self.is_dosed else self.doses
        bookings = awaited or list(self.booked.values())
        return min(bookings + self.called, key=lambda each: each.turn)


class Textbook(Clinic):
    """One replication: its milestones, visits and work, noted as they happen."""

    def __init__(self, agenda: Agenda, seed: int, replication: int) -> None:
        super().__init__(agenda, seed, replication)
        self.visits: list[tuple[float, int, str, int, str]] = []
        self.randomised = 0
        self.full_since = math.inf
        self.prepared: Counter[tuple[str, int]] = Counter()
        self.blocks: dict[tuple[int, ...], list[int]] = {}
        self.env.process(self.recruitment())
        self.env.process(self.overhead())
        self.env.process(self.monitoring())
        self.env.run(until=self.end)

    # From the chart to randomisation.

    def recruitment(self) -> Process:
        plan = self.protocol
        rate = plan.candidates_per_month
        shape = plan.nature.recruitment.rate_shape
        if shape is not None:
            rate = self.rng.gamma(shape, rate / shape)
        expected = 0.0
        for person in count():
            expected += self.rng.exponential(1 / rate)
            day = bisect_left(plan.expected_candidates, expected)
            if day == len(plan.expected_candidates):
                return
            before, after = plan.expected_candidates[day - 1 : day + 1]
            within = (expected - before) / (after - before)
            yield self.until((day - 1 + within) * MINUTES_PER_DAY)
            if self.full_since < math.inf:
                return
            self.env.process(self.candidate(person))

    def candidate(self, person: int) -> Process:
        plan, attributes = self.protocol.screening, self.attributes()
        chart, visit, labs, call = plan.steps
        assert chart.slots is not None
        assert visit.slots is not None
        self.note(person, "candidate")
        is_read = yield self.env.process(self.paperwork(person, self.agenda.times(chart.slots)))
        if not is_read or self.fails("chart", attributes):
            return self.note(person, "not eligible on chart")
        yield self.env.timeout(self.days(plan.wait_days(visit)))
        consents = self.rng.random() < plan.consents
        talk = partial(self.screening_visit, consents=consents)
        held = yield from self.on_a_possible_day(person, self.agenda.times(visit.slots), talk)
        if not held or not consents:
            return self.note(person, "not consenting")
        self.note(person, "screened")
        consented, drawn = held
        known = drawn + self.days(plan.wait_days(labs))
        called = known + self.days(plan.wait_days(call))
        withdraws = math.inf
        if self.rng.random() < plan.withdraws:
            withdraws = self.rng.uniform(consented, called)
        for step, moment in (("visit", drawn), ("labs", known), ("call", called)):
            if withdraws < moment:
                return self.note(person, "withdrew in screening")
            yield self.until(moment)
            if consented > self.full_since or self.fails(step, attributes):
                return self.note(person, "screen failed")
        yield from self.eligibility_call(person, drawn, consented, attributes)

    def eligibility_call(
        self, person: int, drawn: float, consented: float, attributes: Attributes
    ) -> Process:
        """Randomise, after another draw of blood if the first would be too old by then."""
        plan = self.protocol.screening
        assert plan.steps[-1].slots is not None
        call = self.agenda.times(plan.steps[-1].slots)
        expected = call.start_after(self.env.now) + call.visit.typical_minutes
        if expected > drawn + plan.valid_for_minutes:
            repeated = self.agenda.times(plan.repeat_blood)
            yield from self.on_a_possible_day(person, repeated, self.repeat_blood)
            yield self.env.timeout(self.days(plan.wait_days(plan.results)))
        is_done = yield self.env.process(self.paperwork(person, call))
        is_late = self.env.now > self.protocol.recruits_until_minutes
        if is_done and not is_late and consented <= self.full_since:
            self.randomised += 1
            if self.randomised == self.protocol.target:
                self.full_since = self.env.now
            self.note(person, "randomised")
            yield from self.participation(person, self.next_arm(attributes))

    def attributes(self) -> Attributes:
        drawn: dict[str, float] = {}
        for each in self.protocol.attributes:
            applies = each.among is None or drawn[each.among]
            drawn[each.name] = self.draw(each.distribution) if applies else 0.0
        return drawn

    def fails(self, step: str, attributes: Attributes) -> bool:
        return any(each.at == step and each.fails(attributes) for each in self.protocol.criteria)

    def next_arm(self, attributes: Attributes) -> Arm:
        scheme = self.protocol.randomisation
        block = self.blocks.setdefault(scheme.stratum(attributes), [])
        if not block:
            cycle = [arm.index for arm in self.protocol.arms for _ in range(scheme.ratio[arm.name])]
            size = self.rng.choice(scheme.block_sizes)
            block.extend(self.rng.permutation(cycle * (size // len(cycle))).tolist())
        return self.protocol.arms[block.pop()]

    # Visits, each a process.

    def screening_visit(self, person: int, times: Times, day: int, *, consents: bool) -> Process:
        """Return when consent was given and blood drawn, or nothing if the trial is full.

        None if the team was taken all day.
        """
        if self.full_since < math.inf:
            return ()
        if not (yield from self.first_task(person, times.visit, partial(times.start_on, day))):
            return None
        consented = self.env.now
        if consents:
            yield from self.other_tasks(person, times.visit)
        return consented, self.env.now

    def planned_visit(self, person: int, booking: Booking, keeps: float | None) -> Process:
        """Return "held", "taken" (try another day), or "wasted" if a prepared dose was too old."""
        times = booking.times
        visit, next_start = times.visit, partial(times.start_on, booking.day)
        if keeps is None:
            if not (yield from self.first_task(person, visit, next_start)):
                return "taken"
            yield from self.other_tasks(person, visit)
            return "held"
        infuse = visit.tasks[1]
        if not (yield from self.first_task(person, visit, next_start, ahead=infuse.team)):
            return "taken"
        latest = self.env.now + keeps
        if not (yield from self.task(person, infuse, lambda now: now if now <= latest else NEVER)):
            return "wasted"
        yield from self.other_tasks(person, visit, first=2)
        return "held"

    # From randomisation to the end.

    def participation(self, number: int, arm: Arm) -> Process:
        """Attend the arm's visits until the last one or until the participant leaves."""
        product = self.protocol.products[arm.given_first[0]]
        day_1 = int((self.env.now + self.days(arm.to_first_dose_days)) // MINUTES_PER_DAY)
        person = Participant(number, arm, day_1, self.ready(product, self.today()))
        for row in arm.rows:
            self.book(person, row[0], self.today())
        leaving = [self.drawn(reason.hazards[arm.index]) for reason in self.protocol.reasons]
        person.leaves = self.env.now + min(leaving, default=math.inf)
        person.stops = self.env.now + self.drawn(self.protocol.stopping[arm.index])
        for event in self.protocol.events:
            happens = self.env.now + self.drawn(event.hazards[arm.index])
            person.expected.append((happens, event))
        while person.booked:
            booking = person.next_booking()
            coming = self.coming(person, booking)
            if self.happens(person, min(person.leaves, coming)):
                continue
            if coming == NEVER and booking.day != NEVER_DAY:
                booking.came_in_vain = True
                booking.move(booking.day + 1)
            elif person.stops < min(person.leaves, coming) and person.doses:
                for dose in person.doses:
                    del person.booked[dose.planned.row_order]
            elif person.leaves < coming:
                return self.note(number, "left")
            else:
                yield self.until(coming)
                yield from self.attend(person, booking, product)
        self.note(number, "completed")
        yield from self.last_visits(person, product)
        return None

    def last_visits(self, person: Participant, product: Product) -> Process:
        """Come to the visits for what happened before the last visit of the schedule was over."""
        while self.happens(person, self.env.now):
            pass
        while person.called:
            booking = person.next_booking()
            yield self.until(self.coming(person, booking))
            yield from self.attend(person, booking, product)

    def ready(self, product: Product, day: int) -> int:
        """Return the day on which a product ordered on a day is there, its release passed."""
        day += product.order_ahead_days
        release = self.protocol.releases.get(product.name)
        while release is not None and self.rng.random() < release.fails_release:
            day += product.order_ahead_days
        return day

    def attend(self, person: Participant, booking: Booking, product: Product) -> Process:
        """Hold or miss a visit, or put it off if there is no product or no team that day."""
        if booking.is_missed:
            self.keep(person, booking)
            return
        is_dose, keeps = booking.planned.is_dose, None
        monday = booking.day - (booking.day + self.protocol.clock.opens.weekday()) % DAYS_PER_WEEK
        if is_dose:
            limit, keeps = product.doses_per_week, product.use_within_minutes
            if limit is not None and self.prepared[product.name, monday] >= limit:
                booking.move(monday + DAYS_PER_WEEK)
                return
        self.prepared[product.name, monday] += is_dose
        outcome = yield self.env.process(self.planned_visit(person.number, booking, keeps))
        if outcome == "held":
            self.keep(person, booking)
        elif outcome == "wasted":
            person.product_day = self.ready(product, booking.day)
            booking.move(person.product_day)
        else:
            self.prepared[product.name, monday] -= is_dose
            booking.came_in_vain = True
            booking.move(booking.day + 1)

    def coming(self, person: Participant, booking: Booking) -> float:
        """Return when the participant comes; two visits on one day at one place are one trip."""
        day, now = booking.day, self.env.now
        if day == NEVER_DAY:
            return NEVER
        if booking.is_missed:
            return max(float(day * MINUTES_PER_DAY), now)
        times = booking.times
        if person.here == (day, times.place):
            return times.start_on(day, now)
        for other in (*person.booked.values(), *person.called):
            if other is booking or other.day != day or other.is_missed:
                continue
            both = self.agenda.both(times, other.times)
            if other.times.place == times.place and both.next_on_or_after(day) == day:
                times = both
                break
        return times.coming(day, 0.0 if booking.came_in_vain else self.rng.random(), now)

    def book(self, person: Participant, planned: PlannedVisit, earliest: int) -> None:
        """Book the possible day nearest to the planned one, then let the participant move it."""
        day = person.day_1 + planned.days_after
        first, last = (day + limit for limit in planned.window_days)
        if planned.is_dose:
            earliest = max(earliest, person.product_day)
        choice = self.agenda.choice(planned)
        booked = choice.nearest(day, max(first, earliest), last)
        booking = person.booked[planned.row_order] = Booking(planned, choice, day, booked or last)
        if booked is None:
            booking.move(max(last + 1, earliest))
            return
        attendance = self.protocol.attendance.get(booking.times.visit.name)
        if attendance is None:
            return
        days_late, missed, _ = attendance
        booking.is_missed = self.rng.random() < missed
        shift = round(self.draw(days_late))
        if shift and not booking.is_missed:
            booking.move(max(booked + shift, earliest), is_kept=not planned.is_repeated)

    def keep(self, person: Participant, booking: Booking) -> None:
        """Cross out a visit held or missed and book the row's next; the first dose is day 1."""
        planned, earliest = booking.planned, booking.day
        row = (planned.row, planned.number, booking.outcome)
        self.visits.append((self.env.now, person.number, *row))
        if booking in person.called:
            person.called.remove(booking)
            person.here = (booking.day, booking.times.place)
            return
        del person.booked[planned.row_order]
        if not booking.is_missed:
            person.here = (booking.day, booking.times.place)
            earliest = booking.day + planned.min_days_between
            if planned.is_dose and not person.is_dosed:
                self.start_treatment(person, booking)
        same = next(row for row in person.arm.rows if row[0].row_order == planned.row_order)
        if planned.number < len(same):
            self.book(person, same[planned.number], earliest)

    def start_treatment(self, person: Participant, dose: Booking) -> None:
        """Count days from the first dose."""
        person.is_dosed = True
        person.day_1 = dose.day - dose.planned.days_after
        for row in person.arm.rows:
            if row[0].row_order != dose.planned.row_order:
                self.book(person, row[0], dose.day)

    def drawn(self, hazard: Hazard) -> float:
        """Return how many minutes it takes until something happens."""
        return hazard.quantile(self.rng.random())

    def happens(self, person: Participant, until: float) -> bool:
        """Let the next event happen if it does so before an instant, and book a visit for it."""
        if not person.expected:
            return False
        soonest = min(person.expected, key=itemgetter(0))
        happened, event = soonest
        if happened >= min(until, self.end):
            return False
        person.expected.remove(soonest)
        person.expected.append((happened + self.drawn(event.hazards[person.arm.index]), event))
        day = int(happened // MINUTES_PER_DAY) + 1
        booking = Booking(event.visit, self.agenda.choice(event.visit), day, day)
        booking.move(day)
        person.called.append(booking)
        return True

    # Beside the participants.

    def overhead(self) -> Process:
        """Leave on desks, each morning, what the day before brought with it."""
        while True:
            yield self.env.timeout(MINUTES_PER_DAY)
            for member, share in self.protocol.overhead.items():
                minutes = self.asked[member] * share / (1 - share)
                self.asked[member] = 0.0
                pieces = math.ceil(minutes / 60)
                for _ in range(pieces):
                    self.desks[member].put((-1, "overhead", minutes / pieces))

    def monitoring(self) -> Process:
        """Hold the visits of a monitor once somebody has been randomised."""
        plan = self.protocol.monitoring
        if plan is None:
            return
        for number in count(1):
            yield self.until(number * plan.every_minutes)
            if self.randomised:
                yield from self.paperwork(-1, self.agenda.times(plan.slots))
