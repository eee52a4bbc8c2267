import dataclasses
import itertools
import random

import pytest

from openm3w.errors import RecipeError
from openm3w.filters.assignment import AssignedShare, SentenceScores, assign
from openm3w.filters.limits import judge
from openm3w.filters.profiles import load_profile
from openm3w.filters.selection import select


def moved(page, *rows, max_words=60):
    return assign(page, page, SentenceScores(rows=rows, max_words=max_words))


def outline(page):
    return [span.text if hasattr(span, "text") else span.url[20:-4] for span in page.spans]


def test_each_image_stands_before_the_sentence_that_fits_it(document, picture):
    page = document("One. Two.", picture("a"), picture("b"), "Three. Four.")

    cut = moved(page, (0.1, 0.2, 0.1, 0.9), (0.1, 0.8, 0.1, 0.2))

    assert outline(cut.document) == ["One.", "b", "Two.\n\nThree.", "a", "Four."]
    assert cut.kept == (1, 0)
    assert [i.scores["assigned_similarity"] for i in cut.document.images] == [0.8, 0.9]


def test_a_sentence_takes_one_image_and_the_sum_decides(document, picture):
    page = document("One. Two.", picture("a"), picture("b"))

    # Both like the first best; 0.9 + 0.7 is more than 0.8 + 0.1.
    cut = moved(page, (0.9, 0.1), (0.8, 0.7))

    assert outline(cut.document) == ["a", "One.", "b", "Two."]


def test_images_left_over_go_to_their_best_sentence(document, picture):
    page = document("One. Two.", picture("a"), picture("b"), picture("c"))

    cut = moved(page, (0.9, 0.1), (0.2, 0.8), (0.3, 0.4))

    assert outline(cut.document) == ["a", "One.", "b", "c", "Two."]
    assert cut.kept == (0, 1, 2)


def test_of_equal_sums_images_stay_nearest_to_their_place(document, picture):
    page = document("One. Two. Three.", picture("a"), "Four. Five.", picture("b"), "Six.")

    cut = moved(page, (0.5,) * 6, (0.5,) * 6)

    assert outline(cut.document) == ["One. Two. Three.", "a", "Four. Five.", "b", "Six."]
    assert cut.kept == (0, 1)


def test_the_sum_is_the_largest_that_trying_everything_finds(document, picture):
    draw = random.Random(5)
    for _ in range(30):
        rows = [[round(draw.uniform(-1, 1), 4) for _ in range(5)] for _ in range(3)]
        page = document("A. B. C.", *(picture(name) for name in "xyz"), "D. E.")
        found = sum(
            image.scores["assigned_similarity"] for image in moved(page, *rows).document.images
        )
        best = max(
            sum(row[at] for row, at in zip(rows, places, strict=True))
            for places in itertools.permutations(range(5), 3)
        )
        assert found == pytest.approx(best)


def test_no_text_and_no_image_is_lost(document, picture):
    draw = random.Random(6)
    text = "Alpha beta. Gamma delta epsilon! Zeta\n\nEta theta? Iota kappa."
    page = document(text, picture("a"), text, picture("b"), picture("c"), text)
    for _ in range(20):
        rows = [tuple(draw.uniform(-1, 1) for _ in range(15)) for _ in range(3)]
        cut = moved(page, *rows)
        words = " ".join(cut.document.texts).split()
        assert words == " ".join(page.texts).split()
        assert sorted(cut.kept) == [0, 1, 2]
        for place, image in zip(cut.kept, cut.document.images, strict=True):
            assert image.url == page.images[place].url


def test_what_follows_the_sentences_in_a_row_counts_for_nothing(document, picture):
    page = document("One.", picture("a"), "Two.")
    assert outline(moved(page, (0.9, 0.1, 1.0)).document) == ["a", "One.\n\nTwo."]


def test_a_long_sentence_is_split_where_its_windows_were(document, picture):
    page = document("a b c d e.", picture("x"))
    cut = moved(page, (0.1, 0.9), max_words=3)
    assert outline(cut.document) == ["a b c", "x", "d e."]


