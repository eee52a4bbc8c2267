import io
import json

import pytest
from PIL import Image

from openm3w.pipeline import build as builds
from openm3w.pipeline import planning
from openm3w.pipeline import recipe as recipes
from openm3w.pipeline.completed import completed_documents
from openm3w.pipeline.images.decode import Encoding, encode
from openm3w.pipeline.images.ledger import original_place
from openm3w.pipeline.images.measures import pdq_hash
from openm3w.pipeline.images.packs import PackReader
from openm3w.pipeline.runners import Runner
from openm3w.pipeline.sidecars import stages
from openm3w.shards import manifest as manifests
from openm3w.shards.funnel import check_chain
from openm3w.shards.reader import read_samples

SITE = "http://site.example"
GPS = b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0SECRET PLACE"
WORDS = "The harbour was quiet in the morning and the boats lay along the old stone wall of it. "


OTHER = (
    "In the mountains of the north there is a valley where nobody has lived for many years now. "
)
THIRD = "She read the letter twice and put it back into the drawer before the guests came to her. "


def page(*names, words=WORDS):
    figures = "".join(f"<p>{words * 2}</p><img src=/{name}>" for name in names)
    return f"<html><body><article><h1>Boats</h1>{figures}<p>{words * 2}</p></article></body></html>"


def run(source, output, *overrides, store=None, **options):
    recipe = recipes.load("kosmos1", ("shards.val_share=0.0", *overrides))
    said = []
    plan = planning.make_plan(recipe, [str(source)], output, store, said.append)
    builds.build(plan, Runner(), say=said.append, **options)
    return plan, said


def places(plan):
    (unit,) = plan.units
    return {
        row["url_key"].rpartition("/")[2]: row for row in plan.folder("images", "places").rows(unit)
    }


@pytest.fixture
def photographs():
    data = pytest.importorskip("skimage.data")
    return {name: Image.fromarray(getattr(data, name)()) for name in ("astronaut", "coffee")}


def as_bytes(picture, format="PNG", **options):  # noqa: A002
    buffer = io.BytesIO()
    picture.save(buffer, format=format, **options)
    return buffer.getvalue()


@pytest.mark.beam
def test_what_a_blocklist_names_is_in_no_file(archive, image_bytes, photographs, tmp_path):
    pytest.importorskip("pdqhash")
    data = {
        "fetched.png": image_bytes(120, 100, seed=1),
        "stored.png": image_bytes(120, 100, seed=2),
        "md5.png": image_bytes(120, 100, seed=3),
        # A copy of the listed picture, which was smaller and of another format.
        "copy.jpg": as_bytes(photographs["astronaut"], "JPEG", quality=70),
        "coffee.png": as_bytes(photographs["coffee"]),
        "other.png": image_bytes(120, 100, seed=4),
    }
    known = {name: encode(content, Encoding(), with_pdq=True) for name, content in data.items()}
    listed = photographs["astronaut"].resize((300, 300))
    lines = (
        known["fetched.png"].original.sha256,
        known["stored.png"].sha256,
        known["md5.png"].original.md5,
        f"pdq:{pdq_hash(listed)[0]}",
    )
    blocklist = tmp_path / "known.txt"
    blocklist.write_text("\n".join(lines), encoding="utf-8")
    archive.page(f"{SITE}/1", page(*data))
    for name, content in data.items():
        archive.image(f"{SITE}/{name}", content)
    source = archive.write(tmp_path / "a.warc.gz")
    option = f"images.blocklists={json.dumps([str(blocklist)])}"

    plan, said = run(source, tmp_path / "out", option)

    outcomes = {name: (row["outcome"], row["reason"]) for name, row in places(plan).items()}
    assert outcomes == {
        "fetched.png": ("dropped", "blocked_sha256"),
        "stored.png": ("dropped", "blocked_sha256"),
        "md5.png": ("dropped", "blocked_md5"),
        "copy.jpg": ("dropped", "blocked_pdq"),
        "coffee.png": ("kept", ""),
        "other.png": ("kept", ""),
    }
    assert "blocklists: 2 SHA-256, 1 MD5 and 1 PDQ hashes" in said
    check_chain(stages(plan))

    files = [p for root in (plan.store, plan.output) for p in root.rglob("*") if p.is_file()]
    contents = {path: path.read_bytes() for path in files}

    def holds(needle):
        return [path for path, content in contents.items() if needle in content]

    for name, encoded in known.items():
        found = holds(encoded.data[-400:])
        assert bool(found) == (outcomes[name][0] == "kept"), (name, found)
        assert not holds(data[name][-400:])
    # Nor does any hash lead from the ledger to what was blocked.
    row = places(plan)["fetched.png"]
    assert {row[name] for name in ("sha256", "original_sha256", "original_md5", "phash", "pdq")} == {None}  # fmt: skip

    assert places(plan)["coffee.png"]["pdq"] == known["coffee.png"].pdq[0]

    # The same list elsewhere changes nothing; another one has the images done again.
    moved = tmp_path / "moved.txt"
    moved.write_bytes(blocklist.read_bytes())
    elsewhere = option.replace(blocklist.name, moved.name)
    recipe = recipes.load("kosmos1", ("shards.val_share=0.0", elsewhere))
    same = planning.make_plan(recipe, [str(source)], tmp_path / "out", None, said.append)
    assert same.fingerprints == plan.fingerprints
    blocklist.write_text(lines[0], encoding="utf-8")
    again, _ = run(source, tmp_path / "second", option, store=plan.store, last="images")
    assert again.fingerprints["dedup"] == plan.fingerprints["dedup"]
    assert places(again)["copy.jpg"]["outcome"] == "kept"


