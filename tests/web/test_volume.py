"""A volume on the page: slices, maps and features of a region of its mask, and what is wrong said in words."""

import csv
import zipfile

import dicoms
import numpy as np
import pytest

from tumortrace import io
from tumortrace.table import Settings
from tumortrace.web._error import DemoError
from tumortrace.web._measures import measures
from tumortrace.web._volumes import read_image, read_region

pytest.importorskip("nibabel")

EXACT = 1e-9
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
PLACE = {"spacing": (3.0, 0.8, 0.8), "origin": (5.0, -20.0, 30.0), "direction": np.eye(3)[::-1]}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A volume, its mask of two regions, and everything that is wrong with others."""
    folder = tmp_path_factory.mktemp("volumes")
    rng = np.random.default_rng(11)
    array = rng.integers(0, 500, (9, 30, 28)).astype(np.int16)
    labels = np.zeros(array.shape, np.uint8)
    labels[2:7, 8:20, 7:19] = 1
    labels[3:5, 24:28, 22:26] = 2
    like = io.Image(array, **PLACE)
    found = {name: folder / f"{name}.nii.gz" for name in ("volume", "mask", "moved", "empty", "cut")}
    io.write_nifti(found["volume"], array, like)
    io.write_nifti(found["mask"], labels, like)
    io.write_nifti(found["moved"], labels, io.Image(array, **{**PLACE, "origin": (9.0, -20.0, 30.0)}))
    io.write_nifti(found["empty"], 0 * labels, like)
    found["cut"].write_bytes(found["volume"].read_bytes()[:-600])
    found["text"] = folder / "notes.nii"
    found["text"].write_text("no volume")
    dicoms.write_series(folder / "ct", array.astype(np.uint16))
    found["zip"], found["bomb"] = folder / "ct.zip", folder / "bomb.zip"
    with zipfile.ZipFile(found["zip"], "w") as packed:
        for path in sorted((folder / "ct").iterdir()):
            packed.write(path, f"patient/{path.name}")
    with zipfile.ZipFile(found["bomb"], "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("a.dcm", bytes(2**28))
    return found


@pytest.fixture
def page(request, demo, browser):
    """The tab of volumes; nothing may be logged, nothing asked of elsewhere, and nothing is wider than the page."""
    size = getattr(request, "param", DESKTOP)
    context = browser.new_context(viewport=size, accept_downloads=True)
    found = context.new_page()
    wrong = []
    found.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    found.on("pageerror", lambda error: wrong.append(str(error)))
    own = (f"{demo.address}/", "data:", "blob:")
    found.on("request", lambda asked: None if asked.url.startswith(own) else wrong.append(asked.url))
    found.goto(demo.address)
    found.get_by_role("tab", name="Volume").click()
    found.wait_for_selector("#volume-analyse")
    yield found
    assert wrong == []
    assert found.evaluate("document.documentElement.scrollWidth") <= size["width"]
    context.close()


def give(page, image, mask=None):
    page.set_input_files("#volume-file input[type=file]", str(image))
    if mask is not None:
        page.set_input_files("#volume-mask input[type=file]", str(mask))


def pixels(page):
    return page.locator("#volume-canvas").evaluate("canvas => canvas.toDataURL()")


@pytest.mark.parametrize("page", [DESKTOP, PHONE], indirect=True, ids=["desktop", "phone"])
def test_slices_maps_and_features_of_an_upload(page, files, tmp_path):
    give(page, files["volume"], files["mask"])
    page.wait_for_selector("#volume-canvas:visible")
    before = pixels(page)
    page.locator("#volume-slice").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("old => document.querySelector('#volume-canvas').toDataURL() !== old", arg=before)
    page.locator("#volume-analyse").click()
    page.wait_for_selector("#result-measures")
    page.locator("#volume-overlay option").nth(1).wait_for(state="attached")
    plain = pixels(page)
    page.select_option("#volume-overlay", "glcm_joint_entropy")
    page.wait_for_function("old => document.querySelector('#volume-canvas').toDataURL() !== old", arg=plain)
    assert page.locator("#volume-scale").is_visible()
    with page.expect_download() as started:
        page.locator("#result-download").click()
    started.value.save_as(tmp_path / "features.csv")
    with (tmp_path / "features.csv").open() as file:
        shown = {row["feature"]: row["value"] for row in csv.DictReader(file)}
    lesion = io.read_lesion(files["volume"], files["mask"], label=1)
    settings = Settings.of(preset="ibsi")
    wanted, _ = settings.compute(lesion.array, lesion.mask, lesion.spacing, lesion.direction, lesion.origin)
    assert list(shown) == list(settings.columns)
    np.testing.assert_allclose([float(v) for v in shown.values()], wanted, rtol=EXACT)
    assert "no medical device" in page.locator("body").inner_text()


def test_the_example_and_its_other_region(page):
    page.locator("#volume-example-0").click()
    page.wait_for_selector("#volume-canvas:visible")
    first = page.locator("#volume-given").inner_text()
    assert "region 1 of 2" in first
    page.locator("#volume-label input").click()
    page.get_by_role("option", name="2").click()
    page.wait_for_function("old => document.querySelector('#volume-given').innerText !== old", arg=first)
    assert "region 2 of 2" in page.locator("#volume-given").inner_text()


@pytest.mark.parametrize(
    ("image", "mask", "words"),
    [
        ("cut", None, "is cut short"),
        ("text", None, "is cut short: 9 bytes"),
        ("volume", "moved", "lies on another grid"),
    ],
)
def test_what_is_wrong_is_said_in_words(page, files, image, mask, words):
    give(page, files[image], files[mask] if mask else None)
    page.wait_for_selector("#fault")
    assert words in page.locator("#fault").inner_text()
    assert "Error" not in page.locator("#fault").inner_text()


def test_a_mask_on_another_grid_can_be_brought_over(page, files):
    page.locator("#volume-resample input").check()
    give(page, files["volume"], files["moved"])
    page.wait_for_selector("#volume-canvas:visible")
    assert page.locator("#fault").count() == 0


def test_a_zip_of_dicom_files_is_a_volume(files, tmp_path):
    image = read_image(str(files["zip"]), "ct.zip", tmp_path)
    np.testing.assert_array_equal(image.array, io.read_volume(files["zip"].with_suffix("")).array)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("name", "words"), [("bomb", "bomb.zip"), ("cut", "cut short"), ("text", "notes.nii")])
def test_a_file_that_is_no_volume_is_refused_and_nothing_is_left(files, tmp_path, name, words):
    with pytest.raises(DemoError, match=words):
        read_image(str(files[name]), files[name].name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_mask_without_a_region_is_refused(files, tmp_path):
    image = read_image(str(files["volume"]), "v.nii.gz", tmp_path)
    with pytest.raises(DemoError, match="no voxel is inside"):
        read_region(image, str(files["empty"]), "empty.nii.gz", tmp_path)


@pytest.mark.parametrize("preset", ["ibsi", "pyradiomics"])
def test_measures_are_those_of_the_table(files, tmp_path, preset):
    image = read_image(str(files["volume"]), "v.nii.gz", tmp_path)
    volume = read_region(image, str(files["mask"]), "m.nii.gz", tmp_path, label=2)
    found = measures(volume, preset)
    settings = Settings.of(preset=preset)
    lesion = io.read_lesion(files["volume"], files["mask"], label=2)
    wanted, _ = settings.compute(lesion.array, lesion.mask, lesion.spacing, lesion.direction, lesion.origin)
    np.testing.assert_array_equal([row.value for row in found.rows], wanted)
    assert found.csv.decode().count("\n") == len(wanted) + 1
    assert bool(found.leaves) == (preset == "pyradiomics")
