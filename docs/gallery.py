"""Make the notebooks of the gallery, with their outputs, from the scripts: ``python docs/gallery.py [NAME …]``.

The source are the scripts in ``examples/`` that are written in cells; edit those. Each runs from top to bottom in
an empty folder. Its picture on the index page is what the cell marked ``thumbnail=true`` draws.
"""

import base64
import io
import os
import sys
import tempfile
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from PIL import Image, ImageOps

ROOT = Path(__file__).parents[1]
GALLERY = ROOT / "docs" / "gallery"
NAMES = ("first_features", "breadm_study", "from_pyradiomics", "write_an_extractor")
_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
_THUMBNAIL = (480, 300)


def source(name):
    """Return the script `name` as a notebook that has not run; its cells have the same ids every time."""
    notebook = jupytext.read(ROOT / "examples" / f"{name}.py", fmt="py:percent")
    notebook.metadata = _METADATA
    for k, cell in enumerate(notebook.cells):
        cell.id = f"cell-{k}"
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


def run(notebook):
    """Run a notebook in an empty folder, and keep neither when nor with which Python."""
    with tempfile.TemporaryDirectory() as folder:
        resources = {"metadata": {"path": folder}}
        client = NotebookClient(
            notebook, timeout=300, record_timing=False, coalesce_streams=True, resources=resources
        )
        client.execute()
    notebook.metadata = _METADATA
    nbformat.validate(notebook)
    return notebook


def thumbnail(notebook):
    """Return the picture that the cell marked ``thumbnail`` drew, made small, as the bytes of a PNG."""
    (cell,) = (cell for cell in notebook.cells if "thumbnail" in cell.metadata)
    (drawn,) = (output["data"]["image/png"] for output in cell.outputs if "data" in output)
    whole = Image.open(io.BytesIO(base64.b64decode(drawn))).convert("RGB")
    small = ImageOps.pad(whole, _THUMBNAIL, Image.Resampling.LANCZOS, color="white")
    content = io.BytesIO()
    small.save(content, "PNG", optimize=True)
    return content.getvalue()


def main(names=(), out=GALLERY):
    """Write notebooks, of all scripts by default, and their thumbnails into a folder."""
    out.mkdir(parents=True, exist_ok=True)
    for name in names or NAMES:
        notebook = run(source(name))
        _put(out / f"{name}.ipynb", nbformat.writes(notebook).encode() + b"\n")
        _put(out / f"{name}.png", thumbnail(notebook))
        print(out / f"{name}.ipynb")


def _put(path, content):
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_bytes(content)
    draft.replace(path)


if __name__ == "__main__":
    main(sys.argv[1:])
