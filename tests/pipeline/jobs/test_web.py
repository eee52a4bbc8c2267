"""Builds that ask the web for what their archives lack, against a server on loopback."""

import shutil

import pytest
from serving import ASKING, Serving

from openm3w.errors import RecipeError
from openm3w.pipeline import build as builds
from openm3w.pipeline import planning
from openm3w.pipeline import recipe as recipes
from openm3w.pipeline.captions import build as caption_builds
from openm3w.pipeline.captions.recipe import load as load_captions
from openm3w.pipeline.fetch import process
from openm3w.pipeline.fetch.client.resolving import StubResolver
from openm3w.pipeline.fetch.getting import Again
from openm3w.pipeline.fetch.store.memory import Memory
from openm3w.pipeline.report import read_report
from openm3w.pipeline.runners import Runner
from openm3w.pipeline.sidecars import stages
from openm3w.shards.funnel import check_chain
from openm3w.shards.reader import read_samples

SITE = "http://site.example"
WORDS = "The harbour was quiet in the morning and the boats lay along the old stone wall of it. "
NAMES = ("here.png", "web.png", "gone.png", "private/b.png", "slow.png")


def page(*names):
    figures = "".join(f"<p>{WORDS * 2}</p><img src=/{name}>" for name in names)
    return f"<html><body><article><h1>Boats</h1>{figures}<p>{WORDS * 2}</p></article></body></html>"


@pytest.fixture
def site(image_bytes):
    """A server for site.example, on whose name every look-up ends."""
    pictures = {f"/{name}": image_bytes(120 + at, 100, seed=at) for at, name in enumerate(NAMES)}
    del pictures["/gone.png"]
    pictures["/robots.txt"] = b"User-agent: *\nDisallow: /private/\n"
    with Serving(pictures=pictures) as server:

        def resolver():
            return StubResolver({"site.example": [("127.0.0.1", server.port)]})

        with process.resolved_by(resolver):
            yield server


@pytest.fixture
def crawl(archive, image_bytes, tmp_path):
    """An archive with a page of five images and one of these."""
    archive.page(f"{SITE}/boats.html", page(*NAMES))
    archive.image(f"{SITE}/here.png", image_bytes(120, 100, seed=0))
    return archive.write(tmp_path / "crawl.warc.gz")


def run(crawl, output, *overrides, store=None, again=None):
    recipe = recipes.load("kosmos1", ("shards.val_share=0.0", *ASKING, *overrides))
    said = []
    plan = planning.make_plan(recipe, [str(crawl)], output, store, said.append, again=again)
    built = builds.build(plan, Runner(), say=said.append)
    return plan, built, said


def urls(plan):
    (stage,) = (s for s in stages(plan, ["images"]) if s.unit == "urls")
    return stage.kept, {**stage.dropped, **stage.failed}


@pytest.mark.beam
def test_what_the_archive_lacks_is_asked_for_and_every_image_has_one_outcome(site, crawl, tmp_path):
    plan, built, said = run(crawl, tmp_path / "out")
    assert urls(plan) == (3, {"not_found": 1, "robots_disallowed": 1})
    check_chain(stages(plan))
    assert site.requests["/here.png"] == site.requests["/private/b.png"] == 0
    assert site.requests["/web.png"] == 1
    (sample,) = read_samples(built.manifest)
    assert [i.url for i in sample.document.images] == [
        f"{SITE}/{name}" for name in ("here.png", "web.png", "slow.png")
    ]
    text = "\n".join(said)
    assert "openm3w/" in text
    assert "tests@example.org" in text
    assert "PRIVATE NETWORKS ARE ALLOWED" in text
    assert "images asked for" in text
    assert "site.example" in text
    assert built.manifest.recipe["fetch"]["limits"]["allow_private_networks"] is True


@pytest.mark.beam
def test_another_build_over_the_same_store_asks_for_nothing_again(site, crawl, tmp_path):
    plan, _, _ = run(crawl, tmp_path / "one")
    before = site.requests.total()
    other, _, _ = run(
        crawl, tmp_path / "two", "images.encoding.side=100", store=tmp_path / "one.work"
    )
    assert site.requests.total() == before
    assert urls(other) == urls(plan)


