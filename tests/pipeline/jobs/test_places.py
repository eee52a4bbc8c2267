import pytest

from openm3w.pipeline.jobs.places import choose


def decoded(name, width=100, reason=""):
    outcome = "dropped" if reason else "kept"
    return {"outcome": outcome, "reason": reason, "sha256": name, "original_width": width}


def absent(reason, outcome="dropped"):
    return {"outcome": outcome, "reason": reason, "sha256": None, "original_width": None}


@pytest.mark.parametrize(
    ("candidates", "chosen"),
    [
        ([(0, decoded("a"))], decoded("a")),
        ([(1, decoded("b")), (0, decoded("a"))], decoded("a")),
        ([(0, decoded("a", 320)), (1, decoded("b", 640))], decoded("a", 320)),
        ([(0, absent("not_in_archive")), (1, decoded("b"))], decoded("b")),
        (
            [
                (0, absent("not_in_archive")),
                (1, decoded("b", 320)),
                (2, decoded("c", 640)),
                (3, decoded("the same size later", 640)),
            ],
            decoded("c", 640),
        ),
        (
            [(1, absent("too_large")), (0, absent("undecodable", "failed"))],
            absent("undecodable", "failed"),
        ),
        # What the floor drops was there all the same: another floor must not change the choice.
        (
            [(0, decoded("a", 63, "too_small")), (1, decoded("b", 640))],
            decoded("a", 63, "too_small"),
        ),
        (
            [
                (0, absent("not_in_archive")),
                (1, decoded("b", 320)),
                (2, decoded("c", 30_000, "too_large_side")),
            ],
            decoded("c", 30_000, "too_large_side"),
        ),
    ],
)
def test_the_preferred_candidate_serves_an_image_or_else_the_largest_decoded(candidates, chosen):
    assert choose(candidates) == chosen
