from collections import defaultdict
from heapq import heappop, heappush
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openm3w.pipeline.fetch.queues import HostQueues


def filled(items, *, per_domain=2, rate=0.0, **kwargs):
    """Queues that hold `a1`, `a2`, `b1` ... of the domains `a`, `b` ..."""
    queues = HostQueues(per_domain=per_domain, rate=rate, **kwargs)
    for item in items.split():
        queues.add(item[0], item)
    return queues


def popped(queues, now=0.0, number=99):
    found = [queues.pop(now) for _ in range(number)]
    return [item for item in found if item is not None]


def test_domains_take_turns():
    queues = filled("a1 a2 a3 b1 b2 c1", per_domain=9)
    assert popped(queues) == ["a1", "b1", "c1", "a2", "b2", "a3"]
    assert len(queues) == 0


def test_a_domain_with_many_items_slows_no_other():
    queues = HostQueues(per_domain=2, rate=4.0)
    for number in range(10_000):
        queues.add("big", number)
    queues.add("small", "x")
    assert popped(queues, number=2) == [0, "x"]


def test_who_is_ready_for_longest_is_next_and_newcomers_stand_behind():
    queues = filled("a1 a2", per_domain=9, rate=1.0)
    assert popped(queues, 0.0) == ["a1"]
    queues.pop(5.0)  # a2; the time is now known to be 5
    queues.add("a", "a3")
    assert queues.pop(6.5) == "a3"
    queues.add("a", "a4")  # ready at 7.5
    assert queues.pop(7.0) is None
    queues.add("b", "b1")  # ready at 7
    queues.done("a", 8.0)
    queues.add("c", "c1")  # ready at 8
    assert popped(queues, 9.0) == ["b1", "a4", "c1"]


def test_adding_to_a_domain_does_not_take_its_place_away():
    queues = filled("a1 b1", per_domain=9)
    assert queues.pop(1.0) == "a1"
    queues.add("a", "a2")  # behind b
    queues.add("b", "b2")
    queues.add("b", "b3")
    assert popped(queues, 2.0, 2) == ["b1", "a2"]


def test_a_domain_never_has_more_under_way_than_it_may():
    queues = filled("a1 a2 a3 b1")
    assert popped(queues) == ["a1", "b1", "a2"]
    assert queues.next_time() is None  # only those under way
    queues.done("a", 7.0)
    assert queues.next_time() == 7.0
    assert popped(queues, 7.0) == ["a3"]


def test_starts_of_a_domain_are_apart():
    queues = filled("a1 a2 a3", rate=4.0)
    assert popped(queues, 10.0) == ["a1"]
    assert queues.next_time() == 10.25
    assert queues.pop(10.24) is None
    assert queues.pop(10.25) == "a2"


def test_a_delay_of_its_own_counts_from_the_last_start():
    queues = filled("a1 a2 a3 b1 b2", rate=4.0)
    popped(queues, 10.0)
    queues.set_delay("a", 3.0)
    assert queues.next_time() == 10.25  # of b
    assert popped(queues, 12.9) == ["b2"]
    assert popped(queues, 13.0) == ["a2"]
    queues.set_delay("a", 0.0)
    queues.done("a", 13.0)
    assert queues.next_time() == 13.25  # the rate stays


@pytest.mark.parametrize(("requests", "ready"), [(1, 10.25), (2, 10.5), (4, 11.0)])
def test_a_domain_rests_for_every_request_that_an_item_cost(requests, ready):
    queues = filled("a1 a2 a3 b1", rate=4.0)
    assert popped(queues, 10.0) == ["a1", "b1"]
    queues.done("a", 10.1, requests=requests)
    assert queues.next_time() == ready
    assert queues.pop(ready - 0.01) is None
    assert queues.pop(ready) == "a2"
    queues.done("a", ready)
    assert queues.next_time() == ready + 0.25  # it is paid


def test_requests_of_one_item_hold_a_domain_whose_next_item_is_under_way():
    queues = filled("a1 a2 a3", rate=4.0)
    queues.pop(10.0)
    assert queues.pop(10.25) == "a2"
    queues.done("a", 10.3, requests=4)
    assert queues.next_time() == 11.25


