from dataclasses import replace

import cloudpickle
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openm3w.errors import InputError, RecipeError
from openm3w.filters.floor import floor
from openm3w.filters.lists import write_hash_set
from openm3w.filters.profiles import Profile, load_profile
from openm3w.filters.rules.pages import PageRules
from openm3w.filters.selection import select

DOMAINS, URLS = "bad.example\nbücher.example\n10.0.0.1\n", "http://mixed.example/bad?x=1\n"


@pytest.fixture(params=["text", "hash set", "folder"])
def rules(request, tmp_path):
    """Maker of rules whose lists are of each form."""

    def make(**fields):
        made = {}
        for field, text in fields.items():
            kind = "domain" if field.endswith("domains") else "url"
            path = tmp_path / field
            if request.param == "folder":
                path.mkdir()
                path /= f"{kind}s"
            path.write_text(text)
            if request.param == "hash set":
                write_hash_set([str(path)], kind, tmp_path / "made.set")
                (tmp_path / "made.set").replace(path)
            made[field] = (str(tmp_path / field),)
        return PageRules(**made)

    return make


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://bad.example/", "denied_domain"),
        ("https://www.BAD.example:8080/x", "denied_domain"),
        ("http://notbad.example/", None),
        ("http://bad.example.org/", None),
        ("http://example/", None),
        ("http://xn--bcher-kva.example/", "denied_domain"),
        ("http://10.0.0.1/", "denied_domain"),
        ("http://9.10.0.0.1/", None),
        ("http://mixed.example/bad?x=1#part", "denied_url"),
        ("http://mixed.example/a/../bad?x=1", "denied_url"),
        ("https://mixed.example/bad?x=1", None),
        ("http://mixed.example/bad", None),
        ("http://mixed.example/bad?x=1/more", None),
    ],
)
def test_lists_deny_domains_with_all_under_them_and_single_pages(rules, url, reason):
    assert rules(deny_domains=DOMAINS, deny_urls=URLS).judge(url).reason == reason


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://sub.bad.example/", None),
        ("http://mixed.example/bad?x=1", None),
        ("http://mixed.example/other", "not_allowed"),
        ("no address", "not_allowed"),
    ],
)
def test_where_something_is_allowed_the_rest_is_not(rules, url, reason):
    assert rules(allow_domains=DOMAINS, allow_urls=URLS).judge(url).reason == reason


def test_what_is_denied_is_dropped_also_where_it_is_allowed(rules):
    found = rules(allow_domains="bad.example\n", deny_domains="sub.bad.example\n")
    assert found.judge("http://bad.example/")
    assert found.judge("http://sub.bad.example/").reason == "denied_domain"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://a.example/Essex", None),
        ("http://www.sussex.ac.uk/", None),
        ("http://a.example/classical/assets", None),
        ("http://a.example/sex-shop", "denied_token"),
        ("http://a.example/kickASSVideos", "denied_token"),
        ("http://sex.example/", "denied_token"),
    ],
)
def test_words_deny_as_words(url, reason):
    assert PageRules(deny_tokens=("Sex", "ass")).judge(url).reason == reason


def test_a_word_that_no_url_could_have_is_refused():
    with pytest.raises(RecipeError, match="deny_tokens: 'two words'"):
        load_profile("kosmos1", ['pages.deny_tokens=["two words"]'])


def test_no_rule_denies_nothing():
    assert PageRules().judge("http://sex.example/")
    assert PageRules().filters() == ()


def test_a_page_is_judged_by_its_address_before_anything_else(document, picture):
    profile = replace(Profile(), pages=PageRules(deny_tokens=("example",)))
    page = document("too short", picture(), opt_out=("x-robots-tag: noai",))
    found = select(page, [""], profile, similarity_model="")
    assert found.verdict.reason == "denied_token"
    assert found.images == ("page_dropped",)


def test_a_profile_is_pickled_without_what_its_lists_say(tmp_path):
    path = tmp_path / "list.txt"
    path.write_text("\n".join(f"unlikely{number}.example" for number in range(10_000)))
    profile = replace(Profile(), pages=PageRules(deny_domains=(str(path),)))
    assert not profile.pages.judge("http://unlikely7.example/")
    data = cloudpickle.dumps(profile)
    assert b"unlikely" not in data
    assert len(data) < 10_000
    assert not cloudpickle.loads(data).pages.judge("http://unlikely7.example/")


def test_contents_name_lists_by_what_they_say(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("a.example\n")
    two.write_text("a.example\n")
    before = PageRules(deny_domains=(str(one),)).contents()
    assert before == PageRules(deny_domains=(str(two),)).contents()
    one.write_text("other.example\n")
    assert before != PageRules(deny_domains=(str(one),)).contents()
    two.write_text("a.example\nno domain\n")
    with pytest.raises(InputError, match="two, line 2"):
        PageRules(deny_domains=(str(two),)).contents()


HOSTS = ("a.example", "b.example", "sub.a.example", "c.example")


@given(
    st.lists(
        st.tuples(
            st.sets(st.sampled_from(HOSTS)),
            st.sets(st.sampled_from(HOSTS)),
            st.sets(st.sampled_from(("ape", "bee"))),
        ),
        min_size=1,
        max_size=3,
    ),
    st.sampled_from(HOSTS),
    st.sampled_from(("", "ape", "bee", "ape-bee")),
)
def test_the_floor_drops_what_every_profile_drops(hosts_folder, chosen, host, path):
    rules = [
        PageRules(
            allow_domains=tuple(f"{hosts_folder}/{name}" for name in sorted(allowed)),
            deny_domains=tuple(f"{hosts_folder}/{name}" for name in sorted(denied)),
            deny_tokens=tuple(sorted(tokens)),
        )
        for allowed, denied, tokens in chosen
    ]
    url = f"http://{host}/{path}"
    dropped = [not each.judge(url) for each in rules]
    found = floor([replace(Profile(), pages=each) for each in rules])
    assert (not found.keep_url(url)) == all(dropped)
    if all(dropped):
        assert found.keep_url(url).reason in {each.judge(url).reason for each in rules}


@pytest.fixture(scope="module")
def hosts_folder(tmp_path_factory):
    """A list of one domain for each host."""
    folder = tmp_path_factory.mktemp("hosts")
    for host in HOSTS:
        (folder / host).write_text(f"{host}\n")
    return folder


def test_rules_stricter_than_others_leave_the_floor_as_it_is():
    loose, strict = PageRules(deny_tokens=("ape",)), PageRules(deny_tokens=("bee", "ape"))
    other = PageRules(deny_domains=("nowhere.txt",))

    def rules(*each):
        return floor([replace(Profile(), pages=pages) for pages in each]).pages

    assert rules(loose, strict) == rules(strict, loose) == rules(loose) == (loose,)
    assert rules(strict, other) == (strict, other)
    assert rules(loose, PageRules(allow_urls=("nowhere.txt",), deny_tokens=("ape",))) == (loose,)
