"""Every example runs to its end in an empty folder, and prints what its notebook in the gallery shows."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
NUMBER = re.compile(r"[-+]?\d+(\.\d+)?(e[-+]\d+)?")


def words(text):
    """Return a text without its numbers, whose last digits may depend on the machine, and the space around them."""
    return NUMBER.sub("#", text).split()


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example_runs(path, tmp_path):
    done = subprocess.run([sys.executable, path], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout
    notebook = ROOT / "docs" / "gallery" / f"{path.stem}.ipynb"
    if notebook.exists():
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        printed = [line for cell in cells for output in cell.get("outputs", ()) for line in output.get("text", ())]
        assert words(done.stdout) == words("".join(printed))


def test_there_are_examples():
    assert len(EXAMPLES) >= 8
