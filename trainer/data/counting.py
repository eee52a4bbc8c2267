"""Tokenizers by name, for counting: what a run uses, a tokenizer.json, or a SentencePiece model."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openm3w.errors import InputError, MissingError
from openm3w.shards.document import Document
from openm3w.shards.lengths import TokenizerName
from openm3w.trainer.data.tokenizer import NUM_SPECIALS, ByteTokenizer, from_bytes
from openm3w.trainer.data.tokens import document_ids

_SENTENCEPIECE = ".model"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """Counts the text tokens of documents."""

    tokenizer: TokenizerName
    encode: Callable[[str], Sequence[int]]
    """Text to ids at or above `NUM_SPECIALS`."""

    def __call__(self, document: Document) -> int:
        """As a run has them: paragraphs joined where no image stands between, specials left out."""
        ids = document_ids(document, self.encode, slots=0)
        return sum(token >= NUM_SPECIALS for token in ids)


def counter(name: str) -> Counter:
    """The counter of a tokenizer: `bytes`, a tokenizer.json, or a SentencePiece `.model`.

    Args:
        name: A path, also as `hf:PATH` as recipes have it. Two files with equal bytes are one
            tokenizer.

    Raises:
        InputError: there is no such file, or it is none of these; `bpe:N` names no tokenizer, but
            how a run learns one.
        MissingError: its library is not installed.
    """
    if name == "bytes":
        tokenizer = ByteTokenizer()
        digest = hashlib.sha256(tokenizer.to_bytes()).hexdigest()
        return Counter(tokenizer=TokenizerName(digest, name), encode=tokenizer.encode)
    path = Path(name.removeprefix("hf:"))
    if not path.is_file():
        raise InputError(
            f"{name}: no such file; name bytes, a tokenizer.json (a run has one in its folder), "
            "or a SentencePiece .model"
        )
    data = path.read_bytes()
    # The folder is of one machine.
    told = TokenizerName(hashlib.sha256(data).hexdigest(), path.name)
    if path.suffix == _SENTENCEPIECE:
        return Counter(tokenizer=told, encode=_sentencepiece(data, name))
    return Counter(tokenizer=told, encode=from_bytes(data, where=name).encode)


def _sentencepiece(data: bytes, where: str) -> Callable[[str], Sequence[int]]:
    try:
        import sentencepiece
    except ImportError as error:
        raise MissingError(
            "the sentencepiece package is not installed; pip install 'openm3w[trainer]'"
        ) from error
    try:
        model: Any = sentencepiece.SentencePieceProcessor(model_proto=data)
    except (RuntimeError, ValueError) as error:
        raise InputError(f"{where}: no SentencePiece model: {error}") from error

    def encode(text: str) -> list[int]:
        clean = text.encode("utf-8", "replace").decode()
        return [NUM_SPECIALS + token for token in model.encode(clean)]

    return encode
