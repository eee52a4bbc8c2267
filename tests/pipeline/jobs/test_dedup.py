"""Job 2 on small archives: marks, facts, funnel and state as a build leaves them."""

import random
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from openm3w.errors import InputError, OutputError, RecipeError
from openm3w.pipeline import build as builds
from openm3w.pipeline import planning
from openm3w.pipeline import recipe as recipes
from openm3w.pipeline.dedup.attach import read_facts
from openm3w.pipeline.dedup.state import Crawl, State
from openm3w.pipeline.jobs import dedup
from openm3w.pipeline.runners import Runner
from openm3w.pipeline.sidecars import pending, stages
from openm3w.pipeline.wanted import wanted_documents
from openm3w.shards.funnel import check_chain

pytestmark = pytest.mark.beam

COMMON = "the of and to in that was for on with as his they at be this had not are but from or have"
NOTICE = (
    "Please read the notice of this site about how we are using all of the stories that we have."
)


def story(seed, changed=0):
    """200 words of English, of which the last ones may differ from another's of the same seed."""
    draw = random.Random(seed)
    words = [draw.choice(COMMON.split()) if at % 2 else f"thing{draw.randrange(9000)}ly"
             for at in range(200)]  # fmt: skip
    return " ".join(words[: 200 - changed] + [f"other{seed}"] * changed)


def page(text, *images, notices=0):
    half = len(text) // 2
    half = text.index(" ", half)
    pictures = "".join(f'<p><img src="{url}" alt="A picture"></p>' for url in images)
    repeated = f"<p>{NOTICE}</p>" * notices
    return (f"<html><head><title>T</title></head><body><article><p>{text[:half]}</p>{pictures}"
            f"<p>{text[half:]}</p>{repeated}</article></body></html>")  # fmt: skip


class Pages:
    """An archive whose records have ids of their own."""

    def __init__(self, builder, first):
        self.builder, builder._count = builder, first

    def add(self, url, text, *images, date="2024-05-06T07:08:09Z", notices=0):
        images = images or (f"http://pictures.example/{url.split('//')[1]}.png",)
        self.builder.page(url, page(text, *images, notices=notices), date=date)
        return self


@pytest.fixture
def crawls(archive, tmp_path):
    """Two archives; the second has what the first has: a URL, a text, a story, a picture."""
    one, two = Pages(archive, 0), Pages(type(archive)(), 1000)
    one.add("http://a.example/1", story(1), "/boat.png")
    one.add("http://a.example/2", story(2), "/boat.png", "/x.png")
    one.add("http://b.example/1", story(3))
    one.add("http://b.example/same", story(1))  # the text of the first, under another URL
    one.add("http://b.example/near", story(2, changed=2))  # nearly the second
    one.add("http://old.example/", story(4))
    two.add("http://a.example/3", story(5), "/boat.png", "/x.png", "/x.png")
    two.add("http://a.example/4", story(6), "/x.png", "/boat.png")  # the set of /2 and /3
    two.add("http://c.example/near", story(3, changed=2))
    two.add("http://c.example/same", story(3))
    two.add("http://old.example/", story(7), date="2025-01-01T00:00:00Z")  # a newer capture
    paths = {}
    for name, crawl in (("one", one), ("two", two)):
        (tmp_path / name).mkdir()
        paths[name] = crawl.builder.write(tmp_path / name / f"{name}.warc.gz")
    return paths


KEPT = {}


@pytest.fixture(scope="module", autouse=True)
def kept(tmp_path_factory):
    """Where `extract` keeps what the first job made of the archives that many tests here have."""
    KEPT["root"] = tmp_path_factory.mktemp("extracted")


def extract(plan):
    """The first job, or what it made of the same archives for an earlier test."""
    documents = plan.folder("documents")
    kept = KEPT["root"] / documents.fingerprint
    if kept.exists():
        shutil.copytree(kept, documents.root, dirs_exist_ok=True)
        return
    builds.build(plan, Runner(), say=print, last="documents")
    shutil.copytree(documents.root, kept)


