"""One direction of imports, and a light start."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import tumortrace

PACKAGE = Path(tumortrace.__file__).parent
HEAVY = {
    "numba",
    "torch",
    "torchvision",
    "xgboost",
    "skops",
    "sklearn",
    "gradio",
    "pandas",
    "cv2",
    "scipy",
    "matplotlib",
    "numpy",
    "shap",
    "jinja2",
    "nibabel",
    "nrrd",
    "pydicom",
    "highdicom",
    "pywt",
}
# a part of the package: the parts it may import
ALLOWED = {
    "features": {"_check", "_numba"},
    "io": {"_check"},
    "filters": {"_check", "_numba", "_entry", "features"},
    "preprocess": {"_check", "_numba", "_entry"},
    "regions": {"_check", "_entry"},
    "table": {"_check", "_entry", "_numba", "features", "io", "filters", "preprocess", "regions"},
    "conformance": {"_check", "_entry", "features", "io", "table"},
    "stability": {"_check", "_entry", "evaluation", "table"},
    "evaluation": {"_check"},
    "deep": {"_check", "io"},
    "fusion": {"_check", "evaluation"},
    "model": {"_check", "features", "io", "table", "deep", "fusion", "evaluation"},
    "explain": {"_check", "features", "io", "table", "fusion", "evaluation", "deep", "model"},
    "report": {"_check", "features", "io", "table", "fusion", "evaluation", "deep", "model", "explain"},
    "web": {"_check", "features", "io", "table", "fusion", "evaluation", "deep", "model", "explain", "report"},
}


def imported_parts(path):
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            parts = name.split(".")
            if parts[0] == "tumortrace" and len(parts) > 1:
                yield parts[1]


@pytest.mark.parametrize("part", sorted(ALLOWED))
def test_imports_go_one_way(part):
    files = sorted((PACKAGE / part).rglob("*.py"))
    assert files
    for path in files:
        outside = {p for p in imported_parts(path) if (PACKAGE / p).exists() or (PACKAGE / f"{p}.py").exists()} - {
            part
        }
        assert outside <= ALLOWED[part], f"{path.relative_to(PACKAGE)} imports {outside - ALLOWED[part]}"


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import tumortrace", HEAVY),
        ("import tumortrace.features", HEAVY - {"numba", "numpy"}),
        ("import tumortrace.cli", HEAVY),
    ],
)
def test_import_loads_nothing_heavy(statement, absent):
    code = f"{statement}; import sys; print(*sorted({absent!r} & set(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    # importing numba imports scipy where it is installed; that is numba's business
    assert [name for name in loaded if not ("features" in statement and name == "scipy")] == []
