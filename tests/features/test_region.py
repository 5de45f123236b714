"""A region is looked at where it lies, or cut out and converted: the levels are the same."""

import numpy as np
import pytest

from tumortrace.features import discretise
from tumortrace.features._region import grey

BOX = np.s_[1:4, 2:300, 5:295]
SETTINGS = [
    (32, None, "ibsi"),
    (256, None, "ibsi"),
    (32, 7.5, "ibsi"),
    (32, 7.5, "pyradiomics"),
    (32, None, "pyradiomics"),
]


@pytest.fixture
def volume(rng):
    return rng.integers(0, 200, (6, 310, 300))


@pytest.fixture
def mask(rng, volume):
    found = np.zeros(volume.shape, bool)
    found[BOX] = rng.random(found[BOX].shape) < 0.4
    found[1, 2, 5] = found[3, 299, 294] = True
    return found


def forms(array):
    """The same numbers, as kernels take them and as they do not."""
    still = array.copy()
    still.flags.writeable = False
    return [array, still, np.asfortranarray(array), array[:, ::-1].copy()[:, ::-1]]


@pytest.mark.parametrize(("levels", "bin_width", "first_edge"), SETTINGS)
def test_levels_do_not_depend_on_how_an_image_is_kept(volume, mask, levels, bin_width, first_edge):
    options = {"levels": levels, "bin_width": bin_width, "first_edge": first_edge}
    for dtype in (np.uint8, np.float64, np.int16, np.float32):
        array = volume.astype(dtype)
        expected, n = discretise(array[BOX], mask[BOX], **options)
        for image in forms(array):
            found = grey(image, mask, None, levels, bin_width, first_edge)
            np.testing.assert_array_equal(found.levels, expected)
            assert (found.n, found.box) == (n, BOX)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e61, -1e61])
def test_what_is_no_number_is_refused_in_the_box_and_not_looked_at_beyond(volume, mask, bad):
    image = volume.astype(np.float64)
    image[0, 0, 0] = bad
    levels = grey(image, mask, None, 32, None, "ibsi").levels
    mask[2, 100, 100] = False
    image[2, 100, 100] = bad
    with pytest.raises(ValueError, match=r"image is (not finite|beyond 1e60): .* at \(2, 100, 100\); fill or crop"):
        grey(image, mask, None, 32, None, "ibsi")
    assert levels.shape == (3, 298, 290)
