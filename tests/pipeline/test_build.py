"""The five jobs on small archives, through the library's own entry point."""

import base64
import functools
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from openm3w.errors import InputError, OutputError, RecipeError
from openm3w.pipeline import build as builds
from openm3w.pipeline import planning
from openm3w.pipeline import recipe as recipes
from openm3w.pipeline.fetch.store.memory import Memory
from openm3w.pipeline.guard import Guard
from openm3w.pipeline.images.packs import unit_of
from openm3w.pipeline.jobs import documents
from openm3w.pipeline.runners import Runner
from openm3w.pipeline.sidecars import stages
from openm3w.shards import manifest as manifests
from openm3w.shards.funnel import check_chain
from openm3w.shards.reader import read_samples
from openm3w.shards.verify import verify

pytestmark = pytest.mark.beam

WORDS = (
    "The harbour was quiet in the morning and the boats lay side by side along the old stone wall. "
    "A woman sold bread and oranges from a blue cart while the gulls waited for what she dropped. "
)
SITE = "http://site.example"


def article(number: int, *images: str, words: str = WORDS) -> str:
    figures = "".join(
        f'<p>{words} Part {at} of story {number}.</p><img src="{url}" alt="Boats {number}">'
        for at, url in enumerate(images)
    )
    return (
        "<!doctype html><html><head><title>Harbour</title></head><body><nav><a href=/>Home</a></nav>"
        f"<article><h1>Harbour story {number}</h1>{figures}<p>{words} The end of {number}.</p>"
        "</article></body></html>"
    )


def build(source, output, *overrides, recipe="kosmos1", runner="local", say=None, **options):
    resolved = recipes.load(recipe, ("shards.val_share=0.0", *overrides))
    say = say or (lambda _: None)
    plan = planning.make_plan(resolved, [str(source)], output, None, say)
    return builds.build(plan, Runner(name=runner, workers=2), say=say, **options), plan


def tree(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith("report.")  # which holds seconds
    }


@pytest.fixture
def site(archive, image_bytes, tmp_path):
    """Twelve articles with two pictures each, and one of everything that can go wrong."""
    for number in range(12):
        pictures = [f"{SITE}/p{number}a.png", f"/p{number}b.png"]
        archive.page(f"{SITE}/{number}", article(number, *pictures))
        archive.image(pictures[0], image_bytes(200, 150, seed=2 * number))
        archive.image(f"{SITE}/p{number}b.png", image_bytes(90, 120, seed=2 * number + 1))
    return archive.write(tmp_path / "site.warc.gz")


def test_a_build_writes_what_the_manifest_says(site, tmp_path):
    built, plan = build(site, tmp_path / "out")

    (found,) = manifests.load(tmp_path / "out")
    samples = list(read_samples(found, verify="full"))
    assert found == built.manifest
    assert len(samples) == found.nsamples == 12
    assert sum(len(sample.images) for sample in samples) == found.images == 24
    assert {sample.document.url for sample in samples} == {f"{SITE}/{n}" for n in range(12)}
    assert all(hashlib.sha256(data).hexdigest() == image.content.sha256
               for sample in samples
               for image, data in zip(sample.document.images, sample.images, strict=True))  # fmt: skip
    assert (tmp_path / "out" / "_SUCCESS").is_file()
    assert found.counts["languages"] == {"en": 12}
    check_chain(stages(plan))


def test_both_runners_and_another_folder_give_the_same_bytes(site, tmp_path):
    elsewhere = tmp_path / "deep" / "er"
    elsewhere.mkdir(parents=True)
    copy = elsewhere / "site.warc.gz"
    copy.write_bytes(site.read_bytes())

    build(site, tmp_path / "out", "shards.samples_per_shard=5")
    build(copy, elsewhere / "other", "shards.samples_per_shard=5", runner="local-mp")

    assert tree(tmp_path / "out") == tree(elsewhere / "other")
    assert len(list((tmp_path / "out" / "data").glob("*.tar"))) == 3


def test_the_same_command_again_does_nothing(site, tmp_path):
    build(site, tmp_path / "out")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")}

    built, _ = build(site, tmp_path / "out")

    assert built.already_done
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")} == before


