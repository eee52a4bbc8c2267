"""Text from the web, made safe to print.

A page may hold escape sequences that retitle a window, write to the clipboard or make a terminal
answer as if somebody had typed; and characters that turn around or hide what a person reads.
Nothing that came from an archive goes to a terminal except through `clean`.
"""

import math
import os
import re

import click

# ECMA-48, 7-bit form: control strings (DCS, SOS, OSC, PM, APC) with their terminator, CSI
# sequences, then what is left of other escapes. The 8-bit forms lose their first character only,
# like every control: in wrongly decoded pages U+009D is the rest of a quotation mark, and
# swallowing up to a terminator would swallow the page.
_SEQUENCES = re.compile(
    r"\x1b[\]PX^_][^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)"
    r"|\x1b\[[0-?]*[ -/]*[@-~]?"
    r"|\x1b[ -/]*[0-~]?"
)
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
# Bidirectional marks, overrides and isolates (UAX 9), zero-width and invisible characters,
# fillers, interlinear annotation, halves of surrogate pairs, tags.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)
# A single joiner stays after a letter of the scripts that need it, and inside emoji.
_JOINERS = re.compile("(?<![\u0590-\u1cff\u2190-\u2bff\ufe0f\U0001f000-\U0001faff])[\u200c\u200d]")
_LINE_ENDS = re.compile("\r\n?|[\x85\u2028\u2029]")
# More marks than four on one letter climb over the lines above.
_MARK = "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]"
_MARKS = re.compile(f"({_MARK}{{4}}){_MARK}+")


def clean(text: str) -> str:
    """Keeps what a person reads of `text`, newlines and tabs included.

    Idempotent: what remains holds no sequence that a second pass would find.
    """
    text = _LINE_ENDS.sub("\n", text)
    text = _SEQUENCES.sub("", text)
    text = _CONTROLS.sub("", text)
    text = _INVISIBLE.sub("", text)
    text = _JOINERS.sub("", text)
    return _MARKS.sub(r"\1", text)


def clean_line(text: str) -> str:
    """`clean`, on one line."""
    return " ".join(clean(text).split())


def counted(number: int, noun: str) -> str:
    """`1 shard`, `2,000 shards`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def number(value: float) -> str:
    """A number as short as it can be said: `12,345`, `1,234.5`, `0.2513`."""
    if not math.isfinite(value):
        return str(value)
    if float(value).is_integer():
        return f"{value:,.0f}"
    return f"{value:,.1f}" if abs(value) >= 1000 else f"{value:,.4g}"


def tell(line: str) -> None:
    """A line to standard error; what was done is done, also where nobody can be told."""
    try:
        click.echo(line, err=True)
    except OSError:
        # Python writes what is left at its end, and would make that the outcome of the command.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
