"""Evaluation texts that a recipe lists: read strictly, so that none is left out unnoticed.

A `.txt` file has one text a line, a `.jsonl` file one object a line with a string `text`, or else
`question`. Empty lines are passed over. Every worker reads the files for itself: 16 bytes of
memory for each run of words while they are read, 8 afterwards.
"""

import contextlib
import functools
import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from openm3w.errors import InputError, RecipeError
from openm3w.filters.dedup.contamination import LEAST_WHOLE, Known, known_texts

MAX_NGRAMS = 20_000_000
"""Different runs of words in all files: 160 MB in each worker. Ours; MMLU's test set has 0.8 M."""
_FIELDS = ("text", "question")


def digests(paths: Sequence[str]) -> list[str]:
    """SHA-256 of each file, in hex; what a store's numbers depend on.

    Raises:
        InputError: a file is missing or cannot be read.
    """
    return [hashlib.sha256(_bytes(path)).hexdigest() for path in paths]


def read_texts(path: str) -> Iterator[str]:
    """The texts of one file.

    Raises:
        RecipeError: the file is of another kind than .txt and .jsonl.
        InputError: it is missing, is no UTF-8, or a line is no object with a text.
    """
    kind = Path(path).suffix
    if kind not in (".txt", ".jsonl"):
        raise RecipeError(
            f"dedup.evaluation_texts: {path} is neither .txt (one text a line) nor .jsonl"
        )
    try:
        lines = _bytes(path).decode("utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is no UTF-8 ({error}); convert it") from error
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield line.strip() if kind == ".txt" else _text_of(line, f"{path}:{number}")


def load(paths: Sequence[str], words: int, expected: Sequence[str] = ()) -> Known:
    """What is looked for of the texts in all files, `words` being the words of a run.

    `expected` are the files' `digests` when the build was planned, where it was.

    Raises:
        RecipeError: a file is of another kind, or has no text that is long enough.
        InputError: a file cannot be read or is another than expected, or together they are too
            large.
    """
    if expected and digests(paths) != list(expected):
        raise InputError(
            f"dedup.evaluation_texts: {', '.join(paths)}: changed during the build; run the same "
            "command again"
        )
    return _load(tuple((path, _stamp(path)) for path in paths), words)


@functools.lru_cache(maxsize=1)
def _load(files: tuple[tuple[str, int], ...], words: int) -> Known:
    every = Known(words=words)
    for path, _ in files:
        found = known_texts(read_texts(path), words)
        if not found.size:
            raise RecipeError(
                f"dedup.evaluation_texts: {path} has no text of {min(words, LEAST_WHOLE)} words or "
                "more, and shorter ones are not looked for; leave the file out"
            )
        every = every.joined(found)
        if every.size > MAX_NGRAMS:
            raise InputError(
                f"dedup.evaluation_texts: more than {MAX_NGRAMS:,} runs of {words} words up to "
                f"{path}; leave some out"
            )
    return every


def told(paths: Sequence[str], words: int) -> str:
    """One line on what is looked for and what is too short for it.

    Raises:
        RecipeError, InputError: as `load` does.
    """
    known = load(paths, words)
    least = min(words, LEAST_WHOLE)
    return (
        f"evaluation texts: {known.texts:,}; {known.whole:,} of fewer than {words} words are "
        f"looked for as a whole, {known.missed:,} of fewer than {least} are not looked for"
    )


def _stamp(path: str) -> int:
    """Tells a file from the one of its name that is in memory; one that is missing fails later."""
    with contextlib.suppress(OSError):
        return Path(path).stat().st_mtime_ns
    return 0


def _text_of(line: str, where: str) -> str:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: is no JSON ({error}); mend or remove the line") from error
    found = [value[key] for key in _FIELDS if key in value] if isinstance(value, dict) else []
    if not found or not isinstance(found[0], str):
        raise InputError(f"{where}: expected an object with a string 'text' or 'question'")
    return found[0]


def _bytes(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise InputError(
            f"dedup.evaluation_texts: {path}: {error.strerror or error}; name a file that is there"
        ) from error
