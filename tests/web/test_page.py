"""The demo as a person uses it, in a browser: each input, each model, and what is wrong said in words."""

import csv
import io as _io
import json
import re
import zlib
from struct import pack

import numpy as np
import pytest
from PIL import Image
from web.served import predicted

from tumortrace import io
from tumortrace.io.synthetic import SEQUENCES

EXACT = 1e-9
LABELS = {
    "Fused": "fused",
    "Handcrafted": "handcrafted",
    "CNN (ResNet8)": "cnn",
    "ResNet18": "resnet18",
    "ResNet50": "resnet50",
    "VGG16": "vgg16",
}
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
SLOW_MS = 1500
SLOW_STREAM = f"""
const fetch_ = window.fetch;
window.fetch = async (...asked) => {{
  const got = await fetch_(...asked);
  if (!(asked[0].url ?? String(asked[0])).includes("queue/data")) return got;
  const late = new TransformStream({{
    transform: (chunk, to) => new Promise((done) => setTimeout(() => {{ to.enqueue(chunk); done(); }}, {SLOW_MS})),
  }});
  return new Response(got.body.pipeThrough(late), {{ status: got.status, headers: got.headers }});
}};
"""  # what the server streams comes late
NOTICE = "Research use only, no medical device."


at_both_widths = pytest.mark.parametrize("page", [DESKTOP, PHONE], indirect=True, ids=["desktop", "phone"])


@pytest.fixture
def page(request, demo, browser):
    """The demo's page, as wide as a desktop unless told; nothing may be logged, and nothing asked of elsewhere."""
    size = getattr(request, "param", DESKTOP)
    context = browser.new_context(viewport=size, accept_downloads=True)
    found = context.new_page()
    wrong = []
    found.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    found.on("pageerror", lambda error: wrong.append(str(error)))
    found.on("request", lambda asked: None if is_own(asked.url, demo) else wrong.append(asked.url))
    found.on("response", lambda got: wrong.append(f"{got.status} {got.url}") if got.status >= 400 else None)
    found.goto(demo.address)
    found.wait_for_selector("#crop-analyse")
    yield found
    assert wrong == []
    assert found.evaluate("document.documentElement.scrollWidth") <= size["width"]
    context.close()


@pytest.fixture(scope="module")
def crop(lesions, tmp_path_factory):
    """A crop of a lesion as a PNG file."""
    found = io.find(lesions)
    row = found.frame[(found.frame["sequence"] == "VIBRANT+C2") & (found.frame["label"] == "Malignant")].iloc[0]
    path = tmp_path_factory.mktemp("crop") / "lesion.png"
    Image.fromarray(io.read_image(found.root / row["image"]).array).save(path)
    return path


@pytest.fixture(scope="module")
def phases(lesions):
    """The 17 files of one slice."""
    found = io.find(lesions)
    rows = found.frame[found.frame["patient"] == found.frame["patient"].iloc[0]].set_index("sequence")
    return [found.root / rows.loc[sequence, "image"] for sequence in SEQUENCES]


def is_own(url, demo):
    return url.startswith((f"{demo.address}/", "data:", "blob:"))


def tab(page, title):
    page.get_by_role("tab", name=title).click()


def upload(page, name, *paths):
    page.set_input_files(f"#{name}-file input[type=file]", [str(path) for path in paths])


def choose(page, name, label):
    page.locator(f"#{name}-model").get_by_role("radio", name=label, exact=True).check()


def analyse(page, name):
    page.wait_for_selector("#result-positive, #result-table", state="detached")  # of what was asked before
    page.locator(f"#{name}-analyse").click()
    page.wait_for_selector("#result-positive, #result-table, #fault")


def probabilities(page):
    """Return benign, malignant and the threshold as the page knows them, to the last digit."""
    place = {"result-negative": "probability", "result-positive": "probability", "result-threshold": "threshold"}
    return [float(page.get_attribute(f"#{id}", f"data-{name}")) for id, name in place.items()]


