"""Real processes and pages that hang them, fill them or end them."""

import os
import pickle
import signal
import subprocess
import sys
import textwrap
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from openm3w.errors import OpenM3WError, RecipeError
from openm3w.pipeline import guard_process
from openm3w.pipeline.archive import Damage, read_records
from openm3w.pipeline.extraction.charset import decode_html
from openm3w.pipeline.extraction.extract import Engine, extract
from openm3w.pipeline.extraction.limits import MAX_CHARS, PageLimit
from openm3w.pipeline.guard import (
    MAX_INLINE_CHARS,
    MAX_INLINE_TAGS,
    MAX_INLINE_URL_CHARS,
    ExtractionFailed,
    Guard,
    needs_guard,
)
from openm3w.pipeline.guard_process import Answer
from openm3w.pipeline.recipe import Extract
from openm3w.recipe import decode

URL = "http://a.example/p/"
WORDS = "The old bridge crosses the river where the market was held for three hundred years. " * 3
GOOD = (
    "<html><head><title>Bridge</title><meta name=robots content=noai>"
    "<link rel=license href=https://creativecommons.org/licenses/by/4.0/></head><body>"
    "<nav><a href=/><img src=/logo.png></a></nav>"
    f"<article><h1>The bridge</h1><p>{WORDS}</p><figure><img src=/a.png srcset='/b.png 2x' alt=Old "
    f"width=640 height=480><figcaption>From the south</figcaption></figure><p>{WORDS} Again.</p>"
    "<img src=data:image/gif;base64,R0lGOD></article></body></html>"
)

GUARDED = Extract(engine="trafilatura", timeout_s=20)
"""Every page goes to a process, with more time than a slow machine needs."""

# Each page is what it does; the processes find the module where this one does.
ODD = """
import ctypes, os, pathlib, re, signal, sys, time
from openm3w.pipeline.extraction.extract import Extraction
from openm3w.pipeline.extraction.limits import PageLimit
from openm3w.shards.document import Text

kept = []

class Rude:
    def __reduce__(self):
        return (pathlib.Path.touch, (pathlib.Path(os.environ["TOUCHED"]),))

def behave(html, url, *, engine):
    what, _, rest = html.partition(" ")
    if what == "hang":
        re.fullmatch("(a|a)*b", "a" * 64)
    if what == "sleep":
        pathlib.Path(rest).write_text(str(os.getpid()))
        time.sleep(1000)
    if what == "block":
        bytearray(3 << 30)
    if what == "heap":
        kept.append(["x" * 5000 + str(number) for number in range(400_000)])
    if what == "quiet":  # as libxml2 does
        blocks = []
        try:
            while True:
                blocks.append(bytearray(1 << 20))
        except MemoryError:
            return Extraction()
    if what == "leave":
        kept.append(bytearray(300 << 20))
    if what == "crash":
        ctypes.string_at(0)
    if what == "exit":
        os._exit(7)
    if what == "die-once" and not pathlib.Path(rest).exists():
        pathlib.Path(rest).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "raise":
        raise KeyError("an unforeseen tag")
    if what == "limit":
        raise PageLimit("too_deep")
    if what == "rude":
        return Rude()
    if what == "modules":
        return Extraction(title=" ".join(sys.modules))
    if what == "long":
        return Extraction(spans=(Text(text="y" * int(rest)),))
    return Extraction(title=f"{os.getpid()}", spans=(Text(text=html),))
"""


@pytest.fixture
def odd(tmp_path, monkeypatch):
    """A guard of an extractor that does what the page says."""
    (tmp_path / "odd_extractor.py").write_text(ODD)
    monkeypatch.syspath_prepend(tmp_path)
    with Guard(GUARDED, "odd_extractor:behave") as guard:
        yield guard


def hurried(guard: Guard) -> Guard:
    guard._settings = replace(GUARDED, timeout_s=1)
    return guard


