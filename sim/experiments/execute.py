"""Where tasks run: in this process, in several, or on a cluster; the same results in one order."""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from itertools import islice
from multiprocessing import parent_process
from threading import Thread, current_thread, main_thread
from typing import Any, TypeVar

from sim.experiments.cluster import dask_workers

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")

BREAKDOWNS_AT_MOST = 3
TASKS_AHEAD = 3


class _Here(Executor):
    """An executor that runs each task at once, in this process."""

    def submit(self, fn: Callable[..., Any], /, *args: object, **kwargs: object) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


class _Processes(ProcessPoolExecutor):
    """Processes of this machine, which an interrupt finds all started or not, never between."""

    def submit(self, fn: Callable[..., Any], /, *args: object, **kwargs: object) -> Future[Any]:
        with _interrupts_wait():
            return super().submit(fn, *args, **kwargs)


@contextmanager
def executor(jobs: int | None, cluster: str | None = None) -> Iterator[tuple[Executor, int]]:
    """An executor, and how many tasks it does at once.

    It has so many processes of this machine (None: one for each core; one means this process), or
    the workers of the Dask scheduler at the address `cluster`; NoCluster where that fails. Whatever
    ends the block, what has not begun is cancelled.
    """
    if cluster is not None:
        with dask_workers(cluster) as pool_and_workers:
            yield pool_and_workers
        return
    processes = jobs or os.cpu_count() or 1
    pool = _Here() if processes == 1 else _Processes(processes, initializer=_serve_parent)
    try:
        yield pool, processes
    finally:
        with _interrupts_wait():
            pool.shutdown(cancel_futures=True)


@contextmanager
def _interrupts_wait() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM take effect after the block, which is short.

    An interrupt after workers are started and before the thread that serves them, or while that
    thread is joined (CPython issue 90882: it is then counted as ended though it lives), leaves
    nobody to tell the workers to end, and the interpreter would wait for them.
    """
    if current_thread() is not main_thread():
        yield
        return
    came: list[int] = []
    before = {
        each: signal.signal(each, lambda number, _frame: came.append(number))
        for each in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
    if came:
        signal.raise_signal(came[0])


def in_order(
    work: Callable[[_Task], _Result],
    tasks: Iterable[_Task],
    jobs: int | None = None,
    cluster: str | None = None,
) -> Generator[_Result, None, None]:
    """The results of `work` in the order of the tasks, as they become ready.

    Tasks are taken only a few ahead, so that memory does not grow with their number. When a worker
    dies (killed, out of memory) the pool is built again and what is missing, for its result is not
    here, is run again; the third time in one run the error is raised.
    """
    ahead, missing, breakdowns = iter(tasks), deque[_Task](), 0
    while True:
        try:
            with executor(jobs, cluster) as (pool, workers):
                pending = deque(pool.submit(work, task) for task in missing)
                while True:
                    for task in islice(ahead, TASKS_AHEAD * workers - len(pending)):
                        missing.append(task)
                        pending.append(pool.submit(work, task))
                    if not pending:
                        return
                    result = pending.popleft().result()
                    missing.popleft()
                    yield result
        except BrokenExecutor:
            breakdowns += 1
            if breakdowns == BREAKDOWNS_AT_MOST:
                raise


def _serve_parent() -> None:
    """Ctrl-C reaches all processes of a terminal: the parent decides. SIGTERM ends a worker.

    A parent that was killed can shut nothing down, so a worker watches it and ends by itself.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
