import pytest

from openm3w.pipeline.sniffing import sniff


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"\xef\xbb\xbf \n<!DOCTYPE HTML>", "html"),
        (b"<?xml version='1.0'?>\n<html xmlns='x'>", "html"),
        (b"<?xml version='1.0'?><rss>", "other"),
        (b"<center>1998</center>", "html"),
        (b"\xff\xd8\xff\xe0", "image"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image"),
        (b"\0\0\0\x1cftypavif", "image"),
        (b"%PDF-1.7", "other"),
        (b"", "other"),
    ],
)
def test_sniffing_follows_browsers(body, kind):
    assert sniff(body) == kind
