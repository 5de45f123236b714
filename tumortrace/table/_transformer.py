"""The table as a step of a scikit-learn pipeline."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin

from tumortrace.table._pool import available_cpus, run
from tumortrace.table._rows import FAILED, Compute
from tumortrace.table._settings import Settings
from tumortrace.table._source import collect

if TYPE_CHECKING:
    import pandas as pd


class FeatureExtractor(TransformerMixin, BaseEstimator):
    """Images in, features out: a transformer that learns nothing.

    Parameters
    ----------
    features : mapping, list of str, Settings or path, optional
        Extractors and their parameters, as `extract` takes them. By default every extractor with its defaults.
    n_jobs : int, optional
        Worker processes; None is 1, −1 one per available CPU, as everywhere in scikit-learn.

    Notes
    -----
    `transform` takes what `extract` takes: a list of arrays (2-D or 3-D, of any sizes) or paths, an array
    ``(images, rows, cols)``, or a DataFrame with a column `image` and perhaps `mask`. An image that cannot be read
    is an error, not a row without features. A feature that is undefined on an image is NaN: let an imputer follow.

    Examples
    --------
    >>> import numpy as np
    >>> images = [np.eye(20), np.ones((24, 30))]
    >>> extractor = FeatureExtractor({"first_order": {"levels": 8}})
    >>> extractor.fit_transform(images)[["first_order_mean", "first_order_maximum"]]
       first_order_mean  first_order_maximum
    0              0.05                  1.0
    1              1.00                  1.0
    """

    def __init__(
        self,
        features: Mapping[str, Any] | Iterable[str] | Settings | str | Path | None = None,
        *,
        n_jobs: int | None = None,
    ) -> None:
        self.features = features
        self.n_jobs = n_jobs

    def fit(self, X: Any = None, y: Any = None) -> FeatureExtractor:
        """Check the settings; nothing is learnt.

        Raises
        ------
        ValueError, TypeError
            If `features` names an extractor, a parameter or a value that is not valid.
        """
        Settings.of(self.features)
        return self

    def transform(self, X: Any) -> pd.DataFrame:
        """Return the features of each image.

        Parameters
        ----------
        X
            The images, see the notes of the class.

        Returns
        -------
        DataFrame of float64, shape (images, features)
            Columns as in `get_feature_names_out`; the index is that of `X` where it has one.

        Raises
        ------
        ValueError, TypeError
            If an image cannot be read or is refused; the message says which.
        """
        import pandas as pd

        settings = Settings.of(self.features)
        images = collect(X)
        values = np.empty((len(images), len(settings.columns)))
        with closing(run(Compute(settings), images.items(), len(images), _workers(self.n_jobs))) as results:
            for i, (_, row) in enumerate(results):
                if row is None or row.status == FAILED:
                    raise ValueError(f"image {images.identity['image'].iloc[i]}: {row.error if row else 'no row'}")
                values[i] = row.values
        index = X.index if isinstance(X, pd.DataFrame | pd.Series) else None
        return pd.DataFrame(values, columns=list(settings.columns), index=index)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Return the names of the columns, ``<extractor>_<feature>``."""
        return np.array(Settings.of(self.features).columns, dtype=object)

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.no_validation = True
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.input_tags.string = True
        return tags


def _workers(n_jobs: int | None) -> int:
    """Return a number of workers as scikit-learn counts them."""
    if n_jobs is None:
        return 1
    if n_jobs == 0:
        raise ValueError("n_jobs is 0; give a number of workers, -1 for every available CPU, or None for 1")
    return n_jobs if n_jobs > 0 else max(1, available_cpus() + 1 + n_jobs)
