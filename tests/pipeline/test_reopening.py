"""A build's plan, opened again from what its store notes; nothing is run."""

import json
import shutil
import sys
from dataclasses import replace

import pytest

from openm3w.errors import InputError, MissingError, OutputError, RecipeError
from openm3w.filters.dedup.minhash import MinHash
from openm3w.filters.profiles import profile_names
from openm3w.pipeline import build as builds
from openm3w.pipeline import claims, planning, refilter
from openm3w.pipeline import recipe as recipes
from openm3w.pipeline.dedup.state import Crawl, State
from openm3w.pipeline.floor_notes import floor_notes
from openm3w.pipeline.jobs import JOBS, dedup
from openm3w.pipeline.reopening import check_done, reopen
from openm3w.pipeline.runners import Runner
from openm3w.pipeline.sidecars import pending, unit_parts
from openm3w.trainer.encoders import specs


@pytest.fixture
def claimed(archive, tmp_path, monkeypatch):
    """Maker of the plan of a build in `tmp_path`, whose store is claimed as by `m3w build`."""
    archive.page("http://a.example/", "<p>words").write(tmp_path / "a.warc.gz")

    def make(*overrides, output="out", store=None):
        monkeypatch.chdir(tmp_path)
        recipe = recipes.load("openm3w", ("scores.model=none", "profile=kosmos1", *overrides))
        plan = planning.make_plan(recipe, ["a.warc.gz"], tmp_path / output, store, lambda _: None)
        claims.claim(plan.output, plan.store, builds.identity(plan))
        plan.output.mkdir()
        return plan

    return make


def elsewhere(tmp_path, monkeypatch):
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    monkeypatch.chdir(folder)


def test_every_shipped_profile_comes_back_as_it_was(claimed):
    plan = claimed(f"floor={json.dumps(profile_names())}", "profile=kosmos1")
    again = reopen(plan.output)
    assert len(plan.profiles) == len(profile_names()) + 1
    assert again.profiles == plan.profiles
    assert again.fingerprints == plan.fingerprints
    assert again.recipe == plan.recipe


def test_neither_a_profile_s_file_nor_the_working_directory_is_asked_again(
    claimed, tmp_path, monkeypatch
):
    profile = tmp_path / "mine.toml"
    profile.write_text(
        'description = "mine"\n[image]\nmin_side = 77\n[pages]\ndeny_domains = ["denied.txt"]\n'
    )
    (tmp_path / "denied.txt").write_text("b.example\n")
    (tmp_path / "blocked.txt").write_text("0" * 64 + "\n")
    (tmp_path / "questions.txt").write_text("what is the tallest mountain of the world\n")
    plan = claimed(
        "profile=mine.toml", 'floor=["mine.toml"]', 'images.blocklists=["blocked.txt"]',
        'dedup.evaluation_texts=["questions.txt"]', "dedup.state=state",
        "dedup.crawl=first",
    )  # fmt: skip
    profile.write_text("[image]\nmin_side = 99\n")
    elsewhere(tmp_path, monkeypatch)
    for change in (lambda: None, profile.unlink):
        change()
        again = reopen(plan.output)
        assert again.fingerprints == plan.fingerprints
        assert again.profile.image.min_side == 77
        assert again.floor == plan.floor

    # A profile of now, with a list of here, is held against the floor of then.
    (tmp_path / "elsewhere/more.txt").write_text("c.example\n")
    (tmp_path / "elsewhere/strict.toml").write_text(
        '[image]\nmin_side = 88\n[pages]\ndeny_domains = ["more.txt", "../denied.txt"]\n'
    )
    strict = refilter.with_profile(again, "strict.toml", (), tmp_path / "strict")
    assert [job for job in JOBS if strict.fingerprints[job] != plan.fingerprints[job]] == ["shards"]
    assert strict.profile.pages.judge("http://c.example/").reason


def test_a_chosen_profile_may_be_stricter_than_the_build_s_own_where_the_floor_names_none(claimed):
    plan = claimed("profile=m3w", "floor=[]")
    strict = refilter.with_profile(plan, "m3w", ("image.min_side=500",))
    assert strict.fingerprints["scores"] == plan.fingerprints["scores"]


def test_what_a_profile_or_a_build_says_of_itself_decides_nothing(claimed, tmp_path):
    (tmp_path / "mine.toml").write_text('description = "mine"\n')
    one = claimed("profile=mine.toml", output="one")
    (tmp_path / "mine.toml").write_text('description = "still mine"\n')
    two = claimed("profile=mine.toml", "name=another", output="two")
    assert one.profile != two.profile
    assert one.fingerprints == two.fingerprints


