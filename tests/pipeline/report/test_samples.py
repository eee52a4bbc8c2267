import base64
import io
import json
import re

import pytest
from click.testing import CliRunner
from PIL import Image as PillowImage

from openm3w.cli import cli
from openm3w.errors import OutputError
from openm3w.pipeline import claims
from openm3w.pipeline.report import page, samples, sources

ATTACKS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(2)>",
    '"><svg onload=alert(3)>',
    "'><iframe src=javascript:alert(4)>",
    "</style><script>alert(5)</script>",
    "</title><body onload=alert(6)>",
    "</textarea></noscript><img src=x onerror=alert(7)>",
    "{{ 7 * 7 }}{% for x in y %}",
    "<!--><script>alert(9)</script>-->",
    "&lt;script&gt;alert(10)&lt;/script&gt;",
    "javascript:alert(11)",
    "data:text/html,<script>alert(12)</script>",
    "<a href='javascript:alert(13)'>x</a>",
    "<style>@import 'http://evil.example/x.css';</style>",
    "<base href=http://evil.example/>",
    "<meta http-equiv=refresh content='0;url=http://evil.example/'>",
    "<link rel=stylesheet href=http://evil.example/x.css>",
    '" style=background:url(http://evil.example/y) x="',
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(19)>",
    "\u202e<script>alert(20)</script>\u2066",
)


@pytest.fixture
def looked_at(dataset, sample, tmp_path):
    """A dataset beside a store with a sample of what was dropped, as a build leaves them."""
    kept = dataset([sample(n, title=f"Kept {n}") for n in range(5)])
    store = claims.default_store(kept.root)
    folder = claims.dropped_folder(kept.root, store)
    lost = [
        sample(10 + n, title=attack, words=attack, dropped="shards: low_similarity")
        for n, attack in enumerate(ATTACKS)
    ]
    german = {"title": "Der Hafen", "dropped": "documents: wrong_language"}
    lost += [sample(90, num_images=0, **german)]
    dataset(lost, name=folder.relative_to(tmp_path), counts={"dropped_samples": 20})
    return kept


def m3w(*arguments):
    return CliRunner().invoke(cli, [str(a) for a in arguments], catch_exceptions=False)


def test_documents_are_grouped_by_fate_and_have_pictures_where_something_was_fetched(looked_at):
    found = sources.samples_of(looked_at.root, 3)
    assert [(group.title, len(group.samples)) for group in found.groups] == [
        ("kept", 3),
        ("shards: low_similarity", 3),
        ("documents: wrong_language", 1),
    ]
    kept, low, german = (group.samples[0] for group in found.groups)
    assert kept.title.startswith("Kept ")
    assert (german.title, german.pictures) == ("Der Hafen", ())
    assert len(low.pictures) == 2
    uri = low.pictures[0].uri.removeprefix("data:image/jpeg;base64,")
    small = PillowImage.open(io.BytesIO(base64.b64decode(uri)))
    assert small.size == (192, 144)
    assert found.notes == ()


def test_pictures_end_where_the_page_is_full_and_that_is_said(looked_at, monkeypatch):
    everything = sources.samples_of(looked_at.root, 20)
    sizes = [len(p.uri) for g in everything.groups for s in g.samples for p in s.pictures]
    monkeypatch.setattr(samples, "MAX_BYTES", sum(sizes[:4]))
    thumbnails = samples.Thumbnails(left=sum(sizes[:4]))
    groups = samples.kept([looked_at], 5, thumbnails)
    found = samples.collected(groups, (), thumbnails)
    shown = [len(p.uri) for g in found.groups for s in g.samples for p in s.pictures]
    assert sum(shown) <= sum(sizes[:4])
    assert 0 < len(shown) < 10
    assert thumbnails.refused == 10 - len(shown)
    assert f"{thumbnails.refused} pictures are left out" in found.notes[0]


def test_what_is_no_picture_is_none():
    thumbnails = samples.Thumbnails()
    assert thumbnails.of(b"<svg onload=alert(1)>") == ""
    assert samples.collected((), (), thumbnails).notes == ("1 picture could not be decoded.",)
    assert thumbnails.undecodable == 1


def test_the_same_picture_twice_counts_twice(sample):
    data = sample(1).images[0]
    thumbnails = samples.Thumbnails()
    uri = thumbnails.of(data)
    assert thumbnails.of(data) == uri
    assert thumbnails.left == samples.MAX_BYTES - 2 * len(uri)


