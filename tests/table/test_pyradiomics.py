"""Parameter files of PyRadiomics: what becomes of each setting, and that the numbers follow.

`pyradiomics_settings.json` holds what PyRadiomics 3.0.1 gave for made-up volumes; `make_pyradiomics_settings.py`,
beside it, made both.
"""

import json
import runpy
from pathlib import Path

import numpy as np
import pytest

from tumortrace.features import FEATURES, first_order, ngtdm, shape
from tumortrace.features._nomenclature import PYRADIOMICS_CLASSES, TERMS
from tumortrace.table import Settings, from_pyradiomics
from tumortrace.table._names import image_type, pyradiomics_names
from tumortrace.table._pyradiomics import CLASSES

DATA = Path(__file__).parents[1] / "features" / "data"
THEIRS = {case["case"]: case for case in json.loads((DATA / "pyradiomics_settings.json").read_text())["cases"]}
NOTHING = {"grid": "pyradiomics", "mask_interpolation": "nearest", "rounding": "dtype"}


@pytest.fixture(scope="module")
def made():
    return runpy.run_path(str(DATA / "make_pyradiomics_settings.py"))


@pytest.mark.parametrize("case", THEIRS)
def test_the_numbers_are_those_of_pyradiomics(made, case):
    volume, parameters, expected = (THEIRS[case][key] for key in ("volume", "parameters", "features"))
    assert parameters == made["CASES"][case][1]
    image, mask = made["volume"](volume)
    settings = Settings.of(from_pyradiomics(parameters))
    values, _ = settings.compute(image.astype(np.int16), mask, made["SPACINGS"][volume])
    found = dict(zip(settings.columns, values, strict=True))
    assert set(found) >= set(expected)
    if "imageType" not in parameters:
        assert set(found) == set(expected)
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=1e-3 if "_shape" in name else 1e-6, abs=1e-9), name


def test_the_defaults():
    settings = from_pyradiomics()
    assert settings == from_pyradiomics({}) == from_pyradiomics({"setting": None, "imageType": {}})
    bins = {"bin_width": 25, "first_edge": "pyradiomics"}
    assert settings == {
        "preprocess": NOTHING,
        "filters": ["original"],
        "mask": {"label": 1, "resample": False},
        "names": "pyradiomics",
        "first_order": bins,
        "morphology": {},
        "glcm": {**bins, "aggregation": "3d_average"},
        "glrlm": {**bins, "aggregation": "3d_average"},
        "glszm": {**bins, "aggregation": "3d"},
        "ngldm": {**bins, "aggregation": "3d"},
        "ngtdm": {**bins, "aggregation": "3d", "lone_pixels": True},
    }
    assert Settings.of(settings) == Settings.of(preset="pyradiomics")
    assert len(Settings.of(settings).columns) == 107


def test_a_file_is_read(tmp_path):
    yaml = tmp_path / "Params.yaml"
    yaml.write_text("setting:\n  binWidth: 10\n  label: 2\nfeatureClass:\n  glcm:\n")
    settings = from_pyradiomics(yaml)
    assert settings["glcm"]["bin_width"] == 10
    assert settings["mask"]["label"] == 2
    assert set(settings) == {"preprocess", "filters", "mask", "names", "glcm"}
    as_json = tmp_path / "Params.json"
    as_json.write_text(json.dumps({"setting": {"binWidth": 10, "label": 2}, "featureClass": {"glcm": None}}))
    assert from_pyradiomics(str(as_json)) == settings
    assert from_pyradiomics({"binWidth": 10, "label": 2})["glcm"] == settings["glcm"]  # the settings alone


@pytest.mark.parametrize(
    ("setting", "preprocess"),
    [
        ({"resampledPixelSpacing": [1, 2, 3]}, {"spacing": [3, 2, 1], "interpolation": "cubic", "padding": 5}),
        (
            {"resampledPixelSpacing": [1, 1, 0], "interpolator": 2, "padDistance": 8},
            {"spacing": [0, 1, 1], "interpolation": "linear", "padding": 8},
        ),
        ({"resampledPixelSpacing": [1, 1, 1], "interpolator": None}, {}),
        ({"preCrop": True}, {"padding": 5}),
        ({"normalize": True, "removeOutliers": 3}, {"normalise": {"scale": 1, "outliers": 3}}),
        ({"normalizeScale": 100}, {}),
        ({"resegmentRange": [400, -500]}, {"range": [-500, 400], "range_mode": "absolute"}),
        (
            {"resegmentRange": [0.4], "resegmentMode": "relative"},
            {"range": [0.4, None], "range_mode": "relative"},
        ),
    ],
)
def test_preprocessing(setting, preprocess):
    assert from_pyradiomics({"setting": setting})["preprocess"] == {**NOTHING, **preprocess}


