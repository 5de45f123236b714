"""How a result came about, in sentences: said once, for the methods, the model card and the checklists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import tumortrace
from tumortrace.report._gather import OUT_OF_FOLD, SCORED, Origin
from tumortrace.report._results._words import count, family, listed, percent
from tumortrace.report._study import Study

if TYPE_CHECKING:
    from tumortrace.model import Model

IMAGES, MODEL, TEST = "Images and features", "Model", "Test"
"""The parts of `method`."""

_IBSI = {"glcm": " (but for three of its features)", "first_order": ""}
"""Families that IBSI defines for images of two dimensions, and how far."""

BACKBONES = {"resnet8": "ResNet8", "resnet18": "ResNet18", "resnet50": "ResNet50", "vgg16": "VGG16"}
CLASSIFIERS = {"svm": "SVM", "logistic": "logistic regression", "forest": "random forest", "xgboost": "XGBoost"}
"""How networks and classifiers are called."""

_DESCRIBED = {
    "svm": "a support vector machine with a Gaussian kernel (C = 1), its distances turned into probabilities by "
    "Platt's method on patients that it had not seen",
    "logistic": "logistic regression with an L2 penalty (C = 0.01)",
    "forest": "a random forest of 500 trees",
    "xgboost": "boosted trees (XGBoost)",
}


def method(study: Study, origin: Origin) -> dict[str, dict[str, str]]:
    """Return part → term → sentences, of what is known.

    Without a model little is known: only the part `TEST`, of the predictions themselves.
    """
    found = {TEST: _test(study, origin)}
    if study.model is None:
        return found
    version = (origin.versions or {}).get("tumortrace", tumortrace.__version__)
    return {IMAGES: _images(study.model, version), MODEL: _model(study.model)} | found


def families(model: Model) -> dict[str, int]:
    """Return family of features → how many numbers of a row it has, in the order of the columns."""
    from tumortrace.table import column_groups

    columns = [name for name in model.estimator.feature_names_in_ if name != "sequence"]
    groups = column_groups(columns)
    groups.pop("image", None)
    return {name: len(group) for name, group in groups.items()}


def network(model: Model) -> Any:
    """Return the `Recipe` of the networks of a model; None where it has none."""
    plan = model.record["plan"]
    if model.inputs.pixels is None:
        return None
    from tumortrace.deep import Recipe

    return Recipe.of(plan["recipe"], plan["backbone"], size=plan["size"], epochs=plan["epochs"])


def _images(model: Model, version: str) -> dict[str, str]:
    inputs, numbers = model.inputs, families(model)
    sequences = inputs.sequences or ()
    row = f"One {inputs.unit} is one row of the data"
    if inputs.unit == "slice" and sequences:
        row += f"; its {count(len(sequences), 'sequence')} are taken together"
    found = {
        "Row": f"{row}.",
        "Grey values": "Read as stored in the files. They are not normalised between patients or scanners.",
        "Resampling": "No image is resampled to a common pixel spacing: a pixel is what the file says it is.",
        "Region": "The whole image given for a lesion; no mask is applied.",
    }
    texture = inputs.texture or {}
    if numbers:
        total = sum(numbers.values())
        parts = ", ".join(f"{family(name)} {size:,}" for name, size in numbers.items())
        found["Features"] = (
            f"{total:,} numbers per {inputs.unit}: {parts}. No feature is computed from a file name."
        )
        own = [family(name) for name in numbers if name not in _IBSI]
        standard = [f"{family(name)}{_IBSI[name]}" for name in numbers if name in _IBSI]
        found["Definitions"] = (
            (f"As in the IBSI reference manual: {listed(standard)}. " if standard else "")
            + (f"Not covered by IBSI: {listed(own)}. " if own else "")
            + f"Software: tumortrace {version}."
        )
    if "hog" in texture:
        rows, cols = texture["hog"]["size"]
        found["Resampling"] += f" For HOG alone each image is resized to {rows} × {cols} pixels."
    if recipe := network(model):
        found["Resampling"] += f" For the network it is resized to {recipe.size} × {recipe.size} pixels (bilinear)."
    levels = [f"{family(name)} {_discretised(texture[name])}" for name in texture if "levels" in texture[name]]
    if levels:
        found["Grey levels"] = (
            f"Discretised between the lowest and highest value of each image: {', '.join(levels)}."
        )
    return found


def _discretised(parameters: dict[str, Any]) -> str:
    if parameters["bin_width"] is not None:
        return f"in bins of width {parameters['bin_width']:g}"
    return f"into {parameters['levels']} levels"


def _model(model: Model) -> dict[str, str]:
    plan, numbers = model.record["plan"], families(model)
    found = {}
    if numbers:
        if model.inputs.unit == "slice" and model.inputs.texture is not None:
            found["Course over time"] = (
                "In place of a feature in each sequence stand fixed contrasts of its values before and after "
                "contrast agent (level, change, trend, turn). Nothing is learned in this step."
            )
        found["Missing numbers"] = "Replaced by the median of their column."
        found["Scaling"] = "Each column is mapped by rank to a normal distribution."
        found["Selection"] = (
            "No column is selected by its relation to the classes; columns that do not vary are dropped. Each "
            "family of features has a classifier of its own, so that none drowns another by its many columns."
        )
        found["Classifier"] = f"For each family {_DESCRIBED[plan['classifier']]}. Parameters are not tuned."
        if plan["classifier"] != "xgboost":
            found["Imbalance"] = "Both classes count the same in the training, however many rows each has."
    if recipe := network(model):
        found["Network"] = _network(model, recipe)
        found["Training of the network"] = _training(recipe)
    if "sequence" in model.estimator.feature_names_in_ and len(model.inputs.sequences or ()) > 1:
        found["Sequences"] = "The features of each sequence have classifiers of their own."
    if fused := _fusion(model):
        found["Fusion"] = fused
    return found


def _network(model: Model, recipe: Any) -> str:
    plan = model.record["plan"]
    name = BACKBONES[plan["backbone"]]
    channels = len(model.inputs.pixels or ()) or 1
    start = {None: "random weights", "imagenet": "weights learned on ImageNet"}.get(
        plan["weights"], "given weights"
    )
    text = (
        f"{name}; the input has {count(channels, 'channel')} of {recipe.size} × {recipe.size} pixels; from {start}."
    )
    if plan["networks"] == "both":
        text += " A second network learns from every crop by itself; its scores are averaged over the sequences."
    return text


def _training(recipe: Any) -> str:
    optimiser = {"adamw": "AdamW", "sgd": "stochastic gradient descent with momentum"}[recipe.optimiser]
    steps = [
        f"{count(recipe.epochs, 'epoch')} at most" if recipe.validation else count(recipe.epochs, "epoch"),
        optimiser,
        f"learning rate {recipe.learning_rate:g} ({recipe.schedule})",
        f"weight decay {recipe.weight_decay:g}",
        f"{recipe.batch_size} rows per step",
    ]
    text = f"Recipe {recipe.name!r}: {', '.join(steps)}; images are moved, turned and mirrored at random."
    if recipe.balance:
        text += " Classes are drawn equally often."
    if recipe.validation:
        text += (
            f" The epoch is chosen on {100 * recipe.validation:.0f} % of the training patients, held out for that."
        )
    if recipe.views > 1:
        text += f" A prediction averages {recipe.views} mirrored and turned views."
    return text


def _fusion(model: Model) -> str:
    from tumortrace.model import members

    found = members(model.estimator)
    parents = {member.parent for member in found.values()}
    if not found:
        return ""
    shares: dict[str, float] = {}
    for member in found.values():
        if member.name not in parents:
            texture = member.parent == "texture" or (member.parent is None and "texture" not in found)
            name = "texture" if texture and member.name in families(model) else member.name
            shares[name] = shares.get(name, 0.0) + member.weight
    if len(shares) > 1:
        parts = listed(f"{family(name)} {percent(weight)}" for name, weight in shares.items())
        return (
            f"The score is the mean of the log-odds of its members, weighed {parts}. The weights are not learned."
        )
    return "The score is the mean of the log-odds of its members, which all count the same."


def _test(study: Study, origin: Origin) -> dict[str, str]:
    level = listed(f"per {name}" for name in study.levels)
    found = {
        "Testing": _testing(study, origin),
        "Threshold": _threshold(study, origin),
        "Levels": f"Figures are given {level}. The score of a patient is the mean of the scores of the rows.",
        "Intervals": "95 %, from resampling patients with all of their rows 1,000 times, class by class.",
        "Comparisons": "Of areas under ROC curves on the same rows, on the same resamples; p is two-sided, from "
        "resampled patients, with DeLong's beside it. No correction for multiple comparisons.",
    }
    return {term: text for term, text in found.items() if text}


def _testing(study: Study, origin: Origin) -> str:
    if study.cross_fitted:
        folds = study.rows["fold"].nunique()
        text = f"Cross-validation in {folds} folds by patient"
        if study.model is not None:
            text += f", stratified by class, drawn with seed {study.model.record['plan']['seed']}"
        text += ": every row is scored by a model that was trained without any row of its patient."
        if study.model is not None:
            text += " All that learns (medians, scaling, classifiers, network) learns in the other folds only."
        return text
    if origin.kind == SCORED:
        splits = f", {listed(origin.splits)}" if origin.splits else ""
        seen = "" if study.seen is None else f" {count(int(study.seen.sum()), 'row')} of them were in its training."
        return f"The finished model scored the rows of {origin.source}{splits}.{seen}"
    return f"The scores were given as a table, {origin.name}; how they came about is not in it."


def _threshold(study: Study, origin: Origin) -> str:
    rule = "chosen for the highest sum of sensitivity and specificity (Youden)"
    if study.cross_fitted and "threshold" in study.rows:
        text = f"Of each row, {rule} on the rows of the other folds."
        if study.model is not None and origin.kind == OUT_OF_FOLD:
            text += f" That of the finished model, {study.model.threshold:.3f}, is chosen on all of them."
        return text
    if study.model is not None and study.model.record["metrics"]:
        return f"{study.model.threshold:.3f}, {rule} on the out-of-fold predictions of its training."
    if "threshold" in study.rows:
        return "As the table of predictions gives it; how it was chosen is not in it."
    return "0.5, which nobody chose."
