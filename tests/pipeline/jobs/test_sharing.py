"""One store for several builds: what one asked for, no other asks for again; the server counts."""

import json
import subprocess
import sys
import uuid

import fsspec
import pytest
from click.testing import CliRunner
from serving import Serving

from openm3w.errors import InputError, MissingError, RecipeError
from openm3w.pipeline import build as builds
from openm3w.pipeline import claims, planning
from openm3w.pipeline import recipe as recipes
from openm3w.pipeline.captions.cli import build as build_captions
from openm3w.pipeline.cli import build
from openm3w.pipeline.fetch.outcomes import Fetched
from openm3w.pipeline.fetch.settings import FetchSettings
from openm3w.pipeline.fetch.store.compacting import MIN_FILES
from openm3w.pipeline.fetch.store.memory import Memory
from openm3w.pipeline.jobs.web import Web, asking, remembered_at
from openm3w.pipeline.reopening import reopen
from openm3w.pipeline.runners import Runner
from openm3w.pipeline.store import Folder

WORDS = "The harbour was quiet in the morning and the boats lay along the old stone wall of it. "
NAMES = [f"{at}.png" for at in range(4)]
ASKING = (
    *("--fetch", "--contact", "tests@example.org", "--allow-private-networks"),
    *("--set", "fetch.manners.per_domain_rate=0", "--set", "fetch.limits.ports=[]"),
)


@pytest.fixture
def site(image_bytes):
    pictures = {f"/{name}": image_bytes(130, 100, seed=at) for at, name in enumerate(NAMES)}
    with Serving(pictures=pictures) as server:
        yield server


@pytest.fixture
def crawl(site, archive, tmp_path):
    """An archive with a page of the first three pictures."""
    figures = "".join(f"<p>{WORDS * 2}</p><img src='{site.url(f'/{n}')}'>" for n in NAMES[:3])
    html = f"<html><body><article><h1>Boats</h1>{figures}<p>{WORDS * 2}</p></article></body></html>"
    archive.page("http://site.example/boats.html", html)
    return archive.write(tmp_path / "crawl.warc.gz")


@pytest.fixture
def table(site, tmp_path):
    """A table of the last three: two are on the page too."""
    path = tmp_path / "table" / "captions.jsonl"
    path.parent.mkdir()
    rows = [{"url": site.url(f"/{name}"), "caption": "Boats at a wall"} for name in NAMES[1:]]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def arguments(crawl, table, folder, store):
    pages = ["kosmos1", "--input", crawl, "--output", folder / "pages", "--set", "floor=[]"]
    captions = [table, "--output", folder / "captions"]
    both = ["--store", store, *ASKING, "--json"]
    return [str(a) for a in (*pages, *both)], [str(a) for a in (*captions, *both)]


def pictures_asked(site):
    return {path: n for path, n in site.requests.items() if path.endswith(".png")}


@pytest.mark.beam
def test_builds_of_both_kinds_share_a_uri_and_keep_the_rest_to_themselves(
    site, crawl, table, tmp_path
):
    uri = f"memory://{uuid.uuid4().hex}/shared"
    pages, captions = arguments(crawl, table, tmp_path, f"{uri}/")
    first = CliRunner().invoke(build, pages, catch_exceptions=False)
    assert json.loads(first.stdout)["images"] == 3
    assert pictures_asked(site) == {"/0.png": 1, "/1.png": 1, "/2.png": 1}
    second = CliRunner().invoke(build_captions, captions, catch_exceptions=False)
    assert json.loads(second.stdout)["images"] == 3
    assert pictures_asked(site) == {f"/{name}": 1 for name in NAMES}
    memory = Memory.open(f"{uri}/fetched")
    assert (memory.stats().urls, bool(memory.verify())) == (4, True)
    assert not list(tmp_path.rglob("format.json"))
    assert (tmp_path / "pages.work" / "documents").is_dir()
    assert (tmp_path / "captions.work" / "rows").is_dir()
    fsspec.filesystem("memory").rm(uri, recursive=True)


