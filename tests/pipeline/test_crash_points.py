"""A build that is killed at each step of its commits, one after the other, and run again.

Each run goes on where the one before was killed, so that all points together cost little more
than one build.
"""

import hashlib
import signal

import pytest
from crashing import Commands, Point, temporary_files

from openm3w.pipeline import claims, status
from openm3w.shards import manifest
from openm3w.shards.editing.edits import shuffle
from openm3w.shards.reader import read_samples
from openm3w.shards.verify import verify

pytestmark = pytest.mark.beam

TEMPORARY = r"\.\w+\.tmp$"
TAR = rf"data/\.train-000000\.tar{TEMPORARY}"
POINTS = [
    Point("before the output is locked", "open", r"out/\.lock$"),
    Point("before the claim is noted", "os.rename", r"outputs/\w+\.json$"),
    Point("SIGTERM", "os.rename", r"documents/.*\.parquet$", signal=signal.SIGTERM),
    Point("between a table and its sidecar", "open", rf"documents/.*\.json{TEMPORARY}"),
    Point("half a pack", "open", rf"packs/.*\.tar{TEMPORARY}", half=9000),
    Point("between pack and ledger", "open", rf"packs/.*\.parquet{TEMPORARY}"),
    Point("between the packs and their list", "open", rf"packs/.*/\.all\.json{TEMPORARY}"),
    Point("between selection and sidecar", "open", rf"select/.*\.json{TEMPORARY}"),
    Point("half a tar", "open", TAR, half=4096),
    Point("SIGINT", "os.rename", r"data/train-000000\.tar$", signal=signal.SIGINT),
    Point("after the rename of a tar", "os.rename", r"data/train-000000\.tar$", after=True),
    Point("between index and sidecar", "open", rf"written/.*000000\.json{TEMPORARY}"),
    Point("before the report", "open", rf"out/\.report\.html{TEMPORARY}"),
    Point("before the card", "os.rename", r"out/README\.md$"),
    Point("before the manifest", "os.rename", r"out/manifest\.json$"),
    Point("between manifest and _SUCCESS", "open", rf"out/\._SUCCESS{TEMPORARY}"),
    Point("after _SUCCESS", "os.rename", r"out/_SUCCESS$", after=True),
    Point("before the lock is removed", "os.remove", r"out/\.lock$"),
]

WORDS = (
    "The harbour was quiet in the morning and the boats lay side by side along the old stone wall. "
    "A woman sold bread and oranges from a blue cart while the gulls waited for what she dropped. "
)


def tree(folder):
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith("report.")  # which holds seconds
    }


@pytest.fixture(scope="module")
def commands():
    with Commands("openm3w.cli", "openm3w.pipeline.cli") as started:
        yield started


@pytest.fixture
def build(archive, image_bytes, tmp_path):
    """The arguments of a build of six pages with two pictures each, but for its output."""
    for number in range(6):
        site = f"http://site{number}.example"
        figures = "".join(f"<p>{WORDS} {at} of {number}.</p><img src=/{at}.png>" for at in "ab")
        html = f"<html><body><article><h1>Day {number}</h1>{figures}<p>{WORDS}</p></article></body>"
        archive.page(f"{site}/", html)
        for at, name in enumerate("ab"):
            picture = image_bytes(200, 150, seed=2 * number + at)
            archive.image(f"{site}/{name}.png", picture)
    source = archive.write(tmp_path / "site.warc.gz")
    settings = ("shards.val_share=0.0", "shards.samples_per_shard=4", "floor=[]")
    changes = [word for setting in settings for word in ("--set", setting)]
    return ("build", "kosmos1", "--input", source, *changes, "--output")


def check_told(told, last):
    """What `m3w status` says between the runs is what they have committed."""
    assert told["SIGTERM"]["documents"] == (0, 1)
    assert told["between a table and its sidecar"]["documents"] == (0, 1)
    half = told["half a pack"]
    assert [half[name] for name in ("documents", "dedup", "dedup (facts)")] == [(1, 1)] * 3
    assert half["images (packs)"] == (0, None)
    assert told["between selection and sidecar"]["images (packs)"] == (1, 1)
    assert told["between selection and sidecar"]["shards (select)"] == (0, 1)
    assert told["half a tar"]["shards (select)"] == (1, 1)
    # Which shard comes first is the runner's.
    assert told["between index and sidecar"]["shards (written)"] in {(0, 2), (1, 2)}
    assert told["before the report"]["shards (written)"] == (2, 2)
    (pages,) = (
        s for p in last.parts if p.part.name == "documents" for s in p.stages if s.unit == "pages"
    )
    assert (pages.entered, pages.kept) == (6, 6)
    assert last.next == "nothing: the build is complete"


def test_a_build_that_is_killed_anywhere_ends_as_one_that_was_not(commands, build, tmp_path):
    out, store = tmp_path / "out", tmp_path / "out.work"
    assert commands.here(*build, tmp_path / "undisturbed") == 0
    told = {}
    for point in POINTS:
        if point.signal == signal.SIGKILL:
            commands.kill(point, *build, out)
        else:
            before = set(temporary_files(tmp_path))
            ended = commands.run(*build, out, point=point)
            assert (ended.code, ended.reached) == (128 + point.signal, True), ended.said
            words = "m3w: interrupted; the same command again goes on where it stopped\n"
            assert ended.said.endswith(words)
            assert set(temporary_files(tmp_path)) <= before
            assert not (out / ".lock").exists()
        if claims.claimed_build(out, store):
            found = status.look(out, store)
            told[point.name] = {each.part.name: (each.done, each.units) for each in found.parts}
            assert found.state == ("finished" if (out / "_SUCCESS").exists() else "stopped")
        assert not (out / "manifest.json").exists() or manifest.load(out)[0].nsamples == 6
    check_told(told, found)
    assert temporary_files(out) == []
    ended = commands.run(*build, out)
    assert ended.code == 0, ended.said
    assert "nothing to do" in ended.said  # the last point is after the last write
    assert tree(out) == tree(tmp_path / "undisturbed")
    (found,) = manifest.load(out)
    assert verify([found]).faults == []
    keys = [sample.key for sample in read_samples(found)]
    assert len(set(keys)) == len(keys) == 6
    # Builds write in the order of a shuffle by their seed.
    mixed = shuffle(found, tmp_path / "mixed", seed=0, say=lambda _: None).manifest
    assert mixed.shards == found.shards
    other = shuffle(found, tmp_path / "other", seed=1, say=lambda _: None).manifest
    assert (
        shuffle(other, tmp_path / "back", seed=0, say=lambda _: None).manifest.shards
        == found.shards
    )
