import json

import pytest

from openm3w.errors import InputError
from openm3w.trainer.data.tokenizer import (
    EOS,
    NUM_SPECIALS,
    SPECIALS,
    ByteTokenizer,
    TokenizerRecipe,
    from_bytes,
    learn_bpe,
    make_tokenizer,
)

TEXTS = ["the dog runs on the road", "the cat sits on the road", "äöü 東京 the dog"] * 20


@pytest.fixture(params=["bytes", "bpe", "file"])
def words(request, tmp_path):
    if request.param == "bytes":
        return ByteTokenizer()
    learned = learn_bpe(TEXTS, 300)
    if request.param == "bpe":
        return learned
    # A tokenizer.json of somebody else's, whose own specials look just like ours.
    table = json.loads(learned.to_bytes())
    size = learned.vocab_size - NUM_SPECIALS
    table["added_tokens"] = [
        {
            "id": size + i,
            "content": name,
            "special": True,
            "single_word": False,
            "lstrip": False,
            "rstrip": False,
            "normalized": False,
        }
        for i, name in enumerate(SPECIALS)
    ]
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps(table))
    return make_tokenizer(TokenizerRecipe(kind=f"hf:{path}"), ())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "plain words",
        "  spaces\tand\n\nlines ",
        "äöü 東京 \U0001f600",
        *(f"a page that says {name} in its text" for name in SPECIALS),
        "".join(SPECIALS),
    ],
)
def test_text_never_becomes_a_special_and_comes_back(words, text):
    ids = words.encode(text)
    assert all(NUM_SPECIALS <= i < words.vocab_size for i in ids)
    assert words.decode(ids) == text


def test_specials_are_left_out_of_decoded_text(words):
    assert words.decode([*words.encode("ab"), EOS, *words.encode("c")]) == "abc"


def test_a_lone_surrogate_encodes_as_a_question_mark(words):
    assert words.decode(words.encode("a\ud800b")) == "a?b"


def test_a_tokenizer_survives_its_file(words):
    again = from_bytes(words.to_bytes(), where="there")
    assert again.vocab_size == words.vocab_size
    assert again.encode(TEXTS[2]) == words.encode(TEXTS[2])


def test_the_same_texts_give_the_same_bpe():
    assert learn_bpe(TEXTS, 320).to_bytes() == learn_bpe(TEXTS, 320).to_bytes()


def test_a_bpe_has_no_more_ids_than_asked_for_and_shortens_text():
    learned = learn_bpe(TEXTS, 280)
    assert learned.vocab_size == 280
    assert len(learned.encode("the dog runs")) < len("the dog runs")


def test_only_so_much_text_is_read_for_a_bpe():
    read = []

    def texts():
        for text in TEXTS:
            read.append(text)
            yield text

    make_tokenizer(TokenizerRecipe(kind="bpe:300", sample_characters=50), texts())
    assert len(read) <= 4


@pytest.mark.parametrize("kind", ["byte", "bpe", "bpe:", "bpe:x", "bpe:261", "hf:", "hf"])
def test_an_unknown_kind_is_refused(kind):
    with pytest.raises(ValueError, match=r"tokenizer\.kind"):
        TokenizerRecipe(kind=kind)


def test_a_bpe_needs_text():
    with pytest.raises(InputError, match="no text"):
        learn_bpe(["", " "], 300)


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b'{"model": 3}', b"\xff"])
def test_what_is_no_tokenizer_is_refused(data):
    with pytest.raises(InputError, match=r"there: not a tokenizer\.json"):
        from_bytes(data, where="there")


def test_a_missing_tokenizer_file_is_named(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        make_tokenizer(TokenizerRecipe(kind=f"hf:{tmp_path}/none.json"), ())
