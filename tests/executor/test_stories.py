"""Stories are told by as many workers as there are stories at once, and a worker that is idle tells the next one."""

import anyio

from orchestrator.executor.stories import Worker, Workers
from orchestrator.model.plan.target import Target
from orchestrator.model.run.state import TargetState


class Told:
    """Stories that end when `go` is set; which worker told which, and what became of it."""

    def __init__(self) -> None:
        self.go = anyio.Event()
        self.workers = Workers(self.tell)
        self.by = dict[str, Worker]()
        self.ended = list[str]()

    async def tell(self, worker: Worker) -> None:
        self.by[worker.state.key] = worker
        try:
            await self.go.wait()
            self.ended.append(worker.state.key)
        finally:
            if worker.ended is not None:
                worker.ended.set()
            assert self.workers.leave(worker)


def state(name: str) -> TargetState:
    return TargetState(Target(scope="default", instance_id="instance", proxy_id=name))


def test_stories_one_after_the_other_are_told_by_one_worker() -> None:
    async def story() -> None:
        told = Told()
        told.go.set()
        async with anyio.create_task_group() as group:
            for number in range(100):
                told.workers.take_up(state(f"p{number}"), group)
                await anyio.wait_all_tasks_blocked()
            group.cancel_scope.cancel()
        assert told.ended == [f"p{number}" for number in range(100)]
        assert len(set(map(id, told.by.values()))) == 1

    anyio.run(story)


def test_stories_at_once_have_a_worker_each_and_those_after_them_need_no_more() -> None:
    async def story() -> None:
        told = Told()
        async with anyio.create_task_group() as group:
            for number in range(5):
                told.workers.take_up(state(f"p{number}"), group)
            await anyio.wait_all_tasks_blocked()
            told.go.set()
            await anyio.wait_all_tasks_blocked()
            for number in range(5, 10):
                told.workers.take_up(state(f"p{number}"), group)
            await anyio.wait_all_tasks_blocked()
            group.cancel_scope.cancel()
        assert len(told.ended) == 10
        assert len(set(map(id, told.by.values()))) == 5

    anyio.run(story)


def test_a_worker_whose_story_was_broken_off_is_never_called_again() -> None:
    async def story() -> None:
        told, first = Told(), state("p1")
        async with anyio.create_task_group() as group:
            told.workers.take_up(first, group)
            await anyio.wait_all_tasks_blocked()
            worker = told.workers.at(first)
            assert worker is not None
            await worker.break_off().wait()
            assert told.workers.at(first) is None
            told.go.set()
            told.workers.take_up(state("p2"), group)
            await anyio.wait_all_tasks_blocked()
            group.cancel_scope.cancel()
        assert told.ended == ["p2"]
        assert told.by["p2"] is not worker

    anyio.run(story)


def test_a_worker_that_is_broken_off_at_the_end_of_its_story_is_never_called_again() -> None:
    async def story() -> None:
        told, first = Told(), state("p1")

        async def tell(worker: Worker) -> None:
            with anyio.CancelScope(shield=True):
                await told.tell(worker)

        told.workers = Workers(tell)
        async with anyio.create_task_group() as group:
            told.workers.take_up(first, group)
            await anyio.wait_all_tasks_blocked()
            worker = told.workers.at(first)
            assert worker is not None
            worker.break_off()
            await anyio.wait_all_tasks_blocked()
            told.go.set()
            await anyio.wait_all_tasks_blocked()
            told.workers.take_up(state("p2"), group)
            await anyio.wait_all_tasks_blocked()
            group.cancel_scope.cancel()
        assert told.ended == ["p1", "p2"]
        assert told.by["p2"] is not worker

    anyio.run(story)