@pytest.mark.beam
def test_failed_images_are_asked_for_again_when_wanted(site, crawl, image_bytes, tmp_path):
    run(crawl, tmp_path / "one")
    site.pictures["/gone.png"] = image_bytes(130, 100, seed=9)
    store, requests = tmp_path / "one.work", site.requests.copy()
    again = Again(refetch="failed")
    plan, _, _ = run(crawl, tmp_path / "two", store=store, again=again)
    assert urls(plan) == (4, {"robots_disallowed": 1})
    asked = {path for path, n in (site.requests - requests).items() if n} - {
        "/robots.txt",
        "/ai.txt",
        "/.well-known/tdmrep.json",
    }
    assert asked == {"/gone.png"}
    # And without it, later, that is what there is.
    plan, _, _ = run(crawl, tmp_path / "three", store=store)
    assert urls(plan)[0] == 4
    assert (site.requests - requests)["/gone.png"] == 1
    # Each output stays what its own command made.
    for name, option in (("one", None), ("two", again), ("two", None), ("three", None)):
        assert run(crawl, tmp_path / name, store=store, again=option)[1].already_done
    # What was removed is built anew, and its command asks again.
    shutil.rmtree(tmp_path / "two")
    before = site.requests["/gone.png"]
    plan, built, _ = run(crawl, tmp_path / "two", store=store, again=Again(refetch="all"))
    assert (urls(plan)[0], built.already_done) == (4, False)
    assert site.requests["/gone.png"] == before + 1


@pytest.mark.beam
def test_caption_builds_share_what_interleaved_ones_fetched(site, crawl, tmp_path):
    run(crawl, tmp_path / "out", f"fetch.store={tmp_path / 'fetched'}")
    table = tmp_path / "table" / "captions.jsonl"
    table.parent.mkdir()
    names = [*NAMES, "new.png"]
    rows = [f'{{"url": "{SITE}/{name}", "caption": "Boats at a wall"}}' for name in names]
    table.write_text("\n".join(rows), encoding="utf-8")
    site.pictures["/new.png"] = site.pictures["/web.png"]
    plan = caption_builds.make_plan(
        load_captions(overrides=(*ASKING, f"fetch.store={tmp_path / 'fetched'}")),
        [str(table)],
        tmp_path / "captions",
    )
    built = caption_builds.build(plan, Runner(), say=lambda _: None)
    (stage,) = (
        s for s in built.manifest.counts["stages"] if (s["job"], s["unit"]) == ("images", "images")
    )
    assert (stage["entered"], stage["kept"]) == (6, 4)
    assert stage["dropped"] == {"not_found": 1, "robots_disallowed": 1}
    # Of what was remembered the answers were counted by the build that asked.
    report = read_report(tmp_path / "captions")
    assert report["bars"]["last answers to the URLs that were asked for"] == {"HTTP 200": 2}
    assert sum(report["histograms"]["seconds until a URL was answered"]["counts"]) == 2
    first = read_report(tmp_path / "out")["bars"]
    assert first["outcomes of the URLs that were asked for"]["fetched"] >= 1
    assert first["last answers to the URLs that were asked for"]["HTTP 404"] == 1
    # The archive had here.png, so that nobody had asked for it.
    assert site.requests["/here.png"] == site.requests["/new.png"] == 1
    assert {n for path, n in site.requests.items() if path.endswith(".png")} == {1}
    assert Memory.open(str(tmp_path / "fetched")).verify()


def test_who_asks_says_who_it_is(crawl, tmp_path):
    with pytest.raises(RecipeError, match="--contact"):
        run(crawl, tmp_path / "out", 'fetch.manners.contact=""')


@pytest.mark.beam
def test_a_password_of_the_store_of_fetches_is_nowhere_and_its_place_makes_no_other_build(
    site, tmp_path, capsys
):
    table = tmp_path / "table" / "t.csv"
    table.parent.mkdir()
    table.write_text(f"url,text\n{SITE}/web.png,Boats at a wall\n", encoding="utf-8")
    said = []

    def build(place, shared=""):
        plan = caption_builds.make_plan(
            load_captions(overrides=(*ASKING, f'fetch.store="{place}"')),
            [str(table)],
            tmp_path / "out",
            shared=shared,
        )
        return caption_builds.build(plan, Runner(), say=said.append)

    assert not build("memory://user:s3cret@bucket/f").already_done
    assert "remembered in memory://bucket/f" in "\n".join(said)
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {"manifest.json", "README.md", "report.json", "report.html", "build.json"} <= {
        path.name for path in written
    }
    assert [path for path in written if b"s3cret" in path.read_bytes()] == []
    assert site.requests["/web.png"] == 1
    assert "s3cret" not in "\n".join(said) + "".join(capsys.readouterr())
    assert build("", "memory://me:s3cret@elsewhere/f").already_done
    assert build(str(tmp_path / "fetched")).already_done
