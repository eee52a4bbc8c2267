import pytest

from openm3w.errors import InputError, ShardError
from openm3w.shards.search import folder as layout
from openm3w.shards.search.printing import plain_line, to_json


@pytest.fixture
def indexed(index, pages, tmp_path):
    index(pages, output=tmp_path / "x", what="both")
    return tmp_path / "x"


def urls(hits):
    return [hit.url.removeprefix("https://img.example/") for hit in hits]


def test_words_find_the_picture_that_shows_them(index, indexed, pages, made):
    hits = index.searcher(indexed, pages).search_text("a yellow thing", 2)
    assert urls(hits)[0] == "d/0"
    best = hits[0]
    assert best.score > hits[1].score
    assert to_json(best) == {
        "score": pytest.approx(1, abs=1e-3),
        "number": 4,
        "key": made.pages[1][1].key,
        "picture": 1,
        "url": "https://img.example/d/0",
        "caption": "",
        "alt": "",
        "title": "Page d",
        "page_url": "https://example.org/d",
    }


def test_a_picture_finds_itself_and_numbers_lead_to_documents(index, indexed, pages, made):
    searcher = index.searcher(indexed, pages)
    (hit,) = searcher.search_image(made.picture("black"), 1)
    assert (hit.number, hit.picture) == (4, 2)
    sample = searcher.catalog.read(hit.number).sample
    assert sample.key == hit.key
    assert sample.images[hit.picture - 1] == made.picture("black")


def test_words_find_what_is_said(index, indexed, pages):
    hits = index.searcher(indexed, pages, side="text").search_text("blue", 1)
    assert (urls(hits), hits[0].alt) == (["a/1"], "the blue sea")


def test_documents_without_a_picture_are_found_by_their_words(index, pages, tmp_path):
    index(pages, output=tmp_path / "t", what="texts")
    hits = index.searcher(tmp_path / "t", pages, side="text").search_text("white", 2)
    assert [(hit.picture, hit.url) for hit in hits] == [
        (0, "https://example.org/c"),
        (1, "https://img.example/e/0"),
    ]


@pytest.mark.parametrize("limit", [1, 6, 100])
def test_no_more_comes_than_is_asked_and_there_is(index, indexed, pages, limit):
    hits = index.searcher(indexed, pages).search_text("red", limit)
    assert len(hits) == min(limit, 6)
    assert [h.score for h in hits] == sorted((h.score for h in hits), reverse=True)


def test_what_was_excluded_since_never_answers(index, indexed, without):
    changed = without("a", "d")
    searcher = index.searcher(indexed, changed)
    for question in ("red", "blue", "yellow"):
        assert sorted(urls(searcher.search_text(question, 9))) == ["b/0", "e/0", "e/1"]
    assert searcher.num_stale == 0


def test_a_shard_that_was_written_anew_gives_no_answers_until_it_is_indexed(
    index, indexed, made, tmp_path
):
    # The first picture had to go: what stands in its row now is another.
    first = [made.page("a", "Words.", ("blue", {"alt": "the blue sea"})), made.pages[0][1]]
    changed = made.write(tmp_path / "out", [first, *made.pages[1:]])
    searcher = index.searcher(indexed, changed)
    assert searcher.num_stale == 1
    assert sorted(urls(searcher.search_text("red", 9))) == ["d/0", "e/0", "e/1"]
    index(changed, output=indexed, what="both")
    searcher = index.searcher(indexed, changed)
    assert searcher.num_stale == 0
    assert sorted(urls(searcher.search_text("red", 9))) == ["a/0", "b/0", "d/0", "e/0", "e/1"]


def test_a_side_without_embeddings_is_refused(index, pages, tmp_path):
    index(pages, output=tmp_path / "i")
    with pytest.raises(InputError, match="index with --what both"):
        index.searcher(tmp_path / "i", pages, side="text")


@pytest.mark.parametrize("spoil", ["rows", "embeddings"])
def test_damage_is_one_line(index, indexed, pages, spoil):
    path = layout.rows_path(indexed, 0)
    if spoil == "embeddings":
        path = layout.embeddings_path(indexed, "image", 0)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(ShardError, match=r"not readable.*index again"):
        index.searcher(indexed, pages).search_text("red", 9)


def test_a_line_for_a_pipe_holds_nothing_that_moves_a_terminal(index, made, tmp_path):
    evil = "\x1b]0;owned\x07a red\ttram\nof \u202eday"
    dataset = made.write(tmp_path / "evil", [[made.page("v", ("red", {"caption": evil}))]])
    index(dataset, output=tmp_path / "x")
    (hit,) = index.searcher(tmp_path / "x", dataset).search_text("red", 1)
    key = made.page("v").key
    assert plain_line(hit).split("\t")[1:] == [
        "1",
        key,
        "1",
        "https://img.example/v/0",
        "a red tram of day",
    ]
