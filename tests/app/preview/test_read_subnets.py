"""What the preview reads of subnets: each once, and nothing more where it may not."""

from collections.abc import Callable

import pytest
from fakes.clock import VirtualClock, run_virtual
from fakes.clouds import FakeCloud
from fakes.stage import plan_of, targets_of
from msgspec.structs import replace

from orchestrator.app.preview.addresses_learned import NOTHING_LEARNED, AddressesLearned
from orchestrator.app.preview.read_subnets import read_subnets
from orchestrator.executor.rate.fixed_rate import WindowPacer
from orchestrator.executor.rate.lanes import Lanes
from orchestrator.executor.scope.scope_calls import ScopeCalls
from orchestrator.model.plan.plan import Capacity
from orchestrator.model.plan.target import Facts, Target
from orchestrator.model.reply.reply import Answered, Doubtful, Exchange, Refused, Reply
from orchestrator.planner.preview.preview_values import SubnetPreview

FACTS = [Facts(subnet=name, nodes=4) for name in "aab"]
TARGETS = [replace(target, facts=facts) for target, facts in zip(targets_of(3), FACTS, strict=True)]


class Subnets(FakeCloud):
    def __init__(self, clock: VirtualClock, answer: Callable[[str], Reply[int]]) -> None:
        super().__init__(clock, TARGETS)
        self.answer = answer
        self.asked: list[str] = []

    async def subnet_addresses(self, subnet_id: str) -> Reply[int]:
        self.asked.append(subnet_id)
        return self.answer(subnet_id)


def read(
    answer: Callable[[str], Reply[int]], targets: list[Target] = TARGETS, learned: AddressesLearned = NOTHING_LEARNED
) -> tuple[list[str], tuple[SubnetPreview, ...], tuple[str, ...]]:
    """The subnets that were asked for, and what came of that."""

    async def look() -> tuple[list[str], tuple[SubnetPreview, ...], tuple[str, ...]]:
        clock = VirtualClock()
        cloud = Subnets(clock, answer)
        calls = ScopeCalls(
            name="default",
            api=cloud,
            lanes=Lanes(WindowPacer(1e6), clock),
            retry=plan_of(targets).retry,
            clock=clock,
            chance=lambda: 0.5,
            note=lambda _record: None,
        )
        calls.gate.open()
        found, warnings = await read_subnets(Capacity(), targets, {"default": calls}, clock, learned)
        return cloud.asked, found, warnings

    return run_virtual(look)


def test_each_subnet_is_read_once_and_what_is_missing_is_told() -> None:
    asked, found, warnings = read(lambda name: Answered({"a": 5, "b": 6}[name], Exchange(http_status=200)))

    assert (asked, warnings) == (["a", "b"], ())
    assert [(each.proxies, each.free, each.needed, each.missing) for each in found] == [(2, 5, 4, 1), (1, 6, 4, 0)]


UNTOLD = [replace(target, facts=Facts(subnet="a")) for target in targets_of(2)]


@pytest.mark.parametrize(
    ("learned", "needed", "at_least", "missing"),
    [
        (NOTHING_LEARNED, 2, True, 1),
        (AddressesLearned({UNTOLD[0].proxy_id: 4}, {}), 4, True, 3),
        (AddressesLearned({UNTOLD[0].proxy_id: 4, UNTOLD[1].proxy_id: 3}, {}), 4, False, 3),
        (AddressesLearned({}, {"a": 6, "b": 9}), 6, True, 5),
    ],
)
def test_what_runs_have_learned_is_needed_and_what_nobody_knows_is_told_as_the_least(
    learned: AddressesLearned, needed: int, at_least: bool, missing: int
) -> None:
    _, [found], _ = read(lambda _name: Answered(3, Exchange(http_status=200)), UNTOLD, learned)
    assert (found.needed, found.at_least, found.missing) == (needed, at_least, missing)


def test_a_scope_that_may_not_ask_is_asked_once_and_says_so() -> None:
    asked, found, warnings = read(lambda _name: Refused("no permission", Exchange(http_status=403)))

    assert (asked, found) == (["a"], ())
    assert warnings == (
        "the free addresses of scope default are not looked at: that needs vpc:subnets:get (HTTP 403: no permission)",
    )


def test_a_reading_that_fails_says_why() -> None:
    _, found, warnings = read(lambda _name: Doubtful("HTTP 503", Exchange(http_status=503)))

    assert [(each.free, each.missing, each.why) for each in found] == [(None, 0, "HTTP 503")] * 2
    assert warnings == ()


def test_proxies_whose_subnet_is_not_known_are_no_reason_to_ask() -> None:
    assert read(lambda _name: Doubtful("never", Exchange()), targets_of(2)) == ([], (), ())
