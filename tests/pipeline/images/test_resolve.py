import pytest

from openm3w.pipeline.images.resolve import Chase, Found, Resource, hop, max_joins, resource_keys

START = Chase("http://a.example/i", "url:http://a.example/i")


def resource(**fields):
    about = {"unit": "u", "offset": 7, "kind": "response", "content": "image", "status": 200}
    return Resource(**{**about, "location": "", "digest": "sha1:A", "fetched": "2020", **fields})


@pytest.mark.parametrize(
    ("found", "step"),
    [
        ([], Found(START.origin, reason="not_in_archive")),
        ([resource()], Found(START.origin, "u", 7)),
        ([resource(content="html")], Found(START.origin, reason="not_an_image")),
        ([resource(status=404)], Found(START.origin, reason="http_status")),
        ([resource(status=301, location="http://b/")], Chase(START.origin, "url:http://b/", 1)),
        ([resource(kind="revisit", status=304)], Chase(START.origin, "digest:sha1:A", 0)),
        (
            [resource(kind="revisit", refers_to="http://b/")],
            Chase(START.origin, "digest:sha1:A", 0, "http://b/"),
        ),
        (
            [resource(kind="revisit", digest="", refers_to="http://b/")],
            Chase(START.origin, "url:http://b/", 0, "http://b/"),
        ),
        (
            [resource(kind="revisit", digest="", refers_to=START.origin)],
            Found(START.origin, reason="revisit_not_in_archive"),
        ),
        (
            [resource(kind="revisit", digest="")],
            Found(START.origin, reason="revisit_not_in_archive"),
        ),
    ],
)
def test_a_hop_ends_or_names_the_next_key(found, step):
    assert hop(START, found) == step


def test_a_missing_target_says_how_it_was_reached():
    assert hop(Chase("o", "url:x", 1), []).reason == "redirect_not_in_archive"
    assert hop(Chase("o", "digest:x"), []).reason == "revisit_not_in_archive"


@pytest.mark.parametrize(
    ("key", "found", "step"),
    [
        ("digest:sha1:A", [], Chase("o", "url:http://b/", 1, "http://b/")),
        ("digest:sha1:A", [resource()], Found("o", "u", 7)),
        ("url:http://b/", [], Found("o", reason="revisit_not_in_archive")),
        ("url:http://b/", [resource()], Found("o", "u", 7)),
        (
            "url:http://b/",
            [resource(kind="revisit", refers_to="http://c/")],
            Found("o", reason="revisit_not_in_archive"),
        ),
        ("url:http://b/", [resource(status=302, location="http://c/")], Chase("o", "url:http://c/", 2)),
    ],
)  # fmt: skip
def test_a_revisit_is_followed_by_digest_and_then_to_where_it_refers(key, found, step):
    assert hop(Chase("o", key, 1, "http://b/"), found) == step


@pytest.mark.parametrize(
    ("redirects", "revisits", "joins"),
    [(0, 0, 1), (2, 0, 3), (9, 0, 4), (0, 1, 3), (0, 9, 3), (2, 1, 5), (2, 9, 9), (9, 9, 12)],
)
def test_as_many_joins_as_the_longest_chain_needs(redirects, revisits, joins):
    assert max_joins(redirects=redirects, revisits=revisits, max_redirects=2) == joins


def test_an_image_is_preferred_to_all_else_and_the_latest_image_to_older_ones():
    captures = [
        resource(status=404, fetched="2024", offset=1),
        resource(kind="revisit", fetched="2024", offset=2),
        resource(fetched="2021", offset=3),
        resource(fetched="2023", offset=4),
        resource(status=302, location="http://b/", fetched="2024", offset=5),
    ]

    assert hop(START, captures).offset == 4
    assert hop(START, captures[::-1]).offset == 4


def test_of_two_images_the_one_of_the_first_archives_is_taken_however_old_it_is():
    captures = [resource(fetched="2024", rank=1, offset=1), resource(fetched="2020", offset=2)]

    assert hop(START, captures).offset == 2
    # But no answer of theirs that is none, nor one that may lead to one.
    captures[1] = resource(status=302, location="http://b/", offset=2)
    assert hop(START, captures).offset == 1


def test_only_whole_answers_stand_under_their_digest():
    row = {"offset": 1, "url_key": "k", "digest": "d", "kind": "response", "content": "image",
           "status": 200, "location": "", "fetched": "", "refers_to": ""}  # fmt: skip

    assert [key for key, _ in resource_keys(row, "u")] == ["url:k", "digest:d"]
    assert [key for key, _ in resource_keys({**row, "status": 404}, "u")] == ["url:k"]
    assert [key for key, _ in resource_keys({**row, "kind": "revisit"}, "u")] == ["url:k"]
    assert [key for key, _ in resource_keys({**row, "digest": ""}, "u")] == ["url:k"]


@pytest.mark.parametrize("older", ["", "2020", "2020-02-01"])
def test_a_capture_without_a_date_or_with_less_of_one_is_not_the_latest(older):
    captures = [resource(fetched=older, offset=1), resource(fetched="2020-02-01T00:00:00Z")]

    assert hop(START, captures) == Found(START.origin, "u", 7)
