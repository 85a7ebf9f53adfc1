"""Which target is next: one fixed order, waves of what is really sent, and nobody waits longer than he must."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from fakes.stage import targets_of
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from orchestrator.executor.decide.bench import EVENTS, Block, WaveDraw
from orchestrator.executor.decide.start_queue import StartQueue
from orchestrator.model.plan.target import Target

NOW = datetime(2026, 3, 1, tzinfo=UTC)
SCOPES = ("default",)


def free(_target: Target) -> Block | datetime | None:
    return None


def everyone(_target: Target) -> bool:
    return True


def queue_of(targets: Sequence[Target], *sizes: int | None) -> StartQueue:
    return StartQueue(targets, [WaveDraw(f"w{at}", size, everyone) for at, size in enumerate(sizes or (None,))])


def start(
    queue: StartQueue,
    wave: str = "w0",
    blocked: Callable[[Target], Block | datetime | None] = free,
    now: datetime = NOW,
    scopes: Sequence[str] = SCOPES,
) -> Target | None:
    target = queue.peek(wave, now, scopes=scopes, blocked=blocked)
    if target is not None:
        queue.take(target)
        queue.begin(target, wave)
    return target


def drain(queue: StartQueue, wave: str = "w0") -> list[Target]:
    drawn = []
    while (target := start(queue, wave)) is not None:
        drawn.append(target)
    return drawn


def test_what_keeps_a_whole_scope_back_is_found_out_with_one_target() -> None:
    """Of a million too: the loop stands still meanwhile."""
    targets = targets_of(500)
    queue = queue_of(targets)
    assert start(queue, blocked=lambda target: (EVENTS, target.scope)) is None
    assert queue.undrawn == 499
    assert queue.first_of(EVENTS) == [("default", targets[0])]
    queue.opened((EVENTS, "default"))
    assert drain(queue) == targets


def test_targets_come_in_their_order() -> None:
    targets = targets_of(20)
    assert drain(queue_of(targets)) == targets


def test_what_is_through_takes_no_room_among_the_reservations() -> None:
    targets = targets_of(20)
    queue = queue_of(targets)
    for target in drain(queue):
        queue.sent(target)
    assert not queue.starting_instances
    assert not queue.starting_scopes


def test_a_wave_draws_no_more_than_its_size_and_the_next_goes_on() -> None:
    targets = targets_of(10)
    queue = queue_of(targets, 3, None)
    assert drain(queue, "w0") == targets[:3]
    assert queue.exhausted("w0")
    assert drain(queue, "w1") == targets[3:]


def test_one_that_needs_nothing_is_replaced_by_the_next() -> None:
    targets = targets_of(10)
    queue = queue_of(targets, 3, None)
    first = start(queue)
    assert first is not None
    queue.left_out(first, "w0")
    assert drain(queue, "w0") == targets[1:4]


def test_what_comes_back_keeps_its_place() -> None:
    targets = targets_of(4)
    queue = queue_of(targets)
    first, second = start(queue), start(queue)
    assert first is not None
    assert second is not None
    queue.back(second)
    queue.back(first)
    assert drain(queue) == targets


def test_what_comes_back_later_is_passed_over_until_then() -> None:
    targets = targets_of(3)
    queue = queue_of(targets)
    first = start(queue)
    assert first is not None
    later = NOW + timedelta(minutes=1)
    queue.back(first, later)
    assert drain(queue) == targets[1:]
    assert queue.next_back() == (later, first)
    assert not queue.exhausted("w0")
    assert start(queue, now=later) == first


@pytest.mark.parametrize("waits", [None, NOW + timedelta(hours=1), ("instance", "a")])
def test_one_that_began_elsewhere_has_no_place_in_line(waits: Block | datetime | None) -> None:
    """Wherever it waited: it does not start, holds no wave up, and has one place when it comes back."""
    first, second = targets_of(2)
    queue = queue_of([first, second])
    assert start(queue, blocked=lambda target: waits if target == first else free(target)) == (
        second if waits else first
    )
    if waits is None:
        queue.back(first)
    queue.left(first)
    later = NOW + timedelta(hours=2)
    queue.opened(("instance", "a"))
    assert start(queue, now=later) == (None if waits else second)
    assert queue.exhausted("w0")
    queue.back(first)
    assert [start(queue, now=later), start(queue, now=later)] == [first, None]


def test_one_that_comes_back_before_its_void_place_is_met_has_that_place() -> None:
    first, second = targets_of(2)
    queue = queue_of([first, second])
    start(queue)
    queue.back(first)
    queue.left(first)
    queue.back(first)
    assert drain(queue) == [first, second]


def test_a_target_whose_window_is_closed_waits_for_its_opening() -> None:
    targets = targets_of(2)
    queue = queue_of(targets)
    opens = NOW + timedelta(hours=1)
    assert start(queue, blocked=lambda target: opens if target == targets[0] else None) == targets[1]
    assert (queue.next_back(), queue.next_opening()) == (None, (opens, targets[0]))
    assert start(queue, now=opens) == targets[0]


def test_a_scope_that_cannot_be_used_is_passed_over() -> None:
    targets = targets_of(6, scopes=("a", "b"))
    queue = queue_of(targets)
    drawn = [start(queue, scopes=["b"]) for _ in range(4)]
    assert drawn == [*(target for target in targets if target.scope == "b"), None]
    assert queue.waits_in("a")
    assert not queue.waits_in("b")


# --- limits -----------------------------------------------------------------------------------------------------------


def on_instances(queue: StartQueue, open_instances: set[str]) -> Callable[[Target], Block | datetime | None]:
    def blocked(target: Target) -> Block | None:
        taken = target.instance_id in open_instances or queue.starting_instances[target.instance_id]
        return ("instance", target.instance_id) if taken else None

    return blocked


def test_of_those_who_wait_for_a_slot_one_is_called_when_it_comes_free() -> None:
    targets = targets_of(3, per_instance=3)
    queue = queue_of(targets)
    taken: set[str] = set()
    blocked = on_instances(queue, taken)
    assert start(queue, blocked=blocked) == targets[0]
    assert start(queue, blocked=blocked) is None
    queue.sent(targets[0])
    taken.add(targets[0].instance_id)
    assert start(queue, blocked=blocked) is None
    taken.clear()
    queue.freed(targets[0])
    assert start(queue, blocked=blocked) == targets[1]
    assert start(queue, blocked=blocked) is None


def test_a_reservation_that_is_not_used_is_free_for_the_others() -> None:
    targets = targets_of(2, per_instance=2)
    queue = queue_of(targets)
    blocked = on_instances(queue, set())
    start(queue, blocked=blocked)
    assert start(queue, blocked=blocked) is None
    queue.back(targets[0], NOW + timedelta(hours=1))
    assert start(queue, blocked=blocked) == targets[1]


def test_who_is_called_but_kept_by_something_else_passes_the_call_on() -> None:
    """Both wait for the label; the first of them is then kept by its instance."""
    one, two, three = (replace(target, labels={"app": "x"}) for target in targets_of(3))
    queue = queue_of([one, two, three])
    label, instance = {"x"}, set[str]()

    def blocked(target: Target) -> Block | None:
        if "x" in label:
            return ("label app", "x")
        return ("instance", target.instance_id) if target.instance_id in instance else None

    assert start(queue, blocked=blocked) is None
    label.clear()
    instance.add(one.instance_id)
    queue.freed(replace(three, instance_id="elsewhere"))
    assert start(queue, blocked=blocked) == two


def test_a_label_shared_by_two_scopes_calls_one_of_each() -> None:
    targets = [replace(target, labels={"app": "x"}) for target in targets_of(4, scopes=("a", "b"))]
    queue = queue_of(targets)
    closed = True

    def blocked(_target: Target) -> Block | None:
        return ("label app", "x") if closed else None

    assert start(queue, blocked=blocked, scopes=["a", "b"]) is None
    closed = False
    queue.freed(replace(targets[0], instance_id="elsewhere"))
    assert start(queue, blocked=blocked, scopes=["b"]) == targets[1]


@pytest.mark.parametrize("shared", [True, False])
def test_a_thousand_times_more_targets_cost_a_thousand_times_more(shared: bool) -> None:
    """One label for all of them, and one slot: nothing is looked at again and again."""
    looked = 0

    def run(number: int) -> None:
        nonlocal looked
        label = {"app": "x"} if shared else {}
        targets = [replace(target, labels=label) for target in targets_of(number)]
        queue = queue_of(targets)

        def blocked(target: Target) -> Block | None:
            nonlocal looked
            looked += 1
            return ("label app", "x") if queue.starting_labels[("app", "x")] and target.labels else None

        for _ in targets:
            target = start(queue, blocked=blocked)
            assert target is not None
            assert not shared or start(queue, blocked=blocked) is None
            queue.settled(target)
        assert queue.exhausted("w0")

    run(3000)
    assert looked <= 4 * 3000


# --- taking up --------------------------------------------------------------------------------------------------------


@given(
    seed=st.integers(0, 10**6),
    sizes=st.sampled_from([(None,), (1, None), (2, 3, None), (5, 1, None)]),
    number=st.integers(1, 20),
)
def test_a_session_that_starts_again_draws_the_same_waves(seed: int, sizes: Any, number: int) -> None:
    """Whatever the order of what happens, and wherever the session is cut: each wave ends with the same members."""
    random = Random(seed)
    targets = targets_of(number)
    nothing_to_do = {target.proxy_id for target in targets if random.random() < 0.3}
    cut = random.randint(0, 2 * number)
    assert play(targets, sizes, nothing_to_do, random, cut) == play(targets, sizes, nothing_to_do, random, 10**6)


def play(
    targets: Sequence[Target], sizes: Sequence[int | None], nothing: set[str], random: Random, cut: int
) -> dict[str, set[str]]:
    """Settle everybody, in a random order; after `cut` steps, begin again with a new queue and what was recorded."""
    queue, recorded = queue_of(targets, *sizes), dict[str, str]()
    done: set[str] = set()
    steps = 0
    for at in range(len(sizes)):
        wave = f"w{at}"
        under_way: list[Target] = []
        while True:
            target = start(queue, wave)
            if target is not None:
                under_way.append(target)
            elif not under_way:
                break
            if target is None or random.random() < 0.4:
                settle(queue, under_way.pop(random.randrange(len(under_way))), wave, nothing, recorded, done)
                steps += 1
            if steps == cut:
                queue, under_way, steps = restored(targets, sizes, recorded, done, nothing), [], steps + 1
        assert queue.exhausted(wave)
    return {f"w{at}": {key for key, wave in recorded.items() if wave == f"w{at}"} for at in range(len(sizes))}


def settle(
    queue: StartQueue, target: Target, wave: str, nothing: set[str], recorded: dict[str, str], done: set[str]
) -> None:
    recorded[target.proxy_id] = wave
    done.add(target.proxy_id)
    if target.proxy_id in nothing:
        queue.left_out(target, wave)
    else:
        queue.settled(target)


def restored(
    targets: Sequence[Target], sizes: Sequence[int | None], recorded: dict[str, str], done: set[str], nothing: set[str]
) -> StartQueue:
    queue = queue_of(targets, *sizes)
    for key, wave in recorded.items():
        queue.restore(key, wave, member=key not in nothing, waiting=key not in done)
    return queue


def test_a_target_that_was_turned_away_stands_behind_those_that_are_yet_to_be_drawn() -> None:
    targets = targets_of(6)
    queue = queue_of(targets)
    first, second = start(queue), start(queue)
    assert [first, second] == targets[:2]
    for target, times in ((targets[0], 2), (targets[1], 1)):
        queue.sent(target)
        queue.back(target, turned_away=times)
    assert drain(queue) == [*targets[2:], targets[1], targets[0]]


def test_the_next_session_knows_who_was_turned_away() -> None:
    targets = targets_of(4)
    queue = queue_of(targets)
    queue.restore(targets[0].proxy_id, "w0", member=True, waiting=True, turned_away=1)
    assert drain(queue) == [*targets[1:], targets[0]]


def test_a_wave_draws_no_more_than_its_size_for_one_that_was_turned_away() -> None:
    targets = targets_of(4)
    queue = queue_of(targets, 2, None)
    start(queue)
    queue.sent(targets[0])
    queue.back(targets[0], turned_away=1)
    assert drain(queue) == [targets[1], targets[0]]


def test_who_drew_a_target_is_known_also_after_it_came_back_without_a_record() -> None:
    """Else it would count in the wave that is open then, above that one's size."""
    queue = queue_of(targets_of(3), 1, None)
    target = start(queue)
    assert target is not None
    queue.back(target)
    assert queue.drawn_by(target) == "w0"
