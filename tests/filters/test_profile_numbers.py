"""The numbers of the shipped profiles, as their papers and released code give them.

Written from these and not from the profiles or the filters' defaults, which are not asked here.
"""

import pytest

from openm3w.filters.comparing import bounds
from openm3w.filters.profiles import profile_names

# Gopher (arXiv:2112.11446), appendix A.1.1 and table A1.
GOPHER = {
    "gopher_quality.min_words": 50,
    "gopher_quality.max_words": 100_000,
    "gopher_quality.min_mean_word_length": 3.0,
    "gopher_quality.max_mean_word_length": 10.0,
    "gopher_quality.max_symbols_per_word": 0.1,
    "gopher_quality.max_bullet_lines": 0.9,
    "gopher_quality.max_ellipsis_lines": 0.3,
    "gopher_quality.min_alphabetic_words": 0.8,
    "gopher_quality.min_stop_words": 2,
    "gopher_repetition.max_repeated_lines": 0.3,
    "gopher_repetition.max_repeated_paragraphs": 0.3,
    "gopher_repetition.max_repeated_line_characters": 0.2,
    "gopher_repetition.max_repeated_paragraph_characters": 0.2,
    "gopher_repetition.max_top_2_gram": 0.2,
    "gopher_repetition.max_top_3_gram": 0.18,
    "gopher_repetition.max_top_4_gram": 0.16,
    "gopher_repetition.max_repeated_5_grams": 0.15,
    "gopher_repetition.max_repeated_6_grams": 0.14,
    "gopher_repetition.max_repeated_7_grams": 0.13,
    "gopher_repetition.max_repeated_8_grams": 0.12,
    "gopher_repetition.max_repeated_9_grams": 0.11,
    "gopher_repetition.max_repeated_10_grams": 0.1,
}
# C4 (arXiv:1910.10683), section 2.2.
C4 = {
    "c4_lines.min_words": 3,
    "c4_lines.max_word_characters": 1000,
    "c4_lines.closed_lines": True,
    "c4_page.min_sentences": 5,
    "c4_page.lorem_ipsum": True,
    "c4_page.curly_bracket": True,
}
# KOSMOS-1 (arXiv:2302.14045) names the rule; the numbers are those of Gopher's symbols.
GIBBERISH = {
    "gibberish.max_emoji_per_word": 0.1,
    "gibberish.max_hashtags_per_word": 0.1,
    "gibberish.max_links_per_word": 0.1,
}

QUALITY = {
    "openm3w": GIBBERISH,
    "kosmos1": GIBBERISH,
    "m3w": GOPHER,
    "mint1t": GOPHER,
    "mmc4": C4,
    # MMC4 (arXiv:2304.06939), section 3.
    "mmc4-core": C4 | {"sentence_count.min_sentences": 4, "sentence_count.max_sentences": 40},
    # OBELICS, released code; 1.0 in the place of 0.01 of a list of words that is not here.
    "obelics": {
        "obelics_paragraphs.min_words": 4,
        "obelics_paragraphs.max_words": 1000,
        "obelics_paragraphs.max_repeated_characters": 0.1,
        "obelics_paragraphs.max_repeated_words": 0.1,
        "obelics_paragraphs.max_special_characters": 0.3,
        "obelics_paragraphs.min_stop_words": 0.3,
        "obelics_paragraphs.max_flagged_words": 1.0,
        "obelics_paragraphs.min_punctuation": 0.001,
        "obelics_paragraphs.min_pieces_for_punctuation": 12,
        "obelics.min_words": 10,
        "obelics.max_words": 2000,
        "obelics.max_repeated_characters": 0.1,
        "obelics.max_repeated_words": 0.2,
        "obelics.max_special_characters": 0.275,
        "obelics.min_stop_words": 0.35,
        "obelics.max_flagged_words": 1.0,
        "obelics.min_punctuation": 0.03,
    },
    # OmniCorpus (arXiv:2406.08418), released rules.
    "omnicorpus": {
        "omnicorpus_paragraphs.min_words": 5,
        "omnicorpus_paragraphs.max_capitals": 0.8,
        "omnicorpus_paragraphs.max_digits": 0.8,
        "omnicorpus_images.few_images": 2,
        "omnicorpus_images.min_words_per_image": 50.0,
        "omnicorpus.min_words": 50,
        "omnicorpus.max_words": 100_000,
        "omnicorpus.min_mean_word_length": 3.0,
        "omnicorpus.max_mean_word_length": 10.0,
        "omnicorpus.min_alphabetic_words": 0.8,
        "omnicorpus.min_stop_words": 2,
        "omnicorpus.long_paragraph": 35,
        "omnicorpus.mean_paragraph": 12.0,
    },
}