def failure(guard: Guard, html: str) -> tuple[str, str]:
    with pytest.raises(ExtractionFailed) as caught:
        guard.extract(html, URL)
    return caught.value.reason, caught.value.detail


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def ends(pid: int) -> bool:
    """Whether a process ends within a time that no machine needs."""
    deadline = time.monotonic() + 120
    while runs(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not runs(pid)


@pytest.mark.parametrize(
    ("html", "url", "engine", "expected"),
    [
        ("", URL, "openm3w", False),
        ("x" * MAX_INLINE_CHARS, URL, "openm3w", False),
        ("x" * (MAX_INLINE_CHARS + 1), URL, "openm3w", True),
        ("<p>" * MAX_INLINE_TAGS, URL, "openm3w", False),
        ("<p>" * MAX_INLINE_TAGS + "<", URL, "openm3w", True),
        ("", "x" * MAX_INLINE_URL_CHARS, "openm3w", False),
        ("", "x" * (MAX_INLINE_URL_CHARS + 1), "openm3w", True),
        ("", URL, "trafilatura", True),
    ],
)
def test_small_pages_of_our_own_engine_need_no_process(html, url, engine, expected):
    assert needs_guard(html, url, engine) is expected


def test_a_result_is_the_same_on_either_side():
    with Guard(GUARDED) as guard:
        found = guard.extract(GOOD, URL)

    assert found == extract(GOOD, URL, engine="trafilatura")
    assert found.left_out
    assert found.licences


@pytest.mark.parametrize("html", ["\udc80 half \ud83d", "a\0b\0", "", "\U000f0000", "é漢字"])
def test_any_text_reaches_the_process_and_comes_back(odd, html):
    assert odd.extract(html, "http://a.example/\udcff").spans[0].text == html


def test_a_page_that_hangs_is_given_up_and_the_next_is_read(odd):
    before = odd.extract("one", URL)
    hurried(odd)

    assert failure(odd, "hang") == ("parse_timeout", "no result within 1 s")

    assert ends(int(before.title))
    odd._settings = GUARDED
    assert odd.extract("one", URL).spans == before.spans


@pytest.mark.parametrize("html", ["block", "heap", "quiet"])
def test_a_page_that_fills_memory_is_an_outcome_of_its_own(odd, html):
    assert failure(odd, html)[0] == "parse_memory"
    assert odd.extract("one", URL).spans[0].text == "one"


def test_a_process_that_a_page_left_large_is_replaced(odd):
    first, same, after = (odd.extract(html, URL).title for html in ("one", "leave", "two"))

    assert first == same != after


@pytest.mark.parametrize(
    ("html", "detail"),
    [("crash", "ended by signal SIGSEGV"), ("exit", "ended with exit code 7")],
)
def test_a_page_that_ends_its_process_is_counted(odd, html, detail):
    assert failure(odd, html) == ("extractor_crashed", detail)
    assert odd.extract("one", URL).spans[0].text == "one"


def test_a_page_whose_process_was_killed_from_outside_gets_another(odd, tmp_path):
    assert odd.extract(f"die-once {tmp_path / 'mark'}", URL).spans
    assert (tmp_path / "mark").exists()


def test_a_process_killed_between_pages_costs_no_page(odd):
    pid = int(odd.extract("one", URL).title)
    os.kill(pid, signal.SIGKILL)
    assert ends(pid)

    assert int(odd.extract("two", URL).title) != pid


def test_what_an_extractor_raises_is_an_outcome_and_the_process_stays(odd):
    pid = odd.extract("one", URL).title

    assert failure(odd, "raise") == ("extractor_error", "KeyError('an unforeseen tag')")
    with pytest.raises(PageLimit) as caught:
        odd.extract("limit", URL)

    assert caught.value.reason == "too_deep"
    assert odd.extract("two", URL).title == pid


def test_an_answer_can_name_nothing_that_would_run(odd, tmp_path, monkeypatch):
    monkeypatch.setenv("TOUCHED", str(tmp_path / "touched"))

    assert failure(odd, "rude")[0] == "extractor_crashed"
    assert not (tmp_path / "touched").exists()


@pytest.mark.parametrize("message", [b"", b"no pickle", pickle.dumps({}), pickle.dumps(os.getcwd)])
def test_bytes_that_are_no_answer_are_refused(message):
    with pytest.raises(EOFError):
        guard_process.load_answer(message)


def test_a_long_result_arrives_whole(odd):
    assert len(odd.extract("long 30000000", URL).spans[0].text) == 30_000_000


def test_a_result_longer_than_any_page_is_no_answer(odd):
    assert failure(odd, f"long {guard_process.MAX_MESSAGE_BYTES}")[0] != "parse_timeout"
    assert odd.extract("one", URL).spans[0].text == "one"


def test_a_page_longer_than_any_that_is_read_is_not_sent():
    with Guard(Extract()) as guard:
        with pytest.raises(PageLimit, match="too_large"):
            guard.extract("x" * (MAX_CHARS + 1), URL)
        assert guard.pid is None


def test_a_page_that_was_interrupted_leaves_no_answer_to_the_next(odd, tmp_path):
    def stop(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGUSR1, stop)
    path = tmp_path / "asleep"

    def interrupt():
        while not path.exists():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGUSR1)

    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            odd.extract(f"sleep {path}", URL)
    finally:
        thread.join()
        signal.signal(signal.SIGUSR1, before)

    assert ends(int(path.read_text()))
    assert odd.extract("one", URL).spans[0].text == "one"


