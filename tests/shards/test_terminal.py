import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openm3w.shards.terminal import clean, clean_line, counted

HOSTILE = [
    ("colour", "a\x1b[31mred\x1b[0mb", "aredb"),
    ("clear the screen", "a\x1b[2J\x1b[Hb", "ab"),
    ("window title, ended by BEL", "a\x1b]0;owned\x07b", "ab"),
    ("window title, ended by ST", "a\x1b]2;owned\x1b\\b", "ab"),
    ("clipboard", "a\x1b]52;c;cm0gLXJmIH4=\x07b", "ab"),
    (
        "hyperlink with another target",
        "\x1b]8;;https://evil.example\x1b\\bank\x1b]8;;\x1b\\",
        "bank",
    ),
    ("unterminated OSC keeps the text", "a\x1b]0;the rest of it", "a0;the rest of it"),
    ("device control string", 'a\x1bP$q"p\x1b\\b', "ab"),
    ("kitty picture", "a\x1b_Gf=100;AAAA\x1b\\b", "ab"),
    ("privacy message", "a\x1b^secret\x1b\\b", "ab"),
    ("report the cursor", "a\x1b[6nb", "ab"),
    ("report the title", "a\x1b[21tb", "ab"),
    ("private mode", "a\x1b[?1049hb", "ab"),
    ("reset", "a\x1bcb", "ab"),
    ("character set", "a\x1b(0b", "ab"),
    ("ESC at the end", "a\x1b", "a"),
    ("ESC twice", "a\x1b\x1b[31mb", "ab"),
    ("CSI cut off by a letter from afar", "a\x1b[31é", "aé"),
    ("8-bit CSI", "a\x9b31mb", "a31mb"),
    ("8-bit OSC", "a\x9d0;owned\x9cb", "a0;ownedb"),
    (
        "a quotation mark decoded wrongly",
        "he said â\x80\x9cyesâ\x80\x9d and left",
        "he said âyesâ and left",
    ),
    ("bell and backspace", "a\x07b\x08\x08c", "abc"),
    ("NUL, SO, SI, DEL", "a\x00\x0e\x0f\x7fb", "ab"),
    ("carriage return over the line", "good\rbad", "good\nbad"),
    ("CRLF", "a\r\nb", "a\nb"),
    ("next line, line and paragraph separators", "a\x85b\u2028c\u2029d", "a\nb\nc\nd"),
    ("vertical tab and form feed", "a\x0bb\x0cc", "abc"),
    ("right-to-left override", "invoice\u202efdp.exe", "invoicefdp.exe"),
    ("isolates", "a\u2066b\u2067c\u2068d\u2069e", "abcde"),
    ("embeddings and marks", "a\u202ab\u202bc\u202cd\u200ee\u200ff\u061cg", "abcdefg"),
    ("zero-width space", "pass\u200bword", "password"),
    ("byte order mark", "\ufeffstart", "start"),
    ("word joiner and invisible operators", "a\u2060b\u2063c", "abc"),
    ("soft hyphen", "co\u00adoperate", "cooperate"),
    ("Hangul fillers", "a\u3164b\u115fc\uffa0d", "abcd"),
    ("tag characters", "a\U000e0041\U000e007fb", "ab"),
    ("joiners between Latin letters", "ad\u200dmi\u200cn", "admin"),
    ("many joiners", "\u0645\u200c\u200c\u200c\u06cc", "\u0645\u200c\u06cc"),
    ("half a surrogate pair", "a\ud800b", "ab"),
    ("a tower of marks", "a" + "\u0301" * 50, "a" + "\u0301" * 4),
]

HARMLESS = [
    "Two lines\nand\ta tab",
    "naïve café, ﬁne",
    "日本語のテキスト",
    "مرحبا بالعالم",
    "שלום עולם",
    "می\u200cخواهم",  # Persian needs the non-joiner
    "क्\u200dष",  # Devanagari the joiner
    "👩\u200d👩\u200d👧 🏳\ufe0f\u200d🌈",
    "e\u0301 o\u0308\u0304",
    "[bold]not markup to us[/bold]",
]


@pytest.mark.parametrize(
    ("hostile", "expected"), [(h, e) for _, h, e in HOSTILE], ids=[n for n, _, _ in HOSTILE]
)
def test_hostile_text_is_made_harmless(hostile, expected):
    assert clean(hostile) == expected


@pytest.mark.parametrize("text", HARMLESS)
def test_what_people_write_stays(text):
    assert clean(text) == text


@given(
    st.text(st.characters() | st.sampled_from("\x1b\x9b\x9d[]();mP\\\x07\u200d\u202e"), max_size=60)
)
def test_nothing_that_controls_a_terminal_remains(text):
    cleaned = clean(text)
    assert clean(cleaned) == cleaned
    controls = {c for c in cleaned if unicodedata.category(c) in ("Cc", "Cs")}
    assert controls <= {"\n", "\t"}
    assert not set(cleaned) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200b")


def test_a_line_is_one_line():
    assert clean_line("  a\r\n b\x1b[0m\tc ") == "a b c"


@pytest.mark.parametrize(
    ("number", "expected"),
    [(0, "0 shards"), (1, "1 shard"), (2, "2 shards"), (12345, "12,345 shards")],
)
def test_one_is_said_of_one_alone(number, expected):
    assert counted(number, "shard") == expected
