import numpy as np
import pytest


@pytest.fixture
def cohort(rng):
    """Rows of 40 patients: columns 0 to 2 tell the class, 3 to 11 are noise; labels 0 and 1; the patients."""
    patients = np.repeat(np.arange(40), 3)
    y = patients % 2
    shared = rng.normal(size=(40, 12))[patients]
    X = shared + 0.5 * rng.normal(size=(120, 12))
    X[:, :3] += y[:, None]
    return X, y, patients