def test_a_host_that_is_known_as_dead_costs_no_turn_and_is_counted():
    queues = HostQueues(per_domain=2, rate=4.0, broken_after=2)
    for number in range(3):
        queues.add("a", number, host="h")
    queues.pop(10.0)
    assert not queues.skip("a", 10.0, started=10.0, host="h", unreachable=True)
    assert queues.pop(10.0) == 1
    assert queues.skip("a", 10.0, started=10.0, host="h", unreachable=True)
    assert queues.drain("a", "h") == [2]


def test_a_pause_holds_the_domain():
    queues = filled("a1 a2 b1", per_domain=1)
    assert popped(queues, 10.0) == ["a1", "b1"]
    queues.done("a", 11.0, pause=60.0)
    assert queues.next_time() == 71.0
    assert queues.pop(70.9) is None
    assert queues.pop(71.0) == "a2"


def test_a_shorter_pause_does_not_end_a_longer_one():
    queues = filled("a1 a2 a3", per_domain=2)
    assert popped(queues, 10.0) == ["a1", "a2"]
    queues.done("a", 11.0, pause=60.0)
    queues.done("a", 12.0)
    assert queues.next_time() == 71.0


def test_a_requeued_item_waits_for_its_time_and_others_pass():
    queues = filled("a1 a2", per_domain=1)
    assert popped(queues, 10.0) == ["a1"]
    queues.requeue("a", "a1 again", 15.0)
    queues.done("a", 10.0)
    assert popped(queues, 10.0) == ["a2"]
    queues.done("a", 11.0)
    assert queues.next_time() == 15.0
    queues.add("a", "a3")
    assert queues.next_time() == 11.0
    assert popped(queues, 16.0) == ["a1 again"]  # first of those whose time has come
    queues.done("a", 16.0)
    assert popped(queues, 16.0) == ["a3"]


def test_a_skipped_item_does_not_count_as_a_start():
    queues = filled("a1 a2 a3 a4", rate=1.0)
    assert queues.pop(10.0) == "a1"
    assert queues.pop(11.0) == "a2"
    queues.skip("a", 11.0, started=11.0)
    assert queues.pop(11.0) == "a3"  # a second after a1
    queues.skip("a", 11.5, started=10.0)  # a1; a3 started since
    assert queues.next_time() == 12.0


def test_a_delay_that_is_told_late_counts_from_the_last_start_that_was_not_taken_back():
    queues = filled("a1 a2 a3 a4", per_domain=3, rate=1.0)
    assert [queues.pop(now) for now in (10.0, 11.0, 12.0)] == ["a1", "a2", "a3"]
    queues.set_delay("a", 60.0)
    queues.skip("a", 12.0, started=12.0)
    queues.skip("a", 12.0, started=11.0)
    assert queues.next_time() == 70.0


def test_a_site_that_disallows_everything_costs_no_time():
    queues = HostQueues(per_domain=2, rate=4.0)
    for number in range(1000):
        queues.add("a", number)
    for number in range(1000):
        assert queues.pop(10.0) == number
        queues.skip("a", 10.0, started=10.0)
    assert queues.next_time() is None


@pytest.mark.parametrize("end", ["done", "skip"])
def test_ending_what_is_not_under_way_is_a_mistake_that_is_told(end):
    queues = filled("a1")
    kwargs = {"started": 0.0} if end == "skip" else {}
    with pytest.raises(ValueError, match="a: nothing is under way"):
        getattr(queues, end)("a", 0.0, **kwargs)
    queues.pop(0.0)
    getattr(queues, end)("a", 0.0, **kwargs)
    with pytest.raises(ValueError, match="a: nothing is under way"):
        getattr(queues, end)("a", 0.0, **kwargs)


@pytest.mark.parametrize(
    "wrong",
    [
        {"per_domain": 0},
        {"per_domain": 1, "rate": -1.0},
        {"per_domain": 1, "rate": float("nan")},
        {"per_domain": 1, "broken_after": 0},
    ],
)
def test_bounds_that_are_none_are_refused(wrong):
    with pytest.raises(ValueError, match="at least"):
        HostQueues(**wrong)


# --- dead hosts ---


