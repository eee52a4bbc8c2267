import pytest

from openm3w.errors import InputError
from openm3w.filters.lists import content_digest, domain_keys, entry_hash, load, write_hash_set


def listed(folder, text, name="list.txt"):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_list_has_comments_empty_lines_and_any_spelling_of_a_host(tmp_path):
    text = (
        "\ufeff# domains\nExample.ORG\n\n.leading.example # and why\nbücher.example\r\n10.0.0.1\n"
    )
    found = load(listed(tmp_path, text), "domain")
    assert found == {"example.org", "leading.example", "xn--bcher-kva.example", "10.0.0.1"}


def test_names_of_long_labels_and_whole_top_level_domains_may_be_listed(tmp_path):
    digits = "0123456789abcdef" * 2
    text = f"{digits}.example\n.example\n{'a' * 63}.example\n"
    assert load(listed(tmp_path, text), "domain") == {
        *(f"{digits}.example", "example", f"{'a' * 63}.example"),
    }


def test_urls_are_read_by_their_canonical_spelling_and_may_leave_out_the_scheme(tmp_path):
    text = "HTTPS://Example.org:443/a/../b#part\nwww.example.net/x # both\n"
    assert load(listed(tmp_path, text), "url") == {
        "https://example.org/b",
        "http://www.example.net/x",
        "https://www.example.net/x",
    }


@pytest.mark.parametrize("kind", ["domain", "url"])
def test_a_folder_stands_for_the_file_in_it_that_ut1_has(kind, tmp_path):
    listed(tmp_path, "example.org\n", "adult/domains")
    listed(tmp_path, "http://example.org/x\n", "adult/urls")
    expected = {"domain": "example.org", "url": "http://example.org/x"}
    assert load(str(tmp_path / "adult"), kind) == {expected[kind]}


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        ("domain", "good.example\nhttp://example.org/\n", r"list\.txt, line 2: 'http://example"),
        ("domain", "two words\n", "line 1: 'two words' is no domain"),
        ("domain", "a..example\n", "line 1"),
        ("domain", "*.example:80\n", "line 1"),
        ("domain", "good.example\nexample\n", r"list\.txt, line 2: 'example' is no domain"),
        ("domain", "good.example\n" + "0aF9" * 16, r"list\.txt, line 2: '0aF90a.* is a hash"),
        ("domain", "0123456789abcdef" * 2, "line 1: .* is a hash"),
        ("domain", "a" * 64 + ".example", "line 1: .* is no domain"),
        ("url", "http://good.example/\nftp://example.org/\n", "line 2: 'ftp://example"),
        ("url", "/path\n", "line 1: '/path' is no URL"),
        ("url", "http://[half\n", "line 1"),
        ("url", "a.example/x y\n", "line 1"),
    ],
)
def test_a_line_that_is_no_entry_is_named(kind, text, message, tmp_path):
    with pytest.raises(InputError, match=message):
        load(listed(tmp_path, text), kind)


def test_a_list_that_is_no_text_or_not_there_is_one_line(tmp_path):
    path = tmp_path / "list.txt"
    path.write_bytes(b"good.example\n\xff\xfe\n")
    with pytest.raises(InputError, match="line 2"):
        load(str(path), "domain")
    with pytest.raises(InputError, match=r"nowhere\.txt: no such list of urls"):
        load(str(tmp_path / "nowhere.txt"), "url")
    with pytest.raises(InputError, match="urls: no such list"):
        load(str(tmp_path), "url")


def test_a_changed_list_is_read_again_and_has_another_digest(tmp_path):
    path = listed(tmp_path, "a.example\n")
    before = content_digest(path, "domain")
    assert "a.example" in load(path, "domain")
    listed(tmp_path, "another.example\n")
    assert "a.example" not in load(path, "domain")
    assert content_digest(path, "domain") != before


def test_equal_content_has_equal_digests_wherever_it_lies(tmp_path):
    one = listed(tmp_path, "a.example\n", "one.txt")
    assert content_digest(one, "domain") == content_digest(
        listed(tmp_path, "a.example\n", "two/domains"), "domain"
    )


