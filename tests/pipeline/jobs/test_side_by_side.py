"""Lists of units that are worked on at a time: nothing waits for another list, nothing is lost."""

import threading
from typing import NamedTuple

import pytest

from openm3w.pipeline.jobs.side_by_side import SideBySide


class Unit(NamedTuple):
    name: str


def units(*names):
    return [Unit(name) for name in names]


def run(commit, lists, at_once=3):
    """The names that a bundle of lists gives, in their order."""
    side_by_side = SideBySide(commit, at_once=at_once)
    side_by_side.start_bundle()
    given = [name for each in lists for name in side_by_side.process(each)]
    return given + [windowed.value for windowed in side_by_side.finish_bundle()]


@pytest.mark.parametrize("number", [0, 1, 3, 4, 20])
def test_every_unit_is_committed_once_and_each_list_in_its_order(number):
    committed = []
    lists = [units(f"{at}a", f"{at}b") for at in range(number)]
    named = run(lambda unit: committed.append(unit.name), lists)
    assert sorted(named) == sorted(committed) == sorted(u.name for each in lists for u in each)
    for at in range(number):
        assert committed.index(f"{at}a") < committed.index(f"{at}b")
        assert named.index(f"{at}a") + 1 == named.index(f"{at}b")


def test_a_list_that_waits_holds_no_other_up_and_no_more_than_so_many_are_open():
    release, seen, lock = threading.Event(), [], threading.Lock()
    opened = most = 0

    def commit(unit):
        nonlocal opened, most
        with lock:
            opened += 1
            most = max(most, opened)
        if unit.name == "slow":
            assert release.wait(60)
        with lock:
            opened -= 1
            seen.append(unit.name)
            if len(seen) == 9:
                release.set()

    named = run(commit, [units("slow"), *(units(str(at)) for at in range(9))])
    assert seen[-1] == named[-1] == "slow"
    assert 1 < most <= 3


def test_a_failure_is_raised_and_ends_the_lists_beside_it():
    begun, failed = threading.Event(), threading.Event()
    committed = []

    def commit(unit):
        if unit.name == "bad":
            assert begun.wait(60)
            raise ValueError("of ours")
        begun.set()
        assert failed.wait(60)
        committed.append(unit.name)

    side_by_side = SideBySide(commit, at_once=2)
    side_by_side.start_bundle()
    assert not list(side_by_side.process(units("first", "never")))
    assert not list(side_by_side.process(units("bad")))
    with pytest.raises(ValueError, match="of ours"):
        list(side_by_side.finish_bundle())
    failed.set()
    for thread in threading.enumerate():
        if thread.name == "units from first":
            thread.join()
    assert committed == ["first"]
