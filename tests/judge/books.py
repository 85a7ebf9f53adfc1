"""Never twice, never lost, never another's: what really began, by the books of a cloud, against what a report tells."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from judge.rule import Found, Rule, Violation

from orchestrator.tracker.report.schema import TargetReport

#: Outcomes under which something of ours may still be happening.
_OPEN = frozenset({"in_flight", "in_doubt", "timed_out"})


@dataclass(frozen=True)
class Start:
    """An upgrade that really began.

    Attributes:
        sent_s: when the call for it was sent, in seconds by the clock of the books.
    """

    proxy_id: str
    workflow_id: str
    sent_s: float


class Books:
    """What really began, in order. A world in which more is forgiven has a class of its own.

    Args:
        starts: every one that a report can know of.
        let_go: when a person last said of a proxy that nothing was sent, and answers for what that lets happen.
    """

    def __init__(self, starts: Sequence[Start], let_go: Mapping[str, float] | None = None) -> None:
        self._starts: dict[str, list[Start]] = {}
        for start in starts:
            self._starts.setdefault(start.proxy_id, []).append(start)
        self._by_workflow = {start.workflow_id: start for start in starts}
        self._let_go = let_go or {}

    def judge(self, targets: Iterable[TargetReport]) -> Found:
        """Everything that is wrong with what a report tells of its targets."""
        for proxy_id in self._starts:
            yield from self._once(proxy_id)
        for target in targets:
            if target.settled_by is None:
                yield from self._lost(target)
                yield from self._of_others(target)

    def excuses(self, target: TargetReport, start: Start) -> bool:  # noqa: ARG002  # for those who know more
        """Whether a target need not name its start, or may name another's, because nobody could know better."""
        return False

    def left_late(self, start: Start) -> bool:  # noqa: ARG002  # likewise
        """Whether its call left so long after it was decided that another may have been decided since."""
        return False

    def _once(self, proxy_id: str) -> Found:
        after = self._let_go.get(proxy_id)
        again = [start for start in self._starts[proxy_id] if after is None or start.sent_s > after]
        again = [start for start in again if not self.left_late(start)]
        if len(again) > 1:
            began = ", ".join(f"{start.workflow_id} at +{start.sent_s:.1f} s" for start in again)
            yield Violation(Rule.ONCE, f"{proxy_id} was started {len(again)} times: {began}")

    def _lost(self, target: TargetReport) -> Found:
        if target.outcome in _OPEN or _stated(target):
            return
        for start in self._starts.get(target.proxy_id, ()):
            if not _tells_of(target, start.workflow_id) and not self.excuses(target, start):
                what = f"{target.proxy_id} is {target.outcome} ({target.reason}), nothing tells of {start.workflow_id}"
                yield Violation(Rule.FOUND, what)

    def _of_others(self, target: TargetReport) -> Found:
        for start in map(self._by_workflow.get, target.workflow_ids):
            if start is not None and start.proxy_id != target.proxy_id and not self.excuses(target, start):
                what = f"{target.proxy_id} is {target.outcome} and claims {start.workflow_id} of {start.proxy_id}"
                yield Violation(Rule.TRUE, what)


def _tells_of(target: TargetReport, workflow_id: str) -> bool:
    """Whether the report names the workflow: as the target's, or in words, where two were given the same one."""
    said = f"workflow {workflow_id} was given to another target too"
    return workflow_id in target.workflow_ids or said in (target.evidence or ())


def _stated(target: TargetReport) -> bool:
    """Whether the report states that the workflow is not known."""
    said = " ".join([target.reason or "", *(target.evidence or ())])
    return "not recovered" in said or "settled as not sent" in said