def marked(inputs, output, *overrides, runner="local", store=None):
    """The plan of a build up to job 2."""
    overrides = ("shards.val_share=0.0", *overrides)
    plan = planning.make_plan(
        recipes.load("kosmos1", overrides), map(str, inputs), output, store, print
    )
    extract(plan)
    builds.build(plan, Runner(name=runner, workers=2), say=print, last="dedup")
    return plan


def unit_of(plan, name):
    return next(source.unit for source in plan.sources if source.name.startswith(name))


def urls(plan, unit):
    return {row["row"]: row["url"] for row in plan.folder("documents").rows(unit, ["row", "url"])}


def marks(plan, *names):
    """(URL, reason) of each mark in the archives of these names."""
    units = [unit_of(plan, name) for name in names]
    return sorted((urls(plan, unit)[mark["row"]], mark["reason"])
                  for unit in units for mark in plan.folder("dedup").rows(unit))  # fmt: skip


def facts(plan, *names):
    found = {}
    for unit in (unit_of(plan, name) for name in names):
        found |= {urls(plan, unit)[row]: fact for row, fact in read_facts(plan, unit).items()}
    return found


def tables(plan):
    folders = (plan.folder("dedup", part).root for part in ("", "facts"))
    return {path.relative_to(plan.store): path.read_bytes()
            for folder in folders for path in folder.glob("*.parquet")}  # fmt: skip


def test_marks_and_facts_of_two_archives(crawls, tmp_path):
    plan = marked(crawls.values(), tmp_path / "out")

    found = marks(plan, "one", "two")
    by_reason = {reason: {url for url, why in found if why == reason} for _, reason in found}
    assert by_reason["duplicate_url"] == {"http://old.example/"}
    # Which of two stays is a matter of ids; that one of each does is not.
    assert len(by_reason["duplicate_text"] & {"http://a.example/1", "http://b.example/same"}) == 1
    near = by_reason["near_duplicate"]
    assert len(near & {"http://a.example/2", "http://b.example/near"}) == 1
    third = {"http://b.example/1", "http://c.example/near", "http://c.example/same"}
    assert len(third & (near | by_reason["duplicate_text"])) == 2
    assert len(found) == len({(url, why) for url, why in found}) == 5

    about = facts(plan, "one", "two")
    left = {url for url, why in found if why not in ("near_duplicate", "duplicate_url")}
    every = {url for name in crawls for url in urls(plan, unit_of(plan, name)).values()}
    assert set(about) == every - left
    for domain in ("a", "b", "c"):
        inside = {url: fact for url, fact in about.items() if f"//{domain}.example" in url}
        ranks = {url: fact.scores["domain_rank"] for url, fact in inside.items()}
        assert sorted(ranks.values()) == list(range(len(ranks)))
        behind = {url for url in inside if "near_duplicate" in inside[url].scores}
        assert behind == {url for url in inside if ranks[url] >= len(inside) - len(behind)}
    assert near <= {url for url, fact in about.items() if "near_duplicate" in fact.scores}
    assert not any("contamination" in fact.scores for fact in about.values())
    sets = [about[f"http://a.example/{n}"].scores["image_set_rank"] for n in (2, 3, 4)]
    assert sorted(sets) == [0, 1, 2]
    assert about["http://old.example/"].scores["image_set_rank"] == 0
    check_chain(stages(plan, ["documents", "dedup"]))


