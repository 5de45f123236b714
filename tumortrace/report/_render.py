"""From a document to one page of HTML that needs nothing else: no script, no file beside it, no request."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from io import BytesIO
from struct import unpack
from typing import Any

from tumortrace.report._document import (
    NOTICE,
    Block,
    Cell,
    Document,
    Items,
    Link,
    Picture,
    Pictures,
    Section,
    Stack,
    Table,
)

_TEMPLATES = "templates"
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_PNG = b"\x89PNG\r\n\x1a\n"
_PIXELS = 96  # CSS pixels in an inch
_PNG_WIDTH = 2.0  # inches


def render(document: Document) -> str:
    """Return a document as a page of HTML.

    Parameters
    ----------
    document : Document
        What the page says.

    Returns
    -------
    str
        A whole page, UTF-8 when it is written. Style and pictures are in it, its policy of content forbids all
        else, and the same content gives the same page.

    Raises
    ------
    ValueError
        If two sections have one id, an id is not ``[a-z0-9-]+``, sections are nested deeper than two, a link leads
        nowhere, or the bytes of a picture are no PNG file.

    Examples
    --------
    >>> from tumortrace.report import Document, Section, Text
    >>> page = render(Document("Title", "", [Section("one", "One", [Text("Plain words, 1 < 2.")])]))
    >>> "<p>Plain words, 1 &lt; 2.</p>" in page
    True
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    _check(document)
    style = _style()
    environment = Environment(
        loader=PackageLoader("tumortrace.report", _TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests["link"] = lambda cell: isinstance(cell, Link)
    hashed = b64encode(sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; img-src data:; style-src 'sha256-{hashed}'; base-uri 'none'; form-action 'none'"
    numbers = _Numbers()
    parts = numbers.parts(document.sections)
    environment.globals |= {"sections": numbers.sections, "parts_of": _parts_of}
    page: str = environment.get_template("report.html.j2").render(
        document=document, parts=parts, style=style, policy=policy, notice=NOTICE
    )
    return page


@dataclass(frozen=True)
class _Part:
    """A section with its number, as the template takes it."""

    section: Section
    number: str
    level: int
    blocks: list[dict[str, Any]]
    parts: list[_Part]


class _Numbers:
    """Numbers sections, tables and figures in the order of reading."""

    def __init__(self) -> None:
        self.tables = 0
        self.figures = 0
        self.sections: dict[str, str] = {}

    def parts(self, sections: Sequence[Section], above: str = "") -> list[_Part]:
        found = []
        for k, section in enumerate(sections, 1):
            number = self.sections[section.id] = f"{above}{k}"
            blocks = [self.block(block) for block in section.blocks]
            below = self.parts(section.subsections, f"{number}.")
            found.append(_Part(section, number, 2 + number.count("."), blocks, below))
        return found

    def block(self, block: Block) -> dict[str, Any]:
        shown: dict[str, Any] = {"kind": type(block).__name__.lower(), "block": block}
        if isinstance(block, Table):
            self.tables += 1
            shown["number"] = self.tables
        elif isinstance(block, Picture):
            self.figures += 1
            shown |= {"number": self.figures, "image": _image(block)}
        elif isinstance(block, Pictures):
            self.figures += bool(block.caption)
            shown |= {"number": self.figures, "images": [_image(picture) for picture in block.pictures]}
        elif isinstance(block, Stack):
            self.figures += 1
            images = [[_image(picture) for picture in pictures] for _, pictures in block.layers]
            shown |= {"number": self.figures, "images": images}
        return shown


def _check(document: Document) -> None:
    """Find what would make a page that does not hold together."""
    known: set[str] = set()
    for section in document.walk():
        if not _ID.fullmatch(section.id):
            raise ValueError(f"the id of section {section.title!r} is {section.id!r}; give one like 'model-card'")
        if section.id in known:
            raise ValueError(f"two sections have the id {section.id!r}; give each its own")
        known.add(section.id)
    for section in document.sections:
        if deep := [inner.id for outer in section.subsections for inner in outer.subsections]:
            raise ValueError(f"section {deep[0]!r} is nested deeper than two levels; move it up")
    for section in document.walk():
        for link in _links(section.blocks):
            if link.target not in known:
                raise ValueError(
                    f"section {section.id!r} links to {link.target!r}, which is no section; "
                    f"there are {', '.join(sorted(known))}"
                )


def _links(blocks: Sequence[Block]) -> Iterator[Link]:
    for block in blocks:
        rows: Sequence[Sequence[Any]] = ()
        if isinstance(block, Table):
            rows = block.rows
        elif isinstance(block, Items):
            rows = block.items
        yield from (part for row in rows for cell in row for part in _parts_of(cell) if isinstance(part, Link))


def _parts_of(cell: Cell) -> tuple[str | Link, ...]:
    return cell if isinstance(cell, tuple) else (cell,)


def _style() -> str:
    return files("tumortrace.report").joinpath(_TEMPLATES, "report.css").read_text(encoding="utf-8")


def _image(picture: Picture) -> dict[str, Any]:
    """Return the source of a picture and its size in CSS pixels."""
    if isinstance(picture.content, bytes):
        if not picture.content.startswith(_PNG):
            raise ValueError(f"the picture {picture.alt!r} is no PNG file; give the bytes of one, or a figure")
        data, kind, natural = picture.content, "image/png", _PNG_WIDTH
        across, down = unpack(">II", picture.content[16:24])
        ratio = down / across
    else:
        data, kind = _svg(picture.content), "image/svg+xml"
        natural, high = picture.content.get_size_inches()
        ratio = high / natural
    width = _PIXELS * (picture.width or natural)
    return {
        "source": f"data:{kind};base64,{b64encode(data).decode()}",
        "width": round(width),
        "height": round(width * ratio),
    }


def _svg(figure: Any) -> bytes:
    """Return a figure as SVG, without a date or a random id."""
    from matplotlib import rc_context

    drawn = BytesIO()
    with rc_context({"svg.hashsalt": "tumortrace", "svg.fonttype": "path"}):
        figure.savefig(drawn, format="svg", metadata={"Date": None, "Creator": None})
    return drawn.getvalue()
