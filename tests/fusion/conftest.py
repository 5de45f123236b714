import numpy as np
import pytest
from threadpoolctl import threadpool_limits


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """On matrices as small as these, threads of BLAS only wait for each other."""
    with threadpool_limits(1):
        yield


@pytest.fixture
def cohort(rng):
    """Rows of 40 patients: columns 0 to 2 tell the class, 3 to 11 are noise; labels 0 and 1; the patients."""
    patients = np.repeat(np.arange(40), 3)
    y = patients % 2
    shared = rng.normal(size=(40, 12))[patients]
    X = shared + 0.5 * rng.normal(size=(120, 12))
    X[:, :3] += 1.5 * y[:, None]
    return X, y, patients
