"""Which families and features matter, and how far that depends on who was in the data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray

from tumortrace.evaluation import Interval
from tumortrace.report._document import Block, Note, Picture, Section, Table, Text
from tumortrace.report._explanation import plot_explanation
from tumortrace.report._forest import plot_forest
from tumortrace.report._results._crops import files, main_sequence, of_patients, pixels
from tumortrace.report._results._families import families
from tumortrace.report._results._univariate import TOP, top_share, univariate
from tumortrace.report._results._words import INTERVALS, count, family, feature, interval, percent
from tumortrace.report._study import Study

if TYPE_CHECKING:
    from tumortrace.explain import Explanation

_SHOWN = 10
_ROWS_OF_CLASS = 6
_RESAMPLES = 1000


def importance(study: Study) -> Section:
    """Return what matters: families, features by themselves, and features in the model."""
    sections = [families(study)] if len(study.leaves) > 1 else []
    if (seen := classifier_sees(study)) is not None:
        sections += [_alone(study, seen), *_in_model(study)]
    if sections:
        text = (
            "Three questions that are often taken for one: what the model relies on, what tells the classes apart, "
            "and what causes the difference. The first two are answered below. The third cannot be, by numbers "
            "such as these."
        )
    else:
        text = (
            "The features behind the predictions are not known, so that nothing can be said of what mattered: "
            "give the model and its images."
        )
    return Section("importance", "What matters, and how stable that is", [Text(text)], sections)


def classifier_sees(study: Study) -> pd.DataFrame | None:
    """Return the features of the rows as classifiers see them: their course over time, where there are phases."""
    if study.model is None or study.features is None:
        return None
    from tumortrace.fusion import TimeCourse
    from tumortrace.table import column_groups

    groups = column_groups(name for name in study.model.estimator.feature_names_in_ if name != "sequence")
    columns = [name for group, names in groups.items() if group != "image" for name in names]
    return TimeCourse().fit_transform(study.features[columns]) if columns else None


def _alone(study: Study, seen: pd.DataFrame) -> Section:
    """Return what each feature says by itself."""
    found = univariate(seen, study.y, study.rows["patient"].to_numpy(), seed=study.seed)
    shown = found.iloc[:_SHOWN]
    text = (
        "Does a feature by itself tell the classes apart? An AUC above 0.5 means higher values in "
        f"{study.positive.lower()} lesions, below 0.5 lower ones; 0.5 says nothing. No model is involved. "
        f"{count(len(found), 'feature')} were looked at, and the best were picked for being so: they look better "
        "than they are, and of as many that say nothing some would look good too. How often a feature is among the "
        "best when other patients are drawn tells more than its rank. Features that measure nearly the same take "
        "each other's place."
    )
    names = {name: feature(str(name)) for name in shown.index}
    values = shown[["auc", "low", "high"]].to_numpy()
    area = "AUC by itself"
    figure = _picture(
        area,
        {said: Interval(*three) for said, three in zip(names.values(), values, strict=True)},
        shown["top"],
        0.5,
    )
    rows = [
        [said, interval(tuple(three)), percent(share)]
        for said, three, share in zip(names.values(), values, shown["top"], strict=True)
    ]
    table = Table(
        f"The {len(shown)} features with the AUC furthest from 0.5",
        ["Feature", "AUC", f"Among the {TOP} best"],
        rows,
        note=f"{INTERVALS.replace('1,000', '500')} Of all {study.unit}s; the share is that of the same resamples.",
        numeric=[1, 2],
    )
    picture = Picture(
        figure,
        "The features of the table below with their AUC and how often each is among the best.",
        f"Left: right of the dashed line, {study.positive.lower()} lesions have the higher values. Right: in how "
        f"many resamples of the patients the feature is among the {TOP} best.",
    )
    return Section("features-alone", "Features by themselves", [Text(text), picture, table])


def _in_model(study: Study) -> list[Section]:
    """Return what the features do in the final model, by SHAP on a sample of rows, and one of these in full."""
    name, title = "features-in-model", "Features in the model"
    model = study.model
    assert model is not None
    assert study.features is not None
    if model.background is None:
        text = "The model was trained by an earlier version, which kept nothing to explain it by: train it again."
        return [Section(name, title, [Text(text)])]
    from tumortrace.explain import explain_frame
    from tumortrace.explain import importance as weigh

    drawn = pd.concat(
        of_patients(study.rows[study.rows["label"] == label], _ROWS_OF_CLASS, study.seed)
        for label in reversed(study.classes)
    )
    try:
        explained = explain_frame(model, study.features.loc[drawn.index].reset_index(drop=True))
    except ModuleNotFoundError as error:
        return [Section(name, title, [Text(f"Not computed: {error}.")])]
    found = weigh(explained, seed=study.seed)
    found = found[found["kind"] == "feature"].set_index("name")
    shares = pd.Series(_top_shares(explained, list(found.index), study.seed), found.index)
    sections = [Section(name, title, _explained(study, found, shares, len(drawn)))]
    if (picture := _one(study, drawn.iloc[0].to_dict(), explained[0])) is not None:
        sections.append(Section("one-lesion", "One lesion explained", [picture]))
    return sections


def _one(study: Study, row: dict[Any, Any], explained: Explanation) -> Picture | None:
    """Return what moved the score of one lesion; None without its image."""
    found = files(study, row)
    image = pixels(found[main_sequence(list(found))]) if found else None
    if image is None or any(maps[0].shape != image.shape for maps in explained.maps.values()):
        return None
    known = "had been trained with it" if study.cross_fitted else "made the score"
    return Picture(
        plot_explanation(explained, image, features=6),
        f"What moved the score of a lesion of {row['patient']}: its image, the families, the strongest features.",
        f"A {study.positive.lower()} lesion drawn at random, as the final model sees it, which {known}. The "
        "command tumortrace explain draws this for every lesion. Grey bands: where 90 % of the training lesions "
        "lie; triangles: the median of each class.",
    )


def _top_shares(explained: list[Explanation], names: list[str], seed: int) -> NDArray[np.float64]:
    """Return how often each feature is among the largest when the rows, one per patient, are drawn anew."""
    sizes = np.array([np.abs(one.features.loc[names, "shap"]) for one in explained if one.features is not None])
    drawn = np.random.default_rng(seed).multinomial(len(sizes), np.full(len(sizes), 1 / len(sizes)), _RESAMPLES)
    return top_share(np.einsum("rp,pf->rf", drawn, sizes))


def _explained(study: Study, found: pd.DataFrame, shares: pd.Series, rows: int) -> list[Block]:
    shown = found.iloc[:_SHOWN]
    text = (
        f"How far each of {count(len(found), 'feature')} moves the log-odds of the final model: mean absolute SHAP "
        f"over {count(rows, study.unit)}, one per patient, up to {_ROWS_OF_CLASS} of each class, drawn at random. "
        "Features that resemble each other share what one of them alone would have, so that each of many has "
        "little."
    )
    blocks: list[Block] = [Text(text)]
    if study.cross_fitted or (study.seen is not None and study.seen.any()):
        blocks.append(
            Note(
                "In-sample: the final model was trained with these lesions. This is what it relies on, not how "
                "well it does."
            )
        )
    names = {name: feature(str(name)) for name in shown.index}
    values = shown[["importance", "low", "high"]].to_numpy()
    figure = _picture(
        "Mean absolute SHAP, log-odds",
        {said: Interval(*three) for said, three in zip(names.values(), values, strict=True)},
        shares[shown.index],
    )
    blocks.append(
        Picture(
            figure,
            "The features of the table below with their mean absolute SHAP and how often each is among the "
            "largest.",
            "Left: how far a feature moves the score, up or down. Right: in how many resamples of the patients it "
            f"is among the {TOP} largest.",
        )
    )
    lines = [
        [said, family(str(shown.loc[n, "family"])), interval(tuple(three), 4), percent(float(shares[n]))]
        for (n, said), three in zip(names.items(), values, strict=True)
    ]
    blocks.append(
        Table(
            f"The {len(shown)} features that the model relies on most",
            ["Feature", "Family", "Mean absolute SHAP", f"Among the {TOP} largest"],
            lines,
            note=f"{INTERVALS} The model stays as it is: trained on other patients it would rely on others.",
            numeric=[2, 3],
        )
    )
    return blocks


def _picture(what: str, values: dict[str, Interval], shares: pd.Series, line: float | None = None) -> Figure:
    """Draw numbers of features, and beside them how often each is among the best."""
    top = f"Among the {TOP} first"
    figure = plot_forest(
        {
            what: values,
            top: {name: Interval(share, np.nan, np.nan) for name, share in zip(values, shares, strict=True)},
        },
        lines=None if line is None else {what: line},
    )
    if line is None:
        figure.axes[0].set_xlim(left=0)
    figure.axes[1].set_xlim(0, 1.04)
    figure.axes[1].xaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
    return figure
