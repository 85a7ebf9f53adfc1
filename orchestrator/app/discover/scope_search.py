"""Finding the proxies of one scope: its lists of instances, then the details of those that may have a proxy.

The price is one call for every hundred instances of each list, and one for every twenty that have a proxy. Decisions
are in `planner`; here they are carried out. Whatever cannot be learned is a problem that is kept, never a shorter list.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import anyio

from orchestrator.app.scopes.inventory_api import ApiVersion, look
from orchestrator.executor.scope.gate import ScopeGone
from orchestrator.executor.scope.scope_calls import ScopeCalls
from orchestrator.model.plan.plan import Discover, InstanceFilter
from orchestrator.model.plan.target import Target
from orchestrator.model.reply.reply import Answered, Busy, Doubtful, Page, Refused, in_words
from orchestrator.planner.targets.discovery import Instance, batches, learnt, targets_of
from orchestrator.planner.targets.instance_filter import Unanswered, passes, server_filters
from orchestrator.planner.targets.instance_list import PAGE_ROWS, InstanceList
from orchestrator.planner.targets.instance_row import BadProxyId, Row, may_have_proxies, proxies_in_list, text_of

_NOT_FOUND = 404

_Read: TypeAlias = Answered[Page] | Refused | Busy | Doubtful


class ScopeSearch:
    """One scope's part of a discovery.

    Args:
        scope: whose calls are used.
        entries: what to look for, by the number of the entry in the plan.
        readers: most questions for details under way at once.
        on_progress: called whenever more is known.

    Attributes:
        problems: what could not be learned, for people; the search is complete when there are none.
    """

    def __init__(
        self, scope: ScopeCalls, entries: Mapping[int, Discover], *, readers: int, on_progress: Callable[[], None]
    ) -> None:
        self.problems: list[str] = []
        self._scope = scope
        self._entries = entries
        self._readers = readers
        self._on_progress = on_progress
        self._version: ApiVersion = "v3.1"
        self._rows: dict[str, Row] = {}
        self._instances: dict[str, Instance] = {}
        self._gone: set[str] = set()
        self._may_have_moved: dict[int, Discover] = {}
        self._details_work = True

    @property
    def found(self) -> int:
        """Instances that may have a proxy, so far."""
        return len(self._rows)

    @property
    def known(self) -> int:
        """Instances of these whose proxies are known."""
        return len(self._instances) + len(self._gone)

    async def run(self) -> None:
        """Find everything, or note as a problem what cannot be found."""
        try:
            for number, entry in self._entries.items():
                await self._find(number, entry)
            await self._learn()
            if self._gone and self._may_have_moved:
                # An instance that is gone by now may have gone while the list was read, and let another slip through.
                for number, entry in self._may_have_moved.items():
                    await self._list(number, entry.instances, careful=True)
                await self._learn()
        except ScopeGone as gone:
            self._lose(gone)

    def targets(self, entry: Discover) -> list[Target]:
        """The targets that an entry means, in the order of the list."""
        ids = entry.instances.ids or self._rows
        return [
            target
            for instance_id in ids
            if (instance := self._instances.get(instance_id))
            and self._meant(instance_id, instance.row, entry.instances)
            for target in targets_of(self._scope.name, instance_id, instance)
        ]

    # --- lists of instances ------------------------------------------------------------------------------------------

    async def _find(self, number: int, entry: Discover) -> None:
        if entry.instances.ids:
            for instance_id in entry.instances.ids:  # their details tell all of them, so no list is needed
                self._rows.setdefault(instance_id, {})
        else:
            await self._list(number, entry.instances, careful=False)

    async def _list(self, number: int, wanted: InstanceFilter, *, careful: bool) -> None:
        listing = InstanceList(careful=careful)
        while (offset := listing.next_offset) is not None:
            reply = await self._page(offset, server_filters(wanted))
            if not isinstance(reply, Answered):
                self._problem(f"the list of instances from {offset} on (discover[{number}]): {in_words(reply)}")
                return
            listing.feed(reply.value)
            self._on_progress()
        if not listing.complete:
            self._problem(
                f"the list of instances (discover[{number}]): total_count {listing.total}, but so many were seen: "
                f"{len(listing.rows)}, and the list moves whenever it is read"
            )
        if not listing.at_once and not careful:
            self._may_have_moved[number] = self._entries[number]
        self._take(listing, wanted)

    def _take(self, listing: InstanceList, wanted: InstanceFilter) -> None:
        for instance_id, row in listing.rows.items():
            if not self._rows.get(instance_id) and may_have_proxies(row) and self._meant(instance_id, row, wanted):
                self._rows[instance_id] = row
        self._on_progress()

    def _meant(self, instance_id: str, row: Row, wanted: InstanceFilter) -> bool:
        try:
            return passes(wanted, row)
        except Unanswered as fact:
            self._problem(f"instance {instance_id}: the cloud does not tell its {fact}, which discover asks for")
            return False

    async def _page(self, offset: int, filters: Mapping[str, str]) -> _Read:
        version = self._version
        reply = await look(self._scope, lambda api: api.instances(offset=offset, version=version, filters=filters))
        if version == "v3.1" and isinstance(reply, Refused) and _no_such_call(reply):
            self._version = "v3"
            return await self._page(offset, filters)
        return reply

    # --- proxies of instances ----------------------------------------------------------------------------------------

    async def _learn(self) -> None:
        unknown = [key for key in self._rows if key not in self._instances and key not in self._gone]
        questions = deque(batches(unknown))
        async with anyio.create_task_group() as group:
            for _ in range(min(self._readers, len(questions))):
                group.start_soon(self._ask, questions)

    async def _ask(self, questions: deque[Sequence[str]]) -> None:
        while questions:
            try:
                await self._details(questions.popleft())
            except ScopeGone as gone:
                questions.clear()
                self._lose(gone)
            self._on_progress()

    async def _details(self, instance_ids: Sequence[str]) -> None:
        if self._details_work and self._version == "v3.1":
            reply = await look(self._scope, lambda api: api.instance_details(instance_ids))
            if isinstance(reply, Doubtful):
                self._problem(f"the details of {', '.join(instance_ids)}: {in_words(reply)}")
                return
            if isinstance(reply, Answered):
                self._instances.update(learnt(instance_ids, self._rows, reply.value.rows))
            else:
                self._details_work = not (isinstance(reply, Refused) and _no_such_call(reply))
        for instance_id in instance_ids:
            if instance_id not in self._instances:
                await self._one(instance_id)

    async def _one(self, instance_id: str) -> None:
        """Ask for the proxies of one instance alone, when details did not tell them."""
        row = self._rows[instance_id] or await self._listed(instance_id)
        if row is None:
            return
        reply = await look(self._scope, lambda api: api.proxies(instance_id))
        if isinstance(reply, Refused) and reply.not_found:
            self._gone.add(instance_id)
        elif not isinstance(reply, Answered):
            self._problem(f"the proxies of instance {instance_id}: {in_words(reply)}")
        else:
            self._settle(instance_id, row, reply.value)

    def _settle(self, instance_id: str, row: Row, page: Page) -> None:
        if len(page.rows) >= PAGE_ROWS:
            self._problem(f"the proxies of instance {instance_id}: more than one page of them")
            return
        try:
            self._instances[instance_id] = Instance(row, proxies_in_list(page.rows))
        except BadProxyId as bad:
            self._problem(f"the proxies of instance {instance_id}: {bad}")

    async def _listed(self, instance_id: str) -> Row | None:
        """The row of an instance that the plan names, when the cloud gave no details of it."""
        reply = await self._page(0, {"id": instance_id})
        if not isinstance(reply, Answered):
            self._problem(f"instance {instance_id}: {in_words(reply)}")
            return None
        row = next((row for row in reply.value.rows if text_of(row, "id") == instance_id), None)
        if row is None:
            self._problem(f"instance {instance_id}: discover names it, and the cloud does not have it")
        return row

    def _problem(self, text: str) -> None:
        self.problems.append(text)

    def _lose(self, gone: ScopeGone) -> None:
        self.problems = [f"cannot be used: {gone}"]


def _no_such_call(reply: Refused) -> bool:
    """The gateway does not know the call (404 APIGW.0101), unlike a service that does not know an instance."""
    return reply.exchange.http_status == _NOT_FOUND and not reply.not_found
