"""One rate for several processes: no second above it, attained together, in turn, whoever dies and whatever is torn."""

import heapq
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import ceil, inf, nextafter
from random import Random

import pytest
from executor.rate.test_auto_rate import KINDS, World
from executor.rate.test_fixed_rate import busiest_second
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.executor.rate.shared_pacer import SharedPacer


@dataclass
class Drawer:
    """A place in memory; another process may just have its hands in it."""

    random: Random
    busy: float = 0.0
    content: bytes = b""

    def exchange(self, act: Callable[[bytes], bytes]) -> bool:
        if self.random.random() < self.busy:
            return False
        self.content = act(self.content)
        return True

    def due(self, now_s: float, rate: float | None) -> float:  # noqa: ARG002  # nobody else has it
        return 0.0

    def took(self, *, waited: bool) -> None:
        pass

    def close(self) -> None:
        pass


@dataclass
class Process:
    """One that always has somebody waiting.

    Attributes:
        dies_at: in the middle of something, and tells nobody.
        late_s: how late it wakes up at most.
        pause_s: how long nobody waits after a call, on average.
    """

    pacer: SharedPacer
    begins_at: float = 0.0
    dies_at: float = inf
    late_s: float = 0.0
    pause_s: float = 0.0
    sent: list[float] = field(default_factory=list)


def play(processes: Sequence[Process], until_s: float, random: Random, tear: Callable[[], None] = lambda: None) -> None:
    """Let them all send as much as they may. `tear` is called at each death."""
    due = [(process.begins_at, number) for number, process in enumerate(processes)]
    heapq.heapify(due)
    while due:
        now_s, number = heapq.heappop(due)
        process = processes[number]
        if now_s >= process.dies_at:
            tear()
        elif now_s < until_s:
            delay_s = process.pacer.claim(now_s, waited=True)
            if delay_s == 0:
                process.sent.append(now_s)
                delay_s = random.expovariate(1 / process.pause_s) if process.pause_s else 0.0
            again_s = max(now_s + delay_s, nextafter(now_s, inf)) + random.uniform(0, process.late_s)
            heapq.heappush(due, (again_s, number))


def all_sent(processes: Sequence[Process]) -> list[float]:
    return sorted(instant for process in processes for instant in process.sent)


def pacers(drawer: Drawer, *rates: float | None) -> list[SharedPacer]:
    return [SharedPacer(drawer, f"process {number}", rate) for number, rate in enumerate(rates)]


RATES = st.sampled_from([0.5, 1.0, 2.0, 5.0, 20.0, 50.0])


@settings(deadline=None, max_examples=40)
@given(rate=RATES, number=st.integers(2, 5), busy=st.sampled_from([0.0, 0.2]), seed=st.integers(0, 10_000))
def test_together_never_above_the_rate_and_nine_tenths_of_it(rate: float, number: int, busy: float, seed: int) -> None:
    random = Random(seed)
    drawer = Drawer(random, busy)
    together = [Process(pacer, late_s=0.1 / rate) for pacer in pacers(drawer, *[rate] * number)]
    lasts_s = 10 + 20 / rate
    play(together, lasts_s, random)
    sent = all_sent(together)
    assert busiest_second(sent) <= max(1, ceil(rate))
    assert len(sent) >= 0.9 * rate * lasts_s - 1


