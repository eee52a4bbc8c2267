"""What was buried is not stored, wherever a build would have it from; units without a pipeline."""

import hashlib
import json
import tarfile

import pytest
from serving import ASKING, Serving

from openm3w.errors import OutputError
from openm3w.pipeline import planning
from openm3w.pipeline import recipe as recipes
from openm3w.pipeline.captions import build as caption_builds
from openm3w.pipeline.captions import images as caption_images
from openm3w.pipeline.captions.places import members
from openm3w.pipeline.captions.recipe import load as load_captions
from openm3w.pipeline.fetch import process
from openm3w.pipeline.fetch.store.memory import Memory
from openm3w.pipeline.images.resolve import Found
from openm3w.pipeline.jobs import images
from openm3w.pipeline.jobs.grouping import WEB, PackUnit

SITE, CDN = "http://site.example", "http://cdn.buried.example"


def sha256(data):
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def buried(tmp_path):
    """Buries in what builds into `tmp_path / "out"` remember."""
    yield Memory.open(str(tmp_path / "out.work" / "fetched")).bury
    process.close()


@pytest.fixture
def crawl(archive, image_bytes, tmp_path):
    """An archive with three images, and the searches that end at them; one came by a redirect."""
    for seed, url in enumerate((f"{SITE}/a.png", f"{SITE}/b.png", f"{CDN}/c.png")):
        archive.image(url, image_bytes(120, 100, seed=seed))
    path = archive.write(tmp_path / "crawl.warc.gz")
    origins = (f"{SITE}/a.png", f"{SITE}/b.png", f"{SITE}/moved.png")
    return path, dict(zip(origins, archive.offsets, strict=True))


def interleaved(crawl, tmp_path, *overrides):
    recipe = recipes.load("kosmos1", overrides)
    said = []
    plan = planning.make_plan(recipe, [str(crawl)], tmp_path / "out", None, said.append)
    return plan, said


def outcomes(folder, unit, key="url_key"):
    rows = folder.rows(unit)
    return {row[key]: row["reason"] or row["outcome"] for row in rows}


def pack_of(plan, origins):
    (unit,) = plan.units
    found = tuple(Found(url, unit, offset) for url, offset in origins.items())
    images.commit_pack(plan, PackUnit(f"{unit}-00000", unit, found))
    return outcomes(plan.folder("images", "packs"), f"{unit}-00000")


def test_without_tombstones_archives_give_all_that_they_hold(crawl, tmp_path):
    path, origins = crawl
    plan, said = interleaved(path, tmp_path)
    assert set(pack_of(plan, origins).values()) == {"kept"}
    assert not [line for line in said if "tombstones" in line]
    assert not (tmp_path / "out.work" / "fetched").exists()


@pytest.mark.parametrize(
    ("entry", "gone"),
    [
        (f"{SITE}/a.png", ["a.png"]),
        ("HTTPS://Site.example:443/a.png#top", ["a.png"]),
        ("content of b", ["b.png"]),
        # The record to which a redirect led is of a buried domain.
        ("buried.example", ["moved.png"]),
        ("site.example", ["a.png", "b.png", "moved.png"]),
    ],
)
def test_what_an_archive_holds_of_a_tombstone_is_dropped(
    crawl, buried, image_bytes, tmp_path, entry, gone
):
    path, origins = crawl
    buried([sha256(image_bytes(120, 100, seed=1)) if entry == "content of b" else entry])
    plan, said = interleaved(path, tmp_path)
    found = pack_of(plan, origins)
    assert [url.rpartition("/")[2] for url, said in found.items() if said == "tombstone"] == gone
    assert set(found.values()) <= {"kept", "tombstone"}
    assert any(line.startswith("tombstones: 1 in ") for line in said)
    (sidecar,) = plan.folder("images", "packs").counts([f"{plan.units[0]}-00000"])
    assert sidecar["stages"][0]["dropped"] == {"tombstone": len(gone)}


