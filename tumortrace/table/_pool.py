"""Run a function over many items in parallel, results in the order of the items.

Processes, not threads: a small image takes eight kernels of a few microseconds with Python between them, and four
threads that hand the GIL to one another run slower than one. On Linux the workers are forked after the first items
were computed here, so that they start at once with every kernel compiled and share its memory; elsewhere joblib
starts them. Neither imports the main module, so a script needs no ``if __name__ == "__main__"``.
"""

from __future__ import annotations

import itertools
import multiprocessing
import signal
import sys
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from multiprocessing.connection import Connection, wait
from time import perf_counter
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

_FIRST_ITEMS, _FIRST_SECONDS = 24, 0.2
_WORTH_SECONDS = 0.4
_CHUNK_SECONDS, _CHUNK_ITEMS = 0.02, 128


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
    start = _here if workers == 1 else _forked if sys.platform == "linux" else _spawned
    with closing(start(function, _chunks(items, size), workers)) as chunks:
        for chunk, results in _with_warnings(chunks):
            yield from zip(chunk, results, strict=True)


def available_cpus() -> int:
    """Count the CPUs that this process may use, by affinity and by container."""
    import joblib

    return int(joblib.cpu_count())


def _chunks(items: Iterator[Item], size: int) -> Iterator[list[Item]]:
    while chunk := list(itertools.islice(items, size)):
        yield chunk


def _recorded(function: Callable[[Any], Any], chunk: Any) -> tuple[Any, list[Warning]]:
    """Compute a chunk in a worker; warnings travel back with the results, for the parent to give."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        results = function(chunk)
    return results, [record.message for record in caught if isinstance(record.message, Warning)]


def _with_warnings(chunks: Iterable[tuple[Any, tuple[Any, list[Warning]]]]) -> Iterator[tuple[Any, Any]]:
    """Give the warnings that workers recorded, one of each category."""
    told: set[type[Warning]] = set()
    for chunk, (results, caught) in chunks:
        for warning in caught:
            if type(warning) not in told:
                told.add(type(warning))
                warnings.warn(warning, stacklevel=2)
        yield chunk, results


def _here(function: Callable[..., Any], chunks: Iterator[Any], workers: int) -> Generator[tuple[Any, Any]]:
    """Compute chunks in this process."""
    for chunk in chunks:
        yield chunk, (function(chunk), [])


def _spawned(function: Callable[..., Any], chunks: Iterator[Any], workers: int) -> Generator[tuple[Any, Any]]:
    """Compute chunks in processes that joblib starts."""
    import joblib
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    sent, chunks = itertools.tee(chunks)
    pool = joblib.Parallel(n_jobs=workers, return_as="generator", batch_size=1, pre_dispatch="2*n_jobs")
    try:
        yield from zip(sent, pool(joblib.delayed(_recorded)(function, chunk) for chunk in chunks), strict=True)
    except TerminatedWorkerError as error:
        raise WorkerDied("a worker process ended unexpectedly: killed, or out of memory") from error


def _forked(function: Callable[..., Any], chunks: Iterator[Any], workers: int) -> Generator[tuple[Any, Any]]:
    """Compute chunks in forked processes, each on a pipe with one chunk at a time.

    A worker ends when its pipe does: also when this process is killed. Chunks are not sent further ahead of the one
    that is yielded next than the workers need, so that memory stays bounded behind a slow one.
    """
    crew = _fork(function, workers)
    numbered = enumerate(chunks)
    idle = list(crew)
    busy: dict[Any, tuple[int, Any]] = {}
    done: dict[int, tuple[Any, Any]] = {}
    turn = 0
    try:
        while True:
            while idle and len(busy) + len(done) < 4 * workers and (task := next(numbered, None)):
                pipe = idle.pop()
                busy[pipe] = task
                _send(pipe, task[1], crew)
            if turn in done:  # handed on while the workers are busy
                yield done.pop(turn)
                turn += 1
                continue
            if not busy:
                return
            ready: Any
            for ready in wait(list(busy)):
                number, chunk = busy.pop(ready)
                done[number] = chunk, _receive(ready, crew)
                idle.append(ready)
    finally:
        for pipe, process in crew.items():
            pipe.close()
            process.kill()
            process.join()


def _fork(function: Callable[..., Any], workers: int) -> dict[Any, Any]:
    """Start the workers; return the pipe to each and its process."""
    context = multiprocessing.get_context("fork")
    crew: dict[Any, Any] = {}
    with _one_opencv_thread(), warnings.catch_warnings():
        # Python 3.12 warns of any thread at a fork, such as the sleeping ones of BLAS, which no worker uses
        warnings.simplefilter("ignore", DeprecationWarning)
        for _ in range(workers):
            here, there = context.Pipe()
            process = context.Process(target=_serve, args=(function, there, [*crew, here]), daemon=True)
            process.start()
            there.close()
            crew[here] = process
    return crew


def _serve(function: Callable[..., Any], pipe: Connection, inherited: list[Connection]) -> None:
    """Be a worker: compute each chunk that comes through the pipe, until it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for other in inherited:
        other.close()
    with suppress(EOFError, OSError):  # the pipe ends when the parent does, whatever ended it
        while True:
            chunk = pipe.recv()
            try:
                answer: Any = _recorded(function, chunk)
            except BaseException as error:
                answer = error
            pipe.send(answer)


def _send(pipe: Connection, chunk: Any, crew: dict[Any, Any]) -> None:
    try:
        pipe.send(chunk)
    except OSError as error:
        raise _death(pipe, crew) from error


def _receive(pipe: Connection, crew: dict[Any, Any]) -> Any:
    try:
        answer = pipe.recv()
    except (EOFError, OSError) as error:
        raise _death(pipe, crew) from error
    if isinstance(answer, BaseException):
        raise answer
    return answer


def _death(pipe: Connection, crew: dict[Any, Any]) -> WorkerDied:
    crew[pipe].join()
    return WorkerDied(f"a worker process ended with exit code {crew[pipe].exitcode}: killed, or out of memory")


@contextmanager
def _one_opencv_thread() -> Iterator[None]:
    """Stop OpenCV's threads during a fork: a worker would inherit their records but not the threads."""
    cv2 = sys.modules.get("cv2")
    if cv2 is None:
        yield
        return
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(threads)
