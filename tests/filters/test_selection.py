from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openm3w.errors import RecipeError
from openm3w.filters import registry
from openm3w.filters.cut import rebuilt
from openm3w.filters.profiles import load_profile, profile_names
from openm3w.filters.quality.c4 import C4Lines, C4Page
from openm3w.filters.quality.pii import Pii
from openm3w.filters.rules.document import DocumentRules
from openm3w.filters.rules.quality import QualityRules
from openm3w.filters.selection import select
from openm3w.shards.document import Document, Image, ImageContent, Signals, Text

SHIPPED = {name: load_profile(name) for name in profile_names()}
# An assignment wants scores of all sentences, which its own tests give.
PROFILES = {n: p for n, p in SHIPPED.items() if p.document.assignment == "natural"}
LOOSE = load_profile("kosmos1", ["document.single_image_share=1.0", "text.min_words=1"])
STRICT = load_profile("openm3w", ["document.single_image_share=1.0", "text.min_words=1"])
CAPPED = replace(
    PROFILES["openm3w"],
    text=replace(PROFILES["openm3w"].text, min_words=2, max_document_words=9),
    document=DocumentRules(max_images=2, window_tokens=14),
)
PLAIN_WORDS = ["quality.gopher_quality.min_mean_word_length=1"]
SELECTIVE = replace(
    LOOSE,
    quality=QualityRules(
        c4_lines=C4Lines(closed_lines=False, min_words=1),
        pii=Pii(),
        c4_page=C4Page(min_sentences=2),
    ),
)
MODEL = "lit-test"


def test_a_good_document_is_kept_as_it_is(document, picture):
    page = document("Some text.", picture("a"), "More text.", picture("b"), "The end.")
    selection = select(page, ["", ""], STRICT, similarity_model=MODEL)
    assert selection.verdict
    assert selection.document == page
    assert selection.images == ("", "")
    assert selection.kept == (0, 1)


def test_each_image_has_its_own_reason_and_texts_around_it_are_joined(document, picture):
    page = document(
        *("one", picture("fated", 5, 5), "two", picture("small", 63, 64), "three"),
        *(picture("wide", 1000, 100), "four", picture("flat", grey_deviation=1.0), "five"),
        *(picture("foreign", similarity=0.1), "six", picture("good"), "seven"),
    )
    fates = ["not_in_archive", "", "", "", "", ""]
    selection = select(page, fates, STRICT, similarity_model=MODEL)
    assert selection.images == (
        "not_in_archive",
        "too_small",
        "extreme_aspect",
        "single_colour",
        "low_similarity",
        "",
    )
    assert selection.kept == (5,)
    assert selection.document.texts == ("one\n\ntwo\n\nthree\n\nfour\n\nfive\n\nsix", "seven")


def test_images_beyond_the_fifth_of_those_left_are_dropped(document, picture):
    spans = [span for i in range(8) for span in (f"text {i}", picture(str(i)))]
    fates = ["", "undecodable", "", "", "", "", "", ""]
    selection = select(document(*spans, "end"), fates, LOOSE, similarity_model=MODEL)
    late = "beyond_max_images"
    assert selection.images == ("", "undecodable", "", "", "", "", late, late)
    assert selection.kept == (0, 2, 3, 4, 5)


def test_images_behind_the_text_cap_are_outside(document, picture):
    page = document("one two", picture("a"), "three four five", picture("b"), "six")
    profile = replace(LOOSE, text=replace(LOOSE.text, max_document_words=4))
    selection = select(page, ["", ""], profile, similarity_model=MODEL)
    assert selection.images == ("", "outside_window")
    assert selection.document.texts == ("one two", "three four")


def test_good_images_of_a_dropped_document_say_so(document, picture):
    page = document("Ein Text.", picture("a"), "Noch einer.", picture("b", 1, 1), language="de")
    selection = select(page, ["", ""], STRICT, similarity_model=MODEL)
    assert selection.verdict.reason == "wrong_language"
    assert selection.document is None
    assert selection.images == ("page_dropped", "too_small")
    assert selection.kept == ()


