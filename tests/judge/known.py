"""What a reader of the journal knows of the targets, without any help from the executor's own fold."""

from dataclasses import dataclass, field
from datetime import datetime

from orchestrator.model.plan.plan import Plan, Scope, Wave
from orchestrator.model.plan.selection import Selector
from orchestrator.model.plan.target import Target
from orchestrator.model.record import record as r
from orchestrator.model.reply.reply import Entry

#: Where a target stands that is looked at further although its story is over.
STUCK = frozenset({"in_doubt", "timed_out"})


#: Outcomes that take a target off every count.
_WELL = frozenset({"succeeded", "accepted", "already"})


@dataclass
class Known:
    """What the journal says of one target so far.

    Attributes:
        standing: an outcome, or `waiting`, `in_flight`, `doubt`, `in_doubt`, `timed_out`.
        preflight: what was read for the next attempt.
        unanswered: its call may be under way.
        counted: it was a failure or a rejection, and has neither turned out well since nor come back into the queue.
        forgiven: a release has accepted that.
        doubted: tokens of attempts that were in doubt.
        missed: tokens of attempts whose answer was missed, though it may still come from another host.
        cut: it is in doubt only because a session has begun, and nobody has said yet that its answer is missing.
        answered: workflows that answers to it name as begun.
        adopted: workflows that were recognised as its own.
        answered_for: so many of its attempts a person says were not sent.
        reached: the version was seen in place of a job.
        left_alone: the program has settled it, and claims that nothing of ours began.
    """

    target: Target
    wave: str | None = None
    preflight: r.PreflightDone | None = None
    intents: list[r.Intent] = field(default_factory=list)
    open: bool = False
    doubt: bool = False
    unanswered: bool = False
    standing: str = "waiting"
    counted: bool = False
    forgiven: bool = False
    doubted: set[str] = field(default_factory=set)
    missed: set[str] = field(default_factory=set)
    cut: bool = False
    answered: set[str] = field(default_factory=set)
    adopted: set[str] = field(default_factory=set)
    answer: r.AnswerSeen | None = None
    ended: dict[str, str] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    answered_for: int = 0
    reached: bool = False
    settled_at: datetime | None = None
    left_alone: bool = False
    reread_at: datetime | None = None

    @property
    def numbers(self) -> range:
        """Of its attempts so far."""
        return range(1, len(self.intents) + 1)

    @property
    def accepted(self) -> set[str]:
        """Every workflow that may be its own."""
        return self.answered | self.adopted

    @property
    def accepted_at(self) -> datetime | None:
        """When the upgrade began, as far as is known; an answer that came late may have found it followed already."""
        late = bool(self.intents) and self.intents[-1].token in self.missed
        if self.answer is not None and self.answer.verdict in ("accepted", "partial") and not late:
            return self.answer.at
        return self.intents[-1].at if self.accepted else None

    @property
    def offset_s(self) -> float:
        """How far the cloud's clock is ahead."""
        return (self.answer.cloud_offset_s or 0.0) if self.answer is not None else 0.0

    @property
    def left_out(self) -> bool:
        return self.standing in ("already", "skipped")

    @property
    def stuck(self) -> bool:
        return self.standing in STUCK

    def disown(self, workflow_id: str | None) -> None:
        """A workflow that was taken for its own is another's."""
        self.answered -= {workflow_id}
        self.adopted -= {workflow_id}

    def doubts(self) -> None:
        """Nobody knows what became of its latest attempt."""
        self.open, self.doubt, self.standing = True, True, "doubt"

    def missed_answer(self, attempt: int) -> bool:
        """Whether the answer to an attempt was missed: its sender may still write it, even after the run."""
        return 0 < attempt <= len(self.intents) and self.intents[attempt - 1].token in self.missed

    def takes_late(self, answer: r.AnswerSeen) -> bool:
        """Whether an answer that was missed comes late, and shows that the latest attempt began."""
        latest = answer.attempt == len(self.intents) and self.intents[-1].token in self.missed
        return latest and answer.verdict in ("accepted", "partial") and not self.settled_at

    def takes_back(self, answer: r.AnswerSeen) -> bool:
        """Whether the sender of the latest attempt says late that nothing left, and no other attempt is in doubt."""
        latest = answer.attempt == len(self.intents) and self.intents[-1].token in self.missed
        return latest and answer.verdict == "not_sent" and self.open and not self.doubted

    @property
    def shown(self) -> bool:
        """Whether a late answer has shown that the latest attempt began: what is concluded after it is void."""
        return self.open and not self.doubt and self.answer is not None and self.takes_late(self.answer)

    @property
    def followed(self) -> bool:
        """Whether a job of it was found, or named by an answer: one that comes later makes nothing doubtful."""
        return self.open and not self.doubt and bool(self.accepted)

    @property
    def disputed(self) -> bool:
        """The same, also where a late answer has only made it doubtful whether it began."""
        doubted = self.doubt and self.answer is not None and self.answer.verdict == "in_doubt"
        return self.shown or (doubted and self.answer is not None and self.missed_answer(self.answer.attempt))

    def let_go(self) -> None:
        """A person says that nothing was sent, and answers for every attempt so far."""
        self.answered_for = len(self.intents)
        self.doubted.clear()

    def waits(self) -> None:
        """Back in the queue: whatever it was counted for is over."""
        self.open, self.doubt, self.standing = False, False, "waiting"
        self.counted = self.forgiven = False
        self.preflight = None


