import json
import os
import subprocess
import sys

import pytest
from click.testing import CliRunner

from openm3w.cli import cli
from openm3w.errors import InputError, OutputError
from openm3w.shards.lengths import read_lengths
from openm3w.shards.locking import only_writer


def m3w(*arguments):
    return CliRunner().invoke(cli, [str(it) for it in arguments], catch_exceptions=False).output


@pytest.fixture
def two(tmp_path, make_dataset):
    """Datasets of texts and of documents with images."""
    return [make_dataset(tmp_path / kind, kind, size=6) for kind in ("text", "interleaved")]


def test_counts_are_printed_for_each_shard_and_kept_beside_it(two):
    text, _ = two
    characters = [shard.characters for shard in text.shards]
    lines = m3w("shards", "tokens", text.root, "--tokenizer", "bytes").splitlines()
    assert lines[0].split() == ["shard", "split", "samples", "images", "tokens"]
    # The words of these texts are of one byte a letter.
    assert lines[1].split() == ["data/train-000000.tar", "train", "3", "0", str(characters[0])]
    assert lines[3].split() == ["all", "6", "0", str(sum(characters))]
    for shard in text.shards:
        (counts,) = read_lengths(text, shard).tokens.values()
        assert sum(counts) == shard.characters


def test_what_was_counted_is_read_and_what_changed_is_counted_again(two):
    text, _ = two
    command = ("shards", "tokens", text.root, "--tokenizer", "bytes")
    first = m3w(*command)
    paths = sorted(text.root.glob("data/*.lengths"))
    before = [path.stat().st_mtime_ns for path in paths]
    assert m3w(*command) == first
    assert [path.stat().st_mtime_ns for path in paths] == before
    paths[0].write_bytes(b"damaged")
    assert m3w(*command) == first
    assert sorted(text.root.glob("data/*.lengths")) == paths
    assert paths[0].read_bytes() != b"damaged"


def test_a_mixture_in_json_by_a_tokenizers_digest(tmp_path, two):
    m3w("shards", "join", *(dataset.root for dataset in two), "-o", tmp_path / "mix.json")
    command = ("shards", "tokens", tmp_path / "mix.json", "--tokenizer", "bytes", "--json")
    value = json.loads(m3w(*command, "--no-write"))
    assert not list(tmp_path.rglob("*.lengths"))
    assert [row["dataset"] for row in value["shards"]] == ["text"] * 2 + ["interleaved"] * 2
    assert value["samples"] == 12
    assert value["tokens"] == sum(row["tokens"] for row in value["shards"])
    assert value["images"] == two[1].images
    assert (value["tokenizer"]["name"], len(value["tokenizer"]["sha256"])) == ("bytes", 64)


def test_a_split_that_nothing_is_in_is_told(two):
    with pytest.raises(InputError, match="no shards in split 'val'"):
        cli.main(
            ["shards", "tokens", str(two[0].root), "--tokenizer", "bytes", "--split", "val"],
            standalone_mode=False,
        )


def test_torch_is_not_imported(two):
    code = (
        "import sys\nfrom openm3w.cli import main\n"
        f"try:\n    main(['shards', 'tokens', {str(two[0].root)!r}, '--tokenizer', 'bytes'])\n"
        "except SystemExit as stop:\n    assert stop.code == 0\n"
        "assert not {'torch', 'apache_beam', 'pyarrow'} & sys.modules.keys()\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], env=os.environ, check=False)
    assert ended.returncode == 0


def test_counts_are_not_kept_beside_a_writer(two):
    text, _ = two
    command = ("shards", "tokens", text.root, "--tokenizer", "bytes")
    with only_writer(text.root):
        with pytest.raises(OutputError, match=r"is writing to it; wait until it has ended$"):
            m3w(*command)
        assert not list(text.root.rglob("*.lengths"))
        printed = m3w(*command, "--no-write")
    assert m3w(*command) == printed
    with only_writer(text.root):  # what stands there is read beside any
        assert m3w(*command) == printed
