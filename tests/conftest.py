"""What every test shares: seeded hypothesis, and the research data where the machine has them."""

import os
from pathlib import Path

if (
    "PYTEST_XDIST_WORKER" in os.environ
):  # the processors are shared: one thread each, said before numpy and torch load
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(variable, "1")

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

DEMO = tuple(f"tests/web/test_{name}.py" for name in ("page", "load", "answer", "details", "shelf", "volume"))

settings.register_profile(
    "seeded", derandomize=True, deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("seeded")


def pytest_configure(config):
    """Compile the kernels once before several processes would: they load them from the cache then."""
    import numba

    many = getattr(config.option, "numprocesses", None) and not hasattr(config, "workerinput")
    if many and not numba.config.DISABLE_JIT:
        from tumortrace.features import FEATURES, STACK_FEATURES, first_order_map, glcm_map
        from tumortrace.filters import gradient
        from tumortrace.table import Settings

        Settings.of(preset="all")  # most of it, side by side
        for dtype in (np.uint8, np.float64):
            image = np.random.default_rng(0).integers(0, 200, (3, 24, 26)).astype(dtype)
            for extractor in FEATURES.values():
                extractor(image)
                extractor(image, image > 50)
            for extractor in STACK_FEATURES.values():
                extractor(image)
        glcm_map(image, image > 50, window=3)
        first_order_map(image, image > 50, window=3)
        gradient(image)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Send all tests of the demo's models to one process, first: training and serving them once is enough."""
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return "demo" if nodeid.startswith(DEMO) else nodeid

    return Scheduling(config, log)


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
