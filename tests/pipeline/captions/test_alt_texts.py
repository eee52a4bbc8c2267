"""Images and alternative texts of a real small build as pairs."""

import hashlib
import math
from dataclasses import replace

import pytest

from openm3w.errors import InputError, OutputError, RecipeError
from openm3w.pipeline.captions import build as builds
from openm3w.pipeline.captions.alt_texts import open_build, read_rows
from openm3w.pipeline.captions.recipe import load
from openm3w.pipeline.captions.unjudged import unjudged
from openm3w.pipeline.runners import Runner
from openm3w.shards import manifest
from openm3w.shards.reader import read_samples

pytestmark = pytest.mark.beam

SITE = "http://site.example"


def rows(imported):
    return list(read_rows(imported, imported.build.units[0]))


def short(row):
    return row.error or f"{row.url.rpartition('/')[2]}: {row.text[:12]}"


def test_each_image_candidate_of_each_page_is_a_row(built_site):
    imported = open_build(built_site.plan.output)
    found = rows(imported)

    assert [row.number for row in found] == list(range(len(found)))
    assert [short(row) for row in found] == [
        "boat.png: A boat in th",
        "plain.png: ",
        "wall.png: The old wall",
        "crest.jpg: Crest of the",
        "gone.png: A picture th",
        "tiny.png: A very small",
        "short.png: Ship",
        "cart.jpg: A blue cart",  # the address that the archive has, and not the preferred one
        "page_dropped",  # a duplicate of the last
        "boat.png: The same boa",
        "small.png: A small but ",
        "page_dropped",  # German
        "boat.png: A boat in th",
    ]
    (stage,) = (
        stage
        for counts in imported.build.folder("documents").counts(imported.build.units)
        for stage in counts["stages"]
        if stage["unit"] == "images"
    )
    assert len(found) == stage["kept"] + stage["dropped"]["page_dropped"]


def test_of_the_documents_in_the_shards_alone_the_others_images_are_counted(built_site):
    everything = rows(open_build(built_site.plan.output))
    kept = rows(open_build(built_site.plan.output, documents="kept"))

    changed = [(a, b) for a, b in zip(everything, kept, strict=True) if a != b]
    assert [(short(a), b.error) for a, b in changed] == [
        ("small.png: A small but ", "page_not_kept")
    ]


def test_a_figure_s_caption_is_taken_where_it_is_asked_for(built_site):
    found = rows(open_build(built_site.plan.output, take="caption"))
    texts = [row.text for row in found if not row.error]
    assert [text for text in texts if text] == ["The cart of the woman who sells bread"]


def test_an_id_is_that_of_page_image_and_what_was_taken(built_site):
    def ids(**options):
        found = rows(open_build(built_site.plan.output, **options))
        return {row.number: row.doc_id for row in found if not row.error}

    alt_texts, captions, kept = ids(), ids(take="caption"), ids(documents="kept")
    pages = built_site.plan.folder("documents").rows(built_site.plan.units[0], ["doc_id"])

    every = [*alt_texts.values(), *captions.values(), *(page["doc_id"] for page in pages)]
    assert len(alt_texts) == len(captions) == 11
    assert len(set(filter(None, every))) == len([each for each in every if each])
    assert kept == {number: alt_texts[number] for number in kept}
    assert ids() == alt_texts


def test_a_cosine_is_the_pair_s_where_the_whole_text_was_scored(built_site):
    by_name = {short(row): row for row in rows(open_build(built_site.plan.output))}

    # Two sentences stand before and two behind; the alternative text is the fifth window.
    assert by_name["boat.png: The same boa"].scores == {"similarity": 0.05}
    assert by_name["wall.png: The old wall"].scores == {}  # its first sentence was scored alone
    assert by_name["gone.png: A picture th"].scores == {}


def test_a_known_model_s_cosine_has_the_name_that_profiles_bound(built_site):
    imported = open_build(built_site.plan.output)
    known = replace(imported, build=replace(imported.build, model="openclip:ViT-B-32/openai"))
    by_name = {short(row): row.scores for row in rows(known)}

    assert known.tables[0].columns.scores == {"similarity_b32": "similarity"}
    assert by_name["boat.png: The same boa"] == {"similarity": 0.05, "similarity_b32": 0.05}
    assert math.isnan(by_name["wall.png: The old wall"]["similarity_b32"])
    # What is not stored has its own reason, and is not dropped for a number that it cannot have.
    assert by_name["gone.png: A picture th"] == {}
    assert set(known.models()) == {"similarity", "similarity_b32"}


def test_other_content_of_the_store_is_another_input(built_site):
    imported = open_build(built_site.plan.output)
    build = imported.build

    def digest(**changes):
        return replace(imported, **changes).tables[0].source.digest

    def refetched(**prints):
        return replace(build, fingerprints={**build.fingerprints, **prints})

    assert digest() == digest()
    assert digest(build=refetched(images="other")) != digest()
    assert digest(build=replace(build, score_parts={"similarity": "other"})) != digest()
    assert digest(build=refetched(shards="other")) == digest()
    assert digest(documents="kept") != digest()
    assert digest(documents="kept", build=refetched(shards="other")) != digest(documents="kept")


def imported_to(output, source, *overrides, **options):
    plan = builds.make_import_plan(
        load("alt-text", overrides), open_build(source, **options), output
    )
    said = []
    return builds.build(plan, Runner(), say=said.append), said


