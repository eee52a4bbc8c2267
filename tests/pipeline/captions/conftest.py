"""A small build of interleaved documents, whose images and alternative texts pairs are made of."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from openm3w.pipeline import build as builds
from openm3w.pipeline import planning
from openm3w.pipeline import recipe as recipes
from openm3w.pipeline.jobs import scores
from openm3w.pipeline.plan import Plan
from openm3w.pipeline.runners import Runner
from openm3w.pipeline.scoring.handler import Scored
from openm3w.pipeline.scoring.windows import image_windows
from openm3w.pipeline.wanted import wanted_documents

SITE = "http://site.example"
WORDS = (
    "The harbour was quiet in the morning and the boats lay side by side along the old stone wall. "
    "A woman sold bread and oranges from a blue cart while the gulls waited for what she dropped. "
)
GERMAN = "Der Hafen war am Morgen ruhig, und die Boote lagen an der alten Mauer. " * 4
LONG_ALT = "The old wall of the harbour. Behind it two boats are tied to a ring."

HARBOUR = f"""<title>Harbour</title><link rel=license href=https://creativecommons.org/licenses/by/4.0/>
<article><h1>Harbour</h1><p>{WORDS} One.</p>
<img src=/boat.png alt="A boat  in the\nharbour"><p>{WORDS} Two.</p>
<img src=/plain.png><p>{WORDS} Three.</p>
<img src=/wall.png alt="{LONG_ALT}"><p>{WORDS} Four.</p>
<img src=/crest.jpg alt="Crest of the harbour"><p>{WORDS} Five.</p>
<img src=/gone.png alt="A picture that nobody has"><p>{WORDS} Six.</p>
<img src=/tiny.png alt="A very small picture"><p>{WORDS} Seven.</p>
<img src=/short.png alt="Ship"><p>{WORDS} Eight.</p>
<figure><img src=/cart.jpg srcset="/large.jpg 1600w, /cart.jpg 800w" alt="A blue cart">
<figcaption>The cart of the woman who sells bread</figcaption></figure><p>{WORDS} Nine.</p></article>"""
MARKET = f"""<title>Market</title><article><h1>Market</h1><p>{WORDS} Ten. {WORDS} Eleven.</p>
<img src=/boat.png alt="A boat in the harbour"><p>{WORDS} Twelve.</p></article>"""
QUAY = f"""<title>Quay</title><article><h1>Quay</h1><p>{WORDS} Seventeen. {WORDS} Eighteen.</p>
<img src=/boat.png alt="The same boat at noon"><p>{WORDS} Thirteen.</p></article>"""
SMALL = f"""<title>Small</title><article><h1>Small</h1><p>{WORDS} Fourteen.</p>
<img src=/small.png alt="A small but good picture"><p>{WORDS} Fifteen. {WORDS} Sixteen.</p></article>"""


@dataclass(frozen=True)
class BuiltSite:
    plan: Plan
    images: dict[str, bytes]


@pytest.fixture(scope="session")
def built_site(tmp_path_factory, image_bytes) -> BuiltSite:
    """A finished build with originals; the page with the small picture alone is not in its shards."""
    from tests.conftest import ArchiveBuilder

    folder, archive = tmp_path_factory.mktemp("site"), ArchiveBuilder()
    archive.page(f"{SITE}/harbour", HARBOUR, headers=(("X-Robots-Tag", "noarchive"),))
    archive.page(f"{SITE}/market", MARKET)
    archive.page(f"{SITE}/quay", QUAY)
    archive.page(f"{SITE}/small", SMALL)
    archive.page(
        f"{SITE}/hafen", f"<title>Hafen</title><p>{GERMAN}</p><img src=/boat.png alt=Boot>"
    )
    # The same text at another address.
    archive.page(f"{SITE}/market?again=1", MARKET)
    images = {
        "boat.png": image_bytes(300, 200, seed=1),
        "plain.png": image_bytes(300, 200, seed=2),
        "wall.png": image_bytes(300, 210, seed=3),
        "crest.jpg": image_bytes(100, 80, "JPEG", seed=4, quality=10),
        "tiny.png": image_bytes(30, 30, seed=5),
        "short.png": image_bytes(300, 220, seed=6),
        "cart.jpg": image_bytes(1000, 800, "JPEG", seed=7),
        "small.png": image_bytes(90, 95, seed=8),
    }  # fmt: skip
    for name, data in images.items():
        archive.image(f"{SITE}/{name}", data)
    source = archive.write(folder / "site.warc.gz")
    settings = (
        'floor=["kosmos1"]',
        'profile_set=["image.min_side=96", "document.single_image_share=1.0"]',
        "shards.val_share=0.0",
        "images.originals=true",
        "scores.model=lit",
    )
    plan = planning.make_plan(
        recipes.load("kosmos1", settings), [str(source)], folder / "out", None, lambda _: None
    )
    builds.build(plan, Runner(), say=lambda _: None, last="images")
    scores.commit_images(plan, plan.units[0], ["similarity"], _scored(plan))
    builds.build(plan, Runner(), say=lambda _: None, first="shards")
    source.unlink()  # nothing below may read it
    return BuiltSite(plan=plan, images=images)


def _scored(plan: Plan):
    """Scores that tell which window they are of: 0.01 for the first, 0.02 for the second, ..."""
    (unit,) = plan.units
    places = plan.folder("images", "places").rows(unit)
    kept = {(row["row"], row["image"]) for row in places if row["outcome"] == "kept"}
    for row, document in wanted_documents(plan, unit):
        for at, windows in enumerate(image_windows(document, plan.recipe.scores.windows)):
            if (row, at) in kept:
                numbers = tuple((n + 1) / 100 for n in range(len(windows)))
                yield Scored(unit=unit, row=row, image=at, scores=numbers, model="lit; as is")


@pytest.fixture
def site_copy(built_site, tmp_path) -> Path:
    """Output and store of the build, which a test may damage."""
    for name in ("out", "out.work"):
        shutil.copytree(built_site.plan.output.with_name(name), tmp_path / name)
    return tmp_path / "out"
