"""Features of one image: named numbers, and what lies between pixels and numbers."""

import numpy as np

from tumortrace.features import FEATURES, glcm, lbp_codes, mvm_lbp

rows, cols = np.mgrid[:64, :64]
disc = np.hypot(rows - 32, cols - 32) < 20
image = 80 + 60 * disc + np.random.default_rng(0).normal(0, 12, (64, 64))

vector = glcm(image, disc, levels=32, distances=(1, 2))
print(vector)
print("contrast at distance 1 and 2:", round(vector["contrast_d1"], 2), round(vector["contrast_d2"], 2))
print("as an array:", np.asarray(vector).shape)

print("most frequent uniform codes:", np.bincount(lbp_codes(image, method="uniform").ravel().astype(int)))
print("where no window fits:", mvm_lbp(image[:2, :2]).reason)

for name, extractor in FEATURES.items():
    print(f"{name:12} {len(extractor(image, disc)):4} features")
