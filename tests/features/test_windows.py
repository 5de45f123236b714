"""Rows are shared by threads: each once, and none after an interruption."""

import time

import numpy as np
import pytest

from tumortrace.features._windows import over_rows


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("shape", [(1, 1, 1), (4, 9, 5), (2, 200, 3)])
def test_each_row_is_done_once(rng, shape, threads):
    inside = rng.random(shape) > 0.5
    inside[0, 0, 0] = True
    done = []
    over_rows(lambda lines: done.extend(range(*lines)), inside, threads, None)
    assert sorted(done) == list(range(shape[0] * shape[1]))


def test_an_uneven_mask_is_shared_evenly():
    inside = np.zeros((1, 400, 50), bool)
    inside[0, 300:] = True
    parts = []
    over_rows(parts.append, inside, 4, None)
    assert max(inside[0, start:stop].sum() for start, stop in parts) <= inside.sum() / 32


def test_an_interruption_ends_the_work_soon():
    started = []

    def slow(lines):
        started.append(lines)
        time.sleep(0.02)

    def interrupt(share):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        over_rows(slow, np.ones((1, 100, 1), bool), 2, interrupt)
    assert len(started) < 16  # of 32