@pytest.mark.beam
def test_two_builds_at_once_may_have_one_store(site, crawl, table, tmp_path):
    both = [
        subprocess.Popen(
            [sys.executable, "-m", "openm3w", *command, *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for command, options in zip(
            (["build"], ["captions", "build"]),
            arguments(crawl, table, tmp_path, tmp_path / "shared"),
            strict=True,
        )
    ]
    told = [process.communicate() for process in both]
    assert [process.returncode for process in both] == [0, 0], told
    assert [json.loads(out)["images"] for out, _ in told] == [3, 3]
    # What both want at the same moment, each may ask for; nothing else is asked for twice.
    asked = pictures_asked(site)
    assert (asked["/0.png"], asked["/3.png"]) == (1, 1)
    assert max(asked.values()) <= 2
    memory = Memory.open(str(tmp_path / "shared" / "fetched"))
    assert (memory.stats().urls, bool(memory.verify())) == (4, True)


def test_what_is_fetched_has_one_place(tmp_path):
    set_up = FetchSettings(store="s3://a/fetched")
    assert remembered_at(FetchSettings(), tmp_path) == str(tmp_path / "fetched")
    assert remembered_at(FetchSettings(), tmp_path, "s3://b/fetched") == "s3://b/fetched"
    assert remembered_at(set_up, tmp_path) == "s3://a/fetched"
    assert remembered_at(set_up, tmp_path, "s3://a/fetched") == "s3://a/fetched"
    with pytest.raises(RecipeError, match="leave one of them out"):
        remembered_at(set_up, tmp_path, "s3://b/fetched")


def test_where_it_is_remembered_makes_no_other_build(crawl, tmp_path):
    def plan(**options):
        recipe = recipes.load("kosmos1", ())
        return planning.make_plan(recipe, [str(crawl)], tmp_path / "out", None, str, **options)

    here, there = plan(), plan(shared="memory://x/fetched")
    assert (here.fetched, there.fetched) == (
        str(tmp_path / "out.work" / "fetched"),
        "memory://x/fetched",
    )
    told_apart_by = [builds.identity(each) for each in (here, there)]
    for identity in told_apart_by:
        identity.pop(claims.BESIDE)
    assert told_apart_by[0] == told_apart_by[1]
    # But what is chosen or taken from the build afterwards heeds what is buried there.
    for each in (there, here):
        claims.claim(each.output, each.store, builds.identity(each))
        assert reopen(each.output).fetched == each.fetched


@pytest.mark.parametrize(
    ("uri", "error"), [("nothing://x", InputError), ("oci://bucket/x", MissingError)]
)
def test_a_uri_that_nothing_reads_ends_the_command_at_once(uri, error, crawl, tmp_path):
    options = ["kosmos1", "--input", str(crawl), "--output", str(tmp_path / "out"), "--store", uri]
    result = CliRunner().invoke(build, options)
    assert isinstance(result.exception, error)
    assert uri in str(result.exception)
    assert not (tmp_path / "out").exists()


def remember(memory, at):
    with memory.writing(f"u{at}") as unit:
        unit.add(Fetched(url=f"http://site.example/{at}", outcome="failed", reason="not_found"))


@pytest.mark.parametrize("number", [MIN_FILES - 1, MIN_FILES])
def test_small_files_are_merged_around_a_job_that_asks(number, tmp_path):
    memory = Memory.open(str(tmp_path))
    web = Web(settings=FetchSettings(), store=str(tmp_path), again=None)
    for at in range(number):
        remember(memory, at)
    with asking(web, Runner(), Folder.of(tmp_path / "packs", "made"), "web"):
        before = memory.stats()
        for at in range(number, 2 * number):
            remember(memory, at)
    after = memory.stats()
    merged = number >= MIN_FILES
    assert (before.loose_files, before.runs) == ((0, 1) if merged else (number, 0))
    assert after.loose_files == 0
    assert after.urls == 2 * number
