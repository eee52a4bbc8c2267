import hashlib
import io
import json
import tarfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from openm3w.errors import InputError, OutputError
from openm3w.pipeline import claims
from openm3w.pipeline.captions import build as builds
from openm3w.pipeline.captions import rows
from openm3w.pipeline.captions.recipe import load
from openm3w.pipeline.captions.resize import Resizing
from openm3w.pipeline.captions.settings import Images, Resize
from openm3w.pipeline.fetch.store.memory import Memory
from openm3w.pipeline.images.decode import Encoding, phash_of
from openm3w.pipeline.images.ledger import original_place
from openm3w.pipeline.images.packs import PackReader
from openm3w.pipeline.reopening import reopen
from openm3w.pipeline.runners import Runner
from openm3w.shards import manifest
from openm3w.shards.reader import read_samples
from openm3w.shards.verify import verify


def build(tables, output, *, runner="local", overrides=(), images=(), **columns):
    plan = builds.make_plan(
        load(overrides=tuple(overrides)),
        [str(t) for t in tables],
        output,
        image_places=images,
        **columns,
    )
    said = []
    built = builds.build(plan, Runner(name=runner, workers=2), say=said.append)
    return built, said


def jsonl(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        "".join(row if isinstance(row, str) else json.dumps(row) + "\n" for row in rows)
    )
    return path


def hashes(output):
    return {
        path.relative_to(output).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted((output / "data").iterdir())
    }


def reasons(built, job, unit):
    stages = built.manifest.counts["stages"]
    (stage,) = (s for s in stages if (s["job"], s["unit"]) == (job, unit))
    return stage["entered"], stage["kept"], {**stage["dropped"], **stage["failed"]}


@pytest.fixture
def material(image_bytes):
    """Six pictures of all kinds beside a table, each row with another fate."""

    def make(folder):
        files = {
            "good.jpg": image_bytes(300, 200, "JPEG", seed=1),
            "d/good.png": image_bytes(100, 90, "PNG", seed=2),
            "small.jpg": image_bytes(63, 100, "JPEG"),
            "long.jpg": image_bytes(100, 301, "JPEG"),
            "cut.jpg": image_bytes(300, 200, "JPEG", seed=4)[:2000],
            "page.jpg": b"<html>not found</html>",
        }
        rows = [
            {"file": "good.jpg", "captions": ["a first caption", "tiny", "a second caption"]},
            {"file": "./d/good.png", "captions": ["another picture"]},
            {"file": "good.jpg", "captions": ["the same picture again"]},
            {"file": "gone.jpg", "captions": ["no such picture"]},
            {"file": "../../../etc/passwd", "captions": ["out of the folder"]},
            {"file": "small.jpg", "captions": ["a small picture"]},
            {"file": "long.jpg", "captions": ["a long picture"]},
            {"file": "cut.jpg", "captions": ["a picture that is cut"]},
            {"file": "page.jpg", "captions": ["no picture"]},
            {"file": "good.jpg", "captions": []},
            {"file": "", "captions": ["no file"]},
            {"file": 7, "captions": ["a number for a file"]},
            {"file": "good.jpg", "captions": 7},
            '{"file": "good.jpg", \n',
            "[1, 2]\n",
        ]
        for name, data in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
        return jsonl(folder / "pairs.jsonl", rows)

    return make


@pytest.mark.beam
def test_every_row_pair_and_image_has_one_outcome(tmp_path, material):
    table = material(tmp_path / "in")

    built, _ = build([table], tmp_path / "out", url_column="file", text_column="captions")

    assert reasons(built, "rows", "rows") == (
        15,
        9,
        {
            "no_caption": 1,
            "no_image": 1,
            "image_is_no_text": 1,
            "caption_is_no_text": 1,
            "malformed_json": 1,
            "not_an_object": 1,
        },
    )
    assert reasons(built, "rows", "pairs") == (11, 10, {"short_caption": 1})
    assert reasons(built, "images", "images") == (
        8,
        2,
        {
            "not_found": 2,
            "too_small": 1,
            "extreme_aspect": 1,
            "undecodable": 1,
            "unknown_format": 1,
        },
    )
    assert reasons(built, "select", "pairs")[:2] == (10, 4)
    samples = list(read_samples(built.manifest, verify="full"))
    assert sorted(sample.document.texts[0] for sample in samples) == [
        "a first caption",
        "a second caption",
        "another picture",
        "the same picture again",
    ]
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert "pairs.jsonl: row 14: malformed_json" in " ".join(report["notes"])
    assert (tmp_path / "out" / "_SUCCESS").exists()
    assert (tmp_path / "out" / "README.md").exists()


