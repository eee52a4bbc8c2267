import pytest

from openm3w.pipeline.extraction.language_screen import is_surely_other

GERMAN = "Der Hafen war am Morgen ruhig, und die Boote lagen an der alten Mauer im Wasser. " * 60
ENGLISH = "The harbour was quiet in the morning and the boats lay side by side at the wall. " * 60


def html(text: str, attributes: str = "") -> str:
    return f"<!doctype html><html{attributes}><head><script>let a = 'the and of'</script></head><body><p>{text}</p></body></html>"


@pytest.mark.parametrize(
    ("page", "header", "other"),
    [
        (html(GERMAN, " lang=de"), "", True),
        (html(GERMAN, ' class="x" lang="de-AT"'), "de", True),
        # One witness is not enough.
        (html(GERMAN), "de", False),
        (html(GERMAN, " lang=en"), "", False),
        (html(GERMAN, " lang=de"), "de, en-GB", False),
        (html(ENGLISH, " lang=de"), "de", False),
        (html(GERMAN, " data-lang=de"), "de", False),
        # Parts in a language that is wanted, or too little text, leave a doubt.
        (html(GERMAN + ENGLISH, " lang=de"), "", False),
        (html(ENGLISH[:2000] + GERMAN, " lang=de"), "", False),
        (html(GERMAN[:500], " lang=de"), "", False),
        (html(f"<script>{GERMAN}", " lang=de"), "", False),
        ("", "", False),
    ],
)
def test_only_what_all_witnesses_call_another_language_is_surely_other(
    page: str, header: str, *, other: bool
) -> None:
    assert is_surely_other(page, header, ("en",)) == other
    assert not is_surely_other(page, header, ("de", "en"))
