import re

import pytest

from openm3w.shards.serve.security import HEADERS, Access

PAGES = (
    "/",
    "/documents/kept/0",
    "/pictures/kept/0/0",
    "/numbers",
    "/progress",
    "/static/viewer.js",
)


@pytest.mark.parametrize("path", [*PAGES, "/nothing"])
def test_every_answer_has_the_policy(served, path):
    answer = served.get(path)
    assert answer.status == (404 if path == "/nothing" else 200)
    assert (
        HEADERS.items() <= {name.lower(): value for name, value in answer.headers.items()}.items()
    )


def test_the_policy_lets_nothing_in_from_elsewhere(served):
    policy = dict(
        part.split(" ", 1)
        for part in served.get("/").headers["content-security-policy"].split("; ")
    )
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    rest = {name: value for name, value in policy.items() if value not in ("'none'", "'self'")}
    assert rest == {"require-trusted-types-for": "'script'"}


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"])
def test_nothing_but_reading(served, method):
    answer = served.get("/", method=method)
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")
    assert answer.headers["content-security-policy"] == HEADERS["content-security-policy"]
    assert "access-control-allow-origin" not in answer.headers


def test_head_is_answered_without_a_body(served):
    answer = served.get("/", method="HEAD")
    assert (answer.status, answer.body) == (200, b"")


@pytest.mark.parametrize(
    "cookie", [None, "c=", "c=other", "d=the-token", "c=the-toke", "c=the-token2"]
)
def test_no_page_without_the_token(served, cookie):
    for path in set(PAGES) - {"/static/viewer.js"}:
        answer = served.get(path, headers={"Cookie": cookie})
        assert answer.status == 403
        assert "Title" not in answer.text
        assert HEADERS.items() <= {n.lower(): v for n, v in answer.headers.items()}.items()
    assert served.get("/static/viewer.js", headers={"Cookie": cookie}).status == 200


def test_cookies_of_others_do_not_hide_ours(served):
    answer = served.get("/", headers={"Cookie": 'a={"x": 1}; c=the-token; b="'})
    assert answer.status == 200


def test_the_token_is_handed_over_for_a_strict_cookie(served):
    answer = served.get(
        "/numbers", headers={"Cookie": None}, measure="similarity", token="the-token"
    )
    assert answer.status == 200
    cookie = answer.headers["set-cookie"].lower()
    assert cookie.startswith("c=the-token;")
    assert {"httponly", "samesite=strict", "path=/"} <= {part.strip() for part in cookie.split(";")}
    assert answer.headers["cache-control"] == "no-store"
    assert "the-token" not in answer.text
    assert 'content="0; url=/numbers?measure=similarity"' in answer.text
    assert "Title" not in answer.text


@pytest.mark.parametrize("token", ["", "the-toke", "the-token2", "THE-TOKEN", "\u00e9"])
def test_a_wrong_token_opens_nothing(served, token):
    answer = served.get("/", headers={"Cookie": None}, token=token)
    assert answer.status == 403
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "path", ["//evil.example/", "///evil.example", "/\\evil.example", "/%5Cevil.example", '/"><b>']
)
def test_the_hand_over_leads_to_no_other_server(served, path):
    answer = served.get(path, headers={"Cookie": None}, token="the-token")
    (where,) = re.findall(r'content="0; url=([^"]*)"', answer.text)
    assert re.match(r"/[^/\\]", where)
    assert "<b>" not in answer.text


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "localhost.", "10.0.0.1", "", None, "127.0.0.1:x",
     "[::2]", "127.0.0.1@evil.example", ["127.0.0.1", "evil.example"]],
)  # fmt: skip
def test_other_names_are_no_names_of_this_server(served, host):
    answer = served.get("/", headers={"Host": host})
    assert answer.status in {400, 421}  # 400 is h11's, of what is no HTTP
    assert "Title" not in answer.text


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "LOCALHOST:1", "127.0.0.1:9999"]
)
def test_names_of_loopback_at_any_port_are(served, host):
    assert served.get("/", headers={"Host": host}).status == 200


def test_beyond_loopback_addresses_are_names_too():
    open_to_all = Access(token="t", host="0.0.0.0")  # noqa: S104
    assert open_to_all.is_host("192.168.1.7:8642")
    assert open_to_all.is_host("[fe80::1]:8642")
    assert not open_to_all.is_host("rebound.example:8642")
    named = Access(token="t", host="Box.local")
    assert named.is_host("box.local")
    assert not named.is_host("other.local")
    assert not Access(token="t").is_host("192.168.1.7")


def test_a_web_socket_is_not_opened(served):
    headers = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Key": "x" * 22 + "==",
               "Sec-WebSocket-Version": "13", "Cookie": None}  # fmt: skip
    assert served.get("/", headers=headers).status == 403
