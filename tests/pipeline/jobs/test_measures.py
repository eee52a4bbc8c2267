"""Stored numbers say of every profile what reading each document says."""

import itertools
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openm3w.filters.choosing import NeedsDocumentsError, choose
from openm3w.filters.measuring import view_of, views
from openm3w.filters.profiles import load_profile, profile_names
from openm3w.filters.quality.c4 import C4Lines, C4Page
from openm3w.filters.quality.fineweb import FineWeb
from openm3w.filters.quality.gopher import GopherQuality
from openm3w.filters.quality.obelics import ObelicsParagraphs
from openm3w.filters.quality.omnicorpus import OmniCorpusImages
from openm3w.filters.quality.pii import Pii
from openm3w.filters.rules.quality import QualityRules
from openm3w.filters.selection import select
from openm3w.pipeline.completed import Completed
from openm3w.pipeline.jobs.measures import commit_measures, read_rows
from openm3w.pipeline.store import Folder
from openm3w.shards.document import Document, Image, ImageContent, Signals, Text

MODEL = "lit-test"
LOOSE = load_profile(
    "kosmos1", ["document.single_image_share=0.5", "text.min_words=1", "document.max_images=3"]
)
WINDOWED = load_profile("m3w", ["document.window_tokens=12", "text.min_words=2"])
PROFILES = {
    **{name: load_profile(name) for name in profile_names() if not name.startswith("mmc4")},
    # As they are they move images, which numbers cannot say.
    **{
        name: load_profile(
            name,
            [
                'document.assignment="natural"',
                "assigned.min_share=0.0",
                f"similarity.bounds={{{MODEL}=0.15}}",
                "safety.max_nsfw={clip=0.4}",
            ],
        )
        for name in ("mmc4", "mmc4-core")
    },
    "loose": LOOSE,
    "similar": load_profile("openm3w", ["text.min_words=1", "document.single_image_share=1.0"]),
    "capped": replace(
        LOOSE, text=replace(LOOSE.text, max_paragraph_words=3, max_document_words=9, max_words=14)
    ),
    "windowed": WINDOWED,
    "images": load_profile(
        "kosmos1",
        [
            "text.min_words=1",
            "image.twin_distance=1",
            'image.url_tokens=["logo"]',
            "image.max_url_count=2",
            'pages.deny_tokens=["shop"]',
        ],
    ),
    "one": replace(WINDOWED, document=replace(WINDOWED.document, single_image_share=0.5)),
    "rules": replace(
        LOOSE,
        quality=QualityRules(
            gopher_quality=GopherQuality(
                min_words=3, min_mean_word_length=1, min_stop_words=1, stop_words=("a", "b")
            ),
            fineweb=FineWeb(short_line_characters=3),
            omnicorpus_images=OmniCorpusImages(few_images=1, min_words_per_image=2.5),
        ),
    ),
    "lines": replace(
        LOOSE,
        quality=QualityRules(
            c4_lines=C4Lines(closed_lines=False, min_words=2), c4_page=C4Page(min_sentences=2)
        ),
    ),
    "repeats": load_profile(
        "kosmos1", ["text.min_words=2", "duplicates.drop_paragraphs_from=3", "duplicates.near=true"]
    ),
    "paragraphs": replace(
        WINDOWED,
        quality=QualityRules(
            obelics_paragraphs=ObelicsParagraphs(min_words=2, min_stop_words=0), pii=Pii()
        ),
    ),
}

