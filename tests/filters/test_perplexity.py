import dataclasses
import math

import pytest

from openm3w.errors import RecipeError
from openm3w.filters.limits import judge
from openm3w.filters.perplexity import Perplexity
from openm3w.filters.profiles import load_profile
from openm3w.filters.rules.perplexity import PerplexityRules


@pytest.mark.parametrize(
    ("scores", "reason"),
    [
        # OBELICS: at most 1,500.
        ({"perplexity": 1500.0}, None),
        ({"perplexity": 1500.1}, "high_perplexity"),
        ({"perplexity": 1.0}, None),
        ({"perplexity": math.nan}, "no_score"),
        ({}, "no_score"),
    ],
)
def test_the_bound_is_inclusive(scores, reason, document):
    rule, page = Perplexity(), dataclasses.replace(document("text"), scores=scores)
    assert rule.keep(page).reason == reason
    assert judge(rule.limits(), rule.measure(page)).reason == reason


def test_a_bound_is_taken_for_its_model():
    rules = PerplexityRules(enabled=True, bounds={"SmolLM2-135M": 60.0, "gpt2": 90.0})
    assert rules.bound_to("SmolLM2-135M-Instruct.Q4_1.gguf").filters() == (
        Perplexity(max_perplexity=60.0),
    )
    assert rules.bound_to("gpt2").filters() == (Perplexity(max_perplexity=90.0),)
    with pytest.raises(RecipeError, match="has 2 models"):
        rules.filters()


def test_a_model_without_a_bound_is_refused_with_what_to_set():
    rules = PerplexityRules(enabled=True, bounds={"gpt2": 90.0})
    with pytest.raises(RecipeError, match=r"language model 'opt-125m' .*set perplexity\.bounds\."):
        rules.bound_to("opt-125m")


def test_rules_that_are_off_ask_for_nothing():
    rules = PerplexityRules(bounds={"gpt2": 90.0, "opt": 9.0})
    assert rules.bound_to("unknown").filters() == ()


def test_a_profile_judges_the_page():
    profile = load_profile("m3w", ["perplexity.enabled=true", "perplexity.bounds.gpt2=90"])
    assert Perplexity(max_perplexity=90.0) in profile.page_filters()
    with pytest.raises(RecipeError, match="max_perplexity is 0"):
        load_profile("m3w", ["perplexity.bounds.gpt2=0"])
