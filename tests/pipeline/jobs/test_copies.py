"""Images that the inputs lack, from archives named by `--images`, and only then from the web."""

import shutil

import pytest
from serving import ASKING, Serving

from openm3w.errors import InputError, OutputError
from openm3w.pipeline import build as builds
from openm3w.pipeline import planning
from openm3w.pipeline import recipe as recipes
from openm3w.pipeline.fetch import process
from openm3w.pipeline.fetch.client.resolving import StubResolver
from openm3w.pipeline.images.decode import Encoding, encode
from openm3w.pipeline.images.named import find_archives
from openm3w.pipeline.jobs import images
from openm3w.pipeline.reopening import check_done, reopen
from openm3w.pipeline.runners import Runner
from openm3w.pipeline.sidecars import stages
from openm3w.pipeline.sources import find_sources
from openm3w.pipeline.summary import damage_notes
from openm3w.shards.funnel import check_chain

SITE, CDN = "http://site.example", "http://cdn.example"
WORDS = "The harbour was quiet in the morning and the boats lay along the old stone wall of it. "
NAMES = ("here", "other", "moved", "twice", "both", "repeated", "lost", "text", "web", "gone")
SEEDS = {name: seed for seed, name in enumerate(NAMES)}


def plan_of(source, output, copies, *overrides, said=None):
    recipe = recipes.load("kosmos1", ("shards.val_share=0.0", *overrides))
    say = [].append if said is None else said.append
    return planning.make_plan(recipe, [str(source)], output, None, say, image_places=copies)


@pytest.fixture(scope="module")
def built(tmp_path_factory, image_bytes):
    """A finished build whose images lie in three places, its folder, and what was asked for."""
    from tests.conftest import ArchiveBuilder

    folder = tmp_path_factory.mktemp("copies")

    def picture(name, width=120):
        return image_bytes(width, 100, seed=SEEDS[name])

    figures = "".join(f"<p>{WORDS * 2}</p><img src=/{name}.png>" for name in NAMES)
    html = f"<html><body><article><h1>Boats</h1>{figures}<p>{WORDS * 2}</p></article></body></html>"
    pages = ArchiveBuilder()
    pages.page(f"{SITE}/boats.html", html)
    pages.image(f"{SITE}/here.png", picture("here"))
    pages.redirect(f"{SITE}/moved.png", f"{CDN}/moved.png")
    pages.page(f"{SITE}/lost.png", "gone", status="404 Not Found")
    pages.image(f"{CDN}/both.png", picture("both"))
    pages.write(folder / "pages.warc.gz")

    named = folder / "named"
    named.mkdir()
    copies = ArchiveBuilder()
    # Later than the input's, and another picture: the input's is taken all the same.
    copies.image(f"{SITE}/here.png", picture("other"), date="2025-01-01T00:00:00Z")
    copies.image(f"{SITE}/other.png", picture("other"))
    copies.image(f"{CDN}/moved.png", picture("moved"))
    copies.redirect(f"{SITE}/twice.png", f"{CDN}/twice.png")
    copies.image(f"{CDN}/twice.png", picture("twice"))
    copies.image(f"{SITE}/lost.png", picture("lost"))
    # They know the way to a picture that the inputs have themselves.
    copies.redirect(f"{SITE}/both.png", f"{CDN}/both.png")
    copies.image(f"{CDN}/both.png", picture("other"), date="2025-01-01T00:00:00Z")
    # A page and what is no image are no copies of images, and no documents of the build.
    copies.page(f"{SITE}/text.png", html)
    copies.page(f"{SITE}/again.html", html)
    copies.page(f"{SITE}/gone.png", "gone", status="404 Not Found")
    copies.write(named / "copies.warc.gz")
    more = ArchiveBuilder()
    more.image(f"{CDN}/first.png", picture("repeated"))
    refers = {"WARC-Refers-To-Target-URI": f"{CDN}/first.png"}
    more.add(f"{SITE}/repeated.png", b"", kind="revisit", warc_headers=refers)
    more.image(f"{SITE}/cut.png", picture("other"))
    whole = more.bytes()
    (named / "more.warc.gz").write_bytes(whole[: more.offsets[2] + 200])

    served = {f"/{name}.png": picture(name) for name in NAMES if name != "gone"}
    said = []
    with Serving(pictures=served) as server:
        known = {"site.example": [("127.0.0.1", server.port)]}
        with process.resolved_by(lambda: StubResolver(known)):
            plan = plan_of(
                folder / "pages.warc.gz", folder / "out", [str(named)], *ASKING, said=said
            )
            builds.build(plan, Runner(), say=said.append)
        requests = server.requests.copy()
    return plan, folder, requests, said


