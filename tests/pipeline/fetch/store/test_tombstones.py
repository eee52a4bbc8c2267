import hashlib
import os

import pytest

from openm3w.errors import InputError, OutputError
from openm3w.pipeline.fetch.store.memory import Memory
from openm3w.pipeline.fetch.store.tombstones import Tombstones, read_list
from openm3w.pipeline.users_lists import MAX_LINE

SHA = hashlib.sha256(b"a picture").hexdigest()


@pytest.mark.parametrize(
    ("url", "covered"),
    [
        ("http://site.example/a/b.jpg?x=1", True),
        ("HTTP://SITE.example:80/a/./b.jpg?x=1#part", True),
        ("https://site.example/a/b.jpg?x=1", True),
        ("http://user:word@site.example/a/b.jpg?x=1", True),
        ("http://site.example./a/b.jpg?x=1", True),
        ("http://site.example/a/b.jpg", False),
        ("http://site.example/a/b.jpg?x=2", False),
        ("http://www.site.example/a/b.jpg?x=1", False),
        ("http://site.example:8080/a/b.jpg?x=1", False),
    ],
)
def test_an_address_is_buried_in_every_spelling_and_over_both_schemes(url, covered):
    buried = Tombstones.of(["http://site.example/a/b.jpg?x=1"])

    assert buried.covers(url) is covered


@pytest.mark.parametrize(
    ("url", "covered"),
    [
        ("http://gone.example/", True),
        ("https://img.cdn.gone.example:8443/x", True),
        ("http://GONE.example./x", True),
        ("http://user@gone.example/x", True),
        ("http://notgone.example/", False),
        ("http://gone.example.org/", False),
        ("http://example/", False),
        ("http://host/gone.example", False),
        ("http://x--xn.example/", False),
        ("http://bücher.example/a", True),
        ("http://xn--bcher-kva.example/a", True),
        ("http://[1/", False),
        ("", False),
        ("data:,gone.example", False),
    ],
)
def test_a_domain_is_buried_with_everything_below_it(url, covered):
    assert Tombstones.of(["Gone.Example.", "bücher.example"]).covers(url) is covered


def test_a_domain_below_another_is_buried_alone():
    buried = Tombstones.of(["img.site.example"])

    assert buried.covers("http://img.site.example/")
    assert not buried.covers("http://site.example/")


@pytest.mark.parametrize(
    ("url", "covered"),
    [
        ("http://10.0.0.1:8080/a", True),
        ("https://10.0.0.1/", True),
        ("http://10.0.0.11/", False),
        ("http://110.0.0.1/", False),
    ],
)
def test_a_host_without_a_name_is_buried_by_its_address(url, covered):
    assert Tombstones.of(["10.0.0.1"]).covers(url) is covered


def test_a_list_may_have_comments_blank_lines_and_capitals():
    buried = Tombstones.of(
        ["# asked for on 1 May", "", f"  {SHA.upper()}  # a picture", "http://a.example/#part"]
    )

    assert len(buried) == 2
    assert buried.covers_content(SHA)
    assert not buried.covers_content("0" * 64)
    assert buried.covers("http://a.example/")


@pytest.mark.parametrize(
    "line",
    [
        "word",
        "com",
        "a b.example",
        SHA[:-1],
        "ftp://a.example/x",
        "http://",
        "10.0.0",
        "10.0.0.01",
        "-.x",
    ],
)
def test_a_line_that_is_nothing_to_bury_is_told_with_its_place(line):
    with pytest.raises(InputError, match=r"list\.txt:2: ") as told:
        Tombstones.of(["a.example", line], where="list.txt")
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("host", ["10.0.0.1", "[::1]", "[::1]:81", "a.example:81"])
def test_a_host_of_any_form_is_buried_by_its_urls(host):
    buried = Tombstones.of([f"http://{host}/a"])

    assert buried.covers(f"https://user@{host}/a")
    assert not buried.covers(f"http://{host}/b")


def test_what_is_buried_stays_so_and_is_buried_once(uri, fetches):
    memory = Memory.open(uri)

    assert memory.bury(["http://a.example/x", SHA]) == 2
    assert memory.bury(["HTTP://A.example/x", "b.example"]) == 1
    assert memory.bury([SHA]) == 0

    assert len(fetches.files(memory, "tombstones")) == 2
    buried = Tombstones.load(Memory.open(uri))
    assert len(buried) == 3
    assert buried.covers("http://a.example/x")
    assert buried.covers("http://www.b.example/")
    assert buried.covers_content(SHA)


def test_a_list_with_a_wrong_line_buries_nothing(uri, fetches):
    memory = Memory.open(uri)
    with pytest.raises(InputError):
        memory.bury(["a.example", "wrong"])

    assert fetches.files(memory, "tombstones") == []


def test_two_that_bury_at_once_both_do(uri):
    first, second = Memory.open(uri), Memory.open(uri)
    assert len(second.tombstones()) == 0
    first.bury(["a.example"])
    second.bury(["b.example"])

    assert first.tombstones().lines == second.tombstones().lines == {"a.example", "b.example"}