@pytest.mark.beam
def test_shards_are_the_same_in_another_folder_and_on_both_runners(tmp_path, material):
    first = material(tmp_path / "one" / "in")
    second = material(tmp_path / "two" / "elsewhere")
    columns = {"url_column": "file", "text_column": "captions"}

    build([first], tmp_path / "a", **columns)
    build([second], tmp_path / "b", runner="local-mp", **columns)

    assert hashes(tmp_path / "a") == hashes(tmp_path / "b")
    assert str(tmp_path).encode() not in (tmp_path / "a" / "manifest.json").read_bytes()


@pytest.mark.beam
def test_the_same_again_does_nothing_and_another_recipe_is_refused(tmp_path, material):
    table, output = material(tmp_path / "in"), tmp_path / "out"
    columns = {"url_column": "file", "text_column": "captions"}
    build([table], output, **columns)
    before = {path: path.stat().st_mtime_ns for path in output.rglob("*")}

    again, said = build([table], output, **columns)

    assert again.already_done
    assert not said
    assert {path: path.stat().st_mtime_ns for path in output.rglob("*")} == before
    with pytest.raises(OutputError, match="another recipe or input"):
        build([table], output, overrides=["resize.side=128"], **columns)


@pytest.mark.beam
def test_a_lost_shard_is_written_again_without_resizing(tmp_path, material):
    table, output = material(tmp_path / "in"), tmp_path / "out"
    columns = {"url_column": "file", "text_column": "captions"}
    built, _ = build([table], output, **columns)
    before = hashes(output)
    packs = {p: p.stat().st_mtime_ns for p in (tmp_path / "out.work" / "images").rglob("*.tar")}
    (output / built.manifest.shards[0].url).unlink()

    build([table], output, **columns)

    assert hashes(output) == before
    assert {p: p.stat().st_mtime_ns for p in packs} == packs


@pytest.mark.beam
def test_after_a_lost_pack_all_stages_agree_on_what_there_is_now(tmp_path, image_bytes):
    pictures = {f"{name}.png": image_bytes(120, 100, seed=at) for at, name in enumerate("abc")}
    folder = tmp_path / "in" / "site.example"
    folder.mkdir(parents=True)
    for name, data in pictures.items():
        (folder / name).write_bytes(data)
    urls = [f"http://site.example/{name}" for name in pictures]
    rows = [{"url": url, "caption": f"A picture of {url[-5]}"} for url in urls]
    table, store = jsonl(tmp_path / "in" / "t.jsonl", rows), tmp_path / "out.work"
    assert build([table], tmp_path / "out")[0].manifest.nsamples == 3
    Memory.open(str(store / "fetched")).bury([urls[0]])
    (pack,) = (store / "images").rglob("*.tar")
    pack.unlink()

    again, _ = build([table], tmp_path / "other", store=store)

    assert reasons(again, "images", "images") == (3, 2, {"tombstone": 1})
    assert reasons(again, "select", "pairs") == (3, 2, {"tombstone": 1})
    samples = list(read_samples(again.manifest, verify="full"))
    assert {sample.document.url or sample.document.images[0].url for sample in samples} == {
        *urls[1:]
    }
    assert not verify([again.manifest]).faults


