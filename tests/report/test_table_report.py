"""The report of a table of features: what it says is what the table and its record say."""

import re
import shutil
from html import unescape
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tumortrace import io
from tumortrace.cli import main
from tumortrace.report import write_report
from tumortrace.table import Settings, extract

pytest.importorskip("nibabel")

SETTINGS = {
    "preprocess": {"range": [0, None]},
    "filters": ["original", "square"],
    "first_order": {},
    "glcm": {"bin_width": 25, "first_edge": "pyradiomics"},
    "hog": {},
}


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """A table of six volumes of four patients, and of one that is cut short."""
    folder = tmp_path_factory.mktemp("volumes")
    rng = np.random.default_rng(3)
    rows = []
    for i in range(6):
        array = rng.integers(0, 300 + 100 * (i % 2), (7, 24, 20)).astype(np.int16)
        mask = np.zeros(array.shape, np.uint8)
        mask[2 : 4 + i % 2, 6:16, 5:15] = 1
        like = io.Image(array, spacing=(3.0, 0.8, 0.8), origin=(0.0, 0.0, 0.0), direction=np.eye(3)[::-1])
        io.write_nifti(folder / f"v{i}.nii.gz", array, like)
        io.write_nifti(folder / f"m{i}.nii.gz", mask, like)
        rows.append((f"v{i}.nii.gz", f"m{i}.nii.gz", "Malignant" if i % 2 else "Benign", f"P{i % 4}"))
    (folder / "cut.nii.gz").write_bytes((folder / "v0.nii.gz").read_bytes()[:-900])
    rows.append(("cut.nii.gz", "m0.nii.gz", "Benign", "P9"))
    pd.DataFrame(rows, columns=["Image", "Mask", "Label", "Patient"]).to_csv(folder / "manifest.csv", index=False)
    extract(folder / "manifest.csv", Settings.of(SETTINGS), out=folder / "features.csv", jobs=1)
    return folder / "features.csv"


@pytest.fixture(scope="module")
def page(table):
    return write_report(table, table.with_name("report.html"), maps=["glcm_contrast"], images=2)


@pytest.fixture(scope="module")
def text(page):
    html = re.sub("<style>.*?</style>|<[^>]+>", " ", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    return re.sub(r"\s+", " ", unescape(html))


def test_it_says_what_the_table_is(text, table):
    columns = len(Settings.of(SETTINGS).columns)
    assert f"{columns} features of 7 rows" in text
    assert "Research use only, no medical device" in text
    assert "1 row failed and has no features" in text
    assert "is cut short" in text
    assert str(table.parent) not in text


def test_it_names_every_deviation_from_ibsi(text):
    for sentence in Settings.of(SETTINGS).deviations:
        words = sentence.rstrip(".").split(": ")[-1]
        assert words in text


def test_a_table_without_deviations_says_so(table, tmp_path):
    out = tmp_path / "ibsi.csv"
    volume = table.with_name("v0.nii.gz")
    extract([volume], Settings.of(["glcm"]), masks=[table.with_name("m0.nii.gz")], out=out, jobs=1)
    html = write_report(out, tmp_path / "r.html", images=0).read_text(encoding="utf-8")
    assert "None: the settings follow the IBSI." in html


def test_quartiles_are_those_of_the_table(text, table):
    found = pd.read_csv(table)["first_order_mean"].dropna()
    low, middle, high = np.quantile(found, [0.25, 0.5, 0.75])
    shown = re.search(r"first_order_mean (\S+) (\S+) to (\S+) 0", text)
    assert [float(number.replace(",", "")) for number in shown.groups()] == pytest.approx(
        [middle, low, high], rel=2e-3
    )


def test_classes_are_compared_by_patient_and_doubted(text):
    assert "this is no validated model" in text
    assert "Malignant" in text


def test_every_slice_of_a_lesion_has_a_layer(page):
    html = page.read_text(encoding="utf-8")
    names = re.findall(r'name="(stack-\d+)"', html)
    counts = {name: names.count(name) for name in names}
    assert len(counts) == 2
    assert set(counts.values()) <= {2, 3}
    assert "<script" not in html


def test_the_arrow_keys_lead_through_the_slices(page):
    sync_api = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium is not installed")
    said = []
    with sync_api.sync_playwright() as p:
        browser = p.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        tab = browser.new_page(viewport={"width": 390, "height": 800})
        tab.on("console", lambda message: said.append(message.text))
        tab.on("request", lambda request: said.append(request.url) if request.url.startswith("http") else None)
        tab.goto(page.as_uri())
        first = tab.locator(".stack").first
        checked = first.locator("input:checked")
        before = checked.get_attribute("id")
        shown = first.locator(".layer:visible").inner_html()
        checked.focus()
        tab.keyboard.press("ArrowRight")
        assert first.locator("input:checked").get_attribute("id") != before
        assert first.locator(".layer:visible").count() == 1
        assert first.locator(".layer:visible").inner_html() != shown
        assert tab.evaluate("document.documentElement.scrollWidth") <= 390
        browser.close()
    assert said == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"source": "x"}, "source"),
        ({"maps": ["glcm_contrst"]}, "contrst"),
        ({"rows": [99]}, "99"),
    ],
)
def test_what_makes_no_sense_is_said(table, tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        write_report(table, tmp_path / "r.html", **options)


def test_a_table_of_something_else_is_refused(tmp_path):
    Path(tmp_path / "t.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match="no table that a report can be on"):
        write_report(tmp_path / "t.csv", tmp_path / "r.html")


def test_the_command_writes_it(table, tmp_path, capsys):
    assert main(["report", str(table), "-o", str(tmp_path / "r.html"), "--maps", "none", "--images", "1"]) == 0
    assert (tmp_path / "r.html").exists()
    assert "no medical device" in capsys.readouterr().out
