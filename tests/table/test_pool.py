import functools
import multiprocessing
import os
import signal
import subprocess
import sys
import time
import warnings
from contextlib import closing
from pathlib import Path

import pytest

from tumortrace.table._pool import WorkerDied, run

linux = pytest.mark.skipif(sys.platform != "linux", reason="workers are forked on Linux only")


def each(function):
    return functools.partial(map_list, function)


def map_list(function, items):
    return [function(item) for item in items]


def slow_square(number):
    time.sleep(0.004)
    return number * number, os.getpid()


def warn_and_wait(number):
    time.sleep(0.004)
    if number >= 100:
        warnings.warn(f"number {number} is large", RuntimeWarning, stacklevel=1)


def die_at_150(number):
    time.sleep(0.004)
    if number == 150:
        os.kill(os.getpid(), signal.SIGKILL)


def refuse_150(number):
    time.sleep(0.004)
    if number == 150:
        raise KeyError("150 is refused")


def forked():
    """Processes of the pool that are left; joblib keeps its own for other tests."""
    return [child for child in multiprocessing.active_children() if "Loky" not in child.name]


def test_order_and_workers():
    results = list(run(each(slow_square), range(250), 250, 3))
    assert [(item, square) for item, (square, _) in results] == [(i, i * i) for i in range(250)]
    assert len({pid for _, (_, pid) in results} - {os.getpid()}) == 3
    assert forked() == []


@linux
@pytest.mark.parametrize("slow", [24, 100, 249])
def test_a_slow_item_holds_up_the_order_but_nothing_is_lost(slow):
    results = [result for _, result in run(each(functools.partial(slow_at, slow)), range(250), 250, 2)]
    assert results == list(range(250))


def slow_at(slow, number):
    time.sleep(0.5 if number == slow else 0.004)
    return number


@pytest.mark.parametrize(("count", "jobs"), [(30, 4), (150, 1), (0, None)])
def test_little_work_and_one_job_stay_in_this_process(count, jobs):
    assert {pid for _, (_, pid) in run(each(slow_square), range(count), count, jobs)} <= {os.getpid()}


def test_items_are_read_as_they_are_needed():
    read = []
    with closing(run(each(slow_square), (read.append(i) or i for i in range(2000)), 2000, 2)) as results:
        for _ in range(100):
            next(results)
    assert 100 <= len(read) < 200
    assert forked() == []


def test_a_category_of_warnings_is_told_once():
    with pytest.warns(RuntimeWarning, match="is large") as told:
        list(run(each(warn_and_wait), range(250), 250, 2))
    assert len(told) == 1


@linux
def test_a_worker_that_dies_is_an_error_at_once():
    with pytest.raises(WorkerDied, match="ended unexpectedly"):
        list(run(each(die_at_150), range(250), 250, 2))
    assert forked() == []


def test_an_error_in_a_worker_comes_back():
    with pytest.raises(KeyError, match="150 is refused"):
        list(run(each(refuse_150), range(250), 250, 2))


@linux
def test_no_worker_outlives_its_parent():
    script = "import itertools, time, test_pool as t\n"
    script += "for _, (_, pid) in t.run(t.each(t.slow_square), itertools.count(), 10**6, 2): print(pid, flush=True)"
    parent = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parent
    )
    workers = set()
    while len(workers) < 2:
        workers |= {int(parent.stdout.readline())} - {parent.pid}
    parent.kill()
    parent.stdout.close()
    parent.wait()
    end = time.monotonic() + 10
    while time.monotonic() < end and any(Path(f"/proc/{pid}").exists() and not is_zombie(pid) for pid in workers):
        time.sleep(0.05)
    assert not any(Path(f"/proc/{pid}").exists() and not is_zombie(pid) for pid in workers)


def is_zombie(pid):
    return ") Z " in Path(f"/proc/{pid}/stat").read_text()


def test_processes_of_joblib_do_the_same(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    results = list(run(each(slow_square), range(250), 250, 2))
    assert [square for _, (square, _) in results] == [i * i for i in range(250)]
    assert len({pid for _, (_, pid) in results} - {os.getpid()}) == 2
    with pytest.raises(WorkerDied, match="ended unexpectedly"):
        list(run(each(die_at_150), range(250), 250, 2))
