"""Modules with filters are written into a folder of their own, which stands on the path for a test."""

import importlib
import pickle
import sys
from dataclasses import replace

import pytest

from openm3w.errors import FilterError, RecipeError
from openm3w.filters import registry
from openm3w.filters.plugins import load_plugins, source_digests
from openm3w.filters.profiles import Profile, load_profile
from openm3w.filters.quality.facts import TextFacts
from openm3w.filters.selection import select
from openm3w.recipe import to_plain

HEAD = """
from dataclasses import dataclass
from typing import ClassVar
from openm3w.filters.cut import Cut, numbered, rebuilt
from openm3w.filters.registry import register
from openm3w.filters.verdict import KEEP, drop
"""


def rule(
    name, body, *, reasons=("bad",), fields="least: int = 3", decorator="dataclass(frozen=True)"
):
    return f"""
@register
@{decorator}
class {name.title()}:
    name: ClassVar[str] = {name!r}
    reasons: ClassVar[frozenset[str]] = frozenset({set(reasons) or "()"})
    {fields}
    {body}
"""


TITLE = rule("title", "def keep(self, document): return KEEP if len(document.title) >= self.least else drop('bad')")  # fmt: skip


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """Writes a module and forgets it, and what it registered, after the test."""
    monkeypatch.setattr(registry, "_FILTERS", dict(registry._all()))
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)

    def write(source, name="plug_one", file=None):
        path = tmp_path / (file or f"{name}.py")
        path.parent.mkdir(exist_ok=True)
        path.write_text(HEAD + source)
        importlib.invalidate_caches()
        return name

    yield write
    for name in [name for name in sys.modules if name not in before and name.startswith("plug")]:
        del sys.modules[name]


def profile_with(tmp_path, tables):
    path = tmp_path / "profile.toml"
    path.write_text("[document]\nsingle_image_share = 1.0\ninterspersed = false\n" + tables)
    return load_profile(str(path))


def chosen(profile, page):
    return select(page, [""] * len(page.images), profile, similarity_model="")


def test_a_table_switches_a_filter_on_with_its_bounds(plugin, tmp_path, document, picture):
    load_plugins([plugin(TITLE)])
    page = document("word " * 20, picture())
    for least, reason in ((0, None), (1, "bad")):
        profile = profile_with(tmp_path, f"[filters.title]\nleast = {least}\n")
        assert chosen(profile, page).verdict.reason == reason
    assert to_plain(profile)["filters"] == {"title": {"least": 1}}
    assert chosen(profile_with(tmp_path, ""), page).verdict


def test_each_kind_acts_after_the_shipped_ones_of_its_kind(plugin, tmp_path, document, picture):
    source = (
        rule("small", "def keep(self, image, document): return KEEP if image.url else drop('bad')")
        + rule("first", "def apply(self, document):\n        return rebuilt(document, [i for i in numbered(document.spans) if i[1] < 1])", reasons=("later",))
        + rule("whole", "def keep(self, document): return drop('bad') if len(document.images) == 1 else KEEP")
        + rule("words", "def keep(self, text): return KEEP if 'good' in text.text else drop('wordless')", reasons=("wordless",))
    )  # fmt: skip
    load_plugins([plugin(source)])
    every = profile_with(tmp_path, "[filters.words]\n[filters.first]\n[filters.small]\n")
    page = document("good " * 20, picture("a"), picture("b"), "good " * 20, picture("c", 3, 3))
    found = chosen(every, page)
    assert found.images == ("", "later", "too_small")
    assert [type(f.rule).__name__ for f in every.image_filters("")[-1:]] == ["Small"]
    assert every.cuts()[-1].name == "first"
    assert chosen(every, document("poor " * 20, picture())).verdict.reason == "wordless"
    both = profile_with(tmp_path, "[filters.whole]\n[filters.first]\n")
    assert chosen(both, page).verdict.reason == "bad"  # it sees what the transform left


