"""The one error of model files."""


class ModelError(ValueError):
    """A model cannot be written or read; the message names the file, what is wrong, and what to do.

    Examples
    --------
    >>> from tumortrace.model import read
    >>> read("no-such-model")
    Traceback (most recent call last):
    tumortrace.model._error.ModelError: no-such-model: is no folder; give the folder that a model was saved to
    """
