"""The picture of a row that was explained."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from tumortrace import io
from tumortrace.explain._explanation import Explanation
from tumortrace.io.synthetic import SHOWN
from tumortrace.model._inputs import IDENTITY, list_images


def picture(explanation: Explanation, source: Any, *, group: str = "patient") -> NDArray[Any]:
    """Return the image that an explanation is of; of a slice, that of the second phase after contrast.

    Parameters
    ----------
    explanation : Explanation
        What `explain` returned.
    source : str, path or DataFrame
        What was explained. A DataFrame with a column `path` is taken as it is.
    group : str, default "patient"
        The column of the source that tells patients apart, as in `Model.inputs`.

    Returns
    -------
    ndarray, shape (rows, cols)
        Of a slice without that phase, the image in the middle of its sequences as they are listed.

    Raises
    ------
    ValueError
        If no image of the source is of that row.
    """
    here = source if hasattr(source, "columns") and "path" in source else list_images(source, group=group)
    named = {name: value for name, value in explanation.identity.items() if name in IDENTITY and name in here}
    for name, value in named.items():
        here = here[here[name] == value]
    if here.empty:
        raise ValueError(f"the source has no image of {', '.join(f'{k} {v}' for k, v in named.items())}")
    shown = here[here["sequence"] == SHOWN] if "sequence" in here else here
    paths = (here if shown.empty else shown)["path"].tolist()
    return io.read_image(paths[len(paths) // 2]).array