def why(page):
    page.wait_for_selector("#why-code-maps, #why #fault", timeout=60_000)
    assert page.locator("#why #fault").count() == 0


def fault(page):
    """Return the message that says what is wrong; no answer stands beside it."""
    page.wait_for_selector("[role=alert]:not(:empty) >> visible=true")
    said = " ".join(text for text in page.locator("[role=alert]").all_inner_texts() if text.strip())
    assert page.locator("#result-positive").count() == 0
    return said


@at_both_widths
def test_the_page_says_what_it_is_and_for_what(page):
    assert page.title() == "tumortrace demo"
    assert page.get_attribute("html", "lang") == "en"
    notice = page.get_by_text(NOTICE, exact=True)
    assert notice.is_visible()
    page.mouse.wheel(0, 5000)
    page.wait_for_timeout(200)
    assert notice.is_visible()
    box = notice.bounding_box()
    assert 0 <= box["y"] < page.viewport_size["height"] - box["height"]  # still in sight


def test_each_model_gives_the_probability_of_predict(page, demo, crop, tmp_path):
    upload(page, "crop", crop)
    page.wait_for_selector("#crop-preview img")
    for label, model in LABELS.items():
        choose(page, "crop", label)
        analyse(page, "crop")
        assert page.inner_text("#result-model").startswith(label)
        benign, malignant, threshold = probabilities(page)
        row = predicted(demo.models / model, [{"Image": str(crop), "patient": "a"}], tmp_path).iloc[0]
        assert malignant == pytest.approx(row["score"], abs=EXACT)
        assert benign == pytest.approx(1 - row["score"], abs=EXACT)
        assert threshold == pytest.approx(row["threshold"], abs=EXACT)
        assert page.inner_text("#result-called") == row["predicted"]
        why(page)
        assert page.locator("#why-overlays img.heat").count() == (0 if label == "Handcrafted" else 1)
        names = " ".join(page.locator("#why-code-maps figcaption").all_inner_texts()).lower()
        assert all(name in names for name in ("hog", "sobel", "lbp", "mvm-lbp", "mvmbp", "glcm"))
        features = page.locator("#why-feature-table tbody tr").count()
        assert features >= 5 if label in ("Fused", "Handcrafted") else features == 0


def test_a_model_chosen_and_asked_at_once_answers(page):
    page.locator("#crop-example-0").click()
    page.wait_for_selector("#crop-preview img")
    for label in ("Handcrafted", "Fused") * 4:
        choose(page, "crop", label)
        page.locator("#crop-analyse").click()
        page.locator("#result-model", has_text=label).wait_for()
        assert page.locator("#fault").count() == 0


def test_an_answer_that_the_stream_leaves_behind_comes(page):
    page.add_init_script(SLOW_STREAM)
    page.reload()
    page.locator("#crop-example-0").click()
    page.wait_for_selector("#crop-preview img")
    page.wait_for_timeout(2 * SLOW_MS)  # no stream is open
    choose(page, "crop", "Handcrafted")
    page.wait_for_timeout(SLOW_MS / 2)  # the server has closed its stream by now, and the page does not know it
    page.locator("#crop-analyse").click()
    page.locator("#result-model", has_text="Handcrafted").wait_for()
    why(page)


def test_the_same_image_gives_the_same_answer(page, crop):
    seen = []
    for _ in range(2):
        upload(page, "crop", crop)
        page.wait_for_selector("#crop-preview img")
        analyse(page, "crop")
        why(page)
        seen.append((probabilities(page), page.locator("#why .tt-why").inner_html()))
        page.reload()
        page.wait_for_selector("#crop-analyse")
    assert seen[0] == seen[1]