@pytest.mark.parametrize(
    ("spans", "about", "reason"),
    [
        (["text", "text"], {}, "no_image"),
        (["text", "i"], {}, "not_interspersed"),
        (["text", "i", "text"], {"opt_out": ("x-robots-tag: noai",)}, "opt_out_noai"),
        (["text", "i", "text"], {"language_score": 0.1}, "uncertain_language"),
        (["text", "i", "text"], {}, None),
    ],
)
def test_a_document_has_one_reason(spans, about, reason, document, picture):
    page = document(*(picture() if span == "i" else span for span in spans), **about)
    fates = [""] * len(page.images)
    assert select(page, fates, LOOSE, similarity_model=MODEL).verdict.reason == reason


def test_document_filters_see_what_is_left(document, picture):
    page = document("text", picture("a"), "text", picture("b"), "text")
    selection = select(page, ["undecodable"] * 2, LOOSE, similarity_model=MODEL)
    assert selection.verdict.reason == "no_image"
    assert selection.images == ("undecodable", "undecodable")


def test_m3w_takes_a_window(document, picture):
    text = " ".join(f"w{i}" for i in range(300))
    page = document(text, picture("a"), text, doc_id="7" * 32)
    selection = select(page, [""], PROFILES["m3w"], similarity_model="none")
    assert selection.images in {("",), ("page_dropped",), ("outside_window",)}
    if selection.document:
        assert selection.document.scores["window_tokens"] == 256


def test_rules_on_the_text_judge_what_is_left_and_are_last(document, picture):
    profile = replace(LOOSE, quality=QualityRules(c4_lines=C4Lines(), c4_page=C4Page()))
    page = document("One line. It is so.\nMenu", picture("a"), "Two lines. It is so. Is it?")
    selection = select(page, [""], profile, similarity_model=MODEL)
    assert selection.document.texts == ("One line. It is so.", "Two lines. It is so. Is it?")
    assert selection.document.scores == {"c4_lines_removed": 1}
    assert selection.images == ("",)

    poor = document("One line. It is so.\nMenu. Menu.", picture("a"), "Two lines. It is so.")
    selection = select(poor, [""], profile, similarity_model=MODEL)
    assert selection.verdict.reason == "c4_too_few_sentences"
    assert selection.images == ("page_dropped",)

    foreign = replace(poor, signals=replace(poor.signals, language="de"))
    selection = select(foreign, [""], profile, similarity_model=MODEL)
    assert selection.verdict.reason == "wrong_language"


def test_a_text_is_judged_whole_and_then_cut(document, picture):
    profile = load_profile("kosmos1", ["document.single_image_share=1.0", *PLAIN_WORDS])
    page = document(" ".join(f"word{i}" for i in range(60)), picture(), "the and")
    capped = replace(profile, text=replace(profile.text, max_document_words=61))
    selection = select(page, [""], capped, similarity_model=MODEL)
    assert selection.document.texts[1] == "the"

    poor = document(" ".join(f"word{i}" for i in range(60)), picture(), "word the")
    assert select(poor, [""], profile, similarity_model=MODEL).verdict.reason == (
        "gopher_few_stop_words"
    )


def test_stored_numbers_replace_the_reading_of_the_text(document, picture):
    text = replace(LOOSE.text, min_words=3)
    profile = replace(LOOSE, text=text, quality=QualityRules())
    page = document("One", picture("a"), "two.")
    assert select(page, [""], profile, similarity_model=MODEL).verdict.reason == "too_few_words"
    stored = {"word_count.words": 3.0}
    assert select(page, [""], profile, similarity_model=MODEL, measures=stored).verdict


