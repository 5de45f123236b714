"""The one error of reading."""


class ImageError(ValueError):
    """A file that cannot be read as an image; the message names the file and what would be right."""


def missing_extra(path: object, package: str, what: str) -> ImageError:
    """Return the error of a file that needs a package of the extra `medical` that is not installed."""
    return ImageError(f"{path}: {what} needs {package}; pip install 'tumortrace[medical]'")