@at_both_widths
def test_a_box_is_drawn_with_the_pointer_and_with_the_keyboard(page, demo, tmp_path):
    tab(page, "Slice with a box")
    rows, cols = 120, 160
    slice_ = np.random.default_rng(3).integers(20, 90, (rows, cols)).astype(np.uint8)
    slice_[40:70, 50:90] += 100
    path = tmp_path / "slice.png"
    Image.fromarray(slice_).save(path)
    upload(page, "slice", path)
    choose(page, "slice", "Fused")
    stage = page.locator("#box-stage")
    stage.wait_for()
    stage.scroll_into_view_if_needed()
    place = stage.bounding_box()
    scale = place["width"] / cols
    page.mouse.move(place["x"] + 50.2 * scale, place["y"] + 40.2 * scale)
    page.mouse.down()
    page.mouse.move(place["x"] + 70 * scale, place["y"] + 60 * scale, steps=4)
    page.mouse.move(place["x"] + 89.8 * scale, place["y"] + 69.8 * scale, steps=4)
    page.mouse.up()
    assert sides(page) == [50, 40, 40, 30]
    assert "40 pixels wide and 30 high" in page.inner_text("#box-said")
    assert answer_in_box(page) == pytest.approx(cut_score(demo, slice_[40:70, 50:90], tmp_path), abs=EXACT)

    stage.focus()  # and now without a pointer
    for key in ("ArrowRight", "ArrowDown", "ArrowDown", "Shift+ArrowRight", "Shift+ArrowUp"):
        page.keyboard.press(key)
    assert sides(page) == [51, 42, 41, 29]
    page.wait_for_selector("#result-positive", state="detached")  # the answer to another box is gone
    assert answer_in_box(page) == pytest.approx(cut_score(demo, slice_[42:71, 51:92], tmp_path), abs=EXACT)

    page.fill("#box-width", "20")
    page.keyboard.press("Tab")
    assert sides(page) == [51, 42, 20, 29]
    assert answer_in_box(page) == pytest.approx(cut_score(demo, slice_[42:71, 51:71], tmp_path), abs=EXACT)


def sides(page):
    return [int(page.input_value(f"#box-{side}")) for side in ("left", "top", "width", "height")]


def answer_in_box(page):
    analyse(page, "slice")
    return probabilities(page)[1]


def cut_score(demo, array, folder):
    path = folder / "cut.png"
    Image.fromarray(array).save(path)
    return predicted(demo.models / "fused", [{"Image": str(path), "patient": "a"}], folder)["score"].iloc[0]


@pytest.mark.parametrize("count", [9, 17])
def test_phases_are_told_by_their_names(page, demo, phases, tmp_path, count):
    tab(page, "Phases of a slice")
    given = phases[:count]
    copies = []
    for path, sequence in zip(given, SEQUENCES, strict=False):
        copies.append(tmp_path / f"{sequence}{path.suffix}")
        copies[-1].write_bytes(path.read_bytes())
    upload(page, "phases", *reversed(copies))
    page.wait_for_function(f"document.querySelectorAll('#phases-preview img').length === {count}")
    shown = page.locator("#phases-preview li").all_inner_texts()
    assert [text.strip() for text in shown] == [name.removeprefix("VIBRANT+") for name in SEQUENCES[:count]]
    analyse(page, "phases")
    rows = [
        {"Image": str(path), "patient": "a", "slice": "1", "sequence": sequence}
        for path, sequence in zip(copies, SEQUENCES, strict=False)
    ]
    expected = predicted(demo.models / f"phases{count}", rows, tmp_path).iloc[0]
    assert probabilities(page)[1] == pytest.approx(expected["score"], abs=EXACT)