@pytest.mark.beam
def test_images_are_counted_by_content_and_held_against_evaluation_sets(
    archive, image_bytes, photographs, tmp_path
):
    shared, own = image_bytes(120, 100, seed=1), image_bytes(120, 100, seed=2)
    evaluation = tmp_path / "eval.txt"
    coffee = encode(as_bytes(photographs["coffee"].resize((300, 200)), "JPEG"), Encoding())
    evaluation.write_text(f"{coffee.measures.phash}  # coffee\n", encoding="utf-8")
    # One picture under two addresses, one of which two pages have; and twice on the last page.
    archive.page(f"{SITE}/1", page("shared.png", "own.png", "small.png"))
    others = ("shared.png", "again.png", "coffee.png", "gone.png")
    archive.page(f"{SITE}/2", page(*others, words=OTHER))
    # One of these is a near duplicate of the other: it has a number, and counts for nobody.
    archive.page(f"{SITE}/3", page("pair.png", words=THIRD))
    archive.page(f"{SITE}/4", page("pair.png", "gone.png", words=THIRD))
    for name, content in (
        ("pair.png", image_bytes(120, 100, seed=3)),
        ("small.png", image_bytes(63, 100, seed=4)),
        *(("shared.png", shared), ("again.png", shared), ("own.png", own)),
        ("coffee.png", as_bytes(photographs["coffee"])),
    ):
        archive.image(f"{SITE}/{name}", content)
    option = f"images.evaluation_images={json.dumps([str(evaluation)])}"

    plan, said = run(archive.write(tmp_path / "a.warc.gz"), tmp_path / "out", option)

    found = places(plan)
    pairs = {
        row["row"]: row["content_count"]
        for row in plan.folder("images", "places").rows(plan.units[0])
        if row["url_key"].endswith("/pair.png")
    }
    (near,) = plan.folder("dedup").rows(plan.units[0])
    assert near["reason"] == "near_duplicate"
    assert near["row"] in pairs
    assert list(pairs.values()) == [1, 1]
    del found["pair.png"]
    assert {name: row["content_count"] for name, row in found.items()} == {
        "shared.png": 3,
        "again.png": 3,
        "own.png": 1,
        "coffee.png": 1,
        "gone.png": None,
        "small.png": 1,
    }
    # What the floor drops has its numbers all the same, and no bytes.
    small = found["small.png"]
    assert (small["reason"], small["original_width"], small["pack"]) == ("too_small", 63, None)
    completed = [each for each in completed_documents(plan, plan.units[0]) if each.row == 0]
    image, fate = completed[0].document.images[2], completed[0].fates[2]
    assert (fate, 2 in completed[0].places, image.content.original_width) == (
        "too_small",
        False,
        63,
    )
    assert image.scores["original_bytes"] == small["original_bytes"]
    distances = {
        image.url.rpartition("/")[2]: image.scores.get("eval_distance")
        for each in completed_documents(plan, plan.units[0])
        for image in each.document.images
    }
    assert distances["coffee.png"] <= 5 < distances["own.png"]
    assert distances["gone.png"] is None
    # A longer list makes other numbers and other shards, of the same packs and scores.
    evaluation.write_text(f"{found['own.png']['phash']}\n", encoding="utf-8")
    recipe = recipes.load("kosmos1", ("shards.val_share=0.0", option))
    sources = [str(tmp_path / "a.warc.gz")]
    other = planning.make_plan(recipe, sources, tmp_path / "out", None, said.append)
    changed = {
        job for job, digits in plan.fingerprints.items() if digits != other.fingerprints[job]
    }
    assert changed == {"shards"}
    assert plan.measures.fingerprint != other.measures.fingerprint
    (own,) = {
        image.scores["eval_distance"]
        for each in completed_documents(other, other.units[0])
        for image in each.document.images
        if image.url.endswith("/own.png")
    }
    assert own == 0
    assert "evaluation images: 1 perceptual hashes" in said
    (manifest,) = manifests.load(plan.output)
    images = {
        image.url.rpartition("/")[2]: image
        for sample in read_samples(manifest, verify="full")
        for image in sample.document.images
    }
    image, row = images["shared.png"], found["shared.png"]
    assert (image.content.original_format, image.content.phash) == ("png", row["phash"])
    assert image.scores["original_bytes"] == len(shared)
    assert image.scores["content_count"] == 3
    for name in ("entropy", "sharpness", "grey_deviation"):
        assert image.scores[name] == row[name]
    assert image.scores["eval_distance"] == distances["shared.png"]


