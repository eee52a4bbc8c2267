import pytest

from openm3w.pipeline.fetch.settings import Manners

LONG = "https://site.example/"


@pytest.mark.parametrize(
    "contact",
    [
        "",
        "me@site.example",
        "first.last+bot@mail.site.example",
        "https://site.example/bot?of=us#here",
        "http://site.example",
        LONG + "x" * (200 - len(LONG)),
    ],
)
def test_a_contact_is_a_url_or_an_address(contact):
    assert contact in Manners(contact=contact).user_agent


@pytest.mark.parametrize(
    "contact",
    [
        *("x", "me", "me@site", "@site.example", "me@site.example, you@site.example", "a@b@c.de"),
        *(
            "http://",
            "https:///bot",
            "ftp://site.example/",
            "http://[1/",
            "http://me:word@a.example",
        ),
        *("https://site.example/a b", "https://site.example/(bot)", "me@site.example\n", " "),
        LONG + "x" * (201 - len(LONG)),
    ],
)
def test_what_nobody_can_write_to_is_no_contact(contact):
    with pytest.raises(ValueError, match=r"^contact: .*expected an http\(s\) URL or an e-mail"):
        Manners(contact=contact)
