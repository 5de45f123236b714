"""From a page to a PDF, by a program that is there: Chromium, or else WeasyPrint."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
_ELSEWHERE = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
)
SECONDS = 120

Printer = Callable[[Path, Path], None]


def printer() -> Printer:
    """Return what prints a page, given as a file of HTML, to a file of PDF.

    Raises
    ------
    ModuleNotFoundError
        If there is neither Chromium (or Chrome, or Edge) nor WeasyPrint.
    """
    if browser := _browser():
        return lambda page, out: _by_browser(browser, page, out)
    if find_spec("weasyprint") is not None:
        return _by_weasyprint
    raise ModuleNotFoundError(
        "a PDF needs Chromium (or Chrome, or Edge) on the PATH, or WeasyPrint: pip install weasyprint; "
        "or print the page from any browser"
    )


def _browser() -> str | None:
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    return found or next((path for path in _ELSEWHERE if Path(path).is_file()), None)


def _by_browser(browser: str, page: Path, out: Path) -> None:
    """Print with a profile of its own, which is thrown away, and without the network."""
    with tempfile.TemporaryDirectory(prefix="tumortrace-pdf-") as folder:
        draft = Path(folder) / "report.pdf"
        command = [
            browser,
            "--headless",
            "--disable-gpu",
            "--disable-quic",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-extensions",
            "--no-first-run",
            "--no-default-browser-check",
            "--host-resolver-rules=MAP * ~NOTFOUND",
            f"--user-data-dir={Path(folder) / 'profile'}",
            "--no-pdf-header-footer",
            "--generate-pdf-document-outline",
            f"--print-to-pdf={draft}",
            page.absolute().as_uri(),
        ]
        if sys.platform == "linux" and os.geteuid() == 0:  # Chromium's sandbox does not run as root
            command.insert(1, "--no-sandbox")
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
        except subprocess.TimeoutExpired as error:
            raise RuntimeError(f"{browser} did not print {page.name} within {SECONDS} s") from error
        if done.returncode != 0 or not draft.is_file():
            last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
            raise RuntimeError(f"{browser} did not print {page.name}: {last}")
        _move(draft, out)


def _by_weasyprint(page: Path, out: Path) -> None:
    html = import_module("weasyprint").HTML  # it has no types
    with tempfile.TemporaryDirectory(prefix="tumortrace-pdf-") as folder:
        draft = Path(folder) / "report.pdf"
        html(filename=str(page)).write_pdf(str(draft))
        _move(draft, out)


def _move(draft: Path, out: Path) -> None:
    """Bring a file that may lie on another disk into place at once."""
    beside = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        shutil.copyfile(draft, beside)
        beside.replace(out)
    finally:
        beside.unlink(missing_ok=True)
