"""Explain the rows of a source, or of a frame that was made of one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tumortrace import _check
from tumortrace.explain._explanation import Explanation
from tumortrace.explain._families import family_tables
from tumortrace.explain._leaves import Leaf, leaves
from tumortrace.explain._shapley import log_odds
from tumortrace.model import Model, member_scores
from tumortrace.model._inputs import FAILED, IDENTITY, list_images

if TYPE_CHECKING:
    import pandas as pd

_ROUTE = "sequence"


def explain(
    model: Model,
    source: Any,
    *,
    rows: int | Sequence[int] | None = None,
    splits: Sequence[str] | None = None,
    features: bool = True,
    maps: bool = True,
    jobs: int | None = None,
) -> list[Explanation]:
    """Explain the scores of slices or images: how far each family, network and feature moved them, and where.

    Parameters
    ----------
    model : Model
        Trained by this version or a later one.
    source : str, path or DataFrame
        As `Model.predict` takes it.
    rows : int or sequence of int, optional
        Positions in what `Model.predict` returns of this source; by default all that have a score.
    splits : sequence of str, optional
        The splits to take; everything by default.
    features : bool, default True
        Explain every feature too: about half a second per slice of 17 sequences, instead of milliseconds.
    maps : bool, default True
        Compute Grad-CAM maps of the networks.
    jobs : int, optional
        Worker processes of the extraction; one per available CPU by default.

    Returns
    -------
    list of Explanation
        In the order of `rows`. The same model and images give the same numbers: nothing is drawn at random.

    Raises
    ------
    ValueError
        If the model keeps no background, because an earlier version trained it, a row is asked for that is not
        there or has no score, or none has.

    See Also
    --------
    explain_frame : The same for a frame of rows.
    importance : The mean over many rows.

    Notes
    -----
    A model of tumortrace is a mean of log-odds of classifiers that share no column. Its Shapley values by family
    are therefore exact and simple: the weight of a classifier times the difference between its log-odds and their
    mean over the background. (Features are taken to be independent between families, "interventional" SHAP: a value
    says what the model did, not what would have happened to another lesion.) Within a family the values are those
    of the classifier, in the space it sees: contrasts of sequences over time, each scaled by rank. For a support
    vector machine and a logistic regression they are exact too; see `tumortrace.explain._shapley`.

    References
    ----------
    Lundberg and Lee, A unified approach to interpreting model predictions, NeurIPS 2017; Selvaraju et al.,
    Grad-CAM, ICCV 2017, 10.1109/ICCV.2017.74.
    """
    listing = list_images(source, group=model.inputs.group, splits=splits)
    _background(model)
    return explain_frame(model, model.inputs.frame(listing, jobs=jobs), rows=rows, features=features, maps=maps)


def explain_frame(
    model: Model,
    frame: pd.DataFrame,
    *,
    rows: int | Sequence[int] | None = None,
    features: bool = True,
    maps: bool = True,
) -> list[Explanation]:
    """Explain the rows of a frame that `model.inputs.frame` returned.

    Parameters
    ----------
    model : Model
        Trained by this version or a later one.
    frame : DataFrame
        A row per slice or image.
    rows, features, maps
        As for `explain`.

    Returns
    -------
    list of Explanation

    Raises
    ------
    ValueError
        As by `explain`.
    """
    background = _background(model)
    places = _chosen(frame, rows)
    names = list(model.estimator.feature_names_in_)
    taken = frame.iloc[places].reset_index(drop=True)
    score, members = member_scores(model.estimator, taken[names])
    identities = taken[[name for name in taken.columns if name in IDENTITY]].to_dict("records")
    found: list[Any] = [None] * len(taken)
    for here, sequence in _by_sequence(taken, background):
        like = background if sequence is None else background[background[_ROUTE] == sequence]
        if like.empty:
            raise ValueError(f"the model's background has no row of {sequence!r}; it knows {_known(background)}")
        parts = leaves(model.estimator, names, sequence)
        odds = {leaf.name: log_odds(members.get(f"score_{leaf.name}", score)[here]) for leaf in parts}
        usual = {leaf.name: log_odds(like.get(f"score_{leaf.name}", like["score"])).mean() for leaf in parts}
        families = _families(parts, odds, usual)
        tables = _tables(parts, taken.iloc[here], like, families, model.classes) if features else [None] * len(here)
        shown = _maps(parts, taken.iloc[here]) if maps else [{} for _ in here]
        for k, place in enumerate(here):
            found[place] = Explanation(
                identity={str(name): value for name, value in identities[place].items()},
                score=float(score[place]),
                classes=model.classes,
                threshold=model.threshold,
                output=float(log_odds(score[place])),
                base=float(log_odds(like["score"]).mean()),
                families=families.iloc[k].rename("shap"),
                features=tables[k],
                maps=shown[k],
            )
    return found


def _background(model: Model) -> pd.DataFrame:
    if model.background is None:
        raise ValueError(
            "the model was trained by an earlier version, without rows to compare with; train it again"
        )
    return model.background


def _chosen(frame: pd.DataFrame, rows: int | Sequence[int] | None) -> NDArray[np.intp]:
    """Return the positions of the rows to explain."""
    failed = (frame["status"] == FAILED).to_numpy()
    if rows is None:
        if failed.all():
            raise ValueError(
                f"no row can be explained: {frame['error'].iloc[0] if len(frame) else 'there is none'}"
            )
        return np.flatnonzero(~failed)
    wanted = [rows] if isinstance(rows, int | np.integer) else list(rows)
    places = np.array([_check.integer("row", row, 0, len(frame) - 1) for row in wanted], dtype=np.intp)
    for place in places[failed[places]]:
        raise ValueError(f"row {place} has no score: {frame['error'].iloc[place]}")
    return places


def _by_sequence(rows: pd.DataFrame, background: pd.DataFrame) -> Iterator[tuple[NDArray[np.intp], str | None]]:
    """Yield the places of rows and their sequence, which is None unless each sequence has a model of its own."""
    if _ROUTE not in background:
        yield np.arange(len(rows)), None
        return
    for sequence in dict.fromkeys(rows[_ROUTE]):
        yield np.flatnonzero(rows[_ROUTE] == sequence), sequence


def _known(background: pd.DataFrame) -> str:
    return ", ".join(map(repr, sorted(set(background[_ROUTE]))))


def _families(parts: Sequence[Leaf], odds: dict[str, Any], usual: dict[str, Any]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame({leaf.name: leaf.weight * (odds[leaf.name] - usual[leaf.name]) for leaf in parts})


def _tables(
    parts: Sequence[Leaf],
    rows: pd.DataFrame,
    background: pd.DataFrame,
    families: pd.DataFrame,
    classes: tuple[str, str],
) -> list[pd.DataFrame]:
    """Return for each row its features, the strongest first."""
    import pandas as pd

    found: list[list[pd.DataFrame]] = [[] for _ in range(len(rows))]
    for leaf in parts:
        if leaf.network is None:
            moved = families[leaf.name].to_numpy()
            for tables, one in zip(found, family_tables(leaf, rows, background, classes, moved), strict=True):
                tables.append(one)
    return [
        pd.concat(tables).sort_values("shap", key=abs, ascending=False, kind="stable") if tables else pd.DataFrame()
        for tables in found
    ]


def _maps(parts: Sequence[Leaf], rows: pd.DataFrame) -> list[dict[str, list[NDArray[np.float32]]]]:
    """Return for each row network → maps."""
    found: list[dict[str, list[NDArray[np.float32]]]] = [{} for _ in range(len(rows))]
    for leaf in parts:
        if leaf.network is None:
            continue
        from tumortrace.deep import grad_cam

        images = rows[leaf.columns]
        if leaf.network is leaf.estimator:
            for maps, one in zip(found, grad_cam(leaf.network, images), strict=True):
                maps[leaf.name] = [one]
        else:
            for maps, paths in zip(found, images.to_numpy(), strict=True):
                maps[leaf.name] = grad_cam(leaf.network, list(paths))
    return found
