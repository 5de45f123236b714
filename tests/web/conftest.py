"""One demo for the tests of the page: small models of every kind, served by a process of its own."""

from contextlib import nullcontext
from importlib.util import find_spec
from shutil import which

import pytest
from web.served import Demo

from tumortrace import io

NETWORKS = ("resnet18", "resnet50", "vgg16")
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def lesions(tmp_path_factory):
    """Synthetic lesions: one slice of 17 sequences of each of 12 patients."""
    return io.synthetic.make_lesions(tmp_path_factory.mktemp("demo") / "lesions", patients=12, slices=1, seed=7)


@pytest.fixture(scope="session")
def models(lesions, tmp_path_factory):
    """A folder that holds a model of every choice: those of one crop, and fused ones of 9 and of 17 phases."""
    from tumortrace.model import train

    folder = tmp_path_factory.mktemp("models")
    found = io.find(lesions)
    frame = found.frame.assign(image=[str(found.root / image) for image in found.frame["image"]])
    crops = frame.loc[frame["sequence"] == "VIBRANT+C2", ["image", "label", "patient"]]
    quick = {"seed": 3, "jobs": 1}
    fused = train("fused", crops, unit="image", folds=2, epochs=2, **quick)
    fused.save(folder / "fused")
    for part in ("handcrafted", "cnn"):
        fused.member(part).save(folder / part)
    for backbone in NETWORKS:
        train("cnn", crops, unit="image", backbone=backbone, size=32, folds=0, epochs=1, **quick).save(
            folder / backbone
        )
    few = ["first_order", "kinetics"]
    for count in (9, 17):
        phases = frame[frame["sequence"].isin(io.synthetic.SEQUENCES[:count])]
        with pytest.warns(UserWarning, match="no subtractions") if count == 9 else nullcontext():
            model = train("fused", phases, features=few, folds=2, epochs=1, **quick)
        model.save(folder / f"phases{count}")
    return folder


@pytest.fixture(scope="session")
def demo(models, tmp_path_factory):
    served = Demo(models, tmp_path_factory.mktemp("served"))
    yield served
    assert served.end() == 0
    assert list(served.temporary.iterdir()) == [], "the demo left something behind"


@pytest.fixture(scope="module")  # while Playwright runs, so does its event loop, and no other can in this thread
def browser():
    """Chromium without a window; a skip that says so where there is none."""
    path = next((found for name in CHROMIUM if (found := which(name))), None)
    if find_spec("playwright") is None:
        pytest.skip("playwright is not installed: pip install playwright")
    if path is None:
        pytest.skip(f"chromium is not installed: none of {', '.join(CHROMIUM)} is there")
    from playwright.sync_api import sync_playwright

    quiet = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
    quiet += ["--disable-component-update", "--disable-sync"]
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=quiet)
        yield started
        started.close()
