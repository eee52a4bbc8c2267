"""Distinct JPEGs like those of the web, and a server on loopback that answers with them."""

import asyncio
import io
import itertools
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

SIDES = (256, 512)
"""Longest side in pixels, drawn evenly."""
QUALITY = 85


def make_pictures(folder: Path, number: int, photographs: list[bytes]) -> list[int]:
    """Writes `number` distinct JPEGs, cut out of photographs, one behind the other into a file.

    Returns where each begins, and the end of the last. The same call writes the same bytes.
    """
    rng = np.random.default_rng(0)
    sources = [Image.open(io.BytesIO(data)).convert("RGB") for data in photographs]
    starts = [0]
    with (folder / "pictures.bin").open("wb") as file:
        for at in range(number):
            file.write(_cut(sources[at % len(sources)], rng))
            starts.append(file.tell())
    (folder / "pictures.json").write_text(json.dumps(starts), encoding="utf-8")
    return starts


def num_pictures(folder: Path) -> int:
    """How many the folder has."""
    starts = folder / "pictures.json"
    return len(json.loads(starts.read_text(encoding="utf-8"))) - 1 if starts.exists() else 0


def pictures(folder: Path) -> Iterator[bytes]:
    """The bytes of each picture."""
    starts = json.loads((folder / "pictures.json").read_text(encoding="utf-8"))
    with (folder / "pictures.bin").open("rb") as file:
        for start, end in itertools.pairwise(starts):
            yield file.read(end - start)


def _cut(source: Image.Image, rng: np.random.Generator) -> bytes:
    side = int(rng.integers(SIDES[0], SIDES[1] + 1))
    scale = rng.uniform(0.6, 1.0)
    width, height = (int(edge * scale) for edge in source.size)
    left = int(rng.integers(0, source.width - width + 1))
    top = int(rng.integers(0, source.height - height + 1))
    found = source.crop((left, top, left + width, top + height))
    longest = max(found.size)
    found = found.resize((max(1, width * side // longest), max(1, height * side // longest)))
    file = io.BytesIO()
    found.save(file, "JPEG", quality=QUALITY)
    return file.getvalue()


class _Served(asyncio.Protocol):
    """HTTP/1.1 with connections that stay open; `/N.jpg` is a picture, all else is not found."""

    def __init__(self, blob: memoryview, starts: list[int], latency: float) -> None:
        self._blob, self._starts, self._latency = blob, starts, latency
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        *requests, self._rest = (self._rest + data).split(b"\r\n\r\n")
        for request in requests:
            line = request.split(b"\r\n", 1)[0]
            asyncio.get_running_loop().call_later(self._latency, self._answer, line)

    def _answer(self, line: bytes) -> None:
        if self._transport.is_closing():
            return
        name = line.split(b" ")[1].strip(b"/").partition(b".")[0]
        if not name.isdigit() or int(name) >= len(self._starts) - 1:
            self._transport.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            return
        start, end = self._starts[int(name)], self._starts[int(name) + 1]
        head = (
            f"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: {end - start}\r\n\r\n"
        )
        self._transport.write(head.encode() + self._blob[start:end])


async def _serve(folder: Path, latency: float) -> None:
    starts = json.loads((folder / "pictures.json").read_text(encoding="utf-8"))
    blob = memoryview((folder / "pictures.bin").read_bytes())
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Served(blob, starts, latency), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1]), float(sys.argv[2])))