def test_textures():
    settings = from_pyradiomics({"setting": {"force2D": True, "binCount": 64, "weightingNorm": "no_weighting"}})
    bins = {"levels": 64, "first_edge": "pyradiomics"}
    assert settings["glrlm"] == settings["glcm"] == {**bins, "aggregation": "2.5d_volume_merge"}
    assert settings["glszm"] == {**bins, "aggregation": "2.5d"}
    assert from_pyradiomics({"force2D": True})["glcm"]["aggregation"] == "2.5d_direction_merge"
    assert from_pyradiomics({"weightingNorm": "no_weighting"})["glcm"]["aggregation"] == "3d_volume_merge"
    far = from_pyradiomics(
        {"setting": {"distances": [1, 2], "gldm_a": 1}, "featureClass": {"gldm": [], "ngtdm": []}}
    )
    assert far["ngldm"]["distance"] == far["ngtdm"]["distance"] == 2
    assert far["ngldm"]["coarseness"] == 1


def test_pixels_without_a_neighbour_count_for_ngtdm():
    """PyRadiomics' own matrix of a square of nine levels and one pixel apart from it."""
    image = np.zeros((1, 9, 9))
    image[0, 1:4, 1:4] = np.arange(9).reshape(3, 3) * 10
    image[0, 7, 7] = 40
    mask = np.zeros(image.shape, dtype=bool)
    mask[0, 1:4, 1:4] = mask[0, 7, 7] = True
    theirs = {"Busyness": 0.04571429, "Coarseness": 0.78125, "Complexity": 37.27111111, "Contrast": 0.21333333}
    settings = Settings.of(from_pyradiomics({"setting": {"binWidth": 10}, "featureClass": {"ngtdm": None}}))
    values, reason = settings.compute(image, mask, (1, 1, 1))
    found = dict(zip(settings.columns, values, strict=True))
    assert reason == ""
    for name, value in {**theirs, "Strength": 17.8125}.items():
        assert found[f"original_ngtdm_{name}"] == pytest.approx(value, rel=1e-6)
    assert ngtdm(image, mask, bin_width=10)["contrast"] > 0.22  # IBSI leaves the pixel out


def test_image_types():
    settings = from_pyradiomics(
        {
            "setting": {"sigma": [1, 2.5]},
            "imageType": {
                "LoG": {},
                "Wavelet": {"wavelet": "haar"},
                "SquareRoot": {},
                "Gradient": None,
                "LBP2D": {},
            },
            "featureClass": {"firstorder": None},
        }
    )
    settings = Settings.of(settings)
    types = list(dict.fromkeys(column.split("_")[0] for column in settings.columns))
    assert types == [
        *("log-sigma-1-mm-3D", "log-sigma-2-5-mm-3D"),
        *(f"wavelet-{band}" for band in ("LLH", "LHL", "LHH", "HLL", "HLH", "HHL", "HHH", "LLL")),
        *("squareroot", "gradient", "lbp-2D"),
    ]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (
            {"setting": {"binwidth": 25}},
            r"unknown setting of PyRadiomics: binwidth \(did you mean binWidth\?\); valid",
        ),
        ({"settings": {}, "imageType": {}}, r"unknown section of PyRadiomics: settings \(did you mean setting\?\)"),
        ({"imageType": {"LBP3D": {}}}, "unknown imageType of PyRadiomics: LBP3D .*valid: Original, LoG"),
        ({"featureClass": {"gldzm": None}}, "unknown featureClass of PyRadiomics: gldzm"),
        ({"imageType": {"Wavelet": {"binWidth": 10}}}, "not supported .*: binWidth for imageType Wavelet alone"),
        ({"imageType": {"LoG": {"sigmas": [1]}}}, r"unknown setting of imageType LoG: sigmas \(did you mean sigma"),
        ({"imageType": {"Gradient": {"gradientUseSpacing": False}}}, "gradientUseSpacing: false"),
        ({"setting": {"distances": [2]}}, r"not supported .*: distances: \[2\] with glcm"),
        ({"setting": {"distances": [2]}, "featureClass": {"gldm": None}}, r"distances: \[2\] with gldm or ngtdm"),
        ({"setting": {"weightingNorm": "euclidean"}}, "weightingNorm: euclidean"),
        ({"setting": {"symmetricalGLCM": False}}, "symmetricalGLCM: false"),
        ({"setting": {"force2D": True, "force2Ddimension": 2}}, "force2Ddimension: 2"),
        ({"setting": {"resegmentShape": True, "resegmentRange": [0]}}, "resegmentShape: true"),
        ({"setting": {"resegmentRange": [0, 1, 2]}}, r"resegmentRange is \[0, 1, 2\]; give one threshold or two"),
        ({"setting": {"interpolator": "sitkGaussian"}}, "interpolator: sitkGaussian"),
        ({"setting": {"label_channel": 1}}, "label_channel: 1"),
        ({"setting": [1]}, r"setting is \[1\]; give a mapping"),
        ([1], r"the parameters are \[1\]; give a mapping"),
    ],
)
def test_what_is_unknown_or_not_supported_is_refused(parameters, message):
    with pytest.raises(ValueError, match=message):
        from_pyradiomics(parameters)