def test_where_a_build_lies_is_no_part_of_what_it_is_called_by(claimed, tmp_path):
    (tmp_path / "denied.txt").write_text("b.example\n")
    (tmp_path / "mine.toml").write_text('[pages]\ndeny_domains = ["denied.txt"]\n')
    plan = claimed("profile=mine.toml")
    identity = builds.identity(plan)
    assert str(tmp_path) not in json.dumps({**identity, claims.BESIDE: {}})
    assert str(tmp_path) in json.dumps(identity[claims.BESIDE])
    note = plan.store / "outputs"
    (path,) = note.iterdir()
    before = json.loads(path.read_text())["build"]
    claims.claim(plan.output, plan.store, {**identity, claims.BESIDE: {}})
    assert json.loads(path.read_text())["build"] == before


def test_the_store_of_an_output_is_found_beside_it(claimed, tmp_path):
    claimed()
    second = claimed("name=second", output="two", store=tmp_path / "out.work")
    assert reopen(second.output) == replace(second, output=tmp_path / "two")
    claimed("name=third", output="third", store=tmp_path / "third.work")
    assert reopen(tmp_path / "third").store == tmp_path / "third.work"


def test_of_two_stores_that_claim_an_output_the_one_that_made_it_is_taken(claimed, tmp_path):
    claimed("name=one", output="mine", store=tmp_path / "a.work")
    (tmp_path / "mine").rmdir()
    plan = claimed("name=two", output="mine", store=tmp_path / "b.work")
    with pytest.raises(InputError, match="--store"):
        reopen(tmp_path / "mine")
    (note,) = (plan.store / "outputs").iterdir()
    made = {"build": json.loads(note.read_text())["build"]}
    (tmp_path / "mine" / "manifest.json").write_text(json.dumps(made))
    assert reopen(tmp_path / "mine").recipe.name == "two"
    with pytest.raises(InputError, match=r"no build whose store is .*none\.work; .* --store"):
        reopen(tmp_path / "mine", tmp_path / "none.work")


def test_a_store_alone_makes_nobody_run_code(claimed, tmp_path, monkeypatch):
    plan = claimed()
    (note,) = (plan.store / "outputs").iterdir()
    value = json.loads(note.read_text())
    value["identity"]["recipe"]["plugins"] = ["plug_pwned"]
    note.write_text(json.dumps(value))
    (tmp_path / "plug_pwned.py").write_text("open('ran', 'w').close()\n")
    monkeypatch.syspath_prepend(tmp_path)
    for plugins in ((), ("json",)):
        with pytest.raises(RecipeError, match=r"filters of plug_pwned; .*: --plugin plug_pwned$"):
            reopen(plan.output, plugins=plugins)
    assert not (tmp_path / "ran").exists()
    assert "plug_pwned" not in sys.modules
    again = reopen(plan.output, plugins=("plug_pwned",))
    assert (tmp_path / "ran").exists()
    assert again.recipe.plugins == ("plug_pwned",)
    del sys.modules["plug_pwned"]


def test_a_build_whose_evaluation_texts_changed_is_to_be_built_again(archive, tmp_path):
    source = archive.page("http://a.example/", "<p>words").write(tmp_path / "a.warc.gz")
    listed = tmp_path / "test.txt"
    listed.write_text("one two three four five\n")
    settings = ("scores.model=none", "dedup.ngram=5", f'dedup.evaluation_texts=["{listed}"]')
    recipe = recipes.load("kosmos1", settings)
    plan = planning.make_plan(recipe, [str(source)], tmp_path / "out", None, lambda _: None)
    claims.claim(plan.output, plan.store, builds.identity(plan))

    assert reopen(tmp_path / "out").fingerprints == plan.fingerprints
    listed.write_text("one two three four six\n")
    with pytest.raises(
        OutputError, match=r"an evaluation text that it goes by has changed since; run the same"
    ):
        reopen(tmp_path / "out")
    assert reopen(tmp_path / "out", needs="documents").units == plan.units


def network(path):
    numpy, safetensors = pytest.importorskip("numpy"), pytest.importorskip("safetensors.numpy")
    tensors = {
        "layers.0.weight": numpy.ones((1, 256), numpy.float32),
        "layers.0.bias": numpy.zeros(1, numpy.float32),
    }
    about = {"format": "openm3w-clip-mlp-1", "model": "lit", "dim": "256", "activations": "sigmoid"}
    path.parent.mkdir()
    safetensors.save_file(tensors, path, about)


