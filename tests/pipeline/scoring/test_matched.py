from dataclasses import replace

import pytest

from openm3w.pipeline.scoring.matched import with_matches
from openm3w.pipeline.scoring.windows import Windows
from openm3w.shards.document import Document, Image, Text

FIRST, SECOND = Image(url="http://a/1.jpg", alt="A tram"), Image(url="http://a/2.jpg")
SCORED = Document(
    doc_id="0" * 32,
    spans=(Text(text="One. Two."), FIRST, Text(text="Three."), SECOND, Text(text="Four.")),
)
WINDOWS = Windows(scope="near", each_side=1)


def matches(chosen, kept, cosines):
    found = with_matches(chosen, kept, SCORED, cosines, WINDOWS)
    return [(image.matched_text, image.matched_from) for image in found.images]


def test_each_image_names_the_window_that_it_is_most_like():
    # Windows of the first: Two., Three., A tram; of the second: Three., Four.
    cosines = {0: (0.1, 0.2, 0.3), 1: (0.4, 0.2)}
    assert matches(SCORED, (0, 1), cosines) == [("A tram", "alt"), ("Three.", "before")]
    assert matches(SCORED, (0, 1), {0: (0.3, 0.3, 0.1), 1: (0.1, 0.2)}) == [
        ("Two.", "before"),
        ("Four.", "after"),
    ]


def test_images_that_moved_or_went_keep_what_they_were_scored_with():
    chosen = replace(SCORED, spans=(SECOND, Text(text="Four.")))
    assert matches(chosen, (1,), {0: (0.1, 0.2, 0.3), 1: (0.4, 0.2)}) == [("Three.", "before")]


def test_without_scores_nothing_is_said():
    assert with_matches(SCORED, (0, 1), SCORED, {}, WINDOWS) is SCORED
    assert matches(SCORED, (0, 1), {0: (0.1, 0.2, 0.3)})[1] == ("", "")


def test_scores_of_other_windows_are_refused():
    with pytest.raises(ValueError, match="zip"):
        matches(SCORED, (0, 1), {0: (0.1, 0.2)})
