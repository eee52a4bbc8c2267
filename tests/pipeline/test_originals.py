import io

import pytest
from PIL import Image

from openm3w.cli import cli
from openm3w.errors import InputError, NotBuiltError, OutputError
from openm3w.pipeline import build as builds
from openm3w.pipeline import recipe as recipes
from openm3w.pipeline.captions import build as caption_builds
from openm3w.pipeline.captions import recipe as caption_recipes
from openm3w.pipeline.originals import export_originals
from openm3w.pipeline.runners import Runner
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
    plan = builds.make_plan(recipe, [str(source)], folder / "out", None, quiet)
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
def test_a_build_that_kept_no_originals_says_how_to_keep_them(archive, data, tmp_path):
    out = built(archive, data, tmp_path)

    with pytest.raises(InputError, match=r"images\.originals=true"):
        export_originals(out, tmp_path / "originals", Runner())
    assert not (tmp_path / "originals").exists()


@pytest.mark.beam
def test_caption_shards_have_originals_too(data, tmp_path):
    lines = [f'{{"url": "{name}", "text": "a picture called {name}"}}' for name in data]
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


def test_what_is_no_build_is_refused_in_a_line(tmp_path):
    with pytest.raises(InputError, match="no manifest"):
        export_originals(tmp_path, tmp_path / "originals", Runner())


@pytest.mark.beam
def test_an_output_of_something_else_stays(archive, data, tmp_path):
    out = built(archive, data, tmp_path, "images.originals=true")
    other = tmp_path / "originals"
    other.mkdir()
    (other / "mine.txt").write_text("mine")

    with pytest.raises(OutputError, match="holds files of something else"):
        export_originals(out, other, Runner())
    assert [path.name for path in other.iterdir()] == ["mine.txt"]


def test_the_command_says_what_it_cannot_export_yet(tmp_path):
    with pytest.raises(NotBuiltError, match="without --originals is planned"):
        cli.main(
            ["shards", "export", str(tmp_path), "--output", str(tmp_path / "out")],
            standalone_mode=False,
        )