def test_a_page_with_attacks_asks_nothing_runs_nothing_and_shows_them_as_text(
    looked_at, tmp_path, browser
):
    evil = {attack: number for number, attack in enumerate(ATTACKS, start=1)}
    report = {
        "name": ATTACKS[5],
        "recipe": evil,
        "stages": [
            {
                "job": ATTACKS[2], "unit": "pages", "entered": sum(evil.values()), "kept": 0,
                "dropped": evil, "failed": {},
            }
        ],
        "bars": {ATTACKS[17]: evil},
        "histograms": {ATTACKS[4]: {"edges": [0, 1], "counts": [1]}},
        "tables": {ATTACKS[0]: [list(evil), list(evil)]},
        "notes": list(ATTACKS),
    }  # fmt: skip
    output = tmp_path / "look.html"
    output.write_text(page.render(report, sources.samples_of(looked_at.root, 20)))
    seen = {"dialogs": [], "requests": [], "console": []}
    tab = browser.new_page()
    tab.on("dialog", lambda d: (seen["dialogs"].append(d.message), d.dismiss()))
    tab.on("request", lambda r: seen["requests"].append(r.url))
    tab.on("console", lambda m: seen["console"].append(m.text))
    tab.goto(output.as_uri())
    tab.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    text = tab.evaluate("document.body.innerText")
    loaded = tab.evaluate("[...document.images].filter(i => i.naturalWidth > 0).length")
    tags = tab.evaluate("[...new Set([...document.querySelectorAll('*')].map(e => e.localName))]")
    tab.close()
    assert seen["dialogs"] == seen["console"] == []
    asked = [url for url in seen["requests"] if not url.startswith("data:image/jpeg;")]
    assert asked == [output.as_uri()]
    assert loaded == 2 * (5 + len(ATTACKS))
    assert not {"script", "iframe", "base", "link", "math", "object"} & set(tags)
    flat = re.sub(r"\s+", " ", text)
    for attack in ATTACKS[:-1]:
        assert attack in flat


def test_the_command_writes_samples_elsewhere_and_never_into_what_is_published(looked_at, tmp_path):
    page.write_report(looked_at.root, {"name": "a set"})
    output = tmp_path / "look.html"
    assert f"written: {output}" in m3w("report", looked_at.root, "-o", output).output
    assert "Der Hafen" in output.read_text()
    assert "data:image/jpeg" in output.read_text()
    inside = looked_at.root / "report.html"
    before = inside.read_text()
    with pytest.raises(OutputError, match="which is published"):
        m3w("report", looked_at.root, "-o", inside)
    assert inside.read_text() == before
    m3w("report", looked_at.root, "-o", inside, "--samples", 0)
    assert "data:image" not in inside.read_text()


def test_a_sample_of_fewer_that_cannot_be_made_again_is_shown_all_the_same(looked_at):
    found = sources.samples_of(looked_at.root, 21)
    assert [len(group.samples) for group in found.groups] == [5, 20, 1]
    assert found.notes[0].startswith("Of what was dropped there may be fewer documents than")


def test_without_a_store_the_page_says_why_nothing_dropped_is_shown(dataset, sample, tmp_path):
    kept = dataset([sample(1)])
    output = tmp_path / "look.html"
    m3w("report", kept.root, "-o", output)
    assert "Of what was dropped there is no sample: " in output.read_text()
    assert "Title 1" in output.read_text()


def test_a_dataset_without_a_build_and_a_mixture_are_counted_by_their_samples(
    dataset, sample, tmp_path
):
    first = dataset([sample(n) for n in range(3)], name="a")
    dataset([sample(n, num_images=1) for n in range(10, 14)], name="b")
    value = json.loads(m3w("report", first.root, "--json").output)
    assert value["histograms"]["images in a kept document"] == {"edges": [2, 3], "counts": [3]}
    assert value["bars"]["languages of the kept documents"] == {"en": 2, "de": 1}
    # Likewise where there is a report without such counts, as of an adopted folder.
    page.write_report(first.root, {"name": "adopted"})
    adopted = json.loads(m3w("report", first.root, "--json").output)
    assert (adopted["name"], adopted["bars"]) == ("adopted", value["bars"])
    mix = tmp_path / "mix.json"
    m3w("shards", "join", tmp_path / "a", tmp_path / "b", "-o", mix)
    told = m3w("report", mix).output
    assert told.startswith("mix\n")
    assert "a set" in told
    joined = json.loads(m3w("report", mix, "--json").output)
    assert joined["histograms"]["images in a kept document"]["counts"] == [4, 3]
    assert [row[2] for row in joined["tables"]["datasets"][1:]] == [3, 4]
