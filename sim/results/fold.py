"""What is kept of many replications: their measures, the tallies of the tables, the first logs."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence
from io import SEEK_END, BytesIO
from itertools import chain
from tempfile import SpooledTemporaryFile
from typing import Any, NamedTuple
from weakref import finalize

import numpy as np
from numpy.typing import NDArray

from sim.results.counts import COUNTS
from sim.results.measures import measures_of
from sim.results.periods import Almanac
from sim.results.replication import Reading
from sim.results.tally import Counts
from sim.scenario.enrolment_log import EnrolmentLog
from sim.scenario.load import Scenario
from sim.scenario.protocol import Protocol
from sim.scenario.schema import Target
from sim.vocabulary.eventlog import EventLog
from sim.vocabulary.streams import Numbers

BLOCK, MEMORY_BYTES = 250, 2**20
DRAWN = "drawn_"
"""What stands before the path of an assumption where the values that replications drew are."""

FACTS_OF_A_LOG = EventLog.__module__
_NUMPY = [f"numpy.{core}" for core in ("core", "_core")]
PICKLED = {
    (__name__, "Summary"),
    ("collections", "Counter"),
    ("datetime", "date"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    *((f"{core}.multiarray", name) for core in _NUMPY for name in ("_reconstruct", "scalar")),
    *((f"{core}.numeric", "_frombuffer") for core in _NUMPY),
}
"""What summaries are pickled as, beside the facts of a log."""


class Summary(NamedTuple):
    """What is kept of one replication: measures, what was drawn, what gauges read, a log.

    `beside` are the measures and the enrolment of `Protocol.beside`, if that was simulated.
    """

    measures: list[float]
    counts: list[Counts]
    log: bytes | None
    beside: tuple[list[float], Counts] | None

    @classmethod
    def of(
        cls, log: EventLog, almanac: Almanac, *, keep: bool, beside: EventLog | None = None
    ) -> Summary:
        """Read a log once for everything."""
        reading = Reading(log, almanac)
        counts = [gauge.read(reading) for table in COUNTS.values() for gauge in table.gauges]
        kept = pickle.dumps(log) if keep else None
        also = None
        if beside is not None:
            as_well = Reading(beside, almanac)
            (gauge,) = COUNTS["enrolment"].gauges
            also = ([*measures_of(as_well).values()], gauge.read(as_well))
        return cls([*measures_of(reading).values(), *log.drawn], counts, kept, also)


def meets(target: Target, values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether a target holds at each value of its measure; a blank one (nan) meets nothing."""
    low, high = target.limits
    return (values >= low) & (values <= high)


class _OurOwn(pickle.Unpickler):
    """Reads what a run left on the disk, and nothing that could do anything there."""

    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401  as it is
        if (module, name) in PICKLED or (module == FACTS_OF_A_LOG and "." not in name):
            return super().find_class(module, name)
        message = f"{module}.{name} is nothing that a run keeps"
        raise pickle.UnpicklingError(message)


def unpickled(held: bytes) -> Any:  # noqa: ANN401  what was pickled
    """Return what was pickled of summaries and logs; UnpicklingError where it is something else."""
    return _OurOwn(BytesIO(held)).load()


class Logs(Sequence[EventLog]):
    """Logs kept whole, in a file without a name once they are large; read when asked for."""

    def __init__(self) -> None:
        """None is kept so far."""
        self._ends = [0]
        self._file = SpooledTemporaryFile(max_size=MEMORY_BYTES)  # noqa: SIM115  as in Rows
        finalize(self, self._file.close)

    def append(self, log: bytes) -> None:
        """Keep a pickled log."""
        self._file.seek(self._ends[-1])
        self._file.write(log)
        self._ends.append(self._ends[-1] + len(log))

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, index: Any) -> Any:  # noqa: ANN401  logs of a slice are a list
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        first, last = self._ends[:-1][index], self._ends[1:][index]
        self._file.seek(first)
        return unpickled(self._file.read(last - first))


