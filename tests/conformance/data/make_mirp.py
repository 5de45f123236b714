"""Write `mirp.json`: what MIRP gives for the volume of `tests/ct.py` under the IBSI configurations A to E.

``python make_mirp.py`` in an environment with mirp 2.7.0, which needs Python 3.11 or newer. MIRP computes Moran's I
and Geary's C of large regions from random pairs; the volume is small for that. It reads images, averages local
intensities and takes some medians in single precision.
"""

import json
import re
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))

from ct import SPACING, volume  # noqa: E402

DIRECTIONS = ("glcm", "glrlm")
NEIGHBOURS = ("glszm", "gldzm", "ngtdm", "ngldm")


def methods(families, wanted):
    """Return the setting of MIRP that asks families for these aggregations."""
    return {f"{family}_spatial_method": wanted for family in families}


IN_SLICES = {
    "by_slice": True,
    **methods(DIRECTIONS, ["2d_average", "2d_slice_merge", "2.5d_direction_merge", "2.5d_volume_merge"]),
    **methods(NEIGHBOURS, ["2d", "2.5d"]),
}
IN_VOLUME = {
    "by_slice": False,
    **methods(DIRECTIONS, ["3d_average", "3d_volume_merge"]),
    **methods(NEIGHBOURS, ["3d"]),
}
RESAMPLED = {"new_spacing": 2.0, "spline_order": 1, "anti_aliasing": False}
WIDTH = {"base_discretisation_method": "fixed_bin_size", "base_discretisation_bin_width": 25.0}
NUMBER = {"base_discretisation_method": "fixed_bin_number", "base_discretisation_n_bins": 32}
CONFIGURATIONS = {
    "A": {**IN_SLICES, **WIDTH, "resegmentation_intensity_range": [-500.0, 400.0]},
    "B": {**IN_SLICES, **RESAMPLED, **NUMBER, "resegmentation_intensity_range": [-500.0, 400.0]},
    "C": {
        **IN_VOLUME,
        **RESAMPLED,
        **WIDTH,
        "resegmentation_intensity_range": [-1000.0, 400.0],
        "ivh_discretisation_method": "fixed_bin_size",
        "ivh_discretisation_bin_width": 2.5,
    },
    "D": {**IN_VOLUME, **RESAMPLED, **NUMBER, "resegmentation_sigma": 3.0},
    "E": {
        **IN_VOLUME,
        **RESAMPLED,
        **NUMBER,
        "spline_order": 3,
        "resegmentation_intensity_range": [-1000.0, 400.0],
        "resegmentation_sigma": 3.0,
        "ivh_discretisation_method": "fixed_bin_number",
        "ivh_discretisation_n_bins": 1000,
    },
}

# codes that MIRP puts together as it runs, or misspells
CODES = {
    "stat_p10": "QG58",
    "stat_p90": "8DWT",
    "ih_p10": "GPMT",
    "ih_p90": "OZ0C",
    "ivh_v10": "NK6P",
    "ivh_v90": "4279",
    "ivh_i10": "PWN1",
    "ivh_i90": "BOHI",
    "ivh_diff_v10_v90": "WITY",
    "ivh_diff_i10_i90": "JXJA",
    "cm_sum_entr": "P6QZ",
}
AGGREGATIONS = {
    "2d_avg": "2d_average",
    "2d_s_mrg": "2d_slice_merge",
    "2.5d_d_mrg": "2.5d_direction_merge",
    "2.5d_v_mrg": "2.5d_volume_merge",
    "3d_avg": "3d_average",
    "3d_v_mrg": "3d_volume_merge",
}
_OF = "|".join(["2d", r"2\.5d", "3d", *AGGREGATIONS])
NAME = re.compile(rf"(?P<name>[a-z]+_\w+?)(?:_d1|_d1\.0|_a0\.0)*(?:_(?P<of>{_OF}))?(?:_fb[ns]_.+)?")


def codes():
    """Return MIRP's short name of each feature → its code in the IBSI manual, as MIRP's classes say it."""
    import mirp

    found = dict(CODES)
    for path in (Path(mirp.__file__).parent / "_features").glob("*_features.py"):
        found |= re.findall(r'abbr_name = "(\w+)"\s+self\.ibsi_id = "(\w{4})"', path.read_text(encoding="utf-8"))
    return found


def main():
    """Compute and write."""
    import itk

    array, mask = volume()
    with tempfile.TemporaryDirectory() as folder:
        paths = {}
        for name, values in (("image", array), ("mask", mask.astype(np.uint8))):
            image = itk.image_from_array(values)
            image.SetSpacing([float(step) for step in SPACING[::-1]])
            paths[name] = str(Path(folder) / f"{name}.nrrd")
            itk.imwrite(image, paths[name])
        found = {letter: compute(paths, settings) for letter, settings in CONFIGURATIONS.items()}
    content = {"mirp": version("mirp"), "sum": int(array.astype(int)[mask].sum()), "values": found}
    draft = HERE / ".mirp.json"
    draft.write_text(json.dumps(content, indent=0) + "\n", encoding="utf-8")
    draft.replace(HERE / "mirp.json")


def compute(paths, settings):
    """Return "code aggregation" → value."""
    import mirp

    (frame,) = mirp.extract_features(
        **paths, image_modality="ct", base_feature_families="all", glcm_distance=1.0, **settings
    )
    of_name, values = codes(), {}
    for column, value in frame.iloc[0].items():
        parts = NAME.fullmatch(column)
        if parts and parts["name"] in of_name:
            aggregation = AGGREGATIONS.get(parts["of"], parts["of"] or "")
            values[f"{of_name[parts['name']]} {aggregation}".strip()] = float(value)
    return values


if __name__ == "__main__":
    main()
