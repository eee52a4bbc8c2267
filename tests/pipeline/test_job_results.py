import pytest

from openm3w.errors import InputError
from openm3w.pipeline import claims, job_results
from openm3w.shards.funnel import Stage


def stage(entered, failed):
    return Stage(
        job="images",
        unit="images",
        entered=entered,
        kept=entered - failed,
        failed={"undecodable": failed},
    )


@pytest.mark.parametrize(
    ("entered", "failed", "ends"), [(100, 10, False), (100, 11, True), (99, 99, False)]
)
def test_a_build_ends_where_more_than_the_share_failed(entered, failed, ends):
    if not ends:
        job_results.check_failures([stage(entered, failed)], 0.1)
        return
    with pytest.raises(InputError, match="11% of 100 images failed"):
        job_results.check_failures([stage(entered, failed)], 0.1)


def test_the_seconds_of_another_build_in_the_same_store_are_forgotten(tmp_path):
    claims.claim(tmp_path / "one", tmp_path / "work", {"fingerprint": "1"})
    with job_results.timed(tmp_path / "work", "images"):
        pass

    claims.claim(tmp_path / "one", tmp_path / "work", {"fingerprint": "1"})
    assert list(job_results.seconds_by_job(tmp_path / "work")) == ["images"]
    claims.claim(tmp_path / "two", tmp_path / "work", {"fingerprint": "2"})
    assert job_results.seconds_by_job(tmp_path / "work") == {}
