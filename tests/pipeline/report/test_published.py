from openm3w.pipeline.report import published
from openm3w.shards.funnel import Stage


def stage(job, unit, entered, kept):
    return Stage(job=job, unit=unit, entered=entered, kept=kept, dropped={"x": entered - kept})


def test_a_build_of_pages_stands_beside_the_published_ones_with_its_own_numbers():
    found = published.compare(
        "mine",
        [
            stage("documents", "records", 900, 500),
            stage("documents", "pages", 500, 40),
            stage("dedup", "pages", 40, 20),
            stage("images", "urls", 70, 35),
            stage("shards", "pages", 20, 5),
        ],
    )
    own = [(row.entered, row.left, row.share) for row in found.rows if row.own]
    assert own == [
        ("500", "40", "8.0 %"),
        ("500", "20", "4.0 %"),
        ("500", "5", "1.0 %"),
        ("70", "35", "50.0 %"),
    ]
    others = {row.dataset for row in found.rows if not row.own}
    assert others == {"KOSMOS-1", "OBELICS", "OmniCorpus-CC", "MMC4"}
    assert all("arXiv" in row.about for row in found.rows if not row.own)


def test_shares_are_those_of_the_published_numbers():
    def value(text):
        number, _, unit = text.removeprefix("about ").partition(" ")
        return float(number) * {"million": 1e6, "billion": 1e9}[unit]

    found = published.compare("x", [stage("documents", "pages", 1, 1)])
    for row in found.rows:
        if row.left and not row.own:
            share = 100 * value(row.left) / value(row.entered)
            assert abs(share - float(row.share.removesuffix(" %"))) < 0.6, row


def test_builds_of_anything_else_are_beside_none():
    assert published.compare("x", [stage("rows", "pairs", 5, 5)]) is None
