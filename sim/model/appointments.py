"""A participant's appointments: which visit comes next, on which day, and what moved it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import chain
from operator import attrgetter

from sim.model.book import Reservation
from sim.model.chance import Chance
from sim.model.dispensing import Medication
from sim.model.itinerary import Itinerary
from sim.scenario.protocol import Arm, Event, PlannedVisit, Protocol
from sim.scenario.schedule import Anchor
from sim.scenario.slots import NEVER, NEVER_DAY, Slots
from sim.vocabulary.clock import MINUTES_PER_DAY
from sim.vocabulary.eventlog import Awaited, Milestone, VisitOutcome

_NO_DAY = -1
_TURN = attrgetter("turn")
_HAPPENED = attrgetter("happened")


class Appointment:
    """A planned visit on a day; `cause` says what moved it there or made it missed.

    `first_coming` is earlier than `coming` if the visit was put off; `came_in_vain` says that the
    participant was sent home, `joins` that they are already there for the visit before. An
    unscheduled visit has an instant at which `happened` what calls for it. Until an appointment
    `is_booked`, `coming` is when the coordinator books it, not before the day `earliest`; one that
    `is_placed` holds a time. Who `is_late_without_notice` comes when that day's others are over.
    """

    day: int = NEVER_DAY
    turn: tuple[int, int] = (NEVER_DAY, 0)
    cause: str = ""
    is_missed: bool = False
    earliest: int = 0
    is_booked: bool = True
    is_placed: bool = False
    is_late_without_notice: bool = False
    reservation: Reservation | None = None
    coming: float = NEVER
    first_coming: float = NEVER
    came_in_vain: bool = False
    joins: bool = False
    happened: float = NEVER

    def __init__(self, planned: PlannedVisit, planned_day: int) -> None:
        """It is at the first place and on no day yet; all else is as it stands above."""
        self.planned, self.planned_day = planned, planned_day
        self.slots = planned.offer.choices[0]

    @property
    def is_unscheduled(self) -> bool:
        """Whether no row of the schedule plans it."""
        return self.happened < NEVER

    def come(self) -> None:
        """Be there: whoever was there before for the same visit has waited since then."""
        if self.coming < self.first_coming:
            self.first_coming = self.coming

    def put_on(self, day: int, cause: str, is_there: bool = False) -> None:  # noqa: FBT001, FBT002 -- a keyword takes longer
        """Move it to a possible day, or count it as missed if that is too late.

        A participant who comes (`is_there`), though late, to a visit that is not repeated is seen
        all the same.
        """
        planned, last = self.planned, self.planned_day + self.planned.window_days[1]
        may_be_late = not planned.late_is_missed or (is_there and not planned.is_repeated)
        if day > last and not may_be_late:
            self.miss(last, cause)
            return
        if day != NEVER_DAY:
            self.slots = planned.offer.on(day)
        self.day, self.cause, self.turn = day, cause, (day, planned.row_order)

    def miss(self, day: int, cause: str) -> None:
        """Count it as missed on a day."""
        self.is_missed = True
        self.day, self.cause, self.turn = day, cause, (day, self.planned.row_order)

    @property
    def fate(self) -> tuple[VisitOutcome, str]:
        """What visits.csv calls its outcome, and the reason: none if held on its planned day."""
        if self.is_missed:
            return VisitOutcome.MISSED, self.cause
        days_late = self.day - self.planned_day
        if not days_late:
            return VisitOutcome.ON_THE_DAY, ""
        first, last = self.planned.window_days
        is_inside = first <= days_late <= last
        return VisitOutcome.MOVED if is_inside else VisitOutcome.OUT_OF_WINDOW, self.cause


class Appointments:
    """Keeps one appointment for each row of the schedule: the next; and those that events call for.

    A visit is planned once its anchor has come; see `Itinerary`. Day 1 is planned at randomisation.
    Until it is known only such visits are attended, of all that is counted from it, that may fix
    it; with day 1 every later planned day is fixed. What is not planned for the day of a first dose
    is booked only then. If nothing fixes it any more, the planned one stays.
    """

    def __init__(  # noqa: PLR0913, PLR0917
        self,
        medication: Medication,
        arm: Arm,
        protocol: Protocol,
        chance: Chance,
        randomised: float,
        leaves: float,
    ) -> None:
        """Plan day 1 at the instant of randomisation; until they leave events may happen."""
        self.person = medication.person
        self.arm = arm
        self.medication = medication
        self._protocol = protocol
        self._chance = chance
        self._here: tuple[int, str] = (_NO_DAY, "")
        self._held_up_by = "participant"  # whatever cost the last dose missed before day 1
        today = int(randomised // MINUTES_PER_DAY)
        first_dose = randomised + chance.first_dose_minutes(self.person, arm)
        self._itinerary = Itinerary(arm, today, int(first_dose // MINUTES_PER_DAY))
        self._next: dict[str, Appointment] = {}
        self._advance(today, self._held_up_by)
        self._plan_without_day_1(today)
        self._events_end = min(leaves, protocol.clock.end_minutes)
        self._events = {each.visit.row_order: each for each in protocol.events}
        self._expected: dict[int, Appointment] = {}
        for event in self._events.values():
            self._expect(event, 1, randomised)

    @property
    def has_doses_left(self) -> bool:
        """Whether a dose is still planned, or may be."""
        return any(each.is_dose for each in self._itinerary.to_come())

    def is_day_1(self, appointment: Appointment) -> bool:
        """Say whether day 1 is the day of this visit, if it is held."""
        itinerary = self._itinerary
        return not itinerary.has_day_1 and itinerary.fixes_day_1(appointment.planned)

    def book(self, appointment: Appointment) -> None:
        """Book what is not booked yet; by arrival nothing ever is."""

    def cancel(self) -> None:
        """Give back the time of everything booked."""
        for each in self._next.values():
            self._release(each)

    def _release(self, appointment: Appointment) -> None:
        """Give back the time of an appointment; by arrival none is taken."""

    def stop_treatment(self, moment: float) -> None:
        """Strike out the doses that are left."""
        today = int(moment // MINUTES_PER_DAY)
        self._itinerary.strike(attrgetter("is_dose"))
        self._drop_struck()
        self._itinerary.reach(Milestone.STOPPED_TREATMENT, today)
        self._plan_without_day_1(today)
        self._advance(today, self._held_up_by)

    def leave(self, moment: float, reason: str | None) -> bool:
        """Cancel everything; plan what is counted from leaving, and say whether anything is.

        Whoever has no reason has completed, and nothing is.
        """
        self.cancel()
        self._next.clear()
        self._expected.clear()
        today = int(moment // MINUTES_PER_DAY)
        if reason is not None:
            self._itinerary.leave(today, reason)
            self._advance(today, self._held_up_by)
        return bool(self._next)

    def next(self, now: float) -> Appointment | None:
        """Return the next appointment, its hour settled; None when the schedule is done."""
        return self._soonest(now) if self._itinerary.under_way else None

    def next_afterwards(self, now: float) -> Appointment | None:
        """Return the next appointment of whoever has completed or left; None if there is none."""
        return self._soonest(now) if self._next else None

    def awaited(self) -> Iterator[Awaited]:
        """Yield which appointment is next; none for whoever is at the last visit."""
        for each in sorted(self._attended(), key=_TURN)[:1]:
            planned, day = each.planned, None if each.day == NEVER_DAY else each.day
            yield Awaited(
                self.person, planned.row, planned.number, each.planned_day, day, each.cause
            )

    def events_before(self, moment: float) -> Iterator[Appointment]:
        """Yield the visits of the events that happen before an instant, now booked."""
        while self._expected:
            event = min(self._expected.values(), key=_HAPPENED)
            if event.happened >= moment:
                return
            planned = event.planned
            self._next[planned.occasion] = self._expected.pop(planned.row_order)
            self._expect(self._events[planned.row_order], planned.number + 1, event.happened)
            yield event

    def keep(self, appointment: Appointment) -> None:
        """Cross out a visit that was held or missed, and book the row's next."""
        planned, day = appointment.planned, appointment.day
        del self._next[planned.occasion]
        if not appointment.is_missed:
            self._here = (day, appointment.slots.place)
        if appointment.is_unscheduled:
            return
        if planned.is_dose and appointment.is_missed:
            self._held_up_by = appointment.cause
        itinerary = self._itinerary
        itinerary.keep(planned, day, is_missed=appointment.is_missed)
        self._drop_struck()
        if not appointment.is_missed and self.is_day_1(appointment):
            itinerary.move_day_1(planned, day)
            self._plan(day, planned.row_order)
        self._advance(day, appointment.cause or self._held_up_by)
        self._plan_without_day_1(day)

    def _drop_struck(self) -> None:
        """Forget the appointments for visits that were struck out."""
        for occasion in self._itinerary.struck:
            if occasion in self._next:
                self._release(self._next.pop(occasion))
        self._itinerary.struck.clear()

    def _advance(self, today: int, held_up_by: str, but: int | None = None) -> None:
        """Book the next visit of each row that has none and of which it is known, `but` of one."""
        visits = self._itinerary.known(but)
        if any(each.gives for each in visits):
            self._order(visits, today)
        for planned in visits:
            self._itinerary.begin(planned)
            earliest = self._itinerary.free_from(planned, today)
            self._next[planned.occasion] = self._appoint(planned, earliest, held_up_by)

    def _order(self, visits: Iterable[PlannedVisit], today: int) -> None:
        """Plan the orders of what visits that are about to be booked give, as those that are."""
        wanted: dict[int, int] = {}
        for planned in chain(visits, (each.planned for each in self._next.values())):
            for product, _ in planned.gives:
                opens = self._itinerary.planned_day(planned, today) + planned.window_days[0]
                wanted[product] = min(opens, wanted.get(product, opens))
        self.medication.plan(wanted, today)

    def _plan_without_day_1(self, today: int) -> None:
        """Plan from the day planned for day 1 where no visit can fix it any more."""
        itinerary = self._itinerary
        if not itinerary.has_day_1 and not any(map(itinerary.fixes_day_1, itinerary.to_come())):
            self._plan(today)

    def _plan(self, today: int, but: int | None = None) -> None:
        """Book all that is left, day 1 being known, `but` of the row that is at its visit."""
        self._itinerary.has_day_1 = True
        self._order(self._itinerary.known(but), today)
        self._plan_anew(self._counted_from_day_1(), today)
        self._advance(today, self._held_up_by, but)

    def _plan_anew(self, visits: Iterable[PlannedVisit], today: int) -> None:
        """Plan anew visits that are counted from day 1, which has moved."""
        for planned in visits:
            self._next[planned.occasion] = self._appoint(planned, today, self._held_up_by)

    def _expect(self, event: Event, number: int, since: float) -> None:
        """Prepare the visit for an event still to come, unless there is none before the end.

        Nobody acts on it before it has happened.
        """
        happens = self._chance.happens(self.person, self.arm, event, number, since)
        if happens >= self._events_end:
            return
        day = int(happens // MINUTES_PER_DAY) + 1
        planned = event.visit.numbered(number)
        first = planned.offer.next_on_or_after(day)
        appointment = Appointment(planned, day)
        appointment.happened = happens
        appointment.put_on(first, "" if first == day else planned.offer.why_not(day))
        self._expected[planned.row_order] = appointment

    def _soonest(self, now: float) -> Appointment:
        """Return the earliest appointment that is attended, put off until its hour can be kept."""
        while True:
            appointment = min(self._attended(), key=_TURN)
            self._set_hour(appointment, now)
            if appointment.coming != NEVER or appointment.day == NEVER_DAY:
                return appointment
            self.put_off(appointment, appointment.day + 1, "staff")

    def put_off(self, appointment: Appointment, first_day: int, cause: str) -> None:
        """Try the visit again on the first possible day from `first_day` on."""
        appointment.came_in_vain = cause != "product"
        appointment.put_on(appointment.planned.offer.next_on_or_after(first_day), cause)

    def turn(self, appointment: Appointment) -> float:
        """Return the instant by which it is this visit's turn: of the first time they came."""
        return appointment.first_coming

    def waits_until(self, appointment: Appointment, leaves: float) -> int:
        """Return the last day until which this visit can be put off and change nothing else.

        After it comes another visit, another place, the end of a window or the day of leaving.
        Visits of the same kind are no such thing: they are held after it.
        """
        planned, last = appointment.planned, NEVER_DAY
        if planned.is_dose or len(planned.offer.choices) > 1:
            return appointment.day
        if planned.late_is_missed:
            last = appointment.planned_day + planned.window_days[1]
        for other in self._all():
            if other.day <= last and not self._is_behind(other, appointment):
                last = other.day - 1
        if leaves < NEVER:
            last = min(last, int(leaves // MINUTES_PER_DAY) - 1)
        return max(last, appointment.day)

    def waited(self, appointment: Appointment, day: int, cause: str) -> None:
        """Move a visit to the day on which it was held, and with it those that stood behind it."""
        for other in self._all():
            if other.day < day and self._is_behind(other, appointment):
                hour = self._chance.hour(self.person, other.planned.occasion)
                coming = other.slots.coming(other.day, hour, appointment.first_coming)
                other.first_coming = min(other.first_coming, coming)
                other.came_in_vain = True
                other.put_on(day, cause)
        appointment.put_on(day, cause)

    def _is_behind(self, other: Appointment, appointment: Appointment) -> bool:
        """Say whether a visit (or itself) would only wait for the same team behind another."""
        if other is appointment:
            return True
        is_alike = other.slots is appointment.slots and not other.is_missed
        return is_alike and not other.planned.late_is_missed and not other.planned.is_dose

    def _all(self) -> Iterator[Appointment]:
        """Yield what is booked, and what will be when the events happen that are still to come."""
        return chain(self._next.values(), self._expected.values())

    def _attended(self) -> Collection[Appointment]:
        everything, itinerary = self._next.values(), self._itinerary
        if itinerary.has_day_1:
            return everything
        return [each for each in everything if not itinerary.waits_for_day_1(each.planned)]

    def _counted_from_day_1(self) -> list[PlannedVisit]:
        planned = (each.planned for each in self._next.values())
        return [each for each in planned if each.anchor == Anchor.FIRST_DOSE]

    def _appoint(self, planned: PlannedVisit, earliest: int, held_up_by: str) -> Appointment:
        """Return the appointment: the possible day nearest to the planned one, and who moves it.

        `held_up_by` is why it cannot be before `earliest`, if that is after the planned day.
        """
        offer, planned_day = planned.offer, self._itinerary.planned_day(planned, earliest)
        first, last = planned.window_days
        first, last = planned_day + first, planned_day + last
        appointment = Appointment(planned, planned_day)
        if planned.is_dose and (ready := self.medication.ready_day(planned)) > earliest:
            earliest, held_up_by = ready, "product"
        booked = offer.nearest(planned_day, first if first > earliest else earliest, last)
        cause = ""
        if booked != planned_day:
            cause = held_up_by if earliest > planned_day else offer.why_not(planned_day)
        if booked is None:
            appointment.put_on(offer.next_on_or_after(max(last + 1, earliest)), cause)
            return appointment
        shift = self._chance.days_late(self.person, planned, offer.on(booked).visit.name)
        if shift is None:
            appointment.miss(booked, "did_not_come")
            return appointment
        day = offer.next_on_or_after(max(booked + shift, earliest)) if shift else booked
        if day != booked:
            cause = "participant"
        appointment.put_on(day, cause, True)  # noqa: FBT003 -- they are there
        return appointment

    def _set_hour(self, appointment: Appointment, now: float) -> None:
        """Settle the instant at which the participant comes.

        Whoever came in vain comes again at the day's first start. Two visits on one day at one
        place are one trip: the hour suits both, and the second follows the first.
        """
        slots, day = appointment.slots, appointment.day
        appointment.joins = self._here == (day, slots.place)
        if appointment.is_missed:
            appointment.coming = max(float(day * MINUTES_PER_DAY), now)
        elif day == NEVER_DAY:
            appointment.coming = NEVER
        elif appointment.joins:
            appointment.coming = slots.start_on(day, now)
        else:
            occasion = appointment.planned.occasion
            u = 0.0 if appointment.came_in_vain else self._chance.hour(self.person, occasion)
            appointment.coming = self._trip(appointment).coming(day, u, now)

    def _trip(self, first: Appointment) -> Slots:
        """Return the slots of a visit, together with one that follows on the same trip."""
        slots, day = first.slots, first.day
        for other in self._next.values():
            if other.day == day and other is not first and not other.is_missed:
                if other.slots.place != slots.place:
                    continue
                both = self._protocol.joint_slots(slots, other.slots)
                return both if both.next_on_or_after(day) == day else slots
        return slots
