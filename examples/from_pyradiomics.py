# %% [markdown]
# # Moving from PyRadiomics
#
# How to get the numbers of PyRadiomics in one step, which name here is which name there, which setting is
# which, and where IBSI has it otherwise. The numbers of PyRadiomics on this page are those that version 3.0.1
# gave for the volume below; it need not be installed.
#
# In short: `preset="pyradiomics"` computes what PyRadiomics computes by default, under its names; a parameter
# file of PyRadiomics becomes settings with `from_pyradiomics`. All seven classes come out equal, resampling,
# re-segmentation, normalisation and filters included.
#
# Research use only, no medical device.

# %%
# %matplotlib inline
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from tumortrace.features import discretise, first_order, glcm
from tumortrace.table import Settings, from_pyradiomics

slices, rows, cols = np.indices((4, 20, 22))
image = 480 + 5 * ((37 * cols + 53 * rows + 29 * slices) % 41) + 12 * ((cols - 11) * (rows - 10) // 4)
mask = ((slices - 1.5) / 2.2) ** 2 + ((rows - 10) / 8) ** 2 + ((cols - 11) / 9) ** 2 < 1
spacing = (2.0, 0.5, 0.5)
print(f"{mask.sum()} voxels inside, from {image[mask].min()} to {image[mask].max()}")

# %% [markdown]
# ## In one step
#
# The preset has the defaults of PyRadiomics: bins of width 25 with edges at multiples of the width, features
# averaged over 13 directions, GLDM, GLRLM, GLSZM, NGTDM and the shape of the mesh. Names and numbers are its
# own. Where it defines a feature differently from IBSI, such as the kurtosis, the number is converted.

# %%
NUMBERS = {
    "original_shape_MeshVolume": 323.5,
    "original_shape_SurfaceArea": 265.1749695,
    "original_shape_Sphericity": 0.8594114197,
    "original_shape_MajorAxisLength": 8.061881877,
    "original_firstorder_Kurtosis": 2.356322949,
    "original_firstorder_TotalEnergy": 111527795.5,
    "original_glcm_Contrast": 11.64803773,
    "original_glcm_MCC": 0.6866686781,
    "original_glrlm_RunEntropy": 3.841806107,
    "original_glrlm_ShortRunEmphasis": 0.9347639294,
    "original_glszm_ZonePercentage": 0.3,
    "original_glszm_SmallAreaEmphasis": 0.3712395301,
    "original_gldm_DependenceEntropy": 5.805635253,
    "original_gldm_DependenceVariance": 2.287594123,
    "original_ngtdm_Coarseness": 0.008481820733,
    "original_ngtdm_Strength": 0.6890645171,
}


def compute(settings):
    """Return the numbers of the volume by the names of the columns."""
    values, reason = settings.compute(image, mask, spacing)
    assert reason == ""
    return dict(zip(settings.columns, values.tolist(), strict=True))


found = compute(Settings.of(preset="pyradiomics"))
for name, number in NUMBERS.items():
    np.testing.assert_allclose(found[name], number, rtol=1e-9)
    print(f"{name:36} {number:<12.7g} equal")
print(len(found), "features")

# %% [markdown]
# ## A parameter file
#
# `from_pyradiomics` takes the file, or what is in it, and gives settings; on a command line, `tumortrace
# settings convert Params.yaml -o settings.yaml` writes them, and `tumortrace extract images/ --settings
# settings.yaml` uses them. What is not supported is refused by name and never ignored in silence.

# %%
parameters = {
    "setting": {"binWidth": 20, "resampledPixelSpacing": [1, 1, 2], "resegmentRange": [400, 800], "force2D": True},
    "imageType": {"Original": {}, "LoG": {"sigma": [1.0]}},
    "featureClass": {"firstorder": None, "glszm": None},
}
settings = Settings.of(from_pyradiomics(parameters))
print({name: settings.sections[name] for name in ("preprocess", "filters")})
print(*sorted(compute(settings))[:3], sep="\n")
try:
    from_pyradiomics({"imageType": {"LBP3D": {}}})
except ValueError as error:
    print(error)

# %% [markdown]
# ## Images
#
# PyRadiomics takes images of SimpleITK. `tumortrace extract` reads NIfTI, NRRD, MetaImage and DICOM itself, and
# takes arrays, `(slices, rows, cols)` or `(rows, cols)`. That is how SimpleITK hands them out; its spacing runs
# the other way, `image.GetSpacing()[::-1]`. The setting `label` is `--label`, `correctMask` is
# `--resample-mask`.
#
# ## The edge of the first bin
#
# PyRadiomics' `binWidth` puts the edges of the bins at multiples of the width. `bin_width` here begins at the
# minimum of the region, as IBSI defines it, unless `first_edge="pyradiomics"` says otherwise.


# %%
def draw_bins(values, width):
    """Draw a histogram with both kinds of bins, and the grey level in each."""
    figure = Figure(figsize=(8, 4.2), layout="constrained")
    kinds = {
        f"binWidth={width} of PyRadiomics: edges at multiples of {width}": values.min() // width * width,
        f"bin_width={width}: edges from the minimum, {values.min()}": values.min(),
    }
    above, below = figure.subplots(2, sharex=True, sharey=True)
    for axes, colour, (title, first) in zip((above, below), ("#0072B2", "#D55E00"), kinds.items(), strict=True):
        edges = np.arange(first, values.max() + width + 1, width)
        counts, _, bars = axes.hist(values, edges, color=colour, edgecolor="white")
        axes.bar_label(bars, [str(level) for level in range(1, len(counts) + 1)], fontsize=9)
        axes.axvline(values.min(), color="#222222", linestyle=":")
        axes.set_title(title, loc="left", fontsize=11)
        axes.set_ylabel("voxels")
        axes.margins(y=0.15)
        axes.spines[["top", "right"]].set_visible(False)
    below.set_xlabel("intensity; the number on a bar is its grey level, the dotted line the minimum")
    return figure


some = np.array([[389, 399, 400, 424, 425, 752]])
levels = {
    "intensity": some[0],
    "binWidth=25": np.floor(some[0] / 25) - np.floor(some.min() / 25) + 1,  # as PyRadiomics documents it
    "first_edge='pyradiomics'": discretise(some, bin_width=25, first_edge="pyradiomics")[0][0],
    "bin_width=25": discretise(some, bin_width=25)[0][0],
}
assert np.array_equal(levels["binWidth=25"], levels["first_edge='pyradiomics'"])
print(pd.DataFrame(levels).astype(int).to_string(index=False))

# %% thumbnail=true
draw_bins(image[mask], 50)

# %% [markdown]
# A fixed number of bins, `binCount=32`, is `levels=32`: the same formula, so that only an intensity that lies
# on an edge to the last bit could fall to another side; with `first_edge="pyradiomics"` none does. What differs
# is the default: PyRadiomics has bins of width 25, tumortrace 32 bins. Intensities of MR have no unit, and on
# 8-bit data a width of 25 leaves ten levels.
#
# ## First order
#
# The intensities themselves need no bins. Three names stand for another definition: `Kurtosis` is 3 more than
# that of IBSI and of tumortrace, which is 0 for a normal distribution, `StandardDeviation` is the root of
# `variance`, and `TotalEnergy` is `energy` times the volume of a voxel. `Entropy` and `Uniformity` are those of
# the histogram.

# %%
FIRST_ORDER = {
    "10Percentile": ("percentile_10", 488.7),
    "90Percentile": ("percentile_90", 672.2),
    "Energy": ("energy", 223055591.0),
    "Entropy": ("histogram_entropy", 3.498463948),
    "InterquartileRange": ("interquartile_range", 104.0),
    "Kurtosis": ("kurtosis + 3", 2.356322949),
    "Maximum": ("maximum", 752.0),
    "Mean": ("mean", 577.1651515),
    "MeanAbsoluteDeviation": ("mean_absolute_deviation", 57.89798439),
    "Median": ("median", 578.0),
    "Minimum": ("minimum", 389.0),
    "Range": ("range", 363.0),
    "RobustMeanAbsoluteDeviation": ("robust_mean_absolute_deviation", 43.11469094),
    "RootMeanSquared": ("root_mean_square", 581.3458666),
    "Skewness": ("skewness", 0.001277788732),
    "StandardDeviation": ("√ variance", 69.59457266),
    "TotalEnergy": ("energy · volume of a voxel", 111527795.5),
    "Uniformity": ("histogram_uniformity", 0.09795224977),
    "Variance": ("variance", 4843.404543),
}


def side_by_side(names, ours):
    """Print both names of each feature and the number, after asserting that both give it."""
    first, second = max(map(len, names)), max(len(name) for name, _ in names.values())
    for theirs, (name, number) in names.items():
        np.testing.assert_allclose(ours[name], number, rtol=1e-9)
        print(f"{theirs:{first}}  {name:{second}}  {number:.6g}")


intensities = first_order(image, mask).to_dict()
histogram = first_order(image, mask, bin_width=25, first_edge="pyradiomics")
ours = intensities | {
    "histogram_entropy": histogram["histogram_entropy"],
    "histogram_uniformity": histogram["histogram_uniformity"],
    "kurtosis + 3": intensities["kurtosis"] + 3,
    "√ variance": np.sqrt(intensities["variance"]),
    "energy · volume of a voxel": intensities["energy"] * np.prod(spacing),
}
side_by_side(FIRST_ORDER, ours)

# %% [markdown]
# ## GLCM
#
# PyRadiomics counts 13 directions apart, takes the features of each and averages them:
# `aggregation="3d_average"`. The default here, `"3d_volume_merge"`, adds the matrices up first. Both are IBSI's.

# %%
GLCM = {
    "Autocorrelation": ("autocorrelation", 76.31275338),
    "ClusterProminence": ("cluster_prominence", 950.7398895),
    "ClusterShade": ("cluster_shade", -3.569491031),
    "ClusterTendency": ("cluster_tendency", 18.59066536),
    "Contrast": ("contrast", 11.64803773),
    "Correlation": ("correlation", 0.2305177068),
    "DifferenceAverage": ("difference_average", 2.777116081),
    "DifferenceEntropy": ("difference_entropy", 1.930145014),
    "DifferenceVariance": ("difference_variance", 2.552834174),
    "Id": ("inverse_difference", 0.3751584914),
    "Idm": ("inverse_difference_moment", 0.2830689691),
    "Idmn": ("normalised_inverse_difference_moment", 0.9588472044),
    "Idn": ("normalised_inverse_difference", 0.8613174345),
    "Imc1": ("information_correlation_1", -0.3255893438),
    "Imc2": ("information_correlation_2", 0.9319090738),
    "InverseVariance": ("inverse_variance", 0.2781274335),
    "JointAverage": ("joint_average", 8.635691019),
    "JointEnergy": ("angular_second_moment", 0.02374533914),
    "JointEntropy": ("joint_entropy", 5.800670214),
    "MCC": ("maximal_correlation_coefficient", 0.6866686781),
    "MaximumProbability": ("joint_maximum", 0.04761701387),
    "SumAverage": ("sum_average", 17.27138204),
    "SumEntropy": ("sum_entropy", 4.064468088),
    "SumSquares": ("joint_variance", 7.559675773),
}
BINS = {"bin_width": 25, "first_edge": "pyradiomics"}
side_by_side(GLCM, glcm(image, mask, **BINS, aggregation="3d_average"))

# %% [markdown]
# `energy` here is the root of `JointEnergy`, as scikit-image has it, and `homogeneity` is `Idm`. What PyRadiomics
# deprecated is there as well: `dissimilarity` (its `DifferenceAverage`) and `sum_variance` (its
# `ClusterTendency`).
#
# ## Settings

# %%
SETTINGS = {
    "binWidth=25": (11.64803773, {**BINS, "aggregation": "3d_average"}),
    "weightingNorm='no_weighting'": (11.68335199, {**BINS, "aggregation": "3d_volume_merge"}),
    "force2D=True": (12.08662545, {**BINS, "aggregation": "2.5d_direction_merge"}),
    "binCount=32": (55.78949853, {"levels": 32, "aggregation": "3d_average"}),
    "distances=[2]": (11.92979067, {**BINS, "aggregation": "3d_average", "distances": 2}),
}
for setting, (number, parameters) in SETTINGS.items():
    here = glcm(image, mask, **parameters)["contrast"]
    equal = bool(np.isclose(here, number, rtol=1e-9))
    assert equal == (setting != "distances=[2]")
    print(f"{setting:29} {number:.6g}  here {here:.6g}  {'equal' if equal else 'not equal'}")

# %% [markdown]
# | PyRadiomics | tumortrace | |
# |---|---|---|
# | `binWidth=25` | `bin_width=25, first_edge="pyradiomics"` | equal |
# | `binCount=32` | `levels=32, first_edge="pyradiomics"` | equal |
# | `distances=[1]` | `distances=1` | equal |
# | `distances=[2]`, `[1, 2]` | `distances=2`, `(1, 2)` | GLCM: not equal, see below |
# | `symmetricalGLCM=True` | always | equal |
# | `weightingNorm=None` | `aggregation="3d_average"` | equal |
# | `weightingNorm="no_weighting"` | `aggregation="3d_volume_merge"` | equal; the default here |
# | `force2D=True` | `"2.5d_direction_merge"`, `"2.5d"` | equal, with `force2Ddimension=0` |
# | `gldm_a` | `ngldm`, `coarseness` | equal |
# | `voxelArrayShift=c` | `names: {pyradiomics: {voxelArrayShift: c}}` | equal |
# | `resampledPixelSpacing`, `interpolator` | `preprocess`: `spacing`, `interpolation` | equal |
# | `padDistance` | `preprocess`: `padding` | equal |
# | `resegmentRange`, `resegmentMode` | `preprocess`: `range`, `range_mode` | equal |
# | `normalize`, `normalizeScale`, `removeOutliers` | `preprocess`: `normalise` | equal |
# | imageType Wavelet, Square, Logarithm, … | `filters` | equal |
# | imageType LoG, Gradient | `filters` | to 6 digits: ITK computes them in single precision |
# | `label=1` | `mask: {label: 1}` | equal |
# | `minimumROISize`, `minimumROIDimensions` | none | a region too small for a feature gives NaN and a reason |
#
# At distance 2, PyRadiomics has 49 directions, the steps of a chess knight among them, and averages over all
# directions of all distances. Here there are the same 13 at every distance, and features of each distance.
# `from_pyradiomics` refuses what it cannot reproduce: these distances, other weightings, LBP3D.
#
# ## PyRadiomics or IBSI?
#
# For a study that goes on with old tables: the preset `pyradiomics`. For a new one: the preset `ibsi`. Its
# numbers are those that other programs of the IBSI give, `tumortrace verify` proves it on your machine, and it
# has what PyRadiomics has not: GLDZM, intensity-volume histograms, local intensity, Moran's I and Geary's C,
# all aggregations. The record beside a table says which settings deviate from IBSI.
#
# To check an older table, compute a few rows with both and compare; where they differ, it is mostly the first
# bin.
