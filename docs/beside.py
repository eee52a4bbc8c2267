"""Makes the pictures of `extraction.md`: pages of the demo's sites, each beside its result.

Chromium shows the page as its server would send it: a loopback server has the demo's archive, and
adds a style sheet and a script that writes beside each image what became of it. The result beside
it is shown as `extract` returned it, images fetched from the addresses that it chose.
"""

import contextlib
import html
import json
import re
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from PIL import Image as Picture
from PIL import ImageChops

from openm3w.pipeline.demo import content, photos, site
from openm3w.pipeline.extraction.extract import Extraction, extract
from openm3w.shards.document import Image, Text

PAGES = {
    "news": "http://news.example/space/night-launch",
    "shop": "http://shop.example/p/espresso-cup",
    "blog": "http://blog.example/2024/07/space-museum",
}
"""Only with photographs that may be shown: CC0, of NASA, or without known restrictions."""
STYLES = Path(__file__).parent / "beside.css"
RESULT = "http://result.example/"
ICON = "http://news.example/static/avatar.png"
WIDTHS = {"page": 590, "result": 450}
HEIGHT = 3_000
COLOURS = 240
"""A fifth of the bytes of all colours."""


class Site:
    """What the loopback server answers, by URL."""

    def __init__(self) -> None:
        self.content = content.load()
        self.answers = {
            response.url: (response.content_type, response.body)
            for response in reversed(list(site.make_responses(self.content)))
            if not response.repeats
        }

    def get(self, url: str) -> tuple[str, bytes]:
        """Type and body; of pictures that the archive lacks the one that would be there."""
        if url in self.answers:
            return self.answers[url]
        for name in re.split(r"[/.]|-\d+", urlsplit(url).path):
            if name in self.content.pictures:
                return "image/jpeg", photos.render(self.content.pictures[name], 640, "jpg")
        return self.answers[ICON]


def make(folder: Path, browser: str) -> None:
    """Writes `page-NAME.png` for each of PAGES."""
    web = Site()
    with _served(web) as port:
        for name, url in PAGES.items():
            page = web.get(url)[1].decode()
            found = extract(page, url)
            web.answers[url] = ("text/html; charset=utf-8", _marked(page, name, found).encode())
            web.answers[RESULT] = ("text/html; charset=utf-8", _shown(url, found).encode())
            left = _shot(browser, port, url, WIDTHS["page"])
            right = _shot(browser, port, RESULT, WIDTHS["result"])
            _beside(left, right).save(folder / f"page-{name}.png", optimize=True)


def _marked(page: str, name: str, found: Extraction) -> str:
    """The page with a style sheet, and on each image element what became of it."""
    fates = {number: "kept" for number in found.order if number >= 0}
    fates |= {item.number: str(item.reason) for item in found.left_out}
    numbers = iter(sorted(fates))
    page = re.sub(r"<img\b", lambda _: f'<img data-fate="{fates[next(numbers)]}"', page)
    styles = f"<style>{STYLES.read_text(encoding='utf-8')}</style>"
    page = page.replace("</head>", f"{styles}</head>").replace("<body", f'<body id="{name}"')
    return page.replace("</body>", f"<script>{_LABELS}</script></body>")


# Lazy images as the page's own script would load them; then the labels.
_LABELS = """
for (const image of document.querySelectorAll("img[data-src]")) image.src = image.dataset.src;
addEventListener("load", () => {
  for (const image of document.querySelectorAll("img[data-fate]")) {
    if (image.previousElementSibling?.dataset.fate) continue;  // one label for a row of stars
    let last = image;
    while (last.nextElementSibling?.dataset.fate) last = last.nextElementSibling;
    const box = last.getBoundingClientRect(), label = document.createElement("b");
    label.className = "fate " + image.dataset.fate;
    label.textContent = image.dataset.fate;
    label.style.left = (box.height < 60 ? box.right + 4 : box.left) + "px";
    label.style.top = box.top + "px";
    document.body.append(label);
  }
});
"""


def _shown(url: str, found: Extraction) -> str:
    """The result as a page of its own."""
    parts = list[str]()
    for span in found.spans:
        if isinstance(span, Text):
            parts.append(f'<p class="text">{html.escape(span.text)}</p>')
        else:
            parts.append(_image(span))
    reasons = dict[str, int]()
    for item in found.left_out:
        reasons[item.reason] = reasons.get(item.reason, 0) + 1
    counts = ", ".join(f"{reason} {count}" for reason, count in reasons.items())
    return (
        f'<!DOCTYPE html><meta charset="utf-8"><style>{STYLES.read_text(encoding="utf-8")}</style>'
        f'<body id="result"><p class="title">{html.escape(found.title)}</p>'
        f'<p class="url">{html.escape(url)}</p>{"".join(parts)}'
        f'<p class="out"><b>left out</b> {counts}</p>'
    )


def _image(image: Image) -> str:
    said = {name: getattr(image, name) for name in ("role", "alt", "caption")}
    facts = "".join(
        f"<br><b>{name}</b> {html.escape(json.dumps(value, ensure_ascii=False)[1:-1])}"
        for name, value in said.items()
        if value
    )
    return (
        f'<div class="image"><img src="{html.escape(image.url)}">'
        f"<p>{html.escape(image.url)}{facts}</p></div>"
    )


@contextlib.contextmanager
def _served(web: Site) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, body = web.get(f"http://{self.headers['Host']}{self.path}")
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


def _shot(browser: str, port: int, url: str, width: int) -> Picture.Image:
    """A picture of a page, cut below its last line."""
    with tempfile.TemporaryDirectory() as folder:
        shot = Path(folder) / "shot.png"
        command = [
            *(browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
            f"--user-data-dir={folder}/profile",
            f"--host-resolver-rules=MAP *.example 127.0.0.1:{port}, MAP * ~NOTFOUND",
            f"--window-size={width},{HEIGHT}",
            "--virtual-time-budget=3000",
            f"--screenshot={shot}",
            url,
        ]
        subprocess.run(command, check=True, capture_output=True)
        with Picture.open(shot) as picture:
            whole = picture.convert("RGB")
    ground = Picture.new("RGB", whole.size, whole.getpixel((0, whole.height - 1)))
    box = ImageChops.difference(whole, ground).getbbox()
    return whole.crop((0, 0, whole.width, box[3] + 16 if box else whole.height))


def _beside(left: Picture.Image, right: Picture.Image) -> Picture.Image:
    height = max(left.height, right.height)
    both = Picture.new("RGB", (left.width + right.width, height), "white")
    for picture, place in ((left, 0), (right, left.width)):
        ground = picture.getpixel((0, picture.height - 1))
        both.paste(ground, (place, 0, place + picture.width, height))
        both.paste(picture, (place, 0))
    return both.quantize(COLOURS, dither=Picture.Dither.FLOYDSTEINBERG)
