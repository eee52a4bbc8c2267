import pytest

from openm3w.filters.dedup.images import image_keys


@pytest.mark.parametrize(
    ("url", "sha256", "keys"),
    [
        ("http://a/", "ab", ["url http://a/", "sha256 ab"]),
        ("http://a/", "", ["url http://a/"]),
        ("", "ab", ["sha256 ab"]),
        ("", "", []),
    ],
)
def test_an_image_is_counted_by_what_is_known_of_it(url, sha256, keys):
    assert image_keys(url, sha256) == keys
