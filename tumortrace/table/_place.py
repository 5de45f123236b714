"""Where an image lies in the patient."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Place(NamedTuple):
    """Spacing, origin and direction, as in `tumortrace.io.Image`; None where that is not known."""

    spacing: tuple[float, ...] | None = None
    origin: tuple[float, float, float] | None = None
    direction: NDArray[np.float64] | None = None
