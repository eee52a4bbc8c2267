"""What holds for every filter: a new one gets these tests for free."""

import copy
import dataclasses
import inspect
import math
import pickle
import re
import subprocess
import sys
from pathlib import Path

import cloudpickle
import pytest

from openm3w.errors import RecipeError
from openm3w.filters import registry
from openm3w.filters.captions import CaptionPair
from openm3w.filters.quality.facts import TextFacts
from openm3w.filters.screen import PageFacts
from openm3w.filters.verdict import KEEP, drop

ALL = [registry.get(name) for name in registry.names()]
EACH = pytest.mark.parametrize("cls", ALL, ids=lambda cls: cls.name)


def outcome_of(instance, picture, document):
    """What the filter makes of three inputs: a good one, a poor one, an empty one."""
    good = document("One two three.", picture("a"), "Four five six.", picture("b"))
    poor = document("x", picture("c", 3, 900, grey_deviation=0.0, similarity=-1.0), language="xx")
    empty = document(opt_out=("x-robots-tag: noai", "tdm-reservation: 1"))
    match registry.granularity(type(instance)):
        case "page":
            facts = [
                PageFacts(
                    url=url,
                    status=200,
                    content_type="text/html",
                    sniffed_type="html",
                    num_bytes=10,
                    truncated="",
                    has_image_candidate=True,
                )
                for url in ("https://example.org/", "ftp://example.org/")
            ]
            return facts, [instance.keep(fact) for fact in facts]
        case "image":
            pairs = [(image, page) for page in (good, poor) for image in page.images]
            return pairs, [instance.keep(image, page) for image, page in pairs]
        case "transform":
            return [good, poor, empty], [instance.apply(page) for page in (good, poor, empty)]
        case "text":
            facts = [TextFacts.of(page) for page in (good, poor, empty)]
            return [fact.text for fact in facts], [instance.keep(fact) for fact in facts]
        case "pair":
            pairs = [
                CaptionPair(caption="a caption of words", scores={"similarity_b32": 0.3}),
                CaptionPair(caption="x", scores={"unsafe": 1.0}, occurrences=99, is_first=False),
                CaptionPair(caption="", scores={"similarity_b32": math.nan}),
            ]
            # No number is equal to itself where there is none.
            return [pair.caption for pair in pairs], [instance.keep(pair) for pair in pairs]
        case "document":
            return [good, poor, empty], [instance.keep(page) for page in (good, poor, empty)]


@EACH
def test_a_filter_is_frozen_and_slotted(cls):
    assert cls.__dataclass_params__.frozen
    assert not hasattr(cls(), "__dict__")


@EACH
def test_a_filter_survives_pickling(cls):
    instance = cls()
    assert pickle.loads(cloudpickle.dumps(instance)) == instance


@EACH
def test_names_and_reasons_are_in_snake_case(cls):
    for word in (cls.name, *cls.reasons):
        assert re.fullmatch(r"[a-z]+[0-9]*(_[a-z]+)*", word)
    assert cls.reasons or registry.granularity(cls) == "transform"
    assert isinstance(cls.reasons, frozenset)


@EACH
def test_a_transform_has_one_reason_or_cuts_no_image_off(cls, picture, document):
    if registry.granularity(cls) == "transform":
        assert len(cls.reasons) <= 1
        if not cls.reasons:
            pages, cuts = outcome_of(cls(), picture, document)
            assert [cut.document.images for cut in cuts] == [page.images for page in pages]


@EACH
def test_a_filter_is_deterministic_and_leaves_its_input_alone(cls, picture, document):
    given, first = outcome_of(cls(), picture, document)
    before = copy.deepcopy(given)
    again, second = outcome_of(cls(), picture, document)
    assert first == second
    assert given == before == again


@EACH
def test_only_declared_reasons_are_given(cls, picture, document):
    _, outcomes = outcome_of(cls(), picture, document)
    if registry.granularity(cls) != "transform":
        assert {outcome.reason for outcome in outcomes} <= {None, *cls.reasons}


@EACH
def test_a_docstring_begins_with_one_sentence_and_names_its_source(cls):
    text = inspect.getdoc(cls)
    assert re.fullmatch(r"[A-Z].*\.", text.splitlines()[0])
    source = text.partition("Source:")[2]
    assert source
    assert re.search(r"arXiv:\d{4}\.\d{5}|github\.com/|img2dataset|Pillow|none", source)


def test_a_name_is_registered_once():
    taken = dataclasses.make_dataclass(
        "Taken",
        [],
        frozen=True,
        namespace={
            "name": "has_image",
            "reasons": frozenset({"no"}),
            "keep": lambda self, document: KEEP,  # noqa: ARG005
        },
    )
    with pytest.raises(ValueError, match="has_image"):
        registry.register(taken)


def test_a_filter_of_unknown_signature_is_refused():
    class Odd:
        name = "odd"
        reasons = frozenset({"odd"})

        def keep(self, everything):  # noqa: ARG002
            return drop("odd")

    with pytest.raises(TypeError, match="Odd"):
        registry.register(Odd)
    assert "odd" not in registry.names()


def test_an_unknown_name_suggests_the_nearest():
    with pytest.raises(RecipeError, match="did you mean 'interspersed'"):
        registry.get("interspersd")
    with pytest.raises(RecipeError, match="there are"):
        registry.get("qqqqqqqq")


@pytest.mark.parametrize(
    ("name", "granularity"),
    [
        ("screen", "page"),
        ("min_side", "image"),
        ("window", "transform"),
        ("language", "document"),
        ("fineweb", "text"),
        ("caption_text", "pair"),
    ],
)
def test_what_a_filter_judges_is_read_off_its_signature(name, granularity):
    assert registry.granularity(registry.get(name)) == granularity


def fresh(code):
    """What a new interpreter prints."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_one_module_of_the_package_is_had_without_the_filters():
    code = "import sys, openm3w.filters.url; print('openm3w.filters.registry' in sys.modules)"
    assert fresh(code) == "False"


def test_every_filter_is_known_though_nothing_was_imported():
    """And every module that registers one is in the list of those that are shipped."""
    folder = Path(registry.__file__).parent
    texts = {path: path.read_text(encoding="utf-8") for path in folder.rglob("*.py")}
    num_filters = sum(text.count("\n@register\n") for text in texts.values())
    code = "from openm3w.filters import registry; print(len(registry.names()))"
    assert int(fresh(code)) == num_filters == len(ALL)


def test_a_shipped_name_is_taken_though_nothing_was_imported():
    code = """
from openm3w.filters.registry import names, register
class Mine:
    name, reasons = "has_image", frozenset({"no"})
    def keep(self, document): pass
try:
    register(Mine)
except ValueError as error:
    print(error)
print(len(names()))
"""
    assert fresh(code).splitlines() == [
        "filter 'has_image' is registered twice: choose another name",
        str(len(ALL)),
    ]


def test_a_module_that_fails_takes_no_shipped_filter_with_it():
    code = """
from openm3w.filters import registry
try:
    with registry.all_or_nothing():
        registry.names()
        raise OSError
except OSError:
    print(len(registry.names()))
"""
    assert int(fresh(code)) == len(ALL)
