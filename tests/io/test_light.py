"""Importing the package loads neither pandas nor Pillow nor scipy."""

import subprocess
import sys


def test_import_is_light():
    code = "import tumortrace.io, sys; print(*sorted({'pandas', 'PIL', 'scipy', 'numba'} & set(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert loaded == []
