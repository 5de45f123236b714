"""The page: what it says, that it holds together, and that it needs nothing else."""

import base64
import re
import shutil
from hashlib import sha256
from html.parser import HTMLParser

import pytest

from tumortrace.evaluation import confusion
from tumortrace.report import (
    Code,
    Document,
    Figures,
    Items,
    Link,
    Note,
    Picture,
    Pictures,
    Questions,
    Section,
    Table,
    Text,
    plot_confusion,
    render,
)
from tumortrace.report import _pdf as pdf

CHROMIUM = pdf._browser()
NOTICE = "Research use only, no medical device"
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAAAAADRSSBWAAAAC0lEQVR42mNg+A8AAQIBAL/Qx3cAAAAASUVORK5CYII="
)
"""Two grey pixels side by side."""


def figure():
    return plot_confusion({"per slice": confusion(["no", "no", "yes"], ["no", "yes", "yes"])})


@pytest.fixture
def document():
    return made()


def made():
    blocks = [
        Text("First, 1 < 2.\n\nSecond\nline."),
        Note("Careful."),
        Figures([("AUC", "0.9", "0.8 to 1.0")]),
        Items([("Term", "text"), ("More", Link("there", "two-one"))]),
        Questions(["Who?", "Why?"]),
        Code("train(\n    1,\n)"),
    ]
    table = Table(
        "Numbers", ["", "Slice"], [["AUC", "0.9"], ["See", ("it is", Link("above", "one"))]], "A note.", numeric=[1]
    )
    pictures = [
        Picture(figure(), "a table of four numbers", "Called."),
        Pictures([Picture(PNG, "two pixels", width=3), Picture(PNG, "again")], "Pixels."),
    ]
    below = Section("two-one", "Below", [table, *pictures])
    return Document("Title & more", "Subtitle", [Section("one", "One", blocks), Section("two", "Two", [], [below])])


class Page(HTMLParser):
    """The tags of a page with their attributes, and the text of each id."""

    def __init__(self, page):
        super().__init__()
        self.tags = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def all(self, name):
        return [attributes for tag, attributes in self.tags if tag == name]


def test_text_is_text_and_paragraphs_are_parted(document):
    page = render(document)
    assert "<p>First, 1 &lt; 2.</p>" in page
    assert "<p>Second line.</p>" in page
    assert "<h1>Title &amp; more</h1>" in page
    assert "<pre" in page
    assert ">train(\n    1,\n)</pre>" in page


def test_the_same_content_gives_the_same_page():
    assert render(made()) == render(made())


def test_sections_tables_and_figures_are_numbered_in_the_order_of_reading(document):
    page = render(document)
    assert "<span>2.1</span> Below</h3>" in page
    assert "<b>Table 1</b> Numbers" in page
    assert page.index("<b>Figure 1</b> Called.") < page.index("<b>Figure 2</b> Pixels.")
    assert '<a href="#two-one">there&nbsp;(2.1)</a>' in page
    assert '>it is <a href="#one">above&nbsp;(1)</a></td>' in page


def test_headings_are_in_order_and_one_is_the_first(document):
    levels = [int(tag[1]) for tag, _ in Page(render(document)).tags if re.fullmatch("h[1-6]", tag)]
    assert levels == [1, 2, 2, 3]


def test_every_picture_has_words_and_every_cell_of_a_heading_a_scope(document):
    page = Page(render(document))
    assert [image["alt"] for image in page.all("img")] == ["a table of four numbers", "two pixels", "again"]
    assert {attributes["scope"] for attributes in page.all("th")} == {"row", "col"}
    assert page.all("html") == [{"lang": "en"}]
    assert len(page.all("main")) == len(page.all("nav")) == 1


def test_pictures_keep_their_shape(document):
    sizes = [(int(image["width"]), int(image["height"])) for image in Page(render(document)).all("img")]
    width, height = 96 * figure().get_size_inches()
    assert sizes == [(round(width), round(height)), (288, 144), (192, 96)]


def test_every_link_leads_to_an_id_of_the_page(document):
    page = Page(render(document))
    ids = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
    targets = [attributes["href"] for attributes in page.all("a")]
    assert len(targets) == 5
    assert {target.removeprefix("#") for target in targets} <= ids


def test_the_page_asks_for_nothing_and_its_policy_forbids_it(document):
    text = render(document)
    page = Page(text)
    assert not page.all("script")
    for _, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        for name in ("src", "href"):
            assert attributes.get(name, "#").startswith(("#", "data:"))
    policy = next(m["content"] for m in page.all("meta") if m.get("http-equiv") == "Content-Security-Policy")
    style = re.search("<style>(.*?)</style>", text, re.DOTALL)[1]
    assert "url(" not in style
    assert "@import" not in style
    digest = base64.b64encode(sha256(style.encode()).digest()).decode()
    assert policy == (
        f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )


def test_the_notice_stands_on_every_page_of_screen_and_paper(document):
    text = render(document)
    assert f'<p class="notice">{NOTICE}</p>' in text
    assert re.search(f"<footer>\\s*<p>{NOTICE}</p>", text)
    margins = re.search(r"@page \{(.*?)\n\}", text, re.DOTALL)[1]
    assert margins.count(f'content: "{NOTICE}"') == 2


def luminance(colour):
    channels = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(share * c for share, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("name", ["ink", "faint", "accent", "warm"])
@pytest.mark.parametrize("ground", ["#ffffff", "soft", "#fff7e8"])
def test_text_stands_out_from_what_is_behind_it(document, name, ground):
    colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", render(document)))
    light, dark = sorted((luminance(colours.get(ground, ground)), luminance(colours[name])), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5  # WCAG 2.2, AA


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ([Section("a", "A", []), Section("a", "B", [])], "two sections have the id 'a'"),
        ([Section("A b", "A", [])], "the id of section 'A' is 'A b'"),
        ([Section("a", "A", [Items([("to", Link("x", "b"))])])], "links to 'b', which is no section; there are a"),
        ([Section("a", "A", [Picture(b"GIF89a", "x")])], "the picture 'x' is no PNG file"),
        (
            [Section("a", "A", [], [Section("b", "B", [], [Section("c", "C", [])])])],
            "'c' is nested deeper than two levels",
        ),
    ],
)
def test_a_document_that_does_not_hold_together_is_refused(sections, message):
    with pytest.raises(ValueError, match=message):
        render(Document("T", "", sections))


def test_a_table_needs_a_cell_per_column():
    with pytest.raises(ValueError, match="table 'C': a row has 1 cells and the header 2"):
        Table("C", ["a", "b"], [["1"]])


def test_chromium_opens_it_without_a_word_and_without_a_request(document, tmp_path):
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    path = tmp_path / "report.html"
    path.write_text(render(document), encoding="utf-8")
    said, asked = [], []
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
    with playwright.sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROMIUM, args=arguments)
        page = browser.new_page(viewport={"width": 390, "height": 800})
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(path.as_uri())
        loaded = page.evaluate("[...document.images].map(image => image.complete && image.naturalWidth > 0)")
        wide = page.evaluate("document.documentElement.scrollWidth")
        barred = page.locator(".notice").bounding_box()
        page.evaluate("window.scrollTo(0, 600)")
        scrolled = page.evaluate("window.scrollY")
        still = page.locator(".notice").bounding_box()
        browser.close()
    assert said == []
    assert [url for url in asked if not url.startswith("data:")] == [path.as_uri()]
    assert loaded == [True] * 3
    assert wide == 390
    assert scrolled == 600
    assert barred["y"] == still["y"] == 0


def test_pdf_by_chromium_has_the_notice_on_every_page(document, tmp_path):
    pypdf = pytest.importorskip("pypdf", reason="pypdf is not installed")
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    page, out = tmp_path / "report.html", tmp_path / "report.pdf"
    page.write_text(render(document), encoding="utf-8")
    pdf.printer()(page, out)
    pages = pypdf.PdfReader(out).pages
    assert [text.count(NOTICE) for text in (page.extract_text() for page in pages)] == [2] * len(pages)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "report.pdf"]


def test_without_a_browser_weasyprint_prints(monkeypatch, tmp_path):
    pytest.importorskip("weasyprint", reason="weasyprint is not installed")
    monkeypatch.setattr(pdf, "_browser", lambda: None)
    page, out = tmp_path / "report.html", tmp_path / "report.pdf"
    page.write_text(render(Document("T", "", [Section("a", "A", [Text("Words.")])])), encoding="utf-8")
    pdf.printer()(page, out)
    assert out.read_bytes().startswith(b"%PDF-")


def test_without_either_both_are_named(monkeypatch):
    monkeypatch.setattr(pdf, "_browser", lambda: None)
    monkeypatch.setattr(pdf, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match=r"Chromium .* or WeasyPrint: pip install weasyprint"):
        pdf.printer()


def test_a_browser_that_fails_is_an_error_that_says_so(monkeypatch, tmp_path):
    false = shutil.which("false")
    page = tmp_path / "report.html"
    page.write_text("<p>x")
    monkeypatch.setattr(pdf, "_browser", lambda: false)
    with pytest.raises(RuntimeError, match=r"did not print report\.html: it said nothing"):
        pdf.printer()(page, tmp_path / "report.pdf")
    assert not (tmp_path / "report.pdf").exists()
