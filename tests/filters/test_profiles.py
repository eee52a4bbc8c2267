import dataclasses
import re
import tomllib
from dataclasses import fields, is_dataclass

import cloudpickle
import pytest

from openm3w import recipe
from openm3w.errors import RecipeError
from openm3w.filters import registry
from openm3w.filters.floor import floor
from openm3w.filters.profiles import (
    Profile,
    load_profile,
    profile_names,
    profile_path,
)
from openm3w.filters.quality.facts import TextFacts
from openm3w.filters.quality.fineweb import FineWeb
from openm3w.filters.quality.gopher import GopherQuality
from openm3w.filters.quality.pii import Pii
from openm3w.filters.quality.sentences import SentenceCount
from openm3w.filters.rules.assignment import AssignedRules
from openm3w.filters.rules.quality import QualityRules
from openm3w.filters.rules.similarity import SimilarityRules

EACH = pytest.mark.parametrize("name", profile_names())


def test_the_shipped_profiles():
    assert profile_names() == (
        *("kosmos1", "m3w", "mint1t", "mmc4", "mmc4-core", "obelics", "omnicorpus", "openm3w"),
    )
    assert profile_names("caption") == ("captions", "coyo", "datacomp", "laion")
    assert profile_names(None) == tuple(sorted((*profile_names(), *profile_names("caption"))))


@pytest.mark.parametrize("name", profile_names(None))
def test_each_number_of_a_profile_stands_in_its_file_with_a_source(name):
    # A table may name the source of all its numbers.
    of_table = False
    for line in profile_path(name).read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            of_table = re.search(r"\]\s+#\s+\S", line) is not None
        elif " = " in line and not line.startswith(("description", "kind", "#")):
            assert of_table or re.search(r"#\s+\S", line), line


USERS_OWN = {"pages", "filters"}
"""Tables for files and filters of the user's."""


@EACH
def test_a_shipped_profile_leaves_nothing_to_defaults(name):
    table = tomllib.loads(profile_path(name).read_text(encoding="utf-8"))
    profile = load_profile(name)
    shipped = [f for f in fields(Profile) if f.name not in USERS_OWN]
    assert set(table) - USERS_OWN == {f.name for f in shipped}
    for f in shipped:
        value = getattr(profile, f.name)
        if is_dataclass(value) and not isinstance(
            value, SimilarityRules | AssignedRules | QualityRules
        ):
            assert set(table[f.name]) == {g.name for g in fields(value)}


@EACH
def test_a_rule_on_text_leaves_no_number_to_defaults(name):
    """Words and marks may be the rule's own; numbers and switches stand in the file."""
    table = tomllib.loads(profile_path(name).read_text(encoding="utf-8"))["quality"]
    for rule, values in table.items():
        plain = recipe.to_plain(getattr(load_profile(name).quality, rule))
        assert set(values) >= {key for key, value in plain.items() if not isinstance(value, list)}


@EACH
def test_a_profile_survives_pickling(name):
    profile = load_profile(name)
    assert cloudpickle.loads(cloudpickle.dumps(profile)) == profile


def test_openm3w_is_kosmos1_with_similarity():
    ours, theirs = (recipe.to_plain(load_profile(name)) for name in ("openm3w", "kosmos1"))
    different = {key for key in ours if ours[key] != theirs[key]}
    assert different == {"description", "similarity"}
    assert not load_profile("kosmos1").similarity.enabled


@pytest.mark.parametrize("name", ["openm3w", "mmc4", "mmc4-core"])
def test_bounds_of_similarity_are_mmc4s_and_the_one_that_was_measured(name):
    # MMC4 section 2, for CLIP ViT-L/14; docs/similarity.md, what keeps 95 % of matched captions.
    bounds = {"openclip:ViT-L-14/openai": 0.15, "lit": 0.1764}
    assert load_profile(name).similarity.bounds == bounds == SimilarityRules().bounds


def test_kosmos1_is_as_its_paper():
    profile = load_profile("kosmos1")
    assert profile.languages == ("en",)
    assert profile.image.min_side == 64
    assert profile.document.max_images == 5
    assert profile.document.single_image_share == 0.5
    assert profile.document.interspersed


def test_m3w_is_as_its_paper():
    profile = load_profile("m3w")
    assert (profile.image.min_side, profile.image.max_aspect) == (64, 3.0)
    assert (profile.document.window_tokens, profile.document.max_images) == (256, 5)
    assert [t.name for t in profile.cuts()] == ["cap_text", "window", "max_images"]


@pytest.mark.parametrize(
    ("override", "languages"),
    [("language=any", ()), ("language=de", ("de",)), ("language=en, de", ("en", "de"))],
)
def test_the_language_may_be_chosen(override, languages):
    assert load_profile("openm3w", [override]).languages == languages


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("language=english", "language is 'english'"),
        ("language=", "language is ''"),
        ("lnaguage=en", "did you mean 'language'"),
        ("image.min_side=0", "image: min_side is 0"),
        ("image.min_sides=9", "did you mean 'min_side'"),
        ("image.max_aspect=wide", "expected float"),
        ("text.min_words=200000", "min_words 200000 is above"),
        ("text.min_words=0", "min_words is 0"),
        ("document.window_tokens=-1", "window_tokens is -1"),
        ("document.max_images=-1", "max_images is -1"),
        ("document.min_images=0", "min_images 0"),
        ("document.most_images=5", "most_images 5 is never exceeded"),
        ("document.single_image_share=2", "share is 2"),
        ("min_language_score=2", "min_score is 2"),
        ("similarity.bounds.lit=2", "min_similarity is 2"),
        ("quality.gopher_qualty.min_words=9", "did you mean 'gopher_quality'"),
        ("quality.gopher_quality.min_wrds=9", "did you mean 'min_words'"),
        ("quality.fineweb.max_short_lines=2", "max_short_lines is 2"),
        ("quality.fineweb=true", "expected a table"),
        ('opt_out.directives=["noia"]', "'noia' is none of"),
    ],
)
def test_a_wrong_value_is_a_one_line_error(override, message):
    with pytest.raises(RecipeError, match=re.escape(message)) as caught:
        load_profile("openm3w", [override])
    assert "\n" not in str(caught.value)