def test_the_process_loads_neither_beam_nor_torch(odd):
    loaded = set(odd.extract("modules", URL).title.split())

    assert "openm3w.pipeline.extraction.extract" in loaded
    assert not loaded & {"apache_beam", "torch", "numpy", "pyarrow"}


def test_a_guard_starts_with_its_first_page_and_ends_with_its_owner(odd):
    assert odd.pid is None
    pid = int(odd.extract("one", URL).title)
    assert odd.pid == pid

    odd.close()

    assert not runs(pid)
    assert odd.pid is None


@pytest.mark.parametrize("page", ["wait", "hang"])
def test_no_process_outlives_an_owner_that_is_killed(tmp_path, page):
    """Neither one that waits for a page nor one that hangs in C."""
    (tmp_path / "odd_extractor.py").write_text(ODD)
    script = textwrap.dedent(f"""
        import sys, time
        sys.path.insert(0, {str(tmp_path)!r})
        from openm3w.pipeline.guard import Guard
        from openm3w.pipeline.recipe import Extract

        guard = Guard(Extract(engine="trafilatura", timeout_s=3), "odd_extractor:behave")
        print(guard.extract("one", "").title, flush=True)
        if {page!r} == "hang":
            guard.extract("hang", "")
        time.sleep(1000)
    """)
    owner = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    with owner:
        pid = int(owner.stdout.readline())
        time.sleep(0.5)  # so that it is inside the page
        assert runs(pid)
        owner.kill()

    assert ends(pid)


@pytest.mark.parametrize("python", ["/nowhere/python", "/bin/false"])
def test_a_process_that_does_not_start_is_one_line(monkeypatch, python):
    monkeypatch.setattr(sys, "executable", python)
    with Guard(Extract()) as guard, pytest.raises(OpenM3WError, match="did not start") as caught:
        guard._guarded(GOOD, URL)

    assert "\n" not in str(caught.value)