def test_no_model_is_asked_for_again(claimed, tmp_path, monkeypatch):
    installed("lit")
    network(tmp_path / "models/n.safetensors")
    lm = tmp_path / "models/lm"
    lm.mkdir()
    (lm / "config.json").write_text("{}")
    plan = claimed('scores.safety=["clip-mlp:models/n.safetensors"]', "scores.perplexity=models/lm")
    for change in (lambda: elsewhere(tmp_path, monkeypatch), lambda: shutil.rmtree(lm.parent)):
        change()
        again = reopen(plan.output)
        assert again.fingerprints == plan.fingerprints
        assert again.score_parts == plan.score_parts
        assert set(again.score_parts) == {"nsfw_clip", "perplexity"}
        asks = ("safety.max_nsfw.clip=0.1", "perplexity.enabled=true", "perplexity.bounds.lm=90")
        strict = refilter.with_profile(again, "kosmos1", asks)
        assert strict.fingerprints["scores"] == plan.fingerprints["scores"]
        assert builds.identity(strict)[claims.BESIDE]["resolved"] == noted(plan)
        with pytest.raises(RecipeError, match=r'add "opennsfw" to scores\.safety'):
            refilter.with_profile(again, "kosmos1", ("safety.max_nsfw.opennsfw=0.1",))


def noted(plan):
    return builds.identity(plan)[claims.BESIDE]["resolved"]


def installed(model):
    try:
        specs.resolve_similarity(model)
    except MissingError as error:
        pytest.skip(str(error))


def test_a_language_model_that_is_fetched_later_leaves_the_build_as_it_was(
    claimed, tmp_path, monkeypatch
):
    pytest.importorskip("transformers")
    constants = pytest.importorskip("huggingface_hub.constants")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    plan = claimed("scores.perplexity=some/model")
    commit = tmp_path / "hub/models--some--model/snapshots" / ("0123456789abcdef" * 2 + "01234567")
    commit.mkdir(parents=True)
    (commit / "config.json").write_text("{}")
    (commit.parents[1] / "refs").mkdir()
    (commit.parents[1] / "refs/main").write_text(commit.name)
    assert claimed("scores.perplexity=some/model", output="two").score_parts != plan.score_parts
    assert reopen(plan.output).score_parts == plan.score_parts


@pytest.mark.parametrize("what", ["built again", "moved"])
def test_a_build_stands_whatever_became_of_the_crawls_before_it(claimed, tmp_path, what):
    earlier, other = (Crawl(name="a", fingerprint=digits * 16) for digits in "12")
    State(root=tmp_path / "state", minhash=MinHash()).commit(earlier, [])
    plan = claimed("dedup.state=state", "dedup.crawl=b")
    alone = claimed("dedup.state=none", "dedup.crawl=b", output="alone")
    assert alone.fingerprints["dedup"] != plan.fingerprints["dedup"], "it goes by crawl a"

    if what == "moved":
        (tmp_path / "state").rename(tmp_path / "there")
    else:
        State.read(tmp_path / "state", MinHash()).commit(other, [])

    again = reopen(plan.output)
    assert again.fingerprints == plan.fingerprints
    assert again.crawl == plan.crawl
    chosen = refilter.with_profile(again, "m3w")
    assert chosen.fingerprints["facts"] == plan.fingerprints["facts"]
    assert noted(chosen) == noted(plan)
    # It knows what the crawls before it were called, and not what they left.
    with pytest.raises(ValueError, match="want the state"):
        dedup.run(again, Runner())


def commit_all_jobs(plan):
    (unit,) = plan.units
    folders = [plan.folder(job, part) for job in JOBS[:-1] for part in unit_parts(plan, job)]
    for folder in folders:
        folder.commit_sidecar(unit, counts={"stages": []}, seconds={})
    packs = plan.folder("images", "packs")
    for name in (f"{unit}-00000", "missing0-00000"):
        counts = {"stages": [{"kept": 1}], "pack": f"{name}-0f.tar"}
        packs.commit_sidecar(name, counts=counts, seconds={})
        (packs.root / counts["pack"]).touch()
    units = [f"{unit}-00000", "missing0-00000"]
    packs.commit_sidecar("all", counts={"units": units}, seconds={})
    return packs


