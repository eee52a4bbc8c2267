"""Whole builds that are killed while they ask the web, at moments that the server counts.

What is run is the command, in a process group of its own that is killed as a whole.
"""

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass

import pytest
from serving import Serving

from openm3w.pipeline import build as builds
from openm3w.pipeline import planning
from openm3w.pipeline import recipe as recipes
from openm3w.pipeline.captions import build as caption_builds
from openm3w.pipeline.captions import images as caption_images
from openm3w.pipeline.captions.recipe import load as load_captions
from openm3w.pipeline.jobs import images as page_images
from openm3w.pipeline.jobs.grouping import MAX_IMAGES
from openm3w.pipeline.runners import Runner
from openm3w.pipeline.sidecars import stages
from openm3w.shards.funnel import check_chain

pytestmark = pytest.mark.beam

MISSING, PRIVATE, KEPT = 40, 20, 1060
PATHS = [
    *(f"/{at}.png" for at in range(KEPT)),
    *(f"/gone/{at}.png" for at in range(MISSING)),
    *(f"/private/{at}.png" for at in range(PRIVATE)),
]
"""Of three units: two full ones, and what is left."""
ASKED = PATHS[:-PRIVATE]
SET = (
    "fetch.manners.per_domain=64",
    "fetch.manners.per_domain_rate=0",
    "fetch.limits.ports=[]",
)
ASKING = (
    "images.source=http",
    "fetch.manners.contact=tests@example.org",
    "fetch.limits.allow_private_networks=true",
    *SET,
)


@pytest.fixture(scope="module")
def pictures(image_bytes):
    found = {f"/{at}.png": image_bytes(100, 80, seed=at) for at in range(KEPT)}
    return {**found, "/robots.txt": b"User-agent: *\nDisallow: /private/\n"}


@pytest.fixture
def server(pictures):
    with Serving(pictures=pictures, latency=0.005) as serving:
        yield serving


@dataclass(frozen=True)
class Command:
    """A build's command, to be run to some output."""

    arguments: tuple[str, ...]

    def start(self, output):
        command = [sys.executable, "-m", "openm3w", *self.arguments, "--output", str(output)]
        command += ["--fetch", "--contact", "tests@example.org", "--allow-private-networks"]
        command += [word for change in SET for word in ("--set", change)]
        return subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )

    def run(self, output):
        child = self.start(output)
        told = child.communicate()[0].decode()
        assert child.returncode == 0, told

    def kill(self, output, when):
        """Runs until `when()` says so, and no longer."""
        child = self.start(output)
        while not when():
            assert child.poll() is None, child.stdout.read().decode()
            time.sleep(0.002)
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        child.stdout.close()


def requests(server):
    return Counter({path: server.requests[path] for path in PATHS if server.requests[path]})


def kill_and_end(command, server, output, moments):
    """Kills when so many were asked for, None for all of them; then runs to the end.

    What each run asks for that one before it had asked for is less than a unit.
    """
    asked = Counter()
    for moment in moments:

        def is_time(moment=moment):
            now = requests(server)
            return now.total() >= moment if moment else len(now) == len(ASKED)

        command.kill(output, is_time)
        asked = checked(requests(server), asked)
    command.run(output)
    checked(requests(server), asked)
    assert set(requests(server)) == set(ASKED)
    assert server.requests["/robots.txt"] <= len(moments) + 1


def checked(now, before):
    since = now - before
    assert max(since.values(), default=0) <= 1
    assert sum(bool(before[path]) for path in since) <= MAX_IMAGES
    return now


def tree(output):
    """Every published file but the report, which tells times."""
    files = [path for path in sorted(output.rglob("*")) if path.is_file()]
    return {
        path.relative_to(output).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if not path.name.startswith("report.")
    }


def outcomes(folder, units, key):
    """The reason of each image; each has one row."""
    rows = [(row[key], row["reason"]) for unit in units for row in folder.rows(unit)]
    assert len({name for name, _ in rows}) == len(rows)
    return Counter(reason for _, reason in rows)


@pytest.fixture
def table(tmp_path, server):
    path = tmp_path / "in" / "table.jsonl"
    path.parent.mkdir()
    rows = [{"url": server.url(name), "caption": f"picture {name}"} for name in PATHS]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def check_outcomes(folder, units, key):
    assert outcomes(folder, units, key) == {
        "": KEPT,
        "not_found": MISSING,
        "robots_disallowed": PRIVATE,
    }


def test_a_caption_build_that_is_killed_ends_as_one_that_was_not(tmp_path, server, table):
    command = Command(("captions", "build", str(table)))
    kill_and_end(command, server, tmp_path / "killed", (800, None))

    recipe, tables = load_captions(overrides=ASKING), [str(table)]
    plan = caption_builds.make_plan(recipe, tables, tmp_path / "killed")
    check_outcomes(plan.folder("images"), caption_images.pack_units(plan), "image")
    plan = caption_builds.make_plan(recipe, tables, tmp_path / "undisturbed")
    built = caption_builds.build(plan, Runner(), say=lambda _: None)
    assert [stage["entered"] for stage in built.manifest.counts["stages"]] == [len(PATHS)] * 4
    assert tree(tmp_path / "killed") == tree(tmp_path / "undisturbed")


def words(seed):
    rng = random.Random(seed)
    known = ("harbour", "boats", "stone", "wall", "quiet", "water", "gulls", "rope", "nets", "wind")
    return f"The {' '.join(rng.choices(known, k=60))} were there on day {seed}. "


@pytest.fixture
def crawl(tmp_path, server, archive):
    for at in range(0, len(PATHS), 5):
        figures = "".join(
            f"<p>{words(at + number)}</p><img src='{server.url(path)}'>"
            for number, path in enumerate(PATHS[at : at + 5])
        )
        html = f"<html><body><article><h1>Day {at}</h1>{figures}<p>{words(-at)}</p></article></body></html>"
        archive.page(f"http://pages.example/{at}.html", html)
    return archive.write(tmp_path / "crawl.warc.gz")


def test_a_build_of_pages_that_is_killed_ends_as_one_that_was_not(tmp_path, server, crawl):
    command = Command(("build", "kosmos1", "--input", str(crawl)))
    kill_and_end(command, server, tmp_path / "killed", (700,))

    def planned(output):
        recipe = recipes.load("kosmos1", ASKING)
        return planning.make_plan(recipe, [str(crawl)], output, None, lambda _: None)

    plan = planned(tmp_path / "killed")
    check_outcomes(plan.folder("images", "packs"), page_images.pack_units(plan), "url_key")
    check_chain(stages(plan))
    builds.build(planned(tmp_path / "undisturbed"), Runner(), say=lambda _: None)
    assert tree(tmp_path / "killed") == tree(tmp_path / "undisturbed")
