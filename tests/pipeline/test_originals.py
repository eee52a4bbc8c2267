import hashlib
import io
import json

import click
import pyarrow.parquet as pq
import pytest
from PIL import Image

from openm3w.cli import cli
from openm3w.errors import InputError, OutputError
from openm3w.pipeline import build as builds
from openm3w.pipeline import planning
from openm3w.pipeline import recipe as recipes
from openm3w.pipeline.captions import build as caption_builds
from openm3w.pipeline.captions import recipe as caption_recipes
from openm3w.pipeline.exported import buried as buried_in
from openm3w.pipeline.fetch.store.memory import Memory
from openm3w.pipeline.fetch.store.tombstones import Tombstones
from openm3w.pipeline.jobs import all_packs
from openm3w.pipeline.originals import export_originals
from openm3w.pipeline.report import read_report
from openm3w.pipeline.runners import Runner
from openm3w.pipeline.store import Folder
from openm3w.shards import manifest as manifests
from openm3w.shards.reader import read_samples
from openm3w.shards.verify import verify

SITE = "https://example.org"
WORDS = "a quiet harbour with fishing boats that come home in the evening light " * 12
FORMATS = {"a.png": "PNG", "b.jpg": "JPEG", "c.webp": "WEBP", "d.gif": "GIF"}


def quiet(_):
    pass


def samples(folder):
    (found,) = manifests.load(folder)
    return {sample.key: sample for sample in read_samples(found, verify="full")}


@pytest.fixture
def data(image_bytes):
    return {name: image_bytes(300, 200, kind, seed=at)
            for at, (name, kind) in enumerate(FORMATS.items())}  # fmt: skip


def built(archive, data, folder, *overrides):
    pictures = "".join(f'<p>{WORDS}</p><img src="{name}" alt="{name}">' for name in data)
    archive.page(f"{SITE}/", f"<html><body><article>{pictures}</article></body></html>")
    for name, content in data.items():
        archive.image(f"{SITE}/{name}", content)
    source = archive.write(folder / "a.warc.gz")
    recipe = recipes.load("kosmos1", ("shards.val_share=0.0", "language=any", *overrides))
    plan = planning.make_plan(recipe, [str(source)], folder / "out", None, quiet)
    builds.build(plan, Runner(), say=quiet)
    return folder / "out"


@pytest.mark.beam
def test_a_build_is_written_again_with_the_bytes_that_were_fetched(archive, data, tmp_path):
    out = built(archive, data, tmp_path, "images.originals=true")

    exported = export_originals(out, tmp_path / "originals", Runner())

    before, after = samples(out), samples(tmp_path / "originals")
    assert list(before) == list(after)
    (stored,), (fetched,) = before.values(), after.values()
    by_url = dict(zip((i.url for i in fetched.document.images), fetched.images, strict=True))
    assert {url.rpartition("/")[2]: content for url, content in by_url.items()} == data
    assert all(content.startswith(b"\xff\xd8") for content in stored.images)
    assert fetched.document.texts == stored.document.texts
    kinds = [Image.open(io.BytesIO(content)).format for content in fetched.images]
    assert kinds == list(FORMATS.values())
    assert verify([exported.manifest]).faults == []
    assert export_originals(out, tmp_path / "originals", Runner()).already_done


@pytest.mark.beam
def test_pages_with_pictures_that_were_buried_since_are_left_out_and_counted(
    archive, data, tmp_path, image_bytes
):
    other = image_bytes(310, 200, "JPEG", seed=50)
    page = f'<p>{WORDS}</p><img src="http://other.test/o.jpg" alt="o"><p>{WORDS[::-1]}</p>'
    archive.page("http://other.test/", f"<html><body><article>{page}</article></body></html>")
    archive.image("http://other.test/o.jpg", other)
    out = built(archive, data, tmp_path, "images.originals=true",
                'profile_set=["document.single_image_share=1.0"]')  # fmt: skip
    before = samples(out)
    assert len(before) == 2
    (stored,) = (i.content.sha256 for s in before.values() for i in s.document.images
                 if i.url.endswith("c.webp"))  # fmt: skip
    selected, packs = (Folder.of(p.parent, p.name) for p in (
        *out.with_name("out.work").glob("shards/select/*"),
        *out.with_name("out.work").glob("images/packs/*")))  # fmt: skip
    units = [path.stem for path in selected.root.glob("*.json")]

    def buried(*lines):
        tombstones = Tombstones.of(lines)
        return buried_in(selected, units, packs, all_packs.pack_units(packs), tombstones)

    (kept,) = (key for key, s in before.items() if len(s.document.images) == 1)
    (lost,) = set(before) - {kept}
    assert buried() == buried("elsewhere.test") == set()
    fetched = hashlib.sha256(data["a.png"]).hexdigest()
    for line in (f"{SITE}/b.jpg", "example.org", fetched, stored):
        assert buried(line) == {lost}

    Memory.open(str(out.with_name("out.work") / "fetched")).bury([fetched])
    said = []
    exported = export_originals(out, tmp_path / "originals", Runner(), say=said.append)

    assert list(samples(tmp_path / "originals")) == [kept]
    assert said == [exported_note(tmp_path / "originals")]
    assert said[0].startswith("1 of 2 samples are left out (tombstone)")
    assert exported.manifest.counts["stages"][-1] == {
        "job": "originals", "unit": "pages", "entered": 2, "kept": 1,
        "dropped": {"tombstone": 1}, "failed": {},
    }  # fmt: skip
    assert verify([exported.manifest]).faults == []
    assert export_originals(out, tmp_path / "originals", Runner()).already_done

    Memory.open(str(out.with_name("out.work") / "fetched")).bury(["other.test"])
    with pytest.raises(InputError, match="nothing is left of it"):
        export_originals(out, tmp_path / "none", Runner())
    assert not (tmp_path / "none").exists()


