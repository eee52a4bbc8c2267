import pytest

from openm3w.errors import InputError, RecipeError
from openm3w.pipeline.refilter import with_profile


def test_a_list_that_does_not_load_ends_the_build_before_any_work(planned, tmp_path):
    with pytest.raises(InputError, match=r"nowhere\.txt: no such list of domains"):
        planned('[pages]\nallow_domains = ["nowhere.txt"]\n')
    (tmp_path / "list.txt").write_text("a.example\nb example\n")
    with pytest.raises(InputError, match=r"list\.txt, line 2: 'b example' is no domain"):
        planned(f'[pages]\nallow_domains = ["{tmp_path}/list.txt"]\n')


def test_a_plugin_that_is_not_there_ends_the_build_before_any_work(planned):
    with pytest.raises(RecipeError, match="plugins: plug_nowhere: No module named"):
        planned("", overrides=('plugins=["plug_nowhere"]',))


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
