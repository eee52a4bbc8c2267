import pytest

from openm3w.errors import NotBuiltError, RecipeError
from openm3w.filters.dedup.minhash import MinHash
from openm3w.pipeline import recipe as recipes
from openm3w.pipeline.dedup.settings import Dedup, Near


def test_the_defaults_are_finewebs_and_gpt3s():
    settings = recipes.load("m3w").dedup

    assert settings.near == Near(minhash=MinHash(bands=14, rows=8, words=5))
    assert (settings.near.verify, settings.near.rounds, settings.ngram) == (0, 0, 13)


@pytest.mark.parametrize(
    ("override", "error", "message"),
    [
        ("dedup.verify=1.1", RecipeError, r"dedup\.verify: is 1\.1"),
        ("dedup.rounds=-1", RecipeError, r"dedup\.rounds: is -1"),
        ("dedup.ngram=0", RecipeError, r"dedup\.ngram: is 0"),
        ("dedup.minhash.bands=0", RecipeError, r"minhash\.bands: is 0"),
        ("dedup.minhash.band=3", RecipeError, "did you mean 'bands'"),
        ("dedup.state=there", RecipeError, r"dedup\.state: needs dedup\.crawl too"),
        ("dedup.crawl=now", RecipeError, r"dedup\.crawl: needs dedup\.state too"),
    ],
)
def test_a_wrong_value_is_a_one_line_error(override, error, message):
    with pytest.raises(error, match=message) as caught:
        recipes.load("m3w", (override,))
    assert "\n" not in str(caught.value)


def test_an_object_store_is_refused_as_not_built():
    with pytest.raises(NotBuiltError, match="gs://bucket/state is no folder"):
        Dedup(state="gs://bucket/state", crawl="a")