@pytest.mark.parametrize("spans", [("Text alone.",), ("image",)])
def test_without_text_or_without_images_nothing_moves(spans, document, picture):
    page = document(*(picture("a") if span == "image" else span for span in spans))
    cut = moved(page, *[()] * len(page.images))
    assert cut.document == page


@pytest.mark.parametrize("rows", [(), ((0.1,),), ((0.1, 0.2), (0.1, 0.2))])
def test_scores_that_are_not_of_the_document_are_refused(rows, document, picture):
    with pytest.raises(ValueError, match="1 images and 2 sentences"):
        moved(document("One. Two.", picture("a")), *rows)


@pytest.mark.parametrize(
    ("scores", "reason"),
    [
        # MMC4-core: at least 75 % of the assignments above 0.25.
        ([0.3, 0.3, 0.3, 0.1], None),
        ([0.3, 0.3, 0.3, 0.25, 0.2], "few_assigned"),
        ([0.2501, 0.3, 0.3, 0.25], None),
        ([0.25, 0.3, 0.3, 0.25], "few_assigned"),
        ([0.3, None], "not_assigned"),
        ([], "not_assigned"),
    ],
)
def test_the_share_of_assignments_that_fit(scores, reason, document, picture):
    images = [
        picture(str(at), **({} if score is None else {"assigned_similarity": score}))
        for at, score in enumerate(scores)
    ]
    rule, page = AssignedShare(), document("One.", *images)
    assert rule.keep(page).reason == reason
    assert judge(rule.limits(), rule.measure(page)).reason == reason


def test_selection_moves_the_images_that_are_left(document, picture):
    page = document("One. Two.", picture("a"), picture("b", 8, 8), picture("c"), "Three. Four.")
    profile = load_profile("kosmos1", ["document.assignment=bipartite", "text.min_words=1"])
    rows = ((0.1, 0.1, 0.1, 0.7), (0.1, 0.1, 0.9, 0.1), (0.1, 0.8, 0.6, 0.1))
    selection = select(
        page,
        ["", "", ""],
        profile,
        similarity_model="lit",
        sentences=SentenceScores(rows=rows, max_words=60),
    )
    assert outline(selection.document) == ["One.", "c", "Two.\n\nThree.", "a", "Four."]
    assert selection.kept == (2, 0)
    assert selection.images == ("", "too_small", "")
    assert dataclasses.replace(selection.document, spans=()) == dataclasses.replace(page, spans=())


LINES = ["document.assignment=bipartite", "text.min_words=1", "document.single_image_share=1.0"]
LINES += ["quality.c4_lines.min_words=3", "document.interspersed=false"]


def placed_by(page, *rows):
    return select(
        page,
        [""] * len(page.images),
        load_profile("kosmos1", LINES),
        similarity_model="lit",
        sentences=SentenceScores(rows=rows, max_words=60),
    )


def test_lines_are_judged_as_the_page_has_them_and_not_as_images_cut_them(document, picture):
    page = document(picture("a"), "Hi there. The harbour is quiet.")
    selection = placed_by(page, (0.1, 0.9))
    # "Hi there." is too short for a line, and is none: an image was put behind it.
    assert outline(selection.document) == ["Hi there.", "a", "The harbour is quiet."]


def test_an_image_goes_to_the_best_sentence_of_those_that_are_left(document, picture):
    page = document("Menu\nThe harbour is quiet.\nBoats lie along it.", picture("a"), "Menu")
    selection = placed_by(page, (0.9, 0.1, 0.4, 0.9))
    # The line "Menu" goes: it is no sentence. 0.4 is the largest cosine of the others.
    assert outline(selection.document) == ["The harbour is quiet.", "a", "Boats lie along it."]
    (image,) = selection.document.images
    assert image.scores["assigned_similarity"] == 0.4


