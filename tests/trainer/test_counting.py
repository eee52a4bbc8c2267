import hashlib
import io
import sys

import pytest
import tokenizers

from openm3w.errors import InputError, MissingError
from openm3w.shards.document import Document, Image, Text
from openm3w.trainer.data.counting import counter
from openm3w.trainer.data.tokenizer import learn_bpe

PAGE = Document(
    doc_id="0" * 32,
    spans=(Text(text="äb"), Image(url=""), Text(text="cd"), Text(text="e<image></s>")),
)


def test_bytes_are_counted_without_specials_and_slots():
    # Between two texts without an image stands a blank line, as in a run.
    assert counter("bytes")(PAGE) == 3 + 2 + 2 + len("e<image></s>")


def test_a_tokenizer_json_is_known_by_its_digest(tmp_path):
    data = learn_bpe(["some words and more words"] * 9, 300).to_bytes()
    for name in ("a.json", "b.json"):
        (tmp_path / name).write_bytes(data)
    one, two = counter(str(tmp_path / "a.json")), counter(f"hf:{tmp_path / 'b.json'}")
    assert one.tokenizer == two.tokenizer
    assert one.tokenizer.sha256 == hashlib.sha256(data).hexdigest()
    assert (one.tokenizer.name, two.tokenizer.name) == ("a.json", "b.json")
    inner = tokenizers.Tokenizer.from_str(data.decode())
    text = "more words"
    document = Document(doc_id="", spans=(Text(text=text),))
    assert one(document) == len(inner.encode(text).ids)


def test_sentencepiece_counts_its_pieces(tmp_path):
    import sentencepiece

    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["some words and more words"] * 20),
        model_writer=model,
        vocab_size=40,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    path = tmp_path / "tiny.model"
    path.write_bytes(model.getvalue())
    library = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    text = "more words \ud800"
    assert counter(str(path))(Document(doc_id="", spans=(Text(text=text),))) == len(
        library.encode("more words ?")
    )


def test_an_empty_document_has_none():
    assert counter("bytes")(Document(doc_id="")) == 0


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [("none.json", None, "no such file; name bytes"), ("bpe:8192", None, "no such file"),
     ("a.json", b"{}", "not a tokenizer.json"), ("a.model", b"no model", "no SentencePiece model")],
)  # fmt: skip
def test_what_is_no_tokenizer_is_told(tmp_path, monkeypatch, name, data, said):
    monkeypatch.chdir(tmp_path)
    if data is not None:
        (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError, match=said):
        counter(name)


def test_without_sentencepiece_what_to_install_is_told(tmp_path, monkeypatch):
    (tmp_path / "a.model").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "sentencepiece", None)
    with pytest.raises(MissingError, match=r"pip install 'openm3w\[trainer\]'"):
        counter(str(tmp_path / "a.model"))
