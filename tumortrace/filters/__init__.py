"""Image filters: an image to one response of the same shape, ahead of any extractor.

``filter(image, *, spacing=None, boundary="mirror", …)``: 2-D ``(rows, cols)`` or 3-D ``(slices, rows, cols)`` of
any real dtype to float64. Lengths are in millimetres where they are lengths (σ, λ), in voxels where a kernel is one
of voxels. Names along axes go x (columns), y (rows), z (slices), as in IBSI.

The convolutional filters follow IBSI 2 (Whybra et al. 2024, The Image Biomarker Standardization Initiative:
standardized convolutional filters for reproducible radiomics and enhanced clinical insights,
https://doi.org/10.1148/radiol.231319; definitions in https://doi.org/10.48550/arXiv.2006.05470).

What lies beyond the image, `boundary`, of a line of voxels ``a b c``:

- ``"mirror"``: ``c b a | a b c | c b a``; IBSI's mirror repeats the voxel at the edge, what scipy calls "reflect";
- ``"nearest"``: ``a a a | a b c | c c c``;
- ``"periodic"``: ``a b c | a b c | a b c``;
- ``"constant"``: ``0 0 0 | a b c | 0 0 0``.

`FILTERS` is the one list of filters. `parse`, `label` and `reach` are for settings.
"""

from tumortrace._entry import Entry
from tumortrace.filters._gabor import gabor
from tumortrace.filters._gradient import gradient
from tumortrace.filters._laws import laws
from tumortrace.filters._lbp import lbp
from tumortrace.filters._log import laplacian_of_gaussian
from tumortrace.filters._mean import mean
from tumortrace.filters._parse import FILTERS, label, parse, reach
from tumortrace.filters._pointwise import exponential, logarithm, square, square_root
from tumortrace.filters._wavelet import simoncelli, wavelet

__all__ = [
    "FILTERS",
    "Entry",
    "exponential",
    "gabor",
    "gradient",
    "label",
    "laplacian_of_gaussian",
    "laws",
    "lbp",
    "logarithm",
    "mean",
    "parse",
    "reach",
    "simoncelli",
    "square",
    "square_root",
    "wavelet",
]
