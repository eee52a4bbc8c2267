"""A small site, builds of it, and a look into every file that they leave."""

import json
import tarfile
from pathlib import Path

import pyarrow.parquet as pq
from click.testing import CliRunner

from openm3w.cli import cli
from openm3w.pipeline import build as builds
from openm3w.pipeline import planning
from openm3w.pipeline import recipe as recipes
from openm3w.pipeline.runners import Runner
from openm3w.shards import manifest
from openm3w.shards.reader import read_samples

WORDS = (
    "The harbour was quiet in the morning and the boats lay side by side along the old stone wall. "
    "A woman sold bread and oranges from a blue cart while the gulls waited for what she dropped. "
)
SETTINGS = (
    "shards.val_share=0.0",
    "shards.samples_per_shard=3",
    'floor=["kosmos1", "m3w"]',
    "scores.model=none",
    "images.originals=true",
    'profile_set=["document.single_image_share=1.0"]',
)


def page(name: str, *images: str) -> str:
    """Words of its own between its images; `a|b` names two sizes of one."""
    figures = ""
    for at, image in enumerate(images):
        small, _, large = image.partition("|")
        sizes = f' srcset="{large} 1600w, {small} 400w"' if large else ""
        figures += f'<p>{WORDS} Word{name}{at}.</p><img src="{small}"{sizes} alt="Alt{name}{at}">'
    end = f"<p>{WORDS} End{name}.</p>"
    return f"<title>Title{name}</title><article><h1>Story {name}</h1>{figures}{end}</article>"


class Site:
    """The archive, and pictures by name as they were fetched."""

    def __init__(self, archive, image_bytes) -> None:
        self.archive, self._image_bytes = archive, image_bytes
        self.fetched: dict[str, bytes] = {}

    def image(self, url: str, seed: int) -> None:
        self.fetched[url] = self._image_bytes(200, 210, seed=seed)
        self.archive.image(url, self.fetched[url])


def write_site(folder: Path, archive, image_bytes) -> Site:
    site = Site(archive, image_bytes)
    archive.page("http://one.example/story", page("One", "/a.png", "/b.png"))
    archive.page("http://www.two.example/x", page("Two", "/a.png"))
    archive.page(
        "http://three.example/y",
        page("Three", "/gone.png", "http://cdn.example/stays.png", "/small.png|/large.png"),
    )
    archive.page("http://four.example/z", page("Four", "/bytes.png", "/other.png"))
    archive.page("http://five.example/id", page("Five", "/a.png"))
    archive.page("http://six.example/kept", page("Six", "http://cdn.example/stays.png"))
    archive.page("http://seven.example/kept", page("Seven", "/a.png", "/b.png"))
    urls = [
        *("http://one.example/a.png", "http://one.example/b.png", "http://www.two.example/a.png"),
        *("http://three.example/gone.png", "http://cdn.example/stays.png"),
        *("http://three.example/small.png", "http://three.example/large.png"),
        *("http://four.example/bytes.png", "http://four.example/other.png"),
        *("http://five.example/a.png", "http://seven.example/a.png", "http://seven.example/b.png"),
    ]
    for seed, url in enumerate(urls, 1):
        site.image(url, seed)
    archive.redirect("http://one.example/moved.png", "http://one.example/a.png")
    archive.write(folder / "site.warc.gz")
    return site


def plan_of(folder: Path, output: Path, *settings: str, store: Path | None = None):
    recipe = recipes.load("kosmos1", (*SETTINGS, *settings))
    return planning.make_plan(recipe, [str(folder / "site.warc.gz")], output, store, lambda _: None)


def build(folder: Path, output: Path, *settings: str, store: Path | None = None):
    plan = plan_of(folder, output, *settings, store=store)
    return builds.build(plan, Runner(), say=lambda _: None)


def m3w(*arguments, code: int = 0) -> str:
    result = CliRunner().invoke(cli, [str(argument) for argument in arguments])
    assert result.exit_code == code, (result.output, result.exception)
    return result.output


def redact(*arguments):
    return json.loads(m3w("shards", "redact", *arguments, "--json"))


def documents(root: Path):
    """Documents by the host of their page, as a reader gives them."""
    (dataset,) = manifest.load(root)
    found = [sample.document for sample in read_samples(dataset, verify="full")]
    return {document.url.split("/")[2]: document for document in found}


def contents(*folders: Path):
    """Every file with all that can be read in it: tables unpacked, tar members one by one."""
    for path in (path for folder in folders for path in sorted(folder.rglob("*"))):
        if not path.is_file():
            continue
        yield path, path.read_bytes()
        if path.suffix == ".parquet":
            yield path, json.dumps(pq.read_table(path).to_pylist(), default=str).encode()
        if path.suffix == ".tar":
            with tarfile.open(path) as tar:
                for member in tar:
                    yield path, member.name.encode() + tar.extractfile(member).read()


def holding(needles, *folders: Path):
    """The needles that are in a file, each with the first."""
    found = {}
    for path, data in contents(*folders):
        for needle in needles:
            if needle not in found and needle in data:
                found[needle] = path
    return found