def test_a_damaged_list_in_the_store_stops_everything(uri, fetches):
    memory = Memory.open(uri)
    memory.bury(["a.example", "b.example"])
    (name,) = fetches.files(memory, "tombstones")
    memory.blobs.put(f"tombstones/{name}", b"a.example\n")

    with pytest.raises(OutputError, match=r"tombstones/.*damaged") as told:
        Memory.open(uri).lookup([fetches.key("a")])
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("entry", ["http://site.example/a", "site.example"])
def test_a_buried_address_is_known_without_its_bytes(uri, fetches, entry):
    memory = Memory.open(uri)
    fetches.store(memory, "u", ["a"], data=b"a picture")
    before = memory.lookup([fetches.key("a")])[fetches.key("a")]

    Memory.open(uri).bury([entry])

    after = memory.lookup([fetches.key("a")])[fetches.key("a")]
    assert (after.outcome, after.reason, after.sha256) == ("dropped", "tombstone", "")
    assert (after.url, after.fetched_at) == (before.url, before.fetched_at)
    for one in (before, after):
        with pytest.raises(OutputError, match="tombstone"):
            memory.read(one)


def test_a_buried_address_that_was_never_fetched_is_known(uri, fetches):
    memory = Memory.open(uri)
    memory.bury(["site.example"])

    found = memory.lookup([fetches.key("a"), "http://other.example/"])

    assert list(found) == [fetches.key("a")]
    assert found[fetches.key("a")].reason == "tombstone"


def test_buried_content_is_refused_at_every_address(uri, fetches):
    memory = Memory.open(uri)
    with memory.writing("u") as unit:
        unit.add(fetches("a", b"a picture"))
        unit.add(fetches("b", b"a picture"))
        unit.add(fetches("c", b"another"))
    before = memory.lookup(map(fetches.key, "abc"))
    memory.bury([SHA])

    found = memory.lookup(map(fetches.key, "abc"))

    assert [found[fetches.key(name)].reason for name in "abc"] == ["tombstone", "tombstone", ""]
    assert memory.read(found[fetches.key("c")]) == b"another"
    with pytest.raises(OutputError, match="tombstone"):
        list(memory.read_many(before.values()))


@pytest.mark.parametrize(
    ("entry", "fields"),
    [
        ("site.example", {}),
        ("http://site.example/a", {}),
        ("cdn.example", {"final_url": "https://cdn.example/z"}),
        (SHA, {}),
    ],
)
def test_what_is_buried_is_not_stored(uri, fetches, entry, fields):
    memory = Memory.open(uri)
    memory.bury([entry])
    with memory.writing("u") as unit:
        told = unit.add(fetches("a", b"a picture", **fields))

    assert (told.outcome, told.reason, told.sha256) == ("dropped", "tombstone", "")
    assert fetches.files(memory, "packs") == []
    assert memory.stats().outcomes == {("dropped", "tombstone"): 1}


def test_a_list_is_read_from_a_folder_or_a_store(uri):
    memory = Memory.open(uri)
    memory.blobs.put("list.txt", b"# why\na.example\n")

    assert read_list(f"{uri}/list.txt") == ["# why", "a.example"]
    with pytest.raises(InputError, match=r"nolist\.txt: no such list"):
        read_list(f"{uri}/nolist.txt")


def test_a_list_of_the_working_folder_is_read(tmp_path, monkeypatch):
    (tmp_path / "list.txt").write_bytes(b"a.example\n")
    (tmp_path / "picture").write_bytes(b"\xff\xd8\xff")
    monkeypatch.chdir(tmp_path)

    assert read_list("list.txt") == ["a.example"]
    with pytest.raises(InputError, match="picture: cannot be read as a list") as told:
        read_list("picture")
    assert "\n" not in str(told.value)


def test_a_list_may_begin_with_a_mark_of_its_encoding(tmp_path):
    (tmp_path / "list.txt").write_bytes(b"\xef\xbb\xbfa.example\r\nb.example\r\n")

    assert read_list(str(tmp_path / "list.txt")) == ["a.example", "b.example"]


def test_what_has_no_end_is_no_list(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "long").write_bytes(b"a.example\n" + b"x" * (MAX_LINE + 1))
    (tmp_path / "bound").write_bytes(b"x" * (MAX_LINE - 1) + b"\n")

    for path in (tmp_path / "pipe", "/dev/zero"):
        with pytest.raises(InputError, match="is a device or a pipe"):
            read_list(str(path))
    with pytest.raises(InputError, match=f"line 2 is longer than {MAX_LINE} bytes"):
        read_list(str(tmp_path / "long"))
    assert len(read_list(str(tmp_path / "bound"))[0]) == MAX_LINE - 1


def test_what_a_lists_uri_keeps_secret_is_not_told():
    with pytest.raises(InputError, match=r"^http://127\.0\.0\.1:1/x: cannot be read") as told:
        read_list("http://me:secret@127.0.0.1:1/x?token=secret")
    assert "secret" not in str(told.value)


@pytest.mark.parametrize("suffix", ["co.uk", "CO.UK.", "xn--55qx5d.cn"])
def test_a_public_suffix_is_not_buried(uri, fetches, suffix):
    memory = Memory.open(uri)
    with pytest.raises(InputError, match="is a public suffix"):
        memory.bury(["a.example", suffix])

    assert fetches.files(memory, "tombstones") == []
    assert memory.bury(["bbc.co.uk", "github.io", "http://co.uk/x"]) == 3