def test_several_images_give_a_table_to_download(page, demo, crop, lesions, tmp_path):
    tab(page, "Several images")
    found = io.find(lesions)
    others = [found.root / image for image in found.frame["image"].iloc[:2]]
    bad = tmp_path / "notes.png"
    bad.write_text("not an image")
    upload(page, "several", crop, *others, bad)
    page.get_by_text("4 images to analyse").wait_for()
    choose(page, "several", "Fused")
    analyse(page, "several")
    with page.expect_download() as started:
        page.locator("#result-download").click()
    assert started.value.suggested_filename == "predictions.csv"
    started.value.save_as(tmp_path / "table.csv")
    with (tmp_path / "table.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["image"] for row in rows] == [path.name for path in (crop, *others, bad)]
    manifest = [{"Image": str(path), "patient": str(k)} for k, path in enumerate([crop, *others])]
    scores = predicted(demo.models / "fused", manifest, tmp_path)["score"]
    assert [float(row["malignant"]) for row in rows[:3]] == pytest.approx(list(scores), abs=EXACT)
    assert rows[3]["malignant"] == ""
    assert "notes.png" in rows[3]["error"]
    assert "No answer." in page.inner_text("#result-table")


def test_an_answer_is_flagged_where_the_operator_chose(page, demo, crop):
    upload(page, "crop", crop)
    page.wait_for_selector("#crop-preview img")
    analyse(page, "crop")
    malignant = probabilities(page)[1]
    page.locator("#flag-comment textarea").fill("cyst at operation ü")
    page.locator("#flag").click()
    page.get_by_text(re.compile("Flagged. It is kept as")).first.wait_for()
    line = json.loads((demo.flags / "flags.jsonl").read_text().splitlines()[-1])
    assert line["comment"] == "cyst at operation ü"
    assert line["score"] == pytest.approx(malignant, abs=EXACT)
    (kept,) = line["pictures"]
    assert kept["name"] == crop.name
    assert (io.read_image(demo.flags / kept["file"]).array == io.read_image(crop).array).all()


def bomb():
    """Return a PNG of a few kilobytes that says it has 60,000 × 60,000 pixels."""

    def chunk(kind, data):
        return pack(">I", len(data)) + kind + data + pack(">I", zlib.crc32(kind + data))

    header = pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    data = chunk(b"IDAT", zlib.compress(bytes(1_000_000)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + data + chunk(b"IEND", b"")


def truncated():
    file = _io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64)).astype(np.uint8)).save(file, "PNG")
    return file.getvalue()[:2000]


RUBBISH = {
    "text": (b"this is a text, not an image", ["is text", "lesion-x.png", "JPEG, PNG, TIFF or BMP"]),
    "truncated": (truncated(), ["truncated", "lesion-x.png", "save it anew"]),
    "bomb": (bomb(), ["60,000 × 60,000 pixels, more than the 16,777,216 allowed", "lesion-x.png", "crop it"]),
    "empty": (b"", ["is empty", "lesion-x.png"]),
    "20 MB": (b"x" * 20_000_000, ["has 19.1 MiB; give a file of 10 MiB at most", "lesion-x.png"]),
}


def test_rubbish_is_refused_with_the_reason_and_the_page_goes_on(page, crop, tmp_path):
    for what, (content, words) in RUBBISH.items():
        path = tmp_path / what / "lesion-x.png"
        path.parent.mkdir()
        path.write_bytes(content)
        upload(page, "crop", path)
        page.get_by_text(words[0]).wait_for()
        said = fault(page)
        assert all(word in said for word in words), said
    upload(page, "crop", crop)
    page.wait_for_selector("#crop-preview img")
    analyse(page, "crop")
    assert 0 < probabilities(page)[1] < 1


@at_both_widths
def test_an_example_is_answered_without_a_mouse(page):
    page.locator("#crop-example-1").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#crop-preview img")
    page.locator("#crop-model input[type=radio]").first.focus()
    page.keyboard.press("ArrowDown")
    chosen = page.locator("#crop-model label:has(input:checked)").inner_text()
    page.locator("#crop-analyse").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#result-positive")
    assert page.locator("#status-said").inner_text().startswith("Called ")  # read aloud by a screen reader
    assert page.inner_text("#result-model").startswith(chosen)


def test_nothing_to_analyse_is_said(page):
    page.locator("#crop-analyse").click()
    assert "nothing to analyse yet" in fault(page)
