"""Text to ids without a download: UTF-8 bytes, a learned byte-level BPE, or a tokenizer.json.

The specials have ids of their own *outside* the tokenizer's vocabulary: text ids begin at
`NUM_SPECIALS`. So a page that contains "<image>" or "</s>" gives ordinary text tokens, whatever
the tokenizer's file declares; there is no string that encodes to a special.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from openm3w.errors import InputError, MissingError

SPECIALS: Final = ("<pad>", "<s>", "</s>", "<image>", "</image>", "<slot>")
"""Names of the ids 0 to 5; `<slot>` stands where an image's features go."""
PAD, BOS, EOS, IMAGE, IMAGE_END, SLOT = range(len(SPECIALS))
NUM_SPECIALS: Final = len(SPECIALS)
_NUM_BYTES = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenizerRecipe:
    """Which tokenizer a run uses, and how much text a learned one is learned from."""

    kind: str = "bpe:8192"
    """`bytes`, `bpe:N` (N ids in all, specials among them) or `hf:PATH` of a tokenizer.json."""
    sample_characters: int = 20_000_000
    """Upper bound of the training text that a BPE is learned from; more changes merges little."""

    def __post_init__(self) -> None:
        scheme, _, rest = self.kind.partition(":")
        smallest = _NUM_BYTES + NUM_SPECIALS
        well_formed = (
            self.kind == "bytes"
            or (scheme == "bpe" and rest.isdecimal() and int(rest) >= smallest)
            or (scheme == "hf" and bool(rest))
        )
        if not well_formed:
            raise ValueError(
                f"tokenizer.kind {self.kind!r}: expected bytes, hf:PATH, "
                f"or bpe:N with N >= {smallest}"
            )

    @property
    def planned_vocab_size(self) -> int:
        """Ids that the tokenizer has before it is learned or read, at most; 0 where unknown."""
        scheme, _, rest = self.kind.partition(":")
        return {"bytes": _NUM_BYTES + NUM_SPECIALS, "bpe": int(rest or 0)}.get(scheme, 0)


class Tokenizer(Protocol):
    """Text to ids at or above `NUM_SPECIALS`, and back."""

    @property
    def vocab_size(self) -> int:
        """Number of ids, specials among them."""

    def encode(self, text: str) -> list[int]: ...
    def decode(self, ids: Sequence[int]) -> str:
        """The text; specials are left out, broken UTF-8 becomes U+FFFD."""

    def to_bytes(self) -> bytes:
        """What `from_bytes` reads: the content of the run's tokenizer.json."""


@dataclass(frozen=True, slots=True)
class ByteTokenizer:
    """One id for each byte of UTF-8."""

    vocab_size: int = _NUM_BYTES + NUM_SPECIALS

    def encode(self, text: str) -> list[int]:
        return [byte + NUM_SPECIALS for byte in text.encode("utf-8", "replace")]

    def decode(self, ids: Sequence[int]) -> str:
        return bytes(i - NUM_SPECIALS for i in ids if i >= NUM_SPECIALS).decode("utf-8", "replace")

    def to_bytes(self) -> bytes:
        return json.dumps({"openm3w": "bytes"}).encode()


class FileTokenizer:
    """A tokenizer of the `tokenizers` library, moved up by `NUM_SPECIALS`."""

    def __init__(self, inner: Any) -> None:
        # Without this a "</s>" in the text would be read as the file's own special token.
        inner.encode_special_tokens = True
        inner.no_truncation()
        inner.no_padding()
        self._inner = inner

    @property
    def vocab_size(self) -> int:
        return int(self._inner.get_vocab_size(with_added_tokens=True)) + NUM_SPECIALS

    def encode(self, text: str) -> list[int]:
        # JSON can hold lone surrogates, which no UTF-8 library takes.
        clean = text.encode("utf-8", "replace").decode()
        ids: list[int] = self._inner.encode(clean, add_special_tokens=False).ids
        return [i + NUM_SPECIALS for i in ids]

    def decode(self, ids: Sequence[int]) -> str:
        text = [int(i) - NUM_SPECIALS for i in ids if i >= NUM_SPECIALS]
        return str(self._inner.decode(text, skip_special_tokens=False))

    def to_bytes(self) -> bytes:
        return str(self._inner.to_str()).encode()


def learn_bpe(texts: Iterable[str], vocab_size: int) -> FileTokenizer:
    """A byte-level BPE of at most `vocab_size` ids, the same for the same texts in the same order.

    Raises:
        InputError: there is no text to learn from.
    """
    library = _library()
    seen = 0

    def counted() -> Iterator[str]:
        nonlocal seen
        for text in texts:
            seen += bool(text.strip())
            yield text.encode("utf-8", "replace").decode()

    inner = library.Tokenizer(library.models.BPE())
    inner.pre_tokenizer = library.pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = library.decoders.ByteLevel()
    # The alphabet is a set inside the library; sorted, so that its ids are the same every time.
    alphabet = sorted(library.pre_tokenizers.ByteLevel.alphabet())
    trainer = library.trainers.BpeTrainer(
        vocab_size=vocab_size - NUM_SPECIALS, initial_alphabet=alphabet, show_progress=False
    )
    inner.train_from_iterator(counted(), trainer)
    if not seen:
        raise InputError("no text in the data to learn a BPE from; set tokenizer.kind=bytes")
    return FileTokenizer(inner)


def make_tokenizer(recipe: TokenizerRecipe, texts: Iterable[str]) -> Tokenizer:
    """The recipe's tokenizer; `texts` is read only where one has to be learned.

    Raises:
        InputError: the tokenizer.json is missing or not one, or there is no text.
    """
    scheme, _, rest = recipe.kind.partition(":")
    if scheme == "bytes":
        return ByteTokenizer()
    if scheme == "bpe":
        return learn_bpe(_bounded(texts, recipe.sample_characters), int(rest))
    path = Path(rest)
    if not path.is_file():
        raise InputError(f"tokenizer.kind hf:{rest}: no such file; name a tokenizer.json")
    return from_bytes(path.read_bytes(), where=rest)


def from_bytes(data: bytes, where: str) -> Tokenizer:
    """The inverse of `to_bytes`; also any tokenizer.json of the `tokenizers` library.

    Raises:
        InputError: it is neither; `where` names the file in the message.
    """
    try:
        value = json.loads(data)
    except ValueError as error:
        raise InputError(f"{where}: not a tokenizer.json: {error}") from error
    if value == {"openm3w": "bytes"}:
        return ByteTokenizer()
    if not isinstance(value, dict) or "model" not in value:
        raise InputError(f"{where}: not a tokenizer.json (no 'model' in it)")
    try:
        return FileTokenizer(_library().Tokenizer.from_str(data.decode()))
    except Exception as error:  # the library raises bare Exception
        raise InputError(f"{where}: not a tokenizer.json that can be read: {error}") from error


def _bounded(texts: Iterable[str], characters: int) -> Iterator[str]:
    left = characters
    for text in texts:
        if left <= 0:
            return
        yield text[:left]
        left -= len(text)


def _library() -> Any:
    try:
        import tokenizers
    except ImportError as error:
        raise MissingError(
            "the tokenizers package is not installed; pip install 'openm3w[trainer]', "
            "or set tokenizer.kind=bytes"
        ) from error
    return tokenizers
