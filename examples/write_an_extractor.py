# %% [markdown]
# # Writing an extractor
#
# An extractor takes an image, and a mask where there is one, and returns a `FeatureVector`. This page writes one
# from nothing: a short form of the *neighbourhood grey tone difference matrix* (NGTDM) of Amadasun and King 1989
# ([10.1109/21.44046](https://doi.org/10.1109/21.44046)), in the four steps of `CONTRIBUTING.md`: the oracle, the
# extractor, the list, and what is to explain and compare. tumortrace has the whole of it as `ngtdm`, against which
# the one of this page is held in the end.
#
# Research use only, no medical device.
#
# ## What it measures
#
# Every pixel is compared with the mean of its neighbours inside the mask, eight in a slice and 26 in a volume.
# For each grey level i, n(i) pixels of it have a neighbour, their share is p(i), and s(i) is the sum of |i − mean
# of neighbours|. Two features are enough here: *coarseness* 1 / Σ p(i) s(i) is high where the texture is large
# and smooth, and *busyness* Σ p(i) s(i) / ΣΣ |i p(i) − j p(j)|, over levels that occur, is high where it changes
# quickly.

# %%
# %matplotlib inline
import numpy as np
from matplotlib.figure import Figure

from tumortrace import _check, extract, io
from tumortrace._numba import kernel
from tumortrace.features import FEATURES, FeatureVector, discretise, ngtdm

# %% [markdown]
# ## 1. The oracle
#
# First the slow, obvious version: loops that anyone can hold against the paper. It stays with the tests, as those
# of `tests/naive_texture.py` do, and the fast version must equal it for ever. It is itself held to an example
# worked out by hand, the one in the documentation of PyRadiomics.


# %%
def naive_tones(grey):
    """Return n and s of the levels 1, 2, … of an image of grey levels; 0 is outside the mask."""
    n, s = np.zeros(grey.max()), np.zeros(grey.max())
    for at in np.argwhere(grey):
        window = grey[tuple(slice(max(k - 1, 0), k + 2) for k in at)]
        level = grey[tuple(at)]
        neighbours = window[window > 0].tolist()
        neighbours.remove(level)
        if neighbours:
            n[level - 1] += 1
            s[level - 1] += abs(level - np.mean(neighbours))
    return n, s


by_hand = np.array([[1, 2, 5, 2], [3, 5, 1, 3], [1, 3, 5, 5], [3, 1, 1, 1]])
n, s = naive_tones(by_hand)
print("n:", n, " s:", s.round(3))
assert n.tolist() == [6, 2, 4, 0, 4]
np.testing.assert_allclose(s, [13.35, 2.00, 3.03, 0, 10.075], atol=0.005)

# %% [markdown]
# ## 2. The extractor
#
# A file `tumortrace/features/_tones.py` would hold what follows, in this order: the extractor, its
# intermediate, the formulas, the kernel. The extractor checks its arguments with `_check`, which words every
# error the same way, makes one call of a kernel, and names the numbers. In a script a function must be there
# before it is called, not before it is defined, so the order can be the reader's.


# %%
def tones(image, mask=None, *, spacing=None, levels=32, bin_width=None):
    """Return coarseness and busyness; NaN, with a reason, where they are not defined."""
    _check.spacing(spacing, np.ndim(image))  # one word for the same thing in every extractor, even where unused
    grey, n_levels = discretise(image, mask, levels=levels, bin_width=bin_width)
    n, s = _tally(grey, n_levels)
    numbers = {"coarseness": _coarseness(n, s), "busyness": _busyness(n, s)}
    return FeatureVector(tuple(numbers), list(numbers.values()), _reason(n, numbers))


def tone_differences(image, mask=None, *, levels=32, bin_width=None):
    """Return how far each pixel is from the mean of its neighbours, in grey levels; NaN where there is none."""
    return _differences_of(discretise(image, mask, levels=levels, bin_width=bin_width)[0])


def _differences_of(grey):
    differences = np.empty(grey.shape)
    volume = (1, *grey.shape) if grey.ndim == 2 else grey.shape
    _differences(grey.reshape(volume), differences.reshape(volume))
    return differences


def _tally(grey, n_levels):
    differences = _differences_of(grey)
    counted = ~np.isnan(differences)
    n = np.bincount(grey[counted], minlength=n_levels + 1)
    s = np.bincount(grey[counted], differences[counted], minlength=n_levels + 1)
    return n[1:], s[1:]


def _coarseness(n, s):
    weighted = n @ s
    most = 1e6 if n.any() else np.nan  # IBSI says so, where nothing differs from its neighbours
    return n.sum() / weighted if weighted > 0 else most


