import numpy as np
import pandas as pd
import pytest

from tumortrace.table import _parquet, extract, feature_columns

pytest.importorskip("pyarrow")
FAST = ["first_order", "shape"]


def test_the_same_table_as_csv(lesions, tmp_path, monkeypatch):
    monkeypatch.setattr(_parquet, "_BLOCK_BYTES", 4096)
    extract(lesions, FAST, out=tmp_path / "t.parquet")
    table = pd.read_parquet(tmp_path / "t.parquet")
    pd.testing.assert_frame_equal(table, extract(lesions, FAST), check_dtype=False, rtol=0, atol=0)
    assert table["slice"].dtype == np.int64
    assert set(table[feature_columns(table)].dtypes) == {np.dtype(float)}
    assert (tmp_path / "t.parquet.json").exists()


def test_back_to_the_csv_it_was_made_from(tmp_path, toy_extractor):
    rng = np.random.default_rng(5)
    frame = pd.DataFrame(
        {
            "image": [rng.normal(size=(2 + i, 4)) * 10.0 ** (3 * i - 9) for i in range(6)],
            "count": range(6),
            "dose": [0.1, 1e-7, 3.0, 1e16, 1 / 3, -2.0],
            "note": ["", "a,b", 'say "x"', "two\nlines", "é", "null"],
        }
    )
    extract(frame, ["toy", "first_order"], out=tmp_path / "t.csv")
    extract(frame, ["toy", "first_order"], out=tmp_path / "t.parquet")
    _parquet.to_csv(tmp_path / "t.parquet", tmp_path / "back.csv")
    assert (tmp_path / "back.csv").read_bytes() == (tmp_path / "t.csv").read_bytes()


def test_without_pyarrow_the_error_comes_before_the_work(lesions, tmp_path, monkeypatch):
    monkeypatch.setattr(_parquet, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'tumortrace\[parquet\]'"):
        extract(lesions, FAST, out=tmp_path / "t.parquet")
    assert not list(tmp_path.glob("t.parquet*"))