def test_counts_are_of_documents_without_a_mark(archive, tmp_path):
    crawl = Pages(archive, 0)
    for number in range(3):
        crawl.add(f"http://a.example/{number}", story(number), "/boat.png", notices=2 - number)
    crawl.add("http://a.example/twin", story(0), "/boat.png", notices=2)  # the text of /0
    crawl.add("http://a.example/near", story(1, changed=2), "/boat.png", "/own.png", notices=1)
    crawl.add("http://b.example/", story(9), "http://a.example/boat.png", "/own.png", notices=1)
    plan = marked([crawl.builder.write(tmp_path / "one.warc.gz")], tmp_path / "out")

    about = facts(plan, "one")
    near = next(url for url in ("http://a.example/1", "http://a.example/near")
                if "near_duplicate" in about[url].scores)  # fmt: skip
    # Of /0 and its twin one, of /1 and the near one one, /2 and the other domain's.
    assert {fact.url_counts[0] for fact in about.values()} == {4}
    assert [fact.url_counts[1:] for url, fact in about.items() if len(fact.url_counts) == 2] == [
        (1,), (1,)]  # fmt: skip
    # The notice stands twice in one page and once in another of the domain.
    repeated = {url: list(fact.paragraphs.values()) for url, fact in about.items()}
    first = next(url for url in ("http://a.example/0", "http://a.example/twin") if url in about)
    assert repeated[first] == [3, 3]
    assert repeated[near] == [3]
    assert repeated["http://a.example/2"] == repeated["http://b.example/"] == []


def test_both_runners_make_the_same_tables(crawls, tmp_path):
    one = marked(crawls.values(), tmp_path / "out", "dedup.verify=0.7")
    other = marked(crawls.values(), tmp_path / "other", "dedup.verify=0.7", runner="local-mp")

    assert len(tables(one)) == 4
    assert tables(one) == tables(other)


def written(folder):
    """When each file of a folder was written last."""
    return {path: path.stat().st_mtime_ns for path in folder.root.iterdir() if path.is_file()}


def test_another_seed_orders_a_domain_otherwise_and_marks_nothing_again(archive, tmp_path):
    crawl = Pages(archive, 0)
    for number in range(8):
        crawl.add(f"http://a.example/{number}", story(number))
    source = crawl.builder.write(tmp_path / "one.warc.gz")
    plans, before = [], []
    for seed in (0, 1):
        store = tmp_path / "store"
        plan = marked([source], tmp_path / f"{seed}", f"dedup.seed={seed}", store=store)
        plans.append(plan)
        before.append(written(plan.folder("dedup")))

    orders = [
        [fact.scores["domain_rank"] for fact in facts(plan, "one").values()] for plan in plans
    ]
    assert orders[0] != orders[1]
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(8))
    assert marks(plans[0], "one") == marks(plans[1], "one") == []
    assert before[0] == before[1]
    # Facts alone may be missing too: the job is not done then.
    assert pending(plan, "dedup") == []
    plan.folder("dedup", "facts").path(plan.units[0], "json").unlink()
    assert pending(plan, "dedup") == list(plan.units)
    with pytest.raises(OutputError, match="--from images: job dedup is not done for 1 of 1"):
        builds.build(plan, Runner(), say=print, first="images", last="images")
    dedup.run(plan, Runner())
    assert pending(plan, "dedup") == []
    assert written(plan.folder("dedup")) == before[0]


def test_the_same_record_in_two_archives_stays_once(crawls, tmp_path):
    copy = tmp_path / "one" / "copy.warc.gz"
    copy.write_bytes(crawls["one"].read_bytes())
    plan = marked([tmp_path / "one"], tmp_path / "out")

    found = Counter(reason for _, reason in marks(plan, "one", "copy"))
    assert found["duplicate_record"] == 6
    alone = marked([crawls["one"]], tmp_path / "alone")
    rest = [mark for mark in marks(plan, "one", "copy") if mark[1] != "duplicate_record"]
    assert rest == marks(alone, "one")