def test_a_profile_is_pickled_with_the_filters_by_name(plugin, tmp_path):
    load_plugins([plugin(TITLE)])
    profile = profile_with(tmp_path, "[filters.title]\nleast = 7\n")
    again = pickle.loads(pickle.dumps(profile))
    assert again == profile
    assert again.filters["title"].least == 7
    assert again != Profile()


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ("[filters.titel]\n", "filters: no filter 'titel'; did you mean 'title'"),
        (
            "[filters.title]\nleats = 3\n",
            "filters.title: unknown key 'leats' .did you mean 'least'",
        ),
        ("[filters.title]\nleast = 'x'\n", "filters.title: least: expected int"),
        ("[filters.min_side]\n", "'min_side' is shipped"),
        ("[filters]\ntitle = 3\n", "filters.title: expected a table"),
        ("[filters.early]\n", "'early' judges pages before they are parsed"),
        ("[filters.loose]\n", "'loose' .plug_one.Loose. is no frozen dataclass"),
        ("[filters.odd]\n", "snake_case: 'Bad Reason'"),
    ],
)
def test_a_table_that_does_not_decode_is_one_line(plugin, tmp_path, tables, message):
    source = (
        TITLE
        + rule("early", "def keep(self, facts): return KEEP")
        + rule("loose", "def keep(self, document): return KEEP", decorator="dataclass")
        + rule("odd", "def keep(self, document): return KEEP", reasons=("Bad Reason",))
    )
    load_plugins([plugin(source)])
    with pytest.raises(RecipeError, match=message) as caught:
        profile_with(tmp_path, tables)
    assert "\n" not in str(caught.value)


def test_filters_are_a_table():
    with pytest.raises(RecipeError, match="filters: expected a table, found 3"):
        load_profile("kosmos1", ["filters=3"])


def test_a_table_without_any_plugin_says_where_filters_come_from(tmp_path):
    with pytest.raises(
        RecipeError, match=r"no filter 'title'; a module in `plugins` of the recipe"
    ):
        profile_with(tmp_path, "[filters.title]\n")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            rule("min_side", "def keep(self, document): return KEEP"),
            "'min_side' is registered twice",
        ),
        (TITLE + TITLE, "'title' is registered twice"),
        ("import nothing_of_this_name", "No module named 'nothing_of_this_name'$"),
        ("def broken(:", "SyntaxError"),
        ("1 / 0", "ZeroDivisionError"),
        ("import sys\nsys.exit(0)", "SystemExit"),
        (rule("odd", "def keep(self, everything): return KEEP"), "TypeError: Odd: expected keep"),
        ("@register\nclass Nameless:\n    def keep(self, document): return KEEP", "AttributeError"),
    ],
)
def test_a_module_that_does_not_load_is_one_line_and_registers_nothing(plugin, source, message):
    before = registry.names()
    with pytest.raises(RecipeError, match=message) as caught:
        load_plugins([plugin(rule("fine", "def keep(self, document): return KEEP") + source)])
    assert str(caught.value).startswith("plugins: plug_one: ")
    assert "\n" not in str(caught.value)
    assert registry.names() == before


def test_a_module_that_is_not_there_says_what_to_do():
    with pytest.raises(RecipeError, match=r"plug_nowhere: No module named .*PYTHONPATH"):
        load_plugins(["plug_nowhere"])


def test_a_filter_that_raises_fails_the_page_and_not_the_rest(plugin, tmp_path, document, picture):
    body = "def keep(self, document):\n        if 'odd' in document.url: raise KeyError('what')\n        return KEEP"  # fmt: skip
    load_plugins([plugin(rule("title", body))])
    profile = profile_with(tmp_path, "[filters.title]\n")
    page = document("word " * 20, picture("a"), picture("b"))
    assert chosen(profile, page).verdict
    found = select(
        replace(page, url="http://odd.example/"), ["", "too_big"], profile, similarity_model=""
    )
    assert found.verdict.reason == "filter_failed"
    assert found.error == "filter title: KeyError: 'what'"
    assert found.images == ("page_dropped", "too_big")


@pytest.mark.parametrize(
    "raised", ["GeneratorExit", "SystemExit(0)", "BaseException('what')", "MemoryError"]
)
def test_whatever_a_filter_raises_is_the_pages_failure(plugin, tmp_path, document, picture, raised):
    load_plugins([plugin(rule("title", f"def keep(self, document): raise {raised}"))])
    found = chosen(profile_with(tmp_path, "[filters.title]\n"), document("word " * 20, picture()))
    assert found.verdict.reason == "filter_failed"
    assert found.error.startswith(f"filter title: {raised.partition('(')[0]}")


