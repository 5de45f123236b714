"""Run a function over many items in parallel, results in the order of the items.

Processes, not threads: a small image takes eight kernels of a few microseconds with Python between them, and four
threads that hand the GIL to one another run slower than one. On Linux the workers are forked after the first items
were computed here, so that they start at once with every kernel compiled and share its memory; elsewhere they are
those of joblib. Neither imports the main module, so a script needs no ``if __name__ == "__main__"``.
"""

from __future__ import annotations

import itertools
import multiprocessing
import os
import signal
import sys
import threading
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from contextlib import closing
from time import perf_counter, sleep
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

_FIRST_ITEMS, _FIRST_SECONDS = 24, 0.2
_WORTH_SECONDS = 0.4
_CHUNK_SECONDS, _CHUNK_ITEMS = 0.02, 128
_CHUNKS_PER_WORKER = 4


class WorkerDied(RuntimeError):
    """A worker process ended in the middle of its work: killed, out of memory, or crashed."""


def run(
    function: Callable[[list[Item]], list[Result]], items: Iterable[Item], total: int, jobs: int | None
) -> Generator[tuple[Item, Result]]:
    """Yield each item with its result, in order.

    The first items are computed here, which compiles what the function needs and tells how long an item takes.
    Where the rest is little, it is computed here too.

    Parameters
    ----------
    function
        A list of items to the list of their results; picklable, and without another effect.
    items
        Read as they are needed: not more are held at a time than the workers are busy with.
    total : int
        How many there are.
    jobs : int or None
        Worker processes; None for one per available CPU, 1 for none.

    Raises
    ------
    WorkerDied
        If a worker ends before its result is here.
    """
    items = iter(items)
    seconds: list[float] = []
    for item in itertools.islice(items, _FIRST_ITEMS):
        begin = perf_counter()
        results = function([item])
        seconds.append(perf_counter() - begin)
        yield item, results[0]
        if sum(seconds[1:]) > _FIRST_SECONDS:
            break
    left = total - len(seconds)
    if left <= 0:
        return
    each = sorted(seconds)[len(seconds) // 2]
    size = max(1, min(int(_CHUNK_SECONDS / each), _CHUNK_ITEMS))
    if left * each < _WORTH_SECONDS or multiprocessing.current_process().daemon:
        jobs = 1
    workers = min(jobs or available_cpus(), -(-left // size))
    chunks = _chunks(items, size)
    if workers == 1:
        for chunk in chunks:
            yield from zip(chunk, function(chunk), strict=True)
        return
    with closing(_pooled(function, chunks, workers)) as done:
        for chunk, results in done:
            yield from zip(chunk, results, strict=True)


def available_cpus() -> int:
    """Count the CPUs that this process may use, by affinity and by container."""
    import joblib

    return int(joblib.cpu_count())


def _chunks(items: Iterator[Item], size: int) -> Iterator[list[Item]]:
    while chunk := list(itertools.islice(items, size)):
        yield chunk


def _pooled(function: Callable[[Any], Any], chunks: Iterator[Any], workers: int) -> Generator[tuple[Any, Any]]:
    """Compute chunks in worker processes, not further ahead of the one that is next than keeps them all busy."""
    told: set[type[Warning]] = set()
    waiting: deque[tuple[Any, Future[Any]]] = deque()
    pool = _forked(workers) if sys.platform == "linux" else _spawned(workers)
    try:
        while True:
            for chunk in itertools.islice(chunks, _CHUNKS_PER_WORKER * workers - len(waiting)):
                waiting.append((chunk, pool.submit(_recorded, function, chunk)))
            if not waiting:
                return
            chunk, future = waiting.popleft()
            results, caught = future.result()
            for warning in caught:
                if type(warning) not in told:
                    told.add(type(warning))
                    warnings.warn(warning, stacklevel=2)
            yield chunk, results
    except BrokenExecutor as error:
        raise WorkerDied("a worker process ended unexpectedly: killed, or out of memory") from error
    finally:
        for _, future in waiting:
            future.cancel()
        pool.shutdown()


def _recorded(function: Callable[[Any], Any], chunk: Any) -> tuple[Any, list[Warning]]:
    """Compute a chunk in a worker; warnings travel back with the results, for the parent to give, one of a kind."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        results = function(chunk)
    return results, [record.message for record in caught if isinstance(record.message, Warning)]


def _forked(workers: int) -> Executor:
    """Return a pool of workers that are forked now."""
    pool = ProcessPoolExecutor(
        workers, multiprocessing.get_context("fork"), initializer=_end_with_parent, initargs=(os.getpid(),)
    )
    with warnings.catch_warnings():
        # Python 3.12 warns of any thread at a fork, such as the sleeping ones of BLAS, which no worker uses
        warnings.simplefilter("ignore", DeprecationWarning)
        pool.submit(os.getpid)
    return pool


def _spawned(workers: int) -> Executor:
    """Return the pool of joblib."""
    from joblib.externals.loky import get_reusable_executor

    return get_reusable_executor(workers)  # type: ignore[no-any-return]


def _end_with_parent(parent: int) -> None:
    """Leave Ctrl-C to the parent, and let no worker outlive one that was killed."""

    def watch() -> None:
        while os.getppid() == parent:
            sleep(0.5)
        os._exit(1)

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=watch, daemon=True).start()
