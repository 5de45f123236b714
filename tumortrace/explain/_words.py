"""Names of families and features as a reader would say them."""

from __future__ import annotations

FAMILIES = {
    "cnn": "CNN",
    "crops": "CNN, single crops",
    "first_order": "First order",
    "glcm": "GLCM",
    "handcrafted": "Handcrafted",
    "hog": "HOG",
    "kinetics": "Kinetics",
    "lbp": "LBP",
    "mvm_lbp": "MVM-LBP",
    "mvmbp": "MVMBP",
    "shape": "Shape",
    "slices": "CNN, whole slice",
    "sobel": "Sobel",
    "texture": "Texture",
}

CONTRASTS = {
    "before": "before contrast",
    "after": "after contrast",
    "subtraction": "of subtractions",
    "change": "change with contrast",
    "first_change": "first change",
    "trend": "trend over time",
    "subtraction_trend": "trend of subtractions",
    "turn": "early less later",
    "subtraction_turn": "early less later subtractions",
}
"""What `tumortrace.fusion.TimeCourse` makes of the sequences."""


def in_words(name: str) -> str:
    """Return a family, network or feature as a reader would say it.

    Parameters
    ----------
    name : str
        As in `Explanation.families` or the index of `Explanation.features`; what is not known stays as it is, but
        for its underscores.

    Examples
    --------
    >>> in_words("mvm_lbp")
    'MVM-LBP'
    >>> in_words("change__glcm_inverse_difference")
    'GLCM inverse difference, change with contrast'
    >>> in_words("kinetics_lesion_wash_in")
    'Kinetics lesion wash in'
    """
    contrast, _, feature = name.rpartition("__")
    family = max((f for f in FAMILIES if f"{feature}_".startswith(f"{f}_")), key=len, default="")
    said = f"{FAMILIES.get(family, '')} {feature.removeprefix(family).replace('_', ' ').strip()}".strip()
    return f"{said}, {CONTRASTS.get(contrast, contrast.replace('_', ' '))}" if contrast else said
