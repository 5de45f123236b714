"""Extractors: an image, and a mask where there is one, to a `FeatureVector`.

`FEATURES` is the one list of extractors; the table, the command line, the transformer, the docs and the contract
test read it. `STACK_FEATURES` lists those that take a stack of phases instead of an image.
"""

from collections.abc import Callable

from tumortrace.features._common_scale import CommonScale, common_scale
from tumortrace.features._discretise import discretise
from tumortrace.features._enhancement import EnhancementMaps, enhancement_maps, enhancing_lesion
from tumortrace.features._first_order import first_order
from tumortrace.features._first_order_map import first_order_map
from tumortrace.features._glcm import glcm, glcm_matrix
from tumortrace.features._glcm_map import glcm_map
from tumortrace.features._gldzm import gldzm, gldzm_matrix
from tumortrace.features._glrlm import glrlm, glrlm_matrix
from tumortrace.features._glszm import glszm, glszm_matrix
from tumortrace.features._hog import hog, hog_blocks, hog_cells
from tumortrace.features._ivh import ivh
from tumortrace.features._kinetics import kinetics
from tumortrace.features._lbp import lbp, lbp_codes
from tumortrace.features._local_intensity import local_intensity
from tumortrace.features._morphology import morphology
from tumortrace.features._mvm_lbp import mvm_lbp, mvm_lbp_codes
from tumortrace.features._mvmbp import mvmbp, mvmbp_codes
from tumortrace.features._ngldm import ngldm, ngldm_matrix
from tumortrace.features._ngtdm import ngtdm, ngtdm_matrix
from tumortrace.features._shape import shape
from tumortrace.features._sobel import SobelGradients, sobel, sobel_gradients, sobel_magnitude
from tumortrace.features._vector import FeatureVector
from tumortrace.features._windows import FeatureMaps

FEATURES: dict[str, Callable[..., FeatureVector]] = {
    "hog": hog,
    "sobel": sobel,
    "lbp": lbp,
    "mvm_lbp": mvm_lbp,
    "mvmbp": mvmbp,
    "glcm": glcm,
    "first_order": first_order,
    "shape": shape,
    "ivh": ivh,
    "local_intensity": local_intensity,
    "morphology": morphology,
    "glrlm": glrlm,
    "glszm": glszm,
    "gldzm": gldzm,
    "ngtdm": ngtdm,
    "ngldm": ngldm,
}

STACK_FEATURES: dict[str, Callable[..., FeatureVector]] = {"kinetics": kinetics}

__all__ = [
    "FEATURES",
    "STACK_FEATURES",
    "CommonScale",
    "EnhancementMaps",
    "FeatureMaps",
    "FeatureVector",
    "SobelGradients",
    "common_scale",
    "discretise",
    "enhancement_maps",
    "enhancing_lesion",
    "first_order",
    "first_order_map",
    "glcm",
    "glcm_map",
    "glcm_matrix",
    "gldzm",
    "gldzm_matrix",
    "glrlm",
    "glrlm_matrix",
    "glszm",
    "glszm_matrix",
    "hog",
    "hog_blocks",
    "hog_cells",
    "ivh",
    "kinetics",
    "lbp",
    "lbp_codes",
    "local_intensity",
    "morphology",
    "mvm_lbp",
    "mvm_lbp_codes",
    "mvmbp",
    "mvmbp_codes",
    "ngldm",
    "ngldm_matrix",
    "ngtdm",
    "ngtdm_matrix",
    "shape",
    "sobel",
    "sobel_gradients",
    "sobel_magnitude",
]
