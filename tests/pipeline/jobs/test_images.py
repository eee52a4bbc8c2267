import pytest

from openm3w.pipeline.jobs.images import choose


def row(outcome, reason="", width=100):
    return {"outcome": outcome, "reason": reason, "original_width": width}


@pytest.mark.parametrize(
    ("candidates", "chosen"),
    [
        ([(0, row("kept"))], row("kept")),
        ([(1, row("kept", "second")), (0, row("kept", "first"))], row("kept", "first")),
        ([(0, row("kept", width=320)), (1, row("kept", width=640))], row("kept", width=320)),
        ([(0, row("dropped", "not_in_archive")), (1, row("kept"))], row("kept")),
        (
            [
                (0, row("dropped", "not_in_archive")),
                (1, row("kept", width=320)),
                (2, row("kept", width=640)),
                (3, row("kept", "the same size later", width=640)),
            ],
            row("kept", width=640),
        ),
        (
            [(1, row("dropped", "too_small")), (0, row("failed", "undecodable"))],
            row("failed", "undecodable"),
        ),
    ],
)
def test_the_preferred_candidate_serves_an_image_or_else_the_largest_kept(candidates, chosen):
    assert choose(candidates) == chosen
