"""Take the pictures of the demo's page for the docs: ``python docs/screenshot.py`` (needs Chromium)."""

import re
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

SCREENS = Path(__file__).parent / "screens"
BROWSER = {"executable_path": "/usr/bin/chromium", "args": ["--no-sandbox", "--disable-gpu"]}
WIDTHS = {"desktop": 1280, "phone": 390}


def take(browser: Browser, address: str, name: str) -> None:
    """Ask about an example and save what the page shows, down to the features."""
    page = browser.new_page(viewport={"width": WIDTHS[name], "height": 900})
    page.goto(address)
    page.locator("#crop-example-1").click()
    page.locator("#crop-preview img").wait_for()
    page.get_by_role("button", name="Analyse").click()
    page.locator("#why-code-maps img").last.wait_for()
    page.locator("#notice").evaluate("notice => notice.style.position = 'static'")
    bottom = page.locator("#result" if name == "phone" else "#why-overlays").bounding_box()
    assert bottom is not None
    clip = {"x": 0, "y": 0, "width": WIDTHS[name], "height": bottom["y"] + bottom["height"] + 24}
    page.screenshot(path=SCREENS / f"demo-{name}.png", full_page=True, clip=clip)


def take_volume(browser: Browser, address: str) -> None:
    """Ask for the features and maps of the example of a volume, and save the page with a map over a slice."""
    page = browser.new_page(viewport={"width": WIDTHS["desktop"], "height": 900})
    page.goto(address)
    page.get_by_role("tab", name="Volume").click()
    page.locator("#volume-example-0").click()
    page.locator("#volume-canvas").wait_for()
    page.locator("#volume-analyse").click()
    page.locator("#volume-overlay option").nth(1).wait_for(state="attached")
    page.select_option("#volume-overlay", "glcm_joint_entropy")
    page.locator("#volume-scale").wait_for()
    page.locator("#notice").evaluate("notice => notice.style.position = 'static'")
    bottom = page.locator("#volume-preset").bounding_box()
    assert bottom is not None
    clip = {"x": 0, "y": 0, "width": WIDTHS["desktop"], "height": bottom["y"] + bottom["height"] + 24}
    page.screenshot(path=SCREENS / "demo-volume.png", full_page=True, clip=clip)


def main() -> None:
    """Serve the demo's own models and take a picture at each width."""
    SCREENS.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "tumortrace", "demo", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server, sync_playwright() as playwright:
        assert server.stdout is not None
        address = next(found[0] for line in server.stdout if (found := re.match(r"http://\S+", line)))
        browser = playwright.chromium.launch(**BROWSER)
        for name in WIDTHS:
            take(browser, address, name)
        take_volume(browser, address)
        browser.close()
        server.terminate()


if __name__ == "__main__":
    main()
