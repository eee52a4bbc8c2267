"""Makes the pictures of these pages from the demo's output: `python docs/make_images.py demo`.

`view.svg` is a document as `m3w view --svg` writes it, `search.svg` what `m3w search` answers on a
terminal with graphics. Where Chromium is installed, `view-app.png`
is the viewer in a terminal, `report.png` a screenshot of the report, and `page-NAME.png` are pages
beside what is extracted from them (`beside.py`). The cat is Chelsea (photograph by Stefan van der
Walt, CC0), which scikit-image carries.
"""

import asyncio
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import beside
from PIL import Image

from openm3w.pipeline.searching.serving import open_searcher
from openm3w.shards import manifest, reader
from openm3w.shards.catalog.samples import Catalog
from openm3w.shards.search import printing
from openm3w.shards.view import svg
from openm3w.shards.view.app import Viewer
from openm3w.shards.view.source import Source

FOLDER = Path(__file__).parent / "images"
WORDS = "a cat that looks at you"
SHOWN = "http://shop.example/p/cat-poster"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def make_view(pages: Path) -> None:
    """Renders the document whose page is SHOWN."""
    (dataset,) = manifest.load(pages)
    key = next(s.key for s in reader.read_samples(dataset) if s.document.url == SHOWN)
    command = ("view", str(pages), key, "--svg", str(FOLDER / "view.svg"))
    subprocess.run([sys.executable, "-m", "openm3w.cli", *command], check=True)


def make_search(pages: Path) -> None:
    """Answers to WORDS, as a terminal with graphics shows them."""
    (dataset,) = manifest.load(pages)
    with tempfile.TemporaryDirectory() as folder:
        index = ("index", str(pages), "--model", "lit", "--output", str(Path(folder, "index")))
        subprocess.run([sys.executable, "-m", "openm3w.cli", *index], check=True)
        searcher = open_searcher(Path(folder, "index"), [dataset])
        hits = searcher.search_text(WORDS, 3)
        renderable, drawn = printing.render(hits, searcher.catalog, "space", "out")
    picture = svg.draw(renderable, drawn, title=f'm3w search out "{WORDS}"')
    (FOLDER / "search.svg").write_text(picture, encoding="utf-8")


def make_viewer(pages: Path, browser: str) -> None:
    """The viewer in a terminal of 140 columns, at a document with a picture."""
    made = manifest.load(pages)
    source = Source(lambda: Catalog(made))
    source.facts.fill()
    catalog = source.catalog
    number = next(n for n in range(len(catalog)) if catalog.read(n).sample.document.url == SHOWN)
    viewer = Viewer(source, "blocks", number=number)

    async def look() -> str:
        async with viewer.run_test(size=(140, 40)) as pilot:
            await viewer.workers.wait_for_complete()
            await pilot.pause()
            return viewer.export_screenshot()

    # Its font would be asked of a server; the machine's own serves.
    drawing = re.sub(r"@font-face \{.*?\}", "", asyncio.run(look()), flags=re.DOTALL)
    with tempfile.TemporaryDirectory() as folder:
        drawn = Path(folder) / "view-app.svg"
        drawn.write_text(drawing, encoding="utf-8")
        _photograph(drawn.as_uri(), (1720, 1040), FOLDER / "view-app.png", browser)


def make_report(pages: Path, browser: str) -> None:
    """Takes a picture of the top of the report."""
    address = (pages / "report.html").resolve().as_uri()
    _photograph(address, (960, 1160), FOLDER / "report.png", browser)


def _photograph(address: str, size: tuple[int, int], file: Path, browser: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shot = Path(folder) / "shot.png"
        options = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars")
        window = f"--window-size={size[0]},{size[1]}"
        command = [browser, *options, window, f"--screenshot={shot}", address]
        subprocess.run(command, check=True, capture_output=True)
        with Image.open(shot) as picture:
            picture.convert("RGB").quantize(256).save(file, optimize=True)


def main() -> None:
    """Makes all of them."""
    demo = Path(sys.argv[1] if len(sys.argv) > 1 else "demo")
    FOLDER.mkdir(exist_ok=True)
    make_view(demo / "interleaved")
    make_search(demo / "interleaved")
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        sys.exit("no Chromium: the PNGs stay as they are")
    make_viewer(demo / "interleaved", browser)
    make_report(demo / "interleaved", browser)
    beside.make(FOLDER, browser)


if __name__ == "__main__":
    main()