KOSMOS1 = {
    "language": "en",
    "image.min_side": 64,
    "image.max_aspect": 3.0,
    "image.min_grey_deviation": 4.0,
    "document.max_images": 5,
    "document.interspersed": True,
    "document.single_image_share": 0.5,
    "text.min_words": 10,
    "text.max_paragraph_words": 1000,
    "text.max_document_words": 2000,
}
MMC4 = {
    "language": "en",
    "image.min_side": 150,
    "image.max_aspect": 2.0,
    "image.formats": ["jpeg", "png"],
    "image.url_tokens": ["logo", "button", "icon", "plugin", "widget"],
    "image.max_content_count": 10,
    "document.assignment": "bipartite",
    "similarity.enabled": True,
    "similarity.bounds.openclip:ViT-L-14/openai": 0.15,
    "safety.max_nsfw.clip": 0.1,
}
NUMBERS = {
    "kosmos1": KOSMOS1 | {"similarity.enabled": False},
    "openm3w": KOSMOS1
    | {"similarity.enabled": True, "similarity.bounds.openclip:ViT-L-14/openai": 0.15},
    "m3w": {
        "language": "en",
        "image.min_side": 64,
        "image.max_aspect": 3.0,
        "image.min_grey_deviation": 4.0,
        "document.max_images": 5,
        "document.window_tokens": 256,
        "document.single_image_share": 1.0,
        "similarity.enabled": False,
    },
    "obelics": {
        "language": "en",
        "min_language_score": 0.8,
        "image.min_side": 150,
        "image.max_side": 20_000,
        "image.max_aspect": 2.0,
        "image.formats": ["jpeg", "png", "webp"],
        "image.url_tokens": [
            *("logo", "button", "icon", "plugin", "widget", "porn", "xxx", "sex"),
        ],
        "image.max_url_count": 10,
        "document.min_images": 1,
        "document.most_images": 30,
        "safety.drop_document": True,
    },
    "mmc4": MMC4
    | {"image.twin_distance": 5, "document.min_images": 1, "document.most_images": 0}
    | {"assigned.min_share": 0.0},
    "mmc4-core": MMC4
    | {"image.twin_distance": 10, "document.min_images": 2, "document.most_images": 15}
    | {"assigned.min_share": 0.75, "assigned.bounds.openclip:ViT-L-14/openai": 0.25},
    "mint1t": {
        "language": "en",
        "image.min_side": 150,
        "image.max_side": 20_000,
        "image.max_aspect": 2.0,
        "image.url_tokens": ["logo", "avatar", "porn", "xxx"],
        "image.max_content_count": 10,
        "document.min_images": 1,
        "document.most_images": 30,
        "safety.drop_document": True,
    },
    "omnicorpus": {
        "image.min_side": 150,
        "image.max_aspect": 2.0,
        "image.max_content_count": 10,
        "safety.max_nsfw.clip": 0.8,
        "safety.drop_document": False,
    },
    # COYO-700M: more than 5 characters.
    "coyo": {
        "language": "en",
        "captions.min_characters": 6,
        "captions.max_characters": 1000,
        "captions.min_words": 3,
        "captions.max_words": 256,
        "captions.max_occurrences": 10,
        "captions.drop_duplicates": True,
        "images.min_side": 200,
        "images.max_aspect": 3.0,
        "images.min_crawled_bytes": 5000,
        "scores.nsfw_opennsfw2": 0.5,
        "scores.nsfw_gantman": 0.5,
    },
    # LAION-5B drops alternative texts below 5 characters.
    "laion": {
        "language": "en",
        "captions.min_characters": 5,
        "images.min_crawled_bytes": 5000,
        "scores.similarity_b32": 0.28,
    },
    # DataComp: more than 5 characters and more than 2 words.
    "datacomp": {
        "language": "en",
        "captions.min_characters": 6,
        "captions.min_words": 3,
        "images.min_side": 200,
        "images.max_aspect": 3.0,
    },
    "captions": {
        "language": "any",
        "captions.min_characters": 5,
        "captions.max_characters": 1000,
        "images.min_side": 64,
        "images.max_aspect": 3.0,
        "images.min_crawled_bytes": 5000,
    },
}

# Near duplicates, sets of images, and from how many occurrences in a domain a paragraph goes.
DUPLICATES = {
    "kosmos1": (False, False, 0),
    "openm3w": (False, False, 0),
    "m3w": (False, False, 0),
    "mmc4": (False, False, 0),
    "mmc4-core": (False, False, 0),
    "obelics": (True, True, 3),
    "mint1t": (True, False, 0),
    "omnicorpus": (True, False, 0),
}


@pytest.mark.parametrize("name", profile_names(None))
def test_the_numbers_are_the_published_ones(name):
    found = bounds(name)
    assert {key: found.get(key) for key in NUMBERS[name]} == NUMBERS[name]


@pytest.mark.parametrize("name", profile_names())
def test_the_rules_on_text_are_the_published_ones(name):
    """All of them and no others; lists of words and marks have tests of their own."""
    found = {
        key.removeprefix("quality."): value
        for key, value in bounds(name).items()
        if key.startswith("quality.") and not isinstance(value, list)
    }
    assert found == QUALITY[name]


@pytest.mark.parametrize("name", profile_names())
def test_what_a_corpus_holds_too_often_is_dropped_as_published(name):
    found = bounds(name)
    keys = ("near", "image_sets", "drop_paragraphs_from")
    assert tuple(found[f"duplicates.{key}"] for key in keys) == DUPLICATES[name]


def test_only_mmc4_and_omnicorpus_bound_a_score_on_clip():
    bounded = {name for name in profile_names() if "safety.max_nsfw.clip" in bounds(name)}
    assert bounded == {"mmc4", "mmc4-core", "omnicorpus"}