@pytest.mark.parametrize("lost", ["data/train-000000.tar", "_SUCCESS", "manifest.json"])
def test_what_was_lost_is_made_again_to_the_same_bytes(site, tmp_path, lost):
    build(site, tmp_path / "out")
    before = tree(tmp_path / "out")
    (tmp_path / "out" / lost).unlink()

    if lost == "manifest.json":
        (tmp_path / "out" / "_SUCCESS").unlink()
    build(site, tmp_path / "out")

    assert tree(tmp_path / "out") == before


def test_a_changed_threshold_of_the_last_job_runs_the_last_job_only(site, tmp_path):
    _, plan = build(site, tmp_path / "out", "shards.samples_per_shard=100")
    kept = {
        p: p.stat().st_mtime_ns for p in plan.store.rglob("*.parquet") if "shards" not in p.parts
    }

    resolved = recipes.load("kosmos1", ("shards.val_share=0.0", "shards.samples_per_shard=4"))
    again = planning.make_plan(
        resolved, [str(site)], tmp_path / "other", plan.store, lambda _: None
    )
    builds.build(again, Runner(), say=lambda _: None)

    assert {p: p.stat().st_mtime_ns for p in kept} == kept
    assert len(manifests.load(tmp_path / "other")[0].shards) == 3


def test_two_recipes_share_a_store_without_touching_each_others_units(site, tmp_path):
    """The second may have stopped anywhere; the first goes on with what it committed itself."""
    store = tmp_path / "store"

    def part(name, side, **options):
        resolved = recipes.load("kosmos1", (f"images.encoding.side={side}", "shards.val_share=0.0"))
        plan = planning.make_plan(resolved, [str(site)], tmp_path / name, store, lambda _: None)
        return builds.build(plan, Runner(), say=lambda _: None, **options), plan

    _, first = part("one", 128, last="scores")
    mine = tree(first.folder("images", "packs").root)
    part("two", 96, last="images")

    part("one", 128, first="shards")

    assert tree(first.folder("images", "packs").root) == mine
    build(site, tmp_path / "alone", "images.encoding.side=128")
    assert tree(tmp_path / "one") == tree(tmp_path / "alone")


def test_a_damaged_pack_is_made_again_by_what_the_message_says_and_a_lost_one_at_once(
    site, tmp_path
):
    _, plan = build(site, tmp_path / "out", last="scores")
    (pack,) = plan.folder("images", "packs").root.glob("*.tar")
    whole = pack.read_bytes()
    pack.write_bytes(whole[:1024])

    unit = unit_of(pack.name)
    with pytest.raises(OutputError, match=rf"remove {unit}\.json") as error:
        build(site, tmp_path / "out")
    assert "\n" not in str(error.value)
    pack.with_name(f"{unit}.json").unlink()
    build(site, tmp_path / "out")

    assert (tmp_path / "out" / "_SUCCESS").is_file()
    assert pack.read_bytes() == whole
    pack.unlink()
    again, _ = build(site, tmp_path / "out")
    assert not again.already_done
    assert pack.read_bytes() == whole


def test_after_a_lost_pack_all_stages_agree_on_what_there_is_now(site, tmp_path):
    _, plan = build(site, tmp_path / "out")
    Memory.open(plan.fetched).bury([f"{SITE}/p3a.png"])
    (pack,) = plan.folder("images", "packs").root.glob("*.tar")
    pack.unlink()

    resolved = recipes.load("kosmos1", ("shards.val_share=0.0",))
    again = planning.make_plan(
        resolved, [str(site)], tmp_path / "other", plan.store, lambda _: None
    )
    built = builds.build(again, Runner(), say=lambda _: None).manifest

    of_images = [stage for stage in stages(again) if stage.unit in ("urls", "images")]
    images = [stage for stage in of_images if stage.job in ("images", "shards")]
    assert [(stage.job, stage.entered, stage.kept) for stage in images] == [
        ("images", 24, 23),
        ("images", 24, 23),
        ("shards", 23, 23),
    ]
    check_chain(stages(again))
    assert not verify([built]).faults
    samples = list(read_samples(built, verify="full"))
    assert built.images == sum(len(sample.images) for sample in samples) == 23
    (missing,) = (sample for sample in samples if len(sample.images) == 1)
    assert missing.document.url == f"{SITE}/3"


