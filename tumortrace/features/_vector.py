"""FeatureVector: the named numbers of one image."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    import pandas as pd


class FeatureVector(Mapping[str, float]):
    """Named float64 numbers of one image, in a fixed order; what every extractor returns.

    It reads like a mapping of name to number and converts to an array, a dict or a pandas Series.

    Parameters
    ----------
    names : tuple of str
        One name per value, each ``[a-z0-9_]+``.
    values : array_like of float, shape (n,)
        The numbers; made read-only.
    reason : str, optional
        Why some values are NaN; empty where none is.

    Examples
    --------
    >>> v = FeatureVector(("mean", "variance"), [2.0, 0.5])
    >>> v["mean"]
    2.0
    >>> v.names
    ('mean', 'variance')
    >>> np.asarray(v)
    array([2. , 0.5])
    >>> v.to_dict()
    {'mean': 2.0, 'variance': 0.5}
    """

    __slots__ = ("_values", "names", "reason")

    names: tuple[str, ...]
    reason: str

    def __init__(self, names: tuple[str, ...], values: ArrayLike, reason: str = "") -> None:
        array: NDArray[np.float64] = np.asarray(values, dtype=np.float64)
        if array.shape != (len(names),):
            raise ValueError(f"values have shape {array.shape}; give one number for each of the {len(names)} names")
        array = array.view()
        array.flags.writeable = False
        self.names = names
        self.reason = reason
        self._values = array

    def __getitem__(self, name: str) -> float:
        try:
            return float(self._values[self.names.index(name)])
        except ValueError:
            near = difflib.get_close_matches(str(name), self.names, n=3) or list(self.names[:5])
            raise KeyError(f"no feature {name!r}; near it: {', '.join(near)}; all are in .names") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        if dtype is None and not copy:
            return self._values
        return np.array(self._values, dtype=dtype, copy=copy)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.names, self._values, self.reason)

    def __repr__(self) -> str:
        shown = ", ".join(f"{n}={v:.6g}" for n, v in zip(self.names[:4], self._values[:4], strict=True))
        more = f", … {len(self) - 4} more" if len(self) > 4 else ""
        return f"FeatureVector({shown}{more}{f'; {self.reason}' if self.reason else ''})"

    def to_dict(self) -> dict[str, float]:
        """Return a dict of name to Python float."""
        return dict(zip(self.names, self._values.tolist(), strict=True))

    def to_series(self) -> pd.Series[float]:
        """Return a pandas Series indexed by name."""
        import pandas as pd

        return pd.Series(self._values, index=list(self.names), dtype=np.float64)
