"""What every test shares: seeded hypothesis, and the research data where the machine has them."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "seeded", derandomize=True, deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("seeded")


@pytest.fixture
def rng():
    return np.random.default_rng(20260101)


@pytest.fixture(scope="session")
def data_root():
    """The folder of research data; a skip that says so where TUMORTRACE_DATA is not set."""
    folder = os.environ.get("TUMORTRACE_DATA")
    if not folder:
        pytest.skip(
            "TUMORTRACE_DATA is not set: this test compares with research data that are not in the repository"
        )
    root = Path(folder)
    assert root.is_dir(), f"TUMORTRACE_DATA is {folder}, which is no folder"
    return root
