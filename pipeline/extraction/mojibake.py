"""UTF-8 that was read as windows-1252 or Latin-1, turned back where that is sure.

`Ã©` is an é that was read wrongly, and `CAFÉ°` is a word with the sign of a note, though É and °
would make a letter too. What tells them apart is whether a right text ever has such characters
side by side: ¤ and ˆ never follow a letter, no word of small letters has a capital with an accent
inside, but a closing quotation mark may follow any letter. A line without such a proof stays as
it is. (Speer's ftfy judges by likelihood: it also changes `déjà¹ vu`, `CAFÉ°` and `Ø½ inch`.)
"""

# ruff: noqa: RUF001, RUF002, RUF003 -- characters that look like others are what this is about

import contextlib
import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

MAX_ROUNDS: Final = 4
"""Text that was read wrongly twice needs two. What needs more was made to, and stays as it is: each
round may find one letter only, and a page of them would take hours."""

LONG_RUN: Final = 3
"""Letters read wrongly in a row; right texts never change so often between letters and marks."""

_WINDOWS: Final = {
    char: byte
    for byte in range(0x80, 0xA0)
    if (char := bytes((byte,)).decode("cp1252", "replace")) != "\ufffd"
}
_TO_BYTES: Final = {ord(char): byte for char, byte in _WINDOWS.items()}
_FROM_CONTROLS: Final = {byte: char for char, byte in _WINDOWS.items() if byte != 0x85}
"""What C1 controls stand for, by the rule of HTML; U+0085 is a line break and stays."""

# What stands for a byte from 80 to BF, by where right texts have it.
_ODD: Final = "\x80-\x84\x86-\x9f‚„ƒˆ‰˜€¢£¤¥¦¨¬¯µ¸¼½¾"
"""Never directly after a letter."""
_LETTERS: Final = "ŠšŒœŽžŸ"
_MARKS: Final = "™®©°±²³¹ªº´§¶†‡¡¿"
"""After the last letter of a word, as signs of notes and units are."""
_JOINERS: Final = "\u00a0\u00ad…‘’“”•–—‹›«»·"
"""After any letter, and some of them between two."""
_ANY: Final = f"\x80-\xbf{''.join(_WINDOWS)}"

_SEQUENCES: Final = f"[Â-ß][{_ANY}]|[à-ï][{_ANY}]{{2}}|[ð-ô][{_ANY}]{{3}}"
_SEQUENCE: Final = re.compile(_SEQUENCES)
_RUN: Final = re.compile(f"(?:{_SEQUENCES})++")
_RUN_BACKWARDS: Final = re.compile(f"(?:[{_ANY}][Â-ß]|[{_ANY}]{{2}}[à-ï]|[{_ANY}]{{3}}[ð-ô])++")
_LONG_RUN: Final = re.compile(f"(?:{_SEQUENCES}){{{LONG_RUN},}}+")
_NOT_JOINED: Final = re.compile(f"[{_ODD}{_LETTERS}{_MARKS}]")

_CAPITAL: Final = "A-ZÀ-ÖØ-ÞŠŒŽŸ"
_PROOF: Final = re.compile(
    f"(?=[Â-ô][{_ANY} ])(?:"
    + "|".join(
        (
            f"â€[{_ANY}\ufffd]",
            "ï»¿|ï¿½",
            f"ðŸ[{_ANY}]{{2}}",
            # The first bytes of Latin, Greek, Cyrillic and Arabic letters. The others begin
            # letters of few languages, and × and Ø are signs too: they prove nothing alone.
            f"[ÂÃÄÅÎÏÐÑÙÚÛ][{_ODD}]",
            f"[à-ï](?:[{_ODD}][{_ANY}]|[{_LETTERS}{_MARKS}][{_ODD}])",
            f"(?<=[a-z])[Â-ÖÙ-Ý][{_ANY}]",
            f"(?<=[0-9.,;:!?)])Â[{_ANY}]",
            f"(?<![{_CAPITAL}])Â(?:[{_MARKS}]|\u00a0(?=[A-Za-z]))",
            f"Ã[{_LETTERS}]",
            f"(?<![{_CAPITAL}])Ã[{_MARKS}]",
            f"(?<=[{_CAPITAL}])Ã[{_MARKS}](?=[A-Za-z])",
            f"(?<![{_CAPITAL}])Ã[\u00ad…‘’“”•–—‹›«»·](?=[a-z])",
            # No-break spaces, whole or in the bytes of à, that became spaces.
            "(?<=[a-z.,;:!?)])Â(?= )|(?<=[a-z])Ã(?= )",
        )
    )
    + ")"
)
_DOUBTFUL: Final = re.compile(f"(?<![a-z])[Ç-Í][{_JOINERS}](?![a-z])")
"""Capitals at the end of a word that would become rare letters, as in `CAFÉ :`."""
_LOST_SPACE: Final = re.compile("(?<=[a-z.,;:!?)])Â(?= )|(?<=[a-z])Ã(?= )")
_LONE_LOST_SPACE: Final = re.compile("(?<![^ ])[ÂÃ](?= )")

