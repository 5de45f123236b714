"""What happens to an image and its mask before features are computed: normalise, resample, round, re-segment.

`Preprocessing` holds the settings, `prepare` does it all in the order of the IBSI. `resample` and `resegment` are
its two halves, for a caller that filters the image in between.
"""

from tumortrace.preprocess._prepare import Prepared, prepare, resample
from tumortrace.preprocess._resegment import resegment
from tumortrace.preprocess._settings import Normalisation, Preprocessing

__all__ = ["Normalisation", "Prepared", "Preprocessing", "prepare", "resample", "resegment"]
