"""What the benchmarks measure with; the figures themselves are no test's business."""

import json
import os
import sys
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner
from lxml.html import fromstring

from openm3w.cli import cli
from openm3w.errors import InputError
from openm3w.pipeline.archive import read_records
from openm3w.pipeline.extraction.extract import extract
from openm3w.pipeline.recipe import Extract
from openm3w.shards.document import Image

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
if str(BENCHMARKS) not in sys.path:  # as it is for the script; worker processes inherit it
    sys.path.append(str(BENCHMARKS))

import extraction  # noqa: E402
import quality as quality_tables  # noqa: E402
import refilter  # noqa: E402
from measure import (  # noqa: E402
    chains,
    contamination,
    duplicates,
    engines,
    memory,
    pages,
    processes,
    quality,
    records,
    synthetic,
)
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


@pytest.mark.parametrize(
    ("resident", "flat"),
    [
        ((100, 90, 90), True),
        ((100, 90, 105), True),
        ((100, 90, 106), False),
        ((100, 106, 90), False),  # a bump counts
        ((100,), True),
    ],
)
def test_memory_may_grow_by_a_twentieth(resident, flat):
    samples = [memory.Sample(pages=1, documents=1, resident_bytes=size) for size in resident]
    assert memory.is_flat(samples) is flat


def test_a_page_that_comes_again_is_new_down_to_its_attributes(archive, tmp_path):
    said = "The lighthouse on the northern cape, seen from the sea in the morning"
    image = (
        f'<img class="wide" src="/a.jpg" srcset="/a.jpg 320w, /b.png 900w" alt="{said}"'
        f" title='{said}' style=\"object-position: {'0 ' * 30}\" width=600 height=400>"
    )
    path = archive.page(URL, f"<p>{SENTENCE * 9}{image}</p>").write(tmp_path / "a.warc.gz")
    record = next(read_records(path, max_body=1 << 20))

    bodies = [memory.renewed(record, number).body.decode() for number in (11, 22)]

    for name in ("class", "src", "srcset", "alt", "title", "style"):
        values = {fromstring(body).xpath("string(//img/@" + name + ")") for body in bodies}
        assert len(values) == 2, name
    shown = [extract(body, URL).spans for body in bodies]
    assert [span.url for spans in shown for span in spans if isinstance(span, Image)] == [
        "http://example.org/b.png?11",
        "http://example.org/b.png?22",
    ]
    assert memory.renewed(record, 11).url != memory.renewed(record, 22).url


FALLS_OVER = partial(partial, os._exit, 9)
"""Makes a step at which the process ends, as one does that the system kills."""


def test_a_worker_whose_process_ends_says_so_ever_after():
    with Worker(FALLS_OVER) as worker:
        for _ in range(2):
            answers = worker.ask_all([(), ()])
            assert [answer.error for answer in answers] == [
                "its process ended with exit code 9"
            ] * 2


def test_a_chain_that_falls_over_costs_itself(small_archive, monkeypatch, capsys):
    ours = partial(records.openm3w, small_archive, Extract().engine)
    steps = {"ours": ours, records.PEER: FALLS_OVER}
    monkeypatch.setattr(records, "_steps", lambda _: steps)

    chains = records.run(small_archive, 2)

    assert (chains["ours"].pages, chains["ours"].error) == (40, "")
    assert chains[records.PEER].error == "its process ended with exit code 9"
    extraction.print_chains(chains, rounds=2)
    printed = capsys.readouterr().out
    assert "| ours | 20 | 20 | " in printed
    assert "| datatrove | fell over | " in printed
    assert "\n- datatrove fell over: its process ended with exit code 9\n" in printed


def test_an_archive_without_a_page_is_refused(archive, tmp_path):
    path = archive.image(URL, b"\xff\xd8\xff").write(tmp_path / "images.warc.gz")
    with pytest.raises(InputError, match="no page in"):
        list(memory.sample([path], pages=2, every=1, settings=Extract()))


def test_texts_are_judged_with_our_words_or_with_those_given(small_archive):
    page = quality.read_documents(small_archive)[0]
    text = "\n\n".join(page.texts)
    own = quality.judged(text)
    assert set(own) == set(quality.RULES)
    assert own["c4"] == ""
    fed = quality.judged(text, quality.Tokens(words=["the", "of"], sentences=9))
    assert fed["gopher_quality"] == "gopher_too_few_words"


