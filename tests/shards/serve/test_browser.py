"""The viewer in a real browser: what strangers wrote does nothing, and keys and slider do."""

import io
import json
import re
import tarfile
from urllib.parse import urlencode

import pytest
from PIL import Image as PillowImage

from openm3w.shards import manifest
from openm3w.shards.document import Document, Image, ImageContent, Provenance, Signals, Text
from openm3w.shards.manifest import Manifest
from openm3w.shards.sample import document_to_json
from openm3w.shards.serve.site import open_site
from openm3w.shards.terminal import clean, clean_line
from openm3w.shards.writer import ShardEntry

# Each would call alert, or ask another server, if it were ever more than text.
ATTACKS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><img src=x onerror=alert(1)>',
    "' autofocus onfocus=alert(1) x='",
    "<svg onload=alert(1)><animate onbegin=alert(1) attributeName=x dur=1s>",
    "<iframe src='javascript:alert(1)'></iframe>",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)//http://a",
    "java\tscript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "http://x.example/\"onmouseover='alert(1)'",
    "</pre></details><script>alert(1)</script>",
    "</title></textarea></style><script>alert(1)</script>",
    "{{ 7*7 }}{% include 'base.html' %}${alert(1)}",
    "<a href='http://evil.example/' ping='http://evil.example/'>x</a>",
    "<meta http-equiv=refresh content='0;url=http://evil.example/'>",
    "<link rel=stylesheet href=//evil.example/a.css><base href=//evil.example/>",
    "<form action=http://evil.example/><button autofocus>x</button></form>",
    "\u202e<b onclick=alert(1)>\u2066\u200b\x1b]0;t\x07",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
)


def jpeg():
    buffer = io.BytesIO()
    PillowImage.new("RGB", (40, 30), "teal").save(buffer, "JPEG")
    return buffer.getvalue()


def key_of(number, attack):
    """A key as others write them; it ends at the first dot."""
    return f"{number:02d}{attack.replace('.', '_')}"


def hostile_document(number, attack, data):
    content = ImageContent(
        sha256=attack, width=40, height=30, original_width=80, original_height=60,
        num_bytes=len(data), original_format=attack, phash=attack,
    )  # fmt: skip
    image = Image(
        url=attack, alt=attack, title=f"{attack} title", caption=f"{attack} caption",
        content=content, scores={"similarity": 0.3, attack: 0.5},
    )  # fmt: skip
    return Document(
        doc_id=f"{number:032x}",
        url=attack,
        title=attack,
        spans=(Text(text=attack), image, Text(text=f"behind {attack}")),
        provenance=Provenance(source=attack, crawl=attack, part=attack, fetched=attack),
        signals=Signals(language=attack, opt_out=(attack,), licences=(attack,)),
        scores={attack: 1.5},
        dropped=attack,
    )


def hostile_dataset(root):
    """A document for each attack, which stands in every field that a stranger may fill."""
    path = root / "data" / "train-000000.tar"
    path.parent.mkdir(parents=True)
    data = jpeg()
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        for number, attack in enumerate(ATTACKS):
            key = key_of(number, attack)
            about = document_to_json(hostile_document(number, attack, data), [f"{key}.000.jpg"])
            for suffix, content in (("json", json.dumps(about).encode()), ("000.jpg", data)):
                member = tarfile.TarInfo(f"{key}.{suffix}")
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
    entry = ShardEntry(
        url="data/train-000000.tar", split="train", nsamples=len(ATTACKS), sha256="0" * 64,
        filesize=path.stat().st_size, images=len(ATTACKS), characters=1, max_images=1,
    )  # fmt: skip
    stages = [{"job": ATTACKS[0], "unit": "pages", "entered": 21, "kept": 20,
               "dropped": {ATTACKS[2]: 1}, "failed": {}}]  # fmt: skip
    made = Manifest(
        name=ATTACKS[1], kind="interleaved", shards=(entry,), root=root, keys="foreign",
        counts={"stages": stages},
    )  # fmt: skip
    manifest.write(made)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory, serve):
    root = tmp_path_factory.mktemp("hostile") / "a"
    hostile_dataset(root)
    with serve(open_site(str(root), compare=str(root), dropped=str(root))) as running:
        yield running


class Watched:
    """A page of the browser, and all that it did."""

    def __init__(self, context, base):
        self.base = base
        self.asked, self.said, self.dialogs = [], [], []
        self.page = context.new_page()
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on(
            "dialog", lambda dialog: (self.dialogs.append(dialog.message), dialog.dismiss())
        )
        context.on("page", lambda page: self.said.append(f"a new page: {page.url}"))

    def open(self, path):
        # Scripts are deferred, and have run by then; what is lazy is waited for in `check`.
        self.page.goto(self.base + path, wait_until="domcontentloaded")

    def check(self):
        """Nothing ran, nothing was asked of another server, no policy was broken."""
        self.page.wait_for_load_state("load")
        assert self.dialogs == []
        assert self.said == []
        assert [url for url in self.asked if not url.startswith(f"{self.base}/")] == []


LOOK = """() => ({
  heading: document.querySelector("article h1").textContent,
  text: document.querySelector("article .text").textContent,
  url: document.querySelector("article .url").textContent.trim(),
  alt: document.querySelector("article figure > img").alt,
  caption: document.querySelector(".caption").textContent,
  about: document.querySelector("aside").textContent,
  raw: document.querySelector(".raw pre").textContent,
  schemes: [...document.querySelectorAll("a[href]")].map((a) => new URL(a.href, location).protocol),
  foreign: document.querySelectorAll(
    "main script, iframe, object, embed, math, base, meta[http-equiv], [onerror], [onload], [style]"
  ).length,
})"""


