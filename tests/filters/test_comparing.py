import pytest

from openm3w.errors import RecipeError
from openm3w.filters.caption_profile import CaptionProfile
from openm3w.filters.comparing import OFF, differences, load_any
from openm3w.filters.profiles import Profile


@pytest.fixture
def profile(tmp_path):
    """`profile("name", "a = 1")`: the path of a profile of one's own."""

    def make(name, text):
        path = tmp_path / f"{name}.toml"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return make


def test_a_bound_that_is_the_same_everywhere_is_left_out(profile):
    one = profile("one", "[image]\nmin_side = 100\n[quality.fineweb]\n")
    two = profile("two", "[image]\nmin_side = 150\n[quality.fineweb]\nmin_closed_lines = 0.5\n")
    three = profile("three", 'description = "other words"\n[image]\nmin_side = 100\n')
    found = differences([one, two, three])
    assert found["image.min_side"] == (100, 150, 100)
    assert found["quality.fineweb.min_closed_lines"] == (0.12, 0.5, OFF)
    assert found["quality.fineweb.max_short_lines"] == (0.67, 0.67, OFF)
    assert {key.rpartition(".")[0] for key in found} == {"image", "quality.fineweb"}


def test_equal_profiles_do_not_differ():
    assert differences(["m3w", "m3w"]) == {}


def test_a_bound_in_a_table_of_names_is_one_of_its_own(profile):
    one = profile("one", "[similarity.bounds]\nlit = 0.1\n")
    two = profile("two", "[similarity.bounds]\nlit = 0.2\nother = 0.3\n")
    assert differences([one, two]) == {
        "similarity.bounds.lit": (0.1, 0.2),
        "similarity.bounds.other": (OFF, 0.3),
    }


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["m3w"], "name two or more"),
        (["m3w", "laion"], "m3w is of kind interleaved, laion is of kind caption"),
        (["m3w", "kosmos"], "did you mean 'kosmos1'"),
    ],
)
def test_what_cannot_be_compared_is_told(names, message):
    with pytest.raises(RecipeError, match=message):
        differences(names)


def test_a_kind_that_is_not_known_is_told(profile):
    with pytest.raises(
        RecipeError, match=r"odd\.toml: kind 'video'; there are interleaved, caption"
    ):
        load_any(profile("odd", 'kind = "video"\n'))


def test_a_profile_of_either_kind_is_loaded(profile):
    assert isinstance(load_any("mmc4"), Profile)
    assert isinstance(load_any("laion"), CaptionProfile)
    assert isinstance(load_any(profile("mine", 'kind = "caption"\n')), CaptionProfile)
