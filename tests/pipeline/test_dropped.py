import hashlib
from dataclasses import replace

import pytest
from click.testing import CliRunner

from openm3w.cli import cli
from openm3w.errors import RecipeError
from openm3w.pipeline import build as builds
from openm3w.pipeline import planning
from openm3w.pipeline import recipe as recipes
from openm3w.pipeline.dropped import folder_of, write_dropped
from openm3w.pipeline.runners import Runner
from openm3w.shards import manifest as manifests
from openm3w.shards.ordering import order_hash
from openm3w.shards.reader import read_samples

pytestmark = pytest.mark.beam

SITE = "http://site.example"
WORDS = "The harbour was quiet in the morning and the boats lay side by side at the old wall. " * 3


@pytest.fixture
def source(archive, image_bytes, tmp_path):
    """Three articles that are kept, one of them twice, five whose images cannot stay, three in
    German, a 404."""
    german = "Der Hafen war am Morgen ruhig, und die Boote lagen an der alten Mauer. " * 4
    for number in (*range(11), 0):
        words = german if number >= 8 else WORDS
        body = f"<p>{words} {number}</p><img src=/{number}.png><p>{words} The end of {number}.</p>"
        archive.page(f"{SITE}/{number}", f"<title>Story {number}</title><article>{body}</article>")
        # Narrow enough for one profile's bound and not for the floor's.
        size = (100, 100) if number < 3 else (120, 70)
        archive.image(f"{SITE}/{number}.png", image_bytes(*size, seed=number))
    archive.add(f"{SITE}/404", b"<p>gone</p><img src=/x.png>", status="404 Not Found")
    return archive.write(tmp_path / "a.warc.gz")


def build(source, output, most):
    settings = (
        *("scores.model=none", "language=en", 'floor=["m3w"]', "profile=m3w"),
        *('profile_set=["image.max_aspect=1.5", "quality={}"]', f"report.dropped_samples={most}"),
    )
    plan = planning.make_plan(recipes.load("m3w", settings), [str(source)], output, None, print)
    said = []
    builds.build(plan, Runner(), say=said.append)
    return plan, said


def test_some_of_each_reason_are_written_beside_what_is_published(source, tmp_path):
    plan, said = build(source, tmp_path / "out", 2)

    (found,) = manifests.load(folder_of(plan))
    samples = list(read_samples(found))
    assert sorted(sample.document.dropped for sample in samples) == [
        "dedup: duplicate_url",
        *["documents: wrong_language"] * 2,
        *["shards: no_image"] * 2,
    ]
    assert all(sample.document.title.startswith("Story") for sample in samples)
    assert all(sample.document.texts for sample in samples)
    assert [len(s.images) for s in samples] == [len(s.document.images) for s in samples]
    with_images = {"shards": {1}, "documents": {0}, "dedup": {0}}
    for job, numbers in with_images.items():
        shown = {len(s.images) for s in samples if s.document.dropped.startswith(f"{job}: ")}
        assert shown == numbers
    assert not (tmp_path / "out" / "dropped").exists()
    assert said[-1] == f"dropped: look at some of each reason: m3w view {folder_of(plan)}"
    shown = CliRunner().invoke(cli, ["view", str(folder_of(plan))])
    assert shown.exit_code == 0, shown.output


def test_which_are_taken_depends_on_ids_alone_and_none_by_default(source, tmp_path):
    plan, _ = build(source, tmp_path / "all", 100)
    every = list(read_samples(manifests.load(folder_of(plan))[0]))
    again, _ = build(source, tmp_path / "one", 1)
    shard = "data/train-000000.tar"
    few = {sample.key for sample in read_samples(manifests.load(folder_of(again))[0])}
    assert len(every) == 9
    for reason in ("wrong_language", "no_image"):
        keys = [s.key for s in every if s.document.dropped.endswith(reason)]
        assert min(keys, key=lambda key: order_hash(key, 0)) in few
    same, _ = build(source, tmp_path / "two", 1)
    digests = {
        hashlib.sha256((folder_of(p) / shard).read_bytes()).hexdigest() for p in (again, same)
    }
    assert len(digests) == 1
    none, said = build(source, tmp_path / "none", 0)
    assert not folder_of(none).exists()
    assert not any("dropped:" in line for line in said)


def test_a_sample_may_be_asked_of_a_finished_build_and_none_is_left_of_an_older_one(
    source, tmp_path
):
    plan, _ = build(source, tmp_path / "out", 0)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.*") if path.is_file()}
    again, said = build(source, tmp_path / "out", 1)
    assert said == [f"dropped: look at some of each reason: m3w view {folder_of(plan)}"]
    made = {
        p for p in tmp_path.rglob("*.*") if p.is_file() and p.stat().st_mtime_ns != before.get(p)
    }
    assert {path.parts[len(tmp_path.parts)] for path in made} == {"out.work"}
    assert {path.name for path in made if folder_of(plan) not in path.parents} <= {
        "build.json",
        *(path.name for path in (plan.store / "outputs").iterdir()),
    }

    other = replace(again, output=tmp_path / "other")
    assert folder_of(other).parent == folder_of(again).parent
    assert folder_of(other) != folder_of(again)
    write_dropped(other)
    assert write_dropped(replace(other, recipe=plan.recipe)) is None
    assert not folder_of(other).exists()
    assert folder_of(again).exists()


def test_a_number_below_none_is_refused():
    with pytest.raises(RecipeError, match="dropped_samples: -1 is below 0"):
        recipes.load("m3w", ("report.dropped_samples=-1",))
