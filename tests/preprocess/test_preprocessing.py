import json

import pytest

from tumortrace.preprocess import Normalisation, Preprocessing


def test_nothing_by_default():
    settings = Preprocessing.of()
    assert settings == Preprocessing.of({}) == Preprocessing.of(settings) == Preprocessing()
    assert settings.spacing is settings.normalise is settings.range is settings.rounding is None
    assert not settings.resegments


def test_what_a_user_writes():
    settings = Preprocessing.of(
        {"spacing": [None, 2, 2], "range": [-500, None], "normalise": {"scale": 100}, "outliers": 3}
    )
    assert settings.spacing == (0.0, 2.0, 2.0)
    assert settings.range == (-500.0, None)
    assert settings.normalise == Normalisation(100.0, None)
    assert settings.resegments
    assert Preprocessing.of({"spacing": 2}).spacing == 2.0
    assert Preprocessing.of({"range": [None, None]}) == Preprocessing()
    assert Preprocessing.of({"spacing": [0, 0, 0]}) == Preprocessing.of({"spacing": 0}) == Preprocessing()
    assert Preprocessing.of({"outliers": 3}).resegments


def test_settings_survive_json():
    settings = Preprocessing.of({"spacing": (1, 2, 3), "normalise": {"outliers": 3}, "range": (0, 1)})
    assert Preprocessing.of(json.loads(json.dumps(settings.to_dict()))) == settings
    assert hash(settings) == hash(Preprocessing.of(settings.to_dict()))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"spcing": 1},
            r"unknown setting of preprocess: spcing \(did you mean spacing\?\); valid: spacing, interpol",
        ),
        ({"spacing": [1, 2, 3, 4]}, "spacing is .* one number in mm, or one per axis"),
        ({"spacing": -1}, "spacing is -1"),
        ({"spacing": True}, "spacing is True"),
        ({"spacing": "2 mm"}, "spacing is '2 mm'"),
        ({"interpolation": "spline"}, "interpolation is 'spline'; give one of 'nearest', 'linear', 'cubic'"),
        ({"mask_interpolation": "cubic"}, "mask_interpolation is 'cubic'; give one of 'nearest', 'linear'"),
        ({"mask_threshold": 1.5}, "mask_threshold is 1.5; give a number above 0 and up to 1"),
        ({"mask_threshold": 0}, "mask_threshold is 0"),
        ({"grid": "itk"}, "grid is 'itk'"),
        ({"rounding": True}, "rounding is True"),
        ({"normalise": True}, "normalise is True; give null, or a mapping"),
        ({"normalise": {"sigma": 1}}, "unknown setting of normalise: sigma; valid: scale, outliers"),
        ({"normalise": {"scale": 0}}, "normalise.scale is 0"),
        ({"normalise": {"outliers": -1}}, "normalise.outliers is -1"),
        ({"range": [1]}, "range is .*; give the lowest and the highest intensity"),
        ({"range": "0-1"}, "range is '0-1'"),
        ({"range": [2, 1]}, "range is .*, which is empty"),
        ({"range": [float("nan"), 1]}, "range is"),
        ({"range_mode": "percent"}, "range_mode is 'percent'"),
        ({"outliers": 0}, "outliers is 0"),
        ({"padding": 1.5}, "padding is 1.5"),
    ],
)
def test_errors_say_what_would_be_right(given, message):
    with pytest.raises(ValueError, match=message):
        Preprocessing.of(given)


def test_no_mapping_is_refused():
    with pytest.raises(TypeError, match="preprocess is 'linear'; give a mapping"):
        Preprocessing.of("linear")
