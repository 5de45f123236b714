"""A whole report: from a model, its predictions or a table of features to one page."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import tumortrace
from tumortrace.report._checklists import clear, metrics
from tumortrace.report._document import Document, Section
from tumortrace.report._extracted import FEATURE_TABLE, kind_of, of_table, read
from tumortrace.report._gather import SCORED, Origin, gather
from tumortrace.report._method import method
from tumortrace.report._methods import methods, question
from tumortrace.report._model_card import model_card
from tumortrace.report._pdf import printer
from tumortrace.report._provenance import provenance
from tumortrace.report._render import render
from tumortrace.report._results import result_sections
from tumortrace.report._results._words import count
from tumortrace.report._study import Study
from tumortrace.report._summary import summary

Say = Callable[[str], object]

_KINDS = {"handcrafted": "a model of texture and kinetics", "cnn": "a network", "fused": "a fused model"}


def write_report(
    what: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    source: str | os.PathLike[str] | None = None,
    splits: Sequence[str] | None = None,
    compare: Sequence[str | os.PathLike[str]] = (),
    positive: str | None = None,
    images: int | None = None,
    rows: Sequence[int] | None = None,
    maps: Sequence[str] | None = None,
    title: str | None = None,
    question: str | None = None,
    author: str | None = None,
    pdf: bool = False,
    seed: int = 0,
    jobs: int | None = None,
    say: Say | None = None,
) -> Path:
    """Write what a model was found to do, or what a table of features is, as one page of HTML.

    Parameters
    ----------
    what : path
        The folder of a model; a table of predictions (.csv) with labels; or a table of features (.csv or .parquet)
        as `tumortrace.table.extract` writes it, with its record beside it.
    out : path
        The page to write (.html); its folder must exist.
    source : path, optional
        Labelled images, a folder or a manifest (.csv). A model scores them. Of a table of predictions they are the
        images, for the pictures. Without it, the report on a model is on its out-of-fold predictions, with the
        images that it was trained on where they still are; so it is where the model was trained on every row of
        the source.
    splits : sequence of str, optional
        The splits of the source to use; all by default.
    compare : sequence of paths
        Other models, or tables of predictions, of the same rows.
    positive : str, optional
        The positive label of a table; by default "malignant", in any case, and of a table of features without it
        the last one in the alphabet.
    images : int, optional
        Of a table of features: how many rows to look at, 6 by default. They are taken evenly from those with
        numbers.
    rows : sequence of int, optional
        Of a table of features: look at these rows, counted from 1 without the header.
    maps : sequence of str, optional
        Of a table of features: what to map over the volumes that are looked at, such as ``glcm_contrast`` or
        ``first_order_mean``. By default the mean and the joint entropy where there are two volumes at most.
    title, question, author : str, optional
        Heading of the page, what was asked (empty lines part paragraphs), and who answers for the report.
    pdf : bool
        Print the page too: a PDF of the same name beside it. Needs Chromium or WeasyPrint.
    seed : int
        Of all resampling and draws: the same seed gives the same figures.
    jobs : int, optional
        Worker processes of the extraction, or threads of maps; one per available CPU by default.
    say : callable, optional
        Told of the progress line by line.

    Returns
    -------
    Path
        `out`. The page needs no other file, no script and no network. It names patients where the data do.

    Raises
    ------
    ValueError
        If `out` does not end in .html, `what` is neither model nor table, there is no row with a label and a score,
        the models did not score the same rows, there is no such row or map, or an argument is given that is not for
        this kind of report.
    FileNotFoundError
        If a file is missing: the out-of-fold predictions of a model, the record of a table of features, the folder
        of `out`.
    ModuleNotFoundError
        If a PDF is asked for and neither Chromium nor WeasyPrint is there; said before any work.
    """
    say = say or _silence
    out = Path(out)
    if out.suffix != ".html":
        raise ValueError(f"the report is {out.name!r}; give a name that ends in .html")
    if not out.parent.is_dir():
        raise FileNotFoundError(f"{out.parent}: does not exist; make the folder first")
    prints = printer() if pdf else None
    of_features = {"images": images, "rows": rows, "maps": maps}
    of_models = {"source": source, "splits": splits, "compare": compare or None}
    if _is_feature_table(Path(what)):
        _unused(of_models, "a model or of predictions")
        made = of_table(
            read(Path(what)),
            images=images,
            rows=rows,
            maps=maps,
            positive=positive,
            title=title,
            question=question,
            author=author,
            seed=seed,
            jobs=jobs,
            say=say,
        )
    else:
        _unused(of_features, "a table of features")
        study, origin = gather(
            what, source=source, splits=splits, compare=compare, positive=positive, seed=seed, jobs=jobs, say=say
        )
        say("measuring, comparing, drawing")
        made = document(study, origin, title=title, question_=question, author=author)
    page = render(made)
    draft = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        draft.write_text(page, encoding="utf-8")
        draft.replace(out)
    finally:
        draft.unlink(missing_ok=True)
    if prints is not None:
        say("printing")
        prints(out, out.with_suffix(".pdf"))
    return out


def _is_feature_table(path: Path) -> bool:
    return path.is_file() and path.suffix in (".csv", ".parquet") and kind_of(path) == FEATURE_TABLE


def _unused(given: Mapping[str, object], what: str) -> None:
    """Refuse arguments that would change nothing."""
    if wrong := [name for name, value in given.items() if value is not None]:
        raise ValueError(f"{wrong[0]} is for the report of {what}; leave it out")


def document(
    study: Study,
    origin: Origin,
    *,
    title: str | None = None,
    question_: str | None = None,
    author: str | None = None,
) -> Document:
    """Return all sections in the order of reading: in short, what and how, what was found, and what it rests on."""
    found = method(study, origin)
    results = {section.id: section for section in result_sections(study)}
    data = [results.pop("data")] if "data" in results else []
    sections = [
        summary(study),
        question(study, question_),
        *data,
        methods(study, origin, found),
        *results.values(),
    ]
    there = _titles(sections)
    card = model_card(study, origin, found, author=author, there={*there, "provenance"})
    sections += [card] if card is not None else []
    sections.append(provenance(study, origin))
    there = _titles(sections) | {"clear": "CLEAR checklist", "metrics": "METRICS checklist"}
    sections.append(clear(study, origin, found, there, asked=question_ is not None))
    sections.append(metrics(study, origin, found, there))
    details = [
        ("Author", author or "not named"),
        ("Day", datetime.now(UTC).date().isoformat()),
        ("Model" if study.model is not None else "Predictions", origin.name),
        ("Made with", f"tumortrace {tumortrace.__version__}"),
    ]
    return Document(title or _title(study), _subtitle(study, origin), sections, details)


def _title(study: Study) -> str:
    negative, positive = study.classes
    kind = "a model" if study.model is None else _KINDS[study.model.record["plan"]["kind"]]
    return f"{negative} or {positive.lower()}? What {kind} was found to tell"


def _subtitle(study: Study, origin: Origin) -> str:
    of = f"{count(len(study.rows), study.unit)} of {count(study.rows['patient'].nunique(), 'patient')}"
    if study.cross_fitted:
        return f"{of}, tested by cross-validation: every patient by a model that had not seen that patient."
    if origin.kind == SCORED:
        return f"{of}, scored by the finished model."
    return f"{of}, scored elsewhere."


def _titles(sections: Sequence[Section]) -> dict[str, str]:
    """Return the id of each section, and of those in it, with its title."""
    return {section.id: section.title for section in Document("", "", sections).walk()}


def _silence(line: str) -> None:
    pass
