"""Every block of code in the README and the docs runs, and every picture and page they name is there.

The python blocks of a file share a namespace and run in order with its console blocks, in a folder that holds
`lesions/`, `lesion.png` and `lesion_mask.png`. Blocks of plain text show output and are not run. The two commands
of the README make environments of their own; `.ci/run` runs them as printed.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tumortrace.io import synthetic

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^( *)```(\w+)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
RUNS, SHOWS = {"python", "console", "bash"}, {"text", "yaml"}


def blocks(page):
    return [(kind, code) for _, kind, code in BLOCK.findall(page.read_text(encoding="utf-8"))]


@pytest.fixture(scope="session")
def prepared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("docs")
    synthetic.make_lesions(folder / "lesions", patients=12)
    largest = max((folder / "lesions").rglob("*C2/*.jpg"), key=os.path.getsize)
    with Image.open(largest) as lesion:
        lesion.save(folder / "lesion.png")
        width, height = lesion.size
    mask = np.zeros((height, width), np.uint8)
    mask[height // 4 : -height // 4, width // 4 : -width // 4] = 255
    Image.fromarray(mask).save(folder / "lesion_mask.png")
    return folder


@pytest.mark.parametrize("page", [p for p in PAGES if blocks(p)], ids=lambda p: p.stem)
def test_blocks_run(page, prepared, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.chdir(shutil.copytree(prepared, tmp_path / "docs"))
    namespace = {"__name__": "__main__"}
    for kind, code in blocks(page):
        assert kind in RUNS | SHOWS, f"a block of {kind}: is it to be run?"
        if kind == "python":
            exec(compile(code, f"{page.name}: {code[:60]!r}", "exec"), namespace)
        elif kind in RUNS and not (page.name == "README.md" and code.startswith("python3 -m venv")):
            done = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", code], capture_output=True, text=True, timeout=300
            )
            assert done.returncode == 0, f"{code}\n{done.stderr}"


def test_the_readme_has_its_two_commands():
    commands = [code for kind, code in blocks(ROOT / "README.md") if code.startswith("python3 -m venv")]
    assert len(commands) == 2
    assert all(command.count("\n") == 1 for command in commands)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\((?!https?://)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_the_pictures_are_drawn_by_their_script(tmp_path):
    subprocess.run([sys.executable, ROOT / "docs" / "pictures.py", tmp_path], check=True, timeout=120)
    drawn, kept = ({p.name for p in folder.iterdir()} for folder in (tmp_path, ROOT / "docs" / "img"))
    assert drawn == kept


def test_the_page_of_names_is_written_by_its_script(tmp_path):
    written = tmp_path / "nomenclature.md"
    subprocess.run([sys.executable, ROOT / "docs" / "nomenclature.py", written], check=True, timeout=120)
    assert written.read_text(encoding="utf-8") == (ROOT / "docs" / "nomenclature.md").read_text(encoding="utf-8")
