"""Another profile over a small real build, through the command line."""

import json
import re
import shutil

import pyarrow.parquet as pq
import pytest

from openm3w.cli import main
from openm3w.pipeline import build as builds
from openm3w.pipeline import planning
from openm3w.pipeline import recipe as recipes
from openm3w.pipeline.reopening import reopen
from openm3w.pipeline.runners import Runner
from openm3w.shards import manifest as manifests
from openm3w.shards.reader import read_samples

pytestmark = pytest.mark.beam

SITE = "http://site.example"
WORDS = (
    "The harbour was quiet in the morning and the boats lay side by side along the old stone wall. "
    "A woman sold bread and oranges from a blue cart while the gulls waited for what she dropped. "
)


def article(number: int, images: int) -> str:
    figures = "".join(
        f'<p>{WORDS} Part {at} of {number}.</p><img src="/p{number}-{at}.png" alt="Boats">'
        for at in range(images)
    )
    end = "" if number == 5 else f"<p>{WORDS} The end of {number}.</p>"
    return f"<title>Story {number}</title><article><h1>Story {number}</h1>{figures}{end}</article>"


@pytest.fixture(scope="module")
def built(tmp_path_factory, image_bytes):
    """Eight stories of one to eight pictures, some of them small, in a build of `kosmos1`."""
    from tests.conftest import ArchiveBuilder

    folder, archive = tmp_path_factory.mktemp("built"), ArchiveBuilder()
    for number in range(1, 9):
        archive.page(f"{SITE}/{number}", article(number, number))
        for at in range(number):
            side = 90 if at % 3 else 200
            data = image_bytes(side, side + 10, seed=10 * number + at)
            archive.image(f"{SITE}/p{number}-{at}.png", data)
    archive.page(f"{SITE}/empty", "<title>Nothing</title><p>Nothing.</p>")
    german = "Der Hafen war am Morgen ruhig, und die Boote lagen an der alten Mauer. " * 4
    archive.page(f"{SITE}/german", f"<title>Hafen</title><p>{german}</p><img src=/p1-0.png>")
    source = archive.write(folder / "site.warc.gz")
    settings = ("shards.val_share=0.0", 'floor=["kosmos1", "m3w"]', "scores.model=none")
    plan = planning.make_plan(
        recipes.load("kosmos1", settings), [str(source)], folder / "out", None, lambda _: None
    )
    builds.build(plan, Runner(), say=lambda _: None)
    source.unlink()  # nothing below may read it
    return folder


@pytest.fixture
def store(built, tmp_path):
    """A copy of the build that a test may add to."""
    for name in ("out", "out.work"):
        shutil.copytree(built / name, tmp_path / name)
    return tmp_path


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as stop:
        main([str(argument) for argument in arguments])
    out = capsys.readouterr()
    return stop.value.code, out.out, out.err


def looked(capsys, *arguments):
    code, out, err = run(capsys, "refilter", *arguments, "--dry-run", "--json")
    assert code == 0, err
    return json.loads(out)["profiles"]


@pytest.mark.parametrize(
    ("profile", "overrides", "read"),
    [
        ("kosmos1", (), False),
        ("m3w", ("quality={}",), False),
        ("m3w", ("document.interspersed=true", "quality={}"), True),
        ("kosmos1", ("image.min_side=150", "document.single_image_share=1.0"), False),
        ("kosmos1", ("text.max_document_words=80", "document.max_images=2"), False),
        ("kosmos1", ("quality.gopher_quality={}", "quality.pii={}"), False),
    ],
)
def test_a_look_says_what_a_run_then_does(store, capsys, profile, overrides, read):
    changes = [part for override in overrides for part in ("--set", override)]
    before = set((store / "out.work").rglob("*.parquet"))
    look = looked(capsys, store / "out", "--profile", profile, *changes)[profile]
    made = set((store / "out.work").rglob("*.parquet")) - before
    assert all("measures" in path.parts for path in made), "only numbers may be added"
    assert bool(look["documents_read"]) is read

    code, out, err = run(
        capsys, "refilter", store / "out", "--profile", profile, *changes, "--json",
        "--output", store / "new",
    )  # fmt: skip
    assert code == 0, err
    result = json.loads(out)
    last = [stage for stage in result["stages"] if stage["job"] == "shards"]
    assert last == look["stages"]
    (found,) = manifests.load(store / "new")
    samples = list(read_samples(found, verify="full"))
    assert len(samples) == last[0]["kept"]
    assert sum(len(sample.images) for sample in samples) == last[1]["kept"]


def test_the_same_profile_gives_the_same_shards(store, capsys):
    code, _, err = run(capsys, "refilter", store / "out", "--profile", "kosmos1")
    assert code == 0, err
    name = "data/train-000000.tar"
    assert (store / "out-kosmos1" / name).read_bytes() == (store / "out" / name).read_bytes()