@pytest.mark.beam
def test_images_come_from_tars_and_archives_by_name_and_url(tmp_path, image_bytes, archive):
    big = image_bytes(300, 200, "PNG", seed=1)
    few = image_bytes(70, 70, "JPEG", seed=2, quality=5)
    archive.image("http://x.org/a.png?b=1", big).image("http://x.org/few.jpg", few)
    archive.redirect("http://x.org/old", "http://x.org/a.png?b=1")
    archive.page("http://x.org/page", "<html>not an image</html>")
    archive.write(tmp_path / "crawl.warc.gz")
    with tarfile.open(tmp_path / "photos.tar", "w") as tar:
        for name in ("train/t.jpg", "one/same.jpg", "two/same.jpg"):
            data = image_bytes(120, 100, "JPEG", seed=3)
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    torn = io.BytesIO()
    with tarfile.open(fileobj=torn, mode="w") as tar:
        for name in ("left.jpg", "lost.jpg"):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    torn.seek(tarfile.BLOCKSIZE * (1 + -(-len(data) // tarfile.BLOCKSIZE)))
    torn.write(b"x" * tarfile.BLOCKSIZE)
    (tmp_path / "torn.tar").write_bytes(torn.getvalue())
    rows = [
        {"URL": "HTTP://X.org:80/a.png?b=1#top", "TEXT": "the picture"},
        {"URL": "http://x.org/old", "TEXT": "the redirect"},
        {"URL": "http://x.org/page", "TEXT": "a page"},
        {"URL": "http://x.org/few.jpg", "TEXT": "few bytes"},
        {"URL": "http://x.org/gone", "TEXT": "gone for good"},
        {"URL": "t.jpg", "TEXT": "by its last part"},
        {"URL": "one/same.jpg", "TEXT": "by its name"},
        {"URL": "same.jpg", "TEXT": "one of two"},
        {"URL": "left.jpg", "TEXT": "before the damage"},
        {"URL": "lost.jpg", "TEXT": "behind the damage"},
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "t.parquet")

    places = [str(tmp_path / name) for name in ("crawl.warc.gz", "photos.tar", "torn.tar")]
    built, said = build([tmp_path / "t.parquet"], tmp_path / "out", images=places)

    assert reasons(built, "images", "images") == (
        10,
        5,
        {"not_an_image": 1, "too_few_bytes": 1, "not_found": 2, "ambiguous_name": 1},
    )
    # Of the archive all records are looked at, of the tars all members.
    assert reasons(built, "index", "copies") == (9, 8, {"damaged_tar": 1})
    (note,) = (line for line in said if line.startswith("torn.tar: "))
    assert "no header at byte" in note
    assert note in json.loads((tmp_path / "out" / "report.json").read_text())["notes"]
    samples = list(read_samples(built.manifest))
    kept = {sample.document.texts[0]: sample for sample in samples}
    names = ["before the damage", "by its last part", "by its name", "the picture", "the redirect"]
    assert sorted(kept) == names
    assert kept["the picture"].document.images[0].url == "HTTP://X.org:80/a.png?b=1#top"
    assert kept["by its name"].document.provenance.source == "t.parquet"
    assert kept["by its name"].document.provenance.offset == 6
    # The two pictures of one domain are in one split.
    in_split = {
        sample.key: shard
        for shard in ("train", "val")
        for sample in read_samples(built.manifest, split=shard)
    }
    assert in_split[kept["the picture"].key] == in_split[kept["the redirect"].key]


@pytest.mark.beam
def test_equal_names_beside_two_tables_are_two_images(tmp_path, image_bytes):
    tables = []
    for seed, name in enumerate("ab"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.png").write_bytes(image_bytes(64, 64, seed=seed))
        tables.append(
            jsonl(tmp_path / name / f"{name}.jsonl", [{"image": "1.png", "text": f"table {name}"}])
        )

    built, _ = build(tables, tmp_path / "out")

    stored = {s.document.texts[0]: s.images[0] for s in read_samples(built.manifest)}
    assert len(set(stored.values())) == 2


@pytest.mark.beam
def test_a_build_without_a_single_image_says_why_and_leaves_no_folder(tmp_path):
    table = jsonl(tmp_path / "t.jsonl", [{"url": "http://x.org/a.jpg", "text": "a caption"}])

    with pytest.raises(InputError, match=r"not_found 1; no image was found beside the table"):
        build([table], tmp_path / "out")

    assert not (tmp_path / "out").exists()


@pytest.mark.beam
@pytest.mark.parametrize(("private", "is_told"), [(2, True), (1, False)])
def test_what_more_than_half_were_dropped_for_is_told_with_what_to_do(tmp_path, private, is_told):
    urls = ["a.jpg", *(f"http://10.0.0.{n}/a.jpg" for n in range(private))]
    table = jsonl(tmp_path / "t.jsonl", [{"url": url, "text": "a caption"} for url in urls])
    asking = ("images.source=http", "fetch.manners.contact=me@site.example")

    with pytest.raises(InputError, match="no pair was kept of") as caught:
        build([table], tmp_path / "out", overrides=asking)

    assert ("private networks are not asked" in str(caught.value)) is is_told
    assert "no image was found beside" not in str(caught.value)


@pytest.mark.beam
@pytest.mark.parametrize(
    ("asks", "dropped"),
    [(True, {"bad_scheme": 1, "bad_url": 2, "private_address": 1}), (False, {"not_found": 4})],
)
def test_what_can_neither_be_found_nor_asked_for_is_told_from_what_is_not_there(
    tmp_path, image_bytes, asks, dropped
):
    (tmp_path / "a b.jpg").write_bytes(image_bytes(64, 64, "JPEG"))
    cells = ["a b.jpg", "ftp://127.0.0.3/x.jpg", "not a url", "b.jpg", "HTTP://127.0.0.3/x.jpg"]
    table = jsonl(tmp_path / "t.jsonl", [{"url": cell, "text": "a caption"} for cell in cells])
    asking = ("images.source=http", "fetch.manners.contact=me@site.example") if asks else ()

    built, _ = build([table], tmp_path / "out", overrides=asking)

    assert reasons(built, "images", "images") == (5, 1, dropped)


@pytest.mark.beam
def test_a_build_of_names_that_no_file_has_says_that_the_web_has_none_either(tmp_path):
    table = jsonl(tmp_path / "t.jsonl", [{"url": "a.jpg", "text": "a caption"}])
    asking = ("images.source=http", "fetch.manners.contact=me@site.example")

    with pytest.raises(
        InputError, match=r"bad_url 1; these are no http\(s\) URLs.*: name a folder"
    ):
        build([table], tmp_path / "out", overrides=asking)


@pytest.fixture
def pairs_of(tmp_path, image_bytes):
    """`pairs_of([(file, caption)])`: a table beside three pictures, two of them the same pixels."""
    picture = image_bytes(300, 220, "PNG", seed=1)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.png").write_bytes(picture)
    (tmp_path / "in" / "b.bmp").write_bytes(image_bytes(300, 220, "BMP", seed=1))
    (tmp_path / "in" / "c.png").write_bytes(image_bytes(300, 220, "PNG", seed=5))

    def make(pairs, **columns):
        rows = [{"url": file, "text": caption, **columns} for file, caption in pairs]
        return jsonl(tmp_path / "in" / "t.jsonl", rows)

    return make


@pytest.mark.beam
def test_frequent_captions_and_equal_pairs_are_dropped_once_each(tmp_path, pairs_of):
    often = [("a.png", "one of too many"), ("c.png", "one of too many")]
    rare = [("c.png", "one of just enough"), ("a.png", "one of just enough")]
    equal = [("a.png", "the same picture"), ("b.bmp", "the same picture")]
    table = pairs_of([*often, often[0], *rare, *equal, ("c.png", "the same picture")])
    bounds = 'profile_set=["captions.max_occurrences=2", "captions.drop_duplicates=true"]'

    built, _ = build([table], tmp_path / "out", overrides=["captions.take=all", bounds])
    both, _ = build([table], tmp_path / "mp", runner="local-mp", overrides=[bounds])

    # "the same picture" stands three times too, and a caption goes before a pair.
    assert reasons(built, "select", "pairs") == (8, 2, {"repeated_caption": 6})
    assert hashes(tmp_path / "out") == hashes(tmp_path / "mp")
    assert both.manifest.nsamples == 2


@pytest.mark.beam
def test_of_pairs_with_the_same_picture_and_caption_one_stays(tmp_path, pairs_of):
    table = pairs_of(
        [
            *(("a.png", "the same"), ("b.bmp", "the same"), ("a.png", "the same")),
            *(("a.png", "another"), ("c.png", "the same"), ("gone.png", "the same")),
            ("away.png", "the same"),
        ]
    )
    bounds = 'profile_set=["captions.drop_duplicates=true"]'

    built, _ = build([table], tmp_path / "out", overrides=[bounds])

    assert reasons(built, "select", "pairs") == (7, 3, {"duplicate_pair": 2, "not_found": 2})


@pytest.mark.beam
def test_coyo_judges_what_a_table_has_and_tells_what_it_lacks(tmp_path, pairs_of):
    table = pairs_of([("a.png", "three short words"), ("c.png", "two words")],
                     nsfw_score_gantman=0.5, clip_similarity_vitl14=0.25)  # fmt: skip

    built, said = build([table], tmp_path / "out", overrides=["profile=coyo"])

    told = [line for line in said if "nsfw" in line]
    expected = (
        "t.jsonl: no column nsfw_score_opennsfw2, so the bound 0.5 of the profile coyo on "
        "nsfw_opennsfw2 drops nothing there"
    )
    assert told == [expected]
    unnamed = (
        "images.evaluation_images: none, so evaluation_distance of the profile coyo drops nothing"
    )
    assert unnamed in said
    assert told[0] in json.loads((tmp_path / "out" / "report.json").read_text())["notes"]
    assert reasons(built, "rows", "pairs") == (2, 1, {"few_caption_words": 1})
    (sample,) = read_samples(built.manifest)
    assert sample.document.images[0].scores["similarity_l14"] == 0.25
    assert sample.document.images[0].scores["nsfw_gantman"] == 0.5


@pytest.mark.beam
def test_blocked_pictures_are_in_no_file_and_evaluation_pictures_in_no_shard(
    tmp_path, pairs_of, image_bytes
):
    blocked, seen = tmp_path / "blocked.txt", tmp_path / "seen.txt"
    folder = tmp_path / "in"
    (folder / "d.png").write_bytes(image_bytes(300, 220, "PNG", seed=9))
    fetched, pixels = (folder / "a.png").read_bytes(), (folder / "c.png").read_bytes()
    blocked.write_text(
        f"{hashlib.sha256(fetched).hexdigest()}\n"
        f"{hashlib.md5((folder / 'b.bmp').read_bytes(), usedforsecurity=False).hexdigest()}\n"
    )
    seen.write_text(phash_of(pixels, Encoding()))
    table = pairs_of([(f, f"the picture {f}") for f in ("a.png", "b.bmp", "c.png", "d.png")])
    listed = f"images.blocklists={json.dumps([str(blocked)])}"
    held = f"images.evaluation_images={json.dumps([str(seen)])}"
    near = 'profile_set=["images.evaluation_distance=0"]'

    built, said = build([table], tmp_path / "out", overrides=[listed, held, near])

    assert "blocklists: 1 SHA-256, 1 MD5 and 0 PDQ hashes" in said
    assert "evaluation images: 1 perceptual hashes" in said
    expected = {"blocked_sha256": 1, "blocked_md5": 1, "in_evaluation_set": 1}
    assert reasons(built, "select", "pairs") == (4, 1, expected)
    (sample,) = read_samples(built.manifest)
    assert sample.document.texts == ("the picture d.png",)
    assert sample.document.images[0].scores["eval_distance"] > 0
    stored = Resizing(images=Images(), resize=Resize())
    files = [path for path in tmp_path.rglob("*") if path.is_file() and path.parent != folder]
    written = [path.read_bytes() for path in files]
    tail = {name: stored((folder / name).read_bytes()).data[-400:] for name in ("a.png", "d.png")}
    assert any(tail["d.png"] in data for data in written)
    assert not any(tail["a.png"] in data for data in written)


def test_lists_decide_only_where_they_are_asked(tmp_path, pairs_of):
    first, second = tmp_path / "1.txt", tmp_path / "2.txt"
    first.write_text("0" * 16)
    second.write_text("1" * 32)
    table = str(pairs_of([("a.png", "a picture")]))

    def made_from(*overrides):
        plan = builds.make_plan(load(overrides=overrides), [table], tmp_path / "out")
        return plan.fingerprint("images"), plan.fingerprint("select")

    plain = made_from()
    held = made_from(f"images.evaluation_images={json.dumps([str(first)])}")
    listed = made_from(f"images.blocklists={json.dumps([str(second)])}")
    assert held[0] == plain[0]
    assert listed[0] != plain[0]
    assert len({plain[1], held[1], listed[1]}) == 3
    with pytest.raises(InputError, match=r"images\.blocklists: .*1\.txt:1: .* is no hash"):
        made_from(f"images.blocklists={json.dumps([str(first)])}")


@pytest.mark.beam
def test_another_profile_is_another_build(tmp_path, pairs_of):
    table = pairs_of([("a.png", "three short words")])
    build([table], tmp_path / "out")

    with pytest.raises(OutputError, match="another recipe or input"):
        build([table], tmp_path / "out", overrides=["profile=datacomp"])


def test_a_caption_build_is_not_chosen_again(tmp_path, pairs_of):
    table, output = pairs_of([("a.png", "three short words")]), tmp_path / "out"
    plan = builds.make_plan(load(), [str(table)], output)
    claims.claim(output, plan.store, plan.identity)

    with pytest.raises(InputError, match="not a build of web archives"):
        reopen(output)


@pytest.mark.beam
def test_a_build_without_a_single_pair_names_the_first_row_that_failed(tmp_path):
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"url": [b"\xff.jpg"] * 2, "text": [b"three short words"] * 2}), path)

    message = r"no pair was kept of 2 rows: not_utf8 2; t\.parquet: row 1: not_utf8: 'utf-8' codec"
    with pytest.raises(InputError, match=message):
        build([path], tmp_path / "out", images=[str(tmp_path)])


@pytest.mark.beam
@pytest.mark.real
def test_photographs_with_five_captions_each(tmp_path, realdata):
    folder = realdata / "flickr8k"

    built, _ = build(
        [folder / "dev.jsonl"],
        tmp_path / "out",
        images=[str(folder / "dev.tar")],
        overrides=["captions.take=first"],
    )

    (found,) = manifest.load(tmp_path / "out")
    assert found.nsamples == built.manifest.nsamples == 500


@pytest.mark.beam
@pytest.mark.real
def test_rows_whose_images_cannot_be_had_are_counted(tmp_path, realdata):
    with pytest.raises(InputError, match="no pair was kept of 10000 rows: not_found"):
        build([realdata / "laion" / "test_10000.parquet"], tmp_path / "out", images=[str(tmp_path)])


@pytest.mark.real
@pytest.mark.parametrize("name", ["captions", "laion", "coyo", "datacomp"])
def test_profiles_on_real_rows(tmp_path, realdata, name):
    # No image of these rows can be had, but every one of them has a decision before that.
    table = realdata / "laion" / "test_10000.parquet"
    plan = builds.make_plan(
        load(overrides=(f"profile={name}",)), [str(table)], tmp_path / "out",
        image_places=[str(tmp_path)],
    )  # fmt: skip
    rows.commit_table(plan, plan.tables[0])
    _, pairs = plan.folder("rows").sidecar(plan.units[0])["counts"]["stages"]
    assert pairs["entered"] == pairs["kept"] + sum(pairs["dropped"].values())
    assert pairs["entered"] > 9_900
    english = name != "captions"
    assert (0.85 if english else 0.9) < pairs["kept"] / pairs["entered"] <= 1
    assert (pairs["dropped"].get("wrong_language", 0) > 500) == english


def test_originals_are_kept_byte_for_byte_where_the_recipe_says_so(image_bytes, tmp_path):
    data = image_bytes(300, 200, "PNG")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.png").write_bytes(data)
    table = jsonl(tmp_path / "in" / "t.jsonl", [{"file": "a.png", "caption": "one caption of it"}])
    columns = {"url_column": "file", "text_column": "caption"}

    for overrides, kept in (((), False), (("images.originals=true",), True)):
        output = tmp_path / f"out{kept}"
        build([table], output, overrides=overrides, **columns)
        (ledger,) = (tmp_path / f"out{kept}.work" / "images").glob("*/*-00000.parquet")
        (row,) = pq.read_table(ledger).to_pylist()
        place = original_place(row)
        assert (place is not None) is kept
        if place is not None:
            with PackReader(ledger.parent) as packs:
                assert packs.read(place) == data
