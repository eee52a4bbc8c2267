"""Stored numbers say of every profile what reading each document says."""

import itertools
import random
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openm3w.errors import OutputError
from openm3w.filters.assignment import SentenceScores
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
from openm3w.filters.similarity import SIMILARITY
from openm3w.pipeline.completed import Completed
from openm3w.pipeline.jobs.measured import read_rows
from openm3w.pipeline.jobs.measures import commit_measures
from openm3w.pipeline.scoring.tables import SCHEMAS
from openm3w.pipeline.scoring.windows import split
from openm3w.pipeline.store import Folder
from openm3w.shards.document import Document, Image, ImageContent, Signals, Text

MODEL = "lit-test"
LOOSE = load_profile(
    "kosmos1", ["document.single_image_share=0.5", "text.min_words=1", "document.max_images=3"]
)
WINDOWED = load_profile("m3w", ["document.window_tokens=12", "text.min_words=2"])
MOVED = [
    *("document.assignment=bipartite", "document.max_images=2", "assigned.min_share=0.6"),
    *(f"assigned.bounds={{{MODEL}=0.25}}", "text.max_paragraph_words=0"),
    *("text.max_document_words=0", "text.min_words=1", "image.twin_distance=1"),
]
MAX_WORDS = 3
PROFILES = {
    **{name: load_profile(name) for name in profile_names() if not name.startswith("mmc4")},
    **{
        name: load_profile(
            name,
            [
                f"assigned.bounds={{{MODEL}=0.25}}",
                f"similarity.bounds={{{MODEL}=0.15}}",
                "safety.max_nsfw={clip=0.4}",
            ],
        )
        for name in ("mmc4", "mmc4-core")
    },
    # MMC4's rules on text leave next to nothing of what is drawn here.
    "moved": load_profile("kosmos1", MOVED),
    "moved freely": load_profile(
        "kosmos1",
        [*MOVED, "document.max_images=0", "assigned.min_share=0"],
    ),
    "moved lines": load_profile("kosmos1", [*MOVED, "quality.c4_lines.min_words=2"]),
    "loose": LOOSE,
    "similar": load_profile("openm3w", ["text.min_words=1", "document.single_image_share=1.0"]),
    "unsafe": load_profile(
        "kosmos1",
        ["text.min_words=1", "safety.max_nsfw={clip=0.4}", "safety.drop_document=true"],
    ),
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
COSINES = st.randoms(use_true_random=False)
DOCUMENTS = st.lists(st.tuples(SPANS, SIGNALS, FATES, COSINES), max_size=12)


class Tables:
    """Stands where a plan does: a folder of measures and the views in it."""

    def __init__(self, root, profiles):
        self.views = views(profiles)
        self.measures = Folder.of(root / "measures", "f")
        self.scores = Folder.of(root / "scores", "f")
        self.sentence_words = MAX_WORDS

    def commit(self, unit, found):
        """Numbers of documents, and scores of their images as job 4 has them."""
        commit_measures(self, unit, found)
        with self.scores.writing(unit, SCHEMAS[SIMILARITY]) as add:
            for each in found:
                for image, fate in enumerate(each.fates):
                    if not fate:
                        row = each.sentences.rows[image]
                        add({"row": each.row, "image": image, "window_scores": row})


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    return Tables(tmp_path_factory.mktemp("measures"), PROFILES.values())


def completed(drawn):
    for row, (spans, signals, fates, cosines) in enumerate(drawn):
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
            originals={},
            repeats={number: 2 + (row + number) % 2 for number in range(row % 3)},
            sentences=scores(document, cosines),
            window_scores={},
        )


def choice_of(tables, unit, profile):
    view = next(view for view in tables.views if view.covers(view_of(profile)))
    rows = read_rows(tables.measures, unit, profile, view, MODEL, scores=tables.scores)
    return choose(rows, profile, similarity_model=MODEL)


def chosen(found, profile):
    return select(
        found.document,
        found.fates,
        profile,
        similarity_model=MODEL,
        repeats=found.repeats,
        sentences=found.sentences,
    )


def scores(document, cosines):
    """Few different ones, so that images compete and sums are equal; one more for an alt text."""
    number = sum(1 for text in document.texts for _ in split(text, MAX_WORDS))
    rows = tuple(
        tuple(cosines.choice([0.1, 0.2, 0.25, 0.2501, 0.3, 0.9]) for _ in range(number + 1))
        for _ in document.images
    )
    return SentenceScores(rows=rows, max_words=MAX_WORDS)


