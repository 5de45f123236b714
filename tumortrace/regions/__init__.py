"""Regions derived from the mask of a lesion: its rim and core, the ring around it, the mirrored region.

Distances are in millimetres between the centres of voxels, so that a region is as wide in one direction as in
another whatever the spacing. A region that comes out empty is an error that says why.

``name(mask, *, spacing=None, …) -> ndarray of bool, shape of mask``. `REGIONS` is the one list; `parse`, `label`
and `derive` are for settings. Research software, no medical device.
"""

from tumortrace.regions._body import body
from tumortrace.regions._masks import contralateral, core, left_right, lesion, rim, ring
from tumortrace.regions._parse import DIFFERENCES, REGIONS, derive, label, parse

__all__ = [
    "DIFFERENCES",
    "REGIONS",
    "body",
    "contralateral",
    "core",
    "derive",
    "label",
    "left_right",
    "lesion",
    "parse",
    "rim",
    "ring",
]
