"""Makes the pictures of the viewer in the browser: `python docs/make_screenshots.py demo`.

`demo` is the output of `m3w demo`. A second run of it by another profile and a sample of what was
dropped are made beside it; then `m3w serve` shows them to Chromium, which is driven by Playwright.
"""

import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

FOLDER = Path(__file__).parent / "images"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SIZE = {"width": 1000, "height": 820}
MAX_BYTES = 200_000
COLOURS = (256, 128, 64, 32)
"""Of the palette of a picture, coarser until it fits."""

SHOTS = {
    "serve-gallery": ("/", "light"),
    "serve-document": ("{cat}", "light"),
    "serve-numbers": ("/numbers?measure=similarity&at=0.35", "dark"),
    "serve-dropped": ("/dropped", "light"),
    "serve-compare": ("/compare", "light"),
    "serve-search": ("/search?q=rocket", "dark"),
}
"""Name -> address, and the colours that the browser asks for."""


def run(*arguments: str) -> None:
    """One command of m3w."""
    subprocess.run([sys.executable, "-m", "openm3w", *arguments], check=True)


def prepare(demo: Path) -> None:
    """Keeps examples of what the demo's build dropped, and chooses another profile beside it."""
    build = ("build", "openm3w", "--input", str(demo / "sources" / "demo.warc.gz"))
    output = ("--output", str(demo / "interleaved"))
    run(*build, *output, "--set", "report.dropped_samples=20")
    profile = ("--profile", "kosmos1", "--output", str(demo / "kosmos1"))
    run("refilter", str(demo / "interleaved"), *profile)


@contextmanager
def served(demo: Path) -> Iterator[str]:
    """The address that `m3w serve` prints, while it runs."""
    compared = (str(demo / "interleaved"), "--compare", str(demo / "kosmos1"))
    command = [sys.executable, "-m", "openm3w", "serve", *compared, "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            lines = iter(server.stdout.readline, "") if server.stdout else iter(())
            yield next(found[0] for line in lines if (found := re.search(r"http\S+", line)))
        finally:
            server.send_signal(signal.SIGINT)


def shoot(page: Page, base: str, address: str, name: str) -> None:
    """Writes `images/NAME.png`."""
    page.goto(base + address)
    page.wait_for_function("document.querySelector('#busy').hidden")
    page.wait_for_load_state("networkidle")
    path = FOLDER / f"{name}.png"
    page.screenshot(path=path)
    with Image.open(path) as picture:
        whole = picture.convert("RGB")
    for colours in COLOURS:
        whole.quantize(colours, dither=Image.Dither.NONE).save(path, optimize=True)
        if path.stat().st_size <= MAX_BYTES:
            break
    print(f"{path}: {path.stat().st_size:,} bytes")


def main() -> None:
    """Makes all of them."""
    demo = Path(sys.argv[1] if len(sys.argv) > 1 else "demo")
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None or not (demo / "sources").is_dir():
        sys.exit(f"needs Chromium, and the output of `m3w demo --output {demo}`")
    prepare(demo)
    with served(demo) as url, sync_playwright() as playwright:
        base = url.partition("/?")[0]
        chromium = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        for name, (address, scheme) in SHOTS.items():
            page = chromium.new_page(viewport=SIZE, color_scheme=scheme)
            page.goto(url)
            page.wait_for_url(f"{base}/")
            page.goto(f"{base}/search?q=tabby+whiskers")
            cat = page.locator(".hit a").first.get_attribute("href") or ""
            shoot(page, base, address.format(cat=cat.partition("?")[0]), name)
            page.close()
        chromium.close()


if __name__ == "__main__":
    main()