def test_another_recipe_into_the_same_folder_is_refused(site, tmp_path):
    build(site, tmp_path / "out")

    with pytest.raises(OutputError, match="another recipe or input"):
        build(site, tmp_path / "out", "images.encoding.side=256")


def test_a_finished_build_is_known_without_its_store(site, tmp_path):
    _, plan = build(site, tmp_path / "out")
    shutil.rmtree(plan.store)

    assert build(site, tmp_path / "out")[0].already_done
    with pytest.raises(OutputError, match="another recipe or input"):
        build(site, tmp_path / "out", "images.encoding.side=256")


def test_outputs_of_one_name_can_share_a_store(site, tmp_path):
    for side in ("256", "512"):
        resolved = recipes.load("kosmos1", (f"images.encoding.side={side}",))
        for _ in range(2):
            plan = planning.make_plan(
                resolved, [str(site)], tmp_path / side / "out", tmp_path / "store", lambda _: None
            )
            built = builds.build(plan, Runner(), say=lambda _: None)
        assert built.already_done


ODD_EXTRACTOR = """
import re
from openm3w.pipeline.extraction.extract import extract

def behave(html, url, *, engine):
    if url.endswith("/3"):
        raise KeyError("an unforeseen tag")
    if url.endswith("/5"):
        re.fullmatch("(a|a)*b", "a" * 64)
    return extract(html, url, engine=engine)
"""


@pytest.fixture
def odd_extractor(tmp_path, monkeypatch):
    """One that falls over page 3 and hangs in page 5."""
    (tmp_path / "falling.py").write_text(ODD_EXTRACTOR)
    monkeypatch.syspath_prepend(tmp_path)
    with monkeypatch.context() as patch:
        odd = functools.partial(Guard, extractor="falling:behave")
        patch.setattr(documents, "Guard", odd)
        yield patch


GUARDED = ("extract.engine=trafilatura", "extract.timeout_s=3", "max_failed_share=0.5")


@pytest.mark.usefixtures("odd_extractor")
def test_pages_that_cannot_be_extracted_are_counted_failures(site, tmp_path):
    _, plan = build(site, tmp_path / "out", *GUARDED)

    (found,) = [s for s in stages(plan) if (s.job, s.unit) == ("documents", "pages")]
    assert found.failed == {"extractor_error": 1, "parse_timeout": 1}
    notes = json.loads((tmp_path / "out" / "report.json").read_text())["notes"]
    assert any("/3: KeyError('an unforeseen tag')" in note for note in notes)
    assert any("/5: no result within 3 s" in note for note in notes)


def test_a_committed_time_out_is_repeated_and_not_tried_again(site, tmp_path, odd_extractor):
    _, plan = build(site, tmp_path / "out", *GUARDED, last="documents")
    folder = plan.folder("documents").root
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.iterdir()}
    odd_extractor.undo()  # now every page would be extracted

    _, again = build(site, tmp_path / "out", *GUARDED)

    assert again.folder("documents").root == folder
    assert {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in folder.iterdir()} == before
    (found,) = [s for s in stages(again) if (s.job, s.unit) == ("documents", "pages")]
    assert found.failed == {"extractor_error": 1, "parse_timeout": 1}
    assert build(site, tmp_path / "new", *GUARDED)[0].manifest.nsamples == 12


