import shutil
import sys

import pytest

from openm3w.errors import InputError, RecipeError
from openm3w.filters import registry
from openm3w.pipeline import build as builds
from openm3w.pipeline import recipe as recipes

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
        return plan.fingerprints

    return make


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
    monkeypatch.setattr(registry, "_FILTERS", dict(registry._FILTERS))
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