def fail(queues, domain, number, **kwargs):
    """What `done` says to faults in a row."""
    found = []
    for _ in range(number):
        assert queues.pop(0.0) is not None
        found.append(queues.done(domain, 0.0, unreachable=True, **kwargs))
    return found


def test_after_faults_in_a_row_the_rest_is_given_back():
    queues = filled(" ".join(f"a{number}" for number in range(15)), broken_after=10)
    queues.requeue("a", "later", 99.0)
    assert fail(queues, "a", 10) == [False] * 9 + [True]
    assert queues.is_broken("a")
    assert queues.drain("a") == ["a10", "a11", "a12", "a13", "a14", "later"]
    assert len(queues) == 0
    assert queues.next_time() is None
    assert queues.drain("a") == []


def test_an_answer_in_between_begins_the_count_anew():
    queues = filled(" ".join(f"a{number}" for number in range(30)), broken_after=10)
    assert not any(fail(queues, "a", 9))
    queues.pop(0.0)
    assert not queues.done("a", 0.0)
    assert fail(queues, "a", 10) == [False] * 9 + [True]


def test_a_skipped_item_is_no_answer():
    queues = filled("a1 a2 a3 a4", broken_after=2)
    assert fail(queues, "a", 1) == [False]
    queues.pop(0.0)
    queues.skip("a", 0.0, started=0.0)
    assert fail(queues, "a", 1) == [True]


def test_a_dead_host_is_tried_again_if_more_comes_and_is_alive_when_it_answers():
    queues = filled("a1 a2 a3 a4", broken_after=2)
    assert fail(queues, "a", 2) == [False, True]
    queues.drain("a")
    queues.add("a", "a5")
    assert fail(queues, "a", 1) == [True]
    queues.add("a", "a6")
    queues.pop(0.0)
    assert not queues.done("a", 0.0)
    assert not queues.is_broken("a")


def test_a_dead_host_takes_no_other_of_its_domain_with_it():
    queues = HostQueues(per_domain=2, broken_after=2)
    for number in range(4):
        queues.add("cdn", f"dead{number}", host="dead.cdn")
        queues.add("cdn", f"live{number}", host="live.cdn")
    queues.requeue("cdn", "dead later", 9.0, host="dead.cdn")
    queues.requeue("cdn", "live later", 9.0, host="live.cdn")
    broken = []
    for _ in range(4):
        item = queues.pop(0.0)
        host = f"{item[:4]}.cdn"
        broken.append(queues.done("cdn", 0.0, host=host, unreachable=host == "dead.cdn"))
    assert broken == [False, False, True, False]  # the answers of the other are none of it
    assert queues.drain("cdn", "dead.cdn") == ["dead2", "dead3", "dead later"]
    assert popped(queues, 0.0) == ["live2", "live3"]
    queues.done("cdn", 0.0, host="live.cdn")
    assert popped(queues, 9.0) == ["live later"]


def test_what_is_under_way_is_not_given_back():
    queues = filled("a1 a2 a3", broken_after=1)
    assert popped(queues) == ["a1", "a2"]
    assert queues.done("a", 0.0, unreachable=True)
    assert queues.drain("a") == ["a3"]
    assert queues.done("a", 0.0, unreachable=True)


def test_a_domain_that_is_not_known_has_nothing_to_give_back():
    assert filled("a1").drain("b") == []


# --- memory ---


def test_domains_with_nothing_to_do_are_forgotten_when_their_pause_is_over():
    queues = HostQueues(per_domain=1, rate=0.5)
    for number in range(1000):
        queues.add(str(number), number)
        assert queues.pop(10.0) == number
        queues.done(str(number), 10.0)
    queues.pop(11.9)
    assert queues.domains == 1000
    queues.add("7", "again")
    assert queues.pop(11.9) is None  # two seconds after its last
    queues.pop(12.0)
    assert queues.domains == 1  # the one under way


def test_a_delay_and_a_dead_host_are_not_forgotten():
    queues = filled("a1 b1 c1", broken_after=1)
    queues.set_delay("a", 5.0)
    popped(queues, 0.0)
    queues.done("a", 0.0)
    queues.done("b", 0.0, unreachable=True)
    queues.done("c", 0.0)
    queues.pop(100.0)
    assert queues.domains == 2
    assert queues.is_broken("b")
    queues.add("a", "a2")
    queues.add("a", "a3")
    assert popped(queues, 100.0) == ["a2"]
    assert queues.next_time() == 105.0


