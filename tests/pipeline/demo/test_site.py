import pytest

from openm3w.pipeline import build, planning
from openm3w.pipeline import recipe as recipes
from openm3w.pipeline.archive import read_records
from openm3w.pipeline.demo import content, site
from openm3w.pipeline.runners import Runner
from openm3w.pipeline.sidecars import stages
from openm3w.shards import reader

# What a build with the recipe `kosmos1` must have counted, by unit. The similarity of the recipe
# `openm3w` adds `low_similarity`, which needs a model.
OUTCOMES = {
    "records": {"image", "file", "revisit_record", "warcinfo_record"},
    "pages": {
        "http_status",
        "no_image_candidate",
        "wrong_language",
        "empty_body",
        "no_text",
        "too_deep",
        "too_few_words",
        "unreadable_payload",
        "duplicate_text",
        "duplicate_url",
        "single_image_sampled_out",
        "no_image",
        "not_interspersed",
        "opt_out_noai",
    },
    "images": {
        "outside_content",
        "noscript_twin",
        "icon_name",
        "hidden",
        "page_dropped",
        "not_in_archive",
        "redirect_not_in_archive",
        "revisit_not_in_archive",
        "extreme_aspect",
        "empty",
        "http_status",
        "not_an_image",
        "single_colour",
        "too_many_pixels",
        "too_small",
        "undecodable",
        "unknown_format",
        "beyond_max_images",
    },
}


@pytest.fixture(scope="module")
def records(demo_archive):
    return list(read_records(demo_archive, max_body=10_000_000))


@pytest.fixture(scope="module")
def built(demo_archive, tmp_path_factory):
    output = tmp_path_factory.mktemp("built") / "out"
    plan = planning.make_plan(
        recipes.load("kosmos1"), [str(demo_archive)], output, None, lambda _: None
    )
    return plan, build.build(plan, Runner(), say=lambda _: None)


def test_two_archives_are_equal_byte_for_byte(demo_archive, tmp_path):
    site.write_archive(content.load(), tmp_path / "again.warc.gz")
    assert (tmp_path / "again.warc.gz").read_bytes() == demo_archive.read_bytes()


def test_the_archive_is_whole_and_small(demo_archive, records):
    assert all(hasattr(record, "url") for record in records)
    assert demo_archive.stat().st_size < 10_000_000


@pytest.mark.parametrize(
    "mark",
    [
        b'<nav class="main-nav">',
        b"<figcaption>",
        b'data-src="/photos/',
        b'src="data:image/gif;base64,',
        b" 1280w",
        b" 2x",
        b"<picture>",
        b"<noscript><img",
        b'<base href="http://wiki.example/">',
        b'class="teaser"',
        b"<table",
        b'width="1" height="1"',
        b'class="share"',
        b'lang="de"',
        b'lang="zh"',
    ],
)
def test_the_pages_have_what_real_pages_have(records, mark):
    assert any(mark in record.body for record in records if record.content_kind == "html")


@pytest.mark.beam
def test_every_kind_of_outcome_appears(built):
    plan, _ = built
    for unit, expected in OUTCOMES.items():
        found = {
            reason
            for stage in stages(plan)
            if stage.unit == unit
            for reason in (*stage.dropped, *stage.failed)
        }
        assert found >= expected


@pytest.mark.beam
def test_enough_documents_are_kept_for_a_look_and_a_short_training(built):
    _, result = built
    assert result.manifest.nsamples >= 30
    assert result.manifest.images >= 70


@pytest.mark.beam
def test_the_largest_captured_size_is_stored_under_its_own_address(built):
    _, result = built
    urls = [
        image.url
        for sample in reader.read_samples(result.manifest)
        for image in sample.document.images
        if image.url.startswith("http://news.example/")
    ]
    assert urls
    # The pages prefer 1280 pixels, which no crawler fetched.
    assert all(url.endswith("-640.jpg") for url in urls)