def test_a_difference_is_named_with_both_reasons():
    found = {(rule, "form"): quality.Agreement() for rule in quality.RULES}
    reasons = {**dict.fromkeys(quality.RULES, ""), "gopher_quality": "theirs"}
    tokens = quality.Tokens(words=["word"], sentences=1)
    opinion = quality.Opinion(reasons=reasons, lines=["Other lines."], tokens=tokens)

    quality._compare(found, "form", URL, "One line of some words.", opinion)

    agreed = found["gopher_quality", "form"]
    assert (agreed.pages, agreed.kept, agreed.own, agreed.fed) == (1, 0, [], [])
    differs = found["c4", "form"]
    assert differs.own == [f"{URL}: datatrove keeps, openm3w c4_too_few_sentences"]
    assert differs.lines == [URL]


def test_our_chains_judge_every_document_once_a_round(small_archive, capsys):
    documents = quality.read_documents(small_archive)
    found = {
        name: make for name, make in chains.factories(to_the_end=True).items() if "openm3w" in name
    }
    costs = chains.run(documents, found, 2)
    assert list(costs) == ["openm3w, the same rules", "openm3w, all its rules"]
    for cost in costs.values():
        assert (cost.documents, cost.errors) == (40, 0)
    quality_tables.print_costs(documents, 1)
    printed = capsys.readouterr().out
    assert printed.count("| openm3w, the same rules | ") == 2
    assert "raised" not in printed


@pytest.mark.skipif(not quality.is_peer_installed(), reason="datatrove is not installed")
def test_datatrove_decides_as_ours_when_it_gives_the_words(small_archive):
    documents = quality.read_documents(small_archive)
    for agreement in quality.agreements(documents).values():
        assert (agreement.pages, agreement.fed) == (20, [])


def test_all_installed_engines_sign_all_texts():
    costs = duplicates.run([SENTENCE * 3, "a word", SENTENCE], 2)

    assert next(iter(costs)) == "openm3w"
    assert {*costs, *duplicates.missing()} == {"openm3w", "datatrove", "datasketch"}
    assert all(cost.errors == 0 for cost in costs.values())


def test_evaluation_texts_are_made_of_each_length_and_looked_for(monkeypatch):
    monkeypatch.setattr(contamination, "TEXTS", 3)
    runs, both = contamination.ways([SENTENCE, "in 1970 the tower fell"]).values()
    assert (runs.texts, runs.whole, runs.missed) == (3, 0, 0)
    assert (both.texts, both.whole, both.missed) == (3 + 3 * 8, 3 * 8, 0)
    assert sorted(both.runs) == [4 * words for words in range(5, 14)]


def test_planted_pairs_are_as_similar_as_they_say():
    ran = duplicates.planted(0.5, 200)

    assert ran.mean_estimate == pytest.approx(0.5, abs=0.02)
    assert ran.verified == 0 < ran.found < 0.2
    every = duplicates.planted(1.0, 3)
    assert (every.found, every.verified, every.mean_estimate) == (1.0, 1.0, 1.0)


@pytest.mark.beam
def test_the_passes_mark_the_synthetic_duplicates(tmp_path):
    ran = duplicates.passes(tmp_path / "count", "verified", 100)

    assert ran.marked == 20
    assert ran.peak_bytes > 1 << 20


def test_every_profile_can_be_chosen_from_the_synthetic_store(tmp_path):
    synthetic.write_store(tmp_path / "out", refilter.PROFILES, documents=60, images=3)
    for name in refilter.PROFILES:
        options = refilter.options(tmp_path / "out", (name,))
        ran = CliRunner().invoke(cli, [*options, "--json"])
        assert ran.exit_code == 0, ran.output
        (found,) = json.loads(ran.output)["profiles"].values()
        assert found["stages"][0]["entered"] == 60


def test_what_is_started_caches_bytecode_though_this_process_does_not(monkeypatch):
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    own = {name: value for name, value in os.environ.items() if not name.startswith("PYTHONDONT")}
    assert processes.environment(MORE="1") == own | {"MORE": "1"}