def test_a_folder_with_other_files_is_refused_and_left_alone(site, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("years of work")

    with pytest.raises(OutputError, match="something else"):
        build(site, tmp_path / "out")

    assert [p.name for p in (tmp_path / "out").iterdir()] == ["thesis.txt"]


def test_jobs_can_be_run_in_parts(site, tmp_path):
    first, _ = build(site, tmp_path / "parts", last="dedup")
    with pytest.raises(OutputError, match="job images is not done"):
        build(site, tmp_path / "parts", first="shards")
    build(site, tmp_path / "parts", first="images", last="images")
    build(site, tmp_path / "parts", first="scores")
    build(site, tmp_path / "whole")

    assert first.manifest is None
    assert tree(tmp_path / "parts") == tree(tmp_path / "whole")


def test_every_page_and_image_has_one_outcome(archive, image_bytes, tmp_path):
    good = image_bytes(100, 100)
    for number in range(4):  # so that the build has something to keep
        archive.page(f"{SITE}/{number}", article(10 + number, f"/x{number}.png", f"/y{number}.png"))
        archive.image(f"{SITE}/x{number}.png", image_bytes(80, 80, seed=20 + number))
        archive.image(f"{SITE}/y{number}.png", image_bytes(80, 80, seed=30 + number))
    archive.page(f"{SITE}/good", article(1, "/a.png", "/small.png", "/long.png", "/flat.png"))
    archive.page(f"{SITE}/more", article(2, "/gone.png", "/absent.png", "/words.png", "/cut.png"))
    archive.page(f"{SITE}/copy", article(1, "/a.png", "/small.png", "/long.png", "/flat.png"))
    archive.page(f"{SITE}/moved", article(3, "/old.png", "/revisited.png"))
    archive.page(f"{SITE}/german", article(4, "/a.png", words="Der Hafen war am Morgen ruhig und die Boote lagen dicht nebeneinander an der alten Mauer. " * 3))  # fmt: skip
    archive.page(f"{SITE}/missing", "<p>no such page</p><img src=/a.png>", status="404 Not Found")
    archive.page(f"{SITE}/plain", "<html><body><p>Words without pictures.</p></body></html>")
    archive.add(f"{SITE}/data.json", b"{}", content_type="application/json")
    archive.image(f"{SITE}/a.png", good).image(f"{SITE}/small.png", image_bytes(63, 63))
    archive.image(f"{SITE}/long.png", image_bytes(301, 100))
    archive.image(f"{SITE}/flat.png", _flat())
    archive.image(f"{SITE}/gone.png", b"", status="404 Not Found")
    archive.page(f"{SITE}/words.png", "<html><body>Not a picture at all.</body></html>")
    archive.image(f"{SITE}/cut.png", good[:-3000])
    archive.redirect(f"{SITE}/old.png", f"{SITE}/hop.png").redirect(
        f"{SITE}/hop.png", f"{SITE}/new.png"
    )
    archive.image(f"{SITE}/new.png", image_bytes(100, 100, seed=5))
    original = image_bytes(100, 100, seed=6)
    digest = base64.b32encode(hashlib.sha1(original, usedforsecurity=False).digest()).decode()
    archive.image(f"{SITE}/original.png", original)
    archive.add(
        f"{SITE}/revisited.png",
        b"",
        kind="revisit",
        warc_headers={"WARC-Payload-Digest": f"sha1:{digest}"},
    )

    floor = 'floor=["openm3w", "kosmos1", "m3w"]'  # which all drop pictures of a single colour
    _, plan = build(archive.write(tmp_path / "a.warc.gz"), tmp_path / "out", floor)

    found = {(s.job, s.unit): s for s in stages(plan)}
    check_chain(stages(plan))
    assert found["documents", "records"].dropped == {"file": 1, "image": 16, "revisit_record": 1}
    assert found["documents", "pages"].dropped == {
        "http_status": 3,
        "no_image_candidate": 2,
        "wrong_language": 1,
    }
    assert found["dedup", "pages"].dropped == {"duplicate_text": 1}
    assert found["images", "urls"].dropped == {
        "extreme_aspect": 1,
        "http_status": 1,
        "not_an_image": 1,
        "not_in_archive": 1,
        "single_colour": 1,
        "too_small": 1,
    }
    assert found["images", "urls"].failed == {"undecodable": 1}
    assert found["images", "urls"].kept == 11
    records = found["documents", "records"]
    assert records.kept == found["documents", "pages"].entered


def _flat() -> bytes:
    import io

    from PIL import Image

    buffer = io.BytesIO()
    Image.new("RGB", (100, 100), (20, 90, 200)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.torch
def test_images_far_from_the_text_are_dropped_with_their_score_kept(archive, tmp_path):
    skimage_data = pytest.importorskip("skimage.data")
    from PIL import Image

    for name, picture in (("cat", skimage_data.chelsea()), ("rocket", skimage_data.rocket())):
        path = tmp_path / f"{name}.png"
        Image.fromarray(picture).save(path)
        archive.image(f"{SITE}/{name}.png", path.read_bytes())
    words = "A ginger cat looks into the camera with green eyes and long white whiskers."
    page = f"<article><p>{words}</p><img src=/cat.png><p>{words}</p><img src=/rocket.png><p>{words} {WORDS}</p></article>"  # fmt: skip
    archive.page(f"{SITE}/cats", page)

    source = archive.write(tmp_path / "a.warc.gz")
    overrides = ("scores.model=lit", "scores.windows.each_side=1")
    try:
        _, plan = build(source, tmp_path / "out", *overrides, recipe="openm3w")
    except InputError:  # the page may be the half of single-image documents that is dropped
        _, plan = build(source, tmp_path / "out", *overrides, recipe="openm3w", last="scores")
    (unit,) = plan.units
    scored = [row["similarity"] for row in plan.folder("scores", "similarity").rows(unit)]
    assert scored[0] > 0.1764 > scored[1]
    assert all(round(score, 4) == score for score in scored)


def test_a_build_that_keeps_nothing_says_where_the_pages_went(archive, image_bytes, tmp_path):
    archive.page(f"{SITE}/1", article(1, "/a.png")).image(f"{SITE}/a.png", image_bytes(20, 20))

    with pytest.raises(InputError, match=r"no document was kept: of 1 pages .*\(no_image 1\)"):
        build(archive.write(tmp_path / "a.warc.gz"), tmp_path / "out")

    assert (tmp_path / "out" / "report.html").is_file()
    assert not (tmp_path / "out" / "_SUCCESS").exists()


def test_an_input_without_any_page_says_why(tmp_path):
    path = tmp_path / "a.warc.gz"
    path.write_bytes(b"this is no archive")

    with pytest.raises(InputError, match=r"no HTML page in the input \(a\.warc\.gz\): "):
        build(path, tmp_path / "out")


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (("images.source=http",), "by --contact"),
        (("images.encoding.sid=3",), "did you mean 'side'"),
        (("profile=openmw3",), "openm3w"),
        (("shards.val_share=1.5",), "val_share"),
        (("scores.model=clipp",), "clipp"),
    ],
)
def test_wrong_recipes_fail_before_any_work(site, tmp_path, overrides, message):
    with pytest.raises(RecipeError, match=message):
        build(site, tmp_path / "out", *overrides)

    assert not (tmp_path / "out.work").exists()