WORDS = st.sampled_from(["a", "b", "the", "harbour", "\u4e2d\u6587", "***", "x@y.org", ".", "{"])
TEXTS = st.lists(
    st.tuples(WORDS, st.sampled_from([" ", " ", ". ", "\n", "\n\n", "\n \n", "\u2003"])),
    max_size=20,
).map(lambda parts: Text(text="".join(itertools.chain.from_iterable(parts))))
IMAGES = st.builds(
    lambda side, aspect, deviation, similarity, text_similarity, measured, name, phash, count, nsfw: (
        Image(
            url=f"https://example.org/{name}",
            content=ImageContent(
                sha256="0",
                width=side,
                height=side,
                original_width=side * aspect,
                original_height=side,
                num_bytes=1,
                phash=phash,
            )
            if measured
            else None,
            scores={"grey_deviation": deviation, "url_count": count}
            | ({} if similarity is None else {"similarity": similarity})
            | ({} if text_similarity is None else {"text_similarity": text_similarity})
            | ({} if nsfw is None else {"nsfw_clip": nsfw}),
        )
    ),
    st.sampled_from([63, 64, 200]),
    st.sampled_from([1, 3, 4]),
    st.sampled_from([3.9, 4.0, 50.0]),
    st.sampled_from([0.1, 0.15, 0.6, None]),
    st.sampled_from([0.1, 0.15, 0.6, None]),
    st.sampled_from([True, True, True, False]),
    st.sampled_from(["a", "b", "logo.png"]),
    st.sampled_from(["", f"{0:016x}", f"{1:016x}", f"{3:016x}", f"{2**63:016x}"]),
    st.sampled_from([1.0, 2.0, 3.0]),
    st.sampled_from([None, 0.0, 0.4, 0.41]),
)
SPANS = st.lists(TEXTS | IMAGES, max_size=12)
SIGNALS = st.builds(
    lambda language, score, opt_out: Signals(
        language=language, language_score=score, opt_out=opt_out
    ),
    st.sampled_from(["en", "en", "en", "de", ""]),
    st.sampled_from([0.64, 0.65, 0.9]),
    st.sampled_from([(), (), ("x-robots-tag: noai",), ("meta robots: noimageindex", "x: y")]),
)
FATES = st.lists(st.sampled_from(["", "", "", "not_in_archive"]), min_size=12, max_size=12)
DOCUMENTS = st.lists(st.tuples(SPANS, SIGNALS, FATES), max_size=12)


class Tables:
    """Stands where a plan does: a folder of measures and the views in it."""

    def __init__(self, root, profiles):
        self.views = views(profiles)
        self.measures = Folder.of(root, "f")


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    return Tables(tmp_path_factory.mktemp("measures"), PROFILES.values())


def completed(drawn):
    for row, (spans, signals, fates) in enumerate(drawn):
        document = Document(
            doc_id=f"{row * 7919:032x}",
            url=f"https://example.org/{'shop' if row % 3 == 2 else 'story'}",
            spans=tuple(spans),
            signals=signals,
        )
        yield Completed(
            row=3 * row,
            document=document,
            fates=tuple(fates[: len(document.images)]),
            places={},
            repeats={number: 2 + (row + number) % 2 for number in range(row % 3)},
            sentences=None,
        )


@given(DOCUMENTS)
@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
def test_a_choice_is_the_selection_of_each(tables, drawn):
    found = list(completed(drawn))
    commit_measures(tables, "unit", found)
    for profile in PROFILES.values():
        view = next(view for view in tables.views if view.covers(view_of(profile)))
        rows = read_rows(tables.measures, "unit", profile, view, MODEL)
        choice = choose(rows, profile, similarity_model=MODEL)
        expected = [
            select(each.document, each.fates, profile, similarity_model=MODEL, repeats=each.repeats)
            for each in found
        ]
        assert names(choice.pages) == [s.verdict.reason or "" for s in expected]
        assert names(choice.images) == [image for s in expected for image in s.images]


def names(coded):
    return [coded.names[code] for code in coded.codes]


@pytest.mark.parametrize(
    ("overrides", "why"),
    [
        (["document.interspersed=true"], "interspersed"),
        (["text.max_document_words=3"], "capped text"),
        (["quality.omnicorpus_images={}"], "words for each image"),
    ],
)
def test_what_numbers_cannot_say_is_refused(tables, overrides, why):
    profile = load_profile("m3w", overrides)
    text = Text(text="one two three four\n\nfive")
    document = Document(doc_id="0" * 32, spans=(text,))
    found = Completed(row=0, document=document, fates=(), places={}, repeats={}, sentences=None)
    commit_measures(tables, "refused", [found])
    view = next(view for view in tables.views if view.covers(view_of(profile)))
    rows = read_rows(tables.measures, "refused", profile, view, "none")
    with pytest.raises(NeedsDocumentsError, match=why):
        choose(rows, profile, similarity_model="none")


def test_views_of_one_text_share_their_numbers():
    plain = [PROFILES[name] for name in ("loose", "capped", "rules")]
    (view,) = views(plain)
    assert all(view.covers(view_of(profile)) for profile in plain)
    assert not view.covers(view_of(PROFILES["lines"]))
    other = replace(LOOSE, quality=QualityRules(gopher_quality=GopherQuality(min_words=99)))
    assert not view.covers(view_of(other)), "other stop words, so other numbers"