def test_a_file_that_is_no_yaml_is_named(tmp_path):
    file = tmp_path / "Params.yaml"
    file.write_text("setting: [1")
    with pytest.raises(ValueError, match=r"Params\.yaml is no YAML"):
        from_pyradiomics(file)
    with pytest.raises(FileNotFoundError):
        from_pyradiomics(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"featureClass": {"glcm": ["Contrast"]}}, "all features of a class are computed"),
        ({"setting": {"minimumROISize": 50}}, "small regions are computed too"),
        ({"voxelSetting": {"kernelRadius": 2}}, "voxelSetting: has no effect on a table"),
    ],
)
def test_what_changes_rows_or_columns_is_told(parameters, message):
    with pytest.warns(UserWarning, match=message):
        from_pyradiomics(parameters)


def test_every_name_belongs_to_a_feature():
    for extractor, terms in TERMS.items():
        names = FEATURES[extractor](np.arange(60.0).reshape(3, 4, 5)).names
        assert {feature for feature, term in terms.items() if term.pyradiomics} <= set(names), extractor
    assert {CLASSES[name]: name for name in CLASSES if name != "shape2D"} == PYRADIOMICS_CLASSES


def test_numbers_are_converted_along_with_the_names():
    image = np.array([[-3, 1, 2, 7]])
    theirs = pyradiomics_names("first_order", first_order(image), voxels=4, spacing=(2, 0.5), shift=10)
    assert theirs["original_firstorder_Energy"] == pytest.approx(np.sum((image + 10.0) ** 2))
    assert theirs["original_firstorder_TotalEnergy"] == pytest.approx(np.sum((image + 10.0) ** 2))
    assert theirs["original_firstorder_RootMeanSquared"] == pytest.approx(np.sqrt(np.mean((image + 10.0) ** 2)))
    assert theirs["original_firstorder_Kurtosis"] == pytest.approx(first_order(image)["kurtosis"] + 3)
    flat = pyradiomics_names("first_order", first_order(np.full((3, 3), 7)), voxels=9, spacing=(1, 1))
    assert flat["original_firstorder_Kurtosis"] == 0
    even = {"busyness": float("nan"), "contrast": 0.5}
    theirs = pyradiomics_names("ngtdm", even, voxels=2, spacing=(1, 1))
    assert theirs == {"original_ngtdm_Busyness": 0, "original_ngtdm_Contrast": 0.5}
    square = pyradiomics_names("shape", shape(np.ones((4, 4))), voxels=16, spacing=(1, 1))
    assert square["original_shape2D_PixelSurface"] == 16
    assert square["original_shape2D_MeshSurface"] == pytest.approx(15.5)  # four corners of an eighth are cut off
    assert pyradiomics_names("hog", {"cell_0": 1.0}, voxels=1, spacing=(1, 1)) == {}


def test_filters_that_pyradiomics_has_not_keep_our_name():
    assert image_type("mean", {"size": 5}).startswith("mean")
    assert "_" not in image_type("laws", {"kernel": "l5e5"})
    assert image_type("lbp", {}) == "lbp-2D"
