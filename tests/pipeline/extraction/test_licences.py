import json

import pytest

from openm3w.pipeline.extraction.extract import extract
from openm3w.pipeline.extraction.licences import MAX_LICENCES

URL = "https://news.example/a/page.html"
BY, ZERO = (
    "https://creativecommons.org/licenses/by/4.0/",
    "https://creativecommons.org/publicdomain/zero/1.0/",
)
WORDS = (
    "The old bell of the harbour was rung again on Sunday, for the first time in a century. " * 3
)


def licences(*, head: str = "", body: str = "") -> tuple[str, ...]:
    html = f"<html><head>{head}</head><body><article><p>{WORDS}</p></article>{body}</body></html>"
    return extract(html, URL).licences


def data(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return f'<script type="application/ld+json">{text}</script>'


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (f"<a rel='license nofollow' href={BY}>CC</a>", [BY]),
        (f"<a href={BY}>CC</a>", [BY]),
        ("<a href=//creativecommons.org/licenses/by/4.0/>CC</a>", [BY]),
        (f"<footer><a href='{ZERO}'>CC0</a></footer>", [ZERO]),
        ("<a href=https://creativecommons.org/about>CC</a>", []),
        ("<a href=https://a.example/creativecommons.org/licenses/>CC</a>", []),
        ("<a href=/licenses/open>terms</a>", []),
        ("<a itemprop=license href=/terms>terms</a>", ["https://news.example/terms"]),
        (f"<a property='dct:title cc:license' href={BY}>CC</a>", [BY]),
        (f"<link itemprop=license href={BY}>", [BY]),
        (f"<link property='schema:license' href={BY}>", [BY]),
        (f"<meta itemprop=license content={BY}>", [BY]),
        (f"<a itemprop=licensed href={BY}x>x</a>".replace(BY, "https://a.example/license"), []),
    ],
)
def test_links_and_properties_name_licences(body: str, expected: list[str]) -> None:
    assert licences(body=body) == tuple(expected)


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        *((name, True) for name in ("dcterms.license", "DC.rights", "dc.rights.license")),
        *((name, True) for name in ("dcterms.rights", "dct:license", "cc:license", "license")),
        *(
            (name, False)
            for name in ("description", "driving-license", "dc.rightsholder", "og:url")
        ),
    ],
)
def test_metas_name_licences_by_url_and_not_by_words(name: str, *, counts: bool) -> None:
    assert licences(head=f"<meta name='{name}' content='{BY}'>") == ((BY,) if counts else ())
    assert licences(head=f"<meta name='{name}' content='CC BY 4.0'>") == ()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"@type": "NewsArticle", "license": BY}, [BY]),
        (
            {"@graph": [{"x": 1}, {"image": {"license": {"@id": BY}}}, {"license": ZERO}]},
            [BY, ZERO],
        ),
        ({"license": [{"@type": "CreativeWork", "url": BY}, ZERO, BY]}, [BY, ZERO]),
        ({"license": "Creative Commons BY"}, []),
        ({"license": {"name": "CC BY"}}, []),
        ({"license": None, "x": [[{"license": BY}]]}, [BY]),
        ({"license": 3}, []),
        ({"licence": BY}, []),
        ('{"license": "' + BY + '", }', []),
        ('{"license": "' + BY + "\n" + '"}', [BY]),
        ("[" * 100_000 + '"license"', []),
        ('"license"', []),
        ({"x": "y" * 200_000, "license": BY}, []),
        ([{"license": f"{BY}?{n}"} for n in range(50)], [f"{BY}?{n}" for n in range(MAX_LICENCES)]),
        ({"license": BY + "x" * 500}, []),
    ],
    ids=lambda value: str(value)[:30],
)
def test_data_of_schema_org_names_licences(value: object, expected: list[str]) -> None:
    assert licences(head=data(value)) == tuple(expected)
    assert licences(body=data(value)) == tuple(expected)


def test_licences_stand_once_and_in_the_order_of_the_page() -> None:
    head = data({"license": f"{BY}#data"}) + f"<meta name=dcterms.license content={ZERO}>"
    body = f"<a rel=license href={BY}>CC</a><a href={ZERO}>CC0</a><a rel=license href=/last>x</a>"
    assert licences(head=head, body=body) == (ZERO, BY, "https://news.example/last")


@pytest.mark.parametrize(("before", "expected"), [(60_000, (BY,)), (64_000, ())])
def test_scripts_far_down_are_not_looked_at(before: int, expected: tuple[str, ...]) -> None:
    assert licences(head="<!--" + "x" * before + "-->" + data({"license": BY})) == expected


def test_an_unfinished_script_names_nothing() -> None:
    assert licences(body='<script type="application/ld+json">{"license": "' + BY) == ()
    assert licences(body='<script type="application/ld+json"') == ()
