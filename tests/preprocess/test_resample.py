import itertools

import numpy as np
import pytest

from tumortrace.preprocess import prepare, resample

KINDS = ("nearest", "linear", "cubic")


def whole(array, old, **settings):
    """Resample a whole image."""
    return resample(array, None, old, settings, margin=None)


def centre_aligned(n, old, new):
    """Positions of the new voxels in old ones, as the reference manual of IBSI gives them."""
    count = int(np.ceil(n * old / new))
    start = 0.5 * (n - 1 - new / old * (count - 1))
    return start + new / old * np.arange(count)


def naive_linear(array, positions):
    """Trilinear interpolation voxel by voxel; beyond the border the image goes on as it ends."""
    out = np.zeros([len(p) for p in positions])
    for index in np.ndindex(*out.shape):
        at = [positions[a][i] for a, i in enumerate(index)]
        for corner in itertools.product((0, 1), repeat=array.ndim):
            below = [int(np.floor(p)) for p in at]
            weight = np.prod([p - b if c else 1 - (p - b) for p, b, c in zip(at, below, corner, strict=True)])
            where = [np.clip(b + c, 0, n - 1) for b, c, n in zip(below, corner, array.shape, strict=True)]
            out[index] += weight * array[tuple(where)]
    return out


@pytest.mark.parametrize("grid", ["ibsi", "pyradiomics"])
@pytest.mark.parametrize("interpolation", KINDS)
def test_the_same_spacing_changes_nothing(rng, grid, interpolation):
    image = rng.integers(-1000, 1000, (4, 6, 5)).astype(np.int16)
    found = whole(image, (2, 1, 1), spacing=[2, 1, 1], grid=grid, interpolation=interpolation)
    assert found.array is not image
    assert found.array.dtype == np.int16
    assert np.array_equal(found.array, image)
    assert found.spacing == (2.0, 1.0, 1.0)


def test_the_grid_by_hand():
    """The example of the IBSI manual: 4 voxels of 3 mm become 6 of 2 mm, from −0.5 to 9.5 mm."""
    found = whole(np.array([[0.0, 3, 6, 9]]), (1, 3), spacing=[1, 2])
    assert found.array == pytest.approx(np.array([[0, 1.5, 3.5, 5.5, 7.5, 9]]))
    assert found.start == pytest.approx((0, -0.5 / 3))
    assert found.box == (slice(0, 1), slice(0, 6))
    # first corners together: PyRadiomics has the first of them there too, as 3 · 4 is 2 · 6
    theirs = whole(np.array([[0.0, 3, 6, 9]]), (1, 3), spacing=[1, 2], grid="pyradiomics", interpolation="linear")
    assert theirs.array == pytest.approx(found.array)


@pytest.mark.parametrize(("n", "old", "new"), [(60, 3.0, 2.0), (7, 0.7, 1.4), (5, 1.0, 0.3), (4, 1.0, 9.0)])
def test_positions_are_those_of_the_manual(n, old, new):
    ramp = np.arange(n, dtype=float)[np.newaxis, np.newaxis] * np.ones((1, 2, 1))
    found = whole(ramp, (1, 1, old), spacing=[0, 0, new])
    assert found.array[0, 0] == pytest.approx(np.clip(centre_aligned(n, old, new), 0, n - 1), abs=1e-12)


@pytest.mark.parametrize("interpolation", ["linear", "cubic"])
@pytest.mark.parametrize("grid", ["ibsi", "pyradiomics"])
def test_a_ramp_stays_a_ramp(interpolation, grid):
    slices, rows, cols = np.indices((40, 42, 44))
    image = 3.0 * slices - 2 * rows + 0.5 * cols
    mask = np.zeros(image.shape, dtype=bool)
    mask[18:22, 19:23, 20:24] = True
    found = resample(
        image,
        mask,
        (2, 1, 1.5),
        {"spacing": [1.3, 1.7, 0.9], "interpolation": interpolation, "grid": grid},
        margin=1,
    )
    at = [
        s + np.arange(n) * new / old
        for s, n, new, old in zip(found.start, found.array.shape, found.spacing, (2, 1, 1.5), strict=True)
    ]
    z, y, x = np.meshgrid(*at, indexing="ij")
    assert found.array == pytest.approx(3 * z - 2 * y + 0.5 * x, abs=1e-6 if interpolation == "cubic" else 1e-9)