def rows(plan):
    (unit,) = plan.units
    found = plan.folder("images", "places").rows(unit)
    return {row["url_key"].rpartition("/")[2].removesuffix(".png"): row for row in found}


@pytest.mark.beam
def test_images_come_from_the_inputs_then_from_the_named_archives_then_from_the_web(
    built, image_bytes
):
    plan, _, requests, _ = built
    found = rows(plan)
    assert {name: row["reason"] for name, row in found.items() if row["reason"]} == {
        "gone": "not_found"
    }
    for name in set(NAMES) - {"gone"}:
        expected = encode(image_bytes(120, 100, seed=SEEDS[name]), Encoding())
        assert found[name]["sha256"] == expected.sha256, name
    asked = {path for path in requests if path.endswith(".png")}
    assert asked == {"/text.png", "/web.png", "/gone.png"}


@pytest.mark.beam
def test_what_is_named_for_images_makes_no_documents_and_is_counted(built):
    plan, _, _, said = built
    check_chain(stages(plan))
    documents = {stage.unit: stage for stage in stages(plan, ["documents"])}
    assert documents["pages"].kept == 1
    copies = next(s for s in stages(plan, ["images"]) if s.unit == "copies")
    # Of the record that is cut off the status is not there any more.
    assert copies.dropped == {"http_status": 2, "not_an_image": 2}
    assert copies.failed == {"damaged_archive": 1}
    assert copies.kept == 10
    (note,) = (note for note in damage_notes(plan) if "more.warc.gz" in note)
    assert "damaged at byte" in note
    assert note in said


@pytest.mark.beam
def test_a_build_with_named_archives_is_opened_again(built):
    plan, folder, _, _ = built
    again = reopen(folder / "out")
    check_done(again, bytes_too=True)
    assert again.fingerprints == plan.fingerprints
    assert [place.identity for place in again.copies] == [p.identity for p in plan.copies]


@pytest.mark.beam
def test_named_archives_are_part_of_the_images_job_by_what_they_hold(built, tmp_path):
    plan, folder, _, _ = built
    source = folder / "pages.warc.gz"
    moved = tmp_path / "elsewhere"
    shutil.copytree(folder / "named", moved)
    same = plan_of(source, tmp_path / "out", [str(moved)], *ASKING)
    assert same.fingerprints == plan.fingerprints
    assert images.index(same).root.name == images.index(plan).root.name
    fewer = plan_of(source, tmp_path / "out", [str(moved / "copies.warc.gz")], *ASKING)
    none = plan_of(source, tmp_path / "out", [], *ASKING)
    for other in (fewer, none):
        changed = {m for m in plan.fingerprints if other.fingerprints[m] != plan.fingerprints[m]}
        assert changed == {"images", "scores", "shards"}
    with pytest.raises(OutputError, match="a build of another recipe or input"):
        builds.build(plan_of(source, folder / "out", [], *ASKING), Runner(), say=lambda _: None)


def test_an_archive_that_is_an_input_already_is_asked_once(archive, tmp_path):
    path = archive.image(f"{SITE}/a.png", b"\x89PNG\r\n\x1a\n").write(tmp_path / "a.warc.gz")
    (tmp_path / "notes.txt").write_text("nothing")
    inputs = find_sources([str(path)]).archives
    found = find_archives([str(tmp_path)], inputs)
    assert found.archives == ()
    assert found.notes == (
        "--images notes.txt: no web archives",
        "--images a.warc.gz: an input already",
    )
    assert find_archives([], inputs).notes == ()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gone", "--images gone: no such file or folder"),
        ("empty.warc.gz", "--images empty.warc.gz: the file is empty"),
        ("notes.txt", "notes.txt: not a WARC or ARC file"),
    ],
)
def test_what_is_no_archive_is_refused_in_one_line(name, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.warc.gz").write_bytes(b"")
    (tmp_path / "notes.txt").write_text("nothing")
    with pytest.raises(InputError, match=message):
        find_archives([name], ())
