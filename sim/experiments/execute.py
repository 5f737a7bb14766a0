"""Where tasks run: in this process or in several, always the same results in the same order."""

from __future__ import annotations

import signal
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")

BREAKDOWNS_AT_MOST = 3
TASKS_AHEAD = 3


class _Here(Executor):
    """An executor that runs each task at once, in this process."""

    def submit(self, fn: Callable[..., Any], /, *args: object, **kwargs: object) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


@contextmanager
def executor(jobs: int) -> Iterator[Executor]:
    """An executor of so many processes; one means this process.

    Whatever ends the block, what has not begun is cancelled.
    """
    pool = _Here() if jobs == 1 else ProcessPoolExecutor(jobs, initializer=_leave_signals_to_parent)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def in_order(
    work: Callable[[Task], Result], tasks: Iterable[Task], jobs: int
) -> Generator[Result, None, None]:
    """The results of `work` in the order of the tasks, as they become ready.

    When a worker dies (killed, out of memory) the pool is built again and what is missing is run
    again; the third time in one run the error is raised.
    """
    remaining = deque(tasks)
    breakdowns = 0
    while remaining:
        try:
            with executor(jobs) as pool:
                yield from _drain(pool, work, remaining, TASKS_AHEAD * jobs)
        except BrokenExecutor:
            breakdowns += 1
            if breakdowns == BREAKDOWNS_AT_MOST:
                raise


def _drain(
    pool: Executor, work: Callable[[Task], Result], remaining: deque[Task], ahead: int
) -> Generator[Result, None, None]:
    """Results of the tasks that remain; a task stays among them until its result is here."""
    pending: deque[Future[Result]] = deque()
    while remaining:
        while len(pending) < min(ahead, len(remaining)):
            pending.append(pool.submit(work, remaining[len(pending)]))
        result = pending.popleft().result()
        remaining.popleft()
        yield result


def _leave_signals_to_parent() -> None:
    """Ctrl-C reaches all processes of a terminal: the parent decides. SIGTERM ends a worker."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
