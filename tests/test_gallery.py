"""The notebooks are what their command makes of the scripts, and small, and of no particular machine.

That the scripts run, and print what the notebooks show, is tested with the other examples.
"""

import base64
import io
import re
import runpy
from pathlib import Path

import nbformat
import pytest
from PIL import Image

ROOT = Path(__file__).parents[1]
GALLERY = ROOT / "docs" / "gallery"
COMMAND = runpy.run_path(str(ROOT / "docs" / "gallery.py"))
NAMES = COMMAND["NAMES"]
LARGEST = 400_000

every_notebook = pytest.mark.parametrize("name", NAMES)


def kept(name, folder=GALLERY):
    return nbformat.read(folder / f"{name}.ipynb", as_version=4)


def outputs(notebook):
    return [output for cell in notebook.cells for output in cell.get("outputs", ())]


def texts(notebook):
    return [output["text"] for output in outputs(notebook) if output["output_type"] == "stream"]


@every_notebook
def test_cells_are_those_of_the_script(name):
    script, notebook = COMMAND["source"](name), kept(name)
    for one, other in zip(script.cells, notebook.cells, strict=True):
        assert (one.cell_type, one.source, one.id) == (other.cell_type, other.source, other.id)
        assert one.metadata == other.metadata


@every_notebook
def test_every_cell_has_run_in_order_and_without_complaint(name):
    notebook = kept(name)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == [*range(1, len(code) + 1)]
    assert {output["output_type"] for output in outputs(notebook)} <= {"stream", "execute_result", "display_data"}
    assert {output["name"] for output in outputs(notebook) if output["output_type"] == "stream"} == {"stdout"}
    for cell in code:
        assert [output["output_type"] for output in cell.outputs].count("stream") <= 1


@every_notebook
def test_notebooks_are_small_and_of_no_machine(name):
    path = GALLERY / f"{name}.ipynb"
    assert path.stat().st_size < LARGEST
    assert set(kept(name).metadata) == {"kernelspec", "language_info"}
    assert kept(name).metadata["language_info"] == {"name": "python"}
    assert not [cell.source for cell in kept(name).cells if re.search(r"\]\((?!https://)", cell.source)]
    for text in texts(kept(name)):
        assert not re.search(r"/(home|root|tmp|Users|var|work)/|[A-Z]:\\|\d\d:\d\d", text), text


@every_notebook
def test_the_thumbnail_is_a_picture_of_the_notebook(name):
    drawn = [output["data"]["image/png"] for output in outputs(kept(name)) if "image/png" in output.get("data", {})]
    assert drawn
    assert all(Image.open(io.BytesIO(base64.b64decode(data))).size > (400, 100) for data in drawn)
    with Image.open(GALLERY / f"{name}.png") as small:
        assert small.tobytes() == Image.open(io.BytesIO(COMMAND["thumbnail"](kept(name)))).tobytes()


def test_the_index_shows_each_notebook():
    text = (GALLERY / "index.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\((\w+)\.png\)\]\(\w+\.ipynb\)", text)) == set(NAMES)
    assert set(re.findall(r"\*\*\[[^]]+\]\((\w+)\.ipynb\)\*\*", text)) == set(NAMES)
    assert (
        {path.stem for path in GALLERY.glob("*.ipynb")}
        == {path.stem for path in GALLERY.glob("*.png")}
        == set(NAMES)
    )


def test_the_command_makes_what_is_kept(tmp_path):
    COMMAND["main"](["from_pyradiomics"], tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"from_pyradiomics.ipynb", "from_pyradiomics.png"}
    made = kept("from_pyradiomics", tmp_path)
    assert texts(made) == texts(kept("from_pyradiomics"))
    assert [cell.source for cell in made.cells] == [cell.source for cell in kept("from_pyradiomics").cells]
