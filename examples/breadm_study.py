# %% [markdown]
# # A study, from folder to report
#
# The question: is a model that fuses texture, kinetics and a network better than the network alone, on patients
# that none has seen? Here on synthetic lesions in the layout of BreaDM; with a folder of your own, the first cell
# changes and the others stay. Few patients and few epochs keep this page quick: it shows the way, not what can be
# reached.
#
# Research use only, no medical device.

# %%
# %matplotlib inline
import re
from pathlib import Path

from matplotlib.figure import Figure

from tumortrace import io
from tumortrace.evaluation import auc, roc
from tumortrace.explain import explain
from tumortrace.model import compare_predictions, train
from tumortrace.report import plot_class_distribution, plot_explanation, plot_roc, write_report
from tumortrace.table import extract_slices

lesions = io.synthetic.make_lesions("lesions", patients=40, slices=3)
listing = io.find(lesions).frame
print(listing[["image", "label", "patient", "sequence", "slice"]].head(3).to_string(index=False))

# %% [markdown]
# ## 1. The folder
#
# A folder per split, class, patient and sequence, a file per slice. How many patients there are of each class
# decides what can be found at all.

# %%
plot_class_distribution(io.class_distribution(listing), title="Synthetic lesions")

# %% [markdown]
# Look at some before anything is computed. A slice has 17 images: one before contrast, eight phases after it, and
# their subtractions. These are the nine phases of a malignant lesion.


# %%
def draw_phases(rows):
    """Draw the phases of one slice in the order of time."""
    figure = Figure(figsize=(10, 1.7), layout="constrained")
    paths = rows.set_index("sequence")["image"]
    for axes, name in zip(figure.subplots(1, 9), io.synthetic.SEQUENCES[:9], strict=True):
        image = io.read_image(lesions / paths[name]).array
        axes.imshow(image, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
        axes.set_title(name.removeprefix("VIBRANT+"), fontsize=9)
        axes.set_axis_off()
    return figure


of_one = listing[listing["patient"] == "SYN-010"]
draw_phases(of_one[of_one["slice"] == of_one["slice"].min()])

# %% [markdown]
# ## 2. The table
#
# One row per slice: the texture of each of its 17 images, and the kinetics of its phases. It is an ordinary
# DataFrame, to look at before any model does. How well does one number alone tell the classes apart? The interval
# comes from resampling patients, since slices of one patient resemble each other.

# %%
slices = extract_slices(lesions, ["glcm", "lbp"], jobs=2)
print(f"{len(slices)} slices of {slices['patient'].nunique()} patients, {slices.shape[1]} columns")
malignant = slices["label"] == "Malignant"
for name in ("kinetics_lesion_wash_in", "kinetics_lesion_signal_enhancement_ratio", "vibrant_c2__glcm_contrast"):
    print(f"{name:41} AUC {auc(malignant, slices[name], slices['patient'])}")

# %% [markdown]
# ## 3. The models
#
# A fused model is an average of its members: a support vector machine per extractor on the course of its features
# over the phases, kinetics, and a small network on all sequences. It is tested by cross-validation in which no
# patient is on both sides, and its members with it on the same folds. `train` reads the folder by itself; beside
# the model it leaves the out-of-fold predictions.

# %%
model = train("fused", lesions, features=["glcm", "lbp", "kinetics"], folds=3, epochs=8, jobs=2, out="model")
tested = model.out_of_fold
scores = {"fused": "score", "handcrafted": "score_handcrafted", "CNN": "score_cnn"}
print(tested[["patient", "slice", "label", "fold", *scores.values()]].head(4).round(2).to_string(index=False))

# %%
truth = tested["label"] == "Malignant"
curves = {name: roc(truth, tested[column], tested["patient"]) for name, column in scores.items()}
plot_roc(curves, title="Synthetic lesions, per slice")

# %% [markdown]
# ## 4. The comparison
#
# Two intervals that overlap say little: both models are good on the same easy patients. A paired comparison
# resamples patients and takes the difference each time. An interval that holds 0 means that this many patients
# cannot tell.

# %%
for name in ("CNN", "handcrafted"):
    other = tested.assign(score=tested[scores[name]])
    for level, found in compare_predictions(tested, other, "Malignant").items():
        print(f"fused − {name}, per {level}: {found.difference}")

# %% [markdown]
# ## 5. One lesion
#
# A lesion that the model has not seen, and what moved its score: how far each family of features and the network
# took it from the mean training lesion, in log-odds, and where the network looked. It explains the model, not the
# lesion.

# %%
others = io.synthetic.make_lesions("others", patients=6, slices=1, seed=1)
(explained,) = explain(model, others, rows=4, jobs=1)
shown = io.find(others).frame.query(f"patient == '{explained.identity['patient']}' and sequence == 'VIBRANT+C2'")
print(f"{explained.identity['label']}, score {explained.score:.2f}, called {explained.predicted}")
print(explained.families.sort_index().round(2).to_string())

# %% thumbnail=true
plot_explanation(explained, io.read_image(others / shown["image"].item()).array)

# %% [markdown]
# ## 6. The report
#
# One page of HTML that needs no other file: the data, the results at every level with intervals, what matters,
# the worst errors with their pictures, limits, the model card, and the checklists CLEAR and METRICS with what the
# software can know filled in. It is to be read, and questioned.

# %%
page = write_report(
    "model", "report.html", question="Is the fused model better than the network alone, on unseen patients?", jobs=2
)
for heading in re.findall(r"<h2[^>]*>(.*?)</h2>", Path(page).read_text(encoding="utf-8"), re.DOTALL):
    print(re.sub(r"<[^>]+>", "", heading).strip())

# %% [markdown]
# Before a claim: keep a split called `test` that `train` leaves out by itself, ask it once, at the end, with
# `model.predict(folder, splits=["test"])`, and see how the result of the project (`docs/results.md`) was chosen
# and what it does not show.