def test_ctrl_c_inside_a_filter_ends_the_command(plugin, tmp_path, document, picture):
    load_plugins([plugin(rule("title", "def keep(self, document): raise KeyboardInterrupt"))])
    profile = profile_with(tmp_path, "[filters.title]\n")
    with pytest.raises(KeyboardInterrupt):
        chosen(profile, document("word " * 20, picture()))


@pytest.mark.parametrize("raised", ["KeyError('least')", "ValueError('least is 3')", "SystemExit"])
def test_bounds_that_a_filter_refuses_are_one_line_however_it_does(plugin, tmp_path, raised):
    body = f"def keep(self, document): return KEEP\n    def __post_init__(self): raise {raised}"
    load_plugins([plugin(rule("title", body))])
    with pytest.raises(RecipeError, match=r"filters\.title: ") as caught:
        profile_with(tmp_path, "[filters.title]\n")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            "def keep(self, document): return drop('worse')",
            "gave the reason 'worse', which is none",
        ),
        ("def keep(self, document): return True", "gave True, expected KEEP or drop"),
        ("def apply(self, document): return document", "gave Document, expected a Cut"),
        ("def apply(self, document): return Cut(document=document, kept=(1, 0))", "kept .1, 0."),
        (
            "def apply(self, document): return Cut(document=document, kept=(0,))",
            "kept does not name",
        ),
        ("def apply(self, document): return Cut(document=document, kept=None)", "kept None"),
        (
            "def apply(self, document): return Cut(document=3, kept=())",
            "gave Cut, expected a Cut of",
        ),
        (
            "def keep(self, document):\n        document.scores['x'] = 1.0\n        return KEEP",
            "changed what it judges",
        ),
        (
            "def keep(self, document):\n        document.images[1].scores.clear()\n        return KEEP",
            "changed what it judges",
        ),
        (
            "def keep(self, document):\n        object.__setattr__(document, 'spans', 3)\n        return KEEP",
            "changed what it judges",
        ),
        (
            "def keep(self, image, document):\n        image.scores['x'] = 1.0\n        return KEEP",
            "changed what it judges",
        ),
        (
            "def apply(self, document):\n        document.scores['x'] = 1.0\n        return rebuilt(document, numbered(document.spans))",
            "changed what it judges",
        ),
    ],
)
def test_an_answer_that_no_filter_may_give_ends_the_build(
    plugin, tmp_path, document, picture, body, message
):
    load_plugins([plugin(rule("title", body))])
    profile = profile_with(tmp_path, "[filters.title]\n")
    second = replace(picture("b"), scores={**picture("b").scores, "x": 2.0})
    with pytest.raises(RecipeError, match=f"filter title: {message}"):
        chosen(profile, document("word " * 20, picture("a"), second))


def test_a_transform_that_cuts_images_off_needs_its_reason(plugin, tmp_path, document, picture):
    body = "def apply(self, document): return rebuilt(document, [])"
    load_plugins([plugin(rule("title", body, reasons=()))])
    with pytest.raises(RecipeError, match="needs one reason"):
        chosen(profile_with(tmp_path, "[filters.title]\n"), document("word " * 20, picture("a")))


def test_the_digest_is_of_the_whole_package(plugin):
    name = "plug_pack.filters"
    plugin("", file="plug_pack/__init__.py")
    plugin("LEAST = 3\n", file="plug_pack/numbers.py")
    plugin("from plug_pack.numbers import LEAST\n" + TITLE, name, file="plug_pack/filters.py")
    load_plugins([name])
    before = source_digests([name])
    assert before == source_digests([name])
    plugin("LEAST = 4\n", file="plug_pack/numbers.py")
    after = source_digests([name])
    assert set(after) == {name}
    assert after != before


def test_a_filter_is_checked_around_what_it_judges(plugin, tmp_path):
    load_plugins([plugin(rule("title", "def keep(self, text): return text.nothing"))])
    (checked,) = profile_with(tmp_path, "[filters.title]\n").filters.of("text")
    assert (checked.name, checked.reasons) == ("title", {"bad"})
    with pytest.raises(FilterError, match="filter title: AttributeError"):
        checked.keep(TextFacts("words"))
