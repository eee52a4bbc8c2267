"""One URL asked for by one side, in a process that may connect to the given ports alone."""

import errno
import os
import resource
import socket
import sys
import tempfile
from dataclasses import dataclass, field
from typing import Any

MODULES = (
    "openm3w.pipeline.captions.resize",
    "openm3w.pipeline.fetch.getting",
    "openm3w.pipeline.fetch.store.memory",
    "img2dataset.downloader",
    "img2dataset.resizer",
)
READ_SECONDS = 5.0
"""For one read, on either side. Ours has a bound for a whole request besides; theirs has none."""


@dataclass(slots=True)
class Said:
    """What a side made of a URL."""

    rows: int = 0
    """Outcomes: one is right."""
    is_kept: bool = False
    reason: str = ""
    elsewhere: list[str] = field(default_factory=list)
    """Addresses that it would have connected to."""


def ask(side: str, url: str, ports: tuple[int, ...], connection: Any) -> None:
    """Sends the MiB that there are before; then what the side said, and the most MiB."""
    _mute()
    said = Said()
    _guard(ports, said.elsewhere)
    connection.send(_peak())
    if side == "openm3w":
        _openm3w(url, ports, said)
    else:
        _img2dataset(url, said)
    connection.send((said, _peak()))


def _openm3w(url: str, ports: tuple[int, ...], said: Said) -> None:
    from openm3w.pipeline.captions.resize import Resizing
    from openm3w.pipeline.captions.settings import Images, Resize
    from openm3w.pipeline.fetch.fetching import Fetcher
    from openm3w.pipeline.fetch.getting import get
    from openm3w.pipeline.fetch.settings import FetchSettings, Limits, Manners
    from openm3w.pipeline.fetch.store.memory import Memory
    from openm3w.pipeline.images.decode import UnusableImageError

    limits = Limits(
        connect_seconds=READ_SECONDS,
        idle_seconds=READ_SECONDS,
        total_seconds=2 * READ_SECONDS,
        ports=(80, *ports),
        allow_private_networks=True,
    )
    settings = FetchSettings(limits=limits, manners=Manners(contact="benchmark@example.org"))
    resize = Resizing(images=Images(), resize=Resize())
    with tempfile.TemporaryDirectory() as folder, Fetcher(settings) as fetcher:
        for got in get([url], Memory.open(f"{folder}/fetched"), fetcher, unit="one"):
            said.rows += 1
            said.reason = got.reason
            if not got.reason:
                try:
                    said.is_kept = bool(resize(got.data).data)
                except UnusableImageError as error:
                    said.reason = str(error)


def _img2dataset(url: str, said: Said) -> None:
    import pyarrow as pa
    from img2dataset.downloader import Downloader
    from img2dataset.resizer import Resizer

    class Writer:
        """What it writes samples with."""

        def __init__(self, *_: Any) -> None:
            pass

        def write(self, image: bytes | None, key: str, caption: str | None, meta: Any) -> None:  # noqa: ARG002
            said.rows += 1
            said.is_kept = meta["status"] == "success"
            said.reason = meta["error_message"] or ""

        def close(self) -> None:
            pass

    with tempfile.TemporaryDirectory() as folder:
        shard = f"{folder}/0.feather"
        table = pa.table({"url": [url]})
        with pa.ipc.new_file(shard, table.schema) as file:
            file.write(table)
        Downloader(
            Writer, Resizer(256, "keep_ratio_largest", resize_only_if_bigger=True),
            thread_count=1, save_caption=False, extract_exif=True, output_folder=folder,
            column_list=["url"], timeout=READ_SECONDS, number_sample_per_shard=10,
            oom_shard_count=5, compute_hash="sha256", verify_hash_type=None, encode_format="jpg",
            retries=1, user_agent_token=None,
            disallowed_header_directives=["noai", "noimageai", "noindex", "noimageindex"],
        )((0, shard))  # fmt: skip


def _guard(ports: tuple[int, ...], elsewhere: list[str]) -> None:
    """Lets sockets be connected to these ports of 127.0.0.1, and notes where else they would be."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and (address[0] != "127.0.0.1" or address[1] not in ports):
            elsewhere.append(f"{address[0]}:{address[1]}")
            raise ConnectionRefusedError(errno.ECONNREFUSED, "not in a benchmark")
        connect(self, address)

    socket.socket.connect = guarded  # type: ignore[method-assign, assignment]


def _mute() -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    for descriptor in (1, 2):
        os.dup2(nowhere, descriptor)


def _peak() -> int:
    """MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
