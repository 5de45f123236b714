"""What the page shows is what was answered, escaped, and readable by everyone."""

import base64
import csv
import io
import re
from dataclasses import replace
from html.parser import HTMLParser
from importlib.resources import files

import numpy as np
import pandas as pd
import PIL.Image
import pytest
from web.fakes import CLASSES, picture, shelved

from tumortrace.web import _parts, _words
from tumortrace.web._answer import Answer, Score
from tumortrace.web._confidence import Confidence
from tumortrace.web._details import Details, Feature, Map, Push
from tumortrace.web._draw import push, strip
from tumortrace.web._look import launch_options, part
from tumortrace.web._reader import Lesion, png

EVIL = '<img src=x onerror="alert(1)">'
VOID = {"img", "input", "rect", "path", "circle", "br"}


class Page(HTMLParser):
    """The elements of some HTML: tag, attributes and text, as a browser would take it; tags must close."""

    def __init__(self, text):
        super().__init__()
        self.elements, self._open = [], []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append({"tag": tag, "text": "", **dict(attrs)})
        if tag not in VOID:
            self._open.append(self.elements[-1])

    def handle_startendtag(self, tag, attrs):
        self.elements.append({"tag": tag, "text": "", **dict(attrs)})

    def handle_endtag(self, tag):
        assert self._open.pop()["tag"] == tag

    def handle_data(self, data):
        for element in self._open:
            element["text"] += data

    def all(self, tag):
        return [element for element in self.elements if element["tag"] == tag]

    def id(self, name):
        (found,) = (element for element in self.elements if element.get("id") == name)
        return found


def answer(**changes):
    found = Answer(
        classes=CLASSES,
        negative=1 - 0.7712345678901234,
        positive=0.7712345678901234,
        threshold=0.41,
        called="Malignant",
        confidence=Confidence("Moderate", "Of lesions like this one, 71 % were malignant.", "It is 0.36 above."),
        members=(
            Score("handcrafted", None, 0.5, 0.9),
            Score("texture", "handcrafted", 0.3, 0.8),
            Score("glcm", "texture", 0.1, 0.25),
            Score("cnn", None, 0.5, 0.6),
        ),
        notices=("Mind this.",),
        row={},
    )
    return replace(found, **changes)


def feature(**changes):
    values = {
        "name": "glcm_contrast", "words": "GLCM contrast", "shap": 0.3, "family": "glcm", "value": 3.0,
        "percentile": 80.0, "low": 1.0, "median": 2.0, "high": 5.0, "median_negative": 1.5, "median_positive": 4.0,
    }  # fmt: skip
    return Feature(**values | changes)


def details(**changes):
    picture = png(np.zeros((4, 4), np.uint8))
    found = Details(
        output=0.9,
        base=0.2,
        base_probability=0.55,
        families=(Push("glcm", "GLCM", 0.9), Push("cnn", "CNN", -0.2)),
        features=(feature(), feature(name="hog_1", words="HOG 1", shap=-0.1)),
        others=1234,
        maps=(Map("cnn", picture, "Grad-CAM of CNN: hottest in the middle"),),
        lesion=picture,
        figure=picture,
    )
    return replace(found, **changes)


def codes():
    return tuple(Map(name, png(np.zeros((4, 4), np.uint8)), f"What {name} sees") for name in ("hog", "lbp"))


def every_part():
    lesion = Lesion((picture(EVIL),))
    phases = Lesion((picture(), picture()), ("VIBRANT", "VIBRANT+C1"), "as <b> says")
    frame = predictions(EVIL, f"{EVIL}: is text")
    return {
        "reading": _parts.reading(lesion),
        "phases": _parts.reading(phases),
        "examples": _parts.examples("crop-example", EVIL, [_parts.shown(picture(EVIL))]),
        "fault": _parts.fault(EVIL),
        "done": _parts.done(EVIL),
        "working": _parts.working(EVIL),
        "empty": _parts.empty(),
        "said": _parts.said(EVIL),
        "model": _parts.model_said(EVIL, EVIL),
        "answered": _parts.answered(answer(called=EVIL, classes=(EVIL, EVIL), notices=(EVIL,)), lesion, EVIL),
        "explained": _parts.explained(details(features=(feature(words=EVIL, name=EVIL),)), codes(), answer()),
        "unexplained": _parts.unexplained(EVIL, codes()),
        "table": _parts.table(frame, shelved(EVIL, synthetic=True)),
    }