# --- any course of events ---


class Course:
    """A run over items of which each says what becomes of it, and a model beside the queues."""

    def __init__(self, items, delays, *, per_domain, rate, broken_after):
        self.items = items
        self.queues = HostQueues(per_domain=per_domain, rate=rate, broken_after=broken_after)
        self.per_domain = per_domain
        self.gaps = {name: max(1 / rate if rate else 0.0, delays.get(name, 0.0)) for name in "abcd"}
        self.now = 0.0
        self.running = []
        self.starts = defaultdict(list)
        self.paused = defaultdict(lambda: -inf)
        self.not_before = dict.fromkeys(range(len(items)), -inf)
        self.waiting = set(self.not_before)
        self.again = set()
        self.ended = []
        for domain, delay in delays.items():
            self.queues.set_delay(domain, delay)
        for item, (domain, host, _, _) in enumerate(items):
            self.queues.add(domain, item, host=host)

    def may_start(self, item):
        domain = self.items[item][0]
        under_way = sum(self.items[other][0] == domain for _, other, _ in self.running)
        last = max(self.starts[domain], default=-inf)
        rested = max(last + self.gaps[domain], self.paused[domain], self.not_before[item])
        return under_way < self.per_domain and rested <= self.now

    def run(self):
        while self.waiting or self.running:
            item = self.queues.pop(self.now)
            if item is None:
                assert not any(map(self.may_start, self.waiting))
                self.go_on()
                continue
            assert item in self.waiting
            assert self.may_start(item)
            self.waiting.remove(item)
            domain, _, _, seconds = self.items[item]
            self.starts[domain].append(self.now)
            heappush(self.running, (self.now + seconds, item, self.now))

    def go_on(self):
        """To the next time at which something happens."""
        due = self.queues.next_time()
        assert due is None or due > self.now
        ends = self.running[0][0] if self.running else inf
        self.now = max(self.now, min(ends, inf if due is None else due))
        assert self.now < inf
        if ends <= self.now:
            self.end(*heappop(self.running)[1:])

    def end(self, item, started):
        domain, host, what, seconds = self.items[item]
        if what == "again" and item not in self.again:
            self.again.add(item)
            self.waiting.add(item)
            self.not_before[item] = self.now + seconds
            self.queues.requeue(domain, item, self.now + seconds, host=host)
            self.queues.done(domain, self.now, host=host)
            return
        self.ended.append(item)
        if what == "skip":
            self.starts[domain].remove(started)
            self.queues.skip(domain, self.now, started=started)
            return
        pause = seconds if what == "pause" else 0.0
        self.paused[domain] = max(self.paused[domain], self.now + pause)
        dead = what == "unreachable"
        if self.queues.done(domain, self.now, pause=pause, host=host, unreachable=dead):
            given = self.queues.drain(domain, host)
            self.ended.extend(given)
            self.waiting.difference_update(given)


courses = st.lists(
    st.tuples(
        st.sampled_from("abcd"),  # domain
        st.sampled_from(["0", "1"]),  # host
        st.sampled_from(["done", "done", "skip", "pause", "again", "unreachable"]),
        st.floats(0.0, 3.0),  # seconds under way, of the pause, and until the next attempt
    ),
    min_size=1,
    max_size=60,
)


@settings(max_examples=200)
@given(
    courses,
    st.dictionaries(st.sampled_from("abcd"), st.floats(0.0, 2.0)),
    st.integers(1, 3),
    st.sampled_from([0.0, 1.0, 4.0]),
    st.integers(1, 4),
)
def test_in_any_course_bounds_hold_nobody_waits_in_vain_and_nothing_is_lost_or_doubled(
    items, delays, per_domain, rate, broken_after
):
    course = Course(items, delays, per_domain=per_domain, rate=rate, broken_after=broken_after)
    course.run()
    assert sorted(course.ended) == list(range(len(items)))
    assert len(course.queues) == 0
    assert course.queues.next_time() is None
