"""What an output asks again for, and what others that share its store do not hear of."""

import pytest

from openm3w import cli
from openm3w.errors import OutputError
from openm3w.pipeline import claims, publish, refetch
from openm3w.pipeline.captions import build as builds
from openm3w.pipeline.captions.recipe import load
from openm3w.pipeline.fetch.getting import Again
from openm3w.shards.manifest import Manifest

ASKING = ("images.source=http", "fetch.manners.contact=tests@example.org")
FAILED, ALL = Again(refetch="failed"), Again(refetch="all")
MONTH = Again(refetch="older-than", older_than_seconds=86_400.0 * 30)


@pytest.fixture
def planned(tmp_path):
    """A plan into an output, over one store."""
    table = tmp_path / "table" / "t.csv"
    table.parent.mkdir()
    table.write_text("url,text\nhttp://site.example/a.jpg,a caption\n")

    def make(output, again=None, overrides=()):
        store = tmp_path / "store"
        return builds.make_plan(
            load(overrides=(*ASKING, *overrides)),
            [str(table)],
            tmp_path / output,
            store=store,
            again=again,
        )

    return make


def claim(plan):
    claims.claim(plan.output, plan.store, plan.identity)


def publish_empty(plan):
    plan.output.mkdir()
    empty = Manifest(name="x", kind="caption", shards=(), root=plan.output)
    publish.publish(empty, {"name": "x", "stages": []}, plan.identity, plan.store)


def test_a_plan_alone_notes_nothing(planned, tmp_path):
    assert planned("out", ALL).again.since > 0
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize("asked", [FAILED, ALL, MONTH])
def test_what_was_stopped_goes_on_with_its_own_command_or_without_the_option(planned, asked):
    first = planned("out", asked)
    claim(first)
    assert planned("out", asked).again == planned("out").again == first.again
    # Also after its images job, where a later one was stopped.
    refetch.end(first.store, first.again)
    assert planned("out", asked).again == planned("out").again == first.again
    # Another round is another one, and later.
    other = planned("out", FAILED if asked == ALL else ALL).again
    assert other.since > first.again.since
    assert planned("two", asked).again.since > first.again.since


def test_outputs_that_share_a_store_do_not_change_each_other(planned):
    plain = planned("plain")
    claim(plain)
    asking = planned("asking", ALL)
    claim(asking)
    # While it goes on, a new output goes by what was finished.
    assert planned("new").identity == plain.identity
    assert planned("plain").identity == plain.identity
    refetch.end(asking.store, asking.again)
    assert planned("plain").identity == plain.identity
    assert planned("asking").identity == asking.identity
    # A new one takes the newest answers, which the units of old ones do not have.
    new = planned("new")
    assert new.folder("images") == asking.folder("images") != plain.folder("images")
    claim(new)
    refetch.end(new.store, Again(refetch="failed", since=asking.again.since + 7))
    assert planned("new").again == new.again
    assert planned("newer").again.since == asking.again.since + 7


def test_a_published_output_is_not_asked_again_until_it_is_removed(planned):
    first = planned("out", FAILED)
    claim(first)
    publish_empty(first)
    refetch.end(first.store, first.again)
    claim(planned("out", FAILED))
    claim(planned("out"))
    with pytest.raises(OutputError, match=r"before its URLs were asked again \(--refetch\)"):
        claim(planned("out", ALL))
    assert planned("out", FAILED).again == first.again
    (first.output / "manifest.json").unlink()
    assert planned("out", FAILED).again.since > first.again.since
    assert planned("out").again == Again(since=first.again.since)


def test_an_output_that_was_moved_keeps_its_answers(planned, tmp_path):
    first = planned("out", FAILED)
    claim(first)
    publish_empty(first)
    first.output.rename(tmp_path / "moved")
    assert planned("moved", FAILED).again == first.again


@pytest.mark.parametrize("command", [["captions", "build", "t.csv"], ["build", "m3w", "-i", "t"]])
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--refetch", "failed"], "--refetch failed: nothing is asked of the web; add --fetch"),
        (["--fetch", "--older-than", "30"], "--older-than: says nothing without --refetch older"),
        (["--fetch", "--refetch", "all", "--older-than", "3"], "--older-than: says nothing"),
        (["--fetch", "--refetch", "older-than", "--older-than", "nan"], "--older-than nan: exp"),
        (["--fetch", "--refetch", "older-than", "--older-than", "inf"], "--older-than inf: exp"),
    ],
)
def test_options_that_say_nothing_are_refused(
    tmp_path, monkeypatch, capsys, command, options, message
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as caught:
        cli.main([*command, "-o", "out", "--contact", "me@site.example", *options])
    assert caught.value.code == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_command_that_cannot_run_notes_no_refetch(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    command = ["captions", "build", "gone.csv", "-o", "out"]
    with pytest.raises(SystemExit):
        cli.main([*command, "--contact", "me@site.example", "--fetch", "--refetch", "all"])
    assert "gone.csv: no such file" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
