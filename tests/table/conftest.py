import os
import subprocess
import sys
from pathlib import Path

import pytest
from table.toy import toy, write_images

from tumortrace.features import FEATURES

# what runs the tests may have been started with Ctrl-C ignored, as shells do in the background
PROGRAM = """
import signal
import sys

signal.signal(signal.SIGINT, signal.default_int_handler)

from table.toy import toy
from tumortrace.cli import main
from tumortrace.features import FEATURES

FEATURES["toy"] = toy
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def toy_extractor(monkeypatch):
    monkeypatch.setitem(FEATURES, "toy", toy)


@pytest.fixture
def lesions(tmp_path):
    return write_images(tmp_path / "lesions", 30)


@pytest.fixture
def start(tmp_path):
    """Start a program like `tumortrace`, without a main guard, that has the toy extractor too.

    The toy takes two seconds for images of `stops_at` rows: time to interrupt it.
    """
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)

    def run(*arguments, stops_at=0):
        env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), "TOY_STOPS_AT_ROWS": str(stops_at)}
        command = [sys.executable, str(path), *map(str, arguments)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)

    return run
