"""Makes the pictures of these pages from the demo's output: `python docs/make_images.py demo`.

`view.svg` is a document as `m3w view --svg` writes it; `report.png` a screenshot of the report,
where Chromium is installed, and so are `page-NAME.png`, pages beside what is extracted from them
(`beside.py`). The cat is Chelsea (photograph by Stefan van der Walt, CC0), which
scikit-image carries.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import beside
from PIL import Image

from openm3w.shards import manifest, reader

FOLDER = Path(__file__).parent / "images"
SHOWN = "http://shop.example/p/cat-poster"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def make_view(pages: Path) -> None:
    """Renders the document whose page is SHOWN."""
    (dataset,) = manifest.load(pages)
    key = next(s.key for s in reader.read_samples(dataset) if s.document.url == SHOWN)
    command = ("view", str(pages), key, "--svg", str(FOLDER / "view.svg"))
    subprocess.run([sys.executable, "-m", "openm3w.cli", *command], check=True)


def make_report(pages: Path, browser: str) -> None:
    """Takes a picture of the top of the report."""
    with tempfile.TemporaryDirectory() as folder:
        shot = Path(folder) / "report.png"
        options = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars")
        address = (pages / "report.html").resolve().as_uri()
        command = [browser, *options, "--window-size=960,1160", f"--screenshot={shot}", address]
        subprocess.run(command, check=True, capture_output=True)
        with Image.open(shot) as picture:
            picture.convert("RGB").save(FOLDER / "report.png", optimize=True)


def main() -> None:
    """Makes all of them."""
    demo = Path(sys.argv[1] if len(sys.argv) > 1 else "demo")
    FOLDER.mkdir(exist_ok=True)
    make_view(demo / "interleaved")
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        sys.exit("no Chromium: report.png and page-*.png stay as they are")
    make_report(demo / "interleaved", browser)
    beside.make(FOLDER, browser)


if __name__ == "__main__":
    main()