def _busyness(n, s):
    p = n[n > 0] / max(n.sum(), 1)
    weights = p * (np.flatnonzero(n) + 1)
    changes = np.abs(weights[:, None] - weights).sum()
    alone = 0.0 if p.size == 1 else np.nan
    return p @ s[n > 0] / changes if changes > 0 else alone


def _reason(n, numbers):
    if not n.any():
        return "no pixel has a neighbour inside the image or mask"
    return "busyness: i p(i) is the same for all levels" if np.isnan(numbers["busyness"]) else ""


@kernel
def _differences(grey, out):
    slices, rows, cols = grey.shape
    for z in range(slices):
        for y in range(rows):
            for x in range(cols):
                total, count = 0, -1
                window = grey[max(z - 1, 0) : z + 2, max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2]
                for level in window.flat:
                    total += level
                    count += level > 0
                here = np.int64(grey[z, y, x])
                out[z, y, x] = abs(here - (total - here) / count) if here > 0 and count > 0 else np.nan


# %% [markdown]
# It equals the oracle on random images and volumes with holes in their masks.

# %%
rng = np.random.default_rng(0)
for shape in [(9, 11), (3, 4), (4, 6, 5)]:
    image, mask = rng.integers(0, 200, shape), rng.random(shape) < 0.7
    grey, _ = discretise(image, mask, levels=8)
    for ours, expected in zip(_tally(grey, 8), naive_tones(grey), strict=True):
        np.testing.assert_allclose(ours, expected)
    print(shape, tones(image, mask, levels=8))

# %% [markdown]
# Degenerate images have a defined answer too, and errors name the argument and say what would be right.

# %%
print(tones(np.full((5, 5), 7)))
print(tones([[0, 0, 1]], levels=2))
print(tones([[3]]))
try:
    tones(image, mask, levels=0)
except ValueError as error:
    print("ValueError:", error)

# %% [markdown]
# ## What one looks at
#
# The intermediate is public: a picture of what the numbers are made of finds more mistakes than a test.

# %%
lesions = io.synthetic.make_lesions("lesions", patients=8)
lesion = io.read_image(lesions / "train/Malignant/SYN-001/VIBRANT+C2/p-060.jpg").array


def draw(image):
    """Draw an image and the differences beside it."""
    figure = Figure(figsize=(7.4, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.imshow(image, cmap="gray")
    left.set_title("A synthetic lesion", loc="left", fontsize=11)
    shown = right.imshow(tone_differences(image), cmap="magma")
    right.set_title("Difference from the neighbours", loc="left", fontsize=11)
    figure.colorbar(shown, ax=right, label="grey levels of 32", shrink=0.9)
    for axes in (left, right):
        axes.set(xticks=[], yticks=[])
    return figure


# %% thumbnail=true
draw(lesion)

# %% [markdown]
# ## 3. The list
#
# `FEATURES` is the one list of extractors: the table, the command line, the transformer, the docs and the
# contract test read it, and parameters and defaults are those of the signature. In the package it is a line in
# `tumortrace/features/__init__.py`. To try an extractor out, put it into the list of your own session and extract
# in one process. (Leave `resume` out meanwhile: it knows versions of tumortrace and settings, not your edits.)

# %%
FEATURES["tones"] = tones
table = extract(lesions, {"tones": {"levels": 16}, "first_order": {}}, jobs=1)
after = table[table["sequence"] == "VIBRANT+C2"]
print(after.groupby("label")[["tones_coarseness", "tones_busyness"]].median().round(3).to_string())
assert (table["status"] == "ok").all()

# %% [markdown]
# ## 4. Explain and compare
#
# What is left before others can trust it:
#
# - a file of tests with the example by hand, the oracle, and published values where there are any; for this family
#   `tests/features/test_ngtdm.py` has the first two and `test_texture_published.py` the last, of IBSI's digital
#   phantom and of PyRadiomics. The contract test in `tests/features/test_contract.py` runs over it by itself, with
#   strange dtypes and masks; the one of this page passes it but for its short docstring;
# - a page in `docs/extractors/`: the formula, a picture, the reference, whether IBSI defines it (it does, as IPET);
# - a line in `benchmarks/` that first asserts that a peer gives the same numbers, and then times both.
#
# The peer of this page is the `ngtdm` of tumortrace itself. It has five features, slices and volumes apart, any
# distance, and sums over windows that add what enters and subtract what leaves, instead of a look at 26 neighbours.
# The numbers are the same.

# %%
whole = ngtdm(image, mask, levels=8)
for name, number in tones(image, mask, levels=8).items():
    print(f"{name}: {number:.4f} here, {whole[name]:.4f} in tumortrace")
    np.testing.assert_allclose(number, whole[name])
