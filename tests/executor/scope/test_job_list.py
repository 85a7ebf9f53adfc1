"""The job lists that are shared: how old they may be, what they must reach back to, and when there is none."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from fakes.acts import Fate, exchange
from fakes.clock import START, VirtualClock, run_virtual
from fakes.clouds import FakeCloud
from fakes.stage import targets_of

from orchestrator.executor.rate.fixed_rate import WindowPacer
from orchestrator.executor.rate.lane import Lane
from orchestrator.executor.rate.lanes import Lanes
from orchestrator.executor.scope.jobs.job_list import Board, JobList, read_jobs
from orchestrator.executor.scope.scope_calls import ScopeCalls
from orchestrator.executor.target.instance_jobs import ours_running
from orchestrator.model.plan.plan import Failures, Retry
from orchestrator.model.record.moment import Moment
from orchestrator.model.record.record import Record
from orchestrator.model.reply.reply import Job, Refused
from orchestrator.model.run.run import Run

TARGET = targets_of(1)[0]


class Desk:
    """One scope that was reached, and the board of its lists."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.cloud = FakeCloud(clock, [TARGET])
        self.calls = ScopeCalls(
            name="default",
            api=self.cloud,
            lanes=Lanes(WindowPacer(1000.0), clock),
            retry=Retry(),
            clock=clock,
            chance=lambda: 0.5,
            note=_forget,
        )
        self.calls.gate.open()
        self.board = Board(self.calls)

    def add_jobs(self, count: int, after_s: float = -100.0) -> None:
        for _ in range(count):
            self.cloud.add_foreign(TARGET.instance_id, after_s, Fate(duration_s=1e6, visible_after_s=0.0))


def _forget(_record: Record) -> None:
    pass


def at_desk(story: Callable[[Desk], Awaitable[None]]) -> None:
    async def main() -> None:
        await story(Desk(VirtualClock()))

    run_virtual(main)


def test_a_list_that_is_young_enough_is_not_read_again() -> None:
    async def story(desk: Desk) -> None:
        first = await desk.board.since([START], max_age_s=10.0, after=None)
        await desk.clock.sleep(5.0)
        assert (
            await desk.board.since([START + timedelta(seconds=1)], max_age_s=10.0, after=START - timedelta(1)) is first
        )
        await desk.clock.sleep(6.0)
        second = await desk.board.since([START], max_age_s=10.0, after=None)
        assert second is not None
        assert second is not first
        assert second.asked_at > START + timedelta(seconds=11)

    at_desk(story)


def test_a_list_from_before_an_instant_says_nothing_of_it() -> None:
    async def story(desk: Desk) -> None:
        first = await desk.board.since([START], max_age_s=100.0, after=None)
        running = await desk.board.running()
        await desk.clock.sleep(1.0)
        now = desk.clock.now()
        await desk.clock.sleep(1.0)
        for read, before in (
            (await desk.board.since([START], max_age_s=100.0, after=now), first),
            (await desk.board.running(after=now), running),
        ):
            assert read is not None
            assert read is not before
            assert read.asked_at > now

    at_desk(story)


def test_a_list_that_does_not_reach_back_far_enough_is_read_again() -> None:
    async def story(desk: Desk) -> None:
        desk.add_jobs(1, after_s=-3600.0)
        late = await desk.board.since([START], max_age_s=100.0, after=None)
        assert late is not None
        assert not late.jobs
        early = await desk.board.since([START, START - timedelta(hours=2)], max_age_s=100.0, after=None)
        assert early is not None
        assert len(early.jobs) == 1

    at_desk(story)


def test_running_jobs_are_listed_anew_after_a_minute() -> None:
    async def story(desk: Desk) -> None:
        first = await desk.board.running()
        await desk.clock.sleep(59.0)
        assert await desk.board.running() is first
        await desk.clock.sleep(2.0)
        assert await desk.board.running() is not first

    at_desk(story)


def test_a_list_of_which_a_page_cannot_be_read_is_none() -> None:
    async def story(desk: Desk) -> None:
        desk.add_jobs(60)
        desk.cloud.reads = lambda _name, _key, number: Refused("no permission", exchange(403)) if number == 2 else None
        assert await read_jobs(desk.calls, Lane.POLL) is None
        whole = await read_jobs(desk.calls, Lane.POLL)
        assert whole is not None
        assert whole.complete
        assert len(whole.jobs) == 60

    at_desk(story)


def test_a_list_that_does_not_say_how_long_it_is_is_not_complete() -> None:
    async def story(desk: Desk) -> None:
        desk.add_jobs(3)
        desk.cloud.hides_total = True
        listing = await read_jobs(desk.calls, Lane.POLL)
        assert listing is not None
        assert len(listing.jobs) == 3
        assert not listing.complete

    at_desk(story)


@pytest.mark.parametrize(
    ("asked_s", "expected_s", "listed", "count"),
    [
        (10, 600, False, 1),
        (10, 600, True, 1),
        (61, 600, False, 0),
        (61, 600, True, 1),
        (4, 5, False, 1),
        (6, 5, False, 0),
    ],
)
def test_an_upgrade_that_is_too_new_to_be_listed_counts_as_running(
    asked_s: int, expected_s: float, listed: bool, count: int
) -> None:
    run = Run([TARGET], waves=["all"], scopes=["default"], failures=Failures())
    run.accepted_on.add(TARGET.instance_id, "w1", Moment(START, 0))
    jobs = (Job(job_id="w1", status="Running", instance_id=TARGET.instance_id),) if listed else ()
    listing = JobList(jobs, None, START + timedelta(seconds=asked_s), complete=True)
    assert ours_running(listing, run.state(TARGET.proxy_id), run, expected_s) == count
