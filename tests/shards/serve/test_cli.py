import http.client
import re
import signal
import socket
import subprocess
import sys

import pytest
from click.testing import CliRunner

from openm3w.errors import InputError, MissingError
from openm3w.shards.serve import cli
from openm3w.shards.serve.cli import listen, open_searcher, serve, url

ANY = "0.0.0.0"  # noqa: S104


def test_it_serves_until_ctrl_c(folders):
    command = [sys.executable, "-m", "openm3w", "serve", str(folders / "a"), "--port", "0"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout.readline() == "run a: 30 documents, 45 pictures\n"
        port, token = re.fullmatch(
            r"open http://127\.0\.0\.1:(\d+)/\?token=([\w-]{43})\n", run.stdout.readline()
        ).groups()
        connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=20)
        connection.request("GET", f"/?token={token}")
        response = connection.getresponse()
        cookie = response.headers["set-cookie"].partition(";")[0]
        response.read()
        assert cookie == f"openm3w-{port}={token}"
        connection.request("GET", "/", headers={"Cookie": cookie})
        response = connection.getresponse()
        assert "Title 0" in response.read().decode()
        assert "server" not in response.headers
        connection.close()
        run.send_signal(signal.SIGINT)
        assert run.wait(20) == 0
        assert run.stderr.read() == ""


def test_another_port_where_none_was_asked_for(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setattr(cli, "PORT", port)
        with listen("127.0.0.1", None) as other:
            assert other.getsockname()[1] not in (0, port)
        with pytest.raises(InputError, match=rf"--port {port}: .*; choose another"):
            listen("127.0.0.1", port)


def test_an_address_of_another_machine_is_an_error():
    with pytest.raises(InputError, match=r"--host 192\.0\.2\.1"):  # for documentation: RFC 5737
        listen("192.0.2.1", 0)


@pytest.mark.parametrize(
    ("host", "begins"),
    [(ANY, "http://127.0.0.1:1/"), ("::", "http://[::1]:1/"), ("::1", "http://[::1]:1/"),
     ("box", "http://box:1/")],
)  # fmt: skip
def test_the_address_can_be_opened(host, begins):
    assert url(host, 1, "t") == f"{begins}?token=t"


def test_other_machines_are_let_in_with_a_warning(folders, monkeypatch):
    import uvicorn

    monkeypatch.setattr(uvicorn.Server, "run", lambda *_, **__: None)
    quiet = CliRunner().invoke(serve, [str(folders / "a"), "--port", "0"])
    loud = CliRunner().invoke(serve, [str(folders / "a"), "--port", "0", "--host", ANY])
    assert (quiet.exit_code, loud.exit_code) == (0, 0)
    assert "WARNING" not in quiet.output
    assert "WARNING: other machines can reach this server at 0.0.0.0" in loud.output


def test_an_index_whose_packages_are_missing_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setattr(cli, "_SEARCHER", ("openm3w_no_such.module", "f"))
    with pytest.raises(MissingError, match="openm3w_no_such"):
        open_searcher(tmp_path, ())