def test_a_rule_on_text_is_switched_on_by_its_table(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(
        "[quality.fineweb]\n[quality.gopher_quality]\nmin_words = 20\n[quality.pii]\n",
        encoding="utf-8",
    )
    profile = load_profile(str(path))
    assert profile.text_filters()[1:] == (GopherQuality(min_words=20), FineWeb())
    assert profile.text_transforms() == (Pii(),)


def test_every_rule_on_text_can_be_switched_on():
    rules = {f.name for f in fields(QualityRules)}
    profile = load_profile("m3w", [f"quality.{name}={{}}" for name in rules])
    on = (*profile.text_transforms(), *profile.document_filters("lit"), *profile.text_filters())
    plain = dataclasses.replace(profile, quality=QualityRules())
    off = (*plain.text_transforms(), *plain.document_filters("lit"), *plain.text_filters())
    assert {rule.name for rule in on} - {rule.name for rule in off} == rules
    shipped = {
        name
        for name in registry.names()
        if registry.get(name).__module__.startswith("openm3w.filters.quality.")
    }
    assert rules == shipped


def test_rules_on_text_do_not_touch_the_floor():
    strict = load_profile("m3w", ["quality.gopher_quality.min_words=90"])
    assert floor([strict]) == floor([load_profile("m3w")])


def test_a_bound_for_another_model_can_be_set():
    profile = load_profile("openm3w", ["similarity.bounds.openclip:ViT-B-32=0.2"])
    (bound,) = profile.similarity.filters("openclip:ViT-B-32/laion2b")
    assert bound.min_similarity == 0.2


def test_similarity_refuses_an_unknown_model_only_where_it_is_asked_for():
    with pytest.raises(RecipeError, match="none"):
        load_profile("openm3w").image_filters("none")
    assert load_profile("kosmos1").image_filters("none")


def test_a_profile_may_be_a_file(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("[image]\nmin_side = 150\n", encoding="utf-8")
    assert load_profile(str(path)).image.min_side == 150


@pytest.mark.parametrize("content", [b"not toml", b"\xff\xfe"])
def test_a_file_that_is_no_toml_is_refused(content, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_bytes(content)
    with pytest.raises(RecipeError, match="not valid TOML"):
        load_profile(str(path))


def test_an_unknown_profile_suggests_the_nearest():
    with pytest.raises(RecipeError, match="did you mean 'kosmos1'"):
        load_profile("kosmos")


def _images(name):
    image, document = load_profile(name).image, load_profile(name).document
    return image.min_side, image.max_aspect, document.min_images, document.most_images


def test_obelics_is_as_its_released_code():
    profile = load_profile("obelics")
    assert _images("obelics") == (150, 2.0, 1, 30)
    assert (profile.image.max_side, profile.image.max_url_count) == (20_000, 10)
    assert profile.image.formats == ("jpeg", "png", "webp")
    assert profile.image.url_tokens == (
        *("logo", "button", "icon", "plugin", "widget", "porn", "xxx", "sex"),
    )
    assert profile.min_language_score == 0.8
    assert [cut.name for cut in (*profile.twins(), *profile.cuts())] == ["twins", "cap_text"]
    assert not profile.document.interspersed
    assert not profile.similarity.enabled


@pytest.mark.parametrize(
    ("name", "images", "sentences", "distance"),
    [
        ("mmc4", (150, 2.0, 1, 0), None, 5),
        ("mmc4-core", (150, 2.0, 2, 15), SentenceCount(min_sentences=4, max_sentences=40), 10),
    ],
)
def test_mmc4_is_as_its_paper(name, images, sentences, distance):
    profile = load_profile(name)
    assert _images(name) == images
    assert profile.image.twin_distance == distance
    assert profile.image.url_tokens == ("logo", "button", "icon", "plugin", "widget")
    assert profile.similarity.bounds["openclip:ViT-L-14/openai"] == 0.15
    (similarity,) = profile.similarity.filters("openclip:ViT-L-14/openai")
    assert (similarity.min_similarity, similarity.of) == (0.15, "text")
    assert profile.quality.sentence_count == sentences
    assert (profile.quality.c4_page.min_sentences, profile.quality.c4_lines.min_words) == (5, 3)


@pytest.mark.parametrize(
    ("count", "reason"),
    # MMC4-core: 4 to 40; C4, from which it starts, asks for 5.
    [
        (3, "too_few_sentences"),
        (4, "c4_too_few_sentences"),
        (5, None),
        (40, None),
        (41, "too_many_sentences"),
    ],
)
def test_mmc4_core_counts_the_sentences_of_a_page(count, reason, document):
    page = document("A boat sails far out. " * count)
    rules = load_profile("mmc4-core").quality
    for transform in rules.transforms():
        page = transform.apply(page).document
    verdicts = (rule.keep(TextFacts.of(page)).reason for rule in rules.filters())
    assert next(filter(None, verdicts), None) == reason


def test_mint1t_is_as_told():
    profile = load_profile("mint1t")
    assert _images("mint1t") == (150, 2.0, 1, 30)
    assert (profile.image.max_side, profile.image.max_content_count) == (20_000, 10)
    assert profile.image.url_tokens == ("logo", "avatar", "porn", "xxx")
    assert profile.text_transforms() == (Pii(),)
