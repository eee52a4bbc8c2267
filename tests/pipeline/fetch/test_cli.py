"""`m3w fetched` on stores that the fetcher made over a server on loopback."""

import hashlib
import json
import shutil

import pytest
from click.testing import CliRunner
from hostile import PICTURE
from serving import HERE, RUDE, Serving, pictures

from openm3w import cli
from openm3w.pipeline.fetch.cli import fetched
from openm3w.pipeline.fetch.fetching import Fetcher
from openm3w.pipeline.fetch.getting import get
from openm3w.pipeline.fetch.settings import FetchSettings
from openm3w.pipeline.fetch.store.memory import Memory

SETTINGS = FetchSettings(limits=HERE, manners=RUDE)
COMMANDS = ("bury", "compact", "mend", "show", "stats", "tombstones", "verify")


def body(at):
    return PICTURE + str(at).encode()


@pytest.fixture(scope="module")
def fetches(tmp_path_factory):
    """The store of a build that asked for six pictures, and for one that is not there."""
    root = tmp_path_factory.mktemp("made") / "out.work"
    with Serving(pictures=pictures(6)) as server, Fetcher(SETTINGS) as fetcher:
        urls = [server.url(f"/{at}.jpg") for at in range(7)]
        for unit in range(0, 7, 2):
            memory = Memory.open(str(root / "fetched"))
            list(get(urls[unit : unit + 2], memory, fetcher, unit=f"u{unit}"))
    return root, urls


@pytest.fixture
def store(fetches, tmp_path):
    """A copy of it, to be changed."""
    root, _ = fetches
    shutil.copytree(root, tmp_path / "out.work")
    return tmp_path / "out.work"


@pytest.fixture
def urls(fetches):
    return fetches[1]