def test_a_full_disk_is_one_line_and_leaves_no_half_file(site, tmp_path):
    """A file size limit of the process stands for the full disk: writes fail in the middle."""
    script = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000));"
        "from openm3w.cli import main; main()"
    )
    arguments = ["build", "kosmos1", "--input", str(site), "--output", str(tmp_path / "out")]

    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False
    )

    assert done.returncode == 1, done.stderr
    assert "cannot be written" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.rglob("*.tmp"))
    assert build(site, tmp_path / "out")[0].manifest.nsamples > 0


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_read_only_place_is_one_line(site, tmp_path):
    (tmp_path / "locked").mkdir(mode=0o500)

    with pytest.raises(OutputError, match="cannot be written"):
        build(site, tmp_path / "locked" / "out")


def test_the_limit_counts_pages_and_the_rest_has_an_outcome(site, tmp_path):
    _, plan = build(site, tmp_path / "out", "pages_per_archive=3")

    found = {(s.job, s.unit): s for s in stages(plan)}
    assert found["documents", "pages"].entered == 3
    assert found["documents", "records"].dropped["beyond_limit"] == 9


def test_the_report_holds_the_funnel_as_json(site, tmp_path):
    _, plan = build(site, tmp_path / "out")

    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["inputs"] == ["site.warc.gz"]
    assert len(report["stages"]) == len(stages(plan))


@pytest.mark.real
def test_all_real_and_damaged_archives_at_once(realdata, tmp_path):
    resolved = recipes.load("kosmos1", ("language=any", "pages_per_archive=20"))
    inputs = [str(realdata / "warc" / name) for name in ("captures", "malformed")]
    said = []
    plan = planning.make_plan(resolved, inputs, tmp_path / "out", None, said.append)
    built = builds.build(plan, Runner(), say=said.append)

    assert built.manifest.nsamples > 0
    check_chain(stages(plan))
    assert "skipped, no web archives" in said[0]
    notes = json.loads((tmp_path / "out" / "report.json").read_text())["notes"]
    assert any("cut off" in note for note in notes)
