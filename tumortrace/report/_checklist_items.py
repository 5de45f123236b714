"""What the checklists CLEAR and METRICS ask for, item by item, in our words.

The numbers are those of the published lists; the words are short, and the lists themselves say it in full:

- CLEAR 1.0, 58 items. Kocak et al. 2023, https://doi.org/10.1186/s13244-023-01415-8
- METRICS 1.0, 30 items. Kocak et al. 2024, https://doi.org/10.1186/s13244-023-01572-w
"""

from __future__ import annotations

from typing import NamedTuple


class Item(NamedTuple):
    """One item of a checklist.

    Attributes
    ----------
    number : int
        Its number in the list.
    part : str
        The part of the list that it stands in.
    asks : str
        What it asks for.
    question : str
        What the author is asked where software does not know; empty where it always does.
    """

    number: int
    part: str
    asks: str
    question: str = ""


def _items(*parts: tuple[str, tuple[tuple[str, str], ...]]) -> tuple[Item, ...]:
    """Return the items of all parts, numbered through."""
    rows = [(part, asks, question) for part, items in parts for asks, question in items]
    return tuple(Item(number, *row) for number, row in enumerate(rows, 1))


CLEAR = _items(
    (
        "Title",
        (("Title that names the radiomic method", "Does the title of the paper name radiomics and modality?"),),
    ),
    ("Abstract", (("Structured summary", "Does the abstract stand on its own, with data, methods and figures?"),)),
    ("Keywords", (("Keywords of radiomics", "Which keywords lead to this work?"),)),
    (
        "Introduction",
        (
            ("Background", "What is the scientific or clinical problem, and what is known?"),
            ("Why radiomics", "What may radiomics add to what is done today?"),
            ("Objectives", "What is the study to find out?"),
        ),
    ),
    (
        "Study design",
        (
            ("Guidelines that were followed", ""),
            ("Ethics", "Who approved the study? Consent? How are the data protected?"),
            ("Sample size", "How was the number of patients decided?"),
            ("Nature of the study", "Prospective or retrospective? A cohort, or cases and controls?"),
            ("Eligibility", "Who was included, who excluded, and how were they picked?"),
            ("Flowchart of the method", "Where is the flowchart of the technical steps?"),
        ),
    ),
    (
        "Data",
        (
            ("Source of the data", "Public or private, from where, and which part in which split?"),
            ("Overlap with earlier work", "Were any of these patients in an earlier publication?"),
            ("Split of the data", "How were training and test data parted, and at which level?"),
            ("Imaging protocol", "Which scanners, sequences, pixel sizes, contrast agent and timing?"),
            ("Other predictors than radiomic ones", "Which clinical or radiological variables were used, if any?"),
            ("Reference standard", "What made a lesion one class or the other, and how sure is that?"),
        ),
    ),
    (
        "Segmentation",
        (
            ("How lesions were outlined", "By which rules and tool were the crops or masks drawn?"),
            ("Who outlined them", "How many readers, with what experience, and how did they agree?"),
        ),
    ),
    (
        "Pre-processing",
        (
            ("Pre-processing of images", "What was done to the images before this software saw them?"),
            ("Resampling", "Were pixels resampled before this software saw them?"),
            ("Discretisation", "How were grey levels formed?"),
            ("Types of images", "Original or filtered images?"),
        ),
    ),
    (
        "Feature extraction",
        (
            ("How features were extracted", "With which software and version?"),
            ("Classes of features", "Which classes of features?"),
            ("Number of features", "How many features per lesion?"),
            ("What was left at its default", "Which parameters were left at their defaults?"),
        ),
    ),
    (
        "Data preparation",
        (
            ("Missing data", "How much was missing, and what was done about it?"),
            ("Class imbalance", "How unequal are the classes, and what was done about it?"),
            ("Reliability of outlines", "How do features change from reader to reader?"),
            ("Scaling of features", "How were features scaled?"),
            ("Reduction of dimensions", "How were features chosen?"),
        ),
    ),
    (
        "Modelling",
        (
            ("Algorithms", "Which algorithms, with which versions?"),
            ("Training and tuning", "How was the model trained and tuned?"),
            ("Confounders", "Which confounders were looked for (lesion size, scanner, site, age)?"),
            ("Choice of the final model", "Were other models or settings tried, and on which data was one chosen?"),
        ),
    ),
    (
        "Evaluation",
        (
            ("Way of testing", "Was the test internal, or external with data of another institution?"),
            ("Metrics, and why these", "Why do these metrics fit the question?"),
            ("Uncertainty", "How was uncertainty measured?"),
            ("Statistical comparison", "How were models compared, at which level of significance?"),
            ("Comparison with other methods", "How do readers or clinical variables do on the same patients?"),
            ("Interpretability", "How can one see what the model goes by?"),
        ),
    ),
    (
        "Results",
        (
            ("Baseline characteristics", "Age, size of lesions, histology and scanner, by class and split?"),
            ("Flowchart of patients", "How many patients were found, excluded and included, and why?"),
            ("Statistics of features", "How are the features distributed, and how reproducible are they?"),
            ("Performance", "How well does the model do?"),
            ("Results of other methods", "What did readers, clinical variables, or both together reach?"),
        ),
    ),
    (
        "Discussion",
        (
            ("Main findings", "What do the findings mean?"),
            ("Earlier work", "Which earlier studies asked the same, and what differs?"),
            ("Practical implications", "What would change in practice, and what stands in the way?"),
            ("Strengths and limits", "Which biases does the author know of that software cannot see?"),
        ),
    ),
    (
        "Open science",
        (
            ("Images and outlines shared (not essential)", "Are they shared, or why not?"),
            ("Features shared", "Is the table of features shared, or why not?"),
            ("Settings of the extraction shared", "Are the settings shared, with scripts of any steps before?"),
            ("Code of the modelling shared", "Is the code of the study shared?"),
            ("Model shared", "Is the folder of the model shared, or why not?"),
            ("Ready-to-use system shared (not essential)", "Is there a demo that others can use?"),
        ),
    ),
)
"""The items of CLEAR, from 1 to 58."""

