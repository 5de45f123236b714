"""What every filter keeps to, over everything that `FILTERS` lists; their entries, labels and reaches."""

import inspect
import re

import numpy as np
import pytest
from filters.definitions import beyond

from tumortrace import filters
from tumortrace.filters import FILTERS, Entry, label, parse, reach

pytest.importorskip("pywt", reason="PyWavelets is not installed")

NEEDED = {
    "mean": {"size": 3},
    "log": {"sigma": 2.0},
    "laws": {"kernel": "l5e3"},
    "gabor": {"sigma": 1.0, "wavelength": 3.0},
    "wavelet": {"wavelet": "coif1", "subband": "lh"},
}
WRONG = {
    "mean": [{"size": 2}, {"size": 0}, {"size": 3, "dimensions": 4}],
    "log": [{"sigma": 0}, {"sigma": "wide"}, {"sigma": 1, "convention": "itk"}, {"sigma": 1, "truncate": -1}],
    "laws": [{"kernel": "l5"}, {"kernel": "l5e4"}, {"kernel": 5}, {"kernel": "l5e5", "energy": -1}],
    "gabor": [
        {"sigma": 1, "wavelength": 0},
        {"sigma": 1, "wavelength": 3, "theta_step": 50},
        {"sigma": 1, "wavelength": 3, "theta": "north"},
        {"sigma": 1, "wavelength": 3, "gamma": 0},
        {"sigma": 1, "wavelength": 3, "pooling": "mean"},
        {"sigma": 1, "wavelength": 3, "orthogonal": 2},
    ],
    "wavelet": [
        {"wavelet": "morlet", "subband": "lh"},
        {"wavelet": "haar", "subband": "lx"},
        {"wavelet": "haar", "subband": "l"},
        {"wavelet": "haar", "subband": "lh", "level": 0},
        {"wavelet": "haar", "subband": "lh", "convention": "pyradiomics", "boundary": "mirror"},
        {"wavelet": "haar", "subband": "lh", "pooling": "mean"},
    ],
    "simoncelli": [{"boundary": "mirror"}, {"level": 0}],
    "gradient": [{"dimensions": 1}],
    "lbp": [{"points": 0}, {"method": "round"}, {"radius": -1}],
    "square": [{"boundary": "reflect"}],
}
every = pytest.mark.parametrize("name", FILTERS)


@pytest.fixture
def volume(rng):
    return rng.integers(0, 200, (5, 9, 8))


def test_every_filter_is_public():
    assert {function.__name__ for function in FILTERS.values()} <= set(filters.__all__)


@every
def test_one_response_of_the_same_shape_and_the_input_as_it_was(name, volume):
    function = FILTERS[name]
    parameters = inspect.signature(function).parameters
    assert [p.name for p in parameters.values()][:3] == ["image", "spacing", "boundary"]
    assert all(p.kind is p.KEYWORD_ONLY for p in list(parameters.values())[1:])
    expected = function(volume.astype(float), **NEEDED.get(name, {}))
    assert expected.shape == volume.shape
    assert expected.dtype == np.float64
    assert np.isfinite(expected).all()
    assert expected.std() > 0
    for dtype in (np.uint8, np.int16, np.float32):
        image = volume.astype(dtype)
        image.flags.writeable = False
        np.testing.assert_array_equal(function(image, **NEEDED.get(name, {})), expected)
    turned = np.asfortranarray(volume)[:, ::-1]
    before = turned.copy()
    response = function(turned, **NEEDED.get(name, {}))
    np.testing.assert_array_equal(response, function(before, **NEEDED.get(name, {})))
    np.testing.assert_array_equal(turned, before)


@every
def test_a_2d_image_is_a_slice(name, volume):
    parameters = NEEDED.get(name, {})
    alone = FILTERS[name](volume[2], spacing=(2, 1), **parameters)
    np.testing.assert_array_equal(
        alone, FILTERS[name](volume[2:3], spacing=(5, 2, 1), **_flat(name), **parameters)[0]
    )
    if name not in ("square", "square_root", "logarithm", "exponential"):
        stack = FILTERS[name](volume, spacing=(5, 2, 1), **_flat(name), **parameters)
        np.testing.assert_allclose(alone, stack[2], rtol=0, atol=1e-11)


