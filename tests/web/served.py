"""A demo that runs, and what `tumortrace predict` says of the same pixels."""

import os
import signal
import subprocess
import sys
import warnings
from pathlib import Path

import pandas as pd

from tumortrace.cli import main


class Demo:
    """A demo that runs.

    Attributes
    ----------
    address : str
        Of the page.
    models, flags, temporary : Path
        The folder of its models, that of its flags, and the one in which it makes its private folder.
    """

    def __init__(self, models, folder):
        self.models, self.flags, self.temporary = models, folder / "flags", folder / "tmp"
        self.temporary.mkdir()
        command = [sys.executable, "-m", "tumortrace", "demo", models, "--port", "0", "--flag", self.flags]
        environment = os.environ | {"TMPDIR": str(self.temporary), "OMP_NUM_THREADS": "2"}
        self.log = (folder / "log").open("w+")
        self.process = subprocess.Popen(
            list(map(str, command)), stdout=subprocess.PIPE, stderr=self.log, text=True, env=environment
        )
        lines = iter(self.process.stdout.readline, "")
        self.address = next((line.split()[0] for line in lines if line.startswith("http://")), None)
        assert self.address is not None, Path(self.log.name).read_text()

    @property
    def errors(self):
        """What the process has written to stderr."""
        return Path(self.log.name).read_text()

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=30)
        self.log.close()
        return self.process.returncode


def predicted(model, rows, folder):
    """Return the table that ``tumortrace predict`` writes for the rows of a manifest."""
    manifest, table = folder / "manifest.csv", folder / "predictions.csv"
    pd.DataFrame(rows).to_csv(manifest, index=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the models know these lesions from their training
        assert main(["predict", str(model), str(manifest), "-o", str(table), "--jobs", "1", "--quiet"]) == 0
    return pd.read_csv(table)
