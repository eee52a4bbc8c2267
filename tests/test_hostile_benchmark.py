"""What `benchmarks/fetch.py --hostile` calls a failure, and that it sees one."""

import sys
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
if str(BENCHMARKS) not in sys.path:
    sys.path.append(str(BENCHMARKS))

from measure import asking, hostile  # noqa: E402
from measure.asking import Said  # noqa: E402
from measure.hostile import Ended, failure_of  # noqa: E402

PICTURE = b"picture"


@dataclass(kw_only=True)
class Endpoint:
    """As those of the hostile server: what is right to make of it."""

    path: str = "/"
    reason: str = ""
    whole: str | None = None
    status: int = 200
    body: bytes | None = PICTURE


KEPT, REFUSED = Said(rows=1, is_kept=True), Said(rows=1, reason="no")


@pytest.mark.parametrize(
    ("endpoint", "said", "failure"),
    [
        (Endpoint(), KEPT, ""),
        (Endpoint(), REFUSED, "misses"),
        (Endpoint(status=302, whole=""), REFUSED, "misses"),
        (Endpoint(status=429, whole=""), REFUSED, ""),
        (Endpoint(whole="opt_out"), KEPT, "keeps"),
        (Endpoint(whole="opt_out"), REFUSED, ""),
        (Endpoint(body=PICTURE[:3]), KEPT, "keeps"),
        (Endpoint(reason="connection_lost", body=b""), KEPT, "keeps"),
        (Endpoint(reason="bad_response", body=b""), KEPT, ""),
        (Endpoint(status=302, whole="too_many_redirects"), KEPT, ""),
        (Endpoint(), Said(rows=0), "loses the row"),
        (Endpoint(), Said(rows=2, is_kept=True), "loses the row"),
        (Endpoint(whole="bad_port"), Said(rows=1, elsewhere=["127.0.0.1:22"]), "connects"),
    ],
)
def test_a_failure_is_what_does_harm(endpoint, said, failure):
    assert failure_of(endpoint, Ended(said=said), PICTURE) == failure


def test_whoever_was_ended_has_failed():
    assert failure_of(Endpoint(), Ended(fault="hangs"), PICTURE) == "hangs"
    grown = Ended(said=REFUSED, fault="grows", growth=600)
    assert failure_of(Endpoint(whole="too_large"), grown, PICTURE) == "grows"


def test_both_sides_are_asked_and_held(monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", "")  # which the server sets, and which is put back then
    monkeypatch.setattr(hostile, "MAX_SECONDS", 5.0)

    def asked(server, side, *paths):
        some = replace(server, endpoints=tuple(e for e in server.endpoints if e.path in paths))
        found = hostile._ask_all(side, some)
        return {
            e.path: (failure_of(e, found[e.path], server.picture), found[e.path])
            for e in some.endpoints
        }

    with hostile._served() as server:
        ours = asked(server, "openm3w", "/good", "/to-ssh")
        theirs = asked(server, "img2dataset", "/good", "/to-ssh", "/slow-body")

    assert ours["/good"] == ("", Ended(said=KEPT, growth=ours["/good"][1].growth))
    assert ours["/to-ssh"][1].said == Said(rows=1, reason="bad_port")
    assert theirs["/good"][0] == ""
    assert theirs["/to-ssh"][0] == "connects"
    assert theirs["/to-ssh"][1].said.elsewhere[0] == "127.0.0.1:22"
    assert theirs["/slow-body"][0] == "hangs"


def test_a_side_may_connect_to_the_given_ports_alone(monkeypatch):
    monkeypatch.setattr(asking.socket.socket, "connect", asking.socket.socket.connect)
    elsewhere = []
    asking._guard((1,), elsewhere)
    with asking.socket.socket() as one, pytest.raises(ConnectionRefusedError, match="benchmark"):
        one.connect(("127.0.0.1", 2))

    assert elsewhere == ["127.0.0.1:2"]