def predictions(name, error):
    nothing = float("nan")
    rows = [
        ("first.png", 0.25, 0.75, 0.41, "Malignant", "High", ""),
        (name, nothing, nothing, 0.41, "", "", error),
    ]
    return pd.DataFrame(
        rows, columns=["image", "benign", "malignant", "threshold", "called", "confidence", "error"]
    )


@pytest.mark.parametrize("name", every_part())
def test_a_part_is_escaped_and_readable_by_everyone(name):
    text = every_part()[name]
    found = Page(text)
    assert "onerror" not in {key for element in found.elements for key in element}
    assert "<script" not in text
    assert "http" not in text
    assert all(image["src"].startswith("data:image/png;base64,") and "alt" in image for image in found.all("img"))
    assert all(cell.get("scope") in ("row", "col") for cell in found.all("th"))
    assert all("aria-hidden" in drawn or drawn["aria-label"] for drawn in found.all("svg"))
    ids = [element["id"] for element in found.elements if "id" in element]
    assert len(ids) == len(set(ids))
    for element in found.elements:
        for named in (element.get("aria-labelledby") or element.get("for") or "").split():
            assert named in ids
    levels = [int(element["tag"][1]) for element in found.elements if re.fullmatch("h[1-6]", element["tag"])]
    assert all(level == 2 or level - before <= 1 for before, level in zip([2, *levels], levels, strict=False))


def test_an_answer_is_said_to_the_last_bit_and_in_words():
    found = Page(_parts.answered(answer(), Lesion((picture(),)), "Fused, on one crop"))
    assert float(found.id("result-positive")["data-probability"]) == 0.7712345678901234
    assert float(found.id("result-negative")["data-probability"]) == 1 - 0.7712345678901234
    assert float(found.id("result-threshold")["data-threshold"]) == 0.41
    assert found.id("result-positive")["text"] == "77 %"
    assert found.id("result-called")["text"] == "Malignant"
    assert found.id("result-confidence")["text"] == "moderate"
    (bar,) = (one for one in found.elements if one.get("role") == "img")
    assert bar["aria-label"] == "Malignant 77 %, Benign 23 %; the threshold is 41 %"
    assert any("Mind this." in item["text"] for item in found.all("li"))
    said = _parts.answer_said(answer())
    assert said == "Called Malignant: Malignant 77 %, Benign 23 %, threshold 41 %."


def test_the_bar_is_as_long_as_the_probability_and_the_tick_stands_at_the_threshold():
    found = Page(
        _parts.answered(answer(positive=0.25, negative=0.75, threshold=0.5, members=()), Lesion((picture(),)), "")
    )
    styles = [element["style"] for element in found.elements if "style" in element]
    assert styles == ["width: 25.0%", "left: 50.0%", "left: 50.0%"]


@pytest.mark.parametrize(("threshold", "left"), [(0.0, 16.0), (0.5, 50.0), (1.0, 84.0)])
def test_the_caption_of_the_threshold_stays_within_the_bar(threshold, left):
    found = Page(_parts.answered(answer(threshold=threshold), Lesion((picture(),)), ""))
    (caption,) = (one for one in found.elements if one.get("class") == "tick-said")
    assert caption["style"] == f"left: {left}%"


def test_members_are_named_and_indented_below_what_they_are_part_of():
    found = Page(_parts.answered(answer(), Lesion((picture(),)), ""))
    rows = [row for row in found.all("tr") if "Part" not in row["text"]]
    assert [row["text"].strip() for row in rows] == [
        "Handcrafted90 %",
        "Texture80 %",
        "GLCM25 %",
        "CNN60 %",
    ]
    assert [row.get("style") for row in rows] == [None, "--depth: 1", "--depth: 2", None]


