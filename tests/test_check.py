import numpy as np
import pytest

from tumortrace import _check


@pytest.mark.parametrize("dtype", [bool, np.uint8])
def test_8_bit_stays(dtype):
    assert _check.volume(np.ones((2, 3), dtype)).dtype == np.uint8


@pytest.mark.parametrize("dtype", [np.int8, np.uint16, np.int64, np.float16, np.float32, np.longdouble])
def test_other_reals_become_float64(dtype):
    out = _check.volume(np.ones((2, 3), dtype))
    assert (out.dtype, out.shape) == (np.float64, (1, 2, 3))


def test_contiguous_input_is_not_copied():
    image = np.zeros((2, 3, 5))
    assert np.shares_memory(_check.volume(image), image)
    assert _check.volume(image[:, ::2]).flags.c_contiguous


def test_kernels_see_one_type_of_array():
    image, mask = np.zeros((2, 3), np.uint8), np.ones((2, 3), bool)
    image.flags.writeable = mask.flags.writeable = False
    volume = _check.volume(image)
    assert volume.flags.writeable
    assert _check.region(mask, volume, 2).flags.writeable


@pytest.mark.parametrize(
    ("image", "error", "message"),
    [
        (np.zeros(3), ValueError, "1 dimensions"),
        (np.zeros((0, 3)), ValueError, "empty"),
        (np.array([[1.0, np.nan]]), ValueError, r"not finite: nan at \(0, 1\)"),
        (np.array([[1.0, -np.inf]]), ValueError, r"not finite: -inf at \(0, 1\)"),
        (np.array([[0.0], [-1e61]]), ValueError, r"beyond 1e60: -1e\+61 at \(1, 0\)"),
        (np.array([[np.finfo(np.longdouble).max]]), ValueError, "beyond 1e60"),
        (np.array([[np.inf]], np.float16), ValueError, "not finite"),
        (np.array([[2**60]]), ValueError, "2\\*\\*53"),
        (np.zeros((2, 2), complex), TypeError, "complex"),
        (np.array([["a"]]), TypeError, "dtype"),
        (np.zeros((20, 20, 3), np.uint8), ValueError, "RGB"),
    ],
)
def test_bad_images(image, error, message):
    with pytest.raises(error, match=message):
        _check.volume(image)


@pytest.mark.parametrize(
    ("mask", "error", "message"),
    [
        (np.ones((3, 2)), ValueError, r"shape \(3, 2\)"),
        (np.zeros((2, 3)), ValueError, "empty"),
        (np.full((2, 3), np.nan), ValueError, "NaN"),
        (np.ones((2, 3), complex), TypeError, "complex"),
    ],
)
def test_bad_masks(mask, error, message):
    with pytest.raises(error, match=message):
        _check.region(mask, np.zeros((1, 2, 3)), 2)


def test_any_non_zero_is_inside():
    assert _check.region([[0, 2, -1]], np.zeros((1, 1, 3)), 2).tolist() == [[[False, True, True]]]
    assert _check.region(None, np.zeros((1, 1, 3)), 2).size == 0


def test_scalars():
    assert _check.spacing(None, 2) == (1.0, 1.0)
    assert _check.spacing([2, 0.5], 2) == (2.0, 0.5)
    assert _check.one_of("m", "a", ("a", "b")) == "a"
    assert _check.integer("n", np.int64(3), 1) == 3
    assert _check.positive("w", 2) == 2.0
    assert _check.integers("d", 1, 1) == (1,)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: _check.spacing((1, 0), 2), "spacing"),
        (lambda: _check.spacing(1.0, 2), "2 positive numbers"),
        (lambda: _check.one_of("method", "c", ("a", "b")), "method is 'c'; give one of 'a', 'b'"),
        (lambda: _check.integer("n", True, 1), "n is True"),
        (lambda: _check.integer("n", 9, 1, 8), "from 1 to 8"),
        (lambda: _check.positive("w", float("inf")), "w is inf"),
        (lambda: _check.integers("d", (), 1), "one or more"),
        (lambda: _check.integers("d", (1, 2, 3), 1, length=2), "give 2 whole"),
        (lambda: _check.integers("d", "12", 1), "d is '12'"),
    ],
)
def test_bad_scalars_name_the_argument(call, message):
    with pytest.raises(ValueError, match=message):
        call()