@pytest.mark.parametrize("near", [False, True])
def test_near_duplicates_travel_on_unless_the_floor_drops_them(crawls, tmp_path, near):
    profile = tmp_path / "mine.toml"
    profile.write_text(f"[duplicates]\nnear = {str(near).lower()}\n")
    plan = marked([crawls["one"]], tmp_path / "out", f"profile={profile}", "floor=[]")
    (unit,) = plan.units

    expected = {"duplicate_text": 1, **({"near_duplicate": 1} if near else {})}
    (stage,) = [s for s in stages(plan, ["dedup"]) if s.unit == "pages"]
    assert stage.dropped == expected
    wanted = list(wanted_documents(plan, unit))
    assert len(wanted) == stage.kept == 6 - len(expected)
    about = read_facts(plan, unit)
    assert sum("near_duplicate" in about[row].scores for row, _ in wanted) == (not near)
    (counts,) = plan.folder("dedup").counts([unit])
    assert counts["marks"] == {"duplicate_text": 1, "near_duplicate": 1}


def test_what_stands_in_evaluation_texts_is_measured(archive, tmp_path):
    crawl = Pages(archive, 0)
    texts = [story(number) for number in range(3)]
    for number, text in enumerate(texts):
        crawl.add(f"http://a.example/{number}", text)
    source = crawl.builder.write(tmp_path / "one.warc.gz")
    listed = tmp_path / "test.txt"
    # All of the second, and of the third 112 words: 100 of its 188 runs of 13.
    listed.write_text(f"{texts[1]}\n\n{' '.join(texts[2].split()[:112])}\n")
    setting = f'dedup.evaluation_texts=["{listed}"]'

    plan = marked([source], tmp_path / "out", setting)
    found = {url: fact.scores["contamination"] for url, fact in facts(plan, "one").items()}
    assert found == {"http://a.example/0": 0.0, "http://a.example/1": 1.0,
                     "http://a.example/2": round(100 / 188, 4)}  # fmt: skip

    before = plan.fingerprints
    listed.write_text(texts[0])
    again = planning.make_plan(plan.recipe, [str(source)], plan.output, None, print)
    assert again.fingerprints["documents"] == before["documents"]
    assert again.fingerprints["dedup"] == before["dedup"], "marks are not of evaluation texts"
    assert again.fingerprints["facts"] != before["facts"]


def test_a_bound_on_contamination_needs_evaluation_texts(crawls, tmp_path):
    profile = tmp_path / "mine.toml"
    profile.write_text("[duplicates]\nmax_contamination = 0.5\n")

    with pytest.raises(RecipeError, match=r"max_contamination needs .* dedup\.evaluation_texts"):
        marked([crawls["one"]], tmp_path / "out", f"profile={profile}")


def state_of(tmp_path, name):
    return f"dedup.state={tmp_path / 'state'}", f"dedup.crawl=crawl-{name}"


def in_state(crawls, tmp_path, name, *overrides):
    settings = (*state_of(tmp_path, name), *overrides)
    return marked([crawls[name]], tmp_path / f"out-{name}", *settings)


def fingerprints(crawls, tmp_path, name, *overrides):
    """What a plan of this crawl would be made from now."""
    settings = ("shards.val_share=0.0", *state_of(tmp_path, name), *overrides)
    resolved = recipes.load("kosmos1", settings)
    return planning.make_plan(
        resolved, [str(crawls[name])], tmp_path / "out", None, print
    ).fingerprints


def superseded(plan):
    files = sorted(plan.state.folder(plan.crawl).glob("superseded-*.parquet"))
    return [row for file in files for row in pq.read_table(file).to_pylist()]