def exported_note(folder):
    (note,) = read_report(folder)["notes"]
    return note


@pytest.mark.beam
def test_a_build_that_kept_no_originals_says_how_to_keep_them(archive, data, tmp_path):
    out = built(archive, data, tmp_path)

    with pytest.raises(InputError, match=r"images\.originals=true"):
        export_originals(out, tmp_path / "originals", Runner())
    assert not (tmp_path / "originals").exists()


@pytest.mark.beam
def test_caption_shards_have_originals_too(data, tmp_path):
    lines = [f'{{"url": "{name}", "text": "a picture called {name}"}}' for name in data]
    lines.append('{"url": "http://gone.test/e.png", "text": "a picture called e.png"}')
    (tmp_path / "t.jsonl").write_text("\n".join(lines), encoding="utf-8")
    for name, content in data.items():
        (tmp_path / name).write_bytes(content)
    options = (
        "images.originals=true",
        "resize.side=64",
        "shards.val_share=0.0",
        'captions.columns=["text"]',
    )
    plan = caption_builds.make_plan(
        caption_recipes.load("captions", options), [str(tmp_path / "t.jsonl")], tmp_path / "out"
    )
    caption_builds.build(plan, Runner(), say=quiet)

    exported = export_originals(tmp_path / "out", tmp_path / "originals", Runner())

    found = samples(tmp_path / "originals")
    assert {s.document.texts[0].rpartition(" ")[2]: s.images[0] for s in found.values()} == data
    assert {s.document.images[0].content.width for s in found.values()} == {300}
    assert all(s.extra == {"text": s.document.texts[0]} for s in found.values())
    assert verify([exported.manifest]).faults == []
    for name in ("train-000000.parquet", "train-000000_stats.json"):
        assert (tmp_path / "out/data" / name).is_file()
    table = pq.read_table(tmp_path / "originals/data/train-000000.parquet").to_pylist()
    gone = [row for row in table if row["status"] != "success"]
    assert [(row["url"], row["error_message"]) for row in gone] == [
        ("http://gone.test/e.png", "not_found")
    ]
    table = [row for row in table if row not in gone]
    assert [row["key"] for row in table] == list(found)
    assert {row["width"] for row in table} == {300}
    sizes = {row["sha256"] for row in table}
    assert sizes == {hashlib.sha256(content).hexdigest() for content in data.values()}
    counted = json.loads((tmp_path / "originals/data/train-000000_stats.json").read_text())
    assert (counted["count"], counted["successes"]) == (len(data) + 1, len(data))

    Memory.open(plan.fetched).bury([hashlib.sha256(data["c.webp"]).hexdigest(), "gone.test"])
    with pytest.raises(OutputError, match="choose another --output"):
        export_originals(tmp_path / "out", tmp_path / "originals", Runner())
    less = export_originals(tmp_path / "out", tmp_path / "less", Runner())
    assert less.manifest.counts["stages"][-1]["dropped"] == {"tombstone": 1}
    table = pq.read_table(tmp_path / "less/data/train-000000.parquet").to_pylist()
    assert [row["key"] for row in table] == list(samples(tmp_path / "less"))
    assert {row["caption"][-5:] for row in table} == {"a.png", "b.jpg", "d.gif"}


def test_what_is_no_build_is_refused_in_a_line(tmp_path):
    with pytest.raises(InputError, match="no manifest"):
        export_originals(tmp_path, tmp_path / "originals", Runner())


@pytest.mark.beam
def test_an_output_of_something_else_stays(archive, data, tmp_path):
    out = built(archive, data, tmp_path, "images.originals=true")
    other = tmp_path / "originals"
    other.mkdir()
    (other / "mine.txt").write_text("mine")

    with pytest.raises(
        OutputError, match=r"holds files of something else; choose another --output$"
    ):
        export_originals(out, other, Runner())
    assert [path.name for path in other.iterdir()] == ["mine.txt"]


def test_the_command_asks_what_is_to_be_exported(tmp_path):
    with pytest.raises(click.UsageError, match="name one of --format and --originals"):
        cli.main(
            ["shards", "export", str(tmp_path), "--output", str(tmp_path / "out")],
            standalone_mode=False,
        )
