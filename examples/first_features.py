# %% [markdown]
# # First features
#
# One lesion, its features as named numbers, and what lies between the pixels and the numbers. Everything here
# takes plain numpy arrays: the lesion is synthetic, and a slice or a volume of your own does as well.
#
# Research use only, no medical device.

# %%
# %matplotlib inline
import numpy as np

from tumortrace import FeatureExtractor, io
from tumortrace.features import FEATURES, glcm, glcm_matrix, lbp_codes, mvm_lbp
from tumortrace.report import panel

lesions = io.synthetic.make_lesions("lesions", patients=8)
image = io.read_image(lesions / "train/Malignant/SYN-001/VIBRANT+C2/p-060.jpg").array
print(image.shape, image.dtype, image.min(), image.max())

# %% [markdown]
# ## One extractor
#
# `glcm` counts which grey levels lie side by side. It returns a `FeatureVector`: named numbers in a fixed order,
# which reads like a mapping and converts to an array, a dict or a pandas Series. Parameters are keywords, and the
# number of features depends on them alone, never on the image.

# %%
vector = glcm(image, levels=32, distances=(1, 2))
print(vector)
print("contrast at distances 1 and 2:", round(vector["contrast_d1"], 2), round(vector["contrast_d2"], 2))
print("as an array:", np.asarray(vector).shape)
print(vector.to_series().head(3).round(3).to_string())

# %% [markdown]
# ## A mask
#
# Where there is a mask, what is not zero is inside, and both pixels of a pair must be. Here it is a disc; yours
# comes from whoever drew the lesion.

# %%
rows, cols = np.indices(image.shape)
middle = np.array(image.shape) // 2
disc = np.hypot(rows - middle[0], cols - middle[1]) < 0.35 * min(image.shape)
print("pixels inside:", disc.sum(), "of", disc.size)
print("contrast inside:", round(glcm(image, disc)["contrast"], 2), " of all:", round(glcm(image)["contrast"], 2))

# %% [markdown]
# ## What lies between
#
# A number that nobody can look at is hard to trust. Every extractor has its picture: `glcm_matrix`, `lbp_codes`,
# `sobel_gradients`, … return arrays, and `panel` draws them all, of the pixels inside the mask where that is what
# counts.

# %%
print("matrix of 8 levels:", glcm_matrix(image, disc, levels=8).shape)
print("pixels per uniform code:", np.bincount(lbp_codes(image, method="uniform").ravel().astype(int)))

# %% thumbnail=true
panel(image, disc, title="A synthetic lesion")

# %% [markdown]
# ## All extractors
#
# `FEATURES` lists them by name. An image that cannot give a number gives NaN, and `reason` says why.

# %%
for name, extractor in FEATURES.items():
    print(f"{name:15} {len(extractor(image, disc)):4} features")
print("mvm_lbp of two rows:", mvm_lbp(image[:2]).reason)

# %% [markdown]
# ## Many images
#
# `FeatureExtractor` is a step of a scikit-learn pipeline: images in, a DataFrame out. For a folder on disk,
# `extract` makes the same table in parallel and can be resumed.

# %%
images = [io.read_image(path).array for path in sorted(lesions.rglob("VIBRANT+C2/*.jpg"))]
table = FeatureExtractor({"glcm": {"levels": 32}, "first_order": {}}).fit_transform(images)
print(table.shape)
print(table[["glcm_contrast", "glcm_correlation", "first_order_mean"]].describe().round(2).to_string())
