"""The demo: a page on this machine where one uploads a lesion and sees what models say of it, and why.

Needs the extra ``demo``. `tumortrace demo` is the command; research use only, no medical device.
"""

from importlib.util import find_spec

if find_spec("gradio") is None:
    raise ModuleNotFoundError("the demo needs gradio, which is not installed: pip install 'tumortrace[demo]'")

from tumortrace.web._auth import add_user
from tumortrace.web._server import serve

__all__ = ["add_user", "serve"]