@given(DOCUMENTS)
@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
def test_a_choice_is_the_selection_of_each(tables, drawn):
    found = list(completed(drawn))
    tables.commit("unit", found)
    for profile in PROFILES.values():
        choice = choice_of(tables, "unit", profile)
        expected = [chosen(each, profile) for each in found]
        assert names(choice.pages) == [s.verdict.reason or "" for s in expected]
        assert names(choice.images) == [image for s in expected for image in s.images]


def test_images_that_compete_for_sentences_are_chosen_as_when_they_are_moved(tables):
    draw = random.Random(7)
    found = [fitting(draw, row) for row in range(400)]
    tables.commit("competing", found)
    reasons = set()
    for name in ("moved", "moved lines", "moved freely"):
        expected = [chosen(each, PROFILES[name]) for each in found]
        choice = choice_of(tables, "competing", PROFILES[name])
        assert names(choice.pages) == [s.verdict.reason or "" for s in expected]
        assert names(choice.images) == [image for s in expected for image in s.images]
        reasons |= {*choice.pages.names, *choice.images.names}
    assert reasons >= {"", "few_assigned", "not_assigned", "not_interspersed", "beyond_max_images"}


def fitting(draw, row):
    """An English document whose images are all available and good, so that sentences decide."""
    texts = (
        "The harbour.",
        "Boats. Nets at the wall of the harbour.",
        "A menu\nof",
        "***",
        "Tide[1]",
    )
    spans = []
    for _ in range(draw.randrange(1, 8)):
        if draw.random() < 0.5:
            spans.append(Text(text=draw.choice(texts)))
        else:
            content = ImageContent(
                sha256="0",
                width=200,
                height=200,
                original_width=200,
                original_height=200,
                num_bytes=1,
                phash=f"{1 << draw.randrange(64):016x}",
            )
            good = {"similarity": 0.5, "text_similarity": 0.5, "grey_deviation": 50.0}
            spans.append(Image(url="https://example.org/a", content=content, scores=good))
    # Some pages are dropped; their images have reasons too.
    signals = Signals(language=draw.choice(["en", "en", "de"]), language_score=0.9)
    document = Document(doc_id=f"{row * 7919:032x}", spans=tuple(spans), signals=signals)
    return Completed(
        row=row,
        document=document,
        fates=("",) * len(document.images),
        places={},
        originals={},
        repeats={},
        sentences=scores(document, draw),
        window_scores={},
    )


def test_scores_of_other_documents_are_told(tables):
    draw = random.Random(1)
    found = next(f for f in (fitting(draw, 0) for _ in range(99)) if len(f.document.spans) > 6)
    tables.commit("other", [found])
    with tables.scores.writing("other", SCHEMAS[SIMILARITY]) as add:
        add({"row": 0, "image": 0, "window_scores": [0.5]})
    with pytest.raises(OutputError, match=r"other\.parquet: the scores are not those"):
        choice_of(tables, "other", PROFILES["moved"])


def names(coded):
    return [coded.names[code] for code in coded.codes]


@pytest.mark.parametrize(
    ("overrides", "why"),
    [
        (["document.interspersed=true"], "interspersed"),
        (["text.max_document_words=3"], "capped text"),
        (["quality.omnicorpus_images={}"], "words for each image"),
        (["document.assignment=bipartite", "text.max_document_words=0"], "window is cut around"),
        (["document.assignment=bipartite", "text.max_document_words=9"], "capped around images"),
    ],
)
def test_what_numbers_cannot_say_is_refused(tables, overrides, why):
    profile = load_profile("m3w", overrides)
    text = Text(text="one two three four\n\nfive")
    document = Document(doc_id="0" * 32, spans=(text,))
    found = Completed(
        row=0,
        document=document,
        fates=(),
        places={},
        originals={},
        repeats={},
        sentences=None,
        window_scores={},
    )
    tables.commit("refused", [found])
    with pytest.raises(NeedsDocumentsError, match=why):
        choice_of(tables, "refused", profile)


def test_views_of_one_text_share_their_numbers():
    plain = [PROFILES[name] for name in ("loose", "capped", "rules")]
    (view,) = views(plain)
    assert all(view.covers(view_of(profile)) for profile in plain)
    assert not view.covers(view_of(PROFILES["lines"]))
    other = replace(LOOSE, quality=QualityRules(gopher_quality=GopherQuality(min_words=99)))
    assert not view.covers(view_of(other)), "other stop words, so other numbers"
