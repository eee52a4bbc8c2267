import json

import pytest

from openm3w.filters.caption_profile import load_caption_profile
from openm3w.filters.profiles import load_profile
from openm3w.filters.thresholds import thresholds


def told(name, *changes):
    rows = thresholds(load_profile(name, changes), name, changes)
    return {row[0]: (json.loads(row[1]), row[2]) for row in rows}


def test_each_number_has_the_source_of_its_line_or_of_its_table():
    found = told("openm3w")
    assert found["image.min_side"] == (64, "KOSMOS-1 appendix B.1.3: 64 x 64")
    value, source = found["quality.gibberish.max_emoji_per_word"]
    assert (value, source[:27]) == (0.1, "the rule is KOSMOS-1's, app")


def test_a_changed_number_is_the_builds_own():
    found = told("openm3w", "image.min_side=70")
    assert found["image.min_side"] == (70, "set for this build")
    assert found["image.max_aspect"][1].startswith("Flamingo")


@pytest.mark.parametrize("name", ["kosmos1", "m3w", "obelics", "mmc4"])
def test_most_numbers_of_a_shipped_profile_have_a_source(name):
    found = told(name)
    without = [key for key, (_, source) in found.items() if not source]
    assert len(without) < 0.2 * len(found), without


def test_caption_profiles_are_told_alike():
    rows = thresholds(load_caption_profile("laion"), "laion")
    assert any(source for _, _, source in rows)


def test_lists_of_pages_are_named_without_their_folder(tmp_path):
    path = tmp_path / "deny.txt"
    path.write_text("a.example\n")
    found = told("openm3w", f'pages.deny_domains=["{path}"]')
    assert found["pages.deny_domains"][0] == ["deny.txt"]


def test_a_profile_whose_file_is_gone_has_no_sources(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text("[image]\nmin_side = 99  # mine # too\n")
    profile = load_profile(str(path))
    before = {row[0]: row[2] for row in thresholds(profile, str(path))}
    assert before["image.min_side"] == "mine # too"
    path.unlink()
    assert {row[2] for row in thresholds(profile, str(path))} == {""}


def test_a_hash_inside_a_string_begins_no_comment(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text('[opt_out]\nagents = ["a#b", "c"]  # why\n')
    rows = thresholds(load_profile(str(path)), str(path))
    assert {row[0]: (json.loads(row[1]), row[2]) for row in rows}["opt_out.agents"] == (
        ["a#b", "c"],
        "why",
    )
