import pytest

from openm3w.errors import OutputError
from openm3w.pipeline import claims, publish
from openm3w.shards import published
from openm3w.shards.manifest import Manifest
from openm3w.shards.writer import ShardEntry


def test_an_output_without_its_manifest_is_not_finished(tmp_path):
    (tmp_path / "_SUCCESS").touch()
    assert published.finished(tmp_path) is None


def result(output, size):
    shard = ShardEntry(
        url="data/train-000000.tar",
        split="train",
        nsamples=1,
        filesize=size,
        sha256="",
        images=0,
        characters=1,
        max_images=0,
    )
    return Manifest(name="a", kind="interleaved", root=output, shards=(shard,), recipe={})


@pytest.mark.parametrize("other", ["claim", "shard", "manifest"])
def test_a_build_whose_output_another_took_meanwhile_is_not_published(tmp_path, other):
    output, store, identity = tmp_path / "out", tmp_path / "out.work", {"recipe": 1}
    claims.claim(output, store, identity)
    (output / "data").mkdir(parents=True)
    (output / "data/train-000000.tar").write_bytes(b"mine")
    if other == "claim":
        (output / "data").rename(tmp_path / "data")
        claims.claim(output, store, {"recipe": 2})
        (tmp_path / "data").rename(output / "data")
    elif other == "shard":
        (output / "data/train-000000.tar").write_bytes(b"another's")
    else:
        (output / "manifest.json").write_text('{"build": "another"}')

    with pytest.raises(OutputError, match="another build has written to it meanwhile"):
        publish.publish(result(output, len(b"mine")), {}, identity, store)
    assert not (output / "_SUCCESS").exists()