def test_a_refiltered_build_can_be_chosen_from_again(store, capsys):
    run(
        capsys, "refilter", store / "out", "-p", "m3w", "--set", "quality={}",
        "-o", store / "windows",
    )  # fmt: skip
    first = looked(capsys, store / "out", "-p", "kosmos1")
    assert (
        looked(capsys, store / "windows", "-p", "kosmos1", "--store", store / "out.work") == first
    )
    assert looked(capsys, store / "windows", "-p", "kosmos1") == first


def test_several_profiles_stand_side_by_side(store, capsys):
    code, out, _ = run(capsys, "refilter", store / "out", "-p", "kosmos1", "-p", "m3w", "--dry-run")
    lines = out.splitlines()
    assert code == 0
    assert lines[0].startswith("documents: ")
    assert lines[lines.index("") + 1].split() == ["kosmos1", "m3w"]
    entered = next(line for line in lines if line.startswith("pages entered"))
    assert entered.split()[2:] == ["8", "8"]


@pytest.mark.parametrize(
    ("override", "bound"),
    [
        ("image.min_side=32", "image.min_side is 32, stored was 64"),
        ("image.max_aspect=4.0", "image.max_aspect is 4.0, stored was 3.0"),
        ("text.min_words=3", "text.min_words is 3, stored was 10"),
        ("language=any", "language is any, stored was en"),
        ("opt_out.tdm_reservation=false", "opt_out.tdm_reservation is False, stored was True"),
    ],
)
def test_a_looser_bound_is_named(store, capsys, override, bound):
    code, _, err = run(
        capsys, "refilter", store / "out", "-p", "m3w", "--set", override, "--dry-run"
    )
    assert code == 2
    assert "looser than what was built" in err
    assert bound in err
    assert "floor that names a profile of these values" in err


def test_a_looser_profile_is_told_how_it_can_be_built(store, capsys):
    loose = store / "loose.toml"
    loose.write_text("[image]\nmin_side = 10\n", encoding="utf-8")
    code, _, err = run(capsys, "refilter", store / "out", "-p", loose)
    assert code == 2
    assert f'--set \'floor=["kosmos1", "m3w", "{loose}"]\'' in err


def test_a_folder_that_is_no_build_is_told(tmp_path, capsys):
    code, _, err = run(capsys, "refilter", tmp_path, "-p", "m3w", "--dry-run")
    assert code == 1
    assert "no build whose store is" in err


def test_several_profiles_make_no_shards(store, capsys):
    code, _, err = run(capsys, "refilter", store / "out", "-p", "m3w", "-p", "kosmos1")
    assert code == 2
    assert "--dry-run" in err


def test_a_store_of_a_floor_that_has_changed_is_refused(store, capsys):
    (path,) = (store / "out.work" / "outputs").glob("*.json")
    note = json.loads(path.read_text())
    for profile in note["identity"]["beside"]["profiles"]:
        profile["language"] = "de"
    path.write_text(json.dumps(note))
    code, _, err = run(capsys, "refilter", store / "out", "-p", "m3w", "--dry-run")
    assert code == 1
    assert "run the same m3w build with another --output and --store" in err


def test_a_damaged_table_is_named(store, capsys):
    plan = reopen(store / "out")
    plan.measures.path(plan.units[0]).write_bytes(b"PAR1")
    code, _, err = run(capsys, "refilter", store / "out", "-p", "m3w", "--dry-run")
    assert code == 1
    assert "missing or damaged" in err


def test_a_table_of_another_unit_is_named(store, capsys):
    plan = reopen(store / "out")
    assert looked(capsys, store / "out", "-p", "m3w", "--set", "quality={}")
    path = plan.measures.path(plan.units[0], "images.parquet")
    others = {b"openm3w.table": f"{plan.measures.fingerprint}/other.images.parquet".encode()}
    pq.write_table(pq.read_table(path).replace_schema_metadata(others), path)
    code, _, err = run(
        capsys, "refilter", store / "out", "-p", "m3w", "--set", "quality={}", "--dry-run"
    )
    assert code == 1
    assert "images.parquet: missing or damaged (it is " in err
    assert "other.images.parquet)" in err


def explained(capsys, *arguments):
    code, out, err = run(capsys, "explain", *arguments, "--json")
    assert code == 0, err
    (page,) = json.loads(out)
    return page