def test_a_hash_set_holds_what_its_lists_hold(tmp_path):
    names = [f"d{number}.example" for number in range(1000)]
    one = listed(tmp_path, "\n".join(names[:600]), "one.txt")
    two = listed(tmp_path, "\n".join(names[400:]), "two.txt")
    first, both = tmp_path / "one.set", tmp_path / "both.set"
    assert write_hash_set([one], "domain", first) == 600
    assert write_hash_set([str(first), two], "domain", both) == 1000
    assert both.stat().st_size == 24 + 8 * 1000
    found = load(str(both), "domain")
    assert all(name in found for name in names)
    assert not any(f"x{name}" in found for name in names)
    assert "" not in found


def test_the_form_of_a_hash_set_is_that_of_its_description(tmp_path):
    """Eight bytes of magic, eight of kind, the count, and sorted hashes, all little endian."""
    path = listed(tmp_path, "b.example\na.example\nb.example\n")
    write_hash_set([path], "domain", tmp_path / "x.set")
    hashes = sorted([entry_hash("a.example"), entry_hash("b.example")])
    expected = b"M3WHSET1domain\0\0" + (2).to_bytes(8, "little")
    expected += b"".join(each.to_bytes(8, "little") for each in hashes)
    assert (tmp_path / "x.set").read_bytes() == expected
    # python -c "hashlib.blake2b(b'a.example', digest_size=8)", read little endian
    import hashlib

    digest = hashlib.blake2b(b"a.example", digest_size=8).digest()
    assert entry_hash("a.example") == int.from_bytes(digest, "little")


def test_an_empty_hash_set_holds_nothing(tmp_path):
    assert write_hash_set([listed(tmp_path, "# none\n")], "url", tmp_path / "x.set") == 0
    assert "http://a.example/" not in load(str(tmp_path / "x.set"), "url")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data[:-1], "cut off"),
        (lambda data: data[:20], "cut off"),
        (lambda data: data + b"\0", "cut off"),
        (lambda data: data[:24] + data[32:40] + data[24:32] + data[40:], "not in order"),
        (lambda data: data[:8] + b"url\0\0\0\0\0" + data[16:], "of urls, where domains"),
    ],
)
def test_a_damaged_hash_set_is_refused(change, message, tmp_path):
    path = tmp_path / "x.set"
    write_hash_set([listed(tmp_path, "a.example\nb.example\nc.example\n")], "domain", path)
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(InputError, match=message):
        load(str(path), "domain")


@pytest.mark.parametrize(
    ("url", "keys"),
    [
        ("http://A.b.Example:80/x", ("a.b.example", "b.example", "example")),
        ("http://a.example./", ("a.example", "example")),
        ("http://bücher.example/", ("xn--bcher-kva.example", "example")),
        ("http://10.0.0.1/", ("10.0.0.1",)),
        ("http://[::1]/", ("::1",)),
        ("mailto:x", ()),
        ("http://[half", ()),
    ],
)
def test_a_host_is_under_each_of_its_parents(url, keys):
    assert domain_keys(url) == keys


@pytest.mark.parametrize(
    "entry", ["*.example.org", "a.example\0b", "a.exam\x07ple", ".".join(["abcdefg"] * 32) + ".org"]
)
def test_what_could_never_match_is_no_domain(entry, tmp_path):
    with pytest.raises(InputError, match=r"line 1: .* is no domain"):
        load(listed(tmp_path, f"{entry}\n"), "domain")


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing yet\n"])
def test_a_list_without_an_entry_is_told(text, tmp_path):
    with pytest.raises(InputError, match="a list without an entry"):
        load(listed(tmp_path, text), "domain")


def test_a_hash_set_does_not_replace_the_list_it_is_made_of(tmp_path):
    source = listed(tmp_path, "a.example\n")
    with pytest.raises(InputError, match="is one of the lists"):
        write_hash_set([source], "domain", tmp_path / "list.txt")
    assert (tmp_path / "list.txt").read_text(encoding="utf-8") == "a.example\n"
