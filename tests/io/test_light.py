"""Importing the package loads neither pandas nor Pillow nor scipy, and no package of a medical format."""

import subprocess
import sys


def test_import_is_light():
    heavy = {"pandas", "PIL", "scipy", "numba", "nibabel", "nrrd", "pydicom", "highdicom"}
    code = f"import tumortrace.io, sys; print(*sorted({heavy!r} & set(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert loaded == []
