import pytest
from hypothesis import given
from hypothesis import strategies as st
from protego import Protego

from openm3w.pipeline.fetch.wishes.paths import pattern_of, target_of

SITE = "https://a.example"


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        # RFC 9309, section 2.2.2, table 1: what is escaped and what is not are one path.
        ("/foo/bar?baz=quz", "/foo/bar?baz=quz", True),
        ("/foo/bar/ツ", "/foo/bar/%E3%83%84", True),
        ("/foo/bar/%E3%83%84", "/foo/bar/ツ", True),
        ("/foo/bar/%62%61%7A", "/foo/bar/baz", True),
        # Section 2.2.3, table 2.
        ("/this/path/exactly$", "/this/path/exactly", True),
        ("/this/path/exactly$", "/this/path/exactly/not", False),
        ("/this/*/exactly", "/this/one/or/two/exactly", True),
        ("/this/*/exactly", "/this/exactly", False),
        # Table 3: special characters as themselves.
        ("/path/file-with-a-%2A.html", "/path/file-with-a-*.html", True),
        ("/path/file-with-a-%2A.html", "/path/file-with-a-star.html", False),
        ("/path/foo-%24", "/path/foo-$", True),
        ("/path/foo-%24", "/path/foo-", False),
        # Google's table for URL matching, which TDMRep points to.
        ("/fish", "/fish.html", True),
        ("/fish", "/Fish.asp", False),
        ("/fish/", "/fish", False),
        ("/fish/", "/fish/?id=anything", True),
        ("/*.php", "/folder/filename.php?parameters", True),
        ("/*.php", "/windows.PHP", False),
        ("/*.php$", "/filename.php", True),
        ("/*.php$", "/filename.php?parameters", False),
        ("/fish*.php", "/fishheads/catfish.php?parameters", True),
        ("/fish*.php", "/Fish.PHP", False),
        # Ours.
        ("", "/anything", True),
        ("*", "/anything", True),
        ("/a*b*a$", "/aba", True),
        ("/ab*b$", "/ab", False),  # one letter does not serve twice
        ("/a*b*b*c", "/abc", False),
        ("/a*b*b*c", "/abbc", True),
        ("/a%2fb", "/a%2Fb", True),
        ("/a%2Fb", "/a/b", False),
        ("/a", "/a#fragment", True),
        ("/a?", "/a?", True),
        ("fish", "/fish", False),
    ],
)
def test_paths_match_as_the_standards_say(pattern, path, expected):
    assert pattern_of(pattern).matches(target_of(SITE + path)) is expected


@pytest.mark.parametrize(
    ("shorter", "longer"), [("/a", "/ab"), ("/a", "/a*"), ("/a", "/a$"), ("", "/"), ("/b", "/é")]
)
def test_a_longer_pattern_has_more_octets(shorter, longer):
    assert pattern_of(shorter).octets < pattern_of(longer).octets


def test_a_pattern_of_many_stars_is_answered():
    # With backtracking this would take longer than the universe has.
    assert not pattern_of("/" + "*a" * 5000 + "$").matches("/" + "a" * 4999 + "b")
    assert pattern_of("/" + "*a" * 5000 + "$").matches("/" + "a" * 5000)


patterns = st.text(alphabet="ab/*$%2Ae?=é.", max_size=8)
# Without dollars: a pattern with one is to Protego a second rule too, where it stands for itself.
paths = st.text(alphabet="ab/*%2Ae?=é.", max_size=8)


@given(patterns, paths)
def test_patterns_mean_what_they_mean_to_protego(pattern, path):
    theirs = Protego.parse(f"User-agent: *\nDisallow: /{pattern}")
    url = f"{SITE}/{path}"
    assert pattern_of(f"/{pattern}").matches(target_of(url)) is not theirs.can_fetch(url, "x")
