import dataclasses
import html.parser

import pytest

from openm3w.shards import card, card_sections
from openm3w.shards.catalog.distributions import collect
from openm3w.shards.croissant import croissant
from openm3w.shards.editing.edits import merge

EVIL = "<script>alert(1)</script> [x](javascript:alert(2)) `|` **b** ![i](http://e.example)\n# h"
STAGES = [
    {
        "job": "documents", "unit": "pages", "entered": 1000, "kept": 10,
        "dropped": {"opt_out_noai": 4, "wrong_language": 900, "a": 9, "b": 8, "c": 7, "d": 6},
        "failed": {"broken": 56},
    }
]  # fmt: skip


@pytest.fixture
def counted(dataset):
    """A dataset with what a build counts."""

    def make(**counts):
        written = dataset(sizes=(("train", 4), ("val", 2)))
        known = collect([written]).summary()
        rows = [["image.min_side", "64", "KOSMOS-1, appendix B.1.3"]]
        found = {"stages": STAGES, "distributions": known, "thresholds": rows} | counts
        return dataclasses.replace(written, counts=found)

    return make


def section(manifest, title):
    _, _, rest = card.card(manifest).partition(f"## {title}\n\n")
    assert rest, title
    return rest.partition("\n## ")[0]


def test_the_card_answers_what_a_datasheet_asks(counted):
    text = card.card(counted())
    titles = [line for line in text.splitlines() if line.startswith("## ")]
    assert titles == [
        "## Why it was made",
        "## Counts",
        "## What is in it",
        "## What a sample holds",
        "## How to load it",
        "## How it was collected",
        "## How it was filtered",
        "## Uses and limits",
        "## Rights",
        "## How to have something removed",
        "## Recipe and versions",
    ]
    assert "`m3w shards redact`" in section(counted(), "How to have something removed")


def test_what_is_in_it_is_told_in_numbers(counted):
    text = section(counted(), "What is in it")
    assert "| en | 6 | 100.0 % |" in text
    assert "| site0.example | 2 | 33.3 % |" in text
    assert "| images in a document | 1 | 1 | 1 | 2 | 2 |" in text
    assert "| similarity | 0.201 |" in text


def test_the_funnel_names_the_commonest_reasons_and_counts_the_rest(counted):
    text = section(counted(), "How it was filtered")
    assert (
        "| documents | pages | 1,000 | 10 | 990 | wrong language 900, broken 56, a 9, b 8, c 7 "
        "and 2 reasons more |"
    ) in text
    assert "| image.min\\_side | 64 | KOSMOS-1, appendix B.1.3 |" in text


def test_wishes_of_owners_are_told_by_recipe_and_by_counts(counted):
    manners = {
        "per_domain": 2, "per_domain_rate": 4.0, "robots": True, "ai_txt": False,
        "opt_out": {"directives": ["noai"], "content_usage": ["train-ai"]},
    }  # fmt: skip
    recipe = {"images": {"source": "http"}, "fetch": {"manners": manners}}
    text = section(dataclasses.replace(counted(), recipe=recipe), "How it was collected")
    assert "robots.txt was heeded, ai.txt not heeded" in text
    assert "at most 2 requests at a time and 4.0 a second" in text
    assert "opt out noai (pages) 4." in text
    assert "x-robots-tag: noai 6" in text
    assert "nothing was asked of the web" in section(counted(), "How it was collected")


def test_what_the_user_wrote_stays_and_nothing_else_does(counted):
    manifest = counted()
    path = manifest.root / "README.md"
    assert card_sections.yours(path) == ""
    own = "For **our** model.\n\n| a |\n|---|"
    empty = card.card(manifest)
    begin, end = card_sections.BEGIN, card_sections.END
    head, _, rest = empty.partition(begin)
    _, _, tail = rest.partition(end)
    path.write_text(f"{head}{begin}\n{own}\n{end}{tail}".replace("## Rights", "## Mine"))
    card.write_extras(manifest)
    text = path.read_text()
    assert f"{begin}\n{own}\n{end}" in text
    assert "## Mine" not in text
    card.write_extras(manifest)
    assert path.read_text() == text


