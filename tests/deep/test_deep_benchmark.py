"""The benchmark of networks still runs, and compares like with like: on the smallest case of each kind."""

import pytest

from benchmarks import deep, page

MACHINE = {"copy_gb_per_s": {"64 MB": 40.0}}


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    return deep.pictures(tmp_path_factory.mktemp("pictures"), 6)


@pytest.mark.parametrize("what", ["embedding", "training"])
def test_both_sides_agree(what, paths):
    case = deep.Case(what, "resnet8", 16, batch=4, images=6)
    ours, theirs, operations = deep.check(case, paths, "cpu")
    ours(), theirs()
    first = 2 * 6 * 16**2 * 32 * 9
    assert operations > 10 * first, "it counts more than the first convolution"


def test_training_has_a_higher_floor_than_embedding():
    assert {(case.network, case.size) for case in deep.CASES if case.what == "training"} == {
        (case.network, case.size) for case in deep.CASES if case.what == "embedding"
    }
    for operations in (1, 10**12):
        embedding, training = (
            deep.floor(deep.Case(what, "resnet8", 16, 4, 8), operations, 300_000, 1e11, MACHINE)
            for what in ("embedding", "training")
        )
        assert 0 < embedding <= training
    assert embedding == 10.0


def test_a_record_becomes_a_row(paths, capsys):
    case = deep.Case("embedding", "resnet8", 16, batch=4, images=4)
    row = deep._record(case, paths, "cpu", 1e11, MACHINE, seconds=0.01)
    assert row["ratio"] == row["theirs_s"] / row["ours_s"]
    assert "images/s" in capsys.readouterr().out
    assert "| embedding | resnet8 | 16 | 4 |" in page._deep([row])
