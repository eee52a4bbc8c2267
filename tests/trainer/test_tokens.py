import pytest

from openm3w.shards.document import Document, Image, Text
from openm3w.trainer.data.tokenizer import BOS, EOS, IMAGE, IMAGE_END, SLOT
from openm3w.trainer.data.tokens import IGNORE, cut, document_ids, encode_document, next_targets

A, B, C, D = 100, 101, 102, 103
NONE = IGNORE
LETTERS = {"a": A, "b": B, "c": C, "d": D, "\n": 110}


def encode(text):
    return [LETTERS[letter] for letter in text]


def document(*spans):
    made = [Text(text=s) if isinstance(s, str) else Image(url="") for s in spans]
    return Document(doc_id="0" * 32, spans=tuple(made))


def pieces(*spans, length=16, max_images=9, slots=2):
    return encode_document(
        document(*spans), encode, slots=slots, length=length, max_images=max_images
    )


@pytest.mark.parametrize(
    ("spans", "ids"),
    [
        (["ab"], [BOS, A, B, EOS]),
        ([0, "ab"], [BOS, IMAGE, SLOT, SLOT, IMAGE_END, A, B, EOS]),
        (
            ["a", 0, "b", 0],
            [BOS, A, IMAGE, SLOT, SLOT, IMAGE_END, B, IMAGE, SLOT, SLOT, IMAGE_END, EOS],
        ),
        (["a", "b"], [BOS, A, 110, 110, B, EOS]),
        ([], [BOS, EOS]),
    ],
)
def test_a_document_becomes_ids_in_the_form_of_kosmos(spans, ids):
    assert document_ids(document(*spans), encode, slots=2) == ids


def test_targets_are_the_next_ids_where_those_are_text_or_the_end():
    ids = [BOS, IMAGE, SLOT, SLOT, IMAGE_END, A, B, IMAGE, SLOT, SLOT, IMAGE_END, C, EOS]
    expected = [NONE, NONE, NONE, NONE, A, B, NONE, NONE, NONE, NONE, C, EOS]
    assert next_targets(ids) == expected


def test_the_first_word_is_predicted_from_the_end_of_the_image():
    (piece,) = pieces(0, "ab")
    assert piece.ids == (BOS, IMAGE, SLOT, SLOT, IMAGE_END, A, B)
    assert piece.targets == (NONE, NONE, NONE, NONE, A, B, EOS)
    assert (piece.image_at, piece.images, piece.loss_tokens) == ((2,), (0,), 3)


@pytest.mark.parametrize(("length", "number"), [(5, 1), (4, 2), (2, 3), (1, 5)])
def test_a_long_text_is_split_and_each_transition_predicted_once(length, number):
    found = pieces("abcd", length=length)
    assert len(found) == number
    assert sum((p.ids for p in found), ()) == (BOS, A, B, C, D)
    assert sum((p.targets for p in found), ()) == (A, B, C, D, EOS)


def test_an_image_with_its_tags_is_never_split():
    found = pieces("ab", 0, "c", length=6)
    assert [p.ids for p in found] == [(BOS, A, B), (IMAGE, SLOT, SLOT, IMAGE_END, C)]
    assert [p.image_at for p in found] == [(), (1,)]
    assert [p.targets for p in found] == [(A, B, NONE), (NONE, NONE, NONE, C, EOS)]


def test_images_beyond_the_bound_start_a_new_piece_and_keep_their_number():
    found = pieces(0, "a", 0, "b", 0, "c", max_images=2, length=64)
    assert [p.images for p in found] == [(0, 1), (2,)]


def test_images_after_the_last_text_teach_the_end_and_those_between_pieces_nothing():
    assert [p.loss_tokens for p in pieces("a", 0)] == [2]
    assert [p.images for p in pieces("a", 0, 0, 0, max_images=1, length=5)] == [(), (2,)]


@pytest.mark.parametrize("spans", [[], [""], [0], [0, ""], [0, 0]])
def test_a_document_without_text_teaches_nothing(spans):
    assert pieces(*spans) == []


def test_an_image_longer_than_a_row_is_refused():
    with pytest.raises(ValueError, match="takes 4 positions, a row has 3"):
        cut([IMAGE, SLOT, SLOT, IMAGE_END], length=3, max_images=1)