def test_explain_says_what_became_of_a_page_and_its_images(store, capsys):
    page = explained(capsys, store / "out", f"{SITE}/7")
    assert (page["job"], page["reason"]) == ("shards", "")
    assert [image["reason"] for image in page["images"]] == [""] * 5 + ["beyond_max_images"] * 2
    sides = [check for check in page["images"][1]["checks"] if check["reason"] == "too_small"]
    assert [(check["value"], check["least"], check["holds"]) for check in sides] == [(90, 64, True)]
    assert explained(capsys, store / "out", page["doc_id"]) == page

    strict = store / "strict.toml"
    strict.write_text('description = "large"\n[image]\nmin_side = 100\n', encoding="utf-8")
    page = explained(capsys, store / "out", f"{SITE}/7", "--profile", strict)
    assert [image["reason"] for image in page["images"]] == ["", "too_small", "too_small"] * 2 + [
        ""
    ]


def test_what_set_chose_is_explained_with_set(store, capsys):
    changed = ("--profile", "kosmos1", "--set", "image.min_side=150")
    page = explained(capsys, store / "out", f"{SITE}/7", *changed)
    looked_at = [check for check in page["images"][1]["checks"] if check["reason"] == "too_small"]
    assert [(check["least"], check["holds"]) for check in looked_at] == [(150, False)]
    small = [image["reason"] for image in page["images"]].count("too_small")
    assert small == 4, "of seven, those of 90 pixels"

    code, _, err = run(capsys, "explain", store / "out", f"{SITE}/7", *changed[2:])
    assert code == 2
    assert "name the profile that it changes, by --profile" in err


def test_explain_says_where_a_page_ended(store, capsys):
    page = explained(capsys, store / "out", f"{SITE}/5")
    assert (page["job"], page["reason"]) == ("shards", "")
    page = explained(capsys, store / "out", f"{SITE}/empty")
    assert page["job"] == "documents"
    assert page["reason"] == "no_image_candidate"
    page = explained(capsys, store / "out", f"{SITE}/german")
    assert page["reason"] == "wrong_language"
    (wanted, *_) = page["checks"]
    assert (wanted["measure"], wanted["value"], wanted["holds"]) == ("language.wanted", 0, False)


def test_explain_says_by_which_numbers_a_document_went(store, capsys):
    page = explained(capsys, store / "out", f"{SITE}/1", "--profile", none_of_one_image(store))
    assert page["reason"] == "single_image_sampled_out"
    assert not page["kept"]
    failed = [check for check in page["checks"] if not check["holds"]]
    assert [check["measure"] for check in failed] == ["single_image.draw"]


def none_of_one_image(folder):
    path = folder / "none.toml"
    path.write_text("[document]\nsingle_image_share = 0.0\n", encoding="utf-8")
    return path


def test_explain_is_readable(store, capsys):
    code, out, _ = run(capsys, "explain", store / "out", f"{SITE}/7")
    assert code == 0
    assert "Story 7" in out
    assert "kept, profile kosmos1" in out
    assert "beyond_max_images (job shards)" in out
    assert "at least 64" in out
    assert "single_image.draw" not in out, "nothing is drawn where there are several"
    code, out, _ = run(capsys, "explain", store / "out", f"{SITE}/1")
    assert re.search(r"single_image\.draw +0\.\d+ +at most 0\.5 ", out)


def test_explain_does_not_know_a_page(store, capsys):
    code, _, err = run(capsys, "explain", store / "out", f"{SITE}/unknown")
    assert code == 1
    assert "no page of this build" in err


def test_a_profile_that_wants_what_the_build_did_not_make_is_told(store, capsys):
    code, _, err = run(
        capsys, "refilter", store / "out", "-p", "m3w", "--dry-run", "--set",
        "safety.max_nsfw={opennsfw=0.5}",
    )  # fmt: skip
    assert code == 2
    assert "scores.safety" in err


def test_profiles_of_one_name_are_told_apart(store, capsys):
    other = store / "kosmos1.toml"
    other.write_text("[image]\nmin_side = 150\n", encoding="utf-8")
    code, out, _ = run(capsys, "refilter", store / "out", "-p", "kosmos1", "-p", other, "--dry-run")
    assert code == 0
    assert str(other) in out
    code, _, err = run(capsys, "refilter", store / "out", *["-p", "kosmos1"] * 2, "--dry-run")
    assert code == 2
    assert "named twice" in err


def test_a_store_with_holes_is_told_and_mended(store, capsys):
    plan = reopen(store / "out")
    facts = plan.folder("dedup", "facts")
    facts.path(plan.units[0], "json").unlink()
    code, _, err = run(capsys, "refilter", store / "out", "-p", "kosmos1", "--dry-run")
    assert code == 1
    assert "job dedup is not done, or its files are gone, for 1 of 1 archives" in err
    assert "run the same m3w build again" in err
    # Which needs no archive here: only what is gone is done again.
    builds.build(plan, Runner(), say=lambda _: None)
    assert facts.sidecar(plan.units[0]) is not None
    assert looked(capsys, store / "out", "-p", "kosmos1")