def until(page, holds):
    """Waits for an expression to hold; our CSP forbids how `wait_for_function` asks again."""
    for _ in range(400):
        if page.evaluate(holds):
            return
        page.wait_for_timeout(50)
    pytest.fail(f"never came to hold: {holds}")


@pytest.fixture(scope="module")
def watched(browser):
    """`watched(served)`: a page that came in by the token, as a person does; one a server."""
    known = {}

    def open_(served):
        if served.port not in known:
            context = browser.new_context(color_scheme="dark")
            context.set_default_timeout(20_000)
            known[served.port] = watch = Watched(context, f"http://127.0.0.1:{served.port}")
            watch.open("/numbers?token=the-token")
            watch.page.wait_for_url(f"{watch.base}/numbers")
        return known[served.port]

    yield open_
    for watch in known.values():
        watch.page.context.close()


def test_what_strangers_wrote_is_text_in_a_document(hostile, watched):
    watch = watched(hostile)
    for number, attack in enumerate(ATTACKS):
        watch.open(f"/documents/kept/{number}")
        shown, found = clean_line(attack), watch.page.evaluate(LOOK)
        assert found["heading"] == found["url"] == found["alt"] == shown
        assert clean_line(found["text"]) == shown
        assert found["caption"] == f"{shown} caption"
        assert clean_line(key_of(number, attack)) in found["about"]
        assert json.dumps(clean(attack), ensure_ascii=False)[1:5] in found["raw"]
        assert set(found["schemes"]) <= {"http:", "https:"}
        assert found["foreign"] == 0
    shown = "document.querySelector('article figure > img').naturalWidth === 40"
    until(watch.page, shown)
    watch.check()


def test_what_strangers_wrote_is_text_in_lists(hostile, watched):
    watch = watched(hostile)
    page = watch.page
    for path in ("/dropped", "/compare", "/search?q=behind", "/"):
        watch.open(path)
        page.wait_for_load_state("load")
        assert page.locator("main script, iframe, math, [onerror], [onload]").count() == 0
    titles = page.locator(".card h3").all_text_contents()
    assert titles == [clean_line(attack) for attack in ATTACKS]
    watch.open("/numbers")
    page.select_option("select[name=measure]", ATTACKS[2])
    page.wait_for_url("**measure=**")
    assert page.text_content("h1") == ATTACKS[2]
    watch.check()


def test_what_is_typed_is_text(hostile, watched):
    watch = watched(hostile)
    for attack in ATTACKS:
        watch.open(f"/search?{urlencode({'q': attack})}")
        assert watch.page.input_value("input[type=search]") == clean_line(attack)
    watch.page.fill("input[type=search]", ATTACKS[2])
    watch.page.press("input[type=search]", "Enter")
    watch.page.wait_for_url("**onerror**")
    watch.check()
    for name in ("q", "page", "measure", "at", "keep", "reason", "show", "by", "like"):
        for path in ("/", "/numbers", "/dropped", "/compare", "/search"):
            answer = hostile.get(path, **{name: ATTACKS[2]})
            assert answer.status == 200
            assert not re.search(r"<[^>]*<img src=x", answer.text), "never inside a tag"
            assert "<img src=x" not in answer.text


def test_the_slider_asks_the_server_and_obeys_keys(served, watched, tmp_path):
    watch = watched(served)
    watch.open("/numbers?measure=similarity")
    page = watch.page
    assert page.text_content("#images-kept") == "44"
    page.focus("#slider")
    with page.expect_response("**/numbers/at?**"):
        page.keyboard.press("End")
    until(page, "document.querySelector('#images-kept').textContent !== '44'")
    assert page.text_content("#images-lost") == "44"
    with page.expect_response("**/numbers/at?**"):
        page.fill("#at", "0.205")
    until(page, "document.querySelector('#images-kept').textContent === '15'")
    assert page.text_content("#rule") == "similarity ≥ 0.205"
    assert 0 < int(page.input_value("#slider")) < 1000
    page.click("#see-kept")
    assert page.text_content("h1") == "15 documents found"
    watch.check()
    shot = tmp_path / "numbers.png"
    page.screenshot(path=shot)
    with PillowImage.open(shot) as picture:
        corner = picture.convert("RGB").getpixel((2, picture.height - 2))
    assert max(corner) < 60, "dark where the browser is"


def test_keys_lead_through_documents_and_cards(served, watched):
    watch = watched(served)
    page = watch.page
    watch.open("/")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    page.wait_for_url("**/documents/kept/0")
    page.keyboard.press("j")
    page.wait_for_url("**/documents/kept/1")
    page.keyboard.press("ArrowLeft")
    page.wait_for_url("**/documents/kept/0")
    page.keyboard.press("u")
    page.wait_for_url(f"{watch.base}/")
    page.keyboard.press("/")
    page.keyboard.type("split:val?")
    assert page.input_value("input[type=search]") == "split:val?"
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    assert page.is_visible("#keys")
    page.keyboard.press("Escape")
    assert not page.is_visible("#keys")
    page.keyboard.press("ArrowRight")
    page.wait_for_url("**/?page=2")
    watch.check()


def test_no_page_is_wider_than_a_telephone_or_a_screen(served, watched):
    watch = watched(served)
    for path in ("/", "/documents/kept/7", "/numbers", "/dropped", "/compare", "/search?q=words"):
        watch.open(path)
        for width in (360, 1280):
            watch.page.set_viewport_size({"width": width, "height": 800})
            assert watch.page.evaluate("document.documentElement.scrollWidth") <= width, path
    watch.check()
