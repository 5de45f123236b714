"""The picture of a row that was explained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from tumortrace import io
from tumortrace.explain._explanation import Explanation
from tumortrace.model._inputs import IDENTITY

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = "VIBRANT+C2"


def picture(explanation: Explanation, listing: pd.DataFrame) -> NDArray[Any]:
    """Return the image that an explanation is of; of a slice, that of the second phase after contrast.

    Parameters
    ----------
    explanation : Explanation
        What `explain` returned.
    listing : DataFrame
        One row per image of the source: the identity columns, and `path`.

    Returns
    -------
    ndarray, shape (rows, cols)
        Of a slice without that phase, the image in the middle of the listing.

    Raises
    ------
    ValueError
        If no image of the listing is of that row.
    """
    named = {name: value for name, value in explanation.identity.items() if name in IDENTITY and name in listing}
    here = listing
    for name, value in named.items():
        here = here[here[name] == value]
    if here.empty:
        raise ValueError(f"the listing has no image of {', '.join(f'{k} {v}' for k, v in named.items())}")
    shown = here[here["sequence"] == _SHOWN] if "sequence" in here else here
    paths = (here if shown.empty else shown)["path"].tolist()
    return io.read_image(paths[len(paths) // 2]).array
