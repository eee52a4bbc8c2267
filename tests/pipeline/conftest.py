"""Files elsewhere: in fsspec's memory, and behind a real web server on loopback; archives and plans."""

import re
import threading
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import fsspec
import pytest

from openm3w.pipeline.archive import Damage, Record, read_records


class WebFiles:
    """A server of files: `url = web.put("a.csv", b"...")`; what it is asked is in `requests`."""

    def __init__(self, port: int) -> None:
        self.files: dict[str, bytes] = {}
        self.base = f"http://127.0.0.1:{port}"
        self.requests: list[tuple[str, str]] = []
        """Method and range, in order."""
        self.failing = 0
        """Next GETs that are answered by 503."""
        self.gives_ranges = self.tells_length = True
        self.encoding = ""
        self.answering = threading.Event()
        """Cleared, a GET waits for an answer."""
        self.answering.set()

    def put(self, name: str, data: bytes) -> str:
        self.files[f"/{name}"] = data
        return f"{self.base}/{name}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet an answer
    disable_nagle_algorithm = True
    web: WebFiles

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _answer(self, *, with_body: bool) -> None:
        asked = self.headers.get("Range", "")
        self.web.requests.append((self.command, asked))
        data = self.web.files.get(self.path.partition("?")[0])
        if with_body:
            self.web.answering.wait()
        if data is None or (with_body and self.web.failing):
            self.web.failing -= data is not None
            self.send_response(404 if data is None else 503)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        status, part = 200, data
        if self.web.gives_ranges and (found := re.fullmatch(r"bytes=(\d+)-(\d+)", asked)):
            first, last = map(int, found.groups())
            status, part = 206, data[first : last + 1]
        self.send_response(status)
        if status == 206:
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(data)}")
        if self.web.encoding:
            self.send_header("Content-Encoding", self.web.encoding)
        if self.web.tells_length:
            self.send_header("Content-Length", str(len(part)))
        else:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        if with_body:
            self.wfile.write(part)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def web_files() -> Iterator[WebFiles]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    web = WebFiles(server.server_address[1])
    server.RequestHandlerClass = type("Handler", (_Handler,), {"web": web})
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield web
    web.answering.set()
    server.shutdown()
    server.server_close()
    thread.join()


class MemoryFiles:
    """A folder of fsspec's memory: `uri = memory.put("deep/a.csv", b"...")`."""

    def __init__(self) -> None:
        self._fs = fsspec.filesystem("memory")
        self.root = f"/{uuid.uuid4().hex}"
        self.uri = f"memory:/{self.root}"

    def put(self, name: str, data: bytes) -> str:
        self._fs.pipe_file(f"{self.root}/{name}", data)
        return f"{self.uri}/{name}"

    def clear(self) -> None:
        if self._fs.exists(self.root):
            self._fs.rm(self.root, recursive=True)


@pytest.fixture
def memory_files() -> Iterator[MemoryFiles]:
    files = MemoryFiles()
    yield files
    files.clear()


@pytest.fixture
def read_archive():
    """Reads a file to its records and its damage: `records, damage = read_archive(path)`."""

    def read(path, *, max_body=1_000_000):
        found = list(read_records(path, max_body=max_body))
        records = [item for item in found if isinstance(item, Record)]
        return records, [item for item in found if isinstance(item, Damage)]

    return read


@pytest.fixture
def planned(archive, tmp_path):
    """Maker of the fingerprints of a build whose profiles are those given, the last one chosen."""
    from openm3w.pipeline import planning  # Beam, which most tests go without
    from openm3w.pipeline import recipe as recipes

    source = archive.page("http://a.example/", "<p>words").write(tmp_path / "a.warc.gz")

    def make(*profiles, overrides=()):
        names = []
        for number, text in enumerate(profiles):
            names.append(tmp_path / f"profile{number}.toml")
            names[-1].write_text(text)
        floor = ",".join(f'"{name}"' for name in names)
        settings = (f"floor=[{floor}]", f"profile={names[-1]}", "scores.model=none", *overrides)
        recipe = recipes.load("openm3w", settings)
        plan = planning.make_plan(recipe, [str(source)], tmp_path / "out", None, lambda _: None)
        assert not (tmp_path / "out.work").exists()
        return plan

    def fingerprints(*profiles, overrides=()):
        return make(*profiles, overrides=overrides).fingerprints

    fingerprints.plan = make
    return fingerprints