@pytest.mark.parametrize("old", ["", "no marks", card_sections.BEGIN, "\xff"])
def test_a_card_of_somebody_else_gives_nothing(tmp_path, old):
    (tmp_path / "README.md").write_text(old)
    assert card_sections.yours(tmp_path / "README.md") == ""
    assert card_sections.yours(tmp_path / "none") == ""


def test_a_link_is_not_followed_for_what_the_user_wrote(tmp_path):
    text = f"{card_sections.BEGIN}\nsecret\n{card_sections.END}"
    (tmp_path / "elsewhere").write_text(text)
    assert card_sections.yours(tmp_path / "elsewhere") == "secret"
    (tmp_path / "README.md").symlink_to(tmp_path / "elsewhere")
    assert card_sections.yours(tmp_path / "README.md") == ""


class Tags(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.found, self.attributes = set(), []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.add(tag)
        self.attributes += attrs


def test_words_of_the_web_are_shown_and_do_nothing(counted):
    known = counted().counts["distributions"]
    evil = {EVIL: 3}
    names = dict.fromkeys(("languages", "domains", "crawls", "opt_out"), evil)
    stage = {**STAGES[0], "job": EVIL, "dropped": {EVIL: 990}, "failed": {}}
    manifest = dataclasses.replace(
        counted(distributions=known | names, stages=[stage], thresholds=[[EVIL] * 3]),
        models={EVIL: {"model": [EVIL]}},
        recipe={"profile": EVIL},
    )
    text = card.card(manifest).partition("## Recipe and versions")[0]
    seen = Tags(text)
    assert seen.found <= {"details", "summary"}
    assert seen.attributes == []
    assert "[x](javascript" not in text
    assert "\n# h" not in text
    rows = [line for line in text.splitlines() if "alert" in line and line.startswith("|")]
    assert rows
    assert {len(line.replace("\\|", "").split("|")) for line in rows} <= {5, 8}


def test_counts_of_other_samples_than_there_are_now_are_not_told(counted):
    manifest = counted()
    known = manifest.counts["distributions"] | {"documents": 7}
    stale = dataclasses.replace(manifest, counts=manifest.counts | {"distributions": known})
    assert "m3w shards stats ." in section(stale, "What is in it")
    assert "site0.example" not in card.card(stale)


def test_a_dataset_that_nobody_counted_says_how_to(dataset):
    assert "m3w shards stats ." in section(dataset(), "What is in it")
    assert section(dataset(), "How it was filtered").startswith("The manifest holds no counts")


def test_the_report_is_named_where_there_is_one(counted):
    manifest = counted()
    assert "report.html" not in card.card(manifest)
    (manifest.root / "report.html").touch()
    assert "`report.html` has the funnel" in section(manifest, "How it was filtered")


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        ({"import": {"format": "mmc4", "sources": 1}}, "Imported from files of the format mmc4"),
        ({"adopted": "cc3m"}, "Made of the shards of a folder cc3m"),
        ({"name": "a build"}, "Made of pages of web archives"),
        ({}, "The manifest does not say of what it was made."),
    ],
)
def test_what_it_was_made_of_is_what_the_recipe_says(counted, recipe, words):
    made = dataclasses.replace(counted(), recipe=recipe)
    told = section(made, "How it was collected")
    assert told.startswith(f"- {words}")
    assert words in croissant(made)["description"]
    assert ("web archives" in told) == ("name" in recipe)


def test_a_merge_tells_of_each_of_its_parts(counted, dataset, tmp_path):
    first = dataclasses.replace(counted(), name="first")
    second = dataclasses.replace(
        dataset("b", start=60), name="second", recipe={"import": {"format": "mmc4"}}
    )
    merged = merge([first, second], tmp_path / "merged", name="m", say=lambda _: None).manifest
    told = section(merged, "How it was collected")
    assert "Part first, 6 samples: Made of pages of web archives" in told
    assert "Part first, 6 samples: Images are from archives" in told
    assert "Part first, 6 samples: Dropped for the wishes of their owners: opt out noai" in told
    assert "Part second, 6 samples: Imported from files of the format mmc4" in told
    filtered = section(merged, "How it was filtered")
    assert "Part first, 6 samples:\n\n| stage | of |" in filtered
    assert "| image.min\\_side | 64 |" in filtered
    assert "Made anew by \\`m3w shards merge\\`." in filtered
    assert "report.html" not in filtered