def run(*arguments):
    result = CliRunner().invoke(fetched, [str(a) for a in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def run_json(*arguments):
    return json.loads(run(*arguments, "--json"))


def refused(capsys, *arguments):
    """The one line, and the code, by which a command ends."""
    with pytest.raises(SystemExit) as caught:
        cli.main(["fetched", *map(str, arguments)])
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    return caught.value.code, error


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_examples(command):
    assert f"m3w fetched {command}" in run(command, "--help")


def test_a_store_is_counted_by_its_build_and_by_itself(store):
    value = run_json("stats", store)
    assert value == run_json("stats", store / "fetched")
    assert value["store"] == str(store / "fetched")
    assert (value["urls"], value["packs"], value["loose_files"], value["runs"]) == (7, 3, 4, 0)
    assert value["outcomes"] == [
        {"outcome": "failed", "reason": "not_found", "urls": 1},
        {"outcome": "fetched", "reason": "", "urls": 6},
    ]
    assert value["content_bytes"] == sum(len(body(at)) for at in range(6))
    (host,) = value["hosts"]["failed_most"]
    assert (host["domain"], host["requests"], host["failed"]) == ("127.0.0.1", 7, 1)
    text = run("stats", store)
    assert "7 URLs" in text
    assert "not found" in text
    assert "127.0.0.1" in text
    assert "tombstones: 0" in text


def test_all_that_is_remembered_of_a_url_is_shown(store, urls, tmp_path):
    value = run_json("show", store, urls[3])
    assert (value["outcome"], value["status"], value["url"]) == ("fetched", 200, urls[3])
    assert value["sha256"] == hashlib.sha256(body(3)).hexdigest()
    with open(value["pack"], "rb") as pack:  # noqa: PTH123
        pack.seek(value["offset"])
        assert pack.read(value["length"]) == body(3)
    text = run("show", store, urls[3].upper().replace("/3.JPG", "/3.jpg") + "#part")
    assert value["sha256"] in text
    assert value["pack"] in text
    run("show", store, urls[3], "--bytes", tmp_path / "cat.jpg")
    assert (tmp_path / "cat.jpg").read_bytes() == body(3)


def test_what_is_not_remembered_or_has_no_bytes_is_one_line(store, urls, tmp_path, capsys):
    code, error = refused(capsys, "show", store, f"{urls[0]}?other")
    assert code == 1
    assert "remembers nothing of this URL" in error
    code, error = refused(capsys, "show", store, urls[6], "--bytes", tmp_path / "x.jpg")
    assert "not_found, so there are no bytes" in error
    assert not (tmp_path / "x.jpg").exists()
    assert run_json("show", store, urls[6])["status"] == 404


@pytest.mark.parametrize("command", COMMANDS)
def test_a_folder_that_is_no_store_is_refused_and_none_is_made(command, tmp_path, capsys):
    arguments = {"show": ["http://a.example/"], "bury": ["--domain", "a.example"]}
    code, error = refused(capsys, command, tmp_path / "out", *arguments.get(command, []))
    assert code == 1
    assert f"{tmp_path / 'out'}: no store of fetches is there" in error
    assert not (tmp_path / "out").exists()


def test_the_output_of_a_build_is_answered_with_where_its_store_is(tmp_path, store, capsys):
    _, error = refused(capsys, "stats", tmp_path / "out")
    assert error.rstrip().endswith(f"; it is in {store}")


def test_a_folder_of_something_else_is_refused(tmp_path, capsys):
    (tmp_path / "format.json").write_text("{}")
    code, error = refused(capsys, "stats", tmp_path)
    assert code == 1
    assert "no store of fetches of version 1" in error


def test_damage_is_named_and_mended_and_its_urls_are_to_be_had_again(store, urls, capsys):
    assert "ok: 7 URLs, 6 contents" in run("verify", store)
    value = run_json("show", store, urls[0])
    with open(value["pack"], "r+b") as pack:  # noqa: PTH123
        pack.seek(value["offset"])
        pack.write(b"?")
    code, error = refused(capsys, "verify", store)
    assert code == 1
    assert "1 damaged" in error
    assert "m3w fetched mend" in error
    found = run_json("mend", store)
    assert (found["files"], found["contents"]) == ([], 1)
    assert run_json("show", store, urls[0])["reason"] == "lost"
    assert run_json("verify", store)["ok"] is True


def test_a_lost_file_of_rows_is_forgotten(store):
    (first, *_) = sorted((store / "fetched" / "rows").iterdir())
    first.write_bytes(first.read_bytes()[:-1])
    assert "forgotten: rows/" in run("mend", store)
    assert run_json("stats", store)["urls"] == 5


def test_small_files_are_merged(store, urls):
    found = run_json("compact", store)
    assert (found["files_before"], found["rows"]) == (4, 7)
    value = run_json("stats", store)
    assert (value["urls"], value["loose_files"], value["runs"]) == (7, 0, 1)
    assert run_json("show", store, urls[5])["sha256"] == hashlib.sha256(body(5)).hexdigest()
    assert "2 before, 2 now" in run("compact", store)


def test_what_is_buried_is_not_given_out(store, urls, tmp_path, capsys):
    digest = hashlib.sha256(body(1)).hexdigest()
    listed = tmp_path / "list.txt"
    listed.write_text(f"# taken down\n{urls[2]}\ngone.example\n")
    options = ("--url", urls[0], "--sha256", digest.upper(), "--list", listed)
    assert run_json("bury", store, *options) == {
        "store": str(store / "fetched"),
        "new": 4,
        "tombstones": 4,
    }
    for at in (0, 1, 2):
        assert run_json("show", store, urls[at])["reason"] == "tombstone"
    assert run_json("show", store, "http://www.gone.example/x")["reason"] == "tombstone"
    _, error = refused(capsys, "show", store, urls[1], "--bytes", tmp_path / "x.jpg")
    assert "tombstone" in error
    assert run_json("show", store, urls[3])["reason"] == ""
    assert "0 buried anew, 4 tombstones" in run("bury", store, *options)
    # What is printed can be buried elsewhere.
    (tmp_path / "all.txt").write_text(run("tombstones", store))
    run("bury", tmp_path / "other", "--list", tmp_path / "all.txt", "--new")
    assert run_json("tombstones", tmp_path / "other") == run_json("tombstones", store)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--url", "a.example"], "--url a.example: is not an http(s) URL"),
        (["--domain", "http://a.example/"], "--domain http://a.example/: is not a domain"),
        (["--sha256", "a.example"], "--sha256 a.example: is not 64 hex digits"),
        (["--domain", "# all"], "--domain # all: is not a domain"),
        (["--sha256", "12345"], "'12345' is neither"),
        (["--list", "list.txt"], "list.txt:2: 'no domain' is neither"),
        (["--list", "gone.txt"], "gone.txt: no such list"),
    ],
)
def test_what_is_none_of_these_buries_nothing(
    store, options, message, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "list.txt").write_text("a.example\nno domain\n")
    code, error = refused(capsys, "bury", store, "--domain", "b.example", *options)
    assert code == 1
    assert message in error
    assert run_json("tombstones", store) == []


def test_nothing_to_bury_is_wrong_use(store):
    result = CliRunner().invoke(fetched, ["bury", str(store)])
    assert result.exit_code == 2
    assert "--list" in result.output