class Fleet:
    """All targets, and the groups of them that budgets are made for."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.targets = {target.proxy_id: Known(target) for target in plan.proxies}
        #: By workflow, the targets that it was named for.
        self._named: dict[str, set[str]] = {}

    def name(self, known: Known, workflow_id: str) -> None:
        """A record of the target names a workflow as its own; one that was seen to be another's stays that one's."""
        named = self._named.setdefault(workflow_id, set())
        if not any(workflow_id in self.targets[key].seen for key in named):
            named.add(known.target.proxy_id)

    def certain(self, known: Known) -> set[str]:
        """Its own workflows: an answer alone proves nothing where another target was given the same one."""
        return known.adopted | {each for each in known.answered if self._named[each] == {known.target.proxy_id}}

    @property
    def everybody(self) -> list[Known]:
        return list(self.targets.values())

    @property
    def settled(self) -> bool:
        """Whether every target has its outcome."""
        return all(known.settled_at is not None for known in self.targets.values())

    def failed(self, known: Known) -> bool:
        return known.standing in self.plan.failures.counts

    def forgive(self) -> None:
        """A release accepts what has been counted."""
        for known in self.targets.values():
            known.forgiven = known.forgiven or known.counted

    def count(self, known: Known) -> None:
        """A record of a target was taken: whether it counts now."""
        if self.failed(known) or known.standing == "rejected":
            known.counted = True
        elif known.standing in _WELL:
            known.counted = known.forgiven = False

    def cut_off(self) -> None:
        """A new session: calls that were under way have no answer any more."""
        for known in self.targets.values():
            if known.unanswered:
                known.cut, known.doubt = not known.doubt, True
                known.missed.add(known.intents[-1].token)
            known.unanswered = False

    def of_wave(self, name: str) -> list[Known]:
        return [known for known in self.targets.values() if known.wave == name]

    def of_scope(self, name: str) -> list[Known]:
        return [known for known in self.targets.values() if known.target.scope == name]

    def scope_of(self, known: Known) -> Scope:
        return next(scope for scope in self.plan.scopes if scope.name == known.target.scope)

    def reach(self, wave: Wave) -> int:
        """How many the wave has sent, or may still send: what a percentage of its own is taken of."""
        mine = [known for known in self.targets.values() if known.wave == wave.name]
        more = [known for known in self.targets.values() if known.wave is None and selected(wave, known.target)]
        count = sum(not known.left_out for known in (*mine, *more))
        return count if wave.size is None else min(count, wave.size.cap(len(self.targets)))


def accepts(entry: Entry) -> bool:
    """Whether an entry of an answer says that an upgrade began."""
    return (entry.state or "").strip().upper() == "ACCEPT"


def selected(wave: Wave, target: Target) -> bool:
    """Whether a wave may have a target, by what the fakes use of selectors."""
    select = wave.select or Selector()
    labels = all(target.labels.get(name) == value for name, value in select.labels.items())
    return labels and select.scope in (None, target.scope) and select.instance_id in (None, target.instance_id)