def test_pairs_of_a_build_s_store(site_copy, tmp_path):
    built, _ = imported_to(tmp_path / "pairs", site_copy)

    stages = {(s["job"], s["unit"]): s for s in built.manifest.counts["stages"]}
    outcomes = {key: (s["entered"], s["kept"], s["dropped"]) for key, s in stages.items()}
    assert outcomes == {
        ("rows", "rows"): (13, 10, {"no_caption": 1, "page_dropped": 2}),
        ("rows", "pairs"): (10, 9, {"short_caption": 1}),
        ("images", "images"): (
            7,
            4,
            {"not_in_archive": 1, "too_few_bytes": 1, "too_small": 1},
        ),
        ("select", "pairs"): (
            9,
            5,
            {"duplicate_pair": 1, "not_in_archive": 1, "too_few_bytes": 1, "too_small": 1},
        ),
    }
    assert built.manifest.models["similarity"]["spec"] == "lit"
    samples = {s.document.texts[0]: s for s in read_samples(built.manifest, verify="full")}
    assert sorted(samples) == [
        "A blue cart",
        "A boat in the harbour",
        "A small but good picture",
        "The old wall of the harbour. Behind it two boats are tied to a ring.",
        "The same boat at noon",
    ]
    document = samples["A blue cart"].document
    (image,) = document.images
    assert (document.url, image.url) == (f"{SITE}/harbour", f"{SITE}/cart.jpg")
    assert document.provenance.record_id == "<urn:uuid:00000000-0000-4000-8000-000000000001>"
    assert (document.provenance.source, document.provenance.offset) == ("site.warc.gz", 0)
    assert document.signals.opt_out == ("x-robots-tag: noarchive",)
    assert document.signals.licences == ("https://creativecommons.org/licenses/by/4.0/",)
    assert (image.content.width, image.content.original_width) == (512, 1000)
    assert "similarity" in image.scores

    # The pictures are those of the build's own shards, to the byte.
    (shards,) = manifest.load(site_copy)
    shown = list(read_samples(shards))
    stored = {hashlib.sha256(data).hexdigest() for sample in shown for data in sample.images}
    assert hashlib.sha256(samples["A blue cart"].images[0]).hexdigest() in stored

    again, said = imported_to(tmp_path / "pairs", site_copy)
    assert again.already_done
    assert said == []
    with pytest.raises(OutputError, match="a build of another recipe or input"):
        imported_to(tmp_path / "pairs", site_copy, documents="kept")
    with pytest.raises(InputError, match="not a build of web archives"):
        open_build(tmp_path / "pairs")


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("images.source='http'", "takes what the build has stored"),
        ("profile='openm3w'", "openm3w"),
    ],
)
def test_what_an_import_cannot_do_is_refused_before_any_work(
    built_site, tmp_path, setting, message
):
    imported = open_build(built_site.plan.output)
    with pytest.raises(RecipeError, match=message):
        builds.make_import_plan(load("alt-text", (setting,)), imported, tmp_path / "pairs")


def test_originals_are_kept_where_the_build_has_them(built_site, tmp_path):
    imported = open_build(built_site.plan.output)
    recipe = load("alt-text", ("images.originals=true",))
    assert builds.make_import_plan(recipe, imported, tmp_path / "pairs").imported is imported

    images = replace(imported.build.recipe.images, originals=False)
    without = replace(imported.build, recipe=replace(imported.build.recipe, images=images))
    with pytest.raises(RecipeError, match="the build kept none"):
        builds.make_import_plan(recipe, replace(imported, build=without), tmp_path / "pairs")


def test_bounds_on_scores_that_the_build_lacks_are_told_once(built_site, tmp_path):
    imported = open_build(built_site.plan.output)
    recipe = load("alt-text", ("profile='laion'",))
    (note,) = unjudged(builds.make_import_plan(recipe, imported, tmp_path / "pairs"))
    assert note.startswith("the bound 0.28 of the profile laion on similarity_b32 drops nothing")
    assert "lit" in note
    known = replace(imported, build=replace(imported.build, model="openclip:ViT-B-32/openai"))
    assert unjudged(builds.make_import_plan(recipe, known, tmp_path / "pairs")) == []


def test_a_build_whose_jobs_are_not_done_is_refused(site_copy):
    store = site_copy.with_name("out.work")
    for sidecar in (store / "shards/select").rglob("*.json"):
        sidecar.unlink()
    assert open_build(site_copy).documents == "all"
    with pytest.raises(OutputError, match="job shards is not done"):
        open_build(site_copy, documents="kept")
    for sidecar in (store / "images/packs").rglob("*.json"):
        sidecar.unlink()
    with pytest.raises(OutputError, match="job images is not done"):
        open_build(site_copy)


def test_a_folder_that_is_no_build_is_refused(site_copy, tmp_path):
    with pytest.raises(InputError, match="no build whose store is"):
        open_build(tmp_path / "nowhere")
    site_copy.with_name("out.work").rename(tmp_path / "elsewhere")
    with pytest.raises(InputError, match=r"and its store by --store"):
        open_build(site_copy)
    assert open_build(site_copy, tmp_path / "elsewhere").build.store == tmp_path / "elsewhere"


def test_a_damaged_ledger_or_pack_ends_the_import_by_a_line(site_copy, tmp_path):
    packs = site_copy.with_name("out.work") / "images/packs"
    tables = list(packs.rglob("*.parquet"))
    packed = next(path for path in packs.rglob("*.tar") if path.stat().st_size)
    data = packed.read_bytes()
    packed.write_bytes(data.replace(b"\xff\xd8\xff", b"\xff\xd8\xfe"))
    with pytest.raises(OutputError, match="holds other bytes than its ledger says"):
        imported_to(tmp_path / "pairs", site_copy)
    packed.write_bytes(data)
    for table in tables:
        table.write_bytes(table.read_bytes()[:50])
    with pytest.raises(OutputError, match="missing or damaged"):
        imported_to(tmp_path / "pairs", site_copy)
    assert not (tmp_path / "pairs/data").exists()