def _flat(name):
    return {"dimensions": 2} if "dimensions" in inspect.signature(FILTERS[name]).parameters else {}


@every
def test_what_is_wrong_is_named(name, volume):
    for parameters in WRONG.get(name, []):
        with pytest.raises((ValueError, TypeError), match=f"filter {name}: "):
            parse({name: parameters})
    with pytest.raises(ValueError, match="spacing"):
        FILTERS[name](volume, spacing=(1, 1), **NEEDED.get(name, {}))
    with pytest.raises(ValueError, match=r"not finite|boundary"):
        FILTERS[name](volume * np.nan, **NEEDED.get(name, {}))


@every
@pytest.mark.parametrize("boundary", ["mirror", "nearest", "constant", "periodic"])
def test_boundaries_are_those_of_an_image_that_goes_on(name, boundary, volume):
    if "boundary" in str(WRONG.get(name)) or name == "exponential":
        return
    image = volume[0].astype(float)
    index = [[beyond(i, n, boundary) for i in range(-12, n + 12)] for n in image.shape]
    larger = np.array([[0 if i is None or j is None else image[i, j] for j in index[1]] for i in index[0]])
    parameters = NEEDED.get(name, {})
    response = FILTERS[name](image, boundary=boundary, **parameters)
    expected = FILTERS[name](larger, boundary="nearest", **parameters)[12:-12, 12:-12]
    np.testing.assert_allclose(response, expected, atol=1e-10)


BOX = [
    ("mean", {"size": 5}),
    ("log", {"sigma": 1}),
    ("log", {"sigma": 1, "dimensions": 2, "boundary": "nearest"}),
    ("laws", {"kernel": "l3e5s3", "pooling": "max", "energy": 2}),
    ("laws", {"kernel": "e5s3"}),
    ("gabor", {"sigma": 0.8, "wavelength": 2, "gamma": 0.7}),
    ("gabor", {"sigma": 0.8, "wavelength": 2, "theta_step": 90, "orthogonal": True, "boundary": "constant"}),
    ("wavelet", {"wavelet": "db2", "subband": "lhl", "level": 2}),
    ("wavelet", {"wavelet": "haar", "subband": "lh", "pooling": "average"}),
    ("gradient", {}),
    ("lbp", {"radius": 1.5}),
]


@pytest.mark.parametrize(("name", "parameters"), BOX)
def test_within_its_reach_a_filter_sees_all_it_needs(name, parameters, rng):
    image = rng.normal(size=(14, 40, 41))
    spacing = (1.2, 0.9, 1.0)
    sees = reach(name, parameters, spacing)
    box = (slice(0, 3), slice(18, 21), slice(19, 23))
    grown = tuple(slice(max(s.start - r, 0), s.stop + r) for s, r in zip(box, sees, strict=True))
    cut = FILTERS[name](image[grown], spacing=spacing, **parameters)
    inner = tuple(slice(s.start - g.start, s.stop - g.start) for s, g in zip(box, grown, strict=True))
    whole = FILTERS[name](image, spacing=spacing, **parameters)[box]
    np.testing.assert_allclose(cut[inner], whole, atol=1e-12)
    for axis in range(3):
        assert (sees[axis] == 0) == _ignores(name, parameters, axis, spacing)
    if name != "lbp":
        assert reach(name, {**parameters, "boundary": "periodic"}, spacing) is None


def _ignores(name, parameters, axis, spacing):
    """Whether a response depends on no other voxel along an axis."""
    image = np.random.default_rng(1).normal(size=(7, 9, 9))
    moved = np.moveaxis(image.copy(), axis, 0)
    moved[:3] += 5 * np.random.default_rng(2).normal(size=moved[:3].shape)
    other = np.moveaxis(moved, 0, axis)
    one, two = (np.moveaxis(FILTERS[name](i, spacing=spacing, **parameters), axis, 0)[3:] for i in (image, other))
    return np.allclose(one, two)


