import numpy as np
import pytest

from tumortrace.features import FEATURES, first_order
from tumortrace.table import Settings, describe, template


def test_everything_by_default():
    settings = Settings.of()
    assert set(settings.parameters) == {
        *("hog", "sobel", "lbp", "mvm_lbp", "mvmbp", "glcm", "first_order", "shape")
    }
    assert Settings.of(preset="all").parameters.keys() == FEATURES.keys()
    assert settings.parameters["first_order"] == {
        "spacing": None,
        "levels": 32,
        "bin_width": None,
        "first_edge": "ibsi",
    }
    assert Settings.of({}.keys() or None) == settings == Settings.of(settings)


def test_sources_agree(tmp_path):
    file = tmp_path / "settings.yaml"
    file.write_text("shape:\nfirst_order: {levels: 64}\n")
    wanted = Settings.of({"first_order": {"levels": 64}, "shape": None})
    assert Settings.of(file) == wanted == Settings.of(str(file))
    assert Settings.of(["shape", "first_order"], overrides=["first_order.levels=64"]) == wanted
    assert Settings.of(file, features=["first_order"]) == Settings.of({"first_order": {"levels": 64}})
    assert Settings.of(file, features=["shape"]) == Settings.of(["shape"])


def test_an_empty_file_is_the_default(tmp_path):
    file = tmp_path / "settings.yaml"
    file.write_text("# nothing\n")
    assert Settings.of(file) == Settings.of()


def test_order_and_spelling_do_not_change_the_hash():
    one = Settings.of({"shape": {}, "first_order": {"levels": np.int64(32), "bin_width": "1e-1"}})
    other = Settings.of({"first_order": {"bin_width": 0.1}, "shape": {"spacing": None}})
    assert one.hash == other.hash
    assert len(one.hash) == 32
    assert one.hash != Settings.of({"first_order": {"bin_width": 0.2}, "shape": {}}).hash
    assert one.hash != Settings.of({"first_order": {"bin_width": 0.1}}).hash


def test_the_version_changes_the_hash(monkeypatch):
    before = Settings.of(["shape"]).hash
    monkeypatch.setattr("tumortrace.__version__", "99")
    assert Settings.of(["shape"]).hash != before


def test_columns_and_numbers_are_those_of_the_extractors():
    image = np.arange(30.0).reshape(5, 6)
    mask = image > 7
    settings = Settings.of({"shape": {"spacing": [2, 1]}, "first_order": {"levels": 4}})
    values, reason = settings.compute(image, mask)
    expected = first_order(image, mask, levels=4)
    assert settings.columns[: len(expected)] == tuple(f"first_order_{name}" for name in expected)
    np.testing.assert_array_equal(values[: len(expected)], np.asarray(expected))
    np.testing.assert_array_equal(
        values[len(expected) :], np.asarray(FEATURES["shape"](image, mask, spacing=(2.0, 1.0)))
    )
    assert reason == ""


def test_a_volume_spacing_is_no_mistake():
    assert Settings.of({"shape": {"spacing": [3, 1, 1]}}).columns == Settings.of(["shape"]).columns


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"source": ["shap"]}, r"unknown extractor: shap \(did you mean shape\?\); valid: .*first_order.*shape"),
        ({"features": ["texture9"]}, "unknown extractor: texture9; valid: .*first_order"),
        (
            {"source": {"first_order": {"level": 3}}},
            r"unknown parameter of first_order: level \(did you mean levels",
        ),
        ({"source": {"first_order": {"levels": 0}}}, "settings of first_order: levels is 0; give a whole number"),
        ({"overrides": ["first_order.bin_width=-1"]}, "bin_width is -1; give a number above 0"),
        ({"overrides": ["first_order.levels"]}, "sets nothing; write extractor.parameter=value"),
        ({"overrides": ["levels=3"]}, "sets nothing"),
        ({"overrides": ["first_order.levels=[3"]}, "is no YAML"),
        ({"overrides": ["forst_order.levels=3"]}, "unknown extractor: forst_order"),
        (
            {"features": ["shape"], "overrides": ["first_order.levels=3"]},
            "first_order, which is not among the chosen",
        ),
        ({"source": {"shape": 3}}, "shape is 3; give a mapping of parameter to value"),
        ({"source": []}, "no extractor is chosen; give some of"),
    ],
)
def test_mistakes_are_told_before_any_image(arguments, message):
    with pytest.raises(ValueError, match=message):
        Settings.of(**arguments)


def test_a_source_of_no_known_kind():
    with pytest.raises(TypeError, match="settings are 3; give a mapping"):
        Settings.of(3)


def test_a_file_that_is_none(tmp_path):
    with pytest.raises(FileNotFoundError):
        Settings.of(tmp_path / "absent.yaml")
    file = tmp_path / "settings.yaml"
    file.write_text("glcm: [1")
    with pytest.raises(ValueError, match=r"settings\.yaml is no YAML"):
        Settings.of(file)
    file.write_text("3")
    with pytest.raises(TypeError, match=r"settings\.yaml are 3; give a mapping"):
        Settings.of(file)


def test_the_template_says_the_defaults(tmp_path, toy_extractor):
    file = tmp_path / "settings.yaml"
    file.write_text(template())
    assert Settings.of(file) == Settings.of()
    assert "# Compute the mean of an image and a third of its rows. 2 columns.\ntoy:\n" in template()
    assert '  # Seconds to sleep; for tests of interruption. One of 0.0, "long".\n  wait: 0.0\n' in template()


def test_every_parameter_has_a_meaning():
    for name in FEATURES:
        description = describe(name)
        assert description.summary.endswith(".")
        assert all(parameter.meaning for parameter in description.parameters), name
        assert description.columns == Settings.of([name]).columns


def test_describe_lists_the_extractors_for_an_unknown_one():
    with pytest.raises(ValueError, match=r"valid: .*first_order"):
        describe("none")


def test_deviations_from_ibsi_are_said():
    assert Settings.of(preset="ibsi").deviations == []
    found = " ".join(Settings.of(preset="pyradiomics").deviations)
    assert "glcm: the first edge of its bins is that of PyRadiomics" in found
    assert "names: columns have the names and the numbers of PyRadiomics" in found
    assert Settings.of(["hog", "lbp"]).deviations == ["hog, lbp are not families of the IBSI."]
    resampled = Settings.of({"preprocess": {"spacing": 2, "mask_interpolation": "nearest"}, "glcm": {}})
    assert len(resampled.deviations) == 1
    assert "nearest neighbour" in resampled.deviations[0]
