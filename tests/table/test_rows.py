import numpy as np
import pytest

from tumortrace.table._rows import cells, numbers


@pytest.mark.parametrize(
    "values",
    [[0.1, -0.0, 1e300, 5e-324, 1 / 3, 2**53 + 0.0], [np.nan, 1.0, np.nan], [np.inf, np.nan, -np.inf, 0.1]],
)
def test_numbers_read_back_as_they_were(values):
    back = [float(cell) if cell else np.nan for cell in numbers(np.array(values)).decode().split(",")]
    np.testing.assert_array_equal(back, values)
    assert np.signbit(back).tolist() == np.signbit(values).tolist()


def test_numbers_of_a_column_of_a_matrix():
    assert numbers(np.arange(6.0).reshape(2, 3)[:, 1]) == b"1.0,4.0"


def test_cells_are_quoted_by_the_rules_of_csv():
    assert cells(["a,b", 'say "x"', "two\nlines", "", 3]) == b'"a,b","say ""x""","two\nlines",,3\n'
