"""Builders of samples and datasets for the tests of shards."""

import hashlib
import io
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest
from PIL import Image as PillowImage

from openm3w.shards import card, manifest
from openm3w.shards.document import (
    Document,
    Image,
    ImageContent,
    Provenance,
    Signals,
    Text,
    make_doc_id,
)
from openm3w.shards.manifest import Manifest
from openm3w.shards.sample import Kind, Sample
from openm3w.shards.writer import write_shard


def jpeg(width: int = 64, height: int = 48, *, seed: int = 0) -> bytes:
    buffer = io.BytesIO()
    colour = (40 * seed % 256, 90, 200 - seed % 200)
    PillowImage.new("RGB", (width, height), colour).save(buffer, "JPEG")
    return buffer.getvalue()


def content(data: bytes) -> ImageContent:
    width, height = PillowImage.open(io.BytesIO(data)).size
    return ImageContent(
        sha256=hashlib.sha256(data).hexdigest(),
        width=width,
        height=height,
        original_width=2 * width,
        original_height=2 * height,
        num_bytes=len(data),
    )


def make_sample(number: int, kind: Kind = "interleaved", *, num_images: int = 2) -> Sample:
    """Sample `number`: text, image, text, image ... with everything filled in."""
    key = make_doc_id(f"<urn:test:{number}>")
    if kind == "text":
        num_images = 0
    elif kind == "caption":
        num_images = 1
    datas = tuple(jpeg(seed=10 * number + at) for at in range(num_images))
    pictures = [
        Image(
            url=f"https://img{number}.example/{at}.jpg",
            alt=f"alt {at}",
            caption=f"caption {at}",
            content=content(data),
            scores={"similarity": 0.2 + at / 100},
        )
        for at, data in enumerate(datas)
    ]
    spans: list[Text | Image] = [Text(text=f"Opening words of document {number}.")]
    if kind == "caption":
        spans = [*pictures, Text(text=f"Caption of picture {number}")]
    else:
        for picture in pictures:
            spans += [picture, Text(text="More words — after a picture.")]
    document = Document(
        doc_id=key,
        url=f"https://www.site{number % 3}.example/page/{number}",
        title="" if kind == "caption" else f"Title {number}",
        spans=tuple(spans),
        provenance=Provenance(source="a.warc.gz", offset=100 * number, length=99, crawl="C-1"),
        signals=Signals(language="en", language_score=0.9, opt_out=("x-robots-tag: noai",)),
        scores={} if kind == "caption" else {"quality": 0.5},
    )
    return Sample(key=key, document=document, images=datas)


def make_dataset(
    root: Path,
    *,
    kind: Kind = "interleaved",
    sizes: Sequence[tuple[str, int]] = (("train", 3), ("train", 2), ("val", 1)),
    start: int = 0,
    exclude: Sequence[str] = (),
    name: str = "test set",
) -> Manifest:
    """A dataset in `root` with a shard of so many samples for each entry of `sizes`."""
    shards, number, at = [], start, {}
    for split, size in sizes:
        samples = [make_sample(number + i, kind, num_images=1 + i % 2) for i in range(size)]
        url = f"data/{split}-{at.get(split, 0):06d}.tar"
        shards.append(write_shard(root, url, samples, kind=kind, split=split))
        number, at[split] = number + size, at.get(split, 0) + 1
    result = Manifest(
        name=name,
        kind=kind,
        shards=tuple(shards),
        root=root,
        exclude=tuple(exclude),
        recipe={"name": "test", "images": {"side": 512}},
        models={"similarity": {"id": "lit-test"}},
        versions={"openm3w": "0.1.0"},
        counts={"languages": {"en": 5, "de": 7, "": 1}},
    )
    card.write_extras(result)
    manifest.write(result)
    return result


@pytest.fixture
def sample() -> Callable[..., Sample]:
    """`sample(number, kind="interleaved", num_images=2)`."""
    return make_sample


@pytest.fixture
def dataset(tmp_path: Path) -> Callable[..., Manifest]:
    """`dataset(folder="set", **make_dataset's options)`, written below the test's folder."""

    def make(folder: str = "set", **options) -> Manifest:
        return make_dataset(tmp_path / folder, **options)

    return make


class Bucket:
    """A bucket of a real server on loopback: `uri = bucket.put(folder)`."""

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self._count = 0

    def put(self, folder: Path) -> str:
        """Uploads all files below `folder` and returns the URI of where they are."""
        import fsspec

        self._count += 1
        uri = f"{self.uri}/{self._count}/{folder.name}"
        fs, base = fsspec.core.url_to_fs(uri)
        for path in folder.rglob("*"):
            if path.is_file():
                name = f"{base}/{path.relative_to(folder).as_posix()}"
                fs.pipe_file(name, path.read_bytes())
        return uri


@pytest.fixture(scope="session")
def s3() -> Iterator[Bucket]:
    """A bucket of moto's S3 server."""
    import fsspec
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    settings = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings.items():
            patch.setenv(name, value)
        fsspec.filesystem("s3").mkdir("bucket")
        yield Bucket("s3://bucket")
        fsspec.filesystem("s3").clear_instance_cache()
    server.stop()


@pytest.fixture(scope="session")
def gcs() -> Iterator[Bucket]:
    """A bucket of an emulator of Google Cloud Storage."""
    import fsspec
    from gcp_storage_emulator.handlers.buckets import create_bucket
    from gcp_storage_emulator.server import RequestHandler
    from gcp_storage_emulator.storage import Storage

    files = Storage(use_memory_fs=True)
    create_bucket("bucket", files)
    # Its own server has one thread, which waits for ever for a client's second connection.
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(RequestHandler, files))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    port = server.server_address[1]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{port}")
        # Else gcsfs asks by gRPC, over TLS, what sort of bucket it is.
        patch.setenv("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")
        patch.setenv("NO_GCE_CHECK", "true")
        patch.setitem(fsspec.config.conf, "gcs", {"token": "anon"})
        yield Bucket("gs://bucket")
        fsspec.filesystem("gcs").clear_instance_cache()
    server.shutdown()
    server.server_close()
    thread.join()
