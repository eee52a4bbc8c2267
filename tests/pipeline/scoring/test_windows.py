import pytest

from openm3w.pipeline.scoring.windows import Windows, image_windows, split
from openm3w.shards.document import Document, Image, Text


@pytest.mark.parametrize(
    ("text", "windows"),
    [
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ("A line\nanother", ["A line", "another"]),
        ("一二。三四！五", ["一二。", "三四！", "五"]),
        ("", []),
        (" \n ", []),
        ("a b c d e f g", ["a b c", "d e f", "g"]),
        ("v1.2 stays", ["v1.2 stays"]),
    ],
)
def test_windows_are_sentences_of_bounded_length(text, windows):
    assert list(split(text, 3)) == windows


def test_a_script_without_spaces_is_cut_by_characters():
    assert list(split("字" * 7, 3)) == ["字字字", "字字字", "字"]


def windows_of(document, **settings):
    return [
        [(w.origin, w.text) for w in found]
        for found in image_windows(document, Windows(**settings))
    ]


PAGE = Document(
    doc_id="x",
    spans=(
        Text(text="One. Two. Three."),
        Image(url="http://a/1", alt="An alt", title="A title", caption="Four."),
        Text(text="Four. Five. Six."),
        Image(url="http://a/2", caption="Seen. And more."),
    ),
)


def test_near_takes_windows_on_either_side_and_what_the_page_says_of_the_image():
    assert windows_of(PAGE, each_side=2) == [
        [
            ("before", "Two."),
            ("before", "Three."),
            ("after", "Four."),
            ("after", "Five."),
            ("alt", "An alt"),
            ("title", "A title"),
        ],
        [("before", "Five."), ("before", "Six."), ("caption", "Seen.")],
    ]


def test_all_takes_every_window():
    assert [len(found) for found in windows_of(PAGE, scope="all")] == [8, 7]


def test_an_image_without_any_text_has_no_window():
    assert windows_of(Document(doc_id="x", spans=(Image(url="http://a/1"),))) == [[]]


def test_no_sentences_on_either_side_leave_alt_and_caption():
    image = Image(url="http://a.example/i", alt="A boat")
    document = Document(doc_id="0" * 32, spans=(Text(text="One. Two."), image, Text(text="Three.")))

    assert windows_of(document, each_side=0) == [[("alt", "A boat")]]
    assert windows_of(document, each_side=9)[0][0] == ("before", "One.")


@pytest.mark.parametrize("settings", [{"each_side": -1}, {"max_words": 0}])
def test_windows_that_mean_nothing_are_refused(settings):
    with pytest.raises(ValueError, match="must be at least"):
        Windows(**settings)
