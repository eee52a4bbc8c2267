import pytest

from openm3w.errors import RecipeError
from openm3w.filters.duplicates import Contamination, ImageSet, NearDuplicate, PerDomain
from openm3w.filters.floor import floor
from openm3w.filters.limits import judge
from openm3w.filters.profiles import Profile, load_profile
from openm3w.filters.rules.duplicates import DuplicateRules
from openm3w.shards.document import Document

BOUNDS = [
    (NearDuplicate(), "near_duplicate", 0, 1, "near_duplicate"),
    (ImageSet(), "image_set_rank", 0, 1, "same_images"),
    (PerDomain(max_documents=1), "domain_rank", 0, 1, "beyond_domain_cap"),
    (PerDomain(max_documents=100), "domain_rank", 99, 100, "beyond_domain_cap"),
    (Contamination(), "contamination", 0, 0.0001, "contaminated"),
    (Contamination(max_share=0.5), "contamination", 0.5, 0.5001, "contaminated"),
]


@pytest.mark.parametrize(("rule", "score", "inside", "outside", "reason"), BOUNDS, ids=str)
def test_both_sides_of_each_bound(rule, score, inside, outside, reason):
    for scores, expected in (({score: inside}, None), ({score: outside}, reason), ({}, None)):
        document = Document(doc_id="d", scores=scores)
        assert rule.keep(document).reason == expected
        assert judge(rule.limits(), rule.measure(document)) == rule.keep(document)


@pytest.mark.parametrize(
    ("rules", "names"),
    [
        ({}, []),
        ({"near": True}, ["near_duplicate"]),
        ({"image_sets": True}, ["image_set"]),
        ({"max_per_domain": 5}, ["per_domain"]),
        ({"max_contamination": 0.99}, ["contamination"]),
        ({"drop_paragraphs_from": 3}, []),
    ],
)
def test_rules_are_on_where_a_profile_says_so(rules, names):
    assert [rule.name for rule in DuplicateRules(**rules).filters()] == names
    on = {rule.name for rule in Profile(duplicates=DuplicateRules(**rules)).page_filters()}
    assert on - {rule.name for rule in Profile().page_filters()} == set(names)


def test_paragraphs_are_too_frequent_from_the_bound_on():
    occurrences = {0: 2, 4: 3, 7: 40}

    assert DuplicateRules().too_frequent(occurrences) == frozenset()
    assert DuplicateRules(drop_paragraphs_from=2).too_frequent(occurrences) == {0, 4, 7}
    assert DuplicateRules(drop_paragraphs_from=3).too_frequent(occurrences) == {4, 7}
    assert DuplicateRules(drop_paragraphs_from=4).too_frequent(occurrences) == {7}


@pytest.mark.parametrize(
    ("field", "right", "wrong"),
    [
        ("max_per_domain", (0, 1, 10_000), (-1, 10_001)),
        ("drop_paragraphs_from", (0, 2, 3), (-1, 1)),
        ("max_contamination", (0, 1), (-0.1, 1.1)),
    ],
)
def test_bounds_of_the_rules(field, right, wrong):
    for value in right:
        DuplicateRules(**{field: value})
    for value in wrong:
        with pytest.raises(RecipeError, match=rf"duplicates: {field} is {value}, expected"):
            load_profile("m3w", [f"duplicates.{field}={value}"])


@pytest.mark.parametrize(("make", "value"), [(PerDomain, 0), (PerDomain, 10_001)])
def test_a_cap_that_the_job_cannot_tell_is_refused(make, value):
    with pytest.raises(ValueError, match=f"max_documents is {value}"):
        make(max_documents=value)


def test_the_floor_drops_near_duplicates_where_every_profile_does():
    near, plain = Profile(duplicates=DuplicateRules(near=True)), Profile()

    assert floor([near]).near_duplicates
    assert not floor([near, plain]).near_duplicates