@pytest.mark.parametrize(("last", "reason"), [("***", "not_interspersed"), ("* a *", None)])
def test_text_without_a_word_is_none(last, reason, document, picture):
    page = document("text", picture("a"), last)
    assert select(page, [""], LOOSE, similarity_model=MODEL).verdict.reason == reason


def test_fates_must_be_parallel_to_the_images(document, picture):
    with pytest.raises(ValueError, match="shorter"):
        select(document(picture()), [], LOOSE, similarity_model=MODEL)


def test_a_model_without_a_bound_is_refused(document):
    with pytest.raises(RecipeError, match="no bound"):
        select(document("text"), [], STRICT, similarity_model="other")


IMAGES = st.builds(
    lambda side, aspect, deviation, similarity, measured: Image(
        url="https://example.org/",
        content=ImageContent(
            sha256="0",
            width=side,
            height=side,
            original_width=side * aspect,
            original_height=side,
            num_bytes=1,
        )
        if measured
        else None,
        scores={"grey_deviation": deviation}
        | ({} if similarity is None else {"similarity": similarity}),
    ),
    st.sampled_from([63, 64, 200]),
    st.sampled_from([1, 3, 4]),
    st.sampled_from([3.9, 4.0, 50.0]),
    st.sampled_from([0.1, 0.15, 0.6, None]),
    st.sampled_from([True, True, True, False]),
)
TEXTS = st.builds(
    lambda text: Text(text=text), st.text(st.sampled_from("ab  \n\u4e2d."), max_size=12)
)
DOCUMENTS = st.builds(
    lambda spans, doc_id, language, opt_out: Document(
        doc_id=doc_id,
        spans=tuple(spans),
        signals=Signals(language=language, language_score=0.9, opt_out=opt_out),
    ),
    st.lists(TEXTS | IMAGES, max_size=14),
    st.sampled_from(["a", "b", "c", "d"]),
    st.sampled_from(["en", "en", "en", "de"]),
    st.sampled_from([(), (), ("x-robots-tag: noai",)]),
)
FATES = st.lists(st.sampled_from(["", "", "", "not_in_archive"]), min_size=14, max_size=14)
CHOSEN = st.sampled_from([*PROFILES.values(), LOOSE, STRICT, CAPPED, SELECTIVE])
IMAGE_REASONS = {
    reason
    for name in registry.names()
    if registry.granularity(registry.get(name)) in ("image", "transform")
    for reason in registry.get(name).reasons
}


@given(DOCUMENTS, FATES, CHOSEN)
def test_every_image_has_one_outcome_and_the_order_is_the_inputs(page, fates, profile):
    fates = fates[: len(page.images)]
    selection = select(page, fates, profile, similarity_model=MODEL)
    assert len(selection.images) == len(page.images)
    for fate, outcome in zip(fates, selection.images, strict=True):
        assert outcome == fate if fate else outcome in {"", "page_dropped", *IMAGE_REASONS}
    kept = [i for i, outcome in enumerate(selection.images) if not outcome]
    assert list(selection.kept) == kept
    assert (selection.document is not None) == bool(selection.verdict)
    if selection.document is None:
        assert not kept
        assert selection.verdict.reason not in IMAGE_REASONS
    else:
        assert "page_dropped" not in selection.images
        assert selection.document.images == tuple(page.images[i] for i in kept)
        assert 1 <= len(kept) <= profile.document.max_images
        assert all(text.strip() for text in selection.document.texts)


@given(DOCUMENTS, FATES, CHOSEN)
def test_selection_is_deterministic_and_leaves_its_input_alone(page, fates, profile):
    fates = fates[: len(page.images)]
    before = replace(page)
    first = select(page, fates, profile, similarity_model=MODEL)
    assert first == select(page, fates, profile, similarity_model=MODEL)
    assert page == before


def test_blank_texts_do_not_keep_their_neighbours_apart(document):
    page = document("a\n", " \n ", "\nb")
    cut = rebuilt(page, ((span, -1) for span in page.spans))
    assert cut.document.texts == ("a\n\nb",)
