"""What goes out: the headers of every answer, and Gradio's page without what it says of other places."""

import base64
import hashlib
import re

_SCRIPT = re.compile(r"<script(?P<attributes>[^>]*)>(?P<code>.*?)</script>", re.DOTALL)
_OTHER_PLACES = (
    re.compile(r"<meta\s[^>]*(?:og:|twitter:)[^>]*>\s*"),  # previews on social networks
    re.compile(r"<link\s[^>]*rel=\"(?:manifest|preconnect|dns-prefetch)\"[^>]*>\s*"),
)
_FRAMES = re.compile(r"iframe-?resizer", re.IGNORECASE)
_EXAMPLES = re.compile(r"https://github\.com/gradio-app/[^\"\\]*")  # in its description of components

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "X-Robots-Tag": "noindex, nofollow",
}
"""Of every answer, beside the policy of `policy`."""


def policy(scripts: tuple[str, ...] = ()) -> str:
    """Return the content security policy of a page: everything from this server, nothing from elsewhere.

    Gradio runs the code of custom elements with ``new Function`` ('unsafe-eval') and sets styles on elements. A
    script in the page runs only where it is one of `scripts`, what stands between its tags.
    """
    hashes = "".join(f" '{_digest(code)}'" for code in scripts)
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src 'self' 'unsafe-eval'{hashes}",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "worker-src 'self'",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


def clean(page: str, title: str) -> tuple[str, tuple[str, ...]]:
    """Return Gradio's page without references to other places, and the code of the scripts that it keeps.

    Out go the previews for social networks, the manifest of an app to install, the scripts for pages in frames, and
    the addresses of example files.
    """
    for pattern in _OTHER_PLACES:
        page = pattern.sub("", page)
    page = _SCRIPT.sub(lambda found: "" if _FRAMES.search(found["code"]) else _EXAMPLES.sub("", found[0]), page)
    page = page.replace("</head>", f"<title>{title}</title>\n</head>", 1)
    return page, tuple(found["code"] for found in _SCRIPT.finditer(page) if "src=" not in found["attributes"])


def _digest(code: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()}"