class Rows:
    """A row of numbers for each replication, of which only the latest stand in memory.

    Beyond 1 MB they lie in a file without a name, in blocks of rows that stand on their sides, so
    that a column is read without the others.
    """

    def __init__(self, width: int) -> None:
        """Of so many numbers each."""
        self.number = 0
        self._width, self._latest = width, list[Sequence[float]]()
        self._file = SpooledTemporaryFile(max_size=MEMORY_BYTES)  # noqa: SIM115  closed as it is freed
        finalize(self, self._file.close)

    def append(self, row: Sequence[float]) -> None:
        """Add a row."""
        self.number += 1
        self._latest.append(row)
        if len(self._latest) == BLOCK:
            self._file.seek(0, SEEK_END)
            self._file.write(self._columns().tobytes())
            self._latest.clear()

    def column(self, index: int) -> NDArray[np.float64]:
        """One number of each row, in their order."""
        parts = [self._read(block, index, 1) for block in range(self.number // BLOCK)]
        return np.concatenate([*parts, self._columns()[index : index + 1]], axis=None)

    def blocks(self) -> Iterator[NDArray[np.float64]]:
        """All numbers, a row for each column, some replications after the other."""
        for block in range(self.number // BLOCK):
            yield self._read(block, 0, self._width)
        if self._latest:
            yield self._columns()

    def _columns(self) -> NDArray[np.float64]:
        return np.array(self._latest, np.float64).reshape(-1, self._width).T.copy()

    def _read(self, block: int, first: int, columns: int) -> NDArray[np.float64]:
        a_column = BLOCK * np.dtype(np.float64).itemsize
        self._file.seek((block * self._width + first) * a_column)
        return np.frombuffer(self._file.read(columns * a_column), np.float64).reshape(columns, -1)


class Found:
    """What replications of a protocol found, in their order, from the first."""

    def __init__(self, protocol: Protocol, drawn: Sequence[str] = ()) -> None:
        """Of no replication yet; `drawn` are columns beside those of the measures."""
        self.protocol = protocol
        self._names = [*protocol.measures, *drawn]
        self._rows = Rows(len(self._names))

    @property
    def replications(self) -> int:
        """How many replications have been folded."""
        return self._rows.number

    @property
    def measures(self) -> dict[str, NDArray[np.float64]]:
        """The `values` of every measure and of what was drawn, all at once."""
        return {name: self.values(name) for name in self._names}

    def values(self, name: str) -> NDArray[np.float64]:
        """One value per replication of a measure, or of what was drawn; nan is blank, inf never."""
        return self._rows.column(self._names.index(name))

    def blocks(self) -> Iterator[dict[str, NDArray[np.float64]]]:
        """The `measures` of some replications after the other, in their order."""
        return (dict(zip(self._names, block, strict=True)) for block in self._rows.blocks())

    def met(self, target: Target) -> NDArray[np.bool_]:
        """Whether a target holds in each replication; a blank measure meets nothing."""
        return meets(target, self.values(target.measure))

    @property
    def draws(self) -> Numbers | None:
        """Which draw of the uncertain each replication had; None where all are independent."""
        return self.protocol.draws.of(self.replications)

    def append(self, values: Sequence[float]) -> None:
        """Add what the next replication found."""
        self._rows.append(values)


class Results(Found):
    """The replications of one scenario folded so far.

    `beside` is what the first of them found of `Protocol.beside`, and `enrolment_beside` how those
    randomised there grew in number.
    """

    def __init__(
        self,
        scenario: Scenario,
        protocol: Protocol,
        seed: int,
        log: EnrolmentLog | None = None,
    ) -> None:
        """Start with no replications; those of a trial that runs go on from its log."""
        super().__init__(protocol, [f"{DRAWN}{each.dotted}" for each in protocol.beliefs])
        almanac = Almanac.of(protocol)
        self.scenario, self.seed, self.log = scenario, seed, log
        self.tallies = {
            name: [gauge.tally(almanac) for gauge in table.gauges] for name, table in COUNTS.items()
        }
        self.logs = Logs()
        self.beside = Found(protocol.beside or protocol)
        self.enrolment_beside = [each.tally(almanac) for each in COUNTS["enrolment"].gauges]

    def fold(self, summaries: Sequence[Summary]) -> None:
        """Add the next replications."""
        for summary in summaries:
            self.append(summary.measures)
            if summary.beside is not None:
                measures, enrolment = summary.beside
                self.beside.append(measures)
                self.enrolment_beside[0].add(enrolment)
            tallies = chain.from_iterable(self.tallies.values())
            for tally, counts in zip(tallies, summary.counts, strict=True):
                tally.add(counts)
            if summary.log is not None:
                self.logs.append(summary.log)
