"""A part of LAION's own rows through the whole build, against a web of their hosts on loopback."""

import io
import itertools
import sys
import tarfile
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from loopback_web import HABITS, Web, expected, habit_of
from serving import Serving

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"
if str(BENCHMARKS) not in sys.path:  # as it is for the script
    sys.path.append(str(BENCHMARKS))

import laion  # noqa: E402

ROWS = 400
QUICK = (
    "fetch.manners.per_domain_rate=0",
    "fetch.manners.per_domain=8",
    "fetch.limits.idle_seconds=5",
    "fetch.limits.total_seconds=8",
)


@pytest.fixture
def photographs(realdata):
    """As they are: their bytes are those of no other."""
    with tarfile.open(realdata / "flickr8k" / "test.tar") as tar:
        return [tar.extractfile(m).read() for m in tar if m.name.endswith(".jpg")]


@pytest.mark.beam
@pytest.mark.real
def test_every_row_is_accounted_for_and_nothing_is_asked_twice(tmp_path, monkeypatch, photographs):
    urls = laion.take_rows(ROWS, tmp_path)
    pictures = dict(zip(urls, itertools.cycle(io.BytesIO(p).getvalue for p in photographs)))
    with Serving(make=Web, pictures=pictures, folder=tmp_path) as web:
        monkeypatch.setenv("SSL_CERT_FILE", str(web.authority))
        first = laion.build(tmp_path, "first", urls, web, *laion.BOUNDS, *QUICK)
        asked = web.requests.copy()
        laion.check(first, urls, asked)
        again = (*laion.BOUNDS, *QUICK, "resize.side=128")
        second = laion.build(tmp_path, "second", urls, web, *again)
        assert web.requests == asked
    assert laion.outcomes(second.plan) == laion.outcomes(first.plan)
    assert first.samples > ROWS / 2
    # All that hosts can do was there, and what was asked of them was not little.
    seen = Counter(habit_of(urlsplit(url).hostname or "").name for url in urls)
    assert set(seen) == {habit.name for habit in HABITS}
    assert sum(map(asked.__getitem__, urls)) > ROWS / 2
    assert {expected(url).reason for url in urls} - {""} <= set(laion.outcomes(first.plan).values())