@pytest.mark.beam
def test_originals_are_kept_byte_for_byte_where_the_recipe_says_so(archive, image_bytes, tmp_path):
    data = {"a.png": image_bytes(120, 100), "b.jpg": image_bytes(900, 700, "JPEG", exif=GPS)}
    archive.page(f"{SITE}/", page(*data))
    for name, content in data.items():
        archive.image(f"{SITE}/{name}", content, content_type=f"image/{name[2:]}")
    source = archive.write(tmp_path / "a.warc.gz")

    plan, _ = run(source, tmp_path / "with", "images.originals=true")
    plain, _ = run(source, tmp_path / "without")

    found = places(plan)
    with PackReader(plan.folder("images", "packs").root) as packs:
        assert {name: packs.read(original_place(row)) for name, row in found.items()} == data
    assert [original_place(row) for row in places(plain).values()] == [None, None]
    shards = [sorted((p.output / "data").glob("*.tar")) for p in (plan, plain)]
    assert [t.read_bytes() for t in shards[0]] == [t.read_bytes() for t in shards[1]]


@pytest.mark.beam
def test_bytes_are_kept_without_the_place_that_the_camera_wrote(archive, image_bytes, tmp_path):
    names = ("a.jpg", "b.jpg")
    data = [image_bytes(300, 200, "JPEG", seed=at, exif=GPS) for at in range(2)]
    archive.page(f"{SITE}/", page(*names))
    for name, content in zip(names, data, strict=True):
        archive.image(f"{SITE}/{name}", content)

    plan, _ = run(
        archive.write(tmp_path / "a.warc.gz"), tmp_path / "out", "images.encoding.keep_bytes=true"
    )

    (manifest,) = manifests.load(plan.output)
    (sample,) = read_samples(manifest)
    assert all(b"SECRET PLACE" in content for content in data)
    assert list(sample.images) == [image_bytes(300, 200, "JPEG", seed=at) for at in range(2)]
