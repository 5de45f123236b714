import pickle

import numpy as np
import pytest

from tumortrace.features import FeatureVector

NAMES = ("contrast", "energy", "entropy", "mean", "variance")
VECTOR = FeatureVector(NAMES, np.arange(5.0))


def test_reads_like_a_mapping():
    assert VECTOR["energy"] == 1.0
    assert list(VECTOR) == list(NAMES)
    assert len(VECTOR) == 5
    assert "mean" in VECTOR
    assert dict(VECTOR) == VECTOR.to_dict()


def test_unknown_name_suggests_the_near_one():
    with pytest.raises(KeyError, match="near it: contrast"):
        VECTOR["contrst"]


def test_converts_without_losing_anything():
    assert np.asarray(VECTOR).dtype == np.float64
    assert np.asarray(VECTOR, dtype=np.float32).dtype == np.float32
    assert np.array(VECTOR, copy=True).flags.writeable
    assert VECTOR.to_series()["variance"] == 4.0
    copy = pickle.loads(pickle.dumps(FeatureVector(("a",), [np.nan], "one pixel")))
    assert copy.reason == "one pixel"
    assert np.isnan(copy["a"])


def test_is_read_only():
    with pytest.raises(ValueError, match="read-only"):
        np.asarray(VECTOR)[0] = 1


def test_repr_is_short_and_gives_the_reason():
    assert repr(VECTOR) == "FeatureVector(contrast=0, energy=1, entropy=2, mean=3, … 1 more)"
    assert repr(FeatureVector(("a",), [np.nan], "one pixel")) == "FeatureVector(a=nan; one pixel)"


def test_names_and_values_must_agree():
    with pytest.raises(ValueError, match="one number for each of the 5 names"):
        FeatureVector(NAMES, [1.0])