def test_what_pushed_is_shown_with_its_side_in_words():
    found = Page(_parts.explained(details(), codes(), answer()))
    text = " ".join(row["text"] for row in found.all("tr"))
    assert re.search(r"GLCM\+0\.90 malignant CNN−0\.20 benign", text)
    assert "from the average answer, 55 % malignant, to this one, 77 %" in " ".join(
        p["text"] for p in found.all("p")
    )
    assert "1,234 further features pushed less." in " ".join(p["text"] for p in found.all("p"))
    assert "3.00, above 80 %" in text
    slider = found.id("overlay-opacity")
    assert (slider["type"], slider["value"]) == ("range", "70")
    assert any(label["for"] == "overlay-opacity" for label in found.all("label"))
    assert [image["alt"] for image in found.all("img")][-2:] == ["What hog sees", "What lbp sees"]


def test_a_model_of_one_network_has_no_features_and_one_without_a_network_no_map():
    assert "why-feature-table" not in _parts.explained(details(features=()), codes(), answer())
    assert "overlay-opacity" not in _parts.explained(details(maps=()), codes(), answer())


def test_where_a_model_cannot_be_explained_the_maps_are_there_and_the_reason_is():
    found = Page(_parts.unexplained("the model is too old; train it again", codes()))
    assert found.id("fault")["text"] == "That did not work: the model is too old; train it again."
    assert len(found.all("img")) == 2


@pytest.mark.parametrize(("percentile", "said"), [(0.0, "below all"), (100.0, "above all"), (float("nan"), "")])
def test_where_a_value_stands_is_said(percentile, said):
    text = _parts.explained(details(features=(feature(percentile=percentile),)), (), answer())
    assert f"3.00{', ' if said else ''}{said}</small>" in text


def test_a_table_says_what_each_image_got_and_downloads_what_was_predicted():
    frame = predictions("second.png", "second.png: is empty")
    found = Page(_parts.table(frame, shelved("fused", synthetic=True)))
    assert found.id("result-table-head")["text"] == "2 images, 1 without an answer"
    (score,) = (float(cell["data-probability"]) for cell in found.all("td") if "data-probability" in cell)
    assert score == 0.75
    assert "No answer. second.png: is empty" in found.id("result-table")["text"]
    assert "trained on synthetic lesions alone" in found.all("ul")[0]["text"]
    link = found.id("result-download")
    assert link["download"] == "predictions.csv"
    rows = list(csv.DictReader(io.StringIO(base64.b64decode(link["href"].split(",")[1]).decode())))
    assert [row["image"] for row in rows] == ["first.png", "second.png"]
    assert float(rows[0]["malignant"]) == 0.75


def test_phases_are_shown_with_what_each_was_taken_for():
    found = Page(_parts.reading(Lesion((picture(), picture()), ("VIBRANT", "VIBRANT+C1"), "by their names")))
    assert [item["text"] for item in found.all("li")] == ["VIBRANT", "C1"]
    assert found.all("p")[-1]["text"] == "2 phases of 12 × 9 pixels: by their names."