@settings(deadline=None, max_examples=40)
@given(
    rate=RATES,
    lives=st.lists(st.tuples(st.floats(0, 20), st.floats(0, 10)), min_size=1, max_size=6),
    torn=st.sampled_from(["no", "cut", "garbage", "gone"]),
    seed=st.integers(0, 10_000),
)
def test_whoever_dies_and_whatever_is_torn_no_second_is_above_the_rate(
    rate: float, lives: list[tuple[float, float]], torn: str, seed: int
) -> None:
    random = Random(seed)
    drawer = Drawer(random)

    def tear() -> None:
        if torn != "no":
            drawer.content = {"cut": drawer.content[: len(drawer.content) // 2], "garbage": b"{}", "gone": b"\0"}[torn]

    lines = pacers(drawer, *[rate] * (len(lives) + 1))
    mortals = [
        Process(pacer, begins_at=begins_at, dies_at=begins_at + lasts_s)
        for pacer, (begins_at, lasts_s) in zip(lines[1:], lives, strict=True)
    ]
    everybody = [Process(lines[0]), *mortals]
    play(everybody, 30, random, tear)
    sent = all_sent(everybody)
    assert busiest_second(sent) <= max(1, ceil(rate))
    lost_s = 0 if torn == "no" else (1 / min(1, rate) + 1) * len(lives)
    assert len(sent) >= 0.9 * rate * (30 - lost_s) - 1 - len(lives)


def test_a_dead_process_leaves_its_last_second_and_nothing_else() -> None:
    drawer, random = Drawer(Random(0)), Random(0)
    first, second = pacers(drawer, 10.0, 10.0)
    dead, heir = Process(first, dies_at=3.0), Process(second, begins_at=3.0)
    play([dead, heir], 6, random)
    assert len(dead.sent) == 30
    assert busiest_second(all_sent([dead, heir])) == 10
    assert len(heir.sent) >= 29


@pytest.mark.parametrize("rate", [2.0, 20.0])
def test_they_take_turns(rate: float) -> None:
    """Also when one wakes up later than the other each time."""
    drawer, random = Drawer(Random(0)), Random(0)
    quick, slow = (
        Process(pacer, late_s=late_s) for pacer, late_s in zip(pacers(drawer, rate, rate), (0, 0.01), strict=True)
    )
    play([quick, slow], 60, random)
    assert len(slow.sent) == pytest.approx(len(quick.sent), rel=0.1)


def test_the_lowest_of_those_who_use_it_holds() -> None:
    drawer, random = Drawer(Random(0)), Random(0)
    fast, careful = pacers(drawer, 20.0, 5.0)
    everybody = [Process(fast), Process(careful, begins_at=10.0, dies_at=20.0)]
    play(everybody, 40, random)
    sent = all_sent(everybody)
    assert busiest_second(sent) == 20
    assert busiest_second([instant for instant in sent if 11 <= instant < 20]) == 5
    assert busiest_second([*(at for at in everybody[0].sent if 10 <= at < 11), *everybody[1].sent[:1]]) <= 6
    assert fast.nominal == 20.0, "the other one was not seen for seconds"
    assert sum(instant >= 26 for instant in sent) >= 0.95 * 20 * 14


def test_a_number_of_one_process_holds_for_another_that_would_find_it_out() -> None:
    drawer, random = Drawer(Random(0)), Random(0)
    finds, knows = pacers(drawer, None, 3.0)
    everybody = [Process(finds), Process(knows, dies_at=10.0)]
    play(everybody, 10, random)
    assert busiest_second(all_sent(everybody)) == 3
    assert finds.learned is None
    play([everybody[0]], 30, random)
    assert finds.nominal == 1.0, "it begins to search when the other one is gone"


def test_a_pause_that_one_was_told_holds_for_all() -> None:
    drawer = Drawer(Random(0))
    told, other = pacers(drawer, 10.0, 10.0)
    assert told.claim(0.0, waited=False) == 0.0
    told.throttle(0.1, 30.0, sent_s=0.0)
    assert other.claim(0.2, waited=True) > 0
    assert other.held_until == 30.1
    assert other.claim(30.0, waited=True) > 0
    assert other.claim(30.2, waited=True) == 0.0
    assert told.rate == 10.0 / 2


def test_a_refusal_holds_at_once_also_while_the_place_is_busy() -> None:
    drawer = Drawer(Random(0))
    told, other = pacers(drawer, 10.0, 10.0)
    assert told.claim(0.0, waited=False) == 0.0
    drawer.busy = 1.0
    told.throttle(0.1, 30.0, sent_s=0.0)
    assert told.held_until == 30.1
    drawer.busy = 0.0
    assert told.claim(0.3, waited=True) > 0
    assert told.rate == 5.0, "it counts once"
    assert other.claim(0.2, waited=True) > 0
    assert other.held_until == 30.1


def test_who_leaves_binds_nobody() -> None:
    drawer = Drawer(Random(0))
    slow, fast = pacers(drawer, 1.0, 10.0)
    assert slow.claim(0.0, waited=False) == 0.0
    slow.leave(0.0)
    assert 0 < fast.claim(0.01, waited=True) <= 0.1
    assert fast.nominal == 10.0


@pytest.mark.parametrize("instant", [1e9, float("nan")])
def test_what_another_machine_or_start_left_is_not_believed(instant: float) -> None:
    drawer = Drawer(Random(0))
    before, now = pacers(drawer, 10.0, 10.0)
    assert before.claim(instant, waited=False) == 0.0
    assert 0 < now.claim(5.0, waited=False) <= 1.0
    assert now.claim(6.1, waited=False) == 0.0


class Several:
    """Several processes as one pacer."""

    def __init__(self, number: int, random: Random) -> None:
        self.random = random
        self.pacers = pacers(Drawer(random, 0.05), *[None] * number)
        self.owners: dict[float, SharedPacer] = {}
        self.calls: Counter[SharedPacer] = Counter()

    @property
    def rate(self) -> float:
        return max(pacer.rate for pacer in self.pacers)

    nominal = rate
    learned: float | None = None
    held_until = -inf

    def claim(self, now_s: float, *, waited: bool) -> float:
        delays = []
        for pacer in self.random.sample(self.pacers, len(self.pacers)):
            delays.append(pacer.claim(now_s, waited=waited))
            if delays[-1] == 0:
                self.owners[now_s] = pacer
                self.calls[pacer] += 1
                return 0.0
        return min(delays)

    def answered(self, sent_s: float, now_s: float, kind: str = "") -> None:
        self.owners[sent_s].answered(sent_s, now_s, kind)

    def throttle(self, now_s: float, wait_s: float, **said: object) -> None:
        self.owners[float(str(said["sent_s"]))].throttle(now_s, wait_s, **said)  # type: ignore[arg-type]  # as they came


@pytest.mark.parametrize("kind", KINDS)
def test_together_they_find_a_rate_as_one_process_does(kind: str) -> None:
    several = Several(3, Random(1))
    outcome = World(KINDS[kind](), "mixed", [(0, 6), (250, 12), (430, 4)]).play(several, 600)
    assert outcome.attained >= 0.88
    assert outcome.refused_share <= 1
    assert min(several.calls.values()) >= 0.9 * max(several.calls.values())


class Counted(Drawer):
    """Says how often it was opened."""

    opened = 0

    def exchange(self, act: Callable[[bytes], bytes]) -> bool:
        self.opened += 1
        return super().exchange(act)


def test_far_below_the_rate_a_place_is_opened_once_for_many_calls() -> None:
    drawer = Counted(Random(1))
    asks = Process(SharedPacer(drawer, "one", 100_000.0), pause_s=0.000_25)
    play([asks], 1.0, Random(1))
    assert drawer.opened < len(asks.sent) / 8


@settings(deadline=None, max_examples=60)
@given(
    rate=st.sampled_from([150.0, 300.0, 999.0]),
    shares=st.lists(st.floats(0.05, 2), min_size=1, max_size=3),
    begins=st.lists(st.floats(0, 1.5), min_size=3, max_size=3),
    late_s=st.sampled_from([0.0, 0.004, 0.03]),
    seed=st.integers(0, 10_000),
)
def test_slots_taken_ahead_bring_no_second_above_the_rate_and_are_missed_by_nobody(
    rate: float, shares: list[float], begins: list[float], late_s: float, seed: int
) -> None:
    drawer, random = Drawer(Random(seed)), Random(seed)
    asking = [
        Process(pacer, begins_at=begins_at, late_s=late_s, pause_s=1 / (share * rate))
        for pacer, share, begins_at in zip(pacers(drawer, *[rate] * len(shares)), shares, begins, strict=False)
    ]
    play(asking, 4.0, random)
    assert busiest_second(all_sent(asking)) <= ceil(rate)


def test_slots_taken_ahead_are_given_up_for_a_pause() -> None:
    pacer = SharedPacer(Drawer(Random(1)), "one", 10_000.0)
    instants = [0.001 * number for number in range(8)]
    assert [pacer.claim(now_s, waited=False) for now_s in instants] == [0.0] * 8
    pacer.throttle(0.008, 5.0)
    assert pacer.claim(0.008, waited=False) > 0
