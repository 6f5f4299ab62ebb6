"""Work in several processes, none of which outlives the command, however the command ends."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ascentfail.core.files import WRITING

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

_GRACE = 5.0  # seconds from the first signal to the end, whatever still runs
_WRITE = 2.0  # seconds that the end waits for a file to be finished
_ENDING = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]
_OF_TERMINAL = [
    number for number in _ENDING if number != signal.SIGTERM
]  # these reach every process of a terminal at once


class Stopped(SystemExit):
    """A signal ended the command; the exit code is 128 and its number, as a shell says it."""


class WorkerLostError(RuntimeError):
    """A process that worked for this one was ended from outside."""


@contextmanager
def stoppable() -> Iterator[None]:
    """The first SIGINT, SIGTERM or SIGHUP raises `Stopped` here, later ones change nothing, and 5 seconds later all is over.

    Signals that are ignored already (as under nohup) stay so; in a thread, where no handler can be set, nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {
        n: signal.getsignal(n) for n in _ENDING if signal.getsignal(n) not in (signal.SIG_IGN, None)
    }
    # what the interpreter writes to `rings` on a signal, a thread reads even while the main one is in compiled code
    hears, rings = socket.socketpair()
    rings.setblocking(False)
    threading.Thread(target=_end_in_time, args=(hears, set(before)), daemon=True).start()
    rang = signal.set_wakeup_fd(rings.fileno(), warn_on_full_buffer=False)
    for number in before:
        signal.signal(number, lambda number, frame: _stop(number, before))
    try:
        yield
    except Stopped:
        raise  # everything stays set until the end of the process
    except BaseException:
        _restore(before, rang, rings)
        raise
    else:
        _restore(before, rang, rings)


def _stop(number: int, handled: dict[int, Any]) -> None:
    for other in handled:
        signal.signal(other, signal.SIG_IGN)  # a second one must not break off the tidying up
    raise Stopped(128 + number)


def _restore(before: dict[int, Any], rang: int, rings: socket.socket) -> None:
    for number, handler in before.items():
        signal.signal(number, handler)
    signal.set_wakeup_fd(rang)
    rings.close()


def _end_in_time(hears: socket.socket, numbers: set[int]) -> None:
    with hears:
        while heard := hears.recv(1):  # nothing: closed, the command came to its own end
            if heard[0] in numbers:
                time.sleep(_GRACE)
                _leave(128 + heard[0])


def _leave(code: int) -> None:
    """Ends this process whatever it is at, but not in the middle of a file."""
    WRITING.acquire(timeout=_WRITE)
    os._exit(code)


def results(
    tasks: Sequence[tuple[Any, ...]], jobs: int, initializer: Callable[[], None] | None = None
) -> Iterator[tuple[int, Any]]:
    """Runs (function, argument, ...) in this process or in several; yields (index, result) as they end.

    Args:
        tasks: functions of modules, with plain arguments: they travel between processes.
        jobs: number of processes, >= 1; never more than there are tasks, or processors where those are more than two.
        initializer: called first in each process, not in this one.

    Yields:
        (index of the task, its result).

    Raises:
        WorkerLostError: a process was killed. Otherwise what a task raises; the tasks that were not begun are left out.
    """
    jobs = min(jobs, len(tasks), max(2, os.cpu_count() or 2))
    if jobs <= 1:
        yield from ((i, function(*arguments)) for i, (function, *arguments) in enumerate(tasks))
        return
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor, as_completed
    from concurrent.futures.process import BrokenProcessPool

    context = multiprocessing.get_context("spawn")  # not forked: JAX has threads
    ended, alive = context.Pipe(
        duplex=False
    )  # nothing is ever sent: the workers read its end, when this process closes or dies
    with _unsignalled():  # here multiprocessing starts a process of its own, which must outlive a SIGHUP to tidy up quietly
        pool = ProcessPoolExecutor(jobs, context, _begin, (ended, initializer))
    try:
        with _unsignalled():
            waiting = {pool.submit(*task): i for i, task in enumerate(tasks)}
            pool.submit(
                int
            )  # the pool looks for processes to watch before it starts one; now it watches the last one too
        for future in as_completed(waiting):
            yield waiting[future], future.result()
    except BrokenProcessPool as error:
        alive.close()  # also for a worker that began while the pool broke, which it would wait for
        raise WorkerLostError(str(error)) from None
    except Stopped:
        alive.close()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
        alive.close()
        ended.close()


@contextmanager
def _unsignalled() -> Iterator[None]:
    """Processes started in here do not hear the terminal's signals, not even before their first line: this one ends them."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _OF_TERMINAL)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin(ended: Connection, initializer: Callable[[], None] | None) -> None:
    """First in each worker: it leaves when the command does, and when it is told to."""
    for number in _OF_TERMINAL:
        signal.signal(number, signal.SIG_IGN)
    hears, rings = socket.socketpair()
    rings.setblocking(False)
    # in a thread, since the main one may be the one that writes
    threading.Thread(target=_leave_after, args=(ended, hears, rings), daemon=True).start()
    signal.set_wakeup_fd(rings.fileno())
    signal.signal(signal.SIGTERM, lambda number, frame: None)  # heard by the thread
    if initializer:
        initializer()


def _leave_after(ended: Connection, hears: socket.socket, rings: socket.socket) -> None:
    from multiprocessing.connection import wait

    _leave(128 + hears.recv(1)[0] if hears in wait([ended, hears]) else 1)
