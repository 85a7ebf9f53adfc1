"""Reading the versions of many proxies, for the preview: GET only, in turn, and nothing is written anywhere."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence

import anyio

from orchestrator.app.scopes.serve_scopes import served
from orchestrator.executor.rate.lane import Lane
from orchestrator.executor.scope.gate import ScopeGone
from orchestrator.executor.scope.scope_calls import ScopeCalls
from orchestrator.model.plan.target import Target
from orchestrator.model.reply.reply import Answered, Refused
from orchestrator.model.run.eligibility import LeaveOut, Reading, gone


async def read_versions(
    targets: Sequence[Target],
    scopes: Mapping[str, ScopeCalls],
    *,
    readers: int,
    on_read: Callable[[int], None],
) -> tuple[dict[str, Reading], dict[str, str]]:
    """Read every target's version.

    Args:
        targets: whose versions are wanted.
        scopes: by name.
        readers: most calls under way at once in each scope.
        on_read: called with how many have been read so far.

    Returns:
        The readings by proxy_id, and why each scope that could not be used could not.
    """
    reading = _Reading(targets, scopes, on_read)
    async with served(scopes), anyio.create_task_group() as group:
        for name in scopes:
            for _ in range(min(readers, len(reading.lines[name]))):
                group.start_soon(reading.work, name)
    return reading.found, reading.unusable


class _Reading:
    def __init__(
        self, targets: Iterable[Target], scopes: Mapping[str, ScopeCalls], on_read: Callable[[int], None]
    ) -> None:
        self.lines: dict[str, deque[Target]] = {name: deque() for name in scopes}
        self.found: dict[str, Reading] = {}
        self.unusable: dict[str, str] = {}
        self._scopes = scopes
        self._on_read = on_read
        for target in targets:
            self.lines[target.scope].append(target)

    async def work(self, name: str) -> None:
        """Read one target of the scope after the other."""
        line = self.lines[name]
        while line:
            target = line.popleft()
            try:
                self.found[target.proxy_id] = await _read(target, self._scopes[name])
            except ScopeGone as error:
                self.unusable[name] = str(error)
                self.found[target.proxy_id] = f"scope {name}: {error}"
            self._on_read(len(self.found))


async def _read(target: Target, scope: ScopeCalls) -> Reading:
    reply = await scope.read(lambda api: api.proxy_version(target.instance_id, target.proxy_id), Lane.POLL)
    if isinstance(reply, Answered):
        return reply.value
    if not isinstance(reply, Refused):
        return f"could not be read: {reply.reason}"
    return await _gone(target, scope) if reply.not_found else f"refused: {reply.reason}"


async def _gone(target: Target, scope: ScopeCalls) -> LeaveOut:
    """That there is no such proxy, with the one of its instance that was probably meant."""
    return gone(target.proxy_id, await scope.read(lambda api: api.proxy_ids(target.instance_id), Lane.POLL))
