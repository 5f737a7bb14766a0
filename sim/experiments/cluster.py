"""Workers on other machines: those of a Dask scheduler, as an executor like any other.

Dask itself runs the tasks of a worker that died again on another one.
"""

from __future__ import annotations

import logging
import platform
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Executor, Future
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from importlib.metadata import version
from socket import create_connection
from threading import Event, Thread
from typing import Any
from urllib.parse import urlsplit

from sim.results.points import code_version

PATIENCE_SECONDS, WATCH_SECONDS = 8, 0.5
SCHEMES = ("tcp", "tls")
ALIKE = "install this version of trialsim there, with the libraries of its lock file"
TALKATIVE = ("distributed", "asyncio", "tornado")
"""Loggers that print tracebacks of what NoCluster says in a line."""

Software = dict[str, str]
"""What decides the bits of a result, by name."""


class NoCluster(Exception):  # noqa: N818  it says what is missing
    """A cluster that cannot be had, is gone, or would give other results than this machine."""


class _Alike(Executor):
    """A Dask executor whose workers refuse a task if they are not what this process is.

    Dask forgets to end what is submitted while it loses its scheduler: `watch`, in a thread of its
    own, cancels that.
    """

    def __init__(self, client: Any) -> None:  # noqa: ANN401  Dask is an extra
        self._client, self._pool = client, client.get_executor(pure=False)
        self._ours, self._pending, self._ended = software(), set[Future[Any]](), Event()

    def submit(self, fn: Callable[..., Any], /, *args: object, **kwargs: object) -> Future[Any]:
        """Submit a task; workers may have joined since the last one."""
        future: Future[Any] = self._pool.submit(_if_alike, self._ours, fn, *args, **kwargs)
        self._pending.add(future)
        future.add_done_callback(self._pending.discard)
        return future

    def watch(self) -> None:
        """Until the executor is shut down, cancel all tasks whenever the scheduler is lost."""
        while not self._ended.wait(WATCH_SECONDS):
            if self._client.status != "running":
                for future in list(self._pending):
                    future.cancel()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002, ARG002
        """Forget what has not ended: nobody waits for it any more."""
        self._ended.set()
        self._client.close(timeout=PATIENCE_SECONDS)


def _reach(address: str) -> None:
    """Look whether anybody answers at an address, which Dask itself takes half a minute for."""
    try:
        there = urlsplit(address)
        host, port = there.hostname, there.port
    except ValueError:
        host = port = None
    if host is None or port is None or there.scheme not in SCHEMES:
        raise NoCluster(f"{address!r} is no address of a scheduler; allowed: tcp://HOST:PORT")
    try:
        create_connection((host, port), PATIENCE_SECONDS).close()
    except OSError as fault:
        raise NoCluster(f"{address}: no scheduler answers there") from fault


@contextmanager
def dask_workers(address: str) -> Iterator[tuple[Executor, int]]:
    """An executor on the workers of the scheduler at `address`, and how many tasks they do at once.

    Raises NoCluster where Dask is not installed, where scheduler or workers do not answer within 8
    seconds or are lost, and where a worker's software is not ours.
    """
    try:
        distributed: Any = import_module("distributed")
    except ImportError as fault:
        raise NoCluster("--cluster needs Dask; install trialsim[cluster]") from fault
    _reach(address)
    for logger in (*TALKATIVE, *logging.root.manager.loggerDict):
        if logger.startswith(TALKATIVE):  # some have a level of their own
            logging.getLogger(logger).setLevel(logging.CRITICAL)
    try:
        client = distributed.Client(address, timeout=PATIENCE_SECONDS, set_as_default=False)
    except (OSError, ValueError) as fault:
        raise NoCluster(f"{address}: no scheduler answers there") from fault
    with _Alike(client) as pool:
        Thread(target=pool.watch, daemon=True).start()
        try:
            yield pool, _workers(client, address)
        except CancelledError as fault:
            raise NoCluster(f"{address}: the scheduler is gone") from fault
        except ImportError as fault:
            raise NoCluster(f"{address}: a worker lacks {fault.name}; {ALIKE}") from fault


@cache
def software() -> Software:
    """Return the versions of what decides the bits of a result, in this process."""
    libraries = {name: version(name) for name in ("numpy", "scipy", "simpy", "holidays")}
    return {
        "trialsim": code_version(),
        "python": platform.python_version(),
        "machine": platform.machine(),
        **libraries,
    }


def _workers(client: Any, address: str) -> int:  # noqa: ANN401  Dask is an extra
    """Return how many tasks the workers do at once, having seen that they can do ours."""
    try:
        client.wait_for_workers(1, timeout=PATIENCE_SECONDS)
        found = client.run(software)
    except TimeoutError as fault:
        raise NoCluster(f"{address}: the scheduler has no workers") from fault
    except Exception as fault:  # whatever a worker without trialsim makes of it
        raise NoCluster(f"{address}: a worker cannot run trialsim; {ALIKE}") from fault
    for worker, theirs in found.items():
        _refuse_unlike(software(), theirs, worker)
    return sum(client.ncores().values())


def _if_alike(ours: Software, work: Callable[..., Any], *args: object, **kwargs: object) -> Any:  # noqa: ANN401
    """Run a task on a worker."""
    _refuse_unlike(ours, software(), platform.node())
    return work(*args, **kwargs)


def _refuse_unlike(ours: Software, theirs: Software, worker: str) -> None:
    unlike = [name for name, each in ours.items() if theirs.get(name) != each]
    if unlike:
        raise NoCluster(f"worker {worker} has another version of {', '.join(unlike)}")