def test_linear_is_the_naive_version(rng):
    image = rng.normal(size=(4, 5, 6))
    old, new = (2.0, 1.0, 1.5), (1.5, 1.25, 2.0)
    found = whole(image, old, spacing=new)
    positions = [centre_aligned(n, o, s) for n, o, s in zip(image.shape, old, new, strict=True)]
    assert found.array == pytest.approx(naive_linear(image, positions), abs=1e-12)


def test_cubic_goes_through_the_voxels_and_is_the_spline_of_scipy(rng):
    from scipy.ndimage import map_coordinates

    image = rng.normal(size=(9, 10, 12))
    found = whole(image, (1, 1, 1), spacing=0.8, interpolation="cubic")
    positions = np.meshgrid(*(centre_aligned(n, 1, 0.8) for n in image.shape), indexing="ij")
    extended = np.pad(image, 30, mode="edge")
    expected = map_coordinates(extended, [p + 30 for p in positions], order=3, mode="mirror")
    assert found.array == pytest.approx(expected, abs=1e-10)
    third = whole(image, (1, 1, 1), spacing=1 / 3, interpolation="cubic")  # every third voxel is an old one
    assert third.array[1::3, 1::3, 1::3] == pytest.approx(image, abs=1e-12)


def test_cubic_mirrors_and_ends_in_nothing_on_the_grid_of_pyradiomics(rng):
    from scipy.ndimage import map_coordinates

    image = rng.normal(10, 1, size=(1, 1, 11))
    found = whole(image, (1, 1, 1), spacing=[0, 0, 3.0], interpolation="cubic", grid="pyradiomics")
    expected = map_coordinates(image[0, 0], [[1.0, 4, 7, 10]], order=3, mode="mirror")
    assert found.array[0, 0] == pytest.approx(expected, abs=1e-12)
    beyond = whole(image, (1, 1, 1), spacing=[0, 0, 3.5], interpolation="cubic", grid="pyradiomics")
    assert beyond.array.shape[2] == 4
    assert beyond.array[0, 0, 3] == 0  # its centre, 11.75, is more than half a voxel beyond the last


@pytest.mark.parametrize("grid", ["ibsi", "pyradiomics"])
@pytest.mark.parametrize("interpolation", KINDS)
def test_a_crop_has_the_numbers_of_the_whole(rng, grid, interpolation):
    image = rng.normal(0, 100, (50, 60, 64))
    mask = np.zeros(image.shape, dtype=bool)
    mask[30:33, 2:9, 40:50] = rng.random((3, 7, 10)) < 0.7
    settings = {
        "spacing": [2.9, 3.1, 0],
        "interpolation": interpolation,
        "grid": grid,
        "mask_interpolation": "linear",
    }
    crop = resample(image, mask, (1.5, 0.8, 0.8), settings)
    all_of_it = resample(image, mask, (1.5, 0.8, 0.8), settings, margin=None)
    place = tuple(slice(c.start - w.start, c.stop - w.start) for c, w in zip(crop.box, all_of_it.box, strict=True))
    assert crop.array.size < all_of_it.array.size / 20
    assert crop.array == pytest.approx(all_of_it.array[place], abs=1e-9)
    assert np.array_equal(crop.mask, all_of_it.mask[place])
    assert crop.mask.sum() == all_of_it.mask.sum()


def test_masks_are_cut_at_half():
    mask = np.array([[0, 1, 1, 0, 0, 1, 0, 0, 0]], dtype=bool)
    settings = {"spacing": [1, 0.5]}
    found = prepare(mask.astype(float), mask, (1, 1), settings, margin=None)
    shares = np.interp(centre_aligned(9, 1, 0.5), np.arange(9), mask[0])
    assert found.mask[0].tolist() == (shares >= 0.5).tolist()
    more = prepare(mask.astype(float), mask, (1, 1), {**settings, "mask_threshold": 0.9}, margin=None)
    assert more.mask[0].tolist() == (shares >= 0.9).tolist()
    assert found.mask.sum() > more.mask.sum() > 0


