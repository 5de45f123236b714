"""What the tests of networks share."""

import pytest
import torch


@pytest.fixture(autouse=True, scope="package")
def one_thread():
    """Images of a few pixels are not worth threads, which wait for each other on a busy machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