# A first byte and the one after it, in UTF-8: there all of them begin alike and are found fast.
_HINT: Final = re.compile(
    rb"\xc3[\x82-\xb4](?:\xc2[\x80-\xbf]"
    rb"|\xe2(?:\x80[\x93\x94\x98-\x9e\xa0-\xa6\xb0\xb9\xba]|\x82\xac|\x84\xa2)"
    rb"|\xc5[\x92\x93\xa0\xa1\xb8\xbd\xbe]|\xc6\x92|\xcb[\x86\x9c])"
)
_CONTROLS: Final = re.compile(rb"\xc2[\x80-\x84\x86-\x9f]")


def unscramble(text: str) -> str:
    """The text with what was surely read wrongly turned back; line breaks stay.

    C1 controls become the characters of windows-1252 in their place, as HTML has it.
    """
    data = text.encode("utf-8", "surrogatepass")
    if _HINT.search(data) or ("Â" in text and "Â " in text) or ("Ã" in text and "Ã " in text):
        text = "\n".join(_line(line) for line in text.split("\n"))
        data = text.encode("utf-8", "surrogatepass")
    return text.translate(_FROM_CONTROLS) if _CONTROLS.search(data) else text


def _line(line: str) -> str:
    read = line
    for _ in range(MAX_ROUNDS):
        before, read = read, _round(read)
        if read == before:
            return read
    return read if _round(read) == read else line


def _round(line: str) -> str:
    """One wrong reading less."""
    if not _PROOF.search(line) and next(_long_runs(line), None) is None:
        return line
    line = _LOST_SPACE.sub(_lost_space, line.replace("â€\ufffd", "â€\x9d"))
    if not _DOUBTFUL.search(line):
        # A line that is right in any place beyond ASCII is no UTF-8.
        with contextlib.suppress(UnicodeError):
            return _decode(_LONE_LOST_SPACE.sub(_lost_space, line))
    return _turn_back_proved(line)


def _turn_back_proved(line: str) -> str:
    """The line with those runs turned back that are proved by themselves."""
    # Not run by run: each round looks at the line again, and most of a long line may be unproved.
    proofs = (match.start() for match in _PROOF.finditer(line))
    backwards = line[::-1]
    parts, end = list[str](), 0
    for position in sorted((*proofs, *_long_runs(line))):
        if position < end:
            continue
        before = _RUN_BACKWARDS.match(backwards, len(line) - position)
        start = position - (len(before[0]) if before is not None else 0)
        run = _RUN.match(line, start)
        if run is not None:
            parts += line[end:start], _turn_back(run[0])
            end = run.end()
    return "".join((*parts, line[end:]))


def _long_runs(line: str) -> Iterator[int]:
    """Where long runs begin that hold more than what may follow any letter."""
    for run in _LONG_RUN.finditer(line):
        if _NOT_JOINED.search(run[0]):
            yield run.start()


def _turn_back(run: str) -> str:
    if _SEQUENCE.fullmatch(run):
        return _decoded(run)
    try:
        return _decode(run)
    except UnicodeError:
        return _SEQUENCE.sub(lambda sequence: _decoded(sequence[0]), run)


def _lost_space(match: re.Match[str]) -> str:
    """The no-break space between words goes, that of à comes back."""
    return "Ã\u00a0" if match[0] == "Ã" else ""


@lru_cache(maxsize=1 << 12)
def _decoded(sequence: str) -> str:
    """A sequence turned back, or as it is where it means nothing."""
    try:
        return _decode(sequence)
    except UnicodeError:
        return sequence


def _decode(text: str) -> str:
    """What was meant by bytes that were read as windows-1252.

    Raises:
        UnicodeError: it was not, or would be no character.
    """
    decoded = text.translate(_TO_BYTES).encode("latin-1").decode("utf-8")
    if any(unicodedata.category(char) in ("Cn", "Co") for char in set(decoded)):
        raise UnicodeError("not a character")
    return decoded
