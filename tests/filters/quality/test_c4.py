import pytest

from openm3w.filters.quality.c4 import C4Lines, C4Page
from openm3w.filters.quality.facts import TextFacts
from openm3w.shards.document import Text

GOOD = "This is a line."


@pytest.mark.parametrize(
    ("line", "left"),
    [
        ("Three words here.", True),
        ("Two words.", False),
        ("Has it an end!", True),
        ("Has it an end?", True),
        ('He said "it has."', True),
        ("No end at all", False),
        ("A colon is none:", False),
        ("It goes on and on...", False),
        ("Please enable JavaScript now.", False),
        ("We have a privacy policy here.", False),
        ("Read our Terms of Use first.", False),
        ("This site uses cookies for all.", False),
        ("She baked cookies for him.", True),
        (f"It has {'x' * 1000} in it.", True),
        (f"It has {'x' * 1001} in it.", False),
    ],
)
def test_which_lines_stay(line, left, document):
    page = document(f"{GOOD}\n{line}\n{GOOD}")
    cut = C4Lines().apply(page)
    assert cut.document.texts == (page.texts if left else (f"{GOOD}\n{GOOD}",))
    assert cut.document.scores.get("c4_lines_removed", 0) == (0 if left else 1)


@pytest.mark.parametrize(
    ("line", "plain"),
    [
        ("It was so.[12]", "It was so."),
        ("It was so[edit] then[citation needed].", "It was so then."),
        ("It was [so] then.", "It was [so] then."),
    ],
)
def test_marks_of_citations_are_taken_out(line, plain, document):
    cut = C4Lines().apply(document(line))
    assert cut.document.texts == (plain,)
    assert cut.document.scores == {}


def test_paragraphs_stay_apart_and_images_in_place(document, picture):
    a, b = picture("a"), picture("b")
    page = document(f"Menu\n\n{GOOD}\nMenu\n\nMenu\n\n{GOOD}", a, "Share", b, GOOD)
    cut = C4Lines().apply(page)
    assert cut.document.spans == (Text(text=f"{GOOD}\n\n{GOOD}"), a, b, Text(text=GOOD))
    assert cut.kept == (0, 1)
    assert cut.document.scores == {"c4_lines_removed": 4}


def test_a_document_of_good_lines_is_left_as_it_is(document, picture):
    page = document(f"{GOOD}\n \n{GOOD}  ", picture(), GOOD)
    assert C4Lines().apply(page).document == page


def test_lines_need_no_end_where_none_is_asked_for(document):
    cut = C4Lines(closed_lines=False).apply(document("No end at all\nMenu\nAnd on..."))
    assert cut.document.texts == ("No end at all",)
    assert C4Lines(end_marks=(":",)).apply(document("It is this:\nIt was.")).document.texts == (
        "It is this:",
    )


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("Lorem ipsum dolor sit amet.", "c4_lorem_ipsum"),
        ("LOREM IPSUM and our privacy policy.", "c4_lorem_ipsum"),
        ("It is written { so }.", "c4_curly_bracket"),
        ("The privacy policy is { so }.", "c4_curly_bracket"),
        ("In JavaScript you write { so }.", None),  # the line goes before
        ("lorem ipsum", None),  # no sentence
        ("{ }", None),
    ],
)
def test_a_line_that_costs_the_page_stays_for_the_page_rule(line, reason, document):
    page = document("\n".join([GOOD] * 5), line)
    left = C4Lines().apply(page).document
    assert C4Page().keep(TextFacts.of(left)).reason == reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("One. Two. Three. Four.", "c4_too_few_sentences"),
        ("One. Two. Three. Four. Five.", None),
        ("One.\nTwo.\nThree.\nFour.\nFive.", None),
        ("One. Two.\n\nThree. Four.", "c4_too_few_sentences"),
        ("", "c4_too_few_sentences"),
    ],
)
def test_a_page_has_five_sentences(text, reason, facts):
    assert C4Page().keep(facts(text)).reason == reason


def test_parts_of_the_page_rule_may_be_switched_off(facts):
    rule = C4Page(min_sentences=0, lorem_ipsum=False, curly_bracket=False)
    assert rule.keep(facts("{ lorem ipsum }"))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: C4Page(min_sentences=-1), "min_sentences is -1"),
        (lambda: C4Lines(min_words=-1), "min_words -1"),
        (lambda: C4Lines(max_word_characters=0), "max_word_characters 0"),
    ],
)
def test_a_bound_that_makes_no_sense_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
