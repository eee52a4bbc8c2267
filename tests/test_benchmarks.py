"""What benchmarks/extraction.py measures with; the figures themselves are no test's business."""

import sys
from functools import partial
from pathlib import Path

import pytest
from lxml.html import fromstring

from openm3w.errors import InputError
from openm3w.pipeline.archive import read_records
from openm3w.pipeline.recipe import Extract

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
if str(BENCHMARKS) not in sys.path:  # as it is for the script; worker processes inherit it
    sys.path.append(str(BENCHMARKS))

from measure import engines, memory, pages, records  # noqa: E402
from measure.turns import Worker  # noqa: E402

URL = "http://example.org/page.html"
SENTENCE = "The lighthouse on the <b>north</b>ern cape was lit for the first time in that winter. "
ARTICLE = (
    "<html><head><title>A lighthouse</title></head><body><article><h1>A lighthouse</h1>"
    f"<p>{SENTENCE * 8}</p><img src='/tower.jpg' width=600 height=400><p>{SENTENCE * 8}</p>"
    "</article></body></html>"
)


@pytest.fixture
def small_archive(archive, tmp_path):
    for number in range(20):
        archive.page(f"http://example.org/{number}.html", ARTICLE.replace("cape", f"cape {number}"))
    archive.image("http://example.org/tower.jpg", b"\xff\xd8\xff")
    return archive.write(tmp_path / "small.warc.gz")


@pytest.mark.parametrize("name", engines.factories())
def test_each_installed_engine_gives_rows_in_the_scorers_form(name):
    row = engines.factories()[name]()(ARTICLE, URL)
    assert row["url"] == URL
    pairs = list(zip(row["texts"], row["images"], strict=True))
    assert pairs
    assert all((text is None) != (image is None) for text, image in pairs)
    assert "the northern cape" in " ".join(filter(None, row["texts"]))


def test_a_peers_images_are_absolute_and_placeholders_are_none():
    tree = fromstring(
        "<div>one <i>t</i>wo<!-- no --><img src='a.png'>three<p>four"
        "<img src='data:image/gif;base64,R0lG'>five</div>"
    )
    row = engines._row(URL, tree, image="img")
    assert row["texts"] == ["one two", None, "three", "four", "five"]
    assert row["images"] == [None, "http://example.org/a.png", None, None, None]


def test_a_worker_keeps_an_error_as_a_value_and_goes_on():
    with Worker(partial(engines.trafilatura, fast=True)) as worker:
        failed = worker.ask("too few arguments")
        answered = worker.ask(ARTICLE, URL)
    assert failed.value is None
    assert "TypeError" in failed.error
    assert answered.error == ""
    assert answered.value["texts"]
    assert answered.cpu_seconds > 0


def test_a_worker_prints_nothing(capfd):
    with Worker(partial(partial, print)) as worker:
        assert worker.ask("a peer's warning").error == ""
    assert capfd.readouterr() == ("", "")


def test_an_engine_that_can_not_be_made_is_an_error_here():
    with pytest.raises(RuntimeError, match="unexpected keyword argument 'slow'"):
        Worker(partial(engines.trafilatura, slow=True))


def test_all_engines_see_all_pages_and_rows_do_not_grow_with_rounds(small_archive):
    chosen = {name: make for name, make in engines.factories().items() if "trafil" in name}
    runs = pages.run(small_archive, chosen, 2)
    assert list(runs) == list(chosen)
    for run in runs.values():
        assert [row["url"] for row in run.rows] == [
            f"http://example.org/{number}.html" for number in range(20)
        ]
        assert run.failures == []


@pytest.mark.real
def test_pages_can_be_left_out_of_the_score(realdata, tmp_path):
    scorer = realdata / "../bench/score_extraction.py"
    if not scorer.is_file():
        pytest.skip(f"no scorer at {scorer}")
    names = ("http://example.org/good", "http://example.org/odd")
    rows = [{"url": url, "texts": ["a b c d e", None], "images": [None, url]} for url in names]
    truth = [{**rows[0]}, {**rows[1], "texts": [None, "x"], "images": ["http://other/", None]}]
    expected = tmp_path / "expected.jsonl"
    pages.write_rows(expected, truth)
    assert pages.score(expected, rows, scorer)["image_f1"] == "0.5000"
    assert pages.score(expected, rows, scorer, "odd")["image_f1"] == "1.0000"
    assert pages.score(expected, rows, scorer, "nowhere") == {}


def test_every_chain_reads_the_archive_to_its_end(small_archive):
    chains = records.run(small_archive, 1)
    assert chains
    for chain in chains.values():
        assert (chain.pages, chain.documents, chain.ended) == (20, 20, True)


def test_memory_is_sampled_at_even_steps_and_stays_flat(small_archive):
    samples = list(memory.sample([small_archive], pages=410, every=200, settings=Extract()))
    assert [(seen.pages, seen.documents) for seen in samples] == [(200, 200), (400, 400)]
    assert all(seen.resident_bytes > 1 << 20 for seen in samples)
    assert memory.is_flat(samples)


@pytest.mark.parametrize(("last", "flat"), [(90, True), (105, True), (106, False)])
def test_memory_may_grow_by_a_twentieth(last, flat):
    samples = [
        memory.Sample(pages=10, documents=10, resident_bytes=resident)
        for resident in (100, 200, last)
    ]
    assert memory.is_flat(samples) is flat


def test_a_page_that_comes_again_is_new(small_archive):
    record = next(read_records(small_archive, max_body=1 << 20))
    first, second = (memory.renewed(record, number) for number in (1, 2))
    assert first.url != second.url
    assert first.body != second.body


def test_an_archive_without_a_page_is_refused(archive, tmp_path):
    path = archive.image(URL, b"\xff\xd8\xff").write(tmp_path / "images.warc.gz")
    with pytest.raises(InputError, match="no page in"):
        list(memory.sample([path], pages=2, every=1, settings=Extract()))
