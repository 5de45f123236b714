"""A document in plain data: sections of text, tables and pictures, without a word of HTML."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NOTICE = "Research use only, no medical device"
"""Stands at the head and the foot of every page."""


@dataclass(frozen=True)
class Link:
    """Words that lead to a section of the same document.

    Parameters
    ----------
    text : str
        The words.
    target : str
        The `id` of a section or subsection.
    """

    text: str
    target: str


Cell: TypeAlias = str | Link | tuple[str | Link, ...]
"""What a cell holds: text, a link, or several of them one after the other."""


@dataclass(frozen=True)
class Text:
    """Plain paragraphs.

    Parameters
    ----------
    text : str
        Empty lines part the paragraphs; there is no markup.
    """

    text: str

    @property
    def paragraphs(self) -> list[str]:
        r"""The paragraphs, each on one line.

        Examples
        --------
        >>> Text("One,\ntwo.\n\nThree.").paragraphs
        ['One, two.', 'Three.']
        """
        return [" ".join(part.split()) for part in self.text.split("\n\n") if part.strip()]


@dataclass(frozen=True)
class Note(Text):
    """Paragraphs that a reader must not miss: they are set apart."""


@dataclass(frozen=True)
class Table:
    """A table; the first cell of a row is its heading.

    Parameters
    ----------
    caption : str
        What the table says. It stands above it.
    header : sequence of str
        A heading per column.
    rows : sequence of sequences of str, Link or tuple of them
        As many cells as columns, ready to print.
    note : str
        What stands below the table: units, what an interval is.
    numeric : sequence of int
        The columns, from 0, that hold numbers; they are set flush right.

    Raises
    ------
    ValueError
        If a row has not as many cells as the header.
    """

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    note: str = ""
    numeric: Sequence[int] = ()

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.header):
                raise ValueError(
                    f"table {self.caption!r}: a row has {len(row)} cells and the header {len(self.header)}; "
                    "give a cell per column"
                )


@dataclass(frozen=True, eq=False)
class Picture:
    """A figure with the words that stand for it.

    Parameters
    ----------
    content : matplotlib.figure.Figure or bytes
        A figure, which is drawn as SVG, or the bytes of a PNG file.
    alt : str
        What the picture shows, for those who cannot see it: not what the caption says already.
    caption : str
        What stands below it.
    width : float, optional
        In inches, at most as wide as the page; that of the figure by default, and of a PNG file 2.
    """

    content: Figure | bytes
    alt: str
    caption: str = ""
    width: float | None = None


@dataclass(frozen=True, eq=False)
class Pictures:
    """Pictures side by side, as many in a row as there is room for.

    Parameters
    ----------
    pictures : sequence of Picture
        Each with its own caption.
    caption : str
        What they show together. It stands below them.
    """

    pictures: Sequence[Picture]
    caption: str = ""


@dataclass(frozen=True, eq=False)
class Stack:
    """Layers of pictures, of which a screen shows one at a time and paper all: the slices of a volume.

    A row of buttons with the names of the layers leads through them, with a pointer or with the arrow keys.

    Parameters
    ----------
    title : str
        What the layers are of, such as "Slice of p-040.nii.gz"; it is read out before the name of a layer.
    layers : sequence of (str, sequence of Picture)
        The name of each layer, short enough for a button, and its pictures side by side.
    caption : str
        What stands below it.
    first : int, default 0
        The layer that is shown at first.

    Raises
    ------
    ValueError
        If there is no layer `first`.
    """

    title: str
    layers: Sequence[tuple[str, Sequence[Picture]]]
    caption: str = ""
    first: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.first < len(self.layers):
            raise ValueError(
                f"stack {self.title!r}: the first layer is {self.first} of {len(self.layers)}; "
                "give the number of one, from 0"
            )


@dataclass(frozen=True)
class Items:
    """Terms and what is said of each.

    Parameters
    ----------
    items : sequence of (str, str, Link or tuple of them)
        The term and the text.
    """

    items: Sequence[tuple[str, Cell]]


@dataclass(frozen=True)
class Figures:
    """The few numbers that a reader should take away.

    Parameters
    ----------
    figures : sequence of (str, str, str)
        What it is, its value, and what goes with it (the interval, of how many patients).
    """

    figures: Sequence[tuple[str, str, str]]


@dataclass(frozen=True)
class Questions:
    """What software cannot know: questions to the author, each with room for the answer.

    Parameters
    ----------
    questions : sequence of str
        Whole sentences.
    """

    questions: Sequence[str]


@dataclass(frozen=True)
class Code:
    """Lines to type or to keep, as they are.

    Parameters
    ----------
    text : str
        Its lines are not wrapped anew.
    """

    text: str


Block: TypeAlias = Text | Note | Table | Picture | Pictures | Stack | Items | Figures | Questions | Code


@dataclass(frozen=True, eq=False)
class Section:
    """A part of the document.

    Parameters
    ----------
    id : str
        What a `Link` names, ``[a-z0-9-]+``; one section has it.
    title : str
        Its heading, without a number.
    blocks : sequence of Block
        What it says.
    subsections : sequence of Section
        What stands below its blocks, under headings of their own; two levels at most.
    """

    id: str
    title: str
    blocks: Sequence[Block]
    subsections: Sequence[Section] = ()


@dataclass(frozen=True, eq=False)
class Document:
    """What `render` makes a page of.

    Parameters
    ----------
    title : str
        Of the page.
    subtitle : str
        A line below it.
    sections : sequence of Section
        In the order of reading.
    details : sequence of (str, str)
        What stands on the title page: the author, the day, the version.
    """

    title: str
    subtitle: str
    sections: Sequence[Section]
    details: Sequence[tuple[str, str]] = ()

    def walk(self) -> Iterator[Section]:
        """Yield every section and subsection in the order of reading."""

        def below(sections: Sequence[Section]) -> Iterator[Section]:
            for section in sections:
                yield section
                yield from below(section.subsections)

        return below(self.sections)
