import dataclasses

import pytest

from openm3w.filters.window import Window, count_tokens


def test_a_document_no_longer_than_the_window_stays_whole(document, picture):
    page = document("a b c", picture("a"), "d e f")
    assert sum(map(count_tokens, page.spans)) == 8
    cut = Window(tokens=8).apply(page)
    assert cut.document.spans == page.spans
    assert cut.document.scores == {
        "window_start_token": 0.0,
        "window_tokens": 8.0,
        "window_ends_document": 1.0,
    }
    assert cut.kept == (0,)


def test_a_longer_document_is_cut_to_the_window(document, picture):
    page = document("a b c", picture("a"), "d e f")
    shorter = [Window(tokens=7, seed=seed).apply(page).document for seed in range(20)]
    assert {d.texts for d in shorter} == {("a b c", "d e"), ("b c", "d e f")}


def test_the_document_s_end_is_marked_where_the_window_reaches_it(document, picture):
    # Ten tokens: the windows of nine begin at the first and end a token early, or at the second.
    page = document("a b c d", picture("a"), "e f g h")
    seen = set()
    for i in range(40):
        cut = Window(tokens=9).apply(dataclasses.replace(page, doc_id=f"{i:032x}")).document
        ends = cut.texts[-1].endswith("h")
        assert cut.scores["window_ends_document"] == (1.0 if ends else 0.0)
        assert cut.scores["window_start_token"] == (1.0 if ends else 0.0)
        seen.add(ends)
    assert seen == {True, False}


def test_a_window_as_long_as_the_document_ends_it_and_one_token_less_may_not(document):
    page = document("a b c")
    assert Window(tokens=3).apply(page).document.scores["window_ends_document"] == 1.0
    assert Window(tokens=4).apply(page).document.scores["window_ends_document"] == 1.0
    ends = {
        Window(tokens=2, seed=seed).apply(page).document.texts: Window(tokens=2, seed=seed)
        .apply(page)
        .document.scores["window_ends_document"]
        for seed in range(20)
    }
    assert ends == {("a b",): 0.0, ("b c",): 1.0}


@pytest.mark.parametrize("length", [1, 2, 3, 7, 40])
def test_what_is_left_fits_and_is_a_run_of_the_input(length, document, picture):
    text = " ".join(f"w{i}" for i in range(12))
    for i in range(30):
        page = document(text, picture("a"), "middle words", picture("b"), text, doc_id=f"{i:032x}")
        cut = Window(tokens=length).apply(page)
        assert sum(map(count_tokens, cut.document.spans)) <= length
        assert [page.images[k] for k in cut.kept] == list(cut.document.images)
        assert all(any(part in whole for whole in page.texts) for part in cut.document.texts)


def test_an_image_at_the_edge_is_inside_wholly_or_not_at_all(document, picture):
    page = document("a", picture("a"), "b")
    cuts = {
        (cut.document.texts, len(cut.kept))
        for cut in (Window(tokens=2, seed=seed).apply(page) for seed in range(40))
    }
    assert cuts == {(("a",), 0), ((), 1), (("b",), 0)}


def test_the_place_depends_on_document_and_seed_alone(document):
    text = " ".join(f"w{i}" for i in range(2000))
    pages = [document(text, doc_id=f"{i:032x}") for i in range(20)]
    first = [Window().apply(page) for page in pages]
    assert first == [Window().apply(page) for page in pages]
    starts = {cut.document.scores["window_start_token"] for cut in first}
    assert len(starts) > 10
    assert max(starts) <= 2000 - 256
    assert all(count_tokens(cut.document.spans[0]) == 256 for cut in first)


def test_spacing_inside_the_window_stays(document):
    assert Window(tokens=3).apply(document("a\n\nb  c")).document.texts == ("a\n\nb  c",)


def test_a_window_without_tokens_is_refused():
    with pytest.raises(ValueError, match="tokens"):
        Window(tokens=0)