def test_a_sentence_out_of_which_something_was_taken_has_no_scores(document, picture):
    page = document("The harbour[1] is quiet.\nBoats lie along it.", picture("a"))
    selection = placed_by(page, (0.9, 0.2))
    (image,) = selection.document.images
    assert outline(selection.document) == ["The harbour is quiet.", "a", "Boats lie along it."]
    assert image.scores["assigned_similarity"] == 0.2


def test_where_no_scored_sentence_is_left_no_image_is_assigned(document, picture):
    page = document("The harbour[1] is quiet.", picture("a"), "Menu")
    selection = placed_by(page, (0.9, 0.8))
    assert outline(selection.document) == ["The harbour is quiet.", "a"]
    assert "assigned_similarity" not in selection.document.images[0].scores


def test_of_two_lines_of_one_text_either_may_go(document, picture):
    twice = "Boats lie along it."
    page = document(f"{twice} The harbour is quiet.", picture("a"), twice)
    changed = document("The harbour is quiet.", picture("a"), twice)
    scores = SentenceScores(rows=((0.8, 0.1, 0.8),), max_words=60)
    cut = assign(changed, page, scores)
    assert outline(cut.document) == ["The harbour is quiet.", "a", twice]
    assert cut.document.images[0].scores["assigned_similarity"] == 0.8


def test_of_mmc4_first_text_is_changed_and_then_images_move(document, picture):
    def photo(name, nsfw):
        image = picture(name, 200, 150, nsfw_clip=nsfw, text_similarity=0.5)
        content = dataclasses.replace(image.content, original_format="jpeg")
        return dataclasses.replace(image, content=content)

    # C4 takes the menu away and "Hi there." stays, since its line goes on. Five sentences are left.
    page = document(
        *("Home | Boats", photo("a", 0.0), "Hi there. The harbour is quiet today."),
        *(photo("b", 0.0), photo("c", 0.5), "Three boats lie at the wall."),
        "A fisherman mends his nets. The tide comes back at noon.",
    )
    rows = (
        (0.9, 0.1, 0.2, 0.5, 0.1, 0.1),
        (0.1, 0.3, 0.8, 0.1, 0.7, 0.1),
        (0.1, 0.1, 0.9, 0.1, 0.1, 0.1),
    )
    selection = select(
        page,
        ["", "", ""],
        load_profile("mmc4"),
        similarity_model="openclip:ViT-L-14/openai",
        sentences=SentenceScores(rows=rows, max_words=60),
    )
    assert selection.images == ("", "", "nsfw_image")
    assert outline(selection.document) == [
        *("Hi there.", "b", "The harbour is quiet today.", "a"),
        "Three boats lie at the wall.\n\nA fisherman mends his nets. The tide comes back at noon.",
    ]
    found = [image.scores["assigned_similarity"] for image in selection.document.images]
    assert found == [0.8, 0.5]


def test_twins_are_gone_before_images_move(document, picture):
    page = document(picture("a"), picture("a2"), picture("b"), "The harbour lies. Boats lie here.")
    spans = tuple(
        dataclasses.replace(
            span,
            content=dataclasses.replace(span.content, phash="00ff" * 4 if at < 2 else "f" * 16),
        )
        if at < 3
        else span
        for at, span in enumerate(page.spans)
    )
    page = dataclasses.replace(page, spans=spans)
    # With its twin, which would take the boats, b would be left with the harbour.
    rows = ((0.3, 0.2), (0.3, 0.9), (0.2, 0.8))
    selection = select(
        page,
        [""] * 3,
        load_profile("kosmos1", [*LINES, "image.twin_distance=5"]),
        similarity_model="lit",
        sentences=SentenceScores(rows=rows, max_words=60),
    )
    assert selection.images == ("", "near_twin", "")
    assert outline(selection.document) == ["a", "The harbour lies.", "b", "Boats lie here."]


def test_a_share_without_an_assignment_is_refused():
    with pytest.raises(RecipeError, match=r"min_share asks for document\.assignment"):
        load_profile("kosmos1", ["assigned.min_share=0.75"])
