"""The benchmarks still run, and compare like with like: every row, at its smallest size."""

import pytest

from benchmarks.comparisons import COMPARISONS
from benchmarks.kernels import check
from benchmarks.measure import LANES, race

MACHINE = {
    "copy_gb_per_s": {"1 MB": 100.0, "64 MB": 40.0},
    "operations_g_per_s": dict.fromkeys((*LANES, "count"), 50.0),
}


@pytest.mark.parametrize("row", COMPARISONS, ids=lambda row: f"{row.name} - {row.peer}")
def test_both_sides_agree(row):
    check(row, row.sizes[0])
    assert row.goal is None or row.goal_size in row.sizes
    assert row.same or row.note, "a comparison that is not of equals says why"


@pytest.mark.parametrize("row", COMPARISONS, ids=lambda row: f"{row.name} - {row.peer}")
def test_floors_grow_with_the_image(row):
    assert 0 < row.floor(64, MACHINE) < row.floor(64**2, MACHINE) < 1e-3


def test_the_faster_of_two_is_told():
    quick, slow = race(lambda: sum(range(10)), lambda: sum(range(100_000)), seconds=0.01)
    assert quick < slow