def test_a_tie_is_inside_however_positions_are_rounded():
    """From 3 to 2 mm every third new voxel lies half way between two old ones."""
    for n in range(8, 60, 2):
        mask = np.zeros((n, 1, 2), dtype=bool)
        mask[n // 2 - 1 : n // 2 + 1] = True
        found = prepare(mask.astype(float), mask, (3, 1, 1), {"spacing": [2, 0, 0]}, margin=None)
        shares = np.interp(centre_aligned(n, 3, 2), np.arange(n), mask[:, 0, 0])
        assert found.mask[:, 0, 0].tolist() == (shares > 0.5 - 1e-9).tolist(), n


def test_nearest_takes_the_voxel_of_the_point(rng):
    image = rng.integers(0, 255, (3, 4, 5)).astype(np.uint8)
    found = whole(image, (1, 1, 1), spacing=0.5, interpolation="nearest")
    assert np.array_equal(found.array, image.repeat(2, 0).repeat(2, 1).repeat(2, 2))


def test_an_axis_of_one_voxel_is_left_as_it_is():
    image = np.ones((1, 8, 8))
    assert whole(image, (5, 1, 1), spacing=2).array.shape == (1, 4, 4)
    assert whole(image, (5, 1, 1), spacing=2).spacing == (5.0, 2.0, 2.0)
    volume = np.ones((5, 8, 8))
    mask = np.zeros(volume.shape, dtype=bool)
    mask[2, 2:6, 2:6] = True
    theirs = resample(volume, mask, (5, 1, 1), {"spacing": [2, 2, 2], "grid": "pyradiomics"})
    assert theirs.spacing == (5.0, 2.0, 2.0)
    assert resample(volume, mask, (5, 1, 1), {"spacing": [2, 2, 2]}).spacing == (2.0, 2.0, 2.0)


@pytest.mark.parametrize(
    ("old", "new", "height", "expected"),
    [
        (0.9, 0.6, 0.0, [0, 1, 1, 2, 3, 3, 4, 5, 5, 6, 7, 7, 8, 9, 9, 10, 11, 11]),
        (0.9, 0.6, -125.5, [0, 0, 1, 2, 3, 3, 4, 4, 5, 6, 6, 7, 8, 8, 9, 10, 10, 11]),
        (0.9, 0.6, 33.3, [0, 1, 1, 2, 3, 3, 4, 5, 5, 6, 7, 7, 8, 8, 9, 10, 11, 11]),
        (0.7, 1.4, 0.0, [1, 3, 5, 6, 9, 11]),
        (0.7, 1.4, -125.5, [0, 3, 4, 6, 8, 10]),
        (0.7, 1.4, 12.1, [0, 3, 5, 6, 8, 11]),
        (0.6, 1.0, 33.3, [0, 2, 4, 5, 7, 9, 10, 0]),  # the last lies beyond the image
        (3.0, 2.0, 12.1, [0, 1, 1, 2, 3, 3, 4, 5, 5, 6, 7, 7, 8, 9, 9, 10, 11, 11]),
    ],
)
def test_ties_go_where_itk_sends_them(old, new, height, expected):
    """Half way between two voxels, ITK's rounding of millimetres decides; these are PyRadiomics' numbers."""
    image = np.arange(12.0)[:, np.newaxis, np.newaxis] * np.ones((1, 3, 3))
    settings = {"spacing": [new, 0, 0], "grid": "pyradiomics", "interpolation": "nearest"}
    found = resample(
        image, None, (old, 1, 1), settings, origin=(0, 0, height), direction=np.eye(3)[:, ::-1], margin=5
    )
    assert found.array[:, 0, 0].astype(int).tolist() == expected