def test_a_process_that_is_killed_while_it_starts_is_started_again(tmp_path, monkeypatch):
    """The first kills itself where its extractor is imported."""
    once = (
        "import os, pathlib, signal, sys\n"
        f"mark = pathlib.Path({str(tmp_path / 'mark')!r})\n"
        "if 'guard_process' in ' '.join(sys.orig_argv) and not mark.exists():\n"
        "    mark.touch()\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    (tmp_path / "odd_starter.py").write_text(once + ODD)
    monkeypatch.syspath_prepend(tmp_path)

    with Guard(GUARDED, "odd_starter:behave") as guard:
        assert guard.extract("one", URL).spans[0].text == "one"
    assert (tmp_path / "mark").exists()


@pytest.mark.parametrize("seconds", [0, -1.0])
def test_a_time_limit_is_above_zero(seconds):
    with pytest.raises(RecipeError, match="timeout_s"):
        decode(Extract, {"timeout_s": seconds}, "recipe")


def attributes(count: int) -> str:
    return " ".join(f"a{number}=1" for number in range(count))


HOSTILE = {
    "200k attributes": f"<p>{WORDS}<div {attributes(200_000)}>x</div><img src=a.png>",
    "1M nested": f"<p>{WORDS}<img src=a.png>" + "<div>" * 1_000_000,
    "50 MB": ("<p>" + WORDS + "<a href=b>c</a><img src=a.png>") * (50_000_000 // 290),
    "2 MB attribute": f'<p>{WORDS}<img src=a.png alt="{"w " * 1_000_000}"><p>{WORDS}',
    "2 MB unclosed attribute": f'<p>{WORDS}<img src=a.png alt="{"w " * 1_000_000}',
    "NULs": f"<p>{WORDS}<img src=a.png>" + "\0" * 2_000_000,
    "NULs in tags": f"<p>{WORDS}<im\0g src=a.png><img\0 src=\0a.png>" * 2_000,
    "lone surrogates": f"<p>{WORDS}\ud800<img src=\udc00.png alt='\udfff'>" * 200,
    "unclosed all": "<table><tr><td><b><i><p><a href=x><img src=a.png>" * 9_000,
    "unclosed comment": f"<p>{WORDS}<img src=a.png><!--" + "<!-" * 600_000,
    "unclosed script": f"<p>{WORDS}<img src=a.png><script>" + "</scrip" * 300_000,
    "open brackets": "<" * 2_000_000,
    "open quotes": "<a b='" * 300_000,
    "entities": "&#" * 1_000_000 + "&amp" * 500_000,
    "long base": f"<base href=http://a.example/{'b' * 8_000}/>" + "<img src=a>" * 20_000,
    "srcset": f"<p>{WORDS}<img src=a.png srcset='{'a 1x,' * 300_000}'>",
    "75k elements": f"<div><p>{WORDS}</p><img src=a.png></div>" * 33_000,
}


READ = "read"
VERDICTS: dict[str, tuple[str, str]] = {
    "200k attributes": (READ, "too_many_attributes"),
    "1M nested": ("too_deep", "too_deep"),
    "50 MB": ("too_large", "too_large"),
    "2 MB attribute": (READ, READ),
    "2 MB unclosed attribute": (READ, "too_many_attributes"),
    "NULs": (READ, READ),
    "NULs in tags": (READ, "too_deep"),
    "lone surrogates": (READ, READ),
    "unclosed all": ("too_deep", "too_deep"),
    "unclosed comment": (READ, READ),
    "unclosed script": (READ, READ),
    "open brackets": (READ, READ),
    "open quotes": ("too_many_attributes", "too_many_attributes"),
    "entities": (READ, READ),
    "long base": (READ, READ),
    "srcset": (READ, READ),
    "75k elements": (READ, READ),
}
"""What becomes of each, by our own engine and by trafilatura."""

SLOW = {"75k elements"}
"""Whether these end in time depends on the machine."""


def verdict(guard: Guard, html: str) -> str:
    try:
        guard.extract(html, URL)
    except (PageLimit, ExtractionFailed) as end:
        return end.reason
    return READ


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize(("number", "engine"), list(enumerate(get_args(Engine))))
def test_every_page_ends_as_on_any_machine_and_leaves_the_next_as_it_was(number, engine, name):
    patience = Extract(engine=engine, timeout_s=5 if name in SLOW else 60)
    with Guard(patience) as guard:
        before = guard.extract(GOOD, URL)
        expected = {VERDICTS[name][number]} | ({"parse_timeout"} if name in SLOW else set())
        assert verdict(guard, HOSTILE[name]) in expected
        assert guard.extract(GOOD, URL) == before


def both_ways(guard: Guard, html: str, url: str) -> tuple[Answer, Answer]:
    """What a page gives in this process, and in the one that can be killed."""
    here = guard_process.attempt(extract, html, url, "openm3w")
    return here, replace(guard._guarded(html, url), spent=False)


@pytest.mark.parametrize("name", sorted(set(HOSTILE) - SLOW - {"50 MB"}))
def test_a_hostile_page_of_our_own_engine_gives_the_same_in_either_process(name):
    with Guard(Extract(timeout_s=60)) as guard:
        here, there = both_ways(guard, HOSTILE[name], URL)

    assert here == there
    assert here.extraction is not None or here.limit is not None


@pytest.mark.parametrize(
    "html",
    [
        GOOD,
        "",
        "x",
        "<p>" * MAX_INLINE_TAGS,
        f"<p>{WORDS}<p>RenÃ© É\u00a0: Cafe\u0301 \ud800 \U000f0000<img src=//é.example/ü.png alt='\udfff'>",
        f"<base href=//b.example/c/><meta name=robots content=noai><p>{WORDS}<img src='http://['>",
        f"<p>{WORDS}" + "<ul><li>abc<img src=a.png>" * 200,
    ],
)
def test_a_page_of_our_own_engine_gives_the_same_in_either_process(html):
    with Guard(Extract(timeout_s=60)) as guard:
        here, there = both_ways(guard, html, URL)

    assert here == there


@pytest.mark.real
@pytest.mark.parametrize(
    "archive",
    ["captures/archivesunleashed-aut_example", "captures/webrecorder-pywb_iana",
     "docs/debian-handbook-ar-MA-sect", "docs/skimage-examples-20"],
)  # fmt: skip
def test_a_real_page_gives_the_same_in_either_process(realdata, archive):
    pages = [
        (decode_html(record.body, record.header("content-type"))[0], record.url)
        for record in read_records(realdata / f"warc/{archive}.warc.gz", max_body=1 << 22)
        if not isinstance(record, Damage) and record.content_kind == "html"
    ][:15]
    with Guard(Extract(timeout_s=60)) as guard:
        for html, url in pages:
            here, there = both_ways(guard, html, url)
            assert here == there
            assert here.extraction is not None
    assert pages
