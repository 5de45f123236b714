"""The one error of the demo."""


class DemoError(ValueError):
    """What a person asked of the demo cannot be done; the message says why and what would be right."""