@pytest.mark.parametrize("shape", [(12, 9), (3, 12, 9)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_any_picture_becomes_one_that_a_browser_shows(shape, dtype):
    source = _parts.shown(picture(shape=shape, dtype=dtype)).source
    seen = np.asarray(PIL.Image.open(io.BytesIO(base64.b64decode(source.split(",")[1]))))
    assert (seen.shape, seen.dtype) == ((12, 9), np.uint8)
    if dtype == np.uint16:
        assert (seen.min(), seen.max()) == (0, 255)


def marks(drawing):
    """Return x of the ends of the range, of both medians and of the lesion."""
    ends = re.search(r"M([\d.]+) 11H([\d.]+)", drawing)
    circle, diamond = re.search(r'cx="([\d.]+)"', drawing), re.search(r"M([\d.]+) 5l", drawing)
    here = re.findall(r"M([\d.]+) 1V21", drawing)
    return [float(x) for x in (*ends.groups(), circle[1], diamond[1], here[-1])]


def test_a_strip_is_to_scale():
    low, high, negative, positive, here = marks(strip(feature(), CLASSES))
    values = [(x - low) / (high - low) for x in (negative, positive, here)]
    assert values == pytest.approx([0.125, 0.75, 0.5], abs=1e-3)


@pytest.mark.parametrize(("value", "side"), [(1e9, 152.0), (-1e9, 8.0)])
def test_a_value_far_outside_is_drawn_at_the_edge_with_an_arrow(value, side):
    drawing = strip(feature(value=value), CLASSES)
    assert marks(drawing)[-1] == side
    assert "z" in drawing.rsplit("<path", 1)[1]
    assert "--" not in drawing
    assert "z" not in strip(feature(), CLASSES).rsplit("<path", 1)[1]


@pytest.mark.parametrize("missing", ["value", "median_negative", "median_positive", "low", "high"])
def test_what_was_not_measured_is_not_drawn(missing):
    drawing = strip(feature(**{missing: float("nan")}), CLASSES)
    assert not re.search(r"\bnan\b", drawing)
    assert "measured" in Page(drawing).all("svg")[0]["aria-label"]


def test_a_range_without_width_is_drawn():
    low, high, *_ = marks(strip(feature(low=0.0, high=0.0, value=0.0), CLASSES))
    assert low == high


@pytest.mark.parametrize(("value", "left", "width"), [(2.0, 80.0, 78.0), (-1.0, 41.0, 39.0), (0.0, 80.0, 0.0)])
def test_a_push_goes_to_its_side(value, left, width):
    rectangle = re.search(r'x="([\d.]+)" y="5" width="([\d.]+)"', push(value, 2.0))
    assert [float(x) for x in rectangle.groups()] == [left, width]


@pytest.mark.parametrize("value", [-3.0, -1e-9, 0.0, 1e-12, 1.0, 999.9, 1e12])
def test_a_number_keeps_three_digits(value):
    assert float(_words.number(value).replace(",", "")) == pytest.approx(value, rel=0.005)


def test_the_page_looks_for_nothing_elsewhere():
    names = [path.name for path in files("tumortrace.web").joinpath("page").iterdir()]
    assert {"page.css", "page.js", "box.js", "box.html"} <= set(names)
    for name in names:
        text = part(name).replace('xmlns="http://www.w3.org/2000/svg"', "")  # a name, not an address
        assert not re.search(r"https?:|//\w|@import|url\(", text), name
    theme = launch_options()["theme"]
    assert theme._stylesheets == []
    assert "@font-face" not in theme._get_theme_css()


def test_the_theme_is_light_where_the_system_is_dark():
    theme = launch_options()["theme"]
    for name in ("body_background_fill", "block_background_fill", "input_background_fill", "body_text_color"):
        assert theme._get_computed_value(f"{name}_dark") == theme._get_computed_value(name)


def test_the_notice_is_on_the_page_and_sticks():
    assert "Research use only, no medical device." in part("notice.html")
    assert re.search(r"#notice \{ position: sticky; top: 0;", part("page.css"))


def luminance(colour):
    shares = (int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5))
    linear = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in shares)
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize(
    ("ink", "paper"),
    [
        ("ink", "paper"), ("ink", "ground"), ("ink", "accent-soft"), ("muted", "paper"), ("muted", "ground"),
        ("accent", "paper"), ("accent", "accent-soft"), ("paper", "accent"), ("warn-ink", "warn"),
        ("fault-ink", "fault"), ("fault-ink", "paper"), ("negative-ink", "paper"), ("positive-ink", "paper"),
    ],
)  # fmt: skip
def test_letters_stand_out(ink, paper):
    colours = dict(re.findall(r"--([\w-]+): (#\w{6});", part("page.css")))
    light, dark = sorted((luminance(colours[ink]), luminance(colours[paper])), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5  # WCAG 2.2, AA