def test_what_files_of_captions_hold_of_a_tombstone_is_dropped(
    crawl, buried, image_bytes, tmp_path
):
    path, origins = crawl
    buried([f"{SITE}/a.png", sha256(image_bytes(120, 100, seed=7)), "buried.example"])
    (tmp_path / "loose" / "site.example").mkdir(parents=True)
    for name, seed in (("free.png", 8), ("same.png", 7), ("site.example/a.png", 9)):
        (tmp_path / "loose" / name).write_bytes(image_bytes(120, 100, seed=seed))
    with tarfile.open(tmp_path / "packed.tar", "w") as tar:
        tar.add(tmp_path / "loose" / "free.png", "free.png")
        tar.add(tmp_path / "loose" / "same.png", "same.png")
    table = tmp_path / "t.jsonl"
    table.write_text(json.dumps({"url": f"{SITE}/a.png", "caption": "Boats at a wall"}))
    places = [str(tmp_path / "loose"), str(tmp_path / "packed.tar"), str(path)]
    plan = caption_builds.make_plan(
        load_captions(), [str(table)], tmp_path / "out", image_places=places
    )
    loose, packed, archive = plan.places
    held = {
        loose.unit: {"free.png": 0, f"{SITE}/a.png": 0, "same.png": 0},
        packed.unit: {m.name: m.offset for m in members(packed.path)},
        archive.unit: origins,
    }
    found = {}
    for unit, images_of in held.items():
        several = tuple(Found(f"|{name}", unit, offset) for name, offset in images_of.items())
        caption_images.commit_pack(plan, PackUnit(f"{unit}-00000", unit, several))
        rows = outcomes(plan.folder("images"), f"{unit}-00000", "image")
        found[unit] = [said for _, said in sorted(rows.items())]
    assert list(found.values()) == [
        ["kept", "tombstone", "tombstone"],
        ["kept", "tombstone"],
        ["tombstone", "kept", "tombstone"],
    ]


def asked_of_the_web(plan, name, urls):
    found = tuple(Found(url, reason="not_in_archive") for url in urls)
    images.commit_pack(plan, PackUnit(name, WEB, found))
    said = outcomes(plan.folder("images", "packs"), name)
    return [said[url] for url in urls]


def test_what_the_web_has_of_a_tombstone_is_not_given_to_the_build(
    crawl, buried, image_bytes, tmp_path
):
    content = image_bytes(130, 100, seed=3)
    pictures = {"/a.png": content, "/b.png": content, "/c.png": image_bytes(130, 100, seed=4)}
    with Serving(pictures=pictures) as server:
        urls = [server.url(path) for path in ("/a.png", "/c.png", "/relative")]
        buried([sha256(content), server.url("/good?x=1")])
        plan, said = interleaved(crawl[0], tmp_path, *ASKING)
        assert asked_of_the_web(plan, "web0000-00000", urls) == ["tombstone", "kept", "tombstone"]
        assert server.requests["/good?x=1"] == 0
        assert any(line.startswith("tombstones: 2 in ") for line in said)
    memory = Memory.open(plan.fetched)
    assert memory.lookup(urls)[urls[0]].sha256 == ""
    assert memory.stats().content_bytes == len(pictures["/c.png"])
    packs = [*(tmp_path / "out.work").rglob("*.tar")]
    assert packs
    assert not [pack for pack in packs if content in pack.read_bytes()]


def test_what_is_buried_between_two_runs_is_not_stored_by_the_second(
    crawl, buried, image_bytes, tmp_path
):
    pictures = {f"/{name}.png": image_bytes(130, 100, seed=at) for at, name in enumerate("abc")}
    with Serving(pictures=pictures) as server:
        urls = [server.url(path) for path in pictures]
        plan, _ = interleaved(crawl[0], tmp_path, *ASKING)
        assert asked_of_the_web(plan, "web0000-00000", urls) == ["kept"] * 3
        process.close()
        buried([urls[0], sha256(pictures["/b.png"])])
        again, _ = interleaved(crawl[0], tmp_path, *ASKING, "images.encoding.side=100")
        before = server.requests.total()
        found = asked_of_the_web(again, "web0000-00000", urls)
        assert found == ["tombstone", "tombstone", "kept"]
        assert server.requests.total() == before


def test_tombstones_that_cannot_be_read_end_a_build_before_any_work(crawl, buried, tmp_path):
    buried(["a.example"])
    (listed,) = (tmp_path / "out.work" / "fetched" / "tombstones").iterdir()
    listed.write_text("b.example\n")
    with pytest.raises(OutputError, match="damaged: its bytes are not those that were written"):
        interleaved(crawl[0], tmp_path)
