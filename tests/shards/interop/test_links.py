import pytest

from openm3w.errors import InputError
from openm3w.shards.interop.links import check_links


@pytest.fixture
def named(tmp_path):
    """`named` with a file and a folder, beside `outside` with a file."""
    for name in ("named/sub/1.txt", "outside/secret.txt"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    return tmp_path / "named"


@pytest.mark.parametrize("target", ["sub/1.txt", "sub", "../named/sub/1.txt", "gone", "../gone"])
def test_links_that_stay_or_lead_nowhere_may_be(named, target):
    (named / "0.txt").symlink_to(target)
    check_links(named)


@pytest.mark.parametrize("target", ["../outside/secret.txt", "../outside", "..", "/"])
@pytest.mark.parametrize("link", ["0.txt", "sub/0.txt"])
def test_links_that_lead_out_are_refused(named, link, target):
    (named / link).symlink_to(named / target)
    with pytest.raises(InputError, match=r"0\.txt: is a link to what is outside of"):
        check_links(named)


def test_a_chain_of_links_is_followed_to_its_end(named):
    (named / "1.txt").symlink_to("../outside/secret.txt")
    (named / "0.txt").symlink_to("1.txt")
    with pytest.raises(InputError):
        check_links(named)


def test_what_the_user_named_may_be_a_link_itself(named, tmp_path):
    (named / "0.txt").symlink_to("sub/1.txt")
    (tmp_path / "elsewhere").symlink_to(named)
    check_links(tmp_path / "elsewhere")
    (tmp_path / "file.tar").symlink_to("outside/secret.txt")
    check_links(tmp_path / "file.tar")


@pytest.mark.parametrize("place", ["snapshots/abc", "snapshots/abc/data", "snapshots", "."])
def test_the_cache_of_a_hub_may_be_named_at_any_depth(tmp_path, place):
    cache = tmp_path / "datasets--a--b"
    for name in ("blobs", "refs", "snapshots/abc/data"):
        (cache / name).mkdir(parents=True)
    (cache / "blobs/00").touch()
    (cache / "snapshots/abc/data/0.tar").symlink_to("../../../blobs/00")
    check_links(cache / place)
    (cache / "refs/secret").touch()
    (cache / "snapshots/abc/data/1.tar").symlink_to("../../../../secret")
    (tmp_path / "secret").touch()
    with pytest.raises(InputError):
        check_links(cache / place)