@pytest.mark.parametrize(
    "lost", ["{}-00000.json", "{}-00000-0f.tar", "missing0-00000.json", "all.json"]
)
def test_a_store_without_one_of_its_packs_is_not_done(claimed, lost):
    plan = claimed()
    packs = commit_all_jobs(plan)
    check_done(plan, bytes_too=True)
    (packs.root / lost.format(*plan.units)).unlink()
    with pytest.raises(OutputError, match="job images is not done, or its files are gone, for 1"):
        check_done(plan, bytes_too=True)
    assert pending(plan, "images") == list(plan.units)
    if lost.endswith(".tar"):
        check_done(plan, bytes_too=False)  # numbers are all there
    else:
        with pytest.raises(OutputError):
            check_done(plan, bytes_too=False)


def test_an_output_that_was_moved_over_another_s_place_is_the_build_that_it_is(claimed):
    first = claimed()
    second = claimed("shards.samples_per_shard=7", output="two", store=first.store)
    publish_empty(second)
    first.output.rmdir()
    second.output.rename(first.output)
    assert reopen(first.output).recipe.shards.samples_per_shard == 7


def test_an_output_that_was_moved_away_is_known_after_its_place_was_built_anew(claimed, tmp_path):
    first = claimed()
    publish_empty(first)
    first.output.rename(tmp_path / "old")
    second = claimed("shards.samples_per_shard=7")
    publish_empty(second)
    old = reopen(tmp_path / "old", first.store)
    assert old.recipe.shards.samples_per_shard == first.recipe.shards.samples_per_shard
    assert reopen(first.output).recipe.shards.samples_per_shard == 7


def test_a_build_of_a_version_that_noted_less_is_to_be_built_again(claimed):
    plan = claimed()
    (note,) = (plan.store / "outputs").glob("*.json")
    found = json.loads(note.read_text())
    del found["identity"]["beside"]["resolved"]
    note.write_text(json.dumps(found))
    with pytest.raises(OutputError, match=r"made by another version.*with another --output"):
        reopen(plan.output)


def test_a_profile_of_the_floor_in_another_language_is_told_when_the_build_begins(
    claimed, tmp_path
):
    (tmp_path / "de.toml").write_text('language = "de"\n', encoding="utf-8")
    plan = claimed("language=en", 'floor=["kosmos1", "de.toml"]')
    (note,) = floor_notes(plan)
    assert "de.toml cannot be chosen later" in note
    assert "language is de, en, stored was en" in note
    assert "take the language out of the file" in note
    assert list(floor_notes(claimed("language=en", 'floor=["kosmos1"]', output="b"))) == []


def publish_empty(plan):
    build = claims.digest_of(builds.identity(plan))
    (plan.output / "manifest.json").write_text(json.dumps({"build": build}))


def test_a_store_that_was_moved_and_linked_back_is_found(claimed, tmp_path):
    plan = claimed()
    publish_empty(plan)
    (tmp_path / "disk").mkdir()
    plan.store.rename(tmp_path / "disk/store")
    with pytest.raises(InputError, match="no build whose store is"):
        reopen(plan.output)
    assert reopen(plan.output, tmp_path / "disk/store").fingerprints == plan.fingerprints

    plan.store.symlink_to("disk/store")
    again = reopen(plan.output)
    assert again.store == plan.store
    assert again.fingerprints == plan.fingerprints


def test_a_moved_store_of_another_build_is_not_taken(claimed, tmp_path):
    plan = claimed()
    publish_empty(plan)
    plan.store.rename(tmp_path / "elsewhere.work")
    other = claimed("name=other", output="other")
    (tmp_path / "disk").mkdir()
    other.store.rename(tmp_path / "disk/other")
    with pytest.raises(InputError, match="no build whose store is"):
        reopen(plan.output, tmp_path / "disk/other")
    assert reopen(plan.output).store == tmp_path / "elsewhere.work"


def test_where_fetches_are_remembered_outside_of_the_store_is_known_again(claimed):
    plan = claimed()
    assert reopen(plan.output).fetched == str(plan.store / "fetched")
    shared = replace(plan, fetched="s3://bucket/shared/fetched")
    claims.claim(plan.output, plan.store, builds.identity(shared))
    assert reopen(plan.output).fetched == "s3://bucket/shared/fetched"
    secret = replace(plan, fetched="memory://me:s3cret@bucket/f")
    claims.claim(plan.output, plan.store, builds.identity(secret))
    assert reopen(plan.output).fetched == "memory://bucket/f"
    assert "s3cret" not in (plan.store / "build.json").read_text()


def test_a_folder_of_fetches_that_a_recipe_names_is_known_again(claimed, tmp_path):
    other = tmp_path / "fetched of all"
    plan = claimed(f'fetch.store="{other}"')
    assert builds.identity(plan)["recipe"]["fetch"].get("store") is None
    assert reopen(plan.output).fetched == str(other)
