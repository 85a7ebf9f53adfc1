"""Asking which upgrades the console has scheduled: one call for each proxy, and only for those where it matters."""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

import anyio

from orchestrator.app.scopes.inventory_api import look
from orchestrator.app.scopes.serve_scopes import served
from orchestrator.cloud.reading.lenient import instant, text
from orchestrator.executor.scope.gate import ScopeGone
from orchestrator.executor.scope.scope_calls import ScopeCalls
from orchestrator.model.plan.target import Target
from orchestrator.model.reply.reply import Answered, in_words
from orchestrator.planner.preview.audit import Scheduled, Schedules

#: States of a task that is over (CheckScheduleTaskExist).
_OVER = frozenset({"SUCCESS", "FAIL", "CANCELED"})


async def read_schedules(targets: Sequence[Target], scopes: Mapping[str, ScopeCalls], *, readers: int) -> Schedules:
    """What is scheduled for these targets.

    Args:
        targets: those for which a scheduled upgrade would matter.
        scopes: by name.
        readers: most calls under way at once in each scope.
    """
    asking = _Asking(targets)
    async with served(scopes), anyio.create_task_group() as group:
        for name, line in asking.lines.items():
            for _ in range(min(readers, len(line))):
                group.start_soon(asking.work, scopes[name], line)
    return asking.schedules


class _Asking:
    def __init__(self, targets: Sequence[Target]) -> None:
        self.lines: dict[str, deque[Target]] = {}
        self._found: dict[str, list[Scheduled]] = {target.proxy_id: [] for target in targets}
        self._problems: list[str] = []
        for target in targets:
            self.lines.setdefault(target.scope, deque()).append(target)

    @property
    def schedules(self) -> Schedules:
        """In the order of the targets, whatever the order of the answers."""
        scheduled = [each for found in self._found.values() for each in found]
        more = f", and {len(self._problems) - 1:,} more" if len(self._problems) > 1 else ""
        return Schedules(scheduled=scheduled, not_asked=self._problems[0] + more if self._problems else None)

    async def work(self, scope: ScopeCalls, line: deque[Target]) -> None:
        """Ask for one target of the scope after the other."""
        while line:
            target = line.popleft()
            try:
                await self._ask(scope, target)
            except ScopeGone as gone:
                self._problems.append(f"scope {scope.name}: {gone}")
                line.clear()

    async def _ask(self, scope: ScopeCalls, target: Target) -> None:
        reply = await look(scope, lambda api: api.scheduled_upgrade(target.instance_id, target.proxy_id))
        if not isinstance(reply, Answered):
            self._problems.append(f"proxy {target.proxy_id}: {in_words(reply)}")
            return
        tasks = (_task(target, row) for row in reply.value.rows)
        self._found[target.proxy_id] = [task for task in tasks if (task.status or "").upper() not in _OVER]


def _task(target: Target, row: dict[str, Any]) -> Scheduled:
    starts_at = instant(row.get("start_time"))
    return Scheduled(
        target=target,
        status=text(row.get("task_status")),
        starts_at=f"{starts_at:%Y-%m-%d %H:%MZ}" if starts_at else None,
    )