def test_filters_that_see_all_of_an_image_say_so():
    for name in ("square", "square_root", "logarithm", "exponential", "simoncelli"):
        assert reach(name, {}, (1, 1)) is None
    assert reach("wavelet", {"wavelet": "haar", "subband": "ll", "convention": "pyradiomics"}, (1, 1)) is None
    assert reach("log", {"sigma": 3}, (2, 0.5)) == (6, 24)


def test_lists_stand_for_several_filters():
    found = parse({"wavelet": {"wavelet": ["haar", "coif1"], "subband": ["llh", "lhl"], "level": 2}})
    assert [label(*entry) for entry in found] == [
        "wavelet_haar_llh_level_2",
        "wavelet_haar_lhl_level_2",
        "wavelet_coif1_llh_level_2",
        "wavelet_coif1_lhl_level_2",
    ]
    assert found[0] == Entry(
        "wavelet",
        {
            "boundary": None,
            "wavelet": "haar",
            "subband": "llh",
            "level": 2,
            "pooling": None,
            "convention": "ibsi",
        },
    )
    assert (
        parse("gradient") == parse({"gradient": None}) == (("gradient", {"boundary": "mirror", "dimensions": 3}),)
    )
    assert parse({"laplacian_of_gaussian": {"sigma": "1e0"}}) == parse({"log": {"sigma": 1.0}})
    wide = parse({"gabor": {"sigma": 500, "wavelength": 4000, "theta_step": 45, "orthogonal": True}})
    assert label(*wide[0]) == "gabor_sigma_500_wavelength_4000_theta_step_45_orthogonal"


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("gabbor", r"unknown filter: gabbor \(did you mean gabor\?\); valid: mean, log, laws"),
        (
            {"log": {"sgima": 1}},
            r"unknown parameter of log: sgima \(did you mean sigma\?\); valid: boundary, sigma",
        ),
        ({"log": {"spacing": [1, 1]}}, "unknown parameter of log: spacing"),
        ("log", "filter log needs sigma"),
        ({"gabor": {}}, "filter gabor needs sigma and wavelength"),
        ({"log": {"sigma": []}}, "sigma of log is an empty list"),
        ({"log": 3}, "give a name, or one name with its parameters"),
        ({"log": {"sigma": 1}, "mean": {"size": 3}}, "give a name, or one name"),
        (7, "give a name, or one name"),
    ],
)
def test_entries_that_are_wrong(entry, message):
    with pytest.raises(ValueError, match=message):
        parse(entry)


def test_labels_are_column_names_and_differ_where_filters_do():
    entries = [
        {"mean": {"size": [3, 5], "dimensions": [2, 3], "boundary": ["mirror", "constant"]}},
        {"log": {"sigma": [1, 1.5, 10, 0.001], "convention": ["ibsi", "pyradiomics"], "truncate": [None, 3]}},
        {"laws": {"kernel": ["L5E5", "l5e5s3"], "pooling": [None, "max", "average"], "energy": [None, 0, 7]}},
        {"gabor": {"sigma": 2, "wavelength": [3, 4], "theta": [0, 45, -45], "theta_step": [None, 90]}},
        {"gabor": {"sigma": 2, "wavelength": 5, "orthogonal": [True, False], "gamma": [1, 0.5]}},
        {"wavelet": {"wavelet": ["bior1.1", "db1"], "subband": ["ll", "lll"], "level": [1, 2]}},
        {"simoncelli": {"level": [1, 2]}},
        {"lbp": {"points": [4, 8], "radius": [1, 1.5], "method": ["uniform", "ror"]}},
        *("gradient", "square", "square_root", "logarithm", "exponential"),
    ]
    found = [parsed for entry in entries for parsed in parse(entry)]
    labels = [label(*parsed) for parsed in found]
    assert len(set(labels)) == len(labels) == 81
    assert "mean_size_3_dimensions_2_boundary_constant" in labels
    assert all(re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", text) for text in labels)
    with pytest.raises(ValueError, match="unknown filter"):
        label("sharpen", {})