METRICS = _items(
    (
        "Study design",
        (
            ("Radiomics guidelines were followed", ""),
            ("Eligibility that gives a representative sample", "Who was included, and whom do they stand for?"),
            ("A good reference standard, defined", "Is it histology, or something as good?"),
        ),
    ),
    (
        "Imaging data",
        (
            ("More than one centre", "From how many institutions are the images?"),
            ("Imaging as it is done in practice", "Does the protocol follow a standard of clinical routine?"),
            ("Protocol and acquisition parameters", "Which scanners, sequences, pixel sizes, contrast and timing?"),
            ("Time between imaging and reference", "How long, and could the lesion have changed?"),
        ),
    ),
    (
        "Segmentation",
        (
            ("Outlining described", "By which rules and tool were the crops or masks drawn?"),
            ("Automatic outlining evaluated", "If outlined fully by machine: how does that compare with experts?"),
            ("One reader or one tool for the test set", "Who or what outlined the test lesions?"),
        ),
    ),
    (
        "Image processing and features",
        (
            ("Pre-processing that fits, described", "What was done to the images before this software saw them?"),
            ("Standardised software", "With which software and version?"),
            ("Parameters of the extraction reported", "Which parameters?"),
        ),
    ),
    (
        "Feature processing",
        (
            ("Features that are not robust removed", "Was robustness to outlines or rescans looked at elsewhere?"),
            ("Redundant features removed", "Was redundancy looked at elsewhere?"),
            ("Dimensions that fit the size of the data", "Why is this number of features right for these data?"),
            ("Robustness of deep learning tested", "Was the network tested on perturbed or repeated images?"),
        ),
    ),
    (
        "Preparation for modelling",
        (
            ("Proper split of the data", "Was a test set parted from the rest before anything else?"),
            ("Confounders handled", "Which confounders were looked for (scanner, site, age, lesion size)?"),
        ),
    ),
    (
        "Metrics and comparison",
        (
            ("Metrics that fit the task", "Why do these metrics fit the question?"),
            ("Uncertainty", "How was uncertainty measured?"),
            ("Calibration", "Is the model calibrated?"),
            (
                "A single image set, or proof that it is worse",
                "How does one sequence alone do on the same patients?",
            ),
            ("Comparison with a non-radiomic method", "How do readers, BI-RADS or size do on the same patients?"),
            ("Comparison with a simple model", "How does a simple baseline do on the same patients?"),
        ),
    ),
    (
        "Testing",
        (
            ("Internal test on data of the same source", "Is there a test set that was never used to choose?"),
            ("External test on data of other institutions", "Was the model tested with data from elsewhere?"),
        ),
    ),
    (
        "Open science",
        (
            ("Data available", "Which data are public?"),
            ("Code available", "Is the code of the study public, with instructions?"),
            ("Model available", "Is the model public, with instructions?"),
        ),
    ),
)
"""The items of METRICS, from 1 to 30."""

CONDITIONS = (
    "Does the study include segmentation?",
    "Is the segmentation fully automatic?",
    "Are handcrafted features extracted?",
    "Does the study have tabular data?",
    "Does the study include deep learning from image to answer?",
)
"""The five conditions of METRICS, which decide whether items 8 to 17 count."""