def test_a_second_crawl_against_the_state_is_as_one_run_over_both(crawls, tmp_path):
    both = marked(crawls.values(), tmp_path / "both")
    first, second = (in_state(crawls, tmp_path, name) for name in ("one", "two"))

    assert marks(second, "two") == marks(both, "two")
    own = {row["doc_id"] for row in second.folder("documents").rows(unit_of(second, "two"))}
    firsts = {mark["first"] for mark in second.folder("dedup").rows(unit_of(second, "two"))}
    assert firsts - own, "nothing was shared"
    theirs, ours = facts(both, "two"), facts(second, "two")
    assert {url: fact.scores for url, fact in ours.items()} == {
        url: fact.scores for url, fact in theirs.items()}  # fmt: skip
    # What the first crawl published cannot be taken back: it is listed.
    old = set(marks(both, "one")) - set(marks(first, "one"))
    assert ("http://old.example/", "duplicate_url") in old
    assert sorted(row["reason"] for row in superseded(second)) == sorted(why for _, why in old)
    assert superseded(first) == []


def test_counts_of_the_state_go_on(archive, tmp_path):
    paths = {}
    for at, name in enumerate(("one", "two")):
        crawl = Pages(type(archive)(), 1000 * at)
        for number in range(2):
            crawl.add(f"http://a.example/{name}{number}", story(10 * at + number), "/boat.png",
                      notices=1)  # fmt: skip
        paths[name] = crawl.builder.write(tmp_path / f"{name}.warc.gz")
    first, second = (in_state(paths, tmp_path, name) for name in paths)

    for plan, name, count in ((first, "one", 2), (second, "two", 4)):
        for fact in facts(plan, name).values():
            assert fact.url_counts == (count,)
            assert list(fact.paragraphs.values()) == [count]


def test_what_an_earlier_crawl_left_decides_what_is_done_again(crawls, tmp_path):
    first = in_state(crawls, tmp_path, "one")
    digits = fingerprints(crawls, tmp_path, "two")

    replaced = Crawl(name="crawl-one", fingerprint="made-otherwise")
    State.read(tmp_path / "state", first.state.minhash).commit(replaced, [])

    again = fingerprints(crawls, tmp_path, "two")
    assert again["documents"] == digits["documents"]
    assert again["dedup"] != digits["dedup"]
    assert fingerprints(crawls, tmp_path, "one") == first.fingerprints, "it comes before itself"
    with pytest.raises(InputError, match=r"state\.json: made with minhash"):
        fingerprints(crawls, tmp_path, "two", "dedup.minhash.words=7")


def test_a_crash_before_the_state_is_entered_is_made_good(crawls, tmp_path, monkeypatch):
    def crash(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(State, "commit", crash)
        with pytest.raises(KeyboardInterrupt):
            in_state(crawls, tmp_path, "one")
    state = tmp_path / "state" / "state.json"
    assert not state.exists()

    plan = in_state(crawls, tmp_path, "one")
    assert state.exists()
    made = tables(plan), written(plan.folder("dedup"))
    plan = replace(plan, state=State.read(tmp_path / "state", plan.state.minhash))
    for path in plan.folder("dedup", "facts").root.iterdir():
        path.unlink()
    dedup.run(plan, Runner())
    assert (tables(plan), written(plan.folder("dedup"))) == made, "facts alone are made again"
    plan = replace(plan, state=State(root=tmp_path / "state", minhash=plan.state.minhash))
    state.unlink()  # and one that was lost is entered again
    dedup.run(plan, Runner())
    assert state.exists()


def test_of_two_runs_at_once_the_second_is_told_to_run_again(crawls, tmp_path):
    state = tmp_path / "state"
    settings = [(f"dedup.state={state}", f"dedup.crawl={name}") for name in ("x", "y")]
    load = [recipes.load("kosmos1", setting) for setting in settings]
    plans = [planning.make_plan(one, [str(crawls["one"])], tmp_path / f"out{at}", None, print)
             for at, one in enumerate(load)]  # fmt: skip
    for plan in plans:
        extract(plan)
    builds.build(plans[0], Runner(), say=print, last="dedup")

    with pytest.raises(OutputError, match=r"another run entered a crawl .* run the same command"):
        builds.build(plans[1], Runner(), say=print, last="dedup")
    assert Path(state / "state.json").read_text().count('"name"') == 1
