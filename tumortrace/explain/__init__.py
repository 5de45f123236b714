"""Explanations: what moved the score of one lesion, by family, by feature, and on the picture.

SHAP values say how far each family of features, each network and each feature moved the score of a lesion away from
that of the lesions a model was trained on; Grad-CAM says where a network looked. Both are about the model, not
about the tissue. Forests and boosted trees need the extra ``explain``, networks the extra ``deep``.
"""

from tumortrace.explain._explain import explain, explain_frame
from tumortrace.explain._explanation import Explanation, tabulate
from tumortrace.explain._importance import importance
from tumortrace.explain._picture import picture
from tumortrace.explain._words import in_words

__all__ = ["Explanation", "explain", "explain_frame", "importance", "in_words", "picture", "tabulate"]
